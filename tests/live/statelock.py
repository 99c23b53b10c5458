"""The state lock with real OpenTofu and Terraform: what is refused and printed, races, kill -9 of either side, disk full."""
import base64
import http.server
import json
import os
import random
import re
import signal
import sqlite3
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

from harness import CLIENTS, PLUMB, ROOT, Skip, Stack, check, test, wait_until

NAME = "net/prod"
THING = '\nresource "lab6_thing" "t" {\n  name = "t"\n  text = "x"\n}\n'
NUMBER = 'variable "n" { default = 0 }\noutput "n" { value = var.n }\n'


class Service:
    """`plumb serve` on a free port, with a store of its own in `folder`."""

    def __init__(self, folder, config="", tokens=("plan", "apply", "admin"), server=None):
        self.folder, self.port, self.process = folder, 0, None
        self.scheme = "https" if "tls:" in config else "http"
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("PLUMB_", "TF_"))}
        self.server = server  # PostgreSQL, which several services may share
        self.store = f"postgres:///postgres?host={server.dir}&user=postgres&sslmode=disable" if server else f"sqlite:{folder}/plumb.db"
        if server:
            self.env["PLUMB_KEY"] = "a key of thirty-two bytes for tests"  # a SQLite file has its own beside it
        (folder / "plumb.yaml").write_text(
            f"version: 1\nstore: {self.store}\nstacks:\n  - path: root\n    name: {NAME}\n"
            "review:\n  rules:\n    - {approvals: 0, self_approval: [author, requester]}\n" + config)
        self.token = {role: self.plumb("token", "create", "--name", role, "--role", role).stdout.strip() for role in tokens}
        self.start()

    def plumb(self, *args, check_exit=True):
        done = subprocess.run([PLUMB, *args], cwd=self.folder, env=self.env, capture_output=True, text=True)
        check(not check_exit or done.returncode == 0, "plumb", *args, "exit", done.returncode, done.stderr[-1500:])
        return done

    def start(self):
        log = open(self.folder / "serve.log", "a")  # noqa: SIM115
        at = (self.folder / "serve.log").stat().st_size
        self.process = subprocess.Popen([PLUMB, "serve", "--listen", f"127.0.0.1:{self.port}"], cwd=self.folder, env=self.env,
                                        stderr=log)
        log.close()

        def listening():
            text = (self.folder / "serve.log").read_text()[at:]
            found = re.search(r"listening address=127\.0\.0\.1:(\d+)", text)
            check(self.process.poll() is None, "plumb serve ended:", text[-1500:])
            self.port = int(found.group(1)) if found else self.port
            return found
        check(wait_until(listening, 20), "plumb serve does not listen")

    def kill(self, sig=signal.SIGKILL):
        self.process.send_signal(sig)
        return self.process.wait(60)

    def close(self):
        if self.process.poll() is None:
            code = self.kill(signal.SIGTERM)
            check(code == 0, "plumb serve ended with", code)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def url(self, name=NAME):
        return f"{self.scheme}://127.0.0.1:{self.port}/v1/states/{name}"

    def ask(self, method, path, body=None, role="admin", header=None):
        request = urllib.request.Request(f"{self.scheme}://127.0.0.1:{self.port}{path}", data=body, method=method,
                                         headers={"Authorization": f"Bearer {self.token[role]}", **(header or {})})
        trust = ssl.create_default_context(cafile=self.folder / "plumb-tls.pem") if self.scheme == "https" else None
        try:
            with urllib.request.urlopen(request, timeout=120, context=trust) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def states(self):
        return {s["stack"]: s for s in json.loads(self.ask("GET", "/v1/states")[1])["states"]}

    def versions(self, name=NAME):
        return json.loads(self.ask("GET", f"/v1/versions/{name}")[1])["versions"]

    def events(self):
        query = "select line from audit_event order by seq"
        if self.server:
            done = subprocess.run(["psql", "-qXAt", "-c", query], env={**self.env, **self.server.env}, capture_output=True, text=True, check=True)
            return [json.loads(bytes.fromhex(line[2:]) if line.startswith("\\x") else line) for line in done.stdout.splitlines()]
        return [json.loads(line) for line, in sqlite3.connect(self.folder / "plumb.db").execute(query)]

    def answer(self):
        """A person answers every open finding: it is to be put back."""
        for finding in json.loads(self.plumb("findings", "--output", "json").stdout)["findings"]:
            self.plumb("review", finding["fingerprint"][:12], "--revert", "--reason", "not agreed")

    def backend(self, role="apply", name=NAME):
        """The environment that points the http backend here."""
        url = self.url(name)
        return {"TF_HTTP_ADDRESS": url, "TF_HTTP_LOCK_ADDRESS": url, "TF_HTTP_UNLOCK_ADDRESS": url, "TF_HTTP_USERNAME": "x",
                "TF_HTTP_PASSWORD": self.token[role], "TF_HTTP_RETRY_WAIT_MIN": "1", "TF_HTTP_RETRY_MAX": "8"}


