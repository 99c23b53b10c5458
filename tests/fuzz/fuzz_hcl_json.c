/* fuzz_hcl_json.c - any text as a file in JSON syntax: read, asked by table, evaluated within
 * limits.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/content.h"
#include "lang/hcl/ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct hcl_attribute_spec attributes[] = {{STR_INIT("value"), true},
                                                       {STR_INIT("depends_on"), false}};
static const struct hcl_block_spec blocks[] = {{STR_INIT("resource"), {"type", "name"}},
                                               {STR_INIT("output"), {"name"}},
                                               {STR_INIT("locals"), {0}}};
static const struct hcl_body_spec spec = {attributes, 2, blocks, 3, NULL};

static bool visit(void *ctx, const struct hcl_traversal *traversal)
{
    (void)ctx;
    return traversal->n <= HCL_STEPS_MAX;
}

static bool resolve(void *ctx, struct hcl_eval *ev, const struct hcl_traversal *traversal,
                    struct value *ret, size_t *ret_steps)
{
    (void)ctx;
    (void)ev;
    (void)traversal;
    *ret_steps = 0;
    *ret = value_int(7);
    return true;
}

static void look(struct arena *arena, const struct hcl_file *file,
                 const struct hcl_content *content, struct hcl_diags *diags)
{
    struct hcl_world world = {.planning = true};
    struct hcl_scope scope = {.resolve = resolve};
    struct hcl_eval ev = {.arena = arena,
                          .file = file->name,
                          .text = file->text,
                          .diags = diags,
                          .world = &world,
                          .limits = {.steps = 20000, .elements = 10000}};
    for (size_t i = 0; i < content->nattributes; i++) {
        const struct hcl_expr *expr = content->attribute[i].value;
        struct value v;
        (void)hcl_static_value(arena, expr, &v);
        (void)hcl_each_reference(arena, expr, visit, NULL);
        (void)hcl_each_reference(arena, hcl_keyword_expr(arena, file, expr, diags), visit, NULL);
        (void)hcl_eval_expr(&ev, expr, NULL, &v);
        if (hcl_eval_expr(&ev, expr, &scope, &v))
            (void)hcl_type_of(arena, &v);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct hcl_diags diags = {.arena = &arena};
    struct err err = {0};
    struct hcl_file file;
    struct hcl_content content, inner;
    struct str text = {(const char *)data, size};
    if (size > 4096 || !hcl_parse_json_file(&arena, text, STR("fuzz"), &diags, &file, &err) ||
        !hcl_body_content(&arena, &file, &file.body, &spec, false, &diags, &content))
        return 0;
    look(&arena, &file, &content, &diags);
    for (size_t i = 0; i < content.nblocks; i++) {
        if (hcl_body_content(&arena, &file, &content.block[i].body, &spec, true, &diags, &inner))
            look(&arena, &file, &inner, &diags);
        if (hcl_body_attributes(&arena, &file, &content.block[i].body, &diags, &inner))
            look(&arena, &file, &inner, &diags);
    }
    return 0;
}
