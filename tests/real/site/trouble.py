"""What goes wrong between a daemon and its remotes: people, hooks, a kill, a server that is away, keys that are refused."""
import time

from daemon import PROGRAM, until
from repos import Clone, run


PAGES = {
    "hugo": "content/changelog/entry-{}.md",
    "jekyll": "_posts/2026-03-03-entry-{}.md",
    "astro": "src/content/changelog/entry-{}.md",
    "docusaurus": "changelog/entry-{}.md",
}


def made(daemon, remotes, sshd, said):
    begun = {name: with_work_of_a_person(remote) for name, remote in remotes.items()}
    for trouble in (life, others_push, killed_while_pushing, edited_by_a_person, refused_by_a_hook):
        trouble(daemon, remotes, said)
    for trouble in (server_away, key_refused, hanging):
        trouble(daemon, remotes["hugo"], sshd, said)
    signed(daemon, remotes["jekyll"], said)
    for name, remote in remotes.items():
        assert begun[name] == (status := remote.clone.git("status", "--porcelain")), f"{name}: {begun[name]!r} became {status!r}"
        assert remote.clone.git("rev-parse", "HEAD") == remote.head(), f"{name}: the clone and the remote differ"
        run("git", "fsck", "--strict", "--no-dangling", folder=remote.bare)
    assert daemon.parked() == [] and all(row["state"] == "running" for row in daemon.rows().values()), daemon.rows()
    said("nothing is parked, clones and remotes are the same, and what a person had staged, changed and left untracked is as it was")


def with_work_of_a_person(remote):
    (remote.folder / "untracked.txt").write_text("mine")
    (remote.folder / "staged.txt").write_text("mine")
    remote.clone.git("add", "staged.txt")
    changed = next(path for path in ("hugo.toml", "_config.yml", "package.json") if (remote.folder / path).exists())
    (remote.folder / changed).write_text((remote.folder / changed).read_text() + "\n")
    return remote.clone.git("status", "--porcelain")


def update(daemon, number, title, *names, **fields):
    daemon.told("update", changelog_id=number, title=title, **({"description_html": f"<p>{title}</p>"} | fields))
    daemon.settled(*names)


def life(daemon, remotes, said):
    # Sleekplan tells of no deletion of an entry: there is no `changelog.delete` among its events.
    heads = {name: remote.head() for name, remote in remotes.items()}
    standing = lambda: {name: remote.show(PAGES[name].format(900)) is not None for name, remote in remotes.items()}
    steps = [
        (lambda: daemon.told("create", changelog_id=900, title="One", description="one"), True),
        (lambda: update(daemon, 900, "Two"), True),
        (lambda: update(daemon, 900, "Two"), True),
        (lambda: update(daemon, 900, "Two", draft=True), False),
        (lambda: update(daemon, 900, "Three"), True),
        (lambda: update(daemon, 900, "Three", segment="12"), False),
    ]
    for step, stands in steps:
        step()
        daemon.settled()
        assert set(standing().values()) == {stands}, (standing(), daemon.parked())
    for name, remote in remotes.items():
        told = remote.log(heads[name], "%s|%(trailers:key=Sleekplan-Event,valueonly,separator=%x2C)")
        told = [line.split(" 2026-")[0] for line in told]
        assert told == ["Publish: One|published", "Update: Two|edited", "Withdraw: Two|withdrawn", "Publish: Three|published", "Withdraw: Three|withdrawn"], (name, told)
    said("published, edited, told the same again, withdrawn, published and limited to a segment: one commit for each change")


def others_push(daemon, remotes, said):
    theirs = {name: remote.person.pushes("NOTES.md", lambda text: text + "mine\n", "Notes") for name, remote in remotes.items()}
    before = {name: remote.head() for name, remote in remotes.items()}
    update(daemon, 100, "On top of others")
    assert daemon.parked() == [], daemon.parked()
    for name, remote in remotes.items():
        assert before[name] == theirs[name] and remote.log(before[name]) == ["Update: On top of others"], remote.log(before[name])
        assert (remote.folder / "NOTES.md").read_text() == "mine\n" and "On top of others" in remote.show(PAGES[name].format(100))
    said("a remote that went on: ours on top of theirs, nothing forced, the work tree brought along")


