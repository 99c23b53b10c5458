/* adopt_json.c - the same changes in JSON syntax, where blocks are objects and arrays of them. */
#include "base/arena.h"
#include "respond/adopt_parts.h"

/* The way down: the path as the file has it, for one block may stand without its array. */
struct way {
    struct adopt_job *job;
    const struct hcl_expr *expr; /* what is written there; NULL = nothing */
    struct path_step *step;
    size_t n;
    const struct schema_block *block;         /* that we are in; NULL = not known, or in a value */
    const struct schema_attribute *attribute; /* at the end: its nested one, or NULL */
    const struct type *type;                  /* at the end: of the attribute's part, or NULL */
    bool is_block;                            /* at the end: a whole block, or a list of them */
    bool required;                            /* at the end: an attribute that must be there */
};

static const struct hcl_expr *member(struct arena *arena, const struct hcl_expr *expr,
                                     struct str name)
{
    const struct hcl_expr *found = NULL;
    struct value key;
    for (size_t i = 0; expr && expr->kind == HCL_EXPR_OBJECT && i < expr->items.n; i++)
        if (hcl_static_value(arena, expr->items.item[i].key, &key) && key.kind == VALUE_STRING &&
            str_equal(value_text(&key), name))
            found = expr->items.item[i].value;
    return found;
}

static void push(struct way *way, struct path_step step)
{
    way->step[way->n++] = step;
}

/* Into the block that a step names; *at moves past what was used. */
static bool into_block(struct way *way, const struct schema_nested_block *nested, struct path path,
                       size_t *at)
{
    struct adopter *ad = way->job->ad;
    bool list = nested->nesting == NESTING_LIST || nested->nesting == NESTING_SET;
    way->block = nested->block;
    way->is_block = true;
    if (*at == path.n || nested->nesting == NESTING_SINGLE || nested->nesting == NESTING_GROUP)
        return true;
    const struct path_step *step = &path.step[(*at)++];
    if (!list) {
        way->expr = member(ad->arena, way->expr, step->key);
        push(way, *step);
        return true;
    }
    if (step->kind != PATH_INDEX || step->index < 0)
        return adopt_refuse(ad, "an element of a set of blocks has no place of its own");
    if (way->expr && way->expr->kind == HCL_EXPR_OBJECT) {
        if (step->index == 0)
            return true;
        struct str place = adopt_at(ad, way->job->file, way->expr->range.start);
        return adopt_refuse(ad, "the only %.*s block at %.*s is no array that could grow",
                            STR_ARG(nested->name), STR_ARG(place));
    }
    bool there =
        way->expr && way->expr->kind == HCL_EXPR_TUPLE && (size_t)step->index < way->expr->parts.n;
    way->expr = there ? way->expr->parts.part[step->index] : NULL;
    push(way, *step);
    return true;
}

static bool find_way(struct way *way, struct path path)
{
    struct adopter *ad = way->job->ad;
    for (size_t at = 0; at < path.n;) {
        const struct path_step *step = &path.step[at++];
        const struct schema_nested_block *nested = NULL;
        if (step->kind != PATH_KEY)
            return adopt_refuse(ad, "an index stands where an attribute's name should");
        if (!adopt_look_up(way->job, way->block, step->key, &way->attribute, &nested))
            return false;
        const struct hcl_expr *made =
            member(ad->arena, member(ad->arena, way->expr, STR("dynamic")), step->key);
        if (made) {
            struct str place = adopt_at(ad, way->job->file, made->range.start);
            ad->has_other_way = path.n > 1;
            return adopt_refuse(ad, "the %.*s blocks are made by a dynamic block at %.*s",
                                STR_ARG(step->key), STR_ARG(place));
        }
        way->expr = member(ad->arena, way->expr, step->key);
        push(way, *step);
        if (nested) {
            if (!into_block(way, nested, path, &at))
                return false;
            continue;
        }
        struct path rest = {path.step + at, path.n - at};
        way->is_block = false;
        way->required = way->attribute && way->attribute->required && rest.n == 0;
        for (; at < path.n; at++)
            push(way, path.step[at]);
        return adopt_type_at(way->job, way->attribute, rest, &way->type, &way->attribute);
    }
    return true;
}

