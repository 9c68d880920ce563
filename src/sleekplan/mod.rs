//! Sleekplan as a source: how its webhooks read, and which workspaces are ours.

pub mod digest;
pub mod payload;
pub mod products;
