//! The step machine of one delivery: pure. It is told what happened and answers what to write down and what to do next.
//!
//! It promises that nothing which must not be repeated is tried before its intent was written, that an unknown outcome is resolved before
//! anything else is tried, and that every way ends: delivered, skipped, superseded, parked, or due again at a known time.

use std::time::Duration;

use sleeksync_connectors::contract::{AnyStep, Cause, Effect, Failure, Limit, Links, OnMissing, Part, RemoteRef, Repeat, RetryAfter, Time};

use super::backoff::Backoff;
use crate::index::row::{DutyRow, OpenPlan};
use crate::record::{
    Attempt, DutyKey, Halt, Halted, Intent, Outcome, ParkClass, Parked, PlanRecord, Record, Settled, SettledAs, Throttled,
};

/// What the configuration says about trying again.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Pauses between attempts.
    pub backoff: Backoff,
    /// How long something may fail, while others succeed, before a person is asked.
    pub park_after: Duration,
    /// Waits between one look-up of a lost create and the next; at least one.
    pub settle: Vec<Duration>,
    /// What follows a deletion at the service.
    pub on_missing: OnMissing,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// The lane was taken up.
    Begin,
    /// The step was tried.
    Applied(Result<Option<RemoteRef>, Failure>),
    /// The object was looked for.
    Found(Result<Option<RemoteRef>, Failure>),
    /// The scope was checked, because an object was missing.
    Checked(Result<(), Failure>),
}

/// What is true outside, besides. What the index knows is looked at only where [`Run::asks_index`].
#[derive(Clone, Copy, Debug)]
pub struct Outside {
    /// The time.
    pub now: Time,
    /// A newer state is owed than this plan brings.
    pub newer: bool,
    /// When the connector last succeeded with anything.
    pub last_success_at: Option<Time>,
    /// The process is shutting down: no new step is begun.
    pub stopping: bool,
}

/// What to do next, after the records are on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Try the step.
    Apply,
    /// Look for the object the step may have made, since this time.
    Find(Time),
    /// Check the scope.
    Check,
    /// Let go of the lane; it is due again when the records say so.
    Rest,
    /// The same, and the connector must not try anything until its credentials are mended.
    Unauthorized,
    /// Let go of the lane.
    Over,
}

/// One answer of the machine.
#[derive(Debug, PartialEq)]
pub struct Turn {
    /// To be on disk, as one append, before `then`.
    pub records: Vec<Record>,
    /// What to do.
    pub then: Then,
}

/// One delivery under way.
#[derive(Debug)]
pub struct Run {
    duty: DutyKey,
    target: u64,
    steps: Vec<AnyStep>,
    step: usize,
    /// The plan is to be written before its first step: something in it must not be repeated.
    journalled: bool,
    /// It was written.
    written: bool,
    /// An intent is open, first since.
    intent: Option<Time>,
    attempts: u32,
    failing_since: Option<Time>,
    /// Look-ups that found nothing since the process began to look.
    looks: usize,
    /// The item has no object yet.
    creates: bool,
    /// Keyed creates look before they leap, for what was made since.
    look_first: Option<Time>,
    /// Outcomes of a plan that is not journalled: written together with what ends it.
    held: Vec<Record>,
    /// Parts whose hash a lost answer would make wrong.
    trusted: Vec<Part>,
}

impl Run {
    /// A delivery that was just planned. `steps` is not empty.
    pub fn fresh(duty: &DutyRow, steps: Vec<AnyStep>, links: &Links, look_first: Option<Time>) -> Self {
        let is_trusted = |step: &&AnyStep| links.own.get(&step.part).is_some_and(|link| link.content.is_some());
        Self {
            trusted: steps.iter().filter(is_trusted).map(|step| step.part.clone()).collect(),
            duty: duty.key.clone(),
            target: duty.target,
            journalled: steps.iter().any(|step| step.repeat != Repeat::Idempotent),
            written: false,
            steps,
            step: 0,
            intent: None,
            attempts: duty.attempts,
            failing_since: duty.failing_since,
            looks: 0,
            creates: links.is_new(),
            look_first,
            held: Vec::new(),
        }
    }

    /// A delivery whose plan was written earlier. `looks` is how often this process looked in vain already.
    pub fn resumed(duty: &DutyRow, open: &OpenPlan, plan: PlanRecord, creates: bool, looks: usize) -> Self {
        Self {
            duty: duty.key.clone(),
            target: open.target,
            journalled: true,
            written: true,
            step: usize::from(open.step).min(plan.steps.len()),
            steps: plan.steps,
            intent: open.intent.then(|| open.first_intent_at.unwrap_or(duty.since)),
            attempts: duty.attempts,
            failing_since: duty.failing_since,
            looks,
            creates,
            look_first: None,
            held: Vec::new(),
            trusted: Vec::new(),
        }
    }

