/* test_eval_faults.c - every problem that an expression has, and values at the edges: answers of
 * Terraform 1.11.4. */
#include "lang/hcl/test_eval.h"

/* want: the summaries of all problems, in the order in which they are found. */
static const struct eval_case faults[] = {
    {"slice([1, 2], 1.5, length(uuid()))", "Invalid function argument"},
    {"[for v in [] : v if 1]", "Invalid 'for' condition"},
    {"[for v in [] : v if null]", "Condition is null"},
    {"[for v in [1, 2] : v if v == 1 ? null : true]", "Invalid 'for' condition"},
    {"[for v in 1 : v if null]", "Iteration over non-iterable value"},
    {"!null >= !true", "Operation failed; Invalid operand; Invalid operand"},
    {"1 + !true", "Invalid operand"},
    {"-[] + {}", "Invalid operand; Invalid operand"},
    {"10 % (1 / 0)", "Operation failed"},
    {"[1, null][*].a", "Unsupported attribute; Attempt to get attribute from null value"},
    {"[{ a = 1 }, { b = 2 }][*].a[0]", "Invalid index; Unsupported attribute"},
    {"concat([{ b = null }, {}][*].b[0], [])",
     "Attempt to index null value; Unsupported attribute"},
    {"pow(1)", "Not enough function arguments"},
    {"pow(1, 2, tonumber({}))", "Too many function arguments"},
    {"max(tonumber({}), tonumber([]))", "Invalid function argument; Invalid function argument"},
    {"pow(tonumber([]), {})", "Invalid function argument; Invalid function argument"},
    {"can(1, 2)", "Too many function arguments"},
    {"max(2...)", "Invalid expanding argument value"},
    {"max(null...)", "Invalid expanding argument value"},
    {"max(timestamp()...)", "Invalid expanding argument value"},
    {"null[null]", "Attempt to index null value"},
    {"[1][null]", "Invalid index"},
    {"{ (null) = 1 }", "Null value as key"},
    {"{ (null) = [].x, a = {}.b }",
     "Unsupported attribute; Null value as key; Unsupported attribute"},
    {"true ? {}.a : []", "Unsupported attribute"},
    {"null ? 1 : []", "Inconsistent conditional result types"},
    {"null ? 1 : 2", "Null condition"},
    {"[] ? 1 : 2", "Incorrect condition type"},
    {"true ? tobool(\"x\") : null", "Invalid function argument"},
    {"\"${null}-${[]}\"",
     "Invalid template interpolation value; Invalid template interpolation value"},
    {"\"%{ if true }a%{ endif }%{ for v in [{}] }${v.x}%{ endfor }\"", "Unsupported attribute"},
    {"\"%{ if null }a%{ endif }\"", "Null condition"},
    {"\"x${timestamp() == null ? 1 : [2]}\"", "Inconsistent conditional result types"},
    {"element([1, 2], -1)", "Error in function call"},
    {"log(1e400, 2)", "Error in function call"},
    {"tonumber(\"INF\")", "Invalid function argument"},
    {"tostring([])", "Invalid function argument"},
    {"tobool(\"x\")", "Invalid function argument"},
    {"tolist([[null], [[1], [2]]])", "Invalid function argument"},
    {"merge(null, 1)", "Error in function call"},
    {"true ? { a = 1, b = [] } : {}", "Inconsistent conditional result types"},
    {"true ? [1] : [\"a\", []]", "Inconsistent conditional result types"},
    {"{ a = 1 }[0]", "Invalid index"},
};

