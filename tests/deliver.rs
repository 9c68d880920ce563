//! Delivery from outside: webhooks in over HTTP, objects out at a fake GitHub and in a folder.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

#[path = "deliver/again.rs"]
mod again;
#[path = "deliver/blog.rs"]
mod blog;
#[path = "deliver/chat.rs"]
mod chat;
#[path = "deliver/daemon.rs"]
mod daemon;
#[path = "deliver/fault.rs"]
mod fault;
#[path = "deliver/history.rs"]
mod history;
#[path = "deliver/listeners.rs"]
mod listeners;
#[path = "deliver/numbers.rs"]
mod numbers;
#[path = "deliver/odd.rs"]
mod odd;
#[path = "process/mod.rs"]
mod process;
#[path = "deliver/reload.rs"]
mod reload;

use std::sync::Arc;

use daemon::{Daemon, PAGES, PRODUCT, comment, config, entry, feedback, tracker};
use serde_json::{Value, json};
use sleeksync::admin::{Decision, ReplayRequest};
use sleeksync_connectors::testing::github::{Fault, Gone, Wire};

const AT: u64 = 1_772_539_200_000;

fn markers(wire: &Wire) -> Vec<String> {
    let mut markers: Vec<String> = wire
        .fake()
        .issues
        .values()
        .map(|issue| issue.body.rsplit("sleekplan:").next().unwrap().split(':').next().unwrap().to_owned())
        .collect();
    markers.sort();
    markers
}

