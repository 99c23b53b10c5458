"""Modules of Rego, generated: documents, rules of each kind, functions, built-ins with arguments of their types and of others, refs
into what is known and what is not. About half of them are right; what is wrong with the rest is nearly always a type."""
import random

OPERATORS = ("+", "-", "*", "&", "|", "==", "<", "!=")
COMMON = {"count", "sum", "concat", "split", "object.get", "object.union", "array.concat", "startswith", "sprintf", "max", "sort", "to_number",
          "format_int", "lower", "json.marshal", "object.keys", "union", "intersection", "time.clock", "io.jwt.decode", "regex.match",
          "object.remove", "numbers.range", "is_string", "contains", "trim", "indexof", "replace"}
UNASKED = {"print", "http.send", "net.lookup_ip_addr", "rego.metadata.chain", "rego.metadata.rule", "trace", "opa.runtime", "eq", "assign"}


def functions(capabilities):
    """(name, declaration) of the built-ins that a module may call, of what `opa capabilities` prints."""
    return [(b["name"], b["decl"]) for b in capabilities["builtins"]
            if b["name"] not in UNASKED and not b["name"].startswith("internal.") and b["decl"].get("result")
            and not any(b.get(flag) for flag in ("infix", "deprecated", "relation"))]


class Module:
    def __init__(self, seed, builtins):
        self.random = random.Random(seed)
        self.builtins = builtins
        self.common = [b for b in builtins if b[0] in COMMON]
        self.variables, self.made, self.rules, self.functions = [], 0, [], []

    def one(self, *of):
        return self.random.choice(of)

    def often(self, share):
        return self.random.random() < share

    def new(self):
        self.made += 1
        return f"v{self.made}"

    def scalar(self):
        return self.one("0", "1", "2", "-1", "1.5", '"a"', '"b"', '""', "true", "false", "null", '"a b"')

    def document(self):
        return self.one("input", "input.xs", "input.a.b", "data.k", "data.k.a", "input[0]", "data.other.x")

    def variable(self):
        return self.random.choice(self.variables) if self.variables else self.document()

    def ref(self):
        kind = self.one("rule", "rule", "variable", "document")
        text = self.random.choice(self.rules) if kind == "rule" and self.rules else self.variable() if kind == "variable" else self.document()
        for _ in range(self.random.randrange(3)):
            key = self.one('["a"]', ".a", ".b", ".foo", "[0]", "[1]", '["b"]', "[true]", "[_]")
            text += f"[{self.variable()}]" if self.variables and self.often(0.2) else key
        return text

    def fitting(self, wanted, depth):
        """A literal of a declared type."""
        kind = wanted["type"]
        if kind == "any":
            return self.fitting(self.random.choice(wanted["of"]), depth) if wanted.get("of") else self.term(depth - 1)
        if kind == "array":
            items = wanted.get("static") or [wanted["dynamic"]] * self.random.randrange(3)
            return "[" + ", ".join(self.fitting(item, depth) for item in items) + "]"
        if kind == "set":
            return "{" + ", ".join(self.fitting(wanted["of"], depth) for _ in range(self.one(1, 2))) + "}"
        if kind == "object":
            pairs = [f'"{p["key"]}": {self.fitting(p["value"], depth)}' for p in wanted.get("static", [])]
            if wanted.get("dynamic") and self.often(0.7):
                pairs.append(f'{self.fitting(wanted["dynamic"]["key"], 0)}: {self.fitting(wanted["dynamic"]["value"], depth)}')
            return "{" + ", ".join(pairs) + "}"
        return {"string": self.one('"a"', '"b c"', '"1"'), "number": self.one("0", "1", "2.5"), "boolean": "true"}.get(kind, "null")

    def call(self, depth):
        share = self.random.random()
        if share < 0.15 and self.functions:
            name, arity = self.random.choice(self.functions)
            return f"{name}({', '.join(self.term(depth - 1) for _ in range(arity))})"
        if share < 0.35:
            return f"({self.term(depth - 1)} {self.one(*OPERATORS)} {self.term(depth - 1)})"
        name, declared = self.random.choice(self.builtins if self.often(0.5) else self.common)
        arguments = []
        for wanted in declared.get("args", []):
            share = self.random.random()
            arguments.append(self.fitting(wanted, depth - 1) if share < 0.6 else self.variable() if share < 0.75
                             else self.ref() if share < 0.85 else self.term(depth - 1))
        return f"{name}({', '.join(arguments)})"

    def comprehension(self, depth):
        outer = list(self.variables)
        body = self.body(depth - 1)
        value, key = self.term(depth - 2), self.variable()
        self.variables = outer
        return self.one(f"[{value} | {body}]", f"{{{value} | {body}}}", f"{{{key}: {value} | {body}}}")

    def term(self, depth):
        if depth <= 0:
            return self.one(self.scalar, self.variable, self.variable)()
        which = self.random.randrange(14)
        if which < 3:
            return self.scalar()
        if which < 5:
            return self.variable()
        if which < 8:
            return self.ref()
        if which < 10:
            return self.call(depth)
        if which == 10:
            return "[" + ", ".join(self.term(depth - 1) for _ in range(self.one(1, 2))) + "]"
        if which == 11:
            return f'{{"a": {self.term(depth - 1)}, "b": {self.term(depth - 1)}}}'
        if which == 12:
            return f"{{{self.term(depth - 1)}, {self.term(depth - 1)}}}"
        return self.comprehension(depth)

    def iteration(self, depth):
        over, form = self.ref() if self.often(0.6) else self.term(depth), self.one(1, 2, 3)
        names = [self.new() for _ in range(2 if form == 2 else 1)]
        self.variables += names
        return f"some {', '.join(names)} in {over}" if form < 3 else f"some {names[0]}; {self.ref()}[{names[0]}]"

    def aside(self, make):
        """What is bound in it is not known behind it."""
        outer = list(self.variables)
        text = make()
        self.variables = outer
        return text

    def every(self, depth):
        over, name = self.ref(), self.new()
        self.variables.append(name)
        return f"every {name} in {over} {{ {self.body(depth - 1)} }}"

    def literal(self, depth):
        which = self.random.randrange(12)
        if which < 2:
            return self.iteration(depth)
        if which < 5:
            value, name = self.term(depth), self.new()
            self.variables.append(name)
            return f"{name} := {value}"
        if which == 5:
            return self.aside(lambda: "not " + self.term(depth))
        if which == 6:
            return self.aside(lambda: self.every(depth))
        if which == 7:
            return f"{self.term(depth)} with input as {self.term(1)}"
        if which == 8:
            value, a, b = self.term(depth), self.new(), self.new()
            self.variables += [a, b]
            return self.one(f"[{a}, {b}] = {value}", f"[{a}, {b}] := {value}", f'{{"a": {a}, "b": {b}}} = {value}')
        if which == 9:
            return f"{self.term(1)} in {self.term(1)}"
        return f"{self.term(depth)} {self.one('==', '==', '!=', '<', '=')} {self.term(depth - 1)}"

    def body(self, depth):
        return "; ".join(self.literal(depth) for _ in range(self.one(1, 2, 3)))

    def head(self, name, kind):
        value = self.term(2)
        key = self.variable() if self.variables else '"k"'
        return {"complete": f"{name} := {value}", "set": f"{name} contains {value}", "object": f"{name}[{key}] := {value}",
                "below": f"{name}.q := {value}", "nested": f"{name}.p[{key}].z := {value}"}[kind]

    def rule(self, name):
        self.variables = []
        kind = self.one("complete", "complete", "set", "object", "below", "nested", "function")
        if kind == "function":
            names = [self.new() for _ in range(self.one(1, 2))]
            self.variables += names
            body = self.body(2)
            self.functions.append((name, len(names)))
            return f"{name}({', '.join(names)}) := {self.term(1)} if {{\n\t{body}\n}}\n"
        text = self.head(name, kind) + "\n"
        if self.often(0.6):
            body = self.body(2)
            text = f"{self.head(name, kind)} if {{\n\t{body}\n}}\n"
        if kind == "complete" and self.often(0.3):
            self.variables = []
            text += f"{name} := {self.term(1)} if {{\n\t{self.body(1)}\n}}\n"
        self.rules.append(name)
        return text


def generate(seed, builtins, rules=3):
    module = Module(seed, builtins)
    return "package t\n\n" + "\n".join(module.rule(f"r{i}") for i in range(rules))
