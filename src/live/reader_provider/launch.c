/* launch.c - clone, exec, pidfd and the private directory behind launch.h. */
#include "live/reader_provider/launch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"

extern char **environ;

enum { STACK = 64 << 10, DIR_DEPTH = 8, DIR_ENTRIES = 10000, SIGNALS = 64, ENV_MAX = 100000 };
/* How late a provider's timers may be. Go's runtime looks after its threads every 20 us for as long
 * as a request takes, which is a tenth of a small one's work; so late it does so once or twice. */
enum { TIMER_SLACK_NS = 1000000 };

/* --- environment --- */

/* What go-plugin, the SDKs and we decide; a name that ends in '*' stands for all that begin so. */
static const struct str taken_names[] = {
    STR_INIT("TF_PLUGIN_MAGIC_COOKIE"),   STR_INIT("TF_LOG*"),
    STR_INIT("PLUGIN_PROTOCOL_VERSIONS"), STR_INIT("PLUGIN_CLIENT_CERT"),
    STR_INIT("PLUGIN_UNIX_SOCKET_DIR"),   STR_INIT("PLUGIN_UNIX_SOCKET_GROUP"),
    STR_INIT("PLUGIN_MULTIPLEX_GRPC"),    STR_INIT("PLUGIN_MIN_PORT"),
    STR_INIT("PLUGIN_MAX_PORT"),          STR_INIT("TMPDIR"),
};

/*
 * No logs, which go to stderr by the megabyte. The parts of the SDKs have levels of their own; with
 * the first two alone they would make up each line, a twelfth of a read's work, to throw it away.
 */
static const char *const quiet_names[] = {
    "TF_LOG_SDK=OFF",           "TF_LOG_PROVIDER=OFF",          "TF_LOG_SDK_PROTO=OFF",
    "TF_LOG_SDK_FRAMEWORK=OFF", "TF_LOG_SDK_HELPER_SCHEMA=OFF", "TF_LOG_SDK_MUX=OFF",
};

static bool is_taken(const char *entry, bool logs)
{
    struct str name, rest = str_from(entry);
    (void)str_cut(&rest, '=', &name);
    if (logs && str_starts(name, STR("TF_LOG")))
        return false;
    for (size_t i = 0; i < sizeof taken_names / sizeof *taken_names; i++) {
        struct str taken = taken_names[i];
        bool prefix = taken.ptr[taken.len - 1] == '*';
        if (prefix ? str_starts(name, str_sub(taken, 0, taken.len - 1)) : str_equal(name, taken))
            return true;
    }
    return false;
}

const char **launch_environment(struct arena *arena, const char *const *from, const char *dir,
                                struct str client_cert, bool logs, struct err *err)
{
    enum { OURS = 5, QUIET = sizeof quiet_names / sizeof *quiet_names };
    const char *const *own = from ? from : (const char *const *)environ;
    size_t count = 0, n = 0;
    while (count < ENV_MAX && own[count])
        count++;
    const char **env = arena_new(arena, const char *, count + OURS + QUIET + 1);
    if (!env)
        return arena_full(arena, err), NULL;
    for (size_t i = 0; i < count; i++)
        if (!is_taken(own[i], logs))
            env[n++] = own[i];
    env[n++] = "TF_PLUGIN_MAGIC_COOKIE="
               "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";
    env[n++] = "PLUGIN_PROTOCOL_VERSIONS=5,6";
    for (size_t i = 0; i < QUIET && !logs; i++)
        env[n++] = quiet_names[i];
    env[n++] = arena_printf(arena, "TMPDIR=%s", dir).ptr;
    env[n++] = arena_printf(arena, "PLUGIN_UNIX_SOCKET_DIR=%s", dir).ptr;
    if (client_cert.len)
        env[n++] = arena_printf(arena, "PLUGIN_CLIENT_CERT=%.*s", STR_ARG(client_cert)).ptr;
    for (size_t i = 0; i < n; i++)
        if (!env[i])
            return arena_full(arena, err), NULL;
    return env;
}

/* --- the child --- */

