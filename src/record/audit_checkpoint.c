/* audit_checkpoint.c - signing where the log stands, and never two things that contradict. */
#include "record/audit_checkpoint.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "record/audit.h"
#include "record/audit_head.h"
#include "record/audit_key.h"
#include "record/audit_line.h"
#include "record/audit_verify.h"
#include "record/audit_witness.h"
#include "record/record.h"
#include "wire/json.h"

enum { SIGNED_MODE = 0600 };

struct signing {
    struct record *record;
    struct arena *arena;
    struct audit_head head;
    struct note_key key;
    struct str vkey;
};

/* --- what is there --- */

struct last_row {
    struct arena *arena;
    struct audit_signed found;
};

static bool take_last(void *ctx, const struct db_row *row, struct err *err)
{
    struct last_row *r = ctx;
    r->found = (struct audit_signed){.size = db_int(row, 0),
                                     .utc_ms = db_int(row, 1),
                                     .note = arena_dup(r->arena, db_text(row, 2))};
    return r->found.note.ptr || arena_full(r->arena, err);
}

bool audit_checkpoint_last(struct record *record, struct arena *arena, struct audit_signed *ret,
                           struct err *err)
{
    struct last_row r = {.arena = arena};
    if (!db_query(record->db,
                  "SELECT size, utc_ms, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1",
                  NULL, 0, take_last, &r, err))
        return false;
    *ret = r.found;
    return true;
}

struct key_row {
    struct arena *arena;
    struct str vkey;
};

static bool take_key(void *ctx, const struct db_row *row, struct err *err)
{
    struct key_row *r = ctx;
    struct audit_line line;
    struct value detail;
    if (!audit_line_read(db_text(row, 0), &line, err) ||
        !json_parse(r->arena, line.detail, "detail", JSON_COPY, &detail, err))
        return err_wrap(err, "the audit log's keys");
    struct str vkey = value_get_string(&detail, STR("key"));
    if (vkey.len)
        r->vkey = vkey;
    return true;
}

bool audit_key_current(struct record *record, struct arena *arena, struct str *ret, struct err *err)
{
    struct key_row r = {.arena = arena};
    if (!db_query(record->db,
                  "SELECT line FROM audit_event WHERE type IN ('log.start', 'log.key') ORDER BY "
                  "seq",
                  NULL, 0, take_key, &r, err))
        return false;
    *ret = r.vkey;
    return true;
}

/* --- keys --- */

static bool no_key(struct record *record, struct err *err)
{
    struct str path;
    AUTO_ARENA arena = {.limit = 1 << 16};
    if (audit_key_path(record, &arena, &path, err) && path.len)
        return err_set(err, ERR_USAGE,
                       "the audit log's key %s is not there: bring it back, or "
                       "`plumb audit key --rotate --lost`",
                       path.ptr);
    return err_set(err, ERR_USAGE,
                   "nothing says where the audit log's key is: set PLUMB_AUDIT_KEY=file:PATH or "
                   "`audit: {key: file:PATH}` in plumb.yaml");
}

/* The event that announces a key. old: who signs besides; NULL for a first or a lost one. */
static bool announce(struct signing *s, const struct event_actor *actor, const struct note_key *new,
                     const struct note_key *old, struct str *ret_vkey, struct err *err)
{
    struct str vkey = note_key_verifier(s->arena, new), promise;
    struct str text = audit_key_promise(s->arena, s->head.origin, vkey);
    if (!vkey.ptr || !text.ptr)
        return arena_full(s->arena, err);
    if (!note_sign(s->arena, text, new, 0, &promise, err) ||
        (old && !note_add_signature(s->arena, promise, old, 0, &promise, err)))
        return false;
    struct value_member member[] = {
        {key_make(s->arena, STR("key")), value_string(vkey)},
        {key_make(s->arena, STR("promise")), value_string(promise)},
    };
    struct event event = {
        .type = EVENT_LOG_KEY, .actor = *actor, .outcome = old ? STR("rotated") : STR("announced")};
    if (!member[0].key || !member[1].key)
        return arena_full(s->arena, err);
    *ret_vkey = vkey;
    return value_members(VALUE_OBJECT, member, 2, &event.detail, NULL, err) &&
           audit_write(s->record, &event, NULL, err);
}

static bool same_key(const struct signing *s, struct str named, struct err *err)
{
    return str_equal(named, s->vkey) ||
           err_set(err, ERR_CONFLICT,
                   "the audit log's key here is %.*s, the log names %.*s: bring back that key, or "
                   "`plumb audit key --rotate --lost`",
                   STR_ARG(s->vkey), STR_ARG(named));
}

