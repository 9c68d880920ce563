//! Events -> sanitised HTML.

use std::sync::LazyLock;

use pulldown_cmark::{CowStr, Event};

use super::divide::{DIVIDER, divided};

/// Every element that comes out.
pub(super) const TAGS: [&str; 27] = [
    "p",
    "div",
    "strong",
    "em",
    "del",
    "code",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "pre",
    "blockquote",
    "ul",
    "ol",
    "li",
    "a",
    "img",
    "br",
    "hr",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
];

/// The sanitiser for what goes out. The tree holds nothing that it would have to remove; it is the second wall.
static SANITISER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut builder = ammonia::Builder::empty();
    builder
        .add_tags(TAGS)
        .add_tag_attributes("a", ["href"])
        .add_tag_attributes("img", ["src", "alt"])
        .add_tag_attributes("ol", ["start"])
        .add_tag_attributes("code", ["class"])
        .attribute_filter(|element, attribute, value| match (element, attribute) {
            ("code", "class") => value.starts_with("language-").then(|| value.into()),
            _ => Some(value.into()),
        })
        .url_schemes(["http", "https", "mailto", "tel"].into())
        .link_rel(Some("noopener noreferrer"));
    builder
});

/// Writes the events as HTML.
pub(super) fn write(events: &[Event<'static>]) -> String {
    let mut signs = 0;
    let events = events.iter().flat_map(|event| for_serialiser(event, &mut signs));
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events);
    sanitised(&html)
}

/// `html` with nothing but what a text can say.
pub(super) fn sanitised(html: &str) -> String {
    let mut clean = SANITISER.clean(html).to_string();
    clean.truncate(clean.trim_end().len());
    clean
}

/// The event, its text divided for the serialiser as [`divided`] says.
fn for_serialiser(event: &Event<'static>, signs: &mut usize) -> Vec<Event<'static>> {
    let (text, code) = match event {
        Event::Text(text) => (text, false),
        Event::Code(text) => (text, true),
        other => return vec![other.clone()],
    };
    let pieces = divided(text, signs);
    if pieces.len() == 1 {
        return vec![event.clone()];
    }
    let html = |html: &'static str| Event::InlineHtml(CowStr::Borrowed(html));
    let mut out: Vec<Event<'static>> = Vec::with_capacity(pieces.len() * 2 + 2);
    out.extend(code.then(|| html("<code>")));
    for (piece, divide) in pieces {
        out.extend(divide.then(|| html(DIVIDER)));
        out.push(Event::Text(piece.to_owned().into()));
    }
    out.extend(code.then(|| html("</code>")));
    out
}
