/* code_repeat.c - code_explain_absence(): which count, for_each or enabled leaves an instance
 * out. */
#include "desired/code_follow.h"

/* Something with count, for_each or enabled: a call or a resource, in one module instance. */
struct repeated {
    struct code_node *node;
    const struct code_expr *count, *for_each, *enabled;
    struct code_module_instance *module;
    struct str kind, name; /* "module." and the call's name; "", "data." and TYPE.NAME */
};

/* Its keys, as far as they can be known. */
static bool keys_of(struct code_follow *f, const struct repeated *r, struct code_keys *ret)
{
    struct code_scope scope = {.walk = &f->walk, .module = r->module};
    (void)code_visit(&f->code->plan, r->node);
    return code_expand(&scope, r->count, r->for_each, ret) &&
           code_expand_enabled(&scope, r->enabled, ret);
}

/* Is there one with this key? Where none is asked for, any will do. */
static bool has_key(const struct code_keys *keys, const struct code_each *want)
{
    for (size_t i = 0; keys->known && i < keys->n; i++)
        if (want->kind == CODE_KEY_NONE || code_compare_keys(&keys->each[i], want) == 0)
            return true;
    return false;
}

static bool explain_keys(struct code_follow *f, const struct repeated *r, bool known,
                         struct code_absence *ret)
{
    const struct code_expr *e = r->for_each->expr ? r->for_each
                                : r->count->expr  ? r->count
                                                  : r->enabled;
    struct code_scope *scope = arena_new(f->arena, struct code_scope, 1);
    if (!scope || !e->expr)
        return false;
    *scope = (struct code_scope){.walk = &f->walk, .module = r->module};
    struct code_source source = {.scope = scope, .file = e->file};
    struct str module = r->module->address;
    ret->of = arena_printf(f->arena, "%.*s%s%.*s%.*s", STR_ARG(module), module.len ? "." : "",
                           STR_ARG(r->kind), STR_ARG(r->name));
    ret->meta = e == r->for_each ? "for_each" : e == r->count ? "count" : "enabled";
    if (!code_follow_eval(f, &source, e->expr, &ret->value))
        ret->value = hcl_any();
    code_add_link(f, ret->meta, (struct str){0}, e->file, e->range, e->expr, (struct path){0});
    code_follow_expr(f, &source, e->expr, (struct path){0}, CODE_FOLLOW_DEPTH);
    ret->known = known;
    if (!known)
        code_explain_unknown(f, CODE_FOLLOW_DEPTH);
    ret->chain = (struct code_chain){f->link, f->n, known ? STR("") : f->why};
    return true;
}

/* The instance of the call's module that an address goes through: with that key, else the first. */
static struct code_module_instance *step_into(struct code_follow *f, struct code_config *child,
                                              struct code_module_instance *parent,
                                              const struct code_each *want)
{
    struct code_instances_of *all = code_modules(&f->walk, child);
    for (size_t i = 0; i < all->n; i++)
        if (all->item[i].parent == parent &&
            (want->kind == CODE_KEY_NONE || code_compare_keys(&all->item[i].each, want) == 0))
            return &all->item[i];
    return NULL;
}

/* Down the calls of the address. False where that ends; *ret_told: it is told why. */
static bool walk_calls(struct code_follow *f, const struct code_address *want,
                       struct code_module_instance **module, struct code_absence *ret,
                       bool *ret_told)
{
    for (size_t i = 0; i < want->nsteps && *module; i++) {
        struct code_config *in = (*module)->config;
        const struct code_module_call *call = code_find_call(in->module, want->step[i].name);
        struct code_config *child = call ? in->child[call - in->module->calls] : NULL;
        struct code_keys keys;
        if (!child)
            return false;
        struct repeated r = {.node = &in->calls[call - in->module->calls],
                             .count = &call->count,
                             .for_each = &call->for_each,
                             .enabled = &call->enabled,
                             .module = *module,
                             .kind = STR("module."),
                             .name = call->name};
        if (!keys_of(f, &r, &keys) || !has_key(&keys, &want->step[i].key)) {
            *ret_told = explain_keys(f, &r, keys.known, ret);
            return false;
        }
        *module = step_into(f, child, *module, &want->step[i].key);
    }
    return *module;
}

static bool explain_resource(struct code_follow *f, const struct code_address *want,
                             struct code_module_instance *module, struct code_absence *ret)
{
    static const char *const kinds[] = {
        [CODE_MANAGED] = "", [CODE_DATA] = "data.", [CODE_EPHEMERAL] = "ephemeral."};
    const struct code_module *m = module->config->module;
    const struct code_resource *found = code_find_resource(m, want->mode, want->type, want->name);
    struct code_keys keys;
    if (!found)
        return false;
    struct repeated r = {
        .node = &module->config->resources[found - m->resources],
        .count = &found->count,
        .for_each = &found->for_each,
        .enabled = &found->enabled,
        .module = module,
        .kind = str_from(kinds[found->mode]),
        .name = arena_printf(f->arena, "%.*s.%.*s", STR_ARG(found->type), STR_ARG(found->name))};
    bool there = keys_of(f, &r, &keys) && has_key(&keys, &want->key);
    return !there && explain_keys(f, &r, keys.known, ret);
}

bool code_explain_absence(struct code *code, struct str address, struct code_absence *ret)
{
    struct code_follow f = {.code = code, .arena = &code->arena};
    struct code_address want;
    bool told = false;
    if (!code_ready(code, NULL) || !code_address_parse(&code->arena, address, &want) ||
        !want.has_resource)
        return false;
    f.quiet.arena = &code->arena;
    f.walk = code->plan;
    f.walk.diags = &f.quiet;
    struct code_module_instance *module = code_modules(&f.walk, code->root)->item;
    if (!walk_calls(&f, &want, &module, ret, &told))
        return told;
    return explain_resource(&f, &want, module, ret);
}
