/* test_fn_json.c - jsonencode and jsondecode: answers of Terraform 1.11.4. */
#include "lang/hcl/test_eval.h"

static const struct eval_case cases[] = {
    {"jsonencode(\"\\u0008\\u000c\\u000b\")", "\"\\\"\\\\b\\\\f\\\\u000b\\\"\""},
    {"jsondecode(\"{\\\"a\\\":1,\\\"a\\\":\\\"x\\\"}\")", "{\"a\":\"x\"}"},
    {"jsondecode(\"{\\\"a\\\":\\\"5\\\",\\\"a\\\":1}\")", "{\"a\":1}"},
    {"jsondecode(\"{\\\"a\\\":null,\\\"a\\\":1}\")", "{\"a\":1}"},
    {"jsondecode(\"\\\"\\\\ud800\\\"\")", "\"�\""},
};

/* Not as there: of two members of one name the last counts, whatever the first one's type. */
static const struct eval_case ours[] = {
    {"jsondecode(\"{\\\"a\\\":[],\\\"a\\\":1}\")", "{\"a\":1}"},
};

static void answers_are_those_of_terraform(void **state)
{
    (void)state;
    check_cases(cases, sizeof cases / sizeof *cases, NULL);
    check_cases(ours, sizeof ours / sizeof *ours, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_are_those_of_terraform)};
    return cmocka_run_group_tests_name("hcl/fn_json", tests, NULL, NULL);
}
