"""The interface of plumb serve: the gate over the wire, run tasks with their callback, the description of the interface."""
import hashlib
import hmac
import http.server
import json
import os
import shutil
import subprocess
import threading
from pathlib import Path

from harness import Skip, Stack, check, test, wait_until
from statelock import NAME, THING, Service

KEY, SIGNING = b"a key of the run task", b"a key of the webhook"


class Receiver(http.server.BaseHTTPRequestHandler):
    """What HCP Terraform would be: gives the plan, takes the results."""
    plan, results, moved = b"", [], False

    def do_GET(self):
        if self.headers.get("Authorization") != "Bearer the-access-token":
            self.send_error(401)
        elif self.path == "/plan":  # as the real one: sends on to where the file is
            self.send_response(302)
            self.send_header("Location", "/archive")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.plan)))
            self.end_headers()
            self.wfile.write(self.plan)

    def do_PATCH(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).results.append((self.headers.get("Authorization"), self.headers.get("Content-Type"), json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def plan_of(stack):
    stack.run("plan", "-no-color", "-out", "p.tfplan")
    return stack.run("show", "-json", "p.tfplan").stdout.encode()


def drifted(lab, service_config):
    """A stack whose drift is on record, the service, and a plan that would undo it."""
    stack = Stack(lab, 'terraform {\n  backend "http" {}\n}\n' + THING)
    (stack.home / "key").write_bytes(KEY)
    (stack.home / "signing").write_bytes(SIGNING)
    service = Service(stack.home, config=service_config)
    stack.env.update(service.backend())
    stack.apply()
    clean = plan_of(stack)
    stack.edit("lab6_thing", "t", text="by hand")
    stack.scan("--config", str(stack.home / "plumb.yaml")).must_find(contradicts=["lab6_thing.t"])
    return stack, service, clean, plan_of(stack)


@test("tofu", "lab6")
def serve_gate_over_the_wire(lab):
    stack, service, clean, plan = drifted(lab, "serve:\n  gate:\n    key: file:signing\n")
    with service:
        path = f"/v1/gate?stack={NAME}"
        status, body = service.ask("POST", path, plan, role="plan")
        decision = json.loads(body)
        check(status == 200 and decision["decision"] == "deny", status, body[:400])
        check("lab6_thing.t" in body.decode(), "the address is not named:", body[:400])
        status, body = service.ask("POST", path, clean, role="plan")
        check(status == 200, status, body[:300])
        check(service.ask("POST", "/v1/gate", plan)[0] == 400, "a gate of no stack")
        check(service.ask("POST", path, b"{}")[0] == 400, "a gate of no plan")
        check(b"Denied" in service.ask("POST", path + "&format=text", plan)[1], "the text of a denial")
        # by signature, without a token; and not by another
        service.token["signed"] = "none"
        for key, want in ((SIGNING, 200), (b"other", 401), (b"", 401)):
            mac = hmac.new(key, plan, hashlib.sha256).hexdigest()
            done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--data-binary", "@-", "-H",
                                   f"X-Hub-Signature-256: sha256={mac}", f"http://127.0.0.1:{service.port}{path}"],
                                  input=plan, capture_output=True)
            check(done.stdout == str(want).encode(), "signed with", key, "gives", done.stdout)
        events = [e for e in service.events() if e["type"] == "gate.decision"]
        check({e["actor"]["how"] for e in events} == {"token", "signature"}, events)


