/* code_resource.c - resource blocks to instances, and what expressions see of them. */
#include <string.h>

#include "base/buf.h"
#include "desired/address.h"
#include "desired/code_parts.h"

struct running {
    struct code_walk *walk;
    struct code *code;
    struct arena *arena;
    struct code_node *node;
    const struct code_resource *resource;
    const struct schema *schema;
    struct code_result *result;
    struct str provider_config; /* of all instances; empty: of each its own */
    struct buf address;         /* of one instance after the other in one module */
    size_t address_begin;       /* how much of it they share */
};

size_t code_bodies_of(struct code *code, const struct code_resource *r,
                      const struct code_body **ret)
{
    struct code_body *bodies = arena_new(&code->arena, struct code_body, r->noverrides + 2);
    size_t n = 0;
    *ret = bodies;
    if (!bodies)
        return 0;
    bodies[n++] = (struct code_body){r->file, r->body};
    for (size_t i = 0; i < r->noverrides; i++)
        bodies[n++] = r->overrides[i];
    if (r->escape)
        bodies[n++] = (struct code_body){r->file, r->escape};
    return n;
}

/* --- checks that need no value --- */

static struct str own_text(struct running *run)
{
    struct code_ref own = {.kind = CODE_REF_RESOURCE,
                           .mode = run->resource->mode,
                           .type = run->resource->type,
                           .name = run->resource->name};
    return code_ref_text(run->arena, &own);
}

static bool is_self(const struct running *run, const struct code_ref *ref)
{
    return (ref->kind == CODE_REF_RESOURCE || ref->kind == CODE_REF_INSTANCE) &&
           ref->mode == run->resource->mode && str_equal(ref->type, run->resource->type) &&
           str_equal(ref->name, run->resource->name);
}

static void say_self(struct running *run, const struct code_ref *ref)
{
    code_say(run->walk, ref->file, ref->range, false, "Self-referential block",
             "Configuration for %.*s may not refer to itself.", STR_ARG(own_text(run)));
}

/* A resource may not refer to itself. Terraform compares with the instance and with the resource,
 * which are one text where there is no key: then it says so twice. */
static bool check_self(struct running *run, const struct code_each *each)
{
    bool fine = true;
    for (size_t i = 0; i < run->node->refs.n; i++) {
        const struct code_ref *ref = &run->node->refs.ref[i];
        if (!is_self(run, ref))
            continue;
        bool plain = !ref->has_key;
        bool same_key = each->kind == CODE_KEY_NONE
                            ? plain
                            : ref->has_key && value_equal(&ref->key, &each->key);
        for (int times = plain + same_key; times > 0; times--) {
            say_self(run, ref);
            fine = false;
        }
    }
    return fine;
}

static bool check_meta_self(struct running *run, const struct code_expr *e)
{
    bool fine = true;
    struct code_refs refs = code_refs_of(run->code, e->file, e->expr);
    for (size_t i = 0; i < refs.n; i++)
        if (is_self(run, &refs.ref[i])) {
            say_self(run, &refs.ref[i]);
            fine = false;
        }
    return fine;
}

/* --- one instance --- */

/* What the addresses of all instances in one module begin with. */
static void begin_addresses(struct running *run, const struct code_module_instance *module)
{
    static const char *const before[] = {
        [CODE_MANAGED] = "", [CODE_DATA] = "data.", [CODE_EPHEMERAL] = "ephemeral."};
    struct buf *out = &run->address;
    out->len = 0;
    buf_str(out, module->address);
    if (module->address.len)
        buf_char(out, '.');
    buf_str(out, str_from(before[run->resource->mode]));
    buf_str(out, run->resource->type);
    buf_char(out, '.');
    buf_str(out, run->resource->name);
    run->address_begin = out->len;
}

/* Until the next one. */
static struct str compose_address(struct running *run, const struct code_each *each)
{
    run->address.len = run->address_begin;
    if (each->kind != CODE_KEY_NONE)
        address_print_key(&run->address, &each->key);
    return buf_view(&run->address);
}

static struct str instance_address(struct running *run, const struct code_each *each)
{
    struct str address = compose_address(run, each);
    return run->address.failed ? (struct str){0} : arena_dup(run->arena, address);
}

