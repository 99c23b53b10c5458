/* str.h - a view of bytes that somebody else owns; no terminator needed, NUL bytes allowed. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *ptr;
    size_t len;
};
#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_INIT(literal) \
    { \
        (literal), sizeof(literal) - 1 \
    }                                    /* in static tables */
#define STR_ARG(s) (int)(s).len, (s).ptr /* "%.*s", STR_ARG(name) */

struct str str_from(const char *c_string); /* NULL gives the empty view */
bool str_equal(struct str a, struct str b);
int str_compare(struct str a, struct str b); /* bytewise, prefix first */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
struct str str_sub(struct str s, size_t from, size_t to); /* clamped to s */
struct str str_trim(struct str s);                        /* ASCII blanks off both ends */
/* Index of the first occurrence at or after `from`, or SIZE_MAX. */
size_t str_find(struct str s, struct str needle, size_t from);
size_t str_find_char(struct str s, char c, size_t from);
/* Cut at the first `c`: head before it, s becomes what follows. False (head = s, s empty) if none.
 */
bool str_cut(struct str *s, char c, struct str *ret_head);
/* The whole of s as a decimal int64 ("-12"); false on anything else or overflow. */
bool str_to_int64(struct str s, int64_t *ret);
/* qsort and bsearch over arrays of struct str. */
int str_compare_qsort(const void *a, const void *b);
/* The candidate nearest to `word` (edit distance at most a third of its length), or {0}: for hints.
 */
struct str str_nearest(struct str word, const struct str *candidates, size_t n);
