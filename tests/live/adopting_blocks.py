"""`plumb adopt` on nested blocks that dynamic blocks make, and those beside them: the edit is the one that a careful engineer
would make, line by line, and afterwards `tofu plan` is empty; or the refusal says exactly why."""
from adopting import adopt, texts
from harness import Stack, check, test

ONE, TWO = {"run": "one", "wait": 1}, {"run": "two", "wait": 2}
MID = {"run": "mid", "wait": None}
LAB6 = 'terraform {\n  required_providers {\n    lab6 = { source = "plumb.test/lab/lab6" }\n  }\n}\n'


def dynamic(each, content="      run  = step.value.run\n      wait = step.value.wait\n", kind="step", iterator=""):
    return f'  dynamic "{kind}" {{\n    for_each = {each}\n{iterator}    content {{\n{content}    }}\n  }}\n'


RUN = "      run = step.value\n"
STEPS = '[\n    { run = "one", wait = 1 },\n    { run = "two", wait = 2 }, # second\n  ]'
TYPED = 'variable "v§" {\n  type = list(object({\n    run  = string\n    wait = optional(number)\n  }))\n  default = DEFAULT\n}\n'
TRY = "      run  = step.value.run\n      wait = try(step.value.wait, null)\n"
LOOKUP = '      run  = step.value["run"]\n      wait = lookup(step.value, "wait", null)\n'


def runs(*names):
    return {"step": [{"run": name, "wait": None} for name in names]}


def who(*pairs):
    return {"grant": [{"who": a, "what": b} for a, b in pairs]}


