//! One configured connector: what all kinds have in common, and the instance that carries the kind's own settings.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use sleeksync_connectors::contract::{Action, AnyConnector, ItemKind, Time};
use sleeksync_connectors::kit::template::Expression;
use sleeksync_connectors::registry::Kind;

use super::DeliverySettings;

/// `[connectors.NAME]`: one configured instance.
#[derive(Clone)]
pub struct ConnectorConfig {
    /// Its identity: links, queue and start belong to it.
    pub name: String,
    /// What it is an instance of.
    pub kind: &'static Kind,
    /// A disabled one owes nothing new.
    pub enabled: bool,
    /// Plans are shown, nothing is sent.
    pub dry_run: bool,
    /// Names of the products it serves; `None` means all configured ones.
    pub products: Option<Vec<String>>,
    /// Which events may make something new; `None` means all the kind can use.
    pub events: Option<Vec<Action>>,
    /// By kind of item: what decides whether something is made; a kind that is not in it is always made.
    pub when: BTreeMap<ItemKind, Expression>,
    /// What is older is history.
    pub since: Since,
    /// How it delivers.
    pub delivery: DeliverySettings,
    /// The instance with the kind's own settings.
    pub instance: Arc<dyn AnyConnector>,
}

/// Leaves the instance out: a connector need not be printable, and holds secrets.
impl fmt::Debug for ConnectorConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectorConfig")
            .field("name", &self.name)
            .field("kind", &self.kind.name)
            .field("enabled", &self.enabled)
            .field("dry_run", &self.dry_run)
            .field("products", &self.products)
            .field("events", &self.events)
            .field("when", &self.when)
            .field("since", &self.since)
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}

/// From when on an item is new to a connector; what is older is history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// The moment the connector first ran.
    FirstRun,
    /// Nothing is history.
    All,
    /// A fixed time.
    At(Time),
}
