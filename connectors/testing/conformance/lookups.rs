//! A create whose answer was lost is looked up, and a look-up says "nothing" only when it has seen everything.

use super::{Fake, Fixture, Rule, Violation, keyed, world_before_step};
use crate::contract::{AnyStep, Effect, Failure, RemoteKey, RemoteRef, Request, Time};
use crate::testing::interposer::{Fault, When, answer};
use crate::testing::items::Case;
use crate::testing::world::{World, failed};

/// The most requests of one look-up that are spoilt one by one.
const LOOK_UP_REQUESTS_MAX: usize = 50;

/// Tells requests apart.
type IsIt = fn(&Request) -> bool;

/// What a create's lost answer looks like.
fn losses() -> Vec<(&'static str, Fault)> {
    vec![
        ("the connection broke after the request", Fault::lost()),
        ("a proxy answered 502 after the request", Fault::After(Ok(answer(502, "<html><title>Bad gateway</title></html>")))),
        ("a 500 came after the request", Fault::After(Ok(answer(500, "{}")))),
        ("a page of HTML came instead of the JSON", Fault::After(Ok(answer(200, "<html><title>Sign in</title></html>")))),
    ]
}

/// For each keyed create: when its answer is lost the failure is Unknown and nothing is sent twice; the look-up finds the object, and the
/// rest of the plan works with it. When the request never arrived, the look-up finds nothing, and creating makes one object.
///
/// # Errors
/// How it was broken.
pub async fn a_lost_answer_is_looked_up<F: Fixture>(fixture: &F) -> Result<(), Violation> {
    let mut tried = 0;
    for case in fixture.cases() {
        let broken = |what: String| Rule::LostAnswer.broken_in(&case, what);
        let mut number = 0;
        while let Some((world, step)) = world_before_step(fixture, Rule::LostAnswer, &case, number).await? {
            number += 1;
            let Some(key) = keyed(&step).cloned() else { continue };
            tried += 1;
            never_arrived(world, &case, &step, &key, fixture.creates()).await.map_err(broken)?;
            for (loss, fault) in losses() {
                // Another world is at another address: its keys are signed differently.
                let Some((world, step)) = world_before_step(fixture, Rule::LostAnswer, &case, number - 1).await? else { continue };
                let Some(key) = keyed(&step).cloned() else { continue };
                let found = lost(world, &case, &step, &key, (fixture.creates(), fault)).await;
                found.map_err(|what| broken(format!("{loss}: {what}")))?;
            }
        }
    }
    some(tried, Rule::LostAnswer)
}

fn some(tried: usize, rule: Rule) -> Result<(), Violation> {
    if tried > 0 { Ok(()) } else { Err(rule.broken("no case has a step with a key; exempt the rule where none can have one")) }
}

async fn lost<K: Fake>(
    mut world: World<K>,
    case: &Case,
    step: &AnyStep,
    key: &RemoteKey,
    (creates, fault): (IsIt, Fault),
) -> Result<(), String> {
    world.transport.spoil(When::First(creates), fault);
    let outcome = world.apply(&case.then, step).await?;
    if !world.transport.pass() {
        return Err(format!("step `{}` is keyed, but sent nothing that makes its object", step.name));
    }
    match outcome {
        Err(Failure::Unknown { .. }) => {}
        Err(failure) => return Err(format!("this is Unknown, but {}", failed(step, &failure))),
        Ok(remote) => return Err(format!("step `{}` says that it succeeded: {remote:?}", step.name)),
    }
    one_object(&world, key, "after the lost answer")?;
    let found = look(&world, case, key).await?.ok_or("the look-up does not find the object")?;
    world.record(&case.then, step, Some(found));
    // What is left of the plan works with what was found. An announcement that leaves no link is done: delivered again, it is another one.
    if case.then.event.is_none() || step.effect != Effect::None {
        world.deliver(&case.then).await?;
    }
    one_object(&world, key, "after the rest of the plan")
}

