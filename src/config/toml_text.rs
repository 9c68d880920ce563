//! TOML text into figment's values, with every syntax error and its line.
//!
//! Messages never quote the text: a line with a mistake may hold a secret.

use figment::value::{Dict, Value};
use toml::de::{DeTable, DeValue, Error};

/// What numbers, booleans and dates become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalars {
    /// Numbers and booleans; dates become text.
    Typed,
    /// The very text that was written, so that `007` and `1e5` stay what they are.
    Text,
}

/// A place where a document is no TOML.
pub(super) struct Fault {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) problem: String,
    pub(super) expected: String,
}

/// Reads a document as far as it can be read.
pub(super) fn parse_document(text: &str, scalars: Scalars) -> (Dict, Vec<Fault>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let faults = errors.iter().map(|error| fault(text, error)).collect();
    (dict(text, table.get_ref(), scalars), faults)
}

/// Reads text that stands for something else, as the environment has it: `8`, `true`, `["a", 007]`, `{ env = "NAME" }`.
///
/// Scalars within a list or table stay text; `None` where the text is nothing but text.
pub(super) fn parse_text(text: &str) -> Option<Value> {
    match DeValue::parse(text) {
        Ok(value) => match value.get_ref() {
            DeValue::String(_) | DeValue::Datetime(_) => None,
            DeValue::Array(_) | DeValue::Table(_) => Some(convert(text, value.span(), value.get_ref(), Scalars::Text)),
            scalar => Some(convert(text, value.span(), scalar, Scalars::Typed)),
        },
        Err(_) => bare_list(text),
    }
}

/// `[a, 007]`, which is no TOML and yet cannot mean anything else.
fn bare_list(text: &str) -> Option<Value> {
    let inner = text.trim().strip_prefix('[')?.strip_suffix(']')?;
    let is_bare = !inner.contains(['[', ']', '{', '}', '"', '\'']);
    is_bare.then(|| Value::from(inner.split(',').map(|word| Value::from(word.trim())).collect::<Vec<_>>()))
}

fn dict(text: &str, table: &DeTable<'_>, scalars: Scalars) -> Dict {
    table.iter().map(|(key, value)| (key.get_ref().to_string(), convert(text, value.span(), value.get_ref(), scalars))).collect()
}

fn convert(text: &str, span: std::ops::Range<usize>, value: &DeValue<'_>, scalars: Scalars) -> Value {
    match (value, scalars) {
        (DeValue::String(string), _) => Value::from(string.as_ref()),
        (DeValue::Array(items), _) => {
            Value::from(items.iter().map(|item| convert(text, item.span(), item.get_ref(), scalars)).collect::<Vec<_>>())
        }
        (DeValue::Table(table), _) => Value::from(dict(text, table, scalars)),
        (DeValue::Datetime(at), Scalars::Typed) => Value::from(at.to_string()),
        (DeValue::Boolean(boolean), Scalars::Typed) => Value::from(*boolean),
        (DeValue::Integer(integer), Scalars::Typed) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => Value::from(number),
            // Larger than any number that is configured: as text it fails where a number is expected.
            Err(_) => Value::from(integer.as_str()),
        },
        (DeValue::Float(float), Scalars::Typed) => float.as_str().parse::<f64>().map_or_else(|_| Value::from(float.as_str()), Value::from),
        (_, Scalars::Text) => Value::from(text.get(span).unwrap_or_default()),
    }
}

fn fault(text: &str, error: &Error) -> Fault {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
    let (problem, expected) = error.message().split_once(", expected ").unwrap_or((error.message(), "valid TOML"));
    Fault { line, problem: problem.to_owned(), expected: format!("expected {expected}") }
}
