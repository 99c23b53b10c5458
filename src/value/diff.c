/* diff.c - the walk behind value_diff(), and the alignment of lists. */
#include "value/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"

enum {
    PAIR_CELLS_MAX = 250000, /* a gap of more before-after pairs is paired by position */
    COST_ALONE = 1000,       /* an element removed or added */
    COST_OTHER_KIND = 1500,  /* replaced by one of another kind: better than removed and added */
    SCRATCH_MAX = 64 << 20
};

struct differ {
    struct arena *arena;
    struct value_change *change;
    size_t n, room, nleaves;
};

static bool diff_at(struct differ *d, const struct path_link *at, const struct value *before,
                    const struct value *after, unsigned depth_left, struct err *err);

static bool emit(struct differ *d, const struct path_link *at, const struct value *before,
                 const struct value *after, struct err *err)
{
    struct path path;
    if (d->n == DIFF_CHANGES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d differences", DIFF_CHANGES_MAX);
    d->change = arena_grow(d->arena, d->change, d->n, &d->room, d->n + 1);
    if (!d->change || !path_from_link(d->arena, at, &path))
        return arena_full(d->arena, err);
    d->change[d->n++] = (struct value_change){path, before, after};
    return true;
}

static size_t count_leaves(const struct value *v, unsigned depth_left)
{
    size_t n = 0;
    if (v->len == 0 || depth_left == 0)
        return 1;
    if (value_is_list_like(v)) {
        for (uint32_t i = 0; i < v->len; i++)
            n += count_leaves(&v->items[i], depth_left - 1);
        return n;
    }
    if (value_is_object_like(v)) {
        for (uint32_t i = 0; i < v->len; i++)
            n += count_leaves(&v->members[i].value, depth_left - 1);
        return n;
    }
    return 1;
}

static size_t leaves(const struct value *v)
{
    return count_leaves(v, VALUE_DEPTH_MAX);
}

/* A whole subtree on one side only, or of another kind on the other. */
static bool replace(struct differ *d, const struct path_link *at, const struct value *before,
                    const struct value *after, struct err *err)
{
    size_t b = before ? leaves(before) : 0, a = after ? leaves(after) : 0;
    d->nleaves += a > b ? a : b;
    return emit(d, at, before, after, err);
}

static bool diff_members(struct differ *d, const struct path_link *at, const struct value *before,
                         const struct value *after, unsigned depth_left, struct err *err)
{
    for (uint32_t i = 0, j = 0; i < before->len || j < after->len;) {
        const struct value_member *b = i < before->len ? &before->members[i] : NULL;
        const struct value_member *a = j < after->len ? &after->members[j] : NULL;
        int side = !a                 ? -1
                   : !b               ? 1
                   : b->key == a->key ? 0
                                      : str_compare(key_str(b->key), key_str(a->key));
        struct path_link here = path_link_key(at, key_str(side > 0 ? a->key : b->key));
        bool ok =
            side ? replace(d, &here, side < 0 ? &b->value : NULL, side > 0 ? &a->value : NULL, err)
                 : diff_at(d, &here, &b->value, &a->value, depth_left, err);
        if (!ok)
            return false;
        i += side <= 0;
        j += side >= 0;
    }
    return true;
}

/* Both are sorted: a merge walk. */
static bool diff_set(struct differ *d, const struct path_link *at, const struct value *before,
                     const struct value *after, struct err *err)
{
    struct path_link here = path_link_index(at, 0);
    here.step.kind = PATH_ELEMENT;
    for (uint32_t i = 0, j = 0; i < before->len || j < after->len;) {
        const struct value *b = i < before->len ? &before->items[i] : NULL;
        const struct value *a = j < after->len ? &after->items[j] : NULL;
        int side = !a ? -1 : !b ? 1 : value_compare(b, a);
        if (side == 0)
            d->nleaves += leaves(b);
        else if (!replace(d, &here, side < 0 ? b : NULL, side > 0 ? a : NULL, err))
            return false;
        i += side <= 0;
        j += side >= 0;
    }
    return true;
}

/* --- lists --- */

/* What happens to an element: both sides = walked into, one side = removed or added. */
struct step_op {
    int64_t index; /* before where there is one, else after */
    const struct value *before, *after;
};
struct ops {
    struct step_op *op;
    size_t n;
    size_t nleaves; /* below the elements that stay */
};

/* The differing middle of two lists. */
struct middle {
    const struct value *before, *after;
    size_t nbefore, nafter;
    size_t at; /* index of the first in both lists */
};

static void add_op(struct ops *ops, const struct middle *m, size_t i, size_t j)
{
    bool b = i != SIZE_MAX, a = j != SIZE_MAX;
    ops->op[ops->n++] = (struct step_op){(int64_t)(m->at + (b ? i : j)), b ? &m->before[i] : NULL,
                                         a ? &m->after[j] : NULL};
}

/* before[i..i_end) against after[j..j_end) one by one. */
static void pair_by_position(struct ops *ops, const struct middle *m, size_t i, size_t i_end,
                             size_t j, size_t j_end)
{
    while (i < i_end || j < j_end) {
        add_op(ops, m, i < i_end ? i : SIZE_MAX, j < j_end ? j : SIZE_MAX);
        i += i < i_end;
        j += j < j_end;
    }
}

/* 0 (equal) .. COST_ALONE (nothing alike): objects by the members that they share. */
static unsigned pair_cost(const struct value *b, const struct value *a)
{
    size_t shared = 0, most = a->len > b->len ? a->len : b->len;
    if (a->kind != b->kind)
        return value_is_list_like(a) || value_is_object_like(a) || value_is_list_like(b) ||
                       value_is_object_like(b)
                   ? COST_OTHER_KIND
                   : COST_ALONE;
    if (most == 0 || !(value_is_object_like(a) || value_is_list_like(a)))
        return COST_ALONE;
    if (value_is_list_like(a)) {
        for (uint32_t i = 0; i < a->len && i < b->len; i++)
            shared += value_equal(&a->items[i], &b->items[i]);
    } else {
        for (uint32_t i = 0, j = 0; i < b->len && j < a->len;) {
            int side = str_compare(key_str(b->members[i].key), key_str(a->members[j].key));
            shared += side == 0 && value_equal(&b->members[i].value, &a->members[j].value);
            i += side <= 0;
            j += side >= 0;
        }
    }
    return (unsigned)(COST_ALONE - COST_ALONE * shared / most);
}

/*
 * A gap between two common elements, p before and q after: the cheapest pairing in order. Filled
 * from the end, so that the way through is read from the start; ties pair first.
 */
static bool pair_gap(struct ops *ops, const struct middle *m, size_t i, size_t i_end, size_t j,
                     size_t j_end)
{
    size_t p = i_end - i, q = j_end - j, width = q + 1;
    if (p == 0 || q == 0 || (p == 1 && q == 1) || p * q > PAIR_CELLS_MAX) {
        pair_by_position(ops, m, i, i_end, j, j_end);
        return true;
    }
    AUTO_ARENA scratch = {.limit = SCRATCH_MAX};
    uint32_t *least = arena_new(&scratch, uint32_t, (p + 1) * width);
    uint16_t *cost = arena_new(&scratch, uint16_t, p * q);
    if (!least || !cost)
        return false;
    for (size_t x = p + 1; x-- > 0;)
        for (size_t y = q + 1; y-- > 0;) {
            uint32_t alone = COST_ALONE;
            if (x == p || y == q) {
                least[x * width + y] = alone * (uint32_t)(p - x + q - y);
                continue;
            }
            cost[x * q + y] = (uint16_t)pair_cost(&m->before[i + x], &m->after[j + y]);
            uint32_t pair = cost[x * q + y] + least[(x + 1) * width + y + 1];
            uint32_t out = alone + least[(x + 1) * width + y];
            uint32_t in = alone + least[x * width + y + 1];
            uint32_t best = out < in ? out : in;
            least[x * width + y] = pair <= best ? pair : best;
        }
    for (size_t x = 0, y = 0; x < p || y < q;) {
        uint32_t here = least[x * width + y];
        if (x < p && y < q && here == cost[x * q + y] + least[(x + 1) * width + y + 1])
            add_op(ops, m, i + x++, j + y++);
        else if (x < p && here == COST_ALONE + least[(x + 1) * width + y])
            add_op(ops, m, i + x++, SIZE_MAX);
        else
            add_op(ops, m, SIZE_MAX, j + y++);
    }
    return true;
}

/* Equal elements get equal numbers: class[0..nbefore) and behind it class[..nafter). */
static bool classify(struct arena *scratch, const struct middle *m, uint32_t *class)
{
    size_t n = m->nbefore + m->nafter, nslots = 16;
    while (nslots < 2 * n)
        nslots *= 2;
    uint64_t *hash = arena_new(scratch, uint64_t, n);
    uint32_t *slot = arena_new(scratch, uint32_t, nslots); /* 1 + the element that stands there */
    if (!hash || !slot)
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct value *v = i < m->nbefore ? &m->before[i] : &m->after[i - m->nbefore];
        hash[i] = value_hash(v, 0);
        size_t at = hash[i] & (nslots - 1);
        for (; slot[at]; at = (at + 1) & (nslots - 1)) {
            size_t other = slot[at] - 1;
            const struct value *o =
                other < m->nbefore ? &m->before[other] : &m->after[other - m->nbefore];
            if (hash[other] == hash[i] && value_equal(o, v))
                break;
        }
        if (!slot[at])
            slot[at] = (uint32_t)i + 1;
        class[i] = slot[at];
    }
    return true;
}

