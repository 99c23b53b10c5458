/* test_cover.c - coverage: a letter for each line of a policy after a query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/rego/cover.h"

/* '.' nothing to cover, 'c' covered, 'm' missed, 'p' both */
static const struct {
    const char *says, *text, *query, *want;
} cases[] = {
    {"what is not asked for is missed", "package a\np := 1\nq := 2", "data.a.p", ".cm"},
    {"a body stops where it fails; its head is missed",
     "package a\np if {\n 1 == 1\n input.x\n input.y\n}", "data.a.p", ".mccm."},
    {"a default that is not used is missed", "package a\ndefault p := 1\np := 2 if true",
     "data.a.p", ".mc"},
    {"a default that is used", "package a\ndefault p := 1\np := 2 if input.x", "data.a.p", ".cp"},
    {"else", "package a\nf(x) := 1 if x > 1\nelse := 2 if {\n x == 1\n} else := 3", "data.a.f(1)",
     ".pccm"},
    {"lines of one expression go together", "package a\np := x if {\n x := [\n  1,\n 2]\n}",
     "data.a.p", ".cccc."},
    {"some declares, and counts where it finds",
     "package a\np if {\n some x in [1]\n some y\n x = y\n}", "data.a.p", ".cc.c."},
    {"inner bodies count for themselves",
     "package a\np := [x |\n x := 1\n input.y\n]\nq if {\n every z in [] {\n  z\n }\n}",
     "data.a.p; data.a.q", ".cccccccc."},
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 8 << 20};
        struct rego_source source = {.file = STR("t.rego"), .text = str_from(cases[i].text)};
        struct rego_compile_options how = {.coverage = true};
        struct rego_diags diags = {.arena = &arena};
        struct rego_policy *policy;
        struct rego_query *query;
        struct rego_result result;
        struct rego_cover_report *report;
        struct err err = {0};
        char got[64] = {0};
        size_t n;
        print_message("  %s\n", cases[i].says);
        assert_true(rego_compile(&source, 1, NULL, &how, &diags, &policy, &err));
        uint64_t *counters = arena_new(&arena, uint64_t, rego_cover_count(policy) + 1);
        struct rego_eval_options options = {.coverage = counters};
        assert_true(rego_prepare(policy, str_from(cases[i].query), &diags, &query, &err));
        assert_true(rego_eval(query, NULL, &options, &arena, &result, &err));
        assert_true(rego_cover_reports(&arena, policy, counters, &report, &n));
        assert_int_equal(n, 1);
        for (uint32_t row = 1; row <= report->nlines; row++)
            got[row - 1] = ".cmp"[report->line[row]];
        assert_string_equal(got, cases[i].want);
        rego_query_close(query);
        rego_close(policy);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
