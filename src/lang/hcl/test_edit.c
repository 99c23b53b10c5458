/* test_edit.c - edits: a behaviour is a row: a text, a change of it, and the text afterwards. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/edit_path.h"

static struct hcl_file parse(struct arena *arena, struct str text)
{
    struct err err = {0};
    struct hcl_file file;
    struct hcl_diags diags = {.arena = arena};
    assert_true(hcl_parse_file(arena, text, STR("main.tf"), &diags, &file, &err));
    assert_false(hcl_has_errors(&diags));
    return file;
}

static struct value literal(struct arena *arena, const char *text)
{
    struct hcl_diags diags = {.arena = arena};
    const struct hcl_expr *expr;
    struct value v;
    struct err err = {0};
    assert_true(hcl_parse_expression(arena, str_from(text), STR("value"), &diags, &expr, &err));
    assert_true(hcl_static_value(arena, expr, &v));
    return v;
}

static struct path path_of(struct arena *arena, const char *text)
{
    struct path path;
    struct err err = {0};
    assert_true(path_parse(arena, str_from(text), &path, &err));
    return path;
}

static void wants(struct hcl_edit *edit, const char *want)
{
    struct str got;
    struct err err = {0};
    bool ok = hcl_edit_finish(edit, &got, &err);
    if (!ok)
        print_message("%s\n", err.frame[0]);
    assert_true(ok);
    assert_string_equal(arena_dup(edit->arena, got).ptr, want);
}

/* --- expressions: paths below the attribute x --- */

