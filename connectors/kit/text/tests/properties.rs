//! What holds for every text, tried on texts put together at random from everything that has a meaning somewhere.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::actions::{actions, github_text_actions};
use super::reader::{html_of, html_of_events, in_order, shown, words};
use super::*;

/// Words, signs and commands.
const WORDS: &[&str] = &[
    "word",
    "Ünïcode",
    "日本",
    "「語」",
    "שלום",
    "😀",
    "👩‍💻",
    "a",
    "1",
    " ",
    " ",
    " ",
    "\n",
    "\n\n",
    "@octocat",
    "@",
    "@acme/team",
    "a@b.com",
    "#12",
    "#",
    "12",
    "GH-7",
    "acme/widgets#3",
    "fixes ",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "https://github.com/a/b/issues/1",
    "https://e.com/a_b(c)",
    "www.e.com.",
    "http://",
    "{{< x >}}",
    "{{% y %}}",
    "{{",
    "{%",
    "{",
    "}",
    "}}",
    "%}",
    "{{ z() }}",
    "{# c #}",
    "<",
    ">",
    "<b>",
    "<!-- sleekplan:item:1:x -->",
    "<!--more-->",
    "-->",
    "&",
    "&amp;",
    "&copy;",
    "&#64;",
    "&lt;",
    "*",
    "**",
    "_",
    "__",
    "~",
    "~~",
    "`",
    "``",
    "```",
    "[",
    "]",
    "(",
    ")",
    "[x](y)",
    "[a](javascript:b)",
    "![i](u)",
    "[^1]",
    "[ ]",
    "$",
    "$$",
    "$x$",
    "!",
    "\\",
    "|",
    "a | b",
    "---",
    "--- | ---",
    "+++",
    "===",
    "# ",
    "> ",
    "- ",
    "+ ",
    "1. ",
    "2) ",
    ": ",
    ":::",
    "^",
    "$",
    "$$",
    "import ",
    "export ",
    "snake_case",
    "2*3*4",
    "C:\\path",
    "x < y",
    "AT&T",
    "\u{0}",
    "\u{1B}[31m",
    "\u{202E}",
    "\u{200B}",
    "\u{A0}",
    "\u{200D}",
    "\r\n",
    "\t",
    "    ",
    "\"",
    "'",
];

/// Tags of every kind, whole and broken.
const TAGS: &[&str] = &[
    "<p>",
    "</p>",
    "<div>",
    "</div>",
    "<br>",
    "<hr>",
    "<b>",
    "</b>",
    "<i>",
    "</i>",
    "<s>",
    "</s>",
    "<code>",
    "</code>",
    "<pre>",
    "</pre>",
    "<pre><code class=\"language-js\">",
    "</code></pre>",
    "<h1>",
    "</h1>",
    "<h3>",
    "</h3>",
    "<ul>",
    "</ul>",
    "<ol>",
    "<ol start=7>",
    "</ol>",
    "<li>",
    "</li>",
    "<blockquote>",
    "</blockquote>",
    "<table>",
    "</table>",
    "<tr>",
    "</tr>",
    "<td>",
    "</td>",
    "<th>",
    "<tbody>",
    "<a href=\"https://e.com/x?a=1&b=2\">",
    "<a href=\"javascript:x\">",
    "<a href=\"https://github.com/a/b/pull/1\">",
    "</a>",
    "<img src=\"https://e.com/i.png\" alt=\"an @image\">",
    "<img src=x onerror=y>",
    "<script>x</script>",
    "<!-- c -->",
    "<!--",
    "<x-y>",
    "<input type=checkbox checked>",
    "<details><summary>",
    "<dt>",
    "<dd>",
    "<iframe src=\"https://e.com/v\"></iframe>",
    "<svg>",
    "<b",
    "</",
    "<p a=\"",
];

fn words_only() -> impl Strategy<Value = String> {
    vec(select(WORDS), 0..24).prop_map(|pieces| pieces.concat())
}

fn soup() -> impl Strategy<Value = String> {
    vec(prop_oneof![select(WORDS), select(TAGS)], 0..40).prop_map(|pieces| pieces.concat())
}

/// `text` as the content of an element.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A well-formed document whose words are hostile.
fn document() -> impl Strategy<Value = String> {
    let inline = words_only().prop_map(|text| escaped(&text)).prop_recursive(3, 12, 4, |inner| {
        let mark = select(&["b", "i", "s", "code", "a href=\"https://e.com/\""][..]);
        vec((mark, inner), 1..4).prop_map(|parts| {
            parts.into_iter().map(|(mark, inner)| format!("<{mark}>{inner}</{}>", mark.split(' ').next().unwrap_or(mark))).collect()
        })
    });
    let leaf = (select(&["p", "h2", "pre", "td", "div"][..]), vec(inline, 1..4)).prop_map(|(name, inlines)| match name {
        "td" => format!("<table><tr><td>{}</td></tr></table>", inlines.join("</td><td>")),
        name => format!("<{name}>{}</{name}>", inlines.concat()),
    });
    let block = leaf.prop_recursive(3, 16, 4, |inner| {
        (select(&["ul", "ol", "blockquote"][..]), vec(inner, 1..4)).prop_map(|(name, blocks)| match name {
            "blockquote" => format!("<blockquote>{}</blockquote>", blocks.concat()),
            name => format!("<{name}><li>{}</li></{name}>", blocks.join("</li><li>")),
        })
    });
    vec(block, 0..5).prop_map(|blocks| blocks.concat())
}

fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        words_only().prop_map(|text| Text::from_plain(&text)),
        soup().prop_map(|html| Text::from_html(&html)),
        document().prop_map(|html| Text::from_html(&html)),
    ]
}

/// HTML without marks: where several overlap there is more than one way to nest them, and where Markdown cannot say
/// them they are left out. The reviewed texts show where it can.
fn unmarked(html: String) -> String {
    ["em", "strong", "del"].iter().fold(html, |html, mark| html.replace(&format!("<{mark}>"), "").replace(&format!("</{mark}>"), ""))
}

fn format() -> impl Strategy<Value = Format> {
    select(formats())
}

proptest! {
    #[test]
    fn nothing_acts_in_any_format(text in text()) {
        for format in formats() {
            let output = text.write(format);
            prop_assert_eq!(actions(&output, format), Vec::<String>::new(), "{:?}\n{}", format, output);
        }
    }

    #[test]
    fn every_word_is_seen_in_order_in_every_format(text in text()) {
        let wanted = words(&shown(&text.html(), Format::Html));
        for format in formats().into_iter().filter(|format| !matches!(format, Format::Plain | Format::Slack)) {
            let output = text.write(format);
            let seen = words(&shown(&output, format));
            prop_assert_eq!(in_order(&wanted, &seen), Ok(()), "{:?}\n{}\n{}", format, text.html(), output);
        }
    }

    #[test]
    fn every_letter_is_seen_in_order_in_plain_text_and_mrkdwn(text in text()) {
        // Between the letters of a word there may stand where a link leads.
        let letters = |shown: &str| words(shown).concat().chars().map(String::from).collect::<Vec<_>>();
        let wanted = letters(&shown(&text.html(), Format::Html));
        for format in [Format::Plain, Format::Slack] {
            let output = text.write(format);
            prop_assert_eq!(in_order(&wanted, &letters(&shown(&output, format))), Ok(()), "{}\n{}", text.html(), output);
        }
    }

    #[test]
    fn plain_words_survive_reading(words_in in words_only()) {
        let visible: String = words_in.chars().filter(|c| !matches!(c, '\u{0}' | '\u{1B}' | '\u{202E}')).collect();
        for text in [Text::from_plain(&words_in), Text::from_html(&escaped(&words_in))] {
            let seen = words(&shown(&text.html(), Format::Html));
            prop_assert_eq!(in_order(&words(&visible), &seen), Ok(()), "{}", text.html());
        }
    }

    #[test]
    fn sanitising_twice_changes_nothing(text in text()) {
        let once = text.html();
        prop_assert_eq!(&html::sanitised(&once), &once);
        prop_assert_eq!(unmarked(Text::from_html(&once).html()), unmarked(once));
    }

    #[test]
    fn markdown_reads_back_as_the_same_blocks_and_links(text in text()) {
        let markdown = text.markdown(Dialect::Plain);
        prop_assert_eq!(unmarked(html_of(&markdown)), unmarked(html_of_events(text.events())), "{}", markdown);
    }

    #[test]
    fn a_cut_text_fits_is_whole_and_does_nothing(text in text(), format in format(), max in 0_usize..200) {
        let (output, was_cut) = text.cut(format, max);
        prop_assert!(output.chars().count() <= max, "{}", output);
        prop_assert_eq!(actions(&output, format), Vec::<String>::new(), "{}", output);
        if was_cut {
            prop_assert!(output.is_empty() || output.contains(SHORTENED), "{}", output);
        } else {
            prop_assert_eq!(&output, &text.write(format));
        }
        // In plain text the cut may fall between a word and where it leads.
        let kept = if format == Format::Plain { String::new() } else { shown(&output, format).replace(SHORTENED, "") };
        let mut kept = words(&kept);
        // The last word may be a part of one.
        kept.pop();
        prop_assert_eq!(in_order(&kept, &words(&shown(&text.write(format), format))), Ok(()), "{}", output);
    }

    #[test]
    fn bytes_and_utf16_are_held_too(text in text(), format in format(), max in 0_usize..200) {
        let (bytes, _) = text.cut_to(format, Length::Bytes(max), "");
        prop_assert!(bytes.len() <= max);
        let (utf16, _) = text.cut_to(format, Length::Utf16(max), "");
        prop_assert!(utf16.encode_utf16().count() <= max);
    }

    #[test]
    fn lines_fit_and_do_nothing(words_in in words_only(), max in 0_usize..60) {
        for line in [line(&words_in, max), github_line(&words_in, max, None)] {
            prop_assert!(line.chars().count() <= max);
            let acting = line.contains(['\n', '\r', '\u{1B}', '\u{202E}', '\u{0}']);
            prop_assert!(!acting, "acts");
        }
        let mut found = Vec::new();
        github_text_actions(&github_line(&words_in, max, None), &mut found);
        prop_assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn no_input_is_too_strange(input in any::<String>()) {
        for text in [Text::from_html(&input), Text::from_plain(&input)] {
            for format in formats() {
                prop_assert_eq!(actions(&text.write(format), format), Vec::<String>::new());
            }
        }
    }
}
