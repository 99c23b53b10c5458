/* plugin.c - the life of a provider that is spoken to: what happens when, and who is told.
 *
 * Its process is child.c's; that and the connection ask for settle(), which moves the state on and
 * calls back. So plugin_close() is allowed in each callback.
 */
#include "live/reader_provider/plugin.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/loop.h"
#include "live/reader_provider/child.h"
#include "live/reader_provider/words.h"
#include "wire/protobuf.h"

enum { HEALTH_MORE_MS = 1000 }; /* the timer of the start comes first, and says so better */

#define X(constant, name, v5, v6, stream) {v5, stream},
static const struct grpc_method methods5[] = {PLUGIN_METHODS(X)};
#undef X
#define X(constant, name, v5, v6, stream) {v6, stream},
static const struct grpc_method methods6[] = {PLUGIN_METHODS(X)};
#undef X

const char *plugin_method_name(enum plugin_method method)
{
    static const char *const names[] = {
#define X(constant, name, v5, v6, stream) name,
        PLUGIN_METHODS(X)
#undef X
    };
    return (size_t)method < PLUGIN_METHOD_COUNT ? names[method] : "?";
}

enum state {
    WAITING,  /* for the handshake line */
    CHECKING, /* connected, health asked for */
    READY,
    LOST,     /* the connection broke: how did the process end? */
    STOPPING, /* plugin_stop() */
    DOWN
};

/* A call of a user's: between grpc's answer and ours. */
struct call {
    struct plugin *plugin;
    enum plugin_method method;
    plugin_done on_done;
    void *ctx;
    struct call *next; /* lost calls, or the pool */
};

struct plugin {
    struct child child;
    enum state state;
    bool healthy;

    struct grpc_conn *conn;
    struct call *lost_first, *lost_last, *pool;
    size_t in_flight;
    uint64_t calls;

    void (*on_ready)(void *ctx, const struct err *why);
    void (*on_down)(void *ctx, const struct err *why);
    void *ctx;
    unsigned entered;
    bool closing;
};

static void enter(struct plugin *p)
{
    p->entered++;
}

static void plugin_free(struct plugin *p)
{
    for (struct call *call = p->pool, *next; call; call = next) {
        next = call->next;
        free(call);
    }
    child_free(&p->child);
    free(p);
}

static void leave(struct plugin *p)
{
    if (--p->entered == 0 && p->closing)
        plugin_free(p);
}

/* Nothing stays: the connection, then the process. */
static void clean_up(struct plugin *p)
{
    grpc_close(p->conn);
    p->conn = NULL;
    child_clean_up(&p->child);
}

/* --- calls --- */

static struct call *call_new(struct plugin *p)
{
    struct call *call = p->pool;
    if (call)
        p->pool = call->next;
    else
        call = malloc(sizeof *call);
    return call;
}

static void call_answer(struct call *call, const struct plugin_reply *reply)
{
    struct plugin *p = call->plugin;
    plugin_done on_done = call->on_done;
    void *ctx = call->ctx;
    call->next = p->pool;
    p->pool = call;
    p->in_flight--;
    on_done(ctx, reply);
}

/* The calls that were under way when the connection broke, now that it is known why. */
static void answer_lost(struct plugin *p, enum grpc_status status, struct str text)
{
    struct plugin_reply reply = {.status = status, .text = text, .down = true};
    while (p->lost_first) {
        struct call *call = p->lost_first;
        p->lost_first = call->next;
        if (!p->lost_first)
            p->lost_last = NULL;
        call_answer(call, &reply);
    }
}

static void keep_lost(struct plugin *p, struct call *call)
{
    call->next = NULL;
    if (p->lost_last)
        p->lost_last->next = call;
    else
        p->lost_first = call;
    p->lost_last = call;
}

static void on_call_done(void *ctx, const struct grpc_reply *reply)
{
    struct call *call = ctx;
    struct plugin *p = call->plugin;
    char room[CHILD_TEXT_MAX + 64];
    struct buf text = {.ptr = room, .room = sizeof room, .limit = sizeof room};
    enter(p);
    if (reply->connection_down && !p->closing) {
        keep_lost(p, call);
    } else {
        bool ok = reply->status == GRPC_OK;
        if (!ok && reply->status != GRPC_UNKNOWN)
            buf_printf(&text, "%s: ", grpc_status_name(reply->status));
        if (!ok)
            words_put(&text, reply->text, CHILD_TEXT_MAX);
        struct plugin_reply got = {.ok = ok,
                                   .bytes = reply->message,
                                   .body = reply->body,
                                   .status = reply->status,
                                   .text = buf_view(&text),
                                   .not_processed = reply->not_processed};
        call_answer(call, &got);
    }
    leave(p);
}

