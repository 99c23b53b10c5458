/* code_call.c - module calls: their instances, their arguments, and what expressions see of a
 * module. */
#include <string.h>

#include "base/buf.h"
#include "desired/address.h"
#include "desired/code_parts.h"

/* --- arguments --- */

/* Names that belong to the call itself. */
static const struct hcl_attribute_spec meta_attributes[] = {
    {STR_INIT("source"), false},   {STR_INIT("version"), false},   {STR_INIT("count"), false},
    {STR_INIT("for_each"), false}, {STR_INIT("providers"), false}, {STR_INIT("depends_on"), false},
};
static const struct hcl_block_spec meta_blocks[] = {
    {.type = STR_INIT("_")},
    {.type = STR_INIT("lifecycle")},
    {.type = STR_INIT("locals")},
    {.type = STR_INIT("provider"), .label = {"type"}},
};
static const struct hcl_body_spec meta = {
    .attribute = meta_attributes,
    .nattributes = sizeof meta_attributes / sizeof *meta_attributes,
    .block = meta_blocks,
    .nblocks = sizeof meta_blocks / sizeof *meta_blocks,
};

static size_t bodies_of(struct code *code, const struct code_module_call *call,
                        const struct code_body **ret)
{
    struct code_body *bodies = arena_new(&code->arena, struct code_body, call->noverrides + 2);
    size_t n = 0;
    *ret = bodies;
    if (!bodies)
        return 0;
    bodies[n++] = (struct code_body){call->file, call->body};
    for (size_t i = 0; i < call->noverrides; i++)
        bodies[n++] = call->overrides[i];
    if (call->escape)
        bodies[n++] = (struct code_body){call->file, call->escape};
    return n;
}

const struct hcl_attribute *code_call_argument(struct code *code,
                                               const struct code_module_call *call, struct str name,
                                               const struct hcl_file **ret_file)
{
    const struct code_body *bodies;
    size_t n = bodies_of(code, call, &bodies);
    struct hcl_attribute_spec wanted = {.name = name};
    struct hcl_body_spec spec = {.attribute = &wanted, .nattributes = 1};
    for (size_t i = n; i-- > 0;) {
        struct hcl_diags quiet = {.arena = &code->arena};
        struct hcl_content content;
        if (!bodies[i].file->json) {
            const struct hcl_attribute *a = hcl_find_attribute(bodies[i].body, name);
            *ret_file = bodies[i].file;
            if (a && (bodies[i].body == call->escape || !code_is_call_meta(name)))
                return a;
            continue;
        }
        if (!hcl_body_content(&code->arena, bodies[i].file, bodies[i].body, &spec, true, &quiet,
                              &content))
            return NULL;
        *ret_file = bodies[i].file;
        if (content.nattributes && !code_is_call_meta(name))
            return content.attribute;
    }
    return NULL;
}

bool code_is_call_meta(struct str name)
{
    for (size_t i = 0; i < meta.nattributes; i++)
        if (str_equal(meta.attribute[i].name, name))
            return true;
    return false;
}

/* Arguments that the module does not have, and those that it needs and are not there. */
static bool check_call(struct code_walk *walk, const struct code_module_call *call,
                       const struct code_module *module)
{
    struct arena *arena = &walk->code->arena;
    const struct code_body *bodies;
    size_t n = bodies_of(walk->code, call, &bodies);
    struct hcl_attribute_spec *a = arena_new(arena, struct hcl_attribute_spec, module->nvariables);
    struct hcl_body_spec spec = {.attribute = a, .nattributes = module->nvariables, .taken = &meta};
    struct hcl_diags diags = {.arena = arena};
    struct hcl_content content;
    if (!a || !n)
        return false;
    for (size_t i = 0; i < module->nvariables; i++)
        a[i] = (struct hcl_attribute_spec){module->variables[i].name,
                                           !module->variables[i].has_default};
    for (size_t i = 0; i < n; i++) {
        if (!hcl_body_content(arena, bodies[i].file, bodies[i].body, &spec, n > 1, &diags,
                              &content))
            return false;
        for (size_t k = 0; k < module->nvariables; k++)
            a[k].required = false; /* what override files add need not be whole */
    }
    code_say_again(walk, &diags);
    return !hcl_has_errors(&diags);
}

bool code_check_calls(struct code_walk *walk)
{
    bool fine = true;
    for (size_t i = 0; i < walk->code->nconfigs; i++) {
        const struct code_config *config = walk->code->config[i];
        if (config->call && !check_call(walk, config->call, config->module))
            fine = false;
    }
    return fine;
}

/* --- instances --- */

static struct str child_address(struct arena *arena, const struct code_module_instance *parent,
                                struct str name, const struct code_each *each)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    buf_str(&out, parent->address);
    if (parent->address.len)
        buf_char(&out, '.');
    buf_str(&out, STR("module."));
    buf_str(&out, name);
    if (each->kind != CODE_KEY_NONE)
        address_print_key(&out, &each->key);
    return arena_dup(arena, buf_view(&out));
}

