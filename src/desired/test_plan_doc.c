/* test_plan_doc.c - plans as streams, and what stands in saved ones. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "desired/plan_doc.h"
#include "desired/saved_plan.h"
#include "value/path.h"

static const char plan[] =
    "{\"format_version\":\"1.2\",\"terraform_version\":\"1.11.4\",\"complete\":false,"
    "\"timestamp\":\"2026-11-22T10:00:00Z\",\"prior_state\":{\"x\":[1,2,{\"y\":3}]},"
    "\"resource_drift\":[{\"address\":\"a.b\",\"mode\":\"managed\",\"type\":\"a\","
    "\"change\":{\"actions\":[\"update\"],\"before\":{\"n\":1},\"after\":{\"n\":2}}}],"
    "\"resource_changes\":["
    "{\"address\":\"a.z\",\"mode\":\"managed\",\"type\":\"a\",\"change\":{\"actions\":"
    "[\"delete\",\"create\"],\"before\":{},\"after\":{}}},"
    "{\"address\":\"a.b\",\"mode\":\"managed\",\"type\":\"a\",\"change\":{\"actions\":"
    "[\"update\"],\"before\":{\"n\":2,\"s\":\"k\"},\"after\":{\"n\":1,\"s\":\"k\"},"
    "\"after_unknown\":{\"id\":true},\"before_sensitive\":{\"s\":true},"
    "\"after_sensitive\":{\"s\":true}}},"
    "{\"address\":\"a.same\",\"mode\":\"managed\",\"type\":\"a\",\"change\":{\"actions\":"
    "[\"no-op\"]}},"
    "{\"address\":\"a.old\",\"mode\":\"managed\",\"type\":\"a\",\"deposed\":\"12345678\","
    "\"change\":{\"actions\":[\"delete\"],\"before\":{}}},"
    "{\"address\":\"data.a.d\",\"mode\":\"data\",\"type\":\"a\",\"change\":{\"actions\":"
    "[\"read\"]}}]}";

static void a_plan_is_read(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct plan_doc doc;
    struct plan_change change;
    struct path path;
    assert_true(plan_doc_read(&arena, str_from(plan), "p.json", &doc, &err));
    assert_int_equal(doc.ntouches, 3);
    assert_true(str_equal(doc.touch[0].address, STR("a.b")));
    assert_int_equal(doc.touch[0].action, PLAN_UPDATE);
    assert_true(str_equal(doc.touch[1].address, STR("a.old (deposed 12345678)")));
    assert_int_equal(doc.touch[2].action, PLAN_REPLACE);
    assert_int_equal(doc.ndrifts, 1);
    assert_int_equal(doc.no_op, 1);
    assert_true(doc.incomplete);
    assert_true(plan_change_read(&arena, &doc.touch[0], "p.json", &change, &err));
    const struct value *secret = value_get(&change.after, STR("s"));
    assert_true(secret && secret->marks & VALUE_SENSITIVE);
    assert_false(value_get(&change.after, STR("n"))->marks & VALUE_SENSITIVE);
    assert_true(path_parse(&arena, STR("id"), &path, &err));
    assert_true(plan_change_unknown(&change, path));
    assert_true(path_parse(&arena, STR("n"), &path, &err));
    assert_false(plan_change_unknown(&change, path));
    assert_ptr_equal(plan_doc_find(doc.touch, doc.ntouches, STR("a.z")), &doc.touch[2]);
    assert_null(plan_doc_find(doc.touch, doc.ntouches, STR("a.same")));
}

static const struct {
    const char *text;
    enum err_kind kind;
} refused[] = {
    {"", ERR_SYNTAX},
    {"[]", ERR_SYNTAX},
    {"{}", ERR_SYNTAX},
    {"{\"format_version\":\"2.0\"}", ERR_UNSUPPORTED},
    {"{\"format_version\":\"1.0\"", ERR_SYNTAX},
    {"{\"format_version\":\"1.0\"} x", ERR_SYNTAX},
    {"{\"format_version\":\"1.0\",\"resource_changes\":{}}", ERR_SYNTAX},
    {"{\"format_version\":\"1.0\",\"resource_changes\":[{\"mode\":\"managed\"}]}", ERR_SYNTAX},
    {"{\"format_version\":\"1.0\",\"resource_\\u0063hanges\":[]}", ERR_SYNTAX},
    {"{\"format_version\":\"1.0\",\"action_invocations\":{}}", ERR_SYNTAX}};

/* What a later version calls otherwise, or somebody leaves out, is something that is done. */
static void what_is_not_known_counts_as_a_change(void **state)
{
    static const char odd[] =
        "{\"format_version\":\"1.2\",\"action_invocations\":[{\"address\":\"action.a.b\"},{}],"
        "\"resource_changes\":["
        "{\"address\":\"a.mode\",\"mode\":\"other\",\"type\":\"a\",\"change\":{\"actions\":"
        "[\"update\"]}},"
        "{\"address\":\"a.none\",\"type\":\"a\",\"change\":{\"actions\":[\"update\"]}},"
        "{\"address\":\"a.still\",\"mode\":\"managed\",\"type\":\"a\",\"change\":{}},"
        "{\"address\":\"a.word\",\"mode\":\"managed\",\"type\":\"a\",\"change\":{\"actions\":"
        "[\"renew\"]}},"
        "{\"address\":\"ephemeral.a.e\",\"mode\":\"ephemeral\",\"type\":\"a\",\"change\":"
        "{\"actions\":[\"open\"]}}]}";
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct plan_doc doc;
    assert_true(plan_doc_read(&arena, str_from(odd), "p.json", &doc, &err));
    assert_int_equal(doc.ntouches, 4);
    assert_int_equal(doc.touch[0].action, PLAN_UPDATE);
    assert_int_equal(doc.touch[1].action, PLAN_UPDATE);
    assert_int_equal(doc.touch[2].action, PLAN_UNKNOWN_ACTION);
    assert_int_equal(doc.touch[3].action, PLAN_UNKNOWN_ACTION);
    assert_int_equal(doc.ninvocations, 2);
}

