//! Events -> Slack's mrkdwn (docs.slack.dev, "Formatting message text").
//!
//! `&`, `<` and `>` are escaped, which leaves no mention, ping or link but those written here. Slack has no escape for its marks `*`, `_`, `~`
//! and backticks: where a stranger's could open something, invisible characters stand around it. That these keep Slack from acting is a guess;
//! were it wrong, words would be bold. Links say where they lead: words that look like another address do not stand for it.

use pulldown_cmark::{Event, Tag, TagEnd};

use super::characters;
use super::markdown::lines::{Lines, is_tight};

/// Stands around what must not act. It takes no room.
const APART: char = '\u{200B}';
/// Words behind an `@` that would call everybody where a workspace looks for names in plain text.
const EVERYBODY: [&str; 4] = ["here", "channel", "everyone", "group"];
/// What stands for an image that nobody described.
const IMAGE: &str = "image";

/// Writes the events as mrkdwn.
pub(super) fn write(events: &[Event<'static>]) -> String {
    let mut slack = Slack::default();
    let mut rest = events;
    while let Some((event, after)) = rest.split_first() {
        slack.event(event, after);
        rest = after;
    }
    characters::without_marker(&slack.lines.finish()).into_owned()
}

/// A text as one line of inert mrkdwn, made of `chars_max` characters at most; what escapes them comes on top.
#[must_use]
pub fn slack_line(text: &str, chars_max: usize) -> String {
    inert(&super::line(text, chars_max), None)
}

/// A line of words that lead to `address`, as mrkdwn.
#[must_use]
pub fn slack_link(address: &str, words: &str, chars_max: usize) -> String {
    let words = super::line(words, chars_max);
    linked(address, &inert(&words, None), &words)
}

/// A text as mrkdwn that is nothing but words; `before` is what it follows.
fn inert(text: &str, before: Option<char>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = before;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let rest = chars.as_str();
        let opens = !before.is_some_and(char::is_alphanumeric) && rest.chars().next().is_some_and(|next| !next.is_whitespace());
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            // At the beginning of a line it would be a quotation, escaped or not.
            '>' if before.is_none_or(|before| before == '\n') => out.extend([APART, '&', 'g', 't', ';']),
            '>' => out.push_str("&gt;"),
            '`' => out.extend([APART, c, APART]),
            '*' | '_' | '~' if opens => out.extend([APART, c, APART]),
            '@' if EVERYBODY.iter().any(|word| rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))) => {
                out.extend([c, APART]);
            }
            c => out.push(c),
        }
        before = Some(c);
    }
    out
}

#[derive(Default)]
struct Slack {
    lines: Lines,
    leaf: String,
    /// Links and images that are open.
    links: Vec<Open>,
    /// Marks that are open: where in `leaf`, and whether one may stand there.
    marks: Vec<(usize, bool)>,
    cells: usize,
    is_heading: bool,
    is_code: bool,
}

/// A link or image: where it leads, where in `leaf` its words begin, and the words as a reader sees them.
struct Open {
    address: String,
    from: usize,
    words: String,
}