struct growing {
    struct code_module_instance *item;
    size_t n, room;
};

static bool add_instances(struct code_walk *walk, struct code_config *child,
                          struct code_module_instance *parent, const struct code_keys *keys,
                          struct growing *all)
{
    struct arena *arena = &walk->code->arena;
    if (keys->n > walk->code->options.limits.instances - walk->ninstances) {
        code_say(walk, child->call->place.file, child->call->place.range, false,
                 "Too many instances", "The configuration has more than %llu instances.",
                 (unsigned long long)walk->code->options.limits.instances);
        return false;
    }
    walk->ninstances += keys->n;
    struct code_module_instance *grown =
        arena_grow(arena, all->item, all->n, &all->room, all->n + keys->n + 1);
    if (!grown)
        return false;
    all->item = grown;
    for (size_t i = 0; i < keys->n; i++) {
        struct code_module_instance *at = &all->item[all->n];
        *at = (struct code_module_instance){
            .config = child,
            .parent = parent,
            .address = child_address(arena, parent, child->call->name, &keys->each[i]),
            .each = keys->each[i],
            .index = (uint32_t)all->n++};
        if (!at->address.ptr)
            return false;
    }
    return true;
}

static bool expand_in(struct code_walk *walk, struct code_node *node, struct code_config *child,
                      struct code_module_instance *parent, struct growing *all)
{
    static const struct code_each alone = {.kind = CODE_KEY_NONE};
    const struct code_module_call *call = &node->in->module->calls[node->at];
    struct code_scope scope = {.walk = walk, .module = parent};
    struct code_expansion *e = &code_result(walk, node)->expansion[parent->index];
    struct code_keys keys;
    if (!code_expand(&scope, &call->count, &call->for_each, &keys) ||
        !code_expand_enabled(&scope, &call->enabled, &keys))
        return false;
    if (walk->validate) {
        if (!code_check_depends_on(&scope, call->depends_on, call->ndepends_on))
            return false;
        keys = (struct code_keys){CODE_KEY_NONE, true, 1, &alone};
    }
    e->kind = keys.kind;
    if (!keys.known)
        return true;
    *e = (struct code_expansion){
        .kind = keys.kind, .known = true, .first = (uint32_t)all->n, .n = (uint32_t)keys.n};
    return !child || add_instances(walk, child, parent, &keys, all);
}

bool code_run_call(struct code_walk *walk, struct code_node *node)
{
    struct code_config *child = node->in->child[node->at];
    struct code_instances_of *parents = code_modules(walk, node->in);
    struct code_result *r = code_result(walk, node);
    struct growing all = {0};
    bool fine = true;
    r->expansion = arena_new(&walk->code->arena, struct code_expansion, parents->n);
    for (size_t i = 0; r->expansion && i < parents->n; i++)
        if (code_is_needed(walk, node, &parents->item[i], NULL) &&
            !expand_in(walk, node, child, &parents->item[i], &all))
            fine = false;
    if (child)
        *code_modules(walk, child) = (struct code_instances_of){all.item, all.n, fine};
    return r->expansion && fine;
}

/* --- what expressions see --- */

static struct value output_value(struct code_walk *walk, struct code_config *child, size_t at,
                                 uint32_t instance)
{
    const struct code_result *r = code_result(walk, &child->outputs[at]);
    return r->state == CODE_DONE && r->value && !r->failed ? r->value[instance] : hcl_any();
}

static struct value outputs_object(struct code_walk *walk, struct code_config *child,
                                   uint32_t instance)
{
    const struct code_module *m = child->module;
    struct value_member *members = arena_new(&walk->code->arena, struct value_member, m->noutputs);
    struct value ret = hcl_any();
    for (size_t i = 0; members && i < m->noutputs; i++) {
        members[i].key = key_intern(&walk->code->keys, m->outputs[i].name);
        members[i].value = output_value(walk, child, i, instance);
        if (!members[i].key)
            return ret;
    }
    if (members)
        (void)value_members(VALUE_OBJECT, members, m->noutputs, &ret, NULL, NULL);
    return ret;
}

/* Outputs may be of any type; with count and for_each a list and a map of such objects. */
static struct value validate_value(struct code_walk *walk, const struct code_module_call *call,
                                   const struct code_module *m)
{
    struct arena *arena = &walk->code->arena;
    struct type_member *members = arena_new(arena, struct type_member, m->noutputs);
    if (!members)
        return hcl_any();
    for (size_t i = 0; i < m->noutputs; i++)
        members[i] = (struct type_member){.key = key_intern(&walk->code->keys, m->outputs[i].name),
                                          .type = &type_dynamic};
    const struct type *type = type_object(arena, members, m->noutputs);
    if (type && call->count.expr)
        type = type_collection(arena, TYPE_LIST, type);
    else if (type && call->for_each.expr)
        type = type_collection(arena, TYPE_MAP, type);
    return type ? hcl_unknown(arena, type) : hcl_any();
}

