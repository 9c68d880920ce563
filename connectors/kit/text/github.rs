//! What GitHub acts upon, made inert.
//!
//! GitHub reads issues, comments and titles for mentions (`@user`, `@org/team`), references (`#12`, `GH-12`,
//! `owner/repo#3`, commit hashes, addresses of its own pages) and keywords that close what is referred to
//! (docs page "Autolinked references and URLs", docs page "Basic writing and formatting syntax"). A zero-width space
//! after the sign keeps the words and ends the meaning; addresses go through `redirect.github.com`, which leads to
//! the same page and leaves no trace there. Without a reference a closing keyword is a word.
//!
//! Code is left alone: GitHub looks for nothing in it.

use pulldown_cmark::{CowStr, Event, Tag};

use super::characters::ZERO_WIDTH_SPACE;

/// The length of a commit hash; a SHA-256 one has 64.
const HASH_LENGTHS: [usize; 2] = [40, 64];

/// The shortest piece of a hash that GitHub looks up is one longer.
const HASH_PIECE: usize = 6;

/// What stands for something that is not text between two texts.
const OBJECT: char = '\u{FFFC}';

/// `text` with nothing in it that GitHub acts upon.
pub(super) fn inert(text: &str) -> String {
    let text = redirected(text);
    let points = points(&text);
    parted(&text, 0, &points)
}

/// `events` with nothing in them that GitHub acts upon.
pub(super) fn defused(events: &[Event<'static>]) -> Vec<Event<'static>> {
    let mut out = Vec::with_capacity(events.len());
    let mut leaf: Vec<Event<'static>> = Vec::new();
    let mut in_code = false;
    for event in events {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(pulldown_cmark::TagEnd::CodeBlock) => in_code = false,
            _ => {}
        }
        if is_block(event) || in_code {
            defuse_leaf(&mut leaf, &mut out);
            out.push(event.clone());
        } else {
            leaf.push(readdressed(event));
        }
    }
    defuse_leaf(&mut leaf, &mut out);
    out
}

fn is_block(event: &Event<'static>) -> bool {
    use pulldown_cmark::TagEnd;
    match event {
        Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. }) => false,
        Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image) => false,
        Event::Start(_) | Event::End(_) | Event::Rule => true,
        _ => false,
    }
}

/// The event with GitHub's own addresses led elsewhere.
fn readdressed(event: &Event<'static>) -> Event<'static> {
    let mut event = event.clone();
    match &mut event {
        Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
            *dest_url = CowStr::from(redirected_address(dest_url));
        }
        Event::Text(text) => *text = CowStr::from(redirected(text)),
        _ => {}
    }
    event
}

/// Parts the texts of one paragraph, heading or cell, alone and as they stand side by side.
fn defuse_leaf(leaf: &mut Vec<Event<'static>>, out: &mut Vec<Event<'static>>) {
    let mut all = String::new();
    let mut found = Vec::new();
    let mut starts = Vec::with_capacity(leaf.len());
    for event in leaf.iter() {
        starts.push(all.len());
        match event {
            Event::Text(text) => {
                let base = all.len();
                found.extend(points(text).into_iter().map(|point| base + point));
                all.push_str(text);
            }
            Event::Code(_) => all.push(OBJECT),
            Event::SoftBreak | Event::HardBreak => all.push('\n'),
            _ => {}
        }
    }
    found.extend(points(&all));
    found.sort_unstable();
    found.dedup();
    for (event, start) in leaf.drain(..).zip(starts) {
        out.push(match event {
            Event::Text(text) => Event::Text(parted(&text, start, &found).into()),
            other => other,
        });
    }
}

/// `text`, which begins at `start`, with a zero-width space at each of `points`, which are in order.
fn parted(text: &str, start: usize, points: &[usize]) -> String {
    let end = start + text.len();
    let mut out = String::with_capacity(text.len() + 8);
    let mut from = start;
    for point in points.iter().skip(points.partition_point(|point| *point <= start)) {
        let Some(piece) = text.get(from - start..point.min(&end) - start).filter(|_| *point <= end) else {
            break;
        };
        out.push_str(piece);
        out.push(ZERO_WIDTH_SPACE);
        from = *point;
    }
    out.push_str(text.get(from - start..).unwrap_or_default());
    out
}

