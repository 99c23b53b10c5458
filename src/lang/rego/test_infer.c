/* test_infer.c - types that are known before anything runs: what is refused, where, and in which
 * words; and what is let through because nobody can know.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/rego/rego.h"
#include "lang/rego/type.h"
#include "wire/json.h"

enum { LIMIT = 256 << 20 };

/* The only complaint about rules in package t, or NULL; its place is `row`, from 1. */
static const char *complaint(struct arena *arena, const char *rules, unsigned *ret_row,
                             unsigned *ret_col)
{
    struct str text = arena_printf(arena, "package t\n%s\n", rules);
    struct rego_source source = {.file = STR("t.rego"), .text = text};
    struct rego_diags diags = {.arena = arena};
    struct rego_policy *policy;
    struct err err = {0};
    if (rego_compile(&source, 1, NULL, &(struct rego_compile_options){0}, &diags, &policy, &err)) {
        rego_close(policy);
        return NULL;
    }
    if (diags.n != 1 || strcmp(diags.diag[0].code, "rego_type_error") != 0)
        fail_msg("%s: %zu complaints, %s: %.*s", rules, diags.n, diags.diag[0].code,
                 STR_ARG(diags.diag[0].message));
    *ret_row = diags.diag[0].row;
    *ret_col = diags.diag[0].col;
    return arena_dup(arena, diags.diag[0].message).ptr;
}

static void what_cannot_fit_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *rules, *message;
        unsigned row, col;
    } cases[] = {
        /* arguments */
        {"p := count(1)",
         "count: invalid argument(s): have (number), want (any<string, array[any], "
         "object[any: any], set[any]>)",
         2, 6},
        {"p if {\n x := \"a\"\n x + 1 > 2\n}",
         "plus: invalid argument(s): have (string, number), want (number, number)", 4, 2},
        {"p := sum([1, x]) if x := \"a\"",
         "sum: invalid argument(s): have (array<number, string>), want (any<array[number], "
         "set[number]>)",
         2, 6},
        {"p := startswith(upper(1), \"a\")",
         "upper: invalid argument(s): have (number), want (string)", 2, 17},
        {"f(x) := x + 1\np := f(\"a\")",
         "data.t.f: invalid argument(s): have (string), want (number)", 3, 6},
        {"f(x) := {\"b\": g(x), \"a\": object.get(x, 1, 2)}\ng(_) := 1\np := f(true)",
         "data.t.f: invalid argument(s): have (boolean), want (object[any: any])", 4, 6},
        {"f([x, y]) := x + y\np := f([1])",
         "data.t.f: invalid argument(s): have (array<number>), want (array<number, number>)", 3, 6},
        {"p if every x in [1] { count({y | y := 1 + \"a\"}) == x }",
         "plus: invalid argument(s): have (number, string), want (number, number)", 2, 39},
        /* equations */
        {"p if 1 == \"a\"", "match error: left number, right string", 2, 6},
        {"p if [a, \"x\"] = [1, 2]",
         "match error: left array<???, string>, right array<number, "
         "number>",
         2, 6},
        {"q := {\"a\": 1}\np if q == [1]",
         "match error: left object<a: number>, right "
         "array<number>",
         3, 6},
        {"p if {1} == {\"a\"}", "match error: left set[number], right set[string]", 2, 6},
        /* refs */
        {"q := {\"a\": 1}\np := q.b",
         "undefined ref: data.t.q.b: \"b\" is no key of "
         "object<a: number>",
         3, 6},
        {"p if {\n x := 1\n x.y\n}", "undefined ref: x.y: \"y\" is no key of number", 4, 2},
        {"q contains 1\np if q[\"a\"]", "undefined ref: data.t.q.a: \"a\" is no key of set[number]",
         3, 6},
        {"q[k] := 1 if some k in [\"a\"]\np if {\n x := 1\n q[x]\n}",
         "undefined ref: data.t.q[x]: number is no key of object[string: number]", 5, 2},
        {"a.b.c := {\"d\": 1}\np := a.b.c.e",
         "undefined ref: data.t.a.b.c.e: \"e\" is no key of object<d: number>", 3, 6},
        {"q := 1 if input.x\nq := \"a\" if input.y\np := q.z",
         "undefined ref: data.t.q.z: \"z\" is no key of any<number, string>", 4, 6},
        {"q := 1 if input.x else := [1]\np := q.z",
         "undefined ref: data.t.q.z: \"z\" is no key of any<number, array<number>>", 3, 6},
        {"q := {\"a\": 1}\np if every x in input { x == q.c }",
         "undefined ref: data.t.q.c: \"c\" is no key of object<a: number>", 3, 30},
        {"p := io.jwt.decode(input.x)[0].alg[1] + 1 > 0\nq := io.jwt.decode(input.x)[3]",
         "undefined ref: io.jwt.decode(input.x)[3]: 3 is no key of array<object[any: any], "
         "object[any: any], string>",
         3, 6},
        {"q := {\"a\": 1}\np if count(input) > 0 with input as q.b",
         "undefined ref: data.t.q.b: \"b\" is no key of object<a: number>", 3, 37},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        unsigned row = 0, col = 0;
        const char *message = complaint(&arena, cases[i].rules, &row, &col);
        if (!message)
            fail_msg("not refused: %s", cases[i].rules);
        assert_string_equal(message, cases[i].message);
        assert_int_equal(row, cases[i].row);
        assert_int_equal(col, cases[i].col);
    }
}

