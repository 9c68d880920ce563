//! What the receiver hands its arrivals to: answers once an event is on disk, and says so when it cannot be.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::admin::Desk;
use crate::journal::AppendError;
use crate::receiver::{Intake, Readiness, Refused};
use crate::sleekplan::{Arrival, Receipt};

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
}

impl Intake for Gate {
    async fn take(&self, arrival: Arrival) -> Result<Receipt, Refused> {
        if self.closed.is_cancelled() {
            return Err(Refused::ShuttingDown);
        }
        let taken = self.desk.shared.accept(arrival).await;
        self.desk.note_room(taken != Err(AppendError::NoRoom));
        match taken {
            Ok(receipt) => Ok(receipt),
            Err(AppendError::NoRoom) => Err(Refused::NoRoom),
            Err(AppendError::Busy) => Err(Refused::Busy),
            Err(AppendError::Closed) => Err(Refused::ShuttingDown),
            Err(AppendError::Size { .. } | AppendError::Poisoned) => Err(Refused::Failed),
        }
    }

    fn ready(&self) -> Readiness {
        if self.closed.is_cancelled() { Readiness::ShuttingDown } else { self.desk.readiness() }
    }

    fn refused(&self) {
        self.desk.count_refused();
    }
}
