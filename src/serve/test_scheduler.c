/* test_scheduler.c - what is due is scanned once, tiers and touches alone, applies are waited for,
 * what fails comes back later, who closes gives back. */
#include "serve/server.h" /* before fcntl.h, which has words of ours */

#include <stdatomic.h>

#include "record/test_stores.h"
#include "respond/test_receiver.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "desired/stacks.h"
#include "model/config.h"
#include "record/freshness.h"
#include "record/touch.h"
#include "serve/feeds.h"
#include "serve/log.h"
#include "serve/scheduler.h"
#include "serve/scheduler_piece.h"

enum { WAIT_MS = 300000, THINGS = 6 };

struct world {
    struct arena arena;
    char dir[64];
    struct config config;
    struct server server[2];
    struct scheduler *scheduler[2];
    struct log log;
    struct record record;
    struct err err;
};

static void put(struct world *w, const char *name, const char *text)
{
    char path[200];
    (void)snprintf(path, sizeof path, "%s/%s", w->dir, name);
    if (!io_write_file_atomic(path, str_from(text), 0600, &w->err))
        fail_msg("%s", w->err.frame[0]);
}

static void put_state_of(struct world *w, int serial, const char *lineage)
{
    char text[4000];
    int n =
        snprintf(text, sizeof text,
                 "{\"version\":4,\"terraform_version\":\"1.9.0\",\"serial\":%d,\"lineage\":\"%s\","
                 "\"outputs\":{},\"resources\":[",
                 serial, lineage);
    for (int i = 0; i < THINGS; i++)
        n += snprintf(&text[n], sizeof text - (size_t)n,
                      "%s{\"mode\":\"managed\",\"type\":\"%s\",\"name\":\"t%d\",\"provider\":"
                      "\"provider[\\\"registry.terraform.io/acme/x\\\"]\",\"instances\":[{"
                      "\"schema_version\":0,\"attributes\":{\"id\":\"%d\",\"size\":\"s\"},"
                      "\"sensitive_attributes\":[]}]}",
                      i ? "," : "", i < 2 ? "x_hot" : "x_thing", i, i);
    (void)snprintf(&text[n], sizeof text - (size_t)n, "],\"check_results\":null}");
    put(w, "app/terraform.tfstate", text);
}

static void put_state(struct world *w, int serial)
{
    put_state_of(w, serial, "l");
}

/* Every thing has this size. */
static void put_live(struct world *w, const char *size)
{
    char text[2000];
    int n = snprintf(text, sizeof text, "{\"complete\": true}\n");
    for (int i = 0; i < THINGS; i++)
        n += snprintf(
            &text[n], sizeof text - (size_t)n,
            "{\"address\": \"%s.t%d\", \"attributes\": {\"id\": \"%d\", \"size\": \"%s\"}}\n",
            i < 2 ? "x_hot" : "x_thing", i, i, size);
    put(w, "app/live.ndjson", text);
}

