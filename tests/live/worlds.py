"""Per provider: real init and apply, a clean scan, then the world changes behind Terraform's back."""
import glob
import http.server
import json
import os
import pwd
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

from harness import Skip, Stack, CI, check, test


def applied(lab, code, **options):
    stack = Stack(lab, code, **options)
    stack.apply()
    return stack


# providers as published

@test("random")
def random_world(lab):
    """Nothing to read anywhere: the provider gives back what it was given."""
    stack = applied(lab, '''
resource "random_id" "id" { byte_length = 8 }
resource "random_integer" "n" {
  min = 1
  max = 50000
}
resource "random_pet" "pet" { count = 2 }
resource "random_shuffle" "order" { input = ["a", "b", "c"] }
resource "random_string" "s" { length = 12 }
resource "random_uuid" "u" {}
''')
    stack.must_agree(stack.scan().must_be_clean(7))


@test("null")
def null_world(lab):
    stack = applied(lab, '''
resource "null_resource" "n" {
  for_each = toset(["a", "b.c", "d\\"e"])
  triggers = { key = each.key }
}
''')
    stack.must_agree(stack.scan().must_be_clean(3))


@test("tls")
def tls_world(lab):
    cert = '''
resource "tls_private_key" "key" { algorithm = "ECDSA" }
resource "tls_self_signed_cert" "cert" {
  key_algorithm         = "ECDSA"
  private_key_pem       = tls_private_key.key.private_key_pem
  validity_period_hours = %d
  early_renewal_hours   = %d
  allowed_uses          = ["server_auth"]
  subject { common_name = "plumb.test" }
}
'''
    stack = applied(lab, cert % (24, 1))
    scan = stack.scan().must_be_clean(2)
    check("PRIVATE KEY" not in scan.stdout, "a private key in the report")
    stack.must_agree(scan)
    due = applied(lab, cert % (1, 1))
    due.must_agree(due.scan().must_find(missing=["tls_self_signed_cert.cert"]))


@test("time")
def time_world(lab):
    code = '''
resource "time_static" "t" {}
resource "time_offset" "o" { offset_days = 7 }
resource "time_sleep" "s" { create_duration = "1ms" }
resource "time_rotating" "r" { %s }
'''
    stack = applied(lab, code % "rotation_years = 10")
    stack.must_agree(stack.scan().must_be_clean(4))
    old = applied(lab, code % '''
  rfc3339       = "2020-01-01T00:00:00Z"
  rotation_days = 1
''')
    old.must_agree(old.scan().must_find(missing=["time_rotating.r"]))


@test("local")
def local_world(lab):
    stack = applied(lab, '''
resource "local_file" "f" {
  for_each = toset(["same", "changed", "deleted"])
  filename = "${path.module}/out/${each.key}.txt"
  content  = "content of ${each.key}\\n"
}
resource "local_file" "secret" {
  filename          = "${path.module}/out/secret"
  sensitive_content = "hunter-2-and-a-half"
}
''')
    scan = stack.must_agree(stack.scan().must_be_clean(4))
    check("hunter-2" not in scan.stdout + scan.stderr, "the secret is in the output")
    stack.write("out/changed.txt", "somebody was here\n")
    stack.write("out/secret", "hunter-3\n")
    (stack.dir / "out/deleted.txt").unlink()
    scan = stack.scan()
    check("hunter-" not in scan.stdout + scan.stderr, "the secret is in the output")
    gone = {'local_file.f["changed"]', 'local_file.f["deleted"]', "local_file.secret"}
    check(set(scan.of("missing")) | set(scan.of("contradicts-code")) == gone, scan.brief())
    stack.must_agree(scan)


