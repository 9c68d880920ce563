//! Rows in sled: opening, closing, and telling whether what lies on disk can be believed.
//!
//! sled 0.34 loses acknowledged data at a power cut and can panic on opening, so it holds nothing that the journal does not: an index that
//! was not closed cleanly before the machine went down is thrown away and folded anew.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::fold::VERSION;
use super::rows::{Base, Bytes, Changes, RowsError, decode};

/// Memory sled may use for its cache; the whole daemon has to stay below 64 MiB.
const CACHE_BYTES: u64 = 6 << 20;
/// How often sled writes out what it buffers.
const FLUSH_EVERY_MS: u64 = 500;
/// Rows longer than this are stored in pieces: above 128 KiB sled uses files that it never removes.
const PIECE_BYTES: usize = 64 << 10;
/// Key of the row about this copy on this machine. It is no part of what is folded.
const ORIGIN: &[u8] = b"B";
/// First byte of the keys of pieces.
const PIECE: u8 = b'~';
/// A row is stored as it is, or in pieces.
const WHOLE: u8 = 0;
const IN_PIECES: u8 = 1;
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

/// Rows in sled.
#[derive(Clone)]
pub(crate) struct Store {
    db: sled::Db,
    filter: Arc<Filter>,
}

impl Store {
    /// Opens what is there, if it can be believed.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.join("db").exists() {
            return Err(StoreError::Absent);
        }
        let store = Self { db: open_sled(path)?, filter: Arc::new(Filter::new(false)) };
        let origin = store.db.get(ORIGIN).map_err(RowsError::Storage)?.ok_or(StoreError::NotClean)?;
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
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(StoreError::Remove(error)),
            _ => {}
        }
        let store = Self { db: open_sled(path)?, filter: Arc::new(Filter::new(true)) };
        store.mark(false)?;
        Ok(store)
    }

    /// Tells the filter all keys that were there when this was opened, unless it knows them or is told to stop.
    pub(crate) fn learn_keys(&self, stop: impl Fn() -> bool) -> Result<(), StoreError> {
        for key in self.db.iter().keys() {
            if stop() {
                return Ok(());
            }
            self.filter.add(&key.map_err(RowsError::Storage)?);
        }
        self.filter.complete();
        Ok(())
    }

    /// Writes everything out and says so on disk.
    pub(crate) fn close(&self) -> Result<(), StoreError> {
        self.flush()?;
        self.mark(true)
    }

    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        self.db.flush().map(|_| ()).map_err(|error| RowsError::Storage(error).into())
    }

    fn mark(&self, clean: bool) -> Result<(), StoreError> {
        let origin = Origin { boot_id: boot_id(), fold_version: VERSION, clean };
        let bytes = postcard::to_stdvec(&origin).map_err(RowsError::Row)?;
        self.db.insert(ORIGIN, bytes).map_err(RowsError::Storage)?;
        self.flush()
    }

    /// Applies all changes at once.
    pub(crate) fn apply(&self, changes: Changes) -> Result<(), RowsError> {
        let mut batch = sled::Batch::default();
        for (key, row) in changes {
            self.remove_pieces(&mut batch, &key)?;
            if row.is_some() {
                self.filter.add(&key);
            }
            match row {
                None => batch.remove(key),
                Some(row) if row.len() <= PIECE_BYTES => batch.insert(key, prefixed(WHOLE, &row)),
                Some(row) => {
                    let pieces = row.chunks(PIECE_BYTES);
                    let count = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
                    for (number, piece) in (0..count).zip(pieces) {
                        batch.insert(piece_key(&key, number), piece);
                    }
                    batch.insert(key, prefixed(IN_PIECES, &count.to_be_bytes()));
                }
            }
        }
        self.db.apply_batch(batch).map_err(RowsError::Storage)
    }

    fn remove_pieces(&self, batch: &mut sled::Batch, key: &[u8]) -> Result<(), RowsError> {
        // Only items can be that long, and the fold has just read them: this costs a look into the cache.
        if key.first() != Some(&b'I') || !self.filter.may_have(key) {
            return Ok(());
        }
        if let Some(count) = self.db.get(key).map_err(RowsError::Storage)?.and_then(|row| piece_count(&row)) {
            (0..count).for_each(|number| batch.remove(piece_key(key, number)));
        }
        Ok(())
    }

    fn whole(&self, key: &[u8], row: &[u8]) -> Result<Bytes, RowsError> {
        let Some(count) = piece_count(row) else { return Ok(row.get(1..).unwrap_or_default().to_vec()) };
        let mut whole = Vec::new();
        for number in 0..count {
            whole.extend_from_slice(&self.db.get(piece_key(key, number)).map_err(RowsError::Storage)?.unwrap_or_default());
        }
        Ok(whole)
    }

    /// Every row that was folded, in order: for checkpoints and comparison.
    pub(crate) fn all(&self) -> impl Iterator<Item = Result<(Bytes, Bytes), RowsError>> {
        let folded = |key: &[u8]| key != ORIGIN && key.first() != Some(&PIECE);
        self.db.iter().filter(move |row| row.as_ref().map_or(true, |(key, _)| folded(key))).map(|row| self.entry(row))
    }

    fn entry(&self, row: sled::Result<(sled::IVec, sled::IVec)>) -> Result<(Bytes, Bytes), RowsError> {
        let (key, row) = row.map_err(RowsError::Storage)?;
        let whole = self.whole(&key, &row)?;
        Ok((key.to_vec(), whole))
    }
}

impl Base for Store {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, RowsError> {
        if !self.filter.may_have(key) {
            return Ok(None);
        }
        self.db.get(key).map_err(RowsError::Storage)?.map(|row| self.whole(key, &row)).transpose()
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<(Bytes, Bytes)>, RowsError> {
        let from = after.map_or_else(|| prefix.to_vec(), |after| [after, &[0]].concat());
        let within = |row: &sled::Result<(sled::IVec, sled::IVec)>| row.as_ref().map_or(true, |(key, _)| key.starts_with(prefix));
        self.db.range(from..).take_while(within).take(limit).map(|row| self.entry(row)).collect()
    }

    fn scan_back(&self, prefix: &[u8], before: Option<&[u8]>, limit: usize) -> Result<Vec<(Bytes, Bytes)>, RowsError> {
        let end = before.map_or_else(|| [prefix, &[0xff; 9]].concat(), <[u8]>::to_vec);
        let within = |row: &sled::Result<(sled::IVec, sled::IVec)>| row.as_ref().map_or(true, |(key, _)| key.starts_with(prefix));
        self.db.range(prefix.to_vec()..end).rev().take_while(within).take(limit).map(|row| self.entry(row)).collect()
    }
}

fn open_sled(path: &Path) -> Result<sled::Db, StoreError> {
    let config =
        || sled::Config::new().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(Some(FLUSH_EVERY_MS)).mode(sled::Mode::LowSpace);
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

fn prefixed(tag: u8, bytes: &[u8]) -> Vec<u8> {
    [&[tag], bytes].concat()
}

fn piece_key(key: &[u8], number: u32) -> Vec<u8> {
    [&[PIECE], key, &number.to_be_bytes()].concat()
}

fn piece_count(row: &[u8]) -> Option<u32> {
    match row.split_first() {
        Some((&IN_PIECES, count)) => count.try_into().ok().map(u32::from_be_bytes),
        _ => None,
    }
}

/// Another one after every start of the machine. Where the system has none, every start counts as one.
fn boot_id() -> String {
    std::fs::read_to_string(PathBuf::from("/proc/sys/kernel/random/boot_id")).map(|id| id.trim().to_owned()).unwrap_or_default()
}
