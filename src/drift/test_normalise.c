/* test_normalise.c - each rule: what it calls equal, and what it must not. */
#include "base/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "drift/normalise.h"
#include "wire/json.h"

/* --- one schema, as SDKv2 (legacy) or the framework would declare it --- */

static const struct type list_of_string = {.kind = TYPE_LIST, .elem = &type_string};
static const struct type set_of_string = {.kind = TYPE_SET, .elem = &type_string};
static const struct type map_of_string = {.kind = TYPE_MAP, .elem = &type_string};

#define OPTIONAL(text, t) \
    { \
        .name = STR_INIT(text), .type = (t), .optional = true \
    }

static const struct schema_attribute rule_attributes[] = {
    OPTIONAL("cidr", &list_of_string),
    OPTIONAL("description", &type_string),
    {.name = STR_INIT("port"), .type = &type_number, .required = true},
};
static const struct schema_attribute timeouts_attributes[] = {
    OPTIONAL("create", &type_string),
    OPTIONAL("delete", &type_string),
};
static const struct schema_attribute attributes[] = {
    OPTIONAL("content", &type_string),
    OPTIONAL("description", &type_string),
    {.name = STR_INIT("id"), .type = &type_string, .optional = true, .computed = true},
    OPTIONAL("names", &set_of_string),
    {.name = STR_INIT("once"), .type = &type_string, .optional = true, .write_only = true},
    OPTIONAL("policy", &type_string),
    OPTIONAL("ports", &list_of_string),
    OPTIONAL("tags", &map_of_string),
    OPTIONAL("tags_all", &map_of_string),
};

struct lab {
    struct schema_block rule, timeouts;
    struct schema_nested_block blocks[3];
    struct schema_attribute attributes[9];
    struct schema schema;
};

static void lab_init(struct arena *arena, struct lab *lab, bool legacy)
{
    lab->rule = (struct schema_block){.attributes = rule_attributes, .nattributes = 3};
    lab->timeouts = (struct schema_block){.attributes = timeouts_attributes, .nattributes = 2};
    assert_true(schema_imply_type(arena, &lab->rule));
    assert_true(schema_imply_type(arena, &lab->timeouts));
    lab->blocks[0] = (struct schema_nested_block){STR("ingress"), NESTING_SET, &lab->rule, 0, 0};
    lab->blocks[1] = (struct schema_nested_block){STR("rule"), NESTING_LIST, &lab->rule, 0, 0};
    lab->blocks[2] =
        (struct schema_nested_block){STR("timeouts"), NESTING_SINGLE, &lab->timeouts, 0, 0};
    memcpy(lab->attributes, attributes, sizeof attributes);
    lab->attributes[2].optional = legacy;
    lab->schema = (struct schema){
        .block = {
            .attributes = lab->attributes, .nattributes = 9, .blocks = lab->blocks, .nblocks = 3}};
    assert_true(schema_imply_type(arena, &lab->schema.block));
}

static void typed(struct arena *arena, const struct lab *lab, const char *json, struct value *ret)
{
    struct value raw;
    struct err err = {0};
    if (!json_parse(arena, str_from(json), "case", JSON_DEFAULT, &raw, &err) ||
        !type_apply(arena, lab->schema.block.type, &raw, false, ret, &err))
        fail_msg("%s: %s", json, err.frame[0]);
}

enum sdk { LEGACY, FRAMEWORK, BOTH };

