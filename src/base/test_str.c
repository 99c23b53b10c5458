/* test_str.c - views, errors, globs and the clock: small things that everything leans on. */
#include "base/test.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/glob.h"
#include "base/str.h"

static const struct str none = {0};

static void views_compare(void **state)
{
    (void)state;
    static const char *const sorted[] = {"", "a", "aa", "ab", "b", "\x80"};
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++) {
            struct str a = str_from(sorted[i]), b = str_from(sorted[j]);
            int got = str_compare(a, b);
            assert_int_equal((got > 0) - (got < 0), (i > j) - (i < j));
            assert_int_equal(str_equal(a, b), i == j);
            assert_int_equal(str_compare_qsort(&a, &b), got);
        }
    assert_true(str_equal(none, STR("")));
    assert_int_equal(str_compare(none, STR("")), 0);
    assert_null(str_from(NULL).ptr);
    assert_true(str_starts(STR("abc"), STR("ab")) && str_starts(STR("abc"), none));
    assert_false(str_starts(STR("ab"), STR("abc")));
    assert_true(str_ends(STR("abc"), STR("bc")) && str_ends(none, none));
    assert_false(str_ends(STR("bc"), STR("abc")));
}

static void views_are_cut(void **state)
{
    (void)state;
    assert_true(str_equal(str_sub(STR("abcd"), 1, 3), STR("bc")));
    assert_true(str_equal(str_sub(STR("abcd"), 2, 99), STR("cd")));
    assert_int_equal(str_sub(STR("abcd"), 9, 99).len, 0);
    assert_int_equal(str_sub(STR("abcd"), 3, 1).len, 0);
    assert_int_equal(str_sub(none, 0, 5).len, 0);
    assert_true(str_equal(str_trim(STR(" \t\r\n\v\fa b \n")), STR("a b")));
    assert_int_equal(str_trim(STR("  ")).len, 0);
    assert_int_equal(str_trim(none).len, 0);
    struct str rest = STR("a=b=c"), head;
    assert_true(str_cut(&rest, '=', &head));
    assert_true(str_equal(head, STR("a")) && str_equal(rest, STR("b=c")));
    assert_true(str_cut(&rest, '=', &head) && str_equal(head, STR("b")));
    assert_false(str_cut(&rest, '=', &head));
    assert_true(str_equal(head, STR("c")));
    assert_int_equal(rest.len, 0);
    assert_false(str_cut(&rest, '=', &head));
    assert_int_equal(head.len, 0);
}

static void views_are_searched(void **state)
{
    (void)state;
    assert_int_equal(str_find(STR("abcabc"), STR("bc"), 0), 1);
    assert_int_equal(str_find(STR("abcabc"), STR("bc"), 2), 4);
    assert_true(str_find(STR("abcabc"), STR("bc"), 5) == SIZE_MAX);
    assert_true(str_find(STR("abc"), STR("abcd"), 0) == SIZE_MAX);
    assert_true(str_find(STR("abc"), STR(""), 3) == 3);
    assert_true(str_find(STR("abc"), STR(""), 4) == SIZE_MAX);
    assert_true(str_find(none, STR("a"), 0) == SIZE_MAX);
    assert_true(str_find_char(none, 'a', 0) == SIZE_MAX);
    assert_int_equal(str_find_char(STR("a\0b"), 'b', 0), 2);
}

static void integers_are_read_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        int64_t want;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"12", true, 12},
        {"-12", true, -12},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {"1 ", false, 0},
        {"1x", false, 0},
        {"--1", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t got = 42;
        assert_int_equal(str_to_int64(str_from(cases[i].text), &got), cases[i].ok);
        assert_int_equal(got, cases[i].ok ? cases[i].want : 42);
    }
}

static void the_nearest_word_is_near(void **state)
{
    (void)state;
    static const struct str words[] = {STR_INIT("output"), STR_INIT("stack"), STR_INIT("ignore"),
                                       STR_INIT("ignored")};
    assert_true(str_equal(str_nearest(STR("ouput"), words, 4), STR("output")));
    assert_true(str_equal(str_nearest(STR("stacks"), words, 4), STR("stack")));
    assert_true(str_equal(str_nearest(STR("ignored"), words, 4), STR("ignored")));
    assert_null(str_nearest(STR("zzzz"), words, 4).ptr);
    assert_null(str_nearest(STR("x"), words, 0).ptr);
    char longest[200];
    memset(longest, 'o', sizeof longest);
    assert_null(str_nearest((struct str){longest, sizeof longest}, words, 4).ptr);
    struct str vast = {longest, sizeof longest};
    assert_null(str_nearest(STR("output"), &vast, 1).ptr);
}

