//! `replay`: delivers again from the latest state. Links make it an update, never a second object.

use clap::Args;
use serde_json::{Value, json};

use super::client::{ApiRequest, Client};
use super::follow::{follow_connector, number};
use super::output::notice;
use super::{CommandError, Context, Exit};

/// Delivers again from the latest state
#[derive(Args, Clone, Debug)]
#[command(
    after_help = "Example:\n  sleeksync replay --connector blog --item changelog/771\n  sleeksync replay --connector blog --stale --dry-run"
)]
pub struct ReplayArgs {
    /// The connector that delivers again
    #[arg(long, value_name = "NAME")]
    connector: String,
    /// Only this item
    #[arg(long, value_name = "ITEM")]
    item: Option<String>,
    /// Only what changed at Sleekplan since this time, such as 2026-01-31 or 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only what was rendered with earlier settings
    #[arg(long)]
    stale: bool,
    /// Items that are history to the connector may be made new
    #[arg(long)]
    include_history: bool,
    /// Repeat chat and webhook announcements with their first id; mail is never repeated
    #[arg(long)]
    again: bool,
    /// Only count what would be delivered again
    #[arg(long)]
    dry_run: bool,
    /// Return at once, without waiting for the deliveries
    #[arg(long)]
    detach: bool,
}

/// Asks for the replay, and follows it.
pub(super) async fn run(context: &Context, args: &ReplayArgs) -> Result<Exit, CommandError> {
    let client = Client::new(context)?;
    let answer = client.ask(&ApiRequest::post(&["replay"], body(args))).await?;
    let count = number(&answer, "count");
    if context.output.is_json {
        context.output.json(&answer);
    } else {
        let recognised = number(&answer, "recognised");
        if recognised > 0 {
            let verb = if args.dry_run { "would be accepted" } else { "are accepted" };
            context.output.line(&format!("{recognised} events that were unrecognised {verb} now, for every connector"));
        }
        let verb = if args.dry_run { "would be" } else { "are" };
        context.output.line(&format!("{count} {verb} delivered again by {}", args.connector));
        let items = answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
        items.iter().filter_map(Value::as_str).for_each(|item| context.output.line(&format!("  {item}")));
        if items.len() as u64 != count {
            context.output.line(&format!("  and {} more", count.saturating_sub(items.len() as u64)));
        }
        let left_out = number(&answer, "left_out");
        if left_out > 0 {
            let line =
                format!("{left_out} more have no object there and get none: history (--include-history), deleted, or left out by `when`");
            context.output.line(&line);
        }
    }
    if args.dry_run || args.detach || count + number(&answer, "recognised") == 0 {
        return Ok(Exit::Done);
    }
    if !client.is_live().await {
        notice("no daemon runs: it is delivered when one does");
        return Ok(Exit::Done);
    }
    follow_connector(&client, &args.connector).await
}

fn body(args: &ReplayArgs) -> Value {
    let mut body = json!({
        "connector": args.connector,
        "stale": args.stale,
        "include_history": args.include_history,
        "again": args.again,
        "dry_run": args.dry_run,
    });
    for (key, value) in [("item", &args.item), ("since", &args.since)] {
        if let (Value::Object(body), Some(value)) = (&mut body, value) {
            body.insert(key.to_owned(), value.clone().into());
        }
    }
    body
}
