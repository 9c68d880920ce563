//! Values as the template engine takes them: every known name is there, and what Sleekplan never sent is none.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr, Serde};
use serde_json::{Map, Value as Json};

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

/// The known fields of an item. Only `body.html` is HTML: with `html_is_safe` it is written as it is.
pub(super) fn fields(map: &Map<String, Json>, absent: Absent, html_is_safe: bool) -> Value {
    Value::from(entries(map, absent, html_is_safe))
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

fn entries(map: &Map<String, Json>, absent: Absent, html_is_safe: bool) -> BTreeMap<String, Value> {
    let entry = |(name, value): (&String, &Json)| {
        let value = match (name.as_str(), value) {
            (_, Json::Null) => absent.value(),
            // These two are ours, with known names below.
            ("body", Json::Object(map)) => Value::from(body(map, html_is_safe)),
            ("user", Json::Object(map)) => fields(map, absent, false),
            (_, other) => Value::from(Serde(other)),
        };
        (name.clone(), value)
    };
    map.iter().map(entry).collect()
}

fn body(map: &Map<String, Json>, html_is_safe: bool) -> BTreeMap<String, Value> {
    let form = |(name, value): (&String, &Json)| {
        let text = value.as_str().unwrap_or_default().to_owned();
        (name.clone(), if html_is_safe && name == "html" { Value::from_safe_string(text) } else { Value::from(text) })
    };
    map.iter().map(form).collect()
}