static void make_world(struct world *w, const struct test_store *store, const char *yaml)
{
    char path[200];
    (void)snprintf(w->dir, sizeof w->dir, "/tmp/plumb-scheduler-XXXXXX");
    w->arena.limit = ARENA_DEFAULT_LIMIT;
    assert_non_null(mkdtemp(w->dir));
    (void)snprintf(path, sizeof path, "%s/app", w->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    put_state(w, 1);
    put_live(w, "s");
    put(w, "plumb.yaml", yaml);
    (void)snprintf(path, sizeof path, "%s/plumb.yaml", w->dir);
    struct str kept = arena_dup(&w->arena, str_from(path));
    const struct record_options options = {.url = str_from(store->url), .env = test_store_env};
    if (!config_load(&w->arena, kept.ptr, &w->config, &w->err) ||
        !record_open(&w->arena, &options, &w->record, &w->err))
        fail_msg("%s", w->err.frame[0]);
    w->log.now_ms = NULL;
    for (int i = 0; i < 2; i++) {
        w->server[i].options.record = options;
        w->server[i].options.config = &w->config;
        w->server[i].options.log = &w->log;
    }
}

static void begin(struct world *w, int i)
{
    if (!hub_open(&w->server[i].hub, &w->err) ||
        !scheduler_open(&w->scheduler[i], &w->server[i], &w->err))
        fail_msg("%s", w->err.frame[0]);
}

static void end(struct world *w, int i)
{
    scheduler_close(w->scheduler[i]);
    hub_close(w->server[i].hub);
    w->scheduler[i] = NULL;
}

static void close_world(struct world *w)
{
    record_close(&w->record);
    (void)test_store_system("rm -rf", w->dir, "");
    arena_free(&w->arena);
}

static int64_t ask(struct world *w, const char *sql)
{
    int64_t n = 0;
    w->err = (struct err){0};
    if (!db_one_int(w->record.db, sql, NULL, 0, &n, &w->err) && w->err.kind)
        fail_msg("%s: %s", sql, w->err.frame[0]);
    return n;
}

/* Until the query gives at least that. */
static void wait_for(struct world *w, const char *sql, int64_t least)
{
    int64_t until = clock_monotonic_ms() + WAIT_MS;
    while (ask(w, sql) < least) {
        if (clock_monotonic_ms() > until)
            fail_msg("%s: still %lld", sql, (long long)ask(w, sql));
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

/* The planner says so when it has written its plan, of which others may have scanned all by then.
 */
static void wait_for_trouble(struct world *w, struct str text)
{
    AUTO_BUF why = {.limit = 4096};
    int64_t until = clock_monotonic_ms() + WAIT_MS;
    while (hub_is_well(w->server[0].hub, &why) || str_find(buf_view(&why), text, 0) == SIZE_MAX) {
        if (clock_monotonic_ms() > until)
            fail_msg("the trouble is '%.*s'", STR_ARG(buf_view(&why)));
        why.len = 0;
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
}

#define SERVE "serve: {scheduler: {lease: 10m, drain: 10m, apply_wait: 2s}}\n"
#define STACK "stacks: [{path: app, name: app, snapshot: app/live.ndjson}]\n"

static void what_is_due_is_scanned_by_one(void **state)
{
    struct world w = {0};
    make_world(&w, *state, "version: 1\nschedules: [weekly]\n" SERVE STACK);
    begin(&w, 0);
    begin(&w, 1);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 1);
    (void)nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    end(&w, 0);
    end(&w, 1);
    assert_int_equal(ask(&w, "SELECT count(*) FROM run"), 1);
    assert_int_equal(ask(&w, "SELECT count(*) FROM lease WHERE owner <> ''"), 0);
    assert_int_equal(ask(&w, "SELECT ended_utc_ms > 0 AND next_utc_ms > ended_utc_ms AND"
                             " progress = '6' FROM schedule"),
                     1);
    close_world(&w);
}

/* A stack that was never scanned does not wait a week because it had no schedule at first. */
static void a_first_schedule_is_due_at_once(void **state)
{
    struct world w = {0};
    char path[200];
    make_world(&w, *state, "version: 1\n" SERVE STACK);
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM schedule", 1);
    end(&w, 0);
    assert_int_equal(ask(&w, "SELECT count(*) FROM run"), 0);
    put(&w, "plumb.yaml", "version: 1\nschedules: [weekly]\n" SERVE STACK);
    (void)snprintf(path, sizeof path, "%s/plumb.yaml", w.dir);
    assert_true(config_load(&w.arena, path, &w.config, &w.err));
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 1);
    end(&w, 0);
    close_world(&w);
}

/* What was read goes on, whatever plumb.yaml is like by now; the run says which one it was. */
static void a_file_that_is_gone_keeps_no_scan(void **state)
{
    struct world w = {0};
    char path[200];
    make_world(&w, *state, "version: 1\nschedules: [1s]\n" SERVE STACK);
    w.server[0].options.config_digest = STR("sha256:00");
    (void)snprintf(path, sizeof path, "%s/plumb.yaml", w.dir);
    assert_int_equal(unlink(path), 0);
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete' AND config = 'sha256:00'", 2);
    end(&w, 0);
    close_world(&w);
}

#define SECOND "  - {path: two, name: second, snapshot: app/live.ndjson}\n"

/* The service with another plumb.yaml; digest: what it is taken to be. */
static void begin_with(struct world *w, const char *more, const char *digest)
{
    char yaml[400], to[100];
    (void)snprintf(to, sizeof to, "%s/two/terraform.tfstate", w->dir);
    assert_true(io_exists(to) ||
                (io_make_dirs(arena_dup(&w->arena, io_dirname(str_from(to))).ptr, 0700, &w->err) &&
                 symlink("../app/terraform.tfstate", to) == 0));
    (void)snprintf(yaml, sizeof yaml,
                   "version: 1\nschedules: [weekly]\n" SERVE
                   "stacks:\n  - {path: app, name: app, snapshot: app/live.ndjson}\n%s",
                   more);
    put(w, "plumb.yaml", yaml);
    struct str path = io_join(&w->arena, str_from(w->dir), STR("plumb.yaml"));
    w->config = (struct config){0};
    assert_true(config_load(&w->arena, path.ptr, &w->config, &w->err));
    w->server[0].options.config_digest = str_from(digest);
    begin(w, 0);
}

static size_t listed(struct world *w)
{
    const struct freshness_ask asking = {.now_utc_ms = record_now(&w->record)};
    struct freshness *list;
    size_t n = 0;
    assert_true(freshness_list(&w->record, &w->arena, &asking, &list, &n, &w->err));
    return n;
}

#define OPEN_OF(stack) \
    "SELECT count(*) FROM finding WHERE lane < 4 AND address <> '' AND stack = '" stack "'"
#define EVENTS_OF(type) "SELECT count(*) FROM audit_event WHERE type = '" type "'"

/* Its findings end with it, and come back with it; what was accepted stays so. */
static void a_stack_taken_out_is_retired(void **state)
{
    struct world w = {0};
    make_world(&w, *state, "version: 1\n" STACK);
    put_live(&w, "l");
    begin_with(&w, SECOND, "one");
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 2);
    end(&w, 0);
    assert_int_equal(ask(&w, OPEN_OF("second")), THINGS);
    assert_true(
        db_script(w.record.db,
                  "INSERT INTO baseline (id, stack, run, utc_ms, actor, actor_how, reason, items)"
                  " SELECT 1, 'second', max(id), 1, 'ann', 'test', 'as found', 1 FROM run;"
                  "INSERT INTO baseline_item (baseline, stack, address, class, digest)"
                  " SELECT 1, stack, address, class, digest FROM finding WHERE"
                  " stack = 'second' AND address = 'x_hot.t0'",
                  &w.err));
    begin_with(&w, "", "two");
    wait_for(&w, EVENTS_OF("stack.retired"), 1);
    end(&w, 0);
    assert_int_equal(ask(&w, OPEN_OF("second")), 0);
    assert_int_equal(ask(&w, OPEN_OF("app")), THINGS);
    assert_int_equal(ask(&w, "SELECT count(*) FROM finding_history WHERE what = 'resolved' AND why"
                             " = 'no plumb.yaml has the stack any more'"),
                     THINGS);
    assert_int_equal(ask(&w, "SELECT count(*) FROM schedule"), 1);
    assert_int_equal(ask(&w, "SELECT count(*) FROM identity_resource WHERE stack = 'second'"), 0);
    assert_int_equal(listed(&w), 1);
    begin_with(&w, SECOND, "three");
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete' AND stack = 'second'", 2);
    end(&w, 0);
    assert_int_equal(ask(&w, EVENTS_OF("stack.returned")), 1);
    assert_int_equal(ask(&w, EVENTS_OF("stack.retired")), 1);
    assert_int_equal(ask(&w, OPEN_OF("second")), THINGS);
    assert_int_equal(ask(&w, "SELECT count(*) FROM finding WHERE status = 'waived'"), 1);
    assert_int_equal(listed(&w), 2);
    close_world(&w);
}

/* plumb.yaml is the same: a folder that is away may come back, and another service may have it. */
static void a_folder_that_is_away_may_come_back(void **state)
{
    struct world w = {0};
    make_world(&w, *state, "version: 1\n" STACK);
    begin_with(&w, SECOND, "one");
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 2);
    end(&w, 0);
    begin_with(&w, "", "one");
    wait_for(&w, "SELECT count(*) FROM stack_home WHERE away_utc_ms > 0", 1);
    end(&w, 0);
    begin_with(&w, SECOND, "one");
    wait_for(&w, "SELECT count(*) FROM stack_home WHERE away_utc_ms = 0", 2);
    end(&w, 0);
    assert_true(db_script(w.record.db,
                          "UPDATE stack_home SET away_utc_ms = 1 WHERE stack = 'second';"
                          "INSERT INTO stack_home (stack, home, config, away_utc_ms) VALUES"
                          " ('second', 'elsewhere', '', 0)",
                          &w.err));
    begin_with(&w, "", "one");
    wait_for(&w, "SELECT 3 - count(*) FROM stack_home", 1);
    end(&w, 0);
    assert_int_equal(ask(&w, EVENTS_OF("stack.retired")), 0);
    assert_int_equal(listed(&w), 2);
    close_world(&w);
}

