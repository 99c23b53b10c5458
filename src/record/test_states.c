/* test_states.c - states and tokens on both stores: bytes, versions, locks, digests. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/record.h"
#include "record/states.h"
#include "record/test_stores.h"
#include "record/tokens.h"

struct opened {
    struct arena arena;
    struct record record;
};

static void begin(struct opened *o, const struct test_store *store)
{
    struct err err = {0};
    struct record_options options = {.url = str_from(store->url), .env = test_store_env};
    *o = (struct opened){.arena = {.limit = ARENA_DEFAULT_LIMIT}};
    assert_true(record_open(&o->arena, &options, &o->record, &err));
}

static void end(struct opened *o)
{
    record_close(&o->record);
    arena_free(&o->arena);
}

static void put(struct opened *o, const char *stack, struct str body, int64_t serial)
{
    struct buf packed = {.limit = STATE_BYTES_MAX};
    struct state_row row = {0};
    struct state_version v = {.serial = serial,
                              .lineage = STR("l"),
                              .utc_ms = 5,
                              .actor = STR("me"),
                              .lock_id = STR("k"),
                              .size = (int64_t)body.len};
    assert_true(digest_sha256(body, &v.digest, NULL));
    assert_true(state_pack(body, &packed, NULL));
    assert_true(db_begin(o->record.db, DB_WRITE, NULL));
    assert_true(states_get(&o->arena, o->record.db, str_from(stack), &row, NULL));
    assert_true(states_write(o->record.db, &row, &v, buf_view(&packed), NULL));
    row.version = row.versions = v.version;
    assert_true(states_prune(o->record.db, &row, 3, NULL));
    assert_true(db_commit(o->record.db, NULL));
    buf_free(&packed);
}

static void versions_are_kept_and_read_back(void **state)
{
    struct opened o;
    struct state_version *versions = NULL, got;
    size_t n = 0, big = 5u << 20;
    struct state_row row = {0};
    struct buf body = {.limit = STATE_BYTES_MAX + 1};
    begin(&o, *state);
    char *bytes = malloc(big);
    assert_non_null(bytes);
    for (size_t i = 0; i < big; i++) /* nothing that compresses well */
        bytes[i] = (char)((i * 2654435761u >> 7) ^ i);
    put(&o, "a/b", STR("{}"), 1);
    put(&o, "a/b", (struct str){bytes, big}, 2);
    put(&o, "other", STR("x"), 9);
    assert_true(states_get(&o.arena, o.record.db, STR("a/b"), &row, NULL));
    assert_true(row.known);
    assert_int_equal(row.version, 2);
    assert_int_equal(row.serial, 2);
    assert_true(states_read(&o.arena, o.record.db, STR("a/b"), 2, &body, &got, NULL));
    assert_int_equal(body.len, big);
    assert_memory_equal(body.ptr, bytes, big);
    for (int64_t i = 3; i < 6; i++)
        put(&o, "a/b", STR("{ }"), i);
    assert_true(states_versions(&o.arena, o.record.db, STR("a/b"), &versions, &n, NULL));
    assert_int_equal(n, 3);
    assert_int_equal(versions[0].version, 5);
    struct err err = {0};
    body.len = 0;
    assert_false(states_read(&o.arena, o.record.db, STR("a/b"), 2, &body, &got, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    free(bytes);
    buf_free(&body);
    end(&o);
}

/* Byte by byte, whatever language the server speaks. */
static void a_list_is_in_the_same_order_in_every_store(void **state)
{
    static const char *const names[] = {"B", "_", "a", "a-b", "aa", "b"};
    enum { NAMES = sizeof names / sizeof *names };
    struct opened o;
    struct state_row *rows = NULL;
    size_t n = 0;
    begin(&o, *state);
    for (size_t i = NAMES; i-- > 0;)
        put(&o, names[i], STR("{}"), 1);
    assert_true(states_list(&o.arena, o.record.db, &rows, &n, NULL));
    assert_int_equal(n, NAMES);
    for (size_t i = 0; i < NAMES; i++)
        assert_true(str_equal(rows[i].stack, str_from(names[i])));
    end(&o);
}

static void changed_bytes_are_noticed(void **state)
{
    struct opened o;
    struct state_version got;
    struct err err = {0};
    struct buf body = {.limit = 1 << 20}, other = {.limit = 1 << 20};
    begin(&o, *state);
    put(&o, "s", STR("{\"a\":1}"), 1);
    assert_true(state_pack(STR("{\"a\":2}"), &other, NULL));
    struct db_value param[] = {DB_PARAM_BYTES(buf_view(&other))};
    assert_true(db_run(o.record.db, "UPDATE state_part SET bytes = $1", param, 1, NULL));
    assert_false(states_read(&o.arena, o.record.db, STR("s"), 1, &body, &got, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    buf_free(&body);
    buf_free(&other);
    end(&o);
}

static void a_lock_is_taken_and_given_back(void **state)
{
    struct opened o;
    struct state_row row = {0}, *rows = NULL;
    size_t n = 0;
    begin(&o, *state);
    struct state_lock lock = {.id = STR("k1"),
                              .info = STR("{}"),
                              .kind = STR("write"),
                              .token = 3,
                              .name = STR("ci"),
                              .taken_utc_ms = 77};
    struct state_lock none = {0};
    assert_true(states_get(&o.arena, o.record.db, STR("s"), &row, NULL));
    assert_false(row.known);
    assert_true(states_set_lock(o.record.db, &row, &lock, NULL));
    assert_true(states_get(&o.arena, o.record.db, STR("s"), &row, NULL));
    assert_true(str_equal(row.lock.id, STR("k1")) && row.lock.token == 3);
    assert_true(states_list(&o.arena, o.record.db, &rows, &n, NULL));
    assert_int_equal(n, 1);
    assert_true(states_set_lock(o.record.db, &row, &none, NULL));
    assert_true(states_get(&o.arena, o.record.db, STR("s"), &row, NULL));
    assert_true(row.lock.id.len == 0 && str_equal(row.lock_last, STR("k1")));
    end(&o);
}

static void tokens_are_found_by_digest_and_revoked(void **state)
{
    struct opened o;
    struct token made = {.name = STR("ci"), .role = ROLE_APPLY, .created_utc_ms = 5}, *list = NULL;
    struct str text = {0}, second = {0};
    struct digest hash;
    size_t n = 0;
    struct err err = {0};
    begin(&o, *state);
    assert_true(token_create(&o.arena, o.record.db, &made, &text, NULL));
    assert_true(token_create(&o.arena, o.record.db, &made, &second, NULL));
    assert_int_equal(text.len, TOKEN_TEXT);
    assert_false(str_equal(text, second));
    assert_true(token_list(&o.arena, o.record.db, &list, &n, NULL));
    assert_int_equal(n, 2);
    assert_true(token_hash(text, &hash, NULL) && digest_equal(&hash, &list[0].hash));
    assert_true(token_is_live(&list[0], 10));
    assert_true(token_revoke(o.record.db, list[0].id, 7, NULL));
    assert_true(token_list(&o.arena, o.record.db, &list, &n, NULL));
    assert_false(token_is_live(&list[0], 10));
    assert_false(token_revoke(o.record.db, 99, 7, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    end(&o);
}

/* A certificate has one token that counts; what it had before stays in the list. */
static void a_certificate_is_known_once(void **state)
{
    struct opened o;
    struct token made = {.name = STR("ci"), .role = ROLE_PLAN, .created_utc_ms = 5};
    struct token first, second, third, *list = NULL;
    size_t n = 0;
    struct err err = {0};
    begin(&o, *state);
    memset(made.hash.byte, 7, DIGEST_SIZE);
    first = second = third = made;
    first.expires_utc_ms = 100;
    assert_true(token_create_known(o.record.db, &first, NULL));
    assert_false(token_create_known(o.record.db, &second, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    assert_true(token_revoke(o.record.db, first.id, 7, NULL));
    second.expires_utc_ms = 50;
    assert_true(token_create_known(o.record.db, &second, NULL));
    third.created_utc_ms = 50; /* the one before has ended by itself */
    assert_true(token_create_known(o.record.db, &third, NULL));
    assert_true(token_list(&o.arena, o.record.db, &list, &n, NULL));
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(digest_equal(&list[i].hash, &made.hash), i == 2);
    end(&o);
}

static void names_are_checked(void **state)
{
    static const char *const good[] = {"a", "net/prod", "é-1", "a.b/..c"};
    static const char *const bad[] = {"", "/a", "a/", "a//b", "..", "a/../b", ".", "a\nb", "\xff"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(state_name_good(str_from(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(state_name_good(str_from(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_kept_and_read_back),
        cmocka_unit_test(a_list_is_in_the_same_order_in_every_store),
        cmocka_unit_test(changed_bytes_are_noticed),
        cmocka_unit_test(a_lock_is_taken_and_given_back),
        cmocka_unit_test(tokens_are_found_by_digest_and_revoked),
        cmocka_unit_test(a_certificate_is_known_once),
        cmocka_unit_test(names_are_checked),
    };
    return test_stores_run("record/states", tests, sizeof tests / sizeof *tests);
}
