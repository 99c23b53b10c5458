/* test_memory.c - memory that runs out: at every limit a clean error, or the same answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/rego/format.h"
#include "lang/rego/rego.h"
#include "wire/json.h"

enum { PLENTY = 64 << 20, STEP = 37, WRONG = 5 };

/* Between them: every kind of term, literal and rule, and built-ins of every kind of result. */
static const struct {
    const char *text, *query;
} cases[] = {
    {"package t\nimport data.other as o\ndefault p := false\np if { some i; input.xs[i] > 2 }\n"
     "q contains x if some x in input.xs\nr[k] := v if some k, v in input\n"
     "f(x, [y, z]) := x + y if z else := 7\ns := [f(1, [2, true]), f(0, [1, false])]",
     "data.t = x"},
    {"package t\np := {x: y | some x, y in input; not x == \"a\"}\n"
     "q := {x | x := input.xs[_]} | {1, 2} & {2}\nr if every k, v in input.o { k; v }\n"
     "s := $\"a {input.a} {[1, \"x\"]}\"\nu := n if n := count(input.xs) with input.xs as [1, 2]",
     "data.t = x"},
    {"package t\na.b.c := 1\na.b[x] := x if some x in input.xs\nw[x][y] := 1 if {\n"
     " some x, y in input\n is_string(y)\n}\np := walk(input)\nz := [v | walk(input, [_, v])]",
     "x = data.t.a; y = data.t.w; z = data.t.z"},
    {"package t\np := sprintf(\"%v %d %s\", [input, 1, \"x\"])\n"
     "q := regex.find_n(`[a-z]+`, \"ab cd\", -1)\nr := json.marshal(input)\n"
     "s := yaml.unmarshal(\"a: [1, {b: c}]\")\nu := split(concat(\",\", [\"a\", \"b\"]), \",\")\n"
     "v := object.union(input, {\"n\": {\"m\": 1}})\nw := numbers.range(1, 50)\n"
     "x := graphql.parse_query(\"{ a(b: [1]) { ...F } } fragment F on T { c }\")\n"
     "y := json.match_schema(input, {\"properties\": {\"a\": {\"type\": \"number\"}}})\n"
     "z := rego.parse_module(\"m\", \"package m\\np if { not q[1] }\")\nn := 7 / 3",
     "data.t = x"},
    {"# METADATA\n# title: t\npackage t\n# METADATA\n# custom: {a: [1, 2]}\n"
     "p := rego.metadata.rule()\nq := base64.encode(\"abc\")\nr := crypto.sha256(\"x\")\n"
     "u := time.format(1e18)\nv := sort([3, 1, 2])\nw := net.cidr_expand(\"10.0.0.0/29\")\n"
     "t := urlquery.encode_object({\"a\": [\"b c\"]})\nz := glob.match(\"*.a\", [], \"b.a\")",
     "data.t = x"},
    {"package t\np if {\n x := ", "data.t"},
    {"package t\np := q\nq := p\nr := unknown(1)\ns contains x", "data.t"},
};
#define INPUT "{\"xs\": [1, 2, 3, \"a\"], \"a\": \"b\", \"o\": {\"k\": true}}"

struct limits {
    size_t compile, eval;
};
struct answer {
    struct str text; /* of the answer, or empty */
    bool complained; /* an error of any kind */
};

static struct answer run(struct arena *kept, size_t i, struct limits limits)
{
    AUTO_ARENA arena = {.limit = limits.eval}, notes = {.limit = PLENTY};
    struct rego_source source = {.file = STR("t.rego"), .text = str_from(cases[i].text)};
    struct rego_compile_options how = {.memory = limits.compile, .keep_print = true};
    struct rego_eval_options options = {.memory = limits.eval, .host = {.now_utc_ns = 1}};
    struct rego_diags diags = {.arena = &notes};
    struct rego_policy *policy = NULL;
    struct rego_query *query = NULL;
    struct rego_result result = {0};
    struct answer answer = {0};
    struct value input;
    struct err err = {0};
    assert_true(json_parse(&notes, STR(INPUT), "input", JSON_DEFAULT, &input, NULL));
    bool ok = rego_compile(&source, 1, NULL, &how, &diags, &policy, &err) &&
              rego_prepare(policy, str_from(cases[i].query), &diags, &query, &err) &&
              rego_eval(query, &input, &options, &arena, &result, &err);
    answer.complained = !ok || result.error.code || result.nbuiltin_errors;
    if (!ok)
        assert_true(diags.n > 0 || err.kind != ERR_NONE);
    if (ok && !result.error.code) {
        AUTO_BUF out = {.limit = PLENTY};
        rego_text(&out, &result.bindings);
        answer.text = arena_dup(kept, buf_view(&out));
    }
    rego_query_close(query);
    rego_close(policy);
    return answer;
}

