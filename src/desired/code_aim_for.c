/* code_aim_for.c - `for` and splat expressions turned around: what they go through, with what comes
 * and without what goes. */
#include <string.h>

#include "desired/code_aim.h"
#include "lang/hcl/edit_assign.h"
#include "lang/hcl/eval_parts.h"

/* What is gone through, and what is made of each element. */
struct going {
    struct code_follow *f;
    const struct code_source *source;
    const struct hcl_expr *expr, *over, *each; /* over: what it goes through; each: what is made */
    const struct hcl_expr *each_key;           /* or NULL */
    struct value collection;
    size_t n;
    struct value *key, *element; /* of each element of the collection */
    bool *passes;
    struct value *made_key, *made; /* of those that pass */
    bool splat;
};

static bool note(struct going *g, size_t at, const struct value *made_key)
{
    if (made_key->kind == VALUE_UNKNOWN || value_any_unknown(&g->made[at]))
        return false;
    g->passes[at] = true;
    g->made_key[at] = *made_key;
    return true;
}

static bool go_for(struct going *g)
{
    struct hcl_iteration it;
    int64_t passed = 0;
    size_t at = 0;
    if (!hcl_iterate(&g->f->code->ev, &g->collection, g->over->range, &it))
        return false;
    for (; hcl_iteration_next(&it, &g->key[at], &g->element[at]); at++) {
        struct code_element element = {
            .key = g->key[at], .value = g->element[at], .set = g->collection.kind == VALUE_SET};
        struct value made_key;
        if (!element.set && !code_follow_step(&element.key, &element.step))
            return false;
        struct code_source inner = code_follow_bind(g->f, g->source, g->expr, &element);
        if (!code_follow_passes(g->f, &inner, g->expr, passed, &made_key))
            continue;
        passed++;
        if (!code_follow_eval(g->f, &inner, g->each, &g->made[at]) || !note(g, at, &made_key))
            return false;
    }
    return true;
}

static bool go_splat(struct going *g)
{
    struct value all;
    if (!code_follow_eval(g->f, g->source, g->expr, &all) || !value_is_list_like(&all) ||
        all.len != g->collection.len || g->collection.kind == VALUE_SET)
        return false;
    for (uint32_t i = 0; i < all.len; i++) {
        struct value index = value_int(i);
        g->element[i] = g->collection.items[i];
        g->made[i] = all.items[i];
        if (!note(g, i, &index))
            return false;
    }
    return true;
}

static bool go(struct going *g)
{
    struct arena *arena = g->f->arena;
    bool list = value_is_list_like(&g->collection);
    if (!list && (g->splat || !value_is_object_like(&g->collection)))
        return false;
    g->n = g->collection.len;
    g->key = arena_new(arena, struct value, g->n);
    g->element = arena_new(arena, struct value, g->n);
    g->passes = arena_new(arena, bool, g->n);
    g->made_key = arena_new(arena, struct value, g->n);
    g->made = arena_new(arena, struct value, g->n);
    if (!g->key || !g->element || !g->passes || !g->made_key || !g->made) {
        g->f->full = true;
        return false;
    }
    return g->splat ? go_splat(g) : go_for(g);
}

/* --- from what is made back to the element --- */

struct element {
    struct value key, value; /* unknown: nothing is said of it */
};

static bool name_is(const struct going *g, const struct hcl_expr *expr, bool key)
{
    if (g->splat)
        return !key && expr->kind == HCL_EXPR_SPLAT_ITEM;
    struct str name = key ? g->expr->for_->key_name : g->expr->for_->value_name;
    return expr->kind == HCL_EXPR_VARIABLE && name.len && str_equal(expr->name, name);
}

static bool say(struct value *ret, const struct value *v)
{
    if (ret->kind != VALUE_UNKNOWN)
        return code_aim_alike(ret, v);
    *ret = *v;
    return true;
}

