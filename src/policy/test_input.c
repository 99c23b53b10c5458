/* test_input.c - the input document: complete, without secrets, valid by its schema, and back. */
#include "base/test.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "lang/rego/rego.h"
#include "policy/asked.h"
#include "policy/input.h"
#include "policy/plain.h"
#include "wire/json.h"

enum { MEMORY = 64 << 20 };

static struct value json(struct arena *arena, const char *text)
{
    struct value v;
    assert_true(json_parse(arena, str_from(text), "test", JSON_DEFAULT, &v, NULL));
    return v;
}

static const char *text_of(struct arena *arena, const struct value *v)
{
    AUTO_BUF out = {.limit = 1 << 20};
    struct jsonw w = {.out = &out};
    jsonw_value(&w, v);
    return arena_dup(arena, buf_view(&out)).ptr;
}

/* json.match_schema says so: [true, []]. */
static void assert_valid(struct arena *arena, const struct value *doc)
{
    struct err err = {0};
    struct str schema;
    struct rego_policy *policy;
    struct rego_query *query;
    struct rego_result result;
    struct rego_diags diags = {.arena = arena};
    struct value_member members[2];
    struct value given, plain;
    assert_true(
        io_read_file(arena, "docs/schema/policy-input.schema.json", 1 << 20, &schema, &err));
    members[0] = (struct value_member){key_make(arena, STR("doc")), *doc};
    members[1] = (struct value_member){key_make(arena, STR("schema")), value_string(schema)};
    assert_true(value_members(VALUE_OBJECT, members, 2, &given, NULL, &err));
    assert_true(
        rego_compile(NULL, 0, NULL, &(struct rego_compile_options){0}, &diags, &policy, &err));
    assert_true(rego_prepare(policy, STR("json.match_schema(input.doc, input.schema)"), &diags,
                             &query, &err));
    assert_true(rego_eval(query, &given, &(struct rego_eval_options){0}, arena, &result, &err));
    assert_int_equal(result.values.len, 1);
    assert_true(policy_plain(arena, &result.values.items[0].items[0], &plain, &err));
    assert_string_equal(text_of(arena, &plain), "[true,[]]");
    rego_query_close(query);
    rego_close(policy);
}

static struct rule_subject full_subject(struct arena *arena, struct value *values,
                                        struct rule_change *change)
{
    static const struct str replace[] = {STR_INIT("ami")};
    struct err err = {0};
    *values = json(arena, "{\"acl\": \"public\", \"secret\": \"hunter2\", \"list\": [1], "
                          "\"later\": \"\", \"tags\": {\"a\": \"1\", \"b\": \"2\"}, "
                          "\"tags_all\": {\"a\": \"0\", \"team\": \"x\"}}");
    for (size_t i = 0; i < values->len; i++) {
        struct value *v = (struct value *)(uintptr_t)&values->members[i].value;
        struct str key = key_str(values->members[i].key);
        if (str_equal(key, STR("secret")))
            v->marks = VALUE_SENSITIVE;
        if (str_equal(key, STR("list")))
            v->kind = VALUE_SET;
        if (str_equal(key, STR("later")))
            *v = value_unknown(NULL);
    }
    *change = (struct rule_change){.path_text = STR("acl"),
                                   .before = value_get(values, STR("secret")),
                                   .after = value_get(values, STR("acl"))};
    assert_true(path_parse(arena, change->path_text, &change->path, &err));
    return (struct rule_subject){.kind = SUBJECT_FINDING,
                                 .source = RULE_SOURCE_TERRAFORM,
                                 .class_ = CLASS_CONTRADICTS_CODE,
                                 .address = STR("aws_s3_bucket.b[0]"),
                                 .mode = STR("managed"),
                                 .type = STR("aws_s3_bucket"),
                                 .name = STR("b"),
                                 .index = value_int(0),
                                 .values = values,
                                 .live = values,
                                 .change = change,
                                 .nchanges = 1,
                                 .action = STR("replace"),
                                 .stack = STR("net"),
                                 .env = STR("prod"),
                                 .code = {.file = STR("main.tf"), .line = 3, .column = 1},
                                 .code_owners = STR("@a @b"),
                                 .actor = {true, STR("human"), STR("arn:x"), STR("console")},
                                 .now_utc_ms = 1700000000123,
                                 .fingerprint = STR("f"),
                                 .replace_paths = {replace, 1},
                                 .enforcement_point = STR("scan")};
}

