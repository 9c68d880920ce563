//! What is to be done for an item: pure.

use serde_json::json;

use super::Op;
use super::config::{OnDelete, Ready, Settings};
use crate::contract::{Change, Effect, For, Hash, Item, ItemKind, Links, Part, Plan, PlanError, Product, Reason, Repeat, Step, StepName};
use crate::kit::text::{Dialect, Format, Text, github_line, line};
use crate::kit::view::{self, mapped};

/// The issue: title and body.
pub(super) const ISSUE: Part = Part::new("issue");
/// Open or closed.
const STATE: Part = Part::new("state");
/// The labels we set; the link's id lists them.
pub(super) const LABELS: Part = Part::new("labels");
/// The votes as the body shows them.
const VOTES: Part = Part::new("votes");
/// A comment.
pub(super) const COMMENT: Part = Part::new("comment");
/// The closing of an issue by a published entry.
const SHIPPED: Part = Part::new("shipped");

/// The reason a published entry closes an issue with.
pub(super) const SHIPPED_AS: &str = "completed";

/// "body is too long (maximum is 65536 characters)"; less what our own lines take.
const BODY_CHARS_MAX: usize = 65_536;
const TITLE_CHARS_MAX: usize = 256;
const LABEL_CHARS_MAX: usize = 50;
/// Room for the lines below the text.
const FOOTER_CHARS_MAX: usize = 2_000;
/// What votes change.
const VOTE_FIELDS: [&str; 2] = ["total_up", "total_down"];
/// The longest status, type or name that stands in a line of ours.
const FACT_CHARS_MAX: usize = 200;

pub(super) fn plan(settings: &Settings, ready: &Ready, change: &Change<'_>, links: &Links) -> Result<Plan<Op>, PlanError> {
    match change.item.id.kind() {
        ItemKind::Comment => Ok(comment(settings, ready, change, links)),
        ItemKind::Changelog => Ok(shipped(settings, change, links)),
        _ => feedback(settings, ready, change, links),
    }
}

fn feedback(settings: &Settings, ready: &Ready, change: &Change<'_>, links: &Links) -> Result<Plan<Op>, PlanError> {
    let item = change.item;
    let linked = links.id(&ISSUE).is_some();
    if item.deleted {
        return Ok(match (linked, settings.on_delete) {
            (false, _) => Plan::Skip(Reason::new("the feedback is deleted")),
            (true, OnDelete::Keep) => Plan::Skip(Reason::new("the feedback is deleted; on_delete keeps its issue")),
            (true, OnDelete::Close) => Plan::Run(state_steps(settings, Some("not_planned".to_owned()), links)),
        });
    }
    if !linked && !item.is_public() {
        return Ok(Plan::Skip(Reason::new("the feedback is not visible on the board")));
    }
    let title = title(ready, change, links)?;
    let body = body(settings, ready, change, links)?;
    let labels = labels(settings, item, change.product);
    let closed = mapped(&settings.closed_statuses, item.fields.text("status").as_deref(), status_label, change.product).map(str::to_owned);
    let (content, votes) = (content_of(item), votes_of(item));
    let outdated = links.own.get(&VOTES).filter(|link| link.content != Some(votes));
    if let Some(link) = outdated.filter(|_| linked && only_votes(links, content, &labels, closed.as_deref())) {
        if link.content.is_some() && change.at < link.updated_at.plus(settings.votes_every()) {
            return Ok(Plan::Wait(For::Elapsed { since: link.updated_at, duration: settings.votes_every() }));
        }
        return Ok(Plan::Run(vec![linking("update votes", VOTES, votes, votes, Op::UpdateIssue { title, body })]));
    }
    let rendering = Hash::of_json(&(&title, voteless_body(settings, ready, change, links)?));
    let mut steps = Vec::new();
    if linked {
        steps.push(linking("update issue", ISSUE, content, rendering, Op::UpdateIssue { title, body }));
        steps.extend(label_steps(&labels, links));
        steps.extend(state_steps(settings, closed, links));
    } else {
        let op = Op::CreateIssue { title, body, labels: labels.clone() };
        let effect = Effect::Link { content, rendering };
        steps.push(Step { name: StepName::new("create issue"), part: ISSUE, effect, repeat: Repeat::Keyed(change.key.clone()), op });
        steps.push(noted(LABELS, Hash::of_json(&labels), Some(labels)));
        // An issue begins open: only closing is a request.
        steps.push(if closed.is_some() { state(closed) } else { noted(STATE, state_hash(None), None) });
    }
    // The body was just written with these votes.
    steps.push(noted(VOTES, votes, None));
    Ok(Plan::Run(steps))
}

