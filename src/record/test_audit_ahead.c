/* test_audit_ahead.c - rows come back whole and in order, whatever their size; a refusal ends it.
 */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "record/audit_ahead.h"

enum { ROWS = 5000, LARGE = 2000, LARGE_BYTES = 3 << 20 };

struct world {
    struct hasher *hasher;
    int64_t seen, stop_at;
    struct str last; /* of the row before: still there */
};

static size_t text_of(int64_t seq, char *out, size_t room)
{
    int n = snprintf(out, room,
                     "{\"actor\":{\"how\":\"none\",\"name\":\"a%lld\"},\"seq\":%lld,"
                     "\"time\":\"2026-11-22T10:00:00Z\",\"type\":\"lock\",\"v\":1}",
                     (long long)seq, (long long)seq);
    assert_true(n > 0 && (size_t)n < room);
    if (seq != LARGE)
        return (size_t)n;
    memset(out + n, 'x', (size_t)LARGE_BYTES - (size_t)n); /* no event any more */
    return LARGE_BYTES;
}

static bool take(void *ctx, const struct audit_row *row, struct err *err)
{
    struct world *world = ctx;
    static const size_t room = (size_t)LARGE_BYTES + 1000;
    char *want = malloc(room);
    struct audit_pending again;
    assert_non_null(want);
    if (world->last.len) {
        size_t n = text_of(world->seen - 1, want, room);
        assert_true(str_equal(world->last, (struct str){want, n}));
    }
    size_t n = text_of(world->seen, want, room);
    assert_int_equal(row->seq, world->seen);
    assert_true(str_equal(row->line, (struct str){want, n}));
    assert_true(str_equal(row->type, STR("lock")) && str_equal(row->stack, STR("")));
    assert_int_equal(row->actor.len, row->seq % 7);
    assert_true(audit_verify_read(world->hasher, row->line, &again));
    assert_true(digest_equal(&again.sha, &row->read.sha) &&
                digest_equal(&again.leaf, &row->read.leaf));
    assert_int_equal(row->read.readable, row->seq != LARGE);
    if (row->read.readable)
        assert_int_equal(row->read.line.seq, row->seq);
    free(want);
    world->last = row->line;
    world->seen++;
    return world->seen != world->stop_at || err_set(err, ERR_CONFLICT, "enough");
}

static bool feed(struct world *world, int64_t rows, struct err *err)
{
    struct audit_ahead *ahead = NULL;
    size_t room = (size_t)LARGE_BYTES + 1000;
    char *text = malloc(room);
    bool ok = true;
    assert_non_null(text);
    assert_true(audit_ahead_open(&ahead, take, world, err));
    for (int64_t i = 0; ok && i < rows; i++) {
        const struct audit_row row = {.seq = i,
                                      .line = {text, text_of(i, text, room)},
                                      .type = STR("lock"),
                                      .stack = STR(""),
                                      .actor = {"sevens!", (size_t)(i % 7)}};
        ok = audit_ahead_add(ahead, &row, err);
    }
    ok = ok && audit_ahead_end(ahead, err);
    audit_ahead_close(ahead);
    free(text);
    return ok;
}

static void rows_come_back_in_order(void **state)
{
    (void)state;
    static const int64_t sizes[] = {0, 1, 1023, 1024, 1025, 2048, 3072, 3073, ROWS};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct err err = {0};
        struct world world = {.hasher = hasher_open(&err), .stop_at = -1};
        assert_non_null(world.hasher);
        if (!feed(&world, sizes[i], &err))
            fail_msg("%s", err.frame[0]);
        assert_int_equal(world.seen, sizes[i]);
        hasher_close(world.hasher);
    }
}

static void who_takes_may_end_it(void **state)
{
    (void)state;
    static const int64_t at[] = {1, 1024, 1025, ROWS};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        struct err err = {0};
        struct world world = {.hasher = hasher_open(&err), .stop_at = at[i]};
        assert_non_null(world.hasher);
        assert_false(feed(&world, ROWS, &err));
        assert_int_equal(err.kind, ERR_CONFLICT);
        assert_int_equal(world.seen, at[i]);
        hasher_close(world.hasher);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_in_order),
        cmocka_unit_test(who_takes_may_end_it),
    };
    return cmocka_run_group_tests_name("record/audit_ahead", tests, NULL, NULL);
}
