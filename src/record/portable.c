/* portable.c - exporting and importing a store: the same walk over one list of tables. */
#include "record/portable.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "record/counts.h"
#include "record/db_parts.h"
#include "record/schema.h"
#include "wire/json.h"

enum {
    COLUMNS_MAX = DB_PARAMS_MAX,
    NAME_MAX_BYTES = 64,
    FLUSH_BYTES = 1 << 18,
    CHUNK = 1 << 16,
    SQL_BYTES_MAX = 16 << 10,
    FORM = 1
};

/* In the order in which rows may refer to one another. A test holds it against the schema. What
 * counts.h keeps follows from the findings. */
static const struct table {
    const char *name, *order;
    bool secret; /* only with_states */
} tables[] = {
    {"setting", "name", false},
    {"stack", "name", false},
    {"run", "id", false},
    {"finding", "id", false},
    {"finding_history", "id", false},
    {"finding_asked", "finding", false},
    {"baseline", "id", false},
    {"baseline_item", "stack, address, class, digest", false},
    {"review", "id", false},
    {"review_approval", "review, n", false},
    {"cover", "kind, id", false},
    {"cover_finding", "breakglass, finding", false},
    {"overdue", "finding, due_utc_ms", false},
    {"identity_stack", "stack", false},
    {"identity_resource", "id", false},
    {"identity", "hash, resource", false},
    {"activity", "id", false},
    {"activity_target", "stack, address, activity", false},
    {"activity_name", "hash, activity", false},
    {"activity_source", "source, cloud, account", false},
    {"audit_event", "seq", false},
    {"audit_tile", "level, n", false},
    {"audit_head", "id", false},
    {"audit_checkpoint", "size", false},
    {"touch", "stack, address", false},
    {"code_head", "place", false},
    {"remote_state", "stack", false},
    {"provider_config", "stack, name", false},
    {"lease", "stack", false},
    {"schedule", "stack, tier", false},
    {"alert_cursor", "name", false},
    {"alert_receiver", "name", false},
    {"alert_item", "id", false},
    {"alert_told", "receiver, finding", false},
    {"alert", "seq", false},
    {"alert_thread", "receiver, thread", false},
    {"stale", "stack", false},
    {"stack_home", "stack, home", false},
    {"permit", "token", true},
    {"token", "id", true},
    {"state", "stack", true},
    {"state_version", "stack, version", true},
    {"state_part", "stack, version, n", true},
};
enum { NTABLES = sizeof tables / sizeof *tables };

const char *store_table(size_t i)
{
    return i < NTABLES ? tables[i].name : NULL;
}

/* --- columns, as the database tells them --- */

struct column {
    char name[NAME_MAX_BYTES];
    enum db_value_kind kind;
};
struct columns {
    struct column column[COLUMNS_MAX];
    size_t n;
};

static bool take_column(void *ctx, const struct db_row *row, struct err *err)
{
    struct columns *columns = ctx;
    struct str name = db_text(row, 0), type = db_text(row, 1);
    if (columns->n == COLUMNS_MAX || name.len >= NAME_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "a table with more than %d columns", COLUMNS_MAX);
    struct column *c = &columns->column[columns->n++];
    *c = (struct column){.kind = DB_TEXT};
    memcpy(c->name, name.ptr, name.len);
    if (str_equal(type, STR("BIGINT")) || str_equal(type, STR("bigint")) ||
        str_equal(type, STR("INTEGER")))
        c->kind = DB_INT;
    else if (str_equal(type, STR("BLOB")) || str_equal(type, STR("bytea")))
        c->kind = DB_BYTES;
    return true;
}

/* Generated ones make themselves. */
static bool list_columns(struct db *db, const char *table, struct columns *ret, struct err *err)
{
    const struct db_value name = DB_PARAM_TEXT(str_from(table));
    ret->n = 0;
    return db_query(db,
                    db_kind(db) == DB_SQLITE
                        ? "SELECT name, type FROM pragma_table_xinfo($1) WHERE hidden = 0"
                          " ORDER BY cid"
                        : "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT) FROM"
                          " information_schema.columns WHERE table_name = $1 AND table_schema ="
                          " current_schema() AND is_generated = 'NEVER' ORDER BY ordinal_position",
                    &name, 1, take_column, ret, err) &&
           (ret->n || err_set(err, ERR_SYNTAX, "the store has no table %s", table));
}

static bool print_names(struct buf *sql, const struct columns *columns)
{
    for (size_t i = 0; i < columns->n; i++)
        buf_printf(sql, "%s%s", i ? ", " : "", columns->column[i].name);
    return !sql->failed;
}

/* --- out --- */

struct exporting {
    const struct export_options *options;
    struct columns columns;
    const struct table *table;
    struct buf out;
    struct sha256 *sha;
    struct arena scratch;
    int64_t rows;
};

