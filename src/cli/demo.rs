//! `demo`: the whole way without any account.

mod copy;

use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use super::client::http_client;
use super::output::cell;
use super::run::transport;
use super::{CommandError, Context, Exit};
use crate::admin::{Desk, Query};
use crate::app::{App, Listeners, Store};
use crate::clock::Clock;
use crate::config::{Config, Sources, load};

/// How long everything may take to be delivered.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks at what is still owed.
const LOOK_PAUSE: Duration = Duration::from_millis(50);
/// Lines of a feed that are shown.
const FEED_LINES: usize = 24;
/// The demo's workspace and key: neither is anybody's.
const PRODUCT: u64 = 5_456_534_244;
const KEY: &str = "demo";

/// Shows the whole way without any account: a daemon on a temporary store, sample events, what each produced
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  sleeksync demo --exit")]
pub struct DemoArgs {
    /// End when everything was delivered, instead of staying up until Ctrl-C
    #[arg(long)]
    pub exit: bool,
}

/// Runs the demo.
pub(super) async fn run(context: &Context, args: &DemoArgs) -> Result<Exit, CommandError> {
    let folder =
        tempfile::Builder::new().prefix("sleeksync-demo-").tempdir().map_err(|source| file(Path::new("the temporary folder"), source))?;
    let config = configuration(context, folder.path())?;
    let listeners = Listeners::open(&config).await?;
    let local = |listener: &tokio::net::TcpListener| listener.local_addr().map_err(|source| file(folder.path(), source));
    let (receiver, admin) = (local(&listeners.receiver)?, local(&listeners.admin)?);
    let store = Store::open(&config, Clock::system()).await?;
    let app = App::start(&config, store, listeners, transport(&config)?).await;
    context
        .output
        .line(&format!("daemon: webhooks at http://{receiver}{}, admin API at http://{admin}/api/v1/status", config.receiver.path));
    let http = http_client()?;
    for event in events() {
        let answer = post(&http, &format!("http://{receiver}{}?key={KEY}", config.receiver.path), &event).await?;
        context.output.line(&format!("  {:<20} -> {} {}", cell(&event, "action"), cell(&answer, "status"), cell(&answer, "seq")));
    }
    let delivered = wait(app.desk()).await;
    show(context, app.desk(), folder.path());
    if !args.exit {
        context.output.line(&format!("It stays up until Ctrl-C. See http://{admin}/api/v1/events and {}", folder.path().display()));
        // Without a signal to wait for, it ends at once.
        let _ = tokio::signal::ctrl_c().await;
    }
    app.shut_down().await;
    Ok(if delivered { Exit::Done } else { Exit::Failed })
}

fn file(path: &Path, source: std::io::Error) -> CommandError {
    CommandError::File { path: path.to_owned(), verb: "used", source }
}

/// A configuration like a user's, in the temporary folder: ports of the system's choice, the embedded connectors.
fn configuration(context: &Context, folder: &Path) -> Result<Config, CommandError> {
    let text = format!(
        "[receiver]\nlisten = \"127.0.0.1:0\"\nkeys = [\"{KEY}\"]\n[admin]\nlisten = \"127.0.0.1:0\"\n[store]\npath = \"store\"\nmin_free = \"1MiB\"\n\
         [products.demo]\nid = {PRODUCT}\nentry_url = \"https://demo.sleekplan.app/changelog/{{{{ entry.id }}}}\"\n\
         [connectors.pages]\nkind = \"site\"\npath = \"site\"\nformat = \"hugo\"\nchangelog_file = \"CHANGELOG.md\"\n\
         [connectors.copy]\nkind = \"sqlite\"\npath = \"copy.db\"\n"
    );
    std::fs::create_dir_all(folder.join("site")).map_err(|source| file(folder, source))?;
    let path = folder.join("sleeksync.toml");
    std::fs::write(&path, text).map_err(|source| file(&path, source))?;
    let sources = Sources { files: vec![path], environment: Vec::new(), flags: Vec::new(), ..context.sources.clone() };
    Ok(load(&sources)?)
}