struct child_plan {
    const char *path, *dir;
    const char *const *argv, *const *env;
    int in, out, err;
    pid_t parent;
    int failed; /* errno of what did not work, seen by the parent: the memory is one */
};

/* The kernel's own layout, not libc's. */
struct kernel_sigaction {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

/*
 * Runs on a stack of its own in the parent's memory while the parent's thread stands still: system
 * calls only, by number, so that no sanitizer or libc hook comes between.
 */
__attribute__((no_sanitize("address", "undefined", "thread"))) static int child_main(void *arg)
{
    struct child_plan *plan = arg;
    struct kernel_sigaction usual = {0};
    uint64_t none = 0;
    for (int i = 1; i <= SIGNALS; i++)
        (void)syscall(SYS_rt_sigaction, i, &usual, NULL, sizeof none);
    bool ok = syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 &&
              syscall(SYS_setpgid, 0, 0) == 0 && syscall(SYS_dup3, plan->in, 0, 0) == 0 &&
              syscall(SYS_dup3, plan->out, 1, 0) == 1 && syscall(SYS_dup3, plan->err, 2, 0) == 2 &&
              (!plan->dir || syscall(SYS_chdir, plan->dir) == 0) &&
              syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none) == 0;
    (void)syscall(SYS_prctl, PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
    if (ok && syscall(SYS_getppid) == plan->parent) /* else it is gone, and no signal comes */
        (void)syscall(SYS_execve, plan->path, plan->argv, plan->env);
    plan->failed = errno ? errno : ECHILD;
    (void)syscall(SYS_exit, 127);
    return 127;
}

/* TSan takes clone() for a fork, and would have this thread, whose memory the child shares, go on
 * as a child of many threads: it is called by its other name. */
#ifdef __SANITIZE_THREAD__
int __clone(int (*run)(void *), void *stack, int flags, void *arg, ...);
#define clone __clone
#endif

static pid_t clone_child(struct child_plan *plan)
{
    sigset_t all, before;
    char *stack =
        mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED)
        return -1;
    sigfillset(&all);
    errno = 0;
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of ours in the child */
    pid_t pid = clone(child_main, stack + STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, plan);
    int why = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)munmap(stack, STACK);
    errno = why;
    return pid;
}

/* Descriptors 0 to 2 may be closed in our process: a pipe must not get their numbers. */
static int above_stdio(int fd)
{
    if (fd < 0 || fd > 2)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    close(fd);
    return moved;
}

static bool open_pipe(int ret[2])
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    ret[0] = above_stdio(ends[0]);
    ret[1] = above_stdio(ends[1]);
    return ret[0] >= 0 && ret[1] >= 0 && fcntl(ret[0], F_SETFL, O_NONBLOCK) == 0;
}

bool launch_start(const char *path, const char *const *env, const char *dir,
                  struct launch_child *ret, struct err *err)
{
    const char *const argv[] = {path, NULL};
    int outs[2] = {-1, -1}, errs[2] = {-1, -1};
    AUTO_FD null_fd = above_stdio(open("/dev/null", O_RDONLY | O_CLOEXEC));
    bool ok = null_fd >= 0 && open_pipe(outs) && open_pipe(errs);
    AUTO_FD out_child = outs[1], err_child = errs[1];
    struct launch_child child = {.pid_fd = -1, .out_fd = outs[0], .err_fd = errs[0]};
    struct child_plan plan = {.path = path,
                              .dir = dir,
                              .argv = argv,
                              .env = env,
                              .in = null_fd,
                              .out = out_child,
                              .err = err_child,
                              .parent = getpid()};
    pid_t pid = ok ? clone_child(&plan) : -1;
    if (pid < 0 || plan.failed) {
        int why = plan.failed ? plan.failed : errno;
        if (pid > 0)
            (void)waitpid(pid, NULL, 0);
        launch_close(&child);
        return err_set(err, ERR_IO, "run %s: %s", path, strerror(why));
    }
    child.pid = pid;
    child.pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (child.pid_fd < 0) {
        int why = errno, status;
        launch_kill(&child, false, &status);
        launch_close(&child);
        return err_set(err, ERR_UNSUPPORTED, "pidfd_open (Linux 5.3): %s", strerror(why));
    }
    *ret = child;
    return true;
}

