"""The configurations of matrix.py: code, what somebody does to their objects, what is edited and not applied.

`@` is the case's name. A change is ("TYPE.OBJECT", {attribute: live value}) or (..., None): gone.
"""
import json

LAB6 = 'terraform {\n  required_providers {\n    lab6 = { source = "plumb.test/lab/lab6" }\n  }\n}\n'


class Case:
    def __init__(self, code, *changes, edited=None, also=(), more=None, more_edited=None, made=()):
        """changes: with the code as applied; also: with the code as edited (beside none at all)."""
        self.code, self.changes, self.edited, self.also = code, list(changes), edited, list(also)
        self.more, self.more_edited, self.made = more or {}, more_edited or {}, made

    def changes_when(self, ahead):
        if ahead:
            return [[], *self.also] if self.edited or self.more_edited else []
        return [c if isinstance(c, list) else [c] for c in self.changes]

    def files(self, name, ahead=False):
        files = {"@.tf": self.code, **self.more}
        if ahead:
            files = {**self.more_edited}
            if isinstance(self.edited, str):
                files["@.tf"] = self.edited
            elif self.edited:
                files["@.tf"] = replaced(self.code, self.edited)
        return {f.replace("@", name): text.replace("@", name) for f, text in files.items()}


def replaced(text, edits):
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text


def thing(name, body="", kind="lab6_thing", object_=None, head=""):
    return f'resource "{kind}" "{name}" {{\n{head}  name = "{object_ or name.replace("_", "-")}"\n{body}}}\n'


def t(object_="@", **changes):
    return (f"lab6_thing.{object_}", changes)


def s(object_="@", **changes):
    return (f"lab5_thing.{object_}", changes)


def gone(object_="@", kind="lab6_thing"):
    return (f"{kind}.{object_}", None)


def copied(of, **changes):
    def make(path):
        path.write_text(json.dumps({**json.loads((path.parent / f"{of}.json").read_text()), "name": path.stem, "id": path.stem, **changes}))
    return make


CASES = {}

# --- how many there are, and where their values come from ---

CASES["counted"] = Case(
    thing("@", '  text  = "text ${count.index}"\n  number = count.index\n  tags = { all = "yes" }\n', head="  count = 3\n", object_="@-${count.index}"),
    t("@-1", text="other"), t("@-2", number=9, text="x"), [t("@-0", tags={}), gone("@-2")],
    edited=[("count = 3", "count = 2")], also=[[t("@-0", text="y"), t("@-2", text="y")]])

CASES["countvar"] = Case(
    'variable "@" {\n  type = object({ n = number, text = optional(string, "fallback") })\n}\n'
    + thing("@", '  text = var.@.text\n', head="  count = var.@.n\n", object_="@-${count.index}"),
    t("@-0", text=None), t("@-1", text="other", enabled=True),
    more={"@.auto.tfvars": "@ = { n = \"2\" }\n"}, more_edited={"@.auto.tfvars": '@ = { n = 3, text = "given" }\n'},
    also=[[t("@-0", text="given")], [t("@-1", text="third")], [gone("@-0")]])

CASES["eachmap"] = Case(
    'locals {\n  @ = { a = { n = 1, ports = [1, 2] }, "b.c" = { n = 2, ports = [] }, "say \\"x\\" $${y}" = { n = 3, ports = [3] } }\n}\n'
    + thing("@", '  number = each.value.n\n  ports = each.value.ports\n', head="  for_each = local.@\n", object_="@-${each.value.n}"),
    t("@-1", ports=[2, 1]), t("@-2", ports=None), t("@-3", number=None, ports=[3, 4]), t("@-2", ports=[1], number=5),
    edited=[('"b.c" = { n = 2, ports = [] }', '"b.d" = { n = 2, ports = [] }')], also=[[t("@-1", number=7)]])

CASES["eachset"] = Case(
    'variable "@" { default = ["x", "y", "y"] }\n'
    + thing("@", '  text = upper(each.value)\n', head="  for_each = toset(var.@)\n", object_="@-${each.key}"),
    t("@-x", text="x"), [gone("@-x"), t("@-y", zones=["z"])],
    edited=[('"y", "y"', '"z"')], also=[[t("@-x", text="q")]])

