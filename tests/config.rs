//! The configuration from outside: what `check` says of it, and that it never says a secret.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy knows tests by #[test] only, not their helpers here"
)]

use std::path::Path;
use std::process::{Command, Output};

const CANARY: &str = "canary-51b2e0";

/// Runs the program in `folder` with nothing of this process's environment that is configuration.
fn sleeksync(folder: &Path, args: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sleeksync"));
    command.args(args).current_dir(folder).env_remove("SLEEKPLAN_WEBHOOK_KEY").stdin(std::process::Stdio::null());
    command.envs(environment.iter().copied()).output().unwrap()
}

fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_good_configuration_passes() {
    let folder = folder_with(&[("sleeksync.toml", "[receiver]\nkeys = [\"k\"]\n")]);
    let output = sleeksync(folder.path(), &["check"], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output), "the configuration is good: 0 products, 0 connectors, 0 enabled\n");
}

#[test]
fn every_mistake_is_a_line_and_the_exit_code_says_that_it_is_the_configuration() {
    let folder = folder_with(&[
        ("base.toml", "[receiver]\nlistn = \"127.0.0.1:1\"\nheader_timeout = \"10\"\n"),
        ("over.toml", "[connectors.blog]\nkind = \"nothing\"\n"),
    ]);
    let environment = [("SLEEKSYNC__STORE__MIN_FREE", "much")];
    let output = sleeksync(folder.path(), &["check", "--config", "base.toml", "--config", "over.toml"], &environment);
    assert_eq!(output.status.code(), Some(2));
    let text = stderr(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert_eq!(lines[1], "base.toml: receiver.listn: unknown key; did you mean `listen`?");
    for start in [
        "base.toml: receiver.header_timeout: `10` is no duration; expected ",
        "base.toml: receiver.keys: is missing; expected ",
        "SLEEKSYNC__STORE__MIN_FREE: store.min_free: `much` is no size; expected ",
        "over.toml: connectors.blog.kind: `nothing` is no kind; expected ",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(start)), "{start} is not in {lines:?}");
    }
}

#[test]
fn programs_get_the_mistakes_as_json() {
    let folder = folder_with(&[("sleeksync.toml", "[receiver]\nkeys = [\"k\"]\nlistn = 1\n")]);
    let output = sleeksync(folder.path(), &["--json", "check"], &[]);
    assert_eq!(output.status.code(), Some(2));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["ok"], false);
    assert_eq!(answer["mistakes"][0]["key"], "receiver.listn");
    assert_eq!(answer["mistakes"][0]["file"], "sleeksync.toml");
}

#[test]
fn a_secret_is_printed_by_nothing_but_show_key() {
    let text = format!("[receiver]\nkeys = [{{ env = \"HOOK_KEY\" }}]\n[admin]\nlisten = \"127.0.0.1:1\"\ntoken = \"{CANARY}\"\n");
    let folder = folder_with(&[("sleeksync.toml", &text)]);
    let environment = [("HOOK_KEY", CANARY)];
    for args in
        [&["check"] as &[&str], &["check", "--json"], &["url"], &["url", "--json"], &["-v", "status"], &["kinds"], &["queue", "--json"]]
    {
        let output = sleeksync(folder.path(), args, &environment);
        let printed = stdout(&output) + &stderr(&output);
        assert!(!printed.contains(CANARY), "{args:?} printed {printed}");
    }
    let shown = sleeksync(folder.path(), &["url", "--show-key"], &environment);
    assert_eq!(stdout(&shown), format!("http://127.0.0.1:8080/webhooks/sleekplan?key={}\n", CANARY.replace('-', "%2D")));
}

#[test]
fn a_numeric_key_of_the_environment_stays_what_it_is() {
    let folder = folder_with(&[]);
    let environment = [("SLEEKSYNC__RECEIVER__KEYS", "[00123]"), ("SLEEKSYNC__RECEIVER__PUBLIC_URL", "https://hooks.example.com/")];
    let shown = sleeksync(folder.path(), &["url", "--show-key"], &environment);
    assert_eq!(stdout(&shown), "https://hooks.example.com/webhooks/sleekplan?key=00123\n");
}

