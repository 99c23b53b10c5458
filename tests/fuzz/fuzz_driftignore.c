/* fuzz_driftignore.c - any bytes as a .driftignore: every line is a rule or left, or an error. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "drift/driftignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct driftignore got;
    struct err err = {0};
    if (!driftignore_parse(&arena, (struct str){(const char *)data, size}, "fuzz", &got, &err))
        return 0;
    for (size_t i = 0; i < got.n; i++)
        if (!got.rules[i].reason.len ||
            (!got.rules[i].type.len && !got.rules[i].id.len && !got.rules[i].path.len))
            abort();
    return 0;
}
