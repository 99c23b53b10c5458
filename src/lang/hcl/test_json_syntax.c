/* test_json_syntax.c - files in JSON syntax: what is read, what is refused and where. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/content.h"
#include "lang/hcl/eval.h"
#include "lang/hcl/ops.h"
#include "wire/json.h"

static const struct hcl_attribute_spec attribute_specs[] = {{STR_INIT("value"), false},
                                                            {STR_INIT("depends_on"), false}};
static const struct hcl_block_spec block_specs[] = {{STR_INIT("resource"), {"type", "name"}},
                                                    {STR_INIT("locals"), {0}}};
static const struct hcl_body_spec spec = {attribute_specs, 2, block_specs, 2, NULL};
static const struct hcl_attribute_spec required_specs[] = {{STR_INIT("value"), true}};
static const struct hcl_body_spec required = {required_specs, 1, NULL, 0, NULL};

static struct hcl_file parse(struct arena *arena, struct str text, struct hcl_diags *diags)
{
    struct err err = {0};
    struct hcl_file file;
    *diags = (struct hcl_diags){.arena = arena};
    assert_true(hcl_parse_json_file(arena, text, STR("main.tf.json"), diags, &file, &err));
    assert_true(file.json && file.body.json);
    return file;
}

struct fault {
    const char *says, *text, *summary;
    uint32_t line, column;
};

static void assert_first(const struct hcl_diags *diags, const struct fault *want)
{
    print_message("  %s\n", want->says);
    assert_true(diags->n >= 1);
    assert_string_equal(diags->diag[0].summary.ptr, want->summary);
    assert_int_equal(diags->diag[0].line, want->line);
    assert_int_equal(diags->diag[0].column, want->column);
}

static const struct fault syntax_faults[] = {
    {"nothing", "", "Missing value", 1, 1},
    {"a byte order mark", "\xef\xbb\xbf{}", "Invalid start of value", 1, 1},
    {"a scalar", "1", "Root value must be object", 1, 1},
    {"two values", "{}\n{}", "Extraneous data after value", 2, 1},
    {"open object", "{\"a\": 1", "Unclosed object", 1, 1},
    {"open array", "{\"a\": [1", "Unclosed object", 1, 7},
    {"comma at the end of an object", "{\"a\": 1,\n}", "Trailing comma in object", 1, 8},
    {"comma at the end of an array", "{\"a\": [1,\n]}", "Trailing comma in array", 1, 9},
    {"no comma", "{\"a\": 1\n\"b\": 2}", "Missing attribute seperator comma", 2, 8},
    {"no comma in an array", "{\"a\": [1 2]}", "Missing attribute seperator comma", 1, 12},
    {"native syntax", "{\"a\" = 1}", "Missing property value colon", 1, 6},
    {"no colon", "{\"a\" 1}", "Missing property value colon", 1, 6},
    {"no value", "{\"a\"}", "Missing object value", 1, 5},
    {"nothing behind the colon", "{\"a\": }", "Missing JSON value", 1, 7},
    {"bare name", "{a: 1}", "Invalid JSON keyword", 1, 2},
    {"number as a name", "{1: 1}", "Invalid object property name", 1, 2},
    {"bracket for brace", "{\"a\": 1]", "Mismatched braces", 1, 9},
    {"brace for bracket", "{\"a\": [1}}", "Mismatched brackets", 1, 11},
    {"colon in an array", "{\"a\": [1: 2]}", "Invalid array value", 1, 13},
    {"near keyword", "{\"a\": True}", "Invalid JSON keyword", 1, 7},
    {"number", "{\"a\": 01}", "Invalid JSON number", 1, 7},
    {"plus", "{\"a\": +1}", "Invalid JSON number", 1, 7},
    {"escape", "{\"a\": \"x\\q\"}", "Invalid JSON string", 1, 11},
    {"unicode escape", "{\"a\": \"\\u00g0\"}", "Invalid JSON string", 1, 13},
    {"open string", "{\"a\": \"x\n}", "Invalid JSON string", 1, 9},
    {"comment", "{\"a\": 1 /* x */}", "Missing attribute seperator comma", 1, 10},
};

static void faults_are_reported_where_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof syntax_faults / sizeof *syntax_faults; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct hcl_diags diags;
        (void)parse(&arena, str_from(syntax_faults[i].text), &diags);
        assert_first(&diags, &syntax_faults[i]);
    }
}

