/* test_outbox.c - one alert for a change of status and receiver, on both stores: routes, what is
 * held back, retries, clocks that jump, kills.
 *
 * PLUMB_KILLS=200 kills so often on each store; 10 without it.
 */
#include "base/test.h"

#include <fcntl.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "record/findings.h"
#include "record/maintain.h"
#include "record/reviews.h"
#include "record/test_stores.h"
#include "respond/alert_make.h"
#include "respond/outbox.h"

enum { MINUTE = 60000, HOUR = 3600000, MOST = 40, KILLS = 10 };
#define T0 INT64_C(1790000000000) /* 2026-09-21T14:13:20Z, a Monday */

/* --- a receiver that keeps what it was told --- */

struct got {
    char id[64], thread[64], status[16], title[200], address[64];
    size_t findings, more;
    bool others_open;
};
struct inbox {
    struct got item[400];
    size_t n;
    struct notify_answer answer; /* of the next ones */
    bool too_long;               /* no message is short enough for it */
    int fd;                      /* or -1: a line for each alert, in a file that outlives us */
};

static void copy(char *to, size_t room, struct str s)
{
    (void)snprintf(to, room, "%.*s", STR_ARG(s));
}

static bool check_nothing(const struct config_notify *config, const struct notify_target *target,
                          struct err *err)
{
    (void)config;
    (void)target;
    (void)err;
    return true;
}

/* The target's `out` is where the test's inbox is. */
static bool send_inbox(struct arena *arena, const struct notify_target *target,
                       const struct alert *alert, struct notify_answer *ret, struct err *err)
{
    struct inbox *inbox = (struct inbox *)(void *)target->out;
    (void)arena;
    if (inbox->too_long)
        return err_set(err, ERR_LIMIT, "the shortest text is over 9 bytes");
    *ret = inbox->answer;
    if (ret->result != NOTIFY_TAKEN)
        return true;
    if (inbox->fd >= 0) {
        char line[200];
        int len = snprintf(line, sizeof line, "%.*s %.*s %s\n", STR_ARG(alert->id),
                           STR_ARG(alert->thread), alert_status_name(alert->status));
        return write(inbox->fd, line, (size_t)len) == len;
    }
    struct got *got = &inbox->item[inbox->n % 400];
    inbox->n++;
    *got = (struct got){
        .findings = alert->nfindings, .more = alert->more, .others_open = alert->others_open};
    copy(got->id, sizeof got->id, alert->id);
    copy(got->thread, sizeof got->thread, alert->thread);
    copy(got->status, sizeof got->status, str_from(alert_status_name(alert->status)));
    copy(got->title, sizeof got->title, alert->title);
    if (alert->nfindings)
        copy(got->address, sizeof got->address, alert->finding[0].address);
    return true;
}

static const struct notifier groups = {
    .name = "groups", .check = check_nothing, .send = send_inbox};
static const struct notifier alone = {
    .name = "alone", .one_by_one = true, .check = check_nothing, .send = send_inbox};
static const struct notifier keeps = {.name = "keeps",
                                      .tracks = true,
                                      .acknowledges = true,
                                      .check = check_nothing,
                                      .send = send_inbox};
static const struct notifier forgets = {.name = "forgets",
                                        .resends = true,
                                        .findings_most = SIZE_MAX,
                                        .check = check_nothing,
                                        .send = send_inbox};

/* --- a world --- */

struct world {
    struct arena arena, scratch;
    struct record record;
    int64_t now;
    struct config_notify config[4];
    struct route route[4];
    struct routes routes;
    struct inbox inbox[4];
    struct outbox_breaker breaker[4];
    uint64_t values[26]; /* of each address; 0: as the code has it */
    bool deadlines;
};

static int64_t world_now(void *ctx)
{
    return ((const struct world *)ctx)->now;
}

static void world_open(struct world *w, const struct test_store *store)
{
    struct err err = {0};
    memset(w, 0, sizeof *w);
    w->arena.limit = w->scratch.limit = 1 << 28;
    w->now = T0;
    const struct record_options options = {
        .url = str_from(store->url), .env = test_store_env, .now_ms = world_now, .clock = w};
    if (!record_open(&w->arena, &options, &w->record, &err))
        fail_msg("%s", err.frame[0]);
    w->routes.item = w->route;
    for (size_t i = 0; i < 4; i++)
        w->inbox[i].fd = -1;
}

