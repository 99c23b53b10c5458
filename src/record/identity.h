/* identity.h - every name that a resource of any state goes by, and which resource that is.
 *
 * Names:   ids, ARNs, self links, names and what a resource refers to, normalised, so that a
 * cloud's spelling finds the provider's: without case, without service prefixes, a zone's id bare
 * Kept:    64 bits of each name: a lookup may find a resource too many, never one too few
 * Fed:     by whoever read a stack's state (identities_read, then identities_write before the run's
 *          own transaction: a big stack's first index takes seconds, which no other writer is to
 *          wait for); a state that is the same as before costs one comparison
 * Secrets: sensitive attributes are left out
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct buf;
struct err;
struct record;

/* X(constant, what it tells the reader), best first */
#define IDENTITY_RANKS(X) \
    X(IDENTITY_EXACT, "its ARN, id or self link") \
    X(IDENTITY_NAME, "what it is called; others may be called so, too") \
    X(IDENTITY_REFERENCE, "what it belongs to or points at")

#define X(constant, meaning) constant,
enum identity_rank { IDENTITY_RANKS(X) IDENTITY_RANK_COUNT };
#undef X

enum { IDENTITY_TEXT_MAX = 2048, IDENTITIES_PER_RESOURCE = 64, IDENTITIES_PART = 2000 };

/* One spelling for all, into `out` (cleared before). False: no identifier (empty, too long). */
bool identity_normalise(struct buf *out, struct str text);
int64_t identity_hash(struct str normalised);

/* --- feeding --- */

struct identities; /* those of one state */
/* All managed resources of a state's text. The store is only read: where it has this very state,
 * ret is NULL. Lives in `arena`, not in the text. */
bool identities_read(struct record *record, struct arena *arena, struct str stack, struct str text,
                     const char *name, struct identities **ret, struct err *err);
/* Is what the store has of the stack from this very text? Without one (empty): has it nothing? */
bool identities_are_of(struct record *record, struct str stack, struct str text, bool *ret,
                       struct err *err);
/* The same of a text that is not empty, by its hash_bytes(text, 0). */
bool identities_are_of_hash(struct record *record, struct str stack, uint64_t hash, bool *ret,
                            struct err *err);
/* What differs from the store's, in transactions of IDENTITIES_PART resources at most, so that
 * others may write between them; within one that is open: in that one. NULL is fine. */
bool identities_write(struct record *record, const struct identities *identities, struct err *err);
/* The same; between: called where others may write. */
bool identities_write_parts(struct record *record, const struct identities *identities,
                            void (*between)(void *ctx), void *ctx, struct err *err);
/* The stack is no more. */
bool identities_drop(struct record *record, struct str stack, struct err *err);

/* --- asking --- */

struct identity_hit {
    int64_t hash;
    enum identity_rank rank;
    struct str stack, address, type;
    struct str cloud, account, region; /* where its own names tell; or empty */
};
/* Who goes by any of these names, all of them: for each 32 names the best first, then the oldest.
 * The texts of a hit are gone after the call. */
bool identities_find(struct record *record, const int64_t *hash, size_t n,
                     bool (*take)(void *ctx, const struct identity_hit *hit, struct err *err),
                     void *ctx, struct err *err);
/* The names of one resource itself, without what it refers to. */
bool identities_of(struct record *record, struct arena *arena, struct str stack, struct str address,
                   int64_t **ret_hash, size_t *ret_n, struct err *err);