static bool flush(struct exporting *e, struct err *err)
{
    struct str bytes = buf_view(&e->out);
    if (!buf_ok(&e->out, err))
        return false;
    sha256_add(e->sha, bytes);
    if (bytes.len && !e->options->write(e->options->ctx, bytes, err))
        return false;
    e->out.len = 0;
    return true;
}

static bool put_bytes(struct exporting *e, struct jsonw *w, struct str bytes, struct err *err)
{
    struct str text = base64_encode(&e->scratch, bytes);
    if (!text.ptr)
        return arena_full(&e->scratch, err);
    jsonw_object_open(w);
    jsonw_member_string(w, STR("base64"), text);
    jsonw_object_close(w);
    arena_reset(&e->scratch);
    return true;
}

static bool put_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct exporting *e = ctx;
    struct jsonw w = {.out = &e->out};
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("table"), str_from(e->table->name));
    jsonw_key(&w, STR("row"));
    jsonw_object_open(&w);
    for (size_t i = 0; i < e->columns.n; i++) {
        jsonw_key(&w, str_from(e->columns.column[i].name));
        if (db_is_null(row, i))
            jsonw_null(&w);
        else if (e->columns.column[i].kind == DB_INT)
            jsonw_int(&w, db_int(row, i));
        else if (e->columns.column[i].kind == DB_TEXT)
            jsonw_string(&w, db_text(row, i));
        else if (!put_bytes(e, &w, db_bytes(row, i), err))
            return false;
    }
    jsonw_object_close(&w);
    jsonw_object_close(&w);
    buf_char(&e->out, '\n');
    e->rows++;
    return e->out.len < FLUSH_BYTES || flush(e, err);
}

static bool export_table(struct exporting *e, struct db *db, struct err *err)
{
    AUTO_BUF sql = {.limit = SQL_BYTES_MAX};
    if (!list_columns(db, e->table->name, &e->columns, err))
        return false;
    buf_str(&sql, STR("SELECT "));
    (void)print_names(&sql, &e->columns);
    buf_printf(&sql, " FROM %s ORDER BY %s", e->table->name, e->table->order);
    buf_char(&sql, '\0');
    return buf_ok(&sql, err) && db_query(db, sql.ptr, NULL, 0, put_row, e, err);
}

static bool put_head(struct exporting *e, struct db *db, struct err *err)
{
    struct jsonw w = {.out = &e->out};
    int64_t version = 0;
    if (!schema_version(db, &version, err))
        return false;
    jsonw_object_open(&w);
    jsonw_member_int(&w, STR("plumb_export"), FORM);
    jsonw_member_int(&w, STR("schema"), version);
    jsonw_member_string(&w, STR("plumb"), STR(PLUMB_VERSION));
    jsonw_object_close(&w);
    buf_char(&e->out, '\n');
    return true;
}

static bool put_end(struct exporting *e, struct err *err)
{
    struct jsonw w = {.out = &e->out};
    struct digest digest;
    char hex[DIGEST_HEX + 1];
    struct sha256 *sha = e->sha;
    if (!flush(e, err))
        return false;
    e->sha = NULL;
    if (!sha256_close(sha, &digest, err))
        return false;
    digest_hex(&digest, hex);
    jsonw_object_open(&w);
    jsonw_member_bool(&w, STR("end"), true);
    jsonw_member_int(&w, STR("rows"), e->rows);
    jsonw_member_string(&w, STR("sha256"), str_from(hex));
    jsonw_object_close(&w);
    buf_char(&e->out, '\n');
    return buf_ok(&e->out, err) && e->options->write(e->options->ctx, buf_view(&e->out), err);
}

static bool export_all(struct exporting *e, struct db *db, struct err *err)
{
    if (!(e->sha = sha256_open(err)) || !put_head(e, db, err))
        return false;
    for (size_t i = 0; i < NTABLES; i++) {
        e->table = &tables[i];
        if ((!tables[i].secret || e->options->with_states) && !export_table(e, db, err))
            return err_wrap(err, "export %s", tables[i].name);
    }
    return put_end(e, err);
}

bool store_export(struct record *record, const struct export_options *options, int64_t *ret_rows,
                  struct err *err)
{
    struct exporting e = {.options = options,
                          .out = {.limit = BUF_DEFAULT_LIMIT},
                          .scratch = {.limit = ARENA_DEFAULT_LIMIT}};
    if (!db_begin(record->db, DB_READ, err))
        return false;
    bool ok = export_all(&e, record->db, err);
    db_rollback(record->db);
    if (e.sha)
        (void)sha256_close(e.sha, &(struct digest){0}, NULL);
    buf_free(&e.out);
    arena_free(&e.scratch);
    *ret_rows = e.rows;
    return ok;
}