@test("http", "null")
def http_world(lab):
    """Data sources are nobody's resources: they are neither read nor counted."""
    class Answer(http.server.BaseHTTPRequestHandler):
        asked = 0

        def do_GET(self):
            Answer.asked += 1
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(b"v1")

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        stack = applied(lab, f'''
data "http" "page" {{ url = "http://127.0.0.1:{server.server_port}/" }}
resource "null_resource" "n" {{ triggers = {{ body = data.http.page.body }} }}
''')
        asked = Answer.asked
        stack.scan().must_be_clean(1)
        check(Answer.asked == asked, "the scan read a data source")
    finally:
        server.shutdown()


@test()
def builtin_world(lab):
    """terraform_data has no provider binary and nothing outside the state."""
    stack = applied(lab, 'resource "terraform_data" "d" {\n  input = { a = 1, b = ["x"] }\n}\n')
    stack.must_agree(stack.scan().must_be_clean(1))


# PostgreSQL

class Postgres:
    """A real server in a temporary folder, reachable through a unix socket only."""

    def __init__(self):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
        if not found:
            check(not CI, "no PostgreSQL server: apt-get install postgresql")
            raise Skip("no PostgreSQL server: apt-get install postgresql")
        self.bin = Path(found[-1]).parent
        self.dir = Path(tempfile.mkdtemp(prefix="plumb-pg-"))
        self.user = None
        if os.geteuid() == 0:  # the server refuses to run as root
            account = pwd.getpwnam("postgres")
            os.chown(self.dir, account.pw_uid, account.pw_gid)
            self.user = "postgres"
        self.data = str(self.dir / "data")
        self.call("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")
        self.call("pg_ctl", "-D", self.data, "-w", "-s", "-l", f"{self.dir}/log", "-o",
                  f"-c listen_addresses= -c unix_socket_directories={self.dir} -c fsync=off", "start")
        self.env = {"PGHOST": str(self.dir), "PGUSER": "postgres", "PGDATABASE": "postgres", "PGSSLMODE": "disable"}

    def call(self, name, *args):
        subprocess.run([self.bin / name, *args], user=self.user, cwd="/", check=True, stdout=subprocess.DEVNULL)

    def sql(self, *lines):
        for line in lines:
            subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", line], env={**os.environ, **self.env}, check=True)

    def stop(self):
        if self.dir.exists():
            self.call("pg_ctl", "-D", self.data, "-m", "immediate", "-s", "stop")
            shutil.rmtree(self.dir)


POSTGRES = '''
resource "labpg_role" "team" { name = "team" }
resource "labpg_role" "app" {
  name             = "app"
  login            = true
  connection_limit = 20
  comment          = "the application"
  password         = "s3cr3t-of-app"
  member_of        = [labpg_role.team.name]
}
resource "labpg_role" "old" {
  name  = "old"
  login = true
}
resource "labpg_database" "db" {
  name  = "shop"
  owner = labpg_role.team.name
}
resource "labpg_grant" "app" {
  name       = "${labpg_role.app.name}:${labpg_database.db.name}"
  privileges = ["CONNECT", "TEMPORARY"]
}
'''


@test("labpg")
def postgres_world(lab):
    server = Postgres()
    try:
        stack = applied(lab, POSTGRES, env=server.env)
        scan = stack.must_agree(stack.scan().must_be_clean(5))
        check("s3cr3t" not in scan.stdout, "the password is in the report")
        server.sql("ALTER ROLE app SUPERUSER CONNECTION LIMIT 5", "COMMENT ON ROLE app IS 'root, for a moment'",
                   "REVOKE team FROM app", "GRANT CREATE ON DATABASE shop TO app", "ALTER DATABASE shop OWNER TO app", "DROP ROLE old")
        scan = stack.scan().must_find(contradicts=["labpg_role.app", "labpg_grant.app", "labpg_database.db"], missing=["labpg_role.old"])
        found = scan.changes("labpg_role.app")
        check((found["superuser"]["before"], found["superuser"]["after"]) == (None, True), found)  # the code does not set it
        check((found["connection_limit"]["before"], found["connection_limit"]["after"]) == (20, 5), found)
        stack.must_agree(scan)
        server.stop()
        scan = stack.scan()
        scan.must_find(unchecked=[r["address"] for r in scan.findings])
        check(len(scan.findings) == 5 and "connect" in scan.stdout, "the provider's words are missing:", scan.brief())
    finally:
        server.stop()


