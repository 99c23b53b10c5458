/* spot.h - where a value of a document stands: its path, and its line and column in the file.
 *
 * Made after a rule has objected, of the text and the tree walked side by side: a document that
 * nobody objects to costs nothing
 * Owner:   the arena; the documents outlive it
 */
#pragma once
#include "model/finding.h"
#include "value/path.h"
#include "value/value.h"

struct arena;
struct documents;
struct document;
struct err;
struct spots;

struct spot {
    struct path path;   /* in the document, from its root */
    struct location at; /* file, line and column; line 0: not known */
    struct str line;    /* the whole line; empty: not known, or too long to show */
};

enum { SPOT_LINE_MAX = 240 };

/* Of one document of the file. */
bool spots_open(struct arena *arena, const struct documents *documents,
                const struct document *document, struct spots **ret, struct err *err);
/*
 * A node of the document; or one that is a copy of such a node (of what is no text and no
 * collection, nothing can be told then). `missing` and nmissing: keys that it lacks; the path goes
 * on with them, the place is that of what lacks them. False: it is not of this document.
 */
bool spots_find(const struct spots *spots, const struct value *node, const struct value *copy,
                const struct value *missing, size_t nmissing, struct spot *ret);
/* How many steps it is below the root of its file; SIZE_MAX: not of this document. */
size_t spots_depth(const struct spots *spots, const struct value *node, const struct value *copy);
/* The place of a path, of its deepest part that there is. */
struct spot spots_at(const struct spots *spots, struct path path);
