//! Rows in sled and pages: opening, closing, and telling whether what lies on disk can be believed.
//!
//! sled 0.34 loses acknowledged data at a power cut and can panic on opening, so it holds nothing that the journal does not: an index that
//! was not closed cleanly before the machine went down is thrown away and folded anew.

use std::cmp::Ordering;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::fold::VERSION;
use super::key::{self, Key};
use super::pages::{Pages, Rewritten, Sizes};
use super::rows::{Base, Bytes, Change, Changes, RowsError, decode};

/// Memory sled may use for its cache; the whole daemon has to stay below 64 MiB.
const CACHE_BYTES: u64 = 6 << 20;
/// What the daemon lives with.
const SIZES: Sizes = Sizes { fresh: 2 << 20, file: 64 << 20, waste: 64 << 20 };
/// What a changed row takes besides key and value.
const FRESH_OVERHEAD: usize = 96;
/// From which part of what is there on changes are merged into it rather than put in one by one.
const APPENDED_PART: usize = 8;
/// Key of the row about this copy on this machine. It is no part of what is folded.
const ORIGIN: &[u8] = b"B";
/// Rows read at once to tell the filter.
const LEARNED_ROWS: usize = 4096;
/// Where the pages lie, beside sled's own files.
const PAGES_FOLDER: &str = "pages";
/// sled's lock lingers for some milliseconds after it was dropped.
const OPEN_TRIES: u32 = 10;
const OPEN_PAUSE: Duration = Duration::from_millis(50);

/// What was true when this copy was opened.
#[derive(Serialize, Deserialize)]
struct Origin {
    boot_id: String,
    fold_version: u32,
    clean: bool,
}