impl Slack {
    fn event(&mut self, event: &Event<'static>, after: &[Event<'static>]) {
        match event {
            Event::Start(tag) => self.start(tag, after),
            Event::End(end) => self.end(*end, after),
            Event::Text(text) if self.is_code => self.leaf.push_str(&escaped(text)),
            Event::Text(text) => self.words(text),
            Event::Code(text) if !text.contains('`') && self.links.is_empty() && self.opens() && closes(after) => {
                self.leaf.push_str(&format!("`{}`", escaped(text)));
            }
            Event::Code(text) => self.words(text),
            Event::SoftBreak | Event::HardBreak => self.leaf.push(if self.cells > 0 || !self.links.is_empty() { ' ' } else { '\n' }),
            Event::Rule => {
                self.flush();
                self.lines.block("———");
            }
            // The tree has no other events.
            _ => {}
        }
    }

    fn words(&mut self, text: &str) {
        let before = self.leaf.chars().next_back();
        self.leaf.push_str(&inert(text, before));
        self.links.iter_mut().for_each(|link| link.words.push_str(text));
    }

    fn start(&mut self, tag: &Tag<'static>, after: &[Event<'static>]) {
        match tag {
            Tag::BlockQuote(_) => {
                self.flush();
                self.lines.open_quote();
            }
            Tag::List(start) => {
                self.flush();
                self.lines.open_list(*start, is_tight(after), false);
            }
            Tag::Item => self.lines.open_item("•", '.'),
            Tag::Heading { .. } => self.is_heading = true,
            Tag::CodeBlock(_) => self.is_code = true,
            Tag::TableHead | Tag::TableRow => self.cells = 0,
            Tag::TableCell => {
                if self.cells > 0 {
                    self.leaf.push_str(" | ");
                }
                self.cells += 1;
            }
            Tag::Strong | Tag::Emphasis | Tag::Strikethrough => {
                self.marks.push((self.leaf.len(), self.opens() && self.links.is_empty()));
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push(Open { address: dest_url.to_string(), from: self.leaf.len(), words: String::new() });
            }
            Tag::Table(_) => {
                self.flush();
                self.lines.open_table();
            }
            _ => {}
        }
    }

    fn end(&mut self, end: TagEnd, after: &[Event<'static>]) {
        match end {
            TagEnd::BlockQuote(_) | TagEnd::Item => {
                self.flush();
                self.lines.close();
            }
            TagEnd::List(_) => self.lines.close(),
            TagEnd::Table => {
                self.cells = 0;
                self.lines.close();
            }
            TagEnd::Strong if self.is_heading => self.marks.truncate(self.marks.len().saturating_sub(1)),
            TagEnd::Strong => self.mark('*', after),
            TagEnd::Emphasis => self.mark('_', after),
            TagEnd::Strikethrough => self.mark('~', after),
            TagEnd::Link => self.link(),
            TagEnd::Image => self.image(),
            TagEnd::Heading(_) => {
                self.is_heading = false;
                let is_line = !self.leaf.is_empty() && !self.leaf.contains('\n');
                let leaf = std::mem::take(&mut self.leaf);
                self.leaf = if is_line { format!("*{leaf}*") } else { leaf };
                self.flush();
            }
            TagEnd::Paragraph | TagEnd::TableHead | TagEnd::TableRow => self.flush(),
            TagEnd::CodeBlock => {
                self.is_code = false;
                let code = std::mem::take(&mut self.leaf);
                self.leaf = format!("```\n{}\n```", code.trim_end_matches('\n').replace('`', &format!("`{APART}")));
                self.flush();
            }
            _ => {}
        }
    }

    /// Whether a mark may stand at the end of what is written.
    fn opens(&self) -> bool {
        self.leaf.chars().next_back().is_none_or(|before| before.is_whitespace() || "(\"'“„".contains(before))
    }

    /// Marks what was written since, where Slack would read it as a mark: at the edges of words, on one line.
    fn mark(&mut self, mark: char, after: &[Event<'static>]) {
        let Some((from, opens)) = self.marks.pop() else { return };
        let written = self.leaf.get(from..).unwrap_or_default();
        let is_tidy = !written.is_empty() && written.trim() == written && !written.contains(['\n', mark]);
        if opens && closes(after) && is_tidy {
            self.leaf.insert(from, mark);
            self.leaf.push(mark);
        }
    }

    fn link(&mut self) {
        let Some(Open { address, from, words }) = self.links.pop() else { return };
        let label = self.leaf.get(from..).unwrap_or_default().to_owned();
        self.leaf.truncate(from);
        self.leaf.push_str(&linked(&address, &label, &words));
    }

    fn image(&mut self) {
        if self.links.len() > 1 {
            // Of an image that leads somewhere, where it leads says more than where it is.
            if self.links.pop().is_some_and(|image| image.words.is_empty()) {
                self.words(IMAGE);
            }
            return;
        }
        if self.links.last().is_some_and(|image| image.words.is_empty()) {
            self.words(IMAGE);
        }
        self.link();
    }

    fn flush(&mut self) {
        let leaf = std::mem::take(&mut self.leaf);
        if !leaf.is_empty() {
            self.lines.block(&leaf);
        }
    }
}

/// Whether a mark may stand before `after`: at the end of a word that nothing else goes on with.
fn closes(after: &[Event<'static>]) -> bool {
    let ends = |event: &&Event<'static>| {
        matches!(event, Event::End(TagEnd::Strong | TagEnd::Emphasis | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image))
    };
    match after.iter().find(|event| !ends(event)) {
        Some(Event::Text(next)) => !next.starts_with(char::is_alphanumeric),
        Some(Event::Code(_) | Event::Start(Tag::Strong | Tag::Emphasis | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. })) => {
            false
        }
        _ => true,
    }
}

/// A link in mrkdwn. `label` is what is shown, as mrkdwn, and `words` the same as a reader sees it.
fn linked(address: &str, label: &str, words: &str) -> String {
    let target = escaped(address).replace('|', "%7C");
    let bare = address.strip_prefix("mailto:").unwrap_or(address);
    match () {
        () if words.trim().is_empty() => format!("<{target}>"),
        () if misleads(words, address) => format!("{label} (<{target}|{}>)", inert(bare, Some('('))),
        () => format!("<{target}|{label}>"),
    }
}

