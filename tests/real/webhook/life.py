"""The life of events at a real receiver and a real Node-RED: life.py FOLDER RECEIVER_PORT NODE_RED_PORT. Ends with 0 when everything held."""
import json, sys, urllib.request

from daemon import Daemon, until
from proxy import Proxy

FOLDER, RECEIVER, NODE_RED = sys.argv[1], f"http://127.0.0.1:{sys.argv[2]}", f"http://127.0.0.1:{sys.argv[3]}"
OLD, NEW, OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "whsec_" + "QUFB" * 10
held = 0


def hold(what, is_so):
    global held
    assert is_so, what
    held += 1
    print(f"  {what}")


def ask(url, method="GET", body=None):
    request = urllib.request.Request(url, json.dumps(body).encode() if body is not None else None, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or "null")


def seen():
    return ask(f"{RECEIVER}/seen")


def connectors(url, *secrets):
    return (
        f'[connectors.hook]\nkind = "webhook"\nurl = "{url}"\nsecret = {json.dumps(list(secrets))}\nheaders = {{ x-token = "hunter2" }}\n'
        'events = ["item.create", "item.update", "comment.create", "changelog.create"]\n'
        '[connectors.hook.delivery]\ntimeout = "3s"\nbackoff_min = "100ms"\nbackoff_max = "500ms"\n'
    )


def red(url):
    return f'[connectors.red]\nkind = "webhook"\nurl = "{url}/sleeksync"\nevents = ["item.create"]\n'


def feedback(number, **more):
    return {"feedback_id": number, "title": f"Feedback {number}", "description": "…", "created": "2026-03-03 12:00:00", "total_up": 1} | more


def row(daemon, name="hook"):
    return daemon.rows().get(name)


def parked_all(daemon, count):
    until(f"{count} parked", lambda: len(daemon.parked()) == count)
    return daemon.parked()


