//! Folding in batches: from the journal into rows.

use std::sync::mpsc::sync_channel;

use bytes::Bytes;

use super::fold::{self, Fold};
use super::rows::{Overlay, RowsError};
use super::store::Store;
use crate::journal::{Journal, ReadError, Reader, Seq};
use crate::record::{ConnectorId, DecodeError, Record};

/// Records folded into one batch.
const BATCH_RECORDS: usize = 1024;
/// Bytes of records folded into one batch.
const BATCH_BYTES: usize = 2 << 20;

/// Bodies read ahead at once.
const CHUNK_RECORDS: usize = 64;
/// Chunks that wait to be folded.
const CHUNKS_AHEAD: usize = 4;

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

/// A record and its body.
struct Read {
    seq: u64,
    record: Record,
    body: Bytes,
}

/// What one batch did.
pub(super) struct Folded {
    /// Number of its last record.
    pub upto: u64,
    /// Connectors that may have something to do.
    pub touched: Vec<ConnectorId>,
    /// There was more in the journal than fits into one batch.
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
        let (records, has_more) = self.read()?;
        if records.is_empty() {
            return Ok(None);
        }
        let mut fold = Fold::new(Overlay::new(self.store))?;
        fold_all(&mut fold, &records)?;
        let upto = fold.folded();
        let (changes, touched) = fold.finish()?;
        self.store.apply(changes)?;
        Ok(Some(Folded { upto, touched, has_more }))
    }

    /// The records of the next batch, and whether there may be more.
    fn read(&mut self) -> Result<(Vec<Read>, bool), FollowError> {
        let (mut records, mut size) = (Vec::new(), 0);
        while records.len() < BATCH_RECORDS && size < BATCH_BYTES {
            let Some((seq, bytes)) = self.held.take().map(Ok).or_else(|| self.reader.next()).transpose()? else {
                return Ok((records, false));
            };
            let (record, body) = Record::decode(&bytes).map_err(|source| FollowError::Record { seq: seq.0, source })?;
            let alone = matches!(record, Record::Checkpoint { .. });
            if alone && !records.is_empty() {
                self.held = Some((seq, bytes));
                break;
            }
            size += bytes.len();
            let body = bytes.slice_ref(body);
            records.push(Read { seq: seq.0, record, body });
            if alone {
                break;
            }
        }
        Ok((records, true))
    }
}

/// Folds records in their order. Of many events, the bodies are read ahead by a thread that ends with this: that is a quarter of the work.
fn fold_all(fold: &mut Fold<'_>, records: &[Read]) -> Result<(), RowsError> {
    if records.iter().filter(|read| matches!(read.record, Record::Event(_))).count() <= CHUNK_RECORDS {
        return records.iter().try_for_each(|read| fold.apply(read.seq, &read.record, &read.body));
    }
    std::thread::scope(|scope| {
        let (ahead, bodies) = sync_channel(CHUNKS_AHEAD);
        scope.spawn(move || {
            for chunk in records.chunks(CHUNK_RECORDS) {
                let bodies: Vec<_> = chunk.iter().map(|read| fold::read(&read.record, &read.body)).collect();
                if ahead.send(bodies).is_err() {
                    // Folding failed.
                    return;
                }
            }
        });
        for (chunk, bodies) in records.chunks(CHUNK_RECORDS).zip(bodies) {
            for (read, body) in chunk.iter().zip(bodies) {
                fold.apply_read(read.seq, &read.record, body)?;
            }
        }
        Ok(())
    })
}
