/* test_lease.c - leases: one owner at a time, numbers that do not come back, what is due first. */
#include "record/test_stores.h"

#include <pthread.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/lease.h"
#include "record/planned.h"
#include "record/record.h"
#include "record/touch.h"

struct world {
    struct arena arena;
    struct record record;
    int64_t ahead; /* of the system's clock */
    struct err err;
};

static int64_t clock_of(void *clock)
{
    const struct world *world = clock;
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + world->ahead;
}

static void open_world(struct world *w, const struct test_store *store)
{
    const struct record_options options = {.url = str_from(store->url),
                                           .env = test_store_env,
                                           .timeout_ms = TEST_STORE_PATIENCE_MS,
                                           .now_ms = clock_of,
                                           .clock = w};
    w->arena.limit = ARENA_DEFAULT_LIMIT;
    if (!record_open(&w->arena, &options, &w->record, &w->err))
        fail_msg("%s", w->err.frame[0]);
}

static void close_world(struct world *w)
{
    record_close(&w->record);
    arena_free(&w->arena);
}

static int64_t now_of(struct world *w)
{
    int64_t now = 0;
    assert_true(lease_now(&w->record, &now, &w->err));
    return now;
}

static void plan(struct world *w, struct str stack, int64_t next)
{
    const struct planned planned = {.stack = stack, .spec = STR("hourly"), .next_utc_ms = next};
    assert_true(db_begin(w->record.db, DB_WRITE, &w->err));
    assert_true(planned_store(&w->record, &planned, 1, &w->err) &&
                lease_make(&w->record, stack, &w->err) && db_commit(w->record.db, &w->err));
}

static bool take(struct world *w, const char *owner, bool urgent, int64_t ms, struct lease *ret)
{
    const struct lease_ask ask = {.owner = str_from(owner), .lease_ms = ms, .urgent = urgent};
    bool taken = false;
    if (!lease_take(&w->record, &w->arena, &ask, ret, &taken, &w->err))
        fail_msg("%s", w->err.frame[0]);
    return taken;
}

/* As if its time had passed: whoever holds one holds it no more. */
static void run_out(struct world *w)
{
    assert_true(
        db_script(w->record.db, "UPDATE lease SET until_utc_ms = 1 WHERE owner <> ''", &w->err));
}

/* A scan that is recorded: the stack is due again at `next`. */
static bool end_at(struct world *w, const struct lease *lease, int64_t next)
{
    const struct planned planned = {.stack = lease->stack, .next_utc_ms = next};
    const struct lease_end end = {0};
    w->err = (struct err){0};
    bool ok = db_begin(w->record.db, DB_WRITE, &w->err) &&
              planned_store(&w->record, &planned, 1, &w->err) &&
              lease_end(&w->record, lease, &end, &w->err) && db_commit(w->record.db, &w->err);
    db_rollback(w->record.db);
    return ok;
}

static bool begin(struct world *w, const struct lease *lease, int64_t run, int64_t again)
{
    w->err = (struct err){0};
    bool ok = db_begin(w->record.db, DB_WRITE, &w->err) &&
              lease_begin(&w->record, lease, run, again, &w->err) &&
              db_commit(w->record.db, &w->err);
    db_rollback(w->record.db);
    return ok;
}

static void what_is_due_is_taken_once_and_longest_first(void **state)
{
    struct world w = {0};
    struct lease lease = {0};
    open_world(&w, *state);
    int64_t now = now_of(&w);
    plan(&w, STR("b"), now - 1000);
    plan(&w, STR("a"), now - 2000);
    plan(&w, STR("later"), now + 3600000);
    plan(&w, STR("never"), INT64_MAX);
    assert_true(take(&w, "one", false, 60000, &lease));
    assert_true(str_equal(lease.stack, STR("a")) && lease.fence == 1);
    assert_true(take(&w, "two", false, 60000, &lease));
    assert_true(str_equal(lease.stack, STR("b")));
    assert_false(take(&w, "three", false, 60000, &lease));
    assert_true(end_at(&w, &lease, now + 3600000));
    assert_false(take(&w, "three", false, 60000, &lease));
    close_world(&w);
}

static void a_lease_that_ran_out_is_the_next_ones(void **state)
{
    struct world w = {0};
    struct lease first = {0}, second = {0};
    bool held = true;
    open_world(&w, *state);
    plan(&w, STR("net"), now_of(&w) - 1000);
    assert_true(take(&w, "one", false, 60000, &first));
    assert_true(begin(&w, &first, 7, 0));
    run_out(&w);
    assert_true(take(&w, "two", false, 60000, &second));
    assert_int_equal(second.fence, first.fence + 1);
    assert_int_equal(second.run, 7);
    assert_int_equal(second.attempts, 1);
    assert_true(lease_renew(&w.record, &first, &held, &w.err));
    assert_false(held);
    assert_false(end_at(&w, &first, INT64_MAX));
    assert_int_equal(w.err.kind, ERR_CONFLICT);
    assert_false(begin(&w, &first, 8, 0));
    assert_true(lease_renew(&w.record, &second, &held, &w.err) && held);
    assert_true(end_at(&w, &second, INT64_MAX));
    assert_false(end_at(&w, &second, INT64_MAX)); /* given back: no longer its own */
    close_world(&w);
}

/* Who ends without a word is not followed at once by the next that may end the same way. */
static void an_attempt_holds_the_next_back(void **state)
{
    struct world w = {0};
    struct lease lease = {0};
    open_world(&w, *state);
    int64_t now = now_of(&w);
    plan(&w, STR("net"), now - 1000);
    assert_true(take(&w, "one", false, 60000, &lease) && begin(&w, &lease, 1, now + 3600000));
    run_out(&w);
    assert_false(take(&w, "two", false, 60000, &lease));
    /* ... but a touch is work of now. */
    const struct touch touch = {STR("net"), STR("a.b"), STR("event"), 0, STR("")};
    assert_true(touch_add(&w.record, &touch, 1, &w.err));
    assert_true(take(&w, "two", true, 60000, &lease));
    close_world(&w);
}

