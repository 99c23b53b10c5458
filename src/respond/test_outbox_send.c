/* test_outbox_send.c - alerts on their way, on both stores: retries, receivers that forget, order,
 * clocks that jump. */
#include "respond/test_outbox.h"

#include "base/clock.h"
#include "record/maintain.h"
#include "record/reviews.h"
#include "respond/alert_make.h"

static void what_fails_is_tried_again(void **state)
{
    struct world w;
    world_open(&w, *state);
    (void)add_route(&w, "down", &groups, ROUTE_BY_STACK);
    (void)add_route(&w, "other", &groups, ROUTE_BY_STACK);
    set_when(&w, 1, "status = notice");
    step(&w);
    w.inbox[0].answer = (struct notify_answer){.result = NOTIFY_LATER, .said = STR("502")};
    w.values[1] = 1;
    do_scan(&w);
    step(&w);
    size_t tries = 0;
    int64_t began = w.now;
    for (int i = 0; i < 200000 && number(&w, "SELECT count(*) FROM alert WHERE state = 'waiting'");
         i++) {
        tries += send_all(&w);
        w.now += i < 1000 ? 1000 : MINUTE;
    }
    assert_int_equal(tries, 12); /* at once, and eleven times as the schedule has it */
    assert_true(w.now - began > 75 * (int64_t)HOUR && w.now - began < 85 * (int64_t)HOUR);
    assert_int_equal(number(&w, "SELECT count(*) FROM alert WHERE state = 'dead'"), 1);
    go(&w); /* somebody else is told */
    assert_int_equal(w.inbox[1].n, 1);
    assert_got(&w.inbox[1], 0, "notice", 0);
    const struct outbox_query dead = {.state = STR("dead")};
    int64_t n = 0;
    struct err err = {0};
    assert_true(outbox_retry(&w.record, &dead, &n, &err));
    assert_int_equal(n, 1);
    w.inbox[0].answer = (struct notify_answer){0};
    w.breaker[0] = (struct outbox_breaker){0};
    assert_int_equal(send_all(&w), 1);
    assert_got(&w.inbox[0], 0, "new", 1);
    /* what somebody takes out is told with the name, once */
    const struct outbox_query waiting = {.receiver = STR("down")};
    const struct actor alice = {.name = STR("alice"), .how = STR("os-user")};
    w.values[1] = 2;
    do_scan(&w);
    step(&w);
    assert_int_equal(number(&w, "SELECT count(*) FROM alert WHERE state = 'waiting'"), 1);
    for (int i = 0; i < 2; i++) {
        assert_true(outbox_drop(&w.record, &waiting, &alice, &n, &err));
        assert_int_equal(n, !i);
        assert_int_equal(number(&w, "SELECT count(*) FROM alert WHERE state = 'dropped'"), 1);
        assert_int_equal(number(&w, "SELECT count(*) FROM audit_event WHERE type = 'alert.drop'"
                                    " AND actor = 'alice' AND line LIKE '%\"receiver\":\"down\"%'"),
                         1);
    }
    assert_int_equal(send_all(&w), 0);
    world_close(&w);
}

