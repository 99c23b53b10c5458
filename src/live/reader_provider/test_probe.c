/* test_probe.c - which attributes get other values, and what counts as an echo. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "live/reader_provider/probe.h"
#include "value/type.h"
#include "wire/json.h"

static const struct type string_map = {.kind = TYPE_MAP, .elem = &type_string};
static const struct type string_list = {.kind = TYPE_LIST, .elem = &type_string};

static const struct schema_attribute rule_attributes[] = {
    {.name = STR_INIT("cidr"), .type = &type_string, .required = true},
    {.name = STR_INIT("port"), .type = &type_number, .optional = true},
    {.name = STR_INIT("text"), .type = &type_string, .optional = true},
};
static struct schema_block rule_block = {.attributes = rule_attributes, .nattributes = 3};
static const struct schema_nested_block blocks[] = {
    {.name = STR_INIT("rule"), .nesting = NESTING_LIST, .block = &rule_block}};
static const struct schema_attribute attributes[] = {
    {.name = STR_INIT("any"), .type = &type_dynamic, .optional = true},
    {.name = STR_INIT("computed"), .type = &type_string, .computed = true},
    {.name = STR_INIT("enabled"), .type = &type_bool, .optional = true},
    {.name = STR_INIT("id"), .type = &type_string, .computed = true},
    {.name = STR_INIT("labels"), .type = &string_list, .optional = true},
    {.name = STR_INIT("secret"), .type = &type_string, .optional = true, .sensitive = true},
    {.name = STR_INIT("size"), .type = &type_number, .optional = true, .computed = true},
    {.name = STR_INIT("tags"), .type = &string_map, .optional = true},
    {.name = STR_INIT("text"), .type = &type_string, .required = true},
    {.name = STR_INIT("vpc_id"), .type = &type_string, .required = true},
    {.name = STR_INIT("wo"), .type = &type_string, .optional = true, .write_only = true},
};

static const char live_json[] =
    "{\"any\":\"x\",\"computed\":\"abc\",\"enabled\":true,\"id\":\"i-1\",\"labels\":[\"a\",\"b\"],"
    "\"rule\":[{\"cidr\":\"10.0.0.0/8\",\"port\":443,\"text\":null}],\"secret\":\"s3cret\","
    "\"size\":5,\"tags\":{\"k\":\"v\",\"z\":\"w\"},\"text\":\"plain\",\"vpc_id\":\"vpc-1\","
    "\"wo\":null}";

struct bench {
    struct arena arena;
    struct schema schema;
    struct schema_named type;
    struct value live;
};

static struct value typed(struct bench *at, const char *json)
{
    struct err err = {0};
    struct value raw, v = value_null();
    char text[1024];
    if (!json_parse(&at->arena, str_from(json), "j", JSON_DEFAULT, &raw, &err) ||
        !type_apply(&at->arena, at->schema.block.type, &raw, false, &v, &err))
        fail_msg("%s", err_text(&err, text, sizeof text));
    return v;
}

static void open_bench(struct bench *at)
{
    memset(at, 0, sizeof *at);
    at->arena.limit = 1 << 20;
    at->schema = (struct schema){
        .block = {.attributes = attributes, .nattributes = 11, .blocks = blocks, .nblocks = 1}};
    assert_true(schema_imply_type(&at->arena, &rule_block));
    assert_true(schema_imply_type(&at->arena, &at->schema.block));
    at->type = (struct schema_named){.name = STR("t"), .schema = &at->schema};
    at->live = typed(at, live_json);
}

static void expect_json(struct bench *at, const struct value *v, const char *want)
{
    AUTO_BUF out = {.limit = 10000};
    struct jsonw w = {.out = &out};
    (void)at;
    jsonw_value(&w, v);
    buf_char(&out, '\0');
    assert_string_equal(out.ptr, want);
}

static void values_keep_their_shape(void **state)
{
    (void)state;
    struct bench at;
    struct err err = {0};
    struct value sent;
    size_t n;
    open_bench(&at);
    assert_true(probe_perturb(&at.arena, &at.type, &at.live, 1, &sent, &n, &err));
    expect_json(&at, &sent,
                "{\"any\":\"x\",\"computed\":\"abc-plumb\",\"enabled\":false,\"id\":\"i-1\","
                "\"labels\":[\"a-plumb\",\"b\"],\"rule\":[{\"cidr\":\"10.0.0.0/7\",\"port\":443,"
                "\"text\":null}],\"secret\":\"s2cret\",\"size\":4,\"tags\":{\"k\":\"v-plumb\","
                "\"z\":\"w\"},\"text\":\"plain-plumb\",\"vpc_id\":\"vpc-1\",\"wo\":null}");
    assert_int_equal(n, 8);
    assert_true(probe_perturb(&at.arena, &at.type, &at.live, 2, &sent, &n, &err));
    expect_json(
        &at, &sent,
        "{\"any\":\"x\",\"computed\":\"abc\",\"enabled\":false,\"id\":\"i-1\",\"labels\":["
        "\"a-plumb\",\"b\"],\"rule\":[{\"cidr\":\"10.0.0.0/8\",\"port\":443,\"text\":null}],"
        "\"secret\":\"s2cret\",\"size\":5,\"tags\":{\"k\":\"v-plumb\",\"z\":\"w\"},"
        "\"text\":\"plain\",\"vpc_id\":\"vpc-1\",\"wo\":null}");
    arena_free(&at.arena);
}

/* Which paths come out when the answer is what was sent, but for one change. */
static const struct {
    const char *says, *from, *to, *paths;
} answers[] = {
    {"a full echo", "", "", "computed enabled labels rule[*].cidr secret size tags text "},
    {"the provider looks at the text", "plain-plumb", "plain",
     "computed enabled labels rule[*].cidr secret size tags "},
    {"it looks at the rules", "10.0.0.0/7", "10.0.0.0/8",
     "computed enabled labels secret size tags text "},
    {"a rule more: it looks", "\"rule\":[{",
     "\"rule\":[{\"cidr\":\"::/0\",\"port\":1,\"text\":null},{",
     "computed enabled labels secret size tags text "},
    {"something else came back: it looks", "\"size\":4", "\"size\":77",
     "computed enabled labels rule[*].cidr secret tags text "},
};

