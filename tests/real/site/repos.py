"""Bare repositories, clones of them, and an OpenSSH server of our own on a loopback port."""
import os, pathlib, shutil, signal, subprocess, time

from daemon import free, until

# Nothing of this machine's git: neither its configuration nor a repository it is started from.
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
CLEAN |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "LC_ALL": "C"}


def run(*arguments, folder=None, check=True):
    ended = subprocess.run([str(part) for part in arguments], cwd=folder, env=CLEAN, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0 or not check, f"{arguments}: {ended.stdout}{ended.stderr}"
    return ended.stdout.strip() if check else ended


class Clone:
    def __init__(self, url, folder, name):
        self.folder = pathlib.Path(folder)
        if not self.folder.exists():
            run("git", "clone", "--quiet", url, self.folder)
        self.set("user.name", name)
        self.set("user.email", f"{name.lower()}@example.test")

    def git(self, *arguments):
        return run("git", *arguments, folder=self.folder)

    def set(self, key, value):
        self.git("config", key, value)

    def pushes(self, path, change, message):
        """A person's commit: `change` makes the new text of a file from the old one, None removes it."""
        self.git("pull", "--quiet", "--ff-only")
        file = self.folder / path
        text = change(file.read_text() if file.exists() else "")
        if text is None:
            self.git("rm", "--quiet", path)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            self.git("add", path)
        self.git("commit", "--quiet", "-m", message)
        self.git("push", "--quiet")
        return self.git("rev-parse", "HEAD")


class Remote:
    """A bare repository with a site in it, the clone that the daemon works in, and a person's clone."""

    def __init__(self, name, root, files, url=None, settings=()):
        self.name, self.bare = name, root / f"{name}.git"
        run("git", "init", "--quiet", "--bare", "--initial-branch=main", self.bare)
        self.person = Clone(self.bare, root / f"{name}-person", "Ann")
        self.person.git("symbolic-ref", "HEAD", "refs/heads/main")
        for path, text in files.items():
            file = self.person.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.person.git("add", ".")
        self.person.git("commit", "--quiet", "-m", "A site")
        self.person.git("push", "--quiet", "-u", "origin", "main")
        self.first, self.folder = self.head(), root / name
        self.clone = Clone(self.bare, self.folder, "Bot")
        self.clone.git("remote", "set-url", "origin", url or str(self.bare))
        for key, value in settings:
            self.clone.set(key, value)

    def head(self):
        return run("git", "rev-parse", "main", folder=self.bare)

    def log(self, since, form="%s"):
        return run("git", "log", "--reverse", f"--format={form}", f"{since}..main", folder=self.bare).splitlines()

    def show(self, path):
        shown = run("git", "show", f"main:{path}", folder=self.bare, check=False)
        return shown.stdout if shown.returncode == 0 else None

    def hook(self, where, name, script):
        """Puts a hook into the bare repository or the clone; no script takes it away."""
        file = where / "hooks" / name
        file.parent.mkdir(exist_ok=True)
        if script is None:
            file.unlink()
        else:
            file.write_text("#!/bin/sh\n" + script)
            file.chmod(0o755)


class Sshd:
    """An OpenSSH server with keys of its own, that lets in who holds ours."""

    def __init__(self, root):
        self.root, self.port, self.process = root / "ssh", free(), None
        self.root.mkdir(mode=0o700)
        for name in ("host", "user", "other"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", self.root / name)
        self.authorized = self.root / "authorized"
        self.lets_in("user")
        self.known = self.root / "known_hosts"
        self.known.write_text(f"[127.0.0.1]:{self.port} {(self.root / 'host.pub').read_text()}")
        config = (
            f"ListenAddress 127.0.0.1\nPort {self.port}\nHostKey {self.root}/host\nPidFile {self.root}/pid\nAuthorizedKeysFile {self.authorized}\n"
            "StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
        )
        (self.root / "sshd_config").write_text(config)
        self.command = (
            f"ssh -F /dev/null -i {self.root}/user -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=10 "
            f"-o StrictHostKeyChecking=yes -o UserKnownHostsFile={self.known} -o GlobalKnownHostsFile=/dev/null"
        )
        self.start()

    def url(self, bare):
        return f"ssh://{run('id', '-un')}@127.0.0.1:{self.port}{bare}"

    def lets_in(self, name):
        self.authorized.write_text((self.root / f"{name}.pub").read_text())

    def start(self):
        if os.getuid() == 0:
            # Debian makes it when the service starts, and this is no service.
            pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        program = shutil.which("sshd", path="/usr/sbin:/sbin:" + os.environ["PATH"])
        log = open(self.root / "log", "a")
        self.process = subprocess.Popen([program, "-D", "-e", "-f", self.root / "sshd_config"], stdout=log, stderr=log)
        until("sshd listens", lambda: f"port {self.port}" in (self.root / "log").read_text().lower())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        (self.root / "log").write_text("")
