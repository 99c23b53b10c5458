/* test_plan.c - scan_plan() over plans that a real Terraform made: exactly its own drift. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/tfplan.h"
#include "scan/scan.h"
#include "wire/json.h"

#define DATA "tests/data/terraform"

static struct str read_file(struct arena *arena, const char *path)
{
    struct str text;
    struct err err = {0};
    if (!io_read_file(arena, path, 64 << 20, &text, &err))
        fail_msg("%s", err.frame[0]);
    return text;
}

static void scan_text(struct arena *arena, struct str text, const struct scan_options *options,
                      struct stack_result *ret)
{
    struct err err = {0};
    if (!scan_plan(arena, text, "plan.json", options, ret, &err))
        fail_msg("%s", err.frame[0]);
}

static void scan_case(struct arena *arena, const char *scenario, int step, struct stack_result *ret)
{
    static const struct scan_options none;
    struct str path = arena_printf(arena, DATA "/%s/plan-%d.json", scenario, step);
    scan_text(arena, read_file(arena, path.ptr), &none, ret);
}

/* --- every plan: what Terraform lists is found, and nothing else --- */

static const struct finding *find(const struct stack_result *result, struct str address)
{
    for (size_t i = 0; i < result->nfindings; i++)
        if (str_equal(result->findings[i].address, address))
            return &result->findings[i];
    return NULL;
}

static bool names_attribute(const struct finding *finding, struct str attribute)
{
    for (size_t i = 0; i < finding->nchanges; i++) {
        struct str path = finding->changes[i].path;
        if (str_starts(path, attribute) &&
            (path.len == attribute.len || strchr(".[", path.ptr[attribute.len])))
            return true;
    }
    return false;
}

/* The attributes that differ, worked out here without the code under test. */
static void check_entry(const struct value *entry, const struct stack_result *result)
{
    const struct value *change = value_get(entry, STR("change"));
    const struct value *before = value_get(change, STR("before"));
    const struct value *after = value_get(change, STR("after"));
    const struct finding *finding = find(result, value_get_string(entry, STR("address")));
    struct str action = value_text(&value_get(change, STR("actions"))->items[0]);
    if (str_equal(action, STR("no-op"))) {
        assert_null(finding);
        return;
    }
    assert_non_null(finding);
    assert_false(finding->ignored);
    if (str_equal(action, STR("delete"))) {
        assert_int_equal(finding->class_, CLASS_MISSING);
        return;
    }
    assert_true(finding->class_ == CLASS_CONTRADICTS_CODE || finding->class_ == CLASS_STATE_ONLY);
    for (uint32_t i = 0; i < before->len; i++) {
        struct str name = key_str(before->members[i].key);
        bool differs = !value_equal(&before->members[i].value, value_get(after, name));
        assert_int_equal(names_attribute(finding, name), differs);
    }
}

static void check_plan(const char *path)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    static const struct scan_options none;
    struct stack_result result;
    struct value plan;
    size_t listed = 0, found = 0;
    struct str text = read_file(&arena, path);
    assert_true(json_parse(&arena, text, path, JSON_DEFAULT, &plan, NULL));
    scan_text(&arena, text, &none, &result);
    const struct value *drift = value_get(&plan, STR("resource_drift"));
    for (uint32_t i = 0; drift && i < drift->len; i++) {
        check_entry(&drift->items[i], &result);
        listed += find(&result, value_get_string(&drift->items[i], STR("address"))) != NULL;
    }
    for (size_t i = 0; i < result.nfindings; i++)
        found += result.findings[i].class_ != CLASS_UNCHECKED;
    assert_int_equal(found, listed);
    const struct coverage *c = &result.coverage;
    assert_int_equal(c->resources, c->compared + c->unchecked);
    assert_int_equal(c->compared, c->same + c->different + c->missing);
    assert_true(c->attributes_compared >= c->same);
}

static void every_plan_gives_exactly_its_own_drift(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct str *folders, *files;
    size_t nfolders, nfiles, plans = 0;
    assert_true(io_list_dir(&arena, DATA, 1000, &folders, &nfolders, NULL));
    for (size_t i = 0; i < nfolders; i++) {
        struct str folder = io_join(&arena, STR(DATA), folders[i]);
        if (!io_is_dir(folder.ptr))
            continue;
        assert_true(io_list_dir(&arena, folder.ptr, 1000, &files, &nfiles, NULL));
        for (size_t j = 0; j < nfiles; j++) {
            if (!str_starts(files[j], STR("plan-")))
                continue;
            struct str path = io_join(&arena, folder, files[j]);
            print_message("  %s\n", path.ptr);
            check_plan(path.ptr);
            plans++;
        }
    }
    assert_true(plans > 60);
}

