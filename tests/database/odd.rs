//! Every odd value in every column by every action: it is read as the column's type where it is one, is null where it is none, and `raw` has it
//! as it was said. None of them stops a row.

use serde_json::{Map, Value, json};
use sleeksync_connectors::contract::Action;
use sleeksync_connectors::kit::database::{Source, Table, Type};

use super::START_MS;
use super::daemon::PRODUCT;
use super::suite::{Case, at, body, gone, holds};

/// How a column of each type shows a value.
#[derive(Clone)]
struct Odd {
    /// As it stands in the body.
    json: String,
    text: Value,
    word: Value,
    id: Value,
    integer: Value,
    real: Value,
    flag: Value,
    time: Value,
    /// What `raw` has, and a column of JSON.
    raw: Value,
}

impl Odd {
    /// Nothing but the value itself.
    fn only(raw: Value) -> Self {
        let null = Value::Null;
        let (text, word, id, integer, real, flag, time) =
            (null.clone(), null.clone(), null.clone(), null.clone(), null.clone(), null.clone(), null);
        Self { json: raw.to_string(), text, word, id, integer, real, flag, time, raw }
    }

    /// A text that is nothing else.
    fn text(text: &str) -> Self {
        let shown = json!(text);
        Self { text: shown.clone(), word: shown.clone(), id: json!(text.trim()), flag: json!(true), ..Self::only(shown) }
    }

    /// A number that is nothing but one.
    fn number(raw: Value) -> Self {
        let shown = json!(raw.to_string());
        Self { text: shown.clone(), word: shown.clone(), id: shown, real: json!(raw.as_f64()), flag: json!(true), ..Self::only(raw) }
    }

    fn flag(flag: bool, raw: Value) -> Self {
        Self { flag: json!(flag), ..Self::only(raw) }
    }

    fn of(&self, kind: Type) -> &Value {
        match kind {
            Type::Text => &self.text,
            Type::Word => &self.word,
            Type::Id => &self.id,
            Type::Integer => &self.integer,
            Type::Real => &self.real,
            Type::Flag => &self.flag,
            Type::Time => &self.time,
            Type::Json => &self.raw,
        }
    }
}

