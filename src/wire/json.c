/* json.c - JSON text to a value tree, in one pass with an explicit frame stack. */
#include "wire/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "wire/json_scan.h"

enum { FIRST_ENTRIES = 64 };

/* An open container: its own entry is the one before its first child. */
struct frame {
    size_t first; /* index of the first child's entry */
    size_t at;    /* byte of the bracket */
    bool object;
};

/* Finished and half-finished values, children behind their container; copied into the arena when
 * the container closes. */
struct parser {
    struct json_scan scan;
    struct arena *arena;
    struct key_table *keys;
    const char *name;
    size_t first_line;
    unsigned flags;
    struct value_member *entry; /* heap; key NULL in arrays */
    size_t n, room;
    unsigned depth;
    struct frame frame[JSON_DEPTH_MAX];
    struct err *err;
};

static bool fail(struct parser *p)
{
    return json_scan_error(&p->scan, p->name, p->first_line, p->err);
}

static bool fail_at(struct parser *p, const char *at, const char *why)
{
    (void)json_scan_fail(&p->scan, at, why);
    return fail(p);
}

/* The bytes between the quotes as they shall stand in the tree; ptr NULL where the arena is full.
 */
static struct str string_text(struct parser *p, struct str raw, bool escaped, bool copy)
{
    struct str text = raw;
    if (escaped) {
        char *bytes = arena_alloc_raw(p->arena, raw.len + 1, 1, 1);
        if (!bytes)
            return (struct str){0};
        text = (struct str){bytes, json_unescape(bytes, raw)};
        bytes[text.len] = '\0';
    } else if (copy) {
        text = arena_dup(p->arena, raw);
    }
    return text.ptr && p->flags & JSON_NFC ? utf8_nfc(p->arena, text) : text;
}

static bool push(struct parser *p, const struct value_key *key)
{
    if (p->n == p->room) {
        size_t room = p->room ? p->room * 2 : FIRST_ENTRIES;
        if (room > p->arena->limit / sizeof *p->entry + FIRST_ENTRIES)
            return arena_full(p->arena, p->err);
        struct value_member *grown = realloc(p->entry, room * sizeof *grown);
        if (!grown)
            return arena_full(p->arena, p->err);
        p->entry = grown;
        p->room = room;
    }
    p->entry[p->n++] = (struct value_member){.key = key};
    return true;
}

static bool take_string(struct parser *p, struct value *ret)
{
    struct str raw;
    bool escaped;
    if (!json_scan_string(&p->scan, &raw, &escaped))
        return fail(p);
    if (raw.len > VALUE_LEN_MAX)
        return err_set(p->err, ERR_LIMIT, "%s: a string of more than 4 GiB", p->name);
    struct str text = string_text(p, raw, escaped, p->flags & JSON_COPY);
    if (!text.ptr)
        return arena_full(p->arena, p->err);
    *ret = value_string(text);
    return true;
}

static bool take_scalar(struct parser *p, struct value *ret)
{
    char c = *p->scan.at;
    if (c == '"')
        return take_string(p, ret);
    if (c == '-' || (c >= '0' && c <= '9')) {
        struct str text;
        if (!json_scan_number(&p->scan, &text))
            return fail(p);
        *ret = value_number(text);
        if (ret->form == NUMBER_TEXT && p->flags & JSON_COPY)
            ret->text = arena_dup(p->arena, text).ptr;
        return ret->form == NUMBER_INT || ret->text || arena_full(p->arena, p->err);
    }
    if (!json_scan_word(&p->scan, &c))
        return fail(p);
    *ret = c == 'n' ? value_null() : value_bool(c == 't');
    return true;
}

/* Does the raw key at the cursor of a second pass spell this key? */
static bool raw_is_key(struct str raw, bool escaped, const struct value_key *key)
{
    if (!escaped)
        return str_equal(raw, key_str(key));
    char *bytes = malloc(raw.len + 1);
    bool same = bytes && str_equal((struct str){bytes, json_unescape(bytes, raw)}, key_str(key));
    free(bytes);
    return same;
}

