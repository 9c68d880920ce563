//! A kind's own settings: made into an instance by the kind, with every mistake found in one run.
//!
//! The kind stops at the first thing of a wrong shape. Each is noted and taken out, or, where something is missing, a stand-in is put there,
//! and the kind is asked again, until it comes to the values, of which it names all that cannot work. An instance that was mended in this way
//! is never handed on.

use figment::value::{Dict, Value};
use serde_json::Value as Json;
use sleeksync_connectors::contract::{AnyConnector, BuildError, SettingsError};
use sleeksync_connectors::registry::Kind;

use super::mistake::{expected_one_of, shown};
use super::raw::RawConnector;
use super::reader::{MISTAKES_MAX, Reader, expectation, hang, hang_secret_files, original_path, reread_text, split_message};
use super::toml_text::{Scalars, parse_document};
use super::tree::{Path, below, child_mut, descend, remove};

/// Makes the instance that stands at `at`; `None` when something is wrong, which is then reported.
pub(super) fn build(reader: &mut Reader<'_>, at: &[String], kind: &'static Kind, settings: Dict) -> Option<Box<dyn AnyConnector>> {
    let mut value = Value::from(settings);
    hang_paths(reader, at, kind, &mut value);
    let mut mending = Mending { kind, value, taken: Vec::new(), stand_ins: Vec::new(), is_mended: false };
    for _ in 0..MISTAKES_MAX {
        let fault = match (kind.build)(json(&mending.value)) {
            Ok(instance) => return (!mending.is_mended).then_some(instance),
            Err(BuildError::Values(wrong)) => {
                mending.report_values(reader, at, &wrong);
                return None;
            }
            Err(BuildError::Shape { path, message }) => Fault::of_shape(kind, parse_path(&path), &message),
        };
        let original = [at, &original_path(&mending.taken, &fault.path)].concat();
        if reread_text(reader.tree, &original, &mut mending.value, &fault.path) {
            continue;
        }
        match mending.mend(&fault) {
            Mended::Known => reader.report_advised(&original, &fault.problem, &fault.expected),
            Mended::StandIn => {}
            Mended::Not => {
                reader.report_advised(&original, &fault.problem, &fault.expected);
                return None;
            }
            Mended::GaveUp => return None,
        }
    }
    None
}

fn json(value: &Value) -> Json {
    // Tables, lists, text, numbers and booleans: all of them are JSON. A fraction that is none becomes null and fails as such.
    serde_json::to_value(value).unwrap_or_default()
}

/// Relative paths hang on the file's folder: the settings the kind names, and the files of secrets.
fn hang_paths(reader: &Reader<'_>, at: &[String], kind: &Kind, value: &mut Value) {
    for setting in kind.paths {
        let path: Path = setting.split('.').map(str::to_owned).collect();
        if let Some(found) = descend(value, &path) {
            hang(reader.tree, found, &[at, &path].concat());
        }
    }
    for path in file_tables(value) {
        if !takes_text(kind, value, &path) {
            continue;
        }
        if let Some(found) = descend(value, &path) {
            hang_secret_files(reader.tree, found, &[at, &path].concat());
        }
    }
}

