//! `slack`: feedback, comments, votes and entries as messages of a channel.
//!
//! With a bot's token and `style = "live"` an item has one message, which is edited as it changes, and comments stand in its thread; with
//! `"event"` each event is a message. A message carries its key in its metadata, by which it is found again when the answer to its creation was
//! lost. An incoming webhook says nothing of what it made: there a message whose answer was lost is sent again, since one that is seen twice is
//! better than one that nobody saw.
//!
//! Facts about the API: docs.slack.dev, "chat.postMessage", "Message metadata", "Sending messages using incoming webhooks", "Block Kit".

mod api;
mod config;
mod follow;
mod message;
mod plan;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use config::Settings;

use self::config::Place;
use self::message::Message;
use crate::contract::{
    Capabilities, Change, Connector, Cx, Failure, ItemKind, Links, Mode, OnMissing, Plan, PlanError, Preview, RemoteKey, RemoteRef, Scope,
    SettingsError, Time,
};
use crate::registry::Kind;

/// Its row in the registry.
pub const KIND: Kind = Kind {
    name: Slack::KIND,
    capabilities: Slack::CAPABILITIES,
    example: include_str!("../../config/connectors/slack.toml"),
    build: crate::contract::build::<Slack>,
    paths: &[],
    templates: &["template"],
};

/// One channel.
pub struct Slack {
    settings: Settings,
    ready: config::Ready,
}

/// One step: one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Send a message.
    Post {
        /// What it says.
        message: Message,
        /// The signed key in its metadata; none where nothing can be looked up.
        key: Option<String>,
        /// Whether it stands in the thread of the feedback's message.
        in_thread: bool,
    },
    /// Change the item's message.
    Update {
        /// What it says now.
        message: Message,
        /// The signed key in its metadata.
        key: String,
    },
    /// Change the message of the feedback the item belongs to, where it still is.
    Refresh {
        /// What it says now.
        message: Message,
    },
    /// Take the item's message away.
    Delete {},
}

impl Connector for Slack {
    const KIND: &'static str = "slack";
    const CAPABILITIES: Capabilities = Capabilities {
        items: ItemKind::ALL,
        mode: Mode::Every,
        batch_max: 1,
        // "1 message per second per channel" ("Rate limits").
        rate_per_minute: 60,
        // A message is in the history at once, as far as is known: a guess with some room around it.
        settle: &[Duration::ZERO, Duration::from_secs(10), Duration::from_secs(60)],
        max_creates_per_hour: 240,
        events_required: true,
        single_product: false,
        takes_history: false,
    };
    type Settings = Settings;
    type Op = Op;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        let ready = settings.ready()?;
        Ok(Self { settings, ready })
    }

    fn scope(&self) -> Scope {
        Scope(match &self.ready.place {
            Place::Webhook(address) => format!("slack:{}", address.fingerprint()),
            Place::Channel { api, channel, .. } => format!("slack:{}/{channel}", api.as_str()),
        })
    }

    fn is_public_host(&self) -> bool {
        match &self.ready.place {
            Place::Webhook(address) => address.host() == "hooks.slack.com",
            Place::Channel { api, .. } => api.host() == "slack.com",
        }
    }

    fn on_missing(&self) -> OnMissing {
        // Who takes a message out of a channel wants it out.
        OnMissing::Leave
    }

    fn plan(&self, change: &Change<'_>, links: &Links) -> Result<Plan<Op>, PlanError> {
        plan::plan(&self.settings, &self.ready, change, links)
    }

    fn preview(&self, op: &Op, links: &Links) -> Vec<Preview> {
        vec![self.shown(op, links)]
    }

    async fn apply(&self, op: &Op, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        self.perform(op, cx).await
    }

    async fn find(&self, key: &RemoteKey, first_intent_at: Time, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        self.look_up(key, first_intent_at, cx).await
    }

    async fn check(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        self.prove(cx).await
    }
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
