/* life.c - what a run makes of the findings of its stack: new, recurring, changed, resolved. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "model/actor.h"
#include "model/decision.h"
#include "policy/waiver.h"
#include "record/counts.h"
#include "record/findings.h"
#include "record/findings_parts.h"

enum { DETAIL_BYTES_MAX = 1 << 20, LINE_BYTES_MAX = 4000 };
enum { FEW = 32 }; /* addresses that are asked for one by one */

static const struct {
    struct str name;
    unsigned lane;
    const char *meaning;
} statuses[] = {
#define X(constant, name, lane, meaning) {STR_INIT(name), lane, meaning},
    FINDING_STATUSES(X)
#undef X
};

const char *finding_status_name(enum finding_status status)
{
    return statuses[status].name.ptr;
}

const char *finding_status_meaning(enum finding_status status)
{
    return statuses[status].meaning;
}

bool finding_status_from(struct str name, enum finding_status *ret)
{
    for (unsigned i = 0; i < STATUS_COUNT; i++)
        if (str_equal(name, statuses[i].name)) {
            *ret = (enum finding_status)i;
            return true;
        }
    return false;
}

bool finding_status_open(enum finding_status status)
{
    return statuses[status].lane == 0;
}

/* --- the digest of a finding's values --- */

static int by_text(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* What the code can set; where it can set nothing of it, everything. What an ignore rule covers is
 * not part of the finding, unless all of it is. */
static bool counts(const struct finding *finding, const struct change *change, bool settable)
{
    return (finding->ignored || !change->ignored_by.len) && (!settable || change->configurable);
}

static bool any_settable(const struct finding *finding)
{
    for (size_t i = 0; i < finding->nchanges; i++)
        if (counts(finding, &finding->changes[i], true))
            return true;
    return false;
}

static bool digest_lines(struct str class_, const struct str *lines, size_t n, struct digest *ret,
                         struct err *err)
{
    struct sha256 *sha = sha256_open(err);
    if (!sha)
        return false;
    sha256_add_field(sha, class_);
    for (size_t i = 0; i < n; i++)
        sha256_add_field(sha, lines[i]);
    return sha256_close(sha, ret, err);
}

bool finding_digest(struct arena *arena, struct str key, const struct finding *finding,
                    struct str *ret, struct err *err)
{
    bool settable = any_settable(finding);
    size_t most = finding->class_ == CLASS_UNCHECKED ? 0 : finding->nchanges, n = 0;
    struct str *lines = arena_new(arena, struct str, most), one;
    struct digest digest;
    if (finding->class_ == CLASS_UNMANAGED && !most) { /* no change would tell that it is another */
        *ret = finding->kept_digest.ptr ? finding->kept_digest : STR("");
        return true;
    }
    if (!lines)
        return arena_full(arena, err);
    for (size_t i = 0; i < most; i++) {
        const struct change *c = &finding->changes[i];
        if (!counts(finding, c, settable))
            continue;
        one = c->kept_digest; /* taken before the scan let go of secrets */
        if (!one.len && !waiver_digest(arena, key, c->path, c->after, c->sensitive, &one, err))
            return false;
        lines[n] = arena_printf(arena, "%.*s %.*s", STR_ARG(one), STR_ARG(c->path));
        if (!lines[n++].ptr)
            return arena_full(arena, err);
    }
    if (n > 1)
        qsort(lines, n, sizeof *lines, by_text);
    if (!digest_lines(str_from(finding_class_name(finding->class_)), lines, n, &digest, err))
        return false;
    return digest_text(arena, &digest, ret, err);
}

/* --- what is in the store --- */

static bool keep(struct arena *arena, struct str s, struct str *ret, struct err *err)
{
    *ret = arena_dup(arena, s);
    return ret->ptr || arena_full(arena, err);
}

static bool take_life(void *ctx, const struct db_row *row, struct err *err)
{
    struct lives *lives = ctx;
    struct life *at, *grown = arena_grow(lives->arena, lives->life, lives->nlives, &lives->room,
                                         lives->nlives + 1);
    if (!grown)
        return arena_full(lives->arena, err);
    lives->life = grown;
    at = &lives->life[lives->nlives++];
    *at = (struct life){.id = db_int(row, 0),
                        .first_utc_ms = db_int(row, 1),
                        .open_utc_ms = db_int(row, 2),
                        .changed_utc_ms = db_int(row, 3),
                        .first_run = db_int(row, 4),
                        .times = db_int(row, 5),
                        .asked = db_int(row, 15)};
    struct str *texts[] = {&at->fingerprint, &at->address, &at->class_, &at->digest,
                           &at->decision,    &at->why,     &at->actor,  &at->actor_how};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!keep(lives->arena, db_text(row, 7 + i), texts[i], err))
            return false;
    if (!keep(lives->arena, db_text(row, 16), &at->actor_principal, err))
        return false;
    return finding_status_from(db_text(row, 6), &at->status) ||
           err_set(err, ERR_SYNTAX, "finding %lld has the status '%.*s', which is none",
                   (long long)at->id, STR_ARG(db_text(row, 6)));
}

