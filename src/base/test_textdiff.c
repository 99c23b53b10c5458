/* test_textdiff.c - unified diffs: their form, and that they turn the one text into the other. */
#include "base/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/textdiff.h"

static const struct {
    const char *says, *before, *after, *want;
} cases[] = {
    {"equal: nothing", "a\nb\n", "a\nb\n", ""},
    {"from nothing", "", "a\n", "--- o\n+++ n\n@@ -0,0 +1 @@\n+a\n"},
    {"to nothing", "a\nb\n", "", "--- o\n+++ n\n@@ -1,2 +0,0 @@\n-a\n-b\n"},
    {"a changed line has three on each side", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
     "1\n2\n3\n4\ny\n6\n7\n8\n9\n",
     "--- o\n+++ n\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-x\n+y\n 6\n 7\n 8\n"},
    {"changes whose contexts touch share a hunk", "x\n2\n3\n4\n5\n6\n7\nx\n",
     "y\n2\n3\n4\n5\n6\n7\ny\n",
     "--- o\n+++ n\n@@ -1,8 +1,8 @@\n-x\n+y\n 2\n 3\n 4\n 5\n 6\n 7\n-x\n+y\n"},
    {"others do not", "x\n2\n3\n4\n5\n6\n7\n8\nx\n", "y\n2\n3\n4\n5\n6\n7\n8\ny\n",
     "--- o\n+++ n\n@@ -1,4 +1,4 @@\n-x\n+y\n 2\n 3\n 4\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-x\n+y\n"},
    {"no newline at the end", "a\nb", "a\nb\n",
     "--- o\n+++ n\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n"},
};

static void diffs_have_this_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        AUTO_BUF out = {.limit = 1 << 20};
        struct err err = {0};
        print_message("  %s\n", cases[i].says);
        assert_true(textdiff_unified(&arena, STR("o"), str_from(cases[i].before), STR("n"),
                                     str_from(cases[i].after), &out, &err));
        buf_char(&out, '\0');
        assert_string_equal(out.ptr, cases[i].want);
    }
}

/* Take the next line off `rest`. */
static struct str take(struct str *rest)
{
    struct str line;
    (void)str_cut(rest, '\n', &line);
    return line;
}

static void copy(struct buf *out, struct str line)
{
    buf_str(out, line);
    buf_char(out, '\n');
}

/* What the diff makes of `before`; every line that it names must be there. */
static void apply(struct str before, struct str diff, struct buf *out)
{
    long done = 0;
    while (diff.len) {
        struct str line = take(&diff);
        if (str_starts(line, STR("---")) || str_starts(line, STR("+++")))
            continue;
        if (line.ptr[0] == '@') {
            char *end;
            long from = strtol(line.ptr + 4, &end, 10);
            bool none = strncmp(end, ",0", 2) == 0;
            for (; done < from - !none; done++)
                copy(out, take(&before));
            continue;
        }
        struct str text = str_sub(line, 1, line.len);
        if (line.ptr[0] != '+') {
            assert_true(str_equal(take(&before), text));
            done++;
        }
        if (line.ptr[0] != '-')
            copy(out, text);
    }
    buf_str(out, before);
}

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* Few different lines, so that the searches meet in many ways. */
static void a_diff_applied_gives_the_other_text(void **state)
{
    (void)state;
    unsigned seed = 7;
    for (int round = 0; round < 4000; round++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        AUTO_BUF before = {.limit = 1 << 16}, after = {.limit = 1 << 16};
        AUTO_BUF diff = {.limit = 1 << 18}, got = {.limit = 1 << 16};
        struct err err = {0};
        unsigned lines = next_random(&seed) % 60, kinds = 1 + next_random(&seed) % 5;
        unsigned rare = 2 + next_random(&seed) % 8;
        for (unsigned i = 0; i < lines; i++) {
            char line[] = {(char)('a' + next_random(&seed) % kinds), '\n', '\0'};
            if (next_random(&seed) % rare)
                buf_str(&before, str_from(line));
            if (next_random(&seed) % rare == 0)
                line[0] = 'x';
            if (next_random(&seed) % rare)
                buf_str(&after, str_from(line));
        }
        assert_true(textdiff_unified(&arena, STR("o"), buf_view(&before), STR("n"),
                                     buf_view(&after), &diff, &err));
        apply(buf_view(&before), buf_view(&diff), &got);
        assert_true(str_equal(buf_view(&got), buf_view(&after)));
    }
}

/* Nothing in common and many lines: the bound on the search holds, and the diff is still right. */
static void large_differences_end(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 28};
    AUTO_BUF before = {.limit = 1 << 24}, after = {.limit = 1 << 24}, out = {.limit = 1 << 26};
    struct err err = {0};
    for (int i = 0; i < 20000; i++) {
        buf_printf(&before, "a%d\n", i);
        buf_printf(&after, "%c%d\n", i % 5 ? 'b' : 'a', i);
    }
    assert_true(textdiff_unified(&arena, STR("o"), buf_view(&before), STR("n"), buf_view(&after),
                                 &out, &err));
    size_t gone = 0, come = 0, rest = 0;
    struct str text = buf_view(&out), line;
    while (str_cut(&text, '\n', &line)) {
        gone += line.ptr[0] == '-';
        come += line.ptr[0] == '+';
        rest += line.ptr[0] == ' ';
    }
    assert_int_equal(gone, come);
    assert_int_equal(gone + rest, 20001); /* the header's line is in it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(diffs_have_this_form),
                                       cmocka_unit_test(a_diff_applied_gives_the_other_text),
                                       cmocka_unit_test(large_differences_end)};
    return cmocka_run_group_tests_name("base/textdiff", tests, NULL, NULL);
}