# name: (body, before the resource, files, what somebody made of it, lines that go and come; or a text of the refusal)
CASES = {
    # 1. the deciding collection: literal, local, variable, tfvars, argument, attribute
    "literal_grows": (dynamic('["one", "two"]', RUN), "", {}, runs("one", "two", "three"),
                      ['-    for_each = ["one", "two"]', '+    for_each = ["one", "two", "three"]']),
    "literal_shrinks": (dynamic('["one", "two"]', RUN), "", {}, runs("two"), ['-    for_each = ["one", "two"]', '+    for_each = ["two"]']),
    "literal_middle": (dynamic('["one", "two"]', RUN), "", {}, runs("one", "mid", "two"),
                       ['-    for_each = ["one", "two"]', '+    for_each = ["one", "mid", "two"]']),
    "literal_changes": (dynamic('["one", "two"]', RUN), "", {}, runs("one", "zwei"),
                        ['-    for_each = ["one", "two"]', '+    for_each = ["one", "zwei"]']),
    "literal_all_go": (dynamic('["one", "two"]', RUN), "", {}, runs(), ['-    for_each = ["one", "two"]', "+    for_each = []"]),
    "literal_first_comes": (dynamic("[]", RUN), "", {}, runs("one"), ["-    for_each = []", '+    for_each = ["one"]']),
    "set_grows": (dynamic('toset(["b", "a"])', RUN), "", {}, runs("a", "b", "c"),
                  ['-    for_each = toset(["b", "a"])', '+    for_each = toset(["b", "a", "c"])']),
    "set_changes": (dynamic('toset(["b", "a"])', "      run = step.key\n"), "", {}, runs("a", "z"),
                    ['-    for_each = toset(["b", "a"])', '+    for_each = toset(["z", "a"])']),
    "map_key": (dynamic('{\n      a = 1\n      b = 2\n    }', "      run  = step.key\n      wait = step.value\n"), "", {},
                {"step": [{"run": "a", "wait": 1}, {"run": "b", "wait": 2}, {"run": "c", "wait": 3}]}, ["+      c = 3"]),
    "map_quoted_key": (dynamic('{ "a" = 1, "b" = 2 }', "      run  = step.key\n      wait = step.value\n"), "", {},
                       {"step": [{"run": "a", "wait": 1}, {"run": "b", "wait": 2}, {"run": "c", "wait": 3}]},
                       ['-    for_each = { "a" = 1, "b" = 2 }', '+    for_each = { "a" = 1, "b" = 2, "c" = 3 }']),
    "map_renamed": (dynamic('{\n      a = 1\n      b = 2\n    }', "      run  = step.key\n      wait = step.value\n"), "", {},
                    {"step": [{"run": "a", "wait": 1}, {"run": "c", "wait": 2}]}, ["-      b = 2", "+      c = 2"]),
    "local_objects_grow": (dynamic("local.l§"), "locals {\n  l§ = " + STEPS + "\n}\n", {}, {"step": [ONE, MID, TWO]},
                           ['+    { run = "mid", wait = null },']),
    "local_objects_shrink": (dynamic("local.l§"), "locals {\n  l§ = " + STEPS + "\n}\n", {}, {"step": [ONE]},
                             ['-    { run = "two", wait = 2 }, # second']),
    "some_leave_it_out": (dynamic("local.l§", TRY), 'locals {\n  l§ = [\n    { run = "one", wait = 1 },\n    { run = "two" },\n  ]\n}\n', {},
                          {"step": [ONE, {"run": "two", "wait": None}, MID]}, ['+    { run = "mid" },']),
    "member_comes": (dynamic("local.l§", TRY), 'locals {\n  l§ = [\n    { run = "one", wait = 1 },\n    { run = "two" },\n  ]\n}\n', {},
                     {"step": [ONE, TWO]}, ['-    { run = "two" },', '+    { run = "two", wait = 2 },']),
    "member_goes": (dynamic("local.l§", LOOKUP), 'locals {\n  l§ = [\n    { run = "one", wait = 1 },\n    { run = "two", wait = 2 },\n  ]\n}\n', {},
                    {"step": [ONE, {"run": "two", "wait": None}]}, ['-    { run = "two", wait = 2 },', '+    { run = "two" },']),
    "default_typed": (dynamic("var.v§"), TYPED.replace("DEFAULT", '[{ run = "one", wait = 1 }]'), {}, {"step": [ONE, MID]},
                      ['-  default = [{ run = "one", wait = 1 }]', '+  default = [{ run = "one", wait = 1 }, { run = "mid" }]']),
    "default_empty": (dynamic("var.v§"), TYPED.replace("DEFAULT", "[]"), {}, {"step": [MID]},
                      ["-  default = []", "+  default = [", "+    {", '+      run = "mid"', "+    },", "+  ]"]),
    "tfvars": (dynamic("var.v§"), TYPED.replace("DEFAULT", "[]"),
               {"v§.auto.tfvars": 'v§ = [\n  { run = "one", wait = 1 },\n  { run = "two" }\n]\n'},
               {"step": [ONE, {"run": "two", "wait": None}, MID]}, ['-  { run = "two" }', '+  { run = "two" },', '+  { run = "mid" }']),
    "tfvars_json": (dynamic("var.v§"), TYPED.replace("DEFAULT", "[]"),
                    {"v§.auto.tfvars.json": '{\n  "v§": [\n    { "run": "one", "wait": 1 }\n  ]\n}\n'}, {"step": [ONE, TWO]},
                    ['-    { "run": "one", "wait": 1 }', '+    { "run": "one", "wait": 1 },', '+    { "run": "two", "wait": 2 }']),
    "object_attribute": (dynamic("var.v§.steps", RUN), 'variable "v§" {\n  default = {\n    name  = "x"\n    steps = ["one"]\n  }\n}\n', {},
                         runs("one", "two"), ['-    steps = ["one"]', '+    steps = ["one", "two"]']),
    "lookup_absent": (dynamic('lookup(local.l§, "steps", [])', RUN), 'locals {\n  l§ = {\n    name = "x"\n  }\n}\n', {}, runs("one"),
                      ['-    name = "x"', '+    name  = "x"', '+    steps = ["one"]']),
    "optional_absent": (dynamic("var.v§.steps", RUN),
                        'variable "v§" {\n  type = object({\n    name  = string\n    steps = optional(list(string), [])\n  })\n'
                        '  default = {\n    name = "x"\n  }\n}\n', {}, runs("one"),
                        ['-    name = "x"', '+    name  = "x"', '+    steps = ["one"]']),
    "through_for": (dynamic("[for s in local.l§ : s if s.on]", "      run = step.value.run\n"),
                    'locals {\n  l§ = [\n    { run = "off", on = false },\n    { run = "one", on = true },\n  ]\n}\n', {}, runs("one", "two"),
                    ['+    { run = "two", on = true },']),
    "for_shrinks": (dynamic("[for s in local.l§ : s if s.on]", "      run = step.value.run\n"),
                    'locals {\n  l§ = [\n    { run = "off", on = false },\n    { run = "one", on = true },\n  ]\n}\n', {}, runs(),
                    ['-    { run = "one", on = true },']),
    "for_with_keys": (dynamic("{ for s in local.l§ : s.run => s.wait }", "      run  = step.key\n      wait = step.value\n"),
                      'locals {\n  l§ = [\n    { run = "a", wait = 1 },\n    { run = "b", wait = 2 },\n  ]\n}\n', {},
                      {"step": [{"run": "a", "wait": 1}, {"run": "b", "wait": 2}, {"run": "c", "wait": 3}]}, ['+    { run = "c", wait = 3 },']),
    "concatenated": (dynamic('concat(["one"], local.l§)', RUN), 'locals {\n  l§ = ["two"]\n}\n', {}, runs("one", "two", "three"),
                     ['-  l§ = ["two"]', '+  l§ = ["two", "three"]']),
    "merged": (dynamic("merge({ a = 1 }, local.l§)", "      run  = step.key\n      wait = step.value\n"), 'locals {\n  l§ = { b = 2 }\n}\n', {},
               {"step": [{"run": "a", "wait": 1}]}, ["-  l§ = { b = 2 }", "+  l§ = {}"]),
    "flag_on": (dynamic("var.v§ ? [1] : []", '      run = "one"\n'), 'variable "v§" {\n  default = false\n}\n', {}, runs("one"),
                ["-  default = false", "+  default = true"]),
    "flag_off": (dynamic("var.v§ ? [1] : []", '      run = "one"\n'), 'variable "v§" {\n  default = true\n}\n', {}, runs(),
                 ["-  default = true", "+  default = false"]),
    "one_comes": (dynamic("var.v§ != null ? [var.v§] : []", "      run = step.value.run\n"),
                  'variable "v§" {\n  type = object({\n    run  = string\n    wait = optional(number)\n  })\n  default = null\n}\n', {}, runs("one"),
                  ["-  default = null", "+  default = {", '+    run = "one"', "+  }"]),
    "one_goes": (dynamic("var.v§ == null ? [] : [var.v§]", "      run = step.value.run\n"),
                 'variable "v§" {\n  default = { run = "one" }\n}\n', {}, runs(), ['-  default = { run = "one" }', "+  default = null"]),
    "splat_comes": (dynamic("var.v§[*]", RUN), 'variable "v§" {\n  type    = string\n  default = null\n}\n', {}, runs("one"),
                    ["-  default = null", '+  default = "one"']),
    "prefixed": (dynamic("local.l§", '      run = "pre-${step.value}"\n'), 'locals {\n  l§ = ["a"]\n}\n', {}, runs("pre-a", "pre-b"),
                 ['-  l§ = ["a"]', '+  l§ = ["a", "b"]']),
    "for_lets_pass": (dynamic("{ for k, v in local.l§ : k => v if v.on }", "      run = step.key\n"),
                      'locals {\n  l§ = {\n    a = { on = true }\n    b = { on = false }\n  }\n}\n', {}, runs("a", "b"),
                      ["-    b = { on = false }", "+    b = { on = true }"]),
    "key_of_a_table": (dynamic("local.l§", "      run  = local.t§[step.value][1]\n      wait = local.t§[step.value][0]\n"),
                       'locals {\n  l§ = ["ssh"]\n  t§ = {\n    ssh = [22, "tcp"]\n    web = [80, "tcp"]\n  }\n}\n', {},
                       {"step": [{"run": "tcp", "wait": 22}, {"run": "tcp", "wait": 80}]}, ['-  l§ = ["ssh"]', '+  l§ = ["ssh", "web"]']),
    "element_elsewhere": (dynamic("[local.a§, local.b§]", "      run = step.value.run\n"),
                          'locals {\n  a§ = { run = "a" }\n  b§ = { run = "b" }\n}\n', {}, runs("a", "z"),
                          ['-  b§ = { run = "b" }', '+  b§ = { run = "z" }']),
    "one_list_two_types": (dynamic("local.l§", RUN) + dynamic("local.l§", "      who = grant.value\n", "grant"), 'locals {\n  l§ = ["one"]\n}\n', {},
                           {**runs("one", "two"), **who(("one", None), ("two", None))}, ['-  l§ = ["one"]', '+  l§ = ["one", "two"]']),
    # 2. sets: live order is not the code's
    "set_block_changes": (dynamic("local.l§", "      who  = grant.value.who\n      what = grant.value.what\n", "grant"),
                          'locals {\n  l§ = [\n    { who = "z", what = "read" },\n    { who = "a", what = "read" },\n  ]\n}\n', {},
                          who(("a", "write"), ("z", "read")), ['-    { who = "a", what = "read" },', '+    { who = "a", what = "write" },']),
    "set_block_goes": (dynamic("local.l§", "      who  = grant.value.who\n      what = grant.value.what\n", "grant"),
                       'locals {\n  l§ = [\n    { who = "z", what = "read" },\n    { who = "a", what = "read" },\n  ]\n}\n', {},
                       who(("a", "read")), ['-    { who = "z", what = "read" },']),
    "set_block_key_made": (dynamic("local.l§", "      who  = grant.value.who\n      what = grant.value.what\n", "grant"),
                           'locals {\n  l§ = {\n    "me"  = { who = "me", what = "read" }\n    "you" = { who = "you", what = "read" }\n  }\n}\n', {},
                           who(("me", "read"), ("you", "read"), ("they", "x")), ['+    "they" = { who = "they", what = "x" }',
                                                                               '-    "me"  = { who = "me", what = "read" }', '-    "you" = { who = "you", what = "read" }',
                                                                               '+    "me"   = { who = "me", what = "read" }', '+    "you"  = { who = "you", what = "read" }']),
    # 3. a written block beside a dynamic one
    "beside_written_changes": ('  step {\n    run = "first" # written\n  }\n' + dynamic('["one"]', RUN), "", {}, runs("erst", "one"),
                               ['-    run = "first" # written', '+    run = "erst" # written']),
    "beside_made_changes": ('  step {\n    run = "first" # written\n  }\n' + dynamic('["one"]', RUN), "", {}, runs("first", "eins"),
                            ['-    for_each = ["one"]', '+    for_each = ["eins"]']),
    "beside_both_change": ('  step {\n    run = "first" # written\n  }\n' + dynamic('["one"]', RUN), "", {}, runs("erst", "eins"),
                           ['-    run = "first" # written', '+    run = "erst" # written', '-    for_each = ["one"]', '+    for_each = ["eins"]']),
    "beside_written_goes": ('  step {\n    run = "first" # written\n  }\n' + dynamic('["one"]', RUN), "", {}, runs("one"),
                            ["-  step {", '-    run = "first" # written', "-  }"]),
    "beside_made_goes": ('  step {\n    run = "first" # written\n  }\n' + dynamic('["one"]', RUN), "", {}, runs("first"),
                         ['-    for_each = ["one"]', "+    for_each = []"]),
    "beside_made_comes": ('  step {\n    run = "first" # written\n  }\n' + dynamic('["one"]', RUN), "", {}, runs("first", "one", "two"),
                          ['-    for_each = ["one"]', '+    for_each = ["one", "two"]']),
    "beside_written_comes": ('  step {\n    run  = "first"\n    wait = 7\n  }\n' + dynamic('["one"]', RUN), "", {},
                             {"step": [{"run": "first", "wait": 7}, {"run": "second", "wait": 8}, {"run": "one", "wait": None}]},
                             ["+  step {", '+    run  = "second"', "+    wait = 8", "+  }"]),
    "beside_from_variable": ("  step {\n    run  = var.v§\n    wait = 1\n  }\n" + dynamic('["one"]', RUN), 'variable "v§" {\n  default = "first"\n}\n', {},
                             {"step": [{"run": "erst", "wait": 2}, {"run": "one", "wait": None}]},
                             ['-  default = "first"', '+  default = "erst"', "-    wait = 1", "+    wait = 2"]),
    "beside_in_set": ('  grant {\n    who  = "root"\n    what = "all"\n  }\n' + dynamic("local.l§", '      who  = grant.value\n      what = "read"\n', "grant"),
                      'locals {\n  l§ = ["z", "a"]\n}\n', {}, who(("a", "read"), ("b", "read"), ("root", "some")),
                      ['-    what = "all"', '+    what = "some"', '-  l§ = ["z", "a"]', '+  l§ = ["b", "a"]']),
    # 5. who else uses it
    "used_elsewhere": ("  text = join(\",\", local.l§)\n" + dynamic("local.l§", RUN), 'locals {\n  l§ = ["one"]\n}\n', {}, runs("one", "two"),
                       ["+  step {", '+    run = "two"', "+  }"]),
    "used_by_other": (dynamic("local.l§", RUN), 'locals {\n  l§ = ["one", "two"]\n}\nresource "lab6_row" "r§" {\n  name  = "r§"\n  zones = local.l§\n}\n', {},
                      runs("one"), "also feeds lab6_row.r§, which should not change"),
    "computed": (dynamic("[for k in range(2) : upper(k)]", RUN), "", {}, runs("0"), "what it goes through is computed at main.tf:{line}: range(2)"),
    "content_changes": (dynamic('["one"]', "      run  = step.value\n      wait = 5\n"), "", {}, {"step": [{"run": "one", "wait": 6}]}, ["-      wait = 5", "+      wait = 6"]),
    "always_the_same": (dynamic('["one", "two"]', "      run  = step.value\n      wait = 5\n"), "", {}, {"step": [{"run": "one", "wait": 6}, {"run": "two", "wait": 5}]},
                        "cannot make it: it always gives main.tf:{line}: 5"),
}
INSIDE = LAB6 + 'variable "name" {}\nvariable "steps" {\n  default = []\n}\nresource "lab6_thing" "in" {\n  name = var.name\n' + dynamic("var.steps", RUN) + "}\n"


