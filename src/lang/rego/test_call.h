/* test_call.h - for tests of families: call a built-in with operands written as JSON. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/builtin.h"
#include "wire/json.h"

/* The operands are a JSON array. The result is JSON, "undefined", "halt", or "error: why". */
static inline struct str test_call(struct arena *arena, const char *name, struct str operands,
                                   const struct rego_host *host)
{
    const struct rego_builtin *builtin = rego_builtin_find(str_from(name));
    struct value args, ret = value_null();
    assert_non_null(builtin);
    assert_true(json_parse(arena, operands, "operands", JSON_DEFAULT, &args, NULL));
    struct rego_host none = {.now_utc_ns = INT64_MIN};
    struct rego_call call = {.arena = arena,
                             .host = host ? host : &none,
                             .arg = args.items,
                             .n = args.len,
                             .name = str_from(builtin->name)};
    enum rego_outcome outcome = builtin->run(&call, &ret);
    if (outcome == REGO_FAILED)
        return arena_printf(arena, "error: %.*s", STR_ARG(call.why));
    if (outcome != REGO_DEFINED)
        return outcome == REGO_HALT ? STR("halt") : STR("undefined");
    AUTO_BUF out = {.limit = 1 << 20};
    rego_json(&out, &ret);
    return arena_dup(arena, buf_view(&out));
}

struct test_row {
    const char *name, *operands, *want;
};

static inline void test_rows(const struct test_row *row, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        AUTO_ARENA arena = {.limit = 8 << 20};
        struct str got = test_call(&arena, row[i].name, str_from(row[i].operands), NULL);
        if (!str_equal(got, str_from(row[i].want)))
            fail_msg("%s(%s)\n want %s\n got  %.*s", row[i].name, row[i].operands, row[i].want,
                     STR_ARG(got));
    }
}
