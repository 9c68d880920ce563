//! `[connectors.NAME]`: what all kinds have in common, checked against the kind, the products and each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use figment::value::{Dict, Value};
use sleeksync_connectors::contract::{Action, AnyConnector, Claim, ItemKind};
use sleeksync_connectors::kit::template::Expression;
use sleeksync_connectors::registry::Kind;

use super::mistake::{expected_one_of, shown};
use super::products::{NAME_EXPECTED, is_name};
use super::raw::RawConnector;
use super::reader::Reader;
use super::sections::delivery;
use super::tree::{below, path};
use super::values::{Filled, Start};
use super::{ConnectorConfig, DeliveryConfig, DeliverySettings, ProductConfig, Since, instance};

/// Lanes in flight where nothing is said, and the kind does not gather more of them for one call.
const CONCURRENCY: usize = 4;

/// What connectors are checked against.
pub(super) struct Around<'a> {
    pub(super) kinds: &'static [Kind],
    pub(super) products: &'a [ProductConfig],
    pub(super) delivery: &'a DeliveryConfig,
}

/// All connectors, by name; one with a mistake is left out.
pub(super) fn connectors(reader: &mut Reader<'_>, around: &Around<'_>) -> Vec<ConnectorConfig> {
    let at = path(&["connectors"]);
    if reader.tree.get(&at).is_some_and(|value| value.as_dict().is_none()) {
        reader.report(&at, "is no table", "expected [connectors.NAME]");
    }
    let names = reader.tree.keys(&at);
    let connectors: Vec<ConnectorConfig> = names.iter().filter_map(|name| connector(reader, around, name)).collect();
    check_scopes(reader, &connectors);
    connectors
}

fn connector(reader: &mut Reader<'_>, around: &Around<'_>, name: &str) -> Option<ConnectorConfig> {
    let at = path(&["connectors", name]);
    if !is_name(name) {
        reader.report(&at, "is no name", NAME_EXPECTED);
    }
    let Some(Value::Dict(_, all)) = reader.tree.get(&at) else {
        reader.report(&at, "is no table", "expected [connectors.NAME]");
        return None;
    };
    let (mut common, settings): (Dict, Dict) = all.clone().into_iter().partition(|(key, _)| RawConnector::KEYS.contains(&key.as_str()));
    common.remove("delivery");
    let raw: RawConnector = reader.read_value(&at, Value::from(common));
    let merged = delivery(reader, &below(&at, "delivery"), around.delivery);
    check_products(reader, &at, around, raw.products.as_deref());
    let kind = find_kind(reader, &at, around, raw.kind.as_deref())?;
    check_single_product(reader, &at, around, kind, raw.products.as_deref());
    let events = events(reader, &at, kind, raw.events);
    let when = when(reader, &at, kind, raw.when);
    let instance: Arc<dyn AnyConnector> = instance::build(reader, &at, kind, settings)?.into();
    Some(ConnectorConfig {
        name: name.to_owned(),
        kind,
        enabled: raw.enabled.unwrap_or(true),
        dry_run: raw.dry_run,
        products: raw.products,
        events,
        when,
        since: since(kind, raw.since),
        delivery: resolve(&merged, instance.as_ref()),
        instance,
    })
}

fn find_kind(reader: &mut Reader<'_>, at: &[String], around: &Around<'_>, word: Option<&str>) -> Option<&'static Kind> {
    let at = below(at, "kind");
    let known = || around.kinds.iter().map(|kind| kind.name);
    match word {
        Some(word) => {
            let found = around.kinds.iter().find(|kind| kind.name == word);
            if found.is_none() {
                reader.report(&at, format!("{} is no kind", shown(word)), expected_one_of(word, known()));
            }
            found
        }
        None => {
            if !reader.is_marked(&at) {
                reader.report(&at, "is missing", expected_one_of("", known()));
            }
            None
        }
    }
}

fn check_products(reader: &mut Reader<'_>, at: &[String], around: &Around<'_>, names: Option<&[String]>) {
    let at = below(at, "products");
    let known = || around.products.iter().map(|product| product.name.as_str());
    match names {
        Some([]) => reader.report(&at, "is empty", "expected names of products, or no such key"),
        Some(names) => {
            for (place, name) in names.iter().enumerate().filter(|(_, name)| !known().any(|known| known == *name)) {
                let expected =
                    if around.products.is_empty() { format!("expected a table [products.{name}]") } else { expected_one_of(name, known()) };
                reader.report(&below(&at, place.to_string()), format!("{} is no configured product", shown(name)), expected);
            }
        }
        None => {}
    }
}

fn check_single_product(reader: &mut Reader<'_>, at: &[String], around: &Around<'_>, kind: &Kind, names: Option<&[String]>) {
    let count = names.map_or(around.products.len(), <[String]>::len);
    if kind.capabilities.single_product && count > 1 {
        let problem = format!("has {count} products, and a `{}` serves one", kind.name);
        reader.report(&below(at, "products"), problem, "expected one name, and another connector for each further product");
    }
}

