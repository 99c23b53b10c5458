/* code_body_refs.c - the references in a body, before anything is evaluated: what a block waits
 * for. */
#include <string.h>

#include "desired/code_parts.h"
#include "lang/hcl/content.h"

struct bound { /* iterators of dynamic blocks */
    const struct bound *outer;
    struct str name;
};
struct search {
    struct code *code;
    const struct hcl_file *file;
    struct code_ref *ref;
    size_t n, room;
};

static bool is_bound(const struct bound *bound, struct str name)
{
    for (; bound; bound = bound->outer)
        if (str_equal(bound->name, name))
            return true;
    return false;
}

static void add_expr(struct search *s, const struct hcl_expr *expr, const struct bound *bound)
{
    struct code_refs refs = code_refs_of(s->code, s->file, expr);
    for (size_t i = 0; i < refs.n; i++) {
        if (is_bound(bound, refs.ref[i].root))
            continue;
        struct code_ref *grown = arena_grow(&s->code->arena, s->ref, s->n, &s->room, s->n + 1);
        if (!grown)
            return;
        s->ref = grown;
        s->ref[s->n] = refs.ref[i];
        if (bound && (is_bound(bound, STR("each")) || is_bound(bound, STR("count"))))
            s->ref[s->n].index = NULL;
        s->n++;
    }
}

static void add_body(struct search *s, const struct hcl_body *body,
                     const struct hcl_body_spec *meta, const struct bound *bound,
                     unsigned depth_left);

static struct str iterator_of(const struct hcl_block *block)
{
    const struct hcl_attribute *iterator = hcl_find_attribute(&block->body, STR("iterator"));
    if (iterator && iterator->value->kind == HCL_EXPR_VARIABLE)
        return iterator->value->name;
    return block->label[0].text;
}

/* for_each sees the outer iterators only, labels and content the own one too. */
static void add_dynamic(struct search *s, const struct hcl_block *block, const struct bound *bound,
                        unsigned depth_left)
{
    struct bound own = {bound, iterator_of(block)};
    const struct hcl_attribute *each = hcl_find_attribute(&block->body, STR("for_each"));
    const struct hcl_attribute *labels = hcl_find_attribute(&block->body, STR("labels"));
    if (each)
        add_expr(s, each->value, bound);
    if (labels)
        add_expr(s, labels->value, &own);
    for (size_t i = 0; i < block->body.nblocks; i++)
        if (str_equal(block->body.block[i].type, STR("content")))
            add_body(s, &block->body.block[i].body, &code_no_meta, &own, depth_left - 1);
}

static void add_body(struct search *s, const struct hcl_body *body,
                     const struct hcl_body_spec *meta, const struct bound *bound,
                     unsigned depth_left)
{
    if (depth_left == 0)
        return;
    if (body->json) { /* names decide nothing here: more is found than there is, which harms not */
        size_t first = s->n;
        add_expr(s, body->json, bound);
        for (size_t i = first; i < s->n; i++) /* an iterator may be called each */
            s->ref[i].index = NULL;
    }
    for (size_t i = 0; i < body->nattributes; i++)
        if (!hcl_find_attribute_spec(meta, body->attribute[i].name))
            add_expr(s, body->attribute[i].value, bound);
    for (size_t i = 0; i < body->nblocks; i++) {
        const struct hcl_block *block = &body->block[i];
        if (hcl_find_block_spec(meta, block->type))
            continue;
        if (str_equal(block->type, STR("dynamic")) && block->nlabels == 1)
            add_dynamic(s, block, bound, depth_left - 1);
        else
            add_body(s, &block->body, &code_no_meta, bound, depth_left - 1);
    }
}

static struct code_refs refs_in(struct code *code, const struct code_body *bodies, size_t n,
                                const struct hcl_body_spec *meta)
{
    struct search s = {.code = code};
    for (size_t i = 0; i < n; i++) {
        s.file = bodies[i].file;
        add_body(&s, bodies[i].body, meta, NULL, CODE_BODY_DEPTH_MAX);
    }
    return (struct code_refs){s.ref, s.n};
}

struct code_refs code_resource_refs(struct code *code, const struct code_config *in,
                                    const struct code_resource *resource)
{
    const struct code_body *bodies;
    size_t n = code_bodies_of(code, resource, &bodies);
    (void)in;
    return refs_in(code, bodies, n, &code_resource_meta);
}

struct code_refs code_provisioner_refs(struct code *code, const struct code_resource *resource)
{
    struct search s = {.code = code, .file = resource->file};
    for (size_t i = 0; i < resource->body->nblocks; i++) {
        const struct hcl_block *block = &resource->body->block[i];
        if (str_equal(block->type, STR("provisioner")) || str_equal(block->type, STR("connection")))
            add_body(&s, &block->body, &code_no_meta, NULL, CODE_BODY_DEPTH_MAX);
    }
    return (struct code_refs){s.ref, s.n};
}

struct code_refs code_provider_refs(struct code *code, const struct code_config *in,
                                    const struct code_provider *provider)
{
    struct code_body *bodies = arena_new(&code->arena, struct code_body, provider->noverrides + 1);
    (void)in;
    if (!bodies)
        return (struct code_refs){0};
    bodies[0] = (struct code_body){provider->file, provider->body};
    if (provider->noverrides)
        memcpy(bodies + 1, provider->overrides, provider->noverrides * sizeof *bodies);
    return refs_in(code, bodies, provider->noverrides + 1, &code_provider_meta);
}
