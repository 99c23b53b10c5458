/* db.c - which store a URL names, what both have in common, and the calls that go to either. */
#include "record/db.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/utf8.h"
#include "record/db_parts.h"

bool db_open(struct db **ret, struct str url, const struct db_options *options, struct err *err)
{
    struct str path = url, scheme;
    if (utf8_bad_at(url) != SIZE_MAX || memchr(url.ptr ? url.ptr : "", '\0', url.len))
        return err_set(err, ERR_USAGE, "the store's URL is not text");
    if (str_starts(url, STR("postgres://")) || str_starts(url, STR("postgresql://")))
        return db_postgres_open(ret, url, options, err);
    if (str_cut(&path, ':', &scheme) && str_equal(scheme, STR("sqlite")) && path.len)
        return db_sqlite_open(ret, path, options, err);
    /* Not repeated: a URL that is a little wrong may hold a password. */
    return err_set(err, ERR_USAGE, "the store is neither sqlite:PATH nor postgres://HOST/DATABASE");
}

void db_close(struct db *db)
{
    if (!db)
        return;
    if (db->in_transaction)
        db_rollback(db);
    db_statements_clear(db);
    char *shown = NULL;
    memcpy(&shown, &db->shown.ptr, sizeof shown); /* ours, const only to others */
    db->ops->close(db);
    free(shown);
}

enum db_kind db_kind(const struct db *db)
{
    return db->kind;
}

struct str db_shown(const struct db *db)
{
    return db->shown;
}

const char *db_type_bytes(const struct db *db)
{
    return db->kind == DB_POSTGRES ? "BYTEA" : "BLOB";
}

/* --- transactions --- */

bool db_begin(struct db *db, enum db_mode mode, struct err *err)
{
    if (db->in_transaction)
        return err_set(err, ERR_CONFLICT, "%.*s: a transaction is open already",
                       STR_ARG(db->shown));
    if (!db->ops->begin(db, mode, err))
        return false;
    db->in_transaction = true;
    return true;
}

bool db_commit(struct db *db, struct err *err)
{
    if (!db->in_transaction)
        return err_set(err, ERR_CONFLICT, "%.*s: no transaction is open", STR_ARG(db->shown));
    if (!db->ops->commit(db, err))
        return false;
    db->in_transaction = false;
    return true;
}

void db_rollback(struct db *db)
{
    if (!db->in_transaction)
        return;
    db->ops->rollback(db);
    db->in_transaction = false;
}

bool db_in_transaction(const struct db *db)
{
    return db->in_transaction;
}

/* --- statements --- */

