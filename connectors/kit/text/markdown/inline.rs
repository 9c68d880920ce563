//! Running text as Markdown: marks, links, images, code and words.
//!
//! Emphasis is where Markdown is weakest: whether `**` opens or closes depends on the characters on both sides of it
//! (CommonMark 0.31, section 6.2), so a bold `"word"` inside a longer word or next to Chinese is not bold. A letter
//! beside such a mark is written as an entity, which begins and ends with punctuation and reads the same. And because
//! there are more cases than anybody can list, every text with marks is read back; should it not say the same, it is
//! written without them: words before looks.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::super::Dialect;
use super::super::characters::ZERO_WIDTH_SPACE;
use super::code;
use super::escape::{self, Context};

/// What a running text belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A paragraph, or an item.
    Paragraph,
    /// A heading of this level.
    Heading(usize),
    /// A cell of a table.
    Cell,
}

/// Writes the events of one paragraph, heading or cell.
pub(super) fn write(events: &[&Event<'static>], dialect: Dialect, place: Place) -> String {
    let marked = Inline::new(dialect, place).write(events, true);
    let has_marks = events.iter().any(|event| matches!(event, Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough)));
    if has_marks && !says_the_same(&marked, events, dialect, place) {
        return Inline::new(dialect, place).write(events, false);
    }
    marked
}

