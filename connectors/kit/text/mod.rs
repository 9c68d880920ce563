//! Text written by people: Sleekplan's HTML or plain text in, every format a service wants out.
//!
//! There is one tree, pulldown-cmark's event stream, and it can say less than HTML: paragraphs, headings, lists,
//! quotes, code, tables, rules, emphasis, links and images. What cannot be said in it cannot reach a service, so no
//! script, style, comment, form or raw HTML survives, whatever the input was.
//!
//! Promised for every input: no panic; time and memory in proportion to its length ([`TEXT_BYTES_MAX`] and the other
//! bounds are named where they apply); the visible words appear in order in every output up to the cut; nothing in an
//! output acts on its reader or its host. Control characters and bidirectional overrides are gone.
//!
//! Not done here: fetching images, hiding personal data, adding markers, titles or front matter.

mod block;
mod build;
mod characters;
mod cut;
mod divide;
mod element;
mod from_html;
mod from_plain;
mod github;
mod html;
mod line;
mod link;
mod mark;
mod markdown;
mod plain;
mod run;
mod scan;
mod slack;
mod tag;

use pulldown_cmark::{CowStr, Event, HeadingLevel, Tag, TagEnd};

pub use cut::{Length, SHORTENED};
pub use github::apart_from;
pub use line::{github_line, line, terminal};
pub use slack::{slack_line, slack_link};

/// The most text that is read, in bytes; what follows is left off.
pub const TEXT_BYTES_MAX: usize = 1024 * 1024;

/// A text as a tree of pulldown-cmark events, well nested and free of raw HTML.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Text {
    events: Vec<Event<'static>>,
}

/// What a text is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Sanitised HTML.
    Html,
    /// Words and line breaks only.
    Plain,
    /// Slack's mrkdwn.
    Slack,
    /// Markdown as one program reads it.
    Markdown(Dialect),
}

/// The program that will read the Markdown: each has commands of its own that a stranger's text must not reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Issues and comments on GitHub: no mention, no reference, no link back.
    GitHub,
    /// Hugo content: no shortcode, and no raw HTML because Hugo's renderer drops it.
    Hugo,
    /// Zola content: no shortcode.
    Zola,
    /// Jekyll content, read by kramdown: no Liquid.
    Jekyll,
    /// Astro content, `.md` or `.mdx`: no expression, component or module statement.
    Astro,
    /// Docusaurus content, `.md` or `.mdx`: as Astro, and no admonition.
    Docusaurus,
    /// CommonMark with tables, read by nobody in particular.
    Plain,
}

/// An image in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Its address, always absolute and http or https.
    pub url: String,
    /// What it shows, in words; may be empty.
    pub alt: String,
}

/// What becomes of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageRef {
    /// It stays as it is.
    Keep,
    /// It is shown from this address instead; an address that is not http or https counts as [`ImageRef::Drop`].
    Replace(String),
    /// It goes; the words that describe it stay.
    Drop,
}

impl Text {
    /// Reads HTML of any origin and any quality.
    #[must_use]
    pub fn from_html(html: &str) -> Self {
        Self { events: from_html::events(html) }
    }

    /// Reads plain text: blank lines divide paragraphs, line breaks stay, nothing in it is markup.
    #[must_use]
    pub fn from_plain(text: &str) -> Self {
        Self { events: from_plain::events(text) }
    }

    /// Whether there is nothing to see: no word, image or rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The tree, for writers of formats that are not offered here.
    #[must_use]
    pub fn events(&self) -> &[Event<'static>] {
        &self.events
    }

    /// The paragraphs, lists, tables and so on that it consists of, each a text of its own.
    #[must_use]
    pub fn blocks(&self) -> Vec<Text> {
        let (mut blocks, mut block, mut depth) = (Vec::new(), Vec::new(), 0_usize);
        for event in &self.events {
            match event {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth = depth.saturating_sub(1),
                _ => {}
            }
            block.push(event.clone());
            if depth == 0 {
                blocks.push(Text { events: std::mem::take(&mut block) });
            }
        }
        blocks
    }

    /// Every image, in order of appearance, repeated ones too.
    #[must_use]
    pub fn images(&self) -> Vec<Image> {
        let mut images: Vec<Image> = Vec::new();
        let mut inside = false;
        for event in &self.events {
            match event {
                Event::Start(Tag::Image { dest_url, .. }) => {
                    inside = true;
                    images.push(Image { url: dest_url.to_string(), alt: String::new() });
                }
                Event::End(TagEnd::Image) => inside = false,
                Event::Text(text) if inside => {
                    if let Some(image) = images.last_mut() {
                        image.alt.push_str(text);
                    }
                }
                _ => {}
            }
        }
        images
    }

