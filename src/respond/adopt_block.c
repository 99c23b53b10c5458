/* adopt_block.c - whole nested blocks: made from values, matched with values, changed in place. */
#include "base/arena.h"
#include "respond/adopt_parts.h"

/* --- new blocks --- */

struct making {
    struct adopt_job *job;
    const struct schema_block *schema; /* or NULL */
    const struct value *v;
    const struct hcl_body *like;
    struct hcl_new_item *item;
    size_t nitems;
    struct hcl_new_block *block;
    size_t nblocks;
    bool *done; /* by index of v's members */
    unsigned depth_left;
};

static bool is_nothing(const struct value *v)
{
    return !v || v->kind == VALUE_NULL;
}

/* Without a schema: blocks are what the like has as blocks. */
static bool is_block_name(const struct making *m, struct str name)
{
    size_t at = 0;
    if (m->schema)
        return schema_find_block(m->schema, name);
    return m->like && hcl_find_block(m->like, name, &at);
}

static bool add_item(struct making *m, uint32_t i)
{
    struct adopter *ad = m->job->ad;
    struct str name = key_str(m->v->members[i].key);
    const struct schema_attribute *attribute =
        m->schema ? schema_find_attribute(m->schema, name) : NULL;
    struct value *v = arena_new(ad->arena, struct value, 2), *fitted = v + 1;
    struct str why;
    if (m->done[i])
        return true;
    m->done[i] = true;
    if (is_nothing(&m->v->members[i].value) || (attribute && !adopt_settable(attribute)))
        return true;
    if (m->schema && !attribute)
        return adopt_refuse(ad, "the block has no attribute \"%.*s\"", STR_ARG(name));
    if (!v)
        return adopt_full(ad);
    const struct type *type = attribute ? attribute->type : NULL;
    if (!adopt_fit(ad->arena, type, &m->v->members[i].value, fitted, &why))
        return adopt_refuse(ad, "%.*s: the value does not fit the schema: %.*s", STR_ARG(name),
                            STR_ARG(why));
    if (!adopt_written(ad->arena, attribute, type, fitted, v))
        return adopt_full(ad);
    m->item[m->nitems++] = (struct hcl_new_item){.key = name, .value = v};
    return true;
}

static uint32_t member_index(const struct value *v, struct str name)
{
    uint32_t i = 0;
    while (i < v->len && !str_equal(key_str(v->members[i].key), name))
        i++;
    return i;
}

/* As the like has them, then what is required, then the rest by name. */
static bool add_items(struct making *m)
{
    for (size_t i = 0; m->like && i < m->like->nattributes; i++) {
        uint32_t at = member_index(m->v, m->like->attribute[i].name);
        if (at < m->v->len && !add_item(m, at))
            return false;
    }
    for (int required = 1; required >= 0; required--) {
        for (uint32_t i = 0; i < m->v->len; i++) {
            struct str name = key_str(m->v->members[i].key);
            const struct schema_attribute *attribute =
                m->schema ? schema_find_attribute(m->schema, name) : NULL;
            bool wanted = !required || (attribute && attribute->required);
            if (wanted && !is_block_name(m, name) && !add_item(m, i))
                return false;
        }
    }
    return true;
}

static bool add_one_block(struct making *m, struct str type,
                          const struct schema_nested_block *nested, const struct value *v,
                          const struct str *label)
{
    size_t at = 0;
    const struct hcl_block *like = m->like ? hcl_find_block(m->like, type, &at) : NULL;
    struct hcl_new_block *block = &m->block[m->nblocks];
    if (!value_is_object_like(v))
        return adopt_refuse(m->job->ad, "%.*s: a block's value must be an object", STR_ARG(type));
    if (!adopt_new_block(m->job, type, nested ? nested->block : NULL, v, like ? &like->body : NULL,
                         m->depth_left, block))
        return false;
    block->label = label;
    block->nlabels = label ? 1 : 0;
    m->nblocks++;
    return true;
}

