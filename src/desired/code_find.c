/* code_find.c - one instance, one module, one expression: only what that needs is evaluated. */
#include <string.h>

#include "desired/code_parts.h"
#include "desired/module_parts.h"

static bool open_walk(struct code *code, struct err *err)
{
    if (code->broken)
        return err_set(err, ERR_SYNTAX, "the code has errors; see its diagnostics");
    if (!code->inputs)
        (void)code_read_inputs(code, &code->diags);
    if (!code->inputs || !code_walk_open(code, false, &code->diags, &code->plan))
        return arena_full(&code->arena, err);
    return true;
}

/* What one question needed is not enough: another walk, in which it is evaluated once more. */
bool code_ready(struct code *code, struct err *err)
{
    if (code->plan.code && !code->plan.needs)
        return true;
    if (code->plan.needs)
        code->diags.n = code->ndiags;
    return open_walk(code, err);
}

/* Is the walk open, and for this question among others? Before the first question it is not. */
static bool is_ready_for(struct code *code, struct str question, bool *ret_first, struct err *err)
{
    *ret_first = !code->plan.code;
    if (*ret_first) {
        if (!open_walk(code, err))
            return false;
        code->question = arena_dup(&code->arena, question);
        code->ndiags = code->diags.n;
        return code->question.ptr || arena_full(&code->arena, err);
    }
    return (code->plan.needs && str_equal(code->question, question)) || code_ready(code, err);
}

/* --- modules --- */

/* The instance of a module that `parent` calls; its calls are expanded for that. */
static struct code_module_instance *child_of(struct code *code, struct code_module_instance *parent,
                                             struct str name, const struct code_each *each)
{
    struct code_config *in = parent->config;
    const struct code_module_call *call = code_find_call(in->module, name);
    struct code_config *child = call ? in->child[call - in->module->calls] : NULL;
    if (!child)
        return NULL;
    struct code_node *node = &in->calls[call - in->module->calls];
    (void)code_visit(&code->plan, node);
    const struct code_result *r = code_result(&code->plan, node);
    struct code_instances_of *all = code_modules(&code->plan, child);
    if (!r->expansion || !r->expansion[parent->index].known)
        return NULL;
    const struct code_expansion *e = &r->expansion[parent->index];
    for (uint32_t i = 0; i < e->n && e->first + i < all->n; i++)
        if (code_compare_keys(&all->item[e->first + i].each, each) == 0)
            return &all->item[e->first + i];
    return NULL;
}

static struct code_module_instance *walk_modules(struct code *code,
                                                 const struct code_address *address)
{
    struct code_module_instance *module = code_modules(&code->plan, code->root)->item;
    for (size_t i = 0; i < address->nsteps && module; i++)
        module = child_of(code, module, address->step[i].name, &address->step[i].key);
    return module;
}

/* What an address goes through, as it is written; NULL: it is not there. */
static const struct code_config *walk_calls(const struct code *code,
                                            const struct code_address *address)
{
    const struct code_config *in = code->root;
    for (size_t i = 0; i < address->nsteps && in; i++) {
        const struct code_module_call *call = code_find_call(in->module, address->step[i].name);
        in = call ? in->child[call - in->module->calls] : NULL;
    }
    return in;
}

static struct code_node *find_declared(const struct code *code, const struct code_address *address)
{
    const struct code_config *in = walk_calls(code, address);
    const struct code_resource *r =
        in ? code_find_resource(in->module, address->mode, address->type, address->name) : NULL;
    return r ? &in->resources[r - in->module->resources] : NULL;
}

/* --- instances --- */

