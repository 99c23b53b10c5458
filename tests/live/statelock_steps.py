"""kill -9 of the service and of the client at each step of an apply, and of one of two services that share a store."""
import contextlib
import http.client
import http.server
import json
import random
import signal
import sqlite3
import subprocess
import threading

from harness import check, test, wait_until
from statelock import NAME, NUMBER, Service, rooted
from worlds import Postgres

METHODS = ("LOCK", "GET", "POST", "UNLOCK")  # of an apply, in this order


class Between:
    """Stands between a client and the service, and does `act` at one step: at the first request of that method, before the
    service has it, while its store is held, or when it is done and nobody was told. The client gets no answer then."""

    def __init__(self, service):
        self.service, self.step, self.act, self.seen = service, None, None, []
        between = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                between.pass_on(self)
            do_GET = do_POST = do_LOCK = do_UNLOCK = serve

            def log_message(self, *_):
                pass
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def backend(self):
        return {k: v.replace(f":{self.service.port}/", f":{self.http.server_port}/") for k, v in self.service.backend().items()}

    def ask(self, request, body):
        to = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=120)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "content-length", "transfer-encoding")}
        to.request(request.command, request.path, body, headers)
        answer = to.getresponse()
        return answer.status, answer.read()

    def body_of(self, request):
        if request.headers.get("Transfer-Encoding"):  # an empty one, of force-unlock
            while request.rfile.readline() not in (b"0\r\n", b""):
                pass
            request.rfile.readline()
            return b""
        return request.rfile.read(int(request.headers.get("Content-Length") or 0))

    def pass_on(self, request):
        body = self.body_of(request)
        method, when = self.step or (None, None)
        self.seen.append(request.command)
        request.close_connection = True
        with contextlib.suppress(OSError, http.client.HTTPException):
            if request.command == method:
                self.step = None
                if when == "after":
                    status, _ = self.ask(request, body)
                    check(status == 200, request.command, "was answered with", status)
                held = threading.Thread(target=self.quietly, args=(request, body), daemon=True)
                if when == "during":
                    held.start()
                self.act()
                return
            status, text = self.ask(request, body)
            request.send_response(status)
            request.send_header("Content-Type", "application/json")
            request.send_header("Content-Length", str(len(text)))
            request.end_headers()
            request.wfile.write(text)

    def quietly(self, request, body):
        with contextlib.suppress(OSError, http.client.HTTPException):
            self.ask(request, body)


class Sqlite:
    """Holds the store's write lock: a request is within the service, and nothing of it is written."""

    def __init__(self, service):
        self.service = service

    def hold(self):
        self.db = sqlite3.connect(self.service.folder / "plumb.db", timeout=60, isolation_level=None, check_same_thread=False)
        self.db.execute("BEGIN IMMEDIATE")

    def waits(self):
        """Is there a request besides the one that asks?"""
        text = self.service.ask("GET", "/metrics")[1].decode()
        return any(line.startswith("plumb_http_requests_in_flight ") and float(line.split()[1]) >= 2 for line in text.splitlines())

    def release(self):
        self.db.execute("ROLLBACK")
        self.db.close()


class Postgresql:
    """Lets nobody write an event: the change is made, its transaction waits before the commit."""

    def __init__(self, service):
        self.env = {**service.env, **service.server.env}

    def psql(self, *args, **more):
        return subprocess.Popen(["psql", "-qXAt", *args], env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more)

    def hold(self):
        self.session = self.psql()
        self.session.stdin.write("BEGIN; LOCK TABLE audit_event IN EXCLUSIVE MODE; SELECT 'held';\n")
        self.session.stdin.flush()
        check(self.session.stdout.readline() == "held\n", "the table cannot be locked")

    def waits(self):
        out = self.psql("-c", "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'audit_event'::regclass").communicate()[0]
        return int(out) > 0

    def release(self):
        self.session.communicate("ROLLBACK;\n")


