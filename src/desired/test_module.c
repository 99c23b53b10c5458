/* test_module.c - modules from texts in memory: what is wrong with them, and what is in them. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "desired/module_tree.h"

enum { FILES_MAX = 6 };

struct memory {
    const char *const *files; /* "dir/name=text" */
    struct arena *arena;
};

static bool memory_read(void *ctx, struct str path, struct str *ret)
{
    const struct memory *memory = ctx;
    for (size_t i = 0; i < FILES_MAX && memory->files[i]; i++) {
        struct str rest = str_from(memory->files[i]), name;
        (void)str_cut(&rest, '=', &name);
        if (str_ends(path, name) && path.len == name.len + 5) { /* "root/" */
            *ret = rest;
            return true;
        }
    }
    return false;
}

static bool memory_list(void *ctx, struct str dir, const struct str **ret, size_t *ret_n)
{
    const struct memory *memory = ctx;
    struct str *names = arena_new(memory->arena, struct str, FILES_MAX);
    size_t n = 0;
    for (size_t i = 0; names && i < FILES_MAX && memory->files[i]; i++) {
        struct str rest = str_from(memory->files[i]), name, path;
        (void)str_cut(&rest, '=', &name);
        path = arena_printf(memory->arena, "root/%.*s", STR_ARG(name));
        if (str_starts(path, dir) && path.len > dir.len && path.ptr[dir.len] == '/' &&
            str_find_char(path, '/', dir.len + 1) == SIZE_MAX)
            names[n++] = str_sub(path, dir.len + 1, path.len);
    }
    *ret = names;
    *ret_n = n;
    return n;
}

static const struct code_tree *read_tree(struct arena *arena, const char *const *files,
                                         struct hcl_diags *diags)
{
    struct memory memory = {files, arena};
    struct code_tree_options options = {
        .read = {
            .root_dir = STR("root"), .read = memory_read, .list = memory_list, .ctx = &memory}};
    struct err err = {0};
    char text[1024];
    const struct code_tree *tree = NULL;
    diags->arena = arena;
    if (!code_tree_read(arena, STR("root"), &options, diags, &tree, &err))
        fail_msg("%s", err_text(&err, text, sizeof text));
    return tree;
}

