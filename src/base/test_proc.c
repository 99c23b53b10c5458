/* test_proc.c - child processes: output, exit, signals, deadlines, floods, orphans. */
#include "base/test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/proc.h"

enum { PATIENCE_MS = 300000 }; /* a machine may be slow; what tests a deadline gives its own */

static bool run(struct arena *arena, const char *script, struct proc_spec spec,
                struct proc_result *ret, struct err *err)
{
    const char *const argv[] = {"sh", "-c", script, NULL};
    spec.argv = argv;
    spec.timeout_ms = spec.timeout_ms ? spec.timeout_ms : PATIENCE_MS;
    return proc_run(arena, &spec, ret, err);
}

static void output_and_exit_are_kept(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct err err = {0};
    struct proc_result got;
    assert_true(run(&arena, "echo out; echo err >&2; exit 3", (struct proc_spec){0}, &got, &err));
    assert_int_equal(got.exit_code, 3);
    assert_int_equal(got.signal, 0);
    assert_string_equal(got.out.ptr, "out\n");
    assert_string_equal(got.err_text.ptr, "err\n");
    assert_true(run(&arena, "kill -9 $$", (struct proc_spec){0}, &got, &err));
    assert_int_equal(got.exit_code, -1);
    assert_int_equal(got.signal, SIGKILL);
    assert_int_equal(got.out.len, 0);
    assert_true(run(&arena, "cat; pwd; echo $A-$HOME",
                    (struct proc_spec){.dir = "/usr", .env = (const char *const[]){"A=b", NULL}},
                    &got, &err)); /* stdin is empty, the environment ours to give */
    assert_string_equal(got.out.ptr, "/usr\nb-\n");
    assert_true(run(&arena, "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2",
                    (struct proc_spec){0}, &got, &err));
    assert_int_equal(got.out.len, 300000);
    assert_int_equal(got.err_text.len, 300000);
}

static void input_is_given_whole(void **state)
{
    (void)state;
    enum { BYTES = 3000000 };
    AUTO_ARENA arena = {.limit = 32 << 20};
    struct err err = {0};
    struct proc_result got;
    char *text = arena_alloc(&arena, BYTES, 1, 1);
    memset(text, 'x', BYTES);
    struct str input = {text, BYTES};
    assert_true(run(&arena, "cat",
                    (struct proc_spec){.input = input, .max_output = (size_t)BYTES + 1}, &got,
                    &err));
    assert_true(str_equal(got.out, input));
    assert_true(run(&arena, "exit 7", (struct proc_spec){.input = input}, &got, &err));
    assert_int_equal(got.exit_code, 7); /* it need not be read */
}

static void what_cannot_run_is_an_error(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct err err = {0};
    struct proc_result got;
    const char *const argv[] = {"/no/such/program", NULL}, *const here[] = {"true", NULL};
    assert_false(proc_run(&arena, &(struct proc_spec){.argv = argv}, &got, &err));
    assert_int_equal(err.kind, ERR_IO);
    assert_string_equal(err.frame[0], "run /no/such/program: No such file or directory");
    assert_false(proc_run(&arena, &(struct proc_spec){.argv = here, .dir = "/no/dir"}, &got, &err));
    assert_int_equal(err.kind, ERR_IO);
    AUTO_ARENA small = {.limit = 4};
    assert_false(run(&small, "echo 12345", (struct proc_spec){0}, &got, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
}

static void deadlines_and_floods_end_the_group(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct err err = {0};
    struct proc_result got;
    int64_t before = clock_monotonic_ms();
    assert_false(
        run(&arena, "sleep 600 & sleep 600", (struct proc_spec){.timeout_ms = 200}, &got, &err));
    assert_int_equal(err.kind, ERR_TIMEOUT);
    assert_false(run(&arena, "yes", (struct proc_spec){.max_output = 100000}, &got, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_false(run(&arena, "yes >&2", (struct proc_spec){.max_output = 100000}, &got, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    const volatile int cancel = 1;
    assert_false(run(&arena, "sleep 600", (struct proc_spec){.cancel = &cancel}, &got, &err));
    assert_int_equal(err.kind, ERR_CANCELLED);
    assert_true(clock_monotonic_ms() - before < 200000);
}

static void an_orphan_does_not_hold_us_up(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct err err = {0};
    struct proc_result got;
    int64_t before = clock_monotonic_ms();
    assert_true(run(&arena, "sleep 600 & echo $!; exit 5", (struct proc_spec){0}, &got, &err));
    assert_int_equal(got.exit_code, 5);
    assert_true(clock_monotonic_ms() - before < 200000);
    (void)kill((pid_t)atoi(got.out.ptr), SIGKILL);
}

static void closed_output_is_not_the_end(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct err err = {0};
    struct proc_result got;
    assert_true(
        run(&arena, "echo x; exec >&- 2>&-; sleep 0.2; exit 7", (struct proc_spec){0}, &got, &err));
    assert_int_equal(got.exit_code, 7);
    assert_string_equal(got.out.ptr, "x\n");
}

static void signals_are_as_new_in_the_child(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct err err = {0};
    struct proc_result got;
    sigset_t set, old;
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    assert_int_equal(sigprocmask(SIG_BLOCK, &set, &old), 0);
    bool ok = run(&arena, "kill -TERM $$; exit 1", (struct proc_spec){0}, &got, &err);
    assert_true(ok && got.signal == SIGTERM);
    ok = run(&arena, "kill -PIPE $$; exit 1", (struct proc_spec){0}, &got, &err);
    assert_true(ok && got.signal == SIGPIPE);
    assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
    (void)signal(SIGPIPE, before);
}

static void a_spawned_child_is_in_its_own_group(void **state)
{
    (void)state;
    struct err err = {0};
    struct proc_child child;
    const char *const argv[] = {"sh", "-c", "sleep 600 & sleep 600", NULL};
    assert_true(proc_spawn(&(struct proc_spec){.argv = argv}, &child, &err));
    assert_int_equal(getpgid(child.pid), child.pid);
    (void)proc_kill_group(child.pid);
    assert_int_equal(kill(child.pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    io_close_auto(&child.out_fd);
    io_close_auto(&child.err_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_exit_are_kept),
        cmocka_unit_test(input_is_given_whole),
        cmocka_unit_test(what_cannot_run_is_an_error),
        cmocka_unit_test(deadlines_and_floods_end_the_group),
        cmocka_unit_test(an_orphan_does_not_hold_us_up),
        cmocka_unit_test(closed_output_is_not_the_end),
        cmocka_unit_test(signals_are_as_new_in_the_child),
        cmocka_unit_test(a_spawned_child_is_in_its_own_group),
    };
    return cmocka_run_group_tests_name("base/proc", tests, NULL, NULL);
}
