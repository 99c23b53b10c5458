"""Shapes of stacks: modules, instances, aliases, workspaces, tainted and deposed objects, old schemas."""
import json
import shutil
import subprocess

from harness import DRIFT, IN_SYNC, PLUMB, Scan, Stack, check, test, wait_until
from worlds import THING6, applied

MODULE = '''
terraform {
  required_providers { lab6 = { source = "plumb.test/lab/lab6" } }
}
variable "prefix" {}
resource "lab6_thing" "t" {
  count = 2
  name  = "${var.prefix}${count.index}"
  text  = "x"
}
'''


@test("lab6")
def modules(lab):
    stack = applied(lab, '''
module "net" {
  for_each = { "a" = "a", "b.c" = "b", "say \\"hi\\" $${x}" = "s" }
  source   = "./net"
  prefix   = each.value
}
resource "lab6_thing" "root" {
  count = 2
  name  = "root${count.index}"
}
''', files={"net/main.tf": MODULE})
    stack.must_agree(stack.scan().must_be_clean(8))
    stack.edit("lab6_thing", "b1", text="y")
    stack.edit("lab6_thing", "s0", text="y")
    stack.delete("lab6_thing", "root1")
    stack.must_agree(stack.scan().must_find(
        contradicts=['module.net["b.c"].lab6_thing.t[1]', 'module.net["say \\"hi\\" $${x}"].lab6_thing.t[0]'],
        missing=["lab6_thing.root[1]"]))


@test("lab6", "lab5")
def aliases(lab):
    """Each provider configuration is a process of its own, with its own settings out of plumb.yaml."""
    code = '''
provider "lab6" { store = "%(home)s/main" }
provider "lab6" {
  alias = "east"
  store = "%(home)s/east"
}
resource "lab6_thing" "main" { name = "x" }
resource "lab6_thing" "east" {
  provider = lab6.east
  name     = "x"
  text     = "here"
}
resource "lab5_thing" "five" { name = "x" }
'''
    stack = Stack(lab, code)
    stack.write("main.tf", stack.providers(code) + code % {"home": stack.home})
    stack.apply()
    (stack.home / "plumb.yaml").write_text(json.dumps({"version": 1, "providers": {
        "lab6": {"store": f"{stack.home}/main"}, "lab6.east": {"store": "env:EAST"}}}))
    env = {"EAST": f"{stack.home}/east"}
    stack.log_calls()
    scan = stack.scan(env=env).must_be_clean(3)
    readers = {pid for _, pid, _, method in stack.calls() if method.endswith("/ReadResource")}
    check(len(readers) == 3, "processes that read:", readers)
    stack.must_agree(scan)
    (stack.home / "east/lab6_thing/x.json").unlink()
    stack.must_agree(stack.scan(env=env).must_find(missing=["lab6_thing.east"]))


@test("lab6")
def workspaces(lab):
    stack = applied(lab, 'resource "lab6_thing" "t" { name = "in-${terraform.workspace}" }\n')
    stack.run("workspace", "new", "staging")
    stack.apply()
    stack.edit("lab6_thing", "in-default", text="changed")
    stack.scan().must_be_clean(1)
    stack.scan(env={"TF_WORKSPACE": "default"}).must_find(contradicts=["lab6_thing.t"])
    stack.run("workspace", "select", "default")
    stack.must_agree(stack.scan().must_find(contradicts=["lab6_thing.t"]))
    stack.scan(env={"TF_WORKSPACE": "staging"}).must_be_clean(1)


@test("lab6")
def data_dir(lab):
    stack = Stack(lab, 'resource "lab6_thing" "t" { name = "t" }\n', env={"TF_DATA_DIR": ".elsewhere"})
    stack.run("init")
    stack.apply()
    check((stack.dir / ".elsewhere/providers").exists(), "tofu did not use TF_DATA_DIR")
    shutil.rmtree(stack.dir / ".terraform", ignore_errors=True)
    stack.scan().must_be_clean(1)


