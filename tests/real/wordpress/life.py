"""The life of entries at a real WordPress: life.py WORDPRESS_URL FOLDER. Ends with 0 when everything held."""
import base64, json, os, pathlib, shutil, signal, subprocess, sys, time, urllib.error, urllib.parse, urllib.request

from daemon import Daemon, bring_images, until
from pages import Seen, difference, signs
from proxy import Proxy

URL, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
HERE = pathlib.Path(__file__).resolve().parent
WORDS = HERE.parents[2] / "connectors/kit/text/goldens"
STATUSES = "publish,future,draft,pending,private,trash"


def person(*arguments):
    """What somebody does at the site, past the API. WordPress tells changes apart by the second, so it is not done in the one of our own."""
    time.sleep(1.1)
    done = subprocess.run(["php", "-d", "memory_limit=256M", HERE / "site.php", FOLDER / "wp", *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def ask(path, **query):
    """The site's own API, as its owner."""
    address = f"{URL}/wp-json/wp/v2/{path}?" + urllib.parse.urlencode(query)
    headers = {"Authorization": "Basic " + base64.b64encode(f"admin:{OWNER}".encode()).decode()}
    with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60) as answer:
        return json.loads(answer.read()), answer.headers


def posts(kind="posts"):
    """All of sleeksync's, page by page."""
    found, page = [], 1
    while True:
        rows, headers = ask(kind, context="edit", status=STATUSES, per_page=20, page=page, search="sleekplan:")
        found += rows
        if page >= int(headers["X-WP-TotalPages"] or 1):
            return found
        page += 1


def post(entry, kind="posts"):
    """The one post of an entry; fails where there are several."""
    found = [post for post in posts(kind) if f"-changelog-{entry}:" in post["content"]["raw"]]
    assert len(found) <= 1, f"{len(found)} posts for entry {entry}"
    return found[0] if found else None


def brief(post):
    return (post["title"]["raw"], post["status"], post["link"]) if post else None


def blog(more="", name="blog", user="bot"):
    return (
        f'[connectors.{name}]\nkind = "wordpress"\nurl = "{proxy.url}"\nusername = "{user}"\napplication_password = "{PASSWORDS[user]}"\n'
        f'copy_images = false\n{more}\n[connectors.{name}.delivery]\nbackoff_max = "2s"\nsettle = ["0s", "1s"]\ntimeout = "10s"\nmax_creates_per_hour = 0\n'
    )


def is_text(tag, attributes):
    """Where a theme of WordPress' own shows the text of a post."""
    return tag == "div" and "entry-content" in (attributes.get("class") or "")


def row():
    return daemon.rows().get("blog") or {}


def said(what):
    print(f"{time.time() - BEGIN:6.1f} s  {what}", flush=True)


BEGIN = time.time()
OWNER, PASSWORDS = person("password", "admin"), {}
for login, role in [("bot", "editor"), ("writer", "author"), ("reader", "subscriber")]:
    person("user", login, role)
    PASSWORDS[login] = person("password", login)
proxy = Proxy(URL)
TERMS = 'categories = ["R&D"]\ntags = ["Release"]\ntype_categories = { new = "New things", fix = "Repairs" }\n'
daemon = Daemon(FOLDER, blog(TERMS))
daemon.start()
code, words = daemon.ask("check", "--live")
assert code == 0 and "accepts the credentials" in words, words

try:
    # Publish, edit, withdraw, publish again: one post at one address.
    button = {"cta": {"href": "https://example.com/?a=1&b=2", "text": "Try it"}}
    daemon.told("create", changelog_id=1, title="Export & <more>", description_html="<p>It is <b>here</b>.</p>", settings=button)
    daemon.settled()
    first = post(1)
    assert brief(first) == ("Export &amp; &lt;more&gt;", "publish", f"{URL}/export-more-1/"), first
    assert first["date_gmt"] == "2026-03-03T12:00:00" and "<strong>here</strong>" in first["content"]["raw"]
    names = lambda taxonomy, entry: sorted(term["name"] for term in ask(taxonomy, post=post(entry)["id"])[0])
    assert (names("categories", 1), names("tags", 1)) == (["New things", "R&amp;D"], ["Release"])
    assert [link["url"] for link in daemon.get("/api/v1/links")["links"] if link["url"]] == [first["link"]]
    page = Seen(urllib.request.urlopen(first["link"], timeout=60).read().decode(), is_text)
    assert page.signs() == "Itishere.Tryit" and not page.acts, (page.text, page.acts)
    daemon.told("update", changelog_id=1, title="Export of all", type="fix")
    daemon.settled()
    assert brief(post(1)) == ("Export of all", "publish", first["link"]) and names("categories", 1) == ["R&amp;D", "Repairs"]
    daemon.told("update", changelog_id=1, draft=True)
    daemon.settled()
    assert post(1)["status"] == "draft"
    daemon.told("update", changelog_id=1, draft=False)
    daemon.settled()
    assert brief(post(1)) == ("Export of all", "publish", first["link"]) and post(1)["date_gmt"] == first["date_gmt"], (brief(post(1)), post(1)["date_gmt"])
    assert post(1)["id"] == first["id"] and daemon.parked() == []
    said("an entry's life: terms found, created, exchanged; one post at one address")

    # A person edits: parked, then kept, then overwritten.
    person("edit", first["id"], "By a person")
    daemon.told("update", changelog_id=1, title="Export of it all")
    daemon.settled()
    assert post(1)["title"]["raw"] == "By a person" and ["a person changed post" in row["reason"] for row in daemon.parked()] == [True], (brief(post(1)), daemon.parked())
    daemon.again(blog(TERMS + 'on_remote_edit = "keep"'))
    daemon.told("update", changelog_id=1, title="Export, kept")
    daemon.settled()
    assert post(1)["title"]["raw"] == "By a person" and daemon.parked() == []
    daemon.again(blog(TERMS + 'on_remote_edit = "overwrite"'))
    daemon.told("update", changelog_id=1, title="Export, written")
    daemon.settled()
    assert post(1)["title"]["raw"] == "Export, written"
    daemon.again(blog())
    daemon.told("update", changelog_id=1, title="Export, ours")
    daemon.settled()
    assert post(1)["title"]["raw"] == "Export, ours" and daemon.parked() == [], "our own change is no person's"
    # Nothing on the way makes a person's words ours: withdrawn and public again, they are still theirs.
    person("edit", first["id"], "Words of a person")
    for hidden in (True, False):
        daemon.told("update", changelog_id=1, draft=hidden)
        daemon.settled()
    assert brief(post(1))[:2] == ("Words of a person", "draft") and ["a person changed post" in row["reason"] for row in daemon.parked()] == [True]
    daemon.again(blog('on_remote_edit = "overwrite"'))
    daemon.decide("retry")
    daemon.settled()
    assert brief(post(1))[1] == "publish" and daemon.parked() == []
    daemon.again(blog())
    said("a person's edit is parked, kept, overwritten, as the setting says")

    # A person trashes, deletes; and what the settings make of it.
    for number in range(2, 8):
        daemon.told("create", changelog_id=number, title=f"Entry {number}", description_html="<p>x</p>")
    daemon.settled()
    address = {number: post(number)["link"] for number in range(2, 8)}
    person("trash", post(2)["id"])
    person("delete", post(3)["id"])
    for number in (2, 3):
        daemon.told("update", changelog_id=number, title=f"Entry {number} again")
    daemon.settled()
    assert sorted(row["class"] for row in daemon.parked()) == ["target_gone", "target_gone"], daemon.parked()
    daemon.again(blog('on_missing = "recreate"'))
    daemon.decide("retry")
    until("both are there again", lambda: daemon.parked() == [])
    daemon.settled()
    for number in (2, 3):
        assert brief(post(number))[:2] == (f"Entry {number} again", "publish"), brief(post(number))
    assert post(2)["link"] == address[2]
    daemon.again(blog('on_missing = "leave"'))
    person("delete", post(3)["id"])
    daemon.told("update", changelog_id=3, title="Entry 3 once more")
    daemon.settled()
    assert post(3) is None and daemon.parked() == []
    said("trashed or deleted by a person: parked as target_gone, made again (out of the trash), left")

    # The ways out and back.
    for number, way, status in [(4, "trash", "trash"), (5, "delete", None), (6, "keep", "publish")]:
        daemon.again(blog(f'on_unpublish = "{way}"'))
        daemon.told("update", changelog_id=number, enabled=False)
        daemon.settled()
        assert (post(number) or {}).get("status") == status, (way, brief(post(number)))
        daemon.told("update", changelog_id=number, enabled=True, title=f"Entry {number} is back")
        daemon.settled()
        assert brief(post(number))[:2] == (f"Entry {number} is back", "publish"), (way, brief(post(number)), daemon.parked(), daemon.get("/api/v1/links"))
    assert post(4)["link"] == address[4] and daemon.parked() == []
    daemon.again(blog('on_unpublish = "delete"'))
    person("edit", post(7)["id"], "Mine")
    daemon.told("update", changelog_id=7, enabled=False)
    daemon.settled()
    assert brief(post(7))[:2] == ("Mine", "draft") and daemon.parked() == []
    daemon.told("update", changelog_id=7, enabled=True, title="Theirs no more?")
    daemon.settled()
    assert brief(post(7))[:2] == ("Mine", "draft") and ["a person changed post" in row["reason"] for row in daemon.parked()] == [True]
    daemon.decide("drop")
    said("withdrawn: trashed, deleted, kept, and back again; what a person wrote is a draft then")

    # Every kind of answer is lost once.
    daemon.again(blog(TERMS))
    kinds = [("POST", lambda path: path.endswith("/posts")), ("POST", lambda path: "/posts/" in path), ("POST", lambda path: path.endswith("/tags"))]
    for number, (method, fits) in enumerate(kinds, 10):
        if number == 12:
            daemon.again(blog('tags = ["Never seen"]'))
        losses = proxy.lost
        proxy.cut = lambda asked, path: asked == method and fits(path) and proxy.lost == losses
        daemon.told("create", changelog_id=number, title=f"Lost {number}", description_html="<p>x</p>")
        daemon.settled()
        assert proxy.lost == losses + 1 and brief(post(number))[:2] == (f"Lost {number}", "publish"), (number, brief(post(number)))
        losses = proxy.lost
        proxy.cut = lambda asked, path: asked == "POST" and "/posts/" in path and proxy.lost == losses
        daemon.told("update", changelog_id=number, title=f"Found {number}")
        daemon.settled()
        assert proxy.lost == losses + 1 and brief(post(number))[:2] == (f"Found {number}", "publish"), (number, brief(post(number)))
    proxy.cut = lambda method, path: False
    assert daemon.parked() == [], daemon.parked()
    said("a lost answer to a create, a publication, a term and an edit leaves one post each")

    # Somebody else has the address; the entry's own post is found under another.
    person("edit", post(10)["id"], "Found 10")
    daemon.again(blog('slug = "lost-11-11"'))
    daemon.told("create", changelog_id=13, title="Same address", description_html="<p>x</p>")
    daemon.settled()
    assert brief(post(13)) == ("Same address", "publish", f"{URL}/lost-11-11-2/"), brief(post(13))
    said("an address that another post has is not taken")

    # Fifty at once, with a tag that is new; every seventh answer is lost, and the daemon is killed three times.
    daemon.again(blog(TERMS.replace("Release", "At once")))
    proxy.cut = lambda method, path: len(proxy.writes) % 7 == 0
    for number in range(100, 150):
        daemon.told("create", changelog_id=number, title=f"Entry {number}", description_html=f"<p>{number}</p>")
        if number % 15 == 0:
            daemon.kill()
            daemon.start()
    daemon.settled(seconds=300)
    proxy.cut = lambda method, path: False
    titles = sorted(row["title"]["raw"] for row in posts() if row["title"]["raw"].startswith("Entry 1"))
    assert titles == [f"Entry {number}" for number in range(100, 150)] and daemon.parked() == [], (titles, daemon.parked())
    assert [tag["count"] for tag in ask("tags", search="At once")[0]] == [50], ask("tags", search="At once")[0]
    assert len(ask("categories", per_page=100)[0]) == 4, "Uncategorized, R&D, New things, Repairs"
    said(f"50 entries are 50 posts over three pages, {proxy.lost} answers lost so far")

    # The database is killed in the middle, and comes back.
    os.kill(int((FOLDER / "db.pid").read_text()), signal.SIGKILL)
    for number in range(101, 106):
        daemon.told("update", changelog_id=number, title=f"After {number}")
    until("the daemon notices", lambda: (row().get("last_error") or {}).get("class") in ("unknown", "transient"))
    subprocess.Popen(["sh", str(FOLDER / "database.sh")], start_new_session=True)
    daemon.settled(seconds=180)
    assert all(post(number)["title"]["raw"] == f"After {number}" for number in range(101, 106)) and daemon.parked() == []
    said("a killed database costs time and nothing else")

    # The password is taken away half-way.
    PASSWORDS["bot"] = person("password", "bot")
    daemon.told("update", changelog_id=106, title="With the new password")
    until("it stops and keeps its queue", lambda: (known := row()).get("state") == "unauthorized" and known["queued"] == 1)
    code, words = daemon.ask("check", "--live")
    assert code != 0 and "Authorization header" in words, words
    daemon.again(blog(TERMS))
    daemon.settled()
    assert post(106)["title"]["raw"] == "With the new password"
    said("a revoked password stops the connector, keeps its queue, and the new one delivers it")

    # Another user: an author may not create categories, nor change others' posts; a subscriber nothing.
    daemon.again(blog('tags = ["By a writer"]', user="writer"))
    daemon.told("create", changelog_id=160, title="By an author", description_html="<p>a <b>b</b></p><script>alert(1)</script>", type="fix")
    daemon.told("update", changelog_id=107, title="Not mine")
    daemon.settled()
    assert brief(post(160))[:2] == ("By an author", "publish") and names("tags", 160) == ["By a writer"]
    assert ["may not change this post" in row["reason"] for row in daemon.parked()] == [True], daemon.parked()
    daemon.told("update", changelog_id=160, title="Still by an author")
    daemon.settled()
    assert post(160)["title"]["raw"] == "Still by an author"
    daemon.again(blog('categories = ["R&D"]', user="writer"))
    daemon.told("create", changelog_id=163, title="In R&D", description_html="<p>x</p>")
    daemon.settled()
    assert brief(post(163))[:2] == ("In R&amp;D", "publish") and names("categories", 163) == ["R&amp;D"]
    daemon.again(blog('categories = ["Not there"]', user="writer"))
    daemon.told("create", changelog_id=161, title="No category", description_html="<p>x</p>")
    daemon.settled()
    assert any("`Not there` of categories is missing and cannot be created" in row["reason"] for row in daemon.parked()), daemon.parked()
    daemon.again(blog(user="reader"))
    code, words = daemon.ask("check", "--live")
    assert code != 0 and ("may not publish posts" in words or "not allowed" in words), words
    daemon.told("create", changelog_id=162, title="By a subscriber", description_html="<p>x</p>")
    until("it stops", lambda: row().get("state") == "unauthorized")
    daemon.again(blog())
    daemon.settled()
    assert brief(post(162))[:2] == ("By a subscriber", "publish")
    said("an author writes its own posts and tags, and is told what it may not; a subscriber is stopped")

    # A type of posts of the site's own, and one that is not there.
    daemon.again(blog('post_type = "releases"', name="releases"))
    daemon.told("create", changelog_id=170, title="A release", description_html="<p>x</p>")
    daemon.settled("releases")
    assert brief(post(170, "releases"))[:2] == ("A release", "publish")
    daemon.again(blog('post_type = "nothing"', name="nothing"))
    code, words = daemon.ask("check", "--live")
    assert code != 0 and "there is no post_type `nothing`" in words and "releases" in words, words
    said("posts of a type of the site's own; one that is not there is named")

    # Images: in the library once each.
    settings = {"url": URL, "username": "bot", "application_password": PASSWORDS["bot"], "featured_image": True}
    bring_images("wordpress", settings)
    library = ask("media", per_page=100)[0]
    # What is no image by more than its first bytes is taken by some versions, and left where it is by others.
    assert len(library) in (2, 3) and len({item["slug"] for item in library}) == len(library), library
    for entry, number in [(901, 1), (902, 2), (903, 1)]:
        shown = post(entry)
        images = Seen(urllib.request.urlopen(shown["link"], timeout=60).read().decode(), is_text).images
        ours = [image for image in images if image.startswith(URL)]
        assert len(ours) >= number and shown["featured_media"] in [item["id"] for item in library], images
        for image in ours:
            assert urllib.request.urlopen(image, timeout=60).read(4) == b"\x89PNG"
    said(f"three entries with images: {len(library)} files in the library, each once")

    # What readers see.
    daemon.again(blog())
    sources = sorted(source for source in WORDS.iterdir() if source.suffix in (".html", ".txt") and source.name.count(".") == 1)
    for number, source in enumerate(sources, 200):
        field = "description_html" if source.suffix == ".html" else "description"
        daemon.told("create", **{"changelog_id": number, "title": source.stem, field: source.read_text()})
    daemon.settled(seconds=300)
    short = []
    for number, source in enumerate(sources, 200):
        page = urllib.request.urlopen(post(number)["link"], timeout=60).read().decode()
        seen = Seen(page, is_text)
        wanted = Seen(source.with_suffix(".out.html").read_text())
        if (parts := difference(wanted.signs(), seen.signs())) or wanted.images != seen.images or seen.acts:
            short.append((source.name, parts, wanted.images == seen.images, seen.acts))
    assert short == [] and sources, short
    said(f"the words and images of {len(sources)} ordinary entries are complete on their pages")

    if picture := os.environ.get("SLEEKSYNC_PICTURE"):
        # For a person to look at: the page as a browser shows it.
        browser = shutil.which("chromium") or shutil.which("google-chrome")
        look = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1000,2600", f"--screenshot={picture}"]
        subprocess.run(look + [post(200)["link"]], check=True, timeout=120, capture_output=True)

    # The largest text, with nothing of it acting; and every trick on one page.
    before = daemon.parked()
    large = "<script>alert(1)</script><p>a <b>b</b> [danger]</p>" * 20_000
    daemon.told("create", changelog_id=300, title="[danger] <script>alert(1)</script>", description_html=large[:900_000])
    tricks = '[danger] [caption][danger][/caption] <a href="javascript:alert(1)" onclick="x()">a</a> <img src="x" onerror="alert(1)" alt="[danger]"> <!-- wp:html --> <!--nextpage--> <!--more-->'
    daemon.told("create", changelog_id=301, title="Tricks", description_html=f"<p>{tricks}</p><p>https://www.youtube.com/watch?v=dQw4w9WgXcQ</p><iframe src='//x'></iframe>")
    daemon.settled(seconds=180)
    assert daemon.parked() == before, daemon.parked()
    for number in (300, 301):
        page = urllib.request.urlopen(post(number)["link"], timeout=120).read().decode()
        seen = Seen(page, is_text)
        assert "SHORTCODE RAN" not in page and not seen.acts and "<script>alert" not in page and seen.text, (number, seen.acts)
        assert "[danger]" in "".join(seen.text)
    said("a text of 900 kB and a page of tricks: nothing acts")
finally:
    daemon.stop()
