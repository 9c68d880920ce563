//! What may be repeated does no harm when it is.

use super::{Fake, Fixture, Rule, Violation, world, world_before_step};
use crate::contract::{AnyStep, Repeat};
use crate::testing::items::Case;
use crate::testing::world::{World, failed};

/// A step that calls itself idempotent is applied twice and leaves what one application leaves; a change that is delivered again sends
/// nothing, and never makes a second object.
///
/// # Errors
/// How it was broken.
pub async fn every_step_applied_twice_leaves_one_object<F: Fixture>(fixture: &F) -> Result<(), Violation> {
    for case in fixture.cases() {
        let mut number = 0;
        while let Some((mut world, step)) = world_before_step(fixture, Rule::OneObject, &case, number).await? {
            apply_twice(&mut world, &case, &step).await.map_err(|what| Rule::OneObject.broken_in(&case, what))?;
            number += 1;
        }
        deliver_twice(fixture, &case).await?;
    }
    Ok(())
}

async fn apply_twice<K: Fake>(world: &mut World<K>, case: &Case, step: &AnyStep) -> Result<(), String> {
    let key = world.key(&case.then.item.id);
    let remote = world.apply(&case.then, step).await?.map_err(|failure| failed(step, &failure))?;
    let once = world.fake.objects(&key);
    if once > 1 {
        return Err(format!("step `{}` left {once} objects", step.name));
    }
    if step.repeat != Repeat::Idempotent {
        return Ok(());
    }
    // Its answer was lost: the links are still the same.
    let again = world.apply(&case.then, step).await?.map_err(|failure| format!("applied again, {}", failed(step, &failure)))?;
    let twice = world.fake.objects(&key);
    if twice != once {
        return Err(format!("step `{}` calls itself idempotent: once it left {once} objects, twice {twice}", step.name));
    }
    if again.as_ref().map(|remote| &remote.id) != remote.as_ref().map(|remote| &remote.id) {
        return Err(format!("step `{}` says that it changed {remote:?}, and again {again:?}", step.name));
    }
    Ok(())
}

async fn deliver_twice<F: Fixture>(fixture: &F, case: &Case) -> Result<(), Violation> {
    let broken = |what: String| Rule::OneObject.broken_in(case, what);
    let mut world = world(fixture, Rule::OneObject, case).await?;
    world.deliver(&case.then).await.map_err(broken)?;
    let key = world.key(&case.then.item.id);
    let (objects, (_, writes)) = (world.fake.objects(&key), world.transport.counts());
    // Nothing changed, so a plan that is skipped is as good as one without open steps.
    let steps = world.steps(&case.then).unwrap_or_default();
    for step in &steps {
        world.apply(&case.then, step).await.map_err(broken)?.map_err(|failure| broken(failed(step, &failure)))?;
    }
    if case.then.event.is_none() && !(steps.is_empty() && world.transport.counts().1 == writes) {
        let names: Vec<String> = steps.iter().map(|step| step.name.to_string()).collect();
        return Err(broken(format!("delivered again unchanged, it does again: {}", names.join(", "))));
    }
    let again = world.fake.objects(&key);
    if case.then.event.is_none() && again != objects {
        return Err(broken(format!("delivered again, {objects} objects became {again}")));
    }
    Ok(())
}
