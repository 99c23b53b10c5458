"""The types of Rego against OPA's own checker (`opa check`, built by bench/rego/build-peer): on generated modules, and on the policies
below LIVE_POLICIES, a folder of anybody's, each of its folders by itself. What OPA takes is never refused; what it refuses is."""
import collections
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import regogen
from harness import CI, PLUMB, ROOT, Skip, check, test

MODULES = 250
# They come before the types, and are told from what is written, not from what it means.
EARLIER = {"rego_parse_error", "rego_compile_error", "rego_recursion_error"}


def opa():
    built = subprocess.run([ROOT / "bench" / "rego" / "build-peer"], capture_output=True, text=True, check=False)
    if built.returncode != 0 and not CI:
        raise Skip("no OPA: " + built.stderr.strip()[-200:])
    check(built.returncode == 0, built.stderr)
    return Path(built.stdout.strip()) / "opa"


def said(answer):
    """(code, row) of each error. Rows of refs are left out: OPA gives those of another ref of the same rule."""
    errors = json.loads(answer).get("errors", []) if answer.strip() else []
    return {(e["code"], 0 if "undefined ref" in e["message"] else e.get("location", {}).get("row")) for e in errors}, errors


def both(peer, files, v0=False):
    old = ["--v0-compatible"] if v0 else []
    real = subprocess.run([peer, "check", "--format", "json", *old, *files], capture_output=True, text=True, check=False)
    data = [word for file in files for word in ("-d", file)]
    own = subprocess.run([PLUMB, "policy", "eval", *(["--rego-v0"] if v0 else []), *data, "1"], capture_output=True, text=True, check=False)
    check(own.returncode in (0, 1) and own.stdout.startswith("{"), files, own.returncode, own.stderr[-500:])
    return said((real.stderr or real.stdout) if real.returncode else ""), said(own.stdout)


def tell(kinds, name, kind, theirs, ours):
    kinds[kind] += 1
    if kind in ("refused by plumb only", "refused by OPA only"):
        print(f"     {kind}: {name}: {[e['message'] for e in (theirs or ours)[:2]]}", flush=True)


def kind_of(theirs, ours):
    if not theirs and ours:
        return "refused by plumb only"
    if theirs and not ours:
        return "refused by OPA only"
    return "both take it" if not theirs else "refused alike" if theirs == ours else "refused with other words"


@test()
def types_of_generated_modules(lab):
    peer = opa()
    builtins = regogen.functions(json.loads(subprocess.run([peer, "capabilities", "--current"], capture_output=True, check=True).stdout))
    check(len(builtins) > 150, "only", len(builtins), "built-ins")
    folder = lab.folder / "rego_types"
    folder.mkdir()
    files = []
    for seed in range(MODULES):
        files.append(folder / f"{seed}.rego")
        files[-1].write_text(regogen.generate(seed, builtins))
    kinds = collections.Counter()
    with ThreadPoolExecutor(2) as pool:
        for file, ((theirs, real), (ours, own)) in zip(files, pool.map(lambda f: both(peer, [f]), files)):
            tell(kinds, file.read_text(), kind_of(theirs, ours), real, own)
    print("    ", dict(kinds), flush=True)
    check(kinds["refused by plumb only"] == 0, "plumb refuses what OPA takes")
    check(kinds["refused by OPA only"] <= MODULES // 50, "OPA refuses what plumb takes")
    check(kinds["both take it"] > MODULES // 8 and kinds["refused alike"] > MODULES // 4, "the modules are too much alike", dict(kinds))


@test()
def types_of_public_policies(lab):
    root = os.environ.get("LIVE_POLICIES")
    if not root:
        raise Skip("LIVE_POLICIES names no folder of policies")
    peer = opa()
    kinds = collections.Counter()
    for folder, _, names in sorted(os.walk(root)):
        files = sorted(str(Path(folder, name)) for name in names if name.endswith(".rego"))
        for v0 in (False, True) if files else ():
            (theirs, real), (ours, own) = both(peer, files, v0)
            if not {code for code, _ in theirs} & EARLIER and "undefined function" not in str(real):
                tell(kinds, folder, kind_of(theirs, ours), real, own)
    print("    ", dict(kinds), flush=True)
    check(kinds["refused by plumb only"] == 0, "plumb refuses what OPA takes")
    check(kinds["refused by OPA only"] == 0, "OPA refuses what plumb takes")
    check(kinds["both take it"] > 0, "no policy that both take below", root)