/* Rows of plumb.yaml that find nothing keep no other stack from its scans, also after a start. A
 * stack that was there says of itself what is missing; what never was one is none. */
static void what_is_not_there_keeps_no_other_from_its_scan(void **state)
{
    struct world w = {0};
    make_world(&w, *state,
               "version: 1\nschedules: [1s]\n" SERVE
               "stacks:\n  - {path: gone, name: gone}\n  - mount/*\n  - infra\n"
               "  - {path: app, name: app, snapshot: app/live.ndjson}\n");
    const struct planned row = {
        .stack = STR("gone"), .tier = STR(""), .spec = STR("1s"), .next_utc_ms = 1};
    assert_true(db_begin(w.record.db, DB_WRITE, &w.err) &&
                planned_store(&w.record, &row, 1, &w.err) &&
                lease_make(&w.record, row.stack, &w.err) && db_commit(w.record.db, &w.err));
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM run WHERE stack = 'app' AND outcome = 'complete'", 2);
    wait_for(&w, "SELECT count(*) FROM run WHERE stack = 'gone' AND outcome = 'failed'", 1);
    wait_for_trouble(&w, STR("plumb.yaml:5:5: no root module in gone"));
    end(&w, 0);
    assert_int_equal(ask(&w, "SELECT count(*) FROM run WHERE stack NOT IN ('app', 'gone')"), 0);
    assert_int_equal(ask(&w, "SELECT count(DISTINCT stack) FROM schedule"), 2);
    close_world(&w);
}

/* Two of one name are none of the two, and say so; the others go on. One again, it is scanned. */
static void two_of_one_name_keep_no_other_from_its_scan(void **state)
{
    struct world w = {0};
    make_world(&w, *state, "version: 1\n" STACK);
    begin_with(&w, SECOND, "one");
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 2);
    end(&w, 0);
    begin_with(&w, SECOND "  - {path: app, name: second, state: two/terraform.tfstate}\n", "two");
    wait_for(&w,
             "SELECT count(*) FROM run WHERE stack = 'second' AND outcome = 'failed' AND"
             " failed LIKE 'two stacks are named second: %app and %two; give one%'",
             1);
    wait_for_trouble(&w, STR("two stacks are named second"));
    assert_true(db_script(w.record.db,
                          "INSERT INTO touch (stack, address, why, due_utc_ms, serial) VALUES"
                          " ('app', '', 'test', 1, 1);"
                          "UPDATE lease SET urgent_utc_ms = 1 WHERE stack = 'app'",
                          &w.err));
    wait_for(&w, "SELECT count(*) FROM run WHERE stack = 'app' AND outcome = 'complete'", 2);
    end(&w, 0);
    assert_int_equal(ask(&w, EVENTS_OF("stack.retired")), 0);
    assert_int_equal(
        ask(&w, "SELECT count(*) FROM run WHERE stack = 'second' AND outcome = 'complete'"), 1);
    assert_true(db_script(w.record.db, "UPDATE lease SET urgent_utc_ms = 1", &w.err));
    begin_with(&w, SECOND, "three");
    wait_for(&w, "SELECT count(*) FROM run WHERE stack = 'second' AND outcome = 'complete'", 2);
    end(&w, 0);
    close_world(&w);
}

/* What is written while a run reads its code, once: somebody fetched another commit. */
#define MOVES \
    " UPDATE code_head SET hash = 'another' WHERE NOT EXISTS" \
    " (SELECT 1 FROM run WHERE outcome = 'abandoned')"

