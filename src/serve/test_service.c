/* test_service.c - the service with its parts: reloads under load, what a reload refuses, how the
 * parts say that they live. */
#include "base/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "model/config.h"
#include "record/audit.h"
#include "serve/log.h"
#include "serve/service.h"
#include "serve/systemd.h"

enum { RELOADS = 100, CLIENTS = 4, PATIENCE_MS = 300000 };

struct world {
    char dir[40], url[80];
    struct log log;
    struct config config;
    atomic_int released;
    struct service service;
    atomic_bool end;
    atomic_int answered, failed;
};

static int64_t wall(void *clock)
{
    (void)clock;
    return clock_wall_ms();
}

static void count_release(void *owner)
{
    struct world *world = owner;
    world->released++;
}

static struct server_options options_of(struct world *world)
{
    return (struct server_options){
        .listener = {.address = STR("127.0.0.1:0"), .anonymous = true, .now_ms = wall},
        .record = {.url = str_from(world->url), .now_ms = wall, .timeout_ms = PATIENCE_MS},
        .log = &world->log,
        .config = &world->config,
        .config_digest = STR("sha256:00"),
        .release = count_release,
        .owner = world};
}

static void begin(struct world *world)
{
    struct err err = {0};
    *world = (struct world){.log = {.level = LOG_ERROR}};
    (void)snprintf(world->dir, sizeof world->dir, "/tmp/plumb-service.XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    (void)snprintf(world->url, sizeof world->url, "sqlite:%s/plumb.db", world->dir);
    struct server_options options = options_of(world);
    if (!service_start(&world->service, &options, &err))
        fail_msg("%s", err.frame[0]);
}

static void end(struct world *world)
{
    char command[80];
    assert_true(service_stop(&world->service, PATIENCE_MS));
    (void)snprintf(command, sizeof command, "rm -rf %s", world->dir);
    assert_int_equal(system(command), 0);
}

/* --- requests --- */

static int connect_to(struct world *world)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct str address = listener_address(world->service.listener), host;
    int64_t port = 0;
    (void)str_cut(&address, ':', &host);
    assert_true(str_to_int64(address, &port));
    to.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

/* One request on an open connection; the status, 0 where the connection ended. */
static int ask(int fd, const char *request, char *ret, size_t room)
{
    size_t n = 0;
    int status = 0;
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
        return 0;
    for (;;) {
        ssize_t got = recv(fd, ret + n, room - 1 - n, 0);
        if (got <= 0)
            return 0;
        n += (size_t)got;
        ret[n] = '\0';
        const char *head = strstr(ret, "\r\n\r\n"), *length = strstr(ret, "Content-Length: ");
        if (head && length && n >= (size_t)(head + 4 - ret) + strtoul(length + 16, NULL, 10))
            break;
    }
    (void)sscanf(ret, "HTTP/1.1 %d", &status);
    return status;
}

static int ask_once(struct world *world, const char *request, char *ret, size_t room)
{
    int fd = connect_to(world);
    int status = ask(fd, request, ret, room);
    (void)close(fd);
    return status;
}

static void *client(void *ctx)
{
    static const char *const requests[] = {
        "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /v1/states HTTP/1.1\r\nHost: x\r\n\r\n",
        "LOCK /v1/states/a HTTP/1.1\r\nHost: x\r\nContent-Length: 46\r\n\r\n"
        "{\"ID\":\"11111111-1111-1111-1111-111111111111\"}\n",
        "UNLOCK /v1/states/a HTTP/1.1\r\nHost: x\r\nContent-Length: 46\r\n\r\n"
        "{\"ID\":\"11111111-1111-1111-1111-111111111111\"}\n",
        "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
    };
    struct world *world = ctx;
    char answer[64 << 10];
    int fd = connect_to(world);
    for (size_t i = 0; !world->end; i++) {
        int status =
            ask(fd, requests[i % (sizeof requests / sizeof *requests)], answer, sizeof answer);
        world->answered += status == 200 || status == 423 || status == 409;
        if (status == 0 || status >= 500)
            world->failed++;
        if (status == 0 || i % 50 == 49) { /* connections come and go */
            (void)close(fd);
            fd = connect_to(world);
        }
    }
    (void)close(fd);
    return NULL;
}

static void requests_go_on_through_reloads(void **state)
{
    struct world world;
    pthread_t thread[CLIENTS];
    struct err err = {0};
    (void)state;
    begin(&world);
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, client, &world), 0);
    for (int i = 0; i < RELOADS; i++) {
        struct server_options options = options_of(&world);
        if (!service_reload(&world.service, &options, &err))
            fail_msg("reload %d: %s", i, err.frame[0]);
        service_tend(&world.service);
        (void)usleep(2000);
    }
    while (world.answered <= 100 && world.failed == 0)
        (void)usleep(2000);
    world.end = true;
    for (int i = 0; i < CLIENTS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    for (int i = 0; i < 30000 && world.service.leaving; i++) { /* the last connections end */
        (void)usleep(10000);
        service_tend(&world.service);
    }
    assert_int_equal(world.failed, 0);
    assert_true(world.answered > 100);
    assert_null(world.service.leaving);
    assert_int_equal(world.released, RELOADS);
    end(&world);
    assert_int_equal(world.released, RELOADS + 1);
}

