/* test_schedule.c - when a stack is due: words, cron, zones, changes of the clocks, tiers, windows.
 */
#include "base/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "model/config.h"
#include "model/schedule.h"
#include "model/stack.h"
#include "wire/json.h"

static int64_t ms(const char *text)
{
    int64_t at = 0;
    if (!clock_parse(str_from(text), &at))
        fail_msg("%s", text);
    return at;
}

/* Without jitter: the time that is due after `after`. */
static const struct {
    const char *text, *zone, *after, *next;
} dues[] = {
    {"@hourly", "", "2026-11-22T16:00:00Z", "2026-11-22T17:00:00Z"},
    {"daily", "", "2026-11-22T16:00:00Z", "2026-11-23T00:00:00Z"},
    {"@midnight", "Europe/Berlin", "2026-11-22T16:00:00Z", "2026-11-22T23:00:00Z"},
    {"weekly", "", "2026-11-22T16:00:00Z", "2026-11-29T00:00:00Z"},
    {"monthly", "", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
    {"@yearly", "", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"},
    {"15m", "", "2026-11-22T16:00:00Z", "2026-11-22T16:15:00Z"},
    {"@every 90m", "", "2026-11-22T16:00:00Z", "2026-11-22T16:30:00Z"},
    {"*/15 * * * *", "", "2026-11-22T16:14:59.999Z", "2026-11-22T16:15:00Z"},
    {"*/15 * * * *", "", "2026-11-22T16:15:00Z", "2026-11-22T16:30:00Z"},
    {"30 2 * * *", "", "2026-11-22T02:30:00Z", "2026-11-23T02:30:00Z"},
    {"0 9 * * mon-fri", "", "2026-11-20T09:00:00Z", "2026-11-23T09:00:00Z"},
    {"0 9 * * MON,wed", "", "2026-11-23T09:00:00Z", "2026-11-25T09:00:00Z"},
    {"0 0 * * 7", "", "2026-11-16T00:00:00Z", "2026-11-22T00:00:00Z"},
    {"0 0 * * sat-sun", "", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"},
    {"0 0 29 2 *", "", "2026-11-22T00:00:00Z", "2028-02-29T00:00:00Z"},
    {"0 0 29 2 *", "", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},
    {"0 0 13 * fri", "", "2026-11-09T00:00:00Z", "2026-11-13T00:00:00Z"}, /* either day */
    {"0 0 13 * fri", "", "2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z"},
    {"0 0 */2 * fri", "", "2026-11-01T00:00:00Z", "2026-11-13T00:00:00Z"}, /* both: it has a star */
    {"0 0 1-31/10 jan,jul *", "", "2026-07-21T00:00:00Z", "2026-07-31T00:00:00Z"},
    {"CRON_TZ=Asia/Kolkata 0 0 * * *", "", "2026-11-22T16:00:00Z", "2026-11-22T18:30:00Z"},
    {"TZ=UTC 0 0 * * *", "", "2026-11-22T16:00:00Z", "2026-11-23T00:00:00Z"},
    /* Berlin: 2026-03-29 02:00 becomes 03:00, 2026-10-25 03:00 becomes 02:00. */
    {"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
    {"30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
    {"0,30 2 * * *", "Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"},
    {"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},
    {"30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
    {"30 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
    {"30 */2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
    {"*/20 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T00:00:00Z"},
    {"0 12 * * *", "Pacific/Apia", "2011-12-29T23:00:00Z", "2011-12-30T10:00:00Z"}, /* no 30th */
    {"0 12 1 7 *", "America/New_York", "2050-01-01T00:00:00Z", "2050-07-01T16:00:00Z"}, /* footer */
    {"0 12 1 1 *", "America/New_York", "2050-01-01T17:00:00Z", "2051-01-01T17:00:00Z"},
    {"0 12 1 1 *", "Europe/Dublin", "2050-01-01T00:00:00Z", "2050-01-01T12:00:00Z"},
    {"0 12 1 7 *", "Europe/Dublin", "2050-01-01T00:00:00Z", "2050-07-01T11:00:00Z"},
    {"0 12 1 1 *", "Australia/Sydney", "2050-01-01T01:00:00Z", "2051-01-01T01:00:00Z"},
};

static void what_is_due_next(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof dues / sizeof *dues; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct schedule s;
        char text[CLOCK_TEXT];
        if (!schedule_parse(&arena, str_from(dues[i].text), str_from(dues[i].zone), 0, &s, &err))
            fail_msg("%s: %s", dues[i].text, err.frame[0]);
        int64_t next = schedule_next(&s, STR("app"), ms(dues[i].after));
        if (next != ms(dues[i].next))
            fail_msg("%s %s after %s: want %s, got %s", dues[i].zone, dues[i].text, dues[i].after,
                     dues[i].next, clock_format(next, text));
    }
}

/* tests/data/schedule/make-vectors made them, by another way and Python's zoneinfo. */
static void another_implementation_says_the_same(void **state)
{
    AUTO_ARENA arena = {.limit = 1 << 24};
    struct str all, line, field[4];
    size_t n = 0;
    (void)state;
    struct str path = arena_printf(&arena, "%s/tests/data/schedule/vectors.tsv",
                                   getenv("PLUMB_ROOT") ? getenv("PLUMB_ROOT") : ".");
    assert_true(io_read_file(&arena, path.ptr, 1 << 20, &all, NULL));
    for (; all.len; n++) {
        struct arena_mark mark = arena_mark(&arena);
        struct schedule s;
        char text[CLOCK_TEXT];
        (void)str_cut(&all, '\n', &line);
        for (size_t i = 0; i < 4; i++)
            (void)str_cut(&line, '\t', &field[i]);
        int64_t after = 0, want = 0;
        assert_true(clock_parse(field[2], &after) && clock_parse(field[3], &want));
        assert_true(schedule_parse(&arena, field[1], field[0], 0, &s, NULL));
        int64_t next = schedule_next(&s, STR("x"), after);
        if (next != want)
            fail_msg("%.*s %.*s after %.*s: want %.*s, got %s", STR_ARG(field[0]),
                     STR_ARG(field[1]), STR_ARG(field[2]), STR_ARG(field[3]),
                     clock_format(next, text));
        arena_rewind(&arena, mark);
    }
    assert_true(n > 400);
}

static const struct {
    const char *text, *zone, *message;
} bad[] = {
    {"", "", "is no schedule"},
    {"sometimes", "", "'sometimes' is no schedule: hourly"},
    {"@reboot", "", "after @ stands hourly"},
    {"0", "", "a duration is from 1s"},
    {"500ms", "", "a duration is from 1s"},
    {"9999999d", "", "a duration is from 1s"},
    {"* * * *", "", "five cron fields"},
    {"* * * * * *", "", "five cron fields"},
    {"60 * * * *", "", "minute '60': want 0 to 59"},
    {"* 24 * * *", "", "hour '24': want 0 to 23"},
    {"* * 0 * *", "", "day of the month '0': want 1 to 31"},
    {"* * * 13 *", "", "month '13': want 1 to 12 or a name"},
    {"* * * * 8", "", "day of the week '8': want 0 to 7 or a name"},
    {"* * * * fry", "", "day of the week 'fry'"},
    {"* * * * janfeb", "", "day of the week 'janfeb'"},
    {"*/0 * * * *", "", "a step is a number from 1"},
    {"5/15 * * * *", "", "a step stands behind * or a range"},
    {"30-10 * * * *", "", "the range ends before it begins"},
    {"1,,2 * * * *", "", "minute ''"},
    {"1- * * * *", "", "minute '1-'"},
    {"-1 * * * *", "", "minute '-1'"},
    {"0 0 30 2 *", "", "never comes"},
    {"0 0 31 4,jun *", "", "never comes"},
    {"0 0 L * *", "", "day of the month 'L'"},
    {"CRON_TZ= 0 0 * * *", "", "without a time zone"},
    {"CRON_TZ=Europe/Berlin", "", "is no schedule"},
    {"CRON_TZ=Europe/Berlin daily", "Europe/Paris", "two time zones"},
    {"daily", "Europe/Berln", "there is no time zone 'Europe/Berln'"},
    {"daily", "../../../etc/passwd", "is no time zone"},
    {"daily", "/etc/passwd", "is no time zone"},
    {"daily", "Europe", "there is no time zone 'Europe'"},
};

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct schedule s;
        assert_false(
            schedule_parse(&arena, str_from(bad[i].text), str_from(bad[i].zone), 0, &s, &err));
        if (!strstr(err.frame[0], bad[i].message))
            fail_msg("'%s': want '%s' in '%s'", bad[i].text, bad[i].message, err.frame[0]);
    }
}

static void stacks_are_spread_the_same_everywhere(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    static const char *const texts[] = {"hourly", "1h"};
    for (size_t t = 0; t < 2; t++) {
        struct schedule s;
        unsigned quarter[4] = {0};
        assert_true(
            schedule_parse(&arena, str_from(texts[t]), STR(""), SCHEDULE_JITTER_DEFAULT, &s, NULL));
        int64_t after = ms("2026-11-22T16:00:00Z") - 1;
        for (int i = 0; i < 1000; i++) {
            struct str name = arena_printf(&arena, "stack/%d", i);
            int64_t at = schedule_next(&s, name, after);
            assert_true(at > after && at <= after + 3600000);
            assert_true(schedule_next(&s, name, at) == at + 3600000);
            assert_true(schedule_next(&s, name, at - 1) == at);
            quarter[(at - after - 1) / 900000]++;
        }
        for (int i = 0; i < 4; i++)
            assert_in_range(quarter[i], 200, 300);
        char text[CLOCK_TEXT]; /* this moment for ever, on every machine */
        assert_string_equal(clock_format(schedule_next(&s, STR("infra/app"), after), text),
                            "2026-11-22T16:02:10.688Z");
    }
}

static void nothing_is_due_at_the_end_of_time(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct schedule s = {0};
    assert_true(schedule_next(&s, STR("a"), 0) == SCHEDULE_NEVER);
    assert_true(schedule_parse(&arena, STR("0 0 * * *"), STR("Europe/Berlin"), 0, &s, NULL));
    assert_true(schedule_next(&s, STR("a"), INT64_MAX) == SCHEDULE_NEVER);
    assert_true(schedule_next(&s, STR("a"), INT64_MIN) < 0);
}

/* --- plumb.yaml --- */

static const char yaml[] =
    "version: 1\n"
    "schedules:\n"
    "  - {schedule: 5m, types: [aws_iam_*, aws_kms_key], environment: prod}\n"
    "  - {schedule: 10m, tags: [tier=hot*, critical], name: hot}\n"
    "  - {schedule: hourly, environment: prod, grace: 20m}\n"
    "  - {schedule: '0 3 * * *', stack: legacy/*, jitter: 30m,"
    " time_zone: Europe/Berlin}\n"
    "  - daily\n"
    "windows:\n"
    "  - {opens: '0 9 * * mon-fri', for: 8h, environment: prod}\n"
    "  - {opens: '0 12 * * *', for: 1h, closed: true}\n";

static struct config configured(struct arena *arena, const char *text)
{
    struct err err = {0};
    struct config config = {0};
    if (!config_parse(arena, str_from(text), "plumb.yaml", &config, &err))
        fail_msg("%s", err.frame[err.nframes - 1]);
    return config;
}

static void a_stack_has_the_first_that_fits_and_its_tiers(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 22};
    struct config config = configured(&arena, yaml);
    struct stack prod = {.name = STR("app"), .environment = STR("prod")},
                 legacy = {.name = STR("legacy/x")},
                 own = {.name = STR("own"), .schedule = STR("15m")};
    struct schedule_set set;
    assert_true(schedule_of_stack(&arena, &config, &prod, &set, NULL));
    assert_int_equal(set.n, 3);
    assert_true(str_equal(set.tiers[0].schedule.text, STR("hourly")));
    assert_int_equal(set.tiers[0].grace_ms, 1200000);
    assert_true(str_equal(set.tiers[1].name, STR("type=aws_iam_*,type=aws_kms_key")));
    assert_true(str_equal(set.tiers[2].name, STR("hot")));
    assert_true(schedule_of_stack(&arena, &config, &legacy, &set, NULL));
    assert_int_equal(set.n, 2);
    assert_int_equal(set.tiers[0].schedule.jitter_ms, 1800000);
    assert_true(str_equal(set.tiers[0].schedule.zone->name, STR("Europe/Berlin")));
    assert_true(schedule_of_stack(&arena, &config, &own, &set, NULL));
    assert_true(str_equal(set.tiers[0].schedule.text, STR("15m")));
    struct schedule_tier again;
    assert_true(schedule_of_stack(&arena, &config, &legacy, &set, NULL));
    struct str spec = schedule_tier_spec(&arena, &set.tiers[0]);
    assert_true(
        str_equal(spec, STR("CRON_TZ=Europe/Berlin 0 3 * * *; jitter 1800000ms; grace 0ms")));
    assert_true(schedule_tier_from_spec(&arena, spec, &again, NULL));
    assert_true(schedule_next(&again.schedule, STR("x"), 0) ==
                schedule_next(&set.tiers[0].schedule, STR("x"), 0));
    assert_true(str_equal(schedule_tier_spec(&arena, &again), spec));
    assert_false(schedule_tier_from_spec(&arena, STR("daily"), &again, NULL));
    config.nschedules = 0;
    assert_true(schedule_of_stack(&arena, &config, &prod, &set, NULL));
    assert_int_equal(set.n, 1);
    assert_int_equal(set.tiers[0].schedule.kind, SCHEDULE_NONE);
}

static void hot_is_what_has_the_type_or_the_tag(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 22};
    struct config config = configured(&arena, yaml);
    struct stack prod = {.name = STR("app"), .environment = STR("prod")};
    struct schedule_set set;
    struct value v;
    assert_true(schedule_of_stack(&arena, &config, &prod, &set, NULL));
    assert_true(json_parse(&arena, STR("{\"tags\":{\"tier\":\"hotter\"},\"labels\":{\"x\":\"1\"}}"),
                           "t", 0, &v, NULL));
    assert_true(schedule_tier_covers(&set.tiers[0], STR("x"), NULL));
    assert_true(schedule_tier_covers(&set.tiers[1], STR("aws_iam_role"), NULL));
    assert_false(schedule_tier_covers(&set.tiers[1], STR("aws_instance"), &v));
    assert_true(schedule_tier_covers(&set.tiers[2], STR("aws_instance"), &v));
    assert_true(json_parse(&arena, STR("{\"tags\":null,\"labels\":{\"critical\":null}}"), "t", 0,
                           &v, NULL));
    assert_true(schedule_tier_covers(&set.tiers[2], STR("aws_instance"), &v));
    assert_true(json_parse(&arena, STR("{\"tags\":{\"tier\":\"cold\"}}"), "t", 0, &v, NULL));
    assert_false(schedule_tier_covers(&set.tiers[2], STR("aws_instance"), &v));
}

static const struct {
    const char *environment, *now, *until;
    bool open;
} looks[] = {
    {"prod", "2026-11-23T09:00:00Z", "2026-11-23T12:00:00Z", true},
    {"prod", "2026-11-23T12:30:00Z", "2026-11-23T13:00:00Z", false},
    {"prod", "2026-11-23T13:00:00Z", "2026-11-23T17:00:00Z", true},
    {"prod", "2026-11-23T17:00:00Z", "2026-11-24T09:00:00Z", false},
    {"dev", "2026-11-23T01:00:00Z", "2026-11-23T12:00:00Z", true},
    {"dev", "2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z", false},
};

static void windows_open_and_close(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 22};
    struct config config = configured(&arena, yaml);
    assert_int_equal(config.nnotes, 1); /* windows: without effect yet */
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        struct stack stack = {.name = STR("app"), .environment = str_from(looks[i].environment)};
        struct schedule_window got;
        char text[CLOCK_TEXT];
        assert_true(schedule_window_at(&arena, &config, &stack, ms(looks[i].now), &got, NULL));
        assert_int_equal(got.open, looks[i].open);
        assert_string_equal(clock_format(got.until_utc_ms, text), looks[i].until);
    }
    config.nwindows = 0;
    struct stack stack = {.name = STR("app")};
    struct schedule_window got;
    assert_true(schedule_window_at(&arena, &config, &stack, 0, &got, NULL));
    assert_true(got.open && got.until_utc_ms == SCHEDULE_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_due_next),
        cmocka_unit_test(another_implementation_says_the_same),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(stacks_are_spread_the_same_everywhere),
        cmocka_unit_test(nothing_is_due_at_the_end_of_time),
        cmocka_unit_test(a_stack_has_the_first_that_fits_and_its_tiers),
        cmocka_unit_test(hot_is_what_has_the_type_or_the_tag),
        cmocka_unit_test(windows_open_and_close),
    };
    return cmocka_run_group_tests_name("model/schedule", tests, NULL, NULL);
}
