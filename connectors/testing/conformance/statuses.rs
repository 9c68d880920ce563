//! What happened to a request is said in the right one of the classes.

use std::time::Duration;

use super::{Fake, Fixture, Rule, Violation, world, world_before_step};
use crate::contract::{AnyStep, Effect, Failure, Repeat, RetryAfter};
use crate::testing::interposer::{Fault, When, answer};
use crate::testing::items::Case;
use crate::testing::world::World;

/// What a step's request meets, and the classes that are right: create, change, remove, and what leaves no trace in the links.
///
/// A step that is both (it makes what is not there) may say either of a 404. A child's create may say that its parent is gone.
type Row = (&'static str, fn() -> Fault, [&'static [&'static str]; 4]);

/// Where the redirects of the table lead.
const ELSEWHERE: &str = "elsewhere.example";
const TRANSIENT: &[&str] = &["transient"];
const UNKNOWN: &[&str] = &["unknown"];
const REJECTED: &[&str] = &["rejected"];
const UNAUTHORIZED: &[&str] = &["unauthorized"];
const CREATE_GONE: &[&str] = &["unauthorized", "missing"];
const CHANGE_GONE: &[&str] = &["missing", "unauthorized"];
const REMOVE_GONE: &[&str] = &["ok"];
const EITHER_GONE: &[&str] = &["ok", "missing", "unauthorized"];

const ROWS: &[Row] = &[
    ("no connection", Fault::unconnected, [TRANSIENT; 4]),
    ("a 425", || Fault::answer(425, "{}"), [TRANSIENT; 4]),
    ("a 429", || Fault::answer(429, "{}"), [TRANSIENT; 4]),
    ("a broken connection", Fault::broken, [UNKNOWN; 4]),
    ("a 408", || Fault::answer(408, "{}"), [UNKNOWN; 4]),
    ("a 500", || Fault::answer(500, "{}"), [UNKNOWN; 4]),
    ("a 502 with a page of HTML", || Fault::answer(502, "<html><title>Bad gateway</title></html>"), [UNKNOWN; 4]),
    ("a 503", || Fault::answer(503, "{}"), [UNKNOWN; 4]),
    ("a 200 with a page of HTML", || Fault::answer(200, "<html><title>Sign in</title></html>"), [UNKNOWN; 4]),
    ("a 401", || Fault::answer(401, "{}"), [UNAUTHORIZED; 4]),
    ("a 403 that names the token", || Fault::answer(403, "{\"message\":\"the token may not do this\"}"), [UNAUTHORIZED; 4]),
    ("a 422", || Fault::answer(422, "{}"), [REJECTED; 4]),
    ("a 400", || Fault::answer(400, "{}"), [REJECTED; 4]),
    ("a 413", || Fault::answer(413, "{}"), [REJECTED; 4]),
    ("a redirect", redirect, [REJECTED; 4]),
    ("a 404", || Fault::answer(404, "{}"), [CREATE_GONE, CHANGE_GONE, REMOVE_GONE, EITHER_GONE]),
    ("a 410", || Fault::answer(410, "{}"), [CREATE_GONE, CHANGE_GONE, REMOVE_GONE, EITHER_GONE]),
];

fn redirect() -> Fault {
    let mut answer = answer(302, "");
    answer.headers.insert(http::header::LOCATION, http::HeaderValue::from_static("https://elsewhere.example/login"));
    Fault::Instead(Ok(answer))
}

/// Every request of every step meets every outcome, and the step says the right class. So does the check of the credentials.
///
/// # Errors
/// How it was broken.
pub async fn every_status_has_its_class<F: Fixture>(fixture: &F) -> Result<(), Violation> {
    for case in fixture.cases() {
        let mut number = 0;
        while let Some((world, step)) = world_before_step(fixture, Rule::Statuses, &case, number).await? {
            number += 1;
            step_classes(&world, &case, &step).await.map_err(|what| Rule::Statuses.broken_in(&case, what))?;
        }
    }
    check_classes(fixture).await
}

async fn step_classes<K: Fake>(world: &World<K>, case: &Case, step: &AnyStep) -> Result<(), String> {
    let place = match (&step.repeat, &step.effect) {
        (Repeat::Keyed(_) | Repeat::Once, _) => 0,
        (Repeat::Idempotent, Effect::Link { .. }) => 1,
        (Repeat::Idempotent, Effect::Unlink) => 2,
        (Repeat::Idempotent, Effect::None) => 3,
    };
    let shown = world.connector.preview(&step.op, &world.links(&case.then)).unwrap_or_default();
    if shown.is_empty() {
        return silent(world, case, step).await;
    }
    // A step that only asks is spoilt in its questions.
    let when = if shown.iter().all(|request| request.method == "GET") { When::Always } else { When::Writes };
    for (what, fault, classes) in ROWS {
        world.transport.spoil(when, fault());
        let class = class(world, case, step).await?;
        if !world.transport.pass() {
            return Err(format!("step `{}` sends nothing that is spoilt: exempt the rule, or tell which requests write", step.name));
        }
        let right = classes.get(place).copied().unwrap_or_default();
        if !right.contains(&class) {
            return Err(format!("step `{}` met {what} and says {class}; right is {}", step.name, right.join(" or ")));
        }
    }
    stays_here(world)?;
    retry_after(world, case, step, when).await
}

/// A step whose dry run shows no request sends none.
async fn silent<K: Fake>(world: &World<K>, case: &Case, step: &AnyStep) -> Result<(), String> {
    let (before, _) = world.transport.counts();
    let class = class(world, case, step).await?;
    match world.transport.counts().0 - before {
        0 if class == "ok" => Ok(()),
        0 => Err(format!("step `{}` sends nothing and says {class}", step.name)),
        sent => Err(format!("step `{}` shows no request in a dry run and sends {sent}", step.name)),
    }
}

async fn class<K: Fake>(world: &World<K>, case: &Case, step: &AnyStep) -> Result<&'static str, String> {
    Ok(match world.apply(&case.then, step).await? {
        Ok(_) => "ok",
        Err(failure) => failure.class(),
    })
}

/// No request, and so no credential, went where a redirect pointed.
fn stays_here<K: Fake>(world: &World<K>) -> Result<(), String> {
    match world.transport.sent().iter().find(|request| request.url.host_str() == Some(ELSEWHERE)) {
        Some(request) => Err(format!("a redirect to {ELSEWHERE} was followed with {}", request.method)),
        None => Ok(()),
    }
}

async fn retry_after<K: Fake>(world: &World<K>, case: &Case, step: &AnyStep, when: When) -> Result<(), String> {
    let mut limited = answer(429, "{}");
    limited.headers.insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("7"));
    world.transport.spoil(when, Fault::Instead(Ok(limited)));
    let outcome = world.apply(&case.then, step).await?;
    world.transport.pass();
    match outcome {
        Err(Failure::Transient { retry_after: Some(RetryAfter::In(wait)), .. }) if wait == Duration::from_secs(7) => Ok(()),
        other => Err(format!("step `{}` met a 429 with Retry-After: 7 and says {other:?}", step.name)),
    }
}

