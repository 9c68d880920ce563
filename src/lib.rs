//! The daemon: receives Sleekplan's webhooks, keeps them safe, and brings them to other systems.
//!
//! It knows delivery and names no service; services live in `sleeksync-connectors`. `docs/architecture.md` walks through it.

pub mod admin;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crash;
pub mod delivery;
pub mod index;
pub mod journal;
pub mod logging;
pub mod receiver;
pub mod record;
pub mod sleekplan;
pub mod supervisor;
