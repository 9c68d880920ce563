//! Reduces any HTML to a small, well-nested HTML of bounded depth, before a library sees it.
//!
//! HTML parsers pay for nesting: 20,000 open `<div>` keep ammonia 4.2 busy for two seconds, and reopened formatting
//! grows with the square of the input. So this pass reads the input once, from left to right, keeps the elements that
//! a [`Text`](super::Text) can say and the attributes it needs, closes what is left open, and drops the rest. It is
//! no sanitiser: what it writes goes through ammonia.

use super::divide::{DIVIDER, divided};
use super::element::{inline, known};
use super::link;
use super::run::CHECKBOXES;
use super::tag::{self, Tag};

/// How many elements may be open at once; further ones are left out, their contents stay.
pub(super) const ELEMENT_DEPTH_MAX: usize = 64;

/// Elements that are dropped with everything in them.
const UNSEEN: [&str; 14] = [
    "script", "style", "template", "noscript", "noembed", "noframes", "title", "svg", "math", "object", "canvas", "select", "iframe",
    "video",
];

/// `html` reduced: at most [`ELEMENT_DEPTH_MAX`] deep, every element closed, no comment, no unknown element.
pub(super) fn reduced(html: &str) -> String {
    let mut scan =
        Scan { rest: html, out: String::with_capacity(html.len() + html.len() / 4), open: Vec::new(), unclosed: Vec::new(), signs: 0 };
    while scan.step() {}
    while let Some(name) = scan.open.pop() {
        scan.end(name);
    }
    scan.out
}

struct Scan<'a> {
    rest: &'a str,
    out: String,
    open: Vec<&'static str>,
    /// Unseen elements that are known to have no end tag in what remains.
    unclosed: Vec<String>,
    /// How many signs to escape have been written.
    signs: usize,
}

impl<'a> Scan<'a> {
    /// Reads one piece; says whether there may be more.
    fn step(&mut self) -> bool {
        let (text, markup) = match self.rest.find('<').and_then(|at| self.rest.split_at_checked(at)) {
            Some((text, markup)) => (text, markup),
            None => (self.rest, ""),
        };
        self.text(text);
        self.rest = markup;
        let Some(after) = markup.strip_prefix('<') else {
            return false;
        };
        if let Some(comment) = after.strip_prefix("!--") {
            self.rest = tag::after_comment(comment);
        } else if after.starts_with(['!', '?']) || (after.starts_with('/') && !tag::begins(after)) {
            self.rest = after.split_once('>').map_or("", |(_, rest)| rest);
        } else if tag::begins(after) {
            match tag::read(after) {
                Some((tag, rest)) => {
                    self.rest = rest;
                    self.tag(&tag);
                }
                // A tag that never ends: what looked like one is text, and so is all that follows.
                None => {
                    self.text(markup);
                    self.rest = "";
                }
            }
        } else {
            self.text("<");
            self.rest = after;
        }
        true
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if !text.trim_ascii().is_empty() {
            self.room_for_words();
        }
        for (text, divide) in divided(text, &mut self.signs) {
            self.out.push_str(if divide { DIVIDER } else { "" });
            self.out.push_str(&text.replace('<', "&lt;"));
        }
    }

    fn tag(&mut self, tag: &Tag<'a>) {
        if UNSEEN.contains(&tag.name.as_str()) {
            if !tag.closing {
                self.unseen(tag);
            }
            return;
        }
        let Some(name) = known(&tag.name) else {
            self.replaced(tag);
            return;
        };
        if tag.closing {
            if name == "br" {
                self.void(name, tag);
            } else {
                self.close_to(name);
            }
            return;
        }
        match name {
            "br" | "hr" | "img" => self.void(name, tag),
            _ => self.start(name, tag),
        }
        self.headed(tag);
        if let Some(state @ ("checked" | "unchecked")) = tag.attribute("data-list") {
            self.checkbox(state == "checked");
        }
    }

    /// Terms and summaries are bold, and end where their definition begins.
    fn headed(&mut self, tag: &Tag<'a>) {
        if matches!(tag.name.as_str(), "dt" | "dd") {
            self.close_within("strong", &["td", "th", "li", "table"]);
        }
        if matches!(tag.name.as_str(), "dt" | "summary") {
            self.start("strong", tag);
        }
    }

    fn checkbox(&mut self, checked: bool) {
        let [ticked, empty] = CHECKBOXES;
        self.text(if checked { ticked } else { empty });
        self.text(" ");
    }

    /// Elements that are shown by other means.
    fn replaced(&mut self, tag: &Tag<'a>) {
        let checkbox = tag.name == "input" && tag.attribute("type").is_some_and(|kind| kind.eq_ignore_ascii_case("checkbox"));
        if checkbox && !tag.closing {
            self.checkbox(tag.attribute("checked").is_some());
        } else if tag.name == "q" {
            self.text(if tag.closing { "\u{201D}" } else { "\u{201C}" });
        } else if matches!(tag.name.as_str(), "audio" | "source" | "embed") && !tag.closing {
            self.linked(tag);
        }
    }

    /// A film or a frame becomes the link to it.
    fn linked(&mut self, tag: &Tag<'a>) {
        let address = tag.attribute("src").map(|src| src.replace("&amp;", "&"));
        if let Some(address) = address.and_then(|src| link::image(&src)) {
            let shown = address.replace('&', "&amp;");
            self.start("div", &Tag { name: "div".to_owned(), closing: false, attributes: Vec::new() });
            self.out.push_str(&format!("<a href=\"{shown}\">{shown}</a>"));
            self.close_to("div");
        }
    }

