//! The layers merged into one tree that still knows which layer each value came from.

use std::path::PathBuf;

use figment::value::{Dict, Tag, Value};
use figment::{Figment, Profile, Provider};

use super::layers::{Layer, Placed};

/// Keys and list places from the root to a value.
pub(super) type Path = Vec<String>;

/// A path of fixed keys.
pub(super) fn path(keys: &[&str]) -> Path {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

/// `base` and one key more.
pub(super) fn below(base: &[String], key: impl Into<String>) -> Path {
    let mut path = base.to_vec();
    path.push(key.into());
    path
}

/// All layers as one.
pub(super) struct Tree {
    root: Value,
    figment: Figment,
    layers: Vec<Layer>,
}

/// Where a value came from.
pub(super) struct Origin<'a> {
    /// How messages call it.
    pub(super) label: &'a str,
    /// Whether its values are text that may stand for something else.
    pub(super) is_text: bool,
}

impl Tree {
    /// Merges the layers, later ones win.
    pub(super) fn merge(layers: Vec<Layer>) -> Self {
        let figment = layers.iter().enumerate().fold(Figment::new(), |figment, (place, layer)| figment.merge(Placed(place, layer)));
        // `Placed` never fails, so neither does the merge.
        let root = figment.data().ok().and_then(|mut profiles| profiles.remove(&Profile::Default)).unwrap_or_default();
        let mut tree = Self { root: Value::from(root), figment, layers };
        tree.keep_the_later_secret_source();
        tree
    }

    /// The value at `path`.
    pub(super) fn get(&self, path: &[String]) -> Option<&Value> {
        path.iter().try_fold(&self.root, |value, key| child(value, key))
    }

    /// The keys of the table at `path`; none where there is no table.
    pub(super) fn keys(&self, path: &[String]) -> Vec<String> {
        match self.get(path) {
            Some(Value::Dict(_, dict)) => dict.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// Where the value at `path` came from; what is not there counts to what surrounds it.
    pub(super) fn origin(&self, path: &[String]) -> Origin<'_> {
        match self.layer(path) {
            Some(layer) => Origin { label: &layer.label, is_text: layer.is_text },
            None => Origin { label: "built-in defaults", is_text: false },
        }
    }

    /// `file`, hung on the folder of the file that says it.
    pub(super) fn resolve(&self, path: &[String], file: &std::path::Path) -> PathBuf {
        match self.layer(path) {
            Some(layer) => layer.folder.join(file),
            None => file.to_owned(),
        }
    }

    /// `path` as a person would write it: `receiver.keys[0]`, `connectors."a.b"`.
    pub(super) fn show(&self, path: &[String]) -> String {
        let mut shown = String::new();
        let mut value = Some(&self.root);
        for key in path {
            let is_bare = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
            if matches!(value, Some(Value::Array(..))) {
                shown.push_str(&format!("[{key}]"));
            } else {
                let dot = if shown.is_empty() { "" } else { "." };
                shown.push_str(&if is_bare { format!("{dot}{key}") } else { format!("{dot}\"{}\"", key.escape_debug()) });
            }
            value = value.and_then(|value| child(value, key));
        }
        shown
    }

    fn layer(&self, path: &[String]) -> Option<&Layer> {
        let mut value = &self.root;
        for key in path {
            match child(value, key) {
                Some(next) => value = next,
                None => break,
            }
        }
        self.layers.get(self.place(value)?)
    }

    /// The lowest layer that says anything within `value`: that is the file a person would look into first.
    fn place(&self, value: &Value) -> Option<usize> {
        match value {
            Value::Dict(_, dict) if !dict.is_empty() => dict.values().filter_map(|value| self.place(value)).min(),
            Value::Array(_, items) if !items.is_empty() => items.iter().filter_map(|value| self.place(value)).min(),
            other => self.place_of_tag(other.tag()).or_else(|| (!self.layers.is_empty()).then_some(0)),
        }
    }

    fn place_of_tag(&self, tag: Tag) -> Option<usize> {
        self.figment.get_metadata(tag)?.name.parse().ok()
    }

    /// One layer says `{ env = … }` and a later one `{ file = … }`: tables are merged, a secret is not.
    fn keep_the_later_secret_source(&mut self) {
        let mut root = std::mem::replace(&mut self.root, Value::from(Dict::new()));
        self.settle_secret(&mut root);
        self.root = root;
    }

    fn settle_secret(&self, value: &mut Value) {
        match value {
            Value::Dict(_, dict) => {
                if let (2, Some(env), Some(file)) = (dict.len(), dict.get("env"), dict.get("file")) {
                    let (env, file) = (self.place_of_tag(env.tag()), self.place_of_tag(file.tag()));
                    if env != file {
                        dict.remove(if env < file { "env" } else { "file" });
                    }
                }
                dict.values_mut().for_each(|value| self.settle_secret(value));
            }
            Value::Array(_, items) => items.iter_mut().for_each(|value| self.settle_secret(value)),
            _ => {}
        }
    }
}

/// The value under `key`: of a table by name, of a list by place.
pub(super) fn child<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Dict(_, dict) => dict.get(key),
        Value::Array(_, items) => items.get(key.parse::<usize>().ok()?),
        _ => None,
    }
}

/// The same, to change it.
pub(super) fn child_mut<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    match value {
        Value::Dict(_, dict) => dict.get_mut(key),
        Value::Array(_, items) => items.get_mut(key.parse::<usize>().ok()?),
        _ => None,
    }
}

/// The value at `path` below `value`, to change it.
pub(super) fn descend<'a>(value: &'a mut Value, path: &[String]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, key| child_mut(value, key))
}

/// Takes the value at `path` out; whether there was one.
pub(super) fn remove(value: &mut Value, path: &[String]) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    match descend(value, parents) {
        Some(Value::Dict(_, dict)) => dict.remove(last).is_some(),
        Some(Value::Array(_, items)) => match last.parse::<usize>() {
            Ok(place) if place < items.len() => {
                items.remove(place);
                true
            }
            _ => false,
        },
        _ => false,
    }
}
