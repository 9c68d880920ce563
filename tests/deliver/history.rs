//! What turned public before a connector's start, or while it was off, is history; what turns public after it is not.

use std::sync::Arc;

use serde_json::{Value, json};
use sleeksync::admin::ReplayRequest;
use sleeksync_connectors::testing::github::Wire;

use super::AT;
use super::daemon::{Daemon, PAGES, config, entry, tracker};

fn draft(id: u64, title: &str) -> Value {
    let mut draft = entry(id, title);
    draft["draft"] = json!(true);
    draft
}

/// Entries that have a page.
fn pages(daemon: &Daemon) -> Vec<String> {
    let links = daemon.links();
    let pages = links.iter().filter(|link| link["part"] == "page");
    let mut items: Vec<String> = pages.map(|link| link["item"].as_str().unwrap().to_owned()).collect();
    items.sort();
    items
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_added_after_publication_creates_nothing_at_the_next_edit() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), &tracker("", "")), &wire).await;
    daemon.post("changelog.create", AT, draft(1, "published before")).await;
    daemon.post("changelog.create", AT, draft(2, "published after")).await;
    daemon.post("changelog.update", AT + 1, entry(1, "published before")).await;
    daemon.settled("tracker").await;
    daemon.stop().await;
    let daemon = Daemon::start(&config(folder.path(), &format!("{}{PAGES}", tracker("", ""))), &wire).await;
    daemon.settled("pages").await;
    daemon.post("changelog.update", AT + 2, entry(1, "published before, a typo less")).await;
    for title in ["published after", "published after, a typo less"] {
        let at = AT + 3 + title.len() as u64;
        daemon.post("changelog.update", at, entry(2, title)).await;
        daemon.settled("pages").await;
    }
    assert_eq!(pages(&daemon), ["changelog/2"]);
    let files: Vec<_> = std::fs::read_dir(folder.path().join("site/changelog")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["entry-2.md"]);
    // Of what is delivered again history is no part, unless it is asked for.
    let all = ReplayRequest { connector: "pages".to_owned(), dry_run: true, ..ReplayRequest::default() };
    let counted = daemon.replay(all.clone()).await;
    assert_eq!((counted.count, counted.left_out, counted.items), (1, 1, vec!["changelog/2".to_owned()]));
    let counted = daemon.replay(ReplayRequest { include_history: true, ..all }).await;
    assert_eq!((counted.count, counted.left_out), (2, 0));
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_while_a_connector_was_off_is_not_created_at_the_next_edit() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let (on, off) = (PAGES.to_owned(), format!("{PAGES}enabled = false\n"));
    let daemon = Daemon::start(&config(folder.path(), &on), &wire).await;
    // Known to the store as drafts, one by its create event and one by an edit.
    daemon.post("changelog.create", AT, draft(1, "a")).await;
    daemon.post("changelog.update", AT, draft(2, "a")).await;
    daemon.post("changelog.update", AT, draft(3, "a")).await;
    daemon.settled("pages").await;
    daemon.stop().await;
    let daemon = Daemon::start(&config(folder.path(), &off), &wire).await;
    daemon.until("pages", |status| status["state"] == "disabled").await;
    for id in [1, 2] {
        daemon.post("changelog.update", AT + 1, entry(id, "published")).await;
    }
    // Drafted while it is off, and published once it is on again: that is not missed.
    daemon.post("changelog.create", AT + 1, draft(4, "a")).await;
    daemon.until("pages", |status| status["queued"] == 0).await;
    daemon.stop().await;
    let daemon = Daemon::start(&config(folder.path(), &on), &wire).await;
    daemon.until("pages", |status| status["state"] == "running").await;
    for id in 1..=4 {
        daemon.post("changelog.update", AT + 2, entry(id, "a typo less")).await;
    }
    daemon.settled("pages").await;
    assert_eq!(pages(&daemon), ["changelog/3", "changelog/4"]);
    daemon.stop().await;
}
