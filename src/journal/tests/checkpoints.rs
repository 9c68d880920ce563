//! Checkpoints: written whole or not at all, checked whole, fallen back from.

use super::*;
use crate::journal::{Checkpoint, CheckpointError, Row};

/// Writes a checkpoint with `rows` rows that carries `carried`.
pub(super) fn write(journal: &Journal, folded: u64, rows: u32, carried: &[u64]) -> Result<(), CheckpointError> {
    let mut writer = journal.checkpoint(Seq(folded), 7)?;
    for row in 0..rows {
        writer.row((row % 3) as u8, &row.to_be_bytes(), format!("value {row} at {folded}").as_bytes())?;
    }
    for seq in carried {
        let record = journal.read_one(Seq(*seq)).unwrap().unwrap();
        writer.carry(Seq(*seq), &record)?;
    }
    writer.finish()
}

fn rows(checkpoint: &Arc<Checkpoint>) -> Vec<Row> {
    checkpoint.rows().map(|row| row.unwrap()).collect()
}

fn checkpoint_files(store: &Path) -> Vec<PathBuf> {
    let folder = store.join("journal");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.file_name().unwrap().to_str().unwrap().starts_with("checkpoint-"));
    files.sort();
    files
}

#[tokio::test]
async fn a_checkpoint_reads_back_row_for_row_now_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let first = {
        let (journal, _) = open(folder.path());
        store_numbered(&journal, 1, 10, 10).await;
        write(&journal, 10, 10_000, &[2, 5]).unwrap();
        let checkpoint = journal.checkpoints().unwrap()[0].clone();
        assert_eq!((checkpoint.folded(), checkpoint.version()), (Seq(10), 7));
        assert_eq!((checkpoint.row_count(), checkpoint.carried_count()), (10_000, 2));
        rows(&checkpoint)
    };
    assert_eq!(first.len(), 10_000);
    assert_eq!(&first[9_999].value[..], b"value 9999 at 10");
    let (journal, _) = open(folder.path());
    let checkpoint = journal.checkpoints().unwrap()[0].clone();
    assert_eq!(rows(&checkpoint), first);
    assert_eq!((checkpoint.row_count(), checkpoint.carried_count()), (10_000, 2));
}

#[tokio::test]
async fn only_the_newest_two_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    store_numbered(&journal, 1, 4, 10).await;
    for folded in 1..=4 {
        write(&journal, folded, 10, &[]).unwrap();
    }
    let kept: Vec<Seq> = journal.checkpoints().unwrap().iter().map(|checkpoint| checkpoint.folded()).collect();
    assert_eq!(kept, [Seq(4), Seq(3)]);
    assert_eq!(checkpoint_files(folder.path()).len(), 2);
}

#[tokio::test]
async fn a_checkpoint_damaged_at_any_byte_is_passed_over_for_the_older() {
    let folder = tempfile::tempdir().unwrap();
    {
        let (journal, _) = open(folder.path());
        store_numbered(&journal, 1, 2, 10).await;
        write(&journal, 1, 3, &[]).unwrap();
        write(&journal, 2, 3, &[1]).unwrap();
    }
    let newest = checkpoint_files(folder.path())[1].clone();
    let sound = std::fs::read(&newest).unwrap();
    for at in 0..sound.len() {
        let mut damaged = sound.clone();
        damaged[at] ^= 1;
        std::fs::write(&newest, damaged).unwrap();
        let found = crate::journal::checkpoint::look(&folder.path().join("journal")).unwrap();
        assert_eq!(found.sound.iter().map(|sound| sound.folded()).collect::<Vec<_>>(), [Seq(1)], "byte {at}");
        assert_eq!(found.damaged, std::slice::from_ref(&newest));
    }
    for length in 0..sound.len() {
        std::fs::write(&newest, &sound[..length]).unwrap();
        let (sound, damaged) = (1, 1);
        let found = crate::journal::checkpoint::look(&folder.path().join("journal")).unwrap();
        assert_eq!((found.sound.len(), found.damaged.len()), (sound, damaged), "cut to {length}");
    }
    let (journal, _) = open(folder.path());
    assert_eq!(journal.checkpoints().unwrap().len(), 1);
    assert_eq!(journal.damaged_checkpoints().unwrap(), [newest]);
}

#[tokio::test]
async fn an_abandoned_checkpoint_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    store_numbered(&journal, 1, 2, 10).await;
    let mut writer = journal.checkpoint(Seq(2), 1).unwrap();
    writer.row(1, b"key", &vec![0; 200_000]).unwrap();
    drop(writer);
    assert!(checkpoint_files(folder.path()).is_empty());
}

#[tokio::test]
async fn a_checkpoint_stands_between_the_newest_and_the_last_synced_record() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    store_numbered(&journal, 1, 5, 10).await;
    write(&journal, 4, 1, &[]).unwrap();
    assert!(matches!(journal.checkpoint(Seq(3), 1), Err(CheckpointError::Order { .. })));
    assert!(matches!(journal.checkpoint(Seq(6), 1), Err(CheckpointError::Order { .. })));
    write(&journal, 4, 2, &[]).unwrap();
    assert_eq!(journal.checkpoints().unwrap().len(), 1);
    assert_eq!(journal.checkpoints().unwrap()[0].row_count(), 2);
}

#[tokio::test]
async fn records_are_carried_in_ascending_order_only() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, _) = open(folder.path());
    store_numbered(&journal, 1, 5, 10).await;
    let mut writer = journal.checkpoint(Seq(5), 1).unwrap();
    writer.carry(Seq(3), b"three").unwrap();
    assert!(matches!(writer.carry(Seq(3), b"three"), Err(CheckpointError::CarriedOrder { .. })));
    assert!(matches!(writer.carry(Seq(2), b"two"), Err(CheckpointError::CarriedOrder { .. })));
}
