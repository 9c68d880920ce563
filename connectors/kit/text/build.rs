//! Builds blocks out of what a reader meets, in the order in which it meets it.
//!
//! Whatever is opened and closed in whatever order, what comes out is a tree that Markdown can say: blocks hold
//! blocks, headings hold one line, cells hold running text.

use pulldown_cmark::Event;

use super::block::{self, Block, COLUMNS_MAX};
use super::characters;
use super::run::{self, Piece, Run, Style};

/// How deep quotes, lists and tables may stand in each other; what is deeper stays at this depth.
pub(super) const BLOCK_DEPTH_MAX: usize = 16;

/// Something that holds something else, while it is open.
#[derive(Debug)]
enum Frame {
    Quote(Vec<Block>),
    List { start: Option<u64>, items: Vec<Vec<Block>> },
    Item(Vec<Block>),
    Heading(u8),
    Code { language: String, text: String },
    Table(Vec<Vec<Vec<Run>>>),
    Row(Vec<Vec<Run>>),
    Cell,
}

/// What can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Quote,
    List(Option<u64>),
    Item,
    Heading(u8),
    Code,
    Table,
    Row,
    Cell,
}

/// A text being built.
#[derive(Debug, Default)]
pub(super) struct Builder {
    document: Vec<Block>,
    frames: Vec<Frame>,
    leaf: Vec<Run>,
    /// The style of what is added next; readers change it as marks open and close.
    pub(super) style: Style,
}

impl Builder {
    /// Adds words; white space in them folds, except in code.
    pub(super) fn text(&mut self, text: &str) {
        let text = characters::clean(text);
        if let Some(Frame::Code { text: code, .. }) = self.frames.last_mut() {
            code.push_str(&text);
        } else if !text.is_empty() {
            self.leaf.push(Run { piece: Piece::Text(text.into_owned()), style: self.style.clone() });
        }
    }

    /// Ends the line.
    pub(super) fn line_break(&mut self) {
        if let Some(Frame::Code { text, .. }) = self.frames.last_mut() {
            text.push('\n');
        } else {
            self.leaf.push(Run { piece: Piece::Break, style: Style::default() });
        }
    }

    /// Adds an image whose address is vetted.
    pub(super) fn image(&mut self, url: String, alt: &str) {
        let alt = characters::clean(alt).split_whitespace().collect::<Vec<_>>().join(" ");
        if matches!(self.frames.last(), Some(Frame::Code { .. })) {
            self.text(&alt);
        } else {
            let style = Style { code: false, ..self.style.clone() };
            self.leaf.push(Run { piece: Piece::Image { url, alt }, style });
        }
    }

    /// Names the language of the code that is open.
    pub(super) fn language(&mut self, name: &str) {
        if let Some(Frame::Code { language, .. }) = self.frames.last_mut()
            && language.is_empty()
        {
            name.clone_into(language);
        }
    }

    /// Adds a line across.
    pub(super) fn rule(&mut self) {
        self.boundary();
        if !self.holds_runs() {
            self.block(Block::Rule);
        }
    }

    /// Ends the paragraph, if one has begun.
    pub(super) fn boundary(&mut self) {
        match self.frames.last_mut() {
            Some(Frame::Code { text, .. }) => {
                if !text.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
            }
            Some(Frame::Heading(_) | Frame::Cell) => {
                self.leaf.push(Run { piece: Piece::Break, style: Style::default() });
            }
            _ => {
                for paragraph in run::paragraphs(std::mem::take(&mut self.leaf)) {
                    self.block(Block::Paragraph(paragraph));
                }
            }
        }
    }

    /// Makes the list that is open one without numbers.
    pub(super) fn unnumbered(&mut self) {
        if let Some(Frame::List { start, items }) = self.frames.last_mut()
            && items.is_empty()
        {
            *start = None;
        }
    }

    /// Opens `part`; says whether it did. Where it cannot stand, only the paragraph ends.
    pub(super) fn open(&mut self, part: Part) -> bool {
        self.boundary();
        let inside_runs = self.holds_runs();
        let deep = self.frames.len() >= BLOCK_DEPTH_MAX;
        let frame = match part {
            Part::Row if matches!(self.frames.last(), Some(Frame::Table(_))) => Frame::Row(Vec::new()),
            Part::Cell if matches!(self.frames.last(), Some(Frame::Row(_))) => Frame::Cell,
            Part::Row | Part::Cell => return false,
            _ if inside_runs || deep => return false,
            Part::Quote => Frame::Quote(Vec::new()),
            Part::List(start) => Frame::List { start, items: Vec::new() },
            Part::Item if matches!(self.frames.last(), Some(Frame::List { .. })) => Frame::Item(Vec::new()),
            Part::Item => return false,
            Part::Heading(level) => Frame::Heading(level),
            Part::Code => Frame::Code { language: String::new(), text: String::new() },
            Part::Table => Frame::Table(Vec::new()),
        };
        self.frames.push(frame);
        true
    }