/* x.a.b of the element: that member of it. */
static bool say_member(struct going *g, struct str name, const struct value *v, struct value *ret)
{
    uint32_t old = value_is_object_like(ret) ? ret->len : 0;
    const struct value *has = value_get(ret, name);
    if (has)
        return code_aim_alike(has, v);
    if (ret->kind != VALUE_UNKNOWN && !value_is_object_like(ret))
        return false;
    struct value_member *members = arena_new(g->f->arena, struct value_member, (size_t)old + 1);
    if (!members || !(members[old].key = key_make(g->f->arena, name)))
        return false;
    for (uint32_t i = 0; i < old; i++)
        members[i] = ret->members[i];
    members[old].value = *v;
    return value_members(VALUE_OBJECT, members, (size_t)old + 1, ret, NULL, NULL);
}

static bool invert(struct going *g, const struct hcl_expr *expr, const struct value *v,
                   struct element *ret, unsigned depth_left);

static bool invert_object(struct going *g, const struct hcl_expr *expr, const struct value *v,
                          struct element *ret, unsigned depth_left)
{
    struct str key;
    if (!value_is_object_like(v))
        return false;
    for (size_t i = 0; i < expr->items.n; i++) {
        const struct value *member =
            edit_key(g->f->arena, &expr->items.item[i], &key) ? value_get(v, key) : NULL;
        if (!member || !invert(g, expr->items.item[i].value, member, ret, depth_left))
            return false;
    }
    return true;
}

/* "pre-${x}": what stands between the texts. */
static bool invert_template(struct going *g, const struct hcl_expr *expr, const struct value *v,
                            struct element *ret, unsigned depth_left)
{
    struct str text, before = STR(""), behind = STR("");
    const struct hcl_expr *inner = NULL;
    if (!code_aim_text(g->f, v, &text))
        return false;
    for (size_t i = 0; i < expr->parts.n; i++) {
        const struct hcl_expr *part = expr->parts.part[i];
        if (part->kind != HCL_EXPR_STRING) {
            if (inner)
                return false;
            inner = part;
        } else if (inner) {
            behind = value_text(&part->value);
        } else {
            before = value_text(&part->value);
        }
    }
    if (!inner || text.len < before.len + behind.len || !str_starts(text, before) ||
        !str_ends(text, behind))
        return false;
    struct value middle = value_string(str_sub(text, before.len, text.len - behind.len));
    return invert(g, inner, &middle, ret, depth_left);
}

static bool invert(struct going *g, const struct hcl_expr *expr, const struct value *v,
                   struct element *ret, unsigned depth_left)
{
    struct value literal;
    if (depth_left-- == 0)
        return false;
    expr = edit_inner(expr);
    if (name_is(g, expr, true))
        return say(&ret->key, v);
    if (name_is(g, expr, false))
        return say(&ret->value, v);
    if (expr->kind == HCL_EXPR_ATTRIBUTE && name_is(g, expr->get.source, false))
        return say_member(g, expr->get.name, v, &ret->value);
    if (expr->kind == HCL_EXPR_OBJECT)
        return invert_object(g, expr, v, ret, depth_left);
    if (expr->kind == HCL_EXPR_TEMPLATE)
        return invert_template(g, expr, v, ret, depth_left);
    if (expr->kind == HCL_EXPR_CALL && expr->call.nargs == 1 && !expr->call.expand &&
        (edit_is_call(expr, STR("tostring")) || edit_is_call(expr, STR("tonumber")) ||
         edit_is_call(expr, STR("upper")) || edit_is_call(expr, STR("lower"))))
        return invert(g, expr->call.arg[0], v, ret, depth_left);
    if (hcl_is_literal(expr))
        return hcl_static_value(g->f->arena, expr, &literal) && code_aim_alike(&literal, v);
    /* What does not depend on the element must be as it is. */
    return code_follow_eval(g->f, g->source, expr, &literal) && code_aim_alike(&literal, v);
}

