"""The whole of what a plan changes: every difference of a real plan, with and without what happened behind its back, is plumb's."""
import re
from concurrent.futures import ThreadPoolExecutor

from harness import Stack, check, test
from matrix_cases import CASES
from matrix_truth import Truth, wrong

# All cases share one root, so that each round costs two plans and one scan: no case refers to another's objects,
# and every resource and module of a case has the case's name (or NAME_more).


def of_case(name, addresses):
    mine = re.compile(rf'(^|\.){name}(_\w+)?([.\[]|$)')
    return {a for a in addresses if mine.search(a)}


class World:
    """One applied root of many cases, put back to what it was between rounds."""

    def __init__(self, lab, names):
        self.cases = {n: CASES[n] for n in names}
        files = {name: text for n, c in self.cases.items() for name, text in c.files(n).items()}
        self.stack = Stack(lab, "", env={"TF_VAR_env": "from the environment"}, files=files)
        self.stack.write("main.tf", self.stack.providers(" ".join(files.values())))
        self.stack.env["TF_VAR_store"] = str(self.stack.home)
        self.stack.apply()
        for name, case in self.cases.items():
            for verb in case.made:
                self.act(name, verb)
        self.objects = self.kept()
        self.truth = Truth(self.stack)
        self.pairs, self.equal, self.told = 0, 0, []

    def places(self):
        outside = [p for p in self.stack.dir.glob("out-*") if p.is_file()]
        return [p for p in self.stack.home.rglob("*.json") if self.stack.dir not in p.parents and "cache" not in p.parts] + outside

    def kept(self):
        return {p: p.read_bytes() for p in self.places()}

    def put_back(self):
        for p in self.places():
            if p not in self.objects:
                p.unlink()
        for p, data in self.objects.items():
            p.write_bytes(data)

    def act(self, name, change):
        """What somebody does by hand: ("TYPE.OBJECT", {attribute: value}), None = gone; ("FILE", text)."""
        what, value = change
        what = what.replace("@", name)
        if what.startswith("out-"):
            path = self.stack.dir / what
            path.unlink() if value is None else path.write_text(value)
            return
        kind, _, thing = what.partition(".")
        folder, _, kind = kind.rpartition("/")
        path = self.stack.home / (folder or "store") / kind / f"{thing}.json"
        if value is None:
            path.unlink()
        elif callable(value):
            value(path)
        else:
            self.stack.edit_path(path, value)

    def round(self, at, ahead):
        """The at-th change of each case that has one; with `ahead`, of the cases whose code was edited."""
        acting = {}
        self.put_back()
        for name, case in self.cases.items():
            changes = [[], *case.changes_when(ahead)][ahead:]
            if at < len(changes):
                acting[name] = changes[at]
                for change in changes[at]:
                    self.act(name, change)
        with ThreadPoolExecutor(1) as beside:
            scanning = beside.submit(self.stack.scan)
            plan, gone = self.truth.plan(), self.truth.gone
            scan = scanning.result()
        behind = self.behind = self.behind if at else self.truth.plan("-refresh=false")  # the world has no part in it
        found = self.truth.found(scan)
        for name in self.cases:
            said = wrong(*({a: t[a] for a in of_case(name, t)} for t in (plan, behind, found)), gone)
            real = name in acting and (ahead or at > 0)
            self.pairs += real
            self.equal += real and not said
            if said and (name in acting or not at):
                doing = acting.get(name, "nothing done")
                self.told.append(f"{name}{' (code edited)' if ahead else ''}: {doing}: " + "; ".join(said))
        strange = {a for a in found if not any(of_case(n, [a]) for n in self.cases)}
        check(not strange, "findings of no case:", strange)
        return acting

    def run(self):
        for ahead in (False, True):
            if ahead:
                self.put_back()
                for name, case in self.cases.items():
                    for file, text in case.files(name, ahead=True).items():
                        self.stack.write(file, text)
                self.stack.run("init", "-no-color")
            at = 0
            while self.round(at, ahead):
                at += 1


@test("lab5", "lab6", "local", "null", "random", "time")
def matrix(lab):
    world = World(lab, sorted(CASES))
    world.run()
    print(f"     {world.pairs} configurations x changes, {world.equal} equal")
    check(not world.told, f"{len(world.told)} differ:", "\n  ".join(["", *world.told]))
