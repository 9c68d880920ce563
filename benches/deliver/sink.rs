//! Where events are delivered: counts what it was posted. `GET /` says how many.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use warp::Filter;

/// Serves until the process is killed.
pub async fn serve(listener: tokio::net::TcpListener) {
    let received = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&received);
    let post = warp::post().and(warp::body::bytes()).map(move |_| counted.fetch_add(1, Ordering::Relaxed).to_string());
    let count = warp::get().map(move || received.load(Ordering::Relaxed).to_string());
    warp::serve(post.or(count)).incoming(listener).run().await;
}
