//! Every sample body there is, the vendor's own and those of its other actions, and the rows it makes.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};
use sleeksync_connectors::contract::Action;

use super::suite::{Case, holds};

/// A file of `bodies`, and the rows it makes; their `raw` and `source_ts` follow from it.
pub struct Sample {
    pub file: &'static str,
    rows: fn() -> Value,
}

/// All of them.
pub const SAMPLES: &[Sample] = &[
    Sample { file: "documented_webhook_envelope", rows: || json!({}) },
    Sample { file: "documented_webhook_item.create", rows: || json!({"feedback": [documented()]}) },
    Sample { file: "inferred_webhook_item.update", rows: || json!({"feedback": [post()]}) },
    Sample { file: "inferred_webhook_item.delete", rows: || json!({"feedback": [deleted(post())]}) },
    Sample { file: "inferred_webhook_comment.create", rows: || json!({"comments": [comment()]}) },
    Sample { file: "inferred_webhook_comment.update", rows: || json!({"comments": [with(comment(), "modified", json!(true))]}) },
    Sample { file: "inferred_webhook_comment.delete", rows: || json!({"comments": [deleted(comment())]}) },
    Sample { file: "inferred_webhook_vote.create", rows: || json!({"feedback": [post()], "votes": [with(follower(), "vote", json!(1))]}) },
    Sample { file: "inferred_webhook_subscription.create", rows: || json!({"subscriptions": [follower()]}) },
    Sample { file: "inferred_webhook_subscription.delete", rows: || json!({"subscriptions": [deleted(follower())]}) },
    Sample { file: "inferred_webhook_user.create", rows: || json!({"users": [jane()]}) },
    Sample { file: "inferred_webhook_user.update", rows: || json!({"users": [jane()]}) },
    Sample { file: "inferred_webhook_user.delete", rows: || json!({"users": [deleted(json!({"user_id": "884001"}))]}) },
    Sample { file: "inferred_webhook_changelog.create", rows: || json!({"entries": [entry()]}) },
    Sample { file: "inferred_webhook_changelog.update", rows: || json!({"entries": [entry()]}) },
    Sample { file: "inferred_webhook_changelog.subscribe", rows: || json!({"subscribers": [jane()]}) },
    Sample { file: "inferred_webhook_satisfaction.create", rows: || json!({"satisfaction": [answer()]}) },
];

fn with(mut row: Value, name: &str, value: Value) -> Value {
    row[name] = value;
    row
}

/// When it was deleted follows from the body.
fn deleted(row: Value) -> Value {
    with(row, "deleted_at", json!(true))
}

fn documented() -> Value {
    json!({
        "feedback_id": "3", "title": "Show/search for similar ideas as you type",
        "description": "This can help us avoid users posting duplicate ideas", "status": "open", "status_label": "open",
        "type": "user-interface", "type_label": "user-interface", "trend": 0.0, "total_up": 9, "total_down": 0, "total_sum": 9,
        "total_comments": 0, "total_ratio": 9.0, "total_subscriber": 1, "scoring": 0.55, "effort": 1, "user_id": "4",
        "created": 1_590_166_140_000_i64, "updated": 1_590_166_140_000_i64,
    })
}

fn post() -> Value {
    json!({
        "feedback_id": "48121", "title": "Export to CSV", "description": "Please add CSV export.",
        "description_html": "<p>Please add CSV export.</p>", "status": "s68dfa8421c534", "status_label": "s68dfa8421c534",
        "type": "t68df02a7ea223", "type_label": "t68df02a7ea223", "trend": 3.0, "total_up": 9, "total_down": 1, "total_sum": 8,
        "total_comments": 2, "total_ratio": 8.0, "total_subscriber": 4, "scoring": 0.55, "effort": 1, "is_active": true, "tags": [],
        "estimated": "March, 2026", "user_id": "884001", "created": 1_772_355_600_000_i64, "updated": 1_772_445_600_000_i64,
    })
}

fn comment() -> Value {
    json!({
        "feedback_id": "48121", "comment_id": "9001", "comment": "+1 from our team", "comment_html": "<p>+1 from our team</p>",
        "status": "active", "type": "comment", "modified": false, "files": [], "pinned": false, "public": true, "is_active": true,
        "likes": 0, "child_count": 0, "user_id": "884001", "created": 1_772_445_600_000_i64, "updated": 1_772_445_600_000_i64,
    })
}

