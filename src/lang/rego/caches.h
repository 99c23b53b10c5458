/* caches.h - what built-ins keep: compiled patterns and the like, which depend on a text alone.
 *
 * Owner: the evaluation, whose objects are closed with it. The first few of short texts go to the
 * policy instead, so that the next evaluation, of any thread, has them already
 */
#pragma once
#include "base/str.h"

struct arena;
struct rego_caches;
struct rego_shared;

/* Those of a policy. NULL where memory is out. */
struct rego_shared *rego_shared_open(void);
void rego_shared_close(struct rego_shared *shared);
/* Those of an evaluation; shared may be NULL. NULL where memory is out. */
struct rego_caches *rego_caches_open(struct arena *arena, struct rego_shared *shared);
void rego_caches_close(struct rego_caches *caches);
/* The object kept under kind and key, or NULL. */
void *rego_cache_find(const struct rego_caches *caches, const char *kind, struct str key);
/* Keep it; close (may be NULL) is called at the end. False: not kept, the caller closes it. */
bool rego_cache_keep(struct rego_caches *caches, const char *kind, struct str key, void *object,
                     void (*close)(void *object));
