"""From an event to the alert, all parts real: roles of a PostgreSQL server that OpenTofu manages, somebody who alters them by SQL,
`plumb serve`, an Alertmanager, a mail server, a webhook. Then a busy day with everything that can break."""
import collections
import contextlib
import http.server
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from harness import PLUMB, Stack, Stopwatch, check, test, wait_until
from receivers import MAIL_PASSWORD, MAIL_USER, Alertmanager, Mail
from worlds import Postgres

WHOLE = os.environ.get("LIVE_WHOLE") == "1"
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


def roles(n):
    return "".join(f'resource "labpg_role" "r{i}" {{\n  name             = "r{i}"\n  login            = true\n  connection_limit = 20\n}}\n'
                   for i in range(n))


class Recorder:
    """A webhook that keeps what it takes, and fails as it is told to."""

    def __init__(self):
        self.taken, self.faults, self.lock = [], collections.deque(), threading.Lock()
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with recorder.lock:
                    fault = recorder.faults.popleft() if recorder.faults else "ok"
                    if fault == "ok":
                        recorder.taken.append(({k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
                recorder.answer(self, fault)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    @staticmethod
    def answer(to, fault):
        with contextlib.suppress(OSError):
            if fault == "garbage":
                to.wfile.write(b"\x00\xff not http at all\r\n\r\n")
                return
            if fault == "cut":
                to.connection.close()
                return
            to.send_response({"ok": 204, "429": 429, "500": 500}[fault])
            if fault == "429":
                to.send_header("Retry-After", "1")
            to.send_header("Content-Length", "0")
            to.end_headers()

    def alerts(self):
        """Each alert once, in the order of its first coming."""
        with self.lock:
            return list({body["id"]: body for _, body in (t for t in self.taken)}.values())

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class World:
    """The parts, and what a person does with them."""

    def __init__(self, lab, n, config="", receivers=("mail", "am", "hook"), sqlite=None, faketime=False):
        self.open = contextlib.ExitStack()
        self.managed = Postgres()
        self.open.callback(self.managed.stop)
        self.service = None
        try:
            self.setup(lab, n, config, receivers, sqlite, faketime)
        except BaseException:
            self.close()
            raise

    def setup(self, lab, n, config, receivers, sqlite, faketime):
        self.stack = Stack(lab, roles(n), env=self.managed.env)
        self.home = self.stack.home
        self.stack.apply()
        self.hook = Recorder()
        self.open.callback(self.hook.close)
        self.mail = self.open.enter_context(Mail()) if "mail" in receivers else None
        self.am = self.open.enter_context(Alertmanager()) if "am" in receivers else None
        if sqlite:
            self.server, self.store = None, f"sqlite:{sqlite}/plumb.db"
        else:
            self.server = Postgres()
            self.open.callback(self.server.stop)
            self.store = f"postgres:///postgres?host={self.server.dir}&user=postgres&sslmode=disable"
        rows = {"mail": "{to: email, name: mail, url: env:MAIL, from: plumb@example.test, recipients: [ops@example.test], group: none, "
                        f"user: {MAIL_USER}, password: env:MAIL_PASSWORD, ca: file:{self.mail and self.mail.ca}}}",
                "am": "{to: alertmanager, name: am, url: env:AM, allow_private: true, group: none}",
                "hook": "{to: webhook, name: hook, url: env:HOOK, allow_private: true, format: plumb, group: none}"}
        (self.home / "plumb.yaml").write_text(
            f"version: 1\nstore: \"{self.store}\"\nstacks:\n  - {{path: root, name: roles, environment: prod, schedule: 1h}}\n"
            "serve:\n  scheduler: {lease: 2s}\n"
            "notify:\n" + "".join(f"  - {rows[r]}\n" for r in receivers) + config)
        self.env = {k: v for k, v in self.stack.env.items()}
        self.env.update(HOOK=self.hook.url, PLUMB_KEY="a key of thirty-two bytes for tests", MAIL_PASSWORD=MAIL_PASSWORD)
        if self.mail:
            self.env["MAIL"] = f"smtp://localhost:{self.mail.port}"
        if self.am:
            self.env["AM"] = self.am.url
        self.serve_env = dict(self.env)
        self.clock = self.home / "clock"
        if faketime:
            self.clock.write_text("+0")
            self.serve_env.update(LD_PRELOAD=FAKETIME, FAKETIME_TIMESTAMP_FILE=str(self.clock), FAKETIME_NO_CACHE="1",
                                  FAKETIME_DONT_FAKE_MONOTONIC="1")
        self.port = 0
        self.token = self.plumb("token", "create", "--name", "cloud", "--role", "events").stdout.strip()

    def close(self):
        if self.service and self.service.poll() is None:
            self.kill()
        self.open.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def plumb(self, *words, codes=(0,)):
        done = subprocess.run([PLUMB, *words], cwd=self.home, env=self.env, capture_output=True, text=True, timeout=60)
        check(done.returncode in codes, "plumb", *words, "exit", done.returncode, done.stderr[-1500:])
        return done

    # the service

    def start(self, patience=120):
        """As a supervisor: what ends because its store is starting is started again."""
        log, end = self.home / "serve.log", time.monotonic() + patience
        while True:
            with open(log, "a") as out:
                at = log.stat().st_size
                self.service = subprocess.Popen([PLUMB, "serve", "--listen", f"127.0.0.1:{self.port}"], cwd=self.home, env=self.serve_env,
                                                stdin=subprocess.DEVNULL, stdout=out, stderr=out)

            def listening():
                found = re.search(r"listening address=127\.0\.0\.1:(\d+)", log.read_text(errors="replace")[at:])  # noqa: B023
                self.port = int(found.group(1)) if found else self.port
                return found or self.service.poll() is not None
            wait_until(listening, 20)
            if self.service.poll() is None:
                return
            check(time.monotonic() < end, "plumb serve does not listen:", log.read_text(errors="replace")[at:][-1500:])
            time.sleep(0.1)

    def kill(self, sig=signal.SIGKILL):
        self.service.send_signal(sig)
        return self.service.wait(60)

    def log(self):
        return (self.home / "serve.log").read_text()[-3000:]

    # the person, and the audit log that saw it

    def alter(self, *lines):
        """By SQL, behind everybody's back; a server that is starting again is waited for."""
        for line in lines:
            for _ in range(100):
                done = subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", line], env={**os.environ, **self.managed.env},
                                      capture_output=True, text=True)
                if not done.returncode:
                    break
                time.sleep(0.1)
            check(not done.returncode, line, done.stderr)

    def tell(self, body, patience=120):
        """Until it is acknowledged, as an audit log's delivery does."""
        raw, end = json.dumps(body).encode(), time.monotonic() + patience
        while True:
            request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1/events", data=raw, method="POST", headers={
                "Content-Type": "application/json", "Authorization": f"Bearer {self.token}"})
            try:
                with urllib.request.urlopen(request, timeout=5) as answer:
                    check(200 <= answer.status < 300, answer.status)
                    return
            except urllib.error.HTTPError as e:
                check(e.code in (429, 500, 502, 503, 504), "POST /v1/events:", e.code, e.read()[:500])
            except OSError:
                pass
            check(time.monotonic() < end, "the event was never acknowledged:", self.log())
            time.sleep(0.05)

    def event(self, n, role, who="mallory@example.test"):
        return {"id": f"ev-{n}", "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "actor": who, "action": "AlterRole",
                "client": "psql/15", "source_ip": "192.0.2.7", "session": "s-1", "resources": [role]}

    # what the store says

    def rows(self, sql):
        if self.server:
            done = subprocess.run(["psql", "-qXAt", "-F", "\t", "-c", sql], env={**os.environ, **self.server.env}, capture_output=True, text=True)
            return [tuple(line.split("\t")) for line in done.stdout.splitlines()] if not done.returncode else []
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(self.store[7:], timeout=5)) as db:
            return [tuple(str(v) for v in row) for row in db.execute(sql)]
        return []

    def findings(self, status="all"):
        done = self.plumb("findings", "--status", status, "-o", "json", codes=(0, 2, 4))
        return json.loads(done.stdout)["findings"]

    def open_findings(self):
        return {f["address"] for f in self.findings() if f["status"] not in ("resolved",)}