/* At a limit: the answer that there is with plenty, or an error. */
static void check(size_t i, struct limits limits, struct str want)
{
    AUTO_ARENA kept = {.limit = PLENTY};
    struct answer got = run(&kept, i, limits);
    if (!got.complained && !str_equal(got.text, want))
        fail_msg("case %zu, %zu to compile, %zu to evaluate:\n%.*s\n%.*s", i, limits.compile,
                 limits.eval, STR_ARG(got.text), STR_ARG(want));
}

static struct str with_plenty(struct arena *kept, size_t i)
{
    struct answer all = run(kept, i, (struct limits){PLENTY, PLENTY});
    assert_int_equal(all.text.len > 0, i < WRONG); /* the last ones are wrong */
    return all.text;
}

static void compiling_with_little_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA kept = {.limit = PLENTY};
        struct str want = with_plenty(&kept, i);
        for (size_t limit = 1; limit < 120000; limit += STEP + limit / 200)
            check(i, (struct limits){limit, PLENTY}, want);
    }
}

static void evaluating_with_little_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA kept = {.limit = PLENTY};
        struct str want = with_plenty(&kept, i);
        for (size_t limit = 1; limit < 300000; limit += STEP + limit / 200)
            check(i, (struct limits){PLENTY, limit}, want);
    }
}

/* Evaluates data.t.p; does it fit? */
static bool fits(struct str text, size_t memory)
{
    AUTO_ARENA arena = {.limit = PLENTY}, notes = {.limit = PLENTY};
    struct rego_source source = {.file = STR("t.rego"), .text = text};
    struct rego_compile_options how = {.keep_print = true};
    struct rego_eval_options options = {.memory = memory, .host = {.now_utc_ns = 1}};
    struct rego_diags diags = {.arena = &notes};
    struct rego_policy *policy = NULL;
    struct rego_query *query = NULL;
    struct rego_result result = {0};
    struct err err = {0};
    assert_true(rego_compile(&source, 1, NULL, &how, &diags, &policy, &err));
    assert_true(rego_prepare(policy, STR("data.t.p"), &diags, &query, &err));
    bool ok = rego_eval(query, NULL, &options, &arena, &result, &err) && !result.error.code;
    assert_true(!ok || result.values.len == 1);
    rego_query_close(query);
    rego_close(policy);
    return ok;
}

/* As much as there is to keep, not a multiple of it, nor a lump beside it. */
static void evaluating_takes_what_it_needs(void **state)
{
    enum { SMALL = 64 << 10, MILLION = 20 << 20, CALLS = 8 << 20, VARIABLES = 300 };
    AUTO_BUF wide = {.limit = 1 << 20};
    (void)state;
    assert_true(fits(STR("package t\np if { x := 1; y := [x]; count(y) == 1 }"), SMALL));
    assert_true(fits(STR("package t\np := count(numbers.range(1, 1000000))"), MILLION));
    assert_false(fits(STR("package t\np := count(numbers.range(1, 2000000))"), MILLION));
    /* variables that do not fit beside those of the caller: the room of one call is the next's */
    buf_str(&wide, STR("package t\np := count([x | some x in numbers.range(1, 5000); f(x)])\n"
                       "f(x0) if {\n"));
    for (int i = 1; i < VARIABLES; i++)
        buf_printf(&wide, " x%d := x%d\n", i, i - 1);
    buf_printf(&wide, " x%d > 0\n}", VARIABLES - 1);
    assert_true(fits(buf_view(&wide), CALLS));
}

static void formatting_with_little_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA kept = {.limit = PLENTY};
        struct rego_diags diags = {.arena = &kept};
        const struct rego_format_options how = {0};
        struct str want = {0}, got;
        struct err err = {0};
        bool good =
            rego_format(&kept, str_from(cases[i].text), STR("t"), &how, &diags, &want, &err);
        for (size_t limit = 1; limit < 200000; limit += STEP + limit / 200) {
            AUTO_ARENA arena = {.limit = limit}, notes = {.limit = PLENTY};
            struct rego_diags said = {.arena = &notes};
            struct err why = {0};
            bool ok =
                rego_format(&arena, str_from(cases[i].text), STR("t"), &how, &said, &got, &why);
            if (ok && (!good || !str_equal(got, want)))
                fail_msg("case %zu at %zu: %.*s", i, limit, STR_ARG(got));
            if (!ok)
                assert_true(said.n > 0 || why.kind != ERR_NONE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(compiling_with_little_memory),
                                       cmocka_unit_test(evaluating_with_little_memory),
                                       cmocka_unit_test(evaluating_takes_what_it_needs),
                                       cmocka_unit_test(formatting_with_little_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
