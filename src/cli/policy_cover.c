/* policy_cover.c - the coverage of policies by their tests, for people and as OPA writes it. */
#include "cli/policy_cover.h"

#include "base/arena.h"
#include "base/err.h"
#include "lang/rego/cover.h"
#include "wire/json.h"

bool policy_cover_make(struct arena *arena, const struct rego_policy *policy,
                       const uint64_t *counters, struct policy_cover *ret, struct err *err)
{
    *ret = (struct policy_cover){0};
    if (!rego_cover_reports(arena, policy, counters, &ret->report, &ret->n))
        return arena_full(arena, err);
    for (size_t i = 0; i < ret->n; i++) {
        ret->covered += ret->report[i].covered;
        ret->missed += ret->report[i].missed;
    }
    return true;
}

double policy_cover_percent(uint32_t covered, uint32_t missed)
{
    return covered + missed ? 100.0 * covered / ((double)covered + missed) : 0.0;
}

/* Rows from..to whose lines have the bit, from `row` on; false at the end. */
static bool next_span(const struct rego_cover_report *report, enum rego_line bit, uint32_t row,
                      uint32_t *ret_from, uint32_t *ret_to)
{
    while (row <= report->nlines && !(report->line[row] & bit))
        row++;
    *ret_from = row;
    while (row <= report->nlines && (report->line[row] & bit))
        row++;
    *ret_to = row - 1;
    return *ret_from <= report->nlines;
}

void policy_cover_print(FILE *out, const struct policy_cover *cover)
{
    for (size_t i = 0; i < cover->n; i++) {
        const struct rego_cover_report *r = &cover->report[i];
        const char *before = ", not covered: ";
        (void)fprintf(out, "%.*s: %.1f %% of %u lines", STR_ARG(r->module->file),
                      policy_cover_percent(r->covered, r->missed), r->covered + r->missed);
        for (uint32_t row = 1, from, to; next_span(r, REGO_LINE_MISSED, row, &from, &to);
             row = to + 1) {
            (void)fprintf(out, from == to ? "%s%u" : "%s%u-%u", before, from, to);
            before = ", ";
        }
        (void)fputc('\n', out);
    }
    (void)fprintf(out, "coverage: %.1f %% of %u lines\n",
                  policy_cover_percent(cover->covered, cover->missed),
                  cover->covered + cover->missed);
}

static void write_row(struct jsonw *w, struct str key, uint32_t row)
{
    jsonw_key(w, key);
    jsonw_object_open(w);
    jsonw_member_int(w, STR("row"), row);
    jsonw_object_close(w);
}

static void write_spans(struct jsonw *w, struct str key, const struct rego_cover_report *report,
                        enum rego_line bit)
{
    uint32_t row = 1, from, to;
    if (!next_span(report, bit, row, &from, &to))
        return;
    jsonw_key(w, key);
    jsonw_array_open(w);
    for (; next_span(report, bit, row, &from, &to); row = to + 1) {
        jsonw_object_open(w);
        write_row(w, STR("start"), from);
        write_row(w, STR("end"), to);
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
}

static void write_totals(struct jsonw *w, uint32_t covered, uint32_t missed)
{
    AUTO_BUF percent = {.limit = 64};
    buf_printf(&percent, "%.15g", policy_cover_percent(covered, missed));
    jsonw_member_int(w, STR("covered_lines"), covered);
    jsonw_member_int(w, STR("not_covered_lines"), missed);
    jsonw_key(w, STR("coverage"));
    struct value number = value_number(buf_view(&percent));
    jsonw_value(w, &number);
}

void policy_cover_json(struct buf *out, const struct policy_cover *cover)
{
    struct jsonw w = {.out = out};
    jsonw_object_open(&w);
    jsonw_key(&w, STR("files"));
    jsonw_object_open(&w);
    for (size_t i = 0; i < cover->n; i++) {
        const struct rego_cover_report *r = &cover->report[i];
        jsonw_key(&w, r->module->file);
        jsonw_object_open(&w);
        write_spans(&w, STR("covered"), r, REGO_LINE_COVERED);
        write_spans(&w, STR("not_covered"), r, REGO_LINE_MISSED);
        write_totals(&w, r->covered, r->missed);
        jsonw_object_close(&w);
    }
    jsonw_object_close(&w);
    write_totals(&w, cover->covered, cover->missed);
    jsonw_object_close(&w);
}
