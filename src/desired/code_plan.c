/* code_plan.c - what a plan shows of an instance: its configuration, what the state knows of the
 * rest, and unknown for what only an apply can tell.
 *
 * Source:  Terraform plans/objchange (proposed new values), ignore_changes in
 *          node_resource_abstract_instance, builtin/providers/terraform resource_data
 */
#include <string.h>

#include "desired/code_move.h"
#include "desired/ignore_changes.h"

struct planner {
    struct code *code;
    struct arena *arena;
};

enum { PLAN_DEPTH_MAX = 100 };

static struct value plan_object(struct planner *p, const struct schema_block *block,
                                const struct value *prior, const struct value *config,
                                unsigned depth_left);

static bool is_there(const struct value *v)
{
    return v && v->kind != VALUE_NULL && v->kind != VALUE_UNKNOWN;
}

/* --- what an apply decides --- */

static bool any_pending(const struct value *v)
{
    return hcl_deep_marks(v) & VALUE_PENDING && value_any_unknown(v);
}

/*
 * Marks what is unknown in `planned` and not in the configuration; what is unknown there too has
 * the marks of the configuration. Elements of a set have no counterpart: they count as the set.
 */
static void mark_pending(struct planner *p, const struct value *config, struct value *planned,
                         unsigned depth_left)
{
    bool items = value_is_list_like(planned), members = value_is_object_like(planned);
    if (planned->kind == VALUE_UNKNOWN) {
        bool untold = config && config->kind == VALUE_UNKNOWN && !(config->marks & VALUE_PENDING);
        planned->marks |= untold ? 0 : VALUE_PENDING;
        return;
    }
    if (depth_left == 0 || planned->len == 0 || !(items || members) || !value_any_unknown(planned))
        return;
    if (planned->kind == VALUE_SET && config && value_any_unknown(config) && !any_pending(config))
        return;
    struct value_member *member =
        members ? arena_new(p->arena, struct value_member, planned->len) : NULL;
    struct value *item = items ? arena_new(p->arena, struct value, planned->len) : NULL;
    for (uint32_t i = 0; member && i < planned->len; i++) {
        member[i] = planned->members[i];
        mark_pending(p, value_get(config, key_str(member[i].key)), &member[i].value,
                     depth_left - 1);
    }
    bool listed = config && value_is_list_like(config) && planned->kind != VALUE_SET;
    for (uint32_t i = 0; item && i < planned->len; i++) {
        item[i] = planned->items[i];
        mark_pending(p, listed && i < config->len ? &config->items[i] : NULL, &item[i],
                     depth_left - 1);
    }
    if (member)
        planned->members = member;
    if (item)
        planned->items = item;
}

/* --- matching elements of sets --- */

/* Could this element of the state be what the configuration asks for? What is not configured and
 * computed may be anything. */
static bool could_be(const struct schema_block *block, const struct value *prior,
                     const struct value *config, unsigned depth_left)
{
    if (value_equal(prior, config))
        return true;
    if (depth_left == 0 || prior->kind != VALUE_OBJECT || config->kind != VALUE_OBJECT)
        return false;
    for (uint32_t i = 0; i < config->len; i++) {
        struct str name = key_str(config->members[i].key);
        const struct value *c = &config->members[i].value, *old = value_get(prior, name);
        const struct schema_attribute *a = schema_find_attribute(block, name);
        const struct schema_nested_block *b = schema_find_block(block, name);
        const struct schema_block *inner = a ? a->nested : b ? b->block : NULL;
        if (!old || value_equal(old, c) || (a && a->computed && c->kind == VALUE_NULL))
            continue;
        if (!inner || c->kind != old->kind || c->kind == VALUE_SET || c->len != old->len)
            return false;
        if (c->kind == VALUE_OBJECT && !could_be(inner, old, c, depth_left - 1))
            return false;
        for (uint32_t k = 0; (c->kind == VALUE_LIST || c->kind == VALUE_TUPLE) && k < c->len; k++)
            if (!could_be(inner, &old->items[k], &c->items[k], depth_left - 1))
                return false;
        if (c->kind == VALUE_MAP)
            return false;
    }
    return true;
}

/* --- containers of objects: blocks and nested attributes --- */

