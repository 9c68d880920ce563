//! What waits to be written: one bounded queue between everybody who appends and the committer.
//!
//! A lock and a condition variable instead of a channel: the committer takes all that waits in one go, and only the
//! append that finds it idle pays for waking it.

use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smallvec::SmallVec;
use tokio::sync::oneshot;

use super::frame::{KEPT_BYTES, put_record};
use super::{AppendError, Appended, Entry, Mark, Room};

/// What the committer is asked to do.
#[derive(Debug)]
pub(super) enum Work {
    /// Store a group of records, which take so many bytes in a frame; of each what it may be a repetition of.
    Store { marks: SmallVec<[Option<Mark>; 1]>, bytes: usize },
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

impl Request {
    fn bytes(&self) -> usize {
        match &self.work {
            Work::Store { bytes, .. } => *bytes,
            Work::Seal => 0,
        }
    }
}

/// What came of a request.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) result: Result<Appended, AppendError>,
    /// Those that are given when this one has arrived.
    pub(super) others: Answers,
}

/// An answer that is due.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) to: oneshot::Sender<Answer>,
    pub(super) result: Result<Appended, AppendError>,
    /// A task of the receiver waits for it. Others may compute for long before they look at theirs.
    pub(super) of_event: bool,
}

impl Due {
    fn give(self, others: Answers) {
        // The other end is gone when the caller stopped waiting: the record is kept all the same, and the others are given here.
        self.to.send(Answer { result: self.result, others }).ok();
    }
}

/// Answers that are due. They are given when this is dropped, wherever that is: none is lost with whoever had it.
#[derive(Debug, Default)]
pub(super) struct Answers(pub(super) Vec<Due>);

impl Answers {
    /// Gives one, and with it the rest: a task wakes others of its runtime by a queue of its own, a foreign thread by the one that all share.
    pub(super) fn give(mut self) {
        if let Some(first) = self.0.iter().position(|due| due.of_event) {
            self.0.swap_remove(first).give(self);
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|due| due.give(Answers::default()));
    }
}

/// Requests and the records of all of them, one after the other as they stand in a frame. They are copied here so that whoever appends keeps
/// nothing while it waits: what is freed by another thread than it was made by, or with many others, costs a lock of the allocator.
#[derive(Debug, Default)]
pub(super) struct Requests {
    pub(super) all: Vec<Request>,
    pub(super) records: Vec<u8>,
}

impl Requests {
    /// Each with its records.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = (Request, &[u8])> {
        let mut records = self.records.as_slice();
        self.all.drain(..).map(move |request| {
            let (own, others) = records.split_at_checked(request.bytes()).unwrap_or((records, &[]));
            records = others;
            (request, own)
        })
    }

    /// Forgets the records of those that were drained.
    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.records.shrink_to(KEPT_BYTES);
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
    requests: Requests,
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

    /// Takes a request in, and a copy of its records. What may use the reserve also gets twice the place to wait, so that a flood of
    /// events does not stop deliveries from being recorded.
    pub(super) fn push(&self, request: Request, group: &[Entry]) -> Result<(), AppendError> {
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
        let Requests { all, records } = &mut waiting.requests;
        let full = all.len() >= self.requests_max.saturating_mul(factor)
            || records.len().saturating_add(request.bytes()) > self.bytes_max.saturating_mul(factor);
        if full && !all.is_empty() {
            return Err(AppendError::Busy);
        }
        group.iter().for_each(|entry| put_record(records, &entry.bytes));
        all.push(request);
        let count = all.len();
        let wake = waiting.wanted > 0 && count >= waiting.wanted;
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
        let few = |waiting: &mut Waiting| waiting.requests.all.len() < count && waiting.end.is_none();
        let (mut waiting, _) = self.arrived.wait_timeout_while(waiting, patience, few).unwrap_or_else(PoisonError::into_inner);
        waiting.wanted = 0;
    }

    /// Takes all that waits in exchange for `taken`, which is empty, and waits when there is nothing. None once it has ended and nothing is left.
    pub(super) fn take(&self, taken: &mut Requests) -> Option<()> {
        let mut waiting = self.lock();
        while waiting.requests.all.is_empty() {
            if waiting.end.is_some() {
                return None;
            }
            waiting.wanted = 1;
            waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.wanted = 0;
        mem::swap(&mut waiting.requests, taken);
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
            End::Shutdown | End::Dropped => Requests::default(),
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
        self.lock().requests.all.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Seq;
    use super::*;

    #[test]
    fn answers_arrive_whichever_caller_stopped_waiting() {
        let due = |of_event, seq| {
            let (to, answered) = oneshot::channel();
            (Due { to, result: Ok(Appended::Stored(Seq(seq))), of_event }, answered)
        };
        let result = |answered: &mut oneshot::Receiver<Answer>| answered.try_recv().map(|answer| answer.result);
        for first in ["looks at it", "stops before", "stops after"] {
            let (answers, mut answered): (Vec<_>, Vec<_>) =
                [(false, 1), (true, 2), (true, 3)].map(|(of_event, seq)| due(of_event, seq)).into_iter().unzip();
            let mut of_first = Some(answered.remove(1)).filter(|_| first != "stops before");
            Answers(answers).give();
            if let Some(of_first) = &mut of_first {
                assert_eq!(result(&mut answered[0]), Err(oneshot::error::TryRecvError::Empty));
                if first == "looks at it" {
                    assert_eq!(result(of_first), Ok(Ok(Appended::Stored(Seq(2)))));
                }
            }
            drop(of_first);
            let others: Vec<_> = answered.iter_mut().map(|answered| result(answered).unwrap()).collect();
            assert_eq!(others, [1, 3].map(|seq| Ok(Appended::Stored(Seq(seq)))), "{first}");
        }
    }

    fn request() -> Request {
        Request { work: Work::Seal, room: Room::Normal, answer: oneshot::channel().0 }
    }

    #[test]
    fn gathering_ends_with_the_last_one_wanted_or_with_the_queue_or_with_patience() {
        const LONG: Duration = Duration::from_secs(600);
        let queue = Queue::new(10, 10);
        queue.push(request(), &[]).unwrap();
        // Enough are there; one is no crowd.
        queue.gather(1, LONG);
        queue.gather(3, Duration::from_millis(1));
        std::thread::scope(|scope| {
            let gathering = scope.spawn(|| {
                queue.gather(3, LONG);
                queue.len()
            });
            queue.push(request(), &[]).unwrap();
            queue.push(request(), &[]).unwrap();
            assert_eq!(gathering.join().unwrap(), 3);
            let gathering = scope.spawn(|| queue.gather(4, LONG));
            queue.end(End::Shutdown);
            gathering.join().unwrap();
        });
    }
}
