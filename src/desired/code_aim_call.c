/* code_aim_call.c - calls turned around: what an argument has to be for another result. */
#include <string.h>

#include "desired/code_aim.h"
#include "lang/hcl/edit_assign.h"

/* A call that is reached, with what is left of the path. */
struct turning {
    struct code_follow *f;
    const struct code_source *source;
    const struct hcl_expr *call;
    struct path rest;
    unsigned depth_left;
};

static bool argument(struct turning *t, size_t i, struct value *ret)
{
    return i < t->call->call.nargs && code_follow_eval(t->f, t->source, t->call->call.arg[i], ret);
}

static void aim_argument(struct turning *t, size_t i, struct path rest, const struct value *want)
{
    (void)code_aim_on(t->f, t->source, t->call->call.arg[i], rest, want, t->depth_left);
}

static const struct value *wish(const struct turning *t)
{
    return t->f->aim->unset ? NULL : &t->f->aim->value;
}

/* What a function of one argument makes of a value. */
static bool call_with(struct turning *t, const char *name, const struct value *v, struct value *ret)
{
    struct hcl_expr arg = {.kind = HCL_EXPR_LITERAL, .range = t->call->range, .value = *v};
    const struct hcl_expr *args[] = {&arg};
    struct hcl_expr call = {
        .kind = HCL_EXPR_CALL,
        .range = t->call->range,
        .call = {.name = str_from(name), .name_range = t->call->range, .arg = args, .nargs = 1}};
    return code_follow_eval(t->f, t->source, &call, ret) && !value_any_unknown(ret);
}

/* --- pieces: arguments, and the elements of one that is expanded --- */

struct piece {
    const struct hcl_expr *expr;
    bool indexed;
    struct path_step step;
    struct value value;
    unsigned char rank;
    bool written;
};
struct pieces {
    struct piece *item;
    size_t n, room;
};

static bool add_piece(struct turning *t, struct pieces *p, const struct hcl_expr *expr,
                      const struct value *v, int64_t index)
{
    struct piece *grown = arena_grow(t->f->arena, p->item, p->n, &p->room, p->n + 1);
    if (!grown || value_any_unknown(v))
        return false;
    const struct hcl_expr *inner = edit_inner(expr);
    const struct hcl_expr *own =
        index >= 0 && inner->kind == HCL_EXPR_TUPLE && (uint64_t)index < inner->parts.n
            ? inner->parts.part[index]
            : expr;
    p->item = grown;
    grown[p->n++] = (struct piece){.expr = expr,
                                   .indexed = index >= 0,
                                   .step = {.kind = PATH_INDEX, .index = index},
                                   .value = *v,
                                   .rank = code_aim_rank(t->f, t->source, own),
                                   .written = code_aim_written(own)};
    return true;
}

/* The elements of an argument. */
static bool elements_of(struct turning *t, struct pieces *p, const struct hcl_expr *expr)
{
    struct value v;
    if (!code_follow_eval(t->f, t->source, expr, &v) ||
        (v.kind != VALUE_LIST && v.kind != VALUE_TUPLE))
        return false;
    for (uint32_t i = 0; i < v.len; i++)
        if (!add_piece(t, p, expr, &v.items[i], i))
            return false;
    return true;
}

static bool pieces_of(struct turning *t, struct pieces *ret)
{
    const struct hcl_expr *call = t->call;
    struct value v;
    *ret = (struct pieces){0};
    for (size_t i = 0; i < call->call.nargs; i++) {
        const struct hcl_expr *arg = call->call.arg[i];
        bool expanded = call->call.expand && i + 1 == call->call.nargs;
        if (expanded
                ? !elements_of(t, ret, arg)
                : !code_follow_eval(t->f, t->source, arg, &v) || !add_piece(t, ret, arg, &v, -1))
            return false;
    }
    return ret->n > 0;
}

