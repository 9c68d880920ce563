//! Cutting a text to a length, on the tree.
//!
//! How long a text gets depends on the format, and not evenly: so the longest beginning that fits is searched for by
//! writing beginnings. Every result has been measured as it is handed out.

use pulldown_cmark::{Event, Tag, TagEnd};

use super::{Format, Text};

/// What a text ends with when it was cut.
pub const SHORTENED: &str = "\u{2026} (shortened)";

/// A length, in the unit in which a service counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Unicode scalar values.
    Chars(usize),
    /// Bytes of UTF-8.
    Bytes(usize),
    /// UTF-16 code units, as JavaScript and Java count.
    Utf16(usize),
}

impl Length {
    /// Whether `text` is at most this long.
    #[must_use]
    pub fn holds(self, text: &str) -> bool {
        match self {
            Self::Chars(max) => text.chars().nth(max).is_none(),
            Self::Bytes(max) => text.len() <= max,
            Self::Utf16(max) => text.encode_utf16().nth(max).is_none(),
        }
    }

    fn units(self) -> usize {
        match self {
            Self::Chars(max) | Self::Bytes(max) | Self::Utf16(max) => max,
        }
    }
}

/// How far back from the cut the end of a word is looked for, in characters.
const WORD_CHARS_MAX: usize = 32;

/// The search stops when it knows the place to one part in so many of the length.
const PRECISION: usize = 256;

/// Writes as much of `events` as fits, and says whether something is missing.
pub(super) fn cut(events: &[Event<'static>], format: Format, max: Length, note: &str) -> (String, bool) {
    // Every character and every opening takes at least a quarter of a unit in every format: what is larger cannot fit.
    let bound = max.units().saturating_mul(4).saturating_add(64);
    let size = events.iter().map(weight).fold(0_usize, usize::saturating_add);
    if size <= bound {
        let whole = Text { events: events.to_vec() }.write(format);
        if max.holds(&whole) {
            return (whole, false);
        }
    }
    let (mut fits, mut too_long) = (0, size.min(bound) + 1);
    let mut best = beginning(events, 0, note).write(format);
    if !max.holds(&best) {
        return (String::new(), true);
    }
    while too_long - fits > 1 + max.units() / PRECISION {
        let middle = fits + (too_long - fits) / 2;
        let written = beginning(events, middle, note).write(format);
        if max.holds(&written) {
            (fits, best) = (middle, written);
        } else {
            too_long = middle;
        }
    }
    (best, true)
}

fn weight(event: &Event<'static>) -> usize {
    match event {
        Event::Text(text) | Event::Code(text) => text.chars().count(),
        Event::End(_) => 0,
        _ => 1,
    }
}

/// The first `size` of `events`, closed properly, and `note` as a last paragraph.
fn beginning(events: &[Event<'static>], size: usize, note: &str) -> Text {
    let mut out = Vec::new();
    let mut open: Vec<TagEnd> = Vec::new();
    let mut left = size;
    for event in events {
        let weight = weight(event);
        if weight > left {
            match event {
                Event::Text(text) => out.push(Event::Text(words(text, left).into())),
                Event::Code(text) => out.push(Event::Code(words(text, left).into())),
                _ => {}
            }
            break;
        }
        left -= weight;
        match event {
            Event::Start(tag) => open.push(tag.to_end()),
            Event::End(_) => {
                open.pop();
            }
            _ => {}
        }
        out.push(event.clone());
    }
    out.extend(open.into_iter().rev().map(Event::End));
    let mut events = without_empty(out);
    if !note.is_empty() {
        events.extend([Event::Start(Tag::Paragraph), Event::Text(note.to_owned().into()), Event::End(TagEnd::Paragraph)]);
    }
    Text { events }
}

/// At most `max_chars` of `text`, up to the end of a word if one is near.
fn words(text: &str, max_chars: usize) -> String {
    let kept: String = text.chars().take(max_chars).collect();
    let partial = text.chars().nth(max_chars).is_some_and(char::is_alphanumeric);
    let word = kept.chars().rev().take_while(|c| c.is_alphanumeric()).count();
    let whole: String = if partial && word <= WORD_CHARS_MAX { kept.chars().take(max_chars - word).collect() } else { kept };
    whole.trim_end_matches(|c: char| c.is_whitespace() || c == '\u{200D}').to_owned()
}

/// `events` without what holds nothing, and without white space at an end.
pub(super) fn without_empty(events: Vec<Event<'static>>) -> Vec<Event<'static>> {
    let mut out: Vec<Event<'static>> = Vec::with_capacity(events.len());
    for event in events {
        match &event {
            Event::Text(text) | Event::Code(text) if text.is_empty() => continue,
            Event::End(end) => {
                while matches!(out.last(), Some(Event::HardBreak)) {
                    out.pop();
                }
                if matches!(end, TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::TableCell)
                    && let Some(Event::Text(text)) = out.last_mut()
                {
                    *text = text.trim_end().to_owned().into();
                    if text.is_empty() {
                        out.pop();
                    }
                }
                let keeps = matches!(end, TagEnd::TableCell | TagEnd::Image);
                if !keeps && matches!(out.last(), Some(Event::Start(start)) if start.to_end() == *end) {
                    out.pop();
                    continue;
                }
            }
            _ => {}
        }
        out.push(event);
    }
    out
}
