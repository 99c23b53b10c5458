/* value.c - values as one line of text and as JSON, with secrets replaced before they are written.
 */
#include "value/value.h"

#include "report/parts.h"
#include "report/report.h"
#include "value/number.h"
#include "wire/json.h"

static const struct str sensitive_text = STR_INIT("(sensitive)");
static const struct str unknown_text = STR_INIT("(unknown)");

bool change_hidden(const struct change *change)
{
    const struct value *before = change->before, *after = change->after;
    if (change->sensitive)
        return true;
    /* A mark on one side only says where the secret was, not where it is: hide both. */
    if (before && after)
        return value_any_sensitive(before) || value_any_sensitive(after);
    return (before && (before->marks & VALUE_SENSITIVE)) ||
           (after && (after->marks & VALUE_SENSITIVE));
}

/* Room left of a limit that counts from `start`; a limit of 0 is none. */
struct inline_out {
    struct buf *out;
    size_t start, max_bytes;
};

static bool is_full(const struct inline_out *in)
{
    return in->max_bytes && in->out->len - in->start >= in->max_bytes;
}

static size_t room(const struct inline_out *in)
{
    return in->max_bytes ? in->max_bytes - (in->out->len - in->start) : 0;
}

static bool is_bare_key(struct str key)
{
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i > 0 && ((c >= '0' && c <= '9') || c == '-')))
            return false;
    }
    return key.len > 0;
}

static void put_key(struct buf *out, struct str key)
{
    if (is_bare_key(key))
        buf_str(out, key);
    else
        text_quote(out, key, 0);
}

static void put_inline(struct inline_out *in, const struct value *v, unsigned depth_left);

static void put_items(struct inline_out *in, const struct value *v, unsigned depth_left)
{
    buf_char(in->out, '[');
    for (uint32_t i = 0; i < v->len; i++) {
        if (i)
            buf_str(in->out, STR(", "));
        if (is_full(in)) {
            buf_printf(in->out, "... (%u in all)", v->len);
            break;
        }
        put_inline(in, &v->items[i], depth_left);
    }
    buf_char(in->out, ']');
}

static void put_members(struct inline_out *in, const struct value *v, unsigned depth_left)
{
    buf_char(in->out, '{');
    for (uint32_t i = 0; i < v->len; i++) {
        if (i)
            buf_str(in->out, STR(", "));
        if (is_full(in)) {
            buf_printf(in->out, "... (%u in all)", v->len);
            break;
        }
        put_key(in->out, key_str(v->members[i].key));
        buf_str(in->out, STR(" = "));
        put_inline(in, &v->members[i].value, depth_left);
    }
    buf_char(in->out, '}');
}

static void put_number(struct inline_out *in, const struct value *v)
{
    if (v->form == NUMBER_INT) {
        buf_printf(in->out, "%lld", (long long)v->integer);
        return;
    }
    struct str text = value_text(v);
    struct str head = in->max_bytes ? text_cut(text, room(in)) : text;
    buf_str(in->out, head);
    if (head.len < text.len)
        buf_printf(in->out, "... (%zu digits)", text.len);
}

static void put_inline(struct inline_out *in, const struct value *v, unsigned depth_left)
{
    if (v->marks & VALUE_SENSITIVE) {
        buf_str(in->out, sensitive_text);
        return;
    }
    if (depth_left == 0 || is_full(in)) {
        buf_str(in->out, STR("..."));
        return;
    }
    switch (v->kind) {
    case VALUE_NULL:
        buf_str(in->out, STR("null"));
        break;
    case VALUE_BOOL:
        buf_str(in->out, v->truth ? STR("true") : STR("false"));
        break;
    case VALUE_NUMBER:
        put_number(in, v);
        break;
    case VALUE_STRING:
        text_quote(in->out, value_text(v), room(in));
        break;
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_SET:
        put_items(in, v, depth_left - 1);
        break;
    case VALUE_MAP:
    case VALUE_OBJECT:
        put_members(in, v, depth_left - 1);
        break;
    default:
        buf_str(in->out, unknown_text);
    }
}

