/* cmd_finding_show.c - `plumb finding show`: one finding, what it is, its history, what to do. */
#include <assert.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/answering.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "report/finding_rows.h"
#include "report/json_out.h"
#include "report/parts.h"
#include "report/store_json.h"
#include "wire/json.h"

enum { VALUE_BYTES_MAX = 2000, CHANGES_MAX = 200 };

enum { OUTPUT, STACK, CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [OUTPUT] = ROW_TEXT_OR_JSON,
    [STACK] = {.name = "stack",
               .kind = OPTION_STRING,
               .arg = "NAME",
               .text = "of this stack, where several have one of that name"},
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static void write_json(struct buf *out, const struct finding_whole *s, int64_t now_utc_ms)
{
    struct jsonw w;
    json_open(&w, out);
    finding_whole_json(&w, s, now_utc_ms);
    json_close(&w);
}

/* --- text --- */

static void label(struct buf *out, const char *name)
{
    buf_printf(out, "  %-10s", name);
}

static void put_line(struct buf *out, const char *name, struct str text)
{
    if (!text.len)
        return;
    label(out, name);
    text_safe(out, text);
    buf_char(out, '\n');
}

static void put_place(struct buf *out, const char *name, const struct value *at)
{
    int64_t n;
    struct str file = value_get_string(at, STR("file"));
    if (!file.len)
        return;
    label(out, name);
    text_safe(out, file);
    if (value_to_int64(value_get(at, STR("line")), &n) && n > 0)
        buf_printf(out, ":%lld", (long long)n);
    buf_char(out, '\n');
}

static void put_commit(struct buf *out, const struct value *commit)
{
    if (!value_is_object_like(commit))
        return;
    label(out, "commit");
    text_safe(out, str_sub(value_get_string(commit, STR("hash")), 0, 10));
    buf_str(out, STR(" by "));
    text_safe(out, value_get_string(commit, STR("author")));
    buf_str(out, STR(": "));
    text_safe(out, value_get_string(commit, STR("summary")));
    buf_char(out, '\n');
}

static void put_change(struct buf *out, const struct value *change)
{
    buf_str(out, STR("    "));
    text_safe(out, value_get_string(change, STR("path")));
    buf_str(out, STR(": "));
    value_inline(out, value_get(change, STR("before")), false, VALUE_BYTES_MAX);
    buf_str(out, STR(" -> "));
    value_inline(out, value_get(change, STR("after")), false, VALUE_BYTES_MAX);
    buf_char(out, '\n');
}

/* What the code can set; the rest follows from it, unless it is all there is. */
static void put_changes(struct buf *out, const struct value *changes)
{
    uint32_t settable = 0, shown = 0;
    if (!value_is_list_like(changes) || !changes->len)
        return;
    for (uint32_t i = 0; i < changes->len; i++)
        settable += value_get_bool(&changes->items[i], STR("configurable"), false);
    buf_str(out, STR("  changes\n"));
    for (uint32_t i = 0; i < changes->len && shown < CHANGES_MAX; i++) {
        if (settable && !value_get_bool(&changes->items[i], STR("configurable"), false))
            continue;
        put_change(out, &changes->items[i]);
        shown++;
    }
    if (shown < changes->len)
        buf_printf(out, "    and %u more that %s\n", changes->len - shown,
                   shown < CHANGES_MAX ? "follow from it" : "--output json tells");
}

static void put_excerpt(struct buf *out, struct str excerpt)
{
    if (!excerpt.len)
        return;
    buf_str(out, STR("            "));
    text_safe_lines(out, excerpt, 12);
    buf_char(out, '\n');
}

static void put_life(struct buf *out, const struct finding_whole *s, int64_t now_utc_ms)
{
    const struct finding_row *r = &s->row;
    char first[24], last[24];
    label(out, "status");
    finding_status_text(out, r, now_utc_ms);
    buf_printf(out, ": %s\n", finding_status_meaning(r->status));
    put_line(out, "because", r->why);
    label(out, "seen");
    buf_printf(out, "%lld time%s, from %s to %s UTC (run %lld)\n", (long long)r->times,
               r->times == 1 ? "" : "s", time_text(first, r->first_utc_ms).ptr,
               time_text(last, r->seen_utc_ms).ptr, (long long)r->seen_run);
    if (r->due_utc_ms) {
        label(out, "due");
        buf_printf(out, "%s UTC\n", time_text(first, r->due_utc_ms).ptr);
    }
    if (r->resolved_utc_ms) {
        label(out, "resolved");
        buf_printf(out, "%s UTC by run %lld (%.*s)\n", time_text(first, r->resolved_utc_ms).ptr,
                   (long long)r->resolved_run, STR_ARG(s->resolved.outcome));
    }
}

/* As the scan reported it, or as an event said behind it. */
static void put_actor(struct buf *out, const struct finding_whole *s)
{
    const struct value *actor = value_get(&s->detail, STR("actor"));
    struct attribution by = {.actor = s->row.actor, .how = s->row.actor_how, .surely = true};
    int64_t others = 0;
    if (!by.actor.len) {
        put_line(out, "actor", s->row.actor_how);
        return;
    }
    if (!str_equal(value_get_string(actor, STR("name")), by.actor)) {
        label(out, "actor");
        text_safe(out, by.actor);
        buf_str(out, STR(" ["));
        text_safe(out, by.how);
        buf_str(out, STR("]\n"));
        return;
    }
    by.action = value_get_string(actor, STR("action"));
    by.way = value_get_string(actor, STR("way"));
    by.source_ip = value_get_string(actor, STR("source_ip"));
    by.client = value_get_string(actor, STR("client"));
    by.surely = value_get_bool(actor, STR("surely"), true);
    by.expected = value_get_bool(actor, STR("expected"), false);
    (void)clock_parse(value_get_string(actor, STR("time")), &by.time_utc_ms);
    if (value_to_int64(value_get(actor, STR("others")), &others) && others > 0)
        by.others = (uint64_t)others;
    label(out, "actor");
    by_text(out, &by);
    buf_char(out, '\n');
    put_line(out, "session", value_get_string(actor, STR("session")));
    put_line(out, "event", value_get_string(actor, STR("event")));
}

static void put_history(struct buf *out, const struct finding_whole *s)
{
    char when[24];
    buf_str(out, STR("  history\n"));
    for (size_t i = 0; i < s->npast; i++) {
        const struct finding_past *p = &s->past[i];
        buf_printf(out, "    %s  %-10.*s", time_text(when, p->utc_ms).ptr, STR_ARG(p->what));
        if (p->run)
            buf_printf(out, "  run %lld", (long long)p->run);
        if (p->actor.len) {
            buf_str(out, STR("  "));
            text_safe(out, p->actor);
        }
        if (p->why.len) {
            buf_str(out, STR("  "));
            text_safe(out, p->why);
        }
        buf_char(out, '\n');
    }
}

static void put_reviews(struct buf *out, const struct finding_whole *s, int64_t now_utc_ms)
{
    char until[24];
    if (s->nreviews)
        buf_str(out, STR("  reviews\n"));
    for (size_t i = 0; i < s->nreviews; i++) {
        const struct review *r = &s->review[i];
        enum review_end end = review_look(r, SIGHT_NONE, STR(""), now_utc_ms);
        buf_printf(out, "    R%lld %s, ", (long long)r->id, review_answer_name(r->answer));
        if (end != REVIEW_NOT_ENDED)
            buf_printf(out, "ended: %s", review_end_meaning(end));
        else
            buf_printf(out, "%s until %s UTC",
                       r->state == REVIEW_EFFECT ? "in effect" : "requested",
                       time_text(until, r->until_utc_ms).ptr);
        buf_printf(out, ", %zu of %lld approvals, by ", r->napprovals, (long long)r->needed);
        text_safe(out, r->by.name);
        buf_str(out, STR(": "));
        text_safe(out, r->reason);
        buf_char(out, '\n');
    }
}

/* The one that waits for approvals; 0 = none. */
static int64_t waiting(const struct finding_whole *s, int64_t now_utc_ms)
{
    for (size_t i = 0; i < s->nreviews; i++)
        if (s->review[i].state == REVIEW_REQUESTED &&
            review_look(&s->review[i], SIGHT_NONE, STR(""), now_utc_ms) == REVIEW_NOT_ENDED)
            return s->review[i].id;
    return 0;
}

/* Only what this plumb has. */
static void put_next(struct buf *out, const struct finding_whole *s, int64_t now_utc_ms)
{
    enum finding_class class_ = CLASS_UNCHECKED;
    struct str name = str_sub(s->row.fingerprint, 0, 12);
    struct str remedy = value_get_string(&s->detail, STR("remedy"));
    if (!finding_status_open(s->row.status))
        return;
    (void)finding_class_from(s->row.class_, &class_);
    buf_str(out, STR("  next\n    "));
    text_safe(out, remedy.len ? remedy : str_from(class_remedy(class_)));
    buf_char(out, '\n');
    if (class_ == CLASS_CONTRADICTS_CODE && command_find(STR("adopt")))
        buf_printf(out, "    plumb adopt %.*s\n", STR_ARG(name));
    int64_t review = waiting(s, now_utc_ms);
    if (review)
        buf_printf(out, "    plumb review approve R%lld\n", (long long)review);
    else if (class_ != CLASS_UNCHECKED)
        buf_printf(out, "    plumb review %.*s --revert|--adopt|--accept --reason TEXT\n",
                   STR_ARG(name));
}

static void write_text(struct buf *out, const struct finding_whole *s, int64_t now_utc_ms)
{
    const struct finding_row *r = &s->row;
    const struct value *origin = value_get(&s->detail, STR("origin"));
    const struct value *policy = value_get(&s->detail, STR("policy"));
    text_safe(out, r->address);
    buf_printf(out, "  %.*s  %s\n", STR_ARG(r->class_), severity_name((enum severity)r->severity));
    put_line(out, "finding", r->fingerprint);
    put_line(out, "stack", r->stack);
    put_life(out, s, now_utc_ms);
    put_line(out, "owner", r->owner);
    put_actor(out, s);
    put_place(out, "code", value_get(&s->detail, STR("location")));
    put_excerpt(out, value_get_string(origin, STR("excerpt")));
    put_commit(out, value_get(origin, STR("last_commit")));
    put_line(out, "policy", r->decision);
    put_line(out, "rule", r->rule);
    put_place(out, "", value_get(policy, STR("location")));
    put_line(out, "", value_get_string(policy, STR("message")));
    put_line(out, "reason", value_get_string(&s->detail, STR("reason")));
    put_changes(out, value_get(&s->detail, STR("changes")));
    put_reviews(out, s, now_utc_ms);
    put_history(out, s);
    put_next(out, s, now_utc_ms);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct finding_whole shown = {0};
    int64_t now = app->now_ms(app->clock);
    struct store_choice choice;
    struct record record = {0};
    if (!store_find(&arena, app, &in->value[CONFIG], &in->value[STORE], &choice, err) ||
        !store_open_settled(&arena, app, &choice, &record, err))
        return false;
    bool ok =
        finding_whole_get(&record, &arena, in->args[0], in->value[STACK].text, now, &shown, err);
    record_close(&record);
    if (!ok)
        return false;
    if (str_equal(in->value[OUTPUT].text, STR("json")))
        write_json(&out, &shown, now);
    else
        write_text(&out, &shown, now);
    if (!buf_ok(&out, err))
        return false;
    *ret_exit = 0;
    return fwrite(out.ptr, 1, out.len, app->out) == out.len ||
           err_set(err, ERR_IO, "write to standard output");
}

const struct command cmd_finding_show = {
    .name = "finding show",
    .usage = "plumb finding show FINDING [options]",
    .summary = "everything the store knows of one finding",
    .help =
        "FINDING is its fingerprint, now or once, or the beginning of it. Told are what differs, "
        "where the code says so, who decides, its history from scan to scan, and what to do.\n\n"
        "  plumb finding show 217df29f\n"
        "  plumb finding show 217df29f --output json",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};
