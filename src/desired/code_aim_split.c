/* code_aim_split.c - parts one behind the other (of a text, of a list): which of them has to change
 * for another whole. */
#include "desired/code_aim.h"

enum { SEARCH_MAX = 1 << 30 /* elements compared at most where a part is looked for */ };

static bool same(const struct code_split *s, size_t part, size_t to)
{
    return to <= s->want && s->len[part] <= s->want - to && s->same(s->ctx, part, to);
}

/* How many parts stay from the beginning, or from the end, on. */
static size_t staying(const struct code_split *s, bool from_end)
{
    size_t n = 0;
    for (size_t at = 0; n < s->n; n++) {
        size_t part = from_end ? s->n - 1 - n : n, len = s->len[part];
        if (len > s->want - at || !same(s, part, from_end ? s->want - at - len : at))
            break;
        at += len;
    }
    return n;
}

/* Only this part differs; false where the others do not fit. */
static bool only(const struct code_split *s, size_t part)
{
    size_t before = 0, behind = 0;
    for (size_t i = 0; i < part; i++) {
        s->from[i] = before;
        before += s->len[i];
    }
    s->from[part] = before;
    s->from[s->n] = s->want;
    for (size_t i = s->n; i-- > part + 1;) {
        behind += s->len[i];
        if (behind > s->want)
            return false;
        s->from[i] = s->want - behind;
    }
    return before + behind <= s->want;
}

/* Where a part that stays begins, at `from` or behind it: first where the part behind it follows as
 * it is, too. SIZE_MAX: nowhere. */
static size_t find(const struct code_split *s, size_t part, size_t from)
{
    size_t found = SIZE_MAX, len = s->len[part];
    if (len == 0 || s->want > SEARCH_MAX / len)
        return SIZE_MAX;
    for (size_t at = from; at < s->want && len <= s->want - at; at++) {
        if (!same(s, part, at))
            continue;
        size_t behind = at + len;
        if (part + 1 == s->n ? behind == s->want
                             : s->len[part + 1] > 0 && same(s, part + 1, behind))
            return at;
        if (found == SIZE_MAX)
            found = at;
    }
    return found;
}

/* What is not written out stays; what is takes what lies between. */
static bool between(const struct code_split *s)
{
    size_t at = 0;
    for (size_t i = 0; i < s->n; i++) {
        s->from[i] = at;
        if (!s->written[i]) {
            if (!same(s, i, at))
                return false;
            at += s->len[i];
        } else if (i + 1 == s->n) {
            at = s->want;
        } else if (!s->written[i + 1]) {
            bool stays = same(s, i, at) && same(s, i + 1, at + s->len[i]);
            at = stays ? at + s->len[i] : find(s, i + 1, at);
            if (at == SIZE_MAX)
                return false;
        } else if (same(s, i, at)) {
            at += s->len[i];
        }
    }
    s->from[s->n] = s->want;
    return at == s->want;
}

bool code_aim_split(struct code_follow *f, const struct code_split *s)
{
    size_t *candidate = arena_new(f->arena, size_t, s->n), n = 0;
    size_t first = staying(s, false), last = staying(s, true);
    if (!candidate || s->n == 0)
        return false;
    for (unsigned rank = 0; rank < CODE_RANKS; rank++)
        for (size_t i = s->n; i-- > 0;)
            if (i <= first && s->n - 1 - i <= last && s->rank[i] == rank && only(s, i))
                candidate[n++] = i;
    return n ? only(s, candidate[code_aim_choose(f, n)]) : between(s);
}
