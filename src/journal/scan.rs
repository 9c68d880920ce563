//! Reading one segment frame by frame, and looking for frames behind a place where none is valid.
//!
//! Only says what is there. What an invalid place means (the end, a torn tail, damage) is decided in `recover`.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::frame::{self, HEADER_BYTES, Header};
use super::segment::DATA_START;

/// Read at once: big enough that small frames cost no call each, small enough to keep one per reader.
const WINDOW_BYTES: usize = 64 << 10;

/// Positioned reads of one file through a buffer, never beyond a limit.
#[derive(Debug, Default)]
pub(super) struct Window {
    buffer: Vec<u8>,
    at: u64,
}

impl Window {
    /// `bytes` bytes at `at`, as far as they lie before `limit`: at the end it may be fewer.
    pub(super) fn read(&mut self, file: &File, at: u64, bytes: usize, limit: u64) -> io::Result<&[u8]> {
        let wanted = usize::try_from(limit.saturating_sub(at)).unwrap_or(usize::MAX).min(bytes);
        if !self.holds(at, wanted) {
            let room = usize::try_from(limit.saturating_sub(at)).unwrap_or(usize::MAX);
            let length = wanted.max(WINDOW_BYTES).min(room);
            self.buffer.clear();
            self.buffer.shrink_to(length.max(WINDOW_BYTES));
            self.buffer.resize(length, 0);
            self.at = at;
            let read = read_up_to(file, &mut self.buffer, at);
            // A failed read must not leave bytes behind that look like the file's.
            self.buffer.truncate(*read.as_ref().unwrap_or(&0));
            read?;
        }
        let from = usize::try_from(at - self.at).unwrap_or(usize::MAX);
        let rest = self.buffer.get(from..).unwrap_or(&[]);
        Ok(rest.get(..wanted).unwrap_or(rest))
    }

    /// Forgets what was read: the next read asks the file.
    pub(super) fn forget(&mut self) {
        self.buffer.clear();
    }

    fn holds(&self, at: u64, bytes: usize) -> bool {
        at >= self.at && at.saturating_add(bytes as u64) <= self.at.saturating_add(self.buffer.len() as u64)
    }
}

fn read_up_to(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, at.saturating_add(done as u64)) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Walks over the frames of one segment.
#[derive(Debug)]
pub(super) struct Scan<'f> {
    file: &'f File,
    salt: u64,
    limit: u64,
    window: Window,
}

impl<'f> Scan<'f> {
    /// A scan of `file`, whose frames carry `salt`, up to the byte `limit`.
    pub(super) fn new(file: &'f File, salt: u64, limit: u64) -> Self {
        Self { file, salt, limit, window: Window::default() }
    }

    /// The frame at `at`, whatever its number, if there is a valid one.
    pub(super) fn frame_at(&mut self, at: u64) -> io::Result<Option<Header>> {
        Ok(frame_in(&mut self.window, self.file, self.salt, at, self.limit)?.map(|(header, _)| header))
    }

    /// The first valid frame at or after `from` whose number is at least `number`.
    pub(super) fn next_frame(&mut self, from: u64, number: u64) -> io::Result<Option<(u64, Header)>> {
        let mut at = from.max(DATA_START).next_multiple_of(frame::ALIGN as u64);
        while at < self.limit {
            let block = self.window.read(self.file, at, WINDOW_BYTES, self.limit)?;
            let length = block.len();
            if length < HEADER_BYTES {
                break;
            }
            let salt = self.salt.to_le_bytes();
            let places: Vec<u64> = block
                .chunks_exact(frame::ALIGN)
                .zip(0u64..)
                .filter(|(chunk, index)| *index > 0 && *chunk == salt)
                .map(|(_, index)| at + (index - 1) * frame::ALIGN as u64)
                .collect();
            for place in places {
                match self.frame_at(place)? {
                    Some(header) if header.number >= number => return Ok(Some((place, header))),
                    _ => {}
                }
            }
            // The last word is read again as the first of the next block: a header may start right before it.
            let step = length.saturating_sub(frame::ALIGN).next_multiple_of(frame::ALIGN).max(frame::ALIGN);
            at = at.saturating_add(step as u64);
        }
        Ok(None)
    }
}

/// The valid frame at `at`: its header and its bytes. None when there is none before `limit`.
pub(super) fn frame_in<'w>(window: &'w mut Window, file: &File, salt: u64, at: u64, limit: u64) -> io::Result<Option<(Header, &'w [u8])>> {
    let Some(header) = Header::parse(window.read(file, at, HEADER_BYTES, limit)?) else {
        return Ok(None);
    };
    let fits = at.saturating_add(header.frame_bytes() as u64) <= limit;
    if header.salt != salt || !fits {
        return Ok(None);
    }
    let bytes = window.read(file, at, header.checked_bytes(), limit)?;
    Ok(header.fits(bytes).then_some((header, bytes)))
}
