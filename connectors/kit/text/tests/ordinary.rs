//! Ordinary words must not be harmed, and the parts of a text can be asked for.

use super::*;

fn github(html: &str) -> String {
    Text::from_html(html).markdown(Dialect::GitHub)
}

#[test]
fn ordinary_words_stay_as_they_are_typed() {
    for words in [
        "Write to a@b.com or first.last+tag@host.example",
        "C:\\path\\to\\file.txt",
        "snake_case_name and __init__ are names",
        "x < y and 5 > 3 and AT&T",
        "$5 and $10, or US$ 5; a $HOME",
        "100% of 3.5 = 7/2, 12:30, 1st, e.g. this; (that)",
        "\u{5E9}\u{5DC}\u{5D5}\u{5DD} \u{65E5}\u{672C}\u{8A9E} \u{1F469}\u{200D}\u{1F4BB}",
    ] {
        let text = Text::from_plain(words);
        assert_eq!(text.plain(), words);
        let read_back = super::reader::shown(&text.markdown(Dialect::GitHub), Format::Markdown(Dialect::GitHub));
        assert_eq!(read_back.trim(), words);
    }
}

#[test]
fn words_that_mean_nothing_are_not_escaped() {
    let same = "a@b.com C:\\path snake_case x < y AT&T C# 50% (see below) - dash + plus 1.5 $5 and $10 {{ braces }}";
    assert_eq!(Text::from_plain(same).markdown(Dialect::GitHub), same);
}

#[test]
fn signs_stay_as_they_are_typed_where_a_site_would_improve_them() {
    let text = Text::from_plain("Use --force or --- ... .... a..b << x >> 1-2, a->b");
    let of = |dialect| text.markdown(dialect);
    assert_eq!(of(Dialect::Hugo), "Use -\\-force or -\\-\\- \\..\\. \\.\\..\\. a..b &lt;< x \\>\\> 1-2, a->b");
    assert_eq!(of(Dialect::Jekyll), "Use -\\-force or -\\-\\- \\..\\. \\.\\..\\. a..b &lt;&lt; x \\>\\> 1-2, a->b");
    assert!(of(Dialect::Astro).starts_with("Use -<span></span>-force or -<span></span>-<span></span>- <span></span>..<span></span>."));
    for dialect in [Dialect::GitHub, Dialect::Zola, Dialect::Plain] {
        assert_eq!(of(dialect), "Use --force or --- ... .... a..b &lt;< x >> 1-2, a->b", "{dialect:?}");
    }
    let image = Text::from_html("<p><img src='https://e.com/a.png' alt='--x $1$'></p>");
    assert_eq!(image.markdown(Dialect::Astro), "![--x $1$](https://e.com/a.png)");
    assert_eq!(image.markdown(Dialect::GitHub), "![--x $1$](https://e.com/a.png)");
    let marked = Text::from_html("<p>a<b>-</b>-b .<i>.</i>. <code>--x</code> &gt;<b>&gt;</b></p>");
    assert_eq!(super::reader::shown(&marked.markdown(Dialect::Hugo), Format::Plain).matches("--x").count(), 1);
}

#[test]
fn entities_typed_as_text_stay_text() {
    assert_eq!(github("<p>&amp;amp; &amp;copy; &amp;#64;</p>"), "&amp;amp; &amp;copy; &#\u{200B}64;");
    assert_eq!(Text::from_html("&amp;amp;").plain(), "&amp;");
}

#[test]
fn a_number_stays_readable_and_refers_to_nothing() {
    assert_eq!(github("<p>Our #1 priority</p>"), "Our #\u{200B}1 priority");
}

#[test]
fn code_is_not_touched_for_github() {
    assert_eq!(github("<p><code>@user #12 https://github.com/a/b</code></p>"), "`@user #12 https://github.com/a/b`");
}

#[test]
fn a_link_to_github_leads_through_its_redirect() {
    assert_eq!(github("<a href=\"https://github.com/a/b/issues/1?x=1#y\">it</a>"), "[it](https://redirect.github.com/a/b/issues/1?x=1#y)");
    assert_eq!(github("<a href=\"https://gist.github.com/a\">it</a>"), "[it](https://gist.github.com/a)");
}

#[test]
fn braces_in_code_are_shown_by_each_site() {
    let text = Text::from_html("<p><code>{{&lt; ref &gt;}}</code> <code>{{ x }}</code> <code>{{&lt;</code></p>");
    assert_eq!(text.markdown(Dialect::Hugo), "`{{</* ref */>}}` `{{ x }}` `{\u{200B}{<`");
    assert_eq!(text.markdown(Dialect::Docusaurus), "`{{< ref >}}` `{{ x }}` `{{<`");
    assert!(text.markdown(Dialect::Zola).starts_with("<code>&#123;&#123;&#60; ref"));
}