/* --- what each situation is called --- */

static const struct {
    const char *scenario;
    int step;
    const char *address; /* NULL: no finding at all */
    enum finding_class class_;
    const char *paths; /* of its changes, in order */
    int exit_code;
} situations[] = {
    {"noop", 1, NULL, 0, "", EXIT_IN_SYNC},
    {"noop", 2, NULL, 0, "", EXIT_IN_SYNC},
    {"drift-update", 2, "fake_server.a", CLASS_CONTRADICTS_CODE, "size tags.hacked", EXIT_DRIFT},
    {"drift-deleted", 2, "fake_bucket.b", CLASS_MISSING, "", EXIT_DRIFT},
    {"drift-secret", 2, "fake_server.a", CLASS_CONTRADICTS_CODE, "secret", EXIT_DRIFT},
    {"drift-ignored", 2, "fake_server.a", CLASS_STATE_ONLY, "tags.a", EXIT_IN_SYNC},
    {"drift-computed-unreferenced", 2, "fake_server.a", CLASS_STATE_ONLY, "", EXIT_IN_SYNC},
    {"refresh-only", 2, "fake_server.a", CLASS_CONTRADICTS_CODE, "size", EXIT_DRIFT},
    {"refresh-only-moved", 2, NULL, 0, "", EXIT_IN_SYNC},
    {"drift-many", 2, "fake_server.web[2]", CLASS_MISSING, "", EXIT_DRIFT},
    {"drift-blocks", 2, "fake_server.a", CLASS_CONTRADICTS_CODE,
     "disks[0].size_gb rule[0].cidr[0] rule[1]", EXIT_DRIFT},
    {"read-error", 2, "fake_server.s", CLASS_UNCHECKED, "", EXIT_INCOMPLETE},
    {"target-drift", 2, "fake_bucket.b", CLASS_UNCHECKED, "", EXIT_INCOMPLETE},
    {"import-notfound", 1, NULL, 0, "", EXIT_ERROR},
    {"deposed", 3, NULL, 0, "", EXIT_IN_SYNC},
};

static void each_situation_has_its_class(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof situations / sizeof *situations; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        struct stack_result result;
        print_message("  %s/%d\n", situations[i].scenario, situations[i].step);
        scan_case(&arena, situations[i].scenario, situations[i].step, &result);
        struct scan_result all = {&result, 1};
        assert_int_equal(scan_exit_code(&all, FAIL_ON_DEFAULT), situations[i].exit_code);
        if (!situations[i].address) {
            assert_int_equal(result.nfindings, 0);
            continue;
        }
        const struct finding *finding = find(&result, str_from(situations[i].address));
        assert_non_null(finding);
        assert_int_equal(finding->class_, situations[i].class_);
        struct str paths = STR("");
        for (size_t j = 0; j < finding->nchanges; j++)
            paths = arena_printf(&arena, "%.*s%s%.*s", STR_ARG(paths), j ? " " : "",
                                 STR_ARG(finding->changes[j].path));
        if (situations[i].paths[0])
            assert_string_equal(paths.ptr, situations[i].paths);
    }
}

static void a_secret_of_a_plan_stays_there(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct stack_result result;
    scan_case(&arena, "drift-secret", 2, &result);
    const struct change *change = &result.findings[0].changes[0];
    assert_true(change->sensitive);
    assert_true(str_equal(value_text(change->before), STR("(sensitive)")));
    assert_true(str_equal(value_text(change->after), STR("(sensitive)")));
}

static bool has_note(const struct stack_result *result, const char *part)
{
    for (size_t i = 0; i < result->nnotes; i++)
        if (str_find(result->notes[i], str_from(part), 0) != SIZE_MAX)
            return true;
    return false;
}

