/* plain.c - values to JSON and its layout. */
#include "policy/plain.h"

#include "base/arena.h"
#include "base/err.h"
#include "lang/rego/term.h"
#include "wire/json.h"

static void new_line(struct buf *out, struct str unit, size_t depth)
{
    buf_char(out, '\n');
    while (depth-- > 0)
        buf_str(out, unit);
}

/* A string literal from its first quote to behind its last. */
static size_t skip_string(struct str json, size_t at)
{
    for (at++; at < json.len && json.ptr[at] != '"'; at++)
        at += json.ptr[at] == '\\';
    return at < json.len ? at + 1 : json.len;
}

void policy_json_indent(struct buf *out, struct str json, struct str unit)
{
    size_t depth = 0;
    for (size_t at = 0; at < json.len;) {
        char c = json.ptr[at];
        size_t end = c == '"' ? skip_string(json, at) : at + 1;
        if ((c == '{' || c == '[') && end < json.len && json.ptr[end] == c + 2) {
            buf_add(out, json.ptr + at, 2); /* {} or []: the brackets are two apart in ASCII */
            at += 2;
            continue;
        }
        if ((c == '}' || c == ']') && depth)
            new_line(out, unit, --depth);
        buf_add(out, json.ptr + at, end - at);
        if (c == '{' || c == '[')
            new_line(out, unit, ++depth);
        else if (c == ',')
            new_line(out, unit, depth);
        else if (c == ':')
            buf_char(out, ' ');
        at = end;
    }
}

bool policy_plain(struct arena *arena, const struct value *v, struct value *ret, struct err *err)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    rego_json(&out, v);
    if (!buf_ok(&out, err))
        return false;
    struct str text = arena_dup(arena, buf_view(&out));
    if (!text.ptr)
        return arena_full(arena, err);
    return json_parse(arena, text, "result", JSON_DUPLICATES_LAST, ret, err);
}

void policy_json_value(struct jsonw *w, const struct value *v)
{
    if (w->need_comma && !w->after_key)
        buf_char(w->out, ',');
    rego_json(w->out, v);
    w->after_key = false;
    w->need_comma = true;
}
