//! Torn tails, damage, and files that are not where they belong.

use super::*;
use crate::journal::OpenError;
use crate::journal::segment::DATA_START;

fn survivor() -> Options {
    Options { survive_damage: true, ..options() }
}

/// A closed journal with records 1 to `last`, one frame each, without the mark of an orderly shutdown.
async fn written(last: u64, ballast: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    store_numbered(&journal, 1, last, ballast).await;
    drop(journal);
    folder
}

fn damaged_at(error: OpenError) -> (PathBuf, u64, Option<(u64, u64)>) {
    match error {
        OpenError::Damaged { at, lost } => (at.file, at.offset, lost.map(|(first, last)| (first.0, last.0))),
        other => panic!("not damaged: {other:?}"),
    }
}

#[tokio::test]
async fn a_frame_torn_at_any_byte_is_cut_off_and_its_number_given_again() {
    let folder = written(3, 20).await;
    let segment = segment_files(folder.path())[0].clone();
    let offsets = frame_offsets(&segment);
    let (start, end) = (offsets[2], offsets[3]);
    let whole = bytes_at(&segment, start, end);
    let content_end = start + whole.iter().rposition(|byte| *byte != 0).unwrap() as u64 + 1;
    for cut in start..content_end {
        overwrite(&segment, start, &whole[..(cut - start) as usize]);
        overwrite(&segment, cut, &vec![0; (end - cut) as usize]);
        let (journal, opened) = open(folder.path());
        assert_eq!(opened.last, Seq(2), "torn at {cut}");
        let expected = (cut > start).then_some(start);
        // Leading zero bytes of a frame cannot be told from nothing at all.
        if whole[..(cut - start) as usize].iter().any(|byte| *byte != 0) {
            assert_eq!(opened.torn_tail.map(|place| place.offset), expected, "torn at {cut}");
        }
        assert!(bytes_at(&segment, start, end + 4096).iter().all(|byte| *byte == 0));
        assert_eq!(seqs(&journal), [1, 2]);
    }
    let (journal, opened) = open(folder.path());
    assert_eq!(opened.torn_tail, None);
    assert_eq!(store(&journal, entry("three again")).await, Seq(3));
}

#[tokio::test]
async fn a_torn_tail_whose_later_part_arrived_first_is_cut_off() {
    let folder = written(3, 2_000).await;
    let segment = segment_files(folder.path())[0].clone();
    let offsets = frame_offsets(&segment);
    overwrite(&segment, offsets[2], &[0; 600]);
    let (journal, opened) = open(folder.path());
    assert_eq!(opened.last, Seq(2));
    assert!(opened.torn_tail.is_some());
    assert_eq!(seqs(&journal), [1, 2]);
}

#[tokio::test]
async fn damage_before_a_sound_frame_is_refused_with_file_and_offset() {
    for at in [0, 5, 20, 47, 48, 60] {
        let folder = written(5, 30).await;
        let segment = segment_files(folder.path())[0].clone();
        let offsets = frame_offsets(&segment);
        let byte = bytes_at(&segment, offsets[2] + at, offsets[2] + at + 1)[0];
        overwrite(&segment, offsets[2] + at, &[byte ^ 0xff]);
        let error = Journal::open(folder.path(), options()).unwrap_err();
        assert_eq!(damaged_at(error), (segment, offsets[2], Some((3, 3))), "byte {at}");
    }
}

#[tokio::test]
async fn survived_damage_keeps_the_rest_and_is_known_from_then_on() {
    let folder = written(9, 30).await;
    let segment = segment_files(folder.path())[0].clone();
    let offsets = frame_offsets(&segment);
    overwrite(&segment, offsets[3] + 8, &vec![0xee; (offsets[5] - offsets[3] - 8) as usize]);
    {
        let (journal, opened) = Journal::open(folder.path(), survivor()).unwrap();
        assert_eq!((opened.gaps[0].first, opened.gaps[0].last), (Seq(4), Seq(5)));
        assert_eq!(seqs(&journal), [1, 2, 3, 6, 7, 8, 9]);
        assert_eq!(journal.read_one(Seq(4)).unwrap(), None);
        assert!(journal.read_one(Seq(6)).unwrap().is_some());
        let back: Vec<u64> = journal.read_back(None).map(|record| record.unwrap().0.0).collect();
        assert_eq!(back, [9, 8, 7, 6, 3, 2, 1]);
        assert_eq!(store(&journal, entry("ten")).await, Seq(10));
    }
    let (journal, opened) = open(folder.path());
    assert_eq!(opened.gaps.len(), 1);
    assert_eq!(seqs(&journal), [1, 2, 3, 6, 7, 8, 9, 10]);
}

#[tokio::test]
async fn damage_at_the_end_of_a_segment_shows_by_the_next_segment() {
    let folder = written(150, 900).await;
    let segments = segment_files(folder.path());
    let offsets = frame_offsets(&segments[0]);
    let last = offsets[offsets.len() - 2];
    overwrite(&segments[0], last + 100, b"rotten");
    let lost = offsets.len() as u64 - 1;
    let error = Journal::open(folder.path(), options()).unwrap_err();
    assert_eq!(damaged_at(error), (segments[0].clone(), last, Some((lost, lost))));
    let (journal, _) = Journal::open(folder.path(), survivor()).unwrap();
    assert_eq!(seqs(&journal).len(), 149);
    drop(journal);
    open(folder.path());
}

