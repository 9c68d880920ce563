//! One connector, its fake service and what is known of it: a delivery engine small enough to be judged by reading.
//!
//! It does what the real one does when everything goes well: it leaves out steps whose part stands as wanted, hands each step the links
//! that the earlier ones made, and keeps links. What it does when things go wrong is up to the rule that uses it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::conformance::{Fake, Fixture};
use super::engine;
use super::interposer::Interposer;
use super::items::{Given, product};
use crate::contract::{
    AnyConnector, AnyOp, AnyPlan, AnyStep, Change, Cx, Effect, Failure, For, Hash, ItemId, Link, Links, Part, Plan, Product, RemoteKey,
    RemoteRef, Scope, Time, build,
};

/// When everything is tried: 2026-03-03T12:00:00Z.
const NOW: Time = Time::from_ms(1_772_539_200_000);
/// How often a plan that waits for time to pass is made again.
const WAITS_MAX: usize = 4;

/// A connector in front of its fake service.
pub struct World<K> {
    /// The service.
    pub fake: K,
    /// The connector.
    pub connector: Box<dyn AnyConnector>,
    /// What is sent and spoilt between the two.
    pub transport: Arc<Interposer>,
    product: Product,
    links: BTreeMap<ItemId, BTreeMap<Part, Link>>,
}

impl<K: Fake> World<K> {
    /// Starts a fake service and makes a connector for it, with `canary` as every secret.
    ///
    /// # Errors
    /// The fixture's own settings are refused.
    pub async fn open<F: Fixture<Fake = K>>(fixture: &F, canary: &str) -> Result<Self, String> {
        let fake = fixture.start().await;
        let settings: Value = fake.settings(canary);
        let connector = build::<F::Connector>(settings).map_err(|error| format!("the fixture's own settings are refused: {error}"))?;
        let transport = Arc::new(Interposer::new(fake.transport(), fixture.writes()));
        Ok(Self { fake, connector, transport, product: product(), links: BTreeMap::new() })
    }

    /// By what the object of an item is found again.
    pub fn key(&self, item: &ItemId) -> RemoteKey {
        key_of(&self.connector.scope(), item)
    }

    /// What the plan of `given` may look at.
    pub fn links(&self, given: &Given) -> Links {
        let of = |item: &ItemId| self.links.get(item).cloned().unwrap_or_default();
        Links {
            own: of(&given.item.id),
            parent: given.item.origin().map(|parent| of(&parent)).unwrap_or_default(),
            elsewhere: BTreeMap::new(),
        }
    }

    /// The plan of `given`; one that waits for time to pass is made again when it has.
    ///
    /// # Errors
    /// It cannot be planned, or waits for ever.
    pub fn plan(&self, given: &Given) -> Result<AnyPlan, String> {
        let (key, links) = (self.key(&given.item.id), self.links(given));
        let mut at = given.at;
        for _ in 0..WAITS_MAX {
            let change = Change {
                item: &given.item,
                parent: given.parent.as_ref(),
                event: given.event.as_ref(),
                product: &self.product,
                key: &key,
                at,
                is_history: false,
            };
            match self.connector.plan(&change, &links).map_err(|error| format!("{} cannot be planned: {error}", given.item.id))? {
                Plan::Wait(For::Elapsed { since, duration }) => at = since.plus(duration),
                Plan::Run(steps) => return Ok(Plan::Run(steps.into_iter().map(journalled).collect())),
                plan => return Ok(plan),
            }
        }
        Err(format!("the plan of {} waits and waits", given.item.id))
    }

    /// The steps that are to be done for `given`; none where everything stands as wanted.
    ///
    /// # Errors
    /// It cannot be planned, is skipped, or waits.
    pub fn steps(&self, given: &Given) -> Result<Vec<AnyStep>, String> {
        match self.plan(given)? {
            Plan::Run(steps) => {
                let links = self.links(given);
                let open: Vec<AnyStep> = steps.into_iter().filter(|step| engine::is_open(step, &links)).collect();
                // An event is announced by being sent, whether or not that leaves a link.
                let leaves_nothing = given.event.is_none() && open.iter().all(|step| step.effect == Effect::None);
                Ok(if leaves_nothing { Vec::new() } else { open })
            }
            Plan::Skip(reason) => Err(format!("{} is skipped: {reason}", given.item.id)),
            Plan::Wait(what) => Err(format!("{} waits: {what:?}", given.item.id)),
        }
    }

    /// Performs one step once.
    ///
    /// # Errors
    /// Outside: the step's own JSON cannot be read. Inside: how it failed.
    pub async fn apply(&self, given: &Given, step: &AnyStep) -> Result<Result<Option<RemoteRef>, Failure>, String> {
        let links = self.links(given);
        let cx = Cx { transport: self.transport.as_ref(), links: &links, now: NOW };
        self.connector.apply(&step.op, &cx).await.map_err(|error| format!("step `{}`: {error}", step.name))
    }

    /// Looks for the object of this key, with what is known of `given`.
    ///
    /// # Errors
    /// How the look-up failed.
    pub async fn find(&self, given: &Given, key: &RemoteKey, first_intent_at: Time) -> Result<Option<RemoteRef>, Failure> {
        let links = self.links(given);
        self.connector.find(key, first_intent_at, &Cx { transport: self.transport.as_ref(), links: &links, now: NOW }).await
    }

    /// Proves the credentials.
    ///
    /// # Errors
    /// How that failed.
    pub async fn check(&self) -> Result<(), Failure> {
        let links = Links::default();
        self.connector.check(&Cx { transport: self.transport.as_ref(), links: &links, now: NOW }).await
    }

    /// Notes that a step was done.
    pub fn record(&mut self, given: &Given, step: &AnyStep, remote: Option<RemoteRef>) {
        engine::record(self.links.entry(given.item.id.clone()).or_default(), step, remote, given.at);
    }

    /// Brings `given` to the service, with nothing going wrong, and says by which steps.
    ///
    /// # Errors
    /// It is not planned, or a step fails.
    pub async fn deliver(&mut self, given: &Given) -> Result<Vec<AnyStep>, String> {
        let steps = self.steps(given)?;
        for step in &steps {
            let remote = self.apply(given, step).await?.map_err(|failure| failed(step, &failure))?;
            self.record(given, step, remote);
        }
        Ok(steps)
    }
}

/// A step as it comes out of a journal: what is not in its text is not in it.
fn journalled(step: AnyStep) -> AnyStep {
    step.with(|op| AnyOp::from_json(op.json()))
}

/// How a step failed, for a message.
pub(super) fn failed(step: &AnyStep, failure: &Failure) -> String {
    format!("step `{}` failed as {}: {}", step.name, failure.class(), failure.cause())
}

/// The key of an item, shaped as the daemon's own.
pub fn key_of(scope: &Scope, item: &ItemId) -> RemoteKey {
    let parent = item.parent().map(|parent| format!("{}-", parent.id())).unwrap_or_default();
    let key = format!("sp-{}-{}-{parent}{}", item.product(), item.kind(), item.id());
    let signature = Hash::of_parts([scope.0.as_bytes(), key.as_bytes()]).to_string();
    RemoteKey::new(key, signature)
}
