/* gate_record.c - what stands on record into the facts; decisions and approvals into the record. */
#include "enforce/gate_record.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "enforce/kept_changes.h"
#include "record/audit.h"
#include "record/findings.h"
#include "record/listing.h"
#include "record/permit.h"
#include "record/standing.h"
#include "wire/json.h"

enum { REASON_MAX = 500, COVERAGE_ROOM = 1 << 20, DETAIL_MAX = 16 };

/* --- findings and reviews --- */

/* Those whose change and place are asked for, by number, as the store gives them. */
struct asked {
    int64_t finding;
    struct gate_standing *standing;
};

struct describing {
    struct arena *arena;
    struct asked *asked;
    size_t n, at;
};

static int by_number(const void *a, const void *b)
{
    const struct asked *x = a, *y = b;
    return (x->finding > y->finding) - (x->finding < y->finding);
}

static bool describe(void *ctx, int64_t finding, struct str detail, struct err *err)
{
    struct describing *d = ctx;
    while (d->at < d->n && d->asked[d->at].finding < finding)
        d->at++;
    if (d->at == d->n || d->asked[d->at].finding != finding)
        return true;
    struct gate_standing *s = d->asked[d->at].standing;
    struct str kept = arena_dup(d->arena, detail); /* the values are views of it */
    if (!kept.ptr)
        return arena_full(d->arena, err);
    return kept_changes_place(d->arena, kept, &s->changes, &s->nchanges, &s->at, err) ||
           err_wrap(err, "finding %.*s", STR_ARG(s->fingerprint));
}

/* What a waiver, a baseline or an ignore rule takes out does not stand in the way. */
static bool take_findings(struct arena *arena, struct record *record,
                          const struct standing *standing, struct gate_facts *facts,
                          struct err *err)
{
    struct gate_standing *list = arena_new(arena, struct gate_standing, standing->n);
    struct describing d = {.arena = arena, .asked = arena_new(arena, struct asked, standing->n)};
    size_t n = 0;
    if (!list || !d.asked)
        return arena_full(arena, err);
    for (size_t i = 0; i < standing->n; i++) {
        const struct standing_finding *f = &standing->finding[i];
        if (f->decided && !f->review)
            continue;
        list[n] = (struct gate_standing){.address = f->address,
                                         .type = f->type,
                                         .fingerprint = f->fingerprint,
                                         .class_ = f->class_,
                                         .severity = f->severity,
                                         .decision = f->decision,
                                         .has_decision = f->judged,
                                         .actor = f->author.name,
                                         .rule = f->rule,
                                         .owner = f->owner,
                                         .overdue = f->due_utc_ms <= standing->at_utc_ms,
                                         .review = f->review};
        if (gate_is_undecided(facts, &list[n]))
            d.asked[d.n++] = (struct asked){f->finding, &list[n]};
        n++;
    }
    facts->standing = list;
    facts->nstanding = n;
    if (d.n > 1)
        qsort(d.asked, d.n, sizeof *d.asked, by_number);
    return !d.n || finding_details(record, facts->stack, describe, &d, err);
}

static bool digest_findings(struct arena *arena, struct record *record, struct gate_facts *facts,
                            struct err *err)
{
    struct str key, *list = arena_new(arena, struct str, facts->nfindings);
    if (!list)
        return arena_full(arena, err);
    if (!record_key(record, &key, err))
        return false;
    for (size_t i = 0; i < facts->nfindings; i++)
        if (!finding_digest(arena, key, &facts->finding[i], &list[i], err))
            return false;
    facts->value = list;
    return true;
}

static bool take_baseline(struct arena *arena, struct record *record, struct gate_seen *seen,
                          struct err *err)
{
    struct baseline *baseline;
    if (!seen->scan.nfindings)
        return true;
    if (!baseline_open(record, arena, seen->facts.stack, &baseline, err) ||
        !baseline_apply_all(baseline, &seen->scan, err))
        return false;
    seen->facts.finding = seen->scan.findings;
    seen->facts.nfindings = seen->scan.nfindings;
    return true;
}

/* --- freezes and breakglasses --- */