def rooted(lab, tool, code):
    if tool not in lab.peers:
        raise Skip(f"no {tool} here")
    return Stack(lab, 'terraform {\n  backend "http" {}\n}\n' + code, tool=tool)


def refused(done, *words):
    # the message is wrapped by the client: compare without line breaks and frames
    text = re.sub(r"[\s│╷╵]+", " ", done.stdout + done.stderr)
    check(done.returncode == 1, "should be refused:", text[-800:])
    for word in words:
        check(word in text, word, "is not in what is printed:", text[-1500:])


@test("tofu", "lab6", cases=CLIENTS)
def statelock_refuses_an_apply_while_drift_is_undecided(lab, tool):
    stack = rooted(lab, tool, THING)
    with Service(stack.home) as service:
        stack.env.update(service.backend())
        stack.apply()
        scan = stack.scan("--config", str(stack.home / "plumb.yaml"))
        scan.must_be_clean(1)
        stack.edit("lab6_thing", "t", text="by hand")
        stack.scan("--config", str(stack.home / "plumb.yaml")).must_find(contradicts=["lab6_thing.t"])
        serial = service.states()[NAME]["serial"]
        stack.run("plan", "-no-color", env=service.backend("plan"))
        stack.run("plan", "-no-color")
        done = stack.run("apply", "-auto-approve", "-no-color", check_exit=False)
        refused(done, "BLOCKED BY PLUMB: apply of net/prod", "1 change that nobody has decided on", "lab6_thing.t: contradicts-code",
                "plumb review ")
        check(json.loads(stack.object("lab6_thing", "t").read_text())["text"] == "by hand", "the apply went through")
        check(service.states()[NAME] == {**service.states()[NAME], "serial": serial, "lock": None}, "something was written")
        # a person answers
        service.answer()
        stack.run("apply", "-auto-approve", "-no-color")
        check(json.loads(stack.object("lab6_thing", "t").read_text())["text"] == "x", "the review was not carried out")
        stack.scan("--config", str(stack.home / "plumb.yaml")).must_be_clean(1)
        # a second change is refused again
        stack.edit("lab6_thing", "t", text="again")
        stack.scan("--config", str(stack.home / "plumb.yaml")).must_find(contradicts=["lab6_thing.t"])
        refused(stack.run("apply", "-auto-approve", "-no-color", check_exit=False), "BLOCKED BY PLUMB")
        service.answer()
        stack.run("apply", "-auto-approve", "-no-color")
        # a freeze refuses, whatever was answered; a breakglass lets it through
        service.plumb("freeze", NAME, "--reason", "quarter end", "--until", "1h")
        refused(stack.run("apply", "-auto-approve", "-no-color", check_exit=False), "freeze F1 until", "quarter end")
        stack.run("plan", "-no-color")
        service.plumb("breakglass", "--scope", NAME, "--for", "30m", "--ticket", "INC-1", "--reason", "fire")
        stack.run("apply", "-auto-approve", "-no-color")
        locks = [(e["outcome"], e["detail"].get("breakglass")) for e in service.events() if e["type"] == "lock"]
        check(locks[-1] == ("allow", "B1") and ("deny", None) in locks, "events of locks:", locks)


# what is run, and what it is called in the refusal; all of them need a state with lab6_thing.t
OPERATIONS = {
    "apply": ["apply", "-auto-approve"], "destroy": ["apply", "-destroy", "-auto-approve"], "refresh": ["refresh"],
    "state mv": ["state", "mv", "lab6_thing.t", "lab6_thing.u"], "state rm": ["state", "rm", "lab6_thing.t"],
    "taint": ["taint", "lab6_thing.t"], "untaint": ["untaint", "lab6_thing.t"], "state push": ["state", "push", "pulled.json"],
    "import or console": ["import", "lab6_thing.u", "u"],
    "state replace-provider": ["state", "replace-provider", "-auto-approve", "plumb.test/lab/lab6", "plumb.test/lab/lab5"],
}


