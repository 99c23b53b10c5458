/* test_adopt.c - live values as code says them, import blocks; edits of code have their cases in
 * tests/data/hcl/edits*.jsonl. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "desired/provider_schema_json.h"
#include "respond/adopt_live.h"
#include "wire/json.h"

enum { FILES_MAX = 4 };

struct world {
    struct arena arena;
    const char *const *file; /* "name=text" */
    struct provider_schemas schemas;
    struct code_options options;
    struct code *code;
};

static bool read_file(void *ctx, struct str path, struct str *ret)
{
    const struct world *world = ctx;
    for (size_t i = 0; i < FILES_MAX && world->file[i]; i++) {
        struct str rest = str_from(world->file[i]), name;
        (void)str_cut(&rest, '=', &name);
        *ret = rest;
        if (str_ends(path, name))
            return true;
    }
    return false;
}

static bool list_files(void *ctx, struct str dir, const struct str **ret, size_t *ret_n)
{
    struct world *world = ctx;
    struct str *names = arena_new(&world->arena, struct str, FILES_MAX);
    size_t n = 0;
    (void)dir;
    for (; names && n < FILES_MAX && world->file[n]; n++) {
        struct str rest = str_from(world->file[n]);
        (void)str_cut(&rest, '=', &names[n]);
    }
    *ret = names;
    *ret_n = n;
    return n;
}

static const struct schema *find_schema(void *ctx, struct str provider, enum code_mode mode,
                                        struct str type)
{
    const struct world *world = ctx;
    return provider_schemas_type(&world->schemas, provider, mode, type);
}

/* Attributes and blocks of every kind, in the form of `terraform providers schema -json`. */
static const char schema_text[] =
    "{\"format_version\":\"1.0\",\"provider_schemas\":{\"registry.terraform.io/hashicorp/lab\":{"
    "\"resource_schemas\":{\"lab_box\":{\"version\":0,\"block\":{\"attributes\":{"
    "\"id\":{\"type\":\"string\",\"optional\":true,\"computed\":true},"
    "\"name\":{\"type\":\"string\",\"required\":true},"
    "\"size\":{\"type\":\"number\",\"optional\":true},"
    "\"mode\":{\"type\":\"string\",\"optional\":true,\"computed\":true},"
    "\"secret\":{\"type\":\"string\",\"optional\":true,\"sensitive\":true},"
    "\"arn\":{\"type\":\"string\",\"computed\":true},"
    "\"tags\":{\"type\":[\"map\",\"string\"],\"optional\":true}},"
    "\"block_types\":{\"rule\":{\"nesting_mode\":\"set\",\"block\":{\"attributes\":{"
    "\"port\":{\"type\":\"number\",\"required\":true},"
    "\"note\":{\"type\":\"string\",\"optional\":true},"
    "\"rule_id\":{\"type\":\"string\",\"computed\":true}}}}}}}}}}}";

static void world_open(struct world *world, const char *const *file)
{
    struct err err = {0};
    *world = (struct world){.arena = {.limit = 1 << 26}, .file = file};
    assert_true(provider_schemas_read(&world->arena, str_from(schema_text), "schema",
                                      &world->schemas, &err));
    world->options = (struct code_options){.root_dir = STR("root"),
                                           .phase = CODE_PLAN,
                                           .schema = find_schema,
                                           .read = read_file,
                                           .list = list_files,
                                           .ctx = world,
                                           .now_utc_ms = INT64_MIN};
    assert_true(code_open(&world->options, &world->code, &err));
    assert_true(code_evaluate(world->code, &err));
}

static void world_close(struct world *world)
{
    code_close(world->code);
    arena_free(&world->arena);
}

static struct value json(struct world *world, const char *text)
{
    struct value v;
    struct err err = {0};
    assert_true(json_parse(&world->arena, str_from(text), "value", 0, &v, &err));
    return v;
}

static const char *const box[] = {"main.tf=resource \"lab_box\" \"a\" {\n"
                                  "  name = \"a\"\n"
                                  "  size = 1\n"
                                  "\n"
                                  "  rule {\n"
                                  "    port = 80 # web\n"
                                  "  }\n"
                                  "}\n",
                                  NULL};

#define BOX(size, rules, rest) \
    "{\"id\":\"i-1\",\"name\":\"a\",\"size\":" size ",\"mode\":\"x\",\"arn\":\"arn:1\"," rest \
    "\"rule\":[" rules "]}"

