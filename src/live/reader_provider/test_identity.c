/* test_identity.c - identities of import blocks, as the provider gets them or as they are refused.
 */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "live/reader_provider/identity.h"
#include "model/schema.h"
#include "value/type.h"
#include "wire/json.h"
#include "wire/msgpack.h"

static const struct type *type_from(struct arena *arena, const char *json)
{
    struct value v;
    const struct type *type = NULL;
    assert_true(json_parse(arena, str_from(json), "type", JSON_DEFAULT, &v, NULL));
    assert_true(type_from_value(arena, &v, &type, NULL));
    return type;
}

static const struct {
    const char *says, *given, *want; /* want: as JSON, or what the refusal ends with */
    bool refused;
} cases[] = {
    {"all of it", "{\"id\":\"i-1\",\"region\":\"eu\",\"n\":3}",
     "{\"id\":\"i-1\",\"n\":3,\"region\":\"eu\"}", false},
    {"what need not be given is null", "{\"id\":\"i-1\"}",
     "{\"id\":\"i-1\",\"n\":null,\"region\":null}", false},
    {"converted as the language does it", "{\"id\":12,\"n\":\"7\"}",
     "{\"id\":\"12\",\"n\":7,\"region\":null}", false},
    {"without what is required", "{\"region\":\"eu\"}", "it wants id", true},
    {"null for what is required", "{\"id\":null}", "it wants id", true},
    {"what no identity has", "{\"id\":\"a\",\"zone\":1}", "it has no attribute zone", true},
    {"another type", "{\"id\":\"a\",\"n\":\"many\"}", "n: a number is required", true},
};

static void an_identity_is_of_the_type_of_its_schema(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        char room[400];
        const struct type *type = type_from(
            &arena, "[\"object\",{\"id\":\"string\",\"n\":\"number\",\"region\":\"string\"}]");
        struct schema_attribute attributes[] = {
            {.name = STR("id"), .type = &type_string, .required = true},
            {.name = STR("n"), .type = &type_number, .optional = true},
            {.name = STR("region"), .type = &type_string, .optional = true}};
        struct schema schema = {
            .block = {.attributes = attributes, .nattributes = 3, .type = type}};
        struct str bytes = {0};
        struct value got, want;
        print_message("  %s\n", cases[i].says);
        bool ok = identity_encode(&arena, &schema, str_from(cases[i].given), &bytes, &err);
        assert_int_equal(ok, !cases[i].refused);
        if (!ok) {
            assert_int_equal(err.kind, ERR_SYNTAX);
            assert_string_equal(err_text(&err, room, sizeof room), cases[i].want);
            continue;
        }
        assert_true(msgpack_decode(&arena, type, bytes, &got, &err));
        assert_true(json_parse(&arena, str_from(cases[i].want), "want", JSON_DEFAULT, &want, &err));
        assert_true(type_apply(&arena, type, &want, true, &want, &err));
        assert_true(value_equal(&got, &want));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_identity_is_of_the_type_of_its_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
