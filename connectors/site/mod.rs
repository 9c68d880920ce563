//! `site`: changelog entries as Markdown pages of a static site, with feeds and a CHANGELOG.md.
//!
//! Everything is a file below one folder, so every step can be repeated without harm. A page's path comes from the entry's id alone: an edited
//! title never makes a second page. Files a person wrote are never overwritten: a page is ours when it carries our key in its front matter.
//! With `git`, the last step of each change commits and pushes it.

mod changelog;
mod config;
mod feeds;
mod files;
mod git;
mod images;
mod manifest;
mod page;
mod plan;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

pub use config::Settings;

use crate::contract::{
    Capabilities, Cause, Change, Claim, Connector, Cx, Failure, ItemKind, Links, Mode, OnMissing, Plan, PlanError, Preview, RemoteKey,
    RemoteRef, Scope, SettingsError, Time,
};
use crate::registry::Kind;
use files::Files;
use git::{Commit, Repository};
use manifest::Entry;
use page::Page;

/// Its row in the registry.
pub const KIND: Kind = Kind {
    name: Site::KIND,
    capabilities: Site::CAPABILITIES,
    example: include_str!("../../config/connectors/site.toml"),
    build: crate::contract::build::<Site>,
    paths: &["path"],
    templates: &[],
};

/// A static site on this machine's disk.
pub struct Site {
    settings: Settings,
    /// Feeds, manifests and the clone are shared by all entries: one writer at a time. A push that takes its time holds up the others'
    /// feeds, and nothing else: what it brings up to date are those same files.
    shared: Mutex<()>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Write a page and the images it shows.
    Write(Page),
    /// Remove a page and its images.
    Remove {
        /// Below the site's folder.
        path: String,
        /// The key its front matter carries.
        key: String,
        /// Name of the entry in file names.
        stem: String,
    },
    /// Put an entry into the feeds, or take it out.
    Feeds {
        /// The entry's key.
        key: String,
        /// What to show; nothing to take it out.
        entry: Option<Entry>,
    },
    /// The same for CHANGELOG.md.
    Changelog {
        /// The entry's key.
        key: String,
        /// What to show; nothing to take it out.
        entry: Option<Entry>,
    },
    /// Commit what the steps before have written, and push it.
    Commit(Commit),
}

impl Connector for Site {
    const KIND: &'static str = "site";
    const CAPABILITIES: Capabilities = Capabilities {
        items: &[ItemKind::Changelog],
        mode: Mode::Latest,
        batch_max: 1,
        rate_per_minute: 0,
        settle: &[std::time::Duration::ZERO],
        max_creates_per_hour: 0,
        events_required: false,
        single_product: true,
        takes_history: false,
    };
    type Settings = Settings;
    type Op = Op;

    fn new(settings: Settings) -> Result<Self, Vec<SettingsError>> {
        settings.validate()?;
        Ok(Self { settings, shared: Mutex::new(()) })
    }

    fn scope(&self) -> Scope {
        Scope(format!("site:{}", config::below(&self.settings.root(), &self.settings.directory())))
    }

    fn claims(&self) -> Vec<Claim> {
        let claim = |key, path: &str| Claim { key, place: config::below(&self.settings.root(), path) };
        let feeds = self.settings.feeds().map(|feed| claim("feed_directory", &self.settings.feed_path(feed)));
        let images = claim("directory", &self.settings.image_folder().0);
        feeds.chain([images]).chain(self.settings.changelog_file().map(|file| claim("changelog_file", &file))).collect()
    }

    fn on_missing(&self) -> OnMissing {
        OnMissing::Recreate
    }

    fn plan(&self, change: &Change<'_>, links: &Links) -> Result<Plan<Op>, PlanError> {
        Ok(plan::plan(&self.settings, change, links))
    }

