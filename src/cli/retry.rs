//! `retry`: parked deliveries are tried again.

use clap::Args;
use serde_json::json;

use super::client::{ApiRequest, Client};
use super::decide;
use super::{CommandError, Context, Exit};

/// Tries parked deliveries again
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync retry 17 21\n  sleeksync retry --all")]
pub struct RetryArgs {
    /// Their numbers, as `parked` lists them
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<u64>,
    /// All that are parked
    #[arg(long)]
    all: bool,
}

/// Sends the decision.
pub(super) async fn run(context: &Context, args: &RetryArgs) -> Result<Exit, CommandError> {
    let client = Client::new(context)?;
    let requests = if args.all {
        vec![ApiRequest::post(&["decisions"], json!({"decision": "retry_all"}))]
    } else {
        args.ids.iter().map(|id| ApiRequest::post(&["parked", &id.to_string(), "retry"], json!({}))).collect()
    };
    decide::send_all(context, &client, &requests).await
}