static bool take_covers(struct arena *arena, const struct cover *cover, size_t n, char letter,
                        const struct gate_cover **ret, struct err *err)
{
    struct gate_cover *list = arena_new(arena, struct gate_cover, n);
    if (!list)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++) {
        list[i] =
            (struct gate_cover){.id = arena_printf(arena, "%c%lld", letter, (long long)cover[i].id),
                                .reason = cover[i].reason,
                                .by = cover[i].by.name,
                                .address = cover[i].address,
                                .until_utc_ms = cover[i].until_utc_ms};
        if (!list[i].id.ptr)
            return arena_full(arena, err);
    }
    *ret = list;
    return true;
}

/* --- the last scan of all of the stack --- */

struct last_scan {
    struct gate_facts *facts;
    struct arena *arena;
};

static bool take_scan(void *ctx, const struct db_row *row, struct err *err)
{
    struct last_scan *last = ctx;
    struct value coverage;
    int64_t resources = 0, compared = 0;
    struct str text = arena_dup(last->arena, db_text(row, 0));
    if (!text.ptr)
        return arena_full(last->arena, err);
    if (!json_parse(last->arena, text, "coverage", JSON_DUPLICATES_LAST, &coverage, err))
        return false;
    (void)value_to_int64(value_get(&coverage, STR("resources")), &resources);
    (void)value_to_int64(value_get(&coverage, STR("compared")), &compared);
    last->facts->scanned_utc_ms = db_int(row, 1);
    last->facts->scanned_resources = (uint64_t)resources;
    last->facts->scanned_compared = (uint64_t)compared;
    return true;
}

static bool ask_scan(struct arena *arena, struct record *record, struct gate_facts *facts,
                     struct err *err)
{
    struct last_scan last = {facts, arena};
    const struct db_value param[] = {DB_PARAM_TEXT(facts->stack)};
    return db_query(record->db,
                    "SELECT coverage, ended_utc_ms FROM run WHERE id = (SELECT max(id) FROM run"
                    " WHERE stack = $1 AND outcome IN ('complete', 'incomplete'))",
                    param, 1, take_scan, &last, err);
}

bool gate_add_record(struct arena *arena, struct record *record, struct gate_seen *seen,
                     struct err *err)
{
    struct gate_facts *facts = &seen->facts;
    struct standing standing;
    facts->has_store = true;
    if (!take_baseline(arena, record, seen, err) || !digest_findings(arena, record, facts, err) ||
        !standing_ask(record, arena, facts->stack, facts->now_utc_ms, &standing, err) ||
        !ask_scan(arena, record, facts, err))
        return err_wrap(err, "ask the store");
    facts->nfreezes = standing.nfreezes;
    facts->nbreakglasses = standing.nbreakglasses;
    return take_findings(arena, record, &standing, facts, err) &&
           take_covers(arena, standing.freeze, standing.nfreezes, 'F', &facts->freeze, err) &&
           take_covers(arena, standing.breakglass, standing.nbreakglasses, 'B', &facts->breakglass,
                       err);
}

/* --- the event --- */

struct detail {
    struct arena *arena;
    struct value_member *member; /* room for DETAIL_MAX; the event points at them */
    size_t n;
    bool full;
};

static void add(struct detail *detail, const char *key, struct value value)
{
    const struct value_key *made = key_make(detail->arena, str_from(key));
    detail->full |= !made || detail->n == DETAIL_MAX;
    if (!detail->full)
        detail->member[detail->n++] = (struct value_member){made, value};
}

/* Which kinds objected, each once. */
static void add_kinds(struct detail *detail, const struct gate_decision *decision)
{
    struct value *list = arena_new(detail->arena, struct value, GATE_KIND_COUNT);
    size_t n = 0;
    detail->full |= !list;
    for (size_t i = 0; list && i < GATE_KIND_COUNT; i++)
        if (decision->by_kind[i])
            list[n++] = value_string(str_from(gate_kind_name((enum gate_kind)i)));
    if (list)
        add(detail, "objections", value_items(VALUE_TUPLE, list, n));
}

