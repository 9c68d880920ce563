//! The index: what is known, who still owes whom, what exists where. Disposable: it can always be folded anew from the journal.
//!
//! Nothing else names sled.

mod checkpoint;
mod fold;
mod follow;
mod keeper;
mod key;
pub mod row;
mod rows;
mod speculation;
mod store;
mod view;

pub use keeper::{Index, Settings};
pub use rows::RowsError;
pub use speculation::Speculation;
pub use view::View;
