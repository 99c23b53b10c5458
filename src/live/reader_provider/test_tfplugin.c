/* test_tfplugin.c - requests byte for byte as Google's library writes them, replies that it wrote
 * (tests/data/tfplugin, made by make.py there), every truncation of them, and schemas that lie. */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "live/reader_provider/tfplugin.h"
#include "wire/protobuf.h"

static struct str load(struct arena *arena, const char *name)
{
    const char *root = getenv("PLUMB_ROOT");
    struct str path = arena_printf(arena, "%s/tests/data/tfplugin/%s.bin", root ? root : ".", name);
    struct str bytes;
    assert_true(io_read_file(arena, path.ptr, 1 << 20, &bytes, NULL));
    return bytes;
}

static void assert_bytes(const struct buf *got, const char *name)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct str want = load(&arena, name);
    print_message("  %s\n", name);
    assert_int_equal(got->len, want.len);
    assert_memory_equal(got->ptr, want.ptr, want.len);
}

static void requests_are_written_as_googles_library_does(void **state)
{
    (void)state;
    AUTO_BUF out = {.limit = 1 << 16};
    char id[400], current[400];
    tf_encode_validate_config(&out, STR("\x81\xa1"
                                        "a\xc0"));
    assert_bytes(&out, "validate_request");
    out.len = 0;
    tf_encode_configure(&out, STR("1.11.4"), STR("\x80"));
    assert_bytes(&out, "configure_request");

    out.len = 0;
    memset(id, 'x', sizeof id);
    memcpy(id, "{\"id\":\"", 7);
    memcpy(id + 307, "\"}", 2);
    struct tf_raw_state raw = {.type_name = STR("aws_instance"), .version = 3, .json = {id, 309}};
    tf_encode_upgrade(&out, &raw);
    assert_bytes(&out, "upgrade_request");
    out.len = 0;
    const struct tf_pair pairs[] = {{STR("id"), STR("i")}, {STR("tags.%"), STR("0")}};
    raw = (struct tf_raw_state){.type_name = STR("t"), .flatmap = pairs, .nflatmap = 2};
    tf_encode_upgrade(&out, &raw);
    assert_bytes(&out, "upgrade_flatmap_request");

    out.len = 0;
    memset(current, 'y', sizeof current);
    memcpy(current, "\x81\xa2id\xd9\xff", 6);
    struct tf_read_request read = {.type_name = STR("aws_instance"),
                                   .state = {current, 261},
                                   .private_bytes = STR("\0{}"),
                                   .provider_meta = STR("\x80"),
                                   .identity = STR("\x81\xa2id\xa1i")};
    tf_encode_read(&out, &read);
    assert_bytes(&out, "read_request");
    out.len = 0;
    read = (struct tf_read_request){.type_name = STR("t"), .state = STR("\xc0")};
    tf_encode_read(&out, &read);
    assert_bytes(&out, "read_request_least");
}

static void requests_of_planning_and_importing(void **state)
{
    (void)state;
    AUTO_BUF out = {.limit = 1 << 16};
    tf_encode_validate_resource(&out, STR("t"), STR("\x80"));
    assert_bytes(&out, "validate_resource_request");

    out.len = 0;
    struct tf_plan_request plan = {.type_name = STR("aws_instance"),
                                   .prior = STR("\x81\xa1"
                                                "a\xa1"
                                                "b"),
                                   .proposed = STR("\x81\xa1"
                                                   "a\xa1"
                                                   "c"),
                                   .config = STR("\x81\xa1"
                                                 "a\xc0"),
                                   .private_bytes = STR("\0{}"),
                                   .provider_meta = STR("\x80"),
                                   .identity = STR("\x81\xa2id\xa1i")};
    tf_encode_plan(&out, &plan);
    assert_bytes(&out, "plan_request");
    out.len = 0;
    plan = (struct tf_plan_request){.type_name = STR("t"),
                                    .prior = STR("\xc0"),
                                    .proposed = STR("\x80"),
                                    .config = STR("\x80")};
    tf_encode_plan(&out, &plan);
    assert_bytes(&out, "plan_request_least");

    out.len = 0;
    tf_encode_import(&out, STR("t"), STR("i-1"), STR("\x80")); /* never both */
    assert_bytes(&out, "import_request");
    out.len = 0;
    tf_encode_import(&out, STR("t"), STR(""), STR("\x80"));
    assert_bytes(&out, "import_identity_request");
    out.len = 0;
    tf_encode_generate(&out, STR("t"), STR("\x80"));
    assert_bytes(&out, "generate_request");
    out.len = 0;
    const struct str args[] = {STR("\xa1"
                                   "a"),
                               STR("\001")};
    tf_encode_call_function(&out, STR("parse"), args, 2);
    assert_bytes(&out, "call_request");
}

