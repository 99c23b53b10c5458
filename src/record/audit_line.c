/* audit_line.c - members in the order of RFC 8785, written and read by one table. */
#include "record/audit_line.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/utf8.h"
#include "model/event.h"
#include "record/audit.h"
#include "value/canon.h"
#include "wire/json.h"
#include "wire/json_scan.h"

enum { DETAIL_DEPTH = 16 };
#define INTEGER_MAX ((int64_t)1 << 53)
static const struct str sha256_label = STR_INIT("sha256:");

/* --- writing --- */

/* Only what every reader of JSON reads alike. */
static bool detail_ok(const struct value *v, unsigned depth_left)
{
    bool ok = depth_left > 0;
    switch ((enum value_kind)v->kind) {
    case VALUE_BOOL:
    case VALUE_STRING:
        return ok;
    case VALUE_NUMBER:
        return ok && v->form == NUMBER_INT && v->integer < INTEGER_MAX && v->integer > -INTEGER_MAX;
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_SET:
        for (uint32_t i = 0; ok && i < v->len; i++)
            ok = detail_ok(&v->items[i], depth_left - 1);
        return ok;
    case VALUE_MAP:
    case VALUE_OBJECT:
        for (uint32_t i = 0; ok && i < v->len; i++)
            ok = detail_ok(&v->members[i].value, depth_left - 1);
        return ok;
    default:
        return false;
    }
}

/* Bytes that are no UTF-8 stand within strings only: replaced there, the text is JSON. */
static bool print_repaired(struct buf *out, struct str text, struct err *err)
{
    AUTO_ARENA arena = {.limit = 64 * (size_t)AUDIT_LINE_MAX};
    AUTO_BUF good = {.limit = 4 * (size_t)AUDIT_LINE_MAX};
    struct value v;
    for (size_t at = 0; at < text.len;) {
        char bytes[4];
        buf_add(&good, bytes, utf8_put(utf8_next(text, &at), bytes));
    }
    return buf_ok(&good, err) &&
           json_parse(&arena, buf_view(&good), "event", JSON_DEFAULT, &v, err) &&
           canon_print(out, &v, err);
}

static bool print_detail(struct buf *out, const struct value *detail, struct err *err)
{
    AUTO_BUF text = {.limit = AUDIT_LINE_MAX};
    if ((detail->kind != VALUE_OBJECT && detail->kind != VALUE_MAP) ||
        !detail_ok(detail, DETAIL_DEPTH))
        return err_set(err, ERR_SYNTAX,
                       "an event's detail is an object of strings, booleans, integers below 2^53, "
                       "and lists and objects of these");
    if (!canon_print(&text, detail, err))
        return false;
    if (utf8_bad_at(buf_view(&text)) != SIZE_MAX)
        return print_repaired(out, buf_view(&text), err);
    buf_str(out, buf_view(&text));
    return true;
}

static void add_member(struct jsonw *w, struct str key, struct str text)
{
    if (text.len)
        jsonw_member_string(w, key, text);
}

