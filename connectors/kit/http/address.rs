//! One whole address that requests go to, which may itself be the secret: who knows it may write there.

use serde::Deserialize;
use serde::de::{Deserializer, Error};
use serde_json::Value;
use url::Url;

use super::Base;
use super::scrub;
use crate::contract::{Failure, Hash, Secret, SettingsError};

/// An address as a configuration says it: as a text that may be seen, or as a secret.
#[derive(Clone, Debug)]
pub enum Written {
    /// It stands in the configuration.
    Plain(String),
    /// It is in the environment or a file of its own.
    Secret(Secret),
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Written::Plain(text)),
            other => Secret::deserialize(other).map(Written::Secret).map_err(D::Error::custom),
        }
    }
}

/// An address with all that is in it: a path to its last slash, and a query.
#[derive(Clone)]
pub struct Address {
    url: Url,
    is_secret: bool,
}

impl Address {
    /// Reads the setting `key`, by the rules of [`Base::parse`], but that a query is part of it.
    ///
    /// # Errors
    /// As there.
    pub fn parse(key: &'static str, written: &Written, allow_insecure: bool) -> Result<Self, SettingsError> {
        let (text, is_secret) = match written {
            Written::Plain(text) => (text.as_str(), false),
            Written::Secret(secret) => (secret.expose(), true),
        };
        let (bare, _) = text.trim().split_once(['?', '#']).unwrap_or((text.trim(), ""));
        Base::parse(key, bare, allow_insecure)?;
        let wrong = |error: url::ParseError| SettingsError {
            key,
            problem: format!("is no address ({error})"),
            expected: "an address such as https://example.com/hook",
        };
        let mut url = Url::parse(text.trim()).map_err(wrong)?;
        url.set_fragment(None);
        Ok(Self { url, is_secret })
    }

    /// The address itself, for who sends to it.
    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// Its host, without the port.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// As it may be shown: without a query, and without the path where it is a secret.
    pub fn shown(&self) -> String {
        let origin = self.url.origin().ascii_serialization();
        match self.url.query() {
            _ if self.is_secret => format!("{origin}/[secret]"),
            Some(_) => format!("{origin}{}?…", self.url.path()),
            None => self.url.to_string(),
        }
    }

    /// Tells addresses apart without telling them: fit for a [`crate::contract::Scope`].
    pub fn fingerprint(&self) -> String {
        format!("{}#{}", self.url.origin().ascii_serialization(), Hash::of(self.url.as_str().as_bytes()))
    }

    /// The same failure without a secret address in what was said: some servers quote it.
    pub fn scrubbed(&self, failure: Failure) -> Failure {
        if !self.is_secret {
            return failure;
        }
        let path = self.url.path();
        scrub::without(failure, &[self.url.to_string(), path.to_owned(), path.trim_matches('/').to_owned()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Cause;

    fn secret(text: &str) -> Address {
        Address::parse("url", &Written::Secret(Secret::new(text)), false).unwrap()
    }

    #[test]
    fn a_secret_address_is_shown_by_its_host_alone() {
        let address = secret("https://hooks.example.com/catch/12/hunter2/?k=v#x");
        assert_eq!(address.url().as_str(), "https://hooks.example.com/catch/12/hunter2/?k=v");
        assert_eq!(address.shown(), "https://hooks.example.com/[secret]");
        assert!(!address.fingerprint().contains("hunter2"));
        let failure = address.scrubbed(Failure::Rejected { source: Cause::new("cannot POST /catch/12/hunter2/") });
        assert_eq!(failure.cause().as_str(), "cannot POST [secret]");
    }

    #[test]
    fn a_plain_one_is_shown_without_its_query() {
        let plain = |text: &str| Address::parse("url", &Written::Plain(text.to_owned()), false).unwrap().shown();
        assert_eq!(plain("http://127.0.0.1:9000/hook/"), "http://127.0.0.1:9000/hook/");
        assert_eq!(plain("https://example.com/hook?code=hunter2"), "https://example.com/hook?…");
    }
}