def lines_of(diff):
    return sorted(line for line in diff.split("\n") if line[:1] in "+-" and line[:3] not in ("+++", "---") and line[1:].strip())


def drift(stack, address, kind, name, changes, want, what):
    """Change it, adopt it; a refusal is put back."""
    before, thing = texts(stack), stack.object(kind, name)
    kept = thing.read_text()
    stack.edit(kind, name, **changes)
    done = adopt(stack, "--address", address, "--origin", "--write", codes=(0, 1, 3))
    said = f"{what}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    if isinstance(want, str):
        thing.write_text(kept)
        right = done.returncode == 3 and want in done.stderr and texts(stack) == before
    else:
        right = done.returncode == 0 and lines_of(done.stdout) == sorted(want)
    return "" if right else said + f"wanted: {want}"


def empty_plan(stack, wrong):
    plan = stack.run("plan", "-no-color", "-detailed-exitcode", check_exit=False)
    check(not wrong, f"{len(wrong)} wrong:", "\n".join(wrong))
    check(plan.returncode == 0, "the plan is not empty:", (plan.stdout + plan.stderr)[-4000:])
    unformatted = stack.run("fmt", "-recursive", "-check", "-diff", check_exit=False)
    check(unformatted.returncode == 0, "not in form any more:", unformatted.stdout)