CASES["locals"] = Case(
    'locals {\n  @_a = { env = "test" }\n  @_b = merge(local.@_a, { team = "core" })\n'
    '  @_c = { for k, v in local.@_b : upper(k) => "${v}!" if k != "none" }\n}\n'
    + thing("@", '  tags = local.@_c\n  text = join(",", [for k in sort(keys(local.@_c)) : k])\n'),
    t(tags={"ENV": "test!"}), t(tags={"ENV": "prod!", "TEAM": "core!", "x.y": "1"}), t(text="ENV"),
    edited=[('"test"', '"prod"')], also=[[t(tags={"ENV": "prod!", "TEAM": "core!"})], [t(text="TEAM")], [t(tags=None)]])

CASES["tfvars"] = Case(
    'variable "@_s" {\n  type = string\n  default = "unused"\n}\nvariable "@_m" { type = map(string) }\nvariable "env" {}\n'
    + thing("@", '  text = var.@_s\n  tags = merge(var.@_m, { env = var.env })\n'),
    t(text="unused"), t(tags={"a": "1"}), t(tags={"a": "2", "env": "from the environment"}),
    more={"terraform.tfvars": '@_s = "set"\n', "@.auto.tfvars.json": '{"@_m": {"a": 1}}'},
    more_edited={"@.auto.tfvars.json": '{"@_m": {"a": 1, "b": true}}'}, also=[[t(text="x")], [t(tags={"b": "true"})]])

CASES["conditional"] = Case(
    'variable "@" { default = true }\n' + thing("@", '  text = var.@ ? "on" : null\n', head="  count = var.@ ? 1 : 0\n")
    + thing("@_b", '  text = one(lab6_thing.@[*].text)\n  tags = var.@ ? { on = "1" } : {}\n'),
    t(text=None), t("@-b", tags={}), [gone()],
    edited=[("default = true", "default = false")], also=[[t(text="x")], [t("@-b", text="y")]])

CASES["converted"] = Case(
    thing("@", '  tags = { n = 5, t = true }\n  ports = ["443", 80]\n  number = "7"\n  zones = ["b", "a", "b"]\n  enabled = "true"\n'),
    t(tags={"n": "5.0", "t": "true"}), t(ports=[443, 80], zones=["a", "b"]), t(number=7.5, enabled=None), t(zones=["a", "b", "c"]))

CASES["heredoc"] = Case(
    thing("@", '  text = <<-EOT\n    one ${path.module == "." ? "root" : "else"}\n    %{for x in ["a", "b"]~}\n    - ${x}\n    %{endfor~}\n  EOT\n'),
    t(text="one root\n- a\n- b\n"), t(text="one root"), t(text=None))

CASES["jsontext"] = Case(
    thing("@", '  text = jsonencode({ Statement = [{ Effect = "Allow", Action = ["a", "b"] }] })\n'),
    t(text='{"Statement":[{"Action":["a"],"Effect":"Allow"}]}'), t(text='{"Statement": [{"Effect":"Allow","Action":["a","b"]}]}'))

# --- blocks ---

CASES["dynamic"] = Case(
    'locals {\n  @ = ["one", "two", "three"]\n}\n'
    + thing("@", '  step {\n    run = "zero"\n  }\n  dynamic "step" {\n    for_each = local.@\n    content {\n      run  = step.value\n      wait = step.key\n    }\n  }\n'),
    t(step=[{"run": "zero", "wait": None}]), t(step=[]),
    t(step=[{"run": "zero", "wait": 1}, {"run": "one", "wait": 0}, {"run": "two", "wait": 1}, {"run": "three", "wait": 2}]),
    edited=[('"three"]', '"four", "five"]')], also=[[t(step=[])], [t(text="x")]])

CASES["grants"] = Case(
    thing("@", '  dynamic "grant" {\n    for_each = { me = "read", you = "write" }\n    iterator = g\n    content {\n      who  = g.key\n      what = g.value\n    }\n  }\n'),
    t(grant=[{"who": "me", "what": "read"}]), t(grant=[{"who": "you", "what": "write"}, {"who": "me", "what": "read"}]),
    t(grant=[{"who": "me", "what": "admin"}, {"who": "you", "what": "write"}, {"who": "x", "what": None}]),
    edited=[('you = "write"', 'we = "write"')], also=[[t(grant=[])], [t(grant=[{"who": "me", "what": "read"}, {"who": "we", "what": "write"}])]])

