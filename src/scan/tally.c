/* tally.c - counting observations and keeping findings in the result's arena. */
#include "scan/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "drift/ignore.h"
#include "policy/waiver.h"

void tally_init(struct tally *tally, struct arena *arena, struct str stack,
                const struct scan_options *options)
{
    *tally = (struct tally){.arena = arena, .stack = stack, .options = options};
}

/* --- texts --- */

static size_t text_slot(const struct text_set *set, struct str text)
{
    size_t at = (size_t)hash_bytes(text, 0) & (set->nslots - 1);
    while (set->slot[at].ptr && !str_equal(set->slot[at], text))
        at = (at + 1) & (set->nslots - 1);
    return at;
}

static bool text_grow(struct arena *arena, struct text_set *set)
{
    struct text_set bigger = {.nslots = set->nslots ? 2 * set->nslots : 64, .n = set->n};
    bigger.slot = arena_new(arena, struct str, bigger.nslots);
    if (!bigger.slot)
        return false;
    for (size_t i = 0; i < set->nslots; i++)
        if (set->slot[i].ptr)
            bigger.slot[text_slot(&bigger, set->slot[i])] = set->slot[i];
    *set = bigger;
    return true;
}

/* The kept copy; ptr NULL where the arena is full. */
static struct str text_keep(struct arena *arena, struct text_set *set, struct str text)
{
    if (2 * set->n >= set->nslots && !text_grow(arena, set))
        return (struct str){0};
    struct str *slot = &set->slot[text_slot(set, text)];
    if (!slot->ptr) {
        *slot = arena_dup(arena, text);
        set->n += slot->ptr != NULL;
    }
    return *slot;
}

static bool keep(struct tally *tally, struct str *text)
{
    if (!text->ptr)
        return true;
    *text = text_keep(tally->arena, &tally->texts, *text);
    return text->ptr != NULL;
}

static bool dup(struct tally *tally, struct str *text)
{
    if (!text->ptr)
        return true;
    *text = arena_dup(tally->arena, *text);
    return text->ptr != NULL;
}

/* --- copies without secrets --- */

static bool copy_value(struct arena *arena, const struct value *v, unsigned depth_left,
                       struct value *ret);

static bool copy_items(struct arena *arena, const struct value *v, unsigned depth_left,
                       struct value *ret)
{
    struct value *items = arena_new(arena, struct value, v->len);
    if (!items)
        return false;
    for (uint32_t i = 0; i < v->len; i++)
        if (!copy_value(arena, &v->items[i], depth_left, &items[i]))
            return false;
    ret->items = items;
    return true;
}

static bool copy_members(struct arena *arena, const struct value *v, unsigned depth_left,
                         struct value *ret)
{
    struct value_member *members = arena_new(arena, struct value_member, v->len);
    if (!members)
        return false;
    for (uint32_t i = 0; i < v->len; i++) {
        members[i].key = key_make(arena, key_str(v->members[i].key));
        if (!members[i].key ||
            !copy_value(arena, &v->members[i].value, depth_left, &members[i].value))
            return false;
    }
    ret->members = members;
    return true;
}

/* Types of nulls and refinements of unknowns belong to the reader: they are left behind too. */
static bool copy_value(struct arena *arena, const struct value *v, unsigned depth_left,
                       struct value *ret)
{
    *ret = *v;
    if (v->marks & VALUE_SENSITIVE) {
        *ret = v->kind == VALUE_NULL ? value_null() : value_string(STR("(sensitive)"));
        ret->marks = v->marks;
        return true;
    }
    if (v->kind == VALUE_BOOL || (v->kind == VALUE_NUMBER && v->form == NUMBER_INT))
        return true;
    if (v->kind == VALUE_STRING || v->kind == VALUE_NUMBER) {
        ret->text = arena_dup(arena, value_text(v)).ptr;
        return ret->text != NULL;
    }
    if (v->len && depth_left && value_is_list_like(v))
        return copy_items(arena, v, depth_left - 1, ret);
    if (v->len && depth_left && value_is_object_like(v))
        return copy_members(arena, v, depth_left - 1, ret);
    *ret = (struct value){.kind = v->kind, .marks = v->marks};
    return true;
}

static bool copy_side(struct arena *arena, bool sensitive, const struct value **side)
{
    if (!*side)
        return true;
    struct value from = **side, *to = arena_new(arena, struct value, 1);
    if (sensitive)
        from.marks |= VALUE_SENSITIVE;
    *side = to;
    return to && copy_value(arena, &from, VALUE_DEPTH_MAX, to);
}

