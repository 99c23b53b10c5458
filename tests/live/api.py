"""The read API and the event stream of plumb serve: what the commands tell, pages, tokens of some stacks, streams that go on."""
import http.client
import http.server
import json
import re
import shutil
import socket
import sqlite3
import threading
import time
import urllib.error
import urllib.request

from harness import PATIENCE_S, ROOT, Stopwatch, check, test, wait_until
from statelock import Service

SLOW, MOST = 60, 200


def place(lab, name):
    folder = lab.folder / f"api-{name}"
    folder.mkdir()
    return folder


class Api(Service):
    """A service whose store holds scans of some stacks; no provider is needed for them."""

    def __init__(self, folder, stacks=("net/a", "net/b", "app/c"), more="serve:\n  scheduler: {enabled: false}\n"):
        for name in stacks:
            shutil.copytree(ROOT / "examples/quickstart", folder / "code" / name)
        (folder / "plumb.yaml").write_text(f"version: 1\nstore: sqlite:{folder}/plumb.db\nstacks: [code/*/*]\nschedules: [1h]\n" + more)
        self.keep = (folder / "plumb.yaml").read_text()
        super().__init__(folder, tokens=("read",))

    def start(self):
        (self.folder / "plumb.yaml").write_text(self.keep)
        self.token["net"] = self.plumb("token", "create", "--name", "net", "--role", "read", "--stack", "code/net/*").stdout.strip()
        super().start()

    def scan(self):
        self.plumb("scan", "--exit-zero", "--output", f"json={self.folder}/out.json")

    def get(self, path, role="read", **headers):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}",
                                         headers={"Authorization": f"Bearer {self.token[role]}", **headers})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def json(self, path, role="read"):
        status, _, body = self.get(path, role)
        check(status == 200, path, status, body[:500])
        return json.loads(body)

    def listen(self, query="", role="read", last=None):
        return Listener(self, query, role, last)


class Listener:
    """One client of GET /v1/events."""

    def __init__(self, api, query="", role="read", last=None):
        self.http = http.client.HTTPConnection("127.0.0.1", api.port, timeout=PATIENCE_S)
        headers = {"Authorization": f"Bearer {api.token[role]}"} | ({"Last-Event-ID": str(last)} if last is not None else {})
        self.http.request("GET", "/v1/events" + query, headers=headers)
        self.answer = self.http.getresponse()

    def events(self, n, seconds=PATIENCE_S):
        """The next n events, as (id, type, event)."""
        got, this, end = [], {}, time.monotonic() + seconds
        while len(got) < n and time.monotonic() < end:
            line = self.answer.readline().decode().rstrip("\n")
            key, _, value = line.partition(": ")
            if line and key in ("id", "event", "data"):
                this[key] = value
            elif not line and "data" in this:
                got.append((int(this["id"]), this["event"], json.loads(this["data"])))
                this = {}
        return got

    def close(self):
        self.http.close()


def ageless(document):
    """Without what is another a second later."""
    return json.loads(re.sub(r'"(age_seconds|next_scan)": [^,}]*', r'"\1": 0', json.dumps(document)))


