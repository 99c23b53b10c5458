/* process.c - a provider's process without a client, behind live/provider_process.h. */
#include "live/provider_process.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/loop.h"
#include "base/openssl.h"
#include "live/reader.h"
#include "live/reader_provider/automtls.h"
#include "live/reader_provider/handshake.h"
#include "live/reader_provider/launch.h"
#include "live/reader_provider/plugin.h"
#include "live/reader_provider/plugin_connect.h"
#include "live/reader_provider/process_set.h"
#include "live/reader_provider/tail.h"

enum { PIPE_PIECE = 64 << 10, CRASH_WAIT_MS = 1000, TEXT_MAX = 600, OWN_MEMORY = 4 << 20 };

enum state { WAITING, RUNNING, LOST, STOPPING, DOWN };

struct provider_process {
    struct provider_process_spec spec;
    struct arena arena;
    enum state state;
    struct str source;
    bool reattached;
    struct launch_child child;
    struct loop_watch out_watch, err_watch, pid_watch;
    struct loop_timer timer; /* start, crash wait or grace: what `state` says */
    struct loop_task settle;
    bool reaped, timer_over, failed, has_socket;
    int wait_status;
    char dir[LAUNCH_DIR];
    int lock_fd;
    struct automtls *mtls;
    struct ssl_ctx_st *tls;
    struct handshake_reader *reader;
    struct provider_socket socket;
    struct tail tail;
    struct err why;
    unsigned entered;
    bool closing;
};

static void ask_settle(struct provider_process *p)
{
    loop_task_add(p->spec.loop, &p->settle);
}

static void on_time(void *ctx)
{
    struct provider_process *p = ctx;
    p->timer_over = true;
    ask_settle(p);
}

static void set_timer(struct provider_process *p, int ms)
{
    p->timer_over = false;
    loop_timer_set(p->spec.loop, &p->timer, clock_monotonic_ms() + ms);
}

static void process_free(struct provider_process *p)
{
    loop_task_remove(p->spec.loop, &p->settle);
    loop_timer_stop(p->spec.loop, &p->timer);
    if (p->tls)
        SSL_CTX_free(p->tls);
    automtls_close(p->mtls);
    free(p->reader);
    arena_free(&p->arena);
    free(p);
}

static void leave(struct provider_process *p)
{
    if (--p->entered == 0 && p->closing)
        process_free(p);
}

/* --- the end --- */

static void close_pipe(struct provider_process *p, struct loop_watch *watch, int *fd)
{
    loop_watch_remove(p->spec.loop, watch);
    io_close_auto(fd);
    watch->fd = -1;
}

