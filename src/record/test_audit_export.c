/* test_audit_export.c - an export of 1,000 events, and everything that can be done to it. */
#include "record/audit_export_parts.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "record/audit.h"
#include "record/audit_checkpoint.h"
#include "record/record.h"
#include "record/test_stores.h"

enum { EVENTS = 1000, FIRST = 0, LAST = EVENTS - 1 };

static int64_t ticking(void *clock)
{
    int64_t *now = clock;
    return *now += 1000;
}

struct world {
    struct arena arena;
    struct record record;
    int64_t clock;
    struct str export;       /* all of it */
    struct str line[EVENTS]; /* with their LF */
    struct str head, end;    /* with their LF */
    struct str former[2];    /* checkpoints that somebody kept */
    struct note_key key;     /* the first one */
};

static bool gather(void *ctx, struct str bytes, struct err *err)
{
    buf_str(ctx, bytes);
    return buf_ok(ctx, err);
}

static struct str export_of(struct world *w, const struct audit_export *what)
{
    char text[2000];
    struct err err = {0};
    AUTO_BUF out = {.limit = 1 << 28};
    if (!audit_export_write(&w->record, what, gather, &out, &err))
        fail_msg("%s", err_text(&err, text, sizeof text));
    return arena_dup(&w->arena, buf_view(&out));
}

static void append(struct world *w, int64_t upto)
{
    struct err err = {0};
    int64_t size = 0;
    struct event event = {.type = EVENT_FINDING_NEW,
                          .actor = {STR("alice"), STR("os-user")},
                          .stack = STR("prod/net"),
                          .outcome = STR("new")};
    assert_true(audit_size(&w->record, &size, &err));
    assert_true(db_begin(w->record.db, DB_WRITE, &err));
    for (size += size == 0; size < upto; size++) {
        event.subject = arena_printf(&w->arena, "aws_s3_bucket.b%" PRId64, size);
        assert_true(audit_append(&w->record, &event, NULL, &err));
    }
    assert_true(db_commit(w->record.db, &err));
}

static struct str sealed(struct world *w)
{
    char text[2000];
    struct err err = {0};
    struct audit_signed made;
    if (!audit_checkpoint_make(&w->record, &w->arena, &made, NULL, &err))
        fail_msg("%s", err_text(&err, text, sizeof text));
    return made.note;
}

static void cut_up(struct world *w)
{
    struct str rest = w->export;
    for (size_t n = 0; n < EVENTS + 2; n++) {
        size_t at = str_find_char(rest, '\n', 0);
        assert_true(at != SIZE_MAX);
        struct str line = str_sub(rest, 0, at + 1);
        *(n == 0 ? &w->head : n <= EVENTS ? &w->line[n - 1] : &w->end) = line;
        rest = str_sub(rest, at + 1, rest.len);
    }
    assert_int_equal(rest.len, 0);
}

/* A log with a rotated key, checkpoints on the way, a few events behind the last one. */
static void build(struct world *w, const struct test_store *store,
                  const struct audit_options *audit)
{
    char text[2000];
    struct err err = {0};
    const struct event_actor actor = {STR("alice"), STR("os-user")};
    struct str vkey;
    *w = (struct world){.arena = {.limit = 256 << 20}, .clock = 1700000000000};
    const struct record_options options = {.url = str_from(store->url),
                                           .env = test_store_env,
                                           .now_ms = ticking,
                                           .clock = &w->clock,
                                           .audit = audit};
    if (!record_open(&w->arena, &options, &w->record, &err))
        fail_msg("%s", err_text(&err, text, sizeof text));
    append(w, 400);
    w->former[0] = sealed(w);
    assert_true(audit_key_current(&w->record, &w->arena, &vkey, &err));
    assert_true(note_key_read_verifier(&w->arena, vkey, &w->key, &err));
    append(w, 700);
    if (!audit_key_rotate(&w->record, &w->arena, &actor, false, &vkey, &err))
        fail_msg("%s", err_text(&err, text, sizeof text));
    append(w, EVENTS);
    w->former[1] = sealed(w);
    append(w, EVENTS + 30);
    (void)sealed(w);
    const struct audit_export what = {
        .since_utc_ms = INT64_MIN, .until_utc_ms = INT64_MAX, .last = LAST};
    w->export = export_of(w, &what);
    cut_up(w);
}