/* An element that gives the result. */
static bool make(struct going *g, const struct value *key, const struct value *v,
                 struct element *ret)
{
    *ret = (struct element){value_unknown(NULL), value_unknown(NULL)};
    return (!g->each_key || invert(g, g->each_key, key, ret, HCL_DEPTH_MAX)) &&
           invert(g, g->each, v, ret, HCL_DEPTH_MAX) && ret->value.kind != VALUE_UNKNOWN;
}

/* --- the collection anew --- */

struct made { /* what is wished for: which element gives it now; SIZE_MAX: none */
    const struct value *key, *value;
    size_t of;
};

/* Elements that pass are matched with what is wished for: by key, else those that are equal, in
 * order. */
static void match(const struct going *g, struct made *made, size_t n, bool keys, bool ordered)
{
    bool *taken = arena_new(g->f->arena, bool, g->n);
    size_t from = 0;
    for (size_t i = 0; taken && i < n; i++) {
        made[i].of = SIZE_MAX;
        for (size_t k = ordered ? from : 0; k < g->n && made[i].of == SIZE_MAX; k++) {
            if (g->passes[k] && !taken[k] &&
                (keys ? code_aim_alike(&g->made_key[k], made[i].key)
                      : code_aim_alike(&g->made[k], made[i].value)))
                made[i].of = k;
        }
        if (made[i].of == SIZE_MAX)
            continue;
        taken[made[i].of] = true;
        from = made[i].of + 1;
    }
}

static bool is_kept(const struct made *made, size_t n, size_t element)
{
    for (size_t i = 0; i < n; i++)
        if (made[i].of == element)
            return true;
    return false;
}

/* The list or set with what stays, without what goes, and what is new behind what it follows. */
static bool remake_list(struct going *g, struct made *made, size_t n, struct value *ret)
{
    struct value *items = arena_new(g->f->arena, struct value, g->n + n);
    struct element fresh;
    size_t count = 0, next = 0;
    if (!items)
        return false;
    for (size_t k = 0; k <= g->n; k++) {
        bool kept = k < g->n && g->passes[k] && is_kept(made, n, k);
        for (; next < n && (kept || k == g->n) && made[next].of != k; next++) {
            if (made[next].of != SIZE_MAX)
                continue;
            if (!make(g, made[next].key, made[next].value, &fresh))
                return false;
            items[count++] = fresh.value;
        }
        if (k < g->n && (kept || !g->passes[k]))
            items[count++] = g->element[k];
        next += kept && next < n;
    }
    *ret = value_items(g->collection.kind == VALUE_SET ? VALUE_SET : VALUE_TUPLE, items, count);
    return true;
}

static bool remake_map(struct going *g, struct made *made, size_t n, struct value *ret)
{
    struct value_member *members = arena_new(g->f->arena, struct value_member, g->n + n);
    struct element fresh;
    size_t count = 0;
    if (!members)
        return false;
    for (size_t k = 0; k < g->n; k++)
        if (!g->passes[k] || is_kept(made, n, k))
            members[count++] = g->collection.members[k];
    for (size_t i = 0; i < n; i++) {
        if (made[i].of != SIZE_MAX)
            continue;
        if (!make(g, made[i].key, made[i].value, &fresh) || fresh.key.kind != VALUE_STRING ||
            !(members[count].key = key_make(g->f->arena, value_text(&fresh.key))))
            return false;
        members[count++].value = fresh.value;
    }
    return value_members(VALUE_OBJECT, members, count, ret, NULL, NULL);
}

/* What the expression gives is to have other elements: what it goes through gets them. */
static bool aim_elements(struct going *g, struct made *made, size_t n, bool keys,
                         unsigned depth_left)
{
    struct value want;
    bool map = value_is_object_like(&g->collection);
    bool ordered =
        !keys && !map && g->collection.kind != VALUE_SET && g->f->aim->value.kind != VALUE_SET;
    match(g, made, n, keys, ordered);
    if (map ? !remake_map(g, made, n, &want) : !remake_list(g, made, n, &want))
        return false;
    return code_aim_on(g->f, g->source, g->over, (struct path){0}, &want, depth_left);
}