CASES["sdk"] = Case(
    'variable "@" { default = [22, 443] }\n'
    + thing("@", '  text = "plain"\n  size = 10\n  labels = ["x", "y"]\n  zones = ["b", "a"]\n  tags = { a = "1" }\n  settings { mode = "fast" }\n'
            '  dynamic "rule" {\n    for_each = var.@\n    content {\n      port  = rule.value\n      cidrs = ["10.0.0.${rule.key}/32"]\n    }\n  }\n', kind="lab5_thing"),
    s(text="", size=0), s(labels=["y", "x"]), s(zones=["a", "b"], tags={}), s(rule=[]), s(settings=[]),
    s(settings=[{"mode": "fast", "level": 3}]), s(enabled=True, ratio=0.5), s(labels=[], tags=None), s(secret="s3cr3t", tags={"a": "1", "b": ""}),
    edited=[("[22, 443]", "[22, 80]")], also=[[s(rule=[])], [s(size=11)], [gone("@", "lab5_thing")]])

CASES["nested"] = Case(
    thing("@", '  rules = [{ port = 22, cidrs = ["10.0.0.0/8"] }, { port = 443 }]\n  settings = { mode = "fast" }\n'
          '  sizes = { small = { gb = 1 }, big = { gb = 10 } }\n  object = { a = 1, b = "x" }\n  any = { k = [1, "x"] }\n'),
    t(settings={"mode": "fast", "level": 3}), t(settings=None, object=None), t(sizes={"small": {"gb": 2}, "big": {"gb": 10}}),
    t(sizes={"small": {"gb": 1}}), t(rules=[{"port": 443, "cidrs": None}, {"port": 22, "cidrs": ["10.0.0.0/8"]}]), t(rules=[]),
    t(object={"a": 1, "b": "y"}), t(any={"value": {"k": [2, "x"]}, "type": ["object", {"k": ["tuple", ["number", "string"]]}]}),
    edited=[("gb = 10", "gb = 20"), ('"fast"', '"slow"')], also=[[t(settings={"mode": "x", "level": None})], [t(sizes=None)]])

# --- modules ---

LEAF = LAB6 + 'variable "name" {}\nvariable "text" { default = "leaf" }\nvariable "tags" {\n  type    = map(string)\n  default = {}\n}\n' \
    'resource "lab6_thing" "t" {\n  name = var.name\n  text = var.text\n  tags = var.tags\n}\n' \
    'output "etag" { value = lab6_thing.t.etag }\noutput "text" { value = lab6_thing.t.text }\n'
MID = LAB6 + 'variable "prefix" {}\nmodule "leaf" {\n  source   = "../@_leaf"\n  for_each = { a = "first", b = null }\n' \
    '  name     = "${var.prefix}-${each.key}"\n  text     = each.value\n}\noutput "etags" { value = { for k, m in module.leaf : k => m.etag } }\n'

CASES["tree"] = Case(
    'module "@" {\n  source = "./@_mid"\n  prefix = "@"\n}\n', t("@-a", text="x"), t("@-b", text="leaf"), [gone("@-b"), t("@-a", tags={"x": "1"})],
    more={"@_mid/main.tf": MID, "@_leaf/main.tf": LEAF}, more_edited={"@_mid/main.tf": MID.replace('"first"', '"last"')}, also=[[t("@-a", text="x")]])

CASES["modeach"] = Case(
    'module "@" {\n  for_each = toset(["x", "y"])\n  source = "./@_leaf"\n  name = "@-${each.key}"\n  tags = { k = each.key }\n}\n',
    t("@-x", tags={"k": "y"}), [t("@-y", tags=None), t("@-x", text=None)],
    more={"@_leaf/main.tf": LEAF}, edited=[('["x", "y"]', '["x", "z"]')], also=[[t("@-x", text="x")]])

CASES["modcount"] = Case(
    'variable "@" { default = 2 }\nmodule "@" {\n  count = var.@\n  source = "./@_leaf"\n  name = "@-${count.index}"\n  text = format("%03d", count.index)\n}\n'
    + thing("@_sum", '  text = join("+", module.@[*].text)\n'),
    t("@-0", text="0"), t("@-sum", text="000"), more={"@_leaf/main.tf": LEAF},
    edited=[("default = 2", "default = 1")], also=[[t("@-0", text="x")], [t("@-sum", text="000")]])

