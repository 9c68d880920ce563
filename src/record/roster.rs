//! Records about connectors as a whole.

use std::fmt;

use serde::{Deserialize, Serialize};
use sleeksync_connectors::contract::{ItemKind, Scope, Time};

/// The number a connector's rows are kept under. Names can change, numbers do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectorId(pub u16);

impl fmt::Display for ConnectorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// From when on items are new to a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Since {
    /// From when it first appears in a roster.
    FirstRun,
    /// From this time.
    At(Time),
    /// Nothing is history.
    All,
}

/// The connectors of the configuration: the only way the fold knows of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// When it was read.
    pub at: Time,
    /// Version of the fold that was at work.
    pub fold: u32,
    /// All of them; one that is missing was removed.
    pub connectors: Vec<RosterEntry>,
}

impl Roster {
    /// Whether it says nothing that `other` did not.
    pub fn repeats(&self, other: &Roster) -> bool {
        (self.fold, &self.connectors) == (other.fold, &other.connectors)
    }
}

/// One configured connector, as far as the fold is concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterEntry {
    /// The user's name for it.
    pub name: String,
    /// What it is an instance of.
    pub kind: String,
    /// What it writes to.
    pub scope: Scope,
    /// One delivery an event instead of one an item.
    pub every: bool,
    /// Kinds of items it takes.
    pub items: Vec<ItemKind>,
    /// Whether it owes anything new.
    pub enabled: bool,
    /// Where history ends.
    pub since: Since,
}

/// Why a connector starts nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Halt {
    /// It runs.
    No,
    /// A person, or the service for good (410), paused it.
    Paused,
    /// It made more new objects in an hour than it may.
    Braked,
}

/// A connector was paused, braked or resumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halted {
    /// Which.
    pub connector: ConnectorId,
    /// What holds from now on.
    pub halt: Halt,
    /// Why, for people.
    pub why: String,
    /// When.
    pub at: Time,
    /// Lift the brake for good, not for the next batch only.
    pub all: bool,
}

/// A service asked a connector to wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttled {
    /// Which.
    pub connector: ConnectorId,
    /// Until when.
    pub until: Time,
}

/// A connector got another name or scope and keeps its links and queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// Which.
    pub connector: ConnectorId,
    /// Its name from now on.
    pub name: String,
    /// Its scope from now on.
    pub scope: Scope,
}

/// A connector forgets its links and queue, and starts now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// Which.
    pub connector: ConnectorId,
    /// Its scope from now on.
    pub scope: Scope,
    /// When: items of before are history.
    pub at: Time,
}

/// The queue of a connector was dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// Which.
    pub connector: ConnectorId,
}
