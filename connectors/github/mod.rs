//! `github`: feedback as issues that follow title, text, status, votes and public comments.
//!
//! An issue carries a signed marker as the last line of its body; a create whose answer was lost is looked up by it, in the listing, never in
//! the search index, which lags. Facts about the API: docs.github.com, "REST API endpoints for issues", "Rate limits for the REST API",
//! "Best practices for using the REST API".

mod api;
mod config;
mod follow;
mod plan;

use serde::{Deserialize, Serialize};

pub use config::Settings;

use crate::contract::{
    Capabilities, Change, Connector, Cx, Failure, ItemKind, Links, Mode, OnMissing, Plan, PlanError, Preview, RemoteKey, RemoteRef, Scope,
    SettingsError, Time,
};
use crate::registry::Kind;
use std::time::Duration;

/// Its row in the registry.
pub const KIND: Kind = Kind {
    name: GitHub::KIND,
    capabilities: GitHub::CAPABILITIES,
    example: include_str!("../../config/connectors/github.toml"),
    build: crate::contract::build::<GitHub>,
    paths: &[],
    templates: &["title", "body"],
};

/// One repository.
pub struct GitHub {
    settings: Settings,
    ready: config::Ready,
}

/// One step: one request, or none where only the links change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Make the issue.
    CreateIssue {
        /// One line.
        title: String,
        /// Markdown, the marker last.
        body: String,
        /// Labels it starts with.
        labels: Vec<String>,
    },
    /// Change title and body.
    UpdateIssue {
        /// One line.
        title: String,
        /// Markdown, the marker last.
        body: String,
    },
    /// Close or reopen.
    SetState {
        /// `completed`, `not_planned`, or nothing to reopen.
        closed: Option<String>,
    },
    /// Add labels; those people added stay.
    AddLabels {
        /// Which.
        labels: Vec<String>,
    },
    /// Take one of our labels off.
    RemoveLabel {
        /// Which.
        label: String,
    },
    /// Nothing is sent: an earlier step has written it already.
    Noted {
        /// The labels that stand now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        labels: Option<Vec<String>>,
    },
    /// Make a comment on the parent's issue.
    CreateComment {
        /// Markdown, the marker last.
        body: String,
    },
    /// Change a comment.
    UpdateComment {
        /// Markdown, the marker last.
        body: String,
    },
    /// Remove a comment.
    DeleteComment {},
    /// Close the issue of the feedback an entry was published from.
    Ship {},
}

impl Connector for GitHub {
    const KIND: &'static str = "github";
    const CAPABILITIES: Capabilities = Capabilities {
        items: &[ItemKind::Feedback, ItemKind::Comment, ItemKind::Changelog],
        mode: Mode::Latest,
        batch_max: 1,
        // At least a second between writes, 80 content-creating requests a minute ("Rate limits", secondary rate limits).
        rate_per_minute: 60,
        // The listing was seen to lag by minutes.
        settle: &[Duration::ZERO, Duration::from_secs(30), Duration::from_secs(120), Duration::from_secs(600)],
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
        // GitHub tells repositories apart whatever the case of their names: one repository must be one scope, however it is spelled.
        let repository = format!("{}/{}", self.ready.owner, self.ready.name).to_ascii_lowercase();
        Scope(match self.ready.base.host() {
            "api.github.com" => format!("github:{repository}"),
            host => format!("github:{host}/{repository}"),
        })
    }

    fn is_public_host(&self) -> bool {
        self.ready.base.host() == "api.github.com"
    }

    fn on_missing(&self) -> OnMissing {
        self.settings.on_missing
    }

    fn plan(&self, change: &Change<'_>, links: &Links) -> Result<Plan<Op>, PlanError> {
        plan::plan(&self.settings, &self.ready, change, links)
    }

    fn preview(&self, op: &Op, links: &Links) -> Vec<Preview> {
        self.request(op, links).map(|(request, _)| request.preview()).into_iter().collect()
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
