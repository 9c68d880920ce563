//! Events -> plain text, as somebody would type it: blank lines, dashes, indentation.

use pulldown_cmark::{Event, Tag, TagEnd};

use super::characters;
use super::markdown::lines::{Lines, is_tight};

/// Writes the events as plain text.
pub(super) fn write(events: &[Event<'static>]) -> String {
    let mut plain = Plain::default();
    let mut rest = events;
    while let Some((event, after)) = rest.split_first() {
        plain.event(event, after);
        rest = after;
    }
    characters::without_marker(&plain.lines.finish()).into_owned()
}

#[derive(Default)]
struct Plain {
    lines: Lines,
    leaf: String,
    /// Addresses of the links that are open, and where in `leaf` their text begins.
    links: Vec<(String, usize)>,
    cells: usize,
}

impl Plain {
    fn event(&mut self, event: &Event<'static>, after: &[Event<'static>]) {
        match event {
            Event::Start(tag) => self.start(tag, after),
            Event::End(end) => self.end(*end),
            Event::Text(text) | Event::Code(text) => self.leaf.push_str(text),
            Event::SoftBreak | Event::HardBreak => self.leaf.push(if self.cells > 0 { ' ' } else { '\n' }),
            Event::Rule => {
                self.flush();
                self.lines.block("---");
            }
            // The tree has no other events.
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'static>, after: &[Event<'static>]) {
        match tag {
            Tag::BlockQuote(_) => {
                self.flush();
                self.lines.open_quote();
            }
            Tag::List(start) => {
                self.flush();
                self.lines.open_list(*start, is_tight(after), false);
            }
            Tag::Item => self.lines.open_item("-", '.'),
            Tag::TableHead | Tag::TableRow => self.cells = 0,
            Tag::TableCell => {
                if self.cells > 0 {
                    self.leaf.push_str(" | ");
                }
                self.cells += 1;
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => self.links.push((dest_url.to_string(), self.leaf.len())),
            Tag::Table(_) => {
                self.flush();
                self.lines.open_table();
            }
            _ => {}
        }
    }

    fn end(&mut self, end: TagEnd) {
        match end {
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.lines.close();
            }
            TagEnd::Item => {
                self.flush();
                self.lines.close();
            }
            TagEnd::List(_) => self.lines.close(),
            TagEnd::Table => {
                self.cells = 0;
                self.lines.close();
            }
            // Of an image that leads somewhere, where it leads says more than where it is.
            TagEnd::Image if self.links.len() > 1 && self.described() => self.links.truncate(1),
            TagEnd::Link | TagEnd::Image => self.address(),
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::TableHead | TagEnd::TableRow => self.flush(),
            TagEnd::CodeBlock => {
                self.leaf.truncate(self.leaf.trim_end_matches('\n').len());
                self.flush();
            }
            _ => {}
        }
    }

    /// Whether the innermost link or image has words.
    fn described(&self) -> bool {
        self.links.last().is_some_and(|(_, from)| self.leaf.len() > *from)
    }

    /// Adds the address behind a link's words, unless they say it already.
    fn address(&mut self) {
        let Some((address, from)) = self.links.pop() else {
            return;
        };
        let shown = self.leaf.get(from..).unwrap_or_default();
        let bare = address.strip_prefix("mailto:").unwrap_or(&address);
        let said = shown.trim_end_matches('/') == bare.trim_end_matches('/')
            || address.strip_prefix("http://").is_some_and(|rest| rest.trim_end_matches('/') == shown);
        if shown.is_empty() {
            self.leaf.push_str(bare);
        } else if !said && !shown.ends_with(&format!("({bare})")) {
            self.leaf.push_str(&format!(" ({bare})"));
        }
    }

    fn flush(&mut self) {
        let leaf = std::mem::take(&mut self.leaf);
        if !leaf.is_empty() {
            self.lines.block(&leaf);
        }
    }
}