@contextlib.contextmanager
def world(lab, store):
    with contextlib.ExitStack() as closing:
        server = None
        if store == "postgresql":
            server = Postgres()
            closing.callback(server.stop)
        stack = rooted(lab, "tofu", NUMBER)
        service = closing.enter_context(Service(stack.home, server=server))
        between = Between(service)
        closing.callback(between.close)
        stack.env.update(between.backend())
        stack.run("init", "-no-color")
        stack.run("apply", "-auto-approve", "-no-color", "-var", "n=first")
        yield stack, service, between, (Postgresql if server else Sqlite)(service)
        history(service)
        service.plumb("audit", "verify")


def history(service, name=NAME):
    """The log, in its order: a lock is given while there is none, a write is of whoever has it, each version has its write."""
    owner, written = None, 0
    for event in service.events():
        if event.get("stack") != name or event.get("outcome") != "allow":
            continue
        if event["type"] == "lock":
            check(owner in (None, event["subject"]), "given while another had it:", owner, event)
            owner = event["subject"]
        elif event["type"] == "unlock":
            check(owner == event["subject"], "given back by another:", owner, event)
            owner = None
        elif event["type"] == "state.write":
            check(owner == event["subject"], "written without the lock:", owner, event)
            written += 1
    held = service.states()[name]["lock"]
    check((held or {}).get("id") == owner, "the log says that the owner is", owner, "and the store", held)
    serials = [v["serial"] for v in service.versions(name)]
    check(serials == list(range(len(serials), 0, -1)) and len(serials) == written, "serials:", serials, "writes:", written)


def settle(stack, service, before, after, told):
    """What was told is so; what was not is so or is not; whatever lock is left has an owner, and can be taken away from him."""
    state = json.loads(service.ask("GET", f"/v1/states/{NAME}")[1])
    now = state["outputs"]["n"]["value"]
    check(now == after if told else now in (before, after), "told:", told, "the state has", now, "before", before, "after", after)
    lock = service.states()[NAME]["lock"]
    if lock:
        check(lock["name"] == "apply" and lock["id"], "a lock without an owner:", lock)
        stack.run("force-unlock", "-force", lock["id"], env=service.backend("admin"))
    return now


def steps(whens):
    return [(method, when) for method in METHODS for when in whens if not (method == "GET" and when == "during")]


@test("tofu", cases=["sqlite", "postgresql"])
def statelock_service_killed_at_each_step(lab, store):
    """Before it has the request, before its transaction is committed, and before its answer is out: the client asks again, and
    ends as if nothing had been."""
    with world(lab, store) as (stack, service, between, holding):
        now = "first"
        for number, (method, when) in enumerate(steps(("before", "during", "after"))):
            def act(method=method, when=when):
                if when == "during":
                    check(wait_until(holding.waits, 60), method, "did not come to wait")
                service.kill()
                if when == "during":
                    holding.release()
                service.start()
            between.step, between.act, between.seen = (method, when), act, []
            if when == "during":
                hold_at(between, method, holding)
            done = stack.run("apply", "-auto-approve", "-no-color", "-var", f"n={number}", check_exit=False)
            check(between.step is None, "never came to", method, when, between.seen)
            check(done.returncode == 0, method, when, "ended with", done.returncode, done.stderr[-800:])
            check(between.seen.count(method) >= 2, "was not asked again:", between.seen)
            now = settle(stack, service, now, str(number), True)
            check(service.states()[NAME]["lock"] is None, "a lock stayed after", method, when)


def hold_at(between, method, holding):
    """The store is held from the moment that this request has come, and not before."""
    act, pass_on = between.act, between.quietly

    def held(request, body):
        if request.command == method:
            holding.hold()
            between.held.set()
        pass_on(request, body)
    between.held = threading.Event()

    def acting():
        between.quietly = pass_on
        check(between.held.wait(60), "the store was not held")
        act()
    between.quietly, between.act = held, acting


