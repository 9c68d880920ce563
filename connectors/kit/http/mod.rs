//! HTTP as connectors use it: building requests, sending them once, and deciding what an answer means.
//!
//! What an answer means is decided here for all services by one table; a connector only refines it with a pure function.

mod base;
mod classify;
mod client;
mod untrusted;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method};
use serde::Serialize;
use url::Url;

pub use base::Base;
pub use classify::{Answer, Refine, Stage, classify, retry_after, unrefined};
pub use client::{Client, ClientError, ClientOptions};

use crate::contract::{Cx, Failure, Request, Secret};

/// Sends `request` once and says what its answer means.
///
/// # Errors
/// What went wrong, as one of the five classes.
pub async fn call(cx: &Cx<'_>, request: Request, stage: Stage, refine: Refine) -> Result<Answer, Failure> {
    classify(cx.transport.send(request).await, stage, refine)
}

/// A request with a JSON body, or with none.
pub fn json_request<T: Serialize>(method: Method, url: Url, body: Option<&T>) -> Request {
    let mut headers = HeaderMap::new();
    let body = match body {
        Some(body) => {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            // Plain data of the connector: writing it as JSON cannot fail. An empty body would be refused by the service.
            serde_json::to_vec(body).unwrap_or_default().into()
        }
        None => bytes::Bytes::new(),
    };
    Request { method, url, headers, body }
}

/// Adds `Authorization: SCHEME SECRET`, marked so that nobody prints it.
pub fn authorize(request: &mut Request, scheme: &str, secret: &Secret) {
    // A secret with a line break cannot be a header; the service then says that the credentials are missing.
    if let Ok(mut value) = HeaderValue::from_str(&format!("{scheme} {}", secret.expose())) {
        value.set_sensitive(true);
        request.headers.insert(AUTHORIZATION, value);
    }
}
