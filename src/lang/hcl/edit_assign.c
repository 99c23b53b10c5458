/* edit_assign.c - whole values: what is equal stays as it is written, the rest is written over. */
#include "lang/hcl/edit_assign.h"

#include <string.h>

#include "base/arena.h"
#include "lang/hcl/eval.h"
#include "wire/json.h"

enum { MATCH_CELLS_MAX = 4 << 20 /* larger lists are matched by position */ };

/* --- equal values, whatever kind of list or object holds them --- */

static bool same_at(const struct value *a, const struct value *b, unsigned depth_left);

static bool same_members(const struct value *a, const struct value *b, unsigned depth_left)
{
    if (a->len != b->len)
        return false;
    for (uint32_t i = 0; i < a->len; i++)
        if (!key_equal(a->members[i].key, b->members[i].key) ||
            !same_at(&a->members[i].value, &b->members[i].value, depth_left))
            return false;
    return true;
}

static bool has_same(const struct value *list, const struct value *v, unsigned depth_left)
{
    for (uint32_t i = 0; i < list->len; i++)
        if (same_at(&list->items[i], v, depth_left))
            return true;
    return false;
}

static bool same_items(const struct value *a, const struct value *b, unsigned depth_left)
{
    bool set = a->kind == VALUE_SET || b->kind == VALUE_SET;
    if (a->len != b->len)
        return false;
    for (uint32_t i = 0; i < a->len; i++)
        if (set ? !has_same(b, &a->items[i], depth_left)
                : !same_at(&a->items[i], &b->items[i], depth_left))
            return false;
    return true;
}

static bool same_at(const struct value *a, const struct value *b, unsigned depth_left)
{
    if (depth_left-- == 0 || a->kind == VALUE_UNKNOWN || b->kind == VALUE_UNKNOWN)
        return false;
    if (value_is_object_like(a) && value_is_object_like(b))
        return same_members(a, b, depth_left);
    if (value_is_list_like(a) && value_is_list_like(b))
        return same_items(a, b, depth_left);
    return value_equal(a, b);
}

bool edit_same(const struct value *a, const struct value *b)
{
    return a && b && same_at(a, b, HCL_DEPTH_MAX);
}

/* --- objects --- */

struct hcl_known edit_member_known(struct hcl_known known, struct str key)
{
    struct path_step step = {.kind = PATH_KEY, .key = key};
    return (struct hcl_known){value_get(known.old, key), hcl_type_below(known.type, &step)};
}

/* In an object of a schema null says nothing, so that it need not be written. */
static bool is_absent(const struct value *v, struct hcl_known known)
{
    return !v || (v->kind == VALUE_NULL && known.type && known.type->kind == TYPE_OBJECT);
}

static bool assign_object(struct hcl_edit *edit, const struct hcl_expr *object,
                          const struct value *v, struct hcl_known known, unsigned depth_left,
                          struct hcl_obstacle *ret)
{
    size_t n = object->items.n, nadd = 0;
    bool *gone = arena_new(edit->arena, bool, n), computed, any = false;
    struct hcl_new_item *add = arena_new(edit->arena, struct hcl_new_item, v->len);
    struct str key;
    if (!gone || !add)
        return edit_obstacle(HCL_OBSTACLE_MEMORY, object, (struct path){0}, ret);
    for (size_t i = 0; i < n; i++) {
        if (!edit_key(edit->arena, &object->items.item[i], &key))
            return edit_obstacle(HCL_OBSTACLE_KEY, object, (struct path){0}, ret);
        any |= gone[i] = is_absent(value_get(v, key), known);
    }
    for (uint32_t i = 0; i < v->len; i++) {
        key = key_str(v->members[i].key);
        const struct value *member = &v->members[i].value;
        size_t at = edit_find_item(edit->arena, object, key, &computed);
        if (is_absent(member, known))
            continue;
        if (at == SIZE_MAX)
            add[nadd++] = (struct hcl_new_item){.key = key, .value = member};
        else if (!edit_assign(edit, edit_inner(object->items.item[at].value), member,
                              edit_member_known(known, key), depth_left, ret))
            return false;
    }
    if (any || nadd)
        hcl_edit_object(edit, object, gone, add, nadd);
    return true;
}

/* --- lists --- */

/* What an element gives now. */
static const struct value *element_now(struct hcl_edit *edit, const struct hcl_expr *tuple,
                                       size_t i, struct hcl_known known)
{
    bool positions = known.old && known.old->kind != VALUE_SET && value_is_list_like(known.old) &&
                     known.old->len == tuple->parts.n;
    struct value *now = arena_new(edit->arena, struct value, 1);
    struct path_step step = {.kind = PATH_INDEX, .index = (int64_t)i};
    const struct type *type = hcl_type_below(known.type, &step);
    struct str why;
    if (positions)
        return &known.old->items[i];
    if (!now || !hcl_static_value(edit->arena, tuple->parts.part[i], now))
        return NULL;
    return type && !hcl_convert(edit->arena, now, type, now, &why) ? NULL : now;
}

