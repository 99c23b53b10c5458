"""Against the code: what plumb finds is what a real plan would change, with and without drift."""
import json
import shutil

from harness import DRIFT, IN_SYNC, INCOMPLETE, Stack, check, test
from worlds import applied

ROOT = '''
variable "size" { default = 2 }
variable "note" {
  type    = string
  default = "plain"
}
locals {
  zones = { a = ["z1", "z2"], b = ["z3"] }
  tags  = { team = "net", note = var.note }
}
resource "lab6_thing" "many" {
  count   = var.size
  name    = "m${count.index}"
  text    = "text ${count.index}"
  number  = count.index + 1
  tags    = merge(local.tags, { index = count.index })
  zones   = local.zones["a"]
}
resource "lab6_thing" "each" {
  for_each = local.zones
  name     = "e-${each.key}"
  zones    = each.value
  ports    = [for i in range(length(each.value)) : 80 + i]
  text     = lab6_thing.many[0].text
}
resource "lab6_thing" "dyn" {
  name = "dyn"
  dynamic "step" {
    for_each = ["one", "two"]
    content {
      run  = step.value
      wait = step.key
    }
  }
  dynamic "grant" {
    for_each = { me = "read", you = "write" }
    iterator = g
    content {
      who  = g.key
      what = g.value
    }
  }
}
resource "lab5_thing" "old" {
  name   = "old"
  text   = "plain"
  size   = 10
  labels = ["x", "y"]
  tags   = local.tags
  dynamic "rule" {
    for_each = [22, 443]
    content { port = rule.value }
  }
}
module "sub" {
  for_each = toset(["one", "two"])
  source   = "./sub"
  prefix   = each.key
  ports    = [8080]
}
'''
SUB = '''
terraform {
  required_providers { lab6 = { source = "plumb.test/lab/lab6" } }
}
variable "prefix" {}
variable "ports" { type = list(number) }
resource "lab6_thing" "s" {
  count = 2
  name  = "${var.prefix}${count.index}"
  ports = concat(var.ports, [count.index])
  text  = format("%s-%02d", var.prefix, count.index)
}
output "names" { value = lab6_thing.s[*].name }
'''


def root(lab):
    """One applied stack for all who put back what they change."""
    if not hasattr(lab, "code_root"):
        lab.code_root = applied(lab, ROOT, files={"sub/main.tf": SUB})
        lab.code_root.must_plan(lab.code_root.scan().must_be_clean(10))
    return lab.code_root


# somebody's change behind Terraform's back -> where it is drift, and (with paths) what
CHANGES = {
    "count text": ("lab6_thing", "m1", {"text": "other"}, "lab6_thing.many[1]", ["text"]),
    "count number": ("lab6_thing", "m0", {"number": 7}, "lab6_thing.many[0]", ["number"]),
    "map key added": ("lab6_thing", "m0", {"tags": {"team": "net", "note": "plain", "index": "0", "x": "1"}}, "lab6_thing.many[0]", ["tags.x"]),
    "map key removed": ("lab6_thing", "m1", {"tags": {"team": "net", "index": "1"}}, "lab6_thing.many[1]", ["tags.note"]),
    "set element": ("lab6_thing", "m0", {"zones": ["z1"]}, "lab6_thing.many[0]", ["zones[*]"]),
    "for_each list": ("lab6_thing", "e-a", {"ports": [80, 81, 82]}, 'lab6_thing.each["a"]', ["ports[2]"]),
    "for_each null": ("lab6_thing", "e-b", {"ports": None}, 'lab6_thing.each["b"]', ["ports"]),
    "dynamic block changed": ("lab6_thing", "dyn", {"step": [{"run": "one", "wait": 5}, {"run": "two", "wait": 1}]}, "lab6_thing.dyn", ["step[0].wait"]),
    "dynamic block added": ("lab6_thing", "dyn", {"step": [{"run": "one", "wait": 0}, {"run": "two", "wait": 1}, {"run": "x", "wait": None}]}, "lab6_thing.dyn", None),
    "dynamic set block": ("lab6_thing", "dyn", {"grant": [{"who": "me", "what": "read"}]}, "lab6_thing.dyn", None),
    "v5 text": ("lab5_thing", "old", {"text": "other"}, "lab5_thing.old", ["text"]),
    "v5 list": ("lab5_thing", "old", {"labels": ["x"]}, "lab5_thing.old", None),
    "v5 blocks": ("lab5_thing", "old", {"rule": [{"port": 22, "cidrs": [], "note": ""}]}, "lab5_thing.old", None),
    "in a module": ("lab6_thing", "two1", {"text": "other"}, 'module.sub["two"].lab6_thing.s[1]', ["text"]),
    "computed only": ("lab6_thing", "m0", {}, None, None),
    "optional and computed": ("lab6_thing", "m0", {"tier": "gold"}, None, None),
}


