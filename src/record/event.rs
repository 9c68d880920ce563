//! The record of an accepted webhook.

use serde::{Deserialize, Serialize};
use sleeksync_connectors::contract::{Action, ItemId, ProductId, Time};

/// What makes an event a duplicate of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Hash of product, action, timestamp and data, however they were spelled.
    pub digest: [u8; 16],
    /// Hash of product, item and action.
    pub subject: [u8; 16],
    /// There was no timestamp: a duplicate only of the newest event of its subject.
    pub only_newest: bool,
}

/// What the receiver made of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventStatus {
    /// Known product, action and item.
    Accepted,
    /// JSON, but nothing that can be delivered, for this reason.
    Unrecognised(String),
    /// An event of a product that is not configured.
    Unlisted,
    /// Not JSON.
    Quarantined,
}

impl EventStatus {
    /// The word `events` shows.
    pub const fn as_str(&self) -> &'static str {
        match self {
            EventStatus::Accepted => "accepted",
            EventStatus::Unrecognised(_) | EventStatus::Unlisted => "unrecognised",
            EventStatus::Quarantined => "quarantined",
        }
    }
}

/// One webhook. Its raw body follows the record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRecord {
    /// When it arrived.
    pub received_at: Time,
    /// Effective time: the envelope's where it is believable, else that of receipt.
    pub at: Time,
    /// What the receiver made of it.
    pub status: EventStatus,
    /// Its workspace, where it names one.
    pub product: Option<ProductId>,
    /// What happened, where that is known.
    pub action: Option<Action>,
    /// The item it is about, where there is one.
    pub item: Option<ItemId>,
    /// By what a repetition is recognised; `None` for what is never a duplicate.
    pub mark: Option<Mark>,
}
