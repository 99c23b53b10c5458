/* test_permit.c - approvals are good for one apply of one plan, once. */
#include "record/test_stores.h"

#include "base/arena.h"
#include "record/audit.h"
#include "record/permit.h"
#include "record/record.h"

static int64_t clock_now(void *clock)
{
    return *(int64_t *)clock;
}

struct fixture {
    struct arena arena;
    struct record record;
    int64_t now;
};

static void open_store(struct fixture *f, const struct test_store *store)
{
    struct err err = {0};
    f->arena.limit = 16 << 20;
    f->now = 1800000000000;
    const struct record_options options = {
        .url = str_from(store->url), .env = test_store_env, .now_ms = clock_now, .clock = &f->now};
    bool ok = record_open(&f->arena, &options, &f->record, &err);
    if (!ok)
        print_message("%s\n", err.frame[0]);
    assert_true(ok);
}

static void close_store(struct fixture *f)
{
    record_close(&f->record);
    arena_free(&f->arena);
}

static const struct permit_terms terms = {STR_INIT("shop"), STR_INIT("sha256:aa"), STR_INIT("l-1"),
                                          7, false};
static const struct event_actor ann = {STR_INIT("ann"), STR_INIT("os-user")};

static struct str issue(struct fixture *f)
{
    struct str token = {0};
    struct err err = {0};
    assert_true(db_begin(f->record.db, DB_WRITE, &err));
    assert_true(permit_issue(&f->record, &f->arena, &terms, f->now + 1000, &ann, &token, &err));
    assert_true(db_commit(f->record.db, &err));
    assert_int_equal(token.len, 12 + 43);
    return token;
}

static void asked(struct fixture *f, struct str token, struct permit_terms what,
                  enum permit_answer want)
{
    enum permit_answer got = PERMIT_NONE;
    struct err err = {0};
    assert_true(permit_check(&f->record, token, &what, &got, &err));
    assert_int_equal(got, want);
    if (want == PERMIT_GOOD)
        return;
    assert_true(permit_use(&f->record, token, &what, &ann, &got, &err));
    assert_int_equal(got, want);
}

static void it_is_for_one_plan_of_one_stack_in_one_state(void **state)
{
    struct fixture f = {0};
    struct permit_terms what = terms;
    open_store(&f, *state);
    struct str token = issue(&f);
    asked(&f, token, terms, PERMIT_GOOD);
    asked(&f, STR("plumb_apply_x"), terms, PERMIT_NONE);
    asked(&f, STR(""), terms, PERMIT_NONE);
    what.stack = STR("other");
    asked(&f, token, what, PERMIT_OTHER_STACK);
    what = terms;
    what.plan = STR("sha256:bb");
    asked(&f, token, what, PERMIT_OTHER_PLAN);
    what = terms;
    what.serial = 8;
    asked(&f, token, what, PERMIT_OTHER_STATE);
    what = terms;
    what.lineage = STR("l-2");
    asked(&f, token, what, PERMIT_OTHER_STATE);
    what.plan = STR("");
    what.any_state = true;
    asked(&f, token, what, PERMIT_GOOD);
    f.now += 1000;
    asked(&f, token, terms, PERMIT_EXPIRED);
    close_store(&f);
}

static void it_is_used_once(void **state)
{
    struct fixture f = {0};
    enum permit_answer got = PERMIT_NONE;
    struct err err = {0};
    int64_t before = 0, after = 0;
    open_store(&f, *state);
    struct str token = issue(&f);
    assert_true(audit_size(&f.record, &before, &err));
    assert_true(permit_use(&f.record, token, &terms, &ann, &got, &err));
    assert_int_equal(got, PERMIT_GOOD);
    assert_true(permit_use(&f.record, token, &terms, &ann, &got, &err));
    assert_int_equal(got, PERMIT_USED);
    assert_true(audit_size(&f.record, &after, &err));
    assert_int_equal(after, before + 2);
    close_store(&f);
}

static bool see_token(void *ctx, const struct db_row *row, struct err *err)
{
    const struct str *token = ctx;
    (void)err;
    assert_true(str_find(db_text(row, 0), *token, 0) == SIZE_MAX);
    return true;
}

static void the_store_does_not_have_it(void **state)
{
    struct fixture f = {0};
    struct err err = {0};
    open_store(&f, *state);
    struct str token = issue(&f);
    assert_true(
        db_query(f.record.db, "SELECT line FROM audit_event", NULL, 0, see_token, &token, &err));
    assert_true(
        db_query(f.record.db, "SELECT token FROM permit", NULL, 0, see_token, &token, &err));
    close_store(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_for_one_plan_of_one_stack_in_one_state),
        cmocka_unit_test(it_is_used_once),
        cmocka_unit_test(the_store_does_not_have_it),
    };
    return test_stores_run("record/permit", tests, sizeof tests / sizeof *tests);
}
