//! Reading by record number: forwards to fold, backwards to list, one to deliver.
//!
//! Only synced records are read, and every frame's checksum is looked at again. All of this blocks on the disk: from
//! async code it belongs on a blocking thread. Readers outlive the journal's segments: a retired one that is open
//! is read to its end, then reading goes on at the oldest record there is.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::catalog::{Catalog, Spot};
use super::scan::{Window, frame_in};
use super::{Place, Seq};

/// Reading the journal failed.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The disk refused.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file that was read.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// A frame that was sound when the journal was opened or written is not any more.
    #[error("damaged at {0}")]
    Damaged(Place),
}

/// A segment that is open for reading.
#[derive(Debug)]
struct Open {
    spot: Spot,
    file: File,
    window: Window,
}

impl Open {
    /// Opens where `locate` points. None when there is nothing (yet).
    fn find(locate: impl Fn() -> Option<Spot>) -> Result<Option<Open>, ReadError> {
        let mut missing = None;
        while let Some(spot) = locate() {
            match File::open(&spot.path) {
                Ok(file) => return Ok(Some(Open { spot, file, window: Window::default() })),
                // Retired or rewritten between looking and opening: look again, once for each generation.
                Err(error) if error.kind() == io::ErrorKind::NotFound && missing != Some(spot.generation) => {
                    missing = Some(spot.generation);
                }
                Err(source) => return Err(ReadError::Io { path: spot.path.to_path_buf(), source }),
            }
        }
        Ok(None)
    }

    /// Calls `keep` with the records of the frame at `offset` and returns where the next frame starts.
    fn frame(&mut self, offset: u64, mut keep: impl FnMut(u64, &[u8])) -> Result<u64, ReadError> {
        let found = frame_in(&mut self.window, &self.file, self.spot.salt, offset, self.spot.end);
        let (header, bytes) = found
            .map_err(|source| ReadError::Io { path: self.spot.path.to_path_buf(), source })?
            .ok_or_else(|| ReadError::Damaged(Place { file: self.spot.path.to_path_buf(), offset }))?;
        for (seq, record) in header.records(bytes) {
            keep(seq, record);
        }
        Ok(offset.saturating_add(header.frame_bytes() as u64))
    }
}

/// Reads forwards. After `None` it can be asked again: it goes on when more was synced.
#[derive(Debug)]
pub struct Reader {
    catalog: Arc<Catalog>,
    next: u64,
    open: Option<Open>,
    /// Where the next frame of the open segment starts.
    offset: u64,
    /// Records of the frame that was read last, newest first, so that taking one is a pop.
    records: Vec<(u64, Bytes)>,
}

impl Reader {
    pub(super) fn new(catalog: Arc<Catalog>, from: Seq) -> Self {
        Self { catalog, next: from.0, open: None, offset: 0, records: Vec::new() }
    }

    /// The number from which on the next record is looked for.
    pub fn position(&self) -> Seq {
        Seq(self.next)
    }

    /// Reads the next frame into `records`. False when nothing newer is synced.
    fn fill(&mut self) -> Result<bool, ReadError> {
        let at_end = self.open.as_ref().is_none_or(|open| self.offset >= open.spot.end);
        if at_end && !self.move_on()? {
            return Ok(false);
        }
        let Some(open) = self.open.as_mut() else { return Ok(false) };
        let (records, next) = (&mut self.records, self.next);
        self.offset = open.frame(self.offset, |seq, record| {
            if seq >= next {
                records.push((seq, Bytes::copy_from_slice(record)));
            }
        })?;
        self.records.reverse();
        Ok(true)
    }

    /// Goes to where the next record is: further on in the open segment, or in another one.
    fn move_on(&mut self) -> Result<bool, ReadError> {
        let Some(spot) = self.catalog.locate(self.next) else {
            return Ok(false);
        };
        self.next = spot.seq;
        match self.open.as_mut().filter(|open| open.spot.generation == spot.generation) {
            Some(open) => {
                // The sparse place may lie behind; forwards it only leads when records in between are gone.
                self.offset = self.offset.max(spot.offset);
                open.window.forget();
                open.spot = spot;
            }
            None => {
                self.open = Open::find(|| self.catalog.locate(self.next))?;
                let Some(open) = self.open.as_ref() else { return Ok(false) };
                self.offset = open.spot.offset;
                self.next = open.spot.seq;
            }
        }
        Ok(true)
    }

