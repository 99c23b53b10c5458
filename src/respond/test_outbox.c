/* test_outbox.c - one alert for a change of status and receiver, on both stores: routes,
 * conditions, and what is held back. */
#include "respond/test_outbox.h"

#include "record/reviews.h"

static void one_alert_for_each_status(void **state)
{
    struct world w;
    world_open(&w, *state);
    (void)add_route(&w, "one", &groups, ROUTE_BY_NONE);
    (void)add_route(&w, "grouped", &groups, ROUTE_BY_STACK);
    step(&w);
    const uint64_t values[] = {1, 1, 2, 0, 2, 0};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        w.values[1] = values[i];
        w.now += 7 * MINUTE;
        do_scan(&w);
        go(&w);
        go(&w);
    }
    static const char *const want[] = {"new", "changed", "resolved", "new", "resolved"};
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(w.inbox[k].n, 5);
        for (size_t i = 0; i < 5; i++) {
            assert_got(&w.inbox[k], i, want[i], 1);
            assert_string_equal(w.inbox[k].item[i].address, "b");
            assert_string_equal(w.inbox[k].item[i].thread, w.inbox[k].item[0].thread);
            for (size_t j = 0; j < i; j++)
                assert_string_not_equal(w.inbox[k].item[i].id, w.inbox[k].item[j].id);
        }
    }
    assert_string_not_equal(w.inbox[0].item[0].id, w.inbox[1].item[0].id);
    /* Nobody looked for a while: still each status once, in order. */
    for (uint64_t v = 1; v < 4; v++) {
        w.values[2] = v % 3;
        w.now += MINUTE;
        do_scan(&w);
    }
    w.now += 2 * HOUR;
    go(&w);
    assert_int_equal(w.inbox[0].n, 8);
    for (size_t i = 0; i < 3; i++)
        assert_got(&w.inbox[0], 5 + i, want[i], 1);
    world_close(&w);
}

static void many_of_a_scan_are_one_message(void **state)
{
    struct world w;
    world_open(&w, *state);
    (void)add_route(&w, "grouped", &groups, ROUTE_BY_STACK);
    (void)add_route(&w, "alone", &alone, ROUTE_BY_NONE);
    (void)add_route(&w, "forgets", &forgets, ROUTE_BY_STACK);
    step(&w);
    for (size_t i = 0; i < 15; i++)
        w.values[i] = 1;
    do_scan(&w);
    go(&w);
    assert_int_equal(w.inbox[0].n, 1);
    assert_got(&w.inbox[0], 0, "new", 15);
    assert_int_equal(w.inbox[0].item[0].more, 5);
    assert_int_equal(w.inbox[1].n, 15);
    assert_int_equal(w.inbox[2].n, 1);
    assert_int_equal(w.inbox[2].item[0].more, 0);
    w.values[0] = w.values[1] = 0;
    w.values[2] = 2;
    w.now += MINUTE;
    do_scan(&w);
    go(&w);
    assert_int_equal(w.inbox[0].n, 3);
    assert_int_equal(w.inbox[1].n, 18);
    world_close(&w);
}

static void the_first_start_is_one_digest(void **state)
{
    struct world w;
    world_open(&w, *state);
    for (size_t i = 0; i < 26; i++)
        w.values[i] = 1;
    do_scan(&w);
    (void)add_route(&w, "grouped", &groups, ROUTE_BY_STACK);
    (void)add_route(&w, "alone", &alone, ROUTE_BY_NONE);
    go(&w);
    go(&w);
    assert_int_equal(w.inbox[0].n, 1);
    assert_got(&w.inbox[0], 0, "recurring", 26);
    assert_string_equal(w.inbox[0].item[0].address, "a"); /* the worst first */
    assert_int_equal(w.inbox[1].n, 0);
    w.values[3] = 0; /* of what the digest told the end is told, too */
    w.now += MINUTE;
    do_scan(&w);
    go(&w);
    assert_int_equal(w.inbox[0].n, 2);
    assert_got(&w.inbox[0], 1, "resolved", 1);
    assert_int_equal(w.inbox[1].n, 0);
    (void)add_route(&w, "later", &groups, ROUTE_BY_STACK); /* a receiver that is new */
    go(&w);
    assert_int_equal(w.inbox[2].n, 1);
    assert_got(&w.inbox[2], 0, "recurring", 25);
    assert_int_equal(w.inbox[0].n, 2);
    world_close(&w);
}

