/* builtin_yaml.c - Rego's YAML texts, as the library of Kubernetes (sigs.k8s.io/yaml on go-yaml 2)
 * reads and writes them; libyaml, which go-yaml is made from, lays them out.
 *
 * Source: facts/rego.md 8; go-yaml 2's documentation and answers of OPA 1.19
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "lang/rego/builtin.h"
#include "value/number.h"
#include "wire/yaml.h"
#include "wire/yaml_scalar.h"

/* --- reading --- */

static bool parse_yaml(struct rego_call *call, struct value *ret, struct err *err)
{
    struct yaml_doc doc;
    if (!yaml_parse_one(call->arena, value_text(call->arg), "text",
                        YAML_V1_1_BOOLS | YAML_ANY_TAG | YAML_FIRST | YAML_DUPLICATES_LAST, &doc,
                        err))
        return false;
    *ret = doc.root;
    return true;
}

static enum rego_outcome yaml_unmarshal(struct rego_call *call, struct value *ret)
{
    struct err err = {0};
    return parse_yaml(call, ret, &err) ? REGO_DEFINED : rego_fail(call, "%s", err.frame[0]);
}

static enum rego_outcome yaml_is_valid(struct rego_call *call, struct value *ret)
{
    struct value parsed;
    *ret = value_bool(call->arg->kind == VALUE_STRING && parse_yaml(call, &parsed, NULL));
    return REGO_DEFINED;
}

/* --- what a bare word would be read as --- */

/* [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?: a number of base 60, which YAML 1.1 has. */
static bool is_base60(struct str s)
{
    size_t i = s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'), groups = 0;
    if (i >= s.len || !isdigit((unsigned char)s.ptr[i]))
        return false;
    while (i < s.len && (isdigit((unsigned char)s.ptr[i]) || s.ptr[i] == '_'))
        i++;
    for (; i < s.len && s.ptr[i] == ':'; groups++) {
        size_t from = ++i;
        while (i < s.len && isdigit((unsigned char)s.ptr[i]))
            i++;
        if (i == from || i - from > 2 || (i - from == 2 && s.ptr[from] > '5'))
            return false;
    }
    if (groups && i < s.len && s.ptr[i] == '.')
        for (i++; i < s.len && (isdigit((unsigned char)s.ptr[i]) || s.ptr[i] == '_');)
            i++;
    return groups && i == s.len;
}

/* One or two digits, or exactly two, from least to most. */
static bool take_number(struct str s, size_t *at, bool two, int least, int most, int *ret)
{
    size_t from = *at;
    *ret = 0;
    while (*at < s.len && *at - from < 2 && isdigit((unsigned char)s.ptr[*at]))
        *ret = *ret * 10 + (s.ptr[(*at)++] - '0');
    return *at > from && (!two || *at - from == 2) && *ret >= least && *ret <= most;
}

static bool take_char(struct str s, size_t *at, char c)
{
    bool there = *at < s.len && s.ptr[*at] == c;
    *at += there;
    return there;
}

static bool is_zone(struct str s, size_t at)
{
    int n;
    if (take_char(s, &at, 'Z'))
        return at == s.len;
    return (take_char(s, &at, '+') || take_char(s, &at, '-')) &&
           take_number(s, &at, true, 0, 24, &n) && take_char(s, &at, ':') &&
           take_number(s, &at, true, 0, 60, &n) && at == s.len;
}

/* 2001-2-3, alone or with a time behind T, t (then with a zone) or a blank (then without). */
static bool is_timestamp(struct str s)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    size_t at = 0;
    int year = 0, month, day, n;
    while (at < s.len && isdigit((unsigned char)s.ptr[at]) && at < 4)
        year = year * 10 + (s.ptr[at++] - '0');
    if (at != 4 || !take_char(s, &at, '-') || !take_number(s, &at, false, 1, 12, &month) ||
        !take_char(s, &at, '-') || !take_number(s, &at, false, 1, 31, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day > days[month - 1] || (month == 2 && day == 29 && !leap))
        return false;
    if (at == s.len)
        return true;
    bool zone = s.ptr[at] == 'T' || s.ptr[at] == 't';
    if (!zone && s.ptr[at] != ' ')
        return false;
    at++;
    if (!take_number(s, &at, false, 0, 23, &n) || !take_char(s, &at, ':') ||
        !take_number(s, &at, false, 0, 59, &n) || !take_char(s, &at, ':') ||
        !take_number(s, &at, false, 0, 59, &n))
        return false;
    if (take_char(s, &at, '.')) {
        size_t from = at;
        while (at < s.len && isdigit((unsigned char)s.ptr[at]))
            at++;
        if (at == from)
            return false;
    }
    return zone ? is_zone(s, at) : at == s.len;
}

