"""The gate with real tofu and real providers: saved plans, the world changed behind their back, approvals."""
import json
import os
import sqlite3
import subprocess

from harness import CLIENTS, PLUMB, Stack, check, test

CODE = '''
resource "lab6_row" "web" {
  name = "web"
  text = "%s"
}
resource "lab6_row" "db" {
  name = "db"
  text = "db"
}
'''
BLOCK = '''version: 1
rules:
  - id: no-shouting
    title: Texts are not shouted
    match: {type: lab6_row}
    when: {path: text, matches: '^[A-Z]+$'}
    decision: block
'''


def plumb(stack, *args, env=None, where=None):
    done = subprocess.run([str(PLUMB), *args], cwd=where or stack.dir, env={**stack.env, **(env or {})},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    check(done.returncode >= 0, "plumb died", done.stderr[-1500:])
    return done


def gate(stack, want, kinds=(), *args, plan="plan.tfplan", **options):
    """The gate's decision on the saved plan: its exit code, and which objections block."""
    done = plumb(stack, "gate", "--plan", plan, "--output", "json", *args, **options)
    check(done.returncode == want, f"exit {done.returncode}, want {want}:", done.stdout[-3000:], done.stderr[-1500:])
    if done.returncode == 1 and not done.stdout:
        return {"objections": [], "said": done.stderr}
    report = json.loads(done.stdout)
    got = sorted({o["kind"] for o in report["objections"] if o["level"] == "block"})
    check(got == sorted(kinds), "objections", got, "want", sorted(kinds), done.stdout[-3000:])
    return report


def plan(stack, *args):
    stack.run("plan", "-no-color", "-out", "plan.tfplan", *args)


def made(lab, tool="tofu", text="code", yaml="version: 1\n"):
    stack = Stack(lab, CODE % text, tool=tool)
    stack.write("plumb.yaml", yaml)
    stack.apply()
    return stack


@test("lab6", "tofu", cases=CLIENTS)
def gate_undo(lab, tool):
    """Changed behind its back: denied, path by path; adopted into the code: allowed."""
    if tool not in lab.peers:
        return
    stack = made(lab, tool)
    plan(stack)
    report = gate(stack, 0)
    check(report["plan"]["state"] == report["state"] and report["state"]["lineage"], report)
    stack.edit("lab6_row", "web", text="behind")
    plan(stack)
    report = gate(stack, 2, ["undo"])
    undo = report["objections"][0]
    check(undo["address"] == "lab6_row.web" and undo["action"] == "update", undo)
    check([(c["path"], c["live"], c["wanted"]) for c in undo["changes"]] == [("text", "behind", "code")], undo)
    check(undo["location"]["file"].endswith("main.tf") and undo["location"]["line"], undo)
    stack.write("main.tf", (stack.dir / "main.tf").read_text().replace('"code"', '"behind"'))
    plan(stack)
    gate(stack, 0)


@test("lab6", "tofu", cases=CLIENTS)
def gate_first(lab, tool):
    """Nothing was ever applied: a first plan is allowed, with an import beside it that is read; a second, of more, too."""
    if tool not in lab.peers:
        return
    stack = Stack(lab, CODE % "code", tool=tool)
    stack.write("plumb.yaml", "version: 1\nstore: sqlite:.plumb/plumb.db\n")
    stack.run("init", "-no-color")
    plan(stack)
    gate(stack, 0, (), "--approve-token", "approval")
    check(plumb(stack, "gate", "verify-token", "--plan", "plan.tfplan", "--token", "approval").returncode == 0, "not approved")
    stack.run("apply", "-no-color", "plan.tfplan")
    gate(stack, 2, ["stale-live", "stale-state"])  # it was applied
    stack.write("more.tf", 'resource "lab6_row" "more" {\n  name = "more"\n}\n')
    plan(stack)
    gate(stack, 0)
    (stack.dir / "terraform.tfstate").unlink()
    stack.write("import.tf", 'import {\n  to = lab6_row.web\n  id = "web"\n}\n')
    plan(stack)
    stack.log_calls()
    gate(stack, 0)
    check(any("ReadResource" in method for *_, method in stack.calls()), "what is imported was not read")


@test("lab6", "tofu")
def gate_stale(lab):
    """What happened after the plan was made: a change, another apply, other code."""
    stack = made(lab)
    stack.write("main.tf", (stack.dir / "main.tf").read_text().replace('"code"', '"new"'))
    plan(stack)
    gate(stack, 0)
    with stack.edited("lab6_row", "web", text="meanwhile"):
        report = gate(stack, 2, ["stale-live", "undo"])
        check("text" in [c["path"] for o in report["objections"] for c in o["changes"]], report)
    gate(stack, 0)
    code = (stack.dir / "main.tf").read_text()
    stack.write("main.tf", code + "# a comment\n")
    gate(stack, 3, ["stale-code"])
    stack.write("main.tf", code)
    stack.write("more.tf", "locals {}\n")
    gate(stack, 3, ["stale-code"])
    (stack.dir / "more.tf").unlink()
    (stack.dir / "plan.tfplan").rename(stack.dir / "old.tfplan")
    stack.apply()
    gate(stack, 2, ["stale-live", "stale-state"], plan="old.tfplan")
    check(stack.run("apply", "-no-color", "old.tfplan", check_exit=False).returncode == 1, "tofu applied a stale plan")


@test("lab6", "tofu")
def gate_deleted(lab):
    """Deleted behind its back: the plan creates it anew; deleted after the plan: it is stale."""
    stack = made(lab)
    text = stack.object("lab6_row", "web").read_text()
    stack.delete("lab6_row", "web")
    plan(stack)
    gate(stack, 2, ["undo"])
    stack.object("lab6_row", "web").write_text(text)
    gate(stack, 2, ["stale-live"])
    stack.write("main.tf", (stack.dir / "main.tf").read_text().replace('"code"', '"new"'))
    plan(stack)
    stack.delete("lab6_row", "web")
    gate(stack, 2, ["stale-live", "undo"])
    plan(stack, "-destroy")
    gate(stack, 0)


@test("lab6", "tofu")
def gate_policy(lab):
    """Planned values violate a rule: 3; what cannot be read: 1."""
    stack = made(lab, yaml="version: 1\npolicy:\n  rules: rules.yaml\n")
    stack.write("rules.yaml", BLOCK)
    stack.write("main.tf", (stack.dir / "main.tf").read_text().replace('"code"', '"SHOUT"'))
    plan(stack)
    report = gate(stack, 3, ["policy"])
    check(report["objections"][0]["rule"] == "no-shouting" and report["objections"][0]["location"]["line"], report)
    stack.fault(("lab6_row.web", "deny", "AccessDenied: not yours"))
    report = gate(stack, 1, ["policy", "unread"])
    check("AccessDenied" in json.dumps(report), report)
    stack.fault()
    stack.write("broken.tfplan", "PK\x03\x04 no")
    check("broken.tfplan" in gate(stack, 1, plan="broken.tfplan")["said"], "no reason")


@test("lab6", "tofu")
def gate_only_reads_what_it_touches(lab):
    """One address of the plan: one resource is read, and nothing is written."""
    stack = made(lab)
    stack.write("main.tf", (stack.dir / "main.tf").read_text().replace('"code"', '"new"'))
    plan(stack)
    gate(stack, 0)  # schemas are remembered from here on
    before = stack.files()
    stack.log_calls()
    gate(stack, 0)
    methods = [method for _, _, what, method in stack.calls() if what == "begin"]
    check(sum("ReadResource" in m for m in methods) <= 2, methods)  # the resource, and the probe of its type
    check(not any("Apply" in m or "Import" in m for m in methods), methods)
    check(stack.files() == before, "files changed")


@test("lab6", "tofu")
def gate_git(lab):
    """Edited, not pushed, not signed, not merged: denied; clean, pushed, signed and merged: allowed."""
    stack = made(lab)
    env = {"HOME": str(stack.home), "GIT_CONFIG_NOSYSTEM": "1"}
    stack.env.update(env)

    def git(*args):
        return subprocess.run(["git", *args], cwd=stack.dir, env=stack.env, check=True, capture_output=True, text=True).stdout

    (stack.home / ".gitconfig").write_text("[user]\nname = Ann\nemail = ann@example.org\n")
    stack.write(".gitignore", ".terraform\n*.tfplan\n*.tfstate*\n")
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "one")
    plan(stack)
    gate(stack, 0)  # a repository without a remote cannot be pushed
    subprocess.run(["git", "init", "-q", "--bare", str(stack.home / "origin.git")], check=True, env=stack.env)
    git("remote", "add", "origin", "https://git.example/x.git")
    git("config", "url." + str(stack.home / "origin.git") + ".insteadOf", "https://git.example/x.git")
    gate(stack, 3, ["unpushed"])
    git("push", "-q", "origin", "main")
    gate(stack, 0)
    stack.write("main.tf", (stack.dir / "main.tf").read_text() + "# edited\n")
    plan(stack)
    gate(stack, 3, ["dirty"])
    git("checkout", "-q", "-b", "change")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(stack.home / "key")], check=True)
    stack.write("signers", "ann@example.org " + (stack.home / "key.pub").read_text())
    stack.write("plumb.yaml", "version: 1\ngate:\n  require_signed: true\n  require_merged_into: main\n  allowed_signers: signers\n")
    git("add", "-A")
    git("commit", "-qm", "two")
    git("push", "-q", "origin", "change")
    gate(stack, 3, ["unsigned", "unmerged"])
    git("config", "gpg.format", "ssh")
    git("config", "user.signingkey", str(stack.home / "key"))
    git("commit", "-q", "--amend", "-S", "-m", "two, signed")
    git("push", "-qf", "origin", "change")
    gate(stack, 3, ["unmerged"])
    git("push", "-q", "origin", "change:main")
    git("fetch", "-q", "origin")
    gate(stack, 0)
    # the same by a key of OpenPGP: known, then not known any more
    stack.env["GNUPGHOME"] = str(stack.home / "gnupg")
    (stack.home / "gnupg").mkdir(mode=0o700)
    subprocess.run(["gpg", "--batch", "--passphrase", "", "--quick-gen-key", "Ann <ann@example.org>", "ed25519", "sign"], env=stack.env,
                   check=True, capture_output=True)
    git("config", "gpg.format", "openpgp")
    git("config", "user.signingkey", "ann@example.org")
    git("commit", "-q", "--amend", "-S", "-m", "two, signed otherwise")
    git("push", "-qf", "origin", "change", "change:main")
    git("fetch", "-q", "origin")
    gate(stack, 0)
    subprocess.run(["gpgconf", "--kill", "all"], env=stack.env, check=False)
    (stack.home / "gnupg").rename(stack.home / "away")
    gate(stack, 3, ["unsigned"])
    (stack.home / "away").rename(stack.home / "gnupg")
    stack.write("extra.tf", "locals {}\n")
    git("config", "core.excludesFile", str(stack.home / "excludes"))
    (stack.home / "excludes").write_text("extra.tf\n")
    plan(stack)
    gate(stack, 3, ["dirty"])


