/* store_postgres.c - the store on a PostgreSQL server: libpq, loaded on first use.
 *
 * Lock:    DB_WRITE takes one advisory lock of the transaction, so that writers stand in line as
 *          they do before SQLite's one file
 * Waits:   every answer has a deadline; a server that stopped answering is ERR_TIMEOUT
 * Source:  PostgreSQL 13 and newer; libpq - C Library, pipeline mode and binary results
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#else
#include <libpq-fe.h>
#endif

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/library.h"
#include "record/db_parts.h"

/* clang-format off */
#define SYMBOLS(X) \
    X(clear) X(cmdTuples) X(connectPoll) X(connectStartParams) X(conninfoFree) X(conninfoParse) \
    X(consumeInput) X(enterPipelineMode) X(errorMessage) X(exitPipelineMode) X(finish) X(flush) \
    X(freemem) X(ftype) X(getResult) X(getisnull) X(getlength) X(getvalue) X(isBusy) X(libVersion) \
    X(nfields) X(notifies) X(ntuples) X(pipelineSync) X(resultErrorField) X(resultErrorMessage) \
    X(resultStatus) X(sendPrepare) X(sendQuery) X(sendQueryPrepared) X(setSingleRowMode) \
    X(setnonblocking) X(socket) X(status) X(transactionStatus)
/* clang-format on */

enum {
    OLDEST_LIBRARY = 140000, /* pipeline mode */
    ANSWER_MS = 120000,      /* of a statement */
    SCRIPT_MS = 3600000,     /* of a migration or a VACUUM */
    BATCH = 200,             /* statements of a pipeline before it is emptied */
    INT_TEXT = 24,
    URL_BYTES_MAX = 8000,
    WORDS_MAX = 60, /* of the connection's description */
    /* pg_type.dat, part of the wire protocol */
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23
};

struct libpq {
#define X(name) __typeof__(PQ##name) *name;
    SYMBOLS(X)
#undef X
};

struct store {
    struct db db; /* first: the handle that others hold */
    struct libpq pq;
    PGconn *conn;
    char *url;
    char *password; /* of the URL: taken out of whatever is said; or NULL */
};

static struct store *store_of(struct db *db)
{
    return (struct store *)(void *)db;
}

static bool load(struct libpq *pq, struct err *err)
{
#define X(name) "PQ" #name "\0"
    static const struct library library = {.files = "libpq.so.5\0", .names = SYMBOLS(X) };
#undef X
    static const struct library version = {
        .files = "libpq.so.5\0",
        .names = "PQlibVersion\0",
        .missing =
            "a store on PostgreSQL needs libpq, which is not installed (apt install libpq5)"};
    if (!library_load(&version, &pq->libVersion, sizeof pq->libVersion, err))
        return false;
    if (pq->libVersion() < OLDEST_LIBRARY)
        return err_set(err, ERR_UNSUPPORTED, "libpq is too old: 14 or newer is needed");
    return library_load(&library, pq, sizeof *pq, err);
}

/* --- errors --- */

