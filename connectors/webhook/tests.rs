//! What a receiver is told, and what its answers mean.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use ring::hmac;
use serde_json::{Value, json};

use super::*;
use crate::contract::{Action, Reason, RetryAfter, Step, Transport};
use crate::kit::http::{Client, ClientOptions, Proxy};
use crate::testing::service::{Act, Reply, Service};
use crate::testing::{Given, comment, entry, feedback, key_of, product};

/// 2026-03-03T12:00:00Z.
const NOW: Time = Time::from_ms(1_772_539_200_000);
/// 24 and 32 bytes.
const KEYS: [&str; 2] = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="];

fn webhook(url: &str, more: Value) -> Webhook {
    let mut settings = json!({"url": url});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    Webhook::new(serde_json::from_value(settings).unwrap()).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

fn refused(settings: Value) -> String {
    let read: Result<Settings, _> = serde_json::from_value(settings);
    match read.map(Webhook::new) {
        Err(error) => error.to_string(),
        Ok(Err(mistakes)) => format!("{mistakes:?}"),
        Ok(Ok(_)) => panic!("it is accepted"),
    }
}

fn planned(webhook: &Webhook, given: &Given) -> Result<Plan<Op>, PlanError> {
    let key = key_of(&Connector::scope(webhook), &given.item.id);
    let (parent, event) = (given.parent.as_ref(), given.event.as_ref());
    let change = Change { item: &given.item, parent, event, product: &product(), key: &key, at: given.at, is_history: false };
    Connector::plan(webhook, &change, &Links::default())
}

fn message(webhook: &Webhook, given: &Given) -> Step<Op> {
    let Plan::Run(mut steps) = planned(webhook, given).unwrap() else { panic!("nothing is planned") };
    assert_eq!(steps.len(), 1);
    steps.remove(0)
}

fn told(step: &Step<Op>) -> (String, Value) {
    let Op::Send { id, body } = &step.op;
    (id.clone(), serde_json::from_str(body).unwrap())
}

fn client() -> Client {
    Client::new(&ClientOptions { proxy: Proxy::None, ..ClientOptions::default() }).unwrap()
}

async fn tell(webhook: &Webhook, transport: &dyn Transport, op: &Op, now: Time) -> Result<Option<RemoteRef>, Failure> {
    Connector::apply(webhook, op, &Cx { transport, links: &Links::default(), now }).await
}

/// What a receiver does (spec, "Verifying webhook authenticity").
fn verified_by(key: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let header = |name: &str| headers.get(name).unwrap().to_str().unwrap().to_owned();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(key.strip_prefix("whsec_").unwrap()).unwrap());
    let signed = [header("webhook-id").as_bytes(), b".", header("webhook-timestamp").as_bytes(), b".", body].concat();
    header("webhook-signature").split(' ').any(|signature| {
        let signature = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
        hmac::verify(&key, &signed, &signature).is_ok()
    })
}

#[test]
fn an_event_is_told_with_its_own_data_and_the_product_it_was_counted_to() {
    let given = feedback(json!({"product_id": 123_456_789, "nested": {"a": [1.5, null]}})).announcing(Action::ItemCreate);
    let (_, body) = told(&message(&webhook("http://127.0.0.1:9", json!({})), &given));
    assert_eq!((&body["type"], &body["timestamp"]), (&json!("item.create"), &json!("2026-03-03T12:00:00Z")));
    assert_eq!(body["data"]["product_id"], json!(5_456_534_244_u64));
    assert_eq!(body["data"], Value::Object(given.event.unwrap().data.as_map().clone()));
    assert_eq!(body.as_object().unwrap().len(), 3);
}

#[test]
fn a_private_comment_is_told_to_nobody() {
    let said = comment(&feedback(json!({})), json!({"public": false})).announcing(Action::CommentCreate);
    let planned = planned(&webhook("http://127.0.0.1:9", json!({})), &said).unwrap();
    assert_eq!(planned, Plan::Skip(Reason::new("the comment is private")));
}

#[test]
fn an_item_without_an_event_is_told_to_nobody() {
    let planned = planned(&webhook("http://127.0.0.1:9", json!({})), &feedback(json!({}))).unwrap();
    assert!(matches!(planned, Plan::Skip(_)));
}

