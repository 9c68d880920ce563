//! Lanes: what raises a delivery, and when its lane is due.

use sleeksync_connectors::contract::{ItemId, Time};

use super::Fold;
use crate::index::key;
use crate::index::row::{DormantRow, DutyRow, LaneRow, ParkedRow};
use crate::index::rows::RowsError;
use crate::record::{Again, ConnectorId, DutyKey, ParkClass};

/// How many deliveries of a lane are looked at for when it is due; later ones follow when these are done.
const LANE_HEAD_MAX: usize = 64;

/// What raises a delivery.
pub(super) struct Raise {
    /// The record that does.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// Its action as a bit; 0 where there is none.
    pub actions: u32,
    /// History may be made new.
    pub include_history: bool,
    /// What a person wants written again of what stands already.
    pub again: Option<Again>,
}

impl Raise {
    fn onto(&self, duty: &mut DutyRow) {
        duty.target = self.seq;
        // Which events may make something new is no question where a person asked for the item.
        duty.actions = if self.again == Some(Again::All) { 0 } else { duty.actions | self.actions };
        duty.include_history |= self.include_history;
        duty.again = duty.again.max(self.again);
        duty.wait_until = None;
    }

    fn fresh(&self, key: &DutyKey, id: u64) -> DutyRow {
        DutyRow {
            key: key.clone(),
            id,
            target: self.seq,
            since: self.at,
            actions: self.actions,
            include_history: self.include_history,
            again: self.again,
            attempts: 0,
            failing_since: None,
            last_error: None,
            wait_until: None,
            open: None,
        }
    }
}

impl Fold<'_> {
    /// Makes a delivery owed, or raises what it has to bring. Where it is parked or dormant depends on why.
    pub(super) fn raise(&mut self, key: &DutyKey, raise: &Raise) -> Result<(), RowsError> {
        if let Some(id) = self.rows.get::<u64>(&key::parked_of(key))? {
            return self.raise_parked(id, raise);
        }
        if let Some(for_item) = self.rows.get::<ItemId>(&key::dormant_of(key))? {
            let row_key = key::dormant(key, &for_item);
            if let Some(mut row) = self.rows.get::<DormantRow>(&row_key)? {
                raise.onto(&mut row.duty);
                self.rows.put(row_key, &row)?;
            }
            return Ok(());
        }
        let duty = match self.rows.get::<DutyRow>(&key::duty(key))? {
            Some(mut duty) => {
                raise.onto(&mut duty);
                duty
            }
            None => {
                self.connector_mut(key.connector, |row| row.queued += 1);
                self.meta.last_duty += 1;
                raise.fresh(key, self.meta.last_duty)
            }
        };
        self.rows.put(key::duty(key), &duty)?;
        self.schedule(key.connector, &key.lane(), raise.at, false)
    }

    /// Newer state supersedes what was refused. What may have happened, or was undone at the service, stays a person's to decide.
    fn raise_parked(&mut self, id: u64, raise: &Raise) -> Result<(), RowsError> {
        let Some(mut parked) = self.rows.get::<ParkedRow>(&key::parked(id))? else { return Ok(()) };
        raise.onto(&mut parked.duty);
        if parked.class == ParkClass::OutcomeUnknown || (parked.class == ParkClass::TargetGone && raise.again != Some(Again::All)) {
            return self.rows.put(key::parked(id), &parked);
        }
        self.unpark(parked, raise.at)
    }

    /// Brings a parked delivery back into the queue, to be planned anew.
    pub(super) fn unpark(&mut self, parked: ParkedRow, at: Time) -> Result<(), RowsError> {
        self.remove_parked(&parked);
        let mut duty = parked.duty;
        duty.attempts = 0;
        duty.failing_since = None;
        duty.open = None;
        self.requeue(&duty, at)
    }

    /// Puts a delivery that was parked or dormant into the queue.
    pub(super) fn requeue(&mut self, duty: &DutyRow, at: Time) -> Result<(), RowsError> {
        let key = &duty.key;
        self.connector_mut(key.connector, |row| row.queued += 1);
        self.rows.put(key::duty(key), duty)?;
        self.schedule(key.connector, &key.lane(), at, false)
    }

    pub(super) fn remove_parked(&mut self, parked: &ParkedRow) {
        self.rows.remove(key::parked(parked.duty.id));
        self.rows.remove(key::parked_of(&parked.duty.key));
        self.connector_mut(parked.duty.key.connector, |row| row.parked = row.parked.saturating_sub(1));
    }

    /// Sets when a lane is due: at `at`, later where everything in it waits, never where nothing is in it.
    ///
    /// A lane that is backing off is not hastened by news; only an attempt (`by_attempt`) moves it.
    pub(super) fn schedule(&mut self, connector: ConnectorId, lane: &ItemId, at: Time, backing_off: bool) -> Result<(), RowsError> {
        let known: Option<LaneRow> = self.rows.get(&key::lane(connector, lane))?;
        if !backing_off && known.as_ref().is_some_and(|row| row.backing_off) {
            return Ok(());
        }
        self.reschedule(connector, lane, at, backing_off)
    }

    /// The same after an attempt: whatever held before is over.
    pub(super) fn reschedule(&mut self, connector: ConnectorId, lane: &ItemId, at: Time, backing_off: bool) -> Result<(), RowsError> {
        let lane_key = key::lane(connector, lane);
        let duties = key::lane_duties(connector, lane);
        let head = match self.rows.get::<LaneRow>(&lane_key)? {
            Some(known) => {
                self.rows.remove(key::due(connector, known.due, lane));
                self.rows.scan::<DutyRow>(&duties, LANE_HEAD_MAX)?
            }
            // A lane without a row had no duties before these records.
            None => self.rows.scan_fresh::<DutyRow>(&duties, LANE_HEAD_MAX)?,
        };
        let Some(first) = head.iter().map(|(_, duty)| duty.wait_until.unwrap_or(Time::ZERO)).min() else {
            self.rows.remove(lane_key);
            return Ok(());
        };
        let row = LaneRow { due: at.max(first), backing_off };
        self.rows.put(key::due(connector, row.due, lane), lane)?;
        self.rows.put(lane_key, &row)?;
        self.touch(connector);
        Ok(())
    }
}
