//! Running text: what stands inside a paragraph, a heading or a cell.
//!
//! While reading, running text is a flat list of runs that each know their own marks. Only when a paragraph is
//! complete do the runs become nested events ([`mark`](super::mark)), so misnested, repeated and empty markup cannot leave a trace.

use std::borrow::Cow;
use std::rc::Rc;

use super::characters;
use super::link::{self, Typed};

/// What stands for a box that is ticked and one that is not.
pub(super) const CHECKBOXES: [&str; 2] = ["\u{2611}", "\u{2610}"];

/// What is said about a run.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Style {
    pub(super) strong: bool,
    pub(super) emphasis: bool,
    pub(super) deleted: bool,
    pub(super) code: bool,
    pub(super) link: Option<Rc<str>>,
}

/// A piece of running text in one style.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub(super) piece: Piece,
    pub(super) style: Style,
}

/// What a run is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// Words.
    Text(String),
    /// The end of a line that is not the end of the paragraph.
    Break,
    /// A vetted address and what it shows.
    Image { url: String, alt: String },
}

impl Run {
    fn text(text: &str, style: &Style) -> Self {
        Self { piece: Piece::Text(text.to_owned()), style: style.clone() }
    }

    /// Whether it is only white space.
    pub(super) fn is_blank(&self) -> bool {
        matches!(&self.piece, Piece::Text(text) if text.trim().is_empty())
    }

    fn visible(&self) -> bool {
        match &self.piece {
            Piece::Text(text) => text.chars().any(|c| !c.is_whitespace() && !matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}')),
            Piece::Break => false,
            Piece::Image { .. } => true,
        }
    }
}

/// Divides what was read between two block boundaries into paragraphs: two breaks in a row divide.
///
/// White space is folded as HTML does, trimmed at both ends, and never the edge of emphasis; typed addresses become
/// links. What shows nothing is left out.
pub(super) fn paragraphs(runs: Vec<Run>) -> Vec<Vec<Run>> {
    let mut done = Vec::new();
    let mut current: Vec<Run> = Vec::new();
    let mut breaks = 0;
    for run in folded(runs) {
        if run.piece == Piece::Break {
            breaks += 1;
            continue;
        }
        if breaks > 0 && !current.is_empty() {
            if breaks > 1 {
                done.push(std::mem::take(&mut current));
            } else {
                current.push(Run { piece: Piece::Break, style: Style::default() });
            }
        }
        breaks = 0;
        current.push(run);
    }
    done.push(current);
    done.into_iter()
        .filter(|runs| runs.iter().any(Run::visible))
        .map(|runs| merged(linked(trimmed(edged(merged(runs))))).into_iter().map(unmarked).collect())
        .collect()
}

/// Whether there is nothing but a box to tick.
pub(super) fn is_checkbox(runs: &[Run]) -> bool {
    let mut shown = runs.iter().filter(|run| run.visible());
    match (shown.next(), shown.next()) {
        (Some(Run { piece: Piece::Text(text), style }), None) => !style.code && CHECKBOXES.contains(&text.trim()),
        _ => false,
    }
}

/// A paragraph that follows a box to tick, with it.
pub(super) fn behind_checkbox(mut checkbox: Vec<Run>, runs: Vec<Run>) -> Vec<Run> {
    checkbox.push(Run::text(" ", &Style::default()));
    checkbox.extend(runs);
    merged(checkbox)
}

/// The run without a forged marker.
fn unmarked(mut run: Run) -> Run {
    if let Piece::Text(text) | Piece::Image { alt: text, .. } = &mut run.piece
        && let Cow::Owned(clean) = characters::without_marker(text)
    {
        *text = clean;
    }
    run
}

/// All of it as one line: breaks are spaces.
pub(super) fn one_line(runs: Vec<Run>) -> Vec<Run> {
    let spaced = runs.into_iter().map(|run| if run.piece == Piece::Break { Run::text(" ", &Style::default()) } else { run }).collect();
    paragraphs(spaced).into_iter().flatten().collect()
}

/// All of it as one paragraph: several breaks in a row are one.
pub(super) fn one_paragraph(runs: Vec<Run>) -> Vec<Run> {
    let mut all = Vec::new();
    for paragraph in paragraphs(runs) {
        if !all.is_empty() {
            all.push(Run { piece: Piece::Break, style: Style::default() });
        }
        all.extend(paragraph);
    }
    all
}

