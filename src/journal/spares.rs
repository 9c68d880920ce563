//! The next segments, pre-written by a thread of their own.
//!
//! Two are kept ready: the next one, and a reserve that only records of deliveries already begun may use
//! ([`Room::Reserve`]). When there is no room for another, nothing is lost and nothing is poisoned: events are
//! refused once the segment in use is full, and the thread looks again until there is room.

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::disk::Disk;
use super::segment::SegmentFile;
use super::{Room, RoomLeft};

/// How many segments are kept ready: the next, and the reserve.
const READY: usize = 2;

/// No room, and none is about to be made.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

/// Where and how segments are prepared.
#[derive(Debug, Clone)]
pub(super) struct Preparation {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) folder: PathBuf,
    pub(super) segment_bytes: u64,
    /// What must stay free besides the segment that is prepared.
    pub(super) min_free: u64,
    pub(super) look_again: Duration,
}

#[derive(Debug)]
struct State {
    ready: VecDeque<SegmentFile>,
    next_number: u64,
    /// The last attempt to prepare one failed.
    failing: bool,
    /// The segment in use was the reserve, and there is no new one yet.
    on_reserve: bool,
}

/// The segments that are ready, shared by the thread that prepares them and the committer.
#[derive(Debug)]
pub(super) struct Spares {
    preparation: Preparation,
    state: Mutex<State>,
    changed: Condvar,
    closed: AtomicBool,
}

impl Spares {
    /// `ready` are those found at the start, `next_number` is the first number never used.
    pub(super) fn new(preparation: Preparation, ready: Vec<SegmentFile>, next_number: u64) -> Self {
        let on_reserve = ready.is_empty();
        let state = State { ready: VecDeque::from(ready), next_number, failing: false, on_reserve };
        Self { preparation, state: Mutex::new(state), changed: Condvar::new(), closed: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half way: what another thread left is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the segment in use may be written to without asking [`Spares::admit`].
    pub(super) fn plenty(&self) -> bool {
        !self.lock().on_reserve
    }

    /// Asks whether `room` may use the segment in use. Waits while a new reserve is being made.
    pub(super) fn admit(&self, room: Room) -> Result<(), NoRoom> {
        self.wait_until(|state| room == Room::Reserve || !state.on_reserve).map(drop)
    }

    /// The next segment, once there is one that `room` may use.
    pub(super) fn take(&self, room: Room) -> Result<SegmentFile, NoRoom> {
        let needed = match room {
            Room::Normal => READY,
            Room::Reserve => 1,
        };
        let mut state = self.wait_until(|state| state.ready.len() >= needed)?;
        let taken = state.ready.pop_front().ok_or(NoRoom)?;
        state.on_reserve = state.ready.is_empty();
        drop(state);
        self.changed.notify_all();
        Ok(taken)
    }

    fn wait_until(&self, enough: impl Fn(&State) -> bool) -> Result<MutexGuard<'_, State>, NoRoom> {
        let mut state = self.lock();
        while !enough(&state) {
            if state.failing || self.closed.load(Ordering::Relaxed) {
                return Err(NoRoom);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(state)
    }

    /// How much room there is.
    pub(super) fn room(&self) -> RoomLeft {
        let state = self.lock();
        match (state.failing, state.on_reserve, state.ready.len()) {
            (false, _, _) => RoomLeft::Plenty,
            (true, true, _) => RoomLeft::Reserve,
            (true, false, _) => RoomLeft::ThisSegment,
        }
    }

    /// Bytes and number of the files that are ready.
    pub(super) fn ready(&self) -> (u64, usize) {
        let state = self.lock();
        (state.ready.iter().map(|segment| segment.bytes).sum(), state.ready.len())
    }

    /// Ends [`Spares::keep_ready`] soon, and every wait.
    pub(super) fn close(&self) {
        // Under the lock, so that nobody is between looking at the flag and starting to wait.
        let state = self.lock();
        self.closed.store(true, Ordering::Relaxed);
        drop(state);
        self.changed.notify_all();
    }

    /// Prepares segments whenever one is missing, until it is closed: the body of the thread.
    pub(super) fn keep_ready(&self) {
        while let Some(number) = self.wait_for_work() {
            match self.prepare(number) {
                Ok(segment) => self.arrived(segment),
                Err(error) => self.failed(&error),
            }
        }
    }

    fn wait_for_work(&self) -> Option<u64> {
        let mut state = self.lock();
        loop {
            if self.closed.load(Ordering::Relaxed) {
                return None;
            }
            if state.ready.len() < READY {
                return Some(state.next_number);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn prepare(&self, number: u64) -> io::Result<SegmentFile> {
        let Preparation { disk, folder, segment_bytes, min_free, .. } = &self.preparation;
        let free_bytes = disk.free_bytes(folder)?;
        if free_bytes < min_free.saturating_add(*segment_bytes) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        let stop = || self.closed.load(Ordering::Relaxed);
        SegmentFile::create(disk.as_ref(), folder, number, *segment_bytes, &stop)
    }

    fn arrived(&self, segment: SegmentFile) {
        let mut state = self.lock();
        state.next_number = segment.number.saturating_add(1);
        state.ready.push_back(segment);
        state.on_reserve = false;
        let recovered = std::mem::take(&mut state.failing);
        drop(state);
        self.changed.notify_all();
        if recovered {
            tracing::info!("there is room on disk for the journal again");
        }
    }

    fn failed(&self, error: &io::Error) {
        let mut state = self.lock();
        if self.closed.load(Ordering::Relaxed) {
            return;
        }
        let first = !std::mem::replace(&mut state.failing, true);
        self.changed.notify_all();
        if first {
            tracing::error!(%error, "no room on disk for the journal's next segment; events are refused once this one is full");
        }
        // The lock is given back while waiting; closing ends the wait.
        let patience = self.preparation.look_again;
        let closed = |_: &mut State| !self.closed.load(Ordering::Relaxed);
        drop(self.changed.wait_timeout_while(state, patience, closed));
    }
}
