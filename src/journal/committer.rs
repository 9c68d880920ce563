//! The committer: the one thread that writes. It gathers what waits, writes one frame, syncs once, answers everybody.
//!
//! Few waiting records are written at once: while one sync runs, the next frame's arrive by themselves. Where very many come, a
//! pause lets more of them share a sync, and leaves the processor to those who bring them. Frame n + 1 is
//! written only after n is synced, which is what lets recovery tell a torn tail from damage. After a failed
//! write or sync nothing is known about the disk any more, so nothing is written any more: every append, waiting or
//! new, is answered with [`AppendError::Poisoned`].

use std::io;
use std::mem;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use super::catalog::{Catalog, SegmentName};
use super::checkpoint::Checkpoints;
use super::disk::Disk;
use super::frame::Builder;
use super::manifest;
use super::marks::Marks;
use super::queue::{Answers, Due, End, Queue, Request, Requests, Work};
use super::segment::{DATA_START, SegmentFile};
use super::spares::Spares;
use super::{AppendError, Appended, Mark, Room, Seq};
use crate::clock::Clock;

/// A frame is closed when it has this many bytes. More would not be faster, only wait longer for its checksum.
const FRAME_BYTES_GOAL: usize = 1 << 20;

/// The next frame waits for all but so many of the largest one lately, which keep the others at work meanwhile, or for so long.
const CROWD_SPARED: usize = 64;
const GATHER: Duration = Duration::from_millis(1);
/// By which part of itself the largest one is forgotten with each frame.
const CROWD_DECAY: usize = 64;

/// What the committer shares with the journal's handle.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) queue: Queue,
    pub(super) spares: Spares,
    pub(super) catalog: Arc<Catalog>,
    pub(super) checkpoints: Arc<Checkpoints>,
    /// Held while files are removed, or read as a whole.
    pub(super) maintenance: Mutex<()>,
    pub(super) syncs: AtomicU64,
    /// The most events that shared a sync since somebody asked.
    pub(super) crowd: AtomicUsize,
    /// The last synced record.
    pub(super) synced: watch::Sender<Seq>,
    /// Turns true when the thread has ended.
    pub(super) finished: watch::Sender<bool>,
}

/// The thread's own state.
#[derive(Debug)]
pub(super) struct Committer {
    pub(super) shared: Arc<Shared>,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) clock: Clock,
    pub(super) folder: PathBuf,
    /// Answer before the bytes are on disk.
    pub(super) no_fsync: bool,
    pub(super) active: SegmentFile,
    /// Where the next frame goes in `active`.
    pub(super) at: u64,
    pub(super) next_frame: u64,
    /// Number of the first record of the frame that is being gathered.
    pub(super) next_seq: u64,
    pub(super) frame: Builder,
    pub(super) marks: Marks,
    /// Those that are due when the frame is synced.
    pub(super) answers: Vec<Due>,
}

/// Ends the queue however the thread ends, a panic included: nobody waits for an answer that cannot come.
struct EndOfThread(Arc<Shared>);

impl Drop for EndOfThread {
    fn drop(&mut self) {
        if std::thread::panicking() || self.0.queue.ended().is_none() {
            self.0.queue.end(End::Poisoned);
        }
        self.0.spares.close();
        self.0.finished.send_replace(true);
    }
}

impl Committer {
    /// Writes until the queue ends: the body of the thread.
    pub(super) fn run(mut self) {
        let end = EndOfThread(Arc::clone(&self.shared));
        let mut requests = Requests::default();
        let mut crowd: usize = 0;
        while self.shared.queue.take(&mut requests).is_some() {
            crowd = requests.all.len().max(crowd - crowd.div_ceil(CROWD_DECAY));
            let events = requests.all.iter().filter(|request| request.room == Room::Normal).count();
            self.shared.crowd.fetch_max(events, Ordering::Relaxed);
            if let Err(error) = self.write_all(&mut requests) {
                tracing::error!(file = %self.active.path.display(), offset = self.at, %error, "the journal could not be written; the process must end");
                return;
            }
            self.shared.queue.gather(crowd.saturating_sub(CROWD_SPARED), GATHER);
        }
        if self.shared.queue.ended() == Some(End::Shutdown) {
            self.close();
        }
        drop(end);
    }

    /// Leaves the mark of an orderly shutdown. Without it the next start only does more work.
    fn close(&self) {
        let marked = self.disk.sync(&self.active.file).and_then(|()| manifest::mark_clean(&self.folder, self.next_seq.saturating_sub(1)));
        if let Err(error) = marked {
            tracing::warn!(%error, "the journal could not be marked as cleanly closed");
        }
    }

