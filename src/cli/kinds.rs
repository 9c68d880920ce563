//! `kinds`: the kinds of connectors, what each can do, and an example of its settings.

use clap::Args;
use serde_json::{Value, json};
use sleeksync_connectors::contract::{Action, Mode};
use sleeksync_connectors::registry::Kind;

use super::{CommandError, Context, Exit};

/// Lists the kinds of connectors, or shows the settings of one
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync kinds github")]
pub struct KindsArgs {
    /// Show this kind's settings, commented
    #[arg(value_name = "KIND")]
    kind: Option<String>,
}

/// Prints the table, or one kind.
pub(super) fn run(context: &Context, args: &KindsArgs) -> Result<Exit, CommandError> {
    let kinds = context.sources.kinds;
    let Some(name) = &args.kind else {
        list(context, kinds);
        return Ok(Exit::Done);
    };
    let known: Vec<&str> = kinds.iter().map(|kind| kind.name).collect();
    let kind = kinds.iter().find(|kind| kind.name == name).ok_or_else(|| {
        CommandError::usage(format!("`{}` is no kind", name.escape_debug()), format!("expected one of {}", known.join(", ")))
    })?;
    if context.output.is_json {
        context.output.json(&described(kind));
    } else {
        context.output.text(kind.example);
    }
    Ok(Exit::Done)
}

fn list(context: &Context, kinds: &[Kind]) {
    if context.output.is_json {
        return context.output.json(&json!({ "kinds": kinds.iter().map(described).collect::<Vec<_>>() }));
    }
    let rows: Vec<Vec<String>> =
        kinds.iter().map(|kind| vec![kind.name.to_owned(), mode(kind).to_owned(), items(kind).join(", ")]).collect();
    context.output.table(&["KIND", "MODE", "ITEMS"], &rows, "no kinds");
}

fn described(kind: &Kind) -> Value {
    let able = &kind.capabilities;
    let events: Vec<&str> = Action::ALL.iter().filter(|action| able.items.contains(&action.kind())).map(|action| action.as_str()).collect();
    json!({
        "kind": kind.name,
        "mode": mode(kind),
        "items": items(kind),
        "events": events,
        "events_required": able.events_required,
        "single_product": able.single_product,
        "rate_per_minute": able.rate_per_minute,
        "settle": able.settle.iter().map(|wait| format!("{}ms", wait.as_millis())).collect::<Vec<_>>(),
        "max_creates_per_hour": able.max_creates_per_hour,
        "example": kind.example,
    })
}

fn mode(kind: &Kind) -> &'static str {
    match kind.capabilities.mode {
        Mode::Latest => "mirrors",
        Mode::Every => "announces",
    }
}

fn items(kind: &Kind) -> Vec<&'static str> {
    kind.capabilities.items.iter().map(|item| item.as_str()).collect()
}
