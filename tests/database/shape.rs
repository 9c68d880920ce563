//! The shapes of a body in which the docs and those who read them differ: a post nested or named, a person nested, named or missing, empty maps as
//! `[]`, other names for a comment's text, and bodies that are about nothing.

use serde_json::{Value, json};

use super::daemon::PRODUCT;
use super::suite::{Case, at, body, gone, holds};

fn told(action: &str, data: Value, rows: Value) -> Case {
    Case::new(format!("{action} {data}"), [body(action, 1, data)], rows)
}

fn post(id: &str) -> Value {
    at(1, json!({"feedback_id": id, "title": "Export"}))
}

fn ann() -> Value {
    json!({"user_id": "4", "data_name": "ann", "data_mail": "ann@example.com"})
}

fn ann_stands() -> Value {
    at(1, ann())
}

fn follower(person: &str) -> Value {
    at(1, json!({"feedback_id": "3", "user_id": person}))
}

fn vote(person: &str, vote: i64) -> Value {
    at(1, json!({"feedback_id": "3", "user_id": person, "vote": vote}))
}

/// What stands for a visitor of whom only an address is known.
fn hashed(mail: &str) -> String {
    let hash = blake3::hash(mail.as_bytes()).to_hex();
    format!("mail-{}", hash.chars().take(16).collect::<String>())
}

fn of_posts() -> Vec<Case> {
    let nested = json!({"feedback_id": "3", "title": "Export"});
    let all = ["item.create", "item.update"];
    let mut cases = Vec::new();
    for action in all {
        cases.push(told(action, nested.clone(), json!({"feedback": [post("3")]})));
        cases.push(told(action, json!({"feedback_item": nested}), json!({"feedback": [post("3")]})));
        cases.push(told(action, json!({"feedback_item": [], "feedback_id": 3, "title": "Export"}), json!({"feedback": [post("3")]})));
        cases.push(told(
            action,
            json!({"feedback_id": 18_446_744_073_709_551_615_u64, "title": "Export"}),
            json!({"feedback": [post("18446744073709551615")]}),
        ));
    }
    let deleted = json!({"feedback": [gone(1, json!({"feedback_id": "3"}))]});
    cases.push(told("item.delete", json!({"feedback_id": 3}), deleted.clone()));
    cases.push(told("item.delete", json!({"feedback_item": {"feedback_id": 3}}), deleted));
    cases
}

fn of_children() -> Vec<Case> {
    let nested = json!({"feedback_id": 3, "title": "Export"});
    let comment = |columns: Value| {
        let mut row = json!({"feedback_id": "3", "comment_id": "9"});
        row.as_object_mut().unwrap().extend(columns.as_object().unwrap().clone());
        json!([at(1, row)])
    };
    vec![
        told(
            "comment.create",
            json!({"comment_id": 9, "feedback_id": 3, "value": "+1"}),
            json!({"comments": comment(json!({"comment": "+1"}))}),
        ),
        told(
            "comment.create",
            json!({"comment_id": 9, "feedback_id": 3, "text": "+1"}),
            json!({"comments": comment(json!({"comment": "+1"}))}),
        ),
        told(
            "comment.update",
            json!({"comment_id": 9, "feedback_id": 3, "comment": "", "value": null, "text": "+1"}),
            json!({"comments": comment(json!({"comment": "+1"}))}),
        ),
        told(
            "comment.create",
            json!({"comment_id": 9, "feedback_item": nested, "comment": "+1", "user": ann()}),
            json!({"comments": comment(json!({"comment": "+1", "user_id": "4"})), "feedback": [post("3")]}),
        ),
        told(
            "comment.create",
            json!({"comment_id": 9, "feedback_id": 3, "user": [], "files": {}}),
            json!({"comments": comment(json!({"files": {}}))}),
        ),
        told(
            "comment.delete",
            json!({"comment_id": 9, "feedback_id": 3}),
            json!({"comments": [gone(1, json!({"feedback_id": "3", "comment_id": "9"}))]}),
        ),
        told(
            "vote.create",
            json!({"feedback_item": nested, "vote": "1", "user": ann()}),
            json!({"votes": [vote("4", 1)], "feedback": [post("3")]}),
        ),
        told("vote.create", json!({"feedback_id": "3", "vote": -1, "user_id": 4}), json!({"votes": [vote("4", -1)]})),
        told("vote.create", json!({"feedback_id": "3", "vote": 1, "user": null}), json!({"votes": [vote("anonymous", 1)]})),
        told("vote.create", json!({"feedback_id": "3", "vote": 1, "user": []}), json!({"votes": [vote("anonymous", 1)]})),
        told(
            "vote.create",
            json!({"feedback_id": "3", "vote": 1, "user": {"user_id": 0, "data_mail": "Ann@Example.com"}}),
            json!({"votes": [vote(&hashed("ann@example.com"), 1)]}),
        ),
        told(
            "subscription.create",
            json!({"feedback_item": nested, "user": ann()}),
            json!({"subscriptions": [follower("4")], "feedback": [post("3")]}),
        ),
        told("subscription.create", json!({"feedback_id": 3, "user_id": "4"}), json!({"subscriptions": [follower("4")]})),
        told(
            "subscription.delete",
            json!({"feedback_item": nested, "user": ann()}),
            json!({"subscriptions": [gone(1, json!({"feedback_id": "3", "user_id": "4"}))], "feedback": [post("3")]}),
        ),
    ]
}

