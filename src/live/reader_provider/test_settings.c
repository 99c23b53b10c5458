/* test_settings.c - names of provider settings, and their msgpack by the schema. */
#include "base/test.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "live/reader_provider/settings.h"
#include "model/config.h"
#include "model/schema.h"
#include "model/stack.h"
#include "value/type.h"
#include "wire/json.h"

static const struct {
    struct str text, source;
    const char *module, *alias;
} keys[] = {
    {STR_INIT("provider[\"h/n/t\"]"), STR_INIT("h/n/t"), "", ""},
    {STR_INIT("provider[\"h/n/t\"].west"), STR_INIT("h/n/t"), "", "west"},
    {STR_INIT("provider[\"h/n/t\"].west[\"a\"]"), STR_INIT("h/n/t"), "", "west[\"a\"]"},
    {STR_INIT("module.a.provider[\"h/n/t\"].x"), STR_INIT("h/n/t"), "module.a", "x"},
    {STR_INIT(""), STR_INIT("h/n/t"), "", ""},
};

static void keys_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct settings_key key;
        print_message("  %s\n", keys[i].text.ptr);
        assert_true(settings_parse_key(keys[i].text, keys[i].source, &key));
        assert_true(str_equal(key.module, str_from(keys[i].module)));
        assert_true(str_equal(key.alias, str_from(keys[i].alias)));
        assert_true(str_equal(key.source, keys[i].source));
    }
    struct settings_key key;
    assert_false(settings_parse_key(STR("provider[\"h/n/t"), STR("h/n/t"), &key));
}

static const struct {
    const char *name, *alias;
    bool matches;
} names[] = {
    {"aws", "", true},
    {"hashicorp/aws", "", true},
    {"registry.terraform.io/hashicorp/aws", "", true},
    {"aws.west", "west", true},
    {"registry.terraform.io/hashicorp/aws.west", "west", true},
    {"aws", "west", false}, /* another region's settings are not good enough */
    {"aws.west", "", false},
    {"ws", "", false},
    {"other/aws", "", false},
    {"", "", false},
};

static void names_match_source_and_alias(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct settings_key key = {.source = STR("registry.terraform.io/hashicorp/aws"),
                                   .alias = str_from(names[i].alias)};
        print_message("  %s for \"%s\"\n", names[i].name, names[i].alias);
        assert_int_equal(settings_name_matches(str_from(names[i].name), &key), names[i].matches);
    }
}

/* The provider schema of the vector in facts 4.5, and a few more nestings. */
static struct schema_attribute role_attributes[1];
static const struct schema_attribute attributes_base[] = {
    {.name = STR_INIT("endpoint"), .type = &type_string, .optional = true},
    {.name = STR_INIT("retries"), .type = &type_number, .optional = true},
    {.name = STR_INIT("token"), .type = &type_string, .optional = true},
    {.name = STR_INIT("verify"), .type = &type_bool, .optional = true},
};

static const char *env(const char *name)
{
    return strcmp(name, "TOKEN") == 0 ? "t0k" : strcmp(name, "FIVE") == 0 ? "5" : NULL;
}

