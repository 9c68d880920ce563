//! The vendor's samples and every variant of them.

use super::*;
use serde_json::json;

fn item_of(value: &Value) -> String {
    let body = value.to_string();
    match shape(&decode(body.as_bytes()).unwrap()) {
        Shape::Recognised { item, .. } => item.qualified(),
        Shape::Unrecognised { reason } => reason,
    }
}

fn event(action: &str, data: Value) -> Value {
    json!({"product_id": 5_456_534_244_u64, "action": action, "data": data, "timestamp": "1506985999999"})
}

#[test]
fn every_action_names_its_item_in_every_shape() {
    let user = json!({"user_id": 884_001, "data_mail": "jane@example.com"});
    let table = [
        ("item.create", json!({"feedback_id": "3"}), "feedback/3"),
        ("item.update", json!({"feedback_item": {"feedback_id": 48_121}}), "feedback/48121"),
        ("item.delete", json!({"feedback_id": 3}), "feedback/3"),
        ("comment.create", json!({"comment_id": 9, "feedback_id": "48121"}), "comment/48121/9"),
        ("comment.update", json!({"comment_id": "9", "feedback_item": {"feedback_id": 48_121}}), "comment/48121/9"),
        ("comment.delete", json!({"comment_id": 9.0, "feedback_id": 48_121}), "comment/48121/9"),
        ("vote.create", json!({"feedback_item": {"feedback_id": 48_121}, "user": user, "vote": 1}), "vote/48121/884001"),
        ("vote.create", json!({"feedback_id": 48_121, "user_id": "4"}), "vote/48121/4"),
        ("vote.create", json!({"feedback_item": {"feedback_id": 48_121}, "user": null}), "vote/48121/anonymous"),
        ("subscription.create", json!({"feedback_id": 48_121, "user": user}), "subscription/48121/884001"),
        ("subscription.delete", json!({"feedback_item": {"feedback_id": 48_121}, "user": user}), "subscription/48121/884001"),
        ("user.create", user.clone(), "user/884001"),
        ("user.update", json!({"user": user}), "user/884001"),
        ("user.delete", json!({"user_id": 884_001}), "user/884001"),
        ("changelog.create", json!({"changelog_id": "771"}), "changelog/771"),
        ("changelog.update", json!({"changelog_id": 771, "feedback_id": 48_121}), "changelog/771"),
        ("changelog.subscribe", user.clone(), "subscriber/884001"),
        ("changelog.subscribe", json!({"user": user}), "subscriber/884001"),
        ("satisfaction.create", json!({"satisfaction_id": 55}), "satisfaction/55"),
    ];
    for (action, data, expected) in table {
        assert_eq!(item_of(&event(action, data.clone())), format!("5456534244/{expected}"), "{action} {data}");
    }
}

#[test]
fn a_visitor_with_only_an_address_gets_an_id_that_does_not_show_it() {
    let id = item_of(&event("changelog.subscribe", json!({"user_id": 0, "data_mail": "Jane@Example.com"})));
    assert_eq!(id, item_of(&event("changelog.subscribe", json!({"mail": "jane@example.com"}))));
    assert!(id.starts_with("5456534244/subscriber/mail-") && !id.contains("jane"), "{id}");
}

#[test]
fn what_is_not_understood_says_why() {
    let table = [
        (json!({"action": "item.create", "data": {"feedback_id": 3}}), "it names no product, neither in the envelope nor in the data"),
        (event("promoter.create", json!({})), "`promoter.create` is no action that is documented"),
        (json!({"product_id": 5}), "it names no action"),
        (event("item.create", json!([])), "`data` holds no id of a feedback"),
        (event("item.create", json!({"feedback_id": "../../etc"})), "`data` holds no id of a feedback"),
        (event("comment.create", json!({"comment_id": 9})), "`data` holds no id of a comment"),
        (json!([1, 2]), "it names no action"),
    ];
    for (body, expected) in table {
        assert_eq!(item_of(&body), expected, "{body}");
    }
}

