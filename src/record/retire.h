/* retire.h - stacks that a plumb.yaml has no longer: watched no more, and their findings closed.
 *
 * Home:    a plumb.yaml, as the services that read it name it; a row for each stack that it has.
 *          Where a home has a stack no longer, its row goes; with the last row the stack is retired
 * When:    at once where plumb.yaml is another one, or all of its folders are known to be there (a
 *          clone). Else a folder that is away may come back: after RETIRE_AWAY_MS
 * Retired: its findings are resolved by a run of its own (outcome `retired`), schedules, touches,
 *          lease, names and what its providers were configured with are forgotten; reviews, waivers
 *          and the baseline stay for its return. No list and no figure has it, until it is planned
 *          or scanned again
 * Thread:  a record's
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct err;
struct record;
struct stack;

enum { RETIRE_AWAY_MS = 3600000 };

struct retire_ask {
    struct str home, config; /* config: digest of plumb.yaml */
    bool whole;              /* no folder is away for another reason */
    int64_t now_utc_ms;
    const struct stack *stack; /* those that the home has, by name */
    size_t n;
};
enum retire_what { RETIRE_HAS, RETIRE_AWAY, RETIRE_GONE };
/* What differs; in the arena. Without anything to do, n is 0. */
struct retire_todo {
    struct retire_step {
        enum retire_what what;
        struct str stack;
    } * step;
    size_t n, room;
};
bool retire_look(struct record *record, struct arena *arena, const struct retire_ask *ask,
                 struct retire_todo *ret, struct err *err);
/* In a DB_WRITE transaction. Whatever comes back is touched, so that it is scanned. */
bool retire_do(struct record *record, const struct retire_ask *ask, const struct retire_todo *todo,
               struct err *err);
/* The stack is nobody's. In a DB_WRITE transaction. */
bool retire_stack(struct record *record, struct str stack, struct err *err);
