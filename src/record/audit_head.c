/* audit_head.c - the log's head, and its tiles. */
#include <inttypes.h>

#include "record/audit_head.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/db.h"

/* --- head --- */

struct head_row {
    struct arena *arena;
    struct audit_head head;
    bool found;
};

static bool take_head(void *ctx, const struct db_row *row, struct err *err)
{
    struct head_row *r = ctx;
    struct str last = db_bytes(row, 3), edge = db_bytes(row, 4);
    struct audit_head *head = &r->head;
    head->size = db_int(row, 0);
    head->kept = db_int(row, 1);
    head->origin = arena_dup(r->arena, db_text(row, 2));
    head->edge.size = (uint64_t)head->size;
    size_t want = head->size < 0 ? SIZE_MAX : merkle_range_count((uint64_t)head->size);
    if (head->kept < 0 || head->kept > head->size || edge.len != want * DIGEST_SIZE ||
        last.len != (head->size ? DIGEST_SIZE : 0))
        return err_set(err, ERR_CONFLICT, "the audit log's head was changed: `plumb audit verify`");
    if (last.len)
        memcpy(head->last.byte, last.ptr, DIGEST_SIZE);
    if (edge.len)
        memcpy(head->edge.root, edge.ptr, edge.len);
    r->found = true;
    return head->origin.ptr || arena_full(r->arena, err);
}

bool audit_head_read(struct db *db, struct arena *arena, struct audit_head *ret, struct err *err)
{
    struct head_row r = {.arena = arena};
    if (!db_query(db, "SELECT size, kept, origin, last, edge FROM audit_head WHERE id = 1", NULL, 0,
                  take_head, &r, err))
        return false;
    if (!r.found)
        return err_set(err, ERR_CONFLICT, "the audit log's head is gone: `plumb audit verify`");
    *ret = r.head;
    return true;
}

bool audit_head_write(struct db *db, const struct audit_head *head, struct err *err)
{
    size_t n = merkle_range_count(head->edge.size);
    struct db_value row[] = {
        DB_PARAM_INT(head->size),
        DB_PARAM_INT(head->kept),
        DB_PARAM_TEXT(head->origin),
        DB_PARAM_BYTES(((struct str){(const char *)head->last.byte, DIGEST_SIZE})),
        DB_PARAM_BYTES(((struct str){(const char *)head->edge.root, n * DIGEST_SIZE})),
    };
    return db_run(db,
                  "UPDATE audit_head SET size = $1, kept = $2, origin = $3, last = $4, edge = $5 "
                  "WHERE id = 1",
                  row, 5, err);
}

/* --- tiles --- */

struct audit_tile {
    int64_t n; /* -1 = none read */
    size_t width;
    struct digest hash[TILE_WIDTH];
};

struct tile_rows {
    struct hasher *hasher;
    struct audit_tile *tile;
};

static bool take_line(void *ctx, const struct db_row *row, struct err *err)
{
    struct tile_rows *r = ctx;
    if (r->tile->width == TILE_WIDTH ||
        !merkle_leaf(r->hasher, db_text(row, 0), &r->tile->hash[r->tile->width]))
        return err_set(err, ERR_LIMIT, "SHA-256 failed");
    r->tile->width++;
    return true;
}

static bool take_root(void *ctx, const struct db_row *row, struct err *err)
{
    struct tile_rows *r = ctx;
    struct str root = db_bytes(row, 0);
    if (r->tile->width == TILE_WIDTH || root.len != DIGEST_SIZE)
        return err_set(err, ERR_CONFLICT, "a tile of the audit log was changed");
    memcpy(r->tile->hash[r->tile->width++].byte, root.ptr, DIGEST_SIZE);
    return true;
}

static bool take_tile(void *ctx, const struct db_row *row, struct err *err)
{
    struct tile_rows *r = ctx;
    struct str hashes = db_bytes(row, 0);
    if (hashes.len != sizeof r->tile->hash)
        return err_set(err, ERR_CONFLICT, "a tile of the audit log was changed");
    memcpy(r->tile->hash, hashes.ptr, hashes.len);
    r->tile->width = TILE_WIDTH;
    return true;
}

