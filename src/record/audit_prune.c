/* audit_prune.c - the export is held against the store, then its events go. */
#include "record/audit_prune.h"

#include "base/arena.h"
#include "base/err.h"
#include "model/event.h"
#include "record/audit.h"
#include "record/audit_checkpoint.h"
#include "record/audit_export.h"
#include "record/audit_head.h"
#include "record/record.h"

/* Is it an export of this log, and sound? */
static bool same_log(struct record *record, struct arena *arena, struct str text,
                     const struct audit_head *head, struct audit_check *ret, struct err *err)
{
    struct str vkey;
    struct note_key key;
    struct audit_check_options how = {.pinned = NULL};
    struct audit_nodes nodes;
    struct digest root;
    if (!audit_key_current(record, arena, &vkey, err))
        return false;
    if (!audit_export_check(arena, text, &how, ret, err))
        return false;
    if (ret->faults.n)
        return err_set(err, ERR_CONFLICT, "the export does not verify: %.*s",
                       STR_ARG(ret->faults.fault[0].text));
    if (!vkey.len || !note_key_read_verifier(arena, vkey, &key, err))
        return err_set(err, ERR_CONFLICT, "the log has no key: nothing vouches for the export");
    if (!str_equal(ret->origin, head->origin) || ret->seal.size > (uint64_t)head->size)
        return err_set(err, ERR_CONFLICT, "the export is of another log, '%.*s'",
                       STR_ARG(ret->origin));
    if (!audit_nodes_open(&nodes, record->db, head->size, err))
        return false;
    const struct merkle_source source = {audit_node, &nodes};
    bool ok = merkle_root(nodes.hasher, &source, ret->seal.size, &root, err);
    audit_nodes_close(&nodes);
    if (!ok)
        return false;
    return digest_equal(&root, &ret->seal.root) ||
           err_set(err, ERR_CONFLICT,
                   "the export's checkpoint does not fit this store: `plumb audit verify`");
}

static bool announce(struct record *record, struct arena *arena, struct str text, int64_t upto,
                     const struct event_actor *actor, struct err *err)
{
    struct digest digest;
    char hex[sizeof "sha256:" + DIGEST_HEX] = "sha256:";
    if (!digest_sha256(text, &digest, err))
        return false;
    digest_hex(&digest, hex + 7);
    const struct event_input input = {STR("export"), str_from(hex)};
    struct value_member member = {key_make(arena, STR("kept")), value_int(upto)};
    struct event event = {.type = EVENT_LOG_RETENTION,
                          .actor = *actor,
                          .outcome = STR("removed"),
                          .input = &input,
                          .ninputs = 1};
    if (!member.key)
        return arena_full(arena, err);
    return value_members(VALUE_OBJECT, &member, 1, &event.detail, NULL, err) &&
           audit_append(record, &event, NULL, err);
}

/* The first event that is left only grows, whoever prunes at the same time. */
static bool keep_from(struct record *record, int64_t from, int64_t upto, struct err *err)
{
    const struct db_value at[] = {DB_PARAM_INT(upto), DB_PARAM_INT(from)};
    return db_run(record->db, "UPDATE audit_head SET kept = $1 WHERE id = 1 AND kept = $2", at, 2,
                  err) &&
           (db_changed(record->db) == 1 ||
            err_set(err, ERR_CONFLICT, "somebody else prunes it just now"));
}

static bool remove_lines(struct record *record, struct arena *arena, struct str text, int64_t from,
                         int64_t upto, const struct event_actor *actor, struct err *err)
{
    struct db_value at = DB_PARAM_INT(upto);
    return announce(record, arena, text, upto, actor, err) && keep_from(record, from, upto, err) &&
           db_run(record->db,
                  "DELETE FROM audit_event WHERE seq < $1 AND type NOT IN ('log.start', 'log.key')",
                  &at, 1, err);
}

bool audit_prune(struct record *record, struct arena *arena, struct str text,
                 const struct event_actor *actor, int64_t *ret, struct err *err)
{
    struct audit_head head;
    struct audit_check found;
    if (!audit_head_read(record->db, arena, &head, err) ||
        !same_log(record, arena, text, &head, &found, err))
        return false;
    if (found.first > head.kept)
        return err_set(err, ERR_USAGE,
                       "the export begins with event %lld, and the store still has %lld and on: "
                       "those between would be in neither",
                       (long long)found.first, (long long)head.kept);
    int64_t upto = (found.last + 1) / TILE_WIDTH * TILE_WIDTH;
    *ret = head.kept;
    if (upto <= head.kept)
        return true;
    if (!db_begin(record->db, DB_WRITE, err))
        return false;
    if (!remove_lines(record, arena, text, head.kept, upto, actor, err) ||
        !db_commit(record->db, err)) {
        db_rollback(record->db);
        return err_wrap(err, "prune the audit log");
    }
    *ret = upto;
    return true;
}