@test("tofu", "lab6", cases=CLIENTS)
def statelock_refuses_every_operation_that_writes(lab, tool):
    stack = rooted(lab, tool, THING + 'resource "lab6_thing" "u" {\n  name = "u"\n  text = "u"\n  count = 0\n}\n')
    with Service(stack.home) as service:
        stack.env.update(service.backend())
        stack.apply()
        (stack.dir / "pulled.json").write_text(stack.run("state", "pull").stdout)
        stack.edit("lab6_thing", "t", text="by hand")
        stack.scan("--config", str(stack.home / "plumb.yaml")).must_find(contradicts=["lab6_thing.t"])
        before = service.versions()
        for name, args in OPERATIONS.items():
            done = stack.run(*args[:2] if args[0] == "state" else args[:1], "-no-color", *args[2 if args[0] == "state" else 1:],
                             check_exit=False) if args[0] not in ("state", "taint", "untaint") else stack.run(*args, check_exit=False)
            refused(done, "BLOCKED BY PLUMB: " + {"destroy": "apply"}.get(name, name) + " of net/prod")
        for args in (["state", "list"], ["output"], ["show"], ["plan"], ["plan", "-destroy"], ["plan", "-refresh-only"]):
            stack.run(*args)
        check(service.versions() == before, "a state was written")
        check(service.states()[NAME]["lock"] is None, "a lock stayed")


@test("tofu", cases=CLIENTS)
def statelock_refuses_writes_without_the_lock(lab, tool):
    stack = rooted(lab, tool, NUMBER)
    with Service(stack.home) as service:
        stack.env.update(service.backend())
        stack.apply()
        done = stack.run("apply", "-auto-approve", "-no-color", "-lock=false", "-var", "n=1", check_exit=False)
        refused(done, "409")
        check((stack.dir / "errored.tfstate").exists(), "no errored.tfstate")
        check(len(service.versions()) == 1, "it was written")
        # what was kept is pushed under the lock
        stack.run("state", "push", "errored.tfstate")
        check(len(service.versions()) == 2, "it was not pushed")
        # somebody else's lock, taken away by an admin only
        service.ask("LOCK", f"/v1/states/{NAME}", json.dumps({"ID": "other", "Operation": "OperationTypeApply", "Who": "eve@x"}).encode())
        refused(stack.run("apply", "-auto-approve", "-no-color", check_exit=False), "already locked: ID=other", "Held by eve@x for apply since")
        check(stack.run("force-unlock", "-force", "other", check_exit=False).returncode == 1, "force-unlock without being admin")
        stack.run("force-unlock", "-force", "other", env=service.backend("admin"))
        # a reader's token cannot lock; a planner's cannot apply
        refused(stack.run("apply", "-auto-approve", "-no-color", check_exit=False, env=service.backend("plan")), "the role of this token (plan)")


@test("tofu", cases=CLIENTS)
def statelock_guards_reads_where_asked(lab, tool):
    """With guard_reads an apply without the lock ends before it changes anything."""
    stack = rooted(lab, tool, NUMBER)
    with Service(stack.home, config="gate:\n  max_age: 24h\nserve:\n  states:\n    guard_reads: true\n") as service:
        stack.env.update(service.backend("plan"))
        stack.run("init", "-no-color")
        done = stack.run("apply", "-auto-approve", "-no-color", "-lock=false", check_exit=False, env=service.backend("apply"))
        check(done.returncode == 1 and not (stack.dir / "errored.tfstate").exists(), "it went on:", done.stderr[-500:])
        done = stack.run("apply", "-auto-approve", "-no-color", check_exit=False, env=service.backend("apply"))
        if "invalid auth" not in done.stderr:  # Terraform 1.15 reads before it locks
            refused(done, "there is no complete scan on record")
        check(done.returncode == 1 and not service.states(), done.stdout[-500:], done.stderr[-500:])
        stack.run("plan", "-no-color")


