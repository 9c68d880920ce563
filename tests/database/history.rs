//! What becomes of an item: edited, deleted, updated late, made again, told twice and in every order, and of a person who is deleted with all
//! that stands of them in other rows.

use std::sync::Arc;

use serde_json::{Value, json};
use sleeksync_connectors::contract::ItemKind;
use sleeksync_connectors::testing::Nobody;

use super::daemon::{Daemon, PRODUCT, config};
use super::place::Place;
use super::suite::{Case, at, body, gone, holds};

/// What Sleekplan makes and deletes: its actions, the data that names it, its table and key.
fn mortals() -> Vec<(&'static str, &'static str, &'static str, Value, &'static str, Value)> {
    let followed = json!({"feedback_id": 3, "user_id": 4});
    vec![
        ("item.create", "item.update", "item.delete", json!({"feedback_id": "3"}), "feedback", json!({"feedback_id": "3"})),
        (
            "comment.create",
            "comment.update",
            "comment.delete",
            json!({"comment_id": 9, "feedback_id": 3}),
            "comments",
            json!({"comment_id": "9", "feedback_id": "3"}),
        ),
        ("user.create", "user.update", "user.delete", json!({"user_id": 4}), "users", json!({"user_id": "4"})),
        (
            "subscription.create",
            "subscription.create",
            "subscription.delete",
            followed,
            "subscriptions",
            json!({"feedback_id": "3", "user_id": "4"}),
        ),
    ]
}

fn and(mut one: Value, other: Value) -> Value {
    one.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    one
}

/// Every kind that can be deleted: a column that it has beside its key shows which state stands.
fn of_deleted() -> Vec<Case> {
    let mut cases = Vec::new();
    for (create, update, delete, data, table, key) in mortals() {
        let (mark, is_edited) = ("updated", create != update);
        let of = |second: i64| json!({mark: format!("2026-03-01 09:00:0{second}")});
        let told = |action: &str, second: i64| body(action, second, and(data.clone(), of(second)));
        let shown = |second: i64| {
            let has_column = table != "subscriptions";
            if has_column { and(key.clone(), json!({mark: 1_772_355_600_000_i64 + second * 1000})) } else { key.clone() }
        };
        let case = |name: &str, bodies: Vec<String>, row: Value| Case::new(format!("{table}: {name}"), bodies, json!({table: [row]}));
        cases.push(case("deleted", vec![told(create, 1), told(delete, 2)], gone(2, shown(2))));
        cases.push(case("deleted before it is known", vec![body(delete, 2, data.clone()), told(create, 1)], gone(2, shown(1))));
        cases.push(case("made again", vec![told(create, 1), body(delete, 2, data.clone()), told(create, 3)], at(3, shown(3))));
        cases.push(case(
            "made again and deleted again",
            vec![told(create, 1), told(delete, 2), told(create, 3), told(delete, 4)],
            gone(4, shown(4)),
        ));
        cases.push(case("deleted at the time it was made", vec![told(create, 2), body(delete, 2, data.clone())], gone(2, shown(2))));
        if is_edited {
            cases.push(case("deleted, then updated late", vec![told(create, 1), told(delete, 3), told(update, 2)], gone(3, shown(3))));
            cases.push(case(
                "deleted by its id alone, updated late",
                vec![told(create, 1), told(update, 2), body(delete, 3, data.clone())],
                gone(3, shown(2)),
            ));
            // It has one time, that of its newest event.
            cases.push(case(
                "deleted, then updated",
                vec![told(create, 1), body(delete, 2, data.clone()), told(update, 3)],
                gone(3, shown(3)),
            ));
            cases.push(case("updated before it is made", vec![told(update, 2), told(create, 1)], at(2, shown(2))));
        }
    }
    cases
}

fn post(fields: Value) -> Value {
    and(json!({"feedback_id": "3"}), fields)
}

fn person(fields: Value) -> Value {
    and(json!({"user_id": 4}), fields)
}