static void what_is_no_plan_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct plan_doc doc;
        print_message("  %s\n", refused[i].text);
        assert_false(plan_doc_read(&arena, str_from(refused[i].text), "p.json", &doc, &err));
        assert_int_equal(err.kind, refused[i].kind);
    }
    for (size_t n = 0; n + 1 < sizeof plan; n++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct plan_doc doc;
        assert_false(plan_doc_read(&arena, (struct str){plan, n}, "p.json", &doc, &err));
    }
}

/* A saved plan as terraform makes one, packed by Python. */
static struct str saved(struct arena *arena)
{
    static const char script[] =
        "python3 -c \"import zipfile, json; z = zipfile.ZipFile('/dev/stdout', 'w', 8); "
        "z.writestr('tfplan', b'x'); "
        "z.writestr('tfstate', json.dumps({'version': 4, 'serial': 7, 'lineage': 'l-1'})); "
        "z.writestr('tfconfig/modules.json', json.dumps([{'Key': '', 'Dir': '.'}, "
        "{'Key': 'n', 'Dir': './net'}])); "
        "z.writestr('tfconfig/m-/main.tf', 'a'); z.writestr('tfconfig/m-n/net.tf', 'b'); "
        "z.close()\" | cat";
    FILE *pipe = popen(script, "r"); /* NOLINT(cert-env33-c) */
    char *bytes = arena_alloc(arena, 8192, 1, 1);
    assert_non_null(pipe);
    size_t n = fread(bytes, 1, 8192, pipe);
    assert_int_equal(pclose(pipe), 0);
    return (struct str){bytes, n};
}

static void a_saved_plan_is_opened(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct saved_plan got;
    struct str bytes = saved(&arena);
    assert_true(saved_plan_is(bytes));
    assert_true(saved_plan_read(&arena, bytes, "p.tfplan", &got, &err));
    assert_true(got.has_state && got.serial == 7 && str_equal(got.lineage, STR("l-1")));
    assert_int_equal(got.nfiles, 2);
    assert_true(str_equal(got.file[0].path, STR("main.tf")));
    assert_true(str_equal(got.file[1].path, STR("net/net.tf")));
    assert_true(str_equal(got.file[1].text, STR("b")));
    for (size_t n = 0; n < bytes.len; n++) {
        err_clear(&err);
        assert_false(saved_plan_read(&arena, str_sub(bytes, 0, n), "p.tfplan", &got, &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_is_read),
        cmocka_unit_test(what_is_no_plan_is_refused),
        cmocka_unit_test(what_is_not_known_counts_as_a_change),
        cmocka_unit_test(a_saved_plan_is_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
