/* test_pool.c - the pool reads: what each answer comes to, what is asked again, how many at a time.
 */
#include "live/reader_provider/test_pool.h"

static const struct {
    const char *word;
    enum live_status status;
    const char *reason;
} answers[] = {
    {"ok", LIVE_READ, ""},
    {"drift", LIVE_READ, ""},
    {"gone", LIVE_GONE, ""},
    {"denied", LIVE_UNREADABLE, "AccessDenied: not you"},
    {"slow", LIVE_READ, ""},
    {"garbage", LIVE_UNREADABLE, "not what its schema promises"},
    {"noise", LIVE_UNREADABLE, ""},
    {"unknown", LIVE_UNREADABLE, "unknown values"},
    {"nothing", LIVE_UNREADABLE, "without a state"},
    {"deferred", LIVE_UNREADABLE, ""},
    {"stuck", LIVE_UNREADABLE, "cannot be upgraded"},
    {"hang", LIVE_UNREADABLE, "no answer in time"},
};
enum { ANSWERS = sizeof answers / sizeof *answers };

static void every_answer_has_its_result(void **state)
{
    struct run *run = *state;
    for (size_t i = 0; i < ANSWERS; i++)
        add(run, answers[i].word, "");
    add(run, "ok", "");
    run->resources[ANSWERS].type = STR("other");
    add(run, "ok", "");
    run->resources[ANSWERS + 1].schema_version = 3;
    go(run);
    expect_all_once(run);
    for (size_t i = 0; i < ANSWERS; i++)
        expect(run, i, answers[i].status, answers[i].reason);
    expect(run, ANSWERS, LIVE_UNREADABLE, "has no resource type other");
    expect(run, ANSWERS + 1, LIVE_UNREADABLE, "newer provider");
    assert_false(run->seen[0].differs);
    assert_true(run->seen[1].differs);
    assert_non_null(strstr(run->notes, "development override"));
}

static void the_first_read_is_alone_then_many(void **state)
{
    struct run *run = *state;
    world.latency_ms = 20;
    for (size_t i = 0; i < RESOURCES_MAX; i++)
        add(run, "ok", "");
    go(run);
    expect_all_once(run);
    assert_int_equal(world.first_together, 1);
    print_message("  at most %u at once\n", world.most_in_flight);
    assert_true(world.most_in_flight >= 20); /* how far depends on the machine's other work */
    assert_int_equal(world.calls[PLUGIN_CONFIGURE], 1);
    assert_int_equal(world.calls[PLUGIN_READ], RESOURCES_MAX);
    assert_int_equal(world.calls[PLUGIN_UPGRADE_STATE], 1); /* then it is known to change nothing */
}

static void a_difference_is_confirmed_by_an_upgrade(void **state)
{
    struct run *run = *state;
    add(run, "ok", "");
    for (size_t i = 1; i < 20; i++)
        add(run, i % 2 ? "drift" : "ok", "");
    go(run);
    expect_all_once(run);
    assert_int_equal(world.calls[PLUGIN_UPGRADE_STATE], 1 + 10);
    assert_int_equal(world.calls[PLUGIN_READ], 20);
}

/* null was recorded and "" comes back: noise of SDKv2, and a difference of anybody else. */
static void null_against_empty_is_confirmed_where_it_means_something(void **state)
{
    struct run *run = *state;
    add(run, "ok", "");
    for (size_t i = 1; i < 20; i++)
        add(run, "blank", "");
    for (int legacy = 0; legacy < 2; legacy++) {
        reset_world(run);
        world.legacy = legacy;
        go(run);
        expect_all_once(run);
        for (size_t i = 1; i < 20; i++)
            assert_true(run->seen[i].differs); /* the drift room decides about it */
        assert_int_equal(world.calls[PLUGIN_UPGRADE_STATE], legacy ? 1 : 20);
        assert_int_equal(world.calls[PLUGIN_READ], 20);
    }
}

/* Its upgrade turns `value` into something else: the full order for every instance. */
static void an_upgrade_that_changes_is_always_asked(void **state)
{
    struct run *run = *state;
    world.upgrade_changes = true;
    for (size_t i = 0; i < 20; i++)
        add(run, "ok", "");
    go(run);
    expect_all_once(run);
    for (size_t i = 0; i < 20; i++)
        assert_true(run->seen[i].differs);
    assert_int_equal(world.calls[PLUGIN_UPGRADE_STATE], 20);
    assert_int_equal(world.calls[PLUGIN_READ], 20);
}

static void concurrency_is_kept(void **state)
{
    struct run *run = *state;
    world.latency_ms = 1;
    run->options.concurrency = 3;
    for (size_t i = 0; i < 60; i++)
        add(run, i % 7 ? "ok" : "slow", "");
    go(run);
    expect_all_once(run);
    assert_int_equal(world.most_in_flight, 3);
}

