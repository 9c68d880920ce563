//! An entry's text as HTML that Ghost keeps.
//!
//! Ghost turns HTML into a document of its own and loses what that cannot say. Seen at Ghost 6.65: the paragraphs of a list item become one
//! word, code, quotes and images leave their list, lists and headings in a quote lose their lines, an image in a link is gone with its link, and
//! `<del>` is not struck. Such blocks go into an HTML card, which is kept byte for byte ("HTML to Lexical", lossless conversion).

use pulldown_cmark::{Event, Tag};

use crate::kit::entry::{Button, button_html};
use crate::kit::text::Text;

/// So many blocks are given to Ghost's conversion, whose time grows with their square: 60,000 paragraphs took ten minutes, and nothing else was
/// answered meanwhile. More go into one card, and there into one element: 21,000 paragraphs took 16 seconds side by side in a card, 1.5 in a div.
const BLOCKS_MAX: usize = 300;

/// `text` as HTML, what Ghost would lose in cards.
pub(super) fn html(text: &Text) -> String {
    let blocks = text.blocks();
    if blocks.len() > BLOCKS_MAX {
        return card(&format!("<div>{}</div>", text.html()));
    }
    let mut html = String::new();
    // Neighbours share a card.
    let mut kept: Vec<String> = Vec::new();
    for block in &blocks {
        if survives(block.events()) {
            flush(&mut kept, &mut html);
            html.push_str(&block.html());
        } else {
            kept.push(block.html());
        }
    }
    flush(&mut kept, &mut html);
    html
}

fn flush(kept: &mut Vec<String>, html: &mut String) {
    if !kept.is_empty() {
        html.push_str(&card(&kept.join("\n")));
        kept.clear();
    }
}

/// `html` as it is. A text cannot end the card: its own signs of less and more are entities.
pub(super) fn card(html: &str) -> String {
    format!("\n<!--kg-card-begin: html-->\n{html}\n<!--kg-card-end: html-->\n")
}

/// The entry's button as Ghost's own, which comes back as it was sent.
pub(super) fn button(button: &Button) -> String {
    button_html(button, "kg-btn kg-btn-accent", ("<div class=\"kg-card kg-button-card kg-align-center\">", "</div>"))
}

/// Whether Ghost's conversion keeps a block.
fn survives(events: &[Event<'static>]) -> bool {
    let mut open: Vec<&Tag<'static>> = Vec::new();
    for event in events {
        let fits = match event {
            Event::Start(tag) => fits(tag, &open),
            Event::End(_) | Event::Text(_) | Event::Code(_) | Event::SoftBreak | Event::HardBreak | Event::Rule => true,
            _ => false,
        };
        if !fits {
            return false;
        }
        match event {
            Event::Start(tag) => open.push(tag),
            Event::End(_) => drop(open.pop()),
            _ => {}
        }
    }
    true
}

fn fits(tag: &Tag<'static>, open: &[&Tag<'static>]) -> bool {
    let parent = open.last();
    match tag {
        Tag::Paragraph => matches!(parent, None | Some(Tag::BlockQuote(_))),
        Tag::Heading { .. } | Tag::CodeBlock(_) | Tag::BlockQuote(_) => parent.is_none(),
        Tag::List(_) => matches!(parent, None | Some(Tag::Item)),
        Tag::Item | Tag::Strong | Tag::Emphasis | Tag::Link { .. } => true,
        Tag::Image { .. } => open.len() == 1 && matches!(parent, Some(Tag::Paragraph)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_ghost_would_lose_is_put_into_a_card() {
        let cards = |source: &str| html(&Text::from_html(source)).matches("kg-card-begin").count();
        for kept in [
            "<p>a <b>b</b> <i>c</i> <code>d</code> <a href='https://e.test'>e</a><br>f</p>",
            "<h2>a</h2><hr><pre><code class='language-rust'>x</code></pre>",
            "<ul><li>a<ol><li>b</li></ol></li></ul>",
            "<blockquote><p>a</p><p>b</p></blockquote>",
            "<p>a <img src='https://e.test/a.png'> b</p>",
        ] {
            assert_eq!(cards(kept), 0, "{kept}");
        }
        for lost in [
            "<p><del>a</del></p>",
            "<ul><li><p>a</p><p>b</p></li></ul>",
            "<ul><li>a<pre><code>b</code></pre></li></ul>",
            "<ul><li><img src='https://e.test/a.png'></li></ul>",
            "<blockquote><p>a</p><ul><li>b</li></ul></blockquote>",
            "<blockquote><h2>a</h2></blockquote>",
            "<p><a href='https://e.test'><img src='https://e.test/a.png'></a></p>",
            "<table><tr><td>a</td></tr></table><p><del>next to it</del></p>",
        ] {
            assert_eq!(cards(lost), 1, "{lost}: {}", html(&Text::from_html(lost)));
        }
        assert_eq!(cards(&"<p>a</p>".repeat(BLOCKS_MAX + 1)), 1);
    }

    #[test]
    fn a_button_is_ghosts_own_or_words() {
        let of = |href: &str, label: &str| button(&Button { href: href.to_owned(), label: label.to_owned() });
        assert_eq!(
            of("https://e.test/?a=1&b=2", "Try <it>"),
            "<div class=\"kg-card kg-button-card kg-align-center\"><a href=\"https://e.test/?a=1&amp;b=2\" class=\"kg-btn kg-btn-accent\">Try &lt;it&gt;</a></div>"
        );
        assert_eq!(of("javascript:alert(1)", "x"), "<p>x</p>");
    }
}
