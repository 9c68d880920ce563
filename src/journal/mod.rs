//! The journal: everything that happened, in order, on disk. The rest of the store can be rebuilt from it.
//!
//! Promises:
//! - [`Journal::append`] returns once the records are on disk, not before; a group is kept whole or not at all.
//! - Records are numbered from 1 without a gap, and a number is never given twice.
//! - Readers see synced records only.
//! - Opening cuts a torn tail, which was never acknowledged, and refuses damage unless told to survive it.
//! - Running out of room refuses events and recovers by itself; a failed write or sync poisons the journal for good.
//! - A segment is retired only when the older of two sound checkpoints stands in for it.
//!
//! It does not know what a record means, and it decides nothing about retention: it retires, rewrites and checkpoints when it is
//! told to. Appending is asynchronous; everything that reads or maintains blocks on the disk.

mod catalog;
mod checkpoint;
mod committer;
mod disk;
mod files;
mod first_product;
mod frame;
mod identity;
mod lock;
mod manifest;
mod marks;
mod open;
mod queue;
mod reader;
mod recover;
mod retire;
mod rewrite;
mod scan;
mod segment;
mod spares;
mod verify;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sleeksync_connectors::contract::Time;
use tokio::sync::{oneshot, watch};

use committer::Shared;
use disk::Disk;
use frame::{HEADER_BYTES, RECORD_OVERHEAD};
use queue::{End, Request, Work};
use segment::DATA_START;

pub use checkpoint::{Checkpoint, CheckpointError, CheckpointWriter, Row, Rows};
pub use first_product::{FirstProduct, FirstProductError};
pub use identity::{Identity, IdentityError, SIGNATURE_DIGITS};
pub use lock::StoreLock;
pub use open::{Gap, OpenError, Opened, Options};
pub use reader::{Backwards, ReadError, Reader};
pub use retire::{RetireError, Retired};
pub use rewrite::{RewriteError, Rewritten};
pub use verify::{Fault, Verified, verify};

/// The number of one record: 1 for the first, then one more each; 0 is before all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What makes an event a duplicate of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Hash of what must be equal: product, action, timestamp and data.
    pub digest: [u8; 16],
    /// Hash of the item and the action.
    pub subject: [u8; 16],
    /// For an event without a timestamp: it repeats only the newest event of its subject.
    pub only_newest: bool,
}

/// One record to append.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The record as it goes to disk.
    pub bytes: Bytes,
    /// For events: how a repetition is recognised.
    pub mark: Option<Mark>,
}

/// Which room an append may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// All but the reserve.
    Normal,
    /// The reserve too: for what records a delivery that has begun (intents, outcomes, and what ends with them).
    Reserve,
}

/// How much room the journal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomLeft {
    /// The next segments are ready or being made.
    Plenty,
    /// The disk has no room for another segment; what is ready is still used.
    ThisSegment,
    /// Only what remains of the reserve, for [`Room::Reserve`]. Events are refused.
    Reserve,
}

/// A successful append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// The records are on disk; the number of the group's first, the others follow it.
    Stored(Seq),
    /// An equal event is on disk already, under this number. Nothing was written.
    Duplicate(Seq),
}

/// Nothing was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The journal is shutting down.
    #[error("the journal is closed")]
    Closed,
    /// There is no room on disk. It is looked for again every second.
    #[error("no room on disk for the journal")]
    NoRoom,
    /// More is waiting to be synced than [`Options`] allow.
    #[error("too many appends are waiting")]
    Busy,
    /// A write or a sync failed. Whether these records are on disk is unknown; the process must end.
    #[error("writing the journal failed")]
    Poisoned,
    /// The group has no record, or more bytes than [`Journal::group_bytes_max`].
    #[error("a group of {bytes} bytes cannot be appended")]
    Size {
        /// What the group would take.
        bytes: usize,
    },
}

/// A place in one of the journal's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// Bytes from its beginning.
    pub offset: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {} of {}", self.offset, self.file.display())
    }
}

/// Figures for status and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Segment files, those kept ready included.
    pub segments: usize,
    /// Bytes of these files.
    pub bytes_on_disk: u64,
    /// `fdatasync` calls since the start.
    pub syncs: u64,
    /// Appends that wait to be written.
    pub waiting: usize,
    /// How much room there is.
    pub room: RoomLeft,
    /// A write or a sync failed: nothing is written any more.
    pub poisoned: bool,
}

/// An open journal. Dropping it writes what waits; only [`Journal::shutdown`] marks the store as cleanly closed.
#[derive(Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    segment_bytes: u64,
    last_read: reader::Last,
    threads: Vec<JoinHandle<()>>,
    /// Dropped last, after the threads have ended.
    _lock: StoreLock,
}

impl Journal {
    /// Appends `group` and returns once it is on disk.
    ///
    /// The group's records get consecutive numbers and are kept all or none. A group of one entry with a mark may turn
    /// out to be a repetition of a recent one: then nothing is written, and the answer still waits until that one is on
    /// disk. When the caller stops waiting, the records are kept all the same. They are copied when this is called, before
    /// the answer is waited for.
    pub fn append(&self, group: &[Entry], room: Room) -> impl Future<Output = Result<Appended, AppendError>> + Send + use<> {
        let bytes = group.iter().map(|entry| entry.bytes.len().saturating_add(RECORD_OVERHEAD)).fold(0, usize::saturating_add);
        let fits = !group.is_empty() && bytes <= self.group_bytes_max();
        let asked = fits.then(|| self.ask(Work::Store { marks: group.iter().map(|entry| entry.mark).collect(), bytes }, group, room));
        async move {
            match asked {
                Some(asked) => asked.await,
                None => Err(AppendError::Size { bytes }),
            }
        }
    }

