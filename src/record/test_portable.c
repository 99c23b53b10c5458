/* test_portable.c - a store through NDJSON into either kind and back, and exports that are none. */
#include "base/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "record/findings.h"
#include "record/maintain.h"
#include "record/portable.h"
#include "record/test_stores.h"

static int64_t fixed_clock(void *clock)
{
    return *(int64_t *)clock;
}

struct world {
    struct arena arena;
    struct record record;
    int64_t now;
};

static void open_world(struct world *world, const char *url)
{
    struct err err = {0};
    *world = (struct world){.arena = {.limit = 1 << 26}, .now = 1700000000000};
    const struct record_options options = {
        .url = str_from(url), .env = test_store_env, .now_ms = fixed_clock, .clock = &world->now};
    if (!record_open(&world->arena, &options, &world->record, &err))
        fail_msg("%s", err.frame[0]);
}

static void close_world(struct world *world)
{
    record_close(&world->record);
    arena_free(&world->arena);
}

static void scan(struct world *world, struct str stack, struct finding *finding, size_t n)
{
    struct err err = {0};
    struct run_changes changes;
    struct str key;
    const struct run_start start = {.stack = stack, .actor = {STR("uid 1 (ann)"), STR("os-user")}};
    const struct stack_result result = {.name = stack, .findings = finding, .nfindings = n};
    struct run_finish finish = {.start = &start, .result = &result, .baseline = STR("as it was")};
    for (size_t i = 0; i < n; i++)
        assert_true(finding_fingerprint(&finding[i], NULL, 0, &err));
    if (!record_key(&world->record, &key, &err) ||
        !run_begin(&world->record, &start, &finish.run, &err) ||
        !run_end(&world->record, &finish, &changes, &err))
        fail_msg("%s", err.frame[0]);
}

/* Runs, findings of all kinds of text, a baseline, events with their tree, a state with bytes. */
static void fill(struct world *world)
{
    struct finding finding[] = {
        {.class_ = CLASS_MISSING, .stack = STR("a"), .address = STR("x.\"quoted\"\\ \n\t")},
        {.class_ = CLASS_CONTRADICTS_CODE,
         .stack = STR("a"),
         .address = STR("x.h\xc3\xa4\xe2\x82\xac")},
        {.class_ = CLASS_UNCHECKED, .stack = STR("a"), .address = STR("x.c")},
    };
    scan(world, STR("a"), finding, 3);
    world->now += 86400000;
    scan(world, STR("a"), finding, 1);
    scan(world, STR("b/c"), finding, 0);
    const struct db_value bytes = DB_PARAM_BYTES(STR("\0\xff"
                                                     "canary-of-a-state"));
    assert_true(db_run(world->record.db,
                       "INSERT INTO state_part (stack, version, n, bytes) VALUES ('a', 1, 1, $1)",
                       &bytes, 1, NULL));
}

static bool add_bytes(void *ctx, struct str bytes, struct err *err)
{
    buf_str(ctx, bytes);
    return buf_ok(ctx, err);
}

static struct str export_of(struct world *world, struct buf *out, bool with_states)
{
    struct err err = {0};
    int64_t rows;
    const struct export_options how = {with_states, add_bytes, out};
    *out = (struct buf){.limit = 1 << 26};
    if (!store_export(&world->record, &how, &rows, &err))
        fail_msg("%s", err.frame[0]);
    assert_true(rows > 20);
    return buf_view(out);
}

struct text {
    struct str rest;
    size_t most;
};

static bool read_text(void *ctx, char *to, size_t room, size_t *ret_n, struct err *err)
{
    struct text *text = ctx;
    (void)err;
    *ret_n = text->rest.len < text->most ? text->rest.len : text->most;
    *ret_n = *ret_n < room ? *ret_n : room;
    if (*ret_n)
        memcpy(to, text->rest.ptr, *ret_n);
    text->rest = str_sub(text->rest, *ret_n, text->rest.len);
    return true;
}

static bool import(struct world *world, struct str export, size_t piece, struct err *err)
{
    struct text text = {export, piece};
    const struct import_source source = {read_text, &text, "test"};
    int64_t rows;
    return store_import(&world->record, &source, &rows, err);
}

static void an_export_goes_into_either_kind_and_back(void **state)
{
    struct test_store *store = *state;
    struct world from, to, again;
    struct buf one, two, three;
    struct err err = {0};
    open_world(&from, store->url);
    fill(&from);
    struct str export = export_of(&from, &one, true);
    open_world(&to, "sqlite::memory:");
    if (!import(&to, export, 7, &err))
        fail_msg("%s: %s", err.frame[0], err.frame[1]);
    assert_true(str_equal(export, export_of(&to, &two, true)));
    assert_false(import(&to, export, 4096, &err)); /* it is not empty any more */
    test_counts_hold(to.record.db);
    assert_int_equal(err.kind, ERR_CONFLICT);
    close_world(&from);
    /* And back into one of this test's kind. */
    assert_int_equal(test_store_setup(state), 0);
    open_world(&again, store->url);
    if (!import(&again, buf_view(&two), 1 << 20, &err))
        fail_msg("%s: %s", err.frame[0], err.frame[1]);
    assert_true(str_equal(export, export_of(&again, &three, true)));
    struct finding next = {.class_ = CLASS_MISSING, .stack = STR("a"), .address = STR("y")};
    scan(&again, STR("a"), &next, 1); /* it goes on */
    close_world(&again);
    close_world(&to);
    buf_free(&one);
    buf_free(&two);
    buf_free(&three);
}