/* value NULL: unset. now: what the place gives before, where that matters. */
static const struct {
    const char *says, *text, *path, *value, *want, *now;
} expressions[] = {
    {"scalar", "x = 1 # c\n", "", "\"a\"", "x = \"a\" # c\n", NULL},
    {"text that needs escapes", "x = 1\n", "", "\"q\\\"\\\\\\n\\t$${a}%%{b}\"",
     "x = \"q\\\"\\\\\\n\\t$${a}%%{b}\"\n", NULL},
    {"negative number", "x = -1\n", "", "-2.50", "x = -2.5\n", NULL},
    {"in parentheses", "x = (\"a\")\n", "", "\"b\"", "x = (\"b\")\n", NULL},
    {"no newline at the end", "x = 1", "", "2", "x = 2", NULL},
    {"byte order mark", "\xef\xbb\xbfx = 1\n", "", "2", "\xef\xbb\xbfx = 2\n", NULL},
    {"comments stay in line", "x  = 1   # a\nyy = 2   # b\n", "", "100",
     "x  = 100   # a\nyy = 2   # b\n", NULL},
    {"comment columns follow", "x  = 1 # a\nyy = 2 # b\n", "", "100",
     "x  = 100 # a\nyy = 2   # b\n", NULL},
    {"another layout is left alone", "x=1\n  yy   =   2\n", "", "3", "x=3\n  yy   =   2\n", NULL},
    {"null becomes an object", "x = null\n", "a.b", "1", "x = {\n  a = {\n    b = 1\n  }\n}\n",
     NULL},

    {"key", "x = { a = 1, b = 2 }\n", "b", "3", "x = { a = 1, b = 3 }\n", NULL},
    {"last one of a key", "x = { a = 1, a = 2 }\n", "a", "3", "x = { a = 1, a = 3 }\n", NULL},
    {"new key in one line", "x = { a = 1 }\n", "b", "2", "x = { a = 1, b = 2 }\n", NULL},
    {"new key in nothing", "x = {}\n", "b", "2", "x = {\n  b = 2\n}\n", NULL},
    {"new key in nothing, inside a line", "x = [{}]\n", "[0].b", "2", "x = [{ b = 2 }]\n", NULL},
    {"new key on a line", "x = {\n  a = 1 # c\n}\n", "long", "2",
     "x = {\n  a    = 1 # c\n  long = 2\n}\n", NULL},
    {"new key, quoted as the others", "x = {\n  \"a\" = 1,\n  \"b\" = 1\n}\n", "c", "2",
     "x = {\n  \"a\" = 1,\n  \"b\" = 1,\n  \"c\" = 2\n}\n", NULL},
    {"new key, with colons", "x = {\n  a : 1\n}\n", "c", "2", "x = {\n  a : 1\n  c : 2\n}\n", NULL},
    {"new key that begins a for", "x = {}\n", "for", "2", "x = {\n  \"for\" = 2\n}\n", NULL},
    {"new key behind the comments", "x = {\n  # none yet\n}\n", "a", "2",
     "x = {\n  # none yet\n  a = 2\n}\n", NULL},
    {"new key above an attached comment", "x = {\n  a = 1\n  # b = 2\n}\n", "c", "3",
     "x = {\n  a = 1\n  c = 3\n  # b = 2\n}\n", NULL},
    {"new keys deep", "x = { a = {} }\n", "a.b.c", "1", "x = { a = { b = { c = 1 } } }\n", NULL},
    {"key goes", "x = { a = 1, b = 2, c = 3 }\n", "b", NULL, "x = { a = 1, c = 3 }\n", NULL},
    {"first key goes", "x = { a = 1, b = 2 }\n", "a", NULL, "x = { b = 2 }\n", NULL},
    {"last key goes", "x = { a = 1, b = 2 }\n", "b", NULL, "x = { a = 1 }\n", NULL},
    {"only key goes", "x = {\n  a = 1 # c\n}\n", "a", NULL, "x = {}\n", NULL},
    {"key goes with its comments", "x = {\n  # kept\n\n  # gone\n  aaa = 1 # gone\n  b   = 2\n}\n",
     "aaa", NULL, "x = {\n  # kept\n\n  b = 2\n}\n", NULL},
    {"key goes, the comma style stays", "x = {\n  a = 1,\n  b = 2\n}\n", "b", NULL,
     "x = {\n  a = 1\n}\n", NULL},
    {"absent key goes", "x = { a = 1 }\n", "b", NULL, "x = { a = 1 }\n", NULL},
    {"keys of CRLF lines", "x = {\r\n  a = 1\r\n}\r\n", "bb", "2",
     "x = {\r\n  a  = 1\r\n  bb = 2\r\n}\r\n", NULL},

    {"element", "x = [1, 2]\n", "[1]", "3", "x = [1, 3]\n", NULL},
    {"element behind the last", "x = [1, 2]\n", "[2]", "3", "x = [1, 2, 3]\n", NULL},
    {"element of nothing", "x = []\n", "[0]", "3", "x = [3]\n", NULL},
    {"element on a line", "x = [\n  1, # c\n  2 # d\n]\n", "[2]", "3",
     "x = [\n  1, # c\n  2, # d\n  3\n]\n", NULL},
    {"object as the others", "x = [\n  { a = 1 },\n]\n", "[1]", "{ a = 2 }",
     "x = [\n  { a = 1 },\n  { a = 2 },\n]\n", NULL},
    {"object on lines", "x = [\n  {\n    a = 1\n  },\n]\n", "[1]", "{ a = 2 }",
     "x = [\n  {\n    a = 1\n  },\n  {\n    a = 2\n  },\n]\n", NULL},
    {"element goes", "x = [1, 2, 3]\n", "[1]", NULL, "x = [1, 3]\n", NULL},
    {"last element goes", "x = [1, 2, ]\n", "[1]", NULL, "x = [1, ]\n", NULL},
    {"only element goes", "x = [\n  1,\n]\n", "[0]", NULL, "x = []\n", NULL},
    {"element and comma go", "x = [\n  1,\n  2 # c\n]\n", "[1]", NULL, "x = [\n  1\n]\n", NULL},
    {"element of a shared line goes", "x = [1, 2,\n  3]\n", "[1]", NULL, "x = [1,\n  3]\n", NULL},

    {"whole list: what stays keeps its comment", "x = [\n  1, # a\n  2, # b\n  3, # c\n]\n", "",
     "[1, 3, 4]", "x = [\n  1, # a\n  3, # c\n  4,\n]\n", NULL},
    {"whole list: in front", "x = [\n  # two\n  2,\n]\n", "", "[1, 2]",
     "x = [\n  1,\n  # two\n  2,\n]\n", NULL},
    {"whole list: between", "x = [1, 3]\n", "", "[1, 2, 3]", "x = [1, 2, 3]\n", NULL},
    {"whole list: nothing stays", "x = [\n  1, # a\n  2,\n]\n", "", "[7]", "x = [7]\n", NULL},
    {"whole list: elements change in place", "x = [\n  { a = 1, b = 2 }, # c\n  { a = 2 },\n]\n",
     "", "[{ a = 1, b = 3 }]", "x = [\n  { a = 1, b = 3 }, # c\n]\n", NULL},
    {"whole list: emptied", "x = [1, 2]\n", "", "[]", "x = []\n", NULL},
    {"whole object", "x = {\n  a = 1 # a\n  b = 2\n  c = 3\n}\n", "", "{ a = 1, c = 4, dd = 5 }",
     "x = {\n  a  = 1 # a\n  c  = 4\n  dd = 5\n}\n", NULL},
    {"whole object: nothing stays", "x = {\n  a = 1\n}\n", "", "{ b = 2 }", "x = {\n  b = 2\n}\n",
     NULL},
    {"whole object: nothing stays on the line", "x = { a = 1, b = 2 }\n", "", "{ c = 2, d = 1 }",
     "x = { c = 2, d = 1 }\n", NULL},
    {"whole object: references stay", "x = { a = var.a, b = 1 }\n", "", "{ a = \"v\", b = 2 }",
     "x = { a = var.a, b = 2 }\n", "{ a = \"v\", b = 1 }"},
    {"scalar to object", "x = 1\n", "", "{ b = [1, \"z\"], a = {} }",
     "x = {\n  a = {}\n  b = [1, \"z\"]\n}\n", NULL},
    {"scalar to list of objects", "x = 1\n", "", "[{ aa = 1, b = 2 }]",
     "x = [\n  {\n    aa = 1\n    b  = 2\n  },\n]\n", NULL},

    {"jsonencode", "x = jsonencode({\n  A = [\"s\"] # c\n})\n", "",
     "\"{\\\"A\\\":[\\\"s\\\",\\\"t\\\"]}\"", "x = jsonencode({\n  A = [\"s\", \"t\"] # c\n})\n",
     "\"{\\\"A\\\":[\\\"s\\\"]}\""},
    {"inside of jsonencode", "x = jsonencode({ A = 1 })\n", "A", "2", "x = jsonencode({ A = 2 })\n",
     NULL},
    {"merge: the last that has it", "x = merge({ a = 1 }, var.m, { a = 2 })\n", "a", "3",
     "x = merge({ a = 1 }, var.m, { a = 3 })\n", "2"},
    {"merge: new key", "x = merge(var.m, { a = 2 })\n", "b", "3",
     "x = merge(var.m, { a = 2, b = 3 })\n", NULL},
    {"merge: whole", "x = merge(var.m, { a = 2, b = 3 })\n", "", "{ m = 1, a = 2, c = 4 }",
     "x = merge(var.m, { a = 2, c = 4 })\n", "{ m = 1, a = 2, b = 3 }"},
    {"merge: key goes", "x = merge({ a = 1, b = 1 }, { a = 2 })\n", "a", NULL,
     "x = merge({ b = 1 }, {})\n", "2"},

    {"heredoc", "x = <<-EOT\n    a\n\n      b\n  EOT\n", "", "\"c\\n\\n  d\\n\"",
     "x = <<-EOT\n    c\n\n      d\n  EOT\n", NULL},
    {"heredoc with sequences", "x = <<EOT\na\nEOT\n", "", "\"$${a} \\\"q\\\" \\\\\\n\"",
     "x = <<EOT\n$${a} \"q\" \\\nEOT\n", NULL},
    {"heredoc whose marker is taken", "x = <<EOT\na\nEOT\n", "", "\" EOT\\nEOT1\\n\"",
     "x = <<EOT2\n EOT\nEOT1\nEOT2\n", NULL},
    {"heredoc all indented cannot be flushed", "x = <<-EOT\n  a\nEOT\n", "", "\"  b\\n\"",
     "x = <<EOT\n  b\nEOT\n", NULL},
    {"heredoc without the last newline", "x = <<EOT\na\nEOT\n", "", "\"b\"", "x = \"b\"\n", NULL},
};