/* Nothing of the process stays: group, pipes, directory, a socket that nobody took. */
static void clean_up(struct provider_process *p)
{
    loop_timer_stop(p->spec.loop, &p->timer);
    if (p->has_socket)
        io_close_auto(&p->socket.fd);
    p->has_socket = false;
    if (p->child.pid) {
        loop_watch_remove(p->spec.loop, &p->pid_watch);
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

/* How it ended, in words: exit code or signal, and its own. */
static void put_end(const struct provider_process *p, struct buf *out)
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

static void finish(struct provider_process *p)
{
    char room[TEXT_MAX + 200];
    struct buf text = {.ptr = room, .room = sizeof room, .limit = sizeof room};
    struct err why = {0};
    bool stopped = p->state == STOPPING;
    p->state = DOWN;
    if (stopped)
        buf_str(&text, STR("it was stopped"));
    else
        put_end(p, &text);
    (void)err_set(&why, ERR_UNAVAILABLE, "%.*s", (int)text.len, text.ptr);
    (void)err_wrap(&why, "provider %.*s", STR_ARG(p->source));
    clean_up(p);
    if (!p->closing)
        p->spec.on_end(p->spec.ctx, &why);
}

static void start_failed(struct provider_process *p, const struct err *why)
{
    char room[TEXT_MAX + 200];
    struct buf text = {.ptr = room, .room = sizeof room, .limit = sizeof room};
    struct err kept = *why;
    p->state = DOWN;
    put_end(p, &text);
    if (p->reaped && kept.kind == ERR_UNAVAILABLE)
        (void)err_wrap(&kept, "%.*s", (int)text.len, text.ptr);
    clean_up(p);
    (void)err_wrap(&kept, "provider %.*s", STR_ARG(p->source));
    p->spec.on_ready(p->spec.ctx, NULL, &kept);
}

static bool has_ended(const struct provider_process *p)
{
    return p->reattached || (p->reaped && p->child.err_fd < 0);
}

static void settle_start(struct provider_process *p)
{
    struct err why = {0};
    if (p->has_socket) {
        p->state = RUNNING;
        p->has_socket = false;
        loop_timer_stop(p->spec.loop, &p->timer);
        p->spec.on_ready(p->spec.ctx, &p->socket, NULL);
    } else if (p->failed) {
        start_failed(p, &p->why);
    } else if (p->reaped && (p->timer_over || has_ended(p))) {
        (void)err_set(&why, ERR_UNAVAILABLE, "it could not be started");
        start_failed(p, &why);
    } else if (p->timer_over) {
        (void)err_set(&why, ERR_TIMEOUT, "no handshake within %d s", PLUGIN_START_MS / 1000);
        start_failed(p, &why);
    }
}

static void on_settle(void *ctx)
{
    struct provider_process *p = ctx;
    p->entered++;
    if (p->state == WAITING)
        settle_start(p);
    else if (p->state == RUNNING && p->reaped)
        provider_process_lost(p);
    else if (p->state == LOST && (p->timer_over || has_ended(p)))
        finish(p);
    else if (p->state == STOPPING && (p->timer_over || p->reaped || p->reattached))
        finish(p);
    leave(p);
}

void provider_process_lost(struct provider_process *p)
{
    if (p->state != RUNNING)
        return;
    p->state = LOST;
    set_timer(p, CRASH_WAIT_MS);
    ask_settle(p);
}

void provider_process_stop(struct provider_process *p)
{
    if (p->state != RUNNING && p->state != LOST)
        return;
    p->state = STOPPING;
    set_timer(p, PLUGIN_GRACE_MS);
    ask_settle(p);
}

void provider_process_close(struct provider_process *p)
{
    if (!p || p->closing)
        return;
    p->closing = true;
    p->entered++;
    p->state = DOWN;
    clean_up(p);
    leave(p);
}

/* --- pipes and the pidfd --- */

static bool connect_to(struct provider_process *p, const struct handshake *got, struct err *err)
{
    if (p->mtls && !got->certificate.len)
        return err_set(err, ERR_UNSUPPORTED,
                       "the provider answered our certificate without one of its own: it does not "
                       "know AutoMTLS");
    if (p->mtls && !(p->tls = automtls_context(p->mtls, got->certificate, err)))
        return false;
    p->socket = (struct provider_socket){
        .tls = p->tls, .protocol = got->protocol, .reattached = p->reattached};
    p->socket.fd = plugin_connect(got->tcp, got->address, &p->socket.connecting, err);
    p->has_socket = p->socket.fd >= 0;
    return p->has_socket;
}

static void take_handshake(struct provider_process *p, struct str bytes)
{
    struct handshake got;
    if (p->state != WAITING || p->failed || !p->reader)
        return;
    enum handshake_progress progress = handshake_feed(p->reader, bytes, &got, &p->why);
    if (progress == HANDSHAKE_MORE)
        return;
    p->failed = progress != HANDSHAKE_DONE || !connect_to(p, &got, &p->why);
    free(p->reader);
    p->reader = NULL;
}

/* Everything readable now, up to a fair share; false at the end of the pipe. */
static bool drain(struct provider_process *p, int fd, bool is_out)
{
    char bytes[PIPE_PIECE];
    for (int i = 0; i < 16; i++) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (n <= 0)
            return false;
        struct str piece = {bytes, (size_t)n};
        if (is_out) {
            take_handshake(p, piece);
            continue;
        }
        tail_add(&p->tail, 0, piece);
        if (p->spec.on_output)
            p->spec.on_output(p->spec.ctx, piece);
    }
    return true;
}

static void on_out(void *ctx, uint32_t events)
{
    (void)events;
    struct provider_process *p = ctx;
    if (!drain(p, p->child.out_fd, true))
        close_pipe(p, &p->out_watch, &p->child.out_fd);
    ask_settle(p);
}

static void on_err(void *ctx, uint32_t events)
{
    (void)events;
    struct provider_process *p = ctx;
    if (!drain(p, p->child.err_fd, false)) {
        close_pipe(p, &p->err_watch, &p->child.err_fd);
        tail_end(&p->tail);
    }
    ask_settle(p);
}

static void on_pid(void *ctx, uint32_t events)
{
    (void)events;
    struct provider_process *p = ctx;
    if (!launch_reap(&p->child, &p->wait_status))
        return;
    p->reaped = true;
    loop_watch_remove(p->spec.loop, &p->pid_watch);
    if (p->state == WAITING) /* its last words may still be in the pipes */
        set_timer(p, CRASH_WAIT_MS);
    ask_settle(p);
}

/* --- directories for others --- */

static_assert((int)PROVIDER_DIR == (int)LAUNCH_DIR, "the same paths");

bool provider_dir_make(char ret[PROVIDER_DIR], int *ret_lock_fd, struct err *err)
{
    return launch_make_dir(getenv("TMPDIR"), ret, ret_lock_fd, err);
}

void provider_dir_remove(const char *dir, int *lock_fd)
{
    launch_remove_dir(dir);
    io_close_auto(lock_fd);
}

/* --- starting --- */

static bool watch_child(struct provider_process *p, struct err *err)
{
    struct loop *loop = p->spec.loop;
    p->out_watch = (struct loop_watch){.fd = p->child.out_fd, .on_ready = on_out, .ctx = p};
    p->err_watch = (struct loop_watch){.fd = p->child.err_fd, .on_ready = on_err, .ctx = p};
    p->pid_watch = (struct loop_watch){.fd = p->child.pid_fd, .on_ready = on_pid, .ctx = p};
    return loop_watch_set(loop, &p->out_watch, EPOLLIN, err) &&
           loop_watch_set(loop, &p->err_watch, EPOLLIN, err) &&
           loop_watch_set(loop, &p->pid_watch, EPOLLIN, err);
}

static bool launch(struct provider_process *p, const struct plugin_spec *how, struct err *err)
{
    p->reader = calloc(1, sizeof *p->reader);
    struct str dir = how->dir.len ? arena_dup(&p->arena, how->dir) : STR("");
    struct str path = arena_dup(&p->arena, how->path);
    if (!p->reader || !dir.ptr || !path.ptr)
        return err_set(err, ERR_LIMIT, "no memory for a provider");
    if (!launch_make_dir(getenv("TMPDIR"), p->dir, &p->lock_fd, err) ||
        !automtls_open(&p->mtls, err))
        return false;
    const char **env =
        launch_environment(&p->arena, how->env, p->dir, automtls_pem(p->mtls), p->spec.logs, err);
    return env && launch_start(path.ptr, env, dir.len ? dir.ptr : NULL, &p->child, err) &&
           watch_child(p, err);
}

static bool reattach(struct provider_process *p, const struct plugin_spec *how, struct err *err)
{
    const struct plugin_reattach *to = &how->reattach;
    struct handshake got = {
        .protocol = to->protocol ? to->protocol : 5, .tcp = to->tcp, .address = to->address};
    p->reattached = true;
    if (got.protocol < 5 || got.protocol > 6)
        return err_set(err, ERR_UNSUPPORTED, "protocol %d, want 5 or 6", got.protocol);
    ask_settle(p);
    return connect_to(p, &got, err);
}

bool provider_process_start(const struct provider_process_spec *spec, struct provider_process **ret,
                            struct err *err)
{
    struct provider_process *p = calloc(1, sizeof *p);
    if (!p)
        return err_set(err, ERR_LIMIT, "no memory for a provider");
    p->spec = *spec;
    p->arena = (struct arena){.limit = OWN_MEMORY};
    p->child = (struct launch_child){.pid_fd = -1, .out_fd = -1, .err_fd = -1};
    p->lock_fd = -1;
    p->socket.fd = -1;
    p->settle = (struct loop_task){.run = on_settle, .ctx = p};
    p->timer = (struct loop_timer){.on_time = on_time, .ctx = p};
    struct plugin_spec how;
    bool ok = provider_set_spec(spec->set, spec->row, &p->arena, spec->loop, &how, err);
    if (ok) {
        p->source = how.name;
        set_timer(p, PLUGIN_START_MS);
        ok = how.reattach.address.len ? reattach(p, &how, err) : launch(p, &how, err);
    }
    if (!ok) {
        provider_process_close(p);
        return false;
    }
    *ret = p;
    return true;
}