@test()
def api_tells_what_the_commands_tell(lab):
    with Api(place(lab, "api")) as api:
        api.scan()
        for path, command in (("/v1/stacks", ["status"]), ("/v1/findings", ["findings"]),
                              ("/v1/findings?status=all&severity=high&limit=1000", ["findings", "--status", "all", "--severity",
                                                                                    "high", "--limit", "1000"])):
            told = json.loads(api.plumb(*command, "--output", "json", check_exit=False).stdout)
            got = api.json(path)
            for stack in got.get("stacks", []) + told.get("stacks", []):  # the service has planned nothing here
                for key in ("schedule", "scan_due", "scan_late"):
                    stack[key] = None
            check(ageless(got) == ageless(told), path, got, told)
        first = api.json("/v1/findings")["findings"][0]
        check(ageless(api.json(f"/v1/findings/{first['fingerprint']}?stack={first['stack']}")) ==
              ageless(json.loads(api.plumb("finding", "show", first["fingerprint"], "--stack", first["stack"], "--output",
                                           "json").stdout)), "a finding")
        check(api.json("/v1/stacks/code/net/a")["stack"]["name"] == "code/net/a", "a stack")
        check([r["stack"] for r in api.json("/v1/runs?stack=code/net/b")["runs"]] == ["code/net/b"], "runs")
        # pages: all of them once, in the same order
        whole, pages, path = api.json("/v1/findings?limit=1000")["findings"], [], "/v1/findings?limit=2"
        while path:
            status, headers, body = api.get(path)
            pages += json.loads(body)["findings"]
            link = re.fullmatch(r'<(.*)>; rel="next"', headers.get("Link", ""))
            path = link.group(1) if link else None
        check(pages == whole and len(whole) == 9, len(pages), len(whole))
        # caches
        _, headers, _ = api.get("/v1/findings")
        status, _, body = api.get("/v1/findings", **{"If-None-Match": headers["ETag"]})
        check(status == 304 and not body, status, body)
        # a token of some stacks
        check({f["stack"] for f in api.json("/v1/findings", "net")["findings"]} == {"code/net/a", "code/net/b"}, "findings of net")
        check({s["name"] for s in api.json("/v1/stacks", "net")["stacks"]} == {"code/net/a", "code/net/b"}, "stacks of net")
        check({r["stack"] for r in api.json("/v1/runs", "net")["runs"]} == {"code/net/a", "code/net/b"}, "runs of net")
        check(api.get("/v1/stacks/code/app/c", "net")[0] == 404, "a stack of others")
        secret = next(f for f in whole if f["stack"] == "code/app/c")["fingerprint"]
        check(api.get(f"/v1/findings/{secret}?stack=code/app/c", "net")[0] == 404, "a finding of others")
        both = api.json("/v1/findings?stack=code/net/a&stack=code/net/b")["findings"]
        check({f["stack"] for f in both} == {"code/net/a", "code/net/b"}, "a parameter that may be repeated")
        # what is wrong is said, with what to do
        for path, status, words in (("/v1/findings?limit=0", 400, "from 1 to 1000"), ("/v1/findings?status=opne", 400, "did you mean 'open'"),
                                    ("/v1/findings?stak=x", 400, "did you mean 'stack'"), ("/v1/findings/zz", 404, "fingerprint"),
                                    ("/v1/stacks/none", 404, "no such stack"), ("/v1/events?after=x", 400, "number of an event"),
                                    ("/v1/findings?limit=1&limit=2", 400, "given twice"), ("/v1/findings?limit=%zz", 400, "limit: its value is no text"),
                                    ("/v1/events?foo=1", 400, "no parameter 'foo'")):
            got, headers, body = api.get(path)
            check((got, headers["Content-Type"]) == (status, "application/problem+json") and words in json.loads(body)["detail"], path, got, body)


@test()
def api_answers_fit_their_schemas(lab):
    import jsonschema
    with Api(place(lab, "schemas"), stacks=("net/a",)) as api:
        api.scan()
        document = api.json("/v1/openapi.json")
        fingerprint = api.json("/v1/findings")["findings"][0]["fingerprint"]
        checked = 0
        for path, operations in document["paths"].items():
            schema = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
            if "$ref" in schema:
                body = api.json(path.replace("{stack}", "code/net/a").replace("{fingerprint}", fingerprint))
                jsonschema.Draft202012Validator({**document, **schema}).validate(body)
                checked += 1
        check(checked == 5, checked)


@test()
def api_events_go_on(lab):
    with Api(place(lab, "events")) as api:
        client, net = api.listen(), api.listen("?type=finding.*,scan.end", "net")
        check(client.answer.status == 200 and client.answer.headers["Content-Type"] == "text/event-stream", client.answer.status)
        watch = Stopwatch()
        api.scan()
        first = client.events(5)
        check(len(first) == 5, first)
        watch.must_be_within(10, "five events took")
        rows = api.events()
        check([e for _, _, e in first] == [e for e in rows if e["seq"] >= first[0][0]][:5], "not what the log has")
        mine = net.events(8)
        check({e["stack"] for _, _, e in mine} <= {"code/net/a", "code/net/b"} and {t for _, t, _ in mine} <= {"finding.new", "scan.end"}, mine)
        # the service dies, and the client goes on where it was: nothing twice, nothing left out
        api.kill()
        api.start()
        api.scan()
        client = api.listen(last=first[-1][0])
        rows = [e for e in api.events() if e["seq"] > first[-1][0]]
        rest = client.events(len(rows))
        check([e for _, _, e in rest] == rows, len(rest), len(rows))
        # a number that the log does not have, as behind a restored store: what comes from now on is told
        ahead = api.listen(last=10**9)
        api.scan()
        row = api.events()[-1]
        check(ahead.events(1), "nothing is told behind a number that is ahead of the log")
        check(row["seq"] < 10**9, row)
        # it ends with the service, at once
        watch = Stopwatch()
        api.close()
        watch.must_be_within(5, "stopping took")


