"""plumb before GitLab: a server that answers as GitLab's API for states does (status codes, bodies, what it requires and refuses),
and records what it was asked. GitLab itself is not run here."""
import base64
import contextlib
import http.server
import json
import threading
import urllib.parse

from harness import CLIENTS, check, test
from statelock import NAME, NUMBER, Service, refused, rooted

HOME = "/api/v4/projects/1/terraform/state/"
NEEDED = ("ID", "Operation", "Info", "Who", "Version", "Created", "Path")


class GitLab:
    """One project's states. It gives no lock twice, takes no serial twice, deletes what is locked, and has no slash in a name but an
    escaped one. By lib/api/terraform/state.rb and app/services/terraform/remote_state_handler.rb of GitLab 18.5."""

    def __init__(self):
        self.states, self.asked, self.lock, self.after = {}, [], threading.Lock(), None
        gitlab = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                gitlab.serve(self)
            do_GET = do_POST = do_DELETE = do_LOCK = do_UNLOCK = do_PUT = serve

            def log_message(self, *_):
                pass
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.token, self.largest = "glpat-good", 0  # max_terraform_state_size_bytes; 0: none

    def config(self, password="secret"):
        home = f"http://127.0.0.1:{self.http.server_port}{HOME}{{stack_segment}}"
        return (f"serve:\n  upstream:\n    address: {home}\n    lock_address: {home}/lock\n    lock_method: POST\n    unlock_method: DELETE\n"
                f"    username: plumb\n    password: file:{password}\n")

    def serve(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length") or 0))
        with self.lock:
            code, text = self.answer(request, body)
            self.asked.append((request.command, request.path, code))
            after = self.after
            if after and (request.command, request.path.split("?")[0].endswith("/lock")) == after[0]:
                self.after = None
            else:
                after = None
        if after:
            after[1]()  # it is done here, and whoever asked does not hear of it
            request.close_connection = True
            return
        with contextlib.suppress(OSError):
            request.send_response(code)
            request.send_header("Content-Type", "application/json")
            if code != 204:
                request.send_header("Content-Length", str(len(text)))
            request.end_headers()
            if code != 204:
                request.wfile.write(text)

    def answer(self, request, body):
        said = request.headers.get("Authorization", "")
        if said != "Basic " + base64.b64encode(f"plumb:{self.token}".encode()).decode():
            return 401, b'{"message":"401 Unauthorized"}'
        path, _, query = request.path.partition("?")
        rest = path[len(HOME):].split("/")
        locking = rest[-1] == "lock"
        if not path.startswith(HOME) or len(rest) != 1 + locking:
            return 404, b'{"error":"404 Not Found"}'
        name = urllib.parse.unquote(rest[0])
        query = dict(urllib.parse.parse_qsl(query))
        given = {**query, **(json.loads(body) if locking and body else {})}
        state = self.states.get(name)
        if len(given.get("ID", "")) > 255:
            return 400, b'{"error":"ID must be less than 255 characters"}'
        if state and state.get("deleted"):  # until a job took it away
            return 422, b'{"message":"422 Terraform::RemoteStateHandler::StateDeletedError"}'
        if (request.command, locking) == ("DELETE", False):  # it does not ask for the lock
            if not state:
                return 404, b'{"message":"404 Not found"}'
            state["deleted"] = True
            return 200, b""
        if (request.command, locking) == ("GET", False):
            return (404, b'{"message":"404 Not found"}') if not state else (200, state["file"]) if state["file"] else (204, b"")
        if (request.command, locking) == ("POST", True):
            missing = [key for key in NEEDED if key not in given]
            if missing:
                return 400, json.dumps({"error": ", ".join(f"{key} is missing" for key in missing)}).encode()
            state = self.states.setdefault(name, {"file": None, "lock": None, "serials": set()})
            code = 409 if state["lock"] else 200
            state["lock"] = state["lock"] or {"ID": given["ID"], "Who": "project_1_bot", "Created": "2026-11-22T19:00:00.000Z"}
            return code, json.dumps({**{key: given[key] for key in ("Operation", "Info", "Version", "Path")}, **state["lock"]}).encode()
        if (request.command, locking) == ("DELETE", True):
            state = self.states.setdefault(name, {"file": None, "lock": None, "serials": set()})
            if "ID" in given and (state["lock"] or {}).get("ID") != given["ID"]:
                return 409, b""
            state["lock"] = None
            return 200, b"null"
        if (request.command, locking) == ("POST", False):
            if not body:
                return 204, b""
            if 0 < self.largest < len(body):
                return 413, b'{"message":"413 Request Entity Too Large"}'
            state = self.states.setdefault(name, {"file": None, "lock": None, "serials": set()})
            serial = json.loads(body)["serial"]
            if (state["lock"] or {}).get("ID") != query.get("ID"):
                return 409, b""
            if serial in state["serials"]:
                return 422, b'{"message":"422 PG::UniqueViolation: ERROR:  duplicate key value"}'
            state["serials"].add(serial)
            state["file"] = body
            return 200, b""
        return 405, b'{"error":"405 Not Allowed"}'

    def n(self):
        return json.loads(self.states[NAME]["file"])["outputs"]["n"]["value"]


@contextlib.contextmanager
def before_gitlab(lab, tool, config=""):
    gitlab, stack = GitLab(), rooted(lab, tool, NUMBER)
    (stack.home / "secret").write_text("glpat-good\n")
    try:
        with Service(stack.home, config=gitlab.config() + config) as service:
            stack.env.update(service.backend())
            stack.run("init", "-no-color", env=service.backend("plan"))
            yield gitlab, stack, service
    finally:
        gitlab.http.shutdown()
        gitlab.http.server_close()


@test("tofu", cases=CLIENTS)
def upstream_gitlab(lab, tool):
    """A first apply, a second, a plan, what another holds, force-unlock, and a credential that GitLab does not know."""
    with before_gitlab(lab, tool) as (gitlab, stack, service):
        for n in ("1", "2"):
            stack.run("apply", "-auto-approve", "-no-color", f"-var=n={n}")
            check(gitlab.n() == n and not gitlab.states[NAME]["lock"], gitlab.states)
        check(all(a[1].split("?")[0].removeprefix(HOME).split("/")[0] == "net%2Fprod" for a in gitlab.asked), gitlab.asked)
        check({a[2] for a in gitlab.asked} <= {200, 404, 204}, "GitLab refused something:", gitlab.asked)
        check(all("ID=" in a[1] for a in gitlab.asked if a[0] == "POST" and not a[1].endswith("/lock")), gitlab.asked)
        stack.run("plan", "-no-color", "-var=n=3")
        stack.env["TF_HTTP_RETRY_MAX"] = "0"
        gitlab.states[NAME]["lock"] = {"ID": "theirs", "Who": "eve", "Created": "2026-11-22T19:00:00.000Z"}
        refused(stack.run("apply", "-auto-approve", "-no-color", "-var=n=3", check_exit=False), "already locked: ID=theirs")
        lock = service.states().get(NAME, {}).get("lock")
        check(not lock, "a lock stayed here:", lock)
        # nobody takes away there what he could not take away here
        code, text = service.ask("UNLOCK", f"/v1/states/{NAME}", json.dumps({"ID": "theirs", "Operation": "x"}).encode(), role="apply")
        check(code == 409 and gitlab.states[NAME]["lock"], code, text)
        stack.run("force-unlock", "-force", "theirs", env=service.backend("admin"))
        check(not gitlab.states[NAME]["lock"], "an admin could not take it away")
        gitlab.token = "glpat-another"
        code, text = service.ask("GET", f"/v1/states/{NAME}")
        check(code == 502 and b"plumb's own credential (status 401)" in text, code, text)
        check("the backend behind refuses us status=401" in (service.folder / "serve.log").read_text(), "nothing in the log")
        check("glpat" not in (service.folder / "serve.log").read_text(), "a credential is in the log")


@test("tofu")
def upstream_gives_back_only_its_owners_lock(lab):
    """Whose lock it is plumb knows alone: another token's UNLOCK does not reach GitLab."""
    with before_gitlab(lab, "tofu") as (gitlab, _, service):
        info = json.dumps({**dict.fromkeys(NEEDED, ""), "ID": "mine", "Operation": "OperationTypeApply"}).encode()
        check(service.ask("LOCK", f"/v1/states/{NAME}", info, role="apply")[0] == 200, "no lock")
        check(service.ask("UNLOCK", f"/v1/states/{NAME}", info, role="plan")[0] == 403, "another token gave it back")
        check(gitlab.states[NAME]["lock"]["ID"] == "mine", "it was given back there:", gitlab.asked)
        check(service.ask("UNLOCK", f"/v1/states/{NAME}", info, role="apply")[0] == 200 and not gitlab.states[NAME]["lock"], gitlab.asked)


@test("tofu", cases=CLIENTS)
def upstream_says_no(lab, tool):
    """A state that GitLab finds too large, one that was deleted there, and bytes that were changed on the way."""
    with before_gitlab(lab, tool) as (gitlab, stack, service):
        stack.run("apply", "-auto-approve", "-no-color", "-var=n=1")
        gitlab.largest = 10
        refused(stack.run("apply", "-auto-approve", "-no-color", "-var=n=2", check_exit=False), "413")
        check(gitlab.n() == "1" and (stack.dir / "errored.tfstate").exists(), "it is not where it can be pushed from")
        gitlab.largest = 0
        stack.run("state", "push", "errored.tfstate")
        check(gitlab.n() == "2", "not pushed")
        (stack.dir / "errored.tfstate").unlink()
        lock = json.dumps({**dict.fromkeys(NEEDED, ""), "ID": "mine", "Operation": "OperationTypeApply"}).encode()
        check(service.ask("LOCK", f"/v1/states/{NAME}", lock, role="apply")[0] == 200, "no lock")
        written = json.dumps({**json.loads(gitlab.states[NAME]["file"]), "serial": 90}).encode()
        code, text = service.ask("POST", f"/v1/states/{NAME}?ID=mine", written, role="apply", header={"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="})
        check(code == 400 and b"Content-MD5" in text and gitlab.n() == "2", code, text)
        # GitLab would delete it now; plumb knows whose lock it is
        before = len(gitlab.asked)
        check(service.ask("DELETE", f"/v1/states/{NAME}", role="apply")[0] == 403, "deleted by who may apply")
        code, text = service.ask("DELETE", f"/v1/states/{NAME}")
        check(code == 409 and b"locked" in text and len(gitlab.asked) == before, code, text, gitlab.asked[before:])
        check(service.ask("UNLOCK", f"/v1/states/{NAME}", lock, role="apply")[0] == 200, "no unlock")
        check(service.ask("DELETE", f"/v1/states/{NAME}")[0] == 200 and gitlab.states[NAME]["deleted"], "not deleted by an admin")
        told = [(e["outcome"], e["detail"]["deleted"]) for e in service.events() if e["type"] == "state.write" and "deleted" in e["detail"]]
        check(told == [("deny", True), ("allow", True)], told)
        refused(stack.run("plan", "-no-color", check_exit=False), "422")


@test("tofu")
def upstream_guards_reads(lab):
    """guard_reads counts for a state that is kept elsewhere, too: an apply with -lock=false ends before it changes anything."""
    with before_gitlab(lab, "tofu", "  states: {guard_reads: true}\ngate: {max_age: 24h}\n") as (gitlab, stack, service):
        done = stack.run("apply", "-auto-approve", "-no-color", "-lock=false", "-var=n=1", check_exit=False)
        check(done.returncode == 1 and not gitlab.states and not (stack.dir / "errored.tfstate").exists(), gitlab.states, done.stderr[-500:])
        stack.run("plan", "-no-color", env=service.backend("plan"))


@test("tofu", cases=["lock", "write", "unlock"])
def upstream_answer_is_lost(lab, step):
    """It is done there, and plumb is killed before it hears of it: the client asks again, and all is as if nothing had been."""
    at = {"lock": ("POST", True), "write": ("POST", False), "unlock": ("DELETE", True)}[step]
    with before_gitlab(lab, "tofu") as (gitlab, stack, service):
        stack.run("apply", "-auto-approve", "-no-color", "-var=n=1")

        def killed():
            service.kill()
            service.start()
        gitlab.after = (at, killed)
        stack.run("apply", "-auto-approve", "-no-color", "-var=n=2")
        check(gitlab.after is None, "never came to it:", gitlab.asked)
        check({"lock": 409, "write": 422, "unlock": 409}[step] in [a[2] for a in gitlab.asked], "GitLab took it twice:", gitlab.asked)
        check(gitlab.n() == "2" and not gitlab.states[NAME]["lock"], gitlab.states)
        lock = service.states().get(NAME, {}).get("lock")
        check(not lock, "a lock stayed here:", lock)
        service.plumb("audit", "verify")