static struct value plan_sequence(struct planner *p, const struct schema_block *block,
                                  const struct value *prior, const struct value *config,
                                  unsigned depth_left)
{
    struct value *items = arena_new(p->arena, struct value, config->len), set;
    bool *used = arena_new(p->arena, bool, value_is_list_like(prior) ? prior->len : 0);
    if (!items || !used || config->len == 0)
        return *config;
    for (uint32_t i = 0; i < config->len; i++) {
        const struct value *old = NULL;
        if (value_is_list_like(prior) && config->kind != VALUE_SET && i < prior->len)
            old = &prior->items[i];
        for (uint32_t k = 0;
             config->kind == VALUE_SET && value_is_list_like(prior) && !old && k < prior->len; k++)
            if (!used[k] && could_be(block, &prior->items[k], &config->items[i], PLAN_DEPTH_MAX)) {
                used[k] = true;
                old = &prior->items[k];
            }
        items[i] = plan_object(p, block, old, &config->items[i], depth_left - 1);
    }
    if (config->kind != VALUE_SET)
        return hcl_with_marks(value_items(config->kind, items, config->len), config->marks);
    if (!hcl_make_set(p->arena, block->type, items, config->len, &set))
        return *config;
    return hcl_with_marks(set, config->marks);
}

static struct value plan_map(struct planner *p, const struct schema_block *block,
                             const struct value *prior, const struct value *config,
                             unsigned depth_left)
{
    struct value_member *m = arena_new(p->arena, struct value_member, config->len);
    if (!m || config->len == 0)
        return *config;
    for (uint32_t i = 0; i < config->len; i++) {
        m[i].key = config->members[i].key;
        m[i].value = plan_object(p, block, value_get(prior, key_str(m[i].key)),
                                 &config->members[i].value, depth_left - 1);
    }
    struct value ret = *config;
    ret.members = m;
    return ret;
}

static struct value plan_nested(struct planner *p, enum schema_nesting nesting,
                                const struct schema_block *block, const struct value *prior,
                                const struct value *config, unsigned depth_left)
{
    if (!is_there(config))
        return *config;
    if (nesting == NESTING_SINGLE || nesting == NESTING_GROUP)
        return plan_object(p, block, prior, config, depth_left);
    return value_is_object_like(config) ? plan_map(p, block, prior, config, depth_left)
                                        : plan_sequence(p, block, prior, config, depth_left);
}

/* --- objects --- */

/* A computed attribute that the code does not set: as the state has it. But an optional nested one
 * that holds what only code can set was set before and is removed now. */
static bool was_configured(const struct schema_block *block, const struct value *v,
                           unsigned depth_left)
{
    if (depth_left == 0 || !is_there(v))
        return false;
    if (value_is_list_like(v)) {
        for (uint32_t i = 0; i < v->len; i++)
            if (was_configured(block, &v->items[i], depth_left - 1))
                return true;
        return false;
    }
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++) {
        const struct schema_attribute *a =
            v->kind == VALUE_OBJECT ? schema_find_attribute(block, key_str(v->members[i].key))
                                    : NULL;
        const struct value *member = &v->members[i].value;
        if (a ? member->kind != VALUE_NULL && !a->computed
              : was_configured(block, member, depth_left - 1))
            return true;
    }
    return false;
}

static struct value plan_attribute(struct planner *p, const struct schema_attribute *a,
                                   const struct value *prior, const struct value *config,
                                   unsigned depth_left)
{
    const struct type *type = a->type ? a->type : &type_dynamic;
    if (a->write_only)
        return hcl_null(type);
    if (config->kind == VALUE_NULL && a->computed) {
        if (!prior)
            return hcl_unknown(p->arena, type);
        if (a->optional && a->nested && was_configured(a->nested, prior, PLAN_DEPTH_MAX))
            return *config;
        return *prior;
    }
    if (a->nested)
        return plan_nested(p, a->nesting, a->nested, prior, config, depth_left);
    return *config;
}

static uint8_t schema_marks(const struct schema_attribute *a)
{
    return a && a->sensitive ? VALUE_SENSITIVE : 0;
}

