/* wording.c - the words of an alert that receivers share. */
#include "respond/wording.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "report/parts.h"
#include "respond/notify.h"

enum { TEXT_LIMIT = 1 << 20, FINDINGS_DEFAULT = 10 };

struct str wording_line(struct arena *arena, struct str s, size_t most)
{
    AUTO_BUF line = {.limit = TEXT_LIMIT};
    text_safe(&line, text_cut(s, most));
    struct str text = buf_view(&line);
    if (s.len <= most && text.len <= most)
        return arena_dup(arena, text);
    return arena_printf(arena, "%.*s...", STR_ARG(text_cut(text, most < 3 ? 0 : most - 3)));
}

struct str wording_headline(struct arena *arena, const struct alert *alert, size_t most)
{
    struct str all = arena_printf(arena, "%s, %s: %.*s", alert_status_name(alert->status),
                                  severity_name(alert->severity), STR_ARG(alert->title));
    return wording_line(arena, all, most);
}

static struct str or_none(struct arena *arena, struct str s, size_t most)
{
    return s.len ? wording_line(arena, s, most) : STR("(none)");
}

struct str wording_change(struct arena *arena, const struct alert_change *change, size_t most)
{
    struct str path = wording_line(arena, change->path, most);
    struct str before = or_none(arena, change->before, most);
    struct str after = or_none(arena, change->after, most);
    return arena_printf(arena, "%.*s: %.*s -> %.*s", STR_ARG(path), STR_ARG(before),
                        STR_ARG(after));
}

struct str wording_more(struct arena *arena, size_t n, const char *what)
{
    if (!n)
        return STR("");
    return arena_printf(arena, "and %zu more %s%s", n, what, n == 1 ? "" : "s");
}

struct str wording_link(struct str link)
{
    if (!str_starts(link, STR("https://")) && !str_starts(link, STR("http://")))
        return STR("");
    for (size_t i = 0; i < link.len; i++)
        if ((unsigned char)(link.ptr[i] - '!') > '~' - '!' ||
            strchr("<>\"'`|()[]{}\\^", link.ptr[i]))
            return STR("");
    return link;
}

/* --- facts --- */

/* Joins what is there: "a (b), c". */
static struct str joined(struct arena *arena, const char *const *format, const struct str *part,
                         size_t n)
{
    AUTO_BUF out = {.limit = TEXT_LIMIT};
    for (size_t i = 0; i < n; i++) {
        if (!part[i].len)
            continue;
        struct str form = str_from(format[i]);
        size_t at = str_find_char(form, '*', 0);
        buf_str(&out, str_sub(form, 0, at));
        buf_str(&out, part[i]);
        buf_str(&out, str_sub(form, at + 1, form.len));
    }
    return arena_dup(arena, buf_view(&out));
}

static struct str moment(struct arena *arena, int64_t utc_ms)
{
    char text[CLOCK_TEXT];
    return utc_ms ? arena_dup(arena, str_from(clock_format(utc_ms, text))) : STR("");
}

/* Of these, senders say what they like: none pushes out what stands behind it. */
enum { ACTOR_BYTES = 200, SESSION_BYTES = 80, CLIENT_BYTES = 60 };

static struct str who(struct arena *arena, const struct alert_finding *f)
{
    static const char *const known[] = {"*",   " (*)",     " (*)",   ", session *",
                                        ", *", ", from *", ", at *", ", event *"};
    if (!f->actor.len)
        return arena_printf(arena, "not known%s%.*s", f->actor_how.len ? ": " : "",
                            STR_ARG(f->actor_how));
    const struct str part[] = {wording_line(arena, f->actor, ACTOR_BYTES),
                               f->perhaps ? STR("perhaps") : STR(""),
                               f->actor_how,
                               wording_line(arena, f->session, SESSION_BYTES),
                               wording_line(arena, f->client, CLIENT_BYTES),
                               f->source_ip,
                               moment(arena, f->actor_utc_ms),
                               wording_line(arena, f->event, SESSION_BYTES)};
    return joined(arena, known, part, sizeof part / sizeof *part);
}

static struct str code_place(struct arena *arena, const struct alert_finding *f)
{
    if (!f->file.len || !f->line)
        return f->file;
    return arena_printf(arena, "%.*s:%u", STR_ARG(f->file), f->line);
}

size_t wording_facts(struct arena *arena, const struct alert_finding *f, size_t most,
                     struct fact ret[WORDING_FACTS])
{
    static const char *const two[] = {"*", " (*)", ": *"};
    const struct str stack[] = {f->stack, f->environment};
    const struct str class_[] = {str_from(finding_class_name(f->class_)), STR(""),
                                 str_from(finding_class_meaning(f->class_))};
    const struct str rule[] = {f->rule, f->rule_place, f->decision};
    const struct fact all[] = {
        {"Resource", f->address, wording_link(f->link), true},
        {"Stack", joined(arena, two, stack, 2), {0}, true},
        {"Class", joined(arena, two, class_, 3), {0}, false},
        {"Severity", str_from(severity_name(f->severity)), {0}, false},
        {"Code", code_place(arena, f), wording_link(f->file_url), true},
        {"Changed by", who(arena, f), {0}, true},
        {"Reason", f->reason, {0}, false},
        {"Rule", joined(arena, two, rule, 3), {0}, true},
        {"Owner", f->owner, {0}, true},
        {"Since", moment(arena, f->since_utc_ms ? f->since_utc_ms : f->first_utc_ms), {0}, false},
        {"Answer until", moment(arena, f->due_utc_ms), {0}, false},
    };
    static_assert(sizeof all / sizeof *all <= WORDING_FACTS, "room for every fact");
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!all[i].text.len)
            continue;
        ret[n] = all[i];
        ret[n++].text = wording_line(arena, all[i].text, most);
    }
    return n;
}

/* --- how much is told --- */

bool wording_fit(struct arena *arena, const struct alert *alert, size_t findings_most, size_t most,
                 wording_writer writer, void *ctx, struct str *ret, struct err *err)
{
    static const struct told steps[] = {
        {SIZE_MAX, 20, 5, 500}, {SIZE_MAX, 10, 3, 300}, {SIZE_MAX, 5, 2, 200}, {10, 3, 2, 150},
        {5, 3, 1, 150},         {3, 2, 1, 120},         {1, 2, 1, 120},        {1, 0, 0, 60},
    };
    size_t least = findings_most ? findings_most : FINDINGS_DEFAULT;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        AUTO_BUF out = {.limit = TEXT_LIMIT * 8};
        struct told told = steps[i];
        told.findings = told.findings < least ? told.findings : least;
        told.findings = told.findings < alert->nfindings ? told.findings : alert->nfindings;
        writer(&out, alert, &told, ctx);
        if (out.failed || out.len > most)
            continue;
        *ret = arena_dup(arena, buf_view(&out));
        return ret->ptr || arena_full(arena, err);
    }
    return err_set(err, ERR_LIMIT, "the shortest text of alert %.*s is over %zu bytes",
                   STR_ARG(alert->id), most);
}
