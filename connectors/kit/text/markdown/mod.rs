//! Events -> Markdown for one program.
//!
//! Promised: a parser of that dialect gives back the same blocks and the same visible words, and none of the words
//! is a command to the program (see [`Dialect`](super::Dialect)). Where a program executes even what stands in code
//! ([`code`] says which), code is written so that it looks the same.
//!
//! The writer is our own: pulldown-cmark-to-cmark escapes for one dialect only, and what has to be escaped beyond it
//! depends on the neighbours of each character, which only the writer sees.

mod code;
mod escape;
mod inline;
pub(super) mod lines;

use std::borrow::Cow;

use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

use self::inline::Place;
use self::lines::Lines;
use super::{Dialect, github};

/// Writes the events as Markdown.
pub(super) fn write(events: &[Event<'static>], dialect: Dialect) -> String {
    let events = match dialect {
        Dialect::GitHub => Cow::Owned(github::defused(events)),
        _ => Cow::Borrowed(events),
    };
    let mut writer = Writer::new(dialect);
    let mut rest: &[Event<'static>] = &events;
    while let Some((event, after)) = rest.split_first() {
        writer.event(event, after);
        rest = after;
    }
    writer.flush(Place::Paragraph);
    writer.lines.finish()
}

struct Writer<'a> {
    dialect: Dialect,
    lines: Lines,
    /// The running text of the paragraph, heading or cell that is open.
    leaf: Vec<&'a Event<'static>>,
    heading: usize,
    code: Option<(String, String)>,
    row: Vec<String>,
    columns: usize,
}

impl<'a> Writer<'a> {
    fn new(dialect: Dialect) -> Self {
        Self { dialect, lines: Lines::default(), leaf: Vec::new(), heading: 0, code: None, row: Vec::new(), columns: 0 }
    }

    fn event(&mut self, event: &'a Event<'static>, after: &[Event<'static>]) {
        match event {
            Event::Text(text) if self.code.is_some() => {
                if let Some((_, code)) = &mut self.code {
                    code.push_str(text);
                }
            }
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. })
            | Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image)
            | Event::Text(_)
            | Event::Code(_)
            | Event::SoftBreak
            | Event::HardBreak => self.leaf.push(event),
            Event::Start(tag) => self.start(tag, after),
            Event::End(end) => self.end(*end),
            Event::Rule => {
                self.flush(Place::Paragraph);
                // Three asterisks: dashes would be front matter at the top and underline the words above.
                self.lines.block("***");
            }
            // The tree has no other events.
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'static>, after: &[Event<'static>]) {
        self.flush(Place::Paragraph);
        match tag {
            // Docusaurus takes the first heading of the first level for the title, which its page has already, and leaves it out.
            Tag::Heading { level, .. } if self.dialect == Dialect::Docusaurus => self.heading = (*level as usize).max(2),
            Tag::Heading { level, .. } => self.heading = *level as usize,
            Tag::BlockQuote(_) => self.lines.open_quote(),
            Tag::CodeBlock(kind) => {
                let language = match kind {
                    CodeBlockKind::Fenced(language) => language.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some((language, String::new()));
            }
            Tag::List(start) => {
                let alternate = self.lines.open_list(*start, lines::is_tight(after), true);
                // kramdown knows no `1)`: its end-of-block mark keeps two lists apart.
                if alternate && self.dialect == Dialect::Jekyll {
                    self.lines.block("^");
                }
            }
            Tag::Item => {
                let (bullet, delimiter) = match (self.lines.alternate(), self.dialect) {
                    (false, _) | (_, Dialect::Jekyll) => ("-", '.'),
                    (true, _) => ("*", ')'),
                };
                self.lines.open_item(bullet, delimiter);
            }
            Tag::Table(alignments) => {
                self.columns = alignments.len();
                self.lines.open_table();
            }
            _ => {}
        }
    }

    fn end(&mut self, end: TagEnd) {
        match end {
            TagEnd::Heading(_) => {
                self.flush(Place::Heading(self.heading));
                self.heading = 0;
            }
            TagEnd::CodeBlock => {
                if let Some((language, code)) = self.code.take() {
                    self.lines.block(&code::block(&language, &code, self.dialect));
                }
            }
            TagEnd::BlockQuote(_) | TagEnd::Item | TagEnd::List(_) | TagEnd::Table => {
                self.flush(Place::Paragraph);
                self.lines.close();
            }
            TagEnd::TableCell => {
                let cell = inline::write(&std::mem::take(&mut self.leaf), self.dialect, Place::Cell);
                self.row.push(cell);
            }
            TagEnd::TableHead => {
                self.row();
                let rule = "|".to_owned() + &" --- |".repeat(self.columns);
                self.lines.block(&rule);
            }
            TagEnd::TableRow => self.row(),
            _ => self.flush(Place::Paragraph),
        }
    }

    fn row(&mut self) {
        let mut cells = std::mem::take(&mut self.row);
        cells.resize(self.columns, String::new());
        let row: String = cells.iter().map(|cell| if cell.is_empty() { "  |".to_owned() } else { format!(" {cell} |") }).collect();
        self.lines.block(&format!("|{row}"));
    }

    fn flush(&mut self, place: Place) {
        let leaf = std::mem::take(&mut self.leaf);
        let text = inline::write(&leaf, self.dialect, place);
        if text.is_empty() {
            return;
        }
        match place {
            Place::Heading(level) => self.lines.block(&format!("{} {text}", "#".repeat(level.max(1)))),
            Place::Paragraph | Place::Cell => self.lines.block(&text),
        }
    }
}