static void drop(struct world *w)
{
    record_close(&w->record);
    arena_free(&w->arena);
}

static struct audit_options with_key(struct arena *arena, const struct test_store *store)
{
    struct audit_options audit = {.origin = STR("example.org/log")};
    if (store->server[0])
        audit.key = arena_printf(arena, "file:%s/audit.%u.key", store->dir, store->n);
    return audit;
}

static void say(const struct audit_faults *faults)
{
    for (size_t i = 0; i < faults->n && i < 5; i++)
        print_message("  event %" PRId64 ": %.*s\n", faults->fault[i].seq,
                      STR_ARG(faults->fault[i].text));
}

static size_t faults_of(struct world *w, struct str text, const struct audit_check_options *options,
                        struct audit_check *ret)
{
    struct err err = {0};
    static const struct audit_check_options none;
    assert_true(audit_export_check(&w->arena, text, options ? options : &none, ret, &err));
    return ret->faults.n;
}

/* Every byte of every event takes half a minute: the whole of it where there is time. */
static bool whole(const struct test_store *store)
{
    const char *ci = getenv("CI");
    return !store->server[0] && (getenv("PLUMB_TEST_WHOLE") || (ci && strcmp(ci, "true") == 0));
}

/* --- the whole reader --- */

static void what_was_written_verifies(void **state)
{
    struct world w;
    AUTO_ARENA arena = {.limit = 1 << 16};
    const struct audit_options audit = with_key(&arena, *state);
    struct audit_check got;
    build(&w, *state, &audit);
    if (faults_of(&w, w.export, NULL, &got)) {
        say(&got.faults);
        fail();
    }
    assert_int_equal(got.first, FIRST);
    assert_int_equal(got.last, LAST);
    assert_int_equal(got.warnings.n, 0);
    assert_int_equal(got.checkpoints, 4); /* 400, after the rotation, 1000, behind the range */
    assert_int_equal(got.seal.size, EVENTS + 30);
    const struct audit_check_options trust = {.pinned = &w.key, .former = w.former, .nformer = 2};
    if (faults_of(&w, w.export, &trust, &got)) {
        say(&got.faults);
        fail();
    }
    /* a part from the middle: keys before it come with proofs */
    const struct audit_export part = {.since_utc_ms = INT64_MIN,
                                      .until_utc_ms = INT64_MAX,
                                      .first = 750,
                                      .last = 801,
                                      .former = w.former,
                                      .nformer = 1};
    struct str middle = export_of(&w, &part);
    if (faults_of(&w, middle, &trust, &got) != 1) /* former[1] is outside and not in it */
        say(&got.faults);
    assert_int_equal(got.faults.n, 1);
    const struct audit_check_options one = {.pinned = &w.key, .former = w.former, .nformer = 1};
    if (faults_of(&w, middle, &one, &got)) {
        say(&got.faults);
        fail();
    }
    assert_int_equal(got.first, 750);
    assert_int_equal(got.last, 801);
    char *bytes = arena_new_raw(&w.arena, char, middle.len);
    for (size_t at = 0; at < middle.len; at += whole(*state) ? 1 : 11) {
        struct arena_mark mark = arena_mark(&w.arena);
        memcpy(bytes, middle.ptr, middle.len);
        bytes[at] ^= 1;
        if (!faults_of(&w, (struct str){bytes, middle.len}, NULL, &got))
            fail_msg("byte %zu of the part may change: %.40s", at, middle.ptr + at);
        arena_rewind(&w.arena, mark);
    }
    drop(&w);
}

/* --- one byte, line, pair at a time, with the reader going on from where it was --- */

struct stream {
    struct world *w;
    struct audit_verify v; /* before line k */
    struct err err;
    struct audit_sealed sealed[8];
    struct export_end end;
};