@test("lab6", "tofu")
def gate_approval(lab):
    """An approval is good for one apply of the plan that was allowed, in the state that it was made from."""
    stack = made(lab, yaml="version: 1\nstore: sqlite:.plumb/plumb.db\n")
    stack.write("main.tf", (stack.dir / "main.tf").read_text().replace('"code"', '"new"'))
    plan(stack)
    gate(stack, 0, (), "--approve-token", "approval")

    def verify(name="plan.tfplan"):
        return plumb(stack, "gate", "verify-token", "--plan", name, "--token", "approval").returncode

    (stack.dir / "other.tfplan").write_bytes((stack.dir / "plan.tfplan").read_bytes() + b"x")
    check(verify("other.tfplan") == 3, "another file was approved")
    racers = [subprocess.Popen([str(PLUMB), "gate", "verify-token", "--plan", "plan.tfplan", "--token", "approval"],
                               cwd=stack.dir, env=stack.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
              for _ in range(4)]
    check(sorted(r.wait() for r in racers) == [0, 3, 3, 3], "used more than once, or never")
    stack.run("apply", "-no-color", "plan.tfplan")
    check(verify() == 3, "used twice")
    check(os.stat(stack.dir / "approval").st_mode & 0o777 == 0o600, "others can read the approval")


def review(stack, address, answer, *args):
    scan = plumb(stack, "scan", ".", "--output", "json", "--quiet")
    check(scan.returncode in (0, 2, 3), scan.stderr[-1500:])
    found = [f["fingerprint"] for s in json.loads(scan.stdout)["stacks"] for f in s["findings"] if f["address"] == address]
    check(found, "no finding of", address, scan.stdout[-1500:])
    done = plumb(stack, "review", found[0], "--" + answer, "--reason", "it was agreed", *args)
    check(done.returncode == 0, done.stdout, done.stderr)


@test("lab6", "tofu")
def gate_review(lab):
    """Unreviewed: denied. Reviewed: allowed, once. Changed again: denied again. Every decision is in the log."""
    stack = made(lab, yaml="version: 1\nstore: sqlite:.plumb/plumb.db\nreview: {rules: [{approvals: 0}]}\n")
    stack.edit("lab6_row", "web", text="behind")
    plan(stack)
    gate(stack, 2, ["undo"])
    review(stack, "lab6_row.web", "revert")
    gate(stack, 0, (), "--approve-token", "approval")
    verify = ["gate", "verify-token", "--plan", "plan.tfplan", "--token", "approval"]
    check([plumb(stack, *verify).returncode for _ in range(2)] == [0, 3], "not once")
    stack.run("apply", "-no-color", "plan.tfplan")
    check(json.loads(stack.object("lab6_row", "web").read_text())["text"] == "code", "not applied")
    stack.edit("lab6_row", "web", text="behind, again")
    plan(stack)
    gate(stack, 2, ["undo"])
    stack.edit("lab6_row", "web", text="accepted")
    review(stack, "lab6_row.web", "accept", "--until", "30d")
    plan(stack)
    report = gate(stack, 0)
    check([o["level"] for o in report["objections"]] == ["warn"], report)
    stack.edit("lab6_row", "web", text="wanted")
    review(stack, "lab6_row.web", "adopt")
    plan(stack)
    gate(stack, 2, ["undo"])
    with sqlite3.connect(stack.dir / ".plumb" / "plumb.db") as store:
        events = [json.loads(line) for line, in store.execute("SELECT line FROM audit_event ORDER BY seq")]
    told = [(e["outcome"], e["detail"]["exit_code"]) for e in events if e["type"] == "gate.decision"]
    check(told == [("deny", 2), ("allow", 0), ("deny", 2), ("allow", 0), ("deny", 2)], told)


@test("lab6", "tofu")
def gate_freeze(lab):
    """A freeze denies; breakglass turns what blocks into warnings, and is told in the log."""
    stack = made(lab, yaml="version: 1\nstore: sqlite:.plumb/plumb.db\nstacks: [{path: ., name: shop}]\n")
    stack.write("main.tf", (stack.dir / "main.tf").read_text().replace('"code"', '"new"'))
    plan(stack)
    gate(stack, 0)
    for args in (["freeze", "shop", "--reason", "the fair", "--until", "2h"],):
        done = plumb(stack, *args)
        check(done.returncode == 0, args, done.stderr)
    report = gate(stack, 3, ["freeze"])
    check("the fair" in json.dumps(report) and "is in effect until 2" in json.dumps(report), report)
    stack.edit("lab6_row", "web", text="behind")
    done = plumb(stack, "breakglass", "--scope", "shop", "--for", "1h", "--ticket", "OPS-1", "--reason", "it burns")
    check(done.returncode == 0, done.stderr)
    report = gate(stack, 0)
    check(report["breakglass"] and {"freeze", "undo"} <= {o["kind"] for o in report["objections"]}, report)


@test("lab6", "tofu")
def gate_moved(lab):
    """What was moved in the code is found where the state has it; drifted, it is denied under its new address."""
    stack = made(lab)
    code = (stack.dir / "main.tf").read_text().replace('"lab6_row" "web"', '"lab6_row" "site"').replace('"code"', '"new"')
    stack.write("main.tf", code + 'moved {\n  from = lab6_row.web\n  to   = lab6_row.site\n}\n')
    plan(stack)
    gate(stack, 0)
    stack.edit("lab6_row", "web", text="behind")
    plan(stack)
    report = gate(stack, 2, ["undo"])
    check([o["address"] for o in report["objections"]] == ["lab6_row.site"], report)