/* Which new element each old one stays as; SIZE_MAX = none. */
struct matching {
    const struct value **now;
    size_t n, *to;
    bool *taken; /* of the new ones */
};

/* The element of a set that is no literal gives one of the values that no literal gives. */
static void match_rest_of_set(struct matching *m, const struct value *v, struct hcl_known known)
{
    size_t dark = 0, last = 0;
    for (size_t i = 0; i < m->n; i++) {
        dark += !m->now[i];
        last = m->now[i] ? last : i;
    }
    for (uint32_t k = 0; dark == 1 && known.old && k < v->len; k++) {
        if (!m->taken[k] && has_same(known.old, &v->items[k], HCL_DEPTH_MAX)) {
            m->to[last] = k;
            m->taken[k] = true;
            return;
        }
    }
}

static void match_set(struct matching *m, const struct value *v, struct hcl_known known)
{
    for (size_t i = 0; i < m->n; i++) {
        for (uint32_t k = 0; k < v->len && m->to[i] == SIZE_MAX; k++) {
            if (!m->taken[k] && edit_same(m->now[i], &v->items[k])) {
                m->to[i] = k;
                m->taken[k] = true;
            }
        }
    }
    match_rest_of_set(m, v, known);
}

/* Longest common subsequence of what lies between equal ends. */
static bool match_list(struct arena *arena, struct matching *m, const struct value *v)
{
    size_t from = 0, n = m->n, k = v->len;
    while (from < n && from < k && edit_same(m->now[from], &v->items[from])) {
        m->to[from] = from;
        from++;
    }
    for (; n > from && k > from && edit_same(m->now[n - 1], &v->items[k - 1]); n--, k--)
        m->to[n - 1] = k - 1;
    size_t rows = n - from, columns = k - from, stride = columns + 1;
    if (rows == 0 || columns == 0 || rows > MATCH_CELLS_MAX / stride)
        return true;
    uint32_t *length = arena_new(arena, uint32_t, (rows + 1) * stride);
    if (!length)
        return false;
    for (size_t i = rows; i-- > 0;) {
        for (size_t j = columns; j-- > 0;) {
            uint32_t down = length[(i + 1) * stride + j], right = length[i * stride + j + 1];
            length[i * stride + j] = edit_same(m->now[from + i], &v->items[from + j])
                                         ? length[(i + 1) * stride + j + 1] + 1
                                         : (down > right ? down : right);
        }
    }
    for (size_t i = 0, j = 0; i < rows && j < columns;) {
        if (edit_same(m->now[from + i], &v->items[from + j]))
            m->to[from + i++] = from + j++;
        else if (length[(i + 1) * stride + j] >= length[i * stride + j + 1])
            i++;
        else
            j++;
    }
    return true;
}

/* Elements that go are paired with new ones of the same gap, in order: those are changed in place.
 */
static void pair_gaps(struct matching *m, size_t count)
{
    size_t next = 0;
    for (size_t i = 0; i < m->n; i++) {
        size_t until = count;
        if (m->to[i] != SIZE_MAX) {
            next = m->to[i] + 1;
            continue;
        }
        for (size_t k = i + 1; k < m->n && until == count; k++)
            until = m->to[k] != SIZE_MAX ? m->to[k] : count;
        if (next < until)
            m->to[i] = next++;
    }
}

/* In a set places mean nothing: any that goes is paired with any that comes. */
static void pair_set(struct matching *m, const struct value *v)
{
    for (size_t i = 0, k = 0; i < m->n; i++) {
        while (k < v->len && m->taken[k])
            k++;
        if (m->to[i] == SIZE_MAX && k < v->len) {
            m->to[i] = k;
            m->taken[k] = true;
        }
    }
}

static bool any_kept(const struct matching *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->to[i] != SIZE_MAX)
            return true;
    return false;
}

static bool all_scalar(const struct hcl_expr *tuple)
{
    for (size_t i = 0; i < tuple->parts.n; i++) {
        enum hcl_expr_kind kind = edit_inner(tuple->parts.part[i])->kind;
        if (kind == HCL_EXPR_OBJECT || kind == HCL_EXPR_TUPLE)
            return false;
    }
    return true;
}

/* The new order: old elements where they stay or change in place, new ones between. */
static bool write_tuple(struct hcl_edit *edit, const struct hcl_expr *tuple,
                        const struct matching *m, const struct value *v, bool set)
{
    size_t count = 0, next = 0;
    struct hcl_new_element *element = arena_new(edit->arena, struct hcl_new_element, m->n + v->len);
    bool *used = arena_new(edit->arena, bool, v->len), changed = false;
    if (!element || !used)
        return false;
    for (size_t i = 0; i < m->n; i++) {
        if (m->to[i] == SIZE_MAX) {
            changed = true;
            continue;
        }
        for (; !set && next < m->to[i]; next++, changed = true) {
            element[count++].value = &v->items[next];
            used[next] = true;
        }
        element[count++].old = i;
        used[m->to[i]] = true;
        next = m->to[i] + 1;
    }
    for (uint32_t k = 0; k < v->len; k++) {
        if (!used[k]) {
            element[count++].value = &v->items[k];
            changed = true;
        }
    }
    if (changed)
        hcl_edit_tuple(edit, tuple, element, count);
    return true;
}