    /// Steps over a known gap inside the open segment.
    fn step_over_gap(&mut self) -> bool {
        let Some(spot) = self.catalog.locate(self.next) else { return false };
        let same = self.open.as_ref().is_some_and(|open| open.spot.generation == spot.generation);
        let ahead = same && spot.offset > self.offset;
        if ahead {
            self.offset = spot.offset;
            self.next = spot.seq;
        }
        ahead
    }
}

impl Iterator for Reader {
    type Item = Result<(Seq, Bytes), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((seq, record)) = self.records.pop() {
                self.next = seq.saturating_add(1);
                return Some(Ok((Seq(seq), record)));
            }
            match self.fill() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(ReadError::Damaged(_)) if self.step_over_gap() => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// Reads backwards, newest first. Ends at the oldest record that is still in a segment.
#[derive(Debug)]
pub struct Backwards {
    catalog: Arc<Catalog>,
    before: u64,
    /// Some 64 KiB worth of records, oldest first, so that taking the newest is a pop.
    records: Vec<(u64, Bytes)>,
}

impl Backwards {
    pub(super) fn new(catalog: Arc<Catalog>, before: Option<Seq>) -> Self {
        Self { catalog, before: before.map_or(u64::MAX, |seq| seq.0), records: Vec::new() }
    }

    fn fill(&mut self) -> Result<bool, ReadError> {
        let before = self.before;
        let Some(mut open) = Open::find(|| self.catalog.locate_before(before))? else {
            return Ok(false);
        };
        let mut offset = open.spot.offset;
        let last = open.spot.seq;
        let mut reached = 0;
        while reached < last && offset < open.spot.end {
            let records = &mut self.records;
            offset = open.frame(offset, |seq, record| {
                reached = seq;
                if seq <= last {
                    records.push((seq, Bytes::copy_from_slice(record)));
                }
            })?;
        }
        Ok(!self.records.is_empty())
    }
}

impl Iterator for Backwards {
    type Item = Result<(Seq, Bytes), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.records.is_empty() {
            match self.fill() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
        let (seq, record) = self.records.pop()?;
        self.before = seq;
        Some(Ok((Seq(seq), record)))
    }
}

/// The record `seq`, if it is in a segment and synced.
pub(super) fn read_one(catalog: &Catalog, last: &Last, seq: Seq) -> Result<Option<Bytes>, ReadError> {
    let Some(spot) = catalog.locate(seq.0) else { return Ok(None) };
    if spot.seq != seq.0 {
        return Ok(None);
    }
    // What is delivered lies close together: usually it has been read already, and stands in the last frame or behind it.
    let mut last = last.0.lock().unwrap_or_else(PoisonError::into_inner);
    let known = last.take().filter(|last| last.open.spot.generation == spot.generation);
    let behind = known.as_ref().filter(|last| last.frame.seq <= seq.0).map_or(0, |last| last.frame.offset);
    let open = known.map_or_else(|| Open::find(|| catalog.locate(seq.0)), |last| Ok(Some(Open { spot, ..last.open })))?;
    let Some(mut open) = open.filter(|open| open.spot.seq == seq.0) else { return Ok(None) };
    let mut offset = open.spot.offset.max(behind);
    let (mut found, mut frame) = (None, Frame { seq: 0, offset });
    while found.is_none() && frame.seq <= seq.0 && offset < open.spot.end {
        frame = Frame { seq: u64::MAX, offset };
        offset = open.frame(offset, |at, record| {
            frame.seq = frame.seq.min(at);
            if at == seq.0 {
                found = Some(Bytes::copy_from_slice(record));
            }
        })?;
    }
    *last = Some(LastRead { open, frame });
    Ok(found)
}

/// The segment that was last read from for one record, and the frame.
#[derive(Debug)]
struct LastRead {
    open: Open,
    frame: Frame,
}

/// Where a frame stands, and its first record.
#[derive(Debug)]
struct Frame {
    seq: u64,
    offset: u64,
}

/// Where the last one record was read, if it was.
#[derive(Debug, Default)]
pub(super) struct Last(Mutex<Option<LastRead>>);

impl Last {
    /// Lets go of the file, so that it can go from the disk.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