/* The clone is there and is known to be; nobody fetches from here on what is in the store. */
static void end_of_fetches(struct world *w)
{
    struct str path = arena_printf(&w->arena, "%s/clone/app", w->dir), head = {0};
    char from[100], to[100];
    int64_t until = clock_monotonic_ms() + WAIT_MS;
    for (bool old = true; old || !head.len;) {
        assert_true(feeds_code_is_old(w->server[0].feeds, &w->record, &w->arena, path, &old, &head,
                                      &w->err));
        if (clock_monotonic_ms() > until)
            fail_msg("the clone has no head");
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    (void)snprintf(from, sizeof from, "%s/origin", w->dir);
    (void)snprintf(to, sizeof to, "%s/away", w->dir);
    assert_int_equal(rename(from, to), 0);
}

/* What was read while the branch moved on may be of no commit: nothing of it is recorded. Nobody
 * can tell what it moved on to: what is there is read then. */
static void code_that_moves_while_it_is_read_is_read_again(void **state)
{
    struct world w = {0};
    char text[600];
    make_world(&w, *state,
               "version: 1\nschedules: [weekly]\n" SERVE
               "stacks: [{path: clone/app, name: app, snapshot: app/live.ndjson}]\n");
    (void)snprintf(text, sizeof text,
                   "cd %s && git init -q -b main origin && mkdir origin/app && cp app/t* origin/app"
                   " && cd origin && git add -A && git -c user.name=a -c user.email=a@b commit -qm "
                   "one && git clone -q . ../clone",
                   w.dir);
    if (system(text) != 0) /* NOLINT(cert-env33-c): our own words */
        skip();
    struct feed_code code = {.branch = STR("main"), .fetch_ms = 3600000};
    code.url = arena_printf(&w.arena, "file://%s/origin", w.dir);
    code.folder = arena_printf(&w.arena, "%s/clone", w.dir);
    w.server[0].options.codes = &code;
    w.server[0].options.ncodes = 1;
    assert_true(hub_open(&w.server[0].hub, &w.err));
    assert_true(feeds_open(&w.server[0].feeds, &w.server[0], &w.err));
    end_of_fetches(&w);
    assert_true(db_kind(w.record.db) == DB_SQLITE
                    ? db_run(w.record.db,
                             "CREATE TRIGGER moves AFTER INSERT ON run BEGIN" MOVES "; END", NULL,
                             0, &w.err)
                    : db_run(w.record.db, "CREATE RULE moves AS ON INSERT TO run DO ALSO" MOVES,
                             NULL, 0, &w.err));
    assert_true(scheduler_open(&w.scheduler[0], &w.server[0], &w.err));
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 1);
    scheduler_close(w.scheduler[0]);
    feeds_close(w.server[0].feeds);
    hub_close(w.server[0].hub);
    assert_int_equal(
        ask(&w, "SELECT count(*) FROM run WHERE outcome = 'abandoned' AND failed = 'there was newer"
                " code'"),
        1);
    assert_int_equal(ask(&w, "SELECT count(*) FROM run"), 2);
    assert_int_equal(ask(&w, "SELECT attempts FROM lease"), 0);
    close_world(&w);
}

static void a_tier_and_a_touch_are_scanned_alone(void **state)
{
    struct world w = {0};
    make_world(&w, *state,
               "version: 1\nschedules: [{schedule: 1s, types: [x_hot]}, weekly]\n" SERVE STACK);
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 1);
    put_live(&w, "l");
    wait_for(&w, "SELECT count(*) FROM finding WHERE lane = 0", 2); /* the hot ones */
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'partial'", 2);
    assert_int_equal(ask(&w, "SELECT count(*) FROM finding WHERE lane = 0"), 2);
    const struct touch touch[] = {{STR("app"), STR("x_thing.t3"), STR("event"), 0, STR("")},
                                  {STR("app"), STR("x_thing.t4"), STR("event"), 0, STR("")}};
    assert_true(touch_add(&w.record, touch, 2, &w.err));
    hub_wake(w.server[0].hub);
    wait_for(&w, "SELECT count(*) FROM finding WHERE lane = 0", 4);
    wait_for(&w, "SELECT 1 - count(*) FROM touch", 1);
    assert_int_equal(ask(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'"), 1);
    /* What could not be read then is looked at once more. */
    put(&w, "app/live.ndjson", "{\"address\": \"x_thing.t3\", \"error\": \"AccessDenied\"}\n");
    assert_true(touch_add(&w.record, touch, 1, &w.err));
    wait_for(&w, "SELECT count(*) FROM touch WHERE why = 'unchecked 1'", 1);
    put_live(&w, "l");
    const struct touch whole = {STR("app"), STR(""), STR("file"), 0, STR("")};
    assert_true(touch_add(&w.record, &whole, 1, &w.err));
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 2);
    assert_int_equal(ask(&w, "SELECT count(*) FROM finding WHERE lane = 0"), THINGS);
    end(&w, 0);
    close_world(&w);
}

/* Whoever makes alerts hears of a finding, and of its end, when it is on record. */
static void a_new_finding_wakes_the_others(void **state)
{
    struct world w = {0};
    const struct touch touch = {STR("app"), STR("x_thing.t3"), STR("event"), 0, STR("")};
    static const char *const sizes[] = {"s", "l", "l", "s"};
    make_world(&w, *state, "version: 1\nschedules: [weekly]\n" SERVE STACK);
    begin(&w, 0);
    struct hub *hub = w.server[0].hub;
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 1);
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        put_live(&w, sizes[i]);
        uint64_t seen = hub_wait(hub, HUB_ALERTS, 0, 0);
        assert_true(touch_add(&w.record, &touch, 1, &w.err));
        hub_wake_for_touch(hub);
        wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'partial'", i + 1);
        if (i == 1 || i == 3)
            assert_true(hub_wait(hub, HUB_ALERTS, seen, WAIT_MS) > seen);
    }
    end(&w, 0);
    close_world(&w);
}

enum { STACKS = 8 };

static void put_stacks(struct world *w)
{
    char yaml[2000], path[200];
    int n = snprintf(yaml, sizeof yaml, "version: 1\n" SERVE "stacks:\n");
    for (int i = 0; i < STACKS; i++) {
        n += snprintf(&yaml[n], sizeof yaml - (size_t)n,
                      "  - {path: s%d, name: s%d, snapshot: app/live.ndjson}\n", i, i);
        (void)snprintf(path, sizeof path, "%s/s%d", w->dir, i);
        assert_int_equal(mkdir(path, 0700), 0);
        (void)snprintf(path, sizeof path, "%s/s%d/terraform.tfstate", w->dir, i);
        assert_int_equal(symlink("../app/terraform.tfstate", path), 0);
    }
    put(w, "plumb.yaml", yaml);
    struct str kept = io_join(&w->arena, str_from(w->dir), STR("plumb.yaml"));
    w->config = (struct config){0};
    assert_true(config_load(&w->arena, kept.ptr, &w->config, &w->err));
}

