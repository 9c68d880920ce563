//! Folding in batches: from the journal into rows.

use bytes::Bytes;

use super::fold::Fold;
use super::rows::{Overlay, RowsError};
use super::store::Store;
use crate::journal::{Journal, ReadError, Reader, Seq};
use crate::record::{ConnectorId, DecodeError, Record};

/// Records folded into one batch.
const BATCH_RECORDS: usize = 512;
/// Bytes of records folded into one batch.
const BATCH_BYTES: usize = 2 << 20;

/// Why the journal could not be folded.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The rows.
    #[error("the index failed")]
    Rows(#[from] RowsError),
    /// The journal.
    #[error("the journal cannot be read")]
    Read(#[from] ReadError),
    /// A record.
    #[error("record {seq} cannot be folded")]
    Record {
        /// Its number.
        seq: u64,
        /// Why.
        source: DecodeError,
    },
}

/// What one batch did.
pub(super) struct Folded {
    /// Number of its last record.
    pub upto: u64,
    /// Connectors that may have something to do.
    pub touched: Vec<ConnectorId>,
    /// The batch was full: there may be more in the journal.
    pub has_more: bool,
}

/// Folds a journal into a store, batch by batch.
pub(super) struct Follower<'a> {
    store: &'a Store,
    reader: Reader,
    held: Option<(Seq, Bytes)>,
}

impl<'a> Follower<'a> {
    /// From behind the last record that `store` knows.
    pub(super) fn new(store: &'a Store, journal: &Journal, folded: u64) -> Self {
        Self { store, reader: journal.read_from(Seq(folded + 1)), held: None }
    }

    /// Folds the next records as one batch; `None` when there are none yet.
    ///
    /// A checkpoint's record is a batch of its own, so that what it expires does not depend on how records were grouped.
    pub(super) fn next_batch(&mut self) -> Result<Option<Folded>, FollowError> {
        let Some(mut next) = self.next()? else { return Ok(None) };
        let mut fold = Fold::new(Overlay::new(self.store))?;
        let (mut records, mut size) = (0, 0);
        let has_more = loop {
            let (seq, bytes) = next;
            let (record, body) = Record::decode(&bytes).map_err(|source| FollowError::Record { seq: seq.0, source })?;
            let alone = matches!(record, Record::Checkpoint { .. });
            if alone && records > 0 {
                self.held = Some((seq, bytes));
                break true;
            }
            fold.apply(seq.0, &record, body)?;
            records += 1;
            size += bytes.len();
            if alone || records >= BATCH_RECORDS || size >= BATCH_BYTES {
                break true;
            }
            match self.next()? {
                Some(another) => next = another,
                None => break false,
            }
        };
        let upto = fold.folded();
        let (changes, touched) = fold.finish()?;
        self.store.apply(changes)?;
        Ok(Some(Folded { upto, touched, has_more }))
    }

    fn next(&mut self) -> Result<Option<(Seq, Bytes)>, ReadError> {
        self.held.take().map(Ok).or_else(|| self.reader.next()).transpose()
    }
}
