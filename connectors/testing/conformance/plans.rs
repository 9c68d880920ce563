//! A plan depends on the change and the links and on nothing else.

use super::{Fixture, Rule, Violation, canary, world};
use crate::testing::world::World;

/// The same change and links give the same plan, made twice and by two instances.
///
/// # Errors
/// How it was broken.
pub async fn the_same_change_gives_the_same_plan<F: Fixture>(fixture: &F) -> Result<(), Violation> {
    for case in fixture.cases() {
        let broken = |what: String| Rule::SamePlan.broken_in(&case, what);
        let world = world(fixture, Rule::SamePlan, &case).await?;
        let (sent, _) = world.transport.counts();
        let first = world.plan(&case.then).map_err(broken)?;
        let second = world.plan(&case.then).map_err(broken)?;
        if first != second {
            return Err(broken(format!("planned twice, it is not the same: {first:?} and {second:?}")));
        }
        if world.transport.counts().0 != sent {
            return Err(broken("planning sent a request".to_owned()));
        }
    }
    another_instance(fixture).await
}

/// Instances share nothing: what one planned before must not show in the plan of another.
async fn another_instance<F: Fixture>(fixture: &F) -> Result<(), Violation> {
    let canary = canary();
    let opened = |what: String| Rule::SamePlan.broken(what);
    let world = World::open(fixture, &canary).await.map_err(opened)?;
    let settings = super::Fake::settings(&world.fake, &canary);
    let other = crate::contract::build::<F::Connector>(settings).map_err(|error| opened(error.to_string()))?;
    let fresh: Vec<_> = fixture.cases().into_iter().filter(|case| case.before.is_empty()).collect();
    let mut world = world;
    let plans: Vec<_> = fresh.iter().map(|case| world.plan(&case.then)).collect();
    world.connector = other;
    for (case, plan) in fresh.iter().zip(plans) {
        if world.plan(&case.then) != plan {
            return Err(Rule::SamePlan.broken_in(case, "two instances of the same settings plan differently"));
        }
    }
    Ok(())
}
