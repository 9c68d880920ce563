//! Settings of `site`.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use crate::contract::{Mistakes, SettingsError};
use crate::kit::text::Dialect;

/// The program that builds the site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// gohugo.io
    Hugo,
    /// getzola.org
    Zola,
    /// jekyllrb.com
    Jekyll,
    /// astro.build
    Astro,
    /// docusaurus.io
    Docusaurus,
    /// Markdown read by nobody in particular.
    #[default]
    Plain,
}

/// What becomes of a page whose entry is withdrawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnUnpublish {
    /// It is removed.
    #[default]
    Remove,
    /// It stays as a draft, which generators do not publish.
    Draft,
}

/// A kind of feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Feed {
    /// RSS 2.0.
    Rss,
    /// Atom (RFC 4287).
    Atom,
    /// JSON Feed 1.1.
    Json,
}

/// `[connectors.NAME]` of kind `site`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The site's folder.
    pub path: PathBuf,
    /// What builds it.
    #[serde(default)]
    pub format: Format,
    /// Where pages go, below the site's folder.
    directory: Option<String>,
    /// What becomes of a withdrawn entry.
    #[serde(default)]
    pub on_unpublish: OnUnpublish,
    /// Whether images are copied.
    #[serde(default = "yes")]
    pub copy_images: bool,
    /// How pages name the folder of the images, where the format's own way does not fit the site.
    image_url: Option<String>,
    #[serde(default = "all_feeds")]
    feeds: Vec<Feed>,
    feed_directory: Option<String>,
    /// Public address of the folder the feeds are in.
    pub feed_url: Option<String>,
    /// Title of the feeds.
    #[serde(default = "changelog")]
    pub feed_title: String,
    /// A Keep a Changelog file, below the site's folder.
    changelog_file: Option<String>,
    /// What is written is committed.
    pub git: Option<Git>,
}

/// `git = { … }`: what is written is committed, and pushed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Git {
    /// Whether commits are pushed.
    #[serde(default = "yes")]
    pub push: bool,
    /// Name or address of the repository that is pushed to.
    #[serde(default = "origin")]
    pub remote: String,
    /// The branch; any that is checked out, where it is left out.
    pub branch: Option<String>,
    /// Who wrote the commits; git's own configuration says, where it is left out.
    pub author_name: Option<String>,
    /// The same for the address.
    pub author_email: Option<String>,
}

fn origin() -> String {
    "origin".to_owned()
}

fn yes() -> bool {
    true
}

fn all_feeds() -> Vec<Feed> {
    vec![Feed::Rss, Feed::Atom, Feed::Json]
}

fn changelog() -> String {
    "Changelog".to_owned()
}

impl Format {
    /// How its Markdown is written.
    pub fn dialect(self) -> Dialect {
        match self {
            Format::Hugo => Dialect::Hugo,
            Format::Zola => Dialect::Zola,
            Format::Jekyll => Dialect::Jekyll,
            Format::Astro => Dialect::Astro,
            Format::Docusaurus => Dialect::Docusaurus,
            Format::Plain => Dialect::Plain,
        }
    }

    /// The folder whose files are published as they are, at the site's root; `None` where there is none.
    pub fn static_folder(self) -> Option<&'static str> {
        match self {
            Format::Hugo | Format::Zola | Format::Docusaurus => Some("static"),
            Format::Jekyll => Some("assets"),
            Format::Astro => Some("public"),
            Format::Plain => None,
        }
    }
}

impl Settings {
    pub(super) fn validate(&self) -> Result<(), Vec<SettingsError>> {
        let mut mistakes = Mistakes::default();
        mistakes.filled("path", &self.path.to_string_lossy());
        mistakes.filled("feed_title", &self.feed_title);
        for (key, text) in
            [("directory", &self.directory), ("feed_directory", &self.feed_directory), ("changelog_file", &self.changelog_file)]
        {
            match text.as_deref() {
                Some(text) if text.trim().is_empty() => mistakes.filled(key, text),
                Some(text) if !is_inside(text) => {
                    mistakes.add(key, format!("`{text}` leaves the site's folder"), "a path below `path`, without ..")
                }
                _ => {}
            }
        }
        let is_web = |text: &str| url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if self.feed_url.as_deref().is_some_and(|text| !is_web(text)) {
            mistakes.add("feed_url", "it is no web address", "https://…");
        }
        // It is written into Markdown as it stands.
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/%@".contains(&byte));
        if self.image_url.as_deref().is_some_and(|text| !is_plain(text) || !(text.starts_with(['/', '.']) || is_web(text))) {
            mistakes.add("image_url", "it is no address", "https://…, or a path such as /docs/assets/changelog-images");
        }
        self.git.iter().for_each(|git| git.validate(&mut mistakes));
        mistakes.or(Some(()))
    }

    /// Where pages go, below the site's folder.
    pub fn directory(&self) -> String {
        let default = match self.format {
            Format::Hugo | Format::Zola => "content/changelog",
            Format::Jekyll => "_posts",
            Format::Astro => "src/content/changelog",
            Format::Docusaurus | Format::Plain => "changelog",
        };
        plain(self.directory.as_deref().unwrap_or(default))
    }

