"""`plumb adopt` on drifts of every kind: afterwards `tofu plan` is empty, or the refusal was right."""
import json
import os
import random
import subprocess

from harness import PLUMB, Stack, check, test

EDIT, REFUSE = "an edit", "a refusal"
ROUNDS, PER_ROUND = 10, 22  # drifts in all: their product, a few more with lab5
SAMPLE = range(ROUNDS if os.environ.get("LIVE_WHOLE") else 5)


class Drift:
    """A resource, how it is written, what somebody made of it, and what adopt should say."""

    def __init__(self, n, body, changes, want=EDIT, *, extra="", files=None, address=None, names=None, kind="lab6_thing", outer=""):
        self.address = address or f"{kind}.r{n}"
        self.kind, self.want, self.changes = kind, want, changes
        self.names = names or [f"o{n}"]  # the objects that change; the first is the address's
        self.files = files or {}
        if body is None:
            self.code = extra
        else:
            self.code = f'{extra}resource "{kind}" "r{n}" {{\n{outer}  name = "o{n}"\n{body}}}\n'


def literals(n, pick):
    """Values written where they are."""
    word, other = pick(["plain", "two words", "", "q\"uote", "${x}".replace("$", "$$")]), pick(["other", "é日", "a\nb", "%{x}", "${y}", "\\"])
    yield Drift(n, f"  text = {quoted(word)}{pick(['', ' # why'])}\n", {"text": other})
    yield Drift(n, "  text = <<-EOT\n    one\n    two\n  EOT\n", {"text": pick(["one\nTWO\n\n  three\n", "EOT\n", "single"])})
    yield Drift(n, "  number = 5\n", {"number": pick([6, -1, 0.25, 18446744073709551615])})
    yield Drift(n, f"  enabled = true\n  number  = 1{pick(['', ' # one'])}\n", {"enabled": False})
    yield Drift(n, "  text = (\"a\")\n", {"text": "b"})
    yield Drift(n, "  text = jsonencode({\n    Version = \"1\" # v\n    Allow   = [\"a\"]\n  })\n",
                {"text": json.dumps({"Allow": ["a", "b"], "Version": "2"}, separators=(",", ":"))})
    yield Drift(n, "", {"text": "new"})
    yield Drift(n, "  text = \"gone\"\n", {"text": None})
    yield Drift(n, "  # about it\n  text    = \"gone\" # and more\n  enabled = true\n", {"text": None})
    yield Drift(n, "  any = { k = [1, \"x\"] }\n", {"any": {"value": {"k": [1, "y"]}, "type": ["object", {"k": ["tuple", ["number", "string"]]}]}})
    yield Drift(n, "  object = { a = 1, b = \"x\" }\n", {"object": {"a": 2, "b": "x"}})


