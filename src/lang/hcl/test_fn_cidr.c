/* test_fn_cidr.c - IP networks: answers of Terraform 1.11.4. */
#include "lang/hcl/test_eval.h"

static const struct eval_case cases[] = {
    {"cidrhost(\"::ffff:10.0.0.0/8\", 1)", "\"::1\""},
    {"cidrhost(\"::10.0.0.0/8\", 1)", "\"::1\""},
    {"cidrhost(\"fe80::1%eth0/64\", 1)", "!Error in function call"},
    {"cidrhost(\"10.0.0/8\", 1)", "!Error in function call"},
    {"cidrhost(\"10.0.0.0/08\", 1)", "\"10.0.0.1\""},
    {"cidrhost(\"010.0.0.0/8\", 1)", "\"10.0.0.1\""},
    {"cidrhost(\"256.0.0.0/8\", 1)", "!Error in function call"},
    {"cidrhost(\"1::2::3/8\", 1)", "!Error in function call"},
    {"cidrhost(\"1:2:3:4:5:6:7:8:9/8\", 1)", "!Error in function call"},
    {"cidrhost(\"1:2:3:4:5:6:7::/64\", 1)", "\"1:2:3:4::1\""},
    {"cidrhost(\"::1.2.3.4/64\", -1)", "\"::ffff:ffff:ffff:ffff\""},
    {"cidrhost(\"2001:DB8::/32\", -5)", "\"2001:db8:ffff:ffff:ffff:ffff:ffff:fffb\""},
    {"cidrhost(\"2001:db8::/32\", 1e30)", "\"2001:dbc:9f2c:9cd0:4674:edea:4000:0\""},
    {"cidrhost(\"2001:db8::/32\", pow(2,64)+5)", "\"2001:db8:0:1::5\""},
    {"cidrhost(\"2001:db8::/32\", -1e30)", "!Error in function call"},
    {"cidrhost(\"2001:db8::/0\", -1)", "\"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff\""},
    {"cidrhost(\"10.0.0.0/8\", 18446744073709551615)", "!Error in function call"},
    {"cidrhost(\"10.0.0.0/8\", 9223372036854775808)", "!Error in function call"},
    {"cidrhost(\"0:0:1::/48\", 5)", "\"0:0:1::5\""},
    {"cidrhost(\"1:0:0:2:0:0:0:3/128\", 0)", "\"1:0:0:2::3\""},
    {"cidrhost(\"::ffff:1.2.3.4/96\", 5)", "\"0:5::ffff:0:0\""},
    {"cidrhost(\"::ffff:1.2.3.4/128\", 0)", "\"1.2.3.4\""},
    {"cidrsubnet(\"10.0.0.0/8\", 64, 5)", "!Error in function call"},
    {"cidrsubnet(\"10.0.0.0/8\", -10, 5)", "!Error in function call"},
    {"cidrsubnet(\"10.0.0.0/8\", -8, 0)", "\"10.0.0.0/0\""},
    {"cidrsubnet(\"10.0.0.0/8\", -8, 5)", "!Error in function call"},
    {"cidrsubnet(\"10.0.0.0/8\", -9, 0)", "\"\\u003cnil\\u003e\""},
    {"cidrsubnet(\"2001:db8::/32\", 64, 18446744073709551615)",
     "\"2001:db8:ffff:ffff:ffff:ffff::/96\""},
    {"cidrsubnet(\"2001:db8::/32\", 64, 18446744073709551616)", "\"2001:db9::/96\""},
    {"cidrsubnet(\"2001:db8::/32\", 65, 18446744073709551617)", "\"2001:db8:8000::8000:0/97\""},
    {"cidrsubnet(\"2001:db8::/32\", 8, -5)", "\"0:0:500::/40\""},
    {"cidrsubnet(\"10.0.0.0/8\", 8, 1e30)", "!Error in function call"},
    {"cidrsubnet(\"::ffff:10.0.0.0/96\", 8, 5)", "\"5.0.0.0/8\""},
    {"cidrnetmask(\"::ffff:10.0.0.0/104\")", "\"ffff:ffff:ffff:ffff:ffff:ffff:ff00:0\""},
    {"cidrnetmask(\"::ffff:10.0.0.0/8\")", "!Error in function call"},
    {"cidrnetmask(\"0.0.0.0/0\")", "\"0.0.0.0\""},
    {"cidrsubnets(\"10.0.0.0/8\", 1.5)", "!Invalid function argument"},
    {"cidrsubnets(\"::ffff:10.0.0.0/104\", 4)", "!Invalid function argument"},
    {"cidrsubnets(\"10.0.0.0/30\", 2,2,2,2,2)", "!Invalid function argument"},
    {"cidrsubnets(\"255.255.255.0/24\", 1,1,1)", "!Invalid function argument"},
    {"cidrsubnets(\"10.0.0.0/8\", 0)", "!Invalid function argument"},
};

static void answers_are_those_of_terraform(void **state)
{
    (void)state;
    check_cases(cases, sizeof cases / sizeof *cases, NULL);
}

static void a_reason_never_quotes_a_secret(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct hcl_diags diags = {.arena = &arena};
    struct err err = {0};
    const struct hcl_expr *expr;
    struct value v;
    struct str text = STR("cidrhost(sensitive(\"hunter2\"), 1)");
    struct hcl_eval ev = {.arena = &arena, .text = text, .diags = &diags};
    assert_true(hcl_parse_expression(&arena, text, STR("t"), &diags, &expr, &err));
    assert_false(hcl_eval_expr(&ev, expr, NULL, &v));
    assert_int_equal(diags.n, 1);
    assert_true(str_find(diags.diag[0].detail, STR("hunter2"), 0) == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_are_those_of_terraform),
                                       cmocka_unit_test(a_reason_never_quotes_a_secret)};
    return cmocka_run_group_tests_name("hcl/fn_cidr", tests, NULL, NULL);
}
