//! Writing a checkpoint: streamed into a temporary file, which gets its name only when it is complete and synced.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use super::block::{Block, CARRIED_OVERHEAD, FILE_HEADER_BYTES, FileHeader, Footer, Kind, ROW_OVERHEAD, push_carried, push_row};
use super::{Checkpoint, Checkpoints, path_of};
use crate::journal::{ReadError, Seq, files};

/// A block is closed when it has this many bytes.
const BLOCK_BYTES_GOAL: usize = 64 << 10;
/// No row and no carried record may be longer, so that reading needs bounded memory.
const ITEM_BYTES_MAX: usize = 16 << 20;

/// A checkpoint could not be written. The journal is none the worse for it, and the older checkpoints are still there.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The operating system refused.
    #[error("cannot write {}", path.display())]
    Io {
        /// The checkpoint.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// It would stand in front of the newest one, or behind the last synced record.
    #[error("a checkpoint at record {folded} is not between {oldest} and {newest}")]
    Order {
        /// Where it would stand.
        folded: Seq,
        /// The newest checkpoint.
        oldest: Seq,
        /// The last synced record.
        newest: Seq,
    },
    /// Carried records must come in ascending order.
    #[error("record {seq} was carried after {last}")]
    CarriedOrder {
        /// The record.
        seq: Seq,
        /// The one before.
        last: Seq,
    },
    /// A row or record is too long.
    #[error("{bytes} bytes are too many for one row of a checkpoint")]
    Size {
        /// Its length.
        bytes: usize,
    },
    /// The checkpoints that are there could not be read.
    #[error("cannot look at the existing checkpoints")]
    Existing(#[source] ReadError),
}

/// Writes one checkpoint. Dropped before [`CheckpointWriter::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct CheckpointWriter {
    checkpoints: Arc<Checkpoints>,
    path: PathBuf,
    /// None once it is finished.
    file: Option<File>,
    header: FileHeader,
    kind: Kind,
    payload: Vec<u8>,
    items: u32,
    at: u64,
    footer: Footer,
    last_carried: u64,
    places: Vec<(u64, u64)>,
}

impl CheckpointWriter {
    /// Begins a checkpoint in which everything up to `folded` is contained. `synced` is the last synced record.
    pub(in crate::journal) fn begin(
        checkpoints: &Arc<Checkpoints>,
        folded: Seq,
        version: u32,
        synced: Seq,
    ) -> Result<CheckpointWriter, CheckpointError> {
        let found = checkpoints.found().map_err(CheckpointError::Existing)?;
        let oldest = found.sound.first().map_or(Seq(0), |newest| newest.folded());
        if folded < oldest || folded > synced {
            return Err(CheckpointError::Order { folded, oldest, newest: synced });
        }
        let path = path_of(&checkpoints.folder, folded);
        let begin = || {
            let header = FileHeader { version, folded: folded.0, salt: u64::from_le_bytes(files::random()?) };
            let mut file = files::create(&files::unfinished(&path))?;
            file.write_all(&header.to_bytes())?;
            Ok((file, header))
        };
        let (file, header) = begin().map_err(|source| CheckpointError::Io { path: path.clone(), source })?;
        Ok(CheckpointWriter {
            checkpoints: Arc::clone(checkpoints),
            path,
            file: Some(file),
            header,
            kind: Kind::Rows,
            payload: Vec::new(),
            items: 0,
            at: FILE_HEADER_BYTES as u64,
            footer: Footer { rows: 0, carried: 0, blocks: 0 },
            last_carried: 0,
            places: Vec::new(),
        })
    }

    /// Adds a row.
    pub fn row(&mut self, kind: u8, key: &[u8], value: &[u8]) -> Result<(), CheckpointError> {
        let bytes = key.len().saturating_add(value.len()).saturating_add(ROW_OVERHEAD);
        self.make_place(Kind::Rows, bytes)?;
        push_row(&mut self.payload, kind, key, value);
        self.items += 1;
        self.footer.rows += 1;
        Ok(())
    }

    /// Carries a record on, so that it can be read by its number when its segment is gone. In ascending order.
    pub fn carry(&mut self, seq: Seq, record: &[u8]) -> Result<(), CheckpointError> {
        if seq.0 <= self.last_carried {
            return Err(CheckpointError::CarriedOrder { seq, last: Seq(self.last_carried) });
        }
        self.make_place(Kind::Carried, record.len().saturating_add(CARRIED_OVERHEAD))?;
        if self.items == 0 {
            self.places.push((seq.0, self.at));
        }
        push_carried(&mut self.payload, seq.0, record);
        self.last_carried = seq.0;
        self.items += 1;
        self.footer.carried += 1;
        Ok(())
    }

    /// Completes the checkpoint and returns once it is on disk under its name. Only the newest two stay.
    pub fn finish(mut self) -> Result<(), CheckpointError> {
        self.flush()?;
        let footer = Block::seal(Kind::Footer, 1, self.footer.blocks, self.header.salt, &self.footer.to_bytes());
        self.write(&footer)?;
        let io = |source| CheckpointError::Io { path: self.path.clone(), source };
        if let Some(file) = self.file.take() {
            // Taken: from here on dropping must not remove the file of that name.
            file.sync_all().and_then(|()| files::publish(&self.path)).map_err(io)?;
        }
        let checkpoint = Checkpoint {
            file: File::open(&self.path).map_err(io)?,
            path: self.path.clone(),
            salt: self.header.salt,
            folded: Seq(self.header.folded),
            version: self.header.version,
            rows: self.footer.rows,
            carried: self.footer.carried,
            places: std::mem::take(&mut self.places),
            bytes: self.at,
        };
        self.checkpoints.add(checkpoint).map_err(CheckpointError::Existing)
    }

    /// Sees to it that the current block is of `kind` and has place for `bytes`.
    fn make_place(&mut self, kind: Kind, bytes: usize) -> Result<(), CheckpointError> {
        if bytes > ITEM_BYTES_MAX {
            return Err(CheckpointError::Size { bytes });
        }
        if self.kind != kind || self.payload.len().saturating_add(bytes) > BLOCK_BYTES_GOAL {
            self.flush()?;
        }
        self.kind = kind;
        Ok(())
    }

    /// Writes the current block, if there is anything in it.
    fn flush(&mut self) -> Result<(), CheckpointError> {
        if self.items == 0 {
            return Ok(());
        }
        let block = Block::seal(self.kind, self.items, self.footer.blocks, self.header.salt, &self.payload);
        self.write(&block)?;
        self.footer.blocks += 1;
        self.payload.clear();
        self.payload.shrink_to(BLOCK_BYTES_GOAL);
        self.items = 0;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), CheckpointError> {
        if let Some(file) = self.file.as_mut() {
            file.write_all(bytes).map_err(|source| CheckpointError::Io { path: self.path.clone(), source })?;
        }
        self.at = self.at.saturating_add(bytes.len() as u64);
        Ok(())
    }
}

impl Drop for CheckpointWriter {
    fn drop(&mut self) {
        if self.file.is_some() {
            // Nobody reads it: a leftover is removed at the next start as well.
            drop(fs::remove_file(files::unfinished(&self.path)));
        }
    }
}
