//! A fault in the middle of a step.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use http::Method;
use sleeksync_connectors::contract::{Request, Response, Transport, TransportError};
use sleeksync_connectors::testing::github::Wire;
use url::Url;

use super::AT;
use super::daemon::{Daemon, config, feedback, tracker};

/// The fake GitHub; the first issue is made, and then whoever asked for it panics.
#[derive(Default)]
struct Faulty {
    wire: Wire,
    creates: AtomicUsize,
}

#[async_trait]
impl Transport for Faulty {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let is_first = request.method == Method::POST && self.creates.fetch_add(1, Ordering::Relaxed) == 0;
        let answer = self.wire.send(request).await;
        assert!(!is_first, "a fault");
        answer
    }

    async fn fetch_untrusted(&self, url: &Url) -> Result<Response, TransportError> {
        self.wire.fetch_untrusted(url).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_in_which_the_program_fails_leaves_one_object_and_holds_up_no_other_lane() {
    let (folder, faulty) = (tempfile::tempdir().unwrap(), Arc::new(Faulty::default()));
    let daemon = Daemon::start(&config(folder.path(), &tracker("", "")), &faulty).await;
    for item in 1..=3 {
        daemon.post("item.create", AT, feedback(item, "a")).await;
    }
    daemon.settled("tracker").await;
    daemon.stop().await;
    // The one whose answer was never seen was looked up, not made again.
    assert_eq!((faulty.wire.fake().issues.len(), faulty.creates.load(Ordering::Relaxed)), (3, 3));
}