static void expressions_change_where_the_path_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        AUTO_ARENA arena = {.limit = 1 << 22};
        struct hcl_file file = parse(&arena, str_from(expressions[i].text));
        const struct hcl_expr *expr = file.body.attribute[0].value;
        struct path path = path_of(&arena, expressions[i].path);
        struct value now, v;
        struct hcl_known known = {0};
        struct hcl_obstacle obstacle;
        struct hcl_edit edit;
        print_message("  %s\n", expressions[i].says);
        hcl_edit_start(&edit, &arena, &file);
        if (expressions[i].now) {
            now = literal(&arena, expressions[i].now);
            known.old = &now;
        }
        if (expressions[i].value) {
            v = literal(&arena, expressions[i].value);
            assert_true(hcl_edit_set(&edit, expr, path, &v, known, &obstacle));
        } else {
            assert_true(hcl_edit_unset(&edit, expr, path, known, &obstacle));
        }
        wants(&edit, expressions[i].want);
    }
}

static const struct {
    const char *says, *text, *path, *value;
    enum hcl_obstacle_kind kind;
    const char *at;
} obstacles[] = {
    {"reference", "x = var.a\n", "", "1", HCL_OBSTACLE_REFERENCE, "var.a"},
    {"reference in a list", "x = [1, var.a]\n", "[1].b", "1", HCL_OBSTACLE_REFERENCE, "var.a"},
    {"conditional", "x = true ? 1 : 2\n", "", "1", HCL_OBSTACLE_CONDITIONAL, "true ? 1 : 2"},
    {"for", "x = [for a in [1] : a]\n", "[0]", "2", HCL_OBSTACLE_FOR, "[for a in [1] : a]"},
    {"call", "x = upper(\"a\")\n", "", "\"B\"", HCL_OBSTACLE_CALL, "upper(\"a\")"},
    {"template", "x = \"a${b}\"\n", "", "\"B\"", HCL_OBSTACLE_TEMPLATE, "\"a${b}\""},
    {"operation", "x = 1 + 1\n", "", "3", HCL_OBSTACLE_OPERATOR, "1 + 1"},
    {"splat", "x = a[*].b\n", "", "3", HCL_OBSTACLE_SPLAT, "a[*].b"},
    {"far element", "x = [1]\n", "[2]", "3", HCL_OBSTACLE_ELEMENT, "[1]"},
    {"part of a number", "x = 1\n", "a", "3", HCL_OBSTACLE_SCALAR, "1"},
    {"merge without an object", "x = merge(a, b)\n", "k", "3", HCL_OBSTACLE_MERGED, "merge(a, b)"},
    {"an object that is no literal", "x = { a = b }\n", "", "3", HCL_OBSTACLE_REFERENCE,
     "{ a = b }"},
    {"computed keys", "x = { (a) = 1 }\n", "", "{ b = 3 }", HCL_OBSTACLE_KEY, "{ (a) = 1 }"},
};

