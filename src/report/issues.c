/* issues.c - figures and words of a check, for every format. */
#include "base/utf8.h"
#include "report/parts.h"
#include "wire/json.h"

enum { EXCERPT_LINES = 4, EXCERPT_BYTES = 300 };

void check_tally_all(struct check_tally *tally, const struct check_result *result)
{
    for (size_t i = 0; i < result->n; i++) {
        const struct check_subject *subject = &result->subject[i];
        tally->failed += subject->failed.len > 0;
        tally->files += subject->files;
        tally->modules += subject->modules;
        tally->resources += subject->resources;
        tally->documents += subject->documents;
        for (size_t k = 0; k < subject->nissues; k++)
            tally->by_kind[subject->issues[k].kind]++;
    }
}

struct count {
    uint64_t n;
    const char *one, *many;
};

/* "2 errors, 1 warning"; those that are 0 are left out. True if any was told. */
static bool put_counts(struct buf *out, const struct count *counts, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        if (!counts[i].n)
            continue;
        buf_str(out, any ? STR(", ") : STR(""));
        text_number(out, counts[i].n);
        buf_printf(out, " %s", counts[i].n == 1 ? counts[i].one : counts[i].many);
        any = true;
    }
    return any;
}

void check_tally_print(struct buf *out, const struct check_tally *tally)
{
    const struct count issues[] = {
        {tally->failed, "not checked", "not checked"},
        {tally->by_kind[ISSUE_ERROR], "error", "errors"},
        {tally->by_kind[ISSUE_VIOLATION], "violation", "violations"},
        {tally->by_kind[ISSUE_WARNING], "warning", "warnings"},
    };
    const struct count seen[] = {
        {tally->files, "file", "files"},
        {tally->modules, "module", "modules"},
        {tally->resources, "resource block", "resource blocks"},
        {tally->documents, "document", "documents"},
    };
    if (!put_counts(out, issues, sizeof issues / sizeof *issues))
        buf_str(out, STR("no issues"));
    buf_str(out, STR("; "));
    buf_str(out, put_counts(out, seen, sizeof seen / sizeof *seen) ? STR(" checked")
                                                                   : STR("nothing checked"));
}

void check_subject_print(struct buf *out, const struct check_subject *subject)
{
    const struct count seen[] = {
        {subject->files, "file", "files"},
        {subject->modules > 1 ? subject->modules : 0, "module", "modules"},
        {subject->resources, "resource block", "resource blocks"},
        {subject->documents > 1 ? subject->documents : 0, "document", "documents"},
    };
    AUTO_BUF counts = {.limit = 1 << 10};
    (void)put_counts(&counts, seen, sizeof seen / sizeof *seen);
    text_safe(out, subject->kind);
    buf_str(out, counts.len ? STR(", ") : STR(""));
    buf_str(out, buf_view(&counts));
}

void issue_lines(struct buf *out, const struct issue *issue)
{
    buf_str(out, issue->summary);
    if (issue->detail.len) {
        buf_char(out, '\n');
        buf_str(out, issue->detail);
    }
    if (issue->remedy.len) {
        buf_str(out, STR("\n=> "));
        buf_str(out, issue->remedy);
    }
}

/* Blanks as wide as the text before the place, then marks under it. */
static void put_marks(struct buf *out, const struct issue *issue, struct str line)
{
    uint32_t from = issue->at.column, to = issue->at.end_column, column = 1;
    if (!from)
        return;
    to = issue->at.end_line == issue->at.line && to > from ? to : from + 1;
    for (size_t at = 0; at < line.len && column < from; column++) {
        buf_char(out, line.ptr[at] == '\t' ? '\t' : ' ');
        at = utf8_cluster(line, at);
    }
    size_t width = text_columns(line);
    for (; column < to && (column <= width || column == from); column++)
        buf_char(out, '^');
}

void issue_excerpt(struct buf *out, const struct issue *issue, unsigned indent)
{
    struct str rest = issue->excerpt, line;
    uint32_t number = issue->at.line;
    bool single = issue->at.end_line <= issue->at.line;
    if (!rest.len)
        return;
    for (unsigned shown = 0; rest.len || shown == 0; shown++, number++) {
        bool more = str_cut(&rest, '\n', &line);
        if (shown == EXCERPT_LINES && more) {
            buf_printf(out, "%*s      | ...\n", (int)indent, "");
            break;
        }
        while (str_ends(line, STR("\r")))
            line.len--;
        buf_printf(out, "%*s%5u | ", (int)indent, "", number);
        text_safe_lines(out, text_cut(line, EXCERPT_BYTES), 0);
        buf_char(out, '\n');
        if (single) {
            buf_printf(out, "%*s      | ", (int)indent, "");
            put_marks(out, issue, text_cut(line, EXCERPT_BYTES));
            buf_char(out, '\n');
        }
        if (!more)
            break;
    }
}

void digests_json(struct jsonw *w, const struct issue *issue)
{
    jsonw_key(w, STR("digests"));
    jsonw_array_open(w);
    for (size_t i = 0; i < issue->ndigests; i++) {
        if (issue->digest[i].ptr)
            jsonw_string(w, issue->digest[i]);
        else
            jsonw_null(w);
    }
    jsonw_array_close(w);
}
