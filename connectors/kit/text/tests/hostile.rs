//! Texts that try to act. Each must come out inert in every format, with its words.

use super::actions::{actions, github_text_actions};
use super::*;

/// HTML that tries something, and words that must still be seen.
const HTML: &[(&str, &str)] = &[
    ("<p>Hi @octocat and @acme/team</p>", "octocat"),
    ("<p>&#64;octocat &commat;octocat &#x40;octocat</p>", "octocat"),
    ("<p>@<b></b>octocat @<b>octocat</b> <b>@</b>octocat <i>x@</i>octocat @<i></i><b>octocat</b></p>", "octocat"),
    ("<p>\\@octocat \\\\@octocat @\\octocat .@octocat (@octocat) é@octocat</p>", "octocat"),
    ("<p>@\u{200B}octocat @\u{200D}octocat @\u{AD}octocat</p>", "octocat"),
    ("<p><a href=\"https://e.com\">@octocat</a> [@octocat](https://e.com) [@octocat]</p><p>[@octocat]: https://e.com</p>", "octocat"),
    ("<p>#12 GH-12 gh-7 acme/widgets#3 (#4) <b>#</b>5 #<b>6</b> G<i>H-</i>8 &#35;9 &num;10</p>", "acme"),
    ("<p>fixes #3. Closes: acme/widgets#4, resolves https://github.com/acme/widgets/issues/3 Fixes GH-1</p>", "fixes"),
    ("<p><a href=\"https://github.com/a/b/issues/1\">one</a> <a href=\"HTTPS://WWW.GitHub.com./a/b/pull/1\">two</a></p>", "two"),
    ("<p><a href=\"https:github.com/a/b/issues/1\">one</a> <a href=\"//github.com/a/b/issues/1\">two</a></p>", "two"),
    ("<p><a href=\"https://x@github.com/a/b/issues/1\">one</a> <a href=\"https:\\\\github.com\\a\">two</a></p>", "two"),
    ("<p>www.github.com/a/b/issues/1 http://github.com/a/b https://GITHUB.com/a/b/commit/1</p>", "www"),
    ("<p>da39a3ee5e6b4b0d3255bfef95601890afd80709 acme/widgets@da39a3e DA39A3EE5E6B4B0D3255BFEF95601890AFD80709</p>", "acme"),
    ("<img src=x onerror=alert(1) alt=seen><script>alert(1)</script><p onclick=x()>seen</p>", "seen"),
    ("<p>a<!-- sleekplan:item:1:forged -->b <!-- sp-1-item-3:x --> &lt;!-- sleekplan:item:1:forged --&gt;</p>", "forged"),
    ("<pre><code>&lt;!-- sleekplan:item:1:forged --&gt; &lt;!--sp-1-item-3:x--&gt;</code></pre>", "forged"),
    ("<pre>&lt;!-- sleeksync:begin --&gt;\nforged\n&lt;!--\n SleekSync:end --&gt;</pre>", "forged"),
    ("<code>&lt;!-- sleekplan:item:1:forged --&gt;</code><code>&lt;!--</code>sleekplan:item", "forged"),
    ("<details open><summary>seen</summary>&lt;details&gt;&lt;img src=x onerror=y&gt;</details>", "seen"),
    ("<a href=\"javascript:alert(1)\">seen</a><a href=\"java&#10;script:alert(1)\">seen</a><a href=\" javascript:x\">y</a>", "seen"),
    ("<a href=\"data:text/html,x\">seen</a><img src=\"data:image/png;base64,AAAA\" alt=\"seen\"><a href=\"vbscript:x\">v</a>", "seen"),
    ("<p>[seen](javascript:alert(1)) ![x](data:x) &lt;javascript:x&gt; &lt;https://e.com&gt;</p><p>[x]: javascript:y</p>", "seen"),
    ("<p>- [ ] seen</p><ul><li>[x] seen</li></ul><p>[^1] seen</p><p>[^1]: note</p>", "seen"),
    ("<p>&gt; [!WARNING]</p><blockquote>[!NOTE]<br>seen</blockquote>", "seen"),
    ("<p>{{&lt; seen &gt;}} {{% seen %}} {{ seen() }} {% seen() %} {{ site.x }} {% include x %} {# no #} {{</p>", "seen"),
    ("<code>{{&lt; seen &gt;}}</code> <code>{{% seen %}}</code> <code>{{&lt;</code> <code>{{ seen() }}</code> <code>{%</code>", "seen"),
    (
        "<pre>{{&lt; seen &gt;}} {{&lt;/* old */&gt;}} {{% a %}}{{&lt; open\n{{ b() }} {% c %} {{__hugo_ctx}} &lt;!--more--&gt;</pre>",
        "seen",
    ),
    ("<p>{<b>{&lt; seen &gt;}</b>} {<i>% seen %}</i> {{<b>&lt; seen &gt;</b>}}</p>", "seen"),
    (
        "<a href=\"https://e.com/{{&lt; x &gt;}}/{% y %}\">{{&lt; seen &gt;}}</a><img src=\"https://e.com/{{x}}.png\" alt=\"{{&lt; y &gt;}}\">",
        "seen",
    ),
    ("<p>import x from 'y'</p><p>export const a = 1</p><p>a<br>import b</p><ul><li>export c</li></ul>", "const"),
    ("<p>{alert(1)} &lt;Component/&gt; {/* c */} } {</p>", "Component"),
    ("<p>---</p><p>title: x</p><p>---</p>", "title"),
    ("<p>+++</p><p>title = x</p>", "title"),
    ("<p>title<br>===<br>more<br>---</p>", "more"),
    ("<p>:::danger</p><p>seen</p><p>:::</p><p>{: .class}</p><p>{::options /}</p><p>* [x]: y</p>", "seen"),
    ("<p>seen\u{202E}reversed\u{2066}x\u{0}y\u{1B}[31m\u{9B}31m\u{7}</p>", "reversed"),
    ("<p>a | b<br>--- | ---<br>1 | 2</p><p>~~~</p><p>```</p><p>seen</p>", "seen"),
    ("<pre><code class=\"language-mermaid\">graph seen</code></pre><pre><code class=\"language-x onload=y\">seen</code></pre>", "seen"),
    ("<pre>```\nseen\n```\n````</pre><code>`</code> <code>``seen``</code> <code> </code>", "seen"),
    ("<svg><script>x</script></svg><math><style>x</style></math><iframe srcdoc='<script>'></iframe><p>seen", "seen"),
    ("<style>@import 'x'</style><base href=x><meta http-equiv=refresh><link rel=x><form action=x><input value=y><p>seen", "seen"),
    ("<p>seen <x-y onclick=z>in</x-y> </p></div></td></table></p><a href='https://e.com/\"onmouseover=x'>t</a>", "seen"),
    ("<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript><p>seen</p>", "seen"),
    ("<p>$$\\huge{seen}$$ $\\color{red}x$ $<code>\\huge y</code>$ $<b>z</b>$ US$5$ $$</p><p>$$<br>seen<br>$$</p>", "seen"),
    (
        "<p><a href=\"https://e.com/$a$\">https://e.com/$a$</a> <a href=\"https://e.com\">$seen$</a> https://e.com/$b$ &#36;x&#36;</p>",
        "seen",
    ),
    ("<table><tr><td>$seen$<td>$x</td><td>y$</table><h2>$seen$</h2><ul><li>$a$</ul>", "seen"),
    ("<table><tr><td>seen<table><tr><td>inner</td></tr></table><td>|<code>|</code><br>x</table>", "inner"),
    ("<p>*seen* _x_ **y** `z` ~~w~~ ![i](https://e.com) &lt;b&gt; &amp;copy; &amp;#64;octocat &amp;lt;script&amp;gt;</p>", "seen"),
];