static void touch_all(struct world *w)
{
    struct touch touch[STACKS];
    for (int i = 0; i < STACKS; i++)
        touch[i] = (struct touch){.stack = arena_printf(&w->arena, "s%d", i),
                                  .address = STR("x_thing.t3"),
                                  .why = STR("event")};
    assert_true(touch_add(&w->record, touch, STACKS, &w->err));
}

#define NOTHING_IS_HELD "SELECT count(*) FROM lease WHERE (owner <> '' OR run <> 0)"

/* More stacks than threads: one transaction ends a scan and begins the next. Where the next cannot
 * begin, the one that has ended is recorded all the same, and the others follow. */
static void touched_stacks_follow_one_another(void **state)
{
    struct world w = {0};
    make_world(&w, *state, "version: 1\n" STACK);
    put_stacks(&w);
    put_live(&w, "l");
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM lease", STACKS);
    end(&w, 0);
    touch_all(&w);
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'partial'", STACKS);
    end(&w, 0);
    assert_int_equal(ask(&w, "SELECT count(*) FROM finding WHERE lane = 0"), STACKS);
    assert_int_equal(ask(&w, "SELECT count(*) FROM touch"), 0);
    assert_int_equal(ask(&w, "SELECT count(*) FROM run"), STACKS);
    assert_int_equal(ask(&w, NOTHING_IS_HELD), 0);

    assert_true(
        db_script(w.record.db,
                  db_kind(w.record.db) == DB_SQLITE
                      ? "CREATE TRIGGER no_s5 BEFORE INSERT ON run WHEN new.stack = 's5'"
                        " BEGIN SELECT RAISE(ABORT, 'not now'); END"
                      : "ALTER TABLE run ADD CONSTRAINT no_s5 CHECK (stack <> 's5') NOT VALID",
                  &w.err));
    put_live(&w, "m");
    touch_all(&w);
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'partial'", 2 * STACKS - 1);
    wait_for(&w, "SELECT count(*) FROM lease WHERE stack = 's5' AND owner <> ''", 1);
    end(&w, 0);
    assert_int_equal(ask(&w, "SELECT count(*) FROM touch"), 1);
    assert_int_equal(ask(&w, "SELECT count(*) FROM touch WHERE stack = 's5'"), 1);
    assert_int_equal(ask(&w, "SELECT count(*) FROM run WHERE outcome = 'running'"), 0);
    assert_int_equal(ask(&w, NOTHING_IS_HELD " AND stack <> 's5'"), 0);
    close_world(&w);
}

/* What stays unchecked of a stack that was touched as a whole is looked at again, alone. */
static void the_rest_of_a_touched_stack_is_looked_at_again(void **state)
{
    static const struct touch whole = {STR_INIT("app"), STR_INIT(""), STR_INIT("file"), 0,
                                       STR_INIT("")};
    struct world w = {0};
    make_world(&w, *state, "version: 1\n" SERVE STACK);
    put(&w, "app/live.ndjson",
        "{\"complete\": true}\n{\"address\": \"x_thing.t3\", \"error\": \"AccessDenied\"}\n"
        "{\"address\": \"x_thing.t5\", \"error\": \"AccessDenied\"}\n");
    begin(&w, 0);
    assert_true(touch_add(&w.record, &whole, 1, &w.err));
    hub_wake(w.server[0].hub);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'incomplete'", 1);
    end(&w, 0);
    assert_int_equal(ask(&w, "SELECT count(*) FROM touch"), 2);
    assert_int_equal(ask(&w, "SELECT count(*) FROM touch t, run r WHERE why = 'unchecked 1' AND"
                             " address IN ('x_thing.t3', 'x_thing.t5') AND"
                             " due_utc_ms >= r.started_utc_ms + 15000"),
                     2);
    close_world(&w);
}

/* The server ends the connection while a scan asks who changed what: it is done again at once, and
 * does not wait for half a minute and more, as a stack does that cannot be scanned. */
static void the_store_s_trouble_is_not_the_stack_s(void **state)
{
#define WAITS \
    "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%activity_target t " \
    "JOIN%'"
    static const struct touch whole = {STR_INIT("app"), STR_INIT(""), STR_INIT("file"), 0,
                                       STR_INIT("")};
    const struct test_store *store = *state;
    struct world w = {0};
    struct record other;
    if (!store->server[0])
        return;
    make_world(&w, store, "version: 1\nschedules: [weekly]\n" SERVE STACK);
    assert_true(record_open(&w.arena, &w.server[0].options.record, &other, &w.err));
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 1);
    assert_true(db_script(w.record.db,
                          "INSERT INTO activity_source (source, cloud, account, first_utc_ms,"
                          " last_utc_ms, received_utc_ms, events) VALUES ('event', '', '', 1, 1,"
                          " 1, 1)",
                          &w.err));
    /* as nobody writes who takes his turn */
    assert_true(db_script(other.db,
                          "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0;"
                          "LOCK TABLE activity_target IN ACCESS EXCLUSIVE MODE",
                          &w.err));
    put_live(&w, "l");
    if (!touch_add(&w.record, &whole, 1, &w.err))
        fail_msg("%s", w.err.frame[0]);
    hub_wake(w.server[0].hub);
    wait_for(&w, "SELECT count(*) " WAITS, 1);
    assert_int_equal(ask(&w, "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) " WAITS ") t"),
                     1);
    assert_true(db_script(other.db, "COMMIT", &w.err));
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 2);
    end(&w, 0);
    assert_int_equal(ask(&w, "SELECT count(*) FROM run WHERE outcome = 'failed'"), 0);
    assert_int_equal(ask(&w, "SELECT count(*) FROM run WHERE outcome = 'abandoned'"), 1);
    assert_int_equal(ask(&w, "SELECT count(*) FROM lease WHERE attempts > 0"), 0);
    record_close(&other);
    close_world(&w);
}

