"""Formatting and syntax errors against the real formatters, on generated and mangled files (hclgen.py)."""
import re
import shutil
import subprocess

import hclgen
from harness import PLUMB, ROOT, check, test

FILES = 900
WHERE = re.compile(r"\bon (\S+\.tf) line (\d+)")
OURS = re.compile(r"^(\S+?\.tf):(\d+):\d+: ", re.M)


def is_utf8(text):
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def trees(lab, name):
    """Two copies of the same folder: FILES generated texts, and each of them mangled."""
    theirs, ours = lab.folder / name / "theirs", lab.folder / name / "ours"
    theirs.mkdir(parents=True)
    for seed in range(FILES):
        text = hclgen.generate(seed)
        for kind, each in (("good", text), ("bad", hclgen.mangle(text, seed))):
            # What is no UTF-8 is refused by plumb; the scanner of the others lets some of it pass as letters.
            if is_utf8(each):
                (theirs / f"{kind}{seed:04}.tf").write_bytes(each)
    shutil.copytree(theirs, ours)
    return theirs, ours


def formatted(peer, theirs, ours):
    """What the two printed on standard error after formatting their copies."""
    real = subprocess.run([peer, "fmt", "-recursive", "-list=false", "-no-color"], cwd=theirs, capture_output=True, text=True,
                          errors="replace", check=False)
    own = subprocess.run([PLUMB, "fmt", "--recursive", "--list=false"], cwd=ours, capture_output=True, text=True,
                         errors="replace", check=False)
    check(own.returncode in (0, 1), "plumb ended with", own.returncode, own.stderr[-500:])
    return real.stderr + real.stdout, own.stderr


def lines_by_file(pattern, text):
    found = {}
    for name, line in pattern.findall(text):
        found.setdefault(name, set()).add(int(line))
    return found


def compare(lab, peer):
    theirs, ours = trees(lab, peer)
    before = {p.name: p.read_bytes() for p in theirs.iterdir()}
    real, own = formatted(lab.peers[peer][1], theirs, ours)
    after = {p.name: p.read_bytes() for p in theirs.iterdir()}
    changed = sum(before[name] != after[name] for name in before)
    other = [name for name in sorted(before) if (ours / name).read_bytes() != after[name]]
    check(changed >= 500, f"only {changed} files changed")
    check(not other, f"{len(other)} of {len(before)} files differ:", other[:5])
    real_lines, own_lines = lines_by_file(WHERE, real), lines_by_file(OURS, own)
    check(len(real_lines) >= 300, f"only {len(real_lines)} files have errors")
    missing = {name: sorted(lines - own_lines.get(name, set())) for name, lines in real_lines.items()
               if not lines <= own_lines.get(name, set())}
    check(not missing, "lines of errors that plumb does not report:", dict(list(missing.items())[:5]))
    check(own_lines.keys() == real_lines.keys(), "files with errors differ:", sorted(own_lines.keys() ^ real_lines.keys())[:5])


@test("tofu")
def formats_like_tofu(lab):
    """Byte for byte on 900 generated files and as many mangled ones; every syntax error on the same line."""
    compare(lab, "tofu")


@test("terraform")
def formats_like_terraform(lab):
    compare(lab, "terraform")


@test()
def prints_what_it_read(lab):
    """Tokens and what is between them are the file, whatever is in it."""
    theirs, _ = trees(lab, "print")
    runner = ROOT / "build/tests/conformance/hcl_fmt"
    files = sorted(theirs.iterdir())
    done = subprocess.run([runner, "--print", *files], capture_output=True, text=True, check=False)
    check(done.stdout.endswith(f"{len(files)} passed, 0 failed\n"), done.stdout[-500:])
