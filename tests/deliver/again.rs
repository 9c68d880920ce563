//! What a person asks for again: objects that were deleted at the service, and replays of what stands already.

use std::sync::Arc;

use sleeksync::admin::{Decision, ReplayRequest};
use sleeksync_connectors::testing::github::{Gone, Wire};

use super::AT;
use super::daemon::{Daemon, config, feedback, tracker};

fn replay_of(item: &str) -> ReplayRequest {
    ReplayRequest { connector: "tracker".to_owned(), item: Some(item.to_owned()), ..ReplayRequest::default() }
}

/// How many issues were ever made, and the title of the newest.
fn made(wire: &Wire) -> (u64, String) {
    let fake = wire.fake();
    (fake.creates, fake.issues.values().last().unwrap().title.clone())
}

/// Deletes an issue at the service, and lets the tracker find out by an update.
async fn lost(daemon: &Daemon, wire: &Wire, number: u64, at: u64, title: &str) -> u64 {
    wire.fake().issues.get_mut(&number).unwrap().gone = Some(Gone::Deleted);
    daemon.post("item.update", at, feedback(1, title)).await;
    daemon.until("tracker", |status| status["parked"] == 1 && status["queued"] == 0).await;
    let parked = daemon.parked().remove(0);
    assert_eq!(parked["class"], "target_gone");
    parked["id"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_at_the_service_is_made_anew_when_a_person_says_so_and_not_before() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    // Neither history nor `events` stand in the way of what was made once.
    let daemon = Daemon::start(&config(folder.path(), &tracker("events = [\"item.create\"]", "")), &wire).await;
    daemon.post("item.update", AT, feedback(1, "a")).await;
    daemon.settled("tracker").await;
    daemon.replay(ReplayRequest { include_history: true, ..replay_of("feedback/1") }).await;
    daemon.settled("tracker").await;
    let id = lost(&daemon, &wire, 1, AT + 1, "b").await;
    daemon.post("item.update", AT + 2, feedback(1, "c")).await;
    daemon.until("tracker", |status| status["parked"] == 1 && status["queued"] == 0).await;
    assert_eq!(wire.fake().creates, 1);
    daemon.decide(Decision::Retry { id }).await;
    daemon.until("tracker", |status| status["parked"] == 0 && status["queued"] == 0).await;
    assert_eq!(made(&wire), (2, "c".to_owned()));

    lost(&daemon, &wire, 2, AT + 3, "d").await;
    daemon.replay(replay_of("feedback/1")).await;
    daemon.until("tracker", |status| status["parked"] == 0 && status["queued"] == 0).await;
    assert_eq!(made(&wire), (3, "d".to_owned()));

    let id = lost(&daemon, &wire, 3, AT + 4, "e").await;
    daemon.decide(Decision::Drop { id, why: "not needed".to_owned() }).await;
    let update = daemon.post("item.update", AT + 5, feedback(1, "f")).await["seq"].as_u64().unwrap();
    daemon.settled("tracker").await;
    let became = daemon.event(update)["deliveries"][0].clone();
    assert_eq!((wire.fake().creates, became["state"].as_str()), (3, Some("skipped")), "{became}");
    assert!(became["reason"].as_str().unwrap().contains("`replay` makes a new one"), "{became}");
    daemon.replay(replay_of("feedback/1")).await;
    daemon.settled("tracker").await;
    assert_eq!(made(&wire), (4, "f".to_owned()));
    daemon.stop().await;
}
