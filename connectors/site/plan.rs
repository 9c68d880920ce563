//! What is to be done for a changelog entry: pure.

use super::Op;
use super::config::{Format, OnUnpublish, Settings, below};
use super::git::{self, Happened};
use super::manifest::Entry;
use super::page::{Facts, IMAGE_PREFIX, Page, front_matter};
use crate::contract::{Change, Effect, Hash, Item, Link, Links, Part, Plan, Product, Reason, Repeat, Step, StepName, Time};
use crate::kit::entry::{body_with_button as body, content as content_of, published, title};
use crate::kit::text::{ImageRef, line};
use crate::kit::view;

/// The page.
pub(super) const PAGE: Part = Part::new("page");
/// The entry in the feeds.
const FEEDS: Part = Part::new("feeds");
/// The entry in CHANGELOG.md.
const CHANGELOG: Part = Part::new("changelog");
/// All of it in the repository.
const COMMIT: Part = Part::new("commit");
/// The longest title.
const TITLE_CHARS_MAX: usize = 300;

pub(super) fn plan(settings: &Settings, change: &Change<'_>, links: &Links) -> Plan<Op> {
    let shown = change.item.is_public() && !change.item.deleted;
    let page = links.own.get(&PAGE);
    if !shown && links.own.is_empty() {
        return Plan::Skip(Reason::new("the entry is not public"));
    }
    let content = content_of(change.item);
    let entry = entry_of(change);
    let mut steps = Vec::new();
    if shown {
        steps.push(write(settings, change, page, content, false));
    } else if settings.on_unpublish == OnUnpublish::Draft && !change.item.deleted && page.is_some() {
        steps.push(write(settings, change, page, content, true));
    } else if let Some(remote) = page.and_then(|link| link.remote.as_ref()) {
        let op = Op::Remove { path: remote.id.clone(), key: change.key.signed(), stem: stem(change.item) };
        steps.push(Step { name: StepName::new("remove page"), part: PAGE, effect: Effect::Unlink, repeat: Repeat::Idempotent, op });
    }
    let key = change.key.key().to_owned();
    if settings.feeds().next().is_some() {
        let op = Op::Feeds { key: key.clone(), entry: shown.then(|| entry.clone()) };
        steps.push(listed("write feeds", FEEDS, shown, content, op));
    }
    if settings.changelog_file().is_some() {
        let op = Op::Changelog { key, entry: shown.then_some(entry) };
        steps.push(listed("write changelog", CHANGELOG, shown, content, op));
    }
    if settings.git.is_some() {
        commit(change, links, &mut steps);
    }
    Plan::Run(steps)
}

/// The commit of what `steps` write: to be done whenever one of them is.
fn commit(change: &Change<'_>, links: &Links, steps: &mut Vec<Step<Op>>) {
    let (page, known) = (links.own.get(&PAGE), links.own.get(&COMMIT));
    let written = steps.iter().find_map(|step| if let Op::Write(page) = &step.op { Some(page.path.clone()) } else { None });
    let stands = written.is_some();
    let shown = change.item.is_public() && !change.item.deleted;
    let happened = match known {
        None if shown => Happened::Published,
        Some(_) if shown => Happened::Edited,
        _ if change.item.deleted => Happened::Deleted,
        _ => Happened::Withdrawn,
    };
    let remote = || [page, known].into_iter().flatten().find_map(|link| Some(link.remote.as_ref()?.id.clone()));
    let op = Op::Commit(git::Commit {
        message: git::message(change.item, &title(change.item), happened, change.key),
        key: change.key.key().to_owned(),
        page: written.or_else(remote),
        stem: stem(change.item),
        stands,
    });
    let (part, effect) = match known {
        _ if stands => (COMMIT, whole(steps)),
        Some(_) => (COMMIT, Effect::Unlink),
        None => {
            // It was published before there was `git`: only the page's own link can say that its removal is still to be committed.
            steps.iter_mut().filter(|step| step.part == PAGE).for_each(|step| step.effect = Effect::None);
            (PAGE, Effect::Unlink)
        }
    };
    steps.push(Step { name: StepName::new("commit"), part, effect, repeat: Repeat::Idempotent, op });
}

