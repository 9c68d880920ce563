//! Every sample in every spelling of the same: each makes the very rows of the sample.
//!
//! The docs' sample has counts and ids as texts, the REST objects as numbers, and its times are weak evidence (page "Webhooks"); its backend is
//! PHP, whose JSON writes what it holds: flags as 0 and 1, whole numbers as floats, and escapes.

use serde_json::{Map, Value, json};
use sleeksync_connectors::kit::database::{TABLES, Type};

use super::daemon::PRODUCT;
use super::sample::SAMPLES;
use super::suite::{Case, holds};

/// The time of every body here: 2017-10-02T23:13:19Z.
const AT: i64 = 1_506_985_999_000;

/// One way of saying the same.
struct Spelling {
    name: &'static str,
    change: fn(&mut Value),
    write: fn(&Value) -> String,
}

const fn changed(name: &'static str, change: fn(&mut Value)) -> Spelling {
    Spelling { name, change, write: Value::to_string }
}

const fn written(name: &'static str, write: fn(&Value) -> String) -> Spelling {
    Spelling { name, change: |_| (), write }
}

const SPELLINGS: &[Spelling] = &[
    changed("time as a number of ms", |body| body["timestamp"] = json!(AT)),
    changed("time as a text of s", |body| body["timestamp"] = json!((AT / 1000).to_string())),
    changed("time as a number of s", |body| body["timestamp"] = json!(AT / 1000)),
    changed("time as a float", |body| body["timestamp"] = json!(1_506_985_999.0)),
    changed("time as a text of a float", |body| body["timestamp"] = json!(" 1506985999000.0 ")),
    changed("time as RFC 3339", |body| body["timestamp"] = json!("2017-10-03T01:13:19+02:00")),
    changed("product as a text", |body| body["product_id"] = json!(PRODUCT.to_string())),
    changed("product as a float", |body| body["product_id"] = json!(5_456_534_244.0)),
    changed("product in the data only", |body| {
        body.as_object_mut().unwrap().remove("product_id");
        body["data"]["product_id"] = json!(PRODUCT);
    }),
    changed("product null, and a text in the data", |body| {
        body["product_id"] = Value::Null;
        body["data"]["product_id"] = json!(PRODUCT.to_string());
    }),
    changed("another product in the data", |body| body["data"]["product_id"] = json!(7)),
    changed("numbers as texts", |body| scalars(body, &|_, value| value.as_number().map(|number| json!(number.to_string())))),
    changed("texts as numbers", |body| scalars(body, &|_, value| value.as_str()?.parse::<i64>().ok().map(|number| json!(number)))),
    changed("whole numbers as floats", |body| scalars(body, &|_, value| value.as_f64().map(|number| json!(number)))),
    changed("floats as texts", |body| scalars(body, &|_, value| value.as_f64().map(|number| json!(format!(" {number:?} "))))),
    changed("flags as numbers", |body| scalars(body, &|_, value| value.as_bool().map(|flag| json!(i32::from(flag))))),
    changed("flags as texts of numbers", |body| scalars(body, &|_, value| value.as_bool().map(|flag| json!(i32::from(flag).to_string())))),
    changed("flags as words", |body| scalars(body, &|_, value| value.as_bool().map(|flag| json!(flag.to_string())))),
    changed("dates as RFC 3339", |body| dates(body, |at| json!(at.to_string()))),
    changed("dates with a T", |body| dates(body, |at| json!(at.to_string().trim_end_matches('Z')))),
    changed("dates of a zone", |body| dates(body, |at| json!(at.display_with_offset(jiff::tz::offset(2)).to_string()))),
    changed("dates in s", |body| dates(body, |at| json!(at.as_second()))),
    changed("dates in s as texts", |body| dates(body, |at| json!(at.as_second().to_string()))),
    changed("dates in ms", |body| dates(body, |at| json!(at.as_millisecond()))),
    changed("dates as floats", |body| dates(body, |at| json!(at.as_millisecond() as f64))),
    changed("fields nobody has heard of", |body| {
        body["unheard_of"] = json!({"data": [1, null, {"x": "y"}]});
        body["data"]["unheard_of"] = json!({"feedback_id": 9, "deep": [[["x"]]]});
    }),
    written("in lines", |body| serde_json::to_string_pretty(body).unwrap()),
    written("behind a byte order mark", |body| format!("\u{feff}{body}")),
    written("with every character of its texts escaped", escaped),
    written("with everything said twice", |body| {
        let text = body.to_string();
        format!(r#"{{"data":5,"timestamp":"1","action":"x","product_id":1,{}"#, text.strip_prefix('{').unwrap())
    }),
];

/// Changes the scalars that are columns or ids, where they stand: in the data, a nested post, and the user of either.
fn scalars(body: &mut Value, change: &dyn Fn(&str, &Value) -> Option<Value>) {
    let is_json = |name: &str| TABLES.iter().flat_map(|table| table.columns).any(|column| column.name == name && column.kind == Type::Json);
    fn each(object: &mut Map<String, Value>, change: &dyn Fn(&str, &Value) -> Option<Value>, skipped: &dyn Fn(&str) -> bool) {
        for (name, value) in object.iter_mut().filter(|(name, _)| !skipped(name)) {
            match value {
                Value::Object(nested) if matches!(name.as_str(), "user" | "feedback_item") => each(nested, change, skipped),
                _ => *value = change(name, value).unwrap_or_else(|| value.take()),
            }
        }
    }
    each(body["data"].as_object_mut().unwrap(), change, &is_json);
}

fn dates(body: &mut Value, spell: fn(jiff::Timestamp) -> Value) {
    scalars(body, &|name, value| {
        let at: jiff::civil::DateTime = value.as_str().filter(|_| matches!(name, "created" | "updated"))?.parse().unwrap();
        Some(spell(at.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()))
    });
}

fn escaped(body: &Value) -> String {
    match body {
        Value::String(text) => format!("\"{}\"", text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>()),
        Value::Array(list) => format!("[{}]", list.iter().map(escaped).collect::<Vec<_>>().join(" , ")),
        Value::Object(map) => {
            let fields = map.iter().map(|(name, value)| format!("{} : {}", escaped(&json!(name)), escaped(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_spelling_of_every_sample_makes_the_same_rows() {
    let mut cases = Vec::new();
    for sample in SAMPLES.iter().filter(|sample| sample.is_event()) {
        for Spelling { name, change, write } in SPELLINGS {
            let mut body: Value = serde_json::from_str(&sample.text()).unwrap();
            body["timestamp"] = json!(AT.to_string());
            change(&mut body);
            cases.push(Case::new(format!("{}, {name}", sample.file), [write(&body)], sample.rows(&body, AT)));
        }
    }
    holds("spellings", &cases).await;
}