/// Folds white space to one space, across runs, with none at the ends of lines.
fn folded(runs: Vec<Run>) -> Vec<Run> {
    let mut out: Vec<Run> = Vec::with_capacity(runs.len());
    let mut spaced = true;
    for run in runs {
        match run.piece {
            Piece::Text(text) => {
                let mut kept = String::with_capacity(text.len());
                for c in text.chars() {
                    let space = matches!(c, ' ' | '\t' | '\n');
                    if space && !spaced {
                        kept.push(' ');
                    } else if !space {
                        kept.push(c);
                    }
                    spaced = space;
                }
                if !kept.is_empty() {
                    out.push(Run { piece: Piece::Text(kept), style: run.style });
                }
            }
            Piece::Break => {
                trim_end(&mut out);
                spaced = true;
                out.push(run);
            }
            Piece::Image { .. } => {
                spaced = false;
                out.push(run);
            }
        }
    }
    trim_end(&mut out);
    out
}

/// Removes what is not seen at the end, no-break spaces too; at the beginning those are indentation.
fn trimmed(mut runs: Vec<Run>) -> Vec<Run> {
    loop {
        match runs.last_mut().map(|run| &mut run.piece) {
            Some(Piece::Text(text)) => {
                text.truncate(text.trim_end().len());
                if !text.is_empty() {
                    return runs;
                }
            }
            Some(Piece::Break) => {}
            Some(Piece::Image { .. }) | None => return runs,
        }
        runs.pop();
    }
}

fn trim_end(runs: &mut Vec<Run>) {
    while let Some(Run { piece: Piece::Text(text), .. }) = runs.last_mut() {
        text.truncate(text.trim_end_matches(' ').len());
        if !text.is_empty() {
            break;
        }
        runs.pop();
    }
}

/// Moves the white space at the edges of each run out of the marks that end there: `a<b> b</b>` is `a <b>b</b>`.
fn edged(runs: Vec<Run>) -> Vec<Run> {
    let mut out: Vec<Run> = Vec::with_capacity(runs.len());
    // White space of several runs ends where the next words begin.
    let mut next = Style::default();
    let mut afters: Vec<Style> = Vec::with_capacity(runs.len());
    for run in runs.iter().rev() {
        afters.push(next.clone());
        if !run.is_blank() || run.style.code {
            next = run.style.clone();
        }
    }
    for (run, after) in runs.into_iter().zip(afters.into_iter().rev()) {
        let text = match &run.piece {
            Piece::Text(text) if !run.style.code => text,
            _ => {
                out.push(run);
                continue;
            }
        };
        let before = out.last().map(|run| run.style.clone()).unwrap_or_default();
        let white = |c: char| c.is_whitespace();
        let tail = text.trim_start_matches(white);
        let words = tail.trim_end_matches(white);
        let head = text.get(..text.len() - tail.len()).unwrap_or_default();
        let rest = tail.get(words.len()..).unwrap_or_default();
        let mut leading = shared(&run.style, &before);
        if words.is_empty() {
            leading = shared(&leading, &after);
        }
        for (part, style) in [(head, leading), (words, run.style.clone()), (rest, shared(&run.style, &after))] {
            if !part.is_empty() {
                out.push(Run::text(part, &style));
            }
        }
    }
    out
}

fn shared(a: &Style, b: &Style) -> Style {
    Style {
        strong: a.strong && b.strong,
        emphasis: a.emphasis && b.emphasis,
        deleted: a.deleted && b.deleted,
        code: a.code && b.code,
        link: a.link.clone().filter(|link| b.link.as_ref() == Some(link)),
    }
}

fn linked(runs: Vec<Run>) -> Vec<Run> {
    let mut out = Vec::with_capacity(runs.len());
    for run in merged(runs) {
        match &run.piece {
            Piece::Text(text) if !run.style.code && run.style.link.is_none() => {
                for typed in link::typed(text) {
                    match typed {
                        Typed::Words(words) => out.push(Run::text(words, &run.style)),
                        Typed::Address(shown, target) => {
                            let style = Style { link: Some(target.into()), ..run.style.clone() };
                            out.push(Run::text(shown, &style));
                        }
                    }
                }
            }
            _ => out.push(run),
        }
    }
    out
}

fn merged(runs: Vec<Run>) -> Vec<Run> {
    let mut out: Vec<Run> = Vec::with_capacity(runs.len());
    for run in runs {
        match (out.last_mut(), &run.piece) {
            (Some(Run { piece: Piece::Text(before), style }), Piece::Text(text)) if *style == run.style => {
                before.push_str(text);
            }
            _ => out.push(run),
        }
    }
    out
}