static int64_t count_events(struct world *world)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct record record = {0};
    const struct record_options options = {.url = str_from(world->url)};
    struct err err = {0};
    int64_t n = -1;
    assert_true(record_open(&arena, &options, &record, &err));
    assert_true(db_one_int(record.db, "SELECT count(*) FROM audit_event WHERE type = 'config'",
                           NULL, 0, &n, &err));
    record_close(&record);
    return n;
}

static void what_needs_a_restart_is_refused(void **state)
{
    struct world world;
    struct err err = {0};
    char answer[4096];
    (void)state;
    begin(&world);
    struct server_options options = options_of(&world);
    options.listener.address = STR("127.0.0.1:1");
    assert_false(service_reload(&world.service, &options, &err));
    assert_non_null(strstr(err.frame[0], "needs a restart"));
    err_clear(&err);
    options = options_of(&world);
    options.record.url = STR("sqlite:/tmp/other.db");
    assert_false(service_reload(&world.service, &options, &err));
    assert_non_null(strstr(err.frame[0], "store"));
    err_clear(&err);
    options = options_of(&world);
    options.listener.tls_cert = STR("no certificate");
    options.listener.tls_key = STR("no key");
    assert_false(service_reload(&world.service, &options, &err));
    assert_int_equal(world.released, 3);
    assert_int_equal(
        ask_once(&world, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof answer), 200);
    assert_int_equal(count_events(&world), 0);
    options = options_of(&world);
    assert_true(service_reload(&world.service, &options, &err));
    assert_int_equal(count_events(&world), 1);
    end(&world);
    assert_int_equal(world.released, 5);
}

/* Whatever is wrong with a configuration is found before a part of the old one is closed. */
static void a_bad_configuration_closes_nothing(void **state)
{
    struct world world;
    struct err err = {0};
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX], *long_ = calloc(1, AUDIT_LINE_MAX);
    static const struct config_notify nowhere = {.to = STR_INIT("slak"), .name = STR_INIT("x")};
    static const struct str emails[] = {STR_INIT("*@acme.example")};
    struct config notify = {.notify = &nowhere, .nnotify = 1};
    enum {
        ADDRESS,
        STORE,
        TLS_HALF,
        TLS_TEXT,
        OUTSIDE,
        RECEIVER,
        OIDC_HTTP,
        OIDC_FILE,
        EVENT,
        BAD
    };
    static const char *const want[BAD] = {
        "restart", "store",  "both cert and key", "serve.tls.cert",
        "restart", "'slak'", "https is needed",   "events.oidc.keys",
        ""};
    (void)state;
    assert_non_null(long_);
    memset(long_, 'x', AUDIT_LINE_MAX - 1);
    begin(&world);
    struct server *before = world.service.server;
    for (int i = 0; i < BAD; i++) {
        struct server_options o = options_of(&world);
        const struct oidc_settings oidc = {.audience = STR("a"),
                                           .keys = i == OIDC_HTTP ? STR("http://keys.example/x")
                                                                  : STR("/nowhere/jwks.json"),
                                           .email = emails,
                                           .nemails = 1};
        o.listener.address = i == ADDRESS   ? STR("127.0.0.1:1")
                             : i == OUTSIDE ? STR("0.0.0.0:0")
                                            : o.listener.address;
        o.record.url = i == STORE ? STR("sqlite:/tmp/other.db") : o.record.url;
        o.listener.tls_cert = i == TLS_HALF || i == TLS_TEXT ? STR("none") : STR("");
        o.listener.tls_key = i == TLS_TEXT ? STR("none") : STR("");
        o.config = i == RECEIVER ? &notify : o.config;
        if (i == OIDC_HTTP || i == OIDC_FILE)
            o.events_oidc = oidc;
        o.config_digest = i == EVENT ? str_from(long_) : o.config_digest;
        err = (struct err){0};
        assert_false(service_reload(&world.service, &o, &err));
        if (!strstr(err_text(&err, text, sizeof text), want[i]))
            fail_msg("%d: want %s, got %s", i, want[i], text);
        assert_ptr_equal(world.service.server, before);
        assert_int_equal(before->rests, 0);
        assert_false(server_leaving(before));
        assert_int_equal(world.released, i + 1);
    }
    assert_int_equal(count_events(&world), 0);
    struct server_options good = options_of(&world);
    assert_true(service_reload(&world.service, &good, &err));
    assert_int_equal(count_events(&world), 1);
    free(long_);
    end(&world);
}