static bool add_blocks(struct making *m, uint32_t at)
{
    struct str type = key_str(m->v->members[at].key);
    const struct value *v = &m->v->members[at].value;
    const struct schema_nested_block *nested =
        m->schema ? schema_find_block(m->schema, type) : NULL;
    if (is_nothing(v))
        return true;
    if (nested && nested->nesting == NESTING_MAP && value_is_object_like(v)) {
        struct str *label = arena_new(m->job->ad->arena, struct str, v->len);
        for (uint32_t i = 0; label && i < v->len; i++) {
            label[i] = key_str(v->members[i].key);
            if (!add_one_block(m, type, nested, &v->members[i].value, &label[i]))
                return false;
        }
        return label || adopt_full(m->job->ad);
    }
    if (!value_is_list_like(v))
        return add_one_block(m, type, nested, v, NULL);
    for (uint32_t i = 0; i < v->len; i++)
        if (!add_one_block(m, type, nested, &v->items[i], NULL))
            return false;
    return true;
}

static size_t blocks_in(const struct value *v)
{
    size_t n = 0;
    for (uint32_t i = 0; i < v->len; i++) {
        const struct value *member = &v->members[i].value;
        bool many = value_is_list_like(member) || value_is_object_like(member);
        n += many ? (size_t)member->len + 1 : 1;
    }
    return n;
}

bool adopt_new_block(struct adopt_job *job, struct str type, const struct schema_block *block,
                     const struct value *v, const struct hcl_body *like, unsigned depth_left,
                     struct hcl_new_block *ret)
{
    struct arena *arena = job->ad->arena;
    if (depth_left == 0 || !value_is_object_like(v))
        return adopt_refuse(job->ad, "%.*s: a block's value must be an object", STR_ARG(type));
    struct making m = {.job = job,
                       .schema = block,
                       .v = v,
                       .like = like,
                       .item = arena_new(arena, struct hcl_new_item, v->len),
                       .block = arena_new(arena, struct hcl_new_block, blocks_in(v)),
                       .done = arena_new(arena, bool, v->len),
                       .depth_left = depth_left - 1};
    if (!m.item || !m.block || !m.done)
        return adopt_full(job->ad);
    if (!add_items(&m))
        return false;
    for (uint32_t i = 0; i < v->len; i++)
        if (is_block_name(&m, key_str(v->members[i].key)) && !add_blocks(&m, i))
            return false;
    *ret = (struct hcl_new_block){.type = type,
                                  .attribute = m.item,
                                  .nattributes = m.nitems,
                                  .block = m.block,
                                  .nblocks = m.nblocks};
    return true;
}

/* --- a body made to give a value --- */

static bool assign_attribute(struct adopt_job *job, const struct hcl_body *body, struct str name,
                             const struct schema_attribute *attribute, const struct value *old,
                             const struct value *v, struct hcl_new_item *add, size_t *nadd)
{
    const struct hcl_attribute *written = hcl_find_attribute(body, name);
    const struct type *type = attribute ? attribute->type : NULL;
    struct value *made = arena_new(job->ad->arena, struct value, 2), *fitted = made + 1;
    struct hcl_obstacle obstacle;
    struct str why;
    if (!made)
        return adopt_full(job->ad);
    if (is_nothing(v)) {
        if (written && attribute && attribute->required)
            return adopt_refuse(job->ad, "%.*s is required by the schema: it cannot be left out",
                                STR_ARG(name));
        if (written)
            hcl_edit_remove_attribute(&job->edit, body, written);
        return true;
    }
    if (!adopt_fit(job->ad->arena, type, v, fitted, &why))
        return adopt_refuse(job->ad, "%.*s: the value does not fit the schema: %.*s", STR_ARG(name),
                            STR_ARG(why));
    if (old && adopt_same(old, fitted))
        return true;
    if (!adopt_written(job->ad->arena, attribute, type, fitted, made))
        return adopt_full(job->ad);
    if (!written) {
        add[(*nadd)++] = (struct hcl_new_item){.key = name, .value = made};
        return true;
    }
    return hcl_edit_set(&job->edit, written->value, (struct path){0}, made,
                        (struct hcl_known){old, type}, &obstacle) ||
           adopt_refuse_obstacle(job->ad, job->instance, job->change->path, job->file, &obstacle);
}

