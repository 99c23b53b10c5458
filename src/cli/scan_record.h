/* scan_record.h - a scan of stacks as it goes into the store: begun, ended, accepted.
 *
 * Rule:    where a store is configured and cannot be written, nothing is scanned. Where it fails
 *          later, the report is still given, and the command fails: what was not recorded is never
 *          told as recorded
 */
#pragma once
#include <stdio.h>

#include "base/err.h"
#include "cli/store_setup.h"
#include "record/findings.h"
#include "record/standing.h"
#include "scan/scan.h"

struct stack;
struct stacks;

struct scan_record {
    const struct app *app;
    struct arena *arena;
    struct scan_options *scan; /* gets the store's key */
    struct record record;      /* db NULL: nothing is recorded */
    struct run_start start;
    struct run_finish finish;
    struct baseline *baseline; /* of the stack that is scanned */
    struct answers *answers;   /* the same: reviews */
    const struct config *config;
    int64_t keep_ms; /* what is resolved and older goes; 0 = nothing */
    struct run_changes total;
    uint64_t stacks;
    struct str reason; /* of --baseline; ptr NULL = none */
    struct err failed; /* the first trouble after the scan had begun */
};

struct scan_record_ask {
    const struct config *config;
    const struct option_value *store, *policies, *waivers;
    bool no_store;
    struct str baseline; /* ptr NULL = no --baseline */
};
/* Digest of the files that judge; empty without any. */
bool scan_record_policy(struct arena *arena, const struct scan_record_ask *ask, struct str *ret,
                        struct err *err);
/* Whether and where; opens the store. */
bool scan_record_open(struct scan_record *r, const struct scan_record_ask *ask, struct err *err);
void scan_record_close(struct scan_record *r);
bool scan_record_begin(struct scan_record *r, const struct stack *stack, struct err *err);
/* Records the result, then marks in it what the baseline and reviews say. Trouble goes to
 * r->failed. */
bool scan_record_end(struct scan_record *r, const struct stack *stack, struct stack_result *result,
                     struct err *err);
/* After all stacks: reviews, breakglasses, freezes and deadlines that have ended are written down.
 */
void scan_record_settle(struct scan_record *r);
/* There is no result. */
void scan_record_fail(struct scan_record *r, const struct err *why);
/* A finding on its way to --stream, as the baseline and reviews have it. */
bool scan_record_mark(struct scan_record *r, struct finding *finding, struct err *err);
/* One line for people: what was recorded where. */
void scan_record_tell(const struct scan_record *r, FILE *out);
