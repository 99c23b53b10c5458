/* fuzz_rego_vm.c - modules made by a small grammar, compiled and evaluated within budgets, with
 * and without indexes: nothing may crash, leak or hang, and both ways give one answer.
 *
 * The bytes choose: which rule of the grammar, which name, which built-in function.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/rego/rego.h"
#include "lang/rego/type.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Rules r0 to r4: r1 and r4 are sets, r2 is an object, the others have one value; a rule asks later
 * ones only, so that none is recursive. f0 takes one argument, f1 two. */
enum { TEXT_MAX = 1 << 13, DEPTH = 4, RULES = 5, FUNCTIONS = 2 };
struct maker {
    const uint8_t *data;
    size_t left;
    struct buf *out;
    struct arena *arena;
    unsigned rule;  /* that is being written; RULES + i in function i */
    unsigned nvars; /* v0 ... are bound here */
};

static unsigned pick(struct maker *m, unsigned n)
{
    if (m->left == 0)
        return 0;
    m->left--;
    return *m->data++ % n;
}
static void say(struct maker *m, const char *s)
{
    buf_str(m->out, str_from(s));
}

static void term(struct maker *m, unsigned depth);
static void query(struct maker *m, unsigned depth);

static void variable(struct maker *m)
{
    if (m->nvars)
        buf_printf(m->out, "v%u", pick(m, m->nvars));
    else
        say(m, "input.xs");
}
static void new_variable(struct maker *m)
{
    buf_printf(m->out, "v%u", m->nvars++);
}

static void scalar(struct maker *m)
{
    static const char *const all[] = {"0",    "1",       "2",  "-1",    "1.5",   "\"a\"",
                                      "\"\"", "true",    "{}", "\"b\"", "false", "null",
                                      "1e3",  "\"a b\"", "[]", "set()"};
    say(m, all[pick(m, sizeof all / sizeof *all)]);
}

/* What nobody knows the type of before it is there. */
static void document(struct maker *m)
{
    static const char *const all[] = {"input",       "input.xs", "input.o",  "input.a.b",
                                      "input.xs[1]", "data.k",   "data.k.a", "input.s"};
    say(m, all[pick(m, sizeof all / sizeof *all)]);
}

static void list(struct maker *m, size_t n, unsigned depth)
{
    for (size_t i = 0; i < n; i++) {
        say(m, i ? ", " : "");
        term(m, depth);
    }
}

static void reference(struct maker *m, unsigned depth)
{
    unsigned later = m->rule + 1 < RULES ? RULES - m->rule - 1 : 0;
    unsigned which = pick(m, 2 + later);
    if (which < 2)
        document(m);
    else
        buf_printf(m->out, "r%u", m->rule + which - 1);
    for (unsigned n = pick(m, 3); n > 0; n--) {
        say(m, "[");
        term(m, depth);
        say(m, "]");
    }
}

static void call(struct maker *m, unsigned depth)
{
    static const char *const infix[] = {"+", "-", "*", "/", "%", "&", "|"};
    struct rego_signature signature;
    unsigned which = pick(m, 8);
    if (which < 2) {
        say(m, "(");
        document(m);
        buf_printf(m->out, " %s ", infix[pick(m, 7)]);
        variable(m);
        say(m, ")");
    } else if (which < 4 && m->rule + 1 < RULES + FUNCTIONS) {
        bool both = m->rule == RULES || pick(m, 2);
        say(m, both ? "f1(" : "f0(");
        list(m, both ? 2 : 1, depth);
        say(m, ")");
    } else {
        size_t at = pick(m, 256) * 256 + pick(m, 256);
        const struct rego_builtin *b = rego_builtin_at(at % rego_builtin_count());
        if (!rego_signature_parse(m->arena, b->signature, &signature) || !signature.has_result ||
            b->infix || (b->flags & (REGO_INTERNAL | REGO_DEPRECATED | REGO_RELATION))) {
            document(m);
            return;
        }
        buf_printf(m->out, "%s(", b->name);
        for (size_t i = 0; i < signature.nargs; i++) {
            say(m, i ? ", " : "");
            if (pick(m, 2))
                document(m);
            else
                variable(m);
        }
        say(m, ")");
    }
}

