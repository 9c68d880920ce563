//! The three servers, each in a process of its own.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::load::{self, Until};

/// Tells this very program which yardstick it is.
pub const YARDSTICK: &str = "SLEEKSYNC_BENCH_YARDSTICK";
const PATIENCE: Duration = Duration::from_secs(900);

/// A running server.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    admin: SocketAddr,
    client: reqwest::Client,
    runtime: tokio::runtime::Runtime,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended where it was told to.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// `echo` or `reference`, by re-executing this program.
    pub fn yardstick(name: &str, folder: &Path) -> Self {
        let [address] = free();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(YARDSTICK, format!("{name} {address} {}", folder.display())).stdout(Stdio::null());
        Self::started(command, address, address)
    }

    /// The daemon as users run it, with a connector whose service does not answer: every event is owed to it.
    pub fn daemon(folder: &Path) -> Self {
        let owing =
            "[connectors.tracker]\nkind = \"github\"\nrepository = \"acme/widgets\"\ntoken = \"t\"\napi_url = \"http://127.0.0.1:9\"\n";
        Self::daemon_with(folder, owing)
    }

    /// The daemon with these connectors.
    pub fn daemon_with(folder: &Path, connectors: &str) -> Self {
        let [address, admin] = free();
        let config = folder.join("sleeksync.toml");
        let text = format!(
            "[receiver]\nlisten = \"{address}\"\nkeys = [\"k\"]\n[admin]\nlisten = \"{admin}\"\n[log]\nfilter = \"error\"\n{connectors}"
        );
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sleeksync"));
        command.arg("run").current_dir(folder).stdout(Stdio::null());
        Self::started(command, address, admin)
    }

    fn started(mut command: Command, address: SocketAddr, admin: SocketAddr) -> Self {
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // The server closes what stays idle while the load runs, and nobody looks at the connection meanwhile.
        let client = reqwest::Client::builder().no_proxy().pool_idle_timeout(Duration::from_secs(1)).build().unwrap();
        let server = Self { child, address, admin, client, runtime };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(started.elapsed() < PATIENCE, "a server does not start");
            std::thread::sleep(Duration::from_millis(1));
        }
        server
    }

    /// Posts one event; returns when it is answered.
    pub fn accept_one(&self) {
        assert_eq!(load::post(self.address, 1, Until::Posted(1)).accepted, 1);
    }

    /// What the daemon says of itself.
    pub fn status(&self) -> Value {
        serde_json::from_str(&self.get(&format!("http://{}/api/v1/status", self.admin))).unwrap()
    }

    /// How often it synced, of a daemon.
    pub fn daemon_syncs(&self) -> u64 {
        self.status()["journal"]["syncs"].as_u64().unwrap()
    }

    /// Whether the daemon owes nobody anything.
    pub fn is_settled(&self) -> bool {
        let status = self.status();
        status["journal"]["unfolded"] == 0 && status["connectors"].as_array().unwrap().iter().all(|row| row["queued"] == 0)
    }

    /// What a yardstick has counted.
    pub fn count(&self) -> u64 {
        self.get(&format!("http://{}/", self.address)).parse().unwrap()
    }

    fn get(&self, url: &str) -> String {
        self.runtime.block_on(async { self.client.get(url).send().await.unwrap().text().await.unwrap() })
    }

    /// Waits until the index knows everything; how long that took.
    pub fn caught_up(&self) -> Duration {
        let started = Instant::now();
        loop {
            let status = self.status();
            if status["journal"]["unfolded"] == 0 && status["connectors"].as_array().is_some_and(|rows| !rows.is_empty()) {
                return started.elapsed();
            }
            assert!(started.elapsed() < PATIENCE, "the index does not catch up: {status}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The most memory it ever had, in MiB: `VmHWM` of proc(5).
    pub fn peak_mib(&self) -> u64 {
        let path = PathBuf::from("/proc").join(self.child.id().to_string()).join("status");
        let text = std::fs::read_to_string(path).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }

    /// Ends it in good order.
    pub fn stop(mut self) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

/// Different addresses nobody listens on, a moment ago.
fn free<const COUNT: usize>() -> [SocketAddr; COUNT] {
    let held: [TcpListener; COUNT] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap())
}
