//! The index: what is known, who still owes whom, what exists where. Disposable: it can always be folded anew from the journal.
//!
//! Nothing else names sled.

mod checkpoint;
mod filter;
mod fold;
mod follow;
mod heap;
mod keeper;
mod key;
pub mod maintenance;
mod page;
mod pages;
pub mod row;
mod rows;
mod speculation;
mod store;
mod view;

pub use fold::VERSION as FOLD_VERSION;
pub use keeper::{Connectors, Index, Settings};
pub use rows::RowsError;
pub use speculation::{Speculation, as_if};
pub use view::{StoredItem, View};

#[cfg(test)]
pub(crate) mod testing {
    //! The fold over rows in memory, for the model test.

    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::fold::Fold;
    use super::rows::{Bytes, Overlay};
    use super::view::View;
    use crate::record::Record;

    /// Rows in memory.
    pub(crate) type Rows = BTreeMap<Bytes, Bytes>;

    /// Folds one record.
    pub(crate) fn fold_into(rows: &mut Rows, seq: u64, record: &Record, body: &[u8]) {
        let changes = {
            let mut fold = Fold::new(Overlay::new(rows)).unwrap();
            fold.apply(seq, record, body).unwrap();
            fold.finish().unwrap().0
        };
        for (key, row) in changes {
            match row {
                Some(row) => rows.insert(key.to_vec(), row.into_vec()),
                None => rows.remove(&*key),
            };
        }
    }

    /// Folds many records as one batch.
    pub(crate) fn fold_all(records: &[(Record, Vec<u8>)]) -> Rows {
        let empty = Rows::new();
        let mut fold = Fold::new(Overlay::new(&empty)).unwrap();
        for (seq, (record, body)) in (1..).zip(records) {
            fold.apply(seq, record, body).unwrap();
        }
        let changes = fold.finish().unwrap().0;
        changes.into_iter().filter_map(|(key, row)| Some((key.to_vec(), row?.into_vec()))).collect()
    }

    /// What can be asked of rows.
    pub(crate) fn view(rows: &Rows) -> View {
        View::new(Arc::new(rows.clone()))
    }
}
