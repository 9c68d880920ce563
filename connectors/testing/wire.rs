//! A fake service as a transport, without a socket: one shape for every service's fake.

use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use http::{HeaderMap, StatusCode};
use url::Url;

use super::service::locked;
use crate::contract::{Request, Response, Transport, TransportError};

/// Any image there is.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\nimage";

/// What stands behind a [`Wire`].
pub trait Answers: Send {
    /// Acts upon a request, as the service would.
    ///
    /// # Errors
    /// The connection broke.
    fn respond(&mut self, request: &Request) -> Result<Response, TransportError>;
}

/// Talks to a fake service. Images are to be had wherever their address does not say `missing`.
#[derive(Debug, Default)]
pub struct Wire<F>(Mutex<F>);

impl<F: Answers + Default> Wire<F> {
    /// With nothing there yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The service behind it.
    pub fn fake(&self) -> MutexGuard<'_, F> {
        locked(&self.0)
    }
}

#[async_trait]
impl<F: Answers> Transport for Wire<F> {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        locked(&self.0).respond(&request)
    }

    async fn fetch_untrusted(&self, url: &Url) -> Result<Response, TransportError> {
        let status = if url.path().contains("missing") { StatusCode::NOT_FOUND } else { StatusCode::OK };
        Ok(Response { status, headers: HeaderMap::new(), body: PNG.into() })
    }
}
