/* reviews.c - reviews in the store: found, requested, approved, in effect, ended. */
#include "record/reviews.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/decision.h"
#include "record/activity.h"
#include "record/audit.h"
#include "record/counts.h"
#include "record/findings_parts.h"
#include "record/reviews_parts.h"
#include "wire/json.h"

enum { START_LEAST = 4, START_MOST = 32, TELL_BYTES = 1 << 20 };

#define RUN(record, sql, err, ...) \
    db_run((record)->db, (sql), (const struct db_value[]){__VA_ARGS__}, \
           sizeof((const struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value), (err))

/* --- small things --- */

struct str reviews_keep(struct arena *arena, const struct db_row *row, size_t column)
{
    return arena_dup(arena, db_text(row, column));
}

static void add_member(struct detail *detail, const char *key, struct value value)
{
    const struct value_key *made = key_make(detail->arena, str_from(key));
    if (!made || detail->n == DETAIL_MEMBERS_MAX) {
        detail->full = true;
        return;
    }
    detail->member[detail->n++] = (struct value_member){.key = made, .value = value};
}

void detail_text(struct detail *detail, const char *key, struct str text)
{
    struct str kept = arena_dup(detail->arena, text);
    detail->full = detail->full || !kept.ptr;
    if (text.len && kept.ptr)
        add_member(detail, key, value_string(kept));
}

void detail_int(struct detail *detail, const char *key, int64_t n)
{
    add_member(detail, key, value_int(n));
}

void detail_time(struct detail *detail, const char *key, int64_t utc_ms)
{
    char text[CLOCK_TEXT];
    if (utc_ms)
        detail_text(detail, key, str_from(clock_format(utc_ms, text)));
}

bool detail_object(struct detail *detail, struct value *ret, struct err *err)
{
    if (detail->full)
        return arena_full(detail->arena, err);
    return value_members(VALUE_OBJECT, detail->member, detail->n, ret, NULL, err);
}

bool reviews_note(struct record *record, int64_t finding, const char *what, const struct actor *by,
                  struct str why, struct err *err)
{
    return RUN(record,
               "INSERT INTO finding_history (id, finding, utc_ms, run, what, fingerprint, digest,"
               " actor, why) SELECT (SELECT " FINDING_HISTORY_NEXT "), f.id,"
               " $2, NULL, $3, f.fingerprint, f.digest, $4, $5 FROM finding f WHERE f.id = $1",
               err, DB_PARAM_INT(finding), DB_PARAM_INT(record_now(record)),
               reviews_text(str_from(what)), reviews_text(by ? by->name : STR("")),
               reviews_text(why));
}

/* --- rows --- */

static bool enums_of_row(const struct db_row *row, struct review *ret)
{
    int64_t severity = db_int(row, 8);
    if (severity < 0 || severity >= SEVERITY_COUNT)
        return false;
    ret->severity = (enum severity)severity;
    return finding_class_from(db_text(row, 3), &ret->class_) &&
           review_answer_from(db_text(row, 12), &ret->answer) &&
           review_state_from(db_text(row, 20), &ret->state) &&
           review_end_from(db_text(row, 25), &ret->end);
}

bool review_row(struct arena *arena, const struct db_row *row, struct review *ret, struct err *err)
{
    struct review r = {.id = db_int(row, 0),
                       .requested_utc_ms = db_int(row, 18),
                       .until_utc_ms = db_int(row, 19),
                       .needed = db_int(row, 21),
                       .effect_utc_ms = db_int(row, 23),
                       .ended_utc_ms = db_int(row, 24)};
    const struct {
        struct str *to;
        size_t column;
    } texts[] = {
        {&r.stack, 1},         {&r.address, 2},    {&r.fingerprint, 4}, {&r.value, 5},
        {&r.environment, 6},   {&r.owners, 7},     {&r.decision, 9},    {&r.author.name, 10},
        {&r.author.how, 11},   {&r.reason, 13},    {&r.ticket, 14},     {&r.by.name, 15},
        {&r.by.how, 16},       {&r.by.via, 17},    {&r.rule, 22},       {&r.ended_by.name, 26},
        {&r.ended_by.how, 27}, {&r.ended_why, 28}, {&r.author.via, 29}};
    if (!enums_of_row(row, &r))
        return err_set(err, ERR_SYNTAX, "review R%lld in the store: a word that is none of plumb's",
                       (long long)r.id);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i].to = reviews_keep(arena, row, texts[i].column);
        if (!texts[i].to->ptr)
            return arena_full(arena, err);
    }
    *ret = r;
    return true;
}

