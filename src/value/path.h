/* path.h - a place in a value tree, as people write it: ingress[0].cidr_blocks, tags["a.b"].
 *
 * Grammar: step = name | "." name | "[" int "]" | "[" quoted "]" | "[*]" ; a name is
 * [A-Za-z_][A-Za-z0-9_-]*, anything else is quoted with JSON escapes. "[*]" is an element of a set.
 * Empty = the root. Bare names of patterns may also hold `*` and `?` (tags.*); printed, a key with
 * such a character is quoted.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct buf;
struct err;
struct value;

enum { PATH_STEPS_MAX = 1000 };

enum path_step_kind { PATH_KEY, PATH_INDEX, PATH_ELEMENT };
struct path_step {
    enum path_step_kind kind;
    struct str key; /* PATH_KEY: attribute, block or map key */
    int64_t index;  /* PATH_INDEX */
};
struct path {
    const struct path_step *step;
    size_t n;
};

/* Errors name the byte (ERR_SYNTAX); views point into text where no escape was needed. */
bool path_parse(struct arena *arena, struct str text, struct path *ret, struct err *err);
/* Is the key printed bare ([A-Za-z_][A-Za-z0-9_-]*), not quoted? */
bool path_is_name(struct str key);
void path_print(struct buf *out, struct path path);
/* path_print into the arena; ptr NULL where it is full. */
struct str path_text(struct arena *arena, struct path path);
bool path_equal(struct path a, struct path b);
int path_compare(struct path a, struct path b); /* indices as numbers, keys bytewise */
bool path_starts(struct path path, struct path prefix);
/*
 * Does a pattern cover the path? A pattern is a path whose keys may be globs (`tags.*`), `[*]`
 * stands for any index, key or element, and a pattern covers everything below what it names.
 */
bool path_covered(struct path pattern, struct path path);
/* The node at the path, NULL if there is none (also: into a set). */
const struct value *path_find(const struct value *root, struct path path);

/* A path as a recursive walk knows it: linked upwards through the stack, NULL = the root. */
struct path_link {
    const struct path_link *up;
    size_t depth; /* steps from the root */
    struct path_step step;
};
static inline struct path_link path_link_key(const struct path_link *up, struct str key)
{
    return (struct path_link){up, up ? up->depth + 1 : 1, {.kind = PATH_KEY, .key = key}};
}
static inline struct path_link path_link_index(const struct path_link *up, int64_t index)
{
    return (struct path_link){up, up ? up->depth + 1 : 1, {.kind = PATH_INDEX, .index = index}};
}
/* The same as a path in the arena; false where that is full. */
bool path_from_link(struct arena *arena, const struct path_link *link, struct path *ret);
/* path_print of it; longer than PATH_STEPS_MAX: its last steps. */
__attribute__((noinline)) /* its stack must not become part of a recursive walk */
void path_print_link(struct buf *out, const struct path_link *link);