static void what_nobody_knows_is_let_through(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "p if input.x == 1\nq if input.x == \"a\"",
        "p if { data.other.x.y == 1; data.other[x][y] = x }",
        "p if 1 < \"a\"",                            /* there is an order of all values */
        "p if every x in [1] { x + \"a\" == 2 }",    /* never asked of an empty one */
        "q := {\"a\": 1, input.k: \"b\"}\np := q.z", /* may be that key */
        "q := 1 if input.x\nq := {\"a\": 1} if input.y\np := q.a",
        "q[k] := v if some k, v in input\np := q.a.b.c + 1",
        "p if { some x in [1, \"a\"]; x == \"a\" }",
        "p if x := (1 == \"a\")", /* a value here, no condition */
        "f(x) := x\np := f(1) + f(2)\nq := f(\"a\")",
        "f(x) := 1 if x == 1\nf(x) := 2 if x == \"a\"\np := f(\"b\")",
        "p if { [a, b] = input.x; a == 1; b == \"x\" }",
        "p := [x | some x in input.xs][0].y",
        "p := {k: v | some k, v in input}[\"a\"].b",
        "p := object.get(input, \"a\", {}).b",
        "p if { x := {1, \"a\"}; x[\"a\"] }",
        "p contains x if some x in input\nq if { p[1]; p[\"a\"] }",
        "a.b := 1\na.c := \"x\"\np := a.d", /* data may have it */
        "p if { walk(input, [path, value]); path[0] == \"a\"; value.b }",
        "p := sprintf(\"%v %d\", [input.x, 1])",
        "default p := false\np := {\"a\": 1} if input.x\nq if p.a",
        "p := {}.a",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        unsigned row, col;
        const char *message = complaint(&arena, cases[i], &row, &col);
        if (message)
            fail_msg("%s: %s", cases[i], message);
    }
}

/* What is wrong once is said once, not of everything that asks for it too. */
static void one_mistake_one_complaint(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = LIMIT};
    unsigned row, col;
    const char *said = complaint(&arena,
                                 "q := count(1)\nr := q.a + 1\ns if q == \"x\"\n"
                                 "t := {x | x := q[\"b\"]}",
                                 &row, &col);
    assert_non_null(said);
    assert_int_equal(row, 2);
}

/* A query is checked against the policy; `==` gives false there, and is no mistake. */
static void queries_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        bool ok;
    } cases[] = {
        {"data.t.q.a", true},        {"data.t.q.b", false}, {"1 == \"a\"", true},
        {"x = 1; x = \"a\"", false}, {"count(1)", false},   {"data.t[x].a", true},
        {"data.none.x", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = LIMIT};
        struct rego_source source = {.file = STR("t.rego"),
                                     .text = STR("package t\nq := {\"a\": 1}\n")};
        struct rego_diags diags = {.arena = &arena};
        struct rego_policy *policy;
        struct rego_query *query = NULL;
        struct err err = {0};
        assert_true(rego_compile(&source, 1, NULL, &(struct rego_compile_options){0}, &diags,
                                 &policy, &err));
        bool ok = rego_prepare(policy, str_from(cases[i].query), &diags, &query, &err);
        if (ok != cases[i].ok)
            fail_msg("%s", cases[i].query);
        if (ok)
            rego_query_close(query);
        rego_close(policy);
    }
}

