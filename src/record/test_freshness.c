/* test_freshness.c - what is late: schedules of plumb.yaml and of the store, grace, incidents once.
 */
#include "record/test_stores.h"

#include "base/arena.h"
#include "base/err.h"
#include "model/config.h"
#include "model/finding.h"
#include "model/schedule.h"
#include "model/stack.h"
#include "record/findings.h"
#include "record/freshness.h"

#define MINUTE INT64_C(60000)
#define HOUR (60 * MINUTE)

static int64_t clock_of(void *clock)
{
    return *(int64_t *)clock;
}

static void open_store(struct record *record, struct arena *arena, const struct test_store *store,
                       int64_t *now)
{
    const struct record_options options = {
        .url = str_from(store->url), .env = test_store_env, .now_ms = clock_of, .clock = now};
    struct err err = {0};
    if (!record_open(arena, &options, record, &err))
        fail_msg("%s", err.frame[0]);
}

/* complete_ms 0: never; run: of the last one, with its outcome. */
static void put_stack(struct record *record, const char *name, int64_t first_ms,
                      int64_t complete_ms, const char *outcome)
{
    static int64_t runs;
    bool complete = strcmp(outcome, "complete") == 0;
    const struct db_value run[] = {DB_PARAM_INT(++runs), DB_PARAM_TEXT(str_from(name)),
                                   DB_PARAM_TEXT(str_from(outcome)), DB_PARAM_INT(first_ms)};
    const struct db_value stack[] = {
        DB_PARAM_TEXT(str_from(name)), DB_PARAM_INT(first_ms), DB_PARAM_INT(runs),
        complete_ms ? DB_PARAM_INT(complete ? runs : runs + 1000) : DB_PARAM_NULL,
        complete_ms ? DB_PARAM_INT(complete_ms) : DB_PARAM_NULL};
    assert_true(db_run(record->db,
                       "INSERT INTO run (id, stack, outcome, started_utc_ms, actor, actor_how,"
                       " source, desired, live, revision, branch, dirty, policy, config, digest,"
                       " failed, coverage, plumb) VALUES ($1, $2, $3, $4, '', '', '', '', '', '',"
                       " '', 0, '', '', '', '', '', '')",
                       run, 4, NULL));
    assert_true(db_run(record->db,
                       "INSERT INTO stack (name, path, environment, owner, first_utc_ms, last_run,"
                       " complete_run, complete_utc_ms) VALUES ($1, '', '', '', $2, $3, $4, $5)",
                       stack, 5, NULL));
}

static void plan_stack(struct record *record, struct arena *arena, const char *name,
                       const char *schedule, int64_t grace_ms, int64_t next_ms)
{
    struct schedule_tier tier = {.grace_ms = grace_ms};
    assert_true(schedule_parse(arena, str_from(schedule), STR(""), 0, &tier.schedule, NULL));
    const struct db_value row[] = {DB_PARAM_TEXT(str_from(name)),
                                   DB_PARAM_TEXT(schedule_tier_spec(arena, &tier)),
                                   DB_PARAM_INT(next_ms)};
    assert_true(db_run(record->db,
                       "INSERT INTO schedule (stack, tier, spec, next_utc_ms, began_utc_ms,"
                       " ended_utc_ms, progress) VALUES ($1, '', $2, $3, 0, 0, '')",
                       row, 3, NULL));
}

static const struct freshness *named(const struct freshness *all, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (str_equal(all[i].row.name, str_from(name)))
            return &all[i];
    fail_msg("no stack %s", name);
    return NULL;
}

