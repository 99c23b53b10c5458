/* test_feed_states.c - a remote state that was written touches its stack, once for all services,
 * and after downtime, too. */
#include "serve/server.h" /* before fcntl.h, which has words of ours */

#include "record/test_stores.h"
#include "respond/test_receiver.h"

#include "base/clock.h"
#include "base/io.h"
#include "desired/stacks.h"
#include "model/config.h"
#include "record/findings.h"
#include "record/identity.h"
#include "record/remote_state.h"
#include "serve/feeds_parts.h"
#include "serve/log.h"

enum { WAIT_MS = 300000 };

struct world {
    struct arena arena;
    char dir[64];
    struct config config;
    struct server server;
    struct log log;
    struct record record;
    struct test_receiver web;
    struct err err;
};

static void put(struct world *w, const char *name, const char *text)
{
    struct str path = io_join(&w->arena, str_from(w->dir), str_from(name));
    assert_true(io_make_dirs(arena_dup(&w->arena, io_dirname(path)).ptr, 0700, &w->err));
    if (!io_write_file_atomic(path.ptr, str_from(text), 0600, &w->err))
        fail_msg("%s", w->err.frame[0]);
}

static void make_world(struct world *w, const struct test_store *store, const char *const *answer)
{
    char yaml[400];
    *w = (struct world){.arena = {.limit = ARENA_DEFAULT_LIMIT}};
    (void)snprintf(w->dir, sizeof w->dir, "/tmp/plumb-states-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    test_receiver_open(&w->web, answer);
    (void)snprintf(yaml, sizeof yaml,
                   "version: 1\nserve: {watch: {states: {every: 1s}}}\nstacks:\n"
                   "  - {path: net, name: net, state: 'http://127.0.0.1:%d/net'}\n"
                   "  - {path: file, name: file}\n",
                   w->web.port);
    put(w, "net/main.tf", "");
    put(w, "file/main.tf", "");
    put(w, "plumb.yaml", yaml);
    struct str path = io_join(&w->arena, str_from(w->dir), STR("plumb.yaml"));
    const struct record_options options = {.url = str_from(store->url), .env = test_store_env};
    if (!config_load(&w->arena, path.ptr, &w->config, &w->err) ||
        !record_open(&w->arena, &options, &w->record, &w->err) ||
        !hub_open(&w->server.hub, &w->err))
        fail_msg("%s", w->err.frame[0]);
    w->server.options.record = options;
    w->server.options.config = &w->config;
    w->server.options.log = &w->log;
}

/* What the server was asked is looked at after it: its arena stays. */
static void close_world(struct world *w)
{
    hub_close(w->server.hub);
    record_close(&w->record);
    test_receiver_close(&w->web, &w->arena);
    (void)test_store_system("rm -rf", w->dir, "");
}

static int64_t ask(struct world *w, const char *sql)
{
    int64_t n = 0;
    w->err = (struct err){0};
    if (!db_one_int(w->record.db, sql, NULL, 0, &n, &w->err) && w->err.kind)
        fail_msg("%s: %s", sql, w->err.frame[0]);
    return n;
}

static void wait_for(struct world *w, const char *sql, int64_t least)
{
    int64_t until = clock_monotonic_ms() + WAIT_MS;
    while (ask(w, sql) < least) {
        if (clock_monotonic_ms() > until)
            fail_msg("%s: still %lld", sql, (long long)ask(w, sql));
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

static void wait_for_requests(struct world *w, size_t least)
{
    int64_t until = clock_monotonic_ms() + WAIT_MS;
    for (size_t n = 0; n < least;) {
        (void)pthread_mutex_lock(&w->web.lock);
        n = w->web.n;
        (void)pthread_mutex_unlock(&w->web.lock);
        if (clock_monotonic_ms() > until)
            fail_msg("still %zu requests", n);
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

static struct feed_states *begin(struct world *w)
{
    struct feed_states *states = NULL;
    if (!feed_states_open(&states, &w->server, &w->err))
        fail_msg("%s", w->err.frame[0]);
    assert_non_null(states);
    return states;
}

static void another_version_touches_the_stack(void **state)
{
    struct world w;
    static const char *const answers[] = {
        "200 OK\r\nETag: \"1\"\r\n\r\n{}", "304 Not Modified\r\n\r\n", "500 Oops\r\n\r\n",
        "200 OK\r\nETag: \"2\"\r\n\r\n{}", "304 Not Modified\r\n\r\n", NULL};
    make_world(&w, *state, answers);
    struct feed_states *states = begin(&w);
    wait_for(&w, "SELECT count(*) FROM remote_state WHERE mark = 'etag:\"2\"'", 1);
    assert_int_equal(ask(&w, "SELECT count(*) FROM touch WHERE stack = 'net' AND address = '' AND"
                             " why = 'state' AND serial = 1"),
                     1);
    wait_for_requests(&w, 6);
    feed_states_close(states);
    /* Once in all: neither the first look nor those at what was the same did. */
    assert_int_equal(ask(&w, "SELECT count(*) FROM touch WHERE serial = 1"), 1);
    assert_int_equal(ask(&w, "SELECT count(*) FROM remote_state"), 1); /* a file is none */
    close_world(&w);
    assert_true(str_equal(test_header(&w.web, 1, "If-None-Match"), STR("\"1\"")));
    assert_true(str_equal(test_header(&w.web, 4, "If-None-Match"), STR("\"2\"")));
    arena_free(&w.arena);
}

/* What was seen last is in the store: another service, or this one after a restart. */
static void a_change_while_nobody_looked_is_seen(void **state)
{
    struct world w;
    bool touched = true;
    static const char *const answers[] = {"200 OK\r\nETag: \"9\"\r\n\r\n{}", NULL};
    make_world(&w, *state, answers);
    assert_true(
        remote_state_seen(&w.record, STR("net"), STR("etag:\"8\""), false, &touched, &w.err));
    assert_false(touched);
    struct feed_states *one = begin(&w), *two = begin(&w);
    wait_for(&w, "SELECT count(*) FROM touch WHERE stack = 'net'", 1);
    wait_for_requests(&w, 4);
    feed_states_close(one);
    feed_states_close(two);
    assert_int_equal(ask(&w, "SELECT serial FROM touch WHERE stack = 'net'"), 1);
    close_world(&w);
    assert_true(str_equal(test_header(&w.web, 0, "If-None-Match"), STR("\"8\"")));
    arena_free(&w.arena);
}

/* A scan that compared all of the stack, with this serial of its state. */
static void scanned(struct world *w, const char *state, int serial)
{
    struct run_changes changes;
    struct identities *names = NULL;
    const struct run_start start = {.stack = STR("net"), .path = STR("net")};
    struct stack_result result = {.name = STR("net"),
                                  .desired = STR("state"),
                                  .live = STR("providers"),
                                  .source = arena_printf(&w->arena,
                                                         "state http://127.0.0.1:%d/net, serial %d",
                                                         w->web.port, serial)};
    struct run_finish finish = {.start = &start, .result = &result};
    if (!identities_read(&w->record, &w->arena, STR("net"), str_from(state), "state", &names,
                         &w->err) ||
        !identities_write(&w->record, names, &w->err) ||
        !run_begin(&w->record, &start, &finish.run, &w->err) ||
        !run_end(&w->record, &finish, &changes, &w->err))
        fail_msg("%s", w->err.frame[0]);
}

#define STATE(serial, id) \
    "{\"version\":4,\"terraform_version\":\"1.9.0\",\"serial\":" #serial \
    ",\"lineage\":\"l\",\"outputs\":{},\"resources\":[{\"mode\":\"managed\",\"type\":\"x_thing\"," \
    "\"name\":\"a\",\"provider\":\"provider[\\\"a/b/" \
    "x\\\"]\",\"instances\":[{\"schema_version\":0," \
    "\"attributes\":{\"id\":\"" id "\"}}]}]}"

/* plumb scanned without watching; then it watches for the first time. */
static void the_first_look_compares_with_the_last_scan(void **state)
{
    static const char *const answers[] = {"200 OK\r\nETag: \"5\"\r\n\r\n" STATE(1, "one"), NULL};
    static const struct {
        const char *says, *scanned;
        int serial, touched;
    } rows[] = {
        {"the same state", STATE(1, "one"), 1, 0},
        {"written since: another serial", STATE(0, "one"), 0, 1},
        {"put in its place: the same serial", STATE(1, "two"), 1, 1},
        {"a part of it was looked at since", STATE(1, "one"), 0, 1},
        {"never scanned", NULL, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct world w;
        print_message("  %s\n", rows[i].says);
        make_world(&w, *state, answers);
        assert_true(db_script(w.record.db,
                              "DELETE FROM remote_state; DELETE FROM touch; DELETE FROM run;"
                              "DELETE FROM stack; DELETE FROM identity; DELETE FROM"
                              " identity_resource; DELETE FROM identity_stack",
                              &w.err));
        if (rows[i].scanned)
            scanned(&w, rows[i].scanned, rows[i].serial);
        struct feed_states *states = begin(&w);
        wait_for(&w, "SELECT count(*) FROM remote_state WHERE mark = 'etag:\"5\"'", 1);
        feed_states_close(states);
        assert_int_equal(
            ask(&w, "SELECT count(*) FROM touch WHERE stack = 'net' AND why = 'state'"),
            rows[i].touched);
        close_world(&w);
        arena_free(&w.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_version_touches_the_stack),
        cmocka_unit_test(a_change_while_nobody_looked_is_seen),
        cmocka_unit_test(the_first_look_compares_with_the_last_scan),
    };
    return test_stores_run("serve/feed_states", tests, sizeof tests / sizeof *tests);
}
