//! Opening the journal: the store's lock, recovery, and the two threads.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::watch;

use super::checkpoint::Checkpoints;
use super::committer::{Committer, Shared};
use super::disk::{Disk, RealDisk};
use super::frame::Builder;
use super::lock::{LockError, StoreLock};
use super::manifest::{self, Manifest};
use super::marks::{MARKS_MAX, Marks};
use super::queue::Queue;
use super::recover::{Recovered, recover};
use super::segment::{self, SEGMENT_BYTES_MIN, SegmentFile};
use super::spares::{Preparation, Spares};
use super::{Journal, Place, Seq, files, reader};
use crate::clock::Clock;

/// The journal's folder in the store.
pub(super) const FOLDER: &str = "journal";

/// How the journal is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// Size of a segment file. Existing ones keep theirs.
    pub segment_bytes: u64,
    /// How many appends may wait before [`AppendError::Busy`](super::AppendError::Busy).
    pub waiting_max: usize,
    /// How many bytes these may have; while so many are written, as many again may wait.
    pub waiting_bytes_max: usize,
    /// What must stay free on the disk; below it no segment is prepared.
    pub min_free_bytes: u64,
    /// How long to wait before looking for room again.
    pub look_again: Duration,
    /// Answer before `fdatasync`. A power cut then loses acknowledged records, and may look like damage.
    pub unsafe_no_fsync: bool,
    /// Step over damage: keep what is sound behind it and note the gap.
    pub survive_damage: bool,
    /// Number of the first record of a journal that does not exist yet.
    pub first: Seq,
    /// What frames are dated by.
    pub clock: Clock,
    pub(super) disk: Arc<dyn Disk>,
}

impl Options {
    /// The defaults: 16 MiB segments, everything synced, damage refused.
    pub fn new(clock: Clock) -> Self {
        Self {
            segment_bytes: 16 << 20,
            waiting_max: 4096,
            waiting_bytes_max: 16 << 20,
            min_free_bytes: 256 << 20,
            look_again: Duration::from_secs(1),
            unsafe_no_fsync: false,
            survive_damage: false,
            first: Seq(1),
            clock,
            disk: Arc::new(RealDisk),
        }
    }
}

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The oldest record that is still in a segment; the number the next one will get when there is none.
    pub first: Seq,
    /// The newest record; `Seq(0)` when nothing was ever written.
    pub last: Seq,
    /// There was no journal before.
    pub created: bool,
    /// It was closed in order the last time.
    pub clean: bool,
    /// What was cut off: the beginning of a write that was never acknowledged.
    pub torn_tail: Option<Place>,
    /// Records that are lost, those noted at earlier starts included, oldest first.
    pub gaps: Vec<Gap>,
}

impl Opened {
    /// Whether no record was ever written: only then may an identity be made for it.
    pub fn is_empty(&self) -> bool {
        self.last < self.first
    }
}

/// Records that were on disk and are lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The first lost record.
    pub first: Seq,
    /// The last lost record; below `first` when a file is missing that held none.
    pub last: Seq,
    /// Where they should be.
    pub at: Place,
}

/// The journal could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses the store.
    #[error("the store is in use{}", holder.map(|pid| format!(" by process {pid}")).unwrap_or_default())]
    InUse {
        /// Its process id, if the lock file says one.
        holder: Option<u32>,
    },
    /// The operating system refused.
    #[error("cannot open the journal at {}", path.display())]
    Io {
        /// What was worked on.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// Records that were on disk are not sound any more.
    #[error(
        "the journal is damaged at {at}{}; restore a backup, or go on without what is lost by `sleeksync store rebuild --survive-damage`",
        lost.map(|(first, last)| format!(": records {first} to {last} are lost")).unwrap_or_default()
    )]
    Damaged {
        /// Where the first missing frame should be.
        at: Place,
        /// The lost records, where it is known which.
        lost: Option<(Seq, Seq)>,
    },
    /// The file that says where the journal begins is not what was written.
    #[error("{} is damaged", path.display())]
    ManifestDamaged {
        /// The file.
        path: PathBuf,
    },
    /// The store has an identity or checkpoints, but no segment.
    #[error("the segments of {} are gone", path.display())]
    JournalGone {
        /// The journal's folder.
        path: PathBuf,
    },
    /// Segments must hold at least a few records.
    #[error("segments of {bytes} bytes are too small")]
    SegmentBytes {
        /// What was asked for.
        bytes: u64,
    },
}