static void a_plan_reply_gives_all_its_parts(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct tf_plan_reply got;
    assert_true(tf_decode_plan(&arena, load(&arena, "plan_reply"), &got, NULL));
    assert_int_equal(got.planned.len, 6);
    assert_true(got.legacy);
    assert_int_equal(got.deferred, TF_NOT_DEFERRED);
    assert_int_equal(got.diagnostics.n, 1);
    assert_int_equal(got.nrequires_replace, 2);
    assert_true(str_equal(path_text(&arena, got.requires_replace[0]), STR("name")));
    assert_true(str_equal(path_text(&arena, got.requires_replace[1]), STR("disk[0].size")));

    assert_true(tf_decode_plan(&arena, load(&arena, "plan_deferred"), &got, NULL));
    assert_null(got.planned.ptr);
    assert_false(got.legacy);
    assert_int_equal(got.deferred, TF_DEFERRED_RESOURCE_CONFIG);
    assert_int_equal(got.diagnostics.nerrors, 1);
    assert_true(tf_decode_plan(&arena, STR(""), &got, NULL));
    assert_null(got.planned.ptr);
}

static void an_import_reply_lists_what_it_found(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct tf_import_reply got;
    assert_true(tf_decode_import(&arena, load(&arena, "import_reply"), &got, NULL));
    assert_int_equal(got.n, 2);
    assert_true(str_equal(got.items[0].type_name, STR("t")));
    assert_true(str_equal(got.items[0].state, STR("\x80")));
    assert_true(str_equal(got.items[0].private_bytes, STR("q")));
    assert_true(str_equal(got.items[0].identity, STR("\x80")));
    assert_true(tf_is_null(got.items[1].state));
    assert_null(got.items[1].identity.ptr);
    assert_int_equal(got.diagnostics.n, 1);
    assert_true(tf_decode_import(&arena, STR(""), &got, NULL));
    assert_int_equal(got.n, 0);
}

static void a_function_gives_a_value_or_its_own_error(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct tf_function_reply got;
    assert_true(tf_decode_call_function(&arena, load(&arena, "call_reply"), &got, NULL));
    assert_true(str_equal(got.result, STR("\xa2ok")));
    assert_null(got.error.ptr);
    assert_true(tf_decode_call_function(&arena, load(&arena, "call_error"), &got, NULL));
    assert_null(got.result.ptr);
    assert_true(str_equal(got.error, STR("not an ARN")));
    assert_int_equal(got.argument, 0);
    assert_true(tf_decode_call_function(&arena, load(&arena, "call_error_least"), &got, NULL));
    assert_true(got.error.len > 0);
    assert_int_equal(got.argument, -1);
}

static void a_read_reply_gives_all_its_parts(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct tf_read_reply got;
    assert_true(tf_decode_read(&arena, load(&arena, "read_reply"), &got, NULL));
    assert_true(str_equal(got.state, STR("\x81\xa2id\xa1i")));
    assert_true(str_equal(got.identity, STR("\x81\xa2id\xa1j")));
    assert_true(str_equal(got.private_bytes, STR("p")));
    assert_int_equal(got.deferred, TF_NOT_DEFERRED);
    assert_false(tf_is_null(got.state));
    assert_int_equal(got.diagnostics.n, 3);
    assert_int_equal(got.diagnostics.nerrors, 2);
    assert_int_equal(got.diagnostics.items[0].severity, TF_WARNING);
    assert_true(str_equal(path_text(&arena, got.diagnostics.items[1].attribute),
                          STR("ingress[2].tags[\"a.b\"]")));
    assert_true(str_equal(
        tf_diagnostics_text(&arena, &got.diagnostics),
        STR("Cannot read: the \xc3\xbcser said: no ! (at ingress[2].tags[\"a.b\"]) (and 1 more)")));
}

static void a_reply_may_say_gone_deferred_or_nothing(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct tf_read_reply got;
    struct err err = {0};
    assert_true(tf_decode_read(&arena, load(&arena, "read_gone"), &got, NULL));
    assert_true(tf_is_null(got.state));
    assert_int_equal(tf_diagnostics_text(&arena, &got.diagnostics).len, 0);
    assert_true(tf_decode_read(&arena, load(&arena, "read_deferred"), &got, NULL));
    assert_null(got.state.ptr);
    assert_int_equal(got.deferred, TF_DEFERRED_PROVIDER_CONFIG);
    assert_non_null(strstr(tf_deferred_text(got.deferred), "provider's configuration"));
    assert_true(tf_decode_read(&arena, STR(""), &got, NULL));
    assert_null(got.state.ptr); /* never taken for gone */
    assert_false(tf_decode_read(&arena, load(&arena, "read_json"), &got, &err));
    assert_int_equal(err.kind, ERR_UNSUPPORTED);
}

