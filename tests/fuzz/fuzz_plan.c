/* fuzz_plan.c - any bytes scanned as a plan: an error or a result whose counts add up. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "scan/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct scan_options options = {.explain = true};
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct stack_result got;
    struct err err = {0};
    if (!scan_plan(&arena, (struct str){(const char *)data, size}, "fuzz", &options, &got, &err) ||
        got.failed.len)
        return 0;
    const struct coverage *c = &got.coverage;
    if (c->resources != c->compared + c->unchecked ||
        c->compared != c->same + c->different + c->missing)
        abort();
    return 0;
}