bool db_params_good(const struct db_value *param, size_t nparams, struct err *err)
{
    if (nparams > DB_PARAMS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d parameters", DB_PARAMS_MAX);
    for (size_t i = 0; i < nparams; i++) {
        struct str text = param[i].text;
        if (param[i].kind != DB_TEXT || !text.len)
            continue;
        size_t bad = utf8_bad_at(text);
        if (bad != SIZE_MAX || memchr(text.ptr, '\0', text.len))
            return err_set(
                err, ERR_SYNTAX,
                "a text of %zu bytes is not UTF-8 or has a NUL byte and cannot be stored",
                text.len);
    }
    return true;
}

bool db_run(struct db *db, const char *sql, const struct db_value *param, size_t nparams,
            struct err *err)
{
    return db_params_good(param, nparams, err) && db->ops->run(db, sql, param, nparams, err);
}

int64_t db_changed(const struct db *db)
{
    return db->changed;
}

bool db_script(struct db *db, const char *sql, struct err *err)
{
    return db->ops->script(db, sql, err);
}

bool db_query(struct db *db, const char *sql, const struct db_value *param, size_t nparams,
              bool (*row)(void *ctx, const struct db_row *row, struct err *err), void *ctx,
              struct err *err)
{
    return db_params_good(param, nparams, err) &&
           db->ops->query(db, sql, param, nparams, row, ctx, err);
}

bool db_run_many(struct db *db, const char *sql, size_t nparams,
                 bool (*next)(void *ctx, struct db_value *param), void *ctx, struct err *err)
{
    if (nparams > DB_PARAMS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d parameters", DB_PARAMS_MAX);
    if (!db->in_transaction)
        return err_set(err, ERR_CONFLICT, "%.*s: many rows need a transaction", STR_ARG(db->shown));
    return db->ops->run_many(db, sql, nparams, next, ctx, err);
}

/* --- columns --- */

static struct db_value column_of(const struct db_row *row, size_t column)
{
    if (column >= row->columns)
        return (struct db_value){.kind = DB_NULL};
    return row->db->ops->column(row, column);
}

int64_t db_int(const struct db_row *row, size_t column)
{
    struct db_value v = column_of(row, column);
    return v.kind == DB_INT ? v.integer : 0;
}

struct str db_text(const struct db_row *row, size_t column)
{
    struct db_value v = column_of(row, column);
    return v.kind == DB_TEXT ? v.text : (struct str){0};
}

struct str db_bytes(const struct db_row *row, size_t column)
{
    struct db_value v = column_of(row, column);
    return v.kind == DB_BYTES ? v.text : (struct str){0};
}

bool db_is_null(const struct db_row *row, size_t column)
{
    return column_of(row, column).kind == DB_NULL;
}

/* --- one value --- */

struct one {
    struct arena *arena;
    struct db_value value;
    bool found;
};

static bool take_one(void *ctx, const struct db_row *row, struct err *err)
{
    struct one *one = ctx;
    if (one->found)
        return true;
    one->found = true;
    one->value = column_of(row, 0);
    if (one->arena && one->value.kind == DB_TEXT) {
        one->value.text = arena_dup(one->arena, one->value.text);
        if (!one->value.text.ptr)
            return arena_full(one->arena, err);
    }
    return true;
}

bool db_one_int(struct db *db, const char *sql, const struct db_value *param, size_t nparams,
                int64_t *ret, struct err *err)
{
    struct one one = {0};
    if (!db_query(db, sql, param, nparams, take_one, &one, err) || one.value.kind != DB_INT)
        return false;
    *ret = one.value.integer;
    return true;
}

bool db_one_text(struct db *db, struct arena *arena, const char *sql, const struct db_value *param,
                 size_t nparams, struct str *ret, struct err *err)
{
    struct one one = {.arena = arena};
    if (!db_query(db, sql, param, nparams, take_one, &one, err) || one.value.kind != DB_TEXT)
        return false;
    *ret = one.value.text;
    return true;
}

/* --- what stays prepared --- */

char *db_copy(struct str text)
{
    char *copy = malloc(text.len + 1);
    if (!copy)
        return NULL;
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

struct db_statement *db_statement_find(struct db *db, const char *sql)
{
    uint64_t hash = hash_bytes(str_from(sql), 0);
    for (size_t i = 0; i < db->nstatements; i++)
        if (db->statement[i].hash == hash && strcmp(db->statement[i].sql, sql) == 0)
            return &db->statement[i];
    return NULL;
}

struct db_statement *db_statement_add(struct db *db, const char *sql)
{
    struct db_statement *row;
    char *copy = db_copy(str_from(sql));
    if (!copy)
        return NULL;
    if (db->nstatements < DB_STATEMENTS_MAX) {
        row = &db->statement[db->nstatements++];
    } else {
        row = &db->statement[db->oldest++ % DB_STATEMENTS_MAX];
        db->ops->forget(db, row);
        free(row->sql);
    }
    *row = (struct db_statement){
        .hash = hash_bytes(str_from(sql), 0), .sql = copy, .number = ++db->prepared};
    return row;
}

void db_statements_clear(struct db *db)
{
    for (size_t i = 0; i < db->nstatements; i++) {
        db->ops->forget(db, &db->statement[i]);
        free(db->statement[i].sql);
        db->statement[i] = (struct db_statement){0};
    }
    db->nstatements = db->oldest = 0;
}

bool db_sync(struct db *db, struct err *err)
{
    return !db->ops->sync || db->ops->sync(db, err);
}

bool db_listen(struct db *db, const char *channel, struct err *err)
{
    return db->ops->listen ? db->ops->listen(db, channel, err)
                           : err_set(err, ERR_UNSUPPORTED, "%.*s: nobody says anything there",
                                     STR_ARG(db->shown));
}

bool db_wait(struct db *db, int fd, int timeout_ms, enum db_told *ret_told, struct err *err)
{
    return db->ops->wait ? db->ops->wait(db, fd, timeout_ms, ret_told, err)
                         : db_listen(db, "", err);
}