static struct value whole_module(struct code_walk *walk, struct code_config *child,
                                 const struct code_expansion *e)
{
    struct arena *arena = &walk->code->arena;
    const struct code_module_instance *at = code_modules(walk, child)->item;
    struct value ret = hcl_any();
    if (e->kind == CODE_KEY_NONE)
        return e->n ? outputs_object(walk, child, e->first) : hcl_null(&type_dynamic);
    if (e->kind == CODE_KEY_COUNT) {
        struct value *items = arena_new(arena, struct value, e->n);
        for (uint32_t i = 0; items && i < e->n; i++)
            items[i] = outputs_object(walk, child, e->first + i);
        return items ? value_items(VALUE_TUPLE, items, e->n) : ret;
    }
    struct value_member *m = arena_new(arena, struct value_member, e->n);
    for (uint32_t i = 0; m && i < e->n; i++) {
        m[i].key = key_intern(&walk->code->keys, value_text(&at[e->first + i].each.key));
        m[i].value = outputs_object(walk, child, e->first + i);
        if (!m[i].key)
            return ret;
    }
    if (m)
        (void)value_members(VALUE_OBJECT, m, e->n, &ret, NULL, NULL);
    return ret;
}

static bool find_key(struct code_walk *walk, struct code_config *child,
                     const struct code_expansion *e, const struct value *key, uint32_t *ret)
{
    const struct code_module_instance *at = &code_modules(walk, child)->item[e->first];
    struct code_each want = {.key = *key};
    want.kind = key->kind == VALUE_STRING ? CODE_KEY_EACH : CODE_KEY_COUNT;
    for (uint32_t low = 0, high = e->n; low < high;) { /* in order of their keys */
        uint32_t middle = low + (high - low) / 2;
        int order = code_compare_keys(&at[middle].each, &want);
        if (order == 0) {
            *ret = e->first + middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* One output of one instance, where the reference says both; no collection need be made. */
static bool one_output(struct code_walk *walk, struct code_config *child,
                       const struct code_expansion *e, const struct code_ref *ref,
                       struct value *ret, size_t *ret_steps)
{
    const struct code_output *output = code_find_output(child->module, ref->output);
    uint32_t instance = e->first;
    if (ref->kind != CODE_REF_OUTPUT || !output || ref->has_key != (e->kind != CODE_KEY_NONE) ||
        !e->n)
        return false;
    if (ref->has_key && !find_key(walk, child, e, &ref->key, &instance))
        return false;
    *ret = output_value(walk, child, (size_t)(output - child->module->outputs), instance);
    *ret_steps = ref->has_key ? 3 : 2;
    return true;
}

/* All of it, kept once all of it is there: each of many instances may pick its own. */
static struct value module_collection(struct code_walk *walk, struct code_config *child,
                                      uint32_t parent)
{
    const struct code_config *in = child->parent;
    size_t at = (size_t)(child->call - in->module->calls), n = code_modules(walk, in)->n;
    struct code_result *r = code_result(walk, &in->calls[at]);
    if (code_result(walk, &in->closes[at])->state != CODE_DONE)
        return whole_module(walk, child, &r->expansion[parent]);
    if (!r->value) {
        r->value = arena_new(&walk->code->arena, struct value, n);
        r->whole = arena_new(&walk->code->arena, bool, n);
    }
    if (!r->value || !r->whole)
        return hcl_any();
    if (!r->whole[parent])
        r->value[parent] = whole_module(walk, child, &r->expansion[parent]);
    r->whole[parent] = true;
    return r->value[parent];
}

struct value code_module_value(const struct code_scope *scope, const struct code_ref *ref,
                               size_t *ret_steps)
{
    struct code_walk *walk = scope->walk;
    struct code_config *in = scope->module->config;
    const struct code_module_call *call = code_find_call(in->module, ref->name);
    struct code_config *child = call ? in->child[call - in->module->calls] : NULL;
    struct value ret;
    *ret_steps = 1;
    if (!child)
        return hcl_any();
    if (walk->validate)
        return validate_value(walk, call, child->module);
    const struct code_result *r = code_result(walk, &in->calls[call - in->module->calls]);
    if (r->state != CODE_DONE || !r->expansion)
        return hcl_any();
    const struct code_expansion *e = &r->expansion[scope->module->index];
    if (!e->known)
        return hcl_any();
    if (one_output(walk, child, e, ref, &ret, ret_steps))
        return ret;
    return module_collection(walk, child, scope->module->index);
}