static bool is_text(struct rego_call *call, struct str s)
{
    struct value v;
    return yaml_resolve(call->arena, s, YAML_TAG_PLAIN, YAML_V1_1_BOOLS, &v, NULL) &&
           v.kind == VALUE_STRING && !is_base60(s) && !is_timestamp(s);
}

/* --- the order of keys: letters behind all else, runs of digits by their number --- */

enum { KEY_CHARACTERS_MAX = 1024 };

static size_t points(struct str s, uint32_t *out)
{
    size_t n = 0;
    for (size_t at = 0; at < s.len && n < KEY_CHARACTERS_MAX;)
        out[n++] = utf8_next(s, &at);
    return n;
}

/* The end of the digits from i on; *ret: their number, as 64 bits have it. */
static size_t digits_end(const uint32_t *s, size_t n, size_t i, int64_t *ret)
{
    uint64_t number = (uint64_t)*ret;
    while (i < n && unicode_is_digit(s[i]))
        number = number * 10 + (s[i++] - '0');
    *ret = (int64_t)number;
    return i;
}

/* Where the first difference is: -1, 1. */
static int compare_at(const uint32_t *a, size_t na, const uint32_t *b, size_t nb, size_t i)
{
    bool letter_a = unicode_is_letter(a[i]), letter_b = unicode_is_letter(b[i]);
    int64_t number_a = 0, number_b = 0;
    if (letter_a || letter_b)
        return letter_a && letter_b ? (a[i] < b[i] ? -1 : 1) : (letter_b ? -1 : 1);
    /* A zero within a number is a digit like others; in front of one it is not. */
    if (a[i] == '0' || b[i] == '0')
        for (size_t k = i; k > 0 && unicode_is_digit(a[k - 1]); k--)
            if (a[k - 1] != '0') {
                number_a = number_b = 1;
                break;
            }
    size_t end_a = digits_end(a, na, i, &number_a), end_b = digits_end(b, nb, i, &number_b);
    if (number_a != number_b)
        return number_a < number_b ? -1 : 1;
    if (end_a != end_b)
        return end_a < end_b ? -1 : 1;
    return a[i] < b[i] ? -1 : 1;
}

static int compare_keys(const void *left, const void *right)
{
    uint32_t a[KEY_CHARACTERS_MAX], b[KEY_CHARACTERS_MAX];
    const struct rego_pair *x = left, *y = right;
    size_t na = points(value_text(&x->key), a), nb = points(value_text(&y->key), b);
    for (size_t i = 0; i < na && i < nb; i++)
        if (a[i] != b[i])
            return compare_at(a, na, b, nb, i);
    return na != nb ? (na < nb ? -1 : 1) : str_compare(value_text(&x->key), value_text(&y->key));
}

/* --- writing --- */

struct writer {
    struct rego_call *call;
    yaml_emitter_t emitter;
    struct buf out;
};

static int give_out(void *ctx, unsigned char *bytes, size_t n)
{
    struct writer *w = ctx;
    buf_add(&w->out, (const char *)bytes, n);
    return !w->out.failed;
}

/* The event is the emitter's from here on, also where it fails. */
static bool emit(struct writer *w, yaml_event_t *event, int made)
{
    return made && yaml_emitter_emit(&w->emitter, event);
}

static bool put_scalar(struct writer *w, struct str s, yaml_scalar_style_t style)
{
    yaml_event_t event;
    return s.len <= INT32_MAX &&
           emit(w, &event,
                yaml_scalar_event_initialize(&event, NULL, NULL,
                                             (const yaml_char_t *)(s.len ? s.ptr : ""), (int)s.len,
                                             1, 1, style));
}

