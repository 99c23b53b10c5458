/* plugin.c - the life of a provider process: what happens when, and who is told.
 *
 * Events (pipes, pidfd, timer, connection) only note what they saw and ask for settle(), which runs
 * at the end of the turn, moves the state on and calls back. So no callback runs in the middle of
 * anything, and plugin_close() is allowed in each.
 */
#include "live/reader_provider/plugin.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/loop.h"
#include "base/openssl.h"
#include "live/reader_provider/automtls.h"
#include "live/reader_provider/handshake.h"
#include "live/reader_provider/launch.h"
#include "live/reader_provider/plugin_connect.h"
#include "live/reader_provider/tail.h"
#include "live/reader_provider/words.h"
#include "wire/protobuf.h"

enum {
    PIPE_PIECE = 64 << 10,
    CRASH_WAIT_MS = 1000,  /* from a lost connection to the process's end and last words */
    HEALTH_MORE_MS = 1000, /* the timer of the start comes first, and says so better */
    TEXT_MAX = 600,
    OWN_MEMORY = 4 << 20,
};

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
    struct loop *loop;
    struct arena arena;
    struct str name, path;
    bool reattached;
    enum state state;
    int protocol, start_ms;

    struct launch_child child;
    struct loop_watch out_watch, err_watch, pid_watch;
    struct loop_timer timer; /* start, crash wait or grace: what `state` says */
    struct loop_task settle;
    bool reaped, timer_over, healthy, connection_lost;
    int wait_status;
    char dir[LAUNCH_DIR];
    int lock_fd; /* of dir */
    struct automtls *mtls;
    struct handshake_reader *reader; /* until the handshake */
    struct tail tail;

    struct grpc_conn *conn;
    struct call *lost_first, *lost_last, *pool;
    size_t in_flight;
    bool failed;
    struct err why; /* of a start that failed, or of the end */

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
    loop_task_remove(p->loop, &p->settle);
    loop_timer_stop(p->loop, &p->timer);
    automtls_close(p->mtls);
    free(p->reader);
    arena_free(&p->arena);
    free(p);
}

static void leave(struct plugin *p)
{
    if (--p->entered == 0 && p->closing)
        plugin_free(p);
}

static void ask_settle(struct plugin *p)
{
    loop_task_add(p->loop, &p->settle);
}

static void set_timer(struct plugin *p, int ms)
{
    p->timer_over = false;
    loop_timer_set(p->loop, &p->timer, clock_monotonic_ms() + ms);
}

static void on_time(void *ctx)
{
    struct plugin *p = ctx;
    p->timer_over = true;
    ask_settle(p);
}

/* --- the end of the process --- */

static void close_pipe(struct plugin *p, struct loop_watch *watch, int *fd)
{
    loop_watch_remove(p->loop, watch);
    io_close_auto(fd);
    watch->fd = -1;
}

/* How it ended, in words: exit code or signal, and its own. */
static void put_end(const struct plugin *p, struct buf *out)
{
    int status = p->wait_status;
    if (p->reattached || !p->reaped)
        buf_str(out, STR("it closed its connection"));
    else if (WIFSIGNALED(status))
        buf_printf(out, "it was ended by signal %d (%s)", WTERMSIG(status),
                   strsignal(WTERMSIG(status)));
    else
        buf_printf(out, "it ended with exit code %d", WEXITSTATUS(status));
    size_t len = out->len;
    buf_str(out, STR(": "));
    size_t with_colon = out->len;
    tail_reason(&p->tail, out);
    if (out->len == with_colon)
        out->len = len;
}

