/* reviewing.c - requests, approvals and withdrawals: read, decided, written, told. */
#include "respond/reviewing.h"

#include "base/arena.h"
#include "base/err.h"

/* Commits what `done` says was written, else takes it back. */
static bool finish(const struct reviewing *r, bool done, struct err *err)
{
    if (done && db_commit(r->record->db, err))
        return true;
    db_rollback(r->record->db);
    return err_wrap(err, "record the review");
}

/* --- asking --- */

static bool take_effect(const struct reviewing *r, struct review *review, struct str why,
                        struct err *err)
{
    return reviews_take_effect(r->record, review, err) &&
           reviews_tell(r->record, EVENT_REVIEW_EFFECT, review, r->by, STR("effect"), why, err);
}

/* The finding as it is now: another scan may have come between. */
static bool still_there(const struct reviewing *r, const struct reviewed *of, bool *ret,
                        struct err *err)
{
    struct reviewed now;
    struct err gone = {0};
    *ret = reviews_find(r->record, r->arena, of->review.fingerprint, of->review.stack, &now, &gone);
    if (!*ret && gone.kind != ERR_USAGE)
        return err_set(err, gone.kind, "%s", gone.frame[0]);
    *ret = *ret && now.finding == of->finding && str_equal(now.review.value, of->review.value);
    return true;
}

static bool request_in(const struct reviewing *r, const struct reviewed *of, struct review *review,
                       struct workflow_outcome *ret, struct err *err)
{
    bool there = false;
    if (!still_there(r, of, &there, err) ||
        !workflow_decide(r->arena, r->config, review, WORKFLOW_REQUEST, r->by,
                         review->requested_utc_ms, ret, err))
        return false;
    if (!there) {
        ret->allowed = false;
        ret->why = STR("a scan has just seen it otherwise: look at it again");
    }
    if (!ret->allowed)
        return true;
    review->needed = ret->rule.approvals;
    review->rule = ret->rule.name;
    return reviews_insert(r->record, of->finding, review, err) &&
           reviews_tell(r->record, EVENT_REVIEW_REQUEST, review, r->by, STR("requested"),
                        review->reason, err) &&
           (ret->state != REVIEW_EFFECT || take_effect(r, review, ret->why, err));
}

bool reviewing_request(const struct reviewing *r, const struct reviewed *of, struct review *review,
                       struct workflow_outcome *ret, struct err *err)
{
    const struct review *f = &of->review;
    review->stack = f->stack;
    review->address = f->address;
    review->class_ = f->class_;
    review->fingerprint = f->fingerprint;
    review->value = f->value;
    review->environment = f->environment;
    review->owners = f->owners;
    review->severity = f->severity;
    review->decision = f->decision;
    review->author = f->author;
    review->by = *r->by;
    review->requested_utc_ms = record_now(r->record);
    if (!db_begin(r->record->db, DB_WRITE, err))
        return err_wrap(err, "record the review");
    return finish(r, request_in(r, of, review, ret, err), err);
}

/* --- a step of one that is there --- */

struct step {
    const struct reviewing *r;
    enum workflow_step step;
    struct str why; /* of a withdrawal */
    struct review review;
    struct workflow_outcome out;
};

struct sight {
    struct arena *arena;
    struct str digest;
    struct actor author; /* as it is known by now */
    bool there;
};

static bool sight_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct sight *sight = ctx;
    sight->there = !str_equal(db_text(row, 0), STR("resolved"));
    struct str *texts[] = {&sight->digest, &sight->author.name, &sight->author.how,
                           &sight->author.via};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = arena_dup(sight->arena, db_text(row, 1 + i));
        if (!texts[i]->ptr)
            return arena_full(sight->arena, err);
    }
    return true;
}