    /// The site's folder, spelled in one way.
    pub fn root(&self) -> String {
        let root: PathBuf = self.path.components().filter(|part| *part != Component::CurDir).collect();
        root.display().to_string()
    }

    /// The Keep a Changelog file, below the site's folder.
    pub fn changelog_file(&self) -> Option<String> {
        self.changelog_file.as_deref().map(plain)
    }

    /// What the feeds are made from, below the site's folder.
    pub fn feeds_manifest(&self) -> String {
        manifest(&self.directory(), "feeds.json")
    }

    /// The same for the Keep a Changelog file.
    pub fn changelog_manifest(&self) -> String {
        manifest(&self.directory(), "changelog.json")
    }

    /// The feeds that are written.
    pub fn feeds(&self) -> impl Iterator<Item = Feed> + '_ {
        self.feeds.iter().copied()
    }

    /// Where a feed is, below the site's folder.
    pub fn feed_path(&self, feed: Feed) -> String {
        let default = self.format.static_folder().unwrap_or_default();
        below(&plain(self.feed_directory.as_deref().unwrap_or(default)), &format!("changelog.{}", feed.ending()))
    }

    /// Where images go, below the site's folder, and how a page names that place.
    ///
    /// A page names it from where it stands, so that a site below a path (`https://example.com/docs/`) shows its images too.
    pub fn image_folder(&self) -> (String, String) {
        let directory = self.directory();
        let (folder, shown) = match self.format {
            // What is no page is published where it stands in the content, the page one level deeper: `changelog/entry-1/`.
            Format::Hugo => (below(&directory, "images"), "../images/"),
            // Zola publishes only the files beside an `_index.md`, so they take the static way to the same place.
            Format::Zola => (below(&below("static", directory.trim_start_matches("content").trim_matches('/')), "images"), "../images/"),
            Format::Astro | Format::Docusaurus => (below(&directory, "images"), "./images/"),
            Format::Plain => (below(&directory, "images"), "images/"),
            // How deep a post stands is for the site's `permalink` to say, and Liquid's `relative_url` is off in a stranger's text.
            Format::Jekyll => {
                let kept: Vec<&str> = directory.split('/').filter(|part| *part != "_posts").collect();
                let folder = below(&below("assets", &kept.join("/")), "changelog-images");
                let shown = format!("/{folder}/");
                return (folder, self.image_url.as_deref().map_or(shown, ending_with_slash));
            }
        };
        (folder, self.image_url.as_deref().map_or_else(|| shown.to_owned(), ending_with_slash))
    }
}

impl Git {
    fn validate(&self, mistakes: &mut Mistakes) {
        // Both stand among git's arguments, and what begins with a dash is an option there.
        if self.remote.is_empty() || self.remote.starts_with('-') || self.remote.chars().any(char::is_control) {
            mistakes.add("git.remote", "it is no remote", "the name of a remote such as origin, or an address");
        }
        if crate::kit::command::redacted(&self.remote) != self.remote && !self.remote.starts_with("ssh://") {
            mistakes.add("git.remote", "it holds credentials", "an address without them; git's credential helpers keep them");
        }
        if self.branch.as_deref().is_some_and(|branch| !is_branch(branch)) {
            mistakes.add("git.branch", "it is no name of a branch", "such as main");
        }
        for (key, text) in [("git.author_name", &self.author_name), ("git.author_email", &self.author_email)] {
            if text.as_deref().is_some_and(|text| text.trim().is_empty() || text.contains(['<', '>']) || text.chars().any(char::is_control))
            {
                mistakes.add(key, "is empty or holds < or >", "a text, or no such key");
            }
        }
    }
}

/// The rules of `git check-ref-format`, a little stricter.
fn is_branch(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && !part.starts_with(['.', '-']) && !part.ends_with('.') && !part.ends_with(".lock");
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    name.split('/').all(is_part) && !name.contains("..") && !name.contains("@{") && !name.contains(is_odd) && name != "@"
}

/// The manifest of this name for the pages in `directory`.
fn manifest(directory: &str, name: &str) -> String {
    below(".sleeksync", &below(directory, name))
}

fn ending_with_slash(address: &str) -> String {
    format!("{}/", address.trim_end_matches('/'))
}

impl Feed {
    /// Ending of its file.
    pub fn ending(self) -> &'static str {
        match self {
            Feed::Rss => "rss",
            Feed::Atom => "atom",
            Feed::Json => "json",
        }
    }
}

/// `name` in `folder`; either may be empty, as the path of the site's folder itself is.
pub(super) fn below(folder: &str, name: &str) -> String {
    match (folder, name) {
        ("", only) | (only, "") => only.to_owned(),
        _ => format!("{folder}/{name}"),
    }
}

/// A path below the site's folder in the one way it is spelled: no `.`, no doubled slash.
fn plain(path: &str) -> String {
    let parts = Path::new(path).components().filter_map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}

fn is_inside(text: &str) -> bool {
    Path::new(text).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}
