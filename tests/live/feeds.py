"""What tells `plumb serve` of changes, and providers that stay: files, pushes to a real git repository, one resource read again."""
import hashlib
import hmac
import json
import os
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import time
from pathlib import Path

from harness import Stack, Stopwatch, check, test, wait_until
from statelock import NAME, Service

BOTH = {"cases": ["lab5", "lab6"]}
THINGS = 'resource "{0}_thing" "t" {{\n  count = 3\n  name  = "t${{count.index}}"\n  text  = "x"\n}}\n'


class Watched(Service):
    """`plumb serve` over a stack, with the stack's environment."""

    def __init__(self, stack, config=""):
        self.stack = stack
        super().__init__(stack.home, config=config, tokens=("admin",))

    def start(self):
        self.env.update(self.stack.env)
        super().start()

    def touch(self, address=""):
        """As an event does it."""
        db = sqlite3.connect(self.folder / "plumb.db", timeout=120)
        with db:
            db.execute("insert into touch (stack, address, why, due_utc_ms, serial) values (?, ?, 'event', 1, 1) "
                       "on conflict (stack, address) do update set serial = serial + 1", (NAME, address))
            db.execute("update lease set urgent_utc_ms = 1 where stack = ?", (NAME,))
        db.close()

    def open_findings(self):
        db = sqlite3.connect(self.folder / "plumb.db", timeout=120)
        rows = {a for a, in db.execute("select address from finding where status not in ('resolved', 'absent')")}
        db.close()
        return rows

    def runs(self):
        db = sqlite3.connect(self.folder / "plumb.db", timeout=120)
        n, = db.execute("select count(*) from run where ended_utc_ms > 0").fetchone()
        db.close()
        return n

    def expect(self, addresses, seconds=15):
        found = wait_until(lambda: self.open_findings() == set(addresses), seconds)
        check(found, "open findings:", self.open_findings(), "not", addresses, (self.folder / "serve.log").read_text()[-3000:])

    def scanned(self, before, seconds=20):
        check(wait_until(lambda: self.runs() > before, seconds), "no scan:", (self.folder / "serve.log").read_text()[-3000:])

    def figure(self, name):
        text = self.ask("GET", "/metrics")[1].decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))


def watched(lab, which, config=""):
    stack = Stack(lab, THINGS.format(which))
    stack.apply()
    return stack, Watched(stack, config)


