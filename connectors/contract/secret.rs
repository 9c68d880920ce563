//! Secrets: readable by who must send them, unprintable by everybody else.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::Value;

/// A password, key or token. It has no `Serialize`, and prints as `[secret]`.
///
/// In a configuration it is `"literal"`, `{ env = "NAME" }` or `{ file = "path" }` (a trailing newline is trimmed).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// From its plain text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The plain text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Why a secret could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment has no such variable, or it is not UTF-8.
    #[error("environment variable {0} is not set")]
    Env(String),
    /// The file cannot be read; the error's kind, never the content.
    #[error("file {path} cannot be read: {kind}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        kind: std::io::ErrorKind,
    },
    /// There is nothing in it.
    #[error("the secret is empty")]
    Empty,
}

/// Where a configuration says a secret is.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As a value first: a missing field is reported as such, and a wrong one is not quoted, as serde would.
        let value = Value::deserialize(deserializer)?;
        let Some(text) = text_of(&value) else {
            return Err(D::Error::custom("expected a string, { env = \"NAME\" } or { file = \"path\" }"));
        };
        let text = text.map_err(D::Error::custom)?;
        if text.trim().is_empty() { Err(D::Error::custom(SecretError::Empty)) } else { Ok(Secret(text)) }
    }
}

/// The text a configuration value stands for; `None` where it is no secret.
fn text_of(value: &Value) -> Option<Result<String, SecretError>> {
    match value {
        Value::String(text) => Some(Ok(text.clone())),
        Value::Number(number) => Some(Ok(number.to_string())),
        Value::Object(source) if source.len() == 1 => match (source.get("env"), source.get("file")) {
            (Some(Value::String(name)), None) => Some(std::env::var(name).map_err(|_| SecretError::Env(name.clone()))),
            (None, Some(Value::String(path))) => Some(read(PathBuf::from(path))),
            _ => None,
        },
        _ => None,
    }
}

fn read(path: PathBuf) -> Result<String, SecretError> {
    let text = std::fs::read_to_string(&path).map_err(|error| SecretError::File { path, kind: error.kind() })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_nothing_and_a_wrong_one_is_not_quoted() {
        let secret: Secret = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(format!("{secret} {secret:?}"), "[secret] [secret]");
        let error = serde_json::from_str::<Secret>("{\"envv\":\"hunter2\"}").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
