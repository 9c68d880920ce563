//! A fake Slack: one workspace's messages in memory, answering as docs.slack.dev says of each method.
//!
//! It is asked as a transport, without a socket. It refuses what goes beyond the published limits ([`super::block_kit`]); that the real one takes
//! what it takes is not shown by it.

use std::collections::BTreeMap;

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::block_kit;
use super::wire::{self, Answers};
use crate::contract::{Cause, Request, Response, TransportError, Unsent};

/// Talks to a fake Slack.
pub type Wire = wire::Wire<FakeSlack>;

/// The one channel, which is called `feedback`.
pub const CHANNEL: &str = "C024BE91L0";

/// One message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its time, which is its name.
    pub ts: String,
    /// The message in whose thread it stands.
    pub thread: Option<String>,
    /// What was sent, the newest last.
    pub versions: Vec<Value>,
    /// Its metadata.
    pub metadata: Value,
}

/// A workspace.
#[derive(Debug, Default)]
pub struct FakeSlack {
    /// Its messages, oldest first.
    pub messages: Vec<Message>,
    /// What came by an incoming webhook.
    pub hooked: Vec<Value>,
    /// When its first message is written, in seconds; some day in 2026 where nothing else is said.
    pub begins_at: Option<u64>,
    /// So many of the next writes are done, and their answers are lost.
    pub lost: u32,
    /// The next answers are these errors.
    pub errors: Vec<&'static str>,
    made: u64,
}

impl Answers for FakeSlack {
    fn respond(&mut self, request: &Request) -> Result<Response, TransportError> {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if request.url.path().starts_with("/services/") {
            let (status, said) = self.hook(body);
            return Ok(response(status, said.to_owned()));
        }
        let is_known = request.headers.get("authorization").is_some_and(|value| value.as_bytes().starts_with(b"Bearer "));
        let method = request.url.path_segments().and_then(Iterator::last).unwrap_or_default().to_owned();
        let query: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
        let said = match self.errors.pop() {
            Some(error) => failed(error),
            None if !is_known => failed("not_authed"),
            None => self.act(&method, &body, &query),
        };
        if method.starts_with("chat.") && self.lost > 0 {
            self.lost -= 1;
            return Err(TransportError { unsent: Unsent::Unknown, source: Cause::new("the connection broke") });
        }
        Ok(response(200, said.to_string()))
    }
}

fn response(status: u16, body: String) -> Response {
    Response { status: StatusCode::from_u16(status).unwrap_or_default(), headers: HeaderMap::new(), body: body.into() }
}

fn failed(error: &str) -> Value {
    json!({"ok": false, "error": error})
}

impl FakeSlack {
    /// Other people write so many messages.
    pub fn others_write(&mut self, count: u64) {
        for _ in 0..count {
            self.put(None, json!({"text": "lunch?"}), Value::Null);
        }
    }

    /// A person deletes a message.
    pub fn person_deletes(&mut self, ts: &str) {
        self.messages.retain(|message| message.ts != ts);
    }

    fn hook(&mut self, body: Value) -> (u16, &'static str) {
        if body.get("text").and_then(Value::as_str).is_none_or(str::is_empty) {
            return (400, "no_text");
        }
        if block_kit::check(&body).is_err() {
            return (400, "invalid_blocks");
        }
        self.hooked.push(body);
        (200, "ok")
    }

    fn put(&mut self, thread: Option<String>, body: Value, metadata: Value) -> String {
        self.made += 1;
        let ts = format!("{}.{:06}", self.begins_at.unwrap_or(1_772_539_200) + self.made / 1000, self.made % 1000);
        self.messages.push(Message { ts: ts.clone(), thread, versions: vec![body], metadata });
        ts
    }

    fn act(&mut self, method: &str, body: &Value, query: &BTreeMap<String, String>) -> Value {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let is_here = [text("channel"), query.get("channel").map_or("", String::as_str)].contains(&CHANNEL);
        match method {
            "conversations.list" => {
                json!({"ok": true, "channels": [{"id": "C000000000", "name": "general"}, {"id": CHANNEL, "name": "feedback"}], "response_metadata": {"next_cursor": ""}})
            }
            "chat.postMessage" if text("channel") == "#feedback" || is_here => self.post(body),
            _ if !is_here => failed("channel_not_found"),
            "chat.update" if block_kit::check(body).is_err() => failed("invalid_blocks"),
            "chat.update" => match self.messages.iter_mut().find(|message| message.ts == text("ts")) {
                Some(message) => {
                    message.versions.push(body.clone());
                    json!({"ok": true, "channel": CHANNEL, "ts": message.ts})
                }
                None => failed("message_not_found"),
            },
            "chat.delete" => {
                let before = self.messages.len();
                self.person_deletes(text("ts"));
                if self.messages.len() < before {
                    json!({"ok": true, "channel": CHANNEL, "ts": text("ts")})
                } else {
                    failed("message_not_found")
                }
            }
            "conversations.history" => {
                let shown: Vec<&Message> = self.messages.iter().rev().filter(|message| message.thread.is_none()).collect();
                page(&shown, query)
            }
            "conversations.replies" => {
                let thread = query.get("ts").cloned().unwrap_or_default();
                let in_it = |message: &&Message| message.ts == thread || message.thread.as_deref() == Some(&thread);
                let shown: Vec<&Message> = self.messages.iter().filter(in_it).collect();
                if shown.is_empty() { failed("thread_not_found") } else { page(&shown, query) }
            }
            _ => failed("unknown_method"),
        }
    }

    fn post(&mut self, body: &Value) -> Value {
        if block_kit::check(body).is_err() {
            return failed("invalid_blocks");
        }
        let thread = body.get("thread_ts").and_then(Value::as_str).map(str::to_owned);
        if thread.as_ref().is_some_and(|thread| !self.messages.iter().any(|message| message.ts == *thread)) {
            return failed("thread_not_found");
        }
        let ts = self.put(thread, body.clone(), body.get("metadata").cloned().unwrap_or_default());
        json!({"ok": true, "channel": CHANNEL, "ts": ts, "message": {}})
    }
}

/// A page of a listing, from the place its cursor says.
fn page(shown: &[&Message], query: &BTreeMap<String, String>) -> Value {
    let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
    let (from, limit) = (number("cursor").unwrap_or(0), number("limit").unwrap_or(100));
    let oldest = query.get("oldest").cloned().unwrap_or_default();
    let with_metadata = query.get("include_all_metadata").is_some_and(|flag| flag == "true");
    let rows: Vec<Value> = shown
        .iter()
        .filter(|message| message.ts >= oldest)
        .map(|message| {
            let metadata = if with_metadata { message.metadata.clone() } else { Value::Null };
            json!({"type": "message", "ts": message.ts, "metadata": metadata})
        })
        .collect();
    let next = if rows.len() > from + limit { (from + limit).to_string() } else { String::new() };
    let messages: Vec<Value> = rows.into_iter().skip(from).take(limit).collect();
    json!({"ok": true, "messages": messages, "has_more": !next.is_empty(), "response_metadata": {"next_cursor": next}})
}
