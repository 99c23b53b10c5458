"""The types of Rego against OPA's own checker (`opa check`, built by bench/rego/build-peer): on generated modules, and on the policies
below LIVE_POLICIES, a folder of anybody's, each of its folders by itself. What OPA takes is never refused; what it refuses is."""
import collections
import json
import os
import random
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


def both(peer, files, v0=False, schema=()):
    old = ["--v0-compatible"] if v0 else []
    real = subprocess.run([peer, "check", "--format", "json", *old, *schema, *files], capture_output=True, text=True, check=False)
    data = [word for file in files for word in ("-d", file)]
    own = subprocess.run([PLUMB, "policy", "eval", *(["--rego-v0"] if v0 else []), *data, *schema, "1"], capture_output=True, text=True, check=False)
    check(own.returncode in (0, 1) and own.stdout.startswith("{"), files, own.returncode, own.stderr[-500:])
    theirs = (real.stderr or real.stdout) if real.returncode else ""
    if theirs and not theirs.startswith("{"):  # it follows types that contain themselves without an end
        check("goroutine" in theirs, theirs[:500])
        return None
    return said(theirs), said(own.stdout)


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
    folder.mkdir(exist_ok=True)
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


SCHEMA = {"type": "object", "properties": {
    "user": {"type": "string"}, "age": {"type": ["integer", "null"]}, "free": {}, "tags": {"type": "array", "items": {"type": "string"}},
    "tree": {"$ref": "#/definitions/tree"}, "pair": {"type": "array", "items": [{"type": "string"}, {"type": "number"}]},
    "alt": {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"k": {"type": "number"}}}]},
    "both": {"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}}, {"type": "object", "properties": {"b": {"type": "number"}}}]}},
    "definitions": {"tree": {"type": "object", "properties": {
        "name": {"type": "string"}, "kids": {"type": "array", "items": {"$ref": "#/definitions/tree"}}}}}}
WANTED = ('"x"', "1", "null", "[1]", "input.user", "input.tree", 'input.tags', "true")


def asked(random):
    """A path of input that the schema may have."""
    path = "input." + random.choice(list(SCHEMA["properties"]))
    for _ in range(random.randrange(3)):
        path += random.choice((".name", ".kids", "[0]", "[1]", "[2]", "[_]", ".a", ".b", ".k", ".z", '["x"]'))
    return path


@test()
def types_by_schemas(lab):
    peer = opa()
    folder = lab.folder / "rego_schemas"
    (folder / "schemas").mkdir(parents=True, exist_ok=True)
    (folder / "schemas" / "thing.json").write_text(json.dumps(SCHEMA))
    dice = random.Random(7)
    kinds = collections.Counter()
    for number in range(120):
        rules = [f"r{i} if {asked(dice)} == {dice.choice(WANTED)}" for i in range(dice.choice((1, 1, 2)))]
        named = "# METADATA\n# scope: package\n# schemas:\n#   - input: schema.thing\n" if number % 2 else ""
        file = folder / f"{number}.rego"
        file.write_text(named + "package t\n" + "\n".join(rules) + "\n")
        schema = ("-s", str(folder / "schemas" if named else folder / "schemas" / "thing.json"))
        answers = both(peer, [file], schema=schema)
        if not answers:
            kinds["OPA fails"] += 1
            continue
        (theirs, real), (ours, own) = answers
        tell(kinds, file.read_text(), kind_of(theirs, ours), real, own)
    print("    ", dict(kinds), flush=True)
    check(not kinds["refused by plumb only"] and not kinds["refused by OPA only"] and not kinds["refused with other words"], dict(kinds))
    check(kinds["both take it"] > 5 and kinds["refused alike"] > 20, "the rules are too much alike", dict(kinds))


def types_of_public_policies(lab):
    root = os.environ["LIVE_POLICIES"]
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


if os.environ.get("LIVE_POLICIES"):  # with CI=true nothing may be skipped, and no policies come with the project
    test()(types_of_public_policies)
