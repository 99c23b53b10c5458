/* test_schema.c - lookups by name, and the type that a block implies. */
#include "base/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "model/schema.h"

static const struct schema_attribute inner_attributes[] = {
    {.name = STR_INIT("any"), .type = &type_dynamic, .optional = true},
};
static const struct schema_attribute rule_attributes[] = {
    {.name = STR_INIT("port"), .type = &type_number, .required = true},
};

static void the_type_follows_the_nesting(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 16};
    AUTO_BUF text = {.limit = 1 << 12};
    struct schema_block dynamic = {.attributes = inner_attributes, .nattributes = 1};
    struct schema_block rule = {.attributes = rule_attributes, .nattributes = 1};
    assert_true(schema_imply_type(&arena, &dynamic));
    assert_true(schema_imply_type(&arena, &rule));
    const struct schema_nested_block blocks[] = {
        {.name = STR_INIT("a_list"), .nesting = NESTING_LIST, .block = &rule},
        {.name = STR_INIT("b_set"), .nesting = NESTING_SET, .block = &rule},
        {.name = STR_INIT("c_map"), .nesting = NESTING_MAP, .block = &rule},
        {.name = STR_INIT("d_one"), .nesting = NESTING_SINGLE, .block = &rule},
        {.name = STR_INIT("e_group"), .nesting = NESTING_GROUP, .block = &dynamic},
        {.name = STR_INIT("f_list"), .nesting = NESTING_LIST, .block = &dynamic},
        {.name = STR_INIT("g_map"), .nesting = NESTING_MAP, .block = &dynamic},
        {.name = STR_INIT("h_set"), .nesting = NESTING_SET, .block = &dynamic},
    };
    struct schema_block whole = {.blocks = blocks, .nblocks = sizeof blocks / sizeof *blocks};
    assert_true(schema_imply_type(&arena, &whole));
    type_print_json(&text, whole.type);
    buf_char(&text, '\0');
    assert_string_equal(text.ptr, "[\"object\",{"
                                  "\"a_list\":[\"list\",[\"object\",{\"port\":\"number\"}]],"
                                  "\"b_set\":[\"set\",[\"object\",{\"port\":\"number\"}]],"
                                  "\"c_map\":[\"map\",[\"object\",{\"port\":\"number\"}]],"
                                  "\"d_one\":[\"object\",{\"port\":\"number\"}],"
                                  "\"e_group\":[\"object\",{\"any\":\"dynamic\"}],"
                                  "\"f_list\":\"dynamic\","
                                  "\"g_map\":\"dynamic\","
                                  "\"h_set\":[\"set\",[\"object\",{\"any\":\"dynamic\"}]]}]");

    assert_ptr_equal(schema_find_block(&whole, STR("c_map")), &blocks[2]);
    assert_null(schema_find_block(&whole, STR("c")));
    assert_ptr_equal(schema_find_attribute(&rule, STR("port")), &rule_attributes[0]);
    assert_null(schema_find_attribute(&whole, STR("port")));
}

static void resources_are_found_by_name(void **state)
{
    (void)state;
    static const struct schema schema = {.version = 3};
    static const struct schema_named named[] = {
        {.name = STR_INIT("a_bucket"), .schema = &schema},
        {.name = STR_INIT("a_bucket_policy")},
        {.name = STR_INIT("b")},
    };
    const struct provider_schema provider = {.resources = named, .nresources = 3};
    for (size_t i = 0; i < 3; i++)
        assert_ptr_equal(schema_find_resource(&provider, named[i].name), &named[i]);
    assert_null(schema_find_resource(&provider, STR("a")));
    assert_null(schema_find_resource(&provider, STR("")));
    assert_null(schema_find_resource(&(struct provider_schema){0}, STR("a")));
}

static void a_full_arena_is_said(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 8};
    struct schema_block rule = {.attributes = rule_attributes, .nattributes = 1};
    assert_false(schema_imply_type(&arena, &rule));
}

/* The source is gone before the copy is looked at. */
static void a_copy_stands_alone(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 16};
    struct arena source = {.limit = 1 << 16};
    struct schema_attribute *inner = arena_new(&source, struct schema_attribute, 1);
    struct schema_attribute *outer = arena_new(&source, struct schema_attribute, 2);
    struct schema_block *nested = arena_new(&source, struct schema_block, 1);
    struct schema_nested_block *blocks = arena_new(&source, struct schema_nested_block, 1);
    const struct type *pair[] = {&type_bool, type_collection(&source, TYPE_MAP, &type_dynamic)};
    inner[0] = (struct schema_attribute){.name = arena_dup(&source, STR("port")),
                                         .type = type_tuple(&source, pair, 2),
                                         .sensitive = true};
    *nested = (struct schema_block){.attributes = inner, .nattributes = 1};
    assert_true(schema_imply_type(&source, nested));
    outer[0] = (struct schema_attribute){.name = arena_dup(&source, STR("alpha")),
                                         .type = type_collection(&source, TYPE_SET, &type_number),
                                         .computed = true};
    outer[1] = (struct schema_attribute){.name = arena_dup(&source, STR("beta")),
                                         .type = nested->type,
                                         .nesting = NESTING_SINGLE,
                                         .nested = nested};
    blocks[0] = (struct schema_nested_block){.name = arena_dup(&source, STR("rule")),
                                             .nesting = NESTING_LIST,
                                             .block = nested,
                                             .max_items = 3};
    struct schema from = {
        .version = 4,
        .block = {.attributes = outer, .nattributes = 2, .blocks = blocks, .nblocks = 1}};
    AUTO_BUF before = {.limit = 1 << 12}, after = {.limit = 1 << 12};
    assert_true(schema_imply_type(&source, &from.block));
    type_print_json(&before, from.block.type);
    const struct schema *copy = schema_copy(&arena, &from);
    assert_non_null(copy);
    arena_free(&source);
    type_print_json(&after, copy->block.type);
    assert_true(str_equal(buf_view(&before), buf_view(&after)));
    assert_int_equal(copy->version, 4);
    assert_true(schema_find_attribute(&copy->block, STR("alpha"))->computed);
    assert_int_equal(schema_find_block(&copy->block, STR("rule"))->max_items, 3);
    const struct schema_attribute *beta = schema_find_attribute(&copy->block, STR("beta"));
    assert_true(schema_find_attribute(beta->nested, STR("port"))->sensitive);
    assert_int_equal(beta->nested->attributes[0].type->items[1]->kind, TYPE_MAP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_type_follows_the_nesting),
        cmocka_unit_test(a_copy_stands_alone),
        cmocka_unit_test(resources_are_found_by_name),
        cmocka_unit_test(a_full_arena_is_said),
    };
    return cmocka_run_group_tests_name("model/schema", tests, NULL, NULL);
}