/* Names of attributes that the body may have: the schema's, else those of the value and the body.
 */
static bool assign_attributes(struct adopt_job *job, const struct hcl_body *body,
                              const struct schema_block *block, const struct value *old,
                              const struct value *v)
{
    size_t most = block ? block->nattributes : v->len + body->nattributes, nadd = 0;
    struct hcl_new_item *add = arena_new(job->ad->arena, struct hcl_new_item, most);
    if (!add)
        return adopt_full(job->ad);
    for (size_t i = 0; i < most; i++) {
        size_t at = 0;
        const struct schema_attribute *attribute = block ? &block->attributes[i] : NULL;
        struct str name = attribute    ? attribute->name
                          : i < v->len ? key_str(v->members[i].key)
                                       : body->attribute[i - v->len].name;
        bool again = !attribute && i >= v->len && value_get(v, name);
        if (again || (attribute && !adopt_settable(attribute)) ||
            (!attribute && hcl_find_block(body, name, &at)))
            continue;
        if (!assign_attribute(job, body, name, attribute, value_get(old, name), value_get(v, name),
                              add, &nadd))
            return false;
    }
    hcl_edit_add_attributes(&job->edit, body, add, nadd);
    return true;
}

bool adopt_body_assign(struct adopt_job *job, const struct hcl_body *body,
                       const struct schema_block *block, const struct value *old,
                       const struct value *v, unsigned depth_left)
{
    if (depth_left == 0 || !value_is_object_like(v))
        return adopt_refuse(job->ad, "a block's value must be an object");
    if (!assign_attributes(job, body, block, old, v))
        return false;
    for (size_t i = 0; block && i < block->nblocks; i++) {
        struct str type = block->blocks[i].name;
        if (!adopt_blocks_assign(job, body, &block->blocks[i], type, value_get(old, type),
                                 value_get(v, type), depth_left - 1))
            return false;
    }
    return true;
}

/* --- lists and sets of blocks --- */

struct matching {
    const struct hcl_block **block;
    size_t n;
    const struct value **now; /* what each gives; NULL = not known */
    size_t *to;               /* the new element that it stays or becomes; SIZE_MAX = none */
    bool *taken;              /* of the new elements */
    const struct value *item; /* those */
    size_t nitems;
};

static bool same(const struct value *a, const struct value *b)
{
    return a && adopt_same(a, b);
}

/* How many members are equal. */
static size_t likeness(const struct value *a, const struct value *b)
{
    size_t n = 0;
    for (uint32_t i = 0; value_is_object_like(a) && i < a->len; i++) {
        const struct value *other = value_get(b, key_str(a->members[i].key));
        n += other && !is_nothing(other) && adopt_same(&a->members[i].value, other);
    }
    return n;
}

/* Blocks of a set: equal ones, then each with the one that is most like it. */
static void match_set(struct matching *m)
{
    for (size_t i = 0; i < m->n; i++) {
        for (size_t k = 0; k < m->nitems && m->to[i] == SIZE_MAX; k++) {
            if (!m->taken[k] && same(m->now[i], &m->item[k])) {
                m->to[i] = k;
                m->taken[k] = true;
            }
        }
    }
    for (size_t i = 0; i < m->n; i++) {
        size_t best = SIZE_MAX, most = 0;
        for (size_t k = 0; m->to[i] == SIZE_MAX && k < m->nitems; k++) {
            size_t own = likeness(m->now[i], &m->item[k]) + 1;
            if (!m->taken[k] && own > most) {
                most = own;
                best = k;
            }
        }
        if (best != SIZE_MAX) {
            m->to[i] = best;
            m->taken[best] = true;
        }
    }
}

