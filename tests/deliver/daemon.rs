//! A daemon of this process with a fake GitHub behind it, driven over HTTP.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use sleeksync::admin::{Decision, Desk, Done, Page, Query, ReplayAnswer, ReplayRequest};
use sleeksync::app::{App, Listeners, Store};
use sleeksync::clock::Clock;
use sleeksync::config::{Config, Sources, load};
use sleeksync_connectors::contract::Transport;
use tokio::net::TcpListener;

use super::process::{PATIENCE, look_for};

/// The workspace of every event.
pub const PRODUCT: u64 = 5_456_534_244;

/// One run of the daemon.
pub struct Daemon {
    app: Option<App>,
    address: std::net::SocketAddr,
    pub admin: std::net::SocketAddr,
    http: reqwest::Client,
}

/// Settings of the connectors, as TOML below the usual ones.
pub fn config(folder: &Path, connectors: &str) -> Config {
    let text = format!("[receiver]\nlisten = \"127.0.0.1:0\"\nkeys = [\"k\"]\n[admin]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"data\"\nmin_free = \"0B\"\n{connectors}")
        // Two listeners on the system's choice of port are no conflict here: they are handed over open.
        .replacen("127.0.0.1:0", "127.0.0.1:1", 1);
    std::fs::create_dir_all(folder.join("site")).unwrap();
    std::fs::write(folder.join("sleeksync.toml"), text).unwrap();
    let sources = Sources { working_directory: folder.to_owned(), environment: Vec::new(), ..Sources::of_process(Vec::new(), Vec::new()) };
    load(&sources).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// A connector `tracker` on the fake, with more settings and delivery settings.
pub fn tracker(more: &str, delivery: &str) -> String {
    format!(
        "[connectors.tracker]\nkind = \"github\"\nrepository = \"acme/widgets\"\ntoken = \"t\"\napi_url = \"http://127.0.0.1:9\"\n{more}\n\
         [connectors.tracker.delivery]\nrate_per_minute = 0\nbackoff_min = \"20ms\"\nbackoff_max = \"100ms\"\nsettle = [\"0s\", \"20ms\"]\n{delivery}\n"
    )
}

/// A connector `pages`.
pub const PAGES: &str = "[connectors.pages]\nkind = \"site\"\npath = \"site\"\n";

impl Daemon {
    pub async fn start(config: &Config, wire: &Arc<impl Transport + 'static>) -> Self {
        let open = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listeners = Listeners { receiver: open().await, admin: open().await };
        let (address, admin) = (listeners.receiver.local_addr().unwrap(), listeners.admin.local_addr().unwrap());
        let app = App::start(config, Store::open(config, Clock::system()).await.unwrap(), listeners, Arc::clone(wire) as _).await;
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { app: Some(app), address, admin, http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// What SIGHUP does.
    pub async fn reload(&self, config: &Config, wire: &Arc<impl Transport + 'static>) {
        self.app.as_ref().unwrap().reload(config, Arc::clone(wire) as _).await;
    }

    pub async fn stop(mut self) {
        self.app.take().unwrap().shut_down().await;
    }

    fn desk(&self) -> &Desk {
        self.app.as_ref().unwrap().desk()
    }

    /// Posts an event, as Sleekplan would, and answers what was said.
    pub async fn post(&self, action: &str, at: u64, data: Value) -> Value {
        self.post_of(PRODUCT, action, at, data).await
    }

    /// The same for another workspace.
    pub async fn post_of(&self, product: u64, action: &str, at: u64, data: Value) -> Value {
        self.post_raw(json!({"product_id": product, "action": action, "data": data, "timestamp": at.to_string()}).to_string()).await
    }

    /// Posts these bytes, which are taken, and answers what was said.
    pub async fn post_raw(&self, body: String) -> Value {
        let said = self.offer(body).await;
        assert!(said["error"].is_null(), "{said}");
        said
    }

    /// Posts these bytes, and answers what was said, an error too.
    pub async fn offer(&self, body: String) -> Value {
        let url = format!("http://{}/webhooks/sleekplan?key=k", self.address);
        let answer = self.http.post(url).body(body).send().await.unwrap();
        let is_taken = answer.status().is_success();
        let said: Value = answer.json().await.unwrap();
        assert_eq!(is_taken, said["error"].is_null(), "{said}");
        said
    }

    /// Waits until nothing is owed; answers the connector's status.
    pub async fn settled(&self, connector: &str) -> Value {
        self.until(connector, |status| status["queued"] == 0).await
    }

    /// Waits until a connector's status is as wanted, with everything folded.
    pub async fn until(&self, connector: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let found = look_for(PATIENCE, async || {
            let status = serde_json::to_value(self.desk().status().ok()?).unwrap();
            last = status["connectors"].as_array().unwrap().iter().find(|row| row["name"] == connector).cloned().unwrap_or_default();
            (status["journal"]["unfolded"] == 0 && !last.is_null() && wanted(&last)).then(|| last.clone())
        });
        let found = found.await;
        found.unwrap_or_else(|| panic!("{connector} never came to what was waited for: {last}"))
    }

    /// What both listeners answer at `path`: status and body.
    pub async fn health(&self, path: &str) -> [(u16, Value); 2] {
        [self.get(self.address, path).await, self.get(self.admin, path).await]
    }

    /// One answer: status and body.
    pub async fn get(&self, address: std::net::SocketAddr, path: &str) -> (u16, Value) {
        let answer = self.http.get(format!("http://{address}{path}")).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    pub fn status(&self) -> Value {
        serde_json::to_value(self.desk().status().unwrap()).unwrap()
    }

    pub fn parked(&self) -> Vec<Value> {
        self.desk().parked(&Query::default()).unwrap().rows
    }

    pub fn queue(&self, query: &Query) -> Page<Value> {
        self.desk().queue(query).unwrap()
    }

    /// How many records there are.
    pub fn records(&self) -> u64 {
        self.desk().shared.journal.synced().borrow().0
    }

    pub fn links(&self) -> Vec<Value> {
        self.desk().links(&Query::default()).unwrap().rows
    }

    pub fn event(&self, seq: u64) -> Value {
        self.desk().event(seq).unwrap()
    }

    pub async fn decide(&self, decision: Decision) -> Done {
        self.desk().decide(&decision).await.unwrap()
    }

    /// Why a decision is not taken.
    pub async fn refuses(&self, decision: Decision) -> String {
        self.desk().decide(&decision).await.unwrap_err().to_string()
    }

    pub async fn replay(&self, request: ReplayRequest) -> ReplayAnswer {
        self.desk().replay(&request).await.unwrap()
    }
}

impl Drop for Daemon {
    /// Ends the daemon of a test that failed: its threads would keep the process.
    fn drop(&mut self) {
        if let Some(app) = self.app.take() {
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(app.shut_down()));
        }
    }
}

/// Feedback as Sleekplan sends it.
pub fn feedback(id: u64, title: &str) -> Value {
    json!({"feedback_id": id.to_string(), "title": title, "description": "Please.", "status": "open", "total_up": "1", "created": "2020-05-22 16:49:00"})
}

/// A comment.
pub fn comment(id: u64, feedback: u64, text: &str) -> Value {
    json!({"comment_id": id, "feedback_id": feedback, "comment": text, "public": true})
}

/// A public changelog entry.
pub fn entry(id: u64, title: &str) -> Value {
    json!({"changelog_id": id, "title": title, "description_html": "<p>New.</p>", "draft": false, "enabled": true, "segment": "", "created": "2020-03-03 12:00:00"})
}