fn all() -> Vec<Odd> {
    let (none, long) = (Value::Null, "\u{1F469}".repeat(300));
    let cut: String = long.chars().take(255).collect();
    let nul = json!("a\u{FFFD}b");
    let whole = |raw: Value, number: i64| Odd { integer: json!(number), ..Odd::number(raw) };
    // Small as it is, it is a time in seconds.
    let at_seven = || json!(7000);
    let numeric = |text: &str, real: f64| Odd { real: json!(real), ..Odd::text(text) };
    vec![
        Odd::only(none.clone()),
        Odd { word: none.clone(), id: none.clone(), flag: json!(false), ..Odd::text("") },
        Odd { word: none.clone(), id: none.clone(), flag: json!(false), ..Odd::text(" \t ") },
        Odd { id: none.clone(), flag: json!(false), integer: json!(0), ..numeric("0", 0.0) },
        Odd { id: none.clone(), flag: json!(false), ..whole(json!(0), 0) },
        Odd { id: none.clone(), flag: json!(false), ..whole(json!(0.0), 0) },
        Odd { id: json!("7"), time: at_seven(), ..whole(json!(7.0), 7) },
        Odd { id: json!("7"), time: at_seven(), integer: json!(7), ..numeric(" 7.0 ", 7.0) },
        whole(json!(-1), -1),
        Odd { time: json!(1500), ..Odd::number(json!(1.5)) },
        Odd { time: json!(1500), ..numeric("1.5", 1.5) },
        Odd { text: json!("true"), word: json!("true"), integer: json!(1), ..Odd::flag(true, json!(true)) },
        Odd { text: json!("false"), word: json!("false"), integer: json!(0), ..Odd::flag(false, json!(false)) },
        Odd { flag: json!(false), ..Odd::text("false") },
        Odd::flag(false, json!([])),
        Odd::flag(false, json!({})),
        Odd::flag(true, json!(["a", 1, null, {"b": []}])),
        Odd::flag(true, json!({"0": {"name": "x"}})),
        Odd::text("many"),
        Odd::text("'); DROP TABLE feedback; --"),
        Odd::text("\u{1b}[31m\u{202e}\u{FFFF}\r\n\u{1F469}\u{200d}\u{1F4BB}"),
        Odd::text("NaN"),
        Odd::text("-Infinity"),
        Odd::number(json!(1e300)),
        Odd::number(json!(9_223_372_036_854_775_808_u64)),
        Odd { integer: json!(i64::MAX), ..numeric("9223372036854775807", 9_223_372_036_854_775_807.0) },
        Odd { word: json!(cut), id: json!(cut), ..Odd::text(&long) },
        Odd { json: r#""a\u0000b""#.to_owned(), text: nul.clone(), word: nul.clone(), id: nul.clone(), ..Odd::text("a\u{FFFD}b") },
        Odd { json: r#""cut \ud83d""#.to_owned(), ..Odd::text("cut \u{FFFD}") },
        Odd { json: r#"{"a\u0000b":["\ud83d\u0000"]}"#.to_owned(), ..Odd::flag(true, json!({"a\u{FFFD}b": ["\u{FFFD}\u{FFFD}"]})) },
        Odd { json: "1e999".to_owned(), ..Odd::text("1e999") },
        Odd { time: json!(1_772_355_600_000_i64), ..Odd::text("2026-03-01 09:00:00") },
        Odd { time: json!(1_772_323_200_000_i64), ..Odd::text("2026-03-01") },
        Odd { time: json!(1_772_355_600_500_i64), ..Odd::text("2026-03-01T10:00:00.5+01:00") },
        Odd { time: json!(1_772_355_600_000_i64), integer: json!(1_772_355_600), ..numeric("1772355600", 1_772_355_600.0) },
        Odd { time: json!(1_772_355_600_000_i64), ..whole(json!(1_772_355_600_000_i64), 1_772_355_600_000) },
        Odd { time: json!(-62_135_596_800_000_i64), ..Odd::text("0001-01-01 00:00:00") },
        Odd::text("0000-00-00 00:00:00"),
        Odd::text("-000044-03-15T00:00:00Z"),
        Odd::text("2026-02-30 00:00:00"),
        Odd::text("2026-03-01 25:00:00"),
    ]
}

/// The ids that an item of a table needs.
fn ids(table: &Table) -> Map<String, Value> {
    let ids = table.key.iter().map(|name| ((*name).to_owned(), json!("5")));
    ids.collect()
}

/// A body of this action whose every column holds this value, and the row it makes.
fn case(action: Action, odd: &Odd) -> Case {
    let table = Table::of(action.kind());
    // A text that no JSON writer makes stands in for the value until the body is written.
    let (stand, mut data, mut row) = ("@odd@", ids(table), ids(table));
    for column in table.columns {
        let value = odd.of(column.kind).clone();
        match column.source {
            Source::Field => drop(data.insert(column.name.to_owned(), json!(stand))),
            Source::First(names) => {
                data.insert(names[0].to_owned(), json!(stand));
                // What holds nothing gives way to the next name, and there is none.
                let holds_something = value.as_str().is_some_and(|text| !text.trim().is_empty());
                row.insert(column.name.to_owned(), if holds_something { value } else { Value::Null });
                continue;
            }
            Source::UserId => drop(data.insert("user".to_owned(), json!({"user_id": stand}))),
            Source::StatusLabel | Source::TypeLabel => {}
        }
        row.insert(column.name.to_owned(), value);
    }
    let text = body(action.as_str(), 1, Value::Object(data.clone())).replace(&json!(stand).to_string(), &odd.json);
    if action == Action::UserDelete {
        table.columns.iter().filter(|column| column.personal).for_each(|column| drop(row.remove(column.name)));
    } else {
        let raw = json!(data).to_string().replace(&json!(stand).to_string(), &odd.raw.to_string());
        row.insert("raw".to_owned(), serde_json::from_str(&raw).unwrap());
    }
    let name = format!("{action} with {}", odd.json.chars().take(60).collect::<String>());
    Case::new(name, [text], json!({table.name: [stands(action, json!(row))]}))
}

/// The row that an action leaves.
fn stands(action: Action, row: Value) -> Value {
    if action.deletes() { gone(1, row) } else { at(1, row) }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_holds_ids_alone_makes_a_row() {
    let case = |action: &Action| {
        let table = Table::of(action.kind());
        let rows = json!({table.name: [stands(*action, json!(ids(table)))]});
        Case::new(action.as_str(), [body(action.as_str(), 1, json!(ids(table)))], rows)
    };
    let cases: Vec<Case> = Action::ALL.iter().map(case).collect();
    holds("ids_alone", &cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_odd_value_in_every_column_is_read_or_left_to_raw() {
    let all = all();
    let cases: Vec<Case> = Action::ALL.iter().flat_map(|action| all.iter().map(|odd| case(*action, odd))).collect();
    holds("odd_values", &cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deep_large_or_manifold_makes_its_row() {
    let deep = format!("{}\"x\"{}", "[".repeat(200), "]".repeat(200));
    let large = "All work and no play. \u{1F469}".repeat(18_000);
    let deep = body("item.create", 1, json!({"feedback_id": 1, "title": "deep", "tags": "@deep@"})).replace("\"@deep@\"", &deep);
    let many: Map<String, Value> = (0..5000).map(|number| (format!("field {number}"), json!(number))).collect();
    let mut manifold = many.clone();
    manifold.insert("feedback_id".to_owned(), json!(2));
    let cases = [
        Case::new("large", [body("item.create", 1, json!({"feedback_id": 1, "title": large, "description": "x", "status": large}))], {
            let word: String = large.chars().take(255).collect();
            let raw = json!({"feedback_id": 1, "title": large, "description": "x", "status": large});
            let columns = json!({"feedback_id": "1", "title": large, "description": "x", "status": word, "status_label": word, "raw": raw});
            json!({"feedback": [at(1, columns)]})
        }),
        Case::new("manifold", [body("item.create", 1, json!(manifold))], {
            json!({"feedback": [at(1, json!({"feedback_id": "2", "raw": manifold}))]})
        }),
        Case::new("deep", [deep], {
            // What lies too deep is kept as its text; the object is the first of the hundred levels.
            let (inner, rest) = (format!("{}\"x\"{}", "[".repeat(101), "]".repeat(101)), "[".repeat(99));
            let tags = format!("{rest}{}{}", json!(inner), "]".repeat(99));
            let tags: Value = serde_json::from_str(&tags).unwrap();
            json!({"feedback": [at(1, json!({"feedback_id": "1", "title": "deep", "tags": tags}))]})
        }),
    ];
    holds("large_values", &cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_that_cannot_be_is_that_of_receipt() {
    let times = [
        "1000",
        "-5",
        "0",
        "null",
        "\"\"",
        "\"soon\"",
        "true",
        "[]",
        "{}",
        "1e300",
        "1e999",
        "4102444800000",
        "\"4102444800\"",
        "\"-000044-03-15T00:00:00Z\"",
    ];
    let cases = times.iter().flat_map(|time| {
        let told = |action: &str| {
            format!(r#"{{"product_id":{PRODUCT},"action":"{action}","data":{{"feedback_id":3,"title":"x"}},"timestamp":{time}}}"#)
        };
        let row = json!({"feedback_id": "3", "title": "x", "source_ts": null});
        let lost = format!(
            r#"{{"product_id":{PRODUCT},"action":"item.update","data":{{"feedback_id":3,"title":"old"}},"timestamp":"{START_MS}"}}"#
        );
        [
            Case::new(format!("time {time}"), [told("item.create")], json!({"feedback": [row]})),
            Case::new(format!("time {time}, and an older one"), [told("item.create"), lost], json!({"feedback": [row]})),
        ]
    });
    let missing = format!(r#"{{"product_id":{PRODUCT},"action":"comment.create","data":{{"feedback_id":3,"comment_id":4}}}}"#);
    let row = json!({"feedback_id": "3", "comment_id": "4", "source_ts": null});
    let cases: Vec<Case> = cases.chain([Case::new("time missing", [missing], json!({"comments": [row]}))]).collect();
    holds("odd_times", &cases).await;
}
