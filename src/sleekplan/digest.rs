//! What makes an event a duplicate: the same product, action, timestamp and data, however the JSON is spelled.

use std::borrow::Cow;
use std::io::Write;

use serde_json::Number;
use serde_json::value::RawValue;

use super::json;
use super::payload::{Decoded, RawFields};
use crate::record::Mark;

/// Bytes left out of a time in milliseconds: the other six reach beyond the year 10000.
const TIME_SKIPPED: usize = 2;
/// Levels of nesting that are followed, far more than Sleekplan's objects have: each is skipped over once for every level above it. What lies
/// deeper counts as it is spelled.
const LEVELS_MAX: usize = 16;
/// Room for all but the data.
const USUAL_BYTES: usize = 64;

/// The marks of a body; `None` for what cannot be read to its end, which is never a duplicate.
///
/// What was not recognised repeats only what was not recognised either: once it is, it must not be taken for a repetition.
pub fn mark(decoded: &Decoded<'_>, recognised: bool) -> Option<Mark> {
    let item = decoded.targets.first().map(|target| &target.item);
    let action = decoded.action.as_ref().map_or_else(String::as_str, |action| action.as_str());
    let mut bytes = Vec::with_capacity(USUAL_BYTES + decoded.text.len());
    bytes.push(u8::from(recognised));
    bytes.extend_from_slice(&decoded.product.map_or(0, |product| product.0).to_le_bytes());
    bytes.extend_from_slice(&(action.len() as u64).to_le_bytes());
    bytes.extend_from_slice(action.as_bytes());
    let start = bytes.len();
    if let Some(item) = item {
        // Writing to memory cannot fail.
        write!(bytes, "{item}").ok()?;
    }
    let subject = half(&blake3::hash(&bytes));
    bytes.truncate(start);
    bytes.extend_from_slice(&decoded.sent_at.map_or(i64::MIN, |at| at.as_ms()).to_le_bytes());
    let start = bytes.len();
    let written = match &decoded.fields {
        Some(fields) => Canonical(&mut bytes).fields(fields, LEVELS_MAX),
        None => Canonical(&mut bytes).json(decoded.data().trim_ascii(), LEVELS_MAX),
    };
    if written.is_none() {
        bytes.truncate(start);
        Canonical(&mut bytes).json(&json::value(decoded.data())?.to_string(), LEVELS_MAX)?;
    }
    let mut digest = half(&blake3::hash(&bytes));
    if let Some(at) = decoded.sent_at {
        // The time first: marks of events of one time lie together, so that folding them writes few pages.
        let time = at.as_ms().to_be_bytes();
        digest.iter_mut().zip(time.iter().skip(TIME_SKIPPED)).for_each(|(to, from)| *to = *from);
    }
    Some(Mark { digest, subject, only_newest: decoded.sent_at.is_none() && item.is_some() })
}

fn half(hash: &blake3::Hash) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    bytes
}

/// Writes any JSON in its one spelling, about as JSON: without spaces; names sorted, the last of equal ones counting; texts with the fewest
/// escapes; 1 and 1.0 are one number. Most values are spelled so already, and copied.
///
/// `None` for what strict readers refuse.
struct Canonical<'b>(&'b mut Vec<u8>);

