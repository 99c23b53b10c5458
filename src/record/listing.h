/* listing.h - questions to the store: which findings there are, one with its history, how stacks
 * stand. Reads only.
 */
#pragma once
#include "record/findings.h"

/* A finding as it is kept. Texts live until the callback returns, or in the arena. */
struct finding_row {
    int64_t id;
    struct str stack, fingerprint, class_, address, type, provider, digest, decision, rule, owner,
        actor, actor_how, why;
    enum finding_status status;
    int64_t severity; /* enum severity */
    int64_t first_utc_ms, open_utc_ms, changed_utc_ms, seen_utc_ms;
    int64_t due_utc_ms, resolved_utc_ms; /* 0 = none */
    int64_t first_run, seen_run, resolved_run, times;
    bool overdue;      /* by now_utc_ms of the question */
    struct str detail; /* JSON; only finding_get has it */
};

enum { FINDING_QUERY_NAMES = 16 };
struct finding_query {
    struct str stack[FINDING_QUERY_NAMES]; /* any of them; none = all */
    size_t nstacks;
    struct str stacks;    /* glob over their names; empty = any */
    unsigned classes;     /* bits 1 << enum finding_class; 0 = all */
    unsigned statuses;    /* bits 1 << enum finding_status; 0 = all */
    int64_t severity;     /* at least */
    int64_t since_utc_ms; /* its status is from then or later; 0 = any. Newest first */
    bool overdue;
    int64_t limit, offset; /* limit 0 = all */
    int64_t now_utc_ms;
};
enum {
    FINDING_STATUSES_OPEN =
        1u << STATUS_NEW | 1u << STATUS_RECURRING | 1u << STATUS_CHANGED | 1u << STATUS_REOPENED
};

/* What people write, into a query: words with commas between, "24h" or a date. ERR_USAGE with the
 * nearest word. */
bool finding_query_classes(struct str words, struct finding_query *ret, struct err *err);
bool finding_query_statuses(struct str words, struct finding_query *ret, struct err *err);
bool finding_query_severity(struct str word, struct finding_query *ret, struct err *err);
bool finding_query_since(struct str text, struct finding_query *ret, struct err *err);

/* Open ones first, then by severity; with since the newest first, overdue the longest overdue. */
bool finding_list(struct record *record, const struct finding_query *query,
                  bool (*row)(void *ctx, const struct finding_row *row, struct err *err), void *ctx,
                  struct err *err);

/*
 * The one whose fingerprint, now or once, begins with `prefix` (at least 4 hex digits).
 * stack  or empty: any
 * ERR_USAGE: there is none, or there are several (all in the message, as far as they fit).
 */
bool finding_get(struct record *record, struct arena *arena, struct str prefix, struct str stack,
                 int64_t now_utc_ms, struct finding_row *ret, struct err *err);

/* By its number in the store; *ret_found. */
bool finding_get_id(struct record *record, struct arena *arena, int64_t id, int64_t now_utc_ms,
                    struct finding_row *ret, bool *ret_found, struct err *err);

/* The JSON of each of the stack's findings that are not resolved and that policy decided on, by
 * number; the text lives until the callback returns. */
bool finding_details(struct record *record, struct str stack,
                     bool (*row)(void *ctx, int64_t finding, struct str detail, struct err *err),
                     void *ctx, struct err *err);

/* What policy was asked about it (policy/asked.h); nothing where it was not, or is resolved. `ret`
 * must have a limit. */
struct buf;
bool finding_asked(struct record *record, int64_t finding, struct buf *ret, struct err *err);

struct finding_past {
    int64_t utc_ms, run; /* run 0: no scan's doing */
    struct str what, fingerprint, digest, actor, why;
};
bool finding_history(struct record *record, struct arena *arena, int64_t id,
                     struct finding_past **ret, size_t *ret_n, struct err *err);

/* --- runs and stacks --- */

struct run_row {
    int64_t id, started_utc_ms, ended_utc_ms, live_utc_ms; /* 0 = none */
    bool dirty;
    struct str stack, outcome, actor, actor_how, source, desired, live, revision, branch, policy,
        config, digest, failed, coverage, plumb, note;
};
/* False with ERR_NONE where there is no such run (any more). */
bool run_get(struct record *record, struct arena *arena, int64_t id, struct run_row *ret,
             struct err *err);

struct stack_row {
    struct str name, path, environment, owner;
    int64_t last_run, complete_run; /* complete_run 0: never */
    int64_t first_utc_ms, complete_utc_ms;
    struct str last_outcome;
    struct str before;   /* while one runs: the outcome of the one that ended before it */
    int64_t failed_run;  /* of the whole stack, and none has seen all of it since; 0 = none */
    int64_t last_utc_ms; /* its end, or its start where it did not end */
    struct str last_failed, last_note; /* failed: of failed_run, if there is one */
    int64_t open, reviewed, waived, ignored, resolved, overdue; /* findings */
    int64_t unchecked; /* of those that are not resolved: what nobody could look at */
    /* By stack_list_judged alone: open ones that policy wants reviewed, reverted or blocked; the
     * classes of those that are open or reviewed, bits 1 << enum finding_class. */
    int64_t violations;
    unsigned classes;
};
/* Sorted by name. */
bool stack_list(struct record *record, struct arena *arena, int64_t now_utc_ms,
                struct stack_row **ret, size_t *ret_n, struct err *err);

/* Fill in what policy and classes make of those findings; row as stack_list gave it. */
bool stack_list_judged(struct record *record, struct stack_row *row, size_t n, struct err *err);

/* A stack's runs, the newest first; stack empty: of all. stacks: a glob over their names, or empty.
 */
struct run_query {
    struct str stack, stacks;
    int64_t limit, offset; /* limit 0 = all */
};
bool run_list(struct record *record, struct arena *arena, const struct run_query *query,
              struct run_row **ret, size_t *ret_n, struct err *err);

/* What services have on their hands. */
struct service_row {
    bool there; /* one has planned scans, or has alerts to send */
    int64_t running, due;
    int64_t alerts_waiting, alerts_dead;
};
bool service_get(struct record *record, struct service_row *ret, struct err *err);
