/* tail.h - the last lines that a process printed, and the panic among them.
 *
 * Shape:  TAIL_LINES lines of at most TAIL_LINE bytes (the rest of a line is dropped); two sources
 *         (the stderr pipe, the stdio stream) whose halves of lines do not mix
 */
#pragma once
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

struct arena;

enum { TAIL_LINES = 200, TAIL_LINE = 400, TAIL_SOURCES = 2 };
struct tail_line {
    size_t n;
    char text[TAIL_LINE];
};
struct tail {
    struct tail_line line[TAIL_LINES]; /* a ring */
    size_t first, n;
    struct tail_line partial[TAIL_SOURCES];
    struct tail_line panic; /* the first "panic: " or "fatal error: " line */
};

void tail_add(struct tail *tail, unsigned source, struct str bytes);
/* What is not ended by a newline counts as a line, too: at the end of the process. */
void tail_end(struct tail *tail);
/* All lines, oldest first, each with a newline. */
struct str tail_text(const struct tail *tail, struct arena *arena);
/* In a few words why it ended badly: the panic, else the last line that is an error or plain text
 * (the message of a log record). Nothing is added where nothing was printed. */
void tail_reason(const struct tail *tail, struct buf *out);
