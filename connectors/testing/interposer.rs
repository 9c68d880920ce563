//! A transport that stands between a connector and its service: it notes what is sent, and spoils answers on request.
//!
//! The suite uses it instead of the fake's own script because it works with every fake, however it is written. That a real connection
//! breaks in just these ways is shown by the tests of [`super::service`].

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use url::Url;

use super::service::locked;
use crate::contract::{Cause, Request, Response, Transport, TransportError, Unsent};

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It does not arrive, and this is the outcome.
    Instead(Result<Response, TransportError>),
    /// It arrives, and this is the outcome.
    After(Result<Response, TransportError>),
    /// It does not arrive; the answer has this status and quotes the whole request in its message.
    Quote(u16),
}

impl Fault {
    /// Answers with this status and body; the request does not arrive.
    pub fn answer(status: u16, body: &str) -> Self {
        Fault::Instead(Ok(answer(status, body)))
    }

    /// The connection breaks; the request may have arrived, but has not.
    pub fn broken() -> Self {
        Fault::Instead(Err(broken()))
    }

    /// No connection was made.
    pub fn unconnected() -> Self {
        Fault::Instead(Err(TransportError { unsent: Unsent::Certainly, source: Cause::new("connection refused") }))
    }

    /// The request arrives and the answer is lost.
    pub fn lost() -> Self {
        Fault::After(Err(broken()))
    }
}

fn broken() -> TransportError {
    TransportError { unsent: Unsent::Unknown, source: Cause::new("the connection broke") }
}

/// An answer; JSON where the body looks like it, else HTML.
pub(super) fn answer(status: u16, body: &str) -> Response {
    let mut headers = HeaderMap::new();
    let kind = if body.starts_with('<') { "text/html" } else { "application/json" };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Response { status, headers, body: body.to_owned().into() }
}

/// Which requests a fault happens to.
#[derive(Clone, Copy, Debug)]
pub enum When {
    /// The first of which this is true; the others pass.
    First(fn(&Request) -> bool),
    /// Every one that writes; what reads passes.
    Writes,
    /// The one of this number, counted from 0.
    Nth(usize),
    /// Every one.
    Always,
}

/// Passes requests on, notes them, and spoils some.
pub struct Interposer {
    inner: Arc<dyn Transport>,
    is_write: fn(&Request) -> bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    fault: Option<(When, Fault)>,
    count: usize,
    struck: bool,
    sent: Vec<Request>,
}

impl Interposer {
    /// Between a connector and `inner`. `is_write` says which requests change something; see [`writes`].
    pub fn new(inner: Arc<dyn Transport>, is_write: fn(&Request) -> bool) -> Self {
        Self { inner, is_write, state: Mutex::default() }
    }

    /// From now on, and until the next call: this fault.
    pub fn spoil(&self, when: When, fault: Fault) {
        let mut state = locked(&self.state);
        state.fault = Some((when, fault));
        state.count = 0;
        state.struck = false;
    }

    /// From now on everything passes. Says whether the last fault happened at all.
    pub fn pass(&self) -> bool {
        let mut state = locked(&self.state);
        state.fault = None;
        std::mem::take(&mut state.struck)
    }

    /// Everything that was sent, in order.
    pub fn sent(&self) -> Vec<Request> {
        locked(&self.state).sent.clone()
    }

    /// How many requests were sent, and how many of them write.
    pub fn counts(&self) -> (usize, usize) {
        let state = locked(&self.state);
        (state.sent.len(), state.sent.iter().filter(|request| (self.is_write)(request)).count())
    }

    fn next_fault(&self, request: &Request) -> Option<Fault> {
        let mut state = locked(&self.state);
        state.sent.push(request.clone());
        let number = state.count;
        state.count += 1;
        let (when, fault) = state.fault.clone()?;
        let strikes = match when {
            When::First(is_it) => is_it(request) && !state.struck,
            When::Writes => (self.is_write)(request),
            When::Nth(n) => number == n,
            When::Always => true,
        };
        state.struck |= strikes;
        strikes.then_some(fault)
    }
}

/// Whether a request changes something, by its method.
pub fn writes(request: &Request) -> bool {
    !matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS)
}

#[async_trait]
impl Transport for Interposer {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        match self.next_fault(&request) {
            None => self.inner.send(request).await,
            Some(Fault::Instead(outcome)) => outcome,
            Some(Fault::After(outcome)) => {
                self.inner.send(request).await?;
                outcome
            }
            Some(Fault::Quote(status)) => Ok(answer(status, &quoted(&request))),
        }
    }

    async fn fetch_untrusted(&self, url: &Url) -> Result<Response, TransportError> {
        self.inner.fetch_untrusted(url).await
    }
}

/// The whole request in the message of an error, as a careless service writes it.
fn quoted(request: &Request) -> String {
    let headers =
        request.headers.values().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect::<Vec<_>>().join(" ");
    let body = String::from_utf8_lossy(&request.body);
    serde_json::json!({"message": format!("cannot do {headers} {} {body}", request.url)}).to_string()
}
