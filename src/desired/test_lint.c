/* test_lint.c - what is unused and what is old in small modules, by rule and place. */
#include "base/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/lint.h"

enum { FILES_MAX = 4 };

struct memory {
    const char *const (*file)[2]; /* path, text */
    struct str names[FILES_MAX];
};

static bool memory_read(void *ctx, struct str path, struct str *ret)
{
    const struct memory *m = ctx;
    for (size_t i = 0; i < FILES_MAX && m->file[i][0]; i++)
        if (str_equal(path, str_from(m->file[i][0]))) {
            *ret = str_from(m->file[i][1]);
            return true;
        }
    return false;
}

static bool memory_list(void *ctx, struct str dir, const struct str **ret, size_t *ret_n)
{
    struct memory *m = ctx;
    *ret_n = 0;
    for (size_t i = 0; i < FILES_MAX && m->file[i][0]; i++)
        if (str_equal(io_dirname(str_from(m->file[i][0])), dir))
            m->names[(*ret_n)++] = io_basename(str_from(m->file[i][0]));
    *ret = m->names;
    return *ret_n;
}

static const struct type string_type = {.kind = TYPE_STRING};
static const struct schema_attribute inner_attributes[] = {
    {.name = STR_INIT("was"), .type = &string_type, .optional = true, .deprecated = true}};
static const struct schema_block inner = {.attributes = inner_attributes, .nattributes = 1};
static const struct schema_nested_block blocks[] = {
    {.name = STR_INIT("rule"), .nesting = NESTING_LIST, .block = &inner}};
static const struct schema_attribute attributes[] = {
    {.name = STR_INIT("new"), .type = &string_type, .optional = true},
    {.name = STR_INIT("old"), .type = &string_type, .optional = true, .deprecated = true},
    {.name = STR_INIT("set"), .type = &string_type, .optional = true, .computed = true},
    {.name = STR_INIT("uid"), .type = &string_type, .computed = true}};
static const struct schema schema = {
    .block = {.attributes = attributes, .nattributes = 4, .blocks = blocks, .nblocks = 1}};

static const struct schema *find_schema(void *ctx, struct str provider, enum code_mode mode,
                                        struct str type)
{
    (void)ctx;
    (void)provider;
    return mode == CODE_MANAGED && str_equal(type, STR("x_thing")) ? &schema : NULL;
}

