/* fuzz_builtin.c - every built-in function of Rego with operands of the kinds that it takes, made
 * of the bytes: texts, numbers, collections of them. Nothing may crash, leak or hang.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/builtin.h"
#include "lang/rego/caches.h"
#include "lang/rego/type.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
    struct arena *arena;
    struct str rest; /* operands, a zero byte between two */
};

static bool spend(void *ctx, uint64_t n)
{
    uint64_t *left = ctx;
    bool enough = *left >= n;
    *left -= enough ? n : *left;
    return enough;
}

static struct str next(struct source *s)
{
    struct str part;
    (void)str_cut(&s->rest, '\0', &part);
    return arena_dup(s->arena, part);
}

/* JSON where it is some; a text else. */
static struct value any(struct source *s)
{
    struct str text = next(s);
    struct value v;
    if (json_parse(s->arena, text, "operand", JSON_DUPLICATES_LAST, &v, NULL))
        return v;
    return value_string(text);
}

/* A value of a kind that the operand may have, whatever the bytes say. */
static struct value operand(struct source *s, const struct rego_type *type)
{
    unsigned kinds = rego_type_kinds(type);
    struct value v = any(s);
    if (rego_kind_of(&v) & kinds)
        return v;
    struct value *items = arena_new(s->arena, struct value, 1);
    struct rego_pair *pairs = arena_new(s->arena, struct rego_pair, 1);
    size_t clash;
    if (!items || !pairs)
        return value_null();
    items[0] = v;
    pairs[0] = (struct rego_pair){value_string(STR("a")), v};
    if (kinds & REGO_STRING) {
        AUTO_BUF out = {.limit = 1 << 16};
        rego_json(&out, &v);
        return value_string(arena_dup(s->arena, buf_view(&out)));
    }
    if (kinds & REGO_ARRAY)
        return value_items(VALUE_TUPLE, items, 1);
    if (kinds & REGO_SET)
        return rego_make_set(items, 1);
    if (kinds & REGO_OBJECT && rego_make_object(pairs, 1, &v, &clash))
        return v;
    return kinds & REGO_NUMBER ? value_int((int64_t)s->rest.len) : value_bool(true);
}

static void call_it(const struct rego_builtin *builtin, struct source *s)
{
    struct rego_signature signature;
    struct value arg[REGO_ARGS_MAX], ret = value_null();
    uint64_t left = 100000;
    const struct rego_host host = {.now_utc_ns = 1};
    struct rego_call call = {.arena = s->arena,
                             .host = &host,
                             .arg = arg,
                             .name = str_from(builtin->name),
                             .spend = spend,
                             .spend_ctx = &left};
    if (!builtin->run || !rego_signature_parse(s->arena, builtin->signature, &signature))
        return;
    call.caches = rego_caches_open(s->arena, NULL);
    for (; call.n < signature.nargs; call.n++)
        arg[call.n] = operand(s, signature.arg[call.n]);
    if (call.caches && rego_check_operands(&call, &signature) == REGO_DEFINED &&
        builtin->run(&call, &ret) == REGO_DEFINED && signature.has_result) {
        AUTO_BUF out = {.limit = 16 << 20};
        rego_text(&out, &ret); /* every node of the result is read */
        rego_json(&out, &ret);
    }
    rego_caches_close(call.caches);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    if (size < 2 || size > 4096)
        return 0;
    size_t which = (size_t)(data[0] | data[1] << 8) % rego_builtin_count();
    struct source source = {&arena, {(const char *)data + 2, size - 2}};
    call_it(rego_builtin_at(which), &source);
    return 0;
}
