/* baseline.c - findings that were there when plumb came: accepted by address, class and values. */
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "model/decision.h"
#include "record/findings.h"
#include "record/findings_parts.h"

struct item {
    struct str address, class_, digest, reason, actor;
    int64_t baseline, utc_ms;
};
struct baseline {
    struct arena *arena;
    struct record *record;
    struct item *item;
    size_t n, room;
    size_t *slot, nslots; /* by address, class and digest: index + 1 */
};

static uint64_t hash_of(struct str address, struct str class_, struct str digest)
{
    return hash_bytes(digest, hash_bytes(class_, hash_bytes(address, 0)));
}

static size_t *slot_of(const struct baseline *b, struct str address, struct str class_,
                       struct str digest)
{
    size_t i = (size_t)hash_of(address, class_, digest) & (b->nslots - 1);
    for (; b->slot[i]; i = (i + 1) & (b->nslots - 1)) {
        const struct item *item = &b->item[b->slot[i] - 1];
        if (str_equal(item->address, address) && str_equal(item->class_, class_) &&
            str_equal(item->digest, digest))
            break;
    }
    return &b->slot[i];
}

static bool take_item(void *ctx, const struct db_row *row, struct err *err)
{
    struct baseline *b = ctx;
    struct item *grown = arena_grow(b->arena, b->item, b->n, &b->room, b->n + 1);
    if (!grown)
        return arena_full(b->arena, err);
    b->item = grown;
    struct item *item = &b->item[b->n++];
    *item = (struct item){.baseline = db_int(row, 0), .utc_ms = db_int(row, 1)};
    struct str *texts[] = {&item->address, &item->class_, &item->digest, &item->reason,
                           &item->actor};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = arena_dup(b->arena, db_text(row, 2 + i));
        if (!texts[i]->ptr)
            return arena_full(b->arena, err);
    }
    return true;
}

bool baseline_open(struct record *record, struct arena *arena, struct str stack,
                   struct baseline **ret, struct err *err)
{
    struct baseline *b = arena_new(arena, struct baseline, 1);
    const struct db_value name = record_text(arena, stack, SIZE_MAX);
    if (!b)
        return arena_full(arena, err);
    *b = (struct baseline){.arena = arena, .record = record, .nslots = 16};
    if (!db_query(record->db,
                  "SELECT i.baseline, b.utc_ms, i.address, i.class, i.digest, b.reason, b.actor"
                  " FROM baseline_item i JOIN baseline b ON b.id = i.baseline WHERE i.stack = $1",
                  &name, 1, take_item, b, err))
        return err_wrap(err, "the baseline of %.*s", STR_ARG(stack));
    while (b->nslots < 2 * b->n)
        b->nslots *= 2;
    b->slot = arena_new(arena, size_t, b->nslots);
    if (!b->slot)
        return arena_full(arena, err);
    for (size_t i = 0; i < b->n; i++)
        *slot_of(b, b->item[i].address, b->item[i].class_, b->item[i].digest) = i + 1;
    *ret = b;
    return true;
}

static const struct item *find(const struct baseline *b, const struct finding *finding,
                               struct str digest)
{
    size_t at =
        *slot_of(b, finding->address, str_from(finding_class_name(finding->class_)), digest);
    return at ? &b->item[at - 1] : NULL;
}

static struct str sentence(struct arena *arena, const struct item *item)
{
    char when[CLOCK_TEXT];
    (void)clock_format(item->utc_ms, when);
    return arena_printf(arena, "baseline of %.10s: %.*s", when, STR_ARG(item->reason));
}

bool baseline_has(const struct baseline *baseline, const struct sight *sight, struct str *ret_why)
{
    const struct item *item = find(baseline, sight->finding, sight->digest);
    if (!item)
        return false;
    *ret_why = sentence(baseline->arena, item);
    return ret_why->ptr; /* an arena without room accepts nothing */
}

/* --- marking what a report is to pass over --- */

bool baseline_apply(struct baseline *baseline, struct finding *finding, struct err *err)
{
    struct str key, digest;
    if (!baseline->n || finding->ignored)
        return true;
    if (!record_key(baseline->record, &key, err) ||
        !finding_digest(baseline->arena, key, finding, &digest, err))
        return false;
    const struct item *item = find(baseline, finding, digest);
    if (!item)
        return true;
    finding->ignored_by = sentence(baseline->arena, item);
    if (!finding->ignored_by.ptr)
        return arena_full(baseline->arena, err);
    finding->ignored_owner = item->actor;
    finding->ignored = true;
    if (finding->judgement) {
        struct judgement *judgement = arena_new(baseline->arena, struct judgement, 1);
        if (!judgement)
            return arena_full(baseline->arena, err);
        *judgement = *finding->judgement;
        judgement->decision = DECISION_IGNORE;
        judgement->waived = true;
        judgement->message = finding->ignored_by;
        finding->judgement = judgement;
    }
    return true;
}

