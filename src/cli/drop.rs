//! `drop`: parked deliveries are given up, with a reason that is kept.

use clap::Args;
use serde_json::json;

use super::client::{ApiRequest, Client};
use super::confirm::confirm;
use super::decide;
use super::{CommandError, Context, Exit};

/// Gives parked deliveries up
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync drop 17 --why \"the project was archived\" --yes")]
pub struct DropArgs {
    /// Their numbers, as `parked` lists them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<u64>,
    /// Why; kept with the delivery
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Asks, and sends the decision.
pub(super) async fn run(context: &Context, args: &DropArgs) -> Result<Exit, CommandError> {
    if args.why.trim().is_empty() {
        return Err(CommandError::usage("--why is empty", "expected a reason"));
    }
    if !confirm(&format!("Dropping {} parked deliveries", args.ids.len()), args.yes)? {
        return Ok(Exit::Failed);
    }
    let client = Client::new(context)?;
    let request = |id: &u64| ApiRequest::post(&["parked", &id.to_string(), "drop"], json!({"why": args.why}));
    decide::send_all(context, &client, &args.ids.iter().map(request).collect::<Vec<_>>()).await
}
