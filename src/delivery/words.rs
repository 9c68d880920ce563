//! What deliveries write down, and the writing of what came of many lanes at once.

use std::time::Duration;

use sleeksync_connectors::contract::ItemId;

use super::Shared;
use crate::crash;
use crate::journal::{AppendError, Entry, Room, Seq};
use crate::record::Record;

/// Pause before an outcome is written again where there was no room.
const ROOM_PAUSE: Duration = Duration::from_secs(1);
/// How long the next is waited for where losing what came of lanes means no more than doing it again: each write is synced, and costs as much
/// for one lane as for many.
const GATHER: Duration = Duration::from_millis(5);
/// Bytes of several lanes that are written as one append at most.
const TOGETHER_BYTES: usize = 1 << 20;

/// Records of deliveries as they go into the journal: all or none.
#[derive(Debug, Default)]
pub(super) struct Words {
    entries: Vec<Entry>,
    bytes: usize,
    tells: bool,
    intends: bool,
    /// The connector is halted or throttled by these.
    pub stops: bool,
}

/// A lane that asks nothing of the service any more.
#[derive(Debug)]
pub(super) struct Ended {
    pub lane: ItemId,
    /// So many look-ups found nothing so far.
    pub looks: usize,
    /// The last record that was written down.
    pub written: Seq,
    /// What is still to be.
    pub words: Words,
}

impl Words {
    pub(super) fn of(records: &[Record]) -> Result<Self, AppendError> {
        let entries = super::entries(records)?;
        Ok(Self {
            bytes: entries.iter().map(|entry| entry.bytes.len()).sum(),
            entries,
            tells: records.iter().any(|record| matches!(record, Record::Outcome(_))),
            intends: records.iter().any(|record| matches!(record, Record::Intent(_))),
            stops: records.iter().any(|record| matches!(record, Record::Halted(_) | Record::Throttled(_))),
        })
    }

    fn extend(&mut self, mut other: Self) {
        self.entries.append(&mut other.entries);
        self.bytes += other.bytes;
        self.tells |= other.tells;
        self.intends |= other.intends;
    }

    /// Appends; durable on return. The number is that of the last record.
    ///
    /// An intent must be on disk before its request leaves, so without room it is not begun. An outcome is known now and must not be lost: it
    /// is written as soon as there is room. What is neither may be found out again, and leaves the reserve to these.
    pub(super) async fn write_down(self, shared: &Shared) -> Result<Seq, AppendError> {
        let crash_at = |on: bool, name| {
            if on {
                crash::point(name);
            }
        };
        crash_at(self.tells, "outcome.before");
        crash_at(self.intends, "intent.before");
        let room = if self.tells || self.intends { Room::Reserve } else { Room::Normal };
        let seq = loop {
            match super::append_entries(&shared.journal, &self.entries, room).await {
                Err(AppendError::NoRoom | AppendError::Busy) if self.tells => tokio::time::sleep(ROOM_PAUSE).await,
                other => break other?,
            }
        };
        crash_at(self.tells, "outcome.after");
        crash_at(self.intends, "intent.after");
        Ok(seq)
    }
}

/// Writes down what came of these lanes, and says up to which record the index has to know each before it is taken up again.
///
/// Lanes whose words could not be written are taken up again after a pause.
pub(super) async fn write_down(shared: &Shared, ended: Vec<Ended>) -> Vec<(ItemId, Seq)> {
    // Without an intent, all of it may be done again.
    let pause = if ended.iter().all(|lane| lane.written == Seq(0)) { GATHER } else { Duration::ZERO };
    let mut written = Vec::with_capacity(ended.len());
    let (telling, others): (Vec<_>, Vec<_>) = ended.into_iter().partition(|lane| lane.words.tells);
    for lanes in [telling, others] {
        let mut lanes = lanes.into_iter().peekable();
        while lanes.peek().is_some() {
            let (mut words, from) = (Words::default(), written.len());
            while let Some(lane) = lanes.next_if(|lane| words.bytes == 0 || words.bytes + lane.words.bytes <= TOGETHER_BYTES) {
                words.extend(lane.words);
                written.push((lane.lane, lane.written));
            }
            if words.entries.is_empty() {
                continue;
            }
            match words.write_down(shared).await {
                Ok(seq) => written.iter_mut().skip(from).for_each(|(_, last)| *last = seq),
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, "lanes are taken up again");
                    shared.pause().await;
                }
            }
        }
    }
    tokio::time::sleep(pause).await;
    written
}
