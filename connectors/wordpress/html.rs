//! HTML that WordPress shows as it was written.
//!
//! What a post holds goes through WordPress' filters before readers see it: shortcodes run, an address that stands alone becomes whatever its
//! site offers (oEmbed), `--` becomes a dash, `...` an ellipsis, `2x3` a product, `(tm)` a sign (`wptexturize`), and `:)` a picture
//! (`convert_smilies`). The signs they look for are written as character references, which mean the same to a browser and nothing to them.
//! Quotation marks are left to WordPress.

use crate::kit::entry::{Button, button_html, escaped};

/// `html` whose words do nothing. It is well formed, as [`crate::kit::text::Text::html`] writes it.
pub(super) fn inert(html: &str) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 16);
    let mut rest = html;
    while !rest.is_empty() {
        let (words, tag) = rest.split_at(rest.find('<').unwrap_or(rest.len()));
        write_words(words, &mut out);
        let (tag, after) = tag.split_at(tag_end(tag) + raw_end(tag));
        out.push_str(tag);
        rest = after;
    }
    without_shortcodes(&out)
}

fn write_words(words: &str, out: &mut String) {
    // WordPress takes it for a space.
    let words = &words.replace("&nbsp;", "\u{a0}");
    let mut before = None;
    let mut signs = words.char_indices();
    while let Some((place, sign)) = signs.next() {
        if acts(before, sign, signs.as_str()) {
            out.push_str(&format!("&#{};", u32::from(sign)));
        } else {
            out.push_str(words.get(place..place + sign.len_utf8()).unwrap_or_default());
        }
        before = Some(sign);
    }
}

/// Whether one of the filters looks for `sign`, as it stands between `before` and `after`. Once too often does no harm.
fn acts(before: Option<char>, sign: char, after: &str) -> bool {
    let begins = before.is_none_or(char::is_whitespace);
    let ends = after.is_empty() || after.starts_with(char::is_whitespace);
    let is_digit = |sign: char| sign.is_ascii_digit();
    match sign {
        ':' => begins || after.starts_with("//"),
        ';' => begins,
        '8' => begins && after.starts_with([')', '-', 'O', 'o', '|']),
        '-' => begins || ends || before == Some('-'),
        '.' => before == Some('.'),
        '(' => after.starts_with("tm)"),
        // "Wordpress" would be corrected.
        'p' => before == Some('d') && after.starts_with("ress"),
        'x' => before.is_some_and(is_digit) && after.starts_with(is_digit),
        '`' | '\'' => before == Some(sign),
        _ => false,
    }
}

/// `html` in which no shortcode begins; WordPress looks for them inside of tags too.
fn without_shortcodes(html: &str) -> String {
    html.replace('[', "&#91;")
}

/// Where the tag at the beginning ends: past its `>`, which may stand in a quoted attribute before.
fn tag_end(tag: &str) -> usize {
    let mut quote = None;
    for (place, sign) in tag.char_indices() {
        match (quote, sign) {
            (None, '>') => return place + 1,
            (None, '"' | '\'') => quote = Some(sign),
            (Some(open), _) if open == sign => quote = None,
            _ => {}
        }
    }
    tag.len()
}

/// The entry's button as the themes of WordPress know one.
pub(super) fn button(button: &Button) -> String {
    let around = ("<div class=\"wp-block-buttons\"><div class=\"wp-block-button\">", "</div></div>");
    button_html(button, "wp-block-button__link wp-element-button", around)
}

/// How far a style or script goes on behind its tag: what a person's own template has in it is no text.
fn raw_end(tag: &str) -> usize {
    let tag_end = tag_end(tag);
    let begins = |name: &str| tag.get(1..=name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
    let Some(name) = ["style", "script"].into_iter().find(|name| begins(name)) else { return 0 };
    let rest = tag.get(tag_end..).unwrap_or_default();
    rest.to_ascii_lowercase().find(&format!("</{name}")).unwrap_or(rest.len())
}

/// A line of plain words as the HTML of a title, whose words do nothing.
pub(super) fn title(line: &str) -> String {
    let mut out = String::new();
    write_words(&escaped(line), &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::text::Text;

    #[test]
    fn what_wordpress_would_act_upon_is_written_as_a_reference() {
        let of = |source: &str| inert(&Text::from_html(source).html());
        assert_eq!(of("<p>[gallery ids=1] a[0]</p>"), "<p>&#91;gallery ids=1] a&#91;0]</p>");
        assert_eq!(
            of("<p><a href='https://e.test/?b=--'>--force ...</a></p>"),
            "<p><a href=\"https://e.test/?b=--\" rel=\"noopener noreferrer\">&#45;&#45;force .&#46;&#46;</a></p>"
        );
        assert_eq!(of("<p>ssh://example.test/x</p>"), "<p>ssh&#58;//example.test/x</p>");
        assert_eq!(of("<p>:) 8) a - b 2x3 0.5 (tm) 12:30 ''</p>"), "<p>&#58;) &#56;) a &#45; b 2&#120;3 0.5 &#40;tm) 12:30 '&#39;</p>");
        assert_eq!(of("<p>a&nbsp;-&nbsp;b Wordpress</p>"), "<p>a\u{a0}&#45;\u{a0}b Word&#112;ress</p>");
        assert_eq!(title("--force <b> & [x]"), "&#45;&#45;force &lt;b&gt; &amp; [x]");
        let own = "<style>a { --x: 1 } a:hover {}</style><p>--y</p>";
        assert_eq!(inert(own), "<style>a { --x: 1 } a:hover {}</style><p>&#45;&#45;y</p>");
        // References of the writer's own stay whole.
        assert_eq!(of("<p>a &amp; b&lt;c &quot;d&quot;</p>"), Text::from_html("<p>a &amp; b&lt;c &quot;d&quot;</p>").html());
        assert_eq!(inert("<img alt=\"a>b [x] --\" src='x'>--"), "<img alt=\"a>b &#91;x] --\" src='x'>&#45;&#45;");
        assert_eq!(inert("<b"), "<b");
    }
}
