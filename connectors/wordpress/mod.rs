//! `wordpress`: changelog entries as posts, or as posts of a type of the site's own, that follow their entry.
//!
//! A post carries the entry's signed key in a comment of its HTML; a create whose answer was lost is looked up by it among posts of every
//! status. Posts are made as drafts and published by a step of their own: what listens for a publication finds the post complete, and no lost
//! answer publishes twice. Whether a person changed a post is told by the time WordPress gives for its last change, never by its HTML, which
//! WordPress rewrites. Facts about the API: developer.wordpress.org/rest-api, and what WordPress 6.1.9 answered.

mod api;
mod check;
mod config;
mod html;
mod known;
mod media;
mod plan;
mod refusal;
mod status;
mod terms;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

pub use config::Settings;

use crate::contract::{
    Capabilities, Change, Connector, Cx, Failure, ItemKind, Links, Mode, OnMissing, Plan, PlanError, Preview, RemoteKey, RemoteRef, Scope,
    SettingsError, Time,
};
use crate::registry::Kind;

/// Its row in the registry.
pub const KIND: Kind = Kind {
    name: WordPress::KIND,
    capabilities: WordPress::CAPABILITIES,
    example: include_str!("../../config/connectors/wordpress.toml"),
    build: crate::contract::build::<WordPress>,
    paths: &[],
    templates: &["slug", "title", "content"],
};

/// One type of posts of one site.
pub struct WordPress {
    settings: Settings,
    ready: config::Ready,
    /// Held while something is looked up and made where it is missing, by one lane at a time: WordPress keeps neither images nor terms apart.
    library: Mutex<()>,
}

/// A post as it is to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Post {
    /// One line of HTML.
    pub title: String,
    /// HTML; copied images are named by placeholders and their number.
    pub html: String,
    /// The entry's key; its marker stands in the HTML.
    pub key: RemoteKey,
    /// Last part of its address. It is given once: an address stays.
    pub slug: String,
    /// When the entry was published, as WordPress writes it: in UTC, without a zone. Only to a new post where Sleekplan does not say it.
    pub date_gmt: Option<String>,
    /// Names.
    pub categories: Vec<String>,
    /// Names of categories for entries of another type.
    pub other_categories: Vec<String>,
    /// Names.
    pub tags: Vec<String>,
    /// Addresses of the images that are copied.
    pub images: Vec<String>,
    /// Which of them is the featured image.
    pub featured_image: Option<String>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Fetch an image and put it into the media library.
    UploadImage {
        /// Where Sleekplan has it.
        source: String,
    },
    /// Make the post, as a draft.
    CreateDraft(Post),
    /// Change the post, unless a person did.
    UpdatePost {
        /// As it is to be.
        post: Post,
        /// It was put into the trash by us, and comes back.
        restore: bool,
    },
    /// Give it the status of a public entry.
    Publish {
        /// As WordPress calls it.
        status: String,
        /// As WordPress writes it.
        date_gmt: Option<String>,
        /// It was put into the trash by us, and comes back.
        restore: bool,
    },
    /// Make it a draft again.
    Unpublish {},
    /// Put it into the trash.
    TrashPost {},
    /// Delete it, unless a person changed it.
    DeletePost {},
    /// Nothing is sent: an earlier step has done it already.
    Noted {},
}

impl Connector for WordPress {
    const KIND: &'static str = "wordpress";
    const CAPABILITIES: Capabilities = Capabilities {
        items: &[ItemKind::Changelog],
        mode: Mode::Latest,
        batch_max: 1,
        rate_per_minute: 0,
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
        Ok(Self { settings, ready, library: Mutex::new(()) })
    }

    fn scope(&self) -> Scope {
        Scope(format!("wordpress:{}/{}", self.ready.base.as_str(), self.settings.post_type))
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
