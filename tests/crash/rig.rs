//! The daemon as users run it, and a fake GitHub in a process of its own that survives it.

use std::io::{BufRead, BufReader, Lines};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ChildStdout, Command, ExitStatus, Stdio};

use serde_json::Value;
use sleeksync_connectors::testing::github::FakeGitHub;

use super::process::{PATIENCE, Process, free, look_for};
use super::world::{Event, World};

/// Requests in flight towards the receiver.
const CLIENTS: usize = 8;
/// Names another program than that of this test build.
const PROGRAM: &str = "SLEEKSYNC_CRASH_PROGRAM";
/// Tells the child that it is the fake GitHub.
const FAKE: &str = "SLEEKSYNC_CRASH_FAKE";

/// Everything but the daemon, which comes and goes.
pub struct Rig {
    pub folder: tempfile::TempDir,
    fake: String,
    _fake: Process,
    /// Held open: after a minute its test harness says that it takes long, and dies where nobody listens.
    _said: Lines<BufReader<ChildStdout>>,
    http: reqwest::Client,
    receiver: SocketAddr,
    admin: SocketAddr,
}

/// One run of the daemon.
pub struct Daemon(Process);

impl Rig {
    pub fn new() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "serves_a_fake_github", "--nocapture"])
            .env(FAKE, "yes")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let fake =
            said.by_ref().map(|line| line.unwrap()).find_map(|line| line.split_once("fake at ").map(|(_, url)| url.to_owned())).unwrap();
        // The program's provider is not installed in this process; one that already is will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        let rig =
            Self { folder: tempfile::tempdir().unwrap(), fake, _fake: Process(child), _said: said, http, receiver: free(), admin: free() };
        std::fs::create_dir(rig.folder.path().join("site")).unwrap();
        std::fs::write(rig.folder.path().join("sleeksync.toml"), rig.config()).unwrap();
        rig
    }

    fn config(&self) -> String {
        let Self { fake, receiver, admin, .. } = self;
        let patient = "rate_per_minute = 0\nmax_creates_per_hour = 0\nbackoff_min = \"10ms\"\nbackoff_max = \"50ms\"\nsettle = [\"0s\", \"10ms\", \"30ms\"]";
        format!(
            "[receiver]\nlisten = \"{receiver}\"\nkeys = [\"k\"]\n[admin]\nlisten = \"{admin}\"\n[store]\nmin_free = \"0B\"\n\
             [connectors.tracker]\nkind = \"github\"\nrepository = \"acme/widgets\"\ntoken = \"t\"\napi_url = \"{fake}\"\n\
             closed_statuses = {{ done = \"completed\" }}\n[connectors.tracker.delivery]\n{patient}\n\
             [connectors.pages]\nkind = \"site\"\nformat = \"plain\"\npath = \"site\"\n"
        )
    }

    pub fn pages(&self) -> PathBuf {
        self.folder.path().join("site")
    }

    /// The program: that of this test build, which has what only tests need beside it, or the one that is named.
    pub fn program() -> PathBuf {
        std::env::var_os(PROGRAM).map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_sleeksync")), PathBuf::from)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(Self::program());
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Starts the daemon on what the last one left, and waits until it listens. `None` when it died before.
    pub async fn start(&self, crash_at: Option<&str>) -> Option<Daemon> {
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let mut command = self.command();
        command.arg("run").stdout(Stdio::null()).stderr(log).envs(crash_at.map(|point| ("SLEEKSYNC_CRASH_AT", point)));
        let mut daemon = Daemon(Process(command.spawn().unwrap()));
        let listens = look_for(PATIENCE, async || {
            if TcpStream::connect(self.receiver).is_ok() {
                return Some(true);
            }
            let status = daemon.ended()?;
            assert_eq!(status.signal(), Some(9), "the daemon refused to start: {}", self.log());
            Some(false)
        });
        let listens = listens.await;
        listens.unwrap_or_else(|| panic!("the daemon does not start: {}", self.log())).then_some(daemon)
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Posts events until all are answered or nobody answers any more. `answered` is asked after every answer whether to go on.
    pub async fn post(&self, world: &mut World, events: Vec<Event>, mut go_on: impl FnMut(usize) -> bool) {
        let mut waiting = events.into_iter();
        let mut running = tokio::task::JoinSet::new();
        let (mut count, mut alive) = (0, true);
        loop {
            while alive && running.len() < CLIENTS {
                let Some(event) = waiting.next() else { break };
                let request = self.http.post(format!("http://{}/webhooks/sleekplan?key=k", self.receiver)).body(event.body.clone());
                running.spawn(async move {
                    let answer = async { request.send().await?.error_for_status()?.json::<Value>().await };
                    (event, answer.await.ok())
                });
            }
            let Some(answered) = running.join_next().await else { break };
            let (event, answer) = answered.unwrap();
            if let Some(answer) = answer {
                assert!(["accepted", "duplicate"].contains(&answer["status"].as_str().unwrap()), "{answer}");
                world.acknowledge(&event, answer["seq"].as_u64().unwrap());
                count += 1;
                alive &= go_on(count);
            } else {
                world.unanswered.push(event);
                alive = false;
            }
        }
        world.unanswered.extend(waiting);
    }

    /// What the fake GitHub holds.
    pub async fn tracker(&self) -> Value {
        self.http.get(format!("{}/_fake/report", self.fake)).send().await.unwrap().json().await.unwrap()
    }

    pub async fn status(&self) -> Value {
        let url = format!("http://{}/api/v1/status", self.admin);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    /// Waits until the daemon says that it owes nothing.
    pub async fn settled(&self) -> Value {
        let settled = look_for(PATIENCE, async || {
            let status = self.status().await;
            let rows = status["connectors"].as_array().cloned().unwrap_or_default();
            let is_settled = status["journal"]["unfolded"] == 0 && !rows.is_empty() && rows.iter().all(|row| row["queued"] == 0);
            assert!(!is_settled || rows.iter().all(|row| row["parked"] == 0), "parked: {status}");
            is_settled.then_some(status)
        });
        let settled = settled.await;
        settled.unwrap_or_else(|| panic!("never settled: {}", self.log()))
    }

    /// Ends the daemon in good order, and checks what it leaves.
    pub fn stop_and_verify(&self, mut daemon: Daemon) {
        daemon.0.signal(rustix::process::Signal::TERM);
        assert!(daemon.0.0.wait().unwrap().success(), "{}", self.log());
        let verified = self.command().args(["store", "verify"]).output().unwrap();
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    }
}

impl Daemon {
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.0.0.try_wait().unwrap()
    }

    /// Whether it comes to the end it was told to come to.
    #[cfg(feature = "crash-points")]
    pub async fn dies_within(&mut self, patience: std::time::Duration) -> bool {
        let ended = look_for(patience, async || self.ended()).await;
        assert!(ended.is_none_or(|status| status.signal() == Some(9)));
        ended.is_some()
    }

    /// `kill -9`.
    #[cfg(not(feature = "crash-points"))]
    pub fn kill(mut self) {
        self.0.0.kill().unwrap();
        self.0.0.wait().unwrap();
    }
}

/// The child. Does nothing in an ordinary test run.
pub async fn serve_fake() {
    if std::env::var_os(FAKE).is_none() {
        return;
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("fake at http://{}", listener.local_addr().unwrap());
    let mut fake = FakeGitHub::new();
    (fake.lose_every, fake.hide_new) = (Some(5), 1);
    sleeksync_connectors::testing::github::serve(listener, fake).await.unwrap();
}
