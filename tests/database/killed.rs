//! `kill -9` of the real daemon in the middle of the commits of a backlog: after it has gone on, every row is as the last state says.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use sleeksync::config::Config;
use sleeksync_connectors::contract::ItemKind;
use sleeksync_connectors::testing::Nobody;
use sleeksync_connectors::testing::database::rows;
use sleeksync_connectors::testing::sqlite::File;

use super::START_MS;
use super::daemon::{Daemon, config};
use super::process::{PATIENCE, Process, free, go_on_for, look_for_blocking};
use super::suite::body;

/// Posts that are there before, and those that come later. Many transactions: each takes 128 rows at most.
const OLD: u64 = 1000;
const ALL: u64 = 2000;
/// Kills that must find a part of the backlog written, and not all.
const KILLS: u64 = 5;

async fn post(daemon: &Daemon, bodies: impl Iterator<Item = String>) {
    stream::iter(bodies).for_each_concurrent(16, async |body| assert_eq!(daemon.post_raw(body).await["status"], "accepted")).await;
}

fn told(action: &str, at: i64, id: u64, title: &str) -> String {
    body(action, at, json!({"feedback_id": id, "title": format!("{title} {id}"), "user": {"user_id": id}}))
}

/// Whether Sleekplan deletes this post in the end.
fn is_deleted(id: u64) -> bool {
    id.is_multiple_of(7)
}

/// Rows of the backlog that are written.
fn written(file: &File) -> u64 {
    file.ask("SELECT count(*) AS count FROM feedback WHERE title LIKE 'last %'").first().and_then(|row| row["count"].as_u64()).unwrap_or(0)
}

/// A backlog that nobody works on: its folder is away, so the connector waits for a person. It comes back with the next start.
async fn backlog(folder: &Path, config: &Config) {
    let (copies, aside) = (folder.join("copies"), folder.join("aside"));
    std::fs::create_dir(&copies).unwrap();
    let daemon = Daemon::start(config, &Arc::new(Nobody)).await;
    post(&daemon, (1..=OLD).map(|id| told("item.create", 1, id, "first"))).await;
    daemon.settled("copy").await;
    daemon.stop().await;
    std::fs::rename(&copies, &aside).unwrap();
    let daemon = Daemon::start(config, &Arc::new(Nobody)).await;
    post(&daemon, (1..=ALL).map(|id| told("item.update", 2, id, "last"))).await;
    post(&daemon, (1..=ALL).filter(|id| is_deleted(*id)).map(|id| told("item.delete", 3, id, "last"))).await;
    daemon.stop().await;
    std::fs::rename(&aside, &copies).unwrap();
}

/// Starts the program as users have it, and kills it some time after it has begun to write. Answers what was written then.
fn killed(folder: &Path, file: &File, after_ms: u64) -> u64 {
    let before = written(file);
    let run =
        Command::new(env!("CARGO_BIN_EXE_sleeksync")).arg("run").current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let process = Process(run.unwrap());
    let is_worked_on = look_for_blocking(PATIENCE, || (written(file) > before).then_some(())).is_some();
    assert!(is_worked_on, "nobody works on the backlog");
    go_on_for(after_ms);
    drop(process);
    let sound = file.ask("PRAGMA integrity_check");
    assert_eq!(json!(sound), json!([{"integrity_check": "ok"}]));
    written(file)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_killed_while_it_commits_a_backlog_leaves_the_last_state() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::at(folder.path().join("copies/copy.db"));
    let config = config(folder.path(), "[connectors.copy]\nkind = \"sqlite\"\npath = \"copies/copy.db\"\n");
    backlog(folder.path(), &config).await;
    assert_eq!(written(&file), 0);
    // The program opens its own listeners.
    let path = folder.path().join("sleeksync.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("127.0.0.1:1", &free().to_string(), 1).replacen("127.0.0.1:0", &free().to_string(), 1)).unwrap();
    let found: Vec<u64> = (0..KILLS).map(|kill| killed(folder.path(), &file, kill * 5)).collect();
    println!("rows at each kill: {found:?} of {ALL}");
    assert!(found.iter().all(|found| *found < ALL), "killed too late, with so many rows written: {found:?}");
    let daemon = Daemon::start(&config, &Arc::new(Nobody)).await;
    daemon.settled("copy").await;
    assert_eq!(daemon.parked(), Vec::<Value>::new());
    daemon.stop().await;
    let mut rows = rows(&file, ItemKind::Feedback).await;
    rows.sort_by_key(|row| row["feedback_id"].as_str().unwrap().parse::<u64>().unwrap());
    assert_eq!(rows.len() as u64, ALL);
    for (row, id) in rows.iter().zip(1..) {
        let at = json!(START_MS + if is_deleted(id) { 3000 } else { 2000 });
        let expected = [json!(id.to_string()), json!(format!("last {id}")), at.clone(), if is_deleted(id) { at } else { Value::Null }];
        assert_eq!(["feedback_id", "title", "source_ts", "deleted_at"].map(|name| row[name].clone()), expected);
    }
}
