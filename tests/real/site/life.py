"""Entries on real sites: life.py CACHE FOLDER. Ends with 0 when everything held."""
import concurrent.futures, pathlib, sys, time

import reading, trouble
from daemon import Daemon
from entries import hostile, ordinary
from repos import Clone, Remote, Sshd
from sites import sites

CACHE, FOLDER = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
OVER_SSH = ("hugo", "docusaurus")
BEGIN = time.time()


def said(what):
    print(f"{time.time() - BEGIN:6.1f} s  {what}", flush=True)


def started(generators, sshd):
    """A remote for each generator, and one daemon that serves them all."""
    remotes, connectors = {}, ""
    for site in generators:
        bare = FOLDER / f"{site.name}.git"
        over_ssh = {"url": sshd.url(bare), "settings": [("core.sshCommand", sshd.command)]}
        remote = Remote(site.name, FOLDER, site.files, **(over_ssh if site.name in OVER_SSH else {"url": f"file://{bare}"}))
        remotes[site.name] = remote
        connectors += f'[connectors.{site.name}]\nkind = "site"\npath = "{remote.folder}"\nformat = "{site.name}"\ngit = {{}}\n{site.settings}'
        connectors += f'[connectors.{site.name}.delivery]\nbackoff_max = "1s"\ntimeout = "20s"\n'
    daemon = Daemon(FOLDER, connectors)
    code, checked = daemon.ask("check", "--live")
    assert code == 0 and checked.count("accepts the credentials") == len(generators), checked
    daemon.start()
    return daemon, remotes


def published(daemon, remotes, entries):
    for entry in entries:
        daemon.told("create", changelog_id=entry.number, title=entry.title, **entry.fields)
    begin = time.time()
    daemon.settled(seconds=240)
    assert daemon.parked() == [], daemon.parked()
    form = "%(trailers:key=Sleekplan-Entry,valueonly,separator=%x2C)|%(trailers:key=Sleekplan-Event,valueonly,separator=%x2C)"
    for remote in remotes.values():
        commits = [line.split("|") for line in remote.log(remote.first, form)]
        assert sorted(int(entry) for entry, _ in commits) == sorted(entry.number for entry in entries), commits
        assert all(event.startswith("published 2026-") for _, event in commits), commits
        keys = remote.log(remote.first, "%(trailers:key=Sleekplan-Key,valueonly,separator=%x2C)")
        assert len(set(keys)) == len(entries) and all(key.startswith("sp-7-changelog-") for key in keys), keys
    said(f"{len(entries)} entries are {len(entries)} commits with trailers at each of {len(remotes)} remotes, pushed in {time.time() - begin:.0f} s")


def main():
    sshd = Sshd(FOLDER)
    generators = sites(CACHE)
    daemon, remotes = started(generators, sshd)
    builders = concurrent.futures.ThreadPoolExecutor(1)
    try:
        entries = list(ordinary()) + list(hostile())
        assert len(entries) >= 45
        published(daemon, remotes, entries)
        # What others see: a fresh clone of what was pushed. The slow ones are built while trouble is made.
        folders = {site.name: Clone(remotes[site.name].bare, FOLDER / f"{site.name}-built", "Reader").folder for site in generators}
        readings = [builders.submit(reading.read, site, folders[site.name], entries) for site in generators]
        trouble.made(daemon, remotes, sshd, said)
        for ended in readings:
            said(ended.result())
        hugo = generators[0]
        reading.read_again(hugo, Clone(remotes["hugo"].bare, FOLDER / "hugo-last", "Reader").folder, said)
    finally:
        daemon.stop()
        sshd.stop()


main()
