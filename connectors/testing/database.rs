//! What every connector to a database has to fulfil, as scenarios that are run against real ones.
//!
//! Each scenario gets a database of its own that holds nothing yet, and says in words how it was broken. SQLite runs them with every test;
//! PostgreSQL from `tests/real/postgres.sh`, which starts a server.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use super::engine::{self, Engine};
use super::items::{Case, Given, comment, entry, feedback, product, satisfaction, subscriber, subscription, user, vote};
use super::nobody::Nobody;
use super::world::key_of;
use crate::contract::{Change, Connector, ItemKind, Links, Plan, RemoteKey, Time};
use crate::kit::database::{TABLES, Table, Type};

/// A row, by column.
pub type Row = Map<String, Value>;

/// Tables that a connector writes, read as any program would.
pub trait Tables: Sync {
    /// All rows of a table or view, in any order, as JSON; columns of JSON are read.
    fn rows(&self, name: &str) -> impl Future<Output = Vec<Row>> + Send;
}

/// A database that a scenario has for itself.
pub trait Place: Tables {
    /// What writes it.
    type Connector: Connector;

    /// A connector to it, with no connection yet.
    fn connector(&self) -> Self::Connector;
}

/// How a scenario ends: nothing, or how it was broken.
pub type Ends = Result<(), String>;