def collections(n, pick):
    """Maps, lists, sets and nested attributes."""
    tags = pick(["  tags = { a = \"1\", b = \"2\" }\n", "  tags = {\n    a = \"1\"\n    # second\n    b = \"2\" # two\n  }\n",
                 "  tags = {\n    \"a\" = \"1\",\n    \"b\" = \"2\",\n  }\n", "  tags = {\n    a : \"1\"\n    b : \"2\"\n  }\n"])
    yield Drift(n, tags, {"tags": pick([{"a": "1", "b": "3"}, {"a": "1"}, {"b": "2"}, {"a": "1", "b": "2", "long.key": "x"}, {"z": "9"}, {}])})
    ports = pick(["  ports = [80, 443]\n", "  ports = [\n    80, # web\n    443\n  ]\n", "  ports = [\n    80,\n    443,\n  ]\n"])
    yield Drift(n, ports, {"ports": pick([[80], [443], [80, 8443], [22, 80, 443], [80, 443, 8080], [443, 80], [1, 2, 3], []])})
    yield Drift(n, pick(["  zones = [\"z2\", \"z1\"]\n", "  zones = [\n    \"z2\",\n    \"z1\", # one\n  ]\n"]),
                {"zones": pick([["z1", "z2", "z3"], ["z1"], ["z3"], ["z2", "z4"]])})
    yield Drift(n, "  rules = [\n    { port = 22, cidrs = [\"10.0.0.0/8\"] },\n    { port = 443 }, # tls\n  ]\n",
                {"rules": pick([[{"port": 22, "cidrs": ["10.0.0.0/8"]}], [{"port": 22, "cidrs": ["0.0.0.0/0"]}, {"port": 443, "cidrs": None}],
                                [{"port": 22, "cidrs": ["10.0.0.0/8"]}, {"port": 443, "cidrs": None}, {"port": 8, "cidrs": []}]])})
    yield Drift(n, pick(["  settings = { mode = \"fast\" }\n", "  settings = {\n    mode = \"fast\"\n  }\n"]),
                {"settings": pick([{"mode": "slow", "level": None}, {"mode": "fast", "level": 2}, None])})
    yield Drift(n, "  sizes = {\n    small = { gb = 1 }\n    big   = { gb = 10 }\n  }\n",
                {"sizes": pick([{"small": {"gb": 2}, "big": {"gb": 10}}, {"big": {"gb": 10}},
                                {"small": {"gb": 1}, "big": {"gb": 10}, "mid": {"gb": 5}}])})
    yield Drift(n, "  tags = merge(local.common, {\n    own = \"x\"\n  })\n", {"tags": {"team": "core", "own": pick(["y", "z"]), "new": "1"}})


def blocks(n, pick):
    steps = "  step {\n    run = \"one\"\n  }\n" + pick(["", "\n  # second\n"]) + "  step {\n    run  = \"two\"\n    wait = 2 # s\n  }\n"
    one, two = {"run": "one", "wait": None}, {"run": "two", "wait": 2}
    yield Drift(n, steps, {"step": pick([[one], [two], [one, {"run": "two", "wait": 9}], [{"run": "zero", "wait": 0}, one, two],
                                         [one, {"run": "mid", "wait": None}, two], [one, two, {"run": "three", "wait": None}], []])})
    grants = "  grant {\n    who  = \"me\"\n    what = \"read\"\n  }\n  grant {\n    who = \"you\"\n  }\n"
    me, you = {"who": "me", "what": "read"}, {"who": "you", "what": None}
    yield Drift(n, grants, {"grant": pick([[me], [you], [me, {"who": "you", "what": "write"}], [me, you, {"who": "they", "what": "x"}], []])})
    yield Drift(n, "  text = \"x\"\n", {"step": [one]})
    yield Drift(n, '  dynamic "step" {\n    for_each = ["one", "two"]\n    content {\n      run = step.value\n    }\n  }\n',
                {"step": [{"run": name, "wait": None} for name in pick([["one"], ["two"], ["one", "two", "three"], ["zwei", "one"], []])]})