static void comprehension(struct maker *m, unsigned depth)
{
    AUTO_BUF inner = {.limit = TEXT_MAX * 2};
    struct buf *outer = m->out;
    unsigned kind = pick(m, 3), nvars = m->nvars;
    m->out = &inner;
    query(m, depth);
    m->out = outer;
    say(m, kind == 0 ? "[" : "{");
    if (kind == 2) {
        variable(m);
        say(m, ": ");
    }
    variable(m);
    say(m, " | ");
    buf_str(m->out, buf_view(&inner));
    say(m, kind == 0 ? "]" : "}");
    m->nvars = nvars;
}

static void term(struct maker *m, unsigned depth)
{
    unsigned which = depth == 0 || m->left == 0 || m->out->len > TEXT_MAX ? 0 : pick(m, 12);
    unsigned below = depth ? depth - 1 : 0;
    if (which < 3) {
        scalar(m);
    } else if (which < 5) {
        variable(m);
    } else if (which < 7) {
        reference(m, below);
    } else if (which < 9) {
        call(m, below);
    } else if (which == 9) {
        say(m, "[");
        list(m, pick(m, 3) + 1, below);
        say(m, "]");
    } else if (which == 10) {
        say(m, "{\"a\": ");
        term(m, below);
        say(m, ", \"b\": ");
        term(m, below);
        say(m, "}");
    } else {
        comprehension(m, below);
    }
}

/* Of an iteration: the variables are there behind it. */
static void iteration(struct maker *m, unsigned depth)
{
    AUTO_BUF inner = {.limit = TEXT_MAX * 2};
    struct buf *outer = m->out;
    unsigned form = pick(m, 4);
    m->out = &inner;
    if (pick(m, 2))
        document(m);
    else
        reference(m, depth);
    m->out = outer;
    if (form < 2) {
        say(m, "some ");
        new_variable(m);
        if (form) {
            say(m, ", ");
            new_variable(m);
        }
        say(m, " in ");
        buf_str(m->out, buf_view(&inner));
        return;
    }
    buf_str(m->out, form == 2 ? buf_view(&inner) : STR("walk("));
    if (form == 3)
        buf_str(m->out, buf_view(&inner));
    say(m, form == 2 ? "[" : ", [");
    new_variable(m);
    if (form == 3) {
        say(m, ", ");
        new_variable(m);
    }
    say(m, form == 2 ? "]" : "])");
}

static void literal(struct maker *m, unsigned depth)
{
    static const char *const compare[] = {" == ", " != ", " < ", " >= ", " = "};
    AUTO_BUF inner = {.limit = TEXT_MAX * 2};
    struct buf *outer = m->out;
    switch (pick(m, 8)) {
    case 0:
    case 1:
        iteration(m, depth);
        return;
    case 2:
        say(m, "not ");
        term(m, depth);
        return;
    case 3:
        say(m, "every e in ");
        document(m);
        say(m, " { e; ");
        term(m, depth);
        say(m, " }");
        return;
    case 4:
        term(m, depth);
        say(m, pick(m, 2) ? " with input as " : " with data.k as ");
        term(m, depth);
        return;
    case 5:
        m->out = &inner;
        term(m, depth);
        m->out = outer;
        new_variable(m);
        say(m, " := ");
        buf_str(m->out, buf_view(&inner));
        return;
    default:
        document(m);
        say(m, compare[pick(m, 5)]);
        term(m, depth);
        return;
    }
}

static void query(struct maker *m, unsigned depth)
{
    unsigned n = pick(m, 4);
    for (unsigned i = 0; i <= n && m->out->len < TEXT_MAX; i++) {
        say(m, i ? "; " : "");
        literal(m, depth ? depth - 1 : 0);
    }
}

