/* fuzz_bundle.c - any bytes as a bundle, as the archive in it, and as pins: files or an error. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct pack_file *file, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!file[i].path.len || file[i].path.ptr[0] == '/' ||
            str_starts(file[i].path, STR("../")) ||
            (i && str_compare(file[i - 1].path, file[i].path) > 0))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct str bytes = {(const char *)data, size};
    struct err err = {0};
    struct pack_file *file;
    size_t n;
    if (bundle_unpack(&arena, bytes, STR("fuzz"), &file, &n, &err))
        check(file, n);
    err_clear(&err);
    if (bundle_untar(&arena, bytes, STR("fuzz"), &file, &n, &err)) {
        const struct pack pack = {.origin = STR_INIT("p"), .file = file, .n = n};
        check(file, n);
        (void)pack_pins_check(bytes, STR("fuzz"), &pack, 1, &err);
    }
    err_clear(&err);
    (void)pack_pins_check(bytes, STR("fuzz"), NULL, 0, &err);
    return 0;
}