static void obstacles_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof obstacles / sizeof *obstacles; i++) {
        AUTO_ARENA arena = {.limit = 1 << 22};
        struct hcl_file file = parse(&arena, str_from(obstacles[i].text));
        struct path path = path_of(&arena, obstacles[i].path);
        struct value v = literal(&arena, obstacles[i].value);
        struct hcl_obstacle obstacle;
        struct hcl_edit edit;
        print_message("  %s\n", obstacles[i].says);
        hcl_edit_start(&edit, &arena, &file);
        assert_false(hcl_edit_set(&edit, file.body.attribute[0].value, path, &v,
                                  (struct hcl_known){0}, &obstacle));
        assert_int_equal(obstacle.kind, obstacles[i].kind);
        struct str at = str_sub(file.text, obstacle.expr->range.start, obstacle.expr->range.end);
        assert_string_equal(arena_dup(&arena, at).ptr, obstacles[i].at);
    }
}

static void sets_match_whatever_the_order(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 22};
    struct hcl_file file = parse(&arena, STR("x = [\"b\", var.a, \"c\"]\n"));
    struct value now = literal(&arena, "[\"a\", \"b\", \"c\"]");
    struct value v = literal(&arena, "[\"a\", \"b\", \"d\", \"e\"]");
    struct hcl_obstacle obstacle;
    struct hcl_edit edit;
    now.kind = v.kind = VALUE_SET;
    hcl_edit_start(&edit, &arena, &file);
    assert_true(hcl_edit_set(&edit, file.body.attribute[0].value, (struct path){0}, &v,
                             (struct hcl_known){.old = &now}, &obstacle));
    wants(&edit, "x = [\"b\", var.a, \"d\", \"e\"]\n");
}

