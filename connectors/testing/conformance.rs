//! What every connector has to fulfil, as rules that are run against it and a fake of its service.
//!
//! A connector's tests hold a [`Fixture`] and one line: `conformance!(GitHub, GitHubFixture);`. Each rule is a plain function that says how
//! it was broken; the suite's own tests hold a connector for every rule that breaks just that one.

mod goldens;
mod hostile;
mod lookups;
mod plans;
mod repeats;
mod secrets;
mod settings;
mod statuses;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::interposer::writes;
use super::items::Case;
use super::world::World;
use crate::contract::{Connector, RemoteKey, Repeat, Request, Transport};
use crate::kit::http::{Client, ClientOptions, Proxy};

pub use goldens::old_steps_still_load;
pub use hostile::{Hostile, hostile_text_is_inert};
pub use lookups::{a_look_up_is_complete_or_fails, a_lost_answer_is_looked_up};
pub use plans::the_same_change_gives_the_same_plan;
pub use repeats::every_step_applied_twice_leaves_one_object;
pub use secrets::no_secret_is_shown;
pub use settings::unknown_settings_are_refused;
pub use statuses::every_status_has_its_class;

/// What a connector's tests say about it.
pub trait Fixture: Sync {
    /// The connector.
    type Connector: Connector;
    /// A running fake of its service.
    type Fake: Fake;

    /// Starts a fake that holds nothing yet.
    fn start(&self) -> impl Future<Output = Self::Fake> + Send;

    /// What the connector is asked to do: one case for each thing it can do, at least. Each is run by itself.
    fn cases(&self) -> Vec<Case>;

    /// The folder of old steps, below the crate: `github/goldens`. A file for each step of each case; missing ones are written when the
    /// tests run with `SLEEKSYNC_GOLDENS=write`, existing ones are never changed.
    fn goldens(&self) -> &'static str;

    /// The rules that make no sense for this connector, each with the reason.
    fn exempt(&self) -> &'static [(Rule, &'static str)] {
        &[]
    }

    /// The size of the largest text strangers write, in bytes. Less than this only where many fixtures prove one thing.
    fn largest(&self) -> usize {
        hostile::LARGE
    }

    /// Which requests make the object itself, for steps that make something else before it, such as a label.
    fn creates(&self) -> fn(&Request) -> bool {
        self.writes()
    }

    /// Which requests change something, for services where the method does not tell (GraphQL).
    fn writes(&self) -> fn(&Request) -> bool {
        writes
    }
}

/// A running fake of a service, as far as the rules ask it.
pub trait Fake: Send + Sync {
    /// The connector's settings for this fake, with `canary` (64 hexadecimal digits) in every secret.
    fn settings(&self, canary: &str) -> Value;

    /// How many objects there are that carry `key`, hidden ones too.
    fn objects(&self, key: &RemoteKey) -> usize;

    /// Whether what arrived is inert and within the service's limits. `sent` is everything the connector sent for this text.
    ///
    /// # Errors
    /// What acts, or is too long, in words.
    fn check(&self, text: &Hostile, sent: &[Request]) -> Result<(), String>;

    /// Makes objects of other people, more than a page of a listing holds. It is called before and after ours is made.
    fn crowd(&self) {}

    /// What the connector sends with.
    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(Client::new(&ClientOptions { proxy: Proxy::None, ..ClientOptions::default() }).expect("a client"))
    }
}

/// The rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// [`the_same_change_gives_the_same_plan`]
    SamePlan,
    /// [`every_step_applied_twice_leaves_one_object`]
    OneObject,
    /// [`a_lost_answer_is_looked_up`]
    LostAnswer,
    /// [`a_look_up_is_complete_or_fails`]
    LookUp,
    /// [`every_status_has_its_class`]
    Statuses,
    /// [`no_secret_is_shown`]
    Secrets,
    /// [`unknown_settings_are_refused`]
    Settings,
    /// [`old_steps_still_load`]
    Goldens,
    /// [`hostile_text_is_inert`]
    Hostile,
}

impl Rule {
    /// All of them.
    pub const ALL: &'static [Rule] = &[
        Rule::SamePlan,
        Rule::OneObject,
        Rule::LostAnswer,
        Rule::LookUp,
        Rule::Statuses,
        Rule::Secrets,
        Rule::Settings,
        Rule::Goldens,
        Rule::Hostile,
    ];

    /// Why the fixture leaves it out, where it does.
    pub fn left_out<F: Fixture>(self, fixture: &F) -> Option<&'static str> {
        fixture.exempt().iter().find(|(rule, _)| *rule == self).map(|(_, reason)| *reason)
    }

    /// Runs it, unless the fixture says why it makes no sense.
    ///
    /// # Errors
    /// How it was broken.
    pub async fn run<F: Fixture>(self, fixture: &F) -> Result<(), Violation> {
        if let Some(reason) = self.left_out(fixture) {
            return if reason.trim().is_empty() { Err(self.broken("the exemption gives no reason")) } else { Ok(()) };
        }
        match self {
            Rule::SamePlan => the_same_change_gives_the_same_plan(fixture).await,
            Rule::OneObject => every_step_applied_twice_leaves_one_object(fixture).await,
            Rule::LostAnswer => a_lost_answer_is_looked_up(fixture).await,
            Rule::LookUp => a_look_up_is_complete_or_fails(fixture).await,
            Rule::Statuses => every_status_has_its_class(fixture).await,
            Rule::Secrets => no_secret_is_shown(fixture).await,
            Rule::Settings => unknown_settings_are_refused(fixture).await,
            Rule::Goldens => old_steps_still_load(fixture).await,
            Rule::Hostile => hostile_text_is_inert(fixture).await,
        }
    }

    fn broken(self, what: impl Into<String>) -> Violation {
        Violation { rule: self, case: "", what: what.into() }
    }

    fn broken_in(self, case: &Case, what: impl Into<String>) -> Violation {
        Violation { rule: self, case: case.name, what: what.into() }
    }
}

