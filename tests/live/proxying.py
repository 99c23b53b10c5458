"""plumb between tofu and its providers: what is applied is what would have been applied without it."""
import json
import os
import re
import signal
import sqlite3
import subprocess
import time

from harness import CLIENTS, MORE_CLIENTS, PLUMB, Skip, Stack, Wrong, check, test, wait_until
from worlds import THING5, THING6

MODULES = """
module "m" {
  source   = "./m"
  for_each = toset(["x", "y z"])
  name     = each.key
}
"""
INNER = """
terraform {
  required_providers {
    lab6 = { source = "plumb.test/lab/lab6" }
  }
}
variable "name" {}
resource "lab6_row" "r" {
  count = 2
  name  = "${var.name}-${count.index}"
}
"""
ALIASES = """
provider "lab6" {}
provider "lab6" {
  alias = "other"
  store = "../other"
}
resource "lab6_row" "here" { name = "here" }
resource "lab6_row" "there" {
  provider = lab6.other
  name     = "there"
}
"""


def command(stack, *args, options=()):
    return [str(PLUMB), "run", *options, "--", str(stack.lab.peers[stack.tool][1]), *args]


def run(stack, *args, options=(), check_exit=True, env=None):
    done = subprocess.run(command(stack, *args, options=options), cwd=stack.dir, env={**stack.env, **(env or {})},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    if check_exit and done.returncode:
        raise Wrong(f"plumb run {args[0]}: exit {done.returncode}: {(done.stdout + done.stderr)[-1500:]}")
    return done


def start(stack, *args, env=None):
    return subprocess.Popen(command(stack, *args), cwd=stack.dir, env={**stack.env, **(env or {})}, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def made(lab, code, **options):
    stack = Stack(lab, code, **options)
    stack.run("init", "-no-color")
    return stack


def state_of(stack):
    """The state's bytes without what differs between any two runs."""
    text = (stack.dir / "terraform.tfstate").read_text()
    text = re.sub(r'"(serial|lineage|etag|token)": .*', "", text)
    return re.sub(r'"(created_at|rfc3339|unix|id_hex)": .*', "", text)


@test("lab5", "lab6", cases=["things", "modules", "aliases"])
def same_state(lab, case):
    """Apply through the proxy and apply without it: the same state; then there is nothing to do."""
    code, files = {"things": (THING6 + THING5, {}), "modules": (MODULES + 'resource "lab6_row" "root" { name = "root" }\n',
                   {"m/main.tf": INNER}), "aliases": (ALIASES, {})}[case]
    one, two = made(lab, code, files=files), made(lab, code, files=files)
    one.apply()
    done = run(two, "apply", "-auto-approve", "-no-color", options=["-v"])
    check(state_of(one) == state_of(two), "the states differ", done.stdout[-500:])
    check("and 0 refused" in done.stderr, done.stderr)
    check(run(two, "plan", "-detailed-exitcode", "-no-color", check_exit=False).returncode == 0, "a second plan has changes")
    run(two, "destroy", "-auto-approve", "-no-color")
    check(two.state()["resources"] == [], "something is left")
    check(not two.processes(), "processes left:", two.processes())


@test("lab6")
def fewer_processes(lab):
    """A process that was only asked for its schema serves the next connection; one that was configured does not."""
    stack = made(lab, ALIASES)
    done = run(stack, "apply", "-auto-approve", "-no-color", options=["-v"])
    providers, connections, processes = map(int, re.search(r"(\d+) providers, (\d+) connections, (\d+) processes", done.stderr).groups())
    check(providers == 1 and connections >= 5, done.stderr)
    check(4 <= processes < connections, "two configurations are planned and applied:", done.stderr)


@test("lab6")
def real_providers(lab):
    needed = [n for n in ("random", "null", "time", "tls", "local") if n in lab.peers]
    code = "".join({"random": 'resource "random_id" "i" { byte_length = 4 }\nresource "random_pet" "p" {}\n',
                    "null": 'resource "null_resource" "n" {}\n', "time": 'resource "time_static" "t" {}\n',
                    "tls": 'resource "tls_private_key" "k" { algorithm = "ECDSA" }\n',
                    "local": 'resource "local_file" "f" {\n  content  = "x"\n  filename = "${path.module}/f"\n}\n'}[n] for n in needed)
    stack = made(lab, code)
    run(stack, "apply", "-auto-approve", "-no-color")
    check(len(stack.state()["resources"]) == len(needed) + ("random" in needed), stack.state())
    stack.run("plan", "-detailed-exitcode", "-no-color")
    run(stack, "destroy", "-auto-approve", "-no-color")
    check(stack.state()["resources"] == [], "something is left")


NEWER = """
terraform {
  required_version = ">= 1.11"
}
ephemeral "lab6_lease" "l" { of = "x" }
resource "lab6_thing" "held" {
  name = "held"
  text = provider::lab6::twice("a")
  pass = ephemeral.lab6_lease.l.value
}
"""
IDENTITY = """
terraform {
  required_version = ">= 1.12"
}
resource "lab6_known" "k" { name = "k" }
"""
MOVED = """
resource "lab6_row" "now" {
  name = "old"
  text = "t"
}
moved {
  from = lab6_thing.old
  to   = lab6_row.now
}
"""


def methods(stack):
    return {method.split("/")[-1] for _, _, what, method in stack.calls() if what == "begin"}


def newer(lab, tool, code, **options):
    """A stack of a client that has what the code needs."""
    if tool not in lab.peers:
        raise Skip(f"no {tool} here")
    stack = Stack(lab, code, tool=tool, **options)
    done = stack.run("init", "-no-color", check_exit=False)
    if "Unsupported Terraform Core version" in done.stderr or "Unsupported OpenTofu Core version" in done.stderr:
        raise Skip(f"{tool} is older than what this needs")
    check(done.returncode == 0, done.stdout[-500:], done.stderr[-1500:])
    stack.log_calls()
    return stack


@test("lab6", cases=CLIENTS)
def newer_calls(lab, tool):
    """Ephemeral resources that are renewed, write-only values, functions, moves from another type: as without plumb."""
    direct, through = newer(lab, tool, NEWER), newer(lab, tool, NEWER)
    for stack in (direct, through):
        stack.fault(("create/lab6_thing.held", "latency", 3000))
    direct.run("apply", "-auto-approve", "-no-color")
    done = run(through, "apply", "-auto-approve", "-no-color", options=["-v"])
    check(state_of(direct) == state_of(through), "the states differ", done.stdout[-500:])
    check("and 0 refused" in done.stderr and "leased-x" not in done.stdout + done.stderr, done.stderr)
    want = {"OpenEphemeralResource", "RenewEphemeralResource", "CloseEphemeralResource", "ValidateEphemeralResourceConfig", "CallFunction"}
    check(want <= methods(direct), "without plumb it calls", sorted(methods(direct)))
    check(methods(through) >= methods(direct), "calls that do not come through:", sorted(methods(direct) - methods(through)))
    check(json.loads(through.object("lab6_thing", "held").read_text())["text"] == "aa", "the function")
    check(run(through, "plan", "-detailed-exitcode", "-no-color", check_exit=False).returncode == 0, "a second plan has changes")
    run(through, "destroy", "-auto-approve", "-no-color")
    through.write("main.tf", through.providers(MOVED) + 'resource "lab6_thing" "old" {\n  name = "old"\n  text = "t"\n}\n')
    run(through, "apply", "-auto-approve", "-no-color")
    through.write("main.tf", through.providers(MOVED) + MOVED)
    run(through, "apply", "-auto-approve", "-no-color")
    check([r["type"] for r in through.state()["resources"]] == ["lab6_row"] and "MoveResourceState" in methods(through), through.state())


@test("lab6", cases=["tofu", *MORE_CLIENTS])
def identities(lab, tool):
    """What is known by its identity is read, and imported by it."""
    stack = newer(lab, tool, IDENTITY)
    run(stack, "apply", "-auto-approve", "-no-color")
    check(run(stack, "plan", "-detailed-exitcode", "-no-color", check_exit=False).returncode == 0, "a second plan has changes")
    run(stack, "state", "rm", "lab6_known.k")
    stack.write("import.tf", 'import {\n  to = lab6_known.k\n  identity = { id = "k" }\n}\n')
    run(stack, "apply", "-auto-approve", "-no-color")
    check(stack.state()["resources"][0]["instances"][0]["identity"] == {"id": "k"}, stack.state())
    check({"GetResourceIdentitySchemas", "ImportResourceState"} <= methods(stack), sorted(methods(stack)))


ACTION = """
terraform {
  required_version = ">= 1.14"
}
resource "lab6_row" "r" {
  name = "r"
  text = "%s"
  lifecycle {
    action_trigger {
      events  = [after_create, after_update]
      actions = [action.lab6_ring.bell]
    }
  }
}
action "lab6_ring" "bell" {
  config {
    name = "bell"
  }
}
"""
LIST = """
list "lab6_known" "all" {
  provider = lab6
}
"""


@test("lab6", cases=MORE_CLIENTS)
def actions_and_lists(lab, tool):
    """Terraform's actions and queries (from 1.14 on): passed on; an action is refused where something stands against the stack."""
    stack = newer(lab, tool, ACTION % "a")
    done = run(stack, "apply", "-auto-approve", "-no-color")
    check(stack.object("lab6_ring", "bell").exists() and "ringing bell" in done.stdout, done.stdout[-800:])
    check({"PlanAction", "InvokeAction", "ValidateActionConfig"} <= methods(stack), sorted(methods(stack)))
    lister = newer(lab, tool, 'resource "lab6_known" "k" { name = "k" }\n')
    run(lister, "apply", "-auto-approve", "-no-color")
    lister.write("all.tfquery.hcl", LIST)
    done = run(lister, "query", "-no-color")
    check("list.lab6_known.all" in done.stdout and "ListResource" in methods(lister), done.stdout, done.stderr)
    frozen = guarded(lab, ACTION % "a", tool=tool)
    stack.object("lab6_ring", "bell").unlink()
    frozen.run("init", "-no-color")
    frozen.apply()
    frozen.object("lab6_ring", "bell").unlink()
    plumb(frozen, "freeze", "*", "--reason", "the fair", "--until", "1h")
    done = run(frozen, "apply", "-auto-approve", "-no-color", "-invoke=action.lab6_ring.bell", check_exit=False)
    check(done.returncode == 1 and "Refused by plumb" in done.stdout + done.stderr and not frozen.object("lab6_ring", "bell").exists(),
          done.stdout[-800:], done.stderr[-800:])


@test("lab6")
def large_schema(lab):
    """30 MB and more of schema, through windows of 2 MB."""
    stack = made(lab, 'resource "lab6_row" "r" { name = "r" }\n')
    stack.fault(("schema", "huge", 300000))
    done = run(stack, "apply", "-auto-approve", "-no-color", check_exit=False)
    direct = stack.run("plan", "-no-color", "-detailed-exitcode", check_exit=False)
    check(done.returncode == (1 if direct.returncode == 1 else 0), done.returncode, direct.returncode,
          done.stderr[-500:], direct.stderr[-500:])


@test("lab6")
def errors_are_passed_on(lab):
    """What a provider refuses is refused with its own words, beside the line."""
    stack = made(lab, 'resource "lab6_thing" "t" { name = "t" }\n')
    stack.fault(("create/lab6_thing.t", "deny", "quota is used up"))
    done = run(stack, "apply", "-auto-approve", "-no-color", check_exit=False)
    check(done.returncode == 1 and "quota is used up" in done.stderr and "lab6_thing.t" in done.stderr, done.stderr)


@test("lab6", cases=["panic", "exit"])
def crash(lab, how):
    """A provider that dies is an error of tofu's, and plumb says how it died."""
    stack = made(lab, 'resource "lab6_thing" "t" { name = "t" }\n')
    run(stack, "apply", "-auto-approve", "-no-color")
    stack.fault(("lab6_thing.t", how))
    done = run(stack, "plan", "-no-color", check_exit=False)
    check(done.returncode == 1, done.stdout, done.stderr)
    check("ended with exit code" in done.stderr, "plumb says nothing of the crash:", done.stderr)
    check(how != "panic" or "panic: " in done.stderr, done.stderr)
    check(not stack.processes(), "processes left:", stack.processes())


@test("lab6")
def lock_file_is_checked(lab):
    """Terraform does not check what it is reattached to: plumb does."""
    stack = made(lab, 'resource "lab6_thing" "t" { name = "t" }\n')
    lock = stack.dir / ".terraform.lock.hcl"
    lock.write_text(re.sub(r"h1:(.)", lambda m: "h1:" + ("y" if m[1] == "x" else "x"), lock.read_text()))
    done = run(stack, "plan", check_exit=False)
    check(done.returncode == 1 and ".terraform.lock.hcl" in done.stderr, done.stderr)
    check(not stack.processes(), "processes left:", stack.processes())
    run(stack, "plan", options=["--allow-provider-mismatch"])


def slow(lab):
    stack = made(lab, 'resource "lab6_thing" "t" {\n  count = 30\n  name  = "t${count.index}"\n}\n')
    run(stack, "apply", "-auto-approve", "-no-color")
    stack.fault(("lab6_thing.*", "latency", 2000))
    return stack


def busy(stack):
    check(wait_until(lambda: any("ReadResource" in line[3] for line in stack.calls()), 20), "nothing is read")


@test("lab6", cases=["SIGINT", "SIGTERM"])
def interrupted(lab, name):
    """What is sent to plumb alone reaches tofu, which stops in its own way; nothing is left."""
    stack = slow(lab)
    stack.log_calls()
    child = start(stack, "plan", "-no-color")
    busy(stack)
    child.send_signal(getattr(signal, name))
    out, err = child.communicate(timeout=120)
    check(child.returncode == 1, "exit", child.returncode, out[-300:], err[-300:])
    check("nterrupt" in out + err, out[-500:], err[-500:])
    check(any("Stop" in line[3] for line in stack.calls()), "Stop did not reach the provider")
    check(wait_until(lambda: not stack.processes(), 3), "processes left:", stack.processes())


def tofus(stack):
    """tofu processes of this stack, without the plumb that runs one."""
    mark, found = f"LAB_STORE={stack.store}".encode(), []
    for proc in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{proc}/cmdline", "rb") as line, open(f"/proc/{proc}/environ", "rb") as environ:
                if line.read().split(b"\0")[0].endswith(b"/tofu") and mark in environ.read():
                    found.append(int(proc))
        except OSError:
            pass
    return found


@test("lab6", cases=["plumb", "tofu", "provider"])
def killed(lab, who):
    """kill -9 of any of the three: the others end, and nothing is left."""
    stack = slow(lab)
    stack.log_calls()
    child = start(stack, "plan", "-no-color")
    busy(stack)
    check(tofus(stack), "no tofu is running")
    if who == "plumb":
        child.kill()
    else:
        for pid in tofus(stack) if who == "tofu" else stack.processes():
            os.kill(pid, signal.SIGKILL)
    child.communicate(timeout=120)
    check(child.returncode != 0, "exit", child.returncode)
    check(wait_until(lambda: not stack.processes() and not tofus(stack), 15), "left:", stack.processes(), tofus(stack))


@test("lab6")
def exit_codes_and_words(lab):
    """The command's exit code and output are its own; words behind it are not options of plumb's."""
    stack = made(lab, 'resource "lab6_thing" "t" { name = "t" }\n')
    for code in (0, 3, 125):
        done = subprocess.run([PLUMB, "run", "sh", "-c", f"echo out; echo err >&2; exit {code}"], cwd=stack.dir, env=stack.env,
                              capture_output=True, text=True)
        check((done.returncode, done.stdout, done.stderr) == (code, "out\n", "err\n"), done)
    done = subprocess.run([PLUMB, "run", "sh", "-c", "kill -9 $$"], cwd=stack.dir, env=stack.env, capture_output=True)
    check(done.returncode == 128 + 9, done)
    done = subprocess.run([PLUMB, "run", "sh", "-c", "echo $TF_REATTACH_PROVIDERS"], cwd=stack.dir, env=stack.env,
                          capture_output=True, text=True)
    entry = json.loads(done.stdout)["plumb.test/lab/lab6"]
    check(entry["ProtocolVersion"] == 6 and entry["Test"] is True and entry["Protocol"] == "grpc", entry)
    check(not os.path.exists(entry["Addr"]["String"]), "the socket is left")
    check(not stack.processes(), "processes left:", stack.processes())
    done = subprocess.run([PLUMB, "run", "no-such-command"], cwd=stack.dir, env=stack.env, capture_output=True, text=True)
    check(done.returncode == 1 and "no-such-command" in done.stderr, done)


@test("lab6")
def chdir(lab):
    """-chdir of the command says which stack it is."""
    stack = made(lab, 'resource "lab6_thing" "t" { name = "t" }\n')
    done = subprocess.run([PLUMB, "run", "-v", stack.lab.peers["tofu"][1], f"-chdir={stack.dir}", "plan", "-no-color"],
                          cwd=stack.home, env=stack.env, capture_output=True, text=True)
    check(done.returncode == 0 and "1 providers" in done.stderr, done)


def shell(stack, script):
    return subprocess.run(["sh", "-c", script], cwd=stack.dir, env={**stack.env, "PLUMB": str(PLUMB)}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)


@test("lab6")
def in_the_background(lab):
    """eval "$(plumb proxy start)", several commands, eval "$(plumb proxy stop)"."""
    stack = made(lab, ALIASES)
    done = shell(stack, """set -e
        eval "$("$PLUMB" proxy start --log log)"
        tofu apply -auto-approve -no-color && tofu plan -no-color -detailed-exitcode && tofu validate
        ! "$PLUMB" proxy start 2>again
        echo "$PLUMB_PROXY" >where
        test -S "$PLUMB_PROXY"
        eval "$("$PLUMB" proxy stop)"
        test -z "$TF_REATTACH_PROVIDERS$PLUMB_PROXY"
        ! "$PLUMB" proxy stop""")
    check(done.returncode == 0, done.stdout[-800:], done.stderr[-800:])
    check("running already" in (stack.dir / "again").read_text(), "a second proxy was started")
    check(not os.path.exists((stack.dir / "where").read_text().strip()), "the socket is left")
    check(wait_until(lambda: not stack.processes(), 1), "processes left:", stack.processes())
    check(len(stack.state()["resources"]) == 2, stack.state())


@test("lab6")
def background_ends_by_itself(lab):
    stack = made(lab, ALIASES)
    done = shell(stack, 'eval "$("$PLUMB" proxy start --idle 1s)"; tofu plan -no-color >/dev/null; echo "$PLUMB_PROXY"')
    where = done.stdout.strip()
    check(where and wait_until(lambda: not os.path.exists(where) and not stack.processes(), 6), done, stack.processes())
    lock = stack.dir / ".terraform.lock.hcl"
    lock.write_text(lock.read_text().replace("h1:", "h1:x"))
    done = shell(stack, '"$PLUMB" proxy start')
    check(done.returncode == 1 and not done.stdout and "checksums" in done.stderr, done)


def guarded(lab, code, config="", **options):
    """A stack with a store, applied and scanned."""
    stack = made(lab, code, **options)
    stack.env["PLUMB_STORE"] = f"sqlite:{stack.home}/s.db"
    (stack.home / "plumb.yaml").write_text("version: 1\nstacks:\n  - path: root\n" + config)
    run(stack, "apply", "-auto-approve", "-no-color")
    stack.scan()
    return stack


def refused(done, *addresses):
    """tofu was told no, beside each of the addresses and its line."""
    check(done.returncode == 1, "exit", done.returncode, done.stdout[-500:], done.stderr[-500:])
    for address in addresses:
        check(re.search(rf"Refused by plumb: [^\n]*\n\n  with {re.escape(address)},\n  on main.tf line \d+, in resource", done.stderr),
              address, "was not refused beside its line:", done.stderr)
    check(done.stderr.count("Error: ") == len(addresses), "other errors:", done.stderr)


def events(stack, outcome):
    """[(subject, detail)] of gate.decision events with that outcome."""
    with sqlite3.connect(f"file:{stack.home}/s.db?mode=ro", uri=True) as db:
        lines = [json.loads(bytes(line)) if isinstance(line, (bytes, memoryview)) else json.loads(line)
                 for (line,) in db.execute("SELECT line FROM audit_event ORDER BY seq")]
    return [(e["subject"], e["detail"]) for e in lines if e["type"] == "gate.decision" and e["outcome"] == outcome]


@test("lab5", "lab6", cases=["with the lock", "-lock=false"])
def undecided_drift_is_not_undone(lab, lock):
    """What drifted and nobody decided is left as it is, whatever was skipped on the way; the rest is applied."""
    stack = guarded(lab, THING6 + THING5)
    stack.edit("lab6_thing", "t0", text="other")
    stack.delete("lab5_thing", "bare")
    stack.scan().must_find(contradicts=["lab6_thing.t[0]"], missing=["lab5_thing.bare"])
    code = (stack.dir / "main.tf").read_text()
    (stack.dir / "main.tf").write_text(code + 'resource "lab5_thing" "another" { name = "another" }\n')
    args = ["-lock=false"] if lock == "-lock=false" else []
    refused(run(stack, "apply", "-auto-approve", "-no-color", *args, check_exit=False), "lab6_thing.t[0]", "lab5_thing.bare")
    check(json.loads(stack.object("lab6_thing", "t0").read_text())["text"] == "other", "it was undone")
    check(not stack.object("lab5_thing", "bare").exists(), "it was made again")
    check(stack.object("lab5_thing", "another").exists(), "what nobody objects to was not applied")
    check(sorted(s for s, _ in events(stack, "deny")) == ["lab5_thing.bare", "lab6_thing.t[0]"], events(stack, "deny"))
    check(("lab5_thing.another") in [s for s, _ in events(stack, "allow")], events(stack, "allow"))
    done = run(stack, "destroy", "-auto-approve", "-no-color", "-target=lab6_thing.t[0]", *args, check_exit=False)
    check(done.returncode == 1 and "lab6_thing.t[0] was changed outside" in done.stderr, done.stderr)  # tofu names no line there
    check(stack.object("lab6_thing", "t0").exists(), "it was destroyed")


TIERED = 'resource "lab6_thing" "t" {\n  name = "t"\n  text = "a"\n}\n'


@test("lab6", cases=["refreshed", "-refresh=false"])
def only_what_is_set_back_is_refused(lab, how):
    """Path by path, as the gate does it: a change that leaves what drifted as it is goes through."""
    stack = guarded(lab, TIERED)
    main, thing, args = stack.dir / "main.tf", stack.object("lab6_thing", "t"), ["-auto-approve", "-no-color"]
    live = lambda: json.loads(thing.read_text())  # noqa: E731
    code = main.read_text()
    stack.edit("lab6_thing", "t", text="by hand")
    stack.scan().must_find(contradicts=["lab6_thing.t"])
    main.write_text(code.replace('"a"', '"a"\n  enabled = true'))
    done = run(stack, "apply", *args, *([how] if how != "refreshed" else []), check_exit=False)
    refused(done, "lab6_thing.t")
    check("This would set back:  text\n" in done.stderr and live()["text"] == "by hand", done.stderr, live())
    main.write_text(code.replace('"a"', '"by hand"\n  enabled = true'))
    run(stack, "apply", *args)
    check(live()["text"] == "by hand" and live()["enabled"], live())
    done = run(stack, "destroy", *args, check_exit=False)
    refused_gone = "lab6_thing.t was changed outside" in done.stderr and "This would set back:  text" in done.stderr
    check(done.returncode == 1 and refused_gone and thing.exists(), "it was destroyed:", done.stderr)


@test("lab6")
def drift_that_is_left_alone_follows_policy(lab):
    """Nothing is set back, and policy wants it decided first: refused, until it is, or where only a warning is asked for."""
    rules = """version: 1
rules:
  - id: tiers
    title: A tier was changed
    why: Tiers cost.
    match: {type: lab6_thing, class: contradicts-code}
    decision: review
"""
    for level in ("block", "warn"):
        stack = guarded(lab, TIERED, f"policy:\n  rules: [root/rules.yaml]\nreview:\n  rules:\n    - {{approvals: 0}}\ngate:\n  undecided: {level}\n", files={"rules.yaml": rules})
        stack.edit("lab6_thing", "t", text="by hand")
        scan = stack.scan()
        (stack.dir / "main.tf").write_text((stack.dir / "main.tf").read_text().replace('"a"', '"by hand"\n  enabled = true'))
        done = run(stack, "apply", "-auto-approve", "-no-color", check_exit=False)
        if level == "warn":
            check(done.returncode == 0 and "policy wants it decided first (review). (this warns only)" in done.stderr, done.stderr)
            continue
        refused(done, "lab6_thing.t")
        check("undecided drift" in done.stderr and "leaves that as it" in done.stderr, done.stderr)
        reviewed(stack, scan, "--adopt")
        run(stack, "apply", "-auto-approve", "-no-color")


@test("lab6")
def decided_drift_is_undone(lab):
    """A baseline accepts it: the next apply may do what it does."""
    stack = guarded(lab, 'resource "lab6_thing" "t" { name = "t" }\n')
    stack.edit("lab6_thing", "t", text="other")
    stack.scan("--baseline", "--reason", "as found")
    run(stack, "apply", "-auto-approve", "-no-color")


@test("lab6")
def put_right_by_hand(lab):
    """A scan finds that it is over, and the apply goes on."""
    stack = guarded(lab, 'resource "lab6_thing" "t" {\n  name = "t"\n  text = "a"\n}\n')
    stack.edit("lab6_thing", "t", text="other")
    stack.scan()
    stack.edit("lab6_thing", "t", text="a")
    code = (stack.dir / "main.tf").read_text()
    (stack.dir / "main.tf").write_text(code.replace('"a"', '"b"'))
    refused(run(stack, "apply", "-auto-approve", "-no-color", check_exit=False), "lab6_thing.t")
    stack.scan()
    run(stack, "apply", "-auto-approve", "-no-color")


@test("lab6")
def warns_where_it_is_told_to(lab):
    stack = guarded(lab, 'resource "lab6_thing" "t" {\n  name = "t"\n  text = "a"\n}\n', "gate:\n  undo: warn\n")
    stack.edit("lab6_thing", "t", text="other")
    stack.scan()
    done = run(stack, "apply", "-auto-approve", "-no-color")
    check("this warns only" in done.stderr and "lab6_thing.t " in done.stderr, done.stderr)
    check([s for s, _ in events(stack, "warn")] == ["lab6_thing.t"], events(stack, "warn"))


@test("lab6")
def addresses_are_told_apart(lab):
    """Modules, for_each and replacement: only what drifted is refused, by its own address."""
    code = MODULES + 'resource "lab6_row" "root" { name = "root" }\n'
    stack = guarded(lab, code, files={"m/main.tf": INNER})
    stack.delete("lab6_row", "y z-1")
    stack.scan().must_find(missing=['module.m["y z"].lab6_row.r[1]'])
    stack.delete("lab6_row", "x-0")
    stack.delete("lab6_row", "root")
    done = run(stack, "apply", "-auto-approve", "-no-color", check_exit=False)
    check(done.returncode == 1 and done.stderr.count("Refused by plumb") == 1, done.stderr)
    check('with module.m["y z"].lab6_row.r[1],' in done.stderr and "m/main.tf line" in done.stderr, done.stderr)
    check(not stack.object("lab6_row", "y z-1").exists() and stack.object("lab6_row", "x-0").exists(), done.stdout)


@test("lab6")
def policy_judges_planned_values(lab):
    """A rule on what would be there: neither made nor changed into it; removing it is allowed."""
    stack = made(lab, 'resource "lab6_thing" "t" {\n  name = "t"\n  text = "bad"\n}\nresource "lab6_thing" "u" { name = "u" }\n')
    (stack.home / "rules.yaml").write_text("""version: 1
rules:
  - id: no-bad
    title: A text is bad
    why: Bad texts are bad.
    match: {type: lab6_thing}
    when: {path: text, equals: bad}
    decision: block
""")
    options = ["--policy", str(stack.home / "rules.yaml")]
    done = run(stack, "apply", "-auto-approve", "-no-color", options=options, check_exit=False)
    refused(done, "lab6_thing.t")
    check("no-bad" in done.stderr and stack.object("lab6_thing", "u").exists(), done.stderr)
    run(stack, "apply", "-auto-approve", "-no-color")
    refused(run(stack, "apply", "-auto-approve", "-no-color", "-replace=lab6_thing.t", options=options, check_exit=False), "lab6_thing.t")


@test("lab6")
def store_out_of_reach(lab):
    """Nobody can be asked: nothing is run."""
    stack = made(lab, 'resource "lab6_thing" "t" { name = "t" }\n')
    done = run(stack, "apply", "-auto-approve", env={"PLUMB_STORE": "sqlite:/dev/null/s.db"}, check_exit=False)
    check(done.returncode == 1 and "nothing was run" in done.stderr, done.stderr)
    check(not stack.object("lab6_thing", "t").exists(), "it was applied")


def plumb(stack, *args, check_exit=True, **env):
    done = subprocess.run([PLUMB, *args], cwd=stack.home, env={**stack.env, **env}, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if check_exit and done.returncode:
        raise Wrong(f"plumb {args[0]}: exit {done.returncode}: {done.stdout[-500:]} {done.stderr[-500:]}")
    return done


def reviewed(stack, scan, answer, *more):
    """A review of the only finding that stands, approved by whom the environment names."""
    fingerprint = [f for f in scan.findings if f["class"] == "contradicts-code"][0]["fingerprint"]
    plumb(stack, "review", fingerprint, answer, "--reason", "meant so", *more)


@test("lab6")
def a_review_decides_once(lab):
    """Unreviewed change: denied. Reviewed: allowed. Changed again: denied again. The log verifies."""
    stack = guarded(lab, 'resource "lab6_thing" "t" {\n  name = "t"\n  text = "a"\n}\n',
                    "review:\n  rules:\n    - {approvals: 0}\n")
    stack.edit("lab6_thing", "t", text="other")
    scan = stack.scan()
    refused(run(stack, "apply", "-auto-approve", "-no-color", "-lock=false", check_exit=False), "lab6_thing.t")
    reviewed(stack, scan, "--revert")
    run(stack, "apply", "-auto-approve", "-no-color")
    check(json.loads(stack.object("lab6_thing", "t").read_text())["text"] == "a", "it was not put back")
    stack.scan()
    stack.edit("lab6_thing", "t", text="another")
    scan = stack.scan()
    refused(run(stack, "apply", "-auto-approve", "-no-color", check_exit=False), "lab6_thing.t")
    reviewed(stack, scan, "--accept", "--until", "1d")
    done = run(stack, "apply", "-auto-approve", "-no-color")
    check("accepts what is live" in done.stderr, done.stderr)
    plumb(stack, "audit", "verify")


@test("lab6")
def freeze_and_breakglass(lab):
    """A freeze stops everything within its scope; a breakglass lets it through, with a line."""
    stack = guarded(lab, 'resource "lab6_thing" "t" {\n  name = "t"\n  text = "a"\n}\n')
    main = stack.dir / "main.tf"
    main.write_text(main.read_text().replace('"a"', '"b"'))
    plumb(stack, "freeze", "*", "--reason", "end of the year", "--until", "1d")
    done = run(stack, "apply", "-auto-approve", "-no-color", check_exit=False)
    refused(done, "lab6_thing.t")
    check("end of the year" in done.stderr, done.stderr)
    plumb(stack, "breakglass", "--scope", "*", "--for", "1h", "--ticket", "INC-7", "--reason", "down")
    done = run(stack, "apply", "-auto-approve", "-no-color")
    check("a breakglass is in effect" in done.stderr, done.stderr)
    check(json.loads(stack.object("lab6_thing", "t").read_text())["text"] == "b", "it was not applied")


NAMED = """
variable "name" { default = "one" }
resource "lab6_row" "r" { name = var.name }
resource "lab6_row" "fixed" { name = "fixed" }
resource "lab6_row" "later" { name = "later" }
"""


@test("lab6")
def variables_of_the_command(lab):
    """What is made is known by its values: those of -var, too; a saved plan has its own, and then it may be any."""
    stack = guarded(lab, NAMED, env={"TF_VAR_name": "two"})
    stack.delete("lab6_row", "two")
    stack.scan().must_find(missing=["lab6_row.r"])
    stack.delete("lab6_row", "later")
    done = run(stack, "apply", "-auto-approve", "-no-color", "-var", "name=three", check_exit=False, env={"TF_VAR_name": ""})
    refused(done, "lab6_row.r")
    check(stack.object("lab6_row", "later").exists(), "what nobody objects to was not applied")
    stack.delete("lab6_row", "later")
    stack.run("plan", "-no-color", "-out", "p", env={"TF_VAR_name": "four"})
    refused(run(stack, "apply", "-no-color", "p", check_exit=False, env={"TF_VAR_name": "four"}), "lab6_row.later", "lab6_row.r")
    check(not stack.object("lab6_row", "four").exists(), "it was made")


@test("lab6")
def nothing_is_kept_between_commands(lab):
    """A proxy in the background sees the state and the code as they are when a command begins."""
    stack = guarded(lab, 'resource "lab6_row" "a" { name = "a" }\n')
    code = (stack.dir / "main.tf").read_text()
    (stack.dir / "next").write_text(code + 'resource "lab6_row" "b" { name = "b" }\n')
    done = shell(stack, """set -e
        eval "$("$PLUMB" proxy start --log log)"
        tofu apply -auto-approve -no-color
        mv next main.tf && tofu apply -auto-approve -no-color
        rm "$LAB_STORE/lab6_row/b.json" && (cd .. && unset TF_REATTACH_PROVIDERS && "$PLUMB" scan root -q || true)
        ! tofu apply -auto-approve -no-color 2>why
        eval "$("$PLUMB" proxy stop)" """)
    check(done.returncode == 0, done.stdout[-800:], done.stderr[-800:])
    check("with lab6_row.b," in (stack.dir / "why").read_text(), (stack.dir / "why").read_text())
    check(wait_until(lambda: not stack.processes(), 1), "processes left:", stack.processes())


@test("lab6")
def through_another_proxy(lab):
    """TF_REATTACH_PROVIDERS that is set already: plumb stands before those, and a scan reads through them."""
    stack = made(lab, 'resource "lab6_row" "a" { name = "a" }\n')
    done = shell(stack, """set -e
        eval "$("$PLUMB" proxy start)"
        "$PLUMB" run -v -- tofu apply -auto-approve -no-color
        "$PLUMB" scan . -q
        eval "$("$PLUMB" proxy stop)" """)
    check(done.returncode == 0, done.stdout[-800:], done.stderr[-800:])
    check("of TF_REATTACH_PROVIDERS" in done.stderr, done.stderr)


@test("lab6")
def floods_and_large_values(lab):
    """Output by the megabyte and values of 8 MB: nothing stands still."""
    stack = made(lab, 'resource "lab6_thing" "t" {\n  name = "t"\n  text = join("", [for i in range(1024) : format("%08192d", i)])\n}\n')
    run(stack, "apply", "-auto-approve", "-no-color")
    stack.fault(("lab6_thing.t", "stdout", 4 << 20), ("lab6_thing.t", "stderr", 4 << 20))
    check(run(stack, "plan", "-no-color", "-detailed-exitcode", check_exit=False).returncode == 0, "the value came back otherwise")


@test("lab6")
def interrupted_apply(lab):
    """Ctrl-C twice while a provider hangs: tofu gives up, and nothing is left."""
    stack = made(lab, 'resource "lab6_thing" "t" { name = "t" }\n')
    run(stack, "apply", "-auto-approve", "-no-color")
    stack.fault(("lab6_thing.t", "hang"))
    stack.log_calls()
    child = start(stack, "plan", "-no-color")
    busy(stack)
    for _ in range(2):
        child.send_signal(signal.SIGINT)
        time.sleep(1)
    child.communicate(timeout=120)
    check(child.returncode == 1, "exit", child.returncode)
    check(wait_until(lambda: not stack.processes() and not tofus(stack), 5), "left:", stack.processes(), tofus(stack))
