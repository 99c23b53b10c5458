/* address.c - printing addresses with HCL's quoting; the provider inside a state's provider text.
 */
#include "desired/address.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/unicode.h"
#include "base/utf8.h"

static void quote_character(struct buf *out, uint32_t c, struct str spelled, bool before_brace)
{
    if (c == '\n')
        buf_str(out, STR("\\n"));
    else if (c == '\r')
        buf_str(out, STR("\\r"));
    else if (c == '\t')
        buf_str(out, STR("\\t"));
    else if (c == '"')
        buf_str(out, STR("\\\""));
    else if (c == '\\')
        buf_str(out, STR("\\\\"));
    else if (!unicode_prints(c))
        buf_printf(out, c < 0x10000 ? "\\u%04" PRIx32 : "\\U%08" PRIx32, c);
    else {
        buf_str(out, spelled);
        if (before_brace && (c == '$' || c == '%'))
            buf_str(out, spelled);
    }
}

void address_quote(struct buf *out, struct str s)
{
    buf_char(out, '"');
    for (size_t at = 0; at < s.len;) {
        size_t from = at;
        uint32_t c = utf8_next(s, &at);
        bool before_brace = at < s.len && s.ptr[at] == '{';
        quote_character(out, c, str_sub(s, from, at), before_brace);
    }
    buf_char(out, '"');
}

void address_print_key(struct buf *out, const struct value *key)
{
    int64_t number;
    if (key->kind == VALUE_STRING) {
        buf_char(out, '[');
        address_quote(out, value_text(key));
        buf_char(out, ']');
    } else if (value_to_int64(key, &number)) {
        buf_char(out, '[');
        buf_int(out, number);
        buf_char(out, ']');
    }
}

void address_print(struct buf *out, const struct resource *r)
{
    if (r->module.len) {
        buf_str(out, r->module);
        buf_char(out, '.');
    }
    if (r->mode == RESOURCE_DATA)
        buf_str(out, STR("data."));
    buf_str(out, r->type);
    buf_char(out, '.');
    buf_str(out, r->name);
    address_print_key(out, &r->index_key);
    if (r->deposed.len) {
        buf_str(out, STR(" (deposed "));
        buf_str(out, r->deposed);
        buf_char(out, ')');
    }
}

/* The last "provider" + open in text that begins it or stands behind a dot: a module's instance key
 * may hold the same letters. */
static size_t find_provider(struct str text, struct str opening)
{
    size_t hit = SIZE_MAX;
    for (size_t at = 0; (at = str_find(text, opening, at)) != SIZE_MAX; at++)
        if (at == 0 || text.ptr[at - 1] == '.')
            hit = at;
    return hit;
}

bool address_provider(struct arena *arena, struct str text, struct str *ret)
{
    const struct str opening = STR("provider[\""), older = STR("provider.");
    size_t at = find_provider(text, opening);
    if (at != SIZE_MAX) {
        size_t from = at + opening.len, to = str_find_char(text, '"', from);
        if (to == SIZE_MAX || to == from || to + 1 >= text.len || text.ptr[to + 1] != ']')
            return false;
        *ret = str_sub(text, from, to);
        return true;
    }
    at = find_provider(text, older);
    if (at == SIZE_MAX)
        return false;
    struct str rest = str_sub(text, at + older.len, text.len), type;
    (void)str_cut(&rest, '.', &type);
    if (type.len == 0)
        return false;
    *ret = arena_printf(arena, "registry.terraform.io/-/%.*s", STR_ARG(type));
    return ret->ptr != NULL;
}