const struct code_made *code_find_made(struct code *code, struct str address)
{
    struct code_address want;
    bool first;
    if (code->broken || !code_address_parse(&code->arena, address, &want) || !want.has_resource)
        return NULL;
    struct code_node *node = find_declared(code, &want);
    if (!node || !is_ready_for(code, address, &first, NULL))
        return NULL;
    if (first)
        code->plan.needs = code_needs_of_instance(code, &want, node);
    struct code_module_instance *module = walk_modules(code, &want);
    if (!module)
        return NULL;
    (void)code_visit(&code->plan, node);
    const struct code_result *result = code_result(&code->plan, node);
    if (!result->expansion || !result->expansion[module->index].made)
        return NULL;
    const struct code_expansion *e = &result->expansion[module->index];
    for (uint32_t i = 0; i < e->n; i++)
        if (code_compare_keys(&e->made[i].each, &want.key) == 0) /* or it was left out */
            return e->made[i].out.address.ptr ? &e->made[i] : NULL;
    return NULL;
}

const struct code_instance *code_find_instance(struct code *code, struct str address)
{
    const struct code_made *made = code_find_made(code, address);
    return made ? &made->out : NULL;
}

bool code_find_called(struct code *code, struct str address, const struct code_module **ret)
{
    struct code_address want;
    if (!code_address_parse(&code->arena, address, &want) || want.has_resource || !want.nsteps)
        return false;
    const struct code_config *in = walk_calls(code, &want);
    *ret = in ? in->module : NULL;
    return true;
}

bool code_is_declared(struct code *code, struct str address)
{
    struct code_address want;
    if (!code_address_parse(&code->arena, address, &want) || !want.has_resource)
        return false;
    return find_declared(code, &want);
}

const struct code_module *code_find_module(struct code *code, struct str module_address)
{
    struct code_address want;
    if (module_address.len == 0)
        return code->root->module;
    if (!code_ready(code, NULL) || !code_address_parse(&code->arena, module_address, &want) ||
        want.has_resource)
        return NULL;
    const struct code_module_instance *module = walk_modules(code, &want);
    return module ? module->config->module : NULL;
}

/* --- texts --- */

bool code_eval_text(struct code *code, struct str text, struct value *ret,
                    const struct hcl_diags **ret_diags, struct err *err)
{
    struct hcl_file *file = arena_new(&code->arena, struct hcl_file, 1);
    struct hcl_diags *diags = arena_new(&code->arena, struct hcl_diags, 1);
    const struct hcl_expr *expr;
    *ret = hcl_any();
    if (!file || !diags)
        return arena_full(&code->arena, err);
    diags->arena = &code->arena;
    *ret_diags = diags;
    *file = (struct hcl_file){.name = STR("<expression>"), .text = arena_dup(&code->arena, text)};
    struct str question = arena_printf(&code->arena, "=%.*s", STR_ARG(text));
    bool first;
    if (!file->text.ptr || !question.ptr)
        return arena_full(&code->arena, err);
    if (!is_ready_for(code, question, &first, err))
        return false;
    if (!hcl_parse_expression(&code->arena, file->text, file->name, diags, &expr, err))
        return false;
    if (hcl_has_errors(diags))
        return true;
    struct code_refs refs = code_refs_of(code, file, expr);
    if (first)
        code->plan.needs = code_needs_of_refs(code, refs);
    code->plan.diags = diags;
    for (size_t i = 0; i < refs.n; i++) {
        struct code_node *node = code_ref_node(code->root, &refs.ref[i]);
        if (node)
            (void)code_visit(&code->plan, node);
    }
    struct code_scope scope = {.walk = &code->plan,
                               .module = code_modules(&code->plan, code->root)->item};
    (void)code_eval(&scope, file, expr, &type_dynamic, ret);
    code->plan.diags = &code->diags;
    return true;
}

struct str code_provider_of_type(struct code *code, struct str type)
{
    const struct code_module *root = code->root->module;
    struct str rest = type, name;
    (void)str_cut(&rest, '_', &name);
    for (size_t i = 0; i < root->nrequirements; i++)
        if (str_equal(root->requirements[i].local_name, name))
            return root->requirements[i].source;
    return provider_source_default(&code->arena, name, code->options.opentofu);
}