def within(seconds, what, condition, world):
    start = time.monotonic()
    check(wait_until(condition, seconds), what, f"did not come within {seconds} s:", world.log())
    return time.monotonic() - start


@test("labpg")
def alert_within_two_seconds(lab):
    """A role is altered, the event comes: finding with who it was, Alertmanager, mail, webhook within 2 s; resolved likewise; once each."""
    with World(lab, 3) as world:
        world.start()
        within(30, "the first scan", lambda: world.rows("SELECT 1 FROM run WHERE ended_utc_ms > 0"), world)
        check(not world.findings(), "findings before anything happened")
        for turn in range(2):
            n = 1 + turn
            world.alter("ALTER ROLE r1 CONNECTION LIMIT 5")
            watch = Stopwatch()
            world.tell(world.event(f"a{turn}", "r1"))
            within(10, "the mail", lambda n=n: len([m for m in world.mail.mails() if m["X-Plumb-Status"] == "new"]) == n, world)
            within(10, "the alert", lambda: len(world.am.alerts()) == 1, world)
            within(10, "the webhook", lambda n=n: len([a for a in world.hook.alerts() if a["status"] == "new"]) == n, world)
            took = watch.stop()
            found, = [f for f in world.findings() if f["status"] != "resolved"]
            check(found["address"] == "labpg_role.r1" and "mallory@example.test" in json.dumps(found), found)
            watch.must_be_within(2, "from the event to the last receiver:")
            world.alter("ALTER ROLE r1 CONNECTION LIMIT 20")
            start = time.monotonic()
            world.tell(world.event(f"b{turn}", "r1", who="ann@example.test"))
            within(10, "the end in the mail", lambda n=n: len([m for m in world.mail.mails() if m["X-Plumb-Status"] == "resolved"]) == n, world)
            within(10, "the end in Alertmanager", lambda: not world.am.alerts(), world)
            within(10, "the end at the webhook", lambda n=n: len([a for a in world.hook.alerts() if a["status"] == "resolved"]) == n, world)
            print(f"     event to last receiver {took:.2f} s, mended to last receiver {time.monotonic() - start:.2f} s", flush=True)
        time.sleep(1)
        mails = world.mail.mails()
        check([m["X-Plumb-Status"] for m in mails] == ["new", "resolved"] * 2, [m["Subject"] for m in mails])
        check(len({m["Message-ID"] for m in mails}) == 4 and len({m["References"] for m in mails}) == 1, "threads")
        plain = mails[0].get_body(("plain",)).get_content()
        for words in ("labpg_role.r1", "main.tf:", "connection_limit", "20", "5", "mallory@example.test", "192.0.2.7", "plumb "):
            check(words in plain, words, "is not in", plain)
        alerts = world.hook.alerts()
        check([a["status"] for a in alerts] == ["new", "resolved"] * 2 and len(world.hook.taken) == 4, [a["title"] for a in alerts])
        check(world.kill(signal.SIGTERM) == 0, "serve did not end well", world.log())
        world.plumb("audit", "verify")


