//! A blog: plans whose steps build on one another, and an address that other connectors may name.

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

#[tokio::test(flavor = "multi_thread")]
async fn the_address_that_a_blog_gave_stands_in_the_templates_of_others() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let other = BLOG.replace("connectors.blog", "connectors.mirror").replace(":9", ":8");
    let content = r#"content = "{{ entry.title }} is at {{ links.blog or 'no place' }}"
slug = "mirror-{{ entry.id }}""#;
    let daemon = Daemon::start(&config(folder.path(), &format!("{BLOG}{other}{content}\n")), &wire).await;
    let shown = || {
        wire.fake()
            .posts
            .values()
            .filter_map(|post| {
                let content = post.fields["content"].as_str()?.to_owned();
                content.contains(" is at ").then_some(content)
            })
            .collect::<Vec<_>>()
    };
    daemon.post("changelog.create", AT, entry(3, "news")).await;
    daemon.settled("blog").await;
    daemon.settled("mirror").await;
    daemon.post("changelog.update", AT + 1, entry(3, "more news")).await;
    daemon.settled("blog").await;
    daemon.settled("mirror").await;
    assert!(
        matches!(shown().as_slice(), [one] if one.replace("&#x2f;", "/").contains("more news is at https://blog.example.com/news-3/")),
        "{:?}",
        shown()
    );
    daemon.stop().await;
}