#[test]
fn docusaurus_replaces_and_leaves_out_no_word() {
    let docusaurus = |html: &str| Text::from_html(html).markdown(Dialect::Docusaurus);
    assert_eq!(docusaurus("<p>a :tada: b 1:100:2 :+1:</p>"), "a :<span></span>tada: b 1:<span></span>100:2 :<span></span>+1:");
    assert_eq!(docusaurus("<p>:-1: <a href='https://a.example'>:x:</a></p>"), "\\:<span></span>-1: [:<span></span>x:](https://a.example)");
    assert_eq!(docusaurus("<p>at 10:30, Note: a::b :)</p>"), "at 10:30, Note: a::b :)");
    assert_eq!(docusaurus("<h1>First</h1><h2>{#id}</h2>"), "## First\n\n## &#123;<span></span>#id&#125;");
    assert_eq!(
        docusaurus("<pre>:::note x\n# a {#b}\n:::\n::: y</pre>"),
        "```\n:::\u{200B}note x\n# a {\u{200B}#b}\n:::\n:::\u{200B} y\n```"
    );
    let unwrapped = docusaurus(
        "<pre><code class='language-mdx-code-block'>&lt;script&gt;</code></pre><pre>```mdx-code-block\n// highlight-start</pre>",
    );
    assert_eq!(unwrapped, "```\n<script>\n```\n\n````\n```mdx\u{200B}-code-block\n// highlight\u{200B}-start\n````");
}

#[test]
fn a_link_that_is_taken_off_leaves_its_address() {
    let text = Text::from_html(
        "<p><a href='https://a.example/x'>it</a>, <a href='https://a.example/x'>https://a.example/x</a>, <a href='https://b.example'>b</a></p>",
    );
    let text = text.without_links(|address| address.contains("a.example"));
    assert_eq!(text.plain(), "it (https://a.example/x), https://a.example/x, b (https://b.example)");
    assert_eq!(text.markdown(Dialect::Plain).matches("](").count(), 1);
}

#[test]
fn nothing_to_see_is_empty() {
    for html in ["", " \n", "<p> </p>", "<p>&nbsp;<br></p><ul><li></li></ul>", "<!-- x -->", "<img>", "<table><tr><td></td></tr></table>"] {
        assert!(Text::from_html(html).is_empty(), "{html}");
    }
    assert!(Text::from_plain(" \n\t\u{200B}\n").is_empty());
}

#[test]
fn images_are_listed_and_decided_upon() {
    let html = "<p>a<img src='https://e.com/1.png' alt='One'>b</p><p><img src='https://e.com/2.png'></p><p><img src='https://e.com/3.png' alt='Three'></p>";
    let text = Text::from_html(html);
    let images = text.images();
    assert_eq!(images.len(), 3);
    assert_eq!(images.first(), Some(&Image { url: "https://e.com/1.png".to_owned(), alt: "One".to_owned() }));
    let decided = text.with_images(|url| match url {
        "https://e.com/1.png" => ImageRef::Replace("https://cdn.example/x.png".to_owned()),
        "https://e.com/2.png" => ImageRef::Drop,
        _ => ImageRef::Replace("javascript:x".to_owned()),
    });
    assert_eq!(decided.markdown(Dialect::Plain), "a![One](https://cdn.example/x.png)b\n\nThree");
}

#[test]
fn a_text_that_fits_is_not_cut() {
    let text = Text::from_plain("twelve chars");
    assert_eq!(text.cut(Format::Plain, 12), ("twelve chars".to_owned(), false));
    assert_eq!(text.cut_to(Format::Plain, Length::Bytes(11), "…"), ("twelve\n\n…".to_owned(), true));
    assert_eq!(text.cut(Format::Plain, 5), (String::new(), true));
}

#[test]
fn characters_are_never_split() {
    let text = Text::from_plain(&"é😀".repeat(40));
    for max in 0..120 {
        let (bytes, _) = text.cut_to(Format::Html, Length::Bytes(max), "");
        assert!(bytes.len() <= max);
        let (units, _) = text.cut_to(Format::Html, Length::Utf16(max), "");
        assert!(units.encode_utf16().count() <= max);
    }
}

#[test]
fn lines_are_one_line_and_say_that_they_were_cut() {
    assert_eq!(line("  a\n\tb\u{202E}c\u{0}  ", 80), "a bc");
    assert_eq!(line("abcdef", 6), "abcdef");
    assert_eq!(line("abcdefg", 6), "abcde…");
    assert_eq!(line("ab cdefg", 4), "ab…");
    assert_eq!(line("abc", 0), "");
    assert_eq!(github_line("@a fixes #1", 80, None), "@\u{200B}a fixes #\u{200B}1");
}

#[test]
fn only_a_mebibyte_is_read() {
    let long = "é".repeat(TEXT_BYTES_MAX);
    assert_eq!(Text::from_html(&long).plain().len(), TEXT_BYTES_MAX);
    assert_eq!(Text::from_plain(&long).plain().len(), TEXT_BYTES_MAX);
}
