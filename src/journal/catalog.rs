//! What is where: the segments with synced records, and a sparse index from record number to offset.
//!
//! Shared by the committer, which adds to it after each sync, and by readers, who therefore never see a record that
//! could still be lost. Memory: 16 bytes for every 64 KiB of journal, nothing per record.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::frame::Header;
use super::manifest::Hole;

/// A place every so many bytes is remembered; from there the frames are walked.
const SPARSE_BYTES: u64 = 64 << 10;

/// A segment that holds synced records.
#[derive(Debug)]
struct Segment {
    path: Arc<Path>,
    salt: u64,
    file_bytes: u64,
    /// Tells a rewritten segment from the one that had its name before.
    generation: u64,
    first_frame: u64,
    first_seq: u64,
    last_seq: u64,
    /// Behind the last synced frame.
    end: u64,
    /// When the last frame was written. Never runs backwards within a segment.
    written_ms: u64,
    /// (first record of a frame, its offset), ascending.
    sparse: Vec<(u64, u64)>,
}

/// Where to go on reading.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) generation: u64,
    pub(super) path: Arc<Path>,
    pub(super) salt: u64,
    /// The smallest existing record number that is not below the one asked for.
    pub(super) seq: u64,
    /// Start of a frame at or before that record.
    pub(super) offset: u64,
    /// Behind the last synced frame.
    pub(super) end: u64,
}

/// A segment file the journal knows of, for figures and for retiring.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) number: u64,
    pub(super) first_frame: u64,
    pub(super) first_seq: u64,
    pub(super) last_seq: u64,
    pub(super) written_ms: u64,
    pub(super) end: u64,
    pub(super) file_bytes: u64,
}

#[derive(Debug, Default)]
struct Inner {
    segments: BTreeMap<u64, Segment>,
    gaps: Vec<Hole>,
    generations: u64,
}

/// The segments with synced records.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    inner: Mutex<Inner>,
}

impl Catalog {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here panics half way: what another thread left is whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a synced frame, which stands at `offset` of `segment`.
    pub(super) fn add(&self, segment: &SegmentName<'_>, header: &Header, offset: u64) {
        let end = offset.saturating_add(header.frame_bytes() as u64);
        let mut inner = self.lock();
        let Inner { segments, gaps, generations } = &mut *inner;
        let known = segments.entry(segment.number).or_insert_with(|| {
            *generations += 1;
            Segment {
                path: Arc::from(segment.path),
                salt: header.salt,
                file_bytes: segment.file_bytes,
                generation: *generations,
                first_frame: header.number,
                first_seq: header.first_seq,
                last_seq: 0,
                end,
                written_ms: 0,
                sparse: Vec::new(),
            }
        });
        let far = known.sparse.last().is_none_or(|(_, at)| offset.saturating_sub(*at) >= SPARSE_BYTES);
        let after_gap = gaps.iter().any(|gap| gap.next_seq == header.first_seq);
        if far || after_gap {
            known.sparse.push((header.first_seq, offset));
        }
        known.last_seq = header.last_seq();
        known.end = end;
        known.written_ms = known.written_ms.max(header.written_ms);
    }

    /// Notes records that are gone, so that readers step over them.
    pub(super) fn add_gap(&self, gap: Hole) {
        self.lock().gaps.push(gap);
    }

    /// The gaps that are known.
    pub(super) fn gaps(&self) -> Vec<Hole> {
        self.lock().gaps.clone()
    }

    /// Where the first synced record at or after `seq` is; none when there is none.
    pub(super) fn locate(&self, seq: u64) -> Option<Spot> {
        let inner = self.lock();
        let hole = inner.gaps.iter().find(|gap| (gap.seq..gap.next_seq).contains(&seq));
        let seq = hole.map_or(seq, |gap| gap.next_seq);
        let segment = inner.segment_of(seq)?;
        Some(segment.spot(seq.max(segment.first_seq)))
    }

    /// Where the last synced record before `seq` is; none when there is none.
    pub(super) fn locate_before(&self, seq: u64) -> Option<Spot> {
        let inner = self.lock();
        let last = seq.checked_sub(1)?;
        let hole = inner.gaps.iter().find(|gap| (gap.seq..gap.next_seq).contains(&last));
        let last = hole.map_or(last, |gap| gap.seq.saturating_sub(1));
        let segment = inner.segments.values().rev().find(|segment| segment.first_seq <= last)?;
        Some(segment.spot(last.min(segment.last_seq)))
    }

    /// The number of the first record that is still in a segment.
    pub(super) fn first_seq(&self) -> Option<u64> {
        self.lock().segments.values().next().map(|segment| segment.first_seq)
    }

    /// The number of the last synced record that is in a segment.
    pub(super) fn last_seq(&self) -> Option<u64> {
        self.lock().segments.values().next_back().map(|segment| segment.last_seq)
    }

    /// Every segment that holds records, oldest first.
    pub(super) fn known(&self) -> Vec<Known> {
        let inner = self.lock();
        let known = |(number, segment): (&u64, &Segment)| Known {
            number: *number,
            first_frame: segment.first_frame,
            first_seq: segment.first_seq,
            last_seq: segment.last_seq,
            written_ms: segment.written_ms,
            end: segment.end,
            file_bytes: segment.file_bytes,
        };
        inner.segments.iter().map(known).collect()
    }

    /// Replaces what is known of a segment by what `rewritten` knows: its file was replaced, with the same records.
    pub(super) fn replace(&self, number: u64, rewritten: &Catalog) {
        let Some(mut fresh) = rewritten.lock().segments.remove(&number) else { return };
        let mut inner = self.lock();
        inner.generations += 1;
        fresh.generation = inner.generations;
        inner.segments.insert(number, fresh);
    }

    /// Forgets the segments before `number`, which begins with the record `first_seq`, and the gaps before that.
    pub(super) fn begin_at(&self, number: u64, first_seq: u64) {
        let mut inner = self.lock();
        inner.segments = inner.segments.split_off(&number);
        inner.gaps.retain(|gap| gap.next_seq > first_seq);
    }
}

/// Which segment a frame was added to.
#[derive(Debug, Clone, Copy)]
pub(super) struct SegmentName<'p> {
    pub(super) number: u64,
    pub(super) path: &'p Path,
    pub(super) file_bytes: u64,
}

impl Inner {
    fn segment_of(&self, seq: u64) -> Option<&Segment> {
        // The newest first: that is where readers usually are.
        let mut found = None;
        for segment in self.segments.values().rev() {
            if segment.last_seq < seq {
                break;
            }
            found = Some(segment);
        }
        found
    }
}

impl Segment {
    fn spot(&self, seq: u64) -> Spot {
        let behind = self.sparse.partition_point(|(first, _)| *first <= seq);
        let offset = behind.checked_sub(1).and_then(|at| self.sparse.get(at)).map_or(self.end, |(_, at)| *at);
        Spot { generation: self.generation, path: Arc::clone(&self.path), salt: self.salt, seq, offset, end: self.end }
    }
}
