//! HTML that WordPress shows as it was written.
//!
//! What a post holds goes through WordPress' filters before readers see it: shortcodes run, an address that stands alone becomes whatever its
//! site offers (oEmbed), two hyphens become a dash and three dots an ellipsis (`wptexturize`). The signs they look for are written as
//! character references, which mean the same to a browser and nothing to them. Quotation marks are left to WordPress.

/// Where the signs that are looked for stand in the text of a page, and what is written instead.
const IN_TEXT: [(&str, &str); 3] = [("://", "&#58;//"), ("--", "-&#45;"), ("...", "..&#46;")];

/// `html` whose words do nothing. It is well formed, as [`crate::kit::text::Text::html`] writes it.
pub(super) fn inert(html: &str) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 16);
    let mut rest = html;
    while !rest.is_empty() {
        let text = rest.find('<').unwrap_or(rest.len());
        let (words, tag) = rest.split_at(text);
        out.push_str(&IN_TEXT.iter().fold(words.to_owned(), |words, (sign, instead)| words.replace(sign, instead)));
        let end = tag_end(tag);
        let (tag, after) = tag.split_at(end);
        out.push_str(tag);
        rest = after;
    }
    without_shortcodes(&out)
}

/// `html` in which no shortcode begins; WordPress looks for them inside of tags too.
pub(super) fn without_shortcodes(html: &str) -> String {
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

/// A line of plain words as HTML.
pub(super) fn escaped(line: &str) -> String {
    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
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
            "<p><a href=\"https://e.test/?b=--\" rel=\"noopener noreferrer\">-&#45;force ..&#46;</a></p>"
        );
        let embed = of("<p>ssh://example.test/x</p>");
        assert_eq!(embed, "<p>ssh&#58;//example.test/x</p>");
        assert_eq!(inert("<img alt=\"a>b [x] --\" src='x'>--"), "<img alt=\"a>b &#91;x] --\" src='x'>-&#45;");
        assert_eq!(inert("<b"), "<b");
    }
}
