/* fuzz_install.c - any bytes as a lock file and as a CLI configuration: read, or an error. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "live/reader_provider/clirc.h"
#include "live/reader_provider/lockfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *env(const char *name)
{
    return name[0] == 'H' ? "/home/someone" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct str text = {(const char *)data, size};
    struct lockfile lock;
    struct clirc rc = {0};
    struct err err = {0};
    if (lockfile_parse(&arena, text, "fuzz", &lock, &err))
        for (size_t i = 0; i < lock.n; i++)
            if (!lockfile_find(&lock, lock.entry[i].source))
                abort();
    if (clirc_parse(&arena, text, "fuzz", env, &rc, &err))
        for (size_t i = 0; i < rc.noverrides; i++)
            (void)clirc_source_matches(rc.overrides[i].source, STR("example.com/a/b"));
    return 0;
}