/* The hashes of a tile that is not written yet, out of what is below it. */
static bool gather(struct db *db, struct hasher *hasher, unsigned level, int64_t n,
                   struct audit_tile *ret, struct err *err)
{
    struct tile_rows r = {hasher, ret};
    struct db_value at[] = {DB_PARAM_INT(n * TILE_WIDTH), DB_PARAM_INT((n + 1) * TILE_WIDTH),
                            DB_PARAM_INT((int64_t)level - 1)};
    ret->width = 0;
    ret->n = n;
    return level == 0
               ? db_query(db,
                          "SELECT line FROM audit_event WHERE seq >= $1 AND seq < $2 ORDER BY seq",
                          at, 2, take_line, &r, err)
               : db_query(db,
                          "SELECT root FROM audit_tile WHERE level = $3 AND n >= $1 AND n < $2 "
                          "ORDER BY n",
                          at, 3, take_root, &r, err);
}

static bool tile_root(struct hasher *hasher, const struct audit_tile *tile, struct digest *ret)
{
    struct merkle_range range = {.size = 0};
    for (size_t i = 0; i < tile->width; i++)
        if (!merkle_range_add(hasher, &range, &tile->hash[i]))
            return false;
    return merkle_range_root(hasher, &range, ret);
}

static bool write_tile(struct db *db, struct hasher *hasher, unsigned level, int64_t n,
                       struct audit_tile *tile, struct err *err)
{
    struct digest root;
    if (!gather(db, hasher, level, n, tile, err))
        return false;
    if (tile->width != TILE_WIDTH)
        return err_set(err, ERR_CONFLICT,
                       "the audit log lacks events of %" PRId64 " to %" PRId64
                       ": `plumb audit verify`",
                       n << (TILE_BITS * (level + 1)), ((n + 1) << (TILE_BITS * (level + 1))) - 1);
    if (!tile_root(hasher, tile, &root))
        return err_set(err, ERR_LIMIT, "SHA-256 failed");
    struct db_value row[] = {
        DB_PARAM_INT((int64_t)level),
        DB_PARAM_INT(n),
        DB_PARAM_BYTES(((struct str){(const char *)root.byte, DIGEST_SIZE})),
        DB_PARAM_BYTES(((struct str){(const char *)tile->hash, sizeof tile->hash})),
    };
    return db_run(db, "INSERT INTO audit_tile (level, n, root, hashes) VALUES ($1, $2, $3, $4)",
                  row, 4, err);
}

bool audit_tiles_write(struct db *db, struct hasher *hasher, const struct audit_head *head,
                       struct err *err)
{
    struct audit_tile *tile = malloc(sizeof *tile);
    bool ok = tile || err_set(err, ERR_LIMIT, "out of memory");
    int64_t n = head->size;
    for (unsigned level = 0; ok && level < TILE_LEVELS && n && n % TILE_WIDTH == 0; level++) {
        n /= TILE_WIDTH;
        ok = write_tile(db, hasher, level, n - 1, tile, err);
    }
    free(tile);
    return ok;
}

/* --- nodes --- */

bool audit_nodes_open(struct audit_nodes *nodes, struct db *db, int64_t size, struct err *err)
{
    struct audit_nodes made = {.db = db, .size = size, .hasher = hasher_open(err)};
    if (!made.hasher)
        return false;
    *nodes = made;
    return true;
}

void audit_nodes_close(struct audit_nodes *nodes)
{
    hasher_close(nodes->hasher);
    for (unsigned level = 0; level < TILE_LEVELS; level++)
        free(nodes->tile[level]);
    *nodes = (struct audit_nodes){0};
}

