/* test_outbox.h - for tests: a store, scans of one stack that see what the test says, and receivers
 * that keep what they are told. */
#pragma once
#include "base/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "record/findings.h"
#include "record/test_stores.h"
#include "respond/outbox.h"

enum { MINUTE = 60000, HOUR = 3600000, MOST = 40 };
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

static inline void copy(char *to, size_t room, struct str s)
{
    (void)snprintf(to, room, "%.*s", STR_ARG(s));
}

static inline bool check_nothing(const struct config_notify *config,
                                 const struct notify_target *target, struct err *err)
{
    (void)config;
    (void)target;
    (void)err;
    return true;
}

/* The target's `out` is where the test's inbox is. */
static inline bool send_inbox(struct arena *arena, const struct notify_target *target,
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

static inline int64_t world_now(void *ctx)
{
    return ((const struct world *)ctx)->now;
}

static inline void world_open(struct world *w, const struct test_store *store)
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

static inline void world_close(struct world *w)
{
    record_close(&w->record);
    arena_free(&w->arena);
    arena_free(&w->scratch);
}

static inline struct config_notify *add_route(struct world *w, const char *name,
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

static inline void set_when(struct world *w, size_t i, const char *when)
{
    size_t at;
    struct err err = {0};
    if (!when_parse(&w->arena, str_from(when), &w->config[i].condition, &at, &err))
        fail_msg("%s", err.frame[0]);
}

enum { LARGE = 1 << 17 };

static inline bool describe(void *ctx, struct buf *out, const struct finding *finding,
                            struct err *err)
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
static inline bool scan(struct world *w, struct err *err)
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

static inline void do_scan(struct world *w)
{
    struct err err = {0};
    if (!scan(w, &err))
        fail_msg("%s", err.frame[0]);
}

static inline void step(struct world *w)
{
    struct outbox_done done = {.more = true};
    struct err err = {0};
    for (int i = 0; i < 100 && done.more; i++)
        if (!outbox_step(&w->record, &w->routes, &done, &err))
            fail_msg("%s", err.frame[0]);
    assert_false(done.more);
}

/* All that is due; how many were tried. */
static inline size_t send_all(struct world *w)
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

static inline void go(struct world *w)
{
    step(w);
    (void)send_all(w);
}

static inline void assert_got(const struct inbox *inbox, size_t i, const char *status,
                              size_t findings)
{
    assert_true(i < inbox->n);
    assert_string_equal(inbox->item[i].status, status);
    assert_int_equal(inbox->item[i].findings + inbox->item[i].more, findings);
}

static inline int64_t number(struct world *w, const char *sql)
{
    struct err err = {0};
    int64_t got = -1;
    if (!db_one_int(w->record.db, sql, NULL, 0, &got, &err) && err.kind)
        fail_msg("%s: %s", sql, err.frame[0]);
    return got;
}
