"""Two `plumb serve`, each with a clone of its own, on one PostgreSQL: what one has seen of the code the other does not take back."""
import collections
import json
import os
import shutil
import subprocess
import threading
import time

from feeds import THINGS, git, push
from harness import Stack, check, test, wait_until
from statelock import NAME, Service
from worlds import Postgres

PUSHES = 6


class Sharing(Service):
    """In a checkout of its own, with the environment of the stack."""

    def __init__(self, folder, env, store, token=None):
        self.folder, self.port, self.process, self.store = folder, 0, None, store
        self.env = {k: v for k, v in env.items() if not k.startswith("PLUMB_")} | {"PLUMB_KEY": "a key of thirty-two bytes for tests"}
        self.token = {"admin": token or self.plumb("token", "create", "--name", "admin", "--role", "admin").stdout.strip()}
        self.start()

    def log(self):
        return (self.folder / "serve.log").read_text()


def rows(server, sql):
    done = subprocess.run(["psql", "-qXAt", "-F", "\t", "-c", sql], env={**os.environ, **server.env}, capture_output=True, text=True, check=True)
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


@test("tofu", "lab6")
def services_with_clones_agree(lab):
    """Pushes of which one or the other hears first, and touches all the while: each finding is told once for each change of the code."""
    stack, server = Stack(lab, THINGS.format("lab6")), Postgres()
    services = []
    try:
        stack.apply()
        home, origin, other = stack.home, stack.home / "origin.git", stack.home / "other"
        store = f"postgres:///postgres?host={server.dir}&user=postgres&sslmode=disable"
        (home / "plumb.yaml").write_text(
            f"version: 1\nstore: \"{store}\"\nstacks:\n  - {{path: root, name: {NAME}, schedule: 1h}}\nserve:\n  scheduler: {{lease: 5s}}\n"
            f"  git: {{fetch: 1h, url: 'file://{origin}', push_key: file:push}}\n")
        (home / ".gitignore").write_text("*\n!root/\n!root/main.tf\n!root/.terraform.lock.hcl\n!plumb.yaml\n!.gitignore\n")
        (home / "push").write_text("a key of pushes")
        git(stack, "init", "-q", "-b", "main", "--bare", str(origin))
        git(stack, "init", "-q", "-b", "main", ".")
        git(stack, "add", "-A")
        git(stack, "commit", "-qm", "one")
        git(stack, "push", "-q", str(origin), "main")
        git(stack, "clone", "-q", str(origin), str(other))
        second = home / "second"
        shutil.copytree(home / "root", second / "root", symlinks=True)
        for name in ("plumb.yaml", "push", ".gitignore"):
            shutil.copy(home / name, second / name)
        git(stack, "init", "-q", "-b", "main", ".", folder=second)
        git(stack, "add", "-A", folder=second)
        git(stack, "commit", "-qm", "one", folder=second)
        services.append(Sharing(home, stack.env, store))
        services.append(Sharing(second, stack.env, store, services[0].token["admin"]))

        def open_now():
            return {a for a, in rows(server, "SELECT address FROM finding WHERE lane = 0")}

        def still():
            return rows(server, "SELECT (SELECT count(*) FROM touch) + (SELECT count(*) FROM run WHERE outcome = 'running')") == [("0",)]
        check(wait_until(lambda: rows(server, "SELECT 1 FROM run WHERE outcome = 'complete'"), 60), "no scan:", services[0].log()[-2000:])
        end = threading.Event()

        def touching():
            """Events all the while: whoever has the old code is asked to look, too."""
            while not end.is_set():
                subprocess.run(["psql", "-qX", "-c", "INSERT INTO touch (stack, address, why, due_utc_ms, serial) SELECT '" + NAME +
                                "', 'lab6_thing.t[' || i || ']', 'event', 1, 1 FROM generate_series(0, 2) i ON CONFLICT (stack, address)"
                                f" DO UPDATE SET serial = touch.serial + 1; UPDATE lease SET urgent_utc_ms = 1 WHERE stack = '{NAME}'; NOTIFY plumb"],
                               env={**os.environ, **server.env}, capture_output=True)
                time.sleep(0.1)
        thread = threading.Thread(target=touching)
        thread.start()
        main, names = other / "root" / "main.tf", {f"lab6_thing.t[{i}]" for i in range(3)}
        text = main.read_text()
        try:
            for n in range(PUSHES):
                main.write_text(text if n % 2 else text.replace('"x"', '"pushed"'))
                git(stack, "commit", "-qam", f"push {n}", folder=other)
                git(stack, "push", "-q", folder=other)
                body = json.dumps({"ref": "refs/heads/main", "repository": {"clone_url": f"file://{origin}"}}).encode()
                check(push(services[n % 2], body, b"a key of pushes") == 202, "the webhook was refused")
                check(wait_until(lambda n=n: open_now() == (set() if n % 2 else names), 60), "after push", n, open_now(),
                      *(s.log()[-1500:] for s in services))
        finally:
            end.set()
            thread.join()
        check(wait_until(still, 60), "it does not come to rest:", rows(server, "SELECT * FROM touch"))
        each = collections.defaultdict(list)
        for address, what in rows(server, "SELECT f.address, h.what FROM finding_history h JOIN finding f ON f.id = h.finding ORDER BY h.id"):
            each[address].append(what)
        want = ["new", "resolved"] + ["reopened", "resolved"] * (PUSHES // 2 - 1)
        check(dict(each) == {a: want for a in names}, "told otherwise than once for each push:", dict(each))
        check(rows(server, "SELECT count(*) FROM finding") == [("3",)], "doubled:", rows(server, "SELECT stack, address, fingerprint, status FROM finding"))
        scanned = [s.log().count("scan scanned") for s in services]
        check(all(scanned), "only one of them scanned:", scanned)
        for service in services:
            check(service.plumb("audit", "verify").returncode == 0, "the log is not sound")
            service.close()
        print(f"    {PUSHES} pushes, scans by each: {scanned}")
    finally:
        for service in services:
            if service.process and service.process.poll() is None:
                service.kill()
        server.stop()
