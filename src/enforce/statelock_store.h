/* statelock_store.h - locks, writes and their events, done in the store.
 *
 * Order:   each call works within the caller's open DB_WRITE transaction; what it decided counts
 *          when that was committed together with its event. Nobody is answered before
 * Errors:  false: the store; the whole transaction is rolled back and nothing was allowed
 */
#pragma once
#include "enforce/statelock.h"
#include "model/event.h"

struct err;
struct permit_terms;
struct record;

/* `lock` of plumb.yaml. */
struct lock_rules {
    bool unjudged_free;  /* drift that no policy was asked about stops nothing */
    bool undecided_free; /* nor does drift that policy wants decided */
    bool freeze_free;    /* nor does a freeze */
    bool approval;       /* everything but a plan uses up an approval of the gate (permit.h) */
    int64_t fresh_ms;    /* the last complete scan may be so old; 0 = any age, or none */
    int64_t keep;        /* versions of a state; 0 = all */
    struct str url;      /* of the service, for links */
};
struct config;
struct lock_rules lock_rules_of(const struct config *config);

struct lock_deed {
    struct record *record;
    struct arena *arena; /* of the request: what is in the result lives there */
    struct str stack;
    struct lock_caller caller;
    struct str peer; /* address it came from; or empty */
    const struct lock_rules *rules;
};
struct lock_result {
    enum lock_answer answer;
    struct str info; /* LockInfo for HELD and REFUSED */
    struct str why;  /* a sentence for the others that are no */
    bool has_event;
    struct event event; /* to be appended before the commit */
};

/* approval: the one-time token that came with it, or empty. */
bool lock_take(const struct lock_deed *deed, const struct lockinfo *info, struct str approval,
               struct lock_result *ret, struct err *err);
/* A person takes the lock, for as long as it takes: nobody plans or applies. No rule is asked. */
bool lock_hold(const struct lock_deed *deed, const struct lockinfo *info, struct lock_result *ret,
               struct err *err);
/* info->id empty: whatever lock there is. */
bool lock_give_back(const struct lock_deed *deed, const struct lockinfo *info, bool forced,
                    struct lock_result *ret, struct err *err);
/* The same, asked only: it stays held. A refusal has its event. */
bool lock_check_give_back(const struct lock_deed *deed, const struct lockinfo *info, bool forced,
                          struct lock_result *ret, struct err *err);

struct state_upload {
    struct state_head head;
    struct digest digest; /* of the bytes */
    size_t size;
    struct str packed; /* gzip */
};
bool lock_write(const struct lock_deed *deed, struct str lock_id, const struct state_upload *upload,
                struct lock_result *ret, struct err *err);
/* The same where the state is kept elsewhere: judged, with its event, and not stored. */
bool lock_check_write(const struct lock_deed *deed, struct str lock_id,
                      const struct state_upload *upload, struct lock_result *ret, struct err *err);
bool lock_delete(const struct lock_deed *deed, struct lock_result *ret, struct err *err);
bool lock_check_delete(const struct lock_deed *deed, struct lock_result *ret, struct err *err);

/* What stands against anything but a plan, now. */
bool lock_gather_reasons(const struct lock_deed *deed, const struct state_row *row,
                         struct str approval, struct lock_reason **ret, size_t *ret_n,
                         struct str *ret_breakglass, struct err *err);
/* What an approval must be for. */
struct permit_terms lock_permit_terms(const struct lock_deed *deed, const struct state_row *row);
