/* fuzz_proof.c - any hashes as proofs: what verifies is what the tree itself proves. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "record/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 10, HASHES_MAX = 80 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct digest path[HASHES_MAX], leaf = {.byte = {0}}, root = {.byte = {1}};
    struct err err = {0};
    uint64_t first, second;
    if (size < HEAD)
        return 0;
    struct hasher *hasher = hasher_open(&err);
    if (!hasher)
        abort();
    memcpy(&second, data, sizeof second);
    first = data[8] ? second >> (data[8] & 63) : data[9];
    size_t n = (size - HEAD) / DIGEST_SIZE;
    if (n > HASHES_MAX)
        n = HASHES_MAX;
    memcpy(path, data + HEAD, n * DIGEST_SIZE);
    /* nobody knows hashes that lead to these roots, but for a tree of that one leaf */
    if (merkle_check_inclusion(hasher, first, second, &leaf, path, n, &root))
        abort();
    if (merkle_check_inclusion(hasher, first, second, &leaf, path, n, &leaf) &&
        (first != 0 || second != 1 || n != 0))
        abort();
    if (merkle_check_consistency(hasher, first, second, path, n, &leaf, &root))
        abort();
    if (merkle_check_consistency(hasher, first, second, path, n, &leaf, &leaf) &&
        (first != second || n != 0))
        abort();
    hasher_close(hasher);
    return 0;
}
