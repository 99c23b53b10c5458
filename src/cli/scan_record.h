/* scan_record.h - recording as the options of `plumb scan` have it: whether, where, and what is
 * told of it (scan/recording.h does it).
 */
#pragma once
#include <stdio.h>

#include "cli/store_setup.h"
#include "scan/recording.h"

struct scan_record {
    const struct app *app;
    struct judges judges;
    struct record record; /* db NULL: nothing is recorded */
    struct recording to;
};

struct scan_record_ask {
    const struct config *config;
    const struct option_value *store, *policies, *waivers;
    bool no_store;
    struct str baseline; /* ptr NULL = no --baseline */
};
/* Whether and where; opens the store. r->app is set. */
bool scan_record_open(struct scan_record *r, struct arena *arena, struct scan_options *scan,
                      const struct scan_record_ask *ask, struct err *err);
void scan_record_close(struct scan_record *r);
/* Before the result is recorded: the stack was of another repository until now, which may be
 * another stack of the same name. A warning, for a repository moves, too. */
bool scan_record_warn(const struct scan_record *r, const struct stack_result *result,
                      struct err *err);
/* One line for people: what was recorded where. */
void scan_record_tell(const struct scan_record *r, FILE *out);