    /// The step that is next, or under way.
    pub fn current(&self) -> Option<&AnyStep> {
        self.steps.get(self.step)
    }

    /// Look-ups in vain so far, to be handed to [`Run::resumed`] when the lane is taken up again.
    pub fn looks(&self) -> usize {
        self.looks
    }

    /// What steps of this plan have done that is not written yet: the next step builds on it.
    pub fn held(&self) -> &[Record] {
        &self.held
    }

    /// The record this plan brings.
    pub fn target(&self) -> u64 {
        self.target
    }

    /// Whether what follows from `input` may depend on what the index knows now: of most deliveries it does not.
    pub fn asks_index(&self, input: &Input) -> bool {
        match input {
            Input::Begin => self.written,
            Input::Applied(Ok(_)) => self.step + 1 < self.steps.len(),
            _ => true,
        }
    }

    /// What follows from `input`.
    pub fn next(&mut self, input: Input, policy: &Policy, outside: Outside) -> Turn {
        let mut turn = match input {
            Input::Begin => self.begin(outside),
            Input::Applied(Ok(remote)) | Input::Found(Ok(remote @ Some(_))) => self.done(remote, outside),
            Input::Applied(Err(failure)) => self.failed(&failure, policy, outside),
            Input::Found(Ok(None)) => self.found_nothing(policy, outside),
            Input::Found(Err(failure)) => self.look_failed(&failure, policy, outside),
            // A check that finds fault with less than the scope itself has reached it.
            Input::Checked(Ok(()) | Err(Failure::Rejected { .. })) => self.missing(policy, outside),
            Input::Checked(Err(failure)) => self.refused(&failure, policy, outside),
        };
        if !turn.records.is_empty() {
            turn.records.splice(0..0, self.held.drain(..));
        }
        turn
    }

    fn begin(&mut self, outside: Outside) -> Turn {
        let Some(step) = self.current() else { return self.end(SettledAs::Delivered, Vec::new(), outside) };
        match (self.intent, &step.repeat) {
            (Some(_), Repeat::Idempotent) => Turn { records: Vec::new(), then: if outside.stopping { Then::Rest } else { Then::Apply } },
            (Some(since), Repeat::Keyed(_)) => Turn { records: Vec::new(), then: Then::Find(since) },
            (Some(_), Repeat::Once) => {
                self.park(ParkClass::OutcomeUnknown, "the answer was lost and this must not be sent twice", Vec::new(), outside)
            }
            (None, _) if self.written && outside.newer => self.end(SettledAs::Superseded, Vec::new(), outside),
            (None, _) => self.try_step(Vec::new(), outside),
        }
    }

    /// Goes on to the current step.
    fn try_step(&mut self, mut records: Vec<Record>, outside: Outside) -> Turn {
        if !self.journalled && !outside.stopping {
            // A plan that may be repeated needs no journal, but overwriting what is known to stand makes that knowledge doubtful.
            records.extend(std::mem::take(&mut self.trusted).into_iter().map(|part| self.intent_for(0, part, outside)));
        }
        if self.journalled && !self.written {
            let plan = PlanRecord { duty: self.duty.clone(), target: self.target, steps: self.steps.clone() };
            records.push(Record::Plan(plan));
            self.written = true;
        }
        let looks_first = self.current().is_some_and(|step| matches!(step.repeat, Repeat::Keyed(_)));
        if let (true, Some(since)) = (looks_first, self.look_first) {
            return Turn { records, then: Then::Find(since) };
        }
        self.leap(records, outside)
    }

    fn leap(&mut self, mut records: Vec<Record>, outside: Outside) -> Turn {
        if outside.stopping {
            return Turn { records, then: Then::Rest };
        }
        if let (true, Some(step)) = (self.journalled, self.current()) {
            let number = u16::try_from(self.step).unwrap_or(u16::MAX);
            records.push(self.intent_for(number, step.part.clone(), outside));
            self.intent.get_or_insert(outside.now);
        }
        Turn { records, then: Then::Apply }
    }

    fn intent_for(&self, step: u16, part: Part, outside: Outside) -> Record {
        Record::Intent(Intent { duty: self.duty.clone(), step, part, at: outside.now })
    }

