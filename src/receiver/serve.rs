//! The accept loop of both listeners: bounded connections, bounded waits for headers, a bounded end. HTTP/1.1 only.
//!
//! warp's own server has none of these, and its accept trait is private; so this drives `warp::service` with hyper. Telling HTTP/2 from
//! HTTP/1.1 would mean to wait for a first byte without a limit, and nobody needs it: Sleekplan and proxies speak HTTP/1.1.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use warp::{Filter, Reply};

use crate::supervisor::Supervisor;

/// Pause after the system refused to accept, as when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long open requests get to end.
const DRAIN_PATIENCE: Duration = Duration::from_secs(10);

/// What a listener puts up with.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections open at once; further ones wait in the system's queue.
    pub connections_max: usize,
    /// How long headers may take: from when the connection is made, or from the last answer on it.
    pub header_timeout: Duration,
    /// How long the other side may take nothing of an answer.
    pub answer_timeout: Duration,
}

/// Serves `routes` on `listener` until shutdown is asked for, then lets open requests end.
pub fn serve<F>(listener: TcpListener, routes: F, limits: Limits, supervisor: &Supervisor)
where
    F: Filter<Error = Infallible> + Clone + Send + Sync + 'static,
    F::Extract: Reply,
{
    let connections = supervisor.clone();
    supervisor.spawn("listener", accept(listener, routes, limits, connections));
}

async fn accept<F>(listener: TcpListener, routes: F, limits: Limits, supervisor: Supervisor)
where
    F: Filter<Error = Infallible> + Clone + Send + Sync + 'static,
    F::Extract: Reply,
{
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(limits.connections_max));
    let service = TowerToHyperService::new(warp::service(routes));
    loop {
        let accepted = tokio::select! {
            accepted = next(&listener, &slots) => accepted,
            () = supervisor.stopping() => break,
        };
        let Some((stream, slot)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // Answers are small and complete: nothing is gained by waiting for more to send. Nor by gathering answers to pipelined requests: hyper
        // would keep them in memory, without a bound, as long as requests come.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = &error as &dyn std::error::Error, "connection went away");
            continue;
        }
        let mut builder = Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout);
        // Who has sent all of a request and closes that side still gets the answer. Otherwise hyper would look for the end of the stream during
        // each request, with another buffer of 8 KiB.
        builder.half_close(true);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(limits.answer_timeout));
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(Box::pin(stream)), service.clone()));
        supervisor.spawn("connection", async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = &error as &dyn std::error::Error, "connection ended early");
            }
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_PATIENCE, graceful.shutdown()).await.is_err() {
        tracing::warn!("open requests were cut off at shutdown");
    }
}

async fn next(listener: &TcpListener, slots: &Arc<Semaphore>) -> Option<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    let (stream, _) = listener.accept().await.ok()?;
    Some((stream, slot))
}

/// What warp makes of an answer, for callers that have one ready.
pub(super) type Ready = Response<bytes::Bytes>;
