/* plan.c - scan_plan(): what Terraform saw while it planned, through plumb's classes. */
#include "base/arena.h"
#include "base/err.h"
#include "desired/tfplan.h"
#include "scan/scan.h"
#include "scan/tally.h"

enum { ROOM_LEAST = 64 << 20, ROOM_PER_BYTE = 64 };

static bool configurable(const void *ctx, struct path path)
{
    return tfplan_configurable(ctx, path);
}

static bool observe(struct arena *arena, const struct tally *tally,
                    const struct tfplan_resource *from, struct observation *ret, struct err *err)
{
    const struct config *config = tally->options->config;
    const struct value *live = from->outcome == TFPLAN_GONE      ? NULL
                               : from->outcome == TFPLAN_DRIFTED ? &from->live
                                                                 : &from->resource.attributes;
    struct drift_input in = {
        .resource = &from->resource,
        .desired = &from->resource.attributes,
        .live = live,
        .configurable = configurable,
        .configurable_ctx = from,
        .stack = tally->stack,
        .ignores = config ? config->ignores : NULL,
        .nignores = config ? config->nignores : 0,
        .now_utc_ms = tally->options->now_utc_ms,
        .explain = tally->options->explain,
    };
    if (from->outcome == TFPLAN_UNREAD)
        return drift_unchecked(arena, &from->resource, tally->stack, from->why, ret, err);
    return drift_observe(arena, &in, ret, err) &&
           (!tally->options->policy || scan_remember(arena, &in, ret, err));
}

static bool add_all(struct tally *tally, const struct tfplan *plan, struct err *err)
{
    for (size_t i = 0; i < plan->n; i++) {
        AUTO_ARENA scratch = {.limit = ARENA_DEFAULT_LIMIT};
        struct observation found;
        const struct tfplan_resource *from = &plan->resources[i];
        if (!scan_wants(tally->options, from->resource.address))
            continue;
        if (!observe(&scratch, tally, from, &found, err) ||
            !scan_note_resource(tally, &from->resource, from->outcome != TFPLAN_GONE, err) ||
            !tally_add(tally, &found, err))
            return false;
    }
    for (size_t i = 0; i < plan->nnotes; i++)
        if (!tally_note(tally, plan->notes[i], err))
            return false;
    return true;
}

bool scan_plan(struct arena *arena, struct str plan_json, const char *name,
               const struct scan_options *options, struct stack_result *ret, struct err *err)
{
    AUTO_ARENA reading = {.limit = ROOM_LEAST + ROOM_PER_BYTE * plan_json.len};
    struct tally tally;
    struct tfplan plan;
    struct err why = {0};
    struct stack_result result = {.desired = STR("state"), .live = STR("plan")};
    result.name = result.path = arena_dup(arena, str_from(name));
    if (!result.name.ptr)
        return arena_full(arena, err);
    if (!tfplan_parse(&reading, plan_json, name, &plan, &why)) {
        *ret = result;
        return scan_failed(arena, &why, ret, err);
    }
    tally_init(&tally, arena, result.name, options);
    result.source = arena_dup(arena, plan.info.label);
    if (!result.source.ptr)
        return arena_full(arena, err);
    if (!add_all(&tally, &plan, err) || !tally_note_expired(&tally, err) ||
        !tally_finish(&tally, &result, err))
        return false;
    *ret = result;
    return true;
}