static void touches_are_urgent(void **state)
{
    struct world w = {0};
    struct lease lease = {0};
    const struct touch touch = {STR("b"), STR("x.y"), STR("event"), 0, STR("")};
    open_world(&w, *state);
    int64_t now = now_of(&w);
    plan(&w, STR("a"), now - 5000);
    plan(&w, STR("b"), now + 3600000);
    assert_false(take(&w, "one", true, 60000, &lease));
    assert_true(touch_add(&w.record, &touch, 1, &w.err));
    assert_true(take(&w, "one", true, 60000, &lease));
    assert_true(str_equal(lease.stack, STR("b")));
    assert_true(end_at(&w, &lease, now + 3600000)); /* not done: the touch is still there */
    assert_true(take(&w, "two", true, 60000, &lease));
    close_world(&w);
}

static bool not_a(void *ctx, struct str stack)
{
    (void)ctx;
    return !str_starts(stack, STR("a"));
}

static void stacks_of_others_are_passed_over(void **state)
{
    struct world w = {0};
    struct lease lease = {0};
    char name[16];
    bool taken = false;
    open_world(&w, *state);
    int64_t now = now_of(&w);
    for (int i = 0; i < 70; i++) {
        (void)snprintf(name, sizeof name, "a%d", i);
        plan(&w, str_from(name), now - 10000);
    }
    plan(&w, STR("b"), now - 1);
    const struct lease_ask ask = {.owner = STR("one"), .lease_ms = 60000, .known = not_a};
    assert_true(lease_take(&w.record, &w.arena, &ask, &lease, &taken, &w.err) && taken);
    assert_true(str_equal(lease.stack, STR("b")));
    close_world(&w);
}

/* A clock that went back would otherwise keep the leases of before for as long as it went. */
static void a_clock_that_jumps_back_frees(void **state)
{
    const struct test_store *store = *state;
    struct world w = {0};
    struct lease lease = {0};
    open_world(&w, store);
    int64_t now = now_of(&w);
    plan(&w, STR("net"), now - 7200000);
    w.ahead = 3600000; /* of no meaning where the server's clock counts */
    assert_true(take(&w, "one", false, 30000, &lease));
    w.ahead = 0;
    assert_int_equal(take(&w, "two", false, 30000, &lease), store->server[0] == '\0');
    close_world(&w);
}

/* --- many at once --- */

enum { TAKERS = 4, ROUNDS = 25, STACKS = 3 };
struct taker {
    const struct test_store *store;
    int n;
    unsigned done, failed;
};

static void *take_and_end(void *ctx)
{
    struct taker *t = ctx;
    struct world w = {0};
    char owner[32];
    open_world(&w, t->store);
    for (int i = 0; t->done < ROUNDS && i < 20 * ROUNDS; i++) {
        struct lease lease = {0};
        (void)snprintf(owner, sizeof owner, "%d-%d", t->n, i);
        if (!take(&w, owner, false, 3600000, &lease))
            continue;
        const struct db_value param = DB_PARAM_TEXT(lease.stack);
        bool ok = db_begin(w.record.db, DB_WRITE, &w.err) &&
                  db_run(w.record.db,
                         "UPDATE schedule SET ended_utc_ms = ended_utc_ms + 1 WHERE stack = $1",
                         &param, 1, &w.err) &&
                  lease_end(&w.record, &lease, &(struct lease_end){0}, &w.err) &&
                  db_commit(w.record.db, &w.err);
        db_rollback(w.record.db);
        t->done += ok;
        t->failed += !ok;
    }
    close_world(&w);
    return NULL;
}

static void many_share_the_work(void **state)
{
    struct taker taker[TAKERS];
    pthread_t thread[TAKERS];
    struct world w = {0};
    int64_t sum = 0, fences = 0;
    unsigned done = 0;
    open_world(&w, *state);
    int64_t now = now_of(&w);
    plan(&w, STR("a"), now - 1);
    plan(&w, STR("b"), now - 1);
    plan(&w, STR("c"), now - 1);
    for (int i = 0; i < TAKERS; i++) {
        taker[i] = (struct taker){.store = *state, .n = i};
        assert_int_equal(pthread_create(&thread[i], NULL, take_and_end, &taker[i]), 0);
    }
    for (int i = 0; i < TAKERS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_int_equal(taker[i].failed, 0);
        done += taker[i].done;
    }
    assert_true(done > ROUNDS);
    assert_true(db_one_int(w.record.db, "SELECT CAST(sum(ended_utc_ms) AS BIGINT) FROM schedule",
                           NULL, 0, &sum, &w.err));
    assert_true(db_one_int(w.record.db, "SELECT CAST(sum(fence) AS BIGINT) FROM lease", NULL, 0,
                           &fences, &w.err));
    assert_int_equal(sum, done);
    assert_int_equal(fences, done);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_due_is_taken_once_and_longest_first),
        cmocka_unit_test(a_lease_that_ran_out_is_the_next_ones),
        cmocka_unit_test(an_attempt_holds_the_next_back),
        cmocka_unit_test(touches_are_urgent),
        cmocka_unit_test(stacks_of_others_are_passed_over),
        cmocka_unit_test(a_clock_that_jumps_back_frees),
        cmocka_unit_test(many_share_the_work),
    };
    return test_stores_run("record/lease", tests, sizeof tests / sizeof *tests);
}
