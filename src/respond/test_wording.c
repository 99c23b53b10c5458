/* test_wording.c - lines, links and facts of an alert, and how much of it one message holds. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "respond/test_alert.h"
#include "respond/wording.h"

static void a_line_is_short_and_harmless(void **state)
{
    static const struct {
        const char *text;
        size_t most;
        const char *want;
    } cases[] = {
        {"abc", 3, "abc"},
        {"abcdefgh", 6, "abc..."},
        {"", 5, ""},
        {"a\nb\x1b", 40, "a\\nb\\u001b"},
        {"\xe2\x82\xac\xe2\x82\xac", 5, "..."},
        {"\xe2\x82\xac\xe2\x82\xac", 6, "\xe2\x82\xac\xe2\x82\xac"},
        {"\x1b\x1b", 8, "\\u001..."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 16};
        struct str got = wording_line(&arena, str_from(cases[i].text), cases[i].most);
        assert_string_equal(got.ptr, cases[i].want);
    }
}

static void only_a_plain_link_is_one(void **state)
{
    static const char *const good[] = {"https://h/a?b=c#L1", "http://h:8080/~x/%20"};
    static const char *const bad[] = {"",
                                      "ftp://h/",
                                      "javascript:x",
                                      "https://h/a b",
                                      "https://h/<a>",
                                      "https://h/a|b",
                                      "https://h/a)b",
                                      "https://h/\"",
                                      "https://h/\n",
                                      "https://h/\xc3\xa4",
                                      " https://h/",
                                      "https://h/`"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_string_equal(wording_link(str_from(good[i])).ptr, good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (wording_link(str_from(bad[i])).len)
            fail_msg("%s", bad[i]);
}

static struct str fact(const struct fact *facts, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(facts[i].name, name) == 0)
            return facts[i].text;
    return (struct str){0};
}

static void who_it_was_is_always_told(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 16};
    struct fact facts[WORDING_FACTS];
    struct alert_finding f = {.address = STR("x.y"), .stack = STR("s")};
    size_t n = wording_facts(&arena, &f, 200, facts);
    assert_string_equal(fact(facts, n, "Changed by").ptr, "not known");
    assert_null(fact(facts, n, "Rule").ptr);
    assert_null(fact(facts, n, "Code").ptr);
    f.actor_how = STR("no audit source for this account");
    n = wording_facts(&arena, &f, 200, facts);
    assert_string_equal(fact(facts, n, "Changed by").ptr,
                        "not known: no audit source for this account");
    f.actor = STR("alice");
    f.actor_how = STR("");
    f.source_ip = STR("192.0.2.1");
    n = wording_facts(&arena, &f, 200, facts);
    assert_string_equal(fact(facts, n, "Changed by").ptr, "alice, from 192.0.2.1");
    f.session = STR("admin\nsudo");
    f.client = STR("psql 15");
    f.actor_utc_ms = TEST_NOW_S * INT64_C(1000);
    f.event = STR("42");
    n = wording_facts(&arena, &f, 200, facts);
    assert_string_equal(fact(facts, n, "Changed by").ptr,
                        "alice, session admin\\nsudo, psql 15, from 192.0.2.1, at "
                        "2026-11-22T10:00:00Z, event 42");
    char long_text[2000]; /* of whoever sends events */
    memset(long_text, 'x', sizeof long_text);
    f.session = f.client = (struct str){long_text, sizeof long_text};
    n = wording_facts(&arena, &f, 300, facts);
    assert_true(str_ends(fact(facts, n, "Changed by"), STR("00Z, event 42")));
    f = (struct alert_finding){
        .actor = STR("alice"), .actor_how = STR("cloudtrail"), .perhaps = true};
    n = wording_facts(&arena, &f, 300, facts);
    assert_string_equal(fact(facts, n, "Changed by").ptr, "alice (perhaps) (cloudtrail)");
    struct test_alert t;
    test_alert_fill(&t, ALERT_NEW, 1);
    n = wording_facts(&arena, t.finding, 200, facts);
    assert_true(n <= WORDING_FACTS);
    assert_string_equal(fact(facts, n, "Code").ptr, "modules/vpc/sg.tf:41");
    assert_string_equal(fact(facts, n, "Rule").ptr, "net/public (policies/net.yaml:3): block");
}

static void changes_say_what_was_not_there(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 16};
    const struct alert_change c = {.path = STR("a"), .after = STR("b")};
    assert_string_equal(wording_change(&arena, &c, 50).ptr, "a: (none) -> b");
    assert_string_equal(wording_more(&arena, 1, "finding").ptr, "and 1 more finding");
    assert_string_equal(wording_more(&arena, 2, "finding").ptr, "and 2 more findings");
    assert_int_equal(wording_more(&arena, 0, "finding").len, 0);
}

/* A hundred bytes for each finding, ten for each change. */
static void write_sized(struct buf *out, const struct alert *alert, const struct told *told,
                        void *ctx)
{
    size_t *calls = ctx;
    (void)alert;
    ++*calls;
    for (size_t i = 0; i < told->findings * (100 + 10 * told->changes); i++)
        buf_char(out, 'x');
}

static void the_fullest_text_that_fits_is_taken(void **state)
{
    static const struct {
        size_t findings, findings_most, most, want, calls;
    } cases[] = {
        {5, 0, 10000, 5 * 300, 1},
        {5, 2, 10000, 2 * 300, 1},
        {50, 0, 10000, 10 * 300, 1},
        {50, SIZE_MAX, 20000, 50 * 300, 1},
        {50, SIZE_MAX, 12000, 50 * 200, 2},
        {50, SIZE_MAX, 2000, 10 * 130, 4},
        {50, 0, 130, 120, 7},
        {50, 0, 100, 100, 8},
        {0, 0, 0, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct alert alert = {.nfindings = cases[i].findings};
        struct str got;
        size_t calls = 0;
        assert_true(wording_fit(&arena, &alert, cases[i].findings_most, cases[i].most, write_sized,
                                &calls, &got, &err));
        assert_int_equal(got.len, cases[i].want);
        assert_int_equal(calls, cases[i].calls);
    }
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct alert alert = {.id = STR("a1"), .nfindings = 1};
    struct str got;
    size_t calls = 0;
    assert_false(wording_fit(&arena, &alert, 0, 99, write_sized, &calls, &got, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_short_and_harmless),
        cmocka_unit_test(only_a_plain_link_is_one),
        cmocka_unit_test(who_it_was_is_always_told),
        cmocka_unit_test(changes_say_what_was_not_there),
        cmocka_unit_test(the_fullest_text_that_fits_is_taken),
    };
    return cmocka_run_group_tests_name("respond/wording", tests, NULL, NULL);
}
