"""What the end-to-end tests stand on: peers, a provider mirror, stacks, scans, and a test list."""
import concurrent.futures
import contextlib
import fcntl
import fnmatch
import io
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PLUMB = Path(os.environ.get("PLUMB", ROOT / "build" / "plumb")).resolve()
CI = os.environ.get("CI") == "true"
LABS = ("lab5", "lab6", "labpg")
FRAMEWORK = ("/lab6", "/time", "/terraform")  # providers that are not on an SDK of the legacy type system
IN_SYNC, ERROR, DRIFT, INCOMPLETE = 0, 1, 2, 4
MORE_CLIENTS = {}  # further binaries of Terraform or OpenTofu, from LIVE_CLIENTS: paths with ':' between
for path in filter(None, os.environ.get("LIVE_CLIENTS", "").split(":")):
    if os.access(path, os.X_OK):
        MORE_CLIENTS[Path(path).name] = Path(path).absolute()
    else:
        print(f"tests/live: LIVE_CLIENTS: {path} is no program: nothing is run with it", file=sys.stderr)
CLIENTS = ["tofu", "terraform", *MORE_CLIENTS]


class Skip(Exception):
    pass


class Wrong(AssertionError):
    pass


def check(condition, *words):
    if not condition:
        raise Wrong(" ".join(str(w) for w in words))


TESTS = []


def test(*needs, **each):
    """Register a test that needs these peers; cases=[...] makes one test per case."""
    def register(function):
        for case in each.get("cases", [None]):
            name = function.__name__ + (f"[{case}]" if case is not None else "")
            TESTS.append((name, needs, function, case))
        return function
    return register


class Lab:
    """Everything that one run of the tests shares: built peers, the mirror, a folder for all."""

    def __init__(self):
        self.root = self.folder = Path(tempfile.mkdtemp(prefix="plumb-live-"))
        built = subprocess.run([HERE / "build-peers"], stdout=subprocess.PIPE, text=True, check=CI)
        self.peers = {name: (version, Path(path)) for name, version, path in map(str.split, built.stdout.splitlines())}
        if shutil.which("terraform"):
            self.peers["terraform"] = ("", Path(shutil.which("terraform")))
        self.peers.update({name: ("", path) for name, path in MORE_CLIENTS.items()})
        self.mirror = self.folder / "mirror"
        for name, (version, path) in self.peers.items():
            for home in self.homes(name):
                place = self.mirror / home / version / "linux_amd64"
                place.mkdir(parents=True)
                shutil.copy(path, place / f"terraform-provider-{name}_v{version}")
        self.cli_config = self.folder / "cli.tfrc"
        self.cli_config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{self.mirror}"\n  }}\n}}\n')

    @staticmethod
    def homes(name):
        if name in (*CLIENTS, "note", "gcs"):
            return []
        if name in LABS:
            return [f"plumb.test/lab/{name}"]
        return [f"registry.opentofu.org/hashicorp/{name}", f"registry.terraform.io/hashicorp/{name}"]

    def begin_anew(self):
        """What ran already left its folders: from here on there are others."""
        self.folder = Path(tempfile.mkdtemp(prefix="again-", dir=self.root))

    def close(self):
        shutil.rmtree(self.root, ignore_errors=True)