static void print_actor(struct jsonw *w, const struct event_actor *actor)
{
    jsonw_key(w, STR("actor"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("how"), actor->how.len ? actor->how : STR("none"));
    jsonw_member_string(w, STR("name"), actor->name);
    jsonw_object_close(w);
}

static void print_inputs(struct jsonw *w, const struct event *event)
{
    jsonw_key(w, STR("inputs"));
    jsonw_array_open(w);
    for (size_t i = 0; i < event->ninputs; i++) {
        jsonw_object_open(w);
        jsonw_member_string(w, STR("digest"), event->input[i].digest);
        jsonw_member_string(w, STR("name"), event->input[i].name);
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
}

bool audit_line_print(struct buf *out, const struct event *event, int64_t seq,
                      const struct digest *prev, struct err *err)
{
    char hex[sizeof "sha256:" + DIGEST_HEX] = "sha256:", time[CLOCK_TEXT];
    struct jsonw w = {.out = out};
    bool ok = true;
    jsonw_object_open(&w);
    print_actor(&w, &event->actor);
    if (event->detail.kind != VALUE_NULL && event->detail.len) {
        jsonw_key(&w, STR("detail"));
        ok = print_detail(out, &event->detail, err);
        w.after_key = false;
        w.need_comma = true;
    }
    if (event->ninputs)
        print_inputs(&w, event);
    add_member(&w, STR("outcome"), event->outcome);
    add_member(&w, STR("policy"), event->policy);
    if (prev) {
        digest_hex(prev, hex + sha256_label.len);
        jsonw_member_string(&w, STR("prev"), str_from(hex));
    }
    add_member(&w, STR("reason"), event->reason);
    jsonw_member_int(&w, STR("seq"), seq);
    add_member(&w, STR("stack"), event->stack);
    add_member(&w, STR("subject"), event->subject);
    jsonw_member_string(&w, STR("time"), str_from(clock_format(event->time_utc_ms, time)));
    jsonw_member_string(&w, STR("type"), str_from(event_type_name(event->type)));
    jsonw_member_int(&w, STR("v"), 1);
    jsonw_object_close(&w);
    return ok && buf_ok(out, err);
}

/* --- reading --- */

/* X(member): in the order of the line. */
#define MEMBERS(X) \
    X(actor) \
    X(detail) \
    X(inputs) \
    X(outcome) \
    X(policy) \
    X(prev) \
    X(reason) \
    X(seq) \
    X(stack) \
    X(subject) \
    X(time) \
    X(type) \
    X(v)
enum member {
#define X(name) MEMBER_##name,
    MEMBERS(X)
#undef X
        MEMBER_COUNT
};
static const struct str names[] = {
#define X(name) STR_INIT(#name),
    MEMBERS(X)
#undef X
};

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_digest(struct str text, struct digest *ret)
{
    if (text.len != sha256_label.len + DIGEST_HEX || !str_starts(text, sha256_label))
        return false;
    const char *p = text.ptr + sha256_label.len;
    for (size_t i = 0; i < DIGEST_SIZE; i++) {
        int high = hex_digit(p[2 * i]), low = hex_digit(p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret->byte[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* {"how":"...","name":"..."} */
static bool read_actor(struct json_scan *s, struct audit_line *ret)
{
    bool first = true, escaped;
    struct str key;
    return json_scan_enter(s, '{') && json_scan_next_key(s, &first, &key, &escaped) &&
           str_equal(key, STR("how")) && json_scan_string(s, &ret->how, &escaped) &&
           json_scan_next_key(s, &first, &key, &escaped) && str_equal(key, STR("name")) &&
           json_scan_string(s, &ret->actor, &escaped) &&
           !json_scan_next_key(s, &first, &key, &escaped) && !s->why;
}

static bool read_string(struct json_scan *s, struct str *ret)
{
    bool escaped;
    return s->at < s->end && *s->at == '"' && json_scan_string(s, ret, &escaped);
}

static bool read_member(struct json_scan *s, enum member member, struct audit_line *ret)
{
    struct str text;
    int64_t n = 0;
    switch (member) {
    case MEMBER_actor:
        return read_actor(s, ret);
    case MEMBER_detail:
        return json_scan_value(s, DETAIL_DEPTH, &ret->detail);
    case MEMBER_inputs:
        return json_scan_value(s, DETAIL_DEPTH, &ret->inputs);
    case MEMBER_outcome:
        return read_string(s, &ret->outcome);
    case MEMBER_policy:
        return read_string(s, &ret->policy);
    case MEMBER_prev:
        ret->has_prev = true;
        return read_string(s, &text) && read_digest(text, &ret->prev);
    case MEMBER_reason:
        return read_string(s, &ret->reason);
    case MEMBER_seq:
        return json_scan_number(s, &text) && str_to_int64(text, &ret->seq) && ret->seq >= 0 &&
               ret->seq < INTEGER_MAX;
    case MEMBER_stack:
        return read_string(s, &ret->stack);
    case MEMBER_subject:
        return read_string(s, &ret->subject);
    case MEMBER_time:
        return read_string(s, &text) && clock_parse(text, &ret->utc_ms);
    case MEMBER_type:
        return read_string(s, &ret->type);
    case MEMBER_v:
        return json_scan_number(s, &text) && str_to_int64(text, &n) && n == 1;
    case MEMBER_COUNT:
        break;
    }
    return false;
}

/* Which member the key is, from `from` on; MEMBER_COUNT: none, or one that should be before. */
static enum member find_member(struct str key, unsigned from)
{
    unsigned m = from;
    while (m < MEMBER_COUNT && !str_equal(names[m], key))
        m++;
    return (enum member)m;
}

bool audit_line_read(struct str text, struct audit_line *ret, struct err *err)
{
    struct audit_line line = {.text = text, .seq = -1};
    struct json_scan s = json_scan_open(text);
    unsigned next = 0, seen = 0;
    bool first = true, escaped, ok = json_scan_enter(&s, '{');
    struct str key;
    while (ok && json_scan_next_key(&s, &first, &key, &escaped)) {
        enum member m = find_member(key, next);
        next = (unsigned)m + 1;
        seen |= 1u << m;
        ok = m < MEMBER_COUNT && read_member(&s, m, &line);
    }
    const unsigned must = 1u << MEMBER_actor | 1u << MEMBER_seq | 1u << MEMBER_time |
                          1u << MEMBER_type | 1u << MEMBER_v;
    if (!ok || s.why || s.at != s.end || (seen & must) != must)
        return err_set(err, ERR_SYNTAX, "not an event's line of the audit log, at byte %zu",
                       (size_t)(s.at - text.ptr));
    *ret = line;
    return true;
}