static void conditions_owners_and_the_rest(void **state)
{
    struct world w;
    static const struct str team[] = {STR_INIT("@net*"), STR_INIT("net")};
    world_open(&w, *state);
    (void)add_route(&w, "critical", &groups, ROUTE_BY_STACK);
    set_when(&w, 0, "severity = critical and status = new");
    struct config_notify *owned = add_route(&w, "net", &groups, ROUTE_BY_STACK);
    owned->owners = team;
    owned->nowners = 2;
    add_route(&w, "rest", &groups, ROUTE_BY_STACK)->fallback = true;
    (void)add_route(&w, "never", &groups, ROUTE_BY_STACK);
    set_when(&w, 3, "never");
    step(&w);
    w.values[0] = w.values[1] = 1; /* a: critical, team net; b: nobody's */
    do_scan(&w);
    go(&w);
    assert_int_equal(w.inbox[0].n, 1);
    assert_got(&w.inbox[0], 0, "new", 1);
    assert_int_equal(w.inbox[1].n, 1);
    assert_string_equal(w.inbox[1].item[0].address, "a");
    assert_int_equal(w.inbox[2].n, 1);
    assert_string_equal(w.inbox[2].item[0].address, "b");
    w.values[0] = 0; /* it was told of it, so it hears of its end, whatever it takes */
    w.config[1].no_resolved = true;
    w.now += MINUTE;
    do_scan(&w);
    go(&w);
    assert_int_equal(w.inbox[0].n, 2);
    assert_got(&w.inbox[0], 1, "resolved", 1);
    assert_int_equal(w.inbox[1].n, 1);
    assert_int_equal(w.inbox[3].n, 0);
    world_close(&w);
}

static void quiet_hours_hold_back(void **state)
{
    struct world w;
    struct timespan night;
    world_open(&w, *state);
    assert_true(timespan_parse(STR("14:00-16:00"), &night));
    (void)add_route(&w, "quiet", &groups, ROUTE_BY_STACK);
    w.route[0].quiet = &night;
    w.route[0].nquiet = 1;
    step(&w);
    w.values[1] = w.values[2] = w.values[3] = 1;
    do_scan(&w);
    go(&w);
    assert_int_equal(w.inbox[0].n, 0);
    w.values[0] = 1; /* critical passes */
    w.values[2] = 0; /* it came and went */
    w.now += 5 * MINUTE;
    do_scan(&w);
    go(&w);
    assert_int_equal(w.inbox[0].n, 1);
    assert_string_equal(w.inbox[0].item[0].address, "a");
    w.values[1] = 2;
    w.now += 5 * MINUTE;
    do_scan(&w);
    go(&w);
    assert_int_equal(w.inbox[0].n, 1);
    w.now += 2 * HOUR;
    go(&w);
    /* b, which was not told before it changed, and d as new, c as resolved: each once */
    assert_int_equal(w.inbox[0].n, 3);
    size_t resolved = strcmp(w.inbox[0].item[1].status, "resolved") == 0 ? 1 : 2;
    assert_got(&w.inbox[0], resolved, "resolved", 1);
    assert_got(&w.inbox[0], 3 - resolved, "new", 2);
    world_close(&w);
}