static const struct {
    const char *says, *live, *names, *want; /* names: "a b"; want NULL: nothing to change */
} merges[] = {
    {"what the provider fills in is no change",
     BOX("1", "{\"port\":80,\"note\":\"\",\"rule_id\":\"r\"}", ""), "rule arn size", NULL},
    {"a number", BOX("5", "{\"port\":80,\"rule_id\":\"r\"}", ""), "size",
     "resource \"lab_box\" \"a\" {\n  name = \"a\"\n  size = 5\n\n  rule {\n    port = 80 # web\n  "
     "}\n}\n"},
    {"nothing: the attribute goes", BOX("null", "{\"port\":80,\"rule_id\":\"r\"}", ""), "size",
     "resource \"lab_box\" \"a\" {\n  name = \"a\"\n\n  rule {\n    port = 80 # web\n  }\n}\n"},
    {"an element more, none lost",
     BOX("1",
         "{\"port\":22,\"note\":\"ssh\",\"rule_id\":\"q\"},{\"port\":80,\"note\":\"\",\"rule_id\":"
         "\"r\"}",
         ""),
     "rule",
     "resource \"lab_box\" \"a\" {\n  name = \"a\"\n  size = 1\n\n  rule {\n    port = 80 # web\n  "
     "}\n"
     "  rule {\n    port = 22\n    note = \"ssh\"\n  }\n}\n"},
    {"an element changed in place", BOX("1", "{\"port\":80,\"note\":\"n\",\"rule_id\":\"r\"}", ""),
     "rule",
     "resource \"lab_box\" \"a\" {\n  name = \"a\"\n  size = 1\n\n  rule {\n    port = 80 # web\n"
     "    note = \"n\"\n  }\n}\n"},
    {"a map that was not there",
     BOX("1", "{\"port\":80,\"rule_id\":\"r\"}", "\"tags\":{\"env\":\"p\"},"), "tags",
     "resource \"lab_box\" \"a\" {\n  name = \"a\"\n  size = 1\n  tags = {\n    env = \"p\"\n  "
     "}\n\n"
     "  rule {\n    port = 80 # web\n  }\n}\n"},
};

static size_t split(struct str names, struct str ret[8])
{
    size_t n = 0;
    for (bool more = true; more && n < 8; n++)
        more = str_cut(&names, ' ', &ret[n]);
    return n;
}

static void code_says_what_is_live(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof merges / sizeof *merges; i++) {
        struct world world;
        struct err err = {0};
        const struct adopt_change *change;
        struct adopt_result result;
        struct str names[8];
        size_t n;
        print_message("  %s\n", merges[i].says);
        world_open(&world, box);
        struct value live = json(&world, merges[i].live);
        const struct code_instance *instance = code_find_instance(world.code, STR("lab_box.a"));
        size_t nnames = split(str_from(merges[i].names), names);
        assert_non_null(instance);
        assert_true(adopt_live_changes(&world.arena, instance, &live, names, nnames, true, &change,
                                       &n, &err));
        assert_int_equal(n, merges[i].want ? 1 : 0);
        if (n) {
            assert_true(
                adopt_plan(&world.arena, &world.options, world.code, change, n, &result, &err));
            assert_false(result.refused);
            assert_int_equal(result.nfiles, 1);
            assert_string_equal(arena_dup(&world.arena, result.file[0].after).ptr, merges[i].want);
        }
        world_close(&world);
    }
}

static void what_is_in_no_code_is_imported(void **state)
{
    (void)state;
    struct world world;
    struct err err = {0};
    struct adopt_result result;
    struct adopt_import import = {.type = STR("lab_box"), .name = STR("b"), .id = STR("i-\"2")};
    world_open(&world, box);
    struct value live =
        json(&world, "{\"id\":\"i-2\",\"name\":\"b\",\"size\":3,\"mode\":\"x\",\"secret\":"
                     "\"hidden\",\"tags\":{},\"rule\":[{\"port\":1,\"rule_id\":\"r\"}]}");
    import.schema = find_schema(&world, STR("registry.terraform.io/hashicorp/lab"), CODE_MANAGED,
                                STR("lab_box"));
    assert_true(adopt_live_config(&world.arena, import.schema, &live, &import.config, &err));
    assert_true(
        adopt_plan_import(&world.arena, &world.options, world.code, &import, &result, &err));
    if (result.refused)
        print_message("%.*s\n", STR_ARG(result.reason));
    assert_false(result.refused);
    struct str added = str_sub(result.file[0].after, strlen(box[0]) - strlen("main.tf="), SIZE_MAX);
    assert_string_equal(arena_dup(&world.arena, added).ptr,
                        "\nimport {\n  to = lab_box.b\n  id = \"i-\\\"2\"\n}\n"
                        "\nresource \"lab_box\" \"b\" {\n  name = \"b\"\n  size = 3\n\n"
                        "  rule {\n    port = 1\n  }\n}\n");
    import.name = STR("a");
    assert_true(
        adopt_plan_import(&world.arena, &world.options, world.code, &import, &result, &err));
    assert_true(result.refused);
    import.name = STR("c");
    import.file = STR("new.tf");
    assert_true(
        adopt_plan_import(&world.arena, &world.options, world.code, &import, &result, &err));
    world_close(&world);
}

