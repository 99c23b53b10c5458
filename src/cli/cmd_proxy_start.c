/* cmd_proxy_start.c - `eval "$(plumb proxy start)"`: the proxy in the background, for a shell. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/proxy_control.h"
#include "cli/proxying.h"

enum { IDLE = PROXYING_OPTION_COUNT, LOG, OPTION_COUNT };
static const struct option options[] = {
    PROXYING_OPTIONS,
    [IDLE] = {.name = "idle",
              .kind = OPTION_DURATION,
              .arg = "TIME",
              .least = 1000,
              .most = (int64_t)30 * 86400000,
              .text = "end when nobody was connected for so long; 12h without it"},
    [LOG] = {.name = "log",
             .kind = OPTION_STRING,
             .arg = "FILE",
             .text = "where crashes of providers are told, and their logs with TF_LOG; nowhere "
                     "without it"},
};
enum { IDLE_MS = 12 * 3600000, ANSWER_MAX = 16 << 20, TURN_MS = 1000 };

/* For a shell: 'it'\''s'. */
static void quote(struct buf *out, struct str text)
{
    buf_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'')
            buf_str(out, STR("'\\''"));
        else
            buf_char(out, text.ptr[i]);
    }
    buf_str(out, STR("'\n"));
}

static bool tell(const struct proxying *proxying, const struct proxy_control *control, int fd,
                 struct err *err)
{
    AUTO_BUF out = {.limit = ANSWER_MAX};
    struct str rest = proxying->reattach, name;
    if (str_cut(&rest, '=', &name) && name.len) {
        buf_printf(&out, "export %.*s=", STR_ARG(name));
        quote(&out, rest);
    }
    buf_str(&out, STR("export PLUMB_PROXY="));
    quote(&out, str_from(control->path));
    return buf_ok(&out, err) && io_write_all(fd, buf_view(&out), err);
}

/* Until it is asked to stop, signalled, or nobody came for a long time. */
static void serve(struct proxying *proxying, struct proxy_control *control, int64_t idle_ms)
{
    int64_t last = clock_monotonic_ms();
    proxying->loop.cancel = proxying->app->cancel;
    while (!control->stop && clock_monotonic_ms() - last < idle_ms) {
        if (!loop_turn(&proxying->loop, TURN_MS, NULL))
            break;
        if (proxy_connections(proxying->proxy))
            last = clock_monotonic_ms();
    }
    proxying->loop.cancel = NULL;
}

static bool detach(struct arena *arena, struct str log, struct err *err)
{
    struct str path = arena_dup(arena, log.len ? log : STR("/dev/null"));
    AUTO_FD null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    AUTO_FD log_fd = open(path.ptr, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (null_fd < 0 || log_fd < 0)
        return err_set(err, ERR_IO, "%s: %s", log_fd < 0 ? path.ptr : "/dev/null", strerror(errno));
    (void)setsid();
    return (dup2(null_fd, 0) == 0 && dup2(null_fd, 1) == 1 && dup2(log_fd, 2) == 2) ||
           err_set(err, ERR_IO, "detach: %s", strerror(errno));
}

/* The background's whole life; what it has to say first goes to fd. */
static bool background(const struct app *app, const struct invocation *in, int fd, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct proxying proxying = {.other_inputs = true, /* whatever the commands will be given */
                                .many = true};
    struct proxy_control control;
    if (!proxying_open(app, &arena, in, (struct str){0}, &proxying, err))
        return false;
    bool ok = proxy_control_open(&control, &proxying.loop, proxy_dir(proxying.proxy), err) &&
              detach(&arena, in->value[LOG].text, err) && tell(&proxying, &control, fd, err);
    close(fd);
    if (ok)
        serve(&proxying, &control, in->value[IDLE].set ? in->value[IDLE].number : IDLE_MS);
    proxying_stop(&proxying);
    proxy_control_close(&control); /* who asked for the end hears of it when all is gone */
    proxying_close(&proxying);
    return ok;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct str running = str_from(app->env("PLUMB_PROXY")), text = {0};
    int ends[2], status = 0;
    if (running.len && proxy_control_alive(running))
        return err_set(err, ERR_CONFLICT,
                       "a proxy is running already: eval \"$(plumb proxy stop)\" ends it");
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set(err, ERR_IO, "pipe: %s", strerror(errno));
    AUTO_FD from = ends[0];
    pid_t pid = fork();
    if (pid == 0) {
        io_close_auto(&from);
        from = -1;
        *ret_exit = 0;
        return background(app, in, ends[1], err); /* its error goes to the same stderr */
    }
    close(ends[1]);
    if (pid < 0)
        return err_set(err, ERR_IO, "fork: %s", strerror(errno));
    if (!io_read_fd(&arena, from, "the proxy", ANSWER_MAX, &text, err))
        return false;
    if (!text.len) { /* it has said why */
        (void)waitpid(pid, &status, 0);
        *ret_exit = 1;
        return true;
    }
    (void)fwrite(text.ptr, 1, text.len, app->out);
    *ret_exit = 0;
    return true;
}

const struct command cmd_proxy_start = {
    .name = "proxy start",
    .usage = "eval \"$(plumb proxy start [options])\"",
    .summary = "stand between tofu and its providers for the commands of a shell",
    .help = "As plumb run, in the background: prints the variables that make OpenTofu and "
            "Terraform use it, for eval. It serves one stack, with the environment it was started "
            "in, until plumb proxy stop.",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};
