/* run.c - a run of a stack in the store: that it began, how it ended, what it looked at. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/utf8.h"
#include "record/findings.h"
#include "record/findings_parts.h"
#include "wire/json.h"

enum { COVERAGE_BYTES_MAX = 4 << 20, REASONS_MAX = 1000 };

struct db_value record_text(struct arena *arena, struct str s, size_t max_bytes)
{
    AUTO_BUF clean = {.limit = BUF_DEFAULT_LIMIT};
    char character[4];
    size_t bad = utf8_bad_at(s);
    bool nul = s.len && memchr(s.ptr, '\0', s.len);
    if (bad != SIZE_MAX || nul) {
        for (size_t at = 0; at < s.len;) {
            uint32_t c = utf8_next(s, &at);
            buf_add(&clean, character, utf8_put(c ? c : 0xfffd, character));
        }
        s = arena_dup(arena, buf_view(&clean));
    }
    if (s.len > max_bytes) {
        s.len = max_bytes;
        while (s.len && ((unsigned char)s.ptr[s.len] & 0xc0) == 0x80)
            s.len--;
    }
    return DB_PARAM_TEXT(s.ptr ? s : STR(""));
}

static struct db_value text(const struct record *record, struct str s)
{
    return record_text(record->arena, s, SIZE_MAX);
}

/* --- beginning --- */

static bool insert_run(struct record *record, const struct run_start *start, int64_t run,
                       struct err *err)
{
    const struct db_value row[] = {DB_PARAM_INT(run),
                                   text(record, start->stack),
                                   DB_PARAM_INT(record_now(record)),
                                   text(record, start->actor.name),
                                   text(record, start->actor.how),
                                   text(record, start->policy),
                                   text(record, start->config),
                                   DB_PARAM_TEXT(STR(PLUMB_VERSION)),
                                   text(record, start->trace)};
    return db_run(
        record->db,
        "INSERT INTO run (id, stack, outcome, started_utc_ms, actor, actor_how, source,"
        " desired, live, revision, branch, dirty, policy, config, digest, failed,"
        " coverage, plumb, trace) VALUES ($1, $2, 'running', $3, $4, $5, '', '', '', '', '',"
        " 0, $6, $7, '', '', '', $8, $9)",
        row, sizeof row / sizeof *row, err);
}

static bool touch_stack(struct record *record, const struct run_start *start, int64_t run,
                        struct err *err)
{
    const struct db_value row[] = {text(record, start->stack),       text(record, start->path),
                                   text(record, start->environment), text(record, start->owner),
                                   DB_PARAM_INT(record_now(record)), DB_PARAM_INT(run)};
    if (start->keep_stack)
        return db_run(record->db, "UPDATE stack SET last_run = $2 WHERE name = $1",
                      (const struct db_value[]){row[0], row[5]}, 2, err);
    return db_run(record->db,
                  "INSERT INTO stack (name, path, environment, owner, first_utc_ms, last_run)"
                  " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO UPDATE SET"
                  " path = excluded.path, environment = excluded.environment,"
                  " owner = excluded.owner, last_run = excluded.last_run, retired_utc_ms = NULL",
                  row, sizeof row / sizeof *row, err);
}

static bool begin_in(struct record *record, const struct run_start *start, int64_t *ret_run,
                     struct err *err)
{
    return record_next_id(record, "SELECT coalesce(max(id), 0) + 1 FROM run", ret_run, err) &&
           insert_run(record, start, *ret_run, err) &&
           tell_run_start(record, start, *ret_run, err) &&
           touch_stack(record, start, *ret_run, err);
}

bool record_next_id(struct record *record, const char *sql, int64_t *ret, struct err *err)
{
    return db_one_int(record->db, sql, NULL, 0, ret, err);
}

bool run_begin(struct record *record, const struct run_start *start, int64_t *ret_run,
               struct err *err)
{
    int64_t run = 0;
    bool own = !db_in_transaction(record->db);
    if (own && !db_begin(record->db, DB_WRITE, err))
        return err_wrap(err, "record the scan of %.*s", STR_ARG(start->stack));
    if (!begin_in(record, start, &run, err) || (own && !db_commit(record->db, err))) {
        if (own)
            db_rollback(record->db);
        return err_wrap(err, "record the scan of %.*s", STR_ARG(start->stack));
    }
    *ret_run = run;
    return true;
}

/* --- what it looked at --- */

