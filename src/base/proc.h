/* proc.h - child processes: posix_spawn in their own process group, output captured, a deadline.
 *
 * Never fork() with a large heap; SIGMASK emptied, signals back to their defaults in the child.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/str.h"

struct arena;
struct err;

struct proc_spec {
    const char *const *argv;    /* NULL-ended; argv[0] is searched in PATH unless it has a slash */
    const char *const *env;     /* NULL-ended NAME=value list; NULL = our own environment */
    const char *dir;            /* working directory; NULL = ours */
    struct str input;           /* standard input, whole; empty = /dev/null */
    int timeout_ms;             /* 0 = the strictest: 10 s */
    size_t max_output;          /* of each stream; 0 = 1 MiB */
    const volatile int *cancel; /* optional: nonzero ends the child and the call (ERR_CANCELLED) */
};
struct proc_result {
    int exit_code; /* -1 when ended by a signal */
    int signal;    /* 0 when it exited */
    struct str out, err_text;
};

/* Runs to the end. False only if it could not be run, timed out (ERR_TIMEOUT, the group killed) or
 * printed too much (ERR_LIMIT); a non-zero exit is a result. A grandchild that keeps a pipe open is
 * waited for a second, then what came is the result. */
bool proc_run(struct arena *arena, const struct proc_spec *spec, struct proc_result *ret,
              struct err *err);

/* Starts only: stdin from spec->input, stdout and stderr into pipes (non-blocking, CLOEXEC). The
 * caller reaps. */
struct proc_child {
    pid_t pid; /* also its process group */
    int out_fd, err_fd;
};
bool proc_spawn(const struct proc_spec *spec, struct proc_child *ret, struct err *err);
/* SIGKILL to the group, then reap; safe when it is already gone. Gives the wait status. */
int proc_kill_group(pid_t pid);
