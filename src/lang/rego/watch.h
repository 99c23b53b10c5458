/* watch.h - which nodes a solution was found from: the refs that the way to it has looked up
 * (inside lang/rego; what the caller is given is in rego.h).
 *
 * A list that grows with each ref and is cut back where the evaluation turns to the next element;
 * so that it holds, at each solution, the reads of its own way only. What lies behind a kept value
 * (a complete rule, a function's result) is kept beside it and comes again when the value does.
 * Where nobody watches, machine->reads is NULL and one test a ref is all that it costs.
 */
#pragma once
#include "lang/rego/machine.h"

struct rego_kept_reads;
struct rego_reads {
    struct rego_read *item;
    size_t n, room;
    struct rego_kept_reads *kept; /* by what they belong to: open addressing */
    size_t nkept, nslots;
};

enum { REGO_READS_MAX = 1 << 20 }; /* on one way; what comes behind is not told */

static inline size_t rego_mark(const struct rego_machine *m)
{
    return m->reads ? m->reads->n : 0;
}
static inline void rego_back(const struct rego_machine *m, size_t mark)
{
    if (m->reads)
        m->reads->n = mark;
}

/* A ref came to `to`; or, to NULL, no further than `from`, which lacks the first of n keys. */
void rego_read_node(struct rego_machine *m, const struct rego_step *step, const struct value *from,
                    const struct value *to, const struct rego_pattern *at, size_t n);
/* The same for the keys of object.get. */
void rego_read_call(struct rego_machine *m, const struct rego_step *step, const char *name,
                    const struct value *arg, size_t narg);
/* Keep the reads since mark under an address, and have them again. */
void rego_keep_reads(struct rego_machine *m, const void *of, size_t mark);
void rego_again_reads(struct rego_machine *m, const void *of);
/* Put in the reads of the first solution: those from mark on are them (*kept not yet set), or go.
 */
struct rego_first_reads {
    bool any;
    struct rego_read *item;
    size_t n;
};
void rego_first_reads_take(struct rego_machine *m, struct rego_first_reads *first, size_t mark);
void rego_first_reads_give(struct rego_machine *m, const struct rego_first_reads *first,
                           size_t mark);
/* A member of a partial rule was found. */
void rego_found_member(struct rego_machine *m, const struct rego_rule *rule,
                       const struct value *member, size_t mark);
