"""The life of entries at a real Ghost: life.py GHOST_URL FOLDER MAIL_PORT. Ends with 0 when everything held."""
import os, pathlib, shutil, signal, subprocess, sys, time, urllib.parse, urllib.request

import choices
from admin import Mailgun, Person
from daemon import Daemon, bring_images, until
from pages import Seen, difference
from proxy import Proxy

URL, FOLDER, MAIL_PORT = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
ROOT = pathlib.Path(__file__).resolve().parents[3]
WORDS = ROOT / "connectors/kit/text/goldens"


class Blog(Daemon):
    """The daemon with one blog, at the proxy in front of Ghost."""

    def __init__(self, url, key):
        self.url, self.key, self.newsletter = url, key, True
        super().__init__(FOLDER, self.connectors())

    def connectors(self, settings=""):
        return (
            f'[connectors.blog]\nkind = "ghost"\nurl = "{self.url}"\nadmin_api_key = "{self.key}"\ntags = ["Changelog"]\ncopy_images = false\n'
            f'{"" if self.newsletter else "# "}newsletter = "default-newsletter"\n{settings}\n[connectors.blog.delivery]\nbackoff_max = "2s"\n'
            'settle = ["0s", "1s"]\ntimeout = "10s"\nmax_creates_per_hour = 0\n'
        )

    def again(self, settings=""):
        super().again(self.connectors(settings))

    def blog(self):
        return self.rows().get("blog") or {}


def is_text(tag, attributes):
    """Where Ghost's own theme shows the text of a post."""
    return tag == "section" and "gh-content" in (attributes.get("class") or "")


def said(what):
    print(f"{time.time() - BEGIN:6.1f} s  {what}", flush=True)


BEGIN = time.time()
person = Person(URL)
person.ask("POST", "members/", {"members": [{"email": "reader@example.test", "name": "Reader"}]})
mailgun = Mailgun(MAIL_PORT)
proxy = Proxy(URL)
daemon = Blog(proxy.url, person.key["secret"])
daemon.start()
code, words = daemon.ask("check", "--live")
assert code == 0 and "accepts the credentials" in words, words