/* The key that signs, which is the one that the log names last. */
static bool open_key(struct signing *s, struct err *err)
{
    static const struct event_actor plumb = {STR_INIT("plumb"), STR_INIT("none")};
    enum audit_key_found found;
    struct str named;
    if (!audit_key_current(s->record, s->arena, &named, err) ||
        !audit_key_open(s->record, s->arena, s->head.origin, named.len == 0, &s->key, &found, err))
        return false;
    if (found == AUDIT_KEY_NONE)
        return no_key(s->record, err);
    s->vkey = note_key_verifier(s->arena, &s->key);
    if (!s->vkey.ptr)
        return arena_full(s->arena, err);
    if (named.len == 0)
        return announce(s, &plumb, &s->key, NULL, &named, err);
    return same_key(s, named, err);
}

/* --- never two that contradict --- */

/* Is the log as it is a continuation of what was signed? */
static bool continues(struct signing *s, struct str note, const char *where, struct err *err)
{
    struct audit_sealed sealed;
    struct audit_nodes nodes;
    struct digest root;
    if (!audit_sealed_read(s->arena, note, &sealed, err))
        return err_wrap(err, "%s", where);
    uint64_t size = sealed.checkpoint.size;
    if (!str_equal(sealed.checkpoint.origin, s->head.origin))
        return err_set(err, ERR_CONFLICT, "%s: a checkpoint of another log, '%.*s'", where,
                       STR_ARG(sealed.checkpoint.origin));
    if (size > (uint64_t)s->head.size)
        return err_set(err, ERR_CONFLICT,
                       "%s: %llu events were signed, and the log has %lld: the store is an older "
                       "copy, or events were taken out. Nothing is signed",
                       where, (unsigned long long)size, (long long)s->head.size);
    if (!audit_nodes_open(&nodes, s->record->db, s->head.size, err))
        return false;
    const struct merkle_source source = {audit_node, &nodes};
    bool ok = merkle_root(nodes.hasher, &source, size, &root, err);
    audit_nodes_close(&nodes);
    if (!ok)
        return false;
    return digest_equal(&root, &sealed.checkpoint.root) ||
           err_set(err, ERR_CONFLICT,
                   "%s: the first %llu events are not those that were signed: `plumb audit verify` "
                   "names them. Nothing is signed",
                   where, (unsigned long long)size);
}

/* Where what was signed is kept beside the key; empty where the key is no file. */
static bool signed_path(struct signing *s, struct str *ret, struct err *err)
{
    struct str path;
    if (!audit_key_path(s->record, s->arena, &path, err))
        return false;
    *ret = path.len ? arena_printf(s->arena, "%.*s.signed", STR_ARG(path)) : path;
    return !path.len || ret->ptr || arena_full(s->arena, err);
}

static bool check_continues(struct signing *s, struct str path, struct err *err)
{
    struct audit_signed last;
    struct str kept;
    if (path.len && io_exists(path.ptr) &&
        (!io_read_file(s->arena, path.ptr, NOTE_BYTES_MAX, &kept, err) ||
         !continues(s, kept, path.ptr, err)))
        return false;
    return audit_checkpoint_last(s->record, s->arena, &last, err) &&
           (!last.note.len || continues(s, last.note, "the last checkpoint in the store", err));
}

/* Beside the key first: what was signed is known there whatever becomes of the store. */
static bool keep(struct signing *s, struct str path, struct str note, struct audit_signed *ret,
                 struct err *err)
{
    int64_t now = record_now(s->record);
    struct db_value row[] = {DB_PARAM_INT(s->head.size), DB_PARAM_INT(now), DB_PARAM_TEXT(note)};
    if ((path.len && !io_write_file_atomic(path.ptr, note, SIGNED_MODE, err)) ||
        !db_run(s->record->db,
                "INSERT INTO audit_checkpoint (size, utc_ms, note) VALUES ($1, $2, $3)", row, 3,
                err))
        return false;
    *ret = (struct audit_signed){.note = note, .size = s->head.size, .utc_ms = now};
    return true;
}

static bool sign(struct signing *s, struct audit_signed *ret, struct err *err)
{
    struct str path, text, note;
    struct checkpoint checkpoint = {.origin = s->head.origin, .size = (uint64_t)s->head.size};
    struct hasher *hasher = hasher_open(err);
    if (!hasher)
        return false;
    bool ok = merkle_range_root(hasher, &s->head.edge, &checkpoint.root) ||
              err_set(err, ERR_LIMIT, "SHA-256 failed");
    hasher_close(hasher);
    if (!ok || !signed_path(s, &path, err) || !check_continues(s, path, err))
        return false;
    text = checkpoint_text(s->arena, &checkpoint);
    if (!text.ptr)
        return arena_full(s->arena, err);
    /* A log that lost its end with the power would contradict what was signed. */
    return note_sign(s->arena, text, &s->key, 0, &note, err) && db_sync(s->record->db, err) &&
           keep(s, path, note, ret, err);
}

