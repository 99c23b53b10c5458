"""Where the state is: a local path, an HTTP backend, PostgreSQL (through `tofu state pull`), encrypted."""
import base64
import http.server
import threading

from harness import ERROR, Stack, check, test
from worlds import Postgres

THING = '\nresource "lab6_thing" "t" {\n  name = "t"\n  text = "x"\n}\n'


def drifts(stack, env=None):
    stack.scan(env=env).must_be_clean(1)
    stack.edit("lab6_thing", "t", text="y")
    stack.must_agree(stack.scan(env=env).must_find(contradicts=["lab6_thing.t"]))


@test("lab6")
def backend_local_path(lab):
    stack = Stack(lab, 'terraform {\n  backend "local" { path = "deep/my.tfstate" }\n}\n' + THING)
    stack.apply()
    check((stack.dir / "deep/my.tfstate").exists(), "tofu wrote no state there")
    drifts(stack)


class StateServer(http.server.BaseHTTPRequestHandler):
    state, locks, auth = None, 0, "Basic " + base64.b64encode(b"me:pass-of-me").decode()

    def answer(self, code, body=b""):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server = type(self)
        if self.headers.get("Authorization") != self.auth:
            self.answer(401)
        elif self.command == "GET":
            self.answer(200, server.state) if server.state else self.answer(404)
        else:
            if self.command == "POST":
                server.state = body
            server.locks += self.command == "LOCK"
            self.answer(200)

    do_GET = do_POST = do_LOCK = do_UNLOCK = serve

    def log_message(self, *_):
        pass


@test("lab6")
def backend_http(lab):
    """Read directly, with the credentials of the environment, and without taking the lock."""
    StateServer.state, StateServer.locks = None, 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), StateServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        at = f"http://127.0.0.1:{server.server_port}/state"
        backend = f'terraform {{\n  backend "http" {{\n    address        = "{at}"\n    lock_address   = "{at}"\n    unlock_address = "{at}"\n  }}\n}}\n'
        stack = Stack(lab, backend + THING, env={"TF_HTTP_USERNAME": "me", "TF_HTTP_PASSWORD": "pass-of-me"})
        stack.apply()
        locks = StateServer.locks
        scan = stack.scan().must_be_clean(1)
        check(StateServer.locks == locks, "the scan took the state lock")
        check("pass-of-me" not in scan.stdout + scan.stderr, "the password is in the output")
        stack.edit("lab6_thing", "t", text="y")
        stack.must_agree(stack.scan().must_find(contradicts=["lab6_thing.t"]))
        scan = stack.scan(env={"TF_HTTP_PASSWORD": "wrong"})
        check(scan.exit == ERROR and "401" in scan.stderr + scan.stdout, scan.brief())
    finally:
        server.shutdown()


@test("lab6")
def backend_pg(lab):
    """A backend that only tofu itself speaks."""
    server = Postgres()
    try:
        stack = Stack(lab, 'terraform {\n  backend "pg" {}\n}\n' + THING, env={**server.env, "PG_CONN_STR": "postgres:///postgres?sslmode=disable"})
        stack.apply()
        drifts(stack)
    finally:
        server.stop()


@test("lab6")
def encrypted_state(lab):
    """OpenTofu's state encryption: an error that says so, or the state through tofu; never an empty stack."""
    encryption = '''
key_provider "pbkdf2" "k" { passphrase = "a-long-enough-passphrase" }
method "aes_gcm" "m" { keys = key_provider.pbkdf2.k }
state { method = method.aes_gcm.m }
'''
    stack = Stack(lab, THING, env={"TF_ENCRYPTION": encryption})
    stack.apply()
    check("encrypted_data" in (stack.dir / "terraform.tfstate").read_text(), "the state is not encrypted")
    scan = stack.scan()
    if scan.exit == ERROR:
        check("encrypt" in scan.stderr + scan.stdout, "the error does not say that it is encrypted:", scan.stderr)
    else:
        scan.must_be_clean(1)