static bool print_coverage(struct buf *out, const struct coverage *c, struct err *err)
{
    struct jsonw w = {.out = out};
    const struct {
        struct str key;
        uint64_t n;
    } counts[] = {
        {STR("resources"), c->resources},
        {STR("compared"), c->compared},
        {STR("same"), c->same},
        {STR("different"), c->different},
        {STR("missing"), c->missing},
        {STR("unmanaged"), c->unmanaged},
        {STR("unchecked"), c->unchecked},
        {STR("ignored"), c->ignored},
        {STR("attributes_compared"), c->attributes_compared},
        {STR("attributes_not_observed"), c->attributes_not_observed},
    };
    jsonw_object_open(&w);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        jsonw_member_int(&w, counts[i].key, (int64_t)counts[i].n);
    jsonw_key(&w, STR("unchecked_reasons"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < c->nreasons && i < REASONS_MAX; i++) {
        jsonw_object_open(&w);
        jsonw_member_string(&w, STR("reason"), c->reasons[i].reason);
        jsonw_member_int(&w, STR("resources"), (int64_t)c->reasons[i].resources);
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
    jsonw_object_close(&w);
    return buf_ok(out, err);
}

static int by_text(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* Two runs that saw the same have the same digest: figures, findings and their values. */
static bool digest_result(struct arena *arena, const struct lives *lives, struct str coverage,
                          struct str *ret, struct err *err)
{
    struct str *lines = arena_new(arena, struct str, lives->nseen);
    struct digest digest;
    struct sha256 *sha;
    if (!lines)
        return arena_full(arena, err);
    for (size_t i = 0; i < lives->nseen; i++) {
        lines[i] = arena_printf(arena, "%s %.*s", lives->seen[i].finding->fingerprint,
                                STR_ARG(lives->seen[i].digest));
        if (!lines[i].ptr)
            return arena_full(arena, err);
    }
    if (lives->nseen > 1)
        qsort(lines, lives->nseen, sizeof *lines, by_text);
    if (!(sha = sha256_open(err)))
        return false;
    sha256_add_field(sha, coverage);
    for (size_t i = 0; i < lives->nseen; i++)
        sha256_add_field(sha, lines[i]);
    if (!sha256_close(sha, &digest, err))
        return false;
    return digest_text(arena, &digest, ret, err);
}

struct str run_outcome(const struct run_finish *finish)
{
    const struct stack_result *result = finish->result;
    return finish->retired                   ? STR("retired")
           : result->failed.len              ? STR("failed")
           : finish->partial                 ? STR("partial")
           : result->coverage.unchecked != 0 ? STR("incomplete")
                                             : STR("complete");
}

static bool note_complete(struct record *record, const struct run_finish *finish, int64_t now,
                          struct err *err)
{
    const struct db_value done[] = {text(record, finish->start->stack), DB_PARAM_INT(finish->run),
                                    DB_PARAM_INT(now)};
    return db_run(record->db,
                  "UPDATE stack SET complete_run = $2, complete_utc_ms = $3 WHERE name = $1", done,
                  3, err);
}

/* What a scan of the whole stack could not look at stays so until one could: those of some targets
 * that come between do not make up for it. */
static bool note_failure(struct record *record, const struct run_start *start, int64_t run,
                         struct str outcome, struct err *err)
{
    bool failed = str_equal(outcome, STR("failed")) && !start->narrow;
    const struct db_value row[] = {text(record, start->stack),
                                   failed ? DB_PARAM_INT(run) : DB_PARAM_NULL};
    if (!failed && !str_equal(outcome, STR("complete")) && !str_equal(outcome, STR("incomplete")))
        return true;
    return db_run(record->db,
                  failed ? "UPDATE stack SET failed_run = $2 WHERE name = $1"
                         : "UPDATE stack SET failed_run = NULL WHERE name = $1 AND failed_run IS"
                           " NOT NULL",
                  row, failed ? 2 : 1, err);
}

bool run_update(struct record *record, struct arena *arena, const struct run_finish *finish,
                const struct lives *lives, struct str *ret_digest, struct err *err)
{
    static const struct revision none;
    const struct stack_result *r = finish->result;
    const struct revision *revision = r->revision ? r->revision : &none;
    AUTO_BUF coverage = {.limit = COVERAGE_BYTES_MAX};
    struct str digest = {0}, outcome = run_outcome(finish);
    int64_t now = lives->now;
    if (!print_coverage(&coverage, &r->coverage, err) ||
        !digest_result(arena, lives, buf_view(&coverage), &digest, err))
        return false;
    const struct db_value row[] = {DB_PARAM_INT(finish->run),
                                   text(record, outcome),
                                   DB_PARAM_INT(now),
                                   text(record, r->source),
                                   text(record, r->desired),
                                   text(record, r->live),
                                   text(record, revision->commit),
                                   text(record, revision->branch),
                                   DB_PARAM_INT(revision->dirty),
                                   text(record, digest),
                                   finish->live_utc_ms ? DB_PARAM_INT(finish->live_utc_ms)
                                                       : DB_PARAM_NULL,
                                   text(record, r->failed),
                                   text(record, buf_view(&coverage)),
                                   text(record, revision->repository),
                                   text(record, r->note)};
    if (!db_run(record->db,
                "UPDATE run SET outcome = $2, ended_utc_ms = $3, source = $4, desired = $5,"
                " live = $6, revision = $7, branch = $8, dirty = $9, digest = $10,"
                " live_utc_ms = $11, failed = $12, coverage = $13, repository = $14,"
                " note = $15"
                " WHERE id = $1 AND ended_utc_ms IS NULL",
                row, sizeof row / sizeof *row, err))
        return false;
    if (db_changed(record->db) != 1)
        return err_set(err, ERR_CONFLICT, "run %lld has ended already, or was taken out",
                       (long long)finish->run);
    *ret_digest = digest;
    return note_failure(record, finish->start, finish->run, outcome, err) &&
           (!str_equal(outcome, STR("complete")) || note_complete(record, finish, now, err));
}

/* --- an end without a result --- */

/* The run before is the last one again. */
static bool forget_last(struct record *record, int64_t run, struct err *err)
{
    const struct db_value param = DB_PARAM_INT(run);
    return db_run(record->db,
                  "UPDATE stack SET last_run = coalesce((SELECT max(id) FROM run WHERE run.stack ="
                  " stack.name AND run.outcome <> 'abandoned'), last_run) WHERE last_run = $1",
                  &param, 1, err);
}

static bool give_up_in(struct record *record, int64_t run, const struct run_start *start,
                       struct str outcome, struct str reason, struct err *err)
{
    const struct db_value row[] = {DB_PARAM_INT(run), DB_PARAM_INT(record_now(record)),
                                   text(record, reason), DB_PARAM_TEXT(outcome)};
    bool abandoned = str_equal(outcome, STR("abandoned"));
    return db_run(record->db,
                  "UPDATE run SET outcome = $4, ended_utc_ms = $2, failed = $3"
                  " WHERE id = $1 AND ended_utc_ms IS NULL",
                  row, 4, err) &&
           (db_changed(record->db) == 0 ||
            (note_failure(record, start, run, outcome, err) &&
             tell_run_failed(record, start, run, outcome, reason, err) &&
             (!abandoned || forget_last(record, run, err))));
}

static bool give_up(struct record *record, int64_t run, const struct run_start *start,
                    struct str outcome, struct str reason, struct err *err)
{
    bool own = !db_in_transaction(record->db);
    if (own && !db_begin(record->db, DB_WRITE, err))
        return false;
    if (!give_up_in(record, run, start, outcome, reason, err) ||
        (own && !db_commit(record->db, err))) {
        if (own)
            db_rollback(record->db);
        return err_wrap(err, "record that the scan of %.*s failed", STR_ARG(start->stack));
    }
    return true;
}

bool run_fail(struct record *record, int64_t run, const struct run_start *start, struct str reason,
              struct err *err)
{
    return give_up(record, run, start, STR("failed"), reason, err);
}

bool run_abandon(struct record *record, int64_t run, const struct run_start *start,
                 struct str reason, struct err *err)
{
    return give_up(record, run, start, STR("abandoned"), reason, err);
}

bool run_repository_before(struct record *record, struct arena *arena, struct str stack,
                           int64_t run, struct str *ret, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(stack), DB_PARAM_INT(run)};
    struct err none = {0};
    *ret = STR("");
    if (!db_one_text(record->db, arena,
                     "SELECT w.repository FROM (SELECT id, repository FROM run WHERE stack = $1"
                     " AND id < $2 ORDER BY id DESC LIMIT 50) w WHERE w.repository <> ''"
                     " ORDER BY w.id DESC LIMIT 1",
                     param, 2, ret, &none) &&
        none.kind) {
        if (err)
            *err = none;
        return false;
    }
    return true;
}
