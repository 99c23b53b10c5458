/* linediff.c - which lines of two texts differ: common head and tail, then a bounded LCS. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "report/parts.h"

struct lines {
    struct str *line;
    size_t n;
};

static bool split(struct str text, struct lines *ret)
{
    size_t n = 1;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    ret->line = calloc(n, sizeof *ret->line);
    ret->n = 0;
    if (!ret->line)
        return false;
    while (text.len) {
        struct str line;
        (void)str_cut(&text, '\n', &line);
        ret->line[ret->n++] = line;
    }
    return true;
}

/* Lines in order go out; unchanged ones only near a change. */
struct writer {
    linediff_sink sink;
    void *ctx;
    const struct str *same; /* the current run of unchanged lines */
    size_t nsame;
    bool changed, stopped;
};

static void put(struct writer *w, char sign, struct str line, size_t skipped)
{
    if (!w->stopped)
        w->stopped = !w->sink(w->ctx, sign, line, skipped);
}

/* The run between two changes (or before the first, after the last). */
static void flush_same(struct writer *w, bool at_end)
{
    size_t head = w->changed ? LINEDIFF_CONTEXT : 0, tail = at_end ? 0 : LINEDIFF_CONTEXT;
    if (head + tail > 0 && w->nsame <= head + tail + 1)
        head = w->nsame;
    head = head < w->nsame ? head : w->nsame;
    tail = tail < w->nsame - head ? tail : w->nsame - head;
    for (size_t i = 0; i < head; i++)
        put(w, ' ', w->same[i], 0);
    if (w->nsame > head + tail)
        put(w, '@', (struct str){0}, w->nsame - head - tail);
    for (size_t i = w->nsame - tail; i < w->nsame; i++)
        put(w, ' ', w->same[i], 0);
    w->nsame = 0;
}

static void put_same(struct writer *w, const struct str *line)
{
    if (w->nsame++ == 0)
        w->same = line;
}

static void put_change(struct writer *w, char sign, struct str line)
{
    flush_same(w, false);
    put(w, sign, line, 0);
    w->changed = true;
}

/* length[i * (m + 1) + j] = longest common subsequence of a[i..] and b[j..] */
static void walk_lcs(struct writer *w, struct lines a, struct lines b)
{
    size_t wide = b.n + 1;
    uint32_t *length = NULL;
    if (a.n && b.n && a.n <= LINEDIFF_CELLS_MAX / wide - 1)
        length = calloc((a.n + 1) * wide, sizeof *length);
    for (size_t i = a.n; length && i-- > 0;)
        for (size_t j = b.n; j-- > 0;) {
            uint32_t down = length[(i + 1) * wide + j], right = length[i * wide + j + 1];
            length[i * wide + j] = str_equal(a.line[i], b.line[j])
                                       ? length[(i + 1) * wide + j + 1] + 1
                                   : down >= right ? down
                                                   : right;
        }
    size_t i = 0, j = 0;
    while (i < a.n || j < b.n) {
        if (length && i < a.n && j < b.n && str_equal(a.line[i], b.line[j])) {
            put_same(w, &a.line[i]);
            i++, j++;
        } else if (i < a.n && (j == b.n || !length ||
                               length[(i + 1) * wide + j] >= length[i * wide + j + 1])) {
            put_change(w, '-', a.line[i++]);
        } else {
            put_change(w, '+', b.line[j++]);
        }
    }
    free(length);
}

void linediff(struct str before, struct str after, linediff_sink sink, void *ctx)
{
    struct lines a = {0}, b = {0};
    struct writer w = {.sink = sink, .ctx = ctx};
    if (split(before, &a) && split(after, &b)) {
        size_t head = 0, tail = 0, least = a.n < b.n ? a.n : b.n;
        while (head < least && str_equal(a.line[head], b.line[head]))
            head++;
        while (tail < least - head && str_equal(a.line[a.n - 1 - tail], b.line[b.n - 1 - tail]))
            tail++;
        for (size_t i = 0; i < head; i++)
            put_same(&w, &a.line[i]);
        walk_lcs(&w, (struct lines){a.line + head, a.n - head - tail},
                 (struct lines){b.line + head, b.n - head - tail});
        for (size_t i = a.n - tail; i < a.n; i++)
            put_same(&w, &a.line[i]);
        flush_same(&w, true);
    }
    free(a.line);
    free(b.line);
}

bool text_is_multi_line(struct str s)
{
    size_t at = str_find_char(s, '\n', 0);
    return at != SIZE_MAX && at + 1 < s.len;
}
