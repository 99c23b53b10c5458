/* test_hostile.c - policies that would take for ever, or all memory: each ends with its own error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/rego/rego.h"

enum { STEPS = 2000000, MEMORY = 64 << 20, DEPTH = 200, LONGEST_CPU_S = 60 };

struct outcome {
    char code[64], message[200];
    bool defined;
};

/* Compile and evaluate data.t.p. */
static void run_within(struct arena *arena, struct str text,
                       const struct rego_eval_options *options, struct outcome *ret)
{
    struct rego_source source = {.file = STR("t.rego"), .text = text};
    struct rego_compile_options how = {0};
    struct rego_diags diags = {.arena = arena};
    struct rego_policy *policy = NULL;
    struct rego_query *query = NULL;
    struct rego_result result = {0};
    struct err err = {0};
    const char *code = "";
    struct str message = {0};
    *ret = (struct outcome){0};
    if (!rego_compile(&source, 1, NULL, &how, &diags, &policy, &err)) {
        code = diags.n ? diags.diag[0].code : "memory";
        message = diags.n ? diags.diag[0].message : str_from(err.frame[0]);
    } else if (rego_prepare(policy, STR("data.t.p"), &diags, &query, &err) &&
               !rego_eval(query, NULL, options, arena, &result, &err)) {
        code = "memory";
        message = str_from(err.frame[0]);
    } else if (result.error.code) {
        code = result.error.code;
        message = result.error.message;
    }
    ret->defined = result.values.len > 0;
    (void)snprintf(ret->code, sizeof ret->code, "%s", code);
    (void)snprintf(ret->message, sizeof ret->message, "%.*s", STR_ARG(message));
    rego_query_close(query);
    rego_close(policy);
}

/* The same within small budgets. */
static void run(struct arena *arena, struct str text, struct outcome *ret)
{
    const struct rego_eval_options small = {
        .steps = STEPS, .memory = MEMORY, .depth = DEPTH, .host = {.now_utc_ns = 1}};
    run_within(arena, text, &small, ret);
}