static void groups_wait_and_rates_are_kept(void **state)
{
    struct world w;
    world_open(&w, *state);
    struct config_notify *waits = add_route(&w, "waits", &groups, ROUTE_BY_STACK);
    waits->group_wait_ms = 30000;
    waits->group_interval_ms = 10 * MINUTE;
    add_route(&w, "rated", &groups, ROUTE_BY_NONE)->rate = 3;
    add_route(&w, "summed", &groups, ROUTE_BY_STACK)->rate = 1;
    step(&w);
    for (size_t i = 0; i < 5; i++) {
        w.values[i] = 1;
        w.now += 5000;
        do_scan(&w);
        go(&w);
    }
    assert_int_equal(w.inbox[0].n, 0);
    assert_int_equal(w.inbox[1].n, 3);
    assert_int_equal(w.inbox[2].n, 1);
    w.now += 20000;
    go(&w);
    assert_int_equal(w.inbox[0].n, 1);
    assert_got(&w.inbox[0], 0, "new", 5);
    w.now += 2 * MINUTE;
    go(&w);
    assert_int_equal(w.inbox[1].n, 5);
    assert_int_equal(w.inbox[2].n, 2);
    assert_got(&w.inbox[2], 1, "new", 4);
    w.values[0] = 2;
    do_scan(&w);
    w.now += 2 * MINUTE;
    go(&w);
    assert_int_equal(w.inbox[0].n, 1); /* not before ten minutes are over */
    w.now += 10 * MINUTE;
    go(&w);
    assert_int_equal(w.inbox[0].n, 2);
    assert_got(&w.inbox[0], 1, "changed", 1);
    world_close(&w);
}

static bool was_told(const struct inbox *inbox, size_t from, const char *address,
                     const char *status)
{
    for (size_t i = from; i < inbox->n; i++)
        if (strcmp(inbox->item[i].address, address) == 0 &&
            strcmp(inbox->item[i].status, status) == 0)
            return true;
    return false;
}

/* Others that change all the time do not keep one from being told. */
static void a_rate_leaves_nobody_behind(void **state)
{
    static const char *const address[] = {"a", "b", "c", "d", "e"};
    struct world w;
    world_open(&w, *state);
    add_route(&w, "rated", &alone, ROUTE_BY_NONE)->rate = 2;
    step(&w);
    for (size_t i = 0; i < 5; i++)
        w.values[i] = 1;
    do_scan(&w);
    go(&w);
    assert_int_equal(w.inbox[0].n, 2);
    size_t first = 0;
    for (size_t i = 0; i < 5; i++)
        first |= (size_t)was_told(&w.inbox[0], 0, address[i], "new") << i;
    for (size_t minute = 0; minute < 2; minute++) {
        for (size_t i = 0; i < 5; i++) /* those that were told change again and again */
            w.values[i] += first >> i & 1;
        do_scan(&w);
        step(&w);
        w.now += MINUTE + 1;
        go(&w);
    }
    for (size_t i = 0; i < 5; i++)
        assert_true(was_told(&w.inbox[0], 0, address[i], "new"));
    world_close(&w);
}

/* Out of plumb.yaml for a while: it misses nothing, and waits for nobody else. */
static void who_is_back_hears_what_happened(void **state)
{
    struct world w;
    bool was = false;
    struct err err = {0};
    world_open(&w, *state);
    (void)add_route(&w, "stays", &groups, ROUTE_BY_NONE);
    (void)add_route(&w, "leaves", &groups, ROUTE_BY_NONE);
    step(&w);
    w.values[0] = w.values[1] = 1;
    do_scan(&w);
    go(&w);
    assert_int_equal(w.inbox[1].n, 2);
    w.routes.n = 1;
    w.values[0] = 0; /* a is mended, b is another, c is new, d comes and goes */
    w.values[1] = w.values[2] = w.values[3] = 2;
    do_scan(&w);
    go(&w);
    w.now += MINUTE;
    w.values[2] = 3;
    w.values[3] = 0;
    do_scan(&w);
    go(&w);
    size_t stays = w.inbox[0].n;
    assert_int_equal(number(&w, "SELECT count(*) FROM alert_item"), 0);
    assert_int_equal(number(&w, "SELECT count(*) FROM alert_cursor"), 3);
    w.now += HOUR;
    w.routes.n = 2;
    go(&w);
    assert_int_equal(w.inbox[0].n, stays);
    assert_true(was_told(&w.inbox[1], 2, "a", "resolved"));
    assert_true(was_told(&w.inbox[1], 2, "b", "changed"));
    assert_true(was_told(&w.inbox[1], 2, "c", "new"));
    assert_int_equal(w.inbox[1].n, 2 + 4); /* each once; of d that it ended */
    assert_int_equal(number(&w, "SELECT count(*) FROM alert_cursor"), 2);
    w.routes.n = 1;
    w.values[4] = 1;
    do_scan(&w);
    go(&w);
    assert_true(outbox_forget(&w.record, STR("leaves"), &was, &err) && was);
    assert_int_equal(number(&w, "SELECT count(*) FROM alert_cursor"), 2);
    w.routes.n = 2;
    go(&w); /* a new one */
    assert_int_equal(w.inbox[1].n, 7);
    assert_got(&w.inbox[1], 6, "recurring", 3);
    world_close(&w);
}

