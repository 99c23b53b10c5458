/* fuzz_hcl.c - any text as an expression: read, checked for references, evaluated within limits. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool visit(void *ctx, const struct hcl_traversal *traversal)
{
    (void)ctx;
    return traversal->n <= HCL_STEPS_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct hcl_diags diags = {.arena = &arena};
    struct err err = {0};
    const struct hcl_expr *expr;
    struct str text = {(const char *)data, size};
    if (size > 4096 || !hcl_parse_expression(&arena, text, STR("fuzz"), &diags, &expr, &err) ||
        hcl_has_errors(&diags))
        return 0;
    struct hcl_world world = {.planning = true};
    struct hcl_eval ev = {.arena = &arena,
                          .file = STR("fuzz"),
                          .text = text,
                          .diags = &diags,
                          .world = &world,
                          .limits = {.steps = 20000, .elements = 10000}};
    struct value v;
    (void)hcl_each_reference(&arena, expr, visit, NULL);
    if (hcl_eval_expr(&ev, expr, NULL, &v))
        (void)hcl_type_of(&arena, &v);
    return 0;
}