/* --- in --- */

struct importing {
    const struct import_source *source;
    struct db *db;
    struct buf in; /* what was read and not taken yet */
    size_t at;     /* of it */
    size_t line;   /* number */
    bool over;     /* of the source */
    struct arena scratch;
    struct sha256 *sha; /* of the lines before the one in hand */
    struct value doc;   /* the line in hand */
    struct str text;    /* with its newline */
    const struct table *table;
    struct columns columns;
    int64_t rows;
    bool taken;     /* the line in hand is in the store */
    struct err err; /* of `next`, which cannot tell */
};

static bool complain(const struct importing *m, enum err_kind kind, struct err *err,
                     const char *what)
{
    return err_set(err, kind, "%s:%zu: %s", m->source->name, m->line, what);
}

static bool fill(struct importing *m, struct err *err)
{
    size_t n = 0;
    buf_consume(&m->in, m->at);
    m->at = 0;
    char *room = buf_room(&m->in, CHUNK);
    if (!room)
        return complain(m, ERR_LIMIT, err, "a line longer than an export has");
    if (!m->source->read(m->source->ctx, room, CHUNK, &n, err))
        return false;
    m->in.len += n;
    m->over = n == 0;
    return true;
}

/* The next line into m->text; empty at the end. */
static bool next_line(struct importing *m, struct err *err)
{
    for (size_t from = 0;;) {
        struct str rest = str_sub(buf_view(&m->in), m->at, m->in.len);
        size_t end = str_find_char(rest, '\n', from);
        if (end != SIZE_MAX) {
            m->text = str_sub(rest, 0, end + 1);
            m->at += end + 1;
            m->line++;
            return true;
        }
        if (m->over) {
            m->text = (struct str){0};
            m->line += rest.len > 0;
            return !rest.len || complain(m, ERR_SYNTAX, err, "the last line is cut short");
        }
        from = rest.len;
        if (!fill(m, err))
            return false;
    }
}

static bool next_doc(struct importing *m, struct err *err)
{
    if (m->text.len)
        sha256_add(m->sha, m->text);
    if (!next_line(m, err))
        return false;
    if (!m->text.len)
        return complain(m, ERR_SYNTAX, err, "the export is cut short: its last line is missing");
    arena_reset(&m->scratch);
    return json_parse(&m->scratch, str_trim(m->text), "line", JSON_DEFAULT, &m->doc, err) ||
           err_wrap(err, "%s:%zu", m->source->name, m->line);
}

static bool check_head(struct importing *m, struct err *err)
{
    int64_t form = 0, version = 0, mine = 0;
    if (!next_doc(m, err) || !schema_version(m->db, &mine, err))
        return false;
    if (!value_to_int64(value_get(&m->doc, STR("plumb_export")), &form) || form != FORM ||
        !value_to_int64(value_get(&m->doc, STR("schema")), &version))
        return complain(m, ERR_SYNTAX, err, "this is no export of a store (`plumb db export`)");
    return version == mine ||
           err_set(err, ERR_CONFLICT,
                   "%s is an export of schema %lld, this plumb has %lld: import it with the "
                   "plumb that wrote it, then `plumb db migrate`",
                   m->source->name, (long long)version, (long long)mine);
}

/* What the migrations put there themselves counts for nothing, nor does the digest of a key. */
static bool check_empty(struct importing *m, struct err *err)
{
    int64_t n = 0;
    for (size_t i = 0; i < NTABLES; i++) {
        char sql[120];
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM (SELECT 1 FROM %s LIMIT 1) t",
                       tables[i].name);
        if (strcmp(tables[i].name, "audit_head") == 0)
            (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM audit_head WHERE size > 0");
        if (strcmp(tables[i].name, "setting") == 0)
            continue;
        if (!db_one_int(m->db, sql, NULL, 0, &n, err))
            return false;
        if (n)
            return err_set(err, ERR_CONFLICT,
                           "%.*s is not empty (%s): an export goes into a new store",
                           STR_ARG(db_shown(m->db)), tables[i].name);
    }
    return db_script(m->db, "DELETE FROM audit_head; DELETE FROM setting", err);
}

static bool take_bytes(struct importing *m, const struct value *v, struct db_value *ret,
                       struct err *err)
{
    struct str bytes;
    const struct value *text = value_get(v, STR("base64"));
    if (!value_is_string(text) || v->len != 1 ||
        !base64_decode(&m->scratch, value_text(text), &bytes, NULL))
        return complain(m, ERR_SYNTAX, err, "want {\"base64\": ...}");
    *ret = DB_PARAM_BYTES(bytes);
    return true;
}

