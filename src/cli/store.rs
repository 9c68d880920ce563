//! `store`: looks after what is kept, while no daemon runs.

use clap::{Args, Subcommand};

/// Verifies or rebuilds what is kept
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync store verify")]
pub struct StoreArgs {
    /// What is to be done.
    #[command(subcommand)]
    pub what: StoreCommand,
}

/// What can be done to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum StoreCommand {
    /// Checks every checksum, and that index and journal agree
    #[command(after_help = "Example:\n  sleeksync store verify --json")]
    Verify,
    /// Folds the journal anew into a fresh index
    #[command(after_help = "Example:\n  sleeksync store rebuild")]
    Rebuild,
}