class Scan:
    """One run of `plumb scan`: exit code, the JSON it printed, what it said on stderr."""

    def __init__(self, done, watch):
        self.exit, self.stdout, self.stderr, self.watch = done.returncode, done.stdout, done.stderr, watch
        try:
            self.report = json.loads(done.stdout)
        except ValueError:
            self.report = {"stacks": []}

    @property
    def findings(self):
        return [f for s in self.report["stacks"] for f in s["findings"]]

    @property
    def coverage(self):
        return [s["coverage"] for s in self.report["stacks"]]

    def of(self, class_):
        return sorted({f["address"] for f in self.findings if f["class"] == class_})

    def brief(self):
        lines = [f"{f['class']} {f['address']} {[c['path'] for c in f['changes']]} {f.get('reason') or ''}" for f in self.findings]
        return f"exit {self.exit}; " + "; ".join(lines[:8]) + ("" if self.report["stacks"] else f" no report: {self.stderr[-600:]}")

    def must_be_clean(self, resources=None):
        check(self.exit == IN_SYNC, "expected a clean scan, got", self.brief())
        check(not [f for f in self.findings if f["class"] != "state-only"], "findings in a clean scan:", self.brief())
        check(self.stdout.strip(), "no report")
        for c in self.coverage:
            check(c["unchecked"] == 0 and c["compared"] == c["resources"], "coverage is not complete:", c)
        if resources is not None:
            check(sum(c["resources"] for c in self.coverage) == resources, "resources:", self.coverage, "expected", resources)
        return self

    def must_find(self, *, contradicts=(), missing=(), state_only=(), unchecked=(), unapplied=()):
        """Exactly these addresses in each class (state-only: at least), and the exit code that follows."""
        for class_, want in (("contradicts-code", contradicts), ("missing", missing), ("unchecked", unchecked),
                             ("unapplied", unapplied)):
            check(self.of(class_) == sorted(want), class_, "should be", sorted(want), "but:", self.brief())
        check(set(state_only) <= set(self.of("state-only")), "state-only should hold", state_only, "but:", self.brief())
        want = DRIFT if contradicts or missing else INCOMPLETE if unchecked else IN_SYNC
        check(self.exit == want, "exit should be", want, "but:", self.brief())
        return self

    def changes(self, address):
        return {c["path"]: c for f in self.findings if f["address"] == address for c in f["changes"]}


