//! A plan whose steps build on one another, at a service that tells its changes apart by the second.

use std::sync::Arc;

use serde_json::json;
use sleeksync_connectors::testing::wordpress::Wire;

use super::AT;
use super::daemon::{Daemon, config, entry};

const BLOG: &str =
    "[connectors.blog]\nkind = \"wordpress\"\nurl = \"http://127.0.0.1:9\"\nusername = \"bot\"\napplication_password = \"p\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_step_knows_what_the_one_before_it_made_also_where_nothing_of_them_is_written_yet() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), BLOG), &wire).await;
    let told = async |at: u64, action: &str, more: serde_json::Value| {
        let mut data = entry(3, "here");
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        daemon.post(action, AT + at, data).await;
        daemon.settled("blog").await;
    };
    told(0, "changelog.create", json!({})).await;
    // Uploading may be repeated, and so may the update: such a plan needs no journal.
    told(1, "changelog.update", json!({"description_html": "<p>see <img src='https://storage.sleekplan.com/a.png'></p>"})).await;
    let content = wire.fake().posts[&1].fields["content"].as_str().unwrap().to_owned();
    assert!(content.contains("/wp-content/uploads/") && !content.contains("storage.sleekplan.com"), "{content}");
    // The publication knows when the update was made.
    told(2, "changelog.update", json!({"draft": true})).await;
    told(3, "changelog.update", json!({"title": "back"})).await;
    assert_eq!((wire.fake().posts[&1].status.as_str(), daemon.parked()), ("publish", Vec::new()));
    daemon.stop().await;
}