def origins(n, pick):
    """Values that come from elsewhere: edited there (adopt is called with --origin)."""
    yield Drift(n, f"  text = var.v{n}\n", {"text": "live"}, extra=f'variable "v{n}" {{\n  type    = string\n  default = "code" # why\n}}\n')
    yield Drift(n, f"  text = var.v{n}\n", {"text": "live"}, extra=f'variable "v{n}" {{}}\n', files={f"v{n}.auto.tfvars": f'v{n} = "code" # here\n'})
    yield Drift(n, f"  text = var.v{n}\n", {"text": "live"}, extra=f'variable "v{n}" {{\n  default = "unused"\n}}\n',
                files={f"v{n}.auto.tfvars.json": f'{{"v{n}": "code"}}\n'})
    yield Drift(n, f"  tags = local.l{n}\n", {"tags": {"a": "1", "b": "live"}}, extra=f'locals {{\n  l{n} = {{\n    a = "1"\n    b = "2" # two\n  }}\n}}\n')
    yield Drift(n, f"  number = local.l{n}.size.n\n", {"number": 7}, extra=f"locals {{\n  l{n} = {{ size = {{ n = 5 }} }}\n}}\n")
    yield Drift(n, "  text   = each.value.text\n  number = each.value.n\n", {"text": "live"}, address=f'lab6_thing.r{n}["b"]', names=[f"o{n}-b"],
                outer="  for_each = {\n    a = { text = \"x\", n = 1 }\n    b = { text = \"y\", n = 2 } # b\n  }\n").named(n, "each.key")
    yield Drift(n, f"  text = local.l{n}[count.index]\n", {"text": "live"}, address=f"lab6_thing.r{n}[1]", names=[f"o{n}-1"],
                outer="  count = 2\n", extra=f'locals {{\n  l{n} = ["a", "b"]\n}}\n').named(n, "count.index")
    module = f'module "m{n}" {{\n  source = "./m{n}"\n  text   = "code" # given\n}}\n'
    inside = 'terraform {\n  required_providers {\n    lab6 = { source = "plumb.test/lab/lab6" }\n  }\n}\nvariable "text" {}\n' \
             f'resource "lab6_thing" "in" {{\n  name   = "o{n}"\n  text   = var.text\n  number = 1 # inside\n}}\n'
    yield Drift(n, None, {"text": "live", "number": 2}, extra=module, files={f"m{n}/main.tf": inside}, address=f"module.m{n}.lab6_thing.in")
    twice = f'module "m{n}" {{\n  source   = "./m{n}"\n  for_each = {{ a = "x", b = "y" }}\n  name     = each.key\n  text     = each.value\n}}\n'
    inside = 'terraform {\n  required_providers {\n    lab6 = { source = "plumb.test/lab/lab6" }\n  }\n}\nvariable "text" {}\nvariable "name" {}\n' \
             f'resource "lab6_thing" "in" {{\n  name   = "o{n}-${{var.name}}"\n  text   = var.text\n  number = 1\n}}\n'
    yield Drift(n, None, {"text": "live"}, extra=twice, files={f"m{n}/main.tf": inside}, address=f'module.m{n}["b"].lab6_thing.in', names=[f"o{n}-b"])
    yield from parts(n, pick)
    yield Drift(n, None, {"number": 9}, REFUSE, extra=twice, files={f"m{n}/main.tf": inside}, address=f'module.m{n}["b"].lab6_thing.in', names=[f"o{n}-b"])


def parts(n, pick):
    """What several expressions give together, and what functions only pass on."""
    given = f'variable "v{n}" {{\n  default = {{\n    a = "1" # one\n    b = "2"\n  }}\n}}\n'
    merged = "  tags = merge({ own = \"x\" }, var.v%d, local.common)\n" % n
    yield Drift(n, merged, {"tags": pick([{"own": "x", "a": "9", "b": "2", "team": "core"}, {"own": "y", "a": "1", "team": "core"},
                                          {"own": "x", "a": "1", "b": "3", "c": "4", "team": "core"}])}, extra=given)
    yield Drift(n, f"  tags = merge(var.v{n}, {{}})\n  text = lookup(var.v{n}, \"b\", \"none\")\n",
                {"tags": {"a": "1", "b": "live"}, "text": "live"}, extra=given)
    yield Drift(n, f"  settings = {{ mode = try(local.l{n}.mode, \"none\"), level = element(local.l{n}.levels, 3) }}\n",
                {"settings": {"mode": "slow", "level": 7}}, extra=f'locals {{\n  l{n} = {{ mode = "fast", levels = [1, 2] }}\n}}\n')
    dynamic = f'  dynamic "step" {{\n    for_each = local.l{n}\n    iterator = s\n    content {{\n      run  = s.value.run\n      wait = try(s.value.wait, null)\n    }}\n  }}\n'
    steps = f'locals {{\n  l{n} = [\n    {{ run = "one", wait = 1 }}, # first\n    {{ run = "two" }},\n  ]\n}}\n'
    one, two = {"run": "one", "wait": 1}, {"run": "two", "wait": None}
    yield Drift(n, dynamic, {"step": pick([[{"run": "zero", "wait": 1}, two], [one, {"run": "zwei", "wait": None}], [{"run": "x", "wait": 9}, two]])}, extra=steps)
    yield Drift(n, dynamic, {"step": pick([[one], [two], [one, two, two], [one, {"run": "mid", "wait": 3}, two], []])}, extra=steps)


