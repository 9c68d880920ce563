//! Keeps the index up to date: one thread that folds what the journal gains, and rebuilds when there is nothing to build on.
//!
//! The receiver never waits for it. Who needs the index while it is being rebuilt is told so.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use sleeksync_connectors::contract::Time;
use tokio::sync::{Notify, watch};

use super::checkpoint::{self, CheckpointError};
use super::follow::{Folded, FollowError, Follower};
use super::row::ConnectorRow;
use super::rows::RowsError;
use super::store::{Store, StoreError};
use super::view::View;
use crate::clock::Clock;
use crate::journal::{Journal, Seq};
use crate::record::ConnectorId;
use crate::supervisor::Supervisor;

/// What the folding thread adds to its niceness; see setpriority(2), on Linux for one thread.
const NICENESS: i32 = 19;
/// How long to gather what else comes once there is something to fold: a batch costs the same few rows however few records are in it.
const GATHER: Duration = Duration::from_millis(5);
/// As many events in one sync are a flood: whoever sends so many at once needs every processor to be answered.
const FLOOD_EVENTS: usize = 32;
/// How often to look whether it goes on, and how often at most before all there is is folded all the same: two seconds.
const FLOOD_LOOK: Duration = Duration::from_millis(50);
const FLOOD_LOOKS_MAX: usize = 40;
/// How long to wait before another try where the index cannot be written.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// How old the newest checkpoint may become when something was recorded since: what expires, expires with one.
const CHECKPOINT_AGE: Duration = Duration::from_hours(24);

/// How the index is kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its folder.
    pub path: PathBuf,
    /// Marks are kept this long at least, and segments of the journal.
    pub retention: Duration,
    /// Records between two checkpoints at least, unless a day lies between them.
    pub checkpoint_records: u64,
    /// Rows that a checkpoint may write for each record since the one before.
    pub checkpoint_rows_per_record: u64,
}

/// Why the index could not be kept up to date for a moment.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Rows(#[from] RowsError),
    #[error(transparent)]
    Follow(#[from] FollowError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error("the index is ahead of the journal")]
    Ahead,
}

/// The index, and what is known about its state.
#[derive(Clone)]
pub struct Index {
    shared: Arc<Shared>,
}

struct Shared {
    view: RwLock<Option<View>>,
    folded: watch::Sender<u64>,
    ready: watch::Sender<bool>,
    bells: Mutex<HashMap<ConnectorId, Arc<Notify>>>,
    connectors: Mutex<Option<Arc<Connectors>>>,
}

/// The connectors as they stand: every plan looks at all of them, and they change with what is folded.
pub struct Connectors {
    /// The last record they certainly know.
    pub folded: u64,
    /// All of them.
    pub rows: Vec<(ConnectorId, ConnectorRow)>,
}

impl Connectors {
    /// One of them.
    pub fn of(&self, id: ConnectorId) -> Option<&ConnectorRow> {
        self.rows.iter().find(|(known, _)| *known == id).map(|(_, row)| row)
    }
}

impl Index {
    /// Starts the thread that keeps it.
    pub fn start(settings: Settings, journal: Arc<Journal>, clock: Clock, supervisor: &Supervisor) -> Self {
        let shared = Arc::new(Shared {
            view: RwLock::new(None),
            folded: watch::Sender::new(0),
            ready: watch::Sender::new(false),
            bells: Mutex::default(),
            connectors: Mutex::default(),
        });
        let keeper = Keeper {
            settings,
            journal,
            clock,
            shared: Arc::clone(&shared),
            supervisor: supervisor.clone(),
            runtime: tokio::runtime::Handle::current(),
            checkpoint: LastCheckpoint::default(),
        };
        supervisor.spawn_blocking(move || keeper.run());
        Self { shared }
    }

    /// What can be asked of it.
    ///
    /// # Errors
    /// [`RowsError::NotReady`] while it is being opened or rebuilt.
    pub fn view(&self) -> Result<View, RowsError> {
        self.shared.view.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(RowsError::NotReady)
    }

