/* test_parse.c - HCL text to tokens and tree: what is read, what is refused, and where. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/hcl.h"
#include "lang/hcl/lex.h"

static struct hcl_file parse(struct arena *arena, struct str text, struct hcl_diags *diags)
{
    struct err err = {0};
    struct hcl_file file;
    *diags = (struct hcl_diags){.arena = arena};
    assert_true(hcl_parse_file(arena, text, STR("main.tf"), diags, &file, &err));
    return file;
}

static const struct {
    const char *says, *text, *summary;
    uint32_t line, column;
    size_t more; /* faults behind the first */
} faults[] = {
    {"two arguments on a line", "a = 1 b = 2\n", "Missing newline after argument", 1, 7},
    {"brace on the next line", "x \"y\"\n{\n}\n", "Invalid block definition", 1, 6},
    {"argument twice", "a = 1\nb = 2\na = 3\n", "Attribute redefined", 3, 1},
    {"newline after an operator", "a = 1 +\n", "Invalid expression", 1, 8},
    {"a string over lines", "a = \"x\ny\"\n", "Invalid multi-line string", 1, 7, 1},
    {"a quote that nobody closes", "a = \"x", "Unterminated template string", 1, 7},
    {"a heredoc without its last newline", "a = <<E\nx\nE", "Unterminated template string", 3, 2},
    {"single quotes", "a = 'x'\n", "Invalid character", 1, 5, 1},
    {"bitwise", "a = 1 & 2\n", "Unsupported operator", 1, 7, 1},
    {"escape", "a = \"\\x41\"\n", "Invalid escape sequence", 1, 6},
    {"escape behind a wide character", "a = \"\xc3\xa9\\q\"\n", "Invalid escape sequence", 1, 7},
    {"number", "a = 1.2.3\n", "Invalid number literal", 1, 5},
    {"open tuple", "a = [1\n", "Unterminated tuple constructor expression", 1, 5},
    {"no separator", "a = [1 2]\n", "Missing item separator", 1, 8},
    {"open block", "a {\n", "Unclosed configuration block", 1, 3},
    {"no colon", "a = true ? 1\n", "Missing false expression in conditional", 1, 13},
    {"object for", "a = {for x in y : x}\n", "Invalid 'for' expression", 1, 19},
    {"block in one line", "a { b {} }\n", "Argument definition required", 1, 5},
    {"string in one line", "a { \"b\" = 1 }\n", "Argument or block definition required", 1, 5},
    {"open one line", "a { b = 1", "Unclosed configuration block", 1, 3},
    {"two in one line", "a { b = 1, c = 2 }\n", "Invalid single-argument block definition", 1, 10},
    {"a block in one line", "a { b {} }\n", "Argument definition required", 1, 5},
    {"an index that is not closed", "a = b[1 2\n]\n", "Missing close bracket on index", 2, 1},
    {"the end of a sequence by itself", "a = [~}]\n", "Invalid expression", 1, 6},
    {"chained legacy index", "a = b.0.1\n", "Invalid legacy index syntax", 1, 7},
    {"extra in a sequence", "a = \"${b c}\"\n", "Extra characters after interpolation expression",
     1, 10},
    {"open sequence in a file", "a = \"x ${b", "Unclosed template interpolation sequence", 1, 6},
    {"exponent", "a = 1e99999999999\n", "Invalid number literal", 1, 5},
    {"no endif", "a = \"%{if b}x\"\n", "Unexpected end of template", 1, 14},
};

static void faults_are_reported_where_they_are(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct hcl_diags diags;
        print_message("  %s\n", faults[i].says);
        (void)parse(&arena, str_from(faults[i].text), &diags);
        assert_string_equal(diags.diag[0].summary.ptr, faults[i].summary);
        assert_int_equal(diags.n, 1 + faults[i].more);
        assert_int_equal(diags.diag[0].line, faults[i].line);
        assert_int_equal(diags.diag[0].column, faults[i].column);
    }
}

static void all_faults_of_a_file_in_one_run(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct hcl_diags diags;
    struct hcl_file file =
        parse(&arena, STR("a = 1 +\nb = 2\nc = [1 2]\nd {\n  e = }\n  f = 1\n}\ng = 3\n"), &diags);
    assert_int_equal(diags.n, 3);
    assert_int_equal(diags.diag[0].line, 1);
    assert_int_equal(diags.diag[1].line, 3);
    assert_int_equal(diags.diag[2].line, 5);
    assert_non_null(hcl_find_attribute(&file.body, STR("b")));
    assert_non_null(hcl_find_attribute(&file.body, STR("g")));
}

static const struct {
    const char *says, *text, *value;
} strings[] = {
    {"plain", "a = \"x\"\n", "x"},
    {"escapes", "a = \"\\n\\t\\\"\\\\\\u00e9\"\n", "\n\t\"\\\xc3\xa9"},
    {"NFC", "a = \"e\xcc\x81\"\n", "\xc3\xa9"},
    {"dollar escape", "a = \"$${b}\"\n", "${b}"},
    {"three dollars", "a = \"$$${1}\"\n", "$${1}"},
    {"four dollars", "a = \"$$$${1}\"\n", "$$${1}"},
    {"percent escape", "a = \"%%{if}\"\n", "%{if}"},
    {"lone dollar", "a = \"cost: $5 100%\"\n", "cost: $5 100%"},
    {"backslash at the end", "a = \"\\\\\"\n", "\\"},
    {"heredoc", "a = <<EOT\n  x\n y\nEOT\n", "  x\n y\n"},
    {"flushed heredoc", "a = <<-EOT\n    x\n\n      y\n    EOT\n", "x\n\n  y\n"},
    {"empty heredoc", "a = <<EOT\nEOT\n", ""},
    {"marker inside a word", "a = <<EOT\nEOTX\nEOT\n", "EOTX\n"},
    {"no backslash in a heredoc", "a = <<EOT\n\\n$${x}\nEOT\n", "\\n${x}\n"},
};