static const struct {
    const char *file[FILES_MAX][2];
    const char *want; /* "file:line:column rule" by line, in the order of finding */
} cases[] = {
    {{{"root/m.tf",
       "variable \"a\" {}\nvariable \"b\" {\n  validation {\n    condition = var.b > 1\n"
       "    error_message = \"x\"\n  }\n}\nvariable \"c\" {}\n"
       "output \"o\" {\n  value = var.c\n}\n"}},
     "m.tf:1:1 unused-variable\nm.tf:2:1 unused-variable\n"},
    {{{"root/m.tf", "locals {\n  a = 1\n  b = local.a\n}\n"}}, "m.tf:3:3 unused-local\n"},
    {{{"root/m.tf", "data \"x_y\" \"a\" {}\ndata \"x_y\" \"b\" {}\ndata \"x_y\" \"c\" {\n"
                    "  lifecycle {\n    postcondition {\n      condition = self.z\n"
                    "      error_message = \"e\"\n    }\n  }\n}\n"
                    "output \"o\" {\n  value = 1\n  depends_on = [data.x_y.b]\n}\n"}},
     "m.tf:1:1 unused-data-source\n"},
    {{{"root/m.tf.json",
       "{\"variable\": {\"a\": {}, \"b\": {}, \"c\": {}},\n"
       " \"output\": {\"o\": {\"value\": \"${var.a}\", \"depends_on\": "
       "[\"data.x_y.d\"]}},\n \"data\": {\"x_y\": {\"d\": {\"v\": \"x${var.b}\"}}}}"}},
     "m.tf.json:1:38 unused-variable\n"},
    {{{"root/m.tf", "provider \"x\" {\n  r = 1\n}\nprovider \"x\" {\n  alias = \"e\"\n}\n"
                    "provider \"x\" {\n  alias = \"w\"\n}\nresource \"x_y\" \"z\" {\n"
                    "  provider = x.w\n}\n"}},
     "m.tf:1:1 unused-provider\nm.tf:4:1 unused-provider\n"},
    {{{"root/m.tf", "provider \"x\" {\n  r = 1\n}\nmodule \"m\" {\n  source = \"./m\"\n}\n"},
      {"root/m/m.tf", "resource \"x_y\" \"z\" {}\n"}},
     ""},
    {{{"root/m.tf", "terraform {\n  required_providers {\n    x = { source = \"a/x\" }\n"
                    "    y = { source = \"a/y\" }\n    z = { source = \"a/z\" }\n  }\n}\n"
                    "resource \"x_y\" \"z\" {}\noutput \"o\" {\n  value = provider::z::f(1)\n}\n"}},
     "m.tf:4:9 unused-required-provider\n"},
    {{{"root/m.tf",
       "output \"o\" {\n  value = [\"${a_b.c.d}\", \"x${a_b.c.d}\", a_b.c.0, a_b.c.*.d,"
       "\n    a_b.c[*].d, lookup({}, \"k\"), lookup({}, \"k\", 1), a_b.c.e == []]\n}\n"}},
     "m.tf:2:12 interpolation-only\nm.tf:2:41 legacy-index\nm.tf:2:50 legacy-splat\n"
     "m.tf:3:17 lookup-without-default\nm.tf:3:54 compared-with-empty-list\n"},
    {{{"root/m.tf",
       "resource \"x_thing\" \"a\" {\n  new = 1\n  old = 2\n  rule {\n    was = 1\n  }\n"
       "  dynamic \"rule\" {\n    for_each = []\n    content {\n      was = 2\n    }\n"
       "  }\n}\n"}},
     "m.tf:3:3 deprecated-argument\nm.tf:5:5 deprecated-argument\n"
     "m.tf:10:7 deprecated-argument\n"},
    {{{"root/m.tf", "resource \"x_thing\" \"a\" {\n  uid = \"u\"\n  set = \"s\"\n}\n"
                    "resource \"x_thing\" \"b\" {\n  uid = (null)\n}\n"}},
     "m.tf:2:3 read-only-argument\n"},
    {{{"root/m.tf",
       "module \"a\" {\n  source = \"./m\"\n}\nmodule \"b\" {\n  source = \"./m\"\n}\n"},
      {"root/m/m.tf", "variable \"v\" {\n  default = 1\n}\n"}},
     "m/m.tf:1:1 unused-variable\n"}, /* once for a folder */
};

static void rules_find_what_they_are_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        AUTO_BUF got = {.limit = 1 << 20};
        struct memory memory = {.file = cases[i].file};
        struct hcl_diags diags = {.arena = &arena};
        struct code_tree_options how = {
            .read = {
                .root_dir = STR("root"), .read = memory_read, .list = memory_list, .ctx = &memory}};
        const struct lint_options options = {.schema = find_schema};
        const struct code_tree *tree;
        struct lint_issues issues = {0};
        print_message("  %s\n", cases[i].file[0][1]);
        assert_true(code_tree_read(&arena, STR("root"), &how, &diags, &tree, NULL));
        assert_false(hcl_has_errors(&diags));
        assert_true(lint_tree(&arena, tree, &options, &issues, NULL));
        for (size_t k = 0; k < issues.n; k++) {
            bool error = str_equal(issues.issue[k].rule, STR("read-only-argument"));
            assert_int_equal(issues.issue[k].kind, error ? ISSUE_ERROR : ISSUE_WARNING);
            buf_printf(&got, "%.*s:%u:%u %.*s\n", STR_ARG(issues.issue[k].at.file),
                       issues.issue[k].at.line, issues.issue[k].at.column,
                       STR_ARG(issues.issue[k].rule));
        }
        buf_char(&got, 0);
        assert_string_equal(got.ptr, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules_find_what_they_are_for)};
    return cmocka_run_group_tests_name("desired/lint", tests, NULL, NULL);
}
