//! Folding events: duplicates, items, and who owes what from now on.

use sleeksync_connectors::contract::{Action, ItemId, ItemKind, Time};
use smallvec::SmallVec;

use super::Fold;
use super::lane::Raise;
use crate::index::key;
use crate::index::row::{StaleRow, UnlistedRow};
use crate::index::rows::RowsError;
use crate::record::{ConnectorId, DutyKey, EventRecord, EventStatus, Mark};
use crate::sleekplan::payload;

/// Hours for which unrecognised events are counted.
const UNRECOGNISED_HOURS: u64 = 24;
/// Workspaces that are not configured and are told apart.
const UNLISTED_MAX: usize = 16;

impl Fold<'_> {
    pub(super) fn event(&mut self, seq: u64, event: &EventRecord, body: &[u8]) -> Result<(), RowsError> {
        if let Some(mark) = &event.mark {
            // The fold is the authority on duplicates: whatever the accept path let through twice has no second effect.
            if self.is_duplicate(mark)? {
                return Ok(());
            }
            self.rows.put(key::mark(&mark.digest), &(seq, event.received_at))?;
            self.note_newest(seq, event.received_at, mark)?;
        }
        self.meta.events += 1;
        self.meta.last_event_at = self.meta.last_event_at.max(Some(event.received_at));
        let (EventStatus::Accepted, Some(action), Some(item)) = (&event.status, event.action, &event.item) else {
            self.count_unrecognised(event.received_at);
            if let (EventStatus::Unlisted, Some(product)) = (&event.status, event.product) {
                self.note_unlisted(product.0, event.received_at);
            }
            return Ok(());
        };
        self.meta.first_product.get_or_insert(item.product().0);
        let Ok(decoded) = payload::decode(body) else { return Ok(()) };
        for target in &decoded.targets {
            let main = target.item == *item;
            let effect = self.item_changed(seq, event, action, main, target)?;
            if let (true, Some(won_by)) = (main, effect.won_by) {
                self.rows.put(key::stale(seq), &StaleRow { won_by, received_at: event.received_at })?;
            }
            if effect.changed || (main && effect.newest) {
                self.owe_latest(seq, event.received_at, &target.item, main.then_some(action))?;
            }
        }
        self.owe_every(seq, event.received_at, item, action)
    }

    fn is_duplicate(&self, mark: &Mark) -> Result<bool, RowsError> {
        if mark.only_newest {
            let newest: Option<([u8; 16], u64, Time)> = self.rows.get(&key::newest(&mark.subject))?;
            return Ok(newest.is_some_and(|(digest, ..)| digest == mark.digest));
        }
        Ok(self.rows.get::<(u64, Time)>(&key::mark(&mark.digest))?.is_some())
    }

    /// Only an event without a timestamp is looked up by its subject; any other one only ends what the last of those said.
    fn note_newest(&mut self, seq: u64, received_at: Time, mark: &Mark) -> Result<(), RowsError> {
        let key = key::newest(&mark.subject);
        if mark.only_newest || self.rows.get::<([u8; 16], u64, Time)>(&key)?.is_some() {
            self.rows.put(key, &(mark.digest, seq, received_at))?;
        }
        Ok(())
    }

    fn count_unrecognised(&mut self, at: Time) {
        let hour = u64::try_from(at.as_ms() / 3_600_000).unwrap_or(0);
        match self.meta.unrecognised.last_mut() {
            Some((last, count)) if *last == hour => *count += 1,
            _ => self.meta.unrecognised.push((hour, 1)),
        }
        self.meta.unrecognised.retain(|(then, _)| then + UNRECOGNISED_HOURS > hour);
    }

    /// Where there are too many, the one that was silent for longest gives way: strangers' numbers must not fill the row.
    fn note_unlisted(&mut self, product: u64, at: Time) {
        let unlisted = &mut self.meta.unlisted;
        if let Some(known) = unlisted.iter_mut().find(|row| row.product == product) {
            known.events += 1;
            known.last_at = at;
            return;
        }
        if unlisted.len() >= UNLISTED_MAX
            && let Some((oldest, _)) = unlisted.iter().enumerate().min_by_key(|(_, row)| row.last_at)
        {
            unlisted.remove(oldest);
        }
        unlisted.push(UnlistedRow { product, events: 1, last_at: at });
    }

    /// Those that mirror owe the item's latest state.
    fn owe_latest(&mut self, seq: u64, at: Time, item: &ItemId, action: Option<Action>) -> Result<(), RowsError> {
        for connector in self.takers(item.kind(), false) {
            let key = DutyKey { connector, item: item.clone(), event: None };
            self.raise(&key, &Raise { seq, at, actions: action.map_or(0, Action::bit), include_history: false, again: None })?;
        }
        Ok(())
    }

    /// Those that announce owe the event.
    fn owe_every(&mut self, seq: u64, at: Time, item: &ItemId, action: Action) -> Result<(), RowsError> {
        for connector in self.takers(item.kind(), true) {
            let key = DutyKey { connector, item: item.clone(), event: Some(seq) };
            self.raise(&key, &Raise { seq, at, actions: action.bit(), include_history: false, again: None })?;
        }
        Ok(())
    }

    fn takers(&self, kind: ItemKind, every: bool) -> SmallVec<[ConnectorId; 8]> {
        self.connectors
            .iter()
            .filter(|(_, row)| row.enabled && !row.removed && row.every == every && row.items.contains(&kind))
            .map(|(id, _)| *id)
            .collect()
    }
}
