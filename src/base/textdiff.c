/* textdiff.c - Myers' shortest edit script in linear space, then hunks.
 *
 * Source:  E. Myers, "An O(ND) Difference Algorithm and Its Variations", 1986, section 4b
 */
#include "base/textdiff.h"

#include <limits.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum {
    LINES_MAX = INT_MAX / 4,
    COST_MAX = 4096 /* edits that are tried before a split is taken that may not be the best */
};

struct line {
    struct str text; /* with its newline */
    uint64_t hash;
};
struct side {
    struct line *line;
    bool *changed; /* deleted, or added */
    int n;
};

/* The furthest line of a that a search has reached on each diagonal (line of a - line of b). */
struct wave {
    int *x; /* valid from `low` - 1 to `high` + 1 */
    int low, high;
};
struct differ {
    struct side a, b;
    int *forward, *backward; /* room for every diagonal; index 0 is diagonal 0 */
};

/* A part of both: lines a_from..a_to and b_from..b_to, the ends excluded. */
struct box {
    int a_from, a_to, b_from, b_to;
};
struct point {
    int x, y;
};

static bool same(const struct differ *d, int x, int y)
{
    const struct line *a = &d->a.line[x], *b = &d->b.line[y];
    return a->hash == b->hash && str_equal(a->text, b->text);
}

static bool split_lines(struct arena *arena, struct str text, struct side *ret, struct err *err)
{
    size_t n = 0;
    for (size_t at = 0; at < text.len; n++) {
        size_t end = str_find_char(text, '\n', at);
        at = end == SIZE_MAX ? text.len : end + 1;
    }
    ret->line = arena_new_raw(arena, struct line, n);
    ret->changed = arena_new(arena, bool, n);
    if (n > LINES_MAX || !ret->line || !ret->changed)
        return arena_full(arena, err);
    ret->n = (int)n;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        size_t end = str_find_char(text, '\n', at);
        struct str line = str_sub(text, at, end == SIZE_MAX ? text.len : end + 1);
        uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
        for (size_t k = 0; k < line.len; k++)
            hash = (hash ^ (unsigned char)line.ptr[k]) * 0x100000001b3u;
        ret->line[i] = (struct line){line, hash};
        at += line.len;
    }
    return true;
}

/* --- the edit script --- */

/* The diagonals that one more edit can reach, kept inside the box; what lies beside them is `none`,
 * which no search prefers. */
static void widen(struct wave *w, const struct box *box, int none)
{
    if (w->low > box->a_from - box->b_to)
        w->x[--w->low - 1] = none;
    else
        w->low++;
    if (w->high < box->a_to - box->b_from)
        w->x[++w->high + 1] = none;
    else
        w->high--;
}

static bool reached(const struct wave *w, int diagonal)
{
    return diagonal >= w->low && diagonal <= w->high;
}

/* One more edit from the start; true where this search meets the other. */
static bool go_forward(const struct differ *d, const struct box *box, struct wave *w,
                       const struct wave *other, bool may_meet, struct point *ret)
{
    widen(w, box, -1);
    for (int k = w->high; k >= w->low; k -= 2) {
        int x = w->x[k - 1] >= w->x[k + 1] ? w->x[k - 1] + 1 : w->x[k + 1];
        for (; x < box->a_to && x - k < box->b_to && same(d, x, x - k); x++) {}
        w->x[k] = x;
        if (may_meet && reached(other, k) && other->x[k] <= x) {
            *ret = (struct point){x, x - k};
            return true;
        }
    }
    return false;
}

/* The same from the end. */
static bool go_backward(const struct differ *d, const struct box *box, struct wave *w,
                        const struct wave *other, bool may_meet, struct point *ret)
{
    widen(w, box, INT_MAX);
    for (int k = w->high; k >= w->low; k -= 2) {
        int x = w->x[k - 1] < w->x[k + 1] ? w->x[k - 1] : w->x[k + 1] - 1;
        for (; x > box->a_from && x - k > box->b_from && same(d, x - 1, x - k - 1); x--) {}
        w->x[k] = x;
        if (may_meet && reached(other, k) && x <= other->x[k]) {
            *ret = (struct point){x, x - k};
            return true;
        }
    }
    return false;
}

/* Where the search from the start got furthest: good enough when the best split costs too much. */
static struct point furthest(const struct wave *w, const struct box *box)
{
    struct point best = {box->a_from, box->b_from};
    for (int k = w->high; k >= w->low; k -= 2) {
        int x = w->x[k] < box->a_to ? w->x[k] : box->a_to;
        int y = x - k < box->b_to ? x - k : box->b_to;
        x = y + k;
        if (x >= box->a_from && y >= box->b_from && x + y > best.x + best.y)
            best = (struct point){x, y};
    }
    return best;
}

/* A point of a shortest path through the box, which has lines of both that differ at its corners.
 */
static struct point split(const struct differ *d, const struct box *box)
{
    int start = box->a_from - box->b_from, end = box->a_to - box->b_to;
    struct wave forward = {d->forward, start, start}, backward = {d->backward, end, end};
    bool odd = (start - end) & 1;
    struct point at;
    forward.x[start] = box->a_from;
    backward.x[end] = box->a_to;
    for (int cost = 1; cost < COST_MAX; cost++)
        if (go_forward(d, box, &forward, &backward, odd, &at) ||
            go_backward(d, box, &backward, &forward, !odd, &at))
            return at;
    return furthest(&forward, box);
}

