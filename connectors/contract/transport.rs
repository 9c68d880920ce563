//! Requests and answers as connectors see them. Who really sends is decided outside: the daemon's client, a dry run, a test.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde::Serialize;
use url::Url;

use super::Cause;

/// One HTTP request. Header values that carry credentials are marked sensitive (`HeaderValue::set_sensitive`) and never printed.
#[derive(Clone)]
pub struct Request {
    /// GET, POST, …
    pub method: Method,
    /// Full address, without credentials in it.
    pub url: Url,
    /// All headers.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
}

/// One HTTP answer, read to its end.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The whole body, bounded by the transport.
    pub body: Bytes,
}

/// Whether the request can have reached the service when the transport failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsent {
    /// Certainly not sent: no name, no connection, no TLS.
    Certainly,
    /// It may have been received and acted upon.
    Unknown,
}

/// Why there is no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no answer")]
pub struct TransportError {
    /// Whether the request may have arrived.
    pub unsent: Unsent,
    /// What happened; no query string, no credentials.
    pub source: Cause,
}

/// Sends one request and reads its answer, following no redirect.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends `request` once.
    async fn send(&self, request: Request) -> Result<Response, TransportError>;

    /// Fetches an address that came from a payload (an image), under the rules for untrusted addresses:
    /// https, allow-listed public hosts, no redirect, no credentials, bounded size and time.
    async fn fetch_untrusted(&self, url: &Url) -> Result<Response, TransportError>;
}

/// A request as a dry run shows it: secrets redacted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preview {
    /// GET, POST, … or WRITE and REMOVE for files.
    pub method: String,
    /// The address or path.
    pub url: String,
    /// Headers, credentials as `[secret]`.
    pub headers: std::collections::BTreeMap<String, String>,
    /// The body: JSON where it is JSON, else a string; null for none.
    pub body: serde_json::Value,
}

/// The address by its host alone: some are all it takes to write there.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.host_str().unwrap_or_default();
        f.debug_struct("Request").field("method", &self.method).field("host", &host).field("headers", &self.headers).finish_non_exhaustive()
    }
}

impl Request {
    /// The request as it may be shown to a person.
    pub fn preview(&self) -> Preview {
        let shown = |value: &http::HeaderValue| {
            if value.is_sensitive() { "[secret]".to_owned() } else { String::from_utf8_lossy(value.as_bytes()).into_owned() }
        };
        Preview {
            method: self.method.to_string(),
            url: self.url.to_string(),
            headers: self.headers.iter().map(|(name, value)| (name.to_string(), shown(value))).collect(),
            body: if self.body.is_empty() {
                serde_json::Value::Null
            } else {
                serde_json::from_slice(&self.body).unwrap_or_else(|_| String::from_utf8_lossy(&self.body).into_owned().into())
            },
        }
    }
}
