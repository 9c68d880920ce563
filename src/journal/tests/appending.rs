//! Order, groups, duplicates, and reading what was appended.

use super::*;
use crate::journal::{AppendError, OpenError};

#[tokio::test]
async fn a_record_is_readable_as_soon_as_it_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, opened) = open(folder.path());
    assert!(opened.created);
    assert_eq!((opened.first, opened.last), (Seq(1), Seq(0)));
    let mut reader = journal.read_from(Seq(1));
    assert!(reader.next().is_none());
    for seq in 1..=3 {
        assert_eq!(store(&journal, numbered(seq, 10)).await, Seq(seq));
        assert_eq!(*journal.synced().borrow(), Seq(seq));
        assert_eq!(reader.next().unwrap().unwrap().0, Seq(seq));
        assert!(reader.next().is_none());
    }
}

#[tokio::test]
async fn a_group_gets_consecutive_numbers_and_comes_back_whole() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (journal, _) = open(folder.path());
        store(&journal, entry("alone")).await;
        let group = vec![entry("a"), entry(""), entry("c")];
        assert_eq!(journal.append(&group, Room::Normal).await, Ok(Appended::Stored(Seq(2))));
        store(&journal, entry("after")).await;
    }
    let (journal, opened) = open(folder.path());
    assert_eq!(opened.last, Seq(5));
    let records: Vec<_> = all(&journal).into_iter().map(|(_, bytes)| bytes).collect();
    assert_eq!(records, ["alone", "a", "", "c", "after"]);
}

#[tokio::test]
async fn more_may_wait_than_one_frame_takes() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = Journal::open(folder.path(), Options { segment_bytes: 8 << 20, ..options() }).unwrap();
    let asked: Vec<_> = (1..=60).map(|seq| journal.append(&[numbered(seq, 100_000)], Room::Normal)).collect();
    for (answer, seq) in asked.into_iter().zip(1..) {
        assert_eq!(answer.await, Ok(Appended::Stored(Seq(seq))));
    }
    let expected: Vec<_> = (1..=60).map(|seq| (seq, numbered(seq, 100_000).bytes)).collect();
    assert!(all(&journal) == expected, "records differ");
    let frames: Vec<_> = segment_files(folder.path())
        .iter()
        .flat_map(|path| frame_offsets(path).windows(2).map(|ends| ends[1] - ends[0]).collect::<Vec<_>>())
        .collect();
    assert!(frames.iter().all(|bytes| *bytes <= 1 << 20), "{frames:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn appends_of_256_tasks_keep_each_tasks_order_and_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Arc::new(open(folder.path()).0);
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..256 {
        let journal = Arc::clone(&journal);
        tasks.spawn(async move {
            let mut stored = Vec::new();
            for round in 0..20 {
                let text = format!("{task} {round}");
                stored.push((store(&journal, entry(text.clone())).await.0, text));
            }
            stored
        });
    }
    let mut expected: Vec<(u64, String)> = tasks.join_all().await.into_iter().flatten().collect();
    for of_one_task in expected.chunks(20) {
        assert!(of_one_task.is_sorted());
    }
    expected.sort();
    let found: Vec<_> = all(&journal).into_iter().map(|(seq, bytes)| (seq, String::from_utf8(bytes.to_vec()).unwrap())).collect();
    assert_eq!(found, expected);
    let syncs = journal.stats().syncs;
    assert!(syncs < 256 * 20, "{syncs} syncs: nothing was gathered");
    let crowd = journal.take_crowd();
    assert!((2..=256).contains(&crowd), "{crowd} shared a sync");
    // Since then only what belongs to deliveries.
    journal.append(&[entry("outcome")], Room::Reserve).await.unwrap();
    assert_eq!(journal.take_crowd(), 0);
    drop(journal);
    assert_eq!(open(folder.path()).1.last, Seq(256 * 20 + 1));
}

#[tokio::test]
async fn an_equal_event_is_answered_with_the_first_ones_number() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    let first = store(&journal, marked(1, 1, false)).await;
    store(&journal, marked(2, 1, false)).await;
    let again = journal.append(&[marked(1, 1, false)], Room::Normal).await;
    assert_eq!(again, Ok(Appended::Duplicate(first)));
    assert_eq!(seqs(&journal), [1, 2]);
}