/* Leases of two stacks have the same fence, and whoever renewed the first comes too late. */
static void a_scan_ends_for_its_own_lease_alone(void **state)
{
    const struct lease first = {.stack = STR("one"), .owner = STR("host 1 worker 0 7"), .fence = 4};
    const struct lease second = {
        .stack = STR("two"), .owner = STR("host 1 worker 0 8"), .fence = 4};
    struct scheduler s = {.closing = false};
    struct slot slot = {.scheduler = &s, .lease = second};
    (void)state;
    assert_int_equal(pthread_mutex_init(&s.lock, NULL), 0);
    scheduler_lose(&s, &slot, &first);
    assert_true(slot.why == SLOT_GOES_ON && !slot.cancel);
    scheduler_lose(&s, &slot, &second);
    assert_true(slot.why == SLOT_LOST && slot.cancel);
    slot = (struct slot){.scheduler = &s};
    scheduler_lose(&s, &slot, &second); /* it has none */
    assert_true(slot.why == SLOT_GOES_ON && !slot.cancel);
    (void)pthread_mutex_destroy(&s.lock);
}

/* However late one looks: what was abandoned found nothing that is on record, what was completed
 * found it all. */
#define FOUND_BY(outcome) \
    "SELECT count(*) FROM finding_history h JOIN run r ON r.id = h.run WHERE r.outcome = " \
    "'" outcome "'"

static void lock_state(struct world *w, const char *kind)
{
    const struct db_value param = DB_PARAM_TEXT(str_from(kind));
    assert_true(db_run(w->record.db,
                       "INSERT INTO state (stack, version, versions, lineage, serial, lock_id,"
                       " lock_info, lock_kind, lock_token, lock_name, lock_utc_ms, lock_last)"
                       " VALUES ('app', 0, 0, '', 0, 'id', '{}', $1, 0, 'ci', 0, '')"
                       " ON CONFLICT (stack) DO UPDATE SET lock_kind = excluded.lock_kind",
                       &param, 1, &w->err));
}

/* Who died left a run without an end; whoever comes next finds an apply, and scans nothing yet. */
static void a_run_of_the_dead_ends_whatever_comes_next(void **state)
{
    static const struct touch whole = {STR_INIT("app"), STR_INIT(""), STR_INIT("file"), 0,
                                       STR_INIT("")};
    const struct run_start start = {.stack = STR("app"), .path = STR("app")};
    struct world w = {0};
    int64_t run = 0;
    make_world(&w, *state, "version: 1\nschedules: [weekly]\n" STACK); /* it waits for long */
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 1);
    end(&w, 0);
    assert_true(run_begin(&w.record, &start, &run, &w.err));
    assert_true(db_script(w.record.db,
                          "UPDATE lease SET owner = 'dead', until_utc_ms = 1, due_utc_ms = 1,"
                          " run = (SELECT max(id) FROM run)",
                          &w.err));
    assert_true(touch_add(&w.record, &whole, 1, &w.err));
    lock_state(&w, "write");
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM lease WHERE waits_utc_ms > 0", 1);
    end(&w, 0);
    assert_int_equal(ask(&w, "SELECT count(*) FROM run WHERE outcome = 'running'"), 0);
    assert_int_equal(ask(&w, "SELECT max(id) FROM run WHERE outcome = 'abandoned'"), run);
    close_world(&w);
}

/* apply_wait is 2 s here: then it is scanned all the same. A plan changes nothing. */
static void an_apply_is_waited_for_but_not_for_ever(void **state)
{
    struct world w = {0};
    make_world(&w, *state, "version: 1\nschedules: [weekly]\n" SERVE STACK);
    lock_state(&w, "write");
    put_live(&w, "l");
    int64_t began = clock_wall_ms();
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 1);
    assert_int_equal(ask(&w, "SELECT count(*) FROM run WHERE note = 'scanned while an apply went on"
                             " (lock held by ci since 1970-01-01T00:00:00Z)'"),
                     1);
    assert_true(ask(&w, "SELECT min(started_utc_ms) FROM run") - began >= 2000);
    lock_state(&w, "plan");
    const struct touch whole = {STR("app"), STR(""), STR("request"), 0, STR("")};
    assert_true(touch_add(&w.record, &whole, 1, &w.err));
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 2);
    assert_int_equal(ask(&w, "SELECT count(*) FROM run WHERE note = ''"), 1);
    end(&w, 0);
    close_world(&w);
}

/* Terraform's own lock file, seen once there is something to tell: nothing is recorded, then it is,
 * with its name. */
static void a_lock_beside_the_state_is_told_of(void **state)
{
    struct world w = {0};
    make_world(&w, *state, "version: 1\nschedules: [weekly]\n" SERVE STACK);
    put_live(&w, "l");
    put(&w, "app/.terraform.tfstate.lock.info",
        "{\"ID\":\"1\",\"Operation\":\"OperationTypeApply\",\"Who\":\"eve@x\","
        "\"Created\":\"2026-11-22T09:30:00Z\"}");
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'abandoned'", 1);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 1);
    assert_int_equal(ask(&w, FOUND_BY("abandoned")), 0);
    assert_int_equal(ask(&w, FOUND_BY("complete")), THINGS);
    assert_int_equal(ask(&w, "SELECT count(*) FROM run WHERE note = 'scanned while an apply went on"
                             " (lock held by eve@x since 2026-11-22T09:30:00Z)'"),
                     1);
    end(&w, 0);
    close_world(&w);
}

static const char *answer_of(struct world *w, const char *lineage)
{
    char path[200];
    struct str text;
    put_state_of(w, 1, lineage);
    (void)snprintf(path, sizeof path, "%s/app/terraform.tfstate", w->dir);
    assert_true(io_read_file(&w->arena, path, 1 << 20, &text, &w->err));
    return arena_printf(&w->arena, "200 OK\r\n\r\n%.*s", STR_ARG(text)).ptr;
}

