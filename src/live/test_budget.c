/* test_budget.c - budgets: whose they are, their share, how fast they fill, how many at once. */
#include "base/test.h"

#include "base/err.h"
#include "live/budget.h"
#include "model/config.h"
#include "value/value.h"

#define AWS STR("registry.terraform.io/hashicorp/aws")

static void the_first_row_that_fits_counts(void **state)
{
    (void)state;
    const struct config_budget rows[] = {
        {.provider = STR("aws.west"), .requests = 1},
        {.provider = STR("aws"), .settings = STR("*:123456789012:*"), .requests = 2},
        {.provider = STR("*/hashicorp/*"), .requests = 3},
        {.provider = STR("labpg"), .share = 10},
    };
    struct budgets *all = NULL;
    struct err err = {0};
    struct value_member member[] = {{NULL, value_string(STR("arn:aws:iam::123456789012:role/x"))}};
    const struct value settings = {.kind = VALUE_OBJECT, .len = 1, .members = member};
    const struct value none = value_null();
    assert_true(budgets_open(rows, 4, &all, &err));
    struct budget *west = budgets_find(all, AWS, STR("west"), &none);
    struct budget *role = budgets_find(all, AWS, STR(""), &settings);
    struct budget *other = budgets_find(all, AWS, STR(""), &none);
    assert_non_null(west);
    assert_non_null(role);
    assert_non_null(other);
    assert_true(west != role && role != other && west != other);
    assert_ptr_equal(other, budgets_find(all, STR("x.org/hashicorp/google"), STR("b"), &none));
    assert_null(budgets_find(all, STR("x.org/lab/labpg"), STR(""), &none)); /* no bound */
    assert_null(budgets_find(all, STR("x.org/lab/lab5"), STR(""), &none));
    assert_null(budgets_find(NULL, AWS, STR(""), &none));
    budgets_close(all);
}

static void a_bucket_holds_a_second_and_fills_with_time(void **state)
{
    (void)state;
    const struct config_budget row = {.requests = 20, .share = 25}; /* 5 a second */
    struct budgets *all = NULL;
    struct err err = {0};
    assert_true(budgets_open(&row, 1, &all, &err));
    struct budget *b = budgets_find(all, AWS, STR(""), &(struct value){0});
    for (int i = 0; i < 5; i++)
        assert_int_equal(budget_take(b, 1000000), 0);
    assert_in_range(budget_take(b, 1000000), 200, 201);
    assert_int_equal(budget_take(b, 1200000), 0);
    assert_true(budget_take(b, 1200000) > 0);
    assert_true(budget_take(b, 900000) > 0); /* a clock that went back gives nothing */
    assert_int_equal(budget_take(b, 60000000), 0);
    int more = 0;
    while (budget_take(b, 60000000) == 0)
        more++;
    assert_int_equal(more, 4); /* and no more than that was saved */
    budgets_close(all);
}

static void so_many_at_once(void **state)
{
    (void)state;
    const struct config_budget row = {.concurrent = 5}; /* half of it: 3 */
    struct budgets *all = NULL;
    struct err err = {0};
    assert_true(budgets_open(&row, 1, &all, &err));
    struct budget *b = budgets_find(all, AWS, STR(""), &(struct value){0});
    for (int i = 0; i < 3; i++)
        assert_int_equal(budget_take(b, 1), 0);
    assert_true(budget_take(b, 1) > 0);
    budget_done(b, 2);
    assert_int_equal(budget_take(b, 1), 0);
    assert_int_equal(budget_take(b, 1), 0);
    assert_true(budget_take(b, 1) > 0);
    budget_done(b, 100);
    assert_int_equal(budget_take(b, 1), 0);
    budgets_close(all);
}

/* Calls that follow the first are made at once, and waited for by the next read. */
static void what_a_read_calls_more_is_debt(void **state)
{
    (void)state;
    const struct config_budget row = {.requests = 20, .share = 25}; /* 5 a second */
    struct budgets *all = NULL;
    struct budget_tally tally;
    struct err err = {0};
    assert_true(budgets_open(&row, 1, &all, &err));
    struct budget *b = budgets_find(all, AWS, STR(""), &(struct value){0});
    assert_int_equal(budget_take(b, 1000000), 0);
    for (int i = 0; i < 8; i++) /* upgrade, read, plan ...: 5 that there were, 3 of debt */
        budget_spend(b);
    assert_in_range(budget_take(b, 1000000), 800, 801);
    assert_true(budget_take(b, 1700000) > 0);
    assert_int_equal(budget_take(b, 1800001), 0);
    budget_spend(b); /* its token was taken already */
    assert_in_range(budget_take(b, 1800001), 200, 201);
    budget_spend(NULL);
    assert_int_equal(budgets_count(all), 1);
    budgets_tally(all, 0, &tally);
    assert_int_equal(tally.calls, 9);
    assert_int_equal(tally.waits, 3);
    assert_true(tally.rate > 4.99 && tally.rate < 5.01);
    budgets_tally(all, 0, &tally);
    assert_int_equal(tally.calls + tally.waits, 0);
    assert_int_equal(budgets_count(NULL), 0);
    budgets_close(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_row_that_fits_counts),
        cmocka_unit_test(a_bucket_holds_a_second_and_fills_with_time),
        cmocka_unit_test(what_a_read_calls_more_is_debt),
        cmocka_unit_test(so_many_at_once),
    };
    return cmocka_run_group_tests_name("live/budget", tests, NULL, NULL);
}
