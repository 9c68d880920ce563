//! A secret is sent, and stands nowhere else.

use serde_json::json;
use tracing::instrument::WithSubscriber;

use super::{Fixture, Rule, Violation, canary};
use crate::contract::{Failure, build};
use crate::testing::interposer::{Fault, When};
use crate::testing::items::Case;
use crate::testing::logbook::Logbook;
use crate::testing::world::{World, failed};

/// The statuses of the careless answers, which quote the whole request.
const QUOTING: [u16; 8] = [400, 401, 403, 404, 409, 422, 429, 500];

/// A secret nobody has seen before is in no plan, preview, link, failure, log or message about settings, even where the service quotes it.
///
/// # Errors
/// Where it was found.
pub async fn no_secret_is_shown<F: Fixture>(fixture: &F) -> Result<(), Violation> {
    let canary = canary();
    let logbook = Logbook::default();
    let mut shown = Shown::default();
    let sent = watch(fixture, &canary, &mut shown).with_subscriber(logbook.clone()).await?;
    shown.note("a log", &logbook.text());
    shown.note("a message about settings", &refusals(fixture, &canary).await);
    let spellings = spellings(&canary);
    if !spellings.iter().any(|spelling| sent.contains(spelling.as_str())) {
        return Err(Rule::Secrets.broken("the secret was never sent: the settings of the fixture do not hold it"));
    }
    match shown.0.iter().find(|(_, text)| spellings.iter().any(|spelling| text.contains(spelling.as_str()))) {
        Some((place, text)) => Err(Rule::Secrets.broken(format!("the secret stands in {place}: {}", around(text, &spellings)))),
        None => Ok(()),
    }
}

/// What could be seen, and where.
#[derive(Default)]
struct Shown(Vec<(&'static str, String)>);

impl Shown {
    fn note(&mut self, place: &'static str, text: &str) {
        self.0.push((place, text.to_owned()));
    }

    fn failure(&mut self, place: &'static str, failure: &Failure) {
        self.note(place, &format!("{failure} {failure:?} {}", failure.cause()));
    }
}

/// Does everything a connector can do, notes what can be seen of it, and says what was sent.
async fn watch<F: Fixture>(fixture: &F, canary: &str, shown: &mut Shown) -> Result<String, Violation> {
    let mut sent = String::new();
    for case in fixture.cases() {
        let broken = |what: String| Rule::Secrets.broken_in(&case, what);
        let mut world = World::open(fixture, canary).await.map_err(broken)?;
        for given in &case.before {
            world.deliver(given).await.map_err(broken)?;
        }
        watch_case(&mut world, &case, shown).await.map_err(broken)?;
        shown.note("the scope", &world.connector.scope().0);
        for request in world.transport.sent() {
            shown.note("the Debug of a request", &format!("{request:?}").replace(request.url.as_str(), ""));
            sent.extend(request.headers.values().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned() + " "));
            sent.push_str(&format!("{} {} ", request.url, String::from_utf8_lossy(&request.body)));
        }
    }
    Ok(sent)
}

async fn watch_case<K: super::Fake>(world: &mut World<K>, case: &Case, shown: &mut Shown) -> Result<(), String> {
    shown.note("a plan", &format!("{:?}", world.plan(&case.then)?));
    for step in world.steps(&case.then)? {
        shown.note("a step", &step.op.json());
        let previews = world.connector.preview(&step.op, &world.links(&case.then)).map_err(|error| error.to_string())?;
        shown.note("a preview", &format!("{previews:?} {}", serde_json::to_string(&previews).unwrap_or_default()));
        for status in QUOTING {
            world.transport.spoil(When::Always, Fault::Quote(status));
            if let Err(failure) = world.apply(&case.then, &step).await? {
                shown.failure("the failure of a step", &failure);
            }
            if let Err(failure) = world.find(&case.then, &world.key(&case.then.item.id), crate::contract::Time::ZERO).await {
                shown.failure("the failure of a look-up", &failure);
            }
            if let Err(failure) = world.check().await {
                shown.failure("the failure of a check", &failure);
            }
            world.transport.pass();
        }
        for fault in [Fault::broken(), Fault::unconnected()] {
            world.transport.spoil(When::Always, fault);
            if let Err(failure) = world.apply(&case.then, &step).await? {
                shown.failure("the failure of a step", &failure);
            }
            world.transport.pass();
        }
        let remote = world.apply(&case.then, &step).await?.map_err(|failure| failed(&step, &failure))?;
        shown.note("a link", &format!("{remote:?}"));
        world.record(&case.then, &step, remote);
    }
    Ok(())
}

/// What is said about each setting that holds the secret when something of another shape stands there.
async fn refusals<F: Fixture>(fixture: &F, canary: &str) -> String {
    let settings = super::Fake::settings(&fixture.start().await, canary);
    let keys: Vec<String> = settings
        .as_object()
        .map(|map| map.iter().filter(|(_, value)| value.to_string().contains(canary)).map(|(key, _)| key.clone()).collect())
        .unwrap_or_default();
    let mut said = String::new();
    for key in keys {
        for wrong in [json!(null), json!({"wrong": [1]}), json!({"value": canary}), json!(format!("{canary}\n{canary}"))] {
            let mut settings = settings.clone();
            if let Some(map) = settings.as_object_mut() {
                map.insert(key.clone(), wrong);
            }
            if let Err(error) = build::<F::Connector>(settings) {
                said.push_str(&format!("{error} {error:?}\n"));
            }
        }
    }
    said
}

/// The secret as it is, and as it stands inside of base64 at each of the three places it can begin.
fn spellings(canary: &str) -> Vec<String> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32| char::from(DIGITS.get((bits & 63) as usize).copied().unwrap_or(b'A'));
    // Whole groups of three bytes that hold nothing but the secret look the same in every base64 around them.
    let inside = |skip: usize| -> String {
        let bytes = canary.as_bytes().get(skip..).unwrap_or_default();
        let groups = bytes.chunks_exact(3).map(|group| group.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)));
        groups.flat_map(|bits| [18, 12, 6, 0].map(|shift| digit(bits >> shift))).collect()
    };
    [canary.to_owned(), inside(0), inside(1), inside(2)].into_iter().filter(|spelling| !spelling.is_empty()).collect()
}

/// Some words around the secret, with it left out.
fn around(text: &str, spellings: &[String]) -> String {
    let hidden = spellings.iter().fold(text.to_owned(), |text, spelling| text.replace(spelling.as_str(), "<the secret>"));
    let at = hidden.find("<the secret>").unwrap_or(0);
    let begin = hidden.char_indices().map(|(place, _)| place).rfind(|place| place + 80 <= at).unwrap_or(0);
    hidden.get(begin..).unwrap_or_default().chars().take(200).collect()
}
