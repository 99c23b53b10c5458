/* test_mutate.c - mutants of rules: which there are, and which of them tests notice. */
#include "base/test.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "policy/mutate.h"

enum { MEMORY = 16 << 20 };

#define RULE(when) \
    "version: 1\nrules:\n  - id: r\n    title: T\n    match: {type: a}\n    decision: block\n    " \
    "when: " when "\n"
#define TEST(values, expect) \
    "  - {rule: r, resource: {type: a, values: " values "}, expect: " expect "}\n"
/* Every rule has a `match` to leave out; this test notices. */
#define OTHER(values) \
    "  - {rule: r, name: other, resource: {type: b, values: " values "}, expect: no-match}\n"

struct world {
    struct rules rules;
    struct rule_mutants mutants;
};

static bool run(struct arena *arena, const char *rules, const char *tests, struct world *ret,
                struct err *err)
{
    struct rule_problems problems = {.arena = arena};
    struct rule_tests read = {0};
    return rules_read(&ret->rules, arena, str_from(rules), STR("r.yaml"), STR(""), &problems,
                      err) &&
           rule_tests_read(&read, arena, &ret->rules, str_from(tests), STR("r_test.yaml"),
                           &problems, err) &&
           rule_mutants_run(arena, &ret->rules, &read, &ret->mutants, err);
}

static const struct {
    const char *says, *rules, *tests;
    const char *unnoticed; /* texts, joined by "|" */
} cases[] = {
    {"both ways are tested", RULE("{path: x, equals: 1}"),
     "tests:\n" TEST("{x: 1}", "match") TEST("{x: 2}", "no-match") OTHER("{x: 1}"), ""},
    {"no match that fails is tested", RULE("{path: x, equals: 1}"),
     "tests:\n" TEST("{x: 1}", "match") OTHER("{x: 1}"), "x equals 1: left out"},
    {"only one of two paths is tested", RULE("{path: [x, y], equals: 1}"),
     "tests:\n" TEST("{x: 1}", "match") TEST("{}", "no-match") OTHER("{x: 1}"),
     "y equals 1: left out"},
    {"a value counts for all paths", RULE("{path: [x, y], in: [1, 2]}"),
     "tests:\n" TEST("{x: 1}", "match") TEST("{y: 2}", "match") TEST("{}", "no-match")
         OTHER("{x: 1}"),
     ""},
    {"a bound is tested on one side", RULE("{path: x, at_most: 22}"),
     "tests:\n" TEST("{x: 22}", "match") TEST("{x: 99}", "no-match") OTHER("{x: 1}"),
     "x at_most 22: one more"},
    {"a group that nothing distinguishes",
     RULE("{all: [{path: x, equals: 1}, {none: [{path: y, equals: 2}]}]}"),
     "tests:\n" TEST("{x: 1}", "match") TEST("{x: 2}", "no-match") OTHER("{x: 1}"),
     "none of 1: left out|y equals 2: left out"},
    {"below a JSON text", RULE("{path: p, json: {path: x, exists: true}}"),
     "tests:\n" TEST("{p: '{\"x\": 1}'}", "match") TEST("{p: '{}'}", "no-match")
         OTHER("{p: '{\"x\": 1}'}"),
     ""},
};

static void what_no_test_notices_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = MEMORY};
        AUTO_BUF text = {.limit = MEMORY};
        struct world w = {0};
        struct err err = {0};
        print_message("  %s\n", cases[i].says);
        if (!run(&arena, cases[i].rules, cases[i].tests, &w, &err))
            fail_msg("%s", err.frame[0]);
        for (size_t k = 0; k < w.mutants.n; k++)
            if (!w.mutants.item[k].noticed)
                buf_printf(&text, "%s%.*s", text.len ? "|" : "", STR_ARG(w.mutants.item[k].text));
        assert_int_equal(text.len, strlen(cases[i].unnoticed));
        assert_memory_equal(text.len ? text.ptr : "", cases[i].unnoticed, text.len);
        rules_close(&w.rules);
    }
}

static void tests_that_fail_as_they_are_are_an_error(void **state)
{
    AUTO_ARENA arena = {.limit = MEMORY};
    struct world w = {0};
    struct err err = {0};
    (void)state;
    assert_false(
        run(&arena, RULE("{path: x, equals: 1}"), "tests:\n" TEST("{x: 2}", "match"), &w, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_non_null(strstr(err.frame[0], "r_test.yaml:2:5: r: line 2: want match"));
    rules_close(&w.rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_test_notices_is_told),
        cmocka_unit_test(tests_that_fail_as_they_are_are_an_error),
    };
    return cmocka_run_group_tests_name("policy/mutate", tests, NULL, NULL);
}
