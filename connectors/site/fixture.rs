//! The suite's view of `site`: a folder of its own, read back as each generator and feed reader would.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Site;
use super::config::{Format, Settings};
use crate::contract::{RemoteKey, Request, Transport};
use crate::kit::command::Program;
use crate::kit::text;
use crate::kit::text::tests::actions::actions;
use crate::testing::conformance::{Fake, Fixture, Hostile, Rule, conformance};
use crate::testing::{Case, Nobody, entry};

mod hugo {
    use super::*;
    conformance!(Site, SiteFixture(Format::Hugo, Kept::Written));
}

mod zola {
    use super::*;
    conformance!(Site, SiteFixture(Format::Zola, Kept::Written));
}

mod jekyll {
    use super::*;
    conformance!(Site, SiteFixture(Format::Jekyll, Kept::Written));
}

mod astro {
    use super::*;
    conformance!(Site, SiteFixture(Format::Astro, Kept::Written));
}

mod docusaurus {
    use super::*;
    conformance!(Site, SiteFixture(Format::Docusaurus, Kept::Written));
}

mod plain {
    use super::*;
    conformance!(Site, SiteFixture(Format::Plain, Kept::Written));
}

mod git {
    use super::*;
    conformance!(Site, SiteFixture(Format::Plain, Kept::Committed));
}

/// The longest title of a page, in characters.
const TITLE_CHARS_MAX: usize = 300;

struct SiteFixture(Format, Kept);

/// What becomes of files that were written.
#[derive(Clone, Copy, PartialEq)]
enum Kept {
    Written,
    /// In a repository; pushing has tests of its own.
    Committed,
}

/// A site's folder, gone with the test.
struct Folder {
    root: TempDir,
    format: Format,
    kept: Kept,
}

impl Fixture for SiteFixture {
    type Connector = Site;
    type Fake = Folder;

    async fn start(&self) -> Folder {
        let folder = Folder { root: tempfile::tempdir().expect("a folder"), format: self.0, kept: self.1 };
        if self.1 == Kept::Committed {
            let arguments = ["init", "--quiet", "--initial-branch=main"].map(Into::into).to_vec();
            let (environment, path) = (Vec::new(), folder.root.path());
            let git = Program { name: "git", arguments, folder: path, environment, without: &["GIT_"], input: Vec::new() };
            assert_eq!(git.run().await.expect("git").code, Some(0));
        }
        folder
    }

    fn cases(&self) -> Vec<Case> {
        let news = entry(json!({}));
        vec![
            Case::new("publish", news.clone()),
            Case::after("edit", [news.clone()], news.clone().changed(json!({"title": "CSV and PDF export are here"}))),
            Case::after("unpublish", [news.clone()], news.clone().changed(json!({"draft": true}))),
            Case::after("delete", [news.clone()], news.deleted()),
        ]
    }

    fn goldens(&self) -> &'static str {
        match self.0 {
            _ if self.1 == Kept::Committed => "site/goldens/git",
            Format::Hugo => "site/goldens/hugo",
            Format::Zola => "site/goldens/zola",
            Format::Jekyll => "site/goldens/jekyll",
            Format::Astro => "site/goldens/astro",
            Format::Docusaurus => "site/goldens/docusaurus",
            Format::Plain => "site/goldens/plain",
        }
    }

    fn exempt(&self) -> &'static [(Rule, &'static str)] {
        &[
            (
                Rule::LostAnswer,
                "every step writes files whose path comes from the entry's id: done again, it does the same, and nothing is looked up",
            ),
            (Rule::LookUp, "no step is looked up, see there"),
            (Rule::Statuses, "it speaks to no service, so there is no status; what the disk says has tests of its own"),
            (Rule::Secrets, "it has no credentials"),
        ]
    }
}

impl Fake for Folder {
    fn settings(&self, _: &str) -> Value {
        let format = format!("{:?}", self.format).to_lowercase();
        let feeds = "https://acme.example/feeds";
        let git = json!({"push": false, "author_name": "Ann", "author_email": "ann@example.com"});
        let git = (self.kept == Kept::Committed).then_some(git);
        json!({"path": self.root.path(), "format": format, "changelog_file": "CHANGELOG.md", "feed_url": feeds, "git": git})
    }

    fn objects(&self, key: &RemoteKey) -> usize {
        let signed = key.signed();
        pages(self).into_iter().filter(|page| page.contains(&signed)).count()
    }

    fn check(&self, _: &Hostile, _: &[Request]) -> Result<(), String> {
        pages(self).iter().try_for_each(|page| inert_page(page, self.format))?;
        inert_changelog(&read(self.root.path(), "CHANGELOG.md"))?;
        inert_feeds(self)
    }

    fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(Nobody)
    }
}

fn settings(folder: &Folder) -> Settings {
    serde_json::from_value(folder.settings("")).expect("settings")
}

fn read(root: &Path, path: &str) -> String {
    std::fs::read_to_string(root.join(path)).unwrap_or_default()
}

/// All files of the folder of pages. Anything else in there would be something a stranger's text has made.
fn pages(folder: &Folder) -> Vec<String> {
    let pages = folder.root.path().join(settings(folder).directory());
    let files = std::fs::read_dir(pages).map(|files| files.filter_map(Result::ok).collect::<Vec<_>>()).unwrap_or_default();
    files.iter().filter_map(|file| std::fs::read_to_string(file.path()).ok()).collect()
}

