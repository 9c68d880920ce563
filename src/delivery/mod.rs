//! Delivery: what is owed becomes requests, each exactly as often as it may.
//!
//! The decisions are pure (`run`, `verdict`); the rest carries them out. Only this module retries, sleeps or gives up.

mod backoff;
mod health;
mod lane;
#[cfg(test)]
mod model;
mod pace;
mod prepare;
mod run;
mod verdict;
mod words;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use sleeksync_connectors::contract::{AnyConnector, Cause, Cx, Failure, ItemId, Links, RemoteKey, Scope};

pub use backoff::Backoff;
pub use health::Health;
pub use pace::{Pace, Paced};
pub use run::Policy;
pub use verdict::{Filter, Known, Verdict, all_steps, is_new, judge, renders_anew};

use crate::clock::Clock;
use crate::index::Index;
use crate::journal::{self, AppendError, Appended, Entry, Identity, Journal, Room, Seq};
use crate::record::{EventStatus, Record};
use crate::sleekplan::products::Products;
use crate::sleekplan::{Arrival, Receipt};
use crate::supervisor::Supervisor;
use pace::Timed;
use worker::Worker;

/// How much longer than one request a step may take.
const STEP_GRACE: Duration = Duration::from_secs(5);

/// One connector and how it is to be driven.
pub struct Assignment {
    /// The user's name for it.
    pub name: String,
    /// The instance.
    pub connector: Arc<dyn AnyConnector>,
    /// Sends its requests, at its pace.
    pub transport: Paced,
    /// Which items it takes.
    pub filter: Filter,
    /// How it is tried again.
    pub policy: Policy,
    /// Lanes in flight at once.
    pub concurrency: usize,
    /// How long one request may take.
    pub timeout: Duration,
    /// New objects an hour before the brake; 0 for no brake.
    pub max_creates_per_hour: u32,
    /// Plans, sends nothing.
    pub dry_run: bool,
    /// How it is doing.
    pub health: Health,
}

impl Assignment {
    /// How long one step may take before its outcome counts as unknown: a little longer than a request, whose own limit comes first.
    pub fn step_limit(&self) -> Duration {
        self.timeout + STEP_GRACE
    }

    /// Proves the credentials, at the connector's pace; its waits for a turn are no part of the time.
    ///
    /// # Errors
    /// As [`proved`].
    pub async fn proved(&self, shared: &Shared) -> Result<(), Failure> {
        let timed = Timed::new(&self.transport, &shared.supervisor, false);
        let cx = Cx { transport: &timed, links: &Links::default(), now: shared.clock.now() };
        lane::guarded(&timed, self.step_limit(), self.connector.check(&cx)).await
    }
}

/// What all workers share.
pub struct Shared {
    /// What happened.
    pub journal: Arc<Journal>,
    /// What is known.
    pub index: Index,
    /// Tells the time.
    pub clock: Clock,
    /// Signs markers.
    pub identity: Identity,
    /// The workspaces.
    pub products: Arc<Products>,
    /// Ends it all.
    pub supervisor: Supervisor,
}

/// Proves a connector's credentials, within the time of one step.
///
/// # Errors
/// What the connector says, or that it said nothing in time.
pub async fn proved(connector: &dyn AnyConnector, cx: &Cx<'_>, timeout: Duration) -> Result<(), Failure> {
    let late = || Err(Failure::Unknown { retry_after: None, source: Cause::new("no answer in time") });
    tokio::time::timeout(timeout + STEP_GRACE, connector.check(cx)).await.unwrap_or_else(|_| late())
}

impl Shared {
    /// Appends an event unless an equal one is known; durable on return.
    ///
    /// # Errors
    /// The journal took nothing.
    pub async fn accept(&self, arrival: Arrival) -> Result<Receipt, AppendError> {
        if let Some(seq) = self.duplicate_of(&arrival) {
            return Ok(Receipt::Duplicate(seq));
        }
        let Arrival { body, event } = self.of_our_product(arrival)?;
        let mark = event.mark.map(|mark| journal::Mark { digest: mark.digest, subject: mark.subject, only_newest: mark.only_newest });
        let receipt = Receipt::of(&event.status);
        let bytes = Record::Event(event).encode(&body).map_err(|_| AppendError::Closed)?;
        let appended = self.journal.append(&[Entry { bytes, mark }], Room::Normal);
        // Nothing of the event is needed while it is waited for.
        drop(body);
        match appended.await? {
            Appended::Stored(seq) => Ok(receipt(seq.0)),
            Appended::Duplicate(seq) => Ok(Receipt::Duplicate(seq.0)),
        }
    }

