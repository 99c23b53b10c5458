/* explain.h - the events of an evaluation of Rego, kept and shown: `plumb policy eval --explain`.
 */
#pragma once
#include <stdio.h>

#include "lang/rego/rego.h"

struct jsonw;

enum { EXPLAIN_EVENTS_MAX = 100000 }; /* what comes behind is counted */
struct explain {
    struct arena *arena;
    struct str what; /* "notes", "fails", "full" */
    struct rego_event *event;
    size_t n, room, dropped;
};

/* struct rego_trace's callback; ctx is the explanation. */
void explain_event(void *ctx, const struct rego_event *event);
/* "main.rego:3  | | Fail x > 2", a line for each event that `what` wants. */
void explain_print(const struct explain *explain, FILE *out);
/* The member "explanation": [{"Op", "Location", "Depth", "Text"}]. */
void explain_json(const struct explain *explain, struct jsonw *w);