static const struct fault content_faults[] = {
    {"no such name", "{\"valu\": 1}", "Extraneous JSON object property", 1, 2},
    {"argument twice", "{\"value\": 1,\n\"value\": 2}", "Duplicate argument", 2, 1},
    {"body of another type", "[{\"value\": 1}, 2]", "Incorrect JSON value type", 1, 16},
    {"block of another type", "{\"locals\": 1}", "Incorrect JSON value type", 1, 12},
    {"label of another type", "{\"resource\": {\"a\": [1]}}", "Incorrect JSON value type", 1, 21},
    {"no label", "{\"resource\": {\"a\": {}}}", "Missing block label", 1, 20},
};

static void content_faults_have_terraforms_words_and_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof content_faults / sizeof *content_faults; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct hcl_diags diags;
        struct hcl_content content;
        struct hcl_file file = parse(&arena, str_from(content_faults[i].text), &diags);
        assert_true(hcl_body_content(&arena, &file, &file.body, &spec, false, &diags, &content));
        assert_first(&diags, &content_faults[i]);
        assert_true(diags.n <= 2);
    }
}

static void blocks_come_from_every_level_of_arrays(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct hcl_diags diags;
    struct hcl_content content;
    struct hcl_file file =
        parse(&arena,
              STR("[{\"//\": \"note\", \"resource\": [{\"a\": {\"x\": {}}}, {\"a\": [{\"y\": [{}, "
                  "{}]}], \"b\": {\"z\": null}}]},\n{\"resource\": {\"c\": {\"w\": {}}}}]"),
              &diags);
    assert_true(hcl_body_content(&arena, &file, &file.body, &spec, false, &diags, &content));
    assert_int_equal(diags.n, 0);
    static const char *const want[][2] = {{"a", "x"}, {"a", "y"}, {"a", "y"}, {"c", "w"}};
    assert_int_equal(content.nblocks, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(content.block[i].nlabels, 2);
        assert_true(str_equal(content.block[i].label[0].text, str_from(want[i][0])));
        assert_true(str_equal(content.block[i].label[1].text, str_from(want[i][1])));
        assert_non_null(content.block[i].body.json);
    }
}

static void what_is_required_is_missed_at_the_closing_brace(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct hcl_diags diags;
    struct hcl_content content;
    struct hcl_file file = parse(&arena, STR("{\n  \"//\": 1\n  }"), &diags);
    assert_true(hcl_body_content(&arena, &file, &file.body, &required, false, &diags, &content));
    assert_int_equal(diags.n, 1);
    assert_string_equal(diags.diag[0].summary.ptr, "Missing required argument");
    assert_int_equal(diags.diag[0].line, 3);
    assert_int_equal(diags.diag[0].column, 3);
}

static void attributes_alone_come_once(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct hcl_diags diags;
    struct hcl_content content;
    struct hcl_file file =
        parse(&arena, STR("{\"//\": 0, \"b\": 1, \"a\": 2, \"//\": 0, \"b\": {\"x\": 3}}"), &diags);
    assert_true(hcl_body_attributes(&arena, &file, &file.body, &diags, &content));
    assert_int_equal(diags.n, 1);
    assert_string_equal(diags.diag[0].summary.ptr, "Duplicate attribute definition");
    assert_string_equal(diags.diag[0].detail.ptr,
                        "The argument \"b\" was already set at main.tf.json:1,11-17.");
    assert_int_equal(content.nattributes, 2);
    assert_true(str_equal(content.attribute[0].name, STR("b")));
    file = parse(&arena, STR("[{\"a\": 1}]"), &diags);
    assert_true(hcl_body_attributes(&arena, &file, &file.body, &diags, &content));
    assert_int_equal(diags.n, 1);
    assert_string_equal(diags.diag[0].summary.ptr, "Incorrect JSON value type");
}

/* --- values --- */

static bool resolve(void *ctx, struct hcl_eval *ev, const struct hcl_traversal *traversal,
                    struct value *ret, size_t *ret_steps)
{
    (void)ctx;
    *ret_steps = 0;
    if (!str_equal(traversal->root, STR("x")))
        return hcl_fail(ev, traversal->range, "Unknown variable", "There is no such variable.");
    *ret = value_int(7);
    return true;
}

static bool evaluate(struct arena *arena, const struct hcl_file *file, struct hcl_diags *diags,
                     bool names, struct value *ret)
{
    struct hcl_scope scope = {.resolve = resolve};
    struct hcl_world world = {.planning = true};
    struct hcl_content content;
    struct hcl_eval ev = {
        .arena = arena, .file = file->name, .text = file->text, .diags = diags, .world = &world};
    assert_true(hcl_body_attributes(arena, file, &file->body, diags, &content));
    assert_int_equal(content.nattributes, 1);
    return hcl_eval_expr(&ev, content.attribute[0].value, names ? &scope : NULL, ret);
}