/* The longest common subsequence decides what stays; each gap between is paired. */
static bool align(struct ops *ops, const struct middle *m)
{
    size_t n = m->nbefore, k = m->nafter, width = k + 1;
    AUTO_ARENA scratch = {.limit = SCRATCH_MAX};
    uint32_t *class = arena_new(&scratch, uint32_t, n + k);
    uint16_t *longest = arena_new_raw(&scratch, uint16_t, (n + 1) * width);
    if (!class || !longest || !classify(&scratch, m, class))
        return false;
    const uint32_t *other = class + n;
    for (size_t x = n + 1; x-- > 0;)
        for (size_t y = k + 1; y-- > 0;) {
            uint16_t *cell = &longest[x * width + y];
            if (x == n || y == k)
                *cell = 0;
            else if (class[x] == other[y])
                *cell = (uint16_t)(cell[width + 1] + 1);
            else
                *cell = cell[width] >= cell[1] ? cell[width] : cell[1];
        }
    size_t x = 0, y = 0, i = 0, j = 0; /* i, j: where the gap began */
    while (x < n && y < k) {
        const uint16_t *cell = &longest[x * width + y];
        if (class[x] != other[y]) {
            if (cell[width] >= cell[1])
                x++;
            else
                y++;
            continue;
        }
        if (!pair_gap(ops, m, i, x, j, y))
            return false;
        ops->nleaves += leaves(&m->before[x]);
        i = ++x;
        j = ++y;
    }
    return pair_gap(ops, m, i, n, j, k);
}

