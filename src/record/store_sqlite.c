/* store_sqlite.c - the store in one file: SQLite in WAL mode, loaded on first use.
 *
 * Why these settings: docs/store.md. One connection has no mutex (NOMUTEX): it belongs to a thread.
 * Source:  sqlite.org/wal.html, pragma.html, c3ref; SQLite 3.37 and newer
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/library.h"
#include "record/db_parts.h"
#include "record/lock_holder.h"

/* clang-format off */
#define SYMBOLS(X) \
    X(bind_blob) X(bind_int64) X(bind_null) X(bind_parameter_index) \
    X(bind_text) X(busy_timeout) X(changes) X(clear_bindings) X(close) X(column_blob) \
    X(column_bytes) X(column_count) X(column_int64) X(column_text) X(column_type) X(db_config) X(db_filename) \
    X(errmsg) X(exec) X(extended_errcode) X(file_control) X(finalize) X(get_autocommit) \
    X(libversion_number) \
    X(open_v2) X(prepare_v3) X(reset) X(step) X(system_errno)
/* clang-format on */

enum { OLDEST_VERSION = 3037000, PATH_BYTES_MAX = 4000, RETRY_MS = 20, HOLDER_MAX = 160 };

struct sqlite {
#define X(name) __typeof__(sqlite3_##name) *name;
    SYMBOLS(X)
#undef X
};

struct store {
    struct db db; /* first: the handle that others hold */
    struct sqlite api;
    sqlite3 *handle;
    bool unusable; /* a rollback failed */
    bool has_turn; /* db.options.turn */
};

static struct store *store_of(struct db *db)
{
    return (struct store *)(void *)db;
}

static bool load(struct sqlite *api, struct err *err)
{
#define X(name) "sqlite3_" #name "\0"
    static const struct library library = {
        .files = "libsqlite3.so.0\0",
        .names = SYMBOLS(X),
        .missing = "the store needs SQLite, which is not installed (apt install libsqlite3-0)"
    };
#undef X
    if (!library_load(&library, api, sizeof *api, err))
        return false;
    if (api->libversion_number() < OLDEST_VERSION)
        return err_set(err, ERR_UNSUPPORTED, "SQLite %d is too old: 3.37 or newer is needed",
                       api->libversion_number());
    return true;
}

/* --- errors --- */

static enum err_kind kind_of(int code, int system_errno)
{
    if (system_errno == EFBIG || system_errno == EDQUOT || system_errno == ENOSPC)
        return ERR_LIMIT;
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_TIMEOUT;
    case SQLITE_FULL:
    case SQLITE_TOOBIG:
    case SQLITE_NOMEM:
        return ERR_LIMIT;
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    case SQLITE_INTERRUPT:
        return ERR_CANCELLED;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        return ERR_IO;
    default: /* NOTADB, CORRUPT, and SQL that does not fit what is there */
        return ERR_SYNTAX;
    }
}

static const char *hint_of(int code)
{
    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return "; another process holds its lock";
    case SQLITE_FULL:
        return "; free some space: nothing of this was recorded";
    case SQLITE_READONLY:
        return "; it, or its folder, cannot be written";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return "; `plumb db check` tells more, restore it from a backup or an export";
    default:
        return "";
    }
}

/* What SQLite said last. Its messages name tables and columns, never values. */
static bool failed(struct store *store, const char *doing, struct err *err)
{
    int code = store->api.extended_errcode(store->handle);
    int system_errno = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN
                           ? store->api.system_errno(store->handle)
                           : 0;
    char holder[HOLDER_MAX] = "";
    const char *file = store->api.db_filename(store->handle, NULL);
    bool busy = (code & 0xff) == SQLITE_BUSY && file && lock_holder_tell(file, holder, HOLDER_MAX);
    return err_set(err, kind_of(code, system_errno), "%.*s: %s: %s%s%s%s%s",
                   STR_ARG(store->db.shown), doing, store->api.errmsg(store->handle),
                   system_errno ? ": " : "", system_errno ? strerror(system_errno) : "",
                   busy ? "; " : "", busy ? holder : hint_of(code));
}

/* --- opening --- */

/* An empty file of that name that nobody else can read. Never opened under its name: a process that
 * closes any descriptor of a file loses all its locks on it, those of a connection that another
 * thread has open, too (fcntl(2)); then two would write at once. */
