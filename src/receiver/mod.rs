//! The receiver: takes Sleekplan's webhooks and answers once they are safe.
//!
//! It only stores: nothing is delivered, looked up or decided in reaction to the network. A webhook with the right key is never lost: what
//! cannot be understood is kept all the same.

mod answer;
mod body;
mod capture;
mod key;
mod serve;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::{HeaderMap, Method};
use tokio::net::TcpListener;
use warp::Filter;
use warp::path::FullPath;

pub use key::Keys;
pub use serve::{Limits, serve};

use crate::clock::Clock;
use crate::sleekplan::products::Products;
use crate::sleekplan::{Arrival, Receipt};
use crate::supervisor::Supervisor;
use answer::Answer;
use body::BodyError;
use capture::Capture;

/// How the receiver listens.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Path of the webhook.
    pub path: String,
    /// Any of them is accepted.
    pub keys: Keys,
    /// Accept events without a key.
    pub allow_unauthenticated: bool,
    /// Longest body, in bytes.
    pub max_body: usize,
    /// How long headers may take.
    pub header_timeout: Duration,
    /// How long a body may take.
    pub body_timeout: Duration,
    /// Connections open at once.
    pub max_connections: usize,
    /// Where raw bodies are written as well.
    pub capture_dir: Option<PathBuf>,
}

/// It is not on disk; Sleekplan is asked to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The daemon is ending.
    ShuttingDown,
    /// There is no room on disk.
    NoRoom,
    /// Too many events are waiting to be synced.
    Busy,
    /// The journal failed.
    Failed,
}

/// Whether events can be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Yes.
    Ready,
    /// The daemon is ending.
    ShuttingDown,
    /// There is no room on disk.
    NoRoom,
    /// The journal failed.
    Failed,
}

impl Readiness {
    /// What `/health/ready` says.
    pub const fn as_str(self) -> &'static str {
        match self {
            Readiness::Ready => "ok",
            Readiness::ShuttingDown => "shutting down",
            Readiness::NoRoom => "no room on disk",
            Readiness::Failed => "journal failed",
        }
    }
}

/// Where arrivals go.
pub trait Intake: Send + Sync + 'static {
    /// Answers once the arrival is on disk.
    fn take(&self, arrival: Arrival) -> impl Future<Output = Result<Receipt, Refused>> + Send;
    /// Whether events can be accepted.
    fn ready(&self) -> Readiness;
    /// A request was refused.
    fn refused(&self);
}

struct Desk<I> {
    intake: Arc<I>,
    settings: Settings,
    capture: Option<Capture>,
    products: Arc<Products>,
    clock: Clock,
}

/// Listens for webhooks until shutdown is asked for.
pub fn listen<I: Intake>(
    listener: TcpListener,
    settings: Settings,
    intake: Arc<I>,
    products: Arc<Products>,
    clock: Clock,
    supervisor: &Supervisor,
) {
    let limits = Limits {
        connections_max: settings.max_connections,
        header_timeout: settings.header_timeout,
        // Who sends slowly takes slowly.
        answer_timeout: settings.body_timeout,
    };
    let desk = Arc::new(Desk { intake, capture: settings.capture_dir.clone().map(Capture::new), settings, products, clock });
    let query = warp::query::raw().or(warp::any().map(String::new)).unify();
    let routes = warp::method()
        .and(warp::path::full())
        .and(query)
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(move |method: Method, path: FullPath, query: String, headers: HeaderMap, body| {
            let desk = Arc::clone(&desk);
            async move {
                // Nothing of the request is kept while its event is waited for.
                match desk.read(method, path, query, headers, body).await {
                    Ok(body) => desk.take(body).await,
                    Err(answer) => answer,
                }
                .into_response()
            }
        })
        .recover(|_| async { Ok::<_, std::convert::Infallible>(Answer::bad_request().into_response()) })
        .unify();
    serve(listener, routes, limits, supervisor);
}

impl<I: Intake> Desk<I> {
    /// The body of a webhook, or what is answered to anything else.
    async fn read<B, C, E>(&self, method: Method, path: FullPath, query: String, headers: HeaderMap, body: B) -> Result<Bytes, Answer>
    where
        B: futures_util::Stream<Item = Result<C, E>> + Send,
        C: Buf,
    {
        let reading = matches!(method, Method::GET | Method::HEAD);
        match path.as_str() {
            "/health/live" if reading => return Err(Answer::live()),
            "/health/ready" if reading => return Err(Answer::ready(self.intake.ready())),
            path if path != self.settings.path => return Err(self.refuse(Answer::not_found())),
            _ if method != Method::POST => return Err(self.refuse(Answer::method_not_allowed())),
            _ => {}
        }
        // Before the body: who does not know the key makes us read nothing.
        if !self.settings.allow_unauthenticated && !self.settings.keys.admit(&query, &headers) {
            return Err(self.refuse(Answer::unauthorized()));
        }
        let mut body = std::pin::pin!(body);
        let refusal = match tokio::time::timeout(self.settings.body_timeout, body::read(&headers, &mut body, self.settings.max_body)).await
        {
            Ok(Ok(body)) => return Ok(body),
            Err(_) => Answer::too_slow(),
            Ok(Err(BodyError::TooLarge)) => {
                // Who asked whether to send is told no. Anybody else is listened to first; the answer stands, whether or not that ends in time.
                if !headers.contains_key(http::header::EXPECT) {
                    let _ = tokio::time::timeout(self.settings.body_timeout, body::discard(&mut body)).await;
                }
                Answer::too_large(self.settings.max_body)
            }
            Ok(Err(BodyError::Broken)) => Answer::bad_request(),
        };
        Err(self.refuse(refusal))
    }

    async fn take(&self, body: Bytes) -> Answer {
        let received_at = self.clock.now();
        if let Some(capture) = &self.capture {
            capture.write(received_at, &body).await;
        }
        let arrival = Arrival::read(body, received_at, &self.products);
        match self.intake.take(arrival).await {
            Ok(receipt) => Answer::receipt(receipt),
            Err(refused) => self.refuse(Answer::unavailable(refused)),
        }
    }

    fn refuse(&self, answer: Answer) -> Answer {
        self.intake.refused();
        answer
    }
}

#[cfg(test)]
mod tests;