static void errors_tell_the_way(void **state)
{
    (void)state;
    char text[100];
    struct err err = {0};
    assert_false(err_set(&err, ERR_IO, "open %s", "x"));
    assert_false(err_wrap(&err, "plan"));
    assert_false(err_wrap(&err, "gate %d", 1));
    assert_int_equal(err.kind, ERR_IO);
    assert_string_equal(err_text(&err, text, sizeof text), "gate 1: plan: open x");
    assert_string_equal(err_text(&err, text, 12), "gate 1: ...");
    assert_string_equal(err_text(&err, text, 1), "");
    assert_false(err_set(&err, ERR_LIMIT, "again: %s", err.frame[0])); /* its own text */
    assert_string_equal(err_text(&err, text, sizeof text), "again: open x");
    for (int i = 0; i < 20; i++)
        (void)err_wrap(&err, "%d", i);
    assert_int_equal(err.nframes, ERR_FRAMES_MAX);
    err_clear(&err);
    assert_int_equal(err.kind, ERR_NONE);
    assert_string_equal(err_text(&err, text, sizeof text), "");
    assert_false(err_set(NULL, ERR_IO, "x"));
    assert_false(err_wrap(NULL, "x"));
    err_clear(NULL);
}

static void long_errors_end_between_characters(void **state)
{
    (void)state;
    char e_acute[2 * ERR_TEXT_MAX + 1];
    for (unsigned shift = 0; shift < 2; shift++) {
        struct err err = {0};
        for (size_t i = 0; i < ERR_TEXT_MAX; i++)
            memcpy(e_acute + 2 * i, "\xc3\xa9", 3);
        (void)err_set(&err, ERR_IO, "%s%s", shift ? "x" : "", e_acute);
        size_t len = strlen(err.frame[0]);
        assert_in_range(len, ERR_TEXT_MAX - 3, ERR_TEXT_MAX - 1);
        assert_string_equal(err.frame[0] + len - 3, "...");
        assert_int_equal((unsigned char)err.frame[0][len - 4], 0xa9);
    }
}

static void globs_match(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        char separator;
        bool matches;
    } cases[] = {
        {"", "", '/', true},
        {"", "a", '/', false},
        {"*", "", '/', true},
        {"*", "abc", '/', true},
        {"*", "a/b", '/', false},
        {"*", "a/b", '\0', true},
        {"**", "a/b", '/', true},
        {"a/*/c", "a/b/c", '/', true},
        {"a/*/c", "a/b/x/c", '/', false},
        {"a/**/c", "a/b/x/c", '/', true},
        {"**/c", "a/b/c", '/', true},
        {"**/*.tf", "a/b/c.tf", '/', true},
        {"?", "a", '/', true},
        {"?", "/", '/', false},
        {"?", "", '/', false},
        {"a?c*", "abcde", '/', true},
        {"aws_instance.web[0]", "aws_instance.web[0]", '.', true},
        {"aws_instance.*", "aws_instance.web[\"a.b\"]", '\0', true},
        {"module.*.aws_x.y", "module.a.aws_x.y", '.', true},
        {"module.*.aws_x.y", "module.a.b.aws_x.y", '.', false},
        {"module.**.aws_x.y", "module.a.b.aws_x.y", '.', true},
        {"a\\*b", "a*b", '/', true},
        {"a\\*b", "axb", '/', false},
        {"a\\?", "a?", '/', true},
        {"a\\\\", "a\\", '/', true},
        {"a\\", "a\\", '/', true},
        {"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", '/', false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (glob_match(str_from(cases[i].pattern), str_from(cases[i].text), cases[i].separator) !=
            cases[i].matches)
            fail_msg("%s and %s", cases[i].pattern, cases[i].text);
    assert_true(glob_is_pattern(STR("a*")) && glob_is_pattern(STR("?")));
    assert_false(glob_is_pattern(STR("a[0]\\*")) || glob_is_pattern(none));
}

/* The definition, by trying everything. */
static bool matches_by_definition(const char *p, const char *t)
{
    if (!*p)
        return !*t;
    if (p[0] == '*') {
        bool deep = p[1] == '*';
        for (const char *rest = p + (deep ? 2 : 1);; t++) {
            if (matches_by_definition(rest, t))
                return true;
            if (!*t || (!deep && *t == '/'))
                return false;
        }
    }
    return *t && (*p == '?' ? *t != '/' : *p == *t) && matches_by_definition(p + 1, t + 1);
}

static void globs_match_by_definition(void **state)
{
    (void)state;
    static const char pattern_letters[] = "ab/*?*", text_letters[] = "ab/a";
    uint64_t seed = 88172645463325252u;
    for (unsigned round = 0; round < 200000; round++) {
        char pattern[8] = "", text[10] = "";
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        uint64_t bits = seed;
        for (unsigned i = 0; i < seed % 8; i++, bits >>= 3)
            pattern[i] = pattern_letters[(bits & 7) % 6];
        for (unsigned i = 0; i < (seed >> 40) % 10; i++, bits >>= 2)
            text[i] = text_letters[bits & 3];
        if (strstr(pattern, "***"))
            continue;
        if (glob_match(str_from(pattern), str_from(text), '/') !=
            matches_by_definition(pattern, text))
            fail_msg("%s and %s", pattern, text);
    }
}

static void times_are_printed_and_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t utc_ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-22T01:41:00Z", 1795311660000},
        {"2024-02-29T23:59:59.999Z", 1709251199999},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"1969-12-31T23:59:59.001Z", -999},
        {"0000-01-01T00:00:00Z", -62167219200000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    char text[CLOCK_TEXT];
    int64_t got;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(clock_format(cases[i].utc_ms, text), cases[i].text);
        assert_true(clock_parse(str_from(cases[i].text), &got));
        assert_int_equal(got, cases[i].utc_ms);
    }
    assert_string_equal(clock_format(INT64_MIN, text), "0000-01-01T00:00:00Z");
    assert_string_equal(clock_format(INT64_MAX, text), "9999-12-31T23:59:59.999Z");
    for (int64_t day = -800000; day < 800000; day += 61) { /* there and back over 4,000 years */
        assert_true(clock_parse(str_from(clock_format(day * 86400000, text)), &got));
        if (day * 86400000 >= -62167219200000)
            assert_int_equal(got, day * 86400000);
    }
    assert_true(clock_wall_ms() > 1700000000000);
    int64_t before = clock_monotonic_ms();
    assert_true(clock_monotonic_ms() >= before);
}

