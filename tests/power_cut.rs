//! Cuts the power while events are accepted, and looks for every acknowledged one afterwards: under the whole daemon, and under
//! its journal alone, where cuts also hit retirement and checkpoints.
//!
//! The store lies on an ext4 file system of its own, on a loop device. The cut is ext4's shutdown ioctl without flushing its
//! log: what was not synced is gone, as it would be for a machine that loses power. A control without
//! `fdatasync` shows that the rig notices loss. What it cannot simulate is a drive that lies about its cache.
//!
//! Needs root and loop devices; elsewhere it says so in a line that starts with `SKIPPED`, and passes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "clippy knows tests by #[test] only, not their helpers here")]
#![expect(clippy::disallowed_methods, reason = "a test has no supervisor, and the child ends as the rig says")]

#[path = "power_cut/daemon.rs"]
mod daemon;
#[path = "process/mod.rs"]
mod process;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use daemon::Daemon;
use sleeksync::clock::Clock;
use sleeksync::journal::{Appended, Entry, Journal, OpenError, Opened, Options, Room, Seq};
use sleeksync::record::Record;
use sleeksync_connectors::contract::Time;

const CUTS: u64 = 20;
const CONTROL_CUTS: u64 = 3;
/// Rows of each checkpoint: enough for several blocks.
const ROWS: u32 = 20_000;
const RETIRING_CUTS: u64 = 8;
/// Read by the child: where the store is, and what else to do.
const STORE: &str = "SLEEKSYNC_POWER_CUT_STORE";
const MODE: &str = "SLEEKSYNC_POWER_CUT_MODE";
const ONLY_APPEND: &str = "append";
const WITHOUT_FSYNC: &str = "unsafe";
const RETIRE_TOO: &str = "retire";
/// What an acknowledgement looks like on the child's standard output: this word, the number, the record.
const ACKNOWLEDGED: &str = "acknowledged ";

#[test]
fn no_event_the_daemon_answered_for_is_missing_after_a_power_cut() {
    let Some(mut disk) = Disk::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = disk.mount_point.join("store");
    let mut acknowledged = BTreeMap::new();
    for cut in 0..CUTS {
        // It starts on what the cut before has left.
        let daemon = Daemon::start(folder.path(), &store);
        let power = disk.switch();
        acknowledged.extend(daemon.post_until_the_power_goes(1 + cut * 7, move || drop(power.cut().wait())));
        daemon.ends_by_itself();
        disk.remount();
        let (journal, opened) = Journal::open(&store, Options::new(Clock::system())).expect("the journal opens after a power cut");
        assert!(opened.gaps.is_empty(), "cut {cut}: {:?}", opened.gaps);
        let mut kept = BTreeMap::new();
        for record in journal.read_from(Seq(1)) {
            let (seq, bytes) = record.unwrap();
            if let (Record::Event(_), body) = Record::decode(&bytes).unwrap() {
                let body: serde_json::Value = serde_json::from_slice(body).unwrap();
                kept.insert(seq.0, body["data"]["title"].as_str().unwrap().to_owned());
            }
        }
        for (seq, title) in &acknowledged {
            assert_eq!(kept.get(seq), Some(title), "cut {cut}: event {seq} was acknowledged");
        }
        assert!(journal.verify().unwrap().fault.is_none());
    }
    let daemon = Daemon::start(folder.path(), &store);
    daemon.publishes(acknowledged.values());
    println!("{CUTS} power cuts, {} acknowledged events, none missing", acknowledged.len());
}

#[test]
fn no_acknowledged_record_is_missing_after_a_power_cut() {
    let Some(mut disk) = Disk::new() else { return };
    let store = disk.mount_point.join("store");
    let mut acknowledged = BTreeMap::new();
    for cut in 0..CUTS {
        // Between the first record of a journal and several segments later.
        run_and_cut(&disk, appender(&store, ONLY_APPEND), 1 + cut * 97, &mut acknowledged);
        disk.remount();
        let (opened, records) = read(&store).expect("the journal opens after a power cut");
        assert!(opened.gaps.is_empty(), "cut {cut}: {:?}", opened.gaps);
        for (seq, text) in &acknowledged {
            assert_eq!(records.get(seq), Some(text), "cut {cut}: record {seq} was acknowledged");
        }
    }
    assert!(acknowledged.len() as u64 > CUTS * CUTS);
}

