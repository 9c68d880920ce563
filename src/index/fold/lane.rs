//! Lanes: what raises a delivery, and when its lane is due.

use sleeksync_connectors::contract::{ItemId, Time};

use super::Fold;
use crate::index::key;
use crate::index::row::{DormantRow, DutyRow, LaneRow, ParkedRow};
use crate::index::rows::RowsError;
use crate::record::{Again, ConnectorId, DutyKey, ParkClass};

/// How many deliveries of a lane are looked at for when it is due; later ones follow when these are done.
pub(super) const LANE_HEAD_MAX: usize = 64;

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
        let parked = self.connectors.iter().any(|(id, row)| *id == key.connector && row.parked > 0);
        if parked && let Some(id) = self.rows.get::<u64>(&key::parked_of(key))? {
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
        let row_key = key::duty(key);
        let duty = match self.rows.get::<DutyRow>(&row_key)? {
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
        self.rows.put(row_key, &duty)?;
        self.schedule(key.connector, &key.lane(), raise.at)
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
        self.requeue(duty, at)
    }

    /// Puts a delivery that was parked or dormant into the queue.
    pub(super) fn requeue(&mut self, mut duty: DutyRow, at: Time) -> Result<(), RowsError> {
        duty.wait_until = None;
        self.connector_mut(duty.key.connector, |row| row.queued += 1);
        self.rows.put(key::duty(&duty.key), &duty)?;
        self.schedule(duty.key.connector, &duty.key.lane(), at)
    }

    pub(super) fn remove_parked(&mut self, parked: &ParkedRow) {
        self.rows.remove(key::parked(parked.duty.id));
        self.rows.remove(key::parked_of(&parked.duty.key));
        self.connector_mut(parked.duty.key.connector, |row| row.parked = row.parked.saturating_sub(1));
    }

    /// Sees to it that what was just put into a lane, and waits for nothing, is taken up at `at`.
    ///
    /// A lane that is backing off is not hastened by news; only an attempt moves it.
    pub(super) fn schedule(&mut self, connector: ConnectorId, lane: &ItemId, at: Time) -> Result<(), RowsError> {
        match self.rows.get::<LaneRow>(&key::lane(connector, lane))? {
            Some(row) if row.backing_off => Ok(()),
            Some(_) => self.reschedule(connector, lane, at, false),
            // Nothing else is in it.
            None => self.put_due(connector, lane, LaneRow { due: at, backing_off: false }),
        }
    }

    /// Sets when a lane is due after an attempt: at `at`, later where everything in it waits, never where nothing is in it.
    pub(super) fn reschedule(&mut self, connector: ConnectorId, lane: &ItemId, at: Time, backing_off: bool) -> Result<(), RowsError> {
        let lane_key = key::lane(connector, lane);
        if let Some(known) = self.rows.get::<LaneRow>(&lane_key)? {
            self.rows.remove(key::due(connector, known.due, lane));
        }
        let head = self.rows.scan::<DutyRow>(&key::lane_duties(connector, lane), LANE_HEAD_MAX)?;
        let Some(first) = head.iter().map(|(_, duty)| duty.wait_until.unwrap_or(Time::ZERO)).min() else {
            self.rows.remove(lane_key);
            return Ok(());
        };
        self.put_due(connector, lane, LaneRow { due: at.max(first), backing_off })
    }

    fn put_due(&mut self, connector: ConnectorId, lane: &ItemId, row: LaneRow) -> Result<(), RowsError> {
        self.rows.put(key::due(connector, row.due, lane), lane)?;
        self.rows.put(key::lane(connector, lane), &row)?;
        self.touch(connector);
        Ok(())
    }
}
