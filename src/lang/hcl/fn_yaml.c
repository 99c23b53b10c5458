/* fn_yaml.c - yamlencode and yamldecode, as go-cty-yaml writes and resolves YAML. */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "lang/hcl/encode.h"
#include "lang/hcl/ops.h"
#include "lang/hcl/types.h"

/* --- yamlencode --- */

static int add_output(void *ctx, unsigned char *bytes, size_t n)
{
    struct buf *out = ctx;
    buf_add(out, bytes, n);
    return !out->failed;
}

struct writer {
    struct hcl_call *call;
    yaml_emitter_t emitter;
};

static bool put_scalar(struct writer *w, struct str text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    return text.ptr && text.len < INT32_MAX &&
           yaml_scalar_event_initialize(&event, NULL, NULL,
                                        (const yaml_char_t *)(text.len ? text.ptr : ""),
                                        (int)text.len, 1, 1, style) &&
           yaml_emitter_emit(&w->emitter, &event);
}

static bool put_string(struct writer *w, struct str text)
{
    bool lines = str_find_char(text, '\n', 0) != SIZE_MAX;
    return put_scalar(w, text.ptr ? text : STR(""),
                      lines ? YAML_LITERAL_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static bool put_value(struct writer *w, const struct value *v, unsigned depth_left);

static bool put_elements(struct writer *w, const struct value *v, unsigned depth_left)
{
    yaml_event_t event;
    const struct value *items = hcl_elements(w->call->ev->arena, v);
    bool ok =
        yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE) &&
        yaml_emitter_emit(&w->emitter, &event);
    for (uint32_t i = 0; ok && i < v->len; i++)
        ok = items && put_value(w, &items[i], depth_left);
    return ok && yaml_sequence_end_event_initialize(&event) &&
           yaml_emitter_emit(&w->emitter, &event);
}

static bool put_members(struct writer *w, const struct value *v, unsigned depth_left)
{
    yaml_event_t event;
    bool ok =
        yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE) &&
        yaml_emitter_emit(&w->emitter, &event);
    for (uint32_t i = 0; ok && i < v->len; i++)
        ok = put_string(w, key_str(v->members[i].key)) &&
             put_value(w, &v->members[i].value, depth_left);
    return ok && yaml_mapping_end_event_initialize(&event) &&
           yaml_emitter_emit(&w->emitter, &event);
}

static bool put_value(struct writer *w, const struct value *v, unsigned depth_left)
{
    if (depth_left == 0)
        return false;
    if (value_is_list_like(v))
        return put_elements(w, v, depth_left - 1);
    if (value_is_object_like(v))
        return put_members(w, v, depth_left - 1);
    if (v->kind == VALUE_STRING)
        return put_string(w, value_text(v));
    struct str text = v->kind == VALUE_NUMBER ? hcl_number_text(w->call->ev->arena, v)
                      : v->kind == VALUE_NULL ? STR("null")
                      : v->truth              ? STR("true")
                                              : STR("false");
    return put_scalar(w, text, YAML_PLAIN_SCALAR_STYLE);
}

static bool put_document(struct writer *w, const struct value *v)
{
    yaml_event_t event;
    return yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) &&
           yaml_emitter_emit(&w->emitter, &event) &&
           yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1) &&
           yaml_emitter_emit(&w->emitter, &event) && put_value(w, v, HCL_DEPTH_MAX) &&
           yaml_document_end_event_initialize(&event, 1) &&
           yaml_emitter_emit(&w->emitter, &event) && yaml_stream_end_event_initialize(&event) &&
           yaml_emitter_emit(&w->emitter, &event);
}

