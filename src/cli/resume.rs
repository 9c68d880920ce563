//! `resume`: a paused, braked or unauthorised connector goes on.

use clap::Args;
use serde_json::json;

use super::client::{ApiRequest, Client};
use super::decide;
use super::{CommandError, Context, Exit};

/// Lets one connector go on after a pause, a brake or refused credentials
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync resume tracker")]
pub struct ResumeArgs {
    /// The connector
    #[arg(value_name = "NAME")]
    name: String,
    /// Let everything that is owed through the brake, not only the next batch
    #[arg(long)]
    all: bool,
}

/// Sends the decision.
pub(super) async fn run(context: &Context, args: &ResumeArgs) -> Result<Exit, CommandError> {
    let client = Client::new(context)?;
    decide::send_all(context, &client, &[ApiRequest::post(&["connectors", &args.name, "resume"], json!({"all": args.all}))]).await
}
