//! One-line texts: titles for services, words for terminals.

use super::characters;
use super::github;

/// What stands for the rest of a line that was cut.
const ELLIPSIS: char = '\u{2026}';

/// `text` as one line of at most `max_chars` Unicode scalar values, ending with `…` when it was cut.
///
/// White space of every kind becomes one space; control characters and bidirectional overrides are gone.
#[must_use]
pub fn line(text: &str, max_chars: usize) -> String {
    shortened(&one_line(text), max_chars)
}

/// [`line()`], and inert as the title of a GitHub issue: no mention, no reference, nothing a keyword could close; on `host`, too, where GitHub
/// is one's own.
#[must_use]
pub fn github_line(text: &str, max_chars: usize, host: Option<&str>) -> String {
    let line = one_line(text);
    let mut kept_chars = max_chars;
    loop {
        // Cut first: what is left of a long word may be something that GitHub knows.
        let inert = github::inert(&shortened(&line, kept_chars));
        let inert = host.map(|host| github::apart_from(&inert, host)).unwrap_or(inert);
        let over = inert.chars().count().saturating_sub(max_chars);
        if over == 0 {
            return inert;
        }
        kept_chars = kept_chars.saturating_sub(over);
    }
}

/// `text` for a terminal, a table or a log: one line, in which nothing is a command to the terminal.
///
/// Controls are shown as their pictures (ESC is `␛`), so that a reader sees that they were there; bidirectional
/// overrides are gone.
#[must_use]
pub fn terminal(text: &str) -> String {
    text.chars()
        .filter(|c| !characters::reorders(*c))
        .map(|c| match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
            '\u{7F}' => '\u{2421}',
            // The pictures of the C0 controls stand in the order of the controls.
            c if c.is_ascii_control() => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{FFFD}'),
            c if c.is_control() => '\u{FFFD}',
            c => c,
        })
        .collect()
}

fn one_line(text: &str) -> String {
    let line = characters::clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    characters::without_marker(&line).into_owned()
}

fn shortened(text: &str, max_chars: usize) -> String {
    if text.chars().nth(max_chars).is_none() {
        return text.to_owned();
    }
    let Some(kept) = max_chars.checked_sub(1) else {
        return String::new();
    };
    let kept: String = text.chars().take(kept).collect();
    // A joiner at the end would join the next character to the ellipsis.
    let mut kept = kept.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '\u{200D}' | '\u{200B}')).to_owned();
    kept.push(ELLIPSIS);
    kept
}
