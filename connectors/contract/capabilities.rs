//! What a kind of connector can do, as one constant.

use std::time::Duration;

use super::ItemKind;

/// How events become deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Mirrors: one delivery an item, of its latest state, however many events arrived.
    Latest,
    /// Announces: one delivery an event.
    Every,
}

/// What a kind of connector can do, and what it does where the configuration is silent.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// Kinds of items it takes.
    pub items: &'static [ItemKind],
    /// Mirrors or announces.
    pub mode: Mode,
    /// How many idempotent steps of different lanes the connector gathers: those one call carries, and as many that wait for the next; 1 means
    /// no batches. So many lanes are in flight by default.
    pub batch_max: usize,
    /// Requests a minute at the vendor's public host; 0 means no limit.
    pub rate_per_minute: u32,
    /// Waits between one look-up of a lost create and the next.
    pub settle: &'static [Duration],
    /// New objects an hour before the brake; 0 means no brake.
    pub max_creates_per_hour: u32,
    /// Whether the configuration must say which events may make something new.
    pub events_required: bool,
    /// Whether one instance serves one product only.
    pub single_product: bool,
    /// Whether its default start is "all": nothing is history to it, and what was deleted before it was sent is sent as deleted (databases).
    pub takes_history: bool,
}
