/* child.c - pipes, pidfd, timer and end of a provider's process, behind child.h. */
#include "live/reader_provider/child.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/openssl.h"
#include "live/reader_provider/automtls.h"
#include "live/reader_provider/handshake.h"
#include "live/reader_provider/plugin.h"
#include "live/reader_provider/plugin_connect.h"

enum { PIPE_PIECE = 64 << 10, OWN_MEMORY = 4 << 20 };

void child_ask_settle(struct child *c)
{
    loop_task_add(c->loop, &c->settle);
}

void child_set_timer(struct child *c, int ms)
{
    c->timer_over = false;
    loop_timer_set(c->loop, &c->timer, clock_monotonic_ms() + ms);
}

static void on_time(void *ctx)
{
    struct child *c = ctx;
    c->timer_over = true;
    child_ask_settle(c);
}

void child_init(struct child *c, struct loop *loop, void (*settle)(void *owner), void *owner)
{
    c->loop = loop;
    c->settle = (struct loop_task){.run = settle, .ctx = owner};
    c->timer = (struct loop_timer){.on_time = on_time, .ctx = c};
    c->arena = (struct arena){.limit = OWN_MEMORY};
    c->process = (struct launch_child){.pid_fd = -1, .out_fd = -1, .err_fd = -1};
    c->lock_fd = c->fd = -1;
}

/* --- the end --- */

static void close_pipe(struct child *c, struct loop_watch *watch, int *fd)
{
    loop_watch_remove(c->loop, watch);
    io_close_auto(fd);
    watch->fd = -1;
}

void child_clean_up(struct child *c)
{
    loop_timer_stop(c->loop, &c->timer);
    io_close_auto(&c->fd);
    if (c->process.pid) {
        loop_watch_remove(c->loop, &c->pid_watch);
        close_pipe(c, &c->out_watch, &c->process.out_fd);
        close_pipe(c, &c->err_watch, &c->process.err_fd);
        launch_kill(&c->process, c->reaped, &c->wait_status);
        launch_close(&c->process);
        c->process.pid = 0;
    }
    launch_remove_dir(c->dir);
    c->dir[0] = '\0';
    io_close_auto(&c->lock_fd);
}

void child_free(struct child *c)
{
    loop_task_remove(c->loop, &c->settle);
    loop_timer_stop(c->loop, &c->timer);
    if (c->tls)
        SSL_CTX_free(c->tls);
    automtls_close(c->mtls);
    free(c->reader);
    arena_free(&c->arena);
}

void child_put_end(const struct child *c, struct buf *out)
{
    int status = c->wait_status;
    if (c->reattached || !c->reaped)
        buf_str(out, STR("it closed its connection"));
    else if (WIFSIGNALED(status))
        buf_printf(out, "it was ended by signal %d (%s)", WTERMSIG(status),
                   strsignal(WTERMSIG(status)));
    else
        buf_printf(out, "it ended with exit code %d", WEXITSTATUS(status));
    size_t len = out->len;
    buf_str(out, STR(": "));
    size_t with_colon = out->len;
    tail_reason(&c->tail, out);
    if (out->len == with_colon)
        out->len = len;
}

bool child_has_ended(const struct child *c)
{
    return c->reattached || (c->reaped && c->process.err_fd < 0);
}

/* --- the start, as it goes on --- */

void child_has_started(struct child *c)
{
    c->started = true;
    loop_timer_stop(c->loop, &c->timer);
}

bool child_gave_up(const struct child *c, const char *awaited, struct err *ret)
{
    bool ended = (c->lost || c->reaped) && (c->timer_over || child_has_ended(c));
    if (c->failed || (ended && c->lost))
        *ret = c->why;
    else if (ended)
        (void)err_set(ret, ERR_UNAVAILABLE, "it could not be started");
    else if (c->timer_over)
        (void)err_set(ret, ERR_TIMEOUT, "no %s within %d s", awaited, c->start_ms / 1000);
    else
        return false;
    return true;
}

void child_start_failed(struct child *c, struct err *why)
{
    char room[CHILD_TEXT_MAX + 200];
    struct buf text = {.ptr = room, .room = sizeof room, .limit = sizeof room};
    child_put_end(c, &text);
    if (c->reaped && why->kind == ERR_UNAVAILABLE)
        (void)err_wrap(why, "%.*s", (int)text.len, text.ptr);
    (void)err_wrap(why, "provider %.*s", STR_ARG(c->name));
    child_clean_up(c);
}

static bool connect_to(struct child *c, const struct handshake *got, struct err *err)
{
    if (c->mtls && !got->certificate.len)
        return err_set(err, ERR_UNSUPPORTED,
                       "the provider answered our certificate without one of its own: it does not "
                       "know AutoMTLS (allow plaintext for it)");
    if (c->mtls && !(c->tls = automtls_context(c->mtls, got->certificate, err)))
        return false;
    c->protocol = got->protocol;
    c->fd = plugin_connect(got->tcp, got->address, &c->connecting, err);
    return c->fd >= 0;
}

/* --- pipes and the pidfd --- */

static void take_handshake(struct child *c, struct str bytes)
{
    struct handshake got;
    if (!c->reader)
        return;
    enum handshake_progress progress = handshake_feed(c->reader, bytes, &got, &c->why);
    if (progress == HANDSHAKE_MORE)
        return;
    c->failed = progress != HANDSHAKE_DONE || !connect_to(c, &got, &c->why);
    free(c->reader);
    c->reader = NULL;
}

