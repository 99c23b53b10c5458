/* identity.c - the index of identities in the store. */
#include "record/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/findings_parts.h"
#include "record/identity_parts.h"

enum { FIND_PARAMS = 32, MANY = 5000, PART = IDENTITIES_PART };

/* --- writing: what differs --- */

struct known {
    struct str address;
    int64_t id, sum;
    bool goes; /* with its names */
};
struct fresh {
    int64_t hash, id;
    enum identity_rank rank;
};
struct writing {
    struct record *record;
    const struct identities *all;
    struct arena arena;
    size_t from, to;        /* of all->entry: this part's */
    struct str after, upto; /* addresses of this part; upto.ptr NULL: to the end */
    struct known *known;    /* by address */
    size_t n, room;
    int64_t *id;         /* of all->entry; negative: its names are there already */
    struct fresh *fresh; /* names to be written, by hash: so they come where the last one went */
    size_t nfresh, fresh_room, nwritten;
    size_t at; /* where next_* are */
};

static bool take_known(void *ctx, const struct db_row *row, struct err *err)
{
    struct writing *w = ctx;
    struct known *grown = arena_grow(&w->arena, w->known, w->n, &w->room, w->n + 1);
    if (!grown)
        return arena_full(&w->arena, err);
    w->known = grown;
    w->known[w->n] =
        (struct known){arena_dup(&w->arena, db_text(row, 0)), db_int(row, 1), db_int(row, 2), true};
    return w->known[w->n++].address.ptr || arena_full(&w->arena, err);
}

/* Where the part ends: PART of those that are to be there, and PART of those that are. */
static void end_part(struct writing *w)
{
    const struct identities *all = w->all;
    struct str last = w->n ? w->known[w->n - 1].address : (struct str){0};
    w->to = all->n - w->from > PART ? w->from + PART : all->n;
    while (w->to < all->n && str_equal(all->entry[w->to].address, all->entry[w->to - 1].address))
        w->to++;
    w->upto = w->to < all->n ? all->entry[w->to - 1].address : (struct str){0};
    if (w->n == PART && (!w->upto.ptr || str_compare(last, w->upto) < 0)) {
        w->upto = last;
        while (w->to > w->from && str_compare(all->entry[w->to - 1].address, last) > 0)
            w->to--;
    }
    while (w->upto.ptr && w->n && str_compare(w->known[w->n - 1].address, w->upto) > 0)
        w->n--;
}

/* Both are sorted. What is the same stays; what differs is written anew; what is no more goes. */
static bool match(struct writing *w, struct err *err)
{
    const struct identities *all = w->all;
    int64_t next = 0;
    if (!record_next_id(w->record, "SELECT coalesce(max(id), 0) + 1 FROM identity_resource", &next,
                        err))
        return false;
    for (size_t i = w->from, k = 0; i < w->to; i++) {
        while (k < w->n && str_compare(w->known[k].address, all->entry[i].address) < 0)
            k++;
        bool twice = i && str_equal(all->entry[i].address, all->entry[i - 1].address);
        bool there = k < w->n && str_equal(w->known[k].address, all->entry[i].address);
        if (there && w->known[k].sum == all->entry[i].sum)
            w->known[k].goes = false;
        w->id[i] = twice || (there && !w->known[k].goes) ? -1 : next++;
    }
    return true;
}

static bool next_gone(void *ctx, struct db_value *param)
{
    struct writing *w = ctx;
    while (w->at < w->n && !w->known[w->at].goes)
        w->at++;
    if (w->at == w->n)
        return false;
    param[0] = DB_PARAM_INT(w->known[w->at++].id);
    return true;
}

static bool next_resource(void *ctx, struct db_value *param)
{
    struct writing *w = ctx;
    w->at = w->at < w->from ? w->from : w->at;
    while (w->at < w->to && w->id[w->at] < 0)
        w->at++;
    if (w->at == w->to)
        return false;
    const struct identity_entry *e = &w->all->entry[w->at];
    const struct db_value row[] = {DB_PARAM_INT(w->id[w->at]),
                                   record_text(&w->arena, w->all->stack, SIZE_MAX),
                                   record_text(&w->arena, e->address, SIZE_MAX),
                                   record_text(&w->arena, e->type, SIZE_MAX),
                                   DB_PARAM_TEXT(e->cloud),
                                   record_text(&w->arena, e->account, SIZE_MAX),
                                   record_text(&w->arena, e->region, SIZE_MAX),
                                   DB_PARAM_INT(e->sum)};
    memcpy(param, row, sizeof row);
    w->at++;
    return true;
}

