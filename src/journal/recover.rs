//! What opening the journal finds, and the rule that tells a torn tail from damage.
//!
//! Frame n + 1 is only written after n is synced. So where frame n is not valid but a higher one is, n was on disk and is
//! damaged: opening fails, or, when asked to survive it, the gap is noted and the rest is kept. Where nothing valid
//! follows, n was never acknowledged: it is cut off, the rest is made zero again and synced, and only then may anybody
//! read. Nothing here writes before the whole journal was looked at.

use std::io;
use std::path::{Path, PathBuf};

use super::catalog::{Catalog, SegmentName};
use super::disk::Disk;
use super::files;
use super::frame::Header;
use super::manifest::{self, Hole, Manifest, ManifestError};
use super::scan::Scan;
use super::segment::{self, DATA_START, SegmentFile};
use super::{Gap, OpenError, Place, Seq, checkpoint};

/// The journal as it is after recovery.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) active: SegmentFile,
    /// Where the next frame goes.
    pub(super) at: u64,
    /// Empty segments behind the active one.
    pub(super) ready: Vec<SegmentFile>,
    pub(super) next_frame: u64,
    pub(super) next_seq: u64,
    pub(super) catalog: Catalog,
    pub(super) clean: bool,
    pub(super) torn_tail: Option<Place>,
    pub(super) gaps: Vec<Gap>,
}

/// Walks over all segments and remembers what should come next.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    folder: &'a Path,
    known: Vec<Hole>,
    survive: bool,
    pub(super) catalog: Catalog,
    /// Number of the frame that should come next, and of its first record.
    pub(super) frame: u64,
    pub(super) seq: u64,
    /// Segment and offset behind the last frame: where it should be, or in the next segment.
    stop: (u64, u64),
    /// The number the next segment file should have.
    next_number: u64,
    /// A segment file that should be there and is not, as long as it is open whether that is known.
    missing: Option<u64>,
    pub(super) found: Vec<Hole>,
    pub(super) frames: u64,
}

/// Recovers the journal in `folder`. With `survive` damage is noted and stepped over.
pub(super) fn recover(disk: &dyn Disk, folder: &Path, survive: bool) -> Result<Recovered, OpenError> {
    let io = |source| OpenError::Io { path: folder.to_path_buf(), source };
    segment::remove_unfinished(folder).map_err(io)?;
    let mut manifest = read_manifest(folder)?;
    let numbers = segment::list(folder).map_err(io)?;
    let (retired, numbers): (Vec<u64>, Vec<u64>) = numbers.into_iter().partition(|number| *number < manifest.segment);
    let mut segments = Vec::new();
    let mut walk = Walk::new(folder, &manifest, survive);
    for number in numbers {
        segments.push(walk.open(disk, number)?);
        if let Some(segment) = segments.last() {
            walk.segment(segment, segment.bytes).map_err(|error| error.into_open(segment))?;
        }
    }
    let clean = manifest::clean_mark(folder).map_err(io)?;
    let newest_checkpoint = checkpoint::list(folder).map_err(io)?.last().copied();
    walk.finish(clean.max(newest_checkpoint))?;
    for number in retired {
        files::remove(&segment::path_of(folder, number)).map_err(io)?;
    }
    if !walk.found.is_empty() {
        manifest.gaps.append(&mut walk.found);
        manifest.write(folder).map_err(io)?;
    }
    settle(disk, walk, segments, clean)
}

fn read_manifest(folder: &Path) -> Result<Manifest, OpenError> {
    Manifest::read(folder).map_err(|error| match error {
        ManifestError::Io(source) => OpenError::Io { path: folder.to_path_buf(), source },
        ManifestError::Damaged => OpenError::ManifestDamaged { path: Manifest::path(folder) },
    })
}