static struct value plan_object(struct planner *p, const struct schema_block *block,
                                const struct value *prior, const struct value *config,
                                unsigned depth_left)
{
    struct value ret = *config;
    if (depth_left == 0 || config->kind != VALUE_OBJECT || config->len == 0)
        return ret;
    if (prior && prior->kind != VALUE_OBJECT)
        prior = NULL;
    struct value_member *m = arena_new(p->arena, struct value_member, config->len);
    for (uint32_t i = 0; m && i < config->len; i++) {
        struct str name = key_str(config->members[i].key);
        const struct value *old = value_get(prior, name), *c = &config->members[i].value;
        const struct schema_attribute *a = schema_find_attribute(block, name);
        const struct schema_nested_block *b = schema_find_block(block, name);
        m[i].key = config->members[i].key;
        m[i].value = a   ? plan_attribute(p, a, old, c, depth_left - 1)
                     : b ? plan_nested(p, b->nesting, b->block, old, c, depth_left - 1)
                         : *c;
        m[i].value.marks = (uint8_t)((m[i].value.marks & ~VALUE_EPHEMERAL) | schema_marks(a));
    }
    if (m)
        ret.members = m;
    return ret;
}

/* --- the built-in resource --- */

static void set_member(const struct planner *p, struct value *object, struct str name,
                       struct value v)
{
    struct value_member *m = arena_new(p->arena, struct value_member, object->len);
    if (!m)
        return;
    memcpy(m, object->members, object->len * sizeof *m);
    for (uint32_t i = 0; i < object->len; i++)
        if (str_equal(key_str(m[i].key), name))
            m[i].value = v;
    object->members = m;
}

static bool same_known(const struct value *a, const struct value *b)
{
    return a && b && !value_any_unknown(a) && !value_any_unknown(b) && value_equal(a, b);
}

/* terraform_data: the output follows the input, a new trigger makes a new one. */
static void plan_terraform_data(const struct planner *p, const struct value *prior,
                                struct value *planned, bool *ret_replaced)
{
    const struct value *input = value_get(planned, STR("input"));
    bool there = is_there(prior);
    bool replace = !there || !same_known(value_get(prior, STR("triggers_replace")),
                                         value_get(planned, STR("triggers_replace")));
    bool changed = replace || !same_known(value_get(prior, STR("input")), input);
    if (replace && (!input || input->kind == VALUE_NULL)) {
        struct value none = input ? *input : value_null();
        none.marks = 0; /* what the code marks is its own */
        set_member(p, planned, STR("output"), none);
    } else if (changed) {
        struct value bare;
        uint8_t marks;
        if (!hcl_unmark_deep(p->arena, input, &bare, &marks))
            return;
        set_member(p, planned, STR("output"), hcl_unknown(p->arena, hcl_type_of(p->arena, &bare)));
    }
    *ret_replaced = *ret_replaced || (there && replace);
    if (replace)
        set_member(p, planned, STR("id"), hcl_unknown_not_null(p->arena, &type_string));
}

/* --- ignore_changes --- */

static struct value without_ignored(struct planner *p, const struct code_made *made,
                                    const struct value *prior)
{
    const struct schema_block *block = made->out.schema ? &made->out.schema->block : NULL;
    struct ignore_changes ignored;
    struct value config;
    bool ok =
        is_there(prior) && ignore_changes_of(p->arena, made->out.resource, block, &ignored, NULL) &&
        ignore_changes_apply(p->arena, &ignored, block, prior, &made->out.config, &config, NULL);
    return ok ? config : made->out.config;
}

/* --- the state --- */

/* What the state has of it, of the schema's type; false: nothing. */
static bool prior_of(struct planner *p, struct code_walk *walk, const struct code_made *made,
                     struct value *ret)
{
    const struct code_options *o = &p->code->options;
    struct value raw;
    if (o->now && made->out.mode == CODE_MANAGED && made->out.schema &&
        o->now(o->ctx, made->out.address, ret))
        return ret->kind != VALUE_NULL;
    if (!code_prior_state(walk, made, &raw))
        return false;
    *ret = raw;
    if (!made->out.schema)
        return true;
    return type_apply(p->arena, made->out.schema->block.type, &raw, true, ret, NULL);
}

