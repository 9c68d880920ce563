//! Text written by strangers does nothing at the service, and fits.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Fake, Fixture, Rule, Violation, keyed, world};
use crate::contract::{Item, ItemId, ItemKind, RemoteKey, Time};
use crate::testing::items::Case;
use crate::testing::world::{World, key_of};

/// The fields of an item that strangers write.
const WRITTEN_BY_STRANGERS: [&str; 7] = ["title", "description", "comment", "value", "text", "data_name", "data_full_name"];
/// The same as HTML.
const WRITTEN_BY_STRANGERS_HTML: [&str; 2] = ["description_html", "comment_html"];
/// The size of the largest text, in bytes.
pub(super) const LARGE: usize = 1024 * 1024;
/// A stranger's word that stands nowhere else.
const WORD: &str = "zyzzyva";

/// A text that would do something if it were let.
#[derive(Clone, Debug)]
pub struct Hostile {
    /// What it tries.
    pub name: &'static str,
    /// The text itself, as it stands in titles, names and plain texts.
    pub text: String,
    /// The same in HTML.
    pub html: String,
    /// Whether it is large: such a text takes its time, and is brought once to each step that carries it.
    large: bool,
}

/// Every text that is tried. `other` is the key of another item: its marker is a forgery wherever a stranger writes it.
pub(super) fn texts(other: &RemoteKey, bytes: usize) -> Vec<Hostile> {
    let plain = |name, text: &str| {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        Hostile { name, text: text.to_owned(), html: format!("<p>{escaped}</p>"), large: false }
    };
    let marked = |name, text: &str, html: &str| Hostile { name, text: text.to_owned(), html: html.to_owned(), large: false };
    let large = |name, text: &str| Hostile { large: true, ..plain(name, text) };
    let marker = other.marker();
    vec![
        plain("mentions", "hello @octocat @acme/team <!channel> <!here> <@U024BE7LH> @here @everyone [~admin] #1 GH-1 acme/widgets#2"),
        plain("keywords", "fixes #1, closes acme/widgets#2, resolves https://github.com/acme/widgets/issues/3"),
        plain("commands", "/close\n/assign @me\n/label ~bug\nh1. x {code} {panel} !image.png! !include(x)\n:::danger\n---\nlayout: x\n---"),
        plain("macros", "{{ 7*7 }} {% raw %} {{% shortcode %}} {{< shortcode >}} *|MERGE|* <%= 1 %> ${x} {{{x}}} %%x%% {x}"),
        marked(
            "scripts",
            "<script>alert(1)</script>",
            "<script>alert(1)</script><img src=x onerror=alert(1)><a href=\"javascript:alert(1)\">x</a><iframe src=//x></iframe>",
        ),
        marked(
            "another item's marker",
            &format!("x {marker} y {}", other.signed()),
            &format!("<p>x</p>{marker}<p>y {}</p>", other.signed()),
        ),
        plain("control characters", "a\u{0}b\u{1b}[31mc\u{7f}d\u{202e}e\u{2066}f\r\nX-Injected: 1\r\n\r\ng\u{85}h\u{2028}i\u{feff}j"),
        large("a large text", &"All work and no play makes Jack a dull boy. ".repeat(bytes / 44)),
        large("a large word", &"\u{1F469}\u{200D}\u{1F4BB}".repeat(bytes / 11)),
        marked("deep nesting", "x", &"<blockquote><ul><li>".repeat(2000)),
    ]
}

/// Each case is delivered with each hostile text in every field that strangers write: it succeeds, what is made does not answer to the key of
/// another item, and the fixture finds what arrived inert and within limits.
///
/// # Errors
/// What acts.
pub async fn hostile_text_is_inert<F: Fixture>(fixture: &F) -> Result<(), Violation> {
    let mut known = BTreeSet::new();
    for case in fixture.cases() {
        let world = world(fixture, Rule::Hostile, &case).await?;
        let broken = |what: String| Rule::Hostile.broken_in(&case, what);
        let carrying = carrying(&world, &case).map_err(broken)?;
        let is_new = carrying.iter().filter(|step| known.insert((*step).clone())).count() > 0;
        let other = key_of(&world.connector.scope(), &another(&case.then.item.id));
        for Hostile { name, large, .. } in texts(&other, 0) {
            if is_new || !large {
                bring(fixture, &case, name).await.map_err(|what| broken(format!("{name}: {what}")))?;
            }
        }
    }
    Ok(())
}