/* --- bodies: the first block --- */

static const struct {
    const char *says, *text, *add, *gone, *want; /* add: "name" gets 1; gone: attribute or block */
    bool block;
} bodies[] = {
    {"attribute behind the last", "r {\n  a = 1\n}\n", "bbb", NULL,
     "r {\n  a   = 1\n  bbb = 1\n}\n", false},
    {"attribute in front of blocks", "r {\n  a = 1\n\n  x {}\n  z = 1\n}\n", "b", NULL,
     "r {\n  a = 1\n  b = 1\n\n  x {}\n  z = 1\n}\n", false},
    {"first attribute in front of blocks", "r {\n  # x\n  x {}\n}\n", "b", NULL,
     "r {\n  b = 1\n\n  # x\n  x {}\n}\n", false},
    {"attribute of an empty block", "r {}\n", "b", NULL, "r {\n  b = 1\n}\n", false},
    {"attribute of a block with a comment", "r {\n  # c\n}\n", "b", NULL,
     "r {\n  # c\n  b = 1\n}\n", false},
    {"attribute of a one-line block", "r { a = 1 }\n", "bb", NULL, "r {\n  a  = 1\n  bb = 1\n}\n",
     false},
    {"attribute as its neighbours are indented", "r {\n\ta=1\n}\n", "b", NULL,
     "r {\n\ta=1\n\tb = 1\n}\n", false},
    {"attribute goes", "r {\n  aaa = 1 # x\n  b   = 2\n}\n", NULL, "aaa", "r {\n  b = 2\n}\n",
     false},
    {"attribute goes with its comment and a blank line",
     "r {\n  a = 1\n\n  # b\n  b = 2\n\n  c = 3\n}\n", NULL, "b", "r {\n  a = 1\n\n  c = 3\n}\n",
     false},
    {"last attribute goes with the blank line above", "r {\n  a = 1\n\n  b = 2\n}\n", NULL, "b",
     "r {\n  a = 1\n}\n", false},
    {"attribute of a one-line block goes", "r { a = 1 }\n", NULL, "a", "r {}\n", false},
    {"block at the end", "r {\n  a = 1\n}\n", "x", NULL,
     "r {\n  a = 1\n\n  x {\n    k = 1\n  }\n}\n", true},
    {"block of an empty block", "r {}\n", "x", NULL, "r {\n  x {\n    k = 1\n  }\n}\n", true},
    {"block behind its like", "r {\n  x {\n  } # c\n  y {\n  }\n}\n", "x", NULL,
     "r {\n  x {\n  } # c\n  x {\n    k = 1\n  }\n  y {\n  }\n}\n", true},
    {"block parted as its like", "r {\n  x {\n  }\n\n  x {\n  }\n}\n", "x", NULL,
     "r {\n  x {\n  }\n\n  x {\n  }\n\n  x {\n    k = 1\n  }\n}\n", true},
    {"block goes with its comment", "r {\n  a = 1\n\n  # x\n  x {\n  }\n\n  # y\n  y {\n  }\n}\n",
     NULL, "x", "r {\n  a = 1\n\n  # y\n  y {\n  }\n}\n", true},
    {"last block goes", "r {\n  a = 1\n\n  x {\n  }\n}\n", NULL, "x", "r {\n  a = 1\n}\n", true},
};

