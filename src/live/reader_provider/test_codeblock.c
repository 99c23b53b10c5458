/* test_codeblock.c - provider blocks of the code: which one, what of it is constant, what is not.
 */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "live/reader.h"
#include "live/reader_provider/codeblock.h"
#include "model/config.h"
#include "model/stack.h"
#include "wire/json.h"

struct files {
    const char *name, *text;
};

static const struct {
    const char *says;
    struct files files[4];
    const char *alias;
    const char *values, *from, *incomplete; /* values NULL: nothing known */
} cases[] = {
    {"no block: nothing is missing", {{"main.tf", "locals {}\n"}}, "", NULL, "the environment", ""},
    {"constants of every kind",
     {{"main.tf",
       "provider \"aws\" {\n  region = \"eu-west-1\"\n  version = \"~> 5\"\n  retries = 3\n"
       "  tags = { a = \"b\" }\n  zones = [\"x\"]\n  skip = true\n}\n"}},
     "",
     "{\"region\":\"eu-west-1\",\"retries\":3,\"skip\":true,\"tags\":{\"a\":\"b\"},\"zones\":["
     "\"x\"]}",
     "main.tf:1",
     ""},
    {"what is not constant is named",
     {{"main.tf", "\nprovider \"aws\" {\n  region = var.region\n  profile = \"p\"\n"
                  "  token = file(\"t\")\n}\n"}},
     "",
     "{\"profile\":\"p\"}",
     "main.tf:2",
     "region at main.tf:3, token at main.tf:5"},
    {"nested blocks become lists",
     {{"main.tf", "provider \"aws\" {\n  assume_role {\n    role_arn = \"r\"\n  }\n"
                  "  assume_role {\n    role_arn = \"s\"\n    id = local.x\n  }\n"
                  "  dynamic \"ignore\" {\n    for_each = []\n  }\n}\n"}},
     "",
     "{\"assume_role\":[{\"role_arn\":\"r\"},{\"role_arn\":\"s\"}]}",
     "main.tf:1",
     "id at main.tf:7, dynamic at main.tf:9"},
    {"the alias decides",
     {{"main.tf",
       "provider \"aws\" {\n  region = \"a\"\n}\nprovider \"aws\" {\n  alias = \"west\"\n"
       "  region = \"b\"\n}\n"}},
     "west",
     "{\"region\":\"b\"}",
     "main.tf:4",
     ""},
    {"an instance of a for_each",
     {{"main.tf", "provider \"aws\" {\n  alias = \"by\"\n  for_each = var.r\n"
                  "  region = each.value\n}\n"}},
     "by[\"x\"]",
     "{}",
     "main.tf:1",
     "region at main.tf:4"},
    {"another local name",
     {{"main.tf",
       "provider \"cloud\" {\n  region = \"c\"\n}\nprovider \"aws\" {\n  region = \"a\"\n}"},
      {"versions.tf", "terraform {\n  required_providers {\n    cloud = { source = "
                      "\"hashicorp/aws\" }\n    aws = { source = \"acme/aws\" }\n  }\n}\n"}},
     "",
     "{\"region\":\"c\"}",
     "main.tf:1",
     ""},
    {"override files come last, .tofu hides .tf",
     {{"a_override.tf", "provider \"aws\" {\n  region = \"o\"\n}\n"},
      {"main.tf", "provider \"aws\" {\n  region = \"tf\"\n  profile = \"tf\"\n}\n"},
      {"main.tofu", "provider \"aws\" {\n  region = \"tofu\"\n  profile = \"tofu\"\n}\n"}},
     "",
     "{\"profile\":\"tofu\",\"region\":\"o\"}",
     "main.tofu:1",
     ""},
    {"a file with faults",
     {{"main.tf", "provider \"aws\" {\n  region = \n"}},
     "",
     NULL,
     NULL,
     "main.tf cannot be read, region at main.tf:2"},
};

static void constants_are_taken_and_the_rest_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        AUTO_BUF out = {.limit = 10000};
        struct err err = {0};
        struct settings got;
        char dir[] = "/tmp/plumb-code-XXXXXX", command[100];
        struct settings_key key = {.source = STR("registry.opentofu.org/hashicorp/aws"),
                                   .alias = str_from(cases[i].alias)};
        print_message("  %s\n", cases[i].says);
        assert_non_null(mkdtemp(dir));
        for (size_t j = 0; j < 4 && cases[i].files[j].name; j++) {
            struct str path = io_join(&arena, str_from(dir), str_from(cases[i].files[j].name));
            assert_true(
                io_write_file_atomic(path.ptr, str_from(cases[i].files[j].text), 0644, &err));
        }
        assert_true(codeblock_read(&arena, arena_dup(&arena, str_from(dir)), &key, &got, &err));
        (void)snprintf(command, sizeof command, "rm -rf %s", dir);
        (void)!system(command);

        struct jsonw w = {.out = &out};
        jsonw_value(&w, &got.values);
        buf_char(&out, '\0');
        if (cases[i].from) {
            assert_string_equal(out.ptr, cases[i].values ? cases[i].values : "null");
            assert_true(str_equal(got.from, str_from(cases[i].from)));
        }
        assert_int_equal(got.incomplete.len, strlen(cases[i].incomplete));
        if (got.incomplete.len)
            assert_string_equal(got.incomplete.ptr, cases[i].incomplete);
    }
}

