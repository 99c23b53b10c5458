/* diag.c - diagnostics with their places, and as one struct err. */
#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "lang/hcl/hcl.h"

/* From a known place on to a byte behind it. */
static void advance(struct str text, size_t from, size_t to, uint32_t *line, uint32_t *column)
{
    const char *newline;
    while ((newline = from < to ? memchr(text.ptr + from, '\n', to - from) : NULL)) {
        from = (size_t)(newline - text.ptr) + 1;
        *line += 1;
        *column = 1;
    }
    struct str before = str_sub(text, from, to);
    for (size_t at = 0; at < before.len; *column += 1)
        at = utf8_cluster(before, at);
}

void hcl_place(struct str text, uint32_t byte, uint32_t *ret_line, uint32_t *ret_column)
{
    *ret_line = *ret_column = 1;
    advance(text, 0, byte < text.len ? byte : text.len, ret_line, ret_column);
}

/* The place of a diagnostic, counted on from the one before it where that is possible: places of
 * many faults in a large text cost no more than the text is long. */
static void place_diag(const struct hcl_diags *diags, struct str text, struct hcl_diag *d)
{
    const struct hcl_diag *last = diags->n ? &diags->diag[diags->n - 1] : NULL;
    size_t byte = d->subject.start < text.len ? d->subject.start : text.len, from = 0;
    d->line = d->column = 1;
    if (last && diags->last_text == text.ptr && last->subject.start <= byte) {
        from = last->subject.start;
        d->line = last->line;
        d->column = last->column;
    }
    advance(text, from, byte, &d->line, &d->column);
}

struct str hcl_range_text(struct arena *arena, struct str file_name, struct str text,
                          struct hcl_range range)
{
    uint32_t line, column, end_line, end_column;
    hcl_place(text, range.start, &line, &column);
    end_line = line;
    end_column = column;
    advance(text, range.start, range.end < text.len ? range.end : text.len, &end_line, &end_column);
    if (line == end_line)
        return arena_printf(arena, "%.*s:%u,%u-%u", STR_ARG(file_name), line, column, end_column);
    return arena_printf(arena, "%.*s:%u,%u-%u,%u", STR_ARG(file_name), line, column, end_line,
                        end_column);
}

void hcl_diag_add(struct hcl_diags *diags, struct str file_name, struct str text, bool warning,
                  struct hcl_range subject, struct str summary, const char *detail_fmt, ...)
{
    if (!diags)
        return;
    if (diags->n >= HCL_DIAGS_MAX) {
        diags->cut = true;
        return;
    }
    struct hcl_diag *grown =
        arena_grow(diags->arena, diags->diag, diags->n, &diags->room, diags->n + 1);
    if (!grown) {
        diags->cut = true;
        return;
    }
    va_list args;
    va_start(args, detail_fmt);
    struct str detail = arena_vprintf(diags->arena, detail_fmt, args);
    va_end(args);
    diags->diag = grown;
    struct hcl_diag *d = &grown[diags->n];
    *d = (struct hcl_diag){.warning = warning,
                           .summary = arena_dup(diags->arena, summary),
                           .detail = detail,
                           .file = arena_dup(diags->arena, file_name),
                           .subject = subject};
    place_diag(diags, text, d);
    diags->last_text = text.ptr;
    diags->n++;
}

bool hcl_has_errors(const struct hcl_diags *diags)
{
    for (size_t i = 0; i < diags->n; i++)
        if (!diags->diag[i].warning)
            return true;
    return diags->cut;
}

bool hcl_diags_to_err(const struct hcl_diags *diags, struct err *err)
{
    for (size_t i = 0; i < diags->n; i++) {
        const struct hcl_diag *d = &diags->diag[i];
        if (!d->warning)
            return err_set(err, ERR_SYNTAX, "%.*s:%u:%u: %.*s; %.*s", STR_ARG(d->file), d->line,
                           d->column, STR_ARG(d->summary), STR_ARG(d->detail));
    }
    return err_set(err, ERR_LIMIT, "more than %d problems", HCL_DIAGS_MAX);
}
