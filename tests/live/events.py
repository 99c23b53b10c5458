"""Events of clouds' logs: from what somebody did to a finding with his name, through the service and its scheduler."""
import base64
import gzip
import hashlib
import hmac
import json
import sqlite3
import subprocess
import time

from alerting import Listening
from harness import PLUMB, ROOT, Stack, Stopwatch, check, test, wait_until
from statelock import NAME, Service

CODE = '\nresource "lab6_thing" "t" {\n  name = "thing-one"\n  text = "x"\n}\nresource "lab6_thing" "u" {\n  name = "thing-two"\n  text = "u"\n}\n'
KEY = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, shown").decode()


class Scheduled(Service):
    """With what providers of the lab need, and a token for events."""

    def __init__(self, stack, config=""):
        self.stack = stack
        (stack.home / "key").write_text(KEY)
        super().__init__(stack.home, config="events:\n  key: file:key\n  pipelines: [ci-bot]\n" + config,
                         tokens=("read", "events", "admin"))

    def start(self):
        self.env.update({k: v for k, v in self.stack.env.items() if k.startswith(("LAB_", "TF_", "XDG_")) or k == "PATH"})
        super().start()

    def rows(self, sql):
        with sqlite3.connect(self.folder / "plumb.db", timeout=120) as db:
            return db.execute(sql).fetchall()

    def curl(self, body, *headers, method="POST"):
        done = subprocess.run(["curl", "-s", "-i", "-X", method, "--data-binary", "@-", *(w for h in headers for w in ("-H", h)),
                               f"http://127.0.0.1:{self.port}/v1/events"], input=body, capture_output=True)
        head, _, text = done.stdout.replace(b"100 Continue\r\n\r\n", b"").partition(b"\r\n\r\n")
        return int(head.split()[1]), head.decode().lower(), text


