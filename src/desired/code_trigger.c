/* code_trigger.c - what changes make of others: replace_triggered_by, and data sources that wait
 * for what they depend on.
 *
 * Source:  Terraform terraform/evaluate_triggers.go, eval_context_builtin.go,
 *          transform_attach_config_resource.go (depends_on of data sources)
 */
#include <string.h>

#include "desired/code_parts.h"

enum { WAIT_DEPTH_MAX = 8 }; /* nodes between a module and its resources */

bool code_steps_of(const struct code_scope *scope, const struct code_expr *e,
                   struct hcl_traversal *ret)
{
    struct arena *arena = &scope->walk->code->arena;
    const struct hcl_expr *node[HCL_STEPS_MAX], *at = e->expr;
    size_t n = 0;
    for (; at->kind == HCL_EXPR_ATTRIBUTE || at->kind == HCL_EXPR_INDEX; n++) {
        if (n == HCL_STEPS_MAX)
            return false;
        node[n] = at;
        at = at->kind == HCL_EXPR_ATTRIBUTE ? at->get.source : at->index.source;
    }
    struct hcl_step *steps = arena_new(arena, struct hcl_step, n);
    if (at->kind != HCL_EXPR_VARIABLE || !steps)
        return false;
    *ret = (struct hcl_traversal){
        .root = at->name, .root_range = at->range, .range = e->expr->range, .step = steps};
    for (size_t i = n; i-- > 0; ret->n++) {
        bool attribute = node[i]->kind == HCL_EXPR_ATTRIBUTE;
        steps[ret->n] = (struct hcl_step){.index = !attribute, .range = node[i]->range};
        if (attribute)
            steps[ret->n].key = value_string(node[i]->get.name);
        else if (!code_eval(scope, e->file, node[i]->index.key, &type_dynamic, &steps[ret->n].key))
            return false;
    }
    return true;
}

static bool differs(const struct value *a, const struct value *b)
{
    if (!a || !b)
        return a != b;
    return value_any_unknown(a) || value_any_unknown(b) || !value_equal(a, b);
}

static const struct value *follow(const struct value *v, const struct code_ref *ref)
{
    for (size_t i = 0; v && i < ref->nrest; i++) {
        const struct value *key = &ref->rest[i].key;
        int64_t at;
        if (key->kind == VALUE_STRING)
            v = value_get(v, value_text(key));
        else if (value_is_list_like(v) && value_to_int64(key, &at) && at >= 0 && at < v->len)
            v = &v->items[at];
        else
            v = NULL;
    }
    return v;
}

/* Only what changes triggers. What is new does so in OpenTofu alone. */
static bool has_changed(const struct code_walk *walk, const struct code_made *made,
                        const struct code_ref *ref)
{
    bool made_new = made->prior.kind == VALUE_NULL;
    if (made_new && !walk->code->options.opentofu)
        return false;
    if (!made_new && !made->replaced && !differs(&made->prior, &made->planned))
        return false;
    return ref->nrest == 0 || differs(follow(&made->prior, ref), follow(&made->planned, ref));
}

/* --- data sources --- */

static bool any_changes(struct code_walk *walk, const struct code_node *node)
{
    const struct code_result *r = code_result(walk, node);
    const struct code_resource *resource = &node->in->module->resources[node->at];
    if (node->kind != CODE_NODE_RESOURCE || resource->mode != CODE_MANAGED || !r->expansion)
        return false;
    for (size_t m = 0; m < code_modules(walk, node->in)->n; m++)
        for (uint32_t i = 0; r->expansion[m].made && i < r->expansion[m].n; i++) {
            const struct code_made *made = &r->expansion[m].made[i];
            if (made->replaced || differs(&made->prior, &made->planned))
                return true;
        }
    return false;
}

/* The node, or what a module is made of. */
static bool waits_for(struct code_walk *walk, const struct code_node *node, unsigned depth_left)
{
    if (node->kind == CODE_NODE_RESOURCE || depth_left == 0)
        return any_changes(walk, node);
    for (size_t i = 0; i < node->ndeps; i++)
        if (waits_for(walk, node->dep[i], depth_left - 1))
            return true;
    return false;
}

bool code_data_waits(struct code_walk *walk, const struct code_made *made)
{
    const struct code_resource *r = made->out.resource;
    for (size_t i = 0; i < r->ndepends_on; i++) {
        const struct code_expr *e = &r->depends_on[i];
        struct code_refs refs = code_refs_of(walk->code, e->file, e->expr);
        for (size_t k = 0; k < refs.n; k++) {
            const struct code_node *node = code_ref_node(made->module->config, &refs.ref[k]);
            if (node && waits_for(walk, node, WAIT_DEPTH_MAX))
                return true;
        }
    }
    return false;
}

/* --- triggers --- */

static bool is_triggered(const struct code_scope *scope, const struct code_expr *e)
{
    struct code_walk *walk = scope->walk;
    struct hcl_traversal t;
    struct code_ref ref;
    if (!e->expr || !code_steps_of(scope, e, &t))
        return false;
    code_ref_parse(walk->code, e->file, &t, &ref);
    const struct code_node *node = code_ref_node(scope->module->config, &ref);
    if (!node || node->kind != CODE_NODE_RESOURCE)
        return false;
    const struct code_result *r = code_result(walk, node);
    if (!r->expansion)
        return false;
    const struct code_expansion *x = &r->expansion[scope->module->index];
    struct code_each key = {.kind = CODE_KEY_NONE, .key = ref.key};
    if (ref.has_key)
        key.kind = ref.key.kind == VALUE_STRING ? CODE_KEY_EACH : CODE_KEY_COUNT;
    for (uint32_t i = 0; x->made && i < x->n; i++) {
        bool meant = !ref.has_key || code_compare_keys(&x->made[i].each, &key) == 0;
        if (meant && has_changed(walk, &x->made[i], &ref))
            return true;
    }
    return false;
}

/* Only a plan asks whether what is to trigger is declared. */
static void check_declared(const struct code_scope *scope, const struct code_expr *e)
{
    struct code_walk *walk = scope->walk;
    const struct code_config *in = scope->module->config;
    struct hcl_traversal t;
    struct code_ref ref;
    if (!e->expr || !code_steps_of(scope, e, &t))
        return;
    code_ref_parse(walk->code, e->file, &t, &ref);
    bool resource = ref.kind == CODE_REF_RESOURCE || ref.kind == CODE_REF_INSTANCE;
    if (resource && !code_find_resource(in->module, ref.mode, ref.type, ref.name))
        code_say(walk, e->file, e->expr->range, false, "Reference to undeclared resource",
                 "A resource %.*s.%.*s has not been declared in %.*s", STR_ARG(ref.type),
                 STR_ARG(ref.name), STR_ARG(in->path.len ? in->path : STR("the root module")));
}

void code_check_triggers(struct code_walk *walk, const struct code_made *made)
{
    const struct code_resource *r = made->out.resource;
    struct code_scope scope = {.walk = walk, .module = made->module, .each = made->each};
    scope.each.value = hcl_any();
    for (size_t i = 0; i < r->nreplace_triggered_by; i++)
        check_declared(&scope, &r->replace_triggered_by[i]);
}

bool code_is_triggered(struct code_walk *walk, const struct code_made *made)
{
    const struct code_resource *r = made->out.resource;
    struct code_scope scope = {.walk = walk, .module = made->module, .each = made->each};
    scope.each.value = hcl_any();
    for (size_t i = 0; i < r->nreplace_triggered_by; i++)
        if (is_triggered(&scope, &r->replace_triggered_by[i]))
            return true;
    return false;
}