static bool put_text(struct writer *w, struct str s)
{
    AUTO_BUF whole = {.limit = rego_room(w->call)};
    char bytes[4];
    if (utf8_bad_at(s) != SIZE_MAX) {
        for (size_t at = 0; at < s.len;)
            buf_add(&whole, bytes, utf8_put(utf8_next(s, &at), bytes));
        s = buf_view(&whole);
    }
    bool lines = str_find_char(s, '\n', 0) != SIZE_MAX;
    return !whole.failed && put_scalar(w, s,
                                       lines                 ? YAML_LITERAL_SCALAR_STYLE
                                       : is_text(w->call, s) ? YAML_PLAIN_SCALAR_STYLE
                                                             : YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

/* Integers of 64 bits as they are, all else as the shortest %g that reads back. */
static bool put_number(struct writer *w, const struct value *v)
{
    struct str text = arena_dup(w->call->arena, number_text(w->call->arena, v));
    char shown[64];
    bool exact, digits = text.len > 0;
    for (size_t i = 0; i < text.len; i++)
        digits &= isdigit((unsigned char)text.ptr[i]) != 0;
    errno = 0;
    bool whole = digits && (strtoull(text.ptr, NULL, 10), errno == 0);
    double d = number_to_double(v, &exact);
    if (v->form == NUMBER_INT || whole || !isfinite(d))
        return text.ptr && put_scalar(w, text, YAML_PLAIN_SCALAR_STYLE);
    int n = 1;
    do
        (void)snprintf(shown, sizeof shown, "%.*e", n - 1, d);
    while (strtod(shown, NULL) != d && n++ < 17);
    int exponent = atoi(strchr(shown, 'e') + 1);
    if (exponent >= -4 && exponent < 6)
        (void)snprintf(shown, sizeof shown, "%.*f", n - 1 > exponent ? n - 1 - exponent : 0, d);
    return put_scalar(w, str_from(shown), YAML_PLAIN_SCALAR_STYLE);
}

static bool put_node(struct writer *w, const struct value *v, unsigned depth_left);

static bool put_object(struct writer *w, const struct value *v, unsigned depth_left)
{
    yaml_event_t event;
    struct rego_pair *pairs = arena_new(w->call->arena, struct rego_pair, v->len);
    size_t n = 0;
    if (!pairs)
        return false;
    for (size_t at = 0; rego_next(v, &at, &pairs[n].key, &pairs[n].value); n++) {
        if (pairs[n].key.kind == VALUE_STRING)
            continue;
        AUTO_BUF key = {.limit = rego_room(w->call)};
        rego_json(&key, &pairs[n].key);
        struct str kept = arena_dup(w->call->arena, buf_view(&key));
        if (key.failed || !kept.ptr)
            return false;
        pairs[n].key = value_string(kept);
    }
    qsort(pairs, n, sizeof *pairs, compare_keys);
    if (!emit(w, &event,
              yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE)))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!put_text(w, value_text(&pairs[i].key)) || !put_node(w, &pairs[i].value, depth_left))
            return false;
    return emit(w, &event, yaml_mapping_end_event_initialize(&event));
}

static bool put_list(struct writer *w, const struct value *v, unsigned depth_left)
{
    yaml_event_t event;
    if (!emit(
            w, &event,
            yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE)))
        return false;
    for (uint32_t i = 0; i < v->len; i++)
        if (!put_node(w, &v->items[i], depth_left))
            return false;
    return emit(w, &event, yaml_sequence_end_event_initialize(&event));
}

static bool put_node(struct writer *w, const struct value *v, unsigned depth_left)
{
    if (depth_left == 0 || !w->call->spend(w->call->spend_ctx, 1))
        return false;
    if (rego_is_object(v))
        return put_object(w, v, depth_left - 1);
    if (rego_is_array(v) || v->kind == VALUE_SET)
        return put_list(w, v, depth_left - 1);
    switch (v->kind) {
    case VALUE_STRING:
        return put_text(w, value_text(v));
    case VALUE_NUMBER:
        return put_number(w, v);
    case VALUE_BOOL:
        return put_scalar(w, v->truth ? STR("true") : STR("false"), YAML_PLAIN_SCALAR_STYLE);
    default:
        return put_scalar(w, STR("null"), YAML_PLAIN_SCALAR_STYLE);
    }
}

static bool put_document(struct writer *w, const struct value *v)
{
    yaml_event_t event;
    return emit(w, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING)) &&
           emit(w, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1)) &&
           put_node(w, v, YAML_DEPTH_MAX) &&
           emit(w, &event, yaml_document_end_event_initialize(&event, 1)) &&
           emit(w, &event, yaml_stream_end_event_initialize(&event)) &&
           yaml_emitter_flush(&w->emitter);
}

static enum rego_outcome yaml_marshal(struct rego_call *call, struct value *ret)
{
    struct writer w = {.call = call, .out = {.limit = rego_room(call)}};
    if (!yaml_emitter_initialize(&w.emitter))
        return REGO_HALT;
    yaml_emitter_set_output(&w.emitter, give_out, &w);
    yaml_emitter_set_unicode(&w.emitter, 1);
    bool ok = put_document(&w, call->arg);
    yaml_emitter_delete(&w.emitter);
    /* libyaml ends a text of open lines with "...", go-yaml does not. */
    if (ok && str_ends(buf_view(&w.out), STR("\n...\n")))
        w.out.len -= 4;
    enum rego_outcome outcome = ok ? rego_give_buf(call, &w.out, ret) : REGO_HALT;
    buf_free(&w.out);
    return outcome;
}

static const struct rego_builtin table[] = {
    {"yaml.marshal", NULL, "(any) => string", yaml_marshal, 0},
    {"yaml.unmarshal", NULL, "(string) => any", yaml_unmarshal, 0},
    {"yaml.is_valid", NULL, "(any) => boolean", yaml_is_valid, 0},
};
const struct rego_family builtin_yaml = {table, sizeof table / sizeof *table};