#[test]
fn what_init_writes_passes_check_and_is_not_overwritten() {
    let folder = folder_with(&[]);
    let args = ["init", "--public-url", "https://hooks.example.com", "--product", "acme", "--product-id", "5456534244"];
    let output = sleeksync(folder.path(), &args, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let checked = sleeksync(folder.path(), &["check"], &[]);
    assert_eq!(stdout(&checked), "the configuration is good: 1 products, 0 connectors, 0 enabled\n", "{}", stderr(&checked));
    let url = stdout(&sleeksync(folder.path(), &["url", "--show-key"], &[]));
    let key = url.trim_end().rsplit_once("?key=").unwrap().1;
    assert_eq!(key.len(), 48, "{url}");

    let written = std::fs::read_to_string(folder.path().join("sleeksync.toml")).unwrap();
    assert!(!written.contains(key));
    let again = sleeksync(folder.path(), &["init"], &[]);
    assert_eq!((again.status.code(), std::fs::read_to_string(folder.path().join("sleeksync.toml")).unwrap()), (Some(2), written.clone()));
    assert!(sleeksync(folder.path(), &["init", "--yes"], &[]).status.success());
    assert_ne!(std::fs::read_to_string(folder.path().join("sleeksync.toml")).unwrap(), written);
    assert_eq!(
        stdout(&sleeksync(folder.path(), &["url", "--show-key"], &[])).trim_end().rsplit_once("?key=").unwrap().1,
        key,
        "the key is kept"
    );
}

#[test]
fn connectors_of_init_are_on_dry_run() {
    let folder = folder_with(&[]);
    let missing = sleeksync(folder.path(), &["init", "--connector", "pages=site"], &[]);
    assert_eq!(missing.status.code(), Some(2));
    assert_eq!(stderr(&missing), "sleeksync.toml: connectors.pages.path: is missing; expected by kind `site`: --set pages.path=VALUE\n");
    let written = sleeksync(folder.path(), &["init", "--connector", "pages=site", "--set", "pages.path=site"], &[]);
    assert!(written.status.success(), "{}", stderr(&written));
    let checked = sleeksync(folder.path(), &["check"], &[]);
    assert_eq!(stdout(&checked), "the configuration is good: 0 products, 1 connectors, 1 enabled, 1 of them on dry run\n");
}

#[test]
fn init_names_what_it_still_needs_and_writes_nothing() {
    let folder = folder_with(&[]);
    let output = sleeksync(folder.path(), &["init", "--connector", "blog=nothing"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("sleeksync.toml: connectors.blog.kind: `nothing` is no kind; "), "{}", stderr(&output));
    assert!(!folder.path().join("sleeksync.toml").exists());
}

#[test]
fn two_connectors_that_write_one_file_are_a_mistake_that_names_both() {
    let two = "[receiver]\nkeys = [\"k\"]\n[connectors.acme]\nkind = \"site\"\npath = \"s\"\ndirectory = \"acme\"\n\
               [connectors.bolt]\nkind = \"site\"\npath = \"./s/.\"\ndirectory = \"bolt\"\n";
    let folder = folder_with(&[
        ("same.toml", two),
        ("apart.toml", &format!("{two}feed_directory = \"bolt\"\n")),
        ("spelled.toml", &two.replace("\"bolt\"", "\"acme/\"")),
        (
            "repositories.toml",
            "[receiver]\nkeys = [\"k\"]\n[connectors.a]\nkind = \"github\"\ntoken = \"t\"\nrepository = \"acme/widgets\"\n\
          [connectors.b]\nkind = \"github\"\ntoken = \"t\"\nrepository = \"ACME/Widgets\"\n",
        ),
    ]);
    let check = |file| sleeksync(folder.path(), &["check", "--config", file], &[]);
    let same = stderr(&check("same.toml"));
    assert_eq!(same.lines().count(), 1, "{same}");
    assert!(same.contains("connectors.bolt.feed_directory: writes `") && same.contains("s/changelog.rss` like connectors.acme"), "{same}");
    assert!(check("apart.toml").status.success(), "{}", stderr(&check("apart.toml")));
    for file in ["spelled.toml", "repositories.toml"] {
        let said = stderr(&check(file));
        assert!(said.contains(" like connectors.a") && said.contains("both take the same kinds of items"), "{said}");
    }
}

/// What `check` says of `text` behind a good receiver: where each mistake is.
fn places(text: &str) -> Vec<String> {
    let folder = folder_with(&[("sleeksync.toml", &format!("[receiver]\nkeys = [\"k\"]\n{text}"))]);
    let said = stderr(&sleeksync(folder.path(), &["check"], &[]));
    said.lines().map(|line| line.split(": ").nth(1).unwrap_or(line).replace("connectors.x.", "")).collect()
}

#[test]
fn no_mistake_of_a_connector_hides_another() {
    let table: &[(&str, &[&str])] = &[
        (
            "kind = \"github\"\non_delete = \"closd\"\nlables = []\ntoken = { env = \"NO_SUCH_TOKEN\" }\nvotes_every = 5\non_missing = \"x\"\ntitle = \"{{ feedback.nope }}\"",
            &["lables", "on_delete", "on_missing", "token", "votes_every", "repository", "title"],
        ),
        (
            "kind = \"github\"\nrepository = \"a b\"\ntoken = \"t\"\nclosed_statuses = { done = \"maybe\" }\ntitle = \"\"\nbody = \"{{ nope }}\"\n\
             api_url = \"ftp://x\"\nlabels = [\" \"]\ntype_labels = { bug = \"\" }",
            &["repository", "closed_statuses", "labels", "type_labels", "api_url", "title", "body"],
        ),
        (
            "kind = \"site\"\nformat = \"hugoo\"\nfeeds = [\"atm\", \"rss\", \"jsn\"]\ndirectory = \" \"\nfeed_title = \"\"\nfeed_url = \"x\"",
            &["feeds[0]", "feeds[2]", "format", "path", "feed_title", "directory", "feed_url"],
        ),
        ("kind = \"site\"\npath = \"\"", &["path"]),
        ("kind = \"site\"\npath = \"  \"\nfeed_directory = \"\"\nchangelog_file = \"../x\"", &["path", "feed_directory", "changelog_file"]),
        ("kind = \"github\"\nrepository = \"a/b\"\ntoken = \" \"", &["token"]),
    ];
    for (text, expected) in table {
        let mut found = places(&format!("[connectors.x]\n{text}\n"));
        let mut expected: Vec<&str> = expected.to_vec();
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_mistake_that_all_connectors_inherit_is_reported_once() {
    let two = "[connectors.x]\nkind = \"site\"\npath = \"a\"\n[connectors.y]\nkind = \"site\"\npath = \"b\"\n";
    for (setting, place) in
        [("timeout = \"2h\"", "delivery.timeout"), ("settle = []", "delivery.settle"), ("backoff_min = \"1h\"", "delivery.backoff_min")]
    {
        assert_eq!(places(&format!("[delivery]\n{setting}\n{two}")), [place]);
        assert_eq!(places(&format!("{two}[connectors.y.delivery]\n{setting}\n")), [format!("connectors.y.{place}")]);
    }
}
