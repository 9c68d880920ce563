//! Which characters may be in a text at all.
//!
//! Removed are those that act instead of being read: controls (a terminal obeys them, XML and PostgreSQL refuse them),
//! bidirectional embeddings, overrides and isolates (they reorder what stands beside them), and code points that are
//! not characters. Joiners and direction marks stay: emoji, Persian and Hebrew need them.

use std::borrow::Cow;

/// The zero-width space that parts what must not be read as one word.
pub(super) const ZERO_WIDTH_SPACE: char = '\u{200B}';

/// How the comments begin by which connectors find what they wrote.
const MARKERS: [&str; 3] = ["sleekplan", "sleeksync", "sp-"];

/// How many characters of code are looked at after `<!--` for the start of a marker.
const MARKER_GAP_MAX: usize = 64;

/// Whether `c` reorders the text around it.
pub(super) fn reorders(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether `c` may stay in a text; line feed and tab may.
fn stays(c: char) -> bool {
    match c {
        '\n' | '\t' => true,
        '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' => false,
        c if c.is_control() || reorders(c) => false,
        c => (c as u32) & 0xFFFE != 0xFFFE && !matches!(c, '\u{FDD0}'..='\u{FDEF}'),
    }
}

/// `text` with line ends as line feeds, without the characters that act.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| stays(c) && !matches!(c, '\u{2028}' | '\u{2029}')) {
        Cow::Borrowed(text)
    } else {
        let lines = text.replace("\r\n", "\n").replace(['\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{B}', '\u{C}'], "\n");
        Cow::Owned(lines.chars().filter(|c| stays(*c)).collect())
    }
}

/// `text` with every comment that begins like one of [`MARKERS`] broken, so that nobody but us can write a marker.
///
/// In most outputs `<` is escaped anyway; in code and in plain text it is not. To be asked of whole texts: the pieces
/// of a marker are none.
pub(super) fn without_marker(text: &str) -> Cow<'_, str> {
    if !text.contains("<!--") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut pieces = text.split("<!--");
    out.extend(pieces.next());
    for piece in pieces {
        let word: String = piece.chars().take(MARKER_GAP_MAX).filter(|c| c.is_alphanumeric() || *c == '-').take(9).collect();
        let word = word.to_ascii_lowercase();
        out.push('<');
        if MARKERS.iter().any(|marker| word.starts_with(marker)) {
            out.push(ZERO_WIDTH_SPACE);
        }
        out.push_str("!--");
        out.push_str(piece);
    }
    Cow::Owned(out)
}