/* Where the fingerprint is, or where it would be. */
static size_t *slot_of(struct lives *lives, struct str fingerprint)
{
    size_t i = (size_t)hash_bytes(fingerprint, 0) & (lives->nslots - 1);
    while (lives->slot[i] && !str_equal(lives->life[lives->slot[i] - 1].fingerprint, fingerprint))
        i = (i + 1) & (lives->nslots - 1);
    return &lives->slot[i];
}

#define LIVES \
    "SELECT id, first_utc_ms, open_utc_ms, changed_utc_ms, first_run, times, status," \
    " fingerprint, address, class, digest, decision, why, actor, actor_how," \
    " (SELECT a.hash FROM finding_asked a WHERE a.finding = finding.id), actor_principal" \
    " FROM finding WHERE stack = $1"

static bool load_all(struct lives *lives, struct err *err)
{
    const struct db_value stack = record_text(lives->arena, lives->finish->start->stack, SIZE_MAX);
    return db_query(lives->record->db, LIVES " ORDER BY id", &stack, 1, take_life, lives, err);
}

static int by_address(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* A touch looks at one resource of a stack that may have had thousands of findings: those of what
 * it looked at, and of what it found. A fingerprint has its address in it. */
static bool load_few(struct lives *lives, struct err *err)
{
    const struct run_finish *finish = lives->finish;
    struct str address[2 * FEW];
    struct db_value param[] = {record_text(lives->arena, finish->start->stack, SIZE_MAX),
                               DB_PARAM_INT(0)};
    size_t n = 0;
    int64_t open = 0;
    for (size_t i = 0; i < finish->naddresses; i++)
        address[n++] = finish->addresses[i];
    for (size_t i = 0; i < lives->nseen; i++)
        address[n++] = lives->seen[i].finding->address;
    qsort(address, n, sizeof *address, by_address);
    for (size_t i = 0; i < n; i++) {
        if (i && str_equal(address[i], address[i - 1]))
            continue;
        param[1] = record_text(lives->arena, address[i], SIZE_MAX);
        if (!db_query(lives->record->db, LIVES " AND address = $2 ORDER BY id", param, 2, take_life,
                      lives, err))
            return false;
    }
    if (!db_one_int(lives->record->db, "SELECT count(*) FROM finding WHERE stack = $1 AND lane < 4",
                    param, 1, &open, err))
        return false;
    for (size_t i = 0; i < lives->nlives; i++)
        open -= lives->life[i].status != STATUS_RESOLVED;
    lives->elsewhere = (uint64_t)open;
    return true;
}

static bool load_lives(struct lives *lives, struct err *err)
{
    const struct run_finish *finish = lives->finish;
    bool few = finish->addresses && finish->naddresses && finish->naddresses <= FEW &&
               lives->nseen <= FEW && !finish->retired && !finish->baseline.ptr;
    if (!(few ? load_few(lives, err) : load_all(lives, err)))
        return false;
    for (lives->nslots = 16; lives->nslots < 2 * lives->nlives; lives->nslots *= 2)
        ;
    lives->slot = arena_new(lives->arena, size_t, lives->nslots);
    if (!lives->slot)
        return arena_full(lives->arena, err);
    for (size_t i = 0; i < lives->nlives; i++)
        *slot_of(lives, lives->life[i].fingerprint) = i + 1;
    return true;
}

/* --- what the run saw --- */

static int by_fingerprint(const void *a, const void *b)
{
    const struct sight *x = a, *y = b;
    return strcmp(x->finding->fingerprint, y->finding->fingerprint);
}

static bool take_sights(struct lives *lives, struct err *err)
{
    const struct stack_result *result = lives->finish->result;
    struct str key;
    size_t n = 0;
    lives->seen = arena_new(lives->arena, struct sight, result->nfindings);
    if (!lives->seen)
        return arena_full(lives->arena, err);
    if (result->nfindings && !record_key(lives->record, &key, err))
        return false;
    for (size_t i = 0; i < result->nfindings; i++) {
        lives->seen[i].finding = &result->findings[i];
        if (!finding_digest(lives->arena, key, &result->findings[i], &lives->seen[i].digest, err))
            return false;
    }
    /* Two of one name are one. */
    if (result->nfindings > 1)
        qsort(lives->seen, result->nfindings, sizeof *lives->seen, by_fingerprint);
    for (size_t i = 0; i < result->nfindings; i++)
        if (!i || by_fingerprint(&lives->seen[n - 1], &lives->seen[i]) != 0)
            lives->seen[n++] = lives->seen[i];
    lives->nseen = n;
    return true;
}

/* --- which of the store's findings this run could have seen --- */

struct unchecked {
    struct str *address;
    size_t n;
};

static bool list_unchecked(struct lives *lives, struct unchecked *ret, struct err *err)
{
    ret->address = arena_new(lives->arena, struct str, lives->nseen);
    if (!ret->address)
        return arena_full(lives->arena, err);
    for (size_t i = 0; i < lives->nseen; i++)
        if (lives->seen[i].finding->class_ == CLASS_UNCHECKED)
            ret->address[ret->n++] = lives->seen[i].finding->address;
    if (ret->n > 1)
        qsort(ret->address, ret->n, sizeof *ret->address, by_address);
    return true;
}

/* A look through providers sees no resource that nobody asks for, and a look at the state nothing
 * that was never applied. */
static bool can_see(const struct stack_result *result, struct str class_)
{
    if (str_equal(class_, str_from(finding_class_name(CLASS_UNMANAGED))))
        return str_starts(result->live, STR("snapshot"));
    if (str_equal(class_, str_from(finding_class_name(CLASS_UNAPPLIED))))
        return str_equal(result->desired, STR("code"));
    return true;
}

static bool looked_at(const struct lives *lives, const struct unchecked *unchecked,
                      const struct life *life)
{
    const struct run_finish *finish = lives->finish;
    if (finish->retired)
        return true;
    if (finish->result->failed.len || !can_see(finish->result, life->class_))
        return false;
    if (finish->wanted && !finish->wanted(finish->ctx, life->address))
        return false;
    return !unchecked->n || !bsearch(&life->address, unchecked->address, unchecked->n,
                                     sizeof *unchecked->address, by_address);
}

/* --- matching --- */

static void match_names(struct lives *lives)
{
    for (size_t i = 0; i < lives->nseen; i++) {
        size_t at = *slot_of(lives, str_from(lives->seen[i].finding->fingerprint));
        if (!at)
            continue;
        lives->seen[i].before = &lives->life[at - 1];
        lives->life[at - 1].seen = true;
    }
}

static int by_place(struct str address, struct str class_, struct str address2, struct str class2)
{
    int order = str_compare(address, address2);
    return order ? order : str_compare(class_, class2);
}

static int lives_by_place(const void *a, const void *b)
{
    const struct life *x = *(struct life *const *)a, *y = *(struct life *const *)b;
    int order = by_place(x->address, x->class_, y->address, y->class_);
    return order ? order : (x->id > y->id) - (x->id < y->id);
}

static int sights_by_place(const void *a, const void *b)
{
    const struct finding *x = (*(struct sight *const *)a)->finding;
    const struct finding *y = (*(struct sight *const *)b)->finding;
    int order = by_place(x->address, str_from(finding_class_name(x->class_)), y->address,
                         str_from(finding_class_name(y->class_)));
    return order ? order : strcmp(x->fingerprint, y->fingerprint);
}

/* One that is gone and one that is new, of one class at one address: the same, changed. */
static void match_places(struct life **gone, size_t ngone, struct sight **fresh, size_t nfresh)
{
    for (size_t g = 0, f = 0; g < ngone && f < nfresh;) {
        const struct finding *finding = fresh[f]->finding;
        int order = by_place(gone[g]->address, gone[g]->class_, finding->address,
                             str_from(finding_class_name(finding->class_)));
        if (order == 0) {
            fresh[f]->before = gone[g];
            gone[g]->seen = true;
        }
        g += order <= 0;
        f += order >= 0;
    }
}

static bool match(struct lives *lives, struct err *err)
{
    struct unchecked unchecked = {0};
    struct life **gone = arena_new(lives->arena, struct life *, lives->nlives);
    struct sight **fresh = arena_new(lives->arena, struct sight *, lives->nseen);
    size_t ngone = 0, nfresh = 0;
    if (!gone || !fresh)
        return arena_full(lives->arena, err);
    if (!list_unchecked(lives, &unchecked, err))
        return false;
    match_names(lives);
    lives->changes.kept = lives->elsewhere;
    for (size_t i = 0; i < lives->nlives; i++) {
        struct life *life = &lives->life[i];
        if (life->seen || life->status == STATUS_RESOLVED)
            continue;
        if (looked_at(lives, &unchecked, life))
            gone[ngone++] = life;
        else
            lives->changes.kept++;
    }
    for (size_t i = 0; i < lives->nseen; i++)
        if (!lives->seen[i].before)
            fresh[nfresh++] = &lives->seen[i];
    if (ngone > 1)
        qsort(gone, ngone, sizeof *gone, lives_by_place);
    if (nfresh > 1)
        qsort(fresh, nfresh, sizeof *fresh, sights_by_place);
    match_places(gone, ngone, fresh, nfresh);
    lives->resolved = gone;
    for (size_t i = 0; i < ngone; i++)
        if (!gone[i]->seen)
            gone[lives->nresolved++] = gone[i];
    return true;
}

/* --- the next state --- */

/* What takes it out of what somebody has to do, if anything does. */
static bool excused(struct lives *lives, struct sight *s, enum finding_status *ret)
{
    const struct finding *f = s->finding;
    const struct judgement *j = f->judgement;
    bool waived = j && j->waived, ignored = f->ignored && !f->reviewed.len;
    if (baseline_has(lives->baseline, s, &s->why)) {
        *ret = STATUS_WAIVED;
        return true;
    }
    if (!waived && !ignored && !(j && j->decision == DECISION_IGNORE))
        return false;
    *ret = waived ? STATUS_WAIVED : STATUS_IGNORED;
    s->why = ignored && !waived ? f->ignored_by : j->message;
    return true;
}

/* A review of these very values counts: what the store says now, not what the scan was told. */
static bool answered(struct lives *lives, struct sight *s, enum finding_status *ret)
{
    const struct review *review =
        s->before ? reviews_counting(&lives->reviews, s->before->id, s->digest, lives->now) : NULL;
    if (!review)
        return false;
    *ret = review->answer == ANSWER_ACCEPT ? STATUS_WAIVED : STATUS_REVIEWED;
    s->why = review_says(lives->arena, review);
    return true;
}

static void decide(struct lives *lives, struct sight *s)
{
    const struct life *before = s->before;
    bool again = before && before->status == STATUS_RESOLVED;
    bool other = before && !str_equal(before->digest, s->digest);
    s->what = !before ? "new" : again ? "reopened" : other ? "changed" : NULL;
    s->status = !before ? STATUS_NEW
                : again ? STATUS_REOPENED
                : other ? STATUS_CHANGED
                        : STATUS_RECURRING;
    enum finding_status excuse;
    if (excused(lives, s, &excuse) || answered(lives, s, &excuse)) {
        if (!s->what && before->status != excuse)
            s->what = finding_status_name(excuse);
        s->status = excuse;
    } else if (!s->what && !finding_status_open(before->status)) {
        s->what = "open"; /* what excused it does so no longer */
    }
}

static void count_sight(struct run_changes *c, const struct sight *s)
{
    uint64_t *counter[STATUS_COUNT] = {
        [STATUS_NEW] = &c->fresh,         [STATUS_RECURRING] = &c->recurring,
        [STATUS_CHANGED] = &c->changed,   [STATUS_REOPENED] = &c->reopened,
        [STATUS_REVIEWED] = &c->reviewed, [STATUS_WAIVED] = &c->waived,
        [STATUS_IGNORED] = &c->ignored,   [STATUS_RESOLVED] = &c->resolved};
    ++*counter[s->status];
}

static bool describe(struct lives *lives, struct sight *s, struct err *err)
{
    const struct run_finish *finish = lives->finish;
    AUTO_BUF out = {.limit = DETAIL_BYTES_MAX};
    if (finish->describe && !finish->describe(finish->ctx, &out, s->finding, err) && !out.failed)
        return false;
    if (out.failed) /* its line and its digests are kept all the same */
        err_clear(err);
    s->detail = arena_dup(lives->arena, out.failed || !out.len ? STR("{}") : buf_view(&out));
    return s->detail.ptr || arena_full(lives->arena, err);
}

/* --- writing --- */

struct writing {
    struct lives *lives;
    size_t at;
};

static struct db_value text(const struct lives *lives, struct str s)
{
    return record_text(lives->arena, s, SIZE_MAX);
}

static struct db_value line(const struct lives *lives, struct str s)
{
    return record_text(lives->arena, s, LINE_BYTES_MAX);
}

static const char upsert[] =
    "INSERT INTO finding (id, stack, fingerprint, status, class, severity, address, type,"
    " provider, digest, decision, rule, owner, actor, actor_how, first_utc_ms, open_utc_ms,"
    " changed_utc_ms, seen_utc_ms, due_utc_ms, first_run, seen_run, times, why, detail,"
    " actor_principal)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
    " $19, $20, $21, $22, $23, $24, $25, $26) ON CONFLICT (id) DO UPDATE SET"
    " fingerprint = excluded.fingerprint, status = excluded.status, severity = excluded.severity,"
    " type = excluded.type, provider = excluded.provider, digest = excluded.digest,"
    " decision = excluded.decision, rule = excluded.rule, owner = excluded.owner,"
    " actor = excluded.actor, actor_how = excluded.actor_how,"
    " actor_principal = excluded.actor_principal,"
    " open_utc_ms = excluded.open_utc_ms, changed_utc_ms = excluded.changed_utc_ms,"
    " seen_utc_ms = excluded.seen_utc_ms, due_utc_ms = excluded.due_utc_ms,"
    " resolved_utc_ms = NULL, resolved_run = NULL, seen_run = excluded.seen_run,"
    " times = excluded.times, why = excluded.why, detail = excluded.detail";
enum { UPSERT_PARAMS = 26 };

/* Who is named stays named until somebody else is, or it is found anew. */
static struct actor made_by(const struct sight *s)
{
    const struct attribution *by = s->finding->by;
    const struct life *b = s->before;
    if (by && by->actor.len)
        return (struct actor){by->actor, by->how, by->principal};
    if (b && b->status != STATUS_RESOLVED && b->actor.len)
        return (struct actor){b->actor, b->actor_how, b->actor_principal};
    return (struct actor){STR(""), by ? by->unknown_because : STR(""), STR("")};
}

static void fill_finding(const struct lives *lives, const struct sight *s, struct db_value *param)
{
    const struct finding *f = s->finding;
    const struct judgement *j = f->judgement;
    const struct life *b = s->before;
    bool opened = !b || b->status == STATUS_RESOLVED;
    int64_t open = opened ? lives->now : b->open_utc_ms, run = lives->finish->run;
    enum severity severity = j && j->severity > f->severity ? j->severity : f->severity;
    int64_t deadline =
        review_deadline(lives->finish->deadline_ms, severity, j ? j->deadline_ms : 0);
    const struct actor by = made_by(s);
    const struct db_value values[UPSERT_PARAMS] = {
        DB_PARAM_INT(s->id),
        text(lives, lives->finish->start->stack),
        text(lives, str_from(f->fingerprint)),
        text(lives, str_from(finding_status_name(s->status))),
        text(lives, str_from(finding_class_name(f->class_))),
        DB_PARAM_INT((int64_t)severity),
        text(lives, f->address),
        text(lives, f->type),
        text(lives, f->provider),
        text(lives, s->digest),
        text(lives, j ? str_from(decision_name(j->decision)) : STR("")),
        line(lives, j ? j->rule : STR("")),
        line(lives, j && j->owner.len ? j->owner
                    : f->origin       ? f->origin->owner
                                      : STR("")),
        text(lives, by.name),
        text(lives, by.how),
        DB_PARAM_INT(b ? b->first_utc_ms : lives->now),
        DB_PARAM_INT(open),
        DB_PARAM_INT(s->what ? lives->now : b->changed_utc_ms),
        DB_PARAM_INT(lives->now),
        deadline ? DB_PARAM_INT(open + deadline) : DB_PARAM_NULL,
        DB_PARAM_INT(b ? b->first_run : run),
        DB_PARAM_INT(run),
        DB_PARAM_INT(b ? b->times + 1 : 1),
        line(lives, s->why),
        text(lives, s->detail),
        text(lives, by.via)};
    memcpy(param, values, sizeof values);
}

static bool next_finding(void *ctx, struct db_value *param)
{
    struct writing *w = ctx;
    if (w->at == w->lives->nseen)
        return false;
    fill_finding(w->lives, &w->lives->seen[w->at++], param);
    return true;
}

static bool next_resolved(void *ctx, struct db_value *param)
{
    struct writing *w = ctx;
    if (w->at == w->lives->nresolved)
        return false;
    param[0] = DB_PARAM_INT(w->lives->resolved[w->at++]->id);
    param[1] = DB_PARAM_INT(w->lives->now);
    param[2] = DB_PARAM_INT(w->lives->finish->run);
    return true;
}

enum { HISTORY_PARAMS = 9 };

static void fill_history(struct lives *lives, int64_t id, struct str what, struct str fingerprint,
                         struct str digest, struct str why, struct db_value *param)
{
    const struct db_value values[HISTORY_PARAMS] = {DB_PARAM_INT(lives->next_history++),
                                                    DB_PARAM_INT(id),
                                                    DB_PARAM_INT(lives->now),
                                                    DB_PARAM_INT(lives->finish->run),
                                                    text(lives, what),
                                                    text(lives, fingerprint),
                                                    text(lives, digest),
                                                    text(lives, lives->finish->start->actor.name),
                                                    line(lives, why)};
    memcpy(param, values, sizeof values);
}

static bool next_history(void *ctx, struct db_value *param)
{
    struct writing *w = ctx;
    struct lives *lives = w->lives;
    for (; w->at < lives->nseen; w->at++)
        if (lives->seen[w->at].what) {
            const struct sight *s = &lives->seen[w->at++];
            fill_history(lives, s->id, str_from(s->what), str_from(s->finding->fingerprint),
                         s->digest, s->why, param);
            return true;
        }
    if (w->at - lives->nseen == lives->nresolved)
        return false;
    const struct life *life = lives->resolved[w->at++ - lives->nseen];
    fill_history(lives, life->id, STR("resolved"), life->fingerprint, life->digest,
                 lives->finish->retired ? lives->finish->result->note : STR(""), param);
    return true;
}

/* What each finding counted as is taken away, what it counts as now is added. */
static bool write_counts(struct lives *lives, struct err *err)
{
    struct counts_tally tally = {0};
    struct str stack = text(lives, lives->finish->start->stack).text;
    for (size_t i = 0; i < lives->nseen; i++) {
        const struct sight *s = &lives->seen[i];
        const struct judgement *j = s->finding->judgement;
        if (s->before)
            counts_add(&tally, s->finding->class_, s->before->status, s->before->decision, -1);
        counts_add(&tally, s->finding->class_, s->status,
                   j ? str_from(decision_name(j->decision)) : STR(""), 1);
    }
    for (size_t i = 0; i < lives->nresolved; i++) {
        const struct life *life = lives->resolved[i];
        enum finding_class class_;
        if (!finding_class_from(life->class_, &class_))
            return err_set(err, ERR_SYNTAX, "finding %lld has the class '%.*s', which is none",
                           (long long)life->id, STR_ARG(life->class_));
        counts_add(&tally, class_, life->status, life->decision, -1);
        counts_add(&tally, class_, STATUS_RESOLVED, life->decision, 1);
    }
    return counts_write(lives->record->db, stack, &tally, err);
}

static bool write_all(struct lives *lives, struct err *err)
{
    struct db *db = lives->record->db;
    struct writing findings = {lives, 0}, resolved = {lives, 0}, history = {lives, 0};
    return db_run_many(db, upsert, UPSERT_PARAMS, next_finding, &findings, err) &&
           db_run_many(db,
                       "UPDATE finding SET status = 'resolved', changed_utc_ms = $2,"
                       " resolved_utc_ms = $2, resolved_run = $3, due_utc_ms = NULL WHERE id = $1",
                       3, next_resolved, &resolved, err) &&
           db_run_many(db,
                       "INSERT INTO finding_history (id, finding, utc_ms, run, what, fingerprint,"
                       " digest, actor, why) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                       HISTORY_PARAMS, next_history, &history, err) &&
           write_counts(lives, err);
}

/* --- the whole --- */

static bool settle(struct lives *lives, struct err *err)
{
    int64_t next_id;
    if (!record_next_id(lives->record, "SELECT coalesce(max(id), 0) + 1 FROM finding", &next_id,
                        err) ||
        !record_next_id(lives->record, "SELECT " FINDING_HISTORY_NEXT, &lives->next_history, err))
        return false;
    if (lives->finish->baseline.ptr && !baseline_make(lives, err))
        return false;
    for (size_t i = 0; i < lives->nseen; i++) {
        struct sight *s = &lives->seen[i];
        decide(lives, s);
        s->id = s->before ? s->before->id : next_id++;
        count_sight(&lives->changes, s);
        if (!describe(lives, s, err))
            return err_wrap(err, "finding %s", s->finding->fingerprint);
    }
    lives->changes.resolved = lives->nresolved;
    return true;
}

static bool end_in(struct lives *lives, struct err *err)
{
    struct str digest = {0};
    return load_lives(lives, err) &&
           baseline_open(lives->record, lives->arena, lives->finish->start->stack, &lives->baseline,
                         err) &&
           reviews_of_stack(lives->record, lives->finish->start->stack, &lives->reviews, err) &&
           match(lives, err) && settle(lives, err) && write_all(lives, err) &&
           asked_keep(lives, err) &&
           (lives->finish->retired ||
            (baseline_drop(lives, err) &&
             (!lives->reviews.n || /* none of the stack that could end */
              reviews_end_over(lives->record, lives->finish->start->stack, err)))) &&
           run_update(lives->record, lives->arena, lives->finish, lives, &digest, err) &&
           tell_run_end(lives, digest, err);
}

bool run_end(struct record *record, const struct run_finish *finish, struct run_changes *ret,
             struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 36};
    struct lives lives = {.arena = &arena,
                          .record = record,
                          .finish = finish,
                          .now = record_now(record),
                          .reviews = {.arena = &arena}};
    struct str stack = finish->start->stack;
    if (!take_sights(&lives, err)) /* the key may have to be made: before the transaction */
        return err_wrap(err, "record the scan of %.*s", STR_ARG(stack));
    bool own = !db_in_transaction(record->db);
    if (own && !db_begin(record->db, DB_WRITE, err))
        return err_wrap(err, "record the scan of %.*s", STR_ARG(stack));
    if (!end_in(&lives, err) || (own && !db_commit(record->db, err))) {
        if (own)
            db_rollback(record->db);
        return err_wrap(err, "record the scan of %.*s", STR_ARG(stack));
    }
    *ret = lives.changes;
    return true;
}
