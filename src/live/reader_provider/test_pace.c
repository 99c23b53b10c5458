/* test_pace.c - how the limit follows a simulated provider: slow but wide, quick but busy, angry.
 */
#include "base/test.h"

#include <stdlib.h>

#include "live/reader_provider/pace.h"

/* A provider where a read takes latency_us, and which works on at most `width` reads at a time. */
struct world {
    int64_t latency_us;
    unsigned width;
    unsigned throttle_above; /* in flight; 0 = never */
    int64_t stall_every_us;  /* at each multiple of it nothing moves for stall_us; 0 = never */
    int64_t stall_us;
};
struct outcome {
    int64_t took_us;
    unsigned most, first_together;
    uint64_t throttled;
};

enum { FLIGHT_MAX = 1024 };
struct flight {
    int64_t start_us, end_us;
    bool throttled;
};

static size_t earliest(const struct flight *flights, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (flights[i].end_us < flights[best].end_us)
            best = i;
    return best;
}

/* An answer that would come in a stall comes at its end. */
static int64_t after_stall(const struct world *world, int64_t us)
{
    int64_t since = world->stall_every_us ? us % world->stall_every_us : 0;
    return world->stall_every_us && us >= world->stall_every_us && since < world->stall_us
               ? us - since + world->stall_us
               : us;
}

static struct outcome simulate(const struct world *world, unsigned most, unsigned reads)
{
    struct pace pace;
    struct flight flights[FLIGHT_MAX];
    struct outcome out = {0};
    int64_t now = 0, *lanes = calloc(world->width, sizeof *lanes);
    size_t n = 0;
    unsigned started = 0, done = 0;
    assert_non_null(lanes);
    pace_init(&pace, most);
    while (done < reads) {
        while (started < reads && n < pace.limit && n < FLIGHT_MAX) {
            size_t lane = 0;
            for (size_t i = 1; i < world->width; i++)
                if (lanes[i] < lanes[lane])
                    lane = i;
            int64_t begin = lanes[lane] > now ? lanes[lane] : now;
            lanes[lane] = after_stall(world, begin + world->latency_us);
            flights[n] = (struct flight){now, lanes[lane],
                                         world->throttle_above && n >= world->throttle_above};
            n++;
            started++;
        }
        if (n > out.most)
            out.most = (unsigned)n;
        if (done == 0)
            out.first_together = (unsigned)n;
        size_t next = earliest(flights, n);
        struct flight flight = flights[next];
        flights[next] = flights[--n];
        now = flight.end_us;
        if (flight.throttled) {
            out.throttled++;
            pace_throttled(&pace, now);
            started--;
            continue;
        }
        pace_done(&pace, now, now - flight.start_us);
        done++;
    }
    free(lanes);
    out.took_us = now;
    return out;
}

static void the_first_read_is_alone(void **state)
{
    (void)state;
    struct outcome out = simulate(&(struct world){50000, 1000, 0, 0, 0}, 0, 100);
    assert_int_equal(out.first_together, 1);
}

/* 2,000 reads of 50 ms take 10 s at ten at once; at least eight times faster is wanted. */
static void a_slow_wide_provider_is_filled_quickly(void **state)
{
    (void)state;
    struct outcome out = simulate(&(struct world){50000, 1000, 0, 0, 0}, 0, 2000);
    print_message("  %lld ms, %u at once\n", (long long)out.took_us / 1000, out.most);
    assert_int_equal(out.most, PACE_MOST);
    assert_true(out.took_us < 800000);
}

static void a_busy_provider_is_not_flooded(void **state)
{
    (void)state;
    struct outcome out = simulate(&(struct world){500, 2, 0, 0, 0}, 0, 5000);
    print_message("  %lld ms, %u at once\n", (long long)out.took_us / 1000, out.most);
    assert_true(out.most <= 24);
    assert_true(out.took_us < 1300000);
}

/* A busy machine: pauses of 150 ms, three a second. At ten at once it would be 15 s. */
static void stalls_do_not_shrink_it(void **state)
{
    (void)state;
    struct outcome out = simulate(&(struct world){50000, 1000, 0, 330000, 150000}, 0, 2000);
    print_message("  %lld ms, %u at once\n", (long long)out.took_us / 1000, out.most);
    assert_true(out.took_us < 2000000);
}

/* How long a refusal takes says nothing of a read. */
static void failed_reads_do_not_raise_it(void **state)
{
    (void)state;
    struct pace pace;
    pace_init(&pace, 0);
    for (int i = 0; i < 500; i++)
        pace_done(&pace, i * 1000, 0);
    assert_int_equal(pace.limit, PACE_START);
    for (int i = 0; i < 40; i++)
        pace_done(&pace, 500000 + i * 1000, 50000);
    assert_true(pace.limit >= 4 * PACE_START);
}

/* One slow round on the way up is a pause; a second one in a row is enough. */
static void two_slow_rounds_end_the_growth(void **state)
{
    (void)state;
    struct pace pace;
    unsigned limit;
    int64_t now = 0;
    pace_init(&pace, 0);
    for (int i = 0; i < 1 + 10 + 20; i++)
        pace_done(&pace, now++, 1000);
    limit = pace.limit;
    assert_int_equal(limit, 40);
    for (int i = 0; i < 40; i++)
        pace_done(&pace, now++, 5000);
    assert_int_equal(pace.limit, limit);
    assert_int_equal(pace.stage, PACE_GROWING);
    for (int i = 0; i < 40; i++)
        pace_done(&pace, now++, 5000);
    assert_int_equal(pace.limit, limit);
    assert_int_equal(pace.stage, PACE_HOLDING);
}

static void concurrency_is_a_hard_cap(void **state)
{
    (void)state;
    assert_int_equal(simulate(&(struct world){50000, 1000, 0, 0, 0}, 1, 50).most, 1);
    assert_int_equal(simulate(&(struct world){50000, 1000, 0, 0, 0}, 7, 500).most, 7);
    assert_int_equal(simulate(&(struct world){50000, 1000, 0, 0, 0}, 0, 50000).most, PACE_MOST);
}

static void throttling_halves_and_stays_low(void **state)
{
    (void)state;
    struct outcome out = simulate(&(struct world){20000, 1000, 40, 0, 0}, 0, 5000);
    print_message("  %lld ms, %u at once, %llu throttled\n", (long long)out.took_us / 1000,
                  out.most, (unsigned long long)out.throttled);
    assert_true(out.throttled > 0);
    assert_true(out.throttled < 500);
}

static void a_restart_begins_alone_and_lower(void **state)
{
    (void)state;
    struct pace pace;
    pace_init(&pace, 0);
    for (int i = 0; i < 40; i++)
        pace_done(&pace, i * 1000, 1000);
    unsigned before = pace.limit;
    pace_restart(&pace);
    assert_int_equal(pace.limit, 1);
    assert_true(pace.most <= before / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_read_is_alone),
        cmocka_unit_test(a_slow_wide_provider_is_filled_quickly),
        cmocka_unit_test(a_busy_provider_is_not_flooded),
        cmocka_unit_test(stalls_do_not_shrink_it),
        cmocka_unit_test(failed_reads_do_not_raise_it),
        cmocka_unit_test(two_slow_rounds_end_the_growth),
        cmocka_unit_test(concurrency_is_a_hard_cap),
        cmocka_unit_test(throttling_halves_and_stays_low),
        cmocka_unit_test(a_restart_begins_alone_and_lower),
    };
    return cmocka_run_group_tests_name("live/reader_provider/pace", tests, NULL, NULL);
}
