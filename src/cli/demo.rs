//! `demo`: the whole way without any account.

use clap::Args;

/// Shows the whole way without any account: a daemon on a temporary store, sample events, what each produced
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync demo --exit")]
pub struct DemoArgs {
    /// End when everything was delivered, instead of staying up until Ctrl-C
    #[arg(long)]
    pub exit: bool,
}
