/* test_eval.c - policies compiled and evaluated: documents, functions, with, conflicts, budgets,
 * and what must not compile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/rego/rego.h"
#include "wire/json.h"

enum { LIMIT = 64 << 20 };

static struct rego_policy *compile(struct arena *arena, const char *text)
{
    struct rego_source source = {.file = STR("t.rego"), .text = str_from(text)};
    struct rego_diags diags = {.arena = arena};
    struct rego_policy *policy;
    struct err err = {0};
    if (!rego_compile(&source, 1, NULL, &(struct rego_compile_options){0}, &diags, &policy, &err))
        fail_msg("%s: %.*s", text, diags.n ? (int)diags.diag[0].message.len : 0,
                 diags.n ? diags.diag[0].message.ptr : "");
    return policy;
}

static void run(struct arena *arena, const char *text, const struct value *input,
                const struct rego_eval_options *options, struct rego_result *ret)
{
    struct rego_policy *policy = compile(arena, text);
    struct rego_diags diags = {.arena = arena};
    struct rego_query *query;
    struct err err = {0};
    assert_true(rego_prepare(policy, STR("data.t.p"), &diags, &query, &err));
    assert_true(rego_eval(query, input, options, arena, ret, &err));
    rego_query_close(query);
    rego_close(policy);
}

/* data.t.p of a module as text; NULL is undefined. */
static void assert_value(const char *rules, const char *input_json, const char *want)
{
    AUTO_ARENA arena = {.limit = LIMIT};
    AUTO_BUF out = {.limit = 1 << 16};
    struct rego_result result;
    struct value input;
    char text[4000];
    (void)snprintf(text, sizeof text, "package t\n%s\n", rules);
    if (input_json)
        assert_true(json_parse(&arena, str_from(input_json), "input", JSON_DEFAULT, &input, NULL));
    run(&arena, text, input_json ? &input : NULL, &(struct rego_eval_options){0}, &result);
    assert_null(result.error.code);
    if (!want) {
        assert_int_equal(result.values.len, 0);
        return;
    }
    assert_int_equal(result.values.len, 1);
    rego_text(&out, &result.values.items[0].items[0]);
    buf_char(&out, '\0');
    assert_string_equal(out.ptr, want);
}