static const struct {
    const char *files[FILES_MAX];
    const char *want; /* "file:line:column summary" of each, by line; "!" before a warning */
} faults[] = {
    {{"main.tf=variable \"count\" {}\n"}, "main.tf:1:10 Invalid variable name\n"},
    {{"main.tf=variable \"a\" {\n  type = \"string\"\n}\n"},
     "main.tf:2:10 Invalid quoted type constraints\n"},
    {{"main.tf=variable \"a\" {\n  type = number\n  default = \"x\"\n}\n"},
     "main.tf:3:13 Invalid default value for variable\n"},
    {{"main.tf=variable \"a\" {\n  default = upper(\"x\")\n}\n"},
     "main.tf:2:13 Function calls not allowed\n"},
    {{"main.tf=variable \"a\" {\n  nullable = false\n  default = null\n}\n"},
     "main.tf:3:13 Invalid default value for variable\n"},
    {{"main.tf=variable \"a\" {\n  validation {\n    condition = true\n    error_message = \"x\"\n"
      "  }\n}\n"},
     "main.tf:3:17 Invalid validation expression\n"
     "main.tf:3:17 Invalid variable validation condition\n"},
    {{"a.tf=locals {\n  x = 1\n}\n", "b.tf=locals {\n  x = 2\n}\n"},
     "b.tf:2:3 Duplicate local value definition\n"},
    {{"main.tf=resource \"a\" \"b\" {\n  count = 1\n  for_each = {}\n}\n"},
     "main.tf:3:3 Invalid combination of \"count\" and \"for_each\"\n"},
    {{"main.tf=resource \"a\" \"b\" {\n  depends_on = [\"a.c\"]\n}\n"},
     "!main.tf:2:17 Quoted references are deprecated\n"},
    {{"main.tf=resource \"a\" \"b\" {\n  provider = \"x y\"\n}\n"},
     "main.tf:2:15 Variable name required\n"
     "!main.tf:2:14 Quoted references are deprecated\n"
     "main.tf:2:14 Invalid provider configuration reference\n"},
    {{"main.tf=resource \"a\" \"b\" {\n  lifecycle {\n    ignore_changes = [tags[\"x\"], n + 1]\n"
      "  }\n  lifecycle {}\n}\n"},
     "main.tf:3:34 Invalid expression\nmain.tf:5:3 Duplicate lifecycle block\n"},
    {{"main.tf=resource \"a\" \"b\" {\n  lifecycle {\n    replace_triggered_by = [var.x, a.c]\n"
      "  }\n}\n"},
     "main.tf:3:29 Invalid reference in replace_triggered_by expression\n"
     "main.tf:3:29 Invalid replace_triggered_by expression\n"},
    {{"main.tf=data \"a\" \"b\" {\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n"},
     "main.tf:3:5 Invalid data resource lifecycle argument\n"},
    {{"main.tf=resource \"a\" \"b\" {\n  provisioner \"x\" {\n    when = destroy\n    y = var.z\n  "
      "}\n}\n"},
     "main.tf:4:9 Invalid reference from destroy provisioner\n"},
    {{"main.tf=terraform {\n  required_providers {\n    x = { source = \"a/b/c/d\" }\n  }\n}\n"},
     "main.tf:3:20 Invalid provider source string\n"},
    {{"main.tf=terraform {\n  required_version = \"x\"\n}\n"},
     "main.tf:2:22 Invalid version constraint\n"},
    {{"main.tf=provider \"x\" {\n  version = \"1.0\"\n}\nprovider \"x\" {}\n"},
     "!main.tf:2:13 Version constraints inside provider configuration blocks are deprecated\n"
     "main.tf:4:1 Duplicate provider configuration\n"},
    {{"main.tf=moved {\n  from = a.b\n  to = module.c\n}\n"},
     "main.tf:1:1 Invalid \"moved\" addresses\n"},
    {{"main.tf=removed {\n  from = a.b[0]\n}\n"},
     "main.tf:2:13 Resource instance keys not allowed\n"},
    {{"main.tf=import {\n  to = a.b\n  identity = { id = 1 }\n  id = \"1\"\n}\n"},
     "main.tf:3:3 Conflicting import arguments\n"},
    {{"main.tf=module \"m\" {\n  source = \"./m\"\n  lifecycle {\n    enabled = true\n  }\n}\n",
      "m/main.tf="},
     "main.tf:3:3 Reserved block type name in module block\n"},
    {{"main.tf=import {\n  to = a.b\n  id = \"1\"\n}\nimport {\n  to = a.b\n  id = \"2\"\n}\n"},
     "main.tf:6:8 Duplicate import configuration for \"a.b\"\n"},
    {{"main.tf=check \"x\" {}\n"}, "main.tf:1:1 Zero assert blocks\n"},
    {{"main.tf=module \"m\" {\n  source = \"m\"\n}\n"},
     "main.tf:2:12 Invalid module source address\n"},
    {{"main.tf=module \"m\" {\n  source = \"./m\"\n}\n",
      "m/main.tf=module \"n\" {\n  source = \"../m\"\n}\n"},
     "m/main.tf:1:1 Module calls itself\n"},
    {{"main.tf=module \"m\" {\n  source = \"./m\"\n}\n"}, "main.tf:1:1 Module not installed\n"},
    {{"x_override.tf=variable \"a\" {}\noutput \"b\" {}\nresource \"c\" \"d\" {}\n"},
     "x_override.tf:1:1 Missing base variable declaration to override\n"
     "x_override.tf:2:1 Missing base output definition to override\n"
     "x_override.tf:3:1 Missing resource to override\n"},
};

