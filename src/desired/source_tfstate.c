/* source_tfstate.c - desired from a state v4: what the last apply recorded. */
#include <stdlib.h>

#include "base/digest.h"
#include "base/err.h"
#include "desired/source.h"
#include "desired/tfstate.h"
#include "value/value.h"

enum { PIECE = 1 << 20, PASSED_BUCKETS = 1 << 14 };

/* A resource that was passed over. */
struct passed {
    const char *at;
    uint64_t hash;
    struct passed *next;
};
struct source_tfstate {
    struct tfstate_walk walk;
    struct key_table keys;
    struct tfstate_walk back; /* in a resource that was passed over and is wanted now */
    struct passed **passed;
};

/* The text goes on: it stays where it is. Pieces double, so that what is read again after each is
 * no more than what there is. */
static bool more(struct desired *desired, struct tfstate_walk *walk, size_t *piece, struct err *err)
{
    if (!backend_more(&desired->state, *piece, err))
        return false;
    *piece *= 2;
    struct str text = desired->state.at.text;
    walk->scan.end = text.ptr + text.len;
    return true;
}

/* One step of the walk; where the text ends before it does, it is tried again with more. */
struct step {
    bool (*take)(struct tfstate_walk *walk, struct step *step, struct err *err);
    struct tfstate_instance instance;
    bool more;
};

static bool walk_on(struct desired *desired, struct step *step, struct err *err)
{
    struct source_tfstate *own = desired->own;
    size_t piece = PIECE;
    while (backend_has_more(&desired->state)) {
        struct tfstate_walk before = own->walk;
        if (step->take(&own->walk, step, NULL))
            return true;
        own->walk = before;
        if (!more(desired, &own->walk, &piece, err))
            return false;
    }
    return step->take(&own->walk, step, err);
}

static bool take_next(struct tfstate_walk *walk, struct step *step, struct err *err)
{
    return tfstate_next(walk, &step->instance, err);
}

static bool next(struct desired *desired, struct resource *ret, struct err *err)
{
    struct source_tfstate *own = desired->own;
    struct step step = {.take = take_next};
    if (!walk_on(desired, &step, err))
        return false;
    desired->spot = (struct desired_spot){.resource_at = own->walk.resource_at,
                                          .at = step.instance.at,
                                          .end = own->walk.scan.at,
                                          .nresources = own->walk.nresources,
                                          .odd = own->walk.after_resource != NULL};
    return tfstate_resource(&desired->arena, &own->keys, &own->walk, &step.instance, ret, err);
}

/* --- only what is wanted --- */

static bool take_resource(struct tfstate_walk *walk, struct step *step, struct err *err)
{
    (void)step;
    return tfstate_enter(walk, err);
}

static bool take_instance(struct tfstate_walk *walk, struct step *step, struct err *err)
{
    return tfstate_instance(walk, &step->more, &step->instance, err);
}

static bool take_pass(struct tfstate_walk *walk, struct step *step, struct err *err)
{
    (void)step;
    return tfstate_pass(walk, err);
}

/* Of the names as they are written, in their quotes or without. */
static uint64_t hash_of(struct str type, struct str name)
{
    return hash_bytes(name, hash_bytes(type, 0));
}

static struct str unquoted(struct str span)
{
    return span.len < 2 ? span : str_sub(span, 1, span.len - 1);
}

/* A name with escapes may be any: it is not passed over. */
static bool is_wanted(const struct tfstate_walk *walk, uint64_t wanted, uint64_t *ret_hash)
{
    struct str type = unquoted(walk->resource[RES_TYPE]), name = unquoted(walk->resource[RES_NAME]);
    *ret_hash = hash_of(type, name);
    return *ret_hash == wanted || str_find_char(type, '\\', 0) != SIZE_MAX ||
           str_find_char(name, '\\', 0) != SIZE_MAX;
}

