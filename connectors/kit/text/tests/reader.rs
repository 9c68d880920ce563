//! Reads an output as its target would: which words it shows, in which blocks.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

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
        Format::Html => html_shown(output),
        Format::Markdown(dialect) => {
<<<<<<< HEAD
            let source = if dialect == Dialect::Hugo { hugo_read(output) } else { output.to_owned() };
=======
            let source = match dialect {
                Dialect::Hugo => hugo_read(output),
                Dialect::Jekyll => kramdown_read(output),
                _ => output.to_owned(),
            };
>>>>>>> text
            let mut shown = String::new();
            for event in Parser::new_ext(&source, options()) {
                match event {
                    Event::Text(text) | Event::Code(text) => shown.push_str(&text),
                    // Entities in the little HTML that we write are read by the parser as text.
                    Event::Html(html) => shown.push_str(&html_shown(&html)),
                    Event::InlineHtml(html) if html.starts_with("<br") => shown.push(' '),
<<<<<<< HEAD
                    Event::SoftBreak | Event::HardBreak | Event::Rule => shown.push(' '),
                    Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item | TagEnd::TableCell | TagEnd::CodeBlock) => {
=======
                    Event::SoftBreak
                    | Event::HardBreak
                    | Event::Rule
                    | Event::Start(
                        Tag::Image { .. } | Tag::List(_) | Tag::Item | Tag::BlockQuote(_),
                    ) => shown.push(' '),
                    Event::End(
                        TagEnd::Paragraph
                        | TagEnd::Heading(_)
                        | TagEnd::Item
                        | TagEnd::TableCell
                        | TagEnd::CodeBlock,
                    ) => {
>>>>>>> text
                        shown.push(' ');
                    }
                    _ => {}
                }
            }
            shown
        }
    }
}

<<<<<<< HEAD
fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_FOOTNOTES | Options::ENABLE_GFM
=======
/// What the targets read beyond CommonMark.
pub(super) fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_GFM
>>>>>>> text
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
<<<<<<< HEAD
    for code in 33..127_u32 {
        shown = shown.replace(&format!("&#{code};"), &char::from_u32(code).unwrap_or(' ').to_string());
    }
    shown.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&nbsp;", " ").replace("&amp;", "&")
=======
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
        out.extend(
            name.strip_prefix('#')
                .and_then(|code| code.parse().ok())
                .and_then(char::from_u32),
        );
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
                fence = if fence == Some(run) {
                    None
                } else {
                    fence.or(Some(run))
                };
                run = 0;
            }
            read.push_str(if c == '|' && fence.is_some() && line.contains('|') {
                "\\"
            } else {
                ""
            });
            read.push(c);
        }
    }
    read
>>>>>>> text
}

/// What Hugo hands to its Markdown parser: its comments undone.
fn hugo_read(source: &str) -> String {
    let mut source = source.to_owned();
    for (open, end) in [("{{<", ">}}"), ("{{%", "%}}")] {
        source = source.replace(&format!("{open}/*"), open).replace(&format!("*/{end}"), end);
    }
    source
}

<<<<<<< HEAD
/// What the target would do because of `output`; nothing, if all is well.
pub(super) fn actions(output: &str, format: Format) -> Vec<String> {
    let mut found = Vec::new();
    let acting = |c: char| (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    found.extend(output.chars().filter(|c| acting(*c)).map(|c| format!("character {c:?}")));
    if output.replace([' ', '\n'], "").to_lowercase().contains("<!--sleekplan") {
        found.push("marker".to_owned());
    }
    match format {
        Format::Plain => {}
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
        for (before, value) in tag.split("=\"").zip(tag.split("=\"").skip(1)) {
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
=======
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
>>>>>>> text
            _ => {}
        }
        if in_cell && event == Event::HardBreak {
            Event::Text(" ".into())
        } else {
            event
        }
<<<<<<< HEAD
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
        _ => html == "<br />",
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
        rest.push_str(&output[from..range.start]);
        from = range.end;
    }
    rest.push_str(&output[from..]);
    rest
}

fn mdx_actions(output: &str, found: &mut Vec<String>) {
    let source = outside_code(output, true).replace("<br />", "");
    found.extend(["{", "}", "<"].iter().filter(|sign| source.contains(**sign)).map(|sign| (*sign).to_owned()));
    for line in source.lines() {
        let line = line.trim_start_matches(['>', '-', '*', ' ', '|']);
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

/// What GitHub's filters find in one text.
pub(super) fn github_text_actions(text: &str, found: &mut Vec<String>) {
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
=======
    });
    pulldown_cmark::html::push_html(&mut html, events);
    html.replace('\u{200B}', "")
>>>>>>> text
}