/* One that takes nothing any more, and is not in plumb.yaml either, hides no new one. */
static void a_new_receiver_is_noticed_beside_one_that_is_gone(void **state)
{
    struct world w;
    world_open(&w, *state);
    (void)add_route(&w, "stays", &groups, ROUTE_BY_NONE);
    (void)add_route(&w, "comes", &groups, ROUTE_BY_NONE);
    w.routes.n = 1;
    step(&w);
    w.values[0] = 1;
    do_scan(&w);
    go(&w);
    struct err err = {0};
    assert_true(db_script(w.record.db,
                          "INSERT INTO alert_receiver (name, since_utc_ms, gone, said,"
                          " tried_utc_ms, taken_utc_ms, failures, digest_utc_ms, resent_utc_ms)"
                          " VALUES ('old', 1, '410', '', 0, 0, 0, 0, 0)",
                          &err));
    w.routes.n = 2;
    go(&w);
    assert_int_equal(w.inbox[1].n, 1);
    assert_got(&w.inbox[1], 0, "recurring", 1);
    world_close(&w);
}

static void what_flaps_is_held_back(void **state)
{
    struct world w;
    world_open(&w, *state);
    (void)add_route(&w, "one", &groups, ROUTE_BY_NONE);
    step(&w);
    for (size_t i = 0; i < 41; i++) { /* every minute there, every other minute not */
        w.values[1] = (i + 1) % 2;
        w.now += MINUTE;
        do_scan(&w);
        go(&w);
    }
    assert_int_equal(w.inbox[0].n, OUTBOX_FLAPS_MOST);
    assert_got(&w.inbox[0], OUTBOX_FLAPS_MOST - 1, "resolved", 1);
    w.now += HOUR;
    go(&w);
    assert_int_equal(w.inbox[0].n, OUTBOX_FLAPS_MOST + 1); /* one for the rest: it is there */
    assert_got(&w.inbox[0], OUTBOX_FLAPS_MOST, "new", 1);
    world_close(&w);
}

static void deadlines_escalate_and_time_repeats(void **state)
{
    struct world w;
    static const struct str boss = STR_INIT("boss");
    world_open(&w, *state);
    struct config_notify *team = add_route(&w, "team", &groups, ROUTE_BY_STACK);
    team->escalate = &boss;
    team->nescalate = 1;
    team->escalate_after_ms = HOUR;
    team->repeat_ms = 4 * (int64_t)HOUR;
    (void)add_route(&w, "boss", &groups, ROUTE_BY_STACK);
    set_when(&w, 1, "never");
    (void)add_route(&w, "daily", &groups, ROUTE_BY_STACK);
    w.deadlines = true;
    w.route[2].has_digest = true;
    assert_true(timespan_digest_parse(STR("daily 15:00"), &w.route[2].digest));
    step(&w);
    w.values[1] = w.values[2] = 1;
    do_scan(&w);
    go(&w);
    assert_int_equal(w.inbox[0].n, 1);
    w.now += HOUR;
    go(&w);
    assert_int_equal(w.inbox[2].n, 2); /* new, and the digest of 15:00 */
    assert_got(&w.inbox[2], 1, "recurring", 2);
    w.now += 3 * HOUR + MINUTE;
    go(&w);
    assert_int_equal(w.inbox[0].n, 2);
    assert_got(&w.inbox[0], 1, "recurring", 2);
    w.now += 6 * HOUR;
    go(&w);
    assert_got(&w.inbox[0], w.inbox[0].n - 1, "overdue", 2);
    assert_int_equal(w.inbox[1].n, 0);
    w.values[2] = 0; /* mended in time: the boss hears of one */
    do_scan(&w);
    w.now += HOUR;
    go(&w);
    assert_int_equal(w.inbox[1].n, 1);
    assert_got(&w.inbox[1], 0, "overdue", 1);
    world_close(&w);
}