@test("lab6")
def adopt_dynamic_blocks(lab):
    code, files, wrong = "", {}, []
    for n, (body, extra, own, _, _) in enumerate(CASES.values()):
        code += (extra + f'resource "lab6_thing" "r§" {{\n  name = "o§"\n{body}}}\n').replace("§", str(n))
        files.update({name.replace("§", str(n)): text.replace("§", str(n)) for name, text in own.items()})
    stack = Stack(lab, code, files=files)
    stack.run("fmt", "-recursive")
    stack.apply()
    for n, (name, (_, _, _, changes, want)) in enumerate(CASES.items()):
        text = (stack.dir / "main.tf").read_text().split("\n")
        line = next((i for i, l in enumerate(text) if f'"o{n}"' in l), 0)
        line += next((i + 1 for i, l in enumerate(text[line:]) if "range(2)" in l or "= 5" in l), 0)
        want = want.replace("§", str(n)).replace("{line}", str(line)) if isinstance(want, str) else [w.replace("§", str(n)) for w in want]
        wrong.append(drift(stack, f"lab6_thing.r{n}", "lab6_thing", f"o{n}", changes, want, name))
    empty_plan(stack, [w for w in wrong if w])


RULES = """locals {
  rules = [
    {
      port  = 22
      peers = [{ cidr = "10.0.0.0/8" }, { cidr = "192.168.0.0/16", note = "home" }]
      log   = null
    },
    {
      port  = 443 # tls
      note  = "web"
      peers = []
      log   = { mode = "all" }
    },
  ]
}
resource "lab6_deep" "a" {
  name = "a"
  dynamic "rule" {
    for_each = local.rules
    content {
      port = rule.value.port
      note = lookup(rule.value, "note", null)
      dynamic "peer" {
        for_each = rule.value.peers
        iterator = p
        content {
          cidr = p.value.cidr
          note = try(p.value.note, null)
        }
      }
      dynamic "log" {
        for_each = rule.value.log != null ? [rule.value.log] : []
        content {
          mode = log.value.mode
        }
      }
    }
  }
}
variable "cidrs" {
  default = ["10.0.0.0/8"]
}
resource "lab6_deep" "b" {
  name = "b"
  rule {
    port = 1 # written
    dynamic "peer" {
      for_each = var.cidrs
      content {
        cidr = peer.value
      }
    }
    log {
      mode = "all"
    }
  }
  rule {
    port = 2
  }
  group {
    who = "me"
    part {
      cidr = "1"
    }
    part {
      cidr = "2" # two
    }
  }
  group {
    who = "you"
  }
}
"""
HOME, TEN = {"cidr": "192.168.0.0/16", "note": "home"}, {"cidr": "10.0.0.0/8", "note": None}
SSH = {"port": 22, "note": None, "peer": [HOME, TEN], "log": None}
TLS = {"port": 443, "note": "web", "peer": [], "log": {"mode": "all", "level": None}}
FIRST = {"port": 1, "note": None, "peer": [TEN], "log": {"mode": "all", "level": None}}
SECOND = {"port": 2, "note": None, "peer": [], "log": None}
ME = {"who": "me", "part": [{"cidr": "1", "note": None}, {"cidr": "2", "note": None}]}
YOU = {"who": "you", "part": []}
DEEP = [
    ("a", {"rule": [{**SSH, "peer": [TEN, {"cidr": "0.0.0.0/0", "note": None}, HOME]}, TLS]},
     ['-      peers = [{ cidr = "10.0.0.0/8" }, { cidr = "192.168.0.0/16", note = "home" }]',
      '+      peers = [{ cidr = "10.0.0.0/8" }, { cidr = "192.168.0.0/16", note = "home" }, { cidr = "0.0.0.0/0" }]']),
    ("a", {"rule": [{**SSH, "peer": [TEN]}, TLS]},
     ['-      peers = [{ cidr = "10.0.0.0/8" }, { cidr = "192.168.0.0/16", note = "home" }, { cidr = "0.0.0.0/0" }]',
      '+      peers = [{ cidr = "10.0.0.0/8" }]']),
    ("a", {"rule": [{**SSH, "peer": [TEN]}, {**TLS, "log": {"mode": "some", "level": None}}]},
     ['-      log   = { mode = "all" }', '+      log   = { mode = "some" }']),
    ("a", {"rule": [{**SSH, "peer": [TEN]}, {**TLS, "log": None}]}, ['-      log   = { mode = "some" }', "+      log   = null"]),
    ("a", {"rule": [{**SSH, "peer": [TEN]}, {**TLS, "log": None}, {**SECOND, "peer": [HOME]}]},
     ["+    {", "+      port = 2", "+      peers = [", "+        {", '+          cidr = "192.168.0.0/16"', '+          note = "home"', "+        },", "+      ]",
      "+      log = null", "+    },"]),
    ("a", {"rule": [{**TLS, "log": None}, {**SECOND, "peer": [HOME]}]},
     ["-    {", "-      port  = 22", '-      peers = [{ cidr = "10.0.0.0/8" }]', "-      log   = null", "-    },"]),
    ("b", {"rule": [{**FIRST, "peer": [TEN, {"cidr": "1", "note": None}]}, SECOND]},
     ['-  default = ["10.0.0.0/8"]', '+  default = ["10.0.0.0/8", "1"]']),
    ("b", {"rule": [{**FIRST, "peer": [TEN, {"cidr": "1", "note": None}, HOME]}, SECOND]},
     ["+    peer {", '+      cidr = "192.168.0.0/16"', '+      note = "home"', "+    }"]),
    ("b", {"rule": [{**FIRST, "peer": [TEN, {"cidr": "1", "note": None}]}, SECOND]},
     ["-    peer {", '-      cidr = "192.168.0.0/16"', '-      note = "home"', "-    }"]),
    ("b", {"rule": [{**FIRST, "port": 11, "peer": [], "log": None}, SECOND]},
     ["-    port = 1 # written", "+    port = 11 # written", '-  default = ["10.0.0.0/8", "1"]', "+  default = []", "-    log {", '-      mode = "all"', "-    }"]),
    ("b", {"group": [YOU, {**ME, "part": [{"cidr": "2", "note": None}]}]}, ["-    part {", '-      cidr = "1"', "-    }"]),
    ("b", {"group": [{**YOU, "part": [{"cidr": "3", "note": "n"}]}, {**ME, "part": [{"cidr": "2", "note": None}]}]},
     ["+    part {", '+      cidr = "3"', '+      note = "n"', "+    }"]),
]