static struct value config_of(struct running *run, const struct code_scope *scope, bool *ret_fine)
{
    struct value config;
    const struct code_body *bodies;
    size_t n = code_bodies_of(run->code, run->resource, &bodies);
    *ret_fine = n && code_body_value(scope, bodies, n, run->schema ? &run->schema->block : NULL,
                                     &code_resource_meta, &config);
    if (!n)
        return hcl_any();
    if (*ret_fine && run->schema)
        *ret_fine = code_check_ephemeral(scope, run->resource, &run->schema->block, &config);
    if (*ret_fine && run->resource->mode == CODE_DATA &&
        code_is_builtin(run->resource->provider_source))
        *ret_fine = code_check_remote_state(run->walk, run->resource, &config);
    return config;
}

static void fill_out(struct running *run, const struct code_scope *scope, struct code_made *made)
{
    struct code_module_instance *module = scope->module;
    const struct code_each *each = &scope->each;
    const struct code_resource *r = run->resource;
    made->each = *each;
    made->module = module;
    made->node = run->node;
    made->out = (struct code_instance){
        .address = instance_address(run, each),
        .module = module->address,
        .mode = r->mode,
        .type = r->type,
        .name = r->name,
        .index_key = each->kind == CODE_KEY_NONE ? value_null() : each->key,
        .resource = r,
        .in = module->config->module,
        .provider = r->provider_source,
        .provider_config =
            run->provider_config.len ? run->provider_config : code_provider_config_text(scope, r),
        .schema = run->schema,
        .config = hcl_any(),
        .desired = hcl_any(),
        .made = made,
    };
    made->planned = run->schema ? hcl_unknown(run->arena, run->schema->block.type) : hcl_any();
}

/* An instance that is not to be evaluated: nobody is told of it, and nothing follows from it. Those
 * of a resource with import blocks are looked at for what these name. */
static bool is_left_out(struct running *run, const struct code_each *each)
{
    const struct code *code = run->code;
    return code->selects && !run->node->referred && !run->result->nimports &&
           run->resource->mode == CODE_MANAGED &&
           !code->options.wants(code->options.ctx, compose_address(run, each));
}

static bool make_instance(struct running *run, struct code_module_instance *module,
                          const struct code_each *each, struct code_made *made)
{
    struct code_scope scope = {.walk = run->walk, .module = module, .each = *each};
    bool fine;
    scope.check = run->resource->check;
    fill_out(run, &scope, made);
    if (!made->out.address.ptr)
        return false;
    made->out.failed = true;
    if (!check_self(run, each) ||
        !code_run_conditions(&scope, &run->resource->preconditions, CODE_CONDITION_BEFORE))
        return false;
    made->out.config = config_of(run, &scope, &fine);
    if (!fine)
        return false;
    if (!code_plan_instance(run->walk, made))
        return false;
    made->out.failed = false;
    scope.self_value = &made->planned;
    scope.self_schema = run->schema;
    return code_run_conditions(&scope, &run->resource->postconditions, CODE_CONDITION_AFTER);
}

static bool add_instances(struct running *run, struct code_module_instance *module,
                          const struct code_keys *keys)
{
    struct code_result *r = run->result;
    bool fine = true;
    if (keys->n > run->code->options.limits.instances - run->walk->ninstances) {
        code_say(run->walk, run->resource->place.file, run->resource->place.range, false,
                 "Too many instances", "The configuration has more than %llu instances.",
                 (unsigned long long)run->code->options.limits.instances);
        return false;
    }
    run->walk->ninstances += keys->n;
    struct code_made *made = arena_new(run->arena, struct code_made, keys->n);
    struct code_expansion *e = &r->expansion[module->index];
    *e = (struct code_expansion){
        .kind = keys->kind, .known = true, .n = (uint32_t)keys->n, .made = made};
    begin_addresses(run, module);
    for (size_t i = 0; made && i < keys->n; i++) {
        if (!code_is_needed(run->walk, run->node, module, &keys->each[i]) ||
            is_left_out(run, &keys->each[i])) {
            made[i].each = keys->each[i];
            made[i].planned = hcl_any();
        } else if (!make_instance(run, module, &keys->each[i], &made[i])) {
            fine = false;
        }
    }
    return made && fine;
}

