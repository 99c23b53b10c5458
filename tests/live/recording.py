"""The store behind real scans: SQLite and a real PostgreSQL server tell the same."""
import json
import os
import subprocess

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
