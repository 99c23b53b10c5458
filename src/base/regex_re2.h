/* regex_re2.h - regular expressions as Go, Rego and HCL mean them: RE2 in linear time, leftmost
 * first.
 *
 * Text:    UTF-8. `(?<name>...)` is taken like `(?P<name>...)`; `\C` is refused as Go does
 * Limits:  REGEX_PATTERN_MAX bytes of pattern, REGEX_MEMORY bytes for the program
 * Owner:   the caller closes what it opened; a regex may be used by several threads
 */
#pragma once
#ifdef __cplusplus
extern "C" {
#endif
#include "base/str.h"

enum { REGEX_PATTERN_MAX = 1 << 20, REGEX_MEMORY = 64 << 20, REGEX_GROUPS_MAX = 1000 };

struct regex;
/* NULL with the reason in why ("missing closing )"); close in any case is harmless. */
struct regex *regex_open(struct str pattern, char *why, size_t why_size);
void regex_close(struct regex *regex);
/* Capturing groups, the whole match not counted. */
size_t regex_groups(const struct regex *regex);
/* Name of group i, from 1; ptr NULL if it has none. */
struct str regex_group_name(const struct regex *regex, size_t i);
/*
 * The first match at or behind `from` into ret_group[0..n-1]: 0 the whole, then the groups; ptr
 * NULL where a group took no part. n <= regex_groups() + 1.
 */
bool regex_match(const struct regex *regex, struct str text, size_t from, struct str *ret_group,
                 size_t n);
#ifdef __cplusplus
}
#endif
