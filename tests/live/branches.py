"""Code that comes from several branches and repositories: what is pushed to one is looked at in its stacks, and in no other."""
import json
import os
import re
import signal
import sqlite3
import subprocess
import tempfile
import types
from pathlib import Path

from feeds import push
from harness import PLUMB, check, test, wait_until

KEY = b"a key of pushes"
X = 'provider["registry.terraform.io/acme/x"]'


def git(*args, folder):
    done = subprocess.run(["git", "-c", "user.name=ann", "-c", "user.email=ann@example.org", "-c", "init.defaultBranch=main", *args],
                          cwd=folder, capture_output=True, text=True)
    check(done.returncode == 0, "git", *args, done.stderr)


def write(folder, size):
    """A stack whose live values are a document in git, too."""
    folder.mkdir(parents=True, exist_ok=True)
    thing = {"mode": "managed", "type": "x_thing", "name": "a", "provider": X, "instances": [
        {"schema_version": 0, "attributes": {"id": "1", "size": "small"}, "sensitive_attributes": []}]}
    (folder / "terraform.tfstate").write_text(json.dumps({"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "l",
                                                          "outputs": {}, "resources": [thing], "check_results": None}))
    (folder / "live.ndjson").write_text('{"complete": true}\n' + json.dumps({"address": "x_thing.a", "attributes": {"id": "1", "size": size}}) + "\n")


class Home:
    def __init__(self, lab):
        self.home = Path(tempfile.mkdtemp(prefix="branches-", dir=lab.folder))
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "PLUMB_", "GIT_"))}
        self.env.update(PLUMB_KEY="a key of thirty-two bytes for tests", XDG_CACHE_HOME=str(self.home / "cache"))
        self.process = None

    def repository(self, name, *paths):
        """A bare one, and the clone of somebody who pushes."""
        bare, dev = self.home / f"{name}.git", self.home / f"dev-{name}"
        git("init", "-q", "--bare", str(bare), folder=self.home)
        git("clone", "-q", str(bare), str(dev), folder=self.home)
        for path in paths:
            write(dev / path, "small")
        return dev

    def commit(self, dev, branch="main"):
        git("add", "-A", folder=dev)
        git("commit", "-qm", "another", folder=dev)
        git("push", "-q", "origin", branch, folder=dev)

    def start(self):
        log = self.home / "serve.log"
        at = log.stat().st_size if log.exists() else 0
        with open(log, "a") as out:
            self.process = subprocess.Popen([PLUMB, "serve", "--listen", "127.0.0.1:0"], cwd=self.home / "work", env=self.env, stderr=out)

        def listening():
            check(self.process.poll() is None, "plumb serve ended:", log.read_text()[-2000:])
            found = re.search(r"listening address=127\.0\.0\.1:(\d+)", log.read_text()[at:])
            self.port = int(found.group(1)) if found else 0
            return found
        check(wait_until(listening, 30), "it does not listen:", log.read_text()[-2000:])

    def end(self, sig=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(sig)
            return self.process.wait(60)
        return None

    def ask(self, sql):
        with sqlite3.connect(self.home / "plumb.db", timeout=60) as db:
            rows = db.execute(sql).fetchall()
        db.close()
        return rows

    def log(self):
        return (self.home / "serve.log").read_text()[-3000:]

    def drifted(self):
        return {s for s, in self.ask("SELECT stack FROM finding WHERE lane = 0")}

    def pushed(self, name, branch):
        body = json.dumps({"ref": f"refs/heads/{branch}", "repository": {"clone_url": f"file://{self.home}/{name}.git"}}).encode()
        return push(types.SimpleNamespace(port=self.port, scheme="http"), body, KEY)


@test()
def stacks_have_branches_of_their_own(lab):
    """One by plumb.yaml's branch, one by another branch, one by another repository, one in the working tree of a third beside it."""
    home = Home(lab)
    try:
        infra, net, side = home.repository("infra", "app"), home.repository("net", "net"), home.repository("side", "site")
        yaml = (f"version: 1\nstore: sqlite:{home.home}/plumb.db\nschedules: [weekly]\n"
                "serve: {anonymous: true, git: {fetch: 1h, push_key: file:push}}\nstacks:\n"
                "  - {path: app, name: app, snapshot: app/live.ndjson}\n"
                "  - {path: app, name: release, branch: release, snapshot: app/live.ndjson}\n"
                "  - {path: ../beside/site, name: site, snapshot: ../beside/site/live.ndjson}\n")
        by_name = f"  - {{path: net, name: net, repository: 'file://{home.home}/net.git', branch: main, snapshot: net/live.ndjson}}\n"
        (infra / "plumb.yaml").write_text(yaml + by_name)
        for dev in (infra, net, side):
            home.commit(dev)
        git("push", "-q", "origin", "main:release", folder=infra)
        git("clone", "-q", str(home.home / "infra.git"), "work", folder=home.home)
        git("clone", "-q", str(home.home / "side.git"), "beside", folder=home.home)
        (home.home / "work" / "push").write_bytes(KEY)
        home.start()
        done = "SELECT stack FROM run WHERE outcome = 'complete'"
        check(wait_until(lambda: {s for s, in home.ask(done)} == {"app", "release", "site", "net"}, 60), home.ask(done), home.log())
        check(not home.drifted(), "drift before anything changed:", home.drifted())

        release = home.home / "dev-release"
        git("clone", "-q", "-b", "release", str(home.home / "infra.git"), str(release), folder=home.home)
        want = set()
        for stack, dev, name, branch, path in (("release", release, "infra", "release", "app"), ("net", net, "net", "main", "net"),
                                               ("site", side, "side", "main", "site"), ("app", infra, "infra", "main", "app")):
            write(dev / path, "large")
            home.commit(dev, branch)
            check(home.pushed(name, branch) == 202, "the push was refused:", stack)
            want.add(stack)
            check(wait_until(lambda: home.drifted() == want, 30), "after a push to", stack, home.drifted(), home.log())
        check(home.pushed("infra", "other") == 200, "a branch that nobody has was fetched")
        check(home.pushed("other", "main") == 200, "a repository that nobody has was fetched")

        home.end(signal.SIGKILL)
        home.start()  # from the clones that are there, and each goes on
        write(release / "app", "small")
        home.commit(release, "release")
        home.pushed("infra", "release")
        check(wait_until(lambda: home.drifted() == want - {"release"}, 30), "after a kill:", home.drifted(), home.log())

        (infra / "plumb.yaml").write_text(yaml)
        home.commit(infra)
        home.pushed("infra", "main")
        gone = "SELECT stack FROM audit_event WHERE type = 'stack.retired'"
        check(wait_until(lambda: home.ask(gone) == [("net",)], 90), "not retired:", home.ask(gone), home.log())
        check(home.drifted() == {"app", "site"}, home.drifted())
        code = home.end()
        check(code == 0, "it did not end well:", code, home.log())
    finally:
        home.end(signal.SIGKILL)
