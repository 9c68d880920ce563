//! What a service said, as one line a person can read.

use std::borrow::Cow;

use http::header::CONTENT_TYPE;
use serde_json::Value;

use crate::contract::{Cause, Response};
use crate::kit::text;

/// The longest message that is quoted, in characters.
const MESSAGE_CHARS_MAX: usize = 240;
/// How far into an HTML page its title is looked for, in bytes.
const TITLE_BYTES_MAX: usize = 64 * 1024;
/// A plain text longer than this is a body and no message.
const PLAIN_BYTES_MAX: usize = 120;
/// The most messages of one answer that are quoted.
const MESSAGES_MAX: usize = 3;

/// Where services put their messages: `message` (GitHub, WordPress), `error` and `error.message`, `detail` and `title` (RFC 9457),
/// `errorMessages` and a map `errors` (Jira), a list `errors` of texts (Redmine) or objects (Ghost, GitHub, GraphQL).
const MESSAGE_FIELDS: [&str; 9] =
    ["message", "error", "error_description", "title", "detail", "description", "errorMessages", "errors", "context"];

/// The status and the service's message: `HTTP 422: Validation Failed`, or `HTTP 502, an HTML page titled "Bad gateway"`.
///
/// E-mail addresses and query strings are left out; what else the body holds is not quoted.
pub fn said(response: &Response) -> Cause {
    let status = response.status.as_u16();
    Cause::new(match Kind::of(response) {
        Kind::Empty => format!("HTTP {status}"),
        Kind::Html(Some(title)) => format!("HTTP {status}, an HTML page titled \"{title}\""),
        Kind::Html(None) => format!("HTTP {status}, an HTML page without a title"),
        Kind::Message(message) => format!("HTTP {status}: {message}"),
        Kind::Json => format!("HTTP {status}, JSON without a message"),
        Kind::Other => format!("HTTP {status}, neither JSON nor HTML"),
    })
}

enum Kind {
    Empty,
    Html(Option<String>),
    Message(String),
    Json,
    Other,
}

impl Kind {
    fn of(response: &Response) -> Self {
        let head = response.body.get(..TITLE_BYTES_MAX).unwrap_or(&response.body);
        let head = String::from_utf8_lossy(head);
        if head.trim().is_empty() {
            return Kind::Empty;
        }
        if let Ok(value) = serde_json::from_slice::<Value>(&response.body) {
            let mut messages = Vec::new();
            collect(&value, &mut messages);
            return if messages.is_empty() { Kind::Json } else { Kind::Message(quotable(&messages.join(": "))) };
        }
        let lower = head.to_ascii_lowercase();
        let declared = response.headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
        if declared || lower.contains("<html") || lower.contains("<!doctype html") {
            return Kind::Html(title(&head, &lower));
        }
        if response.body.len() <= PLAIN_BYTES_MAX { Kind::Message(quotable(&head)) } else { Kind::Other }
    }
}

/// The messages in a JSON error, outermost first, each once.
fn collect(value: &Value, messages: &mut Vec<String>) {
    if messages.len() >= MESSAGES_MAX {
        return;
    }
    match value {
        Value::String(text) if !text.trim().is_empty() && !messages.contains(text) => messages.push(text.clone()),
        Value::Array(list) => list.iter().take(MESSAGES_MAX).for_each(|value| collect(value, messages)),
        Value::Object(map) => {
            for field in MESSAGE_FIELDS {
                match (field, map.get(field)) {
                    // A map of messages by the field they are about.
                    ("errors", Some(Value::Object(by_field))) => {
                        let texts = by_field.iter().filter_map(|(name, value)| Some(format!("{name}: {}", value.as_str()?)));
                        messages.extend(texts.take(MESSAGES_MAX));
                    }
                    (_, Some(value)) => collect(value, messages),
                    (_, None) => {}
                }
            }
            // GitHub's validation errors may be codes only: {"resource":"Issue","field":"title","code":"missing_field"}.
            if let (Some(field), Some(code)) = (map.get("field").and_then(Value::as_str), map.get("code").and_then(Value::as_str)) {
                messages.push(format!("{field} {code}"));
            }
        }
        _ => {}
    }
}

