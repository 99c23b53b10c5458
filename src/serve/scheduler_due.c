/* scheduler_due.c - what is due of a stack whose lease was taken. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desired/desired.h"
#include "record/lease.h"
#include "serve/scheduler_piece.h"

enum {
    TOUCHED_MAX = 10000, /* in one scan; what is left comes next */
    PROGRESS_TEXT = 420,
    STANDS_MS = 60000 /* so long nobody is at a sweep while a service goes on */
};

struct record *piece_store(struct piece *p)
{
    return &p->hands->store.record;
}

struct planned *piece_row(struct planned *row, size_t n, struct str tier)
{
    for (size_t i = 0; i < n; i++)
        if (str_equal(row[i].tier, tier))
            return &row[i];
    return NULL;
}

int64_t *piece_sum(struct coverage *c, size_t i)
{
    uint64_t *const field[] = {&c->resources,
                               &c->compared,
                               &c->same,
                               &c->different,
                               &c->missing,
                               &c->unmanaged,
                               &c->unchecked,
                               &c->ignored,
                               &c->attributes_compared,
                               &c->attributes_not_observed};
    static_assert(sizeof field / sizeof *field ==
                      sizeof((struct progress){0}.sum) / sizeof(int64_t),
                  "one sum a figure");
    return (int64_t *)field[i];
}

static void read_progress(struct str text, struct progress *ret)
{
    int64_t n[15] = {0};
    struct str rest = text, word;
    size_t i = 0;
    *ret = (struct progress){0};
    for (bool more = text.len > 0; more && i < 15; i++) {
        more = str_cut(&rest, ' ', &word);
        if (!str_to_int64(word, &n[i]))
            return; /* of another version: from the start */
    }
    ret->resources = n[0];
    if (i < 14 || n[2] < 2 || n[1] < 0 || n[1] >= n[2])
        return;
    ret->slice = n[1];
    ret->nslices = n[2];
    ret->began_utc_ms = n[3];
    memcpy(ret->sum, &n[4], sizeof ret->sum);
    ret->told_utc_ms = n[14];
}

struct str piece_print_progress(struct arena *arena, const struct progress *p)
{
    char text[PROGRESS_TEXT];
    int at = snprintf(text, sizeof text, "%" PRId64, p->resources);
    if (p->slice)
        at += snprintf(&text[at], sizeof text - (size_t)at, " %" PRId64 " %" PRId64 " %" PRId64,
                       p->slice, p->nslices, p->began_utc_ms);
    for (size_t i = 0; p->slice && i < 10; i++)
        at += snprintf(&text[at], sizeof text - (size_t)at, " %" PRId64, p->sum[i]);
    if (p->slice)
        at += snprintf(&text[at], sizeof text - (size_t)at, " %" PRId64, p->told_utc_ms);
    return arena_dup(arena, (struct str){text, (size_t)at});
}

/* Nobody was at it while its schedule had the stack again: what its first slices saw is too old to
 * count for a scan that ends now. */
static bool is_stale(const struct piece *p)
{
    int64_t told = p->progress.told_utc_ms;
    return p->progress.nslices && told && p->now - told > STANDS_MS &&
           schedule_next(&p->set->tiers[0].schedule, p->stack->name, told) <= p->now;
}

static void decide_kind(struct piece *p)
{
    bool tier = false;
    for (size_t i = 0; i < p->set->n; i++) {
        const struct planned *row = piece_row(p->row, p->nrows, p->set->tiers[i].name);
        p->due[i] = row && row->next_utc_ms <= p->now;
        tier |= i > 0 && p->due[i];
        if (i == 0 && row)
            read_progress(row->progress, &p->progress);
    }
    for (size_t i = 0; i < p->ntouched; i++)
        p->named |= p->touched[i].touch.address.len == 0;
    p->kind = p->named                         ? PIECE_WHOLE
              : p->slot->urgent && p->ntouched ? PIECE_TOUCHED
              : p->due[0]                      ? PIECE_WHOLE
              : tier                           ? PIECE_TIER
              : p->ntouched                    ? PIECE_TOUCHED
                                               : PIECE_NONE;
    /* A document is read at once, however long it is. */
    bool slices = p->kind == PIECE_WHOLE && !p->named && p->stack->snapshot.len == 0;
    if (is_stale(p))
        p->progress = (struct progress){.resources = p->progress.resources};
    if (slices && !p->progress.nslices && p->progress.resources > p->s->settings.slice) {
        p->progress.nslices =
            (p->progress.resources + p->s->settings.slice - 1) / p->s->settings.slice;
        p->progress.began_utc_ms = p->now;
    }
    if (slices && p->progress.nslices > 1)
        p->kind = PIECE_SLICE;
}

bool piece_find_work(struct piece *p)
{
    struct record *record = piece_store(p);
    p->due = arena_new(&p->arena, bool, p->set->n);
    if (!p->due)
        return arena_full(&p->arena, &p->err);
    if (!lease_now(record, &p->now, &p->err) ||
        !planned_load(record, &p->arena, p->stack->name, &p->row, &p->nrows, &p->err) ||
        !touch_due(record, &p->arena, p->stack->name, p->now, TOUCHED_MAX, &p->touched,
                   &p->ntouched, &p->err))
        return false;
    decide_kind(p);
    if (p->kind == PIECE_SLICE)
        p->ntouched = 0; /* theirs is a scan of their own */
    return true;
}

/* --- addresses --- */

static bool add_address(struct piece *p, struct str address)
{
    struct str *grown =
        arena_grow(&p->arena, p->address, p->naddresses, &p->addresses_room, p->naddresses + 1);
    struct str kept = arena_dup(&p->arena, address);
    if (!grown || !kept.ptr)
        return arena_full(&p->arena, &p->err);
    p->address = grown;
    p->address[p->naddresses++] = kept;
    return true;
}

static bool covered(const struct piece *p, const struct resource *resource)
{
    for (size_t i = 1; i < p->set->n; i++)
        if (p->due[i] &&
            schedule_tier_covers(&p->set->tiers[i], resource->type, &resource->attributes))
            return true;
    return false;
}

/* A state that cannot be read is told by the scan itself. */
static bool add_tiers(struct piece *p)
{
    struct desired *desired;
    struct resource resource;
    struct err why = {0};
    bool ok = true;
    if (!desired_open_stack_state(p->stack, &desired, &why))
        return true;
    while (ok && desired_next(desired, &resource, &why))
        if (resource.mode == RESOURCE_MANAGED && covered(p, &resource))
            ok = add_address(p, resource.address);
    desired_close(desired);
    return ok;
}

bool piece_find_addresses(struct piece *p)
{
    if (p->kind != PIECE_TIER && p->kind != PIECE_TOUCHED)
        return true;
    if (p->kind == PIECE_TIER && !add_tiers(p))
        return false;
    for (size_t i = 0; i < p->ntouched; i++)
        if (!add_address(p, p->touched[i].touch.address))
            return false;
    if (p->naddresses > 1)
        qsort(p->address, p->naddresses, sizeof *p->address, str_compare_qsort);
    return true;
}