# the busy day

class Day:
    """Changes one after the other, events until they are acknowledged, and what goes wrong meanwhile."""

    def __init__(self, world, n, seed):
        self.world, self.n, self.random = world, n, random.Random(seed)
        self.drifted, self.acknowledged, self.kills = {}, [], 0
        self.stop, self.trouble, self.away = threading.Event(), [], threading.Lock()

    def change(self, i):
        r = self.random.randrange(self.n)
        limit = 20 if r in self.drifted and self.random.random() < 0.6 else 1 + self.random.randrange(10)
        self.world.alter(f"ALTER ROLE r{r} CONNECTION LIMIT {limit}")
        if limit == 20:
            self.drifted.pop(r, None)
        else:
            self.drifted[r] = limit
        event = self.world.event(i, f"r{r}", who=f"person-{i % 5}@example.test")
        self.world.tell(event)
        self.acknowledged.append(event["id"])
        if self.random.random() < 0.2:  # audit logs deliver twice
            self.world.tell(event)

    def killer(self, times):
        """kill -9 at any moment, start again."""
        try:
            while self.kills < times and not self.stop.is_set():
                time.sleep(self.random.uniform(0.05, 0.8))
                with self.away:
                    self.world.kill()
                    self.world.start()
                    self.kills += 1
        except BaseException as e:  # noqa: BLE001 (told by the test)
            self.trouble.append(e)

    def run(self, kills, faults):
        thread = threading.Thread(target=self.killer, args=(kills,))
        thread.start()
        i = 0
        try:
            while self.kills < kills and not self.trouble:
                self.change(i)
                if faults:
                    faults[i % len(faults)](self)
                i += 1
        finally:
            self.stop.set()
            thread.join()
        check(not self.trouble, self.trouble, self.world.log())

    def settle(self):
        """Nothing fails any more: what is there is found, what is mended is resolved, all is told."""
        world = self.world
        for part in (world.mail, world.am):
            if part and part.process.poll() is not None:
                part.start()
        world.hook.faults.clear()
        (world.stack.store / "faults.json").unlink(missing_ok=True)
        want = {f"labpg_role.r{r}" for r in self.drifted}
        within(60, f"the findings {sorted(want)}, now {sorted(world.open_findings())}", lambda: world.open_findings() == want, world)
        for r in list(self.drifted):
            world.alter(f"ALTER ROLE r{r} CONNECTION LIMIT 20")
            event = world.event(f"end-{r}", f"r{r}")
            world.tell(event)
            self.acknowledged.append(event["id"])
        within(60, f"the end of all findings, now {sorted(world.open_findings())}", lambda: not world.open_findings(), world)

        def told():
            world.plumb("notify", "retry", codes=(0, 1))
            return world.rows("SELECT (SELECT max(id) FROM finding_history) - (SELECT position FROM alert_cursor WHERE name = 'findings') + "
                              "(SELECT count(*) FROM alert_item WHERE held = 0) + (SELECT count(*) FROM alert WHERE state = 'waiting')") == [("0",)]
        end = time.monotonic() + 90
        while not told():
            check(time.monotonic() < end, "the outbox is not empty:", world.rows("SELECT receiver, status, attempts, said FROM alert WHERE state = 'waiting'"),
                  world.log())
            time.sleep(0.5)

    def judge(self):
        """Nothing that was acknowledged is lost, nothing is told twice for one status, the log is whole."""
        world = self.world
        kept = {row[0] for row in world.rows("SELECT event FROM activity")}
        check(set(self.acknowledged) <= kept, "acknowledged and lost:", sorted(set(self.acknowledged) - kept)[:10])
        held = {row[0] for row in world.rows("SELECT thread FROM alert_item WHERE held = 1")}  # it flapped: told as one when its hour is over
        once_each({(m["References"], m["X-Plumb-Status"], m["Message-ID"]): None for m in world.mail.mails()} if world.mail else {}, "mail", held)
        once_each({(a["thread"], a["status"], a["id"]): None for a in world.hook.alerts() if a["findings"]}, "webhook", held)
        dead = world.rows("SELECT receiver, said FROM alert WHERE state IN ('dead', 'dropped')")
        check(not dead, "given up:", dead)
        doubled = world.rows("SELECT what, count(*) FROM alert_item GROUP BY receiver, what HAVING count(*) > 1")
        check(not doubled, doubled)
        check(world.kill(signal.SIGTERM) == 0, "serve did not end well:", world.log())
        world.plumb("audit", "verify")
        world.plumb("db", "check")