static void begin(struct stream *s, struct world *w, struct audit_faults *none)
{
    struct export_head head;
    *s = (struct stream){.w = w};
    assert_true(export_head_read(&w->arena, str_trim(w->head), &head, &s->err));
    assert_true(export_end_read(&w->arena, str_trim(w->end), &s->end, &s->err));
    size_t n = 0;
    for (size_t i = 0; i < s->end.nnotes; i++) {
        assert_true(audit_sealed_read(&w->arena, s->end.note[i], &s->sealed[n], &s->err));
        n += s->sealed[n].checkpoint.size <= EVENTS;
    }
    s->v = (struct audit_verify){.arena = &w->arena,
                                 .faults = none,
                                 .warnings = none,
                                 .hasher = hasher_open(&s->err),
                                 .origin = head.origin,
                                 .sealed = s->sealed,
                                 .nsealed = n,
                                 .until = EVENTS,
                                 .strict = true};
    audit_verify_begin(&s->v, &head.edge);
}

static bool names(const struct audit_faults *faults, int64_t k)
{
    for (size_t i = 0; i < faults->n; i++)
        if (faults->fault[i].seq == k)
            return true;
    return false;
}

/* Feed `text`, then lines from `next` on until something is found. Is event k named? */
static bool named(struct stream *s, struct str text, size_t next, int64_t k)
{
    struct audit_faults faults = {.arena = &s->w->arena};
    struct arena_mark mark = arena_mark(&s->w->arena);
    struct audit_verify v = s->v;
    struct str line;
    v.faults = v.warnings = &faults;
    while (text.len || next < EVENTS) {
        /* a line that lost its LF runs into the next one */
        if (text.len && text.ptr[text.len - 1] != '\n' &&
            str_find_char(text, '\n', 0) == SIZE_MAX && next < EVENTS) {
            text = arena_printf(&s->w->arena, "%.*s%.*s", STR_ARG(text), STR_ARG(s->w->line[next]));
            next++;
        } else if (!text.len) {
            if (names(&faults, k))
                break;
            text = s->w->line[next++];
        }
        (void)str_cut(&text, '\n', &line);
        assert_true(audit_verify_line(&v, line, NULL, &s->err));
    }
    if (next == EVENTS)
        assert_true(audit_verify_end(&v, &s->end.digest, &s->err));
    bool found = names(&faults, k);
    if (!found)
        say(&faults);
    arena_rewind(&s->w->arena, mark);
    return found;
}

static void try_bytes(struct stream *s, size_t k)
{
    static const unsigned char flips[] = {1, 0x20, 0x80};
    char bytes[2000];
    struct str line = s->w->line[k];
    assert_true(line.len < sizeof bytes);
    memcpy(bytes, line.ptr, line.len);
    for (size_t at = 0; at < line.len; at++) {
        for (size_t f = 0; f <= sizeof flips; f++) {
            bytes[at] = f < sizeof flips ? (char)((unsigned char)line.ptr[at] ^ flips[f]) : '\n';
            if (bytes[at] != line.ptr[at] &&
                !named(s, (struct str){bytes, line.len}, k + 1, (int64_t)k))
                fail_msg("event %zu: byte %zu to %d is not named", k, at, bytes[at]);
        }
        bytes[at] = line.ptr[at];
    }
}

static void try_order(struct stream *s, size_t k)
{
    char bytes[6000];
    const struct str *line = s->w->line;
    if (!named(s, (struct str){0}, k + 1, (int64_t)k)) /* taken out */
        fail_msg("event %zu: its removal is not named", k);
    if (k + 1 < EVENTS) {
        size_t a = line[k].len, b = line[k + 1].len;
        memcpy(bytes, line[k + 1].ptr, b);
        memcpy(bytes + b, line[k].ptr, a);
        if (!named(s, (struct str){bytes, a + b}, k + 2, (int64_t)k))
            fail_msg("event %zu: its swap with the next is not named", k);
    }
    size_t other = (k * 7919 + 13) % EVENTS; /* another in its place, and it is nowhere */
    if (other != k && !named(s, line[other], k + 1, (int64_t)k))
        fail_msg("event %zu: event %zu in its place is not named", k, other);
    struct str twice = {line[k].ptr, line[k].len};
    memcpy(bytes, twice.ptr, twice.len);
    memcpy(bytes + twice.len, twice.ptr, twice.len);
    if (!named(s, (struct str){bytes, 2 * twice.len}, k + 1, (int64_t)k))
        fail_msg("event %zu: its repetition is not named", k);
}