#[test]
fn an_id_belongs_to_one_event_of_one_connector() {
    let (one, other) = (webhook("http://127.0.0.1:9", json!({})), webhook("http://127.0.0.1:9/b", json!({})));
    let given = feedback(json!({})).announcing(Action::ItemUpdate);
    let mut later = given.clone();
    later.event.as_mut().unwrap().seq = 8;
    let ids = [(&one, &given), (&one, &later), (&other, &given)].map(|(webhook, given)| told(&message(webhook, given)).0);
    assert_eq!(ids[0], told(&message(&one, &given)).0);
    assert!(ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2], "{ids:?}");
    assert_eq!(ids[0].len(), "msg_".len() + 32);
}

#[tokio::test]
async fn every_try_has_the_same_id_and_a_time_and_signatures_of_its_own() {
    let receiver = Service::start(|_| Reply::empty(200).body("Accepted")).await;
    let webhook = webhook(&receiver.url(), json!({"secret": KEYS}));
    let step = message(&webhook, &entry(json!({})).announcing(Action::ChangelogCreate));
    receiver.script([Act::CommitThenDrop, Act::Answer(Reply::html(502, "Bad gateway"))]);
    let mut classes = Vec::new();
    for second in 0..3 {
        let outcome = tell(&webhook, &client(), &step.op, NOW.plus(Duration::from_secs(second))).await;
        classes.push(outcome.map_or_else(|failure| failure.class(), |_| "ok"));
    }
    assert_eq!((classes, step.repeat), (vec!["unknown", "unknown", "ok"], crate::contract::Repeat::Idempotent));
    let received = receiver.received();
    let header = |name: &str| received.iter().map(|request| request.headers[name].clone()).collect::<Vec<_>>();
    assert_eq!(header("webhook-id"), vec![header("webhook-id")[0].clone(); 3]);
    assert_eq!(header("webhook-timestamp"), ["1772539200", "1772539201", "1772539202"]);
    assert_eq!(header("content-type"), ["application/json"; 3]);
    for request in &received {
        assert!(KEYS.iter().all(|key| verified_by(key, &request.headers, &request.body)));
        assert!(!verified_by("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHgA=", &request.headers, b"{}"));
    }
}

#[tokio::test]
async fn what_an_answer_means() {
    let table = [
        (200, "Accepted", "ok"),
        (200, "<html>thanks</html>", "ok"),
        (202, "", "ok"),
        (299, "{}", "ok"),
        (302, "", "rejected"),
        (400, "no", "rejected"),
        (400, "Queue is full.", "transient"),
        (401, "", "unauthorized"),
        (403, "blocked", "rejected"),
        (403, "wrong token", "unauthorized"),
        (404, "", "unauthorized"),
        (408, "", "unknown"),
        (410, "gone", "unwanted"),
        (413, "", "rejected"),
        (422, "", "rejected"),
        (425, "", "transient"),
        (429, "", "transient"),
        (500, "", "unknown"),
        (503, "", "unknown"),
    ];
    let receiver = Service::start(|_| Reply::empty(204)).await;
    let webhook = webhook(&receiver.url(), json!({}));
    let step = message(&webhook, &feedback(json!({})).announcing(Action::ItemCreate));
    for (status, body, class) in table {
        let reply = Reply::empty(status).with("location", "https://elsewhere.example/").with("retry-after", "7").body(body);
        receiver.script([Act::Answer(reply)]);
        let outcome = tell(&webhook, &client(), &step.op, NOW).await;
        assert_eq!(outcome.as_ref().map_or_else(Failure::class, |_| "ok"), class, "{status} {body}");
        if let Err(Failure::Transient { retry_after, .. } | Failure::Unknown { retry_after, .. }) = outcome {
            assert_eq!(retry_after, Some(RetryAfter::In(Duration::from_secs(7))), "{status} {body}");
        }
    }
    assert_eq!(receiver.received().len(), table.len(), "a redirect was followed");
    let nobody = super::tests::webhook("http://127.0.0.1:1", json!({}));
    assert_eq!(tell(&nobody, &client(), &step.op, NOW).await.unwrap_err().class(), "transient");
}

#[tokio::test]
async fn a_check_asks_for_nothing_and_takes_a_refusal_for_a_sign_of_life() {
    let receiver = Service::start(|_| Reply::empty(204)).await;
    let webhook = webhook(&receiver.url(), json!({"headers": {"x-token": "hunter2"}}));
    let rows = [
        (204, "ok"),
        (404, "ok"),
        (405, "ok"),
        (403, "ok"),
        (501, "ok"),
        (401, "unauthorized"),
        (410, "unwanted"),
        (500, "unknown"),
        (301, "rejected"),
        (429, "transient"),
    ];
    for (status, class) in rows {
        receiver.script([Act::Answer(Reply::empty(status))]);
        let (transport, links) = (client(), Links::default());
        let checked = Connector::check(&webhook, &Cx { transport: &transport, links: &links, now: NOW }).await;
        assert_eq!(checked.map_or_else(|failure| failure.class(), |()| "ok"), class, "{status}");
    }
    for request in receiver.received() {
        assert_eq!((request.method.as_str(), request.body.len()), ("OPTIONS", 0));
        assert_eq!(request.headers["x-token"], "hunter2");
        assert!(!request.headers.contains_key("webhook-id"));
    }
}

