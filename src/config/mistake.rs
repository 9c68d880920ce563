//! What is wrong with a configuration, in words a person can act on.
//!
//! A mistake never holds the value it is about: the value may be a secret in the wrong place.

use std::fmt;

/// One mistake: where it is, what is wrong, what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file as it was given, the environment variable, or `command line`.
    pub file: String,
    /// The key, such as `connectors.blog.url`; `line 3` where the file is not even TOML.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What is expected.
    pub expected: String,
}

/// On one line, as `check` prints it.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}; {}", self.file, self.key, self.problem, self.expected)
    }
}

/// The configuration cannot be used. Displays as one line a mistake.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct LoadError {
    /// All of them, in the order of the sections.
    pub mistakes: Vec<Mistake>,
}

/// What is said about a word that is none of the known ones: the nearest, or all of them.
pub(super) fn expected_one_of<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    match nearest(word, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "expected nothing here".to_owned(),
        None => format!("expected one of {}", quoted(&known)),
    }
}

fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    // A third of the letters may be wrong: `listn` is `listen`, `colour` is not `footer`.
    let limit = (word.chars().count() / 3).max(1);
    known
        .iter()
        .map(|other| (strsim::damerau_levenshtein(word, other), *other))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, other)| other)
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// A word of the configuration as a message may show it: printable and short.
pub(super) fn shown(word: &str) -> String {
    const CHARS_MAX: usize = 60;
    let printable: String = word.chars().take(CHARS_MAX).flat_map(char::escape_debug).collect();
    if word.chars().nth(CHARS_MAX).is_some() { format!("`{printable}…`") } else { format!("`{printable}`") }
}