@test("lab5", "lab6", cases=sorted(CHANGES))
def code_drift(lab, name):
    kind, thing, changes, address, paths = CHANGES[name]
    stack = root(lab)
    with stack.edited(kind, thing, **changes):
        scan = stack.scan().must_find(contradicts=[address] if address else [])
        if paths:
            found = [c["path"] for f in scan.findings if f["class"] == "contradicts-code" for c in f["changes"] if c["configurable"]]
            check(found == paths, "paths", found, "expected", paths)
        for f in scan.findings:
            check(f["class"] == "state-only" or f["location"]["file"].endswith(".tf"), "no place:", f)
        stack.must_plan(scan)


# the code changes, and nobody has applied it -> what is not applied; the third: a change behind it all the same
EDITS = {
    "a literal": ([("text    = \"text ", "text    = \"word ")], ["lab6_thing.many[0]", "lab6_thing.many[1]", 'lab6_thing.each["a"]', 'lab6_thing.each["b"]']),
    "one more": ([("default = 2", "default = 3")], ["lab6_thing.many[2]"]),
    "one less": ([("default = 2", "default = 1")], ["lab6_thing.many[1]"]),
    "a variable": ([("default = \"plain\"", "default = \"fancy\"")], ["lab5_thing.old", "lab6_thing.many[0]", "lab6_thing.many[1]"]),
    "another key": ([("b = [\"z3\"]", "c = [\"z3\"]")], ['lab6_thing.each["b"]', 'lab6_thing.each["c"]']),
    "a dynamic block": ([("[\"one\", \"two\"]\n    content {\n      run", "[\"one\"]\n    content {\n      run")], ["lab6_thing.dyn"]),
    "a block of v5": ([("[22, 443]", "[22, 444]")], ["lab5_thing.old"]),
    "a module argument": ([("[8080]", "[8081]")], [f'module.sub["{k}"].lab6_thing.s[{i}]' for k in ("one", "two") for i in (0, 1)]),
    "no module": ([('toset(["one", "two"])', 'toset(["one"])')], ['module.sub["two"].lab6_thing.s[0]', 'module.sub["two"].lab6_thing.s[1]']),
    "a name: replaced": ([('"m${count.index}"', '"n${count.index}"')], ["lab6_thing.many[0]", "lab6_thing.many[1]"]),
}


@test("lab5", "lab6", cases=sorted(EDITS))
def code_ahead(lab, name):
    edits, unapplied = EDITS[name]
    stack = root(lab)
    whole = (stack.dir / "main.tf").read_text()
    text = whole
    for old, new in edits:
        check(old in text, "the test's own edit does not fit:", old)
        text = text.replace(old, new)
    try:
        (stack.dir / "main.tf").write_text(text)
        scan = stack.scan()
        check(scan.exit == IN_SYNC and not scan.of("contradicts-code"), "code that is ahead is no drift:", scan.brief())
        stack.must_plan(scan)
        check(scan.of("unapplied") == sorted(unapplied), "unapplied should be", sorted(unapplied), "but:", scan.brief())
        with stack.edited("lab6_thing", "dyn", text="by hand"):
            scan = stack.scan()
            check("lab6_thing.dyn" in scan.of("contradicts-code"), scan.brief())
            stack.must_plan(scan)
    finally:
        (stack.dir / "main.tf").write_text(whole)


