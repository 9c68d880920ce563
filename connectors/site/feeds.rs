//! RSS 2.0, Atom and JSON Feed 1.1 of the newest entries.
//!
//! Ids never change: a changed one would mail everybody behind an RSS-to-e-mail campaign again.

use atom_syndication as atom;
use jiff::fmt::rfc2822;
use serde_json::json;

use super::config::{Feed, Settings};
use super::files::{FileError, Files};
use super::manifest::{self, Entries, Entry, newest_first};
use crate::contract::Time;

/// So many entries a feed shows.
const ENTRIES_MAX: usize = 50;
/// The site of a feed where no setting names one.
const VENDOR: &str = "https://sleekplan.com";
/// What every feed of ours names, and by which it is known as ours.
const GENERATOR: &str = "sleeksync";

impl Feed {
    /// What stands in a feed of ours and in no other.
    fn ours(self) -> &'static str {
        match self {
            Feed::Rss | Feed::Atom => "<generator>sleeksync</generator>",
            Feed::Json => "\"_sleeksync\": {",
        }
    }

    /// What stands in a feed of ours that shows an entry.
    fn an_entry(self) -> &'static str {
        match self {
            Feed::Rss => "<item>",
            Feed::Atom => "<entry>",
            Feed::Json => "\"content_html\"",
        }
    }
}

/// Puts an entry into the feeds or takes it out.
pub(super) fn put(settings: &Settings, files: &Files<'_>, key: &str, entry: Option<&Entry>) -> Result<(), FileError> {
    let mut shows = None;
    for feed in settings.feeds() {
        let path = settings.feed_path(feed);
        let known = files.read(&path)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        if known.as_deref().is_some_and(|known| !known.contains(feed.ours())) {
            return Err(FileError::NotOurs { path });
        }
        if known.is_some_and(|known| known.contains(feed.an_entry())) {
            shows = Some(path);
        }
    }
    let entries = manifest::put(files, &settings.feeds_manifest(), shows.as_deref(), key, entry)?;
    texts(settings, key, &entries).iter().try_for_each(|(path, text)| files.write(path, text.as_bytes()))
}

/// The feeds of these entries, each with its path. `key` is that of any entry.
pub(super) fn texts(settings: &Settings, key: &str, entries: &Entries) -> Vec<(String, String)> {
    // `sp-PRODUCT-changelog-ID`: the entries of a connector are those of one product.
    let product = key.split("-changelog-").next().unwrap_or(key);
    let newest: Vec<_> = newest_first(entries).into_iter().take(ENTRIES_MAX).collect();
    let text = |feed| match feed {
        Feed::Rss => rss(settings, &newest),
        Feed::Atom => atom(settings, product, &newest),
        Feed::Json => json_feed(settings, &newest),
    };
    settings.feeds().map(|feed| (settings.feed_path(feed), text(feed))).collect()
}

/// The stable id of an entry: a tag URI (RFC 4151).
fn id(key: &str) -> String {
    format!("tag:sleeksync,2026:{key}")
}

/// The stable id of a feed: no other product's, and no other folder's.
fn feed_id(product: &str, directory: &str) -> String {
    let directory: String = url::form_urlencoded::byte_serialize(directory.as_bytes()).collect();
    id(&format!("{product}:{}", directory.replace("%2F", "/")))
}

/// The address of a feed, where the settings say where the folder is.
fn address(settings: &Settings, feed: Feed) -> Option<String> {
    settings.feed_url.as_ref().map(|folder| format!("{}/changelog.{}", folder.trim_end_matches('/'), feed.ending()))
}

fn last_change(newest: &[(&String, &Entry)]) -> Time {
    newest.iter().map(|(_, entry)| entry.updated.max(entry.published)).max().unwrap_or(Time::ZERO)
}

