//! Folding an item: field by field, the newest wins. The state does not depend on the order in which events arrive, equal times excepted.

use std::borrow::Cow;

use sleeksync_connectors::contract::{Action, Fields, Time};

use super::Fold;
use crate::index::key;
use crate::index::row::{FieldRow, ItemRow};
use crate::index::rows::RowsError;
use crate::record::EventRecord;
use crate::sleekplan::json;
use crate::sleekplan::payload::Target;

/// Fields that decide whether readers may see an item.
const VISIBILITY: &[&str] = &["draft", "scheduled", "enabled", "segment", "public", "is_active"];

/// What is new is borrowed from the event.
type Row<'e> = ItemRow<Cow<'e, str>>;

/// What an event did to an item.
pub(super) struct ItemEffect {
    /// A value is another one than before.
    pub changed: bool,
    /// It is the newest event on the item.
    pub newest: bool,
    /// It was older than the event of this number, and lost.
    pub won_by: Option<u64>,
}

impl Fold<'_> {
    /// Brings `target` up to `event`. Only the event's main item is made or deleted by it.
    pub(super) fn item_changed(
        &mut self,
        seq: u64,
        event: &EventRecord,
        action: Action,
        main: bool,
        target: &Target<'_>,
    ) -> Result<ItemEffect, RowsError> {
        let key = key::item(&target.item);
        let known: Option<Row<'_>> = self.rows.get(&key)?;
        let is_new = known.is_none();
        let mut row = known.unwrap_or_else(|| blank(target, seq, event));
        let won_by = (!is_new && event.at < row.at).then_some(row.newest_seq);
        let before = (row.is_deleted(), row.made_received_at.is_some());
        let mut changed = is_new | merge(&mut row, event.at, target);
        if main && action.makes() {
            row.made_at = row.made_at.max(Some(event.at));
            row.made_received_at = Some(row.made_received_at.map_or(event.received_at, |at| at.min(event.received_at)));
        }
        if main && action.deletes() {
            row.deleted_at = row.deleted_at.max(Some(event.at));
        }
        note_visibility(&mut row, event, target);
        changed |= before != (row.is_deleted(), row.made_received_at.is_some());
        let newest = event.at >= row.at;
        if newest {
            row.at = event.at;
            row.newest_seq = seq;
        }
        row.received_at = row.received_at.max(event.received_at);
        row.seq = seq;
        self.rows.put(key, &row)?;
        Ok(ItemEffect { changed, newest, won_by })
    }
}

fn blank<'e>(target: &Target<'e>, seq: u64, event: &EventRecord) -> Row<'e> {
    ItemRow {
        id: target.item.clone(),
        seq,
        newest_seq: seq,
        at: event.at,
        deleted_at: None,
        made_at: None,
        made_received_at: None,
        private_at: None,
        public_at: None,
        turned_public_at: None,
        received_at: event.received_at,
        fields: Vec::with_capacity(target.fields.iter().len()),
    }
}

/// Takes over every field that is not older than what is known. Absent keeps, null clears. Says whether a value is another one now.
fn merge<'e>(row: &mut Row<'e>, at: Time, target: &Target<'e>) -> bool {
    let mut changed = false;
    // Sorted by name, so that the row does not depend on the order of arrival either.
    let known = row.fields.len();
    for (name, json) in target.fields.iter() {
        match row.fields.get(..known).unwrap_or_default().binary_search_by(|field| field.name.cmp(name)) {
            Err(_) => {
                row.fields.push(FieldRow { name: name.clone(), json: Cow::Borrowed(json), at });
                changed = true;
            }
            Ok(place) => changed |= row.fields.get_mut(place).is_some_and(|field| overwrite(field, at, json)),
        }
    }
    if row.fields.len() > known {
        row.fields.sort_by(|a, b| a.name.cmp(&b.name));
    }
    changed
}

fn overwrite<'e>(field: &mut FieldRow<Cow<'e, str>>, at: Time, json: &'e str) -> bool {
    if at < field.at {
        return false;
    }
    field.at = at;
    let changed = field.json != json;
    field.json = Cow::Borrowed(json);
    changed
}