/// Events of the vendor's shapes: strings and numbers for the same field, an entry that is edited, a draft, one that is not understood.
fn events() -> Vec<Value> {
    let event =
        |action: &str, at: u64, data: Value| json!({"product_id": PRODUCT, "action": action, "data": data, "timestamp": at.to_string()});
    let entry = |id: u64, title: &str, html: &str| {
        json!({
            "changelog_id": id, "product_id": PRODUCT, "title": title, "description_html": html, "type": "feature", "segment": "", "files": [],
            "settings": {"cta": {"href": "https://example.com", "text": "Try it"}}, "feedback_id": if id == 772 { 3 } else { 0 }, "draft": false, "enabled": true, "created": "2026-03-03 12:00:00",
        })
    };
    let mut draft = entry(773, "Not yet", "<p>Soon.</p>");
    if let Value::Object(fields) = &mut draft {
        fields.insert("draft".to_owned(), json!("1"));
    }
    vec![
        event(
            "item.create",
            1_772_539_200_000,
            json!({"feedback_id": "3", "title": "Show similar ideas as you type", "status": "open", "total_up": "9", "description": "Avoids duplicates."}),
        ),
        event(
            "changelog.create",
            1_772_539_260_000,
            entry(771, "CSV export is here", "<p>You can now export a board to <b>CSV</b>.</p><ul><li>All columns</li><li>UTF-8</li></ul>"),
        ),
        event(
            "changelog.create",
            1_772_539_320_000,
            entry(772, "Faster search", "<p>Search answers in <em>milliseconds</em> now: <code>GET /search?q={{ term }}</code>.</p>"),
        ),
        event(
            "changelog.update",
            1_772_539_380_000,
            entry(771, "CSV export for everybody", "<p>You can now export a board to <b>CSV</b>, on every plan.</p>"),
        ),
        event("changelog.create", 1_772_539_440_000, draft),
        event(
            "vote.create",
            1_772_539_500_000,
            json!({"feedback_item": {"feedback_id": 3, "total_up": 10}, "vote": 1, "user": {"user_id": 884_001}}),
        ),
        event("promoter.create", 1_772_539_560_000, json!({"promoter_id": 56})),
    ]
}

async fn post(http: &reqwest::Client, url: &str, body: &Value) -> Result<Value, CommandError> {
    let failed = |source: reqwest::Error| CommandError::Http { what: "posting an event", source: source.without_url() };
    http.post(url).json(body).send().await.map_err(failed)?.json().await.map_err(failed)
}

/// Waits until nothing is owed any more; `false` when that takes too long or something is parked.
async fn wait(desk: &Desk) -> bool {
    let owed = || {
        desk.status().map_or((1, 0), |status| {
            let queued: u64 = status.connectors.iter().map(|connector| connector.queued).sum();
            (queued + status.journal.unfolded, status.connectors.iter().map(|connector| connector.parked).sum())
        })
    };
    let done = async {
        loop {
            match owed() {
                (0, parked) => break parked == 0_u64,
                _ => tokio::time::sleep(LOOK_PAUSE).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, done).await.unwrap_or(false)
}

fn show(context: &Context, desk: &Desk, folder: &Path) {
    let site = &folder.join("site");
    context.output.line("ids (connector, item, part, id there):");
    for link in desk.links(&Query::default()).map(|page| page.rows).unwrap_or_default() {
        context.output.line(&format!(
            "  {:<6} {:<16} {:<10} {}",
            cell(&link, "connector"),
            cell(&link, "item"),
            cell(&link, "part"),
            cell(&link, "remote_id")
        ));
    }
    context.output.line("files:");
    let mut files = Vec::new();
    collect(site, &mut files);
    files.sort();
    for path in &files {
        context.output.line(&format!("  {}", path.strip_prefix(site).unwrap_or(path).display()));
    }
    for path in files.iter().filter(|path| path.extension().is_some_and(|kind| kind == "md")) {
        print(context, site, path, usize::MAX);
    }
    if let Some(feed) = files.iter().find(|path| path.ends_with("static/changelog.json")) {
        print(context, site, feed, FEED_LINES);
    }
    context.output.line("copy.db:");
    copy::lines(&folder.join("copy.db")).iter().for_each(|line| context.output.line(&format!("  {line}")));
}

/// Shows the first lines of a file.
fn print(context: &Context, site: &Path, path: &Path, lines_max: usize) {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let more = if text.lines().nth(lines_max).is_some() { ", its head" } else { "" };
    context.output.line(&format!("{}{more}:", path.strip_prefix(site).unwrap_or(path).display()));
    text.lines().take(lines_max).for_each(|line| context.output.line(&format!("  {line}")));
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}
