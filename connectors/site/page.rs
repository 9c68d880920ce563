//! A page: front matter in the way of each generator, and the body.

use serde::{Deserialize, Serialize};

use super::config::Format;
use crate::contract::Time;

/// Stands for the N-th image of a page until it is known where that went.
pub(super) const IMAGE_PREFIX: &str = "https://image.sleeksync.invalid/";

/// A page as it is to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Below the site's folder.
    pub path: String,
    /// The signed key in its front matter: by it the page is known as ours.
    pub key: String,
    /// Its public address.
    pub url: Option<String>,
    /// Everything before the body.
    pub front_matter: String,
    /// Markdown; images are named by [`IMAGE_PREFIX`] and their number.
    pub body: String,
    /// Addresses of the images.
    pub images: Vec<String>,
}

impl Page {
    /// Its name in the names of its images.
    pub(super) fn stem(&self) -> String {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let name = name.strip_suffix(".md").unwrap_or(name);
        name.find("entry-").and_then(|at| name.get(at..)).unwrap_or(name).to_owned()
    }

    /// The file, with images where Sleekplan has them.
    pub(super) fn text(&self) -> String {
        self.text_with(&[])
    }

    /// The file, with those images that were copied named by their new place.
    pub(super) fn text_with(&self, copied: &[super::images::Copied]) -> String {
        let mut body = self.body.clone();
        // From the last on: the number of the first is the beginning of that of the tenth.
        for (number, url) in self.images.iter().enumerate().rev() {
            let place = copied.iter().find(|image| image.url == *url).map_or(url.as_str(), |image| image.place.as_str());
            body = body.replace(&format!("{IMAGE_PREFIX}{number}"), place);
        }
        format!("{}\n{}\n", self.front_matter, body.trim_end())
    }
}

/// What front matter says.
pub(super) struct Facts<'a> {
    pub title: &'a str,
    pub stem: &'a str,
    pub kind: Option<&'a str>,
    pub published: Time,
    pub draft: bool,
    pub key: &'a str,
}

/// Front matter in the way of the generator. Every text is quoted as a JSON string, which YAML and TOML both read.
pub(super) fn front_matter(format: Format, facts: &Facts<'_>) -> String {
    let Facts { title, stem, kind, published, draft, key } = facts;
    let (title, stem, key) = (quoted(title), quoted(stem), quoted(key));
    let kinds = kind.map(quoted).unwrap_or_default();
    let mut lines = Vec::new();
    match format {
        Format::Zola => {
            lines.extend([format!("title = {title}"), format!("date = {published}"), format!("draft = {draft}"), format!("slug = {stem}")]);
            lines.extend(["[extra]".to_owned(), format!("sleekplan_key = {key}")]);
            lines.extend(kind.map(|_| format!("type = {kinds}")));
            return format!("+++\n{}\n+++\n", lines.join("\n"));
        }
        Format::Hugo => {
            lines.extend([format!("title: {title}"), format!("date: {published}"), format!("draft: {draft}"), format!("slug: {stem}")])
        }
        Format::Jekyll => lines.extend([
            "layout: post".to_owned(),
            format!("title: {title}"),
            format!("date: {}", jekyll_date(*published)),
            format!("published: {}", !draft),
            "render_with_liquid: false".to_owned(),
        ]),
        Format::Astro => lines.extend([format!("title: {title}"), format!("pubDate: {published}"), format!("draft: {draft}")]),
        Format::Docusaurus => lines.extend([
            format!("title: {title}"),
            format!("date: {published}"),
            format!("slug: {stem}"),
            format!("draft: {draft}"),
            "format: md".to_owned(),
        ]),
        Format::Plain => lines.extend([format!("title: {title}"), format!("date: {published}"), format!("draft: {draft}")]),
    }
    lines.extend(kind.map(|_| format!("tags: [{kinds}]")));
    lines.push(format!("sleekplan_key: {key}"));
    format!("---\n{}\n---\n", lines.join("\n"))
}

fn quoted(text: impl AsRef<str>) -> String {
    serde_json::Value::from(text.as_ref()).to_string()
}

/// Jekyll reads dates as `2026-03-03 12:00:00 +0000` (jekyllrb.com, front matter).
fn jekyll_date(at: Time) -> String {
    at.to_jiff().strftime("%Y-%m-%d %H:%M:%S +0000").to_string()
}
