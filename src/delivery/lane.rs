//! One lane: takes up what it has to do next, and carries out what the step machine decides.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use sleeksync_connectors::contract::{AnyStep, Cause, Cx, Effect, Failure, ItemId, Link, Links, RemoteKey, RemoteRef, Repeat, Time};

use super::pace::Timed;
use super::prepare::{Prepared, Prospect, prepare};
use super::run::{Input, Outside, Run, Then, Turn};
use super::words::Words;
use super::{Assignment, Shared};
use crate::crash;
use crate::index::{RowsError, View};
use crate::journal::{AppendError, Seq};
use crate::record::{Attempt, ConnectorId, DutyKey, Halt, Halted, Outcome, Record};

/// A look-up reads many pages.
const FIND_FACTOR: u32 = 20;

/// Why a lane could not be worked on. Nothing is lost: it is taken up again.
#[derive(Debug, thiserror::Error)]
pub(super) enum LaneError {
    /// The index is being rebuilt, or failed.
    #[error("the index cannot be read")]
    Index(#[from] RowsError),
    /// The journal takes nothing.
    #[error("the journal takes nothing")]
    Journal(#[from] AppendError),
    /// The journal cannot be read.
    #[error("the journal cannot be read")]
    Read(#[from] crate::journal::ReadError),
    /// A fault of this program.
    #[error("the work on it panicked")]
    Panicked,
}

/// How taking a lane up ended: it rested, settled, parked, was braked, or had nothing to do.
#[derive(Debug, Default)]
pub(super) struct LaneEnd {
    /// So many look-ups found nothing so far.
    pub looks: usize,
    /// The last record that was written down.
    pub written: Seq,
    /// What is still to be written down. The lane is not taken up again before the index knows it.
    pub records: Vec<Record>,
}

/// What working on one lane needs.
pub(super) struct Lane<'a> {
    pub shared: &'a Shared,
    pub assignment: &'a Assignment,
    pub connector: ConnectorId,
    pub lane: &'a ItemId,
    pub looks: usize,
}

impl Lane<'_> {
    /// Takes the lane up and works until nothing more is to be asked of the service.
    pub(super) async fn work(&self) -> Result<LaneEnd, LaneError> {
        let mut has_moment = false;
        loop {
            let view = self.shared.index.view()?;
            let now = self.shared.clock.now();
            let Some(duty) = view.lane_head(self.connector, self.lane, now)? else {
                return Ok(LaneEnd::default());
            };
            let prospect = match prepare(self, &view, &duty, now)? {
                Prepared::Settle(records) => return Ok(LaneEnd { records, ..LaneEnd::default() }),
                Prepared::Brake => return Ok(LaneEnd { records: vec![self.braked(now)], ..LaneEnd::default() }),
                Prepared::Run(prospect) => prospect,
            };
            if has_moment {
                return self.drive(&view, *prospect, &duty.key).await;
            }
            // Nothing is written down before its request may leave. What was planned before a wait may be out of date behind it.
            let Some(waited) = self.unless_stopping(self.assignment.transport.pace.moment()).await else {
                return Ok(LaneEnd { looks: self.looks, ..LaneEnd::default() });
            };
            if !waited {
                return self.drive(&view, *prospect, &duty.key).await;
            }
            has_moment = true;
        }
    }

    fn braked(&self, now: Time) -> Record {
        let why = format!("more than {} new objects in an hour", self.assignment.max_creates_per_hour);
        Record::Halted(Halted { connector: self.connector, halt: Halt::Braked, why, at: now, all: false })
    }

    async fn drive(&self, view: &View, prospect: Prospect, duty: &DutyKey) -> Result<LaneEnd, LaneError> {
        let Prospect { mut run, mut links, key } = prospect;
        let mut input = Input::Begin;
        let mut written = Seq(0);
        // The first request has its moment already.
        let timed = Timed::new(&self.assignment.transport, &self.shared.supervisor, true);
        loop {
            let outside = self.outside(view, duty, &run, &input)?;
            let Turn { records, then } = run.next(input, &self.assignment.policy, outside);
            let goes_on = match then {
                Then::Apply => run.current().is_some(),
                Then::Find(_) | Then::Check => true,
                Then::Rest | Then::Unauthorized | Then::Over => false,
            };
            if !goes_on {
                return Ok(LaneEnd { looks: run.looks(), written, records });
            }
            links_follow(&mut links, &records);
            links_follow(&mut links, run.held());
            if !records.is_empty() {
                written = Words::of(&records)?.write_down(self.shared).await?;
            }
            input = match (then, run.current()) {
                (Then::Apply, Some(step)) => Input::Applied(self.apply(step, &links, duty, &timed).await),
                (Then::Find(since), step) => match self.unless_stopping(self.find(sought(step, &key), since, &links, duty, &timed)).await {
                    Some(found) => Input::Found(found),
                    None => break,
                },
                (Then::Check, _) => match self.unless_stopping(self.check(&links, duty, &timed)).await {
                    Some(checked) => Input::Checked(checked),
                    None => break,
                },
                (Then::Rest | Then::Unauthorized | Then::Over | Then::Apply, _) => break,
            };
        }
        Ok(LaneEnd { looks: run.looks(), written, records: Vec::new() })
    }

    /// What only reads may be dropped at any time, and is at shutdown: nothing is lost but the look, which may take as long as many steps.
    async fn unless_stopping<T>(&self, look: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            seen = look => Some(seen),
            () = self.shared.supervisor.stopping() => None,
        }
    }

