"""One site for each generator, as its own documentation lays it out, and how it is built. A warning is a failure.

Zola is left out: no registry has a package of it. Its pages follow its documented rules alone.
"""
import os, random, re, shutil, struct, subprocess, time, zlib

PAGE = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head><body><h1>{title}</h1><main id="entry">{body}</main></body></html>\n'

HUGO = {
    "hugo.toml": 'baseURL = "https://www.example.com/docs/"\nlocale = "en"\ntitle = "Site"\n',
    "layouts/all.html": PAGE.format(title="{{ .Title }}", body="{{ .Content }}"),
    "content/_index.md": "---\ntitle: Home\n---\n",
}
JEKYLL = {
    "_config.yml": "title: Site\nurl: https://www.example.com\n",
    "_layouts/post.html": PAGE.format(title="{{ page.title | escape }}", body="{{ content }}"),
    "index.html": "---\ntitle: Home\n---\n{% for post in site.posts %}<a href=\"{{ post.url }}\">{{ post.title | escape }}</a>\n{% endfor %}\n",
}
ASTRO = {
    "package.json": '{"name": "site", "private": true, "type": "module"}\n',
    "astro.config.mjs": 'export default { site: "https://www.example.com", base: "/docs" };\n',
    "src/content.config.ts": """import { defineCollection, z } from "astro:content";
import { glob } from "astro/loaders";
const schema = z.object({
  title: z.string(), pubDate: z.coerce.date(), draft: z.boolean(), tags: z.array(z.string()).optional(), sleekplan_key: z.string(),
});
export const collections = { changelog: defineCollection({ loader: glob({ pattern: "*.md", base: "./src/content/changelog" }), schema }) };
""",
    "src/pages/changelog/[id].astro": """---
import { getCollection, render } from "astro:content";
export async function getStaticPaths() {
  const entries = await getCollection("changelog", ({ data }) => !data.draft);
  return entries.map((entry) => ({ params: { id: entry.id }, props: { entry } }));
}
const { entry } = Astro.props;
const { Content } = await render(entry);
---
"""
    + PAGE.format(title="{entry.data.title}", body="<Content />"),
}
DOCUSAURUS = {
    "package.json": '{"name": "site", "private": true}\n',
    "docusaurus.config.js": """module.exports = {
  title: "Site", url: "https://www.example.com", baseUrl: "/docs/",
  onBrokenLinks: "throw", onBrokenAnchors: "throw", onDuplicateRoutes: "throw",
  markdown: { hooks: { onBrokenMarkdownLinks: "throw", onBrokenMarkdownImages: "throw" } },
  themes: ["@docusaurus/theme-classic"],
  plugins: [
    "@docusaurus/plugin-content-pages",
    // Docusaurus warns of each entry without its own mark of where to cut it in the list, which no text of a stranger has. And it counts
    // the words of a text of 300 kB, with `Intl.Segmenter`, for two minutes.
    ["@docusaurus/plugin-content-blog", {
      path: "changelog", routeBasePath: "changelog", onUntruncatedBlogPosts: "ignore", onInlineTags: "throw", showReadingTime: false,
    }],
  ],
};
""",
    "src/pages/index.md": "# Home\n",
}


class Site:
    """A generator: its files, its command, and where an entry's page is in what it builds."""

    def __init__(self, name, files, command, out, page, is_entry, places, settings=""):
        self.name, self.files, self.command, self.out, self.page = name, files, command, out, page
        self.is_entry, self.places, self.settings = is_entry, places, settings

    def build(self, folder):
        """The seconds it took. What it says is read: not all of them end with a failure where they warn."""
        begin = time.time()
        quiet = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        quiet |= {"CI": "1", "NO_COLOR": "1", "ASTRO_TELEMETRY_DISABLED": "1", "DOCUSAURUS_NO_UPDATE_CHECK": "1", "NO_UPDATE_NOTIFIER": "1", "LC_ALL": "C.UTF-8"}
        ended = subprocess.run(self.command, cwd=folder, env=quiet, capture_output=True, text=True, timeout=300)
        said = re.sub(r"\x1b\[[0-9;]*m", "", ended.stdout + ended.stderr)
        loud = [line for line in said.splitlines() if re.search(r"\b(warn(ing)?|error|deprecat\w*|conflict)\b", line, re.I)]
        assert ended.returncode == 0 and not loud, f"{self.name} ended with {ended.returncode}: {loud or said[-3000:]}"
        return time.time() - begin

    def page_of(self, folder, entry):
        found = [path for path in (folder / self.out).glob(self.page.format(entry))]
        assert len(found) == 1, f"{self.name}: {len(found)} pages of entry {entry}"
        return found[0]

    def file_of(self, folder, page, address):
        """The file behind an address on a page, as a web server finds it."""
        base = "" if self.name == "jekyll" else "/docs/"
        here = "/" + str(page.relative_to(folder / self.out))
        if address.startswith("/"):
            path = address[len(base):] if base else address
        else:
            path = os.path.normpath(os.path.join(os.path.dirname(here), address))
        return folder / self.out / path.lstrip("/")


def is_main(tag, attributes):
    return tag == "main" and attributes.get("id") == "entry"


def is_article(tag, attributes):
    return attributes.get("id") == "__blog-post-container"


def sites(cache):
    node = [shutil.which("node")]
    return [
        Site("hugo", HUGO, [cache / "hugo/hugo/binaries/hugo", "--panicOnWarning", "--printPathWarnings", "--printI18nWarnings"], "public",
             "changelog/entry-{}/index.html", is_main, ("content/changelog/images", "../images/"), 'changelog_file = "CHANGELOG.md"\n'),
        Site("jekyll", JEKYLL, ["jekyll", "build", "--strict_front_matter", "--trace"], "_site",
             "**/entry-{}.html", is_main, ("assets/changelog-images", "/assets/changelog-images/"), 'changelog_file = "CHANGELOG.md"\n'),
        Site("astro", ASTRO, node + [cache / "node_modules/astro/astro.js", "build"], "dist",
             "changelog/entry-{}/index.html", is_main, ("src/content/changelog/images", "./images/")),
        Site("docusaurus", DOCUSAURUS, node + [cache / "node_modules/@docusaurus/core/bin/docusaurus.mjs", "build", "--no-minify"], "build",
             "changelog/entry-{}/index.html", is_article, ("changelog/images", "./images/")),
    ]


def picture(number):
    """A PNG that is too large to be written into the page itself (10 kB at Docusaurus)."""
    random.seed(number)
    side = 80
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + random.randbytes(3 * side) for _ in range(side)))) + chunk(b"IEND", b"")
