/* test_eval.h - for tests: an expression evaluated by itself, and its result as text. */
#pragma once
#include "base/test.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/encode.h"
#include "lang/hcl/ops.h"

/* want: the result as JSON; "?" = unknown; "!Summary" = a problem with that summary. */
struct eval_case {
    const char *expr, *want;
};

/* The result, or the first problem, as `want` above has them. */
static inline struct str eval_text(struct arena *arena, const char *text,
                                   const struct hcl_world *world)
{
    struct hcl_diags diags = {.arena = arena};
    struct err err = {0};
    const struct hcl_expr *expr;
    struct value v, bare;
    struct str json, why = {0};
    uint8_t marks = 0;
    struct hcl_eval ev = {.arena = arena,
                          .file = STR("test"),
                          .text = str_from(text),
                          .diags = &diags,
                          .world = world};
    if (!hcl_parse_expression(arena, ev.text, ev.file, &diags, &expr, &err))
        return str_from("limit");
    bool ok = !hcl_has_errors(&diags) && hcl_eval_expr(&ev, expr, NULL, &v);
    if (!ok)
        return arena_printf(arena, "!%.*s", STR_ARG(diags.diag[0].summary));
    if (!hcl_wholly_known(&v))
        return STR("?");
    assert_true(hcl_unmark_deep(arena, &v, &bare, &marks));
    if (!hcl_json_encode(arena, &bare, &json, &why))
        return why;
    return json;
}

static inline void check_cases(const struct eval_case *cases, size_t n,
                               const struct hcl_world *world)
{
    size_t failed = 0;
    for (size_t i = 0; i < n; i++) {
        AUTO_ARENA arena = {.limit = 64 << 20};
        struct str got = eval_text(&arena, cases[i].expr, world);
        struct str want = str_from(cases[i].want);
        if (!str_equal(got, want))
            print_message("  %s: want %s, got %.*s\n", cases[i].expr, cases[i].want, STR_ARG(got));
        failed += !str_equal(got, want);
    }
    assert_int_equal(failed, 0);
}
