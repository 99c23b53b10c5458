/* test_eval.c - the evaluator and its list, text, pattern, format, template and file functions. */
#include "lang/hcl/test_eval.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

#define CHECK(cases) check_cases(cases, sizeof cases / sizeof *cases, NULL)

static void list_functions(void **state)
{
    static const struct eval_case cases[] = {
        {"distinct([\"a\", \"b\", \"a\"])", "[\"a\",\"b\"]"},
        {"compact([\"a\", \"\", null])", "[\"a\"]"},
        {"chunklist([1, 2, 3], 2)", "[[1,2],[3]]"},
        {"chunklist([1], -1)", "!Error in function call"},
        {"sort([\"b\", \"a\"])", "[\"a\",\"b\"]"},
        {"matchkeys([1, 2], [\"a\", \"b\"], [\"b\"])", "[2]"},
        {"transpose({ a = [\"x\", \"y\"], b = [\"x\"] })", "{\"x\":[\"a\",\"b\"],\"y\":[\"a\"]}"},
        {"alltrue([true, null])", "false"},
        {"anytrue([])", "false"},
        {"setunion([1], [2], [1])", "[1,2]"},
        {"setintersection([1, 2], [2, 3])", "[2]"},
        {"setsubtract([1, 2], [2])", "[1]"},
        {"setproduct([1, 2], [\"a\"])", "[[1,\"a\"],[2,\"a\"]]"},
        {"setproduct([1])", "!Error in function call"},
        {"list(1)", "!Error in function call"},
    };
    (void)state;
    CHECK(cases);
}

static void text_functions(void **state)
{
    static const struct eval_case cases[] = {
        {"upper(\"straße\")", "\"STRAßE\""},
        {"title(\"it's a-b\")", "\"It'S A-B\""},
        {"title(\"ǆ ა\")", "\"ǅ ა\""}, /* a letter of its own; a script without */
        {"trim(\"--a-\", \"-\")", "\"a\""},
        {"trimspace(\"\\u00a0 a\\u3000\")", "\"a\""},
        {"chomp(\"a\\r\\n\\n\")", "\"a\""},
        {"substr(\"hello\", -3, 2)", "\"ll\""},
        {"substr(\"hello\", 1, 0)", "\"\""},
        {"strrev(\"abc\")", "\"cba\""},
        {"strrev(\"\\U0001F1EF\\U0001F1F5a\")", "\"a\U0001F1EF\U0001F1F5\""},
        {"split(\",\", \"a,b,\")", "[\"a\",\"b\",\"\"]"},
        {"split(\"\", \"\")", "[]"},
        {"join(\"-\", [\"a\"], [\"b\"])", "\"a-b\""},
        {"join(\"-\", [\"a\", null])", "!Invalid function argument"},
        {"replace(\"aab\", \"a\", \"$1\")", "\"$1$1b\""},
        {"replace(\"ab\", \"\", \"-\")", "\"-a-b-\""},
        {"indent(2, \"a\\nb\")", "\"a\\n  b\""},
        {"startswith(\"abc\", \"ab\")", "true"},
        {"endswith(\"abc\", \"ab\")", "false"},
        {"strcontains(\"abc\", \"\")", "true"},
    };
    (void)state;
    CHECK(cases);
}

static void patterns(void **state)
{
    static const struct eval_case cases[] = {
        {"regex(\"a+\", \"baac\")", "\"aa\""},
        {"regex(\"(a)|(b)\", \"b\")", "[null,\"b\"]"},
        {"regex(\"(?P<y>[0-9]+)-(?<m>[0-9]+)\", \"2024-05\")", "{\"m\":\"05\",\"y\":\"2024\"}"},
        {"regex(\"(?P<y>a)(b)\", \"ab\")", "!Invalid function argument"},
        {"regex(\"(\", \"a\")", "!Invalid function argument"},
        {"regex(\"\\\\C\", \"a\")", "!Invalid function argument"},
        {"regex(\"x\", \"a\")", "!Error in function call"},
        {"regexall(\"a*\", \"baac\")", "[\"\",\"aa\",\"\"]"},
        {"regexall(\"[(?<]\", \"(?\")", "[\"(\",\"?\"]"},
        {"replace(\"a-b\", \"/(.)-(.)/\", \"$2$${1}x\")", "\"bax\""},
        {"replace(\"ab\", \"//\", \"-\")", "\"-a-b-\""},
    };
    (void)state;
    CHECK(cases);
}