/* Where the store cannot be written there is no event, and so no new configuration. */
static void a_reload_that_cannot_be_recorded_is_none(void **state)
{
    struct world world;
    struct err err = {0};
    (void)state;
    begin(&world);
    struct server *before = world.service.server;
    struct server_options options = options_of(&world);
    char *long_ = calloc(1, AUDIT_LINE_MAX);
    assert_non_null(long_);
    memset(long_, 'x', AUDIT_LINE_MAX - 1);
    options.config_digest = str_from(long_); /* no event may be so long */
    assert_false(service_reload(&world.service, &options, &err));
    free(long_);
    assert_ptr_equal(world.service.server, before);
    assert_false(before->resting);
    assert_false(server_leaving(before));
    end(&world);
}

/* A disk that is not mounted any more: no new store takes its place, and nothing is acknowledged
 * that is in none; it goes on when the disk is back. */
static void a_store_that_is_gone_is_waited_for(void **state)
{
    struct world world;
    struct err err = {0};
    char answer[4096], away[80];
    static const char lock[] = "LOCK /v1/states/a HTTP/1.1\r\nHost: x\r\nContent-Length: 46\r\n\r\n"
                               "{\"ID\":\"11111111-1111-1111-1111-111111111111\"}\n";
    (void)state;
    begin(&world);
    struct server_options options = options_of(&world);
    (void)snprintf(away, sizeof away, "%s.away", world.dir);
    assert_int_equal(rename(world.dir, away), 0);
    for (int i = 0; i < 2; i++) { /* where the folder is not, and where it is empty */
        assert_int_equal(ask_once(&world, lock, answer, sizeof answer), 503);
        assert_int_equal(
            ask_once(&world, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof answer),
            503);
        assert_int_equal(rmdir(world.dir), i - 1);
        assert_int_equal(mkdir(world.dir, 0700), 0);
    }
    assert_false(service_reload(&world.service, &options, &err));
    assert_int_equal(rmdir(world.dir), 0);
    assert_int_equal(rename(away, world.dir), 0);
    assert_int_equal(ask_once(&world, lock, answer, sizeof answer), 200);
    end(&world);
}

