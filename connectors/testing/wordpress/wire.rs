//! The fake WordPress as a transport, without a socket.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use http::{HeaderMap, HeaderValue, StatusCode};
use url::Url;

use super::{Asked, FakeWordPress};
use crate::contract::{Request, Response, Transport, TransportError};

/// Any image there is.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nimage";

/// Talks to a fake WordPress. Images are to be had wherever their address does not say `missing`.
#[derive(Debug, Default)]
pub struct Wire(Mutex<FakeWordPress>);

impl Wire {
    /// An empty site.
    pub fn new() -> Self {
        Self::default()
    }

    /// The site behind it.
    pub fn fake(&self) -> MutexGuard<'_, FakeWordPress> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (status, body, total) = self.fake().act(&Asked {
            is_known: header("authorization").is_some_and(|value| value.starts_with("Basic ")),
            method: request.method.clone(),
            path: request.url.path().to_owned(),
            query: request.url.query_pairs().into_owned().collect(),
            body: request.body.to_vec(),
            file: header("content-disposition"),
        });
        let mut headers = HeaderMap::new();
        headers.insert("x-wp-total", HeaderValue::from(total));
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Ok(Response { status, headers, body: body.to_string().into() })
    }

    async fn fetch_untrusted(&self, url: &Url) -> Result<Response, TransportError> {
        let status = if url.path().contains("missing") { StatusCode::NOT_FOUND } else { StatusCode::OK };
        Ok(Response { status, headers: HeaderMap::new(), body: PNG.into() })
    }
}
