/* cmd_notify_list.c - `plumb notify list`: receivers and how they are, alerts that wait or are
 * dead.
 */
#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/notifying.h"
#include "cli/rows.h"
#include "model/finding.h"
#include "report/finding_rows.h"
#include "report/json_out.h"
#include "report/parts.h"
#include "wire/json.h"

enum { MINUTE_MS = 60000 };
enum { OUTPUT, STATE, RECEIVER, CONFIG, STORE, OPTION_COUNT };
static const char *const states[] = {
#define X(name, meaning) name,
    OUTBOX_STATES(X)
#undef X
        "all",
    NULL};
static const struct option options[] = {
    [OUTPUT] = ROW_TEXT_OR_JSON,
    [STATE] = {.name = "state",
               .kind = OPTION_STRING,
               .arg = "STATE",
               .choices = states,
               .text = "waiting, dead, taken (within a week), dropped or all; waiting and dead "
                       "without it"},
    [RECEIVER] = {.name = "receiver",
                  .kind = OPTION_STRING,
                  .arg = "NAME",
                  .text = "only of this receiver"},
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct listed {
    struct outbox_health *receiver;
    struct outbox_row *row;
    size_t nreceivers, nrows;
    int64_t now;
};

static const struct outbox_health *find(const struct listed *l, struct str name)
{
    for (size_t i = 0; i < l->nreceivers; i++)
        if (str_equal(l->receiver[i].name, name))
            return &l->receiver[i];
    return NULL;
}

/* --- text --- */

static void put_ago(struct buf *out, int64_t ms)
{
    char age[24];
    if (ms < MINUTE_MS)
        buf_str(out, STR("just now"));
    else
        buf_printf(out, "%s ago", age_text(age, ms).ptr);
}

static void put_health(struct buf *out, struct str name, const char *kind,
                       const struct outbox_health *h, int64_t now)
{
    text_safe(out, name);
    buf_printf(out, " (%s): ", kind);
    if (!h) {
        buf_str(out, STR("nothing was told yet\n"));
        return;
    }
    if (h->gone.len) {
        buf_str(out, STR("takes nothing any more: "));
        text_safe(out, h->gone);
    } else if (h->failures) {
        buf_printf(out, "failed %lld time%s: ", (long long)h->failures,
                   h->failures == 1 ? "" : "s");
        text_safe(out, h->said);
    } else if (h->taken_utc_ms) {
        buf_str(out, STR("took one "));
        put_ago(out, now - h->taken_utc_ms);
        if (h->said.len) {
            buf_str(out, STR(", "));
            text_safe(out, h->said);
        }
    } else {
        buf_str(out, STR("nothing was sent yet"));
    }
    buf_printf(out, "; %lld waiting, %lld dead, %lld held\n", (long long)h->waiting,
               (long long)h->dead, (long long)h->held);
}

static void put_row(struct buf *out, const struct outbox_row *row, int64_t now)
{
    char age[24];
    buf_printf(out, "%.*s  %.*s  ", STR_ARG(row->id), STR_ARG(row->state));
    text_safe(out, row->receiver);
    buf_printf(out, "  %.*s  ", STR_ARG(row->status));
    put_ago(out, now - row->made_utc_ms);
    buf_str(out, STR("  "));
    text_safe(out, row->title);
    buf_char(out, '\n');
    if (!row->said.len && !row->attempts)
        return;
    buf_printf(out, "    %lld tr%s", (long long)row->attempts, row->attempts == 1 ? "y" : "ies");
    if (str_equal(row->state, STR("waiting")) && row->next_utc_ms > now)
        buf_printf(out, ", next in %s",
                   row->next_utc_ms - now < MINUTE_MS ? "less than a minute"
                                                      : age_text(age, row->next_utc_ms - now).ptr);
    if (row->said.len) {
        buf_str(out, STR(": "));
        text_safe(out, row->said);
    }
    buf_char(out, '\n');
}

static void put_text(struct buf *out, const struct notifying *n, const struct listed *l)
{
    for (size_t i = 0; i < n->routes.n; i++)
        put_health(out, n->routes.item[i].name, n->routes.item[i].kind->name,
                   find(l, n->routes.item[i].name), l->now);
    for (size_t i = 0; i < l->nreceivers; i++)
        if (!routes_find(&n->routes, l->receiver[i].name) &&
            (l->receiver[i].waiting || l->receiver[i].held))
            put_health(out, l->receiver[i].name, "not in plumb.yaml", &l->receiver[i], l->now);
    buf_str(out, l->nrows ? STR("\n") : STR(""));
    for (size_t i = 0; i < l->nrows; i++)
        put_row(out, &l->row[i], l->now);
}

/* --- JSON --- */

static void put_json(struct buf *out, const struct notifying *n, const struct listed *l)
{
    struct jsonw w;
    json_open(&w, out);
    jsonw_key(&w, STR("receivers"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < n->routes.n; i++) {
        static const struct outbox_health none;
        const struct outbox_health *known = find(l, n->routes.item[i].name);
        const struct outbox_health *h = known ? known : &none;
        jsonw_object_open(&w);
        jsonw_member_string(&w, STR("name"), n->routes.item[i].name);
        jsonw_member_string(&w, STR("kind"), str_from(n->routes.item[i].kind->name));
        text_json(&w, STR("gone"), h->gone);
        text_json(&w, STR("said"), h->said);
        time_json(&w, STR("since"), h->since_utc_ms);
        time_json(&w, STR("tried"), h->tried_utc_ms);
        time_json(&w, STR("taken"), h->taken_utc_ms);
        jsonw_member_int(&w, STR("failures"), h->failures);
        jsonw_member_int(&w, STR("waiting"), h->waiting);
        jsonw_member_int(&w, STR("dead"), h->dead);
        jsonw_member_int(&w, STR("held"), h->held);
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
    jsonw_key(&w, STR("alerts"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < l->nrows; i++) {
        const struct outbox_row *r = &l->row[i];
        jsonw_object_open(&w);
        jsonw_member_string(&w, STR("id"), r->id);
        jsonw_member_string(&w, STR("receiver"), r->receiver);
        jsonw_member_string(&w, STR("thread"), r->thread);
        jsonw_member_string(&w, STR("state"), r->state);
        jsonw_member_string(&w, STR("status"), r->status);
        jsonw_member_string(&w, STR("severity"),
                            str_from(severity_name((enum severity)(r->severity % SEVERITY_COUNT))));
        jsonw_member_string(&w, STR("title"), r->title);
        jsonw_member_int(&w, STR("findings"), r->findings);
        jsonw_member_int(&w, STR("attempts"), r->attempts);
        time_json(&w, STR("made"), r->made_utc_ms);
        time_json(&w, STR("next"), r->next_utc_ms);
        time_json(&w, STR("ended"), r->ended_utc_ms);
        text_json(&w, STR("said"), r->said);
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
    json_close(&w);
}

static bool list(struct notifying *n, const struct invocation *in, struct err *err)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct listed l = {.now = record_now(&n->record)};
    struct str state = in->value[STATE].text;
    const struct outbox_query query = {.receiver = in->value[RECEIVER].text,
                                       .state = !state.len                     ? STR("open")
                                                : str_equal(state, STR("all")) ? STR("")
                                                                               : state};
    if (!outbox_receivers(&n->record, n->arena, &l.receiver, &l.nreceivers, err) ||
        !outbox_list(&n->record, n->arena, &query, &l.row, &l.nrows, err))
        return false;
    if (str_equal(in->value[OUTPUT].text, STR("json")))
        put_json(&out, n, &l);
    else
        put_text(&out, n, &l);
    return print_buf(n->app->out, &out, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    const enum store_use use = STORE_READ;
    struct notifying n;
    bool ok = notifying_open(&n, app, &arena, &in->value[CONFIG], &in->value[STORE], &use, err) &&
              list(&n, in, err);
    notifying_close(&n);
    *ret_exit = 0;
    return ok;
}

const struct command cmd_notify_list = {
    .name = "notify list",
    .usage = "plumb notify list [options]",
    .summary = "list receivers and how they are, and alerts that wait or were given up",
    .help = "Dead alerts were refused, or not taken by the tenth try, days after the first; "
            "`plumb notify retry` sends them again, `plumb notify drop` takes them out. What is "
            "held waits for the end of quiet hours, of a group's wait or of a rate's minute.",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};
