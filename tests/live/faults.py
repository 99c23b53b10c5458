"""Each fault of the labs: what cannot be read is unchecked with a useful reason; the rest is still compared."""
import time

from harness import INCOMPLETE, IN_SYNC, check, test
from worlds import applied

BOTH = {"cases": ["lab5", "lab6"]}


def faulty(lab, which, *faults, count=4):
    """count things named t0, t1, ..., applied in peace; then the faults begin."""
    stack = applied(lab, f'resource "{which}_thing" "t" {{\n  count = {count}\n  name  = "t${{count.index}}"\n  text  = "x"\n}}\n')
    stack.fault(*((match.format(which=which), *rest) for match, *rest in faults))
    return stack


def only_unchecked(scan, which, index, *words, count=4):
    """Just this instance is unchecked, with one of the words in its reason; the others were compared."""
    address = f"{which}_thing.t[{index}]"
    scan.must_find(unchecked=[address])
    check(scan.coverage[0]["compared"] == count - 1, scan.coverage)
    reason = next(f["reason"] for f in scan.findings if f["address"] == address)
    check(any(w.lower() in reason.lower() for w in words), "reason", repr(reason), "has none of", words)
    check(sum(r["resources"] for r in scan.coverage[0]["unchecked_reasons"]) == 1, "coverage without the reason:", scan.coverage)


@test("lab5", "lab6", **BOTH)
def latency(lab, which):
    stack = faulty(lab, which, ("{which}_thing.*", "latency", 100), count=40)
    scan = stack.scan().must_be_clean(40)
    scan.watch.must_be_within(3, "40 reads of 100 ms, not at once:")


@test("lab5", "lab6", **BOTH)
def throttled_for_a_while(lab, which):
    """The first answers say to come again later: plumb does, and the scan is complete."""
    stack = faulty(lab, which, ("{which}_thing.*", "throttle", 2), count=12)
    stack.scan(timeout=120).must_be_clean(12)


@test("lab5", "lab6", **BOTH)
def throttled_for_good(lab, which):
    stack = faulty(lab, which, ("{which}_thing.t1", "throttle", 1000000))
    only_unchecked(stack.scan(timeout=120), which, 1, "rate exceeded")


@test("lab5", "lab6", **BOTH)
def panics(lab, which):
    """One object kills the process whenever it is read."""
    stack = faulty(lab, which, ("{which}_thing.t2", "panic"), count=12)
    only_unchecked(stack.scan(), which, 2, "panic", "crash", count=12)
    check(not stack.processes(), "processes left")


@test("lab5", "lab6", **BOTH)
def exits(lab, which):
    stack = faulty(lab, which, ("{which}_thing.t2", "exit"))
    only_unchecked(stack.scan(), which, 2, "exit", "crash", "ended", "died")


@test("lab5", "lab6", **BOTH)
def hangs(lab, which):
    stack = faulty(lab, which, ("{which}_thing.t3", "hang"))
    scan = stack.scan("--timeout", "2s")
    only_unchecked(scan, which, 3, "deadline", "time", "answer")
    scan.watch.must_be_within(15, "took")
    check(not stack.processes(), "processes left")


@test("lab5", "lab6", **BOTH)
def floods(lab, which):
    """A provider that prints a megabyte at each read stands still when nobody listens."""
    for out in ("stdout", "stderr"):
        faulty(lab, which, ("{which}_thing.*", out, 1 << 20)).scan().must_be_clean(4)


@test("lab5", "lab6", **BOTH)
def huge_schema(lab, which):
    stack = faulty(lab, which, ("schema", "huge", 30000))
    scan = stack.scan().must_be_clean(4)
    scan.watch.must_be_within(20, "took")


@test("lab5", "lab6", **BOTH)
def refuses_configuration(lab, which):
    stack = faulty(lab, which, ("configure", "refuse", "no valid credential sources for lab found"))
    scan = stack.scan().must_find(unchecked=[f"{which}_thing.t[{i}]" for i in range(4)])
    check(all("no valid credential sources" in f["reason"] for f in scan.findings), scan.brief())