fn none(found: Vec<String>, place: &str) -> Result<(), String> {
    if found.is_empty() { Ok(()) } else { Err(format!("{place}: {}", found.join("; ").chars().take(500).collect::<String>())) }
}

/// Front matter holds the keys we write and no other, each on a line of its own; the body does nothing in this generator.
fn inert_page(page: &str, format: Format) -> Result<(), String> {
    let fence = if format == Format::Zola { "+++" } else { "---" };
    let (front, body) = page
        .strip_prefix(&format!("{fence}\n"))
        .and_then(|rest| rest.split_once(&format!("\n{fence}\n")))
        .ok_or_else(|| format!("the page does not begin with front matter between {fence}"))?;
    let known: &[&str] = match format {
        Format::Hugo => &["title", "date", "draft", "slug", "tags", "sleekplan_key"],
        Format::Zola => &["title", "date", "draft", "slug", "[extra]", "sleekplan_key", "type"],
        Format::Jekyll => &["layout", "title", "date", "published", "render_with_liquid", "tags", "sleekplan_key"],
        Format::Astro => &["title", "pubDate", "draft", "tags", "sleekplan_key"],
        Format::Docusaurus => &["title", "date", "slug", "draft", "format", "tags", "sleekplan_key"],
        Format::Plain => &["title", "date", "draft", "tags", "sleekplan_key"],
    };
    let mut found = Vec::new();
    let mut seen = Vec::new();
    for line in front.split('\n') {
        let sign = if format == Format::Zola { " = " } else { ": " };
        let (name, value) = line.split_once(sign).unwrap_or((line, ""));
        if !known.contains(&name) || seen.contains(&name) {
            found.push(format!("front matter line {line}"));
        }
        seen.push(name);
        if name == "title" {
            let title: String = serde_json::from_str(value).map_err(|error| format!("the title is no quoted string: {error}"))?;
            found.extend((title.chars().count() > TITLE_CHARS_MAX).then(|| "the title is too long".to_owned()));
            found.extend(title.chars().find(|c| c.is_control()).map(|c| format!("{c:?} in the title")));
        }
    }
    found.extend(actions(body.trim_start_matches('\n'), text::Format::Markdown(format.dialect())));
    none(found, "the page")
}

/// One part of ours between two markers, and nothing in it that ends it early.
fn inert_changelog(file: &str) -> Result<(), String> {
    if file.matches("<!-- sleeksync:begin -->").count() > 1 || file.matches("<!-- sleeksync:end -->").count() > 1 {
        return Err("CHANGELOG.md: a stranger's text looks like our markers".to_owned());
    }
    let Some((_, ours)) = file.split_once("<!-- sleeksync:begin -->") else { return Ok(()) };
    let (ours, _) = ours.split_once("<!-- sleeksync:end -->").ok_or("CHANGELOG.md: our part does not end")?;
    let lines: Vec<&str> = ours.lines().filter(|line| !line.starts_with("<!-- sleeksync:entry sp-5456534244-changelog-")).collect();
    none(actions(lines.join("\n").trim_start_matches('\n'), text::Format::Markdown(text::Dialect::Plain)), "CHANGELOG.md")
}

/// Each feed can be read, and its HTML does nothing.
fn inert_feeds(folder: &Folder) -> Result<(), String> {
    let settings = settings(folder);
    for feed in settings.feeds() {
        let path = settings.feed_path(feed);
        let text = read(folder.root.path(), &path);
        let (lines, contents): (Vec<String>, Vec<String>) = match feed.ending() {
            "rss" => {
                let channel = rss::Channel::read_from(text.as_bytes()).map_err(|error| format!("{path}: {error}"))?;
                let kinds = channel.items().iter().flat_map(|item| item.categories()).map(|kind| kind.name().to_owned());
                let titles = channel.items().iter().filter_map(|item| item.title().map(str::to_owned));
                (titles.chain(kinds).collect(), channel.items().iter().filter_map(|item| item.content().map(str::to_owned)).collect())
            }
            "atom" => {
                let feed = atom_syndication::Feed::read_from(text.as_bytes()).map_err(|error| format!("{path}: {error}"))?;
                let kinds = feed.entries().iter().flat_map(|entry| entry.categories()).map(|kind| kind.term().to_owned());
                let titles = feed.entries().iter().map(|entry| entry.title().as_str().to_owned());
                (
                    titles.chain(kinds).collect(),
                    feed.entries().iter().filter_map(|entry| entry.content()?.value().map(str::to_owned)).collect(),
                )
            }
            _ => {
                let feed: Value = serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
                let items = feed.get("items").and_then(Value::as_array).cloned().unwrap_or_default();
                let text = |value: &Value| value.as_str().map(str::to_owned);
                let kinds = items.iter().filter_map(|item| item.get("tags")?.as_array()).flatten();
                let lines = items.iter().filter_map(|item| item.get("title")).chain(kinds).filter_map(text).collect();
                (lines, items.iter().filter_map(|item| text(item.get("content_html")?)).collect())
            }
        };
        for line in lines {
            let acting = |c: &char| c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
            let found = line.chars().find(acting).map(|c| format!("{c:?} in {line:?}"));
            let long = (line.chars().count() > TITLE_CHARS_MAX).then(|| "a title or category is too long".to_owned());
            none(found.into_iter().chain(long).collect(), &path)?;
        }
        for html in contents {
            none(actions(&html, text::Format::Html), &path)?;
        }
    }
    Ok(())
}
