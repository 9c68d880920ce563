//! `run`: the daemon.

use clap::Args;

/// Runs the daemon
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync run --config /etc/sleeksync/sleeksync.toml")]
pub struct RunArgs {}
