/* test_safety.c - the order of literals beside a plain model of it, and what compiling may cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/rego/policy.h"

enum { LITERALS_MAX = 24, VARIABLES = 9, ROUNDS = 3000 };

struct literal { /* bits of variables */
    unsigned needs, gives;
    bool both_ways; /* either side gives the other */
};

static unsigned roll(unsigned *state, unsigned below)
{
    *state = *state * 1103515245 + 12345;
    return (*state >> 16) % below;
}

/* A literal as text, and what the model knows of it. */
static struct literal make(struct buf *out, unsigned *state)
{
    unsigned a = roll(state, VARIABLES), b = roll(state, VARIABLES), c = roll(state, VARIABLES);
    unsigned x = 1U << a, y = 1U << b, z = 1U << c;
    switch (roll(state, 8)) {
    case 0:
        buf_printf(out, "x%u = 1\n", a);
        return (struct literal){0, x, false};
    case 1:
        buf_printf(out, "x%u = x%u\n", a, b);
        return (struct literal){x, y, true};
    case 2:
        buf_printf(out, "plus(x%u, x%u, x%u)\n", a, b, c);
        return (struct literal){x | y, z, false};
    case 3:
        buf_printf(out, "not x%u == x%u\n", a, b);
        return (struct literal){x | y, 0, false};
    case 4:
        buf_printf(out, "input.a[x%u][x%u]\n", a, b);
        return (struct literal){0, x | y, false};
    case 5:
        buf_printf(out, "[x%u, 1] = [2, x%u]\n", a, c);
        return (struct literal){0, x | z, false};
    case 6:
        buf_printf(out, "count([v | v = x%u + x%u]) >= 0\n", a, b);
        return (struct literal){x | y, 0, false};
    default:
        buf_printf(out, "every v in [x%u] { v != x%u }\n", a, b);
        return (struct literal){x | y, 0, false};
    }
}

/* Through the body again and again, taking what has all it needs; false: something never has. */
static bool model(const struct literal *literal, size_t n, size_t *order)
{
    bool taken[LITERALS_MAX] = {0};
    unsigned bound = 0;
    size_t done = 0;
    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < n; i++) {
            const struct literal *l = &literal[i];
            bool ready = !(l->needs & ~bound) || (l->both_ways && !(l->gives & ~bound));
            if (taken[i] || !ready)
                continue;
            bound |= l->needs | l->gives;
            taken[i] = more = true;
            order[done++] = i;
        }
    }
    return done == n;
}

static void bodies_come_in_the_order_of_the_model(void **state)
{
    (void)state;
    unsigned seed = 1, ordered = 0;
    for (int round = 0; round < ROUNDS; round++) {
        AUTO_ARENA arena = {.limit = 16 << 20};
        AUTO_BUF text = {.limit = 1 << 16};
        struct literal literal[LITERALS_MAX];
        size_t n = 2 + roll(&seed, LITERALS_MAX - 2), order[LITERALS_MAX];
        buf_str(&text, STR("package t\np if {\n"));
        for (size_t i = 0; i < n; i++)
            literal[i] = make(&text, &seed);
        buf_str(&text, STR("}\n"));
        bool safe = model(literal, n, order);
        struct rego_source source = {.file = STR("t.rego"), .text = buf_view(&text)};
        struct rego_diags diags = {.arena = &arena, .most = 1000};
        struct rego_policy *policy = NULL;
        struct rego_compile_options how = {.keep_print = true};
        struct err err = {0};
        bool ok = rego_compile(&source, 1, NULL, &how, &diags, &policy, &err);
        if (ok != safe && !(safe && diags.n && strcmp(diags.diag[0].code, "rego_type_error") == 0))
            fail_msg("%s%.*s", safe ? "refused: " : "taken: ", STR_ARG(buf_view(&text)));
        if (ok) {
            const struct rego_body *body = policy->unit[0].module->rules[0]->body;
            ordered++;
            size_t i = 0;
            for (size_t k = 0; k < body->n; k++) {
                const struct rego_expr *expr = body->expr[k];
                if (expr->index == REGO_NO_INDEX) /* a call within a literal */
                    continue;
                assert_true(i < n);
                if (expr->place.row != order[i] + 3)
                    fail_msg("literal %zu is of line %u, not %zu:\n%.*s", i, expr->place.row,
                             order[i] + 3, STR_ARG(buf_view(&text)));
                i++;
            }
            assert_int_equal(i, n);
            rego_close(policy);
        }
    }
    print_message("%u of %d bodies are safe\n", ordered, ROUNDS);
    assert_in_range(ordered, 100, ROUNDS);
}