/// Why an index on disk cannot be used as it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// There was none.
    #[error("there is no index yet")]
    Absent,
    /// The machine went down while it was open.
    #[error("the machine went down while the index was open")]
    NotClean,
    /// Another release folded it.
    #[error("the index was folded by another release")]
    OtherFold,
    /// sled panicked over it.
    #[error("the index is damaged")]
    Damaged,
    /// sled or the system refused.
    #[error("the index cannot be opened")]
    Storage(#[from] RowsError),
    /// Its folder cannot be removed.
    #[error("the old index cannot be removed")]
    Remove(#[source] std::io::Error),
}

/// Rows in pages, and those that changed since they were last merged into them.
///
/// What is not merged yet is lost with the process, and folded again from the journal.
#[derive(Clone)]
pub(crate) struct Store(Arc<Inner>);

struct Inner {
    path: PathBuf,
    sizes: Sizes,
    db: sled::Db,
    pages: Pages,
    /// Whoever reads holds it, so that no page is put in place or removed meanwhile.
    fresh: RwLock<Fresh>,
    /// The thread that merges, while one does.
    merging: Mutex<Option<Merging>>,
    filter: Filter,
}

/// A merge under way. The rows end with it, in the thread that made them: the allocator has a lock for what crosses threads.
struct Merging {
    thread: JoinHandle<Result<(), RowsError>>,
    _rows: Arc<Changes>,
}

/// What is newer than the pages.
#[derive(Default)]
struct Fresh {
    rows: Changes,
    bytes: usize,
    /// Older than `rows`: these are being merged.
    frozen: Arc<Changes>,
}

impl Fresh {
    /// Takes changes in. What is changed again counts again: it is an upper bound that is kept.
    fn change(&mut self, mut changes: Changes) {
        let size = |(key, row): (&Key, &Change)| FRESH_OVERHEAD + key.len() + row.as_ref().map_or(0, |row| row.len());
        self.bytes += changes.iter().map(size).sum::<usize>();
        if changes.len() >= self.rows.len() / APPENDED_PART {
            // Merges two sorted sequences: no searching.
            self.rows.append(&mut changes);
        } else {
            self.rows.extend(changes);
        }
    }
}

impl Store {
    /// Opens what is there, if it can be believed.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, SIZES)
    }

    fn open_with(path: &Path, sizes: Sizes) -> Result<Self, StoreError> {
        if !path.join("db").exists() {
            return Err(StoreError::Absent);
        }
        let store = Self::over(path, sizes, false)?;
        let origin = store.0.db.get(ORIGIN).map_err(RowsError::Storage)?.ok_or(StoreError::NotClean)?;
        let origin: Origin = decode(&origin)?;
        if origin.fold_version != VERSION {
            return Err(StoreError::OtherFold);
        }
        if !origin.clean && origin.boot_id != boot_id() {
            return Err(StoreError::NotClean);
        }
        store.mark(false)?;
        Ok(store)
    }

    /// Throws away what is there and begins anew.
    pub(crate) fn create(path: &Path) -> Result<Self, StoreError> {
        Self::create_with(path, SIZES)
    }

    fn create_with(path: &Path, sizes: Sizes) -> Result<Self, StoreError> {
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(StoreError::Remove(error)),
            _ => {}
        }
        let store = Self::over(path, sizes, true)?;
        store.mark(false)?;
        Ok(store)
    }

    fn over(path: &Path, sizes: Sizes, empty: bool) -> Result<Self, StoreError> {
        let db = open_sled(path)?;
        let pages = Pages::open(db.clone(), &path.join(PAGES_FOLDER), sizes)?;
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            sizes,
            db,
            pages,
            fresh: RwLock::default(),
            merging: Mutex::default(),
            filter: Filter::new(empty),
        })))
    }

    /// Tells the filter all keys that were there when this was opened, unless it is told to stop.
    pub(crate) fn learn_keys(&self, stop: impl Fn() -> bool) -> Result<(), StoreError> {
        let mut after = Bytes::new();
        while !stop() {
            let rows = self.scan(&[], Some(&after), LEARNED_ROWS)?;
            rows.iter().for_each(|(key, _)| self.note(key));
            match rows.into_iter().next_back() {
                Some((last, _)) => after = last,
                None => {
                    self.0.filter.complete();
                    break;
                }
            }
        }
        Ok(())
    }

    /// Writes everything out and says so on disk.
    pub(crate) fn close(&self) -> Result<(), StoreError> {
        self.flush()?;
        self.0.pages.sync()?;
        self.sync_sled()?;
        self.mark(true)?;
        self.sync_sled()
    }

    /// Writes everything out.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.merge()?;
        self.0.db.flush().map(|_| ()).map_err(|error| RowsError::Storage(error).into())
    }

    /// sled's own flush does not wait for the disk on Linux.
    fn sync_sled(&self) -> Result<(), StoreError> {
        let synced = File::open(self.0.path.join("db")).and_then(|file| file.sync_all());
        synced.map_err(|error| RowsError::File(error).into())
    }

    fn mark(&self, clean: bool) -> Result<(), StoreError> {
        let origin = Origin { boot_id: boot_id(), fold_version: VERSION, clean };
        let bytes = postcard::to_stdvec(&origin).map_err(RowsError::Row)?;
        self.0.db.insert(ORIGIN, bytes).map_err(RowsError::Storage)?;
        self.flush()
    }

    /// Applies all changes at once; their keys were noted. Only one thread does.
    pub(crate) fn apply(&self, changes: Changes) -> Result<(), RowsError> {
        let full = {
            let mut fresh = self.0.fresh.write().unwrap_or_else(PoisonError::into_inner);
            fresh.change(changes);
            fresh.bytes >= self.0.sizes.fresh
        };
        if full { self.merge_beside() } else { Ok(()) }
    }

    /// Merges what changed into the pages.
    fn merge(&self) -> Result<(), RowsError> {
        self.merge_beside()?;
        self.merged()
    }

    /// Begins to merge what changed, in a thread of its own: the fold goes on meanwhile.
    fn merge_beside(&self) -> Result<(), RowsError> {
        self.merged()?;
        let frozen = {
            let mut fresh = self.0.fresh.write().unwrap_or_else(PoisonError::into_inner);
            fresh.bytes = 0;
            fresh.frozen = Arc::new(std::mem::take(&mut fresh.rows));
            Arc::clone(&fresh.frozen)
        };
        let (inner, rows) = (Arc::clone(&self.0), Arc::clone(&frozen));
        let thread = std::thread::Builder::new().name("index-merge".to_owned()).spawn(move || inner.merge(&rows));
        *self.merging() = Some(Merging { thread: thread.map_err(RowsError::File)?, _rows: frozen });
        Ok(())
    }

    /// Returns when nothing is being merged any more, with what came of it.
    pub(crate) fn merged(&self) -> Result<(), RowsError> {
        let Some(merging) = self.merging().take() else { return Ok(()) };
        merging.thread.join().unwrap_or(Err(RowsError::Merge))
    }

    fn merging(&self) -> MutexGuard<'_, Option<Merging>> {
        self.0.merging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fresh(&self) -> RwLockReadGuard<'_, Fresh> {
        self.0.fresh.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every row that was folded, in order: for checkpoints and comparison. Nothing may be applied meanwhile.
    pub(crate) fn all(&self) -> Result<impl Iterator<Item = Result<(Bytes, Bytes), RowsError>> + use<'_>, RowsError> {
        self.merge()?;
        self.0.pages.forwards(&[])
    }
}

impl Inner {
    fn merge(&self, frozen: &Changes) -> Result<(), RowsError> {
        self.put_in_place(self.pages.rewrite(frozen)?)?;
        while let Some(rewritten) = self.pages.clear()? {
            self.put_in_place(rewritten)?;
        }
        Ok(())
    }