def own(actor, about, number, **more):
    return json.dumps({"id": str(number), "actor": actor, "action": "change thing", "resource": about, "client": "psql/15",
                       "source_ip": "203.0.113.64", "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **more}).encode()


def begun(lab, hook=None):
    """hook: whoever takes alerts."""
    stack = Stack(lab, CODE)
    stack.apply()
    if hook:
        (stack.home / "hook").write_text(hook.url)
    service = Scheduled(stack, "notify:\n  - {to: webhook, url: file:hook, format: plumb, allow_private: true}\n" if hook else "")
    service.env.update(stack.env)
    done = service.plumb("scan", "--config", "plumb.yaml", check_exit=False)
    check(done.returncode == 0, "the first scan", done.stdout[-800:], done.stderr[-800:])
    return stack, service


def open_findings(service):
    return dict(service.rows("select address, actor || '/' || actor_how from finding where lane = 0 and class = 'contradicts-code'"))


@test("tofu", "lab6")
def events_name_who_did_it(lab):
    """Drift, its event: within two seconds the finding is there with its actor; mended and changed by another: he is named."""
    hook = Listening()
    stack, service = begun(lab, hook)
    with service:
        time.sleep(1)
        stack.edit("lab6_thing", "thing-one", text="by hand")
        watch = Stopwatch()
        status, body = service.ask("POST", "/v1/events", own("erin@example.org", "thing-one", 1, session="backend 4711"), role="events")
        check(status == 202 and json.loads(body)["matched"] == 1, status, body)
        check(wait_until(lambda: open_findings(service), 10), "no finding:", service.rows("select * from touch"))
        took = watch.stop()
        check(open_findings(service) == {"lab6_thing.t": "erin@example.org/event"}, open_findings(service))
        watch.must_be_within(2, "from the event to the finding:")
        shown = service.plumb("finding", "show", service.rows("select fingerprint from finding where lane = 0")[0][0]).stdout
        check("erin@example.org" in shown and "203.0.113.64" in shown and "psql/15" in shown, shown)
        check("  session   backend 4711\n  event     1\n" in shown, shown)
        want = {"name": "erin@example.org", "session": "backend 4711", "source_ip": "203.0.113.64", "event": "1", "surely": True}
        check(wait_until(lambda: hook.got, 10), "no alert")
        check(want.items() <= hook.got[0][1]["findings"][0]["actor"].items(), hook.got)
        # only that one was looked at
        partial = service.rows("select outcome, coverage from run order by id desc limit 1")[0]
        check(partial[0] == "partial" and json.loads(partial[1])["resources"] == 1, partial)
        print(f"    event to finding with its actor: {took * 1000:.0f} ms")
        # again, and mended; then somebody else, whose event comes late
        check(json.loads(service.ask("POST", "/v1/events", own("erin@example.org", "thing-one", 1), role="events")[1])
              ["duplicate"] == 1, "the same event twice")
        stack.edit("lab6_thing", "thing-one", text="x")
        service.ask("POST", "/v1/events", own("erin@example.org", "thing-one", 2), role="events")
        check(wait_until(lambda: not open_findings(service), 10), "it is mended:", open_findings(service))
        time.sleep(1.1)
        stack.edit("lab6_thing", "thing-two", text="by hand, too")
        late = own("frank@example.org", "thing-two", 3)
        service.plumb("scan", "--config", "plumb.yaml", check_exit=False)
        check(open_findings(service)["lab6_thing.u"].startswith("/unknown"), open_findings(service))
        told = service.rows("select count(*) from finding_history")
        check(service.ask("POST", "/v1/events", late, role="events")[0] == 202, "the late event")
        check(wait_until(lambda: open_findings(service) == {"lab6_thing.u": "frank@example.org/event"}, 10), open_findings(service))
        check(service.rows("select count(*) from finding_history") == told, "a late event is told again")


@test("tofu", "lab6")
def events_keep_the_author_from_approving(lab):
    """Who changed a resource, under an assumed role, is the reviewer whom plumb.yaml knows by that role: refused, and another is not."""
    stack = Stack(lab, CODE)
    stack.apply()
    service = Scheduled(stack)
    written = service.folder / "plumb.yaml"
    written.write_text(written.read_text().replace(
        "review:\n  rules:\n    - {approvals: 0, self_approval: [author, requester]}\n",
        "review:\n  trust: ['ci:github']\n  rules:\n    - {approvals: 1, self_approval: [requester]}\n"
        "  people:\n    - {name: erin, known_as: ['@erin-gh', 'arn:aws:sts::*:assumed-role/dev/erin*']}\n"))
    service.env.update(stack.env)
    arn = "arn:aws:sts::111122223333:assumed-role/dev/erin.example"
    service.plumb("scan", "--config", "plumb.yaml", check_exit=False)
    with service:
        stack.edit("lab6_thing", "thing-one", text="by hand")
        status, body = service.ask("POST", "/v1/events", own("erin.example", "thing-one", 1, principal=arn, session="dev"), role="events")
        check(status == 202 and json.loads(body)["matched"] == 1, status, body)
        check(wait_until(lambda: open_findings(service), 60), "no finding:", service.rows("select * from touch"))
        check(open_findings(service) == {"lab6_thing.t": "erin.example/event"}, open_findings(service))
        finding = service.rows("select fingerprint from finding where lane = 0 and class = 'contradicts-code'")[0][0]
        service.env["GITHUB_ACTIONS"] = "true"

        def review(who, *words):
            service.env["GITHUB_ACTOR"] = who
            done = service.plumb("review", *words, "--config", "plumb.yaml", check_exit=False)
            return done.returncode, done.stdout + done.stderr
        code, said = review("bob", finding, "--accept", "--reason", "so be it", "--until", "5d")
        check(code == 0 and "but the author" in said, said)
        code, said = review("Erin-gh", "approve", "R1")
        check(code == 1 and "made the change that is reviewed and cannot approve it" in said, code, said)
        code, said = review("carol", "approve", "R1")
        check(code == 0 and "in effect" in said, code, said)
        check([tuple(r) for r in service.rows("select type, actor from audit_event where type like 'review.%' order by seq")] ==
              [("review.request", "bob"), ("review.refused", "Erin-gh"), ("review.approve", "carol"), ("review.effect", "carol")],
              service.rows("select type, actor from audit_event where type like 'review.%'"))


@test("tofu", "lab6")
def events_come_from_who_may_send_them(lab):
    stack, service = begun(lab)
    with service:
        body = own("erin", "thing-one", 1)
        at = str(int(time.time()))
        mac = hmac.new(base64.b64decode(KEY[6:]), b"m1." + at.encode() + b"." + body, hashlib.sha256)
        standard = ["webhook-id: m1", f"webhook-timestamp: {at}", "webhook-signature: v1,AAAA v1," + base64.b64encode(mac.digest()).decode()]
        hub = hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
        for headers, want in ((["Authorization: Bearer " + service.token["events"]], 202), (["Authorization: Bearer " + service.token["read"]], 401),
                              ([], 401), (standard, 202), (standard[:2] + ["webhook-signature: v1,AAAA"], 401),
                              ([standard[0], "webhook-timestamp: 1000000000", standard[2]], 401), ([f"X-Hub-Signature-256: sha256={hub}"], 202),
                              ([f"X-Api-Key: {KEY}"], 202), ([f"X-Api-Key: {KEY}x"], 401)):
            status, _, text = service.curl(body, *headers)
            check(status == want, headers, "give", status, text[:200])
        check(service.ask("GET", "/v1/states", role="events")[0] == 403, "a token for events reads states")
        check(service.rows("select count(*) from activity") == [(1,)], "one event, however often and by whom")
        auth = "Authorization: Bearer " + service.token["events"]
        status, head, _ = service.curl(b"", "WebHook-Request-Origin: eventgrid.example", method="OPTIONS")
        check(status == 200 and "webhook-allowed-origin: eventgrid.example" in head, head)
        status, _, text = service.curl(json.dumps([{"id": "1", "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
                                                    "data": {"validationCode": "c0de"}}]).encode(), auth)
        check(status == 200 and json.loads(text) == {"validationResponse": "c0de"}, text)
        check(service.curl(b"{}", auth)[0] == 400 and service.curl(b"{", auth)[0] == 400, "no event")
        check(service.curl(b"[" + b",".join([body] * 1001) + b"]", auth)[0] == 413, "too many")
        status, _, text = service.curl(b'{"actor":"gina","resource":"thing-two"}', auth, "ce-specversion: 1.0", "ce-id: 7", "ce-source: /db",
                                       "ce-type: role", "ce-time: 2026-01-01T00:00:00Z", "Content-Type: application/json")
        check(status == 202 and json.loads(text)["matched"] == 1, text)
        status, _, text = service.curl(gzip.compress((ROOT / "tests/flow/events_add/in/trail.json").read_bytes()), auth)
        check(status == 202, text)
        two = gzip.compress(own("erin", "thing-one", "g1") + b"\n") + gzip.compress(own("erin", "thing-one", "g2"))
        status, _, text = service.curl(two, auth, "Content-Encoding: gzip")
        check(status == 202 and json.loads(text)["matched"] == 2, text)
        status, head, text = service.curl(b"\x8b\x01\x80", auth, "Content-Encoding: br")
        check(status == 415 and "accept-encoding: gzip" in head, status, head)
        status, _, text = service.curl(gzip.compress(b" " * (65 << 20)), auth)
        check(status == 413 and b"send them in parts" in text, status, text)


@test("tofu", "lab6")
def events_of_many_small_values_are_read(lab):
    """What is within the 8 MiB and the 1,000 events is taken, however much memory it needs while it is read."""
    stack, service = begun(lab)
    with service:
        records = [{"eventSource": "ec2.amazonaws.com", "eventName": "ModifyInstanceAttribute", "eventID": f"e{i}", "awsRegion": "eu-west-1",
                    "eventTime": "2026-11-23T10:00:00Z", "userIdentity": {"type": "IAMUser", "userName": "erin"},
                    "requestParameters": {f"parameter{k}Id": [k] * 10 for k in range(145)}} for i in range(1000)]
        body = json.dumps({"Records": records}, separators=(",", ":")).encode()
        check(7 << 20 < len(body) < 8 << 20, len(body))
        status, _, text = service.curl(body, "Authorization: Bearer " + service.token["events"], "Expect:")
        check(status == 202 and json.loads(text)["unmatched"] == 1000, status, text[:300])


@test("tofu", "lab6")
def events_survive_a_kill(lab):
    """What was answered with 202 is there after a kill -9, once."""
    stack, service = begun(lab)
    sent = 0
    for burst in range(3):
        for i in range(40):
            if service.ask("POST", "/v1/events", own("erin", "thing-one", f"{burst}-{i}"), role="events")[0] == 202:
                sent += 1
        service.kill()
        check(sent == 40 * (burst + 1) and service.rows("select count(*) from activity") == [(sent,)], sent)
        service.start()
    service.ask("POST", "/v1/events", own("erin", "thing-one", "0-0"), role="events")
    check(service.rows("select count(*) from activity") == [(sent,)], "an event from before counts twice")
    service.close()


@test("tofu", "lab6")
def events_come_fast(lab):
    """200 a second, 30 texts each, one a request: all are taken, and none waits long."""
    stack, service = begun(lab)
    with service:
        auth = "Authorization: Bearer " + service.token["events"]
        folder = stack.home / "burst"
        folder.mkdir()
        lines = []
        for i in range(600):
            event = {"eventSource": "ec2.amazonaws.com", "eventName": "ModifyInstanceAttribute", "eventID": f"e{i}", "awsRegion": "eu-west-1",
                     "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "userIdentity": {"type": "IAMUser", "userName": "erin"},
                     "requestParameters": {f"parameter{k}Id": f"id-{i}-{k}" for k in range(30)}}
            (folder / str(i)).write_text(json.dumps(event))
            lines += [f'url = "http://127.0.0.1:{service.port}/v1/events"', f'data-binary = "@{folder}/{i}"', f'header = "{auth}"',
                      'output = "/dev/null"', 'write-out = "%{http_code} %{time_total}\\n"', "next"]
        (folder / "curl").write_text("\n".join(lines[:-1]))
        began = time.time()
        done = subprocess.run(["curl", "-s", "--parallel", "--parallel-max", "20", "-K", str(folder / "curl")], capture_output=True, text=True)
        took = time.time() - began
        answers = [line.split() for line in done.stdout.splitlines()]
        check(len(answers) == 600 and all(a[0] == "202" for a in answers), {a[0] for a in answers}, len(answers), done.stderr[:300])
        waits = sorted(float(a[1]) for a in answers)
        check(600 / took > 200, "events a second:", 600 / took)
        print(f"    {600 / took:.0f} events a second, p99 {waits[593] * 1000:.0f} ms")
