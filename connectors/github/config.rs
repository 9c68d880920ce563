//! Settings of `github`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::contract::{Mistakes, OnMissing, Secret, SettingsError, Span};
use crate::kit::http::{Base, credential};
use crate::kit::template::{Output, Template};
use crate::kit::text::{Dialect, apart_from};

/// The longest value in a body: one fits into the 65,536 characters of an issue with the template's own words around it.
const VALUE_CHARS_MAX: usize = 60_000;

/// What becomes of an issue whose feedback was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDelete {
    /// It is closed as not planned; GitHub has no REST request to delete an issue.
    #[default]
    Close,
    /// It stays as it is.
    Keep,
}

/// `[connectors.NAME]` of kind `github`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `owner/name`.
    pub repository: String,
    /// Fine-grained token with Issues: read and write.
    pub token: Secret,
    #[serde(default = "public_api")]
    api_url: String,
    #[serde(default)]
    allow_insecure: bool,
    /// Labels of every issue.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Label by type.
    #[serde(default)]
    pub type_labels: BTreeMap<String, String>,
    /// Label by status.
    #[serde(default)]
    pub status_labels: BTreeMap<String, String>,
    /// Statuses that close an issue, and as what.
    #[serde(default)]
    pub closed_statuses: BTreeMap<String, String>,
    /// Whether public comments are brought along.
    #[serde(default = "yes")]
    pub comments: bool,
    /// Whether the author's display name is shown.
    #[serde(default)]
    pub include_author: bool,
    #[serde(default = "an_hour")]
    votes_every: Span,
    /// Whether an entry published from a feedback closes its issue.
    #[serde(default)]
    pub close_on_ship: bool,
    /// What becomes of the issue of deleted feedback.
    #[serde(default)]
    pub on_delete: OnDelete,
    /// What follows when the issue was deleted at GitHub.
    #[serde(default)]
    pub on_missing: OnMissing,
    title: Option<String>,
    body: Option<String>,
}

/// Settings, parsed.
pub(super) struct Ready {
    pub base: Base,
    pub owner: String,
    pub name: String,
    pub title: Option<Template>,
    pub body: Option<Template>,
}

impl Ready {
    /// The host of the pages of a GitHub of one's own; `None` for github.com.
    pub fn own_host(&self) -> Option<&str> {
        match self.base.host() {
            "api.github.com" => None,
            // GHE.com: the API of `octocorp.ghe.com` is at `api.octocorp.ghe.com` (docs page "About GitHub Enterprise Cloud with data residency").
            host => Some(host.strip_prefix("api.").filter(|pages| pages.ends_with(".ghe.com")).unwrap_or(host)),
        }
    }

    /// `text` without an address that would link back.
    pub fn apart(&self, text: String) -> String {
        self.own_host().map(|host| apart_from(&text, host)).unwrap_or(text)
    }
}

fn public_api() -> String {
    "https://api.github.com".to_owned()
}

fn yes() -> bool {
    true
}

fn an_hour() -> Span {
    Span(Duration::from_secs(3600))
}

impl Settings {
    pub(super) fn ready(&self) -> Result<Ready, Vec<SettingsError>> {
        let mut mistakes = Mistakes::default();
        let is_name = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        let repository = self.repository.split_once('/').filter(|(owner, name)| is_name(owner) && is_name(name));
        if repository.is_none() {
            mistakes.add("repository", format!("`{}` is no repository", self.repository), "owner/name");
        }
        for (status, reason) in self.closed_statuses.iter().filter(|(_, reason)| !matches!(reason.as_str(), "completed" | "not_planned")) {
            mistakes.add("closed_statuses", format!("`{status}` maps to `{reason}`"), "\"completed\" or \"not_planned\"");
        }
        let (by_type, by_status) = (self.type_labels.values().collect(), self.status_labels.values().collect());
        let of_all: Vec<&String> = self.labels.iter().collect();
        for (key, labels) in [("labels", of_all), ("type_labels", by_type), ("status_labels", by_status)] {
            if labels.iter().any(|label| label.trim().is_empty()) {
                mistakes.add(key, "a label is empty", "a name for every label");
            }
        }
        let markdown = Output::Markdown { dialect: Dialect::GitHub, chars_max: VALUE_CHARS_MAX };
        let template =
            |key, source: &Option<String>, output| source.as_deref().map(|source| Template::new(key, source, output)).transpose();
        mistakes.note(credential("token", &self.token));
        let base = mistakes.note(Base::parse("api_url", &self.api_url, self.allow_insecure));
        let title = mistakes.note(template("title", &self.title, Output::Text));
        let body = mistakes.note(template("body", &self.body, markdown));
        let made = (|| {
            let (owner, name) = repository?;
            Some(Ready { base: base?, owner: owner.to_owned(), name: name.to_owned(), title: title?, body: body? })
        })();
        mistakes.or(made)
    }

    /// How often votes alone may change an issue.
    pub(super) fn votes_every(&self) -> Duration {
        self.votes_every.0
    }
}
