//! Defaults < files < environment < command line, and what paths hang on.

use std::time::Duration;

use super::{Case, KEYS};
use crate::config::Since;
use crate::config::load_local;

const BOARD: &str = "[connectors.board]\nkind = \"board\"\nrepository = \"a/b\"\ntoken = \"t\"\n";

#[test]
fn a_silent_configuration_has_the_documented_defaults() {
    let config = Case::of(KEYS).load();
    assert_eq!(config.receiver.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.receiver.path, "/webhooks/sleekplan");
    assert_eq!(config.receiver.body_bytes_max, 1 << 20);
    assert_eq!(config.receiver.connections_max, 1024);
    assert_eq!(config.admin.listen.to_string(), "127.0.0.1:9280");
    assert_eq!(config.store.retention, Duration::from_secs(90 * 24 * 3600));
    assert_eq!(config.store.free_bytes_min, 256 << 20);
    assert_eq!(config.delivery.concurrency, None, "the kind's own: 4, or as many as it gathers for one call");
    assert_eq!(config.delivery.park_after, Duration::from_secs(24 * 3600));
    assert_eq!(config.log.filter, "info");
}

#[test]
fn later_files_win_key_by_key() {
    let case = Case::new()
        .write("base.toml", "[receiver]\nkeys = [\"k\"]\nlisten = \"127.0.0.1:1\"\nmax_connections = 7\n")
        .write("over.toml", "[receiver]\nlisten = \"127.0.0.1:2\"\n")
        .files(&["base.toml", "over.toml"]);
    let receiver = case.load().receiver;
    assert_eq!((receiver.listen.port(), receiver.connections_max, receiver.keys.len()), (2, 7, 1));
}

#[test]
fn a_mistake_is_named_with_the_file_it_stands_in() {
    let case = Case::new()
        .write("base.toml", "[receiver]\nkeys = [\"k\"]\nbody_timeout = \"1\"\n")
        .write("over.toml", "[receiver]\nheader_timeout = \"2\"\n")
        .files(&["base.toml", "over.toml"])
        .env("SLEEKSYNC__RECEIVER__MAX_CONNECTIONS", "x")
        .env("SLEEKSYNC__RECEIVER__LISTN", "x");
    let starts = ["base.toml: receiver.body_timeout: ", "over.toml: receiver.header_timeout: "];
    let variables =
        ["SLEEKSYNC__RECEIVER__LISTN: receiver.listn: unknown key; ", "SLEEKSYNC__RECEIVER__MAX_CONNECTIONS: receiver.max_connections: "];
    let lines = case.lines();
    assert_eq!(lines.len(), 4, "{lines:?}");
    for start in starts.iter().chain(&variables) {
        assert!(lines.iter().any(|line| line.starts_with(start)), "{start} is not in {lines:?}");
    }
}

#[test]
fn the_environment_wins_over_files_and_the_command_line_over_both() {
    let mut case = Case::of(&format!("{KEYS}[log]\nfilter = \"warn\"\nformat = \"text\"\n"))
        .env("SLEEKSYNC__LOG__FILTER", "debug")
        .env("SLEEKSYNC__LOG__FORMAT", "json")
        .env("SLEEKSYNC_LOG__FILTER", "nothing of ours");
    assert_eq!(case.load().log.filter, "debug");
    case.sources.flags.push(("log.filter", "trace".to_owned()));
    let log = case.load().log;
    assert_eq!((log.filter.as_str(), log.format), ("trace", crate::config::LogFormat::Json));
}

#[test]
fn environment_values_become_what_the_key_needs() {
    let case = Case::of(BOARD)
        .env("SLEEKSYNC__RECEIVER__KEYS", "[0042, 007, 1e5]")
        .env("SLEEKSYNC__RECEIVER__MAX_CONNECTIONS", "12")
        .env("SLEEKSYNC__RECEIVER__ALLOW_UNAUTHENTICATED", "true")
        .env("SLEEKSYNC__PRODUCTS__ACME__ID", "5456534244")
        .env("SLEEKSYNC__DELIVERY__SETTLE", "[\"0s\", \"5s\"]")
        .env("SLEEKSYNC__CONNECTORS__BOARD__RETRIES", "3")
        .env("SLEEKSYNC__CONNECTORS__BOARD__LABELS", "[a, 1]")
        .env("SLEEKSYNC__CONNECTORS__BOARD__TOKEN", "00123")
        .env("SLEEKSYNC__CONNECTORS__BOARD__EXPECT_TOKEN", "00123")
        .env("SLEEKSYNC__CONNECTORS__BOARD__EVENTS", "[\"item.create\"]");
    let config = case.load();
    let keys: Vec<&str> = config.receiver.keys.iter().map(|key| key.expose()).collect();
    assert_eq!(keys, ["0042", "007", "1e5"]);
    assert_eq!(config.receiver.connections_max, 12);
    assert_eq!(config.products[0].id.unwrap().0, 5_456_534_244);
    assert_eq!(config.delivery.settle, Some(vec![Duration::ZERO, Duration::from_secs(5)]));
    assert_eq!(config.connectors[0].events.as_ref().unwrap().len(), 1);
}

