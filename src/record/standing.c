/* standing.c - what gates and scans ask the store: by stack, at a moment. */
#include "record/standing.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/covers_parts.h"
#include "record/findings.h"
#include "record/reviews_parts.h"

struct asking {
    struct record *record;
    struct arena *arena;
    int64_t now;
    struct standing *standing;
    struct review_rows reviews; /* of the stack that have not ended, by finding */
    struct standing_finding *finding;
    size_t n, room;
    bool *was_reviewed; /* its status is a review's word */
    size_t was_room;
};

/* --- reviews --- */

static void attach_reviews(const struct asking *a, struct standing_finding *f, bool was_reviewed)
{
    size_t i = reviews_of_finding(&a->reviews, f->finding);
    f->review = reviews_counting(&a->reviews, f->finding, f->digest, a->now);
    for (; i < a->reviews.n && a->reviews.finding[i] == f->finding; i++)
        if (a->reviews.review[i].state == REVIEW_REQUESTED &&
            review_look(&a->reviews.review[i], SIGHT_FOUND, f->digest, a->now) == REVIEW_NOT_ENDED)
            f->requested = &a->reviews.review[i];
    /* What was answered by a review that counts no more is open, whatever is written down. */
    f->decided = f->review || (f->decided && !was_reviewed);
}

/* --- findings --- */

static bool finding_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct asking *a = ctx;
    enum finding_status status;
    int64_t severity = db_int(row, 4);
    a->finding = arena_grow(a->arena, a->finding, a->n, &a->room, a->n + 1);
    a->was_reviewed = arena_grow(a->arena, a->was_reviewed, a->n, &a->was_room, a->n + 1);
    if (!a->finding || !a->was_reviewed)
        return arena_full(a->arena, err);
    struct standing_finding f = {.finding = db_int(row, 0),
                                 .first_utc_ms = db_int(row, 12),
                                 .changed_utc_ms = db_int(row, 13),
                                 .seen_utc_ms = db_int(row, 14),
                                 .due_utc_ms = db_is_null(row, 15) ? INT64_MAX : db_int(row, 15)};
    struct str *texts[] = {&f.fingerprint, &f.address, &f.type,        &f.rule,      &f.owner,
                           &f.digest,      &f.status,  &f.author.name, &f.author.how};
    static const size_t columns[] = {1, 2, 16, 6, 7, 8, 9, 10, 11};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        *texts[i] = reviews_keep(a->arena, row, columns[i]);
        if (!texts[i]->ptr)
            return arena_full(a->arena, err);
    }
    if (!finding_class_from(db_text(row, 3), &f.class_) || severity < 0 ||
        severity >= SEVERITY_COUNT || !finding_status_from(f.status, &status))
        return err_set(err, ERR_SYNTAX, "finding %.*s in the store: a word that is none of plumb's",
                       STR_ARG(f.fingerprint));
    f.severity = (enum severity)severity;
    f.judged = decision_from(db_text(row, 5), &f.decision);
    f.decided = !finding_status_open(status);
    a->was_reviewed[a->n] =
        status == STATUS_REVIEWED ||
        (status == STATUS_WAIVED && str_starts(db_text(row, 17), STR(REVIEW_SAYS_PREFIX)));
    a->finding[a->n++] = f;
    return true;
}

static bool ask_findings(struct asking *a, struct str stack, struct err *err)
{
    const struct db_value param[] = {reviews_text(stack)};
    return db_query(a->record->db,
                    "SELECT id, fingerprint, address, class, severity, decision, rule, owner,"
                    " digest, status, actor, actor_how, first_utc_ms, changed_utc_ms, seen_utc_ms,"
                    " due_utc_ms, type, why FROM finding WHERE stack = $1 AND lane < 4",
                    param, 1, finding_row, a, err);
}

static int by_place(const void *a, const void *b)
{
    const struct standing_finding *x = a, *y = b;
    int order = str_compare(x->address, y->address);
    if (order)
        return order;
    if (x->class_ != y->class_)
        return x->class_ < y->class_ ? -1 : 1;
    return str_compare(x->fingerprint, y->fingerprint);
}

/* --- covers --- */

