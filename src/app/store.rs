//! The open store: journal, identity, index, and the desk over them. The daemon has one, and so has the command line when no daemon runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sleeksync_connectors::contract::Transport;

use crate::admin::Desk;
use crate::clock::Clock;
use crate::config::Config;
use crate::delivery::{self, Assignment, Shared};
use crate::index::{self, Index};
use crate::journal::{AppendError, FirstProduct, FirstProductError, Identity, IdentityError, Journal, OpenError, Options, Room};
use crate::record::{Record, Roster};
use crate::sleekplan::products::Products;
use crate::supervisor::Supervisor;

use super::staff;

/// Records between two checkpoints: few where the crash loop is to die in the middle of many.
const CHECKPOINT_RECORDS: u64 = if cfg!(feature = "crash-points") { 200 } else { 100_000 };
/// Rows of a checkpoint for each record since the one before: more would cost more than folding does, as the store grows.
const CHECKPOINT_ROWS_PER_RECORD: u64 = if cfg!(feature = "crash-points") { u64::MAX } else { 2 };
/// How long to wait before another try where the disk has no room for the roster, or the system no thread for a connector.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// How long a start waits for the index to tell which roster was written last.
const INDEX_PATIENCE: Duration = Duration::from_millis(500);
/// How long the records of steps that have ended may take to be written.
const RECORD_PATIENCE: Duration = Duration::from_secs(5);
/// How long tasks may take to be dropped at shutdown.
const DROP_PATIENCE: Duration = Duration::from_secs(1);

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenStoreError {
    /// Its folder.
    #[error("folder {path} cannot be made")]
    Folder {
        /// Which.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The journal.
    #[error(transparent)]
    Journal(#[from] OpenError),
    /// The identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The first workspace.
    #[error(transparent)]
    FirstProduct(#[from] FirstProductError),
    /// The thread that opened it ended without an answer.
    #[error("opening the store was interrupted")]
    Interrupted,
}

/// An open store.
pub struct Store {
    /// What can be asked and decided.
    pub desk: Arc<Desk>,
    shared: Arc<Shared>,
    index_supervisor: Supervisor,
    workers: Mutex<Option<Workers>>,
    /// The roster this process wrote last: it is the only one that writes any.
    roster: Mutex<Option<Roster>>,
}

/// The connectors at work.
#[derive(Clone)]
struct Workers {
    supervisor: Supervisor,
    /// How long the longest of their steps may take.
    patience: Duration,
}

impl Workers {
    /// Lets the steps in flight end, each within its own limit. What is not done by then waits for room in the journal, and is dropped:
    /// its outcome is unknown, and looked up when its lane is taken up again.
    async fn end(&self) {
        if !self.supervisor.shut_down(self.patience).await {
            tracing::warn!("steps in flight did not end in time; what came of them is looked up");
        }
    }
}

impl Store {
    /// Opens the store of the configuration and starts its index.
    ///
    /// # Errors
    /// It is in use, damaged, or its folder cannot be written.
    pub async fn open(config: &Config, clock: Clock) -> Result<Self, OpenStoreError> {
        let path = config.store.path.clone();
        std::fs::create_dir_all(&path).map_err(|source| OpenStoreError::Folder { path: path.clone(), source })?;
        let mut options = Options::new(clock.clone());
        options.min_free_bytes = config.store.free_bytes_min;
        options.unsafe_no_fsync = config.store.unsafe_no_fsync;
        let index_supervisor = Supervisor::new();
        let (journal, opened, identity, first) = open_journal(path.clone(), options, &index_supervisor).await?;
        if config.store.unsafe_no_fsync {
            tracing::warn!("store.unsafe_no_fsync: events are acknowledged before they are synced; a power cut loses them");
        }
        if let Some(place) = &opened.torn_tail {
            tracing::info!(place = %place, "a write that was never acknowledged was cut off");
        }
        for gap in &opened.gaps {
            tracing::error!(first = gap.first.0, last = gap.last.0, place = %gap.at, "records are lost");
        }
        let journal = Arc::new(journal);
        let settings = index::Settings {
            path: path.join("index"),
            retention: config.store.retention,
            checkpoint_records: CHECKPOINT_RECORDS,
            checkpoint_rows_per_record: CHECKPOINT_ROWS_PER_RECORD,
        };
        let index = Index::start(settings, Arc::clone(&journal), clock.clone(), &index_supervisor);
        let products = Arc::new(Products::new(&config.products, first));
        let shared = Arc::new(Shared { journal, index, clock, identity, products, supervisor: Supervisor::new() });
        let desk = Arc::new(Desk::new(Arc::clone(&shared), BTreeMap::new()));
        Ok(Self { desk, shared, index_supervisor, workers: Mutex::new(None), roster: Mutex::new(None) })
    }

    /// Puts the connectors of the configuration to work; earlier workers end their steps first, so that no lane is ever worked on twice.
    ///
    /// The roster is on disk when this returns, so every event accepted from now on is folded with it. This may be dropped half way: then
    /// the earlier workers are ending, and [`Store::stop_delivery`] waits for them.
    pub async fn staff(&self, config: &Config, transport: Arc<dyn Transport>) {
        if let Some(earlier) = self.workers() {
            earlier.end().await;
            earlier.supervisor.ended().await;
        }
        if !self.enroll(config).await {
            return;
        }
        let assignments = self.assign(config, &transport);
        // The roster, and all that the earlier workers wrote: what they did is not done again.
        let known = self.shared.journal.synced().borrow().0;
        let supervisor = self.shared.supervisor.child();
        let shared = Arc::new(Shared {
            journal: Arc::clone(&self.shared.journal),
            index: self.shared.index.clone(),
            clock: self.shared.clock.clone(),
            identity: self.shared.identity.clone(),
            products: Arc::clone(&self.shared.products),
            supervisor: supervisor.clone(),
        });
        let patience = assignments.values().map(|assignment| assignment.step_limit()).max().unwrap_or_default() + RECORD_PATIENCE;
        supervisor.spawn("staff", begin_work(shared, known, assignments));
        *self.workers.lock().unwrap_or_else(PoisonError::into_inner) = Some(Workers { supervisor, patience });
    }

    fn workers(&self) -> Option<Workers> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes the roster of the configuration down where it is another than the last. `false` where the journal takes nothing any more.
    ///
    /// While the index cannot be asked nobody knows: then it is written, and changes nothing where it repeats the last.
    pub async fn enroll(&self, config: &Config) -> bool {
        let roster = staff::roster(config, self.shared.clock.now());
        if self.last_roster().await.is_some_and(|last| roster.repeats(&last)) {
            return true;
        }
        let records = [Record::Roster(roster.clone())];
        loop {
            match delivery::append(&self.shared.journal, &records, Room::Reserve).await {
                Ok(seq) => {
                    self.desk.note_roster(seq);
                    break;
                }
                Err(AppendError::NoRoom | AppendError::Busy) => tokio::time::sleep(RETRY_PAUSE).await,
                // Poisoned or closed: nothing is accepted or delivered, and the process is about to end.
                Err(_) => return false,
            }
        }
        *self.roster.lock().unwrap_or_else(PoisonError::into_inner) = Some(roster);
        true
    }

    /// What this process wrote last, else what the index remembers.
    async fn last_roster(&self) -> Option<Roster> {
        let written = self.roster.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if written.is_some() {
            return written;
        }
        let ready = tokio::time::timeout(INDEX_PATIENCE, self.shared.index.wait_ready()).await;
        let view = ready.is_ok_and(|ready| ready).then(|| self.shared.index.view().ok())??;
        view.roster().ok()?
    }

    /// Lets the connectors of the configuration be asked about.
    pub fn assign(&self, config: &Config, transport: &Arc<dyn Transport>) -> BTreeMap<String, Arc<Assignment>> {
        let assignments = staff::assignments(config, transport);
        self.desk.replace_staff(assignments.clone());
        assignments
    }

    /// Lets questions be answered as if the configuration were at work, without writing anything.
    pub fn suppose(&self, config: &Config) {
        self.desk.suppose(staff::roster(config, self.shared.clock.now()));
    }

    /// What all parts share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Starts no new step; gives those in flight the time they may take.
    pub async fn stop_delivery(&self) {
        self.shared.supervisor.stop();
        if let Some(workers) = self.workers() {
            workers.end().await;
            if tokio::time::timeout(DROP_PATIENCE, workers.supervisor.ended()).await.is_err() {
                tracing::warn!("a connector does not end");
            }
        }
    }

    /// Closes index and journal.
    pub async fn close(&self, patience: Duration) {
        if !self.index_supervisor.shut_down(patience).await {
            tracing::warn!("the index was not closed in time; it catches up at the next start");
        }
        self.shared.journal.shutdown().await;
    }
}

impl Drop for Store {
    /// A start that was given up: the index's thread would keep the process.
    fn drop(&mut self) {
        self.shared.supervisor.stop();
        self.index_supervisor.stop();
    }
}

async fn open_journal(
    path: std::path::PathBuf,
    options: Options,
    supervisor: &Supervisor,
) -> Result<(Journal, crate::journal::Opened, Identity, FirstProduct), OpenStoreError> {
    let (answer, answered) = tokio::sync::oneshot::channel();
    supervisor.spawn_blocking(move || {
        let opened = Journal::open(&path, options).map_err(OpenStoreError::from).and_then(|(journal, opened)| {
            let identity = Identity::load(&path, opened.last.0 == 0)?;
            let first = FirstProduct::load(&path)?;
            Ok((journal, opened, identity, first))
        });
        // Nobody waits any more: then the journal is closed again by being dropped.
        drop(answer.send(opened));
    });
    answered.await.unwrap_or(Err(OpenStoreError::Interrupted))
}

/// Waits until the index knows the records up to `known`, then starts one worker a connector.
async fn begin_work(shared: Arc<Shared>, known: u64, assignments: BTreeMap<String, Arc<Assignment>>) {
    tokio::select! {
        () = shared.supervisor.stopping() => return,
        folded = async { shared.index.wait_folded(known).await && shared.index.wait_ready().await } => if !folded { return },
    }
    let rows = match shared.index.view().and_then(|view| view.connectors()) {
        Ok(rows) => rows,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "delivery cannot begin; restart the daemon");
            return;
        }
    };
    for (_, row) in rows.iter().filter(|(_, row)| assignments.contains_key(&row.name)) {
        if let Some(scope) = &row.moved_to {
            tracing::error!(connector = row.name, from = %row.scope, to = %scope, "its scope changed; it does not start until `connector move` or `connector reset`");
        }
    }
    for (connector, assignment) in assignments {
        while let Err(error) = delivery::start(&shared, Arc::clone(&assignment)) {
            tracing::error!(error = &error as &dyn std::error::Error, connector, "its delivery cannot begin yet; it is tried again");
            tokio::select! {
                () = shared.supervisor.stopping() => return,
                () = tokio::time::sleep(RETRY_PAUSE) => {}
            }
        }
    }
}
