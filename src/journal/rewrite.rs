//! Rewriting records that must not be kept as they are, for example to forget a person.
//!
//! A segment with such a record is replaced as a whole, numbers and times kept, under the old name: a crash leaves the old or
//! the new one. Only segments that nothing is appended to any more are touched, see [`Journal::seal`]. Checkpoints
//! carry copies of records: after rewriting, two new ones must be written before the last copy is gone. What a disk does with
//! the blocks of a file that was replaced is out of reach from here.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use super::catalog::{Catalog, Known, SegmentName};
use super::disk::Disk;
use super::frame::{Builder, Header, Records};
use super::manifest::Hole;
use super::queue::Work;
use super::scan::{Scan, Window, frame_in};
use super::segment::{self, DATA_START, SegmentFile};
use super::{AppendError, Appended, Journal, Place, Room, Seq};

/// What a record shall be instead; none to leave it as it is.
type Change<'c> = &'c dyn Fn(Seq, &[u8]) -> Option<Vec<u8>>;

/// Records could not be rewritten. Segments before the one it failed at are rewritten already; the others are as they were.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// The operating system refused.
    #[error("cannot rewrite {}", path.display())]
    Io {
        /// The segment.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// A record may shrink, but it must not grow: its segment might be full.
    #[error("record {seq} would grow from {from} to {to} bytes")]
    Longer {
        /// The record.
        seq: Seq,
        /// Its length.
        from: usize,
        /// The length it would have.
        to: usize,
    },
    /// The segment is damaged.
    #[error("damaged at {0}")]
    Damaged(Place),
}

/// What was rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rewritten {
    /// How many segments were replaced.
    pub segments: usize,
    /// How many records were changed.
    pub records: usize,
}

impl Journal {
    /// Goes on in a new segment and returns the last record before it: up to there [`Journal::rewrite`] reaches.
    pub async fn seal(&self) -> Result<Seq, AppendError> {
        match self.ask(Work::Seal, &[], Room::Normal).await? {
            Appended::Stored(last) | Appended::Duplicate(last) => Ok(last),
        }
    }

    /// Rewrites records up to `sealed`, which [`Journal::seal`] returned. Blocks on the disk.
    ///
    /// `change` is asked more than once for a record and must always answer the same. It must not make one longer.
    pub fn rewrite(&self, sealed: Seq, change: Change<'_>) -> Result<Rewritten, RewriteError> {
        let _one_at_a_time = self.shared.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        let gaps = self.shared.catalog.gaps();
        let mut rewritten = Rewritten::default();
        for known in self.shared.catalog.known().iter().take_while(|known| known.last_seq <= sealed.0) {
            let path = segment::path_of(&self.folder, known.number);
            let rewrite = Rewrite { folder: &self.folder, path, known, gaps: &gaps, change };
            let records = rewrite.count()?;
            if records > 0 {
                self.shared.catalog.replace(known.number, &rewrite.replace(self.disk.as_ref())?);
                rewritten.records += records;
                rewritten.segments += 1;
            }
        }
        self.last_read.forget();
        Ok(rewritten)
    }
}

/// One segment to be rewritten.
struct Rewrite<'a> {
    folder: &'a Path,
    path: PathBuf,
    known: &'a Known,
    gaps: &'a [Hole],
    change: Change<'a>,
}

impl Rewrite<'_> {
    /// How many records would change. Looks at all of them before anything is written.
    fn count(&self) -> Result<usize, RewriteError> {
        let mut records = 0;
        let mut longer = None;
        self.for_each_frame(|_, frame| {
            for (seq, record) in frame {
                let Some(changed) = (self.change)(Seq(seq), record) else { continue };
                records += usize::from(changed != record);
                if changed.len() > record.len() {
                    longer = Some(RewriteError::Longer { seq: Seq(seq), from: record.len(), to: changed.len() });
                }
            }
            Ok(())
        })?;
        longer.map_or(Ok(records), Err)
    }

    /// Writes the segment anew and says where things are in it.
    fn replace(&self, disk: &dyn Disk) -> Result<Catalog, RewriteError> {
        let catalog = Catalog::default();
        let Known { number, file_bytes, .. } = *self.known;
        let name = SegmentName { number, path: &self.path, file_bytes };
        let mut failed = None;
        let written = SegmentFile::create_with(disk, self.folder, number, file_bytes, &|| false, |fresh| {
            let mut frame = Builder::default();
            let mut at = DATA_START;
            let walked = self.for_each_frame(|header, records| {
                for (seq, record) in records {
                    frame.push((self.change)(Seq(seq), record).as_deref().unwrap_or(record));
                }
                let (header, bytes) = frame.seal(fresh.salt, header.number, header.first_seq, header.written_ms);
                disk.fill(&fresh.file, bytes, at)?;
                catalog.add(&name, &header, at);
                at = at.saturating_add(header.frame_bytes() as u64);
                frame.clear();
                Ok(())
            });
            walked.map_err(|error| {
                failed = Some(error);
                io::Error::from(io::ErrorKind::Other)
            })
        });
        match (written, failed) {
            (_, Some(error)) => Err(error),
            (Err(source), None) => Err(self.io(source)),
            (Ok(_), None) => Ok(catalog),
        }
    }

    /// Calls `each` with the frames of the segment. Known gaps are stepped over.
    fn for_each_frame(&self, mut each: impl FnMut(&Header, Records<'_>) -> io::Result<()>) -> Result<(), RewriteError> {
        let damaged = |offset| RewriteError::Damaged(Place { file: self.path.clone(), offset });
        let end = self.known.end;
        let segment = SegmentFile::open(self.folder, self.known.number, false);
        let segment = segment.map_err(|error| self.io(error))?.ok_or_else(|| damaged(0))?;
        let mut window = Window::default();
        let mut at = DATA_START;
        while at < end {
            let found = frame_in(&mut window, &segment.file, segment.salt, at, end).map_err(|error| self.io(error))?;
            let Some((header, bytes)) = found else {
                let behind = Scan::new(&segment.file, segment.salt, end).next_frame(at, 0).map_err(|error| self.io(error))?;
                let behind = behind.filter(|(_, header)| self.gaps.iter().any(|gap| gap.next_seq == header.first_seq));
                (at, _) = behind.ok_or_else(|| damaged(at))?;
                continue;
            };
            each(&header, header.records(bytes)).map_err(|error| self.io(error))?;
            at = at.saturating_add(header.frame_bytes() as u64);
        }
        Ok(())
    }

    fn io(&self, source: io::Error) -> RewriteError {
        RewriteError::Io { path: self.path.clone(), source }
    }
}
