/* asked.c - what policy was asked about findings: kept packed, written where it changed. */
#include "policy/asked.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "record/findings_parts.h"
#include "record/listing.h"
#include "record/states.h"

/* 0 stands for nothing. */
static int64_t hash_of(struct str asked)
{
    int64_t hash = (int64_t)(hash_bytes(asked, 0) >> 1);
    return hash ? hash : 1;
}

static bool write_one(struct lives *lives, const struct sight *s, int64_t hash, struct err *err)
{
    AUTO_BUF packed = {.limit = ASKED_BYTES_MAX};
    if (!state_pack(s->finding->asked, &packed, err))
        return false;
    const struct db_value row[] = {DB_PARAM_INT(s->id), DB_PARAM_INT(hash),
                                   DB_PARAM_BYTES(buf_view(&packed))};
    return db_run(lives->record->db,
                  "INSERT INTO finding_asked (finding, hash, document) VALUES ($1, $2, $3)"
                  " ON CONFLICT (finding) DO UPDATE SET hash = excluded.hash,"
                  " document = excluded.document",
                  row, sizeof row / sizeof *row, err);
}

static bool drop(struct lives *lives, int64_t finding, struct err *err)
{
    const struct db_value id = DB_PARAM_INT(finding);
    return db_run(lives->record->db, "DELETE FROM finding_asked WHERE finding = $1", &id, 1, err);
}

bool asked_keep(struct lives *lives, struct err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < lives->nseen; i++) {
        const struct sight *s = &lives->seen[i];
        struct str asked = s->finding->asked;
        int64_t before = s->before ? s->before->asked : 0, hash = asked.len ? hash_of(asked) : 0;
        if (hash && hash != before)
            ok = write_one(lives, s, hash, err);
        else if (!hash && before)
            ok = drop(lives, s->id, err);
    }
    for (size_t i = 0; ok && i < lives->nresolved; i++)
        if (lives->resolved[i]->asked)
            ok = drop(lives, lives->resolved[i]->id, err);
    return ok;
}

static bool unpack_row(void *ctx, const struct db_row *row, struct err *err)
{
    return state_unpack(db_bytes(row, 0), ctx, err);
}

bool finding_asked(struct record *record, int64_t finding, struct buf *ret, struct err *err)
{
    const struct db_value id = DB_PARAM_INT(finding);
    return db_query(record->db, "SELECT document FROM finding_asked WHERE finding = $1", &id, 1,
                    unpack_row, ret, err);
}
