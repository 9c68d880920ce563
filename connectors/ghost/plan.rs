//! What is to be done for a changelog entry: pure.

use pulldown_cmark::{Event, Tag};

use super::config::{OnUnpublish, Ready, Settings, Status};
use super::{Op, Post, cards};
use crate::contract::{Change, Effect, Hash, Links, Part, Plan, PlanError, Reason, RemoteKey, Repeat, Step, StepName, Time};
use crate::kit::entry::{button, content, created, published, title};
use crate::kit::image;
use crate::kit::text::{Dialect, ImageRef, Text, line};
use crate::kit::view;

/// The post: its text and everything about it but its status.
pub(super) const POST: Part = Part::new("post");
/// Published or a draft. Its link has the address of the published post.
pub(super) const STATE: Part = Part::new("state");
/// The newsletter was sent off, and never is again.
pub(super) const MAILED: Part = Part::MAILED;
/// Ghost has said that the mails are out.
const MAILING: Part = Part::new("mailing");

/// "Value in [posts.title] exceeds maximum length of 255 characters."
const TITLE_CHARS_MAX: usize = 255;
/// "Validation failed for custom_excerpt", maxLength.
const EXCERPT_CHARS_MAX: usize = 300;

pub(super) fn plan(settings: &Settings, ready: &Ready, change: &Change<'_>, links: &Links) -> Result<Plan<Op>, PlanError> {
    let item = change.item;
    let linked = links.id(&POST).is_some();
    if !item.is_public() || item.deleted {
        return Ok(if linked { withdraw(settings) } else { Plan::Skip(Reason::new("the entry is not public")) });
    }
    let mut post = post(settings, ready, change, links)?;
    let upload = |source: &String| image::upload(source, item, links, Op::UploadImage { source: source.clone() });
    let mut steps: Vec<Step<Op>> = post.images.iter().map(upload).collect();
    let effect = Effect::Link { content: content(item), rendering: Hash::of_json(&post) };
    if !linked {
        post.published_at = Some(utc(published(item, change.product)));
    }
    let published_at = post.published_at.clone();
    steps.push(if linked {
        Step { name: StepName::new("update post"), part: POST, effect, repeat: Repeat::Idempotent, op: Op::UpdatePost(post) }
    } else {
        let repeat = Repeat::Keyed(change.key.clone());
        Step { name: StepName::new("create draft"), part: POST, effect, repeat, op: Op::CreateDraft(post) }
    });
    if settings.status == Status::Published {
        // Only the first publication is mailed: what was published once, by whatever settings, has a state. History never is.
        let is_first = !links.own.contains_key(&STATE) && !links.own.contains_key(&MAILED) && !change.is_history;
        let newsletter = settings.newsletter.clone().filter(|_| is_first);
        let mailed = newsletter.is_some().then(|| noted(MAILED, linking("mailed")));
        // Asked for until Ghost has said so, with an edit too: a mailing that failed is not forgotten because the entry changed.
        let is_open = mailed.is_some() || (settings.newsletter.is_some() && links.own.contains_key(&MAILED));
        let confirmed = is_open.then(|| step("confirm mailing", MAILING, linking("mailed"), Op::ConfirmMailing {}));
        // Without harm done twice: Ghost is asked first whether the post is published, and then nothing is sent.
        steps.push(step("publish", STATE, linking("published"), Op::Publish { published_at, newsletter }));
        steps.extend(mailed.into_iter().chain(confirmed));
    }
    Ok(Plan::Run(steps))
}

fn withdraw(settings: &Settings) -> Plan<Op> {
    match settings.on_unpublish {
        OnUnpublish::Keep => Plan::Skip(Reason::new("the entry is withdrawn; on_unpublish keeps its post")),
        OnUnpublish::Draft => Plan::Run(vec![step("unpublish", STATE, linking("draft"), Op::Unpublish {})]),
        OnUnpublish::Delete => Plan::Run(vec![step("delete post", POST, Effect::Unlink, Op::DeletePost {}), noted(STATE, Effect::Unlink)]),
    }
}

fn step(name: &'static str, part: Part, effect: Effect, op: Op) -> Step<Op> {
    Step { name: StepName::new(name), part, effect, repeat: Repeat::Idempotent, op }
}

fn noted(part: Part, effect: Effect) -> Step<Op> {
    step("note", part, effect, Op::Noted {})
}

fn linking(state: &str) -> Effect {
    let hash = Hash::of(state.as_bytes());
    Effect::Link { content: hash, rendering: hash }
}

/// The internal tag by which a post is found again: Ghost shows it to nobody outside. It is signed, so two daemons tell theirs apart.
pub(super) fn key_tag(key: &RemoteKey) -> String {
    format!("#{}", key.signed().replace(':', "-"))
}

fn post(settings: &Settings, ready: &Ready, change: &Change<'_>, links: &Links) -> Result<Post, PlanError> {
    let item = change.item;
    let heading = match &ready.title {
        Some(template) => template.render(&view::view(change, links, Dialect::Plain))?,
        None => title(item),
    };
    let heading = Some(line(&unfilled(&heading), TITLE_CHARS_MAX)).filter(|heading| !heading.is_empty());
    let heading = heading.unwrap_or_else(|| line(&unfilled(&title(item)), TITLE_CHARS_MAX));
    let text = view::body(item);
    let first = text.images().first().map(|image| image.url.clone()).filter(|_| settings.feature_image);
    let images = if settings.copy_images && ready.content.is_none() { image::sources(&text) } else { Vec::new() };
    let place = |source: &str| image::placeholder(&images, source);
    let feature_image = first.map(|source| place(&source).unwrap_or(source));
    let excerpt = excerpt(&text);
    let html = match &ready.content {
        // Somebody's own markup is kept as it is; the values in it are escaped.
        Some(template) => cards::card(&template.render(&view::view(change, links, Dialect::Plain))?),
        None => {
            let text = text.with_images(|url| place(url).map_or(ImageRef::Keep, ImageRef::Replace));
            format!("{}{}", cards::html(&text), button(item).map(|button| cards::button(&button)).unwrap_or_default())
        }
    };
    Ok(Post {
        title: heading,
        html: unfilled(&html),
        excerpt: Some(excerpt).filter(|excerpt| !excerpt.is_empty()),
        canonical_url: view::public_url(item, change.product),
        published_at: created(item, change.product).map(utc),
        feature_image,
        tags: settings.tags.iter().cloned().chain([key_tag(change.key)]).collect(),
        images,
    })
}

fn utc(at: Time) -> String {
    at.to_jiff().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// The words of the first paragraph: themes show them below the title.
fn excerpt(text: &Text) -> String {
    let blocks = text.blocks();
    let words = |block: &Text| -> String {
        let pieces = block.events().iter().map(|event| match event {
            Event::Text(text) | Event::Code(text) => text.as_ref(),
            Event::SoftBreak | Event::HardBreak => " ",
            _ => "",
        });
        pieces.collect()
    };
    let paragraphs = blocks.iter().filter(|block| matches!(block.events().first(), Some(Event::Start(Tag::Paragraph))));
    let first = paragraphs.map(|block| line(&unfilled(&words(block)), EXCERPT_CHARS_MAX)).find(|line| !line.is_empty());
    first.unwrap_or_default()
}

/// Ghost fills `%%{uuid}%%` and the like with a reader's own data when it mails a post: a stranger's words must not ask for it.
fn unfilled(text: &str) -> String {
    text.replace("%%{", "%\u{200B}%{")
}
