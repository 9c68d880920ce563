//! What the receiver hands its arrivals to: answers once an event is on disk, and says so when it cannot be.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use crate::admin::Desk;
use crate::journal::{AppendError, Appended, Entry, Room};
use crate::receiver::{Arrival, Intake, Readiness, Receipt, Refused, Status};
use crate::record::{EventRecord, EventStatus, Mark, Record};

/// The way of an event into the journal.
pub struct Gate {
    desk: Arc<Desk>,
    closed: CancellationToken,
}

impl Gate {
    /// An open gate.
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { desk, closed: CancellationToken::new() }
    }

    /// Refuses everything from now on.
    pub fn close(&self) {
        self.closed.cancel();
    }

    /// An equal event that the index knows. What it does not know yet, the committer does.
    fn duplicate_of(&self, mark: &Mark) -> Option<u64> {
        self.desk.shared.index.view().ok()?.duplicate_of(mark).ok()?
    }
}

#[async_trait]
impl Intake for Gate {
    async fn take(&self, arrival: Arrival) -> Result<Receipt, Refused> {
        if self.closed.is_cancelled() {
            return Err(Refused::ShuttingDown);
        }
        let mark = arrival.mark;
        if let Some(seq) = mark.as_ref().and_then(|mark| self.duplicate_of(mark)) {
            return Ok(Receipt::Duplicate(seq));
        }
        let (status, product, action, item) = match arrival.status {
            Status::Accepted { product, action, item } => (EventStatus::Accepted, Some(product), Some(action), Some(item)),
            Status::Unrecognised { reason, product } => (EventStatus::Unrecognised(reason), product, None, None),
            Status::Quarantined => (EventStatus::Quarantined, None, None, None),
        };
        let receipt: fn(u64) -> Receipt = match status {
            EventStatus::Accepted => Receipt::Accepted,
            EventStatus::Unrecognised(_) => Receipt::Unrecognised,
            EventStatus::Quarantined => Receipt::Quarantined,
        };
        let record =
            Record::Event(EventRecord { received_at: arrival.received_at, at: arrival.effective_at, status, product, action, item, mark });
        let bytes = record.encode(&arrival.body).map_err(|_| Refused::Failed)?;
        let mark = mark.map(|mark| crate::journal::Mark { digest: mark.digest, subject: mark.subject, only_newest: mark.only_newest });
        match self.desk.shared.journal.append(vec![Entry { bytes, mark }], Room::Normal).await {
            Ok(Appended::Stored(seq)) => Ok(receipt(seq.0)),
            Ok(Appended::Duplicate(seq)) => Ok(Receipt::Duplicate(seq.0)),
            Err(AppendError::NoRoom) => Err(Refused::NoRoom),
            Err(AppendError::Busy) => Err(Refused::Busy),
            Err(AppendError::Closed) => Err(Refused::ShuttingDown),
            Err(AppendError::Size { .. } | AppendError::Poisoned) => Err(Refused::Failed),
        }
    }

    fn ready(&self) -> Readiness {
        if self.closed.is_cancelled() {
            Readiness::ShuttingDown
        } else if self.desk.shared.journal.is_poisoned() {
            Readiness::Failed
        } else {
            Readiness::Ready
        }
    }

    fn refused(&self) {
        self.desk.count_refused();
    }
}
