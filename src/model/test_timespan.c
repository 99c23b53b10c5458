/* test_timespan.c - times of the week, in zones with summer time; when a digest is due. */
#include "base/test.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/timespan.h"
#include "model/zone.h"

static int64_t at(const char *text)
{
    int64_t ms = 0;
    assert_true(clock_parse(str_from(text), &ms));
    return ms;
}

static void spans_cover(void **state)
{
    static const struct {
        const char *span, *zone, *now, *until; /* until NULL: not covered */
    } cases[] = {
        {"22:00-07:00", "", "2026-11-22T23:00:00Z", "2026-11-23T07:00:00Z"},
        {"22:00-07:00", "", "2026-11-22T06:59:59Z", "2026-11-22T07:00:00Z"},
        {"22:00-07:00", "", "2026-11-22T07:00:00Z", NULL},
        {"mon-fri 08:00-18:00", "", "2026-11-23T08:00:00Z", "2026-11-23T18:00:00Z"},
        {"mon-fri 08:00-18:00", "", "2026-11-22T12:00:00Z", NULL}, /* a Sunday */
        {"fri 22:00-06:00", "", "2026-11-28T05:00:00Z", "2026-11-28T06:00:00Z"},
        {"fri 22:00-06:00", "", "2026-11-27T05:00:00Z", NULL},
        {"sat,sun", "", "2026-11-21T10:00:00Z", "2026-11-23T00:00:00Z"},
        {"sat-mon", "", "2026-11-23T23:59:00Z", "2026-11-24T00:00:00Z"},
        {"22:00-07:00", "Europe/Berlin", "2026-11-22T21:30:00Z", "2026-11-23T06:00:00Z"},
        {"22:00-07:00", "Europe/Berlin", "2026-11-22T20:30:00Z", NULL},
        /* The clock goes back within it: the end is the wall's. */
        {"22:00-07:00", "Europe/Berlin", "2026-10-24T20:30:00Z", "2026-10-25T06:00:00Z"},
        {"22:00-07:00", "Europe/Berlin", "2026-03-28T21:30:00Z", "2026-03-29T05:00:00Z"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 22};
        struct err err = {0};
        struct timespan span;
        const struct zone *zone = NULL;
        int64_t until = 0;
        print_message("  %s %s %s\n", cases[i].span, cases[i].zone, cases[i].now);
        assert_true(timespan_parse(str_from(cases[i].span), &span));
        if (*cases[i].zone && !zone_load(&arena, str_from(cases[i].zone), &zone, &err))
            fail_msg("%s", err.frame[0]);
        assert_int_equal(timespan_covers(&span, 1, zone, at(cases[i].now), &until),
                         cases[i].until != NULL);
        if (cases[i].until)
            assert_true(until == at(cases[i].until));
    }
}

static void what_is_no_span_is_refused(void **state)
{
    static const char *const bad[] = {
        "",         "8-18",       "08:00",          "25:00-07:00", "08:60-09:00",
        "mon-",     "mond",       "mon 08:00",      "24:00-07:00", "08:00-24:01",
        "mon,,tue", "8:00-18:00", "08:00-18:00 mon"};
    struct timespan span;
    struct timespan_digest digest;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        print_message("  %s\n", bad[i]);
        assert_false(timespan_parse(str_from(bad[i]), &span));
        assert_false(timespan_digest_parse(str_from(bad[i]), &digest));
    }
    assert_true(timespan_parse(STR("00:00-24:00"), &span));
}

static void digests_are_due(void **state)
{
    static const struct {
        const char *digest, *zone, *after, *next;
    } cases[] = {
        {"daily", "", "2026-11-22T08:59:59Z", "2026-11-22T09:00:00Z"},
        {"daily", "", "2026-11-22T09:00:00Z", "2026-11-23T09:00:00Z"},
        {"daily 18:30", "Europe/Berlin", "2026-11-22T00:00:00Z", "2026-11-22T17:30:00Z"},
        {"weekly", "", "2026-11-22T00:00:00Z", "2026-11-23T09:00:00Z"},
        {"weekly fri 16:00", "", "2026-11-22T00:00:00Z", "2026-11-27T16:00:00Z"},
        {"weekly mon,thu", "", "2026-11-23T09:00:00Z", "2026-11-26T09:00:00Z"},
        {"daily 02:30", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 22};
        struct err err = {0};
        struct timespan_digest digest;
        const struct zone *zone = NULL;
        print_message("  %s %s\n", cases[i].digest, cases[i].after);
        assert_true(timespan_digest_parse(str_from(cases[i].digest), &digest));
        if (*cases[i].zone && !zone_load(&arena, str_from(cases[i].zone), &zone, &err))
            fail_msg("%s", err.frame[0]);
        assert_true(timespan_digest_next(&digest, zone, at(cases[i].after)) == at(cases[i].next));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_cover),
        cmocka_unit_test(what_is_no_span_is_refused),
        cmocka_unit_test(digests_are_due),
    };
    return cmocka_run_group_tests_name("model/timespan", tests, NULL, NULL);
}
