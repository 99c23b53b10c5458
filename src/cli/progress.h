/* progress.h - how far a scan is, on stderr, once it takes longer than a second.
 *
 * A terminal gets one line that is drawn again; anything else a plain line every ten seconds.
 * progress_report may come from any thread.
 */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

enum { PROGRESS_FIRST_MS = 1000, PROGRESS_TERMINAL_MS = 100, PROGRESS_PLAIN_MS = 10000 };

struct progress {
    FILE *out; /* NULL = silent */
    bool terminal;
    int64_t (*now_ms)(void); /* monotonic */
    int64_t started_ms, drawn_ms;
    struct str stack; /* which one, and of how many */
    size_t nth, nstacks;
    uint64_t done_before; /* resources of the stacks before this one */
    uint64_t done;        /* of this one */
    bool drawn;           /* a line stands on the terminal */
    pthread_mutex_t lock;
};

void progress_open(struct progress *progress, FILE *out, bool terminal, int64_t (*now_ms)(void));
void progress_stack(struct progress *progress, struct str name, size_t nth, size_t nstacks);
void progress_report(struct progress *progress, uint64_t done, uint64_t total, struct str what);
/* Take the line away, so that something else may be printed. */
void progress_clear(struct progress *progress);
void progress_close(struct progress *progress);