    /// The arrival as it is to be kept: of two products' first events only one can be of ours, where its id was not known when they were read.
    fn of_our_product(&self, arrival: Arrival) -> Result<Arrival, AppendError> {
        let (EventStatus::Accepted, Some(product)) = (&arrival.event.status, arrival.event.product) else { return Ok(arrival) };
        if let Err(error) = self.products.note_first(product) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                product = product.0,
                "the first event's product cannot be written down"
            );
            return Err(AppendError::NoRoom);
        }
        if self.products.admit(product) {
            return Ok(arrival);
        }
        Ok(Arrival::read(arrival.body, arrival.event.received_at, &self.products))
    }

    /// An equal event that the index knows. What it does not know yet, the committer does.
    pub fn duplicate_of(&self, arrival: &Arrival) -> Option<u64> {
        self.index.view().ok()?.duplicate_of(arrival.event.mark.as_ref()?).ok()?
    }

    /// Appends records as one group; durable on return. The number is that of the last.
    ///
    /// # Errors
    /// The journal took nothing.
    pub async fn append(&self, records: &[Record], room: Room) -> Result<Seq, AppendError> {
        append(&self.journal, records, room).await
    }

    /// By what the object of an item can be found again: signed with the scope, so that a copy elsewhere is not taken for it.
    pub fn key(&self, scope: &Scope, item: &ItemId) -> RemoteKey {
        let parent = item.parent().map(|parent| format!("{}-", parent.id())).unwrap_or_default();
        let key = format!("sp-{}-{}-{parent}{}", item.product(), item.kind(), item.id());
        let signature = self.identity.sign(&format!("{scope}\n{key}"));
        RemoteKey::new(key, signature)
    }
}

/// Appends records that are no events as one group; durable on return. The number is that of the last.
///
/// # Errors
/// The journal took nothing.
pub async fn append(journal: &Journal, records: &[Record], room: Room) -> Result<Seq, AppendError> {
    append_entries(journal, &entries(records)?, room).await
}

/// Records that are no events, as the journal takes them.
fn entries(records: &[Record]) -> Result<Vec<Entry>, AppendError> {
    let entry = |record: &Record| record.encode(&[]).map(|bytes| Entry { bytes, mark: None });
    records.iter().map(entry).collect::<Result<_, _>>().map_err(|_| AppendError::Closed)
}

async fn append_entries(journal: &Journal, entries: &[Entry], room: Room) -> Result<Seq, AppendError> {
    let count = entries.len() as u64;
    match journal.append(entries, room).await? {
        Appended::Stored(first) | Appended::Duplicate(first) => Ok(Seq(first.0 + count.saturating_sub(1))),
    }
}

/// Starts the worker of one configured connector, which ends with the supervisor.
///
/// # Errors
/// The system has no thread left for it, or no descriptors.
pub fn start(shared: &Arc<Shared>, assignment: Arc<Assignment>) -> std::io::Result<()> {
    let name = assignment.name.clone();
    let worker = Worker { shared: Arc::clone(shared), assignment };
    shared.supervisor.spawn_apart(&name, async move { worker.run().await })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sleeksync_connectors::contract::{Request, Response, Transport, TransportError};
    use sleeksync_connectors::registry;

    /// A service that never answers.
    struct Hanging;

    #[async_trait::async_trait]
    impl Transport for Hanging {
        async fn send(&self, _request: Request) -> Result<Response, TransportError> {
            std::future::pending().await
        }

        async fn fetch_untrusted(&self, _url: &url::Url) -> Result<Response, TransportError> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_of_a_service_that_never_answers_ends() {
        let settings = serde_json::json!({"repository": "acme/roadmap", "token": "t"});
        let connector = (registry::kind("github").unwrap().build)(settings).unwrap();
        let cx = Cx { transport: &Hanging, links: &Links::default(), now: crate::clock::Clock::system().now() };
        let failure = proved(&*connector, &cx, Duration::from_secs(30)).await.unwrap_err();
        assert_eq!((failure.class(), failure.cause().as_str()), ("unknown", "no answer in time"));
    }
}
