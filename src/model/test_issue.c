/* test_issue.c - order, fingerprints, exit codes and names of rules. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "model/issue.h"

static struct issue at(const char *file, uint32_t line, const char *rule, const char *excerpt)
{
    return (struct issue){.kind = ISSUE_ERROR,
                          .rule = str_from(rule),
                          .at = {.file = str_from(file), .line = line},
                          .excerpt = str_from(excerpt)};
}

static void issues_are_sorted_and_said_once(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct issue issues[] = {at("b.tf", 1, "x", "l"), at("a.tf", 9, "y", "l"),
                             at("a.tf", 2, "z", "l"), at("a.tf", 9, "y", "l")};
    size_t n = 4;
    assert_true(issues_settle(&arena, issues, &n, NULL));
    assert_int_equal(n, 3);
    assert_int_equal(issues[0].at.line, 2);
    assert_int_equal(issues[1].at.line, 9);
    assert_true(str_equal(issues[2].at.file, STR("b.tf")));
}

static void a_fingerprint_moves_with_its_line(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct issue before[] = {at("a.tf", 5, "x", "  v = 1"), at("a.tf", 7, "x", "  v = 1"),
                             at("a.tf", 8, "x", "  v = 2")};
    struct issue after[] = {at("a.tf", 15, "x", "v =   1"), at("a.tf", 17, "x", "\tv = 1"),
                            at("a.tf", 18, "x", "  v = 2")};
    size_t n = 3;
    assert_true(issues_settle(&arena, before, &n, NULL));
    assert_true(issues_settle(&arena, after, &n, NULL));
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(before[i].fingerprint, after[i].fingerprint);
    assert_string_not_equal(before[0].fingerprint, before[1].fingerprint);
    assert_string_not_equal(before[0].fingerprint, before[2].fingerprint);
}

static void the_worst_makes_the_exit_code(void **state)
{
    (void)state;
    static const struct {
        enum issue_kind kind;
        bool strict;
        int want;
    } cases[] = {{ISSUE_WARNING, false, EXIT_IN_SYNC},
                 {ISSUE_WARNING, true, EXIT_ERROR},
                 {ISSUE_VIOLATION, false, EXIT_VIOLATION},
                 {ISSUE_ERROR, false, EXIT_ERROR}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct issue issues[] = {{.kind = ISSUE_WARNING}, {.kind = cases[i].kind}};
        struct check_subject subject = {.issues = issues, .nissues = 2};
        struct check_result result = {.subject = &subject, .n = 1};
        assert_int_equal(check_exit_code(&result, cases[i].strict), cases[i].want);
    }
    struct check_subject failed = {.failed = STR("x")};
    struct check_result result = {.subject = &failed, .n = 1};
    assert_int_equal(check_exit_code(&result, false), EXIT_ERROR);
}

static void rules_are_named_after_summaries(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"Unsupported argument", "unsupported-argument"},
        {"Duplicate resource \"a\" configuration", "duplicate-resource-configuration"},
        {"Can't override check blocks", "cant-override-check-blocks"},
        {"Invalid \"count\" attribute", "invalid-attribute"},
        {"", ""}};
    AUTO_ARENA arena = {.limit = 1 << 20};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(issue_rule_of(&arena, str_from(cases[i][0])).ptr, cases[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(issues_are_sorted_and_said_once),
                                       cmocka_unit_test(a_fingerprint_moves_with_its_line),
                                       cmocka_unit_test(the_worst_makes_the_exit_code),
                                       cmocka_unit_test(rules_are_named_after_summaries)};
    return cmocka_run_group_tests_name("model/issue", tests, NULL, NULL);
}
