/* snapshot.c - a live document read once, checked whole, and indexed by address. */
#include "live/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io_big.h"
#include "desired/desired.h"
#include "desired/document.h"
#include "wire/json.h"
#include "wire/json_scan.h"

enum { FIRST_ENTRIES = 1024, ROOM_BESIDES = 64 << 20 };
#define SNAPSHOT_BYTES_MAX ((size_t)16 << 30)

enum entry_kind { ENTRY_ATTRIBUTES, ENTRY_GONE, ENTRY_ERROR, ENTRY_FLATMAP };

struct entry {
    const char *address; /* in the text, or in the arena where it is spelled with escapes */
    const char *value;   /* attributes or error: where its JSON begins */
    uint32_t address_len, hash;
    enum entry_kind kind;
};

struct snapshot {
    struct io_big big;
    struct str text;
    const char *name;
    struct arena arena;      /* addresses with escapes */
    struct desired *desired; /* a state or show -json: owns what entries point at */
    bool complete, plain;
    uint64_t seed;
    struct entry *entry;
    size_t n, room;
    uint32_t *slot; /* entry + 1; 0 = free */
    size_t nslots;
};

/* --- the table --- */

static bool add_entry(struct snapshot *s, const struct entry *made, struct err *err)
{
    if (s->n == s->room) {
        size_t room = s->room ? s->room * 2 : FIRST_ENTRIES;
        struct entry *grown = realloc(s->entry, room * sizeof *grown);
        if (!grown || room > UINT32_MAX)
            return err_set(err, ERR_LIMIT, "%s: more resources than fit in memory", s->name);
        s->entry = grown;
        s->room = room;
    }
    s->entry[s->n] = *made;
    struct str address = {made->address, made->address_len};
    s->entry[s->n++].hash = (uint32_t)hash_bytes(address, s->seed);
    return true;
}

static const struct entry *find(const struct snapshot *s, struct str address)
{
    uint32_t hash = (uint32_t)hash_bytes(address, s->seed);
    if (!s->nslots)
        return NULL;
    for (size_t at = hash & (s->nslots - 1); s->slot[at]; at = (at + 1) & (s->nslots - 1)) {
        const struct entry *e = &s->entry[s->slot[at] - 1];
        if (e->hash == hash && str_equal((struct str){e->address, e->address_len}, address))
            return e;
    }
    return NULL;
}

static bool twice(const struct snapshot *s, const struct entry *e, struct err *err)
{
    if (e->address < s->text.ptr || e->address >= s->text.ptr + s->text.len)
        return err_set(err, ERR_SYNTAX, "%s: %.*s stands here twice", s->name, (int)e->address_len,
                       e->address);
    size_t line, column;
    json_place(s->text, (size_t)(e->address - s->text.ptr), &line, &column);
    return err_set(err, ERR_SYNTAX, "%s:%zu:%zu: %.*s stands here for the second time", s->name,
                   line, column, (int)e->address_len, e->address);
}

static bool build_table(struct snapshot *s, struct err *err)
{
    size_t nslots = 16;
    while (nslots < s->n * 2)
        nslots *= 2;
    s->slot = calloc(nslots, sizeof *s->slot);
    if (!s->slot)
        return err_set(err, ERR_LIMIT, "out of memory");
    s->nslots = nslots;
    for (size_t i = 0; i < s->n; i++) {
        const struct entry *e = &s->entry[i];
        size_t at = e->hash & (nslots - 1);
        for (; s->slot[at]; at = (at + 1) & (nslots - 1)) {
            const struct entry *other = &s->entry[s->slot[at] - 1];
            if (other->hash == e->hash && other->address_len == e->address_len &&
                memcmp(other->address, e->address, e->address_len) == 0)
                return twice(s, e, err);
        }
        s->slot[at] = (uint32_t)(i + 1);
    }
    return true;
}

/* --- plumb's own formats --- */

enum member { M_ADDRESS, M_ATTRIBUTES, M_ERROR, M_COMPLETE, M_RESOURCES, M_COUNT };
static const struct str member_names[M_COUNT] = {STR_INIT("address"), STR_INIT("attributes"),
                                                 STR_INIT("error"), STR_INIT("complete"),
                                                 STR_INIT("resources")};

struct reading {
    struct snapshot *snapshot;
    struct json_scan scan;
    struct err *err;
};

static bool fail(struct reading *in)
{
    return json_scan_error(&in->scan, in->snapshot->name, 1, in->err);
}

static bool fail_at(struct reading *in, const char *at, const char *why)
{
    (void)json_scan_fail(&in->scan, at, why);
    return fail(in);
}

static bool is_null(struct str span)
{
    return span.len == 4 && *span.ptr == 'n';
}

