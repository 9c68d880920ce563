//! `[products.NAME]`: the workspaces.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use sleeksync_connectors::contract::{Fields, Item, ItemId, ItemKind, ProductId, Time};
use sleeksync_connectors::kit::template::{Output, Template};
use sleeksync_connectors::kit::view::public_url;
use url::Url;

use super::ProductConfig;
use super::raw::RawProduct;
use super::reader::Reader;
use super::tree::{below, path};
use super::values::{Filled, Zone};

/// Where Sleekplan's REST API is (docs page "REST API", base address).
const API_URL: &str = "https://api.sleekplan.com/v1";

/// What the names of products and connectors look like, for messages.
pub(super) const NAME_EXPECTED: &str = "expected a name of a-z, 0-9, _ and -, at most 63 long, starting with a letter or digit";

/// Whether a name is `[a-z0-9][a-z0-9_-]{0,62}`: safe in paths, metrics and addresses.
pub(super) fn is_name(name: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.len() <= 63 && name.bytes().next().is_some_and(is_plain) && name.bytes().all(|b| is_plain(b) || matches!(b, b'_' | b'-'))
}

/// All products, by name.
pub(super) fn products(reader: &mut Reader<'_>) -> Vec<ProductConfig> {
    let at = path(&["products"]);
    if reader.tree.get(&at).is_some_and(|value| value.as_dict().is_none()) {
        reader.report(&at, "is no table", "expected [products.NAME]");
    }
    let names = reader.tree.keys(&at);
    let products: Vec<ProductConfig> = names.iter().filter_map(|name| product(reader, name)).collect();
    check_ids(reader, &products);
    products
}

fn product(reader: &mut Reader<'_>, name: &str) -> Option<ProductConfig> {
    let at = path(&["products", name]);
    if !is_name(name) {
        reader.report(&at, "is no name", NAME_EXPECTED);
    }
    let raw: RawProduct = reader.read(&at, &["api_key"]);
    if raw.id == Some(0) {
        reader.report(&below(&at, "id"), "is zero", "expected the product's number at Sleekplan");
    }
    let product = ProductConfig {
        name: name.to_owned(),
        id: raw.id.map(ProductId),
        api_key: raw.api_key,
        // The fixed address parses.
        api_url: raw.api_url.map(|url| url.0).or_else(|| Url::parse(API_URL).ok())?,
        reconcile_every: raw.reconcile_every.map_or(Duration::from_secs(900), |period| period.0),
        time_zone: raw.time_zone.map_or(TimeZone::UTC, |Zone(zone)| zone),
        entry_url: raw.entry_url.map(|url| url.0),
        feedback_url: raw.feedback_url.map(|url| url.0),
        statuses: labels(raw.statuses),
        types: labels(raw.types),
    };
    check_templates(reader, &at, &product);
    Some(product)
}

/// Checks the two address templates by themselves, then on a sample: they see an id and a title, no more.
fn check_templates(reader: &mut Reader<'_>, at: &[String], product: &ProductConfig) {
    let sample = product.product(ProductId(1));
    for (key, kind, source) in
        [("entry_url", ItemKind::Changelog, &product.entry_url), ("feedback_url", ItemKind::Feedback, &product.feedback_url)]
    {
        let Some(source) = source else { continue };
        let item = ItemId::top(sample.id, kind, "1").map(|id| Item { id, fields: Fields::default(), at: Time::ZERO, deleted: false });
        match Template::new(key, source, Output::Text) {
            Err(error) => reader.report_advised(&below(at, key), &error.problem, &format!("expected {}", error.expected)),
            Ok(_) if item.is_none_or(|item| public_url(&item, &sample).is_none()) => {
                let name = kind.template_name();
                reader.report(&below(at, key), "cannot be filled in", format!("expected {name}.id and {name}.title at most"));
            }
            Ok(_) => {}
        }
    }
}

fn labels(raw: BTreeMap<String, Filled>) -> BTreeMap<String, String> {
    raw.into_iter().map(|(key, Filled(label))| (key, label)).collect()
}

fn check_ids(reader: &mut Reader<'_>, products: &[ProductConfig]) {
    let mut seen: BTreeMap<ProductId, &str> = BTreeMap::new();
    for product in products {
        let at = path(&["products", &product.name, "id"]);
        match product.id {
            None if products.len() > 1 && !reader.is_marked(&at) => {
                reader.report(&at, "is missing", "expected the product's number: it may be left out only where one product is configured");
            }
            None => {}
            Some(id) => match seen.get(&id) {
                Some(other) => reader.report(&at, format!("is the id of `{other}` too"), "expected one table per product"),
                None => {
                    seen.insert(id, &product.name);
                }
            },
        }
    }
}
