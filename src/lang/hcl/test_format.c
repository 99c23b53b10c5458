/* test_format.c - the form of `terraform fmt`: what changes, what stays, and lines by themselves.
 */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/format.h"

/* in, out: as Terraform 1.11.4 formats it. More in tests/data/hcl/fmt.jsonl. */
static const struct {
    const char *says, *in, *out;
} forms[] = {
    {"columns of one run", "a=1 # x\nbbb = 2 # y\n\nc  =  3\n",
     "a   = 1 # x\nbbb = 2 # y\n\nc = 3\n"},
    {"a value of more lines ends the run", "a = [\n1]\nbbb = 2\n", "a = [\n1]\nbbb = 2\n"},
    {"characters are counted as people see them",
     "\xc3\xa9"
     "1 = 1\nabc = 2\n",
     "\xc3\xa9"
     "1  = 1\nabc = 2\n"},
    {"labels get quotes, comments between them go", "x y /*z*/ \"w\" /*v*/ {}\n",
     "x \"y\" \"w\" /*v*/ {}\n"},
    {"an interpolation alone", "a = \"${b}\"\nc = \"${b}${d}\"\ne = [\"${b}\"]\n",
     "a = b\nc = \"${b}${d}\"\ne = [\"${b}\"]\n"},
    {"one of several lines", "a = \"${\n  b ?\n  c : d\n}\"\n", "a = (b ?\nc : d)\n"},
    {"old types", "variable \"x\" {\n  type = \"list\"\n}\nvariable \"y\" {\n  type = map\n}\n",
     "variable \"x\" {\n  type = list(string)\n}\nvariable \"y\" {\n  type = map(any)\n}\n"},
    {"only of variables", "x \"y\" {\n  type = \"list\"\n}\n", "x \"y\" {\n  type = \"list\"\n}\n"},
    {"a heredoc stays", "a = <<E\n  x=1\n   ${y+1}\n E  \nb=1\n",
     "a = <<E\n  x=1\n   ${y + 1}\n E  \nb = 1\n"},
    {"a mark of byte order goes",
     "\xef\xbb\xbf"
     "a=1\n",
     "a = 1\n"},
    {"blanks at the very end stay", "a=1  ", "a = 1  "},
    {"CRLF stays", "a=1\r\nbb=2\r\n", "a  = 1\r\nbb = 2\r\n"},
    /* Terraform drops both. */
    {"a label with a lone dollar stays", "x \"a$b\" \"100%\" {}\n", "x \"a$b\" \"100%\" {}\n"},
    {"an index by a keyword stays", "a = b[true][null]\n", "a = b[true][null]\n"},
    /* Terraform makes a text of it that cannot be read. */
    {"a comment in an interpolation", "a = \"${ # c\n  b}\"\n", "a = ( # c\nb)\n"},
    {"one at its end, or in brackets", "a = \"${b # c\n}\"\nd = \"${[ # e\n1]}\"\n",
     "a = b # c\n\nd = [ # e\n1]\n"},
    {"a minus", "a = -1+-b- c\n", NULL},
    {"signs", "a=[-1,- 2, b -c, !  d]\n", "a = [-1, -2, b - c, !d]\n"},
};

static void texts_take_this_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct hcl_diags diags = {.arena = &arena};
        struct err err = {0};
        struct str got;
        print_message("  %s\n", forms[i].says);
        bool ok = hcl_format_text(&arena, str_from(forms[i].in), STR("x.tf"), &diags, &got, &err);
        assert_int_equal(ok, forms[i].out != NULL);
        if (!ok)
            continue;
        assert_string_equal(arena_dup(&arena, got).ptr, forms[i].out);
        assert_true(hcl_format_text(&arena, got, STR("x.tf"), &diags, &got, &err));
        assert_string_equal(arena_dup(&arena, got).ptr, forms[i].out);
    }
}

static const struct {
    const char *says, *in;
    struct hcl_line_range lines;
    bool formatted;
    const char *out;
} places[] = {
    {"only the run that was touched",
     "a=1\n\nbb = 2\nccc = 3\n\nd=4\n",
     {3, 3},
     false,
     "a=1\n\nbb  = 2\nccc = 3\n\nd=4\n"},
    {"it may be right while others are not",
     "a=1\n\nbb  = 2\nccc = 3\n",
     {4, 4},
     true,
     "a=1\n\nbb  = 2\nccc = 3\n"},
    {"comments make a run, too",
     "a {} # x\nbbb {} # y\n\nc=1\n",
     {1, 1},
     false,
     "a {}   # x\nbbb {} # y\n\nc=1\n"},
    {"no rewriting", "a = \"${b}\"\nx y {\n}\n", {1, 3}, true, "a = \"${b}\"\nx y {\n}\n"},
    {"a heredoc is one line", "a=<<E\nx\nE\n\nb=1\n", {2, 2}, false, "a = <<E\nx\nE\n\nb=1\n"},
    {"a mark of byte order stays",
     "\xef\xbb\xbf"
     "a=1\n",
     {1, 1},
     false,
     "\xef\xbb\xbf"
     "a = 1\n"},
    {"indentation", "a {\nb = 1\n}\n", {2, 2}, false, "a {\n  b = 1\n}\n"},
    {"beyond the end", "a=1\n", {7, 9}, true, "a=1\n"},
    {"nothing", "", {1, 1}, true, ""},
};

static void lines_are_laid_out_by_themselves(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct hcl_diags diags = {.arena = &arena};
        struct hcl_file file;
        struct err err = {0};
        struct str got;
        bool formatted;
        print_message("  %s\n", places[i].says);
        assert_true(
            hcl_parse_file(&arena, str_from(places[i].in), STR("x.tf"), &diags, &file, &err));
        assert_true(hcl_lines_formatted(&arena, &file, places[i].lines, &formatted, &err));
        assert_int_equal(formatted, places[i].formatted);
        assert_true(hcl_format_lines(&arena, &file, places[i].lines, &got, &err));
        assert_string_equal(arena_dup(&arena, got).ptr, places[i].out);
    }
}

/* Output can be larger than its input by the square of it: the arena's limit stops that. */
static void a_bomb_is_refused(void **state)
{
    (void)state;
    AUTO_ARENA text_arena = {.limit = 1 << 22}, arena = {.limit = 64 << 20};
    struct hcl_diags diags = {.arena = &arena};
    struct err err = {0};
    struct str got;
    enum { LONG = 200000, LINES = 100000 };
    char *text = arena_alloc_raw(&text_arena, LONG + 4 * LINES + 16, 1, 1);
    assert_non_null(text);
    size_t len = 0;
    memcpy(text, "a = {\n", 6);
    memset(text + 6, 'x', LONG);
    len = LONG + 6;
    memcpy(text + len, "=1\n", 3);
    len += 3;
    for (int i = 0; i < LINES; i++, len += 4)
        memcpy(text + len, "y=1\n", 4);
    memcpy(text + len, "}\n", 2);
    assert_false(
        hcl_format_text(&arena, (struct str){text, len + 2}, STR("x.tf"), &diags, &got, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts_take_this_form),
                                       cmocka_unit_test(lines_are_laid_out_by_themselves),
                                       cmocka_unit_test(a_bomb_is_refused)};
    return cmocka_run_group_tests_name("lang/hcl/format", tests, NULL, NULL);
}