/* Types that double with each rule, and those that only grow: any, in place of hours. */
static void checking_is_bounded(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = LIMIT};
    AUTO_BUF rules = {.limit = 1 << 20};
    unsigned row, col;
    buf_str(&rules, STR("a0 := [1]\nb0 := [input.x]\n"));
    for (unsigned i = 1; i < 200; i++)
        buf_printf(&rules, "a%u := [a%u, a%u, {a%u}]\nb%u := [b%u, b%u, {b%u}]\n", i, i - 1, i - 1,
                   i - 1, i, i - 1, i - 1, i - 1);
    buf_str(&rules, STR("p if a199 == b199\n"));
    buf_char(&rules, '\0');
    assert_null(complaint(&arena, rules.ptr, &row, &col));
}

static void unions_and_parts(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = LIMIT};
    struct rego_typing t = {.arena = &arena, .steps_left = 10000};
    const struct rego_type *number = rego_type_scalar(REGO_NUMBER);
    const struct rego_type *text = rego_type_scalar(REGO_STRING);
    const struct rego_type *both = rego_type_or(&t, text, number);
    AUTO_BUF out = {.limit = 1000};
    rego_type_text(&out, rego_type_or(&t, rego_type_set(&t, both), both));
    assert_true(str_equal(buf_view(&out), STR("any<number, string, set[any<number, string>]>")));
    assert_ptr_equal(rego_type_or(&t, both, number), both);
    assert_ptr_equal(rego_type_or(&t, both, &rego_any), &rego_any);
    assert_true(rego_type_unifies(&t, both, text));
    assert_false(rego_type_unifies(&t, both, rego_type_scalar(REGO_NULL)));
    assert_false(rego_type_unifies(&t, NULL, text));
    const struct rego_type *map = rego_type_map(&t, text, number);
    struct value key = value_string(STR("k")), one = value_int(1);
    assert_ptr_equal(rego_type_select(&t, map, &key), number);
    assert_null(rego_type_select(&t, map, &one));
    assert_ptr_equal(rego_type_keys(&t, map), text);
    assert_true(rego_type_unknown(&t, rego_type_set(&t, NULL)));
    t.steps_left = 0; /* spent: everything fits */
    assert_true(rego_type_unifies(&t, number, text));
    assert_ptr_equal(rego_type_set(&t, number), &rego_any);
}

/* --- schemas --- */

static struct value json(struct arena *arena, const char *text)
{
    struct value v = {0};
    assert_true(json_parse(arena, str_from(text), "schema", JSON_DEFAULT, &v, NULL));
    return v;
}

#define TREE \
    "{\"type\": \"object\", \"properties\": {\"name\": {\"type\": \"string\"}, " \
    "\"kids\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/definitions/t~1ree\"}}}}"
#define SCHEMA \
    "{\"properties\": {\"user\": {\"type\": \"string\"}, \"age\": {\"type\": [\"null\", " \
    "\"integer\"]}, \"free\": {}, \"pair\": {\"items\": [{\"type\": \"string\"}, true]}, " \
    "\"tree\": {\"$ref\": \"#/definitions/t~1ree\"}, \"lost\": {\"$ref\": \"#/nowhere\"}, " \
    "\"alt\": {\"anyOf\": [{\"type\": \"string\"}, {\"properties\": {\"k\": {\"type\": " \
    "\"number\"}}}]}, \"both\": {\"allOf\": [{\"properties\": {\"a\": {\"type\": " \
    "\"string\"}}}, {\"type\": \"object\", \"properties\": {\"b\": {\"type\": " \
    "\"number\"}}}]}, \"self\": {\"$ref\": \"#\"}}, \"definitions\": {\"t/ree\": " TREE "}}"