fn events(reader: &mut Reader<'_>, at: &[String], kind: &Kind, words: Option<Vec<String>>) -> Option<Vec<Action>> {
    let at = below(at, "events");
    let usable = || Action::ALL.iter().filter(|action| kind.capabilities.items.contains(&action.kind()));
    let Some(words) = words else {
        if kind.capabilities.events_required && !reader.is_marked(&at) {
            reader.report(&at, "is missing", format!("expected a list, because kind `{}` has to be told what to send", kind.name));
        }
        return None;
    };
    if words.is_empty() {
        reader.report(&at, "is empty", "expected events such as [\"changelog.create\"], or no such key");
    }
    let mut actions = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let at = below(&at, place.to_string());
        match word.parse::<Action>() {
            Ok(action) if usable().any(|usable| *usable == action) => actions.push(action),
            Ok(_) => reader.report(
                &at,
                format!("kind `{}` cannot use {}", kind.name, shown(word)),
                expected_one_of("", usable().map(|action| action.as_str())),
            ),
            Err(_) => {
                reader.report(&at, format!("{} is no event", shown(word)), expected_one_of(word, usable().map(|action| action.as_str())));
            }
        }
    }
    actions.sort_unstable();
    actions.dedup();
    Some(actions)
}

fn when(reader: &mut Reader<'_>, at: &[String], kind: &Kind, raw: BTreeMap<String, Filled>) -> BTreeMap<ItemKind, Expression> {
    let at = below(at, "when");
    if raw.is_empty() && reader.tree.get(&at).is_some() && !reader.is_marked(&at) {
        reader.report(&at, "is empty", "expected expressions by kind of item, or no such key");
    }
    let items = kind.capabilities.items;
    let mut when = BTreeMap::new();
    for (word, Filled(expression)) in raw {
        match items.iter().find(|item| item.template_name() == word) {
            Some(item) => match Expression::new(&expression, *item) {
                Ok(expression) => drop(when.insert(*item, expression)),
                Err(problem) => {
                    reader.report_advised(&below(&at, word.as_str()), &problem, "expected a condition such as \"votes_up >= 5\"")
                }
            },
            None => reader.report(
                &below(&at, word.as_str()),
                format!("kind `{}` takes no such item", kind.name),
                expected_one_of(&word, items.iter().map(|item| item.template_name())),
            ),
        }
    }
    when
}

fn since(kind: &Kind, raw: Option<Start>) -> Since {
    match raw {
        Some(Start(Some(at))) => Since::At(at),
        Some(Start(None)) => Since::All,
        None if kind.capabilities.takes_history => Since::All,
        None => Since::FirstRun,
    }
}

/// What is still open is the kind's own; its rate is the vendor's, so it holds at the vendor's public host only.
fn resolve(merged: &DeliveryConfig, instance: &dyn AnyConnector) -> DeliverySettings {
    let capabilities = instance.capabilities();
    let rate = if instance.is_public_host() { capabilities.rate_per_minute } else { 0 };
    DeliverySettings {
        // What is gathered for one call are lanes in flight.
        concurrency: merged.concurrency.unwrap_or(CONCURRENCY.max(capabilities.batch_max)),
        timeout: merged.timeout,
        backoff_min: merged.backoff_min,
        backoff_max: merged.backoff_max,
        park_after: merged.park_after,
        rate_per_minute: merged.rate_per_minute.unwrap_or(rate),
        settle: merged.settle.clone().unwrap_or_else(|| capabilities.settle.to_vec()),
        creates_per_hour_max: merged.creates_per_hour_max.unwrap_or(capabilities.max_creates_per_hour),
    }
}

/// Two that write one file would each undo what the other wrote.
fn check_claims(reader: &mut Reader<'_>, one: &ConnectorConfig, other: &ConnectorConfig) {
    let taken = one.instance.claims();
    for Claim { key, place } in other.instance.claims() {
        if taken.iter().any(|claim| claim.place == place) {
            let problem = format!("writes {} like connectors.{}", shown(&place), one.name);
            reader.report(&below(&path(&["connectors", &other.name]), key), problem, format!("expected another {key} for one of them"));
        }
    }
}

/// Two that write the same kinds of items to one place would fight over every object.
fn check_scopes(reader: &mut Reader<'_>, connectors: &[ConnectorConfig]) {
    let enabled: Vec<&ConnectorConfig> = connectors.iter().filter(|connector| connector.enabled).collect();
    for (place, one) in enabled.iter().enumerate() {
        for other in enabled.iter().skip(place + 1) {
            check_claims(reader, one, other);
            let shares = one.kind.capabilities.items.iter().any(|item| other.kind.capabilities.items.contains(item));
            if shares && one.instance.scope() == other.instance.scope() {
                let scope = one.instance.scope().to_string();
                let problem = format!("writes to {} like connectors.{}, and both take the same kinds of items", shown(&scope), one.name);
                reader.report(&path(&["connectors", &other.name]), problem, "expected one of them disabled, or another target");
            }
        }
    }
}
