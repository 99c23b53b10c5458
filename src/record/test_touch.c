/* test_touch.c - touches: one row an address, the earliest due, and what is touched meanwhile. */
#include "record/test_stores.h"

#include "base/arena.h"
#include "base/err.h"
#include "record/record.h"
#include "record/touch.h"

static void open_store(struct record *record, struct arena *arena, const struct test_store *store)
{
    const struct record_options options = {.url = str_from(store->url), .env = test_store_env};
    struct err err = {0};
    if (!record_open(arena, &options, record, &err))
        fail_msg("%s", err.frame[0]);
}

static void touches_of_one_address_are_one(void **state)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record = {0};
    struct err err = {0};
    struct touched *due;
    size_t n = 0;
    int64_t next = 0;
    open_store(&record, &arena, *state);
    const struct touch touches[] = {
        {STR("net"), STR("a.b"), STR("event"), 5000, STR("of the first")},
        {STR("net"), STR("a.b"), STR("file"), 7000, STR("of the last")},
        {STR("net"), STR("a.a"), STR("file"), 6000, STR("")},
        {STR("app"), STR(""), STR("code"), 1000, STR("")}};
    assert_true(touch_add(&record, touches, 4, &err));
    assert_true(touch_next(&record, STR("net"), &next, &err));
    assert_int_equal(next, 5000);
    assert_true(touch_next(&record, STR("none"), &next, &err));
    assert_true(next == INT64_MAX);
    assert_true(touch_due(&record, &arena, STR("net"), 4999, 10, &due, &n, &err));
    assert_int_equal(n, 0);
    assert_true(touch_due(&record, &arena, STR("net"), 6000, 10, &due, &n, &err));
    assert_int_equal(n, 2);
    assert_true(str_equal(due[0].touch.address, STR("a.a")));
    assert_true(str_equal(due[1].touch.why, STR("file")) && due[1].serial == 2);
    assert_true(str_equal(due[1].touch.trace, STR("of the last")));
    const struct touch unknown = {.stack = STR("net"), .address = STR("a.b"), .due_utc_ms = 1};
    assert_true(touch_add(&record, &unknown, 1, &err)); /* what is known of it is not forgotten */
    assert_true(touch_due(&record, &arena, STR("net"), 6000, 10, &due, &n, &err));
    assert_true(str_equal(due[1].touch.trace, STR("of the last")) && due[0].touch.trace.len == 0);
    record_close(&record);
}

static void what_is_touched_while_it_is_looked_at_stays(void **state)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record = {0};
    struct err err = {0};
    struct touched *due;
    size_t n = 0;
    open_store(&record, &arena, *state);
    const struct touch touches[] = {{STR("net"), STR("a"), STR("event"), 1, STR("whose")},
                                    {STR("net"), STR("b"), STR("event"), 1, STR("whose")}};
    assert_true(touch_add(&record, touches, 2, &err));
    assert_true(touch_due(&record, &arena, STR("net"), 1, 10, &due, &n, &err));
    assert_int_equal(n, 2);
    assert_true(touch_add(&record, &touches[1], 1, &err));
    assert_true(db_begin(record.db, DB_WRITE, &err));
    assert_true(touch_done(&record, due, n, &err) && db_commit(record.db, &err));
    assert_true(touch_due(&record, &arena, STR("net"), 1, 10, &due, &n, &err));
    assert_int_equal(n, 1);
    assert_true(str_equal(due[0].touch.address, STR("b")));
    const struct touch more[] = {{STR("net"), STR("c"), STR("event"), 1, STR("")},
                                 {STR("net"), STR("d"), STR("event"), 1, STR("")},
                                 {STR("net"), STR("e"), STR("event"), 1, STR("")}};
    assert_true(touch_add(&record, more, 3, &err));
    assert_true(touch_due(&record, &arena, STR("net"), 1, 3, &due, &n, &err)); /* no more */
    assert_int_equal(n, 3);
    assert_true(str_equal(due[0].touch.address, STR("b")) &&
                str_equal(due[2].touch.address, STR("d")));
    record_close(&record);
}

/* It is there with the transaction that it joins, or not at all; long addresses are their stack. */
static void a_touch_joins_a_transaction(void **state)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record = {0};
    struct err err = {0};
    struct touched *due;
    static char address[9000];
    size_t n = 0;
    memset(address, 'x', sizeof address);
    const struct touch touch = {STR("net"), {address, sizeof address}, STR("event"), 0, STR("")};
    open_store(&record, &arena, *state);
    assert_true(db_begin(record.db, DB_WRITE, &err) && touch_add(&record, &touch, 1, &err));
    db_rollback(record.db);
    assert_true(touch_due(&record, &arena, STR("net"), INT64_MAX, 10, &due, &n, &err));
    assert_int_equal(n, 0);
    assert_true(touch_add(&record, &touch, 1, &err));
    assert_true(touch_due(&record, &arena, STR("net"), INT64_MAX, 10, &due, &n, &err));
    assert_int_equal(n, 1);
    assert_true(due[0].touch.address.len == 0 && due[0].touch.due_utc_ms > 1700000000000);
    record_close(&record);
}

enum { WAIT_MS = 20000 };

/* Who listens can tell what is for those that scan from what may concern others, too; of several
 * at once the wider one counts. */
static void who_listens_is_told_whom_a_touch_concerns(void **state)
{
    const struct test_store *store = *state;
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record = {0}, ear = {0};
    struct err err = {0};
    enum db_told told = DB_TOLD;
    const struct touch event = {STR("net"), STR("a"), STR("event"), 0, STR("")};
    const struct touch code[] = {event, {STR("net"), STR(""), STR("code"), 0, STR("")}};
    open_store(&record, &arena, store);
    open_store(&ear, &arena, store);
    if (store->server[0]) {
        assert_true(db_listen(ear.db, "plumb_work", &err));
        assert_true(db_wait(ear.db, -1, 0, &told, &err));
        assert_int_equal(told, DB_TOLD_NOTHING);
        assert_true(touch_add(&record, &event, 1, &err));
        assert_true(db_wait(ear.db, -1, WAIT_MS, &told, &err));
        assert_int_equal(told, DB_TOLD_WORD);
        assert_true(db_begin(record.db, DB_WRITE, &err));
        assert_true(touch_add(&record, code, 2, &err) && touch_add(&record, &event, 1, &err));
        assert_true(db_commit(record.db, &err));
        assert_true(db_wait(ear.db, -1, WAIT_MS, &told, &err));
        assert_int_equal(told, DB_TOLD);
    } else {
        assert_false(db_listen(ear.db, "plumb_work", &err)); /* they look */
        assert_int_equal(err.kind, ERR_UNSUPPORTED);
    }
    record_close(&ear);
    record_close(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(touches_of_one_address_are_one),
        cmocka_unit_test(what_is_touched_while_it_is_looked_at_stays),
        cmocka_unit_test(a_touch_joins_a_transaction),
        cmocka_unit_test(who_listens_is_told_whom_a_touch_concerns),
    };
    return test_stores_run("record/touch", tests, sizeof tests / sizeof *tests);
}
