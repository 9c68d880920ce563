//! Letting old segments go.
//!
//! A segment's age is that of its last frame, which carries the time it was written: file times are lost when a store is
//! copied or restored, and `fdatasync` does not write them. Where the journal then begins is on disk before the
//! first file goes, so a crash in between leaves only files that the next start removes.

use std::io;
use std::path::PathBuf;
use std::sync::PoisonError;

use sleeksync_connectors::contract::Time;

use super::catalog::Known;
use super::checkpoint::KEPT;
use super::manifest::Manifest;
use super::{Journal, ReadError, Seq, files, segment};

/// Segments could not be retired; what was not removed yet goes at the next try or start.
#[derive(Debug, thiserror::Error)]
pub enum RetireError {
    /// The operating system refused.
    #[error("cannot remove segments of {}", path.display())]
    Io {
        /// The journal's folder.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// The checkpoints could not be read.
    #[error("cannot look at the checkpoints")]
    Checkpoints(#[source] ReadError),
}

/// What went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retired {
    /// How many segments.
    pub segments: usize,
    /// How many bytes.
    pub bytes: u64,
}

impl Journal {
    /// Removes whole segments that were last written to before `before` and hold no record after `behind`.
    ///
    /// Whatever `behind` says, nothing goes that the older of two sound checkpoints could not stand in for. The segment in
    /// use stays.
    pub fn retire(&self, before: Time, behind: Seq) -> Result<Retired, RetireError> {
        let _one_at_a_time = self.shared.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.shared.checkpoints.found().map_err(RetireError::Checkpoints)?;
        let nothing = Retired { segments: 0, bytes: 0 };
        let Some(older) = found.sound.get(KEPT - 1) else {
            return Ok(nothing);
        };
        let behind = behind.min(older.folded());
        let before_ms = u64::try_from(before.as_ms()).unwrap_or(0);
        let known = self.shared.catalog.known();
        let goes = |segment: &&Known| segment.last_seq <= behind.0 && segment.written_ms < before_ms;
        let count = known.iter().take_while(goes).count().min(known.len().saturating_sub(1));
        let (Some(going), Some(first)) = (known.get(..count), known.get(count)) else {
            return Ok(nothing);
        };
        if going.is_empty() {
            return Ok(nothing);
        }
        self.begin_at(first).map_err(|source| RetireError::Io { path: self.folder.clone(), source })?;
        Ok(Retired { segments: going.len(), bytes: going.iter().map(|segment| segment.file_bytes).sum() })
    }

    /// Makes `first` the oldest segment.
    fn begin_at(&self, first: &Known) -> io::Result<()> {
        let gaps = self.shared.catalog.gaps().into_iter().filter(|gap| gap.next_seq > first.first_seq).collect();
        let manifest = Manifest { segment: first.number, frame: first.first_frame, seq: first.first_seq, gaps };
        manifest.write(&self.folder)?;
        self.shared.catalog.begin_at(first.number, first.first_seq);
        self.last_read.forget();
        for number in segment::list(&self.folder)?.into_iter().filter(|number| *number < first.number) {
            files::remove(&segment::path_of(&self.folder, number))?;
        }
        Ok(())
    }
}
