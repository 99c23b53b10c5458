/* lint_syntax.c - syntax that Terraform still reads and no longer wants; arguments that a
 * provider's schema calls deprecated. */
#include "desired/lint_parts.h"

struct looking {
    struct linting *in;
    const struct hcl_file *file;
};

static bool is_empty_list(const struct hcl_expr *expr)
{
    return expr->kind == HCL_EXPR_TUPLE && expr->parts.n == 0;
}

static bool compares_with_empty(const struct hcl_expr *expr)
{
    return expr->kind == HCL_EXPR_BINARY &&
           (expr->binary.op == HCL_EQ || expr->binary.op == HCL_NE) &&
           (is_empty_list(expr->binary.left) || is_empty_list(expr->binary.right));
}

static bool is_old_lookup(const struct hcl_expr *expr)
{
    return expr->kind == HCL_EXPR_CALL && str_equal(expr->call.name, STR("lookup")) &&
           expr->call.nargs == 2 && !expr->call.expand;
}

static bool look(void *ctx, const struct hcl_expr *expr)
{
    const struct looking *l = ctx;
    struct str none = {0};
    if (expr->kind == HCL_EXPR_WRAP && !expr->json && !expr->heredoc)
        lint_say(l->in, LINT_INTERPOLATION_ONLY, l->file, expr->range, none,
                 "Terraform 0.11 needed it around every expression.");
    else if (expr->kind == HCL_EXPR_INDEX && expr->legacy)
        lint_say(l->in, LINT_LEGACY_INDEX, l->file, expr->range, none,
                 "Only resources of Terraform 0.11 were indexed so.");
    else if (expr->kind == HCL_EXPR_SPLAT && expr->legacy)
        lint_say(l->in, LINT_LEGACY_SPLAT, l->file, expr->range, none,
                 "It stops at the first index behind it, unlike [*].");
    else if (is_old_lookup(expr))
        lint_say(l->in, LINT_LOOKUP, l->file, expr->range, none,
                 "Without a default it is an index.");
    else if (compares_with_empty(expr))
        lint_say(l->in, LINT_EMPTY_LIST, l->file, expr->range, none,
                 "[] is a tuple: a list or set never equals it, whatever it holds.");
    return true;
}

static bool look_into(void *ctx, const struct hcl_expr *expr)
{
    return lint_each_expr(expr, look, ctx);
}

void lint_syntax(struct linting *in, const struct code_module *module)
{
    for (size_t i = 0; i < module->nfiles; i++) {
        struct looking l = {in, module->files[i]};
        (void)lint_each_attribute(&module->files[i]->body, look_into, &l);
    }
}

/* --- arguments that the schema calls deprecated or read-only --- */

/* null is as good as no argument; anything else is refused, known or not. */
static bool is_read_only(const struct schema_attribute *known, const struct hcl_expr *value)
{
    while (value->kind == HCL_EXPR_PAREN)
        value = value->operand;
    bool null = value->kind == HCL_EXPR_LITERAL && value->value.kind == VALUE_NULL;
    return known->computed && !known->optional && !known->required && !null;
}

static void look_at_body(struct linting *in, const struct code_resource *r,
                         const struct hcl_file *file, const struct hcl_body *body,
                         const struct schema_block *block, unsigned depth_left)
{
    static const char *const prefixes[] = {
        [CODE_MANAGED] = "", [CODE_DATA] = "data.", [CODE_EPHEMERAL] = "ephemeral."};
    for (size_t i = 0; i < body->nattributes && depth_left; i++) {
        const struct hcl_attribute *attribute = &body->attribute[i];
        const struct schema_attribute *known = schema_find_attribute(block, attribute->name);
        bool read_only = known && is_read_only(known, attribute->value);
        if (read_only || (known && known->deprecated))
            lint_say(in, read_only ? LINT_READ_ONLY_ARGUMENT : LINT_DEPRECATED_ARGUMENT, file,
                     attribute->name_range,
                     arena_printf(in->arena, "%s%.*s.%.*s", prefixes[r->mode], STR_ARG(r->type),
                                  STR_ARG(r->name)),
                     "\"%.*s\" of %.*s.", STR_ARG(attribute->name), STR_ARG(r->type));
    }
    for (size_t i = 0; i < body->nblocks && depth_left; i++) {
        const struct hcl_block *inner = &body->block[i];
        bool dynamic = str_equal(inner->type, STR("dynamic")) && inner->nlabels;
        struct str type = dynamic ? inner->label[0].text : inner->type;
        const struct schema_nested_block *known = schema_find_block(block, type);
        const struct hcl_block *content = NULL;
        size_t at = 0;
        if (dynamic)
            content = hcl_find_block(&inner->body, STR("content"), &at);
        if (known && (!dynamic || content))
            look_at_body(in, r, file, dynamic ? &content->body : &inner->body, known->block,
                         depth_left - 1);
    }
}

void lint_deprecated(struct linting *in, const struct code_module *module)
{
    for (size_t i = 0; in->options->schema && i < module->nresources; i++) {
        const struct code_resource *r = &module->resources[i];
        const struct schema *schema =
            in->options->schema(in->options->ctx, r->provider_source, r->mode, r->type);
        if (schema && !r->file->json)
            look_at_body(in, r, r->file, r->body, &schema->block, TYPE_DEPTH_MAX);
    }
}
