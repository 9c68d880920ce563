//! Plain text -> events. Nothing in it is markup; typed addresses become links.

use pulldown_cmark::Event;

use super::TEXT_BYTES_MAX;
use super::build::Builder;
use super::characters;

/// The width of a tab at the start of a line.
const TAB_WIDTH: usize = 4;

/// The deepest indentation that is kept, in spaces.
const INDENT_MAX: usize = 40;

/// Reads plain text.
pub(super) fn events(text: &str) -> Vec<Event<'static>> {
    let end = (0..=TEXT_BYTES_MAX.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let text = characters::clean(text.get(..end).unwrap_or_default());
    let mut builder = Builder::default();
    for line in text.lines() {
        if line.trim().is_empty() {
            builder.boundary();
        } else {
            builder.text(&indented(line));
            builder.line_break();
        }
    }
    builder.finish()
}

/// `line` with its indentation as no-break spaces, for every format folds ordinary ones and people paste code.
fn indented(line: &str) -> String {
    let words = line.trim_start_matches([' ', '\t']);
    let blank = line.get(..line.len() - words.len()).unwrap_or_default();
    let width: usize = blank.chars().map(|c| if c == '\t' { TAB_WIDTH } else { 1 }).sum();
    format!("{}{words}", "\u{A0}".repeat(if width < 2 { 0 } else { width.min(INDENT_MAX) }))
}
