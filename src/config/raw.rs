//! The tables as they are written: every key optional, unknown keys refused.

use std::collections::BTreeMap;

use serde::Deserialize;
use sleeksync_connectors::contract::Secret;

use super::LogFormat;
use super::values::{Filled, Listen, Period, Size, Start, Wait, Web, Zone};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawReceiver {
    pub(super) listen: Option<Listen>,
    pub(super) path: Option<String>,
    pub(super) keys: Vec<Secret>,
    pub(super) allow_unauthenticated: bool,
    pub(super) public_url: Option<Web>,
    pub(super) max_body: Option<Size>,
    pub(super) header_timeout: Option<Period>,
    pub(super) body_timeout: Option<Period>,
    pub(super) max_connections: Option<u32>,
    pub(super) capture_dir: Option<Filled>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawAdmin {
    pub(super) listen: Option<Listen>,
    pub(super) token: Option<Secret>,
    pub(super) hosts: Vec<Filled>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawStore {
    pub(super) path: Option<Filled>,
    pub(super) retention: Option<Period>,
    pub(super) min_free: Option<Size>,
    pub(super) unsafe_no_fsync: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawProduct {
    pub(super) id: Option<u64>,
    pub(super) api_key: Option<Secret>,
    pub(super) api_url: Option<Web>,
    pub(super) reconcile_every: Option<Period>,
    pub(super) time_zone: Option<Zone>,
    pub(super) entry_url: Option<Filled>,
    pub(super) feedback_url: Option<Filled>,
    pub(super) statuses: BTreeMap<String, Filled>,
    pub(super) types: BTreeMap<String, Filled>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawDelivery {
    pub(super) concurrency: Option<u32>,
    pub(super) timeout: Option<Period>,
    pub(super) backoff_min: Option<Period>,
    pub(super) backoff_max: Option<Period>,
    pub(super) park_after: Option<Period>,
    pub(super) rate_per_minute: Option<u32>,
    pub(super) settle: Option<Vec<Wait>>,
    pub(super) max_creates_per_hour: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawLog {
    pub(super) format: LogFormat,
    pub(super) filter: Option<String>,
}

/// What all kinds have in common; the kind's own settings are taken out before.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RawConnector {
    pub(super) kind: Option<String>,
    pub(super) enabled: Option<bool>,
    pub(super) dry_run: bool,
    pub(super) products: Option<Vec<String>>,
    pub(super) events: Option<Vec<String>>,
    pub(super) when: BTreeMap<String, Filled>,
    pub(super) since: Option<Start>,
}

impl RawConnector {
    /// Its keys, and `delivery`, which is a table of its own.
    pub(super) const KEYS: &'static [&'static str] = &["kind", "enabled", "dry_run", "products", "events", "when", "since", "delivery"];
}
