/* watch.c - the list of reads, and the reads behind kept values. */
#include "lang/rego/watch.h"

#include <string.h>

#include "base/buf.h"

/* Where there is no memory for a read, it is not told: places are of use, not needed. */
static struct rego_read *push(struct rego_machine *m)
{
    struct rego_reads *reads = m->reads;
    if (reads->n == REGO_READS_MAX)
        return NULL;
    struct rego_read *grown =
        arena_grow(m->arena, reads->item, reads->n, &reads->room, reads->n + 1);
    if (!grown)
        return NULL;
    reads->item = grown;
    grown[reads->n] = (struct rego_read){0};
    return &grown[reads->n++];
}

void rego_read_node(struct rego_machine *m, const struct rego_step *step, const struct value *from,
                    const struct value *to, const struct rego_pattern *at, size_t n)
{
    struct rego_read *read = push(m);
    if (!read)
        return;
    read->node = to ? to : from;
    read->value = *read->node;
    read->place = step->place;
    read->file = step->module ? step->module->file : STR("query");
    if (to)
        return;
    struct value *keys = arena_new_raw(m->arena, struct value, n);
    for (; keys && read->nmissing < n && at[read->nmissing].kind == REGO_MATCH_EQUAL;
         read->nmissing++)
        keys[read->nmissing] = *rego_operand(m, &at[read->nmissing].operand);
    read->missing = keys;
    read->is_missing = true;
}

void rego_read_call(struct rego_machine *m, const struct rego_step *step, const char *name,
                    const struct value *arg, size_t narg)
{
    if (narg != 3 || strcmp(name, "object.get") != 0)
        return;
    const struct value *at = &arg[0], *from = at;
    bool path = rego_is_array(&arg[1]);
    const struct value *key = path ? arg[1].items : &arg[1];
    size_t n = path ? arg[1].len : 1, i = 0;
    for (; at && i < n; i++) {
        from = at;
        at = rego_get(from, &key[i]);
    }
    struct rego_read *read = push(m);
    if (!read)
        return;
    read->node = at ? at : from;
    read->value = *read->node;
    read->place = step->place;
    read->file = step->module ? step->module->file : STR("query");
    if (!at) {
        read->is_missing = true;
        read->missing = &key[i - 1];
        read->nmissing = n - (i - 1);
    }
}

/* --- kept ones --- */

struct rego_kept_reads {
    const void *of; /* NULL = free */
    const struct rego_read *item;
    size_t n;
};

static struct rego_kept_reads *kept_slot(struct rego_kept_reads *slot, size_t nslots,
                                         const void *of)
{
    uint64_t h = (uint64_t)(uintptr_t)of * 0x9e3779b97f4a7c15U;
    size_t at = (size_t)(h ^ h >> 29) & (nslots - 1);
    while (slot[at].of && slot[at].of != of)
        at = (at + 1) & (nslots - 1);
    return &slot[at];
}

static bool grow_kept(struct rego_machine *m)
{
    struct rego_reads *reads = m->reads;
    size_t nslots = reads->nslots ? reads->nslots * 2 : 64;
    struct rego_kept_reads *grown = arena_new(m->arena, struct rego_kept_reads, nslots);
    if (!grown)
        return false;
    for (size_t i = 0; i < reads->nslots; i++)
        if (reads->kept[i].of)
            *kept_slot(grown, nslots, reads->kept[i].of) = reads->kept[i];
    reads->kept = grown;
    reads->nslots = nslots;
    return true;
}

static struct rego_read *copy(struct rego_machine *m, size_t mark, size_t *ret_n)
{
    size_t n = m->reads->n > mark ? m->reads->n - mark : 0;
    struct rego_read *item = arena_new_raw(m->arena, struct rego_read, n);
    *ret_n = item ? n : 0;
    if (item && n)
        memcpy(item, m->reads->item + mark, n * sizeof *item);
    return item;
}

void rego_keep_reads(struct rego_machine *m, const void *of, size_t mark)
{
    struct rego_reads *reads = m->reads;
    if (!reads || reads->n <= mark || (reads->nkept * 2 >= reads->nslots && !grow_kept(m)))
        return;
    struct rego_kept_reads *slot = kept_slot(reads->kept, reads->nslots, of);
    reads->nkept += !slot->of;
    slot->of = of;
    slot->item = copy(m, mark, &slot->n);
}

static void give(struct rego_machine *m, const struct rego_read *item, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct rego_read *read = push(m);
        if (read)
            *read = item[i];
    }
}

void rego_again_reads(struct rego_machine *m, const void *of)
{
    struct rego_reads *reads = m->reads;
    if (!reads || !reads->nslots)
        return;
    const struct rego_kept_reads *slot = kept_slot(reads->kept, reads->nslots, of);
    if (slot->of)
        give(m, slot->item, slot->n);
}

void rego_first_reads_take(struct rego_machine *m, struct rego_first_reads *first, size_t mark)
{
    if (!m->reads || first->any)
        return;
    first->any = true;
    first->item = copy(m, mark, &first->n);
}

void rego_first_reads_give(struct rego_machine *m, const struct rego_first_reads *first,
                           size_t mark)
{
    if (!m->reads || !first->any)
        return;
    rego_back(m, mark);
    give(m, first->item, first->n);
}

void rego_found_member(struct rego_machine *m, const struct rego_rule *rule,
                       const struct value *member, size_t mark)
{
    const struct rego_watch *watch = m->options->watch;
    if (m->reads && watch->found)
        watch->found(watch->ctx, rule, member, m->reads->item + mark, m->reads->n - mark);
}
