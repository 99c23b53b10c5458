/* fuzz_config.c - config_parse() on anything: read, or refused with a place, nothing by halves. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct err err = {0};
    struct config config = {0};
    const struct config_template words = {STR("infra/prod"), STR("default")};
    bool ok =
        config_parse(&arena, (struct str){(const char *)data, size}, "fuzz.yaml", &config, &err);
    if (ok == (err.kind != ERR_NONE) || (!ok && config.nstacks))
        abort();
    for (size_t i = 0; i < config.nstacks; i++)
        if (!config.stacks[i].path.len || !config.stacks[i].place.line ||
            !config_expand(&arena, config.stacks[i].name, &words).ptr)
            abort();
    for (size_t i = 0; i < config.nignores; i++)
        if (!config.ignores[i].reason.len)
            abort();
    return 0;
}