/* The same serial, another lineage, written while it was scanned: what was found is of a state that
 * is no more, is not recorded, and the next scan is of the new one. */
static void a_state_of_another_lineage_is_another_state(void **state)
{
    struct world w = {0};
    struct test_receiver server;
    char yaml[400];
    const char *answers[5] = {0};
    make_world(&w, *state, "version: 1\n" STACK);
    for (size_t i = 0; i < 4; i++) /* of the scan twice, of the look behind it, from then on */
        answers[i] = answer_of(&w, i < 2 ? "l" : "m");
    test_receiver_open(&server, answers);
    (void)snprintf(yaml, sizeof yaml,
                   "version: 1\nschedules: [weekly]\n" SERVE
                   "stacks: [{path: app, name: app, snapshot: app/live.ndjson,"
                   " state: 'http://127.0.0.1:%d/state'}]\n",
                   server.port);
    put(&w, "plumb.yaml", yaml);
    struct str path = arena_dup(&w.arena, w.config.path);
    assert_true(config_load(&w.arena, path.ptr, &w.config, &w.err));
    put_live(&w, "l");
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 1);
    assert_int_equal(ask(&w, "SELECT count(*) FROM run WHERE outcome = 'abandoned'"), 1);
    assert_int_equal(ask(&w, FOUND_BY("abandoned")), 0);
    assert_int_equal(ask(&w, FOUND_BY("complete")), THINGS);
    assert_int_equal(ask(&w, "SELECT count(*) FROM finding"), THINGS);
    end(&w, 0);
    test_receiver_close(&server, &w.arena);
    close_world(&w);
}

static void what_fails_comes_back_later(void **state)
{
    struct world w = {0};
    make_world(&w, *state, "version: 1\nschedules: [weekly]\n" SERVE STACK);
    put(&w, "app/terraform.tfstate", "{\"version\": 4, broken");
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'failed'", 1);
    (void)nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 200000000}, NULL);
    assert_int_equal(ask(&w, "SELECT count(*) FROM run"), 1);
    assert_int_equal(ask(&w, "SELECT attempts FROM lease"), 1);
    put_state(&w, 2); /* mended: a touch does not wait for it */
    const struct touch whole = {STR("app"), STR(""), STR("file"), 0, STR("")};
    assert_true(touch_add(&w.record, &whole, 1, &w.err));
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 1);
    assert_int_equal(ask(&w, "SELECT attempts FROM lease"), 0);
    end(&w, 0);
    close_world(&w);
}

/* What another service began and never ended is abandoned by the next, and scanned. */
static void a_scan_that_nobody_ended_is_begun_anew(void **state)
{
    struct world w = {0};
    make_world(&w, *state, "version: 1\nschedules: [weekly]\n" SERVE STACK);
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 1);
    end(&w, 0);
    assert_true(db_script(w.record.db,
                          "UPDATE run SET outcome = 'running', ended_utc_ms = NULL;"
                          "UPDATE lease SET owner = 'gone', until_utc_ms = 1, run = 1,"
                          " due_utc_ms = 1, attempts = 1",
                          &w.err) &&
                db_script(w.record.db, "UPDATE schedule SET next_utc_ms = 1", &w.err));
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 1);
    assert_int_equal(ask(&w, "SELECT count(*) FROM run WHERE id = 1 AND outcome = 'abandoned'"), 1);
    assert_int_equal(ask(&w, "SELECT last_run FROM stack"), 2);
    end(&w, 0);
    close_world(&w);
}

static atomic_llong ahead_ms; /* of the real clock */

static int64_t ahead(void *clock)
{
    (void)clock;
    return clock_wall_ms() + atomic_load(&ahead_ms);
}

static void put_clock_ahead(struct world *w, int64_t ms)
{
    char sql[300];
    atomic_store(&ahead_ms, ms);
    (void)snprintf(sql, sizeof sql,
                   "CREATE OR REPLACE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql"
                   " AS 'SELECT pg_catalog.clock_timestamp() + interval ''%lld ms'''",
                   (long long)ms);
    if (db_kind(w->record.db) != DB_SQLITE)
        assert_true(db_script(w->record.db, sql, &w->err));
}

/* What was planned, given back and touched by a clock that was two days ahead does not wait for
 * them, nor until somebody looks for new folders. */
static void a_clock_that_goes_back_keeps_no_scan(void **state)
{
    struct world w = {0};
    make_world(&w, *state, "version: 1\nschedules: [1s]\n" SERVE STACK);
    bool sqlite = db_kind(w.record.db) == DB_SQLITE;
    put_clock_ahead(&w, 2 * 86400000);
    if (sqlite)
        w.server[0].options.record.now_ms = ahead;
    else /* the server's own clock counts: one of ours is found before it */
        w.server[0].options.record.url =
            arena_printf(&w.arena, "%.*s%%2Cpg_catalog", STR_ARG(w.server[0].options.record.url));
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 1);
    assert_true(db_script(w.record.db,
                          "UPDATE lease SET attempts = 1, due_utc_ms = due_utc_ms + 60000000,"
                          " urgent_utc_ms = due_utc_ms WHERE owner = ''",
                          &w.err));
    put_clock_ahead(&w, 0);
    int64_t now = clock_wall_ms(), until = clock_monotonic_ms() + WAIT_MS;
    const struct db_value param = DB_PARAM_INT(now + 86400000);
    int64_t late = 1;
    while (late && clock_monotonic_ms() < until) {
        assert_true(db_one_int(w.record.db,
                               "SELECT (SELECT count(*) FROM lease WHERE due_utc_ms > $1) +"
                               " (SELECT count(*) FROM schedule WHERE next_utc_ms > $1)",
                               &param, 1, &late, &w.err));
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    assert_int_equal(late, 0);
    end(&w, 0);
    close_world(&w);
}