static const struct {
    const char *says, *body, *code; /* code "": undefined or defined, but quickly */
} cases[] = {
    {"10^9 elements of a product",
     "p := count({[a, b, c] | some a in numbers.range(1, 1000); some b in numbers.range(1, 1000); "
     "some c in numbers.range(1, 1000)})",
     "eval_cancel_error"},
    {"10^9 rounds without a result",
     "p if {\n some a in numbers.range(1, 1000)\n some b in numbers.range(1, 1000)\n"
     " some c in numbers.range(1, 1000)\n a + b + c == 0\n}",
     "eval_cancel_error"},
    {"a rule of itself", "p if q\nq if not r\nr if p", "rego_recursion_error"},
    {"a function of itself", "f(x) := f(x - 1)\np := f(1)", "rego_recursion_error"},
    {"a range of 10^12", "p := count(numbers.range(1, 1000000000000))", "eval_cancel_error"},
    {"every address of a /4", "p := count(net.cidr_expand(\"16.0.0.0/4\"))", "eval_cancel_error"},
    {"a pattern that backtracks elsewhere",
     "p := regex.match(`^(a+)+$`, concat(\"\", [\"a\" | numbers.range(1, 20000)[_]]))", ""},
    {"a pattern of a million states", "p := regex.match(`((a{1000}){1000}){1000}`, \"a\")", ""},
    {"pairs of pairs of pairs",
     "p if {\n x := [[a, b] | some a in numbers.range(1, 3000); some b in "
     "numbers.range(1, 3000)]\n count(x) > 0\n}",
     "eval_cancel_error"},
    {"GraphQL: 3000 fields of one object",
     "f := concat(\" \", [sprintf(\"a%d:1\", [i]) | some i in numbers.range(1, 3000)])\n"
     "p := graphql.is_valid(sprintf(\"{f(o:{%s})}\", [f]), \"scalar J type Query{f(o:J):Int}\")",
     "eval_cancel_error"},
    {"GraphQL: 3000 directives",
     "d := concat(\" \", [sprintf(\"directive @d%d on FIELD\", [i]) | some i in "
     "numbers.range(1, 3000)])\n"
     "p := graphql.schema_is_valid(concat(\" \", [\"type Query{a:Int}\", d]))",
     "eval_cancel_error"},
    {"GraphQL: 3000 types, the last one twice",
     "s := concat(\" \", [sprintf(\"type T%d{a:Int}\", [i]) | some i in numbers.range(1, 3000)])\n"
     "p := graphql.schema_is_valid(concat(\" \", [s, \"type T3000{a:Int}\"]))",
     "eval_cancel_error"},
    {"GraphQL: 3000 types that are extended only",
     "s := concat(\" \", [sprintf(\"extend type T%d{a:Int}\", [i]) | some i in "
     "numbers.range(1, 3000)])\n"
     "p := graphql.schema_is_valid(s)",
     "eval_cancel_error"},
    /* what takes no more than its input: linear, or these budgets would not do */
    {"20,000 nodes in a row",
     "p := count(graph.reachable({i: [i + 1] | some i in numbers.range(1, 20000)}, [1]))", ""},
    {"a path of 2,000 nodes",
     "p := graph.reachable_paths({i: [i + 1] | some i in numbers.range(1, 2000)}, [1])", ""},
    {"20,000 objects over each other",
     "p := object.union_n([{sprintf(\"k%d\", [i]): i} | some i in numbers.range(1, 20000)])", ""},
    {"10,000 paths of 10,000 keys",
     "o := {sprintf(\"k%d\", [i]): i | some i in numbers.range(1, 10000)}\n"
     "p := [json.filter(o, object.keys(o)), json.remove(o, object.keys(o))]",
     ""},
    {"a product of 70,000 digits", "p := product(numbers.range(1, 18000)) > 1", ""},
    {"trimming by a million characters",
     "b := concat(\"\", [\"b\" | some i in numbers.range(1, 100000)])\n"
     "p := trim(b, concat(\"\", [replace(b, \"b\", \"a\"), \"b\"]))",
     ""},
    /* and what ends */
    {"a replacement of 10^10 bytes",
     "p := replace(sprintf(\"%100000s\", [\"\"]), \" \", sprintf(\"%100000s\", [\"\"]))",
     "eval_cancel_error"},
    {"replacements of 10^10 bytes",
     "p := strings.replace_n({\" \": sprintf(\"%100000s\", [\"\"])}, sprintf(\"%100000s\", "
     "[\"\"]))",
     "eval_cancel_error"},
    {"a replaced pattern of 10^10 bytes",
     "p := regex.replace(sprintf(\"%100000s\", [\"\"]), \" \", sprintf(\"%100000s\", [\"\"]))",
     "eval_cancel_error"},
    {"an indent of a megabyte",
     "p := json.marshal_with_options(numbers.range(1, 1000), {\"pretty\": true, \"indent\": "
     "sprintf(\"%1000000s\", [\"\"])})",
     "eval_cancel_error"},
    {"a width of ten million, ten times",
     "p := sprintf(\"%10000000d%10000000d%10000000d%10000000d"
     "%10000000d%10000000d%10000000d\", [1, 2, 3, 4, 5, 6, 7])",
     "eval_cancel_error"},
    {"prefixes, each against each",
     "x := [sprintf(\"x%d\", [i]) | some i in numbers.range(1, 3000)]\n"
     "p := strings.any_prefix_match(x, [concat(\"\", [\"y\", y]) | some y in x])",
     "eval_cancel_error"},
    {"a part of a list, from each place",
     "x := [0 | some i in numbers.range(1, 20000)]\n"
     "p := object.subset(x, array.concat(array.slice(x, 0, 10000), [1]))",
     "eval_cancel_error"},
    {"all addresses", "p := count(net.cidr_expand(\"::/0\"))", "eval_cancel_error"},
    {"all paths of a whole graph",
     "g := {i: numbers.range(1, 30) | some i in numbers.range(1, 30)}\n"
     "p := count(graph.reachable_paths(g, [1]))",
     "eval_cancel_error"},
};