/// All scenarios, each in a place of its own, with how they end.
pub async fn all<P: Place>(fresh: impl AsyncFn(&'static str) -> P) -> Vec<(&'static str, Ends)> {
    let mut ends = Vec::new();
    macro_rules! run {
        ($($name:ident)*) => { $( ends.push((stringify!($name), $name(&fresh(stringify!($name)).await).await)); )* };
    }
    run! {
        every_kind_has_its_row the_newest_state_wins odd_values_survive a_deleted_person_stands_nowhere the_views_answer
        many_at_once_are_written nothing_is_written_without_news
    }
    ends
}

fn broken(what: &str, expected: &Value, found: &Value) -> Ends {
    if expected == found { Ok(()) } else { Err(format!("{what}: expected {expected}, found {found}")) }
}

/// Brings states to the database in this order, each as the daemon would: with what it knows of the links.
pub(super) async fn bring<C: Connector>(connector: &C, all: &[Given]) -> Ends {
    let mut links = BTreeMap::new();
    for given in all {
        let links: &mut Links = links.entry(given.item.id.clone()).or_default();
        let engine = Engine { twice: true, ..Engine::new(connector, &Nobody, given.at) };
        engine
            .run(planned(connector, given, links)?, links)
            .await
            .map_err(|failure| format!("{}: {failure}: {}", given.item.id, failure.cause()))?;
    }
    Ok(())
}

/// The same without any memory of what was brought before: a lost answer, or a daemon that was restored.
async fn bring_blindly<C: Connector>(connector: &C, all: &[Given]) -> Ends {
    for given in all {
        bring(connector, std::slice::from_ref(given)).await?;
    }
    Ok(())
}

fn planned<C: Connector>(connector: &C, given: &Given, links: &Links) -> Result<Plan<C::Op>, String> {
    let (product, key) = (product(), key_of(&connector.scope(), &given.item.id));
    let change = Change {
        item: &given.item,
        parent: given.parent.as_ref(),
        event: None,
        product: &product,
        key: &key,
        at: given.at,
        is_history: false,
    };
    connector.plan(&change, links).map_err(|error| format!("{} cannot be planned: {error}", given.item.id))
}

/// The rows of a table, each database's ways of writing a value evened out, ordered by their key: times are milliseconds.
pub async fn rows<T: Tables>(tables: &T, kind: ItemKind) -> Vec<Row> {
    let table = Table::of(kind);
    let mut rows = tables.rows(table.name).await;
    rows.iter_mut().for_each(|row| even(table, row));
    rows.sort_by_key(|row| table.key.iter().map(|name| row.get(*name).map(Value::to_string)).collect::<Vec<_>>());
    rows
}

/// How many rows the object of this key is: each case of [`cases`] is about one item, so of its table all rows that carry its id.
pub fn objects(key: &RemoteKey, rows: impl FnOnce(&str) -> Vec<Row>) -> usize {
    let id = Value::from(key.key().rsplit('-').next().unwrap_or_default());
    let kind = key.key().split('-').nth(2).unwrap_or_default();
    let Some(table) = TABLES.iter().find(|table| table.kind.as_str() == kind) else { return 0 };
    let column = table.key.last().copied().unwrap_or_default();
    rows(table.name).iter().filter(|row| row.get(column) == Some(&id)).count()
}

fn even(table: &Table, row: &mut Row) {
    let own = table.columns.iter().map(|column| (column.name, column.kind));
    for (name, kind) in own.chain([("deleted_at", Type::Time)]) {
        let Some(value) = row.get_mut(name) else { continue };
        let text = value.as_str().map(str::to_owned);
        match (kind, text) {
            (Type::Flag, None) if value.is_number() => *value = json!(value.as_i64() == Some(1)),
            (Type::Time, Some(text)) => *value = json!(Time::parse_rfc3339(&text).map(Time::as_ms).unwrap_or(-1)),
            (Type::Real, None) => *value = value.as_f64().map_or(Value::Null, |number| json!(number)),
            _ => {}
        }
    }
}

pub(super) async fn only<P: Place>(place: &P, kind: ItemKind) -> Result<Row, String> {
    let mut rows = rows(place, kind).await;
    let count = rows.len();
    rows.pop().filter(|_| count == 1).ok_or_else(|| format!("{kind}: expected one row, found {count}"))
}

pub(super) fn holds(what: &str, row: &Row, expected: &Value) -> Ends {
    let Value::Object(expected) = expected else { return Err("expected columns".to_owned()) };
    expected.iter().try_for_each(|(name, value)| broken(&format!("{what}.{name}"), value, row.get(name).unwrap_or(&Value::Null)))
}

fn later(mut given: Given, by: i64) -> Given {
    let apart = Duration::from_secs(by.unsigned_abs());
    let moved = |at: Time| if by < 0 { at.minus(apart) } else { at.plus(apart) };
    (given.item.at, given.at) = (moved(given.item.at), moved(given.at));
    given
}

/// One of each kind of item.
fn everything() -> Vec<Given> {
    let post = feedback(json!({}));
    vec![
        post.clone(),
        comment(&post, json!({"parent": 0, "pinned": "1", "likes": "3", "files": []})),
        vote(&post, json!({})),
        subscription(&post, json!({})),
        user(json!({"data": {"companyName": "Acme"}, "segments": ["a"], "weight": 4, "created": "2026-03-01 09:00:00"})),
        entry(json!({})),
        subscriber(json!({})),
        satisfaction(json!({})),
    ]
}

/// Every kind of item has a row with typed columns, all Sleekplan said, and its time.
///
/// # Errors
/// How it was broken.
pub async fn every_kind_has_its_row<P: Place>(place: &P) -> Ends {
    let connector = place.connector();
    bring(&connector, &everything()).await?;
    let nine = 1_772_355_600_000_i64;
    let expected = [
        (
            ItemKind::Feedback,
            json!({"product_id": "5456534244", "feedback_id": "48121", "title": "Export to CSV", "status": "s68dfa8421c534",
                "status_label": "In progress", "type_label": "Integrations", "total_up": 9, "total_down": 1, "is_active": true,
                "tags": [], "user_id": "884001", "merge_id": null, "created": nine}),
        ),
        (
            ItemKind::Comment,
            json!({"feedback_id": "48121", "comment_id": "9001", "comment": "+1 from our team", "parent": null, "pinned": true,
                "likes": 3, "public": true, "user_id": "884001", "files": []}),
        ),
        (ItemKind::Vote, json!({"feedback_id": "48121", "user_id": "884001", "vote": 1, "created": null})),
        (ItemKind::Subscription, json!({"feedback_id": "48121", "user_id": "884001"})),
        (
            ItemKind::User,
            json!({"user_id": "884001", "data_mail": "jane@example.com", "data": {"companyName": "Acme"}, "segments": ["a"],
                "anonymous": false, "admin_id": null, "weight": 4.0, "notify": true, "created": nine}),
        ),
        (
            ItemKind::Changelog,
            json!({"changelog_id": "771", "feedback_id": "48121", "draft": false, "enabled": true, "segment": null,
                "settings": {"cta": {"href": "https://example.com", "text": "Try it", "color": "#00b3a4"}}}),
        ),
        (ItemKind::Subscriber, json!({"user_id": "884001", "data_name": "janesmith"})),
        (ItemKind::Satisfaction, json!({"satisfaction_id": "55", "vote": 5, "comment": "Great", "user_id": "884001"})),
    ];
    for (given, (kind, columns)) in everything().into_iter().zip(expected) {
        let row = only(place, kind).await?;
        holds(kind.as_str(), &row, &columns)?;
        let mut raw = given.item.fields.as_map().clone();
        raw.remove("feedback_item");
        holds(kind.as_str(), &row, &json!({"raw": raw, "source_ts": given.item.at.as_ms(), "deleted_at": null}))?;
    }
    Ok(())
}

/// Out of order, twice, deleted and then updated late: every row is as its newest state says.
///
/// # Errors
/// How it was broken.
pub async fn the_newest_state_wins<P: Place>(place: &P) -> Ends {
    let connector = place.connector();
    for first in everything() {
        let kind = first.item.id.kind();
        let last = later(first.clone().changed(json!({"title": "Second", "comment": "Second", "vote": -1, "data_id": "2"})), 60);
        // The store's own: a delivery that was lost and is made again, and one that is late.
        bring_blindly(&connector, &[last.clone(), first.clone(), last.clone(), first.clone()]).await?;
        let row = only(place, kind).await?;
        let column = ["title", "comment", "vote", "data_id"].into_iter().find(|name| row.contains_key(*name));
        if let Some(column) = column.filter(|_| kind != ItemKind::Subscription) {
            let expected = last.item.fields.get(column).cloned().unwrap_or_default();
            holds(kind.as_str(), &row, &json!({column: expected, "source_ts": last.item.at.as_ms()}))?;
        }
        let deleted = later(last.clone().deleted(), 60);
        bring_blindly(&connector, &[deleted.clone(), later(last.clone(), 30), deleted.clone()]).await?;
        let row = only(place, kind).await?;
        holds(kind.as_str(), &row, &json!({"deleted_at": deleted.item.at.as_ms(), "source_ts": deleted.item.at.as_ms()}))?;
        let again = later(last, 600);
        bring(&connector, std::slice::from_ref(&again)).await?;
        holds(kind.as_str(), &only(place, kind).await?, &json!({"deleted_at": null, "source_ts": again.item.at.as_ms()}))?;
    }
    Ok(())
}

/// Texts and values nobody expects are stored, or left to the raw fields; none stops the others.
///
/// # Errors
/// How it was broken.
pub async fn odd_values_survive<P: Place>(place: &P) -> Ends {
    let connector = place.connector();
    let long = "All work and no play. ".repeat(50_000);
    let odd = json!({
        "title": "a\u{0}b'); DROP TABLE feedback; --\u{1b}[31m\u{202e}\u{1F469}", "description": long, "status": long, "type": "t\u{0}",
        "total_up": "9.0", "total_down": "many", "total_sum": null, "trend": "0.5", "scoring": [], "effort": 1e300,
        "tags": {"a\u{0}": ["\u{0}", 1.5, null, {"deep": []}]}, "is_active": "0", "merge_id": "0", "estimated": "",
        "created": "0000-00-00 00:00:00", "updated": "-000044-03-15T00:00:00Z", "user": [], "unheard_of\u{0}": {"x": "\u{0}"},
    });
    bring(&connector, &[feedback(odd.clone())]).await?;
    let row = only(place, ItemKind::Feedback).await?;
    let word: String = long.chars().take(255).collect();
    let expected = json!({
        "title": "a\u{FFFD}b'); DROP TABLE feedback; --\u{1b}[31m\u{202e}\u{1F469}", "description": long, "status": word, "type": "t\u{FFFD}",
        "total_up": 9, "total_down": null, "total_sum": null, "trend": 0.5, "scoring": null, "effort": null, "is_active": false,
        "merge_id": null, "estimated": null, "created": null, "updated": null, "user_id": null,
    });
    holds("odd", &row, &expected)?;
    let raw = row.get("raw").cloned().unwrap_or_default();
    let shown = raw.to_string().replace("\\u0000", "\u{FFFD}");
    for (name, value) in odd.as_object().into_iter().flatten().filter(|(name, _)| *name != "effort") {
        let name = name.replace('\u{0}', "\u{FFFD}");
        let wanted = value.to_string().replace("\\u0000", "\u{FFFD}");
        if !shown.contains(&format!("{}:{wanted}", Value::String(name.clone()))) {
            return Err(format!("raw has lost {name}"));
        }
    }
    let empty = Given {
        item: crate::contract::Item { fields: Default::default(), ..feedback(json!({"feedback_id": "x-1.y_Z"})).item },
        ..feedback(json!({}))
    };
    bring(&connector, &[empty]).await?;
    broken("rows", &json!(2), &json!(rows(place, ItemKind::Feedback).await.len()))
}

/// A person who is deleted stands in no table any more; what arrives late about that person names nobody, until the person is made again.
///
/// # Errors
/// How it was broken.
pub async fn a_deleted_person_stands_nowhere<P: Place>(place: &P) -> Ends {
    let connector = place.connector();
    let ann = json!({"user_id": 1, "data_name": "ann", "data_mail": "ann@example.com"});
    let bea = json!({"user_id": 2, "data_name": "bea", "data_mail": "bea@example.com"});
    let post = feedback(json!({"user": ann}));
    let of_bea = feedback(json!({"feedback_id": 2, "user": bea}));
    let person = user(ann.clone());
    let all = [
        person.clone(),
        user(bea.clone()),
        post.clone(),
        of_bea.clone(),
        comment(&post, json!({"user": ann})),
        vote(&post, json!({"user": ann})),
        subscription(&post, json!({"user": ann})),
        subscriber(ann.clone()),
        satisfaction(json!({"user": ann})),
    ];
    bring(&connector, &all).await?;
    bring(&connector, &[later(person.clone(), 60).deleted()]).await?;
    nobody(place, "ann").await?;
    let late = later(vote(&of_bea, json!({"user": ann})), 120);
    bring(&connector, &[late, later(post.clone(), 120)]).await?;
    nobody(place, "ann").await?;
    let users = rows(place, ItemKind::User).await;
    let [one, two] = users.as_slice() else { return Err(format!("expected two users, found {}", users.len())) };
    holds("ann", one, &json!({"user_id": "1", "data_name": null, "data_mail": null}))?;
    holds("bea", two, &json!({"user_id": "2", "data_name": "bea", "data_mail": "bea@example.com", "deleted_at": null}))?;
    bring(&connector, &[later(person, 600), later(comment(&post, json!({"user": ann})), 600)]).await?;
    let found = rows(place, ItemKind::Comment).await;
    let named = found.iter().filter(|row| row.get("raw").is_some_and(|raw| raw.to_string().contains("ann@"))).count();
    broken("named again", &json!(1), &json!(named))
}

async fn nobody<P: Place>(place: &P, name: &str) -> Ends {
    for kind in ItemKind::ALL {
        let found = rows(place, *kind).await.into_iter().find(|row| json!(row).to_string().contains(name));
        if let Some(row) = found {
            return Err(format!("{name} still stands in {kind}: {}", json!(row)));
        }
    }
    Ok(())
}

/// The views answer the obvious questions.
///
/// # Errors
/// How it was broken.
pub async fn the_views_answer<P: Place>(place: &P) -> Ends {
    let connector = place.connector();
    let post = |id: u32, fields: Value| {
        let mut all = json!({"feedback_id": id, "status": "open"});
        all.as_object_mut().into_iter().for_each(|all| all.extend(fields.as_object().cloned().unwrap_or_default()));
        feedback(all)
    };
    let open = post(1, json!({}));
    let ballots = (1..=3).map(|id| {
        let created = if id == 3 { "2026-03-09 00:00:00" } else { "2026-03-08 23:59:59" };
        vote(&open, json!({"user": {"user_id": id}, "vote": if id == 2 { -1 } else { 1 }, "created": created}))
    });
    let others = [
        post(2, json!({"status": "Completed"})),
        post(3, json!({"merge_id": 1})),
        post(4, json!({"is_active": "0"})),
        post(5, json!({})).deleted(),
        entry(json!({"feedback_id": 1})),
    ];
    let all: Vec<Given> = [open.clone()].into_iter().chain(ballots).chain(others).collect();
    bring(&connector, &all).await?;
    let ids = |rows: Vec<Row>| json!(rows.iter().filter_map(|row| row.get("feedback_id").cloned()).collect::<Vec<_>>());
    broken("open_feedback", &json!(["1"]), &ids(place.rows("open_feedback").await))?;
    let mut weeks: Vec<Value> = place
        .rows("votes_per_week")
        .await
        .iter()
        .map(|row| json!([row.get("week"), row.get("votes"), row.get("up"), row.get("down")]))
        .collect();
    weeks.sort_by_key(Value::to_string);
    broken("votes_per_week", &json!([["2026-03-02", 2, 1, 1], ["2026-03-09", 1, 1, 0]]), &json!(weeks))?;
    let entries = place.rows("changelog_with_feedback").await;
    let [row] = entries.as_slice() else { return Err(format!("expected one entry, found {}", entries.len())) };
    holds("changelog_with_feedback", row, &json!({"changelog_id": "771", "feedback_title": "Export to CSV", "feedback_status": "open"}))
}

/// Many at once, from many lanes, are all written, each as its newest state; a second connector finds the tables and goes on.
///
/// # Errors
/// How it was broken.
pub async fn many_at_once_are_written<P: Place>(place: &P) -> Ends {
    let connector = place.connector();
    let lane = |id: u32| {
        let first = feedback(json!({"feedback_id": id + 1, "title": format!("first {id}")}));
        [first.clone(), later(first.changed(json!({"title": format!("last {id}")})), 60)]
    };
    let lanes: Vec<[Given; 2]> = (0..1000).map(lane).collect();
    join_all(lanes.iter().map(|states| bring(&connector, states))).await.into_iter().collect::<Ends>()?;
    let found = rows(place, ItemKind::Feedback).await;
    broken("rows", &json!(1000), &json!(found.len()))?;
    let last = found.iter().filter(|row| row.get("title").and_then(Value::as_str).is_some_and(|title| title.starts_with("last"))).count();
    broken("rows as last", &json!(1000), &json!(last))?;
    bring(&place.connector(), &[entry(json!({}))]).await?;
    only(place, ItemKind::Changelog).await.map(drop)
}

/// What the engine keeps of a row's link, so that a change without news writes nothing.
///
/// # Errors
/// How it was broken.
pub async fn nothing_is_written_without_news<P: Place>(place: &P) -> Ends {
    let connector = place.connector();
    for given in everything() {
        let mut links = Links::default();
        Engine::new(&connector, &Nobody, given.at)
            .run(planned(&connector, &given, &links)?, &mut links)
            .await
            .map_err(|failure| failure.to_string())?;
        let Plan::Run(steps) = planned(&connector, &given, &links)? else { return Err("no steps".to_owned()) };
        if steps.iter().any(|step| engine::is_open(step, &links)) {
            return Err(format!("{} is written again", given.item.id));
        }
    }
    Ok(())
}

/// What the conformance suite asks of a database: each kind of item made, changed and, where Sleekplan deletes it, deleted.
pub fn cases() -> Vec<Case> {
    let names = [
        ("put feedback", "change feedback", "delete feedback"),
        ("put comment", "change comment", "delete comment"),
        ("put vote", "change vote", "delete vote"),
        ("put subscription", "change subscription", "delete subscription"),
        ("put user", "change user", "delete user"),
        ("put entry", "change entry", "delete entry"),
        ("put subscriber", "change subscriber", "delete subscriber"),
        ("put satisfaction", "change satisfaction", "delete satisfaction"),
    ];
    let all = everything().into_iter().zip(names);
    all.flat_map(|(given, (put, change, delete))| {
        let changed = given.clone().changed(json!({"title": "Second", "comment": "Second", "vote": -1, "data_name": "jane2"}));
        [
            Case::new(put, given.clone()),
            Case::after(change, [given.clone()], changed),
            Case::after(delete, [given.clone()], given.deleted()),
        ]
    })
    .collect()
}
