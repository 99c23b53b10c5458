/* heartbeat.c - one thread: a look at the store now and then, a request to the switch. */
#include "serve/heartbeat.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/config.h"
#include "record/freshness.h"
#include "serve/log.h"
#include "serve/server.h"
#include "wire/http.h"

enum {
    LOOK_EVERY_MS = 10000,
    BEAT_EVERY_MS = 60000, /* without `every` */
    WAIT_MS = 500,
    REQUEST_MS = 5000,
    PROMISE_MS = 120000
};

struct heartbeat {
    struct server *server;
    pthread_t thread;
    atomic_bool stopping;
    int64_t looked_ms, beat_ms; /* monotonic; 0 = never */
    size_t stacks, overdue, incomplete;
    bool read;    /* the store could be, at the last look */
    bool failing; /* the switch did not answer */
};

static void log_error(const struct heartbeat *h, const char *what, const struct err *err)
{
    char text[ERR_TEXT_MAX];
    LOG(h->server->options.log, LOG_WARN, "serve", what,
        LOG_TEXT("error", str_from(err_text(err, text, sizeof text))));
}

/* --- the store --- */

static bool look_in(struct heartbeat *h, struct arena *arena, struct record *record,
                    struct err *err)
{
    const struct freshness_ask ask = {.now_utc_ms = record_now(record)};
    struct freshness *all = NULL;
    size_t n = 0, told = 0;
    if (!freshness_list(record, arena, &ask, &all, &n, err) ||
        !freshness_tell(record, all, n, &told, err))
        return false;
    h->stacks = n;
    h->overdue = h->incomplete = 0;
    for (size_t i = 0; i < n; i++) {
        h->overdue += all[i].overdue;
        h->incomplete += all[i].incomplete;
    }
    if (told) {
        LOG(h->server->options.log, LOG_WARN, "scheduler", "scans are overdue",
            LOG_NUMBER("stacks", (int64_t)told), LOG_TEXT("todo", STR("plumb status")));
        server_wake(h->server);
    }
    return true;
}

static void look(struct heartbeat *h)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct record record = {0};
    struct err err = {0};
    bool before = h->read;
    h->read = record_open(&arena, &h->server->options.record, &record, &err) &&
              look_in(h, &arena, &record, &err);
    record_close(&record);
    hub_trouble(h->server->hub, PART_HEARTBEAT,
                h->read ? NULL : "the store does not say which scans are overdue");
    if (before && !h->read)
        log_error(h, "the store does not say which scans are overdue", &err);
}

/* --- the switch --- */

/* "/fail" stands before the query. */
static struct str address_of(struct arena *arena, struct str url, bool fail)
{
    size_t mark = str_find_char(url, '?', 0);
    struct str path = str_sub(url, 0, mark == SIZE_MAX ? url.len : mark);
    return arena_printf(arena, "%.*s%s%.*s", STR_ARG(path),
                        !fail                      ? ""
                        : str_ends(path, STR("/")) ? "fail"
                                                   : "/fail",
                        STR_ARG(str_sub(url, path.len, url.len)));
}

static bool send(const struct heartbeat *h, bool fail, struct err *err)
{
    AUTO_ARENA arena = {.limit = 4 << 20};
    const struct config_serve *config = &h->server->options.config->serve;
    struct str url = address_of(&arena, h->server->options.heartbeat_url, fail);
    struct str body =
        h->read ? arena_printf(&arena,
                               "plumb " PLUMB_VERSION ": %zu stacks, %zu overdue, %zu incomplete\n",
                               h->stacks, h->overdue, h->incomplete)
                : STR("plumb " PLUMB_VERSION ": the store cannot be read\n");
    if (!url.ptr || !body.ptr)
        return arena_full(&arena, err);
    const struct http_get get = {.url = url.ptr,
                                 .post = body,
                                 .timeout_ms = REQUEST_MS,
                                 .total_ms = REQUEST_MS,
                                 .max_bytes = 4096,
                                 .cut = true,
                                 .public_only = !config->heartbeat_private,
                                 .path_secret = true};
    struct http_answer answer = {0};
    if (!http_fetch(&arena, &get, &answer, err))
        return false;
    return (answer.status >= 200 && answer.status < 300) ||
           err_set(err, ERR_REMOTE, "it answers %ld", answer.status);
}

static void beat(struct heartbeat *h)
{
    bool fail = !h->read || h->overdue > 0;
    struct err err = {0};
    bool sent = send(h, fail, &err);
    const struct str result = !sent ? STR("not sent") : fail ? STR("fail") : STR("ok");
    metrics_add(server_metrics(h->server), METRIC_HEARTBEATS, &result, 1);
    if (!sent && !h->failing)
        log_error(h, "the heartbeat is not taken", &err);
    h->failing = !sent;
}

/* --- the thread --- */

static bool is_due(int64_t *last_ms, int64_t every_ms)
{
    int64_t now = clock_monotonic_ms();
    if (*last_ms && now - *last_ms < every_ms)
        return false;
    *last_ms = now;
    return true;
}

static void *work(void *ctx)
{
    struct heartbeat *h = ctx;
    const struct config *config = h->server->options.config;
    int64_t every = config && config->serve.heartbeat_every_ms ? config->serve.heartbeat_every_ms
                                                               : BEAT_EVERY_MS;
    uint64_t seen = 0;
    while (!h->stopping) {
        hub_beat(h->server->hub, PART_HEARTBEAT, PROMISE_MS);
        if (is_due(&h->looked_ms, every < LOOK_EVERY_MS ? every : LOOK_EVERY_MS))
            look(h);
        if (h->server->options.heartbeat_url.len && is_due(&h->beat_ms, every))
            beat(h);
        seen = hub_wait(h->server->hub, HUB_REST, seen, WAIT_MS);
    }
    return NULL;
}

bool heartbeat_open(struct heartbeat **ret, struct server *server, struct err *err)
{
    struct heartbeat *h = calloc(1, sizeof *h);
    if (!h)
        return err_set(err, ERR_LIMIT, "out of memory");
    h->server = server;
    h->read = true;
    if (pthread_create(&h->thread, NULL, work, h) != 0) {
        free(h);
        return err_set(err, ERR_LIMIT, "a thread cannot be started");
    }
    *ret = h;
    return true;
}

void heartbeat_close(struct heartbeat *h)
{
    if (!h)
        return;
    h->stopping = true;
    server_wake(h->server);
    (void)pthread_join(h->thread, NULL);
    free(h);
}
