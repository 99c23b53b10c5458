/* test_when.c - conditions of receivers: what holds, and where what is wrong stands. */
#include "base/test.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/when.h"
#include "respond/notify.h"
#include "wire/json.h"

static bool asks(const char *text, bool *ret)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    const struct when *when = NULL;
    struct err err = {0};
    struct value tags = {0};
    size_t at = 0;
    assert_true(
        json_parse(&arena, STR("{\"team\": \"net ops\"}"), "tags", JSON_DEFAULT, &tags, &err));
    struct when_subject subject = {.severity = SEVERITY_HIGH, .tags = &tags};
    subject.text[WHEN_CLASS] = STR("missing");
    subject.text[WHEN_STACK] = STR("prod-eu");
    subject.text[WHEN_ENVIRONMENT] = STR("prod");
    subject.text[WHEN_OWNER] = STR("@net @web/team");
    subject.text[WHEN_ADDRESS] = STR("aws_instance.web[0]");
    subject.text[WHEN_ACTOR] = STR("uid 1000 (alice)");
    subject.text[WHEN_STATUS] = STR("new");
    if (!when_parse(&arena, str_from(text), &when, &at, &err))
        return false;
    *ret = when_holds(when, &subject);
    return true;
}

static void conditions_hold(void **state)
{
    static const struct {
        const char *text;
        bool holds;
    } cases[] = {
        {"severity >= high", true},
        {"severity > high", false},
        {"severity<critical and severity!=low", true},
        {"severity in [low, high]", true},
        {"severity = critical or class = missing", true},
        {"severity = critical or class = missing and stack = x", false},
        {"(severity = critical or class = missing) and stack = prod-*", true},
        {"not class in [unchecked, state-only]", true},
        {"class not in [missing]", false},
        {"not not class = missing", true},
        {"env = prod", true},
        {"owner = @web/*", true},
        {"owner = @net", true},
        {"owner != @net", false},
        {"owner = net", false},
        {"address = 'aws_instance.web[0]'", true},
        {"address = aws_instance.*", true},
        {"actor = alice", true},
        {"actor = \"uid 1000 *\"", true},
        {"decision = block", false},
        {"decision != block", true},
        {"rule = *", false},
        {"tag.team = \"net ops\"", true},
        {"tag.team = *", true},
        {"tag.cost = *", false},
        {"tag.cost != *", true},
        {"status in [new, changed]", true},
        {"always", true},
        {"never", false},
        {"always and not never", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool holds = false;
        print_message("  %s\n", cases[i].text);
        assert_true(asks(cases[i].text, &holds));
        assert_int_equal(holds, cases[i].holds);
    }
}

static void what_is_wrong_has_its_place(void **state)
{
    static const struct {
        const char *text, *message;
        size_t at;
    } cases[] = {
        {"", "want a field such as severity, got the end", 0},
        {"severity", "want =, !=, in, not in", 8},
        {"severity >= hihg", "got 'hihg'", 12},
        {"sverity = high", "did you mean severity?", 0},
        {"class < missing", "only severity has an order", 6},
        {"class = nonsense", "want a class", 8},
        {"status = open", "want new, changed", 9},
        {"(severity = high", "want `and`, `or` or )", 16},
        {"severity = high class = missing", "want `and` or `or`", 16},
        {"stack in a", "want a list", 9},
        {"stack in [a b]", "want , or ]", 12},
        {"stack = ]", "want a value", 8},
        {"stack = 'a", "a quote that does not end", 8},
        {"tag = a", "want a field", 0},
        {"'stack' = a", "want a field", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        const struct when *when = NULL;
        struct err err = {0};
        size_t at = 99;
        print_message("  %s\n", cases[i].text);
        assert_false(when_parse(&arena, str_from(cases[i].text), &when, &at, &err));
        assert_non_null(strstr(err.frame[0], cases[i].message));
        assert_int_equal(at, cases[i].at);
    }
}

static void deep_and_long_ones_end(void **state)
{
    AUTO_ARENA arena = {.limit = 1 << 24};
    const struct when *when = NULL;
    char text[WHEN_BYTES_MAX + 2];
    size_t at;
    (void)state;
    memset(text, '(', sizeof text);
    assert_false(when_parse(&arena, (struct str){text, 1000}, &when, &at, NULL));
    assert_false(when_parse(&arena, (struct str){text, sizeof text}, &when, &at, NULL));
    for (size_t i = 0; i + 4 <= WHEN_BYTES_MAX; i += 4)
        memcpy(text + i, "not ", 4);
    assert_false(when_parse(&arena, (struct str){text, WHEN_BYTES_MAX}, &when, &at, NULL));
}

/* The words of `status` are those of alerts. */
static void statuses_are_those_of_alerts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ALERT_STATUS_COUNT; i++) {
        bool holds, ok = i != ALERT_TEST;
        char text[64];
        (void)snprintf(text, sizeof text, "status = %s", alert_status_name((enum alert_status)i));
        assert_int_equal(asks(text, &holds), ok);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_hold),
        cmocka_unit_test(what_is_wrong_has_its_place),
        cmocka_unit_test(deep_and_long_ones_end),
        cmocka_unit_test(statuses_are_those_of_alerts),
    };
    return cmocka_run_group_tests_name("model/when", tests, NULL, NULL);
}