    /// Pages that hold all that is frozen take its place, as one step for whoever reads.
    fn put_in_place(&self, rewritten: Rewritten) -> Result<(), RowsError> {
        let mut fresh = self.fresh.write().unwrap_or_else(PoisonError::into_inner);
        self.pages.put_in_place(rewritten)?;
        fresh.frozen = Arc::default();
        Ok(())
    }
}

impl Base for Store {
    fn may_have(&self, key: &[u8]) -> bool {
        key::is_listed(key) || self.0.filter.may_have(key)
    }

    fn note(&self, key: &[u8]) {
        if !key::is_listed(key) {
            self.0.filter.add(key);
        }
        if let Some(group) = key::group(key) {
            self.0.filter.add(group);
        }
    }

    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, RowsError> {
        // Before the lock: most of what is asked for is not there, and asked for by events that are being accepted.
        if !self.may_have(key) {
            return Ok(None);
        }
        let fresh = self.fresh();
        match fresh.rows.get(key).or_else(|| fresh.frozen.get(key)) {
            Some(row) => Ok(row.as_deref().map(<[u8]>::to_vec)),
            None => self.0.pages.get(key),
        }
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<(Bytes, Bytes)>, RowsError> {
        if key::group(prefix) == Some(prefix) && !self.0.filter.may_have(prefix) {
            return Ok(Vec::new());
        }
        let from: Key = after.map_or_else(|| prefix.into(), |after| [after, &[0]].concat().as_slice().into());
        let fresh = self.fresh();
        let within = |rows| Changes::range::<Key, _>(rows, &from..).take_while(|(key, _)| key.starts_with(prefix));
        let below = self.0.pages.forwards(&from)?.take_while(|row| row.as_ref().map_or(true, |(key, _)| key.starts_with(prefix)));
        let below = merged(within(&fresh.frozen), below, Ordering::Less);
        merged(within(&fresh.rows), below, Ordering::Less).take(limit).collect()
    }

    fn scan_back(&self, prefix: &[u8], before: Option<&[u8]>, limit: usize) -> Result<Vec<(Bytes, Bytes)>, RowsError> {
        let (from, end): (Key, Key) = (prefix.into(), before.map_or_else(|| [prefix, &[0xff; 9]].concat().as_slice().into(), Key::from));
        let fresh = self.fresh();
        let within = |rows| Changes::range::<Key, _>(rows, &from..&end).rev();
        let below = self.0.pages.backwards(&end).take_while(|row| row.as_ref().map_or(true, |(key, _)| key.starts_with(prefix)));
        let below = merged(within(&fresh.frozen), below, Ordering::Greater);
        merged(within(&fresh.rows), below, Ordering::Greater).take(limit).collect()
    }
}

/// Rows of both, each key once: a change hides what is below it. Both come in the order in which `first` says which of two is first.
fn merged<'f>(
    changed: impl Iterator<Item = (&'f Key, &'f Change)>,
    below: impl Iterator<Item = Result<(Bytes, Bytes), RowsError>>,
    first: Ordering,
) -> impl Iterator<Item = Result<(Bytes, Bytes), RowsError>> {
    let (mut changed, mut below) = (changed.peekable(), below.peekable());
    std::iter::from_fn(move || {
        loop {
            let order = match (changed.peek(), below.peek()) {
                (Some((new, _)), Some(Ok((old, _)))) => (***new).cmp(old),
                (Some(_), None) => first,
                _ => first.reverse(),
            };
            if order != first {
                let row = below.next();
                if order == Ordering::Equal {
                    continue;
                }
                return row;
            }
            let (key, change) = changed.next()?;
            if let Some(row) = change {
                return Some(Ok((key.to_vec(), row.to_vec())));
            }
        }
    })
}

fn open_sled(path: &Path) -> Result<sled::Db, StoreError> {
    // Its own flushes sync, beside the journal's, and keep what was replaced in memory meanwhile. What kill -9 takes from its buffers is folded
    // again.
    let config = || sled::Config::new().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(None).mode(sled::Mode::LowSpace);
    let mut tries = 0;
    loop {
        tries += 1;
        match catch_unwind(AssertUnwindSafe(|| config().open())) {
            Ok(Ok(db)) => return Ok(db),
            Ok(Err(sled::Error::Io(error))) if tries < OPEN_TRIES && error.to_string().contains("WouldBlock") => {
                std::thread::sleep(OPEN_PAUSE);
            }
            Ok(Err(error)) => return Err(RowsError::Storage(error).into()),
            Err(_) => return Err(StoreError::Damaged),
        }
    }
}

/// Another one after every start of the machine. Where the system has none, every start counts as one.
fn boot_id() -> String {
    std::fs::read_to_string(PathBuf::from("/proc/sys/kernel/random/boot_id")).map(|id| id.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
