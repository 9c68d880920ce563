//! One row per kind: everything the daemon knows about services.

use serde_json::Value;

use crate::contract::{AnyConnector, BuildError, Capabilities};

/// One kind of connector.
pub struct Kind {
    /// The word behind `kind =`.
    pub name: &'static str,
    /// What it can do.
    pub capabilities: Capabilities,
    /// A commented example of its settings: the file in `config/connectors/`.
    pub example: &'static str,
    /// Makes an instance from the kind's own settings.
    pub build: fn(Value) -> Result<Box<dyn AnyConnector>, BuildError>,
    /// Settings that are paths: relative ones hang on the configuration file's folder.
    pub paths: &'static [&'static str],
    /// Settings that are templates or expressions, checked by `check` before anything runs.
    pub templates: &'static [&'static str],
}

/// All kinds, by name.
pub const REGISTRY: &[Kind] = &[
    crate::ghost::KIND,
    crate::github::KIND,
    crate::postgres::KIND,
    crate::site::KIND,
    crate::slack::KIND,
    crate::sqlite::KIND,
    crate::webhook::KIND,
    crate::wordpress::KIND,
];

/// The kind of this name.
pub fn kind(name: &str) -> Option<&'static Kind> {
    REGISTRY.iter().find(|kind| kind.name == name)
}