fn title(page: &str, lower: &str) -> Option<String> {
    let tag = lower.find("<title")?;
    let begin = tag + lower.get(tag..)?.find('>')? + 1;
    let length = lower.get(begin..)?.find("</title")?;
    // The title of a page is text with entities: read as HTML, so that `&amp;` is `&`.
    let title = text::Text::from_html(page.get(begin..begin + length)?).plain();
    Some(quotable(&title)).filter(|title| !title.is_empty())
}

/// One line, bounded, without e-mail addresses and query strings.
fn quotable(text: &str) -> String {
    let line = text::line(text, MESSAGE_CHARS_MAX);
    line.split(' ').map(discreet).collect::<Vec<_>>().join(" ")
}

fn discreet(word: &str) -> Cow<'_, str> {
    if let Some((before, after)) = word.split_once('@')
        && before.ends_with(|c: char| c.is_alphanumeric() || "._%+-\"".contains(c))
        && after.starts_with(|c: char| c.is_alphanumeric() || c == '[')
    {
        return Cow::Borrowed("[address]");
    }
    match word.split_once('?') {
        Some((address, query)) if query.contains('=') || address.contains("://") => Cow::Owned(format!("{address}?…")),
        _ => Cow::Borrowed(word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, StatusCode};

    fn words(status: u16, body: &str) -> String {
        let response = Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.to_owned().into_bytes().into(),
        };
        said(&response).to_string()
    }

    #[test]
    fn the_services_own_message_is_quoted() {
        let table = [
            (
                r#"{"message":"Validation Failed","errors":[{"field":"title","code":"missing_field"}]}"#,
                "HTTP 422: Validation Failed: title missing_field",
            ),
            (r#"{"errorMessages":[],"errors":{"summary":"is required"}}"#, "HTTP 422: summary: is required"),
            (r#"{"errors":["Subject cannot be blank"]}"#, "HTTP 422: Subject cannot be blank"),
            (
                r#"{"errors":[{"message":"Saving failed! Someone else is editing","context":null}]}"#,
                "HTTP 422: Saving failed! Someone else is editing",
            ),
            (r#"{"code":"rest_forbidden","message":"Sorry","data":{"status":422}}"#, "HTTP 422: Sorry"),
            (r#"{"title":"Member Exists","detail":"x","status":422}"#, "HTTP 422: Member Exists: x"),
            (r#"{"ok":false,"error":"invalid_auth"}"#, "HTTP 422: invalid_auth"),
            (r#"{"something":1}"#, "HTTP 422, JSON without a message"),
            ("no_service", "HTTP 422: no_service"),
            ("", "HTTP 422"),
        ];
        for (body, expected) in table {
            assert_eq!(words(422, body), expected, "{body}");
        }
        assert_eq!(words(422, &"x".repeat(PLAIN_BYTES_MAX + 1)), "HTTP 422, neither JSON nor HTML");
    }

    #[test]
    fn an_html_page_is_named_by_its_title() {
        assert_eq!(
            words(502, "<!DOCTYPE html><html><head><TITLE lang=en>Bad\n gateway &amp; more</TITLE></head><body>x</body></html>"),
            "HTTP 502, an HTML page titled \"Bad gateway & more\""
        );
        assert_eq!(words(502, "<html><body>x</body></html>"), "HTTP 502, an HTML page without a title");
        assert_eq!(words(502, "<html><title></title>"), "HTTP 502, an HTML page without a title");
    }

    #[test]
    fn neither_addresses_nor_query_strings_are_quoted() {
        let said = words(
            400,
            r#"{"detail":"<jane.doe+x@example.com> is on the list, see https://example.com/a?key=hunter2 or /b?key=hunter2 @team?"}"#,
        );
        assert_eq!(said, "HTTP 400: [address] is on the list, see https://example.com/a?… or /b?… @team?");
    }
}