@test("lab6")
def adopt_deep_blocks(lab):
    """Blocks in blocks: dynamic in dynamic, dynamic in written ones, a list in a set."""
    stack = Stack(lab, RULES)
    stack.run("fmt")
    stack.apply()
    wrong = [drift(stack, f"lab6_deep.{r}", "lab6_deep", r, changes, want, f"{r} {changes}") for r, changes, want in DEEP]
    empty_plan(stack, [w for w in wrong if w])


MODULES = """module "plain" {
  source = "./m"
  name   = "plain"
}
module "given" {
  source = "./m"
  name   = "given"
  steps  = ["one"] # given
}
module "two" {
  source   = "./m"
  for_each = toset(["x", "y"])
  name     = "two-${each.key}"
  steps    = ["one"]
}
locals {
  own = {
    x = { steps = ["one"] }
    y = {}
  }
}
module "own" {
  source   = "./m"
  for_each = local.own
  name     = "own-${each.key}"
  steps    = lookup(each.value, "steps", [])
}
resource "lab6_thing" "counted" {
  count = 2
  name  = "counted-${count.index}"
  dynamic "step" {
    for_each = [["one"], ["two"]][count.index]
    content {
      run = step.value
    }
  }
}
resource "lab6_thing" "laid" {
  name = "laid"
  step {
    run = "under"
  }
}
"""
OVERRIDE = """resource "lab6_thing" "laid" {
  dynamic "step" {
    for_each = ["over"]
    content {
      run = step.value
    }
  }
}
"""
JSON = """{
  "locals": {
    "json": ["one"]
  },
  "resource": {
    "lab6_thing": {
      "json": {
        "name": "json",
        "dynamic": {
          "step": {
            "for_each": "${local.json}",
            "content": {
              "run": "${step.value}"
            }
          },
          "grant": {
            "for_each": [
              {"who": "a", "what": "x"}
            ],
            "content": {
              "who": "${grant.value.who}",
              "what": "${grant.value.what}"
            }
          }
        }
      }
    }
  }
}
"""
PLACES = [
    ('module.plain.lab6_thing.in', "plain", runs("one"), ['+  steps  = ["one"]']),
    ('module.given.lab6_thing.in', "given", runs("one", "two"), ['-  steps  = ["one"] # given', '+  steps  = ["one", "two"] # given']),
    ('module.two["x"].lab6_thing.in', "two-x", runs("one", "two"), 'shared by 2 instances: it also decides module.two["y"].lab6_thing.in'),
    ('module.own["x"].lab6_thing.in', "own-x", runs("one", "two"), ['-    x = { steps = ["one"] }', '+    x = { steps = ["one", "two"] }']),
    ('module.own["y"].lab6_thing.in', "own-y", runs("one"), ["-    y = {}", "+    y = {", '+      steps = ["one"]', "+    }"]),
    ("lab6_thing.counted[1]", "counted-1", runs("two", "three"), ['-    for_each = [["one"], ["two"]][count.index]',
                                                                    '+    for_each = [["one"], ["two", "three"]][count.index]']),
    ("lab6_thing.laid", "laid", runs("over", "more"), ['-    for_each = ["over"]', '+    for_each = ["over", "more"]']),
    ("lab6_thing.json", "json", runs("one", "two"), ['-    "json": ["one"]', '+    "json": ["one", "two"]']),
    ("lab6_thing.json", "json", who(("a", "y"), ("b", "z")), ['-              {"who": "a", "what": "x"}', '+              {"who": "a", "what": "y"},',
                                                              '+              {"who": "b", "what": "z"}']),
]