static void add_breakglass(struct detail *detail, const struct gate_facts *facts)
{
    struct value *list = arena_new(detail->arena, struct value, facts->nbreakglasses);
    detail->full |= !list;
    for (size_t i = 0; list && i < facts->nbreakglasses; i++)
        list[i] = value_string(facts->breakglass[i].id);
    if (list)
        add(detail, "breakglass", value_items(VALUE_TUPLE, list, facts->nbreakglasses));
}

static bool make_detail(struct arena *arena, const struct gate_report *report, struct value *ret,
                        struct err *err)
{
    struct detail detail = {.arena = arena,
                            .member = arena_new(arena, struct value_member, DETAIL_MAX)};
    const struct gate_facts *facts = &report->seen->facts;
    const struct gate_decision *decision = report->decision;
    struct str serial = arena_printf(arena, "%llu", (unsigned long long)facts->state.serial);
    detail.full = !detail.member;
    add(&detail, "exit_code", value_int(decision->exit_code));
    add(&detail, "blocking", value_int((int64_t)decision->nblocking));
    add(&detail, "warnings", value_int((int64_t)(decision->n - decision->nblocking)));
    add(&detail, "undone", value_int((int64_t)decision->undone));
    add_kinds(&detail, decision);
    if (decision->broken_glass)
        add_breakglass(&detail, facts);
    if (facts->state.known) {
        add(&detail, "lineage", value_string(facts->state.lineage));
        add(&detail, "serial", value_string(serial));
    }
    if (facts->code.known)
        add(&detail, "commit", value_string(facts->code.revision.commit));
    struct value_member *kept = arena_new(arena, struct value_member, detail.n);
    if (detail.full || !serial.ptr || !kept)
        return arena_full(arena, err);
    memcpy(kept, detail.member, detail.n * sizeof *kept); /* the object is a view of them */
    return value_members(VALUE_OBJECT, kept, detail.n, ret, NULL, err);
}

static bool append(struct arena *arena, struct record *record, const struct gate_writing *how,
                   const struct gate_report *report, int64_t *ret_seq, struct err *err)
{
    AUTO_BUF headline = {.limit = 1 << 16};
    const struct event_input input = {STR("plan"), report->digest};
    struct event event = {.type = EVENT_GATE_DECISION,
                          .actor = how->actor,
                          .stack = report->seen->facts.stack,
                          .subject = report->digest,
                          .policy = how->policy,
                          .input = &input,
                          .ninputs = 1};
    gate_print_headline(&headline, report);
    event.outcome = gate_allows(report->decision->answer) ? STR("allow") : STR("deny");
    event.reason = str_sub(buf_view(&headline), 0, REASON_MAX);
    return make_detail(arena, report, &event.detail, err) &&
           audit_append(record, &event, ret_seq, err);
}

static bool issue(struct arena *arena, struct record *record, const struct gate_writing *how,
                  const struct gate_report *report, struct gate_token *ret, struct err *err)
{
    const struct gate_facts *facts = &report->seen->facts;
    const struct gate_state *state = facts->plan_state.known ? &facts->plan_state : &facts->state;
    const struct permit_terms terms = {.stack = facts->stack,
                                       .plan = report->digest,
                                       .lineage = state->lineage,
                                       .serial = state->serial};
    if (!how->approve || !gate_allows(report->decision->answer))
        return true;
    if (!state->known)
        return err_set(err, ERR_CONFLICT,
                       "no approval without the state that it is for: it was not read");
    ret->expires_utc_ms = record_now(record) + (how->token_ms ? how->token_ms : PERMIT_DEFAULT_MS);
    return permit_issue(record, arena, &terms, ret->expires_utc_ms, &how->actor, &ret->text, err);
}

bool gate_write_decision(struct arena *arena, struct record *record, const struct gate_writing *how,
                         struct gate_report *report, struct err *err)
{
    struct gate_token token = {0};
    int64_t seq = -1;
    if (!db_begin(record->db, DB_WRITE, err))
        return err_wrap(err, "the decision could not be written down, so nothing is allowed");
    if (!append(arena, record, how, report, &seq, err) ||
        !issue(arena, record, how, report, &token, err) || !db_commit(record->db, err)) {
        db_rollback(record->db);
        return err_wrap(err, "the decision could not be written down, so nothing is allowed");
    }
    report->event = seq;
    report->token = token;
    return true;
}
