/* test_format.c - rego_format(): a row is a text and the form of `opa fmt` 1.19.1 for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/rego/format.h"

enum mode { V1, V0, V0_V1 };

static const struct {
    const char *says;
    enum mode mode;
    const char *text, *want;
} cases[] = {
    {"blanks, groups of imports in order", V1,
     "package   a\nimport data.c # c\nimport data.b\n\nimport input.x as y\np   :=  1",
     "package a\n\nimport data.b\nimport data.c # c\n\nimport input.x as y\n\np := 1\n"},
    {"a rule of one literal stays on its line", V1,
     "package a\np if { input.x }\nq if {\n input.y }",
     "package a\n\np if input.x\nq if {\n\tinput.y\n}\n"},
    {"what is only true has no body", V1, "package a\np if true\nf(1) := 2 if { true }",
     "package a\n\np := true\nf(1) := 2\n"},
    {"lines of a collection stay lines, with a last comma", V1,
     "package a\np := [1,\n 2, 3]\nq := [\n1, 2]\nr := {\"a\":1,\n\"b\":{2,3}}",
     "package a\n\np := [\n\t1,\n\t2, 3,\n]\n\nq := [\n\t1, 2,\n]\n\nr := {\n\t\"a\": 1,\n\t\"b\": "
     "{2, 3},\n}\n"},
    {"operands that are infix are put in parentheses", V1,
     "package a\np := 1 + 2*3 == 7\nq := {(x | y)}",
     "package a\n\np := (1 + (2 * 3)) == 7\nq := {(x | y)}\n"},
    {"comments stay where they are", V1,
     "# top\npackage a\n\n# of p\np if { # open\n  x := [1, # one\n  2]\n\n\n  # two\n  x # x\n  # "
     "last\n}\n# end",
     "# top\npackage a\n\n# of p\np if { # open\n\tx := [\n\t\t1, # one\n\t\t2,\n\t]\n\n\t# "
     "two\n\tx # x\n\t# last\n}\n\n# end\n"},
    {"a comment without a place keeps its term as it was", V1, "package a\np := [\n  # why\n  1 ]",
     "package a\n\np := [\n  # why\n  1 ]\n"},
    {"else on its line and below", V1,
     "package a\np := 1 if { input.a } else := 2 if { input.b }\nelse := 3",
     "package a\n\np := 1 if input.a\n\nelse := 2 if input.b\n\nelse := 3\n"},
    {"comprehensions, every, some, with", V1,
     "package a\np if {\n every x in [ y|y:=1;y ] {x; y with input as 1 with data.x as 2}\n some "
     "i,j\n some k , v in z }",
     "package a\n\np if {\n\tevery x in [y | y := 1; y] { x; y with input as 1 with data.x as "
     "2}\n\tsome i, j\n\tsome k, v in z\n}\n"},
    {"names in refs", V1, "package a\np := x[\"b\"][\"c-d\"][\"if\"].in\nq.r := 1",
     "package a\n\np := x.b[\"c-d\"][\"if\"].in\nq[\"r\"] := 1\n"},
    {"v0 stays v0", V0, "package a\np[x]{x=1}{x=2}\nf(x)=y{y:=x}\ndefault q=false",
     "package a\n\np[x] {\n\tx = 1\n}\n\np[x] {\n\tx = 2\n}\n\nf(x) = y {\n\ty := x\n}\n\ndefault "
     "q = false\n"},
    {"v0 to what both read", V0_V1, "package a\nimport future.keywords.in\np[x]{x=1}\nf(x)=y{y:=x}",
     "package a\n\nimport rego.v1\n\np contains x if x = 1\nf(x) := y if y := x\n"},
    {"template strings", V1, "package a\np := $\"a {x+1} \\{b}\"",
     "package a\n\np := $\"a {x + 1} \\{b}\"\n"},
    {"keys of heads as terms write themselves", V1,
     "package a\np[$\"{ x }\"] := 1 if { x := 2 }\nq[(x+1)*2] := 1 if { x := 2 }",
     "package a\n\np[$\"{x}\"] := 1 if x := 2\nq[mul(plus(x, 1), 2)] := 1 if x := 2\n"},
    {"strings and numbers as written", V1, "package a\np := [\"\\u00e9\", `r\\aw`, 1.50, 1e3, -7]",
     "package a\n\np := [\"\\u00e9\", `r\\aw`, 1.50, 1e3, -7]\n"},
};

static struct rego_format_options options_of(enum mode mode)
{
    return (struct rego_format_options){.v0 = mode != V1, .to_v1 = mode == V0_V1};
}

static void test_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 4 << 20};
        struct rego_diags diags = {.arena = &arena};
        struct rego_format_options options = options_of(cases[i].mode);
        struct err err = {0};
        struct str got;
        print_message("  %s\n", cases[i].says);
        if (!rego_format(&arena, str_from(cases[i].text), STR("t.rego"), &options, &diags, &got,
                         &err))
            fail_msg("%s", diags.n ? diags.diag[0].message.ptr : err.frame[0]);
        if (!str_equal(got, str_from(cases[i].want)))
            fail_msg("got:\n%.*s\nwant:\n%s", STR_ARG(got), cases[i].want);
    }
}

/* The form of a form is the form itself. */
static void test_form_is_final(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 4 << 20};
        struct rego_diags diags = {.arena = &arena};
        struct rego_format_options options = options_of(cases[i].mode);
        struct err err = {0};
        struct str want = str_from(cases[i].want), got;
        assert_true(rego_format(&arena, want, STR("t.rego"), &options, &diags, &got, &err));
        assert_true(str_equal(got, want));
    }
}

