/* states.h - states of stacks, every version of them, and who holds the lock; in the store.
 *
 * Shape:   a state is bytes as they came (never serialised anew), gzip'd, in parts of 1 MiB
 * Order:   everything that changes happens within the caller's DB_WRITE transaction, with its event
 * Errors:  db.h; ERR_LIMIT for what is larger than STATE_BYTES_MAX; ERR_CONFLICT where the stored
 *          bytes do not have the digest that they were stored with
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/str.h"

struct arena;
struct db;
struct err;

enum { STATE_BYTES_MAX = 256 << 20, STATE_NAME_MAX = 400, STATE_LISTED_MAX = 100000 };

struct state_lock {
    struct str id;   /* empty = not locked */
    struct str info; /* the LockInfo as it came */
    struct str kind; /* "plan", "write", "hold" */
    int64_t token;   /* whose; 0 = none was asked for */
    struct str name; /* of the token, or who typed the command */
    int64_t taken_utc_ms;
};
struct state_row {
    struct str stack;
    bool known;       /* is there a row? */
    int64_t version;  /* the current one; 0 = no state there */
    int64_t versions; /* so far: the last number that was given */
    struct str lineage;
    int64_t serial;
    struct state_lock lock;
    struct str lock_last; /* id of the lock given back last */
};
struct state_version {
    int64_t version, serial, utc_ms, size, packed; /* bytes, bytes in the store */
    struct str lineage, actor, lock_id;
    struct digest digest; /* of the bytes */
};

/* A name that a path and a terminal can hold: 1 to STATE_NAME_MAX bytes of printable UTF-8, no
 * empty, "." or ".." between slashes. */
bool state_name_good(struct str stack);

/* gzip and back; `ret` must have a limit. */
bool state_pack(struct str raw, struct buf *ret, struct err *err);
bool state_unpack(struct str packed, struct buf *ret, struct err *err);

/* A stack that nobody wrote or locked yet: known is false, all else empty. */
bool states_get(struct arena *arena, struct db *db, struct str stack, struct state_row *ret,
                struct err *err);
/* Every stack that has a state or a lock, by name. */
bool states_list(struct arena *arena, struct db *db, struct state_row **ret, size_t *ret_n,
                 struct err *err);
/* Newest first. */
bool states_versions(struct arena *arena, struct db *db, struct str stack,
                     struct state_version **ret, size_t *ret_n, struct err *err);
/* The bytes of a version, checked against their digest. ERR_USAGE: there is none of that number. */
bool states_read(struct arena *arena, struct db *db, struct str stack, int64_t version,
                 struct buf *ret, struct state_version *ret_version, struct err *err);

/* --- within an open DB_WRITE transaction --- */

/* lock->id empty: given back; then lock_last remembers which it was. */
bool states_set_lock(struct db *db, const struct state_row *row, const struct state_lock *lock,
                     struct err *err);
/* The next version becomes the current one. In: all but version; version->version is filled. */
bool states_write(struct db *db, const struct state_row *row, struct state_version *version,
                  struct str packed, struct err *err);
/* No state from here on; its versions stay. */
bool states_delete(struct db *db, const struct state_row *row, struct err *err);
/* Versions beyond the newest `keep` (0 = all are kept) go, never the current one. */
bool states_prune(struct db *db, const struct state_row *row, int64_t keep, struct err *err);