static const struct {
    const char *says, *text, *value, *bare; /* with names, without */
} values[] = {
    {"plain", "{\"a\": \"x\"}", "\"x\"", "\"x\""},
    {"template", "{\"a\": \"<${x}>\"}", "\"<7>\"", "\"<${x}>\""},
    {"one interpolation", "{\"a\": \"${x}\"}", "7", "\"${x}\""},
    {"escaped sequence", "{\"a\": \"$${x}\"}", "\"${x}\"", "\"$${x}\""},
    {"quotes inside", "{\"a\": \"${x == 7 ? \\\"y\\\" : \\\"n\\\"}\"}", "\"y\"",
     "\"${x == 7 ? \\\"y\\\" : \\\"n\\\"}\""},
    {"backslashes stay", "{\"a\": \"\\\\n${x}\"}", "\"\\\\n7\"", "\"\\\\n${x}\""},
    {"exact numbers", "{\"a\": [1.10, -3, 123456789012345678901234567890]}",
     "[1.10,-3,123456789012345678901234567890]", NULL},
    {"names are templates", "{\"a\": {\"k${x}\": null}}", "{\"k7\":null}", "{\"k${x}\":null}"},
    {"surrogates", "{\"a\": \"\\ud83d\\ude00 \\ud800\"}", "\"\xf0\x9f\x98\x80 \xef\xbf\xbd\"",
     NULL},
    {"to NFC", "{\"a\": \"e\\u0301\"}", "\"\xc3\xa9\"", "\"\xc3\xa9\""},
};

static void strings_are_templates_where_names_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (size_t names = 0; names < 2; names++) {
            AUTO_ARENA arena = {.limit = 1 << 20};
            AUTO_BUF out = {.limit = 1 << 16};
            struct jsonw w = {.out = &out};
            struct hcl_diags diags;
            struct value v;
            const char *want = names ? values[i].value : values[i].bare;
            if (!want)
                continue;
            print_message("  %s\n", values[i].says);
            struct hcl_file file = parse(&arena, str_from(values[i].text), &diags);
            assert_true(evaluate(&arena, &file, &diags, names, &v));
            assert_int_equal(diags.n, 0);
            jsonw_value(&w, &v);
            assert_true(str_equal(buf_view(&out), str_from(want)));
        }
}

static const struct fault value_faults[] = {
    {"fault of a template", "{\"a\": \"x ${1 +}\"}", "Invalid expression", 1, 15},
    {"behind escapes", "{\"a\": \"\\\"\\u00e9\\\" ${1 +}\"}", "Invalid expression", 1, 24},
    {"unknown name behind escapes", "{\"a\": \"${x == \\\"7\\\" || y}\"}", "Unknown variable", 1,
     24},
    {"name twice", "{\"a\": {\"k\": 1,\n\"k\": 2}}", "Duplicate object attribute", 2, 1},
    {"null as a name", "{\"a\": {\"${null}\": 1}}", "Invalid object key expression", 1, 8},
    {"list as a name", "{\"a\": {\"${[1]}\": 1}}", "Invalid object key expression", 1, 8},
};

static void faults_inside_of_strings_have_the_places_of_the_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof value_faults / sizeof *value_faults; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct hcl_diags diags;
        struct value v;
        struct hcl_file file = parse(&arena, str_from(value_faults[i].text), &diags);
        assert_int_equal(diags.n, 0);
        assert_false(evaluate(&arena, &file, &diags, true, &v));
        assert_int_equal(diags.n, 1);
        assert_first(&diags, &value_faults[i]);
    }
}

static void static_values_take_strings_as_they_are(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct hcl_diags diags;
    struct hcl_content content;
    struct value v;
    struct hcl_file file = parse(&arena, STR("{\"a\": {\"${k}\": [\"%{x\", -1.5]}}"), &diags);
    assert_true(hcl_body_attributes(&arena, &file, &file.body, &diags, &content));
    assert_true(hcl_static_value(&arena, content.attribute[0].value, &v));
    const struct value *list = value_get(&v, STR("${k}"));
    assert_non_null(list);
    assert_true(str_equal(value_text(&list->items[0]), STR("%{x")));
    assert_int_equal(diags.n, 0);
}

