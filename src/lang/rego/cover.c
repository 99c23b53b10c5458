/* cover.c - which places of a policy were evaluated: from counters to lines. */
#include "lang/rego/cover.h"

#include <assert.h>

#include "base/arena.h"
#include "lang/rego/policy.h"

size_t rego_cover_count(const struct rego_policy *policy)
{
    return policy->ncovers;
}

static uint32_t last_row(const struct rego_cover *cover)
{
    struct str text = str_sub(cover->module->text, cover->place.start, cover->place.end);
    uint32_t row = cover->place.row;
    for (size_t i = 0; i < text.len; i++)
        row += text.ptr[i] == '\n';
    return row;
}

static bool is_within(const struct rego_cover *a, const struct rego_cover *b)
{
    return b->place.start <= a->place.start && a->place.end <= b->place.end;
}

/* A place is covered, too, where one around it is. */
static bool is_covered(const struct rego_cover *cover, const uint64_t *counters, size_t n, size_t i)
{
    for (size_t k = 0; k < n; k++)
        if (counters[k] && is_within(&cover[i], &cover[k]))
            return true;
    return false;
}

static void mark(struct rego_cover_report *report, const struct rego_cover *cover, bool covered)
{
    static_assert((int)REGO_LINE_PARTLY == ((int)REGO_LINE_COVERED | (int)REGO_LINE_MISSED),
                  "a line that is both is partly covered");
    uint32_t to = last_row(cover);
    for (uint32_t row = cover->place.row; row <= to && row <= report->nlines; row++) {
        uint8_t bit = covered ? REGO_LINE_COVERED : REGO_LINE_MISSED;
        if (report->line[row] & bit)
            continue;
        report->line[row] |= bit;
        report->covered += covered;
        report->missed += !covered;
    }
}

static uint32_t count_lines(struct str text)
{
    uint32_t n = 1;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    return n;
}

/* The places of one module, which stand together. */
static bool report_module(struct arena *arena, const struct rego_cover *cover,
                          const uint64_t *counters, size_t n, struct rego_cover_report *ret)
{
    *ret = (struct rego_cover_report){.module = cover->module,
                                      .nlines = count_lines(cover->module->text)};
    ret->line = arena_new(arena, uint8_t, ret->nlines + 1);
    if (!ret->line)
        return false;
    for (size_t i = 0; i < n; i++) {
        bool covered = is_covered(cover, counters, n, i);
        if (covered || !cover[i].optional)
            mark(ret, &cover[i], covered);
    }
    return true;
}

bool rego_cover_reports(struct arena *arena, const struct rego_policy *policy,
                        const uint64_t *counters, struct rego_cover_report **ret, size_t *ret_n)
{
    struct rego_cover_report *reports = arena_new(arena, struct rego_cover_report, policy->nunits);
    struct rego_cover *cover = arena_new(arena, struct rego_cover, policy->ncovers + 1);
    uint64_t *count = arena_new(arena, uint64_t, policy->ncovers + 1);
    size_t n = 0;
    if (!reports || !cover || !count)
        return false;
    for (size_t u = 0; u < policy->nunits; u++) {
        size_t k = 0;
        for (size_t i = 0; i < policy->ncovers; i++)
            if (policy->cover[i].module == policy->unit[u].module) {
                cover[k] = policy->cover[i];
                count[k++] = counters[i];
            }
        if (k && !report_module(arena, cover, count, k, &reports[n++]))
            return false;
    }
    *ret = reports;
    *ret_n = n;
    return true;
}