IGNORING = '''
resource "lab6_thing" "some" {
  name = "some"
  text = "a"
  tags = { kept = "1", theirs = "1" }
  lifecycle { ignore_changes = [text, tags["theirs"], tags["new"]] }
}
resource "lab6_thing" "all" {
  name = "all"
  text = "a"
  lifecycle { ignore_changes = all }
}
resource "lab5_thing" "old" {
  name = "old"
  text = "a"
  size = 1
  lifecycle { ignore_changes = [text] }
}
'''


@test("lab5", "lab6")
def accepted_by_ignore_changes(lab):
    stack = applied(lab, IGNORING)
    stack.must_plan(stack.scan().must_be_clean(3))
    stack.edit("lab6_thing", "some", text="b", tags={"kept": "1", "theirs": "2", "new": "3"})
    stack.edit("lab6_thing", "all", text="b", number=3)
    stack.edit("lab5_thing", "old", text="b")
    scan = stack.must_plan(stack.scan().must_find())
    check(scan.coverage[0]["ignored"] == 3, "ignored:", scan.coverage)
    shown = [f for f in stack.scan("--show-ignored").findings if f.get("ignored")]
    check(len(shown) == 3 and all("ignore_changes at" in f["ignored"]["reason"] for f in shown), shown)
    stack.edit("lab6_thing", "some", text="b", tags={"kept": "2", "theirs": "2"})
    stack.edit("lab5_thing", "old", text="b", size=2)
    stack.must_plan(stack.scan().must_find(contradicts=["lab6_thing.some", "lab5_thing.old"]))


@test("lab6")
def moved_and_removed(lab):
    stack = applied(lab, '''
resource "lab6_thing" "a" { name = "a" }
resource "lab6_thing" "gone" { name = "gone" }
resource "lab6_thing" "n" { name = "n" }
''')
    stack.write("main.tf", stack.providers("lab6_") + '''
resource "lab6_thing" "b" {
  name = "a"
  text = "x"
}
resource "lab6_thing" "n" {
  count = 1
  name  = "n"
}
moved {
  from = lab6_thing.a
  to   = lab6_thing.b
}
''')
    scan = stack.scan().must_find(unapplied=["lab6_thing.b", "lab6_thing.gone"])
    notes = " ".join(stack.scan().report["stacks"][0]["notes"])
    check("lab6_thing.b is lab6_thing.a in the last state" in notes, notes)
    stack.must_plan(scan)
    stack.edit("lab6_thing", "n", text="by hand")
    stack.must_plan(stack.scan().must_find(contradicts=["lab6_thing.n[0]"], unapplied=["lab6_thing.b", "lab6_thing.gone"]))


@test("lab6")
def configured_by_the_code(lab):
    """Provider settings come out of the code: aliases, a module's own, a variable in between."""
    code = '''
variable "where" {}
locals { east = "${var.where}/east" }
provider "lab6" { store = "${var.where}/main" }
provider "lab6" {
  alias = "east"
  store = local.east
}
resource "lab6_thing" "main" { name = "x" }
resource "lab6_thing" "east" {
  provider = lab6.east
  name     = "x"
  text     = "here"
}
module "m" {
  source    = "./m"
  providers = { lab6 = lab6.east }
}
'''
    stack = Stack(lab, code, files={"m/main.tf": 'terraform {\n  required_providers { lab6 = { source = "plumb.test/lab/lab6" } }\n}\n'
                                                 'resource "lab6_thing" "in" { name = "in" }\n'})
    stack.write("terraform.tfvars", f'where = "{stack.home}"\n')
    stack.apply()
    stack.must_plan(stack.scan().must_be_clean(3))
    (stack.home / "east/lab6_thing/in.json").unlink()
    stack.must_plan(stack.scan().must_find(missing=["module.m.lab6_thing.in"]))
    (stack.dir / "terraform.tfvars").unlink()                # now nobody says where
    scan = stack.scan()
    check(scan.exit == INCOMPLETE and not scan.of("missing"), scan.brief())
    check(stack.scan("--var", f"where={stack.home}").must_find(missing=["module.m.lab6_thing.in"]), "")


