/* audit.c - appending: a line, its place in the chain and in the tree, in one transaction. */
#include "record/audit.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "record/audit_head.h"
#include "record/audit_key.h"
#include "record/audit_line.h"
#include "record/record.h"

struct append {
    struct record *record;
    struct hasher *hasher;
    struct audit_head head;
};

/* As a column of the store holds it. */
static struct str column_text(struct arena *arena, struct str text)
{
    if (utf8_bad_at(text) == SIZE_MAX && !memchr(text.ptr ? text.ptr : "", '\0', text.len))
        return text.ptr ? text : STR("");
    char *out = arena_new_raw(arena, char, 3 * text.len);
    size_t n = 0;
    for (size_t at = 0; out && at < text.len;) {
        uint32_t c = utf8_next(text, &at);
        n += utf8_put(c ? c : 0xfffd, out + n);
    }
    return (struct str){out, n};
}

/* What the tiles say of the last whole subtree must be what the events said when they came. */
static bool check_tiles(const struct append *a, struct err *err)
{
    struct audit_nodes nodes;
    struct digest node;
    uint64_t size = (uint64_t)a->head.size;
    unsigned level = (unsigned)__builtin_ctzll(size);
    if (!audit_nodes_open(&nodes, a->record->db, a->head.size, err))
        return false;
    bool ok = audit_node(&nodes, level, (size >> level) - 1, &node, err);
    audit_nodes_close(&nodes);
    if (!ok)
        return false;
    return digest_equal(&node, &a->head.edge.root[merkle_range_count(size) - 1]) ||
           err_set(err, ERR_CONFLICT,
                   "events before %llu are not what they were when they were written: `plumb audit "
                   "verify` names them. Nothing more is appended: keep this store as evidence and "
                   "begin another",
                   (unsigned long long)size);
}

/* The events of one call up to the next whole tile, one row each. */
struct rows {
    struct append *append;
    const struct event *event;
    size_t n;
    struct arena arena; /* of one row */
    struct buf line;
    struct err *err;
    bool failed;
};

static bool print_event(struct rows *rows, struct event *timed)
{
    struct append *a = rows->append;
    struct audit_head *head = &a->head;
    struct digest leaf;
    rows->line.len = 0;
    if (timed->time_utc_ms == 0)
        timed->time_utc_ms = record_now(a->record);
    if (!audit_line_print(&rows->line, timed, head->size, head->size ? &head->last : NULL,
                          rows->err))
        return err_wrap(rows->err, "audit event %s", event_type_name(timed->type));
    struct str text = buf_view(&rows->line);
    return (merkle_leaf(a->hasher, text, &leaf) &&
            hasher_sha256(a->hasher, &text, 1, &head->last) &&
            merkle_range_add(a->hasher, &head->edge, &leaf)) ||
           err_set(rows->err, ERR_LIMIT, "SHA-256 failed");
}

static bool next_event(void *ctx, struct db_value *param)
{
    struct rows *rows = ctx;
    if (!rows->n)
        return false;
    struct event timed = *rows->event;
    arena_reset(&rows->arena);
    struct str stack = column_text(&rows->arena, timed.stack);
    struct str actor = column_text(&rows->arena, timed.actor.name);
    rows->failed = !((stack.ptr && actor.ptr) || arena_full(&rows->arena, rows->err)) ||
                   !print_event(rows, &timed);
    if (rows->failed)
        return false;
    param[0] = DB_PARAM_INT(rows->append->head.size++);
    param[1] = DB_PARAM_INT(timed.time_utc_ms);
    param[2] = DB_PARAM_TEXT(str_from(event_type_name(timed.type)));
    param[3] = DB_PARAM_TEXT(stack);
    param[4] = DB_PARAM_TEXT(actor);
    param[5] = DB_PARAM_TEXT(buf_view(&rows->line));
    rows->event++;
    rows->n--;
    return true;
}

static bool insert_rows(struct rows *rows, struct err *err)
{
    static const char sql[] = "INSERT INTO audit_event (seq, utc_ms, type, stack, actor, line) "
                              "VALUES ($1, $2, $3, $4, $5, $6)";
    struct db *db = rows->append->record->db;
    struct db_value row[6];
    bool one = rows->n == 1; /* needs no pipeline */
    bool ok = one ? next_event(rows, row) && db_run(db, sql, row, 6, err)
                  : db_run_many(db, sql, 6, next_event, rows, err);
    return ok && !rows->failed;
}