@test("lab5", "lab6", **BOTH)
def denies(lab, which):
    stack = faulty(lab, which, ("{which}_thing.t0", "deny", "AccessDenied: lab:GetThing is not allowed"))
    only_unchecked(stack.scan(), which, 0, "AccessDenied")
    stack.edit(f"{which}_thing", "t1", text="changed")
    scan = stack.scan()
    scan.must_find(unchecked=[f"{which}_thing.t[0]"], contradicts=[f"{which}_thing.t[1]"])


@test("lab5", "lab6", **BOTH)
def warns(lab, which):
    stack = faulty(lab, which, ("{which}_thing.t0", "warn", "this thing is deprecated"))
    scan = stack.scan().must_be_clean(4)
    check("this thing is deprecated" in scan.stdout + scan.stderr, "the warning is lost")


REPLIES = ["garbage", "truncated", "wrongtype", "otherobject", "unknown", "deferred"]


@test("lab5", "lab6", cases=[f"{which} {reply}" for which in ("lab5", "lab6") for reply in REPLIES])
def bent_reply(lab, case):
    """Answers that no value of this type can be, or that say \"not now\"."""
    which, reply = case.split()
    stack = faulty(lab, which, ("{which}_thing.t1", reply, 3))
    scan = stack.scan()
    check(not scan.of("missing"), "an unreadable answer was taken for a missing object:", scan.brief())
    only_unchecked(scan, which, 1, "deferred" if reply == "deferred" else "", "answer", "reply", "decode", "unknown")


@test("lab5", "lab6", **BOTH)
def empty_reply(lab, which):
    """No state at all in the answer: Terraform takes it for gone. In sync it is not."""
    scan = faulty(lab, which, ("{which}_thing.t1", "empty")).scan()
    check(scan.of("missing") + scan.of("unchecked") == [f"{which}_thing.t[1]"], scan.brief())


@test("lab5", "lab6", **BOTH)
def giant_reply(lab, which):
    """300 MB for one object is more than the protocol allows; 100 MB of zeros is no object."""
    stack = faulty(lab, which, ("{which}_thing.t1", "giant", 300 << 20))
    only_unchecked(stack.scan(timeout=200), which, 1, "large", "max", "size", "limit")
    stack = faulty(lab, which, ("{which}_thing.t1", "giant", 100 << 20))
    only_unchecked(stack.scan(timeout=200), which, 1, "")


@test("lab5", "lab6", **BOTH)
def echoes(lab, which):
    """An attribute that the provider gives back as it got it was not observed; the finding on the other one stands."""
    code = f'resource "{which}_echo" "e" {{\n  name = "e"\n  seen = "a"\n  echoed = "b"\n}}\n'
    stack = applied(lab, code)
    scan = stack.scan().must_be_clean(1)
    check(scan.coverage[0]["attributes_not_observed"] >= 1, "the echo was not noticed:", scan.coverage)
    check(stack.scan("--no-probe").must_be_clean(1), "")
    stack.edit(f"{which}_echo", "e", seen="changed", echoed="changed")
    stack.must_agree(stack.scan().must_find(contradicts=[f"{which}_echo.e"]))


@test("lab5", "lab6", **BOTH)
def no_echo_where_all_is_read(lab, which):
    stack = faulty(lab, which)
    scan = stack.scan().must_be_clean(4)
    check(scan.coverage[0]["attributes_not_observed"] == 0, "called not observed, yet it is:", scan.coverage)


@test("lab5", "lab6", **BOTH)
def half_of_all_answers_throttled(lab, which):
    stack = faulty(lab, which, ("{which}_thing.*", "throttle_percent", 30), count=60)
    start = time.monotonic()
    scan = stack.scan(timeout=120)
    check(scan.exit in (IN_SYNC, INCOMPLETE), scan.brief())
    check(not scan.of("missing") and not scan.of("contradicts-code"), scan.brief())
    check(scan.coverage[0]["compared"] >= 57, "gave up too early:", scan.coverage, time.monotonic() - start)