    /// The same text with every image kept, replaced or dropped as `decide` says of its address.
    #[must_use]
    pub fn with_images(self, decide: impl Fn(&str) -> ImageRef) -> Self {
        let mut events = Vec::with_capacity(self.events.len());
        let mut dropped = false;
        for event in self.events {
            match event {
                Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
                    let url = match decide(&dest_url) {
                        ImageRef::Keep => Some(dest_url.clone()),
                        ImageRef::Replace(url) => link::image(&url).map(CowStr::from),
                        ImageRef::Drop => None,
                    };
                    dropped = url.is_none();
                    events.extend(url.map(|dest_url| Event::Start(Tag::Image { link_type, dest_url, title, id })));
                }
                Event::End(TagEnd::Image) if dropped => dropped = false,
                other => events.push(other),
            }
        }
        Self { events: cut::without_empty(events) }
    }

    /// The same text, in which nothing leads to an address of which `decide` says so. The address stays, as words, where it is not the words
    /// of the link already.
    #[must_use]
    pub fn without_links(self, decide: impl Fn(&str) -> bool) -> Self {
        let mut events: Vec<Event<'static>> = Vec::with_capacity(self.events.len());
        // The address of the link that is being taken off, and where its words begin.
        let mut taken: Option<(String, usize)> = None;
        for event in self.events {
            match event {
                Event::Start(Tag::Link { dest_url, .. }) if decide(&dest_url) => taken = Some((dest_url.into_string(), events.len())),
                Event::End(TagEnd::Link) if taken.is_some() => {
                    let (address, from) = taken.take().unwrap_or_default();
                    let words = events.get(from..).unwrap_or_default().iter().map(|event| match event {
                        Event::Text(text) | Event::Code(text) => text.as_ref(),
                        _ => "",
                    });
                    if !address.ends_with(&words.collect::<String>()) {
                        events.push(Event::Text(format!(" ({address})").into()));
                    }
                }
                other => events.push(other),
            }
        }
        Self { events }
    }

    /// The same text with every heading so many levels lower, to stand below a heading of that level; there are six.
    #[must_use]
    pub fn with_headings_below(self, above: usize) -> Self {
        let lower = |level: HeadingLevel| HeadingLevel::try_from((level as usize + above).min(6)).unwrap_or(level);
        let events = self.events.into_iter().map(|event| match event {
            Event::Start(Tag::Heading { level, id, classes, attrs }) => {
                Event::Start(Tag::Heading { level: lower(level), id, classes, attrs })
            }
            Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(lower(level))),
            other => other,
        });
        Self { events: events.collect() }
    }

    /// The text as sanitised HTML.
    #[must_use]
    pub fn html(&self) -> String {
        html::write(&self.events)
    }

    /// The text as words and line breaks.
    #[must_use]
    pub fn plain(&self) -> String {
        plain::write(&self.events)
    }

    /// The text as Markdown that means the same to `dialect`'s reader and makes it do nothing.
    #[must_use]
    pub fn markdown(&self, dialect: Dialect) -> String {
        markdown::write(&self.events, dialect)
    }

    /// The text in `format`.
    #[must_use]
    pub fn write(&self, format: Format) -> String {
        match format {
            Format::Html => self.html(),
            Format::Plain => self.plain(),
            Format::Slack => slack::write(&self.events),
            Format::Markdown(dialect) => self.markdown(dialect),
        }
    }

    /// The text in `format` in at most `max_chars` Unicode scalar values, and whether it had to be cut.
    #[must_use]
    pub fn cut(&self, format: Format, max_chars: usize) -> (String, bool) {
        self.cut_to(format, Length::Chars(max_chars), SHORTENED)
    }

    /// The text in `format` in at most `max`, ending with `note` when it had to be cut, and whether it was.
    ///
    /// The cut falls on the tree: never inside a tag, an entity or a character. Where not even the note fits, the
    /// result is empty.
    #[must_use]
    pub fn cut_to(&self, format: Format, max: Length, note: &str) -> (String, bool) {
        cut::cut(&self.events, format, max, note)
    }
}

#[cfg(test)]
pub(crate) mod tests;
