//! One connector's worker: takes up lanes that are due, as many at once as it may, and lets nothing else wait for them.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use sleeksync_connectors::contract::{ItemId, Time};

use super::health::Gate;
use super::lane::{Lane, LaneEnd, LaneError};
use super::words::{self, Ended, Words};
use super::{Assignment, Shared};
use crate::index::RowsError;
use crate::index::row::ConnectorRow;
use crate::journal::Seq;
use crate::record::{ConnectorId, Halt};

/// Pause after the index or the journal could not be used.
const TROUBLE_PAUSE: Duration = Duration::from_secs(1);
/// Lanes whose lost creates are being looked for; beyond it nothing new is begun.
const LOOKING_MAX: usize = 10_000;
/// Lanes that are read from the timetable at once.
const READ_AHEAD: usize = 4096;
/// Lanes that ended and are not known to the index; beyond it nothing new is begun.
const UNFOLDED_MAX: usize = 4096;

/// Works until shutdown is asked for, then until the steps in flight have ended.
pub(super) struct Worker {
    pub shared: Arc<Shared>,
    pub assignment: Arc<Assignment>,
}

/// What a worker knows of lanes, as one connector.
#[derive(Default)]
struct Lanes {
    /// Read from the timetable, not taken up yet.
    ahead: VecDeque<ItemId>,
    /// Look-ups in vain for lost creates.
    looks: HashMap<ItemId, usize>,
    /// Ended, and not written down.
    ended: Vec<Ended>,
    /// How many are being written down.
    writing: usize,
    /// Written down, by the record up to which the index has to know them.
    unfolded: BTreeSet<(Seq, ItemId)>,
    /// Those that stopped the connector: nothing is begun before the index knows it too.
    stopping: HashSet<ItemId>,
}

impl Lanes {
    fn unsettled(&self) -> usize {
        self.ended.len() + self.writing + self.unfolded.len()
    }
}

impl Shared {
    /// Waits before the index or the journal is used again, unless everything ends.
    pub(super) async fn pause(&self) {
        tokio::select! {
            () = tokio::time::sleep(TROUBLE_PAUSE) => {}
            () = self.supervisor.stopping() => {}
        }
    }
}

/// Lanes to take up, and when to look again by oneself.
#[derive(Default)]
struct Due {
    lanes: Vec<ItemId>,
    next: Option<Time>,
}

impl Worker {
    /// Works as whatever connector has the name: a move gives the name to another, with its links and its queue.
    pub(super) async fn run(&self) {
        while !self.shared.supervisor.is_stopping() {
            match self.connector() {
                Ok(Some(connector)) => self.serve(connector).await,
                Ok(None) | Err(_) => self.shared.pause().await,
            }
        }
    }

    fn connector(&self) -> Result<Option<ConnectorId>, RowsError> {
        let connectors = self.shared.index.connectors()?;
        Ok(connectors.rows.iter().find(|(_, row)| row.name == self.assignment.name).map(|(id, _)| *id))
    }

