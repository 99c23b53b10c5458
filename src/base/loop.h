/* loop.h - one thread waiting for many descriptors, timers and a cancel flag: epoll behind it.
 *
 * Shape:   watches, timers and tasks are structs inside the caller's own objects (no allocation);
 *          their address must not change while they are on the loop. One thread, no locks, except
 *          loop_wake()
 * Order:   a turn = run tasks, wait, run ready watches, run due timers, run tasks again. A callback
 *          may add and remove anything, itself included; what was removed is not called any more
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum { LOOP_CANCEL_MS = 100 }; /* a cancel flag is seen within this time */

struct loop {
    int epoll_fd, wake_fd;      /* loop_open() makes them, loop_close() closes them */
    const volatile int *cancel; /* optional: nonzero ends a wait within LOOP_CANCEL_MS */
    struct loop_timer *timers;  /* the earliest, root of a pairing heap */
    struct loop_task *first_task, *last_task;
    struct loop_ready *ready; /* what the turn still has to call */
    int64_t now_ms;           /* monotonic, read once per turn */
};

struct loop_watch {
    int fd;
    void (*on_ready)(void *ctx, uint32_t events); /* EPOLLIN, EPOLLOUT, EPOLLHUP, EPOLLERR bits */
    void *ctx;
    uint32_t wanted; /* read-only; `added`: is it on the loop? */
    bool added;
};
struct loop_timer {
    void (*on_time)(void *ctx);
    void *ctx;
    int64_t at_ms;                          /* read-only */
    struct loop_timer *child, *next, *back; /* the heap's */
    bool armed;
};
/* Something to do once before the next wait: many requests of one turn become one write. */
struct loop_task {
    void (*run)(void *ctx);
    void *ctx;
    struct loop_task *next, *back;
    bool queued;
};

bool loop_open(struct loop *loop, struct err *err);
void loop_close(struct loop *loop);

/* Wait for those events of watch->fd (EPOLLIN | EPOLLOUT; hang-ups always come). 0 is allowed:
 * hang-ups only. Changes what is waited for if it is on the loop already. */
bool loop_watch_set(struct loop *loop, struct loop_watch *watch, uint32_t events, struct err *err);
/* Off the loop; before the descriptor is closed. Nothing if it is not on it. */
void loop_watch_remove(struct loop *loop, struct loop_watch *watch);

/* Call once at that monotonic time (loop->now_ms + n), in the next turn at the earliest; moves it
 * if it is armed. */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_ms);
void loop_timer_stop(struct loop *loop, struct loop_timer *timer);

/* Run once before the next wait; nothing if it is queued already. */
void loop_task_add(struct loop *loop, struct loop_task *task);
void loop_task_remove(struct loop *loop, struct loop_task *task);

/* End the wait of another thread (or of this one's signal handler); safe from both. */
void loop_wake(struct loop *loop);

/* One turn; waits at most max_wait_ms (negative = until something happens), less with a cancel
 * flag. False when that flag is up (ERR_CANCELLED) or the wait fails. */
bool loop_turn(struct loop *loop, int max_wait_ms, struct err *err);