#[test]
fn checkpoints_and_retirement_survive_power_cuts() {
    let Some(mut disk) = Disk::new() else { return };
    let store = disk.mount_point.join("store");
    let mut acknowledged = BTreeMap::new();
    for cut in 0..RETIRING_CUTS {
        run_and_cut(&disk, appender(&store, RETIRE_TOO), 200 + cut * 301, &mut acknowledged);
        disk.remount();
        let (opened, records) = read(&store).expect("the journal opens after a power cut");
        assert!(opened.gaps.is_empty(), "cut {cut}: {:?}", opened.gaps);
        acknowledged = acknowledged.split_off(&opened.first.0);
        for (seq, text) in &acknowledged {
            assert_eq!(records.get(seq), Some(text), "cut {cut}: record {seq} was acknowledged");
        }
        let (journal, _) = Journal::open(&store, options()).unwrap();
        let checkpoints = journal.checkpoints().unwrap();
        let older = checkpoints.last().map_or(Seq(0), |older| older.folded());
        assert!(opened.first.0 <= older.0 + 1, "cut {cut}: records before {} are gone, the checkpoint is at {older}", opened.first);
        for checkpoint in checkpoints {
            assert!(checkpoint.rows().all(|row| row.unwrap().value[..] == checkpoint.folded().0.to_be_bytes()));
            assert_eq!(checkpoint.row_count(), u64::from(ROWS));
        }
        assert!(journal.damaged_checkpoints().unwrap().is_empty());
    }
    let (journal, opened) = Journal::open(&store, options()).expect("the journal opens again");
    assert!(opened.first > Seq(1), "nothing was ever retired");
    assert!(journal.verify().unwrap().fault.is_none());
}

#[test]
fn the_rig_notices_records_that_were_acknowledged_without_a_sync() {
    let Some(mut disk) = Disk::new() else { return };
    let mut missing = 0;
    for cut in 0..CONTROL_CUTS {
        let store = disk.mount_point.join(format!("store-{cut}"));
        let mut acknowledged = BTreeMap::new();
        run_and_cut(&disk, appender(&store, WITHOUT_FSYNC), 500, &mut acknowledged);
        disk.remount();
        // A journal that is damaged or gone is noticed, too.
        let records = read(&store).map_or_else(|_| BTreeMap::new(), |(_, records)| records);
        missing += acknowledged.keys().filter(|seq| !records.contains_key(*seq)).count();
    }
    assert!(missing > 0, "nothing was lost without syncing: this test proves nothing here");
}

/// The process whose power is cut. It appends to the store and prints what was acknowledged: one test of this very binary.
fn appender(store: &Path, mode: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "appends_until_the_power_goes", "--nocapture", "--test-threads=1"]);
    command.env(STORE, store).env(MODE, mode);
    command
}

/// The child. Does nothing in an ordinary test run.
#[test]
fn appends_until_the_power_goes() {
    let Some(store) = std::env::var_os(STORE) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(append_forever(PathBuf::from(store)));
}

async fn append_forever(store: PathBuf) {
    let mut options = options();
    let mode = std::env::var(MODE).unwrap();
    options.unsafe_no_fsync = mode == WITHOUT_FSYNC;
    let journal = Arc::new(Journal::open(&store, options).unwrap().0);
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let journal = Arc::clone(&journal);
        tasks.spawn(async move {
            for round in 0.. {
                let text = format!("{}-{task}-{round}-{}", std::process::id(), "x".repeat(round % 700));
                let entry = Entry { bytes: Bytes::from(text.clone()), mark: None };
                match journal.append(&[entry], Room::Normal).await {
                    Ok(Appended::Stored(seq) | Appended::Duplicate(seq)) => acknowledge(seq, &text),
                    Err(_) => return,
                }
            }
        });
    }
    if mode == RETIRE_TOO {
        tokio::task::spawn_blocking(move || retire_forever(&journal)).await.unwrap();
    }
    tasks.join_all().await;
}

/// Takes one checkpoint after the other and retires all it may, until it fails.
fn retire_forever(journal: &Journal) {
    let take = || -> Option<()> {
        let folded = *journal.synced().borrow();
        let mut writer = journal.checkpoint(folded, 1).ok()?;
        for row in 0..ROWS {
            writer.row(1, &row.to_be_bytes(), &folded.0.to_be_bytes()).ok()?;
        }
        writer.finish().ok()?;
        journal.retire(Time::from_ms(i64::MAX), folded).ok().map(drop)
    };
    while take().is_some() {}
}