/* The tile with at least `least` hashes in it. */
static bool tile_at(struct audit_nodes *nodes, unsigned level, int64_t n, size_t least,
                    struct err *err)
{
    struct audit_tile *tile = nodes->tile[level];
    if (!tile) {
        tile = nodes->tile[level] = malloc(sizeof *tile);
        if (!tile)
            return err_set(err, ERR_LIMIT, "out of memory");
        tile->n = -1;
    }
    if (tile->n == n && tile->width >= least)
        return true;
    struct tile_rows r = {nodes->hasher, tile};
    struct db_value at[] = {DB_PARAM_INT((int64_t)level), DB_PARAM_INT(n)};
    tile->width = 0;
    tile->n = n;
    if (!db_query(nodes->db, "SELECT hashes FROM audit_tile WHERE level = $1 AND n = $2", at, 2,
                  take_tile, &r, err) ||
        (tile->width == 0 && !gather(nodes->db, nodes->hasher, level, n, tile, err)))
        return false;
    return tile->width >= least ||
           err_set(err, ERR_CONFLICT,
                   "the audit log lacks events that its tree stands on: `plumb audit verify`");
}

bool audit_node(void *ctx, unsigned level, uint64_t index, struct digest *ret, struct err *err)
{
    struct audit_nodes *nodes = ctx;
    unsigned tile_level = level / TILE_BITS, up = level % TILE_BITS;
    uint64_t first = index << up; /* in hashes of the tile's level */
    size_t at = (size_t)(first % TILE_WIDTH), width = (size_t)1 << up;
    if (tile_level >= TILE_LEVELS ||
        (index + 1) << level > (uint64_t)nodes->size) /* cannot overflow: size < 2^53 */
        return err_set(err, ERR_USAGE, "the tree of the audit log has no such node");
    if (!tile_at(nodes, tile_level, (int64_t)(first / TILE_WIDTH), at + width, err))
        return false;
    struct audit_tile part = {.n = 0, .width = width};
    memcpy(part.hash, nodes->tile[tile_level]->hash + at, width * sizeof part.hash[0]);
    return tile_root(nodes->hasher, &part, ret) || err_set(err, ERR_LIMIT, "SHA-256 failed");
}

struct tile_and_root {
    struct audit_tile tile;
    struct digest root;
    bool found;
};

static bool take_both(void *ctx, const struct db_row *row, struct err *err)
{
    struct tile_and_root *r = ctx;
    struct str hashes = db_bytes(row, 0), root = db_bytes(row, 1);
    (void)err;
    if (hashes.len == sizeof r->tile.hash && root.len == DIGEST_SIZE) {
        memcpy(r->tile.hash, hashes.ptr, hashes.len);
        memcpy(r->root.byte, root.ptr, root.len);
        r->tile.width = TILE_WIDTH;
        r->found = true;
    }
    return true;
}

/* Above level 0 a tile is the roots of those below; level 0 is held against the lines by who reads
 * them. */
static bool same_below(struct audit_nodes *nodes, unsigned level, int64_t n,
                       const struct audit_tile *tile, bool *ret, struct err *err)
{
    struct audit_tile *below = level ? malloc(sizeof *below) : NULL;
    *ret = true;
    if (level == 0)
        return true;
    bool ok = below ? gather(nodes->db, nodes->hasher, level, n, below, err)
                    : err_set(err, ERR_LIMIT, "out of memory");
    *ret =
        ok && below->width == TILE_WIDTH && memcmp(below->hash, tile->hash, sizeof tile->hash) == 0;
    free(below);
    return ok;
}

bool audit_tile_check(struct audit_nodes *nodes, unsigned level, int64_t n, bool *ret_sound,
                      struct err *err)
{
    struct db_value at[] = {DB_PARAM_INT((int64_t)level), DB_PARAM_INT(n)};
    struct digest root;
    struct tile_and_root *r = calloc(1, sizeof *r);
    bool same = false;
    bool ok =
        r ? db_query(nodes->db, "SELECT hashes, root FROM audit_tile WHERE level = $1 AND n = $2",
                     at, 2, take_both, r, err)
          : err_set(err, ERR_LIMIT, "out of memory");
    if (ok && !r->found)
        ok = err_set(err, ERR_CONFLICT, "it is gone, or cut off");
    ok = ok && same_below(nodes, level, n, &r->tile, &same, err);
    if (ok && !tile_root(nodes->hasher, &r->tile, &root))
        ok = err_set(err, ERR_LIMIT, "SHA-256 failed");
    if (ok)
        *ret_sound = same && digest_equal(&root, &r->root);
    free(r);
    return ok;
}
