//! What both listeners say about themselves, and what they put up with.

use std::sync::Arc;

use serde_json::json;
use sleeksync_connectors::testing::github::Wire;

use super::daemon::{Daemon, config, tracker};
use super::process::{PATIENCE, look_for};

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_without_room_for_events_is_not_ready() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let mut config = config(folder.path(), &tracker("", ""));
    let daemon = Daemon::start(&config, &wire).await;
    assert!(daemon.health("/health/ready").await.iter().all(|(status, _)| *status == 200));
    daemon.stop().await;
    let other = tempfile::tempdir().unwrap();
    config.store.path = other.path().join("data");
    config.store.free_bytes_min = u64::MAX / 2;
    let daemon = Daemon::start(&config, &wire).await;
    let full = (503, json!({"status": "no room on disk"}));
    let is_full = async || daemon.health("/health/ready").await.iter().all(|answer| *answer == full).then_some(());
    assert!(look_for(PATIENCE, is_full).await.is_some(), "{:?}", daemon.health("/health/ready").await);
    assert!(daemon.health("/health/live").await.iter().all(|(status, _)| *status == 200));
    daemon.stop().await;
}
