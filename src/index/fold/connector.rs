//! Folding connectors: who there is, since when, and what a person decided about them.

use sleeksync_connectors::contract::Time;

use super::Fold;
use crate::index::key::{self, Key};
use crate::index::row::{ConnectorRow, DormantRow, DutyRow, ItemRow, LinkRow, ParkedRow, StandingRow};
use crate::index::rows::{Overlay, RowsError, decode};
use crate::record::{ConnectorId, DutyKey, Halt, Halted, Moved, Reset, Roster, RosterEntry, Since, Throttled};

use super::lane::Raise;

/// How many connectors an index can know.
const CONNECTORS_MAX: usize = 4096;
/// How many stretches of being switched off are told apart; the oldest merge.
const GAPS_MAX: usize = 64;
/// How many rows one checkpoint's sweep looks at: several times what is written between two checkpoints.
const SWEEP_ROWS: usize = 400_000;
/// Rows read at once while sweeping.
const SWEEP_PAGE: usize = 1024;

pub(super) fn load(rows: &Overlay<'_>) -> Result<Vec<(ConnectorId, ConnectorRow)>, RowsError> {
    let rows = rows.scan::<ConnectorRow>(&key::connectors(), CONNECTORS_MAX)?;
    Ok(rows
        .into_iter()
        .filter_map(|(key, row)| {
            let id: [u8; 2] = key.get(1..3)?.try_into().ok()?;
            Some((ConnectorId(u16::from_be_bytes(id)), row))
        })
        .collect())
}

