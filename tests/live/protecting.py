"""The users' demand in one piece: a change behind Terraform's back is stopped in the pipeline, at the lock, at the write and at the provider."""
import json
import subprocess

from harness import PLUMB, check, test
from statelock import NAME, Service, refused, rooted
from worlds import Postgres

CODE = '''
resource "lab6_thing" "t" {
  name = "t"
  text = "x"
}
resource "labpg_role" "app" {
  name             = "app"
  connection_limit = 20
}
'''


def plumb(stack, *args):
    return subprocess.run([str(PLUMB), *args], cwd=stack.home, env=stack.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)


def pipeline(stack, want, *words):
    """What a pipeline does: plan, scan, gate; with an approval where it is allowed."""
    plan = str(stack.dir / "p.tfplan")
    stack.run("plan", "-no-color", "-out", plan)
    scan = plumb(stack, "scan", "--quiet")
    check(scan.returncode in (0, 2), scan.stdout, scan.stderr)
    done = plumb(stack, "gate", "--stack", NAME, "--plan", plan, "--no-git", "--approve-token", str(stack.home / "approval"))
    check(done.returncode == want and all(w in done.stdout for w in words), "exit", done.returncode, done.stdout, done.stderr)
    return plan


def through_plumb(stack, *args):
    return subprocess.run([str(PLUMB), "run", "-C", str(stack.dir), "--", str(stack.lab.peers[stack.tool][1]), f"-chdir={stack.dir}", *args],
                          cwd=stack.home, env=stack.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)


@test("tofu", "lab6", "labpg", cases=["sqlite", "postgres"])
def protected_everywhere(lab, kind):
    live = Postgres()
    try:
        stack = rooted(lab, "tofu", CODE)
        stack.env.update(live.env)
        limit = ["psql", "-qXAt", "-c", "select rolconnlimit from pg_roles where rolname = 'app'"]

        def now():
            done = subprocess.run(limit, env=stack.env, capture_output=True, text=True, check=True)
            return json.loads(stack.object("lab6_thing", "t").read_text())["text"], int(done.stdout)

        with Service(stack.home, server=live if kind == "postgres" else None) as service:
            stack.env.update(service.backend(), PLUMB_STORE=service.store)
            if kind == "postgres":
                stack.env["PLUMB_KEY"] = service.env["PLUMB_KEY"]
            stack.apply()
            pipeline(stack, 0)
            for text, most in (("by hand", 5), ("by hand again", 6)):  # the second change is denied again, whatever was said of the first
                stack.edit("lab6_thing", "t", text=text)
                live.sql(f"alter role app connection limit {most}")
                pipeline(stack, 2, "lab6_thing.t", "labpg_role.app", "silently undo", "plumb review")
                serial = service.states()[NAME]["serial"]
                apply = ("apply", "-auto-approve", "-no-color")
                refused(stack.run(*apply, check_exit=False), "BLOCKED BY PLUMB: apply of net/prod")
                refused(through_plumb(stack, *apply, "-lock=false"), "Refused by plumb: unreviewed drift", "with lab6_thing.t", "with labpg_role.app")
                check(now() == (text, most), "something was set back:", now())
                check(service.states()[NAME]["serial"] == serial, "something was written")
                service.answer()
                plan = pipeline(stack, 0)
                token = (stack.home / "approval").read_text()
                verify = ["gate", "verify-token", "--stack", NAME, "--plan", plan, "--token", str(stack.home / "approval")]
                check([plumb(stack, *verify).returncode for _ in range(2)] == [0, 3], "an approval is good once, not", token[:12])
                done = through_plumb(stack, "apply", "-no-color", plan)
                check(done.returncode == 0 and now() == ("x", 20), done.stdout[-800:], done.stderr[-1500:], now())
            # at the write: whoever skips the lock has nothing written, whatever stands on record
            stack.write("main.tf", (stack.dir / "main.tf").read_text() + 'output "n" { value = 1 }\n')
            serial = service.states()[NAME]["serial"]
            refused(stack.run(*apply, "-lock=false", check_exit=False), "409")
            check(service.states()[NAME]["serial"] == serial, "it was written without the lock")
            told = [(e["detail"].get("point") or e["type"], e["outcome"]) for e in service.events() if e["type"] in ("gate.decision", "lock", "state.write")]
            for one in (("provider", "deny"), ("provider", "allow"), ("lock", "deny"), ("lock", "allow"), ("state.write", "deny")):
                check(one in told, one, "is not in the log:", told)
        done = plumb(stack, "audit", "verify")
        check(done.returncode == 0, "the log does not verify:", done.stdout, done.stderr)
    finally:
        live.stop()
