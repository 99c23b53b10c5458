/* pathname.h - file names as text: cleaned, made relative; nothing is looked up. */
#pragma once
#include "base/str.h"

struct arena;

enum { PATHNAME_PARTS_MAX = 1000 };

/* Without "." parts, double slashes and "x/.."; "." for nothing. NUL-ended; ptr NULL where the
 * arena is full or the path has more than PATHNAME_PARTS_MAX parts. */
struct str pathname_clean(struct arena *arena, struct str path);
/* path below base ("." for base itself), both cleaned and of one kind; ptr NULL if it is not below.
 */
struct str pathname_below(struct str base, struct str path);