static void the_other_replies(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct tf_validate_reply validate;
    struct tf_upgrade_reply upgrade;
    struct tf_diagnostics configure;
    struct str stop, value = load(&arena, "value_reply");
    assert_true(tf_decode_validate_config(&arena, 5, value, &validate, NULL));
    assert_true(str_equal(validate.prepared, STR("\x80")));
    assert_true(str_equal(tf_diagnostics_text(&arena, &validate.diagnostics), STR("Deprecated")));
    assert_true(tf_decode_validate_config(&arena, 6, value, &validate, NULL));
    assert_null(validate.prepared.ptr);
    assert_true(tf_decode_upgrade_state(&arena, value, &upgrade, NULL));
    assert_true(str_equal(upgrade.state, STR("\x80")));
    assert_true(tf_decode_upgrade_identity(&arena, load(&arena, "identity_reply"), &upgrade, NULL));
    assert_true(str_equal(upgrade.state, STR("\x80")));
    assert_true(tf_decode_configure(&arena, STR(""), &configure, NULL));
    assert_int_equal(configure.n, 0);
    assert_true(tf_decode_stop(load(&arena, "stop_reply"), &stop, NULL));
    assert_true(str_equal(stop, STR("cannot stop")));
}

/* --- schemas --- */

static void assert_type(const struct schema_block *block, const char *want)
{
    AUTO_BUF out = {.limit = 1 << 16};
    type_print_json(&out, block->type);
    buf_char(&out, '\0');
    assert_string_equal(out.ptr, want);
}

static void a_schema_of_protocol_5(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20}, gone = {.limit = 1 << 20};
    struct provider_schema schema;
    struct tf_diagnostics diagnostics;
    assert_true(tf_decode_schema(&arena, 5, TF_SCHEMA_WHOLE, load(&gone, "schema5"), &schema,
                                 &diagnostics, NULL));
    assert_int_equal(diagnostics.n, 1);
    arena_free(&gone); /* nothing of the schema points there */
    assert_int_equal(schema.nresources, 2);
    assert_false(schema.schema_optional);
    assert_type(&schema.provider->block, "[\"object\",{\"region\":\"string\"}]");
    assert_type(&schema.provider_meta->block, "[\"object\",{\"module\":\"string\"}]");
    const struct schema_named *thing = schema_find_resource(&schema, STR("fake_thing"));
    assert_non_null(thing);
    assert_null(schema_find_resource(&schema, STR("fake_data")));
    assert_non_null(schema_find_data(&schema, STR("fake_data")));
    assert_null(thing->identity);
    assert_int_equal(thing->schema->version, 7);
    const struct schema_block *block = &thing->schema->block;
    assert_type(block,
                "[\"object\",{\"any\":\"dynamic\",\"disk\":[\"list\",[\"object\",{\"size\":"
                "\"number\"}]],\"group\":[\"object\",{\"x\":\"bool\"}],\"id\":\"string\","
                "\"loose\":\"dynamic\",\"name\":\"string\",\"password\":\"string\",\"ports\":"
                "[\"list\",\"number\"],\"rule\":[\"set\",[\"object\",{\"port\":\"number\"}]],"
                "\"rules\":[\"set\",[\"object\",{\"cidr\":[\"list\",\"string\"],\"port\":"
                "\"number\"}]],\"site\":[\"map\",[\"object\",{\"zone\":\"string\"}]],"
                "\"timeouts\":[\"object\",{\"create\":\"string\"}]}]");
    const struct schema_attribute *password = schema_find_attribute(block, STR("password"));
    assert_true(password->sensitive && password->write_only && password->optional);
    assert_false(password->computed || password->required || password->deprecated);
    assert_true(schema_find_attribute(block, STR("ports"))->deprecated);
    assert_true(schema_find_attribute(block, STR("name"))->required);
    assert_true(schema_find_attribute(block, STR("id"))->computed);
    const struct schema_nested_block *disk = schema_find_block(block, STR("disk"));
    assert_int_equal(disk->nesting, NESTING_LIST);
    assert_int_equal(disk->min_items, 1);
    assert_int_equal(disk->max_items, 8);
}

