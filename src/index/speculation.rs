//! What the index would hold if an event were folded now. Nothing is written.

use sleeksync_connectors::contract::ItemId;

use super::fold::Fold;
use super::key;
use super::row::ItemRow;
use super::rows::{Changes, Overlay, RowsError, decode};
use super::view::View;
use crate::record::{EventRecord, Record};

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
        match self.changes.get(key::item(id).as_ref()) {
            Some(row) => row.as_deref().map(decode).transpose(),
            None => self.view.item_row(id),
        }
    }
}
