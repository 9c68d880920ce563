//! What a plan is made from.

use super::{Action, Fields, Item, Product, RemoteKey, Time};

/// One webhook as it was accepted, for connectors that announce.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its number in the journal: stable, and unique to it.
    pub seq: u64,
    /// What happened.
    pub action: Action,
    /// When, by the envelope.
    pub at: Time,
    /// The event's own data; its `product_id` is that of the workspace it was counted to, as a number.
    pub data: Fields,
}

/// A change to bring to the service. Planning reads nothing else: the same change and links give the same plan.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The item's latest state.
    pub item: &'a Item,
    /// The feedback post a child belongs to, as far as it is known.
    pub parent: Option<&'a Item>,
    /// The event to announce; `None` for connectors that mirror.
    pub event: Option<&'a Event>,
    /// The workspace it belongs to.
    pub product: &'a Product,
    /// By what the object made of this item can be found again.
    pub key: &'a RemoteKey,
    /// When this plan is made.
    pub at: Time,
    /// Whether the item is older than the connector: it is made because a person asked for it, and is mailed to nobody.
    pub is_history: bool,
}