    /// Closes what was opened last.
    pub(super) fn close(&mut self) {
        if !self.holds_runs() {
            self.boundary();
        }
        let leaf = match self.frames.last() {
            Some(Frame::Heading(_) | Frame::Cell) => std::mem::take(&mut self.leaf),
            _ => Vec::new(),
        };
        match self.frames.pop() {
            Some(Frame::Quote(blocks)) if !blocks.is_empty() => self.block(Block::Quote(blocks)),
            Some(Frame::List { start, items }) if !items.is_empty() => self.block(Block::List { start, items }),
            Some(Frame::Item(blocks)) => self.item(blocks),
            Some(Frame::Heading(level)) => {
                let runs = run::one_line(leaf);
                if !runs.is_empty() {
                    self.block(Block::Heading(level, runs));
                }
            }
            Some(Frame::Code { language, text }) => {
                let text = text.trim_end().trim_start_matches('\n').to_owned();
                if !text.trim().is_empty() {
                    let text = characters::without_marker(&text).into_owned();
                    self.block(Block::Code { language, text });
                }
            }
            Some(Frame::Cell) => self.cell(run::one_paragraph(leaf)),
            Some(Frame::Row(cells)) => {
                if let Some(Frame::Table(rows)) = self.frames.last_mut()
                    && cells.iter().any(|cell| !cell.is_empty())
                {
                    rows.push(cells);
                }
            }
            Some(Frame::Table(rows)) if !rows.is_empty() => self.block(Block::Table(rows)),
            Some(Frame::Quote(_) | Frame::List { .. } | Frame::Table(_)) | None => {}
        }
    }

    /// The finished tree.
    pub(super) fn finish(mut self) -> Vec<Event<'static>> {
        while !self.frames.is_empty() {
            self.close();
        }
        self.boundary();
        let mut out = Vec::new();
        block::events(self.document, &mut out);
        out
    }

    /// Whether only running text can stand here.
    fn holds_runs(&self) -> bool {
        matches!(self.frames.last(), Some(Frame::Heading(_) | Frame::Cell | Frame::Code { .. }))
    }

    fn item(&mut self, blocks: Vec<Block>) {
        if let Some(Frame::List { items, .. }) = self.frames.last_mut()
            && !blocks.is_empty()
        {
            items.push(blocks);
        }
    }

    fn cell(&mut self, runs: Vec<Run>) {
        if let Some(Frame::Row(cells)) = self.frames.last_mut() {
            if cells.len() < COLUMNS_MAX {
                cells.push(runs);
            } else {
                overflow(cells, runs);
            }
        }
    }

    /// Adds a finished block to whatever is open. Directly in a list it belongs to the item before.
    fn block(&mut self, block: Block) {
        match self.frames.last_mut() {
            None => block::push(&mut self.document, block),
            Some(Frame::Quote(blocks) | Frame::Item(blocks)) => block::push(blocks, block),
            Some(Frame::List { items, .. }) => match items.last_mut() {
                Some(item) => block::push(item, block),
                None => items.push(vec![block]),
            },
            // Words between rows or cells get a row or a cell of their own.
            Some(Frame::Table(rows)) => {
                if let Block::Paragraph(runs) = block {
                    rows.push(vec![runs]);
                }
            }
            Some(Frame::Row(_)) => {
                if let Block::Paragraph(runs) = block {
                    self.cell(runs);
                }
            }
            // These hold running text, which never becomes a block inside them.
            Some(Frame::Heading(_) | Frame::Cell | Frame::Code { .. }) => {}
        }
    }
}

fn overflow(cells: &mut [Vec<Run>], runs: Vec<Run>) {
    if let Some(last) = cells.last_mut() {
        if !last.is_empty() && !runs.is_empty() {
            last.push(Run { piece: Piece::Break, style: Style::default() });
        }
        last.extend(runs);
    }
}