/* Walk the object again for the second place of its duplicate key: only on the way to an error. */
static bool fail_duplicate(struct parser *p, const struct frame *frame, const struct value_key *key)
{
    struct json_scan again = p->scan;
    struct str raw, ignored;
    bool escaped, first = true, seen = false;
    again.at = again.start + frame->at + 1;
    const char *place = again.at;
    while (json_scan_next_key(&again, &first, &raw, &escaped)) {
        if (raw_is_key(raw, escaped, key)) {
            place = raw.ptr - 1;
            if (seen)
                break;
            seen = true;
        }
        if (!json_scan_value(&again, JSON_DEPTH_MAX, &ignored))
            break;
    }
    struct str text = {p->scan.start, (size_t)(p->scan.end - p->scan.start)};
    size_t line, column;
    json_place(text, (size_t)(place - p->scan.start), &line, &column);
    return err_set(p->err, ERR_SYNTAX, "%s:%zu:%zu: duplicate key \"%.*s\"", p->name,
                   line + p->first_line - 1, column, (int)(key->len < 200 ? key->len : 200),
                   key->text);
}

/* Few members and mostly in order: moved to their places one by one. */
static void sort_few(struct value_member *members, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct value_member now = members[i];
        size_t at = i;
        for (; at > 0 && str_compare(key_str(members[at - 1].key), key_str(now.key)) > 0; at--)
            members[at] = members[at - 1];
        members[at] = now;
    }
}

/* Sorted by key, those of one key as they came. room: for n / 2 members. */
static void sort_members(struct value_member *members, size_t n, struct value_member *room)
{
    enum { FEW = 24 };
    if (n <= FEW) {
        sort_few(members, n);
        return;
    }
    size_t half = n / 2, i = 0, j = half, k = 0;
    sort_members(members, half, room);
    sort_members(members + half, n - half, room);
    memcpy(room, members, half * sizeof *members);
    while (i < half && j < n)
        members[k++] = str_compare(key_str(room[i].key), key_str(members[j].key)) <= 0
                           ? room[i++]
                           : members[j++];
    memcpy(members + k, room + i, (half - i) * sizeof *members);
}

/* Foreign files: of equal keys the last one in the text stays. */
static bool keep_last(struct parser *p, struct value_member *members, size_t *n)
{
    struct value_member *room = malloc((*n / 2 + 1) * sizeof *room);
    if (!room)
        return arena_full(p->arena, p->err);
    sort_members(members, *n, room);
    free(room);
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++)
        if (i + 1 == *n || !key_equal(members[i].key, members[i + 1].key))
            members[kept++] = members[i];
    *n = kept;
    return true;
}

static bool is_sorted(const struct value_member *members, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (str_compare(key_str(members[i - 1].key), key_str(members[i].key)) >= 0)
            return false;
    return true;
}

static bool close_object(struct parser *p, const struct frame *frame, struct value *ret)
{
    struct value_member *from = p->entry + frame->first;
    size_t n = p->n - frame->first;
    if (p->flags & JSON_DUPLICATES_LAST && !is_sorted(from, n) && !keep_last(p, from, &n))
        return false;
    struct value_member *members =
        arena_alloc_raw(p->arena, n, sizeof *members, _Alignof(struct value_member));
    if (!members)
        return arena_full(p->arena, p->err);
    if (n)
        memcpy(members, from, n * sizeof *members);
    const struct value_key *duplicate = NULL;
    if (value_members(VALUE_OBJECT, members, n, ret, &duplicate, p->err))
        return true;
    return duplicate ? fail_duplicate(p, frame, duplicate) : false;
}

static bool close_array(struct parser *p, const struct frame *frame, struct value *ret)
{
    size_t n = p->n - frame->first;
    struct value *items = arena_alloc_raw(p->arena, n, sizeof *items, _Alignof(struct value));
    if (!items)
        return arena_full(p->arena, p->err);
    for (size_t i = 0; i < n; i++)
        items[i] = p->entry[frame->first + i].value;
    *ret = value_items(VALUE_TUPLE, items, n);
    return true;
}

static bool close_container(struct parser *p)
{
    const struct frame *frame = &p->frame[p->depth - 1];
    struct value made = {0};
    if (p->n - frame->first > VALUE_LEN_MAX)
        return err_set(p->err, ERR_LIMIT, "%s: more than 4 billion items", p->name);
    if (!(frame->object ? close_object(p, frame, &made) : close_array(p, frame, &made)))
        return false;
    p->n = frame->first;
    p->entry[p->n - 1].value = made;
    p->depth--;
    return true;
}

/* Step to the next value of the innermost container: an entry for it is pushed. *ret_more = false
 * when the container has ended (not yet closed). */