static void a_receiver_says_when_and_whether(void **state)
{
    struct world w;
    world_open(&w, *state);
    (void)add_route(&w, "busy", &groups, ROUTE_BY_STACK);
    (void)add_route(&w, "other", &groups, ROUTE_BY_STACK);
    set_when(&w, 1, "status = notice");
    step(&w);
    w.inbox[0].answer =
        (struct notify_answer){.result = NOTIFY_LATER, .retry_ms = 90000, .said = STR("429")};
    w.values[1] = 1;
    do_scan(&w);
    step(&w);
    assert_int_equal(send_all(&w), 1);
    w.now += 80000;
    assert_int_equal(send_all(&w), 0);
    w.now += 20000;
    w.inbox[0].answer =
        (struct notify_answer){.result = NOTIFY_TAKEN, .said = STR(""), .kept = STR("issue 7")};
    assert_int_equal(send_all(&w), 1);
    assert_int_equal(number(&w, "SELECT count(*) FROM alert_thread WHERE kept = 'issue 7'"), 1);
    w.inbox[0].answer = (struct notify_answer){.result = NOTIFY_REFUSED, .said = STR("400")};
    w.values[1] = 2;
    do_scan(&w);
    go(&w);
    assert_int_equal(number(&w, "SELECT count(*) FROM alert WHERE state = 'dead'"), 1);
    w.inbox[0].answer = (struct notify_answer){.result = NOTIFY_GONE, .said = STR("410")};
    w.values[1] = 3;
    w.now += 2 * HOUR;
    do_scan(&w);
    go(&w);
    go(&w);
    assert_int_equal(number(&w, "SELECT count(*) FROM alert_receiver WHERE gone = '410'"), 1);
    assert_int_equal(w.inbox[1].n, 2); /* of the refused one, of the receiver */
    w.values[1] = 4;
    do_scan(&w);
    go(&w); /* nothing is made for it any more */
    assert_int_equal(number(&w, "SELECT count(*) FROM alert WHERE receiver = 'busy'"), 3);
    bool was = false;
    struct err err = {0};
    assert_true(outbox_revive(&w.record, STR("busy"), &was, &err));
    assert_true(was);
    w.inbox[0].answer = (struct notify_answer){0};
    size_t before = w.inbox[0].n;
    go(&w);
    assert_int_equal(w.inbox[0].n, before + 1);
    assert_got(&w.inbox[0], before, "recurring", 1);
    /* what can never be sent is a dead letter, and the next one goes */
    w.inbox[0].too_long = true;
    w.values[1] = 5;
    do_scan(&w);
    go(&w);
    w.inbox[0].too_long = false;
    assert_int_equal(number(&w, "SELECT count(*) FROM alert WHERE state = 'dead' AND said ="
                                " 'the shortest text is over 9 bytes'"),
                     1);
    /* taken for some: the others have a message and a thread of their own; it has not failed */
    w.inbox[0].answer = (struct notify_answer){.result = NOTIFY_TAKEN,
                                               .partly = true,
                                               .rest = NOTIFY_LATER,
                                               .said = STR("not for bob"),
                                               .kept = STR("bob")};
    w.values[1] = 6;
    do_scan(&w);
    go(&w);
    assert_int_equal(number(&w, "SELECT count(*) FROM alert a JOIN alert_thread t ON t.thread ="
                                " a.thread WHERE a.state = 'waiting' AND a.id = a.thread AND"
                                " t.kept = 'bob'"),
                     1);
    assert_int_equal(number(&w, "SELECT failures FROM alert_receiver WHERE name = 'busy'"), 0);
    w.inbox[0].answer = (struct notify_answer){
        .result = NOTIFY_TAKEN, .partly = true, .rest = NOTIFY_REFUSED, .said = STR("never bob")};
    w.now += HOUR;
    go(&w);
    assert_int_equal(number(&w, "SELECT count(*) FROM alert WHERE state = 'dead' AND said ="
                                " 'never bob'"),
                     1);
    assert_int_equal(number(&w, "SELECT count(*) FROM alert WHERE state = 'waiting'"), 0);
    world_close(&w);
}

/* What is sent again to those who did not take it is no other message of that minute. */
static void a_rest_is_no_message_of_a_rate(void **state)
{
    struct world w;
    world_open(&w, *state);
    add_route(&w, "rated", &groups, ROUTE_BY_NONE)->rate = 2;
    step(&w);
    w.inbox[0].answer = (struct notify_answer){.result = NOTIFY_TAKEN,
                                               .partly = true,
                                               .rest = NOTIFY_LATER,
                                               .said = STR("not for bob"),
                                               .kept = STR("bob")};
    w.values[1] = 1;
    do_scan(&w);
    go(&w);
    assert_int_equal(number(&w, "SELECT count(*) FROM alert WHERE id = thread"), 1);
    w.inbox[0].answer = (struct notify_answer){0};
    w.values[2] = w.values[3] = 1;
    do_scan(&w);
    go(&w);
    assert_int_equal(number(&w, "SELECT count(*) FROM alert WHERE id <> thread"), 2);
    assert_int_equal(number(&w, "SELECT count(*) FROM alert_item WHERE held = 1"), 1);
    world_close(&w);
}

/* One page, one issue for several findings: it ends with the last of them. */
static void what_is_kept_open_ends_with_the_last_finding(void **state)
{
    struct world w;
    world_open(&w, *state);
    (void)add_route(&w, "by stack", &keeps, ROUTE_BY_STACK);
    (void)add_route(&w, "by owner", &keeps, ROUTE_BY_OWNER);
    (void)add_route(&w, "apart", &keeps, ROUTE_BY_NONE);
    w.values[0] = 1; /* there before anybody was told: no page for it */
    do_scan(&w);
    step(&w);
    go(&w);
    assert_true(!w.inbox[0].n && !w.inbox[1].n && !w.inbox[2].n);
    w.values[1] = w.values[2] = 1;
    do_scan(&w);
    go(&w);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(w.inbox[i].n, i < 2 ? 1 : 2);
    w.values[1] = 0;
    do_scan(&w);
    go(&w);
    for (size_t i = 0; i < 3; i++) {
        const struct got *got = &w.inbox[i].item[w.inbox[i].n - 1];
        assert_string_equal(got->status, "resolved");
        assert_int_equal(got->others_open, i < 2);
        assert_string_equal(w.inbox[i].item[0].thread, got->thread);
    }
    w.values[2] = 0;
    w.values[0] = 0; /* of which nobody was told */
    do_scan(&w);
    go(&w);
    for (size_t i = 0; i < 3; i++) {
        const struct got *got = &w.inbox[i].item[w.inbox[i].n - 1];
        assert_string_equal(got->status, "resolved");
        assert_int_equal(w.inbox[i].n, i < 2 ? 3 : 4);
        assert_false(got->others_open);
        assert_int_equal(got->findings, 1);
    }
    world_close(&w);
}

