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

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_action_is_shown_by_its_word_and_moves_no_cursor() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let products = format!("[products.acme]\nid = {PRODUCT}\n");
    let daemon = Daemon::start(&config(folder.path(), &format!("{products}{}", tracker("", ""))), &wire).await;
    daemon.settled("tracker").await;
    let (long, cut) = ("x".repeat(1000), "x".repeat(64));
    let bodies = [
        (r#""promoter.create""#.to_owned(), Some("promoter.create")),
        (r#""\u001b]0;owned\u0007\u009b""#.to_owned(), Some("\u{241b}]0;owned\u{2407}\u{fffd}")),
        (format!(r#""{long}""#), Some(cut.as_str())),
        ("null".to_owned(), None),
    ];
    for (action, shown) in bodies {
        let posted = daemon.post_raw(format!(r#"{{"product_id":{PRODUCT},"action":{action},"data":{{}}}}"#)).await;
        assert_eq!(posted["status"], "unrecognised");
        assert_eq!(daemon.event(posted["seq"].as_u64().unwrap())["action"].as_str(), shown);
    }
    // The word is known, only its product is not.
    let posted = daemon.post_raw(r#"{"product_id":1,"action":"item.create","data":{"feedback_id":3}}"#.to_owned()).await;
    assert_eq!(daemon.event(posted["seq"].as_u64().unwrap())["action"], "item.create");
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_products_that_are_not_configured_leave_the_latest_named() {
    let (folder, wire) = (tempfile::tempdir().unwrap(), Arc::new(Wire::new()));
    let products = format!("[products.acme]\nid = {PRODUCT}\n");
    let daemon = Daemon::start(&config(folder.path(), &format!("{products}{}", tracker("", ""))), &wire).await;
    for product in 1..=40 {
        daemon.post_raw(format!(r#"{{"product_id":{product},"action":"item.create","data":{{"feedback_id":3}}}}"#)).await;
    }
    daemon.settled("tracker").await;
    let unlisted = daemon.status()["receiver"]["unlisted_products"].clone();
    let named: Vec<u64> = unlisted.as_array().unwrap().iter().map(|product| product["product_id"].as_u64().unwrap()).collect();
    assert_eq!((named.len(), named.last()), (16, Some(&40)), "{named:?}");
    daemon.stop().await;
}