/* One definition of a rule or function: its body first, which binds what its head may use. */
static void definition(struct maker *m, unsigned rule)
{
    AUTO_BUF body = {.limit = TEXT_MAX * 2};
    struct buf *outer = m->out;
    m->rule = rule;
    m->nvars = rule < RULES ? 0 : rule - RULES + 1;
    m->out = &body;
    query(m, DEPTH);
    m->out = outer;
    if (rule == 1 || rule == 4) {
        buf_printf(m->out, "r%u contains ", rule);
        term(m, 1);
    } else {
        say(m, rule == RULES       ? "f0(v0) := "
               : rule == RULES + 1 ? "f1(v0, v1) := "
               : rule == 2         ? "r2[v] := "
               : rule              ? "r3 := "
                                   : "r0 := ");
        term(m, 2);
    }
    buf_printf(m->out, " if {\n %s%.*s\n}", rule == 2 ? "some v in input.xs; " : "",
               STR_ARG(buf_view(&body)));
    if ((rule == 0 || rule == 3) && pick(m, 2))
        say(m, " else := 1");
    say(m, "\n");
}

static void module(struct maker *m)
{
    say(m, "package t\nr1 contains 1\nr2[\"k\"] := 1\ndefault r0 := 0\nr3 := 3 if input.no\n"
           "r4 contains \"a\"\nf0(x) := 1 if x == 0\nf1(x, y) := [x, y] if x == 9\n");
    do
        definition(m, pick(m, RULES + FUNCTIONS));
    while (m->left > 0 && m->out->len < TEXT_MAX);
}

/* The answer as text; empty where there is none to compare. */
static struct str answer(struct arena *arena, struct str text, bool unindexed)
{
    struct rego_source source = {.file = STR("t.rego"), .text = text};
    struct rego_compile_options how = {.unindexed = unindexed};
    struct rego_diags diags = {.arena = arena};
    struct rego_policy *policy;
    struct rego_query *prepared = NULL;
    struct rego_result result = {0};
    struct rego_eval_options options = {
        .steps = 50000, .memory = 16 << 20, .depth = 100, .host = {.now_utc_ns = 1}};
    struct str said = {0};
    struct value data, input;
    struct err err = {0};
    if (!json_parse(arena, STR("{\"k\": {\"a\": [1, 2], \"b\": \"x\"}}"), "data", JSON_DEFAULT,
                    &data, NULL) ||
        !json_parse(
            arena,
            STR("{\"a\": {\"b\": 1}, \"xs\": [1, \"a\", null], \"o\": {\"a\": 2}, \"s\": \"a b\"}"),
            "input", JSON_DEFAULT, &input, NULL) ||
        !rego_compile(&source, 1, &data, &how, &diags, &policy, &err))
        return said;
    if (rego_prepare(policy, STR("data.t = x"), &diags, &prepared, &err) &&
        rego_eval(prepared, &input, &options, arena, &result, &err) && !result.error.code) {
        AUTO_BUF out = {.limit = 1 << 22};
        rego_text(&out, &result.bindings);
        said = out.failed ? said : arena_dup(arena, buf_view(&out));
    }
    rego_query_close(prepared);
    rego_close(policy);
    return said;
}

/* Answers that differ from call to call. */
static bool is_random(struct str text)
{
    return str_find(text, STR("rand"), 0) != SIZE_MAX ||
           str_find(text, STR("uuid"), 0) != SIZE_MAX ||
           str_find(text, STR("opa.runtime"), 0) != SIZE_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 128 << 20};
    AUTO_BUF text = {.limit = 1 << 20};
    struct maker maker = {.data = data, .left = size, .out = &text, .arena = &arena};
    if (size > 2048)
        return 0;
    module(&maker);
    struct str made = buf_view(&text);
    if (text.failed || is_random(made))
        return 0;
    struct str one = answer(&arena, made, false), other = answer(&arena, made, true);
    if (one.len && other.len && !str_equal(one, other))
        abort();
    return 0;
}