/* Without a schema: what the code sets, over what the state has. */
static struct value lay_over(struct planner *p, const struct value *prior,
                             const struct value *config)
{
    struct value ret = *config;
    if (config->kind != VALUE_OBJECT || !is_there(prior))
        return ret;
    struct value_member *m = arena_new(p->arena, struct value_member, prior->len + config->len);
    uint32_t n = 0, i = 0, k = 0;
    while (m && (i < prior->len || k < config->len)) {
        int order = i == prior->len    ? 1
                    : k == config->len ? -1
                                       : str_compare(key_str(prior->members[i].key),
                                                     key_str(config->members[k].key));
        m[n++] = order < 0 ? prior->members[i] : config->members[k];
        i += order <= 0;
        k += order >= 0;
    }
    if (m)
        (void)value_members(VALUE_OBJECT, m, n, &ret, NULL, NULL);
    return ret;
}

/* The argument as it was read: what the provider filled in is its own. */
static bool could_be_read(const struct value *config, const struct value *prior)
{
    if (config->kind == VALUE_NULL || value_equal(config, prior))
        return true;
    if (config->kind != prior->kind || config->len != prior->len)
        return false;
    for (uint32_t i = 0; config->kind == VALUE_OBJECT && i < config->len; i++) {
        const struct value *old = value_get(prior, key_str(config->members[i].key));
        if (!old || !could_be_read(&config->members[i].value, old))
            return false;
    }
    for (uint32_t i = 0; value_is_list_like(config) && i < config->len; i++)
        if (!could_be_read(&config->items[i], &prior->items[i]))
            return false;
    return config->kind == VALUE_OBJECT || value_is_list_like(config);
}

/* Terraform reads such a state while planning, or fails; in a check that is a warning. */
static bool plan_remote_state(struct planner *p, struct code_walk *walk, struct code_made *made,
                              struct value *planned, bool *ret_fine)
{
    bool missing = false;
    bool check = made->out.resource->check.len > 0;
    *ret_fine = true;
    if (!code_is_builtin(made->out.provider) ||
        !str_equal(made->out.type, STR("terraform_remote_state")))
        return false;
    if (code_read_remote_state(walk, made, planned, &missing))
        return true;
    if (!missing || walk->code->options.phase != CODE_PLAN)
        return false;
    struct code_place at = code_attribute_place(p->code, made->out.resource, STR("workspace"));
    code_say(walk, at.file, at.range, check, "Unable to find remote state",
             "No stored state was found for the given workspace in the given backend.");
    made->unreadable = true;
    *ret_fine = check;
    return false;
}

/* Was it read with the arguments that the code gives it now? */
static bool read_alike(const struct value *prior, const struct value *config)
{
    if (!is_there(prior) || value_any_unknown(config))
        return false;
    for (uint32_t i = 0; config->kind == VALUE_OBJECT && i < config->len; i++) {
        const struct value *c = &config->members[i].value;
        const struct value *old = value_get(prior, key_str(config->members[i].key));
        bool unsaid = c->kind == VALUE_NULL || (value_is_list_like(c) && c->len == 0);
        if (!unsaid && old && !could_be_read(c, old))
            return false;
    }
    return true;
}

/* A data source: what was read is in the state; else only what the code says is known. */
static bool plan_data(struct planner *p, struct code_walk *walk, struct code_made *made,
                      const struct value *prior, struct value *planned)
{
    const struct value *config = &made->out.config;
    bool fine;
    if (plan_remote_state(p, walk, made, planned, &fine))
        return true;
    bool waits = p->code->options.pending && (any_pending(config) || code_data_waits(walk, made));
    bool known = !waits && read_alike(prior, config);
    made->unread = !waits && !known && !value_any_unknown(config);
    *planned =
        plan_object(p, &made->out.schema->block, known ? prior : NULL, config, PLAN_DEPTH_MAX);
    if (waits)
        mark_pending(p, config, planned, PLAN_DEPTH_MAX);
    return fine;
}

/* What the import of a built-in resource gives: its id, nothing else. */
static bool imported(struct planner *p, struct code_walk *walk, const struct code_made *made,
                     struct value *ret)
{
    const struct code_import_value *import = code_import_of(walk, made);
    const struct type *type = made->out.schema ? made->out.schema->block.type : NULL;
    if (!import || !type || !code_is_builtin(made->out.provider))
        return false;
    struct value_member *m = arena_new(p->arena, struct value_member, type->n);
    for (uint32_t i = 0; m && i < type->n; i++)
        m[i] = (struct value_member){type->members[i].key, hcl_null(type->members[i].type)};
    *ret = (struct value){.kind = VALUE_OBJECT, .len = type->n, .members = m};
    if (m)
        set_member(p, ret, STR("id"), import->id);
    return m;
}

