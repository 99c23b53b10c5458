/* cmd_audit_show.c - `plumb audit show SEQ`: one event, its digests, and what vouches for it. */
#include <assert.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/audit_setup.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "record/tree.h"
#include "report/json_out.h"
#include "wire/json.h"

enum { OUTPUT, CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [OUTPUT] = ROW_TEXT_OR_JSON,
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct shown {
    int64_t seq, checkpoint; /* checkpoint: of how many events; 0 = none yet */
    struct str line;
    struct value event;
    char digest[DIGEST_HEX + 1], leaf[DIGEST_HEX + 1];
};

static bool load(struct record *record, struct arena *arena, struct shown *s, struct err *err)
{
    struct db_value at = DB_PARAM_INT(s->seq);
    struct digest digest, leaf;
    if (!db_one_text(record->db, arena, "SELECT line FROM audit_event WHERE seq = $1", &at, 1,
                     &s->line, err))
        return err->kind != ERR_NONE
                   ? false
                   : err_set(err, ERR_USAGE, "the store has no event %lld", (long long)s->seq);
    if (!db_one_int(record->db,
                    "SELECT coalesce(min(size), 0) FROM audit_checkpoint WHERE size > $1", &at, 1,
                    &s->checkpoint, err) ||
        !json_parse(arena, s->line, "event", JSON_DEFAULT, &s->event, err))
        return false;
    struct hasher *hasher = hasher_open(err);
    if (!hasher)
        return false;
    bool ok = hasher_sha256(hasher, &s->line, 1, &digest) && merkle_leaf(hasher, s->line, &leaf);
    hasher_close(hasher);
    digest_hex(&digest, s->digest);
    digest_hex(&leaf, s->leaf);
    return ok || err_set(err, ERR_LIMIT, "SHA-256 failed");
}

static void give_json(struct buf *out, const struct shown *s)
{
    struct jsonw w;
    json_open(&w, out);
    jsonw_key(&w, STR("event"));
    jsonw_value(&w, &s->event);
    jsonw_member_string(&w, STR("digest"), str_from(s->digest));
    jsonw_member_string(&w, STR("leaf"), str_from(s->leaf));
    jsonw_key(&w, STR("checkpoint"));
    s->checkpoint ? jsonw_int(&w, s->checkpoint) : jsonw_null(&w);
    json_close(&w);
}

static void give_text(struct buf *out, const struct shown *s)
{
    struct jsonw w = {.out = out, .indent = 2};
    jsonw_value(&w, &s->event);
    buf_printf(out, "\n\ndigest      sha256:%s\nleaf        %s\n", s->digest, s->leaf);
    if (s->checkpoint)
        buf_printf(out, "checkpoint  of %lld events and later ones\n", (long long)s->checkpoint);
    else
        buf_str(out, STR("checkpoint  none yet: `plumb audit checkpoint`\n"));
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct shown s = {.seq = 0};
    struct record record;
    if (!audit_take_seq(in->args[0], &s.seq, err) ||
        !audit_open(&arena, app, &in->value[CONFIG], &in->value[STORE], AUDIT_READ, &record, err))
        return false;
    bool ok = load(&record, &arena, &s, err);
    record_close(&record);
    if (!ok)
        return false;
    str_equal(in->value[OUTPUT].text, STR("json")) ? give_json(&out, &s) : give_text(&out, &s);
    if (!buf_ok(&out, err))
        return false;
    (void)fwrite(out.ptr, 1, out.len, app->out);
    *ret_exit = 0;
    return true;
}

const struct command cmd_audit_show = {.name = "audit show",
                                       .usage = "plumb audit show SEQ [options]",
                                       .summary = "one event of the audit log, with its digests",
                                       .help = "  plumb audit show 17 --output json",
                                       .options = options,
                                       .noptions = OPTION_COUNT,
                                       .args_least = 1,
                                       .args_most = 1,
                                       .run = run};
