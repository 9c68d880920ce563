"""The program as users run it, from webhook to row: views, a person who is deleted, a backlog while connections are ended. Standard library only."""
import json, os, pathlib, subprocess, sys, time, urllib.request

from daemon import Daemon, until

run, psql = pathlib.Path(sys.argv[1]), sys.argv[2]
url = os.environ["SLEEKSYNC_POSTGRES_URL"]
PRODUCT = 7
COPY = f'[connectors.copy]\nkind = "postgres"\nurl = {{ env = "SLEEKSYNC_POSTGRES_URL" }}\nschema = "life"\n\n'


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

# A backlog, while the server ends every connection again and again.
COUNT = int(os.environ.get("SLEEKSYNC_BACKLOG", "2000"))
daemon.ask("pause", "copy")
for number in range(COUNT):
    tell(daemon, "item.create", 200, feedback_id=1000 + number, title=f"post {number}", user={"user_id": 2}, created="2026-03-01 09:00:00")
before = int(ask("SELECT sum(xact_commit) FROM pg_stat_database WHERE datname = 'postgres'"))
begin = time.time()
daemon.ask("resume", "copy")
for _ in range(20):
    subprocess.run([psql, "-X", "-q", url, "-c", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sleeksync'"], capture_output=True)
    time.sleep(0.05)
daemon.settled("copy", seconds=300)
took = time.time() - begin
says("a backlog is written while connections are cut", "SELECT count(*) FROM life.feedback WHERE title LIKE 'post %'", str(COUNT))
time.sleep(1.5)
transactions = int(ask("SELECT sum(xact_commit) FROM pg_stat_database WHERE datname = 'postgres'")) - before
assert daemon.parked() == [], daemon.parked()
print(f"{COUNT} posts in {took:.1f} s, with {transactions} transactions of the whole server")
daemon.stop()
log = (folder / "daemon.log").read_text()
assert "secret@" not in log and "panicked" not in log, log[-4000:]