static void faults_are_said_as_terraform_says_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        AUTO_BUF got = {.limit = 1 << 20};
        struct hcl_diags diags = {0};
        print_message("  %s\n", faults[i].files[0]);
        (void)read_tree(&arena, faults[i].files, &diags);
        for (size_t k = 0; k < diags.n; k++)
            buf_printf(&got, "%s%.*s:%u:%u %.*s\n", diags.diag[k].warning ? "!" : "",
                       STR_ARG(diags.diag[k].file), diags.diag[k].line, diags.diag[k].column,
                       STR_ARG(diags.diag[k].summary));
        buf_char(&got, 0);
        assert_string_equal(got.ptr, faults[i].want);
    }
}

static const char *const whole[FILES_MAX] = {"main.tf=terraform {\n"
                                             "  required_providers {\n"
                                             "    fake = {\n"
                                             "      source = \"example.com/plumb/fake\"\n"
                                             "      configuration_aliases = [fake.east]\n"
                                             "    }\n"
                                             "  }\n"
                                             "}\n"
                                             "variable \"b\" {\n"
                                             "  type = object({ n = optional(number, 2) })\n"
                                             "  default = {}\n"
                                             "}\n"
                                             "variable \"a\" {}\n"
                                             "resource \"fake_server\" \"x\" {\n"
                                             "  provider = fake.east\n"
                                             "  lifecycle {\n"
                                             "    ignore_changes = [tags[\"a\"]]\n"
                                             "    prevent_destroy = true\n"
                                             "  }\n"
                                             "}\n"
                                             "data \"aws_vpc\" \"v\" {}\n"
                                             "module \"m\" {\n"
                                             "  source = \"./modules//m\"\n"
                                             "}\n",
                                             "z_override.tf=resource \"fake_server\" \"x\" {\n"
                                             "  count = 2\n"
                                             "}\n",
                                             "modules/m/main.tf=output \"o\" {\n"
                                             "  value = 1\n"
                                             "}\n",
                                             ".hidden.tf=variable \"h\" {}\n",
                                             "main.tf.bak=variable \"h\" {}\n",
                                             NULL};

static void declarations_are_there(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct hcl_diags diags = {0};
    const struct code_tree *tree = read_tree(&arena, whole, &diags);
    const struct code_module *m = &tree->module;
    assert_int_equal(diags.n, 0);
    assert_int_equal(m->nfiles, 2);
    assert_int_equal(m->nvariables, 2);
    assert_true(str_equal(m->variables[0].name, STR("a")));
    const struct code_variable *b = code_find_variable(m, STR("b"));
    assert_non_null(b);
    int64_t n = 0;
    assert_true(value_to_int64(value_get(&b->default_value, STR("n")), &n));
    assert_int_equal(n, 2);
    assert_int_equal(b->place.line, 9);
    assert_int_equal(b->place.end_line, 12);
    const struct code_resource *x =
        code_find_resource(m, CODE_MANAGED, STR("fake_server"), STR("x"));
    assert_non_null(x);
    assert_true(x->count.expr && x->prevent_destroy && x->has_provider);
    assert_int_equal(x->noverrides, 1);
    assert_int_equal(x->nignore_changes, 1);
    assert_true(str_equal(x->provider_source, STR("example.com/plumb/fake")));
    const struct code_resource *v = code_find_resource(m, CODE_DATA, STR("aws_vpc"), STR("v"));
    assert_true(v && str_equal(v->provider_source, STR("registry.terraform.io/hashicorp/aws")));
    assert_int_equal(m->requirements[0].naliases, 1);
    assert_non_null(tree->child[0]);
    assert_true(str_equal(tree->child[0]->module.dir, STR("modules/m")));
    assert_non_null(code_find_output(&tree->child[0]->module, STR("o")));
    assert_null(code_find_output(m, STR("o")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(faults_are_said_as_terraform_says_them),
                                       cmocka_unit_test(declarations_are_there)};
    return cmocka_run_group_tests_name("desired/module", tests, NULL, NULL);
}