/* Equal blocks at both ends stay; what is between is matched by place. */
static void match_list(struct matching *m)
{
    size_t from = 0, n = m->n, k = m->nitems;
    while (from < n && from < k && same(m->now[from], &m->item[from])) {
        m->to[from] = from;
        from++;
    }
    for (; n > from && k > from && same(m->now[n - 1], &m->item[k - 1]); n--, k--)
        m->to[n - 1] = k - 1;
    for (size_t i = from; i < n && i < k; i++)
        m->to[i] = i;
    for (size_t i = 0; i < m->n; i++)
        if (m->to[i] != SIZE_MAX)
            m->taken[m->to[i]] = true;
}

static bool element_of(struct adopt_job *job, const struct hcl_block *block,
                       const struct schema_block *schema, struct value *ret)
{
    struct value_member *members =
        arena_new(job->ad->arena, struct value_member, block->body.nattributes);
    struct str why;
    if (!members || block->body.nblocks)
        return false;
    for (size_t i = 0; i < block->body.nattributes; i++) {
        const struct hcl_attribute *written = &block->body.attribute[i];
        const struct schema_attribute *attribute =
            schema ? schema_find_attribute(schema, written->name) : NULL;
        members[i].key = key_make(job->ad->arena, written->name);
        if (!members[i].key ||
            !hcl_static_value(job->ad->arena, written->value, &members[i].value) ||
            (attribute && !adopt_fit(job->ad->arena, attribute->type, &members[i].value,
                                     &members[i].value, &why)))
            return false;
    }
    return value_members(VALUE_OBJECT, members, block->body.nattributes, ret, NULL, NULL);
}

/* What each block gives now: by its place in a list; in a set, what is written in it. */
static bool find_values(struct adopt_job *job, struct matching *m,
                        const struct schema_block *schema, const struct value *old, bool set)
{
    struct value *v = arena_new(job->ad->arena, struct value, m->n);
    if (!v)
        return adopt_full(job->ad);
    bool by_place = !set && value_is_list_like(old) && old->len == m->n;
    for (size_t i = 0; i < m->n; i++) {
        m->to[i] = SIZE_MAX;
        if (by_place)
            m->now[i] = &old->items[i];
        else if (element_of(job, m->block[i], schema, &v[i]))
            m->now[i] = &v[i];
    }
    return true;
}

/* The elements that no block stands for, in front of the next block that stays. */
static bool add_missing(struct adopt_job *job, const struct hcl_body *body, struct str type,
                        const struct schema_block *schema, const struct matching *m, bool set)
{
    const struct hcl_body *like = m->n ? &m->block[m->n - 1]->body : NULL;
    struct hcl_new_block *add = arena_new(job->ad->arena, struct hcl_new_block, m->nitems);
    size_t next = 0;
    if (!add)
        return adopt_full(job->ad);
    for (size_t k = 0; k < m->nitems;) {
        size_t n = 0;
        for (; k < m->nitems && (!m->taken[k] || set); k++)
            if (!m->taken[k] &&
                !adopt_new_block(job, type, schema, &m->item[k], like, HCL_DEPTH_MAX, &add[n++]))
                return false;
        while (next < m->n && (m->to[next] == SIZE_MAX || m->to[next] < k))
            next++;
        if (n && next < m->n && !set)
            hcl_edit_insert_blocks(&job->edit, body, m->block[next], add, n);
        else if (n)
            hcl_edit_add_blocks(&job->edit, body, add, n);
        k += k < m->nitems;
        add = arena_new(job->ad->arena, struct hcl_new_block, m->nitems);
        if (!add)
            return adopt_full(job->ad);
    }
    return true;
}