static void test_values(void **state)
{
    (void)state;
    static const struct {
        const char *rules, *input, *want;
    } cases[] = {
        {"p := 1 + 2 * 3", NULL, "7"},
        {"f() := 7\np := f", NULL, "7"},
        {"p if input.x == 1", "{\"x\": 1.0}", "true"},
        {"p if input.x == 1", "{}", NULL},
        {"default p := false\np if input.x", "{}", "false"},
        {"p contains x if some x in input.xs", "{\"xs\": [2, 1, 2]}", "{1, 2}"},
        {"p contains x if some x, x in input", "[0, 2, 2]", "{0, 2}"},
        {"p contains [x, i] if [x, 3 - x] = input[i]", "[[0, 1], [1, 2], [1, [1]]]", "{[1, 1]}"},
        {"p contains x if [x + 1, x] = input[_]", "[[0, 1], [2, 1]]", "{1}"},
        {"p contains [x, y] if {\n [x, 1, y] = [y, y, x + 1]\n}", NULL, "set()"},
        {"p contains [x, y] if {\n [x, 1, y] = [y, y, x * 1]\n}", NULL, "{[1, 1]}"},
        {"p contains [x, y] if {\n {\"a\": [x, y], \"b\": 2} = {\"a\": [y, y], \"b\": x}\n}", NULL,
         "{[2, 2]}"},
        {"f(x) := x + 1\np contains [x, y] if {\n [y, f(x), 2] = [3, y, x]\n}", NULL, "{[2, 3]}"},
        {"p contains [x, y] if y = x * input[x]", "[5, 6]", "{[0, 0], [1, 6]}"},
        {"p if not 1 == input[_] + 1", "[0, 1]", "true"},
        {"p if not 1 == input[_] + 1", "[0, 0]", NULL},
        {"f(x) := x + 1\np if not f(input.nope) == 1", "{}", NULL},
        {"p contains x if x = input[x]", "[1, 1, 0, 3]", "{1, 3}"},
        {"p contains x if (x + x) = input[x]", "[0, 1, 4]", "{0, 2}"},
        {"p contains x if {\n (x % 2) == input[x]\n x = input[_]\n}", "[0, 1]", "{0, 1}"},
        {"p contains x if {\n [(x + 1), 1] == [input[x], 1]\n x = input[_]\n}", "[1, 0]", "{0}"},
        {"p contains x if x[0] == [input[x]]", "[1, 2]", "set()"},
        {"p contains x if not x = (x | input.a[input.b[x]])", "{\"a\": [], \"b\": [1]}", "set()"},
        {"p contains x if {\n {x: input[x]} = {0: 7}\n x = input[_]\n}", "[7, 0]", "{0}"},
        {"p contains x if {\n count([y | y = x]) + x = input[x]\n}", "[1, 2, 2]", "{0, 1}"},
        {"p contains x if {\n count([input[x]]) == 1 with input as x\n x = input[_]\n}", "[[0]]",
         "set()"},
        {"p contains input[x] if x > 0", "[4, 5, 6]", "{5, 6}"},
        {"p[x] := input[x] if x > 0", "[4, 5]", "{1: 5}"},
        {"p := [input[x] | x > 0]", "[4, 5, 6]", "[5, 6]"},
        {"p := {x: input[x] | x > 0}", "[4, 5]", "{1: 5}"},
        {"f(x) := x + 1\np contains f(input[x]) if {\n x > y\n y = 0\n}", "[4, 5, 6]", "{6, 7}"},
        {"p contains x if some x in input[x]", "[[1, 0], [1, 2]]", "{0, 1}"},
        {"p contains x if {\n x = 1\n some [x, y] in [[y, x]]\n y = 1\n}", NULL, "{1}"},
        {"p contains x if {\n x = input[_]\n every e in [1] {\n  [x, _] := input[x]\n  e\n }\n}",
         "[[1, 2], 0]", "{0}"},
        {"p contains x if input[x] == x", "[1, 1, 0, 3]", "{1, 3}"},
        {"p contains x if {\n x = 1\n x = input[x]\n}", "[1, 2]", "set()"},
        {"p contains x if x = input[x] + 1", "[1, 0, 0, 2]", "{1, 3}"},
        {"p contains x if [x, 0] = input[x]", "[[0, 0], [0, 0]]", "{0}"},
        {"p contains x if count(input[x], x)", "[[1], [1], [1, 2]]", "{1, 2}"},
        {"p contains x if x + input[x] == 7", "[5, 6]", "{1}"},
        {"p contains x if some [x, x] in input", "[[1, 2], [3, 3]]", "{3}"},
        {"p[k] := v if some k, v in input", "{\"a\": 1}", "{\"a\": 1}"},
        {"p := [x | x := input[_]; x > 1]", "[1, 2, 3]", "[2, 3]"},
        {"p := {k: v | some k, v in input}", "[true]", "{0: true}"},
        {"p if { every x in input { x > 0 } }", "[1, 2]", "true"},
        {"p if { every x in input { x > 1 } }", "[1, 2]", NULL},
        {"p if { v := 1; every x in input { x; startswith(v, \"a\") } }", "[]", "true"},
        {"p if not input.x", "{}", "true"},
        {"p if not startswith(input.nope, \"a\")", "{}", NULL},
        {"f(x) := x * 2\np := f(f(3))", NULL, "12"},
        {"f(0) := \"zero\"\nf(x) := \"more\" if x > 0\np := [f(0), f(1)]", NULL,
         "[\"zero\", \"more\"]"},
        {"p := 1 if false else := 2 if true", NULL, "2"},
        {"q := input.a\np := x if { x := q with input.a as 5 }", "{\"a\": 1}", "5"},
        {"p := x if { x := count([1]) with count as 7 }", NULL, "7"},
        {"p := x if { [x, 2] = [1, y]; y == 2 }", NULL, "1"},
        {"p := $\"a{input.x}b{1 + 1}\"", "{}", "\"a<undefined>b2\""},
        {"a.b.c := 1\na.b.d := 2\np := a", NULL, "{\"b\": {\"c\": 1, \"d\": 2}}"},
        {"a[x] contains y if { some x in [1, 2]; y := x * 10 }\np := a", NULL,
         "{1: {10}, 2: {20}}"},
        {"p := {path | walk(input, [path, 1])}", "{\"a\": [1, 2]}", "{[\"a\", 0]}"},
        {"p := sprintf(\"%s has %d\", [\"x\", 3])", NULL, "\"x has 3\""},
        {"p := sprintf(\"%99999999d x\", [1])", NULL, "\"%!(NOVERB)%!(EXTRA int64=1)\""},
        {"p := sprintf(\"%.*f\", [1e9, 1.5])", NULL, "\"%!(BADPREC)1.500000\""},
        {"p := graph.reachable_paths({\"a\": [\"b\", \"x\"], \"b\": [\"a\", \"c\"], \"c\": []}, "
         "[\"a\"])",
         NULL, "{[\"a\"], [\"a\", \"b\"], [\"a\", \"b\", \"c\"]}"},
        {"p := graph.reachable_paths({\"a\": [\"a\"]}, {\"a\"})", NULL, "{[\"a\", \"a\"]}"},
        {"p := object.union_n([{1: {2: 3}}, {1: {4: 5}}, {1: 6}, {1: {7: 8}}, {1: {9: 0}}])", NULL,
         "{1: {7: 8, 9: 0}}"},
        {"p := json.remove({\"a\": [1, {\"b\": 2}], \"c\": {\"d\": 1, \"e\": 2}}, [\"a/1/b\", "
         "\"a/0\", "
         "\"c/d\"])",
         NULL, "{\"a\": [{}], \"c\": {\"e\": 2}}"},
        {"p := [product([99999999999999999999, -2]), sum([9223372036854775807, 1, 0.5])]", NULL,
         "[-199999999999999999998, 9223372036854775808]"},
        {"p := regex.replace(\"abc\", \"(?P<x>b)\", \"<$1${x}$$>$\")", NULL, "\"a<bb$>$c\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_value(cases[i].rules, cases[i].input, cases[i].want);
}

/* Answers of OPA 1.19 to what generated calls showed: each in a list, which is empty where there is
 * none. */
static void test_answers(void **state)
{
    (void)state;
    static const struct {
        const char *term, *want;
    } cases[] = {
        {"{\"a\": 1, \"a\": 2}", "[{\"a\": 2}]"},
        {"{\"a\": 1, input.k: 2}", "[{\"a\": 2}]"},
        {"{input.k: 2, \"a\": 1}", "[{\"a\": 2}]"},
        {"{\"a\": input.k, \"a\": 7}", "[{\"a\": 7}]"},
        {"min({null, 2, \"a\"})", "[2]"},
        {"min({null})", "[null]"},
        {"floor(123456789012345678901234567890)", "[123456789012345678899921813504]"},
        {"ceil(1e21)", "[1000000000000000000000]"},
        {"abs(-1.50)", "[1.5]"},
        {"sum([0.5, 123456789012345678901234567890, 1])", "[123456789012345678900000000000]"},
        {"product([0.5, 123456789012345678901234567890, 9223372036854775807])",
         "[569343947768174534980000000000000000000000000000]"},
        {"numbers.range(1.0, 3)", "[[1, 2, 3]]"},
        {"array.slice([1, 2, 3], 1.0, 2)", "[]"},
        {"substring(\"abc\", 1e0, 1)", "[]"},
        {"regex.find_n(\"a\", \"aa\", 1.0)", "[]"},
        {"format_int(3, 10.0)", "[]"},
        {"format_int(10.7, 16)", "[\"a\"]"},
        {"sprintf(\"%v %v %v\", [1000000.5, 100000.5, 12345678901234567890.5])",
         "[\"1.0000005e+06 100000.5 1.2345678901234567e+19\"]"},
        {"sprintf(\"%G|%x|%b|%v|%+v|%+d\", [1234567890.5, 1.5, 3.5, -0.0, 2, 2])",
         "[\"1.2345678905E+09|0x1.8p+00|7881299347898368p-51|-0|2|+2\"]"},
        {"sprintf(\"%.160f\", [0.1])",
         "[\"0."
         "10000000000000000555111512312578270211815834045410156250000000000000000000000000000000000"
         "00000000000000000000000000000000000000000000000000000000000000000000000\"]"},
        {"sprintf(\"%08.3f|%5d\", [[\"10\", \"_\"], \"a\"])",
         "[\"%!f(string=00000[\\\"1)|%!d(string=    a)\"]"},
        {"sprintf(\"%v %q\", [[\"\\u00a0\\u2028\\u200b\\ufeff\\u0001\"], \"\\u007f\"])",
         "[\"[\\\"\\\\u00a0\\\\u2028\\\\u200b\\\\ufeff\\\\x01\\\"] \\\"\\\\x7f\\\"\"]"},
        {"json.marshal({3: 1, \"a\": {true: 1, \"b\": 2}, \"0\": [], \"\\\"\": 4})",
         "[\"{\\\"\\\\\\\"\\\":4,\\\"0\\\":[],\\\"3\\\":1,\\\"a\\\":{\\\"b\\\":2,\\\"true\\\":1}}"
         "\"]"},
        {"glob.match(\"a{b,c\", [], \"ac\")", "[true]"},
        {"glob.match(\"a\", [\"ab\"], \"b\")", "[]"},
        {"uri.parse(\"http://h/a%20b+c\")", "[{\"hostname\": \"h\", \"path\": \"/a b+c\", "
                                            "\"raw_path\": \"/a b+c\", \"scheme\": \"http\"}]"},
        {"uri.parse(\"http://h/a%2Fb\")", "[{\"hostname\": \"h\", \"path\": \"/a/b\", "
                                          "\"raw_path\": \"/a%2Fb\", \"scheme\": \"http\"}]"},
        {"net.cidr_contains_matches([], \"1E\")", "[set()]"},
        {"net.cidr_contains_matches([\"x\"], {})", "[set()]"},
        {"net.cidr_contains_matches([\"x\"], [\"10.0.0.0/8\"])", "[]"},
        {"crypto.x509.parse_and_verify_certificates_with_options(\"a\", {\"b\": 1})",
         "[[false, []]]"},
        {"strings.render_template(\"x\", {\"a\": {1: \"b\"}})", "[]"},
        {"strings.render_template(\"{{.a}}\", {\"a\": {\"b\"}})", "[]"},
        {"time.diff(1500000000, 900000000)", "[[0, 0, 0, 0, 0, 1]]"},
        {"base64url.decode(\"YW\\nJj\")", "[]"},
        {"base64.decode(\"YW\\nJj\")", "[\"abc\"]"},
        {"json.verify_schema({\"type\": 1})",
         "[[false, \"jsonschema: Invalid type. Expected: type, given: string/Array Of Strings\"]]"},
        {"yaml.marshal([\"%T\", \"a: b\", \"'\", \"a\\nb\", \"true\", \"1\", \"0o7\", \"1:20\", "
         "\"2024-01-02\", \"2024-1-2 3:4:5\", \"2024-02-30\", \"y\", \"\", \" a\", \"\\u0000\", "
         "\"é\", \"a\\n\\n\"])",
         "[\"- '%T'\\n- 'a: b'\\n- ''''\\n- |-\\n  a\\n  b\\n- \\\"true\\\"\\n- \\\"1\\\"\\n- "
         "\\\"0o7\\\"\\n- \\\"1:20\\\"\\n- \\\"2024-01-02\\\"\\n- \\\"2024-1-2 3:4:5\\\"\\n- "
         "2024-02-30\\n- \\\"y\\\"\\n- \\\"\\\"\\n- ' a'\\n- \\\"\\\\0\\\"\\n- é\\n- |+\\n  "
         "a\\n\\n\"]"},
        {"yaml.marshal(\"a\\n\\n\")", "[\"|+\\n  a\\n\\n\"]"},
        {"yaml.marshal({\"a10\": {\"b\": [1, {\"c\": []}]}, \"a2\": {}, \"_\": null, \"A\": [[1, "
         "[2]]], \"1\": false})",
         "[\"_: null\\n\\\"1\\\": false\\nA:\\n- - 1\\n  - - 2\\na2: {}\\na10:\\n  b:\\n  - 1\\n  "
         "- c: []\\n\"]"},
        {"yaml.marshal([1000000.5, 3.0, 1e3, 12345678901234567890, 123456789012345678901234567890, "
         "0.00001])",
         "[\"- 1.0000005e+06\\n- 3\\n- 1000\\n- 12345678901234567890\\n- "
         "1.2345678901234568e+29\\n- 1e-05\\n\"]"},
        {"yaml.marshal({1: {true: set()}})", "[\"\\\"1\\\":\\n  \\\"true\\\": []\\n\"]"},
        {"yaml.marshal(\"aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb "
         "cccccccccccccccccccccccccc ddddddddddddddddd\")",
         "[\"aaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb cccccccccccccccccccccccccc "
         "ddddddddddddddddd\\n\"]"},
        {"yaml.unmarshal(\"a: 1\\na: 2\")", "[{\"a\": 2}]"},
        {"yaml.unmarshal(\"a: 1\\n---\\nb\")", "[{\"a\": 1}]"},
        {"yaml.unmarshal(\"[a]]\")", "[[\"a\"]]"},
        {"yaml.is_valid(\"? \")", "[false]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char rules[1000];
        assert_in_range(snprintf(rules, sizeof rules, "p := [x | x := %s]", cases[i].term), 1,
                        sizeof rules - 1);
        assert_value(rules, "{\"k\": \"a\"}", cases[i].want);
    }
}

static void test_conflict(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = LIMIT};
    struct rego_result result;
    run(&arena, "package t\np := 1\np := 2 if true\n", NULL, &(struct rego_eval_options){0},
        &result);
    assert_string_equal(result.error.code, "eval_conflict_error");
    assert_int_equal(result.error.row, 3);
}

static void test_builtin_errors(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = LIMIT};
    struct rego_result result;
    static const char text[] = "package t\np := 1 / 0\n";
    run(&arena, text, NULL, &(struct rego_eval_options){0}, &result);
    assert_null(result.error.code);
    assert_int_equal(result.nbuiltin_errors, 1);
    assert_true(str_equal(result.builtin_errors[0].message, STR("div: divide by zero")));
    run(&arena, text, NULL, &(struct rego_eval_options){.strict_builtin_errors = true}, &result);
    assert_string_equal(result.error.code, "eval_builtin_error");
}

/* What is not granted is no "false": a policy that asks the network would pass everything. */
static void test_refused_builtins(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"package t\np if not http.send({\"method\": \"get\", \"url\": \"http://h/\"})",
         "http.send: h: the host is not in the list of allowed hosts"},
        {"package t\np := net.lookup_ip_addr(\"h\")",
         "net.lookup_ip_addr: lookup h: the host is not in the list of allowed hosts"},
        {"package t\np := parse_config_file(\"x.yaml\")",
         "parse_config_file: configuration files are read by conftest's commands only"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct rego_result result;
        run(&arena, cases[i].text, NULL, &(struct rego_eval_options){0}, &result);
        assert_string_equal(result.error.code, "eval_builtin_error");
        assert_true(str_equal(result.error.message, str_from(cases[i].want)));
    }
}