/* Nothing used the provider block before. */
static void the_first_resource_of_a_provider_is_imported(void **state)
{
    (void)state;
    static const char *const files[] = {"main.tf=provider \"lab\" {\n}\n", NULL};
    struct world world;
    struct err err = {0};
    struct adopt_result result;
    struct adopt_import import = {.type = STR("lab_box"), .name = STR("b"), .id = STR("i-2")};
    world_open(&world, files);
    import.schema = find_schema(&world, STR("registry.terraform.io/hashicorp/lab"), CODE_MANAGED,
                                STR("lab_box"));
    import.config = json(&world, "{\"name\":\"b\",\"rule\":[]}");
    assert_true(
        adopt_plan_import(&world.arena, &world.options, world.code, &import, &result, &err));
    if (result.refused)
        fail_msg("%.*s", STR_ARG(result.reason));
    assert_true(str_ends(result.file[0].after, STR("resource \"lab_box\" \"b\" {\n"
                                                   "  name = \"b\"\n}\n")));
    world_close(&world);
}

static const char *const two[] = {"main.tf=# the first\n"
                                  "resource \"lab_box\" \"a\" {\n"
                                  "  name = \"a\"\n"
                                  "}\n"
                                  "\n"
                                  "# the second\n"
                                  "resource \"lab_box\" \"b\" {\n"
                                  "  name = \"b\"\n"
                                  "}\n"
                                  "\n"
                                  "resource \"lab_box\" \"c\" {\n"
                                  "  name = lab_box.b.name\n"
                                  "}\n"
                                  "\n"
                                  "resource \"lab_box\" \"d\" {\n"
                                  "  count = 2\n"
                                  "  name  = \"d\"\n"
                                  "}\n",
                                  NULL};