/* One resource from its members. */
static bool take_resource(struct reading *in, const char *at, const struct str *span)
{
    struct snapshot *s = in->snapshot;
    struct str address = span[M_ADDRESS], attributes = span[M_ATTRIBUTES];
    if (!address.ptr || *address.ptr != '"' || address.len < 3)
        return fail_at(in, at, "a resource wants \"address\", a string");
    if (address.len > UINT32_MAX)
        return fail_at(in, at, "an address of more than 4 GiB");
    struct entry made = {.kind = ENTRY_ATTRIBUTES, .value = attributes.ptr};
    if (span[M_ERROR].ptr && !is_null(span[M_ERROR])) {
        if (*span[M_ERROR].ptr != '"')
            return fail_at(in, span[M_ERROR].ptr, "\"error\" is a string");
        made = (struct entry){.kind = ENTRY_ERROR, .value = span[M_ERROR].ptr};
    } else if (!attributes.ptr) {
        return fail_at(in, at, "a resource wants \"attributes\" (null = gone) or \"error\"");
    } else if (is_null(attributes)) {
        made.kind = ENTRY_GONE;
    } else if (*attributes.ptr != '{') {
        return fail_at(in, attributes.ptr, "\"attributes\" are an object, or null");
    }
    struct str text = str_sub(address, 1, address.len - 1);
    if (memchr(text.ptr, '\\', text.len)) {
        char *plain = arena_alloc_raw(&s->arena, text.len, 1, 1);
        if (!plain)
            return arena_full(&s->arena, in->err);
        text = (struct str){plain, json_unescape(plain, text)};
    }
    made.address = text.ptr;
    made.address_len = (uint32_t)text.len;
    return add_entry(s, &made, in->err);
}

static size_t member_index(struct str key)
{
    size_t i = 0;
    while (i < M_COUNT && !str_equal(member_names[i], key))
        i++;
    return i;
}

static bool take_list(struct reading *in);

/* The members of an object; `resources` is walked in place where `outer` allows it. */
static bool take_members(struct reading *in, struct str *span, bool outer)
{
    struct str key, value;
    bool escaped, first = true;
    char plain[64] = "";
    while (json_scan_next_key(&in->scan, &first, &key, &escaped)) {
        if (escaped && key.len <= sizeof plain)
            key = (struct str){plain, json_unescape(plain, key)};
        size_t i = member_index(key);
        if (i < M_COUNT && span[i].ptr)
            return fail_at(in, in->scan.at, "this key stands here twice");
        json_scan_space(&in->scan);
        if (outer && i == M_RESOURCES) {
            span[i] = (struct str){in->scan.at, 1};
            if (!take_list(in))
                return false;
            continue;
        }
        if (!json_scan_value(&in->scan, JSON_DEPTH_MAX, &value))
            return fail(in);
        if (i < M_COUNT)
            span[i] = value;
    }
    return !in->scan.why || fail(in);
}

static bool take_object(struct reading *in)
{
    struct str span[M_COUNT] = {{0}};
    json_scan_space(&in->scan);
    const char *at = in->scan.at;
    if (!json_scan_enter(&in->scan, '{'))
        return fail(in);
    return take_members(in, span, false) && take_resource(in, at, span);
}

static bool take_list(struct reading *in)
{
    bool first = true;
    if (!json_scan_enter(&in->scan, '['))
        return fail(in);
    while (json_scan_next_item(&in->scan, &first))
        if (!take_object(in))
            return false;
    return !in->scan.why || fail(in);
}

/* A document's outer object, or a line of NDJSON: the header, or a resource. */
static bool take_outer(struct reading *in, bool first)
{
    struct str span[M_COUNT] = {{0}};
    json_scan_space(&in->scan);
    const char *at = in->scan.at;
    if (!json_scan_enter(&in->scan, '{'))
        return fail(in);
    if (!take_members(in, span, first))
        return false;
    struct str complete = span[M_COMPLETE];
    if (first && (complete.ptr || span[M_RESOURCES].ptr) && !span[M_ADDRESS].ptr) {
        if (complete.ptr && *complete.ptr != 't' && *complete.ptr != 'f')
            return fail_at(in, complete.ptr, "\"complete\" is true or false");
        in->snapshot->complete = complete.ptr && *complete.ptr == 't';
        return true;
    }
    return take_resource(in, at, span);
}

static bool read_own(struct snapshot *s, struct err *err)
{
    struct reading in = {.snapshot = s, .scan = json_scan_open(s->text), .err = err};
    json_scan_space(&in.scan);
    if (in.scan.at < in.scan.end && *in.scan.at == '[')
        return take_list(&in) && (json_scan_end(&in.scan) || fail(&in));
    for (bool first = true; in.scan.at < in.scan.end; first = false) {
        if (!take_outer(&in, first))
            return false;
        json_scan_space(&in.scan);
    }
    return true;
}

/* --- a state or `show -json` as the live document --- */