#[test]
fn relative_paths_hang_on_the_folder_of_their_file() {
    let case = Case::new()
        .write("a/base.toml", &format!("{KEYS}capture_dir = \"seen\"\n[connectors.p]\nkind = \"site\"\npath = \"out\"\n"))
        .write("b/over.toml", "[connectors.p.git]\nkey_path = \"id\"\n")
        .files(&["a/base.toml", "b/over.toml"])
        .env("SLEEKSYNC__STORE__PATH", "state");
    let config = case.load();
    assert_eq!(config.receiver.capture_dir.unwrap(), case.path("a/seen"));
    assert_eq!(config.store.path, case.path("state"));
    let expected = format!("site:{}:{}", case.path("a/out").display(), case.path("b/id").display());
    assert_eq!(config.connectors[0].instance.scope().0, expected);
}

#[test]
fn an_absolute_path_stays_and_the_default_hangs_on_the_first_file() {
    let case = Case::new().write("etc/one.toml", KEYS).write("two.toml", "[log]\n").files(&["etc/one.toml", "two.toml"]);
    assert_eq!(case.load().store.path, case.path("etc/data"));
    let case = Case::of(&format!("{KEYS}[store]\npath = \"/var/lib/sleeksync\"\n"));
    assert_eq!(case.load().store.path.to_str(), Some("/var/lib/sleeksync"));
}

#[test]
fn what_a_connector_does_not_say_is_the_sections_and_then_the_kinds() {
    let text = format!("{KEYS}[delivery]\ntimeout = \"5s\"\nconcurrency = 2\n{BOARD}[connectors.board.delivery]\nconcurrency = 9\n");
    let delivery = &Case::of(&text).load().connectors[0].delivery;
    assert_eq!((delivery.timeout, delivery.concurrency), (Duration::from_secs(5), 9));
    assert_eq!((delivery.rate_per_minute, delivery.creates_per_hour_max), (60, 60));
    assert_eq!(delivery.settle, [Duration::ZERO, Duration::from_secs(30)]);
}

#[test]
fn the_kinds_rate_holds_at_the_vendors_public_host_only() {
    let elsewhere = format!("{KEYS}{BOARD}api_url = \"https://board.example.com\"\n");
    assert_eq!(Case::of(&elsewhere).load().connectors[0].delivery.rate_per_minute, 0);
    let limited = format!("{elsewhere}[connectors.board.delivery]\nrate_per_minute = 5\n");
    assert_eq!(Case::of(&limited).load().connectors[0].delivery.rate_per_minute, 5);
}

#[test]
fn since_is_a_day_a_time_or_all_and_databases_take_history_by_themselves() {
    let start = |since: &str| Case::of(&format!("{KEYS}{BOARD}{since}")).load().connectors[0].since;
    assert_eq!(start(""), Since::FirstRun);
    assert_eq!(start("since = \"all\""), Since::All);
    let Since::At(at) = start("since = 2026-01-01") else { panic!("no time") };
    assert_eq!(at.to_string(), "2026-01-01T00:00:00Z");
    let Since::At(at) = start("since = \"2026-01-01T08:00:00+02:00\"") else { panic!("no time") };
    assert_eq!(at.to_string(), "2026-01-01T06:00:00Z");
    let site = Case::of(&format!("{KEYS}[connectors.p]\nkind = \"site\"\npath = \"out\"\n"));
    assert_eq!(site.load().connectors[0].since, Since::All);
}

#[test]
fn a_command_that_needs_the_daemon_alone_ignores_mistakes_elsewhere() {
    let case = Case::of("[admin]\nlisten = \"127.0.0.1:1\"\n[connectors.x]\nkind = \"gone\"\ntoken = { env = \"NOT_SET_ANYWHERE\" }\n");
    assert_eq!(load_local(&case.sources).unwrap().admin.listen.port(), 1);
}
