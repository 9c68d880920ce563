//! `events`: what Sleekplan sent, newest first; with `--show`, one event and what became of it.

use clap::Args;

use super::client::{ApiRequest, Client};
use super::follow::deliveries;
use super::list::{self, List, ListArgs};
use super::output::cell;
use super::{CommandError, Context, Exit};

/// Lists events
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync events --item feedback/48121\n  sleeksync events --show 17")]
pub struct EventsArgs {
    #[command(flatten)]
    list: ListArgs,
    /// Print this event's raw body and what became of it
    #[arg(long, value_name = "SEQ", conflicts_with_all = ["connector", "item"])]
    show: Option<u64>,
}

const LIST: List = List {
    name: "events",
    columns: &[
        ("SEQ", "seq"),
        ("RECEIVED", "received_at"),
        ("ACTION", "action"),
        ("ITEM", "item"),
        ("STATUS", "status"),
        ("BYTES", "bytes"),
    ],
    empty: "no events",
};

/// Prints the list, or one event.
pub(super) async fn run(context: &Context, args: &EventsArgs) -> Result<Exit, CommandError> {
    let Some(seq) = args.show else { return list::print(context, &LIST, &args.list).await };
    let event = Client::new(context)?.ask(&ApiRequest::get(&["events", &seq.to_string()])).await?;
    if context.output.is_json {
        context.output.json(&event);
        return Ok(Exit::Done);
    }
    for (label, key) in
        [("received", "received_at"), ("product", "product_id"), ("action", "action"), ("item", "item"), ("status", "status")]
    {
        context.output.line(&format!("{label:9} {}", cell(&event, key)));
    }
    let rows: Vec<Vec<String>> =
        deliveries(&event).iter().map(|row| ["connector", "state", "reason"].iter().map(|key| cell(row, key)).collect()).collect();
    context.output.table(&["CONNECTOR", "STATE", "REASON"], &rows, "no deliveries");
    match (event.get("body"), event.get("raw")) {
        (Some(body), _) => context.output.json(body),
        (None, Some(_)) => context.output.line(&format!("raw (base64): {}", cell(&event, "raw"))),
        (None, None) => {}
    }
    Ok(Exit::Done)
}
