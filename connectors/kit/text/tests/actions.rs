//! Reads an output as its target would: what it would do.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::mrkdwn::slack_actions;
use super::reader::options;
use crate::kit::text::{Dialect, Format};

/// What the target would do because of `output`; nothing, if all is well.
pub(crate) fn actions(output: &str, format: Format) -> Vec<String> {
    let mut found = Vec::new();
    let acting = |c: char| (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    found.extend(output.chars().filter(|c| acting(*c)).map(|c| format!("character {c:?}")));
    if output.replace([' ', '\n'], "").to_lowercase().contains("<!--sleek") {
        found.push("marker".to_owned());
    }
    match format {
        Format::Plain => {}
        Format::Slack => slack_actions(output, &mut found),
        Format::Html => html_actions(output, &mut found),
        Format::Markdown(dialect) => markdown_actions(output, dialect, &mut found),
    }
    found
}

fn html_actions(output: &str, found: &mut Vec<String>) {
    const TAGS: [&str; 26] = [
        "p",
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
    for tag in output.split('<').skip(1) {
        let Some((tag, _)) = tag.split_once('>') else {
            found.push(format!("open tag {tag}"));
            continue;
        };
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if !TAGS.contains(&name) {
            found.push(format!("tag {tag}"));
        }
        let mut rest = tag;
        while let Some((before, after)) = rest.split_once("=\"") {
            let (value, after) = after.split_once('"').expect("every value is quoted");
            rest = after;
            let attribute = before.rsplit(' ').next().unwrap_or_default();
            let fine = match attribute {
                "href" | "src" => ["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| value.starts_with(scheme)),
                "class" => value.starts_with("language-"),
                "rel" | "alt" | "start" => true,
                _ => false,
            };
            if !fine {
                found.push(format!("attribute {attribute}={value}"));
            }
        }
    }
}

fn markdown_actions(output: &str, dialect: Dialect, found: &mut Vec<String>) {
    if output.starts_with("---") || output.starts_with("+++") || output.starts_with(";;;") {
        found.push("front matter".to_owned());
    }
    for event in Parser::new_ext(output, options()) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) if !allowed_html(&html, dialect) => {
                found.push(format!("html {html}"));
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. })
                if !["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| dest_url.starts_with(scheme)) =>
            {
                found.push(format!("address {dest_url}"));
            }
            Event::FootnoteReference(_) | Event::TaskListMarker(_) => found.push("footnote or task".to_owned()),
            Event::Start(Tag::BlockQuote(Some(_))) => found.push("alert".to_owned()),
            _ => {}
        }
    }
    match dialect {
        Dialect::GitHub => {
            github_actions(output, found);
            github_math(output, found);
        }
        Dialect::Hugo => {
            for (open, end) in [("{{<", ">}}"), ("{{%", "%}}")] {
                for after in output.split(open).skip(1) {
                    let closed = after.find(&format!("*/{end}"));
                    if !after.starts_with("/*") || closed.is_none_or(|at| at < 2) {
                        found.push(format!("shortcode {open}{after}"));
                    }
                }
            }
            found.extend(output.contains("<!--more").then(|| "divider".to_owned()));
        }
        Dialect::Zola | Dialect::Jekyll => {
            let signs = ["{{", "{%", "{:"];
            found.extend(signs.iter().filter(|sign| outside_code(output, **sign == "{:").contains(**sign)).map(|sign| (*sign).to_owned()));
        }
        Dialect::Astro | Dialect::Docusaurus => mdx_actions(output, found),
        Dialect::Plain => {}
    }
}

/// The HTML that we write ourselves.
fn allowed_html(html: &str, dialect: Dialect) -> bool {
    let html = html.trim();
    match dialect {
        Dialect::Hugo | Dialect::Plain => false,
        Dialect::Zola | Dialect::Jekyll => {
            let tag = html.trim_start_matches("<pre>").trim_end_matches("</pre>");
            html == "<br />" || html == "<code>" || html == "</code>" || !tag.replace("<code", "").replace("</code", "").contains('<')
        }
        Dialect::GitHub | Dialect::Astro | Dialect::Docusaurus => matches!(html, "<br />" | "<span>" | "</span>"),
    }
}

/// The source with its code blanked, or all of it where code is executed too.
fn outside_code(output: &str, without_code: bool) -> String {
    if !without_code {
        return output.to_owned();
    }
    let code: Vec<Range<usize>> = Parser::new_ext(output, options())
        .into_offset_iter()
        .filter(|(event, _)| matches!(event, Event::Code(_) | Event::Start(Tag::CodeBlock(_))))
        .map(|(_, range)| range)
        .collect();
    let mut rest = String::new();
    let mut from = 0;
    for range in code {
        rest.push_str(output.get(from..range.start).unwrap());
        rest.push('c');
        from = range.end;
    }
    rest.push_str(output.get(from..).unwrap());
    rest
}