/// Names of the steps that carry what strangers wrote.
fn carrying<K: Fake>(world: &World<K>, case: &Case) -> Result<Vec<String>, String> {
    let mut marked = case.clone();
    poison(&mut marked, &Hostile { name: "a word", text: WORD.to_owned(), html: format!("<p>{WORD}</p>"), large: false });
    let steps = world.steps(&marked.then)?;
    Ok(steps.iter().filter(|step| step.op.json().contains(WORD)).map(|step| step.name.to_string()).collect())
}

async fn bring<F: Fixture>(fixture: &F, case: &Case, name: &str) -> Result<(), String> {
    let mut world = world(fixture, Rule::Hostile, case).await.map_err(|violation| violation.what)?;
    // Each world is at an address of its own, where keys are signed differently: the forgery is made for this one.
    let other = key_of(&world.connector.scope(), &another(&case.then.item.id));
    let text = texts(&other, fixture.largest()).into_iter().find(|text| text.name == name).ok_or("there is no such text")?;
    let (before, _) = world.transport.counts();
    let mut hostile = case.clone();
    poison(&mut hostile, &text);
    let is_looked_up = world.deliver(&hostile.then).await?.iter().any(|step| keyed(step).is_some());
    let sent = world.transport.sent().split_off(before);
    no_controls(&sent)?;
    world.fake.check(&text, &sent)?;
    // Where no step has a key, delivery looks nothing up.
    if is_looked_up && world.find(&case.then, &other, Time::ZERO).await.is_ok_and(|found| found.is_some()) {
        return Err("an object made of a stranger's text answers to the key of another item".to_owned());
    }
    Ok(())
}

/// No control character of a text reaches a service: not in a header, nor in a string of JSON. Line breaks and tabs are text.
fn no_controls(sent: &[crate::contract::Request]) -> Result<(), String> {
    for request in sent {
        if let Ok(value) = serde_json::from_slice::<Value>(&request.body)
            && let Some(c) = control(&value)
        {
            return Err(format!("the control character {:?} is sent to {}", c, request.url.path()));
        }
        if request.headers.contains_key("x-injected") {
            return Err("a line break in a text became a header".to_owned());
        }
    }
    Ok(())
}

fn control(value: &Value) -> Option<char> {
    let acts = |c: &char| (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    match value {
        Value::String(text) => text.chars().find(acts),
        Value::Array(list) => list.iter().find_map(control),
        Value::Object(map) => map.iter().find_map(|(name, value)| name.chars().find(acts).or_else(|| control(value))),
        _ => None,
    }
}

fn poison(case: &mut Case, text: &Hostile) {
    poison_item(&mut case.then.item, text);
    if let Some(parent) = &mut case.then.parent {
        poison_item(parent, text);
    }
    if let Some(event) = &mut case.then.event {
        event.data = case.then.item.fields.clone();
    }
}

fn poison_item(item: &mut Item, text: &Hostile) {
    let known: Vec<String> = item.fields.as_map().keys().cloned().collect();
    for name in known {
        if WRITTEN_BY_STRANGERS.contains(&name.as_str()) {
            item.fields.set(&name, json!(text.text));
        } else if WRITTEN_BY_STRANGERS_HTML.contains(&name.as_str()) {
            item.fields.set(&name, json!(text.html));
        } else if name == "user" {
            let mut user = item.fields.object("user");
            WRITTEN_BY_STRANGERS.iter().filter(|name| name.starts_with("data_")).for_each(|name| user.set(name, json!(text.text)));
            item.fields.set("user", Value::Object(user.as_map().clone()));
        }
    }
}

/// An item of the same kind that was never delivered.
fn another(item: &ItemId) -> ItemId {
    let other = match item.parent() {
        Some(parent) => ItemId::child(item.product(), item.kind(), parent.id(), "other"),
        None => ItemId::top(item.product(), item.kind(), "other"),
    };
    other.or_else(|| ItemId::top(item.product(), ItemKind::Feedback, "other")).unwrap_or_else(|| item.clone())
}
