/* adopt_live.c - live values as the code would say them. */
#include "respond/adopt_live.h"

#include "base/arena.h"
#include "base/err.h"
#include "respond/adopt_parts.h"

struct merging {
    struct arena *arena;
    bool legacy; /* of a provider that makes null and zero out of each other */
    bool least;  /* what the provider would fill in as it is live is left out */
    bool full;
};

static const struct value nothing = {.kind = VALUE_NULL};

static bool says_nothing(const struct value *v)
{
    return !v || v->kind == VALUE_NULL;
}

/* What code need not say: null; of providers that cannot tell null from zero, that too. */
static bool is_zero(const struct merging *m, const struct value *v)
{
    int64_t n;
    if (says_nothing(v) || !m->legacy)
        return says_nothing(v);
    if (v->kind == VALUE_NUMBER)
        return value_to_int64(v, &n) && n == 0;
    return v->kind == VALUE_BOOL ? !v->truth : v->len == 0;
}

static struct value merge_object(struct merging *m, const struct schema_block *block,
                                 const struct value *config, const struct value *live,
                                 unsigned depth_left);

/* --- lists and sets of objects --- */

/* Which element of the configuration each live one is; SIZE_MAX = none. */
struct pairs {
    const struct value *config, *live;
    size_t *of;
    bool *taken; /* of the configuration's */
};

static size_t likeness(const struct value *a, const struct value *b)
{
    size_t n = 0;
    for (uint32_t i = 0; value_is_object_like(a) && i < a->len; i++) {
        const struct value *own = &a->members[i].value;
        const struct value *other = value_get(b, key_str(a->members[i].key));
        n += own->kind != VALUE_NULL && other && adopt_same(own, other);
    }
    return n;
}

/* Those that live agrees with wholly; then, by likeness, each that is left. */
static void pair(struct merging *m, const struct schema_block *block, struct pairs *p,
                 unsigned depth_left)
{
    uint32_t nconfig = says_nothing(p->config) ? 0 : p->config->len;
    for (uint32_t i = 0; i < p->live->len; i++) {
        p->of[i] = SIZE_MAX;
        for (uint32_t k = 0; k < nconfig && p->of[i] == SIZE_MAX; k++) {
            const struct value *own = &p->config->items[k];
            struct value merged = merge_object(m, block, own, &p->live->items[i], depth_left);
            if (!p->taken[k] && adopt_same(&merged, own)) {
                p->of[i] = k;
                p->taken[k] = true;
            }
        }
    }
    for (uint32_t i = 0; i < p->live->len; i++) {
        size_t best = SIZE_MAX, most = 0;
        for (uint32_t k = 0; p->of[i] == SIZE_MAX && k < nconfig; k++) {
            size_t own = likeness(&p->config->items[k], &p->live->items[i]);
            if (!p->taken[k] && own > most) {
                most = own;
                best = k;
            }
        }
        if (best != SIZE_MAX) {
            p->of[i] = best;
            p->taken[best] = true;
        }
    }
}

static struct value merge_items(struct merging *m, const struct schema_block *block,
                                const struct value *config, const struct value *live,
                                unsigned depth_left)
{
    struct pairs p = {config, live, arena_new(m->arena, size_t, live->len),
                      arena_new(m->arena, bool, says_nothing(config) ? 0 : config->len)};
    struct value *items = arena_new(m->arena, struct value, live->len);
    if (!p.of || !p.taken || !items) {
        m->full = true;
        return nothing;
    }
    pair(m, block, &p, depth_left);
    for (uint32_t i = 0; i < live->len; i++)
        items[i] = merge_object(m, block, p.of[i] == SIZE_MAX ? NULL : &config->items[p.of[i]],
                                &live->items[i], depth_left);
    return value_items(live->kind, items, live->len);
}

static struct value merge_map(struct merging *m, const struct schema_block *block,
                              const struct value *config, const struct value *live,
                              unsigned depth_left)
{
    struct value_member *members = arena_new(m->arena, struct value_member, live->len);
    struct value ret = *live;
    m->full |= !members;
    for (uint32_t i = 0; members && i < live->len; i++) {
        members[i].key = live->members[i].key;
        members[i].value = merge_object(m, block, value_get(config, key_str(members[i].key)),
                                        &live->members[i].value, depth_left);
    }
    if (live->len)
        ret.members = members;
    return ret;
}

static struct value merge_nested(struct merging *m, const struct schema_block *block,
                                 enum schema_nesting nesting, const struct value *config,
                                 const struct value *live, unsigned depth_left)
{
    if (says_nothing(live))
        return nothing;
    if (value_is_list_like(live))
        return merge_items(m, block, config, live, depth_left);
    if (nesting == NESTING_MAP)
        return merge_map(m, block, config, live, depth_left);
    return merge_object(m, block, config, live, depth_left);
}

/* --- attributes --- */

/* fresh: the code says nothing yet of what this is in. asked: of this very attribute. */
static struct value merge_attribute(struct merging *m, const struct schema_attribute *attribute,
                                    const struct value *config, const struct value *live,
                                    bool fresh, bool asked, unsigned depth_left)
{
    bool silent = says_nothing(config);
    if (!adopt_settable(attribute) || attribute->write_only || !live)
        return silent ? nothing : *config;
    if (silent && (m->legacy || !asked) && is_zero(m, live))
        return nothing;
    if (silent && !asked && attribute->computed && (m->least || !fresh))
        return nothing;
    if (attribute->nested)
        return merge_nested(m, attribute->nested, attribute->nesting, config, live, depth_left);
    return *live;
}

