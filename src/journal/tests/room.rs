//! No room, the reserve, and poison.

use super::*;

/// Appends until there is no room, and says how many were stored.
async fn fill(journal: &Journal, room: Room) -> u64 {
    let mut stored = 0;
    loop {
        match journal.append(&[numbered(0, 2_000)], room).await {
            Ok(_) => stored += 1,
            Err(AppendError::NoRoom) => return stored,
            Err(other) => panic!("{other}"),
        }
    }
}

async fn until_stored(journal: &Journal) -> Seq {
    loop {
        match journal.append(&[entry("again")], Room::Normal).await {
            Ok(Appended::Stored(seq)) => return seq,
            Err(AppendError::NoRoom) => tokio::task::yield_now().await,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn without_room_events_are_refused_deliveries_use_the_reserve_and_all_recovers_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::default());
    let (journal, _) = Journal::open(folder.path(), options_on(&disk)).unwrap();
    store_numbered(&journal, 1, 2, 10).await;
    disk.full.store(true, Ordering::SeqCst);
    let normal = fill(&journal, Room::Normal).await;
    assert_eq!(journal.append(&[entry("small")], Room::Reserve).await.map(|_| ()), Ok(()));
    let reserve = fill(&journal, Room::Reserve).await;
    assert!(reserve >= 25, "{reserve} records in the reserve");
    assert_eq!(journal.append(&[entry("event")], Room::Normal).await, Err(AppendError::NoRoom));
    assert_eq!(journal.append(&[numbered(0, 3_000)], Room::Reserve).await, Err(AppendError::NoRoom));
    assert!(!journal.is_poisoned());

    disk.full.store(false, Ordering::SeqCst);
    let seq = until_stored(&journal).await;
    assert_eq!(seq.0, 2 + normal + 1 + reserve + 1);
    drop(journal);
    assert_eq!(open(folder.path()).1.last, seq);
}

#[tokio::test]
async fn events_may_not_use_what_is_left_of_the_reserve() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::default());
    let (journal, _) = Journal::open(folder.path(), options_on(&disk)).unwrap();
    store(&journal, entry("one")).await;
    disk.full.store(true, Ordering::SeqCst);
    fill(&journal, Room::Normal).await;
    // The last segment but the reserve has room left for a small record, but a big one of a delivery opens the reserve.
    journal.append(&[numbered(0, 20_000)], Room::Reserve).await.unwrap();
    assert_eq!(journal.append(&[entry("tiny")], Room::Normal).await, Err(AppendError::NoRoom));
    assert_eq!(journal.stats().room, crate::journal::RoomLeft::Reserve);
    journal.append(&[entry("tiny")], Room::Reserve).await.unwrap();
}

#[tokio::test]
async fn segments_are_not_prepared_when_too_little_would_stay_free() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::default());
    disk.short.store(true, Ordering::SeqCst);
    let (journal, _) = Journal::open(folder.path(), options_on(&disk)).unwrap();
    assert_eq!(journal.append(&[entry("event")], Room::Normal).await, Err(AppendError::NoRoom));
    disk.short.store(false, Ordering::SeqCst);
    assert_eq!(until_stored(&journal).await, Seq(1));
}

#[tokio::test]
async fn a_failed_sync_poisons_the_journal_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::default());
    let (journal, _) = Journal::open(folder.path(), options_on(&disk)).unwrap();
    store(&journal, entry("one")).await;
    disk.fail_sync.store(true, Ordering::SeqCst);
    assert_eq!(journal.append(&[entry("two")], Room::Normal).await, Err(AppendError::Poisoned));
    disk.fail_sync.store(false, Ordering::SeqCst);
    assert_eq!(journal.append(&[entry("three")], Room::Reserve).await, Err(AppendError::Poisoned));
    assert!(journal.is_poisoned());
    assert_eq!(seqs(&journal), [1]);
    journal.shutdown().await;
    drop(journal);
    assert!(!open(folder.path()).1.clean);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_write_answers_everybody_who_waits_and_leaves_a_torn_tail() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::default());
    let journal = Arc::new(Journal::open(folder.path(), options_on(&disk)).unwrap().0);
    store(&journal, entry("one")).await;
    disk.fail_write.store(true, Ordering::SeqCst);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let journal = Arc::clone(&journal);
        tasks.spawn(async move { journal.append(&[entry("lost with the write")], Room::Normal).await });
    }
    for answer in tasks.join_all().await {
        assert_eq!(answer, Err(AppendError::Poisoned));
    }
    drop(journal);
    let (journal, opened) = open(folder.path());
    assert!(opened.torn_tail.is_some());
    assert_eq!(seqs(&journal), [1]);
}

#[tokio::test]
async fn a_group_that_failed_is_not_there_in_part() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::default());
    let (journal, _) = Journal::open(folder.path(), options_on(&disk)).unwrap();
    store(&journal, entry("one")).await;
    disk.fail_write.store(true, Ordering::SeqCst);
    let group = vec![entry("short"), numbered(2, 4_000), entry("short")];
    assert_eq!(journal.append(&group, Room::Normal).await, Err(AppendError::Poisoned));
    drop(journal);
    assert_eq!(seqs(&open(folder.path()).0), [1]);
}

#[tokio::test]
async fn without_fsync_nothing_is_synced_for_an_append() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::default());
    let unsafe_options = Options { unsafe_no_fsync: true, ..options_on(&disk) };
    let (journal, _) = Journal::open(folder.path(), unsafe_options).unwrap();
    let before = disk.syncs.load(Ordering::SeqCst);
    store_numbered(&journal, 1, 10, 10).await;
    assert_eq!(disk.syncs.load(Ordering::SeqCst), before);
    assert_eq!(seqs(&journal).len(), 10);
}
