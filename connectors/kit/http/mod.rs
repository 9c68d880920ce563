//! HTTP as connectors do it: addresses, requests, and the one table from what happened to a [`Failure`].
//!
//! Promised: one request is sent once; no redirect is followed; every answer is bounded; nothing that is said about a failure
//! carries a credential, a query string or an e-mail address.
//!
//! Not done here: retrying, waiting, counting. A connector says what happened; delivery decides what follows.

mod address;
mod base;
mod classify;
mod client;
mod limit;
mod public;
mod request;
mod said;
mod scrub;
mod untrusted;

pub use address::{Address, Written};
pub use base::Base;
pub use classify::{Answer, Refine, Stage, accept, classify, unrefined};
pub use client::{ANSWER_BYTES_MAX, Client, ClientError, ClientOptions, Proxy};
pub use limit::retry_after;

pub use request::{authorize, base64url, basic, credential, json_request, secret_header, with};
pub use said::said;
pub use untrusted::{IMAGE_BYTES_MAX, IMAGE_HOSTS};

use crate::contract::{Cx, Failure, Request, Response};

/// Sends `request` once and reads the service's JSON, or says how it failed; see [`classify`].
///
/// # Errors
/// What happened, by the table of [`classify`], after `refine` was asked.
pub async fn call(cx: &Cx<'_>, request: Request, stage: Stage, refine: Refine) -> Result<Answer, Failure> {
    let response = send(cx, request, stage, refine).await?;
    Answer::read(response, stage)
}

/// The same for a request whose refusal can be as good as an answer, such as "it exists, under this id": `is_good` says which is.
///
/// # Errors
/// What happened, by the table of [`classify`], after `refine` was asked.
pub async fn call_or(
    cx: &Cx<'_>,
    request: Request,
    stage: Stage,
    refine: Refine,
    is_good: fn(&Response) -> bool,
) -> Result<Answer, Failure> {
    Answer::read(send_or(cx, request, stage, refine, is_good).await?, stage)
}

/// The same for services whose good answer is no JSON, such as an incoming webhook that says `ok`: the status decides.
///
/// # Errors
/// What happened, by the table of [`classify`], after `refine` was asked.
pub async fn send(cx: &Cx<'_>, request: Request, stage: Stage, refine: Refine) -> Result<Response, Failure> {
    send_or(cx, request, stage, refine, |_| false).await
}

/// Both: neither must it be JSON, nor is every refusal one.
///
/// # Errors
/// What happened, by the table of [`classify`], after `refine` was asked.
pub async fn send_or(
    cx: &Cx<'_>,
    request: Request,
    stage: Stage,
    refine: Refine,
    is_good: fn(&Response) -> bool,
) -> Result<Response, Failure> {
    let secrets = scrub::secrets(&request.headers);
    let (method, host) = (request.method.clone(), request.url.host_str().unwrap_or_default().to_owned());
    let outcome = match cx.transport.send(request).await {
        Ok(response) if is_good(&response) => Ok(response),
        answered => accept(answered, stage, refine),
    };
    match &outcome {
        // The path may name a person or hold a key, so the log knows the host alone.
        Ok(response) => tracing::debug!(%method, host, status = response.status.as_u16(), "answered"),
        Err(failure) => tracing::debug!(%method, host, class = failure.class(), "failed"),
    }
    outcome.map_err(|failure| scrub::without(failure, &secrets))
}