/* While the value is still there. */
static bool take_digest(struct tally *tally, struct change *change)
{
    struct str key = tally->options->record_key;
    return !key.len || waiver_digest(tally->arena, key, change->path, change->after,
                                     change->sensitive, &change->kept_digest, NULL);
}

static bool copy_changes(struct tally *tally, struct finding *finding)
{
    struct change *changes = arena_new(tally->arena, struct change, finding->nchanges);
    if (!changes)
        return false;
    for (size_t i = 0; i < finding->nchanges; i++) {
        struct change *change = &changes[i];
        *change = finding->changes[i];
        if (!dup(tally, &change->path) || !keep(tally, &change->ignored_by) ||
            !take_digest(tally, change) ||
            !copy_side(tally->arena, change->sensitive, &change->before) ||
            !copy_side(tally->arena, change->sensitive, &change->after))
            return false;
    }
    finding->changes = changes;
    return true;
}

static bool copy_finding(struct tally *tally, struct finding *finding)
{
    struct str *shared[] = {&finding->stack,         &finding->type,           &finding->provider,
                            &finding->reason,        &finding->ignored_by,     &finding->remedy,
                            &finding->ignored_owner, &finding->ignored_expires};
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        if (!keep(tally, shared[i]))
            return false;
    return dup(tally, &finding->address) && copy_changes(tally, finding);
}

/* --- adding --- */

static void count(struct tally *tally, const struct observation *observation)
{
    struct coverage *coverage = &tally->coverage;
    coverage->resources++;
    coverage->attributes_compared += observation->attributes_compared;
    coverage->attributes_not_observed += observation->attributes_not_observed;
    for (size_t i = 0; i < observation->nfindings; i++)
        coverage->ignored += observation->findings[i].ignored;
    coverage->compared += observation->outcome != OBSERVED_UNCHECKED;
    switch (observation->outcome) {
    case OBSERVED_SAME:
        coverage->same++;
        break;
    case OBSERVED_DIFFERENT:
        coverage->different++;
        break;
    case OBSERVED_MISSING:
        coverage->missing++;
        break;
    case OBSERVED_UNCHECKED:
        coverage->unchecked++;
        break;
    }
}

static bool add_equal(struct tally *tally, const struct observation *observation)
{
    for (size_t i = 0; i < observation->nequal; i++) {
        tally->equal = arena_grow(tally->arena, tally->equal, tally->nequal, &tally->equal_room,
                                  tally->nequal + 1);
        if (!tally->equal)
            return false;
        struct considered_equal *to = &tally->equal[tally->nequal++];
        *to = observation->equal[i];
        if (!keep(tally, &to->address) || !keep(tally, &to->path))
            return false;
    }
    return true;
}

static bool add_finding(struct tally *tally, const struct finding *finding,
                        const struct drift_input *of, struct err *err)
{
    tally->findings = arena_grow(tally->arena, tally->findings, tally->nfindings,
                                 &tally->findings_room, tally->nfindings + 1);
    if (!tally->findings)
        return arena_full(tally->arena, err);
    struct finding *to = &tally->findings[tally->nfindings];
    *to = *finding;
    if (!copy_finding(tally, to))
        return arena_full(tally->arena, err);
    tally->nfindings++;
    if (tally->options->attribute && !tally->options->attribute(tally->options->attribute_ctx, to,
                                                                of ? of->live : NULL, &to->by, err))
        return false;
    if (tally->options->record_key.len && (!scan_take_tags(tally, of, finding, to, err) ||
                                           !scan_take_value(tally, of, finding, to, err)))
        return false;
    if (!tally->options->on_finding && !tally->options->policy)
        return true;
    if (tally->locate && !tally->locate(tally->locate_ctx, to, err))
        return false;
    if (tally->options->policy && !scan_judge(tally, of, finding, to, err))
        return false;
    return !tally->options->on_finding || tally->options->on_finding(tally->options->ctx, to, err);
}

bool tally_add(struct tally *tally, const struct observation *observation, struct err *err)
{
    bool ok = add_equal(tally, observation) || arena_full(tally->arena, err);
    for (size_t i = 0; ok && i < observation->nfindings; i++)
        ok = add_finding(tally, &observation->findings[i], observation->of, err);
    if (ok)
        count(tally, observation);
    tally->failed |= !ok;
    return ok;
}