@test("tofu", cases=CLIENTS)
def statelock_loses_no_update_between_two_clients(lab, tool):
    """Two clients count up the same output, each from what it reads: every success is one more version."""
    one, two = rooted(lab, tool, NUMBER), rooted(lab, tool, NUMBER)
    with Service(one.home) as service:
        for stack in (one, two):
            stack.env.update(service.backend())
            stack.run("init", "-no-color")
        done = 0
        for turn in range(6):
            both = [subprocess.Popen([lab.peers[tool][1], "apply", "-auto-approve", "-no-color", "-lock-timeout=60s", "-var",
                                      f"n={turn}-{i}"], cwd=s.dir, env=s.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                    for i, s in enumerate((one, two))]
            for process in both:
                _, text = process.communicate(timeout=120)
                check(process.returncode == 0, text[-800:])
                done += 1
        versions = service.versions()
        check([v["serial"] for v in versions] == list(range(done, 0, -1)), "serials:", [v["serial"] for v in versions])
        check(service.states()[NAME]["lock"] is None, "a lock stayed")


@test("tofu")
def statelock_survives_a_client_that_is_killed(lab):
    stack = rooted(lab, "tofu", NUMBER)
    pick = random.Random(6)
    with Service(stack.home) as service:
        stack.env.update(service.backend())
        stack.run("init", "-no-color")
        for n in range(10):
            process = subprocess.Popen([lab.peers["tofu"][1], "apply", "-auto-approve", "-no-color", "-var", f"n={n}"], cwd=stack.dir,
                                       env=stack.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(pick.uniform(0.02, 0.5))
            process.kill()
            process.wait()
            lock = service.states().get(NAME, {}).get("lock")
            if lock:
                check(lock["name"] == "apply" and lock["id"], "a lock without an owner:", lock)
                stack.run("force-unlock", "-force", lock["id"], env=service.backend("admin"))
        stack.run("apply", "-auto-approve", "-no-color", "-var", "n=end")
        check(stack.run("output", "-raw", "n").stdout == "end", "the last state is not the last apply's")
        serials = [v["serial"] for v in service.versions()]
        check(serials == sorted(set(serials), reverse=True), "serials:", serials)


@test("tofu")
def statelock_survives_a_service_that_is_killed(lab):
    """kill -9 while clients work: who was told "done" finds it done; who was not, says so; no lock without an owner."""
    stack = rooted(lab, "tofu", NUMBER)
    pick = random.Random(7)
    service = Service(stack.home)
    with service:
        stack.env.update(service.backend())
        stack.run("init", "-no-color")
        last = None
        for n in range(10):
            process = subprocess.Popen([lab.peers["tofu"][1], "apply", "-auto-approve", "-no-color", "-var", f"n={n}"], cwd=stack.dir,
                                       env=stack.env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            time.sleep(pick.uniform(0.02, 0.5))
            service.kill()
            service.start()
            _, text = process.communicate(timeout=120)
            if process.returncode == 0:
                last = str(n)
            lock = service.states().get(NAME, {}).get("lock")
            if lock:
                check(lock["name"] == "apply" and lock["id"], "a lock without an owner:", lock)
                stack.run("force-unlock", "-force", lock["id"], env=service.backend("admin"))
            if last is not None:
                now = stack.run("output", "-raw", "n").stdout
                check(now in (last, str(n)), "acknowledged", last, "but the state has", now, text[-300:])
        stack.run("apply", "-auto-approve", "-no-color", "-var", "n=end")
        check(stack.run("output", "-raw", "n").stdout == "end", "the last state is not the last apply's")


@test("tofu")
def statelock_says_no_when_the_disk_is_full(lab):
    stack = rooted(lab, "tofu", NUMBER)
    small = stack.home / "small"
    small.mkdir()
    if os.geteuid() or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", small], capture_output=True).returncode:
        raise Skip("no small file system can be mounted here")
    try:
        with Service(small) as service:
            stack.env.update(service.backend())
            stack.env["TF_HTTP_RETRY_MAX"] = "0"
            stack.apply()
            filler = os.open(small / "filler", os.O_CREAT | os.O_WRONLY)
            try:
                while os.write(filler, b"x" * 4096):
                    pass
            except OSError:
                os.close(filler)
            failed = 0
            for n in range(30):
                done = stack.run("apply", "-auto-approve", "-no-color", "-var", f"n={n}", check_exit=False)
                failed += done.returncode != 0
            check(failed, "nothing failed on a full disk")
            known = stack.run("output", "-raw", "n").stdout
            (small / "filler").unlink()
            lock = service.states()[NAME]["lock"]
            if lock:
                stack.run("force-unlock", "-force", lock["id"], env=service.backend("admin"))
            check(stack.run("output", "-raw", "n").stdout == known, "another state than before")
            stack.run("apply", "-auto-approve", "-no-color", "-var", "n=end")
            check(stack.run("output", "-raw", "n").stdout == "end", "the last state is not the last apply's")
    finally:
        subprocess.run(["umount", small], check=False)


@test("tofu")
def statelock_cycles(lab):
    """10,000 locks, each given back: none is left, each has its two events."""
    stack = rooted(lab, "tofu", NUMBER)
    load = stack.home / "load"
    built = subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", load, ROOT / "bench/lock/load.c"], capture_output=True)
    if built.returncode:
        raise Skip("no C compiler here")
    with Service(stack.home) as service:
        done = subprocess.run([load, str(service.port), service.token["apply"], "20", "120", "500"], capture_output=True, text=True)
        requests, failed = done.stdout.split()[:2]
        check(done.returncode == 0 and (requests, failed) == ("20000", "0"), done.stdout, done.stderr)
        check(not service.states(), "locks stayed:", service.states())


class Behind(http.server.BaseHTTPRequestHandler):
    """A backend as GitLab's: the lock is POSTed to and deleted from an address of its own."""
    state, lock, asked = None, None, []

    def answer(self, code, body=b""):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        own, path = type(self), self.path.split("?")[0]
        own.asked.append((self.command, self.path))
        if self.headers.get("Authorization") != "Basic " + base64.b64encode(b"gitlab:pass-of-it").decode():
            self.answer(401)
        elif path == "/state/net/prod/lock" and self.command == "POST":
            if own.lock:
                self.answer(423, own.lock)
            else:
                own.lock = body
                self.answer(200)
        elif path == "/state/net/prod/lock" and self.command == "DELETE":
            own.lock = None
            self.answer(200)
        elif path == "/state/net/prod" and self.command == "GET":
            self.answer(200, own.state) if own.state else self.answer(404)
        elif path == "/state/net/prod" and self.command == "POST" and f"ID={json.loads(own.lock)['ID']}" in self.path:
            own.state = body
            self.answer(200)
        else:
            self.answer(400)

    do_GET = do_POST = do_DELETE = serve

    def log_message(self, *_):
        pass


@test("tofu", "lab6", cases=CLIENTS)
def statelock_stands_before_another_backend(lab, tool):
    Behind.state, Behind.lock, Behind.asked = None, None, []
    behind = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Behind)
    threading.Thread(target=behind.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{behind.server_port}/state/{{stack}}"
    stack = rooted(lab, tool, THING + NUMBER)
    (stack.home / "secret").write_text("pass-of-it\n")
    with Service(stack.home, config=f"serve:\n  upstream:\n    address: {url}\n    lock_address: {url}/lock\n    lock_method: POST\n"
                 "    unlock_method: DELETE\n    username: gitlab\n    password: file:secret\n") as service:
        stack.env.update(service.backend())
        stack.apply()
        check(Behind.state and not Behind.lock and not service.versions(), "the state is not there alone")
        stack.edit("lab6_thing", "t", text="by hand")
        stack.scan("--config", str(stack.home / "plumb.yaml")).must_find(contradicts=["lab6_thing.t"])
        Behind.asked.clear()
        refused(stack.run("apply", "-auto-approve", "-no-color", check_exit=False), "BLOCKED BY PLUMB: apply of net/prod")
        check(not [a for a in Behind.asked if a[0] == "POST"], "it was asked all the same:", Behind.asked)
        stack.run("plan", "-no-color")
        service.answer()
        stack.run("apply", "-auto-approve", "-no-color", "-var", "n=1")
        check(str(json.loads(Behind.state)["outputs"]["n"]["value"]) == "1", "the apply is not there")
        # who locked it there, past plumb, is told; and plumb keeps no lock of its own
        Behind.lock = json.dumps({"ID": "theirs", "Who": "eve@there", "Operation": "OperationTypeApply"}).encode()
        refused(stack.run("apply", "-auto-approve", "-no-color", check_exit=False), "already locked: ID=theirs")
        check(not service.states(), "a lock stayed here")
        Behind.lock = None
        before = Behind.state
        done = stack.run("apply", "-auto-approve", "-no-color", "-lock=false", "-var", "n=2", check_exit=False)
        check(done.returncode == 1 and Behind.state == before, "a write without the lock:", done.stderr[-500:])
    check("pass-of-it" not in (stack.home / "serve.log").read_text(), "the password is in the log")
    behind.shutdown()
