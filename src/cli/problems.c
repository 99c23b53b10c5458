/* problems.c - diagnostics with the line that they are about. */
#include "cli/problems.h"

#include "base/utf8.h"
#include "lang/hcl/hcl.h"

enum { EXCERPT_MAX = 160 }; /* bytes of a line; of a longer one nothing is shown */

static void print_excerpt(FILE *out, const struct hcl_diag *d, struct str text)
{
    size_t start = d->subject.start < text.len ? d->subject.start : text.len, end;
    while (start > 0 && text.ptr[start - 1] != '\n')
        start--;
    end = str_find_char(text, '\n', start);
    struct str line = str_sub(text, start, end == SIZE_MAX ? text.len : end);
    while (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (line.len == 0 || line.len > EXCERPT_MAX || utf8_bad_at(line) != SIZE_MAX)
        return;
    (void)fprintf(out, "%6u | %.*s\n       | ", d->line, STR_ARG(line));
    size_t at = 0;
    for (uint32_t column = 1; column < d->column && at < line.len; column++) {
        (void)fputc(line.ptr[at] == '\t' ? '\t' : ' ', out);
        at = utf8_cluster(line, at);
    }
    (void)fputs("^\n", out);
}

void problems_print(FILE *out, const struct hcl_diags *diags, struct str text, bool excerpts)
{
    for (size_t i = 0; i < diags->n; i++) {
        const struct hcl_diag *d = &diags->diag[i];
        (void)fprintf(out, "%.*s:%u:%u: %s%.*s: %.*s\n", STR_ARG(d->file), d->line, d->column,
                      d->warning ? "warning: " : "", STR_ARG(d->summary), STR_ARG(d->detail));
        if (excerpts)
            print_excerpt(out, d, text);
    }
    if (diags->cut)
        (void)fprintf(out, "more than %d problems; the rest is left out\n", HCL_DIAGS_MAX);
}
