//! From HTTP body to row: a daemon that keeps a copy in a database is told what Sleekplan tells, in every spelling, order and number, and every
//! row of every table must be as the last state says.
//!
//! One table of cases for all databases: a plain run is over SQLite; `tests/real/postgres.sh` names a server (`SLEEKSYNC_POSTGRES_URL`), and the
//! same cases run over that.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

#[path = "deliver/daemon.rs"]
#[allow(dead_code, reason = "the other tests need more of it")]
mod daemon;
#[path = "database/history.rs"]
mod history;
#[path = "database/killed.rs"]
mod killed;
#[path = "database/odd.rs"]
mod odd;
#[path = "database/place.rs"]
mod place;
#[path = "process/mod.rs"]
mod process;
#[path = "database/sample.rs"]
mod sample;
#[path = "database/shape.rs"]
mod shape;
#[path = "database/spelling.rs"]
mod spelling;
#[path = "database/suite.rs"]
mod suite;

/// The time of every case, to which its events add seconds: 2026-03-03T12:00:00Z.
const START_MS: i64 = 1_772_539_200_000;