    fn write_all(&mut self, requests: &mut Requests) -> io::Result<()> {
        for (request, records) in requests.drain() {
            self.take_in(request, records)?;
        }
        requests.clear();
        self.commit()
    }

    fn take_in(&mut self, request: Request, records: &[u8]) -> io::Result<()> {
        let Request { work, room, answer } = request;
        let (result, of_event) = match &work {
            Work::Store { marks, .. } => (self.store(records, marks, room)?, marks.iter().any(Option::is_some)),
            Work::Seal => (self.seal(room)?, false),
        };
        self.answers.push(Due { to: answer, result, of_event });
        Ok(())
    }

    /// Adds a group to the frame that is being gathered, and commits that one first where the group does not fit.
    fn store(&mut self, records: &[u8], marks: &[Option<Mark>], room: Room) -> io::Result<Result<Appended, AppendError>> {
        if let Some(first) = self.repeated(marks) {
            return Ok(Ok(Appended::Duplicate(first)));
        }
        let bytes = records.len();
        if self.frame.records() > 0 && self.frame.frame_bytes_with(bytes) > FRAME_BYTES_GOAL.min(self.left()) {
            self.commit()?;
        }
        if self.frame.frame_bytes_with(bytes) > self.left() || !self.shared.spares.plenty() {
            // What was gathered must not wait for room.
            self.commit()?;
            if !self.make_room(bytes, room) {
                return Ok(Err(AppendError::NoRoom));
            }
        }
        Ok(Ok(Appended::Stored(self.gather(records, marks))))
    }

    fn gather(&mut self, records: &[u8], marks: &[Option<Mark>]) -> Seq {
        let first = self.next_seq.saturating_add(u64::from(self.frame.records()));
        self.frame.extend(records, marks.len());
        for (mark, seq) in marks.iter().zip(first..) {
            if let Some(mark) = mark {
                self.marks.insert(mark, Seq(seq));
            }
        }
        Seq(first)
    }

    fn repeated(&self, marks: &[Option<Mark>]) -> Option<Seq> {
        let [Some(mark)] = marks else { return None };
        self.marks.repeated(mark)
    }

    /// Leaves the segment in use, unless it is empty. The answer names the last record before.
    fn seal(&mut self, room: Room) -> io::Result<Result<Appended, AppendError>> {
        self.commit()?;
        if self.at > DATA_START {
            match self.shared.spares.take(room) {
                Ok(next) => self.go_on_in(next),
                Err(_no_room) => return Ok(Err(AppendError::NoRoom)),
            }
        }
        Ok(Ok(Appended::Stored(Seq(self.next_seq.saturating_sub(1)))))
    }

    fn go_on_in(&mut self, next: SegmentFile) {
        self.active = next;
        self.at = DATA_START;
    }

    /// Bytes left in the segment in use.
    fn left(&self) -> usize {
        usize::try_from(self.active.bytes.saturating_sub(self.at)).unwrap_or(usize::MAX)
    }

    /// Sees to it that a group of `bytes` fits into the segment in use. Called only with an empty frame.
    fn make_room(&mut self, bytes: usize, room: Room) -> bool {
        while self.frame.frame_bytes_with(bytes) > self.left() {
            match self.shared.spares.take(room) {
                Ok(next) => self.go_on_in(next),
                Err(_no_room) => return false,
            }
        }
        self.shared.spares.admit(room).is_ok()
    }

    /// Writes and syncs what was gathered, publishes it, and answers.
    fn commit(&mut self) -> io::Result<()> {
        if self.frame.records() > 0
            && let Err(error) = self.write_frame()
        {
            // Before anybody is told: whoever hears of the failure must find the journal poisoned.
            self.shared.queue.end(End::Poisoned);
            return Err(error);
        }
        Answers(mem::take(&mut self.answers)).give();
        Ok(())
    }

    fn write_frame(&mut self) -> io::Result<()> {
        let written_ms = u64::try_from(self.clock.now().as_ms()).unwrap_or(0);
        let (header, bytes) = self.frame.seal(self.active.salt, self.next_frame, self.next_seq, written_ms);
        self.disk.write(&self.active.file, bytes, self.at)?;
        if !self.no_fsync {
            self.disk.sync(&self.active.file)?;
            self.shared.syncs.fetch_add(1, Ordering::Relaxed);
        }
        let segment = SegmentName { number: self.active.number, path: &self.active.path, file_bytes: self.active.bytes };
        self.shared.catalog.add(&segment, &header, self.at);
        self.at = self.at.saturating_add(header.frame_bytes() as u64);
        self.next_frame = self.next_frame.saturating_add(1);
        self.next_seq = header.last_seq().saturating_add(1);
        self.frame.clear();
        self.shared.synced.send_replace(Seq(header.last_seq()));
        Ok(())
    }
}
