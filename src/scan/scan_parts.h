/* scan_parts.h - what scan.c and code.c know of one another. */
#pragma once
#include "base/arena.h"
#include "live/reader.h"
#include "model/resource.h"
#include "scan/scan.h"
#include "scan/tally.h"

struct code_instance;
struct known;
struct known_making;
struct observation;
struct scan_code;
struct scan_kept;

enum { SCAN_CHUNK_FIRST = 16, SCAN_CHUNK = 1024 }; /* one touched resource needs but one */

/* An instance that waits for its answer. The resource comes first: readers hand its place back. */
struct entry {
    struct resource resource;
    const struct reader *reader;
    const struct code_instance *instance; /* what the code says of it; NULL = nothing */
    bool answered;
    /* With code, until all have answered: what differs is kept, of the rest only the count. */
    struct scan_kept *kept;
    bool in_order;                   /* nothing of it differs from anything */
    bool again;                      /* it is to be asked once more */
    uint32_t seen;                   /* the evaluation that had it last */
    uint64_t compared, not_observed; /* in_order: leaves */
    bool forgotten; /* a `removed` block takes it from the state, and leaves it alone */
};
struct chunk {
    struct chunk *next;
    size_t n, room;
    struct entry entry[];
};

struct scan {
    struct tally tally;
    const struct stack *stack;
    struct arena scratch; /* of one answer */
    struct chunk *first, *last;
    size_t n;
    struct known *known;    /* the state, where it was walked before; else NULL */
    bool no_state;          /* nothing was ever recorded: what is compared was imported */
    struct scan_code *code; /* NULL: the last state is what is wanted */
};

/* What there is to say of an answer; ret is in scan->scratch. */
bool scan_observe(struct scan *scan, const struct entry *entry, const struct live_result *result,
                  struct observation *ret, struct err *err);
/* Observed and added up. */
bool scan_tell(struct scan *scan, const struct entry *entry, const struct live_result *result,
               struct err *err);
/* What the provider warned of, and what the state has to say of it. */
bool scan_note_result(struct scan *scan, const struct live_result *result, struct err *err);
/* Ask those entries once more that are to be. */
bool scan_read_again(struct scan *scan, struct err *err);
/* A new one, zeroed; NULL where the arena is full. */
struct entry *scan_add_entry(struct scan *scan);
