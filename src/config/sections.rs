//! The fixed sections: defaults filled in, bounds and combinations checked.

use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use sleeksync_connectors::contract::Secret;
use tracing_subscriber::EnvFilter;

use super::mistake::shown;
use super::raw::{RawAdmin, RawDelivery, RawLog, RawReceiver, RawStore};
use super::reader::Reader;
use super::tree::{below, path};
use super::values::{Filled, Listen, Period, Size};
use super::{AdminConfig, DeliveryConfig, LogConfig, ReceiverConfig, StoreConfig};

/// Longest body that may be configured: several of them still fit one write of the journal.
const BODY_BYTES_MAX: u64 = 8 << 20;
/// Shortest: the vendor's own sample has half of it.
const BODY_BYTES_MIN: u64 = 4 << 10;
const CONNECTIONS_MAX: u32 = 65_536;
const CONCURRENCY_MAX: u32 = 256;
const SETTLE_MAX: usize = 32;
/// A request that takes longer holds its lane for no good.
const TIMEOUT_MAX: Duration = Duration::from_secs(3600);

/// `[receiver]`. With `needs_keys`, one without keys is a mistake unless it says so.
pub(super) fn receiver(reader: &mut Reader<'_>, needs_keys: bool) -> ReceiverConfig {
    let at = path(&["receiver"]);
    let raw: RawReceiver = reader.read(&at, &["keys"]);
    let webhook = raw.path.unwrap_or_else(|| "/webhooks/sleekplan".to_owned());
    check_webhook_path(reader, &webhook);
    check_keys(reader, &raw.keys, needs_keys && !raw.allow_unauthenticated);
    let body_bytes = raw.max_body.map_or(1 << 20, |Size(bytes)| bytes);
    if !(BODY_BYTES_MIN..=BODY_BYTES_MAX).contains(&body_bytes) {
        reader.report(&below(&at, "max_body"), "is out of bounds", "expected between 4KiB and 8MiB");
    }
    let connections = raw.max_connections.unwrap_or(1024);
    if !(1..=CONNECTIONS_MAX).contains(&connections) {
        reader.report(&below(&at, "max_connections"), "is out of bounds", format!("expected between 1 and {CONNECTIONS_MAX}"));
    }
    let capture_dir = raw.capture_dir.map(|Filled(dir)| reader.tree.resolve(&below(&at, "capture_dir"), FilePath::new(&dir)));
    ReceiverConfig {
        listen: raw.listen.map_or_else(|| ([127, 0, 0, 1], 8080).into(), |Listen(listen)| listen),
        path: webhook,
        keys: raw.keys,
        allow_unauthenticated: raw.allow_unauthenticated,
        public_url: raw.public_url.map(|url| url.0),
        body_bytes_max: usize::try_from(body_bytes).unwrap_or(usize::MAX),
        header_timeout: or_seconds(raw.header_timeout, 10),
        body_timeout: or_seconds(raw.body_timeout, 10),
        connections_max: usize::try_from(connections).unwrap_or(usize::MAX),
        capture_dir,
    }
}

fn check_webhook_path(reader: &mut Reader<'_>, webhook: &str) {
    const EXPECTED: &str = "expected a path such as \"/webhooks/sleekplan\"";
    let at = path(&["receiver", "path"]);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~');
    if !webhook.starts_with('/') {
        reader.report(&at, "does not start with `/`", EXPECTED);
    } else if !webhook.chars().all(is_plain) {
        reader.report(&at, "has a character that is not a letter, a digit or one of / - _ . ~", EXPECTED);
    } else if webhook == "/health" || webhook.starts_with("/health/") {
        reader.report(&at, "belongs to the health answers", EXPECTED);
    }
}

fn check_keys(reader: &mut Reader<'_>, keys: &[Secret], is_needed: bool) {
    let at = path(&["receiver", "keys"]);
    if keys.is_empty() && reader.tree.get(&at).is_some() && !reader.is_marked(&at) {
        reader.report(&at, "is empty", "expected the key of Sleekplan's webhook, or no such key and allow_unauthenticated = true");
    }
    if keys.is_empty() && is_needed && !reader.is_marked(&at) {
        reader.report(
            &at,
            "is missing",
            "expected the key of Sleekplan's webhook, such as [{ env = \"SLEEKPLAN_WEBHOOK_KEY\" }], or allow_unauthenticated = true",
        );
    }
}