    fn done(&mut self, remote: Option<RemoteRef>, outside: Outside) -> Turn {
        let mut records = Vec::new();
        if let Some(step) = self.current() {
            let (part, effect) = (step.part.clone(), step.effect.clone());
            let created = self.creates && matches!(effect, Effect::Link { .. });
            self.creates &= !created;
            records.push(self.outcome(Attempt::Done { part, effect, remote, created }, outside));
        }
        self.step += 1;
        self.intent = None;
        self.attempts = 0;
        self.failing_since = None;
        self.looks = 0;
        if self.step >= self.steps.len() {
            return self.end(SettledAs::Delivered, records, outside);
        }
        if outside.newer {
            return self.end(SettledAs::Superseded, records, outside);
        }
        if !self.journalled {
            // Nothing is lost with these at a crash: the steps are tried again.
            self.held.append(&mut records);
            return Turn { records, then: if outside.stopping { Then::Rest } else { Then::Apply } };
        }
        self.try_step(records, outside)
    }

    fn failed(&mut self, failure: &Failure, policy: &Policy, outside: Outside) -> Turn {
        match failure {
            Failure::Transient { .. } | Failure::Unauthorized { .. } | Failure::Unwanted { .. } => self.refused(failure, policy, outside),
            Failure::Missing { .. } => Turn { records: Vec::new(), then: Then::Check },
            Failure::Rejected { source } => {
                let records = vec![self.not_done(failure, outside.now, outside)];
                self.park(ParkClass::Rejected, source.as_str(), records, outside)
            }
            Failure::Unknown { retry_after, source } => match self.current().map(|step| step.repeat.clone()) {
                Some(Repeat::Keyed(_)) => self.look_again(source, 0, policy, outside),
                Some(Repeat::Once) => {
                    let records = vec![self.unknown(source, outside.now, outside)];
                    self.park(ParkClass::OutcomeUnknown, source.as_str(), records, outside)
                }
                Some(Repeat::Idempotent) | None => self.rest_unknown(source, *retry_after, policy, outside),
            },
        }
    }

    /// It certainly did not happen.
    fn refused(&mut self, failure: &Failure, policy: &Policy, outside: Outside) -> Turn {
        self.intent = None;
        if let Failure::Unauthorized { .. } = failure {
            return Turn { records: vec![self.not_done(failure, outside.now, outside)], then: Then::Unauthorized };
        }
        if let Failure::Unwanted { source } = failure {
            let halted =
                Halted { connector: self.duty.connector, halt: Halt::Paused, why: source.to_string(), at: outside.now, all: false };
            return Turn { records: vec![self.not_done(failure, outside.now, outside), Record::Halted(halted)], then: Then::Rest };
        }
        let (retry_after, limit) = match failure {
            Failure::Transient { retry_after, scope, .. } => (*retry_after, *scope),
            Failure::Unknown { retry_after, .. } => (*retry_after, Limit::Item),
            _ => (None, Limit::Item),
        };
        let retry_at = self.retry_at(retry_after, policy, outside);
        let mut records = vec![self.not_done(failure, retry_at, outside)];
        if retry_after.is_some() && limit == Limit::Connector {
            records.push(Record::Throttled(Throttled { connector: self.duty.connector, until: retry_at }));
        }
        if self.is_expired(policy, outside) {
            return self.park(ParkClass::Expired, failure.cause().as_str(), records, outside);
        }
        Turn { records, then: Then::Rest }
    }

    fn found_nothing(&mut self, policy: &Policy, outside: Outside) -> Turn {
        if self.intent.is_none() {
            // Looked before leaping: there is nothing, and nobody is about to make it.
            self.look_first = None;
            return self.leap(Vec::new(), outside);
        }
        self.looks += 1;
        if self.looks >= policy.settle.len() {
            self.looks = 0;
            return self.leap(Vec::new(), outside);
        }
        self.look_again(&Cause::new("not found yet; looking again before another try"), self.looks, policy, outside)
    }

    /// The next look, after the wait that comes before it.
    fn look_again(&mut self, cause: &Cause, look: usize, policy: &Policy, outside: Outside) -> Turn {
        let wait = policy.settle.get(look).copied().unwrap_or_default();
        let since = self.intent.unwrap_or(outside.now);
        if wait.is_zero() {
            return Turn { records: Vec::new(), then: Then::Find(since) };
        }
        Turn { records: vec![self.unknown(cause, outside.now.plus(wait), outside)], then: Then::Rest }
    }