void tally_add_same(struct tally *tally, uint64_t resources, uint64_t leaves)
{
    tally->coverage.resources += resources;
    tally->coverage.compared += resources;
    tally->coverage.same += resources;
    tally->coverage.attributes_compared += leaves;
}

bool tally_note(struct tally *tally, struct str note, struct err *err)
{
    bool full = tally->notes.n >= TALLY_NOTES_MAX;
    struct str text = full ? STR("there are more notes than can be listed") : note;
    if (text_keep(tally->arena, &tally->notes, text).ptr)
        return true;
    tally->failed = true;
    return arena_full(tally->arena, err);
}

bool tally_note_expired(struct tally *tally, struct err *err)
{
    const struct config *config = tally->options->config;
    struct str *notes = NULL;
    size_t n = 0;
    if (!config)
        return true;
    if (!ignore_note_expired(tally->arena, config->ignores, config->nignores, config->path,
                             tally->stack, tally->options->now_utc_ms, &notes, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!tally_note(tally, notes[i], err))
            return false;
    return true;
}

/* --- the end --- */

static int finding_order(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    int order = str_compare(x->address, y->address);
    if (order == 0)
        order = (x->class_ > y->class_) - (x->class_ < y->class_);
    return order ? order : memcmp(x->fingerprint, y->fingerprint, sizeof x->fingerprint);
}

static int equal_order(const void *a, const void *b)
{
    const struct considered_equal *x = a, *y = b;
    int order = str_compare(x->address, y->address);
    if (order == 0)
        order = str_compare(x->path, y->path);
    return order ? order : str_compare(x->rule, y->rule);
}

static int reason_text_order(const void *a, const void *b)
{
    const struct unchecked_reason *x = a, *y = b;
    return str_compare(x->reason, y->reason);
}

static int reason_order(const void *a, const void *b)
{
    const struct unchecked_reason *x = a, *y = b;
    if (x->resources != y->resources)
        return x->resources > y->resources ? -1 : 1;
    return str_compare(x->reason, y->reason);
}

/* One row for each reason that was given; the rarest beyond TALLY_REASONS_MAX share the last. */
static bool group_reasons(struct tally *tally, struct err *err)
{
    struct unchecked_reason *rows =
        arena_new(tally->arena, struct unchecked_reason, tally->coverage.unchecked);
    size_t n = 0, kept = 0;
    if (!rows)
        return arena_full(tally->arena, err);
    for (size_t i = 0; i < tally->nfindings; i++)
        if (tally->findings[i].class_ == CLASS_UNCHECKED && n < tally->coverage.unchecked)
            rows[n++] = (struct unchecked_reason){tally->findings[i].reason, 1};
    if (n > 1)
        qsort(rows, n, sizeof *rows, reason_text_order);
    for (size_t i = 0; i < n; i++) {
        if (kept && str_equal(rows[kept - 1].reason, rows[i].reason))
            rows[kept - 1].resources++;
        else
            rows[kept++] = rows[i];
    }
    if (kept > 1)
        qsort(rows, kept, sizeof *rows, reason_order);
    while (kept > TALLY_REASONS_MAX) {
        struct unchecked_reason *last = &rows[TALLY_REASONS_MAX - 1];
        last->resources += rows[--kept].resources;
        last->reason = STR("other reasons");
    }
    tally->coverage.reasons = rows;
    tally->coverage.nreasons = kept;
    return true;
}

static bool list_notes(struct tally *tally, struct stack_result *ret, struct err *err)
{
    struct str *notes = arena_new(tally->arena, struct str, tally->notes.n);
    size_t n = 0;
    if (!notes)
        return arena_full(tally->arena, err);
    for (size_t i = 0; i < tally->notes.nslots; i++)
        if (tally->notes.slot[i].ptr)
            notes[n++] = tally->notes.slot[i];
    if (n > 1)
        qsort(notes, n, sizeof *notes, str_compare_qsort);
    ret->notes = notes;
    ret->nnotes = n;
    return true;
}

bool tally_finish(struct tally *tally, struct stack_result *ret, struct err *err)
{
    if (tally->nfindings > 1)
        qsort(tally->findings, tally->nfindings, sizeof *tally->findings, finding_order);
    if (tally->nequal > 1)
        qsort(tally->equal, tally->nequal, sizeof *tally->equal, equal_order);
    if (!group_reasons(tally, err) || !list_notes(tally, ret, err))
        return false;
    ret->findings = tally->findings;
    ret->nfindings = tally->nfindings;
    ret->equal = tally->equal;
    ret->nequal = tally->nequal;
    ret->coverage = tally->coverage;
    return true;
}