    fn preview(&self, op: &Op, _links: &Links) -> Vec<Preview> {
        let shown = |method: &str, path: &str, body: serde_json::Value| Preview {
            method: method.to_owned(),
            url: self.settings.path.join(path).display().to_string(),
            headers: BTreeMap::new(),
            body,
        };
        match op {
            Op::Write(page) => vec![shown("WRITE", &page.path, page.text().into())],
            Op::Remove { path, .. } => vec![shown("REMOVE", path, serde_json::Value::Null)],
            Op::Feeds { entry, .. } => {
                let title = entry.as_ref().map(|entry| entry.title.clone());
                self.settings
                    .feeds()
                    .map(|feed| shown("WRITE", &self.settings.feed_path(feed), serde_json::json!({"entry": title})))
                    .collect()
            }
            Op::Changelog { entry, .. } => {
                let title = entry.as_ref().map(|entry| entry.title.clone());
                self.settings.changelog_file().iter().map(|file| shown("WRITE", file, serde_json::json!({"entry": title}))).collect()
            }
            Op::Commit(commit) => vec![shown(
                if self.settings.git.as_ref().is_some_and(|git| git.push) { "COMMIT AND PUSH" } else { "COMMIT" },
                commit.page.as_deref().unwrap_or_default(),
                commit.message.clone().into(),
            )],
        }
    }

    async fn apply(&self, op: &Op, cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        if let Some(git) = self.settings.git.as_ref().filter(|_| !matches!(op, Op::Commit(_))) {
            // What is written while another branch is checked out would be lost with it.
            Repository::open(&self.settings, git).await?;
        }
        let files = Files::new(&self.settings.path);
        match op {
            Op::Write(page) => {
                let images = images::copy(&self.settings, page, &files, cx).await;
                let stem = page.stem();
                let written = page.text_with(&images);
                files.write_own(&page.path, &page.key, written.as_bytes()).map_err(|error| failed(&error))?;
                images::remove_others(&self.settings, &stem, &images, &files).map_err(|error| failed(&error))?;
                Ok(Some(RemoteRef { id: page.path.clone(), url: page.url.clone() }))
            }
            Op::Remove { path, key, stem } => {
                files.remove_own(path, key).map_err(|error| failed(&error))?;
                images::remove_others(&self.settings, stem, &[], &files).map_err(|error| failed(&error))?;
                Ok(None)
            }
            Op::Feeds { key, entry } => {
                let _one_at_a_time = self.shared.lock().await;
                feeds::put(&self.settings, &files, key, entry.as_ref()).map_err(|error| failed(&error))?;
                Ok(None)
            }
            Op::Changelog { key, entry } => {
                let _one_at_a_time = self.shared.lock().await;
                changelog::put(&self.settings, &files, key, entry.as_ref()).map_err(|error| failed(&error))?;
                Ok(None)
            }
            Op::Commit(commit) => {
                let _one_at_a_time = self.shared.lock().await;
                // A step of the time when there was `git` in the settings has nothing to do without.
                if let Some(git) = &self.settings.git {
                    git::record(&self.settings, git, commit).await?;
                }
                Ok(commit.page.clone().map(|id| RemoteRef { id, url: None }))
            }
        }
    }

    async fn find(&self, key: &RemoteKey, _first_intent_at: Time, _cx: &Cx<'_>) -> Result<Option<RemoteRef>, Failure> {
        // No step is keyed; a page is found by the path in its link. The key is looked for all the same, for `check` and people.
        let files = Files::new(&self.settings.path);
        let found = files.find_own(&self.settings.directory(), &key.signed()).map_err(|error| failed(&error))?;
        Ok(found.map(|path| RemoteRef { id: path, url: None }))
    }

    async fn check(&self, _cx: &Cx<'_>) -> Result<(), Failure> {
        let files = Files::new(&self.settings.path);
        files.probe(&self.settings.directory()).map_err(|error| failed(&error))?;
        match &self.settings.git {
            Some(git) => Repository::open(&self.settings, git).await?.check().await,
            None => Ok(()),
        }
    }
}

/// A file operation that failed: the disk may be full or a mount gone, which passes; a file that is not ours does not.
fn failed(error: &files::FileError) -> Failure {
    match error {
        files::FileError::NotOurs { .. }
        | files::FileError::Lost { .. }
        | files::FileError::Damaged { .. }
        | files::FileError::NotUtf8 { .. } => Failure::Rejected { source: Cause::new(error.to_string()) },
        files::FileError::Denied { .. } => Failure::Unauthorized { source: Cause::new(error.to_string()) },
        files::FileError::Io { .. } => {
            Failure::Transient { retry_after: None, scope: crate::contract::Limit::Item, source: Cause::new(error.to_string()) }
        }
    }
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
