//! How the fold reads and writes rows: typed, over an overlay that becomes one batch.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::key::Key;

/// Bytes of a row.
pub type Bytes = Vec<u8>;

/// Why rows cannot be read or written. The index is disposable: every one of these ends in a rebuild.
#[derive(Debug, thiserror::Error)]
pub enum RowsError {
    /// The store below failed.
    #[error("index storage failed")]
    Storage(#[source] sled::Error),
    /// A row does not decode.
    #[error("index row does not decode")]
    Row(#[source] postcard::Error),
    /// A page does not unpack.
    #[error("index page does not unpack")]
    Page(#[source] lz4_flex::block::DecompressError),
    /// The files of pages failed.
    #[error("index files failed")]
    File(#[source] std::io::Error),
    /// sled holds something else than where a page is.
    #[error("index holds no place where one belongs")]
    Place,
    /// The thread that merges changed rows panicked.
    #[error("index rows were not merged to the end")]
    Merge,
    /// The index is being opened or rebuilt.
    #[error("index is not ready")]
    NotReady,
}

/// What lies below the overlay: sled, or a map in tests.
pub trait Base {
    /// Whether there may be a row, or one that was noted: `false` is certain, and quick to say.
    fn may_have(&self, _key: &[u8]) -> bool {
        true
    }

    /// From now on there may be such a row: it will be written.
    fn note(&self, _key: &[u8]) {}

    /// One row.
    ///
    /// # Errors
    /// The storage failed.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, RowsError>;

    /// Rows whose keys begin with `prefix` and are greater than `after`, in order, `limit` at most.
    ///
    /// # Errors
    /// The storage failed.
    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<(Bytes, Bytes)>, RowsError>;

    /// Rows whose keys begin with `prefix` and are less than `before`, from the last on, `limit` at most.
    ///
    /// # Errors
    /// The storage failed.
    fn scan_back(&self, prefix: &[u8], before: Option<&[u8]>, limit: usize) -> Result<Vec<(Bytes, Bytes)>, RowsError>;
}

/// A changed row; `None` is a removed one.
pub type Change = Option<Box<[u8]>>;

/// Changed rows over what lies below.
pub type Changes = BTreeMap<Key, Change>;

/// Rows as one group of records sees and changes them.
pub struct Overlay<'a> {
    base: &'a dyn Base,
    changes: Changes,
    /// Rows are written here first: a row's own bytes are then allocated once, and no longer than they are.
    scratch: Bytes,
}

impl<'a> Overlay<'a> {
    /// Nothing changed yet.
    pub fn new(base: &'a dyn Base) -> Self {
        Self { base, changes: BTreeMap::new(), scratch: Bytes::new() }
    }

    /// What was changed.
    pub fn into_changes(self) -> Changes {
        self.changes
    }

    /// One row.
    ///
    /// # Errors
    /// The storage failed, or the row does not decode.
    pub fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, RowsError> {
        if !self.base.may_have(key) {
            return Ok(None);
        }
        match self.changes.get(key) {
            Some(Some(bytes)) => decode(bytes).map(Some),
            Some(None) => Ok(None),
            None => self.base.get(key)?.map(|bytes| decode(&bytes)).transpose(),
        }
    }

    /// Writes one row.
    ///
    /// # Errors
    /// The row does not encode.
    pub fn put<T: Serialize>(&mut self, key: Key, row: &T) -> Result<(), RowsError> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        self.scratch = postcard::to_extend(row, scratch).map_err(RowsError::Row)?;
        self.base.note(&key);
        self.changes.insert(key, Some(self.scratch.as_slice().into()));
        Ok(())
    }

    /// Removes one row.
    pub fn remove(&mut self, key: Key) {
        self.changes.insert(key, None);
    }

    /// Raw rows below the overlay whose keys begin with `prefix` and are greater than `after`: for sweeps that only remove.
    ///
    /// # Errors
    /// The storage failed.
    pub fn scan_after(&self, prefix: &[u8], after: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, RowsError> {
        self.base.scan(prefix, Some(after), limit)
    }

    /// Rows whose keys begin with `prefix`, in order, `limit` at most.
    ///
    /// # Errors
    /// The storage failed, or a row does not decode.
    pub fn scan<T: DeserializeOwned>(&self, prefix: &Key, limit: usize) -> Result<Vec<(Key, T)>, RowsError> {
        let changed = self.changed(prefix);
        // Every removed row may hide one below, so that many more are read.
        let removed = changed.iter().filter(|(_, row)| row.is_none()).count();
        let known = self.base.scan(prefix, None, limit.saturating_add(removed))?;
        let mut rows: BTreeMap<Key, Bytes> = known.into_iter().map(|(key, row)| (key.as_slice().into(), row)).collect();
        for (key, row) in changed {
            match row {
                Some(row) => rows.insert(key.clone(), row.to_vec()),
                None => rows.remove(key),
            };
        }
        rows.into_iter().take(limit).map(|(key, row)| Ok((key, decode(&row)?))).collect()
    }

    fn changed(&self, prefix: &Key) -> Vec<(&Key, &Change)> {
        self.changes.range::<Key, _>(prefix..).take_while(|(key, _)| key.starts_with(prefix)).collect()
    }
}

/// Reads a row.
///
/// # Errors
/// It does not decode.
pub fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, RowsError> {
    postcard::from_bytes(bytes).map_err(RowsError::Row)
}

/// Rows in memory, for tests.
#[cfg(test)]
impl Base for BTreeMap<Bytes, Bytes> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, RowsError> {
        Ok(BTreeMap::get(self, key).cloned())
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<(Bytes, Bytes)>, RowsError> {
        let from = after.map_or_else(|| prefix.to_vec(), |after| [after, &[0]].concat());
        Ok(self
            .range(from..)
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(limit)
            .map(|(key, row)| (key.clone(), row.clone()))
            .collect())
    }

    fn scan_back(&self, prefix: &[u8], before: Option<&[u8]>, limit: usize) -> Result<Vec<(Bytes, Bytes)>, RowsError> {
        let within = self.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        let below: Vec<_> = within.filter(|(key, _)| before.is_none_or(|before| key.as_slice() < before)).collect();
        Ok(below.into_iter().rev().take(limit).map(|(key, row)| (key.clone(), row.clone())).collect())
    }
}
