/* cmd_status.c - `plumb status`: how every stack of the store stands. */
#include <assert.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/answering.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/finding_rows.h"
#include "cli/json_out.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "model/finding.h"
#include "report/parts.h"
#include "wire/json.h"

enum { OUTPUT, MAX_AGE, CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [OUTPUT] = ROW_TEXT_OR_JSON,
    [MAX_AGE] = {.name = "max-age",
                 .kind = OPTION_DURATION,
                 .arg = "TIME",
                 .least = 1000,
                 .text = "a stack whose last complete scan is older, such as 24h, is overdue"},
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct overview {
    struct stack_row *stack;
    size_t n;
    struct cover *cover[2]; /* by enum cover_kind: those that hold now */
    size_t ncovers[2];
    int64_t now_utc_ms, max_age_ms;
};

/* X(name, what it tells the reader): the worst that is true of a stack */
enum standing { STANDING_GOOD, STANDING_OPEN, STANDING_OVERDUE, STANDING_INCOMPLETE };
static const char *const standings[] = {"good", "open", "overdue", "incomplete"};

static enum standing standing_of(const struct overview *o, const struct stack_row *s)
{
    if (!s->complete_run || s->complete_run != s->last_run) {
        /* A run of some targets only says nothing about the rest, and takes nothing away. */
        if (!s->complete_run || !str_equal(s->last_outcome, STR("partial")))
            return STANDING_INCOMPLETE;
    }
    if (s->overdue || (o->max_age_ms && o->now_utc_ms - s->complete_utc_ms > o->max_age_ms))
        return STANDING_OVERDUE;
    return s->open ? STANDING_OPEN : STANDING_GOOD;
}

static void covers_json(struct jsonw *w, const struct overview *o, enum cover_kind kind)
{
    jsonw_key(w, kind == COVER_FREEZE ? STR("freezes") : STR("breakglasses"));
    jsonw_array_open(w);
    for (size_t i = 0; i < o->ncovers[kind]; i++)
        answering_json_cover(w, &o->cover[kind][i], o->now_utc_ms);
    jsonw_array_close(w);
}

static void put_covers(struct buf *out, const struct overview *o, enum cover_kind kind)
{
    char until[CLOCK_TEXT];
    bool freeze = kind == COVER_FREEZE;
    for (size_t i = 0; i < o->ncovers[kind]; i++) {
        const struct cover *c = &o->cover[kind][i];
        buf_printf(out, "%s %c%lld of ", freeze ? "freeze" : "breakglass", freeze ? 'F' : 'B',
                   (long long)c->id);
        text_safe(out, c->scope.len ? c->scope : STR("*"));
        if (c->address.len) {
            buf_str(out, STR(" at "));
            text_safe(out, c->address);
        }
        buf_printf(out, " until %s: ", clock_format(c->until_utc_ms, until));
        text_safe(out, c->reason);
        buf_char(out, '\n');
    }
}

static void write_json(struct buf *out, const struct overview *o)
{
    struct jsonw w;
    json_open(&w, out);
    jsonw_key(&w, STR("stacks"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < o->n; i++) {
        const struct stack_row *s = &o->stack[i];
        jsonw_object_open(&w);
        jsonw_member_string(&w, STR("name"), s->name);
        jsonw_member_string(&w, STR("standing"), str_from(standings[standing_of(o, s)]));
        text_json(&w, STR("path"), s->path);
        text_json(&w, STR("environment"), s->environment);
        text_json(&w, STR("owner"), s->owner);
        time_json(&w, STR("last_complete"), s->complete_utc_ms);
        jsonw_key(&w, STR("age_seconds"));
        if (s->complete_utc_ms)
            jsonw_int(&w, (o->now_utc_ms - s->complete_utc_ms) / 1000);
        else
            jsonw_null(&w);
        jsonw_key(&w, STR("last_scan"));
        jsonw_object_open(&w);
        jsonw_member_int(&w, STR("run"), s->last_run);
        jsonw_member_string(&w, STR("outcome"), s->last_outcome);
        time_json(&w, STR("time"), s->last_utc_ms);
        text_json(&w, STR("failed"), s->last_failed);
        jsonw_object_close(&w);
        jsonw_key(&w, STR("findings"));
        jsonw_object_open(&w);
        jsonw_member_int(&w, STR("open"), s->open);
        jsonw_member_int(&w, STR("overdue"), s->overdue);
        jsonw_member_int(&w, STR("reviewed"), s->reviewed);
        jsonw_member_int(&w, STR("waived"), s->waived);
        jsonw_member_int(&w, STR("ignored"), s->ignored);
        jsonw_member_int(&w, STR("resolved"), s->resolved);
        jsonw_object_close(&w);
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
    covers_json(&w, o, COVER_BREAKGLASS);
    covers_json(&w, o, COVER_FREEZE);
    json_close(&w);
}

static void put_column(struct buf *out, struct str text, size_t width)
{
    text_safe(out, text);
    text_pad(out, text_columns(text), width);
    buf_str(out, STR("  "));
}

static void put_count(struct buf *out, int64_t n, const char *what, const char **separator)
{
    if (!n)
        return;
    buf_printf(out, "%s%lld %s", *separator, (long long)n, what);
    *separator = ", ";
}

static void put_findings(struct buf *out, const struct stack_row *s)
{
    const char *separator = "";
    put_count(out, s->open, "open", &separator);
    put_count(out, s->overdue, "overdue", &separator);
    put_count(out, s->reviewed, "reviewed", &separator);
    put_count(out, s->waived, "waived", &separator);
    if (!*separator)
        buf_str(out, STR("no findings"));
}

static void write_text(struct buf *out, const struct overview *o)
{
    size_t width = 5;
    char age[24];
    for (size_t i = 0; i < o->n; i++)
        if (text_columns(o->stack[i].name) > width)
            width = text_columns(o->stack[i].name);
    if (!o->n) {
        buf_str(out, STR("no stack was scanned yet\n"));
        return;
    }
    put_column(out, STR("STACK"), width);
    buf_str(out, STR("STANDING    COMPLETE  FINDINGS\n"));
    for (size_t i = 0; i < o->n; i++) {
        const struct stack_row *s = &o->stack[i];
        put_column(out, s->name, width);
        put_column(out, str_from(standings[standing_of(o, s)]), 10);
        put_column(out,
                   s->complete_utc_ms ? age_text(age, o->now_utc_ms - s->complete_utc_ms)
                                      : STR("never"),
                   8);
        put_findings(out, s);
        if (s->last_run != s->complete_run)
            buf_printf(out, "; last scan %.*s", STR_ARG(s->last_outcome));
        if (s->last_failed.len) {
            buf_str(out, STR(": "));
            text_safe(out, s->last_failed);
        }
        buf_char(out, '\n');
    }
}

static int exit_code(const struct overview *o)
{
    for (size_t i = 0; i < o->n; i++)
        if (standing_of(o, &o->stack[i]) >= STANDING_OVERDUE)
            return EXIT_INCOMPLETE;
    return 0;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct overview o = {.now_utc_ms = app->now_ms(app->clock),
                         .max_age_ms = in->value[MAX_AGE].number};
    struct store_choice choice;
    struct record record = {0};
    if (!store_find(&arena, app, &in->value[CONFIG], &in->value[STORE], &choice, err) ||
        !store_open_settled(&arena, app, &choice, &record, err))
        return false;
    bool ok = stack_list(&record, &arena, o.now_utc_ms, &o.stack, &o.n, err);
    for (enum cover_kind kind = COVER_BREAKGLASS; ok && kind <= COVER_FREEZE; kind++)
        ok = covers_list(&record, &arena, kind, false, &o.cover[kind], &o.ncovers[kind], err);
    record_close(&record);
    if (!ok)
        return false;
    if (str_equal(in->value[OUTPUT].text, STR("json")))
        write_json(&out, &o);
    else {
        write_text(&out, &o);
        put_covers(&out, &o, COVER_BREAKGLASS);
        put_covers(&out, &o, COVER_FREEZE);
    }
    if (!buf_ok(&out, err))
        return false;
    *ret_exit = exit_code(&o);
    return fwrite(out.ptr, 1, out.len, app->out) == out.len ||
           err_set(err, ERR_IO, "write to standard output");
}

const struct command cmd_status = {
    .name = "status",
    .usage = "plumb status [options]",
    .summary = "how every stack stands: last complete scan, open and overdue findings",
    .help =
        "A stack is good (nothing open), open, overdue (a finding is past its deadline, or with "
        "--max-age the last complete scan is too old) or incomplete (it never was scanned "
        "completely, or its last scan was not complete).\n\n"
        "Exit codes: 0, or 4 where a stack is overdue or incomplete; 1 error.\n\n"
        "  plumb status --max-age 24h",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};
