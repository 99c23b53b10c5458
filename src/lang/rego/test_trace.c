/* test_trace.c - the events of an evaluation, a line for each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/rego/rego.h"

static void write_event(void *ctx, const struct rego_event *event)
{
    static const char *const names[] = {"Enter", "Eval", "Fail", "Exit", "Note"};
    for (unsigned d = 0; d < event->depth; d++)
        buf_str(ctx, STR("  "));
    buf_printf(ctx, "%s %.*s\n", names[event->kind], STR_ARG(event->text));
}

static const struct {
    const char *says, *rules, *want; /* of data.t.p */
} cases[] = {
    {"a value", "p if 1 < 2", "Enter p\n  Eval 1 < 2\nExit p\n"},
    {"the first of two fails", "p if {\n 1 > 2\n 3 > 2\n}",
     "Enter p\n  Eval 1 > 2\n  Fail 1 > 2\n"},
    {"the last one fails", "p if {\n 1 < 2\n 3 < 2\n}",
     "Enter p\n  Eval 1 < 2\n  Eval 3 < 2\n  Fail 3 < 2\n"},
    {"each way is looked at", "p if {\n some x in [1, 2]\n x > 1\n}",
     "Enter p\n  Eval some x in [1, 2]\n  Eval x > 1\n  Fail x > 1\n  Eval x > 1\nExit p\n"},
    {"a rule within a rule", "p if q\nq if 1 > 2",
     "Enter p\n  Eval q\n  Enter q\n    Eval 1 > 2\n    Fail 1 > 2\n  Fail q\n"},
    {"a value of false", "p if q\nq := false if 1 < 2",
     "Enter p\n  Eval q\n  Enter q := false\n    Eval 1 < 2\n  Exit q := false\n  Fail q\n"},
    {"a comprehension's own", "p if count([x | some x in [1]; x > 1]) > 0",
     "Enter p\n  Eval count([x | some x in [1]; x > 1]) > 0\n  Eval some x in [1]\n  Eval x > 1\n"
     "  Fail x > 1\n  Fail count([x | some x in [1]; x > 1]) > 0\n"},
    {"what is negated", "p if not 1 > 2", "Enter p\n  Eval not 1 > 2\nExit p\n"},
    {"a note", "p if trace(\"here\")", "Enter p\n  Eval trace(\"here\")\n  Note here\nExit p\n"},
    {"the next of a chain", "p := 1 if 1 > 2 else := 2 if 2 > 1",
     "Enter p := 1\n  Eval 1 > 2\n  Fail 1 > 2\nEnter else := 2\n  Eval 2 > 1\nExit else := 2\n"},
    {"with", "p if q with input as 1\nq if input > 1",
     "Enter p\n  Eval q with input as 1\n  Enter q\n    Eval input > 1\n    Fail input > 1\n"
     "  Fail q with input as 1\n"},
};

/* data.t.p, its rules told of as they are gone through. */
static void trace_rules(struct arena *arena, struct str rules, struct buf *ret,
                        struct rego_result *ret_result)
{
    struct rego_diags diags = {.arena = arena};
    struct rego_source source = {.file = STR("t.rego"),
                                 .text = arena_printf(arena, "package t\n%.*s\n", STR_ARG(rules))};
    const struct rego_compile_options how = {.coverage = true, .unindexed = true};
    const struct rego_trace trace = {write_event, ret};
    const struct rego_eval_options options = {.trace = &trace};
    struct rego_policy *policy;
    struct rego_query *query;
    struct err err = {0};
    assert_true(rego_compile(&source, 1, NULL, &how, &diags, &policy, &err));
    assert_true(rego_prepare(policy, STR("data.t.p"), &diags, &query, &err));
    assert_true(rego_eval(query, NULL, &options, arena, ret_result, &err));
    rego_query_close(query);
    rego_close(policy);
}

static void events_of_each_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 16 << 20};
        AUTO_BUF got = {.limit = 1 << 16};
        struct rego_result result;
        trace_rules(&arena, str_from(cases[i].rules), &got, &result);
        if (!str_equal(buf_view(&got), str_from(cases[i].want)))
            fail_msg("%s: want\n%s got\n%.*s", cases[i].says, cases[i].want,
                     STR_ARG(buf_view(&got)));
    }
}

/* Each expression of a body is told of within the one before it. */
static void a_body_too_long_to_tell_of_is_an_error(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 256 << 20};
    AUTO_BUF rules = {.limit = 4 << 20}, got = {.limit = 16 << 20};
    struct rego_result result = {0};
    buf_str(&rules, STR("p if {\n"));
    for (int i = 0; i < 200000; i++)
        buf_str(&rules, STR("true\n"));
    buf_str(&rules, STR("}"));
    trace_rules(&arena, buf_view(&rules), &got, &result);
    assert_string_equal(result.error.code, "eval_cancel_error");
    assert_true(
        str_equal(result.error.message, STR("the evaluation is nested too deep to be told of")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(events_of_each_case),
                                       cmocka_unit_test(a_body_too_long_to_tell_of_is_an_error)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