/// Whether everything but the votes stands as wanted.
fn only_votes(links: &Links, content: Hash, labels: &[String], closed: Option<&str>) -> bool {
    let stands = |part: &Part, hash: Hash| links.own.get(part).is_some_and(|link| link.content == Some(hash));
    stands(&ISSUE, content) && stands(&LABELS, Hash::of_json(&labels)) && stands(&STATE, state_hash(closed))
}

fn linking(name: &'static str, part: Part, content: Hash, rendering: Hash, op: Op) -> Step<Op> {
    let effect = Effect::Link { content, rendering };
    Step { name: StepName::new(name), part, effect, repeat: Repeat::Idempotent, op }
}

fn noted(part: Part, content: Hash, labels: Option<Vec<String>>) -> Step<Op> {
    Step {
        name: StepName::new("note"),
        part,
        effect: Effect::Link { content, rendering: content },
        repeat: Repeat::Idempotent,
        op: Op::Noted { labels },
    }
}

/// Closes or reopens. The reason of a closed issue is "ignored unless `state` is changed" ("Update an issue"), so one that is, or may be, closed
/// for another reason is opened first. An entry closes it as completed without the feedback knowing (`close_on_ship`).
fn state_steps(settings: &Settings, closed: Option<String>, links: &Links) -> Vec<Step<Op>> {
    let wanted = Hash::of_json(&Op::SetState { closed: closed.clone() });
    let known = links.own.get(&STATE);
    let written = known.and_then(|link| link.rendering);
    if let (None, Some(rendering)) = (&closed, written.filter(|hash| *hash == wanted || *hash == state_hash(None))) {
        // Left open last: who closed it since, an entry or a person at GitHub, had a reason.
        let effect = Effect::Link { content: state_hash(None), rendering };
        return vec![Step { effect, ..noted(STATE, state_hash(None), None) }];
    }
    // What was closed last for this very reason is closed otherwise by nobody else.
    let stands = known.filter(|_| written != Some(wanted)).map(|link| link.content);
    let may_be_shipped = settings.close_on_ship && closed.as_deref() != Some(SHIPPED_AS);
    let differs = |content: Option<Hash>| content != Some(state_hash(closed.as_deref()));
    let may_be_closed = |content: Option<Hash>| content != Some(state_hash(None)) || may_be_shipped;
    let is_closed_otherwise = closed.is_some() && stands.is_some_and(|content| differs(content) && may_be_closed(content));
    let reopen = Step {
        name: StepName::new("reopen to close"),
        part: STATE,
        effect: Effect::None,
        repeat: Repeat::Idempotent,
        op: Op::SetState { closed: None },
    };
    is_closed_otherwise.then_some(reopen).into_iter().chain([state(closed)]).collect()
}

fn state(closed: Option<String>) -> Step<Op> {
    let name = if closed.is_some() { "close" } else { "reopen" };
    let op = Op::SetState { closed: closed.clone() };
    linking(name, STATE, state_hash(closed.as_deref()), Hash::of_json(&op), op)
}

fn state_hash(closed: Option<&str>) -> Hash {
    Hash::of(closed.unwrap_or("open").as_bytes())
}

/// Takes our earlier labels off that no longer hold, adds what is missing; labels people added are not looked at.
fn label_steps(wanted: &[String], links: &Links) -> Vec<Step<Op>> {
    let known: Vec<String> =
        links.own.get(&LABELS).and_then(|link| serde_json::from_str(&link.remote.as_ref()?.id).ok()).unwrap_or_default();
    let gone = known.iter().filter(|label| !wanted.contains(label));
    let mut steps: Vec<_> = gone
        .map(|label| Step {
            name: StepName::new("remove label"),
            part: LABELS,
            effect: Effect::None,
            repeat: Repeat::Idempotent,
            op: Op::RemoveLabel { label: label.clone() },
        })
        .collect();
    let op = if wanted.is_empty() { Op::Noted { labels: Some(Vec::new()) } } else { Op::AddLabels { labels: wanted.to_vec() } };
    let hash = Hash::of_json(&wanted);
    steps.push(linking("add labels", LABELS, hash, hash, op));
    steps
}