static bool run_plan(struct running *run)
{
    const struct code_instances_of *modules = code_modules(run->walk, run->node->in);
    bool fine = true;
    run->result->expansion = arena_new(run->arena, struct code_expansion, modules->n);
    run->result->value = arena_new(run->arena, struct value, modules->n);
    run->result->whole = arena_new(run->arena, bool, modules->n);
    if (!run->result->expansion || !run->result->value || !run->result->whole ||
        !check_meta_self(run, &run->resource->count) ||
        !check_meta_self(run, &run->resource->for_each) || !code_run_imports(run->walk, run->node))
        return false;
    for (size_t i = 0; i < modules->n; i++) {
        struct code_keys keys;
        struct code_scope scope = {.walk = run->walk, .module = &modules->item[i]};
        scope.check = run->resource->check;
        if (!code_is_needed(run->walk, run->node, scope.module, NULL))
            continue;
        if (!code_expand(&scope, &run->resource->count, &run->resource->for_each, &keys) ||
            !code_expand_enabled(&scope, &run->resource->enabled, &keys) ||
            (keys.known && !add_instances(run, &modules->item[i], &keys)))
            fine = false;
    }
    return fine && (run->walk->needs || code_check_imported(run->walk, run->node));
}

/* --- validate: one instance with unknown keys --- */

static bool check_ignored(struct running *run, const struct code_scope *scope)
{
    bool fine = true;
    const struct code_resource *r = run->resource;
    for (size_t i = 0; i < r->nignore_changes && run->schema; i++) {
        const struct hcl_traversal *t = &r->ignore_changes[i];
        struct hcl_step *steps = arena_new(run->arena, struct hcl_step, t->n + 1);
        if (!steps)
            return false;
        steps[0] = (struct hcl_step){.key = value_string(t->root), .range = t->root_range};
        if (t->n)
            memcpy(steps + 1, t->step, t->n * sizeof *steps);
        if (!code_check_traversal(scope, r->ignore_place.file ? r->ignore_place.file : r->file,
                                  &run->schema->block, steps, t->n + 1))
            fine = false;
        const struct schema_attribute *a = schema_find_attribute(&run->schema->block, t->root);
        if (fine && t->n == 0 && a && a->computed && !a->optional)
            code_say(run->walk, r->place.file, r->place.range, true,
                     "Redundant ignore_changes element",
                     "Adding an attribute name to ignore_changes tells Terraform to ignore future "
                     "changes to the argument in configuration after the object has been created, "
                     "retaining the value originally configured.\n\nThe attribute %.*s is decided "
                     "by the provider alone and therefore there can be no configured value to "
                     "compare with. Including this attribute in ignore_changes has no effect. "
                     "Remove the attribute from ignore_changes to quiet this warning.",
                     STR_ARG(t->root));
    }
    return fine;
}

static bool check_conditions(const struct code_scope *scope, const struct code_conditions *list)
{
    bool fine = true;
    struct value v;
    for (size_t i = 0; i < list->n; i++) {
        const struct code_expr *both[] = {&list->item[i].condition, &list->item[i].error_message};
        for (size_t k = 0; k < 2; k++)
            if (both[k]->expr && !code_eval(scope, both[k]->file, both[k]->expr, &type_dynamic, &v))
                fine = false;
    }
    return fine;
}

static bool validate_body(struct running *run, struct code_scope *scope)
{
    bool fine;
    if (!run->schema && code_provider_schema_of(run->code, run->resource->provider_source))
        return code_say_no_type(run->walk, run->resource);
    (void)config_of(run, scope, &fine);
    return fine && check_ignored(run, scope);
}