static void plumb_yaml_goes_before_and_modules_have_their_folder(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct err err = {0};
    struct settings got;
    char dir[] = "/tmp/plumb-code-XXXXXX", command[100];
    static const struct files files[] = {
        {"main.tf", "provider \"aws\" {\n  region = \"root\"\n}\n"},
        {"mod/main.tf", "provider \"aws\" {\n  region = \"mod\"\n}\n"},
        {".terraform/modules/modules.json",
         "{\"Modules\":[{\"Key\":\"\",\"Dir\":\".\"},{\"Key\":\"a.b\",\"Dir\":\"mod\"}]}"},
    };
    assert_non_null(mkdtemp(dir));
    for (size_t j = 0; j < 3; j++) {
        struct str path = io_join(&arena, str_from(dir), str_from(files[j].name));
        assert_true(io_make_dirs(arena_dup(&arena, io_dirname(path)).ptr, 0755, &err));
        assert_true(io_write_file_atomic(path.ptr, str_from(files[j].text), 0644, &err));
    }
    struct config_provider given = {.name = STR("aws.east"), .config = value_int(7)};
    struct stack stack = {.path = str_from(dir), .providers = &given, .nproviders = 1};
    struct code_context context = {&stack, NULL, str_from(dir),
                                   io_join(&arena, str_from(dir), STR(".terraform"))};
    struct settings_key key = {.source = STR("registry.opentofu.org/hashicorp/aws")};
    assert_true(settings_from_code(&context, &arena, &key, NULL, &got, &err));
    assert_true(str_equal(value_get_string(&got.values, STR("region")), STR("root")));
    key.alias = STR("east");
    assert_true(settings_from_code(&context, &arena, &key, NULL, &got, &err));
    assert_int_equal(got.values.integer, 7);
    key.alias = (struct str){0};
    key.module = STR("module.a[\"x.y\"].module.b[0]");
    assert_true(settings_from_code(&context, &arena, &key, NULL, &got, &err));
    assert_true(str_equal(value_get_string(&got.values, STR("region")), STR("mod")));
    key.module = STR("module.gone");
    assert_true(settings_from_code(&context, &arena, &key, NULL, &got, &err));
    assert_true(got.incomplete.len > 0);
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    (void)!system(command);
}

struct said {
    bool known;
    struct value value;
};

static bool say(void *ctx, struct str provider_config, struct value *ret, struct str *ret_from,
                struct str *ret_unknown)
{
    const struct said *said = ctx;
    assert_true(str_equal(provider_config, STR("provider[\"example.com/acme/fake\"]")));
    if (said->known)
        *ret = said->value;
    *ret_from = STR("main.tf:7");
    *ret_unknown = (struct str){0};
    return said->known;
}

static void evaluated_code_is_not_read_again(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct err err = {0};
    struct settings got;
    char dir[] = "/tmp/plumb-code-XXXXXX", command[100];
    assert_non_null(mkdtemp(dir));
    struct str path = io_join(&arena, str_from(dir), STR("main.tf"));
    static const char text[] = "provider \"fake\" {\n  region = \"read\"\n}\n";
    assert_true(io_write_file_atomic(path.ptr, str_from(text), 0644, &err));
    struct said said = {.known = true, .value = value_null()};
    struct reader_options options = {.provider_config = say, .ctx = &said};
    struct stack stack = {.path = str_from(dir)};
    struct code_context context = {&stack, &options, str_from(dir),
                                   io_join(&arena, str_from(dir), STR(".terraform"))};
    struct settings_key key = {.text = STR("provider[\"example.com/acme/fake\"]"),
                               .source = STR("example.com/acme/fake")};
    assert_true(settings_from_code(&context, &arena, &key, NULL, &got, &err)); /* has no block */
    assert_int_equal(got.values.kind, VALUE_NULL);
    assert_false(got.typed);
    assert_int_equal(got.incomplete.len, 0);
    said.value = value_int(7);
    assert_true(settings_from_code(&context, &arena, &key, NULL, &got, &err));
    assert_true(got.typed && got.values.integer == 7);
    said.known = false;
    assert_true(settings_from_code(&context, &arena, &key, NULL, &got, &err));
    assert_true(str_equal(value_get_string(&got.values, STR("region")), STR("read")));
    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    (void)!system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_are_taken_and_the_rest_is_named),
        cmocka_unit_test(plumb_yaml_goes_before_and_modules_have_their_folder),
        cmocka_unit_test(evaluated_code_is_not_read_again),
    };
    return cmocka_run_group_tests_name("live/reader_provider/codeblock", tests, NULL, NULL);
}
