/* builtin.c - the table of built-ins, the checks of operands, what implementations share. */
#include "lang/rego/builtin.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/type.h"

#define X(family) extern const struct rego_family family;
#include "gen/rego_builtin.inc"
#undef X

static const struct rego_family *const families[] = {
#define X(family) &family,
#include "gen/rego_builtin.inc"
#undef X
};
enum { FAMILIES = sizeof families / sizeof *families };

const struct rego_builtin *rego_family_find(const struct rego_family *family, struct str name)
{
    for (size_t i = 0; i < family->n; i++) {
        const char *known = family->builtin[i].name;
        size_t same = 0;
        while (same < name.len && known[same] && known[same] == name.ptr[same])
            same++;
        if (same == name.len && !known[same])
            return &family->builtin[i];
    }
    return NULL;
}

static const struct {
    uint8_t family, row;
} by_name[] = {
#define X(family, row) {family, row},
#include "gen/rego_name.inc"
#undef X
};

const struct rego_builtin *rego_builtin_find(struct str name)
{
    size_t low = 0, high = sizeof by_name / sizeof *by_name;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct rego_builtin *b =
            &families[by_name[middle].family]->builtin[by_name[middle].row];
        const char *known = b->name;
        size_t same = 0;
        while (same < name.len && known[same] && known[same] == name.ptr[same])
            same++;
        if (same == name.len && !known[same])
            return b;
        if (same < name.len && (unsigned char)known[same] < (unsigned char)name.ptr[same])
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct rego_builtin *rego_builtin_find_infix(struct str op)
{
    for (size_t f = 0; f < FAMILIES; f++)
        for (size_t i = 0; i < families[f]->n; i++) {
            const struct rego_builtin *b = &families[f]->builtin[i];
            if (b->infix && str_equal(str_from(b->infix), op))
                return b;
        }
    return NULL;
}

size_t rego_builtin_count(void)
{
    size_t n = 0;
    for (size_t f = 0; f < FAMILIES; f++)
        n += families[f]->n;
    return n;
}

const struct rego_builtin *rego_builtin_at(size_t i)
{
    for (size_t f = 0; f < FAMILIES; f++) {
        if (i < families[f]->n)
            return &families[f]->builtin[i];
        i -= families[f]->n;
    }
    return NULL;
}

/* --- failures --- */

enum rego_outcome rego_fail(struct rego_call *call, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    call->why = arena_vprintf(call->arena, fmt, args);
    va_end(args);
    call->type_error = false;
    return REGO_FAILED;
}

enum rego_outcome rego_refuse(struct rego_call *call, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    call->why = arena_vprintf(call->arena, fmt, args);
    va_end(args);
    call->type_error = false;
    call->refused = true;
    return REGO_FAILED;
}

enum rego_outcome rego_fail_operand(struct rego_call *call, size_t i, const char *want,
                                    const struct value *got)
{
    call->why = arena_printf(call->arena, "operand %zu must be %s but got %s", i + 1, want,
                             rego_type_name(got));
    call->type_error = true;
    return REGO_FAILED;
}

enum rego_outcome rego_check_operands(struct rego_call *call,
                                      const struct rego_signature *signature)
{
    for (size_t i = 0; i < call->n && i < signature->nargs; i++) {
        unsigned kinds = rego_type_kinds(signature->arg[i]);
        if (rego_kind_of(&call->arg[i]) & kinds)
            continue;
        AUTO_BUF want = {.limit = 1 << 10};
        rego_kinds_text(&want, signature->arg[i]);
        buf_char(&want, '\0');
        return rego_fail_operand(call, i, want.failed ? "" : want.ptr, &call->arg[i]);
    }
    return REGO_DEFINED;
}

/* --- results --- */

enum rego_outcome rego_give_text(struct rego_call *call, struct str text, struct value *ret)
{
    if (text.len > VALUE_LEN_MAX || text.len > call->arena->limit || (!text.ptr && text.len > 0))
        return REGO_HALT;
    *ret = value_string(text);
    return REGO_DEFINED;
}

enum rego_outcome rego_give_buf(struct rego_call *call, struct buf *buf, struct value *ret)
{
    struct str text = {0};
    if (!buf->failed && rego_spend_bytes(call, buf->len))
        text = arena_dup(call->arena, buf_view(buf));
    return text.ptr ? rego_give_text(call, text, ret) : REGO_HALT;
}