static void what_is_gone_goes(void **state)
{
    (void)state;
    static const struct {
        const char *address, *why; /* NULL: it goes */
    } cases[] = {
        {"lab_box.a", NULL},
        {"lab_box.c", NULL},
        {"lab_box.b", "the edited code would be in error at main.tf:12"},
        {"lab_box.d[0]", "it is one of those that count of main.tf:15 makes"},
        {"lab_box.none", "the code has no lab_box.none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world world;
        struct err err = {0};
        struct adopt_result result;
        world_open(&world, two);
        assert_true(adopt_plan_remove(&world.arena, &world.options, world.code,
                                      str_from(cases[i].address), false, &result, &err));
        if (result.refused != (cases[i].why != NULL))
            fail_msg("%s: %.*s", cases[i].address, STR_ARG(result.reason));
        if (cases[i].why && str_find(result.reason, str_from(cases[i].why), 0) == SIZE_MAX)
            fail_msg("%s: %.*s", cases[i].address, STR_ARG(result.reason));
        if (i == 0)
            assert_true(str_starts(result.file[0].after, STR("# the second\nresource")));
        if (i == 1)
            assert_true(str_find(result.file[0].after, STR("lab_box.b.name"), 0) == SIZE_MAX);
        world_close(&world);
    }
}

/* JSON syntax, removed blocks, import blocks: the text afterwards, or why not. */
static void what_is_gone_goes_from_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *file, *address;
        bool forget;
        const char *want, *why;
    } cases[] = {
        {"main.tf.json={\n  \"resource\": {\n    \"lab_box\": {\n"
         "      \"a\": {\n        \"name\": \"a\"\n      },\n"
         "      \"b\": {\n        \"name\": \"b\"\n      }\n    }\n  }\n}\n",
         "lab_box.a", false,
         "{\n  \"resource\": {\n    \"lab_box\": {\n"
         "      \"b\": {\n        \"name\": \"b\"\n      }\n    }\n  }\n}\n",
         NULL},
        {"main.tf.json={\n  \"locals\": {\n    \"x\": 1\n  },\n  \"resource\": {\n"
         "    \"lab_box\": {\n      \"a\": [\n        {\n          \"name\": \"a\"\n"
         "        }\n      ]\n    }\n  }\n}\n",
         "lab_box.a", false, "{\n  \"locals\": {\n    \"x\": 1\n  }\n}\n", NULL},
        {"main.tf.json={\n  \"resource\": [\n    {\"lab_box\": {\"a\": {\"name\": \"a\"}}},\n"
         "    {\"lab_box\": {\"b\": {\"name\": \"b\"}}}\n  ]\n}\n",
         "lab_box.b", false,
         "{\n  \"resource\": [\n    {\"lab_box\": {\"a\": {\"name\": \"a\"}}}\n  ]\n}\n", NULL},
        {"main.tf.json={\n  \"resource\": {\n    \"lab_box\": {\n      \"a\": {\n"
         "        \"name\": \"a\"\n      }\n    }\n  },\n  \"locals\": {}\n}\n",
         "lab_box.a", true,
         "{\n  \"locals\": {},\n  \"removed\": [\n    {\n      \"from\": \"lab_box.a\",\n"
         "      \"lifecycle\": {\n        \"destroy\": false\n      }\n    }\n  ]\n}\n",
         NULL},
        {"main.tf.json={\n  \"removed\": {\"from\": \"lab_box.z\"},\n"
         "  \"resource\": {\"lab_box\": {\"a\": {\"name\": \"a\"}}}\n}\n",
         "lab_box.a", true, NULL, "main.tf.json has no array of removed blocks"},
        {"main.tf.json={\n  \"resource\": {\"lab_box\": {\"a\": {\"name\": \"a\"}}},\n"
         "  \"resource\": {\"lab_box\": {\"b\": {\"name\": \"b\"}}}\n}\n",
         "lab_box.a", false, NULL, "main.tf.json has the key of a block around it more than once"},
        {"main.tf=# the first\nresource \"lab_box\" \"a\" {\n  name = \"a\"\n}\n\n"
         "# the second\nresource \"lab_box\" \"b\" {\n  name = \"b\"\n}\n",
         "lab_box.b", true,
         "# the first\nresource \"lab_box\" \"a\" {\n  name = \"a\"\n}\n\n"
         "removed {\n  from = lab_box.b\n\n  lifecycle {\n    destroy = false\n  }\n}\n",
         NULL},
        {"main.tf=import {\n  to = lab_box.a\n  id = \"1\"\n}\n\n"
         "resource \"lab_box\" \"a\" {\n  name = \"a\"\n}\n\n"
         "resource \"lab_box\" \"b\" {\n  name = \"b\"\n}\n",
         "lab_box.a", false, "resource \"lab_box\" \"b\" {\n  name = \"b\"\n}\n", NULL},
        {"main.tf=import {\n  for_each = { a = \"1\" }\n  to       = lab_box.a\n"
         "  id       = each.value\n}\n\nresource \"lab_box\" \"a\" {\n  name = \"a\"\n}\n",
         "lab_box.a", false, NULL, "the import block at main.tf:1 is for it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *files[] = {cases[i].file, NULL};
        struct world world;
        struct err err = {0};
        struct adopt_result result;
        world_open(&world, files);
        assert_true(adopt_plan_remove(&world.arena, &world.options, world.code,
                                      str_from(cases[i].address), cases[i].forget, &result, &err));
        if (result.refused != (cases[i].why != NULL))
            fail_msg("case %zu: %.*s", i, STR_ARG(result.reason));
        if (cases[i].why && !str_starts(result.reason, str_from(cases[i].why)))
            fail_msg("case %zu: %.*s", i, STR_ARG(result.reason));
        if (cases[i].want && !str_equal(result.file[0].after, str_from(cases[i].want)))
            fail_msg("case %zu:\n%.*s", i, STR_ARG(result.file[0].after));
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_gone_goes_from_every_form),
        cmocka_unit_test(code_says_what_is_live),
        cmocka_unit_test(what_is_gone_goes),
        cmocka_unit_test(what_is_in_no_code_is_imported),
        cmocka_unit_test(the_first_resource_of_a_provider_is_imported),
    };
    return cmocka_run_group_tests_name("respond/adopt", tests, NULL, NULL);
}
