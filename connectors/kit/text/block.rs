//! The blocks of a text while it is being read, and how they become events.

use pulldown_cmark::{Alignment, BlockQuoteKind, CodeBlockKind, CowStr, Event, HeadingLevel, Tag, TagEnd};

use super::mark;
use super::run::{self, Run};

/// The most columns a table has; what stands in further cells goes into the last one.
pub(super) const COLUMNS_MAX: usize = 32;

/// The largest number a list may start with: CommonMark reads nine digits.
const LIST_START_MAX: u64 = 999_999_999;

/// Languages that make a site draw or apply the code instead of showing it.
const ACTIVE_LANGUAGES: [&str; 12] =
    ["mermaid", "geojson", "topojson", "stl", "math", "goat", "suggestion", "plantuml", "kroki", "graphviz", "dot", "mdx"];

/// A block.
#[derive(Debug, PartialEq)]
pub(super) enum Block {
    /// Running text.
    Paragraph(Vec<Run>),
    /// A heading and its level, 1 to 6.
    Heading(u8, Vec<Run>),
    /// Code as it stands.
    Code { language: String, text: String },
    /// A quotation.
    Quote(Vec<Block>),
    /// A list, numbered when it has a start.
    List { start: Option<u64>, items: Vec<Vec<Block>> },
    /// Rows of cells; the first row is the head, for Markdown knows no table without.
    Table(Vec<Vec<Vec<Run>>>),
    /// A line across.
    Rule,
}

/// Appends `block`; a list continues the list of the same kind before it, as Markdown would read it anyway, and a box to tick is the
/// beginning of the paragraph that follows it.
pub(super) fn push(blocks: &mut Vec<Block>, block: Block) {
    match (blocks.last_mut(), block) {
        (Some(Block::List { start: None, items }), Block::List { start: None, items: more }) => items.extend(more),
        (Some(Block::Paragraph(before)), Block::Paragraph(runs)) if run::is_checkbox(before) => {
            *before = run::behind_checkbox(std::mem::take(before), runs);
        }
        (_, block) => blocks.push(block),
    }
}

/// Writes blocks as events.
pub(super) fn events(blocks: Vec<Block>, out: &mut Vec<Event<'static>>) {
    for block in blocks {
        write(block, out);
    }
}

fn write(block: Block, out: &mut Vec<Event<'static>>) {
    match block {
        Block::Paragraph(runs) => {
            out.push(Event::Start(Tag::Paragraph));
            mark::events(runs, out);
            out.push(Event::End(TagEnd::Paragraph));
        }
        Block::Heading(level, runs) => {
            let level = HeadingLevel::try_from(usize::from(level)).unwrap_or(HeadingLevel::H6);
            out.push(Event::Start(Tag::Heading { level, id: None, classes: Vec::new(), attrs: Vec::new() }));
            mark::events(runs, out);
            out.push(Event::End(TagEnd::Heading(level)));
        }
        Block::Code { language, text } => {
            let kind = CodeBlockKind::Fenced(CowStr::from(vetted_language(&language)));
            out.push(Event::Start(Tag::CodeBlock(kind)));
            out.push(Event::Text(format!("{text}\n").into()));
            out.push(Event::End(TagEnd::CodeBlock));
        }
        Block::Quote(blocks) => {
            let kind: Option<BlockQuoteKind> = None;
            out.push(Event::Start(Tag::BlockQuote(kind)));
            events(blocks, out);
            out.push(Event::End(TagEnd::BlockQuote(kind)));
        }
        Block::List { start, items } => list(start, items, out),
        Block::Table(rows) => table(rows, out),
        Block::Rule => out.push(Event::Rule),
    }
}

/// `language` in lower case if it is one word that only colours, else nothing.
fn vetted_language(language: &str) -> String {
    let language = language.trim().to_ascii_lowercase();
    let word = language.len() <= 32 && language.chars().all(|c| c.is_ascii_alphanumeric() || "+#._-".contains(c));
    if word && !ACTIVE_LANGUAGES.contains(&language.as_str()) { language } else { String::new() }
}

fn list(start: Option<u64>, items: Vec<Vec<Block>>, out: &mut Vec<Event<'static>>) {
    let start = start.map(|start| start.min(LIST_START_MAX));
    let tight = items.iter().all(|item| is_tight(item));
    out.push(Event::Start(Tag::List(start)));
    for item in items {
        out.push(Event::Start(Tag::Item));
        for block in item {
            match block {
                Block::Paragraph(runs) if tight => mark::events(runs, out),
                other => write(other, out),
            }
        }
        out.push(Event::End(TagEnd::Item));
    }
    out.push(Event::End(TagEnd::List(start.is_some())));
}

/// Whether an item needs no blank line inside: at most one paragraph, then only lists.
fn is_tight(item: &[Block]) -> bool {
    match item {
        [] | [_] => true,
        // CommonMark lets only a list that begins with 1 follow words without a blank line.
        [Block::Paragraph(_), rest @ ..] => rest.iter().all(|block| matches!(block, Block::List { start: None | Some(1), .. })),
        _ => false,
    }
}

fn table(rows: Vec<Vec<Vec<Run>>>, out: &mut Vec<Event<'static>>) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0).clamp(1, COLUMNS_MAX);
    out.push(Event::Start(Tag::Table(vec![Alignment::None; columns])));
    for (at, row) in rows.into_iter().enumerate() {
        let (start, end) = if at == 0 { (Tag::TableHead, TagEnd::TableHead) } else { (Tag::TableRow, TagEnd::TableRow) };
        out.push(Event::Start(start));
        let missing = columns.saturating_sub(row.len());
        for cell in row.into_iter().chain(std::iter::repeat_with(Vec::new).take(missing)) {
            out.push(Event::Start(Tag::TableCell));
            mark::events(cell, out);
            out.push(Event::End(TagEnd::TableCell));
        }
        out.push(Event::End(end));
    }
    out.push(Event::End(TagEnd::Table));
}