CASES["modchain"] = Case(
    'module "@_one" {\n  source = "./@_leaf"\n  name = "@-one"\n}\nmodule "@_two" {\n  source = "./@_leaf"\n  name = "@-two"\n  text = module.@_one.etag\n}\n'
    'module "@_three" {\n  source = "./@_leaf"\n  name = "@-three"\n  tags = { up = module.@_two.etag, says = module.@_one.text }\n}\n',
    t("@-one", text="by hand"), t("@-one"), t("@-two", tags={"x": "1"}), gone("@-one"), t("@-three", tags={}), gone("@-two"),
    more={"@_leaf/main.tf": LEAF}, edited=[('name = "@-one"\n', 'name = "@-one"\n  text = "new"\n')], also=[[t("@-two", text="x")], [t("@-three")]])

CASES["aliased"] = Case(
    'variable "store" {}\nprovider "lab6" {\n  alias = "@"\n  store = "${var.store}/east"\n}\n'
    + thing("@", '  text = "here"\n', head="  provider = lab6.@\n")
    + 'module "@_in" {\n  source = "./@_leaf"\n  name = "@-in"\n  text = lab6_thing.@.etag\n  providers = { lab6 = lab6.@ }\n}\n',
    ("east/lab6_thing.@", {"text": "x"}), ("east/lab6_thing.@-in", {"text": "x"}), ("east/lab6_thing.@", {}), ("east/lab6_thing.@", None),
    more={"@_leaf/main.tf": LEAF})

# --- what one resource's change makes of others ---

CASES["flows"] = Case(
    thing("@_a", '  text = "a"\n') + thing("@_b", "  text = lab6_thing.@_a.etag\n") + thing("@_c", '  text = "${lab6_thing.@_b.etag}-c"\n  tags = { a = lab6_thing.@_a.text }\n')
    + thing("@_d", '  text = lab6_thing.@_a.text\n  number = length(lab6_thing.@_c.name)\n'),
    t("@-a"), t("@-a", text="x"), t("@-b"), t("@-c"), t("@-b", text="x"), gone("@-a"), gone("@-b"), t("@-d", number=0),
    edited=[('text = "a"', 'text = "aa"')], also=[[t("@-b", text="x")], [t("@-c", tags={})], [t("@-a")], [gone("@-d")]])

CASES["named"] = Case(
    thing("@_a") + thing("@_b", "  text = lab6_thing.@_a.id\n") + thing("@_c", "  text = lab6_thing.@_a.name\n"),
    t("@-a", name="renamed"), t("@-a", tier="gold"), t("@-a", text="x"), gone("@-a"),
    edited=[('"@-a"', '"@-a2"')], also=[[t("@-c", text="x")], [gone("@-b")]])

CASES["tiers"] = Case(
    thing("@_a") + thing("@_b", '  tier = "silver"\n') + thing("@_c", "  text = lab6_thing.@_a.tier\n  tags = { b = lab6_thing.@_b.tier }\n"),
    t("@-a", tier="gold"), t("@-b", tier="gold"), t("@-a", tier="gold", text="x"), gone("@-b"))

CASES["sdkflows"] = Case(
    thing("@_a", '  text = "a"\n', kind="lab5_thing") + thing("@_b", "  text = lab5_thing.@_a.etag\n", kind="lab5_thing")
    + thing("@_c", "  text = lab5_thing.@_a.id\n  tags = { b = lab5_thing.@_b.etag, t = lab5_thing.@_b.tier }\n", kind="lab5_thing"),
    s("@-a"), s("@-a", text="x"), s("@-b"), s("@-a", name="renamed"), gone("@-a", "lab5_thing"), gone("@-b", "lab5_thing"), s("@-b", tier="gold"),
    edited=[('text = "a"', 'text = "aa"')], also=[[s("@-b")], [s("@-c", text="x")]])

CASES["splat"] = Case(
    thing("@_a", head="  count = 2\n", object_="@-a${count.index}") + thing("@_b", head='  for_each = { k = "v" }\n', object_="@-b${each.key}")
    + thing("@_c", '  text = join(",", lab6_thing.@_a[*].etag)\n  tags = { for k, v in lab6_thing.@_b : k => v.etag }\n  number = length(lab6_thing.@_a)\n'),
    t("@-a0"), t("@-bk"), t("@-a1", text="x"), gone("@-bk"), t("@-c", number=1),
    edited=[("count = 2", "count = 3")], also=[[t("@-a0")], [t("@-bk", text="x")]])