/* The rows of what is refused, as bits. */
static unsigned refused_rows(const char *rules, bool of_input)
{
    AUTO_ARENA arena = {.limit = LIMIT};
    struct value root[] = {value_string(STR("schema"))};
    struct value named[] = {root[0], value_string(STR("acl")), value_string(STR("rule-1"))};
    const struct rego_schema schemas[] = {
        {value_items(VALUE_TUPLE, named, 3),
         json(&arena, "{\"type\": \"object\", \"properties\": {\"ok\": {\"type\": "
                      "\"boolean\"}}}")},
        {value_items(VALUE_TUPLE, root, 1), json(&arena, SCHEMA)},
    };
    struct rego_source source = {.file = STR("t.rego"), .text = str_from(rules)};
    struct rego_compile_options how = {.schema = schemas, .nschemas = of_input ? 2 : 1};
    struct rego_diags diags = {.arena = &arena};
    struct rego_policy *policy;
    struct err err = {0};
    unsigned rows = 0;
    if (rego_compile(&source, 1, NULL, &how, &diags, &policy, &err)) {
        rego_close(policy);
        return 0;
    }
    for (size_t i = 0; i < diags.n; i++) {
        assert_string_equal(diags.diag[i].code, "rego_type_error");
        rows |= 1u << diags.diag[i].row;
    }
    return rows;
}

static void input_is_of_its_schema(void **state)
{
    (void)state;
    assert_int_equal(refused_rows("package t\n"
                                  "a if input.user == \"x\"\n"
                                  "b if input.age > 3\n"
                                  "c if input.free.x.y == 1\n"
                                  "d if input.tree.kids[_].kids[0].name == \"x\"\n"
                                  "e if input.alt.k == 1\n"
                                  "f if input.both.a == \"x\"\n"
                                  "g if input.both.b == 1\n"
                                  "h if input.pair[1].anything\n"
                                  "i if input.tree == input.tree.kids[0]\n"
                                  "j if input.lost.x\n"
                                  "k if input.self.self.user == \"x\"\n"
                                  "l if input.self == input.self.self\n",
                                  true),
                     0);
    assert_int_equal(refused_rows("package t\n"
                                  "a if input.usr == \"x\"\n"
                                  "b if input.user == 1\n"
                                  "c if input.age == \"x\"\n"
                                  "d if input.tree.kids[_].kids[0].nam\n"
                                  "e if input.alt.z == 1\n"
                                  "f if input.both.c\n"
                                  "g if input.pair[2]\n"
                                  "h if input.self.self.usr\n",
                                  true),
                     0x3fcu);
}

static void annotations_say_of_what_schema(void **state)
{
    (void)state;
    static const char rules[] =
        "# METADATA\n# scope: subpackages\n# schemas:\n# - input: schema.acl[\"rule-1\"]\n"
        "package t\n"
        "a if input.ok == 1\n" /* 6 */
        "# METADATA\n# schemas:\n# - input.more: {type: string}\n"
        "b if { input.more == 1; input.ok }\n" /* 10 */
        "# METADATA\n# scope: document\n# schemas:\n# - data.d: {properties: {z: {}}}\n"
        "c if data.d.y\n" /* 15 */
        "c if data.d.x\n" /* 16 */
        "d if data.d.y\n" /* 17 */
        "# METADATA\n# schemas:\n# - input: schema.none\n"
        "e if input.ok\n"         /* 21 */
        "f if input.more == 1\n"; /* 22 */
    assert_int_equal(refused_rows(rules, false),
                     1u << 6 | 1u << 10 | 1u << 15 | 1u << 16 | 1u << 21 | 1u << 22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_fit_is_refused),
        cmocka_unit_test(what_nobody_knows_is_let_through),
        cmocka_unit_test(one_mistake_one_complaint),
        cmocka_unit_test(queries_are_checked),
        cmocka_unit_test(checking_is_bounded),
        cmocka_unit_test(unions_and_parts),
        cmocka_unit_test(input_is_of_its_schema),
        cmocka_unit_test(annotations_say_of_what_schema),
    };
    return cmocka_run_group_tests_name("lang/rego/infer", tests, NULL, NULL);
}
