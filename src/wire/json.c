/* json.c - JSON text to a value tree, in one pass with an explicit frame stack. */
#include "wire/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "base/utf8.h"
#include "wire/json_scan.h"

enum { FIRST_ENTRIES = 64, GUESSES = 128, WORDS = 1 << 12, WORD_MOST = 64, INT_DIGITS = 18 };

/* An open container: its own entry is the one before its first child. */
struct frame {
    size_t first;        /* index of the first child's entry */
    size_t at;           /* byte of the bracket */
    bool object, sorted; /* its keys so far: each behind the one before, by bytes */
};

/* Objects of one kind have their keys in one order: which came behind which the last time. */
struct guess {
    const struct value_key *before; /* NULL: nothing, the key was the first of its object */
    const struct value_key *key;    /* as it stands in the text, without escapes; NULL: none */
    bool sorted;
};

/* A short string of a file that is not kept, to be taken again where it comes again. */
struct word {
    const char *text;
    uint32_t len, hash;
};

/* A file by pieces: what is parsed gives way to what follows it. */
struct window {
    int fd;
    char *bytes;
    size_t room, left; /* left: bytes of the file that were not read yet */
    struct word *word;
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
    struct window *window; /* NULL: the text is there as a whole */
    struct err *err;
    struct guess guess[GUESSES];
    struct frame frame[JSON_DEPTH_MAX];
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

/* The same bytes? Both have len of them; calls no function, for most keys are short. */
static bool same_bytes(const char *a, const char *b, size_t len)
{
    uint64_t x, y;
    if (len < sizeof x) {
        while (len && a[len - 1] == b[len - 1])
            len--;
        return len == 0;
    }
    for (size_t at = 0; at < len; at += sizeof x) {
        if (at > len - sizeof x)
            at = len - sizeof x;
        memcpy(&x, a + at, sizeof x);
        memcpy(&y, b + at, sizeof y);
        if (x != y)
            return false;
    }
    return true;
}

/* A copy of a short string, or the one that was made of it before. */
static struct str share(struct parser *p, struct str text)
{
    if (text.len > WORD_MOST)
        return arena_dup(p->arena, text);
    uint32_t hash = (uint32_t)hash_bytes(text, p->keys->seed);
    struct word *word = &p->window->word[hash % WORDS];
    if (word->text && word->hash == hash && word->len == text.len &&
        same_bytes(word->text, text.ptr, text.len))
        return (struct str){word->text, word->len};
    struct str copy = arena_dup(p->arena, text);
    *word = (struct word){copy.ptr, (uint32_t)copy.len, hash};
    return copy;
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
        text = p->window ? share(p, raw) : arena_dup(p->arena, raw);
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

/* Most numbers: digits that surely fit, with nothing of another number behind them. */
static bool take_integer(struct parser *p, struct value *ret)
{
    const char *at = p->scan.at, *end = p->scan.end;
    bool negative = *at == '-';
    const char *from = at + negative;
    int64_t n = 0;
    if (end - from <= INT_DIGITS)
        return false;
    for (at = from; at < from + INT_DIGITS && *at >= '0' && *at <= '9'; at++)
        n = n * 10 + (*at - '0');
    bool other = (*at >= '0' && *at <= '9') || *at == '.' || *at == 'e' || *at == 'E';
    if (at == from || other || (*from == '0' && (negative || at - from > 1)))
        return false;
    p->scan.at = at;
    *ret = value_int(negative ? -n : n);
    return true;
}

static bool take_scalar(struct parser *p, struct value *ret)
{
    char c = *p->scan.at;
    if (c == '"')
        return take_string(p, ret);
    if (c == '-' || (c >= '0' && c <= '9')) {
        if (take_integer(p, ret))
            return true;
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
    if (p->window)
        return false; /* the text before it is gone: the whole is read again */
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

enum { FEW = 24 };

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

/* Sorted by key, those of one key as they came. room: for n / 2 members, of more than FEW. */
static void sort_members(struct value_member *members, size_t n, struct value_member *room)
{
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
    struct value_member *room = *n > FEW ? malloc((*n / 2 + 1) * sizeof *room) : NULL;
    if (!room && *n > FEW)
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

static bool close_object(struct parser *p, const struct frame *frame, struct value *ret)
{
    struct value_member *from = p->entry + frame->first;
    size_t n = p->n - frame->first;
    bool sorted = frame->sorted;
    if (!sorted && p->flags & JSON_DUPLICATES_LAST) {
        if (!keep_last(p, from, &n))
            return false;
        sorted = true;
    }
    struct value_member *members =
        arena_alloc_raw(p->arena, n, sizeof *members, _Alignof(struct value_member));
    if (!members)
        return arena_full(p->arena, p->err);
    if (n)
        memcpy(members, from, n * sizeof *members);
    if (sorted) {
        *ret =
            (struct value){.kind = VALUE_OBJECT, .len = (uint32_t)n, .members = n ? members : NULL};
        return true;
    }
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

/* Does the guessed key stand at the cursor, between quotes? Then it is passed, with its colon. */
static bool take_guess(struct json_scan *s, const struct value_key *key)
{
    if (!key || (size_t)(s->end - s->at) < (size_t)key->len + 3 || s->at[key->len + 1] != '"' ||
        s->at[key->len + 2] != ':' || *s->at != '"' || !same_bytes(s->at + 1, key->text, key->len))
        return false;
    s->at += (size_t)key->len + 3;
    return true;
}

/* The cursor is on the key of a member; `before` is the key of the one before it, or NULL. */
static const struct value_key *take_key(struct parser *p, struct frame *frame,
                                        const struct value_key *before)
{
    size_t home = before ? before->hash : p->depth;
    struct guess *guess = &p->guess[home % GUESSES];
    if (guess->before == before && take_guess(&p->scan, guess->key)) {
        frame->sorted &= guess->sorted;
        return guess->key;
    }
    struct str raw;
    bool escaped;
    if (!json_scan_key(&p->scan, &raw, &escaped)) {
        (void)fail(p);
        return NULL;
    }
    struct str text = string_text(p, raw, escaped, false);
    bool many = p->n - frame->first > KEYS_REMEMBERED / 4; /* names of things, each there once */
    const struct value_key *key = !text.ptr ? NULL
                                  : many    ? key_make(p->arena, text)
                                            : key_remember(p->keys, text);
    if (!key) {
        (void)arena_full(p->arena, p->err);
        return NULL;
    }
    bool sorted = !before || str_compare(key_str(before), key_str(key)) < 0;
    frame->sorted &= sorted;
    if (!escaped && !many && (!(p->flags & JSON_NFC) || str_equal(raw, key_str(key))))
        *guess = (struct guess){before, key, sorted};
    return key;
}

/* Step to the next value of the innermost container: an entry for it is pushed. *ret_more = false
 * when the container has ended (not yet closed). */
static bool next_child(struct parser *p, bool first, bool *ret_more)
{
    struct frame *frame = &p->frame[p->depth - 1];
    const struct value_key *key = NULL;
    *ret_more = json_scan_next(&p->scan, &first, frame->object ? '}' : ']');
    if (p->scan.why)
        return fail(p);
    if (*ret_more && frame->object) {
        key = take_key(p, frame, p->n > frame->first ? p->entry[p->n - 1].key : NULL);
        if (!key)
            return false;
    }
    return !*ret_more || push(p, key);
}

static bool open_container(struct parser *p, bool *ret_more)
{
    if (p->depth == JSON_DEPTH_MAX)
        return fail_at(p, p->scan.at, "nested deeper than 1000 levels");
    p->frame[p->depth++] = (struct frame){.first = p->n,
                                          .at = (size_t)(p->scan.at - p->scan.start),
                                          .object = *p->scan.at == '{',
                                          .sorted = true};
    p->scan.at++;
    return next_child(p, true, ret_more);
}

static_assert(JSON_DEPTH_MAX == 1000, "the message says so");

/* More of a file, where what is left of its window may not hold the next token. False where it
 * cannot be read. */
static bool refill(struct parser *p)
{
    struct window *w = p->window;
    size_t kept = (size_t)(p->scan.end - p->scan.at);
    if (!w || !w->left || kept > w->room / 4)
        return true;
    memmove(w->bytes, p->scan.at, kept);
    while (w->left && kept < w->room) {
        size_t want = w->room - kept < w->left ? w->room - kept : w->left;
        ssize_t got = read(w->fd, w->bytes + kept, want);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        kept += (size_t)got;
        w->left -= (size_t)got;
    }
    p->scan.at = p->scan.start = w->bytes;
    p->scan.end = w->bytes + kept;
    return true;
}

/* One value with all below it, into entry[0]. */
static bool parse_value(struct parser *p)
{
    if (!push(p, NULL))
        return false;
    for (;;) {
        bool more = false;
        if (!refill(p))
            return false;
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
            if (!refill(p) || !next_child(p, false, &more) || (!more && !close_container(p)))
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
    if (!json_scan_end(s) || (p->window && p->window->left))
        return fail(p);
    *ret = p->entry[0].value;
    return true;
}

static bool parse_from_line(struct arena *arena, struct key_table *keys, struct str text,
                            const char *name, size_t first_line, unsigned flags,
                            struct window *window, struct value *ret, struct err *err)
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
    p->window = window;
    p->err = err;
    memset(p->guess, 0, sizeof p->guess);
    bool ok = refill(p) && parse_document(p, ret);
    free(p->entry);
    free(p);
    return ok;
}

bool json_parse_with(struct arena *arena, struct key_table *keys, struct str text, const char *name,
                     unsigned flags, struct value *ret, struct err *err)
{
    return parse_from_line(arena, keys, text, name, 1, flags, NULL, ret, err);
}

bool json_parse(struct arena *arena, struct str text, const char *name, unsigned flags,
                struct value *ret, struct err *err)
{
    struct key_table keys;
    key_table_init(&keys, arena, (uint64_t)(uintptr_t)&keys);
    return parse_from_line(arena, &keys, text, name, 1, flags, NULL, ret, err);
}

bool json_parse_window(struct arena *arena, int fd, size_t bytes, size_t room, unsigned flags,
                       struct value *ret)
{
    struct key_table keys;
    struct arena_mark mark = arena_mark(arena);
    struct window w = {.fd = fd, .room = room, .left = bytes};
    w.bytes = malloc(room);
    w.word = calloc(WORDS, sizeof *w.word);
    key_table_init(&keys, arena, (uint64_t)(uintptr_t)&keys);
    bool ok = w.bytes && w.word &&
              parse_from_line(arena, &keys, (struct str){w.bytes, 0}, "", 1, flags | JSON_COPY, &w,
                              ret, NULL);
    free(w.bytes);
    free(w.word);
    if (!ok)
        arena_rewind(arena, mark);
    return ok;
}

bool json_read_file(struct arena *arena, const char *path, size_t max_bytes, unsigned flags,
                    struct value *ret, struct err *err)
{
    enum { WINDOW = 1 << 18, MUCH = 4 * WINDOW };
    struct str text;
    struct stat st;
    AUTO_FD fd = io_open_file(path, err);
    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= MUCH &&
        (uint64_t)st.st_size <= max_bytes) {
        if (json_parse_window(arena, fd, (size_t)st.st_size, WINDOW, flags, ret))
            return true;
        if (lseek(fd, 0, SEEK_SET) < 0)
            return err_set(err, ERR_IO, "read %s: %s", path, strerror(errno));
    }
    return io_read_fd(arena, fd, path, max_bytes, &text, err) &&
           json_parse(arena, text, path, flags, ret, err);
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
        return parse_from_line(arena, &keys, line, in->name, in->line, flags, NULL, ret, err);
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
