/* waiver.c - reading waivers, and which of them covers what. */
#include "policy/waiver.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/glob.h"
#include "policy/rule_parts.h"
#include "value/canon.h"
#include "wire/json.h"

struct waiver_reader {
    struct rule_reader base; /* first: readers of keys get this */
    struct waivers *waivers;
};

/* --- reading --- */

#define PLAIN "sha256:"
#define KEYED "hmac-sha256:"
enum { SHOWN_MAX = 100 };

static bool is_hex(struct str text, size_t n)
{
    bool ok = text.len == n;
    for (size_t i = 0; ok && i < n; i++)
        ok = text.ptr[i] && strchr("0123456789abcdef", text.ptr[i]);
    return ok;
}

static void read_fingerprint(struct rule_reader *r, const struct rule_key *key,
                             const struct value *v, void *target)
{
    enum { FINGERPRINT = 32 };
    if (value_is_string(v) && is_hex(value_text(v), FINGERPRINT))
        rule_read_text(r, key, v, target);
    else
        rule_problem(r, rule_location(r, v),
                     "%s: want the 32 hex digits that a report names, in quotes", key->name);
}

static void read_path(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                      void *target)
{
    struct waiver *waiver = target;
    struct err err = {0};
    rule_read_text(r, key, v, target);
    if (waiver->path_text.len && !path_parse(r->arena, waiver->path_text, &waiver->path, &err))
        rule_problem(r, rule_location(r, v), "%s", err.frame[0]);
}

/* One that is cut or misspelt would never be met, and its waiver be told as void. */
static bool is_digest(struct str text)
{
    bool keyed = str_starts(text, STR(KEYED)), plain = str_starts(text, STR(PLAIN));
    size_t lead = keyed ? sizeof KEYED - 1 : sizeof PLAIN - 1;
    return (keyed || plain) && is_hex(str_sub(text, lead, text.len), DIGEST_HEX);
}

static void read_value(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                       void *target)
{
    struct waiver *waiver = target;
    if (value_is_list_like(v) && v->len == 0) {
        rule_problem(r, rule_location(r, v),
                     "%s: an empty list covers nothing; want the digest of each change that is "
                     "accepted, as a report has it (`plumb policy waive` writes it)",
                     key->name);
        return;
    }
    rule_read_texts(r, key, v, target);
    for (size_t i = 0; i < waiver->value.n; i++) {
        struct str text = waiver->value.item[i];
        const struct value *at = value_is_list_like(v) ? &v->items[i] : v;
        if (text.len && !is_digest(text))
            rule_problem(r, rule_location(r, at),
                         "%s: want sha256: or hmac-sha256: and %d hex digits, as a report has it "
                         "for each change (`plumb policy waive` writes it), got '%.*s'",
                         key->name, DIGEST_HEX, STR_ARG(str_sub(text, 0, SHOWN_MAX)));
    }
}

static void read_expires(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                         void *target)
{
    struct waiver *waiver = target;
    if (value_is_string(v) && clock_parse(value_text(v), &waiver->expires_utc_ms))
        waiver->expires = value_text(v);
    else
        rule_problem(r, rule_location(r, v), "%s: want a date such as 2026-12-31", key->name);
}

static const struct rule_key waiver_keys[] = {
    {"fingerprint", read_fingerprint, offsetof(struct waiver, fingerprint), false},
    {"address", rule_read_text, offsetof(struct waiver, address), false},
    {"path", read_path, offsetof(struct waiver, path_text), false},
    {"rule", rule_read_text, offsetof(struct waiver, rule), false},
    {"value", read_value, offsetof(struct waiver, value), true},
    {"reason", rule_read_text, offsetof(struct waiver, reason), true},
    {"owner", rule_read_text, offsetof(struct waiver, owner), true},
    {"expires", read_expires, 0, true},
};