@test("lab5", "lab6", cases=["lab5", "lab6"])
def tainted(lab, which):
    """An object whose creation failed after it was made is in the state, tainted; it exists and is read."""
    stack = Stack(lab, f'resource "{which}_thing" "t" {{ name = "t" }}\nresource "{which}_thing" "u" {{ name = "u" }}\n')
    stack.fault((f"create/{which}_thing.t", "deny", "made, but not well"))
    stack.run("init")
    check(stack.apply(check_exit=False).returncode == 1, "the apply should fail")
    check('"tainted"' in (stack.dir / "terraform.tfstate").read_text(), "nothing is tainted")
    stack.fault()
    scan = stack.scan()
    check(scan.exit == IN_SYNC and scan.coverage[0]["resources"] == 2 and scan.coverage[0]["compared"] == 2, scan.brief())
    stack.delete(f"{which}_thing", "t")
    stack.must_agree(stack.scan().must_find(missing=[f"{which}_thing.t"]))


@test("lab6")
def deposed(lab):
    """create_before_destroy whose destroy failed leaves a deposed object: it exists, and is not the address's drift."""
    code = '''
resource "lab6_thing" "t" {
  name = "%s"
  text = "x"
  lifecycle { create_before_destroy = true }
}
'''
    stack = applied(lab, code % "one")
    stack.fault(("delete/lab6_thing.one", "deny", "may not delete"))
    stack.write("main.tf", stack.providers(code) + code % "two")
    check(stack.apply(check_exit=False).returncode == 1, "the apply should fail")
    check('"deposed"' in (stack.dir / "terraform.tfstate").read_text(), "nothing is deposed")
    stack.fault()
    scan = stack.scan()
    check(scan.exit == IN_SYNC and not scan.of("contradicts-code") and not scan.of("missing"), scan.brief())
    stack.edit("lab6_thing", "two", text="changed")
    stack.must_agree(stack.scan().must_find(contradicts=["lab6_thing.t"]))


@test("lab5", "lab6", cases=["lab5", "lab6"])
def schema_upgrade(lab, which):
    """State written by an old version of the provider's schema: the provider itself leads it to the new one."""
    code = f'resource "{which}_versioned" "v" {{\n  name = "v"\n  label = "old words"\n}}\n'
    stack = Stack(lab, code, env={"LAB_SCHEMA": "1"})
    stack.apply()
    stack.env["LAB_SCHEMA"] = "2"
    stack.write("main.tf", stack.providers(code) + code.replace("label =", "title ="))
    stack.must_agree(stack.scan().must_be_clean(1))
    stack.edit(f"{which}_versioned", "v", title="new words")
    scan = stack.must_agree(stack.scan().must_find(contradicts=[f"{which}_versioned.v"]))
    title = scan.changes(f"{which}_versioned.v")["title"]
    check((title["before"], title["after"]) == ("old words", "new words"), title)


@test("lab6")
def newer_schema_in_state(lab):
    """State written by a newer provider cannot be read by an older one."""
    code = 'resource "lab6_versioned" "v" {\n  name = "v"\n  title = "x"\n}\n'
    stack = applied(lab, code)
    stack.env["LAB_SCHEMA"] = "1"
    scan = stack.scan().must_find(unchecked=["lab6_versioned.v"])
    check("version" in scan.findings[0]["reason"], scan.brief())


@test("lab6", cases=["same", "upgraded"])
def private_and_identity(lab, identity):
    """The provider refuses to read without the private bytes that it wrote and the identity that it gave."""
    stack = applied(lab, 'resource "lab6_known" "k" {\n  name = "k"\n  text = "x"\n}\n')
    check(stack.state()["resources"][0]["instances"][0].get("identity") == {"id": "k"}, "the state has no identity")
    if identity == "upgraded":
        stack.env["LAB_IDENTITY"] = "1"
    stack.must_agree(stack.scan().must_be_clean(1))
    stack.edit("lab6_known", "k", text="y")
    stack.must_agree(stack.scan().must_find(contradicts=["lab6_known.k"]))


@test("lab6")
def not_yet_applied(lab):
    """Code that is ahead of the state is no drift, and does not change what is read."""
    code = 'resource "lab6_thing" "t" { name = "t" }\n'
    stack = applied(lab, code)
    stack.write("more.tf", 'resource "lab6_thing" "later" { name = "later" }\n')
    stack.must_plan(stack.must_agree(stack.scan().must_find(unapplied=["lab6_thing.later"])))
    stack.must_agree(stack.scan("--desired", "state").must_be_clean(1))