static bool run_yamlencode(struct hcl_call *call, struct value *ret)
{
    struct writer w = {.call = call};
    AUTO_BUF out = {.limit = HCL_TEXT_MAX};
    const struct value *v = &call->arg[0];
    if (!hcl_wholly_known(v)) {
        *ret = hcl_unknown(call->ev->arena, &type_string);
        return true;
    }
    if (!yaml_emitter_initialize(&w.emitter))
        return false;
    yaml_emitter_set_output(&w.emitter, add_output, &out);
    yaml_emitter_set_unicode(&w.emitter, 1);
    bool ok = put_document(&w, v);
    yaml_emitter_delete(&w.emitter);
    if (!ok)
        return hcl_call_fail(call, -1, "the value is too large or nested too deeply");
    bool plain = v->kind == VALUE_NULL || v->kind == VALUE_BOOL || v->kind == VALUE_NUMBER;
    if (plain && !str_ends(buf_view(&out), STR("...\n"))) /* newer libyaml leaves it out */
        buf_str(&out, STR("...\n"));
    if (!plain && str_ends(buf_view(&out), STR("\n...\n"))) /* ... and puts it behind |+ */
        out.len -= 4;
    return hcl_give_buf(call, &out, ret);
}

/* --- scalars --- */

#define TAG "tag:yaml.org,2002:"

static bool word_in(struct str s, const char *words)
{
    const char *at = words;
    for (size_t len; *at; at += len + (at[len] != 0)) {
        len = strcspn(at, " ");
        if (s.len == len && memcmp(s.ptr, at, len) == 0)
            return true;
    }
    return false;
}

/* A word that is a value by itself. */
static bool known_word(struct str s, struct value *ret)
{
    if (word_in(s, "y Y yes Yes YES true True TRUE on On ON"))
        *ret = value_bool(true);
    else if (word_in(s, "n N no No NO false False FALSE off Off OFF"))
        *ret = value_bool(false);
    else if (s.len == 0 || word_in(s, "~ null Null NULL"))
        *ret = value_null();
    else if (word_in(s, ".inf .Inf .INF +.inf +.Inf +.INF"))
        *ret = hcl_infinity;
    else if (word_in(s, "-.inf -.Inf -.INF"))
        *ret = hcl_minus_infinity;
    else
        return false;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool part(struct str *s, size_t most, int low, int high, int *ret)
{
    size_t n = 0;
    *ret = 0;
    while (n < most && n < s->len && is_digit(s->ptr[n]))
        *ret = *ret * 10 + (s->ptr[n++] - '0');
    *s = str_sub(*s, n, s->len);
    return n > 0 && *ret >= low && *ret <= high;
}

static bool mark(struct str *s, char c)
{
    if (s->len == 0 || s->ptr[0] != c)
        return false;
    *s = str_sub(*s, 1, s->len);
    return true;
}

/* Z or +hh:mm; minutes. */
static bool zone(struct str *s, int *ret)
{
    int sign = s->len && s->ptr[0] == '-' ? -1 : 1, hours, minutes;
    *ret = 0;
    if (mark(s, 'Z'))
        return s->len == 0;
    if (s->len != 6 || (!mark(s, '+') && !mark(s, '-')) || !part(s, 2, 0, 24, &hours) ||
        !mark(s, ':') || !part(s, 2, 0, 60, &minutes))
        return false;
    *ret = sign * (hours * 60 + minutes);
    return s->len == 0;
}

/* 2001-1-2, with a time behind a blank (no zone) or behind a T (zone): as RFC 3339. */
static bool timestamp(struct arena *arena, struct str s, struct str *ret)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day, hour = 0, minute = 0, second = 0, offset = 0;
    if (s.len < 6 || s.ptr[4] != '-' || !part(&s, 4, 0, 9999, &year) || !mark(&s, '-') ||
        !part(&s, 2, 1, 12, &month) || !mark(&s, '-') || !part(&s, 2, 1, 31, &day))
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day > days[month - 1] + (month == 2 && leap))
        return false;
    if (s.len) {
        bool blank = mark(&s, ' ');
        if (!blank && !mark(&s, 'T') && !mark(&s, 't'))
            return false;
        if (!part(&s, 2, 0, 23, &hour) || !mark(&s, ':') || !part(&s, 2, 0, 59, &minute) ||
            !mark(&s, ':') || !part(&s, 2, 0, 59, &second))
            return false;
        if (s.len > 1 && (s.ptr[0] == '.' || s.ptr[0] == ',') && is_digit(s.ptr[1]))
            do
                s = str_sub(s, 1, s.len);
            while (s.len && is_digit(s.ptr[0]));
        if (blank ? s.len != 0 : !zone(&s, &offset))
            return false;
    }
    *ret = arena_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day, hour, minute,
                        second);
    struct str end = offset ? arena_printf(arena, "%c%02d:%02d", offset < 0 ? '-' : '+',
                                           abs(offset) / 60, abs(offset) % 60)
                            : STR("Z");
    *ret = arena_printf(arena, "%.*s%.*s", STR_ARG(*ret), STR_ARG(end));
    return ret->ptr;
}