static bool aim_piece(struct turning *t, const struct piece *piece, struct path rest,
                      const struct value *want)
{
    if (piece->indexed)
        rest = code_aim_path(t->f, piece->step, rest);
    return code_aim_on(t->f, t->source, piece->expr, rest, want, t->depth_left);
}

/* --- merge() --- */

static const struct value *member_of(const struct piece *piece, struct path rest)
{
    return rest.step[0].kind == PATH_KEY ? value_get(&piece->value, rest.step[0].key) : NULL;
}

/* Where a key could be written: in the piece that has it, then in one behind it that is written
 * out; where none has it, in any, the likeliest first. */
static size_t places_for_key(struct turning *t, const struct pieces *p, size_t *place)
{
    size_t n = 0, has = p->n;
    while (has > 0 && !member_of(&p->item[has - 1], t->rest))
        has--;
    if (has > 0)
        place[n++] = has - 1;
    for (unsigned rank = 0; rank < CODE_RANKS; rank++)
        for (size_t i = p->n; i-- > has;)
            if (p->item[i].rank == rank && value_is_object_like(&p->item[i].value) &&
                (has == 0 || rank + 1 < CODE_RANKS))
                place[n++] = i;
    return n;
}

static bool turn_merge(struct turning *t)
{
    struct pieces p;
    struct value old;
    if (t->rest.n == 0) {
        if (code_follow_eval(t->f, t->source, t->call, &old))
            (void)code_aim_parts(t->f, t->source, t->call, &old, t->depth_left);
        return true;
    }
    if (!pieces_of(t, &p))
        return true;
    if (t->f->aim->unset && t->rest.n == 1) {
        for (size_t i = p.n; i-- > 0;)
            if (member_of(&p.item[i], t->rest) && !aim_piece(t, &p.item[i], t->rest, NULL))
                return true;
        return true;
    }
    size_t *place = arena_new(t->f->arena, size_t, p.n),
           n = place ? places_for_key(t, &p, place) : 0;
    if (n)
        (void)aim_piece(t, &p.item[place[code_aim_choose(t->f, n)]], t->rest, wish(t));
    return true;
}

/* --- sets: what comes and what goes --- */

static struct value difference(struct turning *t, const struct value *from,
                               const struct value *without)
{
    struct value *items = arena_new(t->f->arena, struct value, from->len);
    size_t n = 0;
    for (uint32_t i = 0; items && i < from->len; i++)
        if (!code_aim_has(without, &from->items[i]))
            items[n++] = from->items[i];
    return value_items(VALUE_TUPLE, items, items ? n : 0);
}

static bool loses(const struct piece *piece, const struct value *gone)
{
    for (uint32_t i = 0; i < piece->value.len; i++)
        if (code_aim_has(gone, &piece->value.items[i]))
            return true;
    return false;
}

/* Which piece gets the new elements: one that loses some, else one that is written out ... */
static size_t taker_of(struct turning *t, const struct pieces *p, const struct value *gone)
{
    size_t *candidate = arena_new(t->f->arena, size_t, p->n), n = 0;
    for (unsigned rank = 0; candidate && rank < 2 * CODE_RANKS; rank++)
        for (size_t i = p->n; i-- > 0;)
            if (p->item[i].rank + (loses(&p->item[i], gone) ? 0u : CODE_RANKS) == rank)
                candidate[n++] = i;
    return n ? candidate[code_aim_choose(t->f, n)] : SIZE_MAX;
}

/* The piece without what goes, and with what comes: in the place of what goes, then at the end. */
static bool remake(struct turning *t, const struct piece *piece, const struct value *gone,
                   const struct value *come)
{
    const struct value *old = &piece->value;
    size_t n = 0, next = 0;
    struct value *items = arena_new(t->f->arena, struct value, (size_t)old->len + come->len);
    if (!items)
        return false;
    for (uint32_t i = 0; i < old->len; i++) {
        if (!code_aim_has(gone, &old->items[i]))
            items[n++] = old->items[i];
        else if (next < come->len)
            items[n++] = come->items[next++];
    }
    while (next < come->len)
        items[n++] = come->items[next++];
    struct value want = value_items(old->kind == VALUE_SET ? VALUE_SET : VALUE_TUPLE, items, n);
    return aim_piece(t, piece, (struct path){0}, &want);
}