static bool add_waiver(struct waiver_reader *w, const struct value *v)
{
    struct rule_reader *r = &w->base;
    struct waivers *waivers = w->waivers;
    struct waiver waiver = {.at = rule_location(r, v)};
    rule_read_mapping(r, "waiver", waiver_keys, sizeof waiver_keys / sizeof *waiver_keys, v,
                      &waiver);
    if (value_is_object_like(v) && !value_get(v, STR("fingerprint")) &&
        !value_get(v, STR("address")))
        rule_problem(r, waiver.at, "a waiver names a fingerprint or an address");
    struct waiver *grown =
        arena_grow(r->arena, waivers->item, waivers->n, &waivers->room, waivers->n + 1);
    if (!grown)
        return false;
    waivers->item = grown;
    waivers->item[waivers->n++] = waiver;
    return true;
}

static void read_list(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                      void *target)
{
    struct waiver_reader *w = target;
    if (v->kind == VALUE_NULL)
        return;
    if (!value_is_list_like(v) || v->len > WAIVERS_MAX) {
        rule_problem(r, rule_location(r, v), "%s: want a list of waivers, got %s", key->name,
                     value_plain_kind_name(v->kind));
        return;
    }
    for (size_t i = 0; i < v->len && !r->full; i++)
        r->full = !add_waiver(w, &v->items[i]);
}

bool waivers_is_file(const struct value *doc)
{
    const struct value *list = value_get(doc, STR("waivers"));
    return list && (value_is_list_like(list) || value_get(doc, STR("version")));
}

bool waivers_read(struct waivers *waivers, struct arena *arena, struct str text, struct str file,
                  struct rule_problems *problems, struct err *err)
{
    static const struct rule_key keys[] = {{"version", rule_read_version, 0, true},
                                           {"waivers", read_list, 0, true}};
    struct waiver_reader w = {.base = {.problems = problems, .arena = arena}, .waivers = waivers};
    size_t before = problems->n + problems->left_out;
    struct str name = arena_dup(arena, file), copy = arena_dup(arena, text);
    w.base.file = name;
    if (!name.ptr || !copy.ptr)
        return arena_full(arena, err);
    if (!yaml_parse_one(arena, copy, name.ptr, YAML_DEFAULT, &w.base.doc, err))
        return false;
    rule_read_mapping(&w.base, "waiver file", keys, sizeof keys / sizeof *keys, &w.base.doc.root,
                      &w);
    if (w.base.full)
        return arena_full(arena, err);
    return problems->n + problems->left_out == before || rule_refuse(&w.base, before, err);
}

/* --- digests --- */

/* Which of the values, counted as they are gone through, are unknown: canonical bytes have null for
 * them, and what null was accepted for is not what may become anything. */
struct unknowns {
    struct arena *arena;
    struct value *item;
    size_t n, room;
    int64_t passed;
};

static bool note_unknowns(struct unknowns *u, const struct value *v, unsigned depth_left)
{
    bool ok = true;
    u->passed++;
    if (v->kind == VALUE_UNKNOWN) {
        u->item = arena_grow(u->arena, u->item, u->n, &u->room, u->n + 1);
        if (!u->item)
            return false;
        u->item[u->n++] = value_int(u->passed);
    }
    for (uint32_t i = 0; depth_left && value_is_list_like(v) && i < v->len && ok; i++)
        ok = note_unknowns(u, &v->items[i], depth_left - 1);
    for (uint32_t i = 0; depth_left && value_is_object_like(v) && i < v->len && ok; i++)
        ok = note_unknowns(u, &v->members[i].value, depth_left - 1);
    return ok;
}

/* [path, value], and where it is not known: the same value at another place is another thing to
 * accept. */
