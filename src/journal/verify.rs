//! Reading everything and checking every checksum, without changing anything.
//!
//! A journal in use is checked up to its last synced frame, so that a write under way is not taken for damage; one at rest
//! up to the end of its files. A torn tail is no fault: opening cuts it.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use super::checkpoint::{self, Found};
use super::manifest::{self, Manifest, ManifestError};
use super::open::{FOLDER, Gap};
use super::recover::{Walk, WalkError};
use super::segment::{self, SegmentFile};
use super::{Journal, Place, ReadError, Seq};

/// What was read, and the first thing that was wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Segments that were read.
    pub segments: usize,
    /// Sound frames in them.
    pub frames: u64,
    /// The oldest record; none when there is none.
    pub first: Option<Seq>,
    /// The newest record.
    pub last: Option<Seq>,
    /// Sound checkpoints, newest first: where each stands.
    pub checkpoints: Vec<Seq>,
    /// Records known to be lost since an earlier start.
    pub gaps: Vec<Gap>,
    /// The first fault.
    pub fault: Option<Fault>,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub at: Place,
    /// The records that are lost by it, where it is known which.
    pub lost: Option<(Seq, Seq)>,
}

impl Fault {
    fn in_file(file: PathBuf) -> Fault {
        Fault { at: Place { file, offset: 0 }, lost: None }
    }
}

/// Verifies the journal of the store in `store`, which no process may have open.
pub fn verify(store: &Path) -> Result<Verified, ReadError> {
    let folder = store.join(FOLDER);
    let io = |source| ReadError::Io { path: folder.clone(), source };
    let numbers: Vec<(u64, u64)> = segment::list(&folder).map_err(io)?.into_iter().map(|number| (number, u64::MAX)).collect();
    let found = checkpoint::look(&folder)?;
    let clean = manifest::clean_mark(&folder).map_err(io)?;
    let newest = found.sound.first().map(|newest| newest.folded().0);
    let mut verified = check(&folder, &numbers, &found, clean.max(newest))?;
    if numbers.is_empty() {
        // Creating a journal writes a segment first of all.
        verified.fault.get_or_insert(Fault::in_file(folder));
    }
    Ok(verified)
}

impl Journal {
    /// Verifies all that is synced. Appends and reads go on meanwhile. Blocks on the disk.
    pub fn verify(&self) -> Result<Verified, ReadError> {
        let _nothing_is_retired = self.shared.maintenance.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.shared.catalog.known();
        let ends: Vec<(u64, u64)> = known.iter().map(|segment| (segment.number, segment.end)).collect();
        let found = checkpoint::look(&self.folder)?;
        check(&self.folder, &ends, &found, known.last().map(|segment| segment.last_seq))
    }
}

/// Reads the segments, each up to its limit. `promised` is a record that must be there.
fn check(folder: &Path, segments: &[(u64, u64)], found: &Found, promised: Option<u64>) -> Result<Verified, ReadError> {
    let io = |path: PathBuf| move |source| ReadError::Io { path, source };
    let mut faults = Vec::new();
    let manifest = match Manifest::read(folder) {
        Ok(manifest) => manifest,
        Err(ManifestError::Io(source)) => return Err(io(folder.to_path_buf())(source)),
        Err(ManifestError::Damaged) => {
            let fault = Some(Fault::in_file(Manifest::path(folder)));
            return Ok(Verified { fault, ..Verified::default() });
        }
    };
    let mut walk = Walk::new(folder, &manifest, true);
    for (number, limit) in segments.iter().filter(|(number, _)| *number >= manifest.segment) {
        let path = || segment::path_of(folder, *number);
        walk.expect(*number);
        match SegmentFile::open(folder, *number, false).map_err(io(path()))? {
            Some(segment) => walk.segment(&segment, *limit).or_else(|error| match error {
                WalkError::Io(source) => Err(io(path())(source)),
                WalkError::Damaged(gap) => {
                    faults.push(Fault { at: gap.at, lost: Some((gap.first, gap.last)) });
                    Ok(())
                }
            })?,
            None => faults.push(Fault::in_file(path())),
        }
    }
    if walk.finish(promised).is_err() {
        faults.push(Fault::in_file(folder.to_path_buf()));
    }
    let lost = walk.found.iter().map(|hole| hole.as_gap(folder));
    faults.extend(lost.map(|gap| Fault { at: gap.at, lost: Some((gap.first, gap.last)) }));
    faults.extend(found.damaged.iter().cloned().map(Fault::in_file));
    Ok(Verified {
        segments: segments.len(),
        frames: walk.frames,
        first: walk.catalog.first_seq().map(Seq),
        last: walk.catalog.last_seq().map(Seq),
        checkpoints: found.sound.iter().map(|sound| sound.folded()).collect(),
        gaps: manifest.gaps.iter().map(|hole| hole.as_gap(folder)).collect(),
        fault: faults.into_iter().next(),
    })
}