static void aim_sets(struct turning *t, const struct pieces *p)
{
    const struct value *want = &t->f->aim->value, none = value_items(VALUE_TUPLE, NULL, 0);
    struct value old;
    if (!code_follow_eval(t->f, t->source, t->call, &old) || !value_is_list_like(&old) ||
        !value_is_list_like(want))
        return;
    for (size_t i = 0; i < p->n; i++)
        if (!value_is_list_like(&p->item[i].value))
            return;
    struct value gone = difference(t, &old, want), come = difference(t, want, &old);
    size_t taker = come.len ? taker_of(t, p, &gone) : SIZE_MAX;
    for (size_t i = 0; i < p->n; i++)
        if ((i == taker || loses(&p->item[i], &gone)) &&
            !remake(t, &p->item[i], &gone, i == taker ? &come : &none))
            return;
    t->f->aim->hits++;
}

/* setunion(); of distinct(), sort() and their like only what comes and goes is told. */
static bool turn_set(struct turning *t)
{
    struct pieces p;
    struct value old, arg;
    if (t->rest.n || t->f->aim->unset || !pieces_of(t, &p))
        return true;
    bool ordered = t->f->aim->value.kind != VALUE_SET && p.n == 1;
    if (ordered && code_follow_eval(t->f, t->source, t->call, &old) && argument(t, 0, &arg) &&
        code_aim_alike(&old, &arg))
        (void)aim_piece(t, &p.item[0], (struct path){0}, wish(t));
    else
        aim_sets(t, &p);
    return true;
}

/* setsubtract(a, b): b stays */
static bool turn_subtract(struct turning *t)
{
    struct pieces p;
    if (t->rest.n || t->f->aim->unset || !pieces_of(t, &p))
        return true;
    p.n = 1;
    aim_sets(t, &p);
    return true;
}

/* --- lists one behind the other --- */

struct lists {
    const struct pieces *p;
    const struct value *want;
};

static size_t length_of(const struct piece *piece)
{
    return value_is_list_like(&piece->value) ? piece->value.len : 1;
}

static bool same_items(const void *ctx, size_t part, size_t to)
{
    const struct lists *l = ctx;
    const struct value *v = &l->p->item[part].value;
    if (!value_is_list_like(v))
        return code_aim_alike(v, &l->want->items[to]);
    for (uint32_t i = 0; i < v->len; i++)
        if (!code_aim_alike(&v->items[i], &l->want->items[to + i]))
            return false;
    return true;
}

static void aim_lists(struct turning *t, const struct pieces *p)
{
    struct code_follow *f = t->f;
    const struct value want = f->aim->value;
    struct lists lists = {p, &want};
    size_t *len = arena_new(f->arena, size_t, p->n), *from = arena_new(f->arena, size_t, p->n + 1);
    unsigned char *rank = arena_new(f->arena, unsigned char, p->n);
    bool *written = arena_new(f->arena, bool, p->n);
    if (!len || !from || !rank || !written || !value_is_list_like(&want))
        return;
    for (size_t i = 0; i < p->n; i++) {
        len[i] = length_of(&p->item[i]);
        rank[i] = p->item[i].rank;
        written[i] = p->item[i].written;
    }
    struct code_split split = {p->n, len, rank, written, want.len, same_items, &lists, from};
    if (!code_aim_split(f, &split))
        return;
    for (size_t i = 0; i < p->n; i++) {
        size_t n = from[i + 1] - from[i];
        const struct value *items = want.items + from[i];
        struct value part = value_items(VALUE_TUPLE, items, n);
        if (n == len[i] && same_items(&lists, i, from[i]))
            continue;
        bool scalar = !value_is_list_like(&p->item[i].value);
        if (scalar && n != 1)
            return;
        if (!aim_piece(t, &p->item[i], (struct path){0}, scalar ? items : &part))
            return;
    }
    f->aim->hits++;
}