/// Whether a parser gives back the words of `events`.
fn says_the_same(markdown: &str, events: &[&Event<'static>], dialect: Dialect, place: Place) -> bool {
    // A heading or a cell begins no block, so something stands before it here.
    let markdown = match place {
        Place::Cell => format!("x {}", markdown.replace("\\|", "|")),
        Place::Heading(_) => format!("x {markdown}"),
        Place::Paragraph => markdown.to_owned(),
    };
    let read: String = Parser::new_ext(&markdown, Options::ENABLE_STRIKETHROUGH)
        .map(|event| match event {
            Event::Text(text) | Event::Code(text) => text.to_string(),
            _ => String::new(),
        })
        .collect();
    let meant: String = events
        .iter()
        .map(|event| match event {
            Event::Text(text) => text.to_string(),
            Event::Code(text) => code::shown(text, dialect),
            _ => String::new(),
        })
        .collect();
    let visible = |text: String| text.chars().filter(|c| !c.is_whitespace() && *c != ZERO_WIDTH_SPACE).collect::<String>();
    let before = if place == Place::Paragraph { "" } else { "x" };
    visible(read) == format!("{before}{}", visible(meant))
}

struct Inline {
    dialect: Dialect,
    place: Place,
    out: String,
    /// Addresses of the links and images that are open; `None` for one written as `<address>`.
    targets: Vec<Option<String>>,
    /// Whether the next letter must be an entity, for the mark before it to close.
    guard: bool,
    /// Whether a mark has just been closed.
    closed: bool,
    /// Whether the words are those of an image.
    in_image: bool,
}

impl Inline {
    fn new(dialect: Dialect, place: Place) -> Self {
        Self { dialect, place, out: String::new(), targets: Vec::new(), guard: false, closed: false, in_image: false }
    }

    fn write(mut self, events: &[&Event<'static>], marks: bool) -> String {
        let mut rest = events;
        while let Some((event, after)) = rest.split_first() {
            match event {
                Event::Start(Tag::Link { dest_url, .. }) => self.open_link(dest_url, after),
                Event::Start(Tag::Image { dest_url, .. }) => {
                    self.out.push_str("![");
                    self.in_image = true;
                    self.targets.push(Some(dest_url.to_string()));
                }
                Event::End(TagEnd::Link | TagEnd::Image) => self.close_link(),
                Event::Start(tag) if marks => self.open_mark(delimiter(&tag.to_end()), after),
                Event::End(end) if marks => self.close_mark(delimiter(end)),
                Event::Text(text) => self.text(text),
                Event::Code(text) => {
                    self.guard = false;
                    // The backticks of two spans side by side would be read as one run, and Hugo's parser takes the
                    // words before an `@` for an e-mail address even where code begins between them.
                    let joined = self.dialect == Dialect::Hugo && text.contains('@') && !self.out.ends_with(char::is_whitespace);
                    if self.out.ends_with('`') || (joined && !self.out.is_empty()) {
                        self.out.push_str(&code::entity(ZERO_WIDTH_SPACE));
                    }
                    self.out.push_str(&code::span(text, self.dialect, self.place == Place::Cell));
                }
                Event::SoftBreak | Event::HardBreak => self.line_break(),
                _ => {}
            }
            self.closed &= matches!(event, Event::End(_));
            rest = after;
        }
        self.out
    }

    fn text(&mut self, text: &str) {
        if self.targets.last() == Some(&None) {
            return self.out.push_str(text);
        }
        let mut text = text;
        if std::mem::take(&mut self.guard)
            && let Some(first) = text.chars().next().filter(|c| !edge(*c))
        {
            self.out.push_str(&code::entity(first));
            text = text.strip_prefix(first).unwrap_or_default();
        }
        let at_line_start = self.place == Place::Paragraph && (self.out.is_empty() || self.out.ends_with('\n'));
        let before = self.out.chars().next_back();
        let context = Context {
            dialect: self.dialect,
            place: self.place,
            at_line_start,
            in_link: !self.targets.is_empty(),
            in_image: self.in_image,
            before,
        };
        escape::push(text, context, &mut self.out);
    }

    fn line_break(&mut self) {
        self.guard = false;
        self.out.push_str(match (self.place, self.dialect) {
            // Hugo drops raw HTML, and others may show it.
            (Place::Cell, Dialect::Hugo | Dialect::Plain) | (Place::Heading(_), _) => " ",
            (Place::Cell, _) => "<br />",
            // kramdown takes a backslash at the end of a line for a backslash.
            (Place::Paragraph, Dialect::Jekyll) => "  \n",
            (Place::Paragraph, _) => "\\\n",
        });
    }

    fn open_link(&mut self, target: &str, after: &[&Event<'static>]) {
        let bare = matches!(after, [Event::Text(text), Event::End(TagEnd::Link), ..] if **text == *target);
        // Some parsers decode entities in a bare address, others do not.
        let bare = bare && address(target) == target && !(self.dialect == Dialect::GitHub && target.contains('$'));
        let web = target.starts_with("http://") || target.starts_with("https://");
        if bare && web && !matches!(self.dialect, Dialect::Astro | Dialect::Docusaurus) {
            self.out.push('<');
            self.targets.push(None);
        } else {
            // An exclamation mark before it would make the link an image.
            if self.out.ends_with('!') {
                self.out.pop();
                self.out.push_str("\\!");
            }
            self.out.push('[');
            self.targets.push(Some(target.to_owned()));
        }
        self.guard = false;
    }

    fn close_link(&mut self) {
        self.in_image = false;
        match self.targets.pop() {
            Some(Some(target)) => self.out.push_str(&format!("]({})", address(&target))),
            Some(None) => self.out.push('>'),
            None => {}
        }
        self.guard = false;
    }

    fn open_mark(&mut self, mark: &str, after: &[&Event<'static>]) {
        // Two marks side by side would be read as one run of asterisks.
        if self.closed {
            self.out.push_str(&code::entity(ZERO_WIDTH_SPACE));
            self.closed = false;
        }
        let inner = after.iter().find_map(|event| match event {
            Event::Start(Tag::Strong | Tag::Emphasis) if mark != "~~" => None,
            Event::Text(text) => Some(text.chars().next().unwrap_or(' ')),
            _ => Some('*'),
        });
        if inner.is_some_and(|c| !c.is_alphanumeric())
            && let Some(before) = self.out.chars().next_back().filter(|c| !edge(*c))
        {
            self.out.pop();
            self.out.push_str(&code::entity(before));
        }
        self.out.push_str(mark);
        self.guard = false;
    }

    fn close_mark(&mut self, mark: &str) {
        let inner = match mark {
            "~~" => self.out.chars().next_back(),
            _ => self.out.trim_end_matches('*').chars().next_back(),
        };
        self.out.push_str(mark);
        self.guard = inner.is_some_and(|c| !c.is_alphanumeric());
        self.closed = true;
    }
}

fn delimiter(end: &TagEnd) -> &'static str {
    match end {
        TagEnd::Strong => "**",
        TagEnd::Emphasis => "*",
        TagEnd::Strikethrough => "~~",
        _ => "",
    }
}

/// Whether every parser takes `c` for white space or punctuation.
fn edge(c: char) -> bool {
    c.is_whitespace() || c.is_ascii_punctuation()
}

/// An address between the parentheses of a link; it is vetted, only what looks like an entity is left to escape.
fn address(target: &str) -> String {
    let mut out = String::with_capacity(target.len());
    let mut rest = target;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let entity = after.split(|c: char| !c.is_ascii_alphanumeric() && c != '#').next().unwrap_or_default();
        let is_entity = after.get(entity.len()..).is_some_and(|after| after.starts_with(';'));
        out.push_str(if is_entity { "&amp;" } else { "&" });
        rest = after;
    }
    out.push_str(rest);
    out
}
