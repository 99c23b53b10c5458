/* audit_export.c - writing a part of the log with all that proves it. */
#include "record/audit_export.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "record/audit.h"
#include "record/audit_checkpoint.h"
#include "record/audit_export_parts.h"
#include "record/audit_head.h"
#include "record/record.h"

enum { PIECE = 1 << 18 };

struct export
{
    struct record *record;
    const struct audit_export *what;
    struct arena arena;
    struct audit_head log;
    struct audit_nodes nodes;
    struct export_head head;
    struct export_end end;
    struct checkpoint seal;
    struct buf out;
    struct hasher *hasher;
    int64_t next;
    bool (*write)(void *ctx, struct str bytes, struct err *err);
    void *ctx;
};

static bool flush(struct export *e, size_t least, struct err *err)
{
    if (!buf_ok(&e->out, err))
        return false;
    if (e->out.len < least)
        return true;
    if (!e->write(e->ctx, buf_view(&e->out), err))
        return false;
    buf_consume(&e->out, e->out.len);
    return true;
}

/* --- which events --- */

static bool find_range(struct export *e, struct err *err)
{
    struct db *db = e->record->db;
    struct db_value at[] = {DB_PARAM_INT(e->what->since_utc_ms),
                            DB_PARAM_INT(e->what->until_utc_ms), DB_PARAM_INT(e->what->first)};
    int64_t first = -1, last = -1, most = e->what->last >= 0 ? e->what->last : e->log.size - 1;
    if (!db_one_int(db,
                    "SELECT coalesce(min(seq), -1) FROM audit_event WHERE utc_ms >= $1 AND "
                    "utc_ms < $2 AND seq >= $3",
                    at, 3, &first, err))
        return false;
    at[2] = DB_PARAM_INT(most);
    if (!db_one_int(db,
                    "SELECT coalesce(max(seq), -1) FROM audit_event WHERE utc_ms >= $1 AND "
                    "utc_ms < $2 AND seq <= $3",
                    at, 3, &last, err))
        return false;
    if (first >= 0 && first < e->log.kept) /* keys of the log stay, whatever is taken out */
        first = e->log.kept;
    if (first < 0 || last < first)
        return err_set(err, ERR_USAGE,
                       e->log.kept ? "no events there; those before event %lld were taken "
                                     "out of the store, and are in the exports of then"
                                   : "no events there",
                       (long long)e->log.kept);
    e->head.first = first;
    e->head.last = last;
    e->head.origin = e->log.origin;
    return true;
}

/* --- what vouches for them --- */

static bool find_seal(struct export *e, struct err *err)
{
    struct audit_signed newest;
    struct audit_sealed sealed;
    struct err why = {0};
    char text[ERR_TEXT_MAX];
    if (!audit_checkpoint_last(e->record, &e->arena, &newest, err))
        return false;
    if (newest.size <= e->head.last &&
        !audit_checkpoint_make(e->record, &e->arena, &newest, NULL, &why))
        return err_set(err, why.kind,
                       "no checkpoint covers event %lld, and none can be made here: %s",
                       (long long)e->head.last, err_text(&why, text, sizeof text));
    if (!audit_sealed_read(&e->arena, newest.note, &sealed, err))
        return err_wrap(err, "the newest checkpoint in the store");
    e->seal = sealed.checkpoint;
    /* a first key makes an event of its own */
    return audit_head_read(e->record->db, &e->arena, &e->log, err);
}

struct note_rows {
    struct export *e;
    struct str *note;
    size_t n, room;
    const struct note_key *witness;
    size_t nwitnesses;
    bool *used;
};

