/* db.h - one SQL database, SQLite or PostgreSQL, behind one set of calls.
 *
 * SQL:     the common part of both (SQLite 3.37, PostgreSQL 13): parameters are $1, $2 ...; types
 *          BIGINT, TEXT, BYTEA (db_type_bytes) only; ON CONFLICT yes, RETURNING no. A sum() or a
 *          parameter whose type nothing around it tells is CAST(... AS BIGINT)
 * Owner:   one struct db is one connection and belongs to one thread at a time
 * Durable: a commit that returned true survives kill -9 and loss of power
 *          (SQLite: WAL, synchronous=FULL; PostgreSQL: synchronous_commit=on); see `later` for
 *          those that nobody waits for
 * Errors:  ERR_UNAVAILABLE no server, connection lost; ERR_TIMEOUT locked by another for too long;
 *          ERR_LIMIT disk full, too big; ERR_CONFLICT a constraint, or a schema newer than this
 *          plumb; ERR_IO read-only, permission, the disk; ERR_SYNTAX what is there is no database
 * of plumb's, or damaged; ERR_REMOTE whatever else the server says. After any failure within a
 * transaction only db_rollback is of use. A commit that failed with ERR_UNAVAILABLE may have
 * happened: who writes must be able to write it again. Secrets: the URL's password is in no error
 * and no log (db_shown)
 */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;
struct db;
struct db_row;

enum db_kind { DB_SQLITE, DB_POSTGRES };
enum db_mode { DB_READ, DB_WRITE };

struct db_options {
    bool read_only; /* writes fail; a file that is not there is an error, never made */
    bool there;     /* it was there before: where it is not any more, none is made in its place */
    int timeout_ms; /* to connect, and to wait for a lock; 0 = 10,000 */
    /*
     * SQLite: a commit survives loss of power as soon as one behind it does, of a connection
     * without this, or after db_sync(). No commit is lost without all behind it, and kill -9 loses
     * none. For what is done again if it is lost, and that nobody outside is told of before.
     */
    bool later;
    /* Whose turn it is to write, among connections of one process to one file: they wait for it in
     * a queue, where for SQLite's lock they would sleep and ask again. It outlives them; NULL =
     * none
     */
    pthread_mutex_t *turn;
};

enum db_value_kind { DB_NULL, DB_INT, DB_TEXT, DB_BYTES };
struct db_value {
    enum db_value_kind kind;
    int64_t integer;
    struct str text; /* of DB_TEXT (UTF-8) and DB_BYTES; ptr NULL with DB_TEXT is NULL */
};
#define DB_PARAM_INT(i) ((struct db_value){.kind = DB_INT, .integer = (i)})
#define DB_PARAM_TEXT(s) ((struct db_value){.kind = DB_TEXT, .text = (s)})
#define DB_PARAM_BYTES(s) ((struct db_value){.kind = DB_BYTES, .text = (s)})
#define DB_PARAM_NULL ((struct db_value){.kind = DB_NULL})

/*
 * url  "sqlite:PATH" (the file is made, mode 0600, with its folder), "sqlite::memory:",
 *      "postgres://..." or "postgresql://..." (libpq's own connection string, loaded with dlopen)
 * Sets the connection up; the schema is schema.h's business.
 */
bool db_open(struct db **ret, struct str url, const struct db_options *options, struct err *err);
void db_close(struct db *db); /* rolls back what is open; NULL is fine */
enum db_kind db_kind(const struct db *db);
/* The URL without its password, for people. */
struct str db_shown(const struct db *db);
/* "BYTEA" or "BLOB" */
const char *db_type_bytes(const struct db *db);

/* DB_WRITE takes the one write lock of the store at once (BEGIN IMMEDIATE; an advisory lock), so
 * that it cannot be lost half-way and what is read then is the newest. DB_READ sees one moment. */
bool db_begin(struct db *db, enum db_mode mode, struct err *err);
bool db_commit(struct db *db, struct err *err);
void db_rollback(struct db *db); /* also after a failure; nothing open is fine */
bool db_in_transaction(const struct db *db);

/* All that is committed survives loss of power, that of connections with `later` included. Within a
 * transaction that writes nobody commits any more behind it. */
bool db_sync(struct db *db, struct err *err);

/* One statement without rows. Statements are prepared once per connection and text. */
bool db_run(struct db *db, const char *sql, const struct db_value *param, size_t nparams,
            struct err *err);
/* Rows that the last db_run changed. */
int64_t db_changed(const struct db *db);
/* Several statements apart by ';', without parameters. On PostgreSQL all or none. */
bool db_script(struct db *db, const char *sql, struct err *err);

/* `row` is called for each row, as it comes; false from it (with err set) ends the query with
 * false. No other call on the same db within it. */
bool db_query(struct db *db, const char *sql, const struct db_value *param, size_t nparams,
              bool (*row)(void *ctx, const struct db_row *row, struct err *err), void *ctx,
              struct err *err);
/* Columns count from 0. Views live until the callback returns; another kind gives 0 or empty. */
int64_t db_int(const struct db_row *row, size_t column);
struct str db_text(const struct db_row *row, size_t column);
struct str db_bytes(const struct db_row *row, size_t column);
bool db_is_null(const struct db_row *row, size_t column);

/* The first row's first column: false also where there is no row or it is NULL (ERR_NONE then). */
bool db_one_int(struct db *db, const char *sql, const struct db_value *param, size_t nparams,
                int64_t *ret, struct err *err);
bool db_one_text(struct db *db, struct arena *arena, const char *sql, const struct db_value *param,
                 size_t nparams, struct str *ret, struct err *err);

/* Many rows of one statement in one call, in a transaction that is open: pipelined where the server
 * can. `next` fills nparams values and says false at the end. */
bool db_run_many(struct db *db, const char *sql, size_t nparams,
                 bool (*next)(void *ctx, struct db_value *param), void *ctx, struct err *err);

/* --- what others say --- */

/* From here on db_wait is told of NOTIFY on that channel (a plain word). ERR_UNSUPPORTED: SQLite
 * has none. This connection is for nothing else. */
bool db_listen(struct db *db, const char *channel, struct err *err);
/* What was said: nothing; things with a word behind them only (NOTIFY channel, 'word'), which
 * concern fewer; anything else. */
enum db_told { DB_TOLD_NOTHING, DB_TOLD_WORD, DB_TOLD };
/* Until somebody said something (*ret_told), `fd` is readable (-1: none), or timeout_ms passed. A
 * connection that was lost is an error: what was said meanwhile is lost too. */
bool db_wait(struct db *db, int fd, int timeout_ms, enum db_told *ret_told, struct err *err);
