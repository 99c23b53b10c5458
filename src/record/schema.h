/* schema.h - the tables of the store, and how an older store becomes one of this plumb.
 *
 * Rules:   a migration is never edited once it is released; a change is one more row at the end of
 *          the table in schema.c. Each is applied in one transaction, under the store's write lock
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct err;

/* Versions count from 1: the row's place in the table. */
struct migration {
    const char *name; /* "runs and findings" */
    const char *sql;  /* statements apart by ';'; BYTEA becomes the store's own type for bytes */
};
const struct migration *schema_migrations(size_t *ret_n);

/*
 * Bring the store to the newest version; nothing to do is fine.
 * ret_applied  how many were, may be NULL
 * Fails with ERR_CONFLICT where the store is newer than this plumb, ERR_SYNTAX where the file holds
 * somebody else's tables.
 */
bool schema_migrate(struct db *db, int64_t now_utc_ms, size_t *ret_applied, struct err *err);
/* 0 = no table yet. */
bool schema_version(struct db *db, int64_t *ret, struct err *err);
/* For a store that is only read: ERR_CONFLICT where it is older or newer than this plumb. */
bool schema_require(struct db *db, struct err *err);