/// Whether a reader would take the words for an address that they do not lead to.
fn misleads(words: &str, address: &str) -> bool {
    let target = host(address.strip_prefix("mailto:").unwrap_or(address));
    let tokens = words.split(|c: char| c.is_whitespace() || "()[]{}<>,;|\"'".contains(c));
    tokens.map(|token| token.trim_end_matches(['.', ':', '!', '?', '…'])).any(|token| is_like_address(token) && host(token) != target)
}

fn is_like_address(token: &str) -> bool {
    token.contains("://") || {
        let host = host(token);
        let labels: Vec<&str> = host.split('.').collect();
        labels.len() > 1
            && labels.iter().all(|label| !label.is_empty())
            && labels.last().is_some_and(|last| last.chars().count() > 1 && last.chars().all(char::is_alphabetic))
    }
}

/// The host of something like an address, in small letters; dots of every width are dots.
fn host(address: &str) -> String {
    let lower: String =
        address.to_lowercase().chars().map(|c| if matches!(c, '\u{FF0E}' | '\u{3002}' | '\u{FF61}') { '.' } else { c }).collect();
    let rest = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.split_once(':').map_or(authority, |(host, _)| host);
    host.strip_prefix("www.").unwrap_or(host).to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Text};

    fn html(html: &str) -> String {
        Text::from_html(html).write(Format::Slack)
    }

    fn plain(text: &str) -> String {
        Text::from_plain(text).write(Format::Slack)
    }

    #[test]
    fn blocks_and_marks_are_slacks() {
        let page = "<h2>News &amp; <b>more</b></h2><p>a <b>b</b>, <i>c</i> <s>d</s> <code>x &lt; `y`</code> <code>&lt;z&gt;</code></p>\
                    <ul><li>one<ol><li>two</li></ol></li></ul><blockquote><p>said</p></blockquote><pre>a ``` b</pre>";
        assert_eq!(
            html(page),
            "*News &amp; more*\n\na *b*, _c_ ~d~ x &lt; \u{200B}`\u{200B}y\u{200B}`\u{200B} `&lt;z&gt;`\n\n• one\n    1. two\n\n> said\n\n\
             ```\na `\u{200B}`\u{200B}`\u{200B} b\n```"
        );
        assert_eq!(html("<p>un<b>believ</b>able</p>"), "unbelievable");
    }

    #[test]
    fn nothing_a_stranger_types_calls_anybody_or_marks_anything() {
        assert_eq!(
            plain("<!channel> <@U024BE7LH> <#C1|x> &lt;!here&gt;"),
            "&lt;!channel&gt; &lt;@U024BE7LH&gt; &lt;#C1|x&gt; &amp;lt;!here&amp;gt;"
        );
        assert_eq!(plain("@here @Channel a@b.com"), "@\u{200B}here @\u{200B}Channel a@b.com");
        assert_eq!(plain("snake_case 2*3 a * b *b*"), "snake_case 2*3 a * b \u{200B}*\u{200B}b*");
        assert_eq!(plain("> quoted\n&gt; too"), "\u{200B}&gt; quoted\n&amp;gt; too");
    }

    #[test]
    fn a_link_leads_where_it_says() {
        assert_eq!(html("<a href='https://a.example/x?b=1&amp;c=2'>it</a>"), "<https://a.example/x?b=1&amp;c=2|it>");
        assert_eq!(
            html("<a href='https://evil.example'>https://bank.example</a>"),
            "https://bank.example (<https://evil.example|https://evil.example>)"
        );
        assert_eq!(
            html("<a href='https://evil.example'>www.bank.example/login</a>"),
            "www.bank.example/login (<https://evil.example|https://evil.example>)"
        );
        assert_eq!(html("<a href='https://www.a.example/x'>a.example</a>"), "<https://www.a.example/x|a.example>");
        assert_eq!(plain("see https://a.example/x?b=1&c=2."), "see <https://a.example/x?b=1&amp;c=2|https://a.example/x?b=1&amp;c=2>.");
        assert_eq!(html("<a href='https://a.example'>a|b &gt; c\nd</a>"), "<https://a.example|a|b &gt; c d>");
        assert_eq!(html("<img src='https://a.example/i.png'>"), "<https://a.example/i.png|image>");
        assert_eq!(html("<a href='mailto:a@b.example'>a@b.example</a>"), "<mailto:a@b.example|a@b.example>");
    }
}
