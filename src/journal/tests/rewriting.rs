//! Rewriting records: numbers stay, the old bytes go, readers notice.

use super::*;
use crate::journal::RewriteError;

/// Blanks every tenth record, keeping its length or not.
fn blank(seq: Seq, record: &[u8]) -> Option<Vec<u8>> {
    seq.0.is_multiple_of(10).then(|| vec![b'-'; record.len().min(400)])
}

fn contains(path: &Path, text: &str) -> bool {
    std::fs::read(path).unwrap().windows(text.len()).any(|window| window == text.as_bytes())
}

/// Files in `folder` that were removed and that this process has open, as proc(5) shows them: their bytes are still on the disk.
fn held_though_removed(folder: &Path) -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    open.filter(|path| path.starts_with(folder) && path.to_string_lossy().ends_with("(deleted)")).count()
}

#[tokio::test]
async fn rewritten_records_are_gone_from_disk_and_the_others_are_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    store_numbered(&journal, 1, 200, 900).await;
    let before = all(&journal);
    let mut reader = journal.read_from(Seq(1));
    reader.next().unwrap().unwrap();
    let sealed = journal.seal().await.unwrap();
    assert_eq!(sealed, Seq(200));
    store_numbered(&journal, 201, 210, 900).await;
    assert_eq!(journal.read_one(Seq(100)).unwrap().unwrap(), before[99].1);

    let rewritten = journal.rewrite(sealed, &blank).unwrap();
    assert_eq!(rewritten.records, 20);
    let check = |records: &[(u64, Bytes)]| {
        assert_eq!(records.iter().map(|(seq, _)| *seq).collect::<Vec<_>>(), (1..=210).collect::<Vec<u64>>());
        for (seq, bytes) in &records[..200] {
            match blank(Seq(*seq), &before[*seq as usize - 1].1) {
                Some(blanked) => assert_eq!(bytes[..], blanked[..], "record {seq}"),
                None => assert_eq!(bytes, &before[*seq as usize - 1].1),
            }
        }
    };
    check(&all(&journal));
    assert_eq!(reader.count(), 209);
    assert_eq!(held_though_removed(folder.path()), 0, "what was rewritten is still on the disk");
    assert_eq!(journal.read_one(Seq(100)).unwrap().unwrap(), vec![b'-'; 400]);
    assert_eq!(journal.verify().unwrap().fault, None);
    for segment in segment_files(folder.path()) {
        assert!(!contains(&segment, "100 xxx"));
    }
    drop(journal);
    let (journal, opened) = open(folder.path());
    assert_eq!((opened.last, opened.gaps.len()), (Seq(210), 0));
    check(&all(&journal));
    assert_eq!(journal.rewrite(Seq(200), &blank).unwrap().records, 0);
    assert_eq!(store(&journal, entry("next")).await, Seq(211));
}

#[tokio::test]
async fn a_journal_sealed_and_rewritten_up_to_its_end_goes_on_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (journal, _) = open(folder.path());
        store_numbered(&journal, 1, 20, 900).await;
        let sealed = journal.seal().await.unwrap();
        assert_eq!(journal.seal().await.unwrap(), sealed);
        journal.rewrite(sealed, &blank).unwrap();
    }
    let (journal, opened) = open(folder.path());
    assert_eq!((opened.last, opened.torn_tail), (Seq(20), None));
    store_numbered(&journal, 21, 100, 900).await;
    drop(journal);
    assert_eq!(open(folder.path()).1.last, Seq(100));
}

#[tokio::test]
async fn a_record_may_not_grow_and_then_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    store_numbered(&journal, 1, 3, 10).await;
    let sealed = journal.seal().await.unwrap();
    let before = all(&journal);
    let longer = |seq: Seq, record: &[u8]| (seq == Seq(2)).then(|| [record, b"!"].concat());
    assert!(matches!(journal.rewrite(sealed, &longer), Err(RewriteError::Longer { seq: Seq(2), .. })));
    assert_eq!(all(&journal), before);
}

#[tokio::test]
async fn without_room_rewriting_fails_and_leaves_the_segment_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyDisk::default());
    let (journal, _) = Journal::open(folder.path(), options_on(&disk)).unwrap();
    store_numbered(&journal, 1, 30, 100).await;
    let sealed = journal.seal().await.unwrap();
    let before = all(&journal);
    disk.full.store(true, Ordering::SeqCst);
    assert!(matches!(journal.rewrite(sealed, &blank), Err(RewriteError::Io { .. })));
    disk.full.store(false, Ordering::SeqCst);
    assert_eq!(all(&journal), before);
    assert!(!journal.is_poisoned());
}

#[tokio::test]
async fn a_segment_with_a_known_gap_can_be_rewritten() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (journal, _) = open(folder.path());
        store_numbered(&journal, 1, 30, 100).await;
    }
    let segment = segment_files(folder.path())[0].clone();
    overwrite(&segment, frame_offsets(&segment)[4] + 60, b"rotten");
    let survive = Options { survive_damage: true, ..options() };
    let (journal, _) = Journal::open(folder.path(), survive).unwrap();
    let before = seqs(&journal);
    let sealed = journal.seal().await.unwrap();
    assert_eq!(journal.rewrite(sealed, &blank).unwrap().records, 3);
    assert_eq!(seqs(&journal), before);
    drop(journal);
    let (journal, opened) = open(folder.path());
    assert_eq!(opened.gaps.len(), 1);
    assert_eq!(seqs(&journal), before);
}