bool plugin_call(struct plugin *p, enum plugin_method method, struct str request, int timeout_ms,
                 plugin_done on_done, void *ctx, struct err *err)
{
    if ((size_t)method >= PLUGIN_METHOD_COUNT || method == PLUGIN_STDIO ||
        method == PLUGIN_SHUTDOWN)
        return err_set(err, ERR_USAGE, "not a call to be made");
    if (p->state != READY)
        return err_set(err, ERR_UNAVAILABLE, "provider %.*s is not running",
                       STR_ARG(p->child.name));
    struct call *call = call_new(p);
    if (!call)
        return err_set(err, ERR_LIMIT, "no memory for a call");
    *call = (struct call){.plugin = p, .method = method, .on_done = on_done, .ctx = ctx};
    if (grpc_call_start(p->conn, method, request, timeout_ms > 0 ? timeout_ms : PLUGIN_CALL_MS,
                        NULL, on_call_done, call, NULL, err)) {
        p->in_flight++;
        p->calls++;
        return true;
    }
    call->next = p->pool;
    p->pool = call;
    return err_wrap(err, "%s", plugin_method_name(method));
}

/* --- the connection --- */

static void on_connection_down(void *ctx, const struct err *why)
{
    struct plugin *p = ctx;
    p->child.lost = true;
    p->child.why = *why;
    if (p->state == CHECKING)
        child_set_timer(&p->child, CHILD_CRASH_WAIT_MS);
    child_ask_settle(&p->child);
}

static void on_ignored(void *ctx, const struct grpc_reply *reply)
{
    (void)ctx, (void)reply;
}

/* StdioData {1 channel; 2 data}: what the provider prints after its handshake. */
static void on_stdio(void *ctx, struct str message)
{
    struct plugin *p = ctx;
    struct pb_reader in = {.bytes = message};
    struct pb_field field;
    while (pb_next(&in, &field))
        if (field.number == 2 && field.wire == PB_LENGTH)
            tail_add(&p->child.tail, 1, field.bytes);
}

/* HealthCheckResponse {1 status: SERVING = 1}; a server without the service is taken as well. */
static void on_health(void *ctx, const struct grpc_reply *reply)
{
    struct plugin *p = ctx;
    struct pb_reader in = {.bytes = reply->message};
    struct pb_field field;
    bool serving = reply->status == GRPC_UNIMPLEMENTED;
    while (reply->status == GRPC_OK && pb_next(&in, &field))
        if (field.number == 1 && field.wire == PB_VARINT)
            serving = field.number_value == 1;
    child_ask_settle(&p->child);
    p->healthy = serving;
    if (serving || reply->connection_down || p->child.failed)
        return;
    p->child.failed = true;
    char room[CHILD_TEXT_MAX + 8];
    struct buf text = {.ptr = room, .room = sizeof room, .limit = sizeof room};
    words_put(&text, reply->status == GRPC_OK ? STR("it is not serving") : reply->text,
              CHILD_TEXT_MAX);
    (void)err_set(&p->child.why,
                  reply->status == GRPC_DEADLINE_EXCEEDED ? ERR_TIMEOUT : ERR_UNAVAILABLE,
                  "health check: %.*s", (int)text.len, text.ptr);
}

static bool open_connection(struct plugin *p, struct err *err)
{
    struct child *c = &p->child;
    struct grpc_options options = {.loop = c->loop,
                                   .fd = c->fd,
                                   .connecting = c->connecting,
                                   .tls = c->tls,
                                   .methods = c->protocol == 5 ? methods5 : methods6,
                                   .nmethods = PLUGIN_METHOD_COUNT,
                                   .on_down = on_connection_down,
                                   .ctx = p};
    c->fd = -1; /* the connection's, also where it fails */
    if (!grpc_open(&options, &p->conn, err))
        return false;
    int64_t left = c->timer.at_ms - clock_monotonic_ms();
    int health_ms = (left > 0 ? (int)left : 0) + HEALTH_MORE_MS;
    p->state = CHECKING;
    return grpc_call_start(p->conn, PLUGIN_STDIO, STR(""), 0, on_stdio, on_ignored, p, NULL, err) &&
           grpc_call_start(p->conn, PLUGIN_HEALTH, STR("\n\006plugin"), health_ms, NULL, on_health,
                           p, NULL, err);
}

