//! The requests, and what Slack's answers mean.

use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use super::config::Place;
use super::message::Message;
use super::plan::MESSAGE;
use super::{Op, Slack};
use crate::contract::{Cause, Cx, Failure, Limit, Links, Preview, RemoteRef, Request, Response};
use crate::kit::http::{Address, Answer, Base, Stage, authorize, call_or, json_request, retry_after, said, send};

/// The kind of our metadata ("Message metadata", event_type).
const EVENT_TYPE: &str = "sleekplan";
/// Errors after which nothing was done and the same may work later ("chat.postMessage", errors).
const LATER: [&str; 5] = ["ratelimited", "rate_limited", "service_unavailable", "team_added_to_org", "message_limit_exceeded"];
/// Errors after which nobody knows.
const WHO_KNOWS: [&str; 4] = ["fatal_error", "internal_error", "request_timeout", "accesslimited"];
/// Errors that are about the token or the channel, and so about every message.
const OURS: [&str; 24] = [
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "no_permission",
    "missing_scope",
    "not_allowed_token_type",
    "org_login_required",
    "ekm_access_denied",
    "access_denied",
    "team_access_not_granted",
    "enterprise_is_restricted",
    "not_in_channel",
    "channel_not_found",
    "is_archived",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "restricted_action_non_threadable_channel",
    "team_not_found",
    "invalid_channel",
    "method_deprecated",
    "not_allowed",
];
/// The message, or the one its thread hangs on, is not there.
const GONE: [&str; 2] = ["message_not_found", "thread_not_found"];

