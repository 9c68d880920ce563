//! JSON as it comes: whatever is JSON by its grammar has a value here, also what strict readers refuse.
//!
//! Strict reading refuses half a surrogate pair (a text cut in the middle of an emoji), numbers beyond an `f64`, and deep nesting. Here the half
//! becomes U+FFFD, the number its text, and what lies too deep its text. Only what the strict reader refused is looked at a second time.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// Levels that are read, the outermost included; what lies deeper is kept as text. Below the 128 of serde_json, so that what is read here can be written and read anywhere.
const DEPTH_MAX: usize = 100;

/// Digits of a number that certainly fits into 64 bits.
const WHOLE_DIGITS_MAX: usize = 18;

/// The value of a JSON text; `None` for what is not JSON.
pub fn value(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().or_else(|| mended(text))
}

/// The value of a JSON body, which may begin with a byte order mark.
pub fn body(bytes: &[u8]) -> Option<Value> {
    value(std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).ok()?)
}

/// The object of these names and values, each JSON by its grammar, in a form that strict readers take: unchanged where they do.
pub fn object<'a>(fields: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Option<Box<RawValue>> {
    // As long as it usually becomes: names have no escapes.
    let mut text = Vec::with_capacity(1 + fields.clone().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>());
    text.push(b'{');
    for (name, value) in fields {
        if text.len() > 1 {
            text.push(b',');
        }
        serde_json::to_writer(&mut text, name).ok()?;
        text.push(b':');
        text.extend_from_slice(value.as_bytes());
    }
    text.push(b'}');
    let text = String::from_utf8(text).ok()?;
    match serde_json::from_str::<Strict>(&text) {
        Ok(Strict) => RawValue::from_string(text).ok(),
        Err(_) => serde_json::value::to_raw_value(&mended(&text)?).ok(),
    }
}

/// The text of a JSON string that is written without escapes; `None` for everything else.
pub fn plain(json: &str) -> Option<&str> {
    json.strip_prefix('"')?.strip_suffix('"').filter(|text| !text.contains('\\'))
}

/// The text of a JSON number that is whole and small enough to be written as it was read; `None` for everything else.
pub fn whole(json: &str) -> Option<&str> {
    Some(json).filter(|json| json.len() <= WHOLE_DIGITS_MAX && json.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The name of a field, borrowed where it has no escapes.
pub struct Name<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_bytes<E: Error>(self, name: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Name(std::str::from_utf8(name).map_or_else(|_| Cow::Owned(lossy(name)), Cow::Borrowed)))
            }

            fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(lossy(name))))
            }
        }
        // As bytes, because a text must not hold half a surrogate pair.
        deserializer.deserialize_bytes(Text)
    }
}

/// Anything that a `Value` can hold, read as strictly and not kept.
struct Strict;

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Strict)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while let Some(Strict) = list.next_element()? {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while let Some((Strict, Strict)) = map.next_entry()? {}
        Ok(self)
    }
}

