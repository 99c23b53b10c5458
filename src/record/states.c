/* states.c - states, their versions and locks in SQL; gzip. */
#include "record/states.h"

#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "record/db.h"

enum { PART_BYTES = 1 << 20, FAST_BYTES = 4 << 20, GZIP_WINDOW = 15 + 16 };

bool state_name_good(struct str stack)
{
    struct str rest = stack, word;
    if (stack.len == 0 || stack.len > STATE_NAME_MAX || utf8_bad_at(stack) != SIZE_MAX)
        return false;
    for (size_t i = 0; i < stack.len; i++)
        if ((unsigned char)stack.ptr[i] < ' ' || stack.ptr[i] == 0x7f)
            return false;
    for (bool more = true; more;) {
        more = str_cut(&rest, '/', &word);
        if (word.len == 0 || str_equal(word, STR(".")) || str_equal(word, STR("..")))
            return false;
    }
    return true;
}

/* --- gzip --- */

bool state_pack(struct str raw, struct buf *ret, struct err *err)
{
    z_stream z = {0};
    int level = raw.len > FAST_BYTES ? 1 : 6;
    if (raw.len > STATE_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "a state of %zu bytes; %d is the most", raw.len,
                       STATE_BYTES_MAX);
    if (deflateInit2(&z, level, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return err_set(err, ERR_LIMIT, "out of memory");
    size_t room = deflateBound(&z, raw.len);
    char *out = buf_room(ret, room);
    if (!out) {
        (void)deflateEnd(&z);
        return err_set(err, ERR_LIMIT, "out of memory");
    }
    memcpy(&z.next_in, &raw.ptr, sizeof raw.ptr); /* zlib reads it only */
    z.avail_in = (uInt)raw.len;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)room;
    int code = deflate(&z, Z_FINISH);
    ret->len += room - z.avail_out;
    (void)deflateEnd(&z);
    return code == Z_STREAM_END || err_set(err, ERR_LIMIT, "the state cannot be compressed");
}

bool state_unpack(struct str packed, struct buf *ret, struct err *err)
{
    z_stream z = {0};
    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        return err_set(err, ERR_LIMIT, "out of memory");
    memcpy(&z.next_in, &packed.ptr, sizeof packed.ptr);
    z.avail_in = (uInt)packed.len;
    int code = Z_OK;
    while (code == Z_OK && ret->len <= STATE_BYTES_MAX) {
        char *out = buf_room(ret, PART_BYTES);
        if (!out)
            break;
        z.next_out = (Bytef *)out;
        z.avail_out = PART_BYTES;
        code = inflate(&z, Z_NO_FLUSH);
        ret->len += PART_BYTES - z.avail_out;
    }
    (void)inflateEnd(&z);
    return code == Z_STREAM_END ||
           err_set(err, ERR_CONFLICT, "the stored state cannot be decompressed");
}

/* --- reading --- */

#define STATE_COLUMNS \
    "stack, version, versions, lineage, serial, lock_id, lock_info, lock_kind, lock_token, " \
    "lock_name, lock_utc_ms, lock_last"

struct reading {
    struct arena *arena;
    void *item;
    size_t n, room;
};

static bool take_state(struct arena *arena, const struct db_row *row, struct state_row *ret,
                       struct err *err)
{
    struct state_row r = {.known = true,
                          .stack = arena_dup(arena, db_text(row, 0)),
                          .version = db_int(row, 1),
                          .versions = db_int(row, 2),
                          .lineage = arena_dup(arena, db_text(row, 3)),
                          .serial = db_int(row, 4),
                          .lock = {.id = arena_dup(arena, db_text(row, 5)),
                                   .info = arena_dup(arena, db_text(row, 6)),
                                   .kind = arena_dup(arena, db_text(row, 7)),
                                   .token = db_int(row, 8),
                                   .name = arena_dup(arena, db_text(row, 9)),
                                   .taken_utc_ms = db_int(row, 10)},
                          .lock_last = arena_dup(arena, db_text(row, 11))};
    if (!r.stack.ptr || !r.lineage.ptr || !r.lock.id.ptr || !r.lock.info.ptr || !r.lock.kind.ptr ||
        !r.lock.name.ptr || !r.lock_last.ptr)
        return arena_full(arena, err);
    *ret = r;
    return true;
}

static bool on_state(void *ctx, const struct db_row *row, struct err *err)
{
    struct reading *r = ctx;
    struct state_row *items = r->item;
    if (r->n == STATE_LISTED_MAX)
        return err_set(err, ERR_LIMIT, "more than %d states", STATE_LISTED_MAX);
    if (r->n == r->room && !(items = arena_grow(r->arena, items, r->n, &r->room, r->n + 1)))
        return arena_full(r->arena, err);
    r->item = items;
    return take_state(r->arena, row, &items[r->n++], err);
}

bool states_get(struct arena *arena, struct db *db, struct str stack, struct state_row *ret,
                struct err *err)
{
    struct reading r = {.arena = arena};
    struct db_value param[] = {DB_PARAM_TEXT(stack)};
    if (!db_query(db, "SELECT " STATE_COLUMNS " FROM state WHERE stack = $1", param, 1, on_state,
                  &r, err))
        return err_wrap(err, "state of %.*s", STR_ARG(stack));
    *ret = r.n ? *(struct state_row *)r.item : (struct state_row){.stack = stack};
    return true;
}

bool states_list(struct arena *arena, struct db *db, struct state_row **ret, size_t *ret_n,
                 struct err *err)
{
    struct reading r = {.arena = arena};
    if (!db_query(db,
                  "SELECT " STATE_COLUMNS
                  " FROM state WHERE version > 0 OR lock_id <> '' ORDER BY stack",
                  NULL, 0, on_state, &r, err))
        return err_wrap(err, "states");
    *ret = r.item;
    *ret_n = r.n;
    return true;
}

static bool on_version(void *ctx, const struct db_row *row, struct err *err)
{
    struct reading *r = ctx;
    struct state_version *items = r->item;
    struct str digest = db_bytes(row, 8);
    if (r->n == STATE_LISTED_MAX)
        return err_set(err, ERR_LIMIT, "more than %d versions", STATE_LISTED_MAX);
    if (r->n == r->room && !(items = arena_grow(r->arena, items, r->n, &r->room, r->n + 1)))
        return arena_full(r->arena, err);
    r->item = items;
    struct state_version v = {.version = db_int(row, 0),
                              .lineage = arena_dup(r->arena, db_text(row, 1)),
                              .serial = db_int(row, 2),
                              .utc_ms = db_int(row, 3),
                              .actor = arena_dup(r->arena, db_text(row, 4)),
                              .lock_id = arena_dup(r->arena, db_text(row, 5)),
                              .size = db_int(row, 6),
                              .packed = db_int(row, 7)};
    if (!v.lineage.ptr || !v.actor.ptr || !v.lock_id.ptr)
        return arena_full(r->arena, err);
    if (digest.len == DIGEST_SIZE)
        memcpy(v.digest.byte, digest.ptr, DIGEST_SIZE);
    items[r->n++] = v;
    return true;
}

#define VERSION_COLUMNS "version, lineage, serial, utc_ms, actor, lock_id, size, packed, digest"

bool states_versions(struct arena *arena, struct db *db, struct str stack,
                     struct state_version **ret, size_t *ret_n, struct err *err)
{
    struct reading r = {.arena = arena};
    struct db_value param[] = {DB_PARAM_TEXT(stack)};
    if (!db_query(db,
                  "SELECT " VERSION_COLUMNS
                  " FROM state_version WHERE stack = $1 ORDER BY version DESC",
                  param, 1, on_version, &r, err))
        return err_wrap(err, "versions of the state of %.*s", STR_ARG(stack));
    *ret = r.item;
    *ret_n = r.n;
    return true;
}

static bool on_part(void *ctx, const struct db_row *row, struct err *err)
{
    struct buf *packed = ctx;
    buf_str(packed, db_bytes(row, 0));
    return buf_ok(packed, err);
}

bool states_read(struct arena *arena, struct db *db, struct str stack, int64_t version,
                 struct buf *ret, struct state_version *ret_version, struct err *err)
{
    AUTO_BUF packed = {.limit = STATE_BYTES_MAX + PART_BYTES};
    struct reading r = {.arena = arena};
    struct digest digest;
    struct db_value param[] = {DB_PARAM_TEXT(stack), DB_PARAM_INT(version)};
    if (!db_query(db,
                  "SELECT " VERSION_COLUMNS " FROM state_version WHERE stack = $1 AND version = $2",
                  param, 2, on_version, &r, err))
        return err_wrap(err, "state of %.*s", STR_ARG(stack));
    if (r.n == 0)
        return err_set(err, ERR_USAGE, "the state of %.*s has no version %lld", STR_ARG(stack),
                       (long long)version);
    *ret_version = *(struct state_version *)r.item;
    if (!db_query(db, "SELECT bytes FROM state_part WHERE stack = $1 AND version = $2 ORDER BY n",
                  param, 2, on_part, &packed, err) ||
        !state_unpack(buf_view(&packed), ret, err) || !digest_sha256(buf_view(ret), &digest, err))
        return err_wrap(err, "state of %.*s, version %lld", STR_ARG(stack), (long long)version);
    return digest_equal(&digest, &ret_version->digest) ||
           err_set(err, ERR_CONFLICT, "state of %.*s, version %lld: the stored bytes were changed",
                   STR_ARG(stack), (long long)version);
}

/* --- writing --- */

static bool ensure_row(struct db *db, const struct state_row *row, struct err *err)
{
    struct db_value param[] = {DB_PARAM_TEXT(row->stack)};
    return row->known ||
           db_run(db,
                  "INSERT INTO state (" STATE_COLUMNS
                  ") VALUES ($1, 0, 0, '', 0, '', '', '', 0, '', 0, '') ON CONFLICT DO NOTHING",
                  param, 1, err);
}

bool states_set_lock(struct db *db, const struct state_row *row, const struct state_lock *lock,
                     struct err *err)
{
    const struct str none = STR_INIT("");
    struct db_value param[] = {DB_PARAM_TEXT(row->stack),
                               DB_PARAM_TEXT(lock->id.ptr ? lock->id : none),
                               DB_PARAM_TEXT(lock->info.ptr ? lock->info : none),
                               DB_PARAM_TEXT(lock->kind.ptr ? lock->kind : none),
                               DB_PARAM_INT(lock->token),
                               DB_PARAM_TEXT(lock->name.ptr ? lock->name : none),
                               DB_PARAM_INT(lock->taken_utc_ms),
                               DB_PARAM_TEXT(row->lock.id.len     ? row->lock.id
                                             : row->lock_last.ptr ? row->lock_last
                                                                  : none)};
    return ensure_row(db, row, err) &&
           db_run(db,
                  "UPDATE state SET lock_id = $2, lock_info = $3, lock_kind = $4, lock_token = $5, "
                  "lock_name = $6, lock_utc_ms = $7, lock_last = $8 WHERE stack = $1",
                  param, 8, err);
}

static bool write_parts(struct db *db, struct str stack, int64_t version, struct str packed,
                        struct err *err)
{
    for (size_t at = 0, n = 0; at < packed.len; at += PART_BYTES, n++) {
        struct db_value param[] = {DB_PARAM_TEXT(stack), DB_PARAM_INT(version),
                                   DB_PARAM_INT((int64_t)n),
                                   DB_PARAM_BYTES(str_sub(packed, at, at + PART_BYTES))};
        if (!db_run(db, "INSERT INTO state_part (stack, version, n, bytes) VALUES ($1, $2, $3, $4)",
                    param, 4, err))
            return false;
    }
    return true;
}

bool states_write(struct db *db, const struct state_row *row, struct state_version *version,
                  struct str packed, struct err *err)
{
    struct state_version v = *version;
    v.version = row->versions + 1;
    struct str digest = {(const char *)v.digest.byte, DIGEST_SIZE};
    struct db_value insert[] = {
        DB_PARAM_TEXT(row->stack), DB_PARAM_INT(v.version), DB_PARAM_TEXT(v.lineage),
        DB_PARAM_INT(v.serial),    DB_PARAM_INT(v.utc_ms),  DB_PARAM_TEXT(v.actor),
        DB_PARAM_TEXT(v.lock_id),  DB_PARAM_INT(v.size),    DB_PARAM_INT((int64_t)packed.len),
        DB_PARAM_BYTES(digest)};
    struct db_value update[] = {DB_PARAM_TEXT(row->stack), DB_PARAM_INT(v.version),
                                DB_PARAM_TEXT(v.lineage), DB_PARAM_INT(v.serial)};
    if (!ensure_row(db, row, err) ||
        !db_run(db,
                "INSERT INTO state_version (stack, " VERSION_COLUMNS
                ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                insert, 10, err) ||
        !write_parts(db, row->stack, v.version, packed, err) ||
        !db_run(db,
                "UPDATE state SET version = $2, versions = $2, lineage = $3, serial = $4 "
                "WHERE stack = $1",
                update, 4, err))
        return err_wrap(err, "write the state of %.*s", STR_ARG(row->stack));
    version->version = v.version;
    version->packed = (int64_t)packed.len;
    return true;
}

bool states_delete(struct db *db, const struct state_row *row, struct err *err)
{
    struct db_value param[] = {DB_PARAM_TEXT(row->stack)};
    return db_run(db, "UPDATE state SET version = 0, lineage = '', serial = 0 WHERE stack = $1",
                  param, 1, err);
}

bool states_prune(struct db *db, const struct state_row *row, int64_t keep, struct err *err)
{
    struct db_value param[] = {DB_PARAM_TEXT(row->stack), DB_PARAM_INT(row->versions - keep),
                               DB_PARAM_INT(row->version)};
    if (keep <= 0 || row->versions <= keep)
        return true;
    return db_run(db, "DELETE FROM state_part WHERE stack = $1 AND version <= $2 AND version <> $3",
                  param, 3, err) &&
           db_run(db,
                  "DELETE FROM state_version WHERE stack = $1 AND version <= $2 AND version <> $3",
                  param, 3, err);
}