CASES["triggered"] = Case(
    thing("@_a", '  text = "a"\n')
    + thing("@_b", "  lifecycle { replace_triggered_by = [lab6_thing.@_a.text] }\n")
    + thing("@_c", "  lifecycle { replace_triggered_by = [lab6_thing.@_a] }\n")
    + thing("@_d", "  lifecycle { replace_triggered_by = [lab6_thing.@_c.etag] }\n  text = lab6_thing.@_b.etag\n"),
    t("@-a"), t("@-a", text="x"), t("@-a", number=1), t("@-b"), t("@-c", text="x"), gone("@-a"),
    edited=[('text = "a"', 'text = "aa"')], also=[[t("@-b", text="x")], [t("@-c")], [gone("@-d")]])

CASES["trigdata"] = Case(
    'variable "@" { default = 1 }\nresource "terraform_data" "@" {\n  input = var.@\n  triggers_replace = [lab6_thing.@_a.etag]\n}\n'
    + thing("@_a", '  text = "a"\n') + thing("@_b", "  text = terraform_data.@.id\n  lifecycle { replace_triggered_by = [terraform_data.@] }\n")
    + thing("@_c", "  number = terraform_data.@.output\n"),
    t("@-a"), t("@-a", text="x"), t("@-c", number=5), gone("@-a"),
    edited=[("default = 1", "default = 2")], also=[[t("@-a")], [t("@-b", text="x")]])

CASES["others"] = Case(
    thing("@", '  text = "a"\n') + 'resource "null_resource" "@" {\n  triggers = { etag = lab6_thing.@.etag }\n}\n'
    'resource "random_pet" "@" {\n  keepers = { text = lab6_thing.@.text }\n}\nresource "time_static" "@" {\n  triggers = { etag = lab6_thing.@.etag }\n}\n'
    'resource "local_file" "@" {\n  filename = "${path.module}/out-@"\n  content  = "etag ${lab6_thing.@.etag}"\n}\n'
    + thing("@_b", '  text = random_pet.@.id\n  tags = { n = null_resource.@.id, t = time_static.@.rfc3339 }\n'),
    t(), t(text="x"), ("out-@", "by hand"), ("out-@", None), t("@-b", text="x"), gone(),
    edited=[('text = "a"', 'text = "aa"')], also=[[t()], [("out-@", "by hand")]])

CASES["keyed"] = Case(
    thing("@_a", '  text = "k1,k2"\n  number = 2\n')
    + thing("@_b", "  text = each.key\n", head='  for_each = toset(split(",", lab6_thing.@_a.text))\n', object_="@-b-${each.key}")
    + thing("@_c", head="  count = lab6_thing.@_a.number\n", object_="@-c-${count.index}"),
    t("@-a", text="x", number=1), t("@-b-k1", text="x"), gone("@-c-0"),
    edited=[("k1,k2", "k1,k3"), ("number = 2", "number = 1")], also=[[t("@-b-k1", text="x")]])

CASES["keyedlive"] = Case(
    thing("@_a"),
    edited=thing("@_a") + thing("@_b", '  text = "x"\n', head="  for_each = toset([lab6_thing.@_a.tier])\n", object_="@-b-${each.key}")
    + thing("@_c", head='  count = lab6_thing.@_a.tier == "gold" ? 2 : 1\n', object_="@-c-${count.index}"),
    also=[[t("@-a", tier="gold")]])

CASES["after"] = Case(
    thing("@_a", '  text = "a"\n') + thing("@_b", '  text = "b"\n  depends_on = [lab6_thing.@_a]\n'),
    t("@-a", text="x"), t("@-b", text="x"), gone("@-a"), edited=[('"a"', '"aa"')], also=[[t("@-b", text="x")]])

CASES["before"] = Case(
    thing("@_a", '  lifecycle { create_before_destroy = true }\n') + thing("@_b", "  text = lab6_thing.@_a.name\n"),
    t("@-a", name="y"), t("@-b", text="x"), edited=[('"@-a"', '"@-a2"')], also=[[t("@-a", text="x")]])

