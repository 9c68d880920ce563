//! The configuration as the daemon uses it: parsed, checked, with every default filled in.
//!
//! Nothing in here is text that still has to be interpreted; a value of these types has passed every offline check.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;
use sleeksync_connectors::contract::{Product, ProductId, Secret};
use url::Url;

use super::ConnectorConfig;

/// Everything a run of the daemon needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The public listener.
    pub receiver: ReceiverConfig,
    /// The private listener.
    pub admin: AdminConfig,
    /// What is kept, where and how long.
    pub store: StoreConfig,
    /// The workspaces, by name; empty means that any product is accepted.
    pub products: Vec<ProductConfig>,
    /// Delivery where a connector says nothing else.
    pub delivery: DeliveryConfig,
    /// What is logged and how.
    pub log: LogConfig,
    /// The connectors, by name; disabled ones too.
    pub connectors: Vec<ConnectorConfig>,
}

/// What a command needs that talks to the daemon, or opens the store itself where none runs.
#[derive(Clone, Debug)]
pub struct LocalConfig {
    /// Where the daemon answers.
    pub admin: AdminConfig,
    /// Where the store is.
    pub store: StoreConfig,
    /// What is logged and how.
    pub log: LogConfig,
}

/// `[receiver]`: the public listener that Sleekplan posts to.
#[derive(Clone, Debug)]
pub struct ReceiverConfig {
    /// Where it listens; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Path of the webhook; begins with `/`.
    pub path: String,
    /// Any of them is accepted. Empty only with `allow_unauthenticated`.
    pub keys: Vec<Secret>,
    /// Whether events without a key are accepted.
    pub allow_unauthenticated: bool,
    /// How Sleekplan reaches the listener, without the path of the webhook.
    pub public_url: Option<Url>,
    /// Longest body that is read.
    pub body_bytes_max: usize,
    /// How long a request may take to send its headers.
    pub header_timeout: Duration,
    /// How long a request may take to send its body.
    pub body_timeout: Duration,
    /// Connections open at once.
    pub connections_max: usize,
    /// Where raw bodies are written as well, one file each.
    pub capture_dir: Option<PathBuf>,
}

/// `[admin]`: the private listener with dashboard, API and metrics.
#[derive(Clone, Debug)]
pub struct AdminConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What a caller has to show; `None` only on loopback.
    pub token: Option<Secret>,
    /// Further `Host` names it answers to.
    pub hosts: Vec<String>,
}

/// `[store]`: what is kept, where and how long.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Folder of journal, index and identity.
    pub path: PathBuf,
    /// How long events are kept.
    pub retention: Duration,
    /// Room that is left on the disk for others.
    pub free_bytes_min: u64,
    /// Answer before the event is synced.
    pub unsafe_no_fsync: bool,
}

/// `[products.NAME]`: one Sleekplan workspace.
#[derive(Clone, Debug)]
pub struct ProductConfig {
    /// Its name in the configuration.
    pub name: String,
    /// Its number; `None` where the only product takes it from its first event.
    pub id: Option<ProductId>,
    /// Key of the REST API; without one there is no backfill and no reconcile.
    pub api_key: Option<Secret>,
    /// Base address of the REST API.
    pub api_url: Url,
    /// How often Sleekplan is compared with what is known.
    pub reconcile_every: Duration,
    /// Zone of Sleekplan's zoneless dates.
    pub time_zone: TimeZone,
    /// Template of an entry's public address.
    pub entry_url: Option<String>,
    /// Template of a feedback post's public address.
    pub feedback_url: Option<String>,
    /// Labels of opaque status keys.
    pub statuses: BTreeMap<String, String>,
    /// Labels of opaque type keys.
    pub types: BTreeMap<String, String>,
}

impl ProductConfig {
    /// The product as connectors see it; `id` is what the configuration or the first event said.
    pub fn product(&self, id: ProductId) -> Product {
        Product {
            id,
            name: self.name.clone(),
            time_zone: self.time_zone.clone(),
            entry_url: self.entry_url.clone(),
            feedback_url: self.feedback_url.clone(),
            statuses: self.statuses.clone(),
            types: self.types.clone(),
        }
    }
}

/// `[delivery]`: what holds where a connector says nothing else. `None` means the kind's own.
#[derive(Clone, Debug)]
pub struct DeliveryConfig {
    /// Lanes in flight per connector.
    pub concurrency: Option<usize>,
    /// Time one request gets.
    pub timeout: Duration,
    /// First wait after a failure.
    pub backoff_min: Duration,
    /// Longest wait between two tries.
    pub backoff_max: Duration,
    /// Age at which a delivery that keeps failing is parked.
    pub park_after: Duration,
    /// Requests a minute; 0 means no limit.
    pub rate_per_minute: Option<u32>,
    /// Waits between one look-up of a lost create and the next.
    pub settle: Option<Vec<Duration>>,
    /// New objects an hour before the brake; 0 means no brake.
    pub creates_per_hour_max: Option<u32>,
}

/// Delivery to one connector: its own settings over `[delivery]` over the kind's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliverySettings {
    /// Lanes in flight; at least 1.
    pub concurrency: usize,
    /// Time one request gets.
    pub timeout: Duration,
    /// First wait after a failure.
    pub backoff_min: Duration,
    /// Longest wait between two tries; not below `backoff_min`.
    pub backoff_max: Duration,
    /// Age at which a delivery that keeps failing is parked.
    pub park_after: Duration,
    /// Requests a minute; 0 means no limit.
    pub rate_per_minute: u32,
    /// Waits between one look-up of a lost create and the next; never empty for kinds that look up.
    pub settle: Vec<Duration>,
    /// New objects an hour before the brake; 0 means no brake.
    pub creates_per_hour_max: u32,
}

/// `[log]`: what is logged and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// For people or for machines.
    pub format: LogFormat,
    /// Directives of tracing's filter, such as `info` or `sleeksync=debug,warn`.
    pub filter: String,
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}