    /// All connectors, read once for each batch of records that is folded.
    ///
    /// # Errors
    /// [`RowsError::NotReady`] while it is being opened or rebuilt; the storage failed.
    pub fn connectors(&self) -> Result<Arc<Connectors>, RowsError> {
        let (view, folded) = (self.view()?, self.folded());
        let mut known = self.shared.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(known) if known.folded == folded => Ok(Arc::clone(known)),
            _ => Ok(Arc::clone(known.insert(Arc::new(Connectors { folded, rows: view.connectors()? })))),
        }
    }

    /// Number of the last folded record.
    pub fn folded(&self) -> u64 {
        *self.shared.folded.borrow()
    }

    /// Changes with every batch of records that is folded: the number of its last one.
    pub fn folds(&self) -> watch::Receiver<u64> {
        self.shared.folded.subscribe()
    }

    /// Ends when record `seq` is folded; `false` when that will not happen any more.
    pub async fn wait_folded(&self, seq: u64) -> bool {
        self.shared.folded.subscribe().wait_for(|folded| *folded >= seq).await.is_ok()
    }

    /// Ends when the index has caught up with the journal as it was at start.
    pub async fn wait_ready(&self) -> bool {
        self.shared.ready.subscribe().wait_for(|ready| *ready).await.is_ok()
    }

    /// Whether it has caught up.
    pub fn is_ready(&self) -> bool {
        *self.shared.ready.borrow()
    }

    /// Rings when a connector may have something to do.
    pub fn bell(&self, connector: ConnectorId) -> Arc<Notify> {
        let mut bells = self.shared.bells.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(bells.entry(connector).or_default())
    }
}

struct Keeper {
    settings: Settings,
    journal: Arc<Journal>,
    clock: Clock,
    shared: Arc<Shared>,
    supervisor: Supervisor,
    runtime: tokio::runtime::Handle,
    checkpoint: LastCheckpoint,
}

/// The newest checkpoint.
#[derive(Default)]
struct LastCheckpoint {
    folded: u64,
    /// When it was taken; where there is none, when that was found.
    at: Time,
    /// How many rows it has, as far as this process took it.
    rows: u64,
}

impl LastCheckpoint {
    /// Whether the next is due when everything up to `folded` is.
    fn is_over(&self, folded: u64, settings: &Settings, now: Time) -> bool {
        let records = folded.saturating_sub(self.folded);
        // Its own record is behind it.
        let is_old = records > 1 && now.since(self.at) >= CHECKPOINT_AGE;
        is_old || records >= settings.checkpoint_records.max(self.rows / settings.checkpoint_rows_per_record)
    }
}

