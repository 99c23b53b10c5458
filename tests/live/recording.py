"""The store behind real scans: SQLite and a real PostgreSQL server tell the same."""
import json
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

from harness import PLUMB, Stack, check, test
from worlds import Postgres

THING = 'resource "lab6_thing" "t" {\n  name = "t"\n  text = "x"\n}\n'


def ask(env, *words, exit_codes=(0,), data=None):
    done = subprocess.run([PLUMB, *words], env={**os.environ, **env}, input=data, capture_output=True)
    check(done.returncode in exit_codes, words, done.returncode, done.stderr.decode())
    return done.stdout


def statuses(env):
    return [f["status"] for f in json.loads(ask(env, "findings", "--status", "all", "--class", "contradicts-code", "-o", "json"))["findings"]]


@test("lab6")
def store_life_on_both(lab):
    """New, recurring, changed, resolved through a real provider; an export of one is an import of the other."""
    server = Postgres()
    try:
        where = f"postgres:///postgres?host={server.dir}&user=postgres&sslmode=disable"
        stack = Stack(lab, THING)
        stack.apply()
        stores = [{"PLUMB_STORE": where, "PLUMB_KEY": "a key of thirty-two bytes for tests"},
                  {"PLUMB_STORE": f"sqlite:{stack.dir}/store/plumb.db", "PLUMB_KEY": "a key of thirty-two bytes for tests"}]
        for text, want in (("x", []), ("y", ["new"]), ("y", ["recurring"]), ("z", ["changed"]), ("x", ["resolved"])):
            stack.edit("lab6_thing", "t", text=text)
            for env in stores:
                stack.scan(env=env)
                check(statuses(env) == want, env["PLUMB_STORE"], text, statuses(env), want)
        copy = {**stores[1], "PLUMB_STORE": f"sqlite:{stack.dir}/copy/plumb.db"}
        export = ask(stores[0], "db", "export")
        ask(copy, "db", "import", "-", data=export)
        check(ask(copy, "db", "export") == export, "what went through the other kind is another")
        ask(stores[0], "db", "check")
        check(statuses(copy) == ["resolved"], statuses(copy))
    finally:
        server.stop()


@test()
def a_store_on_a_read_only_file_system(lab):
    """Lists, exports, proofs and verification of what is there; what no checkpoint covers, and commits in a -wal, are told."""
    home = Path(lab.folder) / "read-only"
    shutil.copytree(Path(__file__).resolve().parents[2] / "examples/quickstart", home)
    env = {k: v for k, v in os.environ.items() if not k.startswith("PLUMB_")} | {"PLUMB_STORE": "sqlite:store/plumb.db"}

    def plumb(*words, read_only=True, exit_code=0):
        mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd . && exec "$@"'
        before = ["unshare", "--mount", "sh", "-c", mount, home / "store"] if read_only else []
        done = subprocess.run([*before, PLUMB, *words], cwd=home, env=env, capture_output=True, text=True, check=False)
        check(done.returncode == exit_code, words, done.returncode, done.stdout[-300:], done.stderr)
        return done.stdout, done.stderr

    plumb("scan", "--exit-zero", read_only=False)
    plumb("audit", "checkpoint", read_only=False)
    check("local_file.app" in plumb("findings")[0], "no findings")
    check("sound" in plumb("audit", "verify")[0], "not sound")
    check("scan.end" in plumb("audit", "log")[0], "no log")
    check('"end":true' in plumb("db", "export")[0], "no export")
    whole, said = plumb("audit", "export")
    check(not said, said)
    (home / "whole.jsonl").write_text(whole)
    check("events 0 to" in plumb("audit", "verify", "whole.jsonl")[0], "an export that is not sound")
    plumb("audit", "prove", "1")
    plumb("scan", "--exit-zero", read_only=False)
    part, said = plumb("audit", "export")
    check("no checkpoint covers yet" in said and part == whole, said)
    for words in (["audit", "checkpoint"], ["audit", "key", "--rotate"], ["breakglass", "--for", "1h", "--ticket", "T", "--reason", "r"]):
        check("cannot be written" in plumb(*words, exit_code=1)[1], words)
    # as a process that was killed leaves it: what was committed last is beside the file
    store = home / "store/plumb.db"
    db = sqlite3.connect(store)
    db.execute("UPDATE stack SET owner = 'x'")
    db.commit()
    copies = [(f"{store}{end}", (home / f"copy{end}")) for end in ("", "-wal")]
    for path, copy in copies:
        shutil.copy(path, copy)
    db.close()
    for path, copy in copies:
        shutil.move(copy, path)
    check("plumb.db-wal" in plumb("findings", exit_code=1)[1], "commits that were left out, and nobody said so")
    check("local_file.app" in plumb("findings", read_only=False)[0], "no findings")