    /// Works as this one while it has the name.
    ///
    /// Only what asks something of the service counts for how many may at once. What came of lanes is written down together, and they are
    /// taken up again when the index knows it.
    async fn serve(&self, connector: ConnectorId) {
        let bell = self.shared.index.bell(connector);
        let mut folded = self.shared.index.folds();
        let mut lanes = Lanes::default();
        let (mut in_flight, mut writing) = (FuturesUnordered::new(), FuturesUnordered::new());
        loop {
            self.note_folded(&mut lanes, *folded.borrow_and_update());
            let is_stopping = self.shared.supervisor.is_stopping();
            let due = match self.take_up(connector, &mut lanes, in_flight.len()) {
                _ if is_stopping => None,
                Ok(due) => due,
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, connector = self.assignment.name, "index is not ready");
                    Some(Due { lanes: Vec::new(), next: Some(self.shared.clock.now().plus(TROUBLE_PAUSE)) })
                }
            };
            if writing.is_empty() && !lanes.ended.is_empty() {
                lanes.writing = lanes.ended.len();
                writing.push(words::write_down(&self.shared, std::mem::take(&mut lanes.ended)));
            }
            // At shutdown nobody takes them up again, and the index may be broken.
            if due.is_none() && in_flight.is_empty() && writing.is_empty() && (is_stopping || lanes.unfolded.is_empty()) {
                return;
            }
            let Due { lanes: due, next: wake_at } = due.unwrap_or_default();
            for lane in due {
                self.assignment.health.busy().insert(lane.clone());
                let known = lanes.looks.get(&lane).copied().unwrap_or(0);
                // They are one task, and once some of them had used up what tokio allows a task at a time, the rest would wait.
                in_flight.push(tokio::task::unconstrained(self.work(connector, lane, known)));
            }
            tokio::select! {
                Some(first) = in_flight.next() => {
                    self.let_go(first, &mut lanes);
                    // What was written together ends together: all of it before the next look at what is due.
                    while let Some(Some(next)) = in_flight.next().now_or_never() {
                        self.let_go(next, &mut lanes);
                    }
                }
                Some(written) = writing.next() => {
                    lanes.writing = 0;
                    lanes.unfolded.extend(written.into_iter().map(|(lane, seq)| (seq, lane)));
                }
                () = bell.notified() => {}
                // An error means that the index is gone: then shutdown follows.
                Ok(()) = folded.changed(), if !lanes.unfolded.is_empty() => {}
                () = self.shared.clock.sleep_until(wake_at.unwrap_or(Time::from_ms(i64::MAX))), if wake_at.is_some() => {}
                () = self.shared.supervisor.stopping(), if !is_stopping => {}
            }
        }
    }

    /// Notes that a lane asks nothing of the service any more.
    fn let_go(&self, end: Result<Ended, (ItemId, LaneError)>, lanes: &mut Lanes) {
        match end {
            Ok(ended) => {
                match ended.looks {
                    0 => drop(lanes.looks.remove(&ended.lane)),
                    vain => drop(lanes.looks.insert(ended.lane.clone(), vain)),
                }
                if ended.words.stops {
                    lanes.stopping.insert(ended.lane.clone());
                }
                lanes.ended.push(ended);
            }
            Err((lane, error)) => {
                let connector = &self.assignment.name;
                match error {
                    LaneError::Panicked => {
                        tracing::error!(item = %lane, connector, "a fault of the program, which is to be reported; the lane is taken up again");
                    }
                    error => tracing::debug!(error = &error as &dyn std::error::Error, connector, "lane is taken up again"),
                }
                lanes.unfolded.insert((Seq(0), lane));
            }
        }
    }

    /// Notes that lanes may be taken up again, as far as the index knows what came of them.
    fn note_folded(&self, lanes: &mut Lanes, folded: u64) {
        while let Some((_, lane)) = lanes.unfolded.first().filter(|(seq, _)| seq.0 <= folded) {
            self.assignment.health.busy().remove(lane);
            self.assignment.health.making().remove(lane);
            lanes.stopping.remove(lane);
            lanes.unfolded.pop_first();
        }
    }

    /// Works on one lane. Trouble with the index or the journal costs a pause, so that it is not asked in a hot loop.
    async fn work(&self, connector: ConnectorId, lane: ItemId, looks: usize) -> Result<Ended, (ItemId, LaneError)> {
        let work = Lane { shared: &self.shared, assignment: &self.assignment, connector, lane: &lane, looks };
        let end = AssertUnwindSafe(work.work()).catch_unwind().await.unwrap_or(Err(LaneError::Panicked));
        match end.and_then(|end| Ok((Words::of(&end.records)?, end))) {
            Ok((words, LaneEnd { looks, written, .. })) => Ok(Ended { lane, looks, written, words }),
            Err(error) => {
                self.shared.pause().await;
                Err((lane, error))
            }
        }
    }

    /// What to take up now, where so many lanes ask something of the service; `None` when the name is another connector's by now.
    fn take_up(&self, connector: ConnectorId, lanes: &mut Lanes, in_flight: usize) -> Result<Option<Due>, RowsError> {
        if !self.shared.index.is_ready() {
            return Err(RowsError::NotReady);
        }
        let now = self.shared.clock.now();
        let connectors = self.shared.index.connectors()?;
        let Some(row) = connectors.of(connector).filter(|row| row.name == self.assignment.name) else { return Ok(None) };
        let gate = self.gate(row, now);
        let slots = match gate {
            Gate::Open | Gate::Finish => self.assignment.concurrency.saturating_sub(in_flight),
            Gate::Probe => 1_usize.saturating_sub(in_flight + lanes.unsettled()),
            Gate::Until(at) => return Ok(Some(Due { lanes: Vec::new(), next: Some(at) })),
            Gate::Closed => 0,
        };
        let slots = if lanes.stopping.is_empty() { slots.min(UNFOLDED_MAX.saturating_sub(lanes.unsettled())) } else { 0 };
        if gate != Gate::Open {
            lanes.ahead.clear();
        }
        if slots == 0 {
            return Ok(Some(Due::default()));
        }
        let busy = self.assignment.health.busy();
        let crowded = lanes.looks.len() >= LOOKING_MAX;
        let is_free = |lane: &ItemId| !busy.contains(lane) && (!crowded || lanes.looks.contains_key(lane));
        let mut next = None;
        if lanes.ahead.is_empty() {
            let (due, later) = match gate {
                Gate::Finish => self.unfinished(connector, now)?,
                // Lanes that are worked on may still stand in the timetable, so that many more are read.
                _ => self.shared.index.view()?.due_lanes(connector, now, READ_AHEAD + busy.len() + 1)?,
            };
            next = later;
            lanes.ahead = due.into_iter().filter(is_free).collect();
        }
        let due = lanes.ahead.drain(..slots.min(lanes.ahead.len())).collect();
        Ok(Some(Due { lanes: due, next }))
    }

    /// Lanes whose plan to make something is open and due, and when the first of the others will be.
    fn unfinished(&self, connector: ConnectorId, now: Time) -> Result<(Vec<ItemId>, Option<Time>), RowsError> {
        let view = self.shared.index.view()?;
        let (mut due, mut next): (Vec<ItemId>, Option<Time>) = (Vec::new(), None);
        for item in view.creating(connector, LOOKING_MAX)? {
            match view.lane(connector, &item.lane())? {
                Some(row) if row.due <= now => due.push(item.lane()),
                Some(row) => next = Some(next.map_or(row.due, |at| at.min(row.due))),
                None => {}
            }
        }
        Ok((due, next))
    }

    fn gate(&self, row: &ConnectorRow, now: Time) -> Gate {
        if row.removed || !row.enabled || row.moved_to.is_some() || row.halt == Halt::Paused {
            return Gate::Closed;
        }
        match (row.throttled_until, self.assignment.health.gate(now)) {
            (Some(until), _) if until > now => Gate::Until(until),
            (_, Gate::Open | Gate::Probe) if row.halt == Halt::Braked => Gate::Finish,
            (_, gate) => gate,
        }
    }
}
