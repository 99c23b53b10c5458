/* adopt_follow.c - a value that is not written where it is given: edited where it comes from, as a
 * whole or part by part. */
#include "base/arena.h"
#include "lang/hcl/content.h"
#include "respond/adopt_parts.h"

/* --- where it comes from --- */

/* The name of the attribute of a body that an expression is given to. */
static bool attribute_at(struct adopter *ad, const struct adopt_spot *spot, uint32_t byte,
                         struct str *ret)
{
    const struct hcl_body *body = &spot->body;
    struct value key;
    for (size_t i = 0; i < body->nattributes; i++) {
        *ret = body->attribute[i].name;
        if (byte >= body->attribute[i].range.start && byte < body->attribute[i].range.end)
            return true;
    }
    for (size_t i = 0; body->json && body->json->kind == HCL_EXPR_OBJECT && i < body->json->items.n;
         i++) {
        const struct hcl_item *item = &body->json->items.item[i];
        if (byte >= item->value->range.start && byte < item->value->range.end &&
            hcl_static_value(ad->arena, item->key, &key) && key.kind == VALUE_STRING) {
            *ret = value_text(&key);
            return true;
        }
    }
    return false;
}

/* The place of a link, and the name of the attribute there, in the code as it was given. */
static bool place_of_link(struct adopter *ad, const struct code_link *link, struct adopt_place *ret,
                          struct str *ret_name)
{
    struct adopt_spot spot = {0};
    struct adopt_text original = {.file = link->source};
    struct hcl_diags diags = {.arena = ad->arena};
    struct hcl_content content;
    static const char *const labels[] = {"type", "name"};
    if (!adopt_place_of(ad, link->source, link->expr->range.start, ret))
        return false;
    spot.text = &original;
    spot.body = link->source->body;
    if (ret->type.len == 0)
        return attribute_at(ad, &spot, link->expr->range.start, ret_name);
    struct hcl_block_spec block = {.type = ret->type};
    for (size_t i = 0; i < ret->nlabels; i++)
        block.label[i] = labels[i];
    struct hcl_body_spec spec = {.block = &block, .nblocks = 1};
    if (!hcl_body_content(ad->arena, link->source, &link->source->body, &spec, true, &diags,
                          &content))
        return adopt_full(ad);
    for (size_t i = 0; i < content.nblocks; i++) {
        spot.body = content.block[i].body;
        if (attribute_at(ad, &spot, link->expr->range.start, ret_name)) {
            ret->attribute = *ret_name;
            return true;
        }
    }
    return false;
}

static bool change_link(struct adopter *ad, const struct adopt_change *change,
                        const struct code_instance *instance, const struct value *old,
                        const struct code_link *link)
{
    struct adopt_place place;
    struct adopt_spot spot;
    struct str name;
    struct hcl_obstacle obstacle;
    const struct type *type = instance->schema ? instance->schema->block.type : NULL;
    struct value *v = arena_new(ad->arena, struct value, 1);
    if (!v)
        return adopt_full(ad);
    if (!place_of_link(ad, link, &place, &name))
        return adopt_refuse(ad, "%.*s:%u: what decides the value there cannot be edited",
                            STR_ARG(link->file), link->line);
    if (!adopt_may_edit(ad, place.file) || !adopt_find(ad, &place, &spot))
        return false;
    const struct hcl_attribute *attribute = adopt_attribute(ad, &spot, name);
    if (!attribute)
        return adopt_refuse(ad, "%.*s:%u: what decides the value is not found again",
                            STR_ARG(link->file), link->line);
    struct adopt_job job = {
        .ad = ad, .change = change, .instance = instance, .file = spot.text->file, .old = old};
    for (size_t i = 0; i < change->path.n; i++)
        type = hcl_type_below(type, &change->path.step[i]);
    if (!change->unset && !adopt_new_value(&job, NULL, type, &change->value, v))
        return false;
    if (change->unset && link->rest.n == 0)
        return adopt_refuse(ad, "%.*s:%u gives the value to others too: it cannot be left out",
                            STR_ARG(link->file), link->line);
    struct hcl_known known = {old, NULL};
    hcl_edit_start(&job.edit, ad->arena, spot.text->file);
    bool ok = change->unset
                  ? hcl_edit_unset(&job.edit, attribute->value, link->rest, known, &obstacle)
                  : hcl_edit_set(&job.edit, attribute->value, link->rest, v, known, &obstacle);
    if (!ok)
        return adopt_refuse_obstacle(ad, instance, change->path, job.file, &obstacle);
    return adopt_take(ad, spot.text, &job.edit);
}