def once_each(seen, receiver, held):
    """Of each thread: new, then changes, then resolved, then perhaps new again; never the same twice in a row, but changed."""
    last = {}
    for thread, status, _ in seen:
        before = last.get(thread, "resolved")
        fits = {"new": before == "resolved", "changed": before != "resolved", "recurring": before != "resolved",
                "overdue": before != "resolved", "resolved": before != "resolved"}.get(status, True)
        check(fits, receiver, thread, "was told", status, "after", before)
        last[thread] = status
    open_ones = [k for k, s in last.items() if s != "resolved" and not any(thread in k for thread in held)]
    check(not open_ones, receiver, "was not told the end of", open_ones)


def provider_fails(day):
    (day.world.stack.store / "faults.json").write_text(json.dumps([{"match": "labpg_role.*", "do": "garbage"}]))


def provider_is_back(day):
    (day.world.stack.store / "faults.json").unlink(missing_ok=True)


def cloud_restarts(day):
    day.world.managed.call("pg_ctl", "-D", day.world.managed.data, "-m", "immediate", "-w", "-s", "restart")


def store_restarts(day):
    if day.world.server:
        day.world.server.call("pg_ctl", "-D", day.world.server.data, "-m", "immediate", "-w", "-s", "restart")


def webhook_fails(day):
    day.world.hook.faults.extend(["429", "500", "garbage", "cut"])