/// Who votes or follows.
fn follower() -> Value {
    json!({"feedback_id": "48121", "user_id": "884001"})
}

fn jane() -> Value {
    json!({
        "user_id": "884001", "data_id": "1398", "data_name": "janesmith", "data_full_name": "Jane Smith", "data_mail": "jane@example.com",
        "data_img": "https://storage.sleekplan.com/static/image/user.png", "segments": ["enterprise0000000000000"],
        "data": {"companyName": "Acme"},
        "data_system": {"browser": "Firefox", "platform": "Linux", "country": "DE", "timezone": "Europe/Berlin"},
        "anonymous": false, "notify": true, "notify_settings": {"mention": true, "changelog": true, "subscribed": true}, "weight": 4.0,
        "stats_feedback": 1, "stats_votes": 3, "stats_comments": 2, "created": 1_772_355_600_000_i64, "updated": 1_772_445_600_000_i64,
    })
}

fn entry() -> Value {
    let image = "https://storage.sleekplan.com/products/123456789/changelog/771/shot.png";
    json!({
        "changelog_id": "771", "feedback_id": "48121", "title": "CSV export is here", "description": "You can now export a board to CSV.",
        "description_html": format!("<p>You can now export a board to <b>CSV</b>.</p><p><img src=\"{image}\"></p>"),
        "type": "t68df02a7ea224", "type_label": "t68df02a7ea224",
        "settings": {"cta": {"href": "https://example.com", "text": "Try it", "color": "#00b3a4"}}, "files": [], "draft": false,
        "scheduled": false, "enabled": true, "announcement": false, "notify": true,
        "stats": {"announcements": 0, "pageviews": 0, "emails": 0, "clicks": 0}, "created": 1_772_539_200_000_i64,
    })
}

fn answer() -> Value {
    json!({
        "satisfaction_id": "55", "vote": 5, "data_record": "default", "comment": "Great",
        "meta": {"referrer": "https://app.example.com"}, "user_id": "884001", "updated": 1_772_445_600_000_i64,
    })
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/database/bodies")
}

impl Sample {
    /// The body as it stands in its file.
    pub fn text(&self) -> String {
        std::fs::read_to_string(folder().join(format!("{}.json", self.file))).unwrap()
    }

    /// Whether it is about anything.
    pub fn is_event(&self) -> bool {
        (self.rows)() != json!({})
    }

    /// The rows that `body` makes, however it is spelled; its time is `source_ts`.
    pub fn rows(&self, body: &Value, source_ts: i64) -> Value {
        let mut rows = (self.rows)();
        for (table, rows) in rows.as_object_mut().unwrap() {
            for row in rows.as_array_mut().unwrap() {
                let mut data = body["data"].clone();
                let nested = data.as_object_mut().unwrap().remove("feedback_item");
                row["raw"] = nested.filter(|_| table == "feedback").unwrap_or(data);
                row["source_ts"] = json!(source_ts);
                if row["deleted_at"] == true {
                    row["deleted_at"] = json!(source_ts);
                    // Of a person who is deleted, nothing but ids is kept.
                    row["raw"].as_object_mut().unwrap().retain(|name, _| table != "users" || name.ends_with("_id"));
                }
            }
        }
        rows
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_makes_its_rows() {
    let cases: Vec<Case> = SAMPLES
        .iter()
        .map(|sample| {
            let body = serde_json::from_str(&sample.text()).unwrap();
            let case = Case::new(sample.file, [sample.text()], sample.rows(&body, 1_506_985_999_999));
            case.said(if sample.is_event() { "accepted" } else { "unrecognised" })
        })
        .collect();
    holds("samples", &cases).await;
}

#[test]
fn no_sample_and_no_action_is_forgotten() {
    let name = |file: std::io::Result<std::fs::DirEntry>| file.unwrap().file_name().into_string().unwrap();
    let files: BTreeSet<String> = std::fs::read_dir(folder()).unwrap().map(name).filter(|name| name.ends_with(".json")).collect();
    assert_eq!(files, SAMPLES.iter().map(|sample| format!("{}.json", sample.file)).collect());
    let actions: BTreeSet<&str> = Action::ALL.iter().map(|action| action.as_str()).collect();
    let shown = SAMPLES.iter().filter(|sample| sample.is_event()).filter_map(|sample| sample.file.split("_webhook_").nth(1));
    assert_eq!(shown.collect::<BTreeSet<_>>(), actions);
}
