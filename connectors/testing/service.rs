//! A fake HTTP service on a port of its own, that answers, hangs, drops and lies as a script tells it to.
//!
//! Every request is recorded. What the service *does* is a function from request to answer, kept by the test that starts it; what happens
//! to its answers on the way is the script. So "made it, and then the connection broke" is two things put together.

mod body;
mod shelf;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue, LOCATION};
use http::{HeaderMap, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use self::body::{ReplyBody, read};
use crate::contract::Request;

pub use shelf::Shelf;

/// What a fake service answers.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// All headers but those of the connection.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// A JSON answer.
    pub fn json(status: u16, value: &Value) -> Self {
        Self::empty(status).with("content-type", "application/json").body(value.to_string())
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// The error page of some proxy.
    pub fn html(status: u16, title: &str) -> Self {
        let page = format!("<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>");
        Self::empty(status).with(CONTENT_TYPE.as_str(), "text/html; charset=utf-8").body(page)
    }

    /// A redirect.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::empty(status).with(LOCATION.as_str(), location)
    }

    /// The same with one more header; one that no answer can carry is left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            self.headers.insert(name, value);
        }
        self
    }

    /// The same with this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

/// What becomes of one request.
#[derive(Clone, Debug)]
pub enum Act {
    /// The service does what it does, and answers.
    Serve,
    /// This answer; the service does nothing.
    Answer(Reply),
    /// The service does nothing, and the connection breaks.
    Drop,
    /// Nothing is ever answered; the service does nothing.
    Hang,
    /// The service does what it does, and the connection breaks before the answer.
    CommitThenDrop,
    /// The service does what it does, and something else is answered: a proxy's 502, a page of HTML, a 200 with an error in it.
    CommitThen(Reply),
    /// The service does what it does, and the connection breaks in the middle of the answer's body.
    CommitThenCut,
    /// A body of this many bytes; the service does nothing.
    Huge(usize),
}

/// A running fake service; it ends when this is dropped.
pub struct Service {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

struct Shared {
    handler: Box<Handler>,
    script: Mutex<VecDeque<Act>>,
    received: Mutex<Vec<Request>>,
}

impl Service {
    /// A service on a free port of this machine that does what `handler` does.
    ///
    /// # Panics
    /// Where this machine has no free port.
    pub async fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared { handler: Box::new(handler), script: Mutex::default(), received: Mutex::default() });
        let accepting = spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, accepting }
    }

    /// Its address, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What becomes of the next requests, one each; after these it serves again.
    pub fn script(&self, acts: impl IntoIterator<Item = Act>) {
        locked(&self.shared.script).extend(acts);
    }

    /// Everything that was asked so far, in order.
    pub fn received(&self) -> Vec<Request> {
        locked(&self.shared.received).clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The lock's content. A test that panicked with it has failed already.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "a fake service runs beside the test that asks it, and ends with it")]
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    tokio::spawn(task).abort_handle()
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = Connections(Vec::new());
    while let Ok((stream, _)) = listener.accept().await {
        connections.0.push(spawn(serve(stream, Arc::clone(&shared))));
    }
}

/// Ends what was accepted together with the acceptor.
struct Connections(Vec<AbortHandle>);

impl Drop for Connections {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = hyper::service::service_fn(move |request| answer(request, Arc::clone(&shared)));
    // An error is what a script wanted, or the client's end of the connection.
    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
}

/// Why a connection is to break: the server closes it without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the script breaks this connection")]
struct Broken;

async fn answer(request: hyper::Request<hyper::body::Incoming>, shared: Arc<Shared>) -> Result<hyper::Response<ReplyBody>, Broken> {
    let (parts, body) = request.into_parts();
    let Ok(body) = read(body).await else { return Err(Broken) };
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost").to_owned();
    let Ok(url) = format!("http://{host}{}", parts.uri.path_and_query().map_or("/", |path| path.as_str())).parse() else {
        return Err(Broken);
    };
    let request = Request { method: parts.method, url, headers: parts.headers, body };
    locked(&shared.received).push(request.clone());
    let act = locked(&shared.script).pop_front().unwrap_or(Act::Serve);
    let serve = || (shared.handler)(&request);
    Ok(match act {
        Act::Serve => response(serve(), false),
        Act::Answer(reply) => response(reply, false),
        Act::Drop => return Err(Broken),
        Act::Hang => never().await,
        Act::CommitThenDrop => {
            serve();
            return Err(Broken);
        }
        Act::CommitThen(reply) => {
            serve();
            response(reply, false)
        }
        Act::CommitThenCut => response(serve(), true),
        Act::Huge(bytes) => response(Reply::empty(200).body(vec![b' '; bytes]), false),
    })
}

async fn never() -> hyper::Response<ReplyBody> {
    let never: Infallible = std::future::pending().await;
    match never {}
}

fn response(reply: Reply, cut: bool) -> hyper::Response<ReplyBody> {
    let mut response = hyper::Response::new(if cut { ReplyBody::cut(reply.body) } else { ReplyBody::whole(reply.body) });
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}

#[cfg(test)]
mod tests;
