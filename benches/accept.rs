//! How fast events are accepted durably, how much memory that takes, and how soon the daemon accepts after a start.
//!
//! `cargo bench --bench accept` runs all of it; `-- throughput`, `-- memory` and `-- start` one part. Nothing is compared with figures of
//! another machine or another moment: an echo and a reference run beside the daemon, in turns, and the medians of their ratios count.
//! A figure beyond its bound ends the run with 1.

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

#[path = "accept/echo.rs"]
mod echo;
#[path = "accept/gates.rs"]
mod gates;
#[path = "accept/load.rs"]
mod load;
#[path = "accept/reference.rs"]
mod reference;
#[path = "accept/server.rs"]
mod server;

use std::path::Path;
use std::time::{Duration, Instant};

use gates::{Gates, median};
use load::Until;
use server::Server;

/// Rounds of each comparison; their median counts.
const ROUNDS: usize = 5;
/// How long each server is measured in a round.
const TURN: Duration = Duration::from_millis(1500);
/// Events of the memory and start parts.
const EVENTS: u64 = 1_000_000;

fn main() {
    // The program's provider is not installed in this process; one that already is will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    if let Ok(yardstick) = std::env::var(server::YARDSTICK) {
        return serve_yardstick(&yardstick);
    }
    let parts: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| wanted == part);
    let mut gates = Gates::default();
    if wanted("throughput") {
        throughput(&mut gates);
    }
    if wanted("memory") || wanted("start") {
        let folder = tempfile::tempdir().unwrap();
        memory(folder.path(), &mut gates);
        if wanted("start") {
            start(folder.path(), &mut gates);
        }
    }
    gates.end();
}

fn serve_yardstick(which: &str) {
    let mut words = which.split(' ');
    let (name, address, folder) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        match name {
            "echo" => echo::serve(listener).await,
            _ => reference::serve(listener, Path::new(folder)).await,
        }
    });
}

/// The daemon beside an echo and a reference, at 1, 32 and 256 connections.
fn throughput(gates: &mut Gates) {
    println!("durable accepts a second, {ROUNDS} rounds of {TURN:?} in turns, medians");
    println!("{:>11} {:>9} {:>9} {:>9}   syncs per 1,000 accepts: reference, daemon", "connections", "echo", "reference", "daemon");
    for connections in [1, 32, 256] {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let echo = Server::yardstick("echo", folders[0].path());
        let reference = Server::yardstick("reference", folders[0].path());
        let daemon = Server::daemon(folders[1].path());
        daemon.accept_one();
        let mut rounds = Vec::new();
        let (mut syncs, mut accepted) = ([0, 0], [0, 0]);
        for _ in 0..ROUNDS {
            let echoed = load::post(echo.address, connections, Until::Elapsed(TURN)).per_second();
            let before = [reference.count(), daemon.daemon_syncs()];
            let referred = load::post(reference.address, connections, Until::Elapsed(TURN));
            let taken = load::post(daemon.address, connections, Until::Elapsed(TURN));
            syncs[0] += reference.count() - before[0];
            syncs[1] += daemon.daemon_syncs() - before[1];
            accepted[0] += referred.accepted;
            accepted[1] += taken.accepted;
            // What is left to fold must not disturb whoever is measured next.
            daemon.caught_up();
            rounds.push([echoed, referred.per_second(), taken.per_second()]);
        }
        let rate = |which: usize| median(rounds.iter().map(|round| round[which]).collect());
        let ratio = |a: usize, b: usize| median(rounds.iter().map(|round| round[a] / round[b]).collect());
        let per_thousand = |which: usize| syncs[which] as f64 * 1000.0 / accepted[which] as f64;
        println!("{connections:>11} {:>9.0} {:>9.0} {:>9.0}   {:.0}, {:.0}", rate(0), rate(1), rate(2), per_thousand(0), per_thousand(1));
        gates.at_least(&format!("daemon / reference at {connections}"), ratio(2, 1), 0.9);
        if let Some((fair, fast)) =
            [(32, (0.35, 0.35)), (256, (0.55, 0.5))].iter().find(|(at, _)| *at == connections).map(|(_, bounds)| *bounds)
        {
            gates.at_least(&format!("reference / echo at {connections} (a slower reference is unfair)"), ratio(1, 0), fair);
            gates.at_least(&format!("daemon / echo at {connections}"), ratio(2, 0), fast);
        }
    }
}

/// Peak memory as a million events come in and are all owed.
fn memory(folder: &Path, gates: &mut Gates) {
    println!("peak memory, every event owed to a connector whose service does not answer");
    let daemon = Server::daemon(folder);
    let mut posted = 0;
    let mut peaks = Vec::new();
    for upto in [EVENTS / 10, EVENTS / 2, EVENTS] {
        let rate = load::post(daemon.address, 256, Until::Posted(upto - posted));
        posted = upto;
        let rest = daemon.caught_up();
        peaks.push(daemon.peak_mib() as f64);
        let queued = daemon.status()["connectors"][0]["queued"].as_u64().unwrap();
        println!(
            "   {upto:>9} events, {queued:>9} owed: {:.0} MiB ({:.0} accepted a second, folded {:.1} s later)",
            daemon.peak_mib(),
            rate.per_second(),
            rest.as_secs_f64()
        );
    }
    gates.at_most("peak MiB after a million events", peaks[2], 64.0);
    gates.at_most("peak after a million / after a tenth", peaks[2] / peaks[0], 1.5);
    daemon.stop();
}

/// How soon a daemon with a million events accepts, with its index and while that is rebuilt.
fn start(folder: &Path, gates: &mut Gates) {
    println!("start with a million journalled events");
    let begun = Instant::now();
    let daemon = Server::daemon(folder);
    daemon.accept_one();
    gates.at_most("seconds to the first accept", begun.elapsed().as_secs_f64(), 1.0);
    daemon.stop();
    std::fs::remove_dir_all(folder.join("data/index")).unwrap();
    // Without its checkpoints the index is folded from the first record on.
    for entry in std::fs::read_dir(folder.join("data/journal")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("checkpoint")) {
            std::fs::remove_file(path).unwrap();
        }
    }
    let begun = Instant::now();
    let daemon = Server::daemon(folder);
    daemon.accept_one();
    gates.at_most("seconds to the first accept, index being rebuilt", begun.elapsed().as_secs_f64(), 1.0);
    assert!(daemon.status()["journal"]["unfolded"].as_u64().unwrap() > 0, "it was rebuilt before anybody looked");
    daemon.caught_up();
    let records = daemon.status()["journal"]["last_seq"].as_u64().unwrap();
    gates.at_least("records rebuilt a second", records as f64 / begun.elapsed().as_secs_f64(), 100_000.0);
    daemon.stop();
}
