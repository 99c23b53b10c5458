/* test_decision.c - decisions by name and strictness, judgements that outlive, exit codes. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "model/decision.h"

static void names_go_both_ways(void **state)
{
    (void)state;
    enum decision decision;
    for (unsigned i = 0; i < DECISION_COUNT; i++) {
        assert_true(decision_from(str_from(decision_name((enum decision)i)), &decision));
        assert_int_equal(decision, i);
        assert_true(strlen(decision_meaning((enum decision)i)) > 10);
    }
    assert_false(decision_from(STR("deny"), &decision));
    assert_false(decision_from(STR(""), &decision));
}

static void the_zero_value_is_the_strictest(void **state)
{
    (void)state;
    const struct judgement zero = {0};
    const enum decision mildest_first[] = {DECISION_IGNORE, DECISION_NOTIFY, DECISION_REVIEW,
                                           DECISION_REVERT, DECISION_BLOCK};
    assert_int_equal(zero.decision, DECISION_BLOCK);
    for (size_t i = 1; i < sizeof mildest_first / sizeof *mildest_first; i++) {
        assert_true(decision_stricter(mildest_first[i], mildest_first[i - 1]));
        assert_false(decision_stricter(mildest_first[i], mildest_first[i]));
        assert_int_equal(decision_is_violation(mildest_first[i]), i >= 2);
    }
    assert_false(decision_is_violation(DECISION_IGNORE));
}

static void a_copy_outlives_what_it_was_made_of(void **state)
{
    (void)state;
    AUTO_ARENA kept = {.limit = 1 << 20};
    struct judgement copy;
    {
        AUTO_ARENA made = {.limit = 1 << 20};
        struct str *text = arena_new(&made, struct str, 1);
        struct verdict *v = arena_new(&made, struct verdict, 1);
        text[0] = arena_dup(&made, STR("text"));
        *v = (struct verdict){.rule = text[0],
                              .at = {.file = text[0], .line = 3},
                              .message = text[0],
                              .why = text[0],
                              .remedy = text[0],
                              .path = text,
                              .npaths = 1,
                              .csf = text,
                              .ncsf = 1,
                              .cis = text,
                              .ncis = 1};
        const struct judgement j = {
            .rule = text[0], .message = text[0], .verdict = v, .nverdicts = 1};
        assert_true(judgement_copy(&kept, &j, &copy));
        memset((char *)(uintptr_t)text[0].ptr, 'x', 4);
    }
    const struct str want = STR("text");
    assert_true(str_equal(copy.rule, want) && str_equal(copy.message, want));
    assert_true(str_equal(copy.verdict[0].at.file, want) &&
                str_equal(copy.verdict[0].path[0], want) &&
                str_equal(copy.verdict[0].csf[0], want) &&
                str_equal(copy.verdict[0].cis[0], want) && str_equal(copy.verdict[0].why, want));
    assert_int_equal(copy.verdict[0].at.line, 3);
    assert_int_equal(copy.owner.len, 0);
}

static void a_full_arena_gives_no_copy(void **state)
{
    (void)state;
    struct verdict v = {.rule = STR("r"), .message = STR("m")};
    const struct judgement j = {.rule = STR("rule"), .verdict = &v, .nverdicts = 1};
    for (size_t limit = 0; limit < 64; limit += 8) {
        AUTO_ARENA full = {.limit = limit};
        struct judgement copy = {.nverdicts = 77};
        assert_false(judgement_copy(&full, &j, &copy));
        assert_int_equal(copy.nverdicts, 77);
    }
}

static const struct {
    const char *says;
    bool ignored, judged;
    enum decision decision;
    unsigned fail_on;
    int exit;
} exits[] = {
    {"no policy", false, false, DECISION_BLOCK, FAIL_ON_DEFAULT, EXIT_DRIFT},
    {"notify counts by its class", false, true, DECISION_NOTIFY, FAIL_ON_DEFAULT, EXIT_DRIFT},
    {"notify, and the class does not count", false, true, DECISION_NOTIFY, 0, EXIT_IN_SYNC},
    {"review", false, true, DECISION_REVIEW, FAIL_ON_DEFAULT, EXIT_VIOLATION},
    {"revert", false, true, DECISION_REVERT, FAIL_ON_DEFAULT, EXIT_VIOLATION},
    {"block, whatever the class", false, true, DECISION_BLOCK, 0, EXIT_VIOLATION},
    {"ignored", true, true, DECISION_IGNORE, FAIL_ON_DEFAULT, EXIT_IN_SYNC},
};

static void decisions_make_the_exit_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof exits / sizeof *exits; i++) {
        const struct judgement j = {.decision = exits[i].decision};
        const struct finding finding = {.class_ = CLASS_CONTRADICTS_CODE,
                                        .ignored = exits[i].ignored,
                                        .judgement = exits[i].judged ? &j : NULL};
        struct stack_result stack = {.findings = &finding, .nfindings = 1};
        const struct scan_result result = {&stack, 1, NULL};
        print_message("  %s\n", exits[i].says);
        assert_int_equal(scan_exit_code(&result, exits[i].fail_on), exits[i].exit);
        stack.failed = STR("no state");
        assert_int_equal(scan_exit_code(&result, exits[i].fail_on), EXIT_ERROR);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_both_ways),
        cmocka_unit_test(the_zero_value_is_the_strictest),
        cmocka_unit_test(a_copy_outlives_what_it_was_made_of),
        cmocka_unit_test(a_full_arena_gives_no_copy),
        cmocka_unit_test(decisions_make_the_exit_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
