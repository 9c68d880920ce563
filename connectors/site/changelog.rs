//! CHANGELOG.md in the form of keepachangelog.com: our entries between two markers, a person's words around them byte for byte.

use super::config::Settings;
use super::files::{FileError, Files};
use super::manifest::{self, Entries, Entry, newest_first};
use crate::kit::text::{Dialect, Text};

const BEGIN: &str = "<!-- sleeksync:begin -->";
/// Begins the comment that names an entry.
const ENTRY: &str = "<!-- sleeksync:entry";
const END: &str = "<!-- sleeksync:end -->";
const HEADER: &str = "# Changelog\n\nAll notable changes are documented in this file; its form is that of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).\n\n";
/// The groups of Keep a Changelog, in its order.
const GROUPS: [&str; 6] = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];

/// Puts an entry into our part of the file or takes it out.
pub(super) fn put(settings: &Settings, files: &Files<'_>, key: &str, entry: Option<&Entry>) -> Result<(), FileError> {
    let Some(path) = settings.changelog_file() else { return Ok(()) };
    let known = files.read(&path)?.map(String::from_utf8).transpose().map_err(|_| FileError::NotUtf8 { path: path.clone() })?;
    let shows = known.as_ref().filter(|known| known.contains(ENTRY)).map(|_| path.as_str());
    let entries = manifest::put(files, &settings.changelog_manifest(), shows, key, entry)?;
    files.write(&path, text(known.as_deref(), &entries).as_bytes())
}

/// The file with these entries in our part of it; `known` is what it says now.
pub(super) fn text(known: Option<&str>, entries: &Entries) -> String {
    merged(known, &ours(entries))
}

/// The file with our part replaced; a new one, or one without our part, gets it before the first release.
fn merged(known: Option<&str>, ours: &str) -> String {
    let Some(known) = known else { return format!("{HEADER}{ours}\n") };
    let between = known.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    if let Some((before, after)) = between {
        return format!("{before}{ours}{after}");
    }
    let first_release =
        known.match_indices("\n## ").find(|(at, _)| !known.get(*at..).unwrap_or_default().to_lowercase().starts_with("\n## [unreleased]"));
    match first_release.and_then(|(at, _)| Some((known.get(..=at)?, known.get(at + 1..)?))) {
        Some((before, after)) => format!("{before}{ours}\n\n{after}"),
        None => {
            let apart = if known.is_empty() || known.ends_with("\n\n") { 0 } else { 2 - usize::from(known.ends_with('\n')) };
            format!("{known}{}{ours}\n", "\n".repeat(apart))
        }
    }
}

fn ours(entries: &Entries) -> String {
    let mut lines = vec![BEGIN.to_owned()];
    let mut sorted = newest_first(entries);
    let date = |entry: &Entry| entry.published.to_jiff().strftime("%Y-%m-%d").to_string();
    sorted.sort_by_key(|(_, entry)| (std::cmp::Reverse(date(entry)), group(entry)));
    let (mut day, mut heading) = (String::new(), "");
    for (key, entry) in sorted {
        if date(entry) != day {
            day = date(entry);
            heading = "";
            // Sleekplan's entries have no version: that of a day's is the day.
            lines.push(format!("\n## [{day}] - {day}"));
        }
        let group = GROUPS.get(group(entry)).copied().unwrap_or("Changed");
        if group != heading {
            heading = group;
            lines.push(format!("\n### {group}"));
        }
        lines.push(format!("\n{ENTRY} {key} -->\n{}", item(entry)));
    }
    lines.push(format!("\n{END}"));
    lines.join("\n")
}

/// A list item: the title, and the body indented below it.
fn item(entry: &Entry) -> String {
    // It stands in a link, and a link holds no other.
    let title = Text::from_plain(&entry.title).without_links(|_| true).markdown(Dialect::Plain);
    let body = Text::from_html(&entry.html).with_headings_below(3).markdown(Dialect::Plain);
    let link = entry.url.as_ref().map_or_else(|| format!("**{}**", title.trim()), |url| format!("**[{}](<{url}>)**", title.trim()));
    let indented: String = body.trim().lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect();
    if indented.is_empty() { format!("- {link}") } else { format!("- {link}\n\n{}", indented.trim_end()) }
}

/// Which group an entry belongs to, by the label of its type.
fn group(entry: &Entry) -> usize {
    let kind = entry.kind.as_deref().unwrap_or_default().to_lowercase();
    let matches = |words: &[&str]| kind.split(|c: char| !c.is_alphanumeric()).any(|word| words.contains(&word));
    match () {
        () if matches(&["add", "added", "addition", "additions", "new", "feature", "features"]) => 0,
        () if matches(&["deprecate", "deprecated", "deprecation", "deprecations"]) => 2,
        () if matches(&["remove", "removed", "removal", "removals"]) => 3,
        () if matches(&["fix", "fixed", "fixes", "bug", "bugs", "bugfix", "bugfixes", "hotfix", "hotfixes"]) => 4,
        () if matches(&["secure", "secured", "security"]) => 5,
        () => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_told_by_whole_words() {
        let entry = |kind: &str| Entry {
            title: String::new(),
            kind: Some(kind.to_owned()),
            html: String::new(),
            url: None,
            published: crate::contract::Time::ZERO,
            updated: crate::contract::Time::ZERO,
        };
        for (kind, expected) in [
            ("New Feature", "Added"),
            ("Performance prefix", "Changed"),
            ("renewed", "Changed"),
            ("bug-fix", "Fixed"),
            ("Removed", "Removed"),
            ("security", "Security"),
            ("Deprecations", "Deprecated"),
            ("improvement", "Changed"),
        ] {
            assert_eq!(GROUPS[group(&entry(kind))], expected, "{kind}");
        }
    }

    #[test]
    fn a_persons_words_stay_byte_for_byte() {
        let ours = format!("{BEGIN}\nnew\n{END}");
        assert_eq!(merged(Some("a\r\n<!-- sleeksync:begin -->old<!-- sleeksync:end -->\tb"), &ours), format!("a\r\n{ours}\tb"));
        assert_eq!(
            merged(Some("# C\n\n## [Unreleased]\n- x\n\n## [1.0]\n- y\n"), &ours),
            format!("# C\n\n## [Unreleased]\n- x\n\n{ours}\n\n## [1.0]\n- y\n")
        );
        for (theirs, apart) in [("# C\n", "\n"), ("# C", "\n\n"), ("# C \t\n\n\n", ""), ("", "")] {
            assert_eq!(merged(Some(theirs), &ours), format!("{theirs}{apart}{ours}\n"));
        }
        assert!(merged(None, &ours).starts_with("# Changelog\n"));
    }
}
