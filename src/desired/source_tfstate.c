/* source_tfstate.c - desired from a state v4: what the last apply recorded. */
#include <stdlib.h>

#include "base/err.h"
#include "desired/source.h"
#include "desired/tfstate.h"
#include "value/value.h"

struct source_tfstate {
    struct tfstate_walk walk;
    struct key_table keys;
};

static bool next(struct desired *desired, struct resource *ret, struct err *err)
{
    struct source_tfstate *own = desired->own;
    struct tfstate_instance instance;
    return tfstate_next(&own->walk, &instance, err) &&
           tfstate_resource(&desired->arena, &own->keys, &own->walk, &instance, ret, err);
}

bool source_tfstate_open(struct desired *desired, struct str text, const char *name,
                         struct err *err)
{
    struct arena *arena = &desired->arena;
    struct source_tfstate *own = arena_new(arena, struct source_tfstate, 1);
    if (!own)
        return arena_full(arena, err);
    key_table_init(&own->keys, arena, (uint64_t)(uintptr_t)own);
    if (!tfstate_open(&own->walk, text, name, err))
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