@test("tofu", cases=["sqlite", "postgresql"])
def statelock_client_killed_at_each_step(lab, store):
    """Before its request is out, while the service works on it, and before it has the answer: nothing that was told is lost, and
    the lock that stays says whose it is."""
    with world(lab, store) as (stack, service, between, holding):
        now = "first"
        for number, (method, when) in enumerate(steps(("before", "during", "after"))):
            client = []

            def act(when=when, method=method):
                if when == "during":
                    check(wait_until(holding.waits, 60), method, "did not come to wait")
                check(wait_until(lambda: client, 60), "no client")
                client[0].kill()
                client[0].wait()
                if when == "during":
                    holding.release()
            between.step, between.act, between.seen = (method, when), act, []
            if when == "during":
                hold_at(between, method, holding)
            client.append(subprocess.Popen([lab.peers["tofu"][1], "apply", "-auto-approve", "-no-color", "-var", f"n={number}"],
                                           cwd=stack.dir, env=stack.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            code = client[0].wait(120)
            check(code == -signal.SIGKILL, "the client ended with", code, "at", method, when, between.seen)

            def taken():
                lock = service.states()[NAME]["lock"]
                given = when != "before" if method == "LOCK" else not (method == "UNLOCK" and when != "before")
                return bool(lock) == given
            check(wait_until(taken, 60), "at", method, when, "the lock is", service.states()[NAME]["lock"])
            wrote = (method == "POST" and when != "before") or method == "UNLOCK"
            check(wait_until(lambda n=number: len(service.versions()) and (not wrote or shown(service) == str(n)), 60), "at", method, when,
                  "the state has", shown(service))
            now = settle(stack, service, now, str(number), wrote)
        stack.run("apply", "-auto-approve", "-no-color", "-var", "n=end")
        settle(stack, service, now, "end", True)


def shown(service):
    return json.loads(service.ask("GET", f"/v1/states/{NAME}")[1])["outputs"]["n"]["value"]


@test("tofu")
def statelock_is_one_over_two_services(lab):
    """Two services on one PostgreSQL, two clients at each, and one of the services is killed and started again all the time: one
    lock, no update lost, and whoever was told that it is done finds it among the versions."""
    server, turns = Postgres(), 5
    try:
        stacks = [rooted(lab, "tofu", NUMBER) for _ in range(4)]
        for each in stacks[2:]:
            each.home.joinpath("other").mkdir()
        with Service(stacks[0].home, server=server) as one, Service(stacks[2].home / "other", server=server, tokens=()) as two:
            two.token = one.token
            wait_until(lambda: two.ask("GET", "/v1/states")[0] == 200, 30)
            told, lock, ended = [], threading.Lock(), threading.Event()
            for i, stack in enumerate(stacks):
                stack.env.update((one, two)[i // 2].backend(), TF_HTTP_RETRY_MAX="12")
                stack.run("init", "-no-color")

            def work(i):
                for turn in range(turns):
                    value = f"{i}-{turn}"
                    done = stacks[i].run("apply", "-auto-approve", "-no-color", "-lock-timeout=300s", "-var", f"n={value}",
                                         check_exit=False)
                    with lock:
                        told.append((value, done.returncode, done.stderr[-400:]))

            def kill():
                pick = random.Random(4)
                while not ended.wait(pick.uniform(0.2, 1.5)):
                    two.kill()
                    two.start()
            threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
            killer = threading.Thread(target=kill)
            for thread in (*threads, killer):
                thread.start()
            for thread in threads:
                thread.join(600)
            ended.set()
            killer.join(120)
            check(len(told) == 4 * turns, "not all came to an end:", told)
            wrong = [t for t in told if t[1]]
            check(not wrong, "ended with an error:", wrong[:2])
            written = [json.loads(one.ask("GET", f"/v1/states/{NAME}?version={v['version']}")[1])["outputs"]["n"]["value"] for v in one.versions()]
            check(sorted(written) == sorted(t[0] for t in told), "told:", sorted(t[0] for t in told), "written:", sorted(written))
            check(one.states()[NAME]["lock"] is None, "a lock stayed:", one.states())
            history(one)
            one.plumb("audit", "verify")
    finally:
        server.stop()
