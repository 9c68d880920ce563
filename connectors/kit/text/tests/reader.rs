//! Reads an output as its target would: which words it shows, in which blocks.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::mrkdwn::slack_shown;
use crate::kit::text::{Dialect, Format};

/// The letters and digits that stand together, in order; zero-width spaces do not divide.
pub(super) fn words(shown: &str) -> Vec<String> {
    let joined: String = shown.chars().filter(|c| !matches!(c, '\u{200B}')).collect();
    joined.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Whether all of `wanted` stand in `shown`, in order, whatever stands between.
pub(super) fn in_order(wanted: &[String], shown: &[String]) -> Result<(), String> {
    let mut shown = shown.iter();
    match wanted.iter().find(|word| !shown.any(|shown| shown == *word)) {
        None => Ok(()),
        Some(missing) => Err(missing.clone()),
    }
}

/// What a reader of `output` sees.
pub(super) fn shown(output: &str, format: Format) -> String {
    match format {
        Format::Plain => output.to_owned(),
        Format::Slack => slack_shown(output),
        Format::Html => html_shown(output),
        Format::Markdown(dialect) => {
            let source = match dialect {
                Dialect::Hugo => hugo_read(output),
                Dialect::Jekyll => kramdown_read(output),
                _ => output.to_owned(),
            };
            let mut shown = String::new();
            for event in Parser::new_ext(&source, options()) {
                match event {
                    Event::Text(text) | Event::Code(text) => shown.push_str(&text),
                    // Entities in the little HTML that we write are read by the parser as text.
                    Event::Html(html) => shown.push_str(&html_shown(&html)),
                    Event::InlineHtml(html) if html.starts_with("<br") => shown.push(' '),
                    Event::SoftBreak
                    | Event::HardBreak
                    | Event::Rule
                    | Event::Start(Tag::Image { .. } | Tag::List(_) | Tag::Item | Tag::BlockQuote(_)) => shown.push(' '),
                    Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::TableCell | TagEnd::CodeBlock) => {
                        shown.push(' ');
                    }
                    _ => {}
                }
            }
            shown
        }
    }
}

/// What the targets read beyond CommonMark.
pub(super) fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_FOOTNOTES | Options::ENABLE_GFM
}

fn html_shown(html: &str) -> String {
    let mut shown = String::new();
    let mut rest = html;
    while let Some((text, tag)) = rest.split_once('<') {
        shown.push_str(text);
        let (tag, after) = tag.split_once('>').expect("every tag is whole");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if !["strong", "em", "del", "code", "a"].contains(&name) {
            shown.push(' ');
        }
        if let Some(alt) = tag.split_once("alt=\"").and_then(|(_, alt)| alt.split('"').next()) {
            shown.push_str(alt);
        }
        rest = after;
    }
    shown.push_str(rest);
    decoded(&shown)
}

fn decoded(html: &str) -> String {
    let mut pieces = html.split('&');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once(';').expect("every entity is whole");
        out.push_str(match name {
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            "nbsp" => " ",
            "amp" => "&",
            _ => "",
        });
        out.extend(name.strip_prefix('#').and_then(|code| code.parse().ok()).and_then(char::from_u32));
        out.push_str(rest);
    }
    out
}

/// The source with the bars escaped that stand in code in a table: kramdown finds the code spans of a row first.
fn kramdown_read(source: &str) -> String {
    let mut read = String::new();
    for line in source.split_inclusive('\n') {
        let mut fence = None;
        let mut run = 0;
        for c in line.chars() {
            if c == '`' {
                run += 1;
            } else if run > 0 {
                fence = if fence == Some(run) { None } else { fence.or(Some(run)) };
                run = 0;
            }
            read.push_str(if c == '|' && fence.is_some() && line.contains('|') { "\\" } else { "" });
            read.push(c);
        }
    }
    read
}

/// What Hugo hands to its Markdown parser: its comments undone.
fn hugo_read(source: &str) -> String {
    let mut source = source.to_owned();
    for (open, end) in [("{{<", ">}}"), ("{{%", "%}}")] {
        source = source.replace(&format!("{open}/*"), open).replace(&format!("*/{end}"), end);
    }
    source
}

/// The HTML that a parser makes of Markdown, to compare blocks and marks.
pub(super) fn html_of(markdown: &str) -> String {
    let events: Vec<Event<'_>> = Parser::new_ext(markdown, options()).collect();
    html_of_events(&events)
}

/// The HTML of events; a break in a cell, which Markdown cannot say, is a space.
pub(super) fn html_of_events(events: &[Event<'_>]) -> String {
    let mut html = String::new();
    let mut in_cell = false;
    let events = events.iter().cloned().map(|event| {
        match event {
            Event::Start(Tag::TableCell) => in_cell = true,
            Event::End(TagEnd::TableCell) => in_cell = false,
            _ => {}
        }
        if in_cell && event == Event::HardBreak { Event::Text(" ".into()) } else { event }
    });
    pulldown_cmark::html::push_html(&mut html, events);
    html.replace('\u{200B}', "")
}