def turned(n, pick):
    """Expressions that make something of what is written elsewhere: edited in the part that must differ."""
    lists = f'locals {{\n  l{n} = ["z1", "z2"]\n}}\n'
    yield Drift(n, f"  zones = {pick(['concat', 'setunion'])}(local.l{n}, [\"z3\"])\n",
                {"zones": pick([["z1", "z2", "z3", "z4"], ["z1", "z3"], ["z2", "z1"], ["z1", "z2", "z9"], ["z1", "z8", "z3"]])}, extra=lists)
    yield Drift(n, f"  ports = {pick(['concat([80], [443, 8080])', 'flatten([80, [443, 8080]])', 'distinct([80, 443, 80, 8080])', 'sort([80, 443, 8080])'])}\n"
                .replace("sort([80, 443, 8080])", "tolist([80, 443, 8080])"),
                {"ports": pick([[80, 443], [80, 443, 9090], [80, 443, 8080, 9090]])})
    many = f'locals {{\n  l{n} = {{\n    a = {{ port = 22, name = "ssh" }} # first\n    b = {{ port = 443, name = "tls" }}\n  }}\n}}\n'
    yield Drift(n, f"  ports = [for k, v in local.l{n} : v.port]\n", {"ports": pick([[22, 8443], [443], [2222, 443]])}, extra=many)
    yield Drift(n, f"  tags = {{ for k, v in local.l{n} : k => v.name if v.port != 0 }}\n", {"tags": pick([{"a": "x", "b": "tls"}, {"b": "tls"}])}, extra=many)
    yield Drift(n, f"  rules = [for p in local.l{n} : {{ port = p }}]\n",
                {"rules": [{"port": p, "cidrs": None} for p in pick([[22], [22, 80, 443], [23, 443]])]}, extra=f"locals {{\n  l{n} = [22, 443]\n}}\n")
    one = f'variable "v{n}" {{\n  default = "prod"\n}}\n'
    yield Drift(n, f'  text = "${{var.v{n}}}-web"\n', {"text": pick(["stage-web", "prod-api", "prod-w\"e\\b\n", "prod-${x}%{y}", "é-web"])}, extra=one)
    yield Drift(n, f"  text = <<-EOT\n    env = ${{var.v{n}}}\n      list:\n        - \"a\" # $${{x}}\n  EOT\n",
                {"text": pick(["env = stage\n  list:\n    - \"a\" # ${x}\n", "env = prod\n  list:\n    - \"b\"\n    - ${y}\n", "env = prod\n"])}, extra=one)
    yield Drift(n, f"  text = jsonencode({{\n    Env   = var.v{n}\n    Allow = concat([\"a\"], [\"b\"]) # who\n  }})\n",
                {"text": json.dumps(pick([{"Env": "stage", "Allow": ["a", "b"]}, {"Env": "prod", "Allow": ["a", "c"]}, {"Env": "prod", "Allow": ["b"], "New": 1}]),
                                    separators=(",", ":"), sort_keys=True)},
                extra=one)
    yield Drift(n, f'  text = format("%s-%02d", var.v{n}, 7)\n', {"text": pick(["prod-08", "stage-07", "prod_07"])}, extra=one)
    yield Drift(n, f'  text = join(", ", ["a", "b"])\n', {"text": pick(["a, c", "a", "a, b, c"])})
    yield Drift(n, pick(["  text = local.flag ? \"a\" : \"b\"\n", "  text = upper(\"a\")\n", "  text = base64encode(\"a\")\n"]), {"text": pick(["QUI=", "QQ=="])})
    yield Drift(n, f"  number = var.v{n} * 60\n", {"number": pick([120, 600])}, extra=one.replace('"prod"', "5"))
    yield Drift(n, f'  text = lookup(local.l{n}, each.key, "small")\n', {"text": "big"}, address=f'lab6_thing.r{n}["b"]', names=[f"o{n}-b"],
                outer='  for_each = toset(["a", "b"])\n', extra=f"locals {{\n  l{n} = {{ z = \"x\" }}\n}}\n").named(n, "each.key")
    yield Drift(n, "  text = { a = \"x\", b = \"y\" }[each.key]\n", {"text": "live"}, address=f'lab6_thing.r{n}["b"]', names=[f"o{n}-b"],
                outer='  for_each = toset(["a", "b"])\n').named(n, "each.key")
    yield Drift(n, "  text = [\"x\", \"y\"][count.index]\n", {"text": "live"}, address=f"lab6_thing.r{n}[1]", names=[f"o{n}-1"],
                outer="  count = 2\n").named(n, "count.index")