/// The hashes of all steps together: that of a commit differs when any of them does.
fn whole(steps: &[Step<Op>]) -> Effect {
    let hashes: Vec<_> = steps
        .iter()
        .map(|step| match &step.effect {
            Effect::Link { content, rendering } => (&step.part, Some((content, rendering))),
            Effect::Unlink | Effect::None => (&step.part, None),
        })
        .collect();
    let contents: Vec<_> = hashes.iter().map(|(part, both)| (part, both.map(|(content, _)| content))).collect();
    Effect::Link { content: Hash::of_json(&contents), rendering: Hash::of_json(&hashes) }
}

fn listed(name: &'static str, part: Part, shown: bool, content: Hash, op: Op) -> Step<Op> {
    let effect = if shown { Effect::Link { content, rendering: Hash::of_json(&op) } } else { Effect::Unlink };
    Step { name: StepName::new(name), part, effect, repeat: Repeat::Idempotent, op }
}

fn write(settings: &Settings, change: &Change<'_>, known: Option<&Link>, content: Hash, draft: bool) -> Step<Op> {
    let page = page_of(settings, change, known, draft);
    // A draft is another content than the page: both directions must be written.
    let content = Hash::of_parts([content.as_bytes().as_slice(), &[u8::from(draft)]]);
    let op = Op::Write(page);
    let effect = Effect::Link { content, rendering: Hash::of_json(&op) };
    Step { name: StepName::new("write page"), part: PAGE, effect, repeat: Repeat::Idempotent, op }
}

fn page_of(settings: &Settings, change: &Change<'_>, known: Option<&Link>, draft: bool) -> Page {
    let item = change.item;
    let published = published(item, change.product);
    let stem = stem(item);
    // The path is fixed at first publication: Jekyll's carries the date of then.
    let path = known.and_then(|link| link.remote.as_ref()).map_or_else(|| path(settings, &stem, published), |remote| remote.id.clone());
    let (kind, title) = (type_label(item, change.product), title(item));
    let key = change.key.signed();
    let facts = Facts { title: &title, stem: &stem, kind: kind.as_deref(), published, draft, key: &key };
    let mut images: Vec<String> = Vec::new();
    let text = body(item);
    if settings.copy_images {
        for image in text.images() {
            if !images.contains(&image.url) {
                images.push(image.url);
            }
        }
    }
    let number = |url: &str| images.iter().position(|known| known == url);
    let text = text.with_images(|url| number(url).map_or(ImageRef::Keep, |number| ImageRef::Replace(format!("{IMAGE_PREFIX}{number}"))));
    Page {
        path,
        url: view::public_url(item, change.product),
        front_matter: front_matter(settings.format, &facts),
        body: text.markdown(settings.format.dialect()),
        images,
        key,
    }
}

fn path(settings: &Settings, stem: &str, published: Time) -> String {
    let directory = settings.directory();
    match settings.format {
        Format::Jekyll => below(&directory, &format!("{}-{stem}.md", published.to_jiff().strftime("%Y-%m-%d"))),
        _ => below(&directory, &format!("{stem}.md")),
    }
}

fn stem(item: &Item) -> String {
    format!("entry-{}", item.id.id())
}

fn type_label(item: &Item, product: &Product) -> Option<String> {
    item.fields.some_text("type").map(|key| line(product.type_label(&key), TITLE_CHARS_MAX))
}

fn entry_of(change: &Change<'_>) -> Entry {
    let item = change.item;
    Entry {
        title: title(item),
        kind: type_label(item, change.product),
        html: body(item).html(),
        url: view::public_url(item, change.product),
        published: published(item, change.product),
        updated: item.at,
    }
}
