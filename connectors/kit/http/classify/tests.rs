//! The table, row by row.

use super::*;
use http::header::HeaderValue;
use std::time::Duration;

use crate::contract::RetryAfter;

const STAGES: [Stage; 5] = [Stage::Create, Stage::Find, Stage::Update, Stage::Delete, Stage::Check];

fn response(status: u16, body: &str) -> Response {
    Response { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body: body.to_owned().into_bytes().into() }
}

fn class(status: u16, body: &str, stage: Stage) -> &'static str {
    classify(Ok(response(status, body)), stage, unrefined).map_or_else(|failure| failure.class(), |_| "ok")
}

#[test]
fn every_status_has_its_class_at_every_stage() {
    // Create, find, update, delete, check.
    let table: [(&[u16], &str, [&str; 5]); 11] = [
        (&[200, 201, 202, 203, 206], "{}", ["ok"; 5]),
        (&[200, 201, 202, 204, 205], "", ["ok", "unknown", "ok", "ok", "ok"]),
        (&[200, 203, 204], "<html><title>Sign in</title></html>", ["unknown"; 5]),
        (&[200], "Notice: x {\"id\":1}", ["unknown"; 5]),
        (&[425, 429], "{}", ["transient"; 5]),
        (&[408, 500, 501, 502, 503, 504, 507, 520, 524, 599], "{}", ["unknown"; 5]),
        (&[401], "{}", ["unauthorized"; 5]),
        (&[403], "{\"message\":\"Bad token\"}", ["unauthorized"; 5]),
        (&[403], "{\"message\":\"issue is locked\"}", ["rejected", "rejected", "rejected", "rejected", "unauthorized"]),
        (&[404, 410], "{}", ["unauthorized", "unauthorized", "missing", "ok", "unauthorized"]),
        (&[300, 301, 302, 303, 304, 307, 308, 400, 402, 405, 406, 409, 411, 412, 413, 415, 422, 423, 428, 431, 451], "{}", ["rejected"; 5]),
    ];
    for (statuses, body, classes) in table {
        for status in statuses {
            for (stage, expected) in STAGES.iter().zip(classes) {
                assert_eq!(class(*status, body, *stage), expected, "{status} {body} {stage:?}");
            }
        }
    }
}

#[test]
fn what_was_certainly_not_sent_is_transient_and_the_rest_unknown() {
    for (unsent, expected) in [(Unsent::Certainly, "transient"), (Unsent::Unknown, "unknown")] {
        for stage in STAGES {
            let error = TransportError { unsent, source: Cause::new("connection refused") };
            let failure = classify(Err(error), stage, unrefined).unwrap_err();
            assert_eq!((failure.class(), failure.cause().as_str()), (expected, "connection refused"));
        }
    }
}

#[test]
fn a_limit_and_an_overload_carry_the_time_the_service_gives() {
    for status in [429, 503] {
        let mut response = response(status, "{}");
        response.headers.insert(http::header::RETRY_AFTER, HeaderValue::from_static("7"));
        let wait = match classify(Ok(response), Stage::Create, unrefined).unwrap_err() {
            Failure::Transient { retry_after, scope, .. } => {
                assert_eq!(scope, Limit::Connector);
                retry_after
            }
            Failure::Unknown { retry_after, .. } => retry_after,
            other => panic!("{other:?}"),
        };
        assert_eq!(wait, Some(RetryAfter::In(Duration::from_secs(7))));
    }
}

#[test]
fn a_redirect_names_its_location_without_its_query() {
    for (location, shown) in [
        ("https://me:pw@example.com/login?next=/x&sid=1#top", "https://example.com/login;"),
        ("/login?sid=1", "/login;"),
        ("//other.example/x", "//other.example/x;"),
    ] {
        let mut response = response(302, "");
        response.headers.insert(LOCATION, HeaderValue::from_static(location));
        let failure = classify(Ok(response), Stage::Create, unrefined).unwrap_err();
        let cause = failure.cause().as_str();
        assert!(cause.contains(shown) && !cause.contains("sid") && !cause.contains("pw"), "{cause}");
    }
}

#[test]
fn the_refinement_is_asked_first_about_good_answers_too() {
    fn slack(response: &Response) -> Option<Failure> {
        let value: Value = serde_json::from_slice(&response.body).ok()?;
        (value["ok"] == false).then(|| Failure::Rejected { source: said(response) })
    }
    let refined = |status, body| classify(Ok(response(status, body)), Stage::Create, slack);
    assert_eq!(refined(200, r#"{"ok":false,"error":"channel_not_found"}"#).unwrap_err().cause().as_str(), "HTTP 200: channel_not_found");
    assert!(refined(200, r#"{"ok":true}"#).is_ok());
    assert_eq!(refined(500, r#"{"ok":false}"#).unwrap_err().class(), "rejected");
}

#[test]
fn an_answer_without_what_was_asked_for_is_unknown() {
    let answer = classify(Ok(response(201, r#"{"number":7,"node":"n","items":[1],"empty":""}"#)), Stage::Create, unrefined).unwrap();
    assert_eq!((answer.text("/number").unwrap(), answer.text("/node").unwrap()), ("7".to_owned(), "n".to_owned()));
    assert_eq!(answer.list("/items").unwrap().len(), 1);
    for failure in [answer.text("/id").unwrap_err(), answer.text("/empty").unwrap_err(), answer.list("/node").unwrap_err()] {
        assert_eq!(failure.class(), "unknown");
    }
}

#[test]
fn an_answer_that_is_no_json_accepts_by_its_status() {
    assert!(accept(Ok(response(200, "ok")), Stage::Create, unrefined).is_ok());
    assert_eq!(accept(Ok(response(500, "no")), Stage::Create, unrefined).unwrap_err().class(), "unknown");
}