def refusals(n, pick):
    yield Drift(n, "  number = length(local.common)\n", {"number": 3}, REFUSE)
    yield Drift(n, "  enabled = local.flag == true\n", {"enabled": False}, REFUSE)
    yield Drift(n, "  text = replace(\"a-b\", \"-\", \"_\")\n", {"text": "c"}, REFUSE)
    yield Drift(n, "  number = 1 + 1\n", {"number": 3}, REFUSE)
    yield Drift(n, "  text = local.flag ? \"same\" : \"b\"\n", {"text": "live"}, REFUSE, address=f"lab6_thing.r{n}[0]", names=[f"o{n}-0"],
                outer="  count = 2\n").named(n, "count.index")
    yield Drift(n, "  text = \"same\"\n", {"text": "live"}, REFUSE, address=f"lab6_thing.r{n}[0]", names=[f"o{n}-0"],
                outer="  count = 2\n").named(n, "count.index")
    yield Drift(n, f"  text = local.l{n}\n", {"text": "live"}, REFUSE,
                extra=f'locals {{\n  l{n} = "both"\n}}\nresource "lab6_row" "r{n}" {{\n  name = "p{n}"\n  text = local.l{n}\n}}\n')
    yield Drift(n, "  text = \"feeds\"\n", {"text": "live"}, REFUSE,
                extra=f'resource "lab6_row" "r{n}" {{\n  name = "p{n}"\n  text = lab6_thing.r{n}.text\n}}\n')
    yield Drift(n, "  secret = \"s3cr3t\"\n", {"secret": "other-s3cr3t"}, REFUSE)


def named(self, n, suffix):
    self.code = self.code.replace(f'name = "o{n}"', f'name = "o{n}-${{{suffix}}}"')
    return self


Drift.named = named
FAMILIES = (literals, collections, blocks, origins, refusals, turned)


def sdk(n, pick):
    """The same over SDK v2, which answers "" and [] for null."""
    kind = "lab5_thing"
    yield Drift(n, "  text = \"x\"\n", {"text": "y"}, kind=kind)
    yield Drift(n, "  size = 5\n", {"size": 6}, kind=kind)
    yield Drift(n, "  ratio = 0.1\n", {"ratio": 0.25}, kind=kind)
    yield Drift(n, "  tags = { a = \"1\" }\n", {"tags": {"a": "1", "b": "2"}}, kind=kind)
    yield Drift(n, "  labels = [\"x\", \"y\"]\n", {"labels": ["x", "z"]}, kind=kind)
    yield Drift(n, "  zones = [\"z2\", \"z1\"]\n", {"zones": ["z1", "z3"]}, kind=kind)
    rules = "  rule {\n    port  = 22\n    cidrs = [\"10.0.0.0/8\"]\n  }\n  rule { port = 443 }\n"
    ssh, tls = {"port": 22, "cidrs": ["10.0.0.0/8"], "note": ""}, {"port": 443, "cidrs": [], "note": ""}
    yield Drift(n, rules, {"rule": pick([[ssh], [{**ssh, "cidrs": ["0.0.0.0/0"]}, tls], [ssh, tls, {"port": 8, "cidrs": [], "note": "n"}]])}, kind=kind)
    yield Drift(n, "  settings { mode = \"fast\" }\n", {"settings": [{"mode": "slow", "level": 3}]}, kind=kind)
    yield Drift(n, "", {"enabled": True}, kind=kind)


