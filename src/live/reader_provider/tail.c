/* tail.c - a ring of lines, and what of them is worth telling. */
#include "live/reader_provider/tail.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "live/reader_provider/words.h"

enum { REASON_MAX = 240 };

static struct str view(const struct tail_line *line)
{
    return (struct str){line->text, line->n};
}

static bool is_panic(struct str line)
{
    return str_starts(line, STR("panic: ")) || str_starts(line, STR("fatal error: ")) ||
           str_starts(line, STR("SIGSEGV")) || str_starts(line, STR("runtime: out of memory"));
}

static void end_line(struct tail *tail, struct tail_line *partial)
{
    struct str line = view(partial);
    if (!tail->panic.n && is_panic(line))
        tail->panic = *partial;
    size_t at = (tail->first + tail->n) % TAIL_LINES;
    tail->line[at].n = partial->n;
    memcpy(tail->line[at].text, partial->text, partial->n);
    if (tail->n < TAIL_LINES)
        tail->n++;
    else
        tail->first = (tail->first + 1) % TAIL_LINES;
    partial->n = 0;
}

void tail_add(struct tail *tail, unsigned source, struct str bytes)
{
    struct tail_line *partial = &tail->partial[source % TAIL_SOURCES];
    while (bytes.len) {
        struct str line;
        bool ended = str_cut(&bytes, '\n', &line);
        size_t room = TAIL_LINE - partial->n, n = line.len < room ? line.len : room;
        memcpy(partial->text + partial->n, line.ptr, n);
        partial->n += n;
        if (ended)
            end_line(tail, partial);
    }
}

void tail_end(struct tail *tail)
{
    for (unsigned i = 0; i < TAIL_SOURCES; i++)
        if (tail->partial[i].n)
            end_line(tail, &tail->partial[i]);
}

struct str tail_text(const struct tail *tail, struct arena *arena)
{
    char *text = arena_alloc_raw(arena, tail->n * (TAIL_LINE + 1) + 1, 1, 1);
    size_t len = 0;
    if (!text)
        return (struct str){0};
    for (size_t i = 0; i < tail->n; i++) {
        const struct tail_line *line = &tail->line[(tail->first + i) % TAIL_LINES];
        memcpy(text + len, line->text, line->n);
        len += line->n;
        text[len++] = '\n';
    }
    return (struct str){text, len};
}

/* hclog writes {"@level":"error","@message":"...",...}: the message, up to its closing quote. */
static struct str log_message(struct str line)
{
    struct str key = STR("\"@message\":\"");
    size_t at = str_find(line, key, 0);
    if (line.len == 0 || line.ptr[0] != '{' || at == SIZE_MAX)
        return line;
    size_t end = at + key.len;
    while (end < line.len && line.ptr[end] != '"')
        end += line.ptr[end] == '\\' ? 2 : 1;
    return str_sub(line, at + key.len, end);
}

static bool is_quiet(struct str line)
{
    static const struct str quiet[] = {
        STR_INIT("\"@level\":\"trace\""),
        STR_INIT("\"@level\":\"debug\""),
        STR_INIT("\"@level\":\"info\""),
        STR_INIT("[TRACE]"),
        STR_INIT("[DEBUG]"),
        STR_INIT("[INFO]"),
        STR_INIT("goroutine "),
        STR_INIT("\t"),
    };
    for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++)
        if (str_find(line, quiet[i], 0) != SIZE_MAX)
            return true;
    return str_trim(line).len == 0;
}

void tail_reason(const struct tail *tail, struct buf *out)
{
    if (tail->panic.n) {
        words_put(out, view(&tail->panic), REASON_MAX);
        return;
    }
    for (size_t i = tail->n; i-- > 0;) {
        struct str line = view(&tail->line[(tail->first + i) % TAIL_LINES]);
        if (is_quiet(line))
            continue;
        words_put(out, log_message(line), REASON_MAX);
        return;
    }
}