impl Fold<'_> {
    pub(super) fn connector_mut(&mut self, id: ConnectorId, change: impl FnOnce(&mut ConnectorRow)) {
        if let Some((_, row)) = self.connectors.iter_mut().find(|(known, _)| *known == id) {
            change(row);
        }
    }

    /// One that repeats the last changes nothing: where nobody knew whether it does, it may be written.
    pub(super) fn roster(&mut self, seq: u64, roster: &Roster) -> Result<(), RowsError> {
        self.rows.put(key::roster(), roster)?;
        for (_, row) in &mut self.connectors {
            if !roster.connectors.iter().any(|entry| entry.name == row.name) {
                row.removed = true;
                row.off_since.get_or_insert(roster.at);
            }
        }
        for entry in &roster.connectors {
            match self.connectors.iter().position(|(_, row)| row.name == entry.name) {
                None => self.appear(entry, roster.at),
                Some(place) => self.reappear(seq, place, entry, roster.at)?,
            }
        }
        Ok(())
    }

    fn appear(&mut self, entry: &RosterEntry, at: Time) {
        let id = ConnectorId(self.meta.next_connector);
        self.meta.next_connector += 1;
        let row = ConnectorRow {
            name: entry.name.clone(),
            kind: entry.kind.clone(),
            scope: entry.scope.clone(),
            moved_to: None,
            every: entry.every,
            items: entry.items.clone(),
            enabled: entry.enabled,
            removed: false,
            start: start_of(entry.since, at),
            gaps: Vec::new(),
            off_since: (!entry.enabled).then_some(at),
            halt: Halt::No,
            halt_why: String::new(),
            unbraked_upto: 0,
            throttled_until: None,
            look_first: false,
            creates: Vec::new(),
            queued: 0,
            parked: 0,
            delivered: 0,
            skipped: 0,
            last_success_at: None,
            last_error: None,
        };
        self.connectors.push((id, row));
        self.touch(id);
    }

    fn reappear(&mut self, seq: u64, place: usize, entry: &RosterEntry, at: Time) -> Result<(), RowsError> {
        let Some((id, row)) = self.connectors.get_mut(place) else { return Ok(()) };
        let id = *id;
        let was_off = row.off_since;
        row.kind.clone_from(&entry.kind);
        row.every = entry.every;
        row.items.clone_from(&entry.items);
        row.enabled = entry.enabled;
        row.removed = false;
        row.moved_to = (row.scope != entry.scope).then(|| entry.scope.clone());
        // "The moment it first ran" was fixed when it first appeared; a date given later replaces it.
        if entry.since != Since::FirstRun {
            row.start = start_of(entry.since, at);
        }
        row.off_since = (!entry.enabled).then(|| was_off.unwrap_or(at));
        self.touch(id);
        match was_off {
            Some(off) if entry.enabled => self.catch_up(seq, id, off, at),
            _ => Ok(()),
        }
    }

    /// Switched on again: what has a link follows its item, what was made in between is history.
    fn catch_up(&mut self, seq: u64, id: ConnectorId, off: Time, at: Time) -> Result<(), RowsError> {
        let mut every = false;
        self.connector_mut(id, |row| {
            row.gaps.push((off, at));
            if row.gaps.len() > GAPS_MAX {
                let (from, _) = row.gaps.remove(0);
                if let Some(first) = row.gaps.first_mut() {
                    first.0 = from;
                }
            }
            every = row.every;
        });
        if every {
            return Ok(());
        }
        let mut last = None;
        for (_, link) in self.rows.scan::<LinkRow>(&key::links(id), usize::MAX)? {
            if last.as_ref() == Some(&link.item) {
                continue;
            }
            let missed = self.rows.get::<ItemRow>(&key::item(&link.item))?.is_some_and(|item| item.received_at >= off);
            if missed {
                let key = DutyKey { connector: id, item: link.item.clone(), event: None };
                self.raise(&key, &Raise { seq, at, actions: 0, include_history: false, again: None })?;
            }
            last = Some(link.item);
        }
        Ok(())
    }

    pub(super) fn halted(&mut self, halted: &Halted) {
        let last_duty = self.meta.last_duty;
        self.connector_mut(halted.connector, |row| {
            row.halt = halted.halt;
            row.halt_why.clone_from(&halted.why);
            if halted.halt == Halt::No {
                row.creates.clear();
            }
            if halted.all {
                row.unbraked_upto = last_duty;
            }
        });
        self.touch(halted.connector);
    }

    pub(super) fn throttled(&mut self, throttled: &Throttled) {
        self.connector_mut(throttled.connector, |row| row.throttled_until = row.throttled_until.max(Some(throttled.until)));
        self.touch(throttled.connector);
    }

    pub(super) fn moved(&mut self, moved: &Moved) -> Result<(), RowsError> {
        // A row that only holds the new name, made when the configuration was read before the move, gives way to the one with the links.
        let holder = self.connectors.iter().find(|(id, row)| *id != moved.connector && row.name == moved.name).map(|(id, _)| *id);
        if let Some(holder) = holder {
            self.drop_queue(holder)?;
            self.connectors.retain(|(id, _)| *id != holder);
            self.rows.remove(key::connector(holder));
            // Who works under the name goes on as the other one.
            self.touch(holder);
        }
        self.connector_mut(moved.connector, |row| {
            row.name.clone_from(&moved.name);
            row.scope.clone_from(&moved.scope);
            row.moved_to = None;
            row.removed = false;
            row.look_first = true;
        });
        self.touch(moved.connector);
        Ok(())
    }

    pub(super) fn reset(&mut self, reset: &Reset) -> Result<(), RowsError> {
        self.drop_queue(reset.connector)?;
        self.remove_all::<LinkRow>(&key::links(reset.connector))?;
        self.remove_all::<StandingRow>(&key::standings(reset.connector))?;
        self.connector_mut(reset.connector, |row| {
            row.scope = reset.scope.clone();
            row.moved_to = None;
            row.start = reset.at;
            row.gaps.clear();
            row.look_first = false;
        });
        self.touch(reset.connector);
        Ok(())
    }

    /// Drops everything a connector owes, waits for or has parked. Its links stay.
    pub(super) fn drop_queue(&mut self, id: ConnectorId) -> Result<(), RowsError> {
        for (_, parked) in self.rows.scan::<ParkedRow>(&key::all_parked(), usize::MAX)? {
            if parked.duty.key.connector == id {
                self.remove_parked(&parked);
            }
        }
        for (raw, row) in self.rows.scan::<DormantRow>(&key::dormants(id), usize::MAX)? {
            self.rows.remove(raw);
            self.rows.remove(key::dormant_of(&row.duty.key));
        }
        self.remove_all::<DutyRow>(&key::duties(id))?;
        self.remove_all::<sleeksync_connectors::contract::ItemId>(&key::all_creating(id))?;
        self.remove_all::<crate::index::row::LaneRow>(&key::lanes(id))?;
        self.remove_all::<sleeksync_connectors::contract::ItemId>(&key::timetable(id))?;
        self.connector_mut(id, |row| row.queued = 0);
        Ok(())
    }

    fn remove_all<T: serde::de::DeserializeOwned>(&mut self, prefix: &Key) -> Result<(), RowsError> {
        for (raw, _) in self.rows.scan::<T>(prefix, usize::MAX)? {
            self.rows.remove(raw);
        }
        Ok(())
    }

    /// Forgets marks and notes that were received before `before`, a bounded number of rows at a time.
    pub(super) fn expire(&mut self, before: Time) -> Result<(), RowsError> {
        let mut after = std::mem::take(&mut self.meta.swept);
        for _ in 0..SWEEP_ROWS / SWEEP_PAGE {
            let letter = after.first().copied().unwrap_or(key::EXPIRING[0]);
            let page = self.rows.scan_after(&[letter], &after, SWEEP_PAGE)?;
            for (key, row) in &page {
                if received_at(letter, row)?.is_some_and(|at| at < before) {
                    self.rows.remove(key.as_slice().into());
                }
            }
            match page.last() {
                Some((key, _)) => after.clone_from(key),
                None => match key::EXPIRING.iter().position(|known| *known == letter).and_then(|place| key::EXPIRING.get(place + 1)) {
                    Some(next) => after = vec![*next],
                    None => {
                        after.clear();
                        break;
                    }
                },
            }
        }
        self.meta.swept = after;
        Ok(())
    }
}

fn start_of(since: Since, at: Time) -> Time {
    match since {
        Since::FirstRun => at,
        Since::At(start) => start,
        Since::All => Time::ZERO,
    }
}

/// When the event behind an expiring row arrived. How an item's last delivery ended is kept as long as the item.
fn received_at(letter: u8, row: &[u8]) -> Result<Option<Time>, RowsError> {
    Ok(match letter {
        b'D' => Some(decode::<(u64, Time)>(row)?.1),
        b'S' => Some(decode::<([u8; 16], u64, Time)>(row)?.2),
        b'X' => Some(decode::<crate::index::row::StaleRow>(row)?.received_at),
        _ => {
            let standing = decode::<StandingRow>(row)?;
            standing.event.then_some(standing.at)
        }
    })
}