/* One block, or blocks by label, as the list that the rest works on. */
static bool as_items(struct adopt_job *job, const struct value *v, struct matching *m)
{
    if (is_nothing(v))
        return true;
    if (value_is_list_like(v)) {
        m->item = v->items;
        m->nitems = v->len;
        return true;
    }
    m->item = v;
    m->nitems = 1;
    return value_is_object_like(v) ||
           adopt_refuse(job->ad, "the value of blocks must be a list of objects");
}

static bool assign_by_label(struct adopt_job *job, const struct hcl_body *body, struct str type,
                            const struct schema_nested_block *nested, const struct value *old,
                            const struct value *v, unsigned depth_left)
{
    const struct hcl_block **block;
    size_t n = adopt_blocks_of(job, body, type, &block), nadd = 0;
    uint32_t len = value_is_object_like(v) ? v->len : 0;
    struct hcl_new_block *add = arena_new(job->ad->arena, struct hcl_new_block, len);
    struct str *label = arena_new(job->ad->arena, struct str, len);
    if (!block || !add || !label)
        return adopt_full(job->ad);
    for (size_t i = 0; i < n; i++) {
        struct str key = block[i]->nlabels ? block[i]->label[0].text : (struct str){0};
        const struct value *own = value_get(v, key);
        if (!own)
            hcl_edit_remove_block(&job->edit, body, block[i]);
        else if (!adopt_body_assign(job, &block[i]->body, nested->block, value_get(old, key), own,
                                    depth_left))
            return false;
    }
    for (uint32_t k = 0; k < len; k++) {
        bool there = false;
        label[k] = key_str(v->members[k].key);
        for (size_t i = 0; i < n && !there; i++)
            there = block[i]->nlabels && str_equal(block[i]->label[0].text, label[k]);
        if (there)
            continue;
        if (!adopt_new_block(job, type, nested->block, &v->members[k].value, NULL, depth_left,
                             &add[nadd]))
            return false;
        add[nadd].label = &label[k];
        add[nadd++].nlabels = 1;
    }
    hcl_edit_add_blocks(&job->edit, body, add, nadd);
    return true;
}

bool adopt_blocks_assign(struct adopt_job *job, const struct hcl_body *body,
                         const struct schema_nested_block *nested, struct str type,
                         const struct value *old, const struct value *v, unsigned depth_left)
{
    struct matching m = {0};
    const struct schema_block *schema = nested ? nested->block : NULL;
    bool set = nested && nested->nesting == NESTING_SET;
    if (nested && nested->nesting == NESTING_MAP)
        return assign_by_label(job, body, type, nested, old, v, depth_left);
    if (old && v && adopt_same(old, v))
        return true;
    m.n = adopt_blocks_of(job, body, type, &m.block);
    if (m.block && m.n == 0 && is_nothing(v))
        return true;
    if (adopt_is_dynamic(job, body, type) || !as_items(job, v, &m))
        return false;
    m.now = arena_new(job->ad->arena, const struct value *, m.n);
    m.to = arena_new(job->ad->arena, size_t, m.n);
    m.taken = arena_new(job->ad->arena, bool, m.nitems);
    if (!m.block || !m.now || !m.to || !m.taken)
        return adopt_full(job->ad);
    if (!find_values(job, &m, schema, old, set))
        return false;
    if (set)
        match_set(&m);
    else
        match_list(&m);
    for (size_t i = 0; i < m.n; i++) {
        if (m.to[i] == SIZE_MAX)
            hcl_edit_remove_block(&job->edit, body, m.block[i]);
        else if (!same(m.now[i], &m.item[m.to[i]]) &&
                 !adopt_body_assign(job, &m.block[i]->body, schema, m.now[i], &m.item[m.to[i]],
                                    depth_left))
            return false;
    }
    return add_missing(job, body, type, schema, &m, set);
}