async fn check_classes<F: Fixture>(fixture: &F) -> Result<(), Violation> {
    let Some(case) = fixture.cases().into_iter().next() else { return Err(Rule::Statuses.broken("the fixture has no case")) };
    let world = world(fixture, Rule::Statuses, &case).await?;
    let broken = |what: String| Rule::Statuses.broken(what);
    world.check().await.map_err(|failure| broken(format!("the check fails as {}: {}", failure.class(), failure.cause())))?;
    let rows: [(&str, Fault, &str); 6] = [
        ("no connection", Fault::unconnected(), "transient"),
        ("a 401", Fault::answer(401, "{}"), "unauthorized"),
        ("a 403", Fault::answer(403, "{}"), "unauthorized"),
        ("a 404", Fault::answer(404, "{}"), "unauthorized"),
        ("a 500", Fault::answer(500, "{}"), "unknown"),
        ("a page of HTML", Fault::answer(200, "<html><title>Sign in</title></html>"), "unknown"),
    ];
    for (what, fault, right) in rows {
        world.transport.spoil(When::Always, fault);
        let class = world.check().await.map_or_else(|failure| failure.class(), |()| "ok");
        if !world.transport.pass() {
            return Err(broken("the check asks nobody".to_owned()));
        }
        if class != right {
            return Err(broken(format!("the check met {what} and says {class}; right is {right}")));
        }
    }
    Ok(())
}
