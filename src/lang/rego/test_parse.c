/* test_parse.c - Rego texts to modules: shapes of heads and bodies, errors with their places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/ast.h"

static struct rego_module *parse(struct arena *arena, const char *text, bool v0)
{
    struct rego_diags diags = {.arena = arena};
    struct rego_parse_options options = {.v0 = v0};
    struct rego_module *module;
    if (!rego_parse_module(arena, str_from(text), STR("t.rego"), &options, &diags, &module))
        fail_msg("%s: %u:%u: %.*s", text, diags.diag[0].row, diags.diag[0].col,
                 STR_ARG(diags.diag[0].message));
    return module;
}

static void test_heads(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        enum rego_head_kind kind;
        size_t nref;
        bool v0;
    } cases[] = {
        {"p := 1", REGO_HEAD_COMPLETE, 1, false},
        {"p if true", REGO_HEAD_COMPLETE, 1, false},
        {"a.b.c := 1", REGO_HEAD_COMPLETE, 3, false},
        {"p contains 1", REGO_HEAD_SET, 1, false},
        {"p contains x if { x := 1 }", REGO_HEAD_SET, 1, false},
        {"p[x] := 1 if x := 2", REGO_HEAD_OBJECT, 2, false},
        {"p[x] if x := 2", REGO_HEAD_OBJECT, 2, false},
        {"f(x) := x", REGO_HEAD_FUNCTION, 1, false},
        {"else.foo := 1", REGO_HEAD_COMPLETE, 2, false},
        {"default p := {1, 2}", REGO_HEAD_COMPLETE, 1, false},
        {"p[x] { x := 1 }", REGO_HEAD_SET, 1, true},
        {"p[x] = y { x := 1; y := 2 }", REGO_HEAD_OBJECT, 2, true},
        {"p { true } else = 2 { true }", REGO_HEAD_COMPLETE, 1, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        char text[200];
        (void)snprintf(text, sizeof text, "package t\n%s\n", cases[i].rule);
        struct rego_module *module = parse(&arena, text, cases[i].v0);
        assert_int_equal(module->nrules, 1);
        assert_int_equal(module->rules[0]->head.kind, cases[i].kind);
        assert_int_equal(module->rules[0]->head.nref, cases[i].nref);
    }
}

static void test_bodies(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct rego_module *module =
        parse(&arena,
              "package t\np if {}\nq if { x := 1\n x\n + 1 == 2; some y in [x] }\n"
              "r if {1} {2}\ns := [x | x := 1]\nu := {1 | 2}\nv if a.b with input as 1\n",
              false);
    assert_int_equal(module->nrules, 7);
    assert_int_equal(module->rules[0]->body->expr[0]->term->kind, REGO_TERM_OBJECT);
    assert_int_equal(module->rules[1]->body->n, 3);
    assert_int_equal(module->rules[1]->body->expr[2]->kind, REGO_EXPR_SOME);
    assert_int_equal(module->rules[4]->head.value->kind, REGO_TERM_ARRAY_COMPREHENSION);
    assert_int_equal(module->rules[5]->head.value->kind, REGO_TERM_SET_COMPREHENSION);
    assert_int_equal(module->rules[6]->body->expr[0]->nwith, 1);
}

static void test_terms(void **state)
{
    (void)state;
    static const struct {
        const char *term, *text;
    } cases[] = {
        {"1 + 2 * 3 - 4", "1 + 2 * 3 - 4"},
        {"a.b[\"c d\"][x](1, [2,])", "a.b[\"c d\"][x](1, [2])"},
        {"1 in [1] == true", "internal.member_2(1, [1] == true)"},
        {"(1, 2 in xs)", "internal.member_3(1, 2, xs)"},
        {"-1.50", "-1.50"},
        {"-x", "0 - x"},
        {"set()", "set()"},
        {"[1](2)", "[1](2)"},
        {"f(1).g(2)", "f(1).g(2)"},
        {"{1: {2, 3}, \"a\": {}}", "{1: {2, 3}, \"a\": {}}"},
        {"`a\\n`", "\"a\\\\n\""},
        {"\"\\u00e9\\ud83d\\ude00\"", "\"\xc3\xa9\xf0\x9f\x98\x80\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        AUTO_BUF out = {.limit = 1 << 16};
        struct rego_diags diags = {.arena = &arena};
        struct rego_parse_options options = {0};
        struct rego_body *body;
        assert_true(
            rego_parse_query(&arena, str_from(cases[i].term), STR("q"), &options, &diags, &body));
        rego_term_text(&out, body->expr[0]->term);
        buf_char(&out, '\0');
        assert_string_equal(out.ptr, cases[i].text);
    }
}

static void test_errors(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned row, col;
        const char *message;
    } cases[] = {
        {"# nothing\n", 0, 0, "empty module"},
        {"package t\np { true }\n", 2, 1, "`if` keyword is required before rule body"},
        {"package t\np if {\n\tinput.a input.b\n}\n", 3, 10,
         "unexpected identifier token: expected \\n or ; or }"},
        {"package t\np := \"a\\qb\"\n", 2, 6, "illegal escape sequence"},
        {"package t\np if { not some x in [1] }\n", 2, 12,
         "unexpected some keyword: illegal negation of 'some'"},
        {"package t\np := [1, 2\nq := 1\n", 3, 1,
         "unexpected identifier token: expected \",\" or \"]\""},
        {"package t\np := 1 else := 2 if false\n", 2, 8, "unexpected else keyword"},
        {"package t\np if false else := 1 else := 2\n", 2, 22, "unexpected else keyword"},
        {"package t\np if \"a\"(1)\n", 2, 6, "illegal ref (head cannot be string)"},
        {"package t\np if `a`.b(1)\n", 2, 6, "illegal ref (head cannot be string)"},
        {"package t\np if $\"a\".b\n", 2, 6, "illegal ref (head cannot be templatestring)"},
        {"package t\np if f(1)(2)\n", 2, 10, "unexpected ( token"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct rego_diags diags = {.arena = &arena};
        struct rego_parse_options options = {0};
        struct rego_module *module;
        assert_false(rego_parse_module(&arena, str_from(cases[i].text), STR("t.rego"), &options,
                                       &diags, &module));
        assert_int_equal(diags.n, 1);
        assert_int_equal(diags.diag[0].row, cases[i].row);
        assert_int_equal(diags.diag[0].col, cases[i].col);
        assert_true(str_equal(diags.diag[0].message, str_from(cases[i].message)));
    }
}

/* Hostile nesting ends with an error or a tree, in time and without a crash. */
static void test_nesting(void **state)
{
    (void)state;
    static const char *const opening[] = {
        "[", "{", "(", "{1: ", "[x | x := ", "f(", "$\"{", "{x | not {"};
    for (size_t i = 0; i < 2 * (sizeof opening / sizeof *opening); i++) {
        AUTO_ARENA arena = {.limit = 256 << 20};
        AUTO_BUF text = {.limit = 1 << 20};
        struct rego_diags diags = {.arena = &arena};
        struct rego_parse_options options = {0};
        struct rego_module *module;
        buf_str(&text, STR("package t\np := "));
        for (int n = 0; n < (i % 2 ? 3000 : 300); n++)
            buf_str(&text, str_from(opening[i / 2]));
        buf_str(&text, STR("1 2"));
        assert_false(
            rego_parse_module(&arena, buf_view(&text), STR("t.rego"), &options, &diags, &module));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),  cmocka_unit_test(test_bodies),  cmocka_unit_test(test_terms),
        cmocka_unit_test(test_errors), cmocka_unit_test(test_nesting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