fn labels(settings: &Settings, item: &Item, product: &Product) -> Vec<String> {
    let of = |map, name, label: fn(&Product, &str) -> String| mapped(map, item.fields.text(name).as_deref(), label, product);
    let by_type = of(&settings.type_labels, "type", type_label);
    let by_status = of(&settings.status_labels, "status", status_label);
    let all = settings.labels.iter().map(String::as_str).chain(by_type).chain(by_status);
    let mut labels: Vec<String> = all.map(|label| label.chars().take(LABEL_CHARS_MAX).collect()).collect();
    labels.sort();
    labels.dedup();
    labels
}

fn status_label(product: &Product, key: &str) -> String {
    product.status_label(key).to_owned()
}

fn type_label(product: &Product, key: &str) -> String {
    product.type_label(key).to_owned()
}

fn title(ready: &Ready, change: &Change<'_>, links: &Links) -> Result<String, PlanError> {
    let text = match &ready.title {
        Some(template) => template.render(&view::view(change, links, Dialect::Plain))?,
        None => change.item.fields.text("title").unwrap_or_default(),
    };
    let line = github_line(&text, TITLE_CHARS_MAX, ready.own_host());
    Ok(if line.is_empty() { format!("Feedback {}", change.item.id.id()) } else { line })
}

fn body(settings: &Settings, ready: &Ready, change: &Change<'_>, links: &Links) -> Result<String, PlanError> {
    let marker = change.key.marker();
    let room = BODY_CHARS_MAX - marker.chars().count() - 2;
    let text = match &ready.body {
        Some(template) => ready.apart(template.render(&view::view(change, links, Dialect::GitHub))?),
        None => default_body(settings, ready, change, room),
    };
    if text.chars().count() > room {
        // Cut anywhere, it could leave a code span open, and what stands in it would act.
        let message = format!("it gives more than the {room} characters that an issue takes");
        return Err(PlanError::Template { setting: "body", message });
    }
    Ok(format!("{}\n\n{marker}", text.trim_end()))
}

/// The body without the votes, which change it by themselves: what is compared where somebody asks for what was rendered with earlier settings.
fn voteless_body(settings: &Settings, ready: &Ready, change: &Change<'_>, links: &Links) -> Result<String, PlanError> {
    let mut item = change.item.clone();
    VOTE_FIELDS.iter().for_each(|name| item.fields.set(name, 0.into()));
    body(settings, ready, &Change { item: &item, ..*change }, links)
}

fn default_body(settings: &Settings, ready: &Ready, change: &Change<'_>, room: usize) -> String {
    let (item, product) = (change.item, change.product);
    let text = |name| item.fields.some_text(name);
    let inert = |text: &str| words(ready, Text::from_plain(&line(text, FACT_CHARS_MAX)), 500);
    let mut facts = Vec::new();
    facts.extend(text("status").map(|key| format!("**Status:** {}", inert(product.status_label(&key)))));
    facts.extend(text("type").map(|key| format!("**Type:** {}", inert(product.type_label(&key)))));
    if let Some(up) = item.fields.integer("total_up") {
        let down = item.fields.integer("total_down").unwrap_or(0);
        facts.push(if down > 0 { format!("**Votes:** {up} up, {down} down") } else { format!("**Votes:** {up}") });
    }
    if settings.include_author {
        facts.extend(item.fields.object("user").some_text("data_name").map(|name| format!("**Author:** {}", inert(&name))));
    }
    facts.extend(
        view::public_url(item, product).map(|url| format!("[Feedback on Sleekplan](<{}>)", url.replace(['<', '>', ' ', '\n'], ""))),
    );
    let footer: String = facts.join(" · ").chars().take(FOOTER_CHARS_MAX).collect();
    let text = words(ready, view::body(item), room - footer.chars().count() - 10);
    match (text.trim().is_empty(), footer.is_empty()) {
        (_, true) => text,
        (true, false) => footer,
        (false, false) => format!("{}\n\n---\n\n{footer}", text.trim_end()),
    }
}