/// Whether this is the id of a channel and not its name ("conversation objects": C, G or D and capitals).
pub(super) fn is_channel_id(channel: &str) -> bool {
    let rest = channel.strip_prefix(['C', 'G', 'D']).unwrap_or_default();
    rest.len() >= 8 && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// A message's id: its channel and its time, which is its name there.
pub(super) fn id(channel: &str, ts: &str) -> String {
    format!("{channel}/{ts}")
}

/// Both halves of such an id.
pub(super) fn place_of(id: &str) -> (&str, &str) {
    id.split_once('/').unwrap_or((id, ""))
}

impl Slack {
    /// A request of the Web API, with a body where it writes.
    pub(super) fn web(api: &Base, token: &crate::contract::Secret, method: &str, body: Option<&Value>, query: &[(&str, &str)]) -> Request {
        let (verb, url) = match body {
            Some(_) => (Method::POST, api.join(&[method])),
            None => (Method::GET, api.join_query(&[method], query)),
        };
        let mut request = json_request(verb, url, body);
        if body.is_some() {
            // "missing_charset": without one Slack warns.
            request.headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        }
        authorize(&mut request, "Bearer", token);
        request
    }

    fn request(&self, op: &Op, links: &Links) -> (Request, Stage) {
        match &self.ready.place {
            Place::Webhook(address) => (json_request(Method::POST, address.url(), Some(&said_to(op, links, None))), Stage::Create),
            Place::Channel { api, token, channel } => {
                let (method, stage) = match op {
                    Op::Post { .. } => ("chat.postMessage", Stage::Create),
                    Op::Update { .. } | Op::Refresh { .. } => ("chat.update", Stage::Update),
                    Op::Delete {} => ("chat.delete", Stage::Delete),
                };
                (Self::web(api, token, method, Some(&said_to(op, links, Some(channel))), &[]), stage)
            }
        }
    }

    pub(super) fn shown(&self, op: &Op, links: &Links) -> Preview {
        let mut preview = self.request(op, links).0.preview();
        if let Place::Webhook(address) = &self.ready.place {
            preview.url = address.shown();
        }
        preview
    }

    pub(super) async fn perform(&self, op: &Op, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let (request, stage) = self.request(op, cx.links);
        if let Place::Webhook(address) = &self.ready.place {
            return hooked(cx, address, request, refine_webhook).await.map(|()| None);
        }
        // What is gone need not be taken away, and has no counts to show.
        let is_good = match op {
            Op::Refresh { .. } | Op::Delete {} => is_gone,
            Op::Post { .. } | Op::Update { .. } => |_: &Response| false,
        };
        let answer = call_or(cx, request, stage, refine, is_good).await?;
        Ok(match op {
            Op::Post { .. } | Op::Update { .. } => Some(message_ref(&answer)?),
            Op::Refresh { .. } | Op::Delete {} => None,
        })
    }
}

/// Sends to an incoming webhook.
pub(super) async fn hooked(cx: &Cx<'_>, address: &Address, request: Request, refine: crate::kit::http::Refine) -> Result<(), Failure> {
    send(cx, request, Stage::Create, refine).await.map(|_| ()).map_err(|failure| address.scrubbed(failure))
}

fn message_ref(answer: &Answer) -> Result<RemoteRef, Failure> {
    Ok(RemoteRef { id: id(&answer.text("/channel")?, &answer.text("/ts")?), url: None })
}

/// The body of a step's request; without a channel it is a webhook's.
fn said_to(op: &Op, links: &Links, channel: Option<&str>) -> Value {
    let own = || place_of(links.id(&MESSAGE).unwrap_or("CHANNEL/TS"));
    let parent = || place_of(links.parent_id(&MESSAGE).unwrap_or("CHANNEL/TS"));
    match op {
        Op::Post { message, key, in_thread } => {
            let mut body = saying(message);
            set(&mut body, "unfurl_links", json!(false));
            set(&mut body, "unfurl_media", json!(false));
            let Some(channel) = channel else { return body };
            let (channel, thread) = if *in_thread { (parent().0, Some(parent().1)) } else { (channel, None) };
            set(&mut body, "channel", json!(channel));
            if let Some(thread) = thread {
                set(&mut body, "thread_ts", json!(thread));
            }
            if let Some(key) = key {
                set(&mut body, "metadata", metadata(key));
            }
            unparsed(body)
        }
        Op::Update { message, key } => {
            let mut body = at(saying(message), own());
            set(&mut body, "metadata", metadata(key));
            unparsed(body)
        }
        Op::Refresh { message } => unparsed(at(saying(message), parent())),
        Op::Delete {} => at(json!({}), own()),
    }
}

fn saying(message: &Message) -> Value {
    json!({"text": message.text, "blocks": message.blocks})
}

fn metadata(key: &str) -> Value {
    json!({"event_type": EVENT_TYPE, "event_payload": {"k": key}})
}

fn at(mut body: Value, (channel, ts): (&str, &str)) -> Value {
    set(&mut body, "channel", json!(channel));
    set(&mut body, "ts", json!(ts));
    body
}

/// No names, channels or addresses are looked for in what is sent.
fn unparsed(mut body: Value) -> Value {
    set(&mut body, "parse", json!("none"));
    set(&mut body, "link_names", json!(false));
    body
}

fn set(body: &mut Value, name: &str, value: Value) {
    if let Value::Object(map) = body {
        map.insert(name.to_owned(), value);
    }
}

/// `ok: false` in Slack's words. Pure.
pub(super) fn refine(response: &Response) -> Option<Failure> {
    if !response.status.is_success() {
        return None;
    }
    let json: Value = serde_json::from_slice(&response.body).ok()?;
    let source = Cause::new(format!("Slack says {}", error(&json).unwrap_or("nothing that is known")));
    let after = retry_after(&response.headers);
    let is_among = |errors: &[&str]| error(&json).is_some_and(|error| errors.contains(&error));
    match json.get("ok").and_then(Value::as_bool) {
        Some(true) => None,
        Some(false) if is_among(&LATER) => Some(Failure::Transient { retry_after: after, scope: Limit::Connector, source }),
        Some(false) if is_among(&OURS) => Some(Failure::Unauthorized { source: explained(source, &json) }),
        Some(false) if is_among(&GONE) => Some(Failure::Missing { source }),
        Some(false) if !is_among(&WHO_KNOWS) => Some(Failure::Rejected { source }),
        _ => Some(Failure::Unknown { retry_after: after, source }),
    }
}

fn error(json: &Value) -> Option<&str> {
    json.get("error").and_then(Value::as_str)
}

/// Which scope is missing.
fn explained(source: Cause, json: &Value) -> Cause {
    match json.get("needed").and_then(Value::as_str) {
        Some(needed) => Cause::new(format!("{source}: {needed}")),
        None => source,
    }
}

fn is_gone(response: &Response) -> bool {
    response.status.is_success()
        && serde_json::from_slice::<Value>(&response.body).is_ok_and(|json| error(&json).is_some_and(|error| GONE.contains(&error)))
}

/// A webhook's good answer is the text `ok`; a 403 is about the webhook ("action_prohibited", "invalid_token").
pub(super) fn refine_webhook(response: &Response) -> Option<Failure> {
    match response.status {
        status if status.is_success() && !response.body.trim_ascii().eq_ignore_ascii_case(b"ok") => {
            Some(Failure::Unknown { retry_after: None, source: Cause::new(format!("{}; not Slack's ok", said(response))) })
        }
        StatusCode::FORBIDDEN => Some(Failure::Unauthorized { source: said(response) }),
        _ => None,
    }
}
