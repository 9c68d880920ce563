//! What an answer means: HTTP outcome -> class of failure. The one table for all services.

use std::time::Duration;

use http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::contract::{Cause, Failure, Limit, Response, RetryAfter, Time, TransportError, Unsent};

/// How much of an error's own words is kept.
const MESSAGE_CHARS_MAX: usize = 200;

/// What a request was meant to do: the same status means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Make something new.
    Create,
    /// Look something up.
    Find,
    /// Change something known.
    Update,
    /// Remove something known.
    Delete,
    /// Prove the credentials.
    Check,
}

/// What a service means differently: asked first, for every answer. Pure.
pub type Refine = fn(&Response) -> Option<Failure>;

/// Nothing is meant differently.
pub fn unrefined(_: &Response) -> Option<Failure> {
    None
}

/// A success.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status; a delete that found nothing keeps its 404 or 410.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// The body; null where there is none.
    pub json: Value,
}

/// Says what an outcome means. Pure.
///
/// # Errors
/// What went wrong, as one of the five classes.
pub fn classify(outcome: Result<Response, TransportError>, stage: Stage, refine: Refine) -> Result<Answer, Failure> {
    let response = outcome.map_err(unanswered)?;
    if let Some(failure) = refine(&response) {
        return Err(failure);
    }
    let source = said(&response);
    let retry_after = retry_after(&response.headers);
    match response.status.as_u16() {
        200..=299 => success(response),
        404 | 410 if stage == Stage::Delete => Ok(Answer { status: response.status, headers: response.headers, json: Value::Null }),
        404 | 410 if stage == Stage::Update => Err(Failure::Missing { source }),
        401 | 404 | 410 => Err(Failure::Unauthorized { source }),
        425 | 429 => Err(Failure::Transient { retry_after, scope: Limit::Connector, source }),
        408 | 500..=599 => Err(Failure::Unknown { retry_after, source }),
        300..=399 => {
            let to = response.headers.get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
            let to = to.split(['?', '#']).next().unwrap_or_default();
            Err(Failure::Rejected { source: Cause::new(format!("{source}: redirected to {to}; give that address in the configuration")) })
        }
        _ => Err(Failure::Rejected { source }),
    }
}

fn success(response: Response) -> Result<Answer, Failure> {
    let Response { status, headers, body } = response;
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Answer { status, headers, json: Value::Null });
    }
    match serde_json::from_slice(&body) {
        Ok(json) => Ok(Answer { status, headers, json }),
        // A captive portal, a PHP notice before the JSON, a sign-in page: who knows what happened.
        Err(_) => Err(Failure::Unknown {
            retry_after: None,
            source: Cause::new(format!("{}, but the body is not JSON", said(&Response { status, headers, body }))),
        }),
    }
}

fn unanswered(error: TransportError) -> Failure {
    match error.unsent {
        Unsent::Certainly => Failure::Transient { retry_after: None, scope: Limit::Item, source: error.source },
        Unsent::Unknown => Failure::Unknown { retry_after: None, source: error.source },
    }
}

/// `Retry-After`: seconds, or an HTTP date (RFC 9110, 10.2.3).
pub fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(RetryAfter::In(Duration::from_secs(seconds)));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()?;
    Some(RetryAfter::At(Time::from_ms(date.as_millisecond())))
}

/// The status, and the service's own words as far as they are found where errors usually stand.
pub fn said(response: &Response) -> Cause {
    let status = response.status.as_u16();
    let is_html = response.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| kind.contains("html"));
    let text = String::from_utf8_lossy(&response.body);
    if is_html || text.trim_start().starts_with('<') {
        let title = text.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).map(|(title, _)| title.trim());
        return Cause::new(match title {
            Some(title) => format!("HTTP {status}, an HTML page titled \"{}\"", short(title)),
            None => format!("HTTP {status}, an HTML page"),
        });
    }
    let json: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let message = ["/message", "/error/message", "/detail", "/errors/0/message", "/errors/0", "/error", "/title"]
        .iter()
        .find_map(|path| json.pointer(path)?.as_str())
        .unwrap_or_default();
    Cause::new(if message.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {}", short(message)) })
}

fn short(text: &str) -> String {
    text.chars().take(MESSAGE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn class(status: u16, body: &'static str, stage: Stage) -> &'static str {
        let response = Response { status: StatusCode::from_u16(status).unwrap(), headers: HeaderMap::new(), body: body.into() };
        classify(Ok(response), stage, unrefined).err().map_or("ok", |failure| failure.class())
    }

    #[test]
    fn the_table_holds() {
        let table = [
            (200, "{}", Stage::Create, "ok"),
            (201, "", Stage::Create, "ok"),
            (200, "<html>", Stage::Create, "unknown"),
            (400, "{}", Stage::Create, "rejected"),
            (401, "{}", Stage::Update, "unauthorized"),
            (403, "{}", Stage::Update, "rejected"),
            (404, "{}", Stage::Create, "unauthorized"),
            (404, "{}", Stage::Find, "unauthorized"),
            (404, "{}", Stage::Check, "unauthorized"),
            (404, "{}", Stage::Update, "missing"),
            (410, "{}", Stage::Update, "missing"),
            (404, "{}", Stage::Delete, "ok"),
            (408, "{}", Stage::Create, "unknown"),
            (409, "{}", Stage::Create, "rejected"),
            (422, "{}", Stage::Create, "rejected"),
            (425, "{}", Stage::Create, "transient"),
            (429, "{}", Stage::Create, "transient"),
            (500, "{}", Stage::Create, "unknown"),
            (502, "<html>", Stage::Create, "unknown"),
            (503, "{}", Stage::Find, "unknown"),
            (301, "", Stage::Create, "rejected"),
        ];
        for (status, body, stage, expected) in table {
            assert_eq!(class(status, body, stage), expected, "{status} {stage:?}");
        }
    }

    #[test]
    fn what_was_not_sent_is_transient_and_what_may_have_been_is_unknown() {
        let failed =
            |unsent| classify(Err(TransportError { unsent, source: Cause::new("x") }), Stage::Create, unrefined).unwrap_err().class();
        assert_eq!((failed(Unsent::Certainly), failed(Unsent::Unknown)), ("transient", "unknown"));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let read = |text: &'static str| retry_after(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(text))]));
        assert_eq!(read("120"), Some(RetryAfter::In(Duration::from_secs(120))));
        assert_eq!(read("Wed, 21 Oct 2015 07:28:00 GMT"), Some(RetryAfter::At(Time::from_ms(1_445_412_480_000))));
        assert_eq!(read("soon"), None);
    }

    #[test]
    fn an_html_page_is_named_by_its_title() {
        let response =
            Response { status: StatusCode::BAD_GATEWAY, headers: HeaderMap::new(), body: "<html><title>Bad\ngateway</title>".into() };
        assert_eq!(said(&response).as_str(), "HTTP 502, an HTML page titled \"Bad gateway\"");
    }
}
