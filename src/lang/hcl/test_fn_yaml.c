/* test_fn_yaml.c - yamlencode and yamldecode: answers of Terraform 1.11.4. */
#include "lang/hcl/test_eval.h"

static const struct eval_case cases[] = {
    {"yamlencode({a=[1,{b=\"x\"}],\"c d\"=\"y\\nz\"})",
     "\"\\\"a\\\":\\n- 1\\n- \\\"b\\\": \\\"x\\\"\\n\\\"c d\\\": |-\\n  y\\n  z\\n\""},
    {"yamlencode(\"a\\nb\\n\")", "\"|\\n  a\\n  b\\n\""},
    {"yamlencode(\" a\\nb\")", "\"|2-\\n   a\\n  b\\n\""},
    {"yamlencode(\"é😀\")", "\"\\\"é\\\\U0001F600\\\"\\n\""},
    {"yamlencode([])", "\"[]\\n\""},
    {"yamlencode({a={},b=[]})", "\"\\\"a\\\": {}\\n\\\"b\\\": []\\n\""},
    {"yamlencode(\"long long long long long long long long long long long long long long long long "
     "long long long long\")",
     "\"\\\"long long long long long long long long long long long long long long long long "
     "long\\n  long long long\\\"\\n\""},
    {"yamlencode(null)", "\"null\\n...\\n\""},
    {"yamlencode([[1,[2]],{\"k\\n\"=1}])", "\"- - 1\\n  - - 2\\n- ? |\\n    k\\n  : 1\\n\""},
    {"yamlencode(\"a\\u0007b\")", "\"\\\"a\\\\ab\\\"\\n\""},
    {"yamldecode(\"a: yes\\nb: 0o17\\nc: 0x1F\\nd: 017\\ne: 1_000\\nf: 2001-01-01\\n\")",
     "{\"a\":true,\"b\":15,\"c\":31,\"d\":17,\"e\":\"1_000\",\"f\":\"2001-01-01T00:00:00Z\"}"},
    {"yamldecode(\"a: &x {b: 1}\\nc: {<<: *x, d: 2}\")",
     "{\"a\":{\"b\":1},\"c\":{\"b\":1,\"d\":2}}"},
    {"yamldecode(\"a: &x [1]\\nc: *x\")", "{\"a\":[1],\"c\":[1]}"},
    {"yamldecode(\"- !!int '5'\\n- !!str 5\\n- !!binary aGk=\\n- !!float 1.5\")",
     "[\"5\",\"5\",\"aGk=\",1.5]"},
    {"yamldecode(\"a: |\\n  yes\\nb: |-\\n  yes\\nc: |-\\n  12\")",
     "{\"a\":\"yes\\n\",\"b\":\"true\",\"c\":\"12\"}"},
    {"yamldecode(\"\")", "!Error in function call"},
    {"yamldecode(\"--- a\\n--- b\")", "!Error in function call"},
    {"yamldecode(\"{a: 1, a: 2}\")", "{\"a\":2}"},
    {"yamldecode(\"1: a\\ntrue: b\")", "{\"1\":\"a\",\"true\":\"b\"}"},
    {"yamldecode(\"~: a\")", "!Error in function call"},
    {"yamldecode(\"? [a]\\n: b\")", "!Error in function call"},
    {"yamldecode(\"2001-1-2 3:4:5\")", "\"2001-01-02T03:04:05Z\""},
    {"yamldecode(\"2001-12-14t21:59:43.10-05:00\")", "\"2001-12-14T21:59:43-05:00\""},
    {"yamldecode(\"2001-12-14T21:59:43+00:00\")", "\"2001-12-14T21:59:43Z\""},
    {"yamldecode(\"12e03\")", "12000"},
    {"yamldecode(\"!!foo a\")", "!Error in function call"},
    {"yamldecode(\"*x\")", "!Error in function call"},
    {"yamldecode(\"a: &x [*x]\")", "!Error in function call"},
    {"yamldecode(\"{a: 1, b: [x, 'y', \\\"z\\\"]}\")", "{\"a\":1,\"b\":[\"x\",\"y\",\"z\"]}"},
    {"yamldecode(\"%YAML 1.2\\n---\\na\")", "!Error in function call"},
    {"yamldecode(\"%YAML 1.1\\n---\\na\")", "\"a\""},
    {"yamldecode(\"a: b: c\")", "!Error in function call"},
    {"yamldecode(\".5\")", "0.5"},
    {"yamldecode(\"99999999999999999999999\")", "99999999999999999999999"},
    {"yamldecode(\"0x99999999999999999999999\")", "!Error in function call"},
    {"yamldecode(\"http://x/y\")", "\"http://x/y\""},
    {"yamldecode(\"[http://x/y, a:b]\")", "[\"http://x/y\",\"a:b\"]"},
    {"yamldecode(\"{a:1}\")", "{\"a:1\":null}"},
    {"yamldecode(\"# c\\n\")", "!Error in function call"},
};

static void answers_are_those_of_terraform(void **state)
{
    (void)state;
    check_cases(cases, sizeof cases / sizeof *cases, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_are_those_of_terraform)};
    return cmocka_run_group_tests_name("hcl/fn_yaml", tests, NULL, NULL);
}
