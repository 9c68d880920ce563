//! What is to be told of an event: pure.

use super::Op;
use super::config::{Place, Ready, Settings, Style};
use super::message::{Message, Writer, heading, standing};
use crate::contract::{
    Change, Effect, Event, Hash, Item, ItemKind, Links, Part, Plan, PlanError, Reason, RemoteKey, Repeat, Step, StepName,
};
use crate::kit::entry;

/// The message of an item.
pub(super) const MESSAGE: Part = Part::new("message");

pub(super) fn plan(settings: &Settings, ready: &Ready, change: &Change<'_>, links: &Links) -> Result<Plan<Op>, PlanError> {
    let Some(event) = change.event else {
        return Ok(Plan::Skip(Reason::new("Slack is told of events, not of items")));
    };
    let writer = Writer { settings, ready, change, links };
    match ready.style {
        Style::Event => announce(&writer, event),
        Style::Live => live(&writer),
    }
}

/// Why an item is not for the channel's eyes.
fn hidden(settings: &Settings, item: &Item) -> Option<Reason> {
    if item.is_public() {
        return None;
    }
    match item.id.kind() {
        ItemKind::Comment if settings.private_comments && item.fields.flag("public") == Some(false) => None,
        ItemKind::Comment => Some(Reason::new("the comment is private")),
        ItemKind::Changelog => Some(Reason::new("the entry is not public")),
        _ => Some(Reason::new("the feedback is not visible on the board")),
    }
}

fn announce(writer: &Writer<'_>, event: &Event) -> Result<Plan<Op>, PlanError> {
    if let Some(reason) = hidden(writer.settings, writer.change.item) {
        return Ok(Plan::Skip(reason));
    }
    let message = writer.message(heading(event.action))?;
    let (repeat, key) = match writer.ready.place {
        // It cannot be looked up: seen twice is better than never.
        Place::Webhook(_) => (Repeat::Idempotent, None),
        Place::Channel { .. } => keyed(writer.change.key.of_event(event.seq)),
    };
    let op = Op::Post { message, key, in_thread: false };
    Ok(Plan::Run(vec![Step { name: StepName::new("send"), part: MESSAGE, effect: Effect::None, repeat, op }]))
}

fn keyed(key: RemoteKey) -> (Repeat, Option<String>) {
    let signed = key.signed();
    (Repeat::Keyed(key), Some(signed))
}

fn live(writer: &Writer<'_>) -> Result<Plan<Op>, PlanError> {
    let (change, links) = (writer.change, writer.links);
    let item = change.item;
    let is_threaded = links.parent_id(&MESSAGE).is_some() && item.id.kind().is_child();
    if let (true, ItemKind::Vote | ItemKind::Subscription, Some(parent)) = (is_threaded, item.id.kind(), change.parent) {
        return refresh(writer, parent);
    }
    let is_linked = links.id(&MESSAGE).is_some();
    let reason = hidden(writer.settings, item).or_else(|| item.deleted.then(|| Reason::new("it is deleted, and was never told")));
    match reason {
        Some(reason) if !is_linked => return Ok(Plan::Skip(reason)),
        Some(_) if item.id.kind() == ItemKind::Comment => {
            let name = StepName::new("delete message");
            return Ok(Plan::Run(vec![Step {
                name,
                part: MESSAGE,
                effect: Effect::Unlink,
                repeat: Repeat::Idempotent,
                op: Op::Delete {},
            }]));
        }
        _ => {}
    }
    let is_reply = is_threaded && item.id.kind() == ItemKind::Comment;
    let message = if is_reply { writer.reply(standing(item))? } else { writer.message(standing(item))? };
    let effect = Effect::Link { content: content(item), rendering: Hash::of_json(&message) };
    Ok(Plan::Run(vec![if is_linked { update(effect, message, change) } else { post(effect, message, change, is_reply) }]))
}

fn post(effect: Effect, message: Message, change: &Change<'_>, in_thread: bool) -> Step<Op> {
    let (repeat, key) = keyed(change.key.clone());
    Step { name: StepName::new("send message"), part: MESSAGE, effect, repeat, op: Op::Post { message, key, in_thread } }
}

fn update(effect: Effect, message: Message, change: &Change<'_>) -> Step<Op> {
    let op = Op::Update { message, key: change.key.signed() };
    Step { name: StepName::new("edit message"), part: MESSAGE, effect, repeat: Repeat::Idempotent, op }
}

/// The feedback's message with its new counts.
fn refresh(writer: &Writer<'_>, parent: &Item) -> Result<Plan<Op>, PlanError> {
    if hidden(writer.settings, parent).is_some() || parent.deleted {
        return Ok(Plan::Skip(Reason::new("its feedback is not visible on the board")));
    }
    let change = Change { item: parent, parent: None, ..*writer.change };
    let message =
        Writer { change: &change, settings: writer.settings, ready: writer.ready, links: writer.links }.message(standing(parent))?;
    let (name, op) = (StepName::new("edit the feedback's message"), Op::Refresh { message });
    Ok(Plan::Run(vec![Step { name, part: MESSAGE, effect: Effect::None, repeat: Repeat::Idempotent, op }]))
}

/// Hash of what Sleekplan says and a message shows.
fn content(item: &Item) -> Hash {
    let names: &[&str] = match item.id.kind() {
        ItemKind::Changelog => return entry::content(item),
        ItemKind::Feedback => &["title", "description", "description_html", "status", "type", "total_up", "total_down"],
        ItemKind::Comment => &["comment", "comment_html", "value", "text"],
        ItemKind::User | ItemKind::Subscriber => &["data_name"],
        ItemKind::Vote | ItemKind::Subscription | ItemKind::Satisfaction => &["vote", "comment"],
    };
    let fields: Vec<Option<String>> = names.iter().map(|name| item.fields.text(name)).collect();
    Hash::of_json(&(fields, item.is_public(), item.deleted))
}
