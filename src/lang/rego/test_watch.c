/* test_watch.c - what a solution was found from: the last read of each way, as a caller of
 * rego_eval() is told it.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/test.h"
#include "lang/rego/rego.h"
#include "wire/json.h"

/* Reads as "value" or "value!key.key" where the keys are missing; members as "member <- reads;". */
static void note(void *ctx, const struct rego_rule *rule, const struct value *member,
                 const struct rego_read *read, size_t n)
{
    struct buf *out = ctx;
    if (rule->head.ref[0]->kind != REGO_TERM_VAR || !str_equal(rule->head.ref[0]->name, STR("p")))
        return;
    rego_text(out, member);
    buf_str(out, STR(" <-"));
    for (size_t i = 0; i < n; i++) {
        buf_char(out, ' ');
        rego_text(out, &read[i].value);
        for (size_t k = 0; k < read[i].nmissing; k++) {
            buf_char(out, k ? '.' : '!');
            buf_str(out, value_text(&read[i].missing[k]));
        }
    }
    buf_str(out, STR(";"));
}

static const struct {
    const char *says, *rules, *input, *want;
} cases[] = {
    {"a constant path", "p contains 1 if input.a.b == 2", "{\"a\":{\"b\":2}}", "1 <- 2;"},
    {"only the way of the solution", "p contains x if { some x in input.xs; x.y > 1 }",
     "{\"xs\":[{\"y\":1},{\"y\":2}]}", "{\"y\": 2} <- [{\"y\": 1}, {\"y\": 2}] {\"y\": 2} 2;"},
    {"what a negation lacks", "p contains 1 if not input.a.b.c", "{\"a\":{\"x\":0}}",
     "1 <- {\"x\": 0}!b.c;"},
    {"of a function", "f(x) if x.k == 5\np contains 1 if f(input.a)", "{\"a\":{\"k\":5}}",
     "1 <- {\"k\": 5} 5;"},
    {"of a function that is remembered",
     "f(x) if x.k == 5\np contains i if { some i in [1, 2]; f(input.a) }", "{\"a\":{\"k\":5}}",
     "1 <- 1 {\"k\": 5} 5;2 <- 2 {\"k\": 5} 5;"},
    {"of a rule, each time", "q if input.k == 5\np contains i if { some i in [1, 2]; q }",
     "{\"k\":5}", "1 <- 1 5;2 <- 2 5;"},
    {"of the last definition that fails",
     "q if input.a == 1\nq if input.b == 1\np contains 1 if not q", "{\"a\":3,\"b\":4}", "1 <- 4;"},
    {"of a comprehension's first", "p contains 1 if count([x | some x in input; x.y > 1]) == 2",
     "[{\"y\":0},{\"y\":7},{\"y\":8}]", "1 <- {\"y\": 7} 7;"},
    {"of every that fails",
     "p contains 1 if not all_small\nall_small if every x in input { x.y < 5 }",
     "[{\"y\":1},{\"y\":9},{\"y\":2}]", "1 <- 1 9;"},
    {"object.get with a path", "p contains 1 if object.get(input, [\"a\", \"b\"], 0) == 0",
     "{\"a\":{\"x\":3}}", "1 <- {\"x\": 3}!b;"},
    {"elements of another rule",
     "q contains x if some x in input.xs\np contains x.y if some x in q", "{\"xs\":[{\"y\":1}]}",
     "1 <- {\"y\": 1} 1;"},
};

static void reads_of_each_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        AUTO_BUF out = {.limit = 1 << 16};
        struct rego_source source = {
            .file = STR("t.rego"), .text = arena_printf(&arena, "package t\n%s\n", cases[i].rules)};
        struct rego_diags diags = {.arena = &arena};
        struct rego_policy *policy;
        struct rego_query *query;
        struct rego_result result;
        struct value input;
        struct err err = {0};
        const struct rego_watch watch = {note, &out};
        const struct rego_eval_options how = {.watch = &watch};
        print_message("  %s\n", cases[i].says);
        assert_true(json_parse(&arena, str_from(cases[i].input), "i", 0, &input, &err));
        assert_true(rego_compile(&source, 1, NULL, &(struct rego_compile_options){0}, &diags,
                                 &policy, &err));
        assert_true(rego_prepare(policy, STR("data.t.p"), &diags, &query, &err));
        assert_true(rego_eval(query, &input, &how, &arena, &result, &err));
        assert_null(result.error.code);
        buf_char(&out, '\0');
        assert_string_equal(out.ptr, cases[i].want);
        rego_query_close(query);
        rego_close(policy);
    }
}

/* Where they are of the input, nodes are the input's own. */
static void note_node(void *ctx, const struct rego_rule *rule, const struct value *member,
                      const struct rego_read *read, size_t n)
{
    (void)rule;
    (void)member;
    const struct value **ret = ctx;
    assert_true(n > 0);
    assert_true(str_equal(read[n - 1].file, STR("t.rego")));
    assert_int_equal(read[n - 1].place.row, 2);
    *ret = read[n - 1].node;
}

static void nodes_are_of_the_input(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct rego_source source = {.file = STR("t.rego"),
                                 .text = STR("package t\np contains 1 if input.a[_].b == 2\n")};
    struct rego_diags diags = {.arena = &arena};
    struct rego_policy *policy;
    struct rego_query *query;
    struct rego_result result;
    struct value input;
    struct err err = {0};
    const struct value *got = NULL;
    const struct rego_watch watch = {note_node, &got};
    assert_true(json_parse(&arena, STR("{\"a\":[{\"b\":1},{\"b\":2}]}"), "i", 0, &input, &err));
    assert_true(
        rego_compile(&source, 1, NULL, &(struct rego_compile_options){0}, &diags, &policy, &err));
    assert_true(rego_prepare(policy, STR("data.t.p"), &diags, &query, &err));
    assert_true(rego_eval(query, &input, &(struct rego_eval_options){.watch = &watch}, &arena,
                          &result, &err));
    assert_ptr_equal(got, value_get(&value_get(&input, STR("a"))->items[1], STR("b")));
    rego_query_close(query);
    rego_close(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_of_each_case),
                                       cmocka_unit_test(nodes_are_of_the_input)};
    return cmocka_run_group_tests_name("lang/rego/watch", tests, NULL, NULL);
}
