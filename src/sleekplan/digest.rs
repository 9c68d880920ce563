//! What makes an event a duplicate: the same product, action, timestamp and data, however the JSON is spelled.

use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::json;
use super::payload::{Decoded, RawFields};
use crate::record::Mark;

/// Bytes left out of a time in milliseconds: the other six reach beyond the year 10000.
const TIME_SKIPPED: usize = 2;
/// Room for all but the data.
const USUAL_BYTES: usize = 64;

/// The marks of a body; `None` for what cannot be read to its end, which is never a duplicate.
///
/// What was not recognised repeats only what was not recognised either: once it is, it must not be taken for a repetition.
pub fn mark(decoded: &Decoded<'_>, recognised: bool) -> Option<Mark> {
    let product = decoded.product.map_or(0, |product| product.0);
    let action = decoded.action.as_ref().map_or_else(Clone::clone, |action| action.to_string());
    let mut bytes = Vec::with_capacity(USUAL_BYTES + decoded.text.len());
    bytes.push(u8::from(recognised));
    bytes.extend_from_slice(&product.to_le_bytes());
    bytes.extend_from_slice(action.as_bytes());
    bytes.extend_from_slice(&decoded.sent_at.map_or(i64::MIN, |at| at.as_ms()).to_le_bytes());
    let start = bytes.len();
    let mut data = Canonical(&mut bytes);
    let written = match &decoded.fields {
        Some(fields) => data.fields(fields),
        None => data.json(decoded.data()),
    };
    if written.is_err() {
        bytes.truncate(start);
        Canonical(&mut bytes).deserialize(&json::value(decoded.data())?).ok()?;
    }
    let item = decoded.targets.first().map(|target| target.item.qualified()).unwrap_or_default();
    let subject = blake3::hash(format!("{recognised}\n{product}\n{action}\n{item}").as_bytes());
    let mut digest = half(&blake3::hash(&bytes));
    if let Some(at) = decoded.sent_at {
        // The time first: marks of events of one time lie together, so that folding them writes few pages.
        let time = at.as_ms().to_be_bytes();
        digest.iter_mut().zip(time.iter().skip(TIME_SKIPPED)).for_each(|(to, from)| *to = *from);
    }
    Some(Mark { digest, subject: half(&subject), only_newest: decoded.sent_at.is_none() && !item.is_empty() })
}

fn half(hash: &blake3::Hash) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    bytes
}

/// Writes any JSON in one way: each value with its type and length; names sorted, the last of equal ones counting; 1 and 1.0 are one number.
struct Canonical<'b>(&'b mut Vec<u8>);

impl Canonical<'_> {
    fn sized(&mut self, tag: u8, bytes: &[u8]) {
        self.0.push(tag);
        // No body is near 4 GiB.
        self.0.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.0.extend_from_slice(bytes);
    }

    fn whole(&mut self, number: i128) {
        self.sized(2, &number.to_le_bytes());
    }

    /// An object whose fields were found before.
    fn fields(&mut self, fields: &RawFields<'_>) -> serde_json::Result<()> {
        let fields = fields.iter();
        self.sized(6, &(fields.len() as u64).to_le_bytes());
        for (name, value) in fields {
            self.sized(4, name.as_bytes());
            match json::plain(value) {
                Some(text) => self.sized(4, text.as_bytes()),
                None => self.json(value)?,
            }
        }
        Ok(())
    }

    fn json(&mut self, json: &str) -> serde_json::Result<()> {
        let mut json = serde_json::Deserializer::from_str(json);
        Canonical(self.0).deserialize(&mut json)?;
        json.end()
    }

    /// Puts the entries of an object, which begin at `start`, into their order.
    fn sort(&mut self, start: usize, mut entries: Vec<Entry>) {
        let written = self.0.split_off(start);
        let name = |entry: &Entry| written.get(entry.name.clone()).unwrap_or_default();
        entries.sort_by(|a, b| name(a).cmp(name(b)));
        let last_of_equals = |at: usize, entry: &Entry| entries.get(at + 1).is_none_or(|next| name(next) != name(entry));
        let kept: Vec<&Entry> =
            entries.iter().enumerate().filter(|(at, entry)| last_of_equals(*at, entry)).map(|(_, entry)| entry).collect();
        self.sized(6, &(kept.len() as u64).to_le_bytes());
        for entry in kept {
            self.0.extend_from_slice(written.get(entry.name.start..entry.end).unwrap_or_default());
        }
    }
}

/// Where the name and the end of one entry of an object were written, from the object's own beginning.
struct Entry {
    name: Range<usize>,
    end: usize,
}

impl<'de> DeserializeSeed<'de> for Canonical<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Canonical<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(mut self) -> Result<(), E> {
        self.sized(0, &[]);
        Ok(())
    }

    fn visit_bool<E: Error>(mut self, flag: bool) -> Result<(), E> {
        self.sized(1, &[u8::from(flag)]);
        Ok(())
    }

    fn visit_i64<E: Error>(mut self, number: i64) -> Result<(), E> {
        self.whole(number.into());
        Ok(())
    }

    fn visit_u64<E: Error>(mut self, number: u64) -> Result<(), E> {
        self.whole(number.into());
        Ok(())
    }

    fn visit_f64<E: Error>(mut self, number: f64) -> Result<(), E> {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within the exact range of an f64")]
        if number.fract() == 0.0 && number.abs() < 9.0e15 {
            self.whole(number as i128);
        } else {
            self.sized(3, &number.to_bits().to_le_bytes());
        }
        Ok(())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        self.sized(4, text.as_bytes());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        let start = self.0.len();
        let mut count: u64 = 0;
        while list.next_element_seed(Canonical(self.0))?.is_some() {
            count += 1;
        }
        let written = self.0.split_off(start);
        self.sized(5, &count.to_le_bytes());
        self.0.extend_from_slice(&written);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let start = self.0.len();
        let mut entries = Vec::with_capacity(32);
        let mut name = 0;
        while map.next_key_seed(Canonical(self.0))?.is_some() {
            let name_end = self.0.len() - start;
            map.next_value_seed(Canonical(self.0))?;
            let end = self.0.len() - start;
            entries.push(Entry { name: name..name_end, end });
            name = end;
        }
        self.sort(start, entries);
        Ok(())
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
