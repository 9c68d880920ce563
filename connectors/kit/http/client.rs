//! The one HTTP client of the daemon. Connectors see it as a [`Transport`]; nobody else builds one.

use std::error::Error as _;
use std::time::Duration;

use async_trait::async_trait;
use bytes::BytesMut;
use url::Url;

use super::untrusted::{IMAGE_HOSTS, Untrusted};
use crate::contract::{Cause, Request, Response, Transport, TransportError, Unsent};

/// The largest answer that is read, in bytes. Listings of the services we know stay far below.
pub const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How we name ourselves.
const USER_AGENT: &str = concat!("sleeksync/", env!("CARGO_PKG_VERSION"));
/// How long an unused connection is kept: less than the idle timeouts of usual servers, so that none is found closed.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// The longest chain of causes that is quoted.
const CAUSES_MAX: usize = 8;

/// What a client may do.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Longest time for name, connection and TLS together.
    pub connect_timeout: Duration,
    /// Longest time for the whole request, answer included. A connector's own, shorter one is held by delivery.
    pub timeout: Duration,
    /// Whether the system's proxy settings are followed.
    pub proxy: Proxy,
    /// Hosts that images of payloads are fetched from; what lies below one is allowed too.
    pub image_hosts: Vec<String>,
}

/// Whether requests go through a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// As the system says (`HTTPS_PROXY`, `NO_PROXY` and their like).
    System,
    /// Never.
    None,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            proxy: Proxy::System,
            image_hosts: IMAGE_HOSTS.iter().map(|host| (*host).to_owned()).collect(),
        }
    }
}

/// Why no client could be made: the system has no usable TLS roots, or a proxy that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot make an HTTP client")]
pub struct ClientError(#[from] reqwest::Error);

/// Sends requests to the services.
#[derive(Debug)]
pub struct Client {
    trusted: reqwest::Client,
    untrusted: Untrusted,
}

impl Client {
    /// A client; nothing is connected yet.
    ///
    /// # Errors
    /// The system has no usable TLS roots.
    pub fn new(options: &ClientOptions) -> Result<Self, ClientError> {
        let trusted = builder(options);
        let trusted = match options.proxy {
            Proxy::System => trusted,
            Proxy::None => trusted.no_proxy(),
        };
        Ok(Self { trusted: trusted.build()?, untrusted: Untrusted::new(options)? })
    }
}

#[async_trait]
impl Transport for Client {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let Request { method, url, headers, body } = request;
        let sent = self.trusted.request(method, url.clone()).headers(headers).body(body).send().await;
        read(sent, &url, ANSWER_BYTES_MAX).await
    }

    async fn fetch_untrusted(&self, url: &Url) -> Result<Response, TransportError> {
        self.untrusted.fetch(url).await
    }
}

/// What both clients have in common: one attempt, no redirect, time limits.
#[expect(clippy::disallowed_methods, reason = "the one place that builds HTTP clients")]
pub(super) fn builder(options: &ClientOptions) -> reqwest::ClientBuilder {
    // An error says that a provider is installed already: ours, by an earlier client.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(options.connect_timeout)
        .timeout(options.timeout)
        .pool_idle_timeout(IDLE_MAX)
}

/// Reads an answer to its end, `bytes_max` at most.
pub(super) async fn read(sent: Result<reqwest::Response, reqwest::Error>, url: &Url, bytes_max: usize) -> Result<Response, TransportError> {
    let mut answer = sent.map_err(|error| unanswered(&error, url))?;
    let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| cut(&error, url))? {
        if body.len() + chunk.len() > bytes_max {
            let source = Cause::new(format!("HTTP {} of {}, longer than {bytes_max} bytes", status.as_u16(), host(url)));
            return Err(TransportError { unsent: Unsent::Unknown, source });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status, headers, body: body.freeze() })
}

/// No answer. A connection that never stood, and a request that could not be written down, have certainly not been received.
fn unanswered(error: &reqwest::Error, url: &Url) -> TransportError {
    let host = host(url);
    let (unsent, what) = match error {
        error if error.is_builder() => (Unsent::Certainly, format!("cannot ask {host}")),
        error if error.is_connect() || error.is_dns() => (Unsent::Certainly, format!("cannot connect to {host}")),
        error if error.is_timeout() => (Unsent::Unknown, format!("no answer of {host} in time")),
        _ => (Unsent::Unknown, format!("no answer of {host}")),
    };
    TransportError { unsent, source: Cause::new(format!("{what}: {}", root(error))) }
}

fn cut(error: &reqwest::Error, url: &Url) -> TransportError {
    TransportError { unsent: Unsent::Unknown, source: Cause::new(format!("the answer of {} was cut: {}", host(url), root(error))) }
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

/// The innermost cause: what the system, the TLS layer or the protocol said. The outer ones name the whole address, which may hold a key.
fn root(error: &reqwest::Error) -> String {
    let mut innermost = error.source();
    for _ in 0..CAUSES_MAX {
        match innermost.and_then(std::error::Error::source) {
            Some(deeper) => innermost = Some(deeper),
            None => break,
        }
    }
    innermost.map_or_else(|| "the request cannot be written".to_owned(), ToString::to_string)
}