/// The places in `text`, as offsets, where a zero-width space ends a meaning.
fn points(text: &str) -> Vec<usize> {
    let mut points = Vec::new();
    let mut before: Option<char> = None;
    let mut hash_from: Option<usize> = None;
    for (at, c) in text.char_indices() {
        let rest = text.get(at + c.len_utf8()..).unwrap_or_default();
        let next = rest.chars().next();
        match c {
            // After a letter, digit or underscore it is an e-mail address; GitHub's own rule.
            '@' if !before.is_some_and(word) && next.is_some_and(|next| !next.is_whitespace()) => {
                points.push(at + 1);
            }
            '#' if next.is_some_and(|next| next.is_ascii_digit()) => {
                points.push(at + 1);
            }
            'g' | 'G' if !before.is_some_and(word) && issue_number(rest) => {
                points.push(at + "GH-".len());
            }
            _ => {}
        }
        if c.is_ascii_alphanumeric() && hash_from.is_none() && !before.is_some_and(word) {
            hash_from = Some(at);
        }
        if let Some(from) = hash_from.filter(|_| !next.is_some_and(word)) {
            let to = at + c.len_utf8();
            if text.get(from..to).is_some_and(|word| is_hash(word, text.get(..from).unwrap_or_default())) {
                points.extend((from + HASH_PIECE..to).step_by(HASH_PIECE));
            }
            hash_from = None;
        }
        before = Some(c);
    }
    points
}

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether `GH-12` goes on here, after its `G`.
fn issue_number(rest: &str) -> bool {
    let mut chars = rest.chars();
    matches!(chars.next(), Some('h' | 'H')) && chars.next() == Some('-') && chars.next().is_some_and(|c| c.is_ascii_digit())
}

/// Whether `word` names a commit: a whole hash, or the start of one after `owner/repo@`.
fn is_hash(word: &str, before: &str) -> bool {
    let short = before.ends_with('@') && word.len() > HASH_PIECE;
    (HASH_LENGTHS.contains(&word.len()) || short) && word.chars().all(|c| c.is_ascii_hexdigit())
}

/// `text` with the addresses of GitHub's pages led through `redirect.github.com`, or parted after `www.`.
fn redirected(text: &str) -> String {
    const HOST: &str = "github.com";
    let lower = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in lower.match_indices(HOST) {
        let before = lower.get(..at).unwrap_or_default();
        let after = lower.get(at + HOST.len()..).unwrap_or_default();
        if goes_on(after) || !(before.ends_with("://") || before.ends_with("www.")) {
            continue;
        }
        out.push_str(text.get(from..at).unwrap_or_default());
        if before.ends_with("www.") {
            out.push(ZERO_WIDTH_SPACE);
        } else {
            out.push_str("redirect.");
        }
        from = at;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// `text` in which no address leads to a page of `host`, a GitHub of one's own: it links back as github.com does and has no redirect, so a
/// zero-width space parts its name.
#[must_use]
pub fn apart_from(text: &str, host: &str) -> String {
    let (lower, host) = (text.to_ascii_lowercase(), host.to_ascii_lowercase());
    let first = host.chars().next().map_or(0, char::len_utf8);
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in lower.match_indices(&host).filter(|(_, found)| !found.is_empty()) {
        let before = lower.get(..at).unwrap_or_default();
        let after = lower.get(at + host.len()..).unwrap_or_default();
        if goes_on(after) || !(before.ends_with("//") || before.ends_with('@') || host.starts_with("www.")) {
            continue;
        }
        out.push_str(text.get(from..at + first).unwrap_or_default());
        out.push(ZERO_WIDTH_SPACE);
        from = at + first;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// Whether the name of a host that ends before `after` is the beginning of a longer one.
fn goes_on(after: &str) -> bool {
    let longer = |c: char| c.is_alphanumeric() || c == '-';
    after.starts_with(longer) || after.strip_prefix('.').is_some_and(|rest| rest.starts_with(longer))
}

/// An address of GitHub's pages, however it is spelled, led through `redirect.github.com`.
fn redirected_address(address: &str) -> String {
    match url::Url::parse(address) {
        Ok(mut url) if url.host_str().is_some_and(|host| matches!(host.trim_end_matches('.'), "github.com" | "www.github.com")) => {
            let set = url.set_host(Some("redirect.github.com"));
            if set.is_ok() { url.to_string() } else { String::new() }
        }
        _ => address.to_owned(),
    }
}
