//! Bodies that are JSON by its grammar only, or name what nobody knows: nothing in them is lost.

use std::sync::Arc;

use sleeksync_connectors::testing::github::Wire;

use super::AT;
use super::daemon::{Daemon, PRODUCT, config, tracker};

#[tokio::test(flavor = "multi_thread")]
async fn half_a_surrogate_pair_costs_one_character_and_neither_field_nor_mark() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let daemon = Daemon::start(&config(folder.path(), &tracker("", "")), &wire).await;
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let titles = [(r#""cut \ud83d""#, "cut \u{fffd}"), ("1e999", "1e999"), (r#""plain""#, "plain")];
    for (id, (title, shown)) in (1..).zip(titles) {
        let data = format!(r#"{{"feedback_id":"{id}","title":{title},"description":"x","tags":{deep}}}"#);
        let body = format!(r#"{{"product_id":{PRODUCT},"action":"item.create","data":{data},"timestamp":"{AT}"}}"#);
        let first = daemon.post_raw(body.clone()).await;
        assert_eq!(
            (first["status"].as_str(), daemon.post_raw(body.clone()).await["seq"].clone()),
            (Some("accepted"), first["seq"].clone())
        );
        daemon.settled("tracker").await;
        assert_eq!(wire.fake().issues[&id].title, shown);
        let event = daemon.event(first["seq"].as_u64().unwrap());
        assert_eq!((event["body"]["data"]["title"].as_str(), event["bytes"].as_u64()), (Some(shown), Some(body.len() as u64)));
    }
    daemon.stop().await;
}
