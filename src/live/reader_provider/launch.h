/* launch.h - start a provider's binary so that it cannot outlive us, in a private directory.
 *
 * The child is made by clone(CLONE_VM | CLONE_VFORK), as posix_spawn does it: nothing is copied,
 * however large our heap. posix_spawn itself cannot ask for PR_SET_PDEATHSIG, and a re-exec of our
 * own binary would cost another start. Between clone and exec the child makes system calls only.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/str.h"

struct arena;
struct err;

struct launch_child {
    pid_t pid; /* also its process group; 0 = none */
    int pid_fd, out_fd, err_fd;
};

/* The environment list of a provider: `from` (NULL = ours) without what steers go-plugin, plus
 * that. client_cert: PEM, empty = plaintext. logs: TF_LOG and its kin as they are, else silence. */
const char **launch_environment(struct arena *arena, const char *const *from, const char *dir,
                                struct str client_cert, bool logs, struct err *err);
/* stdin is /dev/null, pipes are non-blocking, own process group, SIGKILL when this thread ends;
 * timers may be a millisecond late. dir NULL = ours. */
bool launch_start(const char *path, const char *const *env, const char *dir,
                  struct launch_child *ret, struct err *err);
/* Has it ended? Then *ret_status is its wait status and it is reaped. */
bool launch_reap(struct launch_child *child, int *ret_status);
/* SIGKILL to its group, and reap it if it was not. */
void launch_kill(struct launch_child *child, bool reaped, int *ret_status);
void launch_close(struct launch_child *child);

enum { LAUNCH_DIR = 64 };
/*
 * A new 0700 directory with a path short enough for a socket in it: below `base` (the user's
 * TMPDIR) where that is short, else below /tmp. It holds a locked file: what a killed plumb left
 * there is told by the lock that nobody holds, and removed on the way. ret_lock_fd  to be closed
 * (io_close_auto) when the directory goes
 */
bool launch_make_dir(const char *base, char ret[LAUNCH_DIR], int *ret_lock_fd, struct err *err);
/* What the provider left in it, and the directory. Bounded; links are not followed. */
void launch_remove_dir(const char *dir);
