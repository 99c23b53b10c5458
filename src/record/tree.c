/* tree.c - RFC 6962 by bits: what stands left and right of a leaf follows from its index. */
#include "record/tree.h"

#include <string.h>

#include "base/err.h"

bool merkle_leaf(struct hasher *hasher, struct str record, struct digest *ret)
{
    const struct str part[] = {{"\x00", 1}, record};
    return hasher_sha256(hasher, part, 2, ret);
}

bool merkle_node(struct hasher *hasher, const struct digest *left, const struct digest *right,
                 struct digest *ret)
{
    char bytes[1 + 2 * DIGEST_SIZE] = {1};
    const struct str part = {bytes, sizeof bytes};
    memcpy(bytes + 1, left->byte, DIGEST_SIZE);
    memcpy(bytes + 1 + DIGEST_SIZE, right->byte, DIGEST_SIZE);
    return hasher_sha256(hasher, &part, 1, ret);
}

/* --- growing --- */

size_t merkle_range_count(uint64_t size)
{
    return (size_t)__builtin_popcountll(size);
}

bool merkle_range_add(struct hasher *hasher, struct merkle_range *range, const struct digest *leaf)
{
    struct digest right = *leaf;
    size_t n = merkle_range_count(range->size);
    if (range->size >= MERKLE_SIZE_MAX)
        return false;
    /* each set bit at the low end is a subtree of the new one's size: they join */
    for (uint64_t low = range->size; low & 1; low >>= 1)
        if (!merkle_node(hasher, &range->root[--n], &right, &right))
            return false;
    range->root[n] = right;
    range->size++;
    return true;
}

bool merkle_range_root(struct hasher *hasher, const struct merkle_range *range, struct digest *ret)
{
    size_t n = merkle_range_count(range->size);
    if (n == 0)
        return hasher_sha256(hasher, NULL, 0, ret);
    struct digest right = range->root[--n];
    while (n > 0)
        if (!merkle_node(hasher, &range->root[--n], &right, &right))
            return false;
    *ret = right;
    return true;
}

/* --- proving --- */

/* The perfect subtrees of leaves [from, to), left to right, where `from` is a multiple of the
 * largest of them. */
static bool add_nodes(const struct merkle_source *source, uint64_t from, uint64_t to,
                      struct digest *ret, size_t *ret_n, struct err *err)
{
    size_t n = 0;
    while (from < to) {
        unsigned level = 63u - (unsigned)__builtin_clzll(to - from);
        if (!source->node(source->ctx, level, from >> level, &ret[n++], err))
            return false;
        from += (uint64_t)1 << level;
    }
    *ret_n = n;
    return true;
}

static bool hashing_failed(struct err *err)
{
    return err_set(err, ERR_LIMIT, "SHA-256 failed");
}

/* The hash over the leaves [from, to). */
static bool hash_of(struct hasher *hasher, const struct merkle_source *source, uint64_t from,
                    uint64_t to, struct digest *ret, struct err *err)
{
    struct digest node[MERKLE_PROOF_MAX], right;
    size_t n;
    if (!add_nodes(source, from, to, node, &n, err))
        return false;
    right = node[--n];
    while (n > 0)
        if (!merkle_node(hasher, &node[--n], &right, &right))
            return hashing_failed(err);
    *ret = right;
    return true;
}

bool merkle_root(struct hasher *hasher, const struct merkle_source *source, uint64_t size,
                 struct digest *ret, struct err *err)
{
    if (size == 0)
        return hasher_sha256(hasher, NULL, 0, ret) || hashing_failed(err);
    return hash_of(hasher, source, 0, size, ret, err);
}

bool merkle_range_at(const struct merkle_source *source, uint64_t size, struct merkle_range *ret,
                     struct err *err)
{
    struct merkle_range range = {.size = size};
    size_t n;
    if (!add_nodes(source, 0, size, range.root, &n, err))
        return false;
    *ret = range;
    return true;
}

/* The largest power of two below n, for n >= 2: where a tree of n leaves is split. */
static uint64_t split(uint64_t n)
{
    return (uint64_t)1 << (63u - (unsigned)__builtin_clzll(n - 1));
}