static size_t run_of(struct str s, size_t from, const char *accept)
{
    size_t at = from;
    while (at < s.len && s.ptr[at] && strchr(accept, s.ptr[at]))
        at++;
    return at - from;
}

/* YAML 1.2's integers and floats (spec 10.3.2). */
static bool looks_numeric(struct str s)
{
    size_t at = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+');
    if (str_starts(s, STR("0o")))
        return s.len > 2 && run_of(s, 2, "01234567") == s.len - 2;
    if (str_starts(s, STR("0x")))
        return s.len > 2 && run_of(s, 2, "0123456789abcdefABCDEF") == s.len - 2;
    size_t whole = run_of(s, at, "0123456789"), fraction = 0;
    at += whole;
    if (at < s.len && s.ptr[at] == '.') {
        fraction = run_of(s, at + 1, "0123456789");
        at += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (at < s.len && (s.ptr[at] | 32) == 'e') {
        bool sign = at + 1 < s.len && (s.ptr[at + 1] == '-' || s.ptr[at + 1] == '+');
        at += sign ? 2 : 1;
        size_t digits = run_of(s, at, "0123456789");
        at = digits ? at + digits : s.len + 1;
    }
    return at == s.len;
}

/* What !!int and !!float take: a decimal number, or one of 64 bits with a prefix. */
static bool read_number(struct arena *arena, struct str s, struct value *ret)
{
    char digits[80];
    size_t n = 0;
    for (size_t i = 0; i < s.len && n + 1 < sizeof digits; i++)
        if (s.ptr[i] != '_')
            digits[n++] = s.ptr[i];
    digits[n] = '\0';
    if (hcl_parse_number(arena, n + 1 < sizeof digits ? (struct str){digits, n} : s, ret)) {
        if (ret->form == NUMBER_TEXT && !hcl_is_infinite(ret)) {
            struct str kept = arena_dup(arena, value_text(ret));
            ret->text = kept.ptr;
        }
        return true;
    }
    size_t at = digits[0] == '-' || digits[0] == '+';
    int base = digits[at] != '0'              ? 0
               : (digits[at + 1] | 32) == 'o' ? 8
               : (digits[at + 1] | 32) == 'x' ? 16
               : (digits[at + 1] | 32) == 'b' ? 2
                                              : 0;
    char *end;
    if (base == 0 || n < at + 3)
        return false;
    unsigned long long magnitude = strtoull(digits + at + 2, &end, base);
    if (*end || magnitude > INT64_MAX)
        return false;
    *ret = value_int(digits[0] == '-' ? -(int64_t)magnitude : (int64_t)magnitude);
    ret->precision = HCL_PREC_64;
    return true;
}

struct reader {
    struct hcl_call *call;
    yaml_parser_t parser;
    struct anchor *anchor;
    size_t nanchors, room;
    uint64_t weight, most; /* nodes, what aliases repeat counted again */
};

static bool text_value(struct reader *r, struct str s, struct value *ret)
{
    struct arena *arena = r->call->ev->arena;
    struct str copy = arena_dup(arena, s);
    copy = copy.ptr ? utf8_nfc(arena, copy) : copy;
    if (!copy.ptr || copy.len > VALUE_LEN_MAX)
        return hcl_call_fail(r->call, -1, "the text is too large");
    *ret = value_string(copy);
    return true;
}

static bool cannot_parse(struct reader *r, struct str s, struct str tag)
{
    return hcl_call_fail(r->call, -1, "cannot parse \"%.*s\" as %.*s", STR_ARG(s), STR_ARG(tag));
}

/* What a tag makes of a text that says nothing by itself. */
static bool by_tag(struct reader *r, struct str s, struct str tag, struct value *ret)
{
    struct arena *arena = r->call->ev->arena;
    struct str bytes;
    size_t bad_at;
    if (str_equal(tag, STR(TAG "null"))) {
        *ret = value_null();
        return true;
    }
    if (str_equal(tag, STR(TAG "bool")))
        return (known_word(s, ret) && ret->kind == VALUE_BOOL) || cannot_parse(r, s, tag);
    if (str_equal(tag, STR(TAG "int")) || str_equal(tag, STR(TAG "float")))
        return read_number(arena, s, ret) || cannot_parse(r, s, tag);
    if (str_equal(tag, STR(TAG "timestamp"))) {
        if (!timestamp(arena, s, &bytes))
            return cannot_parse(r, s, tag);
        *ret = value_string(bytes);
        return true;
    }
    if (str_equal(tag, STR(TAG "binary")) && !hcl_base64_decode(arena, s, &bytes, &bad_at))
        return cannot_parse(r, s, tag);
    return text_value(r, s, ret);
}

static bool resolve(struct reader *r, struct str tag, struct str s, yaml_scalar_style_t style,
                    struct value *ret)
{
    static const char tags[] =
        TAG "str " TAG "bool " TAG "int " TAG "float " TAG "null " TAG "timestamp " TAG "binary";
    struct arena *arena = r->call->ev->arena;
    struct str text;
    if (tag.len && !word_in(tag, tags))
        return hcl_call_fail(r->call, -1, "unsupported tag \"%.*s\"", STR_ARG(tag));
    bool verbatim = str_equal(tag, STR(TAG "str")) || str_equal(tag, STR(TAG "binary"));
    bool hinted = s.len == 0 || (s.ptr[0] && strchr("+-0123456789yYnNtTfFoO~.", s.ptr[0]));
    if (verbatim || !hinted)
        return by_tag(r, s, tag, ret);
    if (style == YAML_SINGLE_QUOTED_SCALAR_STYLE || style == YAML_DOUBLE_QUOTED_SCALAR_STYLE)
        return text_value(r, s, ret);
    if (known_word(s, ret))
        return true;
    if (!tag.len && word_in(s, ".nan .NaN .NAN"))
        return hcl_call_fail(r->call, -1, "floating point NaN is not supported");
    bool numeric = s.ptr[0] == '+' || s.ptr[0] == '-' || is_digit(s.ptr[0]);
    if (s.ptr[0] == '.' && looks_numeric(s) && read_number(arena, s, ret))
        return true;
    if (numeric && (!tag.len || str_equal(tag, STR(TAG "timestamp"))) &&
        timestamp(arena, s, &text)) {
        *ret = value_string(text);
        return true;
    }
    if (numeric && looks_numeric(s))
        tag = STR(TAG "float");
    return by_tag(r, s, tag, ret);
}

/* --- yamldecode --- */

struct anchor {
    struct str name;
    struct value value;
    uint64_t weight;
    bool pending;
};

#define AUTO_EVENT __attribute__((cleanup(yaml_event_delete))) yaml_event_t

static bool next_event(struct reader *r, yaml_event_t *ret)
{
    if (yaml_parser_parse(&r->parser, ret))
        return true;
    return hcl_call_fail(r->call, -1, "on line %zu, column %zu: %s",
                         r->parser.problem_mark.line + 1, r->parser.problem_mark.column + 1,
                         r->parser.problem ? r->parser.problem : "out of memory");
}

static struct str c_text(const yaml_char_t *s)
{
    return s ? str_from((const char *)s) : (struct str){0};
}

/* *ret_at: what close_anchor wants; the name is forgotten where there is none. */
static bool open_anchor(struct reader *r, const yaml_char_t *name, size_t *ret_at)
{
    struct arena *arena = r->call->ev->arena;
    *ret_at = SIZE_MAX;
    if (!name)
        return true;
    r->anchor = arena_grow(arena, r->anchor, r->nanchors, &r->room, r->nanchors + 1);
    struct str copy = r->anchor ? arena_dup(arena, c_text(name)) : (struct str){0};
    if (!copy.ptr)
        return false;
    *ret_at = r->nanchors++;
    r->anchor[*ret_at] = (struct anchor){.name = copy, .pending = true, .weight = r->weight};
    return true;
}

static void close_anchor(struct reader *r, size_t at, const struct value *v)
{
    if (at == SIZE_MAX)
        return;
    r->anchor[at].value = *v;
    r->anchor[at].pending = false;
    r->anchor[at].weight = r->weight - r->anchor[at].weight + 1;
}

static bool read_alias(struct reader *r, struct str name, struct value *ret)
{
    for (size_t i = r->nanchors; i-- > 0;) {
        if (!str_equal(r->anchor[i].name, name))
            continue;
        if (r->anchor[i].pending)
            return hcl_call_fail(r->call, -1,
                                 "cannot refer to anchor \"%.*s\" from inside its own definition",
                                 STR_ARG(name));
        *ret = r->anchor[i].value;
        r->weight += r->anchor[i].weight;
        return r->weight <= r->most || hcl_call_fail(r->call, -1, "aliases repeat too much");
    }
    return hcl_call_fail(r->call, -1, "reference to undefined anchor \"%.*s\"", STR_ARG(name));
}

static bool read_node(struct reader *r, const yaml_event_t *event, unsigned depth_left,
                      struct value *ret);

static bool read_scalar(struct reader *r, const yaml_event_t *event, struct value *ret)
{
    struct str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    struct str tag = c_text(event->data.scalar.tag), why;
    size_t anchor;
    if (!open_anchor(r, event->data.scalar.anchor, &anchor) ||
        !resolve(r, tag, text, event->data.scalar.style, ret))
        return false;
    if (!tag.len && !event->data.scalar.plain_implicit &&
        !hcl_convert(r->call->ev->arena, ret, &type_string, ret, &why))
        return hcl_call_fail(r->call, -1, "%.*s", STR_ARG(why));
    close_anchor(r, anchor, ret);
    return true;
}

static bool read_sequence(struct reader *r, const yaml_event_t *start, unsigned depth_left,
                          struct value *ret)
{
    struct str tag = c_text(start->data.sequence_start.tag);
    struct value *items = NULL;
    size_t n = 0, room = 0, anchor;
    if (tag.len && !str_equal(tag, STR(TAG "seq")))
        return hcl_call_fail(r->call, -1, "can't interpret sequence as %.*s", STR_ARG(tag));
    if (!open_anchor(r, start->data.sequence_start.anchor, &anchor))
        return false;
    for (;;) {
        AUTO_EVENT event = {0};
        if (!next_event(r, &event))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            break;
        items = arena_grow(r->call->ev->arena, items, n, &room, n + 1);
        if (!items || !read_node(r, &event, depth_left, &items[n++]))
            return false;
    }
    *ret = value_items(VALUE_TUPLE, items, n);
    close_anchor(r, anchor, ret);
    return true;
}

struct members {
    struct value_member *ptr;
    size_t n, room;
};

static bool add_member(struct reader *r, struct members *members, const struct value_key *key,
                       const struct value *v)
{
    members->ptr =
        arena_grow(r->call->ev->arena, members->ptr, members->n, &members->room, members->n + 1);
    if (!members->ptr || !key)
        return false;
    members->ptr[members->n++] = (struct value_member){key, *v};
    return true;
}

static bool merge(struct reader *r, struct members *members, const struct value *from)
{
    if (from->kind != VALUE_OBJECT)
        return hcl_call_fail(r->call, -1, "cannot merge %s into mapping",
                             value_kind_name((enum value_kind)from->kind));
    for (uint32_t i = 0; i < from->len; i++)
        if (!add_member(r, members, from->members[i].key, &from->members[i].value))
            return false;
    return true;
}

static bool read_key(struct reader *r, const yaml_event_t *event, bool *ret_merge,
                     const struct value_key **ret)
{
    struct str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    struct str tag, why;
    struct value key;
    if (event->type != YAML_SCALAR_EVENT)
        return hcl_call_fail(r->call, -1, "only strings are allowed as mapping keys");
    tag = c_text(event->data.scalar.tag);
    *ret_merge =
        str_equal(tag, STR(TAG "merge")) || (!tag.len && str_equal(text, STR("<<")) &&
                                             event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE);
    if (*ret_merge)
        return true;
    if (!resolve(r, tag, text, event->data.scalar.style, &key))
        return false;
    if (key.kind == VALUE_NULL)
        return hcl_call_fail(r->call, -1, "mapping key cannot be null");
    if (!hcl_convert(r->call->ev->arena, &key, &type_string, &key, &why))
        return hcl_call_fail(r->call, -1, "only strings are allowed as mapping keys");
    *ret = key_make(r->call->ev->arena, value_text(&key));
    return *ret;
}

static bool read_mapping(struct reader *r, const yaml_event_t *start, unsigned depth_left,
                         struct value *ret)
{
    struct str tag = c_text(start->data.mapping_start.tag);
    struct members members = {0};
    size_t anchor;
    if (tag.len && !str_equal(tag, STR(TAG "map")))
        return hcl_call_fail(r->call, -1, "can't interpret mapping as %.*s", STR_ARG(tag));
    if (!open_anchor(r, start->data.mapping_start.anchor, &anchor))
        return false;
    for (;;) {
        AUTO_EVENT key_event = {0};
        AUTO_EVENT event = {0};
        const struct value_key *key = NULL;
        struct value v;
        bool merged = false;
        if (!next_event(r, &key_event))
            return false;
        if (key_event.type == YAML_MAPPING_END_EVENT)
            break;
        if (!read_key(r, &key_event, &merged, &key) || !next_event(r, &event) ||
            !read_node(r, &event, depth_left, &v))
            return false;
        if (!(merged ? merge(r, &members, &v) : add_member(r, &members, key, &v)))
            return false;
    }
    if (!hcl_last_wins(r->call->ev->arena, members.ptr, members.n, ret))
        return false;
    close_anchor(r, anchor, ret);
    return true;
}

static bool read_node(struct reader *r, const yaml_event_t *event, unsigned depth_left,
                      struct value *ret)
{
    r->weight++;
    if (depth_left == 0)
        return hcl_call_fail(r->call, -1, "nested too deeply");
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(r, event, ret);
    case YAML_ALIAS_EVENT:
        return read_alias(r, c_text(event->data.alias.anchor), ret);
    case YAML_SEQUENCE_START_EVENT:
        return read_sequence(r, event, depth_left - 1, ret);
    case YAML_MAPPING_START_EVENT:
        return read_mapping(r, event, depth_left - 1, ret);
    default:
        return hcl_call_fail(r->call, -1, "expecting value but found something else");
    }
}

