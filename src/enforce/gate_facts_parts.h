/* gate_facts_parts.h - what the files of gate_facts share. */
#pragma once
#include "enforce/gate_facts.h"

struct gathering {
    struct arena *arena;
    const struct gate_asking *asking;
    struct gate_seen *seen;
    struct gate_touch *touch;
    size_t ntouches;
    struct gate_touch **moved; /* those with a previous address */
    size_t nmoved;
    struct str *cannot_tell, *note;
    size_t ncannot_tell, cannot_room, nnotes, note_room;
    struct gate_violation *violation;
    size_t nviolations, violation_room;
    struct value variables; /* {"variables": ...} of the plan, for places in the code */
    struct err *err;
};

/* A sentence that denies; one that does not. what.ptr NULL: the arena is full. */
bool gathering_deny(struct gathering *g, struct str what);
bool gathering_note(struct gathering *g, struct str what);
/* "what: why" of an error that ends only this; false where it ends everything. */
bool gathering_failed(struct gathering *g, const char *what, const struct err *why);

bool gather_live(struct gathering *g);   /* gate_live.c */
bool gather_policy(struct gathering *g); /* gate_policy.c */
bool gather_code(struct gathering *g);   /* gate_code.c */