static enum err_kind kind_of(const char *state)
{
    static const struct {
        const char *prefix;
        enum err_kind kind;
    } kinds[] = {
        {"08", ERR_UNAVAILABLE},
        {"57P", ERR_UNAVAILABLE},
        {"25P03", ERR_UNAVAILABLE},
        {"53300", ERR_UNAVAILABLE},
        {"53", ERR_LIMIT},
        {"54", ERR_LIMIT},
        {"23", ERR_CONFLICT},
        {"40", ERR_TIMEOUT},
        {"55P03", ERR_TIMEOUT},
        {"57014", ERR_TIMEOUT},
        {"25006", ERR_IO},
        {"42501", ERR_IO},
        {"28", ERR_IO},
        {"42", ERR_SYNTAX},
        {"22", ERR_SYNTAX},
        {"58", ERR_IO},
        {"XX001", ERR_SYNTAX},
        {"XX002", ERR_SYNTAX},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(state, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
            return kinds[i].kind;
    return ERR_REMOTE;
}

/* The first line of what was said, without the password. */
static bool say(struct store *store, enum err_kind kind, const char *doing, const char *text,
                struct err *err)
{
    char line[ERR_TEXT_MAX];
    struct str rest = str_trim(str_from(text)), first;
    struct str password = str_from(store->password);
    (void)str_cut(&rest, '\n', &first);
    if (password.len && str_find(first, password, 0) != SIZE_MAX)
        first = STR("the server's answer is not repeated: it holds the password");
    (void)snprintf(line, sizeof line, "%.*s", STR_ARG(first));
    return err_set(err, kind, "%.*s: %s: %s", STR_ARG(store->db.shown), doing, line);
}

static bool lost(const struct store *store)
{
    return !store->conn || store->pq.status(store->conn) != CONNECTION_OK;
}

/* The message's primary line alone: a DETAIL may hold values. */
static bool failed(struct store *store, const PGresult *result, const char *doing, struct err *err)
{
    const char *state = result ? store->pq.resultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *text = result ? store->pq.resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (state && text)
        return say(store, kind_of(state), doing, text, err);
    text = store->conn ? store->pq.errorMessage(store->conn) : "";
    return say(store, lost(store) ? ERR_UNAVAILABLE : ERR_REMOTE, doing,
               text && *text ? text : "the connection is lost", err);
}

/* --- waiting --- */

static void drop(struct store *store)
{
    if (store->conn)
        store->pq.finish(store->conn);
    store->conn = NULL;
    db_statements_clear(&store->db);
}

/* Until the socket is ready for `events`; false past the deadline. */
static bool wait_for(struct store *store, short events, int64_t until)
{
    for (;;) {
        struct pollfd fd = {.fd = store->pq.socket(store->conn), .events = events};
        int64_t left = until - clock_monotonic_ms();
        if (left <= 0 || fd.fd < 0)
            return false;
        int ready = poll(&fd, 1, (int)(left < 60000 ? left : 60000));
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

/* What is queued goes out; meanwhile the server's answers are read, so that neither side waits for
 * the other. */
static bool flush(struct store *store, int64_t until)
{
    for (;;) {
        int left = store->pq.flush(store->conn);
        if (left <= 0)
            return left == 0;
        if (!wait_for(store, POLLIN | POLLOUT, until) || !store->pq.consumeInput(store->conn))
            return false;
    }
}

/* The next result, NULL where a statement's results end; *ok false past the deadline. */
static PGresult *next_result(struct store *store, int64_t until, bool *ok, struct err *err)
{
    *ok = flush(store, until);
    while (*ok && store->pq.isBusy(store->conn)) {
        if (!wait_for(store, POLLIN, until)) {
            (void)err_set(err, ERR_TIMEOUT, "%.*s: the server does not answer",
                          STR_ARG(store->db.shown));
            drop(store);
            *ok = false;
            return NULL;
        }
        if (!store->pq.consumeInput(store->conn))
            break; /* getResult tells */
    }
    if (!*ok) {
        (void)failed(store, NULL, "send", err);
        return NULL;
    }
    return store->pq.getResult(store->conn);
}

static bool is_good(const struct libpq *pq, const PGresult *result)
{
    ExecStatusType status = pq->resultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static void count_changed(struct store *store, PGresult *result)
{
    int64_t n = 0;
    store->db.changed = str_to_int64(str_from(store->pq.cmdTuples(result)), &n) ? n : 0;
}

/* All results of what was sent. The first error is the one that is told. */
static bool take_all(struct store *store, const char *doing, int wait_ms, struct err *err)
{
    int64_t until = clock_monotonic_ms() + wait_ms;
    bool good = true, ok = true;
    for (;;) {
        PGresult *result = next_result(store, until, &ok, err);
        if (!result)
            return ok && good;
        if (good && !is_good(&store->pq, result))
            good = failed(store, result, doing, err);
        else if (good)
            count_changed(store, result);
        store->pq.clear(result);
        if (!good && lost(store))
            return false;
    }
}

static bool simple(struct store *store, const char *sql, const char *doing, int wait_ms,
                   struct err *err)
{
    if (!store->conn || !store->pq.sendQuery(store->conn, sql))
        return failed(store, NULL, doing, err);
    return take_all(store, doing, wait_ms, err);
}

/* --- connecting --- */

/* What the URL does not say itself. */
static size_t words_of(const PQconninfoOption *said, const char **word, const char **value,
                       const char *timeout)
{
    static const char *const ours[][2] = {{"client_encoding", "UTF8"},
                                          {"fallback_application_name", "plumb"},
                                          {"keepalives_idle", "30"},
                                          {"tcp_user_timeout", "60000"}};
    size_t n = 0;
    bool has_timeout = false;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        word[n] = ours[i][0];
        value[n++] = ours[i][1];
    }
    for (; said->keyword && n < WORDS_MAX; said++) {
        if (!said->val || strcmp(said->keyword, "client_encoding") == 0)
            continue;
        has_timeout |= strcmp(said->keyword, "connect_timeout") == 0;
        word[n] = said->keyword;
        value[n++] = said->val;
    }
    if (!has_timeout) {
        word[n] = "connect_timeout";
        value[n++] = timeout;
    }
    word[n] = value[n] = NULL;
    return n;
}

static bool reach(struct store *store, struct err *err)
{
    int64_t until = clock_monotonic_ms() + store->db.options.timeout_ms;
    short events = POLLOUT;
    for (;;) {
        if (store->pq.status(store->conn) == CONNECTION_BAD)
            return say(store, ERR_UNAVAILABLE, "connect", store->pq.errorMessage(store->conn), err);
        if (!wait_for(store, events, until))
            return say(store, ERR_UNAVAILABLE, "connect", "the server does not answer", err);
        PostgresPollingStatusType at = store->pq.connectPoll(store->conn);
        if (at == PGRES_POLLING_OK)
            return true;
        if (at == PGRES_POLLING_FAILED)
            return say(store, ERR_UNAVAILABLE, "connect", store->pq.errorMessage(store->conn), err);
        events = at == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    }
}

static bool set_up(struct store *store, struct err *err)
{
    char sql[600];
    /* Where an administrator turned durable commits off for all, they are on for this log. */
    (void)snprintf(sql, sizeof sql,
                   "SET lock_timeout = %d; SET client_min_messages = error; %s"
                   "SELECT set_config('synchronous_commit', CASE WHEN "
                   "current_setting('synchronous_commit') = 'off' THEN 'on' ELSE "
                   "current_setting('synchronous_commit') END, false)",
                   store->db.options.timeout_ms,
                   store->db.options.read_only ? "SET default_transaction_read_only = on; " : "");
    return simple(store, sql, "set the connection up", ANSWER_MS, err);
}

static bool connect_again(struct store *store, struct err *err)
{
    const char *word[WORDS_MAX + 2], *value[WORDS_MAX + 2];
    char timeout[16];
    drop(store);
    PQconninfoOption *said = store->pq.conninfoParse(store->url, NULL);
    if (!said) /* libpq's own words would repeat the part that it does not like */
        return err_set(err, ERR_USAGE,
                       "the store's URL is not one of PostgreSQL's (postgres://HOST/DATABASE)");
    (void)snprintf(timeout, sizeof timeout, "%d", (store->db.options.timeout_ms + 999) / 1000);
    (void)words_of(said, word, value, timeout);
    store->conn = store->pq.connectStartParams(word, value, 0);
    store->pq.conninfoFree(said);
    if (!store->conn)
        return err_set(err, ERR_LIMIT, "out of memory");
    if (!reach(store, err) || store->pq.setnonblocking(store->conn, 1) != 0 ||
        !set_up(store, err)) {
        drop(store);
        return false;
    }
    return true;
}

/* Outside a transaction nothing is lost by another connection. */
static bool connected(struct store *store, struct err *err)
{
    if (store->db.in_transaction || !lost(store))
        return !lost(store) || failed(store, NULL, "use the connection", err);
    return connect_again(store, err);
}

/* --- transactions --- */

static bool begin(struct db *db, enum db_mode mode, struct err *err)
{
    struct store *store = store_of(db);
    static const char *const sql[] = {
        [DB_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        /* "plumb" in ASCII: the lock's name within the database. Who stands still while he has it
         * (a machine that sleeps, a process that is stopped) is cut off: all others wait for it. */
        [DB_WRITE] = "BEGIN ISOLATION LEVEL READ COMMITTED; "
                     "SET LOCAL idle_in_transaction_session_timeout = '30s'; "
                     "SELECT pg_advisory_xact_lock(482854825314)",
    };
    struct err first = {0};
    if (!connected(store, err))
        return false;
    if (simple(store, sql[mode], "begin", ANSWER_MS, &first))
        return true;
    /* The server went away while nothing was asked of it: beginning twice does no harm. */
    if (lost(store) && connect_again(store, err))
        return simple(store, sql[mode], "begin", ANSWER_MS, err);
    if (!lost(store)) {
        (void)simple(store, "ROLLBACK", "roll back", ANSWER_MS, NULL);
        if (err)
            *err = first;
    }
    return false;
}

static bool commit(struct db *db, struct err *err)
{
    struct store *store = store_of(db);
    if (lost(store))
        return failed(store, NULL, "commit", err);
    /* COMMIT of a transaction that failed is a ROLLBACK that succeeds. */
    if (store->pq.transactionStatus(store->conn) != PQTRANS_INTRANS)
        return err_set(err, ERR_CONFLICT, "%.*s: commit: a statement of the transaction failed",
                       STR_ARG(db->shown));
    return simple(store, "COMMIT", "commit", ANSWER_MS, err);
}

static void rollback(struct db *db)
{
    struct store *store = store_of(db);
    if (!lost(store) && store->pq.transactionStatus(store->conn) != PQTRANS_IDLE &&
        !simple(store, "ROLLBACK", "roll back", ANSWER_MS, NULL))
        drop(store);
}

/* --- statements --- */

static void forget(struct db *db, struct db_statement *statement)
{
    struct store *store = store_of(db);
    char sql[64];
    if (lost(store) || store->pq.transactionStatus(store->conn) == PQTRANS_INERROR)
        return; /* its name is not used again */
    (void)snprintf(sql, sizeof sql, "DEALLOCATE p%u", statement->number);
    (void)simple(store, sql, "forget", ANSWER_MS, NULL);
}

static const struct db_statement *statement_of(struct store *store, const char *sql,
                                               struct err *err)
{
    struct db_statement *row = db_statement_find(&store->db, sql);
    char name[16];
    if (row)
        return row;
    (void)snprintf(name, sizeof name, "p%u", store->db.prepared + 1);
    if (!store->pq.sendPrepare(store->conn, name, sql, 0, NULL)) {
        (void)failed(store, NULL, "prepare", err);
        return NULL;
    }
    if (!take_all(store, "prepare", ANSWER_MS, err)) {
        store->db.prepared++;
        return NULL;
    }
    row = db_statement_add(&store->db, sql);
    if (!row)
        (void)err_set(err, ERR_LIMIT, "out of memory");
    return row;
}

/* Numbers go as text, which fits whatever integer the statement wants; all else as its bytes. */
static bool send_statement(struct store *store, const struct db_statement *statement,
                           const struct db_value *param, size_t nparams, struct err *err)
{
    char name[16], number[DB_PARAMS_MAX][INT_TEXT];
    const char *value[DB_PARAMS_MAX];
    int length[DB_PARAMS_MAX], binary[DB_PARAMS_MAX];
    (void)snprintf(name, sizeof name, "p%u", statement->number);
    for (size_t i = 0; i < nparams; i++) {
        const struct db_value *v = &param[i];
        if (v->text.len > INT32_MAX)
            return err_set(err, ERR_LIMIT, "a value of %zu bytes is too large", v->text.len);
        value[i] = NULL;
        length[i] = (int)v->text.len;
        binary[i] = v->kind != DB_INT;
        if (v->kind == DB_INT) {
            length[i] = snprintf(number[i], INT_TEXT, "%lld", (long long)v->integer);
            value[i] = number[i];
        } else if (v->kind == DB_BYTES) {
            value[i] = v->text.ptr ? v->text.ptr : "";
        } else if (v->kind == DB_TEXT) {
            value[i] = v->text.ptr;
        }
    }
    return store->pq.sendQueryPrepared(store->conn, name, (int)nparams, value, length, binary, 1) ||
           failed(store, NULL, "send", err);
}

static bool run(struct db *db, const char *sql, const struct db_value *param, size_t nparams,
                struct err *err)
{
    struct store *store = store_of(db);
    const struct db_statement *statement;
    return connected(store, err) && (statement = statement_of(store, sql, err)) &&
           send_statement(store, statement, param, nparams, err) &&
           take_all(store, "write", ANSWER_MS, err);
}

static bool script(struct db *db, const char *sql, struct err *err)
{
    return connected(store_of(db), err) && simple(store_of(db), sql, "run", SCRIPT_MS, err);
}

struct view {
    struct db_row row;
    struct store *store;
    int at;
};

static struct db_value column(const struct db_row *row, size_t at)
{
    const struct view *view = (const struct view *)(const void *)row;
    const struct libpq *pq = &view->store->pq;
    const PGresult *result = row->result;
    int i = (int)at;
    if (pq->getisnull(result, view->at, i))
        return DB_PARAM_NULL;
    const char *bytes = pq->getvalue(result, view->at, i);
    size_t len = (size_t)pq->getlength(result, view->at, i);
    Oid type = pq->ftype(result, i);
    struct str text = {bytes, len};
    if (type == OID_BYTEA)
        return DB_PARAM_BYTES(text);
    if (type != OID_INT8 && type != OID_INT4 && type != OID_INT2 && type != OID_BOOL)
        return DB_PARAM_TEXT(text);
    uint64_t n = len && (bytes[0] & 0x80) ? UINT64_MAX : 0; /* big-endian, sign extended */
    for (size_t b = 0; b < len; b++)
        n = n << 8 | (unsigned char)bytes[b];
    return DB_PARAM_INT((int64_t)n);
}

static bool give_rows(struct store *store, PGresult *result,
                      bool (*row)(void *ctx, const struct db_row *row, struct err *err), void *ctx,
                      struct err *err)
{
    int n = store->pq.ntuples(result);
    struct view view = {{&store->db, result, (size_t)store->pq.nfields(result)}, store, 0};
    for (; view.at < n; view.at++)
        if (!row(ctx, &view.row, err))
            return false;
    return true;
}

static bool query(struct db *db, const char *sql, const struct db_value *param, size_t nparams,
                  bool (*row)(void *ctx, const struct db_row *row, struct err *err), void *ctx,
                  struct err *err)
{
    struct store *store = store_of(db);
    const struct db_statement *statement;
    bool good = true, ok = true;
    if (!connected(store, err) || !(statement = statement_of(store, sql, err)) ||
        !send_statement(store, statement, param, nparams, err))
        return false;
    (void)store->pq.setSingleRowMode(store->conn);
    for (;;) {
        PGresult *result = next_result(store, clock_monotonic_ms() + ANSWER_MS, &ok, err);
        if (!result)
            return ok && good;
        ExecStatusType status = store->pq.resultStatus(result);
        if (good && status != PGRES_SINGLE_TUPLE && !is_good(&store->pq, result))
            good = failed(store, result, "read", err);
        else if (good)
            good = give_rows(store, result, row, ctx, err);
        store->pq.clear(result);
        if (!good && lost(store))
            return false;
    }
}

/* --- many statements at once --- */

/* Everything up to the mark; NULL between statements is not the end. */
static bool empty_pipeline(struct store *store, struct err *err)
{
    int64_t until = clock_monotonic_ms() + ANSWER_MS;
    bool good = true, ok = true;
    if (!store->pq.pipelineSync(store->conn))
        return failed(store, NULL, "send", err);
    for (;;) {
        PGresult *result = next_result(store, until, &ok, err);
        if (!ok)
            return false;
        if (!result && lost(store))
            return good ? failed(store, NULL, "write", err) : false;
        if (!result)
            continue;
        ExecStatusType status = store->pq.resultStatus(result);
        if (good && status != PGRES_PIPELINE_SYNC && !is_good(&store->pq, result))
            good = failed(store, result, "write", err);
        store->pq.clear(result);
        if (status == PGRES_PIPELINE_SYNC)
            return good;
    }
}

static bool run_many(struct db *db, const char *sql, size_t nparams,
                     bool (*next)(void *ctx, struct db_value *param), void *ctx, struct err *err)
{
    struct store *store = store_of(db);
    struct db_value param[DB_PARAMS_MAX] = {0};
    const struct db_statement *statement;
    bool more = true, good = true;
    if (!connected(store, err) || !(statement = statement_of(store, sql, err)))
        return false;
    if (!store->pq.enterPipelineMode(store->conn))
        return failed(store, NULL, "send", err);
    while (more && good) {
        size_t n = 0;
        while (good && n < BATCH && (more = next(ctx, param))) {
            good = db_params_good(param, nparams, err) &&
                   send_statement(store, statement, param, nparams, err);
            n += good;
        }
        struct err *told = good ? err : NULL; /* the first trouble is the one that is told */
        if ((n || !good) && !lost(store))
            good &= empty_pipeline(store, told);
    }
    if (!lost(store) && !store->pq.exitPipelineMode(store->conn))
        drop(store);
    return good;
}

/* --- what others say --- */

static bool listen_to(struct db *db, const char *channel, struct err *err)
{
    char sql[80];
    struct store *store = store_of(db);
    (void)snprintf(sql, sizeof sql, "LISTEN %s", channel);
    return connected(store, err) && simple(store, sql, "listen", ANSWER_MS, err);
}

static enum db_told was_told(struct store *store)
{
    enum db_told told = DB_TOLD_NOTHING;
    for (PGnotify *said; (said = store->pq.notifies(store->conn)) != NULL;) {
        enum db_told one = said->extra && *said->extra ? DB_TOLD_WORD : DB_TOLD;
        told = one > told ? one : told;
        store->pq.freemem(said);
    }
    return told;
}

static bool wait_told(struct db *db, int fd, int timeout_ms, enum db_told *ret_told,
                      struct err *err)
{
    struct store *store = store_of(db);
    if (lost(store))
        return failed(store, NULL, "listen", err);
    *ret_told = was_told(store); /* it came with an answer to something else */
    struct pollfd fds[] = {{.fd = store->pq.socket(store->conn), .events = POLLIN},
                           {.fd = fd, .events = POLLIN}};
    if (*ret_told || poll(fds, 2, timeout_ms) <= 0 || !fds[0].revents)
        return true;
    if (!store->pq.consumeInput(store->conn) || lost(store))
        return failed(store, NULL, "listen", err);
    *ret_told = was_told(store);
    return true;
}

/* --- the handle --- */

static void close_store(struct db *db)
{
    struct store *store = store_of(db);
    if (store->conn)
        store->pq.finish(store->conn);
    free(store->password);
    free(store->url);
    free(store);
}

static const struct db_ops postgres_ops = {.close = close_store,
                                           .begin = begin,
                                           .commit = commit,
                                           .rollback = rollback,
                                           .run = run,
                                           .script = script,
                                           .query = query,
                                           .run_many = run_many,
                                           .listen = listen_to,
                                           .wait = wait_told,
                                           .forget = forget,
                                           .column = column};

/* "postgres://USER@HOST/DATABASE": neither the password nor options, one of which may be one. */
static void show(struct str url, struct buf *out)
{
    size_t from = str_find(url, STR("://"), 0) + 3;
    size_t to = str_find_char(url, '?', from);
    struct str rest = str_sub(url, from, to == SIZE_MAX ? url.len : to), user;
    size_t at = SIZE_MAX;
    for (size_t i = 0; i < rest.len; i++) /* a password may hold '@' and '/' by mistake */
        at = rest.ptr[i] == '@' ? i : at;
    buf_str(out, STR("postgres://"));
    if (at != SIZE_MAX) {
        struct str before = str_sub(rest, 0, at);
        (void)str_cut(&before, ':', &user);
        buf_printf(out, "%.*s@", STR_ARG(user));
        rest = str_sub(rest, at + 1, rest.len);
    }
    buf_str(out, rest);
}

static char *password_of(struct store *store)
{
    PQconninfoOption *said = store->pq.conninfoParse(store->url, NULL);
    char *found = NULL;
    for (PQconninfoOption *word = said; word && word->keyword; word++)
        if (word->val && *word->val && strcmp(word->keyword, "password") == 0)
            found = db_copy(str_from(word->val));
    store->pq.conninfoFree(said);
    return found;
}

bool db_postgres_open(struct db **ret, struct str url, const struct db_options *options,
                      struct err *err)
{
    struct buf shown = {.limit = URL_BYTES_MAX};
    if (url.len > URL_BYTES_MAX / 2)
        return err_set(err, ERR_USAGE, "the store's URL is longer than %d bytes",
                       URL_BYTES_MAX / 2);
    struct store *store = calloc(1, sizeof *store);
    if (!store)
        return err_set(err, ERR_LIMIT, "out of memory");
    show(url, &shown);
    store->db = (struct db){.ops = &postgres_ops,
                            .kind = DB_POSTGRES,
                            .shown = {shown.ptr, shown.len},
                            .options = options ? *options : (struct db_options){0}};
    if (store->db.options.timeout_ms <= 0)
        store->db.options.timeout_ms = DB_TIMEOUT_MS;
    store->url = db_copy(url);
    bool ok = buf_ok(&shown, err) && load(&store->pq, err) &&
              (store->url || err_set(err, ERR_LIMIT, "out of memory"));
    if (ok) {
        store->password = password_of(store);
        ok = connect_again(store, err);
    }
    if (!ok) {
        db_close(&store->db);
        return false;
    }
    *ret = &store->db;
    return true;
}
