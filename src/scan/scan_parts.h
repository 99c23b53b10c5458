/* scan_parts.h - what scan.c and code.c know of one another. */
#pragma once
#include "base/arena.h"
#include "live/reader.h"
#include "model/resource.h"
#include "scan/scan.h"
#include "scan/tally.h"

struct code_instance;
struct scan_code;

enum { SCAN_CHUNK = 1024 };

/* An instance that waits for its answer. The resource comes first: readers hand its place back. */
struct entry {
    struct resource resource;
    const struct reader *reader;
    const struct code_instance *instance; /* what the code says of it; NULL = nothing */
    bool answered;
    bool forgotten; /* a `removed` block takes it from the state, and leaves it alone */
};
struct chunk {
    struct chunk *next;
    size_t n;
    struct entry entry[SCAN_CHUNK];
};

struct scan {
    struct tally tally;
    const struct stack *stack;
    struct arena scratch; /* of one answer */
    struct chunk *first, *last;
    size_t n;
    bool no_state;          /* nothing was ever recorded: what is compared was imported */
    struct scan_code *code; /* NULL: the last state is what is wanted */
};

/* A new one, zeroed; NULL where the arena is full. */
struct entry *scan_add_entry(struct scan *scan);
