/* textdiff.h - two texts to a unified diff, as `diff -u` and `git apply` read it.
 *
 * Limits:  time is bounded: for texts that differ almost everywhere the diff is right but may be
 *          longer than the shortest one; memory is linear in the lines
 * Errors:  ERR_LIMIT when the arena or the buffer is full
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct arena;
struct buf;
struct err;

enum { TEXTDIFF_CONTEXT = 3 }; /* lines shown around a change */

/* Append the difference with its two header lines; nothing where the texts are equal. */
bool textdiff_unified(struct arena *arena, struct str old_name, struct str old_text,
                      struct str new_name, struct str new_text, struct buf *out, struct err *err);
