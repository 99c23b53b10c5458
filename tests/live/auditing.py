"""The audit log beside golang.org/x/mod/sumdb/note and tlog: what either writes, the other one reads."""
import base64
import contextlib
import http.server
import json
import os
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

from harness import PLUMB, check, test

EVENTS = 700


def run(*words, env=None, exit=0, **how):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, env=env, check=False, **how)
    check(done.returncode == exit, words[:4], "ended with", done.returncode, done.stdout[-500:], done.stderr[-500:])
    return done.stdout


class Log:
    """A store whose log has EVENTS events: as many findings of a snapshot as that takes."""

    def __init__(self, lab, key=None):
        self.home = Path(tempfile.mkdtemp(prefix="audit-", dir=lab.folder))
        stack = self.home / "stack"
        stack.mkdir()
        resources = [{"mode": "managed", "type": "x_thing", "name": f"n{i}", "provider": 'provider["example.org/x/x"]',
                      "instances": [{"schema_version": 0, "attributes": {"id": str(i), "size": "small"}}]} for i in range(EVENTS)]
        (stack / "terraform.tfstate").write_text(json.dumps(
            {"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "a", "outputs": {}, "resources": resources}))
        (stack / "main.tf").write_text("")
        (self.home / "plumb.yaml").write_text("version: 1\naudit: {origin: example.org/log}\n")
        (self.home / "live.ndjson").write_text('{"complete": true}\n' + "".join(
            json.dumps({"address": f"x_thing.n{i}", "attributes": {"id": str(i), "size": "large"}}) + "\n" for i in range(EVENTS)))
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("PLUMB_")}
        self.env["PLUMB_STORE"] = f"sqlite:{self.home}/plumb.db"
        if key:
            self.env["PLUMB_AUDIT_KEY"] = key
        subprocess.run([PLUMB, "scan", "stack", "--live", "live.ndjson"], cwd=self.home, env=self.env, capture_output=True, check=False)

    def plumb(self, *words, **how):
        return run(PLUMB, "audit", *words, env=self.env, cwd=self.home, **how)


@test("note")
def go_verifies_what_plumb_signs(lab):
    """Checkpoint, tree, inclusion and consistency proofs of an export, and a single proof, by the Go packages."""
    go, log = lab.peers["note"][1], Log(lab)
    log.plumb("checkpoint", "-o", "first.txt")
    subprocess.run([PLUMB, "scan", "stack", "--live", "live.ndjson"], cwd=log.home, env=log.env, capture_output=True, check=False)
    log.plumb("checkpoint")
    log.plumb("export", "-o", "all.jsonl")
    key = log.plumb("key").strip()
    lines = (log.home / "all.jsonl").read_text().splitlines()
    check(len(lines) > EVENTS, len(lines), "lines")
    end = json.loads(lines[-1])
    (log.home / "events").write_text("\n".join(lines[1:-1]) + "\n")
    (log.home / "note").write_text(end["checkpoints"][-1])
    said = run(go, "tree", key, log.home / "note", log.home / "events")
    check(said.startswith("the same root, "), said)
    check(run(go, "consistency", key, log.home / "first.txt", log.home / "note", log.home / "events").startswith("consistent"))
    for seq in (0, 1, 255, 256, 511, len(lines) - 3):
        log.plumb("prove", str(seq), "-o", "one.tlog-proof")
        check(run(go, "proof", key, log.home / "one.tlog-proof", log.home / "events").startswith("included"))
    other = run(go, "key", "example.org/log").split()[1]
    run(go, "tree", other, log.home / "note", log.home / "events", exit=1)


@test("note")
def plumb_verifies_what_go_signs(lab):
    """A key that Go made signs for plumb, and a checkpoint that Go signed is met by plumb's log; a wrong one is named."""
    go = lab.peers["note"][1]
    skey, vkey = run(go, "key", "example.org/log").split()
    log = Log(lab, key=skey)
    log.plumb("checkpoint")
    check(log.plumb("key").strip() == vkey, "the key is another")
    log.plumb("export", "-o", "all.jsonl")
    lines = (log.home / "all.jsonl").read_text().splitlines()
    (log.home / "events").write_text("\n".join(lines[1:-1]) + "\n")
    for size in (1, 256, 300, len(lines) - 2):
        (log.home / "go.txt").write_text(run(go, "sign", skey, log.home / "events", size))
        log.plumb("verify", "all.jsonl", "--key", vkey, "--checkpoint", "go.txt")
        log.plumb("verify", "--key", vkey, "--checkpoint", "go.txt")
    (log.home / "events").write_text("\n".join(lines[2:-1]) + "\n")
    (log.home / "go.txt").write_text(run(go, "sign", skey, log.home / "events", 100))
    said = log.plumb("verify", "all.jsonl", "--key", vkey, "--checkpoint", "go.txt", exit=3)
    check("checkpoint of 100 events" in said, said)
    check(base64.b64decode(vkey.split("+", 2)[2])[0] == 1)


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes any text; what came is in server.got."""

    def do_POST(self):
        self.server.got.append((self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def collector():
    with http.server.HTTPServer(("127.0.0.1", 0), Collector) as server:
        server.got = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@contextlib.contextmanager
def witness(go, key):
    """A C2SP witness in Go: its verifier key and where it listens."""
    with subprocess.Popen([go, "witness", key, "witness.example.org"], stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().split()
        process.kill()


@test("note")
def witnesses_get_checkpoints(lab):
    """File, folder, git, syslog over UDP and TCP, HTTP and a C2SP witness; one that is not there keeps nothing from the others."""
    go, log = lab.peers["note"][1], Log(lab)
    log.plumb("checkpoint")
    key = log.plumb("key").strip()
    folder, repository = log.home / "kept", log.home / "repository"
    folder.mkdir()
    subprocess.run(["git", "init", "-q", repository], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.create_server(("127.0.0.1", 0)) as tcp, \
            collector() as web, witness(go, key) as (witness_key, address):
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(120)
        tcp.settimeout(120)
        places = [("file", log.home / "one.txt", None), ("file", folder, None), ("git", repository, None),
                  ("syslog", f"127.0.0.1:{udp.getsockname()[1]}", None), ("syslog", f"tcp:127.0.0.1:{tcp.getsockname()[1]}", None),
                  ("http", f"http://127.0.0.1:{web.server_port}/notes", None), ("http", "http://127.0.0.1:9/", None),
                  ("http", f"http://{address}/prefix", witness_key)]
        (log.home / "plumb.yaml").write_text("version: 1\naudit:\n  origin: example.org/log\n  witnesses:\n" + "".join(
            f"    - {{to: {to}, at: '{at}'" + (f", key: '{k}'" if k else "") + "}\n" for to, at, k in places))
        for turn in range(2):
            subprocess.run([PLUMB, "scan", "stack", "--live", "live.ndjson"], cwd=log.home, env=log.env, capture_output=True,
                           check=False)
            done = subprocess.run([PLUMB, "audit", "checkpoint"], cwd=log.home, env=log.env, capture_output=True, text=True, check=False)
            check(done.returncode == 1 and "127.0.0.1:9" in done.stderr, "the one that is not there:", done.stderr)
            note = (log.home / "one.txt").read_text()
            lines = note.splitlines()
            check(lines[0] == "example.org/log", note)
            check((folder / f"checkpoint.{lines[1]}").read_text() == note)
            check(run("git", "-C", repository, "show", "refs/plumb/audit:checkpoint") == note)
            check(run("git", "-C", repository, "rev-list", "--count", "refs/plumb/audit").strip() == str(turn + 1))
            said = udp.recv(65536).decode()
            check(said.startswith("<109>1 20") and said.endswith("- " + "|".join(lines)), said)
            with tcp.accept()[0] as peer:
                framed = peer.makefile("rb").read().decode()
            size, _, message = framed.partition(" ")
            check(int(size) == len(message.encode()) and message.endswith("|".join(lines)), framed)
            check(web.got[turn] == ("text/plain; charset=utf-8", note), web.got)
    log.plumb("export", "-o", "all.jsonl")
    end = json.loads((log.home / "all.jsonl").read_text().splitlines()[-1])
    check(end["witnesses"] == [witness_key], end["witnesses"])
    check(sum("witness.example.org" in note for note in end["checkpoints"]) == 2, end["checkpoints"])
    log.plumb("verify", "all.jsonl", "--key", key)
    log.plumb("verify", "--key", key)
    text = (log.home / "all.jsonl").read_text()
    at = text.index("witness.example.org ") + 40
    (log.home / "bad.jsonl").write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:])
    check("witness.example.org" in log.plumb("verify", "bad.jsonl", exit=3))
