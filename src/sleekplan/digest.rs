//! What makes an event a duplicate: the same product, action, timestamp and data, however the JSON is spelled.

use serde_json::Value;

use super::json;
use super::payload::Decoded;
use crate::record::Mark;

/// The marks of a JSON body; `None` for what is not JSON, which is never a duplicate.
///
/// What was not recognised repeats only what was not recognised either: once it is, it must not be taken for a repetition.
pub fn mark(body: &[u8], decoded: &Decoded<'_>, recognised: bool) -> Option<Mark> {
    let value = json::body(body)?;
    let mut hasher = blake3::Hasher::new();
    let product = decoded.product.map_or(0, |product| product.0);
    let action = decoded.action.as_ref().map_or_else(Clone::clone, |action| action.to_string());
    hasher.update(&[u8::from(recognised)]);
    hasher.update(&product.to_le_bytes());
    hasher.update(action.as_bytes());
    hasher.update(&decoded.sent_at.map_or(i64::MIN, |at| at.as_ms()).to_le_bytes());
    canonical(value.get("data").unwrap_or(&value), &mut hasher);
    let item = decoded.targets.first().map(|target| target.item.qualified()).unwrap_or_default();
    let subject = blake3::hash(format!("{recognised}\n{product}\n{action}\n{item}").as_bytes());
    Some(Mark { digest: half(&hasher.finalize()), subject: half(&subject), only_newest: decoded.sent_at.is_none() && !item.is_empty() })
}

fn half(hash: &blake3::Hash) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    bytes
}

/// One way to write every value: each with its type and length; names sorted (serde_json's maps are); 1 and 1.0 are the same number.
fn canonical(value: &Value, hasher: &mut blake3::Hasher) {
    let mut sized = |tag: u8, bytes: &[u8]| {
        hasher.update(&[tag]);
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    match value {
        Value::Null => sized(0, &[]),
        Value::Bool(flag) => sized(1, &[u8::from(*flag)]),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), ..) => sized(2, &i128::from(whole).to_le_bytes()),
            (_, Some(whole), _) => sized(2, &i128::from(whole).to_le_bytes()),
            #[expect(clippy::cast_possible_truncation, reason = "whole and within the exact range of an f64")]
            (.., Some(float)) if float.fract() == 0.0 && float.abs() < 9.0e15 => sized(2, &(float as i128).to_le_bytes()),
            (.., float) => sized(3, &float.unwrap_or_default().to_bits().to_le_bytes()),
        },
        Value::String(text) => sized(4, text.as_bytes()),
        Value::Array(list) => {
            sized(5, &(list.len() as u64).to_le_bytes());
            list.iter().for_each(|value| canonical(value, hasher));
        }
        Value::Object(map) => {
            sized(6, &(map.len() as u64).to_le_bytes());
            for (name, value) in map {
                canonical(&Value::String(name.clone()), hasher);
                canonical(value, hasher);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sleekplan::payload::decode;
    use serde_json::json;

    fn mark_of(body: &[u8]) -> Option<Mark> {
        mark(body, &decode(body).unwrap(), true)
    }

    #[test]
    fn the_spelling_of_the_json_makes_no_difference() {
        let plain =
            br#"{"product_id":5,"action":"item.create","data":{"feedback_id":"3","n":1,"title":"a b"},"timestamp":"1506985999000"}"#;
        let spelled = br#" {"timestamp":1506985999, "action":"item\u002ecreate","data":{"title":"a\u0020b","n":1.0,"feedback_id":"3"},"product_id":"5"}"#;
        assert_eq!(mark_of(plain), mark_of(spelled));
        assert!(mark_of(plain).is_some());
    }

    #[test]
    fn what_strict_readers_refuse_is_repeated_too() {
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        let mark = |value: &str| {
            mark_of(format!(r#"{{"product_id":5,"action":"item.create","data":{{"feedback_id":"3","a":{value}}}}}"#).as_bytes())
        };
        for value in [r#""cut \ud83d""#, "1e999", &deep] {
            assert!(mark(value).is_some() && mark(value) == mark(value) && mark(value) != mark("1"), "{value}");
        }
    }

    #[test]
    fn any_other_value_is_another_event() {
        let body = |value: Value| mark_of(value.to_string().as_bytes()).unwrap().digest;
        let base =
            json!({"product_id": 5, "action": "item.create", "data": {"feedback_id": "3", "tags": []}, "timestamp": "1506985999000"});
        let others = [
            json!({"product_id": 6, "action": "item.create", "data": {"feedback_id": "3", "tags": []}, "timestamp": "1506985999000"}),
            json!({"product_id": 5, "action": "item.update", "data": {"feedback_id": "3", "tags": []}, "timestamp": "1506985999000"}),
            json!({"product_id": 5, "action": "item.create", "data": {"feedback_id": 3, "tags": []}, "timestamp": "1506985999000"}),
            json!({"product_id": 5, "action": "item.create", "data": {"feedback_id": "3", "tags": {}}, "timestamp": "1506985999000"}),
            json!({"product_id": 5, "action": "item.create", "data": {"feedback_id": "3", "tags": null}, "timestamp": "1506985999000"}),
            json!({"product_id": 5, "action": "item.create", "data": {"feedback_id": "3", "tags": []}, "timestamp": "1506985999001"}),
            json!({"product_id": 5, "action": "item.create", "data": {"feedback_id": "3", "tags": []}}),
        ];
        for other in others {
            assert_ne!(body(base.clone()), body(other.clone()), "{other}");
        }
    }

    #[test]
    fn what_was_not_recognised_is_no_repetition_of_what_is() {
        let body = br#"{"product_id":5,"action":"item.create","data":{"feedback_id":"3"}}"#;
        let decoded = decode(body).unwrap();
        let (known, unknown) = (mark(body, &decoded, true).unwrap(), mark(body, &decoded, false).unwrap());
        assert!(known.digest != unknown.digest && known.subject != unknown.subject);
    }

    #[test]
    fn without_a_timestamp_only_the_newest_of_its_subject_is_repeated() {
        let mark = mark_of(br#"{"product_id":5,"action":"item.create","data":{"feedback_id":"3"}}"#).unwrap();
        assert!(mark.only_newest);
    }
}