static struct value merge_object(struct merging *m, const struct schema_block *block,
                                 const struct value *config, const struct value *live,
                                 unsigned depth_left)
{
    size_t most = block->nattributes + block->nblocks, n = 0;
    struct value_member *members = arena_new(m->arena, struct value_member, most);
    struct value ret = nothing;
    if (!members || depth_left-- == 0) {
        m->full = true;
        return nothing;
    }
    for (size_t i = 0; i < block->nattributes; i++, n++) {
        const struct schema_attribute *a = &block->attributes[i];
        members[n].key = key_make(m->arena, a->name);
        members[n].value =
            merge_attribute(m, a, value_get(config, a->name), value_get(live, a->name),
                            says_nothing(config), false, depth_left);
        m->full |= !members[n].key;
    }
    for (size_t i = 0; i < block->nblocks; i++, n++) {
        const struct schema_nested_block *b = &block->blocks[i];
        members[n].key = key_make(m->arena, b->name);
        members[n].value = merge_nested(m, b->block, b->nesting, value_get(config, b->name),
                                        value_get(live, b->name), depth_left);
        m->full |= !members[n].key;
    }
    if (m->full || !value_members(VALUE_OBJECT, members, n, &ret, NULL, NULL))
        m->full = true;
    return ret;
}

/* --- changes --- */

/* A state holds a dynamic value together with its type; code has the value alone. */
static const struct value *unwrapped(const struct type *type, const struct value *v)
{
    const struct value *inside = value_get(v, STR("value"));
    bool wrapped =
        type && type->kind == TYPE_DYNAMIC && inside && v->len == 2 && value_get(v, STR("type"));
    return wrapped ? inside : v;
}

static bool fit_live(struct arena *arena, const struct schema *schema, const struct value *live,
                     struct value *ret, struct err *err)
{
    struct str why;
    if (!schema)
        return true;
    struct value_member *members = arena_new(arena, struct value_member, live->len);
    struct value plain = *live;
    if (!members)
        return arena_full(arena, err);
    for (uint32_t i = 0; value_is_object_like(live) && i < live->len; i++) {
        const struct schema_attribute *attribute =
            schema_find_attribute(&schema->block, key_str(live->members[i].key));
        members[i] = live->members[i];
        members[i].value = *unwrapped(attribute ? attribute->type : NULL, &live->members[i].value);
        plain.members = members;
    }
    if (adopt_fit(arena, schema->block.type, &plain, ret, &why))
        return true;
    return err_set(err, ERR_SYNTAX, "the live values do not fit the schema: %.*s", STR_ARG(why));
}

/* What the code should say of one name; false: only the provider sets it. */
static bool merge_name(struct merging *m, const struct schema *schema, struct str name, bool asked,
                       const struct value *config, const struct value *live, struct value *ret)
{
    const struct schema_attribute *attribute =
        schema ? schema_find_attribute(&schema->block, name) : NULL;
    const struct schema_nested_block *nested =
        schema ? schema_find_block(&schema->block, name) : NULL;
    *ret = live ? *live : nothing;
    if (attribute && (!adopt_settable(attribute) || attribute->write_only))
        return false;
    if (attribute)
        *ret = merge_attribute(m, attribute, config, live, false, asked, VALUE_DEPTH_MAX);
    else if (nested)
        *ret = merge_nested(m, nested->block, nested->nesting, config, live, VALUE_DEPTH_MAX);
    return true;
}

bool adopt_live_changes(struct arena *arena, const struct code_instance *instance,
                        const struct value *live, const struct str *names, size_t n, bool asked,
                        const struct adopt_change **ret, size_t *ret_n, struct err *err)
{
    struct merging m = {.arena = arena,
                        .legacy = instance->schema && schema_is_legacy(instance->schema)};
    struct adopt_change *change = arena_new(arena, struct adopt_change, n);
    struct value fitted = *live;
    size_t count = 0;
    if (!change)
        return arena_full(arena, err);
    if (!fit_live(arena, instance->schema, live, &fitted, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct path_step *step = arena_new(arena, struct path_step, 1);
        const struct value *config = value_get(&instance->config, names[i]);
        struct value v;
        if (!step)
            return arena_full(arena, err);
        if (!merge_name(&m, instance->schema, names[i], asked, config, value_get(&fitted, names[i]),
                        &v) ||
            (config && adopt_same(config, &v)))
            continue;
        *step = (struct path_step){.kind = PATH_KEY, .key = names[i]};
        change[count++] = (struct adopt_change){.address = instance->address,
                                                .path = {step, 1},
                                                .unset = v.kind == VALUE_NULL,
                                                .value = v};
    }
    if (m.full)
        return arena_full(arena, err);
    *ret = change;
    *ret_n = count;
    return true;
}

bool adopt_live_config(struct arena *arena, const struct schema *schema, const struct value *live,
                       struct value *ret, struct err *err)
{
    struct merging m = {.arena = arena, .least = true, .legacy = schema_is_legacy(schema)};
    struct value fitted;
    if (!fit_live(arena, schema, live, &fitted, err))
        return false;
    *ret = merge_object(&m, &schema->block, NULL, &fitted, VALUE_DEPTH_MAX);
    return !m.full || arena_full(arena, err);
}