/// `[admin]`.
pub(super) fn admin(reader: &mut Reader<'_>) -> AdminConfig {
    let at = path(&["admin"]);
    let raw: RawAdmin = reader.read(&at, &["token"]);
    let Listen(listen) = raw.listen.unwrap_or(Listen(([127, 0, 0, 1], 9280).into()));
    let token_at = below(&at, "token");
    if raw.token.is_none() && !listen.ip().is_loopback() && !reader.is_marked(&token_at) {
        reader.report(&below(&at, "listen"), "is not loopback, and there is no admin.token", "expected a token, or a loopback address");
    }
    for (place, Filled(host)) in raw.hosts.iter().enumerate() {
        if host.contains(['/', ' ', '@', '?', '#']) {
            let at = below(&below(&at, "hosts"), place.to_string());
            reader.report(&at, format!("{} is no host name", shown(host)), "expected a name such as \"sleeksync.example.com\"");
        }
    }
    AdminConfig { listen, token: raw.token, hosts: raw.hosts.into_iter().map(|host| host.0).collect() }
}

/// `[store]`.
pub(super) fn store(reader: &mut Reader<'_>) -> StoreConfig {
    let at = path(&["store"]);
    let raw: RawStore = reader.read(&at, &[]);
    let written = raw.path.map_or_else(|| PathBuf::from("data"), |Filled(path)| PathBuf::from(path));
    StoreConfig {
        path: reader.tree.resolve(&below(&at, "path"), &written),
        retention: raw.retention.map_or(Duration::from_secs(90 * 86_400), |period| period.0),
        free_bytes_min: raw.min_free.map_or(256 << 20, |Size(bytes)| bytes),
        unsafe_no_fsync: raw.unsafe_no_fsync,
    }
}

/// `[log]`.
pub(super) fn log(reader: &mut Reader<'_>) -> LogConfig {
    let at = path(&["log"]);
    let raw: RawLog = reader.read(&at, &[]);
    let filter = raw.filter.unwrap_or_else(|| "info".to_owned());
    if filter.trim().is_empty() || EnvFilter::try_new(&filter).is_err() {
        reader.report(
            &below(&at, "filter"),
            format!("{} is no filter", shown(&filter)),
            "expected a level or directives, such as \"info\" or \"sleeksync=debug,warn\"",
        );
    }
    LogConfig { format: raw.format, filter }
}

/// `[delivery]`, or a connector's own over `base`.
pub(super) fn delivery(reader: &mut Reader<'_>, at: &[String], base: &DeliveryConfig) -> DeliveryConfig {
    let raw: RawDelivery = reader.read(at, &[]);
    let concurrency = raw.concurrency.map(|count| usize::try_from(count).unwrap_or(usize::MAX)).or(base.concurrency);
    if raw.concurrency.is_some_and(|count| !(1..=CONCURRENCY_MAX).contains(&count)) {
        reader.report(&below(at, "concurrency"), "is out of bounds", format!("expected between 1 and {CONCURRENCY_MAX}"));
    }
    let says_settle = raw.settle.is_some();
    let merged = DeliveryConfig {
        concurrency,
        timeout: raw.timeout.map_or(base.timeout, |period| period.0),
        backoff_min: raw.backoff_min.map_or(base.backoff_min, |period| period.0),
        backoff_max: raw.backoff_max.map_or(base.backoff_max, |period| period.0),
        park_after: raw.park_after.map_or(base.park_after, |period| period.0),
        rate_per_minute: raw.rate_per_minute.or(base.rate_per_minute),
        settle: raw.settle.map(|waits| waits.into_iter().map(|wait| wait.0).collect()).or_else(|| base.settle.clone()),
        creates_per_hour_max: raw.max_creates_per_hour.or(base.creates_per_hour_max),
    };
    // What is inherited was checked where it stands.
    if raw.timeout.is_some() && merged.timeout > TIMEOUT_MAX {
        reader.report(&below(at, "timeout"), "is too long", "expected at most \"1h\"");
    }
    if merged.backoff_max < merged.backoff_min && (raw.backoff_max.is_some() || raw.backoff_min.is_some()) {
        let key = if raw.backoff_max.is_some() { "backoff_max" } else { "backoff_min" };
        reader.report(&below(at, key), "leaves backoff_max below backoff_min", "expected backoff_min <= backoff_max");
    }
    match merged.settle.as_deref().filter(|_| says_settle) {
        Some([]) => reader.report(&below(at, "settle"), "is empty", "expected waits such as [\"0s\", \"30s\", \"2m\"], or no such key"),
        Some(waits) if waits.len() > SETTLE_MAX => {
            reader.report(&below(at, "settle"), "is too long", format!("expected at most {SETTLE_MAX} waits"));
        }
        _ => {}
    }
    merged
}

/// `[delivery]` where nothing is said.
pub(super) fn delivery_defaults() -> DeliveryConfig {
    DeliveryConfig {
        concurrency: None,
        timeout: Duration::from_secs(30),
        backoff_min: Duration::from_secs(1),
        backoff_max: Duration::from_secs(300),
        park_after: Duration::from_secs(86_400),
        rate_per_minute: None,
        settle: None,
        creates_per_hour_max: None,
    }
}

fn or_seconds(period: Option<Period>, default: u64) -> Duration {
    period.map_or(Duration::from_secs(default), |period| period.0)
}
