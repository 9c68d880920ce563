//! `pause`: a connector starts nothing more; its queue keeps filling.

use clap::Args;
use serde_json::json;

use super::client::{ApiRequest, Client};
use super::decide;
use super::{CommandError, Context, Exit};

/// Stops one connector; its queue keeps filling
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync pause tracker")]
pub struct PauseArgs {
    /// The connector
    #[arg(value_name = "NAME")]
    name: String,
}

/// Sends the decision.
pub(super) async fn run(context: &Context, args: &PauseArgs) -> Result<Exit, CommandError> {
    let client = Client::new(context)?;
    decide::send_all(context, &client, &[ApiRequest::post(&["connectors", &args.name, "pause"], json!({}))]).await
}