/* A row of budgets has figures as long as a configuration has it. */
static void the_figures_of_a_budget_go_with_it(void **state)
{
    struct world w = {0};
    AUTO_BUF out = {.limit = 1 << 20};
    make_world(&w, *state,
               "version: 1\nschedules: [weekly]\nbudgets: [{provider: acme/x, requests: 5}]\n" SERVE
                   STACK);
    begin(&w, 0);
    wait_for(&w, "SELECT count(*) FROM run WHERE outcome = 'complete'", 1);
    struct metrics *metrics = hub_metrics(w.server[0].hub);
    int64_t until = clock_monotonic_ms() + WAIT_MS;
    bool seen = false;
    while (!seen && clock_monotonic_ms() < until) {
        out.len = 0;
        metrics_write(metrics, false, &out);
        seen = str_find(buf_view(&out), STR("plumb_budget_calls_per_second{provider=\"acme/x\""),
                        0) != SIZE_MAX;
        (void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    assert_true(seen);
    scheduler_close(w.scheduler[0]);
    out.len = 0;
    metrics_write(metrics, false, &out);
    assert_true(str_find(buf_view(&out), STR("acme/x"), 0) == SIZE_MAX);
    hub_close(w.server[0].hub);
    close_world(&w);
}

/* Which slice of a sweep is next, whose last one was recorded that long ago. */
static int64_t next_slice(struct world *w, const char *progress, int64_t ago_ms)
{
    struct hands hands = {0};
    struct slot slot = {0};
    struct scheduler scheduler = {.settings = {.slice = 2}};
    struct plan *plan = NULL;
    int64_t now = 0;
    assert_true(plan_make(&w->server[0], &plan, &w->err) &&
                store_ready(&hands.store, &w->server[0], &w->err) &&
                lease_now(&hands.store.record, &now, &w->err));
    struct stack stack = plan->stacks.stack[0];
    stack.snapshot = STR("");
    const struct planned row = {
        .stack = stack.name,
        .tier = STR(""),
        .spec = STR("5m"),
        .next_utc_ms = 1,
        .progress = arena_printf(&w->arena, "%s %lld", progress, (long long)(now - ago_ms))};
    assert_true(db_begin(w->record.db, DB_WRITE, &w->err) &&
                planned_store(&w->record, &row, 1, &w->err) && db_commit(w->record.db, &w->err));
    struct piece p = {.s = &scheduler,
                      .slot = &slot,
                      .hands = &hands,
                      .stack = &stack,
                      .set = &plan->set[0],
                      .arena = {.limit = ARENA_DEFAULT_LIMIT}};
    assert_true(piece_find_work(&p));
    assert_int_equal(p.kind, PIECE_SLICE);
    int64_t slice = p.progress.slice;
    assert_int_equal(p.progress.nslices, slice ? 3 : 2);
    assert_int_equal(p.progress.sum[0], slice ? 3 : 0);
    arena_free(&p.arena);
    hands_drop(&hands);
    plan_free(plan);
    return slice;
}

/* A sweep goes on where it was, unless its schedule had the stack anew while nobody was at it: what
 * its first slices saw then is no answer of a scan that ends now. */
static void a_sweep_that_stood_for_long_begins_anew(void **state)
{
    static const char at[] = "4 1 3 1000 3 3 3 0 0 0 0 0 9 0";
    struct world w = {0};
    make_world(&w, *state, "version: 1\nschedules: [5m]\n" SERVE STACK);
    assert_int_equal(next_slice(&w, at, 0), 1);
    assert_int_equal(next_slice(&w, at, 301000), 0);
    assert_int_equal(next_slice(&w, at, -7200000), 1); /* the clock went back */
    put(&w, "plumb.yaml", "version: 1\nschedules: [1s]\n" SERVE STACK);
    struct str path = io_join(&w.arena, str_from(w.dir), STR("plumb.yaml"));
    w.config = (struct config){0};
    assert_true(config_load(&w.arena, path.ptr, &w.config, &w.err));
    assert_int_equal(next_slice(&w, at, 5000), 1); /* as long as a restart takes */
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_due_is_scanned_by_one),
        cmocka_unit_test(a_first_schedule_is_due_at_once),
        cmocka_unit_test(a_file_that_is_gone_keeps_no_scan),
        cmocka_unit_test(a_stack_taken_out_is_retired),
        cmocka_unit_test(a_folder_that_is_away_may_come_back),
        cmocka_unit_test(what_is_not_there_keeps_no_other_from_its_scan),
        cmocka_unit_test(two_of_one_name_keep_no_other_from_its_scan),
        cmocka_unit_test(code_that_moves_while_it_is_read_is_read_again),
        cmocka_unit_test(a_tier_and_a_touch_are_scanned_alone),
        cmocka_unit_test(a_new_finding_wakes_the_others),
        cmocka_unit_test(touched_stacks_follow_one_another),
        cmocka_unit_test(the_rest_of_a_touched_stack_is_looked_at_again),
        cmocka_unit_test(the_store_s_trouble_is_not_the_stack_s),
        cmocka_unit_test(a_scan_ends_for_its_own_lease_alone),
        cmocka_unit_test(a_run_of_the_dead_ends_whatever_comes_next),
        cmocka_unit_test(an_apply_is_waited_for_but_not_for_ever),
        cmocka_unit_test(a_lock_beside_the_state_is_told_of),
        cmocka_unit_test(a_state_of_another_lineage_is_another_state),
        cmocka_unit_test(what_fails_comes_back_later),
        cmocka_unit_test(a_scan_that_nobody_ended_is_begun_anew),
        cmocka_unit_test(a_sweep_that_stood_for_long_begins_anew),
        cmocka_unit_test(a_clock_that_goes_back_keeps_no_scan),
        cmocka_unit_test(the_figures_of_a_budget_go_with_it),
    };
    return test_stores_run("serve/scheduler", tests, sizeof tests / sizeof *tests);
}