#[test]
fn a_strangers_text_is_data_wherever_it_stands() {
    let hostile = "\"},{\"x\":\"\\ \u{0}\u{1b}\u{202e}\r\nX-Injected: 1\r\n\r\n</script>{{ 7*7 }} {% raw %}";
    let given = feedback(json!({"title": hostile, "description": "x".repeat(1 << 20)})).announcing(Action::ItemCreate);
    let plain = webhook("http://127.0.0.1:9", json!({}));
    assert_eq!(told(&message(&plain, &given)).1["data"]["title"], json!(hostile));
    let given = feedback(json!({"title": hostile})).announcing(Action::ItemCreate);
    let worded = webhook("http://127.0.0.1:9", json!({"template": "{\"t\": {{ event.data.title }}, \"all\": {{ event.data }}}"}));
    let (_, body) = told(&message(&worded, &given));
    assert_eq!((&body["t"], &body["all"]["title"]), (&json!(hostile), &json!(hostile)));
}

#[test]
fn a_template_makes_the_body_and_must_make_json() {
    let template = r#"{"text": {{ "New: " ~ feedback.title }}, "votes": {{ feedback.votes_up }}, "on": {{ event.action }}, "of": {{ comment.body.text }}}"#;
    let post = feedback(json!({}));
    let said = comment(&post, json!({})).announcing(Action::CommentCreate);
    let hook = |template: &str| webhook("http://127.0.0.1:9", json!({"template": template}));
    let (_, body) = told(&message(&hook(template), &said));
    assert_eq!(body, json!({"text": "New: Export to CSV", "votes": 9, "on": "comment.create", "of": "+1 from our team"}));
    let error = planned(&hook(r#"{"text": "{{ feedback.title }}"}"#), &said).unwrap_err().to_string();
    assert!(error.contains("its own quotes"), "{error}");
    assert!(refused(json!({"url": "http://127.0.0.1:9", "template": "{{ feedback.tilte }}"})).contains("title"));
}

#[test]
fn a_preview_shows_what_is_sent_and_no_secret() {
    let more = json!({"secret": KEYS[0], "headers": {"authorization": "Bearer hunter2", "content-type": "application/cloudevents+json"}});
    let webhook = webhook("https://example.com/hook?code=hunter2", more);
    let step = message(&webhook, &feedback(json!({})).announcing(Action::ItemCreate));
    let shown = Connector::preview(&webhook, &step.op, &Links::default()).remove(0);
    assert_eq!((shown.method.as_str(), shown.url.as_str()), ("POST", "https://example.com/hook?…"));
    assert_eq!(shown.headers["webhook-id"], told(&step).0);
    assert_eq!((shown.headers["authorization"].as_str(), shown.headers["webhook-signature"].as_str()), ("[secret]", "[signature]"));
    assert_eq!(shown.body["data"]["title"], "Export to CSV");
    assert!(!format!("{shown:?} {}", Connector::scope(&webhook)).contains("hunter2"));
}

#[test]
fn wrong_settings_are_refused() {
    let base = |more: Value| {
        let mut settings = json!({"url": "https://example.com/hook"});
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        refused(settings)
    };
    for (more, about) in [
        (json!({"url": "http://example.com/hook"}), "plain http"),
        (json!({"url": "https://me:hunter2@example.com"}), "credentials"),
        (json!({"url": "example.com"}), "url"),
        (json!({"secret": "hunter2"}), "whsec_"),
        (json!({"secret": [KEYS[0], "whsec_AAAA"]}), "3 bytes"),
        (json!({"headers": {"webhook-id": "hunter2"}}), "webhook-id"),
        (json!({"headers": {"a b": "hunter2"}}), "header"),
        (json!({"headers": {"x-token": "hunter\n2"}}), "line break"),
        (json!({"template": " "}), "empty"),
    ] {
        let said = base(more.clone());
        assert!(said.contains(about) && !said.contains("hunter"), "{more}: {said}");
    }
}