/* rule: the one that must fire at `path`; NULL = none may, the values differ. */
static const struct {
    const char *desired, *live;
    enum sdk sdk;
    const char *rule, *path;
} cases[] = {
    /* timeouts */
    {"{\"timeouts\":{\"create\":\"5m\"}}", "{\"timeouts\":null}", BOTH, "timeouts", "timeouts"},
    {"{\"timeouts\":{\"create\":\"5m\"}}", "{\"timeouts\":{\"create\":\"6m\"}}", BOTH, "timeouts",
     "timeouts"},
    /* write-only */
    {"{\"once\":null}", "{\"once\":\"echo\"}", BOTH, "write-only", "once"},
    /* null-block-is-empty */
    {"{\"rule\":null}", "{\"rule\":[]}", BOTH, "null-block-is-empty", "rule"},
    {"{\"ingress\":[]}", "{\"ingress\":null}", BOTH, "null-block-is-empty", "ingress"},
    {"{\"rule\":null}", "{\"rule\":[{\"port\":1}]}", BOTH, NULL, NULL},
    /* null-collection-is-empty */
    {"{\"ports\":null}", "{\"ports\":[]}", LEGACY, "null-collection-is-empty", "ports"},
    {"{\"tags\":{}}", "{\"tags\":null}", LEGACY, "null-collection-is-empty", "tags"},
    {"{\"names\":null}", "{\"names\":[]}", LEGACY, "null-collection-is-empty", "names"},
    {"{\"ports\":null}", "{\"ports\":[]}", FRAMEWORK, NULL, NULL},
    {"{\"ports\":null}", "{\"ports\":[\"\"]}", LEGACY, NULL, NULL},
    /* inside a set's elements: facts 3.3, 2 */
    {"{\"ingress\":[{\"port\":1,\"cidr\":null},{\"port\":2,\"cidr\":[\"a\"]}]}",
     "{\"ingress\":[{\"port\":1,\"cidr\":[]},{\"port\":2,\"cidr\":[\"a\"]}]}", LEGACY,
     "null-collection-is-empty", "ingress[*].cidr"},
    {"{\"ingress\":[{\"port\":1,\"cidr\":null}]}", "{\"ingress\":[{\"port\":2,\"cidr\":[]}]}",
     LEGACY, NULL, NULL},
    {"{\"rule\":[{\"port\":1,\"cidr\":null}]}", "{\"rule\":[{\"port\":1,\"cidr\":[]}]}", LEGACY,
     "null-collection-is-empty", "rule[0].cidr"},
    /* null-string-is-empty */
    {"{\"description\":null}", "{\"description\":\"\"}", LEGACY, "null-string-is-empty",
     "description"},
    {"{\"description\":\"\"}", "{\"description\":null}", LEGACY, "null-string-is-empty",
     "description"},
    {"{\"description\":null}", "{\"description\":\"\"}", FRAMEWORK, NULL, NULL},
    {"{\"description\":null}", "{\"description\":\" \"}", LEGACY, NULL, NULL},
    {"{\"tags\":{\"a\":null}}", "{\"tags\":{\"a\":\"\"}}", LEGACY, NULL, NULL},
    {"{\"ports\":[null]}", "{\"ports\":[\"\"]}", LEGACY, NULL, NULL},
    {"{\"rule\":[{\"port\":1,\"description\":null}]}",
     "{\"rule\":[{\"port\":1,\"description\":\"\"}]}", LEGACY, "null-string-is-empty",
     "rule[0].description"},
    /* json-text */
    {"{\"policy\":\"{\\\"a\\\":1,\\\"b\\\":[1,2]}\"}",
     "{\"policy\":\" { \\\"b\\\": [1, 2.0], \\\"a\\\": 1 }\\n\"}", BOTH, "json-text", "policy"},
    {"{\"policy\":\"{\\\"a\\\":[1,2]}\"}", "{\"policy\":\"{\\\"a\\\":[2,1]}\"}", BOTH, NULL, NULL},
    {"{\"policy\":\"{\\\"a\\\":1}\"}", "{\"policy\":\"{\\\"a\\\":1,\\\"a\\\":1}\"}", BOTH, NULL,
     NULL},
    {"{\"policy\":\"1\"}", "{\"policy\":\"1.0\"}", BOTH, NULL, NULL},
    {"{\"policy\":\"{} x\"}", "{\"policy\":\"{}\"}", BOTH, NULL, NULL},
    {"{\"content\":\"{\\\"a\\\":1}\"}", "{\"content\":\"{ \\\"a\\\":1}\"}", BOTH, NULL, NULL},
    /* iam-policy */
    {"{\"policy\":\"{\\\"Statement\\\":{\\\"Action\\\":\\\"s3:Get*\\\",\\\"Effect\\\":"
     "\\\"Allow\\\"}}\"}",
     "{\"policy\":\"{\\\"Statement\\\":[{\\\"Action\\\":[\\\"s3:Get*\\\"],\\\"Effect\\\":"
     "\\\"Allow\\\"}]}\"}",
     BOTH, "iam-policy", "policy"},
    {"{\"policy\":\"{\\\"Statement\\\":{\\\"Action\\\":[\\\"a\\\",\\\"b\\\"]}}\"}",
     "{\"policy\":\"{\\\"Statement\\\":[{\\\"Action\\\":[\\\"b\\\",\\\"a\\\",\\\"c\\\"]}]}\"}",
     BOTH, NULL, NULL},
    /* refused as rules: numbers in strings, case, trailing white space and dots */
    {"{\"description\":\"1.10\"}", "{\"description\":\"1.1\"}", BOTH, NULL, NULL},
    {"{\"description\":\"Web\"}", "{\"description\":\"web\"}", BOTH, NULL, NULL},
    {"{\"description\":\"web\"}", "{\"description\":\"web\\n\"}", BOTH, NULL, NULL},
    {"{\"description\":\"a.example.\"}", "{\"description\":\"a.example\"}", BOTH, NULL, NULL},
};

static void check_case(size_t i, bool legacy)
{
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct err err = {0};
    struct lab lab;
    struct value desired, live;
    struct normalised got;
    lab_init(&arena, &lab, legacy);
    typed(&arena, &lab, cases[i].desired, &desired);
    typed(&arena, &lab, cases[i].live, &live);
    print_message("  %s %s | %s\n", legacy ? "sdkv2" : "framework", cases[i].desired,
                  cases[i].live);
    assert_true(normalise_live(&arena, &lab.schema, &desired, &live, true, &got, &err));
    assert_int_equal(got.equal, cases[i].rule != NULL);
    assert_int_equal(value_equal(&got.live, &desired), got.equal);
    if (!cases[i].rule) {
        assert_true(got.n == 0);
        assert_true(value_equal(&got.live, &live));
        return;
    }
    assert_int_equal(got.n, 1);
    assert_true(str_equal(got.list[0].rule, str_from(cases[i].rule)));
    assert_true(str_equal(got.list[0].path, str_from(cases[i].path)));
    assert_true(normalise_live(&arena, &lab.schema, &desired, &live, false, &got, &err));
    assert_true(got.equal && got.n == 0); /* without explain the same, unlisted */
}