static bool add_cover(struct arena *arena, struct cover **list, size_t *n, size_t *room,
                      const struct cover *cover, struct err *err)
{
    *list = arena_grow(arena, *list, *n, room, *n + 1);
    if (!*list)
        return arena_full(arena, err);
    (*list)[(*n)++] = *cover;
    return true;
}

static bool ask_covers(struct asking *a, struct err *err)
{
    struct cover_rows rows = {.arena = a->arena};
    struct cover *freeze = NULL, *glass = NULL;
    size_t nfreezes = 0, nglasses = 0, freeze_room = 0, glass_room = 0;
    if (!covers_open(a->record, &rows, err))
        return false;
    for (size_t i = 0; i < rows.n; i++) {
        struct cover whole = rows.item[i];
        whole.address = STR("");
        if (!cover_counts(&whole, a->now) || !cover_fits(&whole, a->standing->stack, STR("")))
            continue;
        bool is_freeze = whole.kind == COVER_FREEZE;
        if (!add_cover(a->arena, is_freeze ? &freeze : &glass, is_freeze ? &nfreezes : &nglasses,
                       is_freeze ? &freeze_room : &glass_room, &rows.item[i], err))
            return false;
    }
    a->standing->freeze = freeze;
    a->standing->nfreezes = nfreezes;
    a->standing->breakglass = glass;
    a->standing->nbreakglasses = nglasses;
    return true;
}

static bool ask_stack(struct asking *a, struct str stack, struct err *err)
{
    const struct db_value param[] = {reviews_text(stack)};
    return db_one_int(a->record->db,
                      "SELECT coalesce(max(complete_utc_ms), 0) FROM stack WHERE name = $1", param,
                      1, &a->standing->scanned_utc_ms, err);
}

/* --- asking --- */

static bool ask(struct asking *a, struct str stack, struct err *err)
{
    if (!ask_stack(a, stack, err) || !reviews_of_stack(a->record, stack, &a->reviews, err) ||
        !ask_findings(a, stack, err) || !ask_covers(a, err))
        return false;
    for (size_t i = 0; i < a->n; i++) {
        struct standing_finding *f = &a->finding[i];
        attach_reviews(a, f, a->was_reviewed[i]);
        a->standing->nundecided += !f->decided;
        a->standing->noverdue += !f->decided && f->due_utc_ms <= a->now;
    }
    if (a->n > 1)
        qsort(a->finding, a->n, sizeof *a->finding, by_place);
    a->standing->finding = a->finding;
    a->standing->n = a->n;
    return true;
}

bool standing_ask(struct record *record, struct arena *arena, struct str stack, int64_t now_utc_ms,
                  struct standing *ret, struct err *err)
{
    struct standing standing = {.stack = stack,
                                .at_utc_ms = now_utc_ms ? now_utc_ms : record_now(record)};
    struct asking a = {.record = record,
                       .arena = arena,
                       .now = standing.at_utc_ms,
                       .standing = &standing,
                       .reviews = {.arena = arena}};
    /* One transaction: all of it as it was at one moment. */
    bool own = !db_in_transaction(record->db);
    if (own && !db_begin(record->db, DB_READ, err))
        return err_wrap(err, "what stands for %.*s", STR_ARG(stack));
    bool ok = ask(&a, stack, err);
    if (own)
        db_rollback(record->db);
    if (!ok)
        return err_wrap(err, "what stands for %.*s", STR_ARG(stack));
    *ret = standing;
    return true;
}

const struct standing_finding *standing_at(const struct standing *standing, struct str address,
                                           size_t *ret_n)
{
    size_t low = 0, high = standing->n, end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_compare(standing->finding[middle].address, address) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < standing->n; end++)
        if (!str_equal(standing->finding[end].address, address))
            break;
    *ret_n = end - low;
    return *ret_n ? &standing->finding[low] : NULL;
}

static const struct cover *covering(const struct cover *list, size_t n, struct str stack,
                                    struct str address)
{
    for (size_t i = 0; i < n; i++)
        if (cover_fits(&list[i], stack, address))
            return &list[i];
    return NULL;
}

