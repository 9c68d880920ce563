//! Reads one table of the tree into a type, and goes on after each mistake.
//!
//! serde stops at the first error. So the error is noted, what caused it is taken out, and the rest is read again, until it reads.

use std::path::Path as FilePath;

use figment::error::{Actual, Kind};
use figment::value::{Dict, Value};
use serde::de::DeserializeOwned;

use super::mistake::{Mistake, expected_one_of, shown};
use super::toml_text::parse_text;
use super::tree::{Path, Tree, below, descend, remove};

/// Mistakes that are looked for in one table.
pub(super) const MISTAKES_MAX: usize = 200;

/// Reads tables and collects what is wrong.
pub(super) struct Reader<'a> {
    /// All layers, merged.
    pub(super) tree: &'a Tree,
    mistakes: Vec<Mistake>,
    marked: Vec<Path>,
}

impl<'a> Reader<'a> {
    /// With nothing wrong yet.
    pub(super) fn new(tree: &'a Tree) -> Self {
        Self { tree, mistakes: Vec::new(), marked: Vec::new() }
    }

    /// What was wrong.
    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes
    }

    /// Notes a mistake at `at`, once: what follows from it is not reported as another.
    pub(super) fn report(&mut self, at: &[String], problem: impl Into<String>, expected: impl Into<String>) {
        if self.marked.iter().any(|path| path == at) {
            return;
        }
        self.marked.push(at.to_vec());
        self.mistakes.push(Mistake {
            file: self.tree.origin(at).label.to_owned(),
            key: self.tree.show(at),
            problem: problem.into(),
            expected: expected.into(),
        });
    }

    /// The same for a problem that may bring its own advice, as `PROBLEM; ADVICE`.
    pub(super) fn report_advised(&mut self, at: &[String], problem: &str, expected: &str) {
        match problem.split_once("; ") {
            Some((problem, advice)) => self.report(at, problem, advice),
            None => self.report(at, problem, expected),
        }
    }

    /// Whether something was wrong at `at`, within it or around it.
    pub(super) fn is_marked(&self, at: &[String]) -> bool {
        self.marked.iter().any(|path| path.starts_with(at) || at.starts_with(path))
    }

    /// Reads the table at `at`; what is wrong or not there is as `T` has it by default. `secrets` are the keys that hold secrets.
    pub(super) fn read<T: DeserializeOwned + Default>(&mut self, at: &[String], secrets: &[&str]) -> T {
        let mut value = self.tree.get(at).cloned().unwrap_or_else(|| Value::from(Dict::new()));
        for key in secrets {
            if let Some(secret) = descend(&mut value, &[(*key).to_owned()]) {
                hang_secret_files(self.tree, secret, &below(at, *key));
            }
        }
        self.read_value(at, value)
    }

    /// Reads `value`, which stands at `at`.
    pub(super) fn read_value<T: DeserializeOwned + Default>(&mut self, at: &[String], mut value: Value) -> T {
        let mut taken: Vec<Path> = Vec::new();
        for _ in 0..MISTAKES_MAX {
            let error = match value.deserialize::<T>() {
                Ok(read) => return read,
                Err(error) => error,
            };
            let original = [at, &original_path(&taken, &error.path)].concat();
            if reread_text(self.tree, &original, &mut value, &error.path) {
                continue;
            }
            let (problem, expected) = explain(&error.kind);
            self.report(&original, problem, expected);
            if !remove(&mut value, &error.path) {
                break;
            }
            taken.push(error.path);
        }
        T::default()
    }
}

/// A text of the environment that did not fit as text is read as TOML; whether that changed anything.
pub(super) fn reread_text(tree: &Tree, original: &[String], value: &mut Value, path: &[String]) -> bool {
    let Some(at) = descend(value, path) else { return false };
    match at.as_str().filter(|_| tree.origin(original).is_text).and_then(parse_text) {
        Some(parsed) => {
            *at = parsed;
            true
        }
        None => false,
    }
}