static void each_rule_calls_equal_what_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].sdk != FRAMEWORK)
            check_case(i, true);
        if (cases[i].sdk != LEGACY)
            check_case(i, false);
    }
}

static void real_changes_stay_beside_what_is_equal(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct err err = {0};
    struct lab lab;
    struct value desired, live, want;
    struct normalised got;
    lab_init(&arena, &lab, true);
    typed(&arena, &lab,
          "{\"ingress\":[{\"port\":1,\"cidr\":null},{\"port\":2}],\"tags\":null,\"ports\":[\"a\"]}",
          &desired);
    typed(&arena, &lab,
          "{\"ingress\":[{\"port\":1,\"cidr\":[]},{\"port\":3,\"cidr\":[]}],\"tags\":{},\"ports\":["
          "]}",
          &live);
    typed(&arena, &lab,
          "{\"ingress\":[{\"port\":1,\"cidr\":null},{\"port\":3,\"cidr\":[]}],\"ports\":[]}",
          &want);
    assert_true(normalise_live(&arena, &lab.schema, &desired, &live, true, &got, &err));
    assert_false(got.equal);
    assert_true(value_equal(&got.live, &want));
    assert_int_equal(got.n, 2);
}

static void without_a_schema_only_names_count(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8 << 20};
    struct value desired, live;
    struct normalised got;
    assert_true(json_parse(&arena, STR("{\"policy\":\"{}\",\"description\":null,\"ports\":[]}"),
                           "a", 0, &desired, NULL));
    assert_true(json_parse(&arena, STR("{\"policy\":\"{ }\",\"description\":\"\",\"ports\":null}"),
                           "b", 0, &live, NULL));
    assert_true(normalise_live(&arena, NULL, &desired, &live, true, &got, NULL));
    assert_false(got.equal);
    assert_int_equal(got.n, 1);
    assert_true(str_equal(got.list[0].rule, STR("json-text")));
}

static void a_large_set_of_noise_is_quiet_and_a_hostile_one_ends(void **state)
{
    (void)state;
    enum { N = 20000 };
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct lab lab;
    struct value desired, live, none = value_null(), empty = {.kind = VALUE_LIST};
    struct normalised got;
    lab_init(&arena, &lab, true);
    const struct value_key *keys[] = {key_make(&arena, STR("cidr")),
                                      key_make(&arena, STR("description")),
                                      key_make(&arena, STR("port"))};
    const struct value_key *ingress = key_make(&arena, STR("ingress"));
    for (int hostile = 0; hostile < 2; hostile++) {
        struct value *sides[2];
        for (int side = 0; side < 2; side++) {
            sides[side] = arena_new(&arena, struct value, N);
            for (int i = 0; i < N; i++) {
                struct value_member *m = arena_new(&arena, struct value_member, 3);
                m[0] = (struct value_member){keys[0], side ? empty : none};
                m[1] = (struct value_member){keys[1], none};
                m[2] = (struct value_member){keys[2], value_int(i + (hostile && side ? N : 0))};
                sides[side][i] = (struct value){.kind = VALUE_OBJECT, .len = 3, .members = m};
            }
            size_t n = value_set_normalise(sides[side], N);
            struct value_member *whole = arena_new(&arena, struct value_member, 1);
            *whole = (struct value_member){ingress, value_items(VALUE_SET, sides[side], n)};
            *(side ? &live : &desired) =
                (struct value){.kind = VALUE_OBJECT, .len = 1, .members = whole};
        }
        assert_true(normalise_live(&arena, &lab.schema, &desired, &live, false, &got, NULL));
        assert_int_equal(got.equal, !hostile);
    }
}

static void every_rule_is_documented(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct str text;
    size_t n;
    const struct normalise_rule *rules = normalise_rules(&n);
    struct err err = {0};
    if (!io_read_file(&arena, "docs/drift.md", 1 << 19, &text, &err))
        fail_msg("%s", err.frame[0]);
    for (size_t i = 0; i < n; i++) {
        struct str row = arena_printf(&arena, "| `%s` |", rules[i].name);
        if (str_find(text, row, 0) == SIZE_MAX)
            fail_msg("docs/drift.md has no row for %s", rules[i].name);
        assert_true(strlen(rules[i].why) > 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_calls_equal_what_it_says),
        cmocka_unit_test(real_changes_stay_beside_what_is_equal),
        cmocka_unit_test(without_a_schema_only_names_count),
        cmocka_unit_test(a_large_set_of_noise_is_quiet_and_a_hostile_one_ends),
        cmocka_unit_test(every_rule_is_documented),
    };
    return cmocka_run_group_tests_name("drift/normalise", tests, NULL, NULL);
}