/* Signatures that the export's reader could not check stay out of it. */
static bool known_signatures(struct note_rows *r, struct str text, struct str *ret, struct err *err)
{
    AUTO_BUF out = {.limit = NOTE_BYTES_MAX};
    struct note note;
    struct str lines, line;
    if (!note_read(&r->e->arena, text, &note, err))
        return err_wrap(err, "a checkpoint in the store");
    buf_str(&out, note.text);
    buf_char(&out, '\n');
    lines = str_sub(text, note.text.len + 1, text.len);
    for (size_t i = 0; i < note.nsignatures; i++) {
        const struct note_signature *s = &note.signature[i];
        bool known = str_equal(s->name, r->e->log.origin);
        (void)str_cut(&lines, '\n', &line);
        for (size_t k = 0; k < r->nwitnesses; k++)
            if (s->id == r->witness[k].id && str_equal(s->name, r->witness[k].name))
                known = r->used[k] = true;
        if (known) {
            buf_str(&out, line);
            buf_char(&out, '\n');
        }
    }
    *ret = arena_dup(&r->e->arena, buf_view(&out));
    return buf_ok(&out, err) && (ret->ptr || arena_full(&r->e->arena, err));
}

static bool take_note(void *ctx, const struct db_row *row, struct err *err)
{
    struct note_rows *r = ctx;
    struct str text = arena_dup(&r->e->arena, db_text(row, 0));
    struct str *room = arena_grow(&r->e->arena, r->note, r->n, &r->room, r->n + 1);
    if (!room || !text.ptr)
        return arena_full(&r->e->arena, err);
    r->note = room;
    return known_signatures(r, text, &r->note[r->n++], err);
}

static bool list_witnesses(struct note_rows *r, struct err *err)
{
    const struct audit_options *audit = r->e->record->audit;
    struct note_key *key = arena_new(&r->e->arena, struct note_key, audit->nwitnesses);
    r->used = arena_new(&r->e->arena, bool, audit->nwitnesses);
    if (!key || !r->used)
        return arena_full(&r->e->arena, err);
    for (size_t i = 0; i < audit->nwitnesses; i++) {
        if (!audit->witnesses[i].key.len)
            continue;
        if (!note_key_read_verifier(&r->e->arena, audit->witnesses[i].key, &key[r->nwitnesses],
                                    err))
            return err_wrap(err, "audit.witnesses");
        r->nwitnesses++;
    }
    r->witness = key;
    return true;
}

static bool list_notes(struct export *e, struct err *err)
{
    struct note_rows r = {.e = e};
    struct db_value at[] = {DB_PARAM_INT(e->head.first), DB_PARAM_INT(e->head.last + 1),
                            DB_PARAM_INT((int64_t)e->seal.size)};
    if (!list_witnesses(&r, err) ||
        !db_query(e->record->db,
                  "SELECT note FROM audit_checkpoint WHERE (size > $1 AND size <= $2) OR size = $3 "
                  "ORDER BY size",
                  at, 3, take_note, &r, err))
        return false;
    struct str *vkey = arena_new(&e->arena, struct str, r.nwitnesses);
    if (!vkey)
        return arena_full(&e->arena, err);
    for (size_t i = 0; i < r.nwitnesses; i++)
        if (r.used[i])
            vkey[e->end.nwitnesses++] = note_key_verifier(&e->arena, &r.witness[i]);
    e->end.witness = vkey;
    e->end.note = r.note;
    e->end.nnotes = r.n;
    return true;
}

static bool list_formers(struct export *e, const struct merkle_source *source, struct err *err)
{
    struct export_former *former = arena_new(&e->arena, struct export_former, e->what->nformer);
    if (!former)
        return arena_full(&e->arena, err);
    for (size_t i = 0; i < e->what->nformer; i++) {
        struct audit_sealed s;
        if (!audit_sealed_read(&e->arena, e->what->former[i], &s, err))
            return err_wrap(err, "--checkpoint");
        if (s.checkpoint.size > e->seal.size)
            return err_set(err, ERR_CONFLICT,
                           "--checkpoint promises %llu events, and the log has %llu",
                           (unsigned long long)s.checkpoint.size, (unsigned long long)e->seal.size);
        former[i].note = e->what->former[i];
        if (!merkle_prove_consistency(e->hasher, source, s.checkpoint.size, e->seal.size,
                                      &former[i].proof, err))
            return false;
    }
    e->end.former = former;
    e->end.nformer = e->what->nformer;
    return true;
}

struct key_rows {
    struct export *e;
    struct export_key key[AUDIT_KEYS_MAX];
    int64_t seq[AUDIT_KEYS_MAX];
    size_t n;
};