impl Keeper {
    fn run(mut self) {
        // Accepting goes before folding: what is not folded yet is safe, who waits for an answer may give up.
        if let Err(error) = rustix::process::nice(NICENESS) {
            tracing::debug!(error = &error as &dyn std::error::Error, "folding goes on with the priority of the rest");
        }
        while !self.supervisor.is_stopping() {
            let store = match self.open() {
                Ok(store) => store,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "index cannot be built; events are accepted all the same");
                    self.pause();
                    continue;
                }
            };
            let kept = self.follow(&store);
            *self.shared.view.write().unwrap_or_else(PoisonError::into_inner) = None;
            self.shared.ready.send_replace(false);
            match kept {
                Ok(()) => {
                    if let Err(error) = store.close() {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "index was not closed cleanly; it is rebuilt after a crash of the machine"
                        );
                    }
                }
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "index failed; it is rebuilt");
                    // Whatever comes of it: only so that nobody writes into the folder any more.
                    let _ = store.merged();
                    drop(store);
                    // Not marked clean and not trusted: the next open starts from nothing.
                    if let Err(error) = Store::create(&self.settings.path) {
                        tracing::warn!(error = &error as &dyn std::error::Error, "the failed index cannot be removed yet");
                    }
                    self.pause();
                }
            }
        }
    }

    fn pause(&self) {
        self.runtime.block_on(async {
            tokio::select! {
                () = tokio::time::sleep(RETRY_PAUSE) => {}
                () = self.supervisor.stopping() => {}
            }
        });
    }

    fn open(&self) -> Result<Store, KeepError> {
        let reason = match Store::open(&self.settings.path) {
            Ok(store) => {
                let folded = View::new(Arc::new(store.clone())).meta()?.folded;
                if folded > 0 && folded <= self.journal.synced().borrow().0 {
                    self.learn_keys(store.clone());
                    return Ok(store);
                }
                drop(store);
                if folded == 0 { StoreError::Absent } else { StoreError::NotClean }
            }
            Err(reason) => reason,
        };
        let store = Store::create(&self.settings.path)?;
        if self.journal.synced().borrow().0 > 0 {
            tracing::info!(reason = %reason, "rebuilding the index from the journal");
            checkpoint::restore(&self.journal, &store)?;
        }
        Ok(store)
    }

    /// Tells the filter of an index that is a file already what is in it, beside the folding.
    fn learn_keys(&self, store: Store) {
        let supervisor = self.supervisor.clone();
        self.supervisor.spawn_blocking(move || {
            if let Err(error) = store.learn_keys(|| supervisor.is_stopping()) {
                tracing::warn!(error = &error as &dyn std::error::Error, "looking rows up stays slow until the next start");
            }
        });
    }

    /// Folds what there is and what comes, until the end.
    fn follow(&mut self, store: &Store) -> Result<(), KeepError> {
        let view = View::new(Arc::new(store.clone()));
        let folded = view.meta()?.folded;
        let mut synced = self.journal.synced();
        let goal = synced.borrow().0;
        if folded > goal {
            return Err(KeepError::Ahead);
        }
        *self.shared.view.write().unwrap_or_else(PoisonError::into_inner) = Some(view);
        self.shared.folded.send_replace(folded);
        let mut follower = Follower::new(store, &self.journal, folded);
        let newest = self.journal.newest_checkpoint().map_err(FollowError::Read)?;
        let (checkpointed, at) = newest.unwrap_or((Seq(0), self.clock.now()));
        self.checkpoint = LastCheckpoint { folded: checkpointed.0, at, rows: 0 };
        let mut patience = FLOOD_LOOKS_MAX;
        loop {
            synced.mark_unchanged();
            let news = follower.next_batch()?;
            if let Some(batch) = &news {
                self.announce(batch);
            }
            if *self.shared.folded.borrow() >= goal {
                self.shared.ready.send_replace(true);
            }
            let has_more = match news {
                Some(batch) => {
                    self.checkpoint_if_due(store)?;
                    batch.has_more
                }
                None if self.supervisor.is_stopping() => return Ok(()),
                None => {
                    self.wait_for_news(&mut synced);
                    false
                }
            };
            if !has_more {
                std::thread::sleep(GATHER);
                patience = FLOOD_LOOKS_MAX;
            }
            self.let_flood_pass(&mut patience);
        }
    }

    /// Waits while a flood is answered: what is not folded yet is safe, and folding takes processors from those who answer.
    fn let_flood_pass(&self, patience: &mut usize) {
        while *patience > 0 && self.journal.take_crowd() >= FLOOD_EVENTS && !self.supervisor.is_stopping() {
            std::thread::sleep(FLOOD_LOOK);
            *patience -= 1;
        }
    }

    fn wait_for_news(&self, synced: &mut watch::Receiver<Seq>) {
        self.runtime.block_on(async {
            tokio::select! {
                // An error means that the journal is gone: then shutdown follows.
                changed = synced.changed() => if changed.is_err() { self.supervisor.stopping().await },
                () = self.supervisor.stopping() => {}
            }
        });
    }

    fn announce(&mut self, batch: &Folded) {
        self.shared.folded.send_replace(batch.upto);
        let bells = self.shared.bells.lock().unwrap_or_else(PoisonError::into_inner);
        for connector in &batch.touched {
            if let Some(bell) = bells.get(connector) {
                bell.notify_one();
            }
        }
    }

    fn checkpoint_if_due(&mut self, store: &Store) -> Result<(), KeepError> {
        let (folded, now) = (*self.shared.folded.borrow(), self.clock.now());
        if !*self.shared.ready.borrow() || !self.checkpoint.is_over(folded, &self.settings, now) {
            return Ok(());
        }
        let expire_before = now.minus(self.settings.retention);
        let rows = checkpoint::take(&self.journal, store, folded, expire_before, &self.runtime)?;
        self.checkpoint = LastCheckpoint { folded, at: now, rows };
        Ok(())
    }
}

