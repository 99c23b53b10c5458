/* test_alerter.c - the part of the service: two of them on one store, scans meanwhile; every alert
 * is made once and taken; what stops, goes on.
 */
#include "base/test.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "serve/alerter.h"
#include "serve/log.h"
#include "serve/server.h"

/* behind those: <fcntl.h> has a macro LOCK_WRITE */
#include "base/arena.h"
#include "base/clock.h"
#include "model/config.h"
#include "record/findings.h"
#include "record/test_stores.h"
#include "respond/receiver.h"

static const char text[] = "version: 1\n"
                           "notify:\n"
                           "  - {to: stdout, name: a, group: none}\n"
                           "  - {to: stdout, name: b, when: severity >= high}\n"
                           "  - {to: stdout, name: c, when: never}\n";

struct service {
    struct arena arena;
    struct config config;
    struct server server;
    struct alerter *alerter;
    struct log log;
};

static char silent_url[64];

static atomic_int asked; /* for what is not there */
static atomic_llong hours;

/* So that nothing has to wait for its next try. */
static int64_t leaping(void *clock)
{
    (void)clock;
    return 1700000000000 + (int64_t)++hours * 3600000;
}

static const char *env(const char *name)
{
    asked += strcmp(name, "NOTHING") == 0;
    return strcmp(name, "SILENT") == 0 ? silent_url : test_store_env(name);
}

static void open_service_of(struct service *s, const struct test_store *store, const char *yaml)
{
    struct err err = {0};
    memset(s, 0, sizeof *s);
    s->arena.limit = 1 << 24;
    if (!config_parse(&s->arena, str_from(yaml), "plumb.yaml", &s->config, &err))
        fail_msg("%s", err.frame[0]);
    s->server.options.config = &s->config;
    s->server.options.log = &s->log;
    s->server.options.record = (struct record_options){.url = str_from(store->url), .env = env};
    assert_true(hub_open(&s->server.hub, &err));
    if (!alerter_open(&s->alerter, &s->server, &err))
        fail_msg("%s", err.frame[0]);
}

static void open_service(struct service *s, const struct test_store *store)
{
    open_service_of(s, store, text);
}

static void close_service(struct service *s)
{
    alerter_close(s->alerter);
    hub_close(s->server.hub);
    arena_free(&s->arena);
}

static void scan(struct record *record, int64_t round)
{
    static const struct run_start start = {.stack = STR_INIT("prod"),
                                           .actor = {STR_INIT("plumb"), STR_INIT("none")}};
    static const struct value before = {.kind = VALUE_STRING, .len = 4, .text = "code"};
    struct value after = value_int(round);
    struct change change = {
        .path = STR("size"), .before = &before, .after = &after, .configurable = true};
    struct finding finding = {.class_ = CLASS_CONTRADICTS_CODE,
                              .severity = SEVERITY_HIGH,
                              .stack = STR("prod"),
                              .address = {&"abcde"[round % 5], 1},
                              .changes = &change,
                              .nchanges = 1};
    struct err err = {0};
    struct run_changes changes;
    assert_true(finding_fingerprint(&finding, &change, 1, NULL));
    const struct stack_result result = {
        .name = STR("prod"), .live = STR("providers"), .findings = &finding, .nfindings = 1};
    struct run_finish finish = {.start = &start, .result = &result};
    if (!run_begin(record, &start, &finish.run, &err) || !run_end(record, &finish, &changes, &err))
        fail_msg("%s", err.frame[0]);
}

static int64_t number(struct record *record, const char *sql)
{
    struct err err = {0};
    int64_t got = -1;
    if (!db_one_int(record->db, sql, NULL, 0, &got, &err) && err.kind)
        fail_msg("%s: %s", sql, err.frame[0]);
    return got;
}