/* Policies that would run away end within their budgets, each with its own words. */
static void test_budgets(void **state)
{
    (void)state;
    static const struct {
        const char *rules;
        struct rego_eval_options options;
        const char *words;
    } cases[] = {
        {"p := count([1 | numbers.range(1, 9000000)[_]; numbers.range(1, 9000000)[_]])",
         {.steps = 200000},
         "steps"},
        {"p := [x | x := numbers.range(1, 5000000)]", {.memory = 1 << 20}, "memory"},
        {"p := count(numbers.range(1, 1000000000))", {.memory = (size_t)8 << 30}, "steps"},
        {"p if not numbers.range_step(1, 1000000000, 3)", {.memory = (size_t)8 << 30}, "steps"},
        {"xs := numbers.range(1, 1000)\np if { xs[_] + xs[_] + xs[_] == -1 }",
         {.deadline_ms = 20, .steps = UINT64_MAX},
         "ms"},
        {"p := count(numbers.range(1, 1000000000))", {.deadline_ms = 1000, .until_ms = 1}, "ms"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct rego_result result;
        char text[300];
        (void)snprintf(text, sizeof text, "package t\n%s\n", cases[i].rules);
        run(&arena, text, NULL, &cases[i].options, &result);
        assert_string_equal(result.error.code, "eval_cancel_error");
        assert_true(str_find(result.error.message, str_from(cases[i].words), 0) != SIZE_MAX);
    }
}

static void test_errors(void **state)
{
    (void)state;
    static const struct {
        const char *rules, *code, *message;
        unsigned row;
    } cases[] = {
        {"p if { x > 1 }", "rego_unsafe_var_error", "var x is unsafe", 2},
        {"p if q\nq if p", "rego_recursion_error",
         "rule data.t.p is recursive: data.t.p -> data.t.q -> data.t.p", 2},
        {"p := nope(1)", "rego_type_error", "undefined function nope", 2},
        {"p := count(1)", "rego_type_error",
         "count: invalid argument(s): have (number), want (any<string, array[any], object[any: "
         "any], set[any]>)",
         2},
        {"p if 1 == \"a\"", "rego_type_error", "match error: left number, right string", 2},
        {"f(x) := x\np := f(1, 2, 3)", "rego_type_error",
         "function data.t.f has arity 1, got 3 arguments", 3},
        {"p if { x := 1; x := 2 }", "rego_compile_error", "var x assigned above", 2},
        {"p if { some x; true }", "rego_compile_error", "declared var x unused", 2},
        {"p := any([true])", "rego_type_error",
         "deprecated built-in function calls in expression: any", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct rego_diags diags = {.arena = &arena};
        struct rego_policy *policy;
        struct err err = {0};
        char text[300];
        (void)snprintf(text, sizeof text, "package t\n%s\n", cases[i].rules);
        struct rego_source source = {.file = STR("t.rego"), .text = str_from(text)};
        assert_false(rego_compile(&source, 1, NULL, &(struct rego_compile_options){0}, &diags,
                                  &policy, &err));
        assert_true(diags.n >= 1);
        assert_string_equal(diags.diag[0].code, cases[i].code);
        assert_true(str_equal(diags.diag[0].message, str_from(cases[i].message)));
        assert_int_equal(diags.diag[0].row, cases[i].row);
    }
}

/* One query, many threads: each evaluation has its own state. */
struct worker {
    const struct rego_query *query;
    int64_t n;
    bool ok;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    w->ok = true;
    for (int i = 0; i < 50; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct value input = value_int(w->n);
        struct rego_result result;
        struct err err = {0};
        w->ok &=
            rego_eval(w->query, &input, &(struct rego_eval_options){0}, &arena, &result, &err) &&
            result.values.len == 1 && result.values.items[0].items[0].integer == w->n * 2;
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = LIMIT};
    struct rego_policy *policy = compile(&arena, "package t\nf(x) := x + x\np := f(input)\n");
    struct rego_diags diags = {.arena = &arena};
    struct rego_query *query;
    struct err err = {0};
    struct worker worker[4];
    pthread_t thread[4];
    assert_true(rego_prepare(policy, STR("data.t.p"), &diags, &query, &err));
    for (int i = 0; i < 4; i++) {
        worker[i] = (struct worker){query, i, false};
        assert_int_equal(pthread_create(&thread[i], NULL, work, &worker[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_true(worker[i].ok);
    }
    rego_query_close(query);
    rego_close(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),           cmocka_unit_test(test_answers),
        cmocka_unit_test(test_conflict),         cmocka_unit_test(test_builtin_errors),
        cmocka_unit_test(test_refused_builtins), cmocka_unit_test(test_budgets),
        cmocka_unit_test(test_errors),           cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
