//! Records about one delivery.

use serde::{Deserialize, Serialize};
use sleeksync_connectors::contract::{AnyStep, Effect, ItemId, Part, RemoteRef, Time};

use super::ConnectorId;

/// Which delivery: of an item's latest state, or of one event on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DutyKey {
    /// Who owes it.
    pub connector: ConnectorId,
    /// What it is about.
    pub item: ItemId,
    /// The event to announce; `None` for the latest state.
    pub event: Option<u64>,
}

impl DutyKey {
    /// What orders it.
    pub fn lane(&self) -> ItemId {
        self.item.lane()
    }
}

/// A delivery was planned: these steps will be tried, as they stand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanRecord {
    /// Which delivery.
    pub duty: DutyKey,
    /// The record whose state it brings.
    pub target: u64,
    /// What is to be done.
    pub steps: Vec<AnyStep>,
}

/// A step is about to be tried. From here on its outcome is unknown until an [`Outcome`] says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// Which delivery.
    pub duty: DutyKey,
    /// Which step of its plan, from 0.
    pub step: u16,
    /// The link whose hash can no longer be trusted.
    pub part: Part,
    /// When.
    pub at: Time,
}

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Attempt {
    /// It happened.
    Done {
        /// The link it is about.
        part: Part,
        /// What that means for the link.
        effect: Effect,
        /// The object, where the service named one.
        remote: Option<RemoteRef>,
        /// The item had no object before.
        created: bool,
    },
    /// It certainly did not happen; again at `retry_at`.
    NotDone {
        /// The class of failure.
        class: String,
        /// What was said.
        message: String,
        /// When the lane is due again.
        retry_at: Time,
    },
    /// It may have happened: the intent stays open.
    Unknown {
        /// What was said, or that a look-up found nothing yet.
        message: String,
        /// When to look or try again.
        retry_at: Time,
    },
    /// The object is gone and the scope is reachable. The link is lost, or all of the item's links are forgotten so that it is made again.
    Missing {
        /// The link it was about.
        part: Part,
        /// Make it again.
        recreate: bool,
    },
}

/// A step was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Which delivery.
    pub duty: DutyKey,
    /// What came of it.
    pub attempt: Attempt,
    /// When.
    pub at: Time,
}

/// How a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SettledAs {
    /// The service shows it.
    Delivered,
    /// Nothing was sent, for this reason.
    Skipped(String),
    /// The plan ended before its last step because a newer state is to be planned; the delivery stays owed.
    Superseded,
}

/// A delivery, or only its plan, ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Which.
    pub duty: DutyKey,
    /// What was raised later than this record stays owed.
    pub upto: u64,
    /// How.
    pub how: SettledAs,
    /// When.
    pub at: Time,
}

/// Why a delivery is parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParkClass {
    /// The service said no.
    Rejected,
    /// A step that must not be repeated may or may not have happened.
    OutcomeUnknown,
    /// The object was deleted at the service.
    TargetGone,
    /// It failed for too long while others succeeded.
    Expired,
    /// A template or expression of the configuration failed.
    Expression,
}

impl ParkClass {
    /// The word `parked` shows.
    pub const fn as_str(self) -> &'static str {
        match self {
            ParkClass::Rejected => "rejected",
            ParkClass::OutcomeUnknown => "outcome_unknown",
            ParkClass::TargetGone => "target_gone",
            ParkClass::Expired => "expired",
            ParkClass::Expression => "expression",
        }
    }
}

/// A delivery will not be tried again by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// Which.
    pub duty: DutyKey,
    /// Why, as a class.
    pub class: ParkClass,
    /// Why, for people.
    pub reason: String,
    /// The step it stopped at; empty before there was one.
    pub step: String,
    /// The part that step was about: it counts as made when a person drops a delivery whose outcome is unknown.
    pub part: Option<Part>,
    /// When.
    pub at: Time,
}

/// A person wants a parked delivery tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retried {
    /// Its number in `parked`.
    pub id: u64,
    /// When.
    pub at: Time,
}

/// A person gave a parked delivery up; one whose outcome is unknown counts as done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Its number in `parked`.
    pub id: u64,
    /// Their words.
    pub why: String,
    /// When.
    pub at: Time,
}

/// What a delivery waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WaitingFor {
    /// A link of this item: dormant, not owed, until there is one.
    Link(ItemId),
    /// This time.
    Until(Time),
}

/// A delivery waits for something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Which.
    pub duty: DutyKey,
    /// What for.
    pub what: WaitingFor,
    /// The last record that was known when it was planned: an address that was given later ends the wait at once.
    pub seen: u64,
}

/// What a person wants written although Sleekplan says nothing new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Again {
    /// What was rendered with earlier settings.
    Stale,
    /// Everything that has a link, as if nobody knew how it stands there.
    All,
}

/// A person wants items (or announcements of events) delivered again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// Which.
    pub duties: Vec<DutyKey>,
    /// History may be made new.
    pub include_history: bool,
    /// What is written again of what stands already; announcements never are.
    pub again: Again,
    /// When.
    pub at: Time,
}

/// What happens to a link by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkChange {
    /// It is this object.
    Set(RemoteRef),
    /// There is none.
    Forget,
}

/// A link was set or forgotten by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkRecord {
    /// Whose.
    pub connector: ConnectorId,
    /// Of which item.
    pub item: ItemId,
    /// Which part.
    pub part: Part,
    /// What holds from now on.
    pub change: LinkChange,
    /// When.
    pub at: Time,
}