static void parts_say_what_is_wrong(void **state)
{
    struct world world;
    char answer[4096];
    (void)state;
    begin(&world);
    struct hub *hub = world.service.hub;
    hub_trouble(hub, PART_RUN_TASKS, "no \"queue\"");
    assert_int_equal(
        ask_once(&world, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof answer), 503);
    assert_non_null(strstr(answer, "application/problem+json"));
    assert_non_null(strstr(answer, "run_tasks: no \\\"queue\\\""));
    assert_int_equal(
        ask_once(&world, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof answer), 200);
    hub_trouble(hub, PART_RUN_TASKS, NULL);
    hub_beat(hub, PART_RUN_TASKS, 1);
    (void)usleep(20000);
    assert_int_equal(
        ask_once(&world, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof answer), 503);
    assert_non_null(strstr(answer, "run_tasks: it does not answer"));
    hub_beat(hub, PART_RUN_TASKS, 0);
    assert_int_equal(
        ask_once(&world, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", answer, sizeof answer), 200);
    end(&world);
}

/* --- the wake --- */

static void *wake_later(void *ctx)
{
    (void)usleep(20000);
    hub_wake(ctx);
    return NULL;
}

static void the_wake_reaches_all(void **state)
{
    struct hub *hub = NULL;
    struct err err = {0};
    pthread_t thread;
    uint64_t n = 0;
    (void)state;
    assert_true(hub_open(&hub, &err));
    int fd = hub_wake_fd(hub, PART_SETTLER);
    assert_int_equal(hub_wait(hub, HUB_REST, 0, 10), 0);
    assert_int_equal(pthread_create(&thread, NULL, wake_later, hub), 0);
    uint64_t seen = hub_wait(hub, HUB_REST, 0, -1);
    assert_int_equal(seen, 1);
    for (int what = 0; what < HUB_WAITERS; what++)
        assert_int_equal(hub_wait(hub, (enum hub_waiter)what, 0, 0), 1);
    assert_int_equal(read(fd, &n, sizeof n), 8);
    assert_int_equal(n, 1);
    assert_int_equal(hub_wait(hub, HUB_REST, seen, 0), 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    hub_close(hub);
}

static void *sleep_once(void *ctx)
{
    (void)hub_wait(ctx, HUB_SCANS, 1, -1);
    return NULL;
}

/* Two that wait for scans, from after the first wake on. */
static struct hub *open_with_sleepers(pthread_t thread[2])
{
    struct hub *hub = NULL;
    struct err err = {0};
    assert_true(hub_open(&hub, &err));
    hub_wake(hub);
    hub_wake_for_finding(hub);
    assert_int_equal(hub_wait(hub, HUB_SCANS, 0, 0), 1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, sleep_once, hub), 0);
    return hub;
}

static void join_both(const pthread_t thread[2])
{
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
}

/* A touch is for those that scan, of whom one is enough; findings wake none of them. */
static void a_wake_reaches_those_it_is_for(void **state)
{
    pthread_t thread[2];
    struct hub *hub = open_with_sleepers(thread);
    (void)state;
    for (int i = 0; i < 2; i++)
        hub_wake_for_touch(hub);
    join_both(thread);
    assert_int_equal(hub_wait(hub, HUB_SCANS, 0, 0), 3);
    assert_int_equal(hub_wait(hub, HUB_ALERTS, 0, 0), 2);
    assert_int_equal(hub_wait(hub, HUB_STREAMS, 0, 0), 4);
    assert_int_equal(hub_wait(hub, HUB_REST, 0, 0), 1);
    hub_close(hub);
}

/* Of another process: each of those that scan looks, and nobody else that works. */
static void touches_of_others_wake_all_that_scan(void **state)
{
    pthread_t thread[2];
    struct hub *hub = open_with_sleepers(thread);
    (void)state;
    hub_wake_for_touches(hub);
    join_both(thread);
    assert_int_equal(hub_wait(hub, HUB_SCANS, 0, 0), 2);
    assert_int_equal(hub_wait(hub, HUB_ALERTS, 0, 0), 2);
    assert_int_equal(hub_wait(hub, HUB_STREAMS, 0, 0), 3);
    assert_int_equal(hub_wait(hub, HUB_REST, 0, 0), 1);
    hub_close(hub);
}

/* --- the manager --- */

/* Of this process alone: other runs of this test may be at work beside it. */
static const char *manager_at(void)
{
    static char name[40];
    (void)snprintf(name, sizeof name, "@plumb-test-notify-%ld", (long)getpid());
    return name;
}

static int listen_as_manager(const struct timeval *patience)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *name = manager_at();
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, patience, sizeof *patience), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
    return fd;
}

static const char *manager_env(const char *name)
{
    return strcmp(name, "NOTIFY_SOCKET") == 0   ? manager_at()
           : strcmp(name, "WATCHDOG_USEC") == 0 ? "40000"
                                                : NULL;
}
static const char *bad_env(const char *name)
{
    return strcmp(name, "NOTIFY_SOCKET") == 0 ? "relative" : NULL;
}
static const char *no_env(const char *name)
{
    (void)name;
    return NULL;
}

static void expect(int fd, const char *begins)
{
    char text[500];
    for (;;) {
        ssize_t n = recv(fd, text, sizeof text - 1, 0);
        assert_true(n > 0);
        text[n] = '\0';
        if (strncmp(text, begins, strlen(begins)) == 0)
            return;
        assert_string_equal(text, "WATCHDOG=1");
    }
}

/* While somebody reads: the watchdog alone fills a queue that nobody empties. */
static void *tell(void *ctx)
{
    systemd_ready(ctx, "listening");
    systemd_reloading(ctx);
    systemd_stopping(ctx);
    return NULL;
}

