"""Receivers: bodies by the official schemas, answers of every kind, a real Alertmanager.

What sends is tests/conformance/notify.c, one notifier and one alert a run. The schemas are in PLUMB_SHARED (../shared);
Slack's types are asked where a folder with typescript and @slack/types is (PLUMB_NODE_MODULES).
"""
import base64
import contextlib
import hashlib
import hmac
import http.server
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import warnings
from pathlib import Path

import jsonschema
import yaml

from harness import CI, PLUMB, ROOT, Skip, Stopwatch, check, test, wait_until
from receivers import Alertmanager, program

SHARED = Path(os.environ.get("PLUMB_SHARED", ROOT / "../shared")).resolve()
ROUTING = "0123456789abcdef0123456789abcdef"
SECRET, SEED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
FRAGMENTS = ("S3CRET", ROUTING, SECRET, SEED, "t0ken-of-ours")


def runner():
    for path in (PLUMB.parent / "conformance_notify", PLUMB.parent / "tests/conformance/notify", ROOT / "build/debug/conformance_notify"):
        if path.exists():
            return path
    raise Skip("conformance/notify is not built")


def notify(to, status, findings, exit=0, **keys):
    """One alert to one receiver: the answer that the outbox would get."""
    words = [f"{k}={v}" for k, v in keys.items()]
    done = subprocess.run([runner(), to, status, str(findings), *words], capture_output=True, text=True, timeout=120, check=False)
    check(done.returncode == exit, to, "ended with", done.returncode, done.stderr)
    check(not any(f in done.stdout + done.stderr for f in FRAGMENTS), "a secret in", done.stdout, done.stderr)
    return json.loads(done.stdout) if exit == 0 else done.stderr


class Receiver(http.server.BaseHTTPRequestHandler):
    """Answers with the next of server.answers, (status, headers, body) or a word; the last one stays."""
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.got.append((self.command, self.path, dict(self.headers.items()), body))
        answers = self.server.answers
        given = answers.pop(0) if len(answers) > 1 else answers[0]
        if given == "silence":
            self.server.over.wait(10)
        if given == "drip":  # a byte now and then, without end
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            with contextlib.suppress(OSError):
                while not self.server.over.wait(0.1):
                    self.wfile.write(b"x")
        if given == "flood":
            self.send_response(500)
            self.send_header("Content-Length", str(1 << 30))
            self.end_headers()
            with contextlib.suppress(OSError):
                while not self.server.over.is_set():
                    self.wfile.write(b"x" * 65536)
        if given == "garbage":
            self.wfile.write(b"\x00\xff not HTTP\r\n\r\n")
        if isinstance(given, str):
            self.close_connection = True
            return
        status, headers, body = given
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_GET = do_POST = do_PATCH = do_PUT = answer

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def receiver(*answers):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.daemon_threads = True
        server.got, server.answers, server.over = [], list(answers or [(200, {}, "")]), threading.Event()
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.over.set()
        server.shutdown()


def shared(path):
    file = SHARED / "schemas" / path
    if not file.exists() and not CI:
        raise Skip(f"{file} is not here (PLUMB_SHARED)")
    return yaml.safe_load(file.read_text()) if path.endswith("yaml") else json.loads(file.read_text())


