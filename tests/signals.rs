//! Signals to a real process: what it does about them, also while it is busy.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

#[path = "process/mod.rs"]
mod process;

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use process::{PATIENCE, Process, free, look_for};
use rustix::process::Signal;

/// How soon a signal shows: far below the limit of a request.
const SOON: Duration = Duration::from_secs(10);

struct Daemon {
    folder: tempfile::TempDir,
    process: Process,
    receiver: SocketAddr,
    http: reqwest::Client,
}

fn config(key: &str, receiver: SocketAddr, admin: SocketAddr, service: SocketAddr) -> String {
    format!(
        "[receiver]\nlisten = \"{receiver}\"\nkeys = [\"{key}\"]\n[admin]\nlisten = \"{admin}\"\n[store]\nmin_free = \"0B\"\n\
         [connectors.tracker]\nkind = \"github\"\nrepository = \"acme/widgets\"\ntoken = \"t\"\napi_url = \"http://{service}\"\n"
    )
}

impl Daemon {
    fn start(text: &str, receiver: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("sleeksync.toml"), text).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_sleeksync"))
            .arg("run")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { folder, process: Process(child), receiver, http }
    }

    /// The status of the answer to a new event with this key, once it is `status`.
    async fn answers(&self, key: &str, status: u16, patience: Duration) -> bool {
        let url = format!("http://{}/webhooks/sleekplan?key={key}", self.receiver);
        let body = r#"{"product_id":5,"action":"item.create","data":{"feedback_id":"3","title":"a"},"timestamp":"2026-01-02T03:04:05Z"}"#;
        let look = async || self.http.post(&url).body(body).send().await.ok().filter(|answer| answer.status() == status);
        look_for(patience, look).await.is_some()
    }
}

#[tokio::test]
async fn a_daemon_that_is_told_to_end_while_it_reloads_refuses_events_at_once() {
    let service = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (receiver, admin) = (free(), free());
    let with_key = |key| config(key, receiver, admin, service.local_addr().unwrap());
    let daemon = Daemon::start(&with_key("old"), receiver);
    assert!(daemon.answers("old", 200, PATIENCE).await);
    // The service takes the request and never answers: the reload has to wait for its limit.
    let _held = service.accept().await.unwrap();
    std::fs::write(daemon.folder.path().join("sleeksync.toml"), with_key("new")).unwrap();
    daemon.process.signal(Signal::HUP);
    assert!(daemon.answers("new", 200, SOON).await, "the reload has not begun");
    daemon.process.signal(Signal::TERM);
    assert!(daemon.answers("new", 503, SOON).await, "SIGTERM was not heard");
}