bool review_rows_add(void *ctx, const struct db_row *row, struct err *err)
{
    struct review_rows *rows = ctx;
    rows->review = arena_grow(rows->arena, rows->review, rows->n, &rows->room, rows->n + 1);
    rows->finding =
        arena_grow(rows->arena, rows->finding, rows->n, &rows->finding_room, rows->n + 1);
    if (!rows->review || !rows->finding)
        return arena_full(rows->arena, err);
    if (!review_row(rows->arena, row, &rows->review[rows->n], err))
        return false;
    rows->finding[rows->n++] = db_int(row, REVIEW_NCOLUMNS - 1);
    return true;
}

bool reviews_of_stack(struct record *record, struct str stack, struct review_rows *rows,
                      struct err *err)
{
    const struct db_value param[] = {record_text(rows->arena, stack, SIZE_MAX)};
    return db_query(record->db,
                    "SELECT " REVIEW_COLUMNS " FROM review r WHERE r.stack = $1 AND r.state <>"
                    " 'ended' ORDER BY r.finding, r.id",
                    param, 1, review_rows_add, rows, err);
}

size_t reviews_of_finding(const struct review_rows *rows, int64_t finding)
{
    size_t low = 0, high = rows->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows->finding[middle] < finding)
            low = middle + 1;
        else
            high = middle;
    }
    return low < rows->n && rows->finding[low] == finding ? low : rows->n;
}

const struct review *reviews_counting(const struct review_rows *rows, int64_t finding,
                                      struct str value, int64_t now_utc_ms)
{
    size_t i = reviews_of_finding(rows, finding);
    for (; i < rows->n && rows->finding[i] == finding; i++)
        if (review_counts(&rows->review[i], value, now_utc_ms))
            return &rows->review[i];
    return NULL;
}

/* --- the finding --- */

struct finding_search {
    struct arena *arena;
    struct reviewed found;
    struct str start;
    size_t n;
};

/* The owners of the code's file are in the report that is kept with the finding; what is in no
 * code belongs to those of the stack. */
static bool owners_of(struct arena *arena, struct str detail, struct str stack_owner,
                      struct str *ret, struct err *err)
{
    struct value report;
    struct err ignored = {0};
    *ret = arena_dup(arena, stack_owner);
    if (!ret->ptr)
        return arena_full(arena, err);
    if (!json_parse(arena, arena_dup(arena, detail), "finding", JSON_DUPLICATES_LAST, &report,
                    &ignored))
        return true;
    struct str owner = value_get_string(value_get(&report, STR("origin")), STR("owner"));
    if (owner.len)
        *ret = owner;
    return true;
}

static bool finding_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct finding_search *search = ctx;
    struct reviewed *to = &search->found;
    struct review *r = &to->review;
    int64_t severity = db_int(row, 7);
    if (search->n++)
        return true;
    to->finding = db_int(row, 0);
    to->status = reviews_keep(search->arena, row, 3);
    to->type = reviews_keep(search->arena, row, 6);
    r->stack = reviews_keep(search->arena, row, 1);
    r->fingerprint = reviews_keep(search->arena, row, 2);
    r->address = reviews_keep(search->arena, row, 5);
    r->value = reviews_keep(search->arena, row, 8);
    r->decision = reviews_keep(search->arena, row, 9);
    r->author.name = reviews_keep(search->arena, row, 10);
    r->author.how = reviews_keep(search->arena, row, 11);
    r->environment = reviews_keep(search->arena, row, 12);
    r->author.via = reviews_keep(search->arena, row, 15);
    if (!to->status.ptr || !to->type.ptr || !r->stack.ptr || !r->fingerprint.ptr ||
        !r->address.ptr || !r->value.ptr || !r->decision.ptr || !r->author.name.ptr ||
        !r->author.how.ptr || !r->author.via.ptr || !r->environment.ptr)
        return arena_full(search->arena, err);
    if (!finding_class_from(db_text(row, 4), &r->class_) || severity < 0 ||
        severity >= SEVERITY_COUNT)
        return err_set(err, ERR_SYNTAX, "finding %.*s in the store: a word that is none of plumb's",
                       STR_ARG(r->fingerprint));
    r->severity = (enum severity)severity;
    return owners_of(search->arena, db_text(row, 13), db_text(row, 14), &r->owners, err);
}

