//! Rows of the index: what is known, who still owes what, and what exists where.

use serde::{Deserialize, Serialize};
use sleeksync_connectors::contract::{Fields, Hash, Item, ItemId, ItemKind, Part, RemoteRef, Scope, Time};

use crate::record::{Again, DutyKey, Halt, ParkClass};
use crate::sleekplan::json;

/// The index itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MetaRow {
    /// Number of the last folded record.
    pub folded: u64,
    /// Events ever accepted, whatever their status.
    pub events: u64,
    /// When the last one arrived.
    pub last_event_at: Option<Time>,
    /// Unrecognised and quarantined ones, by the hour since 1970; the last 24.
    pub unrecognised: Vec<(u64, u64)>,
    /// Workspaces that sent events and are not configured.
    pub unlisted: Vec<UnlistedRow>,
    /// The workspace of the first accepted event.
    pub first_product: Option<u64>,
    /// Number the next connector gets.
    pub next_connector: u16,
    /// Number of the delivery that last became owed.
    pub last_duty: u64,
    /// Where the sweep for expired rows goes on: a key.
    pub swept: Vec<u8>,
}

/// A workspace whose events are kept and delivered nowhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnlistedRow {
    /// Which.
    pub product: u64,
    /// Its events since it was first noted.
    pub events: u64,
    /// When the last one arrived.
    pub last_at: Time,
}

/// One connector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConnectorRow {
    /// The user's name for it.
    pub name: String,
    /// What it is an instance of.
    pub kind: String,
    /// What its links are about.
    pub scope: Scope,
    /// The scope its configuration names now, where that is another one.
    pub moved_to: Option<Scope>,
    /// One delivery an event instead of one an item.
    pub every: bool,
    /// Kinds of items it takes.
    pub items: Vec<ItemKind>,
    /// Whether it owes anything new.
    pub enabled: bool,
    /// It is no longer in the configuration.
    pub removed: bool,
    /// Items of before are history.
    pub start: Time,
    /// When it was switched off: what is made in between is history too.
    pub gaps: Vec<(Time, Time)>,
    /// Since when it is switched off.
    pub off_since: Option<Time>,
    /// Whether it is halted, and why.
    pub halt: Halt,
    /// Why, for people.
    pub halt_why: String,
    /// Deliveries up to this number do not count for the brake: a person let all of them through.
    pub unbraked_upto: u64,
    /// The service asked to wait until then.
    pub throttled_until: Option<Time>,
    /// Keyed creates look first: its links were moved here.
    pub look_first: bool,
    /// New objects, by the minute since 1970; the last hour.
    pub creates: Vec<(u64, u32)>,
    /// Deliveries owed and not parked.
    pub queued: u64,
    /// Deliveries parked.
    pub parked: u64,
    /// Deliveries ever done.
    pub delivered: u64,
    /// Deliveries ever skipped.
    pub skipped: u64,
    /// Last time the service did what was asked.
    pub last_success_at: Option<Time>,
    /// Last failure.
    pub last_error: Option<ErrorRow>,
}

/// A failure, for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorRow {
    /// When.
    pub at: Time,
    /// Its class.
    pub class: String,
    /// What was said.
    pub message: String,
    /// About which item.
    pub item: ItemId,
}

/// One field of an item: the newest value, and the effective time it is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldRow<Text = String> {
    /// Sleekplan's name for it.
    pub name: Text,
    /// The value as Sleekplan wrote it, JSON.
    pub json: Text,
    /// Effective time of the event that said so.
    pub at: Time,
}

/// The latest state of an item.
///
/// Every field keeps the time of the event that set it, so the state does not depend on the order in which events arrive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemRow<Text = String> {
    /// Which.
    pub id: ItemId,
    /// Number of the last record that touched it.
    pub seq: u64,
    /// Number of the event that set the newest state.
    pub newest_seq: u64,
    /// Effective time of the newest event.
    pub at: Time,
    /// Effective time of the newest deletion.
    pub deleted_at: Option<Time>,
    /// Effective time of the newest event that makes it.
    pub made_at: Option<Time>,
    /// When the first event that makes it arrived.
    pub made_received_at: Option<Time>,
    /// Effective time of the oldest state that was not public.
    pub private_at: Option<Time>,
    /// Effective time of the newest state that was public.
    pub public_at: Option<Time>,
    /// When the store first knew of a public state behind one that was not: it saw the item turn public.
    pub turned_public_at: Option<Time>,
    /// When an event on it last arrived.
    pub received_at: Time,
    /// The fields, sorted by name.
    pub fields: Vec<FieldRow<Text>>,
}