static void a_schema_of_protocol_6_with_identities(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct provider_schema schema;
    struct tf_diagnostics diagnostics;
    assert_true(tf_decode_schema(&arena, 6, TF_SCHEMA_WHOLE, load(&arena, "schema6"), &schema,
                                 &diagnostics, NULL));
    assert_true(schema.schema_optional);
    assert_null(schema.provider_meta);
    assert_true(schema.generates_config);
    const struct schema_named *thing = schema_find_resource(&schema, STR("fake_nested"));
    const struct schema_block *block = &thing->schema->block;
#define OBJECT "[\"object\",{\"deep\":[\"object\",{\"n\":\"number\"}],\"key\":\"string\"}]"
    assert_type(block, "[\"object\",{\"list\":[\"list\"," OBJECT "],\"map\":[\"map\"," OBJECT
                       "],\"one\":" OBJECT ",\"secret\":\"string\",\"set\":[\"set\"," OBJECT "]}]");
    const struct schema_attribute *map = schema_find_attribute(block, STR("map"));
    assert_int_equal(map->nesting, NESTING_MAP);
    assert_true(map->computed);
    const struct schema_attribute *deep = schema_find_attribute(map->nested, STR("deep"));
    assert_true(schema_find_attribute(deep->nested, STR("n"))->computed);
    assert_true(schema_find_attribute(block, STR("secret"))->write_only);

    assert_true(tf_decode_identity_schemas(&arena, load(&arena, "identities"), &schema,
                                           &diagnostics, NULL));
    thing = schema_find_resource(&schema, STR("fake_nested"));
    assert_int_equal(thing->identity->version, 2);
    assert_type(&thing->identity->block, "[\"object\",{\"arn\":\"string\",\"region\":\"string\"}]");
    assert_true(schema_find_attribute(&thing->identity->block, STR("arn"))->required);
}

static void a_schema_has_data_sources_ephemerals_and_functions(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct provider_schema schema;
    struct tf_diagnostics diagnostics;
    struct str bytes = load(&arena, "schema6");
    assert_true(
        tf_decode_schema(&arena, 6, TF_SCHEMA_RESOURCES, bytes, &schema, &diagnostics, NULL));
    assert_non_null(schema_find_resource(&schema, STR("fake_nested")));
    assert_null(schema_find_data(&schema, STR("fake_look")));

    assert_true(tf_decode_schema(&arena, 6, TF_SCHEMA_WHOLE, bytes, &schema, &diagnostics, NULL));
    assert_type(&schema_find_data(&schema, STR("fake_look"))->schema->block,
                "[\"object\",{\"found\":\"string\"}]");
    assert_type(&schema_find_ephemeral(&schema, STR("fake_token"))->schema->block,
                "[\"object\",{\"token\":\"string\"}]");
    assert_null(schema_find_data(&schema, STR("fake_token")));
    const struct schema_function *parse = schema_find_function(&schema, STR("parse"));
    assert_int_equal(parse->nparameters, 2);
    assert_true(str_equal(parse->parameters[0].name, STR("arn")));
    assert_int_equal(parse->parameters[0].type->kind, TYPE_STRING);
    assert_false(parse->parameters[0].allow_null || parse->parameters[0].allow_unknown);
    assert_true(parse->parameters[1].allow_null && parse->parameters[1].allow_unknown);
    assert_int_equal(parse->variadic->type->kind, TYPE_LIST);
    assert_int_equal(parse->result->kind, TYPE_MAP);
    const struct schema_function *bare = schema_find_function(&schema, STR("bare"));
    assert_int_equal(bare->nparameters, 0);
    assert_null(bare->variadic);
    assert_null(schema_find_function(&schema, STR("none")));
}

static void every_truncation_is_an_error_or_a_smaller_reply(void **state)
{
    (void)state;
    static const char *const names[] = {"schema5",    "schema6",      "identities", "read_reply",
                                        "plan_reply", "import_reply", "call_error"};
    for (size_t f = 0; f < sizeof names / sizeof *names; f++) {
        AUTO_ARENA keep = {.limit = 1 << 20};
        struct str whole = load(&keep, names[f]);
        for (size_t n = 0; n < whole.len; n++) {
            AUTO_ARENA arena = {.limit = 1 << 20};
            struct provider_schema schema = {0};
            struct tf_diagnostics diagnostics;
            struct tf_read_reply read;
            struct tf_plan_reply plan;
            struct tf_import_reply imported;
            struct tf_function_reply function;
            struct str cut = arena_dup(&arena, str_sub(whole, 0, n));
            (void)tf_decode_schema(&arena, f ? 6 : 5, TF_SCHEMA_WHOLE, cut, &schema, &diagnostics,
                                   NULL);
            (void)tf_decode_identity_schemas(&arena, cut, &schema, &diagnostics, NULL);
            (void)tf_decode_read(&arena, cut, &read, NULL);
            (void)tf_decode_plan(&arena, cut, &plan, NULL);
            (void)tf_decode_import(&arena, cut, &imported, NULL);
            (void)tf_decode_call_function(&arena, cut, &function, NULL);
        }
    }
}

