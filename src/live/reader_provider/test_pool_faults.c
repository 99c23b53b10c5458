/* test_pool_faults.c - the pool where the provider crashes, hangs, refuses, or is not there; and
 * where it is cancelled. */
#include "live/reader_provider/test_pool.h"

static void who_crashes_the_provider_is_named(void **state)
{
    struct run *run = *state;
    world.latency_ms = 1;
    for (size_t i = 0; i < 40; i++)
        add(run, i == 17 || i == 30 ? "panic" : "ok", "");
    go(run);
    expect_all_once(run);
    for (size_t i = 0; i < 40; i++)
        if (i != 17 && i != 30)
            assert_int_equal(run->seen[i].status, LIVE_READ);
    expect(run, 17, LIVE_UNREADABLE, "crashes the provider: exit status 2: panic: boom");
    expect(run, 30, LIVE_UNREADABLE, "crashes the provider");
    print_message("  %u starts\n", world.starts);
    assert_true(world.starts <= 6);
    assert_true(world.refused <= world.starts); /* a dead process is not asked again and again */
}

static void a_provider_that_only_crashes_is_given_up(void **state)
{
    struct run *run = *state;
    for (size_t i = 0; i < 50; i++)
        add(run, "panic", "");
    go(run);
    expect_all_once(run);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(run->seen[i].status, LIVE_UNREADABLE);
    expect(run, 49, LIVE_UNREADABLE, "panic: boom");
    assert_true(world.starts <= 10);
}

static void a_hanging_provider_is_given_up(void **state)
{
    struct run *run = *state;
    for (size_t i = 0; i < 100; i++)
        add(run, "hang", "");
    go(run);
    expect_all_once(run);
    expect(run, 0, LIVE_UNREADABLE, "no answer in time");
    expect(run, 99, LIVE_UNREADABLE, "did not answer");
    assert_true(world.calls[PLUGIN_READ] <= 25);
}

static void a_refused_configuration_is_told(void **state)
{
    struct run *run = *state;
    world.refuse_configure = true;
    add(run, "ok", "");
    add(run, "ok", "");
    go(run);
    expect_all_once(run);
    expect(run, 1, LIVE_UNREADABLE, "refused its configuration (from the environment): no region");
    assert_int_equal(world.calls[PLUGIN_READ], 0);
}

static void a_crash_in_configure_is_tried_once_more(void **state)
{
    struct run *run = *state;
    world.crash_configure = true;
    add(run, "ok", "");
    go(run);
    expect_all_once(run);
    expect(run, 0, LIVE_UNREADABLE, "crashed 2 times");
    assert_int_equal(world.starts, 2);
}

static void a_provider_that_cannot_start_is_told(void **state)
{
    struct run *run = *state;
    world.cannot_start = true;
    add(run, "ok", "");
    go(run);
    expect_all_once(run);
    expect(run, 0, LIVE_UNREADABLE, "could not be started: exit status 1");
}

static void what_is_not_installed_is_told(void **state)
{
    struct run *run = *state;
    add(run, "ok", "");
    add(run, "ok", "");
    run->resources[1].provider = STR("example.com/a/absent");
    go(run);
    expect_all_once(run);
    expect(run, 0, LIVE_READ, "");
    expect(run, 1, LIVE_UNREADABLE, "run `tofu init`");
}

static void cancelled_within_a_second(void **state)
{
    struct run *run = *state;
    world.latency_ms = 1;
    run->options.timeout_ms = 60000;
    run->cancel_at = 5;
    for (size_t i = 0; i < 100; i++)
        add(run, i % 2 ? "hang" : "ok", "");
    go(run);
    assert_false(run->ok);
    assert_int_equal(run->err.kind, ERR_CANCELLED);
    assert_true(run->results < 100);
}

static void a_sink_that_fails_ends_it(void **state)
{
    struct run *run = *state;
    run->fail_at = 5;
    for (size_t i = 0; i < 100; i++)
        add(run, "ok", "");
    go(run);
    assert_false(run->ok);
    assert_int_equal(run->err.kind, ERR_IO);
    assert_int_equal(run->results, 5);
}

static void a_probe_that_crashes_blames_nobody(void **state)
{
    struct run *run = *state;
    run->options.no_probe = false;
    world.crash_on_probe = true;
    world.latency_ms = 1;
    for (size_t i = 0; i < 50; i++)
        add(run, "ok", "");
    go(run);
    expect_all_once(run);
    for (size_t i = 0; i < 50; i++)
        assert_int_equal(run->seen[i].status, LIVE_READ);
    assert_int_equal(world.starts, 2);
    assert_int_equal(world.probes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(who_crashes_the_provider_is_named),
        WORLD(a_provider_that_only_crashes_is_given_up),
        WORLD(a_hanging_provider_is_given_up),
        WORLD(a_refused_configuration_is_told),
        WORLD(a_crash_in_configure_is_tried_once_more),
        WORLD(a_provider_that_cannot_start_is_told),
        WORLD(what_is_not_installed_is_told),
        WORLD(cancelled_within_a_second),
        WORLD(a_sink_that_fails_ends_it),
        WORLD(a_probe_that_crashes_blames_nobody),
    };
    return cmocka_run_group_tests_name("live/reader_provider/pool_faults", tests, NULL, NULL);
}