static void everything_known_is_in_it(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = MEMORY};
    struct err err = {0};
    struct value values, doc;
    struct rule_change change;
    struct rule_subject s = full_subject(&arena, &values, &change);
    assert_true(input_make(&arena, &s, &doc, &err));
    assert_valid(&arena, &doc);
    assert_string_equal(
        text_of(&arena, value_get(&doc, STR("resource"))),
        "{\"address\":\"aws_s3_bucket.b[0]\",\"id\":null,\"index\":0,\"mode\":\"managed\","
        "\"module\":null,\"name\":\"b\",\"provider\":null,\"source\":\"terraform\","
        "\"tags\":{\"a\":\"1\",\"b\":\"2\",\"team\":\"x\"},\"type\":\"aws_s3_bucket\","
        "\"unknown\":[\"later\"],\"values\":{\"acl\":\"public\",\"later\":null,\"list\":[1],"
        "\"secret\":\"(sensitive)\",\"tags\":{\"a\":\"1\",\"b\":\"2\"},"
        "\"tags_all\":{\"a\":\"0\",\"team\":\"x\"}}}");
    assert_string_equal(
        text_of(&arena, value_get(&doc, STR("changes"))),
        "[{\"after\":\"public\",\"before\":\"(sensitive)\",\"computed\":false,\"op\":\"change\","
        "\"path\":[\"acl\"],\"path_text\":\"acl\",\"sensitive\":false,\"unknown\":false}]");
    assert_string_equal(text_of(&arena, value_get(&doc, STR("code"))),
                        "{\"author\":null,\"column\":1,\"commit\":null,\"file\":\"main.tf\","
                        "\"line\":3,\"owners\":[\"@a\",\"@b\"]}");
    assert_string_equal(text_of(&arena, value_get(&doc, STR("plan"))),
                        "{\"action\":\"replace\",\"actions\":[\"delete\",\"create\"],"
                        "\"replace_paths\":[\"ami\"]}");
    assert_string_equal(text_of(&arena, value_get(&doc, STR("now"))), "1700000000123000000");
}

static void what_is_not_known_is_null(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = MEMORY};
    struct err err = {0};
    struct value doc;
    const struct rule_subject s = {0};
    assert_true(input_make(&arena, &s, &doc, &err));
    assert_valid(&arena, &doc);
    assert_int_equal(doc.len, 16);
    assert_int_equal(value_get(&doc, STR("code"))->kind, VALUE_NULL);
    assert_int_equal(value_get(&doc, STR("now"))->kind, VALUE_NULL);
}

static void the_way_back_gives_the_same_subject(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = MEMORY};
    struct err err = {0};
    struct value values, doc, again;
    struct rule_change change;
    struct rule_subject s = full_subject(&arena, &values, &change), back;
    assert_true(input_make(&arena, &s, &doc, &err));
    assert_true(input_to_subject(&arena, &doc, &back));
    assert_int_equal(back.kind, s.kind);
    assert_int_equal(back.class_, s.class_);
    assert_true(str_equal(back.action, s.action));
    assert_true(str_equal(back.change[0].path_text, s.change[0].path_text));
    assert_true(input_make(&arena, &back, &again, &err));
    assert_valid(&arena, &again);
    assert_true(value_equal(value_get(&doc, STR("changes")), value_get(&again, STR("changes"))));
    assert_true(value_equal(value_get(&doc, STR("stack")), value_get(&again, STR("stack"))));
    assert_true(value_equal(value_get(&doc, STR("actor")), value_get(&again, STR("actor"))));
}

static void what_was_asked_can_be_asked_again(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = MEMORY};
    AUTO_BUF text = {.limit = ASKED_BYTES_MAX}, again = {.limit = ASKED_BYTES_MAX};
    const struct str digest = STR("sha256:00");
    struct err err = {0};
    struct value values;
    struct rule_change change;
    struct rule_subject s = full_subject(&arena, &values, &change), back;
    s.replace_paths.n = 0; /* of a plan, which no finding has */
    assert_true(asked_write(&text, &s, &digest, &err));
    assert_true(asked_read(&arena, buf_view(&text), &back, &err));
    assert_int_equal(value_get(back.values, STR("later"))->kind, VALUE_UNKNOWN);
    assert_true(value_get(back.values, STR("secret"))->marks & VALUE_SENSITIVE);
    assert_false(value_get(back.values, STR("acl"))->marks & VALUE_SENSITIVE);
    assert_true(str_equal(back.digest[0], digest));
    assert_int_equal(back.code.line, 3);
    assert_true(str_equal(back.code_owners, STR("@a @b")));
    assert_true(asked_write(&again, &back, back.digest, &err));
    assert_true(str_equal(buf_view(&text), buf_view(&again)));
    assert_false(asked_read(&arena, STR("[]"), &back, &err));
    assert_false(asked_read(&arena, STR("{\"input\":"), &back, &err));
}

static void a_full_arena_is_an_error(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = MEMORY};
    struct value values, doc;
    struct rule_change change;
    struct rule_subject s = full_subject(&arena, &values, &change);
    for (size_t limit = 64; limit < 4096; limit += 64) {
        AUTO_ARENA small = {.limit = limit};
        struct err err = {0};
        if (input_make(&small, &s, &doc, &err))
            continue;
        assert_int_equal(err.kind, ERR_LIMIT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_known_is_in_it),
        cmocka_unit_test(what_is_not_known_is_null),
        cmocka_unit_test(the_way_back_gives_the_same_subject),
        cmocka_unit_test(what_was_asked_can_be_asked_again),
        cmocka_unit_test(a_full_arena_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