/* A proof is found from the root down, and told from the leaf up. */
static void reverse(struct merkle_proof *proof)
{
    for (size_t i = 0, k = proof->n; i + 1 < k; i++) {
        struct digest kept = proof->hash[i];
        proof->hash[i] = proof->hash[--k];
        proof->hash[k] = kept;
    }
}

bool merkle_prove_inclusion(struct hasher *hasher, const struct merkle_source *source,
                            uint64_t index, uint64_t size, struct merkle_proof *ret,
                            struct err *err)
{
    struct merkle_proof proof = {.n = 0};
    uint64_t from = 0, to = size;
    if (index >= size || size > MERKLE_SIZE_MAX)
        return err_set(err, ERR_USAGE, "a tree of %llu leaves has no leaf %llu",
                       (unsigned long long)size, (unsigned long long)index);
    while (to - from > 1) {
        uint64_t middle = from + split(to - from);
        bool left = index < middle;
        if (!hash_of(hasher, source, left ? middle : from, left ? to : middle,
                     &proof.hash[proof.n++], err))
            return false;
        *(left ? &to : &from) = middle;
    }
    reverse(&proof);
    *ret = proof;
    return true;
}

bool merkle_prove_consistency(struct hasher *hasher, const struct merkle_source *source,
                              uint64_t first, uint64_t second, struct merkle_proof *ret,
                              struct err *err)
{
    struct merkle_proof proof = {.n = 0};
    uint64_t from = 0, to = second;
    if (first == 0 || first > second || second > MERKLE_SIZE_MAX)
        return err_set(err, ERR_USAGE, "no proof leads from a tree of %llu leaves to one of %llu",
                       (unsigned long long)first, (unsigned long long)second);
    /* SUBPROOF of RFC 6962 2.1.2: down to where the first tree's right edge is a whole subtree */
    while (first < to) {
        uint64_t middle = from + split(to - from);
        bool left = first <= middle;
        if (!hash_of(hasher, source, left ? middle : from, left ? to : middle,
                     &proof.hash[proof.n++], err))
            return false;
        *(left ? &to : &from) = middle;
    }
    if (from > 0 && !hash_of(hasher, source, from, to, &proof.hash[proof.n++], err))
        return false;
    reverse(&proof);
    *ret = proof;
    return true;
}

/* --- verifying --- */

bool merkle_check_inclusion(struct hasher *hasher, uint64_t index, uint64_t size,
                            const struct digest *leaf, const struct digest *path, size_t n,
                            const struct digest *root)
{
    struct digest hash = *leaf;
    if (index >= size)
        return false;
    uint64_t at = index, last = size - 1;
    for (size_t i = 0; i < n; i++) {
        if (last == 0)
            return false;
        bool right = at & 1 || at == last;
        if (right ? !merkle_node(hasher, &path[i], &hash, &hash)
                  : !merkle_node(hasher, &hash, &path[i], &hash))
            return false;
        while (right && !(at & 1) && at)
            at >>= 1, last >>= 1;
        at >>= 1, last >>= 1;
    }
    return last == 0 && digest_equal(&hash, root);
}

bool merkle_check_consistency(struct hasher *hasher, uint64_t first, uint64_t second,
                              const struct digest *proof, size_t n, const struct digest *first_root,
                              const struct digest *second_root)
{
    if (first == 0 || first > second)
        return false;
    if (first == second)
        return n == 0 && digest_equal(first_root, second_root);
    if (n == 0)
        return false;
    bool whole = (first & (first - 1)) == 0; /* then the first root is a node of the second tree */
    size_t i = whole ? 0 : 1;
    struct digest old = whole ? *first_root : proof[0], new = old;
    uint64_t at = first - 1, last = second - 1;
    while (at & 1)
        at >>= 1, last >>= 1;
    for (; i < n; i++) {
        if (last == 0)
            return false;
        bool right = at & 1 || at == last;
        if (right ? !merkle_node(hasher, &proof[i], &old, &old) ||
                        !merkle_node(hasher, &proof[i], &new, &new)
                  : !merkle_node(hasher, &new, &proof[i], &new))
            return false;
        while (right && !(at & 1) && at)
            at >>= 1, last >>= 1;
        at >>= 1, last >>= 1;
    }
    return last == 0 && digest_equal(&old, first_root) && digest_equal(&new, second_root);
}