/* Who calls people hears that somebody is at it; what was answered already needs no such word. */
static void a_review_that_was_asked_for_is_told_to_who_calls(void **state)
{
    static const char ask[] =
        "INSERT INTO finding_history (id, finding, utc_ms, run, what, fingerprint, digest, actor,"
        " why) SELECT (SELECT max(id) + 1 FROM finding_history), id, 1, NULL, 'requested',"
        " fingerprint, digest, 'ann', 'is it meant?' FROM finding WHERE address = 'b'";
    struct world w;
    struct err err = {0};
    world_open(&w, *state);
    (void)add_route(&w, "pages", &keeps, ROUTE_BY_NONE);
    (void)add_route(&w, "reads", &groups, ROUTE_BY_NONE);
    set_when(&w, 0, "severity >= high and status = new");
    step(&w);
    w.values[1] = 1;
    do_scan(&w);
    go(&w);
    assert_true(db_script(w.record.db, ask, &err));
    go(&w);
    assert_true(w.inbox[0].n == 2 && w.inbox[1].n == 1);
    assert_got(&w.inbox[0], 1, "acknowledged", 1);
    assert_string_equal(w.inbox[0].item[0].thread, w.inbox[0].item[1].thread);
    assert_true(db_script(w.record.db, ask, &err) &&
                db_script(w.record.db, "UPDATE finding SET status = 'waived'", &err));
    go(&w);
    assert_int_equal(w.inbox[0].n, 2);
    assert_true(db_script(w.record.db, "UPDATE finding SET status = 'new'", &err));
    w.values[1] = 0;
    do_scan(&w);
    go(&w);
    assert_got(&w.inbox[0], 2, "resolved", 1);
    world_close(&w);
}

static void a_thread_keeps_its_order(void **state)
{
    struct world w;
    world_open(&w, *state);
    (void)add_route(&w, "one", &groups, ROUTE_BY_NONE);
    step(&w);
    w.inbox[0].answer = (struct notify_answer){.result = NOTIFY_LATER, .said = STR("502")};
    w.values[1] = 1;
    do_scan(&w);
    go(&w);
    w.values[1] = 2;
    w.values[2] = 1;
    w.now += 1000;
    do_scan(&w);
    w.inbox[0].answer = (struct notify_answer){0};
    go(&w); /* the other thread does not wait */
    assert_int_equal(w.inbox[0].n, 1);
    assert_string_equal(w.inbox[0].item[0].address, "c");
    w.now += MINUTE;
    go(&w);
    assert_int_equal(w.inbox[0].n, 3);
    assert_got(&w.inbox[0], 1, "new", 1);
    assert_got(&w.inbox[0], 2, "changed", 1);
    world_close(&w);
}

static void receivers_that_forget_are_told_again(void **state)
{
    struct world w;
    world_open(&w, *state);
    (void)add_route(&w, "forgets", &forgets, ROUTE_BY_STACK);
    step(&w);
    w.values[1] = w.values[2] = 1;
    do_scan(&w);
    go(&w);
    assert_int_equal(w.inbox[0].n, 1);
    size_t resent = 0, resolved = 0;
    for (int i = 0; i < 40; i++) {
        struct notify_target target = {.config = &w.config[0], .out = (FILE *)(void *)&w.inbox[0]};
        struct outbox_sent sent;
        struct err err = {0};
        size_t before = w.inbox[0].n;
        bool due[4];
        assert_true(outbox_due(&w.record, &w.routes, due, &err));
        assert_true(outbox_resend(&w.record, &w.scratch, &w.routes, &w.route[0], &target,
                                  &w.breaker[0], &sent, &err));
        assert_int_equal(due[0], sent.some || i == 39);
        for (size_t k = before; k < w.inbox[0].n; k++) {
            resent += strcmp(w.inbox[0].item[k].status, "recurring") == 0;
            resolved += strcmp(w.inbox[0].item[k].status, "resolved") == 0;
        }
        w.now += 20000;
        if (i == 8) {
            w.values[1] = 0;
            do_scan(&w);
            go(&w);
        }
    }
    assert_true(resent >= 13 && resent <= 14);
    assert_true(resolved >= 5 && resolved <= 6);
    world_close(&w);
}