    fn ask(&self, work: Work, group: &[Entry], room: Room) -> impl Future<Output = Result<Appended, AppendError>> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        let asked = self.shared.queue.push(Request { work, room, answer }, group);
        async move {
            asked?;
            let answer = answered.await.map_err(|_| AppendError::Poisoned)?;
            drop(answer.others);
            answer.result
        }
    }

    /// The most bytes a group may have, counting [`Journal::RECORD_OVERHEAD`] for each of its records.
    pub fn group_bytes_max(&self) -> usize {
        let room = self.segment_bytes.saturating_sub(DATA_START + HEADER_BYTES as u64 + 8);
        usize::try_from(room).unwrap_or(usize::MAX).min(Self::GROUP_BYTES_MAX)
    }

    /// The most bytes a group may have, whatever the size of segments.
    pub const GROUP_BYTES_MAX: usize = 12 << 20;

    /// Bytes a record takes besides its own.
    pub const RECORD_OVERHEAD: usize = RECORD_OVERHEAD;

    /// Reads forwards from `from`, or from the oldest record there is. Blocks on the disk.
    pub fn read_from(&self, from: Seq) -> Reader {
        Reader::new(Arc::clone(&self.shared.catalog), from)
    }

    /// Reads backwards from the record before `before`, or from the newest. Blocks on the disk.
    pub fn read_back(&self, before: Option<Seq>) -> Backwards {
        Backwards::new(Arc::clone(&self.shared.catalog), before)
    }

    /// The record `seq`. Blocks on the disk. None when it is not synced yet, retired and not carried on by a
    /// checkpoint, or known to be lost.
    pub fn read_one(&self, seq: Seq) -> Result<Option<Bytes>, ReadError> {
        match reader::read_one(&self.shared.catalog, &self.last_read, seq)? {
            None if self.shared.catalog.first_seq().is_none_or(|first| seq.0 < first) => self.shared.checkpoints.carried(seq),
            found => Ok(found),
        }
    }

    /// Begins a checkpoint that holds all up to `folded`, with rows of the fold's version `version`. Blocks on the disk.
    ///
    /// It is complete with [`CheckpointWriter::finish`]. Only one should be written at a time.
    pub fn checkpoint(&self, folded: Seq, version: u32) -> Result<CheckpointWriter, CheckpointError> {
        let synced = *self.shared.synced.borrow();
        CheckpointWriter::begin(&self.shared.checkpoints, folded, version, synced)
    }

    /// The sound checkpoints, newest first: two when there were that many. Blocks on the disk, the first time for all of them.
    pub fn checkpoints(&self) -> Result<Vec<Arc<Checkpoint>>, ReadError> {
        Ok(self.shared.checkpoints.found()?.sound)
    }

    /// Where the newest checkpoint stands and when it was written, sound or not: without reading it.
    pub fn newest_checkpoint(&self) -> Result<Option<(Seq, Time)>, ReadError> {
        checkpoint::newest(&self.folder).map_err(|source| ReadError::Io { path: self.folder.clone(), source })
    }

    /// Checkpoint files that are damaged, for a person to know.
    pub fn damaged_checkpoints(&self) -> Result<Vec<PathBuf>, ReadError> {
        Ok(self.shared.checkpoints.found()?.damaged)
    }

    /// The number of the last record on disk, now and whenever it changes. `Seq(0)` for none.
    pub fn synced(&self) -> watch::Receiver<Seq> {
        self.shared.synced.subscribe()
    }

    /// Whether a write or a sync failed. Then the process must end: what is on disk is found out at the next start.
    pub fn is_poisoned(&self) -> bool {
        self.shared.queue.ended() == Some(End::Poisoned)
    }

    /// Ends when a write or a sync has failed; waits for ever where none ever does.
    pub async fn failed(&self) {
        let mut finished = self.shared.finished.subscribe();
        // The sender is in `shared`, so waiting can only end by its turning true.
        drop(finished.wait_for(|finished| *finished).await);
        if !self.is_poisoned() {
            std::future::pending::<()>().await;
        }
    }

    /// The most appends of [`Room::Normal`] that shared a sync since this was asked last.
    pub fn take_crowd(&self) -> usize {
        self.shared.crowd.swap(0, Ordering::Relaxed)
    }

    /// How much room there is.
    pub fn room(&self) -> RoomLeft {
        self.shared.spares.room()
    }

    /// Figures for status and metrics.
    pub fn stats(&self) -> Stats {
        let known = self.shared.catalog.known();
        let (ready_bytes, ready) = self.shared.spares.ready();
        Stats {
            segments: known.len() + ready,
            bytes_on_disk: known.iter().map(|segment| segment.file_bytes).sum::<u64>() + ready_bytes,
            syncs: self.shared.syncs.load(Ordering::Relaxed),
            waiting: self.shared.queue.len(),
            room: self.room(),
            poisoned: self.is_poisoned(),
        }
    }

    /// Takes nothing in any more, writes what waits, and marks the store as cleanly closed.
    ///
    /// From then on appends are answered with [`AppendError::Closed`]; reading goes on to work.
    pub async fn shutdown(&self) {
        self.shared.queue.end(End::Shutdown);
        let mut finished = self.shared.finished.subscribe();
        // The sender is in `shared`, so waiting can only end by its turning true.
        drop(finished.wait_for(|finished| *finished).await);
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.shared.queue.end(End::Dropped);
        for thread in self.threads.drain(..) {
            // A thread that panicked has ended the queue already, and its message is out.
            drop(thread.join());
        }
    }
}
