//! One connector's worker: takes up lanes that are due, as many at once as it may, and lets nothing else wait for them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use sleeksync_connectors::contract::{ItemId, Time};

use super::health::Gate;
use super::lane::{Lane, LaneEnd, LaneError};
use super::{Assignment, Shared};
use crate::index::RowsError;
use crate::record::{ConnectorId, Halt};

/// Pause after the index or the journal could not be used.
const TROUBLE_PAUSE: Duration = Duration::from_secs(1);
/// Lanes whose lost creates are being looked for; beyond it nothing new is begun.
const LOOKING_MAX: usize = 10_000;

/// Works until shutdown is asked for, then until the steps in flight have ended.
pub(super) struct Worker {
    pub shared: Arc<Shared>,
    pub assignment: Arc<Assignment>,
    pub connector: ConnectorId,
}

impl Worker {
    pub(super) async fn run(self) {
        let bell = self.shared.index.bell(self.connector);
        let mut looks: HashMap<ItemId, usize> = HashMap::new();
        let mut lanes = FuturesUnordered::new();
        loop {
            let wake_at = match self.take_up(&looks) {
                _ if self.shared.supervisor.is_stopping() => None,
                Ok((due, wake_at)) => {
                    for lane in due {
                        self.assignment.health.busy().insert(lane.clone());
                        let known = looks.get(&lane).copied().unwrap_or(0);
                        lanes.push(self.work(lane, known));
                    }
                    wake_at
                }
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, connector = self.assignment.name, "index is not ready");
                    Some(self.shared.clock.now().plus(TROUBLE_PAUSE))
                }
            };
            if self.shared.supervisor.is_stopping() && lanes.is_empty() {
                return;
            }
            tokio::select! {
                Some((lane, end)) = lanes.next() => {
                    self.assignment.health.busy().remove(&lane);
                    self.assignment.health.making().remove(&lane);
                    match end {
                        Ok(LaneEnd::Let { looks: 0 } | LaneEnd::Braked) => { looks.remove(&lane); }
                        Ok(LaneEnd::Let { looks: vain }) => { looks.insert(lane, vain); }
                        Err(error) => {
                            tracing::debug!(error = &error as &dyn std::error::Error, connector = self.assignment.name, "lane is taken up again");
                        }
                    }
                }
                () = bell.notified() => {}
                () = self.shared.clock.sleep_until(wake_at.unwrap_or(Time::from_ms(i64::MAX))), if wake_at.is_some() => {}
                () = self.shared.supervisor.stopping(), if !self.shared.supervisor.is_stopping() => {}
            }
        }
    }

    /// Works on one lane. Trouble with the index or the journal costs a pause, so that it is not asked in a hot loop.
    async fn work(&self, lane: ItemId, looks: usize) -> (ItemId, Result<LaneEnd, LaneError>) {
        let work = Lane { shared: &self.shared, assignment: &self.assignment, connector: self.connector, lane, looks };
        let end = work.work().await;
        if end.is_err() {
            tokio::select! {
                () = tokio::time::sleep(TROUBLE_PAUSE) => {}
                () = self.shared.supervisor.stopping() => {}
            }
        }
        (work.lane, end)
    }

    /// Lanes to take up now, and when to look again by oneself.
    fn take_up(&self, looks: &HashMap<ItemId, usize>) -> Result<(Vec<ItemId>, Option<Time>), RowsError> {
        if !self.shared.index.is_ready() {
            return Err(RowsError::NotReady);
        }
        let now = self.shared.clock.now();
        let busy = self.assignment.health.busy();
        let gate = self.gate(now)?;
        let slots = match gate {
            Gate::Open | Gate::Finish => self.assignment.concurrency.saturating_sub(busy.len()),
            Gate::Probe => 1_usize.saturating_sub(busy.len()),
            Gate::Until(at) => return Ok((Vec::new(), Some(at))),
            Gate::Closed => return Ok((Vec::new(), None)),
        };
        if slots == 0 {
            return Ok((Vec::new(), None));
        }
        let (due, next) = match gate {
            Gate::Finish => self.unfinished(now)?,
            // Lanes in flight may still stand in the timetable, so that many more are read.
            _ => self.shared.index.view()?.due_lanes(self.connector, now, slots + busy.len() + 1)?,
        };
        let crowded = looks.len() >= LOOKING_MAX;
        let free = due.into_iter().filter(|lane| !busy.contains(lane) && (!crowded || looks.contains_key(lane)));
        Ok((free.take(slots).collect(), next))
    }

    /// Lanes whose plan to make something is open and due, and when the first of the others will be.
    fn unfinished(&self, now: Time) -> Result<(Vec<ItemId>, Option<Time>), RowsError> {
        let view = self.shared.index.view()?;
        let (mut due, mut next): (Vec<ItemId>, Option<Time>) = (Vec::new(), None);
        for item in view.creating(self.connector, LOOKING_MAX)? {
            match view.lane(self.connector, &item.lane())? {
                Some(row) if row.due <= now => due.push(item.lane()),
                Some(row) => next = Some(next.map_or(row.due, |at| at.min(row.due))),
                None => {}
            }
        }
        Ok((due, next))
    }

    fn gate(&self, now: Time) -> Result<Gate, RowsError> {
        let Some(row) = self.shared.index.view()?.connector(self.connector)? else { return Ok(Gate::Closed) };
        if row.removed || !row.enabled || row.moved_to.is_some() || row.halt == Halt::Paused {
            return Ok(Gate::Closed);
        }
        Ok(match (row.throttled_until, self.assignment.health.gate(now)) {
            (Some(until), _) if until > now => Gate::Until(until),
            (_, Gate::Open | Gate::Probe) if row.halt == Halt::Braked => Gate::Finish,
            (_, gate) => gate,
        })
    }
}