@test("tofu", "lab6")
def serve_run_task(lab):
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{receiver.server_port}"
    stack, service, clean, plan = drifted(lab, f"serve:\n  run_tasks:\n    key: file:key\n    url: {base}\n")
    with service:
        def post(body, key=KEY, name=NAME):
            text = json.dumps(body).encode()
            done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--data-binary", "@-", "-H",
                                   "X-TFC-Task-Signature: " + hmac.new(key, text, hashlib.sha512).hexdigest(),
                                   f"http://127.0.0.1:{service.port}/v1/run-tasks/{name}"], input=text, capture_output=True)
            return int(done.stdout)

        task = {"payload_version": 1, "stage": "post_plan", "access_token": "the-access-token", "run_id": "run-1",
                "run_created_by": "alice", "workspace_name": "net-prod", "task_result_callback_url": f"{base}/result",
                "plan_json_api_url": f"{base}/plan", "capabilities": {"outcomes": True}}
        check(post({"access_token": "test-token", "stage": "test"}) == 200, "the test request")
        check(post(task, key=b"other") == 401, "another key")
        check(post({**task, "task_result_callback_url": "http://169.254.169.254/result"}) == 400, "a callback elsewhere")
        check(post({**task, "plan_json_api_url": base + ".evil.example/plan"}) == 400, "a plan elsewhere")
        check(not Receiver.results, "something was sent")
        Receiver.plan = plan
        check(post(task) == 200, "a run task")
        check(wait_until(lambda: len(Receiver.results) >= 2, 30), "no results:", Receiver.results)
        (auth, kind, first), (_, _, last) = Receiver.results
        check((auth, kind) == ("Bearer the-access-token", "application/vnd.api+json"), auth, kind)
        outcomes = first["data"]["relationships"]["outcomes"]["data"]
        check(first["data"]["attributes"]["status"] == "running" and outcomes, first)
        check(any(o["attributes"]["description"] == "lab6_thing.t" for o in outcomes), outcomes)
        check(last["data"]["attributes"]["status"] == "failed" and "relationships" not in last["data"], last)
        check(0 < len(last["data"]["attributes"]["message"]) <= 1000, last)
        # a plan that cannot be had fails
        Receiver.results.clear()
        check(post({**task, "access_token": "another"}) == 200, "a run task")
        check(wait_until(lambda: Receiver.results, 30) and Receiver.results[-1][2]["data"]["attributes"]["status"] == "failed",
              Receiver.results)
        # a person answers, and it passes
        Receiver.results.clear()
        service.answer()
        check(post(task) == 200, "a run task")
        check(wait_until(lambda: Receiver.results and Receiver.results[-1][2]["data"]["attributes"]["status"] == "passed", 30),
              Receiver.results)
    receiver.shutdown()


@test("tofu")
def serve_describes_itself(lab):
    stack = Stack(lab, "")
    with Service(stack.home) as service:
        status, body = service.ask("GET", "/v1/openapi.json")
        document = json.loads(body)
        check(status == 200 and document["openapi"] == "3.1.0", status)
        ids = [o["operationId"] for p in document["paths"].values() for o in p.values()]
        check(len(ids) == len(set(ids)) and len(ids) >= 10, ids)
        security = {(m, p): o.get("security") for p, ms in document["paths"].items() for m, o in ms.items()}
        known = set(document["components"]["securitySchemes"])
        check({s for asked in security.values() for one in asked or [] for s in one} <= known, security, known)
        nobody = {("get", "/healthz"), ("get", "/readyz"), ("get", "/v1/openapi.json"), ("options", "/v1/events")}
        check({what for what, asked in security.items() if asked == []} == nobody, "asks nobody who he is:", security)
        check(security["post", "/v1/push"] == [{"X-Hub-Signature-256": []}, {"X-Gitlab-Token": []}, {"webhook-signature": []}], security)
        check(security["post", "/v1/events"] is None, "without events.key it takes tokens alone:", security)
        takes = set(document["paths"]["/v1/events"]["post"]["requestBody"]["content"])
        check({"application/json", "application/cloudevents-batch+json", "application/gzip", "*/*"} <= takes, takes)
        try:
            from openapi_spec_validator import validate
        except ImportError as error:
            raise Skip("no openapi_spec_validator here") from error
        validate(document)


@test("tofu")
def serve_describes_itself_for_redocly(lab):
    """The linter that people check such documents with: no error, and no warning."""
    linter = Path(os.environ.get("PLUMB_CACHE", Path.home() / ".cache" / "plumb")) / "redocly"
    program = linter / "node_modules" / ".bin" / "redocly"
    if not program.exists():
        if not shutil.which("npm"):
            raise Skip("no npm here")
        linter.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "@redocly/cli"], cwd=linter, capture_output=True, text=True)
        if done.returncode or not program.exists():
            raise Skip(f"npm cannot install @redocly/cli: {done.stderr[-200:]}")
    stack = Stack(lab, "")
    with Service(stack.home) as service:
        (stack.home / "openapi.json").write_bytes(service.ask("GET", "/v1/openapi.json")[1])
    done = subprocess.run([program, "lint", "openapi.json", "--format", "json"], cwd=stack.home, capture_output=True, text=True,
                          env={**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"})
    found = json.loads(done.stdout)
    check(done.returncode == 0 and not found["problems"],
          *((p["severity"], p["ruleId"], p["message"], p["location"][0]["pointer"]) for p in found["problems"]), done.stderr[-500:])