static bool assign_tuple(struct hcl_edit *edit, const struct hcl_expr *tuple, const struct value *v,
                         struct hcl_known known, unsigned depth_left, struct hcl_obstacle *ret)
{
    bool set = v->kind == VALUE_SET || (known.type && known.type->kind == TYPE_SET);
    struct matching m = {.n = tuple->parts.n,
                         .now = arena_new(edit->arena, const struct value *, tuple->parts.n),
                         .to = arena_new(edit->arena, size_t, tuple->parts.n),
                         .taken = arena_new(edit->arena, bool, v->len)};
    if (!m.now || !m.to || !m.taken)
        return edit_obstacle(HCL_OBSTACLE_MEMORY, tuple, (struct path){0}, ret);
    for (size_t i = 0; i < m.n; i++) {
        m.now[i] = element_now(edit, tuple, i, known);
        m.to[i] = SIZE_MAX;
    }
    if (set)
        match_set(&m, v, known);
    else if (!match_list(edit->arena, &m, v))
        return edit_obstacle(HCL_OBSTACLE_MEMORY, tuple, (struct path){0}, ret);
    if (!any_kept(&m) && m.n != v->len && all_scalar(tuple) && hcl_is_literal(tuple)) {
        hcl_edit_expr(edit, tuple, v);
        return true;
    }
    if (set)
        pair_set(&m, v);
    else
        pair_gaps(&m, v->len);
    for (size_t i = 0; i < m.n; i++) {
        struct path_step step = {.kind = PATH_INDEX, .index = (int64_t)i};
        struct hcl_known element = {m.now[i], hcl_type_below(known.type, &step)};
        if (m.to[i] != SIZE_MAX && !edit_same(m.now[i], &v->items[m.to[i]]) &&
            !(set && !m.now[i] && has_same(known.old, &v->items[m.to[i]], depth_left)) &&
            !edit_assign(edit, edit_inner(tuple->parts.part[i]), &v->items[m.to[i]], element,
                         depth_left, ret))
            return false;
    }
    return write_tuple(edit, tuple, &m, v, set) ||
           edit_obstacle(HCL_OBSTACLE_MEMORY, tuple, (struct path){0}, ret);
}

/* --- calls --- */

static bool decode(struct hcl_edit *edit, const struct value *text, struct value *ret)
{
    return text && text->kind == VALUE_STRING &&
           json_parse(edit->arena, value_text(text), "", JSON_DUPLICATES_LAST | JSON_NFC, ret,
                      NULL);
}

static bool assign_jsonencode(struct hcl_edit *edit, const struct hcl_expr *call,
                              const struct value *v, struct hcl_known known, unsigned depth_left,
                              struct hcl_obstacle *ret)
{
    struct value *want = arena_new(edit->arena, struct value, 2), *now = want + 1;
    if (!want || !decode(edit, v, want))
        return edit_blocked(call, (struct path){0}, ret);
    bool known_now = decode(edit, known.old, now);
    if (known_now && edit_same(want, now))
        return true;
    return edit_assign(edit, edit_inner(call->call.arg[0]), want,
                       (struct hcl_known){known_now ? now : NULL, NULL}, depth_left, ret);
}

bool edit_assign(struct hcl_edit *edit, const struct hcl_expr *expr, const struct value *v,
                 struct hcl_known known, unsigned depth_left, struct hcl_obstacle *ret)
{
    if (edit_same(known.old, v))
        return true;
    if (depth_left == 0)
        return edit_obstacle(HCL_OBSTACLE_MEMORY, expr, (struct path){0}, ret);
    if (expr->kind == HCL_EXPR_OBJECT && value_is_object_like(v))
        return assign_object(edit, expr, v, known, depth_left - 1, ret);
    if (expr->kind == HCL_EXPR_TUPLE && value_is_list_like(v))
        return assign_tuple(edit, expr, v, known, depth_left - 1, ret);
    if (edit_is_call(expr, STR("jsonencode")) && expr->call.nargs == 1)
        return assign_jsonencode(edit, expr, v, known, depth_left - 1, ret);
    if (edit_is_call(expr, STR("merge")))
        return edit_assign_merge(edit, expr, v, known, depth_left - 1, ret);
    if (!hcl_is_literal(expr)) {
        bool compound = expr->kind == HCL_EXPR_OBJECT || expr->kind == HCL_EXPR_TUPLE;
        return compound ? edit_obstacle(HCL_OBSTACLE_REFERENCE, expr, (struct path){0}, ret)
                        : edit_blocked(expr, (struct path){0}, ret);
    }
    hcl_edit_expr(edit, expr, v);
    return true;
}
