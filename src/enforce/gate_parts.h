/* gate_parts.h - what gate.c and gate_drift.c share. */
#pragma once
#include <stdarg.h>

#include "enforce/gate.h"

struct deciding {
    struct arena *arena;
    const struct gate_facts *facts;
    const struct config_gate *rules;
    struct gate_objection *item;
    size_t n, room;
    bool full; /* the arena is: nothing can be decided */
};

/* NULL: its kind is off, or the arena is full. Good until the next one. */
struct gate_objection *gate_add(struct deciding *d, enum gate_kind kind);
void gate_say(struct deciding *d, struct str *to, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* (a), (b), stale-live, unread (gate_drift.c) */
void gate_judge_drift(struct deciding *d);