CASES["trying"] = Case(
    thing("@_a", head="  count = 1\n") + thing("@_b", '  text = try(lab6_thing.@_a[0].text, "none")\n  number = can(lab6_thing.@_a[1]) ? 2 : 1\n'
                                                '  enabled = lab6_thing.@_a[0].etag != ""\n  tags = { t = coalesce(lab6_thing.@_a[0].text, lab6_thing.@_a[0].tier) }\n'),
    t("@-a", tier="gold"), t("@-a", text="x"), gone("@-a"), t("@-b", text="none"))

CASES["echoes"] = Case(
    thing("@", '  seen = "a"\n  echoed = "b"\n', kind="lab6_echo") + thing("@_k", '  text = "k"\n', kind="lab6_known"),
    ("lab6_echo.@", {"seen": "x"}), ("lab6_echo.@", {"echoed": "x"}), ("lab6_known.@-k", {"text": "x"}), gone("@-k", "lab6_known"))

# --- lifecycle ---

CASES["ignored"] = Case(
    thing("@", '  text = "a"\n  tags = { kept = "1", theirs = "1" }\n  settings = { mode = "m", level = 1 }\n'
          '  lifecycle { ignore_changes = [text, tags["theirs"], tags["new"], settings.level] }\n')
    + thing("@_b", "  text = lab6_thing.@.text\n  tags = { e = lab6_thing.@.etag }\n"),
    t(text="b"), t(tags={"kept": "2", "theirs": "2"}), t(tags={"kept": "1", "new": "1"}), t(settings={"mode": "m", "level": 2}),
    t(settings={"mode": "n", "level": 2}), t(tags=None),
    edited=[('text = "a"', 'text = "z"'), ('kept = "1"', 'kept = "3"')], also=[[t(text="b", tags={"kept": "1", "theirs": "9"})]])

CASES["ignoreall"] = Case(
    thing("@", '  text = "a"\n  lifecycle { ignore_changes = all }\n') + thing("@_s", '  text = "a"\n  size = 1\n  lifecycle { ignore_changes = [text, tags] }\n', kind="lab5_thing")
    + thing("@_b", "  text = lab6_thing.@.text\n"),
    t(text="b", number=4), s("@-s", text="b"), s("@-s", text="b", size=2), s("@-s", tags={"x": "1"}), gone(),
    edited=[('text = "a"', 'text = "z"')], also=[[t(text="b")], [s("@-s", size=2)]])

CASES["moved"] = Case(
    thing("@_a", '  text = "a"\n') + thing("@_n", object_="@-n") + thing("@_u", "  text = lab6_thing.@_a.etag\n"),
    t("@-a", text="x"),
    edited=thing("@_b", '  text = "a"\n', object_="@-a") + thing("@_n", head="  count = 1\n", object_="@-n") + thing("@_u", "  text = lab6_thing.@_b.etag\n")
    + "moved {\n  from = lab6_thing.@_a\n  to   = lab6_thing.@_b\n}\n",
    also=[[t("@-a", text="x")], [t("@-n", text="x")], [t("@-a")], [gone("@-a")]])

CASES["movedin"] = Case(
    thing("@_a", '  text = "a"\n', object_="@-a"), t("@-a", text="x"),
    more={"@_leaf/main.tf": LEAF},
    edited='module "@" {\n  for_each = { k = "a" }\n  source = "./@_leaf"\n  name = "@-a"\n  text = each.value\n}\nmoved {\n  from = lab6_thing.@_a\n  to   = module.@["k"].lab6_thing.t\n}\n',
    also=[[t("@-a", text="x")], [t("@-a", tags={"x": "1"})]])

CASES["removed"] = Case(
    thing("@_a") + thing("@_b") + thing("@_c", "  text = lab6_thing.@_a.etag\n"), t("@-a"),
    edited=thing("@_c", '  text = "none"\n') + "removed {\n  from = lab6_thing.@_a\n  lifecycle {\n    destroy = false\n  }\n}\n",
    also=[[t("@-a", text="x"), t("@-b", text="x")]])

