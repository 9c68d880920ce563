//! The journal from outside, on a real file system, with the disk's failures injected.

mod appending;
mod checkpoints;
mod corruption;
mod recovery;
mod retiring;
mod rewriting;
mod room;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;

use super::disk::Disk;
use super::{AppendError, Appended, Entry, Journal, Mark, Opened, Options, Room, Seq};
use crate::clock::Clock;

/// A disk that fails on request.
#[derive(Debug, Default)]
pub(super) struct FaultyDisk {
    /// Preparing a segment fails with ENOSPC.
    pub(super) full: AtomicBool,
    /// Writing a frame fails half way.
    pub(super) fail_write: AtomicBool,
    /// Syncing fails.
    pub(super) fail_sync: AtomicBool,
    /// `statvfs` says there is hardly anything left.
    pub(super) short: AtomicBool,
    pub(super) syncs: AtomicUsize,
}

const ENOSPC: i32 = 28;
const EIO: i32 = 5;

impl Disk for FaultyDisk {
    fn fill(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        if self.full.load(Ordering::SeqCst) {
            return Err(io::Error::from_raw_os_error(ENOSPC));
        }
        file.write_all_at(bytes, offset)
    }

    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        if self.fail_write.load(Ordering::SeqCst) {
            file.write_all_at(&bytes[..bytes.len() / 2], offset)?;
            return Err(io::Error::from_raw_os_error(EIO));
        }
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        if self.fail_sync.load(Ordering::SeqCst) {
            return Err(io::Error::from_raw_os_error(EIO));
        }
        file.sync_data()
    }

    fn free_bytes(&self, _folder: &Path) -> io::Result<u64> {
        Ok(if self.short.load(Ordering::SeqCst) { 1 } else { u64::MAX })
    }
}

/// Small segments, and room looked for without making tests wait.
pub(super) fn options() -> Options {
    Options { segment_bytes: 64 << 10, look_again: Duration::from_millis(5), min_free_bytes: 0, ..Options::new(Clock::system()) }
}

pub(super) fn options_on(disk: &Arc<FaultyDisk>) -> Options {
    let disk: Arc<FaultyDisk> = Arc::clone(disk);
    Options { disk, ..options() }
}

pub(super) fn open(store: &Path) -> (Journal, Opened) {
    Journal::open(store, options()).unwrap()
}

pub(super) fn entry(bytes: impl Into<Vec<u8>>) -> Entry {
    Entry { bytes: Bytes::from(bytes.into()), mark: None }
}

/// A record that says its number, and some ballast.
pub(super) fn numbered(seq: u64, ballast: usize) -> Entry {
    entry(format!("{seq} {}", "x".repeat(ballast)))
}

pub(super) fn marked(digest: u8, subject: u8, only_newest: bool) -> Entry {
    let mark = Mark { digest: [digest; 16], subject: [subject; 16], only_newest };
    Entry { mark: Some(mark), ..entry(format!("{digest} of {subject}")) }
}

pub(super) async fn store(journal: &Journal, entry: Entry) -> Seq {
    match journal.append(&[entry], Room::Normal).await {
        Ok(Appended::Stored(seq)) => seq,
        other => panic!("not stored: {other:?}"),
    }
}

/// Appends records `from..=to`, each in a frame of its own.
pub(super) async fn store_numbered(journal: &Journal, from: u64, to: u64, ballast: usize) {
    for seq in from..=to {
        assert_eq!(store(journal, numbered(seq, ballast)).await, Seq(seq));
    }
}

pub(super) fn all(journal: &Journal) -> Vec<(u64, Bytes)> {
    journal.read_from(Seq(1)).map(|record| record.unwrap()).map(|(seq, bytes)| (seq.0, bytes)).collect()
}

pub(super) fn seqs(journal: &Journal) -> Vec<u64> {
    all(journal).into_iter().map(|(seq, _)| seq).collect()
}

/// The segment files, oldest first.
pub(super) fn segment_files(store: &Path) -> Vec<PathBuf> {
    let folder = store.join("journal");
    super::segment::list(&folder).unwrap().into_iter().map(|number| super::segment::path_of(&folder, number)).collect()
}

/// Where the frames of a segment start, and where the last one ends.
pub(super) fn frame_offsets(path: &Path) -> Vec<u64> {
    let file = File::open(path).unwrap();
    let mut header = [0; 48];
    let mut at = super::segment::DATA_START;
    let mut offsets = vec![at];
    while file.read_exact_at(&mut header, at).is_ok() {
        let Some(header) = super::frame::Header::parse(&header) else { break };
        at += header.frame_bytes() as u64;
        offsets.push(at);
    }
    offsets
}

/// Writes into a file behind the journal's back.
pub(super) fn overwrite(path: &Path, offset: u64, bytes: &[u8]) {
    File::options().write(true).open(path).unwrap().write_all_at(bytes, offset).unwrap();
}

pub(super) fn bytes_at(path: &Path, from: u64, to: u64) -> Vec<u8> {
    let mut bytes = vec![0; (to - from) as usize];
    File::open(path).unwrap().read_exact_at(&mut bytes, from).unwrap();
    bytes
}