    fn unseen(&mut self, tag: &Tag<'a>) {
        let known_unclosed = self.unclosed.contains(&tag.name);
        let after = if known_unclosed { None } else { tag::after_end(self.rest, &tag.name) };
        if matches!(tag.name.as_str(), "iframe" | "video") {
            self.linked(tag);
        }
        match after {
            Some((inside, rest)) => {
                if tag.name == "video" && tag.attribute("src").is_none() {
                    self.first_source(inside);
                }
                self.rest = rest;
            }
            // A browser would hide all that follows. Only code is worth that.
            None if matches!(tag.name.as_str(), "script" | "style") => self.rest = "",
            None if !known_unclosed => self.unclosed.push(tag.name.clone()),
            None => {}
        }
    }

    fn first_source(&mut self, inside: &'a str) {
        let source = inside.find("<source").and_then(|at| inside.get(at + 1..)).and_then(tag::read);
        if let Some((source, _)) = source {
            self.linked(&source);
        }
    }

    fn void(&mut self, name: &'static str, tag: &Tag<'a>) {
        if name == "hr" {
            self.close_paragraph();
        }
        self.room_for_words();
        self.write(name, tag);
    }

    fn start(&mut self, name: &'static str, tag: &Tag<'a>) {
        let name = self.prepare(name);
        if name.is_empty() || self.open.len() >= ELEMENT_DEPTH_MAX {
            return;
        }
        self.write(name, tag);
        self.open.push(name);
    }

    /// Closes what `name` implies to be over, opens what it cannot do without, and says what it counts as here.
    fn prepare(&mut self, name: &'static str) -> &'static str {
        if !inline(name) {
            self.close_paragraph();
        }
        match name {
            "li" => {
                self.close_within("li", &["ul", "ol", "td", "th", "table"]);
                if !self.is_open("ul", &["td", "th", "table"]) && !self.is_open("ol", &["td", "th", "table"]) {
                    self.force("ul");
                }
                name
            }
            "tr" | "thead" | "tbody" | "td" | "th" if !self.is_open("table", &[]) => "div",
            "tr" | "thead" | "tbody" => {
                self.close_within("tr", &["table"]);
                if name != "tr" {
                    self.close_within("thead", &["table"]);
                    self.close_within("tbody", &["table"]);
                }
                name
            }
            "td" | "th" => {
                self.close_within("td", &["tr", "table"]);
                self.close_within("th", &["tr", "table"]);
                if !self.is_open("tr", &["table"]) {
                    self.force("tr");
                }
                name
            }
            "ul" | "ol" => {
                if self.open.last().is_some_and(|top| matches!(*top, "table" | "thead" | "tbody" | "tr")) {
                    self.room_for_words();
                }
                name
            }
            _ => {
                if name == "a" {
                    self.close_within("a", &["td", "th", "li", "div", "blockquote"]);
                }
                self.room_for_words();
                name
            }
        }
    }

    /// Opens the cell or item that words need where they stand.
    fn room_for_words(&mut self) {
        match self.open.last() {
            Some(&("table" | "thead" | "tbody")) => {
                self.force("tr");
                self.force("td");
            }
            Some(&"tr") => self.force("td"),
            Some(&("ul" | "ol")) => self.force("li"),
            _ => {}
        }
    }

    /// Opens `name` whatever the depth: at most three of them follow one another.
    fn force(&mut self, name: &'static str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
        self.open.push(name);
    }

    fn close_paragraph(&mut self) {
        let depth = self.open.iter().rev().take_while(|name| inline(name) && **name != "p").count();
        if self.open.iter().rev().nth(depth) == Some(&"p") {
            self.close_top(depth + 1);
        }
    }

    fn close_to(&mut self, name: &'static str) {
        let barriers: &[&str] = match name {
            "table" => &[],
            "td" | "th" | "tr" | "thead" | "tbody" => &["table"],
            "li" => &["ul", "ol", "td", "th", "table"],
            _ if inline(name) => &["td", "th", "table", "li", "ul", "ol", "blockquote"],
            _ => &["td", "th", "table"],
        };
        self.close_within(name, barriers);
    }

    fn close_within(&mut self, name: &str, barriers: &[&str]) {
        let above = self.open.iter().rev().take_while(|open| **open != name && !barriers.contains(open)).count();
        if self.open.iter().rev().nth(above).is_some_and(|open| *open == name) {
            self.close_top(above + 1);
        }
    }

    fn is_open(&self, name: &str, barriers: &[&str]) -> bool {
        self.open.iter().rev().take_while(|open| !barriers.contains(open)).any(|open| *open == name)
    }

    fn close_top(&mut self, count: usize) {
        for _ in 0..count {
            if let Some(name) = self.open.pop() {
                self.end(name);
            }
        }
    }

    fn end(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn write(&mut self, name: &str, tag: &Tag<'a>) {
        self.out.push('<');
        self.out.push_str(name);
        for (attribute, value) in &tag.attributes {
            self.out.push_str(&format!(" {attribute}=\"{}\"", value.replace('"', "&quot;").replace('<', "&lt;")));
        }
        self.out.push('>');
    }
}
