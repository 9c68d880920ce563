//! What the index would hold if an event or a roster were folded now. Nothing is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use sleeksync_connectors::contract::ItemId;

use super::fold::Fold;
use super::key;
use super::row::ItemRow;
use super::rows::{Base, Bytes, Changes, Overlay, RowsError, decode};
use super::view::View;
use crate::record::{EventRecord, Record, Roster};

/// An index with one more event.
pub struct Speculation {
    view: View,
    changes: Changes,
}

impl Speculation {
    /// The index as it is.
    pub fn none(view: &View) -> Self {
        Self { view: view.clone(), changes: Changes::new() }
    }

    /// The index with this event folded.
    ///
    /// # Errors
    /// The storage failed.
    pub fn with_event(view: &View, event: &EventRecord, body: &[u8]) -> Result<Self, RowsError> {
        let seq = view.meta()?.folded + 1;
        let mut fold = Fold::new(Overlay::new(view.base()))?;
        // Without a mark: the event is shown as if it were new, also when it was accepted long ago.
        let event = EventRecord { mark: None, ..event.clone() };
        fold.apply(seq, &Record::Event(event), body)?;
        Ok(Self { view: view.clone(), changes: fold.finish()?.0 })
    }

    /// An item's row.
    ///
    /// # Errors
    /// The storage failed.
    pub fn item_row(&self, id: &ItemId) -> Result<Option<ItemRow>, RowsError> {
        match self.changes.get(&key::item(id)) {
            Some(row) => row.as_deref().map(decode).transpose(),
            None => self.view.item_row(id),
        }
    }
}

/// The index as if the configuration had been read.
///
/// # Errors
/// The storage failed.
pub fn as_if(view: &View, roster: &Roster) -> Result<View, RowsError> {
    let mut fold = Fold::new(Overlay::new(view.base()))?;
    fold.apply(view.meta()?.folded + 1, &Record::Roster(roster.clone()), &[])?;
    Ok(View::new(Arc::new(Supposed { below: view.clone(), changes: fold.finish()?.0 })))
}

/// An index and what would be changed in it.
struct Supposed {
    below: View,
    changes: Changes,
}

impl Supposed {
    /// Rows as they would be; those read below must be so many more as could be hidden.
    fn changed(&self, below: Vec<(Bytes, Bytes)>, within: impl Fn(&[u8]) -> bool) -> BTreeMap<Bytes, Bytes> {
        let mut rows: BTreeMap<Bytes, Bytes> = below.into_iter().collect();
        for (key, row) in self.changes.iter().filter(|(key, _)| within(key)) {
            match row {
                Some(row) => rows.insert(key.to_vec(), row.to_vec()),
                None => rows.remove(&**key),
            };
        }
        rows
    }
}

impl Base for Supposed {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, RowsError> {
        self.changes.get(key).map_or_else(|| self.below.base().get(key), |row| Ok(row.as_deref().map(<[u8]>::to_vec)))
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<(Bytes, Bytes)>, RowsError> {
        let below = self.below.base().scan(prefix, after, limit.saturating_add(self.changes.len()))?;
        let rows = self.changed(below, |key| key.starts_with(prefix) && after.is_none_or(|after| key > after));
        Ok(rows.into_iter().take(limit).collect())
    }

    fn scan_back(&self, prefix: &[u8], before: Option<&[u8]>, limit: usize) -> Result<Vec<(Bytes, Bytes)>, RowsError> {
        let below = self.below.base().scan_back(prefix, before, limit.saturating_add(self.changes.len()))?;
        let rows = self.changed(below, |key| key.starts_with(prefix) && before.is_none_or(|before| key < before));
        Ok(rows.into_iter().rev().take(limit).collect())
    }
}