proxy = Proxy(RECEIVER)
hook = f"{proxy.url}/hook/"
daemon = Daemon(FOLDER, connectors(hook, OLD))
try:
    ask(f"{RECEIVER}/keys", "PUT", [OLD])
    daemon.start()

    print("what is sent")
    daemon.post("item.create", feedback(1, title='"}, <b>@all</b> \\ é😀'))
    daemon.post("comment.create", {"comment_id": 9, "feedback_id": 1, "comment": "+1", "public": True, "user": {"user_id": 5, "data_mail": "jane@example.com"}})
    daemon.told("create", changelog_id=3, title="News")
    daemon.post("vote.create", {"feedback_id": 1, "user_id": 5, "vote": 1, "feedback": feedback(1)})
    daemon.settled()
    told = seen()
    hold("the package verifies every event", [one["good"] for one in told] == [True] * 3)
    hold("those that were chosen, each once, at the address with its slash", sorted(one["event"]["type"] for one in told) == ["changelog.create", "comment.create", "item.create"] and {one["path"] for one in told} == {"/hook/"})
    first = next(one for one in told if one["event"]["type"] == "item.create")
    hold("a text arrives as it was typed, with product and header", first["event"]["data"]["title"] == '"}, <b>@all</b> \\ é😀' and first["event"]["data"]["product_id"] == 7 and first["token"] == "hunter2")
    hold("every id is another one", len({one["id"] for one in told}) == 3)

    print("an answer that is lost, late or unwilling")
    proxy.cut = lambda method, path: proxy.lost == 0
    daemon.post("item.create", feedback(2))
    daemon.settled()
    lost = [one for one in seen() if one["event"]["data"].get("feedback_id") == 2]
    hold("a lost answer is asked for again, with the same id", len(lost) == 2 and len({one["id"] for one in lost}) == 1 and all(one["good"] for one in lost))
    ask(f"{RECEIVER}/answers", "PUT", [500, 503, 200])
    daemon.post("item.create", feedback(3))
    daemon.settled()
    tries = [one for one in seen() if one["event"]["data"].get("feedback_id") == 3]
    hold("a 500 and a 503 are tried again with the same id, the wait of the 503 is kept", len(tries) == 3 and len({one["id"] for one in tries}) == 1 and int(tries[2]["at"]) > int(tries[1]["at"]))
    ask(f"{RECEIVER}/answers", "PUT", ["hang"])
    daemon.post("item.create", feedback(4))
    until("the event has arrived", lambda: [one for one in seen() if one["event"]["data"].get("feedback_id") == 4])
    daemon.kill()
    daemon.start()
    daemon.settled()
    killed = [one for one in seen() if one["event"]["data"].get("feedback_id") == 4]
    hold("after kill -9 in the middle it is sent again with the same id", len(killed) == 2 and len({one["id"] for one in killed}) == 1)
    ask(f"{RECEIVER}/answers", "PUT", [302])
    daemon.post("item.create", feedback(5))
    reason = parked_all(daemon, 1)[0]["reason"]
    hold(f"a redirect is parked and not followed: {reason}", "redirects to /elsewhere" in reason and not [one for one in seen() if one["path"] == "/elsewhere"])
    daemon.ask("retry", "--all")
    until("it is delivered", lambda: not daemon.parked())
    daemon.settled()

    print("keys")
    daemon.again(connectors(hook, NEW, OLD))
    daemon.post("item.create", feedback(6))
    daemon.settled()
    ask(f"{RECEIVER}/keys", "PUT", [NEW])
    daemon.post("item.create", feedback(7))
    daemon.settled()
    daemon.again(connectors(hook, NEW))
    daemon.post("item.create", feedback(8))
    daemon.settled()
    hold("while keys are exchanged a receiver with either verifies", [one["good"] for one in seen() if one["event"]["data"].get("feedback_id") in (6, 7, 8)] == [True] * 3)
    daemon.again(connectors(hook, OTHER))
    daemon.post("item.create", feedback(9))
    until("the wrong key is noticed", lambda: (row(daemon) or {}).get("state") == "unauthorized")
    daemon.post("item.update", feedback(9, title="Changed"))
    refused = [one for one in seen() if one["event"]["data"].get("feedback_id") == 9]
    hold("a wrong key is refused by the package and stops the connector", [one["good"] for one in refused] == [False])
    daemon.again(connectors(hook, NEW))
    daemon.settled()
    mended = [one for one in seen() if one["event"]["data"].get("feedback_id") == 9]
    hold("with the right key both events arrive in order, the first with its id", [one["event"]["type"] for one in mended if one["good"]] == ["item.create", "item.update"] and mended[0]["id"] == mended[1]["id"] and row(daemon)["parked"] == 0)

    print("410")
    ask(f"{RECEIVER}/answers", "PUT", [410])
    daemon.post("item.create", feedback(10))
    until("it is paused", lambda: (row(daemon) or {}).get("state") == "paused")
    daemon.post("item.update", feedback(10, title="Changed"))
    until("both are owed", lambda: (row(daemon) or {}).get("queued") == 2)
    said = daemon.ask("status")[1]
    hold("the reason is shown", "410" in said and "Zap was deleted" in said)
    daemon.stop()
    daemon.start()
    until("it is still paused", lambda: (row(daemon) or {}).get("state") == "paused" and row(daemon)["queued"] == 2)
    daemon.ask("resume", "hook")
    daemon.settled()
    gone = [one for one in seen() if one["event"]["data"].get("feedback_id") == 10]
    hold("after a restart and resume everything arrives in order", [one["event"]["type"] for one in gone] == ["item.create", "item.create", "item.update"] and gone[0]["id"] == gone[1]["id"])

    print("commands")
    before = seen()
    code, said = daemon.ask("replay", "--connector", "hook", "--again")
    daemon.settled()
    after = seen()[len(before):]
    hold(f"replay --again sends what was chosen with its first ids ({len(after)} events)", code == 0 and {one["id"] for one in after} == {one["id"] for one in before} and len(after) == len({one["id"] for one in after}))
    code, said = daemon.ask("check", "--live")
    hold("check --live finds it, and counts as no event", code == 0 and len(seen()) == len(before) + len(after))
    code, said = daemon.ask("plan", "--event", "2", "--json")
    shown = [step for plan in json.loads(said)["plans"] for step in plan["steps"]]
    hold("plan shows the request and no secret", code == 0 and shown and shown[0]["headers"]["webhook-id"] in {one["id"] for one in before} and "hunter2" not in said and "whsec_" not in said)

    print("Node-RED")
    daemon.again(connectors(hook, NEW) + red(NODE_RED))
    daemon.post("item.create", feedback(20, title="For the flow"))
    daemon.settled()
    flow = ask(f"{NODE_RED}/seen")
    hold("a flow of an http-in node has the event", [(one["type"], one["title"]) for one in flow] == [("item.create", "For the flow")])
    log = (daemon.folder / "daemon.log").read_text()
    hold("no secret and no text stands in the log", not any(word in log for word in ("hunter2", "whsec_", "MfKQ9", "jane@example.com", "For the flow")))
finally:
    if daemon.process and daemon.process.poll() is None:
        daemon.stop()
print(f"{held} held; {len(seen())} requests")