static void notes_say_what_a_plan_can_not(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct stack_result result;
    scan_case(&arena, "noop", 2, &result);
    assert_true(has_note(&result, "-refresh=false"));
    scan_case(&arena, "drift-update", 2, &result);
    assert_false(has_note(&result, "-refresh=false"));
    scan_case(&arena, "read-error", 2, &result);
    assert_true(has_note(&result, "ended with an error"));
    scan_case(&arena, "target-drift", 2, &result);
    assert_true(has_note(&result, "-target"));
    scan_case(&arena, "refresh-only-moved", 2, &result);
    assert_true(has_note(&result, "terraform_data.b was terraform_data.a before"));
    scan_case(&arena, "deposed", 3, &result);
    assert_true(has_note(&result, "fake_bucket.b (deposed 1342c151) still exists"));
    scan_case(&arena, "tainted", 2, &result);
    assert_true(has_note(&result, "is tainted"));
    scan_case(&arena, "noop", 1, &result);
    assert_true(has_note(&result, "nothing was applied yet"));
}

/* --- joins: nested modules, unknown results, orphans --- */

#define ENTRY(attrs_before, attrs_after) \
    "{\"address\":\"module.m[\\\"a.b]\\\"].module.n[0].t.x\",\"module_address\":" \
    "\"module.m[\\\"a.b]\\\"].module.n[0]\",\"mode\":\"managed\",\"type\":\"t\",\"name\":\"x\"," \
    "\"provider_name\":\"e/p/t\",\"change\":{\"actions\":[\"update\"],\"before\":" attrs_before \
    ",\"after\":" attrs_after
#define CODE(expressions) \
    "\"configuration\":{\"root_module\":{\"module_calls\":{\"m\":{\"module\":{\"module_calls\":" \
    "{\"n\":{\"module\":{\"resources\":[{\"address\":\"t.x\",\"expressions\":{" expressions \
    "}}]}}}}}}}}"

static const struct {
    const char *says, *plan;
    enum finding_class class_;
} joins[] = {
    {"refresh-only: the code sets it",
     "{\"format_version\":\"1.2\",\"resource_drift\":[" ENTRY("{\"a\":1}", "{\"a\":2}") "}}]," CODE(
         "\"a\":{}") "}",
     CLASS_CONTRADICTS_CODE},
    {"refresh-only: the code does not",
     "{\"format_version\":\"1.2\",\"resource_drift\":[" ENTRY("{\"a\":1}", "{\"a\":2}") "}}]," CODE(
         "\"b\":{}") "}",
     CLASS_STATE_ONLY},
    {"not in the code: nobody can say, so it is loud",
     "{\"format_version\":\"1.2\",\"resource_drift\":[" ENTRY("{\"a\":1}", "{\"a\":2}") "}}]}",
     CLASS_CONTRADICTS_CODE},
    {"the plan changes it back",
     "{\"format_version\":\"1.2\",\"resource_drift\":[" ENTRY(
         "{\"a\":1}", "{\"a\":2}") "}}],"
                                   "\"resource_changes\":[" ENTRY(
                                       "{\"a\":2}", "{\"a\":1}") "}}]," CODE("\"a\":{}") "}",
     CLASS_CONTRADICTS_CODE},
    {"the plan changes something else",
     "{\"format_version\":\"1.2\",\"resource_drift\":[" ENTRY(
         "{\"a\":1,\"b\":1}",
         "{\"a\":2,\"b\":1}") "}}],"
                              "\"resource_changes\":[" ENTRY(
                                  "{\"a\":2,\"b\":1}",
                                  "{\"a\":2,\"b\":2}") "}}]," CODE("\"a\":{}") "}",
     CLASS_STATE_ONLY},
    {"the plan does not know yet what it will be, and the code sets it",
     "{\"format_version\":\"1.2\",\"resource_drift\":[" ENTRY(
         "{\"a\":1}",
         "{\"a\":2}") "}}],"
                      "\"resource_changes\":[" ENTRY(
                          "{\"a\":2}",
                          "{}") ",\"after_unknown\":{\"a\":true}}}]," CODE("\"a\":{}") "}",
     CLASS_CONTRADICTS_CODE},
    {"the provider will compute it anew",
     "{\"format_version\":\"1.2\",\"resource_drift\":[" ENTRY(
         "{\"a\":1}",
         "{\"a\":2}") "}}],"
                      "\"resource_changes\":[" ENTRY(
                          "{\"a\":2}",
                          "{}") ",\"after_unknown\":{\"a\":true}}}]," CODE("\"b\":{}") "}",
     CLASS_STATE_ONLY},
};