#[tokio::test]
async fn an_event_without_a_timestamp_repeats_only_the_newest_of_its_subject() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    store(&journal, marked(1, 1, true)).await;
    assert_eq!(journal.append(&[marked(1, 1, true)], Room::Normal).await, Ok(Appended::Duplicate(Seq(1))));
    store(&journal, marked(2, 1, true)).await;
    assert_eq!(journal.append(&[marked(1, 1, true)], Room::Normal).await, Ok(Appended::Stored(Seq(3))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_events_that_arrive_together_are_stored_once_and_answered_after_the_sync() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Arc::new(open(folder.path()).0);
    for round in 0..50u8 {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..16 {
            let journal = Arc::clone(&journal);
            tasks.spawn(async move {
                let answer = journal.append(&[marked(round, 1, false)], Room::Normal).await.unwrap();
                (answer, *journal.synced().borrow())
            });
        }
        let mut stored = 0;
        for (answer, synced) in tasks.join_all().await {
            let (Appended::Stored(seq) | Appended::Duplicate(seq)) = answer;
            assert_eq!(seq, Seq(u64::from(round) + 1));
            assert!(synced >= seq, "answered before it was on disk");
            stored += usize::from(matches!(answer, Appended::Stored(_)));
        }
        assert_eq!(stored, 1);
    }
}

#[tokio::test]
async fn empty_and_oversized_groups_are_refused_and_the_largest_fits() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    assert_eq!(journal.append(&[], Room::Normal).await, Err(AppendError::Size { bytes: 0 }));
    let largest = journal.group_bytes_max() - Journal::RECORD_OVERHEAD;
    store(&journal, entry(vec![1; largest])).await;
    let bytes = journal.group_bytes_max() + 1;
    assert_eq!(journal.append(&[entry(vec![1; largest + 1])], Room::Normal).await, Err(AppendError::Size { bytes }));
    assert_eq!(all(&journal)[0].1.len(), largest);
}

#[tokio::test]
async fn records_are_read_forwards_backwards_and_one_by_one_across_segments() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (journal, _) = open(folder.path());
        store_numbered(&journal, 1, 300, 900).await;
        assert!(segment_files(folder.path()).len() > 4);
    }
    let (journal, _) = open(folder.path());
    let expected: Vec<u64> = (1..=300).collect();
    assert_eq!(seqs(&journal), expected);
    let back: Vec<u64> = journal.read_back(None).map(|record| record.unwrap().0.0).collect();
    assert!(back.iter().rev().eq(&expected));
    let some: Vec<u64> = journal.read_back(Some(Seq(151))).take(3).map(|record| record.unwrap().0.0).collect();
    assert_eq!(some, [150, 149, 148]);
    // Each time from where the last one was found: all of them, there and back in leaps that meet every record.
    for seq in (0..300).map(|step| step * 77 % 300 + 1).chain([1, 2, 64, 150, 150, 299, 300]) {
        let bytes = journal.read_one(Seq(seq)).unwrap().unwrap();
        assert!(bytes.starts_with(format!("{seq} ").as_bytes()));
    }
    assert_eq!(journal.read_one(Seq(0)).unwrap(), None);
    assert_eq!(journal.read_one(Seq(301)).unwrap(), None);
    assert_eq!(journal.read_from(Seq(298)).count(), 3);
}

#[tokio::test]
async fn after_shutdown_appends_are_refused_reading_works_and_the_store_is_clean() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (journal, opened) = open(folder.path());
        assert!(!opened.clean);
        store(&journal, entry("one")).await;
        journal.shutdown().await;
        assert_eq!(journal.append(&[entry("two")], Room::Normal).await, Err(AppendError::Closed));
        assert_eq!(seqs(&journal), [1]);
    }
    {
        let (journal, opened) = open(folder.path());
        assert!(opened.clean);
        store(&journal, entry("two")).await;
    }
    assert!(!open(folder.path()).1.clean);
}

#[tokio::test]
async fn a_second_process_is_refused_and_told_who_has_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let (_journal, _) = open(folder.path());
    let error = Journal::open(folder.path(), options()).unwrap_err();
    assert!(matches!(error, OpenError::InUse { holder: Some(pid) } if pid == std::process::id()), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_waiting_than_allowed_is_answered_busy() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::default());
    let bounds = Options { waiting_max: 4, ..options_on(&disk) };
    let journal = Arc::new(Journal::open(folder.path(), bounds).unwrap().0);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..2_000 {
        let journal = Arc::clone(&journal);
        tasks.spawn(async move { journal.append(&[entry("x")], Room::Normal).await });
    }
    let answers = tasks.join_all().await;
    let stored = answers.iter().filter(|answer| answer.is_ok()).count();
    let busy = answers.iter().filter(|answer| **answer == Err(AppendError::Busy)).count();
    assert_eq!(stored + busy, 2_000);
    assert!(busy > 0);
    assert_eq!(seqs(&journal).len(), stored);
}
