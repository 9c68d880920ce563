//! What a reload leaves as it was: one worker a lane, one object an item.

#![expect(clippy::disallowed_methods, reason = "a test has no supervisor")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use sleeksync::admin::Decision;
use sleeksync_connectors::contract::{Request, Response, Transport, TransportError};
use sleeksync_connectors::testing::github::Wire;
use tokio::sync::Semaphore;
use url::Url;

use super::AT;
use super::daemon::{Daemon, PAGES, config, feedback, tracker};

/// The fake GitHub, which makes issues only when it is let: whether or not anybody still waits for the answer.
struct Slow {
    wire: Arc<Wire>,
    /// One permit for every create that has arrived.
    arrived: Semaphore,
    /// One permit for every create that may go on.
    go_on: Arc<Semaphore>,
}

impl Slow {
    fn new() -> Arc<Self> {
        Arc::new(Self { wire: Arc::new(Wire::new()), arrived: Semaphore::new(0), go_on: Arc::new(Semaphore::new(0)) })
    }
}

#[async_trait]
impl Transport for Slow {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.method != Method::POST {
            return self.wire.send(request).await;
        }
        self.arrived.add_permits(1);
        let (wire, go_on) = (Arc::clone(&self.wire), Arc::clone(&self.go_on));
        let made = tokio::spawn(async move {
            go_on.acquire().await.unwrap().forget();
            wire.send(request).await
        });
        made.await.unwrap()
    }

    async fn fetch_untrusted(&self, url: &Url) -> Result<Response, TransportError> {
        self.wire.fetch_untrusted(url).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_waits_for_a_slow_create_and_leaves_one_issue() {
    let (folder, slow) = (tempfile::tempdir().unwrap(), Slow::new());
    let own = tracker("", "timeout = \"30s\"").replace("\"20ms\"]", "\"200ms\"]");
    let config = config(folder.path(), &format!("[delivery]\ntimeout = \"1s\"\n{own}"));
    let daemon = Daemon::start(&config, &slow).await;
    daemon.post("item.create", AT, feedback(1, "a")).await;
    slow.arrived.acquire().await.unwrap().forget();
    {
        let mut reload = std::pin::pin!(daemon.reload(&config, &slow));
        // Longer than the limit of the other connectors: that of this one counts.
        let early = tokio::time::timeout(Duration::from_secs(3), &mut reload).await;
        assert!(early.is_err(), "workers were replaced while a request was under way");
        slow.go_on.add_permits(2);
        reload.await;
    }
    daemon.settled("tracker").await;
    daemon.stop().await;
    assert_eq!(slow.wire.fake().issues.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_is_renamed_while_the_daemon_runs_goes_on_with_its_links() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), &tracker("", "")), &wire).await;
    daemon.post("item.create", AT, feedback(1, "a")).await;
    daemon.settled("tracker").await;
    let issues = || Decision::Move { from: "tracker".to_owned(), to: "issues".to_owned() };
    assert!(daemon.refuses(issues()).await.contains("still configured"));
    daemon.reload(&config(folder.path(), &tracker("", "").replace("connectors.tracker", "connectors.issues")), &wire).await;
    daemon.settled("issues").await;
    daemon.decide(issues()).await;
    daemon.post("item.update", AT + 1, feedback(1, "b")).await;
    daemon.settled("issues").await;
    daemon.decide(Decision::Reset { connector: "issues".to_owned() }).await;
    daemon.post("item.create", AT + 2, feedback(2, "c")).await;
    daemon.settled("issues").await;
    daemon.stop().await;
    let titles: Vec<String> = wire.fake().issues.values().map(|issue| issue.title.clone()).collect();
    assert_eq!(titles, ["b", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_is_written_down_only_when_it_changed() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let config = |more: &str| config(folder.path(), &format!("{}{more}", tracker("", "")));
    let before = config("");
    let daemon = Daemon::start(&before, &wire).await;
    daemon.settled("tracker").await;
    assert_eq!(daemon.records(), 1);
    daemon.reload(&before, &wire).await;
    daemon.stop().await;
    let daemon = Daemon::start(&before, &wire).await;
    assert_eq!(daemon.records(), 1);
    daemon.reload(&config(PAGES), &wire).await;
    daemon.reload(&config(PAGES), &wire).await;
    assert_eq!(daemon.records(), 2);
    daemon.reload(&before, &wire).await;
    assert_eq!(daemon.records(), 3);
    daemon.stop().await;
}