def mail_is_away(day):
    day.world.mail.halt()


def mail_is_back(day):
    if day.world.mail.process.poll() is not None:
        day.world.mail.start()


def clock_jumps(day):
    if "LD_PRELOAD" in day.world.serve_env:
        day.world.clock.write_text(day.random.choice(["+7200", "-7200", "+0", "+86400", "-600"]))


def nothing(day):
    pass


FAULTS = [provider_fails, nothing, provider_is_back, webhook_fails, cloud_restarts, nothing, mail_is_away, store_restarts, nothing, mail_is_back]


@test("labpg")
def busy_day(lab):
    """kill -9 at random moments (200 with LIVE_WHOLE=1) while providers, databases and receivers fail."""
    kills, n = (200, 60) if WHOLE else (8, 12)
    with World(lab, n, receivers=("mail", "hook")) as world:
        world.start()
        within(30, "the first scan", lambda: world.rows("SELECT 1 FROM run WHERE ended_utc_ms > 0"), world)
        day = Day(world, n, int(os.environ.get("LIVE_SEED", "7")))
        day.run(kills, FAULTS)
        day.settle()
        day.judge()
        print(f"     {day.kills} kills, {len(day.acknowledged)} events, {len(world.mail.mails())} mails, {len(world.hook.alerts())} webhooks", flush=True)


@test("labpg")
def clock_jumps_both_ways(lab):
    """The service's clock goes an hour or a day on and back; the receivers hear the same."""
    if not Path(FAKETIME).exists():
        from receivers import program
        program("faketime", "faketime")
    kills, n = (20, 20) if WHOLE else (3, 6)
    with World(lab, n, receivers=("hook",), faketime=True) as world:
        world.start()
        within(30, "the first scan", lambda: world.rows("SELECT 1 FROM run WHERE ended_utc_ms > 0"), world)
        day = Day(world, n, 11)
        day.run(kills, [clock_jumps, nothing, nothing])
        world.clock.write_text("+0")
        day.settle()
        day.judge()


@test("labpg")
def full_disk(lab):
    """The store's disk is full: no event is acknowledged that is not kept; with room again all is as it was."""
    place = lab.folder / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", place], capture_output=True).returncode:
        from harness import Skip
        raise Skip("no tmpfs of a size of its own: needs root")
    try:
        with World(lab, 4, receivers=("hook",), sqlite=place) as world:
            world.start()
            within(30, "the first scan", lambda: world.rows("SELECT 1 FROM run WHERE ended_utc_ms > 0"), world)
            day = Day(world, 4, 3)
            for i in range(3):
                day.change(i)
            with contextlib.suppress(OSError), open(place / "ballast", "wb") as ballast:
                while True:
                    ballast.write(bytes(4096))
                    ballast.flush()
            refused = 0
            for i in range(10, 14):
                world.alter(f"ALTER ROLE r{i % 4} CONNECTION LIMIT 7")
                day.drifted[i % 4] = 7
                try:
                    world.tell(world.event(i, f"r{i % 4}"), patience=1)
                    day.acknowledged.append(f"ev-{i}")
                except AssertionError:
                    refused += 1
            check(refused, "a full disk refuses nothing")
            world.kill()
            (place / "ballast").unlink()
            world.start()
            for i in range(10, 14):
                world.tell(world.event(i, f"r{i % 4}"))
                day.acknowledged.append(f"ev-{i}")
            day.settle()
            day.judge()
    finally:
        subprocess.run(["umount", "-l", place], check=False)