static void bodies_change_with_their_form_kept(void **state)
{
    (void)state;
    static const struct value one = {.kind = VALUE_NUMBER, .form = NUMBER_INT, .integer = 1};
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        AUTO_ARENA arena = {.limit = 1 << 22};
        struct hcl_file file = parse(&arena, str_from(bodies[i].text));
        const struct hcl_body *body = &file.body.block[0].body;
        struct str name = str_from(bodies[i].add ? bodies[i].add : bodies[i].gone);
        struct hcl_edit edit;
        size_t at = 0;
        print_message("  %s\n", bodies[i].says);
        hcl_edit_start(&edit, &arena, &file);
        struct hcl_new_item item = {.key = bodies[i].block ? STR("k") : name, .value = &one};
        struct hcl_new_block block = {.type = name, .attribute = &item, .nattributes = 1};
        if (bodies[i].add && bodies[i].block)
            hcl_edit_add_blocks(&edit, body, &block, 1);
        else if (bodies[i].add)
            hcl_edit_add_attributes(&edit, body, &item, 1);
        else if (bodies[i].block)
            hcl_edit_remove_block(&edit, body, hcl_find_block(body, name, &at));
        else
            hcl_edit_remove_attribute(&edit, body, hcl_find_attribute(body, name));
        wants(&edit, bodies[i].want);
    }
}

static void files_grow_at_their_end(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 22};
    struct hcl_file file = parse(&arena, STR("a = 1"));
    struct value v = value_bool(true);
    struct hcl_new_item item = {.key = STR("bb"), .value = &v},
                        to = {.key = STR("to"), .text = STR("a.b[0]")};
    struct str label = STR("l\"");
    struct hcl_new_block block = {
        .type = STR("import"), .label = &label, .nlabels = 1, .attribute = &to, .nattributes = 1};
    struct hcl_edit edit;
    hcl_edit_start(&edit, &arena, &file);
    hcl_edit_add_attributes(&edit, &file.body, &item, 1);
    wants(&edit, "a  = 1\nbb = true");
    file = parse(&arena, STR("b {}\n"));
    hcl_edit_start(&edit, &arena, &file);
    hcl_edit_add_blocks(&edit, &file.body, &block, 1);
    wants(&edit, "b {}\n\nimport \"l\\\"\" {\n  to = a.b[0]\n}\n");
}

static void what_has_no_literal_is_refused(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 22};
    struct hcl_file file = parse(&arena, STR("a = 1\n"));
    struct value unknown = value_unknown(NULL);
    struct err err = {0};
    struct hcl_edit edit;
    struct str text;
    hcl_edit_start(&edit, &arena, &file);
    hcl_edit_expr(&edit, file.body.attribute[0].value, &unknown);
    assert_false(hcl_edit_finish(&edit, &text, &err));
    assert_int_equal(err.kind, ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_change_where_the_path_says),
        cmocka_unit_test(obstacles_are_named),
        cmocka_unit_test(sets_match_whatever_the_order),
        cmocka_unit_test(bodies_change_with_their_form_kept),
        cmocka_unit_test(files_grow_at_their_end),
        cmocka_unit_test(what_has_no_literal_is_refused),
    };
    return cmocka_run_group_tests_name("lang/hcl/edit", tests, NULL, NULL);
}