impl Canonical<'_> {
    fn json(&mut self, json: &str, levels: usize) -> Option<()> {
        match json.as_bytes().first()? {
            b'{' if levels > 0 => self.fields(&RawFields::parse(json)?, levels)?,
            b'[' if levels > 0 => self.list(&serde_json::from_str::<Vec<&RawValue>>(json).ok()?, levels)?,
            b'"' if json::plain(json).is_none() => self.text(&serde_json::from_str::<String>(json).ok()?)?,
            b'-' | b'0'..=b'9' if json::whole(json).is_none() => self.number(&serde_json::from_str(json).ok()?)?,
            _ => self.0.extend_from_slice(json.as_bytes()),
        }
        Some(())
    }

    fn fields(&mut self, fields: &RawFields<'_>, levels: usize) -> Option<()> {
        self.0.push(b'{');
        for (name, value) in fields.iter() {
            match name {
                // Without an escape, so it needs none.
                Cow::Borrowed(name) => {
                    self.0.push(b'"');
                    self.0.extend_from_slice(name.as_bytes());
                    self.0.push(b'"');
                }
                Cow::Owned(name) => self.text(name)?,
            }
            self.0.push(b':');
            self.json(value, levels.saturating_sub(1))?;
            self.0.push(b',');
        }
        self.0.push(b'}');
        Some(())
    }

    fn list(&mut self, values: &[&RawValue], levels: usize) -> Option<()> {
        self.0.push(b'[');
        for value in values {
            self.json(value.get(), levels.saturating_sub(1))?;
            self.0.push(b',');
        }
        self.0.push(b']');
        Some(())
    }

    fn text(&mut self, text: &str) -> Option<()> {
        serde_json::to_writer(&mut *self.0, text).ok()
    }

    fn number(&mut self, number: &Number) -> Option<()> {
        let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
        let real = number.as_f64()?;
        #[expect(clippy::cast_possible_truncation, reason = "whole and within the exact range of an f64")]
        let whole = whole.or_else(|| (real.fract() == 0.0 && real.abs() < 9.0e15).then_some(real as i128));
        match whole {
            Some(whole) => write!(self.0, "{whole}").ok(),
            // With an exponent, as no whole number is written.
            None => write!(self.0, "{real:e}").ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sleekplan::payload::decode;
    use serde_json::{Value, json};

    fn mark_of(body: &[u8]) -> Option<Mark> {
        mark(&decode(body).unwrap(), true)
    }

    #[test]
    fn the_spelling_of_the_json_makes_no_difference() {
        let plain =
            br#"{"product_id":5,"action":"item.create","data":{"feedback_id":"3","n":1,"l":[{"a":1,"b":null}],"title":"a b"},"timestamp":"1506985999000"}"#;
        let spelled = br#" {"timestamp":1506985999, "action":"item\u002ecreate","data":{"title":"x", "l":[ {"b":null,"\u0061":1e0} ],"title":"a\u0020b","n":1.0,"feedback_id":"3"},"product_id":"5"}"#;
        assert_eq!(mark_of(plain), mark_of(spelled));
        assert!(mark_of(plain).is_some());
        let mark = |data: &str| mark_of(format!(r#"{{"product_id":5,"action":"item.create","data":{data}}}"#).as_bytes()).unwrap();
        for (one, other) in [
            (r#"{"a":"b/c \u00e9"}"#, r#"{"a":"b\/c \u00E9"}"#),
            (r#"{"a":0.5,"b":-0.0}"#, r#"{"b":0, "a":5e-1}"#),
            (r#"{"a":1e20}"#, r#"{"a":100000000000000000000}"#),
            (r#" [1, "x" ,[true ]] "#, r#"[1.0,"x",[true]]"#),
        ] {
            assert_eq!(mark(one), mark(other), "{one}");
        }
        for (one, other) in [
            (r#"{"a":"1","b":"2"}"#, r#"{"a\":\"1\",\"b":"2"}"#),
            (r#"{"a":[1,2]}"#, r#"{"a":[12]}"#),
            (r#"{"a":[[1],2]}"#, r#"{"a":[[1,2]]}"#),
            (r#"{"a":"1"}"#, r#"{"a":1}"#),
            (r#"{"a":"null"}"#, r#"{"a":null}"#),
            (r#"{"a":1e20}"#, r#"{"a":1e21}"#),
        ] {
            assert_ne!(mark(one), mark(other), "{one}");
        }
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
    fn what_lies_deep_makes_another_event_too() {
        let mark = |levels: usize, value: &str| {
            let nested = format!("{}{value}{}", "[".repeat(levels), "]".repeat(levels));
            mark_of(format!(r#"{{"product_id":5,"action":"item.create","data":{{"feedback_id":"3","a":{nested}}}}}"#).as_bytes()).unwrap()
        };
        for levels in [1, LEVELS_MAX - 2, LEVELS_MAX - 1, LEVELS_MAX, LEVELS_MAX + 1, 90] {
            assert_ne!(mark(levels, "1"), mark(levels, "2"), "{levels}");
            assert_ne!(mark(levels, "1"), mark(levels + 1, "1"), "{levels}");
            assert_eq!(mark(levels, "1") == mark(levels, "1.0"), levels < LEVELS_MAX, "{levels}");
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
        let (known, unknown) = (mark(&decoded, true).unwrap(), mark(&decoded, false).unwrap());
        assert!(known.digest != unknown.digest && known.subject != unknown.subject);
    }

    #[test]
    fn digests_stand_in_the_order_of_their_times() {
        let digest =
            |time: u64| mark_of(json!({"product_id": 5, "data": {"a": 1}, "timestamp": time}).to_string().as_bytes()).unwrap().digest;
        assert!(digest(1_506_985_999_998) < digest(1_506_985_999_999) && digest(1_506_985_999_999) < digest(1_506_986_000_000));
    }

    #[test]
    fn without_a_timestamp_only_the_newest_of_its_subject_is_repeated() {
        let mark = mark_of(br#"{"product_id":5,"action":"item.create","data":{"feedback_id":"3"}}"#).unwrap();
        assert!(mark.only_newest);
    }
}
