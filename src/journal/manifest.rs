//! Where the journal begins, and which records are known to be lost.
//!
//! Without it, a missing first segment could not be told from one that was retired. A tiny text file, replaced as
//! a whole; none means: begins with segment 1, frame 1, record 1, and nothing is lost.

use std::io;
use std::path::{Path, PathBuf};

use super::files;

const NAME: &str = "manifest";
const TITLE: &str = "sleeksync journal 1";
const CLEAN_NAME: &str = "clean";

/// Where the oldest segment begins, and the gaps somebody decided to live with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    /// Number of the oldest segment.
    pub(super) segment: u64,
    /// Number of its first frame.
    pub(super) frame: u64,
    /// Number of that frame's first record.
    pub(super) seq: u64,
    /// Gaps, ascending.
    pub(super) gaps: Vec<Hole>,
}

/// A run of frames and records that is gone: from the first missing one to the first that is there again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hole {
    pub(super) frame: u64,
    pub(super) next_frame: u64,
    pub(super) seq: u64,
    pub(super) next_seq: u64,
    /// Segment and offset where the first missing frame should be.
    pub(super) segment: u64,
    pub(super) offset: u64,
}

/// Why the manifest could not be used.
#[derive(Debug)]
pub(super) enum ManifestError {
    /// Reading failed.
    Io(io::Error),
    /// It is not what was written.
    Damaged,
}

impl Manifest {
    /// A journal whose first record will be `seq`.
    pub(super) fn starting_at(seq: u64) -> Self {
        Self { segment: 1, frame: 1, seq, gaps: Vec::new() }
    }

    /// Where the manifest of the journal in `folder` is.
    pub(super) fn path(folder: &Path) -> PathBuf {
        folder.join(NAME)
    }

    /// Reads the manifest of the journal in `folder`.
    pub(super) fn read(folder: &Path) -> Result<Self, ManifestError> {
        match files::read_if_there(&folder.join(NAME)).map_err(ManifestError::Io)? {
            None => Ok(Self::starting_at(1)),
            Some(bytes) => Self::parse(&bytes).ok_or(ManifestError::Damaged),
        }
    }

    /// Replaces the manifest and returns once it is on disk.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        files::write_whole(&folder.join(NAME), self.to_text().as_bytes())
    }

    fn to_text(&self) -> String {
        let mut text = format!("{TITLE}\nfirst {} {} {}\n", self.segment, self.frame, self.seq);
        for gap in &self.gaps {
            let Hole { frame, next_frame, seq, next_seq, segment, offset } = gap;
            text.push_str(&format!("gap {frame} {next_frame} {seq} {next_seq} {segment} {offset}\n"));
        }
        let crc = crc32fast::hash(text.as_bytes());
        text.push_str(&format!("check {crc:08x}\n"));
        text
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut lines = text.lines();
        if lines.next()? != TITLE {
            return None;
        }
        let first = numbers(lines.next()?, "first ")?;
        let [segment, frame, seq] = first.try_into().ok()?;
        let mut manifest = Self { segment, frame, seq, gaps: Vec::new() };
        for line in lines.filter(|line| !line.starts_with("check ")) {
            let [frame, next_frame, seq, next_seq, segment, offset] = numbers(line, "gap ")?.try_into().ok()?;
            manifest.gaps.push(Hole { frame, next_frame, seq, next_seq, segment, offset });
        }
        (manifest.to_text() == text).then_some(manifest)
    }
}

fn numbers(line: &str, word: &str) -> Option<Vec<u64>> {
    line.strip_prefix(word)?.split(' ').map(|number| number.parse().ok()).collect()
}

/// Notes that the journal was closed in order, with `last` as its last record.
pub(super) fn mark_clean(folder: &Path, last: u64) -> io::Result<()> {
    files::write_whole(&folder.join(CLEAN_NAME), format!("{last}\n").as_bytes())
}

/// The last record when the journal was closed in order; none after a crash.
pub(super) fn clean_mark(folder: &Path) -> io::Result<Option<u64>> {
    let bytes = files::read_if_there(&folder.join(CLEAN_NAME))?.unwrap_or_default();
    Ok(std::str::from_utf8(&bytes).ok().and_then(|text| text.trim_end().parse().ok()))
}

/// Takes the mark away: from now on only an orderly close brings it back.
pub(super) fn clear_clean_mark(folder: &Path) -> io::Result<()> {
    files::remove(&folder.join(CLEAN_NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_back_and_a_changed_one_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let gap = Hole { frame: 3, next_frame: 5, seq: 30, next_seq: 50, segment: 1, offset: 4096 };
        let manifest = Manifest { segment: 4, frame: 90, seq: 900, gaps: vec![gap] };
        manifest.write(folder.path()).unwrap();
        assert_eq!(Manifest::read(folder.path()).unwrap(), manifest);

        let text = std::fs::read_to_string(folder.path().join(NAME)).unwrap();
        std::fs::write(folder.path().join(NAME), text.replace("900", "901")).unwrap();
        assert!(matches!(Manifest::read(folder.path()), Err(ManifestError::Damaged)));
    }
}