def killed_while_pushing(daemon, remotes, said):
    for name, over in (("hugo", "ssh"), ("jekyll", "file")):
        remote = remotes[name]
        begun, head = daemon.folder / f"{name}-pushing", remote.head()
        # Once: git waits in it, and goes on by itself when the daemon is no more.
        remote.hook(remote.folder / ".git", "pre-push", f"mkdir {begun} 2>/dev/null && sleep 2\nexit 0\n")
        daemon.told("update", changelog_id=101, title=f"Killed over {over}", description="x")
        until("it pushes", begun.exists)
        daemon.kill()
        assert remote.head() == head and remote.clone.git("rev-parse", "HEAD") != head
        daemon.start()
        daemon.settled()
        time.sleep(2.5)
        assert remote.log(head) == [f"Update: Killed over {over}"] and daemon.parked() == [], (remote.log(head), daemon.parked())
        remote.hook(remote.folder / ".git", "pre-push", None)
        # Killed when the push has failed: no git goes on by itself, and the commit is found unpushed at the start.
        begun = daemon.folder / f"{name}-alone"
        head = remote.head()
        remote.hook(remote.folder / ".git", "pre-push", f"mkdir {begun} 2>/dev/null && exit 1\nexit 0\n")
        daemon.told("update", changelog_id=101, title=f"Refused over {over}", description="x")
        until("it pushed", begun.exists)
        daemon.kill()
        daemon.start()
        daemon.settled()
        assert remote.log(head) == [f"Update: Refused over {over}"] and daemon.parked() == [], (remote.log(head), daemon.parked())
        remote.hook(remote.folder / ".git", "pre-push", None)
    said("killed between commit and push, over ssh and file: pushed exactly once after a start")


def edited_by_a_person(daemon, remotes, said):
    for name, change in (("hugo", lambda text: text + "\nA word of mine.\n"), ("docusaurus", lambda text: None)):
        remote, page = remotes[name], PAGES[name].format(102)
        theirs = remote.person.pushes(page, change, "By hand")
        update(daemon, 102, f"Against {name}", description="ours")
        (parked,) = daemon.parked()
        assert parked["class"] == "rejected" and f"{page} was changed at the remote, in {theirs[:7]}" in parked["reason"], parked
        assert "by Ann" in parked["reason"] and remote.head() != theirs or remote.log(theirs) == [], parked
        by_hand = remote.show(page)
        assert by_hand is None or "A word of mine." in by_hand
        kept = next(word for word in parked["reason"].split() if word.startswith("refs/sleeksync/conflicts/"))
        assert f"Against {name}" in remote.clone.git("show", f"{kept}:{page}")
        code, words = daemon.ask("retry", str(parked["id"]))
        assert code == 0, words
        daemon.settled()
        assert daemon.parked() == [] and remote.show(page) == by_hand, (daemon.parked(), remote.log(theirs))
        code, words = daemon.ask("replay", "--connector", name, "--item", "changelog/102")
        assert code == 0, words
        daemon.settled()
        text = remote.show(page) or ""
        assert daemon.parked() == [] and f"Against {name}" in text and "A word of mine." not in text, (daemon.parked(), text)
    said("a page that a person edited or removed: parked with their commit, ours kept; `retry` leaves theirs, `replay --item` writes ours")


def refused_by_a_hook(daemon, remotes, said):
    for name in ("astro", "hugo"):
        remote, head = remotes[name], remotes[name].head()
        remote.hook(remote.bare, "pre-receive", 'echo "GH006: Protected branch update failed: changes need a review." >&2; exit 1\n')
        update(daemon, 103, f"Refused at {name}")
        (parked,) = daemon.parked()
        assert parked["class"] == "rejected" and "the remote refuses the branch: " in parked["reason"], parked
        assert "GH006: Protected branch update failed: changes need a review." in parked["reason"] and remote.head() == head, parked
        remote.hook(remote.bare, "pre-receive", None)
        code, words = daemon.ask("retry", str(parked["id"]))
        assert code == 0, words
        daemon.settled()
        assert daemon.parked() == [] and remote.log(head) == [f"Update: Refused at {name}"], (daemon.parked(), remote.log(head))
    said("a protected branch: parked in the remote's words, delivered by `retry` once it allows it")


