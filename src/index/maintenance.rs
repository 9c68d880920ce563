//! Looking after an index while no daemon runs.

use std::path::Path;

use super::keeper::{KeepError, rebuild_at};
use super::rows::RowsError;
use super::store::{Store, StoreError};
use super::view::View;
use crate::journal::Journal;

/// An index was folded anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Number of the last folded record.
    pub records: u64,
    /// Rows it has now.
    pub rows: u64,
}

/// An index was compared with the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Rows that were compared.
    pub rows: u64,
    /// The first key at which they differ.
    pub difference: Option<String>,
}

/// Why an index could not be looked after.
#[derive(Debug, thiserror::Error)]
#[error("the index cannot be folded from the journal")]
pub struct MaintenanceError(#[source] KeepError);

impl<T: Into<KeepError>> From<T> for MaintenanceError {
    fn from(error: T) -> Self {
        Self(error.into())
    }
}

/// Folds the journal anew into the index at `path`, from the newest checkpoint on.
///
/// # Errors
/// The journal or the storage failed.
pub fn rebuild(path: &Path, journal: &Journal) -> Result<Rebuilt, MaintenanceError> {
    let store = rebuild_at(path, journal)?;
    let rebuilt = Rebuilt { records: View::new(std::sync::Arc::new(store.clone())).meta()?.folded, rows: count(&store)? };
    store.close()?;
    Ok(rebuilt)
}

/// Compares the index at `path`, row for row, with one folded anew beside it.
///
/// # Errors
/// The journal or the storage failed.
pub fn compare(path: &Path, journal: &Journal) -> Result<Compared, MaintenanceError> {
    let live = match Store::open(path) {
        Ok(live) => live,
        // It is folded anew at the next start anyway: nothing to disagree.
        Err(StoreError::Absent | StoreError::NotClean | StoreError::OtherFold) => return Ok(Compared { rows: 0, difference: None }),
        Err(error) => return Err(error.into()),
    };
    // What the daemon had not folded yet when it ended is folded now, as at its next start.
    super::keeper::catch_up(&live, journal)?;
    let beside = path.with_extension("verify");
    let fresh = rebuild_at(&beside, journal)?;
    let compared = Compared { rows: count(&live)?, difference: first_difference(&live, &fresh)? };
    drop(fresh);
    live.close()?;
    // Left behind, it only takes room; the next comparison begins by removing it.
    let _ = std::fs::remove_dir_all(&beside);
    Ok(compared)
}

fn count(store: &Store) -> Result<u64, RowsError> {
    store.all()?.try_fold(0, |count, row| row.map(|_| count + 1))
}

fn first_difference(a: &Store, b: &Store) -> Result<Option<String>, RowsError> {
    let (mut left, mut right) = (a.all()?, b.all()?);
    let shown = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
    loop {
        match (left.next().transpose()?, right.next().transpose()?) {
            (None, None) => return Ok(None),
            (Some(a), Some(b)) if a == b => {}
            (Some((key, _)), None) | (None, Some((key, _))) => return Ok(Some(shown(&key))),
            (Some((a, _)), Some((b, _))) => return Ok(Some(shown(a.as_slice().min(b.as_slice())))),
        }
    }
}
