/* test_code_head.c - what processes tell each other of a branch, on both stores. */
#include "record/test_stores.h"

#include "base/arena.h"
#include "record/code_head.h"
#include "record/record.h"

#define PLACE STR("https://example.com/infra#main")

static void one_tells_the_others(void **state)
{
    const struct test_store *store = *state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    const struct record_options options = {.url = str_from(store->url), .env = test_store_env};
    struct record record = {0}, other = {0};
    struct code_head head;
    assert_true(record_open(&arena, &options, &record, NULL));
    assert_true(record_open(&arena, &options, &other, NULL));
    assert_true(code_head_get(&other, &arena, PLACE, &head, NULL));
    assert_true(head.hash.len == 0 && head.asked_utc_ms == 0);

    assert_true(code_head_asked(&record, PLACE, NULL));
    assert_true(code_head_get(&other, &arena, PLACE, &head, NULL));
    int64_t asked = head.asked_utc_ms;
    assert_true(asked > 0 && head.hash.len == 0);
    assert_true(code_head_asked(&record, PLACE, NULL)); /* in the same millisecond, perhaps */
    assert_true(code_head_get(&other, &arena, PLACE, &head, NULL));
    assert_true(head.asked_utc_ms > asked);
    asked = head.asked_utc_ms;

    assert_true(code_head_fetched(&record, PLACE, STR(""), STR("abc"), NULL));
    assert_true(code_head_fetched(&other, STR("another"), STR(""), STR("def"), NULL));
    struct err err = {0}; /* who began to fetch before that may have something older */
    assert_false(code_head_fetched(&other, PLACE, STR(""), STR("old"), &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_true(code_head_get(&other, &arena, PLACE, &head, NULL));
    assert_true(str_equal(head.hash, STR("abc")));
    assert_int_equal(head.asked_utc_ms, asked);
    assert_true(head.fetched_utc_ms > 0);
    record_close(&other);
    record_close(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_tells_the_others)};
    return test_stores_run("record/code_head", tests, sizeof tests / sizeof *tests);
}
