//! The fake GitHub as a transport, without a socket.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use http::HeaderMap;
use url::Url;

use super::{Asked, FakeGitHub};
use crate::contract::{Cause, Request, Response, Transport, TransportError, Unsent};

/// Talks to a fake GitHub. Images are not to be had.
#[derive(Debug, Default)]
pub struct Wire(Mutex<FakeGitHub>);

impl Wire {
    /// An empty repository.
    pub fn new() -> Self {
        Self::default()
    }

    /// The repository behind it.
    pub fn fake(&self) -> MutexGuard<'_, FakeGitHub> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        note(&request);
        let asked = Asked {
            method: request.method,
            origin: request.url.origin().ascii_serialization(),
            path: request.url.path().to_owned(),
            query: request.url.query_pairs().into_owned().collect(),
            body: serde_json::from_slice(&request.body).unwrap_or_default(),
        };
        let lost = || TransportError { unsent: Unsent::Unknown, source: Cause::new("the connection broke") };
        let told = self.fake().answer(&asked).ok_or_else(lost)?;
        let mut headers = HeaderMap::new();
        for (name, value) in told.headers.into_iter().chain([("content-type", told.content_type.to_owned())]) {
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        }
        Ok(Response { status: told.status, headers, body: told.body.into() })
    }

    async fn fetch_untrusted(&self, _url: &Url) -> Result<Response, TransportError> {
        Err(TransportError { unsent: Unsent::Certainly, source: Cause::new("no images here") })
    }
}

/// Writes a request down where `tests/real/github.sh` asks for it: it holds all of them against GitHub's own description.
fn note(request: &Request) {
    let Some(path) = std::env::var_os("SLEEKSYNC_GITHUB_REQUESTS") else { return };
    let line = serde_json::to_string(&request.preview()).unwrap_or_default() + "\n";
    let written = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, line.as_bytes()));
    // A request that is not written down is missing in what the script lists, which then fails.
    drop(written);
}