impl Journal {
    /// Opens the journal of the store in `store`, or creates it, and recovers it. Blocks: everything is read once.
    pub fn open(store: &Path, options: Options) -> Result<(Journal, Opened), OpenError> {
        if options.segment_bytes < SEGMENT_BYTES_MIN {
            return Err(OpenError::SegmentBytes { bytes: options.segment_bytes });
        }
        let folder = store.join(FOLDER);
        let io = |source| OpenError::Io { path: folder.clone(), source };
        files::create_folder(&folder).map_err(io)?;
        let lock = Self::lock(store)?;
        let created = segment::list(&folder).map_err(io)?.is_empty();
        if created {
            create(store, &folder, &options)?;
        }
        let recovered = recover(options.disk.as_ref(), &folder, options.survive_damage)?;
        manifest::clear_clean_mark(&folder).map_err(io)?;
        let opened = Opened {
            first: Seq(recovered.catalog.first_seq().unwrap_or(recovered.next_seq)),
            last: Seq(recovered.next_seq.saturating_sub(1)),
            created,
            clean: recovered.clean,
            torn_tail: recovered.torn_tail.clone(),
            gaps: recovered.gaps.clone(),
        };
        let journal = start(folder, options, recovered, lock)?;
        Ok((journal, opened))
    }
}

impl Journal {
    /// Keeps every other process away from a store, to look at it as it lies there.
    ///
    /// # Errors
    /// Another process uses it.
    pub fn lock(store: &Path) -> Result<StoreLock, OpenError> {
        StoreLock::acquire(store).map_err(|error| match error {
            LockError::Held(holder) => OpenError::InUse { holder },
            LockError::Io(source) => OpenError::Io { path: store.to_path_buf(), source },
        })
    }
}

/// Makes the first segment of a journal that does not exist yet.
fn create(store: &Path, folder: &Path, options: &Options) -> Result<(), OpenError> {
    let io = |source| OpenError::Io { path: folder.to_path_buf(), source };
    let leftovers = super::checkpoint::list(folder).map_err(io)?;
    let manifest = Manifest::read(folder);
    let begun =
        !matches!(&manifest, Ok(manifest) if *manifest == Manifest::starting_at(1) || *manifest == Manifest::starting_at(options.first.0));
    if begun || !leftovers.is_empty() || super::identity::exists(store) {
        return Err(OpenError::JournalGone { path: folder.to_path_buf() });
    }
    Manifest::starting_at(options.first.0.max(1)).write(folder).map_err(io)?;
    let disk = options.disk.as_ref();
    SegmentFile::create(disk, folder, 1, options.segment_bytes, &|| false).map_err(io)?;
    Ok(())
}

/// Starts the threads of a recovered journal.
fn start(folder: PathBuf, options: Options, recovered: Recovered, lock: StoreLock) -> Result<Journal, OpenError> {
    let newest = recovered.ready.last().unwrap_or(&recovered.active).number;
    let preparation = Preparation {
        disk: Arc::clone(&options.disk),
        folder: folder.clone(),
        segment_bytes: options.segment_bytes,
        min_free: options.min_free_bytes,
        look_again: options.look_again,
    };
    let shared = Arc::new(Shared {
        queue: Queue::new(options.waiting_max, options.waiting_bytes_max),
        spares: Spares::new(preparation, recovered.ready, newest.saturating_add(1)),
        catalog: Arc::new(recovered.catalog),
        checkpoints: Arc::new(Checkpoints::new(folder.clone())),
        maintenance: Mutex::new(()),
        syncs: AtomicU64::new(0),
        crowd: AtomicUsize::new(0),
        synced: watch::Sender::new(Seq(recovered.next_seq.saturating_sub(1))),
        finished: watch::Sender::new(false),
    });
    let disk = Arc::clone(&options.disk);
    let committer = Committer {
        shared: Arc::clone(&shared),
        disk: options.disk,
        clock: options.clock,
        folder: folder.clone(),
        no_fsync: options.unsafe_no_fsync,
        active: recovered.active,
        at: recovered.at,
        next_frame: recovered.next_frame,
        next_seq: recovered.next_seq,
        frame: Builder::default(),
        marks: Marks::new(MARKS_MAX),
        answers: Vec::new(),
    };
    let preparing = Arc::clone(&shared);
    let path = folder.clone();
    let io = |source| OpenError::Io { path: path.clone(), source };
    let prepares = named("journal-segments", move || preparing.spares.keep_ready()).map_err(io)?;
    let commits = named("journal-commit", move || committer.run());
    if commits.is_err() {
        shared.spares.close();
    }
    let threads = vec![prepares, commits.map_err(io)?];
    Ok(Journal { shared, disk, folder, segment_bytes: options.segment_bytes, threads, last_read: reader::Last::default(), _lock: lock })
}

/// A thread of its own, not a task: it blocks on the disk for as long as the journal is open.
fn named(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(body)
}
