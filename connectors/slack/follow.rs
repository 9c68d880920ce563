//! Looking messages up by the key in their metadata, and proving the token.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::Slack;
use super::api::{hooked, id, is_channel_id, place_of, refine, refine_webhook};
use super::config::Place;
use super::plan::MESSAGE;
use crate::contract::{Cause, Cx, Failure, RemoteKey, RemoteRef, Response, Secret, Time};
use crate::kit::http::{Base, Stage, call, json_request};

/// Messages a page. Slack gives up to 999 and recommends no more than 200 ("conversations.history").
const PAGE: &str = "200";
/// Pages of a look-up at most: a history that is longer is a failure, never "not there".
const PAGES_MAX: usize = 200;
/// Clocks disagree.
const BEFORE: Duration = Duration::from_secs(3600);

/// What a listing is read with.
struct Reader<'a> {
    api: &'a Base,
    token: &'a Secret,
    cx: &'a Cx<'a>,
    stage: Stage,
}

impl Slack {
    pub(super) async fn look_up(&self, key: &RemoteKey, first_intent_at: Time, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        let Place::Channel { api, token, channel } = &self.ready.place else {
            return Err(Failure::Rejected { source: Cause::new("an incoming webhook cannot be asked what it has sent") });
        };
        let reader = Reader { api, token, cx, stage: Stage::Find };
        let since = first_intent_at.minus(BEFORE).as_ms().max(0);
        let oldest = format!("{}.{:03}000", since / 1000, since % 1000);
        let sought = key.signed();
        if let Some(parent) = cx.links.parent_id(&MESSAGE) {
            // A reply stands in the thread alone; what was sent before its feedback had a message stands in the channel.
            let (channel, thread) = place_of(parent);
            let query = [("channel", channel), ("ts", thread), ("oldest", oldest.as_str())];
            if let Some(found) = reader.carrying(&sought, "conversations.replies", channel, &query).await? {
                return Ok(Some(found));
            }
        }
        let channel = reader.channel(channel).await?;
        reader.carrying(&sought, "conversations.history", &channel, &[("channel", &channel), ("oldest", &oldest)]).await
    }

    /// A token proves itself by what the look-up needs; a webhook refuses an empty message in words of its own, and sends none.
    pub(super) async fn prove(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        match &self.ready.place {
            Place::Webhook(address) => {
                let request = json_request(Method::POST, address.url(), Some(&json!({"text": ""})));
                match hooked(cx, address, request, refine_empty).await {
                    Err(Failure::Missing { .. }) => Ok(()),
                    other => other,
                }
            }
            Place::Channel { api, token, channel } => {
                let reader = Reader { api, token, cx, stage: Stage::Check };
                let channel = reader.channel(channel).await?;
                let query = [("channel", channel.as_str()), ("limit", "1")];
                let request = Slack::web(api, token, "conversations.history", None, &query);
                call(cx, request, Stage::Check, refine).await?.list("/messages").map(|_| ())
            }
        }
    }
}

/// An empty message is refused by a webhook that works ("no_text"): told apart as [`Failure::Missing`], which nothing else here is.
fn refine_empty(response: &Response) -> Option<Failure> {
    let body = String::from_utf8_lossy(&response.body);
    if response.status.as_u16() == 400 && ["no_text", "invalid_payload", "missing_text"].iter().any(|word| body.contains(word)) {
        return Some(Failure::Missing { source: Cause::new("there was no message") });
    }
    refine_webhook(response)
}

impl Reader<'_> {
    /// The oldest message that carries `key`, after everything was read.
    async fn carrying(&self, key: &str, method: &str, channel: &str, query: &[(&str, &str)]) -> Result<Option<RemoteRef>, Failure> {
        let mut found: Option<String> = None;
        let query: Vec<(&str, &str)> = query.iter().copied().chain([("include_all_metadata", "true")]).collect();
        for message in self.all(method, "/messages", &query).await? {
            if message.pointer("/metadata/event_payload/k").and_then(Value::as_str) != Some(key) {
                continue;
            }
            let ts = message.get("ts").and_then(Value::as_str).ok_or_else(|| incomplete("a message has no ts"))?;
            if let Some(twin) = &found {
                tracing::warn!(one = twin, other = ts, "two messages carry the same key; the older one is followed");
            }
            // Seconds and microseconds, always as many digits.
            if found.as_deref().is_none_or(|known| ts < known) {
                found = Some(ts.to_owned());
            }
        }
        Ok(found.map(|ts| RemoteRef { id: id(channel, &ts), url: None }))
    }

    /// The id of the channel: as it is, or by its name.
    async fn channel(&self, channel: &str) -> Result<String, Failure> {
        if is_channel_id(channel) {
            return Ok(channel.to_owned());
        }
        let name = channel.trim_start_matches('#');
        let query = [("types", "public_channel,private_channel"), ("exclude_archived", "true")];
        let channels = self.all("conversations.list", "/channels", &query).await?;
        let is_it = |known: &&Value| known.get("name").and_then(Value::as_str) == Some(name);
        let id = channels.iter().find(is_it).and_then(|channel| channel.get("id")?.as_str());
        id.map(str::to_owned)
            .ok_or_else(|| Failure::Unauthorized { source: Cause::new("there is no channel of this name that the bot sees") })
    }

    /// Every row of a listing, page by page.
    async fn all(&self, method: &str, rows: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, Failure> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        for _ in 0..PAGES_MAX {
            let mut query: Vec<(&str, &str)> = query.iter().copied().chain([("limit", PAGE)]).collect();
            if !cursor.is_empty() {
                query.push(("cursor", &cursor));
            }
            let answer = call(self.cx, Slack::web(self.api, self.token, method, None, &query), self.stage, refine).await?;
            all.extend(answer.list(rows)?.iter().cloned());
            let next = answer.json.pointer("/response_metadata/next_cursor").and_then(Value::as_str).unwrap_or_default().to_owned();
            match (answer.json.get("has_more").and_then(Value::as_bool), next.is_empty()) {
                (Some(true), true) => return Err(incomplete("a page does not say where it goes on")),
                (_, true) => return Ok(all),
                (_, false) => cursor = next,
            }
        }
        Err(incomplete("it has more pages than are read"))
    }
}

fn incomplete(what: &str) -> Failure {
    Failure::Unknown { retry_after: None, source: Cause::new(format!("the listing is not complete: {what}")) }
}
