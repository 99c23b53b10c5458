/* test_finding.c - names of classes, and which results make which exit code. */
#include "base/test.h"

#include <string.h>

#include "model/finding.h"

#define NOT(name) \
    { \
        .class_ = (name), .ignored = true \
    }
#define ONE(name) \
    { \
        .class_ = (name) \
    }

static const struct finding drift[] = {ONE(CLASS_CONTRADICTS_CODE)};
static const struct finding waived[] = {NOT(CLASS_CONTRADICTS_CODE)};
static const struct finding quiet[] = {ONE(CLASS_STATE_ONLY)};
static const struct finding unchecked[] = {ONE(CLASS_UNCHECKED)};
static const struct finding both[] = {ONE(CLASS_UNCHECKED), ONE(CLASS_MISSING)};

static const struct {
    const char *says;
    struct stack_result stacks[2];
    unsigned fail_on;
    int exit_code;
} cases[] = {
    {"nothing found: in sync", {{.nfindings = 0}}, FAIL_ON_DEFAULT, EXIT_IN_SYNC},
    {"drift", {{.findings = drift, .nfindings = 1}}, FAIL_ON_DEFAULT, EXIT_DRIFT},
    {"ignored drift", {{.findings = waived, .nfindings = 1}}, FAIL_ON_DEFAULT, EXIT_IN_SYNC},
    {"quiet", {{.findings = quiet, .nfindings = 1}}, FAIL_ON_DEFAULT, EXIT_IN_SYNC},
    {"quiet, asked for", {{.findings = quiet, .nfindings = 1}}, 1u << CLASS_STATE_ONLY, EXIT_DRIFT},
    {"unchecked", {{.findings = unchecked, .nfindings = 1}}, FAIL_ON_DEFAULT, EXIT_INCOMPLETE},
    {"unchecked by count alone",
     {{.coverage = {.unchecked = 1}}},
     FAIL_ON_DEFAULT,
     EXIT_INCOMPLETE},
    {"unchecked, not asked for",
     {{.coverage = {.unchecked = 1}}},
     1u << CLASS_MISSING,
     EXIT_IN_SYNC},
    {"drift before unchecked", {{.findings = both, .nfindings = 2}}, FAIL_ON_DEFAULT, EXIT_DRIFT},
    {"the worst stack decides",
     {{.findings = drift, .nfindings = 1}, {.failed = STR_INIT("no state")}},
     FAIL_ON_DEFAULT,
     EXIT_ERROR},
    {"nothing fails", {{.findings = both, .nfindings = 2}}, 0, EXIT_IN_SYNC},
};

static void exit_code_is_the_worst_of_all_stacks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scan_result result = {cases[i].stacks, 2};
        print_message("  %s\n", cases[i].says);
        assert_int_equal(scan_exit_code(&result, cases[i].fail_on), cases[i].exit_code);
    }
    assert_int_equal(scan_exit_code(&(struct scan_result){0}, FAIL_ON_DEFAULT), EXIT_IN_SYNC);
}

static void names_are_read_back(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        enum finding_class back = CLASS_COUNT;
        assert_true(finding_class_from(str_from(finding_class_name((enum finding_class)i)), &back));
        assert_int_equal(back, i);
        assert_true(strlen(finding_class_meaning((enum finding_class)i)) > 10);
        assert_true(finding_class_severity((enum finding_class)i) < SEVERITY_COUNT);
    }
    for (unsigned i = 0; i < SEVERITY_COUNT; i++) {
        enum severity back = SEVERITY_COUNT;
        assert_true(severity_from(str_from(severity_name((enum severity)i)), &back));
        assert_int_equal(back, i);
    }
    enum finding_class class_;
    enum severity severity;
    assert_false(finding_class_from(STR("drift"), &class_));
    assert_false(finding_class_from(STR(""), &class_));
    assert_false(severity_from(STR("fatal"), &severity));
    assert_string_equal(finding_class_name(CLASS_COUNT), "invalid");
    assert_string_equal(severity_name(SEVERITY_COUNT), "invalid");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_code_is_the_worst_of_all_stacks),
        cmocka_unit_test(names_are_read_back),
    };
    return cmocka_run_group_tests_name("model/finding", tests, NULL, NULL);
}