/* The provider's word where there is one. */
static struct value ask_provider(struct planner *p, const struct code_made *made,
                                 const struct value *prior, const struct value *config,
                                 const struct value *proposed, bool *ret_replace)
{
    const struct code_options *o = &p->code->options;
    struct value planned;
    if (o->plan && !code_is_builtin(made->out.provider) &&
        o->plan(o->ctx, &made->out, prior, config, proposed, &planned, ret_replace))
        return planned;
    return *proposed;
}

static struct value plan_managed(struct planner *p, struct code_made *made,
                                 const struct value *prior, const struct value *config)
{
    const struct schema_block *block = &made->out.schema->block;
    struct value planned =
        plan_object(p, block, is_there(prior) ? prior : NULL, config, PLAN_DEPTH_MAX);
    if (code_is_builtin(made->out.provider)) {
        plan_terraform_data(p, prior, &planned, &made->replaced);
        return planned;
    }
    bool replace = false;
    planned = ask_provider(p, made, prior, config, &planned, &replace);
    if (!replace || !is_there(prior))
        return planned;
    struct value none = hcl_null(block->type);
    made->replaced = true;
    planned = plan_object(p, block, NULL, config, PLAN_DEPTH_MAX);
    return ask_provider(p, made, &none, config, &planned, &replace);
}

/* Without a schema and a state only what the code says can be seen; that there is nothing else
 * cannot be said of any object in it. */
static struct value opened(struct arena *arena, const struct value *v, unsigned depth_left)
{
    struct value ret = *v;
    bool items = value_is_list_like(v) && v->kind != VALUE_SET;
    if (depth_left == 0 || v->len == 0 || !(items || v->kind == VALUE_OBJECT)) {
        ret.form = v->kind == VALUE_OBJECT ? OBJECT_OPEN : v->form;
        return ret;
    }
    if (items) {
        struct value *copy = arena_new(arena, struct value, v->len);
        for (uint32_t i = 0; copy && i < v->len; i++)
            copy[i] = opened(arena, &v->items[i], depth_left - 1);
        ret.items = copy ? copy : v->items;
        return ret;
    }
    struct value_member *copy = arena_new(arena, struct value_member, v->len);
    for (uint32_t i = 0; copy && i < v->len; i++) {
        copy[i].key = v->members[i].key;
        copy[i].value = v->members[i].value.kind == VALUE_NULL
                            ? hcl_any() /* the provider may compute it */
                            : opened(arena, &v->members[i].value, depth_left - 1);
    }
    ret.form = OBJECT_OPEN;
    ret.members = copy ? copy : v->members;
    return ret;
}

bool code_plan_instance(struct code_walk *walk, struct code_made *made)
{
    struct planner p = {.code = walk->code, .arena = &walk->code->arena};
    struct value prior = value_null(), config, planned;
    bool fine = true;
    bool there = prior_of(&p, walk, made, &prior) || imported(&p, walk, made, &prior);
    if (!there)
        prior = value_null();
    made->prior = prior;
    config = made->out.mode == CODE_MANAGED ? without_ignored(&p, made, &prior) : made->out.config;
    if (made->out.mode == CODE_MANAGED)
        code_check_triggers(walk, made);
    if (there && made->out.mode == CODE_MANAGED && code_is_triggered(walk, made)) {
        made->replaced = made->out.triggered = true;
        prior = value_null();
    }
    if (!made->out.schema) {
        planned = lay_over(&p, &prior, &config);
    } else if (made->out.mode == CODE_DATA) {
        fine = plan_data(&p, walk, made, &prior, &planned);
    } else {
        planned = plan_managed(&p, made, &prior, &config);
        /* the output of a built-in resource is what its input is: not known for the same reason */
        bool untold = code_is_builtin(made->out.provider) && value_any_unknown(&config) &&
                      !any_pending(&config);
        if (p.code->options.pending && !untold)
            mark_pending(&p, &made->out.config, &planned, PLAN_DEPTH_MAX);
    }
    if (made->out.mode == CODE_EPHEMERAL)
        planned.marks |= VALUE_EPHEMERAL;
    made->planned =
        made->out.schema || is_there(&prior) ? planned : opened(p.arena, &planned, VALUE_DEPTH_MAX);
    made->out.desired = planned;
    return fine;
}
