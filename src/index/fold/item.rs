//! Folding an item: field by field, the newest wins. The state does not depend on the order in which events arrive, equal times excepted.

use std::borrow::Cow;

use sleeksync_connectors::contract::{Action, Fields, ItemId, Time};

use super::Fold;
use crate::index::key;
use crate::index::row::{FieldRow, ItemRow};
use crate::index::rows::RowsError;
use crate::record::EventRecord;
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
        let mut row = known.unwrap_or_else(|| blank(&target.item, seq, event));
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
        note_privacy(&mut row, event.at, target);
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

fn blank(id: &ItemId, seq: u64, event: &EventRecord) -> Row<'static> {
    ItemRow {
        id: id.clone(),
        seq,
        newest_seq: seq,
        at: event.at,
        deleted_at: None,
        made_at: None,
        made_received_at: None,
        private_at: None,
        received_at: event.received_at,
        fields: Vec::new(),
    }
}

/// Takes over every field that is not older than what is known. Absent keeps, null clears. Says whether a value is another one now.
fn merge<'e>(row: &mut Row<'e>, at: Time, target: &Target<'e>) -> bool {
    let mut changed = false;
    // Sorted by name, so that the row does not depend on the order of arrival either.
    let known = row.fields.len();
    for (name, value) in &target.fields {
        let json = value.get();
        match row.fields.get(..known).unwrap_or_default().binary_search_by(|field| field.name.cmp(name)) {
            Err(_) => {
                row.fields.push(FieldRow { name: name.clone(), json: Cow::Borrowed(json), at });
                changed = true;
            }
            Ok(place) => changed |= row.fields.get_mut(place).is_some_and(|field| overwrite(field, at, json)),
        }
    }
    if row.fields.len() > known {
        row.fields.sort_unstable_by(|a, b| a.name.cmp(&b.name));
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

/// Remembers the oldest state that was not public: when the item is public later, the store saw it turn public.
fn note_privacy(row: &mut Row<'_>, at: Time, target: &Target<'_>) {
    let mut seen = Fields::default();
    for (name, value) in &target.fields {
        if VISIBILITY.contains(&name.as_ref()) {
            seen.set(name, serde_json::from_str(value.get()).unwrap_or(serde_json::Value::Null));
        }
    }
    if !seen.is_public(target.item.kind()) {
        row.private_at = Some(row.private_at.map_or(at, |known| known.min(at)));
    }
}