@test("lab6")
def adopt_blocks_of_places(lab):
    """Modules with and without the argument, shared ones, override files, JSON syntax, instances of count."""
    stack = Stack(lab, MODULES, files={"m/main.tf": INSIDE, "laid_override.tf": OVERRIDE, "more.tf.json": JSON})
    stack.run("fmt", "-recursive")
    stack.apply()
    wrong = [drift(stack, address, "lab6_thing", name, changes, want, address) for address, name, changes, want in PLACES]
    empty_plan(stack, [w for w in wrong if w])


SDK = """locals {
  ports = [
    { port = 22, note = "ssh" },
    { port = 80 },
  ]
}
resource "lab5_thing" "s" {
  name = "s"
  dynamic "rule" {
    for_each = local.ports
    content {
      port  = rule.value.port
      note  = lookup(rule.value, "note", "")
      cidrs = lookup(rule.value, "cidrs", [])
    }
  }
}
"""
PORT = {"port": 22, "cidrs": [], "note": "ssh"}, {"port": 80, "cidrs": [], "note": ""}, {"port": 443, "cidrs": [], "note": ""}
OLD_SDK = [
    ({"rule": [*PORT]}, ["+    { port = 443 },"]),
    ({"rule": [PORT[0], {**PORT[1], "cidrs": ["10.0.0.0/8"]}, PORT[2]]}, ["-    { port = 80 },", '+    { port = 80, cidrs = ["10.0.0.0/8"] },']),
    ({"rule": [PORT[1], {**PORT[2], "note": "n"}]}, ['-    { port = 22, note = "ssh" },', '-    { port = 80, cidrs = ["10.0.0.0/8"] },', "+    { port = 80 },",
                                                    "-    { port = 443 },", '+    { port = 443, note = "n" },']),
]