static bool turn_concat(struct turning *t)
{
    struct pieces p;
    if (t->rest.n && !t->call->call.expand)
        return false;
    if (t->rest.n || t->f->aim->unset || !pieces_of(t, &p))
        return true;
    if (t->f->aim->value.kind == VALUE_SET)
        aim_sets(t, &p);
    else
        aim_lists(t, &p);
    return true;
}

/* flatten([a, [b, c]]): one level */
static bool turn_flatten(struct turning *t)
{
    struct pieces p = {0};
    bool nested = false;
    if (t->call->call.nargs != 1 || !elements_of(t, &p, t->call->call.arg[0]))
        return true;
    for (size_t i = 0; i < p.n; i++)
        for (uint32_t k = 0; value_is_list_like(&p.item[i].value) && k < p.item[i].value.len; k++)
            nested |= value_is_list_like(&p.item[i].value.items[k]);
    if (nested)
        return true;
    if (t->rest.n == 0) {
        bool set = !t->f->aim->unset && t->f->aim->value.kind == VALUE_SET;
        if (set)
            aim_sets(t, &p);
        else if (!t->f->aim->unset)
            aim_lists(t, &p);
        return true;
    }
    size_t left = (size_t)t->rest.step[0].index;
    if (t->rest.step[0].kind != PATH_INDEX || t->rest.step[0].index < 0)
        return true;
    for (size_t i = 0; i < p.n; left -= length_of(&p.item[i++])) {
        if (left >= length_of(&p.item[i]))
            continue;
        struct path inner = {t->rest.step + 1, t->rest.n - 1};
        struct path_step step = {.kind = PATH_INDEX, .index = (int64_t)left};
        if (value_is_list_like(&p.item[i].value))
            inner = code_aim_path(t->f, step, inner);
        (void)aim_piece(t, &p.item[i], inner, wish(t));
        break;
    }
    return true;
}

static bool turn_reverse(struct turning *t)
{
    struct value list, want = t->f->aim->value;
    if (!argument(t, 0, &list) || (list.kind != VALUE_LIST && list.kind != VALUE_TUPLE))
        return true;
    if (t->rest.n && t->rest.step[0].kind == PATH_INDEX) {
        struct path_step step = {.kind = PATH_INDEX,
                                 .index = (int64_t)list.len - 1 - t->rest.step[0].index};
        struct path inner = {t->rest.step + 1, t->rest.n - 1};
        aim_argument(t, 0, code_aim_path(t->f, step, inner), wish(t));
        return true;
    }
    struct value *items = arena_new(t->f->arena, struct value, want.len);
    if (t->rest.n || !items || t->f->aim->unset || !value_is_list_like(&want))
        return true;
    for (uint32_t i = 0; i < want.len; i++)
        items[i] = want.items[want.len - 1 - i];
    struct value back = value_items(VALUE_TUPLE, items, want.len);
    aim_argument(t, 0, (struct path){0}, &back);
    return true;
}

/* values(map)[i], slice(list, from, to)[i] */
static bool turn_values(struct turning *t)
{
    struct value map, old;
    if (!argument(t, 0, &map) || !value_is_object_like(&map))
        return true;
    if (t->rest.n == 0) {
        if (code_follow_eval(t->f, t->source, t->call, &old))
            (void)code_aim_parts(t->f, t->source, t->call, &old, t->depth_left);
        return true;
    }
    int64_t i = t->rest.step[0].kind == PATH_INDEX ? t->rest.step[0].index : -1;
    if (i < 0 || i >= map.len)
        return true;
    struct path_step step = {.kind = PATH_KEY, .key = key_str(map.members[i].key)};
    struct path inner = {t->rest.step + 1, t->rest.n - 1};
    aim_argument(t, 0, code_aim_path(t->f, step, inner), wish(t));
    return true;
}

