/* test_cursor.c - what a place of a value is in its schema: flags, fields, secrets. */
#include "base/test.h"

#include "base/arena.h"
#include "base/err.h"
#include "drift/cursor.h"
#include "drift/sensitive.h"
#include "wire/json.h"

static const struct type list_of_string = {.kind = TYPE_LIST, .elem = &type_string};

static const struct schema_attribute disk_attributes[] = {
    {.name = STR_INIT("key"), .type = &type_string, .optional = true, .sensitive = true},
    {.name = STR_INIT("serial"), .type = &type_string, .computed = true},
    {.name = STR_INIT("size"), .type = &type_number, .required = true},
};
static const struct schema_block disk = {.attributes = disk_attributes, .nattributes = 3};
static const struct schema_nested_block blocks[] = {
    {.name = STR_INIT("disk"), .nesting = NESTING_LIST, .block = &disk},
    {.name = STR_INIT("root"), .nesting = NESTING_SINGLE, .block = &disk},
};
static const struct schema_attribute attributes[] = {
    {.name = STR_INIT("facts"), .computed = true, .nesting = NESTING_MAP, .nested = &disk},
    {.name = STR_INIT("id"), .type = &type_string, .optional = true, .computed = true},
    {.name = STR_INIT("names"), .type = &list_of_string, .optional = true},
    {.name = STR_INIT("once"), .type = &type_string, .optional = true, .write_only = true},
};
static const struct schema framework = {
    .block = {.attributes = attributes, .nattributes = 4, .blocks = blocks, .nblocks = 2}};
static const struct schema sdkv2 = {
    .block = {.attributes = attributes + 1, .nattributes = 3, .blocks = blocks, .nblocks = 2}};

static const struct {
    const char *path;
    enum cursor_kind kind;
    bool own, computed_only, sensitive;
} places[] = {
    {"", CURSOR_BLOCK, false, false, false},
    {"names", CURSOR_VALUE, true, false, false},
    {"names[3]", CURSOR_VALUE, false, false, false},
    {"disk", CURSOR_BLOCKS, true, false, false},
    {"disk[1]", CURSOR_BLOCK, false, false, false},
    {"disk[1].size", CURSOR_VALUE, true, false, false},
    {"disk[1].serial", CURSOR_VALUE, true, true, false},
    {"disk[1].key", CURSOR_VALUE, true, false, true},
    {"root", CURSOR_BLOCK, true, false, false},
    {"root.key", CURSOR_VALUE, true, false, true},
    {"facts", CURSOR_BLOCKS, true, true, false},
    {"facts.a", CURSOR_BLOCK, false, true, false},
    {"facts.a.size", CURSOR_VALUE, true, true, false}, /* computed from outside in */
    {"facts.a.key", CURSOR_VALUE, true, true, true},
    {"unheard_of", CURSOR_NONE, true, false, false},
    {"unheard_of.deeper[0].still", CURSOR_NONE, true, false, false},
};

static void each_place_has_its_flags(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        AUTO_ARENA arena = {.limit = 1 << 16};
        struct path path;
        print_message("  %s\n", places[i].path);
        assert_true(path_parse(&arena, str_from(places[i].path), &path, NULL));
        struct cursor at = cursor_follow(cursor_root(&framework), path);
        assert_int_equal(at.kind, places[i].kind);
        assert_int_equal(at.own, places[i].own);
        assert_int_equal(at.computed_only, places[i].computed_only);
        assert_int_equal(at.sensitive, places[i].sensitive);
        assert_int_equal(at.depth, path.n);
        assert_false(at.legacy);
        assert_int_equal(cursor_follow(cursor_root(NULL), path).kind, CURSOR_NONE);
    }
}

static void sdkv2_is_known_by_its_id(void **state)
{
    (void)state;
    struct cursor root = cursor_root(&sdkv2);
    assert_true(root.legacy);
    assert_true(cursor_member(&root, STR("id"), false).computed_only);
    root = cursor_root(&framework); /* nested attributes: not SDKv2 */
    assert_false(cursor_member(&root, STR("id"), false).computed_only);
    assert_true(cursor_member(&root, STR("once"), false).write_only);
    assert_true(schema_any_sensitive(&framework.block));
    assert_false(schema_any_sensitive(
        &(struct schema_block){.attributes = attributes + 1, .nattributes = 3}));
}

/* Every string of the document is marked, or not, as it says itself. */
static size_t check_marks(const struct value *v)
{
    size_t n = 0;
    if (v->kind == VALUE_STRING) {
        bool secret = str_starts(value_text(v), STR("secret"));
        assert_int_equal((v->marks & VALUE_SENSITIVE) != 0, secret);
        return 1;
    }
    for (uint32_t i = 0; value_is_list_like(v) && i < v->len; i++)
        n += check_marks(&v->items[i]);
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++)
        n += check_marks(&v->members[i].value);
    return n;
}

static void marks_come_from_schema_paths_and_values(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct value v, marked;
    struct err err = {0};
    struct path paths[2];
    assert_true(path_parse(&arena, STR("names[7]"), &paths[0], NULL));
    assert_true(path_parse(&arena, STR("other.a"), &paths[1], NULL));
    assert_true(json_parse(
        &arena,
        STR("{\"id\":\"open\",\"names\":[\"secret\",\"secret\"],\"disk\":[{\"key\":\"secret\","
            "\"serial\":\"open\"}],\"facts\":{\"x\":{\"key\":\"secret\"},\"y\":{\"serial\":"
            "\"open\"}},"
            "\"other\":{\"a\":{\"deep\":[\"secret\"]},\"b\":\"open\"}}"),
        "v", JSON_DEFAULT, &v, &err));
    struct sensitive_input in = {&framework, paths, 2};
    assert_true(sensitive_any(&in, &v));
    assert_true(sensitive_mark(&arena, &in, &v, &marked, &err));
    assert_int_equal(check_marks(&marked), 9);
    assert_true(value_equal(&v, &marked));
    assert_false(value_any_sensitive(&v)); /* the input is as it was */

    in = (struct sensitive_input){NULL, NULL, 0};
    assert_false(sensitive_any(&in, &v));
    assert_true(sensitive_any(&in, &marked));
    struct path many[SENSITIVE_PATHS_MAX + 1] = {{0}}; /* too many to look at: all is secret */
    in = (struct sensitive_input){NULL, many, SENSITIVE_PATHS_MAX + 1};
    assert_true(sensitive_mark(&arena, &in, &v, &marked, &err));
    assert_true(marked.marks & VALUE_SENSITIVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_place_has_its_flags),
        cmocka_unit_test(sdkv2_is_known_by_its_id),
        cmocka_unit_test(marks_come_from_schema_paths_and_values),
    };
    return cmocka_run_group_tests_name("drift/cursor", tests, NULL, NULL);
}