/// What a stranger wrote as inert Markdown of at most `chars_max`.
fn words(ready: &Ready, text: Text, chars_max: usize) -> String {
    let is_page = |address: &str, host: &str| url::Url::parse(address).is_ok_and(|url| url.host_str() == Some(host));
    let text = text.without_links(|address| ready.own_host().is_some_and(|host| is_page(address, host)));
    let mut kept = chars_max;
    loop {
        let inert = ready.apart(text.cut(Format::Markdown(Dialect::GitHub), kept).0);
        let over = inert.chars().count().saturating_sub(chars_max);
        if over == 0 {
            return inert.trim().to_owned();
        }
        kept = kept.saturating_sub(over);
    }
}

/// What Sleekplan says, votes apart.
fn content_of(item: &Item) -> Hash {
    let fields = ["title", "description", "description_html", "status", "type"].map(|name| item.fields.text(name));
    Hash::of_json(&fields)
}

fn votes_of(item: &Item) -> Hash {
    Hash::of_json(&VOTE_FIELDS.map(|name| item.fields.integer(name)))
}

fn comment(settings: &Settings, ready: &Ready, change: &Change<'_>, links: &Links) -> Plan<Op> {
    let item = change.item;
    let linked = links.id(&COMMENT).is_some();
    if item.deleted || !item.is_public() || !settings.comments {
        if !linked {
            return Plan::Skip(Reason::new(if settings.comments { "the comment is private or deleted" } else { "`comments` is off" }));
        }
        let step = Step {
            name: StepName::new("delete comment"),
            part: COMMENT,
            effect: Effect::Unlink,
            repeat: Repeat::Idempotent,
            op: Op::DeleteComment {},
        };
        return Plan::Run(vec![step]);
    }
    if links.parent_id(&ISSUE).is_none() {
        return match item.id.parent() {
            Some(parent) => Plan::Wait(For::Link(parent)),
            None => Plan::Skip(Reason::new("the comment belongs to no feedback")),
        };
    }
    let author = item.fields.object("user").some_text("data_name").filter(|_| settings.include_author);
    let marker = change.key.marker();
    let room = BODY_CHARS_MAX - marker.chars().count() - FOOTER_CHARS_MAX;
    let text = words(ready, view::body(item), room);
    let named = |name: String| format!("*{} on Sleekplan:*", words(ready, Text::from_plain(&line(&name, FACT_CHARS_MAX)), 500));
    let intro = author.map_or_else(|| "*Comment on Sleekplan:*".to_owned(), named);
    let body = format!("{intro}\n\n{}\n\n{marker}", text.trim());
    let content = Hash::of_json(&["comment", "comment_html", "value", "text"].map(|name| item.fields.text(name)));
    let rendering = Hash::of_json(&body);
    if linked {
        return Plan::Run(vec![linking("update comment", COMMENT, content, rendering, Op::UpdateComment { body })]);
    }
    let op = Op::CreateComment { body };
    let effect = Effect::Link { content, rendering };
    Plan::Run(vec![Step { name: StepName::new("create comment"), part: COMMENT, effect, repeat: Repeat::Keyed(change.key.clone()), op }])
}

/// An entry names the feedback it was published from (`feedback_id` of the REST object).
fn shipped(settings: &Settings, change: &Change<'_>, links: &Links) -> Plan<Op> {
    let item = change.item;
    if !settings.close_on_ship {
        return Plan::Skip(Reason::new("`close_on_ship` is off"));
    }
    if item.deleted || !item.is_public() || item.origin().is_none() {
        return Plan::Skip(Reason::new("the entry is not public, or was not published from feedback"));
    }
    if links.parent_id(&ISSUE).is_none() {
        return Plan::Skip(Reason::new("its feedback has no issue"));
    }
    let content = Hash::of_json(&json!("shipped"));
    Plan::Run(vec![linking("close as shipped", SHIPPED, content, content, Op::Ship {})])
}