    fn outside(&self, view: &View, duty: &DutyKey, run: &Run, input: &Input) -> Result<Outside, LaneError> {
        let stopping = self.shared.supervisor.is_stopping();
        let mut outside = Outside { now: self.shared.clock.now(), newer: false, last_success_at: None, stopping };
        if run.asks_index(input) {
            outside.newer = view.duty(duty)?.is_some_and(|row| row.target > run.target());
            outside.last_success_at = view.connector(self.connector)?.and_then(|row| row.last_success_at);
        }
        Ok(outside)
    }

    async fn apply(&self, step: &AnyStep, links: &Links, duty: &DutyKey, timed: &Timed<'_>) -> Result<Option<RemoteRef>, Failure> {
        let cx = Cx { transport: timed, links, now: self.shared.clock.now() };
        crash::point("request.before");
        let result = guarded(timed, self.assignment.step_limit(), async {
            match self.assignment.connector.apply(&step.op, &cx).await {
                Ok(result) => result,
                Err(error) => Err(Failure::Rejected { source: Cause::new(error.to_string()) }),
            }
        })
        .await;
        crash::point("request.after");
        self.note(&step.name.to_string(), &result, duty);
        result
    }

    async fn find(
        &self,
        key: &RemoteKey,
        since: Time,
        links: &Links,
        duty: &DutyKey,
        timed: &Timed<'_>,
    ) -> Result<Option<RemoteRef>, Failure> {
        let cx = Cx { transport: timed, links, now: self.shared.clock.now() };
        let limit = self.assignment.timeout * FIND_FACTOR;
        crash::point("find.before");
        let result = guarded(timed, limit, self.assignment.connector.find(key, since, &cx)).await;
        crash::point("find.after");
        self.note("look up", &result, duty);
        result
    }

    async fn check(&self, links: &Links, duty: &DutyKey, timed: &Timed<'_>) -> Result<(), Failure> {
        let cx = Cx { transport: timed, links, now: self.shared.clock.now() };
        let result = guarded(timed, self.assignment.step_limit(), self.assignment.connector.check(&cx)).await;
        self.note("check", &result, duty);
        result
    }

    fn note<T>(&self, step: &str, result: &Result<T, Failure>, duty: &DutyKey) {
        let connector = self.assignment.name.as_str();
        let item = &duty.item;
        match result {
            Ok(_) => tracing::debug!(connector, %item, step, "done"),
            Err(failure @ Failure::Unauthorized { source }) => {
                tracing::error!(connector, %item, step, class = failure.class(), cause = %source, "credentials refused; its queue is kept");
            }
            Err(failure) => tracing::warn!(connector, %item, step, class = failure.class(), cause = %failure.cause(), "step failed"),
        }
        self.assignment.health.note(result, self.shared.clock.now(), &self.assignment.policy.backoff, duty);
    }
}

/// The key of a step: the item's own, or one of an event of it.
fn sought<'a>(step: Option<&'a AnyStep>, item: &'a RemoteKey) -> &'a RemoteKey {
    match step.map(|step| &step.repeat) {
        Some(Repeat::Keyed(key)) => key,
        _ => item,
    }
}

/// A connector that panics or hangs costs one step, not the daemon.
pub(super) async fn guarded<T>(timed: &Timed<'_>, limit: Duration, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let unknown = |text: &str| Err(Failure::Unknown { retry_after: None, source: Cause::new(text) });
    match timed.within(limit, AssertUnwindSafe(work).catch_unwind()).await {
        Some(Ok(result)) => result,
        Some(Err(_)) => unknown("the connector panicked"),
        None => unknown("no answer in time"),
    }
}

/// The links as the records leave them: the next step builds on what the last one made, written or not. The same records twice do no harm.
fn links_follow(links: &mut Links, records: &[Record]) {
    for record in records {
        let Record::Outcome(Outcome { attempt: Attempt::Done { part, effect, remote, .. }, at, .. }) = record else { continue };
        match effect {
            Effect::None => {}
            Effect::Unlink => {
                links.own.remove(part);
            }
            Effect::Link { content, rendering } => {
                let known = links.own.remove(part).and_then(|link| link.remote);
                let remote = remote.clone().or(known);
                links.own.insert(part.clone(), Link { remote, content: Some(*content), rendering: Some(*rendering), updated_at: *at });
            }
        }
    }
}
