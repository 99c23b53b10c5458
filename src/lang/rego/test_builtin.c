/* test_builtin.c - the table of built-ins: every signature reads, names are unique. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/builtin.h"
#include "lang/rego/rego.h"
#include "lang/rego/type.h"

static void test_table(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 4 << 20};
    for (size_t i = 0; i < rego_builtin_count(); i++) {
        const struct rego_builtin *b = rego_builtin_at(i);
        struct rego_signature signature;
        if (!rego_signature_parse(&arena, b->signature, &signature))
            fail_msg("%s has a signature that cannot be read: %s", b->name, b->signature);
        assert_ptr_equal(rego_builtin_find(str_from(b->name)), b);
        if (b->infix)
            assert_ptr_equal(rego_builtin_find_infix(str_from(b->infix)), b);
    }
    assert_null(rego_builtin_at(rego_builtin_count()));
    assert_null(rego_builtin_find(STR("no.such")));
}

static enum rego_outcome answer(struct rego_call *call, struct value *ret)
{
    (void)call;
    *ret = value_int(42);
    return REGO_DEFINED;
}

static void test_host_family(void **state)
{
    (void)state;
    static const struct rego_builtin own = {"host.answer", NULL, "() => number", answer, 0};
    static const struct rego_family host = {&own, 1};
    AUTO_ARENA arena = {.limit = 4 << 20};
    struct rego_source source = {.file = STR("t.rego"),
                                 .text = STR("package t\np := host.answer()\n")};
    struct rego_compile_options options = {.host = &host};
    struct rego_diags diags = {.arena = &arena};
    struct rego_policy *policy;
    struct rego_query *query;
    struct rego_result result;
    AUTO_BUF text = {.limit = 1000};
    assert_false(
        rego_compile(&source, 1, NULL, &(struct rego_compile_options){0}, &diags, &policy, NULL));
    diags = (struct rego_diags){.arena = &arena};
    assert_true(rego_compile(&source, 1, NULL, &options, &diags, &policy, NULL));
    assert_true(rego_prepare(policy, STR("x := [data.t.p, host.answer()]"), &diags, &query, NULL));
    assert_true(rego_eval(query, NULL, &(struct rego_eval_options){0}, &arena, &result, NULL));
    rego_text(&text, &result.bindings.items[0]);
    assert_true(str_equal(buf_view(&text), STR("{\"x\": [42, 42]}")));
    rego_query_close(query);
    rego_close(policy);
    assert_null(rego_builtin_find(STR("host.answer")));
}

static void test_signature(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct rego_signature s;
    assert_true(rego_signature_parse(
        &arena, "(array<string, number> | object<b: any, a: set[string]>[any: null], any...) => ",
        &s));
    assert_int_equal(s.nargs, 2);
    assert_true(s.variadic);
    assert_false(s.has_result);
    assert_int_equal(rego_type_kinds(s.arg[0]), REGO_ARRAY | REGO_OBJECT);
    AUTO_BUF text = {.limit = 1000};
    rego_type_text(&text, s.arg[0]);
    assert_true(
        str_equal(buf_view(&text),
                  STR("any<array<string, number>, object<a: set[string], b: any>[any: null]>")));
    assert_ptr_equal(s.arg[1], &rego_any);
    assert_true(rego_signature_parse(&arena, "() => object[string: any]", &s));
    assert_int_equal(s.result->kind, REGO_OBJECT);
    assert_false(rego_signature_parse(&arena, "(strin) => any", &s));
    assert_false(rego_signature_parse(&arena, "(string) => any x", &s));
}

static void test_operands(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    const struct rego_builtin *count = rego_builtin_find(STR("count"));
    struct rego_signature signature;
    assert_true(rego_signature_parse(&arena, count->signature, &signature));
    struct value arg = value_int(1), result;
    struct rego_call call = {.arena = &arena, .arg = &arg, .n = 1};
    assert_int_equal(rego_check_operands(&call, &signature), REGO_FAILED);
    assert_true(call.type_error);
    assert_true(str_equal(
        call.why, STR("operand 1 must be one of {array, object, set, string} but got number")));
    arg = value_string(STR("h\xc3\xa9"));
    assert_int_equal(rego_check_operands(&call, &signature), REGO_DEFINED);
    assert_int_equal(count->run(&call, &result), REGO_DEFINED);
    assert_int_equal(result.integer, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_host_family),
        cmocka_unit_test(test_signature),
        cmocka_unit_test(test_operands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
