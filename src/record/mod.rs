//! Records: everything that ever happened, as it is written to the journal.
//!
//! A record explains itself: folding one needs no other record and no configuration. On disk it is one version byte, the record in postcard,
//! and for an event the raw body behind it, so that a body is never copied or parsed to be carried.

mod delivery;
mod event;
mod roster;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

pub use delivery::{
    Again, Attempt, Dropped, DutyKey, Intent, LinkChange, LinkRecord, Outcome, Owed, ParkClass, Parked, PlanRecord, Retried, Settled,
    SettledAs, Waiting, WaitingFor,
};
pub use event::{EventRecord, EventStatus, Mark};
pub use roster::{ConnectorId, Forgotten, Halt, Halted, Moved, Reset, Roster, RosterEntry, Since, Throttled};

/// Version of the encoding, the first byte of every record.
const VERSION: u8 = 1;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// A webhook was accepted; its body follows the record.
    Event(EventRecord),
    /// The configuration now names these connectors.
    Roster(Roster),
    /// A delivery was planned.
    Plan(PlanRecord),
    /// A step is about to be tried.
    Intent(Intent),
    /// A step was tried, and this came of it.
    Outcome(Outcome),
    /// A delivery ended, or its plan did.
    Settled(Settled),
    /// A delivery will not be tried again by itself.
    Parked(Parked),
    /// A person wants a parked delivery tried again.
    Retried(Retried),
    /// A person gave a parked delivery up.
    Dropped(Dropped),
    /// A delivery waits for something.
    Waiting(Waiting),
    /// A person wants items delivered again.
    Owed(Owed),
    /// A link was set or forgotten by hand.
    Link(LinkRecord),
    /// A connector was paused, braked or resumed.
    Halted(Halted),
    /// A service asked a connector to wait.
    Throttled(Throttled),
    /// A connector got another name or scope and keeps its links.
    Moved(Moved),
    /// A connector forgets its links and starts now.
    Reset(Reset),
    /// The queue of a connector that is no longer configured was dropped.
    Forgotten(Forgotten),
    /// A checkpoint was taken; marks and notes of before this time may go.
    Checkpoint {
        /// Nothing received later than this is forgotten.
        expire_before: sleeksync_connectors::contract::Time,
    },
}

/// Why a record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// It was written by another release.
    #[error("record version {0} is not known to this release")]
    Version(u8),
    /// Its checksum was right, yet it makes no sense.
    #[error("record does not decode")]
    Shape(#[source] postcard::Error),
    /// There is nothing.
    #[error("record is empty")]
    Empty,
}

impl Record {
    /// The bytes for the journal; `body` belongs to an event and is empty for all else.
    ///
    /// # Errors
    /// Never for records of this crate: every field has a postcard form.
    pub fn encode(&self, body: &[u8]) -> Result<Bytes, DecodeError> {
        let mut bytes = Vec::with_capacity(96 + body.len());
        bytes.push(VERSION);
        let mut bytes = postcard::to_extend(self, bytes).map_err(DecodeError::Shape)?;
        bytes.extend_from_slice(body);
        Ok(bytes.into())
    }

    /// The record and, for an event, its body.
    ///
    /// # Errors
    /// A record of another release, or one that makes no sense.
    pub fn decode(bytes: &[u8]) -> Result<(Record, &[u8]), DecodeError> {
        match bytes.split_first() {
            None => Err(DecodeError::Empty),
            Some((&VERSION, rest)) => postcard::take_from_bytes(rest).map_err(DecodeError::Shape),
            Some((version, _)) => Err(DecodeError::Version(*version)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sleeksync_connectors::contract::{Action, ItemId, ItemKind, ProductId, Time};

    #[test]
    fn an_event_keeps_its_body_byte_for_byte() {
        let record = Record::Event(EventRecord {
            received_at: Time::from_ms(2),
            at: Time::from_ms(1),
            status: EventStatus::Accepted,
            product: Some(ProductId(5_456_534_244)),
            action: Some(Action::ItemCreate),
            item: ItemId::top(ProductId(5_456_534_244), ItemKind::Feedback, "3"),
            mark: Some(Mark { digest: [1; 16], subject: [2; 16], only_newest: false }),
        });
        let bytes = record.encode(b"{\"a\": 1}").unwrap();
        let (read, body) = Record::decode(&bytes).unwrap();
        assert_eq!((read, body), (record, &b"{\"a\": 1}"[..]));
    }

    #[test]
    fn a_record_of_another_release_is_refused() {
        assert!(matches!(Record::decode(&[9, 0]), Err(DecodeError::Version(9))));
    }
}
