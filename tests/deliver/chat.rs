//! Connectors that announce: each event once, whatever is lost on the way, and nothing more for who wants nothing more.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use sleeksync::admin::{Decision, ReplayRequest};
use sleeksync_connectors::contract::{Request, Response, Transport, TransportError};
use sleeksync_connectors::testing::slack::{CHANNEL, Wire};
use url::Url;

use super::AT;
use super::daemon::{Daemon, comment, config, feedback};

const DELIVERY: &str = "backoff_min = \"20ms\"\nbackoff_max = \"100ms\"\nsettle = [\"0s\", \"20ms\"]\n";

fn chat(style: &str) -> String {
    format!(
        "[connectors.chat]\nkind = \"slack\"\ntoken = \"t\"\nchannel = \"{CHANNEL}\"\napi_url = \"http://127.0.0.1:9\"\nstyle = \"{style}\"\n\
         events = [\"item.create\", \"item.update\", \"vote.create\"{}]\n[connectors.chat.delivery]\n{DELIVERY}",
        if style == "live" { ", \"comment.create\"" } else { "" }
    )
}

fn vote(at: u64) -> Value {
    let mut post = feedback(3, "CSV export");
    post["total_up"] = json!("2");
    post["updated"] = json!(at.to_string());
    json!({"feedback_id": 3, "user_id": 4, "vote": 1, "feedback_item": post})
}

/// A workspace whose clock is not behind the daemon's, which is the machine's.
fn workspace() -> Arc<Wire> {
    let wire = Arc::new(Wire::new());
    wire.fake().begins_at = Some(4_000_000_000);
    wire
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_has_one_message_whatever_answers_are_lost() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), workspace());
    let daemon = Daemon::start(&config(folder.path(), &chat("live")), &wire).await;
    let told = async |at: u64, action: &str, data: Value| {
        wire.fake().lost = 1;
        daemon.post(action, AT + at, data).await;
        daemon.settled("chat").await;
        wire.fake().lost = 0;
    };
    told(0, "item.create", feedback(3, "CSV export")).await;
    told(1, "comment.create", comment(9, 3, "+1")).await;
    told(2, "item.update", feedback(3, "CSV and XLSX export")).await;
    told(3, "vote.create", vote(AT + 3)).await;
    assert_eq!(daemon.parked(), Vec::<Value>::new());
    let messages = wire.fake().messages.clone();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert_eq!(messages[1].thread.as_ref(), Some(&messages[0].ts));
    let last = messages[0].versions.last().unwrap().to_string();
    assert!(last.contains("2 votes"), "{last}");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_event_is_a_message_of_its_own_and_is_repeated_by_request_alone() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), workspace());
    let daemon = Daemon::start(&config(folder.path(), &chat("event")), &wire).await;
    for (at, action, data) in [
        (0, "item.create", feedback(3, "CSV export")),
        (1, "item.update", feedback(3, "CSV and XLSX export")),
        (2, "comment.create", comment(9, 3, "not among its events")),
    ] {
        wire.fake().lost = 1;
        daemon.post(action, AT + at, data).await;
        daemon.settled("chat").await;
    }
    wire.fake().lost = 0;
    assert_eq!(wire.fake().messages.len(), 2, "the first message is not taken for the second, nor sent twice");
    let keys = |wire: &Wire| wire.fake().messages.iter().map(|message| message.metadata.to_string()).collect::<Vec<_>>();
    let first = keys(&wire);
    daemon.replay(ReplayRequest { connector: "chat".to_owned(), again: true, ..ReplayRequest::default() }).await;
    daemon.settled("chat").await;
    assert_eq!(keys(&wire), [first.clone(), first].concat());
    daemon.stop().await;
}

/// A receiver that answers as it is told, and notes what it is told.
#[derive(Default)]
struct Receiver {
    answers: Mutex<VecDeque<u16>>,
    told: Mutex<Vec<(String, Value)>>,
}

#[async_trait]
impl Transport for Receiver {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let id = request.headers["webhook-id"].to_str().unwrap().to_owned();
        self.told.lock().unwrap().push((id, serde_json::from_slice(&request.body).unwrap()));
        let status = self.answers.lock().unwrap().pop_front().unwrap_or(200);
        Ok(Response {
            status: http::StatusCode::from_u16(status).unwrap(),
            headers: http::HeaderMap::new(),
            body: "this hook is gone".into(),
        })
    }

    async fn fetch_untrusted(&self, _: &Url) -> Result<Response, TransportError> {
        panic!("nothing is fetched")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_for_good_pauses_its_connector_and_gets_everything_after_resume() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Receiver::default()));
    let hook = format!(
        "[connectors.hook]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/hook\"\nevents = [\"item.create\", \"item.update\"]\n[connectors.hook.delivery]\n{DELIVERY}"
    );
    let daemon = Daemon::start(&config(folder.path(), &hook), &wire).await;
    wire.answers.lock().unwrap().push_back(410);
    daemon.post("item.create", AT, feedback(3, "CSV export")).await;
    let status = daemon.until("hook", |status| status["state"] == "paused").await;
    assert!(status.to_string().contains("this hook is gone"), "{status}");
    daemon.post("item.update", AT + 1, feedback(3, "CSV and XLSX export")).await;
    daemon.until("hook", |status| status["queued"] == 2).await;
    assert_eq!(wire.told.lock().unwrap().len(), 1);

    daemon.decide(Decision::Resume { connector: "hook".to_owned(), all: false }).await;
    daemon.settled("hook").await;
    let told = wire.told.lock().unwrap().clone();
    let types: Vec<&Value> = told.iter().map(|(_, body)| &body["type"]).collect();
    assert_eq!(types, ["item.create", "item.create", "item.update"]);
    assert!(told[0].0 == told[1].0 && told[1].0 != told[2].0);
    daemon.stop().await;
}
