/* conftest_table.c - results as a table, and as commands of Azure's pipelines. */
#include "base/buf.h"
#include "cli/conftest_output.h"
#include "report/parts.h"

/* --- table --- */

enum { COLUMNS = 4 };
struct row {
    struct str cell[COLUMNS];
};
static const struct row head = {
    {STR_INIT("RESULT"), STR_INIT("FILE"), STR_INIT("NAMESPACE"), STR_INIT("MESSAGE")}};

struct table {
    struct buf *out; /* NULL: only the widths are counted */
    size_t width[COLUMNS];
    size_t rows;
};

/* The n-th line of a cell, or nothing. */
static struct str line_of(struct str cell, size_t n)
{
    struct str line = {0};
    for (size_t i = 0; i <= n; i++)
        if (!str_cut(&cell, '\n', &line) && i < n)
            return (struct str){0};
    return line;
}

static size_t lines_in(struct str cell)
{
    size_t n = 1;
    for (size_t i = 0; i < cell.len; i++)
        n += cell.ptr[i] == '\n';
    return n;
}

static void put_blanks(struct buf *out, size_t n)
{
    while (n--)
        buf_char(out, ' ');
}

/* Heads stand in the middle. */
static void put_line(struct table *t, const struct row *row, size_t n)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        struct str text = line_of(row->cell[i], n);
        size_t room = t->width[i] - text_columns(text), before = row == &head ? room / 2 : 0;
        buf_str(t->out, i ? STR(" │ ") : STR("│ "));
        put_blanks(t->out, before);
        buf_str(t->out, text);
        put_blanks(t->out, room - before);
    }
    buf_str(t->out, STR(" │\n"));
}

static void put_row(struct table *t, const struct row *row)
{
    size_t lines = 1;
    for (size_t i = 0; i < COLUMNS; i++) {
        size_t n = lines_in(row->cell[i]);
        lines = n > lines ? n : lines;
        for (size_t k = 0; !t->out && k < n; k++) {
            size_t width = text_columns(line_of(row->cell[i], k));
            t->width[i] = width > t->width[i] ? width : t->width[i];
        }
    }
    t->rows++;
    for (size_t i = 0; t->out && i < lines; i++)
        put_line(t, row, i);
}

static void put_border(struct table *t, struct str left, struct str middle, struct str right)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        buf_str(t->out, i ? middle : left);
        for (size_t k = 0; k < t->width[i] + 2; k++)
            buf_str(t->out, STR("─"));
    }
    buf_str(t->out, right);
    buf_char(t->out, '\n');
}

static void put_items(struct table *t, struct str word, const struct conftest_check *c,
                      const struct conftest_items *items)
{
    for (size_t i = 0; i < items->n; i++)
        put_row(t, &(struct row){{word, c->file, c->space, items->item[i].message}});
}

static void put_rows(struct table *t, const struct conftest_results *results)
{
    for (size_t i = 0; i < results->n; i++) {
        const struct conftest_check *c = &results->check[i];
        for (size_t k = 0; k < c->successes; k++)
            put_row(t, &(struct row){{STR("success"), c->file, c->space, STR("SUCCESS")}});
        put_items(t, STR("exception"), c, &c->exceptions);
        put_items(t, STR("warning"), c, &c->warnings);
        put_items(t, STR("skipped"), c, &c->skipped);
        put_items(t, STR("failure"), c, &c->failures);
    }
}

void conftest_write_table(struct buf *out, const struct conftest_results *results)
{
    struct table t = {0};
    put_row(&t, &head);
    put_rows(&t, results);
    if (t.rows == 1)
        return;
    t.out = out;
    put_border(&t, STR("┌"), STR("┬"), STR("┐"));
    put_row(&t, &head);
    put_border(&t, STR("├"), STR("┼"), STR("┤"));
    put_rows(&t, results);
    put_border(&t, STR("└"), STR("┴"), STR("┘"));
}

/* --- Azure --- */

static void azure_items(struct buf *out, const char *word, const struct conftest_check *c,
                        const struct conftest_items *items)
{
    for (size_t i = 0; i < items->n; i++)
        buf_printf(out, "##vso[task.logissue type=%s] file=%.*s --> %.*s\n", word, STR_ARG(c->file),
                   STR_ARG(items->item[i].message));
}

void conftest_write_azure(struct buf *out, const struct conftest_results *results)
{
    struct conftest_results counted = *results;
    counted.verify = false; /* skipped ones are not counted here */
    for (size_t i = 0; i < results->n; i++) {
        const struct conftest_check *c = &results->check[i];
        buf_printf(out, "##[section]Testing '%.*s' against %zu policies in namespace '%.*s'\n",
                   STR_ARG(c->file), conftest_total(c), STR_ARG(c->space));
        buf_str(out, STR("##[group]See conftest results\n"));
        azure_items(out, "error", c, &c->failures);
        azure_items(out, "warning", c, &c->warnings);
        azure_items(out, "warning", c, &c->exceptions);
        for (size_t k = 0; k < c->skipped.n; k++)
            buf_printf(out, "skipped file=%.*s %.*s\n", STR_ARG(c->file),
                       STR_ARG(c->skipped.item[k].message));
        if (c->successes)
            buf_printf(out, "success file=%.*s %zu\n", STR_ARG(c->file), c->successes);
        buf_str(out, STR("##[endgroup]\n"));
    }
    conftest_write_counts(out, &counted);
}