@test("lab6")
def providers_for_each(lab):
    """OpenTofu's for_each of a provider: each instance in the store of its own key, in modules too."""
    inside = 'terraform {\n  required_providers { lab6 = { source = "plumb.test/lab/lab6" } }\n}\nresource "lab6_thing" "in" { name = "in" }\n'
    stack = Stack(lab, '''
variable "home" {}
locals { regions = { east = "e", west = "w" } }
provider "lab6" {
  alias    = "by"
  for_each = local.regions
  store    = "${var.home}/${each.value}"
}
resource "lab6_thing" "t" {
  for_each = local.regions
  provider = lab6.by[each.key]
  name     = "t"
  text     = each.key
}
module "m" {
  for_each  = local.regions
  source    = "./m"
  providers = { lab6 = lab6.by[each.key] }
}
''', files={"m/main.tf": inside})
    stack.write("terraform.tfvars", f'home = "{stack.home}"\n')
    stack.apply()
    stack.must_plan(stack.scan().must_be_clean(4))
    (stack.home / "w/lab6_thing/in.json").unlink()
    stack.edit_path(stack.home / "e/lab6_thing/t.json", {"text": "x"})
    stack.must_plan(stack.scan().must_find(missing=['module.m["west"].lab6_thing.in'], contradicts=['lab6_thing.t["east"]']))
    # No state: which store an import block means is in the code alone.
    (stack.home / "w/lab6_thing/in.json").write_text((stack.home / "e/lab6_thing/in.json").read_text())
    (stack.dir / "terraform.tfstate").unlink()
    stack.write("imports.tf", 'import {\n  for_each = local.regions\n  to = lab6_thing.t[each.key]\n  id = "t"\n}\n'
                              'import {\n  for_each = local.regions\n  to = module.m[each.key].lab6_thing.in\n  id = "in"\n}\n')
    scan = stack.scan()
    check(scan.of("contradicts-code") == ['lab6_thing.t["east"]'] and not scan.of("unchecked"), scan.brief())
    check(scan.coverage[0]["compared"] == 4, scan.coverage)


@test("lab6")
def without_a_state(lab):
    """A fresh clone: what import blocks name is read and compared, the rest is unchecked."""
    stack = applied(lab, 'resource "lab6_thing" "t" {\n  for_each = toset(["a", "b", "c"])\n  name = each.key\n  text = "x"\n}\n')
    shutil.move(stack.dir / "terraform.tfstate", stack.home / "elsewhere.tfstate")
    scan = stack.scan()
    check(scan.exit == INCOMPLETE and len(scan.of("unchecked")) == 3, scan.brief())
    stack.write("import.tf", 'import {\n  to = lab6_thing.t["c"]\n  id = "c"\n}\n'
                             'import {\n  for_each = toset(["a", "gone"])\n  to = lab6_thing.t[each.key]\n  id = each.value\n}\n')
    scan = stack.scan()
    check(scan.of("unchecked") == ['lab6_thing.t["b"]'] and not scan.of("contradicts-code"), scan.brief())
    stack.edit("lab6_thing", "a", text="y")
    stack.delete("lab6_thing", "c")
    scan = stack.scan()
    check(scan.of("contradicts-code") == ['lab6_thing.t["a"]'], scan.brief())
    check('lab6_thing.t["c"]' in scan.of("missing") + scan.of("unchecked"), scan.brief())
    check(scan.exit == DRIFT, scan.brief())


