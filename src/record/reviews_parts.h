/* reviews_parts.h - what reviews.c, covers.c, settle.c and standing.c share. */
#pragma once
#include "record/reviews.h"

enum { REVIEWS_MOST = 10000, DETAIL_MEMBERS_MAX = 16 };

/* The next line of finding_history. Never one again that was forgotten: who reads on after a line
 * would miss it. */
#define FINDING_HISTORY_NEXT \
    "coalesce(max(id), 0) + 1 FROM (SELECT max(id) AS id FROM finding_history UNION ALL" \
    " SELECT max(position) FROM alert_cursor WHERE name = 'findings') t"

/* Text as a parameter; ptr NULL is "". */
static inline struct db_value reviews_text(struct str s)
{
    return DB_PARAM_TEXT(s.ptr ? s : STR(""));
}

/* A view of a row's column, kept. */
struct str reviews_keep(struct arena *arena, const struct db_row *row, size_t column);

/* The object of an event's detail, member by member; empty texts are left out. */
struct detail {
    struct arena *arena;
    struct value_member member[DETAIL_MEMBERS_MAX];
    size_t n;
    bool full;
};
void detail_text(struct detail *detail, const char *key, struct str text);
void detail_int(struct detail *detail, const char *key, int64_t n);
void detail_time(struct detail *detail, const char *key, int64_t utc_ms);
/* In place: detail outlives ret. */
bool detail_object(struct detail *detail, struct value *ret, struct err *err);

/* The columns of struct review, in the order that review_row takes them, `finding` last. */
#define REVIEW_COLUMNS \
    "r.id, r.stack, r.address, r.class, r.fingerprint, r.digest, r.environment, r.owners," \
    " r.severity, r.decision, r.author, r.author_how, r.answer, r.reason, r.ticket, r.actor," \
    " r.actor_how, r.actor_via, r.requested_utc_ms, r.until_utc_ms, r.state, r.needed, r.rule," \
    " r.effect_utc_ms, r.ended_utc_ms, r.ending, r.ended_by, r.ended_how, r.ended_why," \
    " r.author_principal, r.finding"
enum { REVIEW_NCOLUMNS = 31 };
bool review_row(struct arena *arena, const struct db_row *row, struct review *ret, struct err *err);

/* A list of reviews with the numbers of their findings, as a query gives it. */
struct review_rows {
    struct arena *arena;
    struct review *review;
    int64_t *finding;
    size_t n, room, finding_room;
};
bool review_rows_add(void *ctx, const struct db_row *row, struct err *err); /* for db_query */

/* Those of a stack that have not ended, by finding. */
bool reviews_of_stack(struct record *record, struct str stack, struct review_rows *rows,
                      struct err *err);
/* The first one of a finding, rows->n where there is none. */
size_t reviews_of_finding(const struct review_rows *rows, int64_t finding);
/* The one that counts for the finding with this value, or NULL. */
const struct review *reviews_counting(const struct review_rows *rows, int64_t finding,
                                      struct str value, int64_t now_utc_ms);
/* Within a transaction, after the findings of a stack were written: what that ends. */
bool reviews_end_over(struct record *record, struct str stack, struct err *err);

/* A line in the finding's history. */
bool reviews_note(struct record *record, int64_t finding, const char *what, const struct actor *by,
                  struct str why, struct err *err);
