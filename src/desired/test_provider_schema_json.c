/* test_provider_schema_json.c - `providers schema -json` to model schemas. */
#include "base/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "desired/provider_schema_json.h"

static const char text[] =
    "{\"format_version\":\"1.0\",\"provider_schemas\":{\"example.com/a/b\":{"
    "\"provider\":{\"version\":0,\"block\":{\"attributes\":{\"region\":{\"type\":\"string\","
    "\"optional\":true}}}},"
    "\"resource_schemas\":{\"b_x\":{\"version\":3,\"block\":{\"attributes\":{"
    "\"id\":{\"type\":\"string\",\"computed\":true},"
    "\"disks\":{\"optional\":true,\"nested_type\":{\"nesting_mode\":\"list\",\"attributes\":{"
    "\"size\":{\"type\":\"number\",\"optional\":true,\"sensitive\":true}}}}},"
    "\"block_types\":{\"rule\":{\"nesting_mode\":\"set\",\"max_items\":2,\"block\":{"
    "\"attributes\":{\"port\":{\"type\":\"number\",\"required\":true}}}}}}}},"
    "\"data_source_schemas\":{\"b_y\":{\"version\":0,\"block\":{}}}}}}";

static void a_document_gives_its_types(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    AUTO_BUF out = {.limit = 1 << 12};
    struct err err = {0};
    struct provider_schemas schemas;
    struct str source = STR("example.com/a/b");
    assert_true(provider_schemas_read(&arena, str_from(text), "s.json", &schemas, &err));
    const struct schema *x = provider_schemas_type(&schemas, source, CODE_MANAGED, STR("b_x"));
    assert_non_null(x);
    assert_int_equal(x->version, 3);
    type_print_hcl(&out, x->block.type);
    buf_char(&out, '\0');
    assert_string_equal(out.ptr, "object({disks=list(object({size=number})), id=string, "
                                 "rule=set(object({port=number}))})");
    assert_true(x->block.attributes[0].nested->attributes[0].sensitive);
    assert_int_equal(x->block.blocks[0].max_items, 2);
    assert_non_null(provider_schemas_type(&schemas, source, CODE_DATA, STR("b_y")));
    assert_null(provider_schemas_type(&schemas, source, CODE_DATA, STR("b_x")));
    assert_null(provider_schemas_type(&schemas, STR("nope"), CODE_DATA, STR("b_y")));
    assert_int_equal(provider_schemas_find(&schemas, source)->schema.provider->block.nattributes,
                     1);
}

static void bad_documents_are_named(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{}",
        "{\"format_version\":\"1.0\",\"provider_schemas\":{\"p\":{\"resource_schemas\":{\"t\":{"
        "\"block\":{\"attributes\":{\"a\":{}}}}}}}}",
        "{\"format_version\":\"1.0\",\"provider_schemas\":{\"p\":{\"resource_schemas\":{\"t\":{"
        "\"block\":{\"block_types\":{\"a\":{\"nesting_mode\":\"odd\"}}}}}}}}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct provider_schemas schemas;
        assert_false(provider_schemas_read(&arena, str_from(bad[i]), "s.json", &schemas, &err));
        assert_int_equal(err.kind, ERR_SYNTAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_gives_its_types),
        cmocka_unit_test(bad_documents_are_named),
    };
    return cmocka_run_group_tests_name("desired/provider_schema_json", tests, NULL, NULL);
}