/// Where `{ file = … }` stands.
fn file_tables(value: &Value) -> Vec<Path> {
    let children: Vec<(String, &Value)> = match value {
        Value::Dict(_, dict) => dict.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(_, items) => items.iter().enumerate().map(|(place, value)| (place.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let mut found = Vec::new();
    for (key, child) in children {
        match child {
            Value::Dict(_, dict) if dict.len() == 1 && dict.contains_key("file") => found.push(vec![key]),
            other => found.extend(file_tables(other).into_iter().map(|path| [vec![key.clone()], path].concat())),
        }
    }
    found
}

/// Whether the kind takes a text at `path`, as it does for a secret; a map with an entry `file` takes none and is no secret.
fn takes_text(kind: &Kind, value: &Value, path: &[String]) -> bool {
    let mut probe = value.clone();
    if let Some(found) = descend(&mut probe, path) {
        *found = Value::from("text");
    }
    match (kind.build)(json(&probe)) {
        Err(BuildError::Shape { path: at, message }) => !(message.starts_with("invalid type: string") && parse_path(&at) == path),
        _ => true,
    }
}

/// The settings while they are mended.
struct Mending {
    kind: &'static Kind,
    value: Value,
    /// Places of list items that were taken out, in that order.
    taken: Vec<Path>,
    /// Where something was wrong or missing, and how many ways to mend it were tried.
    stand_ins: Vec<(Path, usize)>,
    is_mended: bool,
}

/// What became of a fault.
enum Mended {
    /// A mistake of the user's, out of the way now.
    Known,
    /// What stood in its place did not do either, and something else took it.
    StandIn,
    /// A mistake of the user's that stays in the way.
    Not,
    /// Nothing fits.
    GaveUp,
}

impl Mending {
    /// Takes what is wrong out; puts something in its place where the kind cannot do without.
    fn mend(&mut self, fault: &Fault) -> Mended {
        self.is_mended = true;
        if let Some(number) = self.stand_ins.iter().position(|(at, _)| fault.path.starts_with(at)) {
            return if self.put_next(number) { Mended::StandIn } else { Mended::GaveUp };
        }
        let is_item = fault.path.last().is_some_and(|last| last.parse::<usize>().is_ok());
        if fault.is_unknown_key || is_item {
            let gone = remove(&mut self.value, &fault.path);
            self.taken.push(fault.path.clone());
            return if gone { Mended::Known } else { Mended::Not };
        }
        self.stand_ins.push((fault.path.clone(), 0));
        if remove(&mut self.value, &fault.path) || self.put_next(self.stand_ins.len() - 1) { Mended::Known } else { Mended::Not }
    }

    /// Puts the next stand-in where the mistake of this number was.
    fn put_next(&mut self, number: usize) -> bool {
        let Some((at, tried)) = self.stand_ins.get_mut(number) else { return false };
        let number = *tried;
        *tried += 1;
        stand_in(self.kind, at, number).is_some_and(|value| put(&mut self.value, at, value))
    }

    /// Values that cannot work, but for those that were put in: what the kind would have said of real ones is not known.
    fn report_values(&self, reader: &mut Reader<'_>, at: &[String], wrong: &[SettingsError]) {
        for SettingsError { key, problem, expected } in wrong {
            let path = parse_path(key);
            if !self.stand_ins.iter().any(|(at, _)| path.starts_with(at)) {
                reader.report_advised(&[at, &path].concat(), problem, &format!("expected {expected}"));
            }
        }
    }
}

fn put(value: &mut Value, path: &[String], new: Value) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    match descend(value, parents) {
        Some(Value::Dict(_, dict)) => {
            dict.insert(last.clone(), new);
            true
        }
        Some(parent) => child_mut(parent, last).is_some_and(|found| {
            *found = new;
            true
        }),
        None => false,
    }
}

/// What stands in for a setting, one after the other: what the kind's own example has there, then values of each type.
fn stand_in(kind: &Kind, at: &[String], tried: usize) -> Option<Value> {
    match tried {
        0 => Some(example(kind, at).unwrap_or_else(|| Value::from("https://stand-in.invalid"))),
        1 => Some(Value::from("https://stand-in.invalid")),
        2 => Some(Value::from("stand/in")),
        3 => Some(Value::from(vec![Value::from("stand-in")])),
        4 => Some(Value::from(Dict::new())),
        5 => Some(Value::from(1_u8)),
        6 => Some(Value::from(true)),
        _ => None,
    }
}

/// What the kind's example has at `at`.
fn example(kind: &Kind, at: &[String]) -> Option<Value> {
    let (document, _) = parse_document(kind.example, Scalars::Typed);
    let mut table = document.get("connectors")?.as_dict()?.values().next()?.clone();
    descend(&mut table, at).cloned()
}

/// A mistake as the kind reported it.
struct Fault {
    /// Below the connector's table.
    path: Path,
    problem: String,
    expected: String,
    is_unknown_key: bool,
}

impl Fault {
    /// serde's messages, without the values they quote.
    fn of_shape(kind: &Kind, mut path: Path, message: &str) -> Self {
        let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let named = words.first().copied().unwrap_or_default();
        let known = words.iter().skip(1).copied();
        let is_about_key = ["unknown field `", "missing field `", "duplicate field `"].iter().any(|start| message.starts_with(start));
        if is_about_key && path.last().is_none_or(|last| last != named) {
            path.push(named.to_owned());
        }
        let (problem, expected) = if message.starts_with("unknown field `") {
            let common = if path.len() == 1 { RawConnector::KEYS } else { &[] };
            (format!("unknown key of kind `{}`", kind.name), expected_one_of(named, known.chain(common.iter().copied())))
        } else if message.starts_with("missing field `") {
            ("is missing".to_owned(), format!("expected by kind `{}`", kind.name))
        } else if message.starts_with("unknown variant `") {
            (format!("{} is not known", shown(named)), expected_one_of(named, known))
        } else if let Some(rest) = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: ")) {
            let expected = rest.rsplit_once(", expected ").map_or("another value", |(_, expected)| expected);
            (format!("is {}", type_of(rest)), format!("expected {}", expectation(expected)))
        } else if message.starts_with("data did not match any variant") {
            ("has the wrong shape".to_owned(), format!("expected what `sleeksync kinds {}` shows", kind.name))
        } else {
            let (problem, expected) = split_message(message);
            (problem.to_owned(), expected.to_owned())
        };
        Self { path, problem, expected, is_unknown_key: message.starts_with("unknown field `") }
    }
}

/// The type in serde's `string "value"`, ``integer `5` ``, `map`, in the words of a configuration.
fn type_of(unexpected: &str) -> &'static str {
    match unexpected.split([' ', ',']).next() {
        Some("string" | "character") => "a text",
        Some("integer") => "this number",
        Some("floating") => "a fraction",
        Some("boolean") => "a boolean",
        Some("sequence") => "a list",
        Some("map") => "a table",
        _ => "of another type",
    }
}

/// `a.b[0].c` as keys; `.` is the table itself.
fn parse_path(text: &str) -> Path {
    let mut path = Path::new();
    for part in text.split('.').filter(|part| !part.is_empty()) {
        let (key, places) = part.split_once('[').unwrap_or((part, ""));
        if !key.is_empty() {
            path = below(&path, key);
        }
        for place in places.split(['[', ']']).filter(|place| !place.is_empty()) {
            path = below(&path, place);
        }
    }
    path
}