/* Nothing of the process stays: connection, group, pipes, directory. */
static void clean_up(struct plugin *p)
{
    loop_timer_stop(p->loop, &p->timer);
    grpc_close(p->conn);
    p->conn = NULL;
    if (p->child.pid) {
        loop_watch_remove(p->loop, &p->pid_watch);
        close_pipe(p, &p->out_watch, &p->child.out_fd);
        close_pipe(p, &p->err_watch, &p->child.err_fd);
        launch_kill(&p->child, p->reaped, &p->wait_status);
        launch_close(&p->child);
        p->child.pid = 0;
    }
    launch_remove_dir(p->dir);
    p->dir[0] = '\0';
    io_close_auto(&p->lock_fd);
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
    char room[TEXT_MAX + 64];
    struct buf text = {.ptr = room, .room = sizeof room, .limit = sizeof room};
    enter(p);
    if (reply->connection_down && !p->closing) {
        keep_lost(p, call);
    } else {
        bool ok = reply->status == GRPC_OK;
        if (!ok && reply->status != GRPC_UNKNOWN)
            buf_printf(&text, "%s: ", grpc_status_name(reply->status));
        if (!ok)
            words_put(&text, reply->text, TEXT_MAX);
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
        return err_set(err, ERR_UNAVAILABLE, "provider %.*s is not running", STR_ARG(p->name));
    struct call *call = call_new(p);
    if (!call)
        return err_set(err, ERR_LIMIT, "no memory for a call");
    *call = (struct call){.plugin = p, .method = method, .on_done = on_done, .ctx = ctx};
    if (grpc_call_start(p->conn, method, request, timeout_ms > 0 ? timeout_ms : PLUGIN_CALL_MS,
                        NULL, on_call_done, call, NULL, err)) {
        p->in_flight++;
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
    p->connection_lost = true;
    p->why = *why;
    if (p->state == CHECKING)
        set_timer(p, CRASH_WAIT_MS);
    ask_settle(p);
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
            tail_add(&p->tail, 1, field.bytes);
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
    ask_settle(p);
    p->healthy = serving;
    if (serving || reply->connection_down || p->failed)
        return;
    p->failed = true;
    char room[TEXT_MAX + 8];
    struct buf text = {.ptr = room, .room = sizeof room, .limit = sizeof room};
    words_put(&text, reply->status == GRPC_OK ? STR("it is not serving") : reply->text, TEXT_MAX);
    (void)err_set(&p->why, reply->status == GRPC_DEADLINE_EXCEEDED ? ERR_TIMEOUT : ERR_UNAVAILABLE,
                  "health check: %.*s", (int)text.len, text.ptr);
}

static bool open_connection(struct plugin *p, int fd, bool connecting, struct str certificate,
                            struct err *err)
{
    struct ssl_ctx_st *tls = NULL;
    if (p->mtls && !certificate.len) {
        close(fd);
        return err_set(err, ERR_UNSUPPORTED,
                       "the provider answered our certificate without one of its own: "
                       "it does not know AutoMTLS (allow plaintext for it)");
    }
    if (p->mtls && !(tls = automtls_context(p->mtls, certificate, err))) {
        close(fd);
        return false;
    }
    struct grpc_options options = {.loop = p->loop,
                                   .fd = fd,
                                   .connecting = connecting,
                                   .tls = tls,
                                   .methods = p->protocol == 5 ? methods5 : methods6,
                                   .nmethods = PLUGIN_METHOD_COUNT,
                                   .on_down = on_connection_down,
                                   .ctx = p};
    bool ok = grpc_open(&options, &p->conn, err);
    if (tls)
        SSL_CTX_free(tls);
    if (!ok)
        return false;
    int64_t left = p->timer.at_ms - clock_monotonic_ms();
    int health_ms = (left > 0 ? (int)left : 0) + HEALTH_MORE_MS;
    p->state = CHECKING;
    return grpc_call_start(p->conn, PLUGIN_STDIO, STR(""), 0, on_stdio, on_ignored, p, NULL, err) &&
           grpc_call_start(p->conn, PLUGIN_HEALTH, STR("\n\006plugin"), health_ms, NULL, on_health,
                           p, NULL, err);
}

static bool connect_to(struct plugin *p, bool tcp, struct str address, struct str certificate,
                       struct err *err)
{
    bool connecting = false;
    int fd = plugin_connect(tcp, address, &connecting, err);
    return fd >= 0 && open_connection(p, fd, connecting, certificate, err);
}

/* --- pipes and the pidfd --- */

static void take_handshake(struct plugin *p, struct str bytes)
{
    struct handshake got;
    if (p->state != WAITING || p->failed || !p->reader)
        return;
    enum handshake_progress progress = handshake_feed(p->reader, bytes, &got, &p->why);
    if (progress == HANDSHAKE_MORE)
        return;
    p->protocol = progress == HANDSHAKE_DONE ? got.protocol : 0;
    p->failed = progress != HANDSHAKE_DONE ||
                !connect_to(p, got.tcp, got.address, got.certificate, &p->why);
    free(p->reader);
    p->reader = NULL;
    ask_settle(p);
}

/* Everything readable now, up to a fair share; false at the end of the pipe. */
static bool drain(struct plugin *p, int fd, bool is_out)
{
    char bytes[PIPE_PIECE];
    for (int i = 0; i < 16; i++) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (n <= 0)
            return false;
        struct str piece = {bytes, (size_t)n};
        if (is_out)
            take_handshake(p, piece);
        else
            tail_add(&p->tail, 0, piece);
    }
    return true;
}

static void on_out(void *ctx, uint32_t events)
{
    (void)events;
    struct plugin *p = ctx;
    if (!drain(p, p->child.out_fd, true))
        close_pipe(p, &p->out_watch, &p->child.out_fd);
    ask_settle(p);
}

static void on_err(void *ctx, uint32_t events)
{
    (void)events;
    struct plugin *p = ctx;
    if (!drain(p, p->child.err_fd, false)) {
        close_pipe(p, &p->err_watch, &p->child.err_fd);
        tail_end(&p->tail);
    }
    ask_settle(p);
}

static void on_pid(void *ctx, uint32_t events)
{
    (void)events;
    struct plugin *p = ctx;
    if (!launch_reap(&p->child, &p->wait_status))
        return;
    p->reaped = true;
    loop_watch_remove(p->loop, &p->pid_watch);
    if (p->state < LOST) /* its last words may still be in the pipes */
        set_timer(p, CRASH_WAIT_MS);
    ask_settle(p);
}

/* --- moving on --- */

static bool has_ended(const struct plugin *p)
{
    return p->reattached || (p->reaped && p->child.err_fd < 0);
}

static void start_failed(struct plugin *p, const struct err *why)
{
    char room[TEXT_MAX + 200];
    struct buf text = {.ptr = room, .room = sizeof room, .limit = sizeof room};
    struct err kept = *why;
    p->state = DOWN;
    put_end(p, &text);
    if (p->reaped && kept.kind == ERR_UNAVAILABLE)
        (void)err_wrap(&kept, "%.*s", (int)text.len, text.ptr);
    clean_up(p);
    (void)err_wrap(&kept, "provider %.*s", STR_ARG(p->name));
    p->why = kept;
    p->failed = true;
    if (p->on_ready)
        p->on_ready(p->ctx, &p->why);
}

static void settle_start(struct plugin *p)
{
    struct err why = {0};
    if (p->healthy) {
        p->state = READY;
        loop_timer_stop(p->loop, &p->timer);
        if (p->on_ready)
            p->on_ready(p->ctx, NULL);
        return;
    }
    bool ended = p->connection_lost || p->reaped;
    if (p->failed || (p->connection_lost && p->reattached)) {
        start_failed(p, &p->why);
    } else if (ended && (p->timer_over || has_ended(p))) {
        (void)err_set(&why, ERR_UNAVAILABLE, "it could not be started");
        start_failed(p, p->connection_lost ? &p->why : &why);
    } else if (p->timer_over) {
        (void)err_set(&why, ERR_TIMEOUT, "no %s within %d s",
                      p->state == CHECKING ? "answer to the health check" : "handshake",
                      p->start_ms / 1000);
        start_failed(p, &why);
    }
}

/* The end of a provider that was ready; asked_for = by plugin_stop(). */
static void finish(struct plugin *p, bool asked_for)
{
    char room[TEXT_MAX + 200];
    struct buf text = {.ptr = room, .room = sizeof room, .limit = sizeof room};
    p->state = DOWN;
    if (asked_for)
        buf_str(&text, STR("the provider was stopped"));
    else
        put_end(p, &text);
    struct err why = {0};
    (void)err_set(&why, ERR_UNAVAILABLE, "%.*s", (int)text.len, text.ptr);
    if (!p->reaped && p->why.kind)
        (void)err_wrap(&why, "%s", p->why.frame[0]);
    (void)err_wrap(&why, "provider %.*s", STR_ARG(p->name));
    p->why = why;
    clean_up(p);
    answer_lost(p, GRPC_UNAVAILABLE, buf_view(&text));
    if (p->on_down && !p->closing)
        p->on_down(p->ctx, asked_for ? NULL : &p->why);
}

static void on_settle(void *ctx)
{
    struct plugin *p = ctx;
    enter(p);
    if (p->state == READY && (p->connection_lost || p->reaped)) {
        p->state = LOST;
        set_timer(p, CRASH_WAIT_MS);
    }
    if (p->state == WAITING || p->state == CHECKING)
        settle_start(p);
    else if (p->state == LOST && (p->timer_over || (p->connection_lost && has_ended(p))))
        finish(p, false);
    else if (p->state == STOPPING && (p->timer_over || p->reaped || p->reattached))
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
        set_timer(p, PLUGIN_GRACE_MS);
        bool asked = !p->reattached && grpc_is_up(p->conn) &&
                     grpc_call_start(p->conn, PLUGIN_SHUTDOWN, STR(""), PLUGIN_GRACE_MS, NULL,
                                     on_ignored, p, NULL, NULL);
        if (!asked)
            finish(p, true);
    }
    leave(p);
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

/* --- starting --- */

static bool watch_child(struct plugin *p, struct err *err)
{
    p->out_watch = (struct loop_watch){.fd = p->child.out_fd, .on_ready = on_out, .ctx = p};
    p->err_watch = (struct loop_watch){.fd = p->child.err_fd, .on_ready = on_err, .ctx = p};
    p->pid_watch = (struct loop_watch){.fd = p->child.pid_fd, .on_ready = on_pid, .ctx = p};
    return loop_watch_set(p->loop, &p->out_watch, EPOLLIN, err) &&
           loop_watch_set(p->loop, &p->err_watch, EPOLLIN, err) &&
           loop_watch_set(p->loop, &p->pid_watch, EPOLLIN, err);
}

static const char *base_of_temporary(const char *const *env)
{
    static const char name[] = "TMPDIR=";
    for (size_t i = 0; env && env[i]; i++)
        if (strncmp(env[i], name, sizeof name - 1) == 0)
            return env[i] + sizeof name - 1;
    return env ? NULL : getenv("TMPDIR");
}

static bool launch(struct plugin *p, const struct plugin_spec *spec, struct err *err)
{
    p->reader = calloc(1, sizeof *p->reader);
    struct str dir = spec->dir.len ? arena_dup(&p->arena, spec->dir) : STR("");
    if (!p->reader || !dir.ptr)
        return err_set(err, ERR_LIMIT, "no memory for a provider");
    if (!launch_make_dir(base_of_temporary(spec->env), p->dir, &p->lock_fd, err) ||
        (!spec->plaintext && !automtls_open(&p->mtls, err)))
        return false;
    const char **env = launch_environment(&p->arena, spec->env, p->dir,
                                          p->mtls ? automtls_pem(p->mtls) : STR(""), false, err);
    return env && launch_start(p->path.ptr, env, dir.len ? dir.ptr : NULL, &p->child, err) &&
           watch_child(p, err);
}

bool plugin_start(const struct plugin_spec *spec, struct plugin **ret, struct err *err)
{
    struct plugin *p = calloc(1, sizeof *p);
    if (!p)
        return err_set(err, ERR_LIMIT, "no memory for a provider");
    p->loop = spec->loop;
    p->arena = (struct arena){.limit = OWN_MEMORY};
    p->child = (struct launch_child){.pid_fd = -1, .out_fd = -1, .err_fd = -1};
    p->lock_fd = -1;
    p->reattached = spec->reattach.address.len > 0;
    p->name = arena_dup(&p->arena, spec->name);
    p->path = arena_dup(&p->arena, spec->path);
    p->start_ms = spec->start_ms > 0 ? spec->start_ms : PLUGIN_START_MS;
    p->settle = (struct loop_task){.run = on_settle, .ctx = p};
    p->timer = (struct loop_timer){.on_time = on_time, .ctx = p};
    set_timer(p, p->start_ms);
    enter(p);
    if (p->reattached)
        p->protocol = spec->reattach.protocol ? spec->reattach.protocol : 5;
    bool ok = p->reattached && (p->protocol < 5 || p->protocol > 6)
                  ? err_set(err, ERR_UNSUPPORTED, "protocol %d, want 5 or 6", p->protocol)
              : p->reattached
                  ? connect_to(p, spec->reattach.tcp, spec->reattach.address, STR(""), err)
                  : launch(p, spec, err);
    if (!ok) {
        (void)err_wrap(err, "provider %.*s", STR_ARG(spec->name));
        plugin_close(p);
        leave(p);
        return false;
    }
    p->on_ready = spec->on_ready; /* from here on: not for what failed above */
    p->on_down = spec->on_down;
    p->ctx = spec->ctx;
    leave(p);
    *ret = p;
    return true;
}

/* --- looking --- */

int plugin_protocol(const struct plugin *p)
{
    return p->state >= READY ? p->protocol : 0;
}

pid_t plugin_pid(const struct plugin *p)
{
    return p->child.pid;
}

bool plugin_is_ready(const struct plugin *p)
{
    return p->state == READY;
}

size_t plugin_in_flight(const struct plugin *p)
{
    return p->in_flight;
}

uint64_t plugin_memory(const struct plugin *p)
{
    char path[64];
    long pages = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/statm", (long)p->child.pid);
    AUTO_FILE file = p->child.pid ? fopen(path, "re") : NULL;
    if (!file || fscanf(file, "%*s %ld", &pages) != 1 || pages < 0)
        return 0;
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

struct str plugin_last_lines(const struct plugin *p, struct arena *arena)
{
    return tail_text(&p->tail, arena);
}

/* --- turning the loop until it is there --- */

bool plugin_wait_ready(struct plugin *p, struct err *err)
{
    enter(p);
    bool ok = true;
    while (ok && (p->state == WAITING || p->state == CHECKING) && !p->closing)
        ok = loop_turn(p->loop, -1, err);
    if (ok && p->state != READY) {
        if (err)
            *err = p->why;
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
        if (!loop_turn(p->loop, -1, err)) {
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