static bool next_child(struct parser *p, bool first, bool *ret_more)
{
    const struct value_key *key = NULL;
    struct str raw;
    bool escaped;
    if (p->frame[p->depth - 1].object) {
        *ret_more = json_scan_next_key(&p->scan, &first, &raw, &escaped);
        if (*ret_more) {
            struct str text = string_text(p, raw, escaped, false);
            key = text.ptr ? key_remember(p->keys, text) : NULL;
            if (!key)
                return arena_full(p->arena, p->err);
        }
    } else {
        *ret_more = json_scan_next_item(&p->scan, &first);
    }
    if (p->scan.why)
        return fail(p);
    return !*ret_more || push(p, key);
}

static bool open_container(struct parser *p, bool *ret_more)
{
    if (p->depth == JSON_DEPTH_MAX)
        return fail_at(p, p->scan.at, "nested deeper than 1000 levels");
    p->frame[p->depth++] = (struct frame){
        .first = p->n, .at = (size_t)(p->scan.at - p->scan.start), .object = *p->scan.at == '{'};
    p->scan.at++;
    return next_child(p, true, ret_more);
}

static_assert(JSON_DEPTH_MAX == 1000, "the message says so");

/* One value with all below it, into entry[0]. */
static bool parse_value(struct parser *p)
{
    if (!push(p, NULL))
        return false;
    for (;;) {
        bool more = false;
        json_scan_space(&p->scan);
        if (p->scan.at == p->scan.end)
            return fail_at(p, p->scan.at, "the text ends too early");
        if (*p->scan.at == '{' || *p->scan.at == '[') {
            if (!open_container(p, &more))
                return false;
            if (!more && !close_container(p))
                return false;
        } else if (!take_scalar(p, &p->entry[p->n - 1].value)) {
            return false;
        }
        while (!more && p->depth) {
            if (!next_child(p, false, &more) || (!more && !close_container(p)))
                return false;
        }
        if (!more)
            return true;
    }
}

static bool parse_document(struct parser *p, struct value *ret)
{
    struct json_scan *s = &p->scan;
    if (s->end - s->at >= 3 && memcmp(s->at, "\xef\xbb\xbf", 3) == 0)
        return fail_at(p, s->at, "begins with a byte order mark (BOM): save it as UTF-8 without");
    json_scan_space(s);
    if (s->at == s->end)
        return fail_at(p, s->at, "empty: a JSON value was expected");
    if (!parse_value(p))
        return false;
    if (!json_scan_end(s))
        return fail(p);
    *ret = p->entry[0].value;
    return true;
}

static bool parse_from_line(struct arena *arena, struct key_table *keys, struct str text,
                            const char *name, size_t first_line, unsigned flags, struct value *ret,
                            struct err *err)
{
    struct parser *p = malloc(sizeof *p); /* not zeroed as a whole: the frames are large */
    if (!p)
        return arena_full(arena, err);
    if (!text.ptr)
        text = STR("");
    p->scan = json_scan_open(text);
    p->arena = arena;
    p->keys = keys;
    p->name = name;
    p->first_line = first_line;
    p->flags = flags;
    p->entry = NULL;
    p->n = p->room = 0;
    p->depth = 0;
    p->err = err;
    bool ok = parse_document(p, ret);
    free(p->entry);
    free(p);
    return ok;
}

bool json_parse_with(struct arena *arena, struct key_table *keys, struct str text, const char *name,
                     unsigned flags, struct value *ret, struct err *err)
{
    return parse_from_line(arena, keys, text, name, 1, flags, ret, err);
}

bool json_parse(struct arena *arena, struct str text, const char *name, unsigned flags,
                struct value *ret, struct err *err)
{
    struct key_table keys;
    key_table_init(&keys, arena, (uint64_t)(uintptr_t)&keys);
    return parse_from_line(arena, &keys, text, name, 1, flags, ret, err);
}

bool ndjson_next(struct ndjson *in, struct arena *arena, unsigned flags, struct value *ret,
                 struct err *err)
{
    while (in->rest.len) {
        struct str line;
        (void)str_cut(&in->rest, '\n', &line);
        in->line++;
        if (str_trim(line).len == 0)
            continue;
        struct key_table keys;
        key_table_init(&keys, arena, (uint64_t)(uintptr_t)&keys);
        return parse_from_line(arena, &keys, line, in->name, in->line, flags, ret, err);
    }
    return false;
}

void json_place(struct str text, size_t at, size_t *ret_line, size_t *ret_column)
{
    size_t line = 1, from = 0;
    if (at > text.len)
        at = text.len;
    for (size_t next; (next = str_find_char(text, '\n', from)) < at; from = next + 1)
        line++;
    size_t column = 1;
    for (size_t i = from; i < at; i++)
        column += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    *ret_line = line;
    *ret_column = column;
}