# the labs

THING6 = '''
resource "lab6_thing" "t" {
  count    = 3
  name     = "t${count.index}"
  text     = "e\\u0301 plain"
  number   = 18446744073709551615
  enabled  = true
  tags     = { a = "1", "b.c" = "2" }
  ports    = [80, 443, 2.5]
  zones    = ["z2", "z1"]
  rules    = [{ port = 22, cidrs = ["10.0.0.0/8", "::/0"] }, { port = 443 }]
  settings = { mode = "fast", level = 0.1 }
  sizes    = { small = { gb = 1 }, big = { gb = 1e3 } }
  any      = { k = [1, "x", true], n = null }
  secret   = "s3cr3t-of-thing"
  pass     = "never-in-state"
  object   = { a = 1, b = "x" }
  step { run = "one" }
  step {
    run  = "two"
    wait = 2
  }
  grant {
    who  = "me"
    what = "read"
  }
  grant { who = "you" }
}
resource "lab6_thing" "bare" { name = "bare" }
data "lab6_info" "i" {}
'''

# attribute -> its value after somebody's change, the paths that are expected to be reported
EDITS6 = {
    "text": ("other", ["text"]),
    "number": (18446744073709551614, ["number"]),
    "enabled": (False, ["enabled"]),
    "tags": ({"a": "1", "b.c": "3", "new": "4"}, ['tags["b.c"]', "tags.new"]),
    "ports": ([80, 8443, 2.5], ["ports[1]"]),
    "zones": (["z1", "z3"], None),
    "rules": ([{"port": 22, "cidrs": ["0.0.0.0/0"]}, {"port": 443, "cidrs": None}], None),
    "settings": ({"mode": "slow", "level": 0.1}, ["settings.mode"]),
    "sizes": ({"small": {"gb": 1}}, None),
    "any": ({"value": "now a string", "type": "string"}, None),
    "secret": ("other-s3cr3t", ["secret"]),
    "step": ([{"run": "one", "wait": None}], None),
    "grant": ([], None),
    "object": (None, None),
}


@test("lab6", cases=sorted(EDITS6))
def lab6_edit(lab, name):
    value, paths = EDITS6[name]
    stack = world6(lab)
    with stack.edited("lab6_thing", "t1", **{name: value}):
        scan = stack.scan().must_find(contradicts=["lab6_thing.t[1]"])
        check("s3cr3t" not in scan.stdout + scan.stderr, "the secret is in the output")
        found = [p for p in scan.changes("lab6_thing.t[1]") if p != "etag"]
        check(paths is None or sorted(found) == sorted(paths), "paths", found, "expected", paths)
        stack.must_agree(scan)


def world6(lab):
    """One applied stack of everything that lab6 has, for all who put back what they change."""
    if not hasattr(lab, "world6"):
        lab.world6 = applied(lab, THING6)
    return lab.world6


@test("lab6")
def lab6_world(lab):
    stack = applied(lab, THING6)
    scan = stack.must_agree(stack.scan().must_be_clean(4))
    check("s3cr3t" not in scan.stdout and "never-in-state" not in scan.stdout, "a secret is in the report")
    stack.edit("lab6_thing", "t0", tier="gold")          # optional and computed
    stack.edit("lab6_thing", "t2")                       # etag only
    stack.delete("lab6_thing", "bare")
    scan = stack.scan()
    check(scan.of("missing") == ["lab6_thing.bare"], scan.brief())
    check("lab6_thing.t[2]" in scan.of("state-only") and "lab6_thing.t[2]" not in scan.of("contradicts-code"), scan.brief())
    stack.must_agree(scan)