static bool turn_slice(struct turning *t)
{
    struct value from, old;
    int64_t start;
    if (!argument(t, 1, &from) || !value_to_int64(&from, &start))
        return true;
    if (t->rest.n == 0) {
        if (code_follow_eval(t->f, t->source, t->call, &old))
            (void)code_aim_parts(t->f, t->source, t->call, &old, t->depth_left);
        return true;
    }
    if (t->rest.step[0].kind != PATH_INDEX)
        return true;
    struct path_step step = {.kind = PATH_INDEX, .index = start + t->rest.step[0].index};
    struct path inner = {t->rest.step + 1, t->rest.n - 1};
    aim_argument(t, 0, code_aim_path(t->f, step, inner), wish(t));
    return true;
}

static bool turn_zipmap(struct turning *t)
{
    struct value keys, old;
    if (!argument(t, 0, &keys) || !value_is_list_like(&keys))
        return true;
    if (t->rest.n == 0) {
        if (code_follow_eval(t->f, t->source, t->call, &old))
            (void)code_aim_parts(t->f, t->source, t->call, &old, t->depth_left);
        return true;
    }
    for (uint32_t i = 0; t->rest.step[0].kind == PATH_KEY && i < keys.len; i++) {
        if (keys.items[i].kind != VALUE_STRING ||
            !str_equal(value_text(&keys.items[i]), t->rest.step[0].key))
            continue;
        struct path_step step = {.kind = PATH_INDEX, .index = i};
        struct path inner = {t->rest.step + 1, t->rest.n - 1};
        if (!t->f->aim->unset)
            aim_argument(t, 1, code_aim_path(t->f, step, inner), wish(t));
        break;
    }
    return true;
}

/* --- what gives one of its arguments --- */

/* lookup(map, key, default): the default; else the key is added to the map. */
static bool turn_lookup(struct turning *t)
{
    struct value map, key;
    struct path_step step;
    if (t->call->call.nargs != 3 || !argument(t, 0, &map) || !argument(t, 1, &key) ||
        !code_follow_step(&key, &step) || step.kind != PATH_KEY || value_get(&map, step.key))
        return false;
    if (code_aim_choose(t->f, 2) == 0)
        aim_argument(t, 2, t->rest, wish(t));
    else
        aim_argument(t, 0, code_aim_path(t->f, step, t->rest), wish(t));
    return true;
}

/* Does an argument of coalesce() or coalescelist() count for nothing? */
static bool is_empty(const struct value *v)
{
    return v->kind == VALUE_NULL || (v->kind == VALUE_STRING && v->len == 0) ||
           (value_is_list_like(v) && v->len == 0);
}

/* try(), coalesce(): the argument that gives the value; else one in front of it is made to. */
static bool turn_first(struct turning *t)
{
    struct value v;
    size_t n = t->call->call.nargs, at = 0;
    bool try = edit_is_call(t->call, STR("try"));
    if (t->call->call.expand)
        return true;
    while (at < n && (!argument(t, at, &v) || (!try && is_empty(&v))))
        at++;
    if (at < n)
        aim_argument(t, at - code_aim_choose(t->f, at + 1), t->rest, wish(t));
    return true;
}

/* --- texts --- */

/* jsonencode() and its like: what it is made of. */
static void aim_decoded(struct turning *t, const char *inverse)
{
    struct value want;
    if (t->rest.n == 0 && !t->f->aim->unset && t->f->aim->value.kind == VALUE_STRING &&
        t->call->call.nargs == 1 && call_with(t, inverse, &t->f->aim->value, &want))
        aim_argument(t, 0, (struct path){0}, &want);
}

static bool turn_jsonencode(struct turning *t)
{
    aim_decoded(t, "jsondecode");
    return true;
}

static bool turn_yamlencode(struct turning *t)
{
    aim_decoded(t, "yamldecode");
    return true;
}

