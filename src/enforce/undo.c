/* undo.c - a change of a resource beside what drifted of it, path by path. */
#include "enforce/undo.h"

#include "base/err.h"
#include "value/path.h"
#include "value/value.h"

/* --- are two values the same? --- */

enum { SAME_DEPTH = 200, SAME_SET_MAX = 1000 };

static bool same(const struct value *a, const struct value *b, unsigned depth_left);

static bool is_nothing(const struct value *v)
{
    return !v || v->kind == VALUE_NULL;
}

static bool same_items(const struct value *a, const struct value *b, unsigned depth_left)
{
    bool set = a->kind == VALUE_SET || b->kind == VALUE_SET;
    if (a->len != b->len)
        return false;
    for (uint32_t i = 0; i < a->len; i++) {
        bool found = same(&a->items[i], &b->items[i], depth_left);
        for (uint32_t k = 0; set && !found && k < b->len && b->len <= SAME_SET_MAX; k++)
            found = same(&a->items[i], &b->items[k], depth_left);
        if (!found)
            return false;
    }
    return true;
}

/* A member that is not there is as good as one that is null. */
static bool same_members(const struct value *a, const struct value *b, unsigned depth_left)
{
    for (uint32_t i = 0; i < a->len; i++)
        if (!same(&a->members[i].value, value_get(b, key_str(a->members[i].key)), depth_left))
            return false;
    for (uint32_t i = 0; i < b->len; i++)
        if (!is_nothing(&b->members[i].value) && !value_get(a, key_str(b->members[i].key)))
            return false;
    return true;
}

/* JSON without types beside values of a schema: lists and tuples, maps and objects are one. */
static bool same(const struct value *a, const struct value *b, unsigned depth_left)
{
    if (is_nothing(a) || is_nothing(b))
        return is_nothing(a) && is_nothing(b);
    if (depth_left == 0)
        return false;
    if (value_is_list_like(a) && value_is_list_like(b))
        return same_items(a, b, depth_left - 1);
    if (value_is_object_like(a) && value_is_object_like(b))
        return same_members(a, b, depth_left - 1);
    return value_equal(a, b);
}

/* --- what would be set back --- */

/* Up to the first position in a list or a set: elements may stand elsewhere in the plan. */
static struct path without_positions(struct path path)
{
    size_t n = 0;
    while (n < path.n && path.step[n].kind == PATH_KEY)
        n++;
    return (struct path){path.step, n};
}

static bool is_unknown(const struct undo_deed *deed, struct path path)
{
    for (size_t n = 0; n <= path.n; n++) {
        struct path up = {path.step, n};
        const struct value *told = deed->unknown ? path_find(deed->unknown, up) : NULL;
        const struct value *after = deed->after ? path_find(deed->after, up) : NULL;
        if ((told && told->kind == VALUE_BOOL && told->truth) ||
            (after && after->kind == VALUE_UNKNOWN))
            return true;
    }
    return false;
}

/* Where code has no say the change itself must say that it changes something. */
static bool is_changed(const struct undo_deed *deed, struct path place)
{
    return !is_unknown(deed, place) && deed->before && deed->after &&
           !same(path_find(deed->before, place), path_find(deed->after, place), SAME_DEPTH);
}

bool undo_acts(enum plan_action action)
{
    return action == PLAN_CREATE || action == PLAN_UPDATE || action == PLAN_REPLACE ||
           action == PLAN_DELETE || action == PLAN_UNKNOWN_ACTION;
}

/* Would another value be left there than is live now? What cannot be compared: yes. */
bool undo_sets_back(struct arena *arena, const struct undo_deed *deed, enum finding_class class_,
                    const struct change *change)
{
    struct path path;
    struct err err = {0};
    bool follows = !change->configurable || class_ == CLASS_STATE_ONLY;
    if (change->ignored_by.len)
        return false;
    if (deed->action == PLAN_DELETE)
        return !follows;
    if (!path_parse(arena, change->path, &path, &err))
        return true;
    struct path place = without_positions(path);
    if (follows && !is_changed(deed, place))
        return false;
    if (is_unknown(deed, place) || !deed->after)
        return true;
    const struct value *after = path_find(deed->after, place);
    if (deed->live && (!place.n || value_get(deed->live, place.step[0].key)))
        return !same(path_find(deed->live, place), after, SAME_DEPTH);
    if (change->sensitive || place.n != path.n)
        return true;
    return !same(change->after, after, SAME_DEPTH);
}

static bool has_element(const struct value *list, const struct value *element)
{
    for (uint32_t i = 0; i < list->len; i++)
        if (same(&list->items[i], element, SAME_DEPTH))
            return true;
    return false;
}

bool undo_shows(struct arena *arena, const struct value *tree, const struct change *change)
{
    struct path path;
    struct err err = {0};
    if (!tree || change->sensitive || !path_parse(arena, change->path, &path, &err))
        return false;
    if (!path.n || path.step[path.n - 1].kind != PATH_ELEMENT)
        return same(path_find(tree, path), change->after, SAME_DEPTH);
    const struct value *list = path_find(tree, (struct path){path.step, path.n - 1});
    if (!list || !value_is_list_like(list) || list->len > SAME_SET_MAX)
        return false;
    return is_nothing(change->after) ? !has_element(list, change->before)
                                     : has_element(list, change->after);
}