static bool take_value(struct importing *m, const struct column *c, const struct value *v,
                       struct db_value *ret, struct err *err)
{
    int64_t n;
    *ret = DB_PARAM_NULL;
    if (v && v->kind == VALUE_NULL)
        return true;
    if (c->kind == DB_BYTES && value_is_object_like(v))
        return take_bytes(m, v, ret, err);
    if (c->kind == DB_INT && value_to_int64(v, &n))
        *ret = DB_PARAM_INT(n);
    else if (c->kind == DB_TEXT && value_is_string(v))
        *ret = DB_PARAM_TEXT(v->len ? value_text(v) : STR(""));
    else
        return err_set(err, ERR_SYNTAX, "%s:%zu: %s.%s: %s", m->source->name, m->line,
                       m->table->name, c->name, v ? "a value of another kind" : "missing");
    return true;
}

/* The row in hand. */
static bool take_row(struct importing *m, struct db_value *param, struct err *err)
{
    const struct value *row = value_get(&m->doc, STR("row"));
    if (!value_is_object_like(row) || row->len != m->columns.n)
        return complain(m, ERR_SYNTAX, err, "a row with other columns than its table has");
    for (size_t i = 0; i < m->columns.n; i++)
        if (!take_value(m, &m->columns.column[i],
                        value_get(row, str_from(m->columns.column[i].name)), &param[i], err))
            return false;
    return true;
}

static bool is_of(const struct importing *m, const struct table *table)
{
    return str_equal(value_get_string(&m->doc, STR("table")), str_from(table->name));
}

/* Rows of one table, for db_run_many: the line in hand, and those behind it. */
static bool next_row(void *ctx, struct db_value *param)
{
    struct importing *m = ctx;
    if (m->taken && !next_doc(m, &m->err))
        return false;
    m->taken = false;
    if (!is_of(m, m->table) || !take_row(m, param, &m->err))
        return false;
    m->taken = true;
    m->rows++;
    return true;
}

static bool import_table(struct importing *m, struct err *err)
{
    AUTO_BUF sql = {.limit = SQL_BYTES_MAX};
    if (!list_columns(m->db, m->table->name, &m->columns, err))
        return false;
    buf_printf(&sql, "INSERT INTO %s (", m->table->name);
    (void)print_names(&sql, &m->columns);
    buf_str(&sql, STR(") VALUES ("));
    for (size_t i = 0; i < m->columns.n; i++)
        buf_printf(&sql, "%s$%zu", i ? ", " : "", i + 1);
    buf_char(&sql, ')');
    buf_char(&sql, '\0');
    if (!buf_ok(&sql, err) || !db_run_many(m->db, sql.ptr, m->columns.n, next_row, m, err))
        return err_wrap(err, "%s:%zu", m->source->name, m->line);
    if (m->err.kind && err)
        *err = m->err;
    return !m->err.kind;
}

static bool check_end(struct importing *m, struct err *err)
{
    struct digest digest;
    char hex[DIGEST_HEX + 1];
    int64_t rows = -1;
    struct sha256 *sha = m->sha;
    m->sha = NULL;
    if (!sha256_close(sha, &digest, err))
        return false;
    digest_hex(&digest, hex);
    if (!value_to_int64(value_get(&m->doc, STR("rows")), &rows) || rows != m->rows ||
        !str_equal(value_get_string(&m->doc, STR("sha256")), str_from(hex)))
        return complain(m, ERR_SYNTAX, err,
                        "the export was changed or damaged: its digest is another");
    return next_line(m, err) &&
           (!m->text.len || complain(m, ERR_SYNTAX, err, "something stands behind the end"));
}

static bool import_all(struct importing *m, struct err *err)
{
    if (!(m->sha = sha256_open(err)) || !check_empty(m, err) || !check_head(m, err) ||
        !next_doc(m, err))
        return false;
    for (size_t i = 0; i < NTABLES; i++) {
        m->table = &tables[i];
        m->taken = false;
        if (is_of(m, m->table) && !import_table(m, err))
            return false;
    }
    if (!value_get_bool(&m->doc, STR("end"), false))
        return complain(m, ERR_SYNTAX, err, "want a row of a table that follows, or the end");
    return check_end(m, err) && counts_rebuild(m->db, err);
}

bool store_import(struct record *record, const struct import_source *source, int64_t *ret_rows,
                  struct err *err)
{
    struct importing m = {.source = source,
                          .db = record->db,
                          .in = {.limit = IMPORT_LINE_MAX},
                          .scratch = {.limit = ARENA_DEFAULT_LIMIT}};
    if (!db_begin(record->db, DB_WRITE, err))
        return false;
    bool ok = import_all(&m, err) && db_commit(record->db, err);
    db_rollback(record->db);
    if (m.sha)
        (void)sha256_close(m.sha, &(struct digest){0}, NULL);
    buf_free(&m.in);
    arena_free(&m.scratch);
    *ret_rows = m.rows;
    return ok;
}
