//! Segment files: written full of zeros and synced before the first record goes in.
//!
//! Pre-writing makes a commit one `fdatasync` without file system metadata, and moves "no space left" to a moment
//! where nothing was promised yet. A segment has its final name only when it is complete; its page-sized header
//! holds a random salt, so that frames of another file are never taken for its own.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::files;
use super::frame::{u32_at, u64_at};

/// Where the first frame of a segment starts.
pub(super) const DATA_START: u64 = 4096;
/// Smaller segments would be nearly all header.
pub(super) const SEGMENT_BYTES_MIN: u64 = 16 << 10;

const MAGIC: &[u8; 8] = b"SLKSEGMT";
const VERSION: u32 = 1;
const SUFFIX: &str = ".segment";
/// What is written or read at once while filling and looking for zeros.
const STRIDE_BYTES: usize = 256 << 10;

/// A segment file: which one it is, and how to tell its frames.
#[derive(Debug)]
pub(super) struct SegmentFile {
    pub(super) number: u64,
    pub(super) salt: u64,
    pub(super) bytes: u64,
    pub(super) path: PathBuf,
    pub(super) file: File,
}

/// The path of segment `number` in the journal's folder.
pub(super) fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:016}{SUFFIX}"))
}

/// The numbers of the segments in `folder`, ascending.
pub(super) fn list(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        if let Some(digits) = name.strip_suffix(SUFFIX) {
            numbers.extend(digits.parse::<u64>().ok());
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Removes what a crash left half written: none of it was ever in use.
pub(super) fn remove_unfinished(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| name.ends_with(files::UNFINISHED)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

impl SegmentFile {
    /// Creates segment `number`, `bytes` long, and returns once file and name are on disk.
    ///
    /// `stop` is asked now and then; when it says so, or anything fails, nothing is left behind.
    pub(super) fn create(disk: &dyn Disk, folder: &Path, number: u64, bytes: u64, stop: &dyn Fn() -> bool) -> io::Result<SegmentFile> {
        Self::create_with(disk, folder, number, bytes, stop, |_| Ok(()))
    }

    /// Creates segment `number`, or replaces it as a whole by one that `write` puts frames into.
    pub(super) fn create_with(
        disk: &dyn Disk,
        folder: &Path,
        number: u64,
        bytes: u64,
        stop: &dyn Fn() -> bool,
        write: impl FnOnce(&SegmentFile) -> io::Result<()>,
    ) -> io::Result<SegmentFile> {
        let path = path_of(folder, number);
        let created = Self::blank(disk, &path, number, bytes, stop).and_then(|segment| {
            write(&segment)?;
            segment.file.sync_all()?;
            files::publish(&path)?;
            Ok(segment)
        });
        if created.is_err() {
            // The error that matters is the first one; a leftover is removed at the next start as well.
            drop(fs::remove_file(files::unfinished(&path)));
        }
        created
    }

    /// A segment without frames, under the name it has until it is published.
    fn blank(disk: &dyn Disk, path: &Path, number: u64, bytes: u64, stop: &dyn Fn() -> bool) -> io::Result<SegmentFile> {
        let file = files::create(&files::unfinished(path))?;
        let salt = new_salt()?;
        let zeros = vec![0; STRIDE_BYTES];
        let mut at = 0;
        while at < bytes {
            if stop() {
                return Err(io::Error::from(io::ErrorKind::Interrupted));
            }
            let now = usize::try_from(bytes - at).unwrap_or(STRIDE_BYTES).min(STRIDE_BYTES);
            disk.fill(&file, zeros.get(..now).unwrap_or(&zeros), at)?;
            at += now as u64;
            // In small portions: one big one would make the commits that run meanwhile wait for it.
            file.sync_data()?;
        }
        disk.fill(&file, &header(number, salt, bytes), 0)?;
        Ok(SegmentFile { number, salt, bytes, path: path.to_path_buf(), file })
    }

    /// Opens segment `number`. None when its header is damaged.
    pub(super) fn open(folder: &Path, number: u64, writable: bool) -> io::Result<Option<SegmentFile>> {
        let path = path_of(folder, number);
        let file = OpenOptions::new().read(true).write(writable).open(&path)?;
        let length = file.metadata()?.len();
        let mut page = [0; 64];
        if length < DATA_START || file.read_exact_at(&mut page, 0).is_err() {
            return Ok(None);
        }
        let salt = match salt_of(&page, number) {
            Some((salt, bytes)) if bytes == length => salt,
            _ => return Ok(None),
        };
        Ok(Some(SegmentFile { number, salt, bytes: length, path, file }))
    }

    /// Opens segment `number` although its header is damaged, and writes it anew with the salt its first frame claims.
    pub(super) fn repair(disk: &dyn Disk, folder: &Path, number: u64) -> io::Result<SegmentFile> {
        let path = path_of(folder, number);
        let file = OpenOptions::new().read(true).write(true).open(&path)?;
        let bytes = file.metadata()?.len().max(DATA_START);
        let mut first = [0; 16];
        let claimed = match file.read_exact_at(&mut first, DATA_START) {
            Ok(()) => u64_at(&first, 8).filter(|salt| *salt != 0),
            Err(_) => None,
        };
        let salt = claimed.map_or_else(new_salt, Ok)?;
        file.set_len(bytes)?;
        disk.fill(&file, &header(number, salt, bytes), 0)?;
        file.sync_all()?;
        Ok(SegmentFile { number, salt, bytes, path, file })
    }

    /// Makes everything from `from` on zero again and returns once it is on disk. Says whether anything was not.
    pub(super) fn zero_from(&self, disk: &dyn Disk, from: u64) -> io::Result<bool> {
        let mut block = vec![0; STRIDE_BYTES];
        let zeros = vec![0; STRIDE_BYTES];
        let mut found = false;
        let mut at = from;
        while at < self.bytes {
            let now = usize::try_from(self.bytes - at).unwrap_or(STRIDE_BYTES).min(STRIDE_BYTES);
            let Some(part) = block.get_mut(..now) else { break };
            self.file.read_exact_at(part, at)?;
            if part.iter().any(|byte| *byte != 0) {
                disk.write(&self.file, zeros.get(..now).unwrap_or(&zeros), at)?;
                found = true;
            }
            at += now as u64;
        }
        if found {
            self.file.sync_all()?;
        }
        Ok(found)
    }
}

fn new_salt() -> io::Result<u64> {
    files::random().map(u64::from_le_bytes)
}

fn header(number: u64, salt: u64, bytes: u64) -> Vec<u8> {
    let mut page = Vec::with_capacity(64);
    page.extend_from_slice(MAGIC);
    page.extend_from_slice(&VERSION.to_le_bytes());
    page.extend_from_slice(&0u32.to_le_bytes());
    page.extend_from_slice(&number.to_le_bytes());
    page.extend_from_slice(&salt.to_le_bytes());
    page.extend_from_slice(&bytes.to_le_bytes());
    let crc = crc32fast::hash(&page);
    page.extend_from_slice(&crc.to_le_bytes());
    page
}

/// Salt and length in a segment header; none when it is damaged or another segment's.
fn salt_of(page: &[u8], number: u64) -> Option<(u64, u64)> {
    let sound = page.get(..8)? == MAGIC
        && u32_at(page, 8)? == VERSION
        && u64_at(page, 16)? == number
        && crc32fast::hash(page.get(..40)?) == u32_at(page, 40)?;
    sound.then_some((u64_at(page, 24)?, u64_at(page, 32)?))
}
