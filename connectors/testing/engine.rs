//! What the delivery engine does with a plan, small enough to be judged by reading.
//!
//! It leaves out the steps whose part stands as wanted, hands each step the links that the earlier ones made, keeps links, and looks up what was
//! lost. It does not wait or park, and it tries nothing again that failed.

use std::collections::BTreeMap;

use crate::contract::{Connector, Cx, Effect, Failure, Link, Links, Part, Plan, RemoteRef, Repeat, Step, Time, Transport};

/// Carries plans of one connector out over one transport.
pub struct Engine<'a, C> {
    /// Plans were made by it.
    pub connector: &'a C,
    /// Where its requests go.
    pub transport: &'a dyn Transport,
    /// When it is now.
    pub now: Time,
    /// Each step that may be repeated is done twice: it must do no harm.
    pub twice: bool,
}

impl<'a, C: Connector> Engine<'a, C> {
    /// At this time, each step once.
    pub fn new(connector: &'a C, transport: &'a dyn Transport, now: Time) -> Self {
        Self { connector, transport, now, twice: false }
    }

    /// Carries out what is not done yet, and answers the names of the steps that were tried. A plan that skips or waits has none.
    ///
    /// # Errors
    /// How a step failed, or the look-up of one whose answer was lost.
    pub async fn run(&self, plan: Plan<C::Op>, links: &mut Links) -> Result<Vec<String>, Failure> {
        let Plan::Run(mut steps) = plan else { return Ok(Vec::new()) };
        // What stands is looked at before anything is done, as the engine does: a step is not spared by what an earlier one makes.
        steps.retain(|step| is_open(step, links));
        if steps.iter().all(|step| step.effect == Effect::None) {
            return Ok(Vec::new());
        }
        let mut tried = Vec::new();
        for step in &steps {
            tried.push(step.name.to_string());
            let times = if self.twice && step.repeat == Repeat::Idempotent { 2 } else { 1 };
            for _ in 0..times {
                let remote = self.perform(step, links).await?;
                record(&mut links.own, step, remote, self.now);
            }
        }
        Ok(tried)
    }

    async fn perform(&self, step: &Step<C::Op>, links: &Links) -> Result<Option<RemoteRef>, Failure> {
        let cx = Cx { transport: self.transport, links, now: self.now };
        match (self.connector.apply(&step.op, &cx).await, &step.repeat) {
            (Err(Failure::Unknown { .. }), Repeat::Keyed(key)) => match self.connector.find(key, Time::ZERO, &cx).await? {
                Some(found) => Ok(Some(found)),
                None => self.connector.apply(&step.op, &cx).await,
            },
            (Err(Failure::Unknown { .. }), Repeat::Idempotent) => self.connector.apply(&step.op, &cx).await,
            (outcome, _) => outcome,
        }
    }
}

/// Whether the part of a step does not stand as wanted.
pub(super) fn is_open<Op>(step: &Step<Op>, links: &Links) -> bool {
    let known = links.own.get(&step.part);
    match &step.effect {
        Effect::None => true,
        Effect::Unlink => known.is_some(),
        Effect::Link { content, .. } => known.is_none_or(|link| link.content != Some(*content)),
    }
}

/// Notes that a step was done.
pub(super) fn record<Op>(links: &mut BTreeMap<Part, Link>, step: &Step<Op>, remote: Option<RemoteRef>, at: Time) {
    match step.effect {
        Effect::None => {}
        Effect::Unlink => {
            links.remove(&step.part);
        }
        Effect::Link { content, rendering } => {
            let known = links.remove(&step.part).and_then(|link| link.remote);
            let link = Link { remote: remote.or(known), content: Some(content), rendering: Some(rendering), updated_at: at };
            links.insert(step.part.clone(), link);
        }
    }
}