CASES["imported"] = Case(
    thing("@", '  text = "a"\n'),
    made=[("lab6_thing.@-i", copied("imported")), ("lab6_thing.@-j", copied("imported", text="j")), ("lab6_thing.@-k", copied("imported")),
          ("lab6_thing.@-m", copied("imported", text="m"))],
    more={"@_leaf/main.tf": LEAF},
    edited=thing("@", '  text = "a"\n') + thing("@_i", '  text = "a"\n') + "import {\n  to = lab6_thing.@_i\n  id = \"@-i\"\n}\n"
    + 'locals {\n  @ = { j = "@-j", k = "@-k" }\n}\n' + thing("@_e", '  text = "a"\n', head="  for_each = local.@\n", object_="${each.value}")
    + "import {\n  for_each = local.@\n  to = lab6_thing.@_e[each.key]\n  id = each.value\n}\n"
    + 'module "@" {\n  for_each = toset(["x"])\n  source = "./@_leaf"\n  name = "@-m"\n}\nimport {\n  for_each = toset(["x"])\n  to = module.@[each.key].lab6_thing.t\n  id = "@-m"\n}\n'
    + thing("@_u", "  text = lab6_thing.@_i.etag\n"),
    also=[[t(text="x")]])

CASES["checked"] = Case(
    thing("@", '  text = "a"\n  number = 3\n  lifecycle {\n    precondition {\n      condition = local.@ == 1\n      error_message = "no"\n    }\n    postcondition {\n      condition = self.name != ""\n      error_message = "no"\n    }\n  }\n')
    + 'locals {\n  @ = 1\n}\ncheck "@" {\n  data "lab6_info" "@" {}\n  assert {\n    condition = lab6_thing.@.number == 3 && data.lab6_info.@.region == "lab-2"\n    error_message = "not so"\n  }\n}\n',
    t(text="x"), t(number=4), gone(), edited=[("number = 3", "number = 5")], also=[[t(text="x")]])

CASES["secret"] = Case(
    'variable "@" {\n  default = "s3cr3t"\n  sensitive = true\n}\n' + thing("@", '  secret = var.@\n  text = "pre ${var.@}"\n  tags = { k = var.@ }\n')
    + thing("@_b", "  text = lab6_thing.@.secret\n"),
    t(secret="other"), t(text="other"), t(tags={"k": "other"}), t(secret=None),
    edited=[('"s3cr3t"', '"n3w"')], also=[[t(secret="other")], [t("@-b", text="x")]])

CASES["writeonly"] = Case(
    'variable "@" {\n  default = "pw"\n  ephemeral = true\n}\n' + thing("@", '  pass = var.@\n  text = "a"\n'),
    t(text="x"), t(), edited=[('"pw"', '"pw2"')], also=[[t(text="x")]])

# --- data sources ---

CASES["data"] = Case(
    'data "lab6_info" "@" {}\n' + thing("@", "  text = data.lab6_info.@.region\n"), t(text="x"), t(),
    edited=[("text = data", "tags = { r = upper(data.lab6_info.@.region) }\n  text = data")], also=[[t(text="x")]])

CASES["dataafter"] = Case(
    thing("@_a", '  text = "a"\n') + 'data "lab6_info" "@" {\n  depends_on = [lab6_thing.@_a]\n}\n' + thing("@_b", "  text = data.lab6_info.@.region\n"),
    t("@-a"), t("@-a", text="x"), t("@-b", text="x"), gone("@-a"), edited=[('"a"', '"aa"')], also=[[t("@-b", text="x")]])

CASES["datanew"] = Case(
    thing("@", '  text = "a"\n'), t(text="x"),
    edited=thing("@", '  text = "a"\n  tags = { etag = lab6_thing.@_b.etag, name = lab6_thing.@_b.name }\n') + thing("@_b", '  text = "b"\n'),
    also=[[t(text="x")], [t(tags={"name": "@"})]])

# --- computed ---

CASES["computed"] = Case(
    thing("@", '  text = "a"\n') + 'output "@" { value = lab6_thing.@.etag }\n' + thing("@_s", '  text = "a"\n', kind="lab5_thing"),
    t(), s("@-s"), t(tier="gold"), s("@-s", tier="gold"), [t(tier="gold", text="x")])

CASES["both"] = Case(
    thing("@", '  text = "a"\n'), t(text="x"),
    edited=[('text = "a"', 'text = "b"')], also=[[t(text="b")], [t(text="c")], [t(text="b", number=1)]])

# What is changed in many ways is there twice, so that no round is for a few alone.
CHANGES_MAX = 5
for name in list(CASES):
    case = CASES[name]
    if len(case.changes) > CHANGES_MAX:
        CASES[name + "two"] = Case(case.code, *case.changes[CHANGES_MAX:], more=case.more, made=case.made)
        case.changes = case.changes[:CHANGES_MAX]
