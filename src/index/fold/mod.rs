//! The fold: (rows, record) -> rows. Pure: it reads no clock, no configuration and no network, so that a rebuilt index equals the live one.

mod connector;
mod delivery;
mod event;
mod item;
mod lane;

use crate::index::key;
use crate::index::row::MetaRow;
use crate::index::rows::{Overlay, RowsError};
use crate::record::{ConnectorId, Record};

/// Version of the fold: an index folded by another one is rebuilt.
pub const VERSION: u32 = 1;

/// Folds records one after the other into an overlay.
pub struct Fold<'a> {
    rows: Overlay<'a>,
    meta: MetaRow,
    connectors: Vec<(ConnectorId, crate::index::row::ConnectorRow)>,
    touched: Vec<ConnectorId>,
}

impl<'a> Fold<'a> {
    /// Over these rows.
    ///
    /// # Errors
    /// The storage failed.
    pub fn new(rows: Overlay<'a>) -> Result<Self, RowsError> {
        let meta = rows.get(&key::meta())?.unwrap_or_default();
        let connectors = connector::load(&rows)?;
        Ok(Self { rows, meta, connectors, touched: Vec::new() })
    }

    /// Number of the last folded record.
    pub fn folded(&self) -> u64 {
        self.meta.folded
    }

    /// Folds record number `seq`; `body` is an event's. One that was folded before has no effect.
    ///
    /// # Errors
    /// The storage failed.
    pub fn apply(&mut self, seq: u64, record: &Record, body: &[u8]) -> Result<(), RowsError> {
        if seq <= self.meta.folded {
            return Ok(());
        }
        match record {
            Record::Event(event) => self.event(seq, event, body)?,
            Record::Roster(roster) => self.roster(seq, roster)?,
            Record::Plan(plan) => self.plan(seq, plan)?,
            Record::Intent(intent) => self.intent(seq, intent)?,
            Record::Outcome(outcome) => self.outcome(seq, outcome)?,
            Record::Settled(settled) => self.settled(settled)?,
            Record::Parked(parked) => self.parked(parked)?,
            Record::Retried(retried) => self.retried(retried)?,
            Record::Dropped(dropped) => self.dropped(seq, dropped)?,
            Record::Waiting(waiting) => self.waiting(waiting)?,
            Record::Owed(owed) => self.owed(seq, owed)?,
            Record::Link(link) => self.link_by_hand(seq, link)?,
            Record::Halted(halted) => self.halted(halted),
            Record::Throttled(throttled) => self.throttled(throttled),
            Record::Moved(moved) => self.moved(moved)?,
            Record::Reset(reset) => self.reset(reset)?,
            Record::Forgotten(forgotten) => self.drop_queue(forgotten.connector)?,
            Record::Checkpoint { expire_before } => self.expire(*expire_before)?,
        }
        self.meta.folded = seq;
        Ok(())
    }

    /// The changed rows, and the connectors that may have something to do.
    ///
    /// # Errors
    /// A row does not encode.
    pub fn finish(mut self) -> Result<(super::rows::Changes, Vec<ConnectorId>), RowsError> {
        self.rows.put(key::meta(), &self.meta)?;
        for (id, row) in &self.connectors {
            self.rows.put(key::connector(*id), row)?;
        }
        self.touched.sort_unstable();
        self.touched.dedup();
        Ok((self.rows.into_changes(), self.touched))
    }

    fn touch(&mut self, connector: ConnectorId) {
        if self.touched.last() != Some(&connector) {
            self.touched.push(connector);
        }
    }
}