fn mdx_actions(output: &str, found: &mut Vec<String>) {
    let source = outside_code(output, true).replace("<br />", "").replace("<span></span>", "");
    found.extend(["{", "}", "<"].iter().filter(|sign| source.contains(**sign)).map(|sign| (*sign).to_owned()));
    for line in source.lines() {
        let mut line = line.trim_start_matches(' ');
        while let Some(rest) = line.strip_prefix('>').or_else(|| line.strip_prefix("- ")).or_else(|| line.strip_prefix("* ")) {
            line = rest.trim_start_matches(' ');
        }
        if line.starts_with("import") || line.starts_with("export") || line.starts_with(":::") {
            found.push(format!("statement {line}"));
        }
    }
}

/// GitHub's filters: they look at each text node outside code and at the address of each link.
fn github_actions(output: &str, found: &mut Vec<String>) {
    let mut nodes = vec![String::new()];
    let mut in_code = false;
    for event in Parser::new_ext(output, options()) {
        match event {
            Event::Text(text) if !in_code => nodes.last_mut().expect("there is a node").push_str(&text),
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                let host = url::Url::parse(&dest_url).ok().and_then(|url| url.host_str().map(str::to_owned));
                if host.is_some_and(|host| matches!(host.trim_end_matches('.'), "github.com" | "www.github.com")) {
                    found.push(format!("link {dest_url}"));
                }
                nodes.push(String::new());
            }
            _ => nodes.push(String::new()),
        }
    }
    for node in nodes {
        github_text_actions(&node, found);
    }
}

/// GitHub's formulas: between two dollar signs of one paragraph, the second of which has no space before it, or between doubled ones. One in an
/// element of its own is none (docs page "Writing mathematical expressions").
fn github_math(output: &str, found: &mut Vec<String>) {
    let mut paragraph = String::new();
    let (mut in_code, mut in_image) = (false, false);
    for event in Parser::new_ext(output, options()) {
        match event {
            Event::Start(Tag::Image { .. }) => in_image = true,
            Event::End(TagEnd::Image) => in_image = false,
            // The words of an image are an attribute.
            Event::Text(_) | Event::Code(_) if in_image => {}
            Event::Text(text) if !in_code => paragraph.push_str(&text),
            Event::Code(_) => paragraph.push('c'),
            Event::InlineHtml(html) if html.contains("span") => paragraph.push('\0'),
            Event::SoftBreak | Event::HardBreak => paragraph.push('\n'),
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. })
            | Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link) => {}
            Event::Start(_) | Event::End(_) => {
                in_code = matches!(event, Event::Start(Tag::CodeBlock(_)));
                let free = std::mem::take(&mut paragraph).replace("\0$\0", "\0");
                let mut signs = free.match_indices('$').map(|(at, _)| free.get(..at).and_then(|before| before.chars().next_back()));
                let opened = signs.next().is_some();
                if opened && signs.any(|before| before.is_some_and(|before| !before.is_whitespace())) {
                    found.push(format!("formula in {free:?}"));
                }
            }
            _ => {}
        }
    }
}

/// What GitHub's filters find in one text.
pub(crate) fn github_text_actions(text: &str, found: &mut Vec<String>) {
    let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied();
    for (index, c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).and_then(at);
        let digit = |index: usize| at(index).is_some_and(|c| c.is_ascii_digit());
        if *c == '@' && !word(before) && at(index + 1).is_some_and(|c| c.is_ascii_alphanumeric()) {
            found.push(format!("mention in {text:?}"));
        }
        if *c == '#' && digit(index + 1) {
            found.push(format!("reference in {text:?}"));
        }
        let gh = [at(index), at(index + 1), at(index + 2)].map(|c| c.map(|c| c.to_ascii_lowercase()));
        if gh == [Some('g'), Some('h'), Some('-')] && !word(before) && digit(index + 3) {
            found.push(format!("reference in {text:?}"));
        }
    }
    for piece in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')) {
        if piece.len() == 40 && piece.chars().all(|c| c.is_ascii_hexdigit()) {
            found.push(format!("commit in {text:?}"));
        }
    }
    let lower = text.to_lowercase();
    if lower.contains("://github.com/") || lower.contains("www.github.com/") {
        found.push(format!("address in {text:?}"));
    }
}
