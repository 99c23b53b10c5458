/* desired.h - what the code asks for, from a state, a plan or (later) the code itself.
 *
 * A source opens, then gives resources one at a time (streaming, so that a state of a million
 * instances needs no tree).
 * Owner: what `next` gives is valid until the source is closed, its `attributes` only until the
 *        next call.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "model/resource.h"

struct arena;
struct err;
struct stack;

struct desired_info {
    struct str kind;  /* "state", "plan", "code" */
    struct str label; /* "state terraform.tfstate, serial 3" */
    struct str lineage, terraform_version;
    uint64_t serial;
    bool no_state;   /* the stack has no state yet */
    struct str file; /* where it is, if that is a local file; else empty */
};

struct desired; /* an open source */

/* A state v4 text already in memory (name for messages). text must outlive it. */
bool desired_open_state_text(struct str text, const char *name, struct desired **ret,
                             struct err *err);
/* The stack's state: explicit file/URL, local layout, workspace layout, or `state pull` (facts 4,
 * issue 1.3). */
bool desired_open_stack_state(const struct stack *stack, struct desired **ret, struct err *err);
const struct desired_info *desired_info(const struct desired *desired);
/* The next instance, managed or data; false at the end or on error (err->kind != ERR_NONE). */
bool desired_next(struct desired *desired, struct resource *ret, struct err *err);
/*
 * Instances of resources of one type and name, those of the root module and of all others, each
 * once; others may come between them. What is passed over on the way is found by a later call; of
 * its text nothing but the brackets is checked. False: there are no more, or as desired_next, which
 * is not for the same source.
 */
bool desired_find(struct desired *desired, struct str type, struct str name, struct resource *ret,
                  struct err *err);
/* The text of a stack's state, once all was walked; empty where there is none. */
struct str desired_text(const struct desired *desired);
/* Instances in all, where known without a walk, else 0: for progress. */
uint64_t desired_count(const struct desired *desired);
void desired_close(struct desired *desired);