@test("lab6")
def code_with_errors(lab):
    """The scan goes on against the last state, and says what is wrong with the code."""
    stack = applied(lab, 'resource "lab6_thing" "t" { name = "t" }\n')
    stack.write("more.tf", 'resource "lab6_thing" "u" { name = nothing.here }\n')
    scan = stack.scan().must_find()
    check(any("code:" in n and "more.tf" in n for n in scan.report["stacks"][0]["notes"]), scan.report["stacks"][0]["notes"])
    stack.edit("lab6_thing", "t", text="y")
    stack.scan().must_find(contradicts=["lab6_thing.t"])
    check(stack.scan("--desired", "code").exit == 1, "errors of the code are errors with --desired code")
    stack.write("more.tf", "resource {\n")
    stack.scan().must_find(contradicts=["lab6_thing.t"])


@test("lab6")
def tainted_in_code(lab):
    stack = applied(lab, 'resource "lab6_thing" "t" {\n  count = 2\n  name = "t${count.index}"\n}\n')
    stack.run("taint", "lab6_thing.t[0]")
    stack.must_plan(stack.scan().must_find(unapplied=["lab6_thing.t[0]"]))


@test("lab6")
def imports_to_come(lab):
    """An import block for what is not in the state yet."""
    stack = applied(lab, 'resource "lab6_thing" "t" { name = "t" }\n')
    stack.object("lab6_thing", "u").write_text(json.dumps({**json.loads(stack.object("lab6_thing", "t").read_text()), "name": "u", "id": "u"}))
    stack.write("more.tf", 'resource "lab6_thing" "u" {\n  name = "u"\n  text = "new"\n}\nimport {\n  to = lab6_thing.u\n  id = "u"\n}\n')
    stack.must_plan(stack.scan().must_find(unapplied=["lab6_thing.u"]))


@test("lab6")
def imported_by_identity(lab):
    """Terraform 1.12's and OpenTofu 1.12's import blocks without an id: the identity goes over the wire."""
    stack = applied(lab, 'resource "lab6_known" "t" {\n  name = "t"\n  text = "x"\n}\n')
    for name in "uvw":
        made = {**json.loads(stack.object("lab6_known", "t").read_text()), "name": name, "id": name}
        stack.object("lab6_known", name).write_text(json.dumps(made))
    stack.write("more.tf", '''
resource "lab6_known" "u" {
  name = "u"
  text = "new"
}
import {
  to       = lab6_known.u
  identity = { id = "u" }
}
resource "lab6_known" "each" {
  for_each = toset(["v", "w"])
  name     = each.key
  text     = "new"
}
import {
  for_each = toset(["v", "w"])
  to       = lab6_known.each[each.key]
  identity = { id = each.value }
}
''')
    stack.must_plan(stack.scan().must_find(unapplied=['lab6_known.each["v"]', 'lab6_known.each["w"]', "lab6_known.u"]))
    stack.write("more.tf", 'resource "lab6_thing" "u" {\n  name = "u"\n}\nimport {\n  to = lab6_thing.u\n  identity = { id = "u" }\n}\n')
    found = stack.scan().must_find(unchecked=["lab6_thing.u"])
    check("the import block wants an id" in found.stdout, found.brief())


@test("lab6")
def not_enabled(lab):
    """OpenTofu's `enabled` in lifecycle: what is switched off would go, and what refers to it sees null."""
    stack = applied(lab, '''
variable "on" { default = true }
resource "lab6_thing" "a" {
  name = "a"
  text = "x"
  lifecycle {
    enabled         = var.on
    prevent_destroy = var.on
  }
}
resource "lab6_thing" "b" {
  name = "b"
  text = try(lab6_thing.a.text, "none")
}
''', files={"x.tofu": ""})
    stack.must_plan(stack.scan().must_be_clean(2))
    with stack.edited("lab6_thing", "a", text="y"):
        stack.must_plan(stack.scan().must_find(contradicts=["lab6_thing.a"]))
    stack.write("terraform.tfvars", "on = false\n")
    stack.must_plan(stack.scan().must_find(unapplied=["lab6_thing.a", "lab6_thing.b"]))


REQUIRED = 'terraform {\n  required_providers {\n    lab6 = { source = "plumb.test/lab/lab6" }\n  }\n}\n'