/// Everything that Sleekplan sends about an entry that is there already: edits, also of one that was published from a post, or answers a reader
/// gave below it. Its actions name no vote and no comment on an entry, so those name it in their data.
fn about_entry(id: u64) -> Vec<(&'static str, Value)> {
    let (mut shipping, user) = (entry(id, "old, published from a post"), json!({"user_id": 4, "data_mail": "jane@example.com"}));
    shipping["feedback_id"] = json!(id);
    vec![
        ("changelog.update", entry(id, "old")),
        ("changelog.update", entry(id, "old, a typo less")),
        ("changelog.update", shipping),
        ("satisfaction.create", json!({"satisfaction_id": id, "changelog_id": id, "type": "changelog", "value": 3, "user": user})),
        ("changelog.subscribe", json!({"changelog_id": id, "user_id": 1000 + id, "data_mail": format!("reader-{id}@example.com")})),
        ("vote.create", json!({"feedback_id": id, "changelog_id": id, "vote": 1, "user": user})),
        ("comment.create", json!({"comment_id": 5000 + id, "feedback_id": id, "changelog_id": id, "comment": "old", "public": true})),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_old_is_created_for_a_workspace_with_years_of_content() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), &format!("{}{PAGES}", tracker("close_on_ship = true", ""))), &wire).await;
    for id in 1..=1000_u64 {
        let post = feedback(id, "old");
        daemon.post("item.update", AT + id, post.clone()).await;
        daemon.post("vote.create", AT + id, json!({"feedback_item": post, "vote": 1, "user": {"user_id": 4}})).await;
        daemon.post("comment.create", AT + id, comment(id, id, "old")).await;
    }
    for id in 1..=300_u64 {
        for (action, data) in about_entry(id) {
            daemon.post(action, AT + id, data).await;
        }
        daemon.post("vote.create", AT + id, json!({"feedback_id": id, "vote": 1, "user": {"user_id": 5}})).await;
        daemon.post("comment.update", AT + 1000 + id, comment(id, id, "old, a typo less")).await;
    }
    daemon.settled("tracker").await;
    daemon.settled("pages").await;
    assert_eq!(wire.fake().requests, 0);
    assert!(!folder.path().join("site/changelog").exists() && daemon.links().is_empty() && daemon.parked().is_empty());
    daemon.post("item.create", AT, feedback(2001, "new")).await;
    daemon.post("changelog.create", AT, entry(2001, "new")).await;
    daemon.settled("tracker").await;
    daemon.settled("pages").await;
    assert_eq!((wire.fake().creates, folder.path().join("site/changelog/entry-2001.md").exists()), (1, true));
    let again = ReplayRequest {
        connector: "tracker".to_owned(),
        item: Some("feedback/7".to_owned()),
        include_history: true,
        ..ReplayRequest::default()
    };
    assert_eq!(daemon.replay(again).await.count, 1);
    // With its post, the comments that were dormant wake up.
    daemon.until("tracker", |_| wire.fake().issues.get(&2).is_some_and(|issue| issue.comments.len() == 2)).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_leaves_one_issue_and_a_restart_goes_on() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let config = config(folder.path(), &tracker("", ""));
    wire.fake().lose_every = Some(2);
    for round in 0..4_u64 {
        let daemon = Daemon::start(&config, &wire).await;
        for id in 1..=10 {
            daemon.post(if round == 0 { "item.create" } else { "item.update" }, AT + round, feedback(id, &format!("title {round}"))).await;
        }
        if round % 2 == 1 {
            daemon.settled("tracker").await;
        }
        // Every other time it is stopped with work under way.
        daemon.stop().await;
    }
    let daemon = Daemon::start(&config, &wire).await;
    daemon.settled("tracker").await;
    daemon.stop().await;
    assert_eq!(wire.fake().issues.len(), 10, "{:?}", markers(&wire));
    assert!(wire.fake().issues.values().all(|issue| issue.title == "title 3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_event_is_answered_with_the_first_ones_number_also_after_a_restart() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let config = config(folder.path(), &tracker("", ""));
    let daemon = Daemon::start(&config, &wire).await;
    let first = daemon.post("item.create", AT, feedback(1, "a")).await;
    assert_eq!(daemon.post("item.create", AT, feedback(1, "a")).await, json!({"status": "duplicate", "seq": first["seq"]}));
    daemon.stop().await;
    let daemon = Daemon::start(&config, &wire).await;
    daemon.settled("tracker").await;
    assert_eq!(daemon.post("item.create", AT, feedback(1, "a")).await, json!({"status": "duplicate", "seq": first["seq"]}));
    daemon.stop().await;
    assert_eq!(wire.fake().creates, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn order_does_not_matter_and_a_comment_waits_for_its_feedback() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), &tracker("closed_statuses = { done = \"completed\" }", "")), &wire).await;
    daemon.post("comment.create", AT, comment(9, 1, "first!")).await;
    let mut newest = feedback(1, "newest");
    newest["status"] = json!("done");
    daemon.post("item.update", AT + 2, newest).await;
    daemon.settled("tracker").await;
    assert_eq!(wire.fake().requests, 0);
    let late = daemon.post("item.create", AT, feedback(1, "oldest")).await;
    daemon.until("tracker", |_| wire.fake().issues.get(&1).is_some_and(|issue| issue.comments.len() == 1 && issue.state == "closed")).await;
    assert_eq!(wire.fake().issues[&1].title, "newest");
    let shown = daemon.event(late["seq"].as_u64().unwrap());
    assert_eq!((shown["status"].as_str(), shown["deliveries"][0]["state"].as_str()), (Some("stale"), Some("delivered")));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_parked_and_mended_by_a_person_or_a_newer_state() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), &tracker("", "")), &wire).await;
    daemon.post("item.create", AT, feedback(1, "a")).await;
    daemon.settled("tracker").await;
    wire.fake().issues.get_mut(&1).unwrap().locked = true;
    daemon.post("comment.create", AT, comment(9, 1, "x")).await;
    daemon.until("tracker", |status| status["parked"] == 1).await;
    let parked = daemon.parked().remove(0);
    assert_eq!((parked["class"].as_str(), parked["step"].as_str()), (Some("rejected"), Some("create comment")));
    assert!(parked["reason"].as_str().unwrap().contains("locked"), "{parked}");
    wire.fake().issues.get_mut(&1).unwrap().locked = false;
    daemon.decide(Decision::Retry { id: parked["id"].as_u64().unwrap() }).await;
    daemon.until("tracker", |status| status["parked"] == 0 && status["queued"] == 0).await;
    assert_eq!(wire.fake().issues[&1].comments.len(), 1);

    wire.fake().issues.get_mut(&1).unwrap().gone = Some(Gone::Deleted);
    daemon.post("item.update", AT + 1, feedback(1, "b")).await;
    daemon.until("tracker", |status| status["parked"] == 1).await;
    let parked = daemon.parked().remove(0);
    assert_eq!(parked["class"], "target_gone");
    daemon.decide(Decision::Drop { id: parked["id"].as_u64().unwrap(), why: "not needed".to_owned() }).await;
    daemon.until("tracker", |status| status["parked"] == 0).await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_stop_the_connector_and_keep_its_queue() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), &format!("{}{PAGES}", tracker("", ""))), &wire).await;
    wire.fake().faults = vec![Fault::Unauthorized; 50];
    for id in 1..=5 {
        daemon.post("item.create", AT, feedback(id, "a")).await;
    }
    daemon.post("changelog.create", AT, entry(1, "a")).await;
    daemon.until("tracker", |status| status["state"] == "unauthorized" && status["queued"].as_u64() >= Some(5)).await;
    // A broken connector delays no other.
    daemon.until("pages", |status| status["delivered"] == 1).await;
    let tried = wire.fake().requests;
    assert!(tried <= 4, "{tried} requests with refused credentials");
    wire.fake().faults.clear();
    daemon.decide(Decision::Resume { connector: "tracker".to_owned(), all: false }).await;
    daemon.settled("tracker").await;
    assert_eq!(wire.fake().issues.len(), 5);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_obeyed_and_nothing_is_lost_to_it() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), &tracker("", "concurrency = 1")), &wire).await;
    daemon.settled("tracker").await;
    daemon.decide(Decision::Pause { connector: "tracker".to_owned() }).await;
    for id in 1..=20 {
        daemon.post("item.create", AT, feedback(id, "a")).await;
    }
    wire.fake().faults = vec![Fault::Limited];
    daemon.decide(Decision::Resume { connector: "tracker".to_owned(), all: false }).await;
    daemon.until("tracker", |status| status["state"] == "throttled").await;
    let asked = wire.fake().requests;
    assert_eq!(asked, 1, "something was asked of it after that");
    daemon.settled("tracker").await;
    assert_eq!(wire.fake().issues.len(), 20);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_its_turn_makes_no_request_unknown() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let slow = tracker("", "timeout = \"1s\"\nconcurrency = 16").replace("rate_per_minute = 0", "rate_per_minute = 100");
    let daemon = Daemon::start(&config(folder.path(), &slow), &wire).await;
    for id in 1..=12 {
        daemon.post("item.create", AT, feedback(id, "a")).await;
    }
    let status = daemon.settled("tracker").await;
    daemon.stop().await;
    assert_eq!(status["last_error"], Value::Null);
    let fake = wire.fake();
    assert_eq!((fake.issues.len(), fake.requests), (12, 12), "something was looked up");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_new_objects_brake_the_connector() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), &tracker("", "max_creates_per_hour = 3\nconcurrency = 1")), &wire).await;
    for id in 1..=10 {
        daemon.post("item.create", AT, feedback(id, "a")).await;
    }
    daemon.until("tracker", |status| status["state"] == "braked").await;
    assert_eq!(wire.fake().issues.len(), 3);
    daemon.decide(Decision::Resume { connector: "tracker".to_owned(), all: false }).await;
    daemon.until("tracker", |status| status["state"] == "braked" && status["queued"] == 4).await;
    assert_eq!(wire.fake().issues.len(), 6);
    daemon.decide(Decision::Resume { connector: "tracker".to_owned(), all: true }).await;
    daemon.settled("tracker").await;
    assert_eq!(wire.fake().issues.len(), 10);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_brake_counts_what_is_about_to_be_made() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), &tracker("", "max_creates_per_hour = 3\nconcurrency = 8")), &wire).await;
    daemon.settled("tracker").await;
    // Answers that are lost leave plans open.
    wire.fake().lose_every = Some(2);
    daemon.decide(Decision::Pause { connector: "tracker".to_owned() }).await;
    for id in 1..=10 {
        daemon.post("item.create", AT, feedback(id, "a")).await;
    }
    for made in [3, 6, 9] {
        daemon.decide(Decision::Resume { connector: "tracker".to_owned(), all: false }).await;
        daemon.until("tracker", |status| status["state"] == "braked" && status["in_flight"] == 0).await;
        assert_eq!(wire.fake().issues.len(), made);
    }
    daemon.decide(Decision::Resume { connector: "tracker".to_owned(), all: true }).await;
    daemon.settled("tracker").await;
    assert_eq!(wire.fake().issues.len(), 10);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_repository_waits_until_a_person_says_what_becomes_of_the_links() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), &tracker("", "")), &wire).await;
    daemon.post("item.create", AT, feedback(1, "a")).await;
    daemon.settled("tracker").await;
    daemon.stop().await;
    let renamed = config(folder.path(), &tracker("", "").replace("http://127.0.0.1:9", "http://localhost:9"));
    let daemon = Daemon::start(&renamed, &wire).await;
    daemon.post("item.update", AT + 1, feedback(1, "b")).await;
    daemon.until("tracker", |status| status["state"] == "moved" && status["queued"] == 1).await;
    assert_eq!(wire.fake().issues[&1].title, "a");
    daemon.decide(Decision::Move { from: "tracker".to_owned(), to: "tracker".to_owned() }).await;
    daemon.settled("tracker").await;
    assert_eq!(wire.fake().issues[&1].title, "b");
    assert_eq!(wire.fake().creates, 1);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_sends_nothing_and_a_condition_decides_what_is_made() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), &tracker("dry_run = true", "")), &wire).await;
    let shown = daemon.post("item.create", AT, feedback(1, "a")).await["seq"].as_u64().unwrap();
    daemon.until("tracker", |status| status["skipped"] == 1 && status["state"] == "dry_run").await;
    assert!(daemon.event(shown)["deliveries"][0]["reason"].as_str().unwrap().starts_with("dry run: create issue"));
    daemon.stop().await;
    let daemon = Daemon::start(&config(folder.path(), &tracker("when = { feedback = \"votes_up >= 5\" }", "")), &wire).await;
    daemon.post("item.create", AT, feedback(2, "a")).await;
    daemon.settled("tracker").await;
    assert_eq!(wire.fake().requests, 0);
    let mut wanted: Value = feedback(2, "a");
    wanted["total_up"] = json!("5");
    daemon.post("vote.create", AT + 1, json!({"feedback_item": wanted, "vote": 1, "user": {"user_id": 4}})).await;
    daemon.settled("tracker").await;
    assert_eq!(wire.fake().issues.len(), 1);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_unrecognised_is_accepted_once_it_is_understood() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let with = |product: u64| config(folder.path(), &format!("[products.acme]\nid = {product}\n{}", tracker("", "")));
    let daemon = Daemon::start(&with(PRODUCT + 1), &wire).await;
    for id in [1, 2] {
        assert_eq!(daemon.post("item.create", AT, feedback(id, "a")).await["status"], "unrecognised");
    }
    daemon.settled("tracker").await;
    let unlisted = daemon.status()["receiver"]["unlisted_products"].clone();
    assert_eq!((&unlisted[0]["product_id"], &unlisted[0]["events"]), (&json!(PRODUCT), &json!(2)), "{unlisted}");
    daemon.stop().await;
    let daemon = Daemon::start(&with(PRODUCT), &wire).await;
    daemon.settled("tracker").await;
    assert_eq!(daemon.status()["receiver"]["unlisted_products"], json!([]));
    // What Sleekplan sends again is no repetition of what was never delivered.
    assert_eq!(daemon.post("item.create", AT, feedback(1, "a")).await["status"], "accepted");
    daemon.settled("tracker").await;
    assert_eq!(wire.fake().issues.len(), 1);
    let all = ReplayRequest { connector: "tracker".to_owned(), ..ReplayRequest::default() };
    assert_eq!(daemon.replay(all.clone()).await.recognised, 1);
    daemon.settled("tracker").await;
    assert_eq!(daemon.replay(all).await.recognised, 0);
    daemon.settled("tracker").await;
    assert_eq!(wire.fake().issues.len(), 2);
    assert_eq!(wire.fake().creates, 2);
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_without_an_id_stays_that_of_its_first_event_also_without_an_index() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let config = config(folder.path(), &format!("[products.acme]\n{}", tracker("", "")));
    let daemon = Daemon::start(&config, &wire).await;
    assert_eq!(daemon.post("item.create", AT, feedback(1, "a")).await["status"], "accepted");
    assert_eq!(daemon.post_of(PRODUCT + 1, "item.create", AT, feedback(1, "a")).await["status"], "unrecognised");
    daemon.stop().await;
    std::fs::remove_dir_all(folder.path().join("data/index")).unwrap();
    let daemon = Daemon::start(&config, &wire).await;
    assert_eq!(daemon.post_of(PRODUCT + 1, "item.create", AT + 1, feedback(2, "a")).await["status"], "unrecognised");
    assert_eq!(daemon.post("item.create", AT + 1, feedback(2, "a")).await["status"], "accepted");
    daemon.settled("tracker").await;
    daemon.stop().await;
    assert_eq!(wire.fake().issues.len(), 2);
}