/* By index; where one place has several, removed, changed, added. */
static int op_order(const void *a, const void *b)
{
    const struct step_op *x = a, *y = b;
    int rank_x = x->after ? x->before ? 1 : 2 : 0, rank_y = y->after ? y->before ? 1 : 2 : 0;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    return rank_x - rank_y;
}

static bool diff_middle(struct differ *d, const struct path_link *at, const struct middle *m,
                        unsigned depth_left, struct err *err)
{
    AUTO_ARENA scratch = {.limit = SIZE_MAX};
    struct ops ops = {.op = arena_new_raw(&scratch, struct step_op, m->nbefore + m->nafter)};
    if (!ops.op)
        return err_set(err, ERR_LIMIT, "out of memory");
    if (m->nbefore > DIFF_LCS_MAX || m->nafter > DIFF_LCS_MAX || m->nbefore == 0 || m->nafter == 0)
        pair_by_position(&ops, m, 0, m->nbefore, 0, m->nafter);
    else if (!align(&ops, m))
        return err_set(err, ERR_LIMIT, "out of memory");
    d->nleaves += ops.nleaves;
    qsort(ops.op, ops.n, sizeof *ops.op, op_order);
    for (size_t i = 0; i < ops.n; i++) {
        const struct step_op *op = &ops.op[i];
        struct path_link here = path_link_index(at, op->index);
        if (!(op->before && op->after ? diff_at(d, &here, op->before, op->after, depth_left, err)
                                      : replace(d, &here, op->before, op->after, err)))
            return false;
    }
    return true;
}

static bool diff_list(struct differ *d, const struct path_link *at, const struct value *before,
                      const struct value *after, unsigned depth_left, struct err *err)
{
    uint32_t nb = before->len, na = after->len, least = nb < na ? nb : na, head = 0, tail = 0;
    while (head < least && value_equal(&before->items[head], &after->items[head]))
        d->nleaves += leaves(&before->items[head++]);
    while (tail < least - head &&
           value_equal(&before->items[nb - 1 - tail], &after->items[na - 1 - tail]))
        d->nleaves += leaves(&before->items[nb - 1 - tail++]);
    struct middle m = {.nbefore = nb - head - tail, .nafter = na - head - tail, .at = head};
    if (m.nbefore == 0 && m.nafter == 0)
        return true;
    m.before = m.nbefore ? before->items + head : NULL;
    m.after = m.nafter ? after->items + head : NULL;
    if (m.nbefore == 1 && m.nafter == 1) {
        struct path_link here = path_link_index(at, head);
        return diff_at(d, &here, m.before, m.after, depth_left, err);
    }
    return diff_middle(d, at, &m, depth_left, err);
}

static bool diff_at(struct differ *d, const struct path_link *at, const struct value *before,
                    const struct value *after, unsigned depth_left, struct err *err)
{
    if (before->kind != after->kind)
        return replace(d, at, before, after, err);
    bool container = value_is_list_like(before) || value_is_object_like(before);
    if (!container || (before->len == 0 && after->len == 0)) {
        d->nleaves++;
        return value_equal(before, after) || emit(d, at, before, after, err);
    }
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "value nested deeper than %d", VALUE_DEPTH_MAX);
    if (value_is_object_like(before))
        return diff_members(d, at, before, after, depth_left - 1, err);
    if (before->kind == VALUE_SET)
        return diff_set(d, at, before, after, err);
    return diff_list(d, at, before, after, depth_left - 1, err);
}

bool value_diff(struct arena *arena, const struct value *before, const struct value *after,
                struct value_diff *ret, struct err *err)
{
    struct differ d = {.arena = arena};
    if (!diff_at(&d, NULL, before, after, VALUE_DEPTH_MAX, err))
        return false;
    *ret = (struct value_diff){d.change, d.n, d.nleaves};
    return true;
}
