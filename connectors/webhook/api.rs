//! The request, and what a receiver's answers mean.

use http::header::HeaderValue;
use http::{HeaderName, Method, StatusCode};

use super::signature::{ID, SIGNATURE, TIMESTAMP, sign, timestamp};
use super::{Op, Webhook};
use crate::contract::{Cx, Failure, Limit, Preview, RemoteRef, Request, Response, Time};
use crate::kit::http::{Stage, json_request, retry_after, said, secret_header, send, send_or};

impl Webhook {
    fn request(&self, method: Method) -> Request {
        let mut request = json_request::<()>(method, self.ready.address.url(), None);
        for (name, value) in &self.ready.headers {
            secret_header(&mut request, name.clone(), value);
        }
        request
    }

    fn message(&self, op: &Op, now: Option<Time>) -> Request {
        let Op::Send { id, body } = op;
        let mut request = self.request(Method::POST);
        // A content type of one's own, such as CloudEvents', is among the headers.
        request.headers.entry(http::header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        set(&mut request, ID, id);
        if let Some(now) = now {
            let timestamp = timestamp(now);
            set(&mut request, TIMESTAMP, &timestamp);
            if !self.ready.keys.is_empty() {
                set(&mut request, SIGNATURE, &sign(&self.ready.keys, id, &timestamp, body));
            }
        }
        request.body = body.clone().into();
        request
    }

    /// The message without what only the time of sending decides.
    pub(super) fn shown(&self, op: &Op) -> Preview {
        let mut preview = self.message(op, None).preview();
        preview.url = self.ready.address.shown();
        preview.headers.insert(TIMESTAMP.to_string(), "[time of sending]".to_owned());
        if !self.ready.keys.is_empty() {
            preview.headers.insert(SIGNATURE.to_string(), "[signature]".to_owned());
        }
        preview
    }

    pub(super) async fn tell(&self, op: &Op, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let Op::Send { id, .. } = op;
        send(cx, self.message(op, Some(cx.now)), Stage::Create, refine).await.map_err(|failure| self.discreet(failure))?;
        Ok(Some(RemoteRef { id: id.clone(), url: None }))
    }

    /// Asks what may be done there, which is to do nothing: receivers such as Zapier and Make take a GET for an event.
    pub(super) async fn knock(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        let knocked = send_or(cx, self.request(Method::OPTIONS), Stage::Check, refine, is_there).await;
        knocked.map(|_| ()).map_err(|failure| self.discreet(failure))
    }

    /// Keeps a secret address out of what is said: some proxies quote it.
    fn discreet(&self, failure: Failure) -> Failure {
        self.ready.address.scrubbed(failure)
    }
}

fn set(request: &mut Request, name: HeaderName, value: &str) {
    // Ids, times and signatures are ASCII: every header can carry them.
    if let Ok(value) = HeaderValue::from_str(value) {
        request.headers.insert(name, value);
    }
}

/// "410: disable the endpoint" (spec, "Delivery"); Make's "queue is full" is a 400 (its help page "Webhooks"), and no refusal of the message.
fn refine(response: &Response) -> Option<Failure> {
    let source = || said(response);
    match response.status {
        StatusCode::GONE => Some(Failure::Unwanted { source: source() }),
        StatusCode::BAD_REQUEST if says(response, "queue is full") => {
            Some(Failure::Transient { retry_after: retry_after(&response.headers), scope: Limit::Connector, source: source() })
        }
        _ => None,
    }
}

/// Who takes nothing but a POST may refuse any other method in these words, and is there all the same.
fn is_there(response: &Response) -> bool {
    matches!(response.status.as_u16(), 400 | 403..=407 | 411..=422 | 501)
}

fn says(response: &Response, words: &str) -> bool {
    String::from_utf8_lossy(&response.body).to_ascii_lowercase().contains(words)
}