fn of_posts() -> Vec<Case> {
    vec![
        Case::new(
            "absent keeps, null clears",
            [
                body("item.create", 1, post(json!({"title": "first", "status": "open", "total_up": 1, "tags": ["a"], "description": "x"}))),
                body("item.update", 2, post(json!({"title": "second", "total_up": "2"}))),
                body("item.update", 3, post(json!({"status": null, "tags": []}))),
            ],
            json!({"feedback": [at(3, json!({"feedback_id": "3", "title": "second", "description": "x", "total_up": 2, "tags": [],
                "raw": {"feedback_id": "3", "title": "second", "description": "x", "total_up": "2", "tags": [], "status": null}}))]}),
        ),
        Case::new(
            "one id in all its spellings",
            [
                body("item.create", 1, json!({"feedback_id": "3", "title": "text"})),
                body("item.update", 2, json!({"feedback_id": 3, "title": "number"})),
                body("item.update", 3, json!({"feedback_id": 3.0, "title": "float"})),
                body("item.update", 4, json!({"feedback_item": {"feedback_id": " 3 ", "title": "nested"}})),
            ],
            json!({"feedback": [at(4, json!({"feedback_id": "3", "title": "nested"}))]}),
        ),
        Case::new(
            "a vote tells of its post, older and newer than what is known",
            [
                body("item.create", 1, post(json!({"title": "first", "total_up": 0}))),
                body("vote.create", 2, json!({"feedback_item": post(json!({"title": "first", "total_up": 1})), "vote": 1, "user_id": 4})),
                body("item.update", 3, post(json!({"title": "second", "total_up": 1}))),
                body("vote.create", 4, json!({"feedback_item": post(json!({"total_up": 2})), "vote": -1, "user_id": 4})),
            ],
            json!({"feedback": [at(4, json!({"feedback_id": "3", "title": "second", "total_up": 2}))],
                "votes": [at(4, json!({"feedback_id": "3", "user_id": "4", "vote": -1}))]}),
        ),
        Case::new(
            "children before their post",
            [
                body("comment.create", 1, json!({"comment_id": 9, "feedback_id": 3, "comment": "+1"})),
                body("subscription.create", 2, json!({"feedback_id": 3, "user_id": 4})),
                body("item.create", 3, post(json!({"title": "first"}))),
            ],
            json!({"feedback": [at(3, json!({"feedback_id": "3", "title": "first"}))], "subscriptions": [at(2, json!({"feedback_id": "3", "user_id": "4"}))],
                "comments": [at(1, json!({"feedback_id": "3", "comment_id": "9", "comment": "+1"}))]}),
        ),
    ]
}

fn of_others() -> Vec<Case> {
    vec![
        Case::new(
            "a draft that is published",
            [
                body("changelog.create", 1, json!({"changelog_id": 7, "title": "draft", "draft": true, "segment": "team"})),
                body("changelog.update", 2, json!({"changelog_id": "7", "title": "CSV", "draft": "0", "segment": "", "feedback_id": 3})),
                body("changelog.update", 3, json!({"changelog_id": 7, "enabled": 0})),
            ],
            json!({"entries": [at(3, json!({"changelog_id": "7", "title": "CSV", "draft": false, "enabled": false, "feedback_id": "3"}))]}),
        ),
        Case::new(
            "a person who changes, and subscribes twice",
            [
                body("user.create", 1, person(json!({"data_name": "ann", "weight": 1}))),
                body("user.update", 2, person(json!({"data_name": "anne", "weight": "2.5"}))),
                body("changelog.subscribe", 1, person(json!({"data_name": "ann"}))),
                body("changelog.subscribe", 3, json!({"user": person(json!({"data_mail": "ann@example.com"}))})),
            ],
            json!({"users": [at(2, json!({"user_id": "4", "data_name": "anne", "weight": 2.5}))],
                "subscribers": [at(3, json!({"user_id": "4", "data_name": "ann", "data_mail": "ann@example.com"}))]}),
        ),
        Case::new(
            "an answer that replaces another",
            [
                body("satisfaction.create", 1, json!({"satisfaction_id": 55, "vote": 2, "comment": "Meh", "user": {"user_id": 4}})),
                body("satisfaction.create", 2, json!({"satisfaction_id": "55", "vote": "5", "comment": null, "user": {"user_id": 4}})),
            ],
            json!({"satisfaction": [at(2, json!({"satisfaction_id": "55", "vote": 5, "user_id": "4"}))]}),
        ),
        Case::new(
            "the same ids in another workspace",
            [
                body("item.create", 1, post(json!({"title": "ours"}))),
                body("item.delete", 2, post(json!({}))).replace(&PRODUCT.to_string(), &format!("{PRODUCT}0")),
                body("user.delete", 3, person(json!({}))).replace(&PRODUCT.to_string(), &format!("{PRODUCT}0")),
                body("user.create", 1, person(json!({"data_name": "ann"}))),
            ],
            json!({"feedback": [at(1, json!({"feedback_id": "3", "title": "ours"}))], "users": [at(1, json!({"user_id": "4", "data_name": "ann"}))]}),
        ),
        Case::new(
            "without a time, the last to arrive",
            [("item.create", "first"), ("item.update", "second"), ("item.update", "third")].map(|(action, title)| {
                json!({"product_id": PRODUCT, "action": action, "data": {"feedback_id": 3, "title": title}}).to_string()
            }),
            json!({"feedback": [{"feedback_id": "3", "title": "third", "source_ts": null}]}),
        )
        .in_this_order(),
    ]
}

