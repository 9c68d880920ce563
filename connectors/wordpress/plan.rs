//! What is to be done for a changelog entry: pure.

use super::config::{OnUnpublish, Ready, Settings};
use super::{Op, Post, html};
use crate::contract::{Change, Effect, Hash, Item, Links, Part, Plan, PlanError, Product, Reason, Repeat, Step, StepName, Time};
use crate::kit::entry::{button, content, created, published, title};
use crate::kit::image;
use crate::kit::text::{Dialect, ImageRef, line};
use crate::kit::view::{self, mapped};

/// The post: its text and everything about it but its status. The link's id is its number and the time of our last write.
pub(super) const POST: Part = Part::new("post");
/// Its status, and the time we gave it. Its link has the address of the published post.
pub(super) const STATE: Part = Part::new("state");
/// The state of what we put into the trash: who else did that is a person.
const TRASHED: &str = "trash";

/// The longest title. WordPress has no bound of its own that anybody reaches.
const TITLE_CHARS_MAX: usize = 300;
/// The words of a title that a post's address begins with.
const SLUG_WORDS_CHARS_MAX: usize = 60;
/// WordPress cuts at 200 and may append `__trashed`, or a number.
const SLUG_CHARS_MAX: usize = 180;

pub(super) fn plan(settings: &Settings, ready: &Ready, change: &Change<'_>, links: &Links) -> Result<Plan<Op>, PlanError> {
    let item = change.item;
    let linked = links.id(&POST).is_some();
    if !item.is_public() || item.deleted {
        return Ok(if linked { withdraw(settings) } else { Plan::Skip(Reason::new("the entry is not public")) });
    }
    let mut post = post(settings, ready, change, links)?;
    let upload = |source: &String| image::upload(source, item, links, Op::UploadImage { source: source.clone() });
    let mut steps: Vec<Step<Op>> = post.images.iter().map(upload).collect();
    let restore = links.own.get(&STATE).is_some_and(|link| link.content == Some(Hash::of(TRASHED.as_bytes())));
    let (date_gmt, status) = (post.date_gmt.clone(), settings.status.as_str());
    let effect = Effect::Link { content: content(item), rendering: Hash::of_json(&post) };
    if !linked {
        post.date_gmt = Some(utc(published(item, change.product)));
    }
    steps.push(if linked {
        let op = Op::UpdatePost { post, restore };
        Step { name: StepName::new("update post"), part: POST, effect, repeat: Repeat::Idempotent, op }
    } else {
        let repeat = Repeat::Keyed(change.key.clone());
        Step { name: StepName::new("create draft"), part: POST, effect, repeat, op: Op::CreateDraft(post) }
    });
    let publish = format!("published as {status}");
    steps.push(step("publish", STATE, linking(&publish), Op::Publish { status: status.to_owned(), date_gmt, restore }));
    Ok(Plan::Run(steps))
}

fn withdraw(settings: &Settings) -> Plan<Op> {
    match settings.on_unpublish {
        OnUnpublish::Keep => Plan::Skip(Reason::new("the entry is withdrawn; on_unpublish keeps its post")),
        OnUnpublish::Draft => Plan::Run(vec![step("unpublish", STATE, linking("withdrawn"), Op::Unpublish {})]),
        OnUnpublish::Trash => Plan::Run(vec![step("trash post", STATE, linking(TRASHED), Op::TrashPost {})]),
        OnUnpublish::Delete => {
            let noted = step("note", STATE, Effect::Unlink, Op::Noted {});
            Plan::Run(vec![step("delete post", POST, Effect::Unlink, Op::DeletePost {}), noted])
        }
    }
}

fn step(name: &'static str, part: Part, effect: Effect, op: Op) -> Step<Op> {
    Step { name: StepName::new(name), part, effect, repeat: Repeat::Idempotent, op }
}

fn linking(state: &str) -> Effect {
    let hash = Hash::of(state.as_bytes());
    Effect::Link { content: hash, rendering: hash }
}

