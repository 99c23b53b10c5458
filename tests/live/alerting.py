"""Alerts end to end: scans, plumb serve killed and started again, receivers that fail; one alert for each status."""
import http.server
import json
import os
import random
import re
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from harness import PLUMB, Stopwatch, check, test, wait_until
from receivers import Alertmanager

STATE = {"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "a", "outputs": {}, "resources": []}


FLAPS = 6  # alerts of one finding in an hour; what is behind them is held back


class Recorder(http.server.BaseHTTPRequestHandler):
    """Takes alerts, and answers what the server's list says: a status, with Retry-After; None: nothing, the connection is cut."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            answer = self.server.answers.pop(0) if self.server.answers else 200
            self.server.tried += 1
            if answer == 200:
                self.server.got.append((self.headers.get("webhook-id"), json.loads(body)))
        if answer is None:
            self.connection.close()
            return
        self.send_response(answer)
        if answer == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Listening(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Recorder)
        self.lock, self.got, self.answers, self.tried = threading.Lock(), [], [], 0
        self.url = f"http://127.0.0.1:{self.server_port}/hook"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


class World:
    """A stack of three things whose live values are a document, a store, and a service."""

    def __init__(self, notify):
        self.folder = Path(tempfile.mkdtemp(prefix="plumb-alerts-"))
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "HOOK": "", "AM": ""}
        (self.folder / "stack").mkdir()
        state = dict(STATE, resources=[
            {"mode": "managed", "type": "x_thing", "name": name, "provider": 'provider["registry.opentofu.org/x/x"]',
             "instances": [{"schema_version": 0, "attributes": {"id": name, "size": "0"}}]} for name in "abc"])
        (self.folder / "stack/terraform.tfstate").write_text(json.dumps(state))
        (self.folder / "plumb.yaml").write_text(
            "version: 1\nstore: sqlite:plumb.db\nstacks: [{path: stack, name: prod, environment: live}]\nnotify:\n" + notify)
        self.value, self.service, self.port = dict.fromkeys("abc", 0), None, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.service and self.service.poll() is None:
            self.kill()

    def scan(self):
        live = {"complete": True, "resources": [{"address": f"x_thing.{n}", "attributes": {"id": n, "size": str(v)}}
                                                for n, v in self.value.items()]}
        (self.folder / "live.json").write_text(json.dumps(live))
        done = self.plumb("scan", "stack", "--live", "live.json", "-q", "-o", "json=/dev/null")
        check(done.returncode in (0, 2), "scan:", done.stderr)

    def plumb(self, *words):
        return subprocess.run([PLUMB, *words], cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=120)

    def start(self):
        with open(self.folder / "serve.log", "a") as log:
            at = log.tell()
            self.service = subprocess.Popen([PLUMB, "serve", "--listen", f"127.0.0.1:{self.port}", "--anonymous"], cwd=self.folder,
                                            env=self.env, stderr=log)

        def listening():
            text = (self.folder / "serve.log").read_text()[at:]
            check(self.service.poll() is None, "plumb serve ended:", text[-1500:])
            found = re.search(r"listening address=127\.0\.0\.1:(\d+)", text)
            self.port = int(found.group(1)) if found else self.port
            return found
        check(wait_until(listening, 20), "plumb serve does not listen")

    def kill(self, sig=signal.SIGKILL):
        self.service.send_signal(sig)
        return self.service.wait(60)

    def history(self, query):
        done = subprocess.run(["sqlite3", "-json", "plumb.db", query], cwd=self.folder, capture_output=True, text=True, timeout=120)
        return json.loads(done.stdout or "[]")

    def listed(self, *words):
        return json.loads(self.plumb("notify", "list", "-o", "json", *words).stdout)


def told(got):
    """What was told in each thread, in order; a message that came twice under one id counts once, and says the same."""
    seen, each = {}, {}
    for key, body in got:
        if key in seen:
            check(seen[key] == body, "one id, two alerts:", key)
            continue
        seen[key] = body
        each.setdefault(body["thread"], []).append(body["status"])
    return sorted(statuses[:FLAPS] for statuses in each.values())


@test()
def one_alert_for_each_status_whatever_is_killed(lab):
    hook = Listening()
    world = World("  - {to: webhook, name: hook, url: env:HOOK, format: plumb, allow_private: true, group: none}\n")
    with world:
        world.env["HOOK"] = hook.url
        chance = random.Random(7)
        world.start()
        check(wait_until(lambda: world.listed()["receivers"][0]["since"], 10), "the receiver is not known")
        for _ in range(12):
            hook.answers = chance.choices([200, 429, 200, 200], k=3)
            for name in "abc":
                world.value[name] = chance.choice([0, 0, 1, 2])
            world.scan()
            if chance.random() < 0.6:
                time.sleep(chance.random() * 0.6)
                world.kill()
                world.start()
        hook.answers = []
        # a lease of a killed sender ends by itself; here nobody waits for it for two minutes
        world.kill()
        world.history("UPDATE alert SET lease_utc_ms = 0, next_utc_ms = 0")
        world.start()
        each = {}
        for row in world.history("SELECT finding, what FROM finding_history ORDER BY id"):
            each.setdefault(row["finding"], []).append("new" if row["what"] == "reopened" else row["what"])
        want = sorted(statuses[:FLAPS] for statuses in each.values())

        def all_told():
            with hook.lock:
                return told(hook.got) == want
        check(wait_until(all_told, 30), "told", told(hook.got), "want", want)
        check(world.kill(signal.SIGTERM) == 0, "the service did not end well")
        check(not [a for a in world.listed()["alerts"] if a["state"] == "dead"], "some were given up")


@test()
def a_receiver_that_is_down_holds_nobody(lab):
    good, bad = Listening(), Listening()
    bad.answers = [500, None, 503] * 100
    world = World("  - {to: webhook, name: bad, url: env:BAD, format: plumb, allow_private: true}\n"
                  "  - {to: webhook, name: good, url: env:HOOK, format: plumb, allow_private: true}\n")
    with world:
        world.env |= {"HOOK": good.url, "BAD": bad.url}
        world.start()
        check(wait_until(lambda: all(r["since"] for r in world.listed()["receivers"]), 10), "the receivers are not known")
        world.value["a"] = 1
        watch = Stopwatch()
        world.scan()
        check(wait_until(lambda: good.got, 5), "the good one was told nothing")
        watch.must_be_within(5, "it waited")
        check(wait_until(lambda: world.listed()["receivers"][0]["failures"] >= 1, 5), "no failure is listed")
        bad.answers = [410]
        check(world.plumb("notify", "retry", "--receiver", "bad").returncode == 0, "retry")
        check(wait_until(lambda: world.listed()["receivers"][0]["gone"], 20), "gone is not told", world.listed())
        check(wait_until(lambda: [b for _, b in good.got if b["status"] == "notice"], 5), "the other one was not told")
        check([a for a in world.listed("--state", "dead")["alerts"]], "no dead letter is listed")
        check(world.kill(signal.SIGTERM) == 0, "the service did not end well")


@test()
def an_alertmanager_knows_what_is_open(lab):
    with Alertmanager() as am:
        world = World("  - {to: alertmanager, url: env:AM, allow_private: true}\n")
        with world:
            world.env["AM"] = am.url
            world.start()
            check(wait_until(lambda: world.listed()["receivers"][0]["since"], 10), "the receiver is not known")
            world.value |= {"a": 1, "b": 1}
            began = time.monotonic()
            world.scan()
            scanned = time.monotonic() - began
            check(wait_until(lambda: len(am.alerts()) == 2, 5), am.alerts())
            print(f"    scan {scanned:.2f} s, both open {time.monotonic() - began - scanned:.2f} s later")
            world.value["a"] = 0
            world.scan()
            check(wait_until(lambda: [a["labels"]["address"] for a in am.alerts()] == ["x_thing.b"], 5), am.alerts())
            check(world.kill(signal.SIGTERM) == 0, "the service did not end well")