#[tokio::test]
async fn a_missing_segment_is_damage_wherever_it_was() {
    for missing in [0, 1] {
        let folder = written(200, 900).await;
        let segments = segment_files(folder.path());
        std::fs::remove_file(&segments[missing]).unwrap();
        let error = Journal::open(folder.path(), options()).unwrap_err();
        assert_eq!(damaged_at(error).0, segments[missing]);
        let (journal, opened) = Journal::open(folder.path(), survivor()).unwrap();
        assert_eq!(opened.gaps.len(), 1);
        assert_eq!(*seqs(&journal).last().unwrap(), 200);
        assert_eq!(store(&journal, entry("next")).await, Seq(201));
        drop(journal);
        assert_eq!(open(folder.path()).1.last, Seq(201));
    }
}

#[tokio::test]
async fn a_damaged_segment_header_is_refused_and_survived_with_all_records() {
    let folder = written(150, 900).await;
    let segments = segment_files(folder.path());
    overwrite(&segments[1], 3, b"?");
    let error = Journal::open(folder.path(), options()).unwrap_err();
    assert_eq!(damaged_at(error), (segments[1].clone(), 0, None));
    let (journal, opened) = Journal::open(folder.path(), survivor()).unwrap();
    assert_eq!((seqs(&journal).len(), opened.gaps.len()), (150, 0));
    drop(journal);
    open(folder.path());
}

#[tokio::test]
async fn frames_of_another_segment_behind_the_end_are_never_taken_for_ours() {
    let folder = written(200, 900).await;
    let segments = segment_files(folder.path());
    let used: Vec<_> = segments.iter().filter(|path| frame_offsets(path).len() > 1).collect();
    let (first, last) = (used[0], used[used.len() - 1]);
    let offsets = frame_offsets(last);
    let end = offsets[offsets.len() - 1];
    let foreign = frame_offsets(first);
    overwrite(last, end, &bytes_at(first, foreign[0], foreign[3]));
    let (journal, opened) = open(folder.path());
    assert_eq!(opened.torn_tail.map(|place| place.offset), Some(end));
    assert_eq!(seqs(&journal).len(), 200);
    assert_eq!(store(&journal, entry("next")).await, Seq(201));
}

#[tokio::test]
async fn a_first_frame_torn_in_a_new_segment_is_cut_off() {
    let folder = written(1, 10).await;
    let segments = segment_files(folder.path());
    overwrite(&segments[1], DATA_START, b"the beginning of a frame");
    let (journal, opened) = open(folder.path());
    assert_eq!(opened.torn_tail.unwrap().file, segments[1]);
    store_numbered(&journal, 2, 150, 900).await;
    drop(journal);
    assert_eq!(open(folder.path()).1.last, Seq(150));
}

#[tokio::test]
async fn losing_what_an_orderly_shutdown_had_is_damage_not_a_torn_tail() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (journal, _) = open(folder.path());
        store_numbered(&journal, 1, 5, 30).await;
        journal.shutdown().await;
    }
    let segment = segment_files(folder.path())[0].clone();
    let offsets = frame_offsets(&segment);
    overwrite(&segment, offsets[3] + 9, b"rotten");
    overwrite(&segment, offsets[4] + 9, b"rotten");
    let error = Journal::open(folder.path(), options()).unwrap_err();
    assert_eq!(damaged_at(error), (segment, offsets[3], Some((4, 5))));
    {
        let (journal, _) = Journal::open(folder.path(), survivor()).unwrap();
        assert_eq!(store(&journal, entry("six")).await, Seq(6));
    }
    assert_eq!(seqs(&open(folder.path()).0), [1, 2, 3, 6]);
}

#[tokio::test]
async fn segments_that_all_vanished_are_not_replaced_by_an_empty_journal() {
    let folder = written(3, 10).await;
    crate::journal::Identity::load(folder.path(), true).unwrap();
    for segment in segment_files(folder.path()) {
        std::fs::remove_file(segment).unwrap();
    }
    let error = Journal::open(folder.path(), options()).unwrap_err();
    assert!(matches!(error, OpenError::JournalGone { .. }), "{error:?}");
}

#[tokio::test]
async fn half_prepared_segments_are_removed() {
    let folder = written(3, 10).await;
    let leftover = folder.path().join("journal/0000000000000009.segment.unfinished");
    std::fs::write(&leftover, b"half").unwrap();
    assert_eq!(open(folder.path()).1.last, Seq(3));
    assert!(!leftover.exists());
}

#[tokio::test]
async fn a_journal_can_begin_at_a_given_number() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (journal, opened) = Journal::open(folder.path(), Options { first: Seq(500), ..options() }).unwrap();
        assert_eq!((opened.first, opened.last), (Seq(500), Seq(499)));
        assert_eq!(store(&journal, entry("moved")).await, Seq(500));
    }
    assert_eq!(open(folder.path()).1.first, Seq(500));
}

#[tokio::test]
async fn what_recovery_found_is_synced_before_anybody_reads_it() {
    let folder = written(3, 10).await;
    let disk = Arc::new(FaultyDisk::default());
    disk.fail_sync.store(true, Ordering::SeqCst);
    let error = Journal::open(folder.path(), options_on(&disk)).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }), "{error:?}");
    disk.fail_sync.store(false, Ordering::SeqCst);
    let before = disk.syncs.load(Ordering::SeqCst);
    let (journal, _) = Journal::open(folder.path(), options_on(&disk)).unwrap();
    assert_eq!(disk.syncs.load(Ordering::SeqCst), before + 1);
    assert_eq!(seqs(&journal), [1, 2, 3]);
}