    /// A look-up that failed says nothing: the schedule of looks does not advance.
    fn look_failed(&mut self, failure: &Failure, policy: &Policy, outside: Outside) -> Turn {
        if self.intent.is_none() {
            return self.refused(failure, policy, outside);
        }
        if let Failure::Unauthorized { source } = failure {
            return Turn { records: vec![self.unknown(source, outside.now, outside)], then: Then::Unauthorized };
        }
        let retry_after = match failure {
            Failure::Transient { retry_after, .. } | Failure::Unknown { retry_after, .. } => *retry_after,
            _ => None,
        };
        self.rest_unknown(failure.cause(), retry_after, policy, outside)
    }

    fn rest_unknown(&mut self, cause: &Cause, retry_after: Option<RetryAfter>, policy: &Policy, outside: Outside) -> Turn {
        let retry_at = self.retry_at(retry_after, policy, outside);
        let records = vec![self.unknown(cause, retry_at, outside)];
        if self.is_expired(policy, outside) {
            let idempotent = self.current().is_some_and(|step| step.repeat == Repeat::Idempotent);
            let class = if idempotent { ParkClass::Expired } else { ParkClass::OutcomeUnknown };
            return self.park(class, cause.as_str(), records, outside);
        }
        Turn { records, then: Then::Rest }
    }

    fn missing(&mut self, policy: &Policy, outside: Outside) -> Turn {
        let Some(step) = self.current() else { return self.end(SettledAs::Delivered, Vec::new(), outside) };
        // What has no object of its own misses its parent's: making it again would not help.
        let recreate = policy.on_missing == OnMissing::Recreate && !self.creates;
        let attempt = Attempt::Missing { part: step.part.clone(), recreate };
        let records = vec![self.outcome(attempt, outside)];
        self.intent = None;
        match policy.on_missing {
            OnMissing::Recreate if recreate => Turn { records, then: Then::Over },
            OnMissing::Leave => self.end(SettledAs::Skipped("deleted at the service, and left so".to_owned()), records, outside),
            OnMissing::Recreate | OnMissing::Park => {
                self.park(ParkClass::TargetGone, "the object was deleted at the service", records, outside)
            }
        }
    }

    fn retry_at(&mut self, retry_after: Option<RetryAfter>, policy: &Policy, outside: Outside) -> Time {
        self.attempts = self.attempts.saturating_add(1);
        self.failing_since.get_or_insert(outside.now);
        let asked = match retry_after {
            Some(RetryAfter::In(wait)) => Some(outside.now.plus(wait)),
            Some(RetryAfter::At(at)) => Some(at),
            None => None,
        };
        let own = policy.backoff.pause(self.attempts, &self.duty);
        asked.map_or(outside.now.plus(own), |at| at.max(outside.now.plus(policy.backoff.min)))
    }

    /// Age counts only while the connector succeeds with others: an outage parks nothing.
    fn is_expired(&self, policy: &Policy, outside: Outside) -> bool {
        self.failing_since.is_some_and(|since| {
            outside.now.since(since) >= policy.park_after && outside.last_success_at.is_some_and(|success| success > since)
        })
    }

    fn outcome(&self, attempt: Attempt, outside: Outside) -> Record {
        Record::Outcome(Outcome { duty: self.duty.clone(), attempt, at: outside.now })
    }

    fn not_done(&self, failure: &Failure, retry_at: Time, outside: Outside) -> Record {
        let attempt = Attempt::NotDone { class: failure.class().to_owned(), message: failure.cause().to_string(), retry_at };
        self.outcome(attempt, outside)
    }

    fn unknown(&self, cause: &Cause, retry_at: Time, outside: Outside) -> Record {
        self.outcome(Attempt::Unknown { message: cause.to_string(), retry_at }, outside)
    }

    fn park(&self, class: ParkClass, reason: &str, mut records: Vec<Record>, outside: Outside) -> Turn {
        let step = self.current();
        let makes = step.is_some_and(|step| matches!(step.effect, Effect::Link { .. }));
        records.push(Record::Parked(Parked {
            duty: self.duty.clone(),
            class,
            reason: reason.to_owned(),
            step: step.map(|step| step.name.to_string()).unwrap_or_default(),
            part: step.filter(|_| makes).map(|step| step.part.clone()),
            at: outside.now,
        }));
        Turn { records, then: Then::Over }
    }

    fn end(&self, how: SettledAs, mut records: Vec<Record>, outside: Outside) -> Turn {
        records.push(Record::Settled(Settled { duty: self.duty.clone(), upto: self.target, how, at: outside.now }));
        Turn { records, then: Then::Over }
    }
}
