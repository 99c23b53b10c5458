/* code_need.c - what one question needs: which instances of which modules and resources, by the
 * names alone, before anything is evaluated.
 *
 * From the instance or expression that is asked for along its references: `b[3]` needs one instance
 * of b, and so does `b[count.index]` where the asking one is known; `b` and `b[*]` need all. A
 * place is the way of module keys down from the root. What depends_on names is needed only by a
 * data source, which waits for its changes; else it gives the order and no value.
 */
#include "desired/code_parts.h"

enum { NEEDS_MAX = 64 /* of one node; then it is needed whole */ };

/* A module instance, or where key.kind is CODE_KEY_NONE, all of them; NULL is the root. */
struct place {
    const struct place *up;
    struct code_each key;
};
struct need {
    const struct need *next;
    const struct place *place;
    struct code_each key; /* of a resource; CODE_KEY_NONE: all */
    bool behind;          /* and all that it waits for */
};
struct code_needs {
    const struct need **of; /* by node id; NULL: not needed */
};

/* --- asking --- */

static bool is_key(const struct code_each *want, const struct code_each *key)
{
    return want->kind == CODE_KEY_NONE || code_compare_keys(want, key) == 0;
}

static bool holds(const struct place *place, const struct code_module_instance *module)
{
    for (; place && module->parent; place = place->up, module = module->parent)
        if (!is_key(&place->key, &module->each))
            return false;
    return true;
}

bool code_is_needed_at_all(const struct code_walk *walk, const struct code_node *node)
{
    return !walk->needs || node->kind == CODE_NODE_CLOSE || walk->needs->of[node->id];
}

bool code_is_needed(const struct code_walk *walk, const struct code_node *node,
                    const struct code_module_instance *module, const struct code_each *each)
{
    if (!walk->needs)
        return true;
    for (const struct need *n = walk->needs->of[node->id]; n; n = n->next)
        if (holds(n->place, module) && (!each || is_key(&n->key, each)))
            return true;
    return false;
}

/* --- what is found --- */

struct item {
    struct code_node *node;
    const struct need *need;
};
struct search {
    struct code *code;
    struct arena *arena;
    struct code_needs *needs;
    struct code_walk quiet; /* keys are evaluated in it */
    struct hcl_diags unheard;
    struct item *work;
    size_t n, room;
    bool full;
};

/* Where a reference stands. each: what count and each are there; NULL: that is not known. */
struct from {
    const struct code_config *in;
    const struct place *place;
    const struct code_each *each;
};

static const struct place *below(struct search *s, const struct place *up,
                                 const struct code_each *key)
{
    struct place *place = arena_new(s->arena, struct place, 1);
    s->full |= !place;
    if (place)
        *place = (struct place){up, *key};
    return place;
}

static const struct place *everywhere(struct search *s, const struct code_config *in)
{
    static const struct code_each all = {.kind = CODE_KEY_NONE};
    const struct place *place = NULL;
    for (; in->parent; in = in->parent)
        place = below(s, place, &all);
    return place;
}

static bool covers(const struct need *n, const struct place *place, const struct code_each *key)
{
    const struct place *at = n->place;
    if (n->key.kind != CODE_KEY_NONE && code_compare_keys(&n->key, key) != 0)
        return false;
    for (; at && place; at = at->up, place = place->up)
        if (at->key.kind != CODE_KEY_NONE && code_compare_keys(&at->key, &place->key) != 0)
            return false;
    return true;
}

static struct code_node *call_of(const struct code_config *in)
{
    return &in->parent->calls[in->call - in->parent->module->calls];
}

static void add(struct search *s, struct code_node *node, const struct place *place,
                struct code_each key, bool behind)
{
    size_t n = 0;
    for (const struct need *at = s->needs->of[node->id]; at; at = at->next, n++)
        if (covers(at, place, &key) && at->behind >= behind)
            return;
    if (n >= NEEDS_MAX) {
        place = everywhere(s, node->in);
        key = (struct code_each){.kind = CODE_KEY_NONE};
    }
    struct need *made = arena_new(s->arena, struct need, 1);
    struct item *grown = arena_grow(s->arena, s->work, s->n, &s->room, s->n + 1);
    s->full |= !made || !grown;
    if (s->full)
        return;
    *made = (struct need){s->needs->of[node->id], place, key, behind};
    s->needs->of[node->id] = made;
    s->work = grown;
    s->work[s->n++] = (struct item){node, made};
    if (place && node->in->parent) /* depth of modules is bounded */
        add(s, call_of(node->in), place->up, (struct code_each){.kind = CODE_KEY_NONE}, false);
}

