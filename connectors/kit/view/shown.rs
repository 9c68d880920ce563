//! Values as the template engine takes them: every known name is there, and what Sleekplan never sent is none.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr, Serde};
use serde_json::{Map, Value as Json};

use super::table::BODY;
use crate::kit::template::Output;
use crate::kit::text::{Dialect, Text};

/// What stands for an absent value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kit) enum Absent {
    /// None. The engine sorts it before every number and text.
    None,
    /// A stand-in that the engine sorts after them. Where both give the same result, it did not come from sorting something absent.
    Last,
}

impl Absent {
    fn value(self) -> Value {
        match self {
            Absent::None => Value::from(()),
            Absent::Last => Value::from_object(Last),
        }
    }
}

/// See [`Absent::Last`].
#[derive(Debug)]
struct Last;

impl Object for Last {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }
}

/// Whether a value stands for an absent one; the test `is none` of the engine.
pub(in crate::kit) fn is_none(value: &Value) -> bool {
    value.is_none() || value.downcast_object_ref::<Last>().is_some()
}

/// An item that this change does not have: false, and every known name of it is none.
#[derive(Debug)]
struct Missing(BTreeMap<String, Value>);

impl Object for Missing {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.get(key.as_str()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Empty
    }
}

/// Addresses by connector; none where that connector gave none (yet).
#[derive(Debug)]
struct Addresses(BTreeMap<String, String>);

impl Object for Addresses {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(self.0.get(key.as_str()?).map_or_else(|| Value::from(()), |address| Value::from(address.as_str())))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(|name| Value::from(name.as_str())).collect())
    }
}

pub(super) fn addresses(addresses: &BTreeMap<String, String>) -> Value {
    Value::from_object(Addresses(addresses.clone()))
}

/// What is known of an item.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// By name.
    pub(super) fields: Map<String, Json>,
    /// Its long text, for a kind that has one.
    pub(super) words: Option<Words>,
}

/// A long text before anybody has read it.
#[derive(Clone, Debug)]
pub(super) struct Words {
    /// As Sleekplan sent it.
    pub(super) source: String,
    /// Whether that is HTML.
    pub(super) is_html: bool,
    /// Where its Markdown has to be inert.
    pub(super) dialect: Dialect,
}

impl Words {
    pub(super) fn read(&self) -> Text {
        if self.is_html { Text::from_html(&self.source) } else { Text::from_plain(&self.source) }
    }
}

/// `body`: each form is written when a template asks for it, since a text may be a mebibyte long.
#[derive(Debug)]
struct Body {
    words: Words,
    output: Option<Output>,
}

impl Object for Body {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "html" if self.output == Some(Output::Html) => Some(Value::from_safe_string(self.words.read().html())),
            "html" => Some(Value::from(self.words.read().html())),
            "markdown" => Some(match self.output.and_then(Output::markup) {
                Some((format, chars_max)) => Value::from_safe_string(self.words.read().cut(format, chars_max).0),
                None => Value::from(self.words.read().markdown(self.words.dialect)),
            }),
            "text" => Some(Value::from(self.words.read().plain())),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&BODY)
    }
}

impl Known {
    /// As the template engine takes it. `body.html` is safe in HTML and `body.markdown` in Markdown: there they are written as they are.
    pub(super) fn value(&self, absent: Absent, output: Option<Output>) -> Value {
        let mut entries = entries(&self.fields, absent);
        if let Some(words) = &self.words {
            entries.insert("body".to_owned(), Value::from_object(Body { words: words.clone(), output }));
        }
        Value::from(entries)
    }
}

/// What is known of the webhook.
pub(super) fn event(map: &Map<String, Json>) -> Value {
    Value::from(entries(map, Absent::None))
}

/// The same for an item that is not there.
pub(super) fn missing(map: &Map<String, Json>) -> Value {
    let entries = map.iter().map(|(name, value)| {
        let value = match value {
            Json::Object(map) => missing(map),
            _ => Absent::None.value(),
        };
        (name.clone(), value)
    });
    Value::from_object(Missing(entries.collect()))
}

fn entries(map: &Map<String, Json>, absent: Absent) -> BTreeMap<String, Value> {
    let entry = |(name, value): (&String, &Json)| {
        let value = match (name.as_str(), value) {
            (_, Json::Null) => absent.value(),
            // The one that is ours, with known names below.
            ("user", Json::Object(map)) => Value::from(entries(map, absent)),
            (_, other) => Value::from(Serde(other)),
        };
        (name.clone(), value)
    };
    map.iter().map(entry).collect()
}
