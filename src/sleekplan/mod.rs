//! Sleekplan as a source: how its webhooks read, and which workspaces are ours.

mod arrival;
pub mod digest;
pub mod json;
pub mod payload;
pub mod products;

pub use arrival::{Arrival, Receipt};