/// How a rule was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which rule.
    pub rule: Rule,
    /// In which case; empty where it is about no case.
    pub case: &'static str,
    /// What happened.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.case {
            "" => write!(f, "{:?}: {}", self.rule, self.what),
            case => write!(f, "{:?}, case `{case}`: {}", self.rule, self.what),
        }
    }
}

impl std::error::Error for Violation {}

/// A secret of this run: 64 hexadecimal digits nobody wrote down.
fn canary() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    (0..4).map(|_| format!("{:016x}", RandomState::new().build_hasher().finish())).collect()
}

/// A world in which everything that comes before `case` was delivered.
async fn world<F: Fixture>(fixture: &F, rule: Rule, case: &Case) -> Result<World<F::Fake>, Violation> {
    let mut world = World::open(fixture, &canary()).await.map_err(|what| rule.broken_in(case, what))?;
    for given in &case.before {
        world.deliver(given).await.map_err(|what| rule.broken_in(case, format!("before: {what}")))?;
    }
    Ok(world)
}

/// A world in which the first `count` steps of `case` were done too, and the next one.
async fn world_before_step<F: Fixture>(
    fixture: &F,
    rule: Rule,
    case: &Case,
    number: usize,
) -> Result<Option<(World<F::Fake>, crate::contract::AnyStep)>, Violation> {
    let mut world = world(fixture, rule, case).await?;
    let broken = |what: String| rule.broken_in(case, what);
    let steps = world.steps(&case.then).map_err(broken)?;
    if steps.is_empty() {
        return Err(rule.broken_in(case, "the case plans no step: it shows nothing"));
    }
    for step in steps.iter().take(number) {
        let remote =
            world.apply(&case.then, step).await.map_err(broken)?.map_err(|failure| broken(super::world::failed(step, &failure)))?;
        world.record(&case.then, step, remote);
    }
    Ok(steps.get(number).map(|step| (world, step.clone())))
}

/// The key of a step that is looked up before it is repeated.
fn keyed(step: &crate::contract::AnyStep) -> Option<&RemoteKey> {
    match &step.repeat {
        Repeat::Keyed(key) => Some(key),
        Repeat::Idempotent | Repeat::Once => None,
    }
}

/// A folder of this crate.
fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// One test for each rule: `conformance!(GitHub, GitHubFixture);` in a connector's tests. The second is an expression of the fixture.
#[cfg(test)]
macro_rules! conformance {
    ($connector:ty, $fixture:expr) => {
        mod conformance {
            #[allow(unused_imports, reason = "what the fixture's expression names")]
            use super::*;
            use $crate::testing::conformance::{Fixture, Rule};

            fn fixture() -> impl Fixture<Connector = $connector> {
                $fixture
            }

            async fn hold(rule: Rule) {
                let fixture = fixture();
                if let Some(reason) = rule.left_out(&fixture) {
                    println!("{rule:?} is left out: {reason}");
                }
                if let Err(violation) = rule.run(&fixture).await {
                    panic!("{violation}");
                }
            }

            #[tokio::test]
            async fn the_same_change_gives_the_same_plan() {
                hold(Rule::SamePlan).await;
            }

            #[tokio::test]
            async fn every_step_applied_twice_leaves_one_object() {
                hold(Rule::OneObject).await;
            }

            #[tokio::test]
            async fn a_lost_answer_is_looked_up() {
                hold(Rule::LostAnswer).await;
            }

            #[tokio::test]
            async fn a_look_up_is_complete_or_fails() {
                hold(Rule::LookUp).await;
            }

            #[tokio::test]
            async fn every_status_has_its_class() {
                hold(Rule::Statuses).await;
            }

            #[tokio::test]
            async fn no_secret_is_shown() {
                hold(Rule::Secrets).await;
            }

            #[tokio::test]
            async fn unknown_settings_are_refused() {
                hold(Rule::Settings).await;
            }

            #[tokio::test]
            async fn old_steps_still_load() {
                hold(Rule::Goldens).await;
            }

            #[tokio::test]
            async fn hostile_text_is_inert() {
                hold(Rule::Hostile).await;
            }
        }
    };
}
#[cfg(test)]
pub(crate) use conformance;
