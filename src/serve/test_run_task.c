/* test_run_task.c - run tasks as they come, signatures, and that nobody is called elsewhere. */
#include "base/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "serve/run_task.h"
#include "serve/secrets.h"
#include "wire/json.h"

#define BASE "https://app.terraform.io"
#define TASK(callback, plan) \
    "{\"stage\":\"post_plan\",\"access_token\":\"t\",\"workspace_name\":\"w\"," \
    "\"task_result_callback_url\":\"" callback "\",\"plan_json_api_url\":\"" plan "\"}"

static const struct {
    const char *says, *text;
    enum err_kind kind;
    bool test;
} cases[] = {
    {"as it comes", TASK(BASE "/r", BASE "/p"), ERR_NONE, false},
    {"before there is a plan", TASK(BASE "/r", ""), ERR_NONE, false},
    {"when it is set up", "{\"stage\":\"test\",\"access_token\":\"test-token\"}", ERR_NONE, true},
    {"a callback elsewhere", TASK("https://example.com/r", BASE "/p"), ERR_USAGE, false},
    {"no callback", TASK("", BASE "/p"), ERR_USAGE, false},
    {"a plan elsewhere", TASK(BASE "/r", "http://169.254.169.254/"), ERR_USAGE, false},
    {"a host that only begins alike", TASK(BASE ".evil.example/r", ""), ERR_USAGE, false},
    {"a user before another host", TASK(BASE "@evil.example/r", ""), ERR_USAGE, false},
    {"a blank in it", TASK(BASE "/r x", ""), ERR_USAGE, false},
    {"no token", "{\"stage\":\"post_plan\"}", ERR_SYNTAX, false},
    {"a line break in the token", "{\"stage\":\"post_plan\",\"access_token\":\"a\\r\\nHost: b\"}",
     ERR_SYNTAX, false},
    {"no object", "[]", ERR_SYNTAX, false},
    {"nothing", "", ERR_SYNTAX, false},
};

static void run_tasks_are_read_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct run_task task = {0};
        struct err err = {0};
        print_message("  %s\n", cases[i].says);
        bool ok = run_task_parse(&arena, str_from(cases[i].text), STR(BASE), &task, &err);
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(ok, cases[i].kind == ERR_NONE);
        assert_int_equal(task.is_test, cases[i].test);
    }
}

static void what_could_not_be_judged_fails(void **state)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    AUTO_BUF out = {.limit = 1 << 20};
    struct value v = {0};
    (void)state;
    run_task_print(&out, NULL, "no plan", STR("https://plumb.example.com"), true);
    assert_true(json_parse(&arena, buf_view(&out), "result", JSON_DEFAULT, &v, NULL));
    const struct value *attributes = value_get(value_get(&v, STR("data")), STR("attributes"));
    assert_true(str_equal(value_get_string(attributes, STR("status")), STR("failed")));
    assert_true(str_equal(value_get_string(attributes, STR("message")), STR("no plan")));
    assert_null(value_get(value_get(&v, STR("data")), STR("relationships")));
}

/* RFC 4231, test case 2. */
static void signatures_are_compared_whole(void **state)
{
    const struct str key = STR("Jefe"), bytes = STR("what do ya want for nothing?");
    const struct str sha256 =
        STR("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    const struct str sha512 =
        STR("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
    (void)state;
    assert_true(secret_signed(SECRET_SHA256, key, bytes, sha256));
    assert_true(secret_signed(SECRET_SHA512, key, bytes, sha512));
    assert_false(secret_signed(SECRET_SHA256, key, bytes, sha512));
    assert_false(secret_signed(SECRET_SHA512, key, bytes, str_sub(sha512, 0, 64)));
    assert_false(secret_signed(SECRET_SHA256, STR("other"), bytes, sha256));
    assert_false(secret_signed(SECRET_SHA256, STR(""), bytes, sha256));
    assert_false(secret_signed(SECRET_SHA256, key, bytes, STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_tasks_are_read_or_refused),
        cmocka_unit_test(what_could_not_be_judged_fails),
        cmocka_unit_test(signatures_are_compared_whole),
    };
    return cmocka_run_group_tests_name("serve/run_task", tests, NULL, NULL);
}