try:
    # Publish, edit, withdraw, publish again: one post at one address, mailed once.
    button = {"cta": {"href": "https://example.com/?a=1&b=2", "text": "Try it"}}
    daemon.told("create", changelog_id=1, title="Export", description_html="<p>It is <b>here</b>.</p>", settings=button)
    daemon.settled()
    first = person.post(1)
    assert first["status"] == "published" and first["published_at"] == "2026-03-03T12:00:00.000Z" and first["email"], first
    assert first["canonical_url"] == "https://acme.sleekplan.app/changelog/1" and first["custom_excerpt"] == "It is here."
    assert "<strong>here</strong>" in first["html"] and "kg-button-card" in first["html"], first["html"]
    link = next(link for link in daemon.get("/api/v1/links")["links"] if link["url"])
    assert link["url"] == first["url"], link
    person.change(first, tags=[{"id": tag["id"]} for tag in first["tags"]] + [{"name": "By a person"}])
    daemon.told("update", changelog_id=1, title="Export of everything")
    daemon.settled()
    assert [row["class"] for row in daemon.parked()] == ["rejected"] and person.post(1)["title"] == "Export"
    assert "a person changed this post" in daemon.parked()[0]["reason"]
    daemon.again('on_remote_edit = "overwrite"')
    daemon.told("update", changelog_id=1, title="Export of it all")
    daemon.settled()
    second = person.post(1)
    assert (second["title"], second["url"], second["id"]) == ("Export of it all", first["url"], first["id"]), second
    assert "By a person" in [tag["name"] for tag in second["tags"]] and daemon.parked() == []
    daemon.again()
    daemon.told("update", changelog_id=1, title="Export of all")
    daemon.settled()
    assert person.post(1)["title"] == "Export of all", "our own change is no person's"
    daemon.told("update", changelog_id=1, draft=True)
    daemon.settled()
    assert person.post(1)["status"] == "draft"
    daemon.told("update", changelog_id=1, draft=False)
    daemon.settled()
    third = person.post(1)
    assert (third["status"], third["url"], third["email"]["id"]) == ("published", first["url"], first["email"]["id"]), third
    said("an entry's life, with a person's edit parked and overwritten, tags kept, mailed once")

    # Every kind of answer is lost once.
    for number, (method, part) in enumerate([("POST", "posts/?source"), ("PUT", "newsletter="), ("PUT", "source=html")], 10):
        losses = proxy.lost
        proxy.cut = lambda asked, path: asked == method and part in path and proxy.lost == losses
        daemon.told("create", changelog_id=number, title=f"Lost {number}", description_html="<p>x</p>")
        daemon.settled()
        daemon.told("update", changelog_id=number, title=f"Found {number}", description_html="<p>x</p>")
        daemon.settled()
        post = person.post(number)
        assert proxy.lost == losses + 1 and (post["title"], post["status"]) == (f"Found {number}", "published"), (method, part, post)
        assert post["email"] and daemon.parked() == []
    mailed = [path for method, path in proxy.writes if "newsletter=" in path]
    assert len(mailed) == 4, mailed
    proxy.cut = lambda method, path: False
    said("a lost answer to a create, a mailing and an edit leaves one post each, mailed once")

    # Fifty at once; every seventh answer is lost, and the daemon is killed three times.
    proxy.cut = lambda method, path: len(proxy.writes) % 7 == 0
    for number in range(100, 150):
        daemon.told("create", changelog_id=number, title=f"Entry {number}", description_html=f"<p>{number}</p>")
        if number % 15 == 0:
            daemon.kill()
            daemon.start()
    daemon.settled(seconds=300)
    proxy.cut = lambda method, path: False
    titles = sorted(post["title"] for post in person.posts() if post["title"].startswith("Entry "))
    assert titles == [f"Entry {number}" for number in range(100, 150)] and daemon.parked() == [], (titles, daemon.parked())
    # Under load Ghost answers 500 to some; whatever was asked how often, it has made one mailing for each post.
    mailings = person.ask("GET", "emails/?limit=1")["meta"]["pagination"]["total"]
    assert mailings == 4 + 50 and len(mailgun.subjects) == len(set(mailgun.subjects)) == 4 + 50, (mailings, mailgun.subjects)
    said(f"50 entries are 50 posts, {proxy.lost} answers lost so far")

    choices.all_of(person, daemon, proxy, mailgun, said)

    # A person deletes a post.
    person.ask("DELETE", f"posts/{person.post(100)['id']}/")
    daemon.told("update", changelog_id=100, title="Entry 100 again")
    daemon.settled()
    assert [row["class"] for row in daemon.parked()] == ["target_gone"], daemon.parked()
    said("a post that a person deleted is parked as target_gone")

    # The database is killed in the middle, and comes back.
    os.kill(int((FOLDER / "db.pid").read_text()), signal.SIGKILL)
    for number in range(101, 106):
        daemon.told("update", changelog_id=number, title=f"After {number}")
    until("the daemon notices", lambda: (daemon.blog().get("last_error") or {}).get("class") in ("unknown", "transient"))
    subprocess.Popen(["sh", str(FOLDER / "database.sh")], start_new_session=True)
    daemon.settled(seconds=180)
    assert all(person.post(number)["title"] == f"After {number}" for number in range(101, 106))
    said("a killed database costs time and nothing else")

    # The key is made anew half-way.
    person.new_key()
    daemon.told("update", changelog_id=106, title="With the new key")
    until("it stops and keeps its queue", lambda: (known := daemon.blog()).get("state") == "unauthorized" and known["queued"] == 1)
    daemon.key = person.key["secret"]
    daemon.again()
    daemon.settled()
    assert person.post(106)["title"] == "With the new key"
    said("a revoked key stops the connector, keeps its queue, and the new one delivers it")

    # What readers see.
    daemon.newsletter = False
    daemon.again()
    sources = sorted(source for source in WORDS.iterdir() if source.suffix in (".html", ".txt") and source.name.count(".") == 1)
    for number, source in enumerate(sources, 200):
        field = "description_html" if source.suffix == ".html" else "description"
        daemon.told("create", **{"changelog_id": number, "title": source.stem, field: source.read_text()})
    daemon.settled(seconds=300)
    short = []
    for number, source in enumerate(sources, 200):
        page = urllib.request.urlopen(person.post(number)["url"], timeout=60).read().decode()
        wanted, seen = Seen(source.with_suffix(".out.html").read_text()), Seen(page, is_text)
        if parts := difference(wanted.signs(), seen.signs()) or seen.acts or not set(wanted.images) <= set(seen.images):
            short.append((source.name, parts))
    assert short == [] and sources, short
    said(f"the words and images of {len(sources)} ordinary entries are complete on their pages")

    # Images: uploaded, and shown from there; what Ghost does not take is shown from where it is.
    bring_images("ghost", {"url": URL, "admin_api_key": person.key["secret"], "feature_image": True})
    for number, copied in [(901, 1), (902, 2), (903, 1)]:
        shown = person.post(number)
        images = [image for image in Seen(urllib.request.urlopen(shown["url"], timeout=60).read().decode(), is_text).images if image]
        ours = {image for image in images if "/content/images/" in image and "sleekplan-" in image}
        assert len(ours) >= copied and "sleekplan-" in shown["feature_image"], (images, shown["feature_image"])
        for image in ours:
            assert urllib.request.urlopen(urllib.parse.urljoin(URL, image), timeout=60).read(4)[1:] == b"PNG", image
    said("three entries with images: each is at Ghost, and shown from there")

    if picture := os.environ.get("SLEEKSYNC_PICTURE"):
        # For a person to look at: the page as a browser shows it.
        browser = shutil.which("chromium") or shutil.which("google-chrome")
        rich = "".join((WORDS / f"{name}.html").read_text() for name in ("01-release-note", "03-nested-lists", "04-code", "05-table", "13-quotes"))
        daemon.told("create", changelog_id=299, title="All at once", description_html=rich, settings=button)
        daemon.settled()
        look = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1000,2600", f"--screenshot={picture}"]
        subprocess.run(look + [person.post(299)["url"]], check=True, timeout=120, capture_output=True)

    # The largest text, with nothing of it acting.
    before = daemon.parked()
    large = "<script>alert(1)</script><p>a <b>b</b></p>" * 25_000
    daemon.told("create", changelog_id=300, title="%%{uuid}%% " * 100, description_html=large[: 1 << 20])
    daemon.settled(seconds=180)
    post = person.post(300)
    assert post and daemon.parked() == before, daemon.parked()
    assert post["status"] == "published" and "<script" not in post["html"] and "%%{" not in post["title"]
    said("a text of 1 MiB is one card, and nothing in it acts")
finally:
    daemon.stop()