static void world_close(struct world *w)
{
    record_close(&w->record);
    arena_free(&w->arena);
    arena_free(&w->scratch);
}

static struct config_notify *add_route(struct world *w, const char *name,
                                       const struct notifier *kind, enum route_group group)
{
    size_t i = w->routes.n++;
    w->config[i] = (struct config_notify){.to = str_from(kind->name), .name = str_from(name)};
    w->route[i] = (struct route){.config = &w->config[i],
                                 .kind = kind,
                                 .name = w->config[i].name,
                                 .group = group,
                                 .quiet_passes = SEVERITY_CRITICAL};
    return &w->config[i];
}

static void set_when(struct world *w, size_t i, const char *when)
{
    size_t at;
    struct err err = {0};
    if (!when_parse(&w->arena, str_from(when), &w->config[i].condition, &at, &err))
        fail_msg("%s", err.frame[0]);
}

enum { LARGE = 1 << 17 };

static bool describe(void *ctx, struct buf *out, const struct finding *finding, struct err *err)
{
    (void)ctx;
    if (finding->address.ptr[0] == 'z') { /* as large as an attribute may be */
        buf_str(out,
                STR("{\"tags\":{\"team\":\"net\"},\"changes\":[{\"path\":\"size\",\"after\":\""));
        for (size_t i = 0; i < LARGE; i++)
            buf_char(out, 'x');
        buf_str(out, STR("\"}]}"));
        return buf_ok(out, err);
    }
    buf_printf(out,
               "{\"tags\":{\"team\":\"%s\"},\"changes\":[{\"path\":\"size\",\"before\":1,"
               "\"after\":\"(sensitive)\"}],\"location\":{\"file\":\"main.tf\",\"line\":3}}",
               finding->address.ptr[0] == 'a' ? "net" : "app");
    return buf_ok(out, err);
}

/* A scan sees the world's values: what is not 0 is a finding. */
static bool scan(struct world *w, struct err *err)
{
    static const struct run_start start = {.stack = STR_INIT("prod"),
                                           .environment = STR_INIT("live"),
                                           .owner = STR_INIT("@stack"),
                                           .actor = {STR_INIT("plumb"), STR_INIT("none")}};
    static const char address[] = "abcdefghijklmnopqrstuvwxyz";
    static const struct value before = {.kind = VALUE_STRING, .len = 4, .text = "code"};
    struct finding finding[26];
    struct change change[26];
    struct value value[26];
    size_t n = 0;
    for (size_t i = 0; i < 26; i++) {
        if (!w->values[i])
            continue;
        value[n] = value_int((int64_t)w->values[i]);
        change[n] = (struct change){
            .path = STR("size"), .before = &before, .after = &value[n], .configurable = true};
        finding[n] = (struct finding){.class_ = CLASS_CONTRADICTS_CODE,
                                      .severity = i ? SEVERITY_HIGH : SEVERITY_CRITICAL,
                                      .stack = STR("prod"),
                                      .address = {address + i, 1},
                                      .changes = &change[n],
                                      .nchanges = 1};
        assert_true(finding_fingerprint(&finding[n], &change[n], 1, NULL));
        n++;
    }
    const struct stack_result result = {
        .name = STR("prod"), .live = STR("providers"), .findings = finding, .nfindings = n};
    static const int64_t deadlines[SEVERITY_COUNT] = {[SEVERITY_HIGH] = 10 * (int64_t)HOUR};
    struct run_finish finish = {.start = &start, .result = &result, .describe = describe};
    finish.deadline_ms = w->deadlines ? deadlines : NULL;
    struct run_changes changes;
    return run_begin(&w->record, &start, &finish.run, err) &&
           run_end(&w->record, &finish, &changes, err);
}

static void do_scan(struct world *w)
{
    struct err err = {0};
    if (!scan(w, &err))
        fail_msg("%s", err.frame[0]);
}

