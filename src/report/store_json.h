/* store_json.h - what the store knows as JSON (docs/schema/record.schema.json,
 * reviews.schema.json): the commands and the service write the same.
 */
#pragma once
#include "record/freshness.h"
#include "record/listing.h"
#include "record/reviews.h"
#include "value/value.h"

struct arena;
struct err;
struct jsonw;

/* X(name, what it tells the reader): the worst that is true of a stack */
#define STANDINGS(X) \
    X(STANDING_GOOD, "good", "scanned in time, and nothing is open") \
    X(STANDING_OPEN, "open", "there are open findings") \
    X(STANDING_OVERDUE, "overdue", "a finding is past its deadline, or a scan is") \
    X(STANDING_INCOMPLETE, "incomplete", "never scanned completely, or the last scan was not")
#define X(constant, name, meaning) constant,
enum standing_kind { STANDINGS(X) STANDING_COUNT };
#undef X
enum standing_kind standing_of(const struct freshness *stack);
const char *standing_name(enum standing_kind standing);

/* An object each. */
void stack_json(struct jsonw *w, const struct freshness *stack, int64_t now_utc_ms);
void run_json(struct jsonw *w, const struct run_row *run); /* id 0: null */
void actor_json(struct jsonw *w, struct str key, const struct actor *actor);
void review_json(struct jsonw *w, const struct review *review);
void cover_json(struct jsonw *w, const struct cover *cover, int64_t now_utc_ms);
/* "breakglasses" and "freezes": those that hold now, by enum cover_kind. */
void covers_json(struct jsonw *w, struct cover *const cover[2], const size_t n[2],
                 int64_t now_utc_ms);

/* "service": what services have on their hands, or null. */
void service_json(struct jsonw *w, const struct service_row *service);

/* A finding with all that is known of it. */
struct finding_whole {
    struct finding_row row;
    struct finding_past *past;
    size_t npast;
    struct review *review; /* newest first */
    size_t nreviews;
    struct run_row seen, resolved; /* id 0: not known any more */
    struct value detail; /* a finding as the scan reported it; null where it was too large */
};
/* prefix, stack: as finding_get, whose errors it has. */
bool finding_whole_get(struct record *record, struct arena *arena, struct str prefix,
                       struct str stack, int64_t now_utc_ms, struct finding_whole *ret,
                       struct err *err);
/* The members, into an object that is open. */
void finding_whole_json(struct jsonw *w, const struct finding_whole *finding, int64_t now_utc_ms);
