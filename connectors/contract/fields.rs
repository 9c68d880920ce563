//! Sleekplan's fields, read leniently: numbers come as strings, flags as numbers, empty maps as `[]`.

use std::sync::OnceLock;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::ItemKind;

/// The fields of one object as Sleekplan sent them. Absent is unknown; null is known to be empty.
///
/// Written as JSON, they are the object as it was sent.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// The object, where it was given as text: many are passed on and never looked into.
    text: Option<Box<RawValue>>,
    map: OnceLock<Map<String, Value>>,
}

impl Fields {
    /// From a JSON object; anything else (PHP sends an empty map as `[]`) has no fields.
    pub fn from_value(value: Value) -> Self {
        match value {
            Value::Object(map) => Self { text: None, map: map.into() },
            _ => Self::default(),
        }
    }

    /// From the text of a JSON object that [`Value`] can hold: no half of a surrogate pair, no number beyond an `f64`, no more than 127 levels.
    pub fn from_text(object: Box<RawValue>) -> Self {
        Self { text: Some(object), map: OnceLock::new() }
    }

    /// The raw value; `None` where the field was never sent.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_map().get(name)
    }

    /// All of them.
    pub fn as_map(&self) -> &Map<String, Value> {
        self.map.get_or_init(|| self.text.as_ref().and_then(|text| serde_json::from_str(text.get()).ok()).unwrap_or_default())
    }

    /// The object as text, where it was given as one.
    pub fn as_text(&self) -> Option<&str> {
        self.text.as_deref().map(RawValue::get)
    }

    /// Sets one field.
    pub fn set(&mut self, name: &str, value: Value) {
        self.as_map();
        self.text = None;
        if let Some(map) = self.map.get_mut() {
            map.insert(name.to_owned(), value);
        }
    }

    /// A string, or a number or flag as it is written. `None` where absent, null or structured.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// The same, but an empty text counts as none.
    pub fn some_text(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.trim().is_empty())
    }

    /// An id, however it is sent; see [`id_of`].
    pub fn id(&self, name: &str) -> Option<String> {
        id_of(self.get(name)?)
    }

    /// A whole number, sent as a number or as a string.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?)),
            Value::Bool(flag) => Some(i64::from(*flag)),
            _ => None,
        }
    }

    /// A flag, sent as a flag, a number or a string. `None` where absent or null: unknown, never false.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => number.as_f64().map(|number| number != 0.0),
            Value::String(text) => Some(!matches!(text.trim(), "" | "0" | "false" | "no" | "off" | "null")),
            Value::Array(list) => Some(!list.is_empty()),
            Value::Object(map) => Some(!map.is_empty()),
            Value::Null => None,
        }
    }

    /// A nested object; empty where it is absent, null or `[]`.
    pub fn object(&self, name: &str) -> Fields {
        self.get(name).cloned().map(Fields::from_value).unwrap_or_default()
    }

    /// A list, or the values of an id-keyed map; empty where absent.
    pub fn list(&self, name: &str) -> Vec<&Value> {
        match self.get(name) {
            Some(Value::Array(list)) => list.iter().collect(),
            Some(Value::Object(map)) => map.values().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether readers may see an item of this kind with these fields; see [`super::Item::is_public`].
    pub fn is_public(&self, kind: ItemKind) -> bool {
        let no = |name| self.flag(name) == Some(false);
        let yes = |name| self.flag(name) == Some(true);
        match kind {
            ItemKind::Changelog => !yes("draft") && !yes("scheduled") && !no("enabled") && self.some_text("segment").is_none(),
            ItemKind::Comment => !no("public") && !no("is_active"),
            ItemKind::Feedback => !no("is_active"),
            _ => true,
        }
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.as_map() == other.as_map()
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.text {
            Some(text) => text.serialize(serializer),
            None => self.as_map().serialize(serializer),
        }
    }
}

/// An id as text: the same whether it is sent as a text, with blanks around it, or as a number, whole or a float. `None` where it is 0, which
/// Sleekplan writes where there is none, or no scalar.
pub fn id_of(json: &Value) -> Option<String> {
    let text = match json {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let id = text.strip_suffix(".0").unwrap_or(&text);
    (!id.is_empty() && id != "0").then(|| id.to_owned())
}

/// A float that is a whole number and fits.
fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and within the exact range of an f64")]
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scalars_are_read_however_they_are_sent() {
        let fields = Fields::from_value(json!({"a": "9", "b": 9, "c": 9.0, "d": true, "e": null, "f": [], "g": "0"}));
        assert_eq!(["a", "b", "c", "d", "e"].map(|name| fields.integer(name)), [Some(9), Some(9), Some(9), Some(1), None]);
        assert_eq!(["b", "e", "f", "g", "z"].map(|name| fields.flag(name)), [Some(true), None, Some(false), Some(false), None]);
        assert!(fields.object("f").as_map().is_empty());
    }

    #[test]
    fn an_id_is_the_same_however_it_is_sent() {
        let fields =
            Fields::from_value(json!({"a": "7", "b": 7, "c": 7.0, "d": " 7.0 ", "e": "x-1.y", "f": 0.0, "g": "0", "h": false, "i": ""}));
        let found = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "z"].map(|name| fields.id(name));
        assert_eq!(
            found.each_ref().map(Option::as_deref),
            [Some("7"), Some("7"), Some("7"), Some("7"), Some("x-1.y"), None, None, None, None, None]
        );
    }

    #[test]
    fn an_entry_limited_to_a_segment_is_not_public() {
        let public = |value| Fields::from_value(value).is_public(ItemKind::Changelog);
        assert!(public(json!({"segment": "", "draft": "0"})));
        assert!(public(json!({})));
        assert!(!public(json!({"segment": "enterprise0000000000000"})));
        assert!(!public(json!({"draft": "1"})));
        assert!(!public(json!({"scheduled": 1_772_539_200})));
        assert!(!public(json!({"enabled": false})));
    }
}
