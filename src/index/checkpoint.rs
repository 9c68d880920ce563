//! Checkpoints: a copy of every row as of one record, so that the journal before it can go.
use super::store::Store;
use crate::journal::Journal;
use sleeksync_connectors::contract::Time;
/// t
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckpointError {}
pub(super) fn restore(_journal: &Journal, _store: &Store) -> Result<(), CheckpointError> {
    Ok(())
}
pub(super) fn take(
    _journal: &Journal,
    _store: &Store,
    _folded: u64,
    _expire_before: Time,
    _runtime: &tokio::runtime::Handle,
) -> Result<(), CheckpointError> {
    Ok(())
}
