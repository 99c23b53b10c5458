/* audit_store_check.c - the log as the store has it: lines, tiles, head, checkpoints, all of them.
 */
#include "record/audit_store_check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "record/audit_ahead.h"
#include "record/audit_checkpoint.h"
#include "record/audit_head.h"
#include "record/audit_key.h"
#include "record/record.h"
#include "wire/json.h"

struct walk {
    struct record *record;
    struct arena *arena;
    const struct audit_check_options *options;
    struct audit_check *ret;
    struct audit_head head;
    struct audit_verify v;
    struct audit_sealed *sealed;
    size_t nsealed, room;
    struct digest tile[TILE_WIDTH];
    int64_t tile_n, ntiles; /* the tile that is loaded; whole ones there are */
    struct audit_ahead *ahead;
    int64_t announced;              /* what the newest log.retention says was taken out */
    struct db *tiles;               /* a second connection: the first is busy giving lines */
    struct str beside_path, beside; /* the checkpoint beside the key; or empty */
    bool beside_hidden;             /* it is there, and not for us to read */
};

#define FAULT(w, ...) audit_fault_add(&(w)->ret->faults, -1, __VA_ARGS__)

/* --- checkpoints --- */

static bool add_sealed(struct walk *w, struct str note, const char *where, struct err *err)
{
    struct audit_sealed s;
    struct err why = {0};
    char text[ERR_TEXT_MAX];
    if (!audit_sealed_read(w->arena, note, &s, &why)) {
        FAULT(w, "%s: %s", where, err_text(&why, text, sizeof text));
        return true;
    }
    if (s.checkpoint.size > (uint64_t)w->head.size)
        FAULT(w, "%s: %llu events were signed, and the log has %lld: events %lld to %llu are gone",
              where, (unsigned long long)s.checkpoint.size, (long long)w->head.size,
              (long long)w->head.size, (unsigned long long)s.checkpoint.size - 1);
    struct audit_sealed *room =
        arena_grow(w->arena, w->sealed, w->nsealed, &w->room, w->nsealed + 1);
    if (!room)
        return arena_full(w->arena, err);
    w->sealed = room;
    size_t at = w->nsealed++;
    for (; at > 0 && w->sealed[at - 1].checkpoint.size > s.checkpoint.size; at--)
        w->sealed[at] = w->sealed[at - 1];
    w->sealed[at] = s;
    return true;
}

static bool take_checkpoint(void *ctx, const struct db_row *row, struct err *err)
{
    struct walk *w = ctx;
    struct str note = arena_dup(w->arena, db_text(row, 1));
    char where[64];
    (void)snprintf(where, sizeof where, "the store's checkpoint of %lld events",
                   (long long)db_int(row, 0));
    return note.ptr ? add_sealed(w, note, where, err) : arena_full(w->arena, err);
}

/* What was signed was in the log by then: read before the log is, it is within what is read. */
static bool read_beside(struct walk *w, struct err *err)
{
    struct str key;
    if (!audit_key_path(w->record, w->arena, &key, err))
        return false;
    w->beside_path = key.len ? arena_printf(w->arena, "%.*s.signed", STR_ARG(key)) : key;
    if (key.len && !w->beside_path.ptr)
        return arena_full(w->arena, err);
    /* who may read the store need not be who signs */
    w->beside_hidden =
        key.len && access(w->beside_path.ptr, R_OK) != 0 && (errno == EACCES || errno == EPERM);
    return !key.len || w->beside_hidden || !io_exists(w->beside_path.ptr) ||
           io_read_file(w->arena, w->beside_path.ptr, NOTE_BYTES_MAX, &w->beside, err);
}

/* The store's, the one kept beside the key, and those that the reader brings. */
static bool list_checkpoints(struct walk *w, struct err *err)
{
    if (!db_query(w->record->db, "SELECT size, note FROM audit_checkpoint ORDER BY size", NULL, 0,
                  take_checkpoint, w, err) ||
        (w->beside.ptr && !add_sealed(w, w->beside, w->beside_path.ptr, err)))
        return false;
    for (size_t i = 0; i < w->options->nformer; i++)
        if (!add_sealed(w, w->options->former[i], "--checkpoint", err))
            return false;
    return true;
}