static void add_node(struct search *s, struct code_node *node, const struct place *place)
{
    add(s, node, place, (struct code_each){.kind = CODE_KEY_NONE}, false);
}

/* --- keys --- */

static bool is_own(void *ctx, const struct hcl_traversal *traversal)
{
    (void)ctx;
    return str_equal(traversal->root, STR("count")) || str_equal(traversal->root, STR("each"));
}

/* The key of b[count.index], where nothing but the asking instance decides it. */
static bool index_value(struct search *s, const struct from *from, const struct code_ref *ref,
                        struct value *ret)
{
    if (!ref->index || !from->each || !hcl_each_reference(s->arena, ref->index, is_own, NULL))
        return false;
    struct code_scope scope = {.walk = &s->quiet,
                               .module = code_modules(&s->quiet, s->code->root)->item,
                               .each = *from->each};
    return code_eval_unchecked(&scope, ref->file, ref->index, ret);
}

static bool is_set(const struct code_expr *for_each)
{
    return for_each->expr->kind == HCL_EXPR_CALL &&
           str_equal(for_each->expr->call.name, STR("toset"));
}

/* As count and for_each make their keys; CODE_KEY_NONE: any. */
static struct code_each key_from(struct search *s, const struct value *v,
                                 const struct code_expr *count, const struct code_expr *for_each)
{
    struct code_each key = {.kind = CODE_KEY_NONE, .value = hcl_any()};
    struct value text;
    struct str why;
    int64_t i;
    if (count->expr && v->kind == VALUE_NUMBER && value_to_int64(v, &i)) {
        key.kind = CODE_KEY_COUNT;
        key.key = value_int(i);
    } else if (for_each->expr && (v->kind == VALUE_STRING || v->kind == VALUE_NUMBER) &&
               hcl_convert(s->arena, v, &type_string, &text, &why)) {
        key.kind = CODE_KEY_EACH;
        text.marks = 0;
        key.key = text;
        key.value = is_set(for_each) ? text : hcl_any();
    }
    return key;
}

static struct code_each key_of(struct search *s, const struct from *from,
                               const struct code_ref *ref, const struct code_expr *count,
                               const struct code_expr *for_each)
{
    struct value v = ref->key;
    if (!ref->has_key && !index_value(s, from, ref, &v))
        return (struct code_each){.kind = CODE_KEY_NONE};
    return key_from(s, &v, count, for_each);
}

/* --- references --- */

static bool has_rules(const struct code_node *validation)
{
    return validation->in->module->variables[validation->at].validations.n > 0;
}

static void use_module(struct search *s, const struct from *from, const struct code_ref *ref,
                       struct code_node *to)
{
    const struct code_config *in = from->in;
    const struct code_module_call *call = code_find_call(in->module, ref->name);
    if (!call)
        return;
    const struct code_config *child = in->child[call - in->module->calls];
    add_node(s, &in->calls[call - in->module->calls], from->place);
    if (!child)
        return;
    const struct code_each key = key_of(s, from, ref, &call->count, &call->for_each);
    const struct place *place = below(s, from->place, &key);
    if (ref->kind == CODE_REF_OUTPUT) {
        if (to && to->kind == CODE_NODE_OUTPUT)
            add_node(s, to, place);
        return;
    }
    for (size_t i = 0; i < child->module->noutputs; i++)
        add_node(s, &child->outputs[i], place);
}

static void use_ref(struct search *s, const struct from *from, const struct code_ref *ref)
{
    struct code_node *to = code_ref_node(from->in, ref);
    const struct code_resource *r;
    switch (ref->kind) {
    case CODE_REF_VARIABLE:
        if (to && has_rules(&from->in->validations[to->at]))
            add_node(s, &from->in->validations[to->at], from->place);
        if (to)
            add_node(s, to, from->place);
        return;
    case CODE_REF_LOCAL:
        if (to)
            add_node(s, to, from->place);
        return;
    case CODE_REF_RESOURCE:
    case CODE_REF_INSTANCE:
        r = to ? &to->in->module->resources[to->at] : NULL;
        if (r)
            add(s, to, from->place, key_of(s, from, ref, &r->count, &r->for_each), false);
        return;
    case CODE_REF_MODULE:
    case CODE_REF_MODULE_AT:
    case CODE_REF_OUTPUT:
        use_module(s, from, ref, to);
        return;
    default:
        return;
    }
}

