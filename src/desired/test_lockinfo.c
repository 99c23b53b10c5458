/* test_lockinfo.c - what clients send with a lock, and the heads of states. */
#include "base/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "desired/lockinfo.h"

static const struct {
    const char *says, *text;
    enum err_kind kind;
    const char *id, *operation;
} infos[] = {
    {"as Terraform sends it",
     "{\"ID\":\"a-1\",\"Operation\":\"OperationTypeApply\",\"Info\":\"\",\"Who\":\"me@here\","
     "\"Version\":\"1.11.4\",\"Created\":\"2026-11-21T23:40:42.7Z\",\"Path\":\"\"}",
     ERR_NONE, "a-1", "OperationTypeApply"},
    {"only an ID", "{\"ID\":\"a\"}", ERR_NONE, "a", ""},
    {"more than is known", "{\"ID\":\"a\",\"New\":[1]}", ERR_NONE, "a", ""},
    {"null is absent", "{\"ID\":\"a\",\"Who\":null}", ERR_NONE, "a", ""},
    {"no ID", "{\"Operation\":\"x\"}", ERR_SYNTAX, "", ""},
    {"empty ID", "{\"ID\":\"\"}", ERR_SYNTAX, "", ""},
    {"a line break in the ID", "{\"ID\":\"a\\nb\"}", ERR_SYNTAX, "", ""},
    {"a number", "{\"ID\":1}", ERR_SYNTAX, "", ""},
    {"a list", "[]", ERR_SYNTAX, "", ""},
    {"nothing", "", ERR_SYNTAX, "", ""},
    {"half", "{\"ID\":\"a\"", ERR_SYNTAX, "", ""},
};

static void lock_infos_are_read_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct lockinfo info = {0};
        struct err err = {0};
        print_message("  %s\n", infos[i].says);
        bool ok = lockinfo_parse(&arena, str_from(infos[i].text), &info, &err);
        assert_int_equal(err.kind, infos[i].kind);
        assert_int_equal(ok, infos[i].kind == ERR_NONE);
        assert_true(str_equal(info.id, str_from(infos[i].id)));
        assert_true(str_equal(info.operation, str_from(infos[i].operation)));
    }
}

static void a_printed_lock_info_reads_the_same(void **state)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    AUTO_BUF out = {.limit = 1 << 16};
    struct lockinfo info = {.id = STR("a \"b\""), .info = STR("1\n2"), .who = STR("é")}, got = {0};
    (void)state;
    lockinfo_print(&out, &info);
    assert_int_equal(str_find(buf_view(&out), STR("Created"), 0), SIZE_MAX);
    assert_true(lockinfo_parse(&arena, buf_view(&out), &got, NULL));
    assert_true(str_equal(got.id, info.id) && str_equal(got.info, info.info) &&
                str_equal(got.who, info.who));
}

static void only_plans_may_always_lock(void **state)
{
    static const char *const writing[] = {"OperationTypeApply",
                                          "OperationTypeRefresh",
                                          "OperationTypeInvalid",
                                          "state-rm",
                                          "taint",
                                          "optypeplan",
                                          "OperationTypePlan ",
                                          ""};
    (void)state;
    assert_int_equal(lockinfo_kind(STR("OperationTypePlan")), LOCK_PLAN);
    for (size_t i = 0; i < sizeof writing / sizeof *writing; i++)
        assert_int_equal(lockinfo_kind(str_from(writing[i])), LOCK_WRITE);
}

static const struct {
    const char *says, *text;
    enum err_kind kind;
    int64_t serial;
} heads[] = {
    {"a state", "{\"version\":4,\"serial\":3,\"lineage\":\"l\",\"resources\":[{}]}", ERR_NONE, 3},
    {"encrypted", "{\"serial\":3,\"lineage\":\"l\",\"encrypted_data\":\"x\",\"meta\":{}}", ERR_NONE,
     3},
    {"no serial", "{\"version\":4,\"lineage\":\"l\"}", ERR_SYNTAX, 0},
    {"no lineage", "{\"version\":4,\"serial\":1}", ERR_SYNTAX, 0},
    {"empty lineage", "{\"version\":4,\"serial\":1,\"lineage\":\"\"}", ERR_SYNTAX, 0},
    {"version 3", "{\"version\":3,\"serial\":1,\"lineage\":\"l\"}", ERR_UNSUPPORTED, 0},
    {"a fraction", "{\"version\":4,\"serial\":1.5,\"lineage\":\"l\"}", ERR_SYNTAX, 0},
    {"negative", "{\"version\":4,\"serial\":-1,\"lineage\":\"l\"}", ERR_SYNTAX, 0},
    {"a hidden serial", "{\"version\":4,\"serial\":1,\"lineage\":\"l\",\"s\\u0065rial\":9}",
     ERR_SYNTAX, 0},
    {"something behind it", "{\"version\":4,\"serial\":1,\"lineage\":\"l\"}x", ERR_SYNTAX, 0},
    {"a broken resource", "{\"version\":4,\"serial\":1,\"lineage\":\"l\",\"resources\":[}",
     ERR_SYNTAX, 0},
    {"a list", "[]", ERR_SYNTAX, 0},
    {"nothing", "", ERR_SYNTAX, 0},
};

static void heads_of_states_are_read_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct state_head head = {0};
        struct err err = {0};
        print_message("  %s\n", heads[i].says);
        (void)state_head_parse(&arena, str_from(heads[i].text), &head, &err);
        assert_int_equal(err.kind, heads[i].kind);
        assert_int_equal(head.serial, heads[i].serial);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lock_infos_are_read_or_refused),
        cmocka_unit_test(a_printed_lock_info_reads_the_same),
        cmocka_unit_test(only_plans_may_always_lock),
        cmocka_unit_test(heads_of_states_are_read_or_refused),
    };
    return cmocka_run_group_tests_name("desired/lockinfo", tests, NULL, NULL);
}
