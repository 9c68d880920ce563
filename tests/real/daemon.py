"""The daemon as a process: started with a configuration, told of entries as Sleekplan tells it, looked at and decided upon. Standard library only."""
import json, os, pathlib, signal, socket, subprocess, time, urllib.request

PROGRAM = os.environ["SLEEKSYNC_PROGRAM"]


def free():
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, holds, seconds=120):
    end = time.time() + seconds
    while time.time() < end:
        if found := holds():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def bring_images(kind, settings):
    """Three entries with images, by a connector alone: the daemon fetches images from public hosts, and here is none."""
    images = [os.environ["SLEEKSYNC_IMAGES"], kind, str(int(time.time() * 1000))]
    done = subprocess.run(images, input=json.dumps(settings), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


class Daemon:
    """`connectors` is the part of the configuration below the receiver, the store and one product."""

    def __init__(self, folder, connectors):
        self.folder, self.process = pathlib.Path(folder), None
        self.receiver, self.admin, self.at = free(), free(), int(time.time() * 1000)
        self.config = self.folder / "sleeksync.toml"
        self.configure(connectors)

    def configure(self, connectors):
        self.config.write_text(
            f'[receiver]\nmax_body = "4MiB"\nlisten = "127.0.0.1:{self.receiver}"\nkeys = ["k"]\n[admin]\nlisten = "127.0.0.1:{self.admin}"\n'
            f'[store]\npath = "{self.folder}/store"\n[products.acme]\nid = 7\nentry_url = "https://acme.sleekplan.app/changelog/{{{{ entry.id }}}}"\n'
            + connectors
        )

    def start(self):
        with open(self.folder / "daemon.log", "a") as log:
            self.process = subprocess.Popen([PROGRAM, "--config", self.config, "run"], stdout=log, stderr=log)
        until("the daemon is ready", lambda: self.get("/health/ready") is not None)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def again(self, connectors):
        """Started anew with other connectors."""
        self.stop()
        self.configure(connectors)
        self.start()

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}{path}", timeout=10) as answer:
                return json.loads(answer.read())
        except (OSError, ValueError):
            return None

    def told(self, action, **entry):
        """As Sleekplan tells it: a webhook of an entry that is public unless `entry` says otherwise."""
        usual = {"segment": "", "scheduled": False, "draft": False, "enabled": True, "created": "2026-03-03 12:00:00", "type": "new"}
        self.post(f"changelog.{action}", usual | entry)

    def post(self, action, data):
        """A webhook of any action."""
        self.at += 1000
        body = {"product_id": 7, "action": action, "data": data, "timestamp": str(self.at)}
        url = f"http://127.0.0.1:{self.receiver}/webhooks/sleekplan?key=k"
        ask = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        answer = json.loads(urllib.request.urlopen(ask, timeout=10).read())
        assert answer["status"] == "accepted", answer

    def rows(self):
        """How each connector is doing, by its name, once all events are handed out."""
        known = lambda: (status := self.get("/api/v1/status")) and status["journal"]["unfolded"] == 0 and status["connectors"]
        return {row["name"]: row for row in until("all events are handed out", known)}

    def settled(self, *names, seconds=120):
        """Waits until nothing is left to do for these connectors, or for all."""
        quiet = lambda rows: all(row["queued"] == 0 for name, row in rows.items() if not names or name in names)
        until("everything is delivered or parked", lambda: quiet(self.rows()), seconds)

    def parked(self):
        return self.get("/api/v1/parked")["parked"]

    def decide(self, what):
        """`retry` or `drop` for everything that is parked."""
        for row in self.parked():
            address = f"http://127.0.0.1:{self.admin}/api/v1/parked/{row['id']}/{what}"
            urllib.request.urlopen(urllib.request.Request(address, b'{"why": "decided"}', {"Content-Type": "application/json"}), timeout=10).read()

    def ask(self, *arguments):
        """A command of the program, with its exit code and all it says."""
        ended = subprocess.run([PROGRAM, "--config", self.config, *arguments], capture_output=True, text=True, timeout=120)
        return ended.returncode, ended.stdout + ended.stderr
