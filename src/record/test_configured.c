/* test_configured.c - configurations of providers in both stores: values, digests, one event for
 * each that is another, retention. */
#include "record/test_stores.h"

#include "base/arena.h"
#include "record/audit.h"
#include "record/configured.h"
#include "record/maintain.h"
#include "record/record.h"
#include "record/retire.h"
#include "wire/json.h"

static int64_t clock_now(void *clock)
{
    return *(int64_t *)clock;
}

struct fixture {
    struct arena arena;
    struct record record;
    int64_t now;
    struct str key;
};
static const struct event_actor ann = {STR_INIT("ann"), STR_INIT("os-user")};
static const struct value secret = {.kind = VALUE_STRING, .len = 6, .text = "c4nary"};

static void open_store(struct fixture *f, const struct test_store *store)
{
    struct err err = {0};
    f->arena.limit = 16 << 20;
    f->now = 1800000000000;
    const struct record_options options = {
        .url = str_from(store->url), .env = test_store_env, .now_ms = clock_now, .clock = &f->now};
    assert_true(record_open(&f->arena, &options, &f->record, &err));
    assert_true(record_key(&f->record, &f->key, &err));
}

static void close_store(struct fixture *f)
{
    record_close(&f->record);
    arena_free(&f->arena);
}

/* host as it is, token as a digest */
static struct configured make(struct fixture *f, const char *host)
{
    struct configured c = {
        .stack = STR("shop"), .name = STR("provider[\"h/n/t\"].a"), .block = STR("sha256:00")};
    struct value text = value_string(str_from(host));
    struct value_member *m = arena_new(&f->arena, struct value_member, 2);
    m[0].key = key_make(&f->arena, STR("host"));
    m[1].key = key_make(&f->arena, STR("token"));
    assert_true(configured_value(&f->arena, &text, &m[0].value, NULL));
    assert_true(configured_secret(&f->arena, f->key, &secret, &m[1].value, NULL));
    assert_true(value_members(VALUE_OBJECT, m, 2, &c.settings, NULL, NULL));
    return c;
}

static bool find(struct fixture *f, const char *stack, struct configured *ret)
{
    bool found = false;
    assert_true(configured_find(&f->record, &f->arena, str_from(stack),
                                STR("provider[\"h/n/t\"].a"), ret, &found, NULL));
    return found;
}

static int64_t events(struct fixture *f)
{
    int64_t n = 0;
    assert_true(db_one_int(f->record.db,
                           "SELECT count(*) FROM audit_event WHERE type = 'provider.config'", NULL,
                           0, &n, NULL));
    return n;
}

static void what_is_kept_is_found(void **state)
{
    struct fixture f = {0};
    struct configured got;
    open_store(&f, *state);
    const struct configured a = make(&f, "a");
    assert_false(find(&f, "shop", &got));
    assert_true(configured_keep(&f.record, &a, &ann, NULL));
    assert_false(find(&f, "other", &got));
    assert_true(find(&f, "shop", &got));
    assert_true(str_equal(got.block, a.block));
    assert_true(str_equal(got.by, STR("ann")));
    assert_int_equal(got.seen_utc_ms, f.now);
    const struct value *host = value_get(&got.settings, STR("host"));
    assert_true(str_equal(value_get_string(host, STR("value")), STR("a")));
    const struct value *token = value_get(&got.settings, STR("token"));
    assert_null(value_get(token, STR("value")));
    assert_true(configured_is(f.key, token, &secret));
    assert_false(configured_is(STR("another key"), token, &secret));
    assert_false(configured_is(f.key, token, host));
    assert_false(configured_is(f.key, host, &secret)); /* no digest is nobody's */
    close_store(&f);
}

static void only_another_one_is_an_event(void **state)
{
    struct fixture f = {0};
    struct configured first, got;
    open_store(&f, *state);
    const struct configured a = make(&f, "a"), b = make(&f, "b");
    assert_true(configured_keep(&f.record, &a, &ann, NULL));
    assert_true(find(&f, "shop", &first));
    f.now += 1000;
    assert_true(configured_keep(&f.record, &a, &ann, NULL));
    assert_int_equal(events(&f), 1);
    assert_true(find(&f, "shop", &got));
    assert_int_equal(got.seen_utc_ms, f.now);
    assert_int_equal(got.event, first.event);
    assert_true(configured_keep(&f.record, &b, &ann, NULL));
    assert_int_equal(events(&f), 2);
    assert_true(find(&f, "shop", &got));
    assert_true(got.event > first.event);
    close_store(&f);
}

static void what_no_run_had_for_long_goes(void **state)
{
    struct fixture f = {0};
    struct configured got;
    struct pruned pruned;
    open_store(&f, *state);
    const struct configured a = make(&f, "a");
    assert_true(configured_keep(&f.record, &a, &ann, NULL));
    f.now += 10000;
    assert_true(store_prune(&f.record, 20000, &ann, &pruned, NULL));
    assert_true(find(&f, "shop", &got));
    assert_true(store_prune(&f.record, 5000, &ann, &pruned, NULL));
    assert_false(find(&f, "shop", &got));
    close_store(&f);
}

static void a_retired_stack_takes_its_own_along(void **state)
{
    struct fixture f = {0};
    struct configured got;
    open_store(&f, *state);
    struct configured a = make(&f, "a"), b = make(&f, "b");
    b.stack = STR("net");
    assert_true(configured_keep(&f.record, &a, &ann, NULL));
    assert_true(configured_keep(&f.record, &b, &ann, NULL));
    assert_true(db_begin(f.record.db, DB_WRITE, NULL));
    assert_true(retire_stack(&f.record, STR("shop"), NULL));
    assert_true(db_commit(f.record.db, NULL));
    assert_false(find(&f, "shop", &got));
    assert_true(find(&f, "net", &got));
    close_store(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_is_found),
        cmocka_unit_test(only_another_one_is_an_event),
        cmocka_unit_test(what_no_run_had_for_long_goes),
        cmocka_unit_test(a_retired_stack_takes_its_own_along),
    };
    return test_stores_run("record/configured", tests, sizeof tests / sizeof *tests);
}