static void keywords_are_read_from_strings(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct hcl_diags diags;
    struct hcl_content content;
    struct hcl_traversal traversal;
    struct hcl_file file =
        parse(&arena, STR("{\"depends_on\": [\"a.b[\\\"k\\\"].c\", \"1 +\", 3]}"), &diags);
    assert_true(hcl_body_content(&arena, &file, &file.body, &spec, false, &diags, &content));
    const struct hcl_expr *list =
        hcl_keyword_expr(&arena, &file, content.attribute[0].value, &diags);
    assert_int_equal(list->kind, HCL_EXPR_TUPLE);
    assert_true(hcl_static_traversal(&arena, list->parts.part[0], &traversal));
    assert_true(str_equal(traversal.root, STR("a")));
    assert_int_equal(traversal.n, 3);
    assert_int_equal(traversal.step[2].range.start, 28); /* the c, behind the escapes */
    assert_false(hcl_static_traversal(&arena, list->parts.part[1], &traversal));
    assert_non_null(list->parts.part[1]->raw);
    assert_int_equal(list->parts.part[2]->kind, HCL_EXPR_LITERAL);
    assert_int_equal(diags.n, 0);
}

/* --- limits --- */

static void tokens_and_blanks_are_the_file(void **state)
{
    (void)state;
    static const char text[] = "{\n\t\"a\" : [1, true,\"\\\"\" , null ],\r\n \"b\": { } }\n";
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct hcl_diags diags;
    struct hcl_file file = parse(&arena, STR(text), &diags);
    uint32_t at = 0;
    for (size_t i = 0; i < file.ntokens; i++) {
        for (; at < file.token[i].range.start; at++)
            assert_non_null(strchr(" \t\r\n", text[at]));
        at = file.token[i].range.end;
    }
    assert_int_equal(at, sizeof text - 1);
    assert_int_equal(file.token[file.ntokens - 1].kind, HCL_EOF);
}

static void depth_and_memory_are_bounded(void **state)
{
    (void)state;
    enum { DEEP = 100000 };
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct hcl_diags diags;
    char *text = arena_alloc_raw(&arena, DEEP, 1, 1);
    for (size_t kind = 0; kind < 2; kind++) {
        memset(text, '[', DEEP);
        for (size_t i = 0; kind && i + 5 <= DEEP; i += 5)
            memcpy(text + i, "{\"a\":", 5);
        (void)parse(&arena, (struct str){text, DEEP}, &diags);
        assert_int_equal(diags.n, 1);
        assert_string_equal(diags.diag[0].summary.ptr, "Configuration nested too deeply");
    }
    for (size_t limit = 0; limit < 20000; limit += 97) {
        AUTO_ARENA small = {.limit = limit};
        struct err err = {0};
        struct hcl_file file;
        struct hcl_diags few = {.arena = &small};
        struct hcl_content content;
        if (hcl_parse_json_file(&small, STR("{\"resource\":{\"a\":{\"b\":[{\"c\":\"${x}\"}]}}}"),
                                STR("x"), &few, &file, &err))
            (void)hcl_body_content(&small, &file, &file.body, &spec, false, &few, &content);
        else
            assert_int_equal(err.kind, ERR_LIMIT);
    }
}

static void every_truncation_is_survived(void **state)
{
    (void)state;
    static const char whole[] =
        "{\"//\": \"x\", \"resource\": {\"a\": [{\"b\": {\"c\": \"\\u00e9 ${x[\\\"k\\\"]} "
        "%{if true}1%{endif}\", \"d\": [1.5e3, -1, true, null, \"\\ud83d\\ude00\"]}}]},\n"
        "\"locals\": {\"e\": {\"f\": {}}}}\n";
    for (size_t n = 0; n < sizeof whole; n++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct hcl_diags diags;
        struct hcl_content content;
        char *part = arena_alloc_raw(&arena, n, 1, 1); /* its end is the end of what may be read */
        memcpy(part, whole, n);
        struct hcl_file file = parse(&arena, (struct str){part, n}, &diags);
        assert_true(hcl_has_errors(&diags) == (n < sizeof whole - 2));
        assert_true(hcl_body_content(&arena, &file, &file.body, &spec, false, &diags, &content));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_reported_where_they_are),
        cmocka_unit_test(content_faults_have_terraforms_words_and_places),
        cmocka_unit_test(blocks_come_from_every_level_of_arrays),
        cmocka_unit_test(what_is_required_is_missed_at_the_closing_brace),
        cmocka_unit_test(attributes_alone_come_once),
        cmocka_unit_test(strings_are_templates_where_names_are),
        cmocka_unit_test(faults_inside_of_strings_have_the_places_of_the_file),
        cmocka_unit_test(static_values_take_strings_as_they_are),
        cmocka_unit_test(keywords_are_read_from_strings),
        cmocka_unit_test(tokens_and_blanks_are_the_file),
        cmocka_unit_test(depth_and_memory_are_bounded),
        cmocka_unit_test(every_truncation_is_survived),
    };
    return cmocka_run_group_tests_name("hcl/json_syntax", tests, NULL, NULL);
}