static bool turn_base64encode(struct turning *t)
{
    aim_decoded(t, "base64decode");
    return true;
}

static bool turn_base64decode(struct turning *t)
{
    aim_decoded(t, "base64encode");
    return true;
}

/* What is made of a text keeps that text's case where it says all the same. */
static bool turn_case(struct turning *t)
{
    static const char *const cases[] = {"lower", "upper"};
    struct value old, want = t->f->aim->value, made;
    if (t->rest.n || t->f->aim->unset || want.kind != VALUE_STRING || !argument(t, 0, &old))
        return true;
    for (size_t i = 0; i < 2; i++)
        if (call_with(t, cases[i], &old, &made) && value_equal(&made, &old) &&
            call_with(t, cases[i], wish(t), &made)) {
            want = made;
            break;
        }
    aim_argument(t, 0, (struct path){0}, &want);
    return true;
}

/* trimspace(), chomp(), trimsuffix(): what was cut off is there again. */
static bool turn_trim(struct turning *t)
{
    struct value arg, now, want;
    struct str a, b, w;
    if (t->rest.n || t->f->aim->unset || !argument(t, 0, &arg) ||
        !code_follow_eval(t->f, t->source, t->call, &now) || !code_aim_text(t->f, &arg, &a) ||
        !code_aim_text(t->f, &now, &b) || !code_aim_text(t->f, &t->f->aim->value, &w) || !b.len)
        return true;
    size_t at = str_find(a, b, 0);
    if (at == SIZE_MAX)
        return true;
    struct str text = arena_printf(t->f->arena, "%.*s%.*s%.*s", (int)at, a.ptr, STR_ARG(w),
                                   STR_ARG(str_sub(a, at + b.len, a.len)));
    want = value_string(text);
    if (text.ptr)
        aim_argument(t, 0, (struct path){0}, &want);
    return true;
}

static bool cut(struct turning *t, struct str text, struct str by, struct value *ret)
{
    struct value *items = NULL;
    size_t n = 0, room = 0;
    for (size_t at = 0; at <= text.len;) {
        size_t end = str_find(text, by, at);
        if (end == SIZE_MAX)
            end = text.len;
        items = arena_grow(t->f->arena, items, n, &room, n + 1);
        if (!items)
            return false;
        items[n++] = value_string(str_sub(text, at, end));
        at = end + by.len;
        if (end == text.len)
            break;
    }
    *ret = value_items(VALUE_TUPLE, items, n);
    return true;
}

/* join(separator, list) */
static bool turn_join(struct turning *t)
{
    struct value by, want;
    struct str text;
    if (t->rest.n || t->f->aim->unset || t->call->call.nargs != 2 || !argument(t, 0, &by) ||
        by.kind != VALUE_STRING || by.len == 0 || !code_aim_text(t->f, &t->f->aim->value, &text))
        return true;
    want = value_items(VALUE_TUPLE, NULL, 0);
    if (text.len == 0 || cut(t, text, value_text(&by), &want))
        aim_argument(t, 1, (struct path){0}, &want);
    return true;
}

/* split(separator, text) */
static bool turn_split(struct turning *t)
{
    struct value by, old, text;
    struct str all = {0}, part;
    if (!argument(t, 0, &by) || by.kind != VALUE_STRING || t->f->aim->unset ||
        !code_follow_eval(t->f, t->source, t->call, &old) || !value_is_list_like(&old))
        return true;
    bool one = t->rest.n == 1 && t->rest.step[0].kind == PATH_INDEX;
    const struct value *list = one ? &old : &t->f->aim->value;
    if ((t->rest.n && !one) || !value_is_list_like(list))
        return true;
    all = STR("");
    for (uint32_t i = 0; i < list->len; i++) {
        bool this = one && t->rest.step[0].index == i;
        if (!code_aim_text(t->f, this ? &t->f->aim->value : &list->items[i], &part))
            return true;
        all = arena_printf(t->f->arena, "%.*s%.*s%.*s", STR_ARG(all), i ? (int)by.len : 0, by.text,
                           STR_ARG(part));
        if (!all.ptr)
            return true;
    }
    text = value_string(all);
    aim_argument(t, 1, (struct path){0}, &text);
    return true;
}

