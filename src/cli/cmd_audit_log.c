/* cmd_audit_log.c - `plumb audit log`: the events, narrowed, and as they come. */
#include <assert.h>
#include <time.h>

#include "base/arena.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/audit_setup.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "record/audit_query.h"

static const char *const formats[] = {"text", "json", "jsonl", "syslog", "ocsf", NULL};
static const char *const ocsf_versions[] = {"1.3", "1.8", "1.9", NULL};

enum {
    TYPE,
    STACK,
    ACTOR,
    SINCE,
    UNTIL,
    LINES,
    FOLLOW,
    OUTPUT,
    OCSF_VERSION,
    CONFIG,
    STORE,
    OPTION_COUNT
};
/* clang-format off */
static const struct option options[] = {
    [TYPE] = {.name = "type", .kind = OPTION_LIST, .arg = "TYPE",
              .text = "only these, such as gate.decision or 'review.*'; may be repeated"},
    [STACK] = {.name = "stack", .kind = OPTION_STRING, .arg = "STACK",
               .text = "only of this stack; a glob"},
    [ACTOR] = {.name = "actor", .kind = OPTION_STRING, .arg = "NAME",
               .text = "only what this one did; a glob"},
    [SINCE] = {.name = "since", .kind = OPTION_STRING, .arg = "TIME",
               .text = "from then on: 24h, 7d, 2026-11-22"},
    [UNTIL] = {.name = "until", .kind = OPTION_STRING, .arg = "TIME",
               .text = "before then: 24h, 7d, 2026-11-22"},
    [LINES] = {.name = "lines", .letter = 'n', .kind = OPTION_INT, .arg = "N", .least = 1,
               .most = 1000000, .text = "only the newest N of them"},
    [FOLLOW] = {.name = "follow", .letter = 'f', .kind = OPTION_FLAG,
                .text = "wait for more, until interrupted"},
    [OUTPUT] = {.name = "output", .letter = 'o', .kind = OPTION_STRING, .arg = "FORMAT",
                .choices = formats,
                .text = "text (as without it), json, jsonl (the lines that are hashed), syslog "
                        "(RFC 5424) or ocsf, one a line but for json"},
    [OCSF_VERSION] = {.name = "ocsf-version", .kind = OPTION_STRING, .arg = "VERSION",
                      .choices = ocsf_versions, .text = "of OCSF: 1.3, 1.8 (as without it), 1.9"},
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
/* clang-format on */
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct printing {
    struct audit_printer printer;
    bool array; /* json: one document */
    int64_t next;
    size_t n;
};

static bool print_event(void *ctx, const struct audit_line *line, struct err *err)
{
    struct printing *p = ctx;
    if (p->array)
        (void)fputs(p->n ? "," : "", p->printer.out);
    p->n++;
    p->next = line->seq + 1;
    return audit_print(&p->printer, line, err);
}

static bool take_query(const struct app *app, const struct invocation *in, struct audit_query *ret,
                       struct err *err)
{
    const struct option_value *v = in->value;
    *ret = (struct audit_query){.type = v[TYPE].list,
                                .ntypes = v[TYPE].nlist,
                                .stack = v[STACK].text,
                                .actor = v[ACTOR].text,
                                .since_utc_ms = INT64_MIN,
                                .until_utc_ms = INT64_MAX,
                                .newest = v[LINES].set ? v[LINES].number : 0};
    return audit_take_time(app, "since", &v[SINCE], &ret->since_utc_ms, err) &&
           audit_take_time(app, "until", &v[UNTIL], &ret->until_utc_ms, err);
}

static bool take_format(const struct invocation *in, struct printing *p, struct err *err)
{
    struct str text = in->value[OUTPUT].text, version = in->value[OCSF_VERSION].text;
    static const enum audit_format as[] = {AUDIT_TEXT, AUDIT_JSONL, AUDIT_JSONL, AUDIT_SYSLOG,
                                           AUDIT_OCSF};
    for (size_t i = 0; formats[i]; i++)
        if (str_equal(text, str_from(formats[i])))
            p->printer.format = as[i];
    p->array = str_equal(text, STR("json"));
    if (p->array && in->value[FOLLOW].set)
        return err_set(err, ERR_USAGE, "--follow never ends: use --output jsonl");
    p->printer.ocsf = OCSF_1_8;
    return !version.len || ocsf_version_from(version, &p->printer.ocsf) ||
           err_set(err, ERR_USAGE, "--ocsf-version: want 1.3, 1.8 or 1.9");
}

/* Twice a second: the store tells nobody of what is new. */
static bool follow(const struct app *app, struct record *record, struct audit_query *query,
                   struct printing *p, struct err *err)
{
    const struct timespec pause = {.tv_nsec = 500000000};
    query->newest = 0;
    while (!app->cancel || !*app->cancel) {
        query->from = p->next > query->from ? p->next : query->from;
        if (!audit_query(record, query, print_event, p, err))
            return false;
        (void)fflush(p->printer.out);
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct printing p = {.printer = {.out = app->out}};
    struct audit_query query;
    struct record record;
    if (!take_query(app, in, &query, err) || !take_format(in, &p, err) ||
        !audit_open(&arena, app, &in->value[CONFIG], &in->value[STORE], AUDIT_READ, &record, err))
        return false;
    if (p.array)
        (void)fputs("{\"schema_version\":\"1.0\",\"events\":[\n", app->out);
    bool ok = audit_log_origin(&record, &arena, &p.printer.origin, err) &&
              audit_query(&record, &query, print_event, &p, err);
    if (p.array)
        (void)fputs("]}\n", app->out);
    if (ok && in->value[FOLLOW].set)
        ok = follow(app, &record, &query, &p, err);
    record_close(&record);
    *ret_exit = 0;
    return ok;
}

const struct command cmd_audit_log = {
    .name = "audit log",
    .usage = "plumb audit log [options]",
    .summary = "what was found, decided and done: the events of the audit log",
    .help = "Oldest first. --output jsonl gives the lines as they are hashed; syslog and ocsf are "
            "for systems that collect events.\n\n"
            "  plumb audit log --type 'gate.*' --since 7d\n"
            "  plumb audit log --follow --output syslog | nc -u logs.example.org 514",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};
