/* db_parts.h - what db.c and the two stores behind it share. */
#pragma once
#include "record/db.h"

/* Statements that stay prepared. Past it the one that was prepared first makes room. */
enum { DB_STATEMENTS_MAX = 128, DB_PARAMS_MAX = 64, DB_TIMEOUT_MS = 10000 };

struct db_statement {
    uint64_t hash;
    char *sql;
    void *handle;               /* SQLite: the statement */
    unsigned number;            /* PostgreSQL: its name's */
    short index[DB_PARAMS_MAX]; /* SQLite: where $1, $2 ... are bound; 0 = it is not in the text */
};

struct db_ops {
    void (*close)(struct db *db);
    bool (*begin)(struct db *db, enum db_mode mode, struct err *err);
    bool (*commit)(struct db *db, struct err *err);
    void (*rollback)(struct db *db);
    bool (*run)(struct db *db, const char *sql, const struct db_value *param, size_t nparams,
                struct err *err);
    bool (*script)(struct db *db, const char *sql, struct err *err);
    bool (*query)(struct db *db, const char *sql, const struct db_value *param, size_t nparams,
                  bool (*row)(void *ctx, const struct db_row *row, struct err *err), void *ctx,
                  struct err *err);
    bool (*run_many)(struct db *db, const char *sql, size_t nparams,
                     bool (*next)(void *ctx, struct db_value *param), void *ctx, struct err *err);
    /* NULL: it has none */
    bool (*listen)(struct db *db, const char *channel, struct err *err);
    bool (*wait)(struct db *db, int fd, int timeout_ms, enum db_told *ret_told, struct err *err);
    bool (*sync)(struct db *db, struct err *err); /* NULL: there is nothing to do */
    void (*forget)(struct db *db, struct db_statement *statement); /* its handle */
    struct db_value (*column)(const struct db_row *row, size_t column);
};

/* The head of each store's own struct. */
struct db {
    const struct db_ops *ops;
    enum db_kind kind;
    struct str shown; /* heap */
    struct db_options options;
    bool in_transaction;
    int64_t changed;
    struct db_statement statement[DB_STATEMENTS_MAX];
    size_t nstatements, oldest;
    unsigned prepared; /* so far: names are not used twice */
};

struct db_row {
    struct db *db;
    void *result; /* PostgreSQL: a PGresult; SQLite: the statement */
    size_t columns;
};

bool db_sqlite_open(struct db **ret, struct str path, const struct db_options *options,
                    struct err *err);
bool db_postgres_open(struct db **ret, struct str url, const struct db_options *options,
                      struct err *err);

/* A copy on the heap, NUL behind it; ptr NULL: no memory. */
char *db_copy(struct str text);
/* The prepared one of that text, or NULL. */
struct db_statement *db_statement_find(struct db *db, const char *sql);
/* A row for a new one, filled but for its handle; NULL: no memory. */
struct db_statement *db_statement_add(struct db *db, const char *sql);
/* All of them, as after a connection that was lost. */
void db_statements_clear(struct db *db);
/* Is every text what db.h promises? */
bool db_params_good(const struct db_value *param, size_t nparams, struct err *err);