static void states_are_left_out_unless_asked_for(void **state)
{
    struct world world;
    struct buf out;
    open_world(&world, ((struct test_store *)*state)->url);
    fill(&world);
    assert_true(str_find(export_of(&world, &out, false), STR("state_part"), 0) == SIZE_MAX);
    buf_free(&out);
    assert_true(str_find(export_of(&world, &out, true), STR("state_part"), 0) != SIZE_MAX);
    buf_free(&out);
    close_world(&world);
}

/* Cut at each line, a line left out or twice, a byte changed: refused, and the store stays empty.
 */
static void an_export_that_was_changed_is_refused(void **state)
{
    struct world from, to;
    struct buf whole;
    int64_t n = -1;
    open_world(&from, ((struct test_store *)*state)->url);
    fill(&from);
    struct str export = export_of(&from, &whole, true);
    open_world(&to, "sqlite::memory:");
    for (size_t at = 0, next; at < export.len; at = next) {
        struct err err = {0};
        next = str_find_char(export, '\n', at) + 1;
        struct buf bad = {.limit = 1 << 26};
        buf_str(&bad, str_sub(export, 0, at));
        assert_false(import(&to, buf_view(&bad), 1 << 20, &err)); /* cut */
        buf_str(&bad, str_sub(export, next, export.len));
        assert_false(import(&to, buf_view(&bad), 1 << 20, &err)); /* left out */
        bad.len = at;
        buf_str(&bad, str_sub(export, at, next));
        buf_str(&bad, str_sub(export, at, export.len));
        assert_false(import(&to, buf_view(&bad), 1 << 20, &err)); /* twice */
        bad.len = 0;
        buf_str(&bad, export);
        bad.ptr[(at + next) / 2] ^= 1;
        assert_false(import(&to, buf_view(&bad), 1 << 20, &err)); /* changed */
        assert_false(db_in_transaction(to.record.db));
        buf_free(&bad);
    }
    assert_true(db_one_int(to.record.db, "SELECT count(*) FROM run", NULL, 0, &n, NULL));
    assert_int_equal(n, 0);
    struct err err = {0};
    assert_true(import(&to, export, 1 << 20, &err));
    close_world(&from);
    close_world(&to);
    buf_free(&whole);
}

static bool know_table(void *ctx, const struct db_row *row, struct err *err)
{
    bool *all = ctx;
    (void)err;
    for (size_t i = 0; store_table(i); i++)
        if (str_equal(db_text(row, 0), str_from(store_table(i))))
            return true;
    print_message("  %.*s is in no export\n", STR_ARG(db_text(row, 0)));
    *all = false;
    return true;
}

static void an_export_knows_every_table(void **state)
{
    struct test_store *store = *state;
    struct world world;
    bool all = true;
    open_world(&world, store->url);
    assert_true(db_query(
        world.record.db,
        store->server[0] ? "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE"
                           " table_schema = current_schema() AND table_name NOT IN"
                           " ('plumb_schema', 'finding_count')"
                         : "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT"
                           " LIKE 'sqlite_%' AND name NOT IN ('plumb_schema', 'finding_count')",
        NULL, 0, know_table, &all, NULL));
    assert_true(all);
    close_world(&world);
}

/* --- keeping it in order --- */

static bool no_problem(void *ctx, struct str sentence, struct err *err)
{
    (void)err;
    print_message("  %.*s\n", STR_ARG(sentence));
    ++*(int *)ctx;
    return true;
}

static int64_t count(struct world *world, const char *sql)
{
    int64_t n = -1;
    assert_true(db_one_int(world->record.db, sql, NULL, 0, &n, NULL));
    return n;
}

static void what_is_old_and_done_is_forgotten(void **state)
{
    struct world world;
    struct err err = {0};
    struct pruned pruned;
    int64_t n = 0;
    int problems = 0;
    const struct event_actor ann = {STR("uid 1 (ann)"), STR("os-user")};
    open_world(&world, ((struct test_store *)*state)->url);
    fill(&world);
    assert_true(store_prune(&world.record, 30LL * 86400000, &ann, &pruned, &err));
    assert_true(pruned.findings == 0 && pruned.runs == 0);
    int64_t events = count(&world, "SELECT count(*) FROM audit_event");
    world.now += 31LL * 86400000;
    assert_true(store_prune(&world.record, 30LL * 86400000, &ann, &pruned, &err));
    assert_int_equal(pruned.findings, 2); /* resolved by the second scan */
    assert_int_equal(pruned.runs, 1);
    assert_int_equal(count(&world, "SELECT count(*) FROM finding"), 1);
    assert_int_equal(count(&world, "SELECT count(*) FROM finding_history"), 1);
    assert_int_equal(count(&world, "SELECT count(*) FROM audit_event"), events + 1);
    assert_true(store_vacuum(&world.record, &err));
    assert_true(store_check(&world.record, no_problem, &problems, &n, &err));
    assert_true(n == 0 && problems == 0);
    assert_true(db_script(world.record.db, "DELETE FROM run; DELETE FROM finding", &err));
    assert_true(store_check(&world.record, no_problem, &problems, &n, &err));
    assert_true(n > 1 && problems == n);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_export_goes_into_either_kind_and_back),
        cmocka_unit_test(states_are_left_out_unless_asked_for),
        cmocka_unit_test(an_export_that_was_changed_is_refused),
        cmocka_unit_test(an_export_knows_every_table),
        cmocka_unit_test(what_is_old_and_done_is_forgotten),
    };
    return test_stores_run("record/portable", tests, sizeof tests / sizeof *tests);
}
