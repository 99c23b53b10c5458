/* tree.h - the Merkle tree of the audit log: roots, proofs and their verification.
 *
 * Shape:   leaf = SHA-256(0x00 || record), node = SHA-256(0x01 || left || right), the root of
 *          nothing = SHA-256(""). Node (level, i) stands over the leaves
 *          [i << level, (i+1) << level)
 * Owner:   all structs are plain values; no I/O: nodes come from a struct merkle_source
 * Limits:  sizes up to MERKLE_SIZE_MAX; a proof has at most MERKLE_PROOF_MAX hashes
 * Source:  RFC 6962 section 2.1 (RFC 9162 section 2.1.3 and 2.1.4 for verification)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"

struct err;

enum { MERKLE_PROOF_MAX = 64 };
#define MERKLE_SIZE_MAX (INT64_MAX >> 1)

bool merkle_leaf(struct hasher *hasher, struct str record, struct digest *ret);
bool merkle_node(struct hasher *hasher, const struct digest *left, const struct digest *right,
                 struct digest *ret);

/* --- growing --- */

/* The roots of the perfect subtrees over the first `size` leaves, largest first: all that is needed
 * to go on. Zeroed = nothing yet. There are as many as `size` has bits set. */
struct merkle_range {
    uint64_t size;
    struct digest root[MERKLE_PROOF_MAX];
};
size_t merkle_range_count(uint64_t size);
bool merkle_range_add(struct hasher *hasher, struct merkle_range *range, const struct digest *leaf);
bool merkle_range_root(struct hasher *hasher, const struct merkle_range *range, struct digest *ret);

/* --- proving --- */

/* Gives the hash of a perfect node that lies wholly within the tree. */
struct merkle_source {
    bool (*node)(void *ctx, unsigned level, uint64_t index, struct digest *ret, struct err *err);
    void *ctx;
};
struct merkle_proof {
    struct digest hash[MERKLE_PROOF_MAX];
    size_t n;
};

bool merkle_root(struct hasher *hasher, const struct merkle_source *source, uint64_t size,
                 struct digest *ret, struct err *err);
/* The range over the first `size` leaves, to go on from there. */
bool merkle_range_at(const struct merkle_source *source, uint64_t size, struct merkle_range *ret,
                     struct err *err);
/* ERR_USAGE where index >= size, or 0 < first <= second does not hold. */
bool merkle_prove_inclusion(struct hasher *hasher, const struct merkle_source *source,
                            uint64_t index, uint64_t size, struct merkle_proof *ret,
                            struct err *err);
bool merkle_prove_consistency(struct hasher *hasher, const struct merkle_source *source,
                              uint64_t first, uint64_t second, struct merkle_proof *ret,
                              struct err *err);

/* --- verifying: false for any proof that does not prove it --- */

bool merkle_check_inclusion(struct hasher *hasher, uint64_t index, uint64_t size,
                            const struct digest *leaf, const struct digest *path, size_t n,
                            const struct digest *root);
/* A first tree of size 0 proves nothing and is refused. */
bool merkle_check_consistency(struct hasher *hasher, uint64_t first, uint64_t second,
                              const struct digest *proof, size_t n, const struct digest *first_root,
                              const struct digest *second_root);
