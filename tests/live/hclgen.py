"""hclgen - texts in the configuration language for comparison with real formatters and parsers.

Layout is as wild as the grammar allows: blanks, tabs, comments and newlines wherever they may stand, every kind of
expression, heredocs, CRLF, byte order marks. `mangle` breaks such a text in one to eight places. Same seed, same bytes.
"""
import random
import re

NAMES = ["a", "b-1", "name", "for_each", "type", "very_long_name_of_something", "é", "x2", "日本", "tags", "in", "if", "e_1"]
TYPES = ["resource", "data", "variable", "locals", "module", "output", "terraform", "x"]
WORDS = ["x", "plain text", "$", "100%", "$${no}", "%%{no}", "é ü", "e\u0301", "👩‍👩‍👧 🇩🇪", "a=b", "\\n", "\\\"q\\\"",
         "\\u00e9", "C:\\\\x", "{}", "# no", "//", "/*", "'", "~}", "$ %", "日本語"]
OPERATORS = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||"]
PLAIN_TYPES = ["string", "number", "bool", "any", "list", "map", "set", '"string"', '"list"', '"map"', '"number"',
               "list(string)", "map( any )", "object({a=string,b=optional(list(number),[])})", "tuple([string , number])"]


class Writer:
    """One text. depth bounds expressions; `free` is whether a newline may stand between two tokens."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.quiet = False  # no comments that end a line
        self.newline = "\r\n" if self.random.random() < 0.06 else "\n"

    def chance(self, p):
        return self.random.random() < p

    def one(self, options):
        return self.random.choice(options)

    def sp(self, free=False, some=False):
        """Blanks between two tokens; some: at least one."""
        r = self.random.random()
        if free and r < 0.06:
            return self.line_end() + self.sp(False, some)
        if r < 0.5:
            return " "
        if r < 0.75:
            return " " if some else ""
        if r < 0.9:
            return " " * self.random.randint(1, 5)
        if r < 0.95:
            return "\t"
        return " /* c */ " if r < 0.98 else "/*c*/"

    def line_end(self):
        """Trailing blanks, perhaps a comment, the newline."""
        r = self.random.random()
        blanks = self.one(["", "", "", " ", "   ", "\t"])
        if r < 0.15 and not self.quiet:
            return blanks + self.one(["# why", "#", "// because", "//é 日本", "# x = 1  ", "#\t"]) + self.newline
        if r < 0.2:
            return blanks + "/* c */" + self.newline
        return blanks + self.newline

    def blank_lines(self):
        text = ""
        while not self.quiet and self.chance(0.25):
            text += self.one(["", "", "  ", "\t"]) + self.one([self.newline, "# alone" + self.newline,
                                                              "   // alone" + self.newline, "/* a" + self.newline + " b */" + self.newline])
        return text

    # --- expressions ---

    def string(self, depth, free):
        parts = ""
        for _ in range(self.random.randint(0, 3)):
            if depth and self.chance(0.35):
                parts += self.sequence(depth - 1)
            else:
                parts += self.one(WORDS)
        return '"' + self.settle(parts) + '"'

    @staticmethod
    def settle(text):
        """A `$` in front of a sequence would escape it, and one at the end waits for more."""
        return re.sub(r"([$%])(?=[$%]\{(?!no))", r"\1 ", text)

    def sequence(self, depth):
        kind = self.random.random()
        strip_a, strip_b = self.one(["", "", "", "~"]), self.one(["", "", "", "~"])
        inner = self.expr(depth, True)
        if kind < 0.7:
            return f"${{{strip_a}{self.sp(True)}{inner}{self.sp(True)}{strip_b}}}"
        if kind < 0.85:
            other = "%{else}" + self.one(["n", ""]) if self.chance(0.5) else ""
            return f"%{{{strip_a}{self.sp()}if {inner}{self.sp()}{strip_b}}}y{other}%{{{self.sp()}endif{self.sp()}}}"
        key = "k" + self.sp() + "," + self.sp() if self.chance(0.4) else ""
        return f"%{{{self.sp()}for {key}v in {inner}{self.sp()}{strip_b}}}z%{{ endfor }}"

    def heredoc(self, depth):
        marker = self.one(["EOT", "END_1", "é"])
        lines = ""
        for _ in range(self.random.randint(0, 4)):
            line = self.one(["", "  ", "\t", "    "]) + self.one(WORDS + ["", "EOTX", "a = 1", "x: y"])
            if depth and self.chance(0.3):
                line += " " + self.sequence(depth - 1)
            lines += self.settle(line) + self.newline
        return f"<<{self.one(['', '-'])}{marker}{self.newline}{lines}{self.one(['', '  '])}{marker}{self.one(['', '', ' '])}"

    def items(self, depth, make, separators, close):
        text, n = "", self.random.randint(0, 4)
        for i in range(n):
            text += self.sp() + make() + self.sp()
            if i + 1 < n or self.chance(0.4):
                text += self.one(separators)()
            if self.chance(0.4):
                text += self.line_end() + self.blank_lines()
        return text + self.sp() if close else text

    def tuple(self, depth):
        return "[" + self.items(depth, lambda: self.expr(depth - 1, True), [lambda: ","], True) + "]"

    def object(self, depth):
        if self.chance(0.3):
            return "{" + self.sp() + "}"
        text, n, lines = "{", self.random.randint(1, 4), self.chance(0.7)
        for i in range(n):
            key = self.one([self.one(NAMES), self.one(NAMES), self.string(0, False), "(" + self.expr(depth - 1, True) + ")"])
            if key == "for":
                key = "f"
            text += (self.line_end() + self.blank_lines() if lines else "") + self.sp()
            text += key + self.sp() + self.one(["=", "=", "=", ":"]) + self.sp() + self.expr(depth - 1, False) + self.sp()
            if not lines:
                text += "," if i + 1 < n else self.one(["", ",", " "])
            elif self.chance(0.3):
                text += ","
        return text + (self.line_end() if lines else "") + self.sp() + "}"

    def call(self, depth):
        name = self.one(["f", "length", "core::abs", "provider::x::y", "jsonencode"])
        text, n = name + self.one(["(", "(", " ("]), self.random.randint(0, 3)
        for i in range(n):
            text += self.sp(True) + self.expr(depth - 1, True) + self.sp(True)
            text += "," if i + 1 < n else self.one(["", "", ",", "..."])
        return text + self.sp(True) + ")"

    def for_(self, depth):
        key = self.one(["", "k," , "k , "])
        head = f"for{self.sp(True, True)}{key}v{self.sp(True, True)}in{self.sp(True, True)}{self.expr(depth - 1, True)}{self.sp(True)}:"
        tail = f"{self.sp(True, True)}if {self.expr(depth - 1, True)}" if self.chance(0.3) else ""
        if self.chance(0.5):
            return f"[{self.sp(True)}{head}{self.sp(True)}{self.expr(depth - 1, True)}{tail}{self.sp(True)}]"
        group = self.one(["", "", "..."])
        return (f"{{{self.sp(True)}{head}{self.sp(True)}{self.expr(depth - 1, True)}{self.sp(True)}=>{self.sp(True)}"
                f"{self.expr(depth - 1, True)}{group}{tail}{self.sp(True)}}}")

    def key(self, depth):
        """Not true, false or null: real formatters lose those."""
        text = self.expr(min(depth, 1), True)
        return "(" + text + ")" if text in ("true", "false", "null") else text

    def reference(self, depth):
        text = self.one(["var.x", "local.very_long", "a", "each.value", "module.m.out", "data.t.n"])
        for _ in range(self.random.randint(0, 3)):
            text += self.one([".b", ".0", "[*]", ".*.c", "[0]", '["k"]', "[" + self.sp(True) + self.key(depth) + self.sp(True) + "]",
                              self.sp() + "." + self.sp() + "d"])
            if text.endswith(".0"):
                text += ".e"
            if text.endswith(".*.c"):
                break
        return text

    def expr(self, depth, free):
        """free: newlines between its tokens mean nothing."""
        if depth <= 0:
            return self.one(["1", "1.50", "2e3", "true", "null", "var.x", '"s"', '""', "x", "-1", "! y", "- 2"])
        make = self.one([
            lambda: self.string(depth, free), lambda: self.string(depth, free), lambda: self.reference(depth),
            lambda: self.reference(depth), lambda: self.tuple(depth), lambda: self.object(depth), lambda: self.call(depth),
            lambda: self.for_(depth), lambda: "(" + self.sp(True) + self.expr(depth - 1, True) + self.sp(True) + ")",
            lambda: self.one(["-", "!", "- ", "! "]) + self.reference(depth),
            lambda: (self.expr(depth - 1, free) + self.sp(free, True) + self.one(OPERATORS) + self.sp(free, True)
                     + self.expr(depth - 1, free)),
            lambda: (self.reference(depth) + self.sp(free, True) + "?" + self.sp(free, True) + self.expr(depth - 1, free)
                     + self.sp(free, True) + ":" + self.sp(free, True) + self.expr(depth - 1, free)),
            lambda: self.expr(0, free),
        ])
        return make()

    # --- bodies ---

    def attribute(self, indent, name, in_variable):
        if in_variable and name == "type":
            value = self.one(PLAIN_TYPES)
        elif self.chance(0.12):
            self.quiet = True  # real formatters break those
            value = '"${' + self.sp(True) + self.expr(2, True) + self.sp(True) + '}"'
            self.quiet = False
        elif self.chance(0.1):
            return indent + name + self.sp() + "=" + self.sp() + self.heredoc(2) + self.newline
        else:
            value = self.expr(self.random.randint(0, 3), False)
        return indent + name + self.sp() + "=" + self.sp() + value + self.line_end()

    def block(self, indent, depth):
        kind = self.one(TYPES)
        labels = "".join(self.sp(False, True) + self.one(['"a"', '"b-c"', "bare", '"é"', '"\\u00e9x"', '""', '"a.b/c"'])
                         for _ in range(self.random.randint(0, 3)))
        head = indent + kind + labels + self.sp(False, True)
        if self.chance(0.15):
            inner = self.sp() + self.one(NAMES) + self.sp() + "=" + self.sp() + self.expr(1, False) + self.sp()
            return head + "{" + self.one(["", " ", inner, inner]) + "}" + self.line_end()
        return head + "{" + self.line_end() + self.body(depth - 1, kind == "variable") + indent + "}" + self.line_end()

    def body(self, depth, in_variable=False):
        text, names = self.blank_lines(), set()
        for _ in range(self.random.randint(0, 6)):
            indent = self.one(["", "  ", "    ", "\t", " "])
            name = self.one(NAMES)
            if depth and self.chance(0.3):
                text += self.block(indent, depth)
            elif name not in names:
                names.add(name)
                text += self.attribute(indent, name, in_variable)
            text += self.blank_lines()
        return text

    def file(self):
        text = self.body(3)
        if self.chance(0.1):
            text = text.rstrip(" \t\r\n") + self.one(["", "  "]) if "<<" not in text else text
        return ("\ufeff" if self.chance(0.04) else "") + text


def generate(seed):
    return Writer(seed).file().encode()


TOKEN = re.compile(rb'"|\$\{|%\{|\s+|[A-Za-z_][\w-]*|\d+|==|=>|[^\w\s]')
PIECES = [p.encode() for p in (
    '" { } ( ) [ ] , = : ? . * - ! && ${ %{ ~} \' ; & # /* */ <<EOT\n EOT\n for in if x 1 1.2.3 ... :: => %{if%20x} %{endif} '
    '%{for%20x%20in%20y} %{else} \\q \\u12 $${ // \t \r\n é "x" [*] .* .0.1 a.b f( f(x... null ` ^ “ \n').replace("%20", "\x00").split(" ")]


def mangle(text, seed):
    """Tokens deleted, inserted, replaced, swapped, doubled; or the rest cut off."""
    r = random.Random(seed)
    parts = TOKEN.findall(text)
    for _ in range(r.choice([1, 1, 1, 2, 2, 3, 5, 8])):
        if not parts:
            break
        i, j, n = r.randrange(len(parts)), r.randrange(len(parts)), r.randint(1, 10)
        piece = r.choice(PIECES).replace(b"\x00", b" ")
        how = r.randrange(7)
        if how == 0:
            del parts[i]
        elif how == 1:
            parts[i] = piece
        elif how == 2:
            parts[i], parts[j] = parts[j], parts[i]
        elif how == 3:
            del parts[i:i + n]
        elif how == 4:
            parts[i:i] = parts[i:i + n]
        elif how == 5 and r.random() < 0.3:
            del parts[i:]
        else:
            parts.insert(i, piece)
    return b"".join(parts)