static void other_times(void **state)
{
    (void)state;
    static const struct {
        const char *text, *same; /* NULL: not a time */
    } cases[] = {
        {"2026-12-31", "2026-12-31T00:00:00Z"},
        {"2026-12-31t10:20:30z", "2026-12-31T10:20:30Z"},
        {"2026-12-31 10:20:30+02:00", "2026-12-31T08:20:30Z"},
        {"2026-12-31T23:20:30-01:30", "2027-01-01T00:50:30Z"},
        {"2026-12-31T10:20:30.5Z", "2026-12-31T10:20:30.500Z"},
        {"2026-12-31T10:20:30.123456789Z", "2026-12-31T10:20:30.123Z"},
        {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
        {"", NULL},
        {"2026", NULL},
        {"2026-13-01", NULL},
        {"2026-00-01", NULL},
        {"2026-02-29", NULL},
        {"1900-02-29", NULL},
        {"2026-04-31", NULL},
        {"2026-12-31T", NULL},
        {"2026-12-31T10:20", NULL},
        {"2026-12-31T10:20:30", NULL},
        {"2026-12-31T24:00:00Z", NULL},
        {"2026-12-31T10:60:00Z", NULL},
        {"2026-12-31T10:20:61Z", NULL},
        {"2026-12-31T10:20:30.Z", NULL},
        {"2026-12-31T10:20:30+0200", NULL},
        {"2026-12-31T10:20:30+24:00", NULL},
        {"2026-12-31T10:20:30Zx", NULL},
        {"-026-12-31", NULL},
        {"2026-1-01", NULL},
        {" 2026-12-31", NULL},
    };
    char text[CLOCK_TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t got = 42;
        if (clock_parse(str_from(cases[i].text), &got) != (cases[i].same != NULL))
            fail_msg("%s", cases[i].text);
        if (cases[i].same)
            assert_string_equal(clock_format(got, text), cases[i].same);
        else
            assert_int_equal(got, 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_compare),
        cmocka_unit_test(views_are_cut),
        cmocka_unit_test(views_are_searched),
        cmocka_unit_test(integers_are_read_whole),
        cmocka_unit_test(the_nearest_word_is_near),
        cmocka_unit_test(errors_tell_the_way),
        cmocka_unit_test(long_errors_end_between_characters),
        cmocka_unit_test(globs_match),
        cmocka_unit_test(globs_match_by_definition),
        cmocka_unit_test(times_are_printed_and_read),
        cmocka_unit_test(other_times),
    };
    return cmocka_run_group_tests_name("base/str", tests, NULL, NULL);
}
