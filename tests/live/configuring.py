"""What Terraform configured a provider with, seen by `plumb run`, serves scans that cannot evaluate it."""
import json

from harness import check, test
from proxying import made, run, shell
from worlds import Postgres

CODE = """
variable "n" { default = 1 }
variable "place" {
  type    = string
  default = "unset"
}
variable "mood" {
  type      = string
  sensitive = true
}
resource "lab6_row" "where" {
  count = var.n
  name  = "place${count.index}"
}
provider "lab6" {}
provider "lab6" {
  alias = "there"
  store = "../${reverse(lab6_row.where[*].id)[0]}"
  motto = var.mood
  token = "t0k-c4nary"
}
resource "lab6_row" "r" {
  provider = lab6.there
  name     = "r"
}
"""
GIVEN = {"TF_VAR_mood": "m00d-c4nary"}


SERVED = "settings as the last run had them"


def world(lab, store=None, code=CODE):
    stack = made(lab, code)
    stack.env.update(GIVEN, PLUMB_STORE=store or f"sqlite:{stack.home}/s.db", PLUMB_KEY="a key of thirty-two bytes for tests")
    (stack.home / "plumb.yaml").write_text("version: 1\nstacks:\n  - path: root\n")
    return stack


def apply(stack, *args, **options):
    return run(stack, "apply", "-auto-approve", "-no-color", *args, **options)


def open_scan(stack, **env):
    """A scan while another instance is asked for and not made yet: its id, and so the provider's store, cannot be known."""
    return stack.scan(env={"TF_VAR_n": "2", **env})


def notes(scan):
    return " ".join(n for s in scan.report["stacks"] for n in s["notes"])


def unread(scan):
    return {f["address"]: f["reason"] for f in scan.findings if f["class"] == "unchecked"}


def missing(scan):
    """What the report says that a provider could not be told."""
    return " ".join(n for s in scan.report["stacks"] for n in s["notes"] if "does not know all of its settings" in n)


def exported(stack):
    done = shell(stack, '"$PLUMB" db export')
    check(done.returncode == 0, done.stderr)
    return done.stdout


@test("lab6", cases=["sqlite", "postgres"])
def configured_by_a_run(lab, kind):
    """Incomplete before the first run behind plumb, with the expression; complete after it, with where the setting comes from."""
    server = Postgres() if kind == "postgres" else None
    try:
        stack = world(lab, f"postgres:///postgres?host={server.dir}&user=postgres&sslmode=disable" if server else None)
        stack.apply()  # nobody stands between
        scan = open_scan(stack)
        check(scan.exit == 4 and "store = " in unread(scan)["lab6_row.r"] and "main.tf:" in unread(scan)["lab6_row.r"], scan.brief())
        apply(stack)
        scan = open_scan(stack)
        check(not unread(scan) and scan.of("unapplied") == ["lab6_row.where[1]"], scan.brief())
        check(f"{SERVED}: store (run of" in notes(scan) and "event" in notes(scan), notes(scan))
        check(SERVED not in notes(stack.scan()), "what the code tells is taken from the code")
        text = exported(stack)
        row = next(json.loads(line) for line in text.splitlines() if '"hmac-sha256:' in line and "place0" in line)
        check("c4nary" not in text, "a secret is in the store")
        check("../place0" in str(row) and str(row).count("hmac-sha256:") == 2, row)
        events = [line for line in shell(stack, '"$PLUMB" audit log -o json').stdout.splitlines() if "provider.config" in line]
        check(len(events) >= 1 and "place0" not in "".join(events), events)
        apply(stack)
        again = [line for line in shell(stack, '"$PLUMB" audit log -o json').stdout.splitlines() if "provider.config" in line]
        check(len(again) == len(events), "the same was kept as another:", again)
        check(shell(stack, '"$PLUMB" audit verify').returncode == 0, "the log does not verify")
    finally:
        if server:
            server.stop()


@test("lab6")
def configured_otherwise(lab):
    """What is kept is not used for another block or other settings; a secret that differs is told, one that is missing is named."""
    stack = world(lab)
    apply(stack)
    for file in stack.home.glob("s.db*"):
        check(b"c4nary" not in file.read_bytes(), "a secret is in", file)
    scan = open_scan(stack, TF_VAR_mood="an0ther-c4nary")
    check(not unread(scan) and "a secret is another than in the last run: motto" in notes(scan), notes(scan))
    del stack.env["TF_VAR_mood"]
    scan = open_scan(stack)
    check("motto = var.mood" in missing(scan) and "of the last run's motto only a digest was kept" in missing(scan), missing(scan))
    stack.env.update(GIVEN)
    (stack.home / "plumb.yaml").write_text("version: 1\nstacks:\n  - path: root\n    providers:\n      lab6.there:\n"
                                           f"        store: {stack.dir}/../place0\n")
    scan = open_scan(stack)
    check(not unread(scan) and SERVED not in notes(scan), "plumb.yaml comes first:", notes(scan))
    (stack.home / "plumb.yaml").write_text("version: 1\nstacks:\n  - path: root\n")
    code = (stack.dir / "main.tf").read_text()
    stack.write("main.tf", code.replace("reverse(", "reverse( ", 1))
    scan = open_scan(stack)
    check("its block is not what the last run used" in notes(scan) and "lab6_row.r" in unread(scan), notes(scan), unread(scan))


@test("lab6")
def configured_by_a_variable(lab):
    """A variable that only the run was given; and code whose tellable settings have changed since."""
    stack = world(lab, code=CODE.replace("${reverse(lab6_row.where[*].id)[0]}", "${var.place}").replace("= var.mood", "= local.motto")
                  .replace('  default = "unset"\n', "") + 'locals {\n  motto = "one"\n}\n')
    apply(stack, "-var", "place=here")
    check(not unread(stack.scan()) and f"{SERVED}: store" in notes(stack.scan()), notes(stack.scan()))
    code = (stack.dir / "main.tf").read_text()
    stack.write("main.tf", code.replace('motto = "one"', 'motto = "two"'))
    scan = stack.scan()
    check("lab6_row.r" in unread(scan) and "other settings than in the last run" in notes(scan), notes(scan), scan.brief())


@test("lab6")
def configured_alike(lab):
    """Two blocks that can have been given the same: nothing is kept, and that is said."""
    both = CODE.replace("reverse(lab6_row.where[*].id)[0]", "timestamp()")
    stack = world(lab, code=both + both[both.index('provider "lab6" {\n  alias'):].replace('"there"', '"twin"')
                  .replace("lab6.there", "lab6.twin").replace('"r"', '"s"'))
    done = apply(stack)
    check("cannot be told: nothing of it is kept" in done.stderr, done.stderr)
    check("provider.config" not in exported(stack), exported(stack))
