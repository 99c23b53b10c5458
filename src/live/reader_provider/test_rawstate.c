/* test_rawstate.c - what goes to UpgradeResourceState: verbatim, stripped, flatmap, or refused. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "live/reader_provider/rawstate.h"
#include "model/resource.h"
#include "model/schema.h"
#include "value/type.h"
#include "wire/json.h"

static const struct type *type_from(struct arena *arena, const char *json)
{
    struct value v;
    const struct type *type = NULL;
    struct err err = {0};
    assert_true(json_parse(arena, str_from(json), "type", JSON_DEFAULT, &v, &err));
    assert_true(type_from_value(arena, &v, &type, &err));
    return type;
}

static const char object[] =
    "[\"object\",{\"a\":\"string\",\"l\":[\"list\",[\"object\",{\"x\":\"number\"}]],"
    "\"m\":[\"map\",\"string\"],\"t\":[\"tuple\",[\"string\",[\"object\",{\"y\":\"bool\"}]]],"
    "\"d\":\"dynamic\"}]";

static const struct {
    const char *says, *in, *out;
    int64_t version;
} cases[] = {
    {"known members stay as they were, byte for byte", "{\"a\": \"x\",  \"m\":{\"k\":\"v\"}}",
     "{\"a\": \"x\",  \"m\":{\"k\":\"v\"}}", 1},
    {"unknown members go", "{\"a\":\"x\",\"old\":1}", "{\"a\":\"x\"}", 1},
    {"in lists and tuples too",
     "{\"l\":[{\"x\":1e400,\"z\":2}],\"t\":[\"s\",{\"y\":true,\"q\":0}]}",
     "{\"l\":[{\"x\":1e400}],\"t\":[\"s\",{\"y\":true}]}", 1},
    {"a map's keys are not members", "{\"m\":{\"any\":\"v\"},\"zz\":1}", "{\"m\":{\"any\":\"v\"}}",
     1},
    {"what is dynamic is left alone", "{\"d\":{\"value\":{\"q\":1},\"type\":\"string\"},\"zz\":1}",
     "{\"d\":{\"type\":\"string\",\"value\":{\"q\":1}}}", 1},
    {"an older version goes as it is", "{\"a\":\"x\",\"old\":1}", "{\"a\":\"x\",\"old\":1}", 0},
};

static void attributes_go_verbatim_but_for_unknown_members(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct tf_raw_state raw;
        struct schema schema = {.version = 1, .block = {.type = type_from(&arena, object)}};
        struct resource resource = {.type = STR("t"),
                                    .schema_version = cases[i].version,
                                    .attributes_json = str_from(cases[i].in)};
        print_message("  %s\n", cases[i].says);
        assert_true(rawstate_make(&arena, &resource, &schema, &raw, &err));
        assert_int_equal(raw.json.len, strlen(cases[i].out));
        assert_memory_equal(raw.json.ptr, cases[i].out, raw.json.len);
        assert_int_equal(raw.version, cases[i].version);
    }
}

static void flatmap_becomes_pairs(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct tf_raw_state raw;
    struct schema schema = {.version = 3, .block = {.type = type_from(&arena, object)}};
    struct resource resource = {.type = STR("t"),
                                .flatmap_json = STR("{\"id\":\"i\",\"tags.%\":\"1\"}")};
    assert_true(rawstate_make(&arena, &resource, &schema, &raw, &err));
    assert_int_equal(raw.nflatmap, 2);
    assert_true(str_equal(raw.flatmap[0].key, STR("id")));
    assert_true(str_equal(raw.flatmap[1].value, STR("1")));
    assert_int_equal(raw.json.len, 0);
    resource.flatmap_json = STR("{\"id\":1}");
    assert_false(rawstate_make(&arena, &resource, &schema, &raw, &err));
}

static const struct {
    const char *says;
    struct resource resource;
    const char *why;
} refused[] = {
    {"a newer schema", {.schema_version = 2, .attributes_json = STR_INIT("{}")}, "newer provider"},
    {"no attributes", {.schema_version = 1}, "no attributes"},
    {"broken attributes", {.schema_version = 1, .attributes_json = STR_INIT("{\"a\":")}, "1:"},
};

static void what_cannot_be_sent_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct tf_raw_state raw;
        char text[1024];
        struct schema schema = {.version = 1, .block = {.type = type_from(&arena, object)}};
        assert_false(rawstate_make(&arena, &refused[i].resource, &schema, &raw, &err));
        print_message("  %s: %s\n", refused[i].says, err_text(&err, text, sizeof text));
        assert_non_null(strstr(text, refused[i].why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_go_verbatim_but_for_unknown_members),
        cmocka_unit_test(flatmap_becomes_pairs),
        cmocka_unit_test(what_cannot_be_sent_is_refused),
    };
    return cmocka_run_group_tests_name("live/reader_provider/rawstate", tests, NULL, NULL);
}