/* --- values of blocks --- */

static bool block_value(struct adopt_job *job, const struct schema_block *block,
                        const struct value *v, unsigned depth_left, struct value *ret);

static bool blocks_value(struct adopt_job *job, const struct schema_nested_block *nested,
                         const struct value *v, unsigned depth_left, struct value *ret)
{
    *ret = *v;
    if (!value_is_list_like(v))
        return block_value(job, nested->block, v, depth_left, ret);
    struct value *items = arena_new(job->ad->arena, struct value, v->len);
    for (uint32_t i = 0; items && i < v->len; i++)
        if (!block_value(job, nested->block, &v->items[i], depth_left, &items[i]))
            return false;
    *ret = value_items(VALUE_TUPLE, items, v->len);
    return items || adopt_full(job->ad);
}

static bool block_value(struct adopt_job *job, const struct schema_block *block,
                        const struct value *v, unsigned depth_left, struct value *ret)
{
    struct adopter *ad = job->ad;
    if (!value_is_object_like(v) || depth_left == 0)
        return adopt_refuse(ad, "a block's value must be an object");
    struct value_member *members = arena_new(ad->arena, struct value_member, v->len);
    size_t n = 0;
    for (uint32_t i = 0; members && i < v->len; i++) {
        const struct value *own = &v->members[i].value;
        struct str name = key_str(v->members[i].key);
        const struct schema_attribute *attribute = schema_find_attribute(block, name);
        const struct schema_nested_block *nested = schema_find_block(block, name);
        bool empty = own->kind == VALUE_NULL || (nested && own->len == 0);
        if (empty || (attribute && !adopt_settable(attribute)))
            continue;
        if (!attribute && !nested)
            return adopt_refuse(ad, "the block has no attribute \"%.*s\"", STR_ARG(name));
        members[n].key = v->members[i].key;
        if (nested ? !blocks_value(job, nested, own, depth_left - 1, &members[n].value)
                   : !adopt_new_value(job, attribute, attribute->type, own, &members[n].value))
            return false;
        n++;
    }
    return (members && value_members(VALUE_OBJECT, members, n, ret, NULL, NULL)) || adopt_full(ad);
}

static bool value_there(struct way *way, struct value *ret)
{
    const struct value *v = &way->job->change->value;
    struct schema_nested_block list = {.block = way->block};
    if (way->is_block)
        return blocks_value(way->job, &list, v, HCL_DEPTH_MAX, ret);
    return adopt_new_value(way->job, way->attribute, way->type, v, ret);
}

bool adopt_json_change(struct adopt_job *job, const struct hcl_body *body,
                       const struct schema_block *block)
{
    struct adopter *ad = job->ad;
    struct path path = job->change->path;
    struct way way = {.job = job,
                      .expr = body->json,
                      .block = block,
                      .step = arena_new(ad->arena, struct path_step, path.n)};
    struct value *v = arena_new(ad->arena, struct value, 1);
    struct hcl_obstacle obstacle;
    if (!way.step || !v)
        return adopt_full(ad);
    if (body->json->kind != HCL_EXPR_OBJECT)
        return adopt_refuse(ad, "the block is written as an array of objects");
    if (!find_way(&way, path))
        return false;
    if (job->change->unset && way.required)
        return adopt_refuse(ad, "the attribute is required by the schema: it cannot be left out");
    if (!job->change->unset && !value_there(&way, v))
        return false;
    struct path written = {way.step, way.n};
    struct hcl_known known = {job->old, way.type};
    bool ok = job->change->unset
                  ? hcl_edit_unset(&job->edit, body->json, written, known, &obstacle)
                  : hcl_edit_set(&job->edit, body->json, written, v, known, &obstacle);
    return ok || adopt_refuse_obstacle(ad, job->instance, path, job->file, &obstacle);
}