@test("lab6")
def module_not_enabled(lab):
    """The same of a module call: its instances have no index, and without it the module is null."""
    stack = applied(lab, '''
variable "on" { default = true }
module "m" {
  source = "./m"
  lifecycle {
    enabled = var.on
  }
}
resource "lab6_thing" "b" {
  name = "b"
  text = module.m == null ? "none" : module.m.text
}
''', files={"x.tofu": "", "m/main.tf": REQUIRED + 'resource "lab6_thing" "a" {\n  name = "a"\n  text = "x"\n}\n'
                                      'output "text" {\n  value = lab6_thing.a.text\n}\n'})
    stack.must_plan(stack.scan().must_be_clean(2))
    with stack.edited("lab6_thing", "a", text="y"):
        stack.must_plan(stack.scan().must_find(contradicts=["module.m.lab6_thing.a"]))
    stack.write("terraform.tfvars", "on = false\n")
    stack.must_plan(stack.scan().must_find(unapplied=["lab6_thing.b", "module.m.lab6_thing.a"]))


CERTIFICATES = '''
variable "hours" { default = 100 }
variable "early" { default = 10 }
variable "domain" { default = "example.test" }
resource "tls_private_key" "k" {
  for_each    = { ca = "P256", leaf = "P384" }
  algorithm   = "ECDSA"
  ecdsa_curve = each.value
}
resource "tls_self_signed_cert" "ca" {
  key_algorithm         = tls_private_key.k["ca"].algorithm
  private_key_pem       = tls_private_key.k["ca"].private_key_pem
  is_ca_certificate     = true
  validity_period_hours = var.hours
  early_renewal_hours   = var.early
  allowed_uses          = ["cert_signing", "crl_signing"]
  subject {
    common_name  = var.domain
    organization = "ACME"
  }
}
resource "tls_cert_request" "leaf" {
  key_algorithm   = tls_private_key.k["leaf"].algorithm
  private_key_pem = tls_private_key.k["leaf"].private_key_pem
  dns_names       = [for n in ["a", "b"] : "${n}.${var.domain}"]
  subject { common_name = "a.${var.domain}" }
}
resource "tls_locally_signed_cert" "leaf" {
  cert_request_pem      = tls_cert_request.leaf.cert_request_pem
  ca_key_algorithm      = tls_private_key.k["ca"].algorithm
  ca_private_key_pem    = tls_private_key.k["ca"].private_key_pem
  ca_cert_pem           = tls_self_signed_cert.ca.cert_pem
  validity_period_hours = var.hours
  early_renewal_hours   = var.early
  allowed_uses          = ["server_auth"]
}
'''


@test("tls")
def certificates(lab):
    """The real tls provider: keys, certificates signed with them, what is made anew along the chain, and what is due for renewal."""
    ca, request, leaf = "tls_self_signed_cert.ca", "tls_cert_request.leaf", "tls_locally_signed_cert.leaf"
    stack = applied(lab, CERTIFICATES)
    stack.must_plan(stack.scan().must_be_clean(5))
    for values, want in (('domain = "other.test"', [request, leaf, ca]), ("hours = 200", [leaf, ca]), ("early = 10\nhours = 100", [])):
        stack.write("terraform.tfvars", values + "\n")
        stack.must_plan(stack.scan().must_find(unapplied=want))
    # Another curve for one key: everything that is made with it, and nothing of the other.
    stack.write("main.tf", (stack.dir / "main.tf").read_text().replace("P384", "P521"))
    stack.must_plan(stack.scan().must_find(unapplied=['tls_private_key.k["leaf"]', request, leaf]))
    stack.write("main.tf", (stack.dir / "main.tf").read_text().replace("P521", "P384"))
    # Renewal is due as soon as they are made: this provider then says that they are gone.
    stack.write("terraform.tfvars", "early = 100\n")
    stack.apply()
    stack.must_plan(stack.scan().must_find(missing=[leaf, ca]))