/// Folds the whole journal anew at `path`, from the newest checkpoint on: for `store verify` and `store rebuild`.
pub(super) fn rebuild_at(path: &Path, journal: &Journal) -> Result<Store, KeepError> {
    let store = Store::create(path)?;
    checkpoint::restore(journal, &store)?;
    catch_up(&store, journal)?;
    store.flush()?;
    Ok(store)
}

/// Folds what `store` does not know yet.
pub(super) fn catch_up(store: &Store, journal: &Journal) -> Result<(), KeepError> {
    let folded = View::new(Arc::new(store.clone())).meta()?.folded;
    let mut follower = Follower::new(store, journal, folded);
    while follower.next_batch()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Entry, FirstProduct, Options, Room};
    use crate::record::Record;
    use crate::sleekplan::{Arrival, products::Products};
    use bytes::Bytes;

    #[test]
    fn checkpoints_become_rarer_as_the_store_grows_but_never_older_than_a_day() {
        let now = Time::ZERO.plus(CHECKPOINT_AGE);
        let settings = Settings { path: PathBuf::new(), retention: Duration::ZERO, checkpoint_records: 100, checkpoint_rows_per_record: 2 };
        let last = |rows, at| LastCheckpoint { folded: 1000, at, rows };
        let table = [
            (last(0, now), 1099, false),
            (last(0, now), 1100, true),
            (last(600, now), 1299, false),
            (last(600, now), 1300, true),
            (last(600, Time::ZERO), 1001, false),
            (last(600, Time::ZERO), 1002, true),
        ];
        for (last, folded, expected) in table {
            assert_eq!(last.is_over(folded, &settings, now), expected, "{} rows, {folded}", last.rows);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_flood_that_does_not_end_is_folded_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let supervisor = Supervisor::new();
        let journal = Arc::new(Journal::open(folder.path(), Options::new(Clock::system())).unwrap().0);
        let settings = Settings {
            path: folder.path().join("index"),
            retention: Duration::ZERO,
            checkpoint_records: u64::MAX,
            checkpoint_rows_per_record: 1,
        };
        let index = Index::start(settings, Arc::clone(&journal), Clock::system(), &supervisor);
        let products = Products::new(&[], FirstProduct::default());
        let arrival = Arrival::read(Bytes::from_static(b"{}"), Time::ZERO, &products);
        let bytes = Record::Event(arrival.event).encode(&arrival.body).unwrap();
        let mut senders = tokio::task::JoinSet::new();
        for _ in 0..4 * FLOOD_EVENTS {
            let (journal, bytes) = (Arc::clone(&journal), bytes.clone());
            senders.spawn(async move {
                loop {
                    journal.append(&[Entry { bytes: bytes.clone(), mark: None }], Room::Normal).await.unwrap();
                }
            });
        }
        // What comes first may be folded before the flood is one.
        assert!(tokio::time::timeout(Duration::from_secs(60), index.wait_folded(8 * FLOOD_EVENTS as u64)).await.unwrap());
        senders.shutdown().await;
        supervisor.shut_down(Duration::from_secs(60)).await;
    }
}
