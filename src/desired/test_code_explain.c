/* test_code_explain.c - which expressions decide a path: chains through everything that has a
 * name. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/code.h"

struct given {
    const char *file[6][2];
};

static bool read_given(void *ctx, struct str path, struct str *ret)
{
    const struct given *g = ctx;
    for (size_t i = 0; i < 6 && g->file[i][0]; i++)
        if (str_equal(path, str_from(g->file[i][0]))) {
            *ret = str_from(g->file[i][1]);
            return true;
        }
    return false;
}

static bool list_given(void *ctx, struct str dir, const struct str **ret_names, size_t *ret_n)
{
    static struct str names[6];
    const struct given *g = ctx;
    *ret_n = 0;
    for (size_t i = 0; i < 6 && g->file[i][0]; i++)
        if (str_equal(io_dirname(str_from(g->file[i][0])), dir))
            names[(*ret_n)++] = io_basename(str_from(g->file[i][0]));
    *ret_names = names;
    return *ret_n;
}

static const char *env_given(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "TF_VAR_env") == 0 ? "prod" : NULL;
}

static const struct given given = {
    .file = {
        {"/r/main.tf", "variable \"tags\" {\n  default = { a = \"1\", b = \"2\" }\n}\n"
                       "variable \"size\" {\n  type = number\n}\n"
                       "variable \"env\" {}\n"
                       "locals {\n  all = merge(var.tags, { b = \"3\", c = \"4\" })\n"
                       "  list = [for k, v in local.all : \"${k}=${v}\"]\n"
                       "  copy = { for k, v in local.all : k => v }\n}\n"
                       "resource \"x_y\" \"r\" {\n  tags = local.all\n  size = var.size\n"
                       "  env = var.env == \"prod\" ? local.copy[\"a\"] : \"no\"\n"
                       "  text = \"t-${var.env}\"\n"
                       "  id2 = x_y.other.id\n  sz2 = x_y.other.size\n"
                       "  first = element(local.list, 0)\n"
                       "  dynamic \"rule\" {\n    for_each = [{ port = 80 }, { port = var.size }]\n"
                       "    content {\n      port = rule.value.port\n    }\n  }\n}\n"
                       "resource \"x_y\" \"other\" {\n  size = 5\n}\n"},
        {"/r/prod.auto.tfvars", "size = 3\n"},
        {"/r/mod.tf", "module \"m\" {\n  source = \"./m\"\n  for_each = { k = { n = \"q\" } }\n"
                      "  name = each.value.n\n}\n"
                      "resource \"x_y\" \"out\" {\n  size = module.m[\"k\"].up\n}\n"
                      "data \"x_y\" \"d\" {}\n"
                      "resource \"x_y\" \"reads\" {\n  text = join(\",\", data.x_y.d.names)\n}\n"},
        {"/r/m/m.tf", "variable \"name\" {}\n"
                      "resource \"x_y\" \"e\" {\n  for_each = toset([\"s\", var.name])\n"
                      "  size = each.value\n}\n"
                      "output \"up\" {\n  value = upper(var.name)\n}\n"},
    }};

static const struct {
    const char *address, *path, *want;
} cases[] = {
    {"x_y.r", "tags[\"a\"]",
     "attribute tags main.tf:14 [a]; local local.all main.tf:9 [a]; variable var.tags main.tf:1 "
     "[a]; default var.tags main.tf:2 [a]"},
    {"x_y.r", "tags[\"c\"]", "attribute tags main.tf:14 [c]; local local.all main.tf:9 [c]"},
    {"x_y.r", "size",
     "attribute size main.tf:15; variable var.size main.tf:4; tfvars size prod.auto.tfvars:1"},
    {"x_y.r", "env",
     "attribute env main.tf:16; local local.copy main.tf:11 [a]; local local.all main.tf:9 [a]; "
     "variable var.tags main.tf:1 [a]; default var.tags main.tf:2 [a]"},
    {"x_y.r", "text", "attribute text main.tf:17"},
    {"x_y.r", "sz2", "attribute sz2 main.tf:19; attribute size main.tf:29"},
    {"x_y.r", "id2",
     "attribute id2 main.tf:18; resource x_y.other.id main.tf:28 [id] ? x_y.other.id is computed "
     "by the provider; the state does not have it"},
    {"x_y.r", "first", "attribute first main.tf:20; local local.list main.tf:10 [0]"},
    {"x_y.r", "rule[1].port",
     "attribute rule[1].port main.tf:24; dynamic rule main.tf:22 [1].port; variable var.size "
     "main.tf:4; tfvars size prod.auto.tfvars:1"},
    {"x_y.r", "rule[0]", "block rule[0] main.tf:21; dynamic rule main.tf:22 [0]"},
    {"x_y.r", "nope", ""},
    {"x_y.out", "size", "attribute size mod.tf:7; output module.m[\"k\"].up m/m.tf:7"},
    {"x_y.reads", "text",
     "attribute text mod.tf:11 ? data.x_y.d.names is what the data source reads; the state does "
     "not have it"},
    {"module.m[\"k\"].x_y.e[\"q\"]", "size",
     "attribute size m/m.tf:4; for_each each.value m/m.tf:3; variable var.name m/m.tf:1; module "
     "argument module.m[\"k\"].name mod.tf:4; for_each each.value mod.tf:3 k.n"},
};

static void put_chain(struct buf *out, struct arena *arena, const struct code_chain *chain)
{
    for (size_t i = 0; i < chain->n; i++) {
        const struct code_link *link = &chain->link[i];
        struct str rest = path_text(arena, link->rest);
        buf_printf(out, "%s%s %.*s %.*s:%u", i ? "; " : "", link->what, STR_ARG(link->name),
                   STR_ARG(link->file), link->line);
        if (link->rest.n == 1 && link->rest.step[0].kind == PATH_KEY)
            buf_printf(out, " [%.*s]", STR_ARG(link->rest.step[0].key));
        else if (rest.len)
            buf_printf(out, " %.*s", STR_ARG(rest));
    }
    if (chain->unknown_because.len)
        buf_printf(out, " ? %.*s", STR_ARG(chain->unknown_because));
    buf_char(out, '\0');
}

static void each_path_has_its_chain(void **state)
{
    (void)state;
    struct code_options options = {.root_dir = STR("/r"),
                                   .phase = CODE_PLAN,
                                   .read = read_given,
                                   .list = list_given,
                                   .env = env_given,
                                   .ctx = (void *)(uintptr_t)&given,
                                   .now_utc_ms = INT64_MIN};
    struct code *code;
    struct err err = {0};
    assert_true(code_open(&options, &code, &err));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        AUTO_BUF out = {.limit = 1 << 14};
        struct code_chain chain = {0};
        struct path path;
        const struct code_instance *instance = code_find_instance(code, str_from(cases[i].address));
        assert_non_null(instance);
        assert_true(path_parse(&arena, str_from(cases[i].path), &path, &err));
        bool found = code_explain(code, instance, path, &chain);
        assert_int_equal(found, cases[i].want[0] != '\0');
        put_chain(&out, &arena, &chain);
        assert_string_equal(out.ptr, cases[i].want);
    }
    assert_int_equal(code_diags(code)->n, 0);
    code_close(code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_path_has_its_chain)};
    return cmocka_run_group_tests_name("desired/code_explain", tests, NULL, NULL);
}
