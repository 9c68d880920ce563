//! The command line against a running daemon, and without one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy knows tests by #[test] only, not their helpers here"
)]
#![expect(clippy::disallowed_methods, reason = "a test has no supervisor")]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::Value;
use sleeksync::app::{App, Listeners, Store};
use sleeksync::clock::Clock;
use sleeksync::config::{Sources, load};
use sleeksync_connectors::kit::http::{Client, ClientOptions};
use tokio::net::TcpListener;

const KEY: &str = "a key";
const TOKEN: &str = "a token";

/// Where the program finds the daemon of this process.
struct Daemon {
    folder: tempfile::TempDir,
}

/// Runs `test` against a daemon, and ends the daemon also when the test fails: its threads would keep the process.
async fn with_daemon<T>(test: impl FnOnce(Arc<Daemon>) -> T)
where
    T: Future<Output = ()> + Send + 'static,
{
    let (daemon, app) = Daemon::start().await;
    let result = tokio::spawn(test(Arc::new(daemon))).await;
    app.shut_down().await;
    result.unwrap();
}

impl Daemon {
    async fn start() -> (Self, App) {
        let folder = tempfile::tempdir().unwrap();
        let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let admin = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (public, private) = (receiver.local_addr().unwrap(), admin.local_addr().unwrap());
        let text = format!(
            "[receiver]\nlisten = \"{public}\"\nkeys = [\"{KEY}\"]\npublic_url = \"http://{public}\"\n\
             [admin]\nlisten = \"{private}\"\ntoken = \"{TOKEN}\"\n[store]\nmin_free = \"0B\"\n\
             [connectors.pages]\nkind = \"site\"\nformat = \"plain\"\npath = \"out\"\n"
        );
        std::fs::write(folder.path().join("sleeksync.toml"), text).unwrap();
        std::fs::create_dir(folder.path().join("out")).unwrap();
        let sources =
            Sources { working_directory: folder.path().to_owned(), environment: Vec::new(), ..Sources::of_process(Vec::new(), Vec::new()) };
        let config = load(&sources).unwrap();
        let transport = Arc::new(Client::new(&ClientOptions::default()).unwrap());
        let store = Store::open(&config, Clock::system()).await.unwrap();
        let app = App::start(&config, store, Listeners { receiver, admin }, transport).await;
        app.desk().shared.index.wait_ready().await;
        (Self { folder }, app)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    async fn run(&self, args: &[&str]) -> Output {
        self.run_with(args, &[]).await
    }

    /// Runs the program away from the runtime's threads, on which the daemon answers it.
    async fn run_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sleeksync"));
        command.args(args).current_dir(self.folder.path()).envs(environment.iter().copied()).stdin(std::process::Stdio::null());
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    async fn json(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json"]].concat()).await;
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{args:?}: {}", both(&output)))
    }
}

fn both(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

const EVENT: &str = r#"{"product_id":5456534244,"action":"item.create","timestamp":"2026-01-02T03:04:05Z",
    "data":{"feedback_id":"3","title":"Dark mode","product_id":5456534244}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_sent_and_followed_and_can_be_looked_at() {
    with_daemon(|daemon| async move {
        let file = daemon.write("event.json", EVENT);
        let sent = daemon.run(&["send", file.to_str().unwrap()]).await;
        assert!(sent.status.success(), "{}", both(&sent));
        assert!(both(&sent).contains("accepted as event") && both(&sent).contains("feedback/3"), "{}", both(&sent));

        let again = daemon.json(&["send", file.to_str().unwrap()]).await;
        assert_eq!(again["sent"][0]["answer"]["status"], "duplicate");
        let events = daemon.json(&["events"]).await;
        assert_eq!((events["events"].as_array().unwrap().len(), &events["events"][0]["item"]), (1, &Value::from("feedback/3")));
        let seq = events["events"][0]["seq"].to_string();
        assert_eq!(daemon.json(&["events", "--show", &seq]).await["body"]["data"]["title"], "Dark mode");
        assert_eq!(daemon.json(&["status"]).await["journal"]["events"], 1);
        for list in ["queue", "parked", "links"] {
            assert_eq!(daemon.json(&[list]).await[list], Value::Array(Vec::new()), "{list}");
        }
        assert!(daemon.run(&["status", "--exit-code"]).await.status.success());
    })
    .await;
}

const ENTRY: &str = r#"{"product_id":5456534244,"action":"changelog.create","timestamp":"2026-01-02T03:04:05Z",
    "data":{"changelog_id":"771","title":"Faster search","description":"<p>It is <b>fast</b>.</p>","product_id":5456534244}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_followed_to_its_link_and_can_be_delivered_again() {
    with_daemon(|daemon| async move {
        let file = daemon.write("entry.json", ENTRY);
        let plan = daemon.json(&["plan", file.to_str().unwrap(), "--connector", "pages"]).await;
        assert_eq!((&plan["plans"][0]["connector"], &plan["plans"][0]["skip"]), (&Value::from("pages"), &Value::Null), "{plan}");

        let sent = daemon.run(&["send", file.to_str().unwrap()]).await;
        let text = both(&sent);
        assert!(sent.status.success() && text.contains("changelog/771") && text.contains("pages: delivered"), "{text}");
        assert_eq!(daemon.json(&["links", "--item", "changelog/771"]).await["links"][0]["connector"], "pages");

        // What it became would follow: nobody is there to be asked.
        let again = daemon.write("again.json", &ENTRY.replace("03:04:05", "03:04:06").replace("Faster", "Slower"));
        let asked = daemon.run(&["send", again.to_str().unwrap()]).await;
        assert!(asked.status.code() == Some(2) && both(&asked).contains("changelog/771 at pages"), "{}", both(&asked));
        assert_eq!(daemon.json(&["events"]).await["events"].as_array().unwrap().len(), 1);
        assert!(daemon.run(&["send", again.to_str().unwrap(), "--yes"]).await.status.success());
        assert_eq!(daemon.json(&["events"]).await["events"].as_array().unwrap().len(), 2);

        let counted = daemon.json(&["replay", "--connector", "pages", "--dry-run"]).await;
        assert_eq!((&counted["count"], &counted["items"][0]), (&Value::from(1), &Value::from("changelog/771")));
        let replayed = daemon.run(&["replay", "--connector", "pages", "--item", "changelog/771"]).await;
        assert!(replayed.status.success(), "{}", both(&replayed));

        assert!(daemon.run(&["pause", "pages"]).await.status.success());
        assert_eq!(daemon.run(&["status", "--exit-code"]).await.status.code(), Some(1));
        let stuck = daemon.run(&["replay", "--connector", "pages"]).await;
        assert!(stuck.status.code() == Some(1) && both(&stuck).contains("pages is paused"), "{}", both(&stuck));
        assert!(daemon.run(&["resume", "pages"]).await.status.success());
        assert!(daemon.run(&["replay", "--connector", "pages"]).await.status.success());
        assert!(daemon.run(&["status", "--exit-code"]).await.status.success());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_a_failure_and_what_cannot_be_undone_needs_yes() {
    with_daemon(|daemon| async move {
        let codes: &[(&[&str], i32)] = &[
            (&["events", "--show", "99"], 1),
            (&["retry", "99"], 1),
            (&["drop", "99", "--why", "gone", "--yes"], 1),
            (&["drop", "99", "--why", "gone"], 2),
            (&["drop", "99", "--why", " ", "--yes"], 2),
            (&["pause", "nobody"], 1),
            (&["resume", "nobody", "--all"], 1),
            (&["replay", "--connector", "nobody"], 1),
            (&["connector", "reset", "nobody"], 2),
            (&["connector", "reset", "nobody", "--yes"], 1),
            (&["queue", "--item", "nonsense"], 1),
            (&["retry"], 2),
            (&["plan"], 2),
            (&["nonsense"], 2),
            (&["retry", "--all"], 0),
            (&["connector", "list"], 0),
            (&["plan", "--item", "feedback/99"], 1),
            (&["send", "not-there.json"], 1),
        ];
        for (args, code) in codes {
            let output = daemon.run(args).await;
            assert_eq!(output.status.code(), Some(*code), "{args:?}: {}", both(&output));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_is_refused_and_not_printed() {
    with_daemon(|daemon| async move {
        let output = daemon.run_with(&["status"], &[("SLEEKSYNC__ADMIN__TOKEN", "canary-99")]).await;
        assert_eq!(output.status.code(), Some(1));
        assert!(!both(&output).contains("canary-99") && both(&output).contains("token"), "{}", both(&output));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_tells_whether_the_key_arrives_and_makes_no_event() {
    with_daemon(|daemon| async move {
        let output = daemon.run(&["check", "--live"]).await;
        assert!(both(&output).contains("receiver.public_url: reached, and the key arrives"), "{}", both(&output));
        assert!(both(&output).contains("connectors.pages: ") && output.status.success(), "{}", both(&output));

        let other = daemon.run_with(&["check", "--live"], &[("SLEEKSYNC__RECEIVER__KEYS", "[\"another key\"]")]).await;
        assert!(both(&other).contains("receiver.public_url: key stripped: "), "{}", both(&other));
        let wrong = daemon.run_with(&["check", "--live"], &[("SLEEKSYNC__RECEIVER__PATH", "/elsewhere")]).await;
        assert!(both(&wrong).contains("receiver.public_url: wrong path: "), "{}", both(&wrong));
        let unknown = daemon.run_with(&["check", "--live"], &[("SLEEKSYNC__RECEIVER__PUBLIC_URL", "https://nowhere.invalid")]).await;
        assert!(both(&unknown).contains("receiver.public_url: DNS: "), "{}", both(&unknown));
        let plain = format!("https://{}", daemon.json(&["url"]).await["url"].as_str().unwrap().split('/').nth(2).unwrap());
        let tls = daemon.run_with(&["check", "--live"], &[("SLEEKSYNC__RECEIVER__PUBLIC_URL", plain.as_str())]).await;
        assert!(both(&tls).contains("receiver.public_url: TLS: "), "{}", both(&tls));
        assert_eq!([&other, &wrong, &unknown, &tls].map(|output| output.status.code()), [Some(1); 4]);

        assert_eq!(daemon.json(&["events"]).await["events"], Value::Array(Vec::new()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stranger_wrote_is_no_command_to_the_terminal() {
    with_daemon(|daemon| async move {
        let hostile = r#"{"product_id":1,"action":"\u001b]0;owned\u0007\nforged","data":{}}"#;
        let file = daemon.write("hostile.json", hostile);
        assert!(daemon.run(&["send", file.to_str().unwrap()]).await.status.success());
        let shown = [daemon.run(&["events"]).await, daemon.run(&["events", "--show", "1"]).await];
        for output in shown {
            let text = both(&output);
            assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_daemon_sending_ends_with_3() {
    with_daemon(|daemon| async move {
        let file = daemon.write("event.json", EVENT);
        let nobody = [("SLEEKSYNC__RECEIVER__LISTEN", "127.0.0.1:1"), ("SLEEKSYNC__ADMIN__LISTEN", "127.0.0.1:1")];
        let output = daemon.run_with(&["send", file.to_str().unwrap()], &nobody).await;
        assert_eq!(output.status.code(), Some(3), "{}", both(&output));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_a_store_names_the_first_and_ends_with_3() {
    with_daemon(|daemon| async move {
        let elsewhere = [("SLEEKSYNC__RECEIVER__LISTEN", "127.0.0.1:1"), ("SLEEKSYNC__ADMIN__LISTEN", "127.0.0.1:2")];
        let runs: [(&[&str], bool); 5] =
            [(&["run"], false), (&["run"], true), (&["store", "verify"], false), (&["store", "rebuild"], false), (&["status"], true)];
        for (args, is_elsewhere) in runs {
            let output = daemon.run_with(args, if is_elsewhere { &elsewhere } else { &[] }).await;
            let named = both(&output).contains(&format!("in use by process {}", std::process::id()));
            assert!(output.status.code() == Some(3) && named, "{args:?}: {:?} {}", output.status, both(&output));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_without_a_daemon_write_nothing() {
    let (daemon, app) = Daemon::start().await;
    let file = daemon.write("entry.json", ENTRY);
    assert!(daemon.run(&["send", file.to_str().unwrap()]).await.status.success());
    app.shut_down().await;
    let text = std::fs::read_to_string(daemon.folder.path().join("sleeksync.toml")).unwrap();
    let other = daemon.write("other.toml", &text.replace("[connectors.pages]", "[connectors.news]"));
    let other = ["--config", other.to_str().unwrap()];
    let before = daemon.json(&["status"]).await;
    for question in [vec!["status"], vec!["links"], vec!["events"], vec!["replay", "--connector", "pages", "--dry-run"]] {
        assert!(daemon.run(&question).await.status.success(), "{question:?}");
    }
    // It is answered for the configuration that is named, also where that never ran.
    let supposed = daemon.json(&[&["status"][..], &other].concat()).await;
    let states: Vec<_> = supposed["connectors"].as_array().unwrap().iter().map(|row| (&row["name"], &row["state"])).collect();
    assert_eq!(states, [(&Value::from("pages"), &Value::from("removed")), (&Value::from("news"), &Value::from("running"))]);
    let unseen = daemon.write("unseen.json", &ENTRY.replace("771", "772"));
    let plan = daemon.json(&[&["plan", unseen.to_str().unwrap()][..], &other].concat()).await;
    assert_eq!((&plan["plans"][0]["connector"], &plan["plans"][0]["skip"]), (&Value::from("news"), &Value::Null), "{plan}");
    let after = daemon.json(&["status"]).await;
    assert_eq!((&after["journal"]["last_seq"], &after["connectors"]), (&before["journal"]["last_seq"], &before["connectors"]));
    assert!(daemon.run(&["pause", "pages"]).await.status.success());
    assert_eq!(daemon.json(&["status"]).await["journal"]["last_seq"].as_u64(), before["journal"]["last_seq"].as_u64().map(|seq| seq + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_stops_the_start_and_is_survived_on_request_only() {
    let (daemon, app) = Daemon::start().await;
    for title in ["lost one", "kept one"] {
        let body = EVENT.replace("Dark mode", title);
        let file = daemon.write("event.json", &body);
        assert!(daemon.run(&["send", file.to_str().unwrap()]).await.status.success());
    }
    app.shut_down().await;
    let segment = daemon.folder.path().join("data/journal/0000000000000001.segment");
    let mut bytes = std::fs::read(&segment).unwrap();
    let at = bytes.windows(8).position(|window| window == b"lost one").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let refused = daemon.run(&["status"]).await;
    assert!(!refused.status.success() && both(&refused).contains("is damaged at") && both(&refused).contains("--survive-damage"));
    assert_eq!(daemon.run(&["store", "rebuild"]).await.status.code(), Some(1));
    assert_eq!(daemon.run(&["store", "rebuild", "--survive-damage"]).await.status.code(), Some(2));
    let rebuilt = daemon.json(&["store", "rebuild", "--survive-damage", "--yes"]).await;
    assert_eq!(rebuilt["lost"].as_array().map(Vec::len), Some(1), "{rebuilt}");
    // The gap is on record: from now on nobody is asked again.
    let verified = daemon.run(&["store", "verify"]).await;
    assert!(verified.status.success(), "{}", both(&verified));
    assert!(both(&daemon.run(&["events", "--show", "3"]).await).contains("kept one"));
}

#[test]
fn the_demo_shows_every_page_the_head_of_a_feed_and_the_ids() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_sleeksync")).args(["demo", "--exit"]).current_dir(folder.path()).output().unwrap();
    let shown = both(&output);
    assert!(output.status.success(), "{shown}");
    for part in [
        "changelog/771",
        "content/changelog/entry-771.md:\n  ---\n  title: \"CSV export for everybody\"",
        "content/changelog/entry-772.md:\n  ---\n  title: \"Faster search\"",
        "CHANGELOG.md:\n  # Changelog",
        "static/changelog.json, its head:\n  {",
        "\"id\": \"tag:sleeksync,2026:sp-5456534244-changelog-77",
        "entries:5456534244/771",
        "772           Faster search             0      Show similar ideas as you type  10",
    ] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    assert!(!shown.contains("entry-773.md"), "a draft has no page");
}

#[test]
fn every_command_has_an_example_in_its_help() {
    let help = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_sleeksync")).args(args).arg("--help").output().unwrap();
        assert!(output.status.success(), "{args:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let top = help(&[]);
    let listed = top.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<&str> =
        listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).filter(|name| !name.is_empty() && *name != "help").collect();
    assert!(commands.len() >= 17, "{commands:?}");
    for command in commands {
        assert!(help(&[command]).contains("\nExample:\n  sleeksync "), "{command} has no example");
    }
    for part in ["list", "move", "reset", "drop"] {
        assert!(help(&["connector", part]).contains("\nExample:\n  sleeksync connector "), "connector {part} has no example");
    }
}