/* What scans have seen since it was requested, and who made it, where an event told that since. */
static bool look(struct step *s, int64_t finding, enum review_end *ret, struct err *err)
{
    struct sight sight = {.arena = s->r->arena, .digest = STR("")};
    const struct db_value param[] = {DB_PARAM_INT(finding)};
    if (!db_query(s->r->record->db,
                  "SELECT status, digest, actor, actor_how, actor_principal FROM finding"
                  " WHERE id = $1",
                  param, 1, sight_row, &sight, err))
        return false;
    if (sight.author.name.len)
        s->review.author = sight.author;
    *ret = review_look(&s->review, sight.there ? SIGHT_FOUND : SIGHT_GONE, sight.digest,
                       record_now(s->r->record));
    return true;
}

static bool ended(struct step *s, enum review_end end, struct err *err)
{
    const char *meaning = review_end_meaning(end);
    s->out = (struct workflow_outcome){.state = REVIEW_ENDED, .end = end};
    s->out.why = arena_printf(s->r->arena, "it has ended: %s", meaning);
    if (!s->out.why.ptr)
        return arena_full(s->r->arena, err);
    return s->review.state == REVIEW_ENDED ||
           reviews_end(s->r->record, &s->review, end, NULL, str_from(meaning), err);
}

static bool approve(struct step *s, struct err *err)
{
    struct record *record = s->r->record;
    const struct approval approval = {
        .by = *s->r->by, .at_utc_ms = record_now(record), .role = s->out.role};
    size_t n = s->review.napprovals;
    struct approval *all = arena_new(s->r->arena, struct approval, n + 1);
    if (!all)
        return arena_full(s->r->arena, err);
    for (size_t i = 0; i < n; i++)
        all[i] = s->review.approval[i];
    all[n] = approval;
    s->review.approval = all;
    s->review.napprovals = n + 1;
    return reviews_add_approval(record, s->review.id, &approval, err) &&
           reviews_tell(record, EVENT_REVIEW_APPROVE, &s->review, s->r->by, STR("approved"),
                        s->out.why, err) &&
           (s->out.state != REVIEW_EFFECT || take_effect(s->r, &s->review, s->out.why, err));
}

static bool step_in(struct step *s, int64_t id, struct err *err)
{
    const struct reviewing *r = s->r;
    enum review_end end = REVIEW_NOT_ENDED;
    int64_t finding = 0;
    if (!reviews_load(r->record, r->arena, id, &s->review, &finding, err) ||
        !look(s, finding, &end, err))
        return false;
    if (end != REVIEW_NOT_ENDED)
        return ended(s, end, err);
    if (!workflow_decide(r->arena, r->config, &s->review, s->step, r->by, record_now(r->record),
                         &s->out, err))
        return false;
    if (!s->out.allowed)
        return reviews_tell(r->record, EVENT_REVIEW_REFUSED, &s->review, r->by, STR("refused"),
                            s->out.why, err);
    if (s->step == WORKFLOW_APPROVE)
        return approve(s, err);
    return reviews_end(r->record, &s->review, REVIEW_WITHDRAWN, r->by,
                       s->why.len ? s->why : s->out.why, err);
}

static bool take_step(struct step *s, int64_t id, struct review *ret_review,
                      struct workflow_outcome *ret, struct err *err)
{
    if (!db_begin(s->r->record->db, DB_WRITE, err))
        return err_wrap(err, "record the review");
    if (!finish(s->r, step_in(s, id, err), err))
        return false;
    s->review.state = s->out.state;
    s->review.end = s->out.end;
    *ret_review = s->review;
    *ret = s->out;
    return true;
}

bool reviewing_approve(const struct reviewing *r, int64_t id, struct review *ret_review,
                       struct workflow_outcome *ret, struct err *err)
{
    struct step s = {.r = r, .step = WORKFLOW_APPROVE};
    return take_step(&s, id, ret_review, ret, err);
}

bool reviewing_withdraw(const struct reviewing *r, int64_t id, struct str why,
                        struct review *ret_review, struct workflow_outcome *ret, struct err *err)
{
    struct step s = {.r = r, .step = WORKFLOW_WITHDRAW, .why = why};
    return take_step(&s, id, ret_review, ret, err);
}