static bool enter_or_pass(struct desired *desired, uint64_t wanted, struct err *err)
{
    struct source_tfstate *own = desired->own;
    struct step step = {.take = take_resource};
    uint64_t hash;
    if (!walk_on(desired, &step, err))
        return false;
    if (!own->walk.in_resource || is_wanted(&own->walk, wanted, &hash))
        return true;
    struct passed *made = arena_new(&desired->arena, struct passed, 1);
    if (!made)
        return arena_full(&desired->arena, err);
    *made = (struct passed){own->walk.resource_at, hash, own->passed[hash % PASSED_BUCKETS]};
    own->passed[hash % PASSED_BUCKETS] = made;
    step.take = take_pass;
    return walk_on(desired, &step, err);
}

/* Back to one that was passed over; *ret false: there is none. */
static bool go_back(struct source_tfstate *own, uint64_t wanted, bool *ret, struct err *err)
{
    struct passed **at = &own->passed[wanted % PASSED_BUCKETS];
    while (*at && (*at)->hash != wanted)
        at = &(*at)->next;
    *ret = *at != NULL;
    if (!*ret)
        return true;
    own->back = own->walk;
    const char *resource_at = (*at)->at;
    *at = (*at)->next;
    return tfstate_back(&own->back, resource_at, err);
}

static bool find(struct desired *desired, struct str type, struct str name, struct resource *ret,
                 struct err *err)
{
    struct source_tfstate *own = desired->own;
    uint64_t wanted = hash_of(type, name);
    if (!own->passed)
        own->passed = arena_new(&desired->arena, struct passed *, PASSED_BUCKETS);
    if (!own->passed)
        return arena_full(&desired->arena, err);
    for (;;) {
        struct step step = {.take = take_instance};
        struct tfstate_walk *walk = own->back.in_resource ? &own->back : &own->walk;
        bool back = false;
        if (walk->in_resource) {
            if (!(walk == &own->back ? take_instance(walk, &step, err)
                                     : walk_on(desired, &step, err)))
                return false;
            if (step.more)
                return tfstate_resource(&desired->arena, &own->keys, walk, &step.instance, ret,
                                        err);
        } else if (!go_back(own, wanted, &back, err)) {
            return false;
        } else if (!back && own->walk.ended) {
            return false;
        } else if (!back && !enter_or_pass(desired, wanted, err)) {
            return false;
        }
    }
}

/* Where the members stand in an order in which the head is known at the end alone, all is read. */
static bool open_walk(struct desired *desired, struct tfstate_walk *walk, struct str text,
                      const char *name, struct err *err)
{
    size_t piece = PIECE;
    while (backend_has_more(&desired->state)) {
        if (tfstate_open(walk, text, name, NULL) && !walk->ended && !walk->after_top)
            return true;
        if (!more(desired, walk, &piece, err))
            return false;
        text = desired->state.at.text;
    }
    return tfstate_open(walk, text, name, err);
}

bool source_tfstate_open(struct desired *desired, struct str text, const char *name,
                         struct err *err)
{
    struct arena *arena = &desired->arena;
    struct source_tfstate *own = arena_new(arena, struct source_tfstate, 1);
    if (!own)
        return arena_full(arena, err);
    key_table_init(&own->keys, arena, (uint64_t)(uintptr_t)own);
    if (!open_walk(desired, &own->walk, text, name, err))
        return false;
    desired->own = own;
    desired->next = next;
    desired->find = find;
    desired->is_walk = true;
    struct desired_info *info = &desired->info;
    info->kind = STR("state");
    info->serial = tfstate_serial(&own->walk);
    info->lineage = tfstate_string(arena, own->walk.top[TOP_LINEAGE]);
    info->terraform_version = tfstate_string(arena, own->walk.top[TOP_TERRAFORM_VERSION]);
    info->label = tfstate_label(arena, name, info->serial);
    return info->label.ptr || arena_full(arena, err);
}