static bool encode(const char *json, size_t nattributes, enum schema_nesting nesting,
                   char hex[1000], struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    AUTO_BUF out = {.limit = 1000};
    struct value given;
    role_attributes[0] = (struct schema_attribute){.name = STR("role"), .type = &type_string};
    struct schema_block inner = {.attributes = role_attributes, .nattributes = 1};
    struct schema_nested_block blocks[1] = {
        {.name = STR("assume"), .nesting = nesting, .block = &inner}};
    struct schema schema = {.block = {.attributes = attributes_base,
                                      .nattributes = nattributes,
                                      .blocks = blocks,
                                      .nblocks = 1}};
    assert_true(schema_imply_type(&arena, &inner));
    assert_true(schema_imply_type(&arena, &schema.block));
    assert_true(json_parse(&arena, str_from(json), "j", JSON_DEFAULT, &given, err));
    if (!settings_encode(&arena, &schema, &given, env, &out, err))
        return false;
    hex[0] = '\0';
    for (size_t i = 0; i < out.len; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", (unsigned char)out.ptr[i]);
    return true;
}

static const struct {
    const char *says, *json, *hex;
    enum schema_nesting nesting;
} vectors[] = {
    {"Terraform's own vector",
     "{\"assume\":[{\"role\":\"r\"}], \"endpoint\":\"http://x\", \"token\":\"env:TOKEN\"}",
     "84a6617373756d659181a4726f6c65a172a8656e64706f696e74a8687474703a2f2f78a772657472696573c0a5746"
     "f"
     "6b656ea374306b",
     NESTING_LIST},
    {"a secret from a file",
     "{\"assume\":[{\"role\":\"r\"}], \"endpoint\":\"http://x\", "
     "\"token\":\"file:tests/data/secret/token\"}",
     "84a6617373756d659181a4726f6c65a172a8656e64706f696e74a8687474703a2f2f78a772657472696573c0a5746"
     "f"
     "6b656ea374306b",
     NESTING_LIST},
    {"one block stands for a list",
     "{\"assume\":{\"role\":\"r\"}, \"endpoint\":\"http://x\", \"token\":\"t0k\"}",
     "84a6617373756d659181a4726f6c65a172a8656e64706f696e74a8687474703a2f2f78a772657472696573c0a5746"
     "f"
     "6b656ea374306b",
     NESTING_LIST},
    {"nothing given: nulls and an empty list", "{}",
     "84a6617373756d6590a8656e64706f696e74c0a772657472696573c0a5746f6b656ec0", NESTING_LIST},
    {"nothing at all", "null",
     "84a6617373756d6590a8656e64706f696e74c0a772657472696573c0a5746f6b656ec0", NESTING_SET},
    {"an absent single block is null", "{}",
     "84a6617373756d65c0a8656e64706f696e74c0a772657472696573c0a5746f6b656ec0", NESTING_SINGLE},
    {"an absent group is an object of nulls", "{}",
     "84a6617373756d6581a4726f6c65c0a8656e64706f696e74c0a772657472696573c0a5746f6b656ec0",
     NESTING_GROUP},
    {"an absent map is empty", "{}",
     "84a6617373756d6580a8656e64706f696e74c0a772657472696573c0a5746f6b656ec0", NESTING_MAP},
    {"scalars are converted", "{\"endpoint\":12, \"retries\":\"env:FIVE\", \"token\":true}",
     "84a6617373756d6590a8656e64706f696e74a23132a77265747269657305a5746f6b656ea474727565",
     NESTING_LIST},
};

static void settings_become_msgpack(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct err err = {0};
        char hex[1000], text[1024];
        print_message("  %s\n", vectors[i].says);
        if (!encode(vectors[i].json, 3, vectors[i].nesting, hex, &err))
            fail_msg("%s", err_text(&err, text, sizeof text));
        assert_string_equal(hex, vectors[i].hex);
    }
}

static const struct {
    const char *says, *json, *why;
} refused[] = {
    {"unknown name", "{\"tokn\":\"x\"}", "no setting tokn; did you mean \"token\"?"},
    {"unknown name in a block", "{\"assume\":[{\"rol\":\"x\"}]}",
     "no setting assume.rol; did you mean"},
    {"variable not set", "{\"token\":\"env:NOT_SET\"}", "variable NOT_SET is not set"},
    {"text for a number", "{\"retries\":\"many\"}", "retries"},
    {"a list for all", "[1]", "must be a map of settings, not"},
    {"a text for a block", "{\"assume\":\"x\"}", "assume must be a map"},
};

static void what_does_not_fit_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct err err = {0};
        char hex[1000], text[1024];
        assert_false(encode(refused[i].json, 3, NESTING_LIST, hex, &err));
        print_message("  %s: %s\n", refused[i].says, err_text(&err, text, sizeof text));
        assert_non_null(strstr(text, refused[i].why));
    }
}

static void the_first_match_in_plumb_yaml_wins(void **state)
{
    (void)state;
    struct config_provider providers[] = {
        {.name = STR("aws.west"), .config = value_int(1)},
        {.name = STR("hashicorp/aws"), .config = value_int(2)},
        {.name = STR("aws"), .config = value_int(3)},
    };
    struct stack stack = {.providers = providers, .nproviders = 3};
    struct settings_key key = {.source = STR("registry.terraform.io/hashicorp/aws")};
    struct settings got;
    assert_true(settings_from_stack(&stack, NULL, &key, NULL, &got, NULL));
    assert_int_equal(got.values.integer, 2);
    key.alias = STR("west");
    assert_true(settings_from_stack(&stack, NULL, &key, NULL, &got, NULL));
    assert_int_equal(got.values.integer, 1);
    key.alias = STR("east");
    assert_true(settings_from_stack(&stack, NULL, &key, NULL, &got, NULL));
    assert_int_equal(got.values.kind, VALUE_NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_taken_apart),
        cmocka_unit_test(names_match_source_and_alias),
        cmocka_unit_test(settings_become_msgpack),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(the_first_match_in_plumb_yaml_wins),
    };
    return cmocka_run_group_tests_name("live/reader_provider/settings", tests, NULL, NULL);
}