/// Ann, and everything that names her; then she is deleted.
fn of_a_deleted_person() -> Case {
    let ann =
        json!({"user_id": 4.0, "admin_id": 0, "data_name": "ann", "data_mail": "ann@example.com", "data_img": "ann.png", "data": {"a": 1}});
    let left = json!({"user_id": 4.0, "admin_id": 0});
    let flat = |fields: Value| and(ann.clone(), fields);
    let post = |id: i64| json!({"feedback_id": id, "user": ann});
    let key = |post: &str| json!({"feedback_id": post, "user_id": "4"});
    let raw = |row: Value, raw: Value| and(row, json!({"raw": raw}));
    Case::new(
        "a deleted person",
        [
            body("user.create", 1, ann.clone()),
            body("changelog.subscribe", 2, json!({"user": ann})),
            body("item.create", 3, post(1)),
            body("comment.create", 4, json!({"comment_id": 9, "feedback_id": 1, "user": ann, "comment": "hello"})),
            body("vote.create", 5, json!({"feedback_item": post(2), "vote": 1, "user": ann})),
            body("subscription.create", 6, flat(json!({"feedback_id": 1}))),
            body("satisfaction.create", 7, json!({"satisfaction_id": 55, "vote": 5, "user": ann})),
            body("user.delete", 8, json!({"user_id": "4"})),
            body("vote.create", 9, flat(json!({"feedback_id": 1, "vote": 1}))),
            body("item.update", 10, json!({"feedback_id": 3, "title": "later", "user": ann})),
        ],
        json!({
            "users": [raw(gone(8, json!({"user_id": "4"})), json!({"user_id": "4", "admin_id": 0}))],
            "subscribers": [raw(at(2, json!({"user_id": "4"})), left.clone())],
            "feedback": [
                raw(at(3, key("1")), json!({"feedback_id": 1, "user": left})),
                raw(at(5, key("2")), json!({"feedback_id": 2, "user": left})),
                raw(at(10, and(key("3"), json!({"title": "later"}))), json!({"feedback_id": 3, "title": "later", "user": left})),
            ],
            "comments": [raw(at(4, and(key("1"), json!({"comment_id": "9", "comment": "hello"}))),
                json!({"comment_id": 9, "feedback_id": 1, "user": left, "comment": "hello"}))],
            "votes": [
                raw(at(5, and(key("2"), json!({"vote": 1}))), json!({"vote": 1, "user": left})),
                raw(at(9, and(key("1"), json!({"vote": 1}))), and(left.clone(), json!({"feedback_id": 1, "vote": 1}))),
            ],
            "subscriptions": [raw(at(6, key("1")), and(left.clone(), json!({"feedback_id": 1})))],
            "satisfaction": [raw(at(7, json!({"satisfaction_id": "55", "vote": 5, "user_id": "4"})), json!({"satisfaction_id": 55, "vote": 5, "user": left}))],
        }),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_order_of_what_happened_leaves_the_last_state() {
    let cases: Vec<Case> = of_deleted().into_iter().chain(of_posts()).chain(of_others()).chain([of_a_deleted_person()]).collect();
    let cuts = holds("histories", &cases).await;
    assert!(cuts.is_none_or(|cuts| cuts.iter().all(|count| *count > 0)), "no commit was cut: {cuts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dates_without_a_zone_are_the_workspaces_and_keys_have_its_labels() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(folder.path(), "configured").await;
    let products = format!(
        "[products.acme]\nid = {PRODUCT}\ntime_zone = \"Europe/Berlin\"\nstatuses = {{ s68dfa8421c534 = \"In progress\" }}\ntypes = {{ t1 = \"Bug\" }}\n"
    );
    let daemon = Daemon::start(&config(folder.path(), &format!("{products}{}", place.connector())), &Arc::new(Nobody)).await;
    let dates = json!({"created": "2026-03-29 02:30:00", "updated": "2026-07-01 12:00:00"});
    daemon.post_raw(body("item.create", 1, and(json!({"feedback_id": 3, "status": "s68dfa8421c534", "type": "t1"}), dates))).await;
    daemon.post_raw(body("item.create", 1, json!({"feedback_id": 3})).replace(&PRODUCT.to_string(), "7")).await;
    daemon.settled("copy").await;
    daemon.stop().await;
    let row = place.only(ItemKind::Feedback).await;
    let found = ["product_id", "status", "status_label", "type_label", "created", "updated"].map(|name| row[name].clone());
    // The hour that the spring leaves out counts as the one behind it.
    let expected = [
        json!(PRODUCT.to_string()),
        json!("s68dfa8421c534"),
        json!("In progress"),
        json!("Bug"),
        json!(1_774_747_800_000_i64),
        json!(1_782_900_000_000_i64),
    ];
    assert_eq!(found, expected);
}