static void the_manager_is_told(void **state)
{
    const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    struct systemd *systemd = NULL;
    struct hub *hub = NULL;
    struct err err = {0};
    pthread_t thread;
    (void)state;
    assert_true(hub_open(&hub, &err));
    int fd = listen_as_manager(&patience);
    assert_true(systemd_open(&systemd, manager_env, hub, &err));
    assert_int_equal(pthread_create(&thread, NULL, tell, systemd), 0);
    expect(fd, "READY=1\nSTATUS=listening");
    expect(fd, "RELOADING=1\nMONOTONIC_USEC=");
    expect(fd, "STOPPING=1\nSTATUS=stopping");
    expect(fd, "WATCHDOG=1");
    assert_int_equal(pthread_join(thread, NULL), 0);
    systemd_close(systemd);
    assert_false(systemd_open(&systemd, bad_env, hub, &err));
    assert_true(systemd_open(&systemd, no_env, hub, &err));
    systemd_ready(systemd, "nobody listens");
    systemd_close(systemd);
    (void)close(fd);
    hub_close(hub);
}

/* Its queue is full: what the watchdog would say is there already, and the service may end. */
static void a_manager_that_does_not_listen_keeps_nobody(void **state)
{
    const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    struct systemd *systemd = NULL;
    struct hub *hub = NULL;
    struct err err = {0};
    (void)state;
    assert_true(hub_open(&hub, &err));
    int fd = listen_as_manager(&patience);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    socklen_t length = sizeof at;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    int full = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    while (sendto(full, "WATCHDOG=1", 10, MSG_DONTWAIT, (struct sockaddr *)&at, length) > 0)
        ;
    assert_true(systemd_open(&systemd, manager_env, hub, &err));
    (void)usleep(100000); /* it has tried */
    systemd_close(systemd);
    (void)close(full);
    (void)close(fd);
    hub_close(hub);
}

/* A part that does not answer: the manager hears nothing more, and starts us anew. */
static void a_part_that_hangs_starves_the_watchdog(void **state)
{
    const struct timeval a_moment = {.tv_usec = 300000};
    struct systemd *systemd = NULL;
    struct hub *hub = NULL;
    struct err err = {0};
    char text[100];
    (void)state;
    assert_true(hub_open(&hub, &err));
    hub_beat(hub, PART_SETTLER, 1);
    (void)usleep(20000);
    int fd = listen_as_manager(&a_moment);
    assert_true(systemd_open(&systemd, manager_env, hub, &err));
    assert_true(recv(fd, text, sizeof text, 0) < 0);
    const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    hub_beat(hub, PART_SETTLER, 0);
    assert_true(recv(fd, text, sizeof text, 0) > 0);
    systemd_close(systemd);
    (void)close(fd);
    hub_close(hub);
}

/* --- levels --- */

static void levels_are_of_subsystems(void **state)
{
    static const char *const bad[] = {"loud", "info,htp=warn", "info,=warn", "http=", ","};
    struct log log = {.out = stderr};
    struct err err = {0};
    (void)state;
    assert_true(log_set_levels(&log, STR("warn, http=debug,scheduler=error"), &err));
    assert_true(log_wants(&log, LOG_DEBUG, "http"));
    assert_true(log_wants(&log, LOG_WARN, "serve"));
    assert_false(log_wants(&log, LOG_INFO, "serve"));
    assert_false(log_wants(&log, LOG_WARN, "scheduler"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err_clear(&err);
        assert_false(log_set_levels(&log, str_from(bad[i]), &err));
    }
    assert_true(log_wants(&log, LOG_DEBUG, "http"));
    assert_true(log_set_levels(&log, STR(""), &err));
    assert_false(log_wants(&log, LOG_DEBUG, "http"));
    assert_true(log_wants(&log, LOG_INFO, "serve"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_go_on_through_reloads),
        cmocka_unit_test(what_needs_a_restart_is_refused),
        cmocka_unit_test(a_bad_configuration_closes_nothing),
        cmocka_unit_test(a_reload_that_cannot_be_recorded_is_none),
        cmocka_unit_test(a_store_that_is_gone_is_waited_for),
        cmocka_unit_test(parts_say_what_is_wrong),
        cmocka_unit_test(the_wake_reaches_all),
        cmocka_unit_test(a_wake_reaches_those_it_is_for),
        cmocka_unit_test(touches_of_others_wake_all_that_scan),
        cmocka_unit_test(the_manager_is_told),
        cmocka_unit_test(a_manager_that_does_not_listen_keeps_nobody),
        cmocka_unit_test(a_part_that_hangs_starves_the_watchdog),
        cmocka_unit_test(levels_are_of_subsystems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
