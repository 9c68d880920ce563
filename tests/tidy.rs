//! House rules that no compiler checks: what `AGENTS.md` promises about the shape of this repository.

#![expect(clippy::unwrap_used, reason = "a rule that cannot be checked fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

/// A file longer than this is more than one idea.
const LINES_MAX: usize = 600;

/// What only some places may name, and why.
const ONLY: &[(&str, &[&str], &str)] = &[
    ("sled::", &["src/index/"], "the index is disposable; whoever else knows sled makes it a truth"),
    ("warp::", &["src/receiver/", "src/admin/", "connectors/testing/", "benches/"], "only the listeners speak HTTP as servers"),
    ("SystemTime::now", &["src/clock.rs"], "time is given, never read"),
    ("Timestamp::now", &["src/clock.rs"], "time is given, never read"),
    ("Zoned::now", &["src/clock.rs"], "time is given, never read"),
    ("tokio::spawn", &["src/supervisor.rs", "connectors/testing/", "benches/"], "tasks are counted and waited for at shutdown"),
    ("thread::spawn", &["src/journal/", "benches/"], "tasks are counted and waited for at shutdown; the journal has its own two threads"),
    ("anyhow::", &["src/main.rs"], "errors are typed below main"),
    (
        "reqwest::",
        &["connectors/kit/http/", "src/cli/", "benches/", "connectors/testing/"],
        "services are asked through the contract's Transport",
    ),
];

/// Names that say nothing.
const NO_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "manager", "misc"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below the repository that git would track, as path and text.
fn files(endings: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let name = entry.file_name().into_string().unwrap();
            if path.is_dir() {
                if !matches!(name.as_str(), "target" | ".git" | "proptest-regressions" | "node_modules") {
                    folders.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                let shown = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                if let Ok(text) = fs::read_to_string(&path) {
                    found.push((shown, text));
                }
            }
        }
    }
    found.sort();
    found
}

fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs") || path.ends_with("/model.rs")
}

/// The lines of a file in front of its unit tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn check(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

#[test]
fn files_begin_with_what_they_are_for_and_stay_short() {
    let mut violations = Vec::new();
    for (path, text) in files(&[".rs"]) {
        if !text.starts_with("//!") {
            violations.push(format!("{path}:1: does not begin with `//!`; say what the module is for, promises, and does not do"));
        }
        let lines = text.lines().count();
        if lines > LINES_MAX {
            violations.push(format!("{path}:{LINES_MAX}: has {lines} lines; split it by ideas, {LINES_MAX} at most"));
        }
    }
    check(&violations);
}

#[test]
fn nothing_is_left_for_later() {
    let words = [
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["#[ign", "ore"].concat(),
        ["#[should", "_panic"].concat(),
        ["todo", "!("].concat(),
    ];
    let mut violations = Vec::new();
    for (path, text) in files(&[".rs", ".sh", ".toml"]) {
        for (number, line) in text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(word.as_str())) {
                violations.push(format!("{path}:{}: `{word}`; finish it or leave it out", number + 1));
            }
        }
    }
    check(&violations);
}

#[test]
fn only_the_right_places_name_clock_tasks_and_libraries() {
    let mut violations = Vec::new();
    for (path, text) in files(&[".rs"]).iter().filter(|(path, _)| !is_test(path)) {
        for (number, line) in code(text) {
            for (word, places, why) in ONLY {
                if line.contains(word) && !places.iter().any(|place| path.starts_with(place)) {
                    violations.push(format!("{path}:{}: names `{word}`, which belongs to {places:?}: {why}", number + 1));
                }
            }
        }
    }
    check(&violations);
}

#[test]
fn tests_sleep_in_one_place_only() {
    let sleeps = [["sl", "eep("].concat(), ["sl", "eep_until("].concat()];
    let mut violations = Vec::new();
    for (path, text) in files(&[".rs"]).iter().filter(|(path, _)| !path.starts_with("tests/process/")) {
        let is_test = is_test(path);
        let unit_tests = text.lines().position(|line| line.starts_with("#[cfg(test)]")).unwrap_or(usize::MAX);
        for (number, line) in text.lines().enumerate().filter(|(number, _)| is_test || *number > unit_tests) {
            if sleeps.iter().any(|word| line.contains(word.as_str())) {
                violations.push(format!("{path}:{}: a test sleeps; a real process is waited for with tests/process, anything else by its event or a paused clock", number + 1));
            }
        }
    }
    check(&violations);
}

#[test]
fn modules_are_nouns_of_the_domain() {
    let mut violations = Vec::new();
    for (path, _) in files(&[".rs"]) {
        let parts = Path::new(&path).with_extension("");
        if parts.iter().any(|part| NO_NAMES.contains(&part.to_str().unwrap())) {
            violations.push(format!("{path}: its name says nothing; name it for what is in it"));
        }
    }
    check(&violations);
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    let paths = ["work", "root", "home"].map(|folder| format!("/{folder}/"));
    let mut violations = Vec::new();
    for (path, text) in files(&[".rs", ".toml", ".md", ".sh", ".txt", "run", "justfile"]) {
        for (number, line) in text.lines().enumerate() {
            if paths.iter().any(|machine| line.contains(machine)) {
                violations.push(format!("{path}:{}: names a path of one machine", number + 1));
            }
        }
    }
    check(&violations);
}

#[test]
fn every_kind_has_an_example_a_page_and_a_row() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut violations = Vec::new();
    for kind in sleeksync_connectors::registry::REGISTRY {
        for path in [format!("config/connectors/{}.toml", kind.name), format!("docs/connectors/{}.md", kind.name)] {
            if !root().join(&path).exists() {
                violations.push(format!("{path}: missing; every kind has one"));
            }
        }
        if !readme.contains(&format!("| `{}`", kind.name)) {
            violations.push(format!("README.md: no row for `{}` in the table of connectors", kind.name));
        }
    }
    check(&violations);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut violations = Vec::new();
    for (path, text) in files(&[".md"]).iter().filter(|(path, _)| !path.contains("goldens")) {
        let folder = root().join(path).parent().unwrap().to_path_buf();
        for (number, line) in text.lines().enumerate() {
            for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let file = target.split('#').next().unwrap();
                let outside =
                    file.is_empty() || file.contains("://") || file.starts_with("mailto:") || file.contains('{') || file.contains('<');
                if !outside && !folder.join(file).exists() {
                    violations.push(format!("{path}:{}: `{target}` leads nowhere", number + 1));
                }
            }
        }
    }
    check(&violations);
}
