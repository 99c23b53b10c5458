"""What a scan must never do, however it ends: change anything, leave a process, run a foreign binary."""
import os
import re
import shutil
import signal
import time

from harness import ERROR, IN_SYNC, check, stop, test, wait_until
from worlds import THING5, THING6, applied

INSTALLED = ".terraform/providers/plumb.test/lab/lab6/1.0.0/linux_amd64"
READ_ONLY = {
    "/tfplugin5.Provider/": {"GetMetadata", "GetSchema", "GetResourceIdentitySchemas", "PrepareProviderConfig", "Configure",
                             "UpgradeResourceState", "UpgradeResourceIdentity", "ReadResource", "ValidateResourceTypeConfig",
                             "PlanResourceChange", "ImportResourceState", "GenerateResourceConfig", "CallFunction", "Stop"},
    "/tfplugin6.Provider/": {"GetMetadata", "GetProviderSchema", "GetResourceIdentitySchemas", "ValidateProviderConfig",
                             "ConfigureProvider", "UpgradeResourceState", "UpgradeResourceIdentity", "ReadResource",
                             "ValidateResourceConfig", "PlanResourceChange", "ImportResourceState", "GenerateResourceConfig",
                             "CallFunction", "StopProvider"},
    "/plugin.GRPCStdio/": {"StreamStdio"},
    "/plugin.GRPCController/": {"Shutdown"},
    "/grpc.health.v1.Health/": {"Check"},
}


@test("lab5", "lab6")
def only_reading_methods(lab):
    """The providers' own log of gRPC calls, over a scan with drift, faults and the echo probe."""
    stack = applied(lab, THING6 + THING5)
    stack.edit("lab6_thing", "t0", text="other")
    stack.delete("lab5_thing", "bare")
    stack.fault(("lab6_thing.t1", "deny", "no"), ("lab5_thing.b", "warn", "hm"))
    stack.log_calls()
    stack.scan().must_find(contradicts=["lab6_thing.t[0]"], missing=["lab5_thing.bare"], unchecked=["lab6_thing.t[1]"])
    called = {method for _, _, what, method in stack.calls() if what == "begin"}
    check(any(m.endswith("/ReadResource") for m in called), "no read was logged")
    allowed = {service + name for service, names in READ_ONLY.items() for name in names}
    check(called <= allowed, "called besides reads:", sorted(called - allowed))


@test("lab5", "lab6")
def nothing_is_written(lab):
    """The root, its .terraform, its state and the remote objects are the same bytes, with the same times."""
    stack = applied(lab, THING6 + THING5)
    stack.edit("lab6_thing", "t0", text="other")
    root, store = stack.files(), {p: p.read_bytes() for p in stack.store.rglob("*.json")}
    stack.scan()
    check(stack.files() == root, "files of the root changed")
    check({p: p.read_bytes() for p in stack.store.rglob("*.json")} == store, "remote objects changed")


@test("lab6")
def first_read_alone(lab):
    """Providers set up their clients at the first read: it goes alone, then more follow, never more than the cap."""
    stack = slow(lab, 30)
    stack.log_calls()
    stack.scan("--concurrency", "7", "--no-probe").must_be_clean(60)
    inside = most = ended = 0
    for _, _, what, method in sorted(stack.calls()):
        if not method.endswith("/ReadResource"):
            continue
        inside += 1 if what == "begin" else -1
        ended += what == "end"
        check(ended or inside <= 1, "two reads before the first had ended")
        most = max(most, inside)
    check(3 <= most <= 7, "most reads at once:", most)


def slow(lab, milliseconds, count=60):
    stack = applied(lab, f'resource "lab6_thing" "t" {{\n  count = {count}\n  name  = "t${{count.index}}"\n}}\n')
    stack.fault(("lab6_thing.*", "latency", milliseconds))
    return stack


@test("lab6", cases=["SIGINT", "SIGTERM"])
def interrupted(lab, name):
    """Within about a second it is over, says so, and no process is left."""
    stack = slow(lab, 2000)
    scan = stack.start_scan()
    check(wait_until(stack.processes, 10), "no provider was started")
    time.sleep(1)
    watch = stop(scan, getattr(signal, name))
    watch.must_be_within(1.6, "to stop took")
    check(scan.returncode != IN_SYNC, "an interrupted scan said that all is in sync")
    check(wait_until(lambda: not stack.processes(), 0.5), "processes left:", stack.processes())


