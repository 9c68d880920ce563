//! `ghost`: changelog entries as posts that follow their entry, and a newsletter that is mailed once.
//!
//! A post carries an internal tag with the entry's signed key; a create whose answer was lost is looked up by it. Posts are made as drafts and
//! published by a step of their own, so that no lost answer mails twice. Whether a person changed a post is read from Ghost's own history of
//! actions, never from its HTML, which Ghost rewrites. Facts about the API: docs.ghost.org, "Admin API", and what Ghost 6.65 answered.

mod api;
mod cards;
mod config;
mod images;
mod mailing;
mod plan;
mod token;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use config::Settings;

use crate::contract::{
    Capabilities, Change, Connector, Cx, Failure, ItemKind, Links, Mode, OnMissing, Plan, PlanError, Preview, RemoteKey, RemoteRef, Scope,
    SettingsError, Time,
};
use crate::registry::Kind;

/// Its row in the registry.
pub const KIND: Kind = Kind {
    name: Ghost::KIND,
    capabilities: Ghost::CAPABILITIES,
    example: include_str!("../../config/connectors/ghost.toml"),
    build: crate::contract::build::<Ghost>,
    paths: &[],
    templates: &["title", "content"],
};

/// One Ghost site.
pub struct Ghost {
    settings: Settings,
    ready: config::Ready,
}

/// A post as it is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Post {
    /// One line.
    pub title: String,
    /// HTML with Ghost's cards; copied images are named by placeholders and their number.
    pub html: String,
    /// Plain words.
    pub excerpt: Option<String>,
    /// Where the entry itself can be read.
    pub canonical_url: Option<String>,
    /// When the entry was published, as Ghost writes it. Only to a new post where Sleekplan does not say it.
    pub published_at: Option<String>,
    /// Address or placeholder.
    pub feature_image: Option<String>,
    /// Names; the last is the key.
    pub tags: Vec<String>,
    /// Addresses of the images that are copied.
    pub images: Vec<String>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Fetch an image and give it to Ghost.
    UploadImage {
        /// Where Sleekplan has it.
        source: String,
    },
    /// Make the post, as a draft.
    CreateDraft(Post),
    /// Change the post, unless a person did.
    UpdatePost(Post),
    /// Publish it.
    Publish {
        /// As Ghost writes it.
        published_at: Option<String>,
        /// The newsletter to mail it with.
        newsletter: Option<String>,
    },
    /// Ask whether it was mailed.
    ConfirmMailing {},
    /// Make it a draft again.
    Unpublish {},
    /// Delete it.
    DeletePost {},
    /// Nothing is sent: an earlier step has done it already.
    Noted {},
}

impl Connector for Ghost {
    const KIND: &'static str = "ghost";
    const CAPABILITIES: Capabilities = Capabilities {
        items: &[ItemKind::Changelog],
        mode: Mode::Latest,
        batch_max: 1,
        // No limit is documented; a guess that spares a small server of somebody else's.
        rate_per_minute: 120,
        // The database answers at once, but a request that was cut off may still be worked on.
        settle: &[Duration::ZERO, Duration::from_secs(10), Duration::from_secs(60)],
        max_creates_per_hour: 60,
        events_required: false,
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
        let address = self.ready.base.as_str();
        Scope(format!("ghost:{}", address.split_once("://").map_or(address, |(_, place)| place)))
    }

    fn is_public_host(&self) -> bool {
        self.ready.base.host().ends_with(".ghost.io")
    }

    fn on_missing(&self) -> OnMissing {
        self.settings.on_missing
    }

    fn plan(&self, change: &Change<'_>, links: &Links) -> Result<Plan<Op>, PlanError> {
        plan::plan(&self.settings, &self.ready, change, links)
    }

    fn preview(&self, op: &Op, links: &Links) -> Vec<Preview> {
        self.shown(op, links).into_iter().collect()
    }

    async fn apply(&self, op: &Op, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        self.perform(op, cx).await
    }

    async fn find(&self, key: &RemoteKey, _first_intent_at: Time, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        self.look_up(key, cx).await
    }

    async fn check(&self, cx: &Cx<'_>) -> Result<(), Failure> {
        self.prove(cx).await
    }
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