static void formats(void **state)
{
    static const struct eval_case cases[] = {
        {"format(\"%5d|%-5d|%05d\", 42, 42, 42)", "\"   42|42   |00042\""},
        {"format(\"%#x %X %o %b\", 255, 255, 8, 5)", "\"0xff FF 10 101\""},
        {"format(\"%.2f %e %g\", 1.005, 1234.5678, 1e21)", "\"1.00 1.234568e+03 1e+21\""},
        /* Half of the last place is nothing, so that it is even; more than half is one. */
        {"format(\"%.0f %.0f %.0f %.1f\", 0.5, 0.50001, 1.5, 0.25)", "\"0 1 2 0.2\""},
        {"format(\"%.1f %.1f %.2f %.2f\", 0.04, 0.96, 0.004, -0.006)", "\"0.0 1.0 0.00 -0.01\""},
        {"format(\"%.3f|%8.3f|%.20f\", 0, 1e20, 3 / 8)",
         "\"0.000|100000000000000000000.000|0.37500000000000000000\""},
        {"format(\"%.1f %.0f\", 99.96, 1e-300)", "\"100.0 0\""},
        {"format(\"%v %v\", 8000000, 0.0001)", "\"8e+06 0.0001\""},
        {"format(\"%v\", [1, null])", "\"[1,null]\""},
        {"format(\"%q\", \"<\")", "\"\\\"\\\\u003c\\\"\""},
        {"format(\"%[2]s %[1]s\", \"a\", \"b\")", "\"b a\""},
        {"format(\"%s\")", "!Error in function call"},
        {"format(\"%s\", 1, 2)", "!Invalid function argument"},
        {"format(\"%d\", 1.5)", "!Error in function call"},
        {"format(\"%9999999d\", 1)", "!Error in function call"},
        {"format(\"%\")", "!Error in function call"},
        {"formatlist(\"%s-%s\", [\"a\", \"b\"], \"c\")", "[\"a-c\",\"b-c\"]"},
        {"formatlist(\"%s%s\", [1], [1, 2])", "!Invalid function argument"},
    };
    (void)state;
    CHECK(cases);
}

static void results_are_bounded(void **state)
{
    static const struct eval_case cases[] = {
        {"range(2000)", "!Error in function call"},
        {"1e999999999 > 1", "true"},
        {"-1e999999999 == -1 / 0", "true"},
        {"1e-999999999 == 0", "true"},
        {"00.5", "0.5"},
        {"tostring(1e999999999)", "\"+Inf\""},
        {"setproduct(range(1000), range(1000), range(1000))", "!Error in function call"},
        {"indent(999999999, \"a\\nb\")", "!Error in function call"},
        {"join(indent(200000000, \"\\n\"), split(\"\", \"abcdef\"))", "!Error in function call"},
    };
    (void)state;
    CHECK(cases);
}