@test("lab6")
def ignore_rules(lab):
    stack = applied(lab, THING6)
    etag = json.loads(stack.object("lab6_thing", "t0").read_text())["etag"]
    stack.edit("lab6_thing", "t0", text="other", zones=["z9"], etag=etag)
    (stack.home / "plumb.yaml").write_text(json.dumps({"version": 1, "ignore": [
        {"address": "lab6_thing.t[0]", "path": "text", "reason": "set by the deploy script"},
        {"address": "lab6_thing.t*", "path": "zones*", "reason": "moved by the scheduler", "owner": "@ops"}]}))
    scan = stack.scan()
    check(scan.exit == IN_SYNC, scan.brief())
    check(scan.coverage[0]["ignored"] == 1 and scan.coverage[0]["different"] == 1, scan.coverage)
    check(not scan.findings, "shown without being asked:", scan.brief())
    scan = stack.scan("--show-ignored")
    check([f["address"] for f in scan.findings] == ["lab6_thing.t[0]"] and "moved by the scheduler" in scan.stdout, scan.brief())
    stack.edit("lab6_thing", "t0", text="other", zones=["z9"], enabled=False)
    stack.scan().must_find(contradicts=["lab6_thing.t[0]"])


@test("lab6", "lab5", cases=["lab5", "lab6"])
def reattach(lab, which):
    """A provider that somebody runs in a debugger: plaintext, not started by plumb, not stopped by it."""
    stack = applied(lab, f'resource "{which}_thing" "t" {{\n  name = "t"\n  text = "x"\n}}\n')
    version, binary = lab.peers[which]
    told = stack.home / "reattach.json"
    provider = subprocess.Popen([binary], env={**stack.env, "LAB_REATTACH": str(told)}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        check(wait_until(told.exists, 10), "the provider did not start")
        env = {"TF_REATTACH_PROVIDERS": told.read_text()}
        shutil.rmtree(stack.dir / ".terraform")
        stack.log_calls()
        stack.scan(env=env).must_be_clean(1)
        stack.edit(f"{which}_thing", "t", text="y")
        stack.scan(env=env).must_find(contradicts=[f"{which}_thing.t"])
        check(provider.poll() is None, "plumb stopped a provider that it had not started")
    finally:
        provider.kill()
        provider.wait()


@test("lab6")
def dev_overrides(lab):
    stack = applied(lab, 'resource "lab6_thing" "t" { name = "t" }\n')
    folder = stack.home / "override"
    folder.mkdir()
    shutil.copy(lab.peers["lab6"][1], folder / "terraform-provider-lab6")
    config = stack.home / "dev.tfrc"
    config.write_text(f'provider_installation {{\n  dev_overrides {{\n    "plumb.test/lab/lab6" = "{folder}"\n  }}\n  direct {{}}\n}}\n')
    shutil.rmtree(stack.dir / ".terraform")
    stack.scan(env={"TF_CLI_CONFIG_FILE": str(config)}).must_be_clean(1)


@test("lab6")
def many_stacks(lab):
    """One scan over several roots: each has its own part of the report, and the worst decides the exit code."""
    stacks = [applied(lab, f'resource "lab6_thing" "t" {{ name = "t{i}" }}\n') for i in range(2)]
    for stack in stacks[1:]:
        shutil.copytree(stack.dir, stacks[0].dir.parent / "second", symlinks=True)
        shutil.copytree(stack.store, stacks[0].store, dirs_exist_ok=True)
    stacks[0].delete("lab6_thing", "t1")
    scan = stacks[0].scan(str(stacks[0].dir.parent / "second"))
    check(len(scan.report["stacks"]) == 2 and scan.exit == DRIFT, scan.brief())
    check(sorted(len(s["findings"]) for s in scan.report["stacks"]) == [0, 1], scan.brief())


@test("lab6")
def plan_offline(lab):
    """The same world through a saved plan, without any provider: the same addresses in the same classes."""
    stack = applied(lab, THING6)
    stack.edit("lab6_thing", "t0", text="other")
    stack.delete("lab6_thing", "t2")
    live = stack.scan()
    stack.run("plan", "-refresh-only", "-out", "p.tfplan")
    (stack.home / "plan.json").write_text(stack.run("show", "-json", "p.tfplan").stdout)
    stack.log_calls()
    done = subprocess.run([PLUMB, "scan", "--plan", stack.home / "plan.json", "--output", "json"], env=stack.env,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    plan = Scan(done, 0)
    check(not stack.calls(), "a provider was started")
    check(plan.exit == DRIFT, plan.brief())
    for class_ in ("contradicts-code", "missing"):
        check(plan.of(class_) == live.of(class_), class_, "by plan:", plan.brief(), "; live:", live.brief())
    check("s3cr3t" not in plan.stdout + plan.stderr, "the secret is in the output")