static bool add_events(struct append *a, const struct event *event, size_t n, struct err *err)
{
    struct rows rows = {.append = a,
                        .arena = {.limit = 4 * (size_t)AUDIT_LINE_MAX},
                        .line = {.limit = AUDIT_LINE_MAX},
                        .err = err};
    bool ok = true;
    for (size_t done = 0; ok && done < n; done += (size_t)(rows.event - &event[done])) {
        size_t room = TILE_WIDTH - (size_t)a->head.size % TILE_WIDTH;
        rows.event = &event[done];
        rows.n = n - done < room ? n - done : room;
        ok = insert_rows(&rows, err) &&
             (a->head.size % TILE_WIDTH != 0 ||
              (audit_tiles_write(a->record->db, a->hasher, &a->head, err) && check_tiles(a, err)));
    }
    arena_free(&rows.arena);
    buf_free(&rows.line);
    return ok;
}

/* Event 0: the log's name and, where there is one, its key. */
static bool start_log(struct append *a, struct arena *arena, struct err *err)
{
    struct str origin = a->record->audit->origin, vkey;
    struct note_key key;
    enum audit_key_found found;
    struct value_member member[2];
    struct event event = {
        .type = EVENT_LOG_START, .actor = {STR("plumb"), STR("none")}, .outcome = STR("begun")};
    size_t n = 0;
    if (origin.len && !note_name_ok(origin))
        return err_set(err, ERR_USAGE, "audit.origin '%.*s': no blanks and no '+'",
                       STR_ARG(origin));
    if (!audit_key_open(a->record, arena, origin, true, &key, &found, err))
        return false;
    if (found == AUDIT_KEY_FOUND)
        origin = key.name;
    else if (!origin.len && !audit_key_new_origin(arena, &origin, err))
        return false;
    member[n++] = (struct value_member){key_make(arena, STR("origin")), value_string(origin)};
    if (found == AUDIT_KEY_FOUND) {
        vkey = note_key_verifier(arena, &key);
        note_key_wipe(&key);
        if (!vkey.ptr)
            return arena_full(arena, err);
        member[n++] = (struct value_member){key_make(arena, STR("key")), value_string(vkey)};
    }
    if (!member[0].key || !member[n - 1].key)
        return arena_full(arena, err);
    a->head.origin = origin;
    return value_members(VALUE_OBJECT, member, n, &event.detail, NULL, err) &&
           add_events(a, &event, 1, err);
}

static bool append_all(struct append *a, struct arena *arena, const struct event *event, size_t n,
                       int64_t *ret_first, struct err *err)
{
    if (!audit_head_read(a->record->db, arena, &a->head, err) ||
        (a->head.size == 0 && !start_log(a, arena, err)))
        return false;
    int64_t first = a->head.size;
    if (!add_events(a, event, n, err) || !audit_head_write(a->record->db, &a->head, err))
        return false;
    if (ret_first)
        *ret_first = first;
    return true;
}

bool audit_append_many(struct record *record, const struct event *event, size_t n,
                       int64_t *ret_first, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    if (!db_in_transaction(record->db))
        return err_set(err, ERR_USAGE, "an audit event is appended within a transaction");
    struct append a = {.record = record, .hasher = hasher_open(err)};
    if (!a.hasher)
        return false;
    bool ok = append_all(&a, &arena, event, n, ret_first, err);
    hasher_close(a.hasher);
    return ok || err_wrap(err, "audit log");
}

bool audit_append(struct record *record, const struct event *event, int64_t *ret_seq,
                  struct err *err)
{
    return audit_append_many(record, event, 1, ret_seq, err);
}

bool audit_write(struct record *record, const struct event *event, int64_t *ret_seq,
                 struct err *err)
{
    int64_t seq = 0;
    if (!db_begin(record->db, DB_WRITE, err))
        return err_wrap(err, "audit log");
    if (!audit_append(record, event, &seq, err) || !db_commit(record->db, err)) {
        db_rollback(record->db);
        return false;
    }
    if (ret_seq)
        *ret_seq = seq;
    return true;
}

bool audit_size(struct record *record, int64_t *ret, struct err *err)
{
    return db_one_int(record->db, "SELECT size FROM audit_head WHERE id = 1", NULL, 0, ret, err);
}
