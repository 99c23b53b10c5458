/* plan_doc.c - one pass over the text of a plan. */
#include "desired/plan_doc.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "wire/json.h"
#include "wire/json_scan.h"

enum { ENTRIES_MAX = 10000000, SMALL = 1 << 16 };

struct list {
    struct plan_entry *item;
    size_t n, room;
};
struct reading {
    struct arena *arena;
    const char *name;
    struct json_scan scan;
    struct plan_doc *doc;
    struct list touch, drift;
    struct str format;
    bool has_complete, complete;
    struct err *err;
};

const char *plan_action_name(enum plan_action action)
{
    static const char *const names[] = {
#define X(constant, name, meaning) [constant] = (name),
        PLAN_ACTIONS(X)
#undef X
    };
    return action < PLAN_ACTION_COUNT ? names[action] : "unknown";
}

static bool fail(struct reading *r)
{
    return json_scan_error(&r->scan, r->name, 1, r->err);
}

/* Who writes a key of the format with escapes hides it from those that look for its letters. */
static bool next_key(struct reading *r, bool *first, struct str *ret)
{
    bool escaped = false;
    if (!json_scan_next_key(&r->scan, first, ret, &escaped))
        return false;
    return !escaped ||
           json_scan_fail(&r->scan, r->scan.at, "a key of the plan format is written with escapes");
}

static bool skip(struct reading *r, struct str *ret)
{
    struct str raw;
    if (!json_scan_value(&r->scan, JSON_DEPTH_MAX, ret ? ret : &raw))
        return fail(r);
    return true;
}

/* A string's text; empty for any other value. */
static bool take_string(struct reading *r, struct str *ret)
{
    struct value v;
    struct str raw;
    *ret = (struct str){0};
    if (!skip(r, &raw))
        return false;
    if (!str_starts(raw, STR("\"")))
        return true;
    if (!json_parse(r->arena, raw, r->name, JSON_NFC, &v, r->err))
        return false;
    *ret = value_text(&v);
    return true;
}

static bool take_bool(struct reading *r, bool *ret)
{
    struct str raw;
    if (!skip(r, &raw))
        return false;
    *ret = str_equal(raw, STR("true"));
    return true;
}

/* --- one entry --- */

struct entry {
    struct plan_entry out;
    struct str mode, deposed;
};

static enum plan_action action_of(struct str raw)
{
    static const struct {
        struct str word;
        enum plan_action action;
    } words[] = {{STR_INIT("no-op"), PLAN_NO_OP},   {STR_INIT("create"), PLAN_CREATE},
                 {STR_INIT("read"), PLAN_READ},     {STR_INIT("update"), PLAN_UPDATE},
                 {STR_INIT("delete"), PLAN_DELETE}, {STR_INIT("forget"), PLAN_FORGET}};
    enum plan_action got = PLAN_UNKNOWN_ACTION;
    size_t n = 0;
    for (size_t at = 0; (at = str_find_char(raw, '"', at)) != SIZE_MAX; n++) {
        size_t end = str_find_char(raw, '"', at + 1);
        if (end == SIZE_MAX)
            return PLAN_UNKNOWN_ACTION;
        struct str word = str_sub(raw, at + 1, end);
        got = PLAN_UNKNOWN_ACTION;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            if (str_equal(word, words[i].word))
                got = words[i].action;
        at = end + 1;
    }
    /* ["delete","create"], ["create","delete"], ["create","forget"] */
    return n > 1 && got != PLAN_UNKNOWN_ACTION ? PLAN_REPLACE : got;
}

static bool read_change(struct reading *r, struct plan_entry *ret)
{
    struct str key, raw;
    bool first = true;
    if (!json_scan_enter(&r->scan, '{'))
        return fail(r);
    while (next_key(r, &first, &key)) {
        if (!skip(r, &raw))
            return false;
        if (str_equal(key, STR("actions")))
            ret->action = action_of(raw);
        if (str_equal(key, STR("importing")))
            ret->importing = !str_equal(raw, STR("null"));
    }
    return !r->scan.why || fail(r);
}

