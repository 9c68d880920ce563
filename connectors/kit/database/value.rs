//! One value of a column: typed, and read leniently from what Sleekplan sent.

use serde_json::Value as Json;

use super::tables::Type;
use crate::contract::{Fields, Product};

/// The longest word, in characters: what is indexed must fit a page of PostgreSQL's (2,704 bytes), and a word has up to four bytes a character.
const WORD_CHARS_MAX: usize = 255;

/// What is bound to a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing is known.
    Null,
    /// A text, an id, a time as RFC 3339, or JSON.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Any number.
    Real(f64),
    /// A flag.
    Flag(bool),
}

impl Value {
    /// From the JSON an `Op` carries it as.
    pub fn from_json(json: Option<&Json>) -> Self {
        match json {
            Some(Json::String(text)) => Value::Text(text.clone()),
            Some(Json::Bool(flag)) => Value::Flag(*flag),
            Some(Json::Number(number)) => {
                number.as_i64().map(Value::Integer).or_else(|| number.as_f64().map(Value::Real)).unwrap_or(Value::Null)
            }
            _ => Value::Null,
        }
    }

    /// As a column of this type takes it; nothing where it does not fit.
    #[must_use]
    pub fn fitting(self, kind: Type) -> Self {
        match (kind, self) {
            (Type::Text | Type::Word | Type::Id | Type::Time | Type::Json, Value::Text(text)) => Value::Text(text),
            (Type::Integer, Value::Integer(number)) => Value::Integer(number),
            #[expect(clippy::cast_precision_loss, reason = "a score or a ratio; the exact number stands in `raw`")]
            (Type::Real, Value::Integer(number)) => Value::Real(number as f64),
            (Type::Real, Value::Real(number)) => Value::Real(number),
            (Type::Flag, Value::Flag(flag)) => Value::Flag(flag),
            _ => Value::Null,
        }
    }
}

/// The field `name` as a column of this type shows it; nothing where it is absent, null, or cannot be read as such: `raw` has it all.
pub(super) fn read(fields: &Fields, name: &str, kind: Type, product: &Product) -> Option<Json> {
    match kind {
        Type::Text => fields.text(name).map(|text| Json::String(printable(&text))),
        Type::Word => fields.some_text(name).map(|text| Json::String(word(&text))),
        Type::Id => fields.id(name).map(|id| Json::String(word(&id))),
        Type::Integer => fields.integer(name).map(Json::from),
        Type::Real => real(fields.get(name)?).and_then(serde_json::Number::from_f64).map(Json::Number),
        Type::Flag => fields.flag(name).map(Json::Bool),
        Type::Time => fields.some_text(name).and_then(|text| time(&text, product)).map(Json::String),
        Type::Json => fields.get(name).filter(|json| !json.is_null()).map(|json| Json::String(shown(json).to_string())),
    }
}

/// A text as far as an index takes it.
pub(super) fn word(text: &str) -> String {
    let mut word = printable(text);
    if let Some((end, _)) = word.char_indices().nth(WORD_CHARS_MAX) {
        word.truncate(end);
    }
    word
}

fn real(json: &Json) -> Option<f64> {
    match json {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

/// RFC 3339; only years that every database knows.
fn time(text: &str, product: &Product) -> Option<String> {
    let at = product.time(text)?;
    let year = at.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).year();
    (1..=9999).contains(&year).then(|| at.to_string())
}

/// The same for every text in it.
pub(super) fn shown(json: &Json) -> Json {
    match json {
        Json::String(text) => Json::String(printable(text)),
        Json::Array(list) => Json::Array(list.iter().map(shown).collect()),
        Json::Object(map) => Json::Object(map.iter().map(|(name, value)| (printable(name), shown(value))).collect()),
        other => other.clone(),
    }
}

/// U+0000 is no character of a text for PostgreSQL and ends one for many programs: it is shown as U+FFFD. The rest stays as it is.
pub(super) fn printable(text: &str) -> String {
    text.replace('\u{0}', "\u{FFFD}")
}
