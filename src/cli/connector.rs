//! `connector`: identity. A name owns links and queue; these commands say what becomes of them.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{ApiRequest, Client};
use super::confirm::confirm;
use super::decide;
use super::output::cell;
use super::{CommandError, Context, Exit};

/// Renames, re-targets, resets or gives up connectors
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync connector list\n  sleeksync connector move blog news")]
pub struct ConnectorArgs {
    #[command(subcommand)]
    what: ConnectorCommand,
}

/// What becomes of a name.
#[derive(Clone, Debug, Subcommand)]
pub enum ConnectorCommand {
    /// Lists every name that has links or a queue, configured or not
    #[command(after_help = "Example:\n  sleeksync connector list --json")]
    List,
    /// Gives the links and the queue of one name to another; the same name twice keeps them for a new target
    #[command(after_help = "Example:\n  sleeksync connector move blog news\n  sleeksync connector move blog blog")]
    Move {
        /// The name up to now
        old: String,
        /// The name from now on
        new: String,
    },
    /// Forgets the links of a connector, which starts now: nothing it made is known any more
    #[command(after_help = "Example:\n  sleeksync connector reset blog --yes")]
    Reset {
        /// The connector
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Drops the queue of a connector that is no longer configured
    #[command(after_help = "Example:\n  sleeksync connector drop old-blog --yes")]
    Drop {
        /// The connector
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Lists, or asks and sends the decision.
pub(super) async fn run(context: &Context, args: &ConnectorArgs) -> Result<Exit, CommandError> {
    let (question, yes, decision) = match &args.what {
        ConnectorCommand::List => return list(context).await,
        ConnectorCommand::Move { old, new } => (None, true, json!({"decision": "move", "from": old, "to": new})),
        ConnectorCommand::Reset { name, yes } => {
            (Some(format!("Forgetting the links of {name}")), *yes, json!({"decision": "reset", "connector": name}))
        }
        ConnectorCommand::Drop { name, yes } => {
            (Some(format!("Dropping the queue of {name}")), *yes, json!({"decision": "drop_queue", "connector": name}))
        }
    };
    if let Some(question) = question
        && !confirm(&question, yes)?
    {
        return Ok(Exit::Failed);
    }
    let client = Client::new(context)?;
    decide::send_all(context, &client, &[ApiRequest::post(&["decisions"], decision)]).await
}

async fn list(context: &Context) -> Result<Exit, CommandError> {
    let status = Client::new(context)?.ask(&ApiRequest::get(&["status"])).await?;
    let connectors = status.get("connectors").cloned().unwrap_or_default();
    if context.output.is_json {
        context.output.json(&json!({ "connectors": connectors }));
        return Ok(Exit::Done);
    }
    let keys = ["name", "kind", "scope", "state", "queued", "parked"];
    let rows: Vec<Vec<String>> = connectors
        .as_array()
        .map_or(&[] as &[Value], Vec::as_slice)
        .iter()
        .map(|connector| keys.iter().map(|key| cell(connector, key)).collect())
        .collect();
    context.output.table(&["CONNECTOR", "KIND", "SCOPE", "STATE", "QUEUED", "PARKED"], &rows, "no connectors");
    Ok(Exit::Done)
}