/* --- lines --- */

static bool take_hashes(void *ctx, const struct db_row *row, struct err *err)
{
    struct walk *w = ctx;
    struct str hashes = db_bytes(row, 0);
    (void)err;
    if (hashes.len == sizeof w->tile)
        memcpy(w->tile, hashes.ptr, sizeof w->tile);
    else
        w->tile_n = -1;
    return true;
}

/* What the tree has for that event; NULL where no whole tile stands over it. */
static const struct digest *known_leaf(struct walk *w, int64_t seq, struct err *err)
{
    int64_t n = seq / TILE_WIDTH;
    struct db_value at = DB_PARAM_INT(n);
    if (n >= w->ntiles)
        return NULL;
    if (w->tile_n != n) {
        w->tile_n = n;
        memset(w->tile, 0, sizeof w->tile);
        if (!db_query(w->tiles, "SELECT hashes FROM audit_tile WHERE level = 0 AND n = $1", &at, 1,
                      take_hashes, w, err))
            return NULL;
    }
    return w->tile_n == n ? &w->tile[seq % TILE_WIDTH] : NULL;
}

static void note_retention(struct walk *w, const struct audit_line *line)
{
    struct value detail;
    int64_t kept;
    if (str_equal(line->type, STR("log.retention")) && line->detail.len &&
        json_parse(w->arena, line->detail, "detail", JSON_COPY, &detail, NULL) &&
        value_get(&detail, STR("kept")) && value_to_int64(value_get(&detail, STR("kept")), &kept) &&
        kept > w->announced)
        w->announced = kept;
}

/* The columns that lists are filtered by say what the line says. */
static void check_columns(struct walk *w, const struct audit_row *row)
{
    const struct audit_line *read = &row->read.line;
    if (!row->read.readable)
        return;
    note_retention(w, read);
    bool plain = !memchr(row->line.ptr, '\\', row->line.len);
    if (read->seq != row->seq)
        audit_fault_add(&w->ret->faults, row->seq, "its row has another number than its line");
    else if (read->utc_ms != row->utc_ms || !str_equal(read->type, row->type) ||
             (plain &&
              (!str_equal(read->stack, row->stack) || !str_equal(read->actor, row->actor))))
        audit_fault_add(&w->ret->faults, row->seq,
                        "its row is filed under another time, type, stack or actor than its line");
}

static bool take_row(void *ctx, const struct audit_row *row, struct err *err)
{
    struct walk *w = ctx;
    struct err lost = {0};
    const struct digest *known = known_leaf(w, row->seq, &lost);
    check_columns(w, row);
    return audit_verify_next(&w->v, &row->read, known, err);
}

static bool take_line(void *ctx, const struct db_row *row, struct err *err)
{
    struct walk *w = ctx;
    const struct audit_row copy = {.seq = db_int(row, 0),
                                   .line = db_text(row, 1),
                                   .utc_ms = db_int(row, 2),
                                   .type = db_text(row, 3),
                                   .stack = db_text(row, 4),
                                   .actor = db_text(row, 5)};
    return audit_ahead_add(w->ahead, &copy, err);
}

/* Events of the log's own keys that stay when those around them are taken out. */
static bool take_early(void *ctx, const struct db_row *row, struct err *err)
{
    struct walk *w = ctx;
    struct audit_line line;
    struct digest leaf;
    struct err lost = {0};
    struct str text = arena_dup(w->arena, db_text(row, 1));
    if (!text.ptr)
        return arena_full(w->arena, err);
    const struct digest *known = known_leaf(w, db_int(row, 0), &lost);
    if (!audit_line_read(text, &line, NULL) || !known || !merkle_leaf(w->v.hasher, text, &leaf) ||
        !digest_equal(&leaf, known))
        audit_fault_add(&w->ret->faults, db_int(row, 0),
                        "was changed: it is not what the tree has");
    else if (!str_equal(line.type, STR("log.start")) && !str_equal(line.type, STR("log.key")))
        audit_fault_add(&w->ret->faults, db_int(row, 0),
                        "is there, and the log's head says that it was taken out");
    else
        audit_verify_key_event(&w->v, &line);
    return true;
}

