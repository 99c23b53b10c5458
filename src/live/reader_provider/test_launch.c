/* test_launch.c - what a provider's process is started with. */
#include "base/test.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "live/reader_provider/launch.h"

static void is_not_woken_every_few_microseconds(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    char dir[] = "/tmp/plumb-launch-XXXXXX", said[32] = "";
    const char *env[] = {"PATH=/usr/bin:/bin", NULL};
    struct launch_child child;
    struct err err = {0};
    int status = 0;
    assert_non_null(mkdtemp(dir));
    struct str path = arena_printf(&arena, "%s/provider", dir);
    FILE *script = fopen(path.ptr, "w");
    assert_non_null(script);
    assert_true(fputs("#!/bin/sh\nexec cat /proc/self/timerslack_ns\n", script) >= 0);
    assert_int_equal(fclose(script), 0);
    assert_int_equal(chmod(path.ptr, 0700), 0);

    assert_true(launch_start(path.ptr, env, NULL, &child, &err));
    struct pollfd out = {.fd = child.out_fd, .events = POLLIN};
    assert_int_equal(poll(&out, 1, 300000), 1);
    assert_true(read(child.out_fd, said, sizeof said - 1) > 0);
    assert_string_equal(said, "1000000\n");

    launch_kill(&child, false, &status);
    launch_close(&child);
    assert_int_equal(unlink(path.ptr), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_not_woken_every_few_microseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