static bool is_of_instance(const struct code_chain *chain)
{
    for (size_t i = 0; i < chain->n; i++)
        if (str_equal(chain->link[i].name, STR("each.value")))
            return true;
    return false;
}

/* The object that gives a member of the map, with the path of another member of it. */
static bool link_beside(struct adopter *ad, const struct code_instance *instance, struct path path,
                        bool own, const struct path_step *end, struct code_link *ret)
{
    struct code_chain chain = {0};
    if (!code_explain(ad->code, instance, path, &chain) || chain.n < 2 ||
        chain.unknown_because.len || is_of_instance(&chain) != own)
        return false;
    *ret = chain.link[chain.n - 1];
    struct path rest = ret->rest, last = {&path.step[path.n - 1], 1};
    if (!ret->expr || !ret->source || rest.n == 0 ||
        !path_equal((struct path){&rest.step[rest.n - 1], 1}, last))
        return false;
    struct path_step *to = arena_new(ad->arena, struct path_step, rest.n);
    if (!to)
        return adopt_full(ad);
    for (size_t i = 0; i + 1 < rest.n; i++)
        to[i] = rest.step[i];
    to[rest.n - 1] = *end;
    ret->rest = (struct path){to, rest.n};
    return true;
}

/* A member of a map is new, and no expression gives it: it is set beside another one of that map,
 * where an object is written out that the value comes from; first where that is the instance's own
 * element of `for_each`. */
static bool change_beside(struct adopter *ad, const struct adopt_change *change,
                          const struct code_instance *instance)
{
    const struct path_step *end = &change->path.step[change->path.n - 1];
    struct path above = {change->path.step, change->path.n - 1};
    const struct value *map = path_find(&instance->config, above);
    struct path_step *steps = arena_new(ad->arena, struct path_step, change->path.n);
    if (!steps)
        return adopt_full(ad);
    if (above.n == 0 || end->kind != PATH_KEY || !map || !value_is_object_like(map))
        return false;
    for (size_t i = 0; i < above.n; i++)
        steps[i] = above.step[i];
    for (uint32_t i = map->len * 2; i-- > 0;) {
        struct code_link link;
        const struct value_member *member = &map->members[i % map->len];
        steps[above.n] = (struct path_step){.kind = PATH_KEY, .key = key_str(member->key)};
        if (!link_beside(ad, instance, (struct path){steps, change->path.n}, i >= map->len, end,
                         &link))
            continue;
        ad->refused = false;
        if (change_link(ad, change, instance, NULL, &link))
            return true;
        if (!ad->refused)
            return false;
    }
    return false;
}

/* The last link decides; the attribute itself is the first. */
static bool change_decider(struct adopter *ad, const struct adopt_change *change,
                           const struct code_instance *instance, const struct value *old,
                           struct str reason)
{
    struct code_chain chain = {0};
    if (!code_explain(ad->code, instance, change->path, &chain) || chain.n < 2)
        return adopt_refuse(ad, "%.*s", STR_ARG(reason));
    adopt_add_chain(ad, &chain);
    const struct code_link *last = &chain.link[chain.n - 1];
    if (chain.unknown_because.len)
        return adopt_refuse(ad, "the value cannot be known: %.*s", STR_ARG(chain.unknown_because));
    if (str_equal(last->name, STR("each.key")))
        return adopt_refuse(ad, "the value is the key of the instance: with another one it would "
                                "be another instance");
    if (!last->expr || !last->source)
        return adopt_refuse(ad, "the value comes from the %s (%.*s): change it there", last->what,
                            STR_ARG(last->name));
    return change_link(ad, change, instance, old, last);
}