static void aim_list(struct going *g, const struct value *want, unsigned depth_left)
{
    struct made *made = arena_new(g->f->arena, struct made, want->len);
    for (uint32_t i = 0; made && i < want->len; i++)
        made[i].value = &want->items[i];
    if (made)
        (void)aim_elements(g, made, want->len, false, depth_left);
}

/* Keys that come and go; then what the others are to be, one by one. */
static void aim_map(struct going *g, const struct value *old, const struct value *want,
                    unsigned depth_left)
{
    struct made *made = arena_new(g->f->arena, struct made, want->len);
    struct value *key = arena_new(g->f->arena, struct value, want->len);
    bool same_keys = old->len == want->len;
    for (uint32_t i = 0; made && key && i < want->len; i++) {
        key[i] = value_string(key_str(want->members[i].key));
        made[i] = (struct made){.key = &key[i], .value = &want->members[i].value};
        same_keys &= value_get(old, key_str(want->members[i].key)) != NULL;
    }
    if (!made || !key)
        return;
    if (!same_keys && !aim_elements(g, made, want->len, true, depth_left))
        return;
    for (uint32_t i = 0; i < want->len; i++) {
        struct str name = key_str(want->members[i].key);
        const struct value *now = value_get(old, name);
        struct path_step step = {.kind = PATH_KEY, .key = name};
        if (now && !code_aim_alike(now, made[i].value) &&
            !code_aim_on(g->f, g->source, g->expr, code_aim_path(g->f, step, (struct path){0}),
                         made[i].value, depth_left))
            return;
    }
    g->f->aim->hits++;
}

/* The wish for a part as one for the whole: a key that is new, or goes. */
static bool whole_of(struct code_follow *f, const struct value *old, struct path rest,
                     struct value *ret)
{
    if (rest.n != 1 || rest.step[0].kind != PATH_KEY || !value_is_object_like(old))
        return false;
    struct value_member *members = arena_new(f->arena, struct value_member, (size_t)old->len + 1);
    size_t n = 0;
    for (uint32_t i = 0; members && i < old->len; i++)
        if (!str_equal(key_str(old->members[i].key), rest.step[0].key))
            members[n++] = old->members[i];
    if (!members)
        return false;
    if (!f->aim->unset) {
        if (!(members[n].key = key_make(f->arena, rest.step[0].key)))
            return false;
        members[n++].value = f->aim->value;
    }
    return value_members(VALUE_OBJECT, members, n, ret, NULL, NULL);
}

bool code_aim_for(struct code_follow *f, const struct code_source *source,
                  const struct hcl_expr *expr, struct path rest, unsigned depth_left)
{
    bool splat = expr->kind == HCL_EXPR_SPLAT;
    struct going g = {.f = f, .source = source, .expr = expr, .splat = splat};
    struct value old, want = f->aim->value;
    if (depth_left == 0 || (!splat && (expr->for_->in_template || expr->for_->group)) ||
        !code_follow_eval(f, source, expr, &old))
        return true;
    if (rest.n && !(rest.n == 1 && f->aim->unset) && path_find(&old, (struct path){rest.step, 1}))
        return false; /* one element: followed as ever */
    if (rest.n ? !whole_of(f, &old, rest, &want) : f->aim->unset)
        return true;
    g.over = splat ? expr->splat.source : expr->for_->source;
    g.each = splat ? expr->splat.each : expr->for_->value;
    g.each_key = splat ? NULL : expr->for_->key;
    bool ordered = want.kind != VALUE_SET && old.kind != VALUE_SET;
    if (ordered && value_is_list_like(&old) && value_is_list_like(&want) && old.len == want.len) {
        (void)code_aim_parts(f, source, expr, &old, depth_left);
        return true;
    }
    if (!code_follow_eval(f, source, g.over, &g.collection) || !go(&g))
        return true;
    if (value_is_list_like(&old) && value_is_list_like(&want))
        aim_list(&g, &want, depth_left - 1);
    else if (value_is_object_like(&old) && value_is_object_like(&want))
        aim_map(&g, &old, &want, depth_left - 1);
    return true;
}
