/* snapshot_pair.c - parsing both sides, and whether they are equal. */
#include "live/snapshot_pair.h"

#include "base/arena.h"
#include "base/err.h"
#include "live/unwrap.h"
#include "value/value.h"
#include "wire/json.h"
#include "wire/json_scan.h"

static bool unreadable(struct arena *arena, const char *side, const struct err *why,
                       struct live_result *ret, struct err *err)
{
    char text[ERR_TEXT_MAX];
    ret->status = LIVE_UNREADABLE;
    ret->reason = arena_printf(arena, "%s: %s", side, err_text(why, text, sizeof text));
    return ret->reason.ptr || arena_full(arena, err);
}

static uint64_t count_leaves(const struct value *v, unsigned depth_left)
{
    uint64_t n = 0;
    if (v->len && depth_left && value_is_list_like(v)) {
        for (uint32_t i = 0; i < v->len; i++)
            n += count_leaves(&v->items[i], depth_left - 1);
        return n;
    }
    if (v->len && depth_left && value_is_object_like(v)) {
        for (uint32_t i = 0; i < v->len; i++)
            n += count_leaves(&v->members[i].value, depth_left - 1);
        return n;
    }
    return 1;
}

/* The live text goes on behind its value. */
static bool parse_live(struct arena *arena, struct key_table *keys, struct str text,
                       struct value *ret, struct err *err)
{
    struct json_scan scan = json_scan_open(text);
    struct str value;
    if (!json_scan_value(&scan, JSON_DEPTH_MAX, &value))
        return json_scan_error(&scan, "live", 1, err);
    return json_parse_with(arena, keys, value, "live", JSON_NFC, ret, err);
}

static bool parse_both(struct arena *arena, const struct resource *resource,
                       const struct snapshot_answer *answer, struct live_result *ret,
                       const char **ret_side, struct err *err)
{
    struct key_table keys;
    key_table_init(&keys, arena, (uint64_t)(uintptr_t)arena);
    *ret_side = "the recorded attributes";
    if (!json_parse_with(arena, &keys, resource->attributes_json, "desired", JSON_NFC,
                         &ret->desired, err))
        return false;
    *ret_side = "the live attributes";
    if (!parse_live(arena, &keys, answer->attributes_json, &ret->live, err))
        return false;
    struct value desired = ret->desired, live = ret->live;
    if (answer->plain && !resource->attributes_plain)
        return unwrap_dynamic(arena, &desired, &live, &ret->desired, err);
    if (resource->attributes_plain && !answer->plain)
        return unwrap_dynamic(arena, &live, &desired, &ret->live, err);
    return true;
}

bool snapshot_pair(const struct snapshot *snapshot, struct arena *arena,
                   const struct resource *resource, struct live_result *ret, bool *ret_same,
                   uint64_t *ret_leaves, struct err *err)
{
    struct snapshot_answer answer;
    struct err local = {0};
    const char *side = "";
    *ret_same = false;
    *ret_leaves = 0;
    *ret = (struct live_result){.resource = resource};
    if (!snapshot_find(snapshot, arena, resource->address, &answer, err))
        return false;
    ret->status = answer.status;
    ret->reason = answer.reason;
    if (answer.status != LIVE_READ)
        return true;
    if (!resource->attributes_json.ptr) {
        ret->status = LIVE_UNREADABLE;
        ret->reason = STR("recorded in the flatmap format of Terraform 0.11: apply it once with a "
                          "newer version");
        return true;
    }
    if (!parse_both(arena, resource, &answer, ret, &side, &local))
        return unreadable(arena, side, &local, ret, err);
    *ret_same = value_equal(&ret->desired, &ret->live);
    if (*ret_same)
        *ret_leaves = count_leaves(&ret->desired, VALUE_DEPTH_MAX);
    return true;
}
