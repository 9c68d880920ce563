//! What the feeds and CHANGELOG.md show: kept beside the site, so that every file can be made anew from it after a crash.
//!
//! A manifest belongs to one folder of pages, and so to one connector. One that is lost is never taken for an empty one while a file still
//! shows what it held.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::files::{FileError, Files};
use crate::contract::Time;

/// So many entries are kept; the oldest fall out.
const ENTRIES_MAX: usize = 2000;

/// One entry, as readers see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// One line.
    pub title: String,
    /// Label of its type.
    pub kind: Option<String>,
    /// Sanitised.
    pub html: String,
    /// Its public address.
    pub url: Option<String>,
    /// When it was published.
    pub published: Time,
    /// When it was last changed.
    pub updated: Time,
}

/// Entries by key.
pub(super) type Entries = BTreeMap<String, Entry>;

/// Puts an entry in or takes it out, and answers with all of them. `shows` is the file that is made from them, if it shows any now.
pub(super) fn put(files: &Files<'_>, path: &str, shows: Option<&str>, key: &str, entry: Option<&Entry>) -> Result<Entries, FileError> {
    let shown = || shows.unwrap_or("the files made from it").to_owned();
    let mut entries: Entries = match (files.read(path)?, shows) {
        (Some(bytes), _) => read(&bytes).ok_or_else(|| FileError::Damaged { path: path.to_owned(), shown: shown() })?,
        (None, Some(_)) => return Err(FileError::Lost { path: path.to_owned(), shown: shown() }),
        (None, None) => Entries::new(),
    };
    match entry {
        Some(entry) => entries.insert(key.to_owned(), entry.clone()),
        None => entries.remove(key),
    };
    while entries.len() > ENTRIES_MAX {
        let oldest = entries.iter().min_by_key(|(_, entry)| entry.published).map(|(key, _)| key.clone());
        oldest.and_then(|key| entries.remove(&key));
    }
    files.write(path, &written(&entries))?;
    Ok(entries)
}

/// What a manifest holds; `None` where it is damaged.
pub(super) fn read(bytes: &[u8]) -> Option<Entries> {
    serde_json::from_slice(bytes).ok()
}

/// A manifest of these entries.
pub(super) fn written(entries: &Entries) -> Vec<u8> {
    serde_json::to_vec_pretty(entries).unwrap_or_default()
}

/// `theirs` with everything that differs between `base` and `ours`: two who wrote apart are brought together entry by entry.
pub(super) fn merged(base: &Entries, ours: &Entries, theirs: &Entries) -> Entries {
    let mut merged = theirs.clone();
    for key in base.keys().chain(ours.keys()) {
        match (ours.get(key), base.get(key)) {
            (ours, base) if ours == base => {}
            (Some(entry), _) => drop(merged.insert(key.clone(), entry.clone())),
            (None, _) => drop(merged.remove(key)),
        }
    }
    merged
}

/// Newest first; equal times by key, so that files do not change by themselves.
pub(super) fn newest_first(entries: &Entries) -> Vec<(&String, &Entry)> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by(|a, b| b.1.published.cmp(&a.1.published).then_with(|| a.0.cmp(b.0)));
    sorted
}