static void test_refuses(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 4 << 20};
    struct rego_diags diags = {.arena = &arena};
    struct rego_format_options options = {0};
    struct err err = {0};
    struct str got = STR("untouched");
    assert_false(
        rego_format(&arena, STR("package a\np {"), STR("t"), &options, &diags, &got, &err));
    assert_int_equal(diags.n, 1);
    assert_int_equal(diags.diag[0].row, 2);
    diags.n = 0;
    /* An operator called with another count of operands has no form. */
    assert_false(rego_format(&arena, STR("package a\np := [plus(1)]"), STR("t.rego"), &options,
                             &diags, &got, &err));
    assert_int_equal(diags.n, 0);
    assert_int_equal(err.kind, ERR_SYNTAX);
    assert_true(str_equal(got, STR("untouched")));
}

static void test_equal(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } pairs[] = {
        {"p := 1", "p =   1", true},
        {"p if true", "p := true", true},
        {"p if { x == _ }", "p if x == _", true},
        {"p if { x == 1 }", "p if x == 2", false},
        {"p := 1.0", "p := 1", false},
        {"p if internal.member_2(1, x)", "p if 1 in x", true},
        {"p if plus(1, 2, x)", "p if x = 1 + 2", true},
        {"p if not x", "p if x", false},
        {"p if x with input as 1", "p if x with input as 2", false},
        {"p := 1 if x else := 2", "p := 1 if x else := 3", false},
        {"p contains 1", "p contains 2", false},
        {"p if every x in y { x }", "p if every x in y { y }", false},
        {"f(x) := x", "f(y) := y", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        AUTO_ARENA arena = {.limit = 4 << 20};
        struct rego_diags diags = {.arena = &arena};
        struct rego_parse_options how = {0};
        struct rego_module *a, *b;
        struct str x = arena_printf(&arena, "package t\n%s", pairs[i].a);
        struct str y = arena_printf(&arena, "package t\n%s", pairs[i].b);
        assert_true(rego_parse_module(&arena, x, STR("a"), &how, &diags, &a));
        assert_true(rego_parse_module(&arena, y, STR("b"), &how, &diags, &b));
        print_message("  %s / %s\n", pairs[i].a, pairs[i].b);
        assert_int_equal(rego_modules_equal(a, b), pairs[i].equal);
    }
}

static void formatting_ends_in_time(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 256 << 20};
    AUTO_BUF text = {.limit = 16 << 20};
    struct rego_diags diags = {.arena = &arena};
    struct err err = {0};
    struct str ret;
    int cancel = 0;
    struct rego_format_options how = {.clock = {INT64_MAX, &cancel}};
    buf_str(&text, STR("package a\n"));
    for (int i = 0; i < 2000; i++)
        buf_printf(&text, "p%d := [1,2]\n", i);
    assert_true(rego_format(&arena, buf_view(&text), STR("a.rego"), &how, &diags, &ret, &err));
    cancel = 1;
    assert_false(rego_format(&arena, buf_view(&text), STR("a.rego"), &how, &diags, &ret, &err));
    assert_int_equal(diags.n, 0);
    assert_int_equal(err.kind, ERR_LIMIT);
    how.clock = (struct rego_parse_clock){.until_ms = 1}; /* long ago */
    err = (struct err){0};
    assert_false(rego_format(&arena,
                             STR("package a\np := [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]"),
                             STR("a.rego"), &how, &diags, &ret, &err));
    char why[300];
    assert_string_equal(err_text(&err, why, sizeof why),
                        "a.rego: formatting takes longer than it may, or was cancelled: split the "
                        "file, or give it more time with --timeout");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form), cmocka_unit_test(test_form_is_final),
        cmocka_unit_test(test_refuses), cmocka_unit_test(test_equal),
        cmocka_unit_test(formatting_ends_in_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
