/* vectors.h - for tests: vectors and catalogues that others made, from outside the repository.
 *
 * Below $PLUMB_SHARED, else ../shared. Where a file is missing the test says so in one line and
 * passes; with CI=true it fails.
 */
#pragma once
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/test.h"

static inline bool shared_read(struct arena *arena, const char *name, struct str *ret)
{
    enum { BYTES_MAX = 4 << 20 };
    struct err err = {0};
    const char *dir = getenv("PLUMB_SHARED"), *ci = getenv("CI");
    struct str path = arena_printf(arena, "%s/%s", dir ? dir : "../shared", name);
    if (path.ptr && io_read_file(arena, path.ptr, BYTES_MAX, ret, &err))
        return true;
    if (ci && strcmp(ci, "true") == 0)
        fail_msg("%s is missing", path.ptr);
    print_message("  skipped: %s is missing (set PLUMB_SHARED)\n", path.ptr);
    return false;
}

static inline bool vectors_read(struct arena *arena, const char *name, struct str *ret)
{
    return shared_read(arena, arena_printf(arena, "vectors/%s", name).ptr, ret);
}

static inline struct str vectors_unhex(struct arena *arena, struct str hex)
{
    char *out = arena_new(arena, char, hex.len / 2 + 1);
    assert_non_null(out);
    for (size_t i = 0; i + 1 < hex.len; i += 2) {
        char pair[3] = {hex.ptr[i], hex.ptr[i + 1], 0};
        out[i / 2] = (char)strtoul(pair, NULL, 16);
    }
    return (struct str){out, hex.len / 2};
}
