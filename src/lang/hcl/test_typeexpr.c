/* test_typeexpr.c - type constraints as hcl_type_constraint() reads them, and their defaults. */
#include "base/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/hcl/encode.h"
#include "lang/hcl/eval.h"
#include "value/type.h"

struct row {
    const char *text;
    const char *want;  /* as type_print_hcl() has it, or "!Summary" */
    const char *given; /* an expression, or NULL */
    const char *after; /* its JSON with the defaults */
};

static const struct row rows[] = {
    {"string", "string", NULL, NULL},
    {"any", "any", NULL, NULL},
    {"list(any)", "list(any)", NULL, NULL},
    {"map(set(number))", "map(set(number))", NULL, NULL},
    {"tuple([string, bool])", "tuple([string, bool])", NULL, NULL},
    {"object({a = string})", "object({a=string})", "{a = \"x\"}", "{\"a\":\"x\"}"},
    {"\"string\"", "string", NULL, NULL},
    {"\"list\"", "list(any)", NULL, NULL},
    {"map", "map(any)", NULL, NULL},
    {"\"number\"", "!Invalid legacy variable type hint", NULL, NULL},
    {"set", "!Invalid type specification", NULL, NULL},
    {"strin", "!Invalid type specification", NULL, NULL},
    {"string(1)", "!Invalid type specification", NULL, NULL},
    {"list()", "!Invalid type specification", NULL, NULL},
    {"optional(string)", "!Invalid type specification", NULL, NULL},
    {"object({a = string, a = bool})", "!Invalid type specification", NULL, NULL},
    {"object({\"a\" = string})", "!Invalid type specification", NULL, NULL},
    {"object({a = optional(number, \"x\")})", "!Invalid default value for optional attribute", NULL,
     NULL},
    {"1", "!Invalid type specification", NULL, NULL},
};

static const struct row defaults[] = {
    {"object({a = optional(string, \"x\"), b = number})", NULL, "{b = 1}", "{\"a\":\"x\",\"b\":1}"},
    {"object({a = optional(string, \"x\")})", NULL, "{a = null}", "{\"a\":\"x\"}"},
    {"object({a = optional(string)})", NULL, "{}", "{}"},
    {"list(object({a = optional(string, \"x\")}))", NULL, "[{}, {a = \"y\"}]",
     "[{\"a\":\"x\"},{\"a\":\"y\"}]"},
    {"map(object({a = optional(number, 1)}))", NULL, "{k = {}}", "{\"k\":{\"a\":1}}"},
    {"object({o = optional(object({p = optional(number, 5)}), {})})", NULL, "{}",
     "{\"o\":{\"p\":5}}"},
    {"tuple([object({a = optional(number, 1)}), string])", NULL, "[{}, \"s\"]",
     "[{\"a\":1},\"s\"]"},
    {"object({a = optional(string, \"x\")})", NULL, "null", "null"},
};

static const struct hcl_expr *parse(struct arena *arena, struct hcl_diags *diags, const char *text)
{
    const struct hcl_expr *expr = NULL;
    struct err err = {0};
    assert_true(hcl_parse_expression(arena, str_from(text), STR("t"), diags, &expr, &err));
    return expr;
}

static void constraints_become_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_ARENA arena = {.limit = 16 << 20};
        AUTO_BUF out = {.limit = 4096};
        struct hcl_diags diags = {.arena = &arena};
        struct hcl_eval ev = {.arena = &arena, .diags = &diags, .text = str_from(rows[i].text)};
        const struct type *type = NULL;
        const struct hcl_type_default *d = NULL;
        print_message("  %s\n", rows[i].text);
        if (hcl_type_constraint(&ev, parse(&arena, &diags, rows[i].text), &type, &d)) {
            type_print_hcl(&out, type);
        } else {
            assert_true(diags.n > 0);
            buf_char(&out, '!');
            buf_str(&out, diags.diag[0].summary);
        }
        buf_char(&out, '\0');
        assert_string_equal(out.ptr, rows[i].want);
    }
}

static void defaults_fill_what_is_absent(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        AUTO_ARENA arena = {.limit = 16 << 20};
        struct hcl_diags diags = {.arena = &arena};
        struct hcl_eval ev = {.arena = &arena, .diags = &diags, .text = str_from(defaults[i].text)};
        const struct type *type = NULL;
        const struct hcl_type_default *d = NULL;
        struct value v, filled;
        struct str json, why;
        print_message("  %s of %s\n", defaults[i].text, defaults[i].given);
        assert_true(hcl_type_constraint(&ev, parse(&arena, &diags, defaults[i].text), &type, &d));
        assert_true(hcl_eval_expr(&ev, parse(&arena, &diags, defaults[i].given), NULL, &v));
        assert_true(hcl_apply_defaults(&arena, d, &v, &filled));
        assert_true(hcl_json_encode(&arena, &filled, &json, &why));
        assert_true(str_equal(json, str_from(defaults[i].after)));
    }
}

/* What has become a value has attributes, and none that may be absent. */
static void types_of_values_have_nothing_optional(void **state)
{
    static const char *const given[] = {"[]", "null"};
    (void)state;
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        AUTO_BUF out = {.limit = 1 << 16};
        struct hcl_diags diags = {.arena = &arena};
        struct hcl_eval ev = {.arena = &arena, .file = STR("t"), .diags = &diags};
        const struct hcl_type_default *d = NULL;
        const struct type *type;
        struct value v, became;
        assert_true(hcl_type_constraint(
            &ev, parse(&arena, &diags, "list(object({a = optional(string)}))"), &type, &d));
        assert_true(hcl_eval_expr(&ev, parse(&arena, &diags, given[i]), NULL, &v));
        assert_true(hcl_convert(&arena, &v, type, &became, NULL));
        type_print_hcl(&out, hcl_type_of(&arena, &became));
        assert_true(str_equal(buf_view(&out), STR("list(object({a=string}))")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(constraints_become_types),
                                       cmocka_unit_test(types_of_values_have_nothing_optional),
                                       cmocka_unit_test(defaults_fill_what_is_absent)};
    return cmocka_run_group_tests_name("hcl/typeexpr", tests, NULL, NULL);
}