/* Each is small to write, and would fill any machine: the message names the limit. */
static void bombs_are_refused(void **state)
{
    static const struct {
        const char *expr, *limit;
    } cases[] = {
        {"[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]]",
         "more than 33554432 bytes"},
        {"length([for a in range(1000) : length([for b in range(1000) : "
         "length([for c in range(1000) : a == b])])])",
         "more than "},
        {"[for a in [[1, 1]] : [for b in [[a, a, a, a, a, a, a, a]] : "
         "[for c in [[b, b, b, b, b, b, b, b]] : [for d in [[c, c, c, c, c, c, c, c]] : "
         "[for e in [[d, d, d, d, d, d, d, d]] : [for f in [[e, e, e, e, e, e, e, e]] : "
         "[for g in [[f, f, f, f, f, f, f, f]] : [for h in [[g, g, g, g, g, g, g, g]] : "
         "[for i in [[h, h, h, h, h, h, h, h]] : i]]]]]]]]]",
         "more than 10000000 parts"},
        {"\"%{for a in range(1000)}%{for b in range(1000)}${a}-${b} with a text behind it that is "
         "longer than the numbers before%{endfor}%{endfor}\"",
         "more than "},
        {"merge([for a in range(1000) : {for b in range(1000) : \"${a}-${b}\" => b}]...)",
         "more than 33554432 bytes"},
        {"setproduct(range(1000), range(1000), range(1000))", "more than 10000000 elements"},
        {"range(0, 1e300)", "more than 1024 values"},
        {"format(\"%2000000s\", \"x\")", "larger than 1000000"},
        {"indent(999999999, \"a\\nb\")", "more than 67108864 spaces"},
        {"regex(\"((a{100}){100}){100}\", \"a\")", "invalid repetition size"},
        {"1e99999999999", "Failed to recognize"},
        {"tonumber(\"1e99999999999\")", "must be a decimal representation of a number"},
        {"jsondecode(\"1e99999999999\")", "a number is required"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        struct hcl_diags diags = {.arena = &arena};
        const struct hcl_expr *expr;
        struct value v;
        struct hcl_eval ev = {
            .arena = &arena, .text = str_from(cases[i].expr), .file = STR("t"), .diags = &diags};
        assert_true(hcl_parse_expression(&arena, ev.text, ev.file, &diags, &expr, NULL));
        bool ok = !hcl_has_errors(&diags) && hcl_eval_expr(&ev, expr, NULL, &v);
        struct str said = diags.n ? diags.diag[0].detail : STR("nothing");
        if (ok || str_find(said, str_from(cases[i].limit), 0) == SIZE_MAX)
            fail_msg("%s: %.*s", cases[i].expr, STR_ARG(said));
    }
}

/* A folder with a file, a template and a link that leads out of it. */
static void make_files(struct arena *arena, const char *dir)
{
    struct err err = {0};
    static const struct {
        const char *name, *text;
    } files[] = {{"a.txt", "hello"}, {"t.tmpl", "Hi ${name}"}, {"sub/b.txt", "b"}};
    assert_true(io_make_dirs(arena_printf(arena, "%s/sub", dir).ptr, 0755, &err));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_true(io_write_file_atomic(arena_printf(arena, "%s/%s", dir, files[i].name).ptr,
                                         str_from(files[i].text), 0644, &err));
    assert_int_equal(symlink("/etc/passwd", arena_printf(arena, "%s/out", dir).ptr), 0);
}

static void files_below_the_root_and_no_others(void **state)
{
    static const struct eval_case cases[] = {
        {"file(\"a.txt\")", "\"hello\""},
        {"filebase64(\"a.txt\")", "\"aGVsbG8=\""},
        {"filemd5(\"a.txt\")", "\"5d41402abc4b2a76b9719d911017c592\""},
        {"fileexists(\"nothing\")", "false"},
        {"fileexists(\"sub\")", "!Error in function call"},
        {"file(\"nothing\")", "!Invalid function argument"},
        {"file(\"/etc/passwd\")", "!Invalid function argument"},
        {"file(\"../../../etc/passwd\")", "!Invalid function argument"},
        {"file(\"out\")", "!Invalid function argument"},
        {"fileset(\".\", \"**/*.txt\")", "[\"a.txt\",\"sub/b.txt\"]"},
        {"fileset(\".\", \"{a,t}.*\")", "[\"a.txt\",\"t.tmpl\"]"},
        {"fileset(\"/etc\", \"*\")", "[]"},
        {"fileset(\".\", \"[\")", "!Error in function call"},
        {"templatefile(\"t.tmpl\", { name = \"you\" })", "\"Hi you\""},
        {"templatefile(\"t.tmpl\", {})", "!Invalid function argument"},
        {"templatestring(\"x\", {})", "!Invalid function argument"},
        {"basename(\"a/b/\")", "\"b\""},
        {"dirname(\"a/b\")", "\"a\""},
        {"pathexpand(\"~/x\")", "\"/home/me/x\""},
    };
    AUTO_ARENA arena = {.limit = 1 << 20};
    char dir[] = "/tmp/test-eval-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(dir));
    make_files(&arena, dir);
    struct hcl_world world = {.base_dir = str_from(dir),
                              .root_dir = str_from(dir),
                              .home_dir = STR("/home/me"),
                              .planning = true};
    check_cases(cases, sizeof cases / sizeof *cases, &world);
    static const char *const made[] = {"a.txt", "t.tmpl", "sub/b.txt", "out"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        (void)unlink(arena_printf(&arena, "%s/%s", dir, made[i]).ptr);
    (void)rmdir(arena_printf(&arena, "%s/sub", dir).ptr);
    (void)rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_functions),
        cmocka_unit_test(text_functions),
        cmocka_unit_test(patterns),
        cmocka_unit_test(formats),
        cmocka_unit_test(results_are_bounded),
        cmocka_unit_test(bombs_are_refused),
        cmocka_unit_test(files_below_the_root_and_no_others),
    };
    return cmocka_run_group_tests_name("lang/hcl/eval", tests, NULL, NULL);
}