static void clocks_jump(void **state)
{
    struct world w;
    world_open(&w, *state);
    (void)add_route(&w, "one", &groups, ROUTE_BY_NONE);
    step(&w);
    w.inbox[0].answer = (struct notify_answer){.result = NOTIFY_LATER, .said = STR("502")};
    w.values[1] = 1;
    do_scan(&w);
    go(&w);
    w.now -= 48 * (int64_t)HOUR; /* two days back: what waits is due, not due in two days */
    w.inbox[0].answer = (struct notify_answer){0};
    go(&w);
    assert_int_equal(w.inbox[0].n, 1);
    w.values[1] = 2;
    do_scan(&w);
    go(&w);
    assert_int_equal(w.inbox[0].n, 2);
    w.now += 400 * 24 * (int64_t)HOUR; /* far ahead: nothing is lost, nothing told twice */
    go(&w);
    assert_int_equal(w.inbox[0].n, 2);
    w.values[1] = 0;
    do_scan(&w);
    go(&w);
    assert_int_equal(w.inbox[0].n, 3);
    assert_got(&w.inbox[0], 2, "resolved", 1);
    world_close(&w);
}

/* Many that are told at once must fit in memory: of each no more than is shown. */
static void what_is_shown_of_a_large_finding_is_small(void **state)
{
    struct world w;
    struct alert_source source;
    struct err err = {0};
    bool found = false;
    world_open(&w, *state);
    w.values[25] = 1;
    do_scan(&w);
    AUTO_ARENA shown = {.limit = 64 << 20};
    assert_true(alert_load_shown(&w.record, &shown, number(&w, "SELECT max(id) FROM finding"),
                                 STR(""), &source, &found, &err));
    if (!found || source.finding.nchanges != 1 || source.finding.ntodo != 4)
        fail_msg("%d %zu %zu", found, source.finding.nchanges, source.finding.ntodo);
    assert_true(str_equal(source.finding.address, STR("z")));
    assert_true(source.finding.change[0].after.len == ALERT_VALUE_MAX + 3);
    if (shown.used >= LARGE / 4)
        fail_msg("%zu bytes", shown.used);
    world_close(&w);
}

static void what_else_happens_is_a_notice(void **state)
{
    struct world w;
    struct err err = {0};
    const struct actor alice = {.name = STR("alice"), .how = STR("os-user")};
    world_open(&w, *state);
    (void)add_route(&w, "all", &groups, ROUTE_BY_STACK);
    step(&w);
    struct cover cover = {.kind = COVER_BREAKGLASS,
                          .scope = STR("prod"),
                          .reason = STR("the site is down"),
                          .by = alice,
                          .until_utc_ms = w.now + HOUR};
    if (!covers_start(&w.record, &cover, &err))
        fail_msg("%s", err.frame[0]);
    go(&w);
    assert_int_equal(w.inbox[0].n, 1);
    assert_got(&w.inbox[0], 0, "notice", 0);
    assert_non_null(strstr(w.inbox[0].item[0].title, "breakglass"));
    world_close(&w);
}

/* What was forgotten leaves no hole: the cursor never stands behind a line that is still to come.
 */
static void forgetting_loses_no_alert(void **state)
{
    struct world w;
    struct err err = {0};
    struct pruned pruned;
    const struct event_actor nobody = {STR("plumb"), STR("none")};
    world_open(&w, *state);
    (void)add_route(&w, "one", &groups, ROUTE_BY_NONE);
    step(&w);
    for (int i = 0; i < 3; i++) {
        w.values[1] = 1;
        do_scan(&w);
        w.values[1] = 0;
        w.now += MINUTE;
        do_scan(&w);
        go(&w);
        w.now += 48 * (int64_t)HOUR;
        assert_true(store_prune(&w.record, 24 * (int64_t)HOUR, &nobody, &pruned, &err));
        assert_int_equal(pruned.findings, 1);
    }
    assert_int_equal(w.inbox[0].n, 6);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fails_is_tried_again),
        cmocka_unit_test(a_receiver_says_when_and_whether),
        cmocka_unit_test(a_rest_is_no_message_of_a_rate),
        cmocka_unit_test(what_is_kept_open_ends_with_the_last_finding),
        cmocka_unit_test(a_review_that_was_asked_for_is_told_to_who_calls),
        cmocka_unit_test(a_thread_keeps_its_order),
        cmocka_unit_test(receivers_that_forget_are_told_again),
        cmocka_unit_test(clocks_jump),
        cmocka_unit_test(what_is_shown_of_a_large_finding_is_small),
        cmocka_unit_test(what_else_happens_is_a_notice),
        cmocka_unit_test(forgetting_loses_no_alert),
    };
    return test_stores_run("respond/outbox_send", tests, sizeof tests / sizeof *tests);
}
