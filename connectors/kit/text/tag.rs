//! Tags and comments as they stand in HTML of any quality: where they begin, what they say, where they end.
//!
//! Every function reads forward only and returns what is left, so that reading all of a text takes linear time.

/// The attributes that are kept; the first of a name counts.
const ATTRIBUTES: [&str; 9] = ["href", "src", "alt", "start", "class", "type", "checked", "data-language", "data-list"];

/// The longest value that is read, in bytes; a longer one counts as empty. No address or description is that long,
/// and a serialiser takes quadratic time for one.
const VALUE_BYTES_MAX: usize = 16 * 1024;

/// A tag as written.
#[derive(Debug)]
pub(super) struct Tag<'a> {
    /// In lower case.
    pub(super) name: String,
    /// Whether it is an end tag.
    pub(super) closing: bool,
    /// Those of [`ATTRIBUTES`] that it has, values as written, entities included.
    pub(super) attributes: Vec<(&'static str, &'a str)>,
}

impl<'a> Tag<'a> {
    /// The value of an attribute, as written.
    pub(super) fn attribute(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// Whether a start or end tag begins here, given what follows `<`.
pub(super) fn begins(after: &str) -> bool {
    after.strip_prefix('/').unwrap_or(after).starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Reads the tag whose name stands at the start, and returns what follows its `>`; `None` if it never ends.
pub(super) fn read(after: &str) -> Option<(Tag<'_>, &str)> {
    let (closing, after) = after.strip_prefix('/').map_or((false, after), |after| (true, after));
    let (name, mut rest) = split(after, |c| c.is_ascii_whitespace() || matches!(c, '/' | '>'));
    let mut tag = Tag { name: name.to_ascii_lowercase(), closing, attributes: Vec::new() };
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if let Some(rest) = rest.strip_prefix('>') {
            return Some((tag, rest));
        }
        if rest.is_empty() {
            return None;
        }
        let (name, value, left) = attribute(rest)?;
        rest = left;
        let known = ATTRIBUTES.iter().find(|known| known.eq_ignore_ascii_case(name));
        if let Some(known) = known.filter(|known| tag.attribute(known).is_none()) {
            let value = if value.len() <= VALUE_BYTES_MAX { value } else { "" };
            tag.attributes.push((known, value));
        }
    }
}

/// Reads an attribute: its name, its value, and what follows; `None` if a quoted value never ends.
fn attribute(text: &str) -> Option<(&str, &str, &str)> {
    // A name may begin with `=`: the standard says so, and without it nothing would be read here.
    let begin = text.strip_prefix('=').map_or(0, |_| 1);
    let end = text
        .char_indices()
        .find(|(at, c)| *at >= begin && (c.is_ascii_whitespace() || matches!(c, '/' | '>' | '=')))
        .map_or(text.len(), |(at, _)| at);
    let (name, rest) = text.split_at_checked(end)?;
    let Some(value) = rest.trim_ascii_start().strip_prefix('=') else {
        return Some((name, "", rest));
    };
    let value = value.trim_ascii_start();
    for quote in ['"', '\''] {
        if let Some(value) = value.strip_prefix(quote) {
            let (value, rest) = value.split_once(quote)?;
            return Some((name, value, rest));
        }
    }
    let (value, rest) = split(value, |c| c.is_ascii_whitespace() || c == '>');
    Some((name, value, rest))
}

fn split(text: &str, end: impl Fn(char) -> bool) -> (&str, &str) {
    text.find(end).and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""))
}

/// What follows a comment, given what follows `<!--`; one that never ends hides the rest, as in a browser.
pub(super) fn after_comment(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix('>').or_else(|| text.strip_prefix("->")) {
        return rest;
    }
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("--") {
        let end = after.trim_start_matches('-');
        if let Some(rest) = end.strip_prefix('>').or_else(|| end.strip_prefix("!>")) {
            return rest;
        }
        rest = end;
    }
    ""
}

/// What stands before the next end tag of `name` and what follows it, or `None` when there is none.
pub(super) fn after_end<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find("</").map(|at| from + at) {
        let after = text.get(at + 2..)?;
        let ends = after.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
        let rest = if ends { after.get(name.len()..)? } else { "" };
        if ends && !rest.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Some((text.get(..at)?, rest.split_once('>').map_or("", |(_, rest)| rest)));
        }
        from = at + 2;
    }
    None
}