/// The site a feed belongs to, which RSS asks for: what the settings say, else where the newest entry is, else where all of them come from.
fn home(settings: &Settings, newest: &[(&String, &Entry)]) -> String {
    let origin = || {
        let url = newest.iter().find_map(|(_, entry)| entry.url.as_ref())?;
        Some(url::Url::parse(url).ok()?.origin().ascii_serialization())
    };
    settings.feed_url.clone().or_else(origin).unwrap_or_else(|| VENDOR.to_owned())
}

fn rss(settings: &Settings, newest: &[(&String, &Entry)]) -> String {
    let items = newest.iter().map(|(key, entry)| {
        let mut item = rss::Item::default();
        item.set_title(entry.title.clone());
        item.set_link(entry.url.clone());
        item.set_guid(rss::Guid { value: id(key), permalink: false });
        item.set_pub_date(rfc2822::to_string(&entry.published.to_jiff().to_zoned(jiff::tz::TimeZone::UTC)).ok());
        item.set_content(entry.html.clone());
        item.set_categories(entry.kind.iter().map(|kind| rss::Category { name: kind.clone(), domain: None }).collect::<Vec<_>>());
        item
    });
    let mut channel = rss::Channel::default();
    channel.set_title(settings.feed_title.clone());
    channel.set_link(home(settings, newest));
    channel.set_description(settings.feed_title.clone());
    channel.set_generator(GENERATOR.to_owned());
    channel.set_items(items.collect::<Vec<_>>());
    channel.to_string()
}

fn atom(settings: &Settings, product: &str, newest: &[(&String, &Entry)]) -> String {
    let date = |at: Time| at.to_string().parse::<atom::FixedDateTime>().unwrap_or_default();
    let link = |href: &String, rel: &str| atom::Link { href: href.clone(), rel: rel.to_owned(), ..atom::Link::default() };
    let entries = newest.iter().map(|(key, entry)| atom::Entry {
        title: atom::Text::plain(entry.title.clone()),
        id: id(key),
        updated: date(entry.updated.max(entry.published)),
        published: Some(date(entry.published)),
        links: entry.url.iter().map(|url| link(url, "alternate")).collect(),
        categories: entry.kind.iter().map(|kind| atom::Category { term: kind.clone(), ..atom::Category::default() }).collect(),
        content: Some(atom::Content { value: Some(entry.html.clone()), content_type: Some("html".to_owned()), ..atom::Content::default() }),
        ..atom::Entry::default()
    });
    let feed = atom::Feed {
        title: atom::Text::plain(settings.feed_title.clone()),
        id: feed_id(product, &settings.directory()),
        updated: date(last_change(newest)),
        authors: vec![atom::Person { name: settings.feed_title.clone(), ..atom::Person::default() }],
        links: address(settings, Feed::Atom).iter().map(|url| link(url, "self")).collect(),
        generator: Some(atom::Generator { value: GENERATOR.to_owned(), ..atom::Generator::default() }),
        entries: entries.collect(),
        ..atom::Feed::default()
    };
    feed.to_string()
}

fn json_feed(settings: &Settings, newest: &[(&String, &Entry)]) -> String {
    let items: Vec<_> = newest
        .iter()
        .map(|(key, entry)| {
            let mut item = json!({
                "id": id(key),
                "title": entry.title,
                "content_html": entry.html,
                "date_published": entry.published.to_string(),
                "date_modified": entry.updated.max(entry.published).to_string(),
                "tags": entry.kind.iter().collect::<Vec<_>>(),
            });
            if let (Some(item), Some(url)) = (item.as_object_mut(), &entry.url) {
                item.insert("url".to_owned(), json!(url));
            }
            item
        })
        .collect();
    let mut feed = json!({"version": "https://jsonfeed.org/version/1.1", "title": settings.feed_title, "_sleeksync": {"about": "made by sleeksync"}, "items": items});
    if let (Some(feed), Some(url)) = (feed.as_object_mut(), address(settings, Feed::Json)) {
        feed.insert("feed_url".to_owned(), json!(url));
    }
    serde_json::to_string_pretty(&feed).unwrap_or_default()
}
