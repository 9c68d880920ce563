//! Asks the daemon over its admin API; when none runs, the store itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http::{Method, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::{CommandError, Context, offline};
use crate::config::LocalConfig;

/// How long the daemon may take to take up a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it may take to answer; a `check` waits for a service.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(180);

/// One question or decision, as the admin API takes it.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiRequest {
    /// GET for questions, POST for decisions.
    pub method: Method,
    /// Path below the listener, such as `/api/v1/status`.
    pub path: String,
    /// Parameters.
    pub query: Vec<(&'static str, String)>,
    /// The body of a decision.
    pub body: Value,
}

impl ApiRequest {
    /// A question. Each part of `path` is escaped.
    pub(super) fn get(path: &[&str]) -> Self {
        Self { method: Method::GET, path: joined(path), query: Vec::new(), body: Value::Null }
    }

    /// A decision.
    pub(super) fn post(path: &[&str], body: Value) -> Self {
        Self { method: Method::POST, path: joined(path), query: Vec::new(), body }
    }

    /// With a parameter, where there is one.
    pub(super) fn with(mut self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.query.extend(value.map(|value| (name, value.to_string())));
        self
    }
}

fn joined(path: &[&str]) -> String {
    let escaped = path.iter().map(|part| utf8_percent_encode(part, NAME_ESCAPES).to_string());
    format!("/api/v1/{}", escaped.collect::<Vec<_>>().join("/"))
}

const NAME_ESCAPES: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// An answer of the admin API.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiAnswer {
    /// The HTTP status it has, or would have.
    pub status: StatusCode,
    /// The JSON.
    pub body: Value,
}

/// Where commands ask.
pub(super) struct Client<'a> {
    context: &'a Context,
    local: LocalConfig,
    http: reqwest::Client,
}

impl<'a> Client<'a> {
    /// Finds the daemon by `[admin]`.
    pub(super) fn new(context: &'a Context) -> Result<Self, CommandError> {
        Ok(Self { context, local: crate::config::load_local(&context.sources)?, http: http_client()? })
    }

    /// Asks, and refuses what is no success.
    pub(super) async fn ask(&self, request: &ApiRequest) -> Result<Value, CommandError> {
        let answer = match self.over_http(request).await {
            Err(CommandError::Unreachable { .. }) => offline::answer(self.context, &self.local, request).await?,
            answered => answered?,
        };
        if answer.status.is_success() {
            return Ok(answer.body);
        }
        let said = |key: &str| answer.body.get("error").and_then(|error| error.get(key)).and_then(Value::as_str).map(str::to_owned);
        match said("message") {
            Some(message) => Err(CommandError::Refused { message, hint: said("hint").unwrap_or_default() }),
            None => Err(CommandError::Stranger { address: self.local.admin.listen.to_string() }),
        }
    }

    /// Whether the daemon answers, so that what is owed is being worked on.
    pub(super) async fn is_live(&self) -> bool {
        self.over_http(&ApiRequest::get(&["status"])).await.is_ok()
    }

    /// What is said where nobody answers.
    pub(super) fn unreachable(&self) -> CommandError {
        CommandError::Unreachable { address: self.local.admin.listen.to_string() }
    }

    async fn over_http(&self, request: &ApiRequest) -> Result<ApiAnswer, CommandError> {
        let listen = self.local.admin.listen;
        let url = format!("http://{}{}", reachable(listen), request.path);
        let mut builder = self.http.request(request.method.clone(), url).header(header::HOST, listen.to_string()).query(&request.query);
        if let Some(token) = &self.local.admin.token {
            builder = builder.bearer_auth(token.expose());
        }
        if request.method == Method::POST {
            builder = builder.json(&request.body);
        }
        let response = builder.send().await.map_err(|error| lost(error, &listen.to_string()))?;
        let status = response.status();
        match response.json().await {
            Ok(body) => Ok(ApiAnswer { status, body }),
            Err(_) => Err(CommandError::Stranger { address: listen.to_string() }),
        }
    }
}

/// A client for listeners of this machine: no proxy, no redirect.
pub(super) fn http_client() -> Result<reqwest::Client, CommandError> {
    use_ring();
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let builder = builder.connect_timeout(CONNECT_TIMEOUT).timeout(ANSWER_TIMEOUT);
    builder.build().map_err(|source| CommandError::Http { what: "preparing a connection", source })
}

/// reqwest is built without a TLS provider and wants one even for plain http.
pub(super) fn use_ring() {
    // An error only says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A transport error in the commands' words.
pub(super) fn lost(error: reqwest::Error, address: &str) -> CommandError {
    if error.is_connect() {
        return CommandError::Unreachable { address: address.to_owned() };
    }
    CommandError::Http { what: "talking to the daemon", source: error.without_url() }
}

/// Where a listener can be reached from this machine: one that listens everywhere also listens on loopback.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
