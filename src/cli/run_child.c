/* run_child.c - fork, exec, signalfd and pidfd behind run_child.h. */
#include "cli/run_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/loop.h"

struct child {
    pid_t pid;
    int pid_fd, signal_fd;
    struct loop_watch pid_watch, signal_watch;
    bool ended;
    int status;
};

static void own_signals(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGINT);
    sigaddset(ret, SIGTERM);
    sigaddset(ret, SIGHUP);
    sigaddset(ret, SIGQUIT);
}

static void on_signal(void *ctx, uint32_t events)
{
    (void)events;
    struct child *child = ctx;
    struct signalfd_siginfo got;
    while (read(child->signal_fd, &got, sizeof got) == (ssize_t)sizeof got) {
        bool terminal =
            got.ssi_code == SI_KERNEL && (got.ssi_signo == SIGINT || got.ssi_signo == SIGQUIT);
        if (!terminal && !child->ended)
            (void)kill(child->pid, (int)got.ssi_signo);
    }
}

static void on_end(void *ctx, uint32_t events)
{
    (void)events;
    struct child *child = ctx;
    if (waitpid(child->pid, &child->status, WNOHANG) == child->pid)
        child->ended = true;
}

/* Runs in the child: errno goes back through the pipe where there is nothing to run. */
static void exec_child(char **argv, char **env, const sigset_t *mask, pid_t parent, int fail_fd)
{
    (void)signal(SIGPIPE, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, mask, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent)
        (void)execvpe(argv[0], argv, env);
    int why = errno;
    if (write(fail_fd, &why, sizeof why) < 0)
        _exit(126);
    _exit(127);
}

static bool start(struct child *child, char **argv, char **env, const sigset_t *mask,
                  struct err *err)
{
    int ends[2], why = 0;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set(err, ERR_IO, "pipe: %s", strerror(errno));
    AUTO_FD from = ends[0], to = ends[1];
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return err_set(err, ERR_IO, "run %s: %s", argv[0], strerror(errno));
    if (pid == 0)
        exec_child(argv, env, mask, parent, to);
    io_close_auto(&to);
    child->pid = pid;
    if (read(from, &why, sizeof why) == (ssize_t)sizeof why) {
        (void)waitpid(pid, NULL, 0);
        return err_set(err, ERR_IO, "run %s: %s", argv[0], strerror(why));
    }
    child->pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (child->pid_fd >= 0)
        return true;
    why = errno;
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    return err_set(err, ERR_UNSUPPORTED, "pidfd_open (Linux 5.3): %s", strerror(why));
}

static bool watch(struct child *child, struct loop *loop, const sigset_t *ours, struct err *err)
{
    child->signal_fd = signalfd(-1, ours, SFD_CLOEXEC | SFD_NONBLOCK);
    if (child->signal_fd < 0)
        return err_set(err, ERR_IO, "signalfd: %s", strerror(errno));
    child->pid_watch = (struct loop_watch){.fd = child->pid_fd, .on_ready = on_end, .ctx = child};
    child->signal_watch =
        (struct loop_watch){.fd = child->signal_fd, .on_ready = on_signal, .ctx = child};
    return loop_watch_set(loop, &child->pid_watch, EPOLLIN, err) &&
           loop_watch_set(loop, &child->signal_watch, EPOLLIN, err);
}

static char **words_of(struct arena *arena, const struct str *argv, size_t n, struct err *err)
{
    char **words = arena_new(arena, char *, n + 1);
    for (size_t i = 0; words && i < n; i++) {
        words[i] = arena_new(arena, char, argv[i].len + 1);
        if (!words[i])
            words = NULL;
        else
            memcpy(words[i], argv[i].ptr, argv[i].len);
    }
    if (!words)
        (void)arena_full(arena, err);
    return words;
}

/* Ours with what is added in place of what has the same name. Not into our own: the providers that
 * we look at ourselves are not to be reached through us. */
static char **environment_of(struct arena *arena, const struct str *added, size_t n,
                             struct err *err)
{
    size_t count = 0, used = 0;
    while (environ[count])
        count++;
    char **env = arena_new(arena, char *, count + n + 1);
    char **words = env ? words_of(arena, added, n, err) : NULL;
    if (!words)
        return env ? NULL : (arena_full(arena, err), NULL);
    for (size_t i = 0; i < count; i++) {
        struct str entry = str_from(environ[i]);
        bool taken = false;
        for (size_t k = 0; k < n; k++) {
            size_t name = str_find_char(added[k], '=', 0);
            taken =
                taken || (name != SIZE_MAX && str_starts(entry, str_sub(added[k], 0, name + 1)));
        }
        if (!taken)
            env[used++] = environ[i];
    }
    for (size_t i = 0; i < n; i++)
        env[used++] = words[i];
    return env;
}

bool run_child(struct arena *arena, struct loop *loop, const struct str *argv, size_t nargv,
               const struct str *added, size_t nadded, int *ret_exit, struct err *err)
{
    struct child child = {.pid_fd = -1, .signal_fd = -1};
    sigset_t ours, before;
    char **words = words_of(arena, argv, nargv, err);
    char **env = words ? environment_of(arena, added, nadded, err) : NULL;
    if (!env)
        return false;
    own_signals(&ours);
    (void)sigprocmask(SIG_BLOCK, &ours, &before);
    bool ok = start(&child, words, env, &before, err) && watch(&child, loop, &ours, err);
    while (ok && !child.ended)
        ok = loop_turn(loop, -1, err);
    if (!ok && child.pid && !child.ended && child.pid_fd >= 0) {
        (void)kill(child.pid, SIGTERM);
        (void)waitpid(child.pid, &child.status, 0);
    }
    loop_watch_remove(loop, &child.pid_watch);
    loop_watch_remove(loop, &child.signal_watch);
    io_close_auto(&child.pid_fd);
    io_close_auto(&child.signal_fd);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (!ok)
        return false;
    *ret_exit =
        WIFSIGNALED(child.status) ? 128 + WTERMSIG(child.status) : WEXITSTATUS(child.status);
    return true;
}
