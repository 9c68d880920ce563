//! `real-images KIND`: entries with images at a real service. The connector's settings come as JSON on standard input.

use sleeksync_connectors::testing::images::{bring, connector};

fn main() -> Result<(), String> {
    let kind = std::env::args().nth(1).ok_or("usage: real-images KIND <SETTINGS.json")?;
    let settings = serde_json::from_reader(std::io::stdin()).map_err(|error| error.to_string())?;
    let connector = connector(&kind, settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(bring(connector.as_ref()))
}