static void echoes_are_what_came_back_as_sent(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct bench at;
        struct err err = {0};
        struct value sent;
        struct path *paths;
        size_t n;
        AUTO_BUF out = {.limit = 10000}, got = {.limit = 10000};
        print_message("  %s\n", answers[i].says);
        open_bench(&at);
        assert_true(probe_perturb(&at.arena, &at.type, &at.live, 1, &sent, &n, &err));
        struct jsonw w = {.out = &out};
        jsonw_value(&w, &sent);
        struct str text = buf_view(&out), from = str_from(answers[i].from);
        size_t place = from.len ? str_find(text, from, 0) : 0;
        assert_true(place != SIZE_MAX);
        struct str answer_text =
            arena_printf(&at.arena, "%.*s%s%.*s", (int)place, text.ptr, answers[i].to,
                         (int)(text.len - place - from.len), text.ptr + place + from.len);
        struct value answer = typed(&at, answer_text.ptr);
        assert_true(probe_echoed(&at.arena, &at.type, &at.live, &sent, &answer, &paths, &n, &err));
        for (size_t j = 0; j < n; j++) {
            path_print(&got, paths[j]);
            buf_char(&got, ' ');
        }
        buf_char(&got, '\0');
        assert_string_equal(got.ptr, answers[i].paths);
        arena_free(&at.arena);
    }
}

static void identity_names_are_never_touched(void **state)
{
    (void)state;
    static const char *const identity[] = {"id", "arn", "name", "vpc_id", "role_arn", "region"};
    static const char *const other[] = {"content", "tags", "enabled", "size", "policy", "idle"};
    for (size_t i = 0; i < 6; i++) {
        assert_true(probe_is_identity_name(str_from(identity[i])));
        assert_false(probe_is_identity_name(str_from(other[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_keep_their_shape),
        cmocka_unit_test(echoes_are_what_came_back_as_sent),
        cmocka_unit_test(identity_names_are_never_touched),
    };
    return cmocka_run_group_tests_name("live/reader_provider/probe", tests, NULL, NULL);
}
