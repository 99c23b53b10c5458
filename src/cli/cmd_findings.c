/* cmd_findings.c - `plumb findings`: what the store knows, open and most severe first. */
#include <assert.h>
#include <inttypes.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "report/finding_rows.h"
#include "report/parts.h"
#include "wire/json.h"

enum { LIMIT_DEFAULT = 100, SHORT_FINGERPRINT = 12, WIDE = 60 };

static const char *const status_words[] = {"open",
#define X(constant, name, lane, meaning) name,
                                           FINDING_STATUSES(X)
#undef X
                                               "overdue",
                                           "all", NULL};
static const char *const class_words[] = {
#define X(constant, name, counts, meaning, severity) name,
    FINDING_CLASSES(X)
#undef X
        NULL};
static const char *const severity_words[] = {
#define X(constant, name) name,
    SEVERITIES(X)
#undef X
        NULL};

enum { STACK, CLASS, SEVERITY, STATUS, SINCE, LIMIT, OFFSET, OUTPUT, CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [STACK] = {.name = "stack",
               .kind = OPTION_LIST,
               .arg = "NAME",
               .text = "only findings of this stack; may be repeated"},
    [CLASS] = {.name = "class",
               .kind = OPTION_LIST,
               .arg = "CLASSES",
               .choices = class_words,
               .open = true,
               .text = "only these classes, separated by commas"},
    [SEVERITY] = {.name = "severity",
                  .kind = OPTION_STRING,
                  .arg = "LEAST",
                  .choices = severity_words,
                  .text = "only findings of this severity or worse"},
    [STATUS] = {.name = "status",
                .kind = OPTION_LIST,
                .arg = "STATUSES",
                .choices = status_words,
                .open = true,
                .text = "only these, separated by commas; open (new, recurring, changed, reopened) "
                        "without it; overdue is open ones past their deadline"},
    [SINCE] = {.name = "since",
               .kind = OPTION_STRING,
               .arg = "TIME",
               .text = "only what became what it is since then, newest first: 24h, 7d, 2026-11-22"},
    [LIMIT] = {.name = "limit",
               .letter = 'n',
               .kind = OPTION_INT,
               .arg = "N",
               .least = 0,
               .text = "at most so many; 100 without it, 0 for all"},
    [OFFSET] = {.name = "offset",
                .kind = OPTION_INT,
                .arg = "N",
                .least = 0,
                .text = "leave out the first N: the next page"},
    [OUTPUT] = ROW_TEXT_OR_JSON,
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

/* --- the question --- */

typedef bool (*take_words)(struct str words, struct finding_query *query, struct err *err);

static bool take_each(const struct invocation *in, int option, take_words take,
                      struct finding_query *query, struct err *err)
{
    const struct option_value *value = &in->value[option];
    for (size_t i = 0; i < value->nlist; i++)
        if (!take(value->list[i], query, err))
            return err_wrap(err, "--%s", options[option].name);
    return true;
}

static bool take_query(const struct app *app, const struct invocation *in,
                       struct finding_query *ret, struct err *err)
{
    const struct option_value *v = in->value;
    ret->now_utc_ms = app->now_ms(app->clock);
    if (v[STACK].nlist > FINDING_QUERY_NAMES)
        return err_set(err, ERR_USAGE, "--stack: at most %d", FINDING_QUERY_NAMES);
    for (; ret->nstacks < v[STACK].nlist; ret->nstacks++)
        ret->stack[ret->nstacks] = v[STACK].list[ret->nstacks];
    if (!take_each(in, CLASS, finding_query_classes, ret, err) ||
        !take_each(in, STATUS, finding_query_statuses, ret, err) ||
        (v[SEVERITY].set && !finding_query_severity(v[SEVERITY].text, ret, err)))
        return false;
    if (v[SINCE].text.len && !finding_query_since(v[SINCE].text, ret, err))
        return err_wrap(err, "--since");
    if (!v[STATUS].set)
        ret->statuses = FINDING_STATUSES_OPEN;
    else if (ret->statuses == (1u << STATUS_COUNT) - 1)
        ret->statuses = 0;
    ret->limit = v[LIMIT].set ? v[LIMIT].number : LIMIT_DEFAULT;
    ret->offset = v[OFFSET].number;
    return true;
}

/* --- the answer --- */

struct answer {
    const struct app *app;
    const struct finding_query *query;
    struct buf out;
    struct jsonw w;
    bool json;
    int64_t n, most;
};

/* What was written so far goes out: a list may be longer than memory. */
static bool flush(struct answer *a, struct err *err)
{
    if (!buf_ok(&a->out, err))
        return false;
    if (fwrite(a->out.ptr ? a->out.ptr : "", 1, a->out.len, a->app->out) != a->out.len)
        return err_set(err, ERR_IO, "write to standard output");
    a->out.len = 0;
    return true;
}

static void put_column(struct buf *out, struct str text, size_t width)
{
    size_t columns = text_columns(text);
    text_safe(out, text);
    text_pad(out, columns, width);
    buf_str(out, STR("  "));
}

static void put_line(struct answer *a, const struct finding_row *row)
{
    AUTO_BUF status = {.limit = 256};
    if (a->n == 0)
        buf_str(&a->out, STR("FINDING       SEVERITY  STATUS                CLASS             STACK"
                             "                 ADDRESS\n"));
    finding_status_text(&status, row, a->query->now_utc_ms);
    put_column(&a->out, str_sub(row->fingerprint, 0, SHORT_FINGERPRINT), SHORT_FINGERPRINT);
    put_column(&a->out, str_from(severity_name((enum severity)row->severity)), 8);
    put_column(&a->out, buf_view(&status), 20);
    put_column(&a->out, row->class_, 16);
    put_column(&a->out, row->stack, 20);
    text_safe(&a->out, row->address);
    buf_char(&a->out, '\n');
}

static bool put_row(void *ctx, const struct finding_row *row, struct err *err)
{
    struct answer *a = ctx;
    if (a->most && a->n == a->most) { /* one more was asked for, to know that there are more */
        a->n++;
        return true;
    }
    if (a->json) {
        jsonw_object_open(&a->w);
        finding_row_json(&a->w, row, a->query->now_utc_ms);
        jsonw_object_close(&a->w);
    } else {
        put_line(a, row);
    }
    a->n++;
    return a->out.len < 1 << 16 || flush(a, err);
}

static void put_end(struct answer *a)
{
    bool more = a->most && a->n > a->most;
    if (a->json) {
        jsonw_array_close(&a->w);
        jsonw_member_bool(&a->w, STR("more"), more);
        jsonw_object_close(&a->w);
        buf_char(&a->out, '\n');
    } else if (!a->n) {
        buf_str(&a->out, STR("no findings\n"));
    } else if (more) {
        int64_t next = a->query->offset + a->most;
        buf_printf(&a->out, "there are more: --offset %" PRId64 ", or --limit 0\n", next);
    }
}

static bool answer(struct answer *a, struct record *record, struct finding_query *query,
                   struct err *err)
{
    a->w = (struct jsonw){.out = &a->out, .indent = 2};
    a->query = query;
    a->most = query->limit;
    if (query->limit)
        query->limit++;
    if (a->json) {
        jsonw_object_open(&a->w);
        jsonw_member_string(&a->w, STR("schema_version"), STR("1.0"));
        jsonw_key(&a->w, STR("findings"));
        jsonw_array_open(&a->w);
    }
    if (!finding_list(record, query, put_row, a, err))
        return false;
    put_end(a);
    return flush(a, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct answer a = {.app = app,
                       .out = {.limit = BUF_DEFAULT_LIMIT},
                       .json = str_equal(in->value[OUTPUT].text, STR("json"))};
    struct finding_query query = {0};
    struct store_choice choice;
    struct record record = {0};
    if (!take_query(app, in, &query, err) ||
        !store_find(&arena, app, &in->value[CONFIG], &in->value[STORE], &choice, err) ||
        !store_open_settled(&arena, app, &choice, &record, err))
        return false;
    bool ok = answer(&a, &record, &query, err);
    buf_free(&a.out);
    record_close(&record);
    *ret_exit = 0;
    return ok;
}

const struct command cmd_findings = {
    .name = "findings",
    .usage = "plumb findings [options]",
    .summary = "list the findings that the store knows",
    .help = "Open findings first, the most severe first; with --since the newest first, with "
            "--status overdue "
            "the longest overdue first. `plumb finding "
            "show` tells all of one.\n\n"
            "  plumb findings --severity high\n"
            "  plumb findings --stack infra/prod --class missing,unmanaged\n"
            "  plumb findings --status resolved --since 7d --output json",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};
