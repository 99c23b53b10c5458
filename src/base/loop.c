/* loop.c - epoll, a pairing heap of timers and a list of tasks behind loop.h. */
#include "base/loop.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

enum { EVENTS_MAX = 64, TASKS_MAX = 4096 /* run between two waits; more wait for the next turn */ };

struct loop_ready {
    struct epoll_event event[EVENTS_MAX];
    int n, at;
};

bool loop_open(struct loop *loop, struct err *err)
{
    *loop = (struct loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
                          .wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                          .cancel = loop->cancel,
                          .now_ms = clock_monotonic_ms()};
    struct epoll_event event = {.events = EPOLLIN};
    if (loop->epoll_fd >= 0 && loop->wake_fd >= 0 &&
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) == 0)
        return true;
    int why = errno;
    loop_close(loop);
    return err_set(err, ERR_IO, "event loop: %s", strerror(why));
}

void loop_close(struct loop *loop)
{
    if (loop->epoll_fd >= 0)
        close(loop->epoll_fd);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    loop->epoll_fd = loop->wake_fd = -1;
}

/* --- watches --- */

bool loop_watch_set(struct loop *loop, struct loop_watch *watch, uint32_t events, struct err *err)
{
    if (watch->added && watch->wanted == events)
        return true;
    struct epoll_event event = {.events = events, .data = {.ptr = watch}};
    int op = watch->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(loop->epoll_fd, op, watch->fd, &event) < 0)
        return err_set(err, ERR_IO, "wait for descriptor %d: %s", watch->fd, strerror(errno));
    watch->wanted = events;
    watch->added = true;
    return true;
}

void loop_watch_remove(struct loop *loop, struct loop_watch *watch)
{
    if (!watch->added)
        return;
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
    watch->added = false;
    for (int i = loop->ready ? loop->ready->at : 0; loop->ready && i < loop->ready->n; i++)
        if (loop->ready->event[i].data.ptr == watch)
            loop->ready->event[i].data.ptr = NULL;
}

/* --- timers: a pairing heap; `back` is the parent of a first child, else the sibling before --- */

static struct loop_timer *heap_merge(struct loop_timer *a, struct loop_timer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->at_ms < a->at_ms) {
        struct loop_timer *swap = a;
        a = b;
        b = swap;
    }
    b->back = a;
    b->next = a->child;
    if (b->next)
        b->next->back = b;
    a->child = b;
    return a;
}

/* The siblings from `first` on as one heap: merged in pairs from the left, then from the right. */
static struct loop_timer *heap_merge_siblings(struct loop_timer *first)
{
    struct loop_timer *pairs = NULL, *heap = NULL;
    while (first) {
        struct loop_timer *a = first, *b = a->next;
        first = b ? b->next : NULL;
        a->next = a->back = NULL;
        if (b)
            b->next = b->back = NULL;
        a = heap_merge(a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        struct loop_timer *a = pairs;
        pairs = a->next;
        a->next = NULL;
        heap = heap_merge(heap, a);
    }
    return heap;
}

void loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
    if (!timer->armed)
        return;
    timer->armed = false;
    struct loop_timer *below = heap_merge_siblings(timer->child);
    if (timer == loop->timers) {
        loop->timers = below;
    } else {
        if (timer->back->child == timer)
            timer->back->child = timer->next;
        else
            timer->back->next = timer->next;
        if (timer->next)
            timer->next->back = timer->back;
        loop->timers = heap_merge(loop->timers, below);
    }
    if (loop->timers)
        loop->timers->back = loop->timers->next = NULL;
    timer->child = timer->next = timer->back = NULL;
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, int64_t at_ms)
{
    loop_timer_stop(loop, timer);
    timer->at_ms = at_ms > loop->now_ms ? at_ms : loop->now_ms + 1;
    timer->child = timer->next = timer->back = NULL;
    timer->armed = true;
    loop->timers = heap_merge(loop->timers, timer);
}

static void run_timers(struct loop *loop)
{
    while (loop->timers && loop->timers->at_ms <= loop->now_ms) {
        struct loop_timer *timer = loop->timers;
        loop_timer_stop(loop, timer);
        timer->on_time(timer->ctx);
    }
}

/* --- tasks --- */

void loop_task_add(struct loop *loop, struct loop_task *task)
{
    if (task->queued)
        return;
    task->queued = true;
    task->next = NULL;
    task->back = loop->last_task;
    if (loop->last_task)
        loop->last_task->next = task;
    else
        loop->first_task = task;
    loop->last_task = task;
}

void loop_task_remove(struct loop *loop, struct loop_task *task)
{
    if (!task->queued)
        return;
    task->queued = false;
    *(task->back ? &task->back->next : &loop->first_task) = task->next;
    *(task->next ? &task->next->back : &loop->last_task) = task->back;
}

static void run_tasks(struct loop *loop)
{
    for (int i = 0; i < TASKS_MAX && loop->first_task; i++) {
        struct loop_task *task = loop->first_task;
        loop_task_remove(loop, task);
        task->run(task->ctx);
    }
}

/* --- a turn --- */

void loop_wake(struct loop *loop)
{
    int kept = errno;
    uint64_t one = 1;
    ssize_t written = write(loop->wake_fd, &one, sizeof one);
    (void)written; /* full = it will wake anyway */
    errno = kept;
}

static int wait_ms(const struct loop *loop, int max_wait_ms)
{
    int64_t most = max_wait_ms < 0 ? INT_MAX : max_wait_ms;
    if (loop->cancel && most > LOOP_CANCEL_MS)
        most = LOOP_CANCEL_MS;
    if (loop->timers) {
        int64_t left = loop->timers->at_ms - clock_monotonic_ms();
        most = left < 0 ? 0 : left < most ? left : most;
    }
    if (loop->first_task)
        most = 0;
    return most == INT_MAX ? -1 : (int)most;
}

static void run_ready(struct loop *loop, struct loop_ready *ready)
{
    loop->ready = ready;
    while (ready->at < ready->n) {
        struct epoll_event *event = &ready->event[ready->at++];
        struct loop_watch *watch = event->data.ptr;
        if (watch)
            watch->on_ready(watch->ctx, event->events);
    }
    loop->ready = NULL;
}

bool loop_turn(struct loop *loop, int max_wait_ms, struct err *err)
{
    struct loop_ready ready = {.n = 0};
    if (loop->cancel && *loop->cancel)
        return err_set(err, ERR_CANCELLED, "cancelled");
    run_tasks(loop);
    ready.n = epoll_wait(loop->epoll_fd, ready.event, EVENTS_MAX, wait_ms(loop, max_wait_ms));
    if (ready.n < 0 && errno != EINTR)
        return err_set(err, ERR_IO, "wait for events: %s", strerror(errno));
    loop->now_ms = clock_monotonic_ms();
    for (int i = 0; i < ready.n; i++) {
        uint64_t count;
        if (ready.event[i].data.ptr)
            continue;
        ssize_t got = read(loop->wake_fd, &count, sizeof count);
        (void)got;
    }
    run_ready(loop, &ready); /* first: an answer that is there is not late */
    run_timers(loop);
    run_tasks(loop);
    if (loop->cancel && *loop->cancel)
        return err_set(err, ERR_CANCELLED, "cancelled");
    return true;
}
