/* scheduler_piece.h - one scan of one stack, from the taking of its lease to its end. */
#pragma once
#include "base/err.h"
#include "record/planned.h"
#include "record/touch.h"
#include "scan/places.h"
#include "scan/recording.h"
#include "serve/scheduler_parts.h"
#include "serve/telemetry.h"

/* X(constant, name in figures and logs) */
#define PIECES(X) \
    X(PIECE_NONE, "none") \
    X(PIECE_WHOLE, "whole") \
    X(PIECE_SLICE, "slice") \
    X(PIECE_TIER, "tier") \
    X(PIECE_TOUCHED, "touched")
#define X(constant, name) constant,
enum piece_kind { PIECES(X) PIECE_COUNT };
#undef X

/* How far a sweep is: the figures of the slices that were recorded. */
struct progress {
    int64_t resources; /* of the stack, when it was counted last; 0 = never */
    int64_t slice, nslices, began_utc_ms;
    int64_t told_utc_ms; /* when the last one was recorded; 0 = by a version that did not say */
    int64_t sum[10];
};

struct piece {
    struct scheduler *s;
    struct slot *slot;
    struct hands *hands;
    const struct plan *plan;
    const struct lease *lease;
    const struct stack *stack;
    const struct schedule_set *set;
    struct arena arena;
    struct err err;
    int64_t now, began_ms; /* of the store, of the monotonic clock */
    struct telemetry_span span;
    char trace[TELEMETRY_PARENT]; /* the span as it is recorded with the run */

    enum piece_kind kind;
    struct planned *row; /* of the stack's tiers */
    size_t nrows;
    struct touched *touched;
    size_t ntouched;
    bool *due;  /* of set->tiers */
    bool named; /* did a touch name the whole stack? */
    struct progress progress;
    struct str *address; /* sorted: of tiers and touches */
    size_t naddresses, addresses_room;

    struct scan_options scan;
    struct places_repos repos;
    struct judges judges;
    struct recording recording;
    struct stack_result result;
    struct str code; /* the newest commit of its branch, when it was asked last; or empty */
    bool locked;     /* for an apply, and scanned all the same */

    struct piece *next; /* was begun in the transaction that ended this one */
    struct lease taken; /* such a one's own */
    bool found, begun;  /* the same: what is due of it; its run */
    bool last;          /* in the transaction that ended it nothing else was touched */
};

struct record *piece_store(struct piece *p);
/* What is due of the stack: its kind, and the touches that it is for. */
bool piece_find_work(struct piece *p);
/* What it looks at, where that is not all. */
bool piece_find_addresses(struct piece *p);
struct planned *piece_row(struct planned *row, size_t n, struct str tier);
/* The i-th of the figures of progress.sum. */
int64_t *piece_sum(struct coverage *c, size_t i);
struct str piece_print_progress(struct arena *arena, const struct progress *p);
