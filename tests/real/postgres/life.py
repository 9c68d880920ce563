"""The program as users run it, from webhook to row: views, a person who is deleted, a backlog while connections are ended. Standard library only."""
import concurrent.futures, contextlib, http.client, json, os, pathlib, sqlite3, subprocess, sys, time, urllib.request

from daemon import Daemon, until

run, psql = pathlib.Path(sys.argv[1]), sys.argv[2]
url = os.environ["SLEEKSYNC_POSTGRES_URL"]
PRODUCT = 7
COPY = f'[connectors.copy]\nkind = "postgres"\nurl = {{ env = "SLEEKSYNC_POSTGRES_URL" }}\nschema = "life"\n\n'
FILE = '[connectors.file]\nkind = "sqlite"\npath = "copy.db"\n\n'


def ask(query):
    return subprocess.run([psql, "-X", "-A", "-t", "-F", "|", url, "-c", query], capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def says(what, query, expected):
    found = ask(query)
    assert found == expected, f"{what}: expected {expected!r}, found {found!r}"
    print(f"{what} ... ok", flush=True)


def tell(daemon, action, at, **data):
    """As Sleekplan tells it, with a time of its own."""
    body = {"product_id": PRODUCT, "action": action, "data": data, "timestamp": str(daemon.at + at * 1000)}
    ask = urllib.request.Request(f"http://127.0.0.1:{daemon.receiver}/webhooks/sleekplan?key=k", json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.loads(urllib.request.urlopen(ask, timeout=10).read())["status"]


folder = run / "daemon"
folder.mkdir()
daemon = Daemon(folder, COPY)
daemon.at -= 3_600_000
daemon.start()
ann = {"user_id": 1, "data_name": "ann", "data_mail": "ann@example.com"}
post = {"feedback_id": "3", "title": "Export", "status": "open", "user": ann, "created": "2026-03-01 09:00:00"}

# All cases there are stand in `tests/database`; here is what a person sees of them.
tell(daemon, "item.update", 20, **{**post, "title": "Export to CSV", "total_up": "9"})
tell(daemon, "item.create", 1, **post)
tell(daemon, "vote.create", 7, feedback_item=post, vote=1, user=ann)
tell(daemon, "user.create", 2, **ann)
tell(daemon, "changelog.create", 10, changelog_id=771, feedback_id=3, title="CSV is here\x00", draft=False)
assert tell(daemon, "item.create", 1, **post) == "duplicate"
daemon.settled("copy")
assert daemon.parked() == [], daemon.parked()
says("a post is as its newest event says", "SELECT title, total_up, created AT TIME ZONE 'UTC' FROM life.feedback", "Export to CSV|9|2026-03-01 09:00:00")
says("an entry with its post", "SELECT title, draft, feedback_title FROM life.changelog_with_feedback", "CSV is here\ufffd|f|Export to CSV")

tell(daemon, "user.delete", 100, user_id=1)
daemon.settled("copy")
everywhere = " UNION ALL ".join(f"SELECT raw::text || coalesce({column}::text, '') AS text FROM life.{table}" for table, column in [
    ("feedback", "user_id"), ("comments", "user_id"), ("votes", "user_id"), ("subscriptions", "user_id"), ("users", "data_mail"), ("subscribers", "data_mail"), ("satisfaction", "user_id")])
says("who was deleted stands nowhere any more", f"SELECT count(*) FROM ({everywhere}) AS rows WHERE text LIKE '%ann%'", "0")
tell(daemon, "vote.create", 101, feedback_item={"feedback_id": 4}, vote=1, user=ann)
daemon.settled("copy")
says("nor does what arrives late", f"SELECT count(*) FROM ({everywhere}) AS rows WHERE text LIKE '%ann@%'", "0")

# A backlog of 100,000 events, for both databases, while the server ends every connection of ours again and again.
ITEMS, EACH = int(os.environ.get("SLEEKSYNC_BACKLOG", "100000")) // 4, 4


def bring(numbers):
    """Every event of these posts, each post's in order, over one connection."""
    line = http.client.HTTPConnection("127.0.0.1", daemon.receiver, timeout=30)
    for number in numbers:
        for version in range(EACH):
            data = {"feedback_id": 1000 + number, "title": f"post {number} version {version}", "user": {"user_id": 2}, "created": "2026-03-01 09:00:00"}
            body = {"product_id": PRODUCT, "action": "item.update" if version else "item.create", "data": data, "timestamp": str(daemon.at + (200 + version) * 1000)}
            line.request("POST", "/webhooks/sleekplan?key=k", json.dumps(body), {"Content-Type": "application/json"})
            answer = json.loads(line.getresponse().read())
            assert answer["status"] == "accepted", answer


daemon.again(COPY + FILE)
for name in ["copy", "file"]:
    daemon.ask("pause", name)
begin = time.time()
with concurrent.futures.ThreadPoolExecutor(8) as several:
    list(several.map(bring, [range(first, ITEMS, 8) for first in range(8)]))
accepted = time.time() - begin
assert all(row["queued"] == ITEMS for row in daemon.rows().values()), daemon.rows()
commits = "SELECT sum(xact_commit) FROM pg_stat_database WHERE datname = 'postgres'"
before = int(ask(commits))
begin = time.time()
for name in ["copy", "file"]:
    daemon.ask("resume", name)
for _ in range(20):
    subprocess.run([psql, "-X", "-q", url, "-c", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sleeksync'"], capture_output=True)
    time.sleep(0.05)
daemon.settled("copy", "file", seconds=300)
took = time.time() - begin
last = f"SELECT count(*) FROM {{}}feedback WHERE title = 'post ' || (CAST(feedback_id AS integer) - 1000) || ' version {EACH - 1}'"
says("a backlog is written while connections are cut", last.format("life."), str(ITEMS))
with contextlib.closing(sqlite3.connect(folder / "copy.db")) as file:
    found = file.execute(last.format("")).fetchone()[0]
assert found == ITEMS, f"SQLite has {found} of {ITEMS} posts in their last state"
time.sleep(1.5)
transactions = int(ask(commits)) - before
assert daemon.parked() == [], daemon.parked()
assert transactions < ITEMS / 10, f"{transactions} transactions for {ITEMS} rows"
print(f"{ITEMS * EACH} events accepted in {accepted:.1f} s; {ITEMS} posts in {took:.1f} s in both databases, with {transactions} transactions of the whole server")
daemon.stop()
log = (folder / "daemon.log").read_text()
assert "secret@" not in log and "panicked" not in log, log[-4000:]
