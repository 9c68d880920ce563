//! What waits to be written: one bounded queue between everybody who appends and the committer.
//!
//! A lock and a condition variable instead of a channel: the committer takes all that waits in one go, and only the
//! append that finds it idle pays for waking it.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::{AppendError, Appended, Entry, Room};

/// What the committer is asked to do.
#[derive(Debug)]
pub(super) enum Work {
    /// Store these records, which take so many bytes in a frame.
    Store { group: Vec<Entry>, bytes: usize },
    /// Go on in the next segment, so that none before it is written to any more.
    Seal,
}

/// One request, waiting for its answer. A dropped `answer` means the journal failed.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) work: Work,
    pub(super) room: Room,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// What came of a request, and the request's work: it is dropped where it was made, because the allocator has a lock for what crosses threads.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) result: Result<Appended, AppendError>,
    pub(super) _work: Work,
}

impl Request {
    fn bytes(&self) -> usize {
        match &self.work {
            Work::Store { bytes, .. } => *bytes,
            Work::Seal => 0,
        }
    }
}

/// How the queue ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// In order: what waits is still written, then the store is marked as cleanly closed.
    Shutdown,
    /// The journal was dropped: what waits is still written.
    Dropped,
    /// A write or a sync failed: nothing more is written.
    Poisoned,
}

#[derive(Debug, Default)]
struct Waiting {
    requests: Vec<Request>,
    bytes: usize,
    /// The committer sleeps until so many wait; 0 while it is at work.
    wanted: usize,
    end: Option<End>,
}

/// The queue. Its bounds count appends and bytes.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    requests_max: usize,
    bytes_max: usize,
}

impl Queue {
    /// A queue that holds as much as the bounds allow, and one request more if that alone is bigger.
    pub(super) fn new(requests_max: usize, bytes_max: usize) -> Self {
        Self { waiting: Mutex::default(), arrived: Condvar::new(), requests_max, bytes_max }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing in here panics half way: what another thread left is whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a request in. What may use the reserve also gets twice the place to wait, so that a flood of
    /// events does not stop deliveries from being recorded.
    pub(super) fn push(&self, request: Request) -> Result<(), AppendError> {
        let mut waiting = self.lock();
        match waiting.end {
            Some(End::Poisoned) => return Err(AppendError::Poisoned),
            Some(End::Shutdown | End::Dropped) => return Err(AppendError::Closed),
            None => {}
        }
        let factor = match request.room {
            Room::Normal => 1,
            Room::Reserve => 2,
        };
        let full = waiting.requests.len() >= self.requests_max.saturating_mul(factor)
            || waiting.bytes.saturating_add(request.bytes()) > self.bytes_max.saturating_mul(factor);
        if full && !waiting.requests.is_empty() {
            return Err(AppendError::Busy);
        }
        waiting.bytes = waiting.bytes.saturating_add(request.bytes());
        waiting.requests.push(request);
        let wake = waiting.wanted > 0 && waiting.requests.len() >= waiting.wanted;
        if wake {
            waiting.wanted = 0;
        }
        drop(waiting);
        if wake {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Waits until `count` requests wait, but no longer than `patience`.
    pub(super) fn gather(&self, count: usize, patience: Duration) {
        if count <= 1 {
            return;
        }
        let mut waiting = self.lock();
        waiting.wanted = count;
        let few = |waiting: &mut Waiting| waiting.requests.len() < count && waiting.end.is_none();
        let (mut waiting, _) = self.arrived.wait_timeout_while(waiting, patience, few).unwrap_or_else(PoisonError::into_inner);
        waiting.wanted = 0;
    }

    /// Moves what waits into `taken`, about `bytes_goal` bytes of it, and waits when there is nothing. None once it has ended
    /// and nothing is left.
    pub(super) fn take(&self, taken: &mut Vec<Request>, bytes_goal: usize) -> Option<()> {
        let mut waiting = self.lock();
        while waiting.requests.is_empty() {
            if waiting.end.is_some() {
                return None;
            }
            waiting.wanted = 1;
            waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.wanted = 0;
        if waiting.bytes <= bytes_goal && taken.is_empty() {
            waiting.bytes = 0;
            mem::swap(&mut waiting.requests, taken);
            return Some(());
        }
        let mut bytes = 0usize;
        let fits = |request: &Request| {
            bytes = bytes.saturating_add(request.bytes());
            bytes <= bytes_goal
        };
        let count = waiting.requests.iter().map(fits).take_while(|fits| *fits).count().max(1);
        taken.extend(waiting.requests.drain(..count));
        let moved = taken.iter().map(Request::bytes).sum();
        waiting.bytes = waiting.bytes.saturating_sub(moved);
        Some(())
    }

    /// Takes nothing in any more. The first reason stays, except that a failure always wins.
    pub(super) fn end(&self, end: End) {
        let mut waiting = self.lock();
        if waiting.end.is_none() || end == End::Poisoned {
            waiting.end = Some(end);
        }
        let dropped = match end {
            End::Poisoned => mem::take(&mut waiting.requests),
            End::Shutdown | End::Dropped => Vec::new(),
        };
        drop(waiting);
        self.arrived.notify_all();
        // Whoever waits for one of these learns of the failure by losing the other end.
        drop(dropped);
    }

    /// How it ended, if it has.
    pub(super) fn ended(&self) -> Option<End> {
        self.lock().end
    }

    /// How many appends wait.
    pub(super) fn len(&self) -> usize {
        self.lock().requests.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request { work: Work::Seal, room: Room::Normal, answer: oneshot::channel().0 }
    }

    #[test]
    fn gathering_ends_with_the_last_one_wanted_or_with_the_queue_or_with_patience() {
        const LONG: Duration = Duration::from_secs(600);
        let queue = Queue::new(10, 10);
        queue.push(request()).unwrap();
        // Enough are there; one is no crowd.
        queue.gather(1, LONG);
        queue.gather(3, Duration::from_millis(1));
        std::thread::scope(|scope| {
            let gathering = scope.spawn(|| {
                queue.gather(3, LONG);
                queue.len()
            });
            queue.push(request()).unwrap();
            queue.push(request()).unwrap();
            assert_eq!(gathering.join().unwrap(), 3);
            let gathering = scope.spawn(|| queue.gather(4, LONG));
            queue.end(End::Shutdown);
            gathering.join().unwrap();
        });
    }
}
