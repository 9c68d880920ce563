//! Every delivery has a number of its own: several of one event are parked, listed and retried side by side.

use std::sync::Arc;

use serde_json::json;
use sleeksync::admin::{Decision, Query, ReplayRequest};
use sleeksync_connectors::testing::github::{Fault, Wire};

use super::AT;
use super::daemon::{Daemon, config, feedback, tracker};

/// Two trackers of one fake repository under two names of its host: two scopes.
fn two_trackers(delivery: &str) -> String {
    let second = tracker("", delivery).replace("127.0.0.1:9", "localhost:9").replace("connectors.tracker", "connectors.second");
    tracker("", delivery) + &second
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_of_one_event_are_parked_and_retried_side_by_side() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), &two_trackers("")), &wire).await;
    wire.fake().faults = vec![Fault::Invalid; 2];
    daemon.post("item.create", AT, feedback(1, "a")).await;
    for name in ["tracker", "second"] {
        daemon.until(name, |status| status["parked"] == 1).await;
    }
    assert_eq!(daemon.parked().len(), 2);
    assert_eq!(daemon.decide(Decision::RetryAll {}).await.count, 2);
    for name in ["tracker", "second"] {
        daemon.until(name, |status| status["parked"] == 0 && status["queued"] == 0).await;
    }
    assert_eq!(wire.fake().issues.len(), 2);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_one_replay_owes_can_be_parked_and_retried() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), &tracker("", "")), &wire).await;
    for id in 1..=5 {
        daemon.post("item.update", AT, feedback(id, "old")).await;
    }
    daemon.settled("tracker").await;
    wire.fake().faults = vec![Fault::Invalid; 5];
    let all = ReplayRequest { connector: "tracker".to_owned(), include_history: true, ..ReplayRequest::default() };
    assert_eq!(daemon.replay(all).await.count, 5);
    daemon.until("tracker", |status| status["parked"] == 5).await;
    assert_eq!(daemon.parked().len(), 5);
    daemon.decide(Decision::RetryAll {}).await;
    daemon.until("tracker", |status| status["parked"] == 0 && status["queued"] == 0).await;
    assert_eq!(wire.fake().issues.len(), 5);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_read_page_by_page_shows_every_delivery_once() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), &two_trackers("")), &wire).await;
    for name in ["tracker", "second"] {
        daemon.settled(name).await;
        daemon.decide(Decision::Pause { connector: name.to_owned() }).await;
    }
    for id in 1..=3 {
        let vote = json!({"feedback_item": feedback(id, "a"), "vote": 1, "user": {"user_id": 4}});
        daemon.post("vote.create", AT, vote).await;
    }
    daemon.until("second", |status| status["queued"] == 3).await;
    let everything = daemon.queue(&Query::default()).rows;
    let (mut paged, mut before) = (Vec::new(), None);
    loop {
        let page = daemon.queue(&Query { limit: Some(1), before, ..Query::default() });
        paged.extend(page.rows);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!((everything.len(), &paged), (6, &everything));
    daemon.stop().await;
}