/* --- moving on --- */

static void start_failed(struct plugin *p, const struct err *why)
{
    struct err kept = *why;
    p->state = DOWN;
    grpc_close(p->conn);
    p->conn = NULL;
    child_start_failed(&p->child, &kept);
    p->child.why = kept;
    if (p->on_ready)
        p->on_ready(p->ctx, &p->child.why);
}

static void settle_start(struct plugin *p)
{
    struct child *c = &p->child;
    struct err why = {0};
    if (c->fd >= 0 && !open_connection(p, &c->why))
        c->failed = true;
    const char *awaited = p->state == CHECKING ? "answer to the health check" : "handshake";
    if (p->healthy) {
        p->state = READY;
        child_has_started(c);
        if (p->on_ready)
            p->on_ready(p->ctx, NULL);
    } else if (child_gave_up(c, awaited, &why)) {
        start_failed(p, &why);
    }
}

/* The end of a provider that was ready; asked_for = by plugin_stop(). */
static void finish(struct plugin *p, bool asked_for)
{
    char room[CHILD_TEXT_MAX + 200];
    struct buf text = {.ptr = room, .room = sizeof room, .limit = sizeof room};
    p->state = DOWN;
    if (asked_for)
        buf_str(&text, STR("the provider was stopped"));
    else
        child_put_end(&p->child, &text);
    struct err why = {0};
    (void)err_set(&why, ERR_UNAVAILABLE, "%.*s", (int)text.len, text.ptr);
    if (!p->child.reaped && p->child.why.kind)
        (void)err_wrap(&why, "%s", p->child.why.frame[0]);
    (void)err_wrap(&why, "provider %.*s", STR_ARG(p->child.name));
    p->child.why = why;
    clean_up(p);
    answer_lost(p, GRPC_UNAVAILABLE, buf_view(&text));
    if (p->on_down && !p->closing)
        p->on_down(p->ctx, asked_for ? NULL : &p->child.why);
}

static void on_settle(void *ctx)
{
    struct plugin *p = ctx;
    enter(p);
    if (p->state == READY && (p->child.lost || p->child.reaped)) {
        p->state = LOST;
        child_set_timer(&p->child, CHILD_CRASH_WAIT_MS);
    }
    if (p->state == WAITING || p->state == CHECKING)
        settle_start(p);
    else if (p->state == LOST &&
             (p->child.timer_over || (p->child.lost && child_has_ended(&p->child))))
        finish(p, false);
    else if (p->state == STOPPING &&
             (p->child.timer_over || p->child.reaped || p->child.reattached))
        finish(p, true);
    leave(p);
}

void plugin_stop(struct plugin *p)
{
    struct err why = {0};
    enter(p);
    if (p->state == WAITING || p->state == CHECKING) {
        (void)err_set(&why, ERR_CANCELLED, "stopped before it was ready");
        start_failed(p, &why);
    } else if (p->state == READY || p->state == LOST) {
        p->state = STOPPING;
        child_set_timer(&p->child, PLUGIN_GRACE_MS);
        bool asked = !p->child.reattached && grpc_is_up(p->conn) &&
                     grpc_call_start(p->conn, PLUGIN_SHUTDOWN, STR(""), PLUGIN_GRACE_MS, NULL,
                                     on_ignored, p, NULL, NULL);
        if (!asked)
            finish(p, true);
    }
    leave(p);
}

void plugin_kill(const struct plugin *p)
{
    const struct child *c = &p->child;
    if (!c->reattached && !c->reaped && c->process.pid_fd >= 0)
        (void)syscall(SYS_pidfd_send_signal, c->process.pid_fd, SIGKILL, NULL, 0);
}

void plugin_close(struct plugin *p)
{
    if (!p || p->closing)
        return;
    p->closing = true;
    enter(p);
    p->state = DOWN;
    clean_up(p); /* calls in flight are answered here */
    answer_lost(p, GRPC_CANCELLED, STR("the provider was stopped"));
    leave(p);
}

/* --- another loop --- */

bool plugin_leave(struct plugin *p)
{
    if (p->state != READY || p->in_flight || p->child.lost || p->child.reaped || p->entered)
        return false;
    grpc_leave(p->conn);
    child_leave(&p->child);
    p->on_ready = p->on_down = NULL;
    return true;
}