/* A resource "t" with that block. */
static bool decode_block(struct arena *arena, struct str block, struct err *err)
{
    AUTO_BUF out = {.limit = 1 << 20};
    struct provider_schema schema;
    struct tf_diagnostics diagnostics;
    size_t entry = pb_open(&out, 2);
    pb_put_bytes(&out, 1, STR("t"));
    size_t value = pb_open(&out, 2);
    pb_put_message(&out, 2, block);
    pb_close(&out, value);
    pb_close(&out, entry);
    return tf_decode_schema(arena, 6, TF_SCHEMA_WHOLE, buf_view(&out), &schema, &diagnostics, err);
}

static void put_attribute(struct buf *out, const char *name, const char *type)
{
    size_t mark = pb_open(out, 2);
    pb_put_bytes(out, 1, str_from(name));
    pb_put_bytes(out, 2, str_from(type));
    pb_close(out, mark);
}

static void put_nested(struct buf *out, const char *name, int64_t nesting, unsigned depth)
{
    size_t mark = pb_open(out, 3);
    pb_put_bytes(out, 1, str_from(name));
    size_t block = pb_open(out, 2);
    if (depth)
        put_nested(out, name, nesting, depth - 1);
    pb_close(out, block);
    pb_put_int(out, 3, nesting);
    pb_close(out, mark);
}

static void a_schema_that_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *says, *first, *first_type, *second; /* attributes */
        int64_t nesting;                                /* of a block "b"; 0 = none, 99 = 0 */
        unsigned depth;
        const char *error;
    } cases[] = {
        {"an attribute twice", "a", "\"string\"", "a", 0, 0, "has \"a\" twice"},
        {"an attribute and a block of one name", "b", "\"string\"", NULL, 1, 0, "has \"b\" twice"},
        {"a type that is none", "a", "\"strange\"", NULL, 0, 0, "attribute \"a\""},
        {"a type that is no JSON", "a", "[", NULL, 0, 0, "attribute \"a\""},
        {"no type", "a", "", NULL, 0, 0, "attribute \"a\""},
        {"nesting mode 6", NULL, NULL, NULL, 6, 0, "nesting mode 6"},
        {"nesting mode -1", NULL, NULL, NULL, -1, 0, "nesting mode -1"},
        {"nested too deep", NULL, NULL, NULL, 1, 100, "nested deeper than"},
        {"good", "a", "[\"map\",\"dynamic\"]", "c", 2, 20, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        AUTO_BUF block = {.limit = 1 << 20};
        struct err err = {0};
        char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
        print_message("  %s\n", cases[i].says);
        if (cases[i].first)
            put_attribute(&block, cases[i].first, cases[i].first_type);
        if (cases[i].second)
            put_attribute(&block, cases[i].second, "\"bool\"");
        if (cases[i].nesting)
            put_nested(&block, "b", cases[i].nesting, cases[i].depth);
        assert_int_equal(decode_block(&arena, buf_view(&block), &err), !cases[i].error);
        if (cases[i].error)
            assert_non_null(strstr(err_text(&err, text, sizeof text), cases[i].error));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_written_as_googles_library_does),
        cmocka_unit_test(requests_of_planning_and_importing),
        cmocka_unit_test(a_plan_reply_gives_all_its_parts),
        cmocka_unit_test(an_import_reply_lists_what_it_found),
        cmocka_unit_test(a_function_gives_a_value_or_its_own_error),
        cmocka_unit_test(a_schema_has_data_sources_ephemerals_and_functions),
        cmocka_unit_test(a_read_reply_gives_all_its_parts),
        cmocka_unit_test(a_reply_may_say_gone_deferred_or_nothing),
        cmocka_unit_test(the_other_replies),
        cmocka_unit_test(a_schema_of_protocol_5),
        cmocka_unit_test(a_schema_of_protocol_6_with_identities),
        cmocka_unit_test(every_truncation_is_an_error_or_a_smaller_reply),
        cmocka_unit_test(a_schema_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests_name("live/tfplugin", tests, NULL, NULL);
}
