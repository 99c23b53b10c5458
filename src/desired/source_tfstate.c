/* source_tfstate.c - desired from a state v4: what the last apply recorded. */
#include <stdlib.h>

#include "base/err.h"
#include "desired/source.h"
#include "desired/tfstate.h"
#include "value/value.h"

enum { PIECE = 1 << 20 };

struct source_tfstate {
    struct tfstate_walk walk;
    struct key_table keys;
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

static bool walk_on(struct desired *desired, struct tfstate_instance *ret, struct err *err)
{
    struct source_tfstate *own = desired->own;
    size_t piece = PIECE;
    while (backend_has_more(&desired->state)) {
        struct tfstate_walk before = own->walk;
        if (tfstate_next(&own->walk, ret, NULL))
            return true;
        own->walk = before;
        if (!more(desired, &own->walk, &piece, err))
            return false;
    }
    return tfstate_next(&own->walk, ret, err);
}

static bool next(struct desired *desired, struct resource *ret, struct err *err)
{
    struct source_tfstate *own = desired->own;
    struct tfstate_instance instance;
    return walk_on(desired, &instance, err) &&
           tfstate_resource(&desired->arena, &own->keys, &own->walk, &instance, ret, err);
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
    struct desired_info *info = &desired->info;
    info->kind = STR("state");
    info->serial = tfstate_serial(&own->walk);
    info->lineage = tfstate_string(arena, own->walk.top[TOP_LINEAGE]);
    info->terraform_version = tfstate_string(arena, own->walk.top[TOP_TERRAFORM_VERSION]);
    info->label = tfstate_label(arena, name, info->serial);
    return info->label.ptr || arena_full(arena, err);
}
