/* kept_changes.h - what differs in a finding of the store, read back from the JSON that is kept.
 *
 * Owner:   values and texts live in the arena
 * Secrets: were left behind when it was kept; such a change is `sensitive` and has no values
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct change;
struct err;
struct location;
struct record;

/* detail: the JSON of a finding, as reports have it. What does not say that code cannot set it
 * counts as set by code. ERR_SYNTAX for what is no finding. */
bool kept_changes_parse(struct arena *arena, struct str detail, const struct change **ret,
                        size_t *ret_n, struct err *err);
/* The same, and the place in the code as it was found. */
bool kept_changes_place(struct arena *arena, struct str detail, const struct change **ret,
                        size_t *ret_n, struct location *ret_at, struct err *err);
/* Of the finding with that number in the store; none where it is not there any more. */
bool kept_changes_read(struct arena *arena, struct record *record, int64_t finding,
                       const struct change **ret, size_t *ret_n, struct err *err);