static void step(struct world *w)
{
    struct outbox_done done = {.more = true};
    struct err err = {0};
    for (int i = 0; i < 100 && done.more; i++)
        if (!outbox_step(&w->record, &w->routes, &done, &err))
            fail_msg("%s", err.frame[0]);
    assert_false(done.more);
}

/* All that is due; how many were tried. */
static size_t send_all(struct world *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->routes.n; i++)
        for (bool more = true; more;) {
            struct notify_target target = {.config = &w->config[i],
                                           .out = (FILE *)(void *)&w->inbox[i]};
            struct outbox_sent sent;
            struct err err = {0};
            if (!outbox_send(&w->record, &w->scratch, &w->routes, &w->route[i], &target,
                             STR("test"), &w->breaker[i], &sent, &err))
                fail_msg("%s", err.frame[0]);
            more = sent.some;
            n += more;
            arena_reset(&w->scratch);
        }
    return n;
}

static void go(struct world *w)
{
    step(w);
    (void)send_all(w);
}

static void assert_got(const struct inbox *inbox, size_t i, const char *status, size_t findings)
{
    assert_true(i < inbox->n);
    assert_string_equal(inbox->item[i].status, status);
    assert_int_equal(inbox->item[i].findings + inbox->item[i].more, findings);
}

static int64_t number(struct world *w, const char *sql)
{
    struct err err = {0};
    int64_t got = -1;
    if (!db_one_int(w->record.db, sql, NULL, 0, &got, &err) && err.kind)
        fail_msg("%s: %s", sql, err.frame[0]);
    return got;
}

/* --- what is told --- */

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

/* --- sending --- */

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

/* --- kills --- */

/* A day: scans that see other values each time, alerts made and sent; killed at any moment. */
static void two_routes(struct world *w, const char *dir)
{
    static const char *const name[] = {"one", "alone"};
    char path[2][120];
    (void)add_route(w, name[0], &groups, ROUTE_BY_NONE);
    (void)add_route(w, name[1], &alone, ROUTE_BY_NONE);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(path[i], sizeof path[i], "%s/told-%s", dir, name[i]);
        w->inbox[i].fd = open(path[i], O_WRONLY | O_CREAT | O_APPEND, 0600);
        assert_true(w->inbox[i].fd >= 0);
    }
}

static void live(const struct test_store *store, unsigned seed)
{
    static struct world w;
    struct err err = {0};
    world_open(&w, store);
    two_routes(&w, store->dir);
    w.now = T0 + (int64_t)seed * 1000 * HOUR;
    for (;; seed = seed * 1103515245u + 12345u) {
        w.now += 2 * HOUR; /* so that nothing flaps */
        for (size_t i = 0; i < 3; i++)
            w.values[i] = (seed >> (8 + 3 * i)) % 3;
        if ((seed >> 20) % 3 && !scan(&w, &err))
            _exit(1);
        struct outbox_done done = {0};
        if ((seed >> 24) % 4 && !outbox_step(&w.record, &w.routes, &done, &err))
            _exit(2);
        if ((seed >> 26) % 4)
            (void)send_all(&w);
    }
}

static bool tell_story(void *ctx, const struct db_row *row, struct err *err)
{
    struct buf *out = ctx;
    (void)err;
    buf_printf(out, "%.*s ", STR_ARG(db_text(row, 0)));
    return true;
}

struct told_ids {
    struct str id[100000];
    size_t n;
};

/* "ID THREAD STATUS" lines of one thread, each id once. */
static void tell_file(struct str text, struct str thread, struct told_ids *ids, struct buf *out)
{
    struct str line, id, its;
    ids->n = 0;
    while (text.len) {
        (void)str_cut(&text, '\n', &line);
        (void)str_cut(&line, ' ', &id);
        (void)str_cut(&line, ' ', &its);
        bool again = false;
        if (!str_equal(its, thread))
            continue;
        for (size_t i = 0; i < ids->n; i++)
            again |= str_equal(ids->id[i], id);
        if (again)
            continue;
        ids->id[ids->n++] = id;
        buf_printf(out, "%.*s ", STR_ARG(line));
    }
}