def quoted(s):
    return json.dumps(s, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def messy(text, rng):
    """Another layout than fmt's: what is not touched has to stay so."""
    lines = []
    for line in text.split("\n"):
        if " = " in line and "<<" not in line and rng.random() < 0.4:
            line = line.replace(" = ", rng.choice(["=", "   =  ", " =\t"]), 1)
        lines.append(line)
    return "\n".join(lines)


def draw(families, rng, count):
    drifts = []
    for n in range(count):
        family = families[n % len(families)]
        drifts.append(rng.choice(list(family(n, rng.choice))))
    return drifts


def adopt(stack, *args, env=None, codes=(0, 3)):
    done = subprocess.run([str(PLUMB), "adopt", *args, str(stack.dir)], cwd=stack.home, env={**stack.env, **(env or {})},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    check(done.returncode in codes, "plumb adopt:", done.returncode, done.stderr[-2000:], done.stdout[-500:])
    return done


def texts(stack):
    return {str(p): p.read_bytes() for p in sorted(stack.dir.rglob("*")) if p.is_file() and ".terraform" not in p.parts and "tfstate" not in p.name}


def one(stack, drift, how):
    """Adopt it; what was refused is put back. Says what went wrong, or nothing."""
    before, objects = texts(stack), [stack.object(drift.kind, name) for name in drift.names]
    kept = [o.read_text() for o in objects]
    for name in drift.names:
        stack.edit(drift.kind, name, **drift.changes)
    done = adopt(stack, *how(drift), "--origin", "--write")
    after = texts(stack)
    check("s3cr3t" not in done.stdout.replace('secret = "s3cr3t"', "") and "other-s3cr3t" not in done.stdout + done.stderr, "a secret is told")
    if drift.want is REFUSE:
        for o, text in zip(objects, kept):
            o.write_text(text)
    said = f"{drift.address} {drift.changes} in\n{drift.code}\nexit {done.returncode}: {done.stdout}{done.stderr}"
    if drift.want is EDIT and (done.returncode or before == after):
        return f"no edit for {said}"
    if drift.want is REFUSE and (done.returncode != 3 or before != after):
        return f"no refusal for {said}"
    return ""


def run_round(lab, drifts, rng, tidy, extra=""):
    code = extra + "\n".join(d.code for d in drifts)
    files = {name: text for d in drifts for name, text in d.files.items()}
    stack = Stack(lab, code if tidy else messy(code, rng), files=files)
    if tidy:
        stack.run("fmt", "-recursive")
    stack.apply()
    wrong = [w for w in (one(stack, d, lambda d: ("--address", d.address)) for d in drifts) if w]
    check(not wrong, f"{len(wrong)} of {len(drifts)}:", "\n".join(wrong))
    plan = stack.run("plan", "-no-color", "-detailed-exitcode", check_exit=False)
    check(plan.returncode == 0, "the plan is not empty:", (plan.stdout + plan.stderr)[-4000:])
    if tidy:
        unformatted = stack.run("fmt", "-recursive", "-check", "-diff", check_exit=False)
        check(unformatted.returncode == 0, "not in form any more:", unformatted.stdout)
    return stack


COMMON = 'locals {\n  flag   = true\n  common = { team = "core" }\n}\n'


@test("lab6", cases=SAMPLE)
def adopt_round(lab, seed):
    rng = random.Random(seed)
    run_round(lab, draw(FAMILIES, rng, PER_ROUND), rng, tidy=seed % 3 != 2, extra=COMMON)


@test("lab5")
def adopt_sdk(lab):
    rng = random.Random(5)
    drifts = [d for n, family in enumerate([sdk] * 1) for d in family(n, rng.choice)]
    for n, drift in enumerate(drifts):  # one resource each
        drift.code = drift.code.replace('"r0"', f'"r{n}"').replace('"o0"', f'"o{n}"')
        drift.address, drift.names = f"lab5_thing.r{n}", [f"o{n}"]
    run_round(lab, drifts, rng, tidy=True)


@test("lab6")
def adopt_parts(lab):
    """Each of what parts() draws from, in one root."""
    rng = random.Random(11)
    drifts = [d for n in range(6) for d in list(parts(n, rng.choice))[n:n + 1]]
    run_round(lab, drifts, rng, tidy=True, extra=COMMON)


@test("lab6")
def adopt_turned(lab):
    """Each of what turned() draws from, in one root."""
    rng = random.Random(12)
    most = len(list(turned(0, rng.choice)))
    run_round(lab, [list(turned(n, rng.choice))[n % most] for n in range(2 * most)], rng, tidy=True, extra=COMMON)


@test("lab6")
def adopt_alike(lab):
    """One literal of many instances: adopted for all of them at once, by their findings one by one it is refused."""
    stack = Stack(lab, 'resource "lab6_row" "r" {\n  count = 3\n  name  = "o${count.index}"\n  text  = "code"\n}\n')
    stack.apply()
    for n in range(3):
        stack.edit("lab6_row", f"o{n}", text="live")
    done = adopt(stack, "--address", "lab6_row.r[1]")
    check(done.returncode == 3 and "lab6_row.r[0]" in done.stderr, done.stdout, done.stderr)


@test("lab6")
def adopt_reads_where_the_code_says(lab):
    """The provider's settings come of variables: another place has an object of the same id, and is not looked at."""
    stack = Stack(lab, 'variable "place" {}\nprovider "lab6" {\n  store = var.place\n}\nresource "lab6_row" "r" {\n  name = "r"\n  text = "code"\n}\n')
    given = {"TF_VAR_place": str(stack.home / "there")}
    (stack.home / "there").mkdir()
    stack.apply(env=given)
    here, there = stack.object("lab6_row", "r"), stack.home / "there/lab6_row/r.json"
    here.parent.mkdir(parents=True)
    here.write_text(there.read_text())
    stack.edit_path(here, {"text": "elsewhere"})
    stack.edit_path(there, {"text": "live"})
    done = adopt(stack, "--address", "lab6_row.r", env=given)
    check(done.returncode == 0 and '+  text = "live"' in done.stdout, done.stdout, done.stderr)
    done = adopt(stack, "--address", "lab6_row.r", "--var", "place=../there")
    check(done.returncode == 0 and '+  text = "live"' in done.stdout, done.stdout, done.stderr)
    # nobody says which place: nothing of what is found somewhere is made code of
    done = adopt(stack, "--address", "lab6_row.r", codes=[1])
    check(done.returncode == 1 and not done.stdout and "var.place (main.tf:" in done.stderr, done.stdout, done.stderr)


@test("lab6")
def adopt_import(lab):
    """What somebody made by hand gets an import block and configuration; then tofu imports it and changes nothing."""
    stack = Stack(lab, 'resource "lab6_thing" "known" {\n  name = "known"\n}\n')
    stack.apply()
    made = json.loads(stack.object("lab6_thing", "known").read_text())
    hand = {**made, "name": "hand", "id": "hand", "text": "by hand", "tags": {"a": "1"}, "zones": ["z1"], "step": [{"run": "one", "wait": None}]}
    stack.object("lab6_thing", "hand").write_text(json.dumps(hand))
    done = adopt(stack, "--address", "lab6_thing.hand", "--id", "hand", "--write")
    check(done.returncode == 0, done.stdout, done.stderr)
    plan = stack.run("plan", "-no-color", "-out", "p.tfplan")
    check("1 to import, 0 to add, 0 to change, 0 to destroy" in plan.stdout, plan.stdout)
    stack.run("apply", "-no-color", "p.tfplan")
    check(stack.run("plan", "-no-color", "-detailed-exitcode", check_exit=False).returncode == 0, "not empty after the import")