def stands(pid):
    """Is it gone, or is each of its threads stopped? The signal reaches them one after another, and the others answer until then."""
    try:
        return all(re.search(r"\) ([TZ])", (task / "stat").read_text()) for task in Path(f"/proc/{pid}/task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return True


@test("tofu", "lab5", "lab6", **BOTH)
def feeds_read_one_resource_again(lab, which):
    """Scans one after the other by one process; what it cannot do, a new one does; none is left."""
    stack, service = watched(lab, which)
    with service:
        service.touch()
        service.scanned(0)
        first = stack.processes()
        check(len(first) == 1, "providers after a scan:", first)
        warm = []
        peace = stack.object(f"{which}_thing", "t1").read_text()
        for i in range(6):
            if i % 2 == 0:
                stack.edit(f"{which}_thing", "t1", text="by hand")
            else:
                stack.object(f"{which}_thing", "t1").write_text(peace)
            watch = Stopwatch()
            service.touch(f"{which}_thing.t[1]")
            service.expect([f"{which}_thing.t[1]"] if i % 2 == 0 else [])
            warm.append(watch)
            watch.stop()
        check(stack.processes() == first, "another process:", stack.processes(), first)
        sorted(warm, key=lambda w: w.seconds)[len(warm) // 2].must_be_within(2, "touch to finding:")
        warm = [w.seconds for w in warm]
        # what is gone is told once a new process says so, too
        stack.delete(f"{which}_thing", "t2")
        service.touch(f"{which}_thing.t[2]")
        service.expect([f"{which}_thing.t[2]"])
        second = stack.processes()
        check(len(second) == 1 and second != first, "a kept process was believed:", first, second)
        # one that dies or stands still is replaced unnoticed
        for sig in (signal.SIGKILL, signal.SIGSTOP):
            old = stack.processes()
            os.kill(old[0], sig)
            check(wait_until(lambda: stands(old[0]), 60), "it goes on after", sig)
            before = service.runs()
            service.touch(f"{which}_thing.t[0]")
            service.scanned(before)
            check(stack.processes() != old and len(stack.processes()) == 1, "not replaced:", old, stack.processes())
        check(service.open_findings() == {f"{which}_thing.t[2]"}, service.open_findings())
        check(wait_until(lambda: service.figure('plumb_warm_providers{state="waiting"}') == 1, 5), "figures of kept providers")
        service.kill(signal.SIGKILL)
        check(wait_until(lambda: not stack.processes(), 5), "providers outlive the service:", stack.processes())
    print(f"  {which}: touch to finding, warm: median {statistics.median(warm) * 1000:.0f} ms, most {max(warm) * 1000:.0f} ms")


@test("tofu", "lab6", "local")
def feeds_hear_of_files(lab):
    """Code as an editor saves it, a state that is written: the stack is compared anew; a managed file: that address."""
    stack = Stack(lab, THINGS.format("lab6") + 'resource "local_file" "f" {\n  filename = "${path.module}/out/f.conf"\n  content = "as it should be"\n}\n')
    stack.apply()
    service = Watched(stack)
    with service:
        service.touch()
        service.scanned(0)
        code = (stack.dir / "main.tf").read_text()
        stack.write("main.tf.tmp", code.replace('"x"', '"y"'))
        (stack.dir / "main.tf.tmp").rename(stack.dir / "main.tf")
        start = time.monotonic()
        service.expect([f"lab6_thing.t[{i}]" for i in range(3)])
        took = time.monotonic() - start
        stack.apply()  # writes objects and state, under a lock
        service.expect([])
        managed = stack.dir / "out" / "f.conf"
        managed.write_text("by hand")
        service.expect(["local_file.f"])
        check("kind=touched" in (stack.home / "serve.log").read_text(), "the whole stack was read for one file")
        managed.write_text("as it should be")
        service.expect([])
        before = service.runs()
        stack.write(".main.tf.swp", "noise")
        stack.write("main.tf~", "noise")
        time.sleep(1)
        check(service.runs() == before, "noise was heard of")
    print(f"  code saved to finding: {took * 1000:.0f} ms")


@test("tofu", "lab6")
def feeds_end_a_circle(lab):
    """A file beside the code that every scan changes: after some rounds the scans wait; a change of the code is still seen."""
    stack, service = watched(lab, "lab6")
    with service:
        noise, log, seen = stack.dir / "noise.txt", stack.home / "serve.log", -1
        noise.write_text("0")

        def calmed():
            nonlocal seen
            if service.runs() != seen:
                seen = service.runs()
                noise.write_text(f"after {seen} scans")
            return "it is scanned less often" in log.read_text()
        service.touch()
        service.scanned(0)
        check(wait_until(calmed, 240), "still in a circle after", service.runs(), "scans:", log.read_text()[-2000:])
        check(service.runs() < 60, "calm only after", service.runs(), "scans")
        stack.delete("lab6_thing", "t1")
        with open(stack.dir / "main.tf", "a", encoding="utf-8") as code:
            code.write("# another line\n")
        service.expect(["lab6_thing.t[1]"], 240)


class Several(Watched):
    """`plumb serve` over the stacks in the folders of `stacks`."""

    def __init__(self, stack):
        start, self.start = self.start, lambda: None
        super().__init__(stack)
        path = self.folder / "plumb.yaml"
        path.write_text(path.read_text().replace(f"path: root\n    name: {NAME}", 'path: "stacks/*"\n    name: "{dir}"\n    schedule: 24h'))
        self.start = start
        self.start()

    def rows(self, sql):
        db = sqlite3.connect(self.folder / "plumb.db", timeout=30)
        rows = db.execute(sql).fetchall()
        db.close()
        return set(rows)

    def expect(self, findings, seconds=30):
        sql = "select stack, address from finding where status not in ('resolved', 'absent')"
        check(wait_until(lambda: self.rows(sql) == set(findings), seconds), "open findings:", self.rows(sql), "not", findings,
              (self.folder / "serve.log").read_text()[-3000:])


@test("tofu", "lab6", "local")
def feeds_share_providers(lab):
    """Stacks of one provider and configuration have its processes together; one with paths from its folder has its own answer."""
    stack = Stack(lab, THINGS.format("lab6"))
    stack.apply()
    files = Stack(lab, 'resource "local_file" "f" {\n  filename = "out.txt"\n  content = "as it should be"\n}\n')
    files.apply()
    things = [f"thing{n}" for n in range(6)]
    for source, names in ((stack.dir, things), (files.dir, ["file1", "file2"])):
        for name in names:
            shutil.copytree(source, stack.home / "stacks" / name, symlinks=True)
    service = Several(stack)
    with service:
        check(wait_until(lambda: len(service.rows("select stack from run where ended_utc_ms > 0")) == 8, 60), "not all were scanned")
        service.expect([])
        where = [os.readlink(f"/proc/{pid}/cwd") for pid in stack.processes()]
        shared = [w for w in where if w.endswith("/nowhere")]
        check(1 <= len(shared) <= 3, "six stacks by their scanners' processes at most:", where)
        check({Path(w).name for w in where} <= {"nowhere", "file1", "file2"}, "none of their own:", where)
        out = [stack.home / "stacks" / name / "out.txt" for name in ("file1", "file2")]
        for _ in range(3):
            out[0].unlink()
            service.expect([("file1", "local_file.f")])
            out[1].write_text("by hand")
            service.expect([("file1", "local_file.f"), ("file2", "local_file.f")])
            out[0].write_text("as it should be")
            service.expect([("file2", "local_file.f")])
            out[1].write_text("as it should be")
            service.expect([])
    check(wait_until(lambda: not stack.processes(), 10), "providers outlive the service:", stack.processes())


def git(stack, *args, folder=None):
    env = {**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "HOME": str(stack.home), "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.c",
           "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b.c"}
    subprocess.run(["git", *args], cwd=folder or stack.home, env=env, check=True, capture_output=True)


@test("tofu", "lab6")
def feeds_follow_a_branch(lab):
    """A push and its webhook: the finding is there within seconds; nobody's working tree is touched."""
    stack = Stack(lab, THINGS.format("lab6"))
    stack.apply()
    origin = stack.home / "origin.git"
    git(stack, "init", "-q", "-b", "main", "--bare", str(origin))
    git(stack, "init", "-q", "-b", "main", ".")
    (stack.home / ".gitignore").write_text("*\n!root/\n!root/main.tf\n!root/.terraform.lock.hcl\n!plumb.yaml\n!.gitignore\n")
    (stack.home / "push").write_text("a key of pushes")
    service = Watched.__new__(Watched)
    service.stack, service.start = stack, lambda: None
    Service.__init__(service, stack.home, tokens=("admin",), config=f"serve:\n  git:\n    fetch: 1h\n    url: file://{origin}\n"
                     "    push_key: file:push\n")
    del service.start
    git(stack, "add", "-A")
    git(stack, "commit", "-qm", "one")
    git(stack, "push", "-q", str(origin), "main")
    service.start()
    with service:
        service.touch()
        service.scanned(0)
        check(service.open_findings() == set(), service.open_findings())
        other = stack.home / "other"
        git(stack, "clone", "-q", str(origin), str(other))
        main = other / "root" / "main.tf"
        main.write_text(main.read_text().replace('"x"', '"pushed"'))
        git(stack, "commit", "-qam", "two", folder=other)
        git(stack, "push", "-q", folder=other)
        body = json.dumps({"ref": "refs/heads/main", "repository": {"clone_url": f"file://{origin}"}}).encode()
        check(push(service, body, b"another key") == 401, "not signed, and taken")
        start = time.monotonic()
        check(push(service, body, b"a key of pushes") == 202, "the webhook was refused")
        service.expect([f"lab6_thing.t[{i}]" for i in range(3)])
        took = time.monotonic() - start
        check('"x"' in (stack.dir / "main.tf").read_text(), "the working tree was touched")
        elsewhere = body.replace(b"main", b"feature")
        check(push(service, elsewhere, b"a key of pushes") == 200, "another branch")
    print(f"  push to finding: {took * 1000:.0f} ms")


def push(service, body, key):
    import urllib.error
    import urllib.request
    mac = hmac.new(key, body, hashlib.sha256).hexdigest()
    request = urllib.request.Request(f"http://127.0.0.1:{service.port}/v1/push", data=body, method="POST",
                                     headers={"X-Hub-Signature-256": "sha256=" + mac})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
