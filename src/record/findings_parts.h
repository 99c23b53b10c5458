/* findings_parts.h - what run.c, life.c, baseline.c and telling.c share. */
#pragma once
#include "record/findings.h"
#include "record/reviews_parts.h"

enum { FINGERPRINT_HEX = 32 };

/* A finding of the store, as far as its next state needs it. */
struct life {
    int64_t id, first_utc_ms, open_utc_ms, changed_utc_ms, first_run, times;
    int64_t asked; /* which document is kept of it; 0 = none */
    struct str fingerprint, address, class_, digest, decision, why, actor, actor_how,
        actor_principal;
    enum finding_status status;
    bool seen; /* by this run */
};

/* A finding of the run, and what becomes of it. */
struct sight {
    const struct finding *finding;
    struct str digest;
    struct life *before;        /* NULL: not in the store */
    enum finding_status status; /* now */
    const char *what;           /* line of the history; NULL = nothing happened */
    struct str why;
    int64_t id;
    struct str detail;
};

struct lives {
    struct arena *arena;
    struct record *record;
    const struct run_finish *finish;
    int64_t now;
    struct life *life;
    size_t nlives, room;
    uint64_t elsewhere;   /* open ones that were not loaded: the run did not look there */
    size_t *slot, nslots; /* by fingerprint: index + 1 */
    struct sight *seen;
    size_t nseen;
    struct life **resolved;
    size_t nresolved;
    struct baseline *baseline;
    struct review_rows reviews; /* of the stack, that have not ended */
    int64_t next_history;
    struct run_changes changes;
};

/* A text that the store takes: what is not UTF-8, and NUL, becomes U+FFFD; cut at a character. */
struct db_value record_text(struct arena *arena, struct str s, size_t max_bytes);
bool record_next_id(struct record *record, const char *sql, int64_t *ret, struct err *err);
struct str run_outcome(const struct run_finish *finish);
bool run_update(struct record *record, struct arena *arena, const struct run_finish *finish,
                const struct lives *lives, struct str *ret_digest, struct err *err);

/* --- telling.c: the one place from which a scan's events go to the audit log --- */

/* Within the transaction that they tell of. */
bool tell_run_start(struct record *record, const struct run_start *start, int64_t run,
                    struct err *err);
bool tell_run_failed(struct record *record, const struct run_start *start, int64_t run,
                     struct str outcome, struct str reason, struct err *err);
/* Findings that changed, decisions on them, the baseline, the end. */
bool tell_run_end(struct lives *lives, struct str digest, struct err *err);

/* --- asked.c --- */

/* finding.asked of what was seen, where it is another than is kept; none of what is resolved. */
bool asked_keep(struct lives *lives, struct err *err);

/* --- baseline.c --- */

bool baseline_has(const struct baseline *baseline, const struct sight *sight, struct str *ret_why);
/* The run's own baseline: everything open is accepted. */
bool baseline_make(struct lives *lives, struct err *err);
/* What is resolved or has other values is accepted no longer. */
bool baseline_drop(struct lives *lives, struct err *err);