impl<Text> ItemRow<Text> {
    /// Deleted, and not made again since: a deletion wins a tie.
    pub fn is_deleted(&self) -> bool {
        self.deleted_at.is_some_and(|deleted| self.made_at.is_none_or(|made| made <= deleted))
    }
}

impl<Text: AsRef<str>> ItemRow<Text> {
    /// As connectors see it.
    pub fn to_item(&self) -> Item {
        // Every field was read when it was accepted; were one damaged, nothing is the honest reading.
        let object = json::object(self.fields.iter().map(|field| (field.name.as_ref(), field.json.as_ref())));
        let fields = object.map(Fields::from_text).unwrap_or_default();
        Item { id: self.id.clone(), fields, at: self.at, deleted: self.is_deleted() }
    }
}

/// A plan that was journalled and has not ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenPlan {
    /// Number of the plan's record.
    pub plan_seq: u64,
    /// The record whose state it brings.
    pub target: u64,
    /// The step that is next, or under way.
    pub step: u16,
    /// Its outcome is unknown since its intent was written.
    pub intent: bool,
    /// When this step was first intended.
    pub first_intent_at: Option<Time>,
}

/// A delivery that is owed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DutyRow {
    /// Which.
    pub key: DutyKey,
    /// Its number, for people: no other delivery ever has it, also not one of the same event.
    pub id: u64,
    /// Number of the newest record that raised it.
    pub target: u64,
    /// When it became owed.
    pub since: Time,
    /// Events that raised it, as bits of [`sleeksync_connectors::contract::Action::bit`].
    pub actions: u32,
    /// A person asked for it although it is history.
    pub include_history: bool,
    /// A person asked for what stands already.
    pub again: Option<Again>,
    /// Attempts that failed since the last success.
    pub attempts: u32,
    /// When the first of them was.
    pub failing_since: Option<Time>,
    /// The last of them.
    pub last_error: Option<ErrorRow>,
    /// Nothing is to be done before.
    pub wait_until: Option<Time>,
    /// Its plan.
    pub open: Option<OpenPlan>,
}

/// A lane with something to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaneRow {
    /// When it is due.
    pub due: Time,
    /// It is backing off: new events do not hasten it.
    pub backing_off: bool,
}

/// A delivery that waits for a link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DormantRow {
    /// As it was owed.
    pub duty: DutyRow,
}

/// A delivery that a person has to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParkedRow {
    /// As it was owed.
    pub duty: DutyRow,
    /// Why, as a class.
    pub class: ParkClass,
    /// Why, for people.
    pub reason: String,
    /// The step it stopped at.
    pub step: String,
    /// When.
    pub at: Time,
    /// For `outcome_unknown`: the part that counts as made when it is dropped.
    pub part: Option<Part>,
}

/// How one part of an item stands at the service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkRow {
    /// Of which item.
    pub item: ItemId,
    /// Which part.
    pub part: Part,
    /// The object.
    pub remote: Option<RemoteRef>,
    /// Hash of Sleekplan's content; `None` while a write is not known to have succeeded.
    pub content: Option<Hash>,
    /// Hash of what was sent.
    pub rendering: Option<Hash>,
    /// When it was last written.
    pub at: Time,
    /// Number of the record that says so.
    pub seq: u64,
    /// It was deleted at the service, or given up by a person.
    pub lost: bool,
}

impl LinkRow {
    /// Where the object is to be seen.
    pub fn url(&self) -> Option<&str> {
        self.remote.as_ref()?.url.as_deref()
    }
}

/// How the last delivery of an item or event ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StandingRow {
    /// It is about one event, not about an item's latest state.
    pub event: bool,
    /// What it covered.
    pub upto: u64,
    /// Delivered, or skipped.
    pub delivered: bool,
    /// Why, where it was skipped.
    pub reason: String,
    /// When.
    pub at: Time,
}

/// An event that lost against a newer state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StaleRow {
    /// Number of the event that won.
    pub won_by: u64,
    /// When the stale one arrived.
    pub received_at: Time,
}