/* --- what the store keeps of the tree --- */

/* Tiles are what the lines say, or what the tiles below say. */
static bool check_tiles(struct walk *w, struct err *err)
{
    struct audit_nodes nodes;
    if (!audit_nodes_open(&nodes, w->record->db, w->head.size, err))
        return false;
    bool ok = true;
    for (unsigned level = 0; ok && level < TILE_LEVELS; level++) {
        int64_t n = w->head.size >> (TILE_BITS * (level + 1));
        for (int64_t i = 0; ok && i < n; i++) {
            struct err why = {0};
            char text[ERR_TEXT_MAX];
            bool sound = false;
            ok = audit_tile_check(&nodes, level, i, &sound, &why) || why.kind == ERR_CONFLICT;
            if (!ok)
                *err = why;
            else if (why.kind == ERR_CONFLICT)
                FAULT(w, "tile %lld of level %u: %s", (long long)i, level,
                      err_text(&why, text, sizeof text));
            else if (!sound)
                FAULT(w,
                      "tile %lld of level %u (events %lld to %lld): its root is not that of its "
                      "hashes, or not what stands above it",
                      (long long)i, level, (long long)(i << (TILE_BITS * (level + 1))),
                      (long long)((i + 1) << (TILE_BITS * (level + 1))) - 1);
        }
    }
    audit_nodes_close(&nodes);
    return ok;
}

static void check_head(struct walk *w)
{
    size_t n = merkle_range_count(w->v.range.size);
    bool same = w->v.range.size == w->head.edge.size &&
                memcmp(w->v.range.root, w->head.edge.root, n * sizeof(struct digest)) == 0;
    if (w->v.expected > w->head.size)
        audit_fault_add(&w->ret->faults, w->head.size,
                        "stands behind the end of the log, which has %lld events",
                        (long long)w->head.size);
    else if (!same && w->ret->faults.n == 0)
        FAULT(w, "the tree in the log's head is not that of its events");
}

/* --- all of it --- */

static bool begin(struct walk *w, struct err *err)
{
    struct merkle_range edge = {.size = 0};
    struct audit_nodes nodes;
    w->v.arena = w->arena;
    w->v.faults = &w->ret->faults;
    w->v.warnings = &w->ret->warnings;
    w->v.origin = w->head.origin;
    w->v.sealed = w->sealed;
    w->v.nsealed = w->nsealed;
    w->v.pinned = w->options->pinned;
    w->v.until = w->head.size;
    w->ntiles = w->head.size / TILE_WIDTH;
    w->tile_n = -1;
    if (!audit_nodes_open(&nodes, w->record->db, w->head.size, err))
        return false;
    const struct merkle_source source = {audit_node, &nodes};
    bool ok = w->head.kept == 0 || merkle_range_at(&source, (uint64_t)w->head.kept, &edge, err);
    audit_nodes_close(&nodes);
    audit_verify_begin(&w->v, &edge);
    while (w->v.next_sealed < w->nsealed && w->sealed[w->v.next_sealed].checkpoint.size < edge.size)
        w->v.next_sealed++; /* of events that were taken out: check_old */
    return ok;
}

