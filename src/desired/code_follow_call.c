/* code_follow_call.c - functions that pass an argument on, or a part of one: which one it is. */
#include "desired/code_follow.h"

static const struct value *member_at(const struct value *v, const struct path_step *step)
{
    if (step->kind == PATH_KEY)
        return value_get(v, step->key);
    if ((v->kind == VALUE_LIST || v->kind == VALUE_TUPLE) && step->index >= 0 &&
        step->index < v->len)
        return &v->items[step->index];
    return NULL;
}

/* What would have been taken, were it there. */
static void note_absent(struct code_follow *f, const struct code_source *source,
                        const struct hcl_expr *expr, struct path rest)
{
    f->absent = expr;
    f->absent_at = *source;
    f->absent_rest = rest;
}

/* The last argument that has the key. */
static const struct hcl_expr *pick_merge(struct code_follow *f, const struct code_source *source,
                                         const struct hcl_expr *call, struct path *rest)
{
    struct value v;
    for (size_t i = call->call.nargs; rest->n && !call->call.expand && i-- > 0;)
        if (code_follow_eval(f, source, call->call.arg[i], &v) && member_at(&v, &rest->step[0]))
            return call->call.arg[i];
    return NULL;
}

static const struct hcl_expr *pick_first(struct code_follow *f, const struct code_source *source,
                                         const struct hcl_expr *call, struct path *rest)
{
    (void)f;
    (void)source;
    (void)rest;
    return call->call.nargs ? call->call.arg[0] : NULL;
}

/* toset([...]): of an element nothing is said by a path */
static const struct hcl_expr *pick_set(struct code_follow *f, const struct code_source *source,
                                       const struct hcl_expr *call, struct path *rest)
{
    return rest->n ? NULL : pick_first(f, source, call, rest);
}

static const struct hcl_expr *pick_try(struct code_follow *f, const struct code_source *source,
                                       const struct hcl_expr *call, struct path *rest)
{
    struct value v;
    for (size_t i = 0; i < call->call.nargs; i++) {
        if (!code_follow_eval(f, source, call->call.arg[i], &v))
            continue;
        if (i)
            note_absent(f, source, call->call.arg[0], *rest);
        return call->call.arg[i];
    }
    return NULL;
}

static const struct hcl_expr *pick_coalesce(struct code_follow *f, const struct code_source *source,
                                            const struct hcl_expr *call, struct path *rest)
{
    struct value v;
    for (size_t i = 0; i < call->call.nargs && !call->call.expand; i++) {
        if (!code_follow_eval(f, source, call->call.arg[i], &v) || v.kind == VALUE_UNKNOWN)
            return NULL;
        bool empty = v.kind == VALUE_NULL || (v.kind == VALUE_STRING && v.len == 0) ||
                     (value_is_list_like(&v) && v.len == 0);
        if (!empty && i)
            note_absent(f, source, call->call.arg[0], *rest);
        if (!empty)
            return call->call.arg[i];
    }
    return NULL;
}

/* lookup(map, key, default) */
static const struct hcl_expr *pick_lookup(struct code_follow *f, const struct code_source *source,
                                          const struct hcl_expr *call, struct path *rest)
{
    struct value map, key;
    struct path_step step;
    if (call->call.nargs < 2 || !code_follow_eval(f, source, call->call.arg[0], &map) ||
        !code_follow_eval(f, source, call->call.arg[1], &key) || !code_follow_step(&key, &step))
        return NULL;
    if (!member_at(&map, &step)) {
        struct path there;
        if (code_follow_prepend(f, step, *rest, &there))
            note_absent(f, source, call->call.arg[0], there);
        return call->call.nargs > 2 ? call->call.arg[2] : NULL;
    }
    return code_follow_prepend(f, step, *rest, rest) ? call->call.arg[0] : NULL;
}

/* element(list, i) */
static const struct hcl_expr *pick_element(struct code_follow *f, const struct code_source *source,
                                           const struct hcl_expr *call, struct path *rest)
{
    struct value list, key;
    int64_t i;
    if (call->call.nargs != 2 || !code_follow_eval(f, source, call->call.arg[0], &list) ||
        !code_follow_eval(f, source, call->call.arg[1], &key) || !value_to_int64(&key, &i) ||
        !value_is_list_like(&list) || list.len == 0 || i < 0)
        return NULL;
    struct path_step step = {.kind = PATH_INDEX, .index = i % list.len};
    return code_follow_prepend(f, step, *rest, rest) ? call->call.arg[0] : NULL;
}