static void test_budgets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 512 << 20};
        struct outcome got;
        clock_t start = clock();
        print_message("  %s\n", cases[i].says);
        run(&arena, arena_printf(&arena, "package t\n%s\n", cases[i].body), &got);
        if (strcmp(got.code, cases[i].code) != 0)
            fail_msg("%s: want %s, got %s (%s)", cases[i].says, cases[i].code, got.code,
                     got.message);
        assert_true((clock() - start) / CLOCKS_PER_SEC < LONGEST_CPU_S);
    }
}

/* A text that doubles with each rule: 2^40 bytes. */
static void test_doubling(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 512 << 20};
    AUTO_BUF text = {.limit = 1 << 20};
    struct outcome got;
    buf_str(&text, STR("package t\np0 := \"xxxxxxxx\"\n"));
    for (int i = 1; i < 38; i++)
        buf_printf(&text, "p%d := concat(\"\", [p%d, p%d])\n", i, i - 1, i - 1);
    buf_str(&text, STR("p := count(p37)\n"));
    run(&arena, buf_view(&text), &got);
    assert_string_equal(got.code, "eval_cancel_error");
}

/* Brackets, parentheses and negations deeper than anybody reads. */
static void test_nesting(void **state)
{
    static const char *const open[] = {"[", "(", "{\"a\": ", "[x | x := "};
    (void)state;
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        AUTO_ARENA arena = {.limit = 512 << 20};
        AUTO_BUF text = {.limit = 4 << 20};
        struct outcome got;
        buf_str(&text, STR("package t\np := "));
        for (int n = 0; n < 100000; n++)
            buf_str(&text, str_from(open[i]));
        run(&arena, buf_view(&text), &got);
        assert_string_equal(got.code, "rego_parse_error");
    }
}

static void put_rule(struct buf *out, const char *rule, int n)
{
    for (; *rule; rule++) {
        if (*rule == '#' || *rule == '@')
            buf_printf(out, "%d", n + (*rule == '@'));
        else
            buf_char(out, *rule);
    }
}

/* Each rule needs the next: as many as there are, on whatever stack. */
static void test_chains(void **state)
{
    enum { RULES = 20000 };
    static const struct {
        const char *link, *end, *code; /* # is a rule, @ the next; code: of the error, "" = none */
    } chains[] = {
        {"r# if r@\n", "r# := true\n", ""},
        {"r# := x if { x := r@ + 1; x > 0 }\n", "r# := 1\n", ""},
        {"r# contains x if some x in r@\n", "r# contains 1\n", ""},
        {"r# := {x | some x in r@}\n", "r# := {1}\n", ""},
        {"r# if not r@\n", "r# := true\n", ""},
        {"r# if every x in [1] { r@; x == 1 }\n", "r# := true\n", ""},
        {"f#(x) := f@(x + 1)\n", "f#(x) := x\nr0 := f0(1)\n", ""},
        {"r# := [r@]\n", "r# := 1\n", "eval_cancel_error"},
        {"f#(x) := f@([x])\n", "f#(x) := 1\nr0 := f0(1)\n", "eval_cancel_error"},
        {"r# if r@\n", "r# if r0\n", "rego_compile_error"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
        AUTO_ARENA arena = {.limit = 512 << 20};
        AUTO_BUF text = {.limit = 4 << 20};
        struct outcome got;
        print_message("  %s", chains[i].link);
        buf_str(&text, STR("package t\n"));
        for (int n = 0; n < RULES; n++)
            put_rule(&text, chains[i].link, n);
        put_rule(&text, chains[i].end, RULES);
        buf_str(&text, STR("p if r0\n"));
        run_within(&arena, buf_view(&text), &(struct rego_eval_options){.host = {.now_utc_ns = 1}},
                   &got);
        assert_string_equal(got.code, chains[i].code);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budgets), cmocka_unit_test(test_doubling),
        cmocka_unit_test(test_nesting), cmocka_unit_test(test_chains)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
