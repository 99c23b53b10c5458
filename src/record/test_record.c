/* test_record.c - opening, migrating and keying a store, on both kinds. */
#include "base/test.h"

#include "base/arena.h"
#include "model/event.h"
#include "record/audit.h"
#include "record/record.h"
#include "record/schema.h"
#include "record/test_stores.h"

static const char *no_env(const char *name)
{
    (void)name;
    return NULL;
}

static const char *other_key(const char *name)
{
    return strcmp(name, "PLUMB_KEY") == 0 ? "another key of thirty-two bytes" : NULL;
}

static const char *short_key(const char *name)
{
    return strcmp(name, "PLUMB_KEY") == 0 ? "short" : NULL;
}

static bool open_with(struct arena *arena, const struct test_store *store,
                      const char *(*env)(const char *), struct record *ret, struct err *err)
{
    const struct record_options options = {
        .url = str_from(store->url), .env = env, .timeout_ms = TEST_STORE_PATIENCE_MS};
    return record_open(arena, &options, ret, err);
}

static void opening_makes_the_newest_schema_once(void **state)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct record record = {0};
    struct err err = {0};
    size_t newest = 0, applied = 9;
    int64_t version = 0;
    (void)schema_migrations(&newest);
    const struct record_options look = {.url = str_from(((struct test_store *)*state)->url),
                                        .read_only = true};
    assert_false(record_open(&arena, &look, &record, &err)); /* nothing there yet */
    assert_true(open_with(&arena, *state, test_store_env, &record, &err));
    assert_true(schema_version(record.db, &version, &err));
    assert_int_equal(version, newest);
    assert_true(schema_migrate(record.db, 1, &applied, &err));
    assert_int_equal(applied, 0);
    record_close(&record);
    assert_true(record_open(&arena, &look, &record, &err));
    record_close(&record);
}

/* A log that has begun tells of it; a store that was made just now has nothing to tell. */
static void a_migration_stands_in_the_log(void **state)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct record record = {0};
    struct err err = {0};
    struct str line = {0};
    int64_t n = 0;
    size_t newest = 0;
    const char *told = "SELECT count(*) FROM audit_event WHERE type = 'store'";
    const struct event event = {.type = EVENT_LOCK, .actor = {STR("alice"), STR("os-user")}};
    (void)schema_migrations(&newest);
    assert_true(open_with(&arena, *state, test_store_env, &record, &err));
    assert_true(db_one_int(record.db, "SELECT count(*) FROM audit_event", NULL, 0, &n, &err));
    assert_int_equal(n, 0);
    assert_true(audit_write(&record, &event, NULL, &err));
    /* back to the schema before */
    const struct db_value version = DB_PARAM_INT((int64_t)newest);
    assert_true(db_script(record.db, "ALTER TABLE stack DROP COLUMN failed_run", &err));
    assert_true(
        db_run(record.db, "DELETE FROM plumb_schema WHERE version = $1", &version, 1, &err));
    record_close(&record);
    for (int i = 0; i < 2; i++) { /* the second time there is nothing to do */
        if (!open_with(&arena, *state, test_store_env, &record, &err))
            fail_msg("%s", err.frame[0]);
        assert_true(db_one_int(record.db, told, NULL, 0, &n, &err));
        assert_int_equal(n, 1);
        assert_true(db_one_text(record.db, &arena,
                                "SELECT line FROM audit_event WHERE type = 'store'", NULL, 0, &line,
                                &err));
        assert_true(str_find(line, STR("\"outcome\":\"migrated\""), 0) != SIZE_MAX);
        record_close(&record);
    }
}