static bool start_ok(struct str start)
{
    for (size_t i = 0; i < start.len; i++)
        if (!((start.ptr[i] >= '0' && start.ptr[i] <= '9') ||
              (start.ptr[i] >= 'a' && start.ptr[i] <= 'f')))
            return false;
    return start.len >= START_LEAST && start.len <= START_MOST;
}

bool reviews_find(struct record *record, struct arena *arena, struct str start, struct str stack,
                  struct reviewed *ret, struct err *err)
{
    struct finding_search search = {.arena = arena, .start = start};
    if (!start_ok(start))
        return err_set(err, ERR_USAGE,
                       "'%.*s' is no finding: want the first %d or more hex digits of its "
                       "fingerprint, as `plumb findings` lists it",
                       STR_ARG(start), START_LEAST);
    struct str end = arena_printf(arena, "%.*sg", STR_ARG(start));
    if (!end.ptr)
        return arena_full(arena, err);
    const struct db_value param[] = {DB_PARAM_TEXT(start), DB_PARAM_TEXT(end), reviews_text(stack)};
    if (!db_query(record->db,
                  "SELECT f.id, f.stack, f.fingerprint, f.status, f.class, f.address, f.type,"
                  " f.severity, f.digest, f.decision, f.actor, f.actor_how,"
                  " coalesce(s.environment, ''), f.detail, coalesce(s.owner, ''), f.actor_principal"
                  " FROM finding f LEFT JOIN stack s ON s.name = f.stack WHERE f.fingerprint >= $1 "
                  "AND f.fingerprint < $2"
                  " AND f.status <> 'resolved' AND ($3 = '' OR f.stack = $3)"
                  " ORDER BY f.id LIMIT 2",
                  param, 3, finding_row, &search, err))
        return false;
    if (search.n == 1) {
        *ret = search.found;
        return true;
    }
    return err_set(err, ERR_USAGE,
                   search.n ? "several findings start with %.*s: give more of the fingerprint, or "
                              "--stack"
                            : "no open finding starts with %.*s: `plumb findings` lists them",
                   STR_ARG(start));
}

/* --- writing --- */

static bool free_place(struct record *record, int64_t finding, struct err *err)
{
    int64_t waits = 0;
    const struct db_value param[] = {DB_PARAM_INT(finding)};
    if (!db_one_int(record->db,
                    "SELECT coalesce(max(id), 0) FROM review WHERE finding = $1"
                    " AND state = 'requested'",
                    param, 1, &waits, err))
        return false;
    return !waits || err_set(err, ERR_CONFLICT,
                             "R%lld asks about this finding already: approve it, or withdraw it "
                             "first",
                             (long long)waits);
}

/* Never one that was there before: the log tells of reviews that were forgotten meanwhile. */
static bool next_id(struct record *record, int64_t *ret, struct err *err)
{
    AUTO_ARENA arena = {.limit = TELL_BYTES};
    struct err none = {0};
    struct str last = {0};
    int64_t id = 0, kept = 0;
    if (!db_one_int(record->db, "SELECT coalesce(max(id), 0) FROM review", NULL, 0, &id, err))
        return false;
    if (!db_one_text(record->db, &arena, "SELECT value FROM setting WHERE name = 'last_review'",
                     NULL, 0, &last, &none) &&
        none.kind != ERR_NONE)
        return err_set(err, none.kind, "%s", none.frame[0]);
    if (last.len && str_to_int64(last, &kept) && kept > id)
        id = kept;
    struct str text = arena_printf(&arena, "%lld", (long long)++id);
    if (!text.ptr)
        return arena_full(&arena, err);
    *ret = id;
    return RUN(record,
               "INSERT INTO setting (name, value) VALUES ('last_review', $1) ON CONFLICT (name)"
               " DO UPDATE SET value = excluded.value",
               err, DB_PARAM_TEXT(text));
}