bool waiver_digest(struct arena *arena, struct str key, struct str path, const struct value *live,
                   bool sensitive, struct str *ret, struct err *err)
{
    struct unknowns unknown = {.arena = arena};
    struct value items[3] = {value_string(path), live ? *live : value_null()};
    if (!note_unknowns(&unknown, &items[1], VALUE_DEPTH_MAX))
        return arena_full(arena, err);
    items[2] = value_items(VALUE_TUPLE, unknown.item, unknown.n);
    struct value pair = value_items(VALUE_TUPLE, items, unknown.n ? 3 : 2);
    struct digest digest;
    char hex[DIGEST_HEX + 1];
    bool secret = sensitive || value_any_sensitive(&pair);
    *ret = (struct str){0};
    if (secret && !key.len)
        return true;
    if (secret ? !canon_digest_keyed(key, &pair, &digest, err) : !canon_digest(&pair, &digest, err))
        return err_wrap(err, "digest of %.*s", STR_ARG(path));
    digest_hex(&digest, hex);
    *ret = arena_printf(arena, "%s%s", secret ? KEYED : PLAIN, hex);
    return ret->ptr || arena_full(arena, err);
}

bool waiver_digest_whole(struct arena *arena, struct str key, enum finding_class class_,
                         struct str address, struct str type, const struct value *live,
                         struct str *ret, struct err *err)
{
    struct value what[3] = {value_string(str_from(finding_class_name(class_))), value_string(type)};
    if (class_ != CLASS_UNMANAGED)
        return waiver_digest(arena, key, address, &what[0], false, ret, err);
    *ret = (struct str){0};
    if (!live || live->kind == VALUE_NULL || live->kind == VALUE_UNKNOWN)
        return true;
    what[2] = *live;
    const struct value whole = value_items(VALUE_TUPLE, what, 3);
    return waiver_digest(arena, key, address, &whole, false, ret, err);
}

/* --- covering --- */

static bool has_digest(const struct waiver *waiver, struct str digest)
{
    for (size_t i = 0; digest.len && i < waiver->value.n; i++)
        if (str_equal(waiver->value.item[i], digest))
            return true;
    return false;
}

static bool in_scope(const struct waiver *waiver, const struct rule_subject *s,
                     const struct rule_change *change, struct str rule)
{
    if (waiver->fingerprint.len && !str_equal(waiver->fingerprint, s->fingerprint))
        return false;
    if (waiver->address.len && !glob_match(waiver->address, s->address, '\0'))
        return false;
    if (waiver->path_text.len && (!change || !path_covered(waiver->path, change->path)))
        return false;
    return !waiver->rule.len || glob_match(waiver->rule, rule, '\0');
}

struct waiver *waivers_find(struct waivers *waivers, const struct rule_subject *subject,
                            const struct rule_change *change, struct str rule, struct str digest,
                            int64_t now_utc_ms)
{
    for (size_t i = 0; i < waivers->n; i++) {
        struct waiver *waiver = &waivers->item[i];
        if (waiver->expires_utc_ms <= now_utc_ms || !in_scope(waiver, subject, change, rule))
            continue;
        if (has_digest(waiver, digest)) {
            waiver->used++;
            return waiver;
        }
        waiver->voided += subject->kind == SUBJECT_FINDING; /* the value of which it is for */
    }
    return NULL;
}

/* --- writing --- */

static void write_line(struct buf *out, const char *lead, struct str value)
{
    if (!value.len)
        return;
    buf_str(out, str_from(lead));
    json_quote(out, value); /* a JSON text is a YAML one in double quotes */
    buf_char(out, '\n');
}

void waiver_write(struct buf *out, const struct waiver *waiver)
{
    bool found = waiver->fingerprint.len > 0;
    write_line(out, "  - fingerprint: ", waiver->fingerprint);
    write_line(out, found ? "    address: " : "  - address: ", waiver->address);
    write_line(out, "    path: ", waiver->path_text);
    write_line(out, "    rule: ", waiver->rule);
    if (waiver->value.n == 1) {
        write_line(out, "    value: ", waiver->value.item[0]);
    } else {
        buf_str(out, STR("    value:\n"));
        for (size_t i = 0; i < waiver->value.n; i++)
            write_line(out, "      - ", waiver->value.item[i]);
    }
    write_line(out, "    reason: ", waiver->reason);
    write_line(out, "    owner: ", waiver->owner);
    write_line(out, "    expires: ", waiver->expires);
}
