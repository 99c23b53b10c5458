/* test_version.c - versions and constraints, as hashicorp/go-version answers. */
#include "base/test.h"
#include "desired/version.h"

static const struct {
    const char *version, *constraint;
    bool valid, matches;
} cases[] = {
    {"1.11.4", ">= 1.5", true, true},
    {"1.11.4", "~> 1.11.0", true, true},
    {"1.11.4", "~> 1.10", true, true},
    {"2.0.0", "~> 1.10", true, false},
    {"1.10.9", "~> 1.11.0", true, false},
    {"1.2.3", "1.2.3", true, true},
    {"1.2.3", "v1.2.3", true, true},
    {"1.2.3", "!= 1.2.3", true, false},
    {"1.2.3", ">= 1.0, < 2.0", true, true},
    {"2.1.0", ">= 1.0, < 2.0", true, false},
    {"1.2.0", "=1.2", true, true},
    {"1.0.0-beta1", ">= 0.9", true, false},
    {"1.0.0-beta2", ">= 1.0.0-beta1", true, true},
    {"1.0.0", "~> 1.0.0-beta1", true, false},
    {"1.2.3", "", false, false},
    {"1.2.3", ">=", false, false},
    {"1.2.3", "=> 1.0", false, false},
    {"1.2.3", "1.2.x", false, false},
    {"1.2.3", ">= 1.0,", false, false},
    {"1.2.3", "latest", false, false},
    {"1.2.3", "99999999999999999999", false, false},
};

static void constraints_match_as_recorded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct str constraint = str_from(cases[i].constraint);
        print_message("  %s %s\n", cases[i].version, cases[i].constraint);
        assert_int_equal(version_constraint_valid(constraint), cases[i].valid);
        assert_int_equal(version_matches(str_from(cases[i].version), constraint), cases[i].matches);
    }
}

static void versions_are_ordered(void **state)
{
    (void)state;
    static const char *const order[] = {"0.9",   "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta2",
                                        "1.0.0", "1.0.1",       "1.10.0",        "1.10.0.1"};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
            int want = (i > k) - (i < k);
            int got = version_compare(str_from(order[i]), str_from(order[k]));
            assert_int_equal((got > 0) - (got < 0), want);
        }
    assert_int_equal(version_compare(STR("1.0"), STR("1.0.0+build")), 0);
    assert_true(version_constraint_has_prerelease(STR(">= 1.0.0-rc1")));
    assert_false(version_constraint_has_prerelease(STR(">= 1.0.0")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(constraints_match_as_recorded),
                                       cmocka_unit_test(versions_are_ordered)};
    return cmocka_run_group_tests_name("desired/version", tests, NULL, NULL);
}