class Stack:
    """A root module in a folder of its own, with a lab store beside it."""

    def __init__(self, lab, code, tool="tofu", env=None, files=None):
        self.lab, self.tool = lab, tool
        self.home = Path(tempfile.mkdtemp(prefix="stack-", dir=lab.folder))
        self.dir, self.store = self.home / "root", self.home / "store"
        self.dir.mkdir()
        self.store.mkdir()
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "PG", "PLUMB_"))}
        self.env.update(LAB_STORE=str(self.store), TF_CLI_CONFIG_FILE=str(lab.cli_config), CHECKPOINT_DISABLE="1",
                        TF_IN_AUTOMATION="1", XDG_CACHE_HOME=str(self.home / "cache"), NO_COLOR="1",
                        PATH=f"{lab.peers[tool][1].parent}:{os.environ['PATH']}")
        if tool in MORE_CLIENTS:  # not found by its name on the PATH
            self.env["PLUMB_TERRAFORM"] = str(lab.peers[tool][1])
        self.env.update(env or {})
        self.write("main.tf", self.providers(code) + code)
        for name, text in (files or {}).items():
            self.write(name, text)

    def providers(self, code):
        used = [n for n in LABS if n + "_" in code or f'"{n}"' in code]
        return "terraform {\n  required_providers {\n" + "".join(
            f'    {n} = {{ source = "plumb.test/lab/{n}" }}\n' for n in used) + "  }\n}\n"

    def write(self, name, text):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run(self, *args, check_exit=True, env=None):
        done = subprocess.run([self.lab.peers[self.tool][1], *args], cwd=self.dir, env={**self.env, **(env or {})},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if check_exit and done.returncode:
            raise Wrong(f"{self.tool} {args[0]}: exit {done.returncode}: {(done.stdout + done.stderr)[-1500:]}")
        return done

    def apply(self, *args, **options):
        if not (self.dir / ".terraform").exists():
            self.run("init", "-no-color")
        return self.run("apply", "-auto-approve", "-no-color", *args, **options)

    def drift(self):
        """resource_drift of a refresh-only plan: what Terraform itself sees."""
        self.run("plan", "-refresh-only", "-no-color", "-out", "p.tfplan")
        plan = json.loads(self.run("show", "-json", "p.tfplan").stdout)
        (self.dir / "p.tfplan").unlink()
        return [e for e in plan.get("resource_drift", []) if e["change"]["actions"] != ["no-op"]]

    def planned(self, *args):
        """{address: change} of what a plan would do, without what it would only read or leave."""
        self.run("plan", "-no-color", "-out", "p.tfplan", *args)
        plan = json.loads(self.run("show", "-json", "p.tfplan").stdout)
        (self.dir / "p.tfplan").unlink()
        return {e["address"]: e["change"] for e in plan.get("resource_changes", [])
                if e["mode"] == "managed" and e["change"]["actions"] != ["no-op"]}

    def must_plan(self, scan):
        """What a plan changes is what plumb finds: unapplied where it changes without drift too, else drift; nothing more."""
        plan, ahead = self.planned(), self.planned("-refresh=false")
        drift, unapplied = set(scan.of("contradicts-code")) | set(scan.of("missing")), set(scan.of("unapplied"))
        check(drift | unapplied == set(plan), "tofu would change", sorted(plan), "but:", scan.brief())
        check(unapplied <= set(ahead), "tofu would change without drift", sorted(ahead), "but:", scan.brief())
        check(set(ahead) - unapplied <= drift, "not unapplied:", sorted(set(ahead) - unapplied - drift), "but:", scan.brief())
        check(set(plan) - set(ahead) <= drift, "not drift:", sorted(set(plan) - set(ahead) - drift), "but:", scan.brief())
        for address in scan.of("contradicts-code"):
            before, after = plan[address]["before"] or {}, plan[address]["after"] or {}
            unknown = plan[address].get("after_unknown") or {}
            for f in scan.findings:
                if f["address"] != address or f["class"] != "contradicts-code" or f.get("ignored"):
                    continue
                for path in (top(c["path"]) for c in f["changes"] if c["configurable"]):
                    check(before.get(path) != after.get(path) or unknown.get(path), "tofu leaves", path, "of", address, "but:", scan.brief())
        return scan

    def command(self, *args):
        return [str(PLUMB), "scan", str(self.dir), "--output", "json", *args]

    def scan(self, *args, env=None, timeout=600):
        watch = Stopwatch()
        done = subprocess.run(self.command(*args), cwd=self.home, env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", timeout=timeout)
        check(done.returncode >= 0, "plumb died of signal", -done.returncode, done.stderr[-2000:])
        watch.stop()
        return Scan(done, watch)

    def start_scan(self, *args, env=None):
        return subprocess.Popen(self.command(*args), cwd=self.home, env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    # the world behind Terraform's back

    def object(self, kind, name):
        return self.store / kind / f"{name}.json"

    def edit(self, kind, name, **changes):
        """Change the remote object, as its console would: the etag changes with it."""
        self.edit_path(self.object(kind, name), changes)

    @staticmethod
    def edit_path(path, changes):
        path.write_text(json.dumps({**json.loads(path.read_text()), "etag": os.urandom(4).hex(), **changes}))

    @contextlib.contextmanager
    def edited(self, kind, name, **changes):
        """The same for a while."""
        path = self.object(kind, name)
        before = path.read_text()
        self.edit(kind, name, **changes)
        try:
            yield
        finally:
            path.write_text(before)

    def delete(self, kind, name):
        self.object(kind, name).unlink()

    def fault(self, *faults):
        """Each fault: (match, do) or (match, do, n or text)."""
        rows = []
        for match, do, *more in faults:
            rows.append({"match": match, "do": do, **({"n" if isinstance(m, int) else "text": m for m in more})})
        (self.store / "faults.json").write_text(json.dumps(rows))

    def log_calls(self):
        (self.store / "calls.log").write_text("")

    def calls(self):
        """[(nanoseconds, pid, begin or end, method)]"""
        lines = (line.split() for line in (self.store / "calls.log").read_text().splitlines())
        return [(int(at), int(pid), what, method) for at, pid, what, method in lines]

    def processes(self):
        """Provider processes alive for this stack, found by the store they were given."""
        mark, found = f"LAB_STORE={self.store}".encode(), []
        for proc in Path("/proc").glob("[0-9]*"):
            try:
                if b"terraform-provider-" in (proc / "cmdline").read_bytes() and mark in (proc / "environ").read_bytes():
                    found.append(int(proc.name))
            except OSError:
                pass
        return found

    def files(self):
        return {str(p): (p.lstat().st_mtime_ns, p.read_bytes() if p.is_file() else b"") for p in sorted(self.dir.rglob("*"))}

    def state(self):
        return json.loads((self.dir / "terraform.tfstate").read_text())

    # the comparison that every world ends with

    def must_agree(self, scan):
        """plumb finds each entry of resource_drift, attribute by attribute, and says contradicts-code of nothing else."""
        drift = {e["address"]: e for e in self.drift()}
        entries = {address: e["change"] for address, e in drift.items()}
        for address, change in entries.items():
            if "delete" in change["actions"]:
                check(address in scan.of("missing"), address, "is gone, but:", scan.brief())
                continue
            before, after = change["before"], change["after"]
            differ = {k for k in set(before) | set(after) if before.get(k) != after.get(k)}
            if not drift[address]["provider_name"].endswith(FRAMEWORK):
                differ = {k for k in differ if settled(before.get(k)) != settled(after.get(k))}
            found = {top(path) for path in scan.changes(address)}
            check(differ <= found, "tofu sees", sorted(differ), "differ in", address, "but:", scan.brief())
        for address in scan.of("contradicts-code"):
            check(address in entries, "tofu sees no drift in", address, "but:", scan.brief())
            before, after = entries[address]["before"], entries[address]["after"]
            for path in scan.changes(address):
                check(before.get(top(path)) != after.get(top(path)), "tofu sees no change of", path, "in", address)
        for address in scan.of("missing"):
            check("delete" in entries.get(address, {"actions": []})["actions"], address, "is missing for plumb only")
        return scan


def settled(value):
    """Without null and empty, which SDK v2 makes out of each other at a refresh; plumb has a rule for it."""
    if isinstance(value, dict):
        value = {k: settled(v) for k, v in value.items() if settled(v) is not None}
    elif isinstance(value, list):
        value = [settled(v) for v in value]
    return None if value in ("", [], {}) else value


def top(path):
    """The top-level attribute of a path: tags["a.b"] -> tags."""
    for i, c in enumerate(path):
        if c in ".[":
            return path[:i]
    return path


PATIENCE_S = 120  # for what must come, however busy the machine is
BUSY_S = 60  # for what is quick on a machine with nothing else to do


class Stopwatch:
    """How long something took, and whether the machine had time for it."""

    def __init__(self):
        self.start, self.times = time.monotonic(), self.spent()
        self.seconds = self.busy = None

    @staticmethod
    def spent():
        """(idle, all) of all processors; waiting for a disk is not idle."""
        with open("/proc/stat") as stat:
            fields = [int(n) for n in stat.readline().split()[1:]]
        return fields[3], sum(fields[:8])

    def stop(self):
        """The seconds until now; busy: more than a third of the machine was at work."""
        idle, all_ = (now - before for now, before in zip(self.spent(), self.times))
        self.seconds, self.busy = time.monotonic() - self.start, idle * 3 < all_ * 2
        return self.seconds

    def must_be_within(self, limit, *words):
        """A promise of time is held on a machine that had nothing else to do; a busy one has a longer limit."""
        took = self.stop() if self.seconds is None else self.seconds
        check(took <= (max(limit, BUSY_S) if self.busy else limit), *words, f"{took:.2f} s, on a machine that was",
              "busy" if self.busy else "idle")


def wait_until(condition, seconds):
    """What must come within that time, or later on a busy machine."""
    watch = Stopwatch()
    while watch.stop() < seconds or (watch.busy and watch.seconds < PATIENCE_S):
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def stop(process, sig=signal.SIGINT):
    """Send the signal; a stopwatch that ran until it ended."""
    watch = Stopwatch()
    process.send_signal(sig)
    process.communicate(timeout=PATIENCE_S)
    watch.stop()
    return watch


def run_one(lab, name, needs, function, case):
    """ok, note, skip or FAIL, and what there is to say."""
    start = time.monotonic()
    absent = [n for n in ("tofu", *needs) if n not in lab.peers]
    if absent == ["terraform"]:
        return "note", "only where a terraform is installed"
    try:
        if absent and not CI:
            raise Skip("not here: " + ", ".join(absent))
        check(not absent, "not here: " + ", ".join(absent))
        function(lab, *([case] if case is not None else []))
        return "ok", f"({time.monotonic() - start:.1f} s)"
    except Skip as e:
        return "skip", str(e)
    except Exception as e:  # a broken test is a failed test; the others still run
        return "FAIL", f"{type(e).__name__}: {e}"


AT_WORK = []  # lab and tests, for the processes that run them


def run_apart(i):
    """In a process of its own kind: what it printed, how it ended."""
    lab, chosen = AT_WORK
    with contextlib.redirect_stdout(io.StringIO()) as out:
        end = run_one(lab, *chosen[i])
    return out.getvalue(), end


def tell(test_, said, end):
    print(f"{said}{end[0]:4} {test_[0]}{'' if end[0] == 'ok' else ':'} {end[1]}", flush=True)
    return end


def run_beside(lab, chosen, at_once):
    """How each ended; the last ones first, for the long ones are among them."""
    ends = [("FAIL", "the process that ran it died")] * len(chosen)
    AT_WORK[:] = lab, chosen
    with concurrent.futures.ProcessPoolExecutor(at_once, multiprocessing.get_context("fork")) as pool:
        running = {pool.submit(run_apart, i): i for i in reversed(range(len(chosen)))}
        for done in concurrent.futures.as_completed(running):
            i = running[done]
            said, end = ("", ends[i]) if done.exception() else done.result()
            ends[i] = tell(chosen[i], said, end)
    return ends


@contextlib.contextmanager
def alone():
    """While nothing runs beside it: script/test has the other suites hold the file of TEST_LANE together."""
    if not os.environ.get("TEST_LANE"):
        yield
        return
    with open(os.environ["TEST_LANE"]) as lane:
        fcntl.flock(lane, fcntl.LOCK_EX)
        yield


def run_tests(lab, chosen, at_once=1):
    """(passed, failed, skipped); what failed gets one second run when all others have ended, for a machine may be busy for a
    moment, unless a sanitizer reported it."""
    if at_once > 1 and len(chosen) > 1:
        ends = run_beside(lab, chosen, at_once)
    else:
        ends = [tell(test_, "", run_one(lab, *test_)) for test_ in chosen]
    for i, (word, first) in enumerate(ends):
        if word != "FAIL" or "Sanitizer: " in first:
            continue
        lab.begin_anew()
        with alone():
            word, text = run_one(lab, *chosen[i])
        if word == "ok":
            print(f"needed a second run alone: {chosen[i][0]} (first: {' '.join(first.split())[:300]})", flush=True)
            ends[i] = word, text
        else:
            print(f"{word:4} {chosen[i][0]}: {text} (again, alone)", flush=True)
    words = [word for word, _ in ends]
    return words.count("ok"), words.count("FAIL"), words.count("skip")


def main(argv):
    patterns = argv or ["*"]
    chosen = [t for t in TESTS if any(fnmatch.fnmatch(t[0], f"*{p}*") for p in patterns)]
    if not PLUMB.exists():
        print(f"tests/live: no {PLUMB}: run ./script/build release first", file=sys.stderr)
        return 1
    lab = Lab()
    try:
        passed, failed, skipped = run_tests(lab, chosen, int(os.environ.get("LIVE_AT_ONCE") or os.cpu_count() or 1))
    finally:
        if os.environ.get("LIVE_KEEP"):
            print(f"kept {lab.root}", file=sys.stderr)
        else:
            lab.close()
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0
