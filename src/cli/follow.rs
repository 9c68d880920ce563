//! Follows work the daemon does to its end.

use std::time::Duration;

use serde_json::Value;

use super::client::{ApiRequest, Client};
use super::output::{cell, notice};
use super::{CommandError, Exit};
use crate::clock::Clock;

/// Wait between one look and the next.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Looks after which following ends; the work goes on.
const LOOKS_MAX: usize = 24 * 3600 * 2;

/// Waits until connector `name` owes nothing; says so when it cannot go on by itself.
pub(super) async fn follow_connector(client: &Client<'_>, name: &str) -> Result<Exit, CommandError> {
    let clock = Clock::system();
    let parked_before = connector(client, name).await?.as_ref().map_or(0, |found| number(found, "parked"));
    for _ in 0..LOOKS_MAX {
        let Some(found) = connector(client, name).await? else { return Ok(Exit::Done) };
        if let Some(exit) = verdict(&found, parked_before) {
            return Ok(exit);
        }
        clock.sleep_until(clock.now().plus(LOOK_EVERY)).await;
    }
    Ok(Exit::Failed)
}

fn verdict(connector: &Value, parked_before: u64) -> Option<Exit> {
    let (name, state, queued) = (cell(connector, "name"), cell(connector, "state"), number(connector, "queued"));
    if number(connector, "parked") > parked_before {
        notice(&format!("{name}: something was parked; `sleeksync parked --connector {name}` says what and why"));
        return Some(Exit::Failed);
    }
    if queued == 0 {
        return Some(Exit::Done);
    }
    if matches!(state.as_str(), "running" | "throttled" | "dry_run") {
        return None;
    }
    notice(&format!("{name} is {state} and still owes {queued}; it goes on when that is mended"));
    Some(Exit::Failed)
}

async fn connector(client: &Client<'_>, name: &str) -> Result<Option<Value>, CommandError> {
    let status = client.ask(&ApiRequest::get(&["status"])).await?;
    let connectors = status.get("connectors").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(connectors.into_iter().find(|found| cell(found, "name") == name))
}

/// Waits until every delivery of event `seq` has come to an end, or waits for something else; the event as it stands then.
pub(super) async fn follow_event(client: &Client<'_>, seq: u64) -> Result<Value, CommandError> {
    /// Looks after which a delivery that is still waiting is left to the daemon.
    const EVENT_LOOKS_MAX: usize = 120;
    let clock = Clock::system();
    let mut event = Value::Null;
    for _ in 0..EVENT_LOOKS_MAX {
        let unfolded = client.ask(&ApiRequest::get(&["status"])).await?.pointer("/journal/unfolded").and_then(Value::as_u64);
        event = client.ask(&ApiRequest::get(&["events", &seq.to_string()])).await?;
        if unfolded == Some(0) && !deliveries(&event).iter().any(is_under_way) {
            break;
        }
        clock.sleep_until(clock.now().plus(LOOK_EVERY)).await;
    }
    Ok(event)
}

/// The deliveries of an event.
pub(super) fn deliveries(event: &Value) -> Vec<Value> {
    event.get("deliveries").and_then(Value::as_array).cloned().unwrap_or_default()
}

fn is_under_way(delivery: &Value) -> bool {
    matches!(cell(delivery, "state").as_str(), "waiting" | "in_flight")
}

/// A count of the status.
pub(super) fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn following_ends_when_nothing_is_owed_or_nothing_moves() {
        let at = |state: &str, queued: u64, parked: u64| json!({"name": "blog", "state": state, "queued": queued, "parked": parked});
        assert_eq!(verdict(&at("running", 3, 1), 1), None);
        assert_eq!(verdict(&at("throttled", 3, 1), 1), None);
        assert_eq!(verdict(&at("running", 0, 1), 1), Some(Exit::Done));
        assert_eq!(verdict(&at("running", 0, 2), 1), Some(Exit::Failed));
        for stuck in ["paused", "braked", "down", "unauthorized", "moved", "removed", "disabled"] {
            assert_eq!(verdict(&at(stuck, 3, 1), 1), Some(Exit::Failed), "{stuck}");
        }
    }
}
