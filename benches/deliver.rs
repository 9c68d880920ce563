//! How fast events come out at the other end: from the HTTP request to a local webhook receiver, and to a SQLite file.
//!
//! `cargo bench --bench deliver` runs both; `-- webhook` and `-- sqlite` one. A bare handler that appends, syncs and forwards runs beside the
//! daemon, in turns, and the medians of their ratios count. A figure beyond its bound ends the run with 1.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a benchmark that cannot go on has failed, and prints"
)]
#![allow(clippy::disallowed_methods, reason = "a benchmark has no supervisor and looks at the clock")]
#![allow(dead_code, reason = "it shares files with the other benchmark, and uses parts of them")]

#[path = "accept/gates.rs"]
mod gates;
#[path = "accept/load.rs"]
mod load;
#[path = "deliver/reference.rs"]
mod reference;
#[path = "accept/server.rs"]
mod server;
#[path = "deliver/sink.rs"]
mod sink;

use std::path::Path;
use std::time::Instant;

use gates::{Gates, median};
use load::Until;
use server::Server;

/// Rounds of each comparison; their median counts.
const ROUNDS: usize = 5;
/// Events of one turn.
const EVENTS: u64 = 40_000;
/// Clients, and requests that the daemon has under way at the receiver.
const CONNECTIONS: u64 = 32;

fn main() {
    // The program's provider is not installed in this process; one that already is will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    if let Ok(yardstick) = std::env::var(server::YARDSTICK) {
        return serve_yardstick(&yardstick);
    }
    let parts: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    let mut gates = Gates::default();
    if wanted("webhook") {
        webhook(&mut gates);
    }
    if wanted("sqlite") {
        sqlite(&mut gates);
    }
    gates.end();
}

fn serve_yardstick(which: &str) {
    let words: Vec<&str> = which.split(' ').collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(words[1]).await.unwrap();
        match words[0] {
            "sink" => sink::serve(listener).await,
            reference => {
                let sink = reference.strip_prefix("reference=").unwrap().to_owned();
                reference::serve(listener, Path::new(words[2]), sink).await;
            }
        }
    });
}

/// Events a second from the first request to the last delivery.
fn rate(address: std::net::SocketAddr, is_delivered: impl Fn() -> bool) -> f64 {
    let started = Instant::now();
    load::post(address, CONNECTIONS, Until::Posted(EVENTS));
    while !is_delivered() {
        // Looking takes time of the machine that is measured.
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    EVENTS as f64 / started.elapsed().as_secs_f64()
}

/// To a receiver beside it, which counts.
fn webhook(gates: &mut Gates) {
    println!("events a second to a local receiver, {EVENTS} over {CONNECTIONS} connections, {ROUNDS} rounds in turns, medians");
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let sink = Server::yardstick("sink", folders[0].path());
        let url = format!("http://{}/", sink.address);
        let reference = Server::yardstick(&format!("reference={url}"), folders[0].path());
        let referred = rate(reference.address, || sink.count() >= EVENTS);
        drop(reference);
        let connector = format!(
            "[connectors.hook]\nkind = \"webhook\"\nurl = \"{url}\"\nevents = [\"item.create\"]\n[connectors.hook.delivery]\nconcurrency = {CONNECTIONS}\n"
        );
        let daemon = Server::daemon_with(folders[1].path(), &connector);
        let delivered = rate(daemon.address, || sink.count() >= 2 * EVENTS);
        println!("   reference {referred:>9.0}   daemon {delivered:>9.0}   ratio {:.2}", delivered / referred);
        rounds.push(delivered / referred);
    }
    gates.at_least("to a receiver, daemon / reference", median(rounds), 0.5);
}

/// To a file, whose rows are counted.
fn sqlite(gates: &mut Gates) {
    println!("events a second to SQLite, {EVENTS} over {CONNECTIONS} connections, {ROUNDS} rounds, median");
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir().unwrap();
        let connector = "[connectors.copy]\nkind = \"sqlite\"\npath = \"copy.db\"\n";
        let daemon = Server::daemon_with(folder.path(), connector);
        let delivered = rate(daemon.address, || daemon.is_settled());
        println!("   daemon {delivered:>9.0}");
        rounds.push(delivered);
    }
    gates.at_least("to SQLite, events a second", median(rounds), 10_000.0);
}