fn acknowledge(seq: Seq, text: &str) {
    let mut out = io::stdout().lock();
    if writeln!(out, "{ACKNOWLEDGED}{seq} {text}").and_then(|()| out.flush()).is_err() {
        // Nobody listens any more.
        std::process::exit(1);
    }
}

/// Small segments, so that cuts also hit the change from one to the next and the preparation of new ones.
fn options() -> Options {
    let mut options = Options::new(Clock::system());
    options.segment_bytes = 128 << 10;
    options.min_free_bytes = 0;
    options
}

/// Runs `command`, cuts the power once `count` records were acknowledged, and notes all that ever were.
fn run_and_cut(disk: &Disk, mut command: Command, count: u64, acknowledged: &mut BTreeMap<u64, String>) {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut seen = 0;
    let mut cut: Option<Child> = None;
    for line in output.lines() {
        let line = line.unwrap();
        let Some((seq, text)) = line.strip_prefix(ACKNOWLEDGED).and_then(|rest| rest.split_once(' ')) else { continue };
        acknowledged.insert(seq.parse().unwrap(), text.to_owned());
        seen += 1;
        if seen == count {
            // The child goes on appending while this one starts: the cut hits it at work.
            cut = Some(disk.switch().cut());
        }
    }
    let cut = cut.expect("the child appended enough to be cut off").wait().unwrap();
    assert!(cut.success(), "the file system could not be shut down");
    child.wait().unwrap();
}

fn read(store: &Path) -> Result<(Opened, BTreeMap<u64, String>), OpenError> {
    let (journal, opened) = Journal::open(store, options())?;
    let records = journal.read_from(Seq(1)).map(|record| record.unwrap());
    let records = records.map(|(seq, bytes)| (seq.0, String::from_utf8(bytes.to_vec()).unwrap())).collect();
    Ok((opened, records))
}

/// Held by the test that is at work. While another thread starts a program, the process between fork and exec has every file of this one open,
/// a store's lock among them: the next open of a journal that was just closed here would be told that it is in use.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// An ext4 file system on a loop device, which goes when this is dropped.
struct Disk {
    folder: tempfile::TempDir,
    mount_point: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

impl Disk {
    /// None, after saying so, where there can be none.
    fn new() -> Option<Disk> {
        // What a test that failed has left concerns no other: each has a disk of its own.
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let mount_point = folder.path().join("mounted");
        fs::create_dir(&mount_point).unwrap();
        let disk = Disk { folder, mount_point, _turn: turn };
        let image = disk.image();
        File::create(&image).unwrap().set_len(512 << 20).unwrap();
        let able = rustix::process::geteuid().is_root()
            && run("mkfs.ext4", [OsStr::new("-q"), OsStr::new("-F"), image.as_os_str()])
            && run("python3", [OsStr::new("-c"), OsStr::new("import fcntl")])
            && disk.mount();
        if able {
            return Some(disk);
        }
        // Not `eprintln!`, which a passing test swallows: skipped tests are counted by this line.
        let mut out = io::stderr();
        writeln!(out, "SKIPPED power_cut: needs root and loop devices").unwrap();
        None
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    fn mount(&self) -> bool {
        run("mount", [OsStr::new("-o"), OsStr::new("loop"), self.image().as_os_str(), self.mount_point.as_os_str()])
    }

    fn unmount(&self) -> bool {
        run("umount", [self.mount_point.as_os_str()])
    }

    fn switch(&self) -> Switch {
        Switch { mount_point: self.mount_point.clone() }
    }

    /// Switches the power on again.
    fn remount(&mut self) {
        assert!(self.unmount() && self.mount(), "the file system could not be mounted again");
    }
}

/// What the power of a disk is cut with.
struct Switch {
    mount_point: PathBuf,
}

impl Switch {
    /// Starts cutting the power: EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH, see the kernel's `uapi/linux/ext4.h`.
    fn cut(&self) -> Child {
        let ioctl = "import fcntl, os, struct, sys\n\
                     fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";
        Command::new("python3").args(["-c", ioctl]).arg(&self.mount_point).spawn().unwrap()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if !self.unmount() {
            // Was never mounted, or is still in use after a failed assertion: then it goes with its last user.
            run("umount", [OsStr::new("-l"), self.mount_point.as_os_str()]);
        }
    }
}

fn run<'a>(program: &str, arguments: impl IntoIterator<Item = &'a OsStr>) -> bool {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status: ExitStatus| status.success())
}
