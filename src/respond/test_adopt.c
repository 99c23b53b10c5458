/* test_adopt.c - live values as code says them, import blocks; edits of code have their cases in
 * tests/data/hcl/edits*.jsonl. */
#include "base/test.h"

#include <stdio.h>
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
        if (str_ends(path, name) && path.ptr[path.len - name.len - 1] == '/')
            return true;
    }
    return false;
}

/* Files of the root module, or of the module in `m`. */
static bool list_files(void *ctx, struct str dir, const struct str **ret, size_t *ret_n)
{
    struct world *world = ctx;
    struct str *names = arena_new(&world->arena, struct str, FILES_MAX), in = STR("m/");
    bool inner = str_ends(dir, STR("/m"));
    size_t n = 0;
    for (size_t i = 0; names && i < FILES_MAX && world->file[i]; i++) {
        struct str rest = str_from(world->file[i]), name;
        (void)str_cut(&rest, '=', &name);
        if (str_starts(name, in) == inner)
            names[n++] = inner ? str_sub(name, in.len, name.len) : name;
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

/* What is live is not written where the value is given: the edit is of what it is made of. */
static const struct {
    const char *expr, *live; /* live: JSON */
    const char *want;        /* in the text afterwards; with a '!' before it: the reason */
} turned[] = {
    {"concat(local.m, [\"p\"])", "[\"x\",\"y\",\"p\",\"q\"]", "concat(local.m, [\"p\", \"q\"])"},
    {"concat(local.m, [\"p\"])", "[\"x\",\"p\"]", "m = [\"x\"]"},
    {"setunion(local.m, [\"p\"])", "[\"p\",\"x\",\"z\"]", "m = [\"x\", \"z\"]"},
    {"flatten([local.m, [\"p\"]])", "[\"x\",\"y\",\"p\",\"q\"]", "[local.m, [\"p\", \"q\"]]"},
    {"compact([\"a\", \"\"])", "[\"a\",\"b\"]", "compact([\"a\", \"\", \"b\"])"},
    {"lookup(local.o, \"none\", 1)", "2", "lookup(local.o, \"none\", 2)"},
    {"try(local.o.none, 1)", "2", "try(local.o.none, 2)"},
    {"merge(local.o, { b = 2 })", "{\"a\":\"s\",\"b\":2,\"c\":3}", "{ b = 2, c = 3 }"},
    {"{ for k, v in local.g : k => v.n }", "{\"p\":1,\"q\":3}", "q = { n = 3 }"},
    {"{ for k, v in local.g : k => v.n }", "{\"q\":2}", "g = { q = { n = 2 } }"},
    {"[for k, v in local.g : v.n]", "[1,2,3]", "!the value is computed by a for expression"},
    {"[for x in local.m : { name = \"n-${x}\" } if x != \"x\"]",
     "[{\"name\":\"n-y\"},{\"name\":\"n-z\"}]", "m = [\"x\", \"y\", \"z\"]"},
    {"[local.o, { a = \"t\" }][*].a", "[\"s\",\"u\"]", "{ a = \"u\" }"},
    {"\"${local.o.a}-w\\\"$${x}\"", "\"s-w\\\"${y}\"", "\"${local.o.a}-w\\\"$${y}\""},
    {"\"${local.o.a}-web\"", "\"t-web\"", "o = { a = \"t\" }"},
    {"\"%{ if local.o.a == \"s\" }on%{ else }off%{ endif }\"", "\"up\"", "}up%{ else }off"},
    {"<<-EOT\n    a ${local.o.a}\n    b\n  EOT", "\"a s\\nc\\n  d\\n\"",
     "    a ${local.o.a}\n    c\n      d\n  EOT"},
    {"<<-EOT\n    a\n    b\n    c ${local.o.a}\n  EOT", "\"a\\nc s\\n\"",
     "    a\n    c ${local.o.a}\n  EOT"},
    {"jsonencode({ a = local.o.a, b = concat([1], [2]) })",
     "\"{\\\"a\\\":\\\"s\\\",\\\"b\\\":[1,3]}\"", "concat([1], [3])"},
    {"yamlencode({ a = local.o.a })", "\"\\\"a\\\": \\\"t\\\"\\n\"", "o = { a = \"t\" }"},
    {"local.o.a == \"s\" ? \"yes\" : \"no\"", "\"maybe\"", "? \"maybe\" : \"no\""},
    {"format(\"%s-%03d%%\", local.o.a, 7)", "\"s-008%\"", "local.o.a, 8)"},
    {"format(\"%s-%03d\", local.o.a, 7)", "\"s_007\"", "\"%s_%03d\""},
    {"join(\",\", local.m)", "\"x,z\"", "m = [\"x\", \"z\"]"},
    {"split(\",\", \"a,b\")", "[\"a\",\"c\"]", "\"a,c\""},
    {"upper(local.o.a)", "\"T\"", "o = { a = \"t\" }"},
    {"local.n + 1", "5", "local.n + 4"},
    {"local.n * 10", "20", "n = 2"},
    {"1 + 1", "3", "!both operands are literals, and either could be edited, at main.tf:9"},
    {"chomp(<<EOT\na\nEOT\n  )", "\"b\"", "<<EOT\nb\nEOT"},
    {"\"x-${length(local.m)}\"", "\"x-2-y\"", "\"x-${length(local.m)}-y\""},
    {"length(local.m)", "3", "!the value is computed by a function call"},
    {"local.shared", "\"live\"", "!what is written at main.tf:6 also feeds lab_box.b"},
    {"concat([local.shared], local.m)", "[\"s\",\"x\",\"y\",\"z\"]", "m = [\"x\", \"y\", \"z\"]"},
};

static void expressions_are_turned_around(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof turned / sizeof *turned; i++) {
        char text[2000];
        (void)snprintf(text, sizeof text,
                       "main.tf=locals {\n  m = [\"x\", \"y\"]\n  n = 1\n  o = { a = \"s\" }\n"
                       "  g = { p = { n = 1 }, q = { n = 2 } }\n  shared = \"s\"\n}\n"
                       "resource \"terraform_data\" \"a\" {\n  input = %s\n}\n"
                       "resource \"lab_box\" \"b\" {\n  name = local.shared\n}\n",
                       turned[i].expr);
        const char *files[] = {text, NULL};
        struct world world;
        struct err err = {0};
        struct adopt_result result;
        struct path_step step = {.kind = PATH_KEY, .key = STR("input")};
        world_open(&world, files);
        struct adopt_change change = {.address = STR("terraform_data.a"),
                                      .path = {&step, 1},
                                      .value = json(&world, turned[i].live),
                                      .origin = true};
        bool refuse = turned[i].want[0] == '!';
        struct str want = str_from(turned[i].want + refuse);
        assert_true(
            adopt_plan(&world.arena, &world.options, world.code, &change, 1, &result, &err));
        struct str got = result.refused || !result.nfiles ? result.reason : result.file[0].after;
        if (result.refused != refuse || str_find(got, want, 0) == SIZE_MAX)
            fail_msg("%s: %.*s", turned[i].expr, STR_ARG(got));
        /* Not without being asked to. */
        change.origin = false;
        assert_true(
            adopt_plan(&world.arena, &world.options, world.code, &change, 1, &result, &err));
        if (!refuse && result.refused && !result.has_other_way)
            fail_msg("%s: no word of another way: %.*s", turned[i].expr, STR_ARG(result.reason));
        world_close(&world);
    }
}

/* What a module has by default is given by its call: others call it, too. */
static void a_call_gives_a_module_other_values(void **state)
{
    (void)state;
    static const char *const files[] = {
        "root.tf=module \"m\" {\n  source = \"./m\"\n}\nmodule \"n\" {\n  source = \"./m\"\n}\n",
        "m/in.tf=variable \"size\" {\n  default = \"s\"\n}\nvariable \"tags\" {\n"
        "  default = { a = 1 }\n}\nresource \"terraform_data\" \"a\" {\n"
        "  input = merge({ size = \"${var.size}-x\" }, var.tags)\n}\n",
        NULL};
    static const struct {
        const char *live, *want;
    } cases[] = {
        {"{\"size\":\"b-x\",\"a\":1}", "size   = \"b\"\n}\nmodule \"n\""},
        {"{\"size\":\"s-x\",\"a\":1,\"b\":2}", "  tags = {\n    a = 1\n    b = 2\n  }\n}\nmodule"},
        {"{\"size\":\"s-x\"}", "  tags   = {}\n}\nmodule"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world world;
        struct err err = {0};
        struct adopt_result result;
        struct path_step step = {.kind = PATH_KEY, .key = STR("input")};
        world_open(&world, files);
        struct adopt_change change = {.address = STR("module.m.terraform_data.a"),
                                      .path = {&step, 1},
                                      .value = json(&world, cases[i].live),
                                      .origin = true};
        assert_true(
            adopt_plan(&world.arena, &world.options, world.code, &change, 1, &result, &err));
        if (result.refused)
            fail_msg("%s: %.*s", cases[i].live, STR_ARG(result.reason));
        assert_int_equal(result.nfiles, 1);
        if (str_find(result.file[0].after, str_from(cases[i].want), 0) == SIZE_MAX)
            fail_msg("%s: %.*s", cases[i].live, STR_ARG(result.file[0].after));
        world_close(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_gone_goes_from_every_form),
        cmocka_unit_test(expressions_are_turned_around),
        cmocka_unit_test(a_call_gives_a_module_other_values),
        cmocka_unit_test(code_says_what_is_live),
        cmocka_unit_test(what_is_gone_goes),
        cmocka_unit_test(what_is_in_no_code_is_imported),
        cmocka_unit_test(the_first_resource_of_a_provider_is_imported),
    };
    return cmocka_run_group_tests_name("respond/adopt", tests, NULL, NULL);
}