const struct cover *standing_freeze(const struct standing *standing, struct str address)
{
    return covering(standing->freeze, standing->nfreezes, standing->stack, address);
}

const struct cover *standing_breakglass(const struct standing *standing, struct str address)
{
    return covering(standing->breakglass, standing->nbreakglasses, standing->stack, address);
}

/* --- a scan's findings --- */

static int rows_by_place(const void *a, const void *b)
{
    const struct review *x = a, *y = b;
    int order = str_compare(x->address, y->address);
    return order ? order : (x->class_ > y->class_) - (x->class_ < y->class_);
}

/* The reviews of its address and class; *ret_n of them. */
static const struct review *reviews_of(const struct review_rows *rows, const struct finding *f,
                                       size_t *ret_n)
{
    const struct review key = {.address = f->address, .class_ = f->class_};
    const struct review *hit =
        rows->n ? bsearch(&key, rows->review, rows->n, sizeof key, rows_by_place) : NULL;
    const struct review *end = hit;
    while (hit && hit > rows->review && rows_by_place(hit - 1, &key) == 0)
        hit--;
    while (end && end < rows->review + rows->n && rows_by_place(end, &key) == 0)
        end++;
    *ret_n = hit ? (size_t)(end - hit) : 0;
    return hit;
}

struct answers {
    struct arena *arena;
    struct review_rows reviews; /* by place */
    struct str key;
    int64_t now;
};

bool answers_open(struct record *record, struct arena *arena, struct str stack,
                  struct answers **ret, struct err *err)
{
    struct answers *answers = arena_new(arena, struct answers, 1);
    if (!answers)
        return arena_full(arena, err);
    *answers =
        (struct answers){.arena = arena, .now = record_now(record), .reviews = {.arena = arena}};
    if (!reviews_of_stack(record, stack, &answers->reviews, err) ||
        (answers->reviews.n && !record_key(record, &answers->key, err)))
        return err_wrap(err, "reviews of %.*s", STR_ARG(stack));
    if (answers->reviews.n > 1)
        qsort(answers->reviews.review, answers->reviews.n, sizeof(struct review), rows_by_place);
    *ret = answers;
    return true;
}

/* As a waiver does: policy's answer to it does not count. */
static bool accept(struct arena *arena, const struct review *review, struct finding *f,
                   struct err *err)
{
    f->ignored = true;
    f->ignored_by = f->reviewed;
    f->ignored_owner = review->by.name;
    if (!f->judgement)
        return true;
    struct judgement *judgement = arena_new(arena, struct judgement, 1);
    if (!judgement)
        return arena_full(arena, err);
    *judgement = *f->judgement;
    judgement->decision = DECISION_IGNORE;
    judgement->waived = true;
    judgement->message = f->reviewed;
    f->judgement = judgement;
    return true;
}

bool answers_apply(struct answers *answers, struct finding *f, struct err *err)
{
    struct str digest;
    size_t n = 0, i = 0;
    const struct review *review = f->ignored ? NULL : reviews_of(&answers->reviews, f, &n);
    if (!n)
        return true;
    if (!finding_digest(answers->arena, answers->key, f, &digest, err))
        return false;
    while (i < n && !review_counts(&review[i], digest, answers->now))
        i++;
    if (i == n)
        return true;
    f->reviewed = review_says(answers->arena, &review[i]);
    if (!f->reviewed.ptr)
        return arena_full(answers->arena, err);
    return review[i].answer != ANSWER_ACCEPT || accept(answers->arena, &review[i], f, err);
}

bool answers_apply_all(struct answers *answers, struct stack_result *result, struct err *err)
{
    if (!answers->reviews.n || !result->nfindings)
        return true;
    struct finding *copy = arena_new(answers->arena, struct finding, result->nfindings);
    if (!copy)
        return arena_full(answers->arena, err);
    memcpy(copy, result->findings, result->nfindings * sizeof *copy);
    for (size_t i = 0; i < result->nfindings; i++) {
        bool before = copy[i].ignored;
        if (!answers_apply(answers, &copy[i], err))
            return false;
        result->coverage.ignored += copy[i].ignored && !before;
    }
    result->findings = copy;
    return true;
}