/// Remembers when the store saw the item turn public: the oldest state that was not public, the newest that was, and when both were known.
///
/// What the event says nothing about is as older events left it. Does not depend on the order of arrival where events name all of it.
fn note_visibility(row: &mut Row<'_>, event: &EventRecord, target: &Target<'_>) {
    let mut seen = Fields::default();
    for (name, value) in target.fields.iter() {
        if VISIBILITY.contains(&name.as_ref()) {
            seen.set(name, json::value(value).unwrap_or_default());
        }
    }
    if seen.as_map().is_empty() {
        return;
    }
    let kind = target.item.kind();
    if !seen.is_public(kind) {
        row.private_at = Some(row.private_at.map_or(event.at, |known| known.min(event.at)));
    } else if older_fields_are_public(row, event.at, seen) {
        row.public_at = row.public_at.max(Some(event.at));
    }
    if row.private_at.is_some() && row.private_at < row.public_at {
        row.turned_public_at.get_or_insert(event.received_at);
    }
}

/// Whether an item is public at `at` with these fields, and those that were known then.
fn older_fields_are_public(row: &Row<'_>, at: Time, mut seen: Fields) -> bool {
    for field in &row.fields {
        if field.at <= at && VISIBILITY.contains(&field.name.as_ref()) && seen.get(&field.name).is_none() {
            seen.set(&field.name, json::value(&field.json).unwrap_or_default());
        }
    }
    seen.is_public(row.id.kind())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::testing::{fold_all, view};
    use crate::record::{EventStatus, Record};
    use serde_json::json;
    use sleeksync_connectors::contract::{ItemId, ItemKind, ProductId};

    fn event(id: &ItemId, received: i64, at: i64, draft: bool) -> (Record, Vec<u8>) {
        let data = json!({"changelog_id": id.id(), "draft": draft});
        let body = json!({"product_id": id.product().0, "action": "changelog.update", "data": data}).to_string().into_bytes();
        let record = EventRecord {
            received_at: Time::from_ms(received),
            at: Time::from_ms(at),
            status: EventStatus::Accepted,
            product: Some(id.product()),
            action: Some(Action::ChangelogUpdate),
            item: Some(id.clone()),
            mark: None,
        };
        (Record::Event(record), body)
    }

    #[test]
    fn an_item_turned_public_when_both_states_were_known_in_whatever_order() {
        let id = ItemId::top(ProductId(7), ItemKind::Changelog, "3").unwrap();
        // Effective times of a draft, its publication, and a draft and publication of later, in the order of arrival; when it was seen.
        let table =
            [([1, 2, 3, 4], 101), ([2, 1, 3, 4], 101), ([4, 2, 3, 1], 102), ([1, 3, 4, 2], 102), ([2, 4, 1, 3], 102), ([4, 2, 1, 3], 102)];
        for (order, seen) in table {
            let events: Vec<_> = (100..).zip(order).map(|(received, at)| event(&id, received, at, at % 2 == 1)).collect();
            let row = view(&fold_all(&events)).item_row(&id).unwrap().unwrap();
            let expected = [1, 4, seen].map(|at| Some(Time::from_ms(at)));
            assert_eq!([row.private_at, row.public_at, row.turned_public_at], expected, "{order:?}");
        }
    }

    #[test]
    fn an_event_that_says_nothing_about_a_draft_does_not_publish_it() {
        let id = ItemId::top(ProductId(7), ItemKind::Changelog, "3").unwrap();
        let (Record::Event(later), _) = event(&id, 101, 2, false) else { unreachable!() };
        let body = br#"{"product_id":7,"action":"changelog.update","data":{"changelog_id":"3","enabled":true}}"#;
        let row = view(&fold_all(&[event(&id, 100, 1, true), (Record::Event(later), body.to_vec())])).item_row(&id).unwrap().unwrap();
        assert_eq!(row.turned_public_at, None);
    }
}
