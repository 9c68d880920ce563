//! Settings of `webhook`.

use std::collections::BTreeMap;

use http::HeaderName;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::signature::{self, Key};
use crate::contract::{Mistakes, Secret, SettingsError};
use crate::kit::http::{Address, Written, credential};
use crate::kit::template::{Output, Template};

/// The most keys one message is signed with: one that comes, one that goes, and some to spare.
const KEYS_MAX: usize = 8;
/// Headers that are ours or the connection's.
const OURS: [HeaderName; 7] =
    [signature::ID, signature::TIMESTAMP, signature::SIGNATURE, HOST, CONTENT_LENGTH, CONNECTION, TRANSFER_ENCODING];

/// `[connectors.NAME]` of kind `webhook`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    url: Written,
    #[serde(default, deserialize_with = "one_or_many")]
    secret: Vec<Secret>,
    #[serde(default, deserialize_with = "by_name")]
    headers: BTreeMap<String, Secret>,
    template: Option<String>,
    #[serde(default)]
    allow_insecure: bool,
}

/// Settings, parsed.
pub(super) struct Ready {
    pub address: Address,
    pub keys: Vec<Key>,
    pub headers: Vec<(HeaderName, Secret)>,
    pub template: Option<Template>,
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Secret>, D::Error> {
    let values = match Value::deserialize(deserializer)? {
        Value::Array(values) => values,
        one => vec![one],
    };
    values.into_iter().map(|value| Secret::deserialize(value).map_err(D::Error::custom)).collect()
}

/// As a value first: a text where the table should be is not quoted, as serde would.
fn by_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Secret>, D::Error> {
    let Value::Object(values) = Value::deserialize(deserializer)? else {
        return Err(D::Error::custom("expected a table of names and values, such as { authorization = \"Bearer …\" }"));
    };
    values.into_iter().map(|(name, value)| Ok((name, Secret::deserialize(value).map_err(D::Error::custom)?))).collect()
}

impl Settings {
    pub(super) fn ready(&self) -> Result<Ready, Vec<SettingsError>> {
        let mut mistakes = Mistakes::default();
        let address = mistakes.note(Address::parse("url", &self.url, self.allow_insecure));
        if self.secret.len() > KEYS_MAX {
            mistakes.add("secret", format!("has {} keys", self.secret.len()), "at most eight");
        }
        let keys = self.secret.iter().filter_map(|secret| mistakes.note(Key::read(secret))).collect();
        let headers = self.headers.iter().filter_map(|(name, value)| mistakes.note(header(name, value))).collect();
        let template = self.template.as_deref().map(|source| Template::new("template", source, Output::Json)).transpose();
        let template = mistakes.note(template);
        let made = address.zip(template).map(|(address, template)| Ready { address, keys, headers, template });
        mistakes.or(made)
    }
}

fn header(name: &str, value: &Secret) -> Result<(HeaderName, Secret), SettingsError> {
    let wrong = |problem: String| SettingsError { key: "headers", problem, expected: "names and values of HTTP headers" };
    let parsed: HeaderName = name.parse().map_err(|_| wrong(format!("`{}` is no name of a header", name.escape_debug())))?;
    if OURS.contains(&parsed) {
        return Err(wrong(format!("`{parsed}` is set by sleeksync itself")));
    }
    credential("headers", value)?;
    Ok((parsed, value.clone()))
}

/// What is sent where no template says otherwise.
#[derive(Serialize)]
pub(super) struct Told<'a, T> {
    /// Sleekplan's word for what happened.
    #[serde(rename = "type")]
    pub action: &'a str,
    /// When, RFC 3339.
    pub timestamp: String,
    /// The event's own data, with the product's id.
    pub data: T,
}
