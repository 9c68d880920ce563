//! What both listeners say about themselves, and what they put up with.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use sleeksync_connectors::testing::github::Wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_is_no_number_is_a_bad_request_that_says_what_is_expected() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), &tracker("", "")), &wire).await;
    for query in ["limit=x", "before=-1", "limit=1.5", "nonsense=1"] {
        let (status, body) = daemon.get(daemon.admin, &format!("/api/v1/events?{query}")).await;
        assert_eq!((status, &body["error"]["code"]), (400, &json!("invalid")), "{query}: {body}");
    }
    let (status, body) = daemon.get(daemon.admin, "/api/v1/events?limit=x").await;
    assert!(status == 400 && body["error"]["message"].as_str().unwrap().contains("expected a whole number"), "{body}");
    assert_eq!(daemon.get(daemon.admin, "/api/v1/events/x").await.0, 404);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_to_the_admin_listener_is_cut_off() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let mut config = config(folder.path(), &tracker("", ""));
    config.receiver.body_timeout = Duration::from_millis(200);
    let daemon = Daemon::start(&config, &wire).await;
    let mut stream = TcpStream::connect(daemon.admin).await.unwrap();
    let head = format!(
        "POST /api/v1/decisions HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{{",
        daemon.admin
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    daemon.stop().await;
}
