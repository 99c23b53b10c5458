/* test_db.c - db.h on SQLite and on a real PostgreSQL server: a behaviour is a test, run on both.
 */
#include "base/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/io.h"
#include "record/test_stores.h"

static struct db *open_store(const struct test_store *store, const struct db_options *options)
{
    struct db *db = NULL;
    struct err err = {0};
    char text[1000];
    if (!db_open(&db, str_from(store->url), options, &err))
        fail_msg("%s", err_text(&err, text, sizeof text));
    return db;
}

#define OK(call) \
    do { \
        struct err err = {0}; \
        char text[1000]; \
        if (!(call)) \
            fail_msg(#call ": %s", err_text(&err, text, sizeof text)); \
    } while (0)
#define FAILS(kind_, call) \
    do { \
        struct err err = {0}; \
        assert_false(call); \
        if (err.kind != (kind_)) \
            fail_msg(#call ": kind %d: %s", (int)err.kind, err.frame[0]); \
    } while (0)

static void make_table(struct db *db)
{
    char sql[200];
    (void)snprintf(sql, sizeof sql,
                   "CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT, bytes %s);"
                   "CREATE TABLE other (id BIGINT PRIMARY KEY)",
                   db_type_bytes(db));
    OK(db_script(db, sql, &err));
}

static const char insert[] = "INSERT INTO t (bytes, name, id) VALUES ($3, $2, $1)";

static int64_t count(struct db *db)
{
    int64_t n = -1;
    OK(db_one_int(db, "SELECT count(*) FROM t", NULL, 0, &n, &err));
    return n;
}

struct expected {
    const struct db_value *value;
    size_t rows;
};

static bool same_row(void *ctx, const struct db_row *row, struct err *err)
{
    (void)err;
    struct expected *want = ctx;
    const struct db_value *v = want->value;
    want->rows++;
    assert_true(db_int(row, 0) == v[0].integer);
    assert_int_equal(db_is_null(row, 1), v[1].kind == DB_NULL);
    assert_true(str_equal(db_text(row, 1), v[1].text));
    assert_int_equal(db_is_null(row, 2), v[2].kind == DB_NULL);
    assert_true(str_equal(db_bytes(row, 2), v[2].text));
    assert_int_equal(db_int(row, 1), 0); /* another kind */
    assert_true(db_is_null(row, 3));     /* no such column */
    return true;
}

static void values_come_back_as_they_went(void **state)
{
    struct db *db = open_store(*state, NULL);
    const struct db_value rows[][3] = {
        {DB_PARAM_INT(INT64_MAX), DB_PARAM_TEXT(STR("text")), DB_PARAM_BYTES(STR("a\0b\xff"))},
        {DB_PARAM_INT(INT64_MIN), DB_PARAM_TEXT(STR("")), DB_PARAM_BYTES(STR(""))},
        {DB_PARAM_INT(-1), DB_PARAM_TEXT(STR("h\xc3\xa4'\"\\$1;--")), DB_PARAM_NULL},
        {DB_PARAM_INT(0), DB_PARAM_NULL, DB_PARAM_BYTES(STR("\\x00"))},
    };
    make_table(db);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct expected want = {rows[i], 0};
        OK(db_run(db, insert, rows[i], 3, &err));
        assert_int_equal(db_changed(db), 1);
        OK(db_query(db, "SELECT id, name, bytes FROM t WHERE id = $1 AND $1 = id", rows[i], 1,
                    same_row, &want, &err));
        assert_int_equal(want.rows, 1);
    }
    OK(db_run(db, "UPDATE t SET name = 'x'", NULL, 0, &err));
    assert_int_equal(db_changed(db), 4);
    db_close(db);
}

static void text_that_a_store_would_change_is_refused_before(void **state)
{
    struct db *db = open_store(*state, NULL);
    const struct str bad[] = {STR("a\0b"), STR("\xff"), STR("\xed\xa0\x80")};
    make_table(db);
    for (size_t i = 0; i < 3; i++) {
        const struct db_value row[] = {DB_PARAM_INT(1), DB_PARAM_TEXT(bad[i]), DB_PARAM_NULL};
        FAILS(ERR_SYNTAX, db_run(db, insert, row, 3, &err));
    }
    assert_int_equal(count(db), 0);
    db_close(db);
}

static void a_transaction_is_all_or_nothing(void **state)
{
    struct db *db = open_store(*state, NULL);
    const struct db_value one[] = {DB_PARAM_INT(1), DB_PARAM_NULL, DB_PARAM_NULL};
    const struct db_value two[] = {DB_PARAM_INT(2), DB_PARAM_NULL, DB_PARAM_NULL};
    make_table(db);
    OK(db_begin(db, DB_WRITE, &err));
    FAILS(ERR_CONFLICT, db_begin(db, DB_WRITE, &err));
    OK(db_run(db, insert, one, 3, &err));
    db_rollback(db);
    assert_int_equal(count(db), 0);
    FAILS(ERR_CONFLICT, db_commit(db, &err));

    OK(db_begin(db, DB_WRITE, &err));
    OK(db_run(db, insert, one, 3, &err));
    OK(db_commit(db, &err));
    OK(db_begin(db, DB_WRITE, &err));
    OK(db_run(db, insert, two, 3, &err));
    FAILS(ERR_CONFLICT, db_run(db, insert, one, 3, &err)); /* its key is there */
    db_rollback(db);
    assert_int_equal(count(db), 1);
    db_close(db);
    db = open_store(*state, NULL); /* closing takes back what is open */
    OK(db_begin(db, DB_WRITE, &err));
    OK(db_run(db, insert, two, 3, &err));
    db_close(db);
    db = open_store(*state, NULL);
    assert_int_equal(count(db), 1);
    db_close(db);
}

struct series {
    int64_t next, end, repeat_at;
    char name[32];
};

static bool next_row(void *ctx, struct db_value *param)
{
    struct series *s = ctx;
    if (s->next == s->end)
        return false;
    int len = snprintf(s->name, sizeof s->name, "row %lld", (long long)s->next);
    param[0] = DB_PARAM_INT(s->next == s->repeat_at ? 0 : s->next);
    param[1] = DB_PARAM_TEXT(((struct str){s->name, (size_t)len}));
    param[2] = DB_PARAM_NULL;
    s->next++;
    return true;
}

static void many_rows_go_in_one_call(void **state)
{
    struct db *db = open_store(*state, NULL);
    struct series good = {.end = 5000, .repeat_at = -1}, none = {.end = 0};
    struct series bad = {.next = 5000, .end = 9000, .repeat_at = 7777};
    AUTO_ARENA arena = {.limit = 1 << 16};
    struct str name;
    make_table(db);
    FAILS(ERR_CONFLICT, db_run_many(db, insert, 3, next_row, &good, &err)); /* no transaction */
    OK(db_begin(db, DB_WRITE, &err));
    OK(db_run_many(db, insert, 3, next_row, &none, &err));
    OK(db_run_many(db, insert, 3, next_row, &good, &err));
    assert_int_equal(count(db), 5000);
    OK(db_commit(db, &err));
    OK(db_begin(db, DB_WRITE, &err));
    FAILS(ERR_CONFLICT, db_run_many(db, insert, 3, next_row, &bad, &err));
    db_rollback(db);
    assert_int_equal(count(db), 5000);
    const struct db_value id = DB_PARAM_INT(4711);
    OK(db_one_text(db, &arena, "SELECT name FROM t WHERE id = $1", &id, 1, &name, &err));
    assert_true(str_equal(name, STR("row 4711")));
    db_close(db);
}

static bool stop_at_third(void *ctx, const struct db_row *row, struct err *err)
{
    int *n = ctx;
    (void)row;
    return ++*n < 3 || err_set(err, ERR_CANCELLED, "enough");
}

static void a_query_ends_where_its_callback_says_so(void **state)
{
    struct db *db = open_store(*state, NULL);
    struct series rows = {.end = 1000, .repeat_at = -1};
    int n = 0;
    int64_t none = 7;
    struct err nothing = {0};
    make_table(db);
    OK(db_begin(db, DB_WRITE, &err));
    OK(db_run_many(db, insert, 3, next_row, &rows, &err));
    OK(db_commit(db, &err));
    FAILS(ERR_CANCELLED, db_query(db, "SELECT id FROM t", NULL, 0, stop_at_third, &n, &err));
    assert_int_equal(n, 3);
    assert_int_equal(count(db), 1000);
    assert_false(db_one_int(db, "SELECT id FROM t WHERE id < 0", NULL, 0, &none, &nothing));
    assert_int_equal(nothing.kind, ERR_NONE);
    assert_int_equal(none, 7);
    db_close(db);
}

static void a_statement_that_does_not_fit_says_so(void **state)
{
    struct db *db = open_store(*state, NULL);
    make_table(db);
    FAILS(ERR_SYNTAX, db_run(db, "INSERT INTO nowhere VALUES (1)", NULL, 0, &err));
    FAILS(ERR_SYNTAX, db_script(db, "CREATE TABLE", &err));
    assert_int_equal(count(db), 0);
    for (int i = 0; i < 300; i++) { /* more than stay prepared */
        char sql[60];
        int64_t got = -1;
        (void)snprintf(sql, sizeof sql, "SELECT count(*) + %d FROM t", i);
        OK(db_one_int(db, sql, NULL, 0, &got, &err));
        assert_int_equal(got, i);
    }
    db_close(db);
}

static void the_second_writer_waits_and_is_told(void **state)
{
    struct db *first = open_store(*state, NULL);
    make_table(first);
    struct db *second = open_store(*state, &(struct db_options){.timeout_ms = 3000});
    const struct db_value row[] = {DB_PARAM_INT(1), DB_PARAM_NULL, DB_PARAM_NULL};
    OK(db_begin(first, DB_WRITE, &err));
    OK(db_run(first, insert, row, 3, &err));
    FAILS(ERR_TIMEOUT, db_begin(second, DB_WRITE, &err));
    OK(db_begin(second, DB_READ, &err)); /* readers do not wait, and see what is committed */
    assert_int_equal(count(second), 0);
    OK(db_commit(first, &err));
    assert_int_equal(count(second), 0); /* one moment */
    OK(db_commit(second, &err));
    assert_int_equal(count(second), 1);
    OK(db_begin(second, DB_WRITE, &err));
    OK(db_commit(second, &err));
    db_close(first);
    db_close(second);
}

static bool is_free(pthread_mutex_t *turn)
{
    bool is = pthread_mutex_trylock(turn) == 0;
    if (is)
        (void)pthread_mutex_unlock(turn);
    return is;
}

/* Held for as long as something is open that writes, however that ends. */
static void a_turn_ends_with_what_was_written(void **state)
{
    const struct test_store *store = *state;
    bool file = !store->server[0]; /* a server has its own queue */
    pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
    const struct db_options mine = {.turn = &turn, .timeout_ms = 200};
    const struct db_value row[] = {DB_PARAM_INT(1), DB_PARAM_NULL, DB_PARAM_NULL};
    struct db *other = open_store(store, NULL);
    make_table(other);
    struct db *db = open_store(store, &mine);
    assert_true(is_free(&turn));
    OK(db_begin(db, DB_READ, &err));
    assert_true(is_free(&turn));
    OK(db_commit(db, &err));
    OK(db_begin(db, DB_WRITE, &err));
    assert_int_equal(is_free(&turn), !file);
    OK(db_run(db, insert, row, 3, &err));
    assert_int_equal(is_free(&turn), !file);
    OK(db_commit(db, &err));
    assert_true(is_free(&turn));
    FAILS(ERR_CONFLICT, db_run(db, insert, row, 3, &err));
    assert_true(is_free(&turn));
    OK(db_begin(db, DB_WRITE, &err));
    db_rollback(db);
    assert_true(is_free(&turn));
    OK(db_begin(other, DB_WRITE, &err)); /* of another process, say */
    FAILS(ERR_TIMEOUT, db_begin(db, DB_WRITE, &err));
    assert_true(is_free(&turn));
    OK(db_commit(other, &err));
    OK(db_begin(db, DB_WRITE, &err));
    db_close(db);
    assert_true(is_free(&turn));
    db_close(other);
}

struct writer {
    const struct test_store *store;
    pthread_mutex_t *turn;
    int64_t first;
    bool ok;
};

static void *write_on(void *ctx)
{
    struct writer *w = ctx;
    struct db *db = NULL;
    w->ok =
        db_open(&db, str_from(w->store->url),
                &(struct db_options){.turn = w->turn, .timeout_ms = TEST_STORE_PATIENCE_MS}, NULL);
    for (int64_t i = 0; w->ok && i < 60; i++) {
        const struct db_value row[] = {DB_PARAM_INT(w->first + i), DB_PARAM_NULL, DB_PARAM_NULL};
        bool whole = i % 2;
        w->ok = (!whole || db_begin(db, DB_WRITE, NULL)) && db_run(db, insert, row, 3, NULL) &&
                (!whole || db_commit(db, NULL));
    }
    db_close(db);
    return NULL;
}

static void threads_write_in_turn(void **state)
{
    pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
    struct writer writer[4];
    pthread_t thread[4];
    struct db *db = open_store(*state, NULL);
    make_table(db);
    for (size_t i = 0; i < 4; i++) {
        writer[i] = (struct writer){.store = *state, .turn = &turn, .first = 1000 * (int64_t)i};
        assert_int_equal(pthread_create(&thread[i], NULL, write_on, &writer[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_true(writer[i].ok);
    }
    assert_int_equal(count(db), 4 * 60);
    db_close(db);
}

static void a_reader_cannot_write(void **state)
{
    struct test_store *store = *state;
    if (!store->server[0]) { /* and makes no file */
        struct db *none = NULL;
        FAILS(ERR_IO,
              db_open(&none, str_from(store->url), &(struct db_options){.read_only = true}, &err));
    }
    struct db *db = open_store(store, NULL);
    make_table(db);
    db_close(db);
    db = open_store(store, &(struct db_options){.read_only = true});
    assert_int_equal(count(db), 0);
    const struct db_value row[] = {DB_PARAM_INT(1), DB_PARAM_NULL, DB_PARAM_NULL};
    FAILS(ERR_IO, db_run(db, insert, row, 3, &err));
    db_close(db);
}

static void a_url_that_is_wrong_is_not_repeated(void **state)
{
    struct test_store *store = *state;
    static const char *const urls[] = {
        "mysql://me:hunter2@h/d",
        "sqlite",
        "postgres://me:hunter2%zz@h/d",
        "postgres://me:hunter2@/nowhere-at-all?host=/nonexistent",
        "postgresql://me@/d?host=/nonexistent&password=hunter2",
        "postgres://me:hunter2@127.0.0.1:1/d",
        "postgres://me:hunter2@h/d?nothing=hunter2",
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct db *db = NULL;
        struct err err = {0};
        char text[2000];
        assert_false(
            db_open(&db, str_from(urls[i]), &(struct db_options){.timeout_ms = 2000}, &err));
        assert_true(err.kind == ERR_USAGE || err.kind == ERR_UNAVAILABLE);
        assert_null(strstr(err_text(&err, text, sizeof text), "hunter2"));
    }
    struct db *db = open_store(store, NULL);
    assert_null(memmem(db_shown(db).ptr, db_shown(db).len, "?", 1));
    db_close(db);
}

static void a_server_that_dies_is_told_and_found_again(void **state)
{
    struct test_store *store = *state;
    const struct db_value row[] = {DB_PARAM_INT(1), DB_PARAM_NULL, DB_PARAM_NULL};
    if (!store->server[0])
        return; /* a file has no server */
    struct db *db = open_store(store, NULL);
    make_table(db);
    OK(db_begin(db, DB_WRITE, &err));
    OK(db_run(db, insert, row, 3, &err));
    test_store_kill(store, SIGQUIT);
    FAILS(ERR_UNAVAILABLE, db_run(db, insert, row, 3, &err));
    FAILS(ERR_UNAVAILABLE, db_commit(db, &err));
    db_rollback(db);
    FAILS(ERR_UNAVAILABLE, db_begin(db, DB_WRITE, &err));
    assert_true(test_store_start(store));
    OK(db_begin(db, DB_WRITE, &err));
    assert_int_equal(count(db), 0);
    OK(db_run(db, insert, row, 3, &err));
    OK(db_commit(db, &err));
    test_store_kill(store, SIGQUIT); /* while nothing was asked of it */
    assert_true(test_store_start(store));
    OK(db_begin(db, DB_WRITE, &err));
    OK(db_commit(db, &err));
    assert_int_equal(count(db), 1);
    db_close(db);
}

/* --- what only a file has --- */

static const char *path_of(const struct test_store *store)
{
    return store->url + sizeof "sqlite:" - 1;
}

static void a_file_is_for_its_owner_and_can_be_read_where_nothing_can_be_written(void **state)
{
    struct test_store *store = *state;
    struct stat st;
    char dir[500], wal[500];
    if (store->server[0])
        return;
    (void)umask(0);
    struct db *db = open_store(store, NULL);
    make_table(db);
    (void)snprintf(wal, sizeof wal, "%s-wal", path_of(store));
    assert_int_equal(stat(wal, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(path_of(store), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    db_close(db);
    assert_int_not_equal(stat(wal, &st), 0);
    if (geteuid() == 0)
        return; /* root writes everywhere: tests/live/record mounts read-only */
    (void)snprintf(dir, sizeof dir, "%s/%u", store->dir, store->n);
    assert_int_equal(chmod(dir, 0500), 0);
    db = open_store(store, &(struct db_options){.read_only = true});
    assert_int_equal(count(db), 0);
    db_close(db);
    assert_int_equal(chmod(dir, 0700), 0);
}

static void what_is_gone_is_not_written_and_not_made_again(void **state)
{
    struct test_store *store = *state;
    struct db *db = NULL, *other = NULL;
    struct stat st;
    char away[600];
    if (store->server[0])
        return;
    db = open_store(store, NULL);
    make_table(db);
    (void)snprintf(away, sizeof away, "%s.away", path_of(store));
    assert_int_equal(rename(path_of(store), away), 0);
    FAILS(ERR_UNAVAILABLE, db_begin(db, DB_WRITE, &err));
    const struct db_options there = {.there = true};
    FAILS(ERR_UNAVAILABLE, db_open(&other, str_from(store->url), &there, &err));
    assert_int_not_equal(stat(path_of(store), &st), 0);
    assert_int_equal(rename(away, path_of(store)), 0);
    OK(db_begin(db, DB_WRITE, &err));
    OK(db_commit(db, &err));
    db_close(open_store(store, &there));
    db_close(db);
}

static void a_file_that_is_no_database_is_left_alone(void **state)
{
    struct test_store *store = *state;
    struct db *db = NULL;
    char text[64] = {0};
    if (store->server[0])
        return;
    db_close(open_store(store, NULL)); /* makes the folder */
    int fd = open(path_of(store), O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, "this is no database, but a letter\n", 34), 34);
    (void)close(fd);
    FAILS(ERR_SYNTAX, db_open(&db, str_from(store->url), NULL, &err));
    fd = open(path_of(store), O_RDONLY);
    assert_int_equal(read(fd, text, sizeof text), 34);
    (void)close(fd);
}

/* Another process may not write while we do, whatever else this process opened and closed. */
static void opening_it_again_keeps_the_locks(void **state)
{
    const struct test_store *store = *state;
    const struct db_options impatient = {.timeout_ms = 200};
    struct db *db = NULL, *again = NULL;
    struct err err = {0};
    assert_true(db_open(&db, str_from(store->url), NULL, &err));
    assert_true(db_script(db, "CREATE TABLE t (a BIGINT)", &err));
    assert_true(db_begin(db, DB_WRITE, &err));
    assert_true(db_open(&again, str_from(store->url), NULL, &err));
    db_close(again);
    assert_true(db_sync(db, &err));
    pid_t pid = fork();
    if (pid == 0) {
        struct db *other = NULL;
        bool wrote = db_open(&other, str_from(store->url), &impatient, NULL) &&
                     db_begin(other, DB_WRITE, NULL);
        _exit(wrote ? 1 : 0);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(db_commit(db, &err));
    db_close(db);
}

/* A copy of the store as a disk has it that got only so much of the log; -1: all of it. Its rows.
 */
static int64_t rows_of_copy(const struct test_store *store, off_t log)
{
    static const char *const ends[] = {"", "-wal"};
    static const struct db_options options = {.there = true};
    char from[300], to[300], url[310];
    for (int i = 0; i < 2; i++) {
        AUTO_ARENA arena = {.limit = 16 << 20};
        struct str bytes;
        (void)snprintf(from, sizeof from, "%s%s", path_of(store), ends[i]);
        (void)snprintf(to, sizeof to, "%s.copy%s", path_of(store), ends[i]);
        OK(io_read_file(&arena, from, 8 << 20, &bytes, &err));
        if (i == 1 && log >= 0)
            bytes.len = (size_t)log;
        OK(io_write_file_atomic(to, bytes, 0600, &err));
    }
    (void)snprintf(url, sizeof url, "sqlite:%s.copy", path_of(store));
    struct db *db = NULL;
    OK(db_open(&db, str_from(url), &options, &err));
    int64_t n = count(db);
    db_close(db);
    return n;
}

/* What does not wait for the disk is lost with all behind it or not at all. */
static void what_may_come_later_is_lost_in_order(void **state)
{
    static const struct db_options options = {.later = true};
    const struct test_store *store = *state;
    struct db *db = open_store(store, NULL), *later = open_store(store, &options);
    char log[300];
    struct stat at[3];
    make_table(db);
    for (int64_t id = 0; id < 3; id++) {
        const struct db_value row[] = {DB_PARAM_INT(id), DB_PARAM_NULL, DB_PARAM_NULL};
        OK(db_run(id ? later : db, insert, row, 3, &err));
        (void)snprintf(log, sizeof log, "%s-wal", path_of(store));
        assert_true(store->server[0] || stat(log, &at[id]) == 0);
    }
    OK(db_sync(later, &err));
    if (!store->server[0]) {
        int64_t one = 0, two = 0;
        OK(db_one_int(db, "PRAGMA synchronous", NULL, 0, &two, &err));
        OK(db_one_int(later, "PRAGMA synchronous", NULL, 0, &one, &err));
        assert_int_equal(two, 2);
        assert_int_equal(one, 1);
        assert_int_equal(rows_of_copy(store, -1), 3);
        assert_int_equal(rows_of_copy(store, at[2].st_size - 100), 2);
        assert_int_equal(rows_of_copy(store, at[1].st_size), 2);
        assert_int_equal(rows_of_copy(store, at[0].st_size), 1);
    }
    db_close(later);
    db_close(db);
    db = open_store(store, NULL);
    OK(db_sync(db, &err)); /* there is no log any more */
    assert_int_equal(count(db), 3);
    db_close(db);
}

/* Who stands still while he writes keeps all others from writing; they say who it is. */
static void who_stands_still_is_named(void **state)
{
    const struct test_store *store = *state;
    const struct db_options impatient = {.timeout_ms = 200};
    struct err why = {0};
    char want[100];
    int status = 0;
    if (store->server[0])
        return; /* the server cuts him off */
    db_close(open_store(store, NULL));
    pid_t pid = fork();
    if (pid == 0) {
        struct db *other = NULL;
        if (db_open(&other, str_from(store->url), NULL, NULL) && db_begin(other, DB_WRITE, NULL))
            (void)raise(SIGSTOP);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
    struct db *db = open_store(store, &impatient);
    assert_false(db_begin(db, DB_WRITE, &why));
    (void)snprintf(want, sizeof want,
                   "process %d (record_test_db) holds its lock and is stopped: `kill -CONT %d`",
                   (int)pid, (int)pid);
    if (why.kind != ERR_TIMEOUT || !strstr(why.frame[0], want))
        fail_msg("%s", why.frame[0]);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    OK(db_begin(db, DB_WRITE, &err));
    db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back_as_they_went),
        cmocka_unit_test(text_that_a_store_would_change_is_refused_before),
        cmocka_unit_test(a_transaction_is_all_or_nothing),
        cmocka_unit_test(many_rows_go_in_one_call),
        cmocka_unit_test(a_query_ends_where_its_callback_says_so),
        cmocka_unit_test(a_statement_that_does_not_fit_says_so),
        cmocka_unit_test(the_second_writer_waits_and_is_told),
        cmocka_unit_test(opening_it_again_keeps_the_locks),
        cmocka_unit_test(who_stands_still_is_named),
        cmocka_unit_test(a_turn_ends_with_what_was_written),
        cmocka_unit_test(threads_write_in_turn),
        cmocka_unit_test(a_reader_cannot_write),
        cmocka_unit_test(a_url_that_is_wrong_is_not_repeated),
        cmocka_unit_test(a_server_that_dies_is_told_and_found_again),
        cmocka_unit_test(a_file_is_for_its_owner_and_can_be_read_where_nothing_can_be_written),
        cmocka_unit_test(what_is_gone_is_not_written_and_not_made_again),
        cmocka_unit_test(what_may_come_later_is_lost_in_order),
        cmocka_unit_test(a_file_that_is_no_database_is_left_alone),
    };
    return test_stores_run("record/db", tests, sizeof tests / sizeof *tests);
}
