/* fuzz_outline.c - outline_add_hcl() and CODEOWNERS on anything: they end, within their bounds. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "desired/outline.h"
#include "model/codeowners.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct err err = {0};
    struct outline outline = {.has_code = true};
    struct codeowners owners = {0};
    struct str text = {(const char *)data, size};
    if (!outline_add_hcl(&arena, text, &outline, &err) && err.kind == ERR_NONE)
        abort();
    for (size_t i = 0; i < outline.nsource; i++)
        if (!str_starts(outline.source[i], STR(".")))
            abort();
    if (!codeowners_parse(&arena, text, &owners, &err))
        return 0;
    for (size_t i = 0; i < owners.n; i++)
        (void)codeowners_match(&owners, owners.rule[i].pattern);
    (void)codeowners_match(&owners, STR("infra/prod/main.tf"));
    return 0;
}