bool adopt_change_origin(struct adopter *ad, const struct adopt_change *change,
                         const struct code_instance *instance, const struct value *old)
{
    struct str reason = ad->reason;
    ad->refused = ad->has_other_way = false;
    if (change_decider(ad, change, instance, old, reason))
        return true;
    if (!ad->refused || old || change->unset)
        return false;
    reason = ad->reason;
    if (change_beside(ad, change, instance))
        return true;
    if (ad->refused)
        ad->reason = reason;
    return false;
}

/* --- part by part --- */

static const struct value *set_value(const struct value *v)
{
    return v && v->kind != VALUE_NULL ? v : NULL;
}

/* One part of a value: of step, from what it is to what it becomes; NULL = nothing. */
static bool change_part(struct adopter *ad, const struct adopt_change *change,
                        const struct code_instance *instance, struct path_step step,
                        const struct value *old, const struct value *v, unsigned depth_left)
{
    old = set_value(old);
    v = set_value(v);
    if (old == v || (old && v && adopt_same(old, v)))
        return true;
    struct adopt_change part = *change;
    struct path_step *steps = arena_new(ad->arena, struct path_step, change->path.n + 1);
    if (!steps)
        return adopt_full(ad);
    for (size_t i = 0; i < change->path.n; i++)
        steps[i] = change->path.step[i];
    steps[change->path.n] = step;
    part.path = (struct path){steps, change->path.n + 1};
    part.unset = !v;
    if (v)
        part.value = *v;
    ad->refused = ad->has_other_way = false;
    ad->norigins = 0;
    if (adopt_change_at(ad, &part, instance, old, depth_left))
        return true;
    struct str path = path_text(ad->arena, part.path);
    if (ad->refused && !str_starts(ad->reason, path))
        ad->reason = arena_printf(ad->arena, "%.*s: %.*s", STR_ARG(path), STR_ARG(ad->reason));
    return false;
}

static bool change_members(struct adopter *ad, const struct adopt_change *change,
                           const struct code_instance *instance, const struct value *old,
                           unsigned depth_left)
{
    const struct value *v = &change->value;
    for (uint32_t i = 0; i < old->len; i++) {
        struct str key = key_str(old->members[i].key);
        struct path_step step = {.kind = PATH_KEY, .key = key};
        if (!change_part(ad, change, instance, step, &old->members[i].value, value_get(v, key),
                         depth_left))
            return false;
    }
    for (uint32_t i = 0; i < v->len; i++) {
        struct str key = key_str(v->members[i].key);
        struct path_step step = {.kind = PATH_KEY, .key = key};
        if (!value_get(old, key) &&
            !change_part(ad, change, instance, step, NULL, &v->members[i].value, depth_left))
            return false;
    }
    return true;
}

static bool change_items(struct adopter *ad, const struct adopt_change *change,
                         const struct code_instance *instance, const struct value *old,
                         unsigned depth_left)
{
    for (uint32_t i = 0; i < old->len; i++) {
        struct path_step step = {.kind = PATH_INDEX, .index = i};
        if (!change_part(ad, change, instance, step, &old->items[i], &change->value.items[i],
                         depth_left))
            return false;
    }
    return true;
}

static bool is_sequence(const struct value *v)
{
    return v->kind == VALUE_LIST || v->kind == VALUE_TUPLE;
}

bool adopt_change_parts(struct adopter *ad, const struct adopt_change *change,
                        const struct code_instance *instance, const struct value *old,
                        unsigned depth_left)
{
    const struct value *v = &change->value;
    if (depth_left-- == 0 || change->unset || !old)
        return false;
    if (value_is_object_like(old) && value_is_object_like(v))
        return change_members(ad, change, instance, old, depth_left);
    return is_sequence(old) && is_sequence(v) && old->len == v->len &&
           change_items(ad, change, instance, old, depth_left);
}