static void stacks_are_late_by_what_was_planned(void **state)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record = {0};
    struct freshness *all;
    size_t n = 0;
    int64_t now = 100 * HOUR + 20 * MINUTE;
    open_store(&record, &arena, *state, &now);
    put_stack(&record, "fresh", HOUR, 100 * HOUR + MINUTE, "complete");
    put_stack(&record, "grace", HOUR, 99 * HOUR + 10 * MINUTE, "complete");
    put_stack(&record, "late", HOUR, 99 * HOUR + 10 * MINUTE, "complete");
    put_stack(&record, "failing", HOUR, 90 * HOUR, "failed");
    put_stack(&record, "never", 80 * HOUR, 0, "running");
    put_stack(&record, "targets", HOUR, 100 * HOUR, "partial");
    put_stack(&record, "unplanned", HOUR, HOUR, "complete");
    plan_stack(&record, &arena, "fresh", "0 * * * *", 0, 101 * HOUR);
    plan_stack(&record, &arena, "grace", "0 * * * *", 30 * MINUTE, 101 * HOUR);
    plan_stack(&record, &arena, "late", "0 * * * *", 0, 101 * HOUR);
    plan_stack(&record, &arena, "failing", "1h", 0, 101 * HOUR);
    plan_stack(&record, &arena, "never", "1h", 0, 101 * HOUR);
    plan_stack(&record, &arena, "targets", "1h", 0, 101 * HOUR);
    plan_stack(&record, &arena, "unheard", "1h", 0, 99 * HOUR);
    struct freshness_ask ask = {.now_utc_ms = now};
    struct err err = {0};
    if (!freshness_list(&record, &arena, &ask, &all, &n, &err))
        fail_msg("%s", err.frame[0]);
    static const struct {
        const char *stack;
        bool overdue, incomplete;
        int64_t late_utc_ms;
    } want[] = {
        {"fresh", false, false, 101 * HOUR + 15 * MINUTE},
        {"grace", false, false, 100 * HOUR + 30 * MINUTE},
        {"late", true, false, 100 * HOUR + 15 * MINUTE},
        {"failing", true, true, 91 * HOUR + 15 * MINUTE},
        {"never", true, true, 81 * HOUR + 15 * MINUTE},
        {"targets", false, false, 101 * HOUR + 15 * MINUTE},
        {"unheard", true, true, 99 * HOUR + 15 * MINUTE},
        {"unplanned", false, false, 0},
    };
    assert_int_equal(n, sizeof want / sizeof *want);
    for (size_t i = 0; i < n; i++) {
        const struct freshness *f = named(all, n, want[i].stack);
        print_message("  %s\n", want[i].stack);
        assert_int_equal(f->overdue, want[i].overdue);
        assert_int_equal(f->incomplete, want[i].incomplete);
        assert_int_equal(f->late_utc_ms, want[i].late_utc_ms);
    }
    assert_int_equal(named(all, n, "late")->next_utc_ms, 101 * HOUR);
    ask.max_age_ms = HOUR; /* what is asked for counts where it is stricter */
    assert_true(freshness_list(&record, &arena, &ask, &all, &n, NULL));
    assert_true(named(all, n, "unplanned")->overdue && named(all, n, "grace")->overdue);
    assert_false(named(all, n, "fresh")->overdue);
    record_close(&record);
}