#[test]
fn the_product_may_stand_in_the_data_only_and_the_envelopes_wins() {
    assert_eq!(item_of(&json!({"action": "item.create", "data": {"feedback_id": 3, "product_id": "7"}})), "7/feedback/3");
    assert_eq!(item_of(&event("item.create", json!({"feedback_id": 3, "product_id": "1"}))), "5456534244/feedback/3");
}

#[test]
fn a_nested_post_is_a_target_of_its_own() {
    let body = event("vote.create", json!({"feedback_item": {"feedback_id": 3, "total_up": "9"}, "user": {"user_id": 4}})).to_string();
    let decoded = decode(body.as_bytes()).unwrap();
    let items: Vec<_> = decoded.targets.iter().map(|target| target.item.to_string()).collect();
    assert_eq!(items, ["vote/3/4", "feedback/3"]);
    assert!(decoded.targets[1].fields.iter().any(|(name, value)| name == "total_up" && value == "\"9\""));
}

#[test]
fn timestamps_are_read_in_seconds_milliseconds_and_as_text() {
    let at = |value: Value| decode(json!({"timestamp": value}).to_string().as_bytes()).unwrap().sent_at.map(Time::as_ms);
    assert_eq!(at(json!("1506985999999")), Some(1_506_985_999_999));
    assert_eq!(at(json!(1_506_985_999)), Some(1_506_985_999_000));
    assert_eq!(at(json!("2026-03-03T12:00:00Z")), Some(1_772_539_200_000));
    assert_eq!(at(json!("soon")), None);
    assert_eq!(at(json!(1e300)), None);
}

#[test]
fn only_a_believable_time_counts() {
    let received = Time::from_ms(1_772_539_200_000);
    assert_eq!(effective(Some(Time::from_ms(1_506_985_999_999)), received), Time::from_ms(1_506_985_999_999));
    assert_eq!(effective(Some(Time::from_ms(1_000)), received), received);
    assert_eq!(effective(Some(received.plus(Duration::from_secs(299))), received), received.plus(Duration::from_secs(299)));
    assert_eq!(effective(Some(received.plus(Duration::from_secs(301))), received), received);
    assert_eq!(effective(None, received), received);
}

#[test]
fn deep_nesting_and_broken_text_are_no_json() {
    assert!(decode("[".repeat(200_000).as_bytes()).is_err());
    assert!(decode(b"{\"action\": \"\xff\"}").is_err());
    assert!(decode(b"\xef\xbb\xbf{}").is_ok());
    assert!(decode(b"").is_err());
}

#[test]
fn what_strict_readers_refuse_hides_nothing_else() {
    let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
    let body = format!(
        r#"{{"\ud83d":1,"product_id":5,"action":"item.create","data":{{"\ud83d":1e999,"feedback_id":3,"title":"cut \ud83d","deep":{deep}}}}}"#
    );
    let decoded = decode(body.as_bytes()).unwrap();
    assert!(matches!(shape(&decoded), Shape::Recognised { .. }), "{decoded:?}");
    let own = data(body.as_bytes(), Some(ProductId(6)));
    assert_eq!((own.text("title"), own.integer("product_id")), (Some("cut \u{fffd}".to_owned()), Some(6)));
    assert!(serde_json::from_str::<Value>(own.as_text().unwrap()).is_ok());
    assert!(decoded.targets[0].fields.iter().any(|(name, _)| name == "\u{fffd}"));
}

#[test]
fn of_repeated_names_the_last_counts() {
    let decoded = decode(br#"{"product_id":5,"action":"item.create","data":{"feedback_id":3,"feedback_id":4}}"#).unwrap();
    assert_eq!(decoded.targets[0].item.to_string(), "feedback/4");
    // Also where the data is no object, or once was none.
    for (first, last, data) in [(r#"{"a":1}"#, "5", "5"), ("5", r#"{"a":1}"#, r#"{"a":1}"#), (r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":2}"#)] {
        let body = format!(r#"{{"data":{first},"action":"item.create","data":{last}}}"#);
        let decoded = decode(body.as_bytes()).unwrap();
        assert_eq!((decoded.data(), decoded.fields.is_some()), (data, data != "5"), "{body}");
    }
}

proptest::proptest! {
    #[test]
    fn no_body_makes_it_panic(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        if let Ok(decoded) = decode(&body) {
            shape(&decoded);
        }
    }
}