/* Until the question's answer is that, or five minutes have passed. */
static void await(struct record *record, const char *sql, int64_t want)
{
    for (int i = 0; i < 30000 && number(record, sql) != want; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_int_equal(number(record, sql), want);
}

static void two_services_tell_each_status_once(void **state)
{
    static struct service one, two;
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct record record;
    struct err err = {0};
    const struct test_store *store = *state;
    const struct record_options options = {.url = str_from(store->url), .env = test_store_env};
    if (!record_open(&arena, &options, &record, &err))
        fail_msg("%s", err.frame[0]);
    open_service(&one, store);
    await(&record, "SELECT count(*) FROM alert_receiver", 3);
    open_service(&two, store);
    for (int64_t round = 0; round < 30; round++) {
        scan(&record, round);
        server_wake(&one.server);
        server_wake(&two.server);
        if (round == 15) { /* it stops and begins in the midst of it */
            close_service(&one);
            open_service(&one, store);
        }
    }
    await(&record,
          "SELECT (SELECT max(id) FROM finding_history) - (SELECT position FROM alert_cursor"
          " WHERE name = 'findings') + (SELECT count(*) FROM alert_item WHERE held = 0) +"
          " (SELECT count(*) FROM alert WHERE state <> 'taken')",
          0);
    /* What came and went before anybody looked, and what comes while one is sent, is less: how many
     * there are is a matter of time. */
    assert_true(number(&record, "SELECT count(*) FROM alert WHERE receiver = 'a'") > 0);
    assert_true(number(&record, "SELECT count(*) FROM alert WHERE receiver = 'b'") > 0);
    assert_int_equal(number(&record, "SELECT count(*) FROM alert WHERE receiver = 'c'"), 0);
    close_service(&one);
    close_service(&two);
    record_close(&record);
}

/* As long as its receiver has time, which a slow machine may need for the rest of the test. */
static void assert_sends_since(const struct alerter *alerter, int64_t began_ms)
{
    bool done = alerter_is_done(alerter);
    assert_true(!done || clock_monotonic_ms() - began_ms >= RECEIVER_TIMEOUT_MS);
}

/* A receiver that does not answer has its time, and nobody waits for it: another alerter goes on.
 */
static void who_does_not_answer_delays_no_reload(void **state)
{
    static const char yaml[] = "version: 1\n"
                               "notify:\n"
                               "  - {to: webhook, url: env:SILENT, allow_private: true}\n"
                               "  - {to: stdout, name: a}\n";
    static struct service one;
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct record record;
    struct err err = {0};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    const struct test_store *store = *state;
    const struct record_options options = {.url = str_from(store->url), .env = test_store_env};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(silent_url, sizeof silent_url, "http://127.0.0.1:%d/", ntohs(at.sin_port));
    assert_true(record_open(&arena, &options, &record, &err));
    open_service_of(&one, store, yaml);
    await(&record, "SELECT count(*) FROM alert_receiver", 2);
    int64_t began = clock_monotonic_ms();
    scan(&record, 0);
    server_wake(&one.server);
    int silent = accept4(listener, NULL, NULL, SOCK_CLOEXEC); /* it is being sent */
    assert_true(silent >= 0);
    await(&record, "SELECT count(*) FROM alert WHERE receiver = 'a' AND state = 'taken'", 1);
    struct alerter *before = one.alerter;
    alerter_rest(before);
    assert_sends_since(before, began);
    assert_true(alerter_open(&one.alerter, &one.server, &err));
    scan(&record, 1);
    server_wake(&one.server);
    await(&record,
          "SELECT CASE WHEN count(*) > 1 THEN 1 ELSE 0 END FROM alert"
          " WHERE receiver = 'a' AND state = 'taken'",
          1);
    assert_sends_since(before, began);
    (void)close(silent);
    (void)close(listener);
    alerter_close(before);
    close_service(&one);
    record_close(&record);
}

/* What keeps a receiver from being told anything is a line of the log, not one for each try. */
static void the_same_trouble_is_logged_once(void **state)
{
    static struct service one;
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct record record;
    struct err err = {0};
    char *lines = NULL;
    size_t len = 0, n = 0;
    const struct test_store *store = *state;
    const struct record_options options = {.url = str_from(store->url), .env = test_store_env};
    assert_true(record_open(&arena, &options, &record, &err));
    open_service_of(&one, store, "version: 1\nnotify: [{to: webhook, url: env:NOTHING}]\n");
    alerter_close(one.alerter);
    one.server.options.record.now_ms = leaping;
    one.log.out = open_memstream(&lines, &len);
    assert_true(alerter_open(&one.alerter, &one.server, &err));
    await(&record, "SELECT count(*) FROM alert_receiver", 1);
    scan(&record, 0);
    server_wake(&one.server);
    asked = 0;
    for (int i = 0; i < 30000 && asked < 6; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_true(asked >= 6);
    close_service(&one);
    (void)fclose(one.log.out);
    for (const char *at = lines; (at = strstr(at, "cannot be sent now")); at++)
        n++;
    assert_in_range(n, 1,
                    2); /* when it begins, with its place in plumb.yaml; and at the first try */
    free(lines);
    record_close(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_services_tell_each_status_once),
        cmocka_unit_test(who_does_not_answer_delays_no_reload),
        cmocka_unit_test(the_same_trouble_is_logged_once),
    };
    return test_stores_run("serve/alerter", tests, sizeof tests / sizeof *tests);
}
