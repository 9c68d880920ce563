//! `real-images KIND NOW`: entries with images at a real service. The connector's settings come as JSON on standard input; NOW is a time in ms,
//! for credentials that are signed with it.

use sleeksync_connectors::contract::Time;
use sleeksync_connectors::testing::images::{bring, connector};

fn main() -> Result<(), String> {
    let usage = "usage: real-images KIND NOW <SETTINGS.json";
    let kind = std::env::args().nth(1).ok_or(usage)?;
    let now = std::env::args().nth(2).and_then(|text| text.parse().ok()).map(Time::from_ms).ok_or(usage)?;
    let settings = serde_json::from_reader(std::io::stdin()).map_err(|error| error.to_string())?;
    let connector = connector(&kind, settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(bring(connector.as_ref(), now))
}