@test("lab5")
def adopt_blocks_of_the_old_sdk(lab):
    """A provider that answers "" and [] for null: elements say neither."""
    stack = Stack(lab, SDK)
    stack.run("fmt")
    stack.apply()
    wrong = [drift(stack, "lab5_thing.s", "lab5_thing", "s", changes, want, changes) for changes, want in OLD_SDK]
    empty_plan(stack, [w for w in wrong if w])


@test("lab6")
def adopt_blocks_from_outside(lab):
    """What the environment gives is told; a block more is written beside what it makes."""
    stack = Stack(lab, 'variable "l" {\n  type = list(string)\n}\nresource "lab6_thing" "e" {\n  name = "e"\n' + dynamic("var.l", RUN) + "}\n",
                  env={"TF_VAR_l": '["one"]'})
    stack.apply()
    wrong = [drift(stack, "lab6_thing.e", "lab6_thing", "e", runs(), "the environment variable TF_VAR_l decides", "goes"),
             drift(stack, "lab6_thing.e", "lab6_thing", "e", runs("one", "two"), ["+  step {", '+    run = "two"', "+  }"], "comes")]
    empty_plan(stack, [w for w in wrong if w])


# As public modules of clouds write them: an `any`, objects with optional() attributes, one thing or a list of it.
SHAPES = LAB6 + """variable "rules" {
  type    = any
  default = []
}
variable "listeners" {
  type = map(object({
    port  = optional(number)
    fixed = optional(object({ mode = string, level = optional(number) }))
    weighted = optional(object({
      targets = optional(list(object({ cidr = string, note = optional(string, "n") })))
    }))
  }))
  default = {}
}
variable "logging" {
  type    = map(string)
  default = {}
}
variable "firewall" {
  type    = any
  default = []
}
locals {
  create = true
  rules  = try(jsondecode(var.rules), var.rules)
}
resource "lab6_deep" "life" {
  count = local.create && length(local.rules) > 0 ? 1 : 0
  name  = "life"
  dynamic "rule" {
    for_each = local.rules
    content {
      port = try(rule.value.port, null)
      note = try(rule.value.enabled ? "Enabled" : "Disabled", title(lower(rule.value.status)))
      dynamic "peer" {
        for_each = try(flatten([rule.value.transition]), [])
        content {
          cidr = peer.value.cidr
          note = try(peer.value.note, null)
        }
      }
      dynamic "log" {
        for_each = try([rule.value.abort], [])
        content {
          mode = try(rule.value.abort, null)
        }
      }
    }
  }
  dynamic "log" {
    for_each = length(keys(var.logging)) == 0 ? [] : [var.logging]
    content {
      mode  = log.value.mode
      level = try(log.value.level, null)
    }
  }
}
resource "lab6_deep" "listener" {
  for_each = { for k, v in var.listeners : k => v if local.create }
  name     = "listener-${each.key}"
  dynamic "rule" {
    for_each = each.value.fixed != null ? [each.value.fixed] : []
    content {
      port = each.value.port
      note = "fixed"
      log {
        mode  = rule.value.mode
        level = rule.value.level
      }
    }
  }
  dynamic "rule" {
    for_each = each.value.weighted != null ? [each.value.weighted] : []
    content {
      port = each.value.port
      note = "weighted"
      dynamic "peer" {
        for_each = rule.value.targets != null ? rule.value.targets : []
        content {
          cidr = peer.value.cidr
          note = peer.value.note
        }
      }
    }
  }
}
resource "lab6_deep" "firewall" {
  for_each = { for r in var.firewall : r.name => r }
  name     = "firewall-${each.key}"
  dynamic "group" {
    for_each = lookup(each.value, "allow", [])
    content {
      who = group.value.protocol
      dynamic "part" {
        for_each = lookup(group.value, "ports", [])
        content {
          cidr = part.value
        }
      }
    }
  }
  dynamic "log" {
    for_each = lookup(each.value, "log_config") == null ? [] : [each.value.log_config]
    content {
      mode = log.value.metadata
    }
  }
}
"""
CALL = """module "m" {
  source = "./m"
  rules = [
    {
      port    = 1
      enabled = true
      transition = [
        { cidr = "30", note = "IA" },
        { cidr = "60" }
      ]
      abort = "7"
    },
    {
      port       = 2
      enabled    = false
      transition = { cidr = "90" }
    }
  ]
  listeners = {
    http = {
      port = 80
      fixed = {
        mode = "text"
      }
    }
    https = {
      port = 443
      weighted = {
        targets = [{ cidr = "a" }]
      }
    }
  }
  firewall = [{
    name       = "ssh"
    log_config = null
    allow = [{
      protocol = "tcp"
      ports    = ["22"]
    }]
    }, {
    name       = "web"
    log_config = { metadata = "all" }
  }]
}
"""


