"""Services that share the scans of one PostgreSQL: killed, paused, without their server; no scan is lost, none counts twice."""
import http.client
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from harness import PLUMB, Stack, Stopwatch, check, test, wait_until
from worlds import Postgres

SECONDS = float(os.environ.get("LIVE_SCHEDULING_SECONDS", "12"))
STACKS, SERVICES, PERIOD_MS, LEASE_MS = 8, 4, 2000, 1000
X = 'provider["registry.terraform.io/acme/x"]'


class Shared(Postgres):
    """A store that goes away now and then."""

    def __init__(self):
        super().__init__()
        self.url = f"postgres:///postgres?host={self.dir}&user=postgres&sslmode=disable"

    def restart(self):
        self.call("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "-s", "restart", "-l", f"{self.dir}/log")

    def rows(self, query):
        out = subprocess.run(["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-c", f"SELECT coalesce(json_agg(q), '[]') FROM ({query}) q"],
                             env={**os.environ, **self.env}, capture_output=True, text=True)
        check(out.returncode == 0 or "does not exist" in out.stderr, query, out.stderr)
        return json.loads(out.stdout or "[]")


class World:
    """Stacks whose live values are documents, and services on one store."""

    def __init__(self, lab, store, yaml="", stacks=STACKS, things=300, env=None):
        self.home = Path(tempfile.mkdtemp(prefix="scheduling-", dir=lab.folder))
        self.names, self.things, self.sizes, self.processes = [f"s{i}" for i in range(stacks)], things, {}, []
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "PG", "PLUMB_"))}
        self.env.update(PLUMB_KEY="a key of thirty-two bytes for tests", XDG_CACHE_HOME=str(self.home / "cache"), **(env or {}))
        for name in self.names:
            (self.home / name).mkdir()
            self.state(name, 3)
            self.size(name, "small")
        rows = "".join(f"  - {{path: {n}, snapshot: {n}/live.ndjson}}\n" for n in self.names)
        (self.home / "plumb.yaml").write_text(
            f"version: 1\nstore: '{store}'\n{yaml}serve:\n  listen: 127.0.0.1:0\n  anonymous: true\n  watch: {{off: true}}\n"
            f"  scheduler: {{lease: {LEASE_MS}ms, drain: 5s}}\nstacks:\n{rows}")

    def state(self, name, serial):
        things = [{"mode": "managed", "type": "x_thing", "name": f"t{k}", "provider": X, "instances": [
            {"schema_version": 0, "attributes": {"id": str(k), "size": "small"}, "sensitive_attributes": []}]} for k in range(self.things)]
        self.put(name, "terraform.tfstate", json.dumps({"version": 4, "terraform_version": "1.9.0", "serial": serial, "lineage": f"of-{name}",
                                                        "outputs": {}, "resources": things, "check_results": None}))

    def size(self, name, size):
        """What t0 of the stack is like now; the others stay."""
        self.sizes[name] = size
        lines = ['{"complete": true}'] + [json.dumps({"address": f"x_thing.t{k}", "attributes": {"id": str(k), "size": "small" if k else size}})
                                          for k in range(self.things)]
        self.put(name, "live.ndjson", "\n".join(lines) + "\n")

    def put(self, name, file, text):
        new = self.home / name / (file + ".new")
        new.write_text(text)
        new.rename(self.home / name / file)

    def serve(self):
        log = open(self.home / f"log{len(self.processes)}", "w")
        process = subprocess.Popen([PLUMB, "serve"], cwd=self.home, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def listens(self, process):
        return "listening" in (self.home / f"log{self.processes.index(process)}").read_text()

    def plumb(self, *args, codes=(0,)):
        done = subprocess.run([PLUMB, *args], cwd=self.home, env=self.env, capture_output=True, text=True)
        check(done.returncode in codes, "plumb", *args, "gave", done.returncode, (done.stdout + done.stderr)[-900:])
        return done.stdout

    def logs(self):
        return "".join(p.read_text() for p in sorted(self.home.glob("log*")))

    def end(self, seconds=120):
        """Exit codes of those that still ran."""
        left = [p for p in self.processes if p.poll() is None]
        for process in left:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
        codes = []
        for process in left:
            try:
                codes.append(process.wait(seconds))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                codes.append("it did not end")
        return codes


def trouble(world, store, until):
    """Kill, pause, restart the server, change what is live; at random, with one seed."""
    chance = random.Random(7)
    live, paused, restarts = [world.serve() for _ in range(SERVICES)], {}, [until - SECONDS * 0.6, until - SECONDS * 0.25]
    counts = {"killed": 0, "paused": 0, "restarted": 0, "changed": 0}
    while time.monotonic() < until:
        time.sleep(chance.uniform(0.05, 0.3))
        now = time.monotonic()
        for process in [p for p, end in paused.items() if end < now]:
            process.send_signal(signal.SIGCONT)
            del paused[process]
        for i, process in enumerate(live):
            check(process.poll() is None, "a service ended by itself:", process.returncode, world.logs()[-2000:])
            what = chance.random()
            if what < 0.04 and process not in paused:
                process.kill()
                process.wait()
                live[i] = world.serve()
                counts["killed"] += 1
            elif what < 0.08 and process not in paused and len(paused) < SERVICES - 1 and world.listens(process):
                process.send_signal(signal.SIGSTOP)
                paused[process] = now + chance.uniform(1.2, 2.5) * LEASE_MS / 1000
                counts["paused"] += 1
        if chance.random() < 0.4:
            world.size(chance.choice(world.names), chance.choice(["small", "large", "huge"]))
            counts["changed"] += 1
        if restarts and now > restarts[0]:
            restarts.pop(0)
            # who finds no store when it starts ends at once, and is right
            check(wait_until(lambda: all(map(world.listens, live)), 20), "a service does not listen:", world.logs()[-2000:])
            store.restart()
            counts["restarted"] += 1
    for process in paused:
        process.send_signal(signal.SIGCONT)
    return counts


def slot_of(ms, next_ms):
    """Which due time of the schedule a moment is behind."""
    return (ms - next_ms) // PERIOD_MS


@test()
def scheduling_shares_loses_and_doubles_nothing(lab):
    """Four services on one PostgreSQL; killed, paused for longer than a lease, the server restarted."""
    store = Shared()
    world = World(lab, store.url, f"schedules: [{{schedule: {PERIOD_MS // 1000}s}}]\n")
    try:
        counts = trouble(world, store, time.monotonic() + SECONDS)
        quiet = int(time.time() * 1000)
        last = "SELECT stack, max(started_utc_ms) AS at FROM run WHERE outcome = 'complete' GROUP BY stack"
        seen = wait_until(lambda: len([r for r in store.rows(last) if r["at"] > quiet]) == STACKS, 3 * PERIOD_MS / 1000 + 10)
        check(seen, "not all were scanned after the trouble:", store.rows(last), quiet, world.logs()[-1500:])
        check(set(world.end()) == {0}, "a service did not end well:", world.logs()[-1500:])
        check(counts["killed"] and counts["paused"] and counts["restarted"] == 2, "it was not much of a trouble:", counts)

        # every run has an end, every lease is free, and what is on record is what is live
        check(not store.rows("SELECT id FROM run WHERE outcome = 'running'"), "runs without an end")
        check(not store.rows("SELECT stack FROM lease WHERE owner <> ''"), "leases without an end")
        open_ones = {r["stack"] for r in store.rows("SELECT stack FROM finding WHERE lane = 0")}
        check(open_ones == {n for n, s in world.sizes.items() if s != "small"}, "findings:", open_ones, "live:", world.sizes)

        # each due time at most one scan that counts, one after the other; no change was told twice
        due = {r["stack"]: r["next_utc_ms"] for r in store.rows("SELECT stack, next_utc_ms FROM schedule")}
        for name in world.names:
            runs = store.rows(f"SELECT id, started_utc_ms AS a, ended_utc_ms AS b FROM run WHERE stack = '{name}' AND outcome = 'complete' ORDER BY id")
            for one, two in zip(runs, runs[1:]):
                check(one["b"] <= two["a"], name, "was scanned by two at once:", one, two)
                check(slot_of(one["b"] - 1, due[name]) < slot_of(two["a"] + 1, due[name]), name, "was scanned twice for one due time:", one, two)
            told = [(r["id"], r["what"]) for r in store.rows(  # another value is another finding: one of each may end in a row
                f"SELECT f.id, h.what FROM finding_history h JOIN finding f ON f.id = h.finding WHERE f.stack = '{name}' ORDER BY f.id, h.id")]
            check(all(a != b or a[1] == "changed" for a, b in zip(told, told[1:])), name, "was told twice:", told)
        failed = store.rows("SELECT outcome, failed, count(*) AS n FROM run WHERE outcome IN ('failed') GROUP BY outcome, failed")
        check(not failed, "scans failed:", failed)
        check("sound" in world.plumb("audit", "verify"), "the audit log")
        world.plumb("db", "check")
    finally:
        world.end()
        store.stop()


@test()
def scheduling_tells_others_of_a_touch(lab):
    """A touch of another process is looked at at once; an apply is waited for; a stack that fails comes back."""
    store = Shared()
    world = World(lab, store.url, stacks=2)
    try:
        world.serve()
        check(wait_until(lambda: len(store.rows("SELECT stack FROM lease")) == 2, 20), "nothing was planned", world.logs())
        check(not store.rows("SELECT id FROM run"), "scanned without a schedule and without a touch")
        world.size("s0", "large")
        touch = ("INSERT INTO touch VALUES ('s0', 'x_thing.t0', 'event', {0}, 1); UPDATE lease SET urgent_utc_ms = {0} WHERE stack = 's0';"
                 " NOTIFY plumb_work")
        watch = Stopwatch()
        store.sql(touch.format(int(time.time() * 1000)))
        check(wait_until(lambda: store.rows("SELECT stack FROM finding WHERE lane = 0"), 10), "the touch was not looked at", world.logs())
        watch.must_be_within(2, "it took")
        run = store.rows("SELECT outcome, coverage FROM run")
        check([r["outcome"] for r in run] == ["partial"] and '"resources":1' in run[0]["coverage"].replace(" ", ""), run)
        check(not store.rows("SELECT stack FROM touch"), "the touch is still there")

        # an apply has the state: nothing is recorded until it is over
        store.sql("INSERT INTO state VALUES ('s1', 0, 0, '', 0, 'id', '{}', 'write', 0, 'ci', 0, '')")
        world.size("s1", "large")
        store.sql(touch.format(int(time.time() * 1000)).replace("'s0'", "'s1'"))
        check(wait_until(lambda: store.rows("SELECT stack FROM lease WHERE waits_utc_ms > 0"), 10), "nobody waits", world.logs())
        check(not store.rows("SELECT id FROM run WHERE stack = 's1'"), "scanned while it is applied")
        store.sql("UPDATE state SET lock_id = '' WHERE stack = 's1'")
        check(wait_until(lambda: store.rows("SELECT id FROM finding WHERE stack = 's1'"), 15), "not scanned after the apply", world.logs())
        check(world.end() == [0], "it did not end well")
        check("sound" in world.plumb("audit", "verify"), "the audit log")
    finally:
        world.end()
        store.stop()


CODE = "".join(f'resource "lab6_thing" "t{i}" {{\n  name = "t{i}"\n  text = "x"\n}}\n' for i in range(6))


@test("lab6")
def scheduling_goes_on_where_it_was(lab):
    """A sweep in slices through a real provider, whose service is killed between them, ends as one complete scan."""
    store = Shared()
    stack = Stack(lab, CODE)
    stack.apply()
    stack.env.update(PLUMB_KEY="a key of thirty-two bytes for tests")
    (stack.home / "plumb.yaml").write_text(
        f"version: 1\nstore: '{store.url}'\nschedules: [1s]\nserve:\n  listen: 127.0.0.1:0\n  anonymous: true\n  watch: {{off: true}}\n"
        f"  scheduler: {{lease: 1s, slice: 2, workers: 1}}\nstacks: [{{path: root, name: net}}]\n")
    service = None

    def serve():
        return subprocess.Popen([PLUMB, "serve"], cwd=stack.home, env=stack.env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=open(stack.home / "log", "a"))

    def wait(query, what):
        check(wait_until(lambda: store.rows(query), 25), what, (stack.home / "log").read_text()[-1500:], store.rows("SELECT id, outcome, failed FROM run"))

    try:
        service = serve()
        wait("SELECT id FROM run WHERE outcome = 'complete'", "no first scan")
        stack.edit("lab6_thing", "t3", text="by hand")
        stack.fault(("*", "latency", 300))
        wait("SELECT stack FROM schedule WHERE progress LIKE '% %'", "no slice")
        service.kill()
        service.wait()
        at = store.rows("SELECT progress, (SELECT max(id) FROM run) AS last FROM schedule")[0]
        check(len(at["progress"].split()) == 15, "no sweep is under way:", at)
        service = serve()
        wait(f"SELECT id FROM run WHERE outcome = 'complete' AND id > {at['last']}", "the sweep did not end")
        runs = store.rows(f"SELECT id, outcome, coverage FROM run WHERE id > {at['last']} AND outcome <> 'abandoned' ORDER BY id")
        slices = int(at["progress"].split()[2]) - int(at["progress"].split()[1])
        check([r["outcome"] for r in runs[:slices]] == ["partial"] * (slices - 1) + ["complete"], "it began anew:", runs, at)
        check(json.loads(runs[slices - 1]["coverage"])["resources"] == 6, "the whole is not told:", runs[slices - 1])
        wait("SELECT id FROM finding WHERE address = 'lab6_thing.t3' AND lane = 0", "what was changed is not found")
    finally:
        if service:
            service.kill()
            service.wait()
        store.stop()


@test("lab6")
def scheduling_keeps_to_a_budget(lab):
    """Half of 24 calls a second for scans: what is counted is what the provider got, and it takes its time."""
    code = "".join(f'resource "lab6_thing" "t{i}" {{\n  name = "t{i}"\n  text = "x"\n}}\n' for i in range(12))
    stack = Stack(lab, code)
    stack.apply()
    (stack.home / "plumb.yaml").write_text(
        "version: 1\nstore: sqlite:plumb.db\nschedules: [hourly]\nbudgets: [{provider: lab6, requests: 24}]\n"
        "serve:\n  listen: 127.0.0.1:0\n  anonymous: true\n  watch: {off: true}\nstacks: [{path: root, name: net}]\n")
    service = subprocess.Popen([PLUMB, "serve"], cwd=stack.home, env=stack.env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=open(stack.home / "log", "w"))
    figures = {}

    def counted():
        log = (stack.home / "log").read_text()
        if " scanned " not in log:
            return False
        address = log.split("address=")[1].split()[0]
        text = urllib.request.urlopen(f"http://{address}/metrics", timeout=30).read().decode()
        figures.update(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("plumb_budget_"))
        return float(figures.get('plumb_budget_calls_total{provider="lab6",settings="*"}', 0)) > 0
    try:
        done = wait_until(counted, 60)
        log = (stack.home / "log").read_text()
        check(done and "outcome=complete" in log, "not scanned", log, figures)
        took = int(log.split(" ms=")[1].split()[0])
        calls = float(figures['plumb_budget_calls_total{provider="lab6",settings="*"}'])
        check(calls >= 25, "12 resources, each upgraded and read, and a configuration:", figures)
        check(float(figures['plumb_budget_calls_per_second{provider="lab6",settings="*"}']) == 12, figures)
        check(float(figures['plumb_budget_waits_total{provider="lab6",settings="*"}']) > 0, figures)
        # a second's worth at once, and what the last reads called more than their first call
        check(took >= (calls - 12 - 24) / 12 * 1000, calls, "calls, 12 a second, took", took, "ms")
    finally:
        service.kill()
        service.wait()

def posted(port, token, events):
    """What /v1/events answered; None: it was not there, or has it not."""
    body = "\n".join(json.dumps(e) for e in events).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/events", data=body, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status == 202
    except (OSError, http.client.HTTPException):
        return None


class Touching(World):
    """Values of single resources, and who is told of them."""

    def __init__(self, lab, store):
        super().__init__(lab, store, stacks=5, things=12)
        self.values = {(name, k): "small" for name in self.names for k in range(self.things)}
        self.token = self.plumb("token", "create", "--name", "events", "--role", "events").strip()
        self.told = 0

    def document(self, name, lost=()):
        lines = [] if lost else ['{"complete": true}']
        for k in range(self.things):
            what = {"error": "AccessDenied"} if k in lost else {"attributes": {"id": str(k), "size": self.values[name, k]}}
            lines.append(json.dumps({"address": f"x_thing.t{k}", **what}))
        self.put(name, "live.ndjson", "\n".join(lines) + "\n")

    def port(self, process):
        found = re.search(r"listening address=127\.0\.0\.1:(\d+)", (self.home / f"log{self.processes.index(process)}").read_text())
        return int(found.group(1)) if found else None

    def event(self, name, k):
        self.told += 1
        return {"id": f"e{self.told}", "actor": "eve", "action": "alter", "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "stack": name, "address": f"x_thing.t{k}"}

    def tell(self, live, chance, events, resume):
        """Until somebody has answered that it is kept. Who is stopped while he writes to PostgreSQL is cut off by the server; with SQLite all wait
        until he goes on."""
        def once():
            resume()
            port = self.port(chance.choice(live))
            return port and posted(port, self.token, events)
        check(wait_until(once, 120), "nobody takes an event:", self.logs()[-1500:])


@test(cases=["sqlite", "postgres"])
def scheduling_reads_after_the_last_touch(lab, which):
    """Values that change and events about them, in any order, while services are killed and paused, the store goes away and resources cannot be
    read: whatever was touched is read once more after its last touch."""
    chance, rounds = random.Random(11), int(os.environ.get("LIVE_TOUCHES", "60"))
    store = Shared() if which == "postgres" else None
    folder = tempfile.mkdtemp(prefix="touches-", dir=lab.folder)
    world = Touching(lab, store.url if store else f"sqlite:{folder}/plumb.db")
    counts = {"events": 0, "killed": 0, "paused": 0, "restarted": 0, "unreadable": 0}

    def rows(sql):
        if store:
            return [tuple(r.values()) for r in store.rows(sql)]
        db = sqlite3.connect(f"{folder}/plumb.db", timeout=60)
        found = db.execute(sql).fetchall()
        db.close()
        return found
    try:
        live = [world.serve() for _ in range(3)]
        check(wait_until(lambda: all(map(world.listens, live)), 30), "a service does not listen:", world.logs()[-1500:])
        check(wait_until(lambda: len(rows("SELECT stack FROM lease")) == len(world.names), 60), "not planned:", world.logs()[-1500:])
        lost, paused = {}, {}

        def resume():
            for process in [p for p, end in paused.items() if end < time.monotonic()]:
                process.send_signal(signal.SIGCONT)
                del paused[process]
        for n in range(rounds):
            name, k = chance.choice(world.names), chance.randrange(world.things)
            world.values[name, k] = chance.choice(["small", "large"])
            if lost.get(name, n) < n:
                del lost[name]
            if chance.random() < 0.06:
                lost[name] = n + chance.randrange(1, 8)
                counts["unreadable"] += 1
            world.document(name, lost=[k] if name in lost else [])
            events = [world.event(name, k)] + [world.event(name, chance.randrange(world.things)) for _ in range(chance.randrange(3))]
            if chance.random() < 0.2:
                events.append(events[0])  # told twice
            world.tell(live, chance, events, lambda: store or resume())
            counts["events"] += len(events)
            resume()
            i = chance.randrange(len(live))
            if chance.random() < 0.03 and live[i] not in paused:
                live[i].kill()
                live[i].wait()
                live[i] = world.serve()
                counts["killed"] += 1
            elif chance.random() < 0.03 and not paused and world.listens(live[i]):
                live[i].send_signal(signal.SIGSTOP)
                paused[live[i]] = time.monotonic() + 1.5 * LEASE_MS / 1000
                counts["paused"] += 1
            if store and n in (rounds // 3, 2 * rounds // 3):
                for process in paused:
                    process.send_signal(signal.SIGCONT)
                paused.clear()
                check(wait_until(lambda: all(map(world.listens, live)), 30), "a service does not listen:", world.logs()[-1500:])
                store.restart()
                counts["restarted"] += 1
            time.sleep(chance.choice([0, 0, 0.01, 0.05]))
        for process in paused:
            process.send_signal(signal.SIGCONT)
        for name in world.names:
            world.document(name)

        def still():
            return not rows("SELECT stack FROM touch") and not rows("SELECT stack FROM lease WHERE owner <> ''")
        check(wait_until(still, 180), "touches without an end:", rows("SELECT * FROM touch"), world.logs()[-1500:])
        touched = {(s, a) for s, a in rows("SELECT DISTINCT stack, address FROM activity_target")}
        have = {(s, a) for s, a in rows("SELECT stack, address FROM finding WHERE lane = 0")}
        want = {(s, f"x_thing.t{k}") for (s, k), value in world.values.items() if value == "large"}
        check(want <= touched, "not all were touched:", want - touched)
        check(have == want, "not read after the last touch:", sorted(want - have), "and", sorted(have - want))
        check(counts["killed"] and counts["paused"] and counts["unreadable"], "it was not much of a trouble:", counts)
        check(set(world.end()) == {0}, "a service did not end well:", world.logs()[-1500:])
        check("sound" in world.plumb("audit", "verify"), "the audit log")
        print(f"    {counts}, {len(touched)} resources touched, runs: {rows('SELECT count(*) FROM run')[0][0]}")
    finally:
        world.end()
        if store:
            store.stop()
