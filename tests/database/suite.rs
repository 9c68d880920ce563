//! Cases, the orders in which their bodies are sent, and the comparison of every row with what is expected.
//!
//! All runs of a test share one daemon, each in a workspace of its own: the vendor's, counted up. So transactions hold rows of many of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::{Map, Value, json};
use sleeksync_connectors::contract::ItemKind;
use sleeksync_connectors::kit::database::Table;
use sleeksync_connectors::testing::Nobody;
use sleeksync_connectors::testing::database::Row;

use super::START_MS;
use super::daemon::{Daemon, PRODUCT, config};
use super::place::Place;

/// Requests in flight towards the receiver.
const CLIENTS: usize = 16;
/// Bodies whose every order is tried; of more, every rotation of them and of their reverse.
const PERMUTED_MAX: usize = 4;

/// In which orders a case holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Any,
    /// What counts is the order of arrival.
    AsSent,
}

/// Bodies of the vendor's workspace, and the rows that stand when all of them have been delivered.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub bodies: Vec<String>,
    /// The rows of each table that has any. A column that is not named must be null, `raw` excepted; a `source_ts` of null is the time of receipt.
    pub rows: Value,
    pub order: Order,
    /// What is answered to each body: the status, or the code of the error.
    pub said: &'static str,
}

impl Case {
    pub fn new(name: impl Into<String>, bodies: impl IntoIterator<Item = String>, rows: Value) -> Self {
        Self { name: name.into(), bodies: bodies.into_iter().collect(), rows, order: Order::Any, said: "accepted" }
    }

    pub fn in_this_order(self) -> Self {
        Self { order: Order::AsSent, ..self }
    }

    pub fn said(self, said: &'static str) -> Self {
        Self { said, ..self }
    }

    /// The orders, each a list of what is posted from one time that everything is delivered to the next.
    fn orders(&self) -> Vec<Vec<Vec<String>>> {
        let alone = |order: Vec<String>| order.into_iter().map(|body| vec![body]).collect::<Vec<_>>();
        let orders = if self.order == Order::Any { orders(&self.bodies) } else { vec![self.bodies.clone()] };
        let mut orders: Vec<_> = orders.into_iter().map(alone).collect();
        // Each twice at once, and all of them again when everything stands.
        let twice = self.bodies.iter().map(|body| vec![body.clone(), body.clone()]);
        orders.push(twice.chain(alone(self.bodies.clone())).collect());
        if self.bodies.len() > 1 {
            orders.push(vec![self.bodies.clone()]);
        }
        orders
    }
}

/// A body as Sleekplan sends it, so many seconds after the start.
pub fn body(action: &str, at: i64, data: Value) -> String {
    json!({"product_id": PRODUCT, "action": action, "data": data, "timestamp": (START_MS + at * 1000).to_string()}).to_string()
}

/// These columns, with the time of a state.
pub fn at(seconds: i64, mut columns: Value) -> Value {
    columns["source_ts"] = json!(START_MS + seconds * 1000);
    columns
}

/// The same for what was deleted then.
pub fn gone(seconds: i64, mut columns: Value) -> Value {
    columns["deleted_at"] = json!(START_MS + seconds * 1000);
    at(seconds, columns)
}

fn orders(bodies: &[String]) -> Vec<Vec<String>> {
    if bodies.len() <= PERMUTED_MAX {
        return permutations(bodies);
    }
    let rotations = |mut bodies: Vec<String>| {
        (0..bodies.len()).map(move |_| {
            bodies.rotate_left(1);
            bodies.clone()
        })
    };
    rotations(bodies.to_vec()).chain(rotations(bodies.iter().rev().cloned().collect())).collect()
}

fn permutations(bodies: &[String]) -> Vec<Vec<String>> {
    if bodies.is_empty() {
        return vec![Vec::new()];
    }
    let first = |at: usize| {
        let mut rest = bodies.to_vec();
        let first = rest.remove(at);
        permutations(&rest).into_iter().map(move |rest| [vec![first.clone()], rest].concat())
    };
    (0..bodies.len()).flat_map(first).collect()
}

/// One order of a case, in a workspace of its own.
struct Run {
    name: String,
    product: u64,
    rounds: Vec<Vec<String>>,
    rows: Value,
    said: &'static str,
}

impl Run {
    fn of(case: &Case, order: usize, rounds: &[Vec<String>], product: u64) -> Self {
        let moved = |text: &str| text.replace(&PRODUCT.to_string(), &product.to_string());
        Self {
            name: format!("{}, order {order}", case.name),
            product,
            rounds: rounds.iter().map(|round| round.iter().map(|body| moved(body)).collect()).collect(),
            rows: serde_json::from_str(&moved(&case.rows.to_string())).unwrap(),
            said: case.said,
        }
    }