bool reviews_insert(struct record *record, int64_t finding, struct review *review, struct err *err)
{
    if (!free_place(record, finding, err) || !next_id(record, &review->id, err))
        return false;
    review->state = REVIEW_REQUESTED;
    if (!RUN(record,
             "INSERT INTO review (id, finding, stack, address, class, fingerprint, digest,"
             " environment, owners, severity, decision, author, author_how, answer, reason,"
             " ticket, actor, actor_how, actor_via, requested_utc_ms, until_utc_ms, state,"
             " needed, rule, effect_utc_ms, ended_utc_ms, ending, ended_by, ended_how,"
             " ended_why, author_principal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
             "$12,"
             " $13, $14, $15, $16, $17, $18, $19, $20, $21, 'requested', $22, $23, 0, 0, '', '', "
             "'', '',"
             " $24)",
             err, DB_PARAM_INT(review->id), DB_PARAM_INT(finding), reviews_text(review->stack),
             reviews_text(review->address),
             reviews_text(str_from(finding_class_name(review->class_))),
             reviews_text(review->fingerprint), reviews_text(review->value),
             reviews_text(review->environment), reviews_text(review->owners),
             DB_PARAM_INT((int64_t)review->severity), reviews_text(review->decision),
             reviews_text(review->author.name), reviews_text(review->author.how),
             reviews_text(str_from(review_answer_name(review->answer))),
             reviews_text(review->reason), reviews_text(review->ticket),
             reviews_text(review->by.name), reviews_text(review->by.how),
             reviews_text(review->by.via), DB_PARAM_INT(review->requested_utc_ms),
             DB_PARAM_INT(review->until_utc_ms), DB_PARAM_INT(review->needed),
             reviews_text(review->rule), reviews_text(review->author.via)))
        return false;
    return !review->needed ||
           reviews_note(record, finding, "requested", &review->by, review->reason, err);
}

bool reviews_add_approval(struct record *record, int64_t id, const struct approval *approval,
                          struct err *err)
{
    return RUN(record,
               "INSERT INTO review_approval (review, n, actor, actor_how, actor_via, role, utc_ms)"
               " SELECT $1, count(*) + 1, $2, $3, $4, $5, $6 FROM review_approval"
               " WHERE review = $1",
               err, DB_PARAM_INT(id), reviews_text(approval->by.name),
               reviews_text(approval->by.how), reviews_text(approval->by.via),
               reviews_text(approval->role), DB_PARAM_INT(approval->at_utc_ms));
}

static bool finding_of(struct record *record, int64_t review, int64_t *ret, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_INT(review)};
    return db_one_int(record->db, "SELECT finding FROM review WHERE id = $1", param, 1, ret, err) ||
           (err && err->kind != ERR_NONE
                ? false
                : err_set(err, ERR_USAGE, "there is no review R%lld", (long long)review));
}

static bool replace_earlier(struct record *record, int64_t finding, const struct review *review,
                            struct err *err)
{
    AUTO_ARENA arena = {.limit = TELL_BYTES};
    struct review_rows rows = {.arena = &arena};
    const struct db_value param[] = {DB_PARAM_INT(finding)};
    if (!db_query(record->db,
                  "SELECT " REVIEW_COLUMNS " FROM review r WHERE r.finding = $1"
                  " AND r.state = 'effect'",
                  param, 1, review_rows_add, &rows, err))
        return false;
    for (size_t i = 0; i < rows.n; i++) {
        struct str why = arena_printf(&arena, "R%lld takes its place", (long long)review->id);
        if (!why.ptr)
            return arena_full(&arena, err);
        if (!reviews_end(record, &rows.review[i], REVIEW_REPLACED, NULL, why, err))
            return false;
    }
    return true;
}

/* What lists and gates go by: the finding's status and what it says of why. */
static bool excuse_finding(struct record *record, int64_t finding, const struct review *review,
                           struct err *err)
{
    AUTO_ARENA arena = {.limit = TELL_BYTES};
    struct str why = review_says(&arena, review);
    bool accept = review->answer == ANSWER_ACCEPT;
    if (!why.ptr)
        return arena_full(&arena, err);
    return counts_one(record->db, finding, -1, err) &&
           RUN(record,
               "UPDATE finding SET status = $2, why = $3 WHERE id = $1"
               " AND status NOT IN ('resolved', 'ignored')",
               err, DB_PARAM_INT(finding), reviews_text(str_from(accept ? "waived" : "reviewed")),
               reviews_text(why)) &&
           counts_one(record->db, finding, 1, err) &&
           reviews_note(record, finding, accept ? "waived" : "reviewed", &review->by, why, err);
}