static bool turn_format(struct turning *t)
{
    return code_aim_format(t->f, t->source, t->call, t->rest, t->depth_left);
}

static bool turn_file(struct turning *t)
{
    return code_aim_file(t->f, t->source, t->call, t->rest);
}

static bool turn_templatefile(struct turning *t)
{
    return code_aim_template_file(t->f, t->source, t->call, t->rest, t->depth_left);
}

/* A function that makes nothing else of one of its arguments, as it is called here: replace() of
 * what is not there, max() of the greatest. */
static void aim_same(struct turning *t)
{
    const struct hcl_expr *call = t->call;
    struct value now, arg;
    size_t *candidate = arena_new(t->f->arena, size_t, call->call.nargs), n = 0;
    if (t->rest.n || t->f->aim->unset || call->call.expand || !candidate ||
        !code_follow_eval(t->f, t->source, call, &now) || value_any_unknown(&now))
        return;
    for (size_t i = 0; i < call->call.nargs; i++)
        if (argument(t, i, &arg) && code_aim_alike(&now, &arg))
            candidate[n++] = i;
    if (n)
        aim_argument(t, candidate[code_aim_choose(t->f, n)], (struct path){0}, wish(t));
}

/* Followed as ever: what it is given is what it gives. */
static bool turn_none(struct turning *t)
{
    (void)t;
    return false;
}

bool code_aim_call(struct code_follow *f, const struct code_source *source,
                   const struct hcl_expr *expr, struct path rest, unsigned depth_left)
{
    static const struct {
        const char *name;
        bool (*turn)(struct turning *t);
    } rows[] = {
        {"base64decode", turn_base64decode},
        {"base64encode", turn_base64encode},
        {"chomp", turn_trim},
        {"coalesce", turn_first},
        {"coalescelist", turn_first},
        {"compact", turn_set},
        {"concat", turn_concat},
        {"distinct", turn_set},
        {"element", turn_none},
        {"ephemeralasnull", turn_none},
        {"file", turn_file},
        {"flatten", turn_flatten},
        {"format", turn_format},
        {"join", turn_join},
        {"jsonencode", turn_jsonencode},
        {"lookup", turn_lookup},
        {"lower", turn_case},
        {"merge", turn_merge},
        {"nonsensitive", turn_none},
        {"one", turn_none},
        {"reverse", turn_reverse},
        {"sensitive", turn_none},
        {"setsubtract", turn_subtract},
        {"setunion", turn_set},
        {"slice", turn_slice},
        {"sort", turn_set},
        {"split", turn_split},
        {"templatefile", turn_templatefile},
        {"title", turn_case},
        {"tobool", turn_none},
        {"tolist", turn_none},
        {"tomap", turn_none},
        {"tonumber", turn_none},
        {"toset", turn_none},
        {"tostring", turn_none},
        {"trim", turn_trim},
        {"trimprefix", turn_trim},
        {"trimspace", turn_trim},
        {"trimsuffix", turn_trim},
        {"try", turn_first},
        {"upper", turn_case},
        {"values", turn_values},
        {"yamlencode", turn_yamlencode},
        {"zipmap", turn_zipmap},
    };
    struct turning t = {f, source, expr, rest, depth_left ? depth_left - 1 : 0};
    struct str name = expr->call.name;
    if (str_starts(name, STR("core::")))
        name = str_sub(name, STR("core::").len, name.len);
    for (size_t i = 0; t.depth_left && i < sizeof rows / sizeof *rows; i++)
        if (str_equal(name, str_from(rows[i].name)))
            return rows[i].turn(&t);
    if (t.depth_left)
        aim_same(&t);
    return true;
}