static int by_hash(const void *a, const void *b)
{
    const struct fresh *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static bool list_fresh(struct writing *w, struct err *err)
{
    const struct identities *all = w->all;
    size_t most = 0;
    for (size_t i = w->from; i < w->to; i++)
        most += w->id[i] >= 0 ? all->entry[i].n : 0;
    w->nfresh = 0;
    w->fresh = arena_grow(&w->arena, w->fresh, 0, &w->fresh_room, most);
    if (!w->fresh && most)
        return arena_full(&w->arena, err);
    for (size_t i = w->from; i < w->to; i++)
        for (size_t k = 0; w->id[i] >= 0 && k < all->entry[i].n; k++) {
            const struct identity_name *name = &all->name[all->entry[i].first + k];
            w->fresh[w->nfresh++] = (struct fresh){name->hash, w->id[i], name->rank};
        }
    if (w->nfresh > 1)
        qsort(w->fresh, w->nfresh, sizeof *w->fresh, by_hash);
    return true;
}

static bool next_name(void *ctx, struct db_value *param)
{
    struct writing *w = ctx;
    if (w->at == w->nfresh)
        return false;
    const struct fresh *name = &w->fresh[w->at++];
    param[0] = DB_PARAM_INT(name->hash);
    param[1] = DB_PARAM_INT(name->id);
    param[2] = DB_PARAM_INT((int64_t)name->rank);
    return true;
}

static bool run_many(struct writing *w, const char *sql, size_t nparams,
                     bool (*next)(void *ctx, struct db_value *param), struct err *err)
{
    w->at = 0;
    return db_run_many(w->record->db, sql, nparams, next, w, err);
}

/* Many go in at once: SQLite needs room for more than it keeps of a table by itself; PostgreSQL
 * goes by figures of the tables, of empty ones until it has counted anew, and then reads all of
 * them for a lookup. */
static bool make_room(const struct writing *w, bool before, struct err *err)
{
    bool postgres = db_kind(w->record->db) == DB_POSTGRES;
    if (w->all->nnames < MANY || (before ? postgres || w->from : w->nwritten < MANY))
        return true;
    return db_script(w->record->db,
                     postgres ? "ANALYZE identity; ANALYZE identity_resource"
                     : before ? "PRAGMA cache_size = -65536"
                              : "PRAGMA cache_size = -16384", /* store_sqlite.c */
                     err);
}

/* One part is whole in itself: whatever is between its two addresses is as the state has it. Before
 * the last one the store has no state's hash, so that an end in between is a beginning anew. */
static bool write_part(struct writing *w, struct err *err)
{
    struct db *db = w->record->db;
    const struct db_value known[] = {record_text(&w->arena, w->all->stack, SIZE_MAX),
                                     record_text(&w->arena, w->after, SIZE_MAX),
                                     DB_PARAM_INT(PART)};
    w->n = 0;
    if (!db_query(db,
                  "SELECT address, id, sum FROM identity_resource WHERE stack = $1 AND"
                  " address > $2 ORDER BY address LIMIT $3",
                  known, 3, take_known, w, err))
        return false;
    end_part(w);
    const struct db_value stack[] = {known[0], DB_PARAM_INT(w->upto.ptr ? 0 : w->all->state)};
    bool ok = match(w, err) && list_fresh(w, err) && make_room(w, true, err) &&
              run_many(w, "DELETE FROM identity WHERE resource = $1", 1, next_gone, err) &&
              run_many(w, "DELETE FROM identity_resource WHERE id = $1", 1, next_gone, err) &&
              run_many(w,
                       "INSERT INTO identity_resource (id, stack, address, type, cloud, account,"
                       " region, sum) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                       8, next_resource, err) &&
              run_many(w, "INSERT INTO identity (hash, resource, rank) VALUES ($1, $2, $3)", 3,
                       next_name, err) &&
              db_run(db,
                     "INSERT INTO identity_stack (stack, state) VALUES ($1, $2)"
                     " ON CONFLICT (stack) DO UPDATE SET state = excluded.state",
                     stack, 2, err);
    w->nwritten += w->nfresh;
    return ok && (w->upto.ptr || make_room(w, false, err));
}

bool record_within(struct record *record, bool (*act)(void *ctx, struct err *err), void *ctx,
                   struct err *err)
{
    bool joined = db_in_transaction(record->db);
    if (!joined && !db_begin(record->db, DB_WRITE, err))
        return false;
    if (act(ctx, err) && (joined || db_commit(record->db, err)))
        return true;
    if (!joined)
        db_rollback(record->db);
    return false;
}

static bool act_write(void *ctx, struct err *err)
{
    return write_part(ctx, err);
}

static bool write_all(struct writing *w, void (*between)(void *ctx), void *ctx, struct err *err)
{
    w->id = arena_new(&w->arena, int64_t, w->all->n);
    if (!w->id)
        return arena_full(&w->arena, err);
    for (;;) {
        if (!record_within(w->record, act_write, w, err))
            return false;
        if (!w->upto.ptr)
            return true;
        w->from = w->to;
        w->after = w->upto;
        if (between)
            between(ctx);
    }
}

bool identities_write_parts(struct record *record, const struct identities *identities,
                            void (*between)(void *ctx), void *ctx, struct err *err)
{
    struct writing w = {.record = record,
                        .all = identities,
                        .arena = {.limit = ARENA_DEFAULT_LIMIT},
                        .after = STR("")};
    if (!identities)
        return true;
    bool ok = write_all(&w, between, ctx, err);
    arena_free(&w.arena);
    return ok ||
           err_wrap(err, "keep what the resources of %.*s are called", STR_ARG(identities->stack));
}

bool identities_write(struct record *record, const struct identities *identities, struct err *err)
{
    return identities_write_parts(record, identities, NULL, NULL, err);
}

bool identities_drop(struct record *record, struct str stack, struct err *err)
{
    const struct identities none = {.stack = stack};
    return identities_write(record, &none, err);
}

/* --- asking --- */

struct hits_to {
    bool (*take)(void *ctx, const struct identity_hit *hit, struct err *err);
    void *ctx;
};

static bool take_hit(void *ctx, const struct db_row *row, struct err *err)
{
    const struct hits_to *to = ctx;
    int64_t rank = db_int(row, 1);
    const struct identity_hit hit = {.hash = db_int(row, 0),
                                     .rank = rank >= 0 && rank < IDENTITY_RANK_COUNT
                                                 ? (enum identity_rank)rank
                                                 : IDENTITY_REFERENCE,
                                     .stack = db_text(row, 2),
                                     .address = db_text(row, 3),
                                     .type = db_text(row, 4),
                                     .cloud = db_text(row, 5),
                                     .account = db_text(row, 6),
                                     .region = db_text(row, 7)};
    return to->take(to->ctx, &hit, err);
}

bool identities_find(struct record *record, const int64_t *hash, size_t n,
                     bool (*take)(void *ctx, const struct identity_hit *hit, struct err *err),
                     void *ctx, struct err *err)
{
    static const char sql[] =
        "SELECT i.hash, i.rank, r.stack, r.address, r.type, r.cloud, r.account, r.region"
        " FROM identity i JOIN identity_resource r ON r.id = i.resource WHERE i.hash IN ($1, $2,"
        " $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,"
        " $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32) ORDER BY i.rank, i.resource";
    struct hits_to to = {take, ctx};
    for (size_t at = 0; at < n; at += FIND_PARAMS) {
        struct db_value param[FIND_PARAMS];
        for (size_t i = 0; i < FIND_PARAMS; i++)
            param[i] = DB_PARAM_INT(hash[at + i < n ? at + i : n - 1]);
        if (!db_query(record->db, sql, param, FIND_PARAMS, take_hit, &to, err))
            return false;
    }
    return true;
}

struct names {
    struct arena *arena;
    int64_t *hash;
    size_t n, room;
};

static bool take_name(void *ctx, const struct db_row *row, struct err *err)
{
    struct names *names = ctx;
    int64_t *grown = arena_grow(names->arena, names->hash, names->n, &names->room, names->n + 1);
    if (!grown)
        return arena_full(names->arena, err);
    names->hash = grown;
    names->hash[names->n++] = db_int(row, 0);
    return true;
}

bool identities_of(struct record *record, struct arena *arena, struct str stack, struct str address,
                   int64_t **ret_hash, size_t *ret_n, struct err *err)
{
    struct names names = {.arena = arena};
    const struct db_value param[] = {record_text(arena, stack, SIZE_MAX),
                                     record_text(arena, address, SIZE_MAX),
                                     DB_PARAM_INT(IDENTITY_REFERENCE)};
    if (!db_query(record->db,
                  "SELECT i.hash FROM identity_resource r JOIN identity i ON i.resource = r.id"
                  " WHERE r.stack = $1 AND r.address = $2 AND i.rank < $3",
                  param, 3, take_name, &names, err))
        return false;
    *ret_hash = names.hash;
    *ret_n = names.n;
    return true;
}