/* Who escalates, and whom it escalates to, may both be out of plumb.yaml when a deadline passes; so
 * may who takes notices when there is one. away: the boss is, else the team. */
static void be_away(void **state, bool away)
{
    static const struct str boss = STR_INIT("boss");
    const struct actor alice = {.name = STR("alice"), .how = STR("os-user")};
    struct world w;
    struct err err = {0};
    world_open(&w, *state);
    (void)add_route(&w, "stays", &groups, ROUTE_BY_STACK);
    struct config_notify *team = add_route(&w, away ? "team" : "boss", &groups, ROUTE_BY_STACK);
    struct config_notify *other = add_route(&w, away ? "boss" : "team", &groups, ROUTE_BY_STACK);
    size_t at_boss = away ? 2 : 1;
    set_when(&w, at_boss, "never");
    team = away ? team : other;
    team->escalate = &boss;
    team->nescalate = 1;
    w.deadlines = true;
    step(&w);
    w.values[1] = 1;
    do_scan(&w);
    go(&w);
    w.routes.n = 2;
    w.now += 12 * (int64_t)HOUR;
    go(&w);
    assert_got(&w.inbox[0], w.inbox[0].n - 1, "overdue", 1);
    struct cover cover = {.kind = COVER_BREAKGLASS,
                          .scope = STR("prod"),
                          .reason = STR("the site is down"),
                          .by = alice,
                          .until_utc_ms = w.now + HOUR};
    assert_true(covers_start(&w.record, &cover, &err));
    go(&w);
    size_t stays = w.inbox[0].n, there = w.inbox[1].n;
    assert_got(&w.inbox[0], stays - 1, "notice", 0);
    w.now += MINUTE;
    w.routes.n = 3;
    go(&w);
    go(&w);
    assert_int_equal(w.inbox[0].n, stays);
    if (away) { /* the boss takes what is escalated, and nothing else */
        assert_int_equal(w.inbox[1].n, there);
        assert_int_equal(w.inbox[2].n, 1);
        assert_got(&w.inbox[2], 0, "overdue", 1);
    } else { /* the team hears of both, and the boss of the deadline */
        assert_int_equal(w.inbox[1].n, there + 1);
        assert_got(&w.inbox[1], there, "overdue", 1);
        assert_int_equal(w.inbox[2].n, 3);
        assert_true(was_told(&w.inbox[2], 1, "b", "overdue"));
        assert_got(&w.inbox[2], 2, "notice", 0);
    }
    assert_int_equal(number(&w, "SELECT count(*) FROM alert_cursor"), 2);
    world_close(&w);
}

static void a_team_that_is_back_hears_of_deadlines_and_notices(void **state)
{
    be_away(state, false);
}

static void a_boss_that_is_back_hears_of_deadlines(void **state)
{
    be_away(state, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_alert_for_each_status),
        cmocka_unit_test(many_of_a_scan_are_one_message),
        cmocka_unit_test(the_first_start_is_one_digest),
        cmocka_unit_test(conditions_owners_and_the_rest),
        cmocka_unit_test(quiet_hours_hold_back),
        cmocka_unit_test(groups_wait_and_rates_are_kept),
        cmocka_unit_test(a_rate_leaves_nobody_behind),
        cmocka_unit_test(who_is_back_hears_what_happened),
        cmocka_unit_test(a_new_receiver_is_noticed_beside_one_that_is_gone),
        cmocka_unit_test(what_flaps_is_held_back),
        cmocka_unit_test(deadlines_escalate_and_time_repeats),
        cmocka_unit_test(a_team_that_is_back_hears_of_deadlines_and_notices),
        cmocka_unit_test(a_boss_that_is_back_hears_of_deadlines),
    };
    return test_stores_run("respond/outbox", tests, sizeof tests / sizeof *tests);
}
