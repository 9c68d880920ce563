//! What connectors that keep a copy in a database share: the tables, the rows, the statements, and the gathering of many rows in one
//! transaction.
//!
//! Promised: a row is the item's latest state and an older one never overwrites it; the same row again does no harm; what strangers wrote
//! reaches a database only as a bound value. A connector brings its connection ([`Session`]) and its few own words of SQL ([`Dialect`]).
//!
//! Not done here: connecting. How a failure is classified is each database's own.

mod aside;
mod gather;
mod person;
mod row;
mod schema;
mod sql;
mod tables;
mod value;
mod write;

pub use aside::aside;
pub use gather::{Gather, Writer};
pub use row::{Op, Row, plan, preview};
pub use schema::{known, migrate};
pub use sql::{Dialect, Statements};
pub use tables::{Source, TABLES, Table, Type};
pub use value::Value;
pub use write::{Bound, Session, write};

use crate::contract::{Capabilities, ItemKind, Mode};

/// Rows that one transaction writes at most.
pub const ROWS_MAX: usize = 128;

/// What every database can do: it takes everything there is, from the beginning.
pub const CAPABILITIES: Capabilities = Capabilities {
    items: ItemKind::ALL,
    mode: Mode::Latest,
    batch_max: 2 * ROWS_MAX,
    rate_per_minute: 0,
    settle: &[std::time::Duration::ZERO],
    max_creates_per_hour: 0,
    events_required: false,
    single_product: false,
    takes_history: true,
};

#[cfg(test)]
mod tests;
