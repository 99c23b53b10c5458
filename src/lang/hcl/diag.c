/* diag.c - diagnostics with their places, and as one struct err. */
#include <stdarg.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "lang/hcl/hcl.h"

void hcl_place(struct str text, uint32_t byte, uint32_t *ret_line, uint32_t *ret_column)
{
    size_t end = byte < text.len ? byte : text.len, start = 0;
    uint32_t line = 1, column = 1;
    for (size_t i = 0; i < end; i++)
        if (text.ptr[i] == '\n') {
            line++;
            start = i + 1;
        }
    struct str before = str_sub(text, start, end);
    for (size_t at = 0; at < before.len; column++)
        at = utf8_cluster(before, at);
    *ret_line = line;
    *ret_column = column;
}

struct str hcl_range_text(struct arena *arena, struct str file_name, struct str text,
                          struct hcl_range range)
{
    uint32_t line, column, end_line, end_column;
    hcl_place(text, range.start, &line, &column);
    hcl_place(text, range.end, &end_line, &end_column);
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
    struct hcl_diag *d = &grown[diags->n++];
    *d = (struct hcl_diag){.warning = warning,
                           .summary = arena_dup(diags->arena, summary),
                           .detail = detail,
                           .file = arena_dup(diags->arena, file_name),
                           .subject = subject};
    hcl_place(text, subject.start, &d->line, &d->column);
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