    /// Posts the bodies of one round, one after the other.
    async fn post(&self, daemon: &Daemon, round: usize) {
        for (number, body) in self.rounds.get(round).into_iter().flatten().enumerate() {
            let answer = daemon.offer(body.clone()).await;
            let said = if answer["error"].is_null() { &answer["status"] } else { &answer["error"]["code"] };
            let known = self.rounds.iter().take(round).flatten().chain(self.rounds[round].iter().take(number)).any(|known| known == body);
            // What is no JSON has nothing to be compared by; and without a time, a body repeats only the newest one of its item.
            let expected = if known && self.said != "not_json" { "duplicate" } else { self.said };
            assert!(*said == expected || (known && !body.contains("\"timestamp\"")), "{}: {said} to {body}", self.name);
        }
    }

    /// How its rows differ from what is expected.
    fn differences(&self, found: &BTreeMap<ItemKind, BTreeMap<String, Vec<Row>>>, started_ms: i64) -> Vec<String> {
        let mut differences = Vec::new();
        for kind in ItemKind::ALL {
            let (table, none) = (Table::of(*kind), Vec::new());
            let found = found[kind].get(&self.product.to_string()).unwrap_or(&none);
            let mut expected = self.rows[table.name].as_array().cloned().unwrap_or_default();
            expected.sort_by_key(|row| table.key.iter().map(|name| row[*name].to_string()).collect::<Vec<_>>());
            if found.len() != expected.len() {
                differences.push(format!(
                    "{}: {} rows of {}, expected {}: {}",
                    self.name,
                    found.len(),
                    table.name,
                    expected.len(),
                    json!(found)
                ));
                continue;
            }
            let differ = |(found, expected): (&Row, &Value)| differing(found, expected.as_object().unwrap(), started_ms);
            let lines = found.iter().zip(&expected).flat_map(differ);
            differences.extend(lines.map(|line| format!("{}: {}.{line}", self.name, table.name)));
        }
        differences
    }
}

fn differing(found: &Row, expected: &Map<String, Value>, started_ms: i64) -> Vec<String> {
    let unknown = expected.keys().filter(|name| !found.contains_key(*name)).map(|name| format!("{name} is no column"));
    let columns = found.iter().filter(|(name, value)| match (name.as_str(), expected.get(*name)) {
        ("product_id", _) | ("raw", None) => false,
        ("source_ts", None | Some(Value::Null)) => value.as_i64() < Some(started_ms),
        (_, expected) => *value != expected.unwrap_or(&Value::Null),
    });
    let shown = |(name, value): (&String, &Value)| {
        let cut = |value: &Value| value.to_string().chars().take(300).collect::<String>();
        format!("{name} is {}, expected {}", cut(value), cut(expected.get(name).unwrap_or(&Value::Null)))
    };
    unknown.chain(columns.map(shown)).collect()
}

/// Sends the bodies of all cases in all their orders, and compares every row there is. Answers how often commits were cut, see [`Place`].
pub async fn holds(test: &str, cases: &[Case]) -> Option<[usize; 2]> {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::of(folder.path(), test).await;
    let daemon = Daemon::start(&config(folder.path(), &place.connector()), &Arc::new(Nobody)).await;
    let started_ms = sleeksync::clock::Clock::system().now().as_ms();
    let orders = cases.iter().flat_map(|case| case.orders().into_iter().enumerate().map(move |(number, rounds)| (case, number, rounds)));
    let runs: Vec<Run> = (PRODUCT..).zip(orders).map(|(product, (case, number, rounds))| Run::of(case, number, &rounds, product)).collect();
    assert!(!runs.is_empty(), "nothing was tried");
    for round in 0..runs.iter().map(|run| run.rounds.len()).max().unwrap_or(0) {
        stream::iter(&runs).for_each_concurrent(CLIENTS, |run| run.post(&daemon, round)).await;
        daemon.settled("copy").await;
    }
    assert_eq!(daemon.parked(), Vec::<Value>::new());
    daemon.stop().await;
    let mut found = BTreeMap::new();
    for kind in ItemKind::ALL {
        let by_product: &mut BTreeMap<String, Vec<Row>> = found.entry(*kind).or_default();
        for row in place.rows(*kind).await {
            by_product.entry(row["product_id"].as_str().unwrap().to_owned()).or_default().push(row);
        }
    }
    let differences: Vec<String> = runs.iter().flat_map(|run| run.differences(&found, started_ms)).collect();
    let count = differences.len();
    assert!(differences.is_empty(), "{count} of {} runs' cells differ:\n{}", runs.len(), differences[..count.min(60)].join("\n"));
    place.cuts()
}
