/* child.h - what every provider's process is, whoever speaks to it: started, its handshake read,
 * its last lines kept, its end told in words, nothing of it left behind.
 *
 * Shape:   a part of its owner's object, on the owner's loop. Events (pipes, pidfd, timer) only
 * note what they saw and ask for the owner's settle, which runs at the end of the turn, moves the
 * owner's state on and calls back: so no callback runs in the middle of anything Owners:  plugin.c,
 * which speaks to it and only reads; process.c, which hands its socket on
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/loop.h"
#include "live/reader_provider/launch.h"
#include "live/reader_provider/tail.h"

struct automtls;
struct handshake_reader;
struct plugin_spec;
struct ssl_ctx_st;

enum {
    CHILD_CRASH_WAIT_MS = 1000, /* from a lost connection to the process's end and last words */
    CHILD_TEXT_MAX = 600,
};

struct child {
    struct loop *loop;
    struct loop_task settle;
    struct loop_timer timer; /* start, crash wait or grace: what the owner's state says */
    void (*on_output)(void *owner, struct str bytes); /* stderr, as it comes; or NULL */
    struct arena arena;
    struct str name;
    int start_ms;

    struct launch_child process; /* pid 0 = none: reattached, or gone */
    struct loop_watch out_watch, err_watch, pid_watch;
    char dir[LAUNCH_DIR];
    int lock_fd; /* of dir */
    struct automtls *mtls;
    struct handshake_reader *reader; /* until the handshake */
    struct tail tail;

    /* where to speak to it, from the handshake on */
    int protocol, fd; /* fd -1 = not there, or taken by the owner */
    bool connecting;
    struct ssl_ctx_st *tls; /* NULL = plaintext */

    /* what was seen */
    bool reattached, started, reaped, timer_over;
    bool failed; /* the start, for `why` */
    bool lost;   /* its connection broke, for `why`: the owner's to say */
    int wait_status;
    struct err why;
};

/* Of a zeroed one; on_output may be set after it. */
void child_init(struct child *child, struct loop *loop, void (*settle)(void *owner), void *owner);
/* Launches it, or connects to one that runs already; the spec's callbacks are the owner's. `logs`
 * as of launch_environment(). After a failure, too, child_clean_up() and child_free(). */
bool child_start(struct child *child, const struct plugin_spec *spec, bool logs, struct err *err);
/* Off its loop, and onto another, perhaps of another thread: one that has started, with no timer
 * set. What happens in between is seen afterwards. */
void child_leave(struct child *child);
bool child_join(struct child *child, struct loop *loop, struct err *err);
/* Settle will run. */
void child_ask_settle(struct child *child);
void child_set_timer(struct child *child, int ms);

/* It can be spoken to: the start's timer ends. */
void child_has_started(struct child *child);
/* Before that: has the start come to nothing, and why? `awaited`: what did not come in time. */
bool child_gave_up(const struct child *child, const char *awaited, struct err *ret);
/* A start that came to nothing: `why` with the process's own words and name; cleaned up. */
void child_start_failed(struct child *child, struct err *why);

/* No more will be heard of it. */
bool child_has_ended(const struct child *child);
/* How it ended: exit code or signal, and its own words. */
void child_put_end(const struct child *child, struct buf *out);
/* Nothing of the process stays: group, pipes, directory, a socket that nobody took. */
void child_clean_up(struct child *child);
/* Its memory, after that. */
void child_free(struct child *child);