/// Cuts the torn tail and syncs what is there, so that all that can be read from now on is on disk.
fn settle(disk: &dyn Disk, walk: Walk<'_>, segments: Vec<SegmentFile>, clean: Option<u64>) -> Result<Recovered, OpenError> {
    let used = walk.catalog.known().pop().map(|last| last.number);
    let clean = clean.is_some() && clean == walk.seq.checked_sub(1);
    let mut torn_tail = None;
    let mut active = None;
    let mut ready: Vec<SegmentFile> = Vec::new();
    for segment in segments {
        // Before any record there is, the first segment is the one in use.
        let is_active = used.map_or(active.is_none(), |used| used == segment.number);
        let is_behind = used.is_none_or(|used| segment.number >= used);
        if !is_behind {
            continue;
        }
        let from = if is_active && used.is_some() { walk.stop.1 } else { DATA_START };
        let io = |source| OpenError::Io { path: segment.path.clone(), source };
        if segment.zero_from(disk, from).map_err(io)? && torn_tail.is_none() {
            torn_tail = Some(Place { file: segment.path.clone(), offset: from });
        }
        if is_active {
            disk.sync(&segment.file).map_err(io)?;
            active = Some((segment, from));
        } else {
            ready.push(segment);
        }
    }
    files::sync_folder(walk.folder).map_err(|source| OpenError::Io { path: walk.folder.to_path_buf(), source })?;
    let (active, at) = active.ok_or_else(|| OpenError::JournalGone { path: walk.folder.to_path_buf() })?;
    let gaps = walk.catalog.gaps().iter().map(|hole| hole.as_gap(walk.folder)).collect();
    Ok(Recovered { active, at, ready, next_frame: walk.frame, next_seq: walk.seq, catalog: walk.catalog, clean, torn_tail, gaps })
}

/// Why walking over a segment ended early.
#[derive(Debug)]
pub(super) enum WalkError {
    /// The file could not be read.
    Io(io::Error),
    /// Frames are missing.
    Damaged(Gap),
}

impl WalkError {
    fn into_open(self, segment: &SegmentFile) -> OpenError {
        match self {
            WalkError::Io(source) => OpenError::Io { path: segment.path.clone(), source },
            WalkError::Damaged(gap) => OpenError::Damaged { at: gap.at, lost: Some((gap.first, gap.last)) },
        }
    }
}

impl<'a> Walk<'a> {
    pub(super) fn new(folder: &'a Path, manifest: &Manifest, survive: bool) -> Self {
        Self {
            folder,
            known: manifest.gaps.clone(),
            survive,
            catalog: Catalog::default(),
            frame: manifest.frame,
            seq: manifest.seq,
            stop: (manifest.segment, DATA_START),
            next_number: manifest.segment,
            missing: None,
            found: Vec::new(),
            frames: 0,
        }
    }

    /// Opens segment `number`, which must be the one after the last.
    fn open(&mut self, disk: &dyn Disk, number: u64) -> Result<SegmentFile, OpenError> {
        self.expect(number);
        let path = || segment::path_of(self.folder, number);
        let io = |source| OpenError::Io { path: path(), source };
        match SegmentFile::open(self.folder, number, true).map_err(io)? {
            Some(segment) => Ok(segment),
            None if self.survive => SegmentFile::repair(disk, self.folder, number).map_err(io),
            None => Err(OpenError::Damaged { at: Place { file: path(), offset: 0 }, lost: None }),
        }
    }

    /// Notes when segments between the last and `number` are not there.
    pub(super) fn expect(&mut self, number: u64) {
        if number > self.next_number && self.missing.is_none() {
            self.missing = Some(self.next_number);
        }
        self.next_number = number.saturating_add(1);
    }