bool plugin_join(struct plugin *p, struct loop *loop,
                 void (*on_down)(void *ctx, const struct err *why), void *ctx, struct err *err)
{
    p->on_down = on_down;
    p->ctx = ctx;
    bool ok = grpc_join(p->conn, loop, err);
    return child_join(&p->child, loop, ok ? err : NULL) && ok;
}

/* --- starting --- */

bool plugin_start(const struct plugin_spec *spec, struct plugin **ret, struct err *err)
{
    struct plugin *p = calloc(1, sizeof *p);
    if (!p)
        return err_set(err, ERR_LIMIT, "no memory for a provider");
    child_init(&p->child, spec->loop, on_settle, p);
    p->on_ready = spec->on_ready;
    p->on_down = spec->on_down;
    p->ctx = spec->ctx;
    if (!child_start(&p->child, spec, false, err)) {
        plugin_close(p);
        return false;
    }
    *ret = p;
    return true;
}

/* --- looking --- */

int plugin_protocol(const struct plugin *p)
{
    return p->state >= READY ? p->child.protocol : 0;
}

pid_t plugin_pid(const struct plugin *p)
{
    return p->child.process.pid;
}

bool plugin_is_ready(const struct plugin *p)
{
    return p->state == READY;
}

uint64_t plugin_calls(const struct plugin *p)
{
    return p->calls;
}

size_t plugin_in_flight(const struct plugin *p)
{
    return p->in_flight;
}

uint64_t plugin_memory(const struct plugin *p)
{
    char path[64];
    long pages = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/statm", (long)p->child.process.pid);
    AUTO_FILE file = p->child.process.pid ? fopen(path, "re") : NULL;
    if (!file || fscanf(file, "%*s %ld", &pages) != 1 || pages < 0)
        return 0;
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

struct str plugin_last_lines(const struct plugin *p, struct arena *arena)
{
    return tail_text(&p->child.tail, arena);
}

/* --- turning the loop until it is there --- */

bool plugin_wait_ready(struct plugin *p, struct err *err)
{
    enter(p);
    bool ok = true;
    while (ok && (p->state == WAITING || p->state == CHECKING) && !p->closing)
        ok = loop_turn(p->child.loop, -1, err);
    if (ok && p->state != READY) {
        if (err)
            *err = p->child.why;
        ok = false;
    }
    leave(p);
    return ok;
}

struct waited {
    bool done, ok, given_up;
    struct buf body;
    struct str bytes;
    struct err err;
    enum plugin_method method;
};

static void on_waited(void *ctx, const struct plugin_reply *reply)
{
    struct waited *w = ctx;
    if (w->given_up) {
        free(w);
        return;
    }
    w->done = true;
    w->ok = reply->ok;
    if (reply->ok) {
        w->body = *reply->body;
        *reply->body = (struct buf){0};
        w->bytes = reply->bytes;
        return;
    }
    enum err_kind kind = reply->status == GRPC_DEADLINE_EXCEEDED ? ERR_TIMEOUT
                         : reply->status == GRPC_UNIMPLEMENTED   ? ERR_UNSUPPORTED
                         : reply->status == GRPC_UNAVAILABLE     ? ERR_UNAVAILABLE
                         : reply->status == GRPC_CANCELLED       ? ERR_CANCELLED
                                                                 : ERR_REMOTE;
    (void)err_set(&w->err, kind, "%s: %.*s", plugin_method_name(w->method), STR_ARG(reply->text));
}

/* The record outlives a wait that is cut short: the answer comes with plugin_close(). */
bool plugin_call_wait(struct plugin *p, enum plugin_method method, struct str request,
                      int timeout_ms, struct buf *ret_body, struct str *ret_bytes, struct err *err)
{
    struct waited *w = calloc(1, sizeof *w);
    if (!w)
        return err_set(err, ERR_LIMIT, "no memory for a call");
    w->method = method;
    if (!plugin_call(p, method, request, timeout_ms, on_waited, w, err)) {
        free(w);
        return false;
    }
    while (!w->done) {
        if (!loop_turn(p->child.loop, -1, err)) {
            w->given_up = true;
            return false;
        }
    }
    bool ok = w->ok;
    if (ok) {
        *ret_body = w->body;
        *ret_bytes = w->bytes;
    } else if (err) {
        *err = w->err;
    }
    free(w);
    return ok;
}
