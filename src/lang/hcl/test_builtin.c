/* test_builtin.c - the built-in provider's functions: answers of Terraform 1.11.4. */
#include "lang/hcl/test_eval.h"

#include "lang/hcl/builtin.h"

static const struct eval_case cases[] = {
    {"provider::terraform::encode_tfvars({example = \"Hello!\", bbb = 1, c = {a = 1, bcd = []}})",
     "\"bbb = 1\\nc = {\\n  a   = 1\\n  bcd = []\\n}\\nexample = \\\"Hello!\\\"\\n\""},
    {"provider::terraform::encode_expr([{a = 1, bcd = \"x\"}, {b = 2}])",
     "\"[{\\n  a   = 1\\n  bcd = \\\"x\\\"\\n  }, {\\n  b = 2\\n}]\""},
    {"provider::terraform::encode_expr({a = [1, {\"c d\" = true}], bb = \"$${x}\\n\\u0007é\"})",
     "\"{\\n  a = [1, {\\n    \\\"c d\\\" = true\\n  }]\\n  bb = "
     "\\\"$${x}\\\\n\\\\u0007é\\\"\\n}\""},
    /* What cannot be seen is told: no-break space, zero-width joiner, right-to-left override. */
    {"provider::terraform::encode_expr(\"é\u00a0\u200d\u202e\")",
     "\"\\\"é\\\\u00a0\\\\u200d\\\\u202e\\\"\""},
    {"provider::terraform::encode_expr(toset([\"b\", \"a\"]))", "\"[\\\"a\\\", \\\"b\\\"]\""},
    {"provider::terraform::encode_expr(null)", "!Invalid function argument"},
    {"provider::terraform::encode_tfvars([1])", "!Error in function call"},
    {"provider::terraform::encode_tfvars({\"a b\" = 1})", "!Error in function call"},
    {"provider::terraform::decode_tfvars(\"a = 1\\nb = [\\\"x\\\"]\\n\")",
     "{\"a\":1,\"b\":[\"x\"]}"},
    {"provider::terraform::decode_tfvars(\"b {}\")", "!Error in function call"},
    {"provider::terraform::decode_tfvars(\"a = \")", "!Error in function call"},
    {"provider::terraform::decode_tfvars(\"a = b\")", "!Error in function call"},
    {"provider::terraform::nosuch(1)", "!Unknown provider function"},
};

static bool call_provider(void *ctx, struct hcl_eval *ev, struct str name, const struct value *args,
                          size_t nargs, struct value *ret)
{
    (void)ctx;
    return hcl_call_builtin_provider(ev, name, args, nargs, ret);
}

static void answers_are_those_of_terraform(void **state)
{
    (void)state;
    static const struct hcl_world world = {.call_provider = call_provider};
    check_cases(cases, sizeof cases / sizeof *cases, &world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_are_those_of_terraform)};
    return cmocka_run_group_tests_name("hcl/builtin", tests, NULL, NULL);
}