async fn never_arrived<K: Fake>(mut world: World<K>, case: &Case, step: &AnyStep, key: &RemoteKey, creates: IsIt) -> Result<(), String> {
    world.fake.crowd();
    world.transport.spoil(When::First(creates), Fault::broken());
    let outcome = world.apply(&case.then, step).await?;
    world.transport.pass();
    if let Ok(remote) = outcome {
        return Err(format!("no request of step `{}` arrived, but it says that it succeeded: {remote:?}", step.name));
    }
    if let Some(found) = look(&world, case, key).await? {
        return Err(format!("nothing was made, but the look-up finds {found:?}"));
    }
    let remote = world.apply(&case.then, step).await?.map_err(|failure| failed(step, &failure))?;
    world.record(&case.then, step, remote);
    one_object(&world, key, "after a second try")
}

/// One clean look-up, which must not write.
async fn look<K: Fake>(world: &World<K>, case: &Case, key: &RemoteKey) -> Result<Option<RemoteRef>, String> {
    let (_, before) = world.transport.counts();
    let found = world.find(&case.then, key, Time::ZERO).await.map_err(|failure| format!("the look-up failed: {}", failure.cause()))?;
    if world.transport.counts().1 != before {
        return Err("the look-up writes".to_owned());
    }
    Ok(found)
}

fn one_object<K: Fake>(world: &World<K>, key: &RemoteKey, when: &str) -> Result<(), String> {
    match world.fake.objects(key) {
        1 => Ok(()),
        objects => Err(format!("{when} there are {objects} objects")),
    }
}

/// What is no listing.
fn gaps() -> Vec<(&'static str, Fault)> {
    vec![
        ("a 404", Fault::answer(404, "{\"message\":\"Not Found\"}")),
        ("a 410", Fault::answer(410, "{}")),
        ("a 401", Fault::answer(401, "{}")),
        ("a 429", Fault::answer(429, "{}")),
        ("a 500", Fault::answer(500, "{}")),
        ("a redirect", Fault::answer(302, "")),
        ("a page of HTML with status 200", Fault::answer(200, "<html><title>Sign in</title></html>")),
        ("an empty 200", Fault::answer(200, "")),
        ("a JSON that is no listing", Fault::answer(200, "null")),
        ("an object that is no listing", Fault::answer(200, "{}")),
        ("a cut listing", Fault::broken()),
        ("no connection", Fault::unconnected()),
    ]
}

/// Each request of a look-up is spoilt in every way: the look-up must fail, or find the object by what the others say. Never may it say
/// that there is nothing.
///
/// # Errors
/// How it was broken.
pub async fn a_look_up_is_complete_or_fails<F: Fixture>(fixture: &F) -> Result<(), Violation> {
    let mut tried = 0;
    for case in fixture.cases() {
        let mut number = 0;
        while let Some((world, step)) = world_before_step(fixture, Rule::LookUp, &case, number).await? {
            number += 1;
            let Some(key) = keyed(&step).cloned() else { continue };
            tried += 1;
            spoilt_look_ups(world, &case, &step, &key).await.map_err(|what| Rule::LookUp.broken_in(&case, what))?;
        }
    }
    some(tried, Rule::LookUp)
}

async fn spoilt_look_ups<K: Fake>(world: World<K>, case: &Case, step: &AnyStep, key: &RemoteKey) -> Result<(), String> {
    // Some older and some newer: ours is on the first page of no listing, whichever way it is sorted.
    world.fake.crowd();
    world.apply(&case.then, step).await?.map_err(|failure| failed(step, &failure))?;
    world.fake.crowd();
    let (before, _) = world.transport.counts();
    look(&world, case, key).await?.ok_or("the look-up does not find the object among others")?;
    let requests = world.transport.counts().0 - before;
    if requests == 0 {
        return Err("the look-up asks nobody".to_owned());
    }
    for number in 0..requests.min(LOOK_UP_REQUESTS_MAX) {
        for (gap, fault) in gaps() {
            world.transport.spoil(When::Nth(number), fault);
            let found = world.find(&case.then, key, Time::ZERO).await;
            if world.transport.pass() && found == Ok(None) {
                return Err(format!(
                    "request {} of {requests} is answered with {gap}, and the look-up says that there is nothing",
                    number + 1
                ));
            }
        }
    }
    Ok(())
}