bool reviews_take_effect(struct record *record, struct review *review, struct err *err)
{
    int64_t finding = 0, now = record_now(record);
    if (!finding_of(record, review->id, &finding, err) ||
        !replace_earlier(record, finding, review, err) ||
        !RUN(record,
             "UPDATE review SET state = 'effect', effect_utc_ms = $2 WHERE id = $1"
             " AND state = 'requested'",
             err, DB_PARAM_INT(review->id), DB_PARAM_INT(now)))
        return false;
    if (db_changed(record->db) != 1)
        return err_set(err, ERR_CONFLICT, "R%lld is not requested any more", (long long)review->id);
    review->state = REVIEW_EFFECT;
    review->effect_utc_ms = now;
    return excuse_finding(record, finding, review, err);
}

/* Its deadline begins anew where an accepted finding comes back after its time; a review that was
 * taken back gives nobody more time. */
static bool reopen_finding(struct record *record, int64_t finding, enum review_end end,
                           struct str why, struct err *err)
{
    bool anew = end == REVIEW_EXPIRED;
    if (!counts_one(record->db, finding, -1, err) ||
        !RUN(record,
             "UPDATE finding SET status = 'recurring', why = '', due_utc_ms = CASE WHEN $2 = 1"
             " THEN due_utc_ms - open_utc_ms + $3 ELSE due_utc_ms END, open_utc_ms = CASE WHEN"
             " $2 = 1 THEN $3 ELSE open_utc_ms END WHERE id = $1 AND status IN ('reviewed',"
             " 'waived')",
             err, DB_PARAM_INT(finding), DB_PARAM_INT(anew), DB_PARAM_INT(record_now(record))))
        return false;
    bool opened = db_changed(record->db) > 0;
    return counts_one(record->db, finding, 1, err) &&
           (!opened || reviews_note(record, finding, "open", NULL, why, err));
}

bool reviews_end(struct record *record, const struct review *review, enum review_end end,
                 const struct actor *by, struct str why, struct err *err)
{
    AUTO_ARENA arena = {.limit = TELL_BYTES};
    struct actor nobody = {0};
    int64_t finding = 0;
    struct str name = str_from(review_end_name(end));
    if (!by)
        by = &nobody;
    if (!finding_of(record, review->id, &finding, err) ||
        !RUN(record,
             "UPDATE review SET state = 'ended', ending = $2, ended_utc_ms = $3, ended_by = $4,"
             " ended_how = $5, ended_why = $6 WHERE id = $1 AND state <> 'ended'",
             err, DB_PARAM_INT(review->id), reviews_text(name), DB_PARAM_INT(record_now(record)),
             reviews_text(by->name), reviews_text(by->how), reviews_text(why)))
        return false;
    if (db_changed(record->db) != 1)
        return err_set(err, ERR_CONFLICT, "R%lld has ended already", (long long)review->id);
    struct str told =
        arena_printf(&arena, "R%lld: %s", (long long)review->id, review_end_name(end));
    if (!told.ptr)
        return arena_full(&arena, err);
    if (review->state == REVIEW_EFFECT && end != REVIEW_REPLACED && end != REVIEW_RESOLVED &&
        !reopen_finding(record, finding, end, told, err))
        return false;
    return reviews_tell(record, end == REVIEW_WITHDRAWN ? EVENT_REVIEW_WITHDRAW : EVENT_REVIEW_END,
                        review, by, name, why, err);
}

/* --- events --- */

static bool describe_review(struct detail *detail, const struct review *review, struct value *ret,
                            struct err *err)
{
    detail_text(detail, "answer", str_from(review_answer_name(review->answer)));
    detail_text(detail, "address", review->address);
    detail_text(detail, "class", str_from(finding_class_name(review->class_)));
    detail_text(detail, "fingerprint", review->fingerprint);
    detail_text(detail, "severity", str_from(severity_name(review->severity)));
    detail_text(detail, "decision", review->decision);
    detail_text(detail, "ticket", review->ticket);
    detail_time(detail, "until", review->until_utc_ms);
    detail_int(detail, "needed", review->needed);
    detail_int(detail, "approvals", (int64_t)review->napprovals);
    detail_text(detail, "rule", review->rule);
    detail_text(detail, "requester", review->by.name);
    detail_text(detail, "author", review->author.name);
    return detail_object(detail, ret, err);
}

