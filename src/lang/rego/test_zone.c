/* test_zone.c - time zones at moments on both sides of their changes; the calendar. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "base/arena.h"
#include "lang/rego/zone.h"

static const struct {
    const char *zone;
    int64_t utc;
    int offset;
    const char *name;
} moments[] = {
    {"", 0, 0, "UTC"},
    {"UTC", 1700000000, 0, "UTC"},
    {"Local", 1700000000, 0, "UTC"},
    {"Europe/Berlin", 1711846799, 3600, "CET"}, /* the second before summer time 2024 */
    {"Europe/Berlin", 1711846800, 7200, "CEST"},
    {"Europe/Berlin", 1729990799, 7200, "CEST"},
    {"Europe/Berlin", 1729990800, 3600, "CET"},
    {"America/New_York", 1705322096, -18000, "EST"},
    {"America/New_York", 1720000000, -14400, "EDT"},
    {"Asia/Kolkata", 1700000000, 19800, "IST"},
    {"Australia/Sydney", 1705322096, 39600, "AEDT"},
    {"Europe/Berlin", 4118000000, 7200, "CEST"}, /* 2100: by the rule behind the table */
    {"Europe/Berlin", -3000000000, 3208, "LMT"}, /* 1874: before the table */
};

static void offsets_at_moments(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof moments / sizeof *moments; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        const struct zone *zone = zone_open(&arena, str_from(moments[i].zone));
        struct str name;
        assert_non_null(zone);
        int offset = zone_offset(zone, moments[i].utc, &name);
        if (offset != moments[i].offset || !str_equal(name, str_from(moments[i].name)))
            fail_msg("%s at %lld: %d %.*s", moments[i].zone, (long long)moments[i].utc, offset,
                     STR_ARG(name));
    }
}

static void names_that_are_no_zone(void **state)
{
    (void)state;
    static const char *const names[] = {"Nowhere/Atall", "../../../../etc/passwd", "/etc/passwd",
                                        "Europe",        "Europe/Berlin/../Paris", "Europe/"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        if (zone_open(&arena, str_from(names[i])))
            fail_msg("%s", names[i]);
    }
}

static void the_calendar_both_ways(void **state)
{
    (void)state;
    for (int64_t t = -70000000000; t < 300000000000; t += 86400 * 17 + 12345) {
        struct civil c = civil_from(t);
        assert_int_equal(civil_seconds(c.year, c.month, c.day, c.hour, c.minute, c.second), t);
        assert_true(c.month >= 1 && c.month <= 12 && c.day >= 1 && c.day <= 31);
    }
    struct civil c = civil_from(951782400); /* 2000-02-29, a Tuesday */
    assert_true(c.year == 2000 && c.month == 2 && c.day == 29 && c.weekday == 2);
    assert_int_equal(civil_seconds(2023, 13, 1, 0, 0, 0), civil_seconds(2024, 1, 1, 0, 0, 0));
    assert_int_equal(civil_seconds(2024, 2, 30, 0, 0, 0), civil_seconds(2024, 3, 1, 0, 0, 0));
    assert_int_equal(civil_seconds(2024, 1, 1, 0, 0, -1), civil_seconds(2023, 12, 31, 23, 59, 59));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(offsets_at_moments),
                                       cmocka_unit_test(names_that_are_no_zone),
                                       cmocka_unit_test(the_calendar_both_ways)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