static void every_byte_and_line_is_named(void **state)
{
    struct world w;
    struct stream s;
    AUTO_ARENA arena = {.limit = 1 << 16};
    const struct audit_options audit = with_key(&arena, *state);
    const struct test_store *store = *state;
    build(&w, store, &audit);
    struct audit_faults none = {.arena = &w.arena};
    begin(&s, &w, &none);
    for (size_t k = 0; k < EVENTS; k++) {
        if (whole(store) || k % 97 == 0 || k == 399 || k == 400 || k == LAST)
            try_bytes(&s, k);
        try_order(&s, k);
        struct str line = str_sub(w.line[k], 0, w.line[k].len - 1);
        assert_true(audit_verify_line(&s.v, line, NULL, &s.err));
    }
    assert_true(audit_verify_end(&s.v, &s.end.digest, &s.err));
    assert_int_equal(none.n, 0);
    assert_int_equal(s.v.checkpoints, 3);
    hasher_close(s.v.hasher);
    drop(&w);
}

/* Each byte of the head and of the end, and of what surrounds them. */
static void every_byte_of_head_and_end_counts(void **state)
{
    struct world w;
    AUTO_ARENA arena = {.limit = 1 << 16};
    const struct audit_options audit = with_key(&arena, *state);
    struct audit_check got;
    build(&w, *state, &audit);
    char *bytes = arena_new_raw(&w.arena, char, w.export.len);
    memcpy(bytes, w.export.ptr, w.export.len);
    size_t end = w.export.len - w.end.len, tried = 0;
    for (size_t at = 0; at < w.export.len; at = at + 1 == w.head.len ? end : at + 1) {
        struct arena_mark mark = arena_mark(&w.arena);
        if (!whole(*state) && at % 13)
            continue;
        bytes[at] ^= at % 2 ? 1 : 4;
        if (!faults_of(&w, (struct str){bytes, w.export.len}, NULL, &got))
            fail_msg("byte %zu (%c) may change: %.60s", at, bytes[at], w.export.ptr + at - 20);
        bytes[at] = w.export.ptr[at];
        arena_rewind(&w.arena, mark);
        tried++;
    }
    assert_true(tried >= (w.head.len + w.end.len) / (whole(*state) ? 1 : 14));
    drop(&w);
}

static void every_truncation_is_found(void **state)
{
    struct world w;
    AUTO_ARENA arena = {.limit = 1 << 16};
    const struct audit_options audit = with_key(&arena, *state);
    struct audit_check got;
    build(&w, *state, &audit);
    size_t at = w.head.len;
    for (size_t k = 0; k <= EVENTS; at += k < EVENTS ? w.line[k].len : 0, k++) {
        const size_t cuts[] = {at, at + 7, at - 1};
        for (size_t c = 0; c < 3; c++) {
            struct arena_mark mark = arena_mark(&w.arena);
            if (k % 97 && k != EVENTS && (c || !whole(*state)))
                continue;
            if (!faults_of(&w, str_sub(w.export, 0, cuts[c]), NULL, &got))
                fail_msg("cut at %zu (event %zu) is not found", cuts[c], k);
            bool told = k == EVENTS && c != 2;
            for (size_t i = 0; i < got.faults.n; i++)
                told |= got.faults.fault[i].seq >= (int64_t)k - 1;
            if (!told)
                say(&got.faults);
            assert_true(told);
            arena_rewind(&w.arena, mark);
        }
    }
    assert_true(faults_of(&w, STR(""), NULL, &got) > 0);
    assert_true(faults_of(&w, str_sub(w.export, 0, w.head.len - 1), NULL, &got) > 0);
    drop(&w);
}

/* --- another key --- */