/* Checkpoints of events that were taken out: by the tree's hashes, which stay. */
static bool check_old(struct walk *w, struct err *err)
{
    struct audit_nodes nodes;
    if (!audit_nodes_open(&nodes, w->record->db, w->head.size, err))
        return false;
    const struct merkle_source source = {audit_node, &nodes};
    bool ok = true;
    for (size_t i = 0; ok && i < w->nsealed; i++) {
        struct digest root;
        const struct audit_sealed *s = &w->sealed[i];
        if (s->checkpoint.size >= (uint64_t)w->head.kept || s->checkpoint.size == 0)
            continue;
        ok = merkle_root(nodes.hasher, &source, s->checkpoint.size, &root, err);
        if (!ok || !audit_verify_note(&w->v, s))
            continue;
        if (digest_equal(&root, &s->checkpoint.root))
            w->v.checkpoints++;
        else
            FAULT(w, "the tree's hashes of the first %llu events are not those that were signed",
                  (unsigned long long)s->checkpoint.size);
    }
    audit_nodes_close(&nodes);
    return ok;
}

static bool walk_lines(struct walk *w, struct err *err)
{
    struct db_value kept = DB_PARAM_INT(w->head.kept);
    return db_query(w->record->db, "SELECT seq, line FROM audit_event WHERE seq < $1 ORDER BY seq",
                    &kept, 1, take_early, w, err) &&
           db_query(w->record->db,
                    "SELECT seq, line, utc_ms, type, stack, actor FROM audit_event WHERE seq >= $1 "
                    "ORDER BY seq",
                    &kept, 1, take_line, w, err) &&
           audit_ahead_end(w->ahead, err) &&
           audit_verify_end(&w->v, w->head.size ? &w->head.last : NULL, err);
}

static void finish(struct walk *w)
{
    struct audit_check *ret = w->ret;
    ret->first = w->head.kept;
    ret->last = w->v.expected - 1;
    ret->checkpoints = w->v.checkpoints;
    ret->origin = w->v.origin;
    if (w->v.nkeys)
        ret->key = w->v.key[w->v.nkeys - 1].key;
    if (w->nsealed)
        ret->seal = w->sealed[w->nsealed - 1].checkpoint;
    if (w->beside_hidden)
        audit_fault_add(&ret->warnings, -1,
                        "%s cannot be read: whether all that was signed is here, it would tell",
                        w->beside_path.ptr);
    if (w->head.size && !w->nsealed)
        audit_fault_add(&ret->warnings, -1,
                        "no checkpoint was ever signed: only the chain speaks for these events");
}

static bool run(struct walk *w, struct err *err)
{
    if (!audit_head_read(w->record->db, w->arena, &w->head, err)) {
        if (err->kind != ERR_CONFLICT)
            return false;
        *err = (struct err){0};
        FAULT(w, "the log's head was changed or is gone");
        return true;
    }
    if (!list_checkpoints(w, err) || !begin(w, err) || !walk_lines(w, err) || !check_old(w, err) ||
        !check_tiles(w, err))
        return false;
    if (w->head.kept != w->announced)
        FAULT(w,
              "events before %lld are said to have been taken out, and the log's own events say "
              "%lld",
              (long long)w->head.kept, (long long)w->announced);
    check_head(w);
    finish(w);
    return true;
}

bool audit_store_check(struct record *record, struct arena *arena,
                       const struct audit_check_options *options, struct audit_check *ret,
                       struct err *err)
{
    struct walk w = {.record = record, .arena = arena, .options = options, .ret = ret};
    struct db_options how = {.read_only = true};
    *ret = (struct audit_check){.first = 0, .last = -1};
    ret->faults.arena = ret->warnings.arena = arena;
    w.v.hasher = hasher_open(err);
    /* All of it as it was at one moment: others go on writing. Whole tiles never change. */
    bool ok = w.v.hasher && audit_ahead_open(&w.ahead, take_row, &w, err) && read_beside(&w, err) &&
              db_open(&w.tiles, record->url, &how, err) && db_begin(record->db, DB_READ, err) &&
              run(&w, err);
    db_rollback(record->db);
    db_close(w.tiles);
    audit_ahead_close(w.ahead);
    hasher_close(w.v.hasher);
    return ok;
}