def rule(port, note, peers=(), log=None):
    return {"port": port, "note": note, "peer": [{"cidr": c, "note": n} for c, n in peers], "log": log and {"mode": log, "level": None}}


def group(who, *ports):
    return {"who": who, "part": [{"cidr": p, "note": None} for p in ports]}


IA, OLD = ("30", "IA"), ("60", None)
DRIFTS = [
    ("life[0]", "life", {"rule": [rule(1, "Enabled", [IA, OLD], "7"), rule(2, "Disabled", [("90", None)], "9")]}, ['+      abort      = "9"']),
    ("life[0]", "life", {"rule": [rule(1, "Enabled", [IA, OLD]), rule(2, "Disabled", [("90", None)], "9")]}, ['-      abort = "7"']),
    ("life[0]", "life", {"rule": [rule(1, "Enabled", [IA, OLD, ("99", None)]), rule(2, "Enabled", [("90", None)], "9")]},
     ['-        { cidr = "60" }', '+        { cidr = "60" },', '+        { cidr = "99" }', "-      enabled    = false", "+      enabled    = true"]),
    ("life[0]", "life", {"rule": [rule(1, "Enabled", [IA, ("99", None)]), rule(2, "Enabled", [("91", None)], "9")]},
     ['-        { cidr = "60" },', '-      transition = { cidr = "90" }', '+      transition = { cidr = "91" }']),
    ("life[0]", "life", {"rule": [rule(1, "Enabled", [IA, ("99", None)]), rule(2, "Enabled", [], "9")]},
     ["-      port       = 2", "-      enabled    = true", '-      transition = { cidr = "91" }', '-      abort      = "9"',
      "+      port    = 2", "+      enabled = true", '+      abort   = "9"']),
    ("life[0]", "life", {"rule": [rule(1, "Enabled", [IA, ("99", None)])]},
     ["-    {", "-      port    = 2", "-      enabled = true", '-      abort   = "9"', "-    },"]),
    ("life[0]", "life", {"rule": [rule(1, "Disabled", [IA, ("99", None)])]}, ["-      enabled = true", "+      enabled = false"]),
    ("life[0]", "life", {"log": {"mode": "on", "level": None}}, ["+  logging = {", '+    mode = "on"', "+  }"]),
    ("life[0]", "life", {"log": None}, ["-  logging = {", '-    mode = "on"', "-  }", "+  logging = {}"]),
    ('listener["http"]', "listener-http", {"rule": [{**rule(80, "fixed"), "log": {"mode": "text", "level": 3}}]},
     ['-        mode = "text"', '+        mode  = "text"', "+        level = 3"]),
    ('listener["https"]', "listener-https", {"rule": [rule(443, "weighted", [("a", "n"), ("b", "n")])]},
     ['-        targets = [{ cidr = "a" }]', '+        targets = [{ cidr = "a" }, { cidr = "b" }]']),
    ('listener["https"]', "listener-https", {"rule": []},
     ["-      weighted = {", '-        targets = [{ cidr = "a" }, { cidr = "b" }]', "-      }"]),
    ('listener["http"]', "listener-http", {"rule": [{**rule(80, "fixed"), "log": {"mode": "text", "level": 3}}, rule(80, "weighted", [("z", "m")])]},
     ["+      weighted = {", "+        targets = [", "+          {", '+            cidr = "z"', '+            note = "m"', "+          },", "+        ]", "+      }"]),
    ('firewall["ssh"]', "firewall-ssh", {"group": [group("tcp", "22", "2222")]}, ['-      ports    = ["22"]', '+      ports    = ["22", "2222"]']),
    ('firewall["ssh"]', "firewall-ssh", {"group": [group("tcp", "22", "2222"), group("udp")]}, ["+      }, {", '+      protocol = "udp"']),
    ('firewall["web"]', "firewall-web", {"group": [group("icmp")]}, ['+    allow      = [{ protocol = "icmp" }]']),
    ('firewall["web"]', "firewall-web", {"log": None}, ['-    log_config = { metadata = "all" }', "+    log_config = null"]),
    ('firewall["ssh"]', "firewall-ssh", {"log": {"mode": "some", "level": None}},
     ['-    name       = "ssh"', "-    log_config = null", '+    name = "ssh"', "+    log_config = {", '+      metadata = "some"', "+    }"]),
]


@test("lab6")
def adopt_shapes_of_modules(lab):
    stack = Stack(lab, CALL, files={"m/main.tf": SHAPES})
    stack.run("fmt", "-recursive")
    stack.apply()
    wrong = [drift(stack, f"module.m.lab6_deep.{r}", "lab6_deep", name, changes, want, f"{r} {changes}") for r, name, changes, want in DRIFTS]
    empty_plan(stack, [w for w in wrong if w])
