/* conftest_output.h - results of `plumb conftest` in conftest's own formats.
 *
 * Source:  facts/rego.md 12
 */
#pragma once
#include <stdio.h>

#include "policy/conftest.h"

struct conftest_results {
    const struct conftest_check *check;
    size_t n;
    bool verify;              /* tests: skipped ones are counted */
    bool suppress_exceptions; /* they are not shown */
    bool hide_passed;         /* github: nothing of what passed */
    bool hide_message;        /* junit: names without messages */
};

extern const char *const conftest_formats[]; /* NULL-ended */

bool conftest_output(FILE *out, struct str format, const struct conftest_results *results,
                     struct err *err);
