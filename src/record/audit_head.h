/* audit_head.h - where the log stands, and the nodes of its tree as the store keeps them.
 *
 * Shape:   256 hashes of one level make a tile, written when they are complete; the hashes behind
 *          the last whole tile follow from the lines (level 0) or from the roots of the tiles below
 * Cost:    a node is one or two reads of the store, whatever the log's size; see audit_nodes
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/str.h"
#include "record/tree.h"

struct arena;
struct db;
struct err;

enum { TILE_BITS = 8, TILE_WIDTH = 1 << TILE_BITS, TILE_LEVELS = 7 };

struct audit_head {
    int64_t size, kept;       /* events; the first that the store still has */
    struct str origin;        /* in the arena; empty = the log has not begun */
    struct digest last;       /* of the last line */
    struct merkle_range edge; /* over all events */
};

/* ERR_CONFLICT where the row contradicts itself. */
bool audit_head_read(struct db *db, struct arena *arena, struct audit_head *ret, struct err *err);
bool audit_head_write(struct db *db, const struct audit_head *head, struct err *err);
/* The tiles that became whole with the event before `head->size`; its line is in the store. */
bool audit_tiles_write(struct db *db, struct hasher *hasher, const struct audit_head *head,
                       struct err *err);

/* A struct merkle_source over the store: .node = audit_node, .ctx = struct audit_nodes. The last
 * tile that was read at each level is kept. */
struct audit_nodes {
    struct db *db;
    struct hasher *hasher;
    struct audit_tile *tile[TILE_LEVELS];
    int64_t size; /* of the log: nothing behind it is asked for */
};
bool audit_nodes_open(struct audit_nodes *nodes, struct db *db, int64_t size, struct err *err);
void audit_nodes_close(struct audit_nodes *nodes); /* zeroed is fine */
bool audit_node(void *ctx, unsigned level, uint64_t index, struct digest *ret, struct err *err);

/* Is a whole tile what is below it (its roots, for levels above 0), and its root that of its
 * hashes, and is it what the tile above has for it? ERR_CONFLICT where it is not there. */
bool audit_tile_check(struct audit_nodes *nodes, unsigned level, int64_t n, bool *ret_sound,
                      struct err *err);
