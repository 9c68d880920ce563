//! Plans: what a connector wants done, as steps that say how they may be repeated.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Hash, ItemId, RemoteKey, Time};

/// What a connector answers to a change.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan<Op> {
    /// Nothing is to be done, for a reason a person can read.
    Skip(Reason),
    /// Not yet; the engine wakes the delivery.
    Wait(For),
    /// These steps, in order. Steps whose part already stands as wanted are left out by the engine, so a plan names all of them.
    Run(Vec<Step<Op>>),
}

/// Why nothing was sent. One short line for people, such as `entry is a draft`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reason(pub Cow<'static, str>);

impl Reason {
    /// A fixed reason.
    pub const fn new(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a delivery waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum For {
    /// This connector's own link of another item, usually the parent's: until then the delivery is dormant, kept but not owed.
    Link(ItemId),
    /// `duration` to have passed since `since`. Planned again then, with a [`super::Change::at`] that is late enough; and as soon as another
    /// connector gives the item an address, which is how one waits for [`super::Links::elsewhere`] with a bound.
    Elapsed {
        /// From when.
        since: Time,
        /// How long.
        duration: Duration,
    },
}

/// A named part of an item at the service: `issue`, `comment`, `state`, `page`. Each has a link of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Part(pub Cow<'static, str>);

impl Part {
    /// The mark that readers were mailed. It stays when the object is gone and made again: nobody is mailed twice.
    pub const MAILED: Part = Part::new("mailed");

    /// A fixed part.
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// Whether it stays known when the object is gone: what was done cannot be undone.
    pub fn outlives_object(&self) -> bool {
        *self == Self::MAILED
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a step is called in the queue and the log: `create issue`, `close`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StepName(pub Cow<'static, str>);

impl StepName {
    /// A fixed name.
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One request to the service, and what is known about repeating it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step<Op> {
    /// For people.
    pub name: StepName,
    /// The link it is about.
    pub part: Part,
    /// What its success means for that link.
    pub effect: Effect,
    /// What may be done when its outcome is unknown.
    pub repeat: Repeat,
    /// What to do, in the service's own words. Carries no secret: it is written to the journal.
    pub op: Op,
}

impl<Op> Step<Op> {
    /// The same step with what becomes of its op.
    pub fn with<T>(self, op: impl FnOnce(Op) -> T) -> Step<T> {
        Step { name: self.name, part: self.part, effect: self.effect, repeat: self.repeat, op: op(self.op) }
    }
}

/// What a step's success means for the link of its part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// The part now stands with these hashes; a [`super::RemoteRef`] in the answer replaces the known one.
    Link {
        /// Hash of Sleekplan's content alone: equal to the link's means nothing changed, and the step is left out.
        content: Hash,
        /// Hash of everything that is sent: differs after a change of template, setting or release, which sends nothing by itself.
        rendering: Hash,
    },
    /// The part no longer exists there.
    Unlink,
    /// The links stay as they are.
    None,
}

/// What may be done when the outcome of a step is unknown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Repeat {
    /// The same again does no harm.
    Idempotent,
    /// Look it up by this key first; only a complete look-up that finds nothing allows another try.
    Keyed(RemoteKey),
    /// Never again by itself: a person decides.
    Once,
}

/// Why a change could not be planned. The delivery is parked as `expression`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A template of the configuration failed on this item.
    #[error("template `{setting}` failed: {message}")]
    Template {
        /// The setting it stands in.
        setting: &'static str,
        /// What the template engine said, one line.
        message: String,
    },
}
