/* issue_text.c - an alert as the Markdown of an issue. */
#include "base/arena.h"
#include "base/buf.h"
#include "report/parts.h"
#include "respond/comment.h"
#include "respond/issue.h"
#include "respond/wording.h"

enum { FINDINGS_MOST = 20 };

static void put_fact(struct buf *out, const struct fact *fact)
{
    buf_printf(out, "| %s | ", fact->name);
    if (fact->link.len)
        buf_char(out, '[');
    markdown_code(out, fact->text, true);
    if (fact->link.len)
        buf_printf(out, "](%.*s)", STR_ARG(fact->link));
    buf_str(out, STR(" |\n"));
}

static void put_changes(struct buf *out, struct arena *arena, const struct alert_finding *f,
                        const struct told *told)
{
    AUTO_BUF lines = {.limit = 1 << 20};
    size_t n = 0;
    for (; n < f->nchanges && n < told->changes; n++) {
        const struct alert_change *c = &f->change[n];
        struct str path = wording_line(arena, c->path, told->bytes);
        const struct str side[] = {c->before, c->after};
        for (size_t i = 0; i < 2; i++) {
            if (!side[i].len)
                continue;
            struct str value = wording_line(arena, side[i], told->bytes);
            buf_printf(&lines, "%c %.*s: %.*s\n", i ? '+' : '-', STR_ARG(path), STR_ARG(value));
        }
    }
    if (lines.len) {
        buf_char(out, '\n');
        markdown_fence(out, STR("diff"), buf_view(&lines));
    }
    struct str more = wording_more(arena, f->nchanges - n + f->more_changes, "change");
    if (more.len)
        buf_printf(out, "\n%.*s\n", STR_ARG(more));
}

static void put_todo(struct buf *out, struct arena *arena, const struct alert_finding *f,
                     const struct told *told)
{
    AUTO_BUF lines = {.limit = 1 << 20};
    for (size_t i = 0; i < f->ntodo && i < told->todo; i++) {
        struct str line = wording_line(arena, f->todo[i], told->bytes);
        buf_printf(&lines, "%.*s\n", STR_ARG(line));
    }
    if (!lines.len)
        return;
    buf_str(out, STR("\nWhat to do:\n\n"));
    markdown_fence(out, STR("sh"), buf_view(&lines));
}

static void write_text(struct buf *out, const struct alert *alert, const struct told *told,
                       void *ctx)
{
    struct arena *arena = ctx;
    struct str link = wording_link(alert->link);
    buf_printf(out, "**%s**, %s", alert_status_name(alert->status), severity_name(alert->severity));
    if (link.len)
        buf_printf(out, ", [open in plumb](%.*s)", STR_ARG(link));
    buf_char(out, '\n');
    if (alert->text.len) {
        AUTO_BUF text = {.limit = 1 << 20};
        text_safe_lines(&text, text_cut(alert->text, told->bytes * 10), 0);
        buf_char(&text, '\n');
        buf_char(out, '\n');
        markdown_fence(out, STR("text"), buf_view(&text));
    }
    for (size_t i = 0; i < told->findings; i++) {
        const struct alert_finding *f = &alert->finding[i];
        struct fact facts[WORDING_FACTS];
        size_t n = wording_facts(arena, f, told->bytes, facts);
        buf_str(out, STR("\n| | |\n| --- | --- |\n"));
        for (size_t k = 0; k < n; k++)
            put_fact(out, &facts[k]);
        put_changes(out, arena, f, told);
        put_todo(out, arena, f, told);
    }
    struct str more =
        wording_more(arena, alert->nfindings - told->findings + alert->more, "finding");
    if (more.len)
        buf_printf(out, "\n%.*s\n", STR_ARG(more));
}

bool issue_text(struct arena *arena, const struct alert *alert, struct str *ret, struct err *err)
{
    return wording_fit(arena, alert, FINDINGS_MOST, COMMENT_TEXT_MAX - 1000, write_text, arena, ret,
                       err);
}