bool baseline_apply_all(struct baseline *baseline, struct stack_result *result, struct err *err)
{
    if (!baseline->n || !result->nfindings)
        return true;
    struct finding *copy = arena_new(baseline->arena, struct finding, result->nfindings);
    if (!copy)
        return arena_full(baseline->arena, err);
    memcpy(copy, result->findings, result->nfindings * sizeof *copy);
    for (size_t i = 0; i < result->nfindings; i++) {
        bool before = copy[i].ignored;
        if (!baseline_apply(baseline, &copy[i], err))
            return false;
        result->coverage.ignored += copy[i].ignored && !before;
    }
    result->findings = copy;
    return true;
}

/* --- making one --- */

struct writing {
    struct lives *lives;
    size_t at;
    int64_t id, n;
};

/* What could not be looked at cannot be accepted, nor what has no value to be bound to. */
static bool acceptable(const struct sight *s)
{
    const struct finding *f = s->finding;
    return s->digest.len && f->class_ != CLASS_UNCHECKED && !f->ignored &&
           !(f->judgement && f->judgement->waived);
}

static bool next_item(void *ctx, struct db_value *param)
{
    struct writing *w = ctx;
    for (; w->at < w->lives->nseen; w->at++) {
        const struct sight *s = &w->lives->seen[w->at];
        if (!acceptable(s) || find(w->lives->baseline, s->finding, s->digest))
            continue;
        param[0] = record_text(w->lives->arena, w->lives->finish->start->stack, SIZE_MAX);
        param[1] = record_text(w->lives->arena, s->finding->address, SIZE_MAX);
        param[2] = DB_PARAM_TEXT(str_from(finding_class_name(s->finding->class_)));
        param[3] = DB_PARAM_TEXT(s->digest);
        param[4] = DB_PARAM_INT(w->id);
        w->at++;
        w->n++;
        return true;
    }
    return false;
}

static bool write_head(struct lives *lives, const struct writing *w, struct err *err)
{
    const struct run_start *start = lives->finish->start;
    const struct db_value row[] = {DB_PARAM_INT(w->id),
                                   record_text(lives->arena, start->stack, SIZE_MAX),
                                   DB_PARAM_INT(lives->finish->run),
                                   DB_PARAM_INT(lives->now),
                                   record_text(lives->arena, start->actor.name, SIZE_MAX),
                                   record_text(lives->arena, start->actor.how, SIZE_MAX),
                                   record_text(lives->arena, lives->finish->baseline, SIZE_MAX),
                                   DB_PARAM_INT(w->n)};
    return db_run(lives->record->db,
                  "INSERT INTO baseline (id, stack, run, utc_ms, actor, actor_how, reason, items)"
                  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                  row, sizeof row / sizeof *row, err);
}

bool baseline_make(struct lives *lives, struct err *err)
{
    struct writing w = {.lives = lives};
    if (lives->finish->result->failed.len)
        return true; /* nothing was seen */
    if (!record_next_id(lives->record, "SELECT coalesce(max(id), 0) + 1 FROM baseline", &w.id,
                        err) ||
        !db_run_many(lives->record->db,
                     "INSERT INTO baseline_item (stack, address, class, digest, baseline)"
                     " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                     5, next_item, &w, err) ||
        !write_head(lives, &w, err))
        return err_wrap(err, "the baseline");
    lives->changes.baselined = (uint64_t)w.n;
    return baseline_open(lives->record, lives->arena, lives->finish->start->stack, &lives->baseline,
                         err);
}

/* --- and its end --- */

static bool next_dropped(void *ctx, struct db_value *param)
{
    struct writing *w = ctx;
    struct lives *lives = w->lives;
    const struct life *life = NULL;
    for (; !life && w->at < lives->nseen; w->at++)
        if (lives->seen[w->at].before &&
            !str_equal(lives->seen[w->at].before->digest, lives->seen[w->at].digest))
            life = lives->seen[w->at].before;
    if (!life && w->at - lives->nseen < lives->nresolved)
        life = lives->resolved[w->at++ - lives->nseen];
    if (!life)
        return false;
    param[0] = record_text(lives->arena, lives->finish->start->stack, SIZE_MAX);
    param[1] = DB_PARAM_TEXT(life->address);
    param[2] = DB_PARAM_TEXT(life->class_);
    param[3] = DB_PARAM_TEXT(life->digest);
    return true;
}

bool baseline_drop(struct lives *lives, struct err *err)
{
    struct writing w = {.lives = lives};
    if (!lives->baseline->n)
        return true;
    return db_run_many(lives->record->db,
                       "DELETE FROM baseline_item WHERE stack = $1 AND address = $2 AND class = $3"
                       " AND digest = $4",
                       4, next_dropped, &w, err);
}
