//! The contract every kind of connector fulfils.

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Capabilities, Change, Failure, Links, Plan, PlanError, Preview, RemoteKey, RemoteRef, Scope, Time, Transport};

/// One kind of connector; a value is one configured instance.
///
/// It never sleeps, retries, spawns, reads a clock or builds an HTTP client: it plans purely, performs one step once, and says what happened.
pub trait Connector: Sized + Send + Sync + 'static {
    /// The word users write behind `kind =`.
    const KIND: &'static str;
    /// What it can do.
    const CAPABILITIES: Capabilities;
    /// The kind's own settings; denies unknown fields, keeps credentials in [`super::Secret`].
    type Settings: DeserializeOwned;
    /// One step, in the service's own words. Written to the journal, so it carries no secret, and old ones must still load.
    type Op: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Checks the settings and makes an instance, without looking at anything outside.
    ///
    /// # Errors
    /// Every setting that cannot work, by its key.
    fn new(settings: Self::Settings) -> Result<Self, Vec<SettingsError>>;

    /// What it writes to.
    fn scope(&self) -> Scope;

    /// Places besides its scope that no other connector may write, each with the setting that moves it.
    fn claims(&self) -> Vec<Claim> {
        Vec::new()
    }

    /// Whether it talks to the vendor's public host, where the default rate applies.
    fn is_public_host(&self) -> bool {
        true
    }

    /// What a person wants done when the object was deleted at the service.
    fn on_missing(&self) -> OnMissing {
        OnMissing::Park
    }

    /// What is to be done for this change. Pure and total: no clock, network, randomness or disk.
    ///
    /// # Errors
    /// Only what a person has to mend in the configuration.
    fn plan(&self, change: &Change<'_>, links: &Links) -> Result<Plan<Self::Op>, PlanError>;

    /// The requests `op` would make, for a dry run.
    fn preview(&self, op: &Self::Op, links: &Links) -> Vec<Preview>;

    /// Performs one step, once. `Ok(Some(_))` is the object it made or changed.
    fn apply(&self, op: &Self::Op, cx: &Cx<'_>) -> impl Future<Output = Result<Option<RemoteRef>, Failure>> + Send;

    /// Looks for the object that carries `key`, written at or after `first_intent_at`.
    ///
    /// `Ok(None)` only after everything since `first_intent_at` minus an hour was read; anything less is a [`Failure`].
    fn find(&self, key: &RemoteKey, first_intent_at: Time, cx: &Cx<'_>) -> impl Future<Output = Result<Option<RemoteRef>, Failure>> + Send;

    /// Proves that the credentials and the scope are good, with the least privileged request there is.
    fn check(&self, cx: &Cx<'_>) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// What follows when an object we know was deleted at the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnMissing {
    /// Keep the delivery and let a person decide.
    #[default]
    Park,
    /// Make it again.
    Recreate,
    /// Leave it deleted and forget about the item.
    Leave,
}

/// What becomes of a change at Sleekplan when a person has changed the object at the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnRemoteEdit {
    /// It waits for a person's decision.
    #[default]
    Park,
    /// It replaces what the person wrote.
    Overwrite,
    /// What the person wrote stays.
    Keep,
}

/// A place that only one connector may write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The setting that says where it is, below the connector's table.
    pub key: &'static str,
    /// The place, as a person knows it.
    pub place: String,
}

/// What a step may use.
pub struct Cx<'a> {
    /// Sends requests.
    pub transport: &'a dyn Transport,
    /// The item's and its parent's links as of this step: includes what earlier steps of the same plan made.
    pub links: &'a Links,
    /// When the step begins: for credentials that are signed with a time.
    pub now: Time,
}

/// What is wrong with settings, collected so that a person hears of everything in one run.
#[derive(Debug, Default)]
pub struct Mistakes(Vec<SettingsError>);

impl Mistakes {
    /// Notes that `key` cannot work.
    pub fn add(&mut self, key: &'static str, problem: impl Into<String>, expected: &'static str) {
        self.0.push(SettingsError { key, problem: problem.into(), expected });
    }

    /// What was read; `None` where it was a mistake, which is noted.
    pub fn note<T>(&mut self, read: Result<T, SettingsError>) -> Option<T> {
        read.map_err(|error| self.0.push(error)).ok()
    }

    /// Notes a text that is nothing but blanks.
    pub fn filled(&mut self, key: &'static str, text: &str) {
        if text.trim().is_empty() {
            self.add(key, "is empty", "a text, or no such key");
        }
    }

    /// What was made of the settings, if nothing was wrong with them.
    ///
    /// # Errors
    /// What was noted.
    pub fn or<T>(self, made: Option<T>) -> Result<T, Vec<SettingsError>> {
        match made {
            Some(made) if self.0.is_empty() => Ok(made),
            _ => Err(self.0),
        }
    }
}

/// A setting that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}; expected {expected}")]
pub struct SettingsError {
    /// The key, below the connector's table.
    pub key: &'static str,
    /// What is wrong with it. Never the value of a secret.
    pub problem: String,
    /// What would be right.
    pub expected: &'static str,
}