def errors_of(schema, body, validator=jsonschema.Draft7Validator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [f"{list(e.absolute_path)}: {e.message}"[:300] for e in validator(schema).iter_errors(body)]


SENT = [("new", 1), ("new", 2), ("changed", 12), ("overdue", 1), ("recurring", 2), ("resolved", 1), ("notice", 0), ("test", 0)]


@test(cases=["pagerduty", "alertmanager", "teams", "webhook"])
def bodies_are_what_the_official_schemas_ask(lab, to):
    """Each status, with none, one and many findings, by the document that the receiver's makers publish."""
    if to == "pagerduty":
        doc = shared("pagerduty/events-v2-openapi.json")
        schema = {**doc, "$ref": "#/paths/~1enqueue/post/requestBody/content/application~1json/schema"}
        given, keys = (202, {}, '{"status":"success"}'), {"key": ROUTING}
    elif to == "alertmanager":
        doc = shared("alertmanager/openapi-v2.yaml")
        schema, given, keys = {**doc, "$ref": "#/definitions/postableAlerts"}, (200, {}, ""), {"label": "team=net"}
    elif to == "teams":
        schema, given, keys = shared("adaptivecards/adaptive-card-1.4.0.json"), (202, {}, ""), {}
    else:
        schema, given, keys = shared("cloudevents/cloudevents.json"), (204, {}, ""), {"format": "cloudevents"}
    with receiver(given) as server:
        for status, findings in SENT:
            answer = notify(to, status, findings, url=server.url, **keys)
            check(answer["result"] == "taken", answer)
            body = json.loads(server.got[-1][3])
            if to == "teams":
                check(len(server.got[-1][3]) < 28 * 1024, len(server.got[-1][3]))
                check(body["type"] == "message" and body["attachments"][0]["contentType"].endswith("card.adaptive"), body)
                body = body["attachments"][0]["content"]
                del body["msteams"]
            if to == "alertmanager":
                check(all(isinstance(v, str) for a in body for part in ("labels", "annotations") for v in a[part].values()), body)
            wrong = errors_of(schema, body, jsonschema.Draft6Validator if to == "teams" else jsonschema.Draft7Validator)
            check(not wrong, status, findings, wrong[:5])
            spoiled = [{**body[0], "startsAt": 5, "labels": "x"}] if to == "alertmanager" else {**body, "type": 5, "event_action": 5}
            check(errors_of(schema, spoiled), "the schema takes anything")


@test(cases=["standard", "plumb", "cloudevents"])
def a_webhook_carries_the_alert(lab, form):
    """docs/schema/alert.schema.json, which allows nothing that it does not name."""
    schema = json.loads((ROOT / "docs/schema/alert.schema.json").read_text())
    with receiver((204, {}, "")) as server:
        for status, findings in SENT:
            check(notify("webhook", status, findings, url=server.url, format=form)["result"] == "taken")
            body = json.loads(server.got[-1][3])
            if form == "standard":
                check(set(body) == {"type", "timestamp", "data"} and len(server.got[-1][3]) <= 20000, body)
            wrong = errors_of(schema, body if form == "plumb" else body["data"], jsonschema.Draft202012Validator)
            check(not wrong, status, findings, wrong[:5])


@test()
def slack_knows_each_block(lab):
    """Block Kit by Slack's own types; their lengths by what they document."""
    modules = Path(os.environ.get("PLUMB_NODE_MODULES", "/nowhere"))
    typed = shutil.which("node") and (modules / "@slack/types").exists() and (modules / ".bin/tsc").exists()
    home = Path(tempfile.mkdtemp(prefix="slack-", dir=lab.folder))
    texts = []
    with receiver((200, {}, "ok")) as server:
        for status, findings in SENT:
            answer = notify("slack", status, findings, url=server.url + "/services/T0/B0/S3CRET-of-ours")
            check(answer["result"] == "taken", answer)
            raw = server.got[-1][3].decode()
            body = json.loads(raw)
            check(len(raw) <= 8000 and len(body["blocks"]) <= 50, len(raw), len(body["blocks"]))
            for b in body["blocks"]:
                text = b.get("text", {}).get("text", "") if b["type"] != "context" else b["elements"][0]["text"]
                check(len(text) <= (150 if b["type"] == "header" else 3000), b["type"], len(text))
                if "mrkdwn" in json.dumps(b):
                    check("<!" not in text and "<@" not in text and "<script" not in text, text)
            texts.append({"text": body["text"], "blocks": body["blocks"]})
    if typed:
        (home / "node_modules").symlink_to(modules)
        (home / "check.ts").write_text('import type {KnownBlock} from "@slack/types";\nexport const all: {text: string, blocks: KnownBlock[]}[] = '
                                       + json.dumps(texts) + ";\n")
        done = subprocess.run([modules / ".bin/tsc", "--noEmit", "--skipLibCheck", "--moduleResolution", "bundler", "--target", "es2020",
                               "--module", "esnext", "check.ts"], cwd=home, capture_output=True, text=True, check=False)
        check(done.returncode == 0, done.stdout[-2000:])
    elif not CI:
        print("note slack_knows_each_block: without Slack's types (PLUMB_NODE_MODULES)")


@test(cases=["slack", "teams", "pagerduty", "alertmanager", "webhook", "github", "gitlab"])
def answers_of_every_kind(lab, to):
    """Slow, silent, endless, garbled, sent on, refused: each has its result, in time, and says why."""
    keys = {"pagerduty": {"key": ROUTING}, "github": {"key": "t0ken-of-ours", "project": "a/b"}, "gitlab": {"key": "t0ken-of-ours", "project": "7"}}
    gone = {"slack": "refused"}.get(to, "gone")
    cases = [((429, {"Retry-After": "17"}, "busy"), "later", 17000), ((500, {}, "oops"), "later", 0), ((503, {}, ""), "later", None),
             ((302, {"Location": "/elsewhere"}, ""), "refused", 0), ((400, {}, "what?"), "refused", 0), ((401, {}, "who?"), "refused", 0),
             ((410, {}, "away"), gone, 0), ("garbage", "later", 0), ("silence", "later", 0), ("drip", "later", 0), ("flood", "later", 0)]
    for given, result, retry_ms in cases:
        with receiver(given) as server:
            watch = Stopwatch()
            answer = notify(to, "new", 1, url=server.url + "/hooks/S3CRET-of-ours", timeout=1000 if isinstance(given, str) else 8000, **keys.get(to, {}))
            check(answer["result"] == result and answer["said"], given, answer)
            check(retry_ms is None or answer["retry_ms"] == retry_ms, given, answer)
            watch.must_be_within(4, given)
            check(len(server.got) == 1, given, "asked", len(server.got), "times")
            check("elsewhere" not in [g[1] for g in server.got], server.got)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/hooks/S3CRET-of-ours"
        check(notify(to, "new", 1, url=url, **keys.get(to, {}))["result"] == "later")
    with receiver() as server:
        said = notify(to, "new", 1, url=server.url.replace("http:", "https:") + "/S3CRET-of-ours", public=1, **keys.get(to, {}))
        check(said["result"] == "later" and "loopback" in said["said"], said)
        check("not https" in notify(to, "new", 1, exit=1, url=server.url + "/S3CRET-of-ours", public=1, **keys.get(to, {})))
        check(not server.got, server.got)


@test()
def a_date_in_retry_after_is_understood(lab):
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 120))
    with receiver((503, {"Retry-After": date}, "")) as server:
        answer = notify("webhook", "new", 1, url=server.url)
        check(answer["result"] == "later" and 100000 < answer["retry_ms"] <= 120000, answer)