static bool read_state(struct snapshot *s, struct err *err)
{
    struct resource r;
    struct err local = {0};
    if (!desired_open_state_text(s->text, s->name, &s->desired, err))
        return false;
    while (desired_next(s->desired, &r, &local)) {
        if (r.mode != RESOURCE_MANAGED)
            continue;
        struct entry made = {
            .address = r.address.ptr,
            .address_len = (uint32_t)r.address.len,
            .kind = r.attributes_json.ptr ? ENTRY_ATTRIBUTES : ENTRY_FLATMAP,
            .value = r.attributes_json.ptr,
        };
        s->plain = r.attributes_plain;
        if (!add_entry(s, &made, err))
            return false;
    }
    if (local.kind != ERR_NONE && err)
        *err = local;
    return local.kind == ERR_NONE;
}

/* --- opening --- */

static bool read_document(struct snapshot *s, struct err *err)
{
    switch (document_probe(s->text)) {
    case DOCUMENT_EMPTY:
        return err_set(err, ERR_SYNTAX, "%s is empty: a live snapshot was expected", s->name);
    case DOCUMENT_PLAN:
        return err_set(err, ERR_UNSUPPORTED,
                       "%s is a plan, not a live snapshot: scan it with `plumb scan --plan %s`",
                       s->name, s->name);
    case DOCUMENT_STATE:
    case DOCUMENT_SHOW_STATE:
        return read_state(s, err);
    default:
        return read_own(s, err);
    }
}

static struct snapshot *snapshot_make(const char *name, struct err *err)
{
    struct snapshot *s = calloc(1, sizeof *s);
    if (!s) {
        (void)err_set(err, ERR_LIMIT, "out of memory");
        return NULL;
    }
    s->seed = (uint64_t)(uintptr_t)s;
    s->arena.limit = ROOM_BESIDES;
    s->name = arena_dup(&s->arena, str_from(name)).ptr;
    if (s->name)
        return s;
    (void)arena_full(&s->arena, err);
    snapshot_close(s);
    return NULL;
}

static bool index_text(struct snapshot *s, struct str text, struct err *err)
{
    s->text = text.ptr ? text : STR("");
    s->arena.limit += s->text.len;
    return read_document(s, err) && build_table(s, err);
}

bool snapshot_open(const char *path, struct snapshot **ret, struct err *err)
{
    struct snapshot *s = snapshot_make(path, err);
    if (!s)
        return false;
    if (!io_big_read(path, SNAPSHOT_BYTES_MAX, &s->big, err) || !index_text(s, s->big.text, err)) {
        snapshot_close(s);
        return err_wrap(err, "live snapshot");
    }
    *ret = s;
    return true;
}

bool snapshot_open_text(struct str text, const char *name, struct snapshot **ret, struct err *err)
{
    struct snapshot *s = snapshot_make(name, err);
    if (!s)
        return false;
    if (!index_text(s, text, err)) {
        snapshot_close(s);
        return err_wrap(err, "live snapshot");
    }
    *ret = s;
    return true;
}

void snapshot_close(struct snapshot *s)
{
    if (!s)
        return;
    desired_close(s->desired);
    io_big_free(&s->big);
    free(s->entry);
    free(s->slot);
    arena_free(&s->arena);
    free(s);
}

uint64_t snapshot_count(const struct snapshot *s)
{
    return s->n;
}

bool snapshot_complete(const struct snapshot *s)
{
    return s->complete;
}

/* --- asking --- */

/* From the first byte of a checked value to the end of the text: the value ends itself. */
static struct str from_value(const struct snapshot *s, const char *value)
{
    if (value < s->text.ptr || value > s->text.ptr + s->text.len)
        return STR("{}"); /* what the state source gives where there are no attributes */
    return (struct str){value, (size_t)(s->text.ptr + s->text.len - value)};
}

static bool unreadable(const struct snapshot *s, const struct entry *e, struct arena *arena,
                       struct snapshot_answer *ret, struct err *err)
{
    struct json_scan scan = json_scan_open(from_value(s, e->value));
    struct str raw = {0};
    bool escaped = false;
    char *text = NULL;
    if (json_scan_string(&scan, &raw, &escaped))
        text = arena_alloc_raw(arena, raw.len + 1, 1, 1);
    if (!text)
        return arena_full(arena, err);
    *ret = (struct snapshot_answer){.status = LIVE_UNREADABLE,
                                    .reason = {text, json_unescape(text, raw)}};
    return true;
}

bool snapshot_find(const struct snapshot *s, struct arena *arena, struct str address,
                   struct snapshot_answer *ret, struct err *err)
{
    const struct entry *e = find(s, address);
    struct snapshot_answer made = {.status = LIVE_UNREADABLE, .plain = s->plain};
    if (!e && s->complete)
        made.status = LIVE_GONE;
    else if (!e)
        made.reason = STR("not in the snapshot");
    else if (e->kind == ENTRY_GONE)
        made.status = LIVE_GONE;
    else if (e->kind == ENTRY_ERROR)
        return unreadable(s, e, arena, ret, err);
    else if (e->kind == ENTRY_FLATMAP)
        made.reason = STR("the snapshot has it in the flatmap format of Terraform 0.11");
    else {
        made.status = LIVE_READ;
        made.attributes_json = from_value(s, e->value);
    }
    *ret = made;
    return true;
}
