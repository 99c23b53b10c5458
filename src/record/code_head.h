/* code_head.h - how far a branch has come, for all processes that have their own clone of it: one
 * hears of a push, all fetch.
 *
 * Row:  one for each repository and branch: the newest commit that somebody fetched, and when
 *       somebody asked for a fetch
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;
struct record;

struct code_head {
    struct str hash;        /* empty: nobody has fetched it yet */
    int64_t asked_utc_ms;   /* the last push; 0 = none */
    int64_t fetched_utc_ms; /* when hash was seen first */
};
/* place: repository and branch, as one text. A row that is not there is zeroed. */
bool code_head_get(struct record *record, struct arena *arena, struct str place,
                   struct code_head *ret, struct err *err);
bool code_head_asked(struct record *record, struct str place, struct err *err);
/* before: what the row named when the fetch began. ERR_CONFLICT: it names another by now, which may
 * be newer than what was fetched: fetch again. */
bool code_head_fetched(struct record *record, struct str place, struct str before, struct str hash,
                       struct err *err);
