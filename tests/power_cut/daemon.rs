//! The daemon as users run it, and clients that post to it until the power goes.

#![allow(clippy::indexing_slicing, reason = "an answer without what is asked of it fails the test")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::process::{PATIENCE, Process, free, look_for_blocking};

const CLIENTS: u64 = 8;

/// One daemon on a store, with a connector that takes everything.
pub struct Daemon {
    process: Process,
    log: PathBuf,
    pages: PathBuf,
    address: SocketAddr,
}

impl Daemon {
    /// Starts one, with its configuration and the connector's pages in `folder` and its store in `store`, and waits until it answers.
    pub fn start(folder: &Path, store: &Path) -> Self {
        let (address, admin) = (free(), free());
        let (config, log) = (folder.join("sleeksync.toml"), folder.join("log"));
        std::fs::create_dir_all(folder.join("pages")).unwrap();
        let text = format!(
            "[receiver]\nlisten = \"{address}\"\nkeys = [\"k\"]\n[admin]\nlisten = \"{admin}\"\n\
             [store]\npath = {store:?}\nmin_free = \"0B\"\n\
             [connectors.pages]\nkind = \"site\"\nformat = \"plain\"\npath = {:?}\n",
            folder.join("pages")
        );
        std::fs::write(&config, text).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_sleeksync"))
            .args(["run", "--config"])
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let daemon = Self { process: Process(child), log, pages: folder.join("pages/changelog"), address };
        let listens = look_for_blocking(PATIENCE, || std::net::TcpStream::connect(address).ok());
        assert!(listens.is_some(), "the daemon does not start: {}", daemon.log());
        daemon
    }

    /// Posts events from several connections and calls `cut` once `count` were acknowledged; goes on until none is taken any more.
    /// Answers number and title of all that were acknowledged.
    pub fn post_until_the_power_goes(&self, count: u64, cut: impl FnOnce() + Send + 'static) -> Vec<(u64, String)> {
        static POSTED: AtomicU64 = AtomicU64::new(0);
        let acknowledged = Arc::new(Mutex::new(Vec::new()));
        let cut = Arc::new(Mutex::new(Some(cut)));
        let url = format!("http://{}/webhooks/sleekplan?key=k", self.address);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut clients = tokio::task::JoinSet::new();
            // The program's provider is not installed in this process; one that already is will do.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
            for _ in 0..CLIENTS {
                let (http, url, acknowledged, cut) = (http.clone(), url.clone(), Arc::clone(&acknowledged), Arc::clone(&cut));
                clients.spawn(async move {
                    loop {
                        let id = POSTED.fetch_add(1, Ordering::Relaxed) + 1;
                        let title = format!("title {id}");
                        let data = json!({"changelog_id": id, "title": title, "description": "x".repeat(id as usize % 700), "draft": false, "enabled": true});
                        let body = json!({"product_id": 5_456_534_244_u64, "action": "changelog.create", "data": data, "timestamp": 1_772_539_200_000_u64});
                        let Ok(answer) = http.post(&url).json(&body).send().await else { return };
                        if !answer.status().is_success() {
                            return;
                        }
                        let said: Value = answer.json().await.unwrap();
                        assert_eq!(said["status"], "accepted");
                        let mut acknowledged = acknowledged.lock().unwrap();
                        acknowledged.push((said["seq"].as_u64().unwrap(), title));
                        if acknowledged.len() as u64 == count {
                            cut.lock().unwrap().take().unwrap()();
                        }
                    }
                });
            }
            clients.join_all().await;
        });
        let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
        assert!(acknowledged.len() as u64 >= count, "events were refused before the power was cut");
        acknowledged
    }

    /// Waits until every entry is a page.
    pub fn publishes<'a>(&self, titles: impl Iterator<Item = &'a String>) {
        for title in titles {
            let page = self.pages.join(title.replace("title ", "entry-") + ".md");
            let is_there = look_for_blocking(PATIENCE, || page.exists().then_some(()));
            assert!(is_there.is_some(), "there is no {}: {}", page.display(), self.log());
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits for the daemon's own end: a journal that cannot be written ends it, with a failure.
    pub fn ends_by_itself(mut self) {
        let ended = look_for_blocking(PATIENCE, || self.process.0.try_wait().unwrap());
        let status = ended.unwrap_or_else(|| panic!("the daemon goes on without a journal: {}", self.log()));
        assert!(!status.success());
    }
}