static void use_refs(struct search *s, const struct from *from, struct code_refs refs)
{
    for (size_t i = 0; i < refs.n && !s->full; i++)
        use_ref(s, from, &refs.ref[i]);
}

static void use_expr(struct search *s, const struct from *from, const struct code_expr *e)
{
    if (e->expr)
        use_refs(s, from, code_refs_of(s->code, e->file, e->expr));
}

static void use_conditions(struct search *s, const struct from *from,
                           const struct code_conditions *list)
{
    for (size_t i = 0; i < list->n; i++) {
        use_expr(s, from, &list->item[i].condition);
        use_expr(s, from, &list->item[i].error_message);
    }
}

/* OpenTofu: which one of a provider's for_each. */
static void use_provider_key(struct search *s, const struct from *from,
                             const struct code_provider_ref *ref)
{
    if (ref->key)
        use_refs(s, from, code_refs_of(s->code, ref->place.file, ref->key));
}

/* --- what each kind needs --- */

static void use_variable(struct search *s, const struct code_node *node, const struct need *need)
{
    const struct code_config *in = node->in;
    const struct hcl_file *file;
    const struct hcl_attribute *argument =
        in->parent && need->place
            ? code_call_argument(s->code, in->call, in->module->variables[node->at].name, &file)
            : NULL;
    if (!argument)
        return;
    struct code_each own = need->place->key;
    bool known = own.kind != CODE_KEY_NONE;
    if (known)
        own = key_from(s, &own.key, &in->call->count, &in->call->for_each);
    const struct from from = {in->parent, need->place->up, known ? &own : NULL};
    use_refs(s, &from, code_refs_of(s->code, file, argument->value));
}

static void use_call(struct search *s, const struct from *from, const struct code_module_call *call)
{
    use_expr(s, from, &call->count);
    use_expr(s, from, &call->for_each);
    use_expr(s, from, &call->enabled);
    for (size_t i = 0; i < call->nproviders; i++)
        use_provider_key(s, from, &call->providers[i].outer);
}

/* An import's id is evaluated in the root. */
static void use_imports(struct search *s, const struct code_node *node)
{
    const struct from root = {s->code->root, NULL, NULL};
    const struct code_resource *r = &node->in->module->resources[node->at];
    size_t n;
    const struct code_import_target *targets = code_import_targets(s->code, &n);
    for (size_t i = 0; i < n; i++)
        if (targets[i].resource == r && targets[i].in == node->in) {
            use_expr(s, &root, &targets[i].written->to);
            use_expr(s, &root, &targets[i].written->id);
            use_expr(s, &root, &targets[i].written->identity);
            use_expr(s, &root, &targets[i].written->for_each);
        }
}

/* The configuration of a provider is written in the module, or in one above it. */
static void use_provider(struct search *s, const struct from *from, const struct code_resource *r)
{
    const struct code_config *in = from->in;
    const struct place *place = from->place;
    struct code_node *provider = code_provider_node(s->code, in, r);
    if (r->has_provider)
        use_provider_key(s, from, &r->provider);
    if (!provider)
        return;
    for (; in && in != provider->in; in = in->parent)
        place = place ? place->up : NULL;
    add_node(s, provider, in ? place : everywhere(s, provider->in));
}

/* A data source waits for what changes behind its depends_on, in all instances. */
static void wait_for(struct search *s, struct code_node *node)
{
    add(s, node, everywhere(s, node->in), (struct code_each){.kind = CODE_KEY_NONE}, true);
}