/// Where `path` was before the list items of `taken` were taken out, in that order.
pub(super) fn original_path(taken: &[Path], path: &[String]) -> Path {
    let mut path = path.to_vec();
    for gone in taken.iter().rev() {
        let Some((last, parents)) = gone.split_last() else { continue };
        let is_sibling = path.len() > parents.len() && path.starts_with(parents);
        if let (true, Ok(gone)) = (is_sibling, last.parse::<usize>())
            && let Some(place) = path.get_mut(parents.len())
            && let Ok(now) = place.parse::<usize>()
            && now >= gone
        {
            *place = (now + 1).to_string();
        }
    }
    path
}

/// Hangs `{ file = "relative" }` in `value` on the folder of the file that says it.
pub(super) fn hang_secret_files(tree: &Tree, value: &mut Value, at: &[String]) {
    match value {
        Value::Dict(_, dict) if dict.len() == 1 && dict.contains_key("file") => {
            if let Some(file) = dict.get_mut("file") {
                hang(tree, file, at);
            }
        }
        Value::Dict(_, dict) => dict.iter_mut().for_each(|(key, value)| hang_secret_files(tree, value, &below(at, key.as_str()))),
        Value::Array(_, items) => {
            items.iter_mut().enumerate().for_each(|(place, value)| hang_secret_files(tree, value, &below(at, place.to_string())));
        }
        _ => {}
    }
}

/// Hangs a relative path on the folder of the file that says it; a path that is no UTF-8 stays as it is.
pub(super) fn hang(tree: &Tree, value: &mut Value, at: &[String]) {
    // An empty path would become the folder itself.
    let hung = value.as_str().filter(|file| !file.trim().is_empty()).map(|file| tree.resolve(at, FilePath::new(file)));
    if let Some(text) = hung.as_deref().and_then(FilePath::to_str) {
        *value = Value::from(text);
    }
}

/// What serde did not like, without the value.
fn explain(kind: &Kind) -> (String, String) {
    match kind {
        Kind::Message(message) => {
            let (problem, expected) = split_message(message);
            (problem.to_owned(), expected.to_owned())
        }
        Kind::InvalidType(actual, expected) | Kind::InvalidValue(actual, expected) => {
            (format!("is {}", type_of(actual)), format!("expected {}", expectation(expected)))
        }
        Kind::UnknownVariant(word, known) => (format!("{} is not known", shown(word)), expected_one_of(word, known.iter().copied())),
        Kind::UnknownField(word, known) => ("unknown key".to_owned(), expected_one_of(word, known.iter().copied())),
        Kind::InvalidLength(_, expected) => ("has the wrong length".to_owned(), format!("expected {}", expectation(expected))),
        other => ("cannot be used".to_owned(), other.to_string()),
    }
}

/// A message of a type's own as problem and expectation.
pub(super) fn split_message(message: &str) -> (&str, &str) {
    match message.split_once("; ") {
        Some(parts) => parts,
        None if message.starts_with("expected ") => ("does not fit", message),
        None if message.starts_with("environment variable ") => (message, "expected it in the environment"),
        None if message.starts_with("file ") => (message, "expected a readable file with the secret"),
        None if message.contains("empty") => (message, "expected a text that is not empty"),
        None => (message, "expected a value that works"),
    }
}

fn type_of(actual: &Actual) -> &'static str {
    match actual {
        Actual::Bool(_) => "a boolean",
        Actual::Unsigned(_) | Actual::Signed(_) => "this number",
        Actual::Float(_) => "a fraction",
        Actual::Str(_) | Actual::Char(_) => "a text",
        Actual::Seq => "a list",
        Actual::Map => "a table",
        _ => "of another type",
    }
}

/// What serde calls it, in the words of a configuration.
pub(super) fn expectation(serde: &str) -> &str {
    match serde.trim() {
        "a string" | "string" | "str" | "a borrowed string" => "a text",
        "a boolean" | "bool" => "true or false",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other if other.starts_with("enum ") || other.starts_with("variant ") => "a word",
        other => other,
    }
}
