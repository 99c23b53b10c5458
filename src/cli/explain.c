/* explain.c - events of an evaluation: which of them are wanted, as lines and as JSON. */
#include "cli/explain.h"

#include "base/arena.h"
#include "base/buf.h"
#include "wire/json.h"

static const char *const names[] = {"Enter", "Eval", "Fail", "Exit", "Note"};

void explain_event(void *ctx, const struct rego_event *event)
{
    struct explain *e = ctx;
    struct rego_event *grown =
        e->n < EXPLAIN_EVENTS_MAX ? arena_grow(e->arena, e->event, e->n, &e->room, e->n + 1) : NULL;
    if (!grown) {
        e->dropped++;
        return;
    }
    e->event = grown;
    grown[e->n] = *event;
    if (event->kind == REGO_EVENT_NOTE)
        grown[e->n].text = arena_dup(e->arena, event->text);
    e->n++;
}

static bool is_full(const struct explain *e)
{
    return str_equal(e->what, STR("full"));
}
static bool is_asked(const struct explain *e, const struct rego_event *event)
{
    return event->kind == (str_equal(e->what, STR("notes")) ? REGO_EVENT_NOTE : REGO_EVENT_FAIL);
}

/* An event that was asked for, or a rule that led to one: one comes before the rule ends. */
static bool is_wanted(const struct explain *e, size_t i)
{
    const struct rego_event *event = &e->event[i];
    if (is_full(e) || is_asked(e, event))
        return true;
    if (event->kind != REGO_EVENT_ENTER)
        return false;
    for (size_t k = i + 1; k < e->n && e->event[k].depth > event->depth; k++)
        if (is_asked(e, &e->event[k]))
            return true;
    return false;
}

/* A text of several lines in one: blanks for each break with what is before and behind it. */
static struct str one_line(struct buf *out, struct str text)
{
    bool blank = false;
    for (size_t i = 0; i < text.len; i++) {
        bool here = text.ptr[i] == '\n' || text.ptr[i] == '\t' || text.ptr[i] == ' ';
        if (!here || !blank)
            buf_char(out, here ? ' ' : text.ptr[i]);
        blank = here;
    }
    return str_trim(buf_view(out));
}

void explain_print(const struct explain *e, FILE *out)
{
    int width = 0;
    for (size_t i = 0; i < e->n; i++) {
        int n = (int)e->event[i].file.len + 8;
        width = n > width ? n : width;
    }
    for (size_t i = 0; i < e->n; i++) {
        const struct rego_event *event = &e->event[i];
        AUTO_BUF place = {.limit = 1 << 16}, text = {.limit = 1 << 20};
        if (!is_wanted(e, i))
            continue;
        buf_printf(&place, "%.*s:%u", STR_ARG(event->file), event->place.row);
        struct str line = one_line(&text, event->text);
        (void)fprintf(out, "%-*.*s", width, STR_ARG(buf_view(&place)));
        for (unsigned d = 0; d < event->depth; d++)
            (void)fputs("| ", out);
        (void)fprintf(out, "%s %.*s\n", names[event->kind], STR_ARG(line));
    }
    if (e->dropped)
        (void)fprintf(out, "%zu more events are left out\n", e->dropped);
}

void explain_json(const struct explain *e, struct jsonw *w)
{
    jsonw_key(w, STR("explanation"));
    jsonw_array_open(w);
    for (size_t i = 0; i < e->n; i++) {
        const struct rego_event *event = &e->event[i];
        AUTO_BUF text = {.limit = 1 << 20};
        if (!is_wanted(e, i))
            continue;
        jsonw_object_open(w);
        jsonw_member_string(w, STR("Op"), str_from(names[event->kind]));
        jsonw_member_int(w, STR("Depth"), event->depth);
        jsonw_member_string(w, STR("Text"), one_line(&text, event->text));
        jsonw_key(w, STR("Location"));
        jsonw_object_open(w);
        jsonw_member_string(w, STR("file"), event->file);
        jsonw_member_int(w, STR("row"), event->place.row);
        jsonw_member_int(w, STR("col"), event->place.col);
        jsonw_object_close(w);
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
}