static void strings_are_decoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct hcl_diags diags;
        print_message("  %s\n", strings[i].says);
        struct hcl_file file = parse(&arena, str_from(strings[i].text), &diags);
        assert_int_equal(diags.n, 0);
        const struct hcl_attribute *a = hcl_find_attribute(&file.body, STR("a"));
        assert_non_null(a);
        assert_int_equal(a->value->kind, HCL_EXPR_STRING);
        assert_true(str_equal(value_text(&a->value->value), str_from(strings[i].value)));
    }
}

static void blocks_have_labels_and_bodies(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct hcl_diags diags;
    struct hcl_file file = parse(
        &arena,
        STR("provider \"registry.opentofu.org/hashicorp/aws\" {\n"
            "  version = \"5.0.0\" # why\n  hashes = [\n    \"h1:a=\",\n    \"zh:b\",\n  ]\n}\n"
            "resource aws_vpc main { cidr = \"10.0.0.0/8\" }\n"),
        &diags);
    assert_int_equal(diags.n, 0);
    assert_int_equal(file.body.nblocks, 2);
    size_t at = 0;
    const struct hcl_block *lock = hcl_find_block(&file.body, STR("provider"), &at);
    struct value hashes;
    assert_true(str_equal(lock->label[0].text, STR("registry.opentofu.org/hashicorp/aws")));
    assert_true(
        hcl_static_value(&arena, hcl_find_attribute(&lock->body, STR("hashes"))->value, &hashes));
    assert_int_equal(hashes.len, 2);
    assert_true(str_equal(value_text(&hashes.items[1]), STR("zh:b")));
    const struct hcl_block *vpc = &file.body.block[1];
    assert_int_equal(vpc->nlabels, 2);
    assert_false(vpc->label[1].quoted);
    assert_int_equal(vpc->body.nattributes, 1);
}

/* Tokens and the blanks between them are the text. */
static void nothing_is_lost(void **state)
{
    (void)state;
    static const char text[] =
        "\xef\xbb\xbf# c\na = [1, \"${b[\"k\"]}x\", <<-E\n  q ${r} %{ if s ~} t "
        "%{ endif }\n  E\n] /* z */\r\nb { }\n;`\xff\n";
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    const struct hcl_token *token;
    size_t n, at = 3;
    assert_true(hcl_lex(&arena, STR(text), HCL_LEX_CONFIG, &token, &n, &err));
    for (size_t i = 0; i < n; i++) {
        for (; at < token[i].range.start; at++)
            assert_true(text[at] == ' ' || text[at] == '\t');
        assert_int_equal(at, token[i].range.start);
        at = token[i].range.end;
    }
    assert_int_equal(at, sizeof text - 1);
}

static void hostile_text_ends_in_an_answer(void **state)
{
    (void)state;
    static const char *const openers[] = {"[", "(",  "{a=", "\"${",  "a[", "-",
                                          "!", "x?", "f(",  "a {\n", "%{", "[for x in "};
    enum { TIMES = 20000 };
    for (size_t i = 0; i < sizeof openers / sizeof *openers; i++) {
        AUTO_ARENA arena = {.limit = 256 << 20};
        size_t len = strlen(openers[i]), total = 4;
        char *text = arena_alloc(&arena, TIMES, len, 1);
        char *whole = arena_alloc(&arena, TIMES * len + 5, 1, 1);
        (void)text;
        memcpy(whole, "a = ", 4);
        for (size_t k = 0; k < TIMES; k++, total += len)
            memcpy(whole + total, openers[i], len);
        struct hcl_diags diags = {.arena = &arena};
        struct err err = {0};
        struct hcl_file file;
        bool ok = hcl_parse_file(&arena, (struct str){whole, total}, STR("x"), &diags, &file, &err);
        assert_true(!ok || hcl_has_errors(&diags));
    }
}

static void every_truncation_is_survived(void **state)
{
    (void)state;
    static const char text[] =
        "a \"b\" {\n c = [for k, v in {x = 1, \"y\" : [2]} : \"${k}-%{if v}1%{else}2%{endif}\" if "
        "v > "
        "0]\n d = <<-E\n  t ${f(1, g...)} \n  E\n e = a.*.b[0].c[*].d ? -1 : !x::y(2)\n}\n";
    for (size_t len = 0; len <= sizeof text - 1; len++) {
        AUTO_ARENA arena = {.limit = 1 << 22};
        struct hcl_diags diags;
        (void)parse(&arena, (struct str){text, len}, &diags);
        assert_true(diags.n <= 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_reported_where_they_are),
        cmocka_unit_test(all_faults_of_a_file_in_one_run),
        cmocka_unit_test(strings_are_decoded),
        cmocka_unit_test(blocks_have_labels_and_bodies),
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(hostile_text_ends_in_an_answer),
        cmocka_unit_test(every_truncation_is_survived),
    };
    return cmocka_run_group_tests_name("lang/hcl/parse", tests, NULL, NULL);
}