/* one([x]) */
static const struct hcl_expr *pick_one(struct code_follow *f, const struct code_source *source,
                                       const struct hcl_expr *call, struct path *rest)
{
    struct path_step step = {.kind = PATH_INDEX, .index = 0};
    (void)source;
    return call->call.nargs == 1 && code_follow_prepend(f, step, *rest, rest) ? call->call.arg[0]
                                                                              : NULL;
}

/* concat(a, b): the index counts through them */
static const struct hcl_expr *pick_concat(struct code_follow *f, const struct code_source *source,
                                          const struct hcl_expr *call, struct path *rest)
{
    struct value v;
    if (rest->n == 0 || rest->step[0].kind != PATH_INDEX || call->call.expand)
        return NULL;
    int64_t left = rest->step[0].index;
    for (size_t i = 0; i < call->call.nargs; i++) {
        if (!code_follow_eval(f, source, call->call.arg[i], &v) || !value_is_list_like(&v))
            return NULL;
        struct path_step step = {.kind = PATH_INDEX, .index = left};
        if (left < v.len)
            return code_follow_prepend(f, step, code_follow_tail(*rest), rest) ? call->call.arg[i]
                                                                               : NULL;
        left -= v.len;
    }
    return NULL;
}

/* The steps to the element of nested lists that stands at *left of all of them. */
static bool find_flat(const struct value *v, int64_t *left, struct path_step *step, size_t room,
                      size_t *ret_n)
{
    for (uint32_t i = 0; room && i < v->len; i++) {
        const struct value *item = &v->items[i];
        step[*ret_n] = (struct path_step){.kind = PATH_INDEX, .index = i};
        ++*ret_n;
        if (item->kind == VALUE_LIST || item->kind == VALUE_TUPLE) {
            if (find_flat(item, left, step, room - 1, ret_n))
                return true;
        } else if (item->kind == VALUE_SET) {
            *left -= item->len; /* none of its elements has a place */
            if (*left < 0)
                return false;
        } else if ((*left)-- == 0) {
            return true;
        }
        --*ret_n;
    }
    return false;
}

/* flatten([[a], [b, c]]): the index counts through them */
static const struct hcl_expr *pick_flatten(struct code_follow *f, const struct code_source *source,
                                           const struct hcl_expr *call, struct path *rest)
{
    struct path_step step[HCL_STEPS_MAX];
    struct value v;
    size_t n = 0;
    if (rest->n == 0 || rest->step[0].kind != PATH_INDEX || call->call.nargs != 1 ||
        !code_follow_eval(f, source, call->call.arg[0], &v) ||
        !(v.kind == VALUE_LIST || v.kind == VALUE_TUPLE))
        return NULL;
    int64_t left = rest->step[0].index;
    if (left < 0 || !find_flat(&v, &left, step, HCL_STEPS_MAX, &n) || left >= 0)
        return NULL;
    *rest = code_follow_tail(*rest);
    while (n-- > 0)
        if (!code_follow_prepend(f, step[n], *rest, rest))
            return NULL;
    return call->call.arg[0];
}

void code_follow_call(struct code_follow *f, const struct code_source *source,
                      const struct hcl_expr *expr, struct path rest, unsigned depth_left)
{
    static const struct {
        const char *name;
        const struct hcl_expr *(*pick)(struct code_follow *f, const struct code_source *source,
                                       const struct hcl_expr *call, struct path *rest);
    } rows[] = {
        {"merge", pick_merge},
        {"try", pick_try},
        {"coalesce", pick_coalesce},
        {"lookup", pick_lookup},
        {"coalescelist", pick_coalesce},
        {"element", pick_element},
        {"one", pick_one},
        {"concat", pick_concat},
        {"flatten", pick_flatten},
        {"tomap", pick_first},
        {"tolist", pick_first},
        {"toset", pick_set},
        {"tostring", pick_first},
        {"tonumber", pick_first},
        {"tobool", pick_first},
        {"sensitive", pick_first},
        {"nonsensitive", pick_first},
        {"ephemeralasnull", pick_first},
    };
    struct str name = expr->call.name;
    if (str_starts(name, STR("core::")))
        name = str_sub(name, STR("core::").len, name.len);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_equal(name, str_from(rows[i].name))) {
            const struct hcl_expr *arg = rows[i].pick(f, source, expr, &rest);
            if (arg)
                code_follow_expr(f, source, arg, rest, depth_left - 1);
            return;
        }
}