static void drift_is_joined_with_plan_and_code(void **state)
{
    (void)state;
    static const struct scan_options none;
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        struct stack_result result;
        print_message("  %s\n", joins[i].says);
        scan_text(&arena, str_from(joins[i].plan), &none, &result);
        assert_int_equal(result.nfindings, 1);
        assert_int_equal(result.findings[0].class_, joins[i].class_);
    }
}

/* --- what is no plan --- */

static const struct {
    const char *text, *part; /* of the message */
} bad[] = {
    {"", "plan.json"},
    {"[]", "no plan JSON"},
    {"{}", "terraform show -json"},
    {"{\"format_version\":\"2.0\"}", "reads 1.x"},
    {"{\"format_version\":\"1.0\",\"values\":{}}", "is a state"},
    {"PK\003\004....", "saved plan"},
    {"{\"format_version\":\"1.2\",\"resource_drift\":[{\"mode\":\"managed\"}]}", "resource_drift"},
    {"{\"format_version\":\"1.2\",\"resource_drift\":[{\"mode\":\"managed\",\"change\":{}}]}",
     "without address"},
    {"{\"format_version\":\"1.2\",", "plan.json:1:"},
    {"{\"format_version\":\"1.2\",\"errored\":true}", "ended with an error"},
};

static void what_is_no_plan_says_what_to_do(void **state)
{
    (void)state;
    static const struct scan_options none;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        struct stack_result result;
        scan_text(&arena, str_from(bad[i].text), &none, &result);
        print_message("  %.*s\n", STR_ARG(result.failed));
        assert_true(str_find(result.failed, str_from(bad[i].part), 0) != SIZE_MAX);
    }
}

static void every_truncation_is_an_error_and_no_crash(void **state)
{
    (void)state;
    static const struct scan_options none;
    AUTO_ARENA file = {.limit = 1 << 20};
    struct str text = read_file(&file, DATA "/drift-secret/plan-2.json");
    text = str_trim(text);
    for (size_t len = 0; len < text.len; len++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        struct stack_result result;
        scan_text(&arena, str_sub(text, 0, len), &none, &result);
        assert_true(result.failed.len > 0);
    }
}

static bool count_finding(void *ctx, const struct finding *finding, struct err *err)
{
    int *left = ctx;
    (void)finding;
    return (*left)-- > 0 || err_set(err, ERR_IO, "the pipe is closed");
}

static void targets_stream_and_ignore_rules_hold(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct str text = read_file(&arena, DATA "/drift-many/plan-2.json");
    const struct str targets[] = {STR("fake_server.web")};
    int left = 100;
    struct ignore_rule rule = {
        .address = STR("fake_server.*"), .reason = STR("known"), .expires_utc_ms = INT64_MAX};
    struct ignore_rule old = {
        .reason = STR("once"), .expires = STR("2020-01-01"), .expires_utc_ms = 1};
    struct ignore_rule rules[] = {rule, old};
    struct config config = {.path = STR("plumb.yaml"), .ignores = rules, .nignores = 2};
    struct scan_options options = {.targets = targets,
                                   .ntargets = 1,
                                   .on_finding = count_finding,
                                   .ctx = &left,
                                   .config = &config,
                                   .now_utc_ms = 1000};
    struct stack_result result;
    scan_text(&arena, text, &options, &result);
    assert_int_equal(result.nfindings, 3);
    assert_int_equal(left, 97);
    assert_int_equal(result.coverage.ignored, 3);
    assert_true(has_note(&result, "expired 2020-01-01"));
    for (size_t i = 0; i < 3; i++)
        assert_true(result.findings[i].ignored);
    struct scan_result all = {&result, 1};
    assert_int_equal(scan_exit_code(&all, FAIL_ON_DEFAULT), EXIT_IN_SYNC);

    struct err err = {0};
    left = 1;
    assert_false(scan_plan(&arena, text, "plan.json", &options, &result, &err));
    assert_int_equal(err.kind, ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_plan_gives_exactly_its_own_drift),
        cmocka_unit_test(each_situation_has_its_class),
        cmocka_unit_test(a_secret_of_a_plan_stays_there),
        cmocka_unit_test(notes_say_what_a_plan_can_not),
        cmocka_unit_test(drift_is_joined_with_plan_and_code),
        cmocka_unit_test(what_is_no_plan_says_what_to_do),
        cmocka_unit_test(every_truncation_is_an_error_and_no_crash),
        cmocka_unit_test(targets_stream_and_ignore_rules_hold),
    };
    return cmocka_run_group_tests_name("scan/plan", tests, NULL, NULL);
}