static void one_process_per_configuration(void **state)
{
    struct run *run = *state;
    static const char *const configs[] = {"provider[\"example.com/a/fake\"]",
                                          "provider[\"example.com/a/fake\"].west",
                                          "provider[\"example.com/a/fake\"].east"};
    run->options.max_providers = 2;
    world.latency_ms = 1;
    for (size_t i = 0; i < 30; i++)
        add(run, "ok", configs[i % 3]);
    go(run);
    expect_all_once(run);
    assert_int_equal(world.starts, 3);
    assert_int_equal(world.most_running, 2);
    assert_int_equal(world.calls[PLUGIN_CONFIGURE], 3);
}

static void the_probe_finds_what_is_echoed(void **state)
{
    struct run *run = *state;
    char dir[60];
    (void)snprintf(dir, sizeof dir, "%s/cache", world.dir);
    run->options.no_probe = false;
    run->options.cache_dir = str_from(dir);
    world.latency_ms = 2;
    world.schema_optional = true;
    add(run, "gone", ""); /* nothing to be probed there */
    add(run, "denied", "");
    for (size_t i = 2; i < 50; i++)
        add(run, i == 20 ? "drift" : "ok", "");
    for (int round = 0; round < 2; round++) {
        print_message("  round %d\n", round);
        reset_world(run);
        go(run);
        expect_all_once(run);
        for (size_t i = 2; i < 50; i++)
            assert_string_equal(run->seen[i].not_observed, "echoed");
        assert_int_equal(world.probes, round == 0);                   /* remembered */
        assert_int_equal(world.calls[PLUGIN_GET_SCHEMA], round == 0); /* likewise */
    }
    run->options.no_probe = true;
    reset_world(run);
    go(run);
    expect_all_once(run);
    assert_int_equal(world.probes, 0);
}

/* What is not there is told first, while the last ones are under way: no other begins after them.
 */
static void who_is_left_is_probed(void **state)
{
    static const char *const words[] = {"gone", "denied", "ok", "slow"};
    static const char *const configs[] = {"provider[\"example.com/a/fake\"]",
                                          "provider[\"example.com/a/fake\"].b"};
    struct run *run = *state;
    run->options.no_probe = false;
    for (size_t n = 0; n < 2 * sizeof words / sizeof *words; n++) {
        const char *config = configs[n % 2];
        print_message("  %s, then %s\n", words[n / 2], config);
        for (size_t last = 0; last < 2; last++) {
            run->n = 0;
            reset_world(run);
            add(run, words[n / 2], configs[0]);
            add(run, "gone", config);
            add(run, last ? "slow" : "ok", config);
            go(run);
            expect_all_once(run);
            assert_string_equal(run->seen[2].not_observed, "echoed");
            assert_int_equal(world.probes, 1);
        }
    }
}

static void a_schema_is_asked_for_where_it_must_be(void **state)
{
    struct run *run = *state;
    char dir[60];
    (void)snprintf(dir, sizeof dir, "%s/cache", world.dir);
    run->options.cache_dir = str_from(dir);
    add(run, "ok", "");
    for (int round = 0; round < 2; round++) {
        reset_world(run);
        go(run);
        expect_all_once(run);
        assert_int_equal(world.calls[PLUGIN_GET_SCHEMA], 1);
    }
}

static void too_much_memory_is_noted_once(void **state)
{
    struct run *run = *state;
    run->options.max_memory = 100 << 20;
    world.latency_ms = 20;
    for (size_t i = 0; i < 30; i++)
        add(run, "ok", "");
    go(run);
    expect_all_once(run);
    char *first = strstr(run->notes, "300 MiB");
    assert_non_null(first);
    assert_null(strstr(first + 1, "300 MiB"));
}

static void nothing_to_do_starts_nothing(void **state)
{
    struct run *run = *state;
    go(run);
    assert_true(run->ok);
    assert_int_equal(world.starts, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD(every_answer_has_its_result),
        WORLD(the_first_read_is_alone_then_many),
        WORLD(a_difference_is_confirmed_by_an_upgrade),
        WORLD(null_against_empty_is_confirmed_where_it_means_something),
        WORLD(an_upgrade_that_changes_is_always_asked),
        WORLD(concurrency_is_kept),
        WORLD(one_process_per_configuration),
        WORLD(the_probe_finds_what_is_echoed),
        WORLD(who_is_left_is_probed),
        WORLD(a_schema_is_asked_for_where_it_must_be),
        WORLD(too_much_memory_is_noted_once),
        WORLD(nothing_to_do_starts_nothing),
    };
    return cmocka_run_group_tests_name("live/reader_provider/pool", tests, NULL, NULL);
}
