//! Secrets: readable by who must send them, unprintable by everybody else.

use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

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
#[derive(Deserialize)]
#[serde(untagged, expecting = "a string, { env = \"NAME\" } or { file = \"path\" }")]
enum Source {
    Literal(String),
    Number(serde_json::Number),
    Env(EnvSource),
    File(FileSource),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvSource {
    env: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSource {
    file: PathBuf,
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not the inner error: serde would quote the value it did not like.
        let source = Source::deserialize(deserializer)
            .map_err(|_| D::Error::custom("expected a string, { env = \"NAME\" } or { file = \"path\" }"))?;
        read(source).map_err(D::Error::custom)
    }
}

fn read(source: Source) -> Result<Secret, SecretError> {
    let text = match source {
        Source::Literal(text) => text,
        Source::Number(number) => number.to_string(),
        Source::Env(EnvSource { env }) => std::env::var(&env).map_err(|_| SecretError::Env(env))?,
        Source::File(FileSource { file }) => std::fs::read_to_string(&file)
            .map_err(|error| SecretError::File { path: file, kind: error.kind() })?
            .trim_end_matches(['\r', '\n'])
            .to_owned(),
    };
    if text.is_empty() { Err(SecretError::Empty) } else { Ok(Secret(text)) }
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
