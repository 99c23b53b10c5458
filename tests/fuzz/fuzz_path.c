/* fuzz_path.c - path_parse() on anything; what is taken is printed and must read back as equal. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "value/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct err err = {0};
    struct path path, again;
    if (!path_parse(&arena, (struct str){size ? (const char *)data : "", size}, &path, &err)) {
        if (err.kind == ERR_NONE)
            abort();
        return 0;
    }
    struct str text = path_text(&arena, path);
    if (!text.ptr || !path_parse(&arena, text, &again, &err) || !path_equal(path, again) ||
        !path_starts(path, again) || path_compare(path, again) != 0)
        abort();
    struct str twice = path_text(&arena, again);
    if (!twice.ptr || !str_equal(text, twice))
        abort();
    return 0;
}