static bool compile(struct arena *arena, struct str text, struct rego_compile_options how,
                    struct rego_diags *diags, struct err *err)
{
    struct rego_source source = {.file = STR("t.rego"), .text = text};
    struct rego_policy *policy;
    *diags = (struct rego_diags){.arena = arena};
    bool ok = rego_compile(&source, 1, NULL, &how, diags, &policy, err);
    if (ok)
        rego_close(policy);
    return ok;
}

/* x0 = x1; x1 = x2; ... with the first value last. */
static void reversed(struct buf *out, int n)
{
    buf_str(out, STR("package t\np if {\n"));
    for (int i = 0; i < n; i++)
        buf_printf(out, "x%d = x%d + 1\n", i, i + 1);
    buf_printf(out, "x%d = 1\n}\n", n);
}

static void a_reversed_body_takes_steps_as_it_has_lines(void **state)
{
    (void)state;
    enum { LINES = 20000, STEPS_A_LINE = 60 };
    AUTO_ARENA arena = {.limit = 256 << 20};
    AUTO_BUF text = {.limit = 16 << 20};
    struct rego_diags diags;
    struct err err = {0};
    reversed(&text, LINES);
    struct rego_compile_options how = {.steps = (uint64_t)STEPS_A_LINE * LINES};
    assert_true(compile(&arena, buf_view(&text), how, &diags, &err));
}

static void compiling_ends_with_its_own_error(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 256 << 20};
    AUTO_BUF text = {.limit = 16 << 20};
    struct rego_diags diags;
    struct err err = {0};
    char why[1000];
    reversed(&text, 20000);
    assert_false(compile(&arena, buf_view(&text), (struct rego_compile_options){.steps = 1000},
                         &diags, &err));
    assert_int_equal(diags.n, 0);
    assert_string_equal(err_text(&err, why, sizeof why),
                        "compiling the policy takes more steps than it may: make it smaller");
    int cancel = 1;
    err = (struct err){0};
    assert_false(compile(&arena, buf_view(&text), (struct rego_compile_options){.cancel = &cancel},
                         &diags, &err));
    assert_string_equal(err_text(&err, why, sizeof why), "compiling the policy was cancelled");
    err = (struct err){0};
    assert_false(compile(&arena, buf_view(&text), (struct rego_compile_options){.deadline_ms = -1},
                         &diags, &err));
    assert_string_equal(err_text(&err, why, sizeof why),
                        "compiling the policy takes more time than it may: make it smaller");
}

/* What is wrong at its end is never come to. */
static void reading_one_module_ends_with_its_time(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 256 << 20};
    AUTO_BUF text = {.limit = 16 << 20};
    struct rego_diags diags;
    struct err err = {0};
    char why[1000];
    int cancel = 1;
    buf_str(&text, STR("package t\nx := [0"));
    for (int i = 0; i < 200000; i++)
        buf_str(&text, STR(", 1"));
    buf_str(&text, STR("]]\n"));
    assert_false(compile(&arena, buf_view(&text), (struct rego_compile_options){0}, &diags, &err));
    assert_int_equal(diags.n, 1);
    assert_false(compile(&arena, buf_view(&text), (struct rego_compile_options){.cancel = &cancel},
                         &diags, &err));
    assert_int_equal(diags.n, 0);
    assert_string_equal(err_text(&err, why, sizeof why), "compiling the policy was cancelled");
    err = (struct err){0};
    assert_false(compile(&arena, buf_view(&text), (struct rego_compile_options){.steps = 100000},
                         &diags, &err));
    assert_int_equal(diags.n, 0);
    assert_string_equal(err_text(&err, why, sizeof why),
                        "compiling the policy takes more steps than it may: make it smaller");
}

/* As OPA has it: what a call within an equation needs, the equation itself does not bind. */
static void calls_within_equations_need_others(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        bool safe;
    } cases[] = {
        {"[x, 1] = [y + 1, y]", false},
        {"[x, y] = [y + 1, 1]", false},
        {"[x, 1] = [y + 1, y]; y = 1", true},
        {"[1, y] = [x, x + 1]; z = y", false},
        {"[x, [x, y], y * y] = [2, [0, 0], x]", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 16 << 20};
        struct rego_diags diags;
        struct err err = {0};
        struct str text = arena_printf(&arena, "package t\np if { %s }\n", cases[i].body);
        bool ok = compile(&arena, text, (struct rego_compile_options){0}, &diags, &err);
        if (ok != cases[i].safe)
            fail_msg("%s", cases[i].body);
        for (size_t k = 0; k < diags.n; k++)
            assert_true(str_find(diags.diag[k].message, STR("__local"), 0) == SIZE_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_come_in_the_order_of_the_model),
        cmocka_unit_test(a_reversed_body_takes_steps_as_it_has_lines),
        cmocka_unit_test(compiling_ends_with_its_own_error),
        cmocka_unit_test(calls_within_equations_need_others),
        cmocka_unit_test(reading_one_module_ends_with_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
