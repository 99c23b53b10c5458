/* fuzz_diff.c - two JSON documents: equality, order, hash, diff and canonical bytes must agree. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "value/canon.h"
#include "value/diff.h"
#include "value/type.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input up to its first NUL, and what follows; past an 0x01 in front, as lists and sets. */
static bool read_two(struct arena *arena, struct str text, struct value v[2])
{
    bool sets = text.len && text.ptr[0] == '\1';
    struct str part[2];
    text = str_sub(text, sets ? 1 : 0, text.len);
    (void)str_cut(&text, '\0', &part[0]);
    part[1] = text;
    for (int i = 0; i < 2; i++) {
        struct value untyped;
        if (!json_parse(arena, part[i], "fuzz", JSON_NFC, &untyped, NULL))
            return false;
        v[i] = untyped;
        if (!sets)
            continue;
        const struct type *set = type_collection(arena, TYPE_SET, &type_dynamic);
        const struct type *list = set ? type_collection(arena, TYPE_LIST, set) : NULL;
        if (!list || !type_apply(arena, list, &untyped, false, &v[i], NULL))
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    AUTO_BUF a = {.limit = 16 << 20}, b = {.limit = 16 << 20};
    struct err err = {0};
    struct value v[2], copy;
    struct value_diff diff;
    if (!read_two(&arena, (struct str){size ? (const char *)data : "", size}, v))
        return 0;
    bool equal = value_equal(&v[0], &v[1]);
    int order = value_compare(&v[0], &v[1]), back = value_compare(&v[1], &v[0]);
    if ((order == 0) != equal || (order > 0) != (back < 0))
        abort();
    if (equal && value_hash(&v[0], 1) != value_hash(&v[1], 1))
        abort();
    if (value_diff(&arena, &v[0], &v[1], &diff, &err) && (diff.n == 0) != equal)
        abort();
    if (!canon_print(&a, &v[0], &err) || !canon_print(&b, &v[1], &err))
        abort();
    if (equal && !str_equal(buf_view(&a), buf_view(&b)))
        abort();
    if (!value_copy(&arena, &v[0], &copy, &err) || !value_equal(&v[0], &copy))
        abort();
    return 0;
}