@test("lab6")
def killed(lab):
    """kill -9 of plumb ends its providers too."""
    stack = slow(lab, 2000)
    scan = stack.start_scan()
    check(wait_until(stack.processes, 10), "no provider was started")
    stop(scan, signal.SIGKILL)
    check(wait_until(lambda: not stack.processes(), 2), "processes left:", stack.processes())


@test("lab6")
def no_sockets_left(lab):
    """Sockets are in a private folder that goes with the scan."""
    stack = slow(lab, 10, 5)
    temporary = stack.home / "tmp"
    temporary.mkdir()
    stack.scan(env={"TMPDIR": str(temporary), "XDG_RUNTIME_DIR": str(temporary)}).must_be_clean(5)
    check(not list(temporary.iterdir()), "left behind:", list(temporary.iterdir()))


@test("lab6")
def changed_binary_is_refused(lab):
    """A provider that is not the one in the lock file is not run."""
    stack = applied(lab, 'resource "lab6_thing" "t" { name = "t" }\n')
    link = stack.dir / INSTALLED
    real = link.resolve()
    link.unlink()
    shutil.copytree(real, link)
    binary = next(link.glob("terraform-provider-*"))
    with open(binary, "ab") as f:
        f.write(b"\0")
    stack.log_calls()
    scan = stack.scan().must_find(unchecked=["lab6_thing.t"])
    check(re.search("lock|checksum|hash", scan.findings[0]["reason"]), scan.brief())
    check(not stack.calls(), "the changed binary was run")
    stack.scan("--allow-provider-mismatch").must_be_clean(1)


@test("lab6")
def provider_not_installed(lab):
    stack = applied(lab, 'resource "lab6_thing" "t" { name = "t" }\n')
    shutil.rmtree(stack.dir / ".terraform")
    nowhere = stack.home / "nowhere.tfrc"
    nowhere.write_text("")
    scan = stack.scan(env={"TF_CLI_CONFIG_FILE": str(nowhere)}).must_find(unchecked=["lab6_thing.t"])
    check("init" in scan.findings[0]["reason"], "the reason should say what to do:", scan.brief())


@test("lab6")
def not_a_provider(lab):
    """Something else where the binary should be: a script that prints a page, and one that says nothing."""
    for text in ("#!/bin/sh\necho '<html>proxy error</html>'\n", "#!/bin/sh\nexit 0\n"):
        stack = applied(lab, 'resource "lab6_thing" "t" { name = "t" }\n')
        link = stack.dir / INSTALLED
        link.unlink()
        link.mkdir()
        script = link / "terraform-provider-lab6_v1.0.0"
        script.write_text(text)
        script.chmod(0o755)
        scan = stack.scan("--allow-provider-mismatch").must_find(unchecked=["lab6_thing.t"])
        check(scan.findings[0]["reason"], scan.brief())


@test("lab6")
def broken_state(lab):
    stack = applied(lab, 'resource "lab6_thing" "t" { name = "t" }\n')
    path = stack.dir / "terraform.tfstate"
    whole = path.read_text()
    for text in (whole[: len(whole) // 2], "{}", whole + whole, '{"version": 3}'):
        path.write_text(text)
        scan = stack.scan()
        check(scan.exit == ERROR, "a broken state should be an error:", scan.brief())
        check("terraform.tfstate" in scan.stderr + scan.stdout, "the error does not name the file:", scan.stderr)


@test("lab6")
def same_bytes(lab):
    """The same world twice: the same report, byte for byte, and the same fingerprints elsewhere."""
    stack = applied(lab, THING6)
    stack.edit("lab6_thing", "t0", text="other", zones=["z5", "z4"])
    stack.delete("lab6_thing", "t2")
    one, two = stack.scan(), stack.scan(env={"TZ": "Asia/Tokyo", "LC_ALL": "C"})
    check(one.stdout == two.stdout, "two reports of one world differ")
    fingerprints = [f["fingerprint"] for f in one.findings]
    check(len(set(fingerprints)) == len(fingerprints), "one fingerprint for two findings")


@test("lab6")
def side_by_side(lab):
    """Many scans at once, each of which clears away what killed ones left: none takes another's folder for that."""
    stack = slow(lab, 5, 5)
    for _ in range(4):
        scans = [stack.start_scan() for _ in range(8)]
        for scan in scans:
            out, err = scan.communicate(timeout=120)
            check(scan.returncode == IN_SYNC, "exit", scan.returncode, out[-600:], err[-300:])
