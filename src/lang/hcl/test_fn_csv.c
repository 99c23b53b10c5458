/* test_fn_csv.c - csvdecode: answers of Terraform 1.11.4. */
#include "lang/hcl/test_eval.h"

static const struct eval_case cases[] = {
    {"csvdecode(\"\")", "!Error in function call"},
    {"csvdecode(\"\\n\\n\")", "!Error in function call"},
    {"csvdecode(\"a,a\\n1,2\")", "!Error in function call"},
    {"csvdecode(\"a,b\\r\\n1,2\\r\\n\")", "[{\"a\":\"1\",\"b\":\"2\"}]"},
    {"csvdecode(\"a,b\\n\\\"x\\\"\\\"y\\\",2\")", "[{\"a\":\"x\\\"y\",\"b\":\"2\"}]"},
    {"csvdecode(\"a,b\\n\\\"x\\\"y,2\")", "!Error in function call"},
    {"csvdecode(\"a\\n\\n\\\"\\\"\\n\")", "[{\"a\":\"\"}]"},
    {"csvdecode(\"a,b\\n1,\\\"a\\r\\nb\\\"\\n\")", "[{\"a\":\"1\",\"b\":\"a\\nb\"}]"},
    {"csvdecode(\"a\\n1\\r\")", "[{\"a\":\"1\"}]"},
    {"csvdecode(\"a,\\\"b\")", "!Error in function call"},
    {"csvdecode(\"a,b\\n1,2\\n3\")", "!Error in function call"},
    {"csvdecode(\"\\\"e\\u0301\\\",b\\n1,2\")", "[{\"b\":\"2\",\"é\":\"1\"}]"},
    {"csvdecode(\" \\\"a\\\",b\\n1,2\")", "!Error in function call"},
};

static void answers_are_those_of_terraform(void **state)
{
    (void)state;
    check_cases(cases, sizeof cases / sizeof *cases, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_are_those_of_terraform)};
    return cmocka_run_group_tests_name("hcl/fn_csv", tests, NULL, NULL);
}