/* Everything readable now, up to a fair share; false at the end of the pipe. */
static bool drain(struct child *c, int fd, bool is_out)
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
            take_handshake(c, piece);
            continue;
        }
        tail_add(&c->tail, 0, piece);
        if (c->on_output)
            c->on_output(c->settle.ctx, piece);
    }
    return true;
}

static void on_out(void *ctx, uint32_t events)
{
    (void)events;
    struct child *c = ctx;
    if (!drain(c, c->process.out_fd, true))
        close_pipe(c, &c->out_watch, &c->process.out_fd);
    child_ask_settle(c);
}

static void on_err(void *ctx, uint32_t events)
{
    (void)events;
    struct child *c = ctx;
    if (!drain(c, c->process.err_fd, false)) {
        close_pipe(c, &c->err_watch, &c->process.err_fd);
        tail_end(&c->tail);
    }
    child_ask_settle(c);
}

static void on_pid(void *ctx, uint32_t events)
{
    (void)events;
    struct child *c = ctx;
    if (!launch_reap(&c->process, &c->wait_status))
        return;
    c->reaped = true;
    loop_watch_remove(c->loop, &c->pid_watch);
    if (!c->started) /* its last words may still be in the pipes */
        child_set_timer(c, CHILD_CRASH_WAIT_MS);
    child_ask_settle(c);
}

/* --- starting --- */

static bool watch_child(struct child *c, struct err *err)
{
    c->out_watch = (struct loop_watch){.fd = c->process.out_fd, .on_ready = on_out, .ctx = c};
    c->err_watch = (struct loop_watch){.fd = c->process.err_fd, .on_ready = on_err, .ctx = c};
    c->pid_watch = (struct loop_watch){.fd = c->process.pid_fd, .on_ready = on_pid, .ctx = c};
    return loop_watch_set(c->loop, &c->out_watch, EPOLLIN, err) &&
           loop_watch_set(c->loop, &c->err_watch, EPOLLIN, err) &&
           loop_watch_set(c->loop, &c->pid_watch, EPOLLIN, err);
}

void child_leave(struct child *c)
{
    loop_watch_remove(c->loop, &c->out_watch);
    loop_watch_remove(c->loop, &c->err_watch);
    loop_watch_remove(c->loop, &c->pid_watch);
    loop_task_remove(c->loop, &c->settle);
}

bool child_join(struct child *c, struct loop *loop, struct err *err)
{
    struct launch_child *process = &c->process;
    c->loop = loop;
    child_ask_settle(c);
    return !process->pid ||
           ((process->out_fd < 0 || loop_watch_set(loop, &c->out_watch, EPOLLIN, err)) &&
            (process->err_fd < 0 || loop_watch_set(loop, &c->err_watch, EPOLLIN, err)) &&
            (c->reaped || loop_watch_set(loop, &c->pid_watch, EPOLLIN, err)));
}

static const char *base_of_temporary(const char *const *env)
{
    static const char name[] = "TMPDIR=";
    for (size_t i = 0; env && env[i]; i++)
        if (strncmp(env[i], name, sizeof name - 1) == 0)
            return env[i] + sizeof name - 1;
    return env ? NULL : getenv("TMPDIR");
}

/* Goes with the private directory, which is not empty. */
static bool make_nowhere(struct child *c, struct str *ret, struct err *err)
{
    *ret = arena_printf(&c->arena, "%s/nowhere", c->dir);
    return (ret->ptr && mkdir(ret->ptr, 0500) == 0) ||
           err_set(err, ERR_IO, "an empty folder for a provider: %s", strerror(errno));
}

static bool launch(struct child *c, const struct plugin_spec *spec, bool logs, struct err *err)
{
    c->reader = calloc(1, sizeof *c->reader);
    struct str dir = spec->dir.len ? arena_dup(&c->arena, spec->dir) : STR("");
    struct str path = arena_dup(&c->arena, spec->path);
    if (!c->reader || !dir.ptr || !path.ptr)
        return err_set(err, ERR_LIMIT, "no memory for a provider");
    if (!launch_make_dir(base_of_temporary(spec->env), c->dir, &c->lock_fd, err) ||
        (spec->nowhere && !make_nowhere(c, &dir, err)) ||
        (!spec->plaintext && !automtls_open(&c->mtls, err)))
        return false;
    const char **env = launch_environment(&c->arena, spec->env, c->dir,
                                          c->mtls ? automtls_pem(c->mtls) : STR(""), logs, err);
    const char *where = dir.len ? dir.ptr : NULL;
    bool launched = env && (spec->launch ? spec->launch(spec->launch_ctx, path.ptr, env, where,
                                                        &c->process, err)
                                         : launch_start(path.ptr, env, where, &c->process, err));
    return launched && watch_child(c, err);
}

static bool reattach(struct child *c, const struct plugin_reattach *to, struct err *err)
{
    struct handshake got = {
        .protocol = to->protocol ? to->protocol : 5, .tcp = to->tcp, .address = to->address};
    c->reattached = true;
    if (got.protocol < 5 || got.protocol > 6)
        return err_set(err, ERR_UNSUPPORTED, "protocol %d, want 5 or 6", got.protocol);
    child_ask_settle(c);
    return connect_to(c, &got, err);
}

bool child_start(struct child *c, const struct plugin_spec *spec, bool logs, struct err *err)
{
    c->name = arena_dup(&c->arena, spec->name);
    c->start_ms = spec->start_ms > 0 ? spec->start_ms : PLUGIN_START_MS;
    child_set_timer(c, c->start_ms);
    bool ok =
        spec->reattach.address.len ? reattach(c, &spec->reattach, err) : launch(c, spec, logs, err);
    return ok || err_wrap(err, "provider %.*s", STR_ARG(spec->name));
}