#[test]
fn hostile_html_comes_out_inert_in_every_format() {
    for (html, word) in HTML {
        let text = Text::from_html(html);
        for format in formats() {
            let output = text.write(format);
            assert_eq!(actions(&output, format), Vec::<String>::new(), "{html}\n{format:?}\n{output}");
            let shown = super::reader::shown(&output, format).replace('\u{200B}', "");
            assert!(shown.contains(word), "{word} is gone from {html}\n{format:?}\n{output}");
        }
    }
}

#[test]
fn the_same_sources_as_plain_text_come_out_inert_too() {
    for (source, _) in HTML {
        let text = Text::from_plain(source);
        for format in formats() {
            let output = text.write(format);
            assert_eq!(actions(&output, format), Vec::<String>::new(), "{source}\n{format:?}\n{output}");
        }
    }
}

#[test]
fn titles_for_github_mention_and_refer_to_nothing() {
    let titles = [
        "@octocat please fix #12",
        "closes acme/widgets#3 and GH-4, @acme/team",
        "see https://github.com/a/b/issues/1 or www.github.com/a/b/pull/2",
        "revert da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "a\n@octocat\r\n\u{202E}#1\u{0}2",
    ];
    for title in titles {
        let line = github_line(title, 256, None);
        let mut found = Vec::new();
        github_text_actions(&line, &mut found);
        assert_eq!(found, Vec::<String>::new(), "{line}");
        assert!(!line.contains('\n'));
    }
}

#[test]
fn a_github_of_ones_own_is_not_linked_back_to() {
    for text in [
        "closes https://ghe.example.com/acme/widgets/issues/3",
        "HTTP://GHE.example.com./a/b https://u@ghe.example.com/a https://ghe.example.com:443/a //ghe.example.com",
        "[x](https://ghe.example.com/a/b)",
    ] {
        let apart = apart_from(text, "ghe.example.com");
        assert!(!apart.to_lowercase().contains("ghe.example.com") && apart.replace('\u{200B}', "") == text, "{apart}");
    }
    let same = "Ask ghe.example.com.evil, https://ghe.example.company/x or the ghe.example.com people";
    assert_eq!(apart_from(same, "ghe.example.com"), same);
    let host = Some("ghe.example.com");
    let line = github_line(&"https://ghe.example.com/a ".repeat(20), 256, host);
    assert!(!line.contains("ghe.example.com") && line.chars().count() <= 256, "{line}");
}

#[test]
fn a_terminal_gets_no_command() {
    assert_eq!(terminal("a\u{1B}[2Jb\u{9B}1mc\r\nd\u{202E}e\u{7F}\u{0}"), "a\u{241B}[2Jb\u{FFFD}1mc  de\u{2421}\u{2400}");
}
