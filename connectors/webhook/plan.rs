//! What is to be told of an event: pure.

use serde_json::Value;

use super::Op;
use super::config::{Ready, Told};
use crate::contract::{Change, Effect, Event, Hash, ItemKind, Links, Part, Plan, PlanError, Reason, RemoteKey, Repeat, Step, StepName};
use crate::kit::text::Dialect;
use crate::kit::view;

/// Room for what stands around the data.
const ENVELOPE_BYTES: usize = 128;
/// What was told. It leaves no link: the receiver has nothing that could be changed.
const MESSAGE: Part = Part::new("message");

pub(super) fn plan(ready: &Ready, change: &Change<'_>, links: &Links) -> Result<Plan<Op>, PlanError> {
    let Some(event) = change.event else {
        return Ok(Plan::Skip(Reason::new("a webhook is told of events, not of items")));
    };
    if change.item.id.kind() == ItemKind::Comment && change.item.fields.flag("public") == Some(false) {
        return Ok(Plan::Skip(Reason::new("the comment is private")));
    }
    let body = match &ready.template {
        Some(template) => json(template.render(&view::view(change, links, Dialect::Plain))?)?,
        None => whole(event),
    };
    Ok(Plan::Run(vec![Step {
        name: StepName::new("send"),
        part: MESSAGE,
        effect: Effect::None,
        // By its id the receiver knows what it has had already.
        repeat: Repeat::Idempotent,
        op: Op::Send { id: id(change.key, event.seq), body },
    }]))
}

/// The event as it came.
fn whole(event: &Event) -> String {
    let told = Told { action: event.action.as_str(), timestamp: event.at.to_string(), data: &event.data };
    let mut body = Vec::with_capacity(event.data.as_text().map_or(0, str::len) + ENVELOPE_BYTES);
    // Writing plain data cannot fail, and gives UTF-8.
    serde_json::to_writer(&mut body, &told).unwrap_or_default();
    String::from_utf8(body).unwrap_or_default()
}

/// What a template gave, if it is JSON.
fn json(text: String) -> Result<String, PlanError> {
    match serde_json::from_str::<Value>(&text) {
        Ok(_) => Ok(text.trim().to_owned()),
        Err(error) => {
            let message = format!("it gives no JSON ({error}); a value brings its own quotes: {{\"title\": {{{{ feedback.title }}}}}}");
            Err(PlanError::Template { setting: "template", message })
        }
    }
}

/// Nobody can guess it, no other event or connector has it, and it is the same on every try: it hangs on the signed key.
fn id(key: &RemoteKey, seq: u64) -> String {
    format!("msg_{}", Hash::of(key.of_event(seq).signed().as_bytes()))
}