@test()
def signatures_verify(lab):
    """v1 by HMAC, v1a by OpenSSL's Ed25519, X-Hub-Signature-256; the id stays and the time moves from one try to the next."""
    vectors = json.loads((SHARED / "vectors/standard-webhooks/vectors.json").read_text())["vectors"] if SHARED.exists() else []
    check(not vectors or vectors[0]["secret"] == SECRET, "another vector")
    home = Path(tempfile.mkdtemp(prefix="sign-", dir=lab.folder))
    public = vectors[1]["public"] if vectors else "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    der = bytes.fromhex("302a300506032b6570032100") + base64.b64decode(public[5:])
    (home / "public.der").write_bytes(der)
    with receiver((204, {}, "")) as server:
        for now in (1795341600000, 1795341700000):
            check(notify("webhook", "changed", 2, url=server.url, key=f"{SECRET} {SEED}", now=now)["result"] == "taken")
        ids = set()
        for _, _, headers, body in server.got:
            low = {k.lower(): v for k, v in headers.items()}
            ids.add(low["webhook-id"])
            content = f"{low['webhook-id']}.{low['webhook-timestamp']}.".encode() + body
            one, other = low["webhook-signature"].split(" ")
            check(one == "v1," + base64.b64encode(hmac.new(base64.b64decode(SECRET[6:]), content, hashlib.sha256).digest()).decode(), one)
            check(low["x-hub-signature-256"] == "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest())
            (home / "content").write_bytes(content)
            (home / "signature").write_bytes(base64.b64decode(other[4:]))
            subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "public.der", "-keyform", "DER", "-rawin", "-in", "content",
                            "-sigfile", "signature"], cwd=home, check=True, capture_output=True)
        check(len(ids) == 1 and server.got[0][3] == server.got[1][3], "a second try is another body")
        times = [h[2]["webhook-timestamp"] for h in server.got]
        check(times == ["1795341600", "1795341700"], times)


