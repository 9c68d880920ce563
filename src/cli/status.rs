//! `status`: how everything is doing.

use clap::Args;
use serde_json::Value;

use super::client::{ApiRequest, Client};
use super::follow::number;
use super::output::cell;
use super::{CommandError, Context, Exit};

/// Shows connectors, receiver and journal
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync status --exit-code || mail -s 'sleeksync needs you' ops")]
pub struct StatusArgs {
    /// Exit with 1 when something is parked, paused, braked, down, moved or unauthorized
    #[arg(long)]
    exit_code: bool,
}

/// Prints the status.
pub(super) async fn run(context: &Context, args: &StatusArgs) -> Result<Exit, CommandError> {
    let status = Client::new(context)?.ask(&ApiRequest::get(&["status"])).await?;
    if context.output.is_json {
        context.output.json(&status);
    } else {
        print(context, &status);
    }
    let needs_a_person = connectors(&status).iter().any(needs_a_person);
    Ok(if args.exit_code && needs_a_person { Exit::Failed } else { Exit::Done })
}

fn print(context: &Context, status: &Value) {
    let part = |name: &str| status.get(name).cloned().unwrap_or_default();
    let (receiver, journal) = (part("receiver"), part("journal"));
    context.output.line(&format!("sleeksync {}", cell(status, "version")));
    context.output.line(&format!(
        "receiver  last event {}, refused in 24 h {}, unrecognised in 24 h {}",
        cell(&receiver, "last_event_at"),
        cell(&receiver, "refused_24h"),
        cell(&receiver, "unrecognised_24h")
    ));
    for product in receiver.get("unlisted_products").and_then(Value::as_array).into_iter().flatten() {
        context.output.line(&format!(
            "          product {} is not configured: {} events kept, last {}; add it under [products]",
            cell(product, "product_id"),
            cell(product, "events"),
            cell(product, "last_event_at")
        ));
    }
    context.output.line(&format!(
        "journal   {} events, {} not yet turned into deliveries, oldest owed since {}",
        cell(&journal, "events"),
        cell(&journal, "unfolded"),
        cell(&journal, "oldest_queued_at")
    ));
    let headers = ["CONNECTOR", "KIND", "STATE", "QUEUED", "IN FLIGHT", "PARKED", "DELIVERED", "SKIPPED", "LAST SUCCESS", "LAST ERROR"];
    let keys = ["name", "kind", "state", "queued", "in_flight", "parked", "delivered", "skipped", "last_success_at"];
    let rows: Vec<Vec<String>> = connectors(status)
        .iter()
        .map(|connector| keys.iter().map(|key| cell(connector, key)).chain([last_error(connector)]).collect())
        .collect();
    context.output.table(&headers, &rows, "no connectors");
    for connector in connectors(status) {
        if let Some(reason) = connector.get("state_reason").and_then(Value::as_str) {
            context.output.line(&format!("{}: {reason}", cell(&connector, "name")));
        }
    }
}

fn connectors(status: &Value) -> Vec<Value> {
    status.get("connectors").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn last_error(connector: &Value) -> String {
    match connector.get("last_error") {
        Some(error) if !error.is_null() => format!("{} {}: {}", cell(error, "at"), cell(error, "class"), cell(error, "message")),
        _ => "-".to_owned(),
    }
}

fn needs_a_person(connector: &Value) -> bool {
    let state = cell(connector, "state");
    number(connector, "parked") > 0 || matches!(state.as_str(), "paused" | "braked" | "down" | "moved" | "unauthorized")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_needs_a_person_is_told_from_what_does_not() {
        let connector = |state: &str, parked: u64| json!({"state": state, "parked": parked});
        for quiet in ["running", "throttled", "dry_run", "removed", "disabled"] {
            assert!(!needs_a_person(&connector(quiet, 0)), "{quiet}");
            assert!(needs_a_person(&connector(quiet, 1)), "{quiet} with something parked");
        }
        for loud in ["paused", "braked", "down", "moved", "unauthorized"] {
            assert!(needs_a_person(&connector(loud, 0)), "{loud}");
        }
    }
}
