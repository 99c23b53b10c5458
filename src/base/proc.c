/* proc.c - posix_spawn, poll and waitpid behind proc.h. */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"

extern char **environ;

enum { DEFAULT_TIMEOUT_MS = 10000, DEFAULT_OUTPUT = 1 << 20, POLL_MS = 50, GRACE_MS = 1000 };

/* In memory, so that a child that reads late or never holds up nobody; -1 with err. */
static int input_file(struct str input, struct err *err)
{
    int fd = memfd_create("stdin", MFD_CLOEXEC);
    if (fd < 0) {
        (void)err_set(err, ERR_IO, "memfd_create: %s", strerror(errno));
        return -1;
    }
    if (!io_write_all(fd, input, err) || lseek(fd, 0, SEEK_SET) != 0)
        io_close_auto(&fd);
    return fd;
}

static bool fill_actions(posix_spawn_file_actions_t *actions, const struct proc_spec *spec, int in,
                         const int out[2], const int errs[2])
{
    int input = in >= 0 ? posix_spawn_file_actions_adddup2(actions, in, 0)
                        : posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    return input == 0 && posix_spawn_file_actions_adddup2(actions, out[1], 1) == 0 &&
           posix_spawn_file_actions_adddup2(actions, errs[1], 2) == 0 &&
           (!spec->dir || posix_spawn_file_actions_addchdir_np(actions, spec->dir) == 0);
}

static bool fill_attributes(posix_spawnattr_t *attr)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    return posix_spawnattr_setsigmask(attr, &none) == 0 &&
           posix_spawnattr_setsigdefault(attr, &all) == 0 &&
           posix_spawnattr_setpgroup(attr, 0) == 0 &&
           posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP) == 0;
}

/* posix_spawn wants char *const[]: it does not write to them. */
static char *const *unconst(const char *const *list)
{
    union {
        const char *const *in;
        char *const *out;
    } u = {list};
    return u.out;
}

static int spawn_with(const struct proc_spec *spec, int in, const int out[2], const int errs[2],
                      pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attr) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    int failed = ENOMEM;
    if (fill_actions(&actions, spec, in, out, errs) && fill_attributes(&attr))
        failed = posix_spawnp(pid, spec->argv[0], &actions, &attr, unconst(spec->argv),
                              spec->env ? unconst(spec->env) : environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}

bool proc_spawn(const struct proc_spec *spec, struct proc_child *ret, struct err *err)
{
    int out[2], errs[2];
    AUTO_FD in = -1;
    if (spec->input.len) {
        in = input_file(spec->input, err);
        if (in < 0)
            return false;
    }
    if (pipe2(out, O_CLOEXEC) < 0)
        return err_set(err, ERR_IO, "pipe: %s", strerror(errno));
    if (pipe2(errs, O_CLOEXEC) < 0) {
        close(out[0]);
        close(out[1]);
        return err_set(err, ERR_IO, "pipe: %s", strerror(errno));
    }
    pid_t pid = 0;
    int failed = spawn_with(spec, in, out, errs, &pid);
    close(out[1]);
    close(errs[1]);
    if (failed) {
        close(out[0]);
        close(errs[0]);
        return err_set(err, ERR_IO, "run %s: %s", spec->argv[0], strerror(failed));
    }
    (void)fcntl(out[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(errs[0], F_SETFL, O_NONBLOCK);
    *ret = (struct proc_child){.pid = pid, .out_fd = out[0], .err_fd = errs[0]};
    return true;
}

int proc_kill_group(pid_t pid)
{
    int status = 0;
    (void)kill(-pid, SIGKILL);
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    return status;
}

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Everything readable now; closes and forgets the descriptor at its end. False past the limit. */
static bool drain(int *fd, struct buf *buf)
{
    enum { PIECE = 1 << 14 };
    while (*fd >= 0) {
        char *room = buf_room(buf, PIECE);
        if (!room)
            return false;
        ssize_t n = read(*fd, room, PIECE);
        if (n > 0)
            buf->len += (size_t)n;
        else if (n < 0 && errno == EINTR)
            continue;
        else if (n < 0 && errno == EAGAIN)
            return true;
        else
            io_close_auto(fd);
    }
    return true;
}

/*
 * Pipes to their end and the child reaped, or the deadline. *reaped: its pid is nobody's any more.
 * A grandchild that holds a pipe open after that is given GRACE_MS.
 */
static bool pump(struct proc_child *child, const struct proc_spec *spec, struct buf *out,
                 struct buf *errs, int *ret_status, bool *reaped, struct err *err)
{
    int64_t deadline = now_ms() + (spec->timeout_ms ? spec->timeout_ms : DEFAULT_TIMEOUT_MS);
    while (!*reaped || child->out_fd >= 0 || child->err_fd >= 0) {
        struct pollfd fds[2] = {{child->out_fd, POLLIN, 0}, {child->err_fd, POLLIN, 0}};
        bool ending = child->out_fd < 0 && child->err_fd < 0; /* only the exit is missing */
        (void)poll(fds, 2, ending ? 1 : POLL_MS);
        if (!drain(&child->out_fd, out) || !drain(&child->err_fd, errs))
            return err_set(err, ERR_LIMIT, "%s printed more than %zu bytes", spec->argv[0],
                           out->limit);
        if (!*reaped && waitpid(child->pid, ret_status, WNOHANG) == child->pid) {
            *reaped = true;
            if (deadline > now_ms() + GRACE_MS)
                deadline = now_ms() + GRACE_MS;
        }
        if (spec->cancel && *spec->cancel)
            return err_set(err, ERR_CANCELLED, "%s was cancelled", spec->argv[0]);
        if (now_ms() > deadline) {
            if (*reaped) /* a grandchild holds the pipe open: what we have is the result */
                return true;
            return err_set(err, ERR_TIMEOUT, "%s did not end within %d ms", spec->argv[0],
                           spec->timeout_ms ? spec->timeout_ms : DEFAULT_TIMEOUT_MS);
        }
    }
    return true;
}

bool proc_run(struct arena *arena, const struct proc_spec *spec, struct proc_result *ret,
              struct err *err)
{
    struct proc_child child;
    size_t most = spec->max_output ? spec->max_output : DEFAULT_OUTPUT;
    AUTO_BUF out = {.limit = most + (1 << 14)}, errs = {.limit = most + (1 << 14)};
    int status = -1;
    bool reaped = false;
    if (!proc_spawn(spec, &child, err))
        return false;
    bool ok = pump(&child, spec, &out, &errs, &status, &reaped, err);
    io_close_auto(&child.out_fd);
    io_close_auto(&child.err_fd);
    if (!ok && !reaped)
        (void)proc_kill_group(child.pid);
    if (!ok)
        return false;
    struct proc_result got = {
        .exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
        .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        .out = arena_dup(arena, buf_view(&out)),
        .err_text = arena_dup(arena, buf_view(&errs)),
    };
    if (!got.out.ptr || !got.err_text.ptr)
        return arena_full(arena, err);
    *ret = got;
    return true;
}