@test()
def api_slow_clients_hold_up_nobody(lab):
    with Api(place(lab, "slow"), stacks=("net/a",)) as api:
        slow = []
        for _ in range(SLOW):  # they ask for all there is, and read nothing
            s = socket.create_connection(("127.0.0.1", api.port))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.sendall(f"GET /v1/events?after=-1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token['read']}\r\n\r\n".encode())
            slow.append(s)
        client = api.listen(last=-1)
        for _ in range(3):
            api.scan()
        rows = api.events()
        check([e for _, _, e in client.events(len(rows))] == rows, "the one that reads does not get all")
        check(api.json("/v1/stacks")["stacks"], "nothing else is answered")
        # one more than the most is sent away; a place that is left is free
        more = [api.listen() for _ in range(MOST - SLOW)]
        check(more[-1].answer.status == 503 and more[-1].answer.headers["Retry-After"], more[-1].answer.status)
        for one in more + [client]:
            one.close()
        for s in slow:
            s.close()
        check(wait_until(lambda: api.get("/v1/events?after=x")[0] == 400, 20), "no place")
        size = int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{api.process.pid}/status").read()).group(1))
        check(size < 300_000, "memory", size, "kB")


@test()
def api_heartbeat_says_when_a_scan_is_overdue(lab):
    beats = []

    class Switch(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            beats.append((self.path, self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"OK")

        def log_message(self, *_):
            pass

    switch = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Switch)
    threading.Thread(target=switch.serve_forever, daemon=True).start()
    folder = place(lab, "heartbeat")
    (folder / "switch").write_text(f"http://127.0.0.1:{switch.server_port}/ping/secret?x=1\n")
    more = "serve:\n  heartbeat: {url: file:switch, every: 1s, allow_private: true}\n  scheduler: {enabled: false}\n"
    with Api(folder, stacks=("net/a",), more=more) as api:
        api.scan()
        check(wait_until(lambda: any("1 stacks, 0 overdue" in b for _, b in beats), 20), beats)
        check({p for p, _ in beats} == {"/ping/secret?x=1"}, beats)
        # nobody has scanned for two hours
        store = sqlite3.connect(folder / "plumb.db")
        store.execute("insert into schedule (stack, tier, spec, next_utc_ms, began_utc_ms, ended_utc_ms, progress) "
                      "values ('code/net/a', '', '1h; jitter 0ms; grace 1000ms', 0, 0, 0, '')")
        store.execute("update stack set complete_utc_ms = complete_utc_ms - 7200000")
        store.commit()
        check(wait_until(lambda: any("1 overdue" in b for _, b in beats), 20), beats)
        check(beats[-1][0] == "/ping/secret/fail?x=1", beats[-1])
        check(wait_until(lambda: [e["stack"] for e in api.events() if e["type"] == "scan.overdue"] == ["code/net/a"], 10), "no event")
        check(api.json("/v1/stacks/code/net/a")["stack"]["scan_overdue"], "not overdue")
        check(api.plumb("status", "--config", "-", "--store", api.store, "--fail-on", "unchecked", check_exit=False).returncode == 4, "status")
        store.execute("update stack set complete_utc_ms = complete_utc_ms + 7200000")
        store.commit()
        check(wait_until(lambda: beats[-1][0] == "/ping/secret?x=1", 20), beats[-1])
        check(len([e for e in api.events() if e["type"] == "scan.overdue"]) == 1, "told twice")
        check("secret" not in (folder / "serve.log").read_text(), "the URL is in the log")
    switch.shutdown()