static struct str resigned(struct world *w, const struct note_key *key)
{
    struct export_end end;
    struct err err = {0};
    AUTO_BUF out = {.limit = 1 << 28};
    assert_true(export_end_read(&w->arena, str_trim(w->end), &end, &err));
    for (size_t i = 0; i < end.nnotes; i++) {
        struct note note;
        assert_true(note_read(&w->arena, end.note[i], &note, &err));
        assert_true(note_sign(&w->arena, note.text, key, 0, &end.note[i], &err));
    }
    buf_str(&out, str_sub(w->export, 0, w->export.len - w->end.len));
    assert_true(export_end_print(&out, &end, &err));
    return arena_dup(&w->arena, buf_view(&out));
}

static void another_key_is_named(void **state)
{
    struct world w, other;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct test_store second = *(const struct test_store *)*state;
    const struct audit_options audit = with_key(&arena, *state);
    struct audit_check got;
    struct err err = {0};
    struct note_key key;
    build(&w, *state, &audit);
    assert_true(note_key_generate(STR("example.org/log"), &key, &err));
    assert_true(faults_of(&w, resigned(&w, &key), NULL, &got) >= 3);
    struct str want = arena_printf(&arena, "(it is signed by example.org/log+%08x)", key.id);
    assert_true(str_find(got.faults.fault[0].text, want, 0) != SIZE_MAX);
    /* a whole other log under the same name: only who kept something can tell */
    if (!second.server[0]) {
        (void)snprintf(second.url, sizeof second.url, "sqlite:%s/other/plumb.db", second.dir);
        build(&other, &second, &audit);
        const struct audit_check_options pin = {.pinned = &w.key};
        const struct audit_check_options kept = {.former = w.former, .nformer = 1};
        assert_int_equal(faults_of(&other, other.export, NULL, &got), 0);
        assert_true(faults_of(&other, other.export, &pin, &got) > 0);
        assert_true(faults_of(&other, other.export, &kept, &got) > 0);
        drop(&other);
    }
    drop(&w);
}

/* Who rewrites an event and everything behind it, without the key, is found by the checkpoint. */
static void a_rewritten_chain_is_found(void **state)
{
    struct world w;
    AUTO_ARENA arena = {.limit = 1 << 20};
    const struct audit_options audit = with_key(&arena, *state);
    struct audit_check got;
    struct err err = {0};
    AUTO_BUF out = {.limit = 1 << 28};
    struct digest digest;
    struct export_end end;
    build(&w, *state, &audit);
    buf_str(&out, w.head);
    for (size_t k = 0; k < EVENTS; k++) {
        struct str line = arena_dup(&w.arena, str_trim(w.line[k]));
        char hex[DIGEST_HEX + 1], *bytes = NULL;
        memcpy(&bytes, &line.ptr, sizeof bytes);
        if (k == 500)
            bytes[str_find(line, STR("alice"), 0)] = 'b';
        if (k > 500) {
            digest_hex(&digest, hex);
            memcpy(bytes + str_find(line, STR("\"prev\":\"sha256:"), 0) + 15, hex, DIGEST_HEX);
        }
        assert_true(digest_sha256(line, &digest, &err));
        buf_str(&out, line);
        buf_char(&out, '\n');
    }
    assert_true(export_end_read(&w.arena, str_trim(w.end), &end, &err));
    end.digest = digest;
    assert_true(export_end_print(&out, &end, &err));
    assert_true(faults_of(&w, buf_view(&out), NULL, &got) > 0);
    struct str said = got.faults.fault[0].text;
    if (!str_starts(said, STR("events 400 to 700 are not those that the checkpoint of 701")))
        fail_msg("%.*s", STR_ARG(said));
    drop(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_verifies),
        cmocka_unit_test(every_byte_and_line_is_named),
        cmocka_unit_test(every_byte_of_head_and_end_counts),
        cmocka_unit_test(every_truncation_is_found),
        cmocka_unit_test(another_key_is_named),
        cmocka_unit_test(a_rewritten_chain_is_found),
    };
    return test_stores_run("record/audit_export", tests, sizeof tests / sizeof *tests);
}
