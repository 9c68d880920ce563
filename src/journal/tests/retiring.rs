//! Retiring segments, what remains readable, and verifying all of it.

#![expect(clippy::disallowed_methods, reason = "a test has no supervisor")]

use sleeksync_connectors::contract::Time;

use super::checkpoints::write;
use super::*;
use crate::journal::{OpenError, verify};

fn later() -> Time {
    Time::from_ms(i64::MAX)
}

#[tokio::test]
async fn nothing_is_retired_that_two_checkpoints_do_not_stand_in_for() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    store_numbered(&journal, 1, 300, 900).await;
    assert_eq!(journal.retire(later(), Seq(300)).unwrap().segments, 0);
    write(&journal, 100, 1, &[]).unwrap();
    assert_eq!(journal.retire(later(), Seq(300)).unwrap().segments, 0);
    write(&journal, 300, 1, &[]).unwrap();
    assert_eq!(journal.retire(Time::ZERO, Seq(300)).unwrap().segments, 0);
    assert_eq!(journal.retire(later(), Seq(1)).unwrap().segments, 0);
    let retired = journal.retire(later(), Seq(300)).unwrap();
    assert_eq!(retired.segments, 1);
    let first = seqs(&journal)[0];
    assert!(first > 1 && first <= 101);
}

#[tokio::test]
async fn retired_records_are_read_from_the_checkpoints_that_carry_them() {
    let folder = tempfile::tempdir().unwrap();
    let records = {
        let (journal, _) = open(folder.path());
        store_numbered(&journal, 1, 300, 900).await;
        let records = all(&journal);
        write(&journal, 200, 1, &[3, 60, 150]).unwrap();
        write(&journal, 250, 1, &[3, 60, 150]).unwrap();
        assert!(journal.retire(later(), Seq(300)).unwrap().segments >= 2);
        // Carried on from one checkpoint to the next, the segment being gone.
        write(&journal, 300, 1, &[3, 60]).unwrap();
        write(&journal, 300, 2, &[3, 60]).unwrap();
        records
    };
    let (journal, opened) = open(folder.path());
    assert!(opened.first > Seq(61));
    assert_eq!((opened.last, opened.gaps.len()), (Seq(300), 0));
    for seq in [3, 60, 299] {
        let expected = &records[seq as usize - 1].1;
        assert_eq!(journal.read_one(Seq(seq)).unwrap().as_ref(), Some(expected));
    }
    assert_eq!(journal.read_one(Seq(4)).unwrap(), None);
    let mut reader = journal.read_from(Seq(1));
    assert_eq!(reader.next().unwrap().unwrap().0, opened.first);
}

#[tokio::test]
async fn the_segment_in_use_is_never_retired_and_reading_goes_on_over_it() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    store_numbered(&journal, 1, 200, 900).await;
    let mut reader = journal.read_from(Seq(1));
    reader.next().unwrap().unwrap();
    write(&journal, 199, 1, &[]).unwrap();
    write(&journal, 200, 1, &[]).unwrap();
    journal.retire(later(), Seq(200)).unwrap();
    store_numbered(&journal, 201, 210, 900).await;
    let rest: Vec<u64> = reader.map(|record| record.unwrap().0.0).collect();
    assert_eq!(*rest.last().unwrap(), 210);
    assert!(rest.is_sorted());
    drop(journal);
    assert_eq!(open(folder.path()).1.last, Seq(210));
}

#[tokio::test]
async fn a_retirement_cut_short_is_finished_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    store_numbered(&journal, 1, 300, 900).await;
    write(&journal, 299, 1, &[]).unwrap();
    write(&journal, 300, 1, &[]).unwrap();
    let oldest = segment_files(folder.path())[0].clone();
    let copy = std::fs::read(&oldest).unwrap();
    journal.retire(later(), Seq(300)).unwrap();
    let first = seqs(&journal)[0];
    drop(journal);
    std::fs::write(&oldest, copy).unwrap();
    let (_journal, opened) = open(folder.path());
    assert_eq!(opened.first, Seq(first));
    assert!(!oldest.exists());
}

#[tokio::test]
async fn a_segment_missing_after_a_retirement_is_still_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    store_numbered(&journal, 1, 400, 900).await;
    write(&journal, 199, 1, &[]).unwrap();
    write(&journal, 200, 1, &[]).unwrap();
    journal.retire(later(), Seq(400)).unwrap();
    drop(journal);
    let oldest = segment_files(folder.path())[0].clone();
    std::fs::remove_file(&oldest).unwrap();
    let error = Journal::open(folder.path(), options()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { at, .. } if at.file == oldest));
}

#[tokio::test]
async fn losing_records_a_checkpoint_was_taken_behind_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    store_numbered(&journal, 1, 5, 30).await;
    write(&journal, 5, 1, &[]).unwrap();
    drop(journal);
    let segment = segment_files(folder.path())[0].clone();
    overwrite(&segment, frame_offsets(&segment)[4] + 9, b"rotten");
    let error = Journal::open(folder.path(), options()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { lost: Some((Seq(5), Seq(5))), .. }), "{error:?}");
}

#[tokio::test]
async fn verifying_reads_everything_and_names_the_first_fault() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    store_numbered(&journal, 1, 300, 900).await;
    write(&journal, 300, 1, &[]).unwrap();
    let verified = journal.verify().unwrap();
    assert_eq!((verified.frames, verified.first, verified.last), (300, Some(Seq(1)), Some(Seq(300))));
    assert_eq!((verified.checkpoints, verified.fault), (vec![Seq(300)], None));

    let segment = segment_files(folder.path())[1].clone();
    let offsets = frame_offsets(&segment);
    overwrite(&segment, offsets[1] + 60, b"rotten");
    let live = journal.verify().unwrap().fault.unwrap();
    drop(journal);
    let at_rest = verify(folder.path()).unwrap().fault.unwrap();
    for fault in [live, at_rest] {
        assert_eq!((fault.at.file, fault.at.offset), (segment.clone(), offsets[1]));
        assert!(fault.lost.is_some_and(|(first, last)| first == last));
    }
}

#[tokio::test]
async fn a_live_journal_verifies_while_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Arc::new(open(folder.path()).0);
    let writer = Arc::clone(&journal);
    let writing = tokio::spawn(async move { store_numbered(&writer, 1, 400, 900).await });
    while !writing.is_finished() {
        let checked = Arc::clone(&journal);
        let verified = tokio::task::spawn_blocking(move || checked.verify()).await.unwrap().unwrap();
        assert!(verified.fault.is_none(), "{verified:?}");
    }
    writing.await.unwrap();
    let verified = journal.verify().unwrap();
    assert_eq!((verified.frames, verified.fault), (400, None));
}
