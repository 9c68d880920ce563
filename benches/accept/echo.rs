//! The yardstick of everything: a bare warp handler that reads the body and answers, and keeps nothing.

use bytes::Bytes;
use warp::Filter;

/// Serves until the process is killed.
pub async fn serve(listener: tokio::net::TcpListener) {
    let routes = warp::post().and(warp::body::bytes()).map(|body: Bytes| format!("{{\"bytes\":{}}}", body.len()));
    warp::serve(routes).incoming(listener).run().await;
}
