"""The audit log beside golang.org/x/mod/sumdb/note and tlog: what either writes, the other one reads."""
import base64
import json
import os
import subprocess
import tempfile
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
    check(base64.b64decode(vkey.split("+")[2])[0] == 1)
