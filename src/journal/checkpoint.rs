//! Checkpoints: what the fold knows, streamed into a file, so that old segments may go and a rebuild is short.
//!
//! A checkpoint is fuzzy: it names the record where the dump began, and whoever restores it folds from the one behind
//! that. Rows are opaque: a kind, a key, a value. It also carries records that are still needed although their segment
//! may go. The newest two are kept, and a file counts only when every block of it is sound: from a damaged one the
//! older one is fallen back to. Taking one needs no pause: appends go on.

mod block;
mod writer;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use sleeksync_connectors::contract::Time;

use self::block::{FILE_HEADER_BYTES, FileHeader, Footer, Kind};
use super::scan::Window;
use super::{Place, ReadError, Seq, files};

pub use self::writer::{CheckpointError, CheckpointWriter};

const PREFIX: &str = "checkpoint-";
/// How many are kept. Segments go only behind the oldest of them.
pub(super) const KEPT: usize = 2;

/// The records in front of which the checkpoints in `folder` stand, ascending; sound or not.
pub(super) fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let mut folded = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        folded.extend(digits.and_then(|digits| digits.parse::<u64>().ok()));
    }
    folded.sort_unstable();
    Ok(folded)
}

/// The newest of them, sound or not, and when it was written.
pub(super) fn newest(folder: &Path) -> io::Result<Option<(Seq, Time)>> {
    let Some(folded) = list(folder)?.pop().map(Seq) else { return Ok(None) };
    let written = fs::metadata(path_of(folder, folded))?.modified()?;
    let since = written.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Some((folded, Time::ZERO.plus(since))))
}

fn path_of(folder: &Path, folded: Seq) -> PathBuf {
    folder.join(format!("{PREFIX}{:020}", folded.0))
}

/// One row of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What sort of row; the fold's own numbering.
    pub kind: u8,
    /// Its key.
    pub key: Bytes,
    /// What stands there.
    pub value: Bytes,
}

/// A sound checkpoint.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    file: File,
    salt: u64,
    folded: Seq,
    version: u32,
    rows: u64,
    carried: u64,
    /// (first record, offset of its block), ascending.
    places: Vec<(u64, u64)>,
    bytes: u64,
}

impl Checkpoint {
    /// Opens a checkpoint and checks all of it. None when it is damaged.
    pub(super) fn open(path: &Path) -> io::Result<Option<Checkpoint>> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let mut window = Window::default();
        let header = FileHeader::parse(window.read(&file, 0, FILE_HEADER_BYTES, bytes)?);
        let Some(header) = header.filter(|header| path.ends_with(format!("{PREFIX}{:020}", header.folded))) else {
            return Ok(None);
        };
        let mut checkpoint = Checkpoint {
            path: path.to_path_buf(),
            file,
            salt: header.salt,
            folded: Seq(header.folded),
            version: header.version,
            rows: 0,
            carried: 0,
            places: Vec::new(),
            bytes,
        };
        Ok(checkpoint.check(&mut window)?.then_some(checkpoint))
    }

    /// Reads every block and counts. False when anything is not as it was written.
    fn check(&mut self, window: &mut Window) -> io::Result<bool> {
        let mut at = FILE_HEADER_BYTES as u64;
        let mut index = 0;
        loop {
            let Some((block, payload)) = block::read(window, &self.file, self.salt, at, index, self.bytes)? else {
                return Ok(false);
            };
            let items = u64::from(block.items);
            match block.kind {
                Kind::Rows => self.rows += items,
                Kind::Carried => {
                    self.carried += items;
                    self.places.extend(block::carried(payload).next().map(|(seq, _)| (seq, at)));
                }
                Kind::Footer => {
                    let expected = Footer { rows: self.rows, carried: self.carried, blocks: index };
                    let end = at + block.block_bytes() as u64;
                    return Ok(Footer::parse(payload) == Some(expected) && end == self.bytes);
                }
            }
            at += block.block_bytes() as u64;
            index += 1;
        }
    }

    /// The last record that is certainly in it: go on folding with the one behind.
    pub fn folded(&self) -> Seq {
        self.folded
    }

    /// The version of the rows, as the writer said it.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// How many rows there are.
    pub fn row_count(&self) -> u64 {
        self.rows
    }

    /// How many records it carries.
    pub fn carried_count(&self) -> u64 {
        self.carried
    }

    /// Size of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the rows in the order they were written. Blocks on the disk.
    pub fn rows(self: &Arc<Self>) -> Rows {
        Rows { checkpoint: Arc::clone(self), window: Window::default(), at: FILE_HEADER_BYTES as u64, index: 0, rest: Bytes::new() }
    }

    /// The record `seq`, if this checkpoint carries it.
    pub(super) fn carried(&self, seq: Seq) -> Result<Option<Bytes>, ReadError> {
        let behind = self.places.partition_point(|(first, _)| *first <= seq.0);
        let Some((_, at)) = behind.checked_sub(1).and_then(|place| self.places.get(place)) else {
            return Ok(None);
        };
        let mut window = Window::default();
        let found = block::read_any(&mut window, &self.file, self.salt, *at, self.bytes);
        let (_, payload) = found.map_err(|source| self.io(source))?.ok_or_else(|| self.damaged(*at))?;
        let record = block::carried(payload).find(|(at, _)| *at == seq.0);
        Ok(record.map(|(_, bytes)| Bytes::copy_from_slice(bytes)))
    }

    fn io(&self, source: io::Error) -> ReadError {
        ReadError::Io { path: self.path.clone(), source }
    }

    fn damaged(&self, offset: u64) -> ReadError {
        ReadError::Damaged(Place { file: self.path.clone(), offset })
    }
}