static const struct eval_case values[] = {
    {"length(tolist(toset([timestamp(), \"x\"])))", "?"},
    {"issensitive(merge({ a = sensitive(1) }, sensitive({}), jsondecode(timestamp())))", "?"},
    {"startswith(\"x${timestamp()}\", \"x\")", "?"},
    {"startswith(\"x-${timestamp()}\", \"x-\")", "true"},
    {"startswith(format(\"xy%s\", timestamp()), \"x\")", "true"},
    {"true ? [1, \"two\", null] : [{ a = \"b\" }]", "[\"1\",\"two\",null]"},
    {"issensitive(sensitive(true) && timestamp() == \"\")", "?"},
    {"{ for v in [timestamp(), null] : v => v }", "?"},
    {"{ for v in [1, 2] : timestamp() => v.a }", "?"},
    {"try([1]...)", "1"},
    {"can([])", "true"},
    {"false ? {}.a : []", "[]"},
    {"false ? max() : []", "[]"},
    {"timestamp() ? 1 : 2", "?"},
    {"\"a${timestamp() == \"\" ? [] : [\"x\"]}\"", "?"},
    {"\"%{ if true }a%{ else }${null}${1}%{ endif }\"", "\"a\""},
    {"toset([timestamp(), uuid()])", "?"},
    {"length(toset([timestamp(), uuid()]))", "?"},
    {"tolist(toset([{ a = 1, b = 2 }, { a = 10, b = 1 }]))",
     "[{\"a\":10,\"b\":1},{\"a\":1,\"b\":2}]"},
    {"distinct(tolist([timestamp()]))", "?"},
    {"coalesce(null, \"\", [\"a\"])", "\"\""},
    {"element(tolist([\"a\", \"b\", \"c\"]), -1)", "\"c\""},
    {"element([1], -1)", "1"},
    {"pow(2, 64) % 5", "0"},
    {"-0 % 1.5", "-0"},
    {"log((1 / 3), 3)", "-1.0000000000000002"},
    {"pow(3.999999999999, 0.1)", "1.1486983549970065"},
    {"pow(8080, -0.3)", "0.06726305550391357"},
    {"indent(4e8, \"x\")", "\"x\""},
    {"[null == timestamp(), [] == timestamp(), contains([\"${timestamp()}\"], {})]",
     "[false,false,false]"},
    {"merge(null, { a = 1 })", "{\"a\":1}"},
    {"zipmap([timestamp()], tolist([1, 2]))", "?"},
    {"setproduct([\"\\u007f\", \"a\"], toset([1]))", "[[\"\",1],[\"a\",1]]"},
    {"formatlist(\"%-08.3f|\", 0.5)", "[\"0000.500|\"]"},
    {"format(\"%-08.3f|\", -0.2)", "\"-000.200|\""},
    {"setintersection([], toset([timestamp()]))", "?"},
    {"tolist(timestamp() == \"\" ? toset([\"a\"]) : toset([\"b\"]))", "?"},
};

static struct str summaries(struct arena *arena, const char *text)
{
    struct hcl_diags diags = {.arena = arena};
    struct err err = {0};
    const struct hcl_expr *expr;
    struct value v;
    struct str all = STR("");
    struct hcl_eval ev = {
        .arena = arena, .file = STR("test"), .text = str_from(text), .diags = &diags};
    assert_true(hcl_parse_expression(arena, ev.text, ev.file, &diags, &expr, &err));
    if (hcl_eval_expr(&ev, expr, NULL, &v))
        return STR("none");
    for (size_t i = 0; i < diags.n; i++)
        all = arena_printf(arena, "%.*s%s%.*s", STR_ARG(all), i ? "; " : "",
                           STR_ARG(diags.diag[i].summary));
    return all;
}

static void all_faults_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        struct str got = summaries(&arena, faults[i].expr);
        if (!str_equal(got, str_from(faults[i].want)))
            fail_msg("%s: want %s, got %.*s", faults[i].expr, faults[i].want, STR_ARG(got));
    }
}

static void values_at_the_edges(void **state)
{
    (void)state;
    check_cases(values, sizeof values / sizeof *values, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_faults_are_told),
                                       cmocka_unit_test(values_at_the_edges)};
    return cmocka_run_group_tests_name("lang/hcl/eval_faults", tests, NULL, NULL);
}
