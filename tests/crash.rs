//! The crash loop: `kill -9` again and again with work under way, and in the end every accepted event is there and nothing was made twice.
//!
//! - without the feature `crash-points` the kills are random, on the program as users have it;
//! - with it they are at the named points of `src/crash.rs`, each equally often, and the run prints how often each was hit.
//!
//! CI kills the released program 200 times at random, and apart from these a program with named points at least 5 times at each; a plain
//! `cargo test` kills a dozen times at random.
//!
//! `SLEEKSYNC_CRASH_KILLS` says how many kills (a few without it), `SLEEKSYNC_CRASH_SEED` repeats a run, `SLEEKSYNC_CRASH_PROGRAM` names the
//! program to kill: as `cargo build --release` makes it, without what only tests need. What is counted is counted at the
//! services: issues and comments of a fake GitHub that loses answers and survives in a process of its own, pages in a folder.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed"
)]

#[path = "process/mod.rs"]
mod process;
#[path = "crash/rig.rs"]
mod rig;
#[path = "crash/world.rs"]
mod world;

use rig::Rig;
use sleeksync::clock::Clock;
use sleeksync::journal::{Journal, Options, Seq};
use sleeksync::record::Record;
use world::{Dice, World};

/// Deliveries that must be owed at a kill for it to count.
const OWED_MIN: usize = 20;

/// The fake GitHub of the other tests, which are its parent. By itself it does nothing.
#[tokio::test]
async fn serves_a_fake_github() {
    rig::serve_fake().await;
}

struct Loop {
    rig: Rig,
    world: World,
    dice: Dice,
    /// What was owed at each kill that counts.
    owed: Vec<usize>,
    /// Kills that do not count.
    left_out: usize,
}

impl Loop {
    fn new() -> Self {
        let seed = std::env::var("SLEEKSYNC_CRASH_SEED").ok().map_or(0x5EED, |seed| seed.parse().unwrap());
        println!("SLEEKSYNC_CRASH_SEED={seed}, {}", Rig::program().display());
        Self { rig: Rig::new(), world: World::default(), dice: Dice(seed), owed: Vec::new(), left_out: 0 }
    }

    /// Whether the kill that just happened counts.
    async fn counts(&mut self) -> bool {
        let owed = self.world.owed(&self.rig.tracker().await, &self.rig.pages()).len();
        let counts = owed >= OWED_MIN;
        if counts {
            self.owed.push(owed);
        } else {
            self.left_out += 1;
        }
        counts
    }

    /// One last run without a kill, and what it leaves.
    async fn ends_well(mut self) {
        let daemon = self.rig.start(None).await.unwrap();
        let rest = std::mem::take(&mut self.world.unanswered);
        self.rig.post(&mut self.world, rest, |_| true).await;
        self.rig.settled().await;
        let tracker = self.rig.tracker().await;
        assert_eq!(self.world.owed(&tracker, &self.rig.pages()), [], "{}", self.rig.log());
        self.rig.stop_and_verify(daemon);
        self.every_accepted_event_is_kept();
        assert!(tracker["lost"].as_u64() > Some(0), "no answer was lost: this run proves little");
        self.owed.sort_unstable();
        println!(
            "{} kills with {OWED_MIN} or more owed ({} with less do not count), owed at each: {} to {}, median {}; {} events accepted, {} items, each \
             exactly once; {} requests, {} of them made something, {} answers lost",
            self.owed.len(),
            self.left_out,
            self.owed[0],
            self.owed[self.owed.len() - 1],
            self.owed[self.owed.len() / 2],
            self.world.accepted.len(),
            self.world.items(),
            tracker["requests"],
            tracker["creates"],
            tracker["lost"],
        );
    }

    fn every_accepted_event_is_kept(&self) {
        let (journal, _) = Journal::open(&self.rig.folder.path().join("data"), Options::new(Clock::system())).unwrap();
        let mut missing = self.world.accepted.clone();
        for record in journal.read_from(Seq(1)) {
            let (seq, bytes) = record.unwrap();
            if let (Record::Event(_), body) = Record::decode(&bytes).unwrap()
                && let Some(sent) = missing.remove(&seq.0)
            {
                assert_eq!(sent.as_bytes(), body, "event {seq}");
            }
        }
        assert!(missing.is_empty(), "accepted and gone: {:?}", missing.keys());
    }
}

fn kills(without: usize) -> usize {
    std::env::var("SLEEKSYNC_CRASH_KILLS").ok().map_or(without, |kills| kills.parse().unwrap())
}

#[cfg(not(feature = "crash-points"))]
#[tokio::test(flavor = "multi_thread")]
async fn whenever_it_is_killed_everything_arrives_exactly_once() {
    use rig::Daemon;

    let (mut run, kills) = (Loop::new(), kills(12));
    for round in 0.. {
        if run.owed.len() == kills {
            break;
        }
        assert!(round < 3 * kills, "in {round} rounds only {} kills hit the daemon with {OWED_MIN} deliveries owed", run.owed.len());
        let daemon = run.rig.start(None).await.unwrap();
        let events = run.world.round(&mut run.dice);
        let (answers, wait) = (1 + run.dice.below(events.len() as u64) as usize, run.dice.below(150));
        let mut daemon = Some(daemon);
        run.rig
            .post(&mut run.world, events, |answered| {
                if answered == answers {
                    // The rest of the events is under way, and so are deliveries.
                    process::go_on_for(wait);
                    daemon.take().into_iter().for_each(Daemon::kill);
                }
                true
            })
            .await;
        daemon.into_iter().for_each(Daemon::kill);
        run.counts().await;
    }
    println!("random kills; those at named points: cargo test --features crash-points --test crash -- --nocapture");
    run.ends_well().await;
}

#[cfg(feature = "crash-points")]
#[tokio::test(flavor = "multi_thread")]
async fn at_every_named_point_it_dies_and_everything_arrives_exactly_once() {
    use std::collections::BTreeMap;
    use std::time::Duration;

    const HITS_MIN: usize = 5;
    let points = sleeksync::crash::POINTS;
    let kills = kills(points.len() * HITS_MIN).max(points.len() * HITS_MIN);
    let (mut run, mut hits) = (Loop::new(), BTreeMap::new());
    for round in 0.. {
        if hits.values().sum::<usize>() >= kills && hits.values().all(|hits| *hits >= HITS_MIN) {
            break;
        }
        assert!(round < 3 * kills, "too few kills count: {hits:?}");
        let point = points[round % points.len()];
        let times = 1 + run.dice.below(if point.starts_with("checkpoint") || point.starts_with("find") { 2 } else { 12 });
        // It may die before it listens: work is waiting for it.
        if let Some(mut daemon) = run.rig.start(Some(&format!("{point}:{times}"))).await {
            for more in 0.. {
                assert!(more < 100, "{point} was not passed {times} times: {} {}", run.rig.status().await, run.rig.log());
                let events = run.world.round(&mut run.dice);
                run.rig.post(&mut run.world, events, |_| true).await;
                if daemon.dies_within(Duration::from_millis(300)).await {
                    break;
                }
            }
        }
        if run.counts().await {
            *hits.entry(point).or_insert(0) += 1;
        }
    }
    println!("point -> hits");
    for point in points {
        println!("{point:18} -> {}", hits.get(point).copied().unwrap_or(0));
    }
    assert!(points.iter().all(|point| hits.get(point).is_some_and(|hits| *hits >= HITS_MIN)));
    run.ends_well().await;
}
