/* kept_changes.c - the list `changes` of a finding's JSON. */
#include "enforce/kept_changes.h"

#include "base/arena.h"
#include "base/err.h"
#include "model/finding.h"
#include "record/listing.h"
#include "value/value.h"
#include "wire/json.h"

static bool is_bool(const struct value *v, bool truth)
{
    return v && v->kind == VALUE_BOOL && v->truth == truth;
}

static const struct value *side(const struct value *change, const char *name, bool secret)
{
    const struct value *v = value_get(change, str_from(name));
    return secret || !v || v->kind == VALUE_NULL ? NULL : v;
}

static uint32_t number_of(const struct value *v, const char *name)
{
    int64_t n = 0;
    const struct value *member = value_get(v, str_from(name));
    return member && value_to_int64(member, &n) && n > 0 && n <= UINT32_MAX ? (uint32_t)n : 0;
}

static struct location location_of(const struct value *finding)
{
    const struct value *at = value_get(finding, STR("location"));
    if (!at || !value_is_object_like(at))
        return (struct location){0};
    return (struct location){.file = value_get_string(at, STR("file")),
                             .line = number_of(at, "line"),
                             .column = number_of(at, "column"),
                             .end_line = number_of(at, "end_line"),
                             .end_column = number_of(at, "end_column")};
}

static bool parse(struct arena *arena, struct str detail, struct value **ret, struct err *err)
{
    *ret = arena_new(arena, struct value, 1);
    if (!*ret)
        return arena_full(arena, err);
    return json_parse(arena, detail, "finding", JSON_DUPLICATES_LAST, *ret, err);
}

static bool changes_of(struct arena *arena, const struct value *finding, const struct change **ret,
                       size_t *ret_n, struct err *err)
{
    const struct value *list = value_get(finding, STR("changes"));
    size_t n = list && value_is_list_like(list) ? list->len : 0;
    struct change *change = arena_new(arena, struct change, n);
    if (!change)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++) {
        const struct value *v = &list->items[i];
        bool secret = !is_bool(value_get(v, STR("sensitive")), false);
        change[i] =
            (struct change){.path = value_get_string(v, STR("path")),
                            .before = side(v, "before", secret),
                            .after = side(v, "after", secret),
                            .sensitive = secret,
                            .configurable = !is_bool(value_get(v, STR("configurable")), false),
                            .ignored_by = value_get_string(v, STR("ignored_by"))};
    }
    *ret = change;
    *ret_n = n;
    return true;
}

bool kept_changes_parse(struct arena *arena, struct str detail, const struct change **ret,
                        size_t *ret_n, struct err *err)
{
    struct value *finding;
    return parse(arena, detail, &finding, err) && changes_of(arena, finding, ret, ret_n, err);
}

bool kept_changes_place(struct arena *arena, struct str detail, const struct change **ret,
                        size_t *ret_n, struct location *ret_at, struct err *err)
{
    struct value *finding;
    if (!parse(arena, detail, &finding, err))
        return false;
    *ret_at = location_of(finding);
    return changes_of(arena, finding, ret, ret_n, err);
}

bool kept_changes_read(struct arena *arena, struct record *record, int64_t finding,
                       const struct change **ret, size_t *ret_n, struct err *err)
{
    struct finding_row row = {0};
    bool found = false;
    if (!finding_get_id(record, arena, finding, record_now(record), &row, &found, err))
        return false;
    *ret = NULL;
    *ret_n = 0;
    return !found || kept_changes_parse(arena, row.detail, ret, ret_n, err);
}
