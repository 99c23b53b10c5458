/* test_fn_time.c - timestamps and durations: answers of Terraform 1.11.4. */
#include "lang/hcl/test_eval.h"

static const struct eval_case cases[] = {
    {"timeadd(\"2017-11-22T0:00:00Z\",\"1h\")", "!Error in function call"},
    {"timeadd(\"2017-11-22T00:00:00,5Z\",\"1h\")", "!Error in function call"},
    {"timeadd(\"2017-11-22T00:00:00.Z\",\"1h\")", "!Error in function call"},
    {"timeadd(\"2017-11-22T00:00:00+25:00\",\"1h\")", "!Error in function call"},
    {"timeadd(\"2017-11-22T00:00:00+24:00\",\"1h\")", "!Error in function call"},
    {"timeadd(\"2017-11-22T00:00:00+23:60\",\"1h\")", "!Error in function call"},
    {"timeadd(\"2017-11-22T00:00:00-00:00\",\"1h\")", "\"2017-11-22T01:00:00Z\""},
    {"timeadd(\"2017-11-22t00:00:00Z\",\"1h\")", "!Error in function call"},
    {"timeadd(\"2017-11-22T00:00:00z\",\"1h\")", "!Error in function call"},
    {"timeadd(\"9999-12-31T23:59:59Z\",\"1s\")", "\"10000-01-01T00:00:00Z\""},
    {"timeadd(\"0000-01-01T00:00:00Z\",\"-1s\")", "\"-0001-12-31T23:59:59Z\""},
    {"timeadd(\"2017-11-22T00:00:00Z\",\"9223372036854775807ns\")", "\"2310-03-03T23:47:16Z\""},
    {"timeadd(\"2017-11-22T00:00:00Z\",\"9223372036854775808ns\")", "!Error in function call"},
    {"timeadd(\"2017-11-22T00:00:00Z\",\"-9223372036854775808ns\")", "\"1725-08-13T00:12:43Z\""},
    {"timeadd(\"2017-11-22T00:00:00Z\",\"3000000h\")", "!Error in function call"},
    {"timeadd(\"2017-11-22T00:00:00.999999999Z\",\"1ns\")", "\"2017-11-22T00:00:01Z\""},
    {"formatdate(\"ZZ\",\"2017-11-22T00:00:00Z\")", "!Invalid function argument"},
    {"formatdate(\"Z\",\"2017-11-22T00:00:00+00:00\")", "\"Z\""},
    {"formatdate(\"Z ZZZ ZZZZ ZZZZZ\",\"2017-11-22T00:00:00-00:00\")", "\"Z UTC +0000 +00:00\""},
    {"formatdate(\"YYYY\",\"2017-11-22T00:00:00+24:00\")", "!Invalid function argument"},
    {"formatdate(\"YYYY\",\"2017-11-22T0:00:00Z\")", "!Invalid function argument"},
    {"formatdate(\"x'y\",\"2017-11-22T00:00:00Z\")", "!Invalid function argument"},
    {"formatdate(\"'a'''\",\"2017-11-22T00:00:00Z\")", "\"a'\""},
    {"formatdate(\"''''\",\"2017-11-22T00:00:00Z\")", "\"''\""},
    {"formatdate(\"é YY\",\"2017-11-22T00:00:00Z\")", "\"é 17\""},
};

static void answers_are_those_of_terraform(void **state)
{
    (void)state;
    check_cases(cases, sizeof cases / sizeof *cases, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_are_those_of_terraform)};
    return cmocka_run_group_tests_name("hcl/fn_time", tests, NULL, NULL);
}