/* Each line of the histories came to each receiver under one id, in order. */
static void check_told(struct world *w, struct str text, int64_t finding, size_t *ret_told)
{
    static struct told_ids ids;
    AUTO_BUF happened = {.limit = 1 << 22}, told = {.limit = 1 << 22};
    struct err err = {0};
    int64_t first = 0;
    const struct db_value id[] = {DB_PARAM_INT(finding)};
    assert_true(db_one_int(w->record.db, "SELECT first_utc_ms FROM finding WHERE id = $1", id, 1,
                           &first, &err));
    const struct alert_finding f = {.stack = STR("prod"), .first_utc_ms = first};
    const struct route route = {.group = ROUTE_BY_NONE};
    struct str thread = route_thread(&w->scratch, &route, &f, finding);
    assert_true(db_query(w->record.db,
                         "SELECT CASE what WHEN 'reopened' THEN 'new' ELSE what END FROM"
                         " finding_history WHERE finding = $1 ORDER BY id",
                         id, 1, tell_story, &happened, &err));
    tell_file(text, thread, &ids, &told);
    buf_char(&happened, '\0');
    buf_char(&told, '\0');
    assert_string_equal(told.ptr, happened.ptr);
    *ret_told += ids.n;
}

static long told_bytes(const struct world *w, const struct test_store *store)
{
    long sum = 0;
    for (size_t k = 0; k < 2; k++) {
        struct stat st;
        char path[120];
        (void)snprintf(path, sizeof path, "%s/told-%s", store->dir, w->route[k].name.ptr);
        sum += stat(path, &st) == 0 ? (long)st.st_size : 0;
    }
    return sum;
}

/* Half of them are killed at any moment, the other half once they told something more, however
 * slow the machine is. */
static void let_work(const struct world *w, const struct test_store *store, long i)
{
    enum { WAIT_MS = 60000, LOOK_MS = 5 };
    long before = told_bytes(w, store);
    for (int waited = 0; i % 2 && waited < WAIT_MS && told_bytes(w, store) == before;
         waited += LOOK_MS)
        (void)nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
    (void)nanosleep(&(struct timespec){.tv_nsec = (i * 7919 % 100) * 1000000}, NULL);
}

static void kills_lose_and_double_nothing(void **state)
{
    struct test_store *store = *state;
    static struct world w;
    struct err err = {0};
    const char *want = getenv("PLUMB_KILLS");
    long kills = want ? strtol(want, NULL, 10) : KILLS;
    size_t told = 0;
    world_open(&w, store); /* made before, so that a child is at work at once */
    two_routes(&w, store->dir);
    step(&w);
    world_close(&w);
    for (long i = 0; i < kills; i++) {
        pid_t pid = fork();
        if (pid == 0)
            live(store, (unsigned)i + 1);
        let_work(&w, store, i);
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* it did not end by itself */
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    world_open(&w, store);
    two_routes(&w, store->dir);
    w.now = T0 + (kills + 2) * 1000 * (int64_t)HOUR;
    go(&w);
    assert_int_equal(number(&w, "SELECT count(*) FROM alert WHERE state <> 'taken'"), 0);
    int64_t findings = number(&w, "SELECT max(id) FROM finding");
    for (size_t k = 0; k < 2; k++) {
        struct str text;
        char path[120];
        (void)snprintf(path, sizeof path, "%s/told-%s", store->dir, w.route[k].name.ptr);
        if (!io_read_file(&w.scratch, path, 1 << 26, &text, &err))
            fail_msg("%s", err.frame[0]);
        for (int64_t f = 1; f <= findings; f++)
            check_told(&w, text, f, &told);
    }
    print_message("  %ld kills, %lld lines of histories, %zu alerts\n", kills,
                  (long long)number(&w, "SELECT count(*) FROM finding_history"), told);
    assert_true(told > (size_t)kills / 2); /* each receiver of each that told something */
    world_close(&w);
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
        cmocka_unit_test(kills_lose_and_double_nothing),
    };
    return test_stores_run("respond/outbox", tests, sizeof tests / sizeof *tests);
}
