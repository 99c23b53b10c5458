/* record.h - the store as everybody takes it: its database, its key, a clock.
 *
 * Start:   record_open makes or migrates the store; record_close ends it
 * Thread:  one record, one thread (db.h)
 * Key:     what digests of secret values are keyed with (HMAC-SHA-256), so that nobody can guess a
 *          secret from the store. 32 random bytes in a file of mode 0600 beside the SQLite file
 *          (plumb.db.key), made on first use; or what PLUMB_KEY names: file:PATH, env:NAME, or the
 *          key itself. PostgreSQL has no place beside it: there PLUMB_KEY must be set
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "record/db.h"

struct arena;
struct audit_options;
struct err;

struct record_options {
    struct str url;                       /* db.h; a relative path is relative to where we are */
    bool read_only;                       /* never makes, migrates or writes */
    bool there;                           /* never makes it: it was there before */
    bool later;                           /* db.h */
    int timeout_ms;                       /* 0 = 10,000 */
    pthread_mutex_t *turn;                /* db.h */
    const char *(*env)(const char *name); /* for PLUMB_KEY; NULL = no environment */
    int64_t (*now_ms)(void *clock);       /* NULL = the system's */
    void *clock;
    const struct audit_options
        *audit; /* audit.h; outlives the record; NULL = as without `audit:` */
};

struct record {
    struct db *db;
    struct str url; /* never shown: db_shown(db) */
    struct str key; /* empty until record_key was asked */
    const char *(*env)(const char *name);
    int64_t (*now_ms)(void *clock);
    void *clock;
    const struct audit_options *audit; /* never NULL */
    bool read_only;
    struct arena *arena;
};

/* Lives as long as `arena`; close it before. */
bool record_open(struct arena *arena, const struct record_options *options, struct record *ret,
                 struct err *err);
void record_close(struct record *record); /* zeroed is fine */
int64_t record_now(const struct record *record);
/* The key, made where there is none yet; the same bytes for as long as the record is open.
 * ERR_CONFLICT where it is not the key that this store was written with. Outside a transaction. */
bool record_key(struct record *record, struct str *ret, struct err *err);
