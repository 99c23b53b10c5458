/* diff.h - where two values differ, path by path.
 *
 * Order:   stable: as the walk meets them (keys bytewise, indices ascending)
 * Lists:   aligned by longest common subsequence, so that an insertion is one change and a move
 *          two, not n; what lies between equal elements is paired by likeness and walked into. The
 *          index in a path is that in `before`; of an added element, that in `after`. Past
 *          DIFF_LCS_MAX elements in the differing middle, by position
 * Sets:    an element only before or only after is one change at path `x[*]`
 * Marks:   (sensitive, ...) play no part
 */
#pragma once
#include "value/path.h"
#include "value/value.h"

enum { DIFF_LCS_MAX = 2000, DIFF_CHANGES_MAX = 100000 };

struct value_change {
    struct path path;
    const struct value *before, *after; /* NULL on the side that lacks it (null is a value) */
};
struct value_diff {
    const struct value_change *change;
    size_t n;
    size_t nleaves; /* leaves looked at on either side: what coverage counts */
};

/*
 * before, after  of any kinds; a difference of kind is one change at that place
 * Fails with ERR_LIMIT past DIFF_CHANGES_MAX or when the arena is full.
 */
bool value_diff(struct arena *arena, const struct value *before, const struct value *after,
                struct value_diff *ret, struct err *err);