static bool run_validate(struct running *run)
{
    const struct code_resource *r = run->resource;
    struct code_keys keys;
    struct code_module_instance *module = &code_modules(run->walk, run->node->in)->item[0];
    struct code_scope scope = {.walk = run->walk, .module = module};
    scope.check = r->check;
    bool fine = code_run_imports(run->walk, run->node);
    fine = code_expand(&scope, &r->count, &r->for_each, &keys) &&
           code_expand_enabled(&scope, &r->enabled, &keys) && fine;
    scope.each.kind = r->count.expr      ? CODE_KEY_COUNT
                      : r->for_each.expr ? CODE_KEY_EACH
                                         : CODE_KEY_NONE;
    scope.each.key = hcl_unknown(run->arena, r->count.expr ? &type_number : &type_string);
    scope.each.value = hcl_any();
    fine = code_check_depends_on(&scope, r->depends_on, r->ndepends_on) && fine;
    fine = validate_body(run, &scope) && fine;
    fine = check_conditions(&scope, &r->preconditions) && fine;
    struct value self = hcl_any();
    scope.self_value = &self;
    scope.self_schema = run->schema;
    fine = check_conditions(&scope, &r->postconditions) && fine;
    return code_check_provisioners(&scope, r, fine);
}

bool code_run_resource(struct code_walk *walk, struct code_node *node)
{
    const struct code_resource *r = &node->in->module->resources[node->at];
    struct running run = {.walk = walk,
                          .code = walk->code,
                          .arena = &walk->code->arena,
                          .node = node,
                          .resource = r,
                          .schema =
                              code_schema_of(walk->code, r->provider_source, r->mode, r->type),
                          .result = code_result(walk, node),
                          .address = {.limit = BUF_DEFAULT_LIMIT}};
    if (walk->validate)
        return run_validate(&run);
    run.provider_config = code_provider_config_shared(walk->code, node->in, r);
    bool fine = run_plan(&run);
    buf_free(&run.address);
    return fine;
}

/* --- what expressions see --- */

static struct value collection(struct code_walk *walk, const struct code_expansion *e)
{
    struct arena *arena = &walk->code->arena;
    struct value ret = hcl_any();
    if (e->kind == CODE_KEY_COUNT) {
        struct value *items = arena_new(arena, struct value, e->n);
        for (uint32_t i = 0; items && i < e->n; i++)
            items[i] = e->made[i].planned;
        return items ? value_items(VALUE_TUPLE, items, e->n) : ret;
    }
    struct value_member *m = arena_new(arena, struct value_member, e->n);
    for (uint32_t i = 0; m && i < e->n; i++) {
        m[i].key = key_intern(&walk->code->keys, value_text(&e->made[i].each.key));
        m[i].value = e->made[i].planned;
        if (!m[i].key)
            return ret;
    }
    if (m)
        (void)value_members(VALUE_OBJECT, m, e->n, &ret, NULL, NULL);
    return ret;
}

static const struct code_made *made_at(const struct code_expansion *e, const struct value *key)
{
    int64_t i;
    if (e->kind == CODE_KEY_COUNT)
        return value_to_int64(key, &i) && i >= 0 && i < e->n ? &e->made[i] : NULL;
    /* for_each goes through its keys in order */
    for (uint32_t low = 0, high = key->kind == VALUE_STRING ? e->n : 0; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        int order = str_compare(value_text(&e->made[middle].each.key), value_text(key));
        if (order == 0)
            return &e->made[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

struct value code_resource_value(const struct code_scope *scope, const struct code_ref *ref,
                                 size_t *ret_steps)
{
    struct code_walk *walk = scope->walk;
    const struct code_node *node = code_ref_node(scope->module->config, ref);
    size_t steps = str_equal(ref->root, ref->type) && ref->mode == CODE_MANAGED ? 1 : 2;
    *ret_steps = steps;
    if (!node || walk->validate)
        return hcl_any();
    struct code_result *r = code_result(walk, node);
    if (r->state != CODE_DONE || !r->expansion ||
        scope->module->index >= code_modules(walk, node->in)->n)
        return hcl_any();
    const struct code_expansion *e = &r->expansion[scope->module->index];
    if (!e->known)
        return hcl_any();
    if (e->kind == CODE_KEY_NONE && e->n == 0) /* not enabled */
        return hcl_null(&type_dynamic);
    if (e->kind == CODE_KEY_NONE)
        return e->made ? e->made[0].planned : hcl_any();
    const struct code_made *made = ref->has_key ? made_at(e, &ref->key) : NULL;
    if (made) {
        *ret_steps = steps + 1;
        return made->planned;
    }
    if (!r->whole[scope->module->index]) {
        r->value[scope->module->index] = collection(walk, e);
        r->whole[scope->module->index] = true;
    }
    return r->value[scope->module->index];
}
