/* edit_merge.c - keys of merge(...): in those of its arguments that are objects as written. */
#include "base/arena.h"
#include "lang/hcl/edit_assign.h"

static const struct hcl_expr *object_argument(const struct hcl_expr *merge, size_t i)
{
    const struct hcl_expr *arg = edit_inner(merge->call.arg[i]);
    return arg->kind == HCL_EXPR_OBJECT ? arg : NULL;
}

/* The last argument that is an object and has the key; NULL where none has. */
static const struct hcl_expr *argument_with(struct arena *arena, const struct hcl_expr *merge,
                                            struct str key, size_t *ret_item)
{
    bool computed;
    for (size_t i = merge->call.nargs; i-- > 0;) {
        const struct hcl_expr *arg = object_argument(merge, i);
        *ret_item = arg ? edit_find_item(arena, arg, key, &computed) : SIZE_MAX;
        if (*ret_item != SIZE_MAX)
            return arg;
    }
    return NULL;
}

/* Where new keys go; NULL where no argument is an object. */
static const struct hcl_expr *last_object(const struct hcl_expr *merge)
{
    for (size_t i = merge->call.nargs; i-- > 0;)
        if (object_argument(merge, i))
            return object_argument(merge, i);
    return NULL;
}

/* What the other keys come from: the only argument that is no object as written, or the call. */
static bool blocked(const struct hcl_expr *merge, struct path rest, struct hcl_obstacle *ret)
{
    const struct hcl_expr *other = NULL;
    for (size_t i = 0; i < merge->call.nargs; i++) {
        if (object_argument(merge, i))
            continue;
        other = other ? merge : edit_inner(merge->call.arg[i]);
    }
    return edit_obstacle(HCL_OBSTACLE_MERGED, other ? other : merge, rest, ret);
}

bool edit_set_merged(struct hcl_edit *edit, const struct hcl_expr *merge, struct path rest,
                     const struct value *v, struct hcl_known known, struct hcl_obstacle *ret)
{
    size_t item;
    struct str key = edit_step_key(edit->arena, &rest.step[0]);
    const struct hcl_expr *arg = argument_with(edit->arena, merge, key, &item);
    if (!arg && !known.old)
        arg = last_object(merge);
    return arg ? hcl_edit_set(edit, arg, rest, v, known, ret) : blocked(merge, rest, ret);
}

bool edit_unset_merged(struct hcl_edit *edit, const struct hcl_expr *merge, struct path rest,
                       struct hcl_known known, struct hcl_obstacle *ret)
{
    struct str key = edit_step_key(edit->arena, &rest.step[0]);
    bool any = false, computed;
    for (size_t i = 0; i < merge->call.nargs; i++) {
        const struct hcl_expr *arg = object_argument(merge, i);
        if (!arg || edit_find_item(edit->arena, arg, key, &computed) == SIZE_MAX)
            continue;
        any = true;
        if (!hcl_edit_unset(edit, arg, rest, known, ret))
            return false;
    }
    return any || blocked(merge, rest, ret);
}

/* Keys of one argument that the new value lacks go; new ones come if it is the last object. */
static bool rewrite_argument(struct hcl_edit *edit, const struct hcl_expr *arg,
                             const struct value *v, const struct hcl_new_item *add, size_t nadd)
{
    bool *gone = arena_new(edit->arena, bool, arg->items.n), any = nadd > 0;
    struct str key;
    for (size_t i = 0; gone && i < arg->items.n; i++)
        any |= gone[i] = edit_key(edit->arena, &arg->items.item[i], &key) && !value_get(v, key);
    if (gone && any)
        hcl_edit_object(edit, arg, gone, add, nadd);
    return gone;
}

bool edit_assign_merge(struct hcl_edit *edit, const struct hcl_expr *merge, const struct value *v,
                       struct hcl_known known, unsigned depth_left, struct hcl_obstacle *ret)
{
    const struct value *old = known.old;
    struct hcl_new_item *add = arena_new(edit->arena, struct hcl_new_item, v->len);
    size_t nadd = 0, item;
    if (!value_is_object_like(v) || !value_is_object_like(old))
        return edit_blocked(merge, (struct path){0}, ret);
    for (uint32_t i = 0; add && i < v->len; i++) {
        struct str key = key_str(v->members[i].key);
        const struct value *member = &v->members[i].value;
        struct hcl_known now = edit_member_known(known, key);
        const struct hcl_expr *arg = argument_with(edit->arena, merge, key, &item);
        if (edit_same(now.old, member))
            continue;
        if (!arg && (now.old || !last_object(merge)))
            return blocked(merge, (struct path){0}, ret);
        if (!arg)
            add[nadd++] = (struct hcl_new_item){.key = key, .value = member};
        else if (!edit_assign(edit, edit_inner(arg->items.item[item].value), member, now,
                              depth_left, ret))
            return false;
    }
    for (uint32_t i = 0; i < old->len; i++) {
        struct str key = key_str(old->members[i].key);
        if (!value_get(v, key) && !argument_with(edit->arena, merge, key, &item))
            return blocked(merge, (struct path){0}, ret);
    }
    for (size_t i = 0; add && i < merge->call.nargs; i++) {
        const struct hcl_expr *arg = object_argument(merge, i);
        if (arg && !rewrite_argument(edit, arg, v, add, arg == last_object(merge) ? nadd : 0))
            add = NULL;
    }
    return add || edit_obstacle(HCL_OBSTACLE_MEMORY, merge, (struct path){0}, ret);
}