/* A scan that is under way makes nobody whole whose last one failed. */
static void a_stack_stands_as_before_while_it_is_scanned(void **state)
{
    static const struct {
        const char *before, *last;
        bool incomplete;
    } cases[] = {{"failed", "running", true},    {"incomplete", "running", true},
                 {"partial", "running", false},  {"complete", "running", false},
                 {"abandoned", "running", true}, {"failed", "partial", false}};
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record = {0};
    struct freshness *all;
    size_t n = 0;
    int64_t now = 100 * HOUR;
    open_store(&record, &arena, *state, &now);
    put_stack(&record, "net", 99 * HOUR, 99 * HOUR, "running");
    assert_true(db_script(record.db,
                          "INSERT INTO run (id, stack, outcome, started_utc_ms, actor, actor_how,"
                          " source, desired, live, revision, branch, dirty, policy, config, digest,"
                          " failed, coverage, plumb) SELECT id + k, stack, 'failed',"
                          " started_utc_ms, '', '', '', '', '', '', '', 0, '', '', '', '', '', ''"
                          " FROM run, (SELECT 1 AS k UNION SELECT 2) AS ks;"
                          "UPDATE stack SET last_run = last_run + 2, complete_run = last_run - 1",
                          NULL));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct db_value param[] = {DB_PARAM_TEXT(str_from(cases[i].last)),
                                         DB_PARAM_TEXT(str_from(cases[i].before))};
        const struct freshness_ask ask = {.now_utc_ms = now};
        print_message("  %s, %s\n", cases[i].before, cases[i].last);
        assert_true(db_run(record.db,
                           "UPDATE run SET outcome = CASE WHEN id = (SELECT max(last_run) FROM"
                           " stack) THEN $1 WHEN id = (SELECT max(last_run) - 1 FROM stack)"
                           " THEN $2 ELSE 'failed' END",
                           param, 2, NULL));
        assert_true(freshness_list(&record, &arena, &ask, &all, &n, NULL));
        assert_int_equal(named(all, n, "net")->incomplete, cases[i].incomplete);
    }
    /* What nobody could look at is not looked at because something else was. */
    const struct freshness_ask asking = {.now_utc_ms = now};
    for (int unchecked = 1; unchecked >= 0; unchecked--) {
        assert_true(db_script(record.db,
                              unchecked
                                  ? "UPDATE run SET outcome = 'partial' WHERE id = (SELECT"
                                    " max(last_run) FROM stack); INSERT INTO finding_count"
                                    " (stack, class, lane, violation, findings) VALUES"
                                    " ('net', 'unchecked', 0, 0, 3), ('net', 'missing', 0, 0, 2)"
                                  : "UPDATE finding_count SET lane = 4 WHERE class = 'unchecked'",
                              NULL));
        assert_true(freshness_list(&record, &arena, &asking, &all, &n, NULL));
        assert_int_equal(named(all, n, "net")->incomplete, unchecked);
        assert_int_equal(named(all, n, "net")->row.open, unchecked ? 5 : 2);
    }
    record_close(&record);
}

/* "w", "t", "s": a scan of all of it, of some targets, a slice of all; then "!": it failed, "x": it
 * came to no result, "?": something was unchecked. */
static void scan_net(struct record *record, const char *how)
{
    struct run_start start = {.stack = STR("net"), .narrow = how[0] == 't'};
    const struct stack_result result = {.name = STR("net"),
                                        .failed = how[1] == '!' ? STR("no state") : STR(""),
                                        .coverage = {.unchecked = how[1] == '?'}};
    struct run_finish finish = {.start = &start, .result = &result, .partial = how[0] != 'w'};
    struct run_changes changes;
    struct err err = {0};
    if (!run_begin(record, &start, &finish.run, &err) ||
        !(how[1] == 'x' ? run_fail(record, finish.run, &start, STR("no memory"), &err)
                        : run_end(record, &finish, &changes, &err)))
        fail_msg("%s", err.frame[0]);
}

/* What a scan of the whole stack did not see, no look at some of it makes up for. */
static void a_stack_that_failed_is_incomplete_until_all_of_it_is_seen(void **state)
{
    static const struct {
        const char *how;
        bool incomplete;
        const char *failed;
    } scans[] = {{"w", false, ""},          {"w!", true, "no state"}, {"t", true, "no state"},
                 {"t!", true, "no state"},  {"s", true, "no state"},  {"w", false, ""},
                 {"t", false, ""},          {"t!", true, "no state"}, {"t", false, ""},
                 {"tx", true, "no memory"}, {"t", false, ""},         {"s!", true, "no state"},
                 {"t", true, "no state"},   {"w?", true, ""},         {"t", false, ""},
                 {"wx", true, "no memory"}, {"t", true, "no memory"}, {"w", false, ""}};
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record = {0};
    struct freshness *all;
    size_t n = 0;
    int64_t now = 100 * HOUR;
    open_store(&record, &arena, *state, &now);
    for (size_t i = 0; i < sizeof scans / sizeof *scans; i++) {
        const struct freshness_ask ask = {.now_utc_ms = now};
        print_message("  %s\n", scans[i].how);
        scan_net(&record, scans[i].how);
        assert_true(freshness_list(&record, &arena, &ask, &all, &n, NULL));
        assert_int_equal(named(all, n, "net")->incomplete, scans[i].incomplete);
        assert_true(str_equal(named(all, n, "net")->row.last_failed, str_from(scans[i].failed)));
    }
    record_close(&record);
}