def server_away(daemon, remote, sshd, said):
    head = remote.head()
    sshd.stop()
    daemon.told("update", changelog_id=104, title="While ssh is away", description="x")
    error = lambda: (daemon.rows().get(remote.name, {}).get("last_error") or {})
    until("it says so", lambda: "refused" in str(error()).lower(), 30)
    assert error()["class"] == "transient" and daemon.rows()[remote.name]["queued"] == 1 and remote.head() == head, daemon.rows()
    sshd.start()
    daemon.settled()
    assert remote.log(head) == ["Update: While ssh is away"] and daemon.parked() == [], daemon.parked()
    said("an ssh server that is away costs time and nothing else")


def key_refused(daemon, remote, sshd, said):
    known = sshd.known.read_text()
    for number, (what, spoil, mend) in enumerate((
        ("key", lambda: sshd.lets_in("other"), lambda: sshd.lets_in("user")),
        ("host", lambda: sshd.known.write_text(known.split(" ")[0] + " " + (sshd.root / "other.pub").read_text()), lambda: sshd.known.write_text(known)),
    )):
        head = remote.head()
        spoil()
        daemon.told("update", changelog_id=105, title=f"With another {what}", description=str(number))
        until("it stops", lambda: daemon.rows().get(remote.name, {}).get("state") == "unauthorized", 30)
        assert daemon.rows()[remote.name]["queued"] == 1 and remote.head() == head, daemon.rows()
        mend()
        # The other site at that server stops for the same reason, and goes on likewise.
        for name in (remote.name, "docusaurus"):
            until("it stops too", lambda: daemon.rows().get(name, {}).get("state") == "unauthorized", 30)
            code, words = daemon.ask("resume", name)
            assert code == 0, words
        daemon.settled()
        assert remote.log(head) == [f"Update: With another {what}"] and daemon.parked() == [], daemon.parked()
    said("a refused key, and a host that is not the known one, stop the connector; its queue is kept and delivered after `resume`")


def hanging(daemon, remote, sshd, said):
    short = daemon.folder / "short.toml"
    short.write_text(daemon.config.read_text().replace('timeout = "20s"', 'timeout = "1s"'))
    remote.clone.set("core.sshCommand", "sleep 300 #")
    begin = time.time()
    checked = run(PROGRAM, "--config", short, "check", "--live", check=False)
    assert checked.returncode == 1 and "no answer in time" in checked.stdout and time.time() - begin < 20, checked
    assert checked.stdout.count("accepts the credentials") == 3, checked.stdout
    remote.clone.set("core.sshCommand", sshd.command)
    said(f"a remote that never answers is told by `check --live` after {time.time() - begin:.0f} s, the others are proved")


def signed(daemon, remote, said):
    key = daemon.folder / "signing"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bot@example.test", "-f", key)
    allowed = daemon.folder / "allowed_signers"
    allowed.write_text(f"bot@example.test {key.with_suffix('.pub').read_text()}")
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", f"{key}.pub"), ("commit.gpgSign", "true")):
        remote.clone.set(name, value)
    head = remote.head()
    update(daemon, 106, "Signed")
    theirs = remote.person.pushes("NOTES.md", lambda text: text + "more\n", "More notes")
    update(daemon, 106, "Signed on top")
    assert remote.log(head) == ["Update: Signed", "More notes", "Update: Signed on top"] and daemon.parked() == [], remote.log(head)
    reader = Clone(remote.bare, daemon.folder / "verified", "Reader")
    for commit in (f"{theirs}^", "HEAD"):
        reader.git("-c", "gpg.format=ssh", "-c", f"gpg.ssh.allowedSignersFile={allowed}", "verify-commit", commit)
    said("commits are signed as git is told to, also those that are made again on top of others")