static void a_newer_store_is_refused_and_left_alone(void **state)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct record record = {0};
    struct err err = {0};
    assert_true(open_with(&arena, *state, test_store_env, &record, &err));
    assert_true(db_run(record.db, "INSERT INTO plumb_schema VALUES (1000, 'of tomorrow', 1)", NULL,
                       0, &err));
    record_close(&record);
    assert_false(open_with(&arena, *state, test_store_env, &record, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    assert_non_null(strstr(err.frame[0], "newer plumb"));
}

static void somebody_elses_database_is_refused(void **state)
{
    struct test_store *store = *state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct record record = {0};
    struct db *db = NULL;
    struct err err = {0};
    if (store->server[0])
        return; /* a server's database may be shared by intent */
    assert_true(db_open(&db, str_from(store->url), NULL, &err));
    assert_true(db_script(db, "CREATE TABLE customer (id BIGINT)", &err));
    db_close(db);
    assert_false(open_with(&arena, store, test_store_env, &record, &err));
    assert_int_equal(err.kind, ERR_SYNTAX);
}

/* Four processes begin with the same empty store. */
static void processes_that_begin_at_once_migrate_once(void **state)
{
    struct test_store *store = *state;
    pid_t child[4];
    for (size_t i = 0; i < 4; i++) {
        if ((child[i] = fork()) != 0)
            continue;
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct record record = {0};
        struct err err = {0};
        struct str key;
        bool ok =
            open_with(&arena, store, store->server[0] ? test_store_env : no_env, &record, &err) &&
            record_key(&record, &key, &err);
        if (!ok)
            (void)fprintf(stderr, "child: %s\n", err.frame[0]);
        record_close(&record);
        arena_free(&arena);
        _exit(ok ? 0 : 1);
    }
    for (size_t i = 0; i < 4; i++) {
        int status = -1;
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_int_equal(status, 0);
    }
}

static void the_key_is_made_once_and_must_stay(void **state)
{
    struct test_store *store = *state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct record record = {0}, again = {0};
    struct err err = {0};
    struct str key, same;
    const char *(*env)(const char *) = store->server[0] ? test_store_env : no_env;
    assert_true(open_with(&arena, store, env, &record, &err));
    assert_true(record_key(&record, &key, &err));
    assert_true(open_with(&arena, store, env, &again, &err));
    assert_true(record_key(&again, &same, &err));
    assert_true(str_equal(key, same));
    record_close(&again);
    if (!store->server[0]) {
        struct stat st;
        char path[500];
        (void)snprintf(path, sizeof path, "%s.key", store->url + sizeof "sqlite:" - 1);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_true(key.len >= 40);
        assert_int_equal(chmod(path, 0644), 0);
        assert_true(open_with(&arena, store, env, &again, &err));
        assert_false(record_key(&again, &same, &err)); /* anybody may have it by now */
        assert_int_equal(err.kind, ERR_IO);
        record_close(&again);
        assert_int_equal(unlink(path), 0); /* it comes from a backup, not anew */
        assert_true(open_with(&arena, store, env, &again, &err));
        assert_false(record_key(&again, &same, &err));
        assert_int_equal(err.kind, ERR_CONFLICT);
        assert_int_not_equal(access(path, F_OK), 0);
        record_close(&again);
    } else {
        assert_true(open_with(&arena, store, no_env, &again, &err));
        assert_false(record_key(&again, &same, &err));
        assert_int_equal(err.kind, ERR_USAGE);
        record_close(&again);
    }
    assert_true(open_with(&arena, store, other_key, &again, &err));
    assert_false(record_key(&again, &same, &err));
    assert_int_equal(err.kind, ERR_CONFLICT);
    record_close(&again);
    assert_true(open_with(&arena, store, short_key, &again, &err));
    assert_false(record_key(&again, &same, &err));
    assert_int_equal(err.kind, ERR_USAGE);
    record_close(&again);
    record_close(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_makes_the_newest_schema_once),
        cmocka_unit_test(a_migration_stands_in_the_log),
        cmocka_unit_test(a_newer_store_is_refused_and_left_alone),
        cmocka_unit_test(somebody_elses_database_is_refused),
        cmocka_unit_test(processes_that_begin_at_once_migrate_once),
        cmocka_unit_test(the_key_is_made_once_and_must_stay),
    };
    return test_stores_run("record/record", tests, sizeof tests / sizeof *tests);
}
