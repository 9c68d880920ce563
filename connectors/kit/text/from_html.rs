//! HTML -> events.
//!
//! The input is reduced to a bounded HTML, sanitised by ammonia, and what ammonia writes is read into the tree. That
//! last step needs no HTML parser: ammonia's output is always well nested, lower case, quoted, and has five entities.
//!
//! It does not go through a Markdown text on the way: a converter would have to escape every word so that the Markdown
//! parser gives exactly that word back, and those at hand do not (htmd 0.5 turns a typed `&amp;copy;` into a sign,
//! `~~a~~` into a deletion and a bold `"a"` before a letter into asterisks, and recurses as deep as the input nests).

use std::collections::HashSet;
use std::sync::LazyLock;

use pulldown_cmark::Event;

use super::build::{Builder, Part};
use super::run::Style;
use super::{TEXT_BYTES_MAX, link, scan};

/// The sanitiser for what comes in: the elements that [`scan`] leaves, and addresses that only lead somewhere.
static SANITISER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut builder = ammonia::Builder::empty();
    builder
        .add_tags(super::html::TAGS)
        .add_tag_attributes("a", ["href"])
        .add_tag_attributes("img", ["src", "alt"])
        .add_tag_attributes("ol", ["start"])
        .add_tag_attributes("li", ["data-list"])
        .add_tag_attributes("code", ["class", "data-language"])
        .add_tag_attributes("pre", ["class", "data-language"])
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel"]))
        .link_rel(None);
    builder
});

/// Reads HTML.
pub(super) fn events(html: &str) -> Vec<Event<'static>> {
    let end = (0..=TEXT_BYTES_MAX.min(html.len())).rev().find(|end| html.is_char_boundary(*end)).unwrap_or(0);
    let reduced = scan::reduced(html.get(..end).unwrap_or_default());
    let sanitised = SANITISER.clean(&reduced).to_string();
    let mut reader = Reader::default();
    reader.read(&sanitised);
    reader.builder.finish()
}

/// What the end of an element has to undo.
#[derive(Debug)]
enum Undo {
    Nothing,
    Boundary,
    Close,
    Style(Style),
}

#[derive(Debug, Default)]
struct Reader {
    builder: Builder,
    open: Vec<Undo>,
}

impl Reader {
    fn read(&mut self, sanitised: &str) {
        let mut rest = sanitised;
        while let Some((text, markup)) = rest.split_once('<') {
            self.text(text);
            let Some((tag, after)) = markup.split_once('>') else {
                return;
            };
            rest = after;
            if tag.starts_with('/') {
                self.end();
            } else {
                self.start(tag);
            }
        }
        self.text(rest);
    }

    fn text(&mut self, text: &str) {
        if !text.is_empty() {
            self.builder.text(&unescaped(text));
        }
    }

    fn start(&mut self, tag: &str) {
        let name = tag.split(' ').next().unwrap_or(tag);
        let undo = match name {
            "br" => return self.builder.line_break(),
            "hr" => return self.builder.rule(),
            "img" => return self.image(tag),
            "strong" | "em" | "del" | "a" => self.mark(name, tag),
            "code" => self.code(tag),
            "pre" => {
                let opened = self.part(Part::Code);
                self.language(tag);
                opened
            }
            "blockquote" => self.part(Part::Quote),
            "ul" => self.part(Part::List(None)),
            "ol" => {
                let start = attribute(tag, "start").and_then(|start| start.parse().ok());
                self.part(Part::List(Some(start.unwrap_or(1))))
            }
            "li" => {
                // Quill says on the item what the list is: it writes bullets as `<ol>`.
                if attribute(tag, "data-list").is_some_and(|list| list != "ordered") {
                    self.builder.unnumbered();
                }
                self.part(Part::Item)
            }
            "table" => self.part(Part::Table),
            "tr" => self.part(Part::Row),
            "td" | "th" => self.part(Part::Cell),
            "thead" | "tbody" => Undo::Nothing,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = name.strip_prefix('h').and_then(|level| level.parse().ok()).unwrap_or(6);
                self.part(Part::Heading(level))
            }
            _ => {
                self.builder.boundary();
                Undo::Boundary
            }
        };
        self.open.push(undo);
    }

    fn end(&mut self) {
        match self.open.pop() {
            Some(Undo::Boundary) => self.builder.boundary(),
            Some(Undo::Close) => self.builder.close(),
            Some(Undo::Style(style)) => self.builder.style = style,
            Some(Undo::Nothing) | None => {}
        }
    }

    fn part(&mut self, part: Part) -> Undo {
        if self.builder.open(part) { Undo::Close } else { Undo::Boundary }
    }

    fn mark(&mut self, name: &str, tag: &str) -> Undo {
        let before = self.builder.style.clone();
        let style = &mut self.builder.style;
        match name {
            "strong" => style.strong = true,
            "em" => style.emphasis = true,
            "del" => style.deleted = true,
            _ => style.link = attribute(tag, "href").and_then(|href| link::link(&href)).map(Into::into),
        }
        Undo::Style(before)
    }

    /// In a block of code `<code>` only names the language.
    fn code(&mut self, tag: &str) -> Undo {
        self.language(tag);
        let before = self.builder.style.clone();
        self.builder.style.code = true;
        Undo::Style(before)
    }

    fn language(&mut self, tag: &str) {
        let named = attribute(tag, "data-language").or_else(|| {
            let class = attribute(tag, "class")?;
            class
                .split_whitespace()
                .find_map(|class| class.strip_prefix("language-").or_else(|| class.strip_prefix("lang-")).map(str::to_owned))
        });
        if let Some(language) = named {
            self.builder.language(&language);
        }
    }

    fn image(&mut self, tag: &str) {
        let alt = attribute(tag, "alt").unwrap_or_default();
        match attribute(tag, "src").and_then(|src| link::image(&src)) {
            Some(url) => self.builder.image(url, &alt),
            None => self.builder.text(&alt),
        }
    }
}

/// The value of `name` in a tag as ammonia writes it.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"')?;
        if before.rsplit(' ').next() == Some(name) {
            return Some(unescaped(value));
        }
        rest = after;
    }
    None
}

/// Undoes the escaping of an HTML serialiser. `&amp;` comes last, or `&amp;lt;` would become `<`.
fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    text.replace("&nbsp;", "\u{A0}").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