class Forge(http.server.BaseHTTPRequestHandler):
    """As much of GitHub's and GitLab's API of issues as they share: state that is kept, numbers, comments."""

    def answer(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        issues, gitlab = self.server.issues, self.server.gitlab
        path, _, _query = self.path.partition("?")
        parts = path.strip("/").split("/")[(2 if gitlab else 3):]  # behind the project
        self.server.seen.append(f"{self.command} {'/'.join(parts)}")
        self.server.fails -= 1
        text, number = ("description", "iid") if gitlab else ("body", "number")
        issue = issues.get(int(parts[1])) if len(parts) > 1 and parts[1].isdigit() else None
        if self.server.fails == 0:
            return self.reply(502, {})
        if self.command == "GET" and parts == ["issues"]:
            return self.reply(200, sorted(issues.values(), key=lambda i: -i[number]))
        if self.command == "POST" and parts == ["issues"]:
            n = len(issues) + 1
            issues[n] = {number: n, "title": body["title"], text: body[text], "labels": body.get("labels"), "comments": [],
                         "state": "opened" if gitlab else "open"}
            return self.reply(201, issues[n])
        if not issue:
            return self.reply(404, {"message": "Not Found"})
        if len(parts) == 3 and self.command == "GET":
            return self.reply(200, issue["comments"])
        if len(parts) == 3:
            issue["comments"].append({"id": len(issue["comments"]) + 1, "body": body["body"]})
            return self.reply(201, issue["comments"][-1])
        if self.command in ("PATCH", "PUT"):
            issue.update({k: v for k, v in body.items() if k in ("title", text)})
            state = body.get("state") or {"close": "closed", "reopen": "opened"}.get(body.get("state_event"))
            issue["state"] = state or issue["state"]
        return self.reply(200, issue)

    def reply(self, status, body):
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_PATCH = do_PUT = answer

    def log_message(self, *_):
        pass


@test(cases=["github", "gitlab"])
def an_issue_lives_with_its_thread(lab, to):
    """Opened once, changed in place, closed and opened again; also where the number was lost and answers fail half way."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forge) as server:
        server.daemon_threads, server.issues, server.seen, server.fails, server.gitlab = True, {}, [], 0, to == "gitlab"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        how = {"url": f"http://127.0.0.1:{server.server_port}", "key": "t0ken-of-ours", "project": "acme/net" if to == "github" else "7", "label": "drift"}
        first = notify(to, "new", 1, **how)
        check(first["result"] == "taken" and first["kept"] == "1", first)
        again = notify(to, "new", 1, **how)  # the same alert, and the number was lost
        check(again["kept"] == "1" and len(server.issues) == 1 and not server.issues[1]["comments"], again, server.issues)
        text = server.issues[1]["description" if server.gitlab else "body"]
        check("@here" not in server.issues[1]["title"] and "\n/close" not in text, server.issues[1])
        server.issues[1]["description" if server.gitlab else "body"] = text.replace("plumb:told:alrt_0001", "plumb:told:another")
        for fails in (1, 2, 3, 4):  # each request of the way fails once; then all is told once
            server.fails = fails
            late = notify(to, "resolved", 1, kept="1", **how)
            check(late["result"] == "later", fails, late)
        done = notify(to, "resolved", 1, kept="1", **how)
        check(done["result"] == "taken" and server.issues[1]["state"] == "closed", done, server.issues)
        check(len(server.issues[1]["comments"]) == 1, server.issues[1]["comments"])
        server.fails = 0
        back = server.issues[1]
        key = "description" if server.gitlab else "body"
        back[key] = back[key].replace("plumb:told:alrt_0001", "plumb:told:another")
        check(notify(to, "new", 1, **how)["result"] == "taken" and back["state"].startswith("open"), back)
        server.shutdown()


@test(cases=["github", "gitlab"])
def what_people_do_to_an_issue_stays(lab, to):
    """Text before and behind plumb's own is kept, whatever was taken out; one that was deleted is opened anew; closed stays closed for digests."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Forge) as server:
        server.daemon_threads, server.issues, server.seen, server.fails, server.gitlab = True, {}, [], 0, to == "gitlab"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        how = {"url": f"http://127.0.0.1:{server.server_port}", "key": "t0ken-of-ours", "project": "acme/net" if to == "github" else "7"}
        key, again = ("description" if server.gitlab else "body"), "plumb:told:another"

        def tell(status, number):
            """As an alert of another id would be, of which the issue does not know yet."""
            issue = server.issues.get(number)
            if issue:
                issue[key] = issue[key].replace("plumb:told:alrt_0001", again)
                issue["comments"] = [{**c, "body": c["body"].replace("plumb:told:alrt_0001", again)} for c in issue["comments"]]
            done = notify(to, status, 1, kept=str(number), **how)
            check(done["result"] == "taken", done)
            return done

        def once(issue):
            text = issue[key]
            check([text.count(m) for m in ("<!-- plumb:alert:", "<!-- plumb:told:", "<!-- plumb:end -->")] == [1, 1, 1], text)
            return text
        check(notify(to, "new", 1, **how)["kept"] == "1", "opened")
        issue = server.issues[1]
        issue[key] = "See INC-7 first.\r\n\r\n" + once(issue) + "\n\n- [ ] call ann\n"
        for status in ("changed", "overdue"):
            tell(status, 1)
            text = once(issue)
            check(text.startswith("See INC-7 first.\r\n\r\n<!-- plumb:alert:") and text.endswith("-->\n\n- [ ] call ann\n"), text)
            check(f"**{status}**" in text and "**new**" not in text, "the text is not up to date:", text)
        issue[key] = "all of it rewritten"
        for status in ("changed", "overdue"):
            tell(status, 1)
            check(once(issue).startswith("all of it rewritten\n\n<!-- plumb:alert:"), issue[key])
        issue[key] = "x" * 64000 + "\n" + issue[key]  # no room for both: what people wrote is not cut
        long, comments = issue[key], len(issue["comments"])
        tell("changed", 1)
        check(issue[key].replace("plumb:told:alrt_0001", again) == long.replace("plumb:told:alrt_0001", again), "a long text was cut")
        check(len(issue["comments"]) == comments + 1, "the change is told nowhere")
        issue[key] = "short"
        for status, want in (("recurring", "closed"), ("resolved", "closed"), ("changed", "open")):
            issue["state"] = "closed"
            tell(status, 1)
            check(issue["state"].startswith(want), "closed by hand, then", status, "is", issue["state"])
        del server.issues[1]
        gone = tell("resolved", 1)
        check(not server.issues, "one was opened only to be closed:", gone, server.issues)
        check(tell("changed", 1)["kept"] == "1" and len(server.issues) == 1, "not opened anew:", server.issues)
        server.shutdown()


def amtool(url, *words):
    done = subprocess.run([program("amtool", "prometheus-alertmanager"), f"--alertmanager.url={url}", "-o", "json", *words], capture_output=True, text=True, check=False)
    check(done.returncode == 0, done.stderr)
    return json.loads(done.stdout)


@test()
def a_configuration_reaches_them_all(lab):
    """plumb notify test with every kind in one plumb.yaml, secrets from the environment and from files."""
    home = Path(tempfile.mkdtemp(prefix="notify-", dir=lab.folder))
    (home / "main.tf").touch()
    (home / "routing").write_text(ROUTING + "\n")
    (home / "plumb.yaml").write_text("""version: 1
notify:
  - {to: slack, url: env:HOOK, allow_private: true}
  - {to: slack, name: bot, key: env:BOT, channel: C0123456789, url: env:HOOK, allow_private: true}
  - {to: teams, url: env:HOOK, allow_private: true}
  - {to: pagerduty, key: file:routing, url: env:HOOK, allow_private: true}
  - {to: alertmanager, url: env:HOOK, labels: [team=net], allow_private: true}
  - {to: webhook, url: env:HOOK, key: env:SIGN, format: cloudevents, allow_private: true}
  - {to: github, project: acme/net, key: env:TOKEN, url: env:HOOK, allow_private: true}
  - {to: gitlab, project: "7", key: env:TOKEN, url: env:HOOK, allow_private: true}
""")
    issue = '{"number":1,"iid":1,"state":"open","body":"","description":""}'
    with receiver((200, {}, "ok"), (200, {}, '{"ok":true,"channel":"C1","ts":"1.1"}'), (202, {}, ""), (202, {}, "{}"), (200, {}, ""),
                  (204, {}, ""), (200, {}, "[]"), (201, {}, issue), (200, {}, "[]"), (201, {}, issue)) as server:
        env = {k: v for k, v in os.environ.items() if not k.startswith("PLUMB_")}
        env.update(HOOK=server.url + "/S3CRET-of-ours", BOT="xoxb-S3CRET-of-ours", SIGN=SECRET, TOKEN="t0ken-of-ours", HOME=str(home))
        done = subprocess.run([PLUMB, "notify", "test"], cwd=home, env=env, capture_output=True, text=True, check=False, timeout=120)
        check(done.returncode == 0 and done.stdout.count(": taken") == 8, done.stdout, done.stderr)
        paths = [f"{g[0]} {g[1]}".replace("/S3CRET-of-ours", "") for g in server.got]
        check(paths[1] == "POST /chat.postMessage" and paths[3] == "POST /v2/enqueue" and paths[4] == "POST /api/v2/alerts", paths)
        check(paths[7] == "POST /repos/acme/net/issues" and paths[9] == "POST /projects/7/issues", paths)
        check(not any(f in done.stdout + done.stderr for f in FRAGMENTS), done.stdout)


@test()
def alertmanager_fires_and_resolves(lab):
    """Debian's Alertmanager: fires, is told again without a second message, ends by itself later each time, resolves."""
    with receiver((200, {}, "")) as hook, Alertmanager(hook.url) as manager:
        url = manager.url

        def sent(status):
            return [a for *_, body in hook.got for a in json.loads(body)["alerts"] if a["status"] == status]
        now = int(time.time() * 1000)
        made = now - 60000
        check(notify("alertmanager", "new", 1, url=url, made=made, label="team=net") == {"result": "taken", "retry_ms": 0, "said": "", "kept": ""})
        check(wait_until(lambda: sent("firing"), 10), "it does not fire")
        fired = sent("firing")[0]
        check(fired["labels"]["alertname"] == "PlumbDrift" and fired["labels"]["team"] == "net", fired)
        check(fired["annotations"]["changed_by"].startswith("arn:aws:iam::111122223333:user/alice"), fired)
        one = amtool(url, "alert", "query", "stack=prod/network")
        check(len(one) == 1 and one[0]["status"]["state"] == "active", one)
        check(notify("alertmanager", "recurring", 1, url=f"{url} http://127.0.0.1:1", made=made, now=now + 60000, label="team=net")["result"] == "taken")
        two = amtool(url, "alert", "query", "stack=prod/network")
        check(len(two) == 1 and two[0]["endsAt"] > one[0]["endsAt"], one, two)
        check(two[0]["startsAt"] == one[0]["startsAt"] and len(sent("firing")) == 1, two)
        check(notify("alertmanager", "resolved", 1, url=url, made=now, label="team=net")["result"] == "taken")
        check(wait_until(lambda: sent("resolved"), 10), "it does not resolve")
        check(sent("resolved")[0]["fingerprint"] == fired["fingerprint"], sent("resolved"))
        check(amtool(url, "alert", "query", "stack=prod/network") == [], "amtool still sees it")
        check(notify("alertmanager", "notice", 0, url=url)["result"] == "taken")
        check(wait_until(lambda: any(a["labels"]["alertname"] == "PlumbNotice" for a in sent("firing")), 10), "no notice")