static bool place_file(const char *path, struct err *err)
{
    char half[PATH_BYTES_MAX + 64];
    (void)snprintf(half, sizeof half, "%s.XXXXXX", path);
    int fd = mkostemp(half, O_CLOEXEC); /* mode 0600 */
    if (fd < 0)
        return err_set(err, ERR_IO, "open the store %s: %s", path, strerror(errno));
    (void)close(fd);
    bool ok = link(half, path) == 0 || errno == EEXIST ||
              err_set(err, ERR_IO, "open the store %s: %s", path, strerror(errno));
    (void)unlink(half);
    return ok;
}

/* The file and its folder are made here, so that nobody else ever can read them, and so that the
 * folder's entry is on the disk before anything is acknowledged. */
static bool make_file(const char *path, struct err *err)
{
    AUTO_ARENA arena = {.limit = 4 * PATH_BYTES_MAX};
    struct str dir = arena_dup(&arena, io_dirname(str_from(path)));
    struct str above = dir.ptr ? arena_dup(&arena, io_dirname(dir)) : dir;
    if (!above.ptr)
        return arena_full(&arena, err);
    bool made = !io_is_dir(dir.ptr);
    if (made && !io_make_dirs(dir.ptr, 0700, err))
        return false;
    if (io_is_dir(path))
        return err_set(err, ERR_IO, "open the store %s: %s", path, strerror(EISDIR));
    if (io_exists(path))
        return true;
    if (!place_file(path, err))
        return false;
    const char *synced[] = {dir.ptr, made ? above.ptr : NULL};
    for (size_t i = 0; i < 2 && synced[i]; i++) {
        AUTO_FD folder = open(synced[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder >= 0)
            (void)fsync(folder); /* a file system that cannot is as safe as it can be */
    }
    return true;
}

/* "file:...?immutable=1", which needs neither locks nor room beside the file. */
static bool immutable_name(struct buf *out, const char *path, struct err *err)
{
    static const char plain[] = "/-_.~";
    buf_str(out, STR("file:"));
    for (const char *p = path; *p; p++) {
        unsigned char c = (unsigned char)*p;
        bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';
        if (letter || (c >= '0' && c <= '9') || strchr(plain, c))
            buf_char(out, *p);
        else
            buf_printf(out, "%%%02X", c);
    }
    buf_str(out, STR("?immutable=1"));
    buf_char(out, '\0');
    return buf_ok(out, err);
}

static int ask(struct store *store, const char *sql)
{
    return store->api.exec(store->handle, sql, NULL, NULL, NULL);
}

/* A closed store leaves no -wal beside it. In a folder that cannot be written SQLite could not make
 * one, and need not: nobody writes there. */
static int open_immutable(struct store *store, const char *path, struct err *err)
{
    AUTO_BUF name = {.limit = 4 * PATH_BYTES_MAX};
    char wal[PATH_BYTES_MAX + 8];
    struct stat st;
    (void)snprintf(wal, sizeof wal, "%s-wal", path);
    if ((stat(wal, &st) == 0 && st.st_size > 0) || !immutable_name(&name, path, err))
        return SQLITE_CANTOPEN;
    (void)store->api.close(store->handle);
    store->handle = NULL;
    return store->api.open_v2(
        name.ptr, &store->handle,
        SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_URI, NULL);
}

/* Who may write opens for writing even to read (query_only then keeps it from doing so): the last
 * one to close such a connection takes the -wal away, which a reader cannot. */
static bool can_write(const char *path)
{
    AUTO_ARENA arena = {.limit = 2 * PATH_BYTES_MAX};
    struct str dir = arena_dup(&arena, io_dirname(str_from(path)));
    return dir.ptr && access(path, W_OK) == 0 && access(dir.ptr, W_OK) == 0;
}

/* SQLite's words would be of a -wal that could not be made. */
static bool open_failed(struct store *store, const char *path, struct err *err)
{
    char wal[PATH_BYTES_MAX + 8];
    struct stat st;
    int code = store->api.extended_errcode(store->handle) & 0xff;
    (void)snprintf(wal, sizeof wal, "%s-wal", path);
    if ((code != SQLITE_CANTOPEN && code != SQLITE_READONLY) || !io_exists(path) || can_write(path))
        return failed(store, "open", err);
    if (!store->db.options.read_only)
        return err_set(err, ERR_IO, "%.*s: open: it, or its folder, cannot be written",
                       STR_ARG(store->db.shown));
    if (stat(wal, &st) == 0 && st.st_size > 0)
        return err_set(err, ERR_IO,
                       "%.*s: open: its newest commits are in %s, which is read only where its "
                       "folder can be written: copy both to such a place",
                       STR_ARG(store->db.shown), wal);
    return failed(store, "open", err);
}

static bool open_file(struct store *store, const char *path, struct err *err)
{
    bool memory = strcmp(path, ":memory:") == 0, read_only = store->db.options.read_only;
    bool file_only = read_only && !memory && !can_write(path);
    int mode = file_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (!memory && read_only && !io_exists(path))
        return err_set(err, ERR_IO, "there is no store at %s", path);
    if (!memory && store->db.options.there && !io_exists(path))
        return err_set(err, ERR_UNAVAILABLE, "the store %s is not there any more", path);
    if (!memory && !read_only && !make_file(path, err))
        return false;
    int code = store->api.open_v2(path, &store->handle,
                                  mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code == SQLITE_OK)
        code = ask(store, "PRAGMA schema_version");
    if (file_only && ((code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY)) {
        code = open_immutable(store, path, err);
        if (code == SQLITE_OK)
            code = ask(store, "PRAGMA schema_version");
    }
    if (!store->handle)
        return err_set(err, ERR_LIMIT, "out of memory");
    return code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY || open_failed(store, path, err);
}

/* The first switch to WAL needs the file alone and does not wait by itself. */
static int wal(struct store *store)
{
    int64_t until = clock_monotonic_ms() + store->db.options.timeout_ms;
    const struct timespec pause = {.tv_nsec = RETRY_MS * 1000000L};
    for (;;) {
        int code = ask(store, "PRAGMA journal_mode=WAL");
        if ((code & 0xff) != SQLITE_BUSY || clock_monotonic_ms() >= until)
            return code;
        (void)nanosleep(&pause, NULL);
    }
}

static bool set_up(struct store *store, struct err *err)
{
    static const char settings[] = "PRAGMA foreign_keys=ON;"
                                   "PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;"
                                   "PRAGMA cell_size_check=ON; PRAGMA cache_size=-16384;"
                                   "PRAGMA journal_size_limit=67108864";
    (void)store->api.busy_timeout(store->handle, store->db.options.timeout_ms);
    (void)store->api.db_config(store->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (!store->db.options.read_only && wal(store) != SQLITE_OK)
        return failed(store, "set it up", err);
    if (store->db.options.read_only && ask(store, "PRAGMA query_only=ON") != SQLITE_OK)
        return failed(store, "set it up", err);
    const char *synchronous =
        store->db.options.later ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL";
    return (ask(store, synchronous) == SQLITE_OK && ask(store, settings) == SQLITE_OK) ||
           failed(store, "set it up", err);
}

/* --- transactions --- */

static struct db_statement *statement_of(struct db *db, const char *sql, struct err *err);

/* As ask(), by a statement that is kept: there are several transactions to each scan. */
static bool ask_kept(struct store *store, const char *sql)
{
    const struct db_statement *statement = statement_of(&store->db, sql, NULL);
    bool ok = statement && store->api.step(statement->handle) == SQLITE_DONE;
    return statement && store->api.reset(statement->handle) == SQLITE_OK && ok;
}

/* Whoever waits too long for its turn goes on without: then SQLite's own lock says what is so. */
static void take_turn(struct store *store)
{
    pthread_mutex_t *turn = store->db.options.turn;
    struct timespec until;
    if (!turn || store->has_turn || store->db.options.read_only)
        return;
    (void)clock_gettime(CLOCK_REALTIME, &until); /* which jumps; TSan knows no lock by another */
    until.tv_sec += store->db.options.timeout_ms / 1000 + 1;
    store->has_turn = pthread_mutex_timedlock(turn, &until) == 0;
}

static void give_turn(struct store *store)
{
    if (store->has_turn)
        (void)pthread_mutex_unlock(store->db.options.turn);
    store->has_turn = false;
}

/* What is written to a file that is gone from its folder is in no store, and nobody would know. */
static bool still_there(struct store *store, struct err *err)
{
    int moved = 0;
    (void)store->api.file_control(store->handle, NULL, SQLITE_FCNTL_HAS_MOVED, &moved);
    return !moved || err_set(err, ERR_UNAVAILABLE,
                             "%.*s: it was moved or removed while it was open: nothing is written",
                             STR_ARG(store->db.shown));
}

static bool begin(struct db *db, enum db_mode mode, struct err *err)
{
    struct store *store = store_of(db);
    if (store->unusable)
        return err_set(err, ERR_IO, "%.*s: an earlier transaction could not be taken back",
                       STR_ARG(db->shown));
    if (mode == DB_WRITE && !still_there(store, err))
        return false;
    if (mode == DB_WRITE)
        take_turn(store);
    if (ask_kept(store, mode == DB_WRITE ? "BEGIN IMMEDIATE" : "BEGIN"))
        return true;
    (void)failed(store, mode == DB_WRITE ? "begin to write" : "begin to read", err);
    give_turn(store);
    return false;
}

static bool commit(struct db *db, struct err *err)
{
    if (!ask_kept(store_of(db), "COMMIT"))
        return failed(store_of(db), "commit", err);
    give_turn(store_of(db));
    return true;
}

static struct str path_of(const struct db *db)
{
    return str_sub(db->shown, sizeof "sqlite:" - 1, db->shown.len);
}

/* The log holds all commits that the file does not have yet. SQLite has no lock on it, which
 * another descriptor's end would take away. */
static bool sync_log(struct db *db, struct err *err)
{
    AUTO_ARENA arena = {.limit = PATH_BYTES_MAX + 100};
    struct str path = arena_printf(&arena, "%.*s-wal", STR_ARG(path_of(db)));
    if (!path.ptr)
        return arena_full(&arena, err);
    int fd = open(path.ptr, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) /* nothing was written since it was emptied */
        return true;
    int why = fd < 0 || fdatasync(fd) != 0 ? errno : 0;
    if (fd >= 0)
        (void)close(fd);
    return why == 0 || err_set(err, ERR_IO, "%s: %s", path.ptr, strerror(why));
}

static void rollback(struct db *db)
{
    struct store *store = store_of(db);
    if (!store->api.get_autocommit(store->handle) && ask(store, "ROLLBACK") != SQLITE_OK &&
        !store->api.get_autocommit(store->handle))
        store->unusable = true;
    give_turn(store);
}

/* --- statements --- */

static struct db_statement *statement_of(struct db *db, const char *sql, struct err *err)
{
    struct store *store = store_of(db);
    struct db_statement *row = db_statement_find(db, sql);
    sqlite3_stmt *prepared = NULL;
    const char *rest = NULL;
    if (row)
        return row;
    if (store->api.prepare_v3(store->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared,
                              &rest) != SQLITE_OK) {
        (void)failed(store, "prepare", err);
        return NULL;
    }
    if (!prepared || !(row = db_statement_add(db, sql))) {
        (void)store->api.finalize(prepared);
        (void)err_set(err, prepared ? ERR_LIMIT : ERR_SYNTAX, "%.*s: %s", STR_ARG(db->shown),
                      prepared ? "out of memory" : "a statement without words");
        return NULL;
    }
    row->handle = prepared;
    for (int i = 0; i < DB_PARAMS_MAX; i++) {
        char name[8]; /* a named one to SQLite: counted by its first place in the text */
        (void)snprintf(name, sizeof name, "$%d", i + 1);
        row->index[i] = (short)store->api.bind_parameter_index(prepared, name);
    }
    return row;
}

static void forget(struct db *db, struct db_statement *statement)
{
    (void)store_of(db)->api.finalize(statement->handle);
}

static bool bind(struct store *store, const struct db_statement *statement,
                 const struct db_value *param, size_t nparams, struct err *err)
{
    sqlite3_stmt *stmt = statement->handle;
    for (size_t i = 0; i < nparams; i++) {
        const struct db_value *v = &param[i];
        int at = statement->index[i], code;
        const char *bytes = v->text.ptr ? v->text.ptr : "";
        if (!at)
            continue; /* not every dialect of a statement uses all of them */
        if (v->text.len > INT32_MAX)
            return err_set(err, ERR_LIMIT, "a value of %zu bytes is too large", v->text.len);
        int len = (int)v->text.len;
        if (v->kind == DB_INT)
            code = store->api.bind_int64(stmt, at, v->integer);
        else if (v->kind == DB_TEXT && v->text.ptr)
            code = store->api.bind_text(stmt, at, bytes, len, SQLITE_STATIC);
        else if (v->kind == DB_BYTES)
            code = store->api.bind_blob(stmt, at, bytes, len, SQLITE_STATIC);
        else
            code = store->api.bind_null(stmt, at);
        if (code != SQLITE_OK)
            return failed(store, "bind", err);
    }
    return true;
}

static void done(struct store *store, const struct db_statement *statement)
{
    (void)store->api.reset(statement->handle);
    (void)store->api.clear_bindings(statement->handle); /* views of the caller's memory */
}

static bool step_all(struct store *store, const struct db_statement *statement,
                     const struct db_value *param, size_t nparams, struct err *err)
{
    int code = SQLITE_ROW;
    bool ok = bind(store, statement, param, nparams, err);
    while (ok && code == SQLITE_ROW)
        code = store->api.step(statement->handle);
    if (ok && code != SQLITE_DONE)
        ok = failed(store, "write", err);
    if (ok)
        store->db.changed = store->api.changes(store->handle);
    done(store, statement);
    return ok;
}

static bool run(struct db *db, const char *sql, const struct db_value *param, size_t nparams,
                struct err *err)
{
    const struct db_statement *statement = statement_of(db, sql, err);
    if (statement && !db->in_transaction)
        take_turn(store_of(db));
    bool ok = statement && step_all(store_of(db), statement, param, nparams, err);
    if (!db->in_transaction)
        give_turn(store_of(db));
    return ok;
}

static bool script(struct db *db, const char *sql, struct err *err)
{
    return ask(store_of(db), sql) == SQLITE_OK || failed(store_of(db), "run", err);
}

static bool query(struct db *db, const char *sql, const struct db_value *param, size_t nparams,
                  bool (*row)(void *ctx, const struct db_row *row, struct err *err), void *ctx,
                  struct err *err)
{
    struct store *store = store_of(db);
    const struct db_statement *statement = statement_of(db, sql, err);
    int code = SQLITE_DONE;
    bool ok = statement && bind(store, statement, param, nparams, err);
    if (!statement)
        return false;
    struct db_row view = {db, statement->handle,
                          (size_t)store->api.column_count(statement->handle)};
    while (ok && (code = store->api.step(statement->handle)) == SQLITE_ROW)
        ok = row(ctx, &view, err);
    if (ok && code != SQLITE_DONE)
        ok = failed(store, "read", err);
    done(store, statement);
    return ok;
}

static bool run_many(struct db *db, const char *sql, size_t nparams,
                     bool (*next)(void *ctx, struct db_value *param), void *ctx, struct err *err)
{
    struct db_value param[DB_PARAMS_MAX] = {0};
    const struct db_statement *statement = statement_of(db, sql, err);
    if (!statement)
        return false;
    while (next(ctx, param))
        if (!db_params_good(param, nparams, err) ||
            !step_all(store_of(db), statement, param, nparams, err))
            return false;
    return true;
}

static struct db_value column(const struct db_row *row, size_t at)
{
    const struct sqlite *api = &store_of(row->db)->api;
    sqlite3_stmt *stmt = row->result;
    int i = (int)at;
    switch (api->column_type(stmt, i)) {
    case SQLITE_INTEGER:
        return DB_PARAM_INT(api->column_int64(stmt, i));
    case SQLITE_TEXT: {
        const char *text = (const char *)api->column_text(stmt, i);
        return DB_PARAM_TEXT(((struct str){text, text ? (size_t)api->column_bytes(stmt, i) : 0}));
    }
    case SQLITE_BLOB: {
        const char *bytes = api->column_blob(stmt, i); /* NULL for one of no bytes */
        return DB_PARAM_BYTES(
            ((struct str){bytes ? bytes : "", bytes ? (size_t)api->column_bytes(stmt, i) : 0}));
    }
    default:
        return DB_PARAM_NULL;
    }
}

static void close_store(struct db *db)
{
    struct store *store = store_of(db);
    (void)store->api.close(store->handle);
    free(store);
}

static const struct db_ops sqlite_ops = {.close = close_store,
                                         .begin = begin,
                                         .commit = commit,
                                         .rollback = rollback,
                                         .run = run,
                                         .script = script,
                                         .query = query,
                                         .run_many = run_many,
                                         .sync = sync_log,
                                         .forget = forget,
                                         .column = column};

bool db_sqlite_open(struct db **ret, struct str path, const struct db_options *options,
                    struct err *err)
{
    char name[PATH_BYTES_MAX + 1];
    if (path.len > PATH_BYTES_MAX)
        return err_set(err, ERR_USAGE, "the store's path is longer than %d bytes", PATH_BYTES_MAX);
    (void)snprintf(name, sizeof name, "%.*s", STR_ARG(path));
    struct store *store = calloc(1, sizeof *store);
    char *shown = malloc(path.len + sizeof "sqlite:");
    if (!store || !shown) {
        free(store);
        free(shown);
        return err_set(err, ERR_LIMIT, "out of memory");
    }
    int len = snprintf(shown, path.len + sizeof "sqlite:", "sqlite:%s", name);
    store->db = (struct db){.ops = &sqlite_ops,
                            .kind = DB_SQLITE,
                            .shown = {shown, (size_t)len},
                            .options = options ? *options : (struct db_options){0}};
    if (store->db.options.timeout_ms <= 0)
        store->db.options.timeout_ms = DB_TIMEOUT_MS;
    if (!load(&store->api, err)) {
        free(store);
        free(shown);
        return false;
    }
    if (!open_file(store, name, err) || !set_up(store, err)) {
        db_close(&store->db);
        return false;
    }
    *ret = &store->db;
    return true;
}
