//! Runs -> nested events: which marks open and close between two runs, and in which order.

use std::rc::Rc;

use pulldown_cmark::{CowStr, Event, LinkType, Tag, TagEnd};

use super::run::{Piece, Run, Style};

/// How many runs ahead are looked at to decide which mark goes outside.
const LOOKAHEAD_MAX: usize = 64;

/// A mark as it is open around events.
#[derive(Debug, Clone, PartialEq)]
enum Mark {
    Link(Rc<str>),
    Strong,
    Emphasis,
    Deleted,
}

impl Mark {
    fn on(&self, style: &Style) -> bool {
        match self {
            Mark::Link(target) => style.link.as_ref() == Some(target),
            Mark::Strong => style.strong,
            Mark::Emphasis => style.emphasis,
            Mark::Deleted => style.deleted,
        }
    }

    fn start(&self) -> Event<'static> {
        Event::Start(match self {
            Mark::Link(target) => link_tag(target),
            Mark::Strong => Tag::Strong,
            Mark::Emphasis => Tag::Emphasis,
            Mark::Deleted => Tag::Strikethrough,
        })
    }

    fn end(&self) -> Event<'static> {
        Event::End(match self {
            Mark::Link(_) => TagEnd::Link,
            Mark::Strong => TagEnd::Strong,
            Mark::Emphasis => TagEnd::Emphasis,
            Mark::Deleted => TagEnd::Strikethrough,
        })
    }
}

/// The tag of a link without a title.
fn link_tag(target: &str) -> Tag<'static> {
    Tag::Link {
        link_type: LinkType::Inline,
        dest_url: CowStr::from(target.to_owned()),
        title: CowStr::Borrowed(""),
        id: CowStr::Borrowed(""),
    }
}

fn marks(style: &Style) -> Vec<Mark> {
    let mut marks: Vec<Mark> = style.link.iter().cloned().map(Mark::Link).collect();
    // Where both go on equally long, this is how CommonMark reads three asterisks.
    marks.extend(style.emphasis.then_some(Mark::Emphasis));
    marks.extend(style.strong.then_some(Mark::Strong));
    marks.extend(style.deleted.then_some(Mark::Deleted));
    marks
}

/// Writes runs as nested events: the mark that goes on longest is outside.
pub(super) fn events(runs: Vec<Run>, out: &mut Vec<Event<'static>>) {
    let mut open: Vec<Mark> = Vec::new();
    let styles: Vec<Style> = runs.iter().map(|run| run.style.clone()).collect();
    for (at, run) in runs.into_iter().enumerate() {
        let keep = open.iter().take_while(|mark| mark.on(&run.style)).count();
        out.extend(open.drain(keep..).rev().map(|mark| mark.end()));
        let mut opening: Vec<Mark> = marks(&run.style).into_iter().filter(|mark| !open.contains(mark)).collect();
        let reach = |mark: &Mark| styles.iter().skip(at).take(LOOKAHEAD_MAX).take_while(|style| mark.on(style)).count();
        opening.sort_by_key(|mark| std::cmp::Reverse(reach(mark)));
        if run.is_blank() && !run.style.code {
            piece(run, out);
            continue;
        }
        let run = if opening.is_empty() { run } else { after_white(run, out) };
        out.extend(opening.iter().map(Mark::start));
        open.extend(opening);
        piece(run, out);
    }
    out.extend(open.into_iter().rev().map(|mark| mark.end()));
}

/// Writes the white space that `run` begins with, for no mark may open before it, and returns what is left.
fn after_white(mut run: Run, out: &mut Vec<Event<'static>>) -> Run {
    if let Piece::Text(text) = &mut run.piece
        && !run.style.code
    {
        let words = text.trim_start().to_owned();
        let white = text.len() - words.len();
        if white > 0 {
            text.truncate(white);
            out.push(Event::Text(std::mem::replace(text, words).into()));
        }
    }
    run
}

fn piece(run: Run, out: &mut Vec<Event<'static>>) {
    match run.piece {
        Piece::Text(text) if run.style.code => out.push(Event::Code(text.into())),
        Piece::Text(text) => out.push(Event::Text(text.into())),
        Piece::Break => out.push(Event::HardBreak),
        Piece::Image { url, alt } => {
            out.push(Event::Start(Tag::Image {
                link_type: LinkType::Inline,
                dest_url: url.into(),
                title: CowStr::Borrowed(""),
                id: CowStr::Borrowed(""),
            }));
            if !alt.is_empty() {
                out.push(Event::Text(alt.into()));
            }
            out.push(Event::End(TagEnd::Image));
        }
    }
}