fn of_people() -> Vec<Case> {
    let mut cases = Vec::new();
    for (action, table) in [("user.create", "users"), ("user.update", "users"), ("changelog.subscribe", "subscribers")] {
        for data in [ann(), json!({"user": ann()}), json!({"user_id": 0, "user": ann()})] {
            cases.push(told(action, data, json!({table: [ann_stands()]})));
        }
        let empty = json!({"segments": [], "data": [], "data_system": [], "notify_settings": []});
        let (mut data, mut row) = (ann(), ann_stands());
        for (name, value) in empty.as_object().unwrap() {
            (data[name], row[name]) = (value.clone(), value.clone());
        }
        cases.push(told(action, data, json!({table: [row]})));
        let visitor = json!({"data_mail": "Visitor@Example.com"});
        let stands = at(1, json!({"user_id": hashed("visitor@example.com"), "data_mail": "Visitor@Example.com"}));
        cases.push(told(action, visitor, json!({table: [stands]})));
    }
    let mut nobody = at(1, json!({"user_id": hashed("v@example.com")}));
    nobody["raw"] = json!({"mail": "v@example.com"});
    cases.push(told("changelog.subscribe", json!({"mail": "v@example.com"}), json!({"subscribers": [nobody]})));
    let deleted = json!({"users": [gone(1, json!({"user_id": "4"}))]});
    cases.push(told("user.delete", json!({"user_id": "4"}), deleted.clone()));
    cases.push(told("user.delete", ann(), deleted.clone()));
    cases.push(told("user.delete", json!({"user": ann()}), deleted));
    cases
}

fn of_entries_and_answers() -> Vec<Case> {
    let empty = json!({"changelog_id": "7", "title": null, "settings": [], "files": null, "stats": [], "segment": "", "feedback_id": 0});
    let row = at(1, json!({"changelog_id": "7", "settings": [], "stats": []}));
    let scheduled = json!({"changelog_id": 7, "scheduled": 1_772_539_200, "draft": "0", "enabled": "1"});
    let scheduled_row = at(1, json!({"changelog_id": "7", "scheduled": true, "draft": false, "enabled": true}));
    let answer = |columns: Value| json!({"satisfaction": [at(1, columns)]});
    vec![
        told("changelog.create", empty.clone(), json!({"entries": [row]})),
        told("changelog.update", empty, json!({"entries": [row]})),
        told("changelog.create", scheduled, json!({"entries": [scheduled_row]})),
        told(
            "satisfaction.create",
            json!({"satisfaction_id": "55", "vote": "5", "user": [], "meta": []}),
            answer(json!({"satisfaction_id": "55", "vote": 5, "meta": []})),
        ),
        told("satisfaction.create", json!({"satisfaction_id": 55, "user_id": 4}), answer(json!({"satisfaction_id": "55", "user_id": "4"}))),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_of_every_body_makes_its_rows() {
    let cases: Vec<Case> = [of_posts(), of_children(), of_people(), of_entries_and_answers()].concat();
    holds("shapes", &cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_about_nothing_is_kept_and_makes_no_row() {
    let bodies = [
        body("item.create", 1, json!([])),
        body("item.create", 1, json!({})),
        body("item.create", 1, Value::Null),
        body("item.create", 1, json!({"feedback_id": 0})),
        body("item.create", 1, json!({"feedback_id": "../../etc"})),
        body("item.create", 1, json!({"feedback_id": "3\u{0}"})),
        body("item.create", 1, json!({"feedback_id": "3".repeat(65)})),
        body("comment.create", 1, json!({"comment_id": 9})),
        body("vote.create", 1, json!({"user": {"user_id": 4}})),
        body("user.create", 1, json!({"data_name": "ann"})),
        body("promoter.create", 1, json!({"promoter_id": 1})),
        body("", 1, json!({"feedback_id": 3})),
        json!({"product_id": PRODUCT}).to_string(),
        json!({"action": "item.create", "data": {"feedback_id": PRODUCT}}).to_string(),
        json!([PRODUCT]).to_string(),
    ];
    let known = Case::new(
        "what is known",
        [body("item.create", 1, json!({"feedback_id": 3}))],
        json!({"feedback": [at(1, json!({"feedback_id": "3"}))]}),
    );
    let nothing = bodies.map(|body| Case::new(body.clone(), [body], json!({})).said("unrecognised"));
    let broken =
        ["no JSON", "{\"product_id\":5456534244,", "\u{feff}"].map(|body| Case::new(body, [body.to_owned()], json!({})).said("not_json"));
    let cases: Vec<Case> = nothing.into_iter().chain(broken).chain([known]).collect();
    holds("about_nothing", &cases).await;
}
