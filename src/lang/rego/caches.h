/* caches.h - what built-ins keep within one evaluation: compiled patterns and the like, by text.
 *
 * Owner: the evaluation; objects are closed with it
 */
#pragma once
#include "base/str.h"

struct arena;
struct rego_caches;

/* NULL where memory is out. */
struct rego_caches *rego_caches_open(struct arena *arena);
void rego_caches_close(struct rego_caches *caches);
/* The object kept under kind and key, or NULL. */
void *rego_cache_find(const struct rego_caches *caches, const char *kind, struct str key);
/* Keep it; close (may be NULL) is called at the end. False: not kept, the caller closes it. */
bool rego_cache_keep(struct rego_caches *caches, const char *kind, struct str key, void *object,
                     void (*close)(void *object));