static bool take_key(void *ctx, const struct db_row *row, struct err *err)
{
    struct key_rows *r = ctx;
    if (r->n == AUDIT_KEYS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d keys in one log", AUDIT_KEYS_MAX);
    r->seq[r->n] = db_int(row, 0);
    r->key[r->n].line = arena_dup(&r->e->arena, db_text(row, 1));
    return r->key[r->n++].line.ptr || arena_full(&r->e->arena, err);
}

static bool list_keys(struct export *e, const struct merkle_source *source, struct err *err)
{
    struct key_rows *r = arena_new(&e->arena, struct key_rows, 1);
    struct db_value at[] = {DB_PARAM_INT(e->head.first), DB_PARAM_INT(e->head.last),
                            DB_PARAM_INT((int64_t)e->seal.size)};
    if (!r)
        return arena_full(&e->arena, err);
    r->e = e;
    if (!db_query(e->record->db,
                  "SELECT seq, line FROM audit_event WHERE type IN ('log.start', 'log.key') AND "
                  "(seq < $1 OR seq > $2) AND seq < $3 ORDER BY seq",
                  at, 3, take_key, r, err))
        return false;
    for (size_t i = 0; i < r->n; i++)
        if (!merkle_prove_inclusion(e->hasher, source, (uint64_t)r->seq[i], e->seal.size,
                                    &r->key[i].proof, err))
            return false;
    e->head.key = r->key;
    e->head.nkeys = r->n;
    return true;
}

/* --- writing --- */

static bool take_line(void *ctx, const struct db_row *row, struct err *err)
{
    struct export *e = ctx;
    struct str line = db_text(row, 1);
    if (db_int(row, 0) != e->next)
        return err_set(err, ERR_CONFLICT, "event %lld is missing: `plumb audit verify`",
                       (long long)e->next);
    e->next++;
    if (!hasher_sha256(e->hasher, &line, 1, &e->end.digest))
        return err_set(err, ERR_LIMIT, "SHA-256 failed");
    buf_str(&e->out, line);
    buf_char(&e->out, '\n');
    return flush(e, PIECE, err);
}

static bool write_events(struct export *e, struct err *err)
{
    struct db_value at[] = {DB_PARAM_INT(e->head.first), DB_PARAM_INT(e->head.last)};
    e->next = e->head.first;
    if (!db_query(e->record->db,
                  "SELECT seq, line FROM audit_event WHERE seq >= $1 AND seq <= $2 ORDER BY seq",
                  at, 2, take_line, e, err))
        return false;
    return e->next == e->head.last + 1 ||
           err_set(err, ERR_CONFLICT, "event %lld is missing: `plumb audit verify`",
                   (long long)e->next);
}

static bool write_all(struct export *e, struct err *err)
{
    uint64_t events = (uint64_t)e->head.last + 1;
    if (!audit_nodes_open(&e->nodes, e->record->db, e->log.size, err))
        return false;
    const struct merkle_source source = {audit_node, &e->nodes};
    return merkle_range_at(&source, (uint64_t)e->head.first, &e->head.edge, err) &&
           (events == e->seal.size || merkle_prove_consistency(e->hasher, &source, events,
                                                               e->seal.size, &e->end.seal, err)) &&
           list_keys(e, &source, err) && list_notes(e, err) && list_formers(e, &source, err) &&
           export_head_print(&e->out, &e->head, err) && write_events(e, err) &&
           export_end_print(&e->out, &e->end, err) && flush(e, 0, err);
}

bool audit_export_write(struct record *record, const struct audit_export *what,
                        bool (*write)(void *ctx, struct str bytes, struct err *err), void *ctx,
                        struct err *err)
{
    struct export e = {.record = record,
                       .what = what,
                       .arena = {.limit = ARENA_DEFAULT_LIMIT},
                       .out = {.limit = EXPORT_END_MAX},
                       .write = write,
                       .ctx = ctx,
                       .hasher = hasher_open(err)};
    bool ok = e.hasher && audit_head_read(record->db, &e.arena, &e.log, err) &&
              find_range(&e, err) && find_seal(&e, err) && write_all(&e, err);
    audit_nodes_close(&e.nodes);
    hasher_close(e.hasher);
    buf_free(&e.out);
    arena_free(&e.arena);
    return ok;
}
