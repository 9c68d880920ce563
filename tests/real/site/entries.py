"""The entries that are sent: ordinary ones, whose words must be complete, and hostile ones, of which nothing may act. Numbers are entries' ids."""
import pathlib, re

from pages import Seen, signs

ROOT = pathlib.Path(__file__).resolve().parents[3]
WORDS = ROOT / "connectors/kit/text/goldens"
# The daemon fetches images over https from Sleekplan's own hosts at public addresses and from nowhere else, so none can be served from
# here. They stand at a host it does not ask, and pages must name them there.
ELSEWHERE = "https://cdn.example.com/"


class Entry:
    def __init__(self, number, title, wanted, images=(), shown_title=None, **fields):
        self.number, self.title, self.wanted, self.images, self.fields = number, title, wanted, set(images), fields
        self.shown_title = title if shown_title is None else shown_title


def ordinary():
    """The texts that the goldens of `kit/text` are made from, in their reviewed form."""
    sources = [source for source in sorted(WORDS.iterdir()) if source.suffix in (".html", ".txt") and source.name.count(".") == 1]
    for number, source in enumerate(sources, 100):
        html = source.suffix == ".html"
        inside = lambda text: text.replace("https://storage.sleekplan.com/", ELSEWHERE)
        seen = Seen(inside(source.with_suffix(".out.html").read_text()))
        text = inside(source.read_text())
        yield Entry(number, source.stem, seen.signs(), seen.images, **{"description_html" if html else "description": text})


# Typed as words, so they are to be seen as they were typed.
TYPED = [
    '{{< youtube abc >}} {{% notice %}} x {{% /notice %}} {{</* x */>}} {{ 7*6 }} {{ .Site.Title }} {{ partial "x" . }}',
    "{% raw %} {{ 7 | times: 6 }} {% endraw %} {% include secret.html %} {{ site.title }} {% for a in b %} {%- comment -%}",
    "{7*6} {props.x} <Component x={1}/> <Tabs> </Tabs> <!-- c --> {/* c */} ${7*6}\n\nimport X from 'x'\n\nexport const y = 42\n\n:::danger\n\nboo\n\n:::",
    "---\ntitle: other\nlayout: none\n---\n\n+++\ndraft = true\n+++\n\n<!--more--> <!-- truncate --> {/* truncate */}\n\n[[toc]] {:toc} {: .class #id onclick=x} {::options parse_block_html=\"true\" /}\n\n* TOC\n{:toc}",
    "<script>alert(1)</script> <img src=x onerror=alert(1)> <a href='javascript:alert(1)'>x</a> [x](javascript:alert(1)) ![x](javascript:alert(1)) <iframe src=x>",
    "[a]: https://x.example\n\n[a][] [^1]\n\n[^1]: note\n\n$$x$$ \\(y\\) H~2~O ==mark== ++ins++ :smile: :tada: `code` ~~x~~ **b** # h1\n\n# h2\n\n| a | b |\n|---|---|\n| {{ 1 }} | {% b %} |",
]
# Sent as HTML: what is seen of it, without a sign in between.
HTML = [
    ("<p>a</p><script>alert(1)</script><p onclick='alert(1)'>b</p><iframe src='https://evil.example'></iframe><style>p{}</style>", "abhttps://evil.example"),
    ("<p><a href='javascript:alert(1)'>c</a> <a href=' java\nscript:alert(1)'>d</a> <a href='data:text/html,x'>e</a></p>", "cde"),
    ("<p>f<!-- {{< x >}} -->g <b>{{% y %}}</b> <code>{{ 7*6 }} {% raw %} {7*6}</code></p><pre>{% endraw %}{{< z >}} <X/></pre>",
     "fg{{%y%}}{{7*6}}{%raw%}{7*6}{%endraw%}{{<z>}}"),
    ("<img src=x onerror=alert(1)><svg onload=alert(1)><p>h</p></svg><form action=/x><input name=q>i</form><base href='https://evil.example'>", None),
    ("<pre><code class='language-mdx-code-block'>&lt;script&gt;alert(1)&lt;/script&gt;\n# a {#b}\n:::note Title\n:::</code></pre>"
     "<pre><code class='language-js'>// highlight-next-line\na</code></pre><pre>```mdx-code-block\n&lt;script&gt;\n```</pre><p>&lt;!-- c --&gt;</p>",
     "<script>alert(1)</script>#a{#b}:::noteTitle:::" "//highlight-next-linea" "```mdx-code-block<script>```" "<!--c-->"),
    ("<h2>{#id}</h2><h2>{: #x onclick=y}</h2><h2>Twice</h2><h2>Twice</h2><p>{{ 7*6 }}</p>", "{#id}{:#xonclick=y}TwiceTwice{{7*6}}"),
]
# With the one line that is to be seen of each.
TITLES = [
    ('"quoted": yes, \'single\' - # no comment', None),
    ("--- layout: none ---", None),
    ("a\nlayout: none\n---\n<script>alert(1)</script>", "a layout: none --- <script>alert(1)</script>"),
    ("{{ 7*6 }} {% raw %} {7*6} <b>x</b> &amp; \\n \\u0041", None),
    ("🎉 Ünïcode \u202eevil\u202c 日本語 👩\u200d👩\u200d👧", "🎉 Ünïcode evil 日本語 👩\u200d👩\u200d👧"),
    ("[a]: ![x](y) `code` *b* @ann %YAML !!python/object !ruby/object:X", None),
]


def hostile():
    number = 200
    for text in TYPED:
        yield Entry(number, f"Typed {number}", signs(text), description=text)
        number += 1
    for text, wanted in HTML:
        yield Entry(number, f"HTML {number}", wanted, description_html=text)
        number += 1
    for title, shown in TITLES:
        yield Entry(number, title, signs("words"), shown_title=shown or title, description="words")
        number += 1
    large = "".join(f"<p>Paragraph {at} of <b>many</b> {{{{ {at}*2 }}}} <i>words</i></p>" for at in range(6000))
    yield Entry(number, "Large", signs(re.sub("<[^>]*>", "", large)), description_html=large)