static void use_resource(struct search *s, const struct code_node *node, const struct need *need)
{
    const struct code_resource *r = &node->in->module->resources[node->at];
    const struct from block = {node->in, need->place, NULL};
    const struct code_each own = need->key.kind != CODE_KEY_NONE
                                     ? key_from(s, &need->key.key, &r->count, &r->for_each)
                                     : need->key;
    const struct from one = {node->in, need->place, own.kind != CODE_KEY_NONE ? &own : NULL};
    use_expr(s, &block, &r->count);
    use_expr(s, &block, &r->for_each);
    use_expr(s, &block, &r->enabled);
    use_refs(s, &one, node->refs);
    for (size_t i = 0; i < r->nreplace_triggered_by; i++)
        use_expr(s, &one, &r->replace_triggered_by[i]);
    use_conditions(s, &one, &r->preconditions);
    use_conditions(s, &one, &r->postconditions);
    use_provider(s, &block, r);
    use_imports(s, node);
    for (size_t i = 0; i < r->ndepends_on && r->mode != CODE_MANAGED && s->code->options.pending;
         i++) {
        const struct code_expr *e = &r->depends_on[i];
        struct code_refs refs = code_refs_of(s->code, e->file, e->expr);
        for (size_t k = 0; k < refs.n; k++) {
            struct code_node *to = code_ref_node(node->in, &refs.ref[k]);
            if (to)
                wait_for(s, to);
        }
    }
}

static void use_node(struct search *s, const struct item *item)
{
    struct code_node *node = item->node;
    const struct code_module *m = node->in->module;
    const struct from from = {node->in, item->need->place, NULL};
    switch (node->kind) {
    case CODE_NODE_VARIABLE:
        use_variable(s, node, item->need);
        return;
    case CODE_NODE_VALIDATION:
        add_node(s, &node->in->variables[node->at], from.place);
        use_conditions(s, &from, &m->variables[node->at].validations);
        return;
    case CODE_NODE_LOCAL:
        use_expr(s, &from, &m->locals[node->at].value);
        return;
    case CODE_NODE_OUTPUT:
        use_expr(s, &from, &m->outputs[node->at].value);
        use_conditions(s, &from, &m->outputs[node->at].preconditions);
        return;
    case CODE_NODE_CALL:
        use_call(s, &from, &m->calls[node->at]);
        return;
    case CODE_NODE_RESOURCE:
        use_resource(s, node, item->need);
        return;
    case CODE_NODE_PROVIDER:
        use_refs(s, &from, node->refs);
        use_expr(s, &from, &m->providers[node->at].for_each);
        return;
    default:
        return;
    }
}

static const struct code_needs *run(struct search *s)
{
    while (s->n && !s->full) {
        const struct item item = s->work[--s->n];
        if (!code_link_node(s->code, item.node))
            return NULL;
        use_node(s, &item);
        for (size_t i = 0;
             item.need->behind && item.node->kind != CODE_NODE_RESOURCE && i < item.node->ndeps;
             i++)
            wait_for(s, item.node->dep[i]);
    }
    return s->full ? NULL : s->needs;
}

/* --- questions --- */

static bool begin(struct search *s, struct code *code)
{
    *s = (struct search){.code = code, .arena = &code->arena, .quiet = code->plan};
    s->unheard.arena = s->arena;
    s->quiet.diags = &s->unheard;
    s->needs = arena_new(s->arena, struct code_needs, 1);
    if (s->needs)
        s->needs->of = arena_new(s->arena, const struct need *, code->nnodes);
    return s->needs && s->needs->of;
}

/* The key that an address has; what must have one and has none is no instance. */
static struct code_each asked_key(const struct code_each *key, const struct code_expr *count,
                                  const struct code_expr *for_each)
{
    if (key->kind == CODE_KEY_NONE && (count->expr || for_each->expr))
        return (struct code_each){.kind = CODE_KEY_COUNT, .key = value_int(-1)};
    return *key;
}

const struct code_needs *code_needs_of_instance(struct code *code,
                                                const struct code_address *address,
                                                struct code_node *node)
{
    const struct code_config *in = code->root;
    const struct code_resource *r = &node->in->module->resources[node->at];
    const struct place *place = NULL;
    struct search s;
    if (!begin(&s, code))
        return NULL;
    for (size_t i = 0; i < address->nsteps; i++) {
        const struct code_module_call *call = code_find_call(in->module, address->step[i].name);
        const struct code_each key =
            asked_key(&address->step[i].key, &call->count, &call->for_each);
        place = below(&s, place, &key);
        in = in->child[call - in->module->calls];
    }
    add(&s, node, place, asked_key(&address->key, &r->count, &r->for_each), false);
    return run(&s);
}

const struct code_needs *code_needs_of_refs(struct code *code, struct code_refs refs)
{
    const struct from root = {code->root, NULL, NULL};
    struct search s;
    if (!begin(&s, code))
        return NULL;
    use_refs(&s, &root, refs);
    return run(&s);
}