bool launch_reap(struct launch_child *child, int *ret_status)
{
    int status;
    if (waitpid(child->pid, &status, WNOHANG) != child->pid)
        return false;
    *ret_status = status;
    return true;
}

void launch_kill(struct launch_child *child, bool reaped, int *ret_status)
{
    (void)kill(-child->pid, SIGKILL); /* the group may outlive its leader */
    if (reaped)
        return;
    (void)kill(child->pid, SIGKILL);
    while (waitpid(child->pid, ret_status, 0) < 0 && errno == EINTR) {}
}

void launch_close(struct launch_child *child)
{
    io_close_auto(&child->pid_fd);
    io_close_auto(&child->out_fd);
    io_close_auto(&child->err_fd);
}

/* --- the directory --- */

enum { BASE_MAX = 40, RANDOM_LETTERS = 6 };
static const char prefix[] = "plumb-", lock_name[] = ".lock";

static void remove_below(int at_fd, const char *name, unsigned depth_left, unsigned *entries_left)
{
    int fd = openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir)) && (*entries_left)-- > 0;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, entry->d_name, 0) == 0 || depth_left == 0)
            continue;
        remove_below(fd, entry->d_name, depth_left - 1, entries_left);
        (void)unlinkat(fd, entry->d_name, AT_REMOVEDIR);
    }
    closedir(dir);
}

void launch_remove_dir(const char *dir)
{
    unsigned entries_left = DIR_ENTRIES;
    if (!dir[0])
        return;
    remove_below(AT_FDCWD, dir, DIR_DEPTH, &entries_left);
    (void)rmdir(dir);
}

/*
 * Remove what is ours by name and owner and has a lock that nobody holds. The lock is held until
 * all is gone: who has made the directory but not yet locked it then finds out (make_below).
 */
static void sweep_one(int base_fd, const char *name)
{
    struct stat st;
    unsigned entries_left = DIR_ENTRIES;
    if (strncmp(name, prefix, sizeof prefix - 1) != 0 ||
        strlen(name) != sizeof prefix - 1 + RANDOM_LETTERS)
        return;
    AUTO_FD dir = openat(base_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 || fstat(dir, &st) < 0 || st.st_uid != geteuid())
        return;
    AUTO_FD lock = openat(dir, lock_name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0)
        return;
    remove_below(base_fd, name, DIR_DEPTH, &entries_left);
    (void)unlinkat(base_fd, name, AT_REMOVEDIR);
}

static void sweep(const char *base)
{
    unsigned entries_left = DIR_ENTRIES;
    DIR *dir = opendir(base);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir)) && entries_left-- > 0;)
        sweep_one(dirfd(dir), entry->d_name);
    closedir(dir);
}

static bool make_below(const char *base, char ret[LAUNCH_DIR], int *ret_lock_fd)
{
    char path[LAUNCH_DIR + sizeof lock_name];
    struct stat st;
    (void)snprintf(ret, LAUNCH_DIR, "%s/%sXXXXXX", base, prefix);
    if (!mkdtemp(ret))
        return false;
    (void)snprintf(path, sizeof path, "%s/%s", ret, lock_name);
    int fd = above_stdio(open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0) {
        *ret_lock_fd = fd;
        return true;
    }
    int why = errno;
    io_close_auto(&fd);
    launch_remove_dir(ret);
    errno = why;
    return false;
}

bool launch_make_dir(const char *base, char ret[LAUNCH_DIR], int *ret_lock_fd, struct err *err)
{
    bool usable = base && base[0] == '/' && strlen(base) <= BASE_MAX;
    const char *below = usable ? base : "/tmp";
    sweep(below);
    for (int tries = 0; tries < 10; tries++) /* another's sweep may come between name and lock */
        if (make_below(below, ret, ret_lock_fd) || (usable && make_below("/tmp", ret, ret_lock_fd)))
            return true;
    int why = errno;
    ret[0] = '\0';
    return err_set(err, ERR_IO, "private directory below /tmp: %s", strerror(why));
}