@test("lab6")
def lab6_set_order(lab):
    """The other side lists its sets in another order: no difference."""
    stack = world6(lab)
    thing = json.loads(stack.object("lab6_thing", "t1").read_text())
    turned = {name: list(reversed(thing[name])) for name in ("zones", "rules", "grant")}
    for rule in turned["rules"]:
        rule["cidrs"] = rule["cidrs"] and list(reversed(rule["cidrs"]))
    with stack.edited("lab6_thing", "t1", **turned, etag=thing["etag"]):
        stack.must_agree(stack.scan().must_be_clean(4))


THING5 = '''
resource "lab5_thing" "t" {
  for_each = toset(["a", "b"])
  name     = each.key
  text     = "plain"
  size     = 9007199254740991
  ratio    = 0.1
  enabled  = true
  tags     = { a = "1" }
  labels   = ["x", "y"]
  zones    = ["z2", "z1"]
  rule {
    port  = 22
    cidrs = ["10.0.0.0/8"]
  }
  rule { port = 443 }
  settings { mode = "fast" }
  secret = "s3cr3t-of-thing"
}
resource "lab5_thing" "bare" { name = "bare" }
'''

EDITS5 = {
    "text": ("other", ["text"]),
    "size": (9007199254740990, ["size"]),
    "ratio": (0.2, ["ratio"]),
    "enabled": (False, ["enabled"]),
    "tags": ({"a": "1", "b": "2"}, ["tags.b"]),
    "labels": (["x", "z"], ["labels[1]"]),
    "zones": (["z1", "z3"], None),
    "rule": ([{"port": 22, "cidrs": ["0.0.0.0/0"], "note": ""}, {"port": 443, "cidrs": [], "note": ""}], None),
    "settings": ([{"mode": "slow", "level": 0}], ["settings[0].mode"]),
    "secret": ("other-s3cr3t", ["secret"]),
}


@test("lab5", cases=sorted(EDITS5))
def lab5_edit(lab, name):
    value, paths = EDITS5[name]
    if not hasattr(lab, "world5"):
        lab.world5 = applied(lab, THING5)
    stack = lab.world5
    with stack.edited("lab5_thing", "a", **{name: value}):
        scan = stack.scan().must_find(contradicts=['lab5_thing.t["a"]'])
        check("s3cr3t" not in scan.stdout + scan.stderr, "the secret is in the output")
        found = [p for p in scan.changes('lab5_thing.t["a"]') if p != "etag"]
        check(paths is None or sorted(found) == sorted(paths), "paths", found, "expected", paths)
        stack.must_agree(scan)


@test("lab5")
def lab5_world(lab):
    """SDK v2 answers "" and [] where the configuration says nothing: no difference that code made."""
    stack = applied(lab, THING5)
    scan = stack.must_agree(stack.scan().must_be_clean(3))
    check("s3cr3t" not in scan.stdout, "a secret is in the report")
    (stack_report,) = stack.scan("--explain").report["stacks"]
    equal = {(e["address"], e["path"], e["rule"]) for e in stack_report["considered_equal"]}
    check(("lab5_thing.bare", "tags", "null-collection-is-empty") in equal, "not explained:", equal)
    stack.edit("lab5_thing", "a", text="", labels=[], tags={})
    stack.edit("lab5_thing", "b")
    stack.delete("lab5_thing", "bare")
    scan = stack.scan().must_find(contradicts=['lab5_thing.t["a"]'], missing=["lab5_thing.bare"], state_only=['lab5_thing.t["b"]'])
    stack.must_agree(scan)


@test("lab6", "terraform")
def terraform_world(lab):
    """The same with HashiCorp's own binary, which writes its own lock file and state."""
    stack = applied(lab, THING6, tool="terraform")
    stack.must_agree(stack.scan().must_be_clean(4))
    stack.edit("lab6_thing", "t0", text="other")
    stack.delete("lab6_thing", "t2")
    stack.must_agree(stack.scan().must_find(contradicts=["lab6_thing.t[0]"], missing=["lab6_thing.t[2]"]))
