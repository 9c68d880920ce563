//! A transport to nowhere, for connectors that ask no service.

use async_trait::async_trait;
use url::Url;

use crate::contract::{Cause, Request, Response, Transport, TransportError, Unsent};

/// Sends nothing, and says so.
pub struct Nobody;

#[async_trait]
impl Transport for Nobody {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        Err(TransportError { unsent: Unsent::Certainly, source: Cause::new("no service is asked here") })
    }

    async fn fetch_untrusted(&self, _: &Url) -> Result<Response, TransportError> {
        Err(TransportError { unsent: Unsent::Certainly, source: Cause::new("no images here") })
    }
}
