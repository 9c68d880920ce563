//! The one HTTP client, and who may be asked with it.

use std::sync::Once;
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use url::Url;

use super::untrusted::Untrusted;
use crate::contract::{Cause, Request, Response, Transport, TransportError, Unsent};

/// The longest answer that is read.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept.
const POOL_IDLE: Duration = Duration::from_secs(60);

/// How requests are sent.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// How long one request may take, answer included.
    pub timeout: Duration,
    /// Hosts that images may come from: these names and what ends with `.NAME`.
    pub image_hosts: Vec<String>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        // Sleekplan's own storage, seen in every public file (avatars, changelog images).
        Self { timeout: Duration::from_secs(30), image_hosts: vec!["storage.sleekplan.com".to_owned()] }
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be made")]
pub struct ClientError(#[source] pub(super) reqwest::Error);

/// Sends requests to addresses of the configuration. It follows no redirect, so credentials go nowhere else.
#[derive(Debug)]
pub struct Client {
    trusted: reqwest::Client,
    untrusted: Untrusted,
}

impl Client {
    /// A client.
    ///
    /// # Errors
    /// The system's certificates cannot be read.
    pub fn new(options: &ClientOptions) -> Result<Self, ClientError> {
        let trusted = builder(options.timeout).build().map_err(ClientError)?;
        Ok(Self { trusted, untrusted: Untrusted::new(options) })
    }
}

/// What both clients have in common.
pub(super) fn builder(timeout: Duration) -> reqwest::ClientBuilder {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // Somebody may have installed one before: then that one serves.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
    reqwest::Client::builder()
        .user_agent(concat!("sleeksync/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        .pool_idle_timeout(POOL_IDLE)
}

#[async_trait]
impl Transport for Client {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let Request { method, url, headers, body } = request;
        let sent = self.trusted.request(method, url).headers(headers).body(body).send().await;
        read(sent.map_err(|error| failed(&error))?, ANSWER_BYTES_MAX).await
    }

    async fn fetch_untrusted(&self, url: &Url) -> Result<Response, TransportError> {
        self.untrusted.fetch(url).await
    }
}

/// Reads an answer to its end, `max` bytes at most.
pub(super) async fn read(mut answer: reqwest::Response, max: usize) -> Result<Response, TransportError> {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| failed(&error))? {
        if body.len() + chunk.len() > max {
            return Err(TransportError { unsent: Unsent::Unknown, source: Cause::new(format!("the answer is longer than {max} bytes")) });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status, headers, body: body.freeze() })
}

/// What happened, without the address: it may carry a secret (Slack's and Teams' do).
pub(super) fn failed(error: &reqwest::Error) -> TransportError {
    let unsent = if error.is_connect() || error.is_builder() { Unsent::Certainly } else { Unsent::Unknown };
    let what = match error {
        error if error.is_connect() => "cannot connect",
        error if error.is_timeout() => "no answer in time",
        error if error.is_body() || error.is_decode() => "the answer was cut off",
        error if error.is_builder() => "the request cannot be built",
        _ => "the connection broke",
    };
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let detail = deepest.to_string();
    let detail = if detail.contains("://") { String::new() } else { format!(": {detail}") };
    TransportError { unsent, source: Cause::new(format!("{what}{detail}")) }
}