static void mark(bool *changed, int from, int to)
{
    for (int i = from; i < to; i++)
        changed[i] = true;
}

/* The smaller part by recursion, the larger one in the loop: the depth is the logarithm of the
 * lines. */
static void compare(struct differ *d, struct box box)
{
    for (;;) {
        while (box.a_from < box.a_to && box.b_from < box.b_to && same(d, box.a_from, box.b_from)) {
            box.a_from++;
            box.b_from++;
        }
        while (box.a_from < box.a_to && box.b_from < box.b_to &&
               same(d, box.a_to - 1, box.b_to - 1)) {
            box.a_to--;
            box.b_to--;
        }
        if (box.a_from == box.a_to || box.b_from == box.b_to) {
            mark(d->a.changed, box.a_from, box.a_to);
            mark(d->b.changed, box.b_from, box.b_to);
            return;
        }
        struct point at = split(d, &box);
        struct box before = {box.a_from, at.x, box.b_from, at.y};
        struct box after = {at.x, box.a_to, at.y, box.b_to};
        bool before_is_small =
            at.x - box.a_from + at.y - box.b_from < box.a_to - at.x + box.b_to - at.y;
        compare(d, before_is_small ? before : after);
        box = before_is_small ? after : before;
    }
}

/* --- hunks --- */

static void put_line(struct buf *out, char sign, const struct line *line)
{
    buf_char(out, sign);
    buf_str(out, line->text);
    if (!str_ends(line->text, STR("\n")))
        buf_str(out, STR("\n\\ No newline at end of file\n"));
}

/* "12,3"; a count of 1 is left out, and of nothing the line before is named. */
static void put_range(struct buf *out, int from, int to)
{
    buf_printf(out, "%d", to > from ? from + 1 : from);
    if (to - from != 1)
        buf_printf(out, ",%d", to - from);
}

static void put_hunk(const struct differ *d, struct box h, struct buf *out)
{
    buf_str(out, STR("@@ -"));
    put_range(out, h.a_from, h.a_to);
    buf_str(out, STR(" +"));
    put_range(out, h.b_from, h.b_to);
    buf_str(out, STR(" @@\n"));
    while (h.a_from < h.a_to || h.b_from < h.b_to) {
        if (h.a_from < h.a_to && d->a.changed[h.a_from])
            put_line(out, '-', &d->a.line[h.a_from++]);
        else if (h.b_from < h.b_to && d->b.changed[h.b_from])
            put_line(out, '+', &d->b.line[h.b_from++]);
        else {
            put_line(out, ' ', &d->a.line[h.a_from++]);
            h.b_from++;
        }
    }
}

/* Over the changes from (x, y) on that are so near each other that their contexts would touch. */
static struct point hunk_end(const struct differ *d, struct point at)
{
    int same_lines = 0;
    while (at.x < d->a.n || at.y < d->b.n) {
        bool gone = at.x < d->a.n && d->a.changed[at.x], come = at.y < d->b.n && d->b.changed[at.y];
        if (!gone && !come && same_lines == 2 * TEXTDIFF_CONTEXT)
            break;
        same_lines = gone || come ? 0 : same_lines + 1;
        at.x += gone || !come;
        at.y += come || !gone;
    }
    int back = same_lines > TEXTDIFF_CONTEXT ? same_lines - TEXTDIFF_CONTEXT : 0;
    return (struct point){at.x - back, at.y - back};
}

static void put_hunks(const struct differ *d, struct buf *out)
{
    for (struct point at = {0, 0}; at.x < d->a.n || at.y < d->b.n;) {
        if (at.x < d->a.n && !d->a.changed[at.x] && at.y < d->b.n && !d->b.changed[at.y]) {
            at.x++;
            at.y++;
            continue;
        }
        int before = at.x < TEXTDIFF_CONTEXT ? at.x : TEXTDIFF_CONTEXT;
        before = at.y < before ? at.y : before;
        struct point end = hunk_end(d, at);
        put_hunk(d, (struct box){at.x - before, end.x, at.y - before, end.y}, out);
        at = end;
    }
}

bool textdiff_unified(struct arena *arena, struct str old_name, struct str old_text,
                      struct str new_name, struct str new_text, struct buf *out, struct err *err)
{
    struct differ d = {0};
    if (str_equal(old_text, new_text))
        return true;
    if (!split_lines(arena, old_text, &d.a, err) || !split_lines(arena, new_text, &d.b, err))
        return false;
    size_t diagonals = (size_t)d.a.n + (size_t)d.b.n + 3;
    int *room = arena_new_raw(arena, int, 2 * diagonals);
    if (!room)
        return arena_full(arena, err);
    d.forward = room + d.b.n + 1;
    d.backward = d.forward + diagonals;
    compare(&d, (struct box){0, d.a.n, 0, d.b.n});
    buf_printf(out, "--- %.*s\n+++ %.*s\n", STR_ARG(old_name), STR_ARG(new_name));
    put_hunks(&d, out);
    return buf_ok(out, err);
}