void value_inline(struct buf *out, const struct value *v, bool hidden, size_t max_bytes)
{
    struct inline_out in = {out, out->len, max_bytes};
    if (hidden)
        buf_str(out, sensitive_text);
    else if (!v)
        buf_str(out, STR("(absent)"));
    else
        put_inline(&in, v, VALUE_DEPTH_MAX);
}

void report_value(struct buf *out, const struct value *v, bool sensitive)
{
    value_inline(out, v, sensitive, 0);
}

static void put_json(struct jsonw *w, const struct value *v, unsigned depth_left)
{
    if (v->marks & VALUE_SENSITIVE || v->kind == VALUE_UNKNOWN || depth_left == 0) {
        jsonw_string(w, v->marks & VALUE_SENSITIVE ? sensitive_text
                        : v->kind == VALUE_UNKNOWN ? unknown_text
                                                   : STR("..."));
    } else if (value_is_list_like(v)) {
        jsonw_array_open(w);
        for (uint32_t i = 0; i < v->len; i++)
            put_json(w, &v->items[i], depth_left - 1);
        jsonw_array_close(w);
    } else if (value_is_object_like(v)) {
        jsonw_object_open(w);
        for (uint32_t i = 0; i < v->len; i++) {
            jsonw_key(w, key_str(v->members[i].key));
            put_json(w, &v->members[i].value, depth_left - 1);
        }
        jsonw_object_close(w);
    } else {
        jsonw_value(w, v);
    }
}

void value_json(struct jsonw *w, const struct value *v, bool hidden)
{
    if (!v)
        jsonw_null(w);
    else if (hidden)
        jsonw_string(w, sensitive_text);
    else
        put_json(w, v, VALUE_DEPTH_MAX);
}

void change_live_json(struct jsonw *w, const struct change *change)
{
    const struct {
        struct str key;
        const struct value *value;
    } sides[] = {{STR("live"), change->after}, {STR("wanted"), change->before}};
    jsonw_object_open(w);
    jsonw_member_string(w, STR("path"), change->path);
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        jsonw_key(w, sides[i].key);
        value_json(w, sides[i].value, change_hidden(change));
    }
    jsonw_member_bool(w, STR("sensitive"), change->sensitive);
    jsonw_object_close(w);
}

static bool count_line(void *ctx, char sign, struct str line, size_t skipped)
{
    size_t *counts = ctx;
    (void)line;
    (void)skipped;
    counts[0] += sign == '-';
    counts[1] += sign == '+';
    return true;
}

static bool put_line_counts(struct buf *out, const struct change *change)
{
    size_t counts[2] = {0};
    if (!value_is_string(change->before) || !value_is_string(change->after))
        return false;
    struct str before = value_text(change->before), after = value_text(change->after);
    if (!text_is_multi_line(before) && !text_is_multi_line(after))
        return false;
    linediff(before, after, count_line, counts);
    if (counts[0] + counts[1] == 0)
        return false;
    buf_printf(out, "%zu line%s removed, %zu added", counts[0], counts[0] == 1 ? "" : "s",
               counts[1]);
    return true;
}

void change_inline(struct buf *out, const struct change *change, size_t max_bytes)
{
    bool hidden = change_hidden(change);
    text_safe(out, change->path.len ? change->path : STR("(whole resource)"));
    buf_str(out, STR(": "));
    if (!hidden && put_line_counts(out, change))
        return;
    if (change->before && change->after) {
        value_inline(out, change->before, hidden, max_bytes);
        buf_str(out, STR(" -> "));
        value_inline(out, change->after, hidden, max_bytes);
    } else {
        buf_str(out, change->after ? STR("added ") : STR("removed "));
        value_inline(out, change->after ? change->after : change->before, hidden, max_bytes);
    }
}
