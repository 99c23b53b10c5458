/* fuzz_rego.c - any text as a policy: read, compiled, evaluated within small budgets. */
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/rego/rego.h"
#include "value/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct rego_diags diags = {.arena = &arena};
    struct err err = {0};
    struct rego_policy *policy;
    struct rego_query *query;
    if (size < 1 || size > 8192)
        return 0;
    struct rego_source source = {
        .file = STR("fuzz"), .text = {(const char *)data + 1, size - 1}, .v0 = data[0] & 1};
    struct rego_compile_options compile = {.strict = data[0] & 2,
                                           .words = data[0] & 4 ? REGO_WORD_AND | REGO_WORD_OR : 0,
                                           .keep_print = data[0] & 8};
    if (!rego_compile(&source, 1, NULL, &compile, &diags, &policy, &err))
        return 0;
    if (rego_prepare(policy, STR("data = x"), &diags, &query, &err)) {
        struct value input = value_string(STR("input"));
        struct rego_eval_options options = {
            .steps = 50000, .memory = 32 << 20, .depth = 200, .host = {.now_utc_ns = 1}};
        struct rego_result result;
        (void)rego_eval(query, &input, &options, &arena, &result, &err);
        rego_query_close(query);
    }
    rego_close(policy);
    return 0;
}
