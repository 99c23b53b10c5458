/* test_loop.c - base/loop: timers in order, watches, tasks, removal from within, cancel and wake.
 */
#include "base/test.h"

#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/loop.h"

struct log {
    int seen[64];
    size_t n;
};
struct numbered {
    struct log *log;
    int number;
    struct loop *loop;
    struct loop_timer timer, *stop;
    struct loop_watch watch, *remove;
    struct loop_task task;
};

static void note(void *ctx)
{
    struct numbered *it = ctx;
    it->log->seen[it->log->n++] = it->number;
    if (it->stop)
        loop_timer_stop(it->loop, it->stop);
}

static void on_ready(void *ctx, uint32_t events)
{
    struct numbered *it = ctx;
    assert_true(events & (EPOLLIN | EPOLLHUP));
    it->log->seen[it->log->n++] = it->number;
    loop_watch_remove(it->loop, &it->watch);
    if (it->remove)
        loop_watch_remove(it->loop, it->remove);
}

static void timers_come_in_order_and_stopped_ones_not(void **state)
{
    (void)state;
    struct loop loop = {0};
    struct log log = {0};
    struct numbered it[40];
    assert_true(loop_open(&loop, NULL));
    for (int i = 0; i < 40; i++) {
        it[i] = (struct numbered){.log = &log, .number = i, .loop = &loop};
        it[i].timer = (struct loop_timer){.on_time = note, .ctx = &it[i]};
    }
    for (int i = 0; i < 40; i++) /* 17 and 40 have no common factor: any order in */
        loop_timer_set(&loop, &it[i * 17 % 40].timer, loop.now_ms + 1 + i * 17 % 40);
    for (int i = 0; i < 40; i += 3)
        loop_timer_stop(&loop, &it[i].timer);
    loop_timer_set(&loop, &it[1].timer, loop.now_ms + 60); /* moved behind all others */
    it[4].stop = &it[5].timer;
    int64_t end = clock_monotonic_ms() + 300000;
    while (loop.timers && clock_monotonic_ms() < end)
        assert_true(loop_turn(&loop, 100, NULL));
    const int want[] = {2,  4,  7,  8,  10, 11, 13, 14, 16, 17, 19, 20, 22,
                        23, 25, 26, 28, 29, 31, 32, 34, 35, 37, 38, 1};
    assert_int_equal(log.n, sizeof want / sizeof *want);
    assert_memory_equal(log.seen, want, sizeof want);
    loop_close(&loop);
}

static void a_watch_removed_by_another_is_not_called(void **state)
{
    (void)state;
    struct loop loop = {0};
    struct log log = {0};
    struct numbered it[2];
    int fds[2][2];
    assert_true(loop_open(&loop, NULL));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(fds[i]), 0);
        assert_int_equal(write(fds[i][1], "x", 1), 1);
        it[i] = (struct numbered){.log = &log, .number = i, .loop = &loop};
        it[i].watch = (struct loop_watch){.fd = fds[i][0], .on_ready = on_ready, .ctx = &it[i]};
        it[i].remove = &it[1 - i].watch;
        assert_true(loop_watch_set(&loop, &it[i].watch, EPOLLIN, NULL));
    }
    assert_true(loop_turn(&loop, 1000, NULL));
    assert_true(loop_turn(&loop, 0, NULL));
    assert_int_equal(log.n, 1);
    for (int i = 0; i < 2; i++) {
        close(fds[i][0]);
        close(fds[i][1]);
    }
    loop_close(&loop);
}

static void a_task_runs_once_and_in_the_same_turn(void **state)
{
    (void)state;
    struct loop loop = {0};
    struct log log = {0};
    struct numbered it[3];
    assert_true(loop_open(&loop, NULL));
    for (int i = 0; i < 3; i++) {
        it[i] = (struct numbered){.log = &log, .number = i};
        it[i].task = (struct loop_task){.run = note, .ctx = &it[i]};
        loop_task_add(&loop, &it[i].task);
        loop_task_add(&loop, &it[i].task);
    }
    loop_task_remove(&loop, &it[1].task);
    assert_true(loop_turn(&loop, 0, NULL));
    assert_true(loop_turn(&loop, 0, NULL));
    assert_int_equal(log.n, 2);
    assert_int_equal(log.seen[0], 0);
    assert_int_equal(log.seen[1], 2);
    loop_close(&loop);
}

static void *wake_later(void *ctx)
{
    usleep(20000);
    loop_wake(ctx);
    return NULL;
}

static void a_wait_ends_by_wake_and_by_cancel(void **state)
{
    (void)state;
    struct loop loop = {0};
    struct err err = {0};
    pthread_t thread;
    assert_true(loop_open(&loop, NULL));
    int64_t start = clock_monotonic_ms();
    assert_int_equal(pthread_create(&thread, NULL, wake_later, &loop), 0);
    assert_true(loop_turn(&loop, 200000, NULL));
    assert_true(clock_monotonic_ms() - start < 100000);
    pthread_join(thread, NULL);

    volatile int cancel = 0;
    loop.cancel = &cancel;
    start = clock_monotonic_ms();
    assert_true(loop_turn(&loop, 200000, NULL)); /* it looks now and then */
    assert_true(clock_monotonic_ms() - start < 100000);
    cancel = 1;
    assert_false(loop_turn(&loop, 10000, &err));
    assert_int_equal(err.kind, ERR_CANCELLED);
    loop_close(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_come_in_order_and_stopped_ones_not),
        cmocka_unit_test(a_watch_removed_by_another_is_not_called),
        cmocka_unit_test(a_task_runs_once_and_in_the_same_turn),
        cmocka_unit_test(a_wait_ends_by_wake_and_by_cancel),
    };
    return cmocka_run_group_tests_name("base/loop", tests, NULL, NULL);
}