static void plumb_yaml_counts_where_it_is_known(void **state)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record = {0};
    struct freshness *all;
    struct config config = {0};
    size_t n = 0;
    int64_t now = 100 * HOUR;
    open_store(&record, &arena, *state, &now);
    put_stack(&record, "a", HOUR, 90 * HOUR, "complete");
    put_stack(&record, "gone", HOUR, 90 * HOUR, "complete");
    plan_stack(&record, &arena, "a", "1w", 0, 200 * HOUR);
    assert_true(config_parse(&arena, STR("version: 1\nschedules: [hourly]\n"), "plumb.yaml",
                             &config, NULL));
    put_stack(&record, "two", 99 * HOUR, 99 * HOUR, "complete");
    const struct stack stacks[] = {{.name = STR("new")},
                                   {.name = STR("a")},
                                   {.name = STR("two"), .twice = STR("two are named two")}};
    const struct freshness_ask ask = {
        .now_utc_ms = now, .config = &config, .stack = stacks, .nstacks = 3};
    assert_true(freshness_list(&record, &arena, &ask, &all, &n, NULL));
    assert_int_equal(n, 4);
    assert_true(named(all, n, "two")->incomplete && named(all, n, "two")->row.last_failed.len);
    assert_false(named(all, n, "a")->incomplete);
    assert_true(named(all, n, "a")->overdue);
    assert_false(named(all, n, "gone")->overdue);
    assert_true(named(all, n, "new")->incomplete && !named(all, n, "new")->overdue);
    record_close(&record);
}

static int64_t count(struct record *record, const char *sql)
{
    int64_t ret = -1;
    assert_true(db_one_int(record->db, sql, NULL, 0, &ret, NULL));
    return ret;
}

static void an_incident_is_told_once(void **state)
{
    static const char events[] = "SELECT count(*) FROM audit_event WHERE type = 'scan.overdue'";
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record = {0};
    size_t told = 0;
    int64_t now = 100 * HOUR;
    open_store(&record, &arena, *state, &now);
    struct freshness f = {.row = {.name = STR("net"), .complete_utc_ms = 90 * HOUR},
                          .late_utc_ms = 92 * HOUR,
                          .overdue = true};
    for (int i = 0; i < 3; i++) {
        assert_true(freshness_tell(&record, &f, 1, &told, NULL));
        assert_int_equal(told, i == 0);
    }
    f.overdue = false;
    assert_true(freshness_tell(&record, &f, 1, &told, NULL));
    assert_int_equal(count(&record, "SELECT count(*) FROM stale"), 0);
    f.overdue = true;
    assert_true(freshness_tell(&record, &f, 1, &told, NULL));
    assert_int_equal(told, 1);
    f.row.complete_utc_ms = 95 * HOUR; /* was complete in between, and is late again */
    f.late_utc_ms = 97 * HOUR;
    assert_true(freshness_tell(&record, &f, 1, &told, NULL));
    assert_int_equal(told, 1);
    assert_int_equal(count(&record, events), 3);
    assert_int_equal(count(&record, "SELECT count(*) FROM stale"), 1);
    record_close(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stacks_are_late_by_what_was_planned),
        cmocka_unit_test(a_stack_stands_as_before_while_it_is_scanned),
        cmocka_unit_test(a_stack_that_failed_is_incomplete_until_all_of_it_is_seen),
        cmocka_unit_test(plumb_yaml_counts_where_it_is_known),
        cmocka_unit_test(an_incident_is_told_once),
    };
    return test_stores_run("record/freshness", tests, sizeof tests / sizeof *tests);
}