bool reviews_tell(struct record *record, enum event_type type, const struct review *review,
                  const struct actor *by, struct str outcome, struct str reason, struct err *err)
{
    AUTO_ARENA arena = {.limit = TELL_BYTES};
    const struct event_input input = {.name = STR("finding"), .digest = review->value};
    struct detail detail = {.arena = &arena};
    struct event event = {.type = type,
                          .time_utc_ms = record_now(record),
                          .stack = review->stack,
                          .outcome = outcome,
                          .reason = reason,
                          .input = &input,
                          .ninputs = review->value.len > 0};
    if (by && by->via.len)
        detail_text(&detail, "via", by->via);
    event.actor =
        by && by->name.len ? actor_of_event(by) : (struct event_actor){STR("plumb"), STR("clock")};
    event.subject = arena_printf(&arena, "R%lld", (long long)review->id);
    if (!event.subject.ptr)
        return arena_full(&arena, err);
    return describe_review(&detail, review, &event.detail, err) &&
           audit_append(record, &event, NULL, err);
}

/* --- reading --- */

struct approvals {
    struct arena *arena;
    struct approval *item;
    size_t n, room;
};

static bool approval_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct approvals *list = ctx;
    list->item = arena_grow(list->arena, list->item, list->n, &list->room, list->n + 1);
    if (!list->item)
        return arena_full(list->arena, err);
    struct approval *to = &list->item[list->n++];
    *to = (struct approval){.by = {.name = reviews_keep(list->arena, row, 0),
                                   .how = reviews_keep(list->arena, row, 1),
                                   .via = reviews_keep(list->arena, row, 2)},
                            .role = reviews_keep(list->arena, row, 3),
                            .at_utc_ms = db_int(row, 4)};
    return (to->by.name.ptr && to->by.how.ptr && to->by.via.ptr && to->role.ptr) ||
           arena_full(list->arena, err);
}

/* Its approvals, and while it waits for some who may give none. */
static bool load_people(struct record *record, struct arena *arena, struct review *review,
                        int64_t finding, struct err *err)
{
    struct approvals list = {.arena = arena};
    const struct db_value param[] = {DB_PARAM_INT(review->id)};
    if (!db_query(record->db,
                  "SELECT actor, actor_how, actor_via, role, utc_ms FROM review_approval"
                  " WHERE review = $1 ORDER BY n",
                  param, 1, approval_row, &list, err))
        return false;
    review->approval = list.item;
    review->napprovals = list.n;
    return review->state != REVIEW_REQUESTED || activity_hands(record, arena, finding, review, err);
}

bool reviews_load(struct record *record, struct arena *arena, int64_t id, struct review *ret,
                  int64_t *ret_finding, struct err *err)
{
    struct review_rows rows = {.arena = arena};
    const struct db_value param[] = {DB_PARAM_INT(id)};
    if (!db_query(record->db, "SELECT " REVIEW_COLUMNS " FROM review r WHERE r.id = $1", param, 1,
                  review_rows_add, &rows, err))
        return false;
    if (!rows.n)
        return err_set(err, ERR_USAGE, "there is no review R%lld", (long long)id);
    if (!load_people(record, arena, &rows.review[0], rows.finding[0], err))
        return false;
    *ret = rows.review[0];
    *ret_finding = rows.finding[0];
    return true;
}

bool reviews_list(struct record *record, struct arena *arena, const struct reviews_query *query,
                  struct review **ret, size_t *ret_n, struct err *err)
{
    struct review_rows rows = {.arena = arena};
    unsigned states = query->states ? query->states : ~0u;
    const struct db_value param[] = {
        DB_PARAM_INT((states & REVIEWS_OPEN) != 0),
        DB_PARAM_INT((states & REVIEWS_EFFECT) != 0),
        DB_PARAM_INT((states & REVIEWS_ENDED) != 0),
        reviews_text(query->stack),
        DB_PARAM_INT(query->finding),
        DB_PARAM_INT((int64_t)(query->most ? query->most : REVIEWS_MOST))};
    if (!db_query(record->db,
                  "SELECT " REVIEW_COLUMNS " FROM review r WHERE ((r.state = 'requested' AND"
                  " $1 = 1) OR (r.state = 'effect' AND $2 = 1) OR (r.state = 'ended' AND $3 = 1))"
                  " AND ($4 = '' OR r.stack = $4) AND ($5 = 0 OR r.finding = $5)"
                  " ORDER BY r.id DESC LIMIT $6",
                  param, sizeof param / sizeof *param, review_rows_add, &rows, err))
        return false;
    for (size_t i = 0; i < rows.n; i++)
        if (!load_people(record, arena, &rows.review[i], rows.finding[i], err))
            return false;
    *ret = rows.review;
    *ret_n = rows.n;
    return true;
}
