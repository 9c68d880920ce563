//! Checkpoints of the index: every row as of one record, and the records that live deliveries still need, so that the journal before can go.
//!
//! They are taken between two batches of the fold, so a checkpoint is exact: restoring it and folding what follows gives the rows of the
//! live index. Events are accepted meanwhile; deliveries wait for it.

use std::collections::BTreeSet;

use sleeksync_connectors::contract::Time;

use super::fold::VERSION;
use super::row::{DormantRow, DutyRow, ParkedRow};
use super::rows::{Base, Bytes, Changes, RowsError, decode};
use super::store::Store;
use crate::journal::{AppendError, CheckpointError as WriteError, Journal, ReadError, RetireError, Room, Seq};
use crate::record::Record;

/// Rows restored as one batch.
const BATCH_ROWS: usize = 1024;

/// Why a checkpoint could not be taken or restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckpointError {
    #[error("rows cannot be read or written")]
    Rows(#[from] RowsError),
    #[error("the journal cannot be read")]
    Read(#[from] ReadError),
    #[error("the checkpoint cannot be written")]
    Write(#[from] WriteError),
    #[error("the checkpoint cannot be recorded")]
    Append(#[from] AppendError),
    #[error("old segments cannot be removed")]
    Retire(#[from] RetireError),
}

/// Fills an empty store from the newest sound checkpoint of this fold's version; leaves it empty where there is none.
pub(super) fn restore(journal: &Journal, store: &Store) -> Result<(), CheckpointError> {
    let Some(checkpoint) = journal.checkpoints()?.into_iter().find(|checkpoint| checkpoint.version() == VERSION) else {
        return Ok(());
    };
    let mut changes = Changes::new();
    for row in checkpoint.rows() {
        let row = row?;
        store.note(&row.key);
        changes.insert(row.key.as_ref().into(), Some(row.value.as_ref().into()));
        if changes.len() >= BATCH_ROWS {
            store.apply(std::mem::take(&mut changes))?;
        }
    }
    Ok(store.apply(changes)?)
}

/// Writes the checkpoint of record `folded`, records that it was taken, and lets go of segments that nobody needs any more. Returns how many
/// rows it has.
pub(super) fn take(
    journal: &Journal,
    store: &Store,
    folded: u64,
    expire_before: Time,
    runtime: &tokio::runtime::Handle,
) -> Result<u64, CheckpointError> {
    crate::crash::point("checkpoint.before");
    let mut writer = journal.checkpoint(Seq(folded), VERSION)?;
    let (mut needed, mut rows) = (BTreeSet::new(), 0);
    for row in store.all()? {
        let (key, value) = row?;
        note_needed(&key, &value, &mut needed)?;
        writer.row(key.first().copied().unwrap_or_default(), &key, &value)?;
        rows += 1;
    }
    for seq in needed {
        if let Some(record) = journal.read_one(Seq(seq))? {
            writer.carry(Seq(seq), &record)?;
        }
    }
    writer.finish()?;
    crate::crash::point("checkpoint.after");
    let record = [Record::Checkpoint { expire_before }];
    match runtime.block_on(crate::delivery::append(journal, &record, Room::Normal)) {
        // Marks expire with the next checkpoint then; there is nothing to make good.
        Err(AppendError::NoRoom | AppendError::Busy | AppendError::Closed) => {}
        other => {
            other?;
        }
    }
    journal.retire(expire_before, Seq(folded))?;
    Ok(rows)
}

/// Numbers of the records that a delivery still needs: the event it announces, the plan that is under way.
fn note_needed(key: &[u8], value: &Bytes, needed: &mut BTreeSet<u64>) -> Result<(), RowsError> {
    let duty: DutyRow = match key.first() {
        Some(b'Q') => decode(value)?,
        Some(b'P') => decode::<ParkedRow>(value)?.duty,
        Some(b'W') => decode::<DormantRow>(value)?.duty,
        _ => return Ok(()),
    };
    needed.extend(duty.key.event);
    needed.extend(duty.open.map(|open| open.plan_seq));
    Ok(())
}