/// Text with a replacement for each half of a surrogate pair: all that can be wrong with a name out of a text that was right.
fn lossy(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        // The half is three bytes, each a chunk of its own; the first is this one.
        if chunk.invalid().first() == Some(&0xed) {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

/// Reads what the strict reader refused.
fn mended(text: &str) -> Option<Value> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    serde_json::from_str(&rewritten(text)).ok()
}

/// A JSON text in a form that the strict reader takes.
fn rewritten(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut depth) = (text, 0_usize);
    while let Some(first) = rest.chars().next() {
        let token = token(rest, first);
        let is_open = matches!(first, '[' | '{');
        let length = if is_open && depth == DEPTH_MAX { nested(rest) } else { token };
        let (head, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        match first {
            '[' | '{' if depth == DEPTH_MAX => out.push_str(&Value::from(head).to_string()),
            '"' => push_string(head, &mut out),
            '-' | '0'..='9' if head.parse().is_ok_and(f64::is_infinite) => out.push_str(&Value::from(head).to_string()),
            _ => {
                depth = if is_open { depth + 1 } else { depth.saturating_sub(usize::from(matches!(first, ']' | '}'))) };
                out.push_str(head);
            }
        }
        rest = tail;
    }
    out
}

/// Length of the string, number or single character that `text` begins with.
fn token(text: &str, first: char) -> usize {
    match first {
        '"' => string(text),
        '-' | '0'..='9' => text.find(|c: char| !matches!(c, '0'..='9' | '.' | 'e' | 'E' | '+' | '-')).unwrap_or(text.len()),
        other => other.len_utf8(),
    }
}

/// Length of the string that `text` begins with, quotes included.
fn string(text: &str) -> usize {
    let mut escaped = true;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// Length of the array or object that `text` begins with.
fn nested(text: &str) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(rest) = text.get(at..)
        && let Some(first) = rest.chars().next()
    {
        at += token(rest, first);
        match first {
            '[' | '{' => depth += 1,
            ']' | '}' if depth <= 1 => return at,
            ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// Writes a string with a replacement for each half of a surrogate pair.
fn push_string(string: &str, out: &mut String) {
    let mut rest = string;
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(plain);
        let second = escape.get(6..).unwrap_or_default();
        let (length, broken) = match (unit(escape), unit(second)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, false),
            (Some(0xd800..=0xdfff), _) => (6, true),
            (Some(_), _) => (6, false),
            (None, _) => (2, false),
        };
        let (escape, tail) = escape.split_at_checked(length).unwrap_or((escape, ""));
        out.push_str(if broken { "\\ufffd" } else { escape });
        rest = tail;
    }
    out.push_str(rest);
}

/// The code unit of an escape such as `\ud83d`.
fn unit(escape: &str) -> Option<u16> {
    u16::from_str_radix(escape.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_strict_readers_refuse_is_mended_and_nothing_else() {
        let table = [
            (r#"{"a":"cut \ud83d"}"#, json!({"a": "cut \u{fffd}"})),
            (
                r#"["\ude00\ud83d\ud83d\ude00\ud83dx","\\ud83d \"\ud83d"]"#,
                json!(["\u{fffd}\u{fffd}\u{1f600}\u{fffd}x", "\\ud83d \"\u{fffd}"]),
            ),
            (r#"{"\ud83d":1}"#, json!({"\u{fffd}": 1})),
            (r#"[1e999,-1E+999,1e-999,1.5,"1e999"]"#, json!(["1e999", "-1E+999", 0.0, 1.5, "1e999"])),
            (" 1e999 ", json!("1e999")),
        ];
        for (text, expected) in table {
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
            assert_eq!(value(text), Some(expected), "{text}");
        }
        for broken in ["", "{", r#"{"a":"\ud83"}"#, "[1e]", "nul", "1e999 2", "\"\u{1}\\ud83d\""] {
            assert_eq!(value(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_whole_number_is_read_as_it_is_written_where_every_reader_would_write_it_so() {
        for (number, expected) in
            [("0", true), ("5456534244", true), ("999999999999999999", true), ("1e3", false), ("-1", false), ("1.0", false)]
        {
            assert_eq!(expected.then(|| value(number).unwrap().to_string()).as_deref(), whole(number), "{number}");
        }
        assert_eq!(whole("99999999999999999999"), None);
    }

    #[test]
    fn what_lies_too_deep_is_kept_as_text() {
        for levels in [127, 128, 200, 100_000] {
            let text = format!("{}\"]\\ud83d{{\"{}", "[".repeat(levels), "]".repeat(levels));
            let mut read = &value(&text).unwrap();
            let mut depth = 0;
            while let Some(inner) = read.get(0) {
                (read, depth) = (inner, depth + 1);
            }
            let rest = format!("{}\"]\\ud83d{{\"{}", "[".repeat(levels - depth), "]".repeat(levels - depth));
            assert_eq!((depth, read.as_str()), (DEPTH_MAX, Some(rest.as_str())), "{levels}");
        }
        assert!(value(&"[".repeat(100_000)).is_none());
    }

    #[test]
    fn an_object_stays_as_it_is_written_where_strict_readers_take_it() {
        let written = |fields: &[(&str, &str)]| object(fields.iter().copied()).map(|object| object.get().to_owned());
        let taken = [("a", r#"{"b": 1.50, "b": [null, true]}"#), ("\u{e9}\"", r#""\/\u00e9""#)];
        assert_eq!(written(&taken).unwrap(), "{\"a\":{\"b\": 1.50, \"b\": [null, true]},\"\u{e9}\\\"\":\"\\/\\u00e9\"}");
        assert_eq!(written(&[("a", "1e999"), ("b", r#""\ud83d""#)]).unwrap(), "{\"a\":\"1e999\",\"b\":\"\u{fffd}\"}");
        assert_eq!((written(&[]), written(&[("a", "nul")])), (Some("{}".to_owned()), None));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_json_by_its_grammar_has_a_value(text in "[\\[\\]{}:,\"a\\\\\\\\ude8d19. -]{0,40}", levels in 0_usize..300) {
            let text = format!("{}{text}{}", "[".repeat(levels), "]".repeat(levels));
            let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            proptest::prop_assert_eq!(value(&text).is_some(), is_json, "{}", text);
            let object = object([("a", text.as_str())].into_iter());
            let read = object.map(|object| serde_json::from_str::<Value>(object.get()).map(|object| object.get("a").is_some()).ok());
            proptest::prop_assert_eq!(read, is_json.then_some(Some(true)), "{}", text);
        }
    }
}
