/* test_driftignore.c - lines of a .driftignore: the rules that they become, and what is left. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "drift/driftignore.h"

/* Rules as "type|id|path", one a line; lines left as "!NUMBER". */
static const struct {
    const char *text, *want;
} cases[] = {
    {"", ""},
    {"# nothing\n\n   \n", ""},
    {"aws_s3_bucket.my-bucket\n", "aws_s3_bucket|my-bucket|\n"},
    {"aws_instance.*", "aws_instance||\n"},
    {"aws_instance", "aws_instance||\n"},
    {"aws_iam_*\r\n", "aws_iam_*||\n"},
    {"*.i-0abc", "|i-0abc|\n"},
    {"*", "!1\n"},
    {"*.*", "!1\n"},
    {"*.*.tags", "||tags\n"},
    {"aws_lambda_function.*.environment", "aws_lambda_function||environment\n"},
    {"aws_lambda_function.f.environment.0.variables.FOO",
     "aws_lambda_function|f|environment[0].variables.FOO\n"},
    {"aws_x.a.tags.*", "aws_x|a|tags[*]\n"},
    {"aws_x.a.tags.kube*", "aws_x|a|tags[\"kube*\"]\n"},
    {"aws_x.a.tags.a/b", "aws_x|a|tags[\"a/b\"]\n"},
    {"aws_route53_record.www\\.example\\.com", "aws_route53_record|www.example.com|\n"},
    {"aws_x.a\\*b", "aws_x|a\\*b|\n"},
    {"aws_x.a**b", "aws_x|a*b|\n"},
    {"aws_x.[ab]", "!1\n"},
    {"aws_x.\\[ab\\]", "aws_x|[ab]|\n"},
    {".x", "!1\n"},
    {"\\#odd.x", "#odd|x|\n"},
    {"\xef\xbb\xbf"
     "aws_x.a",
     "aws_x|a|\n"},
    {"aws_x.a   ", "aws_x|a|\n"},
    {"aws_x.a\\ ", "aws_x|a |\n"},
    {"aws_x.a\\", "aws_x|a\\|\n"},
    /* what a later ! takes a part of is no rule */
    {"aws_x.*\n!aws_x.keep\n", "!1\n!2\n"},
    {"aws_x.a\n!aws_x.b\naws_y.*\n", "aws_x|a|\naws_y||\n!2\n"},
    {"!aws_x.a\naws_x.a\n", "aws_x|a|\n!1\n"},
    {"aws_x.a.tags\n!aws_x.a.name", "aws_x|a|tags\n!2\n"},
    {"aws_x.a.tags\n!aws_x.a.tags.owner", "!1\n!2\n"},
    {"aws_x.a.tags\n!aws_x.a", "!1\n!2\n"},
    {"aws_x.a\n!*", "!1\n!2\n"},
    {"aws_x.a\n![bc]", "!1\n!2\n"},
};

static struct str print(struct arena *arena, const struct driftignore *got)
{
    struct str text = STR("");
    for (size_t i = 0; i < got->n; i++)
        text =
            arena_printf(arena, "%.*s%.*s|%.*s|%.*s\n", STR_ARG(text), STR_ARG(got->rules[i].type),
                         STR_ARG(got->rules[i].id), STR_ARG(got->rules[i].path));
    for (size_t i = 0; i < got->nleft; i++)
        text = arena_printf(arena, "%.*s!%zu\n", STR_ARG(text), got->left[i].line);
    return text;
}

static void each_line_is_a_rule_or_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct driftignore got;
        struct err err = {0};
        if (!driftignore_parse(&arena, str_from(cases[i].text), ".driftignore", &got, &err))
            fail_msg("%s: %s", cases[i].text, err.frame[0]);
        assert_string_equal(print(&arena, &got).ptr, cases[i].want);
        for (size_t j = 0; j < got.n; j++) {
            assert_true(got.rules[j].reason.len > 0);
            assert_true(got.rules[j].expires_utc_ms == INT64_MAX);
        }
    }
}

static void a_rule_says_where_it_came_from(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct driftignore got;
    assert_true(driftignore_parse(&arena, STR("#\n\naws_x.a\n!y"), "d/.driftignore", &got, NULL));
    assert_string_equal(got.rules[0].reason.ptr, "imported from d/.driftignore:3");
    assert_true(str_equal(got.left[0].text, STR("!y")));
    assert_true(strlen(got.left[0].why) > 10);
}

static void limits_and_bad_bytes_are_errors(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 16 << 20}, small = {.limit = 200};
    struct driftignore got;
    struct err err = {0};
    assert_false(driftignore_parse(&arena, STR("a.b\xff"), "x", &got, &err));
    assert_int_equal(err.kind, ERR_SYNTAX);
    char *many = arena_new(&arena, char, 2 * (DRIFTIGNORE_LINES_MAX + 1));
    for (size_t i = 0; i <= DRIFTIGNORE_LINES_MAX; i++)
        memcpy(many + 2 * i, "a\n", 2);
    assert_false(driftignore_parse(&arena, (struct str){many, 2 * (DRIFTIGNORE_LINES_MAX + 1)}, "x",
                                   &got, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
    assert_false(driftignore_parse(&small, STR("a.b\nc.d\ne.f"), "x", &got, &err));
    assert_int_equal(err.kind, ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_a_rule_or_left),
        cmocka_unit_test(a_rule_says_where_it_came_from),
        cmocka_unit_test(limits_and_bad_bytes_are_errors),
    };
    return cmocka_run_group_tests_name("drift/driftignore", tests, NULL, NULL);
}
