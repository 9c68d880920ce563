//! `webhook`: every chosen event, sent to an address of yours and signed as Standard Webhooks.
//!
//! One POST an event. Its `webhook-id` is the same however often it is sent, so a receiver that keeps ids takes each event once; that is why an
//! answer that was lost is simply asked for again. Facts about the format: repository `standard-webhooks/standard-webhooks`,
//! `spec/standard-webhooks.md`.
//!
//! The data is sent as Sleekplan sent it, with everything personal that is in it, so it is for a receiver of one's own. Private comments are not sent.

mod api;
mod config;
mod plan;
mod signature;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use config::Settings;

use crate::contract::{
    Capabilities, Cause, Change, Connector, Cx, Failure, ItemKind, Links, Mode, Plan, PlanError, Preview, RemoteKey, RemoteRef, Scope,
    SettingsError, Time,
};
use crate::registry::Kind;

/// Its row in the registry.
pub const KIND: Kind = Kind {
    name: Webhook::KIND,
    capabilities: Webhook::CAPABILITIES,
    example: include_str!("../../config/connectors/webhook.toml"),
    build: crate::contract::build::<Webhook>,
    paths: &[],
    templates: &["template"],
};

/// One receiver.
pub struct Webhook {
    ready: config::Ready,
}

/// One POST.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Tell the receiver of one event.
    Send {
        /// The event's id to the receiver: the same on every try.
        id: String,
        /// The body, as it is signed.
        body: String,
    },
}

impl Connector for Webhook {
    const KIND: &'static str = "webhook";
    const CAPABILITIES: Capabilities = Capabilities {
        items: ItemKind::ALL,
        mode: Mode::Every,
        batch_max: 1,
        rate_per_minute: 0,
        settle: &[Duration::ZERO],
        // It makes nothing that stays: a burst of events is told as a burst.
        max_creates_per_hour: 0,
        events_required: true,
        single_product: false,
        takes_history: false,
    };
    type Settings = Settings;
    type Op = Op;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        Ok(Self { ready: settings.ready()? })
    }

    fn scope(&self) -> Scope {
        Scope(format!("webhook:{}", self.ready.address.fingerprint()))
    }

    fn plan(&self, change: &Change<'_>, links: &Links) -> Result<Plan<Op>, PlanError> {
        plan::plan(&self.ready, change, links)
    }

    fn preview(&self, op: &Op, _: &Links) -> Vec<Preview> {
        vec![self.shown(op)]
    }

    async fn apply(&self, op: &Op, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        self.tell(op, cx).await
    }

    async fn find(&self, _: &RemoteKey, _: Time, _: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        // No step has a key: nobody asks.
        Err(Failure::Rejected { source: Cause::new("a webhook cannot be asked what it has received") })
    }

    async fn check(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        self.knock(cx).await
    }
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