static bool read_stream(struct reader *r, struct value *ret)
{
    AUTO_EVENT stream = {0};
    AUTO_EVENT document = {0};
    AUTO_EVENT root = {0};
    AUTO_EVENT end = {0};
    AUTO_EVENT after = {0};
    if (!next_event(r, &stream) || !next_event(r, &document))
        return false;
    if (document.type != YAML_DOCUMENT_START_EVENT)
        return hcl_call_fail(r->call, -1, "missing start of document");
    const yaml_version_directive_t *version = document.data.document_start.version_directive;
    if (version && version->minor != 1)
        return hcl_call_fail(r->call, -1, "found incompatible YAML document");
    if (!next_event(r, &root) || !read_node(r, &root, HCL_DEPTH_MAX, ret) || !next_event(r, &end) ||
        !next_event(r, &after))
        return false;
    if (after.type == YAML_DOCUMENT_START_EVENT)
        return hcl_call_fail(r->call, -1, "unexpected extra content after value");
    return true;
}

static bool run_yamldecode(struct hcl_call *call, struct value *ret)
{
    struct str text = value_text(&call->arg[0]);
    uint64_t most = call->ev->limits.elements;
    struct reader r = {.call = call, .most = most ? most : 10000000};
    if (!yaml_parser_initialize(&r.parser))
        return false;
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)(text.len ? text.ptr : ""),
                                 text.len);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    bool ok = read_stream(&r, ret);
    yaml_parser_delete(&r.parser);
    return ok;
}

static const struct hcl_function functions[] = {
    {.name = "yamlencode",
     .param = {{"value", "any", PARAM_NULL | PARAM_DYNAMIC}},
     .result = "string",
     .run = run_yamlencode},
    {.name = "yamldecode", .param = {{"src", "string", 0}}, .run = run_yamldecode},
};

const struct hcl_function_family fn_yaml = {functions, sizeof functions / sizeof *functions};
