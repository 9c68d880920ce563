//! The few calls through which the journal changes a disk, so that tests can make exactly one of them fail.
//!
//! [`RealDisk`] is what the daemon uses. The trait promises nothing about caching or order: what must be on
//! disk before what is decided by the callers, which is where the reasons stand.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What the journal asks of a disk. Errors are handed on as they are.
pub(super) trait Disk: Send + Sync + fmt::Debug {
    /// Zero-fills a part of a segment that is not in use yet. Failing here is lack of room, never damage.
    fn fill(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    /// Writes one frame into a pre-written segment.
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    /// Returns once the bytes written so far are on disk (`fdatasync`).
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    /// Bytes an unprivileged process may still write to the file system of `folder`.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        let figures = rustix::fs::statvfs(folder)?;
        Ok(figures.f_bavail.saturating_mul(figures.f_frsize))
    }
}

/// The operating system's files.
#[derive(Debug)]
pub(super) struct RealDisk;

impl Disk for RealDisk {}
