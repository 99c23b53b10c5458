"""What a plan of tofu's changes, place by place, and whether plumb's findings say the same."""
import json

LEGACY = ("/lab6", "/time", "/terraform")


class Truth:
    def __init__(self, stack):
        self.stack = stack
        told = json.loads(stack.run("providers", "schema", "-json").stdout)["provider_schemas"]
        self.schemas = {t: s["block"] for p in told.values() for t, s in p.get("resource_schemas", {}).items()}
        self.legacy = {t for name, p in told.items() if not name.endswith(LEGACY) for t in p.get("resource_schemas", {})}

    def plan(self, *args):
        """{address: Planned} of all that the plan would do."""
        self.stack.run("plan", "-no-color", "-out", "p.tfplan", *args)
        plan = json.loads(self.stack.run("show", "-json", "p.tfplan").stdout)
        (self.stack.dir / "p.tfplan").unlink()
        root = plan["configuration"]["root_module"]
        out = {}
        self.gone = {e["address"] for e in plan.get("resource_drift", []) if "delete" in e["change"]["actions"]}
        for entry in plan.get("resource_changes", []):
            change = entry["change"]
            if entry["mode"] == "managed" and (change["actions"] != ["no-op"] or "importing" in change):
                out[entry["address"]] = Planned(self, entry, expressions(root, entry["address"]))
        return out

    def configurable(self, type_, attribute):
        block = self.schemas[type_]
        if attribute in block.get("block_types", {}):
            return True
        a = block.get("attributes", {}).get(attribute, {})
        return bool(a.get("optional") or a.get("required")) and not (attribute == "id" and type_ in self.legacy)

    def found(self, scan):
        """{address: {class: paths}}, without what the code cannot set and what is accepted."""
        out = {}
        for f in scan.findings:
            if f["class"] == "state-only" or f.get("ignored"):
                continue
            paths = {place(c["path"]) for c in f["changes"] if c["configurable"]}
            out.setdefault(f["address"], {})[f["class"]] = (paths, f.get("reason"))
        return out


class Planned:
    def __init__(self, truth, entry, set_by_code):
        change = entry["change"]
        self.actions = change["actions"]
        self.whole = self.actions in (["create"], ["delete"], ["forget"], ["no-op"])
        self.before = change["before"] or {}
        self.places = set()
        if self.whole:
            return
        after, unknown = change["after"] or {}, change.get("after_unknown") or {}
        legacy = entry["type"] in truth.legacy
        if legacy and "create" in self.actions:  # made anew: what the SDK calls false and 0 is null again
            self.before, after = settled(self.before, True) or {}, settled(after, True) or {}
        for name in set(self.before) | set(after) | set(unknown):
            if name == "timeouts" or not truth.configurable(entry["type"], name):
                continue
            said = set_by_code is None or name in set_by_code
            self.places |= set(differences((name,), self.before.get(name), after.get(name), unknown.get(name), said, legacy))


def differences(path, before, after, unknown, said, legacy):
    """The places that differ: an object and a map by their members, a list and a set as one."""
    if unknown is True:
        if said:
            yield path
    elif isinstance(before, dict) and isinstance(after, dict):
        unknown = unknown if isinstance(unknown, dict) else {}
        for key in set(before) | set(after) | set(unknown):
            if key in before and key in after or key in unknown:
                yield from differences((*path, key), before.get(key), after.get(key), unknown.get(key), said, legacy)
            else:
                yield (*path, key)
    elif legacy and settled(before) == settled(after) or before == after:
        if said and any_true(unknown):
            yield path
    else:
        yield path


def any_true(unknown):
    inner = unknown.values() if isinstance(unknown, dict) else unknown if isinstance(unknown, list) else []
    return unknown is True or any(any_true(u) for u in inner)


def settled(value, anew=False):
    """Without null and empty, which SDK v2 makes out of each other."""
    if isinstance(value, dict):
        value = {k: settled(v, anew) for k, v in value.items() if settled(v, anew) is not None}
    elif isinstance(value, list):
        value = [settled(v, anew) for v in value]
    empty = value in ("", [], {}) or (anew and not isinstance(value, (str, dict, list)) and not value)
    return None if empty else value


def place(text):
    """A path of plumb's up to the first list or set: tags["a.b"] -> (tags, a.b), ports[2] -> (ports,)."""
    steps, at = [], 0
    while at < len(text):
        if text.startswith('["', at):
            key, end = json.JSONDecoder().raw_decode(text, at + 1)
            steps.append(key)
            at = end + 1
        elif text[at] == "[":
            break
        else:
            at += text[at] == "."
            end = min((i for i in (text.find(".", at), text.find("[", at)) if i >= 0), default=len(text))
            steps.append(text[at:end])
            at = end
    return tuple(steps)


def expressions(module, address):
    """What the code sets of a resource: the names of its arguments and blocks; None: not known."""
    steps = [s for s in split(address)]
    while steps[0] == "module":
        module = module.get("module_calls", {}).get(steps[1], {}).get("module", {})
        steps = steps[2:]
    for r in module.get("resources", []):
        if (r["type"], r["name"]) == tuple(steps[:2]):
            return set(r.get("expressions", {}))
    return None


def split(address):
    """The names of an address, keys left out."""
    steps, at, name = [], 0, ""
    while at < len(address):
        if address[at] == "[":
            at = json.JSONDecoder().raw_decode(address, at + 1)[1] + 1
        elif address[at] == ".":
            steps.append(name)
            name, at = "", at + 1
        else:
            name, at = name + address[at], at + 1
    return [*steps, name]


def value_at(value, path):
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def overlap(x, places):
    return any(x[:len(p)] == p or p[:len(x)] == x for p in places)


def wanted(plan, behind, gone):
    """{address: {class: places}} of what a plan changes, and of that what it would change without drift; and the
    places of lists that were edited and drifted: their elements may be told in both classes."""
    out, either = {}, set()
    for address, p in plan.items():
        without = behind.get(address)
        if p.whole:
            ahead = without and (without.actions == p.actions or p.actions == ["no-op"])
            out[address] = {"unapplied" if ahead else "missing" if address in gone else "contradicts-code": set()}
            continue
        also = without.places if without else set()
        both = {x for x in p.places if overlap(x, also)}
        unapplied = {x for x in both if value_at(p.before, x) == value_at(without.before, x)}
        either |= {(address, x) for x in both - unapplied if isinstance(value_at(without.before, x), list)}
        classes = out.setdefault(address, {})
        if p.places - unapplied or not (p.places or without):
            classes["contradicts-code"] = p.places - unapplied
        if unapplied or (without and not also):
            classes["unapplied"] = unapplied
    return out, either


def wrong(plan, behind, found, gone):
    """Where plumb and tofu differ, in words; nothing: they say the same."""
    said = []
    want, either = wanted(plan, behind, gone)
    for address in sorted(set(want) | set(found)):
        w = {c: sorted(".".join(p) for p in paths) for c, paths in want.get(address, {}).items()}
        f = {c: sorted(".".join(p) for p in paths if c != "unapplied" or (address, p) not in either)
             for c, (paths, _) in found.get(address, {}).items()}
        f = {c: paths for c, paths in f.items() if paths or c in w or not found[address][c][0]}
        if w != f:
            reasons = [r for _, r in found.get(address, {}).values()]
            actions = plan[address].actions if address in plan else "nothing"
            said.append(f"{address}: tofu {actions} {w}, plumb {f} {reasons}")
    return said
