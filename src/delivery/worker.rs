//! One connector's worker: takes up lanes that are due, as many at once as it may, and lets nothing else wait for them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use sleeksync_connectors::contract::{ItemId, Time};

use super::health::Gate;
use super::lane::{Lane, LaneEnd, LaneError};
use super::{Assignment, Shared};
use crate::index::RowsError;
use crate::index::row::ConnectorRow;
use crate::record::{ConnectorId, Halt};

/// Pause after the index or the journal could not be used.
const TROUBLE_PAUSE: Duration = Duration::from_secs(1);
/// Lanes whose lost creates are being looked for; beyond it nothing new is begun.
const LOOKING_MAX: usize = 10_000;

/// Works until shutdown is asked for, then until the steps in flight have ended.
pub(super) struct Worker {
    pub shared: Arc<Shared>,
    pub assignment: Arc<Assignment>,
}

/// Lanes to take up, and when to look again by oneself.
#[derive(Default)]
struct Due {
    lanes: Vec<ItemId>,
    next: Option<Time>,
}

impl Worker {
    /// Works as whatever connector has the name: a move gives the name to another, with its links and its queue.
    pub(super) async fn run(self) {
        while !self.shared.supervisor.is_stopping() {
            match self.connector() {
                Ok(Some(connector)) => self.serve(connector).await,
                Ok(None) | Err(_) => self.pause().await,
            }
        }
    }

    fn connector(&self) -> Result<Option<ConnectorId>, RowsError> {
        let rows = self.shared.index.view()?.connectors()?;
        Ok(rows.into_iter().find(|(_, row)| row.name == self.assignment.name).map(|(id, _)| id))
    }

    /// Works as this one while it has the name.
    async fn serve(&self, connector: ConnectorId) {
        let bell = self.shared.index.bell(connector);
        let mut looks: HashMap<ItemId, usize> = HashMap::new();
        let mut lanes = FuturesUnordered::new();
        loop {
            let is_stopping = self.shared.supervisor.is_stopping();
            let due = match self.take_up(connector, &looks) {
                _ if is_stopping => None,
                Ok(due) => due,
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, connector = self.assignment.name, "index is not ready");
                    Some(Due { lanes: Vec::new(), next: Some(self.shared.clock.now().plus(TROUBLE_PAUSE)) })
                }
            };
            if due.is_none() && lanes.is_empty() {
                return;
            }
            let Due { lanes: due, next: wake_at } = due.unwrap_or_default();
            for lane in due {
                self.assignment.health.busy().insert(lane.clone());
                let known = looks.get(&lane).copied().unwrap_or(0);
                lanes.push(self.work(connector, lane, known));
            }
            tokio::select! {
                Some(first) = lanes.next() => {
                    self.let_go(first, &mut looks);
                    // What was written together ends together: all of it before the next look at what is due.
                    while let Some(Some(next)) = lanes.next().now_or_never() {
                        self.let_go(next, &mut looks);
                    }
                }
                () = bell.notified() => {}
                () = self.shared.clock.sleep_until(wake_at.unwrap_or(Time::from_ms(i64::MAX))), if wake_at.is_some() => {}
                () = self.shared.supervisor.stopping(), if !is_stopping => {}
            }
        }
    }

    /// Notes that a lane is worked on no more.
    fn let_go(&self, (lane, end): (ItemId, Result<LaneEnd, LaneError>), looks: &mut HashMap<ItemId, usize>) {
        self.assignment.health.busy().remove(&lane);
        self.assignment.health.making().remove(&lane);
        match end {
            Ok(LaneEnd::Let { looks: 0 } | LaneEnd::Braked) => drop(looks.remove(&lane)),
            Ok(LaneEnd::Let { looks: vain }) => drop(looks.insert(lane, vain)),
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, connector = self.assignment.name, "lane is taken up again");
            }
        }
    }

    /// Works on one lane. Trouble with the index or the journal costs a pause, so that it is not asked in a hot loop.
    async fn work(&self, connector: ConnectorId, lane: ItemId, looks: usize) -> (ItemId, Result<LaneEnd, LaneError>) {
        let work = Lane { shared: &self.shared, assignment: &self.assignment, connector, lane, looks };
        let end = work.work().await;
        if end.is_err() {
            self.pause().await;
        }
        (work.lane, end)
    }

    async fn pause(&self) {
        tokio::select! {
            () = tokio::time::sleep(TROUBLE_PAUSE) => {}
            () = self.shared.supervisor.stopping() => {}
        }
    }

    /// What to take up now; `None` when the name is another connector's by now.
    fn take_up(&self, connector: ConnectorId, looks: &HashMap<ItemId, usize>) -> Result<Option<Due>, RowsError> {
        if !self.shared.index.is_ready() {
            return Err(RowsError::NotReady);
        }
        let now = self.shared.clock.now();
        let row = self.shared.index.view()?.connector(connector)?;
        let Some(row) = row.filter(|row| row.name == self.assignment.name) else { return Ok(None) };
        let busy = self.assignment.health.busy();
        let gate = self.gate(&row, now);
        let slots = match gate {
            Gate::Open | Gate::Finish => self.assignment.concurrency.saturating_sub(busy.len()),
            Gate::Probe => 1_usize.saturating_sub(busy.len()),
            Gate::Until(at) => return Ok(Some(Due { lanes: Vec::new(), next: Some(at) })),
            Gate::Closed => 0,
        };
        if slots == 0 {
            return Ok(Some(Due::default()));
        }
        let (due, next) = match gate {
            Gate::Finish => self.unfinished(connector, now)?,
            // Lanes in flight may still stand in the timetable, so that many more are read.
            _ => self.shared.index.view()?.due_lanes(connector, now, slots + busy.len() + 1)?,
        };
        let crowded = looks.len() >= LOOKING_MAX;
        let free = due.into_iter().filter(|lane| !busy.contains(lane) && (!crowded || looks.contains_key(lane)));
        Ok(Some(Due { lanes: free.take(slots).collect(), next }))
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
