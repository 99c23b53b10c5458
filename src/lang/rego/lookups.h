/* lookups.h - which refs to input ever found what they look for, over many evaluations.
 *
 * Owner:  the arena it was made in. One thread at a time
 */
#pragma once
#include "lang/rego/rego.h"

struct arena;
struct rego_pattern;
struct rego_lookups;

/* For struct rego_eval_options; NULL: the arena is full. */
struct rego_lookups *rego_lookups_make(struct arena *arena);
/* The path of a ref (n keys, known by their address) was looked for. Without memory: not counted.
 */
void rego_lookups_count(struct rego_lookups *lookups, const struct rego_pattern *at, size_t n,
                        bool had);
/*
 * "input.spec.replicas", "input.items[_].name": looked for and never found, sorted. What stands
 * behind a key that is not known while compiling is told as [_]. False: the arena is full.
 */
bool rego_lookups_never_had(const struct rego_lookups *lookups, struct arena *arena,
                            struct str **ret, size_t *ret_n);