/// Iterates over the rows of a checkpoint.
#[derive(Debug)]
pub struct Rows {
    checkpoint: Arc<Checkpoint>,
    window: Window,
    at: u64,
    index: u64,
    rest: Bytes,
}

impl Rows {
    /// Reads the next block. False after the last.
    fn fill(&mut self) -> Result<bool, ReadError> {
        let Checkpoint { file, salt, bytes, .. } = self.checkpoint.as_ref();
        let found = block::read(&mut self.window, file, *salt, self.at, self.index, *bytes);
        let found = found.map_err(|source| self.checkpoint.io(source))?;
        let (block, payload) = found.ok_or_else(|| self.checkpoint.damaged(self.at))?;
        if block.kind == Kind::Rows {
            self.rest = Bytes::copy_from_slice(payload);
        }
        self.at += block.block_bytes() as u64;
        self.index += 1;
        Ok(block.kind != Kind::Footer)
    }
}

impl Iterator for Rows {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.rest.is_empty() {
            match self.fill() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
        let row = block::split_row(&mut self.rest);
        Some(row.ok_or_else(|| self.checkpoint.damaged(self.at)))
    }
}

/// The checkpoints of a journal. Looked at when first asked for: a start with a healthy index needs none.
#[derive(Debug)]
pub(super) struct Checkpoints {
    folder: PathBuf,
    kept: Mutex<Option<Found>>,
}

/// What is in the folder.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    /// Newest first.
    pub(super) sound: Vec<Arc<Checkpoint>>,
    pub(super) damaged: Vec<PathBuf>,
}

impl Checkpoints {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, kept: Mutex::new(None) }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Found>> {
        // Nothing in here panics half way: what another thread left is whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is in the folder; the first time every byte is read.
    pub(super) fn found(&self) -> Result<Found, ReadError> {
        let mut kept = self.lock();
        if let Some(found) = kept.as_ref() {
            return Ok(found.clone());
        }
        let found = look(&self.folder)?;
        *kept = Some(found.clone());
        Ok(found)
    }

    /// The record `seq`, if one of them carries it.
    pub(super) fn carried(&self, seq: Seq) -> Result<Option<Bytes>, ReadError> {
        for checkpoint in self.found()?.sound {
            if let Some(record) = checkpoint.carried(seq)? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// Takes a new one in and removes what is more than needed.
    fn add(&self, checkpoint: Checkpoint) -> Result<(), ReadError> {
        let mut found = self.found()?;
        found.sound.retain(|kept| kept.folded != checkpoint.folded);
        found.sound.insert(0, Arc::new(checkpoint));
        let mut going: Vec<PathBuf> = found.sound.iter().skip(KEPT).map(|old| old.path.clone()).collect();
        found.sound.truncate(KEPT);
        if found.sound.len() == KEPT {
            // As long as there is only one sound one, somebody may still want to look at the damaged.
            going.append(&mut found.damaged);
        }
        *self.lock() = Some(found);
        for path in going {
            files::remove(&path).map_err(|source| ReadError::Io { path, source })?;
        }
        Ok(())
    }
}

/// Opens and checks all checkpoints in `folder`.
pub(super) fn look(folder: &Path) -> Result<Found, ReadError> {
    let mut found = Found::default();
    let folded = list(folder).map_err(|source| ReadError::Io { path: folder.to_path_buf(), source })?;
    for folded in folded.into_iter().rev() {
        let path = path_of(folder, Seq(folded));
        match Checkpoint::open(&path) {
            Ok(Some(checkpoint)) => found.sound.push(Arc::new(checkpoint)),
            Ok(None) => found.damaged.push(path),
            Err(source) => return Err(ReadError::Io { path, source }),
        }
    }
    Ok(found)
}
