//! The answers of the receiver.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use super::serve::Ready;
use super::{Readiness, Refused};
use crate::sleekplan::Receipt;

/// How soon Sleekplan may come again.
const RETRY_AFTER: &str = "5";

/// One answer.
pub(super) struct Answer {
    status: StatusCode,
    body: Bytes,
    header: Option<(header::HeaderName, &'static str)>,
}

impl Answer {
    fn new(status: StatusCode, body: String) -> Self {
        Self { status, body: body.into(), header: None }
    }

    fn error(status: StatusCode, code: &str, message: &str, hint: &str) -> Self {
        Self::new(status, json!({"error": {"code": code, "message": message, "hint": hint}}).to_string())
    }

    fn with(mut self, name: header::HeaderName, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    pub(super) fn receipt(receipt: Receipt) -> Self {
        let (status, seq) = match receipt {
            Receipt::Accepted(seq) => ("accepted", seq),
            Receipt::Duplicate(seq) => ("duplicate", seq),
            Receipt::Unrecognised(seq) => ("unrecognised", seq),
            Receipt::Quarantined(seq) => {
                let hint = format!("the bytes are kept: `sleeksync events --show {seq}`");
                return Self::error(StatusCode::BAD_REQUEST, "not_json", "the body is not JSON", &hint);
            }
        };
        Self::new(StatusCode::OK, format!("{{\"status\":\"{status}\",\"seq\":{seq}}}"))
    }

    pub(super) fn unavailable(refused: Refused) -> Self {
        let (code, message, hint) = match refused {
            Refused::ShuttingDown => ("shutting_down", "the daemon is shutting down", "send it again"),
            Refused::NoRoom => ("no_room", "there is no room on disk", "free some; the daemon looks again every second"),
            Refused::Busy => ("busy", "too many events are waiting to be synced", "send it again"),
            Refused::Failed => ("journal", "the journal failed", "see the log; a restart finds out what is on disk"),
        };
        Self::error(StatusCode::SERVICE_UNAVAILABLE, code, message, hint).with(header::RETRY_AFTER, RETRY_AFTER)
    }

    pub(super) fn live() -> Self {
        Self::new(StatusCode::OK, json!({"status": "ok"}).to_string())
    }

    pub(super) fn ready(readiness: Readiness) -> Self {
        let status = if readiness == Readiness::Ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        Self::new(status, json!({"status": readiness.as_str()}).to_string())
    }

    pub(super) fn not_found() -> Self {
        Self::error(StatusCode::NOT_FOUND, "not_found", "there is nothing here", "`sleeksync url` prints the address for Sleekplan")
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::error(StatusCode::METHOD_NOT_ALLOWED, "method", "webhooks are sent with POST", "").with(header::ALLOW, "POST")
    }

    pub(super) fn unauthorized() -> Self {
        Self::error(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "the key is missing or wrong",
            "`sleeksync url --show-key` prints the whole address to paste into Sleekplan",
        )
    }

    pub(super) fn too_slow() -> Self {
        Self::error(StatusCode::REQUEST_TIMEOUT, "too_slow", "the body took too long", "").with(header::CONNECTION, "close")
    }

    pub(super) fn too_large(limit: usize) -> Self {
        let hint = format!("receiver.max_body is {limit} bytes");
        Self::error(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large", &hint).with(header::CONNECTION, "close")
    }

    pub(super) fn bad_request() -> Self {
        Self::error(StatusCode::BAD_REQUEST, "bad_request", "the request cannot be read", "")
    }

    pub(super) fn into_response(self) -> Ready {
        let mut response = http::Response::new(self.body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some((name, value)) = self.header {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