static bool read_member(struct reading *r, struct str key, struct entry *e)
{
    const struct {
        struct str name;
        struct str *to;
    } texts[] = {{STR("address"), &e->out.address},
                 {STR("previous_address"), &e->out.previous_address},
                 {STR("mode"), &e->mode},
                 {STR("type"), &e->out.type},
                 {STR("provider_name"), &e->out.provider},
                 {STR("deposed"), &e->deposed}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (str_equal(key, texts[i].name))
            return take_string(r, texts[i].to);
    return str_equal(key, STR("change")) ? read_change(r, &e->out) : skip(r, NULL);
}

static bool read_entry(struct reading *r, struct entry *ret)
{
    struct str key;
    bool first = true;
    json_scan_space(&r->scan);
    const char *start = r->scan.at;
    if (!json_scan_enter(&r->scan, '{'))
        return fail(r);
    while (next_key(r, &first, &key))
        if (!read_member(r, key, ret))
            return false;
    if (r->scan.why)
        return fail(r);
    ret->out.text = (struct str){start, (size_t)(r->scan.at - start)};
    return true;
}

static bool add(struct reading *r, struct list *list, struct entry *e)
{
    if (!e->out.address.len || !e->out.type.len)
        return err_set(r->err, ERR_SYNTAX, "%s: a resource without address or type", r->name);
    if (e->deposed.len)
        e->out.address = arena_printf(r->arena, "%.*s (deposed %.*s)", STR_ARG(e->out.address),
                                      STR_ARG(e->deposed));
    struct plan_entry *grown = arena_grow(r->arena, list->item, list->n, &list->room, list->n + 1);
    if (!grown || !e->out.address.ptr)
        return arena_full(r->arena, r->err);
    list->item = grown;
    grown[list->n++] = e->out;
    return true;
}

static bool read_entries(struct reading *r, bool changes)
{
    bool first = true;
    size_t n = 0;
    json_scan_space(&r->scan);
    if (r->scan.at < r->scan.end && *r->scan.at == 'n')
        return skip(r, NULL);
    if (!json_scan_enter(&r->scan, '['))
        return fail(r);
    while (json_scan_next_item(&r->scan, &first)) {
        struct entry e = {0};
        if (n++ == ENTRIES_MAX)
            return err_set(r->err, ERR_LIMIT, "%s: more than %d resources", r->name, ENTRIES_MAX);
        if (!read_entry(r, &e))
            return false;
        enum plan_action action = e.out.action;
        if (str_equal(e.mode, STR("data")) || str_equal(e.mode, STR("ephemeral")))
            continue; /* any other is something that the plan does to the world */
        r->doc->by_action[action] += changes;
        r->doc->no_op += changes && action == PLAN_NO_OP;
        bool moved = e.out.previous_address.len > 0;
        if (action == PLAN_READ || (action == PLAN_NO_OP && !(changes && e.out.importing)))
            continue;
        if (!changes && moved && action == PLAN_NO_OP)
            continue;
        if (!add(r, changes ? &r->touch : &r->drift, &e))
            return false;
    }
    return !r->scan.why || fail(r);
}

static bool count_items(struct reading *r, size_t *ret)
{
    bool first = true;
    json_scan_space(&r->scan);
    if (r->scan.at < r->scan.end && *r->scan.at == 'n')
        return skip(r, NULL);
    if (!json_scan_enter(&r->scan, '['))
        return fail(r);
    while (json_scan_next_item(&r->scan, &first)) {
        if (!skip(r, NULL))
            return false;
        (*ret)++;
    }
    return !r->scan.why || fail(r);
}

/* --- the document --- */

static bool read_key(struct reading *r, struct str key)
{
    struct plan_doc *doc = r->doc;
    if (str_equal(key, STR("format_version")))
        return take_string(r, &r->format);
    if (str_equal(key, STR("terraform_version")))
        return take_string(r, &doc->terraform_version);
    if (str_equal(key, STR("timestamp")))
        return take_string(r, &doc->timestamp);
    if (str_equal(key, STR("errored")))
        return take_bool(r, &doc->errored);
    if (str_equal(key, STR("complete"))) {
        r->has_complete = true;
        return take_bool(r, &r->complete);
    }
    if (str_equal(key, STR("variables")))
        return skip(r, &doc->variables);
    if (str_equal(key, STR("configuration")))
        return skip(r, &doc->configuration);
    if (str_equal(key, STR("resource_changes")))
        return read_entries(r, true);
    if (str_equal(key, STR("resource_drift")))
        return read_entries(r, false);
    if (str_equal(key, STR("action_invocations")))
        return count_items(r, &doc->ninvocations);
    return skip(r, NULL);
}

static bool check_version(const struct reading *r)
{
    if (!r->format.len)
        return err_set(r->err, ERR_SYNTAX,
                       "%s is no plan JSON: make one with `terraform show -json PLANFILE`",
                       r->name);
    return str_starts(r->format, STR("1.")) ||
           err_set(r->err, ERR_UNSUPPORTED, "%s: plan format version %.*s; plumb reads 1.x",
                   r->name, STR_ARG(r->format));
}

static int entry_order(const void *a, const void *b)
{
    const struct plan_entry *x = a, *y = b;
    return str_compare(x->address, y->address);
}

static void settle(const struct list *list, struct plan_entry **ret, size_t *ret_n)
{
    if (list->n > 1)
        qsort(list->item, list->n, sizeof *list->item, entry_order);
    *ret = list->item;
    *ret_n = list->n;
}

bool plan_doc_read(struct arena *arena, struct str text, const char *name, struct plan_doc *ret,
                   struct err *err)
{
    struct err own = {0};
    struct plan_doc doc = {0};
    struct reading r = {.arena = arena,
                        .name = name,
                        .scan = json_scan_open(text),
                        .doc = &doc,
                        .err = err ? err : &own};
    struct str key;
    bool first = true;
    json_scan_space(&r.scan);
    if (r.scan.at == r.scan.end || *r.scan.at != '{')
        return check_version(&r);
    (void)json_scan_enter(&r.scan, '{');
    while (next_key(&r, &first, &key))
        if (!read_key(&r, key))
            return false;
    if (r.scan.why || !json_scan_end(&r.scan))
        return fail(&r);
    if (!check_version(&r))
        return false;
    doc.incomplete = r.has_complete && !r.complete;
    settle(&r.touch, &doc.touch, &doc.ntouches);
    settle(&r.drift, &doc.drift, &doc.ndrifts);
    *ret = doc;
    return true;
}

const struct plan_entry *plan_doc_find(const struct plan_entry *entry, size_t n, struct str address)
{
    struct plan_entry key = {.address = address};
    return n ? bsearch(&key, entry, n, sizeof *entry, entry_order) : NULL;
}

/* --- a change as a tree --- */

static bool mark(struct arena *arena, struct value *v, const struct value *mask,
                 unsigned depth_left, struct err *err);

static bool mark_items(struct arena *arena, struct value *v, const struct value *mask,
                       unsigned depth_left, struct err *err)
{
    struct value *items = arena_new(arena, struct value, v->len);
    if (!items)
        return arena_full(arena, err);
    memcpy(items, v->items, v->len * sizeof *items);
    for (uint32_t i = 0; i < v->len && i < mask->len; i++)
        if (!mark(arena, &items[i], &mask->items[i], depth_left - 1, err))
            return false;
    v->items = items;
    return true;
}

static bool mark_members(struct arena *arena, struct value *v, const struct value *mask,
                         unsigned depth_left, struct err *err)
{
    struct value_member *members = arena_new(arena, struct value_member, v->len);
    if (!members)
        return arena_full(arena, err);
    memcpy(members, v->members, v->len * sizeof *members);
    for (uint32_t i = 0; i < v->len; i++)
        if (!mark(arena, &members[i].value, value_get(mask, key_str(members[i].key)),
                  depth_left - 1, err))
            return false;
    v->members = members;
    return true;
}

/* `true` in a mask marks the node beside it; objects and lists mirror the value. */
static bool mark(struct arena *arena, struct value *v, const struct value *mask,
                 unsigned depth_left, struct err *err)
{
    if (!mask)
        return true;
    if ((mask->kind == VALUE_BOOL && mask->truth) || depth_left == 0) {
        v->marks |= VALUE_SENSITIVE;
        return true;
    }
    if (mask->len == 0 || v->len == 0)
        return true;
    if (v->kind == VALUE_TUPLE && mask->kind == VALUE_TUPLE)
        return mark_items(arena, v, mask, depth_left, err);
    if (v->kind == VALUE_OBJECT && mask->kind == VALUE_OBJECT)
        return mark_members(arena, v, mask, depth_left, err);
    return true;
}

static bool take_side(struct arena *arena, const struct value *change, struct str side,
                      struct str mask, struct value *ret, struct err *err)
{
    const struct value *v = value_get(change, side);
    *ret = v ? *v : value_null();
    return mark(arena, ret, value_get(change, mask), VALUE_DEPTH_MAX, err);
}

bool plan_change_read(struct arena *arena, const struct plan_entry *entry, const char *name,
                      struct plan_change *ret, struct err *err)
{
    struct plan_change got = {0};
    if (!json_parse(arena, entry->text, name, JSON_DUPLICATES_LAST | JSON_NFC, &got.entry, err))
        return false;
    const struct value *change = value_get(&got.entry, STR("change"));
    const struct value *unknown = value_get(change, STR("after_unknown"));
    const struct value *replace = value_get(change, STR("replace_paths"));
    if (!value_is_object_like(change))
        return err_set(err, ERR_SYNTAX, "%s: %.*s has no change", name, STR_ARG(entry->address));
    got.unknown = unknown ? *unknown : value_null();
    got.replace_paths = replace ? *replace : value_null();
    if (!take_side(arena, change, STR("before"), STR("before_sensitive"), &got.before, err) ||
        !take_side(arena, change, STR("after"), STR("after_sensitive"), &got.after, err))
        return false;
    *ret = got;
    return true;
}

bool plan_change_unknown(const struct plan_change *change, struct path path)
{
    for (size_t n = 0; n <= path.n; n++) {
        const struct value *v = path_find(&change->unknown, (struct path){path.step, n});
        if (v && v->kind == VALUE_BOOL && v->truth)
            return true;
    }
    return false;
}