/* Is what there is signed already? */
static bool is_signed(struct signing *s, struct audit_signed *ret, bool *ret_signed,
                      struct err *err)
{
    struct audit_signed last;
    if (!audit_head_read(s->record->db, s->arena, &s->head, err) ||
        !audit_checkpoint_last(s->record, s->arena, &last, err))
        return false;
    *ret_signed = last.note.len && last.size == s->head.size;
    if (*ret_signed)
        *ret = last;
    return true;
}

/* Within the one write lock: whoever signs at the same time stands in line, and what is signed is
 * all that there is. */
static bool sign_newest(struct signing *s, struct audit_signed *ret, bool *ret_new, struct err *err)
{
    struct db *db = s->record->db;
    struct str named;
    bool done = false;
    if (!db_begin(db, DB_WRITE, err))
        return false;
    bool ok = is_signed(s, ret, &done, err) &&
              (done || (audit_key_current(s->record, s->arena, &named, err) &&
                        same_key(s, named, err) && sign(s, ret, err) && db_commit(db, err)));
    db_rollback(db);
    *ret_new = ok && !done;
    return ok;
}

bool audit_checkpoint_make(struct record *record, struct arena *arena, struct audit_signed *ret,
                           bool *ret_new, struct err *err)
{
    struct signing s = {.record = record, .arena = arena};
    bool done = false, new = false;
    if (!is_signed(&s, ret, &done, err))
        return false;
    if (s.head.size == 0)
        return err_set(err, ERR_USAGE, "the audit log has no events yet");
    if (!done && record->read_only) /* nor is a key made for it */
        return err_set(err, ERR_IO, "%.*s cannot be written: nothing can be signed",
                       STR_ARG(db_shown(record->db)));
    bool ok = done ? continues(&s, ret->note, "the last checkpoint in the store", err)
                   : (open_key(&s, err) && sign_newest(&s, ret, &new, err)) ||
                         err_wrap(err, "checkpoint");
    note_key_wipe(&s.key);
    if (ret_new)
        *ret_new = new;
    return ok;
}

bool audit_checkpoint_due(struct record *record, bool *ret, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    const struct audit_options *options = record->audit;
    int64_t every = options->every ? options->every : AUDIT_EVERY, size;
    int64_t period = options->period_ms ? options->period_ms : AUDIT_PERIOD_MS;
    struct audit_signed last;
    struct str path;
    if (!audit_size(record, &size, err) || !audit_checkpoint_last(record, &arena, &last, err) ||
        !audit_key_path(record, &arena, &path, err))
        return false;
    bool key = path.len || options->key.len || (record->env && record->env("PLUMB_AUDIT_KEY"));
    *ret = key && size > last.size &&
           (size - last.size >= every || record_now(record) - last.utc_ms >= period);
    return true;
}

bool audit_settle(struct record *record, struct err *err)
{
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct audit_signed made;
    bool due = false, new = false;
    if (record->read_only)
        return true;
    if (!audit_checkpoint_due(record, &due, err))
        return false;
    return !due || (audit_checkpoint_make(record, &arena, &made, &new, err) &&
                    (!new || audit_witness_all(record, &arena, &made, err)));
}

/* --- another key --- */

static bool rotate(struct signing *s, const struct event_actor *actor, const char *path,
                   const struct note_key *old, struct str *ret, struct err *err)
{
    struct note_key new;
    struct str half = arena_printf(s->arena, "%s.new", path);
    if (!half.ptr)
        return arena_full(s->arena, err);
    if (!note_key_generate(s->head.origin, &new, err))
        return false;
    /* the new key is safe on disk before the log says that it signs */
    bool ok = audit_key_save(s->arena, half.ptr, &new, true, err) &&
              announce(s, actor, &new, old, ret, err) &&
              audit_key_save(s->arena, path, &new, true, err);
    note_key_wipe(&new);
    if (ok)
        (void)remove(half.ptr);
    return ok;
}

bool audit_key_rotate(struct record *record, struct arena *arena, const struct event_actor *actor,
                      bool lost, struct str *ret, struct err *err)
{
    struct signing s = {.record = record, .arena = arena};
    struct audit_signed made;
    struct str path;
    if (!audit_head_read(record->db, arena, &s.head, err) ||
        !audit_key_path(record, arena, &path, err))
        return false;
    if (!s.head.origin.len)
        return err_set(err, ERR_USAGE, "the audit log has no events yet");
    if (!path.len)
        return err_set(err, ERR_USAGE,
                       "the audit log's key is not in a file: plumb cannot put another in its "
                       "place. Set PLUMB_AUDIT_KEY=file:PATH");
    if (lost)
        return rotate(&s, actor, path.ptr, NULL, ret, err) &&
               audit_checkpoint_make(record, arena, &made, NULL, err);
    bool ok = open_key(&s, err) && rotate(&s, actor, path.ptr, &s.key, ret, err);
    note_key_wipe(&s.key);
    return ok && audit_checkpoint_make(record, arena, &made, NULL, err);
}