    /// Walks over one segment, up to the byte `limit`.
    pub(super) fn segment(&mut self, segment: &SegmentFile, limit: u64) -> Result<(), WalkError> {
        let mut scan = Scan::new(&segment.file, segment.salt, segment.bytes.min(limit));
        let mut at = DATA_START;
        while let Some((offset, header)) = self.next(&mut scan, at).map_err(WalkError::Io)? {
            let expected = header.number == self.frame && header.first_seq == self.seq;
            if !expected || self.missing.is_some() {
                self.gap(segment.number, at, offset, &header)?;
            }
            let name = SegmentName { number: segment.number, path: &segment.path, file_bytes: segment.bytes };
            self.catalog.add(&name, &header, offset);
            self.frame = header.number.saturating_add(1);
            self.seq = header.last_seq().saturating_add(1);
            self.frames += 1;
            at = offset.saturating_add(header.frame_bytes() as u64);
            self.stop = (segment.number, at);
        }
        Ok(())
    }

    /// The valid frame at `at`, or the next one behind it, that is not older than what should come.
    fn next(&self, scan: &mut Scan<'_>, at: u64) -> io::Result<Option<(u64, Header)>> {
        match scan.frame_at(at)? {
            Some(header) if header.number >= self.frame => Ok(Some((at, header))),
            _ => scan.next_frame(at, self.frame),
        }
    }

    /// Frames are missing before `header`, which was found at `offset` when looking from `at` on.
    fn gap(&mut self, segment: u64, at: u64, offset: u64, header: &Header) -> Result<(), WalkError> {
        // A sound frame right at the beginning of a segment: what is missing stood at the end of the one before.
        let (segment, at) = match self.missing.take() {
            Some(missing) => (missing, 0),
            None if offset == DATA_START && at == DATA_START => self.stop,
            None => (segment, at),
        };
        let hole = Hole {
            frame: self.frame,
            next_frame: header.number,
            seq: self.seq,
            next_seq: header.first_seq.max(self.seq),
            segment,
            offset: at,
        };
        self.step_over(hole)
    }

    fn step_over(&mut self, hole: Hole) -> Result<(), WalkError> {
        let known = self.known.iter().any(|known| known.covers_the_same(&hole));
        if !known && !self.survive {
            return Err(WalkError::Damaged(hole.as_gap(self.folder)));
        }
        if !known {
            self.found.push(hole);
        }
        self.catalog.add_gap(hole);
        Ok(())
    }

    /// Ends the walk. `promised` is a record that is known to have been on disk.
    pub(super) fn finish(&mut self, promised: Option<u64>) -> Result<(), OpenError> {
        let damaged = |error| match error {
            WalkError::Damaged(gap) => OpenError::Damaged { at: gap.at, lost: Some((gap.first, gap.last)) },
            WalkError::Io(source) => OpenError::Io { path: self.folder.to_path_buf(), source },
        };
        let (segment, offset) = self.missing.map_or(self.stop, |missing| (missing, 0));
        let (frame, seq) = (self.frame, self.seq);
        let hole = |next_seq| Hole { frame, next_frame: frame, seq, next_seq, segment, offset };
        // A gap at the very end, noted at an earlier start, with nothing written since.
        if let Some(known) = self.known.iter().find(|known| known.frame == frame && known.seq == seq).copied() {
            self.frame = known.next_frame;
            self.seq = known.next_seq;
            self.catalog.add_gap(known);
        }
        let promised = promised.filter(|promised| *promised >= self.seq);
        if promised.is_some() || self.missing.take().is_some() {
            // Numbers are never given twice: what comes next goes behind what was lost.
            let next_seq = promised.map_or(self.seq, |promised| promised.saturating_add(1));
            self.step_over(hole(next_seq)).map_err(damaged)?;
            self.seq = next_seq;
        }
        Ok(())
    }
}

impl Hole {
    fn covers_the_same(&self, other: &Hole) -> bool {
        let span = |hole: &Hole| (hole.frame, hole.next_frame, hole.seq, hole.next_seq);
        span(self) == span(other)
    }

    /// The same in terms of records and files.
    pub(super) fn as_gap(&self, folder: &Path) -> Gap {
        let file: PathBuf = segment::path_of(folder, self.segment);
        Gap { first: Seq(self.seq), last: Seq(self.next_seq.saturating_sub(1)), at: Place { file, offset: self.offset } }
    }
}
