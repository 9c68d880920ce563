//! What a person asks for again: objects that were deleted at the service, and replays of what stands already.

use std::sync::Arc;

use sleeksync::admin::{Decision, ReplayRequest};
use sleeksync_connectors::testing::github::{Gone, Wire};

use super::AT;
use super::daemon::{Daemon, PAGES, comment, config, entry, feedback, tracker};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_writes_again_what_was_changed_at_the_service_and_makes_nothing_twice() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let closing = tracker("closed_statuses = { done = \"completed\" }", "");
    let daemon = Daemon::start(&config(folder.path(), &closing), &wire).await;
    let mut done = feedback(2, "shipped");
    done["status"] = "done".into();
    daemon.post("item.create", AT, feedback(1, "ours")).await;
    daemon.settled("tracker").await;
    daemon.post("item.create", AT, done).await;
    daemon.post("comment.create", AT, comment(9, 1, "first!")).await;
    daemon.settled("tracker").await;
    let creates = {
        let mut fake = wire.fake();
        let (first, comments) = (fake.issues.get_mut(&1).unwrap(), ["theirs"; 2]);
        (first.title, first.state) = ("theirs".to_owned(), "closed".to_owned());
        first.comments.values_mut().zip(comments).for_each(|(comment, theirs)| theirs.clone_into(comment));
        fake.issues.get_mut(&2).unwrap().state = "open".to_owned();
        fake.creates
    };
    assert_eq!(daemon.replay(ReplayRequest { connector: "tracker".to_owned(), ..ReplayRequest::default() }).await.count, 3);
    daemon.settled("tracker").await;
    {
        let fake = wire.fake();
        assert_eq!((fake.creates, fake.issues[&1].title.as_str(), fake.issues[&2].state.as_str()), (creates, "ours", "closed"));
        assert!(fake.issues[&1].comments.len() == 1 && fake.issues[&1].comments.values().all(|comment| comment.contains("first!")));
        // Nobody at Sleekplan ever said that it is open again.
        assert_eq!(fake.issues[&1].state, "closed");
    }
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_writes_a_page_again_that_was_deleted_by_hand() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), PAGES), &wire).await;
    daemon.post("changelog.create", AT, entry(1, "a")).await;
    daemon.settled("pages").await;
    let page = folder.path().join("site/changelog/entry-1.md");
    let written = std::fs::read(&page).unwrap();
    std::fs::remove_file(&page).unwrap();
    daemon.replay(ReplayRequest { connector: "pages".to_owned(), ..replay_of("changelog/1") }).await;
    daemon.settled("pages").await;
    assert_eq!(std::fs::read(&page).unwrap(), written);
    daemon.stop().await;
}
