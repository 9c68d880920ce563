//! Blocks as lines: what stands before each line, and where blank lines go.

use pulldown_cmark::{Event, Tag};

/// Whether the list that `after` begins in needs no blank lines: none of its items holds a paragraph of its own.
pub(in super::super) fn is_tight(after: &[Event<'static>]) -> bool {
    let mut depth = 1_usize;
    for event in after {
        match event {
            Event::Start(Tag::Paragraph) if depth == 2 => return false,
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    true
}

/// What a block stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Quote,
    List { next: Option<u64>, alternate: bool },
    Item,
    Table,
}

#[derive(Debug)]
struct Container {
    kind: Kind,
    /// Whether blocks in it follow each other without a blank line.
    tight: bool,
    /// Whether nothing stands in it yet.
    fresh: bool,
    /// The kind of list that stands last in it: numbered or not, and whether with the other marker.
    last_list: Option<(bool, bool)>,
    /// What it adds before each line.
    prefix_bytes: usize,
}

/// Lines being written, and the containers that are open around them.
#[derive(Debug)]
pub(in super::super) struct Lines {
    out: String,
    prefix: String,
    containers: Vec<Container>,
    /// Whether there are words on the line that is being written.
    worded: bool,
}

impl Default for Lines {
    fn default() -> Self {
        let document = Container { kind: Kind::Quote, tight: false, fresh: true, last_list: None, prefix_bytes: 0 };
        Self { out: String::new(), prefix: String::new(), containers: vec![document], worded: false }
    }
}

impl Lines {
    /// Writes a block of one or more lines.
    pub(in super::super) fn block(&mut self, text: &str) {
        self.begin(None);
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                self.next_line();
            }
            self.out.push_str(line);
            self.worded |= !line.is_empty();
        }
    }

    /// Opens a quotation.
    pub(in super::super) fn open_quote(&mut self) {
        self.begin(None);
        self.open(Kind::Quote, false, "> ", "> ");
    }

    /// Opens a list; says whether it must use the other marker, not to be read as part of the one before.
    pub(in super::super) fn open_list(&mut self, start: Option<u64>, tight: bool, alternates: bool) -> bool {
        let before = self.containers.last().and_then(|container| container.last_list);
        let alternate = alternates && before == Some((start.is_some(), false));
        self.begin(Some((start.is_some(), alternate)));
        self.open(Kind::List { next: start, alternate }, tight, "", "");
        alternate
    }

    /// Opens an item with `bullet`, or with its number and `delimiter`.
    pub(in super::super) fn open_item(&mut self, bullet: &str, delimiter: char) {
        self.begin(None);
        let (mut marker, mut tight) = (format!("{bullet} "), false);
        if let Some(list) = self.containers.last_mut() {
            tight = list.tight;
            if let Kind::List { next: Some(number), .. } = &mut list.kind {
                marker = format!("{number}{delimiter} ");
                *number += 1;
            }
        }
        let indent = " ".repeat(marker.len());
        self.open(Kind::Item, tight, &marker, &indent);
    }

    /// Opens a table: its rows follow each other line by line.
    pub(in super::super) fn open_table(&mut self) {
        self.begin(None);
        self.open(Kind::Table, true, "", "");
    }

    /// Whether the innermost list uses the other marker.
    pub(in super::super) fn alternate(&self) -> bool {
        matches!(self.containers.last().map(|list| list.kind), Some(Kind::List { alternate: true, .. }))
    }

    /// Closes what was opened last.
    pub(in super::super) fn close(&mut self) {
        if self.containers.len() > 1
            && let Some(container) = self.containers.pop()
        {
            self.prefix.truncate(self.prefix.len() - container.prefix_bytes);
        }
    }

    /// All lines, without white space at their ends.
    pub(in super::super) fn finish(mut self) -> String {
        self.out.truncate(self.out.trim_end_matches([' ', '\n']).len());
        self.out
    }

    fn open(&mut self, kind: Kind, tight: bool, first: &str, rest: &str) {
        self.out.push_str(first);
        self.prefix.push_str(rest);
        self.containers.push(Container { kind, tight, fresh: true, last_list: None, prefix_bytes: rest.len() });
    }

    fn begin(&mut self, list: Option<(bool, bool)>) {
        let Some(container) = self.containers.last_mut() else {
            return;
        };
        let (fresh, tight) = (container.fresh, container.tight);
        container.fresh = false;
        container.last_list = list;
        if !fresh {
            if !tight {
                self.next_line();
            }
            self.next_line();
        }
    }

    fn next_line(&mut self) {
        // A line without words has no spaces at its end; two spaces after words are a line break.
        if !self.worded {
            self.out.truncate(self.out.trim_end_matches(' ').len());
        }
        self.worded = false;
        self.out.push('\n');
        self.out.push_str(&self.prefix);
    }
}