fn post(settings: &Settings, ready: &Ready, change: &Change<'_>, links: &Links) -> Result<Post, PlanError> {
    let item = change.item;
    let view = || view::view(change, links, Dialect::Plain);
    let heading = ready.title.as_ref().map(|template| template.render(&view())).transpose()?;
    let heading = heading.map(|heading| line(&heading, TITLE_CHARS_MAX)).filter(|heading| !heading.is_empty());
    let slug = ready.slug.as_ref().map(|template| template.render(&view())).transpose()?;
    let text = view::body(item);
    let images = match text.images().first() {
        _ if settings.copy_images && ready.content.is_none() => image::sources(&text),
        Some(first) if settings.featured_image => vec![first.url.clone()],
        _ => Vec::new(),
    };
    let featured_image = images.first().cloned().filter(|_| settings.featured_image);
    let html = match &ready.content {
        // Somebody's own markup is kept as it is; the values in it are escaped.
        Some(template) => html::inert(&template.render(&view())?),
        None => {
            let copies = settings.copy_images;
            let place = |url: &str| image::placeholder(&images, url).filter(|_| copies).map_or(ImageRef::Keep, ImageRef::Replace);
            let button = button(item).map(|button| html::button(&button)).unwrap_or_default();
            html::inert(&format!("{}\n{button}", text.with_images(place).html()))
        }
    };
    let (categories, other_categories) = categories(settings, item, change.product);
    Ok(Post {
        title: html::title(&heading.unwrap_or_else(|| title(item))),
        html,
        key: change.key.clone(),
        slug: slug.and_then(|slug| slugged(&slug, SLUG_CHARS_MAX)).unwrap_or_else(|| own_slug(item)),
        date_gmt: created(item, change.product).map(utc),
        categories,
        other_categories,
        tags: settings.tags.clone(),
        images,
        featured_image,
    })
}

fn utc(at: Time) -> String {
    at.to_jiff().strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// The categories a post is to have, and those it is not to keep from an earlier type.
fn categories(settings: &Settings, item: &Item, product: &Product) -> (Vec<String>, Vec<String>) {
    let label = |product: &Product, key: &str| product.type_label(key).to_owned();
    let by_type = mapped(&settings.type_categories, item.fields.text("type").as_deref(), label, product);
    let mut wanted = settings.categories.clone();
    wanted.extend(by_type.filter(|name| !wanted.iter().any(|known| known == name)).map(str::to_owned));
    let mut others: Vec<String> = settings.type_categories.values().filter(|name| !wanted.contains(name)).cloned().collect();
    others.sort();
    others.dedup();
    (wanted, others)
}

/// The words of the title and the entry's number, such as `csv-export-is-here-771`.
fn own_slug(item: &Item) -> String {
    let id = item.id.id();
    let words =
        item.fields.some_text("title").and_then(|title| slugged(&title, SLUG_WORDS_CHARS_MAX)).unwrap_or_else(|| "entry".to_owned());
    // Nothing but a number would be taken for a year or a page.
    slugged(&format!("{words} {id}"), SLUG_CHARS_MAX)
        .filter(|slug| slug.contains(|sign: char| sign.is_ascii_alphabetic()))
        .unwrap_or_else(|| format!("entry-{id}"))
}

/// `text` as a part of an address: small letters, digits and hyphens, so that what comes back can be compared.
fn slugged(text: &str, chars_max: usize) -> Option<String> {
    let mut slug = String::new();
    for word in deunicode::deunicode(text).to_ascii_lowercase().split(|sign: char| !sign.is_ascii_alphanumeric()) {
        let room = chars_max.saturating_sub(slug.len() + usize::from(!slug.is_empty()));
        if word.is_empty() || (word.len() > room && !slug.is_empty()) {
            if word.is_empty() { continue } else { break }
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.extend(word.chars().take(room));
    }
    Some(slug).filter(|slug| !slug.is_empty())
}
