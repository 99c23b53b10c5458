/* fuzz_rego_fmt.c - any text as a policy to format: what has a form is read again, and has one. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/rego/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct rego_diags diags = {.arena = &arena};
    struct err err = {0};
    struct str form;
    if (size < 1 || size > 8192)
        return 0;
    struct rego_format_options options = {.v0 = data[0] & 1,
                                          .to_v1 = data[0] & 2,
                                          .words = data[0] & 4 ? REGO_WORD_AND | REGO_WORD_OR : 0};
    struct str text = {(const char *)data + 1, size - 1};
    if (!rego_format(&arena, text, STR("fuzz"), &options, &diags, &form, &err))
        return 0;
    /* That the form says the same is proved by rego_format: here only that it can be read. */
    struct rego_parse_options how = {.v0 = options.v0, .words = options.words};
    struct rego_module *a, *b;
    if (!rego_parse_module(&arena, text, STR("a"), &how, &diags, &a) ||
        !rego_parse_module(&arena, form, STR("b"), &how, &diags, &b) || !rego_modules_equal(a, b))
        abort();
    return 0;
}
